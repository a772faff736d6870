"""Draws by fitting every resample on its own: missing answers kept, least squares, ordinal items."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.errors import DataError, SemLoyaltyWarning, SpecificationError
from sem_loyalty.fitting.discrepancies import Minimised
from sem_loyalty.fitting.ordinal import ordinal_moments
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.fitting.solve import discrepancy_for, solve
from sem_loyalty.inference.resampling import Drawn
from sem_loyalty.inference.standardise import row_values, standardised_values
from sem_loyalty.inference.uncertainty import answers
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy
from sem_loyalty.kernel.resample import counts, stream
from sem_loyalty.kernel.solver import minimise
from sem_loyalty.model.scatter import subspace
from sem_loyalty.survey.moments import Moments
from sem_loyalty.survey.sample import moments_from_data

Array = NDArray[np.float64]

# Draws of a block: what a progress bar counts in, and what an interruption loses.
BLOCK = 20
_GROUP = " group "  # no name of an item: theirs have no blanks around them


@dataclass(frozen=True, slots=True)
class RefitPlan:
    """All that a block of draws is computed from.

    Attributes
    ----------
    fit : Fit
        The full-sample fit, whose estimates every draw starts from.
    seed : int
    lanes : int
        Draws of a block.
    """

    fit: Fit
    seed: int
    lanes: int = BLOCK

    def draw(self, block: int) -> Drawn:
        """Draw and fit one block of resamples."""
        rows = answers(self.fit)
        weights = [counts(stream(self.seed, block, g), len(one), self.lanes) for g, one in enumerate(rows)]
        table = len(self.fit.specification.parameters)
        values = np.full((3, table, self.lanes), np.nan)
        converged, single = np.zeros(self.lanes, dtype=bool), np.zeros(self.lanes, dtype=bool)
        for lane in range(self.lanes):
            resample = [
                np.repeat(one, weight[lane].astype(np.intp), axis=0) for one, weight in zip(rows, weights, strict=True)
            ]
            found, single[lane] = refitted(self.fit, resample)
            if found is not None:
                values[:, :, lane] = solutions(found)
                converged[lane] = True
        return Drawn(values=values, fit=np.full(self.lanes, np.nan), converged=converged, single=single)


def solutions(fit: Fit) -> Array:
    """Return the rows of the table, raw, std_lv and std_all, shape (3, rows)."""
    raw = row_values(fit)
    return np.stack([raw, *(standardised_values(fit, raw, observed=observed) for observed in (False, True))])


def refitted(fit: Fit, rows: list[Array]) -> tuple[Fit | None, bool]:
    """Return the fit to a resample, None where there is none, and whether the search had to begin anew.

    A resample without a usable moment (an item that does not vary, a category that nobody chose) has no fit.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SemLoyaltyWarning)
        try:
            moments = _moments(fit, rows)
            # The space of a restricted fit is tangent to its restrictions at the full sample's estimates only.
            if subspace(fit.specification).restrictions is None:
                discrepancy, start = _posed(fit, moments)
                problem: Any = discrepancy
                found = minimise(problem, start, fit.space)
                if found is not None and found.converged:
                    moved = replace(
                        fit, moments=moments, discrepancy=discrepancy, point=found.point, theta=found.point.theta
                    )
                    return moved, False
            again = solve(fit.specification, moments, engine="kernel", estimator=fit.estimator)
        except (DataError, SpecificationError):
            return None, True
    failed = any(problem.code == "not converged" for problem in again.certificate.problems)
    return (None if failed else again), True


def _moments(fit: Fit, rows: list[Array]) -> Moments:
    """Return the moments of a resample."""
    names = fit.specification.observed
    frame = pd.DataFrame(np.concatenate(rows), columns=list(names))
    group = None
    if len(rows) > 1:
        group = _GROUP
        frame[_GROUP] = np.repeat([entry.label for entry in fit.moments.groups], [len(one) for one in rows])
    if fit.specification.ordered:
        ordered, given, missing = fit.specification.ordered, fit.specification.exogenous, fit.moments.missing
        return ordinal_moments(frame, names, ordered, group=group, missing=missing, given=given)
    return moments_from_data(frame, names, group=group, missing=fit.moments.missing)


def _posed(fit: Fit, moments: Moments) -> tuple[Minimised, Array]:
    """Return what is minimised for a resample, and the start: the full sample's estimates."""
    discrepancy = discrepancy_for(fit.specification, moments, fit.estimator)[0]
    if not isinstance(discrepancy, OrdinalDiscrepancy) or not discrepancy.separable or fit.space.constrained:
        return discrepancy, fit.theta
    start = fit.theta.copy()
    for model, statistics in zip(discrepancy.models, discrepancy.statistics, strict=True):
        start[model.cut_parameter] = statistics[: model.n_cuts]
    return discrepancy, start
