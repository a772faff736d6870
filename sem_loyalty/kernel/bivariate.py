"""The bivariate normal distribution: density and probability of the lower left quadrant, on arrays.

    Phi2(h, k, r) = Phi(h) Phi(k) + 1/(2 pi) int_0^asin(r) exp(-(h^2 + k^2 - 2 h k sin t) / (2 cos^2 t)) dt

(Plackett 1954, doi:10.1093/biomet/41.3-4.351; Drezner and Wesolowsky 1990, doi:10.1080/00949659008811236), by
Gauss-Legendre quadrature. The integrand has an essential singularity at pi / 2, so correlations near one get panels
that halve the distance to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]
Index = NDArray[np.intp]

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


@dataclass(frozen=True, slots=True)
class Corners:
    """Limits of pairs of normal variables, every one of the first with every one of the second.

    Arrays over pairs keep the order in memory of those they are made from: with the pairs side by side (Fortran order)
    NumPy's loops run over hundreds of pairs rather than over a few limits.

    Attributes
    ----------
    h, k : ndarray, shape (pairs, a) and (pairs, b)
        Limits, finite (`BEYOND` for infinity).
    product, level : ndarray, shape (pairs, a, b)
        h k and (h^2 + k^2) / 2.
    """

    h: Array
    k: Array
    product: Array
    level: Array

    def of(self, chosen: Index) -> Corners:
        """Return the corners of some of the pairs."""
        return Corners(*(by_pair(part, chosen) for part in (self.h, self.k, self.product, self.level)))


def corners(h: Array, k: Array) -> Corners:
    """Return the corners of limits of shape (pairs, a) and (pairs, b)."""
    product = h[:, :, None] * k[:, None, :]
    level = (0.5 * h * h)[:, :, None] + (0.5 * k * k)[:, None, :]
    return Corners(h, k, product, level)


def by_pair(values: Array, chosen: Index) -> Array:
    """Return values[chosen] with the chosen ones side by side in memory."""
    return values.T.take(chosen, axis=-1).T


def density(at: Corners, r: Array) -> Array:
    """Return the standard bivariate normal density at the corners, correlations r, shape (pairs, a, b)."""
    rest = 1.0 - r * r
    out = at.product * r[:, None, None]
    out -= at.level
    out *= (1.0 / rest)[:, None, None]
    np.exp(out, out=out)
    out *= (1.0 / (2.0 * np.pi * np.sqrt(rest)))[:, None, None]
    return out


def probability(at: Corners, r: Array) -> Array:
    """Return P(X <= h, Y <= k) of standard normal variables with correlation r.

    Parameters
    ----------
    at : Corners
    r : ndarray, shape (pairs,)
        Correlations, within (-1, 1).

    Returns
    -------
    ndarray, shape (pairs, a, b)
        Absolute error below 1e-13.
    """
    angle = np.arcsin(r)
    # Ends of the panels: 0, then half of the remaining distance to a right angle, and so on, up to the angle itself.
    first = float(np.arcsin(ONE_PANEL))
    low, high = np.zeros_like(angle), np.clip(angle, -first, first)
    out = _panel(at, low, high, _PANEL)
    out += ndtr(at.h)[:, :, None] * ndtr(at.k)[:, None, :]
    todo = np.flatnonzero(np.abs(high) < np.abs(angle))
    while len(todo):
        low[todo] = high[todo]
        towards = 0.5 * (np.abs(low[todo]) + 0.5 * np.pi)
        high[todo] = np.sign(angle[todo]) * np.minimum(np.abs(angle[todo]), towards)
        out[todo] += _panel(at.of(todo), low[todo], high[todo], _PANEL)
        todo = todo[np.abs(high[todo]) < np.abs(angle[todo])]
    return np.asarray(np.clip(out, 0.0, 1.0, out=out))


def shifted(joint: Array, at: Corners, low: Array, high: Array) -> Array:
    """Return the probabilities at correlations `high`, given those at `low`, shape (pairs, a, b).

    Parameters
    ----------
    joint : ndarray, shape (pairs, a, b)
        P(X <= h, Y <= k) at `low`.
    at : Corners
    low, high : ndarray, shape (pairs,)
        Correlations, within (-1, 1).
    """
    start, end = np.arcsin(low), np.arcsin(high)
    # Few nodes integrate over a step that is small beside the distance to a right angle, where the singularity is.
    distance = np.abs(end - start) / (0.5 * np.pi - np.maximum(np.abs(start), np.abs(end)))
    longest = float(distance.max(initial=0.0))
    rule = next((rule for step, rule in _STEPS if longest <= step), None)
    if rule is None:
        return probability(at, high)
    out = _panel(at, start, end, rule)
    out += joint
    return np.asarray(np.clip(out, 0.0, 1.0, out=out))


def _panel(at: Corners, low: Array, high: Array, rule: tuple[Array, Array]) -> Array:
    """Return the integral from `low` to `high`, one interval per pair, shape (pairs, a, b)."""
    nodes, weights = rule
    half = 0.5 * (high - low)
    angles = low + half * (1.0 + nodes[:, None])
    sines, shares = np.sin(angles), 1.0 / np.cos(angles) ** 2
    total, term = np.zeros_like(at.level), np.empty_like(at.level)
    for sine, share, weight in zip(sines, shares, weights.tolist(), strict=True):
        np.multiply(at.product, sine[:, None, None], out=term)
        term -= at.level
        term *= share[:, None, None]
        np.exp(term, out=term)
        term *= weight
        total += term
    total *= (half / (2.0 * np.pi))[:, None, None]
    return total
