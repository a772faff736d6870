"""Thresholds of ordinal items: the normal quantiles of the cumulative shares of their categories.

An item shows category c where a standard normal response lies between two thresholds (Olsson 1979,
doi:10.1007/BF02296207).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sem_loyalty.kernel.bivariate import BEYOND

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def normal_density(t: Array) -> Array:
    """Return the standard normal density."""
    return np.asarray(np.exp(-0.5 * t * t) / np.sqrt(2.0 * np.pi))


def padded_thresholds(counts: Array, levels: Index) -> Array:
    """Return the thresholds of all items, shape (p, k - 1), ascending, rows padded with `BEYOND`.

    Parameters
    ----------
    counts : ndarray, shape (p, k)
        Respondents by item and category.
    levels : ndarray of int, shape (p,)
        Categories of every item.
    """
    below = np.cumsum(counts, axis=1)
    shares = below[:, :-1] / below[:, -1:]
    return np.where(np.arange(counts.shape[1] - 1) < levels[:, None] - 1, ndtri(shares), BEYOND)


def threshold_influence(padded: Array, counts: Array, n: int) -> Array:
    """Return what an answer in each category does to each threshold of its item, shape (p, k + 1, k - 1).

    A threshold is the quantile of a share: (1[answer <= c] - share) / phi(threshold), times n over the number of
    answers. The last category is that of missing answers, which do nothing.

    Parameters
    ----------
    padded : ndarray, shape (p, k - 1)
    counts : ndarray, shape (p, k)
    n : int
        Respondents.
    """
    p, limits = padded.shape
    there = padded < BEYOND
    per_share = np.zeros((p, limits))
    np.divide((n / counts.sum(axis=1))[:, None], normal_density(padded), out=per_share, where=there)
    out = np.zeros((p, limits + 2, limits))
    below = np.arange(limits + 1)[:, None] <= np.arange(limits)
    out[:, :-1] = (below - ndtr(padded)[:, None]) * per_share[:, None]
    return out
