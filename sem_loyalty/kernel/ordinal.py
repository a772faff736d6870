"""Sample statistics of ordinal items: thresholds, polychoric correlations, and their sampling covariance.

An item shows category c where a standard normal response lies between two thresholds. Thresholds come from the
margins; then every correlation maximises the likelihood of its two-way table, given the thresholds (Olsson 1979,
doi:10.1007/BF02296207). All pairs are estimated at once. The sampling covariance of both comes from influence
functions of the two steps (Muthen 1984, doi:10.1007/BF02294210; Muthen and Satorra 1995, doi:10.1007/BF02294325).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sem_loyalty.kernel.bivariate import BEYOND, density, probability

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Correlations are sought within this distance of zero; an estimate that ends there has no interior maximum.
LARGEST = 0.999
# The size of a last Newton step: what is left after it is its square.
LAST_STEP = 1e-8
# Cells that hold answers have at least this probability.
LEAST = 1e-16
# A table with less information than this (per respondent) is fitted ever better the nearer the correlation is to one.
UNINFORMATIVE = 1e-6


@dataclass(frozen=True, slots=True)
class OrdinalStatistics:
    """Thresholds and polychoric correlations of one sample.

    Attributes
    ----------
    thresholds : tuple of ndarray
        One array per item, ascending, one value less than the item has categories.
    correlation : ndarray, shape (p, p)
        Polychoric correlations, unit diagonal; not necessarily positive definite.
    covariance : ndarray, shape (m, m)
        Gamma: N times the covariance matrix of the estimates, all thresholds first (item by item), then the
        correlations of the lower triangle by columns. nan for a correlation that has no maximum inside.
    n : int
        Respondents.
    """

    thresholds: tuple[Array, ...]
    correlation: Array
    covariance: Array
    n: int

    @property
    def n_thresholds(self) -> int:
        """Thresholds over all items."""
        return sum(len(found) for found in self.thresholds)

    @property
    def statistics(self) -> Array:
        """Thresholds and correlations in the order of `covariance`, shape (m,)."""
        first, second = np.triu_indices(len(self.correlation), 1)
        return np.concatenate([*self.thresholds, self.correlation[first, second]])


@dataclass(frozen=True, slots=True)
class Tables:
    """Two-way tables of all pairs of items, padded to the largest number of categories, k.

    Attributes
    ----------
    first, second : ndarray of int, shape (pairs,)
        The items of every pair.
    counts : ndarray, shape (pairs, k, k)
        Respondents by the categories of the first item (rows) and of the second (columns).
    """

    first: Index
    second: Index
    counts: Array


@dataclass(frozen=True, slots=True)
class _Cells:
    """Cell probabilities of every pair and their slopes by the correlation, each (pairs, k, k)."""

    value: Array
    slope: Array
    curve: Array


def ordinal_statistics(codes: NDArray[np.intp]) -> OrdinalStatistics:
    """Return thresholds, polychoric correlations and their sampling covariance.

    Parameters
    ----------
    codes : ndarray of int, shape (n, p)
        Categories, from 0 without gaps: every category of an item occurs.

    Returns
    -------
    OrdinalStatistics
        A correlation of ±0.999 is one whose likelihood has no maximum inside.
    """
    n = len(codes)
    thresholds, padded, tables, rho = _margins_and_pairs(codes)
    correlation = _square(tables, rho, codes.shape[1])
    levels = codes.max(axis=0) + 1
    influence = _influence(codes, levels, padded, tables, rho)
    return OrdinalStatistics(thresholds, correlation, influence.T @ influence / n, n)


def polychoric_matrix(codes: NDArray[np.intp]) -> Array:
    """Return the polychoric correlations alone, shape (p, p); `codes` as for `ordinal_statistics`."""
    _, _, tables, rho = _margins_and_pairs(codes)
    return _square(tables, rho, codes.shape[1])


def _margins_and_pairs(codes: NDArray[np.intp]) -> tuple[tuple[Array, ...], Array, Tables, Array]:
    """Return thresholds by item, the same padded, two-way tables, and polychoric correlations of the pairs."""
    p = codes.shape[1]
    levels = codes.max(axis=0) + 1
    thresholds = tuple(_thresholds(codes[:, j], int(levels[j])) for j in range(p))
    padded = np.full((p, int(levels.max()) - 1), BEYOND)
    for j, found in enumerate(thresholds):
        padded[j, : len(found)] = found
    tables = two_way_tables(codes)
    return thresholds, padded, tables, polychoric(padded, tables, levels)


def _square(tables: Tables, rho: Array, p: int) -> Array:
    out = np.eye(p)
    out[tables.first, tables.second] = rho
    out[tables.second, tables.first] = rho
    return out


def _thresholds(codes: NDArray[np.intp], levels: int) -> Array:
    """Return the normal quantiles of the cumulative shares, without the last."""
    below = np.cumsum(np.bincount(codes, minlength=levels))[:-1]
    return np.asarray(ndtri(below / len(codes)))


def two_way_tables(codes: NDArray[np.intp]) -> Tables:
    """Return the two-way tables of all pairs: one product of indicator matrices, exact in floating point."""
    n, p = codes.shape
    k = int(codes.max()) + 1
    indicator = np.zeros((n, p * k))
    indicator[np.arange(n)[:, None], codes + k * np.arange(p)] = 1.0
    joint = (indicator.T @ indicator).reshape(p, k, p, k)
    first, second = np.triu_indices(p, 1)
    return Tables(first, second, np.ascontiguousarray(joint[first, :, second, :]))


def polychoric(thresholds: Array, tables: Tables, levels: NDArray[np.intp]) -> Array:
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
    ndarray, shape (pairs,)

    Notes
    -----
    Newton steps, kept inside a bracket that the sign of the slope shrinks. A table of two dichotomies with an empty
    cell has no finite maximum: half a respondent is moved into the cell at unchanged margins, as lavaan does.
    """
    h, k = thresholds[tables.first], thresholds[tables.second]
    counts = _without_empty_cells(tables, levels)
    rho = np.clip(_first_guess(counts), -0.9, 0.9)
    low, high = np.full(len(rho), -LARGEST), np.full(len(rho), LARGEST)
    held = np.ones(len(rho))
    todo = np.arange(len(rho))
    for _iteration in range(80):
        at, table = rho[todo], counts[todo]
        cells = _cells(h[todo], k[todo], at)
        share = cells.slope / cells.value
        score = np.einsum("mab,mab->m", table, share)
        bend = np.einsum("mab,mab->m", table, cells.curve / cells.value - share**2)
        held[todo] = np.einsum("mab,mab->m", table, share**2) / table.sum(axis=(1, 2))
        low[todo] = np.where(score > 0, at, low[todo])
        high[todo] = np.where(score > 0, high[todo], at)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(bend < 0, -score / bend, np.inf)
        moved = at + step
        inside = (moved > low[todo]) & (moved < high[todo])
        rho[todo] = np.where(inside, moved, 0.5 * (low[todo] + high[todo]))
        settled = (inside & (np.abs(step) < LAST_STEP)) | (high[todo] - low[todo] < 1e-14)
        todo = todo[~settled]
        if not len(todo):
            break
    return np.where(held < UNINFORMATIVE, np.sign(rho) * LARGEST, rho)


def _without_empty_cells(tables: Tables, levels: NDArray[np.intp]) -> Array:
    """Return the counts with half a respondent moved into the empty cells of two-by-two tables."""
    counts = tables.counts.copy()
    binary = np.flatnonzero((levels[tables.first] == 2) & (levels[tables.second] == 2))
    for pair in binary:
        square = counts[pair, :2, :2]
        # Two empty cells are items that determine each other: no half respondent hides that.
        if (square == 0.0).sum() == 1:
            on_diagonal = square[0, 0] == 0.0 or square[1, 1] == 0.0
            square += 0.5 * np.array([[1.0, -1.0], [-1.0, 1.0]]) * (1.0 if on_diagonal else -1.0)
    return counts


def _first_guess(counts: Array) -> Array:
    """Return the product-moment correlation of the category numbers."""
    k = np.arange(counts.shape[1], dtype=np.float64)
    n = counts.sum(axis=(1, 2))
    rows, cols = counts.sum(axis=2), counts.sum(axis=1)
    mean_row, mean_col = rows @ k / n, cols @ k / n
    spread = (rows @ k**2 / n - mean_row**2) * (cols @ k**2 / n - mean_col**2)
    return np.asarray((np.einsum("mab,a,b->m", counts, k, k) / n - mean_row * mean_col) / np.sqrt(spread))


def _cells(h: Array, k: Array, rho: Array) -> _Cells:
    """Return cell probabilities with their first and second derivatives by the correlation."""
    m, a, b = len(h), h.shape[1], k.shape[1]
    joint = np.zeros((m, a + 2, b + 2))
    joint[:, 1:-1, 1:-1] = probability(h, k, rho)
    joint[:, 1:-1, -1], joint[:, -1, 1:-1], joint[:, -1, -1] = ndtr(h), ndtr(k), 1.0
    u, v, r = h[:, :, None], k[:, None, :], rho[:, None, None]
    peak = density(u, v, r)
    rest = 1.0 - r * r
    bend = peak * (r / rest + (u * v * (1.0 + r * r) - r * (u * u + v * v)) / rest**2)
    slope, curve = np.zeros_like(joint), np.zeros_like(joint)
    slope[:, 1:-1, 1:-1], curve[:, 1:-1, 1:-1] = peak, bend
    return _Cells(np.maximum(_differences(joint), LEAST), _differences(slope), _differences(curve))


def _differences(corners: Array) -> Array:
    """Return the contents of the cells between the corners of a grid, over the last two axes."""
    return np.asarray(np.diff(np.diff(corners, axis=1), axis=2))


def _influence(codes: NDArray[np.intp], levels: NDArray[np.intp], padded: Array, tables: Tables, rho: Array) -> Array:
    """Return every respondent's influence on every statistic, shape (n, m).

    The correlation of a pair solves sum s = 0, s the slope of its log-likelihood, at thresholds that are estimates
    themselves. With the slopes of s as cross-products of scores, its influence is
    (s - sum of A21 times the influence on the thresholds of both items) / A22.
    """
    n, p = codes.shape
    limits = padded.shape[1]
    by_category = _threshold_influence(codes, levels, padded)
    columns = [by_category[j, codes[:, j], : levels[j] - 1] for j in range(p)]
    h, k = padded[tables.first], padded[tables.second]
    cells = _cells(h, k, rho)
    score = cells.slope / cells.value
    weighted = tables.counts * score / n
    curvature = np.einsum("mab,mab->m", weighted, score)
    rows = _threshold_slopes(h, k, rho) / cells.value[:, None]
    cols = np.swapaxes(_threshold_slopes(k, h, rho), 2, 3) / cells.value[:, None]
    by_row = np.einsum("mab,mtab->mt", weighted, rows)
    by_col = np.einsum("mab,mtab->mt", weighted, cols)
    left = np.einsum("mt,mct->mc", by_row, by_category[tables.first])
    right = np.einsum("mt,mct->mc", by_col, by_category[tables.second])
    inner = np.where(np.abs(rho) < LARGEST - 1e-9, curvature, np.nan)
    effect = (score - left[:, :, None] - right[:, None, :]) / inner[:, None, None]
    size = limits + 1
    cell = codes[:, tables.first] * size + codes[:, tables.second]
    pairs = effect.reshape(len(rho), size * size)[np.arange(len(rho)), cell]
    return np.concatenate([*columns, pairs], axis=1)


def _threshold_influence(codes: NDArray[np.intp], levels: NDArray[np.intp], padded: Array) -> Array:
    """Return what an answer in each category does to each threshold of its item, shape (p, k, k - 1).

    A threshold is the quantile of a share: (1[answer <= c] - share) / phi(threshold).
    """
    p, limits = padded.shape
    out = np.zeros((p, limits + 1, limits))
    category, cut = np.arange(limits + 1)[:, None], np.arange(limits)[None, :]
    for j in range(p):
        t = padded[j, : levels[j] - 1]
        effect = ((category <= cut)[:, : len(t)] - ndtr(t)) / (np.exp(-0.5 * t * t) / np.sqrt(2.0 * np.pi))
        out[j, :, : len(t)] = effect
    return out


def _threshold_slopes(h: Array, k: Array, rho: Array) -> Array:
    """Return the derivatives of the cell probabilities by the row thresholds, shape (pairs, k - 1, k, k).

    Raising threshold c moves phi(h_c) [Phi((k_b - rho h_c) / s) - Phi((k_{b-1} - rho h_c) / s)] from category c + 1
    of the rows to category c, s^2 = 1 - rho^2.
    """
    m, limits = h.shape
    rest = np.sqrt(1.0 - rho * rho)[:, None, None]
    given = np.zeros((m, limits, limits + 2))
    given[:, :, -1] = 1.0
    given[:, :, 1:-1] = ndtr((k[:, None, :] - rho[:, None, None] * h[:, :, None]) / rest)
    moved = (np.exp(-0.5 * h * h) / np.sqrt(2.0 * np.pi))[:, :, None] * np.diff(given, axis=2)
    out = np.zeros((m, limits, limits + 1, limits + 1))
    at = np.arange(limits)
    out[:, at, at] = moved
    out[:, at, at + 1] -= moved
    return out
