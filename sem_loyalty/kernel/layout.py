"""What follows from where the parameters of a group stand, whatever their values: derived once for each model.

The derivative of Sigma by a free entry is c (u w' + w u'), with u and w columns of E = [G, C]; G holds the observed
rows of B and C those of V (see `kernel.ram`). Only variables that affect others, the sources, need a column of C.
An intercept counts as an entry of weight c = 0, so one list of pairs serves the moments of both orders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Up to so many entries, positions of all pairs in the matrix of products are kept: one gather instead of two.
KEPT_PAIRS = 200
# From so many columns of E on, it is worth while to leave columns of I out of products.
MANY_COLUMNS = 80


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Positions that every evaluation of a group needs.

    Attributes
    ----------
    identity : ndarray, shape (v, v)
        I.
    sources : ndarray of int
        Variables that affect others: the columns of A that can differ from zero.
    span : slice or ndarray of int
        The same, as a slice where they stand side by side.
    unit, inner : ndarray, shapes (v, s) and (s, s)
        Columns of I of the sources, and their rows of these.
    fixed_sources : ndarray of bool, shape (v,)
        Columns of A with a fixed effect.
    directed, symmetric : ndarray of int
        Flat positions of the free entries of A, and of S in both triangles.
    symmetric_parameter : ndarray of int
        Parameters of `symmetric`.
    entry_parameter : ndarray of int
        The parameter of every free entry: directed, then symmetric, then intercepts.
    distinct, in_order : bool
        Whether no two entries share a parameter, and whether entry k is parameter k.
    left, right, weight : ndarray
        Columns of E = [G, C] and weights of the derivatives by the entries of A and S.
    u, w, c : ndarray
        The same over all entries, for E = [G, C[:, sources]]; intercepts have c = 0.
    units : int
        Leading columns of E that are those of I: items that affect nothing. 0 where E is small.
    own : ndarray of int
        Flat position of every entry's own pair (u, w) in a matrix over the columns of E.
    uu, ww, uw : ndarray of int, or None
        Flat positions of all pairs in a matrix over the columns of E; None where there are too many.
    cc : ndarray or None
        c c', likewise.
    """

    identity: Array
    sources: Index
    span: slice | Index
    unit: Array
    inner: Array
    fixed_sources: NDArray[np.bool_]
    directed: Index
    symmetric: Index
    symmetric_parameter: Index
    entry_parameter: Index
    distinct: bool
    in_order: bool
    left: Index
    right: Index
    weight: Array
    u: Index
    w: Index
    c: Array
    units: int
    own: Index
    uu: Index | None
    ww: Index | None
    uw: Index | None
    cc: Array | None


def pairs(
    size: int, directed_row: Index, directed_col: Index, symmetric_row: Index, symmetric_col: Index
) -> tuple[Index, Index, Array]:
    """Return which columns of E = [G, C], and with which weight, make the derivative by each entry of A and S."""
    left = np.concatenate([directed_row, symmetric_row])
    right = np.concatenate([directed_col + size, symmetric_col])
    weight = np.concatenate([np.ones(len(directed_row)), np.where(symmetric_row == symmetric_col, 0.5, 1.0)])
    return left, right, weight


def layout_of(
    n_observed: int,
    fixed: Array,
    directed: tuple[Index, Index, Index],
    symmetric: tuple[Index, Index, Index],
    intercepts: tuple[Index, Index],
) -> Layout:
    """Return the layout of a group.

    Parameters
    ----------
    n_observed : int
        p, the number of observed variables, which come first.
    fixed : ndarray, shape (v, v)
        Fixed part of A.
    directed, symmetric : tuple of ndarray of int
        Rows, columns and parameters of the free entries of A and of S.
    intercepts : tuple of ndarray of int
        Rows and parameters of the free entries of m.
    """
    size = len(fixed)
    (row, col, by_directed), (first, second, by_symmetric), (shifted, by_intercept) = directed, symmetric, intercepts
    fixed_sources = (fixed != 0).any(axis=0)
    emits = fixed_sources.copy()
    emits[col] = True
    sources = np.flatnonzero(emits)
    side_by_side = len(sources) > 0 and sources[-1] - sources[0] + 1 == len(sources)
    column = np.cumsum(emits) - 1 + size
    left, right, weight = pairs(size, row, col, first, second)
    u = np.concatenate([left, shifted])
    w = np.concatenate([column[col], second, np.zeros(len(shifted), dtype=np.intp)])
    c = np.concatenate([weight, np.zeros(len(shifted))])
    width, few = size + len(sources), len(u) <= KEPT_PAIRS
    entries = np.concatenate([by_directed, by_symmetric, by_intercept])
    identity = np.eye(size)
    return Layout(
        identity=identity,
        sources=sources,
        span=slice(int(sources[0]), int(sources[-1]) + 1) if side_by_side else sources,
        unit=np.ascontiguousarray(identity[:, sources]),
        inner=np.eye(len(sources)),
        fixed_sources=fixed_sources,
        directed=row * size + col,
        symmetric=np.concatenate([first * size + second, second * size + first]),
        symmetric_parameter=np.concatenate([by_symmetric, by_symmetric]),
        entry_parameter=entries,
        distinct=len(np.unique(entries)) == len(entries),
        in_order=bool((entries == np.arange(len(entries))).all()),
        left=left,
        right=right,
        weight=weight,
        u=u,
        w=w,
        c=c,
        units=min([n_observed, *sources.tolist()]) if width > MANY_COLUMNS else 0,
        own=u * width + w,
        uu=u[:, None] * width + u if few else None,
        ww=w[:, None] * width + w if few else None,
        uw=u[:, None] * width + w if few else None,
        cc=c[:, None] * c if few else None,
    )


def gather(matrix: Array, rows: Index, columns: Index, flat: Index | None) -> Array:
    """Return matrix[rows, :][:, columns], by flat positions where they are known."""
    if flat is not None:
        return matrix.take(flat)
    return matrix.take(rows, axis=0).take(columns, axis=1)
