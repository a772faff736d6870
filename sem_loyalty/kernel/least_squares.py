"""Least squares on the sample moments: discrepancy, gradient, information and exact Hessian.

Per group, with r = s - sigma the residuals of the means (where they are modelled) and of the covariances:

    F = r' V r

(Browne 1974, South African Statistical Journal, 8, 1-24; Browne 1984, doi:10.1111/j.2044-8317.1984.tb00789.x). A
weight V is an operator on a pair of residuals (a symmetric matrix R and a vector d): it returns M and v with
F = tr(M R) + v' d. For the normal-theory weight at the sample, M = S^-1 R S^-1 / 2 and v = S^-1 d, so its p* x p*
matrix is never formed; every other weight is a matrix, or its diagonal, over a list of moments.

S is divided by n - 1 and groups enter the discrepancy by (n_g - 1) / N, so N F = sum (n_g - 1) r' V r. Information
weights groups by n_g / N instead, as lavaan does; per respondent, N - G in place of N.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.likelihood import Sample, rescaled_sample
from sem_loyalty.kernel.ram import (
    Block,
    Implied,
    block_factors,
    covariance_curvature,
    covariance_jacobian,
    implied,
    matrix_to_parameters,
    mean_curvature,
    mean_jacobian,
    pair_products,
    rescaled_block,
    to_parameters,
)

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class Weight(Protocol):
    """V of one group, as an operator on residuals."""

    def apply(self, cov: Array, mean: Array) -> tuple[Array, Array]:
        """Return M, shape (p, p, k), and v, shape (p, k), of k pairs of residuals of the same shapes."""

    def quadratic(self, cov: Array, mean: Array) -> float:
        """Return r' V r of one pair of residuals, shapes (p, p) and (p,)."""

    def information(self, block: Block, at: Implied) -> Array:
        """Return Delta' V Delta over the free entries of a block, shape (entries, entries)."""

    def rescaled(self, units: Array) -> Self:
        """Return the weight for variables multiplied by `units`, shape (p,)."""


@dataclass(frozen=True, slots=True)
class NormalWeight:
    """Generalised least squares: the normal-theory weight, whose covariance part is S^-1 (x) S^-1 / 2.

    Attributes
    ----------
    inverse : ndarray, shape (p, p)
        S^-1.
    """

    inverse: Array

    def apply(self, cov: Array, mean: Array) -> tuple[Array, Array]:
        """Return S^-1 R S^-1 / 2 and S^-1 d."""
        stack = np.moveaxis(cov, 2, 0)
        return np.moveaxis(0.5 * (self.inverse @ stack @ self.inverse), 0, 2), self.inverse @ mean

    def quadratic(self, cov: Array, mean: Array) -> float:
        """Return tr[(S^-1 R)^2] / 2 + d' S^-1 d."""
        product = self.inverse @ cov
        return 0.5 * float(np.vdot(product, product.T)) + float(mean @ self.inverse @ mean)

    def information(self, block: Block, at: Implied) -> Array:
        """Return tr(S^-1 dSigma_k S^-1 dSigma_l) / 2 + dmu_k' S^-1 dmu_l."""
        found = block_factors(block, at)
        Q = found.columns.T @ self.inverse @ found.columns
        entries = pair_products(Q, Q, found.left, found.right, found.weight)
        if not block.means:
            return entries
        D = mean_jacobian(block, at)
        out = D.T @ self.inverse @ D
        out[: len(entries), : len(entries)] += entries
        return np.asarray(out)

    def rescaled(self, units: Array) -> NormalWeight:
        """Return the weight for variables multiplied by `units`."""
        return NormalWeight(self.inverse / np.outer(units, units))


@dataclass(frozen=True, slots=True)
class MomentWeight:
    """A weight over a list of moments: some means, then some entries of the covariance matrix.

    Moments that are not listed count for nothing; a correlation structure leaves out the diagonal.

    Attributes
    ----------
    mean_index : ndarray of int
        Variables whose means are among the moments.
    row, col : ndarray of int
        Entries of Sigma among the moments, each once.
    matrix : ndarray, shape (m, m) or (m,)
        V in that order, or its diagonal.
    """

    mean_index: Index
    row: Index
    col: Index
    matrix: Array

    def _times(self, moments: Array) -> Array:
        return self.matrix[:, None] * moments if self.matrix.ndim == 1 else self.matrix @ moments

    def apply(self, cov: Array, mean: Array) -> tuple[Array, Array]:
        """Return V r, each covariance halved between the two triangles."""
        first = len(self.mean_index)
        product = self._times(np.concatenate([mean[self.mean_index], cov[self.row, self.col]]))
        pull, lift = np.zeros_like(cov), np.zeros_like(mean)
        lift[self.mean_index] = product[:first]
        pull[self.row, self.col] = 0.5 * product[first:]
        return pull + np.swapaxes(pull, 0, 1), lift

    def quadratic(self, cov: Array, mean: Array) -> float:
        """Return r' V r."""
        moments = np.concatenate([mean[self.mean_index], cov[self.row, self.col]])
        return float(moments @ self._times(moments[:, None])[:, 0])

    def information(self, block: Block, at: Implied) -> Array:
        """Return Delta' V Delta."""
        by_cov = covariance_jacobian(block, at)
        p, n_cov = block.n_observed, by_cov.shape[1]
        first = len(self.mean_index)
        # Where (row, col) stands in the lower triangle by columns.
        high, low = np.maximum(self.row, self.col), np.minimum(self.row, self.col)
        delta = np.zeros((first + len(self.row), len(block.entry_parameter)))
        delta[first:, :n_cov] = by_cov[low * p - low * (low - 1) // 2 + high - low]
        if first:
            delta[:first] = mean_jacobian(block, at)[self.mean_index]
        return np.asarray(delta.T @ self._times(delta))

    def rescaled(self, units: Array) -> MomentWeight:
        """Return the weight for variables multiplied by `units`."""
        by = np.concatenate([units[self.mean_index], units[self.row] * units[self.col]])
        return replace(self, matrix=self.matrix / (by**2 if self.matrix.ndim == 1 else np.outer(by, by)))


@dataclass(frozen=True, slots=True)
class Point:
    """A parameter vector with everything that derivatives at it share.

    Attributes
    ----------
    theta : ndarray, shape (q,)
        Parameter vector.
    value : float
        F, over groups.
    implied : tuple of Implied
        Implied moments, one per group.
    pulls : tuple of (ndarray, ndarray)
        M, shape (p, p), and v, shape (p,): V r, one per group.
    """

    theta: Array
    value: float
    implied: tuple[Implied, ...]
    pulls: tuple[tuple[Array, Array], ...]


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """A least-squares discrepancy as the minimiser sees it.

    Attributes
    ----------
    blocks : tuple of Block
        The model, one block per group.
    samples : tuple of Sample
        Moments, one per group; the covariance matrix is divided by n - 1, the weight is n_g / N.
    weights : tuple of Weight
        V, one per group.
    shares : tuple of float
        (n_g - 1) / N, the weight of each group in F.
    """

    blocks: tuple[Block, ...]
    samples: tuple[Sample, ...]
    weights: tuple[Weight, ...]
    shares: tuple[float, ...]

    @property
    def n_observed(self) -> int:
        """Observed variables over all groups."""
        return sum(block.n_observed for block in self.blocks)

    def evaluate(self, theta: Array) -> Point | None:
        """Return F and its ingredients, or None where some I - A is singular."""
        value = 0.0
        moments: list[Implied] = []
        pulls: list[tuple[Array, Array]] = []
        for block, sample, weight, share in zip(self.blocks, self.samples, self.weights, self.shares, strict=True):
            at = implied(block, theta)
            if at is None or not np.isfinite(at.cov).all():
                return None
            R = sample.cov - at.cov
            d = sample.mean - at.mean if block.means else np.zeros(len(R))
            M, v = weight.apply(R[:, :, None], d[:, None])
            moments.append(at)
            pulls.append((M[:, :, 0], v[:, 0]))
            value += share * (float(np.einsum("ij,ij->", M[:, :, 0], R)) + float(v[:, 0] @ d))
        if not np.isfinite(value):
            return None
        return Point(theta, value, tuple(moments), tuple(pulls))

    def gradient(self, point: Point) -> Array:
        """Return dF / d theta = -2 (tr(M dSigma) + v' dmu)."""
        size = len(point.theta)
        total = np.zeros(size)
        for block, at, (M, v), share in zip(self.blocks, point.implied, point.pulls, self.shares, strict=True):
            found = block_factors(block, at)
            product = found.columns.T @ M @ found.columns
            by_entry = np.zeros(len(block.entry_parameter))
            by_entry[: len(found.left)] = 2.0 * found.weight * product[found.left, found.right]
            if block.means:
                by_entry += v @ mean_jacobian(block, at)
            total -= 2.0 * share * to_parameters(block, by_entry, size)
        return total

    def information(self, point: Point) -> Array:
        """Return Delta' V Delta per respondent, groups weighted by their size."""
        size, used = len(point.theta), sum(self.shares)
        total = np.zeros((size, size))
        for block, sample, weight, at in zip(self.blocks, self.samples, self.weights, point.implied, strict=True):
            entries = weight.information(block, at)
            total += used * sample.weight * matrix_to_parameters(block, entries, size)
        return 0.5 * (total + total.T)

    def hessian(self, point: Point) -> Array:
        """Return half the second derivative of F: Delta' V Delta - tr(M d2Sigma) - v' d2mu."""
        size = len(point.theta)
        total = np.zeros((size, size))
        for block, weight, at, (M, v), share in zip(
            self.blocks, self.weights, point.implied, point.pulls, self.shares, strict=True
        ):
            entries = weight.information(block, at) - covariance_curvature(block, at, M)
            if block.means:
                entries -= mean_curvature(block, at, v)
            total += share * matrix_to_parameters(block, entries, size)
        return 0.5 * (total + total.T)

    def rescaled(self, scale: Array) -> LeastSquares:
        """Return the same problem in other units: the weights move with the moments, so F is unchanged."""
        units = scale[: self.blocks[0].n_observed]
        samples = tuple(rescaled_sample(sample, units) for sample in self.samples)
        blocks = tuple(rescaled_block(block, scale) for block in self.blocks)
        return LeastSquares(blocks, samples, tuple(weight.rescaled(units) for weight in self.weights), self.shares)


def independence_value(sample: Sample, weight: Weight, kept: list[int], *, fixed: bool, means: bool) -> float:
    """Return r' V r at the minimum of the independence model of one group.

    Variances and means are free, covariances zero, except among `kept` variables.

    Parameters
    ----------
    sample, weight
        Moments and V.
    kept : list of int
        Covariates, whose covariances the independence model keeps.
    fixed : bool
        Whether the moments of the covariates are held at their sample values; otherwise they are free.
    means : bool
        Whether the means are modelled.
    """
    p = len(sample.cov)
    R = sample.cov.copy()
    np.fill_diagonal(R, 0.0)
    R[np.ix_(kept, kept)] = 0.0
    held = set(kept) if fixed else set()
    pairs = [(i, i) for i in range(p) if i not in held]
    if not fixed:
        pairs += [(i, j) for k, i in enumerate(kept) for j in kept[k + 1 :]]
    shifts = [i for i in range(p) if means and i not in held]
    # The residuals of free moments take the values that minimise F given the others.
    cov, mean = np.zeros((p, p, len(pairs) + len(shifts))), np.zeros((p, len(pairs) + len(shifts)))
    for k, (i, j) in enumerate(pairs):
        cov[i, j, k] = cov[j, i, k] = 1.0
    for k, i in enumerate(shifts, start=len(pairs)):
        mean[i, k] = 1.0
    M, v = weight.apply(cov, mean)
    among = np.einsum("ijk,ijl->kl", M, cov) + v.T @ mean
    along = np.einsum("ijk,ij->k", M, R)
    pull, _ = weight.apply(R[:, :, None], np.zeros((p, 1)))
    whole = float(np.einsum("ij,ij->", pull[:, :, 0], R))
    return whole - float(along @ np.linalg.solve(among, along))
