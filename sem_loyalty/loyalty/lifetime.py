"""Customer lifetime value from a transaction log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Column, Table
from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.loyalty.behaviour import last_day
from sem_loyalty.loyalty.buying import (
    Histories,
    Maximum,
    expected_purchases,
    expected_spend,
    maximum,
    probability_active,
    purchase_likelihood,
    spend_likelihood,
)
from sem_loyalty.loyalty.pymc_engine import fit_buying
from sem_loyalty.loyalty.shown import Shown
from sem_loyalty.loyalty.transactions import Log, read_log

Array = NDArray[np.float64]
PURCHASES, SPEND = ("r", "alpha", "a", "b"), ("p", "q", "v")
WEEKS_PER_YEAR = 365.25 / 7.0


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class LifetimeValue(Shown):
    """What customers are expected to spend.

    Attributes
    ----------
    customers : DataFrame
        Index "customer"; columns repeats, recency, age (weeks), spend (mean of the later days), p_active, purchases
        (expected in the horizon), purchase_value (expected amount of one) and clv (discounted, after margin).
    parameters : DataFrame
        Index "parameter": r, alpha, a, b (BG/NBD) and p, q, v (Gamma-Gamma); columns est and se (NaN where given).
    correlation : float
        Between repeats and spend over customers with both: Gamma-Gamma takes them to be independent.
    horizon : int
        Weeks.
    discount, margin : float
        Yearly rate, and the part of spending that counts.
    problems : tuple of str
        Why the numbers should not be reported; empty where nothing is wrong.
    """

    customers: pd.DataFrame
    parameters: pd.DataFrame
    correlation: float
    horizon: int
    discount: float
    margin: float
    problems: tuple[str, ...]

    @property
    def certified(self) -> bool:
        """Whether both models are at a regular maximum with a finite mean."""
        return not self.problems

    def warning(self) -> str:
        """Return what is wrong with the fit, or ""."""
        return f"NOT CERTIFIED: do not report these values. {' '.join(self.problems)}" if self.problems else ""

    def to_frame(self) -> pd.DataFrame:
        """Return `customers`."""
        return self.customers.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the distribution of value over customers, and the parameters."""
        value = self.customers["clv"]
        share = value.sort_values(ascending=False).cumsum() / value.sum()
        tenth = max(1, round(len(value) / 10))
        rows: tuple[dict[str, object], ...] = (
            {"what": "customers", "value": float(len(value))},
            {"what": f"expected purchases in {self.horizon} weeks, mean", "value": self.customers["purchases"].mean()},
            {"what": "lifetime value, sum", "value": value.sum()},
            {"what": "lifetime value, mean", "value": value.mean()},
            {"what": "lifetime value, median", "value": value.median()},
            {"what": "share of the most valuable tenth", "value": float(share.iloc[tenth - 1])},
        )
        note = (
            f"BG/NBD and Gamma-Gamma; {self.horizon} weeks, {100 * self.discount:g}% a year, margin {self.margin:g}. "
            f"Repeat purchases and amounts correlate {self.correlation:.2f}; the model takes 0."
        )
        columns = (Column("what", "Quantity"), Column("value", "Value", "number", 2))
        first = Table("lifetime-value", "Customer lifetime value", columns, rows, note)
        second = Table.from_frame(
            self.parameters, id="lifetime-parameters", caption="Parameters of purchases and amounts"
        )
        return first, second


def lifetime_value(
    transactions: pd.DataFrame,
    *,
    customer: str = "customer",
    date: str = "date",
    amount: str = "amount",
    as_of: object | None = None,
    horizon: int = 52,
    discount: float = 0.10,
    margin: float = 1.0,
    parameters: Mapping[str, float] | None = None,
) -> LifetimeValue:
    """Return what each customer is expected to spend in the coming weeks, discounted to today.

    Purchases follow the BG/NBD model and amounts the Gamma-Gamma model, fitted by pymc-marketing (the extra ``clv``)
    under flat priors, which is maximum likelihood. Its solution is then brought to the exact maximum of the
    likelihood in closed form, and checked there. Days with several purchases count once, amounts added up; a week
    is the unit of time.

    Parameters
    ----------
    transactions : DataFrame
        One row per purchase.
    customer, date, amount : str
        Columns of the log.
    as_of : date, optional
        Day at which to look; by default the last day of the log.
    horizon : int, default 52
        Weeks ahead.
    discount : float, default 0.10
        Yearly rate of discount.
    margin : float, default 1.0
        Part of spending that counts as value, above 0 up to 1; 1 gives revenue.
    parameters : mapping, optional
        r, alpha, a, b, p, q, v of an earlier fit, in weeks and the currency of the log; nothing is then fitted and
        pymc-marketing is not needed.

    Returns
    -------
    LifetimeValue
        clv = margin · E(amount) · Σ_w (E X(w) − E X(w − 1)) / (1 + discount)^(w/52.18) over weeks w of the horizon.

    Raises
    ------
    NotSupported
        pymc-marketing is not installed and no parameters are given.
    DataError
        A log that cannot be used, or with fewer than ten customers who came back.
    ConfigurationError
        A horizon, rate, margin or parameters that make no sense.

    References
    ----------
    Fader, P. S., Hardie, B. G. S., & Lee, K. L. (2005). "Counting your customers" the easy way: An alternative to the
    Pareto/NBD model. Marketing Science, 24, 275-284. doi:10.1287/mksc.1040.0098
    Fader, P. S., Hardie, B. G. S., & Lee, K. L. (2005). RFM and CLV: Using iso-value curves for customer base
    analysis. Journal of Marketing Research, 42, 415-430. doi:10.1509/jmkr.2005.42.4.415
    """
    if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1:
        raise ConfigurationError(f"horizon={horizon!r} must be a whole number of weeks, 1 or more.")
    if not 0.0 <= discount < 1.0 or not 0.0 < margin <= 1.0:
        raise ConfigurationError(f"discount={discount!r} must lie in [0, 1) and margin={margin!r} in (0, 1].")
    log = read_log(transactions, customer=customer, date=date, amount=amount)
    names, seen = histories(log, last_day(log, as_of))
    again = seen.repeats > 0
    problems: tuple[str, ...] = ()
    if parameters is not None:
        theta, eta = _given(parameters)
        errors = np.full(7, np.nan)
    else:
        if int(again.sum()) < 10:
            raise DataError(f"{int(again.sum())} customers came back after their first purchase; ten are needed.")
        if bool((seen.spend[again] <= 0).any()):
            raise DataError(
                "Customers whose later purchases all cost nothing: leave them out; amounts must be positive."
            )
        theta, eta, errors, problems = _fitted(seen)
    if eta[1] <= 0.0:
        problems = (*problems, "q is not above 1: the expected amount of a purchase does not exist.")
    weekly = np.array([expected_purchases(theta, seen, float(week)) for week in range(1, horizon + 1)])
    steps = np.diff(weekly, axis=0, prepend=np.zeros((1, len(names))))
    rates = (1.0 + discount) ** (-np.arange(1, horizon + 1) / WEEKS_PER_YEAR)
    spend = expected_spend(eta, seen)
    frame = pd.DataFrame(
        {
            "repeats": seen.repeats.astype(int),
            "recency": seen.recency,
            "age": seen.age,
            "spend": np.where(again, seen.spend, np.nan),
            "p_active": probability_active(theta, seen),
            "purchases": weekly[-1],
            "purchase_value": spend,
            "clv": margin * spend * (rates @ steps),
        },
        index=pd.Index(names, name="customer"),
    )
    both = np.corrcoef(seen.repeats[again], seen.spend[again])[0, 1] if int(again.sum()) > 2 else np.nan
    table = pd.DataFrame(
        {"est": np.exp(np.concatenate([theta, eta])), "se": errors},
        index=pd.Index([*PURCHASES, *SPEND], name="parameter"),
    )
    return LifetimeValue(frame, table, float(both), horizon, discount, margin, problems)


def histories(log: Log, end: np.datetime64) -> tuple[list[str], Histories]:
    """Return the customers of a log, sorted, with their buying histories in weeks up to the day `end`."""
    amount = log.amount if log.amount is not None else np.zeros(len(log.day))
    days = pd.DataFrame({"customer": log.customer, "day": log.day.astype("datetime64[s]"), "amount": amount})
    daily = days.groupby(["customer", "day"], sort=True)["amount"].sum().reset_index()
    grouped = daily.groupby("customer", sort=True)
    first, last = grouped["day"].min(), grouped["day"].max()
    later = grouped["amount"].sum() - grouped["amount"].first()
    repeats = np.asarray(grouped.size(), dtype=np.float64) - 1.0
    begun, ended = (column.to_numpy().astype("datetime64[D]") for column in (first, last))
    seen = Histories(
        repeats=repeats,
        recency=(ended - begun).astype(np.float64) / 7.0,
        age=(end - begun).astype(np.float64) / 7.0,
        spend=np.where(repeats > 0, later.to_numpy(dtype=float) / np.maximum(repeats, 1.0), 0.0),
    )
    return [str(name) for name in first.index], seen


def _given(parameters: Mapping[str, float]) -> tuple[Array, Array]:
    wanted = {*PURCHASES, *SPEND}
    if set(parameters) != wanted or not all(np.isfinite(v) and v > 0 for v in parameters.values()):
        raise ConfigurationError(f"parameters must be positive numbers {', '.join((*PURCHASES, *SPEND))}.")
    return np.log([parameters[name] for name in PURCHASES]), np.log([parameters[name] for name in SPEND])


def _fitted(seen: Histories) -> tuple[Array, Array, Array, tuple[str, ...]]:
    """Return the logarithms of the parameters of both models, standard errors of all, and problems."""
    start, begin = fit_buying(seen)
    bought = maximum(lambda theta: purchase_likelihood(theta, seen), start, len(seen.repeats))
    paid = maximum(lambda theta: spend_likelihood(theta, seen), begin, int((seen.repeats > 0).sum()))
    problems = tuple(
        f"{name}: no regular maximum of the likelihood (slope {found.gradient:.1g}); the log says too little about "
        f"{what}."
        for name, what, found in (("BG/NBD", "who stops", bought), ("Gamma-Gamma", "how amounts differ", paid))
        if not found.regular
    )
    return bought.theta, paid.theta, np.concatenate([_errors(bought), _errors(paid)]), problems


def _errors(found: Maximum) -> Array:
    """Return standard errors of the parameters themselves (delta method)."""
    return np.asarray(np.exp(found.theta) * found.se)
