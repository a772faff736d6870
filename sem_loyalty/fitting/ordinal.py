"""Ordinal items on the way to a fit: which they are, their statistics, and the discrepancy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError, DataError, NotSupported, check_choice
from sem_loyalty.fitting.search import Problem
from sem_loyalty.kernel.likelihood import Point
from sem_loyalty.kernel.ordinal import LARGEST, ordinal_statistics
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy, make_weight
from sem_loyalty.kernel.ram import Block
from sem_loyalty.model.spec import Specification
from sem_loyalty.survey.moments import GroupMoments, Moments
from sem_loyalty.survey.sample import moments_from_data

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

# The weight of every estimator; those with MV have standard errors and tests that hold whatever the weight.
WEIGHTS = {"WLSMV": "DWLS", "ULSMV": "ULS", "DWLS": "DWLS", "ULS": "ULS", "WLS": "WLS"}
ROBUST = ("WLSMV", "ULSMV")
# More categories than this are a continuous variable by mistake: tables would be empty almost everywhere.
MOST_CATEGORIES = 25


def is_ordinal(ordered: object) -> bool:
    """Return whether the argument `ordered` of `fit` asks for ordinal items."""
    return ordered is not None and ordered is not False and not (isinstance(ordered, (list, tuple)) and not ordered)


def check_ordered(ordered: Any, observed: Sequence[str], estimator: str, *, group: str | None, matrix: bool) -> None:
    """Raise where the items named, the estimator or the data cannot be had with ordinal items.

    Parameters
    ----------
    ordered : bool, str or sequence of str
        True, or the ordinal items.
    observed : sequence of str
        Observed variables of the model.
    estimator : str
    group : str or None
        Grouping column.
    matrix : bool
        Whether the data are a covariance matrix.

    Raises
    ------
    ConfigurationError
        An item is not in the model.
    NotSupported
        Only some items are ordinal, there are groups, a matrix as input, or another estimator.
    """
    if ordered is not True:
        named = (ordered,) if isinstance(ordered, str) else tuple(ordered)
        for name in named:
            check_choice("ordered", name, tuple(observed))
        rest = [name for name in observed if name not in named]
        if rest:
            raise NotSupported(
                "Ordinal and continuous variables in one model are not supported; not in `ordered`: "
                f"{', '.join(rest)}. Available: ordered=True, which takes every item as ordinal, or no `ordered`."
            )
    if estimator not in WEIGHTS:
        listed = ", ".join(repr(name) for name in WEIGHTS)
        raise NotSupported(f"estimator={estimator!r} is not for ordinal items; available with `ordered`: {listed}.")
    if group is not None:
        raise NotSupported("Ordinal items in several groups are not supported; available: one group, or no `ordered`.")
    if matrix:
        raise NotSupported("Ordinal items need the answers: give `data` instead of `sample_cov`.")


def ordinal_moments(data: pd.DataFrame | Mapping[str, Any], names: Sequence[str], missing: str) -> Moments:
    """Return thresholds and polychoric correlations of complete rows, as the moments that are fitted.

    Parameters
    ----------
    data : DataFrame or mapping of columns
    names : sequence of str
        Items. Their categories are the distinct answers, in numerical order.
    missing : {"listwise"}

    Raises
    ------
    DataError
        An item has too many distinct answers to be ordinal, or two items determine each other.
    """
    moments = moments_from_data(data, names, missing=missing)
    rows = moments.raw[0] if moments.raw else np.zeros((0, len(names)))
    codes = np.zeros(rows.shape, dtype=np.intp)
    for j, name in enumerate(names):
        levels, codes[:, j] = np.unique(rows[:, j], return_inverse=True)
        if len(levels) > MOST_CATEGORIES:
            raise DataError(
                f"{name!r} has {len(levels)} distinct answers, too many for an ordinal item (at most "
                f"{MOST_CATEGORIES}). Leave out `ordered` to treat the items as continuous."
            )
    found = ordinal_statistics(codes)
    first, second = np.triu_indices(len(names), 1)
    edge = np.flatnonzero(np.abs(found.correlation[first, second]) >= LARGEST - 1e-9)
    if len(edge):
        pairs = ", ".join(f"{names[first[k]]} and {names[second[k]]}" for k in edge[:5])
        raise DataError(
            f"No polychoric correlation short of one for {pairs}: the answers to one item determine those to the "
            "other. Drop one of them, or join categories that few respondents chose."
        )
    return replace(
        moments,
        groups=(GroupMoments(label="", n=found.n, cov=found.correlation, mean=None),),
        ordinal=found,
    )


def category_counts(moments: Moments) -> dict[str, int]:
    """Return the number of categories of every item."""
    if moments.ordinal is None:
        return {}
    return {name: len(cuts) + 1 for name, cuts in zip(moments.names, moments.ordinal.thresholds, strict=True)}


def ordinal_discrepancy(
    specification: Specification, moments: Moments, block: Block, estimator: str
) -> OrdinalDiscrepancy:
    """Return what is minimised.

    Raises
    ------
    DataError
        WLS, and too few respondents for its weight matrix.
    """
    if moments.ordinal is None or specification.observed != moments.names:
        raise ConfigurationError("A model of ordinal items needs the answers; give `data` and ordered=True.")
    counts = {name: sum(r.op == "|" and r.lhs == name for r in specification.parameters) for name in moments.names}
    differs = [name for name, many in category_counts(moments).items() if counts[name] != many - 1]
    if differs:
        raise DataError(f"The number of categories differs between the model and the data: {', '.join(differs)}.")
    sample = moments.ordinal
    size = len(sample.covariance)
    weight = make_weight(sample, WEIGHTS[estimator]) if estimator != "WLS" or sample.n > size else None
    if weight is None:
        raise DataError(
            f"estimator='WLS' inverts the covariance matrix of {size} thresholds and correlations, which {sample.n} "
            "respondents do not determine. Use estimator='WLSMV'."
        )
    by_item = {(row.lhs, row.rhs): row.free for row in specification.parameters if row.op == "|"}
    positions = [
        by_item[name, f"t{number}"]
        for name, cuts in zip(moments.names, sample.thresholds, strict=True)
        for number in range(1, len(cuts) + 1)
    ]
    return OrdinalDiscrepancy(
        block=block,
        statistics=sample.statistics,
        weight=weight,
        threshold_parameter=np.array(positions, dtype=np.intp),
        units=np.ones(len(moments.names)),
        pairs=np.triu_indices(len(moments.names), 1),
    )


def with_thresholds(problem: Problem[Point], discrepancy: OrdinalDiscrepancy) -> Problem[Point]:
    """Return the problem with thresholds that start at the sample's."""

    def at_sample(theta: Array) -> Array:
        moved = theta.copy()
        moved[discrepancy.threshold_parameter] = discrepancy.statistics[: len(discrepancy.threshold_parameter)]
        return moved

    return replace(
        problem,
        start=at_sample(problem.start),
        plain_start=at_sample(problem.plain_start),
        crude_starts=tuple(at_sample(theta) for theta in problem.crude_starts),
    )
