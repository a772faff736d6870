"""The trust-region search follows curved valleys and negative curvature, and admits that a ridge has no minimum."""

from dataclasses import dataclass

import numpy as np
import pytest

from sem_loyalty.kernel.solver import affine_subspace, whole_space
from sem_loyalty.kernel.valley import follow_valley


@dataclass(frozen=True)
class At:
    theta: np.ndarray
    value: float
    implied: tuple = ()


@dataclass(frozen=True)
class Surface:
    """A function of two parameters with its derivatives, in the form of a discrepancy."""

    f: object
    slope: object
    curvature: object
    n_observed: int = 2

    def evaluate(self, theta):
        value = float(self.f(*theta))
        return At(theta, value) if np.isfinite(value) else None

    def gradient(self, point):
        return np.array(self.slope(*point.theta), dtype=float)

    def hessian(self, point):
        return 0.5 * np.array(self.curvature(*point.theta), dtype=float)

    def information(self, point):
        return np.eye(2)

    def rescaled(self, scale):
        raise NotImplementedError


ROSENBROCK = Surface(
    lambda x, y: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
    lambda x, y: [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)],
    lambda x, y: [[2 - 400 * (y - 3 * x * x), -400 * x], [-400 * x, 200]],
)
SADDLE = Surface(
    lambda x, y: x**4 / 4 - x**2 / 2 + y**2,
    lambda x, y: [x**3 - x, 2 * y],
    lambda x, y: [[3 * x * x - 1, 0], [0, 2]],
)
RIDGE = Surface(
    lambda x, y: np.exp(-x) + y**2,
    lambda x, y: [-np.exp(-x), 2 * y],
    lambda x, y: [[np.exp(-x), 0], [0, 2]],
)


def test_a_curved_valley_is_followed_to_its_end():
    found = follow_valley(ROSENBROCK, np.array([-1.2, 1.0]), whole_space(2))
    assert found.converged
    np.testing.assert_allclose(found.point.theta, [1.0, 1.0], atol=1e-8)
    assert 0 < found.iterations < 60


def test_negative_curvature_leads_away_from_a_saddle():
    found = follow_valley(SADDLE, np.array([0.01, 1.0]), whole_space(2))
    assert found.converged
    np.testing.assert_allclose(found.point.theta, [1.0, 0.0], atol=1e-8)


def test_a_ridge_has_no_minimum():
    found = follow_valley(RIDGE, np.array([0.0, 1.0]), whole_space(2), steps=15)
    assert not found.converged
    assert found.point.value < np.exp(-3)


def test_constraints_hold():
    space = affine_subspace(np.array([[1.0, -1.0]]), np.array([0.5]))
    found = follow_valley(ROSENBROCK, space.offset, space)
    assert found.converged
    x, y = found.point.theta
    assert x - y == pytest.approx(0.5, abs=1e-12)
    # Along y = x - 1/2 the slope vanishes.
    assert float(ROSENBROCK.gradient(found.point) @ [1.0, 1.0]) == pytest.approx(0.0, abs=1e-6)


def test_no_start_no_answer():
    nowhere = Surface(lambda x, y: np.nan, lambda x, y: [0, 0], lambda x, y: np.eye(2))
    assert follow_valley(nowhere, np.zeros(2), whole_space(2)) is None
