"""Who answered what: incomplete rows by pattern of missing answers, laid out for batched arithmetic.

Rows of one pattern enter the likelihood through their mean and covariance matrix only. Both are kept as rows: the mean,
and deviations from it whose cross-products make up the covariance matrix. Patterns are batched by their number of
missing items, rounded up; places left over point to items that do not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Number = TypeVar("Number", bound=np.generic)

# Numbers that the small matrices of one batch hold at most.
BATCH = 1 << 14


@dataclass(frozen=True, slots=True)
class Batch:
    """Patterns with about equally many missing items.

    Attributes
    ----------
    patterns, rows : slice
        Where the patterns stand among all patterns, and their rows among all rows.
    items : ndarray of int, shape (patterns, k)
        The missing items; p and above where a pattern misses fewer than k.
    places : ndarray of int, shape (patterns, k, k)
        Where pairs of them stand in a flat matrix of `Patterns.width` rows.
    gaps : ndarray of int, shape (rows, k)
        Where they stand in the flat rows of all patterns, `Patterns.width` wide.
    owner : ndarray of int, shape (rows,), or None
        The pattern of every row within the batch; None where every pattern has one row.
    """

    patterns: slice
    rows: slice
    items: Index
    places: Index
    gaps: Index
    owner: Index | None

    def by_row(self, by_pattern: NDArray[Number]) -> NDArray[Number]:
        """Return an array over the patterns as one over the rows."""
        return by_pattern if self.owner is None else by_pattern[self.owner]


@dataclass(frozen=True, slots=True)
class Patterns:
    """The answers of one group, by pattern of missing answers.

    Attributes
    ----------
    n : int
        Respondents.
    share : ndarray, shape (R,)
        n_r / n.
    seen : ndarray of bool, shape (R, p)
        Which items the pattern answered. Patterns come in order of the number of missing items.
    which : ndarray of int, shape (n,)
        The pattern of every respondent.
    rows : ndarray, shape (J, p)
        Means of the patterns and deviations from them, zero where missing: for every pattern the mean ybar_r first,
        then rows whose cross-products add up to the covariance matrix S_r with divisor n_r.
    owner : ndarray of int, shape (J,)
        The pattern of every row, ascending.
    weight : ndarray, shape (J,)
        n_r / n of the pattern of every row.
    level : ndarray, shape (J,)
        1 for a mean, 0 for a deviation.
    lowered : ndarray, shape (J, p)
        1 where mu is to be taken from a row: answers of a mean.
    width : int
        Items, with those that batches are filled up with.
    batches : tuple of Batch
        The patterns with missing items.
    """

    n: int
    share: Array
    seen: NDArray[np.bool_]
    which: Index
    rows: Array
    owner: Index
    weight: Array
    level: Array
    lowered: Array
    width: int
    batches: tuple[Batch, ...]

    def deviations(self, mean: Array) -> Array:
        """Return the rows less `mean`, zero where missing, shape (J, p)."""
        return np.asarray(self.rows - self.lowered * mean)


def find_patterns(rows: Array) -> Patterns:
    """Return the patterns of incomplete rows, in an order that does not depend on that of the rows.

    Parameters
    ----------
    rows : ndarray, shape (n, p)
        NaN for missing; a row without any answer counts in n and informs about nothing.
    """
    present = ~np.isnan(rows)
    _, first, which, counts = np.unique(
        _keys(present), axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    seen = present[first]
    lost = (~seen).sum(axis=1)
    order = np.argsort(lost, kind="stable")
    seen, counts, lost = seen[order], counts[order], lost[order]
    which = np.argsort(order, kind="stable")[which.reshape(-1)]
    share = counts / len(rows)
    filled = np.where(present, rows, 0.0)
    grouped = filled[np.argsort(which, kind="stable")]
    ends = np.cumsum(counts)
    kept: list[Array] = []
    sizes = np.ones(len(counts), dtype=np.intp)
    last = 0
    for r in np.flatnonzero(counts > 1):
        start, end = ends[r] - counts[r], ends[r]
        reduced = _mean_and_deviations(grouped[start:end], seen[r])
        kept += [grouped[last:start], reduced]
        sizes[r], last = len(reduced), end
    kept.append(grouped[last:])
    owner = np.repeat(np.arange(len(counts)), sizes)
    level = np.zeros(len(owner))
    level[np.cumsum(sizes) - sizes] = 1.0
    lowered = np.where(seen[owner], level[:, None], 0.0)
    width, batches = _batches(seen, lost, sizes)
    return Patterns(
        len(rows), share, seen, which, np.concatenate(kept), owner, share[owner], level, lowered, width, batches
    )


def _keys(present: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return the patterns of rows as integers, shape (n,) or, beyond 64 items, (n, words)."""
    words = -(-present.shape[1] // 64)
    padded = np.zeros((len(present), 64 * words), dtype=np.bool_)
    padded[:, : present.shape[1]] = present
    keys = np.packbits(padded, axis=1).view(">u8").astype(np.uint64)
    return np.asarray(keys[:, 0] if words == 1 else keys)


def _mean_and_deviations(rows: Array, seen: NDArray[np.bool_]) -> Array:
    """Return the mean of rows and deviations whose cross-products make up their covariance matrix.

    There are n - 1 of them, or as many as items seen where that is fewer.
    """
    n = len(rows)
    mean = rows.mean(axis=0)
    out = np.zeros((min(n, 1 + int(seen.sum())), rows.shape[1]))
    out[0] = mean
    if len(out) == n:
        # Each row against the mean of those before it: Helmert contrasts, which are orthonormal.
        before = np.arange(1.0, n)[:, None]
        out[1:] = (rows[1:] - rows[:-1].cumsum(axis=0) / before) / np.sqrt((before + 1.0) / before * n)
    else:
        out[1:, seen] = np.linalg.qr((rows - mean)[:, seen], mode="r") / np.sqrt(n)
    return out


def _rounded(lost: int) -> int:
    """Return for how many missing items a batch with `lost` of them has room: 2, 4, 8, 12, 16, ..."""
    return 2 if lost <= 2 else -(-lost // 4) * 4


def _batches(seen: NDArray[np.bool_], lost: Index, sizes: Index) -> tuple[int, tuple[Batch, ...]]:
    """Return the batches of patterns in order of the number of missing items, and p with room to fill them up."""
    p = seen.shape[1]
    bounds: list[tuple[int, int, int]] = []
    first = int(np.searchsorted(lost, 1))
    while first < len(lost):
        k = _rounded(int(lost[first]))
        last = min(int(np.searchsorted(lost, k, side="right")), first + max(1, BATCH // k**2))
        bounds.append((first, last, k))
        first = last
    width = p + (bounds[-1][2] if bounds else 0)
    ends = np.cumsum(sizes)
    batches = []
    for first, last, k in bounds:
        missing = ~seen[first:last]
        items = np.tile(p + np.arange(k), (last - first, 1))
        place = np.cumsum(missing, axis=1) - 1
        pattern, item = np.nonzero(missing)
        items[pattern, place[pattern, item]] = item
        own = sizes[first:last]
        owner = None if (own == 1).all() else np.repeat(np.arange(last - first), own)
        rows = slice(int(ends[first] - sizes[first]), int(ends[last - 1]))
        places = items[:, :, None] * width + items[:, None, :]
        gaps = np.arange(rows.start, rows.stop)[:, None] * width + (items if owner is None else items[owner])
        batches.append(Batch(slice(first, last), rows, items, places, gaps, owner))
    return width, tuple(batches)
