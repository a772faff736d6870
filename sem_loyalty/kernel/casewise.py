"""Scores of single respondents with missing answers, and what robust inference builds from them.

With z = M_r (y - mu), the score of a respondent is z by mu, and (2 - [i = j]) (z_i z_j - M_r,ij) / 2 by Sigma_ij.
References: Yuan and Bentler 2000, doi:10.1111/0081-1750.00078; Savalei and Falk 2014,
doi:10.1080/10705511.2013.824784; Zhang and Savalei 2022, doi:10.1037/met0000445.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.expectation import Expectation, expectation_at
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.likelihood import Point, Sample
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


def saturated_information(patterns: Patterns, sample: Sample, rows: Array, kept: Kept) -> tuple[Array, Array]:
    """Return observed information and mean cross-product of the scores of the saturated model.

    Parameters
    ----------
    patterns, sample, rows
        One group.
    kept : ndarray of bool
        Which of the moments (means, then vech Sigma by columns) are random: not those among fixed covariates.
    """
    found = expectation_at(patterns, sample)
    scores = moment_scores(rows, patterns, found)[:, kept]
    return moment_hessian(patterns, found)[np.ix_(kept, kept)], scores.T @ scores / len(rows)


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
    observed : ndarray
        Observed information of the incomplete answers.
    complete : ndarray
        Information that complete answers would give.
    spread : ndarray
        n_g times the covariance matrix of the estimates: normal theory, or sandwich.
    """

    weight: float
    kept: Kept
    observed: Array
    complete: Array
    spread: Array


def saturated_groups(
    discrepancy: Incomplete, rows: tuple[Array, ...], fixed: list[int], *, sandwich: bool
) -> tuple[Saturated, ...]:
    """Return what is known of the saturated moments, by group."""
    out = []
    for patterns, sample, answers in zip(discrepancy.patterns, discrepancy.samples, rows, strict=True):
        kept = random_moments(len(sample.cov), fixed)
        observed, products = saturated_information(patterns, sample, answers, kept)
        inverse = np.asarray(np.linalg.inv(observed), dtype=np.float64)
        weight = moment_weight(np.asarray(np.linalg.inv(sample.cov), dtype=np.float64), means=True)
        spread = inverse @ products @ inverse if sandwich else inverse
        out.append(Saturated(sample.weight, kept, observed, weight[np.ix_(kept, kept)], spread))
    return tuple(out)


def complete_expectation(
    groups: tuple[Saturated, ...], discrepancy: Incomplete, point: Point, space: Subspace
) -> float:
    """Return what N F of complete data, taken between the saturated and the fitted moments, is where the model holds.

    tr[C (I - P) Gamma (I - P)'], P = D (D' H D)^-1 D' H, with D the derivatives of the moments, H the observed and C
    the complete information, and Gamma the covariance matrix of the saturated moments (Zhang and Savalei 2022).
    """
    size = len(point.theta)
    jacobians = [
        moment_jacobian(block, at, size)[group.kept] @ space.basis
        for group, block, at in zip(groups, discrepancy.blocks, point.implied, strict=True)
    ]
    pulls = [group.weight * D.T @ group.observed for group, D in zip(groups, jacobians, strict=True)]
    bread = np.linalg.inv(sum(pull @ D for pull, D in zip(pulls, jacobians, strict=True)))
    # With group weights f, C_g is weighted by f and Gamma_g by 1 / f.
    total = 0.0
    for g, group in enumerate(groups):
        for h, other in enumerate(groups):
            left = -jacobians[g] @ bread @ pulls[h]
            if g == h:
                left[np.diag_indices_from(left)] += 1.0
            inner = group.complete @ left @ other.spread
            total += group.weight / other.weight * float(np.einsum("ij,ij->", inner, left))
    return total
