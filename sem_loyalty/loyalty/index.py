"""The customer loyalty index: satisfaction × retention × recommendation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.loyalty.shown import Shown, check_level, percent, with_interval
from sem_loyalty.survey.answers import numeric_matrix

Array = NDArray[np.float64]
PARTS = ("satisfaction", "retention", "recommendation")
# Sources agree on the three parts and differ in how the product is brought to a scale.
DEFINITIONS = {
    "product": "product of the three shares, times 100: 0 to 100, the index of this package",
    "product_over_100": "product of the three percentages over 100, as some texts print it: 0 to 10,000",
    "geometric_mean": "cube root of the product: 0 to 100, in the unit of the parts",
    "mean": "arithmetic mean of the three percentages: 0 to 100, one weak part can be made up for",
}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class LoyaltyIndex(Shown):
    """The customer loyalty index with its parts.

    Attributes
    ----------
    parts : DataFrame
        Index "part" (with groups: "group", "part"); columns n, value (0 to 100), se, scale, share_of_loss (how much
        of −ln(index) the part accounts for: where the index is lost).
    definitions : DataFrame
        Index "definition" (with groups: "group", "definition"); columns value, ci_lower, ci_upper, meaning. The
        intervals are NaN where only numbers were given.
    level : float
        Coverage of the intervals.
    """

    parts: pd.DataFrame
    definitions: pd.DataFrame
    level: float

    @property
    def index(self) -> float:
        """The index, 0 to 100; that of the first group where there are several."""
        return float(self.to_frame()["value"].iloc[0])

    def to_frame(self) -> pd.DataFrame:
        """Return the index, one row a group: value, ci_lower, ci_upper."""
        wanted = self.definitions.index.get_level_values("definition") == "product"
        return self.definitions.loc[wanted, ["value", "ci_lower", "ci_upper"]]

    def tables(self) -> tuple[Table, ...]:
        """Return the index by definition, and its parts."""
        note = (
            f"Intervals: {percent(self.level)}, delta method on the logarithm of the product of means. "
            "Compare indices only within one definition."
        )
        first = Table.from_frame(
            with_interval(self.definitions, "value"),
            id="loyalty-index",
            caption="Customer loyalty index",
            note=note,
            kinds={"interval": "interval"},
            heads={"interval": f"{percent(self.level)} CI"},
            digits=2,
        )
        second = Table.from_frame(
            self.parts,
            id="loyalty-index-parts",
            caption="Parts of the customer loyalty index, 0 to 100",
            note="share_of_loss: part of −ln(index/100) that this part accounts for.",
            digits=2,
        )
        return first, second


def loyalty_index(
    data: pd.DataFrame | None = None,
    *,
    satisfaction: float | str | Sequence[str],
    retention: float | str | Sequence[str],
    recommendation: float | str | Sequence[str],
    scales: Mapping[str, tuple[float, float]] | None = None,
    group: str | None = None,
    level: float = 0.95,
) -> LoyaltyIndex:
    """Return the customer loyalty index, satisfaction × retention × recommendation on 0 to 100.

    Each part is a percentage: a number given as one, or the mean of a column (or of several, averaged by respondent)
    moved linearly from its scale to 0 to 100. The index is 100 · (s/100)(r/100)(c/100) of the three means.

    Parameters
    ----------
    data : DataFrame, optional
        One row per respondent; needed where a part is a column. Rows with a missing answer in a part that is used
        are left out.
    satisfaction, retention, recommendation : float, str or sequence of str
        A percentage from 0 to 100, or the column or columns that measure it. Retention is usually a column of 0 and
        1, or the percentage from `retention_rate`.
    scales : mapping of str to (float, float), optional
        Lowest and highest possible answer by part, needed for every part that is a column: answers do not say what
        could have been answered.
    group : str, optional
        Column of `data`: one index a group.
    level : float, default 0.95
        Coverage of the intervals, which treat parts given as numbers as known.

    Returns
    -------
    LoyaltyIndex
        The other definitions in use stand beside it, each by name.

    Raises
    ------
    ConfigurationError
        A part without a scale, a percentage outside 0 to 100, or an unknown part in `scales`.
    DataError
        Columns that are not in the data, or answers outside their scale.

    Notes
    -----
    The interval is by the delta method: Var(ln I) = g' S g / n with S the covariance matrix of the parts over
    respondents and g one over each mean. It is exact for no sample but keeps the index within 0 and 100. The mean of
    the respondents' own products differs from the product of means by the covariance of the parts.

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> round(sl.loyalty_index(satisfaction=80, retention=90, recommendation=70).index, 1)
    50.4
    """
    check_level(level)
    given = dict(zip(PARTS, (satisfaction, retention, recommendation), strict=True))
    scales = dict(scales or {})
    unknown = [name for name in scales if name not in PARTS]
    if unknown:
        raise ConfigurationError(f"scales names {unknown}; the parts are {', '.join(PARTS)}.")
    fixed = {name: _percentage(name, value) for name, value in given.items() if isinstance(value, int | float)}
    measured = {name: _columns(name, value) for name, value in given.items() if name not in fixed}
    if measured and data is None:
        raise ConfigurationError(f"{', '.join(measured)}: names of columns need `data`.")
    if group is not None and not measured:
        raise ConfigurationError("group needs a part that is a column of `data`.")
    shares = _shares(data, measured, scales) if data is not None and measured else np.empty((0, 0))
    labels: list[tuple[str, NDArray[np.bool_]]] = [("", np.ones(len(shares), dtype=bool))]
    if group is not None and data is not None:
        if group not in data:
            raise DataError(f"group={group!r} is not a column of the data.")
        values = data[group]
        labels = [(str(value), (values == value).to_numpy(dtype=bool)) for value in values.dropna().unique()]
    parts, definitions = [], []
    for label, rows in labels:
        found, table = _one_index(shares[rows], list(measured), fixed, scales, level, label)
        parts.append(found.assign(group=label))
        definitions.append(table.assign(group=label))
    keys = ["group"] if group is not None else []
    return LoyaltyIndex(
        parts=_indexed(pd.concat(parts), keys, "part"),
        definitions=_indexed(pd.concat(definitions), keys, "definition"),
        level=level,
    )


def _indexed(frame: pd.DataFrame, keys: list[str], name: str) -> pd.DataFrame:
    kept = frame if keys else frame.drop(columns="group")
    out = kept.set_index([*keys, name])
    return out if keys else out.set_axis(pd.MultiIndex.from_arrays([out.index], names=[name]))


def _percentage(name: str, value: float) -> float:
    if isinstance(value, bool) or not 0.0 <= float(value) <= 100.0:
        raise ConfigurationError(f"{name}={value!r} is not a percentage from 0 to 100.")
    return float(value)


def _columns(name: str, value: object) -> tuple[str, ...]:
    columns = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Sequence) else ()
    if not columns or not all(isinstance(column, str) for column in columns):
        raise ConfigurationError(f"{name}={value!r} must be a percentage, a column or a list of columns.")
    return tuple(str(column) for column in columns)


def _shares(
    data: pd.DataFrame, measured: Mapping[str, Sequence[str]], scales: Mapping[str, tuple[float, float]]
) -> Array:
    """Return the measured parts of every respondent on 0 to 1, shape (n, parts)."""
    out = np.empty((len(data), len(measured)))
    for position, (name, columns) in enumerate(measured.items()):
        if name not in scales:
            raise ConfigurationError(
                f"{name} is measured by {', '.join(columns)}: say its lowest and highest possible answer, "
                f"scales={{'{name}': (1, 7)}}."
            )
        out[:, position] = rescaled(numeric_matrix(data, columns), columns, scales[name]).mean(axis=1)
    return out


def rescaled(answers: Array, names: Sequence[str], scale: tuple[float, float]) -> Array:
    """Return answers moved linearly from their scale to 0 to 1.

    Parameters
    ----------
    answers : ndarray, shape (n, p)
        NaN where missing.
    names : sequence of str, length p
        For messages.
    scale : (float, float)
        Lowest and highest possible answer.

    Raises
    ------
    ConfigurationError
        The scale has no width.
    DataError
        An answer lies outside the scale.
    """
    low, high = float(scale[0]), float(scale[1])
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ConfigurationError(f"scale={scale!r} must be the lowest and the highest possible answer.")
    for position, name in enumerate(names):
        column = answers[:, position]
        outside = column[(column < low) | (column > high)]
        if outside.size:
            raise DataError(
                f"'{name}': {outside.size} answers outside the scale {low:g} to {high:g}, the first {outside[0]:g}. "
                "Correct the scale, or set these answers to missing."
            )
    return np.asarray((answers - low) / (high - low))


def _one_index(
    shares: Array,
    measured: Sequence[str],
    fixed: Mapping[str, float],
    scales: Mapping[str, tuple[float, float]],
    level: float,
    label: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return parts and definitions of one group."""
    complete = shares[~np.isnan(shares).any(axis=1)] if len(measured) else shares
    n = len(complete)
    if measured and n < 2:
        raise DataError(f"{f'Group {label}: ' if label else ''}{n} complete answers; an index needs two at least.")
    mean = dict(fixed) | {name: 100.0 * float(complete[:, k].mean()) for k, name in enumerate(measured)}
    cov = np.atleast_2d(np.cov(complete, rowvar=False)) * 1e4 if measured else np.empty((0, 0))
    se = {name: math.sqrt(cov[k, k] / n) for k, name in enumerate(measured)}
    lost = {name: -math.log(mean[name] / 100.0) if mean[name] > 0 else math.inf for name in PARTS}
    total = math.fsum(value for value in lost.values())
    rows = [
        {
            "part": name,
            "n": n if name in measured else None,
            "value": mean[name],
            "se": se.get(name, math.nan),
            "scale": f"{scales[name][0]:g} to {scales[name][1]:g}" if name in measured else "given as a percentage",
            "share_of_loss": lost[name] / total if 0 < total < math.inf else math.nan,
        }
        for name in PARTS
    ]
    product = math.prod(mean[name] / 100.0 for name in PARTS)
    values = {
        "product": 100.0 * product,
        "product_over_100": 1e4 * product,
        "geometric_mean": 100.0 * product ** (1.0 / 3.0),
        "mean": math.fsum(mean[name] for name in PARTS) / 3.0,
    }
    z = float(ndtri(0.5 + level / 2.0))
    spread = linear = math.nan
    if measured:
        gradient = np.array([1.0 / mean[name] if mean[name] > 0 else math.nan for name in measured])
        spread = z * math.sqrt(float(gradient @ cov @ gradient) / n)
        linear = z * math.sqrt(float(cov.sum()) / n) / 3.0
    power = {"product": 1.0, "product_over_100": 1.0, "geometric_mean": 1.0 / 3.0}
    top = {"product": 100.0, "product_over_100": 1e4, "geometric_mean": 100.0}
    table = []
    for name, value in values.items():
        if name == "mean":
            lower, upper = max(0.0, value - linear), min(100.0, value + linear)
        else:
            lower = value * math.exp(-power[name] * spread)
            upper = min(top[name], value * math.exp(power[name] * spread))
        if not measured:
            lower = upper = math.nan
        table.append(
            {"definition": name, "value": value, "ci_lower": lower, "ci_upper": upper, "meaning": DEFINITIONS[name]}
        )
    return pd.DataFrame(rows), pd.DataFrame(table)
