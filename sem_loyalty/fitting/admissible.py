"""A quick look at a solution: most are beyond doubt, and only the others need a close one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.linear_algebra import lapack
from sem_loyalty.kernel.ram import Implied

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Factored:
    """An information matrix that is beyond doubt positive definite.

    Attributes
    ----------
    condition : float
        Reciprocal condition in the 1-norm of the matrix scaled to a unit diagonal, as LAPACK estimates it (Higham 1988,
        doi:10.1145/50063.214386).
    decrement : float
        The Newton decrement, sqrt(g' I^-1 g) / 2.
    factor : ndarray, shape (r, r)
        Lower Cholesky factor of the scaled matrix; zero above the diagonal.
    scale : ndarray, shape (r,)
        Square roots of the diagonal of the matrix.
    """

    condition: float
    decrement: float
    factor: Array
    scale: Array

    def inverse(self) -> Array:
        """Return the inverse of the matrix, exactly symmetric, shape (r, r)."""
        lower = lapack.dpotri(self.factor, lower=1)[0]
        full = lower + lower.T
        full.ravel(order="K")[:: len(full) + 1] *= 0.5
        full /= self.scale[:, None]
        full /= self.scale
        return np.asarray(full)

    def inverse_diagonal(self) -> Array:
        """Return the diagonal of the inverse alone, at half the price, shape (r,)."""
        lower = lapack.dtrtri(self.factor, lower=1)[0]
        return np.asarray(np.einsum("ij,ij->j", lower, lower) / self.scale**2)


def factored_information(matrix: Array, slope: Array) -> Factored | None:
    """Return the information with its condition and the Newton decrement; None where it has no Cholesky factor.

    Parameters
    ----------
    matrix : ndarray, shape (r, r)
        Information within the constraints.
    slope : ndarray, shape (r,)
        Gradient within the constraints.
    """
    scale = np.sqrt(np.maximum(matrix.diagonal(), 0.0))
    if not len(scale) or not (scale > 0).all():
        return None
    inverse = 1.0 / scale
    scaled = matrix * inverse[:, None]
    scaled *= inverse
    factor, info = lapack.dpotrf(scaled.T, lower=1)
    if info != 0:
        return None
    along = slope * inverse
    steepness = float(along @ lapack.dpotrs(factor, along, lower=1)[0])
    condition = lapack.dpocon(factor, float(np.abs(scaled).sum(axis=0).max()), uplo="L")[0]
    return Factored(float(condition), 0.5 * float(np.sqrt(max(steepness, 0.0))), factor, scale)


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
