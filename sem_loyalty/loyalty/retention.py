"""Retention: the share of customers that stay, from counts or from a transaction log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.loyalty.proportions import wilson
from sem_loyalty.loyalty.shown import Shown, check_level, percent, with_interval
from sem_loyalty.loyalty.transactions import Log, days, read_log
from sem_loyalty.survey.answers import check_columns

MEANING = {
    "start": "retained / customers at the start: the share of them that stayed (usual in the field)",
    "end": "retained / customers at the end: the share of them that are not new (some texts)",
}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class RetentionRate(Shown):
    """Retention by both definitions.

    Attributes
    ----------
    rates : DataFrame
        Index "period" and "definition" ("start", "end"); columns start, end, new, retained (customers), rate,
        ci_lower, ci_upper (Wilson), meaning.
    level : float
        Coverage of the intervals.
    note : str
        How customers were counted.
    """

    rates: pd.DataFrame
    level: float
    note: str

    @property
    def rate(self) -> float:
        """Share of the customers at the start of the last period that stayed."""
        return float(self.rates.xs("start", level="definition")["rate"].iloc[-1])

    def to_frame(self) -> pd.DataFrame:
        """Return `rates`."""
        return self.rates.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the rates."""
        return (
            Table.from_frame(
                with_interval(self.rates, "rate"),
                id="retention",
                caption="Retention rate",
                note=f"{self.note} Intervals: Wilson, {percent(self.level)}.",
                kinds={"interval": "interval"},
                heads={"interval": f"{percent(self.level)} CI"},
                bounded=("rate", "interval"),
            ),
        )


def retention_rate(start: int, end: int, new: int, *, level: float = 0.95, period: str = "all") -> RetentionRate:
    """Return the retention rate of a period from counts of customers, by both definitions in use.

    Retained customers are end − new. The field divides them by the customers at the START, which gives the share that
    stayed; some texts divide by the customers at the END, which gives the share that is not new and grows when
    acquisition falls. Both are returned, by name.

    Parameters
    ----------
    start, end : int
        Customers at the start and at the end of the period.
    new : int
        Customers at the end that were none at the start.
    level : float, default 0.95
        Coverage of Wilson's interval.
    period : str, default "all"
        Name of the period.

    Returns
    -------
    RetentionRate

    Raises
    ------
    ConfigurationError
        Counts that are not whole numbers of zero or more.
    DataError
        More new customers than customers, more retained than there were, or nobody at the start or the end.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the
    American Statistical Association, 22, 209-212. doi:10.1080/01621459.1927.10502953

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> sl.retention_rate(start=200, end=210, new=30).rates["rate"].round(3).tolist()
    [0.9, 0.857]
    """
    check_level(level)
    return RetentionRate(_rows([(period, start, end, new)], level), level, "Counts as given.")


def retention_by_period(
    transactions: pd.DataFrame,
    boundaries: Sequence[object],
    *,
    customer: str = "customer",
    date: str = "date",
    level: float = 0.95,
) -> RetentionRate:
    """Return the retention rate from one period to the next, from a transaction log.

    A customer counts in a period in which there is at least one transaction. Of two periods that follow each other,
    the first gives the customers at the start and the second those at the end; new are those of the second that did
    not buy in the first.

    Parameters
    ----------
    transactions : DataFrame
        One row per purchase.
    boundaries : sequence of dates, three or more
        Starts of the periods and the end of the last; a period holds its start and not its end.
    customer, date : str
        Columns of the log.
    level : float, default 0.95
        Coverage of Wilson's interval.

    Returns
    -------
    RetentionRate
        One row a period and definition, from the second period on.

    Raises
    ------
    ConfigurationError
        Fewer than three boundaries, or boundaries that do not ascend.
    DataError
        An empty log, dates that cannot be read, or a period without customers.
    """
    check_level(level)
    log = read_log(transactions, customer=customer, date=date)
    edges = _edges(boundaries, 3)
    active = [_active(log, first, last) for first, last in pairwise(edges)]
    rows = []
    for before, now, first, last in zip(active, active[1:], edges[1:], edges[2:], strict=False):
        name = f"{first.date()} to {last.date()}"
        if not before or not now:
            raise DataError(f"No customer bought in the period {name} or in the one before; widen the periods.")
        rows.append((name, len(before), len(now), len(now - before)))
    return RetentionRate(_rows(rows, level), level, "A customer of a period bought in it at least once.")


def retention_by_contract(
    customers: pd.DataFrame,
    boundaries: Sequence[object],
    *,
    joined: str = "joined",
    left: str = "left",
    level: float = 0.95,
) -> RetentionRate:
    """Return the retention rate of each period from a table of customers who join and leave.

    A customer counts at a day that is not before `joined` and before `left`. Of those at the end of a period, new ones
    joined after its start; one who left and joined again within a period stands in two rows and counts as new.

    Parameters
    ----------
    customers : DataFrame
        One row per customer.
    boundaries : sequence of dates, two or more
        Days at which customers are counted; each period runs from one to the next.
    joined, left : str
        Columns with the first day and the day of leaving, missing for those who stay.
    level : float, default 0.95
        Coverage of Wilson's interval.

    Returns
    -------
    RetentionRate
        One row a period and definition.

    Raises
    ------
    ConfigurationError
        Boundaries that do not ascend.
    DataError
        Dates that cannot be read, a customer who left before joining, or a day without customers.
    """
    check_level(level)
    check_columns(customers, [joined, left], what="Column")
    if not len(customers):
        raise DataError("The table of customers is empty.")
    begun, ended = days(customers[joined], joined), days(customers[left], left, blank=True)
    wrong = np.flatnonzero(ended < begun)
    if wrong.size:
        raise DataError(f"{wrong.size} customers left before they joined, the first in row {int(wrong[0]) + 1}.")
    rows = []
    for first, last in pairwise(_edges(boundaries, 2)):
        start, end = np.datetime64(first), np.datetime64(last)
        here = (begun <= end) & ~(ended <= end)
        before = int(((begun <= start) & ~(ended <= start)).sum())
        rows.append((f"{first.date()} to {last.date()}", before, int(here.sum()), int((here & (begun > start)).sum())))
    return RetentionRate(_rows(rows, level), level, "A customer counts from joining until the day of leaving.")


def _edges(boundaries: Sequence[object], least: int) -> list[pd.Timestamp]:
    try:
        edges = [pd.Timestamp(str(edge)) for edge in boundaries]
    except ValueError as error:
        raise ConfigurationError(f"boundaries: {error}. Write dates as 2025-01-31.") from error
    if len(edges) < least or any(b <= a for a, b in pairwise(edges)):
        raise ConfigurationError(f"boundaries must be {least} dates or more, each later than the one before.")
    return edges


def _active(log: Log, first: pd.Timestamp, last: pd.Timestamp) -> set[str]:
    inside = (log.day >= np.datetime64(first)) & (log.day < np.datetime64(last))
    return set(log.customer[inside].tolist())


def _rows(counts: Sequence[tuple[str, int, int, int]], level: float) -> pd.DataFrame:
    records = []
    for period, start, end, new in counts:
        for name, value in (("start", start), ("end", end), ("new", new)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
                raise ConfigurationError(f"{name}={value!r} must be a whole number of customers, zero or more.")
        retained = int(end) - int(new)
        if retained < 0:
            raise DataError(f"new={new} customers among end={end}: new ones are a part of those at the end.")
        if retained > start:
            raise DataError(
                f"end − new = {retained} retained of start={start} customers: more stayed than there were. "
                "Count as new everybody who was no customer at the start."
            )
        for definition, base in (("start", int(start)), ("end", int(end))):
            if base == 0:
                raise DataError(f"No customers at the {definition}: a rate of them does not exist.")
            lower, upper = wilson(retained, base, level=level)
            records.append(
                {
                    "period": period,
                    "definition": definition,
                    "start": int(start),
                    "end": int(end),
                    "new": int(new),
                    "retained": retained,
                    "rate": retained / base,
                    "ci_lower": lower,
                    "ci_upper": upper,
                    "meaning": MEANING[definition],
                }
            )
    return pd.DataFrame(records).set_index(["period", "definition"])
