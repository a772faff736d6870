"""What the items say of each construct before any fit: one-factor start values in the metric of the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.one_factor import ItemBlocks, item_blocks, one_factor_each
from sem_loyalty.model.spec import Specification, kept

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# An item's communality where no construct explains it, and the largest that its constructs may add up to.
UNEXPLAINED, MOST_EXPLAINED = 0.5, 0.9
# The least scale of a construct, as a share of the standard deviation of its marker.
LEAST_SCALE = 0.05


@dataclass(frozen=True, slots=True)
class Measured:
    """One-factor start values of every latent variable of a group.

    Attributes
    ----------
    loading : ndarray, shape (s,)
        Of the pairs of `Measurement`, in the metric of the marker.
    variance : ndarray, shape (latent,)
        Of every latent variable.
    explained : ndarray, shape (p,)
        The communality of every observed variable.
    """

    loading: Array
    variance: Array
    explained: Array


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """Which constructs have which indicators: first all items, then the constructs that are indicators themselves.

    Attributes
    ----------
    pairs : dict
        Position of every (construct, indicator).
    items : ndarray of int, shape (s,)
        The observed variable of every pair with an item, construct by construct.
    square : ndarray of int, shape (s, s)
        Flat positions of the covariances among them.
    blocks : ItemBlocks
        Which belong together.
    latent : ndarray of int
        The position of each block's construct among the latent variables.
    marker : ndarray of int
        The pair with the first fixed loading of each block, else the first pair.
    marked : ndarray of bool
        Whether there is a fixed loading.
    value : ndarray
        Its value; else the standard deviation of the construct, 1 where it is free.
    unit : ndarray
        The fixed variance of each block's construct; nan where it is free.
    measured : ndarray of bool, shape (p,)
        Which observed variables some construct explains.
    higher : tuple of (int, tuple of (int, int), float or None)
        Factors of factors, the lowest first: positions among the latent variables, of their indicators there and among
        the pairs, and the fixed variance.
    """

    pairs: dict[tuple[str, str], int]
    items: Index
    square: Index
    blocks: ItemBlocks
    latent: Index
    marker: Index
    marked: NDArray[np.bool_]
    value: Array
    unit: Array
    measured: NDArray[np.bool_]
    higher: tuple[tuple[int, tuple[tuple[int, int], ...], float | None], ...]


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
    plan = measurement(specification, group)
    loading, variance = np.ones(len(plan.pairs)), np.ones(len(specification.latent))
    explained = np.where(plan.measured, 0.0, UNEXPLAINED)
    count = len(plan.items)
    if count:
        sd = np.sqrt(cov.diagonal())[plan.items]
        if share is None:
            correlation = cov.take(plan.square)
            correlation /= sd[:, None]
            correlation /= sd
            level = one_factor_each(correlation, plan.blocks)
        else:
            level = np.full(count, np.sqrt(share))
        scale = _scales(plan, level, sd)
        loading[:count] = level * sd / scale[plan.blocks.of]
        variance[plan.latent] = np.where(np.isnan(plan.unit), scale * scale, plan.unit)
        explained += np.bincount(plan.items, weights=level * level, minlength=len(explained))
        np.minimum(explained, MOST_EXPLAINED, out=explained)
    # A factor of factors starts with half the variance of its marker, and equal effects on the others.
    for at, own, unit in plan.higher:
        variance[at] = 0.5 * variance[own[0][0]] if unit is None else unit
        for child, pair in own:
            loading[pair] = np.sqrt(0.5 * variance[child] / max(variance[at], 1e-8))
    return Measured(loading, variance, explained)


def _scales(plan: Measurement, level: Array, sd: Array) -> Array:
    """Return the standard deviation that the fixed loading or the fixed variance gives to each construct."""
    lead, size = level[plan.marker], sd[plan.marker]
    by_marker = lead * size / plan.value
    least = LEAST_SCALE * size
    by_marker = np.where(np.abs(by_marker) > least, by_marker, least)
    return np.where(plan.marked, by_marker, np.where(lead >= 0, plan.value, -plan.value))


@kept
def measurement(specification: Specification, group: int) -> Measurement:
    """Return which constructs of a group have which indicators."""
    index = {name: i for i, name in enumerate(specification.observed)}
    position = {name: j for j, name in enumerate(specification.latent)}
    rows = [r for r in specification.parameters if r.op == "=~" and r.group == group]
    own = {name: [r for r in rows if r.lhs == name and r.rhs in index] for name in specification.latent}
    with_items = [name for name in specification.latent if own[name]]
    pairs: dict[tuple[str, str], int] = {}
    items: list[int] = []
    sizes, marker, value = [], [], []
    unit = _fixed_variances(specification, group)
    for name in with_items:
        first = len(items)
        fixed = next((i for i, r in enumerate(own[name]) if r.value not in (None, 0.0)), None)
        variance = unit.get(name, 1.0)
        marker.append(first + (fixed or 0))
        value.append(float(own[name][fixed].value or 1.0) if fixed is not None else max(variance, 0.0) ** 0.5 or 1.0)
        for r in own[name]:
            pairs[r.lhs, r.rhs] = len(items)
            items.append(index[r.rhs])
        sizes.append(len(own[name]))
    for r in rows:
        pairs.setdefault((r.lhs, r.rhs), len(pairs))
    at = np.array(items, dtype=np.intp)
    measured = np.zeros(len(index), dtype=np.bool_)
    measured[at] = True
    higher = []
    for name in reversed(specification.latent):
        children = tuple((position[r.rhs], pairs[r.lhs, r.rhs]) for r in rows if r.lhs == name and r.rhs in position)
        if children and not own[name]:
            higher.append((position[name], children, unit.get(name)))
    return Measurement(
        pairs=pairs,
        items=at,
        square=at[:, None] * len(index) + at,
        blocks=item_blocks(sizes),
        latent=np.array([position[name] for name in with_items], dtype=np.intp),
        marker=np.array(marker, dtype=np.intp),
        marked=np.array([any(r.value not in (None, 0.0) for r in own[name]) for name in with_items], dtype=np.bool_),
        value=np.array(value),
        unit=np.array([unit.get(name, np.nan) for name in with_items]),
        measured=measured,
        higher=tuple(higher),
    )


def _fixed_variances(specification: Specification, group: int) -> dict[str, float]:
    """Return the latent variances that the model fixes."""
    latent = set(specification.latent)
    return {
        r.lhs: r.value
        for r in specification.parameters
        if r.group == group and r.op == "~~" and r.lhs == r.rhs and r.lhs in latent and r.value
    }
