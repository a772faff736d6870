"""Polychoric correlations: every one maximises the likelihood of its two-way table, given the thresholds.

All pairs of items are estimated at once (Olsson 1979, doi:10.1007/BF02296207). Arrays over pairs lie in memory with the
pairs side by side, as in `bivariate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import factorial

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sem_loyalty.kernel.bivariate import Corners, by_pair, corners, density, probability, shifted
from sem_loyalty.kernel.thresholds import normal_density

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Correlations are sought within this distance of zero; an estimate that ends there has no interior maximum.
LARGEST = 0.999
# A Newton step of this size, in units of sqrt(1 - rho^2), is the last: what is left after it is some times its square.
LAST_STEP = 1e-6
# Terms of the tetrachoric series behind the first guess.
SERIES = 8
# The first guess is kept away from one.
FARTHEST = 0.95
# Cells that hold answers have at least this probability.
LEAST = 1e-16
# A table with less information than this (per respondent) is fitted ever better the nearer the correlation is to one.
UNINFORMATIVE = 1e-6
# Where at most this share of the pairs still moves, the others are left out of the next step.
FEW = 0.5


@dataclass(frozen=True, slots=True)
class Tables:
    """Two-way tables of all pairs of items, padded to the largest number of categories, k.

    Attributes
    ----------
    first, second : ndarray of int, shape (pairs,)
        The items of every pair.
    counts : ndarray, shape (pairs, k, k)
        Respondents by the categories of the first item (rows) and of the second (columns).
    single : ndarray, shape (p, k)
        Respondents by item and category.
    """

    first: Index
    second: Index
    counts: Array
    single: Array


@dataclass(frozen=True, slots=True)
class Cells:
    """Cell probabilities of every pair and their first and second slopes by the correlation, each (pairs, k, k)."""

    value: Array
    slope: Array
    curve: Array


@lru_cache(maxsize=16)
def item_pairs(p: int) -> tuple[Index, Index]:
    """Return the items of every pair, those of the lower triangle by columns; not to be written to."""
    first, second = np.triu_indices(p, 1)
    first.flags.writeable = second.flags.writeable = False
    return first, second


def two_way_tables(codes: Index) -> Tables:
    """Return the two-way tables of all pairs: one product of indicator matrices, exact in floating point."""
    n, p = codes.shape
    k = int(codes.max()) + 1
    # A missing answer, -1, is none of the categories.
    indicator = (np.ascontiguousarray(codes.T)[:, None] == np.arange(k)[:, None]).reshape(p * k, n).astype(np.float64)
    joint = (indicator @ indicator.T).reshape(p, k, p, k)
    first, second = item_pairs(p)
    counts = joint.transpose(1, 3, 0, 2).reshape(k, k, p * p).take(first * p + second, axis=2)
    return Tables(first, second, counts.transpose(2, 1, 0).swapaxes(1, 2), np.einsum("jcjc->jc", joint))


def polychoric(thresholds: Array, tables: Tables, levels: Index) -> tuple[Array, Cells]:
    """Return the correlation of every pair that maximises the likelihood of its table, given the thresholds.

    Parameters
    ----------
    thresholds : ndarray, shape (p, k - 1)
        Rows padded with `BEYOND`.
    tables : Tables
    levels : ndarray of int, shape (p,)
        Categories of every item.

    Returns
    -------
    rho : ndarray, shape (pairs,)
    cells : Cells
        Cell probabilities at rho.

    Notes
    -----
    Newton steps, kept inside a bracket that the sign of the slope shrinks. A table of two dichotomies with an empty
    cell has no finite maximum: half a respondent is moved into the cell at unchanged margins, as lavaan does.
    Probabilities are integrated from one step to the next.
    """
    ends = corners(by_pair(thresholds, tables.first), by_pair(thresholds, tables.second))
    counts = _without_empty_cells(tables, levels)
    rho = _first_guess(thresholds, tables)
    joint = probability(ends, rho)
    low, high = np.full(len(rho), -LARGEST), np.full(len(rho), LARGEST)
    held = np.ones(len(rho))
    size = counts.sum(axis=(1, 2))
    settled = np.zeros(len(rho), dtype=np.bool_)
    for _iteration in range(80):
        left = np.flatnonzero(~settled)
        todo: slice | Index = slice(None)
        table, limits, before = counts, ends, joint
        if len(left) <= FEW * len(rho):
            todo, table, limits, before = left, by_pair(counts, left), ends.of(left), by_pair(joint, left)
        at = rho[todo]
        score, bend, spread = _slopes(table, cells_between(limits, at, before, curved=True))
        held[todo] = spread / size[todo]
        low[todo] = np.where(score > 0, at, low[todo])
        high[todo] = np.where(score > 0, high[todo], at)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(bend < 0, -score / bend, np.inf)
        moved = at + step
        inside = (moved > low[todo]) & (moved < high[todo])
        reached = np.where(inside, moved, 0.5 * (low[todo] + high[todo]))
        reached = np.where(settled[todo], at, reached)
        joint[todo] = shifted(before, limits, at, reached)
        last = inside & (np.abs(step) < LAST_STEP * np.sqrt(1.0 - at * at))
        settled[todo] |= last | (high[todo] - low[todo] < 1e-14)
        rho[todo] = reached
        if settled.all():
            break
    lost = np.flatnonzero(held < UNINFORMATIVE)
    if len(lost):
        rho[lost] = np.sign(rho[lost]) * LARGEST
        joint[lost] = probability(ends.of(lost), rho[lost])
    return rho, cells_between(ends, rho, joint)


def _slopes(table: Array, cells: Cells) -> tuple[Array, Array, Array]:
    """Return the first and second derivative of the log-likelihood of every table, and the sum of squared scores."""
    weight = table / cells.value
    bend = (weight * cells.curve).sum(axis=(1, 2))
    weight *= cells.slope
    score = weight.sum(axis=(1, 2))
    weight *= cells.slope
    weight /= cells.value
    spread = weight.sum(axis=(1, 2))
    return score, bend - spread, spread


def _without_empty_cells(tables: Tables, levels: Index) -> Array:
    """Return the counts with half a respondent moved into the empty cells of two-by-two tables."""
    binary = np.flatnonzero((levels[tables.first] == 2) & (levels[tables.second] == 2))
    if not len(binary):
        return tables.counts
    counts = tables.counts.copy(order="K")
    for pair in binary:
        square = counts[pair, :2, :2]
        # Two empty cells are items that determine each other: no half respondent hides that.
        if (square == 0.0).sum() == 1:
            on_diagonal = square[0, 0] == 0.0 or square[1, 1] == 0.0
            square += 0.5 * np.array([[1.0, -1.0], [-1.0, 1.0]]) * (1.0 if on_diagonal else -1.0)
    return counts


def _first_guess(thresholds: Array, tables: Tables) -> Array:
    """Return the correlations that reproduce the covariances of the category numbers, nearly.

    By the tetrachoric series the covariance of the numbers of two items is the sum over r of rho^r / r! a_r b_r, a_r
    the sum over the thresholds of phi(t) He_(r-1)(t) (Pearson 1900, Philosophical Transactions of the Royal Society A,
    195, 1-47). Cut after r = 8, it is solved by Newton steps.
    """
    k = np.arange(tables.counts.shape[1], dtype=np.float64)
    rows, cols = tables.counts.sum(axis=2), tables.counts.sum(axis=1)
    n = rows.sum(axis=1)
    wanted = np.einsum("mab,a,b->m", tables.counts, k, k) / n - (rows @ k) * (cols @ k) / n**2
    weight = normal_density(thresholds)
    before, polynomial = np.zeros_like(thresholds), np.ones_like(thresholds)
    terms = []
    for r in range(1, SERIES + 1):
        sums = (weight * polynomial).sum(axis=1) / np.sqrt(float(factorial(r)))
        terms.append(sums[tables.first] * sums[tables.second])
        before, polynomial = polynomial, thresholds * polynomial - (r - 1) * before
    # Of an item with a single category nothing is known.
    least = np.maximum(0.5 * terms[0], np.finfo(np.float64).tiny)
    at: Array = np.clip(0.5 * wanted / least, -FARTHEST, FARTHEST)
    for _step in range(3):
        value, slope = terms[-1] * at, terms[-1].copy()
        for term in reversed(terms[:-1]):
            value += term
            slope *= at
            slope += value
            value *= at
        at += (wanted - value) / np.maximum(slope, least)
        np.clip(at, -FARTHEST, FARTHEST, out=at)
    return at


def cells_between(ends: Corners, rho: Array, joint: Array, *, curved: bool = False) -> Cells:
    """Return cell probabilities with their first and, if asked, second derivatives by the correlation.

    Parameters
    ----------
    ends : Corners
        Thresholds.
    rho : ndarray, shape (pairs,)
    joint : ndarray, shape (pairs, a, b)
        Probability of both responses below the thresholds.
    curved : bool, default False
    """
    m, a, b = joint.shape
    at = np.zeros((m, a + 2, b + 2), order="F")
    at[:, 1:-1, 1:-1] = joint
    at[:, 1:-1, -1], at[:, -1, 1:-1], at[:, -1, -1] = ndtr(ends.h), ndtr(ends.k), 1.0
    value = np.maximum(_differences(at), LEAST)
    # At infinity the probabilities do not depend on the correlation.
    at[:, -1], at[:, :, -1] = 0.0, 0.0
    at[:, 1:-1, 1:-1] = peak = density(ends, rho)
    slope = _differences(at)
    if not curved:
        return Cells(value, slope, np.zeros(0))
    # The logarithm of the density has the slope r / rest + (hk (1 + r^2) - r (h^2 + k^2)) / rest^2, rest = 1 - r^2.
    rest = 1.0 - rho * rho
    bend = ends.product * ((1.0 + rho * rho) / rest**2)[:, None, None]
    bend -= ends.level * (2.0 * rho / rest**2)[:, None, None]
    bend += (rho / rest)[:, None, None]
    bend *= peak
    at[:, 1:-1, 1:-1] = bend
    return Cells(value, slope, _differences(at))


def _differences(at: Array) -> Array:
    """Return the mass between neighbouring corners, shape (pairs, a + 1, b + 1)."""
    along = at[:, 1:] - at[:, :-1]
    return np.asarray(along[:, :, 1:] - along[:, :, :-1])
