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
    correlation: Array,
    design: Design,
    scheme: str,
    *,
    start: Array | None = None,
    towards: Array | None = None,
    tolerance: float = TOLERANCE,
    limit: int = LIMIT,
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
    start : ndarray, shape (m,), optional
        Weights to start from, instead of equal ones.
    towards : ndarray, shape (m,), optional
        Loadings of another sample. Every composite is turned to correlate positively, there, with the composite of
        that sample.
    tolerance : float, default 1e-10
    limit : int, default 1000
        Iterations at most.

    Returns
    -------
    Composites
        The sign of a composite is free, and no other one is changed by it. Without `towards` every composite is
        turned so that the sum of its correlations with its own items is positive.
    """
    lanes = correlation.shape[2]
    blocks = [design.entries(j) for j in range(design.size)]
    weights = np.full((len(design.item), lanes), np.nan)
    converged = np.zeros(lanes, dtype=bool)
    iterations = np.full(lanes, limit, dtype=np.intp)
    among = correlation[np.ix_(design.item, design.item)]
    lane = np.arange(lanes)
    moving = np.ones((len(design.item), lanes)) if start is None else np.repeat(start[:, None], lanes, axis=1)
    cross, cor = _proxies(among, blocks, moving)
    for step in range(1, limit + 1):
        before = moving.copy()
        moving = _outer_step(among, design, blocks, _inner_weights(cor, design, scheme), cross)
        cross, cor = _proxies(among, blocks, moving)
        change = np.abs(moving - before).max(axis=0)
        fresh = (change < tolerance) & ~converged[lane]
        # A lane keeps the weights with which it converged, whatever its neighbours still need.
        weights[:, lane[fresh]] = moving[:, fresh]
        converged[lane[fresh]], iterations[lane[fresh]] = True, step
        # Where an item does not vary nothing is finite, and never will be.
        rest = ~converged[lane] & np.isfinite(change)
        if not rest.any():
            break
        if 2 * rest.sum() < len(lane):
            lane, among, moving = lane[rest], among[..., rest], moving[:, rest]
            cross, cor = cross[..., rest], cor[..., rest]
    open_lanes = ~converged[lane]
    weights[:, lane[open_lanes]] = moving[:, open_lanes]
    cross, cor = _all_proxies(correlation, design, blocks, weights)
    _orient(design, weights, cross, cor, towards)
    return Composites(weights, cross, cor, converged, iterations)


def _proxies(among: Array, blocks: list[slice], weights: Array) -> tuple[Array, Array]:
    """Scale the weights to unit variance, in place; return correlations with entries (m, J, L) and with each other."""
    cross = np.empty((len(among), len(blocks), among.shape[2]))
    for j, own in enumerate(blocks):
        _scale(among[own, own], weights[own])
        np.einsum("ikl,kl->il", among[:, own], weights[own], out=cross[:, j])
    return cross, _between(blocks, weights, cross)


def _all_proxies(correlation: Array, design: Design, blocks: list[slice], weights: Array) -> tuple[Array, Array]:
    """Return the correlations of composites with all items (p, J, L) and with each other."""
    cross = np.empty((len(correlation), design.size, correlation.shape[2]))
    for j, own in enumerate(blocks):
        np.einsum("ikl,kl->il", correlation[:, design.item[own]], weights[own], out=cross[:, j])
    return cross, _between(blocks, weights, cross[design.item])


def _scale(block: Array, weights: Array) -> None:
    """Scale the weights of a composite to unit variance, in place."""
    if len(weights) == 1:
        weights[:] = np.sign(weights)
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        weights *= 1.0 / np.sqrt((weights * np.einsum("ikl,kl->il", block, weights)).sum(axis=0))


def _between(blocks: list[slice], weights: Array, cross: Array) -> Array:
    """Return the correlations of the composites, shape (J, J, L)."""
    cor = np.empty((len(blocks), len(blocks), weights.shape[1]))
    for j, own in enumerate(blocks):
        np.einsum("kl,kjl->jl", weights[own], cross[own], out=cor[j])
    return cor


def _inner_weights(cor: Array, design: Design, scheme: str) -> Array:
    """Return the weight of composite k in the proxy of composite j, shape (J, J, L)."""
    near = (design.path | design.path.T)[:, :, None]
    if scheme == "centroid":
        return np.asarray(np.where(near, np.where(cor < 0, -1.0, 1.0), 0.0))
    inner = np.where(near, cor, 0.0)
    if scheme == "path":
        for j in range(design.size):
            causes = design.causes(j)
            if len(causes) > 1:
                inner[j, causes] = solve_lanes(cor[np.ix_(causes, causes)], cor[causes, j])
    return inner


def _outer_step(among: Array, design: Design, blocks: list[slice], inner: Array, cross: Array) -> Array:
    """Return new outer weights, not scaled, shape (m, L)."""
    weights = np.empty((len(among), among.shape[2]))
    for j, own in enumerate(blocks):
        if own.stop - own.start == 1:
            weights[own] = 1.0
            continue
        near = np.flatnonzero(design.path[j] | design.path[:, j])
        along = weights[own]
        along[:] = inner[j, near[0]] * cross[own, near[0]]
        for k in near[1:]:
            along += inner[j, k] * cross[own, k]
        if design.mode_b[j]:
            weights[own] = solve_lanes(among[own, own], along)
    return weights


def _orient(design: Design, weights: Array, cross: Array, cor: Array, towards: Array | None) -> None:
    """Turn every composite as `composites` says, in place."""
    signs = np.ones((design.size, cor.shape[2]))
    for j in range(design.size):
        own = design.entries(j)
        if towards is None:
            agreement = cross[design.item[own], j].sum(axis=0)
        else:
            agreement = (weights[own] * towards[own, None]).sum(axis=0)
        signs[j] = np.where(agreement < 0, -1.0, 1.0)
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
