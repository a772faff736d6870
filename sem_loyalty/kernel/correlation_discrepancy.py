"""Least squares over polychoric correlations alone, where the thresholds of the model are those of the sample.

With diagonal weights and a threshold of its own for every category, thresholds add nothing to the discrepancy of
`ordinal_discrepancy` and say nothing about the other parameters. What is left of it is, with R the sample's
correlations, P = dd' o Sigma the model's (d the scales, o the product by elements), W the weights as a symmetric matrix
with zeros in its diagonal, and the sum over all i and j,

    F = sum over groups of (n_g - 1) / (2 N) sum w_ij (r_ij - p_ij)^2
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import iadd

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.likelihood import Point
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy
from sem_loyalty.kernel.ram import Implied, covariance_curvature, matrix_to_parameters, to_parameters
from sem_loyalty.kernel.responses import ResponseModel

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Target:
    """What one group's correlations are compared with.

    Attributes
    ----------
    correlation, weight : ndarray, shape (p, p)
        R and W, zero in the diagonal.
    scale : ndarray, shape (p, p)
        dd'.
    root : ndarray, shape (pairs,)
        Square roots of the weights of the lower triangle by columns.
    share : float
        (n_g - 1) / N.
    """

    correlation: Array
    weight: Array
    scale: Array
    root: Array
    share: float

    def pull(self, at: Implied) -> tuple[float, Array]:
        """Return sum w_ij e_ij^2 / 2 and M = dd' o W o E, e_ij = r_ij - p_ij."""
        residual = self.correlation - self.scale * at.cov
        pull = self.weight * residual
        value = 0.5 * float(np.vdot(pull, residual))
        pull *= self.scale
        return value, pull


@dataclass(frozen=True, slots=True)
class CorrelationDiscrepancy:
    """The part of a discrepancy that thresholds have no part in, as the minimiser sees it.

    Parameter vectors are those of the whole model; derivatives by thresholds, which are held, are zero.

    Attributes
    ----------
    whole : OrdinalDiscrepancy
        A separable one.
    models : tuple of ResponseModel
        Those of `whole`, by group; without covariates.
    targets : tuple of _Target
        By group.
    """

    whole: OrdinalDiscrepancy
    models: tuple[ResponseModel, ...] = field(init=False, repr=False)
    targets: tuple[_Target, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Derive once what every evaluation needs."""
        models = tuple(model for model in self.whole.models if isinstance(model, ResponseModel))
        parts = zip(models, self.whole.statistics, self.whole.weights, self.whole.shares, strict=True)
        object.__setattr__(self, "models", models)
        object.__setattr__(self, "targets", tuple(_target(*part) for part in parts))

    @property
    def n_observed(self) -> int:
        """Variables over all groups."""
        return self.whole.n_observed

    def evaluate(self, theta: Array) -> Point | None:
        """Return F and the implied moments, with residual variances, or None where they are not finite."""
        value = 0.0
        found: list[Implied] = []
        for model, target in zip(self.models, self.targets, strict=True):
            at = model.moments(theta)
            if at is None:
                return None
            value += target.share * target.pull(at)[0]
            found.append(at)
        return Point(theta=theta, value=value, implied=tuple(found), inverse=()) if np.isfinite(value) else None

    def gradient(self, point: Point) -> Array:
        """Return dF / d theta: - share tr(M dSigma) by group, with tr(M dSigma) = 2 c u'Mw (see `kernel.ram`)."""
        total = np.zeros(len(point.theta))
        for model, target, at in self._groups(point):
            layout, p = model.block.layout, model.block.n_observed
            columns = np.concatenate([at.total_inverse[:p], at.total[:p, layout.sources]], axis=1)
            product = columns.T @ (target.pull(at)[1] @ columns)
            by_entry = product.take(layout.own)
            by_entry *= layout.c
            by_entry *= -2.0 * target.share
            total += to_parameters(model.block, by_entry, len(total))
        return total

    def information(self, point: Point) -> Array:
        """Return J'WJ per respondent: positive semidefinite."""
        found = []
        for (model, target, at), sample in zip(self._groups(point), self.whole.samples, strict=True):
            by_entry = _squares(model, target, point.theta, at)
            by_entry *= self.whole.used * sample.weight
            found.append(matrix_to_parameters(model.block, by_entry, len(point.theta)))
        return reduce(iadd, found)

    def hessian(self, point: Point) -> Array:
        """Return half the second derivative of F, J'WJ - tr(M d2Sigma) / 2 by group."""
        found = []
        for model, target, at in self._groups(point):
            by_entry = _squares(model, target, point.theta, at)
            by_entry -= covariance_curvature(model.block, at, 0.5 * target.pull(at)[1])
            by_entry *= target.share
            found.append(matrix_to_parameters(model.block, by_entry, len(point.theta)))
        return reduce(iadd, found)

    def rescaled(self, scale: Array) -> CorrelationDiscrepancy:
        """Return the same problem with the responses, and latent variables, in other units."""
        return CorrelationDiscrepancy(self.whole.rescaled(scale))

    def _groups(self, point: Point) -> Iterator[tuple[ResponseModel, _Target, Implied]]:
        """Return what derivatives are made of, by group."""
        return zip(self.models, self.targets, point.implied, strict=True)


def _target(model: ResponseModel, statistics: Array, weight: Array, share: float) -> _Target:
    """Return what one group's correlations are compared with."""
    correlation, W = np.zeros((2, model.block.n_observed, model.block.n_observed))
    for square, values in ((correlation, statistics), (W, weight)):
        square[model.first, model.second] = square[model.second, model.first] = values[model.n_single :]
    scale = np.outer(model.scale_value, model.scale_value)
    return _Target(correlation, W, scale, np.sqrt(weight[model.n_single :]), share)


def _squares(model: ResponseModel, target: _Target, theta: Array, at: Implied) -> Array:
    """Return J'WJ by the free entries of A and S."""
    slopes = model.pair_slopes(theta, at)
    slopes *= target.root[:, None]
    return np.asarray(slopes.T @ slopes)
