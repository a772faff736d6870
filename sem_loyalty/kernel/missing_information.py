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
    columns = _widened(found.inverse @ derivative_columns(at), patterns.width)
    shifts = _widened(found.inverse @ mean_jacobian(block, at), patterns.width)
    along = found.filled @ columns[: len(found.mean)]
    n_cov = len(block.left)
    loss = np.zeros((shifts.shape[1], shifts.shape[1]))
    for batch, root in zip(patterns.batches, found.roots, strict=True):
        own = root @ columns[batch.items]
        left, right = own[:, :, block.left] * block.weight, own[:, :, block.right]
        loss[:n_cov, :n_cov] += 0.5 * _pair_sums(left, right, patterns.share[batch.patterns])
        rows = along[batch.rows]
        turned = batch.by_row(root @ shifts[batch.items]) * patterns.level[batch.rows, None, None]
        turned[:, :, :n_cov] += batch.by_row(left) * rows[:, None, block.right]
        turned[:, :, :n_cov] += batch.by_row(right) * (rows[:, block.left] * block.weight)[:, None, :]
        weighted = turned * patterns.weight[batch.rows, None, None]
        loss += weighted.reshape(-1, len(loss)).T @ turned.reshape(-1, len(loss))
    return loss


def expected_loss(block: Block, at: Implied, patterns: Patterns, found: Expectation) -> Array:
    """Return the mean of `observed_loss` where the model holds, given who answered what, shape (entries, entries).

    Filled-in answers have the covariance matrix Sigma - C_r, which leaves tr(C D Sigma D) - tr(C D C D) / 2.
    """
    E = found.inverse @ derivative_columns(at)
    columns = _widened(E, patterns.width)
    turned = found.inverse @ mean_jacobian(block, at)
    n_cov = len(block.left)
    loss = turned.T @ found.unknown @ turned
    Q, U = E.T @ at.cov @ E, E.T @ found.unknown @ E
    left, right, weight = block.left, block.right, block.weight
    by_cov = pair_products(Q, U, left, right, weight) + pair_products(U, Q, left, right, weight)
    for batch, root in zip(patterns.batches, found.roots, strict=True):
        own = root @ columns[batch.items]
        u, w = own[:, :, left] * weight, own[:, :, right]
        by_cov -= 0.5 * _pair_sums(u, w, patterns.share[batch.patterns])
    loss[:n_cov, :n_cov] += by_cov
    return loss


def _widened(columns: Array, width: int) -> Array:
    """Return columns over the items with zeros for those that do not exist."""
    out = np.zeros((width, columns.shape[1]))
    out[: len(columns)] = columns
    return out


def _pair_sums(left: Array, right: Array, share: Array) -> Array:
    """Return sum_r f_r tr(Y_k Y_l) with Y_k = u_k w_k' + w_k u_k', from u and w of shape (patterns, k, entries)."""
    i, j = np.tril_indices(left.shape[1])
    products = left[:, i] * right[:, j]
    products += left[:, j] * right[:, i]
    times = np.where(i == j, 1.0, 2.0)
    weighted = products * (share[:, None] * times)[:, :, None]
    return np.asarray(weighted.reshape(-1, left.shape[2]).T @ products.reshape(-1, left.shape[2]))
