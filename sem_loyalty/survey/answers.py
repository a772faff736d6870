"""Answers as numbers: columns of any numeric kind to one float matrix, with every offender named."""

from __future__ import annotations

import decimal
import numbers
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.errors import DataError, nearest

Array = NDArray[np.float64]
SHOWN = 10


def listing(parts: Sequence[str], *, shown: int = SHOWN) -> str:
    """Join up to `shown` parts with semicolons and say how many more there are."""
    head = "; ".join(parts[:shown])
    more = len(parts) - shown
    return head if more <= 0 else f"{head}; and {more} more"


def is_missing(value: object) -> bool:
    """Return True for None, NaN, NaT and pandas.NA."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, (float, np.floating, decimal.Decimal)) and bool(value != value)


def check_columns(data: pd.DataFrame, names: Sequence[str], *, what: str = "Item") -> None:
    """Raise DataError unless every name is exactly one column of `data`.

    Parameters
    ----------
    data : DataFrame
        The data.
    names : sequence of str
        Columns asked for.
    what : str, default "Item"
        What the names are, for the message.

    Raises
    ------
    DataError
        A name asked for twice, a name that is no column (with the nearest one), or a name that several columns carry.
    """
    repeated = [name for name in dict.fromkeys(names) if list(names).count(name) > 1]
    if repeated:
        raise DataError(f"{what} named more than once: {listing([repr(name) for name in repeated])}. Name each once.")
    columns = [str(column) for column in data.columns]
    present = set(columns)
    absent = [name for name in names if name not in present]
    if absent:
        parts = [f"'{name}' {nearest(name, columns)}".strip() for name in absent]
        raise DataError(f"{what} not in the data: {listing(parts)}. Columns: {listing(columns, shown=30)}.")
    doubled = [name for name in names if columns.count(name) > 1]
    if doubled:
        parts = [f"'{name}' ({columns.count(name)} columns)" for name in doubled]
        raise DataError(f"Several columns have the same name: {listing(parts)}. Rename or drop all but one.")


def _shown_row(data: pd.DataFrame, row: int) -> str:
    label = data.index[row]
    plain = isinstance(data.index, pd.RangeIndex) and data.index.start == 0 and data.index.step == 1
    return f"row {row + 1}" if plain else f"row {row + 1} (index {label!r})"


def _as_float(value: object) -> float | None:
    """Return a float, or None where the value is not a number."""
    if is_missing(value):
        return float("nan")
    if isinstance(value, decimal.Decimal | numbers.Real | np.bool_):
        return float(value)
    return None


def _reads_as_number(value: object) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def _from_objects(values: Sequence[object]) -> tuple[Array, list[int]]:
    found = np.full(len(values), np.nan)
    bad = []
    for row, value in enumerate(values):
        number = _as_float(value)
        if number is None:
            bad.append(row)
        else:
            found[row] = number
    return found, bad


def _column(series: pd.Series) -> tuple[Array, list[int]]:
    """Return the column as floats and the rows that hold something else than a number."""
    kind = series.dtype
    if isinstance(kind, pd.CategoricalDtype):
        codes = np.asarray(series.cat.codes, dtype=np.intp)
        values, bad = _from_objects(list(kind.categories))
        full = np.where(codes < 0, np.nan, values[codes]) if len(values) else np.full(len(codes), np.nan)
        return full, [row for row, code in enumerate(codes) if code in set(bad)]
    if pd.api.types.is_complex_dtype(kind):
        return np.full(len(series), np.nan), list(range(len(series)))
    if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_numeric_dtype(kind):
        return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan)), []
    return _from_objects(list(series))


def numeric_matrix(data: pd.DataFrame, names: Sequence[str], *, what: str = "Item") -> Array:
    """Return the named columns as a float matrix.

    Integers, floats, booleans, pandas nullable types, Decimal objects and categoricals with numeric categories are
    converted; missing values of every kind become NaN. Nothing is guessed: text is an error even where it looks
    like a number.

    Parameters
    ----------
    data : DataFrame, n rows
        The data.
    names : sequence of str, length p
        Columns, in the order wanted.
    what : str, default "Item"
        What the columns are, for messages.

    Returns
    -------
    ndarray, shape (n, p)
        A fresh float64 array with NaN for missing.

    Raises
    ------
    DataError
        Unknown, repeated or ambiguous names; text or dates in a numeric column (with row and value); infinite values.
    """
    check_columns(data, names, what=what)
    wanted = data[list(names)]
    if len(wanted) and all(kind == np.float64 for kind in wanted.dtypes) and not np.isinf(wanted.to_numpy()).any():
        return np.array(wanted.to_numpy(), dtype=np.float64)
    matrix = np.full((len(data), len(names)), np.nan)
    texts, infinite = [], []
    for position, name in enumerate(names):
        column, bad = _column(data[name])
        matrix[:, position] = column
        if bad:
            # One stray word turns a whole column into text: name the cell that is no number, not the first cell.
            words = [row for row in bad if not _reads_as_number(data[name].iloc[row])] or bad
            value = data[name].iloc[words[0]]
            more = f" and {len(words) - 1} more rows" if len(words) > 1 else ""
            texts.append(f"'{name}' {_shown_row(data, words[0])}: {value!r}{more}")
        endless = np.flatnonzero(np.isinf(column))
        if endless.size:
            infinite.append(f"'{name}' {_shown_row(data, int(endless[0]))} ({endless.size} in all)")
    if texts:
        raise DataError(
            f"{what} with answers that are not numbers: {listing(texts)}. Map text answers to numbers "
            "(read_survey does so for known answer scales), or set stray cells to missing."
        )
    if infinite:
        raise DataError(f"{what} with infinite values: {listing(infinite)}. Replace them by a number or by missing.")
    return matrix
