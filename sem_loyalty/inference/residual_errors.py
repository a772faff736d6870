"""How precisely residual moments are known: the covariance matrix of sample moments less fitted ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from sem_loyalty.errors import NotSupported
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.uncertainty import answers, fixed_positions, maximum, ordinal_parts
from sem_loyalty.kernel.casewise import random_moments, saturated_information, saturated_products
from sem_loyalty.kernel.expectation import expectation
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.least_squares import LeastSquares, MomentWeight, NormalWeight
from sem_loyalty.kernel.likelihood import log_determinant
from sem_loyalty.kernel.patterns import find_patterns
from sem_loyalty.kernel.precisions import moment_hessian
from sem_loyalty.kernel.robust import moment_covariance, moment_jacobian, moment_weight

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spread:
    """Sampling covariance of the moments of one group: means (zeros where they are not modelled), then vech by columns.

    Attributes
    ----------
    moments : ndarray, shape (p + p (p + 1) / 2, same)
        Of the sample moments.
    residuals : ndarray, same shape
        Of the sample moments less the fitted ones.
    """

    moments: Array
    residuals: Array


@dataclass(frozen=True, slots=True)
class _Parts:
    """One group: where its random moments stand (-1: nowhere), their weight, covariance and derivatives."""

    where: NDArray[np.intp]
    weight: Array
    gamma: Array
    jacobian: Array


def residual_spreads(fit: Fit) -> tuple[Spread, ...]:
    """Return the sampling covariance of sample moments and residuals, by group.

    With J the derivatives of the moments, W their weight and Gamma the covariance of the sample moments, residuals are
    (I - J (J'WJ)^-1 J'W) times the sampling error of the moments, over all groups (Maydeu-Olivares 2017,
    doi:10.1007/s11336-016-9552-7).

    Raises
    ------
    NotSupported
        ULS and DWLS of answers that are not ordinal.
    """
    groups = _ordinal(fit) if fit.specification.ordered else _continuous(fit)
    shares = [sample.weight for sample in fit.samples]
    J = np.concatenate([group.jacobian for group in groups])
    W = np.asarray(block_diag(*[share * group.weight for share, group in zip(shares, groups, strict=True)]))
    gamma = np.asarray(block_diag(*[group.gamma / share for share, group in zip(shares, groups, strict=True)]))
    pull = J.T @ W
    left = np.eye(len(J)) - J @ np.linalg.solve(pull @ J, pull)
    whole = left @ gamma @ left.T / fit.moments.n
    out, first = [], 0
    for sample, group in zip(fit.samples, groups, strict=True):
        p, listed = len(sample.cov), group.where >= 0
        among, places = np.ix_(listed, listed), np.ix_(group.where[listed], group.where[listed])
        moments, residuals = (np.zeros((p + p * (p + 1) // 2,) * 2) for _ in range(2))
        own = slice(first, first + len(group.where))
        moments[places] = group.gamma[among] / (sample.weight * fit.moments.n)
        residuals[places] = whole[own, own][among]
        out.append(Spread(moments, residuals))
        first += len(group.where)
    return tuple(out)


def _continuous(fit: Fit) -> list[_Parts]:
    """Return the parts of every group by the rules of the estimator."""
    fixed = fixed_positions(fit)
    means = fit.specification.meanstructure
    out = []
    for k, (block, at) in enumerate(zip(fit.blocks, fit.point.implied, strict=True)):
        p = block.n_observed
        kept = random_moments(p, fixed)
        kept[:p] &= means
        among = kept if means else kept[p:]
        weight, gamma = _weight_and_gamma(fit, k, among, fixed)
        jacobian = moment_jacobian(block, at, len(fit.theta))[among] @ fit.space.basis
        out.append(_Parts(np.flatnonzero(kept), weight, gamma, jacobian))
    return out


def _weight_and_gamma(fit: Fit, k: int, among: NDArray[np.bool_], fixed: list[int]) -> tuple[Array, Array]:
    """Return W and Gamma of one group over the random moments."""
    discrepancy, sample, at = fit.discrepancy, fit.samples[k], fit.point.implied[k]
    means = fit.specification.meanstructure
    square = np.ix_(among, among)
    if isinstance(discrepancy, LeastSquares):
        weight = discrepancy.weights[k]
        if isinstance(weight, NormalWeight):
            matrix = moment_weight(weight.inverse, means=means)[square]
        elif isinstance(weight, MomentWeight) and weight.matrix.ndim == 2:
            matrix = weight.matrix
        else:
            raise NotSupported(
                f"Standard errors of residuals by {fit.estimator} are not supported; available: 'raw' and correlation "
                "residuals, and every type with ML, MLM, MLMV, MLR, GLS and WLS."
            )
        return matrix, np.asarray(np.linalg.inv(matrix))
    if isinstance(discrepancy, Incomplete):
        patterns = discrepancy.patterns[k]
        saturated_at = discrepancy.expected_saturated()[k]
        observed = saturated_information(patterns, saturated_at, among)
        products = saturated_products(answers(fit)[k], patterns, saturated_at, among)
        inverse = np.asarray(np.linalg.inv(observed))
        gamma = inverse @ products @ inverse if fit.estimator == "MLR" else inverse
        return moment_hessian(patterns, discrepancy.expected(maximum(fit))[k])[square], gamma
    expected = moment_weight(maximum(fit).inverse[k], means=means)[square]
    if fit.estimator == "ML":
        saturated = moment_weight(np.asarray(np.linalg.inv(sample.cov)), means=means)[square]
        return expected, np.asarray(np.linalg.inv(saturated))
    rows = answers(fit)[k]
    gamma = moment_covariance(rows, means=means, fixed=fixed)[square]
    if fit.estimator != "MLR":
        return expected, gamma
    # The observed information in complete answers is that of one pattern.
    p = len(at.cov)
    patterns = find_patterns(rows)
    level = at.mean if means else rows.mean(axis=0)
    found = expectation(patterns, level, maximum(fit).inverse[k], log_determinant(at.cov) or 0.0)
    if found is None:
        return expected, gamma
    observed = moment_hessian(patterns, found)
    return (observed if means else observed[p:, p:])[square], gamma


def _ordinal(fit: Fit) -> list[_Parts]:
    """Return the parts of a model of ordinal items by group: correlations, and what stands nowhere before them."""
    discrepancy, gammas = ordinal_parts(fit)
    if any(len(model.varying) or not model.plain for model in discrepancy.models):
        raise NotSupported(
            "Standard errors of residuals are not supported for ordinal beside continuous variables, and not in the "
            "theta parameterisation; available: 'raw' and correlation residuals."
        )
    found = []
    for model, J, W, gamma in zip(
        discrepancy.models, discrepancy.jacobians(maximum(fit)), discrepancy.weights, gammas, strict=True
    ):
        p = len(model.scale_value)
        pairs = p + np.flatnonzero(np.not_equal(*np.triu_indices(p)))
        weight = np.diag(W) if W.ndim == 1 else W
        found.append(_Parts(np.concatenate([np.full(model.n_single, -1), pairs]), weight, gamma, J @ fit.space.basis))
    return found
