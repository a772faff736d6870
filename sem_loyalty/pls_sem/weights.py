"""The algorithm of partial least squares, on correlation matrices, many at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.pls_sem.design import Design, Flags
from sem_loyalty.pls_sem.lanes import solve_lanes

Array = NDArray[np.float64]

SCHEMES = ("path", "centroid", "factorial")
TOLERANCE = 1e-10
LIMIT = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Composites:
    """Weights of the items and what follows from them; the last axis runs over the samples.

    Attributes
    ----------
    weights : ndarray, shape (m, L)
        Outer weights of the entries, for composites of unit variance.
    cross : ndarray, shape (p, J, L)
        Correlations of all items with all composites.
    cor : ndarray, shape (J, J, L)
        Correlations of the composites.
    converged : ndarray of bool, shape (L,)
    iterations : ndarray of int, shape (L,)
    """

    weights: Array
    cross: Array
    cor: Array
    converged: Flags
    iterations: NDArray[np.intp]


def composites(
    correlation: Array, design: Design, scheme: str, *, tolerance: float = TOLERANCE, limit: int = LIMIT
) -> Composites:
    """Find the weights of the composites.

    Weights start equal. The inner step gives every composite a proxy, a combination of its neighbours: their signs of
    correlation ("centroid"), their correlations ("factorial"), or regression weights for causes and correlations for
    effects ("path"). The outer step takes the items' covariances with the proxy (mode A) or their regression weights
    (mode B). Both repeat until no weight changes by `tolerance` (Wold 1982; Lohmoeller 1989,
    doi:10.1007/978-3-642-52512-4).

    Parameters
    ----------
    correlation : ndarray, shape (p, p, L)
        Correlations of the items.
    design : Design
    scheme : {"path", "centroid", "factorial"}
    tolerance : float, default 1e-10
    limit : int, default 1000
        Iterations at most.

    Returns
    -------
    Composites
        Every composite is turned so that the sum of its correlations with its own items is positive: the sign of
        a composite is free, and no other one is changed by it.
    """
    lanes = correlation.shape[2]
    weights = np.ones((len(design.item), lanes))
    converged = np.zeros(lanes, dtype=bool)
    iterations = np.zeros(lanes, dtype=np.intp)
    cross, cor = _proxies(correlation, design, weights)
    for _ in range(limit):
        open_lanes = np.flatnonzero(~converged)
        if len(open_lanes) == 0:
            break
        whole = len(open_lanes) == lanes
        part = correlation if whole else correlation[..., open_lanes]
        inner = _inner_weights(cor if whole else cor[..., open_lanes], design, scheme)
        moved = _outer_step(part, design, inner, cross if whole else cross[..., open_lanes])
        own_cross, own_cor = _proxies(part, design, moved)
        change = np.abs(moved - weights[:, open_lanes]).max(axis=0)
        weights[:, open_lanes], cross[..., open_lanes], cor[..., open_lanes] = moved, own_cross, own_cor
        iterations[open_lanes] += 1
        converged[open_lanes] = change < tolerance
    _orient(design, weights, cross, cor)
    return Composites(weights, cross, cor, converged, iterations)


def _proxies(correlation: Array, design: Design, weights: Array) -> tuple[Array, Array]:
    """Scale the weights to unit variance, in place; return correlations with items (p, J, L) and with each other."""
    size, lanes = design.size, correlation.shape[2]
    cross = np.empty((len(correlation), size, lanes))
    for j in range(size):
        own = design.entries(j)
        items = design.item[own]
        np.einsum("ikl,kl->il", correlation[:, items], weights[own], out=cross[:, j])
        spread = np.sqrt((weights[own] * cross[items, j]).sum(axis=0))
        with np.errstate(divide="ignore", invalid="ignore"):
            weights[own] /= spread
            cross[:, j] /= spread
    cor = np.empty((size, size, lanes))
    for j in range(size):
        own = design.entries(j)
        cor[j] = (weights[own, None] * cross[design.item[own]]).sum(axis=0)
    return cross, cor


def _inner_weights(cor: Array, design: Design, scheme: str) -> Array:
    """Return the weight of composite k in the proxy of composite j, shape (J, J, L)."""
    near = (design.path | design.path.T)[:, :, None]
    if scheme == "centroid":
        return np.asarray(np.where(near, np.where(cor < 0, -1.0, 1.0), 0.0))
    inner = np.where(near, cor, 0.0)
    if scheme == "path":
        for j in range(design.size):
            causes = design.causes(j)
            if len(causes):
                inner[j, causes] = solve_lanes(cor[np.ix_(causes, causes)], cor[causes, j])
    return inner


def _outer_step(correlation: Array, design: Design, inner: Array, cross: Array) -> Array:
    """Return new outer weights, not scaled, shape (m, L)."""
    weights = np.empty((len(design.item), correlation.shape[2]))
    for j in range(design.size):
        own = design.entries(j)
        items = design.item[own]
        if len(items) == 1:
            weights[own] = 1.0
            continue
        along = np.einsum("ikl,kl->il", cross[items], inner[j])
        weights[own] = solve_lanes(correlation[np.ix_(items, items)], along) if design.mode_b[j] else along
    return weights


def _orient(design: Design, weights: Array, cross: Array, cor: Array) -> None:
    """Turn every composite so that its correlations with its items sum to a positive number, in place."""
    signs = np.ones((design.size, cor.shape[2]))
    for j in range(design.size):
        own = design.entries(j)
        signs[j] = np.where(cross[design.item[own], j].sum(axis=0) < 0, -1.0, 1.0)
        weights[own] *= signs[j]
    cross *= signs
    cor *= signs[:, None] * signs[None]


def reliability_a(design: Design, correlation: Array, weights: Array) -> Array:
    """Return rho_A of every construct, shape (J, L); 1 for a composite (mode B) and for a single item.

    rho_A = (w'w)^2 w'(S - diag S) w / (w'(ww' - diag ww') w), w scaled to w'Sw = 1 (Dijkstra and Henseler 2015,
    doi:10.25300/MISQ/2015/39.2.02).
    """
    out = np.ones((design.size, weights.shape[1]))
    for j in np.flatnonzero(design.common):
        own = design.entries(int(j))
        items = design.item[own]
        if len(items) == 1:
            continue
        w = weights[own]
        block = correlation[np.ix_(items, items)]
        square = (w**2).sum(axis=0)
        within = np.einsum("il,ikl,kl->l", w, block, w, optimize=False) - square
        with np.errstate(divide="ignore", invalid="ignore"):
            out[j] = square**2 * within / (square**2 - (w**4).sum(axis=0))
    return out


def regress(design: Design, cor: Array) -> tuple[Array, Array]:
    """Return path coefficients (J, J, L) and R squared (J, L) from correlations of constructs, by least squares."""
    paths = np.zeros_like(cor)
    shares = np.full((design.size, cor.shape[2]), np.nan)
    for i in range(design.size):
        causes = design.causes(i)
        if len(causes):
            slopes = solve_lanes(cor[np.ix_(causes, causes)], cor[causes, i])
            paths[i, causes] = slopes
            shares[i] = (slopes * cor[causes, i]).sum(axis=0)
    return paths, shares
