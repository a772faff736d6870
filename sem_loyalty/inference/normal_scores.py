"""Scores of candidates where the information in the moments is that of complete normal answers.

Every candidate then is a column of rank two, as every free parameter is (see `kernel.ram`), and no derivative of all
moments is formed: for 240 items those of all candidates would take 18 GB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.score_parts import ScoreParts
from sem_loyalty.inference.uncertainty import likelihood_of, maximum
from sem_loyalty.kernel.layout import pairs
from sem_loyalty.kernel.likelihood import Likelihood, weight_matrix
from sem_loyalty.kernel.ram import Block, Implied, derivative_columns
from sem_loyalty.model.scatter import Places, places_of
from sem_loyalty.model.spec import Parameter

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def normal_moments(fit: Fit) -> bool:
    """Return whether a fit is by maximum likelihood to complete answers, with no moment given beforehand."""
    return isinstance(fit.discrepancy, Likelihood) and not fit.specification.exogenous


def normal_score_parts(fit: Fit, rows: Sequence[Parameter]) -> ScoreParts:
    """Return what the indices of candidates are computed from.

    Parameters
    ----------
    fit : Fit
        As `normal_moments` wants it.
    rows : sequence of Parameter
        The candidates; entries of A, S or m.
    """
    at = places_of(fit.specification, rows)
    groups = [
        _group(fit, group, at, np.flatnonzero(at.group == group)) for group in range(len(fit.specification.groups))
    ]
    slope, own = np.zeros(len(rows)), np.zeros(len(rows))
    for group in groups:
        slope[group.candidates] = group.slope()
        own[group.candidates] = group.own()
    size = len(fit.theta)

    def crossed(some: slice) -> Array:
        chosen = range(len(rows))[some]
        out = np.zeros((size, len(chosen)))
        for group in groups:
            inside = (group.candidates >= chosen.start) & (group.candidates < chosen.stop)
            out[:, group.candidates[inside] - chosen.start] += group.crossed(inside, size)
        return fit.space.reduce_vector(out)

    information = likelihood_of(fit).information(maximum(fit))
    return ScoreParts(slope, fit.space.reduce_matrix(information), own, crossed)


@dataclass(frozen=True, slots=True)
class _Entries:
    """Entries of A, S and m: dSigma = c (u w' + w u') and dmu = f u, with u and w columns of E.

    Attributes
    ----------
    u, w : ndarray of int
    c, f : ndarray
    """

    u: Index
    w: Index
    c: Array
    f: Array

    def chosen(self, which: NDArray[np.bool_]) -> _Entries:
        """Return some of them."""
        return _Entries(self.u[which], self.w[which], self.c[which], self.f[which])


@dataclass(frozen=True, slots=True)
class _Group:
    """One group: its share of N, E' W E, E' Sigma^-1 E and E' Sigma^-1 d, its free entries and its candidates."""

    share: float
    pull: Array
    products: Array
    lift: Array
    block: Block
    free: _Entries
    candidates: Index
    entries: _Entries

    def slope(self) -> Array:
        """Return dF by every candidate."""
        own = self.entries
        return 2.0 * self.share * (own.c * self.pull[own.u, own.w] - own.f * self.lift[own.u])

    def own(self) -> Array:
        """Return the information of every candidate alone."""
        one, Q = self.entries, self.products
        uu = Q[one.u, one.u]
        return self.share * (one.c**2 * (uu * Q[one.w, one.w] + Q[one.u, one.w] ** 2) + one.f**2 * uu)

    def crossed(self, which: NDArray[np.bool_], size: int) -> Array:
        """Return the information that all parameters share with some candidates, shape (q, some)."""
        a, b, Q = self.free, self.entries.chosen(which), self.products
        by_u, by_w = Q.take(a.u, axis=0), Q.take(a.w, axis=0)
        uu = by_u.take(b.u, axis=1)
        found = uu * by_w.take(b.w, axis=1)
        found += by_u.take(b.w, axis=1) * by_w.take(b.u, axis=1)
        found *= a.c[:, None]
        found *= b.c
        if self.block.means:
            found += uu * (a.f[:, None] * b.f)
        out = np.zeros((size, found.shape[1]))
        found *= self.share
        if self.block.distinct:
            out[self.block.entry_parameter] = found
        else:
            np.add.at(out, self.block.entry_parameter, found)
        return out


def _group(fit: Fit, group: int, at: Places, candidates: Index) -> _Group:
    """Return the products of one group with its candidates."""
    point = maximum(fit)
    block, implied, inverse = fit.blocks[group], point.implied[group], point.inverse[group]
    sample = fit.samples[group]
    E = derivative_columns(implied)
    free = _entries(
        implied,
        (block.directed_row, block.directed_col),
        (block.symmetric_row, block.symmetric_col),
        block.intercept_row,
    )
    matrix, row, col = at.matrix[candidates], at.row[candidates], at.col[candidates]
    order = np.concatenate([np.flatnonzero(matrix == name) for name in ("A", "S", "m")])
    effects, covariances, means = (matrix == name for name in ("A", "S", "m"))
    return _Group(
        share=sample.weight,
        pull=E.T @ weight_matrix(sample, implied, inverse, block.means) @ E,
        products=E.T @ inverse @ E,
        lift=(sample.mean - implied.mean) @ inverse @ E if block.means else np.zeros(E.shape[1]),
        block=block,
        free=free,
        candidates=candidates[order],
        entries=_entries(implied, (row[effects], col[effects]), (row[covariances], col[covariances]), row[means]),
    )


def _entries(at: Implied, directed: tuple[Index, Index], symmetric: tuple[Index, Index], shifted: Index) -> _Entries:
    """Return entries of A, then of S, then of m, as columns of E = [G, C]."""
    u, w, c = pairs(len(at.total), *directed, *symmetric)
    none = np.zeros(len(shifted), dtype=np.intp)
    f = np.concatenate([at.means[directed[1]], np.zeros(len(symmetric[0])), np.ones(len(shifted))])
    return _Entries(
        np.concatenate([u, shifted]), np.concatenate([w, none]), np.concatenate([c, np.zeros(len(shifted))]), f
    )
