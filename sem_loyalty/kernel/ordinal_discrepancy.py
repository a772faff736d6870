"""Least squares over thresholds and polychoric correlations: the discrepancy of models of ordinal items.

Per group, with s the sample's statistics, sigma the model's (`responses`), and e = s - sigma:

    F = sum over groups of (n_g - 1) / N e' W e

W is the inverse of the sampling covariance Gamma (WLS), the inverse of its diagonal (DWLS) or the identity (ULS)
(Muthen 1984, doi:10.1007/BF02294210; Muthen, du Toit and Spisic 1997). N F is the test statistic. Information weights
groups by n_g / N; per respondent, N - G takes the place of N. All as in lavaan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.conditional_responses import ConditionalModel
from sem_loyalty.kernel.likelihood import Point, Sample
from sem_loyalty.kernel.linear_algebra import lapack
from sem_loyalty.kernel.ordinal import OrdinalStatistics
from sem_loyalty.kernel.ram import Block, Implied, matrix_to_parameters
from sem_loyalty.kernel.responses import ResponseModel

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def make_weight(sample: OrdinalStatistics, kind: str) -> Array | None:
    """Return W: shape (m,) where it is diagonal, else (m, m); None where Gamma is singular.

    Parameters
    ----------
    sample : OrdinalStatistics
    kind : {"DWLS", "ULS", "WLS"}
    """
    gamma = sample.covariance
    if kind == "ULS":
        return np.ones(len(gamma))
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
    models : tuple of ResponseModel, or of ConditionalModel
        The model, one per group.
    samples : tuple of Sample
        Correlations (and covariances, means) in place of covariances, one per group; the weight is n_g / N.
    statistics : tuple of ndarray, each (m,)
        s by group.
    weights : tuple of ndarray, each (m,) or (m, m)
        W by group, or its diagonal.
    sizes : tuple of int
        n_g.
    """

    models: tuple[ResponseModel | ConditionalModel, ...]
    samples: tuple[Sample, ...]
    statistics: tuple[Array, ...]
    weights: tuple[Array, ...]
    sizes: tuple[int, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The model of the responses, one block per group."""
        return tuple(model.block for model in self.models)

    @property
    def n_observed(self) -> int:
        """Variables over all groups."""
        return sum(model.block.n_observed for model in self.models)

    @property
    def shares(self) -> tuple[float, ...]:
        """(n_g - 1) / N, the weight of each group in F."""
        total = sum(self.sizes)
        return tuple((n - 1.0) / total for n in self.sizes)

    @property
    def used(self) -> float:
        """(N - G) / N, what information per respondent counts of a respondent."""
        total = sum(self.sizes)
        return (total - len(self.sizes)) / total

    @property
    def free_thresholds(self) -> bool:
        """Whether all variables are ordinal and every threshold is a parameter of its own, linear constraints apart."""
        if any(len(model.varying) or model.block.means for model in self.models):
            return False
        cuts = self.cut_parameters
        return bool((cuts >= 0).all()) and int(np.bincount(cuts).max(initial=0)) < 2

    @property
    def separable(self) -> bool:
        """Whether thresholds can be left out of the fit: they are the sample's, and say nothing of correlations."""
        diagonal = all(W.ndim == 1 for W in self.weights)
        return diagonal and all(model.plain for model in self.models) and self.free_thresholds

    @property
    def correlations_alone(self) -> bool:
        """Whether correlations are all that is left to fit: with covariates, slopes are as well."""
        plain = all(isinstance(model, ResponseModel) and model.n_single == model.n_cuts for model in self.models)
        return self.separable and plain

    @property
    def cut_parameters(self) -> Index:
        """Positions of the thresholds of all groups in the parameter vector; -1 where they are fixed."""
        return np.concatenate([model.cut_parameter for model in self.models])

    def evaluate(self, theta: Array) -> Point | None:
        """Return F and the implied moments, with residual variances, or None where they are not finite."""
        value = 0.0
        found: list[Implied] = []
        for model, s, weight, share in zip(self.models, self.statistics, self.weights, self.shares, strict=True):
            at = model.moments(theta)
            if at is None:
                return None
            e = s - model.predicted(theta, at)
            value += share * float(e @ weighted(weight, e))
            found.append(at)
        return Point(theta=theta, value=value, implied=tuple(found), inverse=()) if np.isfinite(value) else None

    def residuals(self, point: Point) -> tuple[Array, ...]:
        """Return e by group, each (m,)."""
        return tuple(
            s - model.predicted(point.theta, at)
            for model, s, at in zip(self.models, self.statistics, point.implied, strict=True)
        )

    def jacobians(self, point: Point) -> tuple[Array, ...]:
        """Return the derivatives of the statistics by the parameters, by group, each (m, q)."""
        return tuple(model.jacobian(point.theta, at) for model, at in zip(self.models, point.implied, strict=True))

    def gradient(self, point: Point) -> Array:
        """Return dF / d theta."""
        total = np.zeros(len(point.theta))
        for model, at, e, weight, share in zip(
            self.models, point.implied, self.residuals(point), self.weights, self.shares, strict=True
        ):
            total -= 2.0 * share * model.pulled(point.theta, at, weighted(weight, e))
        return total

    def information(self, point: Point) -> Array:
        """Return J'WJ per respondent: positive semidefinite."""
        total = np.zeros((len(point.theta), len(point.theta)))
        for model, at, weight, sample in zip(self.models, point.implied, self.weights, self.samples, strict=True):
            total += self.used * sample.weight * _squares(model, point.theta, at, weight)
        return total

    def with_thresholds(self, inverse: Array) -> Array:
        """Return the inverse of the information, given that of the parameters other than thresholds, if separable."""
        cuts = self.cut_parameters
        size = len(inverse) + len(cuts)
        out = np.zeros((size, size))
        others = np.delete(np.arange(size), cuts)
        out[others[:, None], others] = inverse
        own = [
            sample.weight * weight[: model.n_cuts] * model.scale_value[model.cut_item] ** 2
            for model, sample, weight in zip(self.models, self.samples, self.weights, strict=True)
        ]
        out[cuts, cuts] = 1.0 / (self.used * np.concatenate(own))
        return out

    def hessian(self, point: Point) -> Array:
        """Return half the second derivative of F."""
        total = np.zeros((len(point.theta), len(point.theta)))
        for model, at, e, weight, share in zip(
            self.models, point.implied, self.residuals(point), self.weights, self.shares, strict=True
        ):
            entries = _squares(model, point.theta, at, weight)
            entries -= model.curvature(point.theta, at, weighted(weight, e))
            total += share * entries
        return np.asarray(0.5 * (total + total.T))

    def rescaled(self, scale: Array) -> OrdinalDiscrepancy:
        """Return the same problem with the responses, and latent variables, in other units."""
        return replace(self, models=tuple(model.rescaled(scale) for model in self.models))


def weighted(weight: Array, columns: Array) -> Array:
    """Return W times a vector or the columns of a matrix, W a matrix or its diagonal."""
    if weight.ndim == 2:
        return np.asarray(weight @ columns)
    return np.asarray(weight * columns if columns.ndim == 1 else weight[:, None] * columns)


def _squares(model: ResponseModel | ConditionalModel, theta: Array, at: Implied, weight: Array) -> Array:
    """Return J'WJ of one group, shape (q, q)."""
    block = model.block
    if weight.ndim == 2 or block.means or not model.plain or len(model.varying):
        J = model.jacobian(theta, at)
        return np.asarray(J.T @ weighted(weight, J))
    # Thresholds share no statistic with other parameters.
    slopes = model.pair_slopes(theta, at)
    entries = slopes.T @ (weight[model.n_cuts :, None] * slopes)
    whole = np.zeros((len(block.entry_parameter), len(block.entry_parameter)))
    whole[: len(entries), : len(entries)] = entries
    out = matrix_to_parameters(block, whole, len(theta))
    free = np.flatnonzero(model.cut_parameter >= 0)
    by_cut = weight[free] * model.scale_value[model.cut_item[free]] ** 2
    out.ravel()[:: len(out) + 1] += np.bincount(model.cut_parameter[free], weights=by_cut, minlength=len(theta))
    return out
