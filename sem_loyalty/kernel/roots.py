"""The roots of a matrix and of its inverse: M = L L', and L^-1 by halves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.linear_algebra import lapack

Array = NDArray[np.float64]

# LAPACK takes matrices of up to so many rows whole: its dtrtri multiplies small pieces, so that for 299 rows (the
# moments of 23 items) two thirds of its time suffice by halves, whose products are large.
WHOLE = 64


def roots(matrix: Array) -> tuple[Array, Array] | None:
    """Return the lower triangular L and R = L^-1 with M = L L' and M^-1 = R' R.

    None where M, symmetric, is not positive definite. Shapes (n, n).
    """
    factor, info = lapack.dpotrf(matrix.T, lower=1)
    return (factor, _inverse(factor)) if info == 0 else None


def _inverse(lower: Array) -> Array:
    """Return the inverse of a lower triangular matrix: that of [[A, 0], [B, D]] is [[A', 0], [-D' B A', D']]."""
    n = len(lower)
    if n <= WHOLE:
        return np.asarray(lapack.dtrtri(lower, lower=1)[0])
    half = n // 2
    out = np.zeros(lower.shape)
    first, last = out[:half, :half], out[half:, half:]
    first[:], last[:] = _inverse(lower[:half, :half]), _inverse(lower[half:, half:])
    out[half:, :half] = -last @ (lower[half:, :half] @ first)
    return out
