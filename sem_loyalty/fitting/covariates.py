"""Ordinal items and continuous responses given observed covariates, and what keeps their regressions from existing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import DataError
from sem_loyalty.kernel.conditional import ConditionalStatistics, conditional_statistics
from sem_loyalty.kernel.ordinal import OrdinalStatistics
from sem_loyalty.kernel.probit import covariates

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def statistics_given(
    codes: Index, answers: Array, continuous: NDArray[np.bool_], names: Sequence[str], where: str
) -> ConditionalStatistics:
    """Return the statistics of responses given covariates.

    Parameters
    ----------
    codes : ndarray of int, shape (n, o)
        Categories of the ordinal items, -1 where an answer is missing.
    answers : ndarray, shape (n, p + x)
        All variables, the covariates last and complete.
    continuous : ndarray of bool, shape (p,)
        Which responses are continuous.
    names : sequence of str, length p + x
    where : str
        " in group ..." for messages; "" where there is one.

    Raises
    ------
    DataError
        Covariates that determine each other, or the answers to an item.
    """
    p = len(continuous)
    listed = ", ".join(names[p:])
    given = covariates(answers[:, p:])
    if given is None:
        raise DataError(
            f"The covariates {listed} determine each other{where}, so that their effects cannot be told apart. Drop "
            "one of them; of dummies for all categories of a variable, leave out one."
        )
    sample = conditional_statistics(codes, answers[:, :p][:, continuous], continuous, given)
    spread = np.diagonal(sample.covariance)
    ends = np.cumsum([1 if varies else len(cuts) for cuts, varies in zip(sample.thresholds, continuous, strict=True)])
    lost = [name for name, end in zip(names, ends, strict=False) if not np.isfinite(spread[end - 1])]
    if lost:
        raise DataError(
            f"The covariates {listed} determine answers to {', '.join(lost)}{where}: a category occurs on one side of "
            "them only, so that no finite effect fits best. Join the category with a neighbouring one, or leave out "
            "the item or a covariate."
        )
    return sample


def total_moments(sample: OrdinalStatistics) -> tuple[Array, Array]:
    """Return covariances (correlations, of items) and means of all variables, from which start values come."""
    if isinstance(sample, ConditionalStatistics):
        return sample.total_cov, sample.total_mean
    return sample.correlation, sample.mean
