"""Fit indices as pure numbers: chi-squares and degrees of freedom in, one index out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import chdtrc, chdtri, chndtr

NAN = float("nan")


def chisq_pvalue(chisq: float, df: int) -> float:
    """Return P(X > chisq) of a chi-square with df degrees of freedom; nan for df 0."""
    return float(chdtrc(df, chisq)) if df > 0 else NAN


def cfi(chisq: float, df: int, baseline: float, baseline_df: int) -> float:
    """Return the comparative fit index (Bentler 1990, doi:10.1037/0033-2909.107.2.238).

    1 - max(chisq - df, 0) / max(baseline - baseline_df, chisq - df, 0); 1 for df 0.
    """
    if df == 0:
        return 1.0
    top = max(chisq - df, 0.0)
    bottom = max(chisq - df, baseline - baseline_df, 0.0)
    return 1.0 - top / bottom if bottom > 0 else 1.0


def tli(chisq: float, df: int, baseline: float, baseline_df: int) -> float:
    """Return the Tucker-Lewis index (Tucker and Lewis 1973, doi:10.1007/BF02291170); 1 for df 0."""
    if df == 0:
        return 1.0
    if baseline_df == 0 or baseline == baseline_df:
        return NAN
    return (baseline / baseline_df - chisq / df) / (baseline / baseline_df - 1.0)


def nfi(chisq: float, baseline: float) -> float:
    """Return the normed fit index (Bentler and Bonett 1980, doi:10.1037/0033-2909.88.3.588)."""
    return (baseline - chisq) / baseline if baseline > 0 else NAN


def rfi(chisq: float, df: int, baseline: float, baseline_df: int) -> float:
    """Return the relative fit index (Bollen 1986, doi:10.1007/BF02294061); 1 for df 0.

    A model that fits worse, per degree of freedom, than independence has no meaningful index; it is printed as 1,
    as lavaan does, and the Tucker-Lewis index shows the misfit.
    """
    if df == 0:
        return 1.0
    if baseline_df == 0:
        return NAN
    top = baseline / baseline_df - chisq / df
    return top / (baseline / baseline_df) if top >= 0 and baseline > 0 else 1.0


def ifi(chisq: float, df: int, baseline: float) -> float:
    """Return the incremental fit index (Bollen 1989, doi:10.1177/0049124189017003004)."""
    return (baseline - chisq) / (baseline - df) if baseline != df else NAN


def rni(chisq: float, df: int, baseline: float, baseline_df: int) -> float:
    """Return the relative noncentrality index (McDonald and Marsh 1990, doi:10.1037/0033-2909.107.2.247)."""
    if df == 0:
        return 1.0
    bottom = baseline - baseline_df
    return ((baseline - baseline_df) - (chisq - df)) / bottom if bottom != 0 else NAN


def rmsea(chisq: float, df: int, n: int, groups: int = 1) -> float:
    """Return sqrt(max(chisq - df, 0) / (df N)) sqrt(groups); 0 for df 0 (Steiger 1990, 1998).

    doi:10.1207/s15327906mbr2502_4, doi:10.1080/10705519809540115.
    """
    if df == 0:
        return 0.0
    return float(np.sqrt(max(chisq - df, 0.0) / (df * n)) * np.sqrt(groups))


def rmsea_interval(chisq: float, df: float, n: int, groups: int = 1, level: float = 0.90) -> tuple[float, float]:
    """Return the interval of RMSEA from noncentral chi-square distributions (Browne and Cudeck 1993).

    doi:10.1177/0049124192021002005. (0, 0) for df 0.
    """
    if df == 0:
        return 0.0, 0.0
    tail = (1.0 - level) / 2.0

    def at(probability: float) -> float:
        if chndtr(chisq, df, 0.0) < probability:
            return 0.0
        found = _root(lambda nc: float(chndtr(chisq, df, nc)) - probability, max(chisq, 1.0))
        return float(np.sqrt(found / (df * n)) * np.sqrt(groups))

    return at(1.0 - tail), at(tail)


def _root(function: Callable[[float], float], start: float) -> float:
    """Return where a decreasing function of a nonnegative number crosses zero, to rounding.

    Regula falsi in the Illinois variant (Dowell and Jarratt 1971, doi:10.1007/BF01934364): the end that stays is given
    half its value, so that both ends close in; bisection where that is slow.
    """
    low, high = 0.0, start
    at_low, at_high = function(low), function(high)
    while at_high > 0:
        low, at_low = high, at_high
        high *= 2.0
        at_high = function(high)
    side, before = 0, np.inf
    for step in range(200):
        middle = low + (high - low) * at_low / (at_low - at_high)
        if not (step % 8 and low < middle < high):
            middle = 0.5 * (low + high)
            if middle in (low, high):
                break
        value = function(middle)
        if abs(middle - before) <= 1e-15 * middle or value == 0.0:
            return middle
        before = middle
        if value > 0:
            low, at_low = middle, value
            at_high = 0.5 * at_high if side > 0 else at_high
            side = 1
        else:
            high, at_high = middle, value
            at_low = 0.5 * at_low if side < 0 else at_low
            side = -1
    return 0.5 * (low + high)


def rmsea_close(chisq: float, df: float, n: int, groups: int = 1, bound: float = 0.05) -> float:
    """Return the p-value of the hypothesis RMSEA <= bound; nan for df 0."""
    if df == 0:
        return NAN
    return 1.0 - float(chndtr(chisq, df, n * df * bound**2 / groups))


def rmsea_notclose(chisq: float, df: int, n: int, groups: int = 1, bound: float = 0.08) -> float:
    """Return the p-value of the hypothesis RMSEA >= bound; nan for df 0."""
    if df == 0:
        return NAN
    return float(chndtr(chisq, df, n * df * bound**2 / groups))


def hoelter_n(chisq: float, df: int, n: int, alpha: float) -> float:
    """Return the largest N at which the model would not be rejected (Hoelter 1983, doi:10.1177/0049124183011003003)."""
    if df == 0 or chisq <= 0:
        return NAN
    return float(chdtri(df, alpha)) / (chisq / n) + 1.0


def mfi(chisq: float, df: int, n: int) -> float:
    """Return exp(-(chisq - df) / (2 N)) (McDonald 1989, doi:10.1007/BF01908590)."""
    return float(np.exp(-0.5 * (chisq - df) / n))
