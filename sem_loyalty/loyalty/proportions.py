"""Intervals of proportions and of differences of proportions: arrays of counts in, numbers out."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri


def wilson(count: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of a proportion.

    (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n), which stays within 0 and 1.

    Parameters
    ----------
    count, n : float
        Successes and trials.
    level : float, default 0.95
        Coverage.

    Returns
    -------
    lower, upper : float
        NaN where n is 0.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the
    American Statistical Association, 22, 209-212. doi:10.1080/01621459.1927.10502953
    """
    if n <= 0:
        return math.nan, math.nan
    z = float(ndtri(0.5 + level / 2.0))
    p, shrink = count / n, 1.0 + z * z / n
    centre = (p + z * z / (2.0 * n)) / shrink
    half = z * math.sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n)) / shrink
    # At 0 and n successes one end is exactly 0 or 1; rounding must not leave it a hair outside.
    lower = 0.0 if count == 0 else max(0.0, centre - half)
    upper = 1.0 if count == n else min(1.0, centre + half)
    return lower, upper


def difference_score(more: int, less: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return Tango's score interval of p₁ − p₂, two cells of one multinomial sample.

    The values δ with |b − c − nδ| ≤ z √(n(2q + δ(1 − δ))), where q estimates p₂ under p₁ = p₂ + δ: the larger root of
    2n q² + ((2n − b + c)δ − b − c) q − c δ(1 − δ) = 0.

    Parameters
    ----------
    more, less : int
        Counts b and c of the two cells.
    n : int
        Size of the sample, with the other cells.
    level : float, default 0.95
        Coverage.

    Returns
    -------
    lower, upper : float
        Within −1 and 1.

    References
    ----------
    Tango, T. (1998). Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design. Statistics in Medicine, 17, 891-908.
    doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B
    """
    if n <= 0:
        return math.nan, math.nan
    z = float(ndtri(0.5 + level / 2.0))
    found = (more - less) / n

    def distance(delta: float) -> float:
        b = (2 * n - more + less) * delta - more - less
        root = math.sqrt(max(b * b + 8.0 * n * less * delta * (1.0 - delta), 0.0))
        q = (root - b) / (4.0 * n)
        variance = max(n * (2.0 * q + delta * (1.0 - delta)), 1e-300)
        return (more - less - n * delta) / math.sqrt(variance)

    edge = 1.0 - 1e-12
    lower = -1.0 if found <= -edge or distance(-edge) <= z else float(brentq(lambda d: distance(d) - z, -edge, found))
    upper = 1.0 if found >= edge or distance(edge) >= -z else float(brentq(lambda d: distance(d) + z, found, edge))
    return lower, upper


def difference_bootstrap(
    more: int, less: int, n: int, *, level: float = 0.95, draws: int = 10_000, seed: int = 1
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of p₁ − p₂, two cells of one multinomial sample of size n."""
    shares = np.array([more, less, n - more - less], dtype=np.float64) / n
    drawn = np.random.Generator(np.random.PCG64(seed)).multinomial(n, shares, size=draws)
    values = (drawn[:, 0] - drawn[:, 1]) / n
    lower, upper = np.quantile(values, [0.5 - level / 2.0, 0.5 + level / 2.0])
    return float(lower), float(upper)
