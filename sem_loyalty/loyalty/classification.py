"""How well probabilities predict a yes or no: discrimination and calibration, on arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, expit, logit, ndtri
from scipy.stats import rankdata

Array = NDArray[np.float64]


def auc(y: Array, p: Array, *, level: float = 0.95) -> tuple[float, float, float, float]:
    """Return the area under the ROC curve, DeLong's standard error, and an interval on the logit scale.

    The area is the probability that a random yes has a larger p than a random no, ties counted half.

    Parameters
    ----------
    y : ndarray, shape (n,)
        1 for yes, 0 for no; both occur.
    p : ndarray, shape (n,)
        Predictions; only their order matters.
    level : float, default 0.95
        Coverage.

    Returns
    -------
    area, se, lower, upper : float
        The interval is NaN where the area is 0 or 1.

    References
    ----------
    DeLong, E. R., DeLong, D. M., & Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated
    receiver operating characteristic curves: A nonparametric approach. Biometrics, 44, 837-845. doi:10.2307/2531595
    """
    yes, no = p[y == 1], p[y == 0]
    m, n = len(yes), len(no)
    together = rankdata(np.concatenate([yes, no]))
    above = (together[:m] - rankdata(yes)) / n  # share of the noes below each yes
    below = 1.0 - (together[m:] - rankdata(no)) / m
    area = float(above.mean())
    if m < 2 or n < 2:
        return area, math.nan, math.nan, math.nan
    se = math.sqrt(float(above.var(ddof=1)) / m + float(below.var(ddof=1)) / n)
    if not 0.0 < area < 1.0:
        return area, se, math.nan, math.nan
    half = float(ndtri(0.5 + level / 2.0)) * se / (area * (1.0 - area))
    return area, se, float(expit(logit(area) - half)), float(expit(logit(area) + half))


def roc(y: Array, p: Array) -> tuple[Array, Array, Array]:
    """Return the ROC curve: false positive rate, true positive rate and threshold, from (0, 0) to (1, 1)."""
    order = np.argsort(-p, kind="stable")
    ranked, hits = p[order], y[order]
    last = np.append(np.diff(ranked) != 0, True)  # equal predictions are passed together
    true, false = np.cumsum(hits)[last], np.cumsum(1.0 - hits)[last]
    return (
        np.concatenate([[0.0], false / false[-1]]),
        np.concatenate([[0.0], true / true[-1]]),
        np.concatenate([[np.inf], ranked[last]]),
    )


def brier(y: Array, p: Array) -> float:
    """Return the mean squared difference of outcome and probability.

    References
    ----------
    Brier, G. W. (1950). Verification of forecasts expressed in terms of probability. Monthly Weather Review, 78, 1-3.
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
    """
    return float(((y - p) ** 2).mean())


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Outcomes against probabilities in groups of about equal size.

    Attributes
    ----------
    n, predicted, observed : ndarray, shape (g,)
        Size, mean probability and share of yes in each group, by rising probability.
    chisq, pvalue : float
        Hosmer and Lemeshow's statistic and its p value.
    df : int
        g − 2.
    """

    n: NDArray[np.intp]
    predicted: Array
    observed: Array
    chisq: float
    df: int
    pvalue: float


def calibration(y: Array, p: Array, groups: int = 10) -> Calibration:
    """Return the calibration of probabilities in groups, with Hosmer and Lemeshow's test.

    Groups are cut at quantiles of p; equal probabilities stay together, which can leave fewer groups. The test depends
    on the number of groups, misses much in small samples and finds trifles in large ones: look at the groups.

    Parameters
    ----------
    y, p : ndarray, shape (n,)
        Outcome, 0 or 1, and fitted probability.
    groups : int, default 10
        Groups to aim at, three or more.

    Returns
    -------
    Calibration
        The p value is NaN below three groups.

    References
    ----------
    Hosmer, D. W., & Lemeshow, S. (1980). Goodness of fit tests for the multiple logistic regression model.
    Communications in Statistics - Theory and Methods, 9, 1043-1069. doi:10.1080/03610928008827941
    """
    rank = rankdata(p, method="max") / len(p)
    _, member = np.unique(np.ceil(rank * groups - 1e-9), return_inverse=True)
    n = np.bincount(member)
    expected, observed = np.bincount(member, weights=p), np.bincount(member, weights=y)
    variance = expected * (1.0 - expected / n)
    chisq = float(((observed - expected) ** 2 / variance).sum())
    df = len(n) - 2
    return Calibration(
        n=n.astype(np.intp),
        predicted=expected / n,
        observed=observed / n,
        chisq=chisq,
        df=df,
        pvalue=float(chdtrc(df, chisq)) if df > 0 else math.nan,
    )
