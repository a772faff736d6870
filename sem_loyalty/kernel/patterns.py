"""Who answered what: incomplete rows by pattern of missing answers, laid out for batched arithmetic.

Rows of one pattern enter the likelihood through their mean and covariance matrix only. Both are kept as rows: the mean,
and deviations from it whose cross-products make up the covariance matrix. Patterns stand in order of their number of
missing items, so that those of a batch with more than j of them stand together at its end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Numbers that the small matrices of one batch hold at most: they stay in the processor's cache.
BATCH = 1 << 14
# Work on so many numbers takes about as long as one more step of a batch of its own, and so patterns that miss more
# items join a batch if room for them costs those before less.
JOINED = 1000


@dataclass(frozen=True, slots=True)
class Alike:
    """Patterns of one batch with equally many missing items.

    Attributes
    ----------
    k : int
        How many.
    within, patterns : slice
        Where the patterns stand in the batch, and among all patterns.
    items : ndarray of int, shape (patterns, k)
        The missing items, ascending.
    """

    k: int
    within: slice
    patterns: slice
    items: Index


@dataclass(frozen=True, slots=True)
class Batch:
    """Patterns whose small matrices are worked on together, one number of all of them after the other.

    Arrays have room for the k items that the last of them misses; what is left over of others has no meaning.

    Attributes
    ----------
    patterns, rows : slice
        Where the patterns stand among all patterns, and their rows among all rows.
    starts, row_starts : tuple of int, length k
        The first pattern of the batch with more than j missing items, for every j below k, and its first row.
    columns : tuple of ndarray of int, each (j + 1, patterns)
        For every j below k, of the patterns with more than j missing items: where the pairs of the j-th with those
        before it, and with itself, stand in a flat matrix of p rows.
    gaps : ndarray of int, shape (k, rows)
        Where missing items stand in the flat rows of all patterns; just beyond them what is left over.
    owner : ndarray of int, shape (rows,), or None
        The pattern of every row within the batch; None where every pattern has one row.
    pairs, pair_places : ndarray of int
        Where all pairs stand in a flat (k, k, patterns), each once, and in a flat matrix of p rows.
    alike : tuple of Alike
        The batch by number of missing items.
    """

    patterns: slice
    rows: slice
    starts: tuple[int, ...]
    row_starts: tuple[int, ...]
    columns: tuple[Index, ...]
    gaps: Index
    owner: Index | None
    pairs: Index
    pair_places: Index
    alike: tuple[Alike, ...]

    def by_row(self, by_pattern: Array, j: int) -> Array:
        """Return an array over the patterns as one over the rows that lack more than j items."""
        if self.owner is None:
            return by_pattern[self.starts[j] :]
        return by_pattern.take(self.owner[self.row_starts[j] :], axis=0)


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
    keys = _keys(present)
    _, first, which, counts = np.unique(
        keys, axis=None if keys.ndim == 1 else 0, return_index=True, return_inverse=True, return_counts=True
    )
    seen = present[first]
    lost = (~seen).sum(axis=1)
    order = np.argsort(lost, kind="stable")
    seen, counts, lost = seen[order], counts[order], lost[order]
    which = np.argsort(order, kind="stable")[which.reshape(-1)]
    share = counts / len(rows)
    grouped = np.where(present, rows, 0.0)[np.argsort(which, kind="stable")]
    kept, sizes = _means_and_deviations(grouped, seen, counts)
    owner = np.repeat(np.arange(len(counts)), sizes)
    level = np.zeros(len(owner))
    level[np.cumsum(sizes) - sizes] = 1.0
    lowered = np.where(seen[owner], level[:, None], 0.0)
    return Patterns(
        len(rows), share, seen, which, kept, owner, share[owner], level, lowered, _batches(seen, lost, sizes)
    )


def _keys(present: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return the patterns of rows as integers, shape (n,) or, beyond 64 items, (n, words)."""
    words = -(-present.shape[1] // 64)
    padded = np.zeros((len(present), 64 * words), dtype=np.bool_)
    padded[:, : present.shape[1]] = present
    keys = np.packbits(padded, axis=1).view(">u8").astype(np.uint64)
    return np.asarray(keys[:, 0] if words == 1 else keys)


def _means_and_deviations(rows: Array, seen: NDArray[np.bool_], counts: Index) -> tuple[Array, Index]:
    """Return the mean of every pattern and deviations whose cross-products make up its covariance matrix.

    There are n_r - 1 of them, or as many as items seen where that is fewer.

    Parameters
    ----------
    rows : ndarray, shape (n, p)
        Pattern by pattern, zero where missing.
    seen : ndarray of bool, shape (R, p)
    counts : ndarray of int, shape (R,)
        n_r.

    Returns
    -------
    rows : ndarray, shape (J, p)
    sizes : ndarray of int, shape (R,)
        How many of them belong to every pattern.
    """
    sizes = np.minimum(counts, 1 + seen.sum(axis=1))
    first = np.cumsum(counts) - counts
    out = rows.copy()
    # Each row against the mean of those before it: Helmert contrasts, which are orthonormal. All patterns in step.
    some = np.flatnonzero((counts > 1) & (sizes == counts))
    total = rows[first[some]]
    for before in range(1, int(counts[some].max(initial=1))):
        longer = counts[some] > before
        some, total = some[longer], total[longer]
        at, n = first[some] + before, counts[some][:, None]
        out[at] = (rows[at] - total / before) / np.sqrt((before + 1.0) / before * n)
        total = total + rows[at]
        out[first[some]] = total / n
    kept = np.ones(len(rows), dtype=np.bool_)
    for r in np.flatnonzero(sizes < counts):
        own = slice(first[r], first[r] + counts[r])
        mean = rows[own].mean(axis=0)
        out[first[r]] = mean
        out[first[r] + 1 : first[r] + sizes[r], seen[r]] = np.linalg.qr(
            (rows[own] - mean)[:, seen[r]], mode="r"
        ) / np.sqrt(counts[r])
        kept[first[r] + sizes[r] : own.stop] = False
    return (out if kept.all() else out[kept]), sizes


def _batches(seen: NDArray[np.bool_], lost: Index, sizes: Index) -> tuple[Batch, ...]:
    """Return the batches of patterns, which come in order of the number of missing items."""
    batches: list[Batch] = []
    first = int(np.searchsorted(lost, 1))
    while first < len(lost):
        k = int(lost[first])
        last = min(int(np.searchsorted(lost, k, side="right")), first + max(1, BATCH // k**2))
        while last < len(lost):
            # Those that miss the next larger number join as a whole or not at all.
            more = int(lost[last])
            end, wasted = int(np.searchsorted(lost, more, side="right")), (more**2 - k**2) * (last - first)
            if more == k or wasted > JOINED * k or (end - first) * more**2 > BATCH:
                break
            k, last = more, end
        batches.append(_batch(seen, lost, sizes, first, last))
        first = last
    return tuple(batches)


def _batch(seen: NDArray[np.bool_], lost: Index, sizes: Index, first: int, last: int) -> Batch:
    """Return the batch of the patterns from `first` to before `last`."""
    p, k = seen.shape[1], int(lost[last - 1])
    own, rows = lost[first:last], sizes[first:last]
    pattern, item = np.nonzero(~seen[first:last])
    place = np.arange(len(item)) - np.repeat(np.cumsum(own) - own, own)
    items = np.zeros((k, last - first), dtype=np.intp)
    items[place, pattern] = item
    begin = int(sizes[:first].sum())
    ends = np.cumsum(rows)
    owner = None if (rows == 1).all() else np.repeat(np.arange(last - first), rows)
    gaps = np.arange(begin, begin + int(ends[-1])) * p + (items if owner is None else items[:, owner])
    gaps[np.arange(k)[:, None] >= (own if owner is None else own[owner])] = int(sizes.sum()) * p
    starts = np.searchsorted(own, np.arange(k), side="right")
    exists = np.arange(k)[:, None] < own
    pairs = np.flatnonzero(exists[:, None] & exists & np.tri(k, dtype=np.bool_)[:, :, None])
    places = items[:, None] * p + items
    alike = []
    for count in np.unique(own).tolist():
        within = slice(*np.searchsorted(own, [count, count + 1]).tolist())
        patterns = slice(first + within.start, first + within.stop)
        alike.append(Alike(count, within, patterns, np.ascontiguousarray(items[:count, within].T)))
    return Batch(
        patterns=slice(first, last),
        rows=slice(begin, begin + int(ends[-1])),
        starts=tuple(starts.tolist()),
        row_starts=tuple((ends - rows)[starts].tolist()),
        columns=tuple(np.ascontiguousarray(places[j, : j + 1, first:]) for j, first in enumerate(starts)),
        gaps=gaps,
        owner=owner,
        pairs=pairs,
        pair_places=places.reshape(-1)[pairs],
        alike=tuple(alike),
    )
