"""The minimiser under nonlinear equations and inequalities, on quadratics whose minima are known or found elsewhere."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.optimize import minimize

from sem_loyalty.kernel.constrained import nearest_violation
from sem_loyalty.kernel.restrictions import Values, active, null_space
from sem_loyalty.kernel.solver import affine_subspace, minimise, whole_space


@dataclass(frozen=True)
class Here:
    theta: np.ndarray
    value: float
    implied: tuple = ()


@dataclass(frozen=True)
class Bowl:
    """F = (theta - centre)' M (theta - centre) plus a quartic that makes the Hessian depend on the place."""

    matrix: np.ndarray
    centre: np.ndarray
    quartic: float = 0.0
    n_observed: int = 1

    def evaluate(self, theta):
        d = theta - self.centre
        return Here(theta, float(d @ self.matrix @ d + self.quartic * (d**4).sum()))

    def gradient(self, point):
        d = point.theta - self.centre
        return 2 * self.matrix @ d + 4 * self.quartic * d**3

    def information(self, point):
        return self.matrix

    def hessian(self, point):
        return self.matrix + np.diag(6 * self.quartic * (point.theta - self.centre) ** 2)

    def rescaled(self, scale):
        return self


@dataclass(frozen=True)
class Functions:
    """Restrictions given as functions that return value, slope and second derivative."""

    equations: tuple = ()
    inequalities: tuple = ()

    def evaluate(self, theta):
        parts = []
        for listed in (self.equations, self.inequalities):
            found = [one(theta) for one in listed]
            parts.append(np.array([one[0] for one in found]))
            parts.append(np.array([one[1] for one in found]).reshape(len(listed), len(theta)))
        return Values(*parts) if all(np.isfinite(part).all() for part in parts) else None

    def curvature(self, theta, on_equations, on_inequalities):
        out = np.zeros((len(theta), len(theta)))
        for weight, one in zip((*on_equations, *on_inequalities), (*self.equations, *self.inequalities), strict=True):
            out += weight * one(theta)[2]
        return out

    def snapped(self, theta):
        return theta


def plane(row, right):
    row = np.array(row, dtype=float)
    return lambda theta: (float(row @ theta) - right, row, np.zeros((len(row), len(row))))


def ball(radius, sign):
    """sign (|theta|^2 - radius^2)."""
    return lambda theta: (sign * (theta @ theta - radius**2), 2 * sign * theta, 2 * sign * np.eye(len(theta)))


def restricted(functions, size):
    return replace(whole_space(size), restrictions=functions)


def test_the_nearest_point_of_a_sphere():
    centre = np.array([3.0, 4.0, 0.0])
    found = minimise(Bowl(np.eye(3), centre), np.array([0.1, 0.2, 0.3]), restricted(Functions((ball(1.0, 1.0),)), 3))
    assert found.converged
    np.testing.assert_allclose(found.point.theta, centre / 5.0, atol=1e-12)


def test_a_saddle_point_is_no_minimum():
    # On the ellipse x^2 + 4 y^2 = 4 the distance to (5, 0) is stationary at (-2, 0), where it is greatest.
    ellipse = (lambda t: (t[0] ** 2 + 4 * t[1] ** 2 - 4, np.array([2 * t[0], 8 * t[1]]), np.diag([2.0, 8.0])),)
    far = minimise(Bowl(np.eye(2), np.array([5.0, 0.0])), np.array([-2.0, 0.0]), restricted(Functions(ellipse), 2))
    assert not far.converged or far.point.theta[0] > 0
    near = minimise(Bowl(np.eye(2), np.array([5.0, 0.0])), np.array([1.5, 0.5]), restricted(Functions(ellipse), 2))
    assert near.converged
    np.testing.assert_allclose(near.point.theta, [2.0, 0.0], atol=1e-10)


@pytest.mark.parametrize("quartic", [0.0, 0.5])
def test_a_bound_holds_only_where_it_must(quartic):
    bowl = Bowl(np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([-1.0, 2.0]), quartic)
    space = restricted(Functions(inequalities=(plane([1, 0], 0.0), plane([0, 1], -5.0))), 2)
    found = minimise(bowl, np.array([3.0, -4.0]), space)
    assert found.converged
    assert found.point.theta[0] == pytest.approx(0.0, abs=1e-14)
    # With the first parameter held at zero the other is at the minimum along it.
    assert bowl.gradient(found.point)[1] == pytest.approx(0.0, abs=1e-12)
    assert bowl.gradient(found.point)[0] > 0
    assert list(active(space.restrictions.evaluate(found.point.theta), found.point.theta)) == [0]


def test_linear_equations_and_restrictions_together():
    space = affine_subspace(np.array([[1.0, 1.0, 1.0]]), np.array([1.0]))
    functions = Functions((lambda t: (t[0] * t[1] - 0.1, np.array([t[1], t[0], 0.0]),
                                      np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]])),))  # fmt: skip
    bowl = Bowl(np.diag([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0]))
    found = minimise(bowl, space.offset, replace(space, restrictions=functions))
    theta = found.point.theta
    assert found.converged
    assert theta.sum() == pytest.approx(1.0, abs=1e-13)
    assert theta[0] * theta[1] == pytest.approx(0.1, abs=1e-13)
    normals = np.array([[1, 1, 1], [theta[1], theta[0], 0]])
    np.testing.assert_allclose(null_space(normals, 3).T @ bowl.gradient(found.point), 0.0, atol=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_random_problems_end_where_another_program_ends(seed):
    generator = np.random.default_rng(seed)
    size = 6
    root = generator.standard_normal((size, size))
    bowl = Bowl(root @ root.T + 0.3 * np.eye(size), 2 * generator.standard_normal(size), 0.05)
    planes = [plane(generator.standard_normal(size), float(generator.uniform(-1, 0))) for _ in range(5)]
    functions = Functions((ball(1.5, 1.0),) if seed % 2 else (), (*planes, ball(3.0, -1.0)))
    start = 0.3 * generator.standard_normal(size)
    found = minimise(bowl, start, restricted(functions, size))
    assert found.converged
    rules = [{"type": "eq", "fun": lambda t, f=f: f(t)[0], "jac": lambda t, f=f: f(t)[1]} for f in functions.equations]
    rules += [
        {"type": "ineq", "fun": lambda t, f=f: f(t)[0], "jac": lambda t, f=f: f(t)[1]} for f in functions.inequalities
    ]
    other = min(
        (
            minimize(
                lambda t: bowl.evaluate(t).value,
                s,
                jac=lambda t: bowl.gradient(Here(t, 0.0)),
                constraints=rules,
                method="SLSQP",
                options={"ftol": 1e-14, "maxiter": 500},
            )
            for s in (start, found.point.theta)
        ),
        key=lambda result: result.fun,
    )
    # On a sphere there may be several minima, of which the two programs need not find the same.
    assert seed % 2 or found.point.value == pytest.approx(other.fun, rel=1e-7)
    values = functions.evaluate(found.point.theta)
    assert (values.inequalities > -1e-11).all()
    assert np.abs(values.equations).max(initial=0.0) < 1e-11
    held = active(values, found.point.theta)
    normals = np.concatenate([values.equation_slopes, values.inequality_slopes[held]])
    slope = bowl.gradient(found.point)
    multipliers = np.linalg.lstsq(normals.T, slope, rcond=None)[0] if len(normals) else np.zeros(0)
    np.testing.assert_allclose(normals.T @ multipliers, slope, atol=1e-9)
    assert (multipliers[len(values.equations) :] > 0).all()


def test_restrictions_that_cannot_hold_are_found_out():
    against = Functions(inequalities=(plane([1, 0], 1.0), plane([-1, 0], 0.0)))
    assert nearest_violation(np.zeros(2), whole_space(2), against) > 0.1
    both = Functions(inequalities=(plane([1, 0], 1.0), plane([-1, 0], -3.0)))
    assert nearest_violation(np.zeros(2), whole_space(2), both) == 0.0
    undefined = Functions((lambda t: (np.nan, t, np.eye(2)),))
    assert nearest_violation(np.zeros(2), whole_space(2), undefined) is None
    assert minimise(Bowl(np.eye(2), np.zeros(2)), np.zeros(2), restricted(undefined, 2)) is None
