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
from sem_loyalty.kernel.resample import lower_rows
from sem_loyalty.kernel.solver import Subspace

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
        Standard deviations of the full sample; within groups where the units are common to the groups.
    common : bool
        Whether the groups share parameters, so that an item needs the same unit in all of them.
    """

    item: tuple[Index, ...]
    spread: tuple[Array, ...]
    common: bool


def lane_units(
    blocks: tuple[Block, ...], covs: tuple[Array, ...], weights: tuple[float, ...], space: Subspace, fixed: Index
) -> LaneUnits | None:
    """Return the units of the variables, or None for a model that is not equivariant in any obvious way.

    A model qualifies if every fixed value other than 0 is a loading or path between variables of one unit, or a
    moment of latent variables without one; and if parameters that stand in several places, and the constraints, mean
    the same in any units.

    Parameters
    ----------
    blocks : tuple of Block
    covs : tuple of ndarray, each (p, p)
        Full-sample covariance matrices.
    weights : tuple of float
        n_g / N.
    space : Subspace
        Linear equality constraints.
    fixed : ndarray of int
        Fixed covariates, whose moments are those of each sample.
    """
    found = [_items(block, fixed) for block in blocks]
    items = tuple(item for item in found if item is not None)
    if len(items) < len(blocks):
        return None
    pooled = np.sqrt(sum(weight * np.diagonal(cov) for weight, cov in zip(weights, covs, strict=True)))
    own = LaneUnits(items, tuple(np.sqrt(np.diagonal(cov)) for cov in covs), common=False)
    for units in (own, LaneUnits(items, (pooled,) * len(blocks), common=True)):
        if _equivariant(units, blocks, space):
            return units
    return None


def _items(block: Block, fixed: Index) -> Index | None:
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
    moments = block.symmetric.copy()
    moments[np.ix_(fixed, fixed)] = 0.0
    intercepts = block.intercepts.copy()
    intercepts[fixed] = 0.0
    row, col = np.nonzero(moments)
    valued = np.concatenate([row, col, np.flatnonzero(intercepts)])
    return None if (item[valued] >= 0).any() else item


def _equivariant(units: LaneUnits, blocks: tuple[Block, ...], space: Subspace) -> bool:
    """Return whether places that share a parameter, and the constraints, agree on units; tried at generic factors."""
    factors = []
    for group, spread in enumerate(units.spread):
        at = 1.0 + np.arange(len(spread)) + (0 if units.common else group * len(spread))
        factors.append((1.0 + np.sqrt(at) % 1.0)[:, None])
    scale = np.full((space.basis.shape[0], 1), np.nan)
    for parameter, by_entry in _multipliers(units, blocks, factors):
        known = scale[parameter]
        if (np.isfinite(known) & (np.abs(known - by_entry) > 1e-9)).any():
            return False
        scale[parameter] = by_entry
        if (np.abs(scale[parameter] - by_entry) > 1e-9).any():  # twice within this group
            return False
    if not space.constrained:
        return True
    scale = np.where(np.isfinite(scale), scale, 1.0)
    moved = np.concatenate([scale * space.basis, scale * space.offset[:, None] - space.offset[:, None]], axis=1)
    return bool(np.abs(moved - space.basis @ (space.basis.T @ moved)).max() < 1e-9)


def _multipliers(units: LaneUnits, blocks: tuple[Block, ...], factors: list[Array]) -> list[tuple[Index, Array]]:
    """Return by group the parameters of the entries, and what brings them to the units that the lanes came in."""
    found = []
    for block, item, factor in zip(blocks, units.item, factors, strict=True):
        unit = np.concatenate([factor, np.ones((1, factor.shape[1]))])[item]
        parts = [
            unit[block.directed_col] / unit[block.directed_row],
            1.0 / (unit[block.symmetric_row] * unit[block.symmetric_col]),
            1.0 / unit[block.intercept_row],
        ]
        found.append((block.entry_parameter, np.concatenate(parts)))
    return found


def rescale(units: LaneUnits, covs: list[Array], means: list[Array], weights: tuple[float, ...]) -> list[Array]:
    """Give every lane the variances of the full sample, in place; pooled over the groups where units are common.

    Parameters
    ----------
    units : LaneUnits
    covs, means : list of ndarray, each (p (p + 1) / 2, L) and (p, L)
        Lower triangles by rows, and means.
    weights : tuple of float
        n_g / N.

    Returns
    -------
    list of ndarray, each (p, L)
        What every item was multiplied by.
    """
    rows = lower_rows(len(means[0]))
    variances = [cov[[row.stop - 1 for row in rows]] for cov in covs]
    if units.common:
        pooled = sum((weight * one for weight, one in zip(weights, variances, strict=True)), np.zeros(1))
        variances = [pooled] * len(covs)
    factors = []
    for spread, variance, cov, mean in zip(units.spread, variances, covs, means, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = spread[:, None] / np.sqrt(variance)
        # An item that does not vary in a resample has no minimum to find; it stays as it is.
        factor[:, ~np.isfinite(factor).all(axis=0)] = 1.0
        work = np.empty_like(factor)
        for i, row in enumerate(rows):
            cov[row] *= np.multiply(factor[: i + 1], factor[i], out=work[: i + 1])
        mean *= factor
        factors.append(factor)
    return factors


def original(units: LaneUnits, blocks: tuple[Block, ...], theta: Array, factors: list[Array]) -> Array:
    """Return the parameters in the units that the lanes came in, shape (q, L)."""
    scale = np.ones_like(theta)
    for parameter, by_entry in _multipliers(units, blocks, factors):
        scale[parameter] = by_entry
    return theta * scale
