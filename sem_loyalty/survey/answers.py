"""Answers as numbers: columns of any numeric kind to one float matrix, with every offender named."""

from __future__ import annotations

import decimal
import numbers
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import DataError, nearest

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
SHOWN = 10


def listing(parts: Sequence[str], *, shown: int = SHOWN) -> str:
    """Join up to `shown` parts with semicolons and say how many more there are."""
    head = "; ".join(parts[:shown])
    more = len(parts) - shown
    return head if more <= 0 else f"{head}; and {more} more"


def is_missing(value: object) -> bool:
    """Return True for None, NaN, NaT and pandas.NA."""
    if value is None:
        return True
    # Only where pandas is loaded can there be one of its missing values.
    pandas = sys.modules.get("pandas")
    if pandas is not None and (value is pandas.NA or value is pandas.NaT):
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
    if data.columns.is_unique and len(set(names)) == len(names) and set(names) <= set(data.columns.tolist()):
        return
    repeated = [name for name in dict.fromkeys(names) if list(names).count(name) > 1]
    if repeated:
        raise DataError(f"{what} named more than once: {listing([repr(name) for name in repeated])}. Name each once.")
    columns = [str(column) for column in data.columns]
    present = set(columns)
    absent = [name for name in names if name not in present]
    if absent:
        parts = [f"'{name}' {nearest(name, columns)}".strip() for name in absent]
        products = [name for name in absent if "." in name and present.issuperset(name.split("."))]
        hint = f" product_indicators makes the products of items ({listing(products)})." if products else ""
        turned = [f"{name}_r" for name in absent if f"{name}_r" in present]
        if turned:
            hint += f" {listing(turned)}: answers still to be turned round; apply the codebook (--codebook) first."
        raise DataError(f"{what} not in the data: {listing(parts)}. Columns: {listing(columns, shown=30)}.{hint}")
    doubled = [name for name in names if columns.count(name) > 1]
    if doubled:
        parts = [f"'{name}' ({columns.count(name)} columns)" for name in doubled]
        raise DataError(f"Several columns have the same name: {listing(parts)}. Rename or drop all but one.")


def _shown_row(data: pd.DataFrame, row: int) -> str:
    import pandas as pd

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
    import pandas as pd

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


def _plain_matrix(data: pd.DataFrame, names: Sequence[str]) -> Array | None:
    """Return the columns where all are of one NumPy type of numbers and none is infinite; None where any is not."""
    columns, every = data.columns.tolist(), data.dtypes.tolist()
    position = {name: i for i, name in enumerate(columns)}
    wanted = [position[name] for name in names]
    kinds = {every[i] for i in wanted}
    kind = kinds.pop() if len(kinds) == 1 else None
    if not isinstance(kind, np.dtype) or kind.kind not in "fiu" or kind.itemsize > 8:
        return None
    if len(set(every)) > 1:
        cells = data.take(wanted, axis=1).to_numpy()
    else:
        cells = data.to_numpy()
        cells = cells if columns == list(names) else cells[:, wanted]
    # A frame keeps each column in one piece, so this copies long runs.
    matrix = np.array(cells, dtype=np.float64, order="F")
    return None if _any_infinite(matrix) else matrix


def _any_infinite(matrix: Array) -> bool:
    """Return whether a cell is infinite; a finite sum says that none is, and a sum is quick."""
    with np.errstate(over="ignore", invalid="ignore"):
        finite = bool(np.isfinite(matrix.sum()))
    return not finite and bool(np.isinf(matrix).any())


def columns_of(data: Mapping[str, Any], names: Sequence[str]) -> Array | None:
    """Return the named columns of a mapping as a float matrix, without a DataFrame between.

    Parameters
    ----------
    data : mapping of str to array
    names : sequence of str, length p

    Returns
    -------
    ndarray, shape (n, p), or None
        None where a column is missing, not a one-dimensional NumPy array of numbers, of another length than the others
        or holds an infinite value: a DataFrame then says what is wrong, or reads what NumPy cannot.
    """
    columns = [data.get(name) for name in names]
    if len(set(names)) != len(names) or not all(
        isinstance(column, np.ndarray) and column.ndim == 1 and column.dtype.kind in "fiu" for column in columns
    ):
        return None
    if len({len(column) for column in data.values()}) != 1:
        return None
    matrix = np.array(columns, dtype=np.float64).T
    return None if _any_infinite(matrix) else matrix


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
        A fresh float64 array with NaN for missing; columns side by side in memory.

    Raises
    ------
    DataError
        Unknown, repeated or ambiguous names; text or dates in a numeric column (with row and value); infinite values.
    """
    check_columns(data, names, what=what)
    plain = _plain_matrix(data, names)
    if plain is not None:
        return plain
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
