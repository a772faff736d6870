"""All eigenvalues of an information matrix: the close look that a doubtful solution gets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Smallest over largest eigenvalue of the information matrix scaled to a unit diagonal; below this, standard errors are
# noise. The reciprocal condition in the 1-norm, which is quicker to have, is hardly ever larger.
RANK_TOLERANCE = 1e-10


def scaled_spectrum(matrix: Array) -> tuple[Array, Array, Array]:
    """Return eigenvalues (ascending) and eigenvectors of a matrix scaled to a unit diagonal, and the scale."""
    scale = np.sqrt(np.maximum(np.diagonal(matrix), 0.0))
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    return values, vectors, scale


def condition_of(values: Array, vectors: Array) -> float:
    """Return the reciprocal condition in the 1-norm of a positive definite matrix."""
    if not len(values):
        return 0.0
    norms = [np.abs((vectors * spread) @ vectors.T).sum(axis=0).max() for spread in (values, 1.0 / values)]
    return float(1.0 / (norms[0] * norms[1]))


def decrement_along(slope: Array, values: Array, vectors: Array, scale: Array) -> float:
    """Return sqrt(g' I^-1 g) / 2, leaving out directions in which the information vanishes."""
    usable = values > RANK_TOLERANCE * max(float(values[-1]) if len(values) else 0.0, 0.0)
    along = vectors[:, usable].T @ (slope / scale)
    return float(0.5 * np.sqrt((along**2 / values[usable]).sum()))


def flat_vectors(values: Array, vectors: Array) -> NDArray[np.bool_]:
    """Return which eigenvectors the data say nothing about; the flattest one where none is below tolerance."""
    flat = values < RANK_TOLERANCE * values[-1]
    if not flat.any():
        flat[0] = True
    return np.asarray(flat)
