"""A quick look at a solution: most are beyond doubt, and only the others need a close one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.linear_algebra import lapack
from sem_loyalty.kernel.ram import Implied
from sem_loyalty.kernel.spectrum import extreme_eigenvalues

Array = NDArray[np.float64]


def rank_and_decrement(matrix: Array, slope: Array) -> tuple[float, float] | None:
    """Return the reciprocal condition of the scaled information and the Newton decrement.

    Parameters
    ----------
    matrix : ndarray, shape (r, r)
        Information within the constraints.
    slope : ndarray, shape (r,)
        Gradient within the constraints.

    Returns
    -------
    tuple of float, or None
        Smallest over largest eigenvalue of the matrix scaled to a unit diagonal, and sqrt(g' I^-1 g) / 2; None where
        the matrix has no Cholesky factor.
    """
    scale = np.sqrt(np.maximum(np.diagonal(matrix), 0.0))
    if not len(scale) or not (scale > 0).all():
        return None
    inverse = 1.0 / scale
    scaled = matrix * inverse[:, None]
    scaled *= inverse
    factor, info = lapack.dpotrf(scaled.T, lower=1, clean=0)
    if info != 0:
        return None
    along = slope * inverse
    steepness = float(along @ lapack.dpotrs(factor, along, lower=1)[0])
    smallest, largest = extreme_eigenvalues(scaled, factor)
    return smallest / largest, 0.5 * float(np.sqrt(max(steepness, 0.0)))


def beyond_doubt(implied: Sequence[Implied], n_latent: int, margin: float) -> bool:
    """Return whether no variance is negative, no matrix indefinite and no standardised value beyond one, by far.

    Parameters
    ----------
    implied : sequence of Implied
        The solution, by group.
    n_latent : int
        Number of latent variables.
    margin : float
        How far, in correlations, from the boundary a matrix has to be.
    """
    return all(_beyond_doubt(at, n_latent, margin) for at in implied)


def _beyond_doubt(at: Implied, n_latent: int, margin: float) -> bool:
    p = len(at.total) - n_latent
    left, total = np.diagonal(at.residual), np.diagonal(at.total)
    if not (left >= 0).all() or not (total > 0).all():
        return False
    sd, residual_sd = np.sqrt(total), np.sqrt(np.where(left > 0, left, 1.0))
    standard = at.directed * sd
    standard /= sd[:, None]
    correlation = at.residual / residual_sd
    correlation /= residual_sd[:, None]
    if max(np.abs(standard).max(initial=0.0), np.abs(correlation).max(initial=0.0)) > 1.0 + margin:
        return False
    latent = at.total[p:, p:] / sd[p:]
    latent /= sd[p:, None]
    return _definite(latent, margin) and _definite(correlation[:p, :p], -margin)


def _definite(matrix: Array, margin: float) -> bool:
    """Return whether all eigenvalues exceed `margin`."""
    shifted = matrix.copy()
    shifted.ravel()[:: len(matrix) + 1] -= margin
    return not len(matrix) or lapack.dpotrf(shifted.T, lower=1)[1] == 0
