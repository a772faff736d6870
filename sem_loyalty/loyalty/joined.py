"""Survey joined to behaviour, so that what customers say can explain what they do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sem_loyalty.display import Column, Table
from sem_loyalty.errors import ConfigurationError, DataError, check_choice
from sem_loyalty.loyalty.behaviour import purchase_behaviour
from sem_loyalty.loyalty.shown import Shown
from sem_loyalty.loyalty.transactions import identifiers
from sem_loyalty.survey.answers import check_columns, is_missing, listing

ABSENT = ("missing", "zero", "drop")
# Bought nothing: counts and amounts are zero, while times and means of purchases do not exist.
_ZERO = ("purchases", "purchase_days", "amount")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class JoinedBehaviour(Shown):
    """A survey with the behaviour of its respondents.

    Attributes
    ----------
    data : DataFrame
        The survey in its order, with its own columns and, for each respondent, those of `purchase_behaviour` (without
        dates) and log_amount and log_purchases, ln(1 + value).
    matched, survey_only, log_only : int
        Respondents found in the log, respondents not found there, and customers of the log who did not answer.
    unmatched_survey, unmatched_log : tuple of str
        Their identifiers.
    absent : str
        What became of the respondents who are not in the log.
    """

    data: pd.DataFrame
    matched: int
    survey_only: int
    log_only: int
    unmatched_survey: tuple[str, ...]
    unmatched_log: tuple[str, ...]
    absent: str

    def to_frame(self) -> pd.DataFrame:
        """Return `data`."""
        return self.data.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the counts of the join."""
        rows: tuple[dict[str, object], ...] = (
            {"what": "respondents with transactions", "n": self.matched},
            {"what": "respondents without transactions", "n": self.survey_only},
            {"what": "customers in the log who did not answer", "n": self.log_only},
        )
        meaning = {
            "missing": "their behaviour is missing",
            "zero": "they count as having bought nothing",
            "drop": "they are left out",
        }
        columns = (Column("what", "Join"), Column("n", "n", "int"))
        note = f"Respondents without transactions: {meaning[self.absent]}."
        return (Table("join", "Survey joined to transactions", columns, rows, note),)


def join_behaviour(
    survey: pd.DataFrame,
    transactions: pd.DataFrame,
    *,
    on: str = "id",
    customer: str = "customer",
    date: str = "date",
    amount: str = "amount",
    as_of: object | None = None,
    category_spend: Mapping[str, float] | pd.Series | None = None,
    absent: str = "missing",
) -> JoinedBehaviour:
    """Join a survey to the behaviour of its respondents in a transaction log.

    The behavioural columns can then stand in a model as observed variables, for instance ``log_amount ~ LOY``.

    Parameters
    ----------
    survey : DataFrame
        One row per respondent.
    transactions : DataFrame
        One row per purchase.
    on : str, default "id"
        Column of the survey with the identifier.
    customer, date, amount : str
        Columns of the log; `customer` holds the same identifiers, as text or as whole numbers.
    as_of : date, optional
        As in `purchase_behaviour`.
    category_spend : mapping or Series, optional
        As in `purchase_behaviour`.
    absent : {"missing", "zero", "drop"}, default "missing"
        Respondents who are not in the log: their behaviour is missing; or they bought nothing (right only if the log
        is complete and identifiers cannot fail); or they are left out.

    Returns
    -------
    JoinedBehaviour

    Raises
    ------
    DataError
        Identifiers that are missing or stand twice in the survey, nobody in common, a column of the survey that has
        the name of a behavioural one, or a log that cannot be used.
    ConfigurationError
        An unknown value of `absent`.
    """
    check_choice("absent", absent, ABSENT)
    check_columns(survey, [on], what="Identifier")
    blank = [row for row, value in enumerate(survey[on]) if is_missing(value) or str(value).strip() == ""]
    if blank:
        raise DataError(f"'{on}': {len(blank)} respondents without an identifier, the first in row {blank[0] + 1}.")
    who = identifiers(survey[on])
    names, counts = np.unique(who, return_counts=True)
    twice = [str(name) for name in names[counts > 1]]
    if twice:
        raise DataError(
            f"'{on}': {len(twice)} identifiers stand in more than one row of the survey: {listing(twice, shown=5)}. "
            "Keep one row each; a purchase cannot belong to two respondents."
        )
    found = purchase_behaviour(
        transactions, customer=customer, date=date, amount=amount, as_of=as_of, category_spend=category_spend
    ).customers.drop(columns=["first", "last"])
    known = np.isin(who, found.index.to_numpy(dtype=str))
    if not known.any():
        raise DataError(
            f"No respondent is in the log. The survey's '{on}' begins {who[0]!r}, the log's '{customer}' "
            f"{found.index[0]!r}: bring them to the same form."
        )
    clash = [name for name in (*found.columns, "log_amount", "log_purchases") if name in survey.columns]
    if clash:
        raise ConfigurationError(f"The survey has columns called {', '.join(clash)}; rename them before joining.")
    behaviour = found.reindex(who).set_axis(survey.index)
    if absent == "zero":
        behaviour.loc[~known, list(_ZERO)] = 0.0
    behaviour["log_amount"] = np.log1p(behaviour["amount"])
    behaviour["log_purchases"] = np.log1p(behaviour["purchases"])
    data = pd.concat([survey, behaviour], axis=1)
    outside = sorted(set(found.index) - set(who.tolist()))
    return JoinedBehaviour(
        data=data[known] if absent == "drop" else data,
        matched=int(known.sum()),
        survey_only=int((~known).sum()),
        log_only=len(outside),
        unmatched_survey=tuple(str(name) for name in who[~known]),
        unmatched_log=tuple(outside),
        absent=absent,
    )
