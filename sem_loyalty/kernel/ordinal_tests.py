"""Sampling covariance of the estimates and corrected tests of models of ordinal items, whatever the weight.

Over groups, W is weighted by n_g / N and Gamma by its inverse (Satorra 2000, Scaled and adjusted restricted tests in
multi-sample analysis of moment structures, in Innovations in Multivariate Statistical Analysis, 233-247).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.likelihood import Point
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy, weighted

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The part of a model that is fitted, at its minimum: without thresholds where they are the sample's own.

    Attributes
    ----------
    kept : ndarray of int
        Parameters of this part.
    first : tuple of int
        By group, where its statistics begin.
    jacobians : tuple of ndarray, each (m', q')
        Derivatives of its statistics by its parameters.
    weights : tuple of ndarray, each (m',) or (m', m')
        W.
    bread : ndarray, shape (q', q')
        Inverse of J'WJ over groups, within the constraints.
    """

    kept: Index
    first: tuple[int, ...]
    jacobians: tuple[Array, ...]
    weights: tuple[Array, ...]
    bread: Array

    @property
    def lifted(self) -> list[Array]:
        """Return WJ bread by group: what the estimates move by for every statistic."""
        return [weighted(W, J @ self.bread) for J, W in zip(self.jacobians, self.weights, strict=True)]


def fitted_part(discrepancy: OrdinalDiscrepancy, point: Point, bread: Array) -> Fitted:
    """Return the part of a model that is fitted.

    Parameters
    ----------
    discrepancy, point
        The model at its minimum.
    bread : ndarray, shape (q, q)
        Inverse of the information within the constraints.
    """
    inner = discrepancy.used * bread
    everything = np.arange(len(bread))
    cuts = discrepancy.cut_parameters
    kept = np.setdiff1d(everything, cuts)
    # Linear constraints may tie thresholds to each other or to other parameters.
    if not discrepancy.separable or bread[np.ix_(cuts, kept)].any() or _ties(bread[np.ix_(cuts, cuts)]):
        whole = discrepancy.jacobians(point)
        return Fitted(everything, (0,) * len(whole), whole, discrepancy.weights, inner)
    first = tuple(model.n_cuts for model in discrepancy.models)
    return Fitted(
        kept=kept,
        first=first,
        jacobians=tuple(
            model.pair_jacobian(point.theta, at)[:, kept]
            for model, at in zip(discrepancy.models, point.implied, strict=True)
        ),
        weights=tuple(W[start:] for W, start in zip(discrepancy.weights, first, strict=True)),
        bread=inner[np.ix_(kept, kept)],
    )


def _ties(matrix: Array) -> bool:
    """Return whether a matrix has entries off its diagonal."""
    return bool(np.count_nonzero(matrix) > np.count_nonzero(np.diagonal(matrix)))


def sandwich(discrepancy: OrdinalDiscrepancy, part: Fitted, gammas: Sequence[Array], size: int) -> Array:
    """Return bread J'W Gamma WJ bread, (N - G) times the covariance of the estimates whatever the weight, (q, q).

    Parameters
    ----------
    discrepancy : OrdinalDiscrepancy
    part : Fitted
    gammas : sequence of ndarray, each (m, m)
        Gamma by group.
    size : int
        q.
    """
    total = np.zeros((size, size))
    for model, sample, pull, gamma, start in zip(
        discrepancy.models, discrepancy.samples, part.lifted, gammas, part.first, strict=True
    ):
        among = gamma[start:, start:] @ pull
        total[np.ix_(part.kept, part.kept)] += sample.weight * (pull.T @ among)
        if start:
            # A threshold is the sample's, divided by its scale and by the share of its group.
            scale = 1.0 / (model.scale_value[model.cut_item] * sample.weight)
            cuts, cross = model.cut_parameter, sample.weight * scale[:, None] * (gamma[:start, start:] @ pull)
            total[np.ix_(cuts, part.kept)] = cross
            total[np.ix_(part.kept, cuts)] = cross.T
            total[np.ix_(cuts, cuts)] = sample.weight * np.outer(scale, scale) * gamma[:start, :start]
    return total


def residual_traces(discrepancy: OrdinalDiscrepancy, part: Fitted, gammas: Sequence[Array]) -> tuple[float, float]:
    """Return tr(U Gamma) and tr(U Gamma U Gamma), U = W - WJ bread J'W, for diagonal W.

    With G = Gamma WJ and X = bread J'W G, they are tr(W Gamma) - tr(X) and
    sum w_i w_j Gamma_ij^2 - 2 tr(bread G'WG) + tr(XX): no m x m products. What is not fitted leaves no residual.
    """
    trace = square = 0.0
    outer, crossed = np.zeros_like(part.bread), np.zeros_like(part.bread)
    for J, w, sample, whole, start in zip(
        part.jacobians, part.weights, discrepancy.samples, gammas, part.first, strict=True
    ):
        gamma = whole[start:, start:]
        A = w[:, None] * J
        G = gamma @ A
        trace += float(w @ np.diagonal(gamma))
        square += float(w @ gamma**2 @ w)
        outer += sample.weight * (A.T @ G)
        crossed += sample.weight * (G.T @ (w[:, None] * G))
    X = part.bread @ outer
    trace -= float(np.trace(X))
    return trace, square - 2.0 * float(np.einsum("ij,ji->", part.bread, crossed)) + float(np.einsum("ij,ji->", X, X))


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
