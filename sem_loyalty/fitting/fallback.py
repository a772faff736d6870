"""What is tried where the usual searches end without a minimum, or where a small sample may have several."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.discrepancy import Discrepancy, PointT
from sem_loyalty.kernel.linear_algebra import lapack
from sem_loyalty.kernel.solver import Solution, Subspace
from sem_loyalty.kernel.valley import follow_valley
from sem_loyalty.model.scatter import places
from sem_loyalty.model.spec import Specification, kept

Array = NDArray[np.float64]

# Respondents per parameter below which a discrepancy often has several minima, so that one agreement is not enough.
SCARCE = 4.0
# A variance so many standard errors above zero is settled; in the hard replicates that have another minimum, one is
# within .7 of zero.
SETTLED = 2.0
# Steps along a valley; true ridges use them up, each start anew.
STEPS = 100
# Two minima count as one when F differs by less, relative to 1.
SAME = 1e-8
# Searches that give up within this of each other, relative to 1 + F, gave up on the same ridge.
RIDGE = 3e-6


def is_doubtful(
    specification: Specification,
    discrepancy: Discrepancy[PointT],
    space: Subspace,
    best: Solution[PointT],
    n: int,
) -> bool:
    """Return whether a minimum may well have others beside it.

    That takes few respondents for each parameter, and a variance that they leave open: of the other minima that small
    samples have, nearly all lie where a variance changed its sign.

    Parameters
    ----------
    specification, discrepancy, space
        The problem.
    best : Solution
        The minimum.
    n : int
        Number of respondents, N.
    """
    if n >= SCARCE * specification.n_parameters:
        return False
    variances = _variances(specification)
    if best.curvature is not None:
        factor = best.curvature.factor
    else:
        factor, info = lapack.dpotrf(space.reduce_matrix(discrepancy.information(best.point)), lower=1)
        if info != 0:
            return True
    if not len(variances):
        return True
    # With M = L L' the half curvature of F, the sampling variance of theta_k is |L^-1 K'e_k|^2 / N.
    columns, info = lapack.dtrtrs(factor, space.basis[variances].T, lower=1)
    errors = np.sqrt((columns * columns).sum(axis=0) / n)
    return info != 0 or not bool((best.point.theta[variances] > SETTLED * errors).all())


@kept
def _variances(specification: Specification) -> NDArray[np.intp]:
    """Return the parameters that are variances."""
    at = places(specification)
    return np.unique(at.free[(at.matrix == "S") & (at.row == at.col) & (at.free >= 0)])


def recover(
    discrepancy: Discrepancy[PointT], space: Subspace, starts: tuple[Array, ...], best: Solution[PointT] | None
) -> tuple[Solution[PointT] | None, float]:
    """Look for a minimum along valleys, where damped Newton steps found none.

    Parameters
    ----------
    discrepancy, space
        The problem.
    starts : tuple of ndarray
        Where the searches began.
    best : Solution or None
        The lowest point reached, which is no minimum.

    Returns
    -------
    solution : Solution or None
        The lowest minimum found; `best` where there is none below it.
    other_value : float
        F of a second minimum, from another start, that agrees; nan where only one start led there.
    """
    floor = np.inf if best is None else best.point.value
    found: list[Solution[PointT]] = []
    for solution in _valleys(discrepancy, space, starts if best is None else (best.point.theta, *starts)):
        if solution.point.value > floor + SAME * max(1.0, floor):
            continue  # a minimum, but not of the part that was reached already
        agreeing = [other for other in found if abs(other.point.value - solution.point.value) < SAME * max(1.0, floor)]
        found.append(solution)
        if agreeing:
            break
    if not found:
        return best, float("nan")
    lowest = min(found, key=lambda solution: solution.point.value)
    values = [solution.point.value for solution in found if solution is not lowest]
    agreed = [value for value in values if value - lowest.point.value < SAME * max(1.0, value)]
    return lowest, agreed[0] if agreed else float("nan")


def _valleys(
    discrepancy: Discrepancy[PointT], space: Subspace, starts: tuple[Array, ...]
) -> Iterator[Solution[PointT]]:
    """Yield the minima that valleys lead to, one start after the other, until two end on the same ridge."""
    lost: list[Solution[PointT]] = []
    for start in starts:
        solution = follow_valley(discrepancy, start, space, steps=STEPS)
        if solution is not None and solution.converged:
            yield solution
        elif solution is not None:
            if any(_same_ridge(solution, other) for other in lost):
                break
            lost.append(solution)


def _same_ridge(one: Solution[PointT], other: Solution[PointT]) -> bool:
    """Return whether two searches gave up as low as each other, on the way down the same ridge."""
    gap = abs(one.point.value - other.point.value)
    return not (one.converged or other.converged) and gap < RIDGE * (1.0 + abs(other.point.value))


def lower_minimum(
    discrepancy: Discrepancy[PointT], space: Subspace, start: Array, best: Solution[PointT]
) -> Solution[PointT] | None:
    """Return a lower minimum than `best` that a valley from `start` leads to, or None."""
    found = follow_valley(discrepancy, start, space)
    if found is None or not found.converged:
        return None
    return found if found.point.value < best.point.value - SAME * max(1.0, best.point.value) else None
