"""One way down to a minimum: the solver alone, or with missing answers by way of the moments of the saturated model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel import solver
from sem_loyalty.kernel.curvature import Curvature, curvature_of
from sem_loyalty.kernel.discrepancy import Discrepancy
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.likelihood import Likelihood
from sem_loyalty.kernel.quasi_newton import DECREMENT_TOLERANCE, refine
from sem_loyalty.kernel.solver import Solution, Subspace

Array = NDArray[np.float64]

# The Newton decrement at which the two-stage estimates are near enough to go on from.
NEAR_TWO_STAGE = 0.01
# How far from the two-stage estimates a separate descent begins, in standard errors of one respondent.
ASIDE = 0.05
# The Newton decrement that such a descent ends with: it is wanted for F only, of which this is the square root.
NEAR_ENOUGH = 1e-5


def minimise(
    discrepancy: Discrepancy[Any], start: Array, space: Subspace, *, aside: bool = False, known: Curvature | None = None
) -> Solution[Any] | None:
    """Minimise a discrepancy from `start`.

    With missing answers the model is first fitted to the moments of the saturated model (two-stage estimates, Yuan and
    Bentler 2000, doi:10.1111/0081-1750.00078): these are near, and cost a fraction. From there the full likelihood
    takes a few steps with one matrix of curvature, the one that is known if there is one. Where either part fails, it
    is minimised from `start` itself.

    Parameters
    ----------
    discrepancy, start, space
        As `kernel.solver.minimise`.
    aside : bool, default False
        A separate descent, wanted for F only: end it where F is known to rounding. With missing answers, begin the
        second part away from the two-stage estimates, so that the way down is not the one taken otherwise.
    known : Curvature, optional
        As `kernel.solver.minimise`.
    """
    if isinstance(discrepancy, Incomplete) and space.restrictions is None:
        complete = Likelihood(discrepancy.blocks, discrepancy.samples)
        first = solver.approach(complete, start, space, NEAR_TWO_STAGE)
        if first is not None and first.converged:
            begin = first.point.theta
            if aside:
                information = space.reduce_matrix(complete.information(first.point))
                begin = begin + space.expand(ASIDE * _alternating(len(information)) / np.sqrt(np.diagonal(information)))
            found = refine(discrepancy, begin, space, NEAR_ENOUGH if aside else DECREMENT_TOLERANCE, known)
            if found is not None:
                # Standard errors need the second derivative at the minimum; a second descent finds it known.
                there = None if aside else curvature_of(space.reduce_matrix(discrepancy.hessian(found.point)))
                iterations = first.iterations + found.iterations
                return Solution(found.point, iterations, True, found.decrement, there)
    if isinstance(discrepancy, Incomplete) and space.restrictions is not None:
        near = solver.minimise(Likelihood(discrepancy.blocks, discrepancy.samples), start, space)
        start = near.point.theta if near is not None and near.converged else start
    return solver.minimise(discrepancy, start, space, exact=not aside, known=known)


def _alternating(size: int) -> Array:
    """Return a fixed pattern of signs and sizes."""
    return np.resize(np.array([1.0, -0.7, 0.4, -1.0, 0.8]), size)
