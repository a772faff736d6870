"""Relative importance of predictors from correlation matrices, many matrices at once: arrays in, arrays out.

A leading axis runs over draws; predictors are the first p variables and the outcome is the last.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MOST = 12  # predictors whose 2^p subsets are gone through


def explained(R: Array) -> Array:
    """Return the R² of the outcome on all subsets of the predictors.

    Parameters
    ----------
    R : ndarray, shape (draws, p + 1, p + 1)
        Correlation matrices.

    Returns
    -------
    ndarray, shape (draws, 2^p)
        Entry k is the R² of the predictors whose bits are set in k; entry 0 is 0.
    """
    p = R.shape[1] - 1
    out = np.zeros((len(R), 2**p))
    for subset in range(1, 2**p):
        at = [i for i in range(p) if subset >> i & 1]
        inner, r = R[:, at][:, :, at], R[:, at, p]
        out[:, subset] = (r * np.linalg.solve(inner, r[..., None])[..., 0]).sum(axis=1)
    return out


def shapley(R: Array) -> Array:
    """Return the share of R² of each predictor, averaged over all orders in which predictors can enter.

    LMG (Lindeman, Merenda and Gold 1980), the Shapley value of R² and general dominance are the same number: the mean
    over orders of the rise of R² when the predictor enters. The shares sum to R².

    Parameters
    ----------
    R : ndarray, shape (draws, p + 1, p + 1)
        Correlation matrices, the outcome last.

    Returns
    -------
    ndarray, shape (draws, p)

    References
    ----------
    Grömping, U. (2007). Estimators of relative importance in linear regression based on variance decomposition. The
    American Statistician, 61, 139-147. doi:10.1198/000313007X188252
    """
    p = R.shape[1] - 1
    r2 = explained(R)
    subsets = np.arange(2**p)
    size = np.array([int(k).bit_count() for k in subsets])
    out = np.zeros((len(R), p))
    for i in range(p):
        without = subsets[(subsets >> i & 1) == 0]
        weight = np.array(
            [math.factorial(k) * math.factorial(p - 1 - k) / math.factorial(p) for k in size[without].tolist()]
        )
        out[:, i] = (r2[:, without + (1 << i)] - r2[:, without]) @ weight
    return out


def relative_weights(R: Array) -> Array:
    """Return Johnson's relative weights: R² through the closest orthogonal variables. The weights sum to R².

    With Rxx = Q D Q' and L = Q D^½ Q', the weight of predictor j is Σ_k L_jk² b_k², b = L⁻¹ r.

    Parameters
    ----------
    R : ndarray, shape (draws, p + 1, p + 1)
        Correlation matrices, the outcome last.

    Returns
    -------
    ndarray, shape (draws, p)

    References
    ----------
    Johnson, J. W. (2000). A heuristic method for estimating the relative weight of predictor variables in multiple
    regression. Multivariate Behavioral Research, 35, 1-19. doi:10.1207/S15327906MBR3501_1
    """
    p = R.shape[1] - 1
    values, Q = np.linalg.eigh(R[:, :p, :p])
    root = np.sqrt(np.maximum(values, 0.0))
    L = (Q * root[:, None, :]) @ Q.transpose(0, 2, 1)
    b = (Q / root[:, None, :]) @ (Q.transpose(0, 2, 1) @ R[:, :p, p][..., None])
    return np.asarray(((L**2) @ (b**2))[..., 0])


def standardised_slopes(R: Array) -> Array:
    """Return the standardised regression coefficients on all predictors, shape (draws, p)."""
    p = R.shape[1] - 1
    return np.asarray(np.linalg.solve(R[:, :p, :p], R[:, :p, p][..., None])[..., 0])
