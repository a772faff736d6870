"""From correlations of items to everything a path model of composites has, many samples at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.pls_sem.path_model import PathModel
from sem_loyalty.pls_sem.weights import TOLERANCE, Composites, composites, regress, reliability_a

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """Estimates of a path model; the last axis runs over the samples.

    Attributes
    ----------
    composites : Composites
        Weights, and correlations of the composites.
    correlation : ndarray, shape (p, p, L)
        Correlations of the items.
    rho_a : ndarray, shape (J, L)
    loadings : ndarray, shape (m, L)
        Correlations of items and composites; with PLSc the loadings of the factor model.
    cor : ndarray, shape (J, J, L)
        Correlations of the constructs; with PLSc those of the factors.
    paths : ndarray, shape (J, J, L)
        paths[i, j]: effect of construct j on construct i.
    r2 : ndarray, shape (J, L)
        nan for exogenous constructs.
    """

    composites: Composites
    correlation: Array
    rho_a: Array
    loadings: Array
    cor: Array
    paths: Array
    r2: Array


def solve(
    model: PathModel,
    correlation: Array,
    scheme: str,
    *,
    consistent: bool,
    start: Array | None = None,
    towards: Array | None = None,
    tolerance: float = TOLERANCE,
) -> Solved:
    """Estimate a path model from correlation matrices, shape (p, p, L); the arguments are those of `composites`."""
    design = model.design
    found = composites(correlation, design, scheme, start=start, towards=towards, tolerance=tolerance)
    rho = reliability_a(design, correlation, found.weights)
    loadings = found.cross[design.item, design.construct]
    cor = found.cor
    if consistent:
        loadings, cor = corrected(found, rho, model)
    paths, r2 = regress(design, cor)
    return Solved(found, correlation, rho, loadings, cor, paths, r2)


def corrected(found: Composites, rho: Array, model: PathModel) -> tuple[Array, Array]:
    """Return loadings (m, L) and correlations (J, J, L) of the factors behind the composites.

    r_ij / sqrt(rho_i rho_j), and w sqrt(rho) / w'w for the loadings (Dijkstra and Henseler 2015,
    doi:10.25300/MISQ/2015/39.2.02). nan where rho_A is not positive.
    """
    design = model.design
    root = np.sqrt(np.where(rho > 0, rho, np.nan))
    cor = found.cor / (root[:, None] * root[None])
    diagonal = np.arange(design.size)
    cor[diagonal, diagonal] = 1.0
    loadings = found.cross[design.item, design.construct].copy()
    for j in np.flatnonzero(design.common):
        own = design.entries(int(j))
        weights = found.weights[own]
        loadings[own] = weights * root[j] / (weights**2).sum(axis=0)
    return loadings, cor
