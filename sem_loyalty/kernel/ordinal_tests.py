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
        J, the derivatives of its statistics by its parameters.
    weighted : tuple of ndarray, each (m', q')
        WJ.
    moved : tuple of ndarray, each (m, q')
        Gamma WJ, of all statistics.
    bread : ndarray, shape (q', q')
        Inverse of J'WJ over groups, within the constraints.
    """

    kept: Index
    first: tuple[int, ...]
    jacobians: tuple[Array, ...]
    weighted: tuple[Array, ...]
    moved: tuple[Array, ...]
    bread: Array

    @property
    def meats(self) -> list[Array]:
        """Return J'W Gamma WJ by group, each (q', q')."""
        return [A.T @ G[start:] for A, G, start in zip(self.weighted, self.moved, self.first, strict=True)]


def fitted_part(discrepancy: OrdinalDiscrepancy, point: Point, bread: Array, gammas: Sequence[Array]) -> Fitted:
    """Return the part of a model that is fitted.

    Parameters
    ----------
    discrepancy, point
        The model at its minimum.
    bread : ndarray, shape (q, q)
        Inverse of the information within the constraints.
    gammas : sequence of ndarray, each (m, m)
        Gamma by group.
    """
    cuts = discrepancy.cut_parameters
    first = (0,) * len(discrepancy.models)
    kept = np.arange(len(bread))
    # Linear constraints may tie thresholds to each other or to other parameters.
    if discrepancy.separable and np.count_nonzero(bread[cuts]) == np.count_nonzero(bread[cuts, cuts]):
        first = tuple(model.n_cuts for model in discrepancy.models)
        kept = np.delete(kept, cuts)
        jacobians = tuple(
            model.pair_jacobian(point.theta, at)[:, kept]
            for model, at in zip(discrepancy.models, point.implied, strict=True)
        )
    else:
        jacobians = discrepancy.jacobians(point)
    products = tuple(
        weighted(W[start:] if W.ndim == 1 else W, J)
        for J, W, start in zip(jacobians, discrepancy.weights, first, strict=True)
    )
    return Fitted(
        kept=kept,
        first=first,
        jacobians=jacobians,
        weighted=products,
        moved=tuple(gamma[:, start:] @ A for gamma, A, start in zip(gammas, products, first, strict=True)),
        bread=discrepancy.used * bread[kept[:, None], kept],
    )


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
    meat = np.zeros_like(part.bread)
    total = np.zeros((size, size))
    for model, sample, of_group, G, gamma, start in zip(
        discrepancy.models, discrepancy.samples, part.meats, part.moved, gammas, part.first, strict=True
    ):
        meat += sample.weight * of_group
        if start:
            # A threshold is the sample's, divided by its scale and by the share of its group.
            scale = 1.0 / (model.scale_value[model.cut_item] * sample.weight)
            cuts, cross = model.cut_parameter, sample.weight * scale[:, None] * (G[:start] @ part.bread)
            total[cuts[:, None], part.kept] = cross
            total[part.kept[:, None], cuts] = cross.T
            total[cuts[:, None], cuts] = sample.weight * np.outer(scale, scale) * gamma[:start, :start]
    total[part.kept[:, None], part.kept] = part.bread @ meat @ part.bread
    return total


def residual_traces(discrepancy: OrdinalDiscrepancy, part: Fitted, gammas: Sequence[Array]) -> tuple[float, float]:
    """Return tr(U Gamma) and tr(U Gamma U Gamma), U = W - WJ bread J'W, for diagonal W.

    With G = Gamma WJ and X = bread J'W G, they are tr(W Gamma) - tr(X) and
    sum w_i w_j Gamma_ij^2 - 2 tr(bread G'WG) + tr(XX): no m x m products. What is not fitted leaves no residual.
    """
    trace = square = 0.0
    outer, crossed = np.zeros_like(part.bread), np.zeros_like(part.bread)
    for w, sample, meat, moved, gamma, start in zip(
        discrepancy.weights, discrepancy.samples, part.meats, part.moved, gammas, part.first, strict=True
    ):
        G = moved[start:]
        of_group = _independent_traces(w[start:], gamma[start:, start:])
        trace, square = trace + of_group[0], square + of_group[1]
        outer += sample.weight * meat
        crossed += sample.weight * (G.T @ (w[start:, None] * G))
    X = part.bread @ outer
    trace -= float(np.trace(X))
    return trace, square - 2.0 * float(np.vdot(part.bread, crossed)) + float(np.vdot(X.T, X))


def independence_traces(discrepancy: OrdinalDiscrepancy, gammas: Sequence[Array]) -> tuple[float, float]:
    """Return the same of the independence model, in which only correlations and covariances are zero."""
    trace = square = 0.0
    for model, weight, gamma in zip(discrepancy.models, discrepancy.weights, gammas, strict=True):
        single = model.n_single
        of_group = _independent_traces(weight[single:], gamma[single:, single:])
        trace, square = trace + of_group[0], square + of_group[1]
    return trace, square


def _independent_traces(weight: Array, gamma: Array) -> tuple[float, float]:
    """Return tr(W Gamma) and tr(W Gamma W Gamma) for diagonal W."""
    return float(weight @ np.diagonal(gamma)), float(weight @ gamma**2 @ weight)


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
