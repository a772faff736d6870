"""Linear constraints and the minimiser."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sem_loyalty.kernel.curvature import LARGE, curvature_of
from sem_loyalty.kernel.likelihood import Likelihood, Sample
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.solver import affine_subspace, minimise, whole_space


def variances_only(p: int) -> Block:
    index = np.arange(p)
    none = np.array([], dtype=int)
    return Block(
        p, np.zeros((p, p)), none, none, none, np.zeros((p, p)), index, index, index, np.zeros(p), none, none, False
    )


def sample_of(cov: np.ndarray) -> Sample:
    return Sample(1.0, cov, np.zeros(len(cov)), np.linalg.slogdet(cov)[1])


@given(st.lists(st.floats(0.01, 100.0), min_size=2, max_size=6))
def test_independence_model_has_its_known_minimum(variances):
    generator = np.random.default_rng(len(variances))
    rows = generator.normal(size=(50, len(variances))) * np.sqrt(variances)
    cov = np.cov(rows.T, bias=True)
    found = minimise(Likelihood((variances_only(len(cov)),), (sample_of(cov),)), np.full(len(cov), 1.0))
    assert found is not None
    assert found.converged
    np.testing.assert_allclose(found.point.theta, np.diagonal(cov), rtol=1e-9)
    assert found.point.value == pytest.approx(np.log(np.diagonal(cov)).sum() - np.linalg.slogdet(cov)[1], abs=1e-10)


def test_linear_constraint_holds_and_the_gradient_vanishes_within_it():
    cov = np.diag([1.0, 3.0, 2.0])
    space = affine_subspace(np.array([[1.0, -2.0, 0.0]]), np.array([0.5]))
    assert space is not None
    start = space.offset + space.basis @ (space.basis.T @ (np.array([2.0, 1.0, 1.0]) - space.offset))
    likelihood = Likelihood((variances_only(3),), (sample_of(cov),))
    found = minimise(likelihood, start, space)
    assert found is not None
    assert found.converged
    theta = found.point.theta
    assert theta[0] - 2.0 * theta[1] == pytest.approx(0.5, abs=1e-12)
    np.testing.assert_allclose(space.reduce_vector(likelihood.gradient(found.point)), 0.0, atol=1e-10)


def test_contradicting_constraints_are_no_subspace():
    assert affine_subspace(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0.0, 1.0])) is None


@given(st.integers(1, 4), st.integers(0, 10_000))
def test_subspace_spans_every_solution(rows, seed):
    generator = np.random.default_rng(seed)
    matrix, theta = generator.normal(size=(rows, 6)), generator.normal(size=6)
    space = affine_subspace(matrix, matrix @ theta)
    assert space is not None
    np.testing.assert_allclose(space.basis.T @ space.basis, np.eye(6 - rows), atol=1e-10)
    np.testing.assert_allclose(matrix @ space.basis, 0.0, atol=1e-9)
    back = space.offset + space.basis @ (space.basis.T @ (theta - space.offset))
    np.testing.assert_allclose(back, theta, atol=1e-8)


def test_no_solution_from_a_start_outside_the_region():
    assert (
        minimise(Likelihood((variances_only(2),), (sample_of(np.eye(2)),)), np.array([-1.0, 1.0]), whole_space(2))
        is None
    )


def test_single_precision_is_enough_for_a_direction():
    """Far from the minimum a large matrix is factored in single precision, whatever the units of the parameters."""
    generator = np.random.default_rng(5)
    mixed = generator.normal(size=(LARGE, 2 * LARGE))
    units = 10.0 ** generator.uniform(-9, 9, LARGE)
    matrix = mixed @ mixed.T / np.outer(units, units)
    slope = generator.normal(size=LARGE) / units
    rough, exact = curvature_of(matrix, 0.0, roughly=True), curvature_of(matrix, 0.0)
    assert rough.factor.dtype == np.float32
    assert exact.factor.dtype == np.float64
    # The condition of the scaled matrix is about 30, and single precision has seven digits.
    near, there = (curvature.step(slope).direction / units for curvature in (rough, exact))
    np.testing.assert_allclose(near, there, atol=1e-5 * np.abs(there).max())
    assert rough.step(slope).decrement == pytest.approx(exact.step(slope).decrement, rel=1e-5)


def test_what_single_precision_cannot_factor_isfactored_in_double():
    matrix = np.eye(LARGE)
    matrix[0, 1] = matrix[1, 0] = 1.0 - 1e-9  # 1 in single precision
    found = curvature_of(matrix, 0.0, roughly=True)
    assert found is not None
    assert found.factor.dtype == np.float64


def test_a_known_curvature_in_other_units_takes_the_same_step():
    generator = np.random.default_rng(7)
    mixed = generator.normal(size=(5, 9))
    matrix, slope, units = mixed @ mixed.T, generator.normal(size=5), generator.uniform(0.1, 10.0, 5)
    known = curvature_of(matrix, 0.0).rescaled(units).step(slope / units)
    np.testing.assert_allclose(known.direction, units * curvature_of(matrix, 0.0).step(slope).direction, rtol=1e-12)
