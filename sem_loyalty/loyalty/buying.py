"""The BG/NBD and Gamma-Gamma models of buying: likelihoods and predictions in closed form, arrays in and out.

BG/NBD: while active a customer buys at a rate that varies by Gamma(r, α) over customers, and after each purchase
stops for good with a probability that varies by Beta(a, b). Gamma-Gamma: the amount of a purchase varies around a
customer's mean by a Gamma of shape p, and the rate of that Gamma over customers by Gamma(q, v).

Fader, P. S., Hardie, B. G. S., & Lee, K. L. (2005). "Counting your customers" the easy way: An alternative to the
Pareto/NBD model. Marketing Science, 24, 275-284. doi:10.1287/mksc.1040.0098
Fader, P. S., Hardie, B. G. S., & Lee, K. L. (2005). RFM and CLV: Using iso-value curves for customer base analysis.
Journal of Marketing Research, 42, 415-430. doi:10.1509/jmkr.2005.42.4.415
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """Buying histories, each of shape (n,).

    Attributes
    ----------
    repeats : ndarray
        x, days with a purchase after the first.
    recency : ndarray
        Weeks from the first to the last day with a purchase; 0 where there is one.
    age : ndarray
        T, weeks from the first purchase to the day of looking.
    spend : ndarray
        Mean amount of the x later days; 0 where there is none.
    """

    repeats: Array
    recency: Array
    age: Array
    spend: Array


def purchase_likelihood(theta: Array, seen: Histories) -> float:
    """Return the log-likelihood of BG/NBD at theta = ln (r, alpha, a, b), equation 6 of the paper, in logarithms."""
    r, alpha, a, b = np.exp(theta)
    x, recency, age = seen.repeats, seen.recency, seen.age
    shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    alive = -(r + x) * np.log(alpha + age)
    with np.errstate(divide="ignore"):
        left = np.where(
            x > 0, np.log(a) - np.log(np.maximum(b + x - 1.0, 1e-300)) - (r + x) * np.log(alpha + recency), -np.inf
        )
    return float((shared + np.logaddexp(alive, left)).sum())


def spend_likelihood(theta: Array, seen: Histories) -> float:
    """Return the log-likelihood of Gamma-Gamma at theta = ln (p, q, v), over customers with x > 0."""
    p, q, v = np.exp(theta)
    again = seen.repeats > 0
    x, m = seen.repeats[again], seen.spend[again]
    return float(
        (
            gammaln(p * x + q)
            - gammaln(p * x)
            - gammaln(q)
            + q * np.log(v)
            + (p * x - 1.0) * np.log(m)
            + p * x * np.log(x)
            - (p * x + q) * np.log(x * m + v)
        ).sum()
    )


def probability_active(theta: Array, seen: Histories) -> Array:
    """Return the probability that each customer has not stopped, shape (n,); 1 after a single purchase."""
    r, alpha, a, b = np.exp(theta)
    x = seen.repeats
    odds = a / np.maximum(b + x - 1.0, 1e-300) * ((alpha + seen.age) / (alpha + seen.recency)) ** (r + x)
    return np.asarray(1.0 / (1.0 + np.where(x > 0, odds, 0.0)))


def expected_purchases(theta: Array, seen: Histories, weeks: float) -> Array:
    """Return the purchases expected of each customer in the coming weeks, shape (n,), equation 10 of the paper."""
    r, alpha, a, b = np.exp(theta)
    # The formula has a removable singularity at a = 1; beside it the value is the same to nine digits.
    a = a if abs(a - 1.0) > 1e-6 else 1.0 + 1e-6
    x, age = seen.repeats, seen.age
    inner = hyp2f1(r + x, b + x, a + b + x - 1.0, weeks / (alpha + age + weeks))
    body = (a + b + x - 1.0) / (a - 1.0) * (1.0 - ((alpha + age) / (alpha + age + weeks)) ** (r + x) * inner)
    return np.asarray(body * probability_active(np.log([r, alpha, a, b]), seen))


def expected_spend(theta: Array, seen: Histories) -> Array:
    """Return the mean amount expected of a customer's purchase, p (v + x m) / (p x + q − 1), shape (n,)."""
    p, q, v = np.exp(theta)
    return np.asarray(p * (v + seen.repeats * seen.spend) / (p * seen.repeats + q - 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """The maximum of a likelihood over logarithms of parameters.

    Attributes
    ----------
    theta : ndarray, shape (k,)
        Logarithms of the parameters.
    se : ndarray, shape (k,)
        Standard errors of the logarithms, from the observed information; NaN where it is not positive definite.
    gradient : float
        Largest slope of the mean log-likelihood there, in size.
    regular : bool
        Whether the slope is at rounding error and the information is positive definite.
    """

    theta: Array
    se: Array
    gradient: float
    regular: bool


def maximum(likelihood: Callable[[Array], float], start: Array, n: int) -> Maximum:
    """Bring a solution to the exact maximum of its likelihood, and check that it is one.

    Parameters
    ----------
    likelihood : callable
        Log-likelihood of the logarithms of the parameters.
    start : ndarray, shape (k,)
        Where to begin.
    n : int
        Customers, which slopes are divided by.

    Returns
    -------
    Maximum
    """

    def cost(theta: Array) -> float:
        value = likelihood(theta)
        return -value / n if np.isfinite(value) else 1e10

    theta = np.asarray(minimize(cost, start, method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-10}).x)
    for _ in range(8):  # Newton steps on central differences bring the slope to their rounding error
        slope, curvature = _slope(cost, theta), _curvature(cost, theta)
        values = np.linalg.eigvalsh(curvature)
        if not values[0] > 0 or np.abs(slope).max() < 1e-9:
            break
        step = np.linalg.solve(curvature, slope)
        length = min(1.0, 0.5 / float(np.abs(step).max()))
        if cost(theta - length * step) > cost(theta) + 1e-12:
            break
        theta = theta - length * step
    slope, curvature = _slope(cost, theta), _curvature(cost, theta)
    positive = bool(np.linalg.eigvalsh(curvature)[0] > 1e-9)
    se = np.sqrt(np.diag(np.linalg.inv(curvature)) / n) if positive else np.full(len(theta), np.nan)
    size = float(np.abs(slope).max())
    return Maximum(theta, np.asarray(se), size, positive and size < 1e-6)


def _slope(cost: Callable[[Array], float], theta: Array, step: float = 1e-5) -> Array:
    shifts = np.eye(len(theta)) * step
    return np.array([(cost(theta + shift) - cost(theta - shift)) / (2.0 * step) for shift in shifts])


def _curvature(cost: Callable[[Array], float], theta: Array, step: float = 1e-4) -> Array:
    shifts = np.eye(len(theta)) * step
    rows = [(_slope(cost, theta + shift) - _slope(cost, theta - shift)) / (2.0 * step) for shift in shifts]
    return np.asarray((np.array(rows) + np.array(rows).T) / 2.0)
