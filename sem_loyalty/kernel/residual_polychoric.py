"""Polychoric correlations of residuals: pairs of items whose thresholds differ from respondent to respondent.

Given covariates the residuals of two responses lie in a rectangle (l_i, u_i] x (l_j, u_j] of their own for every
respondent. The correlation of a pair maximises the likelihood of these rectangles at given limits, the second stage of
Muthen (1984, doi:10.1007/BF02294210). A rectangle's probability is that of independent residuals plus an integral of
the densities at its four corners up to the correlation (Plackett 1954, doi:10.1093/biomet/41.3-4.351).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sem_loyalty.kernel.polychoric import LARGEST, LAST_STEP, LEAST, UNINFORMATIVE
from sem_loyalty.kernel.probit import interval, peak

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Numbers that are worked on at once: they stay in the processor's cache.
CHUNK = 8192
MOST_STEPS = 60
# Start values are kept away from one.
LARGEST_START = 0.9
# Nodes by the length of an interval, relative to what is left up to a right angle, where the singularity is: each rule
# leaves an error below 1e-12.
RULES = tuple(
    (reach, np.polynomial.legendre.leggauss(nodes))
    for reach, nodes in ((0.01, 2), (0.1, 4), (0.3, 5), (0.6, 7), (1.0, 9))
)


@dataclass(frozen=True, slots=True)
class ResidualPairs:
    """Correlations of the residuals of some pairs of items, with casewise scores.

    Attributes
    ----------
    first, second : ndarray of int, shape (pairs,)
        The items of every pair, in the order of the lower triangle by columns.
    rho : ndarray, shape (pairs,)
        ±0.999 where the likelihood has no maximum inside.
    score : ndarray, shape (pairs, n)
        Derivative of every respondent's log-likelihood by rho; zero where an answer is missing.
    by_first, by_second : tuple of two ndarray, each (pairs, n)
        Derivatives by the upper and the lower limit of the first and of the second residual.
    """

    first: Index
    second: Index
    rho: Array
    score: Array
    by_first: tuple[Array, Array]
    by_second: tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class _Rectangles:
    """The rectangles of some pairs: their limits, each (pairs, n), and what the integrals at the corners need.

    `half` is half the sum of squares, and `product` the product, of the two coordinates of a corner, (4, pairs, n).
    """

    limits: tuple[Array, Array, Array, Array]
    half: Array
    product: Array
    independent: Array

    def take(self, rows: Index) -> _Rectangles:
        """Return the rectangles of some of the pairs."""
        u, v, w, z = self.limits
        limits = (u[rows], v[rows], w[rows], z[rows])
        return _Rectangles(limits, self.half[:, rows], self.product[:, rows], self.independent[rows])


def residual_pairs(upper: Array, lower: Array) -> Iterator[ResidualPairs]:
    """Yield the correlations of the residuals of all pairs of items, some pairs at a time.

    Parameters
    ----------
    upper, lower : ndarray, shape (o, n)
        Limits of every residual; infinite (`BEYOND`) both ways where there is no answer.

    Notes
    -----
    Newton steps, kept inside a bracket that the sign of the score shrinks, from the correlation that the scores at
    independence suggest.
    """
    items, n = upper.shape
    first, second = np.triu_indices(items, 1)
    mass = interval(upper, lower)
    expected = (peak(lower) - peak(upper)) / mass
    information = (expected**2).mean(axis=1)
    start = (expected @ expected.T / n)[first, second] / np.maximum(information[first] * information[second], LEAST)
    start = np.clip(start, -LARGEST_START, LARGEST_START)
    size = max(1, CHUNK // n)
    for begin in range(0, len(first), size):
        i, j = first[begin : begin + size], second[begin : begin + size]
        at = _rectangles((upper[i], lower[i], upper[j], lower[j]), mass[i] * mass[j])
        answered = ((expected[i] != 0) & (expected[j] != 0)).sum(axis=1)
        rho, value, score = _most_likely(at, start[begin : begin + size], answered)
        by_upper, by_lower, by_right, by_left = _limit_slopes(at, rho, value)
        yield ResidualPairs(i, j, rho, score, (by_upper, by_lower), (by_right, by_left))


def _rectangles(limits: tuple[Array, Array, Array, Array], independent: Array) -> _Rectangles:
    """Return the rectangles between the limits of two residuals, upper and lower, of pairs of items."""
    u, v, w, z = limits
    corners = ((u, w), (u, z), (v, w), (v, z))
    half = np.stack([0.5 * (a * a + b * b) for a, b in corners])
    return _Rectangles(limits, half, np.stack([a * b for a, b in corners]), independent)


def _most_likely(at: _Rectangles, start: Array, answered: Index) -> tuple[Array, Array, Array]:
    """Return the correlations, the probabilities of the rectangles there and the casewise scores."""
    rho = start.copy()
    value = _moved(at, at.independent.copy(), np.zeros_like(rho), rho)
    low, high = np.full(len(rho), -LARGEST), np.full(len(rho), LARGEST)
    held = np.ones(len(rho))
    todo = np.arange(len(rho))
    for _iteration in range(MOST_STEPS):
        whole = len(todo) == len(rho)
        own, here = (at, rho) if whole else (at.take(todo), rho[todo])
        slope, curve = _derivatives(own, here)
        mass = np.maximum(value[todo], LEAST)
        share = slope / mass
        spread = (share * share).sum(axis=1)
        score, bend = share.sum(axis=1), (curve / mass).sum(axis=1) - spread
        held[todo] = spread / np.maximum(answered[todo], 1)
        low[todo], high[todo] = np.where(score > 0, here, low[todo]), np.where(score > 0, high[todo], here)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(bend < 0, -score / bend, np.inf)
        inside = (here + step > low[todo]) & (here + step < high[todo])
        reached = np.where(inside, here + step, 0.5 * (low[todo] + high[todo]))
        value[todo] = _moved(own, value[todo], here, reached)
        rho[todo] = reached
        settled = (inside & (np.abs(step) < LAST_STEP * np.sqrt(1.0 - here * here))) | (high[todo] - low[todo] < 1e-14)
        todo = todo[~settled]
        if not len(todo):
            break
    lost = held < UNINFORMATIVE
    rho = np.where(lost, np.where(rho < 0, -LARGEST, LARGEST), rho)
    value = np.maximum(value, LEAST)
    return rho, value, _derivatives(at, rho, curved=False)[0] / value


def _moved(at: _Rectangles, value: Array, low: Array, high: Array) -> Array:
    """Return the probabilities at correlations `high`, given those at `low`, (pairs, n)."""
    begin, end = np.arcsin(low), np.arcsin(high)
    todo = np.arange(len(low))
    while True:
        until = _next_stop(begin, end)
        reach = np.abs(until - begin) / (0.5 * np.pi - np.maximum(np.abs(begin), np.abs(until)))
        for k, (longest, rule) in enumerate(RULES):
            shortest = RULES[k - 1][0] if k else -1.0
            mine = (reach > shortest) & ((reach <= longest) | (k == len(RULES) - 1))
            if mine.any():
                rows = todo[mine]
                own = at if len(rows) == len(value) else at.take(rows)
                value[rows] += _panel(own, begin[mine], until[mine], rule)
        on = until != end
        if not on.any():
            return value
        todo, begin, end = todo[on], until[on], end[on]


def _next_stop(begin: Array, end: Array) -> Array:
    """Return how far towards `end` one interval of asin(rho) reaches.

    There is a singularity at a right angle: no interval is longer than what is left beyond it, and none passes zero.
    """
    side, distance = np.where(begin == 0.0, np.sign(end), np.sign(begin)), np.abs(begin)
    wanted = np.where(side * end < 0.0, 0.0, np.abs(end))
    return np.asarray(side * np.clip(wanted, 2.0 * distance - 0.5 * np.pi, 0.5 * (distance + 0.5 * np.pi)))


def _panel(at: _Rectangles, begin: Array, end: Array, rule: tuple[Array, Array]) -> Array:
    """Return the integral of the corner densities over one interval of asin(rho), (pairs, n)."""
    middle = 0.5 * (end - begin)
    total = np.zeros(at.independent.shape)
    for node, weight in zip(*rule, strict=True):
        t = begin + middle * (1.0 + node)
        exponent = at.product * np.sin(t)[:, None]
        exponent -= at.half
        exponent *= (1.0 / np.cos(t) ** 2)[:, None]
        np.exp(exponent, out=exponent)
        exponent[0] -= exponent[1]
        exponent[0] -= exponent[2]
        exponent[0] += exponent[3]
        exponent[0] *= (weight * middle / (2.0 * np.pi))[:, None]
        total += exponent[0]
    return total


def _derivatives(at: _Rectangles, rho: Array, *, curved: bool = True) -> tuple[Array, Array]:
    """Return first and, if asked, second derivatives of the probabilities by the correlation, each (pairs, n).

    That of a corner's distribution function is its density, whose own is rho / (1 - rho^2) plus
    (h k (1 + rho^2) - rho (h^2 + k^2)) / (1 - rho^2)^2 times it.
    """
    r = rho[:, None]
    rest = 1.0 - r * r
    height = at.product * r
    height -= at.half
    height /= rest
    np.exp(height, out=height)
    height /= 2.0 * np.pi * np.sqrt(rest)
    slope = height[0] - height[1] - height[2] + height[3]
    if not curved:
        return slope, np.zeros(0)
    bend = at.product * (1.0 + r * r)
    bend -= (2.0 * r) * at.half
    bend *= height
    curve = bend[0] - bend[1] - bend[2] + bend[3]
    curve /= rest * rest
    curve += slope * (r / rest)
    return slope, curve


def _limit_slopes(at: _Rectangles, rho: Array, value: Array) -> tuple[Array, Array, Array, Array]:
    """Return the derivatives of the log-likelihood by the four limits, each (pairs, n).

    Raising an upper limit u adds phi(u) [Phi((w - rho u) / s) - Phi((z - rho u) / s)], w and z the limits of the other
    residual and s^2 = 1 - rho^2.
    """
    r = rho[:, None]
    s = np.sqrt(1.0 - r * r)
    u, v, w, z = at.limits

    def along(limit: Array, above: Array, below: Array) -> Array:
        return np.asarray(peak(limit) * (ndtr((above - r * limit) / s) - ndtr((below - r * limit) / s)) / value)

    return along(u, w, z), -along(v, w, z), along(w, u, v), -along(z, u, v)
