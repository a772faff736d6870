"""Normal-theory maximum likelihood: discrepancy, gradient, expected information and exact Hessian.

Per group, with S the sample covariance matrix (divided by n), d = ybar - mu and T = S + d d':

    F = log|Sigma| + tr(Sigma^-1 T) - log|S| - p

(Joreskog 1969, doi:10.1007/BF02289343). Groups are weighted by n_g / N; N times F is the likelihood-ratio
chi-square. Information matrices are per respondent: the covariance matrix of the estimates is their inverse
divided by N.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.layout import Layout, gather
from sem_loyalty.kernel.linear_algebra import lapack
from sem_loyalty.kernel.ram import Block, Implied, implied, matrix_to_parameters, rescaled_block, to_parameters

Array = NDArray[np.float64]

# Rows of a large matrix over pairs of entries that are computed together.
STRIP = 64


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
class Slopes:
    """Products that the first and second derivatives of one group share.

    Attributes
    ----------
    columns : ndarray, shape (p, k)
        E = [G, C[:, sources]].
    weight : ndarray, shape (k, k)
        P = E' W E, with W = Sigma^-1 - Sigma^-1 T Sigma^-1 the derivative of F by Sigma.
    pull : ndarray, shape (k,)
        E' Sigma^-1 d.
    level : ndarray, shape (entries,)
        f: the derivative of mu by entry k is f_k times column u_k of E.
    """

    columns: Array
    weight: Array
    pull: Array
    level: Array


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
    slopes : list of Slopes
        What the derivatives share, one per group; filled by the first that asks.
    """

    theta: Array
    value: float
    implied: tuple[Implied, ...]
    inverse: tuple[Array, ...]
    slopes: list[Slopes] = field(init=False, repr=False, compare=False, default_factory=list)


def log_determinant(matrix: Array) -> float | None:
    """Return log|matrix|, or None where the matrix is not positive definite."""
    factor, info = lapack.dpotrf(matrix, lower=1)
    if info != 0:
        return None
    return 2.0 * float(np.log(factor.diagonal()).sum())


def spd_inverse(matrix: Array) -> tuple[Array, float] | None:
    """Return the inverse and log-determinant of a symmetric positive definite matrix, None for any other."""
    factor, info = lapack.dpotrf(matrix, lower=1)
    if info != 0:
        return None
    logdet = 2.0 * float(np.log(factor.diagonal()).sum())
    inverse, info = lapack.dpotri(factor, lower=1, overwrite_c=1)
    if info != 0:
        return None
    # Only the lower triangle is filled; the upper one is zero.
    full = inverse + inverse.T
    full.ravel(order="K")[:: len(full) + 1] *= 0.5
    return full, logdet


def evaluate(blocks: tuple[Block, ...], samples: tuple[Sample, ...], theta: Array) -> Point | None:
    """Return F and its ingredients at `theta`, or None where some Sigma is not positive definite."""
    value = 0.0
    moments: list[Implied] = []
    inverses: list[Array] = []
    for block, sample in zip(blocks, samples, strict=True):
        at = implied(block, theta)
        if at is None:
            return None
        solved = spd_inverse(at.cov)
        if solved is None:
            return None
        inverse, logdet = solved
        p = block.n_observed
        deviation = sample.mean - at.mean if block.means else None
        fit = logdet + float(np.vdot(inverse, sample.cov)) - sample.logdet - p
        if deviation is not None:
            fit += float(deviation @ inverse @ deviation)
        value += sample.weight * fit
        moments.append(at)
        inverses.append(inverse)
    if not math.isfinite(value):
        return None
    return Point(theta=theta, value=value, implied=tuple(moments), inverse=tuple(inverses))


def weight_matrix(sample: Sample, at: Implied, inverse: Array, means: bool) -> Array:
    """Return W = Sigma^-1 - Sigma^-1 T Sigma^-1, the derivative of F by Sigma."""
    T = sample.cov
    if means:
        d = sample.mean - at.mean
        T = T + np.outer(d, d)
    return inverse - inverse @ T @ inverse


def slopes(blocks: tuple[Block, ...], samples: tuple[Sample, ...], point: Point) -> list[Slopes]:
    """Return what the derivatives at a point share, one per group, computed once.

    The point keeps the answer: all derivatives at it must be taken with the same samples.
    """
    if not point.slopes:
        point.slopes.extend(map(_slopes, blocks, samples, point.implied, point.inverse))
    return point.slopes


def _slopes(block: Block, sample: Sample, at: Implied, inverse: Array) -> Slopes:
    p, layout = block.n_observed, block.layout
    E = np.concatenate([at.total_inverse[:p], at.total[:p, layout.span]], axis=1)
    W = weight_matrix(sample, at, inverse, block.means)
    P = _sandwich(W, E, layout.units)
    if not block.means:
        none = np.zeros(0)
        return Slopes(E, P, none, none)
    level = np.concatenate(
        [at.means[block.directed_col], np.zeros(len(block.symmetric_row)), np.ones(len(block.intercept_row))]
    )
    return Slopes(E, P, (sample.mean - at.mean) @ inverse @ E, level)


def _sandwich(middle: Array, columns: Array, units: int) -> Array:
    """Return E' X E, exactly symmetric, and so is what is made of its entries; E begins with `units` columns of I."""
    if not units:
        return _symmetric(columns.T @ (middle @ columns))
    rest = columns[:, units:]
    half = middle @ rest
    out = np.empty((columns.shape[1], columns.shape[1]))
    out[:units, :units] = _symmetric(middle[:units, :units])
    out[units:, :units] = half[:units].T
    out[:units, units:] = half[:units]
    out[units:, units:] = _symmetric(rest.T @ half)
    return out


def _symmetric(matrix: Array) -> Array:
    return np.asarray(0.5 * (matrix + matrix.T))


def gradient(blocks: tuple[Block, ...], samples: tuple[Sample, ...], point: Point) -> Array:
    """Return dF / d theta, shape (q,)."""
    size = len(point.theta)
    total = np.zeros(size)
    for block, sample, at in zip(blocks, samples, slopes(blocks, samples, point), strict=True):
        layout = block.layout
        by_entry = at.weight.take(layout.own)
        by_entry *= layout.c
        if block.means:
            by_entry -= at.level * at.pull[layout.u]
        by_entry *= 2.0 * sample.weight
        total += to_parameters(block, by_entry, size)
    return total


def entry_products(matrix: Array, layout: Layout) -> Array:
    """Return c c' (X_uu' * X_ww' + X_uw' * X_wu') over all pairs of entries, for a symmetric X."""
    u, w, c = layout.u, layout.w, layout.c
    if layout.cc is not None:
        out = gather(matrix, u, u, layout.uu)
        out *= gather(matrix, w, w, layout.ww)
        across = gather(matrix, u, w, layout.uw)
        out += across * across.T
        out *= layout.cc
        return out
    # The lower triangle, by strips of rows that stay in the processor's cache.
    out = np.empty((len(u), len(u)))
    for first in range(0, len(u), STRIP):
        last = min(first + STRIP, len(u))
        before_u, before_w = u[:last], w[:last]
        by_u, by_w = matrix.take(u[first:last], axis=0), matrix.take(w[first:last], axis=0)
        strip = by_u.take(before_u, axis=1)
        strip *= by_w.take(before_w, axis=1)
        across = by_u.take(before_w, axis=1)
        across *= by_w.take(before_u, axis=1)
        strip += across
        strip *= c[first:last, None]
        strip *= c[:last]
        out[first:last, :last] = strip
        out[:first, first:last] = strip[:, :first].T
    return out


def information(blocks: tuple[Block, ...], samples: tuple[Sample, ...], point: Point) -> Array:
    """Return the expected information per respondent, shape (q, q).

    I_kl = 1/2 tr(Sigma^-1 dSigma_k Sigma^-1 dSigma_l) + dmu_k' Sigma^-1 dmu_l.
    """
    size = len(point.theta)
    parts = []
    found = slopes(blocks, samples, point)
    for block, sample, at, inverse in zip(blocks, samples, found, point.inverse, strict=True):
        layout = block.layout
        Q = _sandwich(inverse, at.columns, layout.units)
        entries = entry_products(Q, layout)
        if block.means:
            entries += gather(Q, layout.u, layout.u, layout.uu) * (at.level[:, None] * at.level)
        parts.append((block, sample.weight, entries))
    return _over_groups(parts, size)


def _over_groups(parts: list[tuple[Block, float, Array]], size: int) -> Array:
    """Return the sum over groups of weighted matrices over entries as a matrix over parameters."""
    found = []
    for block, weight, entries in parts:
        if weight != 1.0:
            entries *= weight
        found.append(matrix_to_parameters(block, entries, size))
    return found[0] if len(found) == 1 else np.asarray(sum(found[1:], found[0]))


def hessian(blocks: tuple[Block, ...], samples: tuple[Sample, ...], point: Point) -> Array:
    """Return half the second derivative of F, the observed information per respondent, shape (q, q).

    At the minimum it equals the observed information; halving puts it on the scale of `information`.
    """
    parts = [
        (block, sample.weight, _half_second_derivative(block, at, inverse, found))
        for block, sample, at, inverse, found in zip(
            blocks, samples, point.implied, point.inverse, slopes(blocks, samples, point), strict=True
        )
    ]
    return _over_groups(parts, len(point.theta))


def _half_second_derivative(block: Block, at: Implied, inverse: Array, found: Slopes) -> Array:
    """Return d2F / 2 of one group over pairs of entries: curvature of F by Sigma and mu, and of Sigma and mu by theta.

    With M = Sigma^-1 and X * Y for the trace of X dSigma_k Y dSigma_l, the first is R * R - W * W, where R = M T M =
    M - W. The second derivatives of Sigma and mu involve an entry of A: along A[k, l], dG_i = G_k B_li and
    dC_j = G_k V_lj + C_l B_jk; along S[k, l], dC_j = c (G_k B_jl + G_l B_jk); along m[k], d(B m)_j = B_jk.
    """
    layout = block.layout
    P, Q = found.weight, _sandwich(inverse, found.columns, layout.units)
    out = entry_products(Q - P, layout)
    out -= entry_products(P, layout)
    u, w = layout.u, layout.w
    sources = block.directed_col
    a = len(sources)
    if a:
        B = at.total_inverse[sources]
        reach = B.take(u, axis=1)
        through = np.concatenate([B, 0.5 * at.total[sources][:, layout.span]], axis=1).take(w, axis=1)
        by_u = P.take(u[:a], axis=0)
        curve = reach * by_u.take(w, axis=1)
        through *= by_u.take(u, axis=1)
        curve += through
        curve *= layout.c
        if block.means:
            curve -= found.pull[u[:a], None] * reach * found.level
        out[:a] += curve
        out[:, :a] += curve.T
    if block.means:
        # dmu_l' M dSigma_k M d for every pair of entries, and its transpose.
        level, pull = found.level, found.pull
        uu, uw = gather(Q, u, u, layout.uu), gather(Q, u, w, layout.uw)
        cross = uu * pull[w][:, None]
        cross += uw.T * pull[u][:, None]
        cross *= layout.c[:, None]
        cross *= level
        uu *= level[:, None] * level
        out += uu
        out += cross + cross.T
    return out


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
