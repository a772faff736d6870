"""How well a path model of composites reproduces the correlations of its items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.pls_sem.path_model import PathModel

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ModelFit:
    """Distances between the correlations of the items, S, and those that the model implies, Sigma.

    Attributes
    ----------
    srmr : float
        Root of the mean squared residual, over p (p + 1) / 2 elements.
    d_uls : float
        Squared Euclidean distance, tr (S - Sigma)^2 / 2.
    d_g : float
        Geodesic distance, sum of (log k)^2 / 2 over the eigenvalues k of S^-1 Sigma; nan where Sigma is not positive
        definite.
    nfi : float
        Normed fit index, 1 - F(S, Sigma) / F(S, I), with the discrepancy of maximum likelihood; nan as d_g.

    References
    ----------
    Henseler, J. et al. (2014). Common beliefs and reality about PLS. Organizational Research Methods, 17, 182-209.
    doi:10.1177/1094428114526928
    Dijkstra, T. K. and Henseler, J. (2015). Consistent and asymptotically normal PLS estimators for linear structural
    equations. Computational Statistics and Data Analysis, 81, 10-23. doi:10.1016/j.csda.2014.07.008
    """

    srmr: float
    d_uls: float
    d_g: float
    nfi: float


DISTANCES = ("srmr", "d_uls", "d_g", "nfi")


def distances(S: Array, Sigma: Array) -> Array:
    """Return SRMR, d_ULS, d_G and NFI of every sample, shape (4, L).

    Parameters
    ----------
    S, Sigma : ndarray, shape (p, p, L)
        Correlations of the items, of the sample and of the model.
    """
    p = len(S)
    square = ((S - Sigma) ** 2).sum(axis=(0, 1))
    on_diagonal = np.einsum("iil->l", (S - Sigma) ** 2)
    out = np.full((len(DISTANCES), S.shape[2]), np.nan)
    out[0] = np.sqrt(0.5 * (square + on_diagonal) / (0.5 * p * (p + 1)))
    out[1] = 0.5 * square
    usable = np.flatnonzero(np.isfinite(square))
    logs = _log_eigenvalues(S[..., usable].transpose(2, 0, 1), Sigma[..., usable].transpose(2, 0, 1))
    # F = log|Sigma| + tr(S Sigma^-1) - log|S| - p, in the eigenvalues of S^-1 Sigma.
    null = -np.linalg.slogdet(S[..., usable].transpose(2, 0, 1))[1]
    out[2, usable] = 0.5 * (logs**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        out[3, usable] = np.where(null > 0, 1.0 - ((logs + np.exp(-logs)).sum(axis=1) - p) / null, np.nan)
    return out


def _log_eigenvalues(S: Array, Sigma: Array) -> Array:
    """Return the logarithms of the eigenvalues of S^-1 Sigma, shape (L, p); nan where a matrix is not definite.

    Parameters
    ----------
    S, Sigma : ndarray, shape (L, p, p)
    """
    out = np.full(S.shape[:2], np.nan)
    tiny = np.finfo(np.float64).eps * S.shape[1]
    definite = np.flatnonzero((np.linalg.eigvalsh(S)[:, 0] > tiny) & (np.linalg.eigvalsh(Sigma)[:, 0] > tiny))
    lower = np.linalg.cholesky(S[definite])
    half = np.linalg.solve(lower, Sigma[definite])
    values = np.linalg.eigvalsh(np.linalg.solve(lower, half.transpose(0, 2, 1)))
    out[definite] = np.log(np.maximum(values, tiny))
    return out


def model_fit(S: Array, Sigma: Array) -> ModelFit:
    """Return the distances between two correlation matrices, shape (p, p)."""
    return ModelFit(*(float(value) for value in distances(S[:, :, None], Sigma[:, :, None])[:, 0]))


def implied_cor(model: PathModel, cor: Array, paths: Array) -> Array:
    """Return the correlations of the constructs that the paths imply, shape (J, J, L).

    Exogenous constructs keep their correlations. Every endogenous one follows from its causes in turn, with the
    residual that makes its variance one; residuals of different equations are uncorrelated.
    """
    design = model.design
    out = cor.copy()
    done = [j for j in range(design.size) if not len(design.causes(j))]
    while len(done) < design.size:
        ready = [j for j in range(design.size) if j not in done and set(design.causes(j)) <= set(done)]
        for i in ready:
            causes = design.causes(i)
            for k in done:
                out[i, k] = out[k, i] = (paths[i, causes] * out[causes, k]).sum(axis=0)
            done.append(i)
    return out


def implied(model: PathModel, S: Array, loadings: Array, cor: Array, *, consistent: bool) -> Array:
    """Return the correlations of the items that a model implies, shape (p, p, L).

    Parameters
    ----------
    model : PathModel
    S : ndarray, shape (p, p, L)
        Correlations of the items in the sample.
    loadings : ndarray, shape (m, L)
        Correlations of items with their construct; with PLSc loadings of the factor model.
    cor : ndarray, shape (J, J, L)
        Correlations of the constructs: estimated freely ("saturated") or from `implied_cor` ("estimated").
    consistent : bool
        Whether constructs measured by `=~` are common factors. Items of two constructs correlate by
        loading x correlation x loading. Items of one factor correlate by the product of their loadings. Items of one
        composite, and so of every construct without PLSc, are free to correlate: there Sigma equals S.

    Notes
    -----
    An item of several constructs takes part with the first of them.
    """
    design = model.design
    first = np.array([int(np.flatnonzero(design.item == i)[0]) for i in range(len(model.items))], dtype=np.intp)
    home = design.construct[first]
    own = loadings[first]
    out = own[:, None] * own[None] * cor[np.ix_(home, home)]
    for j in range(design.size):
        members = np.flatnonzero(home == j)
        if not (consistent and design.common[j]):
            out[np.ix_(members, members)] = S[np.ix_(members, members)]
    diagonal = np.arange(len(out))
    out[diagonal, diagonal] = 1.0
    return np.asarray(out)
