"""Scores of candidates for any information in the moments: by the derivatives of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.score_parts import ScoreParts, crossed_of
from sem_loyalty.inference.uncertainty import maximum, moment_weights
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.least_squares import LeastSquares, Weight
from sem_loyalty.kernel.likelihood import weight_matrix
from sem_loyalty.kernel.precisions import moment_information
from sem_loyalty.kernel.ram import (
    Block,
    Factors,
    Implied,
    block_factors,
    factors,
    matrix_to_parameters,
    mean_jacobian,
)
from sem_loyalty.model.scatter import place, variables
from sem_loyalty.model.spec import Parameter

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Jacobian:
    """Derivatives of the moments by a list of parameters: vec(Sigma), shape (p^2, k), and mu, shape (p, k)."""

    cov: Array
    mean: Array


def moment_score_parts(fit: Fit, rows: Sequence[Parameter]) -> ScoreParts:
    """Return what the indices of candidates are computed from.

    Moments among fixed covariates are given, so they inform about nothing, as in lavaan: this matters where a
    candidate would make a covariate an outcome.
    """
    position = variables(fit.specification)
    fixed = [position[name] for name in fit.specification.exogenous]
    size = len(fit.theta)
    slope, own = np.zeros(len(rows)), np.zeros(len(rows))
    information, cross = np.zeros((size, size)), np.zeros((size, len(rows)))
    for group, (block, at, sample, weights) in enumerate(
        zip(fit.blocks, fit.point.implied, fit.samples, _weights(fit), strict=True), start=1
    ):
        mine = [i for i, row in enumerate(rows) if row.group == group]
        p = block.n_observed
        more = _jacobian([rows[i] for i in mine], position, at)
        slope[mine] = weights.by_cov.ravel() @ more.cov + weights.by_mean @ more.mean
        more, free = _given(more, fixed, p), _given(_free_jacobian(block, at), fixed, p)
        weighted, among = weights.weigh(more), weights.weigh(free)
        pair = free.cov.T @ weighted.cov + free.mean.T @ weighted.mean
        own[mine] = sample.weight * (
            np.einsum("ij,ij->j", more.cov, weighted.cov) + np.einsum("ij,ij->j", more.mean, weighted.mean)
        )
        entries = free.cov.T @ among.cov + free.mean.T @ among.mean
        information += sample.weight * matrix_to_parameters(block, entries, size)
        collect = np.zeros((size, len(pair)))
        collect[block.entry_parameter, np.arange(len(pair))] = 1.0
        cross[:, mine] += sample.weight * collect @ pair
    return ScoreParts(slope, fit.space.reduce_matrix(information), own, crossed_of(fit.space.reduce_vector(cross)))


@dataclass(frozen=True, slots=True)
class _Weights:
    """The first derivatives of F by the moments of one group, and the information in its moments.

    Attributes
    ----------
    by_cov, by_mean : ndarray, shapes (p, p) and (p,)
        dF / dSigma and dF / dmu, with the group's share of F.
    weigh : callable
        Information times derivatives of the moments, so that J' times it is the information of J.
    """

    by_cov: Array
    by_mean: Array
    weigh: Callable[[_Jacobian], _Jacobian]


def _weights(fit: Fit) -> list[_Weights]:
    """Return the weights of every group."""
    discrepancy = fit.discrepancy
    if isinstance(discrepancy, Incomplete):
        point = maximum(fit)
        return [
            _Weights(sample.weight * slope, -2.0 * sample.weight * pull, partial(_weighted_by_patterns, level, spread))
            for sample, (slope, pull), (level, spread) in zip(
                fit.samples,
                [expected.slopes() for expected in discrepancy.expected(point)],
                map(moment_information, discrepancy.patterns, discrepancy.expected(point)),
                strict=True,
            )
        ]
    found = []
    for k, (block, sample, at, weight) in enumerate(
        zip(fit.blocks, fit.samples, fit.point.implied, moment_weights(fit), strict=True)
    ):
        shift = sample.mean - at.mean
        if isinstance(discrepancy, LeastSquares):
            pull, lift = weight.apply((sample.cov - at.cov)[:, :, None], shift[:, None])
            share = -2.0 * discrepancy.shares[k]
            by_cov, by_mean = share * pull[:, :, 0], share * lift[:, 0]
        else:
            inverse = maximum(fit).inverse[k]
            by_cov = sample.weight * weight_matrix(sample, at, inverse, block.means)
            by_mean = -2.0 * sample.weight * (inverse @ shift)
        found.append(_Weights(by_cov, by_mean, partial(_weighted, weight)))
    return found


def _weighted_by_patterns(level: Array, spread: Array, jacobian: _Jacobian) -> _Jacobian:
    """Return the information of answers with gaps times every column; `spread` is that of vech(Sigma)."""
    p = len(level)
    col, row = np.triu_indices(p)
    cov = np.zeros_like(jacobian.cov)
    cov[row * p + col] = spread @ jacobian.cov[row * p + col]
    return _Jacobian(cov, level @ jacobian.mean)


def _given(jacobian: _Jacobian, fixed: list[int], p: int) -> _Jacobian:
    """Return the derivatives without the moments among fixed covariates."""
    if not fixed:
        return jacobian
    cov, mean = jacobian.cov.copy(), jacobian.mean.copy()
    cov.reshape(p, p, cov.shape[1])[np.ix_(fixed, fixed)] = 0.0
    mean[fixed] = 0.0
    return _Jacobian(cov, mean)


def _free_jacobian(block: Block, at: Implied) -> _Jacobian:
    """Return the derivatives by the free entries of a block, in the order of `Block.entry_parameter`."""
    found = block_factors(block, at)
    mean = mean_jacobian(block, at)
    cov = np.zeros((len(at.cov) ** 2, mean.shape[1]))
    cov[:, : len(found.left)] = _columns(found)
    return _Jacobian(cov, mean)


def _columns(found: Factors) -> Array:
    """Return vec(dSigma) of every entry, shape (p^2, entries)."""
    u, w = found.columns[:, found.left], found.columns[:, found.right]
    product = found.weight * (u[:, None, :] * w[None, :, :] + w[:, None, :] * u[None, :, :])
    return np.asarray(product.reshape(len(u) ** 2, u.shape[1]))


def _weighted(weight: Weight, jacobian: _Jacobian) -> _Jacobian:
    """Return V times every column."""
    p = len(jacobian.mean)
    cov, mean = weight.apply(jacobian.cov.reshape(p, p, jacobian.cov.shape[1]), jacobian.mean)
    return _Jacobian(cov.reshape(jacobian.cov.shape), mean)


def _jacobian(rows: list[Parameter], position: dict[str, int], at: Implied) -> _Jacobian:
    """Return the derivatives by single entries of A, S or m, in the order of `rows`."""
    spots = [place(row, position) for row in rows]
    chosen = {name: [i for i, spot in enumerate(spots) if spot.matrix == name] for name in ("A", "S", "m")}
    index = {
        (name, side): np.array([getattr(spots[i], side) for i in chosen[name]], dtype=np.intp)
        for name in ("A", "S", "m")
        for side in ("row", "col")
    }
    found = factors(at, index["A", "row"], index["A", "col"], index["S", "row"], index["S", "col"])
    p = len(at.cov)
    cov, mean = np.zeros((p * p, len(rows))), np.zeros((p, len(rows)))
    cov[:, chosen["A"] + chosen["S"]] = _columns(found)
    G = at.total_inverse[:p]
    mean[:, chosen["A"]] = G[:, index["A", "row"]] * at.means[index["A", "col"]]
    mean[:, chosen["m"]] = G[:, index["m", "row"]]
    return _Jacobian(cov, mean)
