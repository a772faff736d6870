"""Heterotrait-monotrait ratio of correlations, HTMT and HTMT2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Ratios:
    """Heterotrait-monotrait ratios of all pairs of constructs.

    Attributes
    ----------
    values : ndarray, shape (k, k)
        Symmetric, 1 on the diagonal; NaN where the ratio does not exist.
    reasons : dict of (int, int) to str
        Why a ratio does not exist, by pair of positions, the smaller first.
    """

    values: Array
    reasons: dict[tuple[int, int], str]


def heterotrait_monotrait(
    R: Array, blocks: Sequence[Sequence[int]], *, geometric: bool = False, absolute: bool = True
) -> Ratios:
    """Return the ratio of correlations between constructs to those within them.

    HTMT_ij is the mean correlation of the items of i with those of j over the geometric mean of the mean
    correlations within i and within j. HTMT2 takes geometric means throughout, which makes it consistent for
    congeneric items; it exists for positive correlations only.

    Parameters
    ----------
    R : ndarray, shape (p, p)
        Correlation matrix of the items.
    blocks : sequence of k sequences of int
        Positions of the items of each construct. Within a single item the correlation is 1.
    geometric : bool, default False
        HTMT2 instead of HTMT.
    absolute : bool, default True
        For HTMT, take absolute correlations, so that items worded against their construct do not cancel. HTMT2
        never takes them: a correlation of the wrong sign would silently count as evidence of the right one.

    Returns
    -------
    Ratios
        An item of both constructs is left out of their heterotrait correlations with itself.

    References
    ----------
    Henseler, J., Ringle, C. M., & Sarstedt, M. (2015). A new criterion for assessing discriminant validity in
    variance-based structural equation modeling. Journal of the Academy of Marketing Science, 43, 115-135.
    doi:10.1007/s11747-014-0403-8
    Roemer, E., Schuberth, F., & Henseler, J. (2021). HTMT2: An improved criterion for assessing discriminant validity
    in structural equation modeling. Industrial Management & Data Systems, 121, 2637-2650.
    doi:10.1108/IMDS-02-2021-0082
    """
    used = np.abs(R) if absolute and not geometric else R
    k = len(blocks)
    within = [_average(_pairs(used, block, block), geometric) if len(block) > 1 else 1.0 for block in blocks]
    values = np.eye(k)
    reasons: dict[tuple[int, int], str] = {}
    for i in range(k):
        for j in range(i + 1, k):
            ratio, reason = float("nan"), ""
            if not blocks[i] or not blocks[j]:
                reason = "no items of its own"
            else:
                between = _average(_pairs(used, blocks[i], blocks[j]), geometric)
                if np.isnan(between) or np.isnan(within[i] * within[j]):
                    reason = "a correlation is not positive" if geometric else "no correlation to average"
                elif min(within[i], within[j]) <= 0.0:
                    reason = "the mean correlation within a construct is not positive"
                else:
                    ratio = between / float(np.sqrt(within[i] * within[j]))
            values[i, j] = values[j, i] = ratio
            if reason:
                reasons[i, j] = reason
    return Ratios(values, reasons)


def _pairs(R: Array, first: Sequence[int], second: Sequence[int]) -> Array:
    """Return the correlations of two sets of items without those of an item with itself, shape (pairs,)."""
    rows, columns = np.asarray(first, dtype=np.intp), np.asarray(second, dtype=np.intp)
    return np.asarray(R[np.ix_(rows, columns)][rows[:, None] != columns[None, :]], dtype=np.float64)


def _average(values: Array, geometric: bool) -> float:
    if values.size == 0 or (geometric and values.min() <= 0.0):
        return float("nan")
    return float(np.exp(np.mean(np.log(values)))) if geometric else float(np.mean(values))
