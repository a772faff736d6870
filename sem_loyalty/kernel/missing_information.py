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

from sem_loyalty.kernel.expectation import Expectation, Roots, group_roots
from sem_loyalty.kernel.patterns import Batch, Patterns
from sem_loyalty.kernel.ram import Block, Implied, derivative_columns, mean_jacobian, pair_products

Array = NDArray[np.float64]


def pair_loss(block: Block, at: Implied, patterns: Patterns, found: Expectation) -> Array:
    """Return sum_r f_r tr(C D_k C D_l) / 2 over pairs of entries of A and S, shape (entries, entries)."""
    columns, _ = _columns(block, at, found)
    size = columns.shape[1] // 2
    loss = np.zeros((size, size))
    for batch, roots in zip(patterns.batches, found.roots, strict=True):
        turned = _turned(columns, batch, roots, patterns.share)
        _add_pairs(loss, turned[:, :, :size], turned[:, :, size:], batch.starts)
    return loss


def observed_loss(block: Block, at: Implied, patterns: Patterns, found: Expectation) -> tuple[Array, Array]:
    """Return the information lost per respondent given the answers, over pairs of entries, and `pair_loss` in it.

    Shapes (entries, entries), over all entries and over those of A and S.
    """
    columns, shifts = _columns(block, at, found)
    # The other half of sqrt(f_r) comes with the columns.
    half = patterns.weight[:, None] ** 0.25
    by_level = half * patterns.level[:, None]
    n_cov, size = columns.shape[1] // 2, shifts.shape[1]
    along = (found.filled * half) @ columns
    by_u, by_w = np.ascontiguousarray(along[:, :n_cov]), np.ascontiguousarray(along[:, n_cov:])
    columns = np.concatenate([columns, shifts], axis=1)
    loss, pairs = np.zeros((size, size)), np.zeros((n_cov, n_cov))
    for batch, roots in zip(patterns.batches, found.roots, strict=True):
        turned = _turned(columns, batch, roots, patterns.share)
        for j, first in enumerate(batch.row_starts):
            rows = slice(batch.rows.start + first, batch.rows.stop)
            own = batch.by_row(turned[j], j)
            pull = own[:, 2 * n_cov :] * by_level[rows]
            pull[:, :n_cov] += own[:, :n_cov] * by_w[rows]
            pull[:, :n_cov] += own[:, n_cov : 2 * n_cov] * by_u[rows]
            loss += pull.T @ pull
        _add_pairs(pairs, turned[:, :, :n_cov], turned[:, :, n_cov : 2 * n_cov], batch.starts)
    loss[:n_cov, :n_cov] += pairs
    return loss, pairs


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


def _columns(block: Block, at: Implied, found: Expectation) -> tuple[Array, Array]:
    """Return c K u and then K w over the entries of A and S, and K dmu over all entries."""
    columns, layout = found.inverse @ derivative_columns(at), block.layout
    shifts = found.inverse @ mean_jacobian(block, at)
    return np.concatenate([columns[:, layout.left] * layout.weight, columns[:, layout.right]], axis=1), shifts


def _turned(columns: Array, batch: Batch, roots: Roots, share: Array) -> Array:
    """Return f_r^(1/4) R_r times the rows of `columns` at the missing items, arbitrary numbers beyond them.

    Shape (k, patterns, columns). Products of two of its columns have the weight sqrt(f_r), and their squares f_r.
    """
    out = np.empty((len(roots), roots[0].shape[1], columns.shape[1]))
    for group in batch.alike:
        weighted = group_roots(batch, roots, group) * share[group.patterns][:, None, None] ** 0.25
        turned = weighted @ columns.take(group.items, axis=0)
        out[: group.k, group.within] = turned.transpose(1, 0, 2)
    return out


def _add_pairs(loss: Array, u: Array, w: Array, starts: tuple[int, ...]) -> None:
    """Add sum_r tr(Y_k Y_l) / 2, Y_k = u_k w_k' + w_k u_k', from u and w of shape (k, patterns, entries)."""
    for j, first in enumerate(starts):
        # u_i w_j + w_i u_j for i up to j. Pairs off the diagonal stand for two, so that 1 / 2 leaves one of them.
        products = u[: j + 1, first:] * w[j, first:]
        products += w[: j + 1, first:] * u[j, first:]
        products[j] *= np.sqrt(0.5)
        flat = products.reshape(-1, len(loss))
        loss += flat.T @ flat
