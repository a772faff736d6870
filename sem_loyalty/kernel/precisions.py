"""The information that incomplete answers hold about means and covariances themselves.

M_r, the inverse of the rows and columns of Sigma that a pattern saw and zero elsewhere, is a downdate of K = Sigma^-1
by the items that are missing: M_r = K - K_m K_mm^-1 K_m'. Second derivatives of the likelihood by mu and Sigma are
cross-products of the M_r over the patterns, one matrix product each.

Moments may be those of other variables x with v = T x, of which nobody's answers need be known: M_r becomes T' M_r T.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.expectation import Expectation, group_roots
from sem_loyalty.kernel.patterns import Patterns

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def precisions(patterns: Patterns, found: Expectation, units: Array | None = None) -> Array:
    """Return M_r of every pattern, shape (R, p, p); zero, to rounding, where missing.

    Parameters
    ----------
    patterns, found
    units : ndarray, shape (p, p), optional
        T; by default the identity.
    """
    whole, columns = _in_units(found, units)
    out = np.empty((len(patterns.seen), *whole.shape))
    out[:] = whole
    for batch, roots in zip(patterns.batches, found.roots, strict=True):
        for group in batch.alike:
            turned = group_roots(batch, roots, group) @ columns[group.items]
            out[group.patterns] -= turned.transpose(0, 2, 1) @ turned
    return out


def _in_units(found: Expectation, units: Array | None) -> tuple[Array, Array]:
    """Return T' K T and K T."""
    if units is None:
        return found.inverse, found.inverse
    columns = found.inverse @ units
    return units.T @ columns, columns


@dataclass(frozen=True, slots=True)
class _Gather:
    """Where products of two symmetric matrices stand among products of their lower triangles.

    Attributes
    ----------
    row, col : ndarray of int, shape (p*,)
        vech by columns.
    position : ndarray of int, shape (p, p)
        Place of every pair in vech.
    straight, crossed : ndarray of int, shape (p*, p*)
        For pairs (i, j) and (k, l), the place of A_ik B_jl, and of A_il B_jk, in the flat product.
    times : ndarray, shape (p*, p*)
        How often the two pairs occur in full matrices, over 4.
    """

    row: Index
    col: Index
    position: Index
    straight: Index
    crossed: Index
    times: Array

    def both(self, product: Array) -> Array:
        """Return A_ik B_jl + A_il B_jk, weighted by `times`, from sums of products of lower triangles."""
        # Places are right by construction, so "clip" only spares the check of them.
        out = product.take(self.straight, mode="clip")
        out += product.take(self.crossed, mode="clip")
        out *= self.times
        return np.asarray(out)


@lru_cache(maxsize=4)
def _gather(p: int) -> _Gather:
    col, row = np.triu_indices(p)
    size = len(row)
    position = np.zeros((p, p), dtype=np.intp)
    position[row, col] = position[col, row] = np.arange(size)
    straight = position[np.ix_(row, row)] * size + position[np.ix_(col, col)]
    crossed = position[np.ix_(row, col)] * size + position[np.ix_(col, row)]
    times = np.where(row == col, 1.0, 2.0)
    return _Gather(row, col, position, straight, crossed, 0.25 * np.outer(times, times))


def mean_information(found: Expectation, units: Array | None = None) -> Array:
    """Return the information of the means per respondent, sum_r f_r M_r, shape (p, p)."""
    whole, columns = _in_units(found, units)
    return np.asarray(whole - columns.T @ found.unknown @ columns)


def moment_information(patterns: Patterns, found: Expectation) -> tuple[Array, Array]:
    """Return the expected information of the means and of vech(Sigma), shapes (p, p) and (p*, p*).

    Per respondent: sum_r f_r M_r, and with every pair (i, j) off the diagonal counted twice,
    sum_r f_r (M_ik M_jl + M_il M_jk) / 4.
    """
    gather = _gather(len(found.mean))
    flat = precisions(patterns, found)[:, gather.row, gather.col]
    return mean_information(found), gather.both((flat.T * patterns.share) @ flat)


def information_along(patterns: Patterns, found: Expectation, moments: Sequence[tuple[Array, Array]]) -> list[float]:
    """Return v' I v, I the expected information of the moments, for every v of a mean (p,) and a symmetric (p, p)."""
    inverse, by_mean = found.inverse, mean_information(found)
    # tr(M X M X) = tr(K X K X) - 2 tr(C D_2) + tr(C D C D), with D = (K X K)_mm and D_2 = (K X K X K)_mm.
    turned = inverse @ np.array([cov for _, cov in moments])
    both = turned @ inverse
    spread = np.einsum("vij,vji->v", turned, turned) - 2.0 * np.einsum("vij,ji->v", turned @ both, found.unknown)
    for batch, roots in zip(patterns.batches, found.roots, strict=True):
        for group in batch.alike:
            root = group_roots(batch, roots, group)
            lost = root @ both[:, group.items[:, :, None], group.items[:, None]] @ root.transpose(0, 2, 1)
            spread += np.einsum("vrij,vrij->vr", lost, lost) @ patterns.share[group.patterns]
    return [float(mean @ by_mean @ mean + 0.5 * own) for (mean, _), own in zip(moments, spread, strict=True)]


def _sums(by_row: Array, starts: Index) -> Array:
    """Return sums over the rows of every pattern, for columns of rows; most patterns have one row."""
    out = by_row.take(starts, axis=1)
    sizes = np.diff(starts, append=by_row.shape[1])
    several = np.flatnonzero(sizes > 1)
    if len(several):
        own = np.repeat(sizes > 1, sizes)
        out[:, several] = np.add.reduceat(by_row[:, own], np.cumsum(sizes[several]) - sizes[several], axis=1)
    return out


def moment_hessian(patterns: Patterns, found: Expectation, units: Array | None = None) -> Array:
    """Return half the second derivative of F by (mu, vech Sigma), shape (p + p*, p + p*); `units` as `precisions`."""
    p = len(found.mean)
    gather = _gather(p)
    row, col = gather.row, gather.col
    flat = np.ascontiguousarray(precisions(patterns, found, units).reshape(-1, p * p).T)[row * p + col]
    weighted = flat * patterns.share
    pull = _in_units(found, units)[1].T @ found.filled.T
    starts = np.flatnonzero(patterns.level)
    # tr(dS M dS' P) - tr(dS M dS' M) / 2 with P = M T M: both are bilinear in M, so one product serves.
    other = _sums(pull[row] * pull[col], starts)
    flat *= 0.5
    other -= flat
    product = weighted @ other.T
    out = np.empty((p + len(row), p + len(row)))
    out[:p, :p] = mean_information(found, units)
    out[p:, p:] = gather.both(product + product.T)
    # e_k' M dS M d
    mixed = weighted @ pull[:, starts].T
    times = np.where(row == col, 0.5, 1.0)
    cross = times * (mixed[gather.position[:, row], col] + mixed[gather.position[:, col], row])
    out[:p, p:] = cross
    out[p:, :p] = cross.T
    return out
