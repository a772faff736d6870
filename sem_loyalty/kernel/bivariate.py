"""The bivariate normal distribution: density and probability of the lower left quadrant, on arrays.

    Phi2(h, k, r) = Phi(h) Phi(k) + 1/(2 pi) int_0^asin(r) exp(-(h^2 + k^2 - 2 h k sin t) / (2 cos^2 t)) dt

(Plackett 1954, doi:10.1093/biomet/41.3-4.351; Drezner and Wesolowsky 1990, doi:10.1080/00949659008811236), by
Gauss-Legendre quadrature. The integrand has an essential singularity at pi / 2, so correlations near one get panels
that halve the distance to it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

# Twelve nodes leave an error below 1e-15 up to this correlation, and over each panel after it.
ONE_PANEL = 0.75
_PANEL = np.polynomial.legendre.leggauss(12)
# Steps, relative to what is left up to a right angle, and the rules that integrate them as exactly.
_STEPS = tuple(
    (longest, np.polynomial.legendre.leggauss(nodes))
    for longest, nodes in ((1e-5, 1), (2e-3, 2), (0.02, 3), (0.05, 4), (0.25, 8))
)
# Stands for an infinite threshold: the density is zero there and the distribution function one, in floating point.
BEYOND = 40.0


def density(h: Array, k: Array, r: Array) -> Array:
    """Return the standard bivariate normal density at (h, k), correlation r, broadcast."""
    rest = 1.0 - r * r
    return np.asarray(np.exp(-(h * h + k * k - 2.0 * r * h * k) / (2.0 * rest)) / (2.0 * np.pi * np.sqrt(rest)))


def probability(h: Array, k: Array, r: Array) -> Array:
    """Return P(X <= h, Y <= k) of standard normal variables with correlation r.

    Parameters
    ----------
    h, k : ndarray, shape (pairs, a) and (pairs, b)
        Limits of every pair; finite (`BEYOND` for infinity).
    r : ndarray, shape (pairs,)
        Correlations, within (-1, 1).

    Returns
    -------
    ndarray, shape (pairs, a, b)
        Absolute error below 1e-13.
    """
    out = ndtr(h)[:, :, None] * ndtr(k)[:, None, :]
    level = 0.5 * (h * h)[:, :, None] + 0.5 * (k * k)[:, None, :]
    product = h[:, :, None] * k[:, None, :]
    angle = np.arcsin(r)
    # Ends of the panels: 0, then half of the remaining distance to a right angle, and so on, up to the angle itself.
    first = float(np.arcsin(ONE_PANEL))
    low, high = np.zeros_like(angle), np.clip(angle, -first, first)
    todo = np.arange(len(r))
    while len(todo):
        out[todo] += _panel(level[todo], product[todo], low[todo], high[todo], _PANEL)
        todo = todo[np.abs(high[todo]) < np.abs(angle[todo])]
        low[todo] = high[todo]
        towards = 0.5 * (np.abs(low[todo]) + 0.5 * np.pi)
        high[todo] = np.sign(angle[todo]) * np.minimum(np.abs(angle[todo]), towards)
    return np.asarray(np.clip(out, 0.0, 1.0))


def shifted(joint: Array, h: Array, k: Array, low: Array, high: Array) -> Array:
    """Return the probabilities at correlations `high`, given those at `low`, shape (pairs, a, b).

    Parameters
    ----------
    joint : ndarray, shape (pairs, a, b)
        P(X <= h, Y <= k) at `low`.
    h, k : ndarray, shape (pairs, a) and (pairs, b)
    low, high : ndarray, shape (pairs,)
        Correlations, within (-1, 1).
    """
    start, end = np.arcsin(low), np.arcsin(high)
    # Few nodes integrate over a step that is small beside the distance to a right angle, where the singularity is.
    distance = np.abs(end - start) / (0.5 * np.pi - np.maximum(np.abs(start), np.abs(end)))
    longest = float(distance.max(initial=0.0))
    rule = next((rule for step, rule in _STEPS if longest <= step), None)
    if rule is None:
        return probability(h, k, high)
    level = 0.5 * (h * h)[:, :, None] + 0.5 * (k * k)[:, None, :]
    product = h[:, :, None] * k[:, None, :]
    return np.asarray(np.clip(joint + _panel(level, product, start, end, rule), 0.0, 1.0))


def _panel(level: Array, product: Array, low: Array, high: Array, rule: tuple[Array, Array]) -> Array:
    """Return the integral from `low` to `high`, one interval per pair, shape (pairs, a, b)."""
    nodes, weights = rule
    half = 0.5 * (high - low)
    angles = low + half * (1.0 + nodes[:, None])
    sines, shares = np.sin(angles), 1.0 / np.cos(angles) ** 2
    heights = weights[:, None] * half / (2.0 * np.pi)
    total, term = np.zeros_like(level), np.empty_like(level)
    for sine, share, height in zip(sines, shares, heights, strict=True):
        np.multiply(product, sine[:, None, None], out=term)
        term -= level
        term *= share[:, None, None]
        np.exp(term, out=term)
        term *= height[:, None, None]
        total += term
    return total
