"""What incomplete answers would be expected to be, had they been given: one pass over the patterns of missing answers.

With K = Sigma^-1, d the answers less mu, zero where missing, and m the missing items of a pattern r,

    C_r = K_mm^-1,   e = d - C_r (K d)_m   at the missing items,

are the covariance matrix of the missing answers given the others, and the answers with their expectations filled in.
From them come log|Sigma_r| = log|Sigma| + log|K_mm| and d' M_r d = (K d)' e, M_r the inverse of the rows and columns of
Sigma that the pattern saw, so that

    -2 log L = sum_r n_r (log|Sigma_r| + tr(M_r T_r)) + constant,   T_r = S_r + d_r d_r',

takes matrices of the size of what is missing only (Finkbeiner 1979, doi:10.1007/BF02296204).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.likelihood import Sample, spd_inverse
from sem_loyalty.kernel.patterns import Alike, Batch, Patterns

Array = NDArray[np.float64]
# Row j of the matrices of a batch that have so many, each (j + 1, matrices).
Roots = tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected answers of one group at one Sigma and mu.

    Attributes
    ----------
    mean, inverse : ndarray, shapes (p,) and (p, p)
        mu and K.
    value : float
        sum_r f_r (log|Sigma_r| + tr(M_r T_r)), f_r = n_r / n.
    filled : ndarray, shape (J, p)
        e of every row of the patterns.
    shift : ndarray, shape (p,)
        Mean of the expected answers, less mu.
    unknown : ndarray, shape (p, p)
        sum_r f_r C_r: mean covariance matrix of the missing answers given the others.
    second : ndarray, shape (p, p)
        Mean cross-product of the answers less mu, expected where missing.
    roots : tuple of Roots
        R_r of every batch, lower triangular, row by row: C_r = R_r' R_r.
    """

    mean: Array
    inverse: Array
    value: float
    filled: Array
    shift: Array
    unknown: Array
    second: Array
    roots: tuple[Roots, ...]

    def sample(self, sample: Sample) -> Sample:
        """Return the moments that complete answers would be expected to have, with the weight of `sample`."""
        cov = self.second - np.outer(self.shift, self.shift)
        return replace(sample, cov=cov, mean=self.mean + self.shift)

    def slopes(self) -> tuple[Array, Array]:
        """Return W, shape (p, p), and h, shape (p,): dF = tr(W dSigma) - 2 h' dmu."""
        return self.inverse - self.inverse @ self.second @ self.inverse, self.inverse @ self.shift


def expectation(patterns: Patterns, mean: Array, inverse: Array, logdet: float) -> Expectation | None:
    """Return the expected answers at mu, Sigma^-1 and log|Sigma|.

    None where rounding leaves a pattern without positive determinant.
    """
    p, size = len(mean), patterns.rows.size
    # One number more, where batches put what their smaller patterns leave over.
    flat = np.empty(size + 1)
    filled = flat[:size].reshape(-1, p)
    np.subtract(patterns.rows, patterns.lowered * mean, out=filled)
    pull = filled @ inverse
    value = logdet
    unknown = np.zeros(p * p)
    roots = []
    for batch in patterns.batches:
        spread, root, pivots = inverses([inverse.take(at) for at in batch.columns], batch.starts)
        if not (pivots > 0).all():
            return None
        share = patterns.share[batch.patterns]
        value += float(share @ np.log(pivots).sum(axis=0))
        gap = pull.take(batch.gaps, mode="clip")
        by_row = spread if batch.owner is None else spread.take(batch.owner, axis=2)
        flat.put(batch.gaps, -np.einsum("ijr,jr->ir", by_row, gap))
        spread *= share
        unknown += np.bincount(batch.pair_places, weights=spread.take(batch.pairs), minlength=p * p)
        roots.append(root)
    lower = unknown.reshape(p, p)
    among = lower + lower.T
    among.ravel()[:: p + 1] *= 0.5
    weighted = patterns.weight[:, None] * filled
    value += float(np.vdot(pull, weighted))
    if not np.isfinite(value):
        return None
    return Expectation(
        mean, inverse, value, filled, patterns.level @ weighted, among, filled.T @ weighted + among, tuple(roots)
    )


def inverses(columns: Sequence[Array], starts: tuple[int, ...]) -> tuple[Array, Roots, Array]:
    """Return the inverses of small positive definite matrices of several sizes, all of them in step.

    A matrix grows by one row and column at a time: with b the new column above its diagonal element a, C the inverse
    so far, u = C b and d = a - b'u, the root of the inverse gains the row r = (u', -1) / sqrt(d) and the inverse r r'.
    Every operation runs over the last axis, which for matrices so small takes two thirds of the time of LAPACK calls.

    Parameters
    ----------
    columns : sequence of ndarray, each (j + 1, matrices)
        b and a, for every j below the size k of the largest one: of the matrices with more than j rows.
    starts : tuple of int, length k
        The first of these. Matrices come in order of their size, and have a row at least.

    Returns
    -------
    inverses : ndarray, shape (k, k, number)
        C; zero beyond a matrix.
    roots : tuple of ndarray, each (j + 1, matrices)
        r, the rows of a lower triangular R with C = R'R.
    pivots : ndarray, shape (k, number)
        d, whose product is the determinant; one beyond a matrix, zero, negative or nan where it is not positive
        definite.
    """
    k, number = len(columns), columns[0].shape[1]
    found, pivots = np.zeros((k, k, number)), np.ones((k, number))
    roots = []
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for j, (column, first) in enumerate(zip(columns, starts, strict=True)):
            row = np.empty(column.shape)
            row[j] = -1.0
            if j:
                np.add.reduce(found[:j, :j, first:] * column[:j, None], axis=0, out=row[:j])
            rest = np.negative(np.add.reduce(column * row, axis=0), out=pivots[j, first:])
            row /= np.sqrt(rest)
            found[: j + 1, : j + 1, first:] += row[:, None] * row
            roots.append(row)
    return found, tuple(roots), pivots


def group_roots(batch: Batch, roots: Roots, group: Alike) -> Array:
    """Return R_r of the patterns of a batch with equally many missing items, shape (patterns, k, k)."""
    out = np.zeros((len(group.items), group.k, group.k))
    for j, first in enumerate(batch.starts[: group.k]):
        out[:, j, : j + 1] = roots[j][:, group.within.start - first : group.within.stop - first].T
    return out


def expectation_at(patterns: Patterns, sample: Sample) -> Expectation:
    """Return the expected answers of one group at the moments of the saturated model."""
    solved = spd_inverse(sample.cov)
    found = None if solved is None else expectation(patterns, sample.mean, *solved)
    if found is None:
        raise ValueError("The covariance matrix of the saturated model must be positive definite.")
    return found
