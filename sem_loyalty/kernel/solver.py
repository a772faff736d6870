"""Minimising the discrepancy: Fisher scoring, then damped Newton steps with the exact Hessian.

Both steps are affine invariant, so neither the units of the items nor the choice of marker changes the path
to the minimum. Linear equality constraints are removed beforehand: theta = offset + K alpha.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from sem_loyalty.kernel.discrepancy import Discrepancy, PointT

Array = NDArray[np.float64]

SCORING_STEPS = 60
NEWTON_STEPS = 300
# Scoring is safe far from the minimum, exact Newton steps are quadratic near it: the decrement at which to change.
NEAR = 0.1
# Below this decrement a step lowers F by less than F's own rounding; from here exact Newton steps on the gradient
# alone lead to the minimum.
DECREMENT_TOLERANCE = 1e-7
# The decrement that Newton steps reach where the minimum is a regular one.
POLISHED = 1e-9
# So small a fall of F, relative to 1 + F, over so many steps is taken for a ridge without a minimum.
RIDGE_STEPS = 40
RIDGE_FALL = 1e-6
# Relative rounding error of F, which sums terms of the size of the number of variables.
ROUNDING = 1e-15


@dataclass(frozen=True, slots=True)
class Subspace:
    """The parameter vectors that satisfy the linear equality constraints.

    Attributes
    ----------
    offset : ndarray, shape (q,)
        One vector that satisfies them.
    basis : ndarray, shape (q, r)
        K, orthonormal columns: theta = offset + K alpha. The identity where nothing is constrained.
    constrained : bool
        False where K is the identity.
    kept : ndarray of int, optional
        Where K only selects: the parameters that vary, the others being held at their values in `offset`.
    """

    offset: Array
    basis: Array
    constrained: bool
    kept: NDArray[np.intp] | None = None

    def reduce_vector(self, vector: Array) -> Array:
        """Return K' g."""
        if self.kept is not None:
            return vector[self.kept]
        return self.basis.T @ vector if self.constrained else vector

    def reduce_matrix(self, matrix: Array) -> Array:
        """Return K' M K."""
        if self.kept is not None:
            return matrix[self.kept[:, None], self.kept]
        return self.basis.T @ matrix @ self.basis if self.constrained else matrix

    def expand(self, step: Array) -> Array:
        """Return K d."""
        if self.kept is not None:
            out = np.zeros(len(self.offset))
            out[self.kept] = step
            return out
        return self.basis @ step if self.constrained else step


def whole_space(size: int) -> Subspace:
    """Return the subspace without constraints."""
    return Subspace(offset=np.zeros(size), basis=np.eye(size), constrained=False)


def held_space(values: Array, kept: NDArray[np.intp]) -> Subspace:
    """Return the subspace in which only the parameters `kept` vary, the others being held at `values`."""
    offset = values.copy()
    offset[kept] = 0.0
    return Subspace(offset=offset, basis=np.eye(len(values))[:, kept], constrained=True, kept=kept)


def affine_subspace(matrix: Array, right: Array) -> Subspace | None:
    """Return {theta : matrix theta = right}, or None where the equations contradict each other."""
    u, singular, vt = np.linalg.svd(matrix)
    rank = int((singular > singular.max(initial=0.0) * 1e-10).sum())
    offset = vt[:rank].T @ ((u[:, :rank].T @ right) / singular[:rank])
    if np.abs(matrix @ offset - right).max(initial=0.0) > 1e-8 * max(1.0, float(np.abs(right).max(initial=0.0))):
        return None
    basis = vt[rank:].T
    # Orthonormal bases have free signs; fixing them keeps results the same on every machine.
    signs = np.sign(basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])])
    return Subspace(offset=offset, basis=basis * np.where(signs == 0, 1.0, signs), constrained=True)


@dataclass(frozen=True, slots=True)
class Solution(Generic[PointT]):
    """Where the minimisation ended.

    Attributes
    ----------
    point : Point
        The end point; `point.theta` and `point.value`.
    iterations : int
        Accepted steps.
    converged : bool
        Whether the Newton decrement fell below the tolerance with a positive definite matrix.
    decrement : float
        sqrt(g' M^-1 g) / 2 at the end: the distance to the minimum in standard errors of one respondent.
    """

    point: PointT
    iterations: int
    converged: bool
    decrement: float


@dataclass(frozen=True, slots=True)
class _Step:
    """A proposed step and its Newton decrement; None fields are never produced."""

    direction: Array
    decrement: float


def _solve(matrix: Array, right: Array, damping: float) -> _Step | None:
    """Solve (M + damping diag M) d = -g/2 after scaling M to a unit diagonal; None where M is not positive definite."""
    scale = np.sqrt(np.abs(np.diagonal(matrix)))
    if not np.isfinite(scale).all() or (scale == 0).any():
        scale = np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)
    scaled = matrix / np.outer(scale, scale)
    scaled[np.diag_indices_from(scaled)] += damping
    factor, info = lapack.dpotrf(scaled, lower=1)
    if info != 0:
        return None
    half = -0.5 * right / scale
    direction, info = lapack.dpotrs(factor, half, lower=1)
    if info != 0 or not np.isfinite(direction).all():
        return None
    return _Step(direction=direction / scale, decrement=float(np.sqrt(max(0.0, half @ direction))))


def minimise(discrepancy: Discrepancy[PointT], start: Array, space: Subspace | None = None) -> Solution[PointT] | None:
    """Minimise a discrepancy from `start`.

    Parameters
    ----------
    discrepancy : Discrepancy
        The function to minimise.
    start : ndarray, shape (q,)
        Start values that satisfy the constraints of `space`.
    space : Subspace, optional
        Linear equality constraints.

    Returns
    -------
    Solution or None
        None where the discrepancy is not defined at the start.
    """
    space = whole_space(len(start)) if space is None else space
    point = discrepancy.evaluate(start)
    if point is None:
        return None
    scored = _descend(discrepancy, point, space, discrepancy.information, SCORING_STEPS, NEAR)
    newton = _descend(discrepancy, scored.point, space, discrepancy.hessian, NEWTON_STEPS, DECREMENT_TOLERANCE)
    merged = Solution(newton.point, scored.iterations + newton.iterations, newton.converged, newton.decrement)
    return _polish(discrepancy, merged, space) if merged.converged else merged


def _descend(
    discrepancy: Discrepancy[PointT],
    point: PointT,
    space: Subspace,
    curvature: Callable[[PointT], Array],
    limit: int,
    tolerance: float,
) -> Solution[PointT]:
    """Take damped steps with one kind of curvature matrix until the decrement is below `tolerance`, or `limit` steps.

    The damping follows how well the quadratic model predicts F (More 1978, doi:10.1007/BFb0067700).
    """
    damping = 0.0
    decrement = np.inf
    noise = ROUNDING * discrepancy.n_observed
    passed = [point.value]
    for iteration in range(limit):
        slope = space.reduce_vector(discrepancy.gradient(point))
        matrix = space.reduce_matrix(curvature(point))
        accepted: PointT | None = None
        undamped = _solve(matrix, slope, 0.0)
        if undamped is not None:
            decrement = undamped.decrement
            if decrement < tolerance:
                return Solution(point, iteration, True, decrement)
        for _attempt in range(40):
            step = undamped if damping == 0.0 else _solve(matrix, slope, damping)
            if step is not None:
                found = discrepancy.evaluate(point.theta + space.expand(step.direction))
                predicted = -float(slope @ step.direction) - float(step.direction @ matrix @ step.direction)
                if found is not None:
                    gain = point.value - found.value + noise * (1.0 + abs(point.value))
                    ratio = gain / max(predicted, 1e-300)
                    if gain > 0 and ratio > 1e-3:
                        accepted = found
                        if ratio > 0.7:
                            damping = 0.0 if damping < 1e-3 else damping / 5.0
                        elif ratio < 0.25:
                            damping = max(1e-3, damping * 3.0)
                        break
            damping = max(1e-3, damping * 5.0)
        if accepted is None:
            # No step of any length lowers F: the minimum is reached to rounding, or the surface is not usable.
            return Solution(point, iteration, bool(decrement < 1e-5), float(decrement))
        point = accepted
        passed.append(point.value)
        if len(passed) > RIDGE_STEPS and passed[-RIDGE_STEPS] - point.value < RIDGE_FALL * (1.0 + abs(point.value)):
            # A minimum would have been reached long ago: this is a ridge that falls, if at all, towards infinity.
            return Solution(point, iteration, False, float(decrement))
    return Solution(point, limit, False, float(decrement))


def _polish(discrepancy: Discrepancy[PointT], solution: Solution[PointT], space: Subspace) -> Solution[PointT]:
    """Take exact Newton steps, judged by the gradient, until it no longer shrinks."""
    point, decrement = solution.point, solution.decrement
    slope = space.reduce_vector(discrepancy.gradient(point))
    for _step in range(6):
        step = _solve(space.reduce_matrix(discrepancy.hessian(point)), slope, 0.0)
        if step is None:
            break
        found = discrepancy.evaluate(point.theta + space.expand(step.direction))
        if found is None:
            break
        new_slope = space.reduce_vector(discrepancy.gradient(found))
        new_step = _solve(space.reduce_matrix(discrepancy.information(found)), new_slope, 0.0)
        if new_step is None or new_step.decrement >= decrement:
            break
        point, slope, decrement = found, new_slope, new_step.decrement
        if decrement < 1e-13:
            break
    return Solution(point, solution.iterations, decrement < POLISHED, float(decrement))
