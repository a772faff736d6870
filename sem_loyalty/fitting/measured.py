"""One-factor start values of each construct, block of items by block of items."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.model.scatter import variables
from sem_loyalty.model.spec import Parameter, Specification, kept

Array = NDArray[np.float64]


def one_factor(correlation: Array, sweeps: int = 5) -> Array:
    """Return loadings of one factor by iterated principal axes, shape (k,), each within ±0.95.

    Parameters
    ----------
    correlation : ndarray, shape (k, k)
    sweeps : int, default 5
        Refinements of the communalities.
    """
    return one_factor_each([correlation], sweeps)[0]


def one_factor_each(correlations: Sequence[Array], sweeps: int = 5) -> list[Array]:
    """Return the loadings of one factor for each of several correlation matrices, as `one_factor` does."""
    found = [_by_formula(correlation) for correlation in correlations]
    open_ones = [i for i, loadings in enumerate(found) if len(loadings) == 0]
    if not open_ones:
        return found
    # Rows and columns of zeros make all matrices the same size and add nothing to their largest factor.
    sizes = np.array([len(correlations[i]) for i in open_ones])
    k = int(sizes.max())
    reduced = np.zeros((len(sizes), k, k))
    for at, i in enumerate(open_ones):
        reduced[at, : sizes[at], : sizes[at]] = correlations[i]
    diagonal = np.arange(k)
    present = diagonal < sizes[:, None]
    reduced[:, diagonal, diagonal] = 0.0
    communality = np.abs(reduced).max(axis=2)
    loadings = np.sqrt(communality)
    for _sweep in range(sweeps):
        reduced[:, diagonal, diagonal] = communality
        values, vectors = np.linalg.eigh(reduced)
        loadings = vectors[:, :, -1] * np.sqrt(np.maximum(values[:, -1:], 1e-4))
        communality = np.minimum(np.maximum(loadings * loadings, 0.01), 0.9) * present
    largest = np.abs(loadings).argmax(axis=1)
    loadings *= np.where(loadings[np.arange(len(sizes)), largest] < 0, -1.0, 1.0)[:, None]
    loadings = np.minimum(np.maximum(loadings, -0.95), 0.95)
    for at, i in enumerate(open_ones):
        found[i] = loadings[at, : sizes[at]]
    return found


def _by_formula(correlation: Array) -> Array:
    """Return the loadings of one or two items, which are known; an empty array for more."""
    k = len(correlation)
    if k == 1:
        return np.ones(1)
    if k > 2:
        return np.zeros(0)
    r = float(correlation[0, 1])
    level = math.sqrt(max(abs(r), 0.05))
    return np.array([level, level if r >= 0 else -level])


@dataclass(frozen=True, slots=True)
class Measured:
    """One-factor start values of every latent variable of a group.

    Attributes
    ----------
    index : dict
        Position of every observed variable.
    loading : dict
        By (latent, indicator), in the metric of the marker.
    variance : dict
        By latent variable.
    explained : dict
        By item, its communality.
    """

    index: dict[str, int]
    loading: dict[tuple[str, str], float]
    variance: dict[str, float]
    explained: dict[str, float]

    def start(self, row: Parameter, cov: Array, mean: Array | None) -> float:
        """Return the start value of one row, with paths and covariances at zero."""
        if row.op == "=~":
            return self.loading.get((row.lhs, row.rhs), 1.0)
        if row.op == "~~" and row.lhs == row.rhs:
            if row.lhs in self.index:
                total = float(cov[self.index[row.lhs], self.index[row.lhs]])
                return total * (1.0 - self.explained.get(row.lhs, 0.5))
            return abs(self.variance.get(row.lhs, 1.0)) or 0.05
        if row.op == "~1" and row.lhs in self.index and mean is not None:
            return float(mean[self.index[row.lhs]])
        return 0.0


def measure(specification: Specification, group: int, cov: Array, *, share: float | None = None) -> Measured:
    """Return the one-factor start values of every latent variable of a group.

    Parameters
    ----------
    specification : Specification
    group : int
        Group number, from 1.
    cov : ndarray, shape (p, p)
    share : float, optional
        Give every item this communality rather than the one that its correlations suggest.
    """
    plan = _plan(specification, group)
    found = Measured(plan.index, {}, {}, {})
    sd = np.sqrt(np.diagonal(cov))
    if share is None:
        correlation = cov / (sd[:, None] * sd)
        each = one_factor_each([correlation[block.at[:, None], block.at] for block in plan.blocks])
    else:
        each = [np.full(len(block.at), np.sqrt(share)) for block in plan.blocks]
    for block, standard in zip(plan.blocks, each, strict=True):
        levels = standard.tolist()
        _scale(found, block, levels, sd[block.at].tolist())
        for item, level in zip(block.items, levels, strict=True):
            found.explained[item] = min(0.9, found.explained.get(item, 0.0) + level**2)
    # A factor of factors starts with half the variance of its marker, and equal effects on the others.
    for latent, own, unit in plan.higher:
        if latent in found.variance:
            continue
        found.variance[latent] = 0.5 * found.variance.get(own[0], 1.0) if unit is None else unit
        for name in own:
            child = found.variance.get(name, 1.0)
            found.loading[latent, name] = math.sqrt(0.5 * child / max(found.variance[latent], 1e-8))
    return found


@dataclass(frozen=True, slots=True)
class _ItemBlock:
    """The items of one construct: positions, names, the first fixed loading with its value, the fixed variance."""

    latent: str
    at: NDArray[np.intp]
    items: tuple[str, ...]
    marker: int | None
    value: float
    unit: float | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What `measure` needs of the model: the blocks of items, and what each latent variable of others measures."""

    index: dict[str, int]
    blocks: tuple[_ItemBlock, ...]
    higher: tuple[tuple[str, tuple[str, ...], float | None], ...]


@kept
def _plan(specification: Specification, group: int) -> _Plan:
    index = dict(list(variables(specification).items())[: len(specification.observed)])
    rows = [r for r in specification.parameters if r.op == "=~" and r.group == group]
    unit = _fixed_variances(specification, group)
    blocks, higher = [], []
    for latent in specification.latent:
        items = [r for r in rows if r.lhs == latent and r.rhs in index]
        if not items:
            continue
        marker = next((i for i, r in enumerate(items) if r.value not in (None, 0.0)), None)
        value = 1.0 if marker is None else float(items[marker].value or 1.0)
        at = np.array([index[r.rhs] for r in items], dtype=np.intp)
        blocks.append(_ItemBlock(latent, at, tuple(r.rhs for r in items), marker, value, unit.get(latent)))
    for latent in reversed(specification.latent):
        own = tuple(r.rhs for r in rows if r.lhs == latent)
        if own:
            higher.append((latent, own, unit.get(latent)))
    return _Plan(index, tuple(blocks), tuple(higher))


def _fixed_variances(specification: Specification, group: int) -> dict[str, float]:
    """Return the latent variances that the model fixes."""
    latent = set(specification.latent)
    return {
        r.lhs: r.value
        for r in specification.parameters
        if r.group == group and r.op == "~~" and r.lhs == r.rhs and r.lhs in latent and r.value
    }


def _scale(found: Measured, block: _ItemBlock, standard: list[float], sd: list[float]) -> None:
    """Turn standardised loadings into the metric that the fixed loading or fixed variance sets."""
    unit = block.unit
    if block.marker is not None:
        scale = standard[block.marker] * sd[block.marker] / block.value
        scale = scale if abs(scale) > 0.05 * sd[block.marker] else 0.05 * sd[block.marker]
    else:
        scale = math.sqrt(unit) if unit is not None and unit > 0 else 1.0
        scale *= 1.0 if standard[0] >= 0 else -1.0
    found.variance[block.latent] = unit if unit is not None else scale**2
    for item, level, size in zip(block.items, standard, sd, strict=True):
        found.loading[block.latent, item] = level * size / scale
