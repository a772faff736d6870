"""Minimising a discrepancy whose curvature is dear and whose slope is cheap, from a start near the minimum.

One matrix of curvature is computed, where none is known: half the second derivative at the start, or the expected
information where that is not positive definite. Each step then corrects its inverse by what the slopes say of the
curvature (BFGS; Nocedal and Wright 2006, chapter 6, doi:10.1007/978-0-387-40065-5). Steps are affine invariant, as
those of `kernel.solver` are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.curvature import Curvature
from sem_loyalty.kernel.discrepancy import Discrepancy, PointT
from sem_loyalty.kernel.likelihood import spd_inverse
from sem_loyalty.kernel.solver import ROUNDING, Solution, Subspace

Array = NDArray[np.float64]

STEPS = 60
HALVINGS = 12
DECREMENT_TOLERANCE = 1e-9
# Share of the fall that the slope promises which a step must deliver.
ENOUGH = 1e-4


def refine(
    discrepancy: Discrepancy[PointT],
    start: Array,
    space: Subspace,
    tolerance: float = DECREMENT_TOLERANCE,
    known: Curvature | None = None,
) -> Solution[PointT] | None:
    """Minimise a discrepancy from a start near the minimum.

    Parameters
    ----------
    discrepancy : Discrepancy
    start : ndarray, shape (q,)
        Satisfies the constraints of `space`.
    space : Subspace
    tolerance : float, default 1e-9
        Newton decrement, in standard errors of one respondent, that counts as the minimum; one more step is taken from
        there.
    known : Curvature, optional
        Half the second derivative where the minimum may lie (`Solution.curvature`), to begin with.

    Returns
    -------
    Solution or None
        None where the minimum is not reached: `kernel.solver.minimise` is made for such cases.
    """
    point = discrepancy.evaluate(start)
    if point is None:
        return None
    for inverse in _inverses(discrepancy, point, space, known):
        found = _refined(discrepancy, point, space, tolerance, inverse)
        if found is not None:
            return found
    return None


def _inverses(
    discrepancy: Discrepancy[PointT], point: PointT, space: Subspace, known: Curvature | None
) -> Iterator[Array]:
    """Yield inverses of matrices of curvature to begin with, the one that promises the fewest steps first."""
    if known is not None:
        yield known.inverse()
    for matrix in (discrepancy.hessian, discrepancy.information):
        inverse = _scaled_inverse(space.reduce_matrix(matrix(point)))
        if inverse is not None:
            yield inverse


def _refined(
    discrepancy: Discrepancy[PointT], point: PointT, space: Subspace, tolerance: float, inverse: Array
) -> Solution[PointT] | None:
    """Return the minimum that steps with one inverse of curvature, corrected on the way, lead to."""
    slope = space.reduce_vector(discrepancy.gradient(point))
    noise = ROUNDING * discrepancy.n_observed
    for iteration in range(1, STEPS + 1):
        step = -0.5 * (inverse @ slope)
        # The quadratic model falls by half of this along the step.
        promise = -float(slope @ step)
        if not promise >= 0.0:
            return None
        near = np.sqrt(0.5 * promise) < tolerance
        found = _along(discrepancy, point, space.expand(step), promise, noise)
        if found is None:
            return None
        moved, length = found
        new_slope = space.reduce_vector(discrepancy.gradient(moved))
        if near:
            left = float(np.sqrt(max(0.0, 0.25 * float(new_slope @ inverse @ new_slope))))
            return Solution(moved, iteration, True, left) if left < tolerance else None
        inverse = _corrected(inverse, length * step, 0.5 * (new_slope - slope))
        point, slope = moved, new_slope
    return None


def _along(
    discrepancy: Discrepancy[PointT], point: PointT, direction: Array, promise: float, noise: float
) -> tuple[PointT, float] | None:
    """Return a point along the direction where the discrepancy has fallen enough, and the share of the way to it."""
    length = 1.0
    for _attempt in range(HALVINGS):
        found = discrepancy.evaluate(point.theta + length * direction)
        allowed = point.value - ENOUGH * length * promise + noise * (1.0 + abs(point.value))
        if found is not None and found.value <= allowed:
            return found, length
        length *= 0.5
    return None


def _scaled_inverse(matrix: Array) -> Array | None:
    """Return the inverse of a matrix after scaling it to a unit diagonal, None where it is not positive definite."""
    diagonal = np.diagonal(matrix)
    if not (diagonal > 0).all():
        return None
    scale = np.sqrt(diagonal)
    solved = spd_inverse(matrix / np.outer(scale, scale))
    return None if solved is None else np.asarray(solved[0] / np.outer(scale, scale))


def _corrected(inverse: Array, step: Array, change: Array) -> Array:
    """Return the inverse curvature that explains how the half slope changed along the last step."""
    along = float(step @ change)
    turned = inverse @ change
    across = float(change @ turned)
    if along <= 1e-12 * np.sqrt(max(0.0, across) * max(0.0, float(step @ step))):
        return inverse
    # The correction is s v' + v s'.
    other = (0.5 * (1.0 + across / along) * step - turned) / along
    product = step[:, None] * other
    return np.asarray(product + product.T + inverse)
