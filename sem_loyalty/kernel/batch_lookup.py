"""Where the likelihood of many samples at once finds the values of a lane, and where it puts the derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.batch_structure import Structure
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.scratch import Scratch

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where the values of a lane stand, among the constants and then the parameters, and where its derivatives go.

    Attributes
    ----------
    constants : ndarray, shape (c,)
        The fixed values of A, S and m.
    loading, residual, intercept : ndarray of int, shape (p,)
        Of the observed variables, in the order of the structure; constants 1, 0 and 0 for its members.
    pair : ndarray of int, shape (k,)
        Covariances between residuals.
    psi : ndarray of int, shape (s, s)
    mean : ndarray of int, shape (s,)
        Intercepts of the members of the structure.
    paths : tuple of (int, int, int)
        Effects within the structure along its sequence: outcome, cause and place of the effect.
    free_paths : tuple of (int, int)
        Outcome and cause of the free ones, in their order.
    entry : ndarray of int, shape (entries,)
        Where the derivatives by the free entries stand among `Pieces`.
    factor : ndarray, shape (entries, 1)
        What they are multiplied by.
    """

    constants: Array
    loading: Index
    residual: Index
    intercept: Index
    pair: Index
    psi: Index
    mean: Index
    paths: tuple[tuple[int, int, int], ...]
    free_paths: tuple[tuple[int, int], ...]
    entry: Index
    factor: Array


class Pieces:
    """The derivatives in one array, by what they are derivatives by.

    Attributes
    ----------
    all : ndarray, shape (r, L)
        Those below, one after another.
    loading, residual, intercept : ndarray, shape (items, L)
        Of the plain items, the first and the last halved.
    pair : ndarray, shape (k, L)
        Covariances between their residuals, halved.
    path : ndarray, shape (paths, L)
        Free paths within the structure, halved.
    inner : ndarray, shape (s, s, L)
        Psi.
    mean : ndarray, shape (s, L)
        Intercepts of the members of the structure, halved.
    """

    def __init__(self, own: Structure, count: int, scratch: Scratch) -> None:
        size = len(own.members)
        ends = np.cumsum([0, *_lengths(own)])
        self.all = scratch.array(int(ends[-1]), count)
        self.loading, self.residual, self.path, inner, self.intercept, self.mean, self.pair = (
            self.all[first:end] for first, end in pairwise(ends)
        )
        self.inner = inner.reshape(size, size, count)


def _lengths(own: Structure) -> tuple[int, ...]:
    """Return the lengths of the pieces, in their order."""
    size = len(own.members)
    return own.items, own.items, len(own.directed.entry), size**2, own.items, size, len(own.pairs)


def lookup_of(block: Block, own: Structure) -> Lookup:
    """Return where values and derivatives stand."""
    plain, members, others = own.order[: own.items], own.members, len(own.order) - own.items
    A, S, m = block.directed, block.symmetric, block.intercepts
    fixed = [
        np.append(A[plain, members[own.construct[: own.items]]], np.ones(others)),
        np.append(S[plain, plain], np.zeros(others)),
        np.append(m[plain], np.zeros(others)),
        S[own.order[own.pairs.item], own.order[own.pairs.other]][: len(own.pairs)],
        A[np.ix_(members, members)],
        S[np.ix_(members, members)],
        m[members],
    ]
    constants, where = np.unique(np.concatenate([one.ravel() for one in fixed]), return_inverse=True)
    parts = np.split(where, np.cumsum([one.size for one in fixed])[:-1])
    loading, residual, intercept, pair, B, psi, mean = (
        part.reshape(one.shape) for part, one in zip(parts, fixed, strict=True)
    )
    count = len(constants)
    starts = np.cumsum([0, *_lengths(own)])
    entry, factor = np.zeros(len(block.entry_parameter), dtype=np.intp), np.full(len(block.entry_parameter), 2.0)
    at = own.directed
    loading[at.item], B[at.row, at.col] = count + at.item_parameter, count + at.parameter
    entry[at.item_entry], entry[at.entry] = starts[0] + at.item, starts[2] + np.arange(len(at.entry))
    at, first = own.symmetric, len(block.directed_row)
    residual[at.item], psi[at.row, at.col] = count + at.item_parameter, count + at.parameter
    psi[at.col, at.row], pair[at.pair] = count + at.parameter, count + at.pair_parameter
    entry[first + at.pair_entry] = starts[6] + at.pair
    entry[first + at.item_entry] = starts[1] + at.item
    entry[first + at.entry] = starts[3] + at.row * len(members) + at.col
    factor[first + at.item_entry], factor[first + at.entry] = 1.0, np.where(at.row == at.col, 1.0, 2.0)
    at, first = own.intercepts, first + len(block.symmetric_row)
    intercept[at.item], mean[at.row] = count + at.item_parameter, count + at.parameter
    entry[first + at.item_entry], entry[first + at.entry] = starts[4] + at.item, starts[5] + at.row
    factor[first:] = -2.0
    return Lookup(
        constants=constants,
        loading=loading,
        residual=residual,
        intercept=intercept,
        pair=pair,
        psi=psi,
        mean=mean,
        paths=tuple((i, j, int(B[i, j])) for i, causes in own.sequence for j in causes),
        free_paths=tuple(zip(own.directed.row.tolist(), own.directed.col.tolist(), strict=True)),
        entry=entry,
        factor=factor[:, None],
    )
