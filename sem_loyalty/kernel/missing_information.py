"""The information that missing answers would have added about the parameters of a model.

Complete answers z - mu have the score tr(K dSigma K z z') / 2 + dmu' K z, less its mean, with K = Sigma^-1. The
information in incomplete answers is that of the expected complete ones less the variance of this score given what was
answered (Louis 1982, doi:10.1111/j.2517-6161.1982.tb01203.x), for a row with missing items m and the notation of
`kernel.expectation`

    tr(C D_k C D_l) / 2 + a_k' C a_l,   D_k = (K dSigma_k K)_mm,   a_k = (K dSigma_k K e + K dmu_k)_m.

dSigma_k = c (u w' + w u'), so that all of it is made of the columns R_r (K u)_m, with C_r = R_r' R_r.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.expectation import Expectation
from sem_loyalty.kernel.patterns import Patterns
from sem_loyalty.kernel.ram import Block, Implied, derivative_columns, mean_jacobian, pair_products

Array = NDArray[np.float64]


def observed_loss(block: Block, at: Implied, patterns: Patterns, found: Expectation) -> Array:
    """Return the information lost per respondent given the answers, over pairs of entries, shape (entries, entries)."""
    columns = found.inverse @ derivative_columns(at)
    shifts = found.inverse @ mean_jacobian(block, at)
    along = found.filled @ columns
    u, w = columns[:, block.layout.left] * block.layout.weight, columns[:, block.layout.right]
    by_u, by_w = along[:, block.layout.left] * block.layout.weight, along[:, block.layout.right]
    wide = _widened(np.concatenate([u, w, shifts], axis=1), patterns.width)
    n_cov, size = u.shape[1], shifts.shape[1]
    loss = np.zeros((size, size))
    for batch, root in zip(patterns.batches, found.roots, strict=True):
        turned = root @ wide[batch.items]
        u, w, shift = turned[:, :, :n_cov], turned[:, :, n_cov : 2 * n_cov], turned[:, :, 2 * n_cov :]
        loss[:n_cov, :n_cov] += 0.5 * _pair_sums(u, w, patterns.share[batch.patterns])
        pull = batch.by_row(shift) * patterns.level[batch.rows, None, None]
        pull[:, :, :n_cov] += batch.by_row(u) * by_w[batch.rows, None, :]
        pull[:, :, :n_cov] += batch.by_row(w) * by_u[batch.rows, None, :]
        pull *= np.sqrt(patterns.weight[batch.rows])[:, None, None]
        flat = pull.reshape(-1, size)
        loss += flat.T @ flat
    return loss


def expected_loss(block: Block, at: Implied, patterns: Patterns, found: Expectation) -> Array:
    """Return the mean of `observed_loss` where the model holds, given who answered what, shape (entries, entries).

    Filled-in answers have the covariance matrix Sigma - C_r, which leaves tr(C D Sigma D) - tr(C D C D) / 2.
    """
    columns = found.inverse @ derivative_columns(at)
    shifts = found.inverse @ mean_jacobian(block, at)
    left, right, weight = block.layout.left, block.layout.right, block.layout.weight
    u, w = columns[:, left] * weight, columns[:, right]
    wide = _widened(np.concatenate([u, w], axis=1), patterns.width)
    n_cov = u.shape[1]
    loss = shifts.T @ found.unknown @ shifts
    Q, U = columns.T @ at.cov @ columns, columns.T @ found.unknown @ columns
    by_cov = pair_products(Q, U, left, right, weight) + pair_products(U, Q, left, right, weight)
    for batch, root in zip(patterns.batches, found.roots, strict=True):
        turned = root @ wide[batch.items]
        by_cov -= 0.5 * _pair_sums(turned[:, :, :n_cov], turned[:, :, n_cov:], patterns.share[batch.patterns])
    loss[:n_cov, :n_cov] += by_cov
    return loss


def _widened(columns: Array, width: int) -> Array:
    """Return columns over the items with zeros for those that do not exist."""
    out = np.zeros((width, columns.shape[1]))
    out[: len(columns)] = columns
    return out


def _pair_sums(u: Array, w: Array, share: Array) -> Array:
    """Return sum_r f_r tr(Y_k Y_l) with Y_k = u_k w_k' + w_k u_k', from u and w of shape (patterns, k, entries)."""
    count, k, size = u.shape
    products = np.empty((count, k * (k + 1) // 2, size))
    # Pairs off the diagonal stand for two.
    scaled = np.sqrt(2.0 * share)[:, None, None] * u
    other = np.sqrt(2.0 * share)[:, None, None] * w
    first = 0
    for i in range(k):
        np.multiply(scaled[:, i], w[:, i], out=products[:, first])
        products[:, first] *= np.sqrt(2.0)
        rest = slice(first + 1, first + k - i)
        np.multiply(scaled[:, i : i + 1], w[:, i + 1 :], out=products[:, rest])
        products[:, rest] += other[:, i : i + 1] * u[:, i + 1 :]
        first += k - i
    flat = products.reshape(-1, size)
    return np.asarray(flat.T @ flat)
