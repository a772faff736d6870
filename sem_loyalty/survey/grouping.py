"""Which rows belong to which group."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import DataError, DataWarning
from sem_loyalty.survey.answers import check_columns, is_missing

if TYPE_CHECKING:
    import pandas as pd

Index = NDArray[np.intp]


def group_label(value: object) -> str:
    """Return the label of a group: the value as text, with whole numbers written without decimals."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def split_by_group(
    data: pd.DataFrame | Mapping[str, Any], group: str | None, count: int
) -> list[tuple[str, Index | slice]]:
    """Return label and row positions of each group, in order of appearance.

    Parameters
    ----------
    data : DataFrame or mapping of columns
    group : str or None
        The column; None for one group of all rows, without a label.
    count : int
        Number of rows.

    Raises
    ------
    DataError
        Nobody has a group. Rows without one are left out, with a DataWarning.
    """
    if group is None:
        return [("", slice(None))]
    if not isinstance(data, Mapping):
        check_columns(data, [group], what="Grouping variable")
    found: dict[str, list[Index]] = {}
    lost = 0
    for value, rows in _by_value(data[group]):
        empty = is_missing(value) or (isinstance(value, str) and not value.strip())
        label = "" if empty else group_label(value)
        if label:
            found.setdefault(label, []).append(rows)
        else:
            lost += len(rows)
    if not found:
        raise DataError(f"The grouping variable '{group}' is missing in every row.")
    if lost:
        warnings.warn(
            f"{lost} of {count} rows have no value of the grouping variable '{group}' and were left out.",
            DataWarning,
            stacklevel=3,
        )
    return [(label, np.sort(np.concatenate(rows))) for label, rows in found.items()]


def _by_value(column: Any) -> Iterator[tuple[object, Index]]:
    """Yield the distinct values of a column and their rows, in order of appearance; missing ones come last or alone."""
    if hasattr(column, "factorize") and column.dtype != object:
        codes, values = column.factorize()
        order = np.argsort(codes, kind="stable")
        first = np.searchsorted(codes[order], np.arange(len(values)))
        missing, *parts = np.split(order, first)
        yield from zip(values.tolist(), parts, strict=True)
        if len(missing):
            yield None, missing
        return
    values = column.tolist() if hasattr(column, "tolist") else list(column)
    hashable = all(issubclass(kind, Hashable) for kind in {type(value) for value in values})
    # Few values stand in many rows, so each is looked at once. 1 and True are equal, but not the same label.
    by_value: dict[tuple[type, object], list[int]] = {}
    for row, value in enumerate(values):
        by_value.setdefault((type(value), value if hashable else row), []).append(row)
    for rows in by_value.values():
        yield values[rows[0]], np.asarray(rows, dtype=np.intp)
