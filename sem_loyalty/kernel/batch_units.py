"""Units of the lanes: resamples brought to the variances of the full sample, where that only renames the parameters.

Most models are equivariant: items in other units give the same fit, with parameters in other units. Giving every
resample the item variances of the full sample takes the largest part of the variation between resamples away before
the search begins, and about a third of its iterations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.ram import Block

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class LaneUnits:
    """Which item gives every variable its unit.

    Attributes
    ----------
    item : tuple of ndarray of int, each (v,)
        One per group: the position of an item, or -1 for a latent variable whose unit does not depend on the items.
    spread : tuple of ndarray, each (p,)
        Standard deviations of the full sample.
    """

    item: tuple[Index, ...]
    spread: tuple[Array, ...]


def lane_units(blocks: tuple[Block, ...], covs: tuple[Array, ...], *, constrained: bool) -> LaneUnits | None:
    """Return the units of the variables, or None for a model that is not equivariant in any obvious way.

    A model qualifies if no parameter stands in two places, nothing is constrained, means are not modelled, and every
    fixed value other than 0 is a loading or path between variables of one unit, or a (co)variance of latent variables
    without one.

    Parameters
    ----------
    blocks : tuple of Block
    covs : tuple of ndarray, each (p, p)
        Full-sample covariance matrices.
    constrained : bool
        Whether there are equality constraints.
    """
    entries = np.concatenate([block.entry_parameter for block in blocks])
    if constrained or len(np.unique(entries)) < len(entries) or any(block.means for block in blocks):
        return None
    found = [_items(block) for block in blocks]
    items = tuple(item for item in found if item is not None)
    if len(items) < len(blocks):
        return None
    return LaneUnits(items, tuple(np.sqrt(np.diagonal(cov)) for cov in covs))


def _items(block: Block) -> Index | None:
    """Return the item that gives every variable of a block its unit, or None where fixed values contradict that."""
    p, size = block.n_observed, len(block.directed)
    item = np.concatenate([np.arange(p), np.full(size - p, -1)])
    for _round in range(size - p):
        for latent in range(p, size):
            # The unit of a latent variable is that of the first variable that it enters with a fixed weight.
            for weighted in np.flatnonzero(block.directed[:, latent]):
                if item[latent] < 0 and item[weighted] >= 0:
                    item[latent] = item[weighted]
    row, col = np.nonzero(block.directed)
    if (item[row] != item[col]).any():
        return None
    row, col = np.nonzero(block.symmetric)
    if (item[row] >= 0).any() or (item[col] >= 0).any():
        return None
    return item


def rescale(units: LaneUnits, covs: list[Array]) -> list[Array]:
    """Give every lane the variances of the full sample, in place.

    Parameters
    ----------
    units : LaneUnits
    covs : list of ndarray, each (p, p, L)

    Returns
    -------
    list of ndarray, each (p, L)
        What every item was multiplied by.
    """
    factors = []
    for spread, cov in zip(units.spread, covs, strict=True):
        own = np.arange(len(cov))
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = spread[:, None] / np.sqrt(cov[own, own])
        # An item that does not vary in a resample has no minimum to find; it stays as it is.
        factor[:, ~np.isfinite(factor).all(axis=0)] = 1.0
        cov *= factor[:, None]
        cov *= factor[None, :]
        factors.append(factor)
    return factors


def original(units: LaneUnits, blocks: tuple[Block, ...], theta: Array, factors: list[Array]) -> Array:
    """Return the parameters in the units that the lanes came in, shape (q, L)."""
    out = theta.copy()
    for block, item, factor in zip(blocks, units.item, factors, strict=True):
        unit = np.concatenate([factor, np.ones((1, factor.shape[1]))])[item]
        out[block.directed_parameter] *= unit[block.directed_col] / unit[block.directed_row]
        out[block.symmetric_parameter] /= unit[block.symmetric_row] * unit[block.symmetric_col]
    return out
