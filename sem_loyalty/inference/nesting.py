"""Whether one model is nested in another, found by fitting and not assumed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.fitting.discrepancies import LIKELIHOOD
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.fitting.solve import solve
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.survey.moments import GroupMoments

Array = NDArray[np.float64]

# F at which a model reproduces the moments that another one implies: rounding of two minimisations.
REPRODUCED = 1e-7


def relation(one: Fit, other: Fit) -> str:
    """Return how two models of the same variables relate.

    Parameters
    ----------
    one, other : Fit
        Fits by maximum likelihood.

    Returns
    -------
    {"equivalent", "nested", "nests", "overlapping"}
        "nested": `one` is nested in `other`; "nests": the other way round; "equivalent": each reproduces whatever the
        other implies, so that no data can tell them apart; "overlapping": neither is nested in the other.

    Raises
    ------
    NotSupported
        Ordinal items or least squares.
    ConfigurationError
        Different variables or groups, or only one model has means.

    Notes
    -----
    A model is nested in another that has at least as many parameters and reproduces its implied moments exactly
    (Bentler and Satorra 2010, doi:10.1037/a0019625). The check is made at the estimates; models that touch there by
    accident alone are taken for nested.
    """
    for fit in (one, other):
        if fit.estimator not in LIKELIHOOD or fit.specification.ordered:
            raise NotSupported(
                f"Nesting is checked for maximum likelihood; this model was fitted by {fit.estimator}. Available: "
                "'ML', 'MLM', 'MLMV', 'MLR'."
            )
    if set(one.specification.observed) != set(other.specification.observed):
        raise ConfigurationError("The models have different observed variables, so neither is nested in the other.")
    if len(one.specification.groups) != len(other.specification.groups):
        raise ConfigurationError("The models have different groups, so neither is nested in the other.")
    if one.specification.meanstructure != other.specification.meanstructure:
        raise ConfigurationError("Only one of the models has means; set meanstructure=True for both.")
    within = one.df >= other.df and reproduces(other, one)
    around = other.df >= one.df and reproduces(one, other)
    if within and around:
        return "equivalent"
    if within:
        return "nested"
    return "nests" if around else "overlapping"


def reproduces(wide: Fit, narrow: Fit) -> bool:
    """Return whether the first model can imply the moments that the second one implies at its estimates."""
    order = [narrow.specification.observed.index(name) for name in wide.moments.names]
    groups = []
    for entry, at in zip(narrow.moments.groups, narrow.point.implied, strict=True):
        mean = np.asarray(at.mean)[order] if narrow.specification.meanstructure else None
        groups.append(GroupMoments(entry.label, entry.n, np.ascontiguousarray(at.cov[np.ix_(order, order)]), mean))
    moments = replace(wide.moments, groups=tuple(groups), missing="none", raw=None, n_collected=narrow.moments.n)
    with one_thread():
        return solve(wide.specification, moments, engine="kernel").value < REPRODUCED
