"""Full-information maximum likelihood: normal data with missing answers.

Respondents that answered the same items form a pattern r, with n_r rows, mean ybar_r and covariance matrix S_r of what
they answered. With M_r the inverse of the rows and columns of Sigma that the pattern saw, zero elsewhere,
d_r = ybar_r - mu and T_r = S_r + d_r d_r',

    -2 log L = sum_r n_r (log|Sigma_r| + tr(M_r T_r)) + constant

(Finkbeiner 1979, doi:10.1007/BF02296204; Arbuckle 1996). Its derivatives by Sigma and mu are those of complete data
with W = sum_r f_r (M_r - M_r T_r M_r) and h = sum_r f_r M_r d_r, f_r = n_r / n; second derivatives are cross-products
of the M_r over the patterns, one matrix product each.

M_r is a downdate of Sigma^-1, by the block of the few items that are missing rather than the many that are not:
M_r = K - K_m K_mm^-1 K_m' with K = Sigma^-1 and m the missing items, log|Sigma_r| = log|Sigma| + log|K_mm|.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.likelihood import Point, Sample, spd_inverse
from sem_loyalty.kernel.ram import (
    Block,
    block_factors,
    covariance_curvature,
    implied,
    matrix_to_parameters,
    mean_curvature,
    mean_jacobian,
    moment_derivatives,
    rescaled_block,
    to_parameters,
)

Array = NDArray[np.float64]
Index = NDArray[np.intp]


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
        Which items the pattern answered.
    mean : ndarray, shape (R, p)
        Means of the answers; zero where missing.
    cov : ndarray, shape (R, p, p)
        Covariance matrices divided by n_r; zero where missing.
    several : ndarray of int
        Patterns whose covariance matrix is not zero: most patterns of a survey have one respondent.
    sizes : tuple of (int, ndarray of int)
        Patterns come in order of the number of missing items. For each number: the first such pattern, and which
        items are missing, shape (patterns, missing).
    which : ndarray of int, shape (n,)
        The pattern of every row.
    """

    n: int
    share: Array
    seen: NDArray[np.bool_]
    mean: Array
    cov: Array
    several: Index
    sizes: tuple[tuple[int, Index], ...]
    which: Index


def find_patterns(rows: Array) -> Patterns:
    """Return the patterns of incomplete rows, in an order that does not depend on that of the rows.

    Parameters
    ----------
    rows : ndarray, shape (n, p)
        NaN for missing; a row without any answer counts in n and informs about nothing.
    """
    seen, which, counts = np.unique(~np.isnan(rows), axis=0, return_inverse=True, return_counts=True)
    lost = (~seen).sum(axis=1)
    order = np.argsort(lost, kind="stable")
    seen, counts, lost = seen[order], counts[order], lost[order]
    which = np.argsort(order, kind="stable")[which.reshape(-1)]
    mean = np.zeros(seen.shape)
    np.add.at(mean, which, np.where(np.isnan(rows), 0.0, rows))
    mean /= counts[:, None]
    centred = np.where(np.isnan(rows), 0.0, rows - mean[which])
    cov = np.zeros((len(seen), rows.shape[1], rows.shape[1]))
    for r in np.flatnonzero(counts > 1):
        own = centred[which == r]
        cov[r] = own.T @ own / counts[r]
    sizes = []
    for k in np.unique(lost):
        chosen = np.flatnonzero(lost == k)
        items = np.nonzero(~seen[chosen])[1].reshape(len(chosen), int(k))
        sizes.append((int(chosen[0]), items))
    several = np.flatnonzero(cov.any(axis=(1, 2)))
    return Patterns(len(rows), counts / len(rows), seen, mean, cov, several, tuple(sizes), which)


@dataclass(frozen=True, slots=True)
class Parts:
    """What one group's derivatives share at one Sigma and mu.

    Attributes
    ----------
    precision : ndarray, shape (R, p, p)
        M_r; zero, to rounding, where missing.
    pull : ndarray, shape (R, p)
        M_r d_r.
    turned : ndarray, shape (several, p, p)
        M_r S_r M_r of the patterns whose S_r is not zero.
    value : float
        sum_r f_r (log|Sigma_r| + tr(M_r T_r)).
    """

    precision: Array
    pull: Array
    turned: Array
    value: float


def parts(patterns: Patterns, mean: Array, inverse: Array, logdet: float) -> Parts | None:
    """Return the parts at Sigma^-1 and mu, or None where rounding leaves a pattern without positive determinant."""
    count, p = patterns.seen.shape
    precision = np.empty((count, p, p))
    logs = np.full(count, logdet)
    for first, items in patterns.sizes:
        chosen = slice(first, first + len(items))
        if not items.shape[1]:
            precision[chosen] = inverse
            continue
        columns = inverse[items]
        corner = np.take_along_axis(columns, items[:, None, :], axis=2)
        sign, log = np.linalg.slogdet(corner)
        if not (sign > 0).all():
            return None
        logs[chosen] += log
        np.matmul(columns.transpose(0, 2, 1), np.linalg.inv(corner) @ columns, out=precision[chosen])
        np.subtract(inverse, precision[chosen], out=precision[chosen])
    deviation = np.where(patterns.seen, patterns.mean - mean, 0.0)
    pull = (precision @ deviation[:, :, None])[:, :, 0]
    fit = (pull * deviation).sum(axis=1)
    own, inner = patterns.cov[patterns.several], precision[patterns.several]
    turned = inner @ own @ inner
    fit[patterns.several] += (inner * own).sum(axis=(1, 2))
    value = float(patterns.share @ (logs + fit))
    return Parts(precision, pull, turned, value) if np.isfinite(value) else None


def slopes(patterns: Patterns, at: Parts) -> tuple[Array, Array]:
    """Return W = sum_r f_r (M_r - M_r T_r M_r), shape (p, p), and h = sum_r f_r M_r d_r, shape (p,)."""
    share = patterns.share
    weighted = _total(share, at.precision) - (at.pull.T * share) @ at.pull
    weighted -= _total(share[patterns.several], at.turned)
    return 0.5 * (weighted + weighted.T), share @ at.pull


def _total(share: Array, matrices: Array) -> Array:
    """Return the sum of matrices weighted by share."""
    return np.asarray((share @ matrices.reshape(len(share), -1)).reshape(matrices.shape[1:]))


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
        return np.asarray(self.times * (product.take(self.straight) + product.take(self.crossed)))


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


def moment_information(patterns: Patterns, at: Parts) -> tuple[Array, Array]:
    """Return the expected information of the means and of vech(Sigma), shapes (p, p) and (p*, p*).

    Per respondent: sum_r f_r M_r, and with every pair (i, j) off the diagonal counted twice,
    sum_r f_r (M_ik M_jl + M_il M_jk) / 4.
    """
    gather = _gather(patterns.seen.shape[1])
    flat = at.precision[:, gather.row, gather.col]
    return _total(patterns.share, at.precision), gather.both((flat.T * patterns.share) @ flat)


def moment_hessian(patterns: Patterns, at: Parts) -> Array:
    """Return half the second derivative of F by (mu, vech Sigma), shape (p + p*, p + p*)."""
    p = patterns.seen.shape[1]
    gather = _gather(p)
    row, col = gather.row, gather.col
    flat = at.precision[:, row, col]
    weighted = flat.T * patterns.share
    # tr(dS M dS' P) - tr(dS M dS' M) / 2 with P = M T M: both are bilinear in M, so one product serves.
    other = at.pull[:, row] * at.pull[:, col] - 0.5 * flat
    other[patterns.several] += at.turned[:, row, col]
    product = weighted @ other
    out = np.empty((p + len(row), p + len(row)))
    out[:p, :p] = _total(patterns.share, at.precision)
    out[p:, p:] = gather.both(product + product.T)
    # e_k' M dS M d
    mixed = weighted @ at.pull
    times = np.where(row == col, 0.5, 1.0)
    cross = times * (mixed[gather.position[:, row], col] + mixed[gather.position[:, col], row])
    out[:p, p:] = cross
    out[p:, :p] = cross.T
    return out


@dataclass(frozen=True, slots=True)
class IncompletePoint(Point):
    """A parameter vector with the parts of every group.

    Attributes
    ----------
    parts : tuple of Parts
        One per group.
    """

    parts: tuple[Parts, ...]


@dataclass(frozen=True, slots=True)
class Incomplete:
    """The full-information discrepancy, F = (-2 log L + 2 log L of the saturated model) / N.

    Attributes
    ----------
    blocks : tuple of Block
        The model, one block per group, with means.
    patterns : tuple of Patterns
        Answers, one per group.
    samples : tuple of Sample
        Weights n_g / N and the moments of the saturated model.
    saturated : float
        The weighted sum over groups of `Parts.value` at the moments of the saturated model.
    """

    blocks: tuple[Block, ...]
    patterns: tuple[Patterns, ...]
    samples: tuple[Sample, ...]
    saturated: float

    @property
    def n_observed(self) -> int:
        """Observed variables over all groups."""
        return sum(block.n_observed for block in self.blocks)

    def evaluate(self, theta: Array) -> IncompletePoint | None:
        """Return F and its ingredients, or None where some Sigma is not positive definite."""
        value = -self.saturated
        moments, inverses, found = [], [], []
        for block, sample, patterns in zip(self.blocks, self.samples, self.patterns, strict=True):
            at = implied(block, theta)
            if at is None or not np.isfinite(at.cov).all():
                return None
            solved = spd_inverse(at.cov)
            if solved is None:
                return None
            part = parts(patterns, at.mean, *solved)
            if part is None:
                return None
            value += sample.weight * part.value
            moments.append(at)
            inverses.append(solved[0])
            found.append(part)
        if not np.isfinite(value):
            return None
        return IncompletePoint(theta, value, tuple(moments), tuple(inverses), tuple(found))

    def parts(self, point: Point) -> tuple[Parts, ...]:
        """Return the parts of every group at a point."""
        if not isinstance(point, IncompletePoint):
            raise TypeError("A point of the full-information likelihood is wanted.")
        return point.parts

    def slopes(self, point: Point) -> list[tuple[Array, Array]]:
        """Return W and h of every group: dF = tr(W dSigma) - 2 h' dmu."""
        return [slopes(*pair) for pair in zip(self.patterns, self.parts(point), strict=True)]

    def gradient(self, point: Point) -> Array:
        """Return dF / d theta, shape (q,)."""
        size = len(point.theta)
        total = np.zeros(size)
        for block, sample, at, (W, pull) in zip(
            self.blocks, self.samples, point.implied, self.slopes(point), strict=True
        ):
            found = block_factors(block, at)
            product = found.columns.T @ W @ found.columns
            by_entry = -2.0 * pull @ mean_jacobian(block, at)
            by_entry[: len(found.left)] += 2.0 * found.weight * product[found.left, found.right]
            total += sample.weight * to_parameters(block, by_entry, size)
        return total

    def information(self, point: Point) -> Array:
        """Return the expected information per respondent, given who answered what, shape (q, q)."""
        size = len(point.theta)
        total = np.zeros((size, size))
        for block, sample, at, patterns, part in zip(
            self.blocks, self.samples, point.implied, self.patterns, self.parts(point), strict=True
        ):
            by_mean, by_cov = moment_derivatives(block, at)
            level, spread = moment_information(patterns, part)
            entries = by_mean.T @ level @ by_mean + by_cov.T @ spread @ by_cov
            total += sample.weight * matrix_to_parameters(block, entries, size)
        return 0.5 * (total + total.T)

    def hessian(self, point: Point) -> Array:
        """Return half the second derivative of F, the observed information per respondent, shape (q, q)."""
        size = len(point.theta)
        total = np.zeros((size, size))
        for block, sample, at, patterns, part, (W, pull) in zip(
            self.blocks,
            self.samples,
            point.implied,
            self.patterns,
            self.parts(point),
            self.slopes(point),
            strict=True,
        ):
            jacobian = np.concatenate(moment_derivatives(block, at))
            entries = jacobian.T @ moment_hessian(patterns, part) @ jacobian + (
                0.5 * covariance_curvature(block, at, W) - mean_curvature(block, at, pull)
            )
            total += sample.weight * matrix_to_parameters(block, entries, size)
        return 0.5 * (total + total.T)

    def rescaled(self, scale: Array) -> Incomplete:
        """Return the same problem in other units: v' = D v, A' = D A D^-1, S' = D S D, m' = D m."""
        units = scale[: self.blocks[0].n_observed]
        outer = np.outer(units, units)
        patterns = tuple(replace(found, mean=found.mean * units, cov=found.cov * outer) for found in self.patterns)
        log = np.log(units)
        samples = tuple(
            replace(
                sample,
                cov=sample.cov * outer,
                mean=sample.mean * units,
                logdet=sample.logdet + 2.0 * float(log.sum()),
            )
            for sample in self.samples
        )
        shift = sum(
            sample.weight * 2.0 * float(found.share @ (found.seen @ log))
            for sample, found in zip(self.samples, self.patterns, strict=True)
        )
        blocks = tuple(rescaled_block(block, scale) for block in self.blocks)
        return Incomplete(blocks, patterns, samples, self.saturated + shift)


def incomplete_likelihood(
    blocks: tuple[Block, ...], samples: tuple[Sample, ...], rows: tuple[Array, ...]
) -> Incomplete:
    """Return the discrepancy of incomplete rows.

    Parameters
    ----------
    blocks : tuple of Block
        With means.
    samples : tuple of Sample
        Moments of the saturated model.
    rows : tuple of ndarray, each (n_g, p)
        NaN for missing.
    """
    patterns = tuple(find_patterns(answers) for answers in rows)
    saturated = 0.0
    for sample, found in zip(samples, patterns, strict=True):
        saturated += sample.weight * at_sample(found, sample).value
    return Incomplete(blocks, patterns, samples, saturated)


def at_sample(patterns: Patterns, sample: Sample) -> Parts:
    """Return the parts of one group at the moments of the saturated model."""
    solved = spd_inverse(sample.cov)
    found = None if solved is None else parts(patterns, sample.mean, *solved)
    if found is None:
        raise ValueError("The covariance matrix of the saturated model must be positive definite.")
    return found
