"""Gap scores of service quality: perception less expectation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.loyalty.shown import Shown, check_level, check_shares, percent, with_interval
from sem_loyalty.survey.answers import check_columns, numeric_matrix


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class GapScores(Shown):
    """Gaps by dimension.

    Attributes
    ----------
    gaps : DataFrame
        Index "dimension", the last "overall"; columns n, perception, expectation, gap (means), se, ci_lower, ci_upper,
        t, df, pvalue (paired t test of no gap), weight.
    scores : DataFrame
        Gap of every respondent by dimension and overall, with the index of the data; NaN where an answer is missing.
    level : float
        Coverage of the intervals.
    """

    gaps: pd.DataFrame
    scores: pd.DataFrame
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Return `gaps`."""
        return self.gaps.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the gaps by dimension."""
        return (
            Table.from_frame(
                with_interval(self.gaps.drop(columns="df"), "se"),
                id="gaps",
                caption="Gap scores: perception less expectation",
                note=(
                    f"Paired t test of no gap; interval {percent(self.level)}. A negative gap falls short of what "
                    "customers expect. A difference of two answers is less reliable than either."
                ),
                kinds={"interval": "interval"},
                heads={"interval": f"{percent(self.level)} CI"},
            ),
        )


def gap_scores(
    data: pd.DataFrame,
    *,
    perception: Mapping[str, Sequence[str]],
    expectation: Mapping[str, Sequence[str]],
    weights: Mapping[str, float] | None = None,
    level: float = 0.95,
) -> GapScores:
    """Return SERVQUAL gap scores, perception less expectation, by dimension and overall.

    The gap of a dimension is the mean over its items of P − E, by respondent; overall, the weighted mean over
    dimensions.

    Parameters
    ----------
    data : DataFrame
        One row per respondent, perceptions and expectations on the same scale.
    perception, expectation : mapping of dimension to columns
        Items of each dimension, in the same order: the first perception belongs to the first expectation.
    weights : mapping of dimension to float, optional
        Importance of the dimensions, summing to one; by default equal.
    level : float, default 0.95
        Coverage of the intervals.

    Returns
    -------
    GapScores

    Raises
    ------
    ConfigurationError
        Dimensions or numbers of items that differ, a dimension called "overall", or weights that do not sum to one.
    DataError
        Columns that are not there, or fewer than two complete answers.

    References
    ----------
    Parasuraman, A., Zeithaml, V. A., & Berry, L. L. (1985). A conceptual model of service quality and its implications
    for future research. Journal of Marketing, 49(4), 41-50. doi:10.1177/002224298504900403
    """
    check_level(level)
    names = list(perception)
    if not names or set(names) != set(expectation):
        raise ConfigurationError(f"perception has the dimensions {names}, expectation has {list(expectation)}.")
    if "overall" in names:
        raise ConfigurationError("A dimension cannot be called 'overall', the name of the weighted mean.")
    for name in names:
        sides = (perception[name], expectation[name])
        if any(isinstance(side, str) for side in sides) or len(sides[0]) != len(sides[1]) or not len(sides[0]):
            raise ConfigurationError(f"Dimension '{name}': give as many perceptions as expectations, as lists.")
    given = weights if weights is not None else dict.fromkeys(names, 1.0 / len(names))
    if set(given) != set(names):
        raise ConfigurationError(f"weights has the dimensions {list(given)}; there are {names}.")
    shares = {name: float(given[name]) for name in names}
    check_shares("weights", shares)
    check_columns(data, [item for name in names for item in (*perception[name], *expectation[name])])
    seen = np.column_stack([numeric_matrix(data, list(perception[name])).mean(axis=1) for name in names])
    hoped = np.column_stack([numeric_matrix(data, list(expectation[name])).mean(axis=1) for name in names])
    w = np.array([shares[name] for name in names])
    seen = np.column_stack([seen, seen @ w])
    hoped = np.column_stack([hoped, hoped @ w])
    gap = seen - hoped
    rows = []
    for position, name in enumerate([*names, "overall"]):
        complete = ~np.isnan(gap[:, position])
        n = int(complete.sum())
        if n < 2:
            raise DataError(f"Dimension '{name}': {n} complete answers; a gap needs two at least.")
        values = gap[complete, position]
        mean, se, df = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n), n - 1
        t = mean / se if se > 0 else math.nan
        half = float(stdtrit(df, 0.5 + level / 2.0)) * se
        rows.append(
            {
                "dimension": name,
                "n": n,
                "perception": float(seen[complete, position].mean()),
                "expectation": float(hoped[complete, position].mean()),
                "gap": mean,
                "se": se,
                "ci_lower": mean - half,
                "ci_upper": mean + half,
                "t": t,
                "df": df,
                "pvalue": 2.0 * float(stdtr(df, -abs(t))),
                "weight": shares.get(name, 1.0),
            }
        )
    scores = pd.DataFrame(gap, index=data.index, columns=[*names, "overall"])
    return GapScores(pd.DataFrame(rows).set_index("dimension"), scores, level)
