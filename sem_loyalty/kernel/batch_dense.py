"""The likelihood of many samples at once, for any model: stacked matrices, one per lane.

A lane is one sample with its own parameter vector. Formulas are those of `kernel.likelihood`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.linear_algebra import lapack
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.scratch import Scratch

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Up to this many observed variables inverting lane by lane in step beats one LAPACK call per lane.
SWEPT = 48
# Lanes whose matrices the processor's cache holds together.
TOGETHER = 64


@dataclass(frozen=True, slots=True)
class Lanes:
    """Moments of the lanes of one group, arranged as an evaluator wants them.

    Attributes
    ----------
    cov : ndarray
        Covariance matrices; lanes along `axis`.
    mean : ndarray
        Means; lanes along `axis`.
    axis : int
        0 or -1.
    """

    cov: Array
    mean: Array
    axis: int

    def take(self, kept: Index) -> Lanes:
        """Return some of the lanes."""
        return replace(
            self,
            cov=np.ascontiguousarray(np.take(self.cov, kept, axis=self.axis)),
            mean=np.ascontiguousarray(np.take(self.mean, kept, axis=self.axis)),
        )


@dataclass(frozen=True, slots=True)
class DenseEvaluator:
    """F and its slope for any block.

    Attributes
    ----------
    block : Block
    exogenous : ndarray of int
        Positions of fixed covariates, whose moments are those of each lane's sample.
    doublings : int or None
        How often A is squared until it vanishes; None where the paths form a loop.
    """

    block: Block
    exogenous: Index
    doublings: int | None

    @property
    def lane_bytes(self) -> int:
        """Working memory of one lane, roughly."""
        return 8 * 12 * len(self.block.directed) ** 2

    def arrange(self, cov: Array, mean: Array, place: Index | None = None) -> Lanes:
        """Return moments with lanes last, shapes (p, p, L) and (p, L), as `evaluate` wants them.

        With `place`, the covariances are packed: element (i, j) is `cov[place[i, j]]`.
        """
        cov = cov if place is None else cov[place]
        return Lanes(np.ascontiguousarray(np.moveaxis(cov, -1, 0)), np.ascontiguousarray(mean.T), 0)

    def evaluate(self, theta: Array, lanes: Lanes, scratch: Scratch) -> tuple[Array, Array]:
        """Return log|Sigma| + tr(Sigma^-1 T) and its derivatives by the free entries.

        Parameters
        ----------
        theta : ndarray, shape (q, L)
        lanes : Lanes
        scratch : Scratch
            Not used here.

        Returns
        -------
        value : ndarray, shape (L,)
            inf where Sigma is not positive definite.
        slope : ndarray, shape (entries, L)
        """
        value, slope = np.empty(theta.shape[1]), np.empty((len(self.block.entry_parameter), theta.shape[1]))
        for first in range(0, len(value), TOGETHER):
            part = slice(first, first + TOGETHER)
            some = replace(lanes, cov=lanes.cov[part], mean=lanes.mean[part])
            value[part], slope[:, part] = self._evaluate(theta[:, part], some)
        return value, slope

    def _evaluate(self, theta: Array, lanes: Lanes) -> tuple[Array, Array]:
        block, p = self.block, self.block.n_observed
        B, _, V, mu = self._implied(theta, lanes)
        cov = V[:, :p, :p]
        cov = 0.5 * (cov + np.swapaxes(cov, 1, 2))
        K, value, valid = _spd_inverse(cov)
        K = 0.5 * (K + np.swapaxes(K, 1, 2))
        T = lanes.cov
        if block.means:
            d = lanes.mean - mu[:, :p]
            T = T + d[:, :, None] * d[:, None, :]
        product = K @ T
        value = value + np.trace(product, axis1=1, axis2=2)
        W = K - product @ K
        G, C = B[:, :p], V[:, :p]
        X = W @ G
        directed = (np.swapaxes(X, 1, 2) @ C)[:, block.directed_row, block.directed_col]
        symmetric = (np.swapaxes(G, 1, 2) @ X)[:, block.symmetric_row, block.symmetric_col]
        off = np.where(block.symmetric_row == block.symmetric_col, 1.0, 2.0)
        parts = [2.0 * directed, off * symmetric]
        if block.means:
            pull = ((d[:, None, :] @ K) @ G)[:, 0]
            parts[0] = parts[0] - 2.0 * pull[:, block.directed_row] * mu[:, block.directed_col]
            parts.append(-2.0 * pull[:, block.intercept_row])
        slope = np.concatenate(parts, axis=1)
        if len(block.intercept_row) and not block.means:
            slope = np.concatenate([slope, np.zeros((len(slope), len(block.intercept_row)))], axis=1)
        value = np.where(valid & np.isfinite(value), value, np.inf)
        return value, slope.T

    def variances(self, theta: Array, lanes: Lanes) -> tuple[Array, Array]:
        """Return the variances of all variables and of their residuals, each (v, L)."""
        _, S, V, _ = self._implied(theta, lanes)
        return np.diagonal(V, axis1=1, axis2=2).T.copy(), np.diagonal(S, axis1=1, axis2=2).T.copy()

    def _implied(self, theta: Array, lanes: Lanes) -> tuple[Array, Array, Array, Array]:
        """Return B, S, V and the means of all variables, lanes first."""
        block, count = self.block, theta.shape[1]
        size = len(block.directed)
        A = np.repeat(block.directed[None], count, axis=0)
        A[:, block.directed_row, block.directed_col] = theta[block.directed_parameter].T
        S = np.repeat(block.symmetric[None], count, axis=0)
        free = theta[block.symmetric_parameter].T
        S[:, block.symmetric_row, block.symmetric_col] = free
        S[:, block.symmetric_col, block.symmetric_row] = free
        x = self.exogenous
        if len(x):
            S[:, x[:, None], x[None, :]] = lanes.cov[:, x[:, None], x[None, :]]
        lost = ~np.isfinite(A).all(axis=(1, 2))
        if lost.any():
            A[lost] = 0.0
            S[lost] = np.nan
        B = self._total(A)
        V = B @ S @ np.swapaxes(B, 1, 2)
        means = np.zeros((count, size))
        if block.means:
            m = np.repeat(block.intercepts[None], count, axis=0)
            m[:, block.intercept_row] = theta[block.intercept_parameter].T
            if len(x):
                m[:, x] = lanes.mean[:, x]
            means = (B @ m[:, :, None])[:, :, 0]
        return B, S, V, means

    def _total(self, A: Array) -> Array:
        """Return (I - A)^-1: (I + A)(I + A^2)(I + A^4) ... without loops, which is much quicker."""
        one = np.eye(A.shape[1])
        if self.doublings is None:
            return _inverse(one - A)
        B = one + A
        for _ in range(self.doublings - 1):
            A = A @ A
            B = B + B @ A
        return B


def dense_evaluator(block: Block, exogenous: Index) -> DenseEvaluator:
    """Return the evaluator of any block."""
    arrows = block.directed != 0
    arrows[block.directed_row, block.directed_col] = True
    doublings, power = 0, arrows
    while power.any():
        if doublings > len(arrows):
            return DenseEvaluator(block, exogenous, None)
        power = (power.astype(int) @ power.astype(int)) > 0
        doublings += 1
    return DenseEvaluator(block, exogenous, doublings)


def _inverse(matrices: Array) -> Array:
    """Return stacked inverses; nan for a singular matrix."""
    try:
        return np.asarray(np.linalg.inv(matrices))
    except np.linalg.LinAlgError:
        out = np.full_like(matrices, np.nan)
        for i, matrix in enumerate(matrices):
            try:
                out[i] = np.linalg.inv(matrix)
            except np.linalg.LinAlgError:
                continue
        return out


def _spd_inverse(matrices: Array) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return stacked inverses, log-determinants, and which of the matrices are positive definite."""
    if matrices.shape[1] <= SWEPT:
        work = np.ascontiguousarray(np.moveaxis(matrices, 0, -1))
        with np.errstate(all="ignore"):
            pivots = sweep(work, np.empty_like(work))
            logdet = np.log(pivots).sum(axis=0)
        inverse = np.ascontiguousarray(np.moveaxis(work, -1, 0))
        np.negative(inverse, out=inverse)
        return inverse, logdet, np.asarray((pivots > 0).all(axis=0))
    valid = _positive_definite(matrices)
    if not valid.all():
        matrices[~valid] = np.eye(matrices.shape[1])
    logdet = 2.0 * np.log(np.diagonal(np.linalg.cholesky(matrices), axis1=1, axis2=2)).sum(axis=1)
    return np.asarray(np.linalg.inv(matrices)), logdet, valid


def _positive_definite(matrices: Array) -> NDArray[np.bool_]:
    """Return which of the stacked matrices are positive definite."""
    finite: NDArray[np.bool_] = np.asarray(np.isfinite(matrices).all(axis=(1, 2)))
    if finite.all():
        try:
            np.linalg.cholesky(matrices)
        except np.linalg.LinAlgError:
            pass
        else:
            return np.ones(len(matrices), dtype=bool)
    out = finite.copy()
    for i in np.flatnonzero(finite):
        out[i] = lapack.dpotrf(matrices[i], lower=1)[1] == 0
    return out


def sweep(matrix: Array, work: Array) -> Array:
    """Replace stacked symmetric matrices, shape (m, m, L), by minus their inverses; return the pivots, (m, L).

    The pivots are those of the LDL' factorisation, whose signs are the signs of the eigenvalues. `work` is memory of
    the same shape.
    """
    size = len(matrix)
    pivots = np.empty((size, matrix.shape[2]))
    for k in range(size):
        pivots[k] = matrix[k, k]
        row = matrix[k].copy()
        scaled = row / pivots[k]
        np.multiply(scaled[:, None], row[None, :], out=work)
        matrix -= work
        matrix[k] = scaled
        matrix[:, k] = scaled
        matrix[k, k] = -1.0 / pivots[k]
    return pivots
