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

from sem_loyalty.kernel.curvature import LARGE, Curvature, curvature_of
from sem_loyalty.kernel.discrepancy import Discrepancy, PointT
from sem_loyalty.kernel.restrictions import Restrictions

Array = NDArray[np.float64]

SCORING_STEPS = 60
NEWTON_STEPS = 300
# Scoring is safe far from the minimum, exact Newton steps are quadratic near it: the decrement at which to change.
NEAR = 0.1
# Below this decrement a step lowers F by less than F's own rounding; from here exact Newton steps on the gradient
# alone lead to the minimum.
DECREMENT_TOLERANCE = 1e-7
# The square of the decrement is what a Newton step lowers F by: this much does not matter when minima are compared.
COMPARED = 5e-6
# The decrement that Newton steps reach where the minimum is a regular one.
POLISHED = 1e-9
# So small a fall of F, relative to 1 + F, over so many steps is taken for a ridge without a minimum.
RIDGE_STEPS = 40
RIDGE_FALL = 1e-6
# A curvature matrix is used again where its last step left this share of the decrement or less; of a large one, where
# making and factoring another costs many steps, a larger share.
REUSE = 0.03
REUSE_LARGE = 0.5
# Nor is a new matrix worth its price where F is wanted only to be compared.
REUSE_COMPARED = 0.2
# Relative rounding error of F, which sums terms of the size of the number of variables.
ROUNDING = 1e-15


@dataclass(frozen=True, slots=True)
class Subspace:
    """The parameter vectors that satisfy the constraints, which are linear equations in most models.

    Attributes
    ----------
    offset : ndarray, shape (q,)
        One vector that satisfies them.
    basis : ndarray, shape (q, r)
        K, orthonormal columns: theta = offset + K alpha. The identity where nothing is constrained.
    constrained : bool
        False where K is the identity.
    restrictions : Restrictions or None
        Nonlinear equations, and inequalities, that the vectors satisfy as well.
    kept : ndarray of int, optional
        Where K only selects: the parameters that vary, the others being held at their values in `offset`.
    """

    offset: Array
    basis: Array
    constrained: bool
    restrictions: Restrictions | None = None
    kept: NDArray[np.intp] | None = None

    def reduce_vector(self, vector: Array) -> Array:
        """Return K' g, for a vector or for every column of a matrix."""
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
    curvature : Curvature or None
        Half the second derivative of F, within the constraints, where it was factored near the end.
    """

    point: PointT
    iterations: int
    converged: bool
    decrement: float
    curvature: Curvature | None = None


@dataclass(frozen=True, slots=True)
class _Descent(Generic[PointT]):
    """Where a descent ended, with the slope and the undamped curvature there; None where that was not factored."""

    solution: Solution[PointT]
    slope: Array
    curvature: Curvature | None


def minimise(
    discrepancy: Discrepancy[PointT],
    start: Array,
    space: Subspace | None = None,
    *,
    exact: bool = True,
    steps: int = NEWTON_STEPS,
    known: Curvature | None = None,
) -> Solution[PointT] | None:
    """Minimise a discrepancy from `start`.

    Parameters
    ----------
    discrepancy : Discrepancy
        The function to minimise.
    start : ndarray, shape (q,)
        Start values that satisfy the constraints of `space`.
    space : Subspace, optional
        The constraints.
    exact : bool, default True
        Go on until the gradient is rounding error. Otherwise end where the decrement says that F is within 1e-10 of
        its minimum, which is all that a comparison of minima needs.
    steps : int, default 300
        Newton steps after which it gives up.
    known : Curvature, optional
        Half the second derivative where the minimum may lie (`Solution.curvature`). Newton steps begin with it, and go
        on with their own where it does not serve.

    Returns
    -------
    Solution or None
        None where the discrepancy is not defined at the start.
    """
    space = whole_space(len(start)) if space is None else space
    if space.restrictions is not None:
        # Imported where it is needed: few models are restricted so, and it brings scipy.optimize.
        from sem_loyalty.kernel.constrained import minimise_restricted

        return minimise_restricted(discrepancy, start, space, space.restrictions)
    point = discrepancy.evaluate(start)
    if point is None:
        return None
    scored = _descend(discrepancy, point, space, discrepancy.information, SCORING_STEPS, NEAR).solution
    tolerance, reuse = (DECREMENT_TOLERANCE, REUSE) if exact else (COMPARED, REUSE_COMPARED)
    newton = _descend(discrepancy, scored.point, space, discrepancy.hessian, steps, tolerance, reuse, known)
    ended = newton.solution
    solution = Solution(ended.point, scored.iterations + ended.iterations, ended.converged, ended.decrement)
    if not exact or not solution.converged or newton.curvature is None:
        return solution
    return _polish(discrepancy, solution, space, newton.slope, newton.curvature)


def approach(
    discrepancy: Discrepancy[PointT], start: Array, space: Subspace, tolerance: float
) -> Solution[PointT] | None:
    """Take scoring steps from `start` until the decrement is below `tolerance`; None where nothing is defined there."""
    point = discrepancy.evaluate(start)
    if point is None:
        return None
    return _descend(discrepancy, point, space, discrepancy.information, SCORING_STEPS, tolerance).solution


def _descend(
    discrepancy: Discrepancy[PointT],
    point: PointT,
    space: Subspace,
    curvature: Callable[[PointT], Array],
    limit: int,
    tolerance: float,
    reuse: float = REUSE,
    factored: Curvature | None = None,
) -> _Descent[PointT]:
    """Take damped steps with one kind of curvature matrix until the decrement is below `tolerance`, or `limit` steps.

    The first one may be known, as `factored`. A matrix serves again after a step that left the share `reuse` of the
    decrement or less. The damping follows how well the quadratic model predicts F (More 1978, doi:10.1007/BFb0067700).
    """
    damping = 0.0
    decrement = np.inf
    noise = ROUNDING * discrepancy.n_observed
    passed = [point.value]
    slope = space.reduce_vector(discrepancy.gradient(point))
    reuse = max(reuse, REUSE_LARGE) if len(slope) >= LARGE else reuse
    # How near is near enough to change to another matrix is judged by the last one that was factored.
    far = tolerance >= NEAR
    enough = tolerance if far else 0.0
    undamped = factored.step(slope) if factored is not None else None
    for iteration in range(limit):
        reused = undamped is not None
        if undamped is None:
            matrix = space.reduce_matrix(curvature(point))
            factored = curvature_of(matrix, 0.0, roughly=far)
            undamped = factored.step(slope) if factored is not None else None
        if undamped is not None:
            decrement = undamped.decrement
            if decrement < tolerance:
                return _Descent(Solution(point, iteration, True, decrement), slope, factored)
        accepted: PointT | None = None
        for _attempt in range(40):
            step = undamped
            if damping:
                damped = curvature_of(matrix, damping, roughly=far)
                step = damped.step(slope) if damped is not None else None
            if step is not None:
                found = discrepancy.evaluate(point.theta + space.expand(step.direction))
                if found is not None:
                    gain = point.value - found.value + noise * (1.0 + abs(point.value))
                    ratio = gain / max(step.predicted, 1e-300)
                    if gain > 0 and ratio > 1e-3:
                        accepted = found
                        if ratio > 0.7:
                            damping = 0.0 if damping < 1e-3 else damping / 5.0
                        elif ratio < 0.25:
                            damping = max(1e-3, damping * 3.0)
                        break
            if reused:
                # The curvature was that of an earlier point; only that of this one can say how to go on.
                matrix, reused = space.reduce_matrix(curvature(point)), False
                factored = curvature_of(matrix, 0.0, roughly=far)
                undamped = factored.step(slope) if factored is not None else None
                continue
            damping = max(1e-3, damping * 5.0)
        if accepted is None:
            # No step of any length lowers F: the minimum is reached to rounding, or the surface is not usable.
            ended = Solution(point, iteration, bool(decrement < 1e-5), float(decrement))
            return _Descent(ended, slope, factored)
        point = accepted
        slope = space.reduce_vector(discrepancy.gradient(point))
        passed.append(point.value)
        if len(passed) > RIDGE_STEPS and passed[-RIDGE_STEPS] - point.value < RIDGE_FALL * (1.0 + abs(point.value)):
            # A minimum would have been reached long ago: this is a ridge that falls, if at all, towards infinity.
            return _Descent(Solution(point, iteration, False, float(decrement)), slope, None)
        # Where a step took most of the way, the curvature hardly changed, and its factor serves the next step too.
        undamped = factored.step(slope) if factored is not None and not damping else None
        if undamped is not None and undamped.decrement > reuse * decrement and not undamped.decrement < enough:
            undamped = None
    return _Descent(Solution(point, limit, False, float(decrement)), slope, None)


def _polish(
    discrepancy: Discrepancy[PointT],
    solution: Solution[PointT],
    space: Subspace,
    slope: Array,
    curvature: Curvature,
) -> Solution[PointT]:
    """Take Newton steps, judged by the gradient, until it no longer shrinks.

    So near the minimum the curvature no longer changes, and one factor serves them all.
    """
    point, decrement = solution.point, solution.decrement
    step = curvature.step(slope)
    for _step in range(6):
        if step is None:
            break
        found = discrepancy.evaluate(point.theta + space.expand(step.direction))
        if found is None:
            break
        step = curvature.step(space.reduce_vector(discrepancy.gradient(found)))
        if step is None or step.decrement >= decrement:
            break
        point, decrement = found, step.decrement
        if decrement < 1e-13:
            break
    return Solution(point, solution.iterations, decrement < POLISHED, float(decrement), curvature)
