"""Item analysis: each item of a scale against the rest of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError, DataError, NotSupported
from sem_loyalty.measurement.reliability import cronbach_alpha
from sem_loyalty.survey.moments import Moments
from sem_loyalty.survey.sample import moments_from_data

if TYPE_CHECKING:
    from sem_loyalty.fitting.solution import Fit

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ItemStatistics:
    """Statistics of the items of one scale, each of shape (k,).

    Attributes
    ----------
    item_total : ndarray
        Correlation of the item with the sum of all items, itself included.
    item_rest : ndarray
        Correlation of the item with the sum of the other items (corrected item-total correlation).
    alpha_if_dropped : ndarray
        Alpha of the other items; NaN where fewer than two are left.
    """

    item_total: Array
    item_rest: Array
    alpha_if_dropped: Array


def item_statistics(cov: Array) -> ItemStatistics:
    """Return item-total and item-rest correlations and alpha without each item.

    Parameters
    ----------
    cov : ndarray, shape (k, k)
        Covariance matrix of the items of one scale; the divisor cancels.

    Returns
    -------
    ItemStatistics
        NaN for a scale of one item, and where a sum has no variance.
    """
    k = len(cov)
    if k < 2:
        return ItemStatistics(np.full(k, np.nan), np.full(k, np.nan), np.full(k, np.nan))
    variance, with_total, total = np.diag(cov), cov.sum(axis=1), float(cov.sum())
    rest = total - 2.0 * with_total + variance
    with np.errstate(invalid="ignore", divide="ignore"):
        item_total = with_total / np.sqrt(variance * max(total, 0.0))
        item_rest = (with_total - variance) / np.sqrt(variance * np.maximum(rest, 0.0))
    dropped = [cronbach_alpha(np.delete(np.delete(cov, i, axis=0), i, axis=1)) for i in range(k)]
    finite = [np.where(np.isfinite(values), values, np.nan) for values in (item_total, item_rest)]
    return ItemStatistics(finite[0], finite[1], np.array(dropped))


def item_analysis(
    data: Fit | pd.DataFrame | Mapping[str, Any],
    scales: Mapping[str, Sequence[str]] | None = None,
    *,
    missing: str = "listwise",
) -> pd.DataFrame:
    """Return, for each item, its moments and how it fits its scale.

    Parameters
    ----------
    data : Fit, DataFrame or mapping of columns
        A fitted model, or one row per respondent.
    scales : mapping of str to sequence of str, optional
        Items of each scale. By default the constructs of the fitted model with their items, or for data one scale
        "scale" of all columns.
    missing : {"listwise"}, default "listwise"
        Rows of data with a missing answer on any item of `scales` are left out.

    Returns
    -------
    DataFrame
        One row per scale and item, with several groups also per group: construct, item, n, mean, sd (divisor
        n − 1), item_total_r, item_rest_r, alpha, alpha_if_dropped, note. The mean is NaN where only a covariance
        matrix is known. Items are taken as they are: `note` names an item that correlates negatively with the rest.

    Raises
    ------
    ConfigurationError
        `scales` without items, or items given as one text.
    DataError
        Items that are not in the data, or data that cannot be analysed.
    NotSupported
        Another rule for missing answers.
    """
    from sem_loyalty.fitting.solution import Fit as _Fit

    if isinstance(data, _Fit):
        observed = set(data.specification.observed)
        own = {
            name: tuple(member for member in members if member in observed)
            for name, members in data.specification.indicators.items()
        }
        chosen = _checked(scales) if scales is not None else {name: members for name, members in own.items() if members}
        moments = data.moments
        if not chosen:
            raise DataError("The model has no construct with items of its own.")
    else:
        frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(dict(data))
        chosen = _checked(scales) if scales is not None else {"scale": tuple(str(name) for name in frame.columns)}
        names = tuple(dict.fromkeys(item for members in chosen.values() for item in members))
        if missing != "listwise":
            raise NotSupported(f"missing={missing!r} is not available; this is: 'listwise'.")
        moments = moments_from_data(frame, names)
    absent = sorted({item for members in chosen.values() for item in members} - set(moments.names))
    if absent:
        raise DataError(f"Items of `scales` that the model does not contain: {', '.join(absent)}.")
    return _frame(moments, chosen)


def _checked(scales: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    for name, members in scales.items():
        if isinstance(members, str) or len(members) == 0:
            raise ConfigurationError(f"scales[{name!r}] = {members!r} must be a list of at least one item.")
        if len(set(members)) < len(members):
            raise ConfigurationError(f"scales[{name!r}] names an item more than once.")
    if not scales:
        raise ConfigurationError("`scales` is empty; give the items of at least one scale.")
    return {name: tuple(members) for name, members in scales.items()}


def _frame(moments: Moments, scales: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    records: list[dict[str, object]] = []
    for group in moments.groups:
        for scale, members in scales.items():
            at = [moments.names.index(item) for item in members]
            cov = group.cov[np.ix_(at, at)]
            found = item_statistics(cov)
            alpha = cronbach_alpha(cov)
            for k, item in enumerate(members):
                record: dict[str, object] = {"group": group.label} if len(moments.groups) > 1 else {}
                record |= {
                    "construct": scale,
                    "item": item,
                    "n": group.n,
                    "mean": float("nan") if group.mean is None else float(group.mean[at[k]]),
                    "sd": float(np.sqrt(cov[k, k] * group.n / (group.n - 1))),
                    "item_total_r": float(found.item_total[k]),
                    "item_rest_r": float(found.item_rest[k]),
                    "alpha": alpha,
                    "alpha_if_dropped": float(found.alpha_if_dropped[k]),
                    "note": _note(
                        len(members), item, float(found.item_rest[k]), alpha, float(found.alpha_if_dropped[k])
                    ),
                }
                records.append(record)
    return pd.DataFrame(records)


def _note(count: int, item: str, item_rest: float, alpha: float, dropped: float) -> str:
    if count == 1:
        return "Single item: no scale to compare it with."
    notes = []
    if item_rest < 0.0:
        notes.append(f"{item} correlates negatively with the rest; reverse it if it is worded against the scale.")
    if dropped > alpha:
        notes.append("Alpha is higher without it.")
    return " ".join(notes)
