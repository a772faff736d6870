from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sem_loyalty.kernel.ordinal import ordinal_statistics, polychoric_matrix
from sem_loyalty.pls_sem.lanes import inverse_diagonal, smallest_pivot, solve_lanes


@given(st.integers(1, 7), st.integers(1, 9), st.integers(0, 10**6))
def test_systems_in_lanes_equal_those_one_by_one(size: int, lanes: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    root = generator.standard_normal((lanes, size, size + 2))
    matrix = root @ root.transpose(0, 2, 1) + 0.1 * np.eye(size)
    right = generator.standard_normal((lanes, size))
    expected = np.linalg.solve(matrix, right[:, :, None])[:, :, 0]
    stacked = matrix.transpose(1, 2, 0)
    np.testing.assert_allclose(solve_lanes(stacked, right.T).T, expected, rtol=1e-7, atol=1e-9)
    diagonal = np.linalg.inv(matrix)[:, np.arange(size), np.arange(size)]
    np.testing.assert_allclose(inverse_diagonal(stacked).T, diagonal, rtol=1e-7)
    # The pivots of elimination are the squares of the Cholesky diagonal.
    pivots = np.linalg.cholesky(matrix)[:, np.arange(size), np.arange(size)] ** 2
    np.testing.assert_allclose(smallest_pivot(stacked), pivots.min(axis=1), rtol=1e-7)


def test_the_smallest_pivot_tells_what_is_not_definite() -> None:
    matrix = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.9], [0.1, 0.9, 1.0]])
    assert smallest_pivot(matrix[:, :, None])[0] < 0
    assert smallest_pivot(np.full((2, 2, 1), np.nan))[0] == 0


def test_polychoric_correlations_alone_are_those_with_their_covariance() -> None:
    codes = np.random.default_rng(2).integers(0, 4, (150, 5))
    assert np.array_equal(polychoric_matrix(codes), ordinal_statistics(codes).correlation)
