"""What every answer does to thresholds and polychoric correlations: the influence functions of the two steps.

(Muthen 1984, doi:10.1007/BF02294210; Muthen and Satorra 1995, doi:10.1007/BF02294325.) A respondent's influence on a
threshold depends on one answer and that on a correlation on two, so it is computed by category and by cell of the
two-way table, and only then looked up for every respondent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sem_loyalty.kernel.bivariate import by_pair
from sem_loyalty.kernel.polychoric import LARGEST, Cells, Tables
from sem_loyalty.kernel.thresholds import normal_density, threshold_influence

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Influence:
    """Influences by answer; the last of the k + 1 categories is that of a missing answer.

    Attributes
    ----------
    item : ndarray of int, shape (thresholds,)
        The item of every threshold.
    first, second : ndarray of int, shape (pairs,)
        The items of every correlation.
    on_thresholds : ndarray, shape (thresholds, k + 1)
        By the category of the item.
    on_pairs : ndarray, shape (pairs, k + 1, k + 1)
        By the categories of both items.
    """

    item: Index
    first: Index
    second: Index
    on_thresholds: Array
    on_pairs: Array

    def of(self, codes: Index) -> Array:
        """Return the influence of respondents on thresholds, then correlations, shape (m, respondents).

        Parameters
        ----------
        codes : ndarray of int, shape (respondents, p)
            Categories; -1 for a missing answer.
        """
        m1, size = self.on_thresholds.shape
        pairs = len(self.first)
        answers = np.ascontiguousarray(codes.T)
        answers = np.where(answers < 0, size - 1, answers)
        out = np.empty((m1 + pairs, len(codes)))
        # Every index is within bounds; with another mode than "raise", `take` writes where it should at once.
        place = answers.take(self.item, axis=0)
        place += np.arange(0, m1 * size, size)[:, None]
        np.take(self.on_thresholds, place, out=out[:m1], mode="clip")
        place = (answers * size).take(self.first, axis=0)
        place += answers.take(self.second, axis=0)
        place += np.arange(0, pairs * size * size, size * size)[:, None]
        np.take(self.on_pairs, place, out=out[m1:], mode="clip")
        return out


def influence_by_answer(padded: Array, levels: Index, tables: Tables, rho: Array, cells: Cells, n: int) -> Influence:
    """Return the influences.

    Parameters
    ----------
    padded : ndarray, shape (p, k - 1)
        Thresholds; rows padded with `BEYOND`.
    levels : ndarray of int, shape (p,)
        Categories of every item.
    tables : Tables
    rho : ndarray, shape (pairs,)
    cells : Cells
        Cell probabilities at rho.
    n : int
        Respondents.

    Notes
    -----
    The correlation of a pair solves sum s = 0, s the slope of its log-likelihood, at thresholds that are estimates
    themselves. With the slopes of s as cross-products of scores, its influence is
    (s - sum of A21 times the influence on the thresholds of both items) / A22. It is nan where the correlation has no
    maximum inside.
    """
    by_category = threshold_influence(padded, tables.single, n)
    both = tables.counts.sum(axis=(1, 2))
    h, k = by_pair(padded, tables.first), by_pair(padded, tables.second)
    score = cells.slope / cells.value
    weighted = tables.counts * score
    weighted /= both[:, None, None]
    own = np.where(np.abs(rho) < LARGEST - 1e-9, (weighted * score).sum(axis=(1, 2)), np.nan)
    weighted /= cells.value
    by_row = _slopes_by_threshold(h, k, rho, weighted)
    by_col = _slopes_by_threshold(k, h, rho, np.swapaxes(weighted, 1, 2))
    effect = np.zeros((len(rho), padded.shape[1] + 2, padded.shape[1] + 2), order="F")
    effect[:, :-1, :-1] = score * (n / both)[:, None, None]
    effect -= _times_influence(by_row, by_category, tables.first)[:, :, None]
    effect -= _times_influence(by_col, by_category, tables.second)[:, None, :]
    effect /= own[:, None, None]
    item, cut = np.nonzero(np.arange(padded.shape[1]) < levels[:, None] - 1)
    return Influence(
        item=item,
        first=tables.first,
        second=tables.second,
        on_thresholds=np.ascontiguousarray(by_category[item, :, cut]),
        on_pairs=np.ascontiguousarray(effect),
    )


def _times_influence(slopes: Array, by_category: Array, item: Index) -> Array:
    """Return the sum over thresholds of slope times influence, by category, shape (pairs, k + 1)."""
    out = np.zeros((len(slopes), by_category.shape[1]), order="F")
    for cut in range(slopes.shape[1]):
        out += slopes[:, cut, None] * by_pair(by_category[:, :, cut], item)
    return out


def _slopes_by_threshold(h: Array, k: Array, rho: Array, weight: Array) -> Array:
    """Return the sum over cells of weight times the derivative of the cell by each row threshold, (pairs, k - 1).

    Raising threshold c moves phi(h_c) [Phi((k_b - rho h_c) / s) - Phi((k_{b-1} - rho h_c) / s)] from category c + 1
    of the rows to category c, s^2 = 1 - rho^2.
    """
    m, limits = h.shape
    given = np.zeros((m, limits, limits + 2), order="F")
    given[:, :, -1] = 1.0
    given[:, :, 1:-1] = ndtr((k[:, None, :] - rho[:, None, None] * h[:, :, None]) / np.sqrt(1 - rho**2)[:, None, None])
    moved = given[:, :, 1:] - given[:, :, :-1]
    moved *= weight[:, :-1] - weight[:, 1:]
    return np.asarray(normal_density(h) * moved.sum(axis=2))
