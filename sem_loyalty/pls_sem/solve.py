"""From correlations of items to everything a path model of composites has, many samples at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.pls_sem.path_model import PathModel, Source
from sem_loyalty.pls_sem.weights import TOLERANCE, Composites, composites, regress, reliability_a

Array = NDArray[np.float64]

# Numbers held at a time for the scores of many samples.
SCORES_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What a path model is estimated from; the last axis of every array runs over the samples.

    Attributes
    ----------
    correlation : ndarray, shape (p, p, L)
        Correlations of the observed items.
    rows : ndarray, shape (n, p), or None
        Answers behind all samples; products of composites need them.
    often : ndarray, shape (n, L), or None
        How often every respondent counts in every sample; all once where None.
    """

    correlation: Array
    rows: Array | None = None
    often: Array | None = None

    def lanes(self, chosen: slice) -> Sample:
        """Return some of the samples."""
        often = None if self.often is None else self.often[:, chosen]
        return Sample(self.correlation[..., chosen], self.rows, often)


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """Estimates of a path model; the last axis runs over the samples.

    Attributes
    ----------
    composites : Composites
        Weights, and correlations of the composites.
    correlation : ndarray, shape (p, p, L)
        Correlations of the items of this stage.
    item_sd : ndarray, shape (p, L)
        Standard deviations of products of composites of unit variance; 1 for every other item.
    rho_a : ndarray, shape (J, L)
    loadings : ndarray, shape (m, L)
        Correlations of items and composites; with PLSc the loadings of the factor model.
    cor : ndarray, shape (J, J, L)
        Correlations of the constructs; with PLSc those of the factors.
    paths : ndarray, shape (J, J, L)
        paths[i, j]: effect of construct j on construct i.
    r2 : ndarray, shape (J, L)
        nan for exogenous constructs.
    first : Solved or None
        The stage before.
    """

    composites: Composites
    correlation: Array
    item_sd: Array
    rho_a: Array
    loadings: Array
    cor: Array
    paths: Array
    r2: Array
    first: Solved | None

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Whether the weights of this stage and of those before converged, shape (L,)."""
        own = self.composites.converged
        return own if self.first is None else own & self.first.converged


Guide = tuple[Array, Array]
"""Weights (m,) to start from and loadings (m,) to turn towards, of one stage."""


def solve(
    model: PathModel,
    sample: Sample,
    scheme: str,
    *,
    consistent: bool,
    guides: Sequence[Guide] = (),
    tolerance: float = TOLERANCE,
) -> Solved:
    """Estimate a path model from many samples.

    Parameters
    ----------
    model : PathModel
    sample : Sample
    scheme, tolerance
        As for `composites`.
    consistent : bool
        PLSc.
    guides : sequence of (ndarray, ndarray), optional
        Weights and loadings of another sample, this stage first, then those before it.
    """
    design = model.design
    first = None
    correlation, item_sd = sample.correlation, np.ones(sample.correlation.shape[1:])
    if model.first is not None:
        first = solve(model.first, sample, scheme, consistent=consistent, guides=guides[1:], tolerance=tolerance)
        correlation, item_sd = _next_items(model, first, sample)
    start, towards = guides[0] if guides else (None, None)
    found = composites(correlation, design, scheme, start=start, towards=towards, tolerance=tolerance)
    rho = reliability_a(design, correlation, found.weights)
    loadings = found.cross[design.item, design.construct]
    cor = found.cor
    if consistent:
        loadings, cor = corrected(found, rho, model)
    paths, r2 = regress(design, cor)
    return Solved(found, correlation, item_sd, rho, loadings, cor, paths, r2, first)


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


def _next_items(model: PathModel, first: Solved, sample: Sample) -> tuple[Array, Array]:
    """Return correlations (p, p, L) and standard deviations (p, L) of the items made from the stage before."""
    assert model.first is not None
    count = len(first.correlation)
    # Everything the stage before has: its items, then its composites.
    joint = np.concatenate(
        [
            np.concatenate([first.correlation, first.composites.cross], axis=1),
            np.concatenate([first.composites.cross.transpose(1, 0, 2), first.composites.cor], axis=1),
        ]
    )
    linear = np.array([k for k, source in enumerate(model.sources) if len(source.composites) < 2], dtype=np.intp)
    where = np.array([s.item if s.item >= 0 else count + s.composites[0] for s in (model.sources[k] for k in linear)])
    size, lanes = len(model.sources), joint.shape[2]
    if len(linear) == size:
        return joint[np.ix_(where, where)], np.ones((size, lanes))
    out, spread = np.empty((size, size, lanes)), np.ones((size, lanes))
    out[np.ix_(linear, linear)] = joint[np.ix_(where, where)]
    product = np.setdiff1d(np.arange(size), linear)
    assert sample.rows is not None
    step = max(1, SCORES_AT_ONCE // (len(sample.rows) * size))
    for begin in range(0, lanes, step):
        some = slice(begin, min(lanes, begin + step))
        score = scores(model.first, _some(first, some), sample.lanes(some))
        share = _shares(sample.lanes(some), score.shape[2])
        items = np.stack([_item(source, score) for source in model.sources], axis=1)
        centred = items - np.einsum("nkl,nl->kl", items, share)[None]
        cov = np.einsum("nil,nkl,nl->ikl", centred[:, product], centred, share, optimize=True)
        sd = np.sqrt(np.stack([cov[a, k] for a, k in enumerate(product)]))
        spread[np.ix_(product, np.arange(some.start, some.stop))] = sd
        between = cov / sd[:, None]
        for a, k in enumerate(product):
            between[:, k] /= sd[a]
        out[product, :, some] = between
        out[:, product, some] = between.transpose(1, 0, 2)
    return out, spread


def _item(source: Source, score: Array) -> Array:
    """Return an item of unit variance, or a product of two of them, shape (n, L)."""
    return np.asarray(np.prod(score[:, list(source.composites)], axis=1))


def _shares(sample: Sample, lanes: int) -> Array:
    """Return the share of every respondent in every sample, shape (n, L)."""
    assert sample.rows is not None
    if sample.often is None:
        return np.full((len(sample.rows), lanes), 1.0 / len(sample.rows))
    return np.asarray(sample.often / sample.often.sum(axis=0))


def _some(solved: Solved, chosen: slice) -> Solved:
    """Return the part of the estimates that scores need, of some samples."""
    found = solved.composites
    part = Composites(
        found.weights[..., chosen],
        found.cross[..., chosen],
        found.cor[..., chosen],
        found.converged[chosen],
        found.iterations[chosen],
    )
    return Solved(
        part,
        solved.correlation[..., chosen],
        solved.item_sd[..., chosen],
        solved.rho_a[..., chosen],
        solved.loadings[..., chosen],
        solved.cor[..., chosen],
        solved.paths[..., chosen],
        solved.r2[..., chosen],
        None if solved.first is None else _some(solved.first, chosen),
    )


def scores(model: PathModel, solved: Solved, sample: Sample) -> Array:
    """Return the scores of the composites, mean 0 and variance 1, shape (n, J, L)."""
    weights = solved.composites.weights
    design = model.design
    lanes = weights.shape[1]
    assert sample.rows is not None
    if model.first is None:
        share = _shares(sample, lanes)
        mean = sample.rows.T @ share
        sd = np.sqrt(np.maximum((sample.rows**2).T @ share - mean**2, 0.0))
        by_item = np.zeros((len(model.items), design.size, lanes))
        by_item[design.item, design.construct] = weights
        by_item /= sd[:, None]
        size = design.size * lanes
        raw = (sample.rows @ by_item.reshape(-1, size)).reshape(-1, design.size, lanes)
        return np.asarray(raw - np.einsum("pl,pjl->jl", mean, by_item)[None])
    assert solved.first is not None
    before = scores(model.first, solved.first, sample)
    out = np.zeros((len(before), design.size, lanes))
    for entry, (item, construct) in enumerate(zip(design.item, design.construct, strict=True)):
        source = model.sources[item]
        if source.item < 0:
            made = _item(source, before)
            if len(source.composites) == 2:
                made = (made - (made * _shares(sample, lanes)).sum(axis=0)) / solved.item_sd[item]
            out[:, construct] += weights[entry] * made
        else:
            share = _shares(sample, lanes)
            column = sample.rows[:, source.item, None]
            mean = (column * share).sum(axis=0)
            sd = np.sqrt(np.maximum((column**2 * share).sum(axis=0) - mean**2, 0.0))
            out[:, construct] += weights[entry] * (column - mean) / sd
    return out
