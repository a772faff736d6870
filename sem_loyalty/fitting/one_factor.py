"""One-factor solutions of blocks of items, all blocks at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Loadings stay within this, and what the other items' squared loadings add up to above that.
LARGEST, LEAST = 0.95, 0.05


@dataclass(frozen=True, slots=True, eq=False)
class ItemBlocks:
    """Which rows of a matrix over pairs of a construct and an item belong together.

    Attributes
    ----------
    first : ndarray of int
        The first row of each block; blocks follow one another.
    of : ndarray of int, shape (s,)
        The block of every row.
    others : ndarray, shape (s, s)
        1 where two different rows belong to one block, else 0.
    pairs : ndarray of int
        The first rows of blocks of two items, whose loadings are known.
    singles : ndarray of int
        The rows of blocks of one.
    """

    first: Index
    of: Index
    others: Array
    pairs: Index
    singles: Index


def item_blocks(sizes: list[int]) -> ItemBlocks:
    """Return the blocks of so many items each, none of them empty."""
    counts = np.array(sizes, dtype=np.intp)
    of = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    others = (of[:, None] == of).astype(np.float64)
    np.fill_diagonal(others, 0.0)
    return ItemBlocks(first, of, others, first[counts == 2], first[counts == 1])


def one_factor(correlation: Array, sweeps: int = 6) -> Array:
    """Return loadings of one factor by unweighted least squares, shape (k,), each within ±0.95.

    Parameters
    ----------
    correlation : ndarray, shape (k, k)
    sweeps : int, default 6
        Refinements, which need not be many for start values.
    """
    return one_factor_each(correlation, item_blocks([len(correlation)]), sweeps)


def one_factor_each(correlation: Array, blocks: ItemBlocks, sweeps: int = 6) -> Array:
    """Return the loadings of one factor for each of several blocks of items, as `one_factor` does, shape (s,).

    Given the others, the loading of item i that fits r_ij = l_i l_j best is sum_j r_ij l_j / sum_j l_j^2 (Harman and
    Jones 1966, doi:10.1007/BF02289468). All loadings go half the way there at once.

    Parameters
    ----------
    correlation : ndarray, shape (s, s)
        Correlations of the items of all blocks; those between blocks do not matter.
    blocks : ItemBlocks
    sweeps : int, default 6
    """
    others = blocks.others
    within = correlation * others
    strength = np.abs(within)
    # Each block starts from the item that shares most with the others: r_ij / l_j.
    shared = strength.sum(axis=1)
    leads = shared == np.maximum.reduceat(shared, blocks.first)[blocks.of]
    level = np.sqrt(np.maximum(np.maximum.reduceat(strength.max(axis=1), blocks.first), LEAST))[blocks.of]
    loadings = np.where(leads, level, within @ leads / level)
    for _sweep in range(sweeps):
        best = within @ loadings
        best /= np.maximum(others @ (loadings * loadings), LEAST)
        loadings += best
        loadings *= 0.5
        np.minimum(np.maximum(loadings, -LARGEST, out=loadings), LARGEST, out=loadings)
    r = within[blocks.pairs, blocks.pairs + 1]
    loadings[blocks.pairs] = half = np.sqrt(np.maximum(np.abs(r), LEAST))
    loadings[blocks.pairs + 1] = np.where(r >= 0, half, -half)
    loadings[blocks.singles] = 1.0
    return loadings
