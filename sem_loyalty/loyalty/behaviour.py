"""Behavioural loyalty from a transaction log: frequency, recency, amount, time between purchases, share of wallet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from sem_loyalty.display import Column, Table
from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.loyalty.shown import Shown, check_count
from sem_loyalty.loyalty.transactions import Log, identifiers, read_log
from sem_loyalty.survey.answers import listing

Array = NDArray[np.float64]
MEASURES = {
    "purchases": "purchases",
    "purchase_days": "days with a purchase",
    "recency": "days since the last purchase",
    "since_first": "days since the first purchase",
    "amount": "amount spent",
    "mean_amount": "amount per purchase",
    "mean_interval": "mean days between days with a purchase",
    "sd_interval": "their standard deviation",
    "share_of_wallet": "amount / spending in the category",
}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Behaviour(Shown):
    """What every customer of a log did.

    Attributes
    ----------
    customers : DataFrame
        Index "customer", sorted; columns first, last (dates), purchases, purchase_days (days with a purchase), recency
        and since_first (days from the last and the first purchase to `as_of`), amount, mean_amount, mean_interval (mean
        days between days with a purchase, NaN below two), sd_interval (NaN below three), and share_of_wallet where
        category spending was given (NaN for a customer without).
    as_of : Timestamp
        Day at which customers are looked at.
    without_category : int
        Customers of the log without category spending; 0 where none was given.
    """

    customers: pd.DataFrame
    as_of: pd.Timestamp
    without_category: int

    def to_frame(self) -> pd.DataFrame:
        """Return `customers`."""
        return self.customers.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the distribution of every measure over customers."""
        rows: list[dict[str, object]] = []
        for name, meaning in MEASURES.items():
            if name in self.customers:
                values = self.customers[name].dropna()
                quartiles = values.quantile([0.25, 0.5, 0.75]).tolist() if len(values) else [np.nan] * 3
                rows.append(
                    {
                        "measure": meaning,
                        "n": len(values),
                        "mean": float(values.mean()),
                        "q25": quartiles[0],
                        "q50": quartiles[1],
                        "q75": quartiles[2],
                    }
                )
        columns = (
            Column("measure", "Measure"),
            Column("n", "Customers", "int"),
            Column("mean", "Mean", "number", 2),
            Column("q25", "25%", "number", 2),
            Column("q50", "Median", "number", 2),
            Column("q75", "75%", "number", 2),
        )
        note = f"{len(self.customers)} customers at {self.as_of.date()}."
        if self.without_category:
            note += f" {self.without_category} of them without spending in the category."
        return (Table("behaviour", "Behaviour of customers", columns, tuple(rows), note),)


def purchase_behaviour(
    transactions: pd.DataFrame,
    *,
    customer: str = "customer",
    date: str = "date",
    amount: str = "amount",
    as_of: object | None = None,
    category_spend: Mapping[str, float] | pd.Series | None = None,
) -> Behaviour:
    """Return frequency, recency, amount, time between purchases and share of wallet of every customer of a log.

    Parameters
    ----------
    transactions : DataFrame
        One row per purchase.
    customer, date, amount : str
        Columns: identifier, day, amount of zero or more.
    as_of : date, optional
        Day at which to look; by default the last day of the log. Later purchases are an error.
    category_spend : mapping or Series, customer to number, optional
        Everything that the customer spent in the category in the time of the log, wherever it was spent, with this
        company's part included. Gives the share of wallet.

    Returns
    -------
    Behaviour

    Raises
    ------
    DataError
        A log that cannot be used (the message names rows); purchases after `as_of`; category spending of customers
        who are not in the log, below the amount spent here, or not positive.

    References
    ----------
    Cooil, B., Keiningham, T. L., Aksoy, L., & Hsu, M. (2007). A longitudinal analysis of customer satisfaction and
    share of wallet. Journal of Marketing, 71(1), 67-83.
    """
    log = read_log(transactions, customer=customer, date=date, amount=amount)
    end = last_day(log, as_of)
    names, start, counts = np.unique(log.customer, return_index=True, return_counts=True)
    spent = log.amount if log.amount is not None else np.zeros(len(log.day))
    last = log.day[start + counts - 1]
    intervals = [np.diff(np.unique(log.day[a : a + k])).astype(float) for a, k in zip(start, counts, strict=True)]
    total = np.add.reduceat(spent, start)
    frame = pd.DataFrame(
        {
            "first": log.day[start].astype("datetime64[s]"),
            "last": last.astype("datetime64[s]"),
            "purchases": counts,
            "purchase_days": [len(gaps) + 1 for gaps in intervals],
            "recency": (end - last).astype(float),
            "since_first": (end - log.day[start]).astype(float),
            "amount": total,
            "mean_amount": total / counts,
            "mean_interval": [float(gaps.mean()) if len(gaps) else np.nan for gaps in intervals],
            "sd_interval": [float(gaps.std(ddof=1)) if len(gaps) > 1 else np.nan for gaps in intervals],
        },
        index=pd.Index([str(name) for name in names], name="customer"),
    )
    without = 0
    if category_spend is not None:
        frame["share_of_wallet"] = _share(frame["amount"], category_spend)
        without = int(frame["share_of_wallet"].isna().sum())
    return Behaviour(frame, pd.Timestamp(end), without)


def last_day(log: Log, as_of: object | None) -> Any:
    """Return the day at which to look: `as_of`, or the last day of the log; DataError where purchases are later."""
    last = log.day.max()
    if as_of is None:
        return last
    try:
        end = pd.Timestamp(str(as_of)).to_datetime64().astype("datetime64[D]")
    except ValueError as error:
        raise ConfigurationError(f"as_of={as_of!r} is not a date; write 2025-01-31.") from error
    if last > end:
        late = int((log.day > end).sum())
        raise DataError(f"{late} purchases are later than as_of={end}; the last is of {last}. Leave them out first.")
    return end


def _share(amount: pd.Series, category_spend: Mapping[str, float] | pd.Series) -> pd.Series:
    given = category_spend if isinstance(category_spend, pd.Series) else pd.Series(dict(category_spend), dtype=float)
    given = given.set_axis(identifiers(pd.Series(given.index)))
    if given.index.has_duplicates:
        twice = sorted(set(given.index[given.index.duplicated()]))
        raise DataError(f"category_spend: customers more than once: {listing(twice)}.")
    unknown = sorted(set(given.index) - set(amount.index))
    if unknown:
        raise DataError(
            f"category_spend: {len(unknown)} customers that the log does not know: {listing(unknown, shown=5)}. "
            "Leave out those who bought nothing here: their share of wallet is zero."
        )
    spending = given.astype(float).reindex(amount.index)
    wrong = spending[(spending <= 0) | (spending < amount * (1 - 1e-9))]
    if len(wrong):
        name = wrong.index[0]
        raise DataError(
            f"category_spend: {len(wrong)} customers with less in the category than they spent here, for instance "
            f"{name}: {wrong.iloc[0]:g} < {amount[name]:g}. It must include this company's part."
        )
    return amount / spending


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class RFM(Shown):
    """Scores of recency, frequency and monetary value.

    Attributes
    ----------
    scores : DataFrame
        Index "customer"; columns recency, frequency, monetary, r, f, m (1 to `classes`, high is good), rfm (the three
        digits as text) and total (their sum).
    classes : int
        Classes of each score.
    as_of : Timestamp
        Day at which customers are looked at.
    """

    scores: pd.DataFrame
    classes: int
    as_of: pd.Timestamp

    def to_frame(self) -> pd.DataFrame:
        """Return `scores`."""
        return self.scores.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the classes of each score: how many customers, and which values."""
        rows: list[dict[str, object]] = []
        for score, name in (("r", "recency"), ("f", "frequency"), ("m", "monetary")):
            for value, group in self.scores.groupby(score)[name]:
                rows.append(
                    {
                        "measure": name,
                        "score": int(str(value)),
                        "n": len(group),
                        "range": f"{group.min():g} to {group.max():g}",
                        "mean": float(group.mean()),
                    }
                )
        columns = (
            Column("measure", "Measure"),
            Column("score", "Score", "int"),
            Column("n", "Customers", "int"),
            Column("range", "Values"),
            Column("mean", "Mean", "number", 2),
        )
        note = (
            f"Score: 1 + ⌊{self.classes}(rank − ½)/n⌋ with mean ranks, so equal values get equal scores and classes "
            f"may differ in size; few days since the last purchase score high. At {self.as_of.date()}."
        )
        return (Table("rfm", "Recency, frequency and monetary value", columns, tuple(rows), note),)


def rfm(
    transactions: pd.DataFrame,
    *,
    customer: str = "customer",
    date: str = "date",
    amount: str = "amount",
    as_of: object | None = None,
    classes: int = 5,
) -> RFM:
    """Score customers by recency, frequency and monetary value of their purchases.

    A score is 1 + floor(classes (rank − 1/2)/n) with the mean rank of equal values: customers with the same value get
    the same score whatever their order, and the classes hold equal numbers only where values differ.

    Parameters
    ----------
    transactions : DataFrame
        One row per purchase.
    customer, date, amount : str
        Columns of the log.
    as_of : date, optional
        Day at which to look; by default the last day of the log.
    classes : int, default 5
        Classes of each score, 2 to 9.

    Returns
    -------
    RFM

    Raises
    ------
    DataError
        A log that cannot be used.
    ConfigurationError
        Another number of classes.

    References
    ----------
    Hughes, A. M. (2005). Strategic database marketing (3rd ed.). McGraw-Hill.
    """
    check_count("classes", classes, 2)
    if classes > 9:
        raise ConfigurationError(f"classes={classes} is more than one digit; use 9 at most.")
    found = purchase_behaviour(transactions, customer=customer, date=date, amount=amount, as_of=as_of)
    frame = pd.DataFrame(
        {
            "recency": found.customers["recency"],
            "frequency": found.customers["purchases"],
            "monetary": found.customers["amount"],
        }
    )
    frame["r"] = _score(-frame["recency"].to_numpy(dtype=float), classes)
    frame["f"] = _score(frame["frequency"].to_numpy(dtype=float), classes)
    frame["m"] = _score(frame["monetary"].to_numpy(dtype=float), classes)
    frame["rfm"] = frame["r"].astype(str) + frame["f"].astype(str) + frame["m"].astype(str)
    frame["total"] = frame[["r", "f", "m"]].sum(axis=1)
    return RFM(frame, classes, found.as_of)


def _score(values: Array, classes: int) -> NDArray[np.int64]:
    place = (rankdata(values) - 0.5) / len(values)
    return np.asarray(1 + np.floor(classes * place), dtype=np.int64)
