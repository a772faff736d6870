"""Levels of loyalty, and the typology of attitude by behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Column, Table
from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.loyalty.proportions import wilson
from sem_loyalty.loyalty.shown import Shown, check_level, percent
from sem_loyalty.survey.answers import numeric_matrix

Array = NDArray[np.float64]
TYPES = {
    (True, True): "true loyalty",
    (True, False): "latent loyalty",
    (False, True): "spurious loyalty",
    (False, False): "no loyalty",
}
LEVELS = ("low", "medium", "high")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Classes(Shown):
    """Respondents in classes by stated cuts.

    Attributes
    ----------
    members : Series
        Class of every respondent; missing where a score is.
    shares : DataFrame
        Index "class"; columns n, share, ci_lower, ci_upper (Wilson) and the mean of every score.
    cuts : dict of str to tuple of float
        Where each score is cut; a value at the cut belongs to the upper side.
    rule : str
        How the cuts were found.
    caption : str
    level : float
        Coverage of the intervals.
    """

    members: pd.Series
    shares: pd.DataFrame
    cuts: dict[str, tuple[float, ...]]
    rule: str
    caption: str
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Return `shares`."""
        return self.shares.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the shares of the classes."""
        scores = [str(name) for name in self.shares.columns if name not in ("n", "share", "ci_lower", "ci_upper")]
        columns = (
            Column("class", "Class"),
            Column("n", "n", "int"),
            Column("share", "Share", "number", 3, bounded=True),
            Column("interval", f"{percent(self.level)} CI", "interval", 3, bounded=True),
            *(Column(name, name, "number", 2) for name in scores),
        )
        rows: list[dict[str, object]] = []
        for name, row in self.shares.iterrows():
            kept: dict[str, object] = {"class": name, "n": int(row["n"]), "share": row["share"]}
            kept |= {"interval": (row["ci_lower"], row["ci_upper"]), **{key: row[key] for key in scores}}
            rows.append(kept)
        shown = "; ".join(f"{name} at {', '.join(f'{c:.4g}' for c in cuts)}" for name, cuts in self.cuts.items())
        note = f"Cut {self.rule}: {shown}; a value at a cut counts as above it. Interval: Wilson."
        return (Table("loyalty-classes", self.caption, columns, tuple(rows), note),)


def loyalty_levels(
    data: pd.DataFrame, score: str, *, cuts: Sequence[float] | None = None, level: float = 0.95
) -> Classes:
    """Divide respondents into low, medium and high loyalty.

    Parameters
    ----------
    data : DataFrame
        One row per respondent, for instance the scores of `loyalty_scores`.
    score : str
        Column.
    cuts : sequence of two floats, optional
        Where medium and high begin; by default at the terciles of the scores, which makes the classes about equal and
        says nothing about how loyal they are: give cuts on the scale, such as (40, 70), to compare samples.
    level : float, default 0.95
        Coverage of Wilson's intervals.

    Returns
    -------
    Classes

    Raises
    ------
    ConfigurationError
        Cuts that do not ascend.
    DataError
        Fewer than three scores, or terciles that coincide.
    """
    check_level(level)
    values = numeric_matrix(data, [score], what="Score")
    given = values[~np.isnan(values[:, 0]), 0]
    if len(given) < 3:
        raise DataError(f"'{score}': {len(given)} scores are too few for three levels.")
    found = np.quantile(given, [1 / 3, 2 / 3]).tolist() if cuts is None else [float(cut) for cut in cuts]
    if len(found) != 2 or not found[0] < found[1]:
        if cuts is None:
            raise DataError(f"'{score}': the terciles coincide at {found[0]:g}; give `cuts`.")
        raise ConfigurationError(f"cuts={cuts!r} must be two numbers, the lower first.")
    place = np.searchsorted(np.array(found), values[:, 0], side="right")
    names = np.array(LEVELS, dtype=object)[np.minimum(place, 2)]
    rule = "at the terciles" if cuts is None else "as given"
    return _classes(data, [score], names, values, LEVELS, {score: tuple(found)}, rule, "Levels of loyalty", level)


def typology(
    data: pd.DataFrame,
    attitude: str,
    behaviour: str,
    *,
    cuts: tuple[float, float] | None = None,
    level: float = 0.95,
) -> Classes:
    """Divide respondents into true, latent, spurious and no loyalty, by attitude and behaviour.

    High attitude with high repeat patronage is true loyalty; high attitude alone is latent, high patronage alone
    spurious (habit, few alternatives, costs of switching), neither is no loyalty (Dick & Basu 1994).

    Parameters
    ----------
    data : DataFrame
        One row per respondent, for instance that of `join_behaviour`.
    attitude, behaviour : str
        Columns, such as a loyalty score and the number of purchases.
    cuts : (float, float), optional
        Where high attitude and high behaviour begin; by default at the medians of those with both, which compares
        respondents with each other.
    level : float, default 0.95
        Coverage of Wilson's intervals.

    Returns
    -------
    Classes

    Raises
    ------
    DataError
        Nobody with both scores, or everybody on one side of a cut.

    References
    ----------
    Dick, A. S., & Basu, K. (1994). Customer loyalty: Toward an integrated conceptual framework. Journal of the Academy
    of Marketing Science, 22, 99-113. doi:10.1177/0092070394222001
    """
    check_level(level)
    values = numeric_matrix(data, [attitude, behaviour], what="Score")
    both = values[~np.isnan(values).any(axis=1)]
    if not len(both):
        raise DataError(f"Nobody has both '{attitude}' and '{behaviour}'.")
    limit = np.median(both, axis=0) if cuts is None else np.array(cuts, dtype=np.float64)
    high = values >= limit
    for position, name in enumerate((attitude, behaviour)):
        above = int((both[:, position] >= limit[position]).sum())
        if above in (0, len(both)):
            raise DataError(
                f"'{name}': {'everybody' if above else 'nobody'} is at or above {limit[position]:g}; give other `cuts`."
            )
    names = np.array([TYPES[bool(a), bool(b)] for a, b in high], dtype=object)
    rule = "at the medians" if cuts is None else "as given"
    where: dict[str, tuple[float, ...]] = {attitude: (float(limit[0]),), behaviour: (float(limit[1]),)}
    caption = "Loyalty by attitude and behaviour"
    return _classes(data, [attitude, behaviour], names, values, tuple(TYPES.values()), where, rule, caption, level)


def _classes(
    data: pd.DataFrame,
    scores: Sequence[str],
    names: NDArray[np.object_],
    values: Array,
    order: Sequence[str],
    cuts: dict[str, tuple[float, ...]],
    rule: str,
    caption: str,
    level: float,
) -> Classes:
    known = np.asarray(~np.isnan(values).any(axis=1))
    total = int(known.sum())
    rows = []
    for name in order:
        inside = known & (names == name)
        n = int(inside.sum())
        lower, upper = wilson(n, total, level=level)
        means = values[inside].mean(axis=0).tolist() if n else [float("nan")] * len(scores)
        shares = {"class": name, "n": n, "share": n / total, "ci_lower": lower, "ci_upper": upper}
        rows.append(shares | dict(zip(scores, means, strict=True)))
    members = pd.Series(names, index=data.index, name="class").where(known, None)
    return Classes(members, pd.DataFrame(rows).set_index("class"), cuts, rule, caption, level)
