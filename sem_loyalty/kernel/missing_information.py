"""The information that missing answers would have added about the parameters of a model.

Complete answers z - mu have the score tr(K dSigma K z z') / 2 + dmu' K z, less its mean, with K = Sigma^-1. The
information in incomplete answers is that of the expected complete ones less the variance of this score given what was
answered (Louis 1982, doi:10.1111/j.2517-6161.1982.tb01203.x), for a row with missing items m and the notation of
`kernel.expectation`

    tr(C D_k C D_l) / 2 + a_k' C a_l,   D_k = (K dSigma_k K)_mm,   a_k = (K dSigma_k K e + K dmu_k)_m.

dSigma_k = c (u w' + w u'), so that all of it is made of the columns R_r (K u)_m, with C_r = R_r' R_r. The first term
does not depend on the answers: observed and expected information share it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.expectation import Expectation
from sem_loyalty.kernel.patterns import Batch, Patterns
from sem_loyalty.kernel.ram import Block, Implied, derivative_columns, mean_jacobian, pair_products

Array = NDArray[np.float64]


def pair_loss(block: Block, at: Implied, patterns: Patterns, found: Expectation) -> Array:
    """Return sum_r f_r tr(C D_k C D_l) / 2 over pairs of entries of A and S, shape (entries, entries)."""
    left, right, _ = _columns(block, at, found)
    size = left.shape[1]
    loss = np.zeros((size, size))
    for batch, roots in zip(patterns.batches, found.roots, strict=True):
        scale = patterns.share[batch.patterns][:, None] ** 0.25
        u, w = (_turned(columns, batch, roots) * scale for columns in (left, right))
        for j, first in enumerate(batch.starts):
            # u_i w_j + w_i u_j for i up to j. Pairs off the diagonal stand for two, so that 1 / 2 leaves one of them.
            products = u[: j + 1, first:] * w[j, first:]
            products += w[: j + 1, first:] * u[j, first:]
            products[j] *= np.sqrt(0.5)
            flat = products.reshape(-1, size)
            loss += flat.T @ flat
    return loss


def observed_loss(block: Block, at: Implied, patterns: Patterns, found: Expectation, pairs: Array) -> Array:
    """Return the information lost per respondent given the answers, over pairs of entries, shape (entries, entries).

    Parameters
    ----------
    block, at, patterns, found
    pairs : ndarray
        `pair_loss` at the same point.
    """
    left, right, shifts = _columns(block, at, found)
    root = np.sqrt(patterns.weight)[:, None]
    weighted = found.filled * root
    by_left, by_right, by_level = weighted @ left, weighted @ right, root * patterns.level[:, None]
    n_cov, size = left.shape[1], shifts.shape[1]
    loss = np.zeros((size, size))
    loss[:n_cov, :n_cov] = pairs
    for batch, roots in zip(patterns.batches, found.roots, strict=True):
        u, w, shift = (_turned(columns, batch, roots) for columns in (left, right, shifts))
        for j, first in enumerate(batch.row_starts):
            rows = slice(batch.rows.start + first, batch.rows.stop)
            pull = batch.by_row(shift[j], j) * by_level[rows]
            pull[:, :n_cov] += batch.by_row(u[j], j) * by_right[rows]
            pull[:, :n_cov] += batch.by_row(w[j], j) * by_left[rows]
            loss += pull.T @ pull
    return loss


def expected_loss(block: Block, at: Implied, patterns: Patterns, found: Expectation, pairs: Array) -> Array:
    """Return the mean of `observed_loss` where the model holds, given who answered what, shape (entries, entries).

    Filled-in answers have the covariance matrix Sigma - C_r, which leaves tr(C D Sigma D) - tr(C D C D) / 2.
    """
    columns = found.inverse @ derivative_columns(at)
    shifts = found.inverse @ mean_jacobian(block, at)
    left, right, weight = block.layout.left, block.layout.right, block.layout.weight
    loss = shifts.T @ found.unknown @ shifts
    Q, U = columns.T @ at.cov @ columns, columns.T @ found.unknown @ columns
    by_cov = pair_products(Q, U, left, right, weight) + pair_products(U, Q, left, right, weight)
    loss[: len(left), : len(left)] += by_cov - pairs
    return loss


def _columns(block: Block, at: Implied, found: Expectation) -> tuple[Array, Array, Array]:
    """Return c K u and K w over the entries of A and S, and K dmu over all entries."""
    columns, layout = found.inverse @ derivative_columns(at), block.layout
    shifts = found.inverse @ mean_jacobian(block, at)
    return columns[:, layout.left] * layout.weight, columns[:, layout.right], shifts


def _turned(columns: Array, batch: Batch, roots: Array) -> Array:
    """Return R_r times the rows of `columns` at the missing items, shape (k, patterns, columns); zero beyond them."""
    out = np.zeros((len(roots), roots.shape[2], columns.shape[1]))
    for group in batch.alike:
        root = roots[: group.k, : group.k, group.within].transpose(2, 0, 1)
        turned = np.ascontiguousarray(root) @ columns.take(group.items, axis=0)
        out[: group.k, group.within] = turned.transpose(1, 0, 2)
    return out
