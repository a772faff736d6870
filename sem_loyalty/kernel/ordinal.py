"""Sample statistics of ordinal items: thresholds, polychoric correlations, and their sampling covariance.

An item shows category c where a standard normal response lies between two thresholds. Thresholds come from the
margins; then every correlation maximises the likelihood of its two-way table, given the thresholds (Olsson 1979,
doi:10.1007/BF02296207). All pairs are estimated at once. The sampling covariance of both comes from influence
functions of the two steps (Muthen 1984, doi:10.1007/BF02294210; Muthen and Satorra 1995, doi:10.1007/BF02294325).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sem_loyalty.kernel.bivariate import BEYOND, density, probability, shifted

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Correlations are sought within this distance of zero; an estimate that ends there has no interior maximum.
LARGEST = 0.999
# A Newton step of this size, in units of sqrt(1 - rho^2), is the last: what is left after it is some times its square.
LAST_STEP = 1e-6
# Terms of the tetrachoric series behind the first guess.
SERIES = 8
# Cells that hold answers have at least this probability.
LEAST = 1e-16
# A table with less information than this (per respondent) is fitted ever better the nearer the correlation is to one.
UNINFORMATIVE = 1e-6


@dataclass(frozen=True, slots=True)
class OrdinalStatistics:
    """Thresholds and polychoric correlations of one sample, and the moments of continuous variables beside them.

    Attributes
    ----------
    thresholds : tuple of ndarray
        One array per item, ascending, one value less than the item has categories; empty for a continuous variable.
    correlation : ndarray, shape (p, p)
        Polychoric correlations, unit diagonal; not necessarily positive definite. In the rows and columns of
        continuous variables, covariances (polyserial correlations times the standard deviation).
    mean : ndarray, shape (p,)
        Means of continuous variables; zero for items.
    continuous : ndarray of bool, shape (p,)
        Which variables are continuous.
    covariance : ndarray, shape (m, m)
        Gamma: N times the covariance matrix of the estimates in the order of `statistics`. nan for a correlation that
        has no maximum inside.
    n : int
        Respondents.
    """

    thresholds: tuple[Array, ...]
    correlation: Array
    mean: Array
    continuous: NDArray[np.bool_]
    covariance: Array
    n: int

    @property
    def statistics(self) -> Array:
        """What is fitted, shape (m,).

        Thresholds, and minus the means of continuous variables, variable by variable; then variances of continuous
        variables; then correlations and covariances of the lower triangle by columns.
        """
        first, second = np.triu_indices(len(self.correlation), 1)
        single = [
            np.array([-mean]) if varies else cuts
            for cuts, mean, varies in zip(self.thresholds, self.mean, self.continuous, strict=True)
        ]
        variances = np.diagonal(self.correlation)[self.continuous]
        return np.concatenate([*single, variances, self.correlation[first, second]])


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
class Cells:
    """Cell probabilities of every pair and their first and second slopes by the correlation, each (pairs, k, k)."""

    value: Array
    slope: Array
    curve: Array


def ordinal_statistics(codes: NDArray[np.intp]) -> OrdinalStatistics:
    """Return thresholds, polychoric correlations and their sampling covariance.

    Parameters
    ----------
    codes : ndarray of int, shape (n, p)
        Categories, from 0 without gaps: every category of an item occurs. -1 for a missing answer.

    Returns
    -------
    OrdinalStatistics
        A correlation of ±0.999 is one whose likelihood has no maximum inside.

    Notes
    -----
    Where answers are missing, thresholds rest on all answers to an item and correlations on all answers to both.
    """
    n, p = codes.shape
    found = item_statistics(codes)
    influence = np.concatenate([*found.by_threshold, found.by_pair], axis=1)
    gamma = influence.T @ influence / n
    return OrdinalStatistics(found.thresholds, found.correlation, np.zeros(p), np.zeros(p, dtype=np.bool_), gamma, n)


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """Thresholds and polychoric correlations with the influence of every respondent on them.

    Attributes
    ----------
    thresholds : tuple of ndarray
        By item.
    correlation : ndarray, shape (p, p)
    first, second : ndarray of int, shape (pairs,)
        The items of every correlation of the lower triangle by columns.
    by_threshold : tuple of ndarray, each (n, thresholds of the item)
    by_pair : ndarray, shape (n, pairs)
    """

    thresholds: tuple[Array, ...]
    correlation: Array
    first: Index
    second: Index
    by_threshold: tuple[Array, ...]
    by_pair: Array


def item_statistics(codes: Index) -> ItemStatistics:
    """Return thresholds, polychoric correlations and influences of categories, shape (n, p), -1 where missing."""
    p = codes.shape[1]
    levels = codes.max(axis=0) + 1
    thresholds, padded, tables, rho, cells = _pairs(codes, levels)
    # A missing answer is one more category, in which nobody says anything.
    codes = np.where(codes < 0, padded.shape[1] + 1, codes)
    by_category = _threshold_influence(codes, levels, padded)
    by_threshold = tuple(by_category[j, codes[:, j], : levels[j] - 1] for j in range(p))
    by_pair = _pair_influence(codes, by_category, padded, tables, rho, cells)
    return ItemStatistics(thresholds, _square(tables, rho, p), tables.first, tables.second, by_threshold, by_pair)


def polychoric_matrix(codes: Index) -> Array:
    """Return the polychoric correlations alone, shape (p, p); `codes` as for `ordinal_statistics`."""
    _, _, tables, rho, _ = _pairs(codes, codes.max(axis=0) + 1)
    return _square(tables, rho, codes.shape[1])


def _pairs(codes: Index, levels: Index) -> tuple[tuple[Array, ...], Array, Tables, Array, Cells]:
    """Return thresholds by item, the same padded, two-way tables, polychoric correlations and what they come from."""
    p = codes.shape[1]
    thresholds = tuple(_thresholds(codes[:, j], int(levels[j])) for j in range(p))
    padded = np.full((p, int(levels.max()) - 1), BEYOND)
    for j, found in enumerate(thresholds):
        padded[j, : len(found)] = found
    tables = two_way_tables(codes)
    rho, cells = polychoric(padded, tables, levels)
    return thresholds, padded, tables, rho, cells


def _square(tables: Tables, rho: Array, p: int) -> Array:
    out = np.eye(p)
    out[tables.first, tables.second] = rho
    out[tables.second, tables.first] = rho
    return out


def _thresholds(codes: NDArray[np.intp], levels: int) -> Array:
    """Return the normal quantiles of the cumulative shares, without the last."""
    below = np.cumsum(np.bincount(codes[codes >= 0], minlength=levels))
    return np.asarray(ndtri(below[:-1] / below[-1]))


def two_way_tables(codes: NDArray[np.intp]) -> Tables:
    """Return the two-way tables of all pairs: one product of indicator matrices, exact in floating point."""
    n, p = codes.shape
    k = int(codes.max()) + 1
    indicator = np.zeros((n, p * k))
    respondent, item = np.nonzero(codes >= 0)
    indicator[respondent, codes[respondent, item] + k * item] = 1.0
    joint = (indicator.T @ indicator).reshape(p, k, p, k)
    first, second = np.triu_indices(p, 1)
    return Tables(first, second, np.ascontiguousarray(joint[first, :, second, :]))


def polychoric(thresholds: Array, tables: Tables, levels: NDArray[np.intp]) -> tuple[Array, Cells]:
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
    h, k = thresholds[tables.first], thresholds[tables.second]
    counts = _without_empty_cells(tables, levels)
    rho = _first_guess(thresholds, tables)
    joint = probability(h, k, rho)
    low, high = np.full(len(rho), -LARGEST), np.full(len(rho), LARGEST)
    held = np.ones(len(rho))
    size = counts.sum(axis=(1, 2))
    todo = np.arange(len(rho))
    for _iteration in range(80):
        whole = len(todo) == len(rho)
        at = rho if whole else rho[todo]
        table, ends = (counts, (h, k)) if whole else (counts[todo], (h[todo], k[todo]))
        cells = cells_between(*ends, at, joint if whole else joint[todo], curved=True)
        share = cells.slope / cells.value
        weight = table * share
        score = weight.sum(axis=(1, 2))
        spread = (weight * share).sum(axis=(1, 2))
        bend = (table * cells.curve / cells.value).sum(axis=(1, 2)) - spread
        held[todo] = spread / size[todo]
        low[todo] = np.where(score > 0, at, low[todo])
        high[todo] = np.where(score > 0, high[todo], at)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(bend < 0, -score / bend, np.inf)
        moved = at + step
        inside = (moved > low[todo]) & (moved < high[todo])
        reached = np.where(inside, moved, 0.5 * (low[todo] + high[todo]))
        joint[todo] = shifted(joint[todo], *ends, at, reached)
        rho[todo] = reached
        settled = (inside & (np.abs(step) < LAST_STEP * np.sqrt(1.0 - at * at))) | (high[todo] - low[todo] < 1e-14)
        todo = todo[~settled]
        if not len(todo):
            break
    lost = held < UNINFORMATIVE
    rho = np.where(lost, np.sign(rho) * LARGEST, rho)
    if lost.any():
        joint[lost] = probability(h[lost], k[lost], rho[lost])
    return rho, cells_between(h, k, rho, joint)


def _without_empty_cells(tables: Tables, levels: NDArray[np.intp]) -> Array:
    """Return the counts with half a respondent moved into the empty cells of two-by-two tables."""
    binary = np.flatnonzero((levels[tables.first] == 2) & (levels[tables.second] == 2))
    if not len(binary):
        return tables.counts
    counts = tables.counts.copy()
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
    195, 1-47). Cut after r = 8, it is solved by bisection.
    """
    k = np.arange(tables.counts.shape[1], dtype=np.float64)
    n = tables.counts.sum(axis=(1, 2))
    rows, cols = tables.counts.sum(axis=2) @ k / n, tables.counts.sum(axis=1) @ k / n
    wanted = (tables.counts @ k) @ k / n - rows * cols
    density_at = np.exp(-0.5 * thresholds**2) / np.sqrt(2.0 * np.pi)
    before, polynomial = np.zeros_like(thresholds), np.ones_like(thresholds)
    terms = []
    for r in range(1, SERIES + 1):
        sums = (density_at * polynomial).sum(axis=1) / np.sqrt(float(factorial(r)))
        terms.append(sums[tables.first] * sums[tables.second])
        before, polynomial = polynomial, thresholds * polynomial - (r - 1) * before
    low, high = np.full(len(wanted), -0.95), np.full(len(wanted), 0.95)
    for _halving in range(12):
        at = 0.5 * (low + high)
        found = np.zeros_like(at)
        for term in reversed(terms):
            found = (found + term) * at
        over = found > wanted
        low, high = np.where(over, low, at), np.where(over, at, high)
    return np.asarray(0.5 * (low + high))


def cells_between(h: Array, k: Array, rho: Array, joint: Array, *, curved: bool = False) -> Cells:
    """Return cell probabilities with their first and, if asked, second derivatives by the correlation.

    Parameters
    ----------
    h, k : ndarray, shape (pairs, a) and (pairs, b)
        Thresholds.
    rho : ndarray, shape (pairs,)
    joint : ndarray, shape (pairs, a, b)
        Probability of both responses below the thresholds.
    curved : bool, default False
    """
    m, a, b = joint.shape
    corners = np.zeros((3 if curved else 2, m, a + 2, b + 2))
    corners[0, :, 1:-1, 1:-1] = joint
    corners[0, :, 1:-1, -1], corners[0, :, -1, 1:-1], corners[0, :, -1, -1] = ndtr(h), ndtr(k), 1.0
    u, v, r = h[:, :, None], k[:, None, :], rho[:, None, None]
    peak = density(u, v, r)
    corners[1, :, 1:-1, 1:-1] = peak
    if curved:
        rest = 1.0 - r * r
        product = u * v
        curve = (product * (1.0 + r * r) - r * (u * u + v * v)) / rest**2
        corners[2, :, 1:-1, 1:-1] = peak * (r / rest + curve)
    along = corners[:, :, 1:] - corners[:, :, :-1]
    inside = along[:, :, :, 1:] - along[:, :, :, :-1]
    return Cells(np.maximum(inside[0], LEAST), inside[1], inside[2] if curved else np.zeros(0))


def _pair_influence(codes: Index, by_category: Array, padded: Array, tables: Tables, rho: Array, cells: Cells) -> Array:
    """Return every respondent's influence on every correlation, shape (n, pairs).

    The correlation of a pair solves sum s = 0, s the slope of its log-likelihood, at thresholds that are estimates
    themselves. With the slopes of s as cross-products of scores, its influence is
    (s - sum of A21 times the influence on the thresholds of both items) / A22.
    """
    n, limits = len(codes), padded.shape[1]
    both = tables.counts.sum(axis=(1, 2))[:, None, None]
    h, k = padded[tables.first], padded[tables.second]
    score = cells.slope / cells.value
    weighted = tables.counts * score / both
    curvature = np.einsum("mab,mab->m", weighted, score)
    rows = _threshold_slopes(h, k, rho) / cells.value[:, None]
    cols = np.swapaxes(_threshold_slopes(k, h, rho), 2, 3) / cells.value[:, None]
    by_row = np.einsum("mab,mtab->mt", weighted, rows)
    by_col = np.einsum("mab,mtab->mt", weighted, cols)
    left = np.einsum("mt,mct->mc", by_row, by_category[tables.first])
    right = np.einsum("mt,mct->mc", by_col, by_category[tables.second])
    inner = np.where(np.abs(rho) < LARGEST - 1e-9, curvature, np.nan)
    effect = -left[:, :, None] - right[:, None, :]
    effect[:, :-1, :-1] += score * (n / both)
    effect /= inner[:, None, None]
    size = limits + 2
    cell = codes[:, tables.first] * size + codes[:, tables.second]
    return np.asarray(effect.reshape(len(rho), size * size)[np.arange(len(rho)), cell])


def _threshold_influence(codes: NDArray[np.intp], levels: NDArray[np.intp], padded: Array) -> Array:
    """Return what an answer in each category does to each threshold of its item, shape (p, k + 1, k - 1).

    A threshold is the quantile of a share: (1[answer <= c] - share) / phi(threshold), times n over the number of
    answers. The last category is that of missing answers.
    """
    p, limits = padded.shape
    out = np.zeros((p, limits + 2, limits))
    times = len(codes) / (codes <= limits).sum(axis=0)
    category, cut = np.arange(limits + 1)[:, None], np.arange(limits)[None, :]
    for j in range(p):
        t = padded[j, : levels[j] - 1]
        effect = ((category <= cut)[:, : len(t)] - ndtr(t)) / (np.exp(-0.5 * t * t) / np.sqrt(2.0 * np.pi))
        out[j, :-1, : len(t)] = effect * times[j]
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
