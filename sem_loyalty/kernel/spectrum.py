"""The extreme eigenvalues of a positive definite matrix: all that its condition needs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.linear_algebra import blas, lapack

Array = NDArray[np.float64]

# Up to this size a tridiagonal form is had at once.
SMALL = 300
# The Lanczos iteration ends where the extreme eigenvalue no longer moves by more than this share: a condition is read
# by its order of magnitude.
PRECISION = 1e-8
LOOK_EVERY = 5


def extreme_eigenvalues(matrix: Array, factor: Array) -> tuple[float, float]:
    """Return the smallest and the largest eigenvalue of a positive definite matrix.

    Parameters
    ----------
    matrix : ndarray, shape (q, q)
        Symmetric and positive definite.
    factor : ndarray, shape (q, q)
        Its lower Cholesky factor.

    Notes
    -----
    Of a large matrix the largest comes from the Lanczos iteration with M, the smallest from that with M^-1, where it
    stands apart (Golub and Van Loan 2013, Matrix Computations, section 10.1).
    """
    if len(matrix) == 1:
        return float(matrix[0, 0]), float(matrix[0, 0])
    if len(matrix) > SMALL:
        largest = _lanczos(lambda vector: np.asarray(blas.dsymv(1.0, matrix.T, vector)), len(matrix))
        inverse = _lanczos(lambda vector: np.asarray(lapack.dpotrs(factor, vector, lower=1)[0]), len(matrix))
        if largest is not None and inverse is not None:
            return 1.0 / inverse, largest
    _, diagonal, beside, _, info = lapack.dsytrd(matrix.T, lower=1, lwork=int(lapack.dsytrd_lwork(len(matrix))[0]))
    smallest, largest = (_by_bisection(diagonal, beside, place) for place in (1, len(matrix)))
    if info != 0 or smallest is None or largest is None:
        values = np.linalg.eigvalsh(matrix)
        return float(values[0]), float(values[-1])
    return smallest, largest


def _by_bisection(diagonal: Array, beside: Array, place: int) -> float | None:
    """Return one eigenvalue of a tridiagonal matrix, counted from 1 upwards, to rounding; None where that failed."""
    found, values, _, _, info = lapack.dstebz(diagonal, beside, 2, 0.0, 0.0, place, place, 0.0, "E")
    return float(values[0]) if info == 0 and found == 1 else None


def _lanczos(apply: Callable[[Array], Array], size: int, steps: int = 150) -> float | None:
    """Return the largest eigenvalue of a symmetric operator, or None where `steps` do not suffice.

    Every new vector is made orthogonal to all before it, so rounding adds no copies of eigenvalues.
    """
    basis = np.zeros((steps + 1, size))
    start = np.random.default_rng(1).standard_normal(size)
    basis[0] = start / np.sqrt(start @ start)
    diagonal, beside = np.zeros(steps), np.zeros(steps)
    before = np.inf
    for k in range(steps):
        vector = apply(basis[k])
        diagonal[k] = basis[k] @ vector
        for _twice in range(2):
            vector = vector - basis[: k + 1].T @ (basis[: k + 1] @ vector)
        beside[k] = np.sqrt(vector @ vector)
        done = beside[k] <= 1e-12 * abs(diagonal[0])
        if done or (k + 1) % LOOK_EVERY == 0:
            inner = np.diag(diagonal[: k + 1]) + np.diag(beside[:k], 1) + np.diag(beside[:k], -1)
            found = float(np.linalg.eigvalsh(inner)[-1])
            if done or abs(found - before) <= PRECISION * abs(found):
                return found
            before = found
        basis[k + 1] = vector / beside[k]
    return None
