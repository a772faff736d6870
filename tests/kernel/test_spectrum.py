"""Extreme eigenvalues, by bisection and by Lanczos iterations, against all eigenvalues."""

import numpy as np
import pytest
from scipy.linalg import lapack

from sem_loyalty.kernel import spectrum


@pytest.mark.parametrize("seed", range(6))
def test_extreme_eigenvalues_of_a_large_matrix(seed, monkeypatch):
    monkeypatch.setattr(spectrum, "SMALL", 10)
    generator = np.random.default_rng(seed)
    size = 60 + 40 * seed
    rows = generator.standard_normal((size, 2 * size)) * np.geomspace(1, 10.0 ** (seed / 2), size)[:, None]
    matrix = rows @ rows.T
    factor, info = lapack.dpotrf(matrix, lower=1)
    assert info == 0
    values = np.linalg.eigvalsh(matrix)
    smallest, largest = spectrum.extreme_eigenvalues(matrix, factor)
    assert smallest == pytest.approx(values[0], rel=1e-9)
    assert largest == pytest.approx(values[-1], rel=1e-9)


def test_an_identity_ends_at_once(monkeypatch):
    monkeypatch.setattr(spectrum, "SMALL", 2)
    assert spectrum.extreme_eigenvalues(2.0 * np.eye(5), np.sqrt(2.0) * np.eye(5)) == pytest.approx((2.0, 2.0))


@pytest.mark.parametrize("size", [1, 2, 3, 56])
def test_small_matrices_have_the_eigenvalues_of_the_full_decomposition(size):
    generator = np.random.default_rng(size)
    rows = generator.standard_normal((3 * size, size)) + generator.standard_normal((3 * size, 1))
    matrix = rows.T @ rows
    values = np.linalg.eigvalsh(matrix)
    found = spectrum.extreme_eigenvalues(matrix, np.linalg.cholesky(matrix))
    np.testing.assert_allclose(found, (values[0], values[-1]), rtol=1e-11)
