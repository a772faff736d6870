"""Sampling covariance of the estimates and corrected tests of models of ordinal items, whatever the weight.

Over groups, W is weighted by n_g / N and Gamma by its inverse (Satorra 1989, doi:10.1007/BF02294453; Muthen 1993, in
Testing Structural Equation Models, eds Bollen and Long, 205-234).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.likelihood import Point
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy, weighted

Array = NDArray[np.float64]


def sandwich(discrepancy: OrdinalDiscrepancy, point: Point, gammas: Sequence[Array], bread: Array) -> Array:
    """Return bread J'W Gamma WJ bread: N times the covariance of the estimates, whatever the weight, shape (q, q).

    Parameters
    ----------
    discrepancy, point
        The model at its minimum.
    gammas : sequence of ndarray, each (m, m)
        Gamma by group.
    bread : ndarray, shape (q, q)
        Inverse of the information within the constraints.
    """
    total = np.zeros_like(bread)
    for J, weight, sample, gamma in zip(
        discrepancy.jacobians(point), discrepancy.weights, discrepancy.samples, gammas, strict=True
    ):
        pull = weighted(weight, J) @ bread
        total += sample.weight * (pull.T @ gamma @ pull)
    return np.asarray(discrepancy.used * total)


def residual_traces(
    discrepancy: OrdinalDiscrepancy, point: Point, gammas: Sequence[Array], bread: Array
) -> tuple[float, float]:
    """Return tr(U Gamma) and tr(U Gamma U Gamma), U = W - WJ bread J'W, for diagonal W.

    With G = Gamma WJ and X = bread J'W G, they are tr(W Gamma) - tr(X) and
    sum w_i w_j Gamma_ij^2 - 2 tr(bread G'WG) + tr(XX): no m x m products.
    """
    inner = discrepancy.used * bread
    trace = square = 0.0
    outer, crossed = np.zeros_like(bread), np.zeros_like(bread)
    for J, w, sample, gamma in zip(
        discrepancy.jacobians(point), discrepancy.weights, discrepancy.samples, gammas, strict=True
    ):
        A = w[:, None] * J
        G = gamma @ A
        trace += float(w @ np.diagonal(gamma))
        square += float(w @ gamma**2 @ w)
        outer += sample.weight * (A.T @ G)
        crossed += sample.weight * (G.T @ (w[:, None] * G))
    X = inner @ outer
    trace -= float(np.trace(X))
    return trace, square - 2.0 * float(np.einsum("ij,ji->", inner, crossed)) + float(np.einsum("ij,ji->", X, X))


def independence_traces(discrepancy: OrdinalDiscrepancy, gammas: Sequence[Array]) -> tuple[float, float]:
    """Return the same of the independence model, in which only correlations and covariances are zero."""
    trace = square = 0.0
    for model, weight, gamma in zip(discrepancy.models, discrepancy.weights, gammas, strict=True):
        w, R = weight[model.n_single :], gamma[model.n_single :, model.n_single :]
        trace += float(w @ np.diagonal(R))
        square += float(w @ R**2 @ w)
    return trace, square


def independence_value(discrepancy: OrdinalDiscrepancy) -> float:
    """Return the minimum of F of the independence model."""
    total = 0.0
    for model, s, W, share in zip(
        discrepancy.models, discrepancy.statistics, discrepancy.weights, discrepancy.shares, strict=True
    ):
        single, r = model.n_single, s[model.n_single :]
        value = float(r @ weighted(W[single:] if W.ndim == 1 else W[single:, single:], r))
        if W.ndim == 2:
            # Thresholds that are correlated with the correlations move to where they serve best.
            pull = W[:single, single:] @ r
            value -= float(pull @ np.linalg.solve(W[:single, :single], pull))
        total += share * value
    return total
