"""Refitting a changed model to the same moments, quickly: a model without a minimum is given up early."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, Self

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import SemLoyaltyError
from sem_loyalty.fitting.discrepancies import LEAST_SQUARES, discrepancy_of
from sem_loyalty.fitting.identification import NotIdentified
from sem_loyalty.fitting.ordinal import category_counts
from sem_loyalty.fitting.search import middle_start, pose
from sem_loyalty.fitting.solution import Fit, degrees_of_freedom
from sem_loyalty.fitting.solve import solve
from sem_loyalty.kernel.discrepancy import Discrepancy, PointT
from sem_loyalty.kernel.solver import minimise
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.model.defaults import specify
from sem_loyalty.model.spec import Specification
from sem_loyalty.model.syntax import ModelText, unparse
from sem_loyalty.survey.moments import Moments

Array = NDArray[np.float64]

# A regular minimum takes some twenty evaluations; what needs more than this is a ridge.
EVALUATIONS = 50


@dataclass(slots=True)
class _Limited(Generic[PointT]):
    """A discrepancy that is no longer defined after so many evaluations, which ends a minimisation."""

    whole: Discrepancy[PointT]
    left: int = field(default=EVALUATIONS)

    @property
    def n_observed(self) -> int:
        return self.whole.n_observed

    def evaluate(self, theta: Array) -> PointT | None:
        self.left -= 1
        return self.whole.evaluate(theta) if self.left >= 0 else None

    def gradient(self, point: PointT) -> Array:
        return self.whole.gradient(point)

    def information(self, point: PointT) -> Array:
        return self.whole.information(point)

    def hessian(self, point: PointT) -> Array:
        return self.whole.hessian(point)

    def rescaled(self, scale: Array) -> Self:
        return type(self)(self.whole.rescaled(scale), self.left)


def respecify(
    text: ModelText,
    like: Specification,
    moments: Moments,
    *,
    estimator: str,
    std_lv: bool | None = None,
    orthogonal: bool | None = None,
) -> Specification:
    """Return a changed text completed by the options that completed another model.

    Parameters
    ----------
    text : ModelText
        The changed model.
    like : Specification
        The model whose options are taken over.
    moments : Moments
    estimator : str
        Least squares does not hold covariates at their sample values, except beside ordinal items.
    std_lv, orthogonal : bool, optional
        Instead of the options of `like`.

    Raises
    ------
    SemLoyaltyError
        The changed model contradicts itself.
    """
    return specify(
        unparse(text),
        kind=like.kind,
        std_lv=like.std_lv if std_lv is None else std_lv,
        meanstructure=like.meanstructure and not like.ordered,
        means_available=all(entry.mean is not None for entry in moments.groups),
        fixed_x=like.fixed_x and (bool(like.ordered) or estimator not in LEAST_SQUARES),
        orthogonal=like.orthogonal if orthogonal is None else orthogonal,
        groups=like.groups,
        group_equal=like.group_equal,
        group_partial=like.group_partial,
        ordered=category_counts(moments) if like.ordered else None,
        parameterization=like.parameterization,
    )


def refit(specification: Specification, moments: Moments, estimator: str) -> tuple[Fit | None, str]:
    """Fit a model to moments by the kernel.

    Parameters
    ----------
    specification : Specification
        Its observed variables are among those of the moments.
    moments : Moments
    estimator : str

    Returns
    -------
    fit : Fit or None
        None where there is no minimum within some steps, or the model cannot be fitted.
    reason : str
        Why there is none: a code of the certificate, or the message of an error; "" with a fit.
    """
    with one_thread():
        try:
            plain = not specification.ordered and moments.missing != "fiml" and degrees_of_freedom(specification) >= 0
            if plain and not _has_minimum(specification, moments, estimator):
                return None, "not converged"
            return solve(specification, moments, engine="kernel", estimator=estimator), ""
        except NotIdentified:
            return None, "not identified"
        except SemLoyaltyError as error:
            return None, str(error)


def _has_minimum(specification: Specification, moments: Moments, estimator: str) -> bool:
    """Return whether one of two starts leads to a minimum within some steps; True where a model has no information."""
    discrepancy: Any
    discrepancy, covs, means = discrepancy_of(estimator, specification, moments)
    problem = pose(specification, discrepancy, covs, means)
    for start in (problem.start, middle_start(problem)):
        limited: _Limited[Any] = _Limited(discrepancy)
        found = minimise(limited, start, problem.space)
        if found is not None and found.converged:
            return True
    return False
