"""From continuous responses to answers: categories, and answers that are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from sem_loyalty.design.draws import Draws
from sem_loyalty.errors import ConfigurationError, DataError, nearest

Array = NDArray[np.float64]
# Cuts of equally wide categories span four standard deviations, as survey answers mostly do.
_SPAN = 2.0


@dataclass(frozen=True, slots=True)
class Missing:
    """How answers come to be missing.

    Attributes
    ----------
    rate : float
        Expected share of missing answers on each item, between 0 and 1.
    items : tuple of str
        Items concerned; by default all, but not `cause`.
    cause : str
        Column on which it depends: missing at random. "" for missing completely at random.
    slope : float
        Logit of the probability per standard deviation of `cause`.
    """

    rate: float
    items: tuple[str, ...] = ()
    cause: str = ""
    slope: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.rate, bool) or not 0 <= self.rate < 1:
            raise ConfigurationError(f"missing: rate={self.rate!r} is not a share from 0 to below 1.")
        if self.cause and self.cause in self.items:
            raise ConfigurationError(f"missing: {self.cause} cannot itself be missing where others depend on it.")


def equal_cuts(categories: int, skew: float) -> Array:
    """Return the cuts of equally wide categories in standard deviations of the response, shape (categories - 1,).

    Parameters
    ----------
    categories : int
        At least 2.
    skew : float
        By how many standard deviations all cuts move up; positive for answers that bunch at the low end and have
        positive skewness.
    """
    if isinstance(categories, bool) or not isinstance(categories, int) or categories < 2:
        raise ConfigurationError(f"categories={categories!r} is not a whole number from 2.")
    return np.linspace(-_SPAN, _SPAN, categories + 1)[1:-1] + skew


def cut(responses: Array, cuts: Sequence[Array], lowest: int) -> NDArray[np.int64]:
    """Return the category of every response, shape (n, p): `lowest` plus the number of cuts below it."""
    columns = [
        np.searchsorted(np.asarray(own), responses[:, j], side="left").astype(np.int64) for j, own in enumerate(cuts)
    ]
    return np.column_stack(columns) + lowest


def thresholds_of(
    thresholds: Sequence[float] | Mapping[str, Sequence[float]], names: Sequence[str]
) -> tuple[Array, ...]:
    """Return the cuts of every item, each increasing.

    Raises
    ------
    ConfigurationError
        An item without cuts, an unknown item, or cuts that do not increase.
    """
    if isinstance(thresholds, Mapping):
        unknown = [name for name in thresholds if name not in names]
        absent = [name for name in names if name not in thresholds]
        if unknown or absent:
            what = (
                f"{unknown[0]!r} is not an item. {nearest(unknown[0], names)}" if unknown else f"{absent[0]} has none."
            )
            raise ConfigurationError(f"thresholds: {what}".strip())
        found = tuple(np.asarray(thresholds[name], dtype=np.float64) for name in names)
    else:
        found = (np.asarray(thresholds, dtype=np.float64),) * len(names)
    for name, own in zip(names, found, strict=True):
        if own.ndim != 1 or not len(own) or not np.isfinite(own).all() or (np.diff(own) <= 0).any():
            raise ConfigurationError(f"thresholds of {name} must be increasing numbers, not {own.tolist()}.")
    return found


def remove(frame: pd.DataFrame, items: Sequence[str], missing: Sequence[Missing], draws: Draws) -> pd.DataFrame:
    """Return the answers with some of them missing.

    Parameters
    ----------
    frame : DataFrame
        Complete answers.
    items : sequence of str
        Its items.
    missing : sequence of Missing
        Each removes its own share, independently.
    draws : Draws

    Returns
    -------
    DataFrame
        Floats with NaN in the columns that lost answers.

    Raises
    ------
    DataError
        A column that does not exist.
    ConfigurationError
        A cause that loses answers itself.

    Notes
    -----
    The probability is the logistic function of a + slope * z, z the standardised cause and a such that the mean is
    `rate` (Rubin 1976, doi:10.1093/biomet/63.3.581, for the terms).
    """
    gone = np.zeros((len(frame), len(items)), dtype=bool)
    causes = {rule.cause for rule in missing if rule.cause}
    for rule in missing:
        for name in (*rule.items, *([rule.cause] if rule.cause else [])):
            if name not in (frame.columns if name == rule.cause else items):
                raise DataError(f"missing: there is no {name!r}. {nearest(name, frame.columns)}".strip())
        chosen = [name for name in (rule.items or items) if rule.items or name not in causes]
        spoilt = causes.intersection(chosen)
        if spoilt:
            raise ConfigurationError(f"missing: {min(spoilt)} cannot itself be missing where others depend on it.")
        probability = np.full(len(frame), rule.rate)
        if rule.cause and rule.rate > 0:
            probability = _logistic(frame[rule.cause].to_numpy(dtype=np.float64), rule)
        columns = [items.index(name) for name in chosen]
        gone[:, columns] |= draws.uniform(len(frame), len(columns)) < probability[:, None]
    columns = [j for j in range(len(items)) if gone[:, j].any()]
    result = frame.copy()
    for j in columns:
        result[items[j]] = frame[items[j]].astype(np.float64).mask(gone[:, j])
    return result


def _logistic(cause: Array, rule: Missing) -> Array:
    spread = float(cause.std())
    if spread == 0:
        return np.full(len(cause), rule.rate)
    z = rule.slope * (cause - cause.mean()) / spread
    shift = brentq(lambda a: float(expit(a + z).mean()) - rule.rate, -60 - np.abs(z).max(), 60 + np.abs(z).max())
    return np.asarray(expit(shift + z))
