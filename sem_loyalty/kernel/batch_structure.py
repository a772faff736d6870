"""The two kinds of variables of a model without loops: plain items, and the structure that they measure.

A plain item measures one construct, has a residual variance of its own and nothing else to do with the model, but for
a residual that may be correlated with that of one other plain item. All other observed variables (covariates, outcomes,
items with more correlated residuals or with two constructs) stand among the constructs, as LISREL's dummy constructs
do: measured by themselves without error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.batch_pairs import Pairs
from sem_loyalty.kernel.ram import Block

Index = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the free entries of one matrix (or vector) stand, counted within the items or within the structure.

    Attributes
    ----------
    item_entry, item, item_parameter : ndarray of int
        Of plain items (loadings, residual variances, intercepts): position among the free entries, item in the order
        of `Structure`, parameter.
    pair_entry, pair, pair_parameter : ndarray of int
        Covariances between the residuals of plain items, by pair.
    entry, row, col, parameter : ndarray of int
        Within the structure: paths, (co)variances or means. `col` repeats `row` for a vector.
    """

    item_entry: Index
    item: Index
    item_parameter: Index
    pair_entry: Index
    pair: Index
    pair_parameter: Index
    entry: Index
    row: Index
    col: Index
    parameter: Index


@dataclass(frozen=True, slots=True)
class Structure:
    """Who measures what, in the order in which the evaluator computes.

    Attributes
    ----------
    order : ndarray of int, shape (p,)
        Observed variables: plain items sorted by construct, then those of the structure.
    items : int
        Number of plain items.
    pairs : Pairs
        Those with correlated residuals.
    members : ndarray of int, shape (s,)
        Variables of the structure, as they are numbered in the block: latent variables, then observed ones.
    spans : tuple of (int, int, int)
        Construct (its place among the members), first item and end of its items in that order.
    measured : ndarray of int
        Members that are measured: those of `spans`, then the observed ones.
    sequence : tuple of (int, tuple of int)
        Members that depend on others, causes before effects, with their causes.
    construct, column : ndarray of int, shape (p,)
        Who each observed variable, in that order, is measured as: its place among the members, and among `measured`.
    fixed, fixed_place : ndarray of int
        Members that are fixed covariates, and their places in that order.
    directed, symmetric, intercepts : Places
        The free entries of A, S and m.
    """

    order: Index
    items: int
    pairs: Pairs
    members: Index
    spans: tuple[tuple[int, int, int], ...]
    measured: Index
    sequence: tuple[tuple[int, tuple[int, ...]], ...]
    construct: Index
    column: Index
    fixed: Index
    fixed_place: Index
    directed: Places
    symmetric: Places
    intercepts: Places


def structure_of(block: Block, exogenous: Index) -> Structure | None:
    """Return the structure of a block, None where paths form a loop.

    Parameters
    ----------
    block : Block
    exogenous : ndarray of int
        Fixed covariates, whose moments are those of each sample.
    """
    p, size = block.n_observed, len(block.directed)
    arrows = block.directed != 0
    arrows[block.directed_row, block.directed_col] = True
    related = block.symmetric != 0
    related[block.symmetric_row, block.symmetric_col] = True
    related |= related.T
    plain, partner = _plain(arrows, related, p, exogenous)
    items = np.flatnonzero(plain)
    construct = arrows[items, p:].argmax(axis=1) if size > p else np.empty(0, dtype=np.intp)
    ranked = np.argsort(construct, kind="stable")
    items, construct = items[ranked], construct[ranked]
    observed = np.flatnonzero(~plain)
    members = np.concatenate([np.arange(p, size), observed])
    sequence = _sequence(arrows[np.ix_(members, members)])
    if sequence is None:
        return None
    ends = np.searchsorted(construct, np.arange(size - p), side="right")
    starts = np.searchsorted(construct, np.arange(size - p), side="left")
    spans = tuple((j, int(a), int(b)) for j, (a, b) in enumerate(zip(starts, ends, strict=True)) if b > a)
    measured = np.concatenate([np.array([j for j, _, _ in spans], dtype=np.intp), np.arange(size - p, len(members))])
    construct = np.concatenate([construct, np.arange(size - p, len(members))])
    place = np.full(size, -1, dtype=np.intp)
    place[items] = np.arange(len(items))
    place[members] = np.arange(len(members))
    kind = np.concatenate([plain, np.zeros(size - p, dtype=bool)])
    column = np.searchsorted(measured, construct)
    first = np.flatnonzero(partner >= 0)
    first = first[place[first] < place[partner[first]]]
    item, other = place[first], place[partner[first]]
    pairs = Pairs(np.append(item, other), np.append(other, item), *_sides(column, item, other))
    number = np.full(size, -1, dtype=np.intp)
    number[first] = number[partner[first]] = np.arange(len(first))

    def places(row: Index, col: Index, parameter: Index) -> Places:
        between = kind[row] & kind[col] & (row != col)
        of_item, of_pair = np.flatnonzero(kind[row] & ~between), np.flatnonzero(between)
        inside = np.flatnonzero(~kind[row])
        return Places(
            item_entry=of_item,
            item=place[row[of_item]],
            item_parameter=parameter[of_item],
            pair_entry=of_pair,
            pair=number[row[of_pair]],
            pair_parameter=parameter[of_pair],
            entry=inside,
            row=place[row[inside]],
            col=place[col[inside]],
            parameter=parameter[inside],
        )

    return Structure(
        order=np.concatenate([items, observed]),
        items=len(items),
        pairs=pairs,
        members=members,
        spans=spans,
        measured=measured,
        sequence=sequence,
        construct=construct,
        column=column,
        fixed=place[exogenous],
        fixed_place=len(items) + place[exogenous] - (size - p),
        directed=places(block.directed_row, block.directed_col, block.directed_parameter),
        symmetric=places(block.symmetric_row, block.symmetric_col, block.symmetric_parameter),
        intercepts=places(block.intercept_row, block.intercept_row, block.intercept_parameter),
    )


def _sides(column: Index, item: Index, other: Index) -> tuple[Index, Index]:
    """Return the constructs of the items in pairs, and those of their others, by end."""
    near, far = column[item], column[other]
    return np.append(near, far), np.append(far, near)


def _plain(arrows: Flags, related: Flags, p: int, exogenous: Index) -> tuple[Flags, Index]:
    """Return which observed variables are plain items, and the item that each is correlated with or -1, each (p,)."""
    diagonal = np.diagonal(related)
    others = related & ~np.eye(len(related), dtype=bool)
    # A residual variance that is fixed at zero leaves nothing to divide by.
    plain = (arrows[:p, p:].sum(axis=1) == 1) & ~arrows[:p, :p].any(axis=1)
    plain &= ~arrows[:, :p].any(axis=0) & diagonal[:p]
    plain[exogenous] = False
    degree, nearest = others.sum(axis=1), others.argmax(axis=1)
    paired = plain & (degree[:p] == 1) & (nearest[:p] < p)
    paired &= plain[nearest[:p] % p] & (degree[nearest[:p]] == 1)
    plain &= paired | (degree[:p] == 0)
    return np.asarray(plain), np.where(paired, nearest[:p], -1)


def _sequence(arrows: Flags) -> tuple[tuple[int, tuple[int, ...]], ...] | None:
    """Return the variables with causes, causes first; None where there is a loop."""
    done: list[int] = []
    pending = list(range(len(arrows)))
    while pending:
        ready = [i for i in pending if not any(arrows[i, j] for j in pending)]
        if not ready:
            return None
        done += ready
        pending = [i for i in pending if i not in ready]
    return tuple((i, tuple(int(j) for j in np.flatnonzero(arrows[i]))) for i in done if arrows[i].any())
