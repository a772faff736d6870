"""Minimising along a narrow curved valley: Newton steps in a trust region, with the exact Hessian.

Damped Newton steps crawl where the Hessian is indefinite or nearly singular. Here the step minimises the quadratic
model within a radius, whatever the signs of the eigenvalues, so that negative curvature is followed and not avoided
(More and Sorensen 1983, doi:10.1137/0904038). It needs an eigendecomposition a step, so it is for what `minimise` gives
up.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.discrepancy import Discrepancy, PointT
from sem_loyalty.kernel.solver import DECREMENT_TOLERANCE, ROUNDING, Solution, Subspace, minimise

Array = NDArray[np.float64]

STEPS = 200
# Shares of the predicted fall of F at which a step is taken, and at which the radius shrinks or grows.
TAKEN, POOR, GOOD = 1e-4, 0.25, 0.75
SMALLEST_RADIUS = 1e-13


def follow_valley(
    discrepancy: Discrepancy[PointT], start: Array, space: Subspace, *, steps: int = STEPS
) -> Solution[PointT] | None:
    """Minimise from `start` by Newton steps in a trust region.

    Parameters
    ----------
    discrepancy : Discrepancy
    start : ndarray, shape (q,)
        Satisfies the constraints of `space`.
    space : Subspace
    steps : int, default 200
        Steps after which it gives up.

    Returns
    -------
    Solution or None
        `converged` only where a minimum was reached; None where the discrepancy is not defined at the start.
    """
    point = discrepancy.evaluate(start)
    if point is None:
        return None
    unit = np.sqrt(np.maximum(np.diagonal(space.reduce_matrix(discrepancy.information(point))), 0.0))
    unit = np.where(unit > 0, unit, 1.0)
    noise = ROUNDING * discrepancy.n_observed
    radius = 1.0
    decrement = np.inf
    for iteration in range(steps):
        slope = space.reduce_vector(discrepancy.gradient(point)) / unit
        curvature = 2.0 * space.reduce_matrix(discrepancy.hessian(point)) / np.outer(unit, unit)
        if not np.isfinite(curvature).all():
            break
        values, vectors = np.linalg.eigh(curvature)
        along = vectors.T @ slope
        if values[0] > 0:
            decrement = 0.5 * float(np.sqrt((2.0 * along**2 / values).sum()))
            if decrement < DECREMENT_TOLERANCE:
                polished = minimise(discrepancy, point.theta, space)
                return polished and replace(polished, iterations=iteration + polished.iterations)
        moved: PointT | None = None
        while moved is None and radius > SMALLEST_RADIUS:
            step = _within(values, along, radius)
            length = float(np.linalg.norm(step))
            predicted = -float(along @ step) - 0.5 * float(values @ step**2)
            found = discrepancy.evaluate(point.theta + space.expand(vectors @ step / unit))
            ratio = -1.0
            if found is not None:
                ratio = (point.value - found.value + noise * (1.0 + abs(point.value))) / max(predicted, 1e-300)
            if ratio < POOR:
                radius = 0.3 * min(radius, length)
            elif ratio > GOOD and length > 0.8 * radius:
                radius *= 2.5
            moved = found if ratio > TAKEN else None
        if moved is None:
            break
        point = moved
    return Solution(point, steps, False, float(decrement))


def _within(values: Array, along: Array, radius: float) -> Array:
    """Return the step that minimises along'd + d' diag(values) d / 2 within the radius, in eigen-coordinates."""
    if values[0] > 0:
        whole = -along / values
        if float(np.linalg.norm(whole)) <= radius:
            return np.asarray(whole)
    lower = max(0.0, -float(values[0])) + 1e-14
    upper = lower + float(np.linalg.norm(along)) / radius + 1.0
    # The length of the step falls in the multiplier; bisection on its logarithm.
    for _halving in range(60):
        middle = float(np.sqrt(lower * upper))
        if float(np.linalg.norm(along / (values + middle))) > radius:
            lower = middle
        else:
            upper = middle
    return np.asarray(-along / (values + upper))
