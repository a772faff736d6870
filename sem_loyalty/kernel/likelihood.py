"""Normal-theory maximum likelihood: discrepancy, gradient, expected information and exact Hessian.

Per group, with S the sample covariance matrix (divided by n), d = ybar - mu and T = S + d d':

    F = log|Sigma| + tr(Sigma^-1 T) - log|S| - p

(Joreskog 1969, doi:10.1007/BF02289343). Groups are weighted by n_g / N; N times F is the likelihood-ratio
chi-square. Information matrices are per respondent: the covariance matrix of the estimates is their inverse
divided by N.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from sem_loyalty.kernel.ram import (
    Block,
    Implied,
    block_factors,
    covariance_curvature,
    implied,
    matrix_to_parameters,
    mean_curvature,
    mean_jacobian,
    pair_products,
    rescaled_block,
    to_parameters,
)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Sample moments of one group, with what never changes during a fit.

    Attributes
    ----------
    weight : float
        n_g / N.
    cov : ndarray, shape (p, p)
        Covariance matrix divided by n.
    mean : ndarray, shape (p,)
        Means; zeros where the model has no mean structure.
    logdet : float
        log|S|.
    """

    weight: float
    cov: Array
    mean: Array
    logdet: float


@dataclass(frozen=True, slots=True)
class Point:
    """A parameter vector with everything that derivatives at it share.

    Attributes
    ----------
    theta : ndarray, shape (q,)
        Parameter vector.
    value : float
        F, the weighted discrepancy.
    implied : tuple of Implied
        Implied moments, one per group.
    inverse : tuple of ndarray, each (p, p)
        Sigma^-1, one per group.
    """

    theta: Array
    value: float
    implied: tuple[Implied, ...]
    inverse: tuple[Array, ...]


def log_determinant(matrix: Array) -> float | None:
    """Return log|matrix|, or None where the matrix is not positive definite."""
    factor, info = lapack.dpotrf(matrix, lower=1)
    if info != 0:
        return None
    return float(2.0 * np.log(np.diagonal(factor)).sum())


def spd_inverse(matrix: Array) -> tuple[Array, float] | None:
    """Return the inverse and log-determinant of a symmetric positive definite matrix, None for any other."""
    factor, info = lapack.dpotrf(matrix, lower=1)
    if info != 0:
        return None
    logdet = float(2.0 * np.log(np.diagonal(factor)).sum())
    inverse, info = lapack.dpotri(factor, lower=1)
    if info != 0:
        return None
    # Only the lower triangle is filled; the upper one is zero.
    full = inverse + inverse.T
    full.flat[:: len(full) + 1] *= 0.5
    return full, logdet


def evaluate(blocks: tuple[Block, ...], samples: tuple[Sample, ...], theta: Array) -> Point | None:
    """Return F and its ingredients at `theta`, or None where some Sigma is not positive definite."""
    value = 0.0
    moments: list[Implied] = []
    inverses: list[Array] = []
    for block, sample in zip(blocks, samples, strict=True):
        at = implied(block, theta)
        if at is None or not np.isfinite(at.cov).all():
            return None
        solved = spd_inverse(at.cov)
        if solved is None:
            return None
        inverse, logdet = solved
        p = block.n_observed
        deviation = sample.mean - at.mean if block.means else None
        fit = logdet + float(np.einsum("ij,ij->", inverse, sample.cov)) - sample.logdet - p
        if deviation is not None:
            fit += float(deviation @ inverse @ deviation)
        value += sample.weight * fit
        moments.append(at)
        inverses.append(inverse)
    if not np.isfinite(value):
        return None
    return Point(theta=theta, value=value, implied=tuple(moments), inverse=tuple(inverses))


def weight_matrix(sample: Sample, at: Implied, inverse: Array, means: bool) -> Array:
    """Return W = Sigma^-1 - Sigma^-1 T Sigma^-1, the derivative of F by Sigma."""
    T = sample.cov
    if means:
        d = sample.mean - at.mean
        T = T + np.outer(d, d)
    return inverse - inverse @ T @ inverse


def gradient(blocks: tuple[Block, ...], samples: tuple[Sample, ...], point: Point) -> Array:
    """Return dF / d theta, shape (q,)."""
    size = len(point.theta)
    total = np.zeros(size)
    for block, sample, at, inverse in zip(blocks, samples, point.implied, point.inverse, strict=True):
        W = weight_matrix(sample, at, inverse, block.means)
        found = block_factors(block, at)
        product = found.columns.T @ W @ found.columns
        by_entry = np.zeros(len(block.entry_parameter))
        by_entry[: len(found.left)] = 2.0 * found.weight * product[found.left, found.right]
        if block.means:
            by_entry -= 2.0 * (sample.mean - at.mean) @ inverse @ mean_jacobian(block, at)
        total += sample.weight * to_parameters(block, by_entry, size)
    return total


def information(blocks: tuple[Block, ...], samples: tuple[Sample, ...], point: Point) -> Array:
    """Return the expected information per respondent, shape (q, q).

    I_kl = 1/2 tr(Sigma^-1 dSigma_k Sigma^-1 dSigma_l) + dmu_k' Sigma^-1 dmu_l.
    """
    size = len(point.theta)
    total = np.zeros((size, size))
    for block, sample, at, inverse in zip(blocks, samples, point.implied, point.inverse, strict=True):
        found = block_factors(block, at)
        Q = found.columns.T @ inverse @ found.columns
        entries = pair_products(Q, Q, found.left, found.right, found.weight)
        if block.means:
            D = mean_jacobian(block, at)
            by_mean = D.T @ inverse @ D
            by_mean[: len(entries), : len(entries)] += entries
            entries = by_mean
        total += sample.weight * matrix_to_parameters(block, entries, size)
    return 0.5 * (total + total.T)


def hessian(blocks: tuple[Block, ...], samples: tuple[Sample, ...], point: Point) -> Array:
    """Return half the second derivative of F, the observed information per respondent, shape (q, q).

    At the minimum it equals the observed information; halving puts it on the scale of `information`.
    """
    size = len(point.theta)
    total = np.zeros((size, size))
    for block, sample, at, inverse in zip(blocks, samples, point.implied, point.inverse, strict=True):
        entries = 0.5 * _second_derivative(block, sample, at, inverse)
        total += sample.weight * matrix_to_parameters(block, entries, size)
    return 0.5 * (total + total.T)


def _second_derivative(block: Block, sample: Sample, at: Implied, inverse: Array) -> Array:
    """Return d2F of one group over pairs of entries: curvature of F by Sigma and mu, and of Sigma and mu by theta."""
    W = weight_matrix(sample, at, inverse, block.means)
    found = block_factors(block, at)
    left, right, weight = found.left, found.right, found.weight
    T = inverse - W
    Q = found.columns.T @ inverse @ found.columns
    QT = found.columns.T @ T @ found.columns
    # tr(dW_l dSigma_k), dW = -M dSigma M + M dSigma M T M + M T M dSigma M with M = Sigma^-1.
    n_cov = len(left)
    out = np.zeros((len(block.entry_parameter), len(block.entry_parameter)))
    out[:n_cov, :n_cov] = (
        -2.0 * pair_products(Q, Q, left, right, weight)
        + 2.0 * pair_products(Q, QT, left, right, weight)
        + 2.0 * pair_products(QT, Q, left, right, weight)
    )
    out += covariance_curvature(block, at, W)
    if block.means:
        _add_mean_curvature(out, block, sample, at, inverse)
    return out


def _add_mean_curvature(out: Array, block: Block, sample: Sample, at: Implied, inverse: Array) -> None:
    """Add the second derivatives of F by the means, and by the means and Sigma, in place."""
    d = sample.mean - at.mean
    D = mean_jacobian(block, at)
    found = block_factors(block, at)
    n_cov = len(found.left)
    out += 2.0 * D.T @ inverse @ D
    # dmu_l' M dSigma_k M d, for every covariance entry k and every entry l, and its transpose.
    along = found.columns.T @ inverse @ d
    across = found.columns.T @ inverse @ D
    cross = found.weight[:, None] * (
        across[found.left] * along[found.right][:, None] + across[found.right] * along[found.left][:, None]
    )
    out[:n_cov] += 2.0 * cross
    out[:, :n_cov] += 2.0 * cross.T
    out -= 2.0 * mean_curvature(block, at, inverse @ d)


def rescaled_sample(sample: Sample, units: Array) -> Sample:
    """Return the moments of variables multiplied by `units`, shape (p,)."""
    return replace(
        sample,
        cov=sample.cov * np.outer(units, units),
        mean=sample.mean * units,
        logdet=sample.logdet + 2.0 * float(np.log(units).sum()),
    )


@dataclass(frozen=True, slots=True)
class Likelihood:
    """The maximum-likelihood discrepancy of complete data as the minimiser sees it.

    Attributes
    ----------
    blocks : tuple of Block
        The model, one block per group.
    samples : tuple of Sample
        Moments, one per group.
    """

    blocks: tuple[Block, ...]
    samples: tuple[Sample, ...]

    @property
    def n_observed(self) -> int:
        """Observed variables over all groups."""
        return sum(block.n_observed for block in self.blocks)

    def evaluate(self, theta: Array) -> Point | None:
        """Return F and its ingredients, or None where some Sigma is not positive definite."""
        return evaluate(self.blocks, self.samples, theta)

    def gradient(self, point: Point) -> Array:
        """Return dF / d theta."""
        return gradient(self.blocks, self.samples, point)

    def information(self, point: Point) -> Array:
        """Return the expected information per respondent."""
        return information(self.blocks, self.samples, point)

    def hessian(self, point: Point) -> Array:
        """Return half the second derivative of F."""
        return hessian(self.blocks, self.samples, point)

    def rescaled(self, scale: Array) -> Likelihood:
        """Return the same problem in other units: v' = D v, A' = D A D^-1, S' = D S D, m' = D m."""
        units = scale[: self.blocks[0].n_observed]
        samples = tuple(rescaled_sample(sample, units) for sample in self.samples)
        return Likelihood(tuple(rescaled_block(block, scale) for block in self.blocks), samples)
