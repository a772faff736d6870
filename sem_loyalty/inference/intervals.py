"""Intervals and p-values from bootstrap draws.

Davison and Hinkley 1997, Bootstrap Methods and their Application, doi:10.1017/CBO9780511802843; Efron 1987,
doi:10.1080/01621459.1987.10478410.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[np.float64]

INTERVALS = ("bca", "percentile", "basic")


def quantiles(ordered: Array, probability: Array) -> Array:
    """Return quantiles at the position (R + 1) probability, linear between draws, shape (k,).

    Parameters
    ----------
    ordered : ndarray, shape (k, R)
        Draws, sorted along the rows.
    probability : ndarray, shape (k,)
        A position before the first or after the last draw gives that draw; nan gives nan.
    """
    draws = ordered.shape[1]
    position = np.clip((draws + 1) * probability - 1.0, 0.0, draws - 1.0)
    below = np.floor(np.where(np.isnan(position), 0.0, position)).astype(np.intp)
    above = np.minimum(below + 1, draws - 1)
    row = np.arange(len(ordered))
    share = position - below
    return np.asarray((1.0 - share) * ordered[row, below] + share * ordered[row, above])


def interval(estimate: Array, draws: Array, kind: str, level: float, acceleration: Array) -> tuple[Array, Array]:
    """Return the lower and upper ends of bootstrap intervals, each (k,).

    Parameters
    ----------
    estimate : ndarray, shape (k,)
        Full-sample estimates.
    draws : ndarray, shape (k, R)
    kind : {"bca", "percentile", "basic"}
        percentile: the quantiles q(alpha / 2) and q(1 - alpha / 2) of the draws. basic: 2 est - q(1 - alpha / 2) and
        2 est - q(alpha / 2). bca: quantiles at Phi(z0 + (z0 + z) / (1 - a (z0 + z))), with z0 = Phi^-1 of the share of
        draws below the estimate, ties counted half, and a the acceleration.
    level : float
        Coverage.
    acceleration : ndarray, shape (k,)
        a; used by "bca".

    Notes
    -----
    nan where the draws do not vary or are not all finite.
    """
    tail = 0.5 * (1.0 - level)
    ordered = np.sort(draws, axis=1)
    varies = np.isfinite(draws).all(axis=1) & (np.ptp(draws, axis=1) > 0)
    ends = np.tile(np.array([tail, 1.0 - tail]), (len(estimate), 1))
    if kind == "bca":
        shift = _shift(estimate, draws)
        with np.errstate(invalid="ignore"):
            for side in range(2):
                z = shift + ndtri(ends[:, side])
                ends[:, side] = ndtr(shift + z / (1.0 - acceleration * z))
    lower, upper = quantiles(ordered, ends[:, 0]), quantiles(ordered, ends[:, 1])
    if kind == "basic":
        lower, upper = 2.0 * estimate - upper, 2.0 * estimate - lower
    return np.where(varies, lower, np.nan), np.where(varies, upper, np.nan)


def two_sided_p(estimate: Array, draws: Array, kind: str, acceleration: Array) -> Array:
    """Return p-values that go with the intervals: the level at which the interval would begin to contain zero, (k,).

    Parameters
    ----------
    estimate, draws, kind, acceleration
        As in `interval`.

    Notes
    -----
    With r = (min(#{draw <= 0}, #{draw >= 0}) + 1) / (R + 1) the tail beyond zero, p is 2 r for the percentile interval;
    the same with draws reflected, 2 est - draw, for the basic one; and 2 Phi(-|w / (1 + a w) - z0|), w = Phi^-1(r) - z0
    (r from below), for bca, the inverse of its formula. At most 1, and never zero, since a finite number of draws
    cannot say so. nan where the draws do not vary or are not all finite.
    """
    count = draws.shape[1]
    at = 2.0 * estimate[:, None] if kind == "basic" else np.zeros((len(draws), 1))
    below, above = (draws <= at).sum(axis=1), (draws >= at).sum(axis=1)
    tail = (np.minimum(below, above) + 1.0) / (count + 1.0)
    found = np.minimum(1.0, 2.0 * tail)
    if kind == "bca":
        shift = _shift(estimate, draws)
        w = ndtri(np.where(below <= above, tail, 1.0 - tail)) - shift
        with np.errstate(invalid="ignore", divide="ignore"):
            found = 2.0 * ndtr(-np.abs(w / (1.0 + acceleration * w) - shift))
        found = np.clip(found, 2.0 / (count + 1.0), 1.0)
    varies = np.isfinite(draws).all(axis=1) & (np.ptp(draws, axis=1) > 0)
    return np.where(varies, found, np.nan)


def _shift(estimate: Array, draws: Array) -> Array:
    """Return z0 = Phi^-1 of the share of draws below the estimate, ties counted half, shape (k,)."""
    below = (draws < estimate[:, None]).mean(axis=1) + 0.5 * (draws == estimate[:, None]).mean(axis=1)
    return np.asarray(ndtri(below))


def acceleration(influence: Array) -> Array:
    """Return a = sum u^3 / (6 (sum u^2)^1.5) from the influence of every respondent, (k, n), shape (k,).

    The empirical influence stands in for the jackknife, est - est without i, which it equals to the first order.
    """
    square = (influence**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (influence**3).sum(axis=1) / (6.0 * square**1.5)
    return np.where(square > 0, found, 0.0)
