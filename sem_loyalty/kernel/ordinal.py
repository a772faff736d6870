"""Sample statistics of ordinal items: thresholds, polychoric correlations, and their sampling covariance.

An item shows category c where a standard normal response lies between two thresholds. Thresholds come from the
margins (`thresholds`); then every correlation maximises the likelihood of its two-way table, given the thresholds
(`polychoric`; Olsson 1979, doi:10.1007/BF02296207). The sampling covariance of both comes from influence functions of
the two steps (`ordinal_influence`; Muthen 1984, doi:10.1007/BF02294210; Muthen and Satorra 1995,
doi:10.1007/BF02294325).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import iadd

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.memory import keep_freed_memory
from sem_loyalty.kernel.ordinal_influence import Influence, influence_by_answer
from sem_loyalty.kernel.polychoric import Cells, Tables, item_pairs, polychoric, two_way_tables
from sem_loyalty.kernel.thresholds import padded_thresholds

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Influences are looked up for so many respondents at a time: what they fill stays in the processor's cache.
TOGETHER = 1024


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
        first, second = item_pairs(len(self.correlation))
        single = [
            np.array([-mean]) if varies else cuts
            for cuts, mean, varies in zip(self.thresholds, self.mean, self.continuous, strict=True)
        ]
        variances = np.diagonal(self.correlation)[self.continuous]
        return np.concatenate([*single, variances, self.correlation[first, second]])


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


@dataclass(frozen=True, slots=True)
class _Estimated:
    """Categories by item, padded thresholds, and polychoric correlations with what they come from."""

    levels: Index
    padded: Array
    tables: Tables
    rho: Array
    cells: Cells

    @property
    def thresholds(self) -> tuple[Array, ...]:
        """Thresholds by item, without padding."""
        return tuple(cuts[: count - 1].copy() for cuts, count in zip(self.padded, self.levels, strict=True))

    @property
    def correlation(self) -> Array:
        """The correlations as a matrix, shape (p, p)."""
        out = np.eye(len(self.levels))
        out[self.tables.first, self.tables.second] = self.rho
        out[self.tables.second, self.tables.first] = self.rho
        return out

    def influence(self, n: int) -> Influence:
        """Return what every answer does, among n respondents."""
        return influence_by_answer(self.padded, self.levels, self.tables, self.rho, self.cells, n)


def ordinal_statistics(codes: Index) -> OrdinalStatistics:
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
    keep_freed_memory()
    n, p = codes.shape
    found = _estimated(codes)
    influence = found.influence(n)
    gamma = reduce(iadd, (rows @ rows.T for rows in _parts(influence, codes)))
    gamma /= n
    return OrdinalStatistics(found.thresholds, found.correlation, np.zeros(p), np.zeros(p, dtype=np.bool_), gamma, n)


def _parts(influence: Influence, codes: Index) -> Iterator[Array]:
    """Yield the influence of all respondents, some at a time."""
    for start in range(0, len(codes), TOGETHER):
        yield influence.of(codes[start : start + TOGETHER])


def item_statistics(codes: Index) -> ItemStatistics:
    """Return thresholds, polychoric correlations and influences of categories, shape (n, p), -1 where missing."""
    found = _estimated(codes)
    rows = found.influence(len(codes)).of(codes).T
    ends = np.cumsum(found.levels - 1)
    return ItemStatistics(
        thresholds=found.thresholds,
        correlation=found.correlation,
        first=found.tables.first,
        second=found.tables.second,
        by_threshold=tuple(np.split(rows[:, : ends[-1]], ends[:-1], axis=1)),
        by_pair=rows[:, ends[-1] :],
    )


def polychoric_matrix(codes: Index) -> Array:
    """Return the polychoric correlations alone, shape (p, p); `codes` as for `ordinal_statistics`."""
    return _estimated(codes).correlation


def _estimated(codes: Index) -> _Estimated:
    """Return thresholds and polychoric correlations."""
    levels = codes.max(axis=0) + 1
    tables = two_way_tables(codes)
    padded = padded_thresholds(tables.single, levels)
    return _Estimated(levels, padded, tables, *polychoric(padded, tables, levels))
