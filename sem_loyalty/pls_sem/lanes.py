"""Linear algebra on many small matrices at once, the last axis running over them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def solve_lanes(matrix: Array, right: Array) -> Array:
    """Solve symmetric positive definite systems by elimination, lane by lane.

    For matrices of the size of a block of items, operations on contiguous lanes are an order of magnitude faster than
    one call of LAPACK per lane.

    Parameters
    ----------
    matrix : ndarray, shape (k, k, L)
    right : ndarray, shape (k, L)

    Returns
    -------
    ndarray, shape (k, L)
        nan, inf or noise where a matrix is singular; the caller checks pivots where that can happen.
    """
    a, b = matrix.copy(), right.copy()
    size = len(a)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for k in range(size):
            for i in range(k + 1, size):
                factor = a[i, k] / a[k, k]
                a[i, k + 1 :] -= factor * a[k, k + 1 :]
                b[i] -= factor * b[k]
        for k in range(size - 1, -1, -1):
            for j in range(k + 1, size):
                b[k] -= a[k, j] * b[j]
            b[k] /= a[k, k]
    return b


def smallest_pivot(matrix: Array) -> Array:
    """Return the smallest pivot of the elimination of every lane, shape (L,): near zero for a singular matrix."""
    a = matrix.copy()
    smallest = np.full(a.shape[2], np.inf)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for k in range(len(a)):
            smallest = np.minimum(smallest, a[k, k])
            for i in range(k + 1, len(a)):
                a[i, k + 1 :] -= (a[i, k] / a[k, k]) * a[k, k + 1 :]
    return np.where(np.isnan(smallest), 0.0, smallest)


def inverse_diagonal(matrix: Array) -> Array:
    """Return the diagonal of the inverse of symmetric positive definite matrices (k, k, L), shape (k, L)."""
    out = np.empty(matrix.shape[1:])
    for k in range(len(matrix)):
        unit = np.zeros(matrix.shape[1:])
        unit[k] = 1.0
        out[k] = solve_lanes(matrix, unit)[k]
    return out
