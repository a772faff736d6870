"""A transaction log as arrays, every offender named."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.errors import DataError
from sem_loyalty.survey.answers import check_columns, is_missing, listing, numeric_matrix

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """Purchases, sorted by customer and day.

    Attributes
    ----------
    customer : ndarray of str, shape (m,)
        Identifier as text.
    day : ndarray of datetime64[D], shape (m,)
        Day of the purchase.
    amount : ndarray, shape (m,), or None
        Amount spent, zero or more.
    """

    customer: NDArray[np.str_]
    day: NDArray[np.datetime64]
    amount: Array | None


def read_log(
    transactions: pd.DataFrame, *, customer: str = "customer", date: str = "date", amount: str | None = None
) -> Log:
    """Return a transaction log as sorted arrays.

    Parameters
    ----------
    transactions : DataFrame
        One row per purchase.
    customer, date : str
        Columns with the customer's identifier and the day: dates, or texts in ISO form (2025-01-31).
    amount : str, optional
        Column with the amount.

    Returns
    -------
    Log

    Raises
    ------
    DataError
        An empty log; columns that are not there; customers or dates that are missing; dates that cannot be read;
        amounts that are missing, negative or no numbers. The message names rows.
    """
    check_columns(transactions, [customer, date, *([amount] if amount else [])], what="Column")
    if not len(transactions):
        raise DataError("The transaction log is empty: it has no rows.")
    nobody = [row for row, value in enumerate(transactions[customer]) if is_missing(value) or str(value).strip() == ""]
    if nobody:
        raise DataError(f"'{customer}': {len(nobody)} purchases without a customer, the first in row {nobody[0] + 1}.")
    who = identifiers(transactions[customer])
    when = days(transactions[date], date)
    spent = None
    if amount is not None:
        spent = numeric_matrix(transactions, [amount], what="Column")[:, 0]
        for bad, what in ((np.isnan(spent), "missing"), (spent < 0, "negative")):
            if bad.any():
                row = int(np.flatnonzero(bad)[0])
                raise DataError(
                    f"'{amount}': {int(bad.sum())} amounts are {what}, the first in row {row + 1}"
                    f"{'' if what == 'missing' else f' ({spent[row]:g})'}. "
                    "Net refunds against their purchases, or leave these rows out."
                )
    order = np.lexsort((when, who))
    return Log(who[order], when[order], None if spent is None else spent[order])


def identifiers(column: pd.Series) -> NDArray[np.str_]:
    """Return identifiers as texts: whole numbers without a decimal point, whatever their dtype, blanks stripped."""

    def plain(value: object) -> str:
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return str(value).strip()

    return np.array([plain(value) for value in column], dtype=np.str_)


def days(column: pd.Series, name: str, *, blank: bool = False) -> NDArray[np.datetime64]:
    """Return a column of dates, or of texts in ISO form, as days.

    Parameters
    ----------
    column : Series
    name : str
        For messages.
    blank : bool, default False
        Whether a missing date is allowed; it becomes NaT.

    Raises
    ------
    DataError
        Dates that cannot be read; the message names rows.
    """
    if blank and column.isna().all():
        return np.full(len(column), np.datetime64("NaT", "D"))
    if pd.api.types.is_numeric_dtype(column.dtype):
        raise DataError(
            f"'{name}' holds numbers (the first: {column.iloc[0]}), which are not dates. "
            "Convert them first, for instance by pandas.to_datetime(..., format='%Y%m%d')."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pandas remarks on formats; what fails is named below
        found = pd.to_datetime(column, errors="coerce", format="ISO8601", utc=False)
    bad = np.flatnonzero((found.isna() & column.notna() if blank else found.isna()).to_numpy())
    if bad.size:
        shown = [f"row {row + 1}: {column.iloc[row]!r}" for row in bad.tolist()]
        raise DataError(f"'{name}': {bad.size} dates cannot be read: {listing(shown, shown=3)}. Write 2025-01-31.")
    if getattr(found.dt, "tz", None) is not None:
        found = found.dt.tz_localize(None)
    return found.to_numpy().astype("datetime64[D]")
