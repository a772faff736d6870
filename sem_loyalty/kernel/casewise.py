"""Scores of single respondents with missing answers, and what robust inference builds from them.

With z = M_r (y - mu), the score of a respondent is z by mu, and (2 - [i = j]) (z_i z_j - M_r,ij) / 2 by Sigma_ij.
References: Yuan and Bentler 2000, doi:10.1111/0081-1750.00078; Savalei and Falk 2014,
doi:10.1080/10705511.2013.824784; Zhang and Savalei 2022, doi:10.1037/met0000445.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.expectation import Expectation, expectation_at
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.likelihood import Point, information, spd_inverse
from sem_loyalty.kernel.patterns import Patterns
from sem_loyalty.kernel.precisions import moment_hessian, precisions
from sem_loyalty.kernel.ram import matrix_to_parameters, moment_derivatives
from sem_loyalty.kernel.robust import moment_jacobian, moment_weight
from sem_loyalty.kernel.solver import Subspace

Array = NDArray[np.float64]
Kept = NDArray[np.bool_]


def moment_scores(rows: Array, patterns: Patterns, found: Expectation) -> Array:
    """Return the scores of every respondent by the means and vech(Sigma), shape (n, p + p (p + 1) / 2).

    Parameters
    ----------
    rows : ndarray, shape (n, p)
        NaN for missing.
    patterns : Patterns
        Those of `rows`.
    found : Expectation
        At Sigma and mu.
    """
    deviation = np.where(np.isnan(rows), 0.0, rows - found.mean)
    precision = precisions(patterns, found)[patterns.which]
    z = (precision @ deviation[:, :, None])[:, :, 0]
    col, row = np.triu_indices(len(found.mean))
    times = np.where(row == col, 1.0, 2.0)
    return np.concatenate([z, 0.5 * times * (z[:, row] * z[:, col] - precision[:, row, col])], axis=1)


def casewise_meat(discrepancy: Incomplete, point: Point, rows: tuple[Array, ...]) -> Array:
    """Return the mean cross-product of the scores by the parameters, weighted over groups, shape (q, q)."""
    size = len(point.theta)
    total = np.zeros((size, size))
    for block, sample, at, patterns, found, answers in zip(
        discrepancy.blocks,
        discrepancy.samples,
        point.implied,
        discrepancy.patterns,
        discrepancy.expected(point),
        rows,
        strict=True,
    ):
        jacobian = np.concatenate(moment_derivatives(block, at))
        scores = moment_scores(answers, patterns, found) @ jacobian
        total += sample.weight * matrix_to_parameters(block, scores.T @ scores / len(answers), size)
    return total


def saturated_information(patterns: Patterns, found: Expectation, kept: Kept) -> Array:
    """Return the observed information of the saturated model, over the random moments.

    Parameters
    ----------
    patterns : Patterns
    found : Expectation
        At the moments of the saturated model.
    kept : ndarray of bool
        Which of the moments (means, then vech Sigma by columns) are random: not those among fixed covariates.
    """
    observed = moment_hessian(patterns, found)
    return observed if kept.all() else observed[np.ix_(kept, kept)]


def saturated_products(rows: Array, patterns: Patterns, found: Expectation, kept: Kept) -> Array:
    """Return the mean cross-product of the scores of the saturated model, over the random moments."""
    scores = moment_scores(rows, patterns, found)[:, kept]
    return np.asarray(scores.T @ scores / len(rows))


def random_moments(p: int, fixed: list[int]) -> Kept:
    """Return which moments (means, then vech Sigma by columns) are not moments of fixed covariates only."""
    col, row = np.triu_indices(p)
    return np.concatenate([~np.isin(np.arange(p), fixed), ~(np.isin(row, fixed) & np.isin(col, fixed))])


def present_moments(rows: Array) -> tuple[Array, Array]:
    """Return means of the answers present, and covariances (divisor pairs - 1) of the rows that answered both items."""
    seen = (~np.isnan(rows)).astype(np.float64)
    mean = np.nanmean(rows, axis=0)
    d = np.where(np.isnan(rows), 0.0, rows - mean)
    pairs, sums = seen.T @ seen, d.T @ seen
    cov = (d.T @ d - sums * sums.T / pairs) / (pairs - 1.0)
    return np.asarray(mean), np.asarray(0.5 * (cov + cov.T))


@dataclass(frozen=True, slots=True)
class Saturated:
    """What is known of the saturated moments of one group, all at their estimates.

    Attributes
    ----------
    weight : float
        n_g / N.
    kept : ndarray of bool
        The random moments; the matrices are over them.
    observed, inverse : ndarray
        H, the observed information of the incomplete answers, and its inverse.
    complete : ndarray
        C, the information that complete answers would give.
    products : ndarray or None
        B, mean cross-product of the scores, where the estimates have the covariance matrix H^-1 B H^-1 / n_g; None
        where it is H^-1 / n_g.
    """

    weight: float
    kept: Kept
    observed: Array
    inverse: Array
    complete: Array
    products: Array | None

    @property
    def expectation(self) -> float:
        """tr(C Gamma), Gamma the covariance matrix of the estimates times n_g."""
        inner = self.complete if self.products is None else self.inverse @ self.complete @ self.inverse
        return float(np.vdot(inner, self.inverse if self.products is None else self.products))

    @property
    def spread(self) -> float:
        """tr(H^-1 B), the number of moments where the answers are normal."""
        return float(len(self.observed)) if self.products is None else float(np.vdot(self.inverse, self.products))


def saturated_groups(
    discrepancy: Incomplete, rows: tuple[Array, ...], fixed: list[int], *, sandwich: bool
) -> tuple[Saturated, ...]:
    """Return what is known of the saturated moments, by group."""
    out = []
    for patterns, sample, answers in zip(discrepancy.patterns, discrepancy.samples, rows, strict=True):
        kept = random_moments(len(sample.cov), fixed)
        found = expectation_at(patterns, sample)
        observed = saturated_information(patterns, found, kept)
        solved = spd_inverse(observed)
        inverse = solved[0] if solved is not None else np.asarray(np.linalg.inv(observed), dtype=np.float64)
        complete = moment_weight(found.inverse, means=True)
        products = saturated_products(answers, patterns, found, kept) if sandwich else None
        if not kept.all():
            complete = complete[np.ix_(kept, kept)]
        out.append(Saturated(sample.weight, kept, observed, inverse, complete, products))
    return tuple(out)


def complete_expectation(
    groups: tuple[Saturated, ...], discrepancy: Incomplete, point: Point, space: Subspace
) -> float:
    """Return what N F of complete data, taken between the saturated and the fitted moments, is where the model holds.

    tr[C (I - P) Gamma (I - P)'], P = D (D' H D)^-1 D' H, with D the derivatives of the moments, H the observed and C
    the complete information, and Gamma the covariance matrix of the saturated moments (Zhang and Savalei 2022):

        tr(C Gamma) - 2 tr(A D' H Gamma C D) + tr(A D' C D A D' H Gamma H D),   A = (D' H D)^-1,

    which is tr(C H^-1) - tr(A D' C D) where Gamma = H^-1.
    """
    size = len(point.theta)
    rank = space.basis.shape[1]
    observed, mixed, spread = np.zeros((3, rank, rank))
    # D' C D is what complete answers would tell about the parameters, were the saturated moments those of the model.
    there = replace(point, inverse=tuple(np.asarray(np.linalg.inv(sample.cov)) for sample in discrepancy.samples))
    complete = space.reduce_matrix(information(discrepancy.blocks, discrepancy.samples, there))
    whole = 0.0
    # With group weights f, H_g and C_g are weighted by f and Gamma_g by 1 / f.
    for group, block, at in zip(groups, discrepancy.blocks, point.implied, strict=True):
        D = moment_jacobian(block, at, size)
        if not group.kept.all():
            D = D[group.kept]
        if space.constrained:
            D = D @ space.basis
        whole += group.expectation
        observed += group.weight * D.T @ group.observed @ D
        if group.products is not None:
            mixed += group.weight * D.T @ group.products @ (group.inverse @ (group.complete @ D))
            spread += group.weight * D.T @ group.products @ D
    bread = np.asarray(np.linalg.inv(observed), dtype=np.float64)
    if groups[0].products is None:
        return whole - float(np.vdot(bread, complete))
    return whole - 2.0 * float(np.vdot(bread, mixed.T)) + float(np.vdot(bread @ complete @ bread, spread))
