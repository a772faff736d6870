"""Least squares over thresholds and polychoric correlations: the discrepancy of models of ordinal items.

With s the sample's thresholds and correlations, sigma the model's, and e = s - sigma:

    F = e' W e

W is the inverse of the sampling covariance Gamma (WLS), the inverse of its diagonal (DWLS) or the identity (ULS)
(Muthen 1984, doi:10.1007/BF02294210; Muthen, du Toit and Spisic 1997). Responses have unit variance, so the residual
variance of an item is what the model leaves unexplained (delta parameterisation). Gamma and W carry n - 1, so N F is
the test statistic, as in lavaan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from sem_loyalty.kernel.likelihood import Point, Sample, log_determinant
from sem_loyalty.kernel.ordinal import OrdinalStatistics
from sem_loyalty.kernel.ram import (
    Block,
    Implied,
    block_factors,
    covariance_curvature,
    implied,
    matrix_to_parameters,
    rescaled_block,
    to_parameters,
)

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def sampling_covariance(sample: OrdinalStatistics) -> Array:
    """Return Gamma with divisor n - 1: N times the covariance matrix of the statistics, shape (m, m)."""
    return np.asarray(sample.covariance * (sample.n / (sample.n - 1.0)))


def make_weight(sample: OrdinalStatistics, kind: str) -> Array | None:
    """Return W: shape (m,) where it is diagonal, else (m, m); None where Gamma is singular.

    Parameters
    ----------
    sample : OrdinalStatistics
    kind : {"DWLS", "ULS", "WLS"}
    """
    if kind == "ULS":
        return np.full(len(sample.covariance), (sample.n - 1.0) / sample.n)
    gamma = sampling_covariance(sample)
    if kind == "DWLS":
        return np.asarray(1.0 / np.diagonal(gamma))
    factor, info = lapack.dpotrf(gamma, lower=1)
    if info != 0:
        return None
    inverse, info = lapack.dpotri(factor, lower=1)
    if info != 0:
        return None
    lower = np.tril(inverse)
    return np.asarray(lower + np.tril(lower, -1).T)


@dataclass(frozen=True, slots=True)
class OrdinalDiscrepancy:
    """F as the minimiser sees it.

    Attributes
    ----------
    block : Block
        The model; its items have no free residual variance and no effect on other variables.
    statistics : ndarray, shape (m,)
        Thresholds, then correlations of the lower triangle by columns.
    weight : ndarray, shape (m,) or (m, m)
        W, or its diagonal.
    threshold_parameter : ndarray of int, shape (thresholds,)
        Position of every threshold in the parameter vector.
    units : ndarray, shape (p,)
        Standard deviations that the responses have in the units of the model; ones, except in a second search.
    pairs : tuple of ndarray of int, each (p (p - 1) / 2,)
        The two items of every correlation.
    """

    block: Block
    statistics: Array
    weight: Array
    threshold_parameter: Index
    units: Array
    pairs: tuple[Index, Index]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The model, in the one group there is."""
        return (self.block,)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The polychoric correlations, in place of covariances."""
        cov = np.eye(self.n_observed)
        cov[self.pairs] = self.statistics[len(self.threshold_parameter) :]
        cov.T[self.pairs] = cov[self.pairs]
        return (Sample(weight=1.0, cov=cov, mean=np.zeros(len(cov)), logdet=log_determinant(cov) or 0.0),)

    @property
    def n_observed(self) -> int:
        """Items."""
        return self.block.n_observed

    def evaluate(self, theta: Array) -> Point | None:
        """Return F and the implied moments, with residual variances, or None where they are not finite."""
        at = implied(self.block, theta)
        if at is None or not np.isfinite(at.total).all():
            return None
        at = completed(at, self.units)
        e = self._residual(theta, at)
        value = float(e @ self.times_weight(e))
        return Point(theta=theta, value=value, implied=(at,), inverse=()) if np.isfinite(value) else None

    def _residual(self, theta: Array, at: Implied) -> Array:
        first, second = self.pairs
        correlations = at.cov[first, second] / (self.units[first] * self.units[second])
        return np.asarray(self.statistics - np.concatenate([theta[self.threshold_parameter], correlations]))

    def residual(self, point: Point) -> Array:
        """Return e, shape (m,)."""
        return self._residual(point.theta, point.implied[0])

    def times_weight(self, columns: Array) -> Array:
        """Return W times a vector or the columns of a matrix."""
        if self.weight.ndim == 2:
            return np.asarray(self.weight @ columns)
        return np.asarray(self.weight * columns if columns.ndim == 1 else self.weight[:, None] * columns)

    def correlation_slopes(self, at: Implied) -> Array:
        """Return the derivatives of the correlations by the free entries of the block, shape (pairs, entries)."""
        first, second = self.pairs
        found = block_factors(self.block, at)
        columns = found.columns / self.units[:, None]
        u, w = columns[:, found.left], columns[:, found.right]
        return np.asarray(found.weight * (u[first] * w[second] + w[first] * u[second]))

    def jacobian(self, point: Point) -> Array:
        """Return the derivatives of thresholds and correlations by the parameters, shape (m, q)."""
        size, cuts = len(point.theta), len(self.threshold_parameter)
        out = np.zeros((len(self.statistics), size))
        out[np.arange(cuts), self.threshold_parameter] = 1.0
        slopes = self.correlation_slopes(point.implied[0])
        n_cov = slopes.shape[1]
        np.add.at(out[cuts:].T, self.block.entry_parameter[:n_cov], slopes.T)
        return out

    def gradient(self, point: Point) -> Array:
        """Return dF / d theta."""
        cuts, at = len(self.threshold_parameter), point.implied[0]
        pull = self.times_weight(self.residual(point))
        found = block_factors(self.block, at)
        product = found.columns.T @ self._matrix(pull[cuts:]) @ found.columns
        by_entry = np.zeros(len(self.block.entry_parameter))
        by_entry[: len(found.left)] = -4.0 * found.weight * product[found.left, found.right]
        out = to_parameters(self.block, by_entry, len(point.theta))
        out[self.threshold_parameter] -= 2.0 * pull[:cuts]
        return out

    def _matrix(self, pull: Array) -> Array:
        """Return the symmetric matrix M, zero diagonal, with tr(M dSigma) = pull' drho."""
        first, second = self.pairs
        M = np.zeros((self.n_observed, self.n_observed))
        M[first, second] = M[second, first] = 0.5 * pull / (self.units[first] * self.units[second])
        return M

    def information(self, point: Point) -> Array:
        """Return J'WJ, J the derivatives of the statistics: positive semidefinite, and exact where e is zero."""
        if self.weight.ndim == 2:
            J = self.jacobian(point)
            return np.asarray(J.T @ self.weight @ J)
        # Thresholds share no statistic with other parameters.
        cuts = len(self.threshold_parameter)
        slopes = self.correlation_slopes(point.implied[0])
        entries = slopes.T @ (self.weight[cuts:, None] * slopes)
        whole = np.zeros((len(self.block.entry_parameter), len(self.block.entry_parameter)))
        whole[: len(entries), : len(entries)] = entries
        out = matrix_to_parameters(self.block, whole, len(point.theta))
        out[self.threshold_parameter, self.threshold_parameter] += self.weight[:cuts]
        return out

    def hessian(self, point: Point) -> Array:
        """Return half the second derivative of F."""
        pull = self.times_weight(self.residual(point))[len(self.threshold_parameter) :]
        curve = covariance_curvature(self.block, point.implied[0], self._matrix(pull))
        return np.asarray(self.information(point) - matrix_to_parameters(self.block, curve, len(point.theta)))

    def rescaled(self, scale: Array) -> OrdinalDiscrepancy:
        """Return the same problem with the responses, and latent variables, in other units."""
        return replace(self, block=rescaled_block(self.block, scale), units=self.units * scale[: self.block.n_observed])


def completed(at: Implied, units: Array) -> Implied:
    """Return the moments with the residual variances that give every item the variance of its units."""
    p = len(at.cov)
    items = np.arange(p)
    rest = units**2 - np.diagonal(at.cov)
    residual, total, cov = at.residual.copy(), at.total.copy(), at.cov.copy()
    residual[items, items] += rest
    total[items, items] += rest
    cov[items, items] += rest
    return replace(at, residual=residual, total=total, cov=cov)


def sandwich(discrepancy: OrdinalDiscrepancy, point: Point, gamma: Array, bread: Array) -> Array:
    """Return bread J'W Gamma WJ bread: N times the covariance of the estimates, whatever the weight, shape (q, q).

    Parameters
    ----------
    discrepancy, point
        The model at its minimum.
    gamma : ndarray, shape (m, m)
        From `sampling_covariance`.
    bread : ndarray, shape (q, q)
        Inverse of J'WJ within the constraints.
    """
    pull = discrepancy.times_weight(discrepancy.jacobian(point)) @ bread
    return np.asarray(pull.T @ gamma @ pull)


def residual_traces(discrepancy: OrdinalDiscrepancy, point: Point, gamma: Array, bread: Array) -> tuple[float, float]:
    """Return tr(U Gamma) and tr(U Gamma U Gamma), U = W - WJ bread J'W, for a diagonal W.

    With G = Gamma WJ and X = bread J'W G, they are tr(W Gamma) - tr(X) and
    sum w_i w_j Gamma_ij^2 - 2 tr(bread G'WG) + tr(XX): no m x m products.
    """
    w, A = discrepancy.weight, discrepancy.times_weight(discrepancy.jacobian(point))
    G = gamma @ A
    X = bread @ (A.T @ G)
    trace = float(w @ np.diagonal(gamma)) - float(np.trace(X))
    cross = float(np.einsum("ij,ji->", bread, G.T @ (w[:, None] * G)))
    return trace, float(w @ gamma**2 @ w) - 2.0 * cross + float(np.einsum("ij,ji->", X, X))


def independence_traces(discrepancy: OrdinalDiscrepancy, gamma: Array) -> tuple[float, float]:
    """Return the same of the independence model, whose thresholds are free and correlations zero."""
    cuts = len(discrepancy.threshold_parameter)
    w, R = discrepancy.weight[cuts:], gamma[cuts:, cuts:]
    return float(w @ np.diagonal(R)), float(w @ R**2 @ w)


def independence_value(discrepancy: OrdinalDiscrepancy) -> float:
    """Return the minimum of F of the independence model."""
    cuts, W = len(discrepancy.threshold_parameter), discrepancy.weight
    r = discrepancy.statistics[cuts:]
    if W.ndim == 1:
        return float(W[cuts:] @ r**2)
    # Thresholds that are correlated with the correlations move to where they serve best.
    pull = W[:cuts, cuts:] @ r
    return float(r @ W[cuts:, cuts:] @ r - pull @ np.linalg.solve(W[:cuts, :cuts], pull))
