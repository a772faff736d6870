"""Scores of single respondents with missing answers, and what robust inference builds from them.

With z = M_r (y - mu), the score of a respondent is z by mu, and (2 - [i = j]) (z_i z_j - M_r,ij) / 2 by Sigma_ij.
References: Yuan and Bentler 2000, doi:10.1111/0081-1750.00078; Savalei and Falk 2014,
doi:10.1080/10705511.2013.824784; Zhang and Savalei 2022, doi:10.1037/met0000445.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.expectation import Expectation
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.likelihood import Point
from sem_loyalty.kernel.linear_algebra import blas
from sem_loyalty.kernel.patterns import Patterns
from sem_loyalty.kernel.precisions import moment_hessian, precisions
from sem_loyalty.kernel.ram import Block, Implied, matrix_to_parameters, moment_derivatives
from sem_loyalty.kernel.robust import moment_jacobian
from sem_loyalty.kernel.roots import roots
from sem_loyalty.kernel.solver import Subspace

Array = NDArray[np.float64]
Kept = NDArray[np.bool_]


def moment_scores(
    rows: Array, patterns: Patterns, found: Expectation, units: tuple[Array, Array] | None = None
) -> Array:
    """Return the scores of every respondent by the means and vech(Sigma), shape (n, p + p (p + 1) / 2).

    Parameters
    ----------
    rows : ndarray, shape (n, p)
        NaN for missing.
    patterns : Patterns
        Those of `rows`.
    found : Expectation
        At Sigma and mu.
    units : (ndarray, ndarray), optional
        T and T^-1: the moments of x with v = T x instead.
    """
    deviation = np.where(np.isnan(rows), 0.0, rows - found.mean)
    if units is not None:
        deviation = deviation @ units[1].T
    precision = precisions(patterns, found, None if units is None else units[0])[patterns.which]
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


def saturated_information(patterns: Patterns, found: Expectation, kept: Kept, units: Array | None = None) -> Array:
    """Return the observed information of the saturated model, over the random moments.

    Parameters
    ----------
    patterns : Patterns
    found : Expectation
        At the moments of the saturated model.
    kept : ndarray of bool
        Which of the moments (means, then vech Sigma by columns) are random: not those among fixed covariates.
    units : ndarray, shape (p, p), optional
        T: the moments of x with v = T x instead.
    """
    observed = moment_hessian(patterns, found, units)
    return observed if kept.all() else observed[np.ix_(kept, kept)]


def saturated_products(
    rows: Array, patterns: Patterns, found: Expectation, kept: Kept, units: tuple[Array, Array] | None = None
) -> Array:
    """Return the mean cross-product of the scores of the saturated model, over the random moments."""
    scores = moment_scores(rows, patterns, found, units)[:, kept]
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

    Moments are those of x = T^-1 v with the identity for a covariance matrix, the covariates first, so that C is
    diagonal: nothing that is asked of them depends on units.

    Attributes
    ----------
    weight : float
        n_g / N.
    turn : ndarray, shape (p, p)
        T^-1.
    kept : ndarray of bool
        The random moments; the others are over them.
    observed : ndarray
        H, the observed information of the incomplete answers.
    factor : ndarray or None
        Lower triangular L with H = L L'; None where H is not positive definite.
    complete : ndarray
        The diagonal of C, the information that complete answers would give.
    variances : ndarray
        The diagonal of H^-1.
    inverse, products : ndarray or None
        H^-1, and B, mean cross-product of the scores, where the estimates have the covariance matrix
        H^-1 B H^-1 / n_g; None where it is H^-1 / n_g.
    """

    weight: float
    turn: Array
    kept: Kept
    observed: Array
    factor: Array | None
    complete: Array
    variances: Array
    inverse: Array | None
    products: Array | None

    @property
    def expectation(self) -> float:
        """tr(C Gamma), Gamma the covariance matrix of the estimates times n_g."""
        if self.inverse is None or self.products is None:
            return float(self.complete @ self.variances)
        return float(self.complete @ ((self.inverse @ self.products) * self.inverse).sum(axis=1))

    @property
    def spread(self) -> float:
        """tr(H^-1 B), the number of moments where the answers are normal."""
        if self.inverse is None or self.products is None:
            return float(len(self.observed))
        return float(np.vdot(self.inverse, self.products))

    def information(self, directions: Array) -> Array:
        """Return D' H D for directions D, shape (moments, r)."""
        if self.factor is None:
            return np.asarray(directions.T @ (self.observed @ directions))
        # A triangular product takes half the time of one with H.
        turned = blas.dtrmm(1.0, self.factor, directions, lower=1, trans_a=1)
        return np.asarray(turned.T @ turned)

    def jacobian(self, block: Block, at: Implied, size: int) -> Array:
        """Return the derivatives of the random moments that a model implies by its parameters, shape (moments, q)."""
        p = len(self.turn)
        turned = replace(at, total_inverse=self.turn @ at.total_inverse[:p], total=self.turn @ at.total[:p])
        found = moment_jacobian(block, turned, size)
        return found if self.kept.all() else found[self.kept]


def saturated_groups(
    discrepancy: Incomplete, rows: tuple[Array, ...], fixed: list[int], *, sandwich: bool
) -> tuple[Saturated, ...]:
    """Return what is known of the saturated moments, by group."""
    out = []
    for patterns, sample, found, answers in zip(
        discrepancy.patterns, discrepancy.samples, discrepancy.expected_saturated(), rows, strict=True
    ):
        units, turn = _standard_units(sample.cov, fixed)
        kept = random_moments(len(units), list(range(len(fixed))))
        observed = saturated_information(patterns, found, kept, units)
        found_roots = roots(observed)
        if found_roots is not None:
            factor, root = found_roots
            variances = np.einsum("ij,ij->j", root, root)
            inverse = root.T @ root if sandwich else None
        else:
            # Away from a regular maximum.
            factor, inverse = None, np.asarray(np.linalg.inv(observed), dtype=np.float64)
            variances, inverse = np.diagonal(inverse), inverse if sandwich else None
        products = saturated_products(answers, patterns, found, kept, (units, turn)) if sandwich else None
        # (M_ik M_jl + M_il M_jk) / 4 with pairs off the diagonal counted twice, and M the identity.
        pairs = np.where(np.equal(*np.triu_indices(len(units))), 0.5, 1.0)
        complete = np.concatenate([np.ones(len(units)), pairs])[kept]
        out.append(Saturated(sample.weight, turn, kept, observed, factor, complete, variances, inverse, products))
    return tuple(out)


def _standard_units(cov: Array, fixed: list[int]) -> tuple[Array, Array]:
    """Return T with T T' = Sigma, and T^-1, each (p, p); x = T^-1 v begins with what depends on covariates only."""
    order = [*fixed, *(i for i in range(len(cov)) if i not in fixed)]
    factor = np.linalg.cholesky(cov[np.ix_(order, order)])
    units, turn = np.empty(cov.shape), np.empty(cov.shape)
    units[order] = factor
    turn[:, order] = np.linalg.inv(factor)
    return units, turn


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
    observed, complete, mixed, spread = np.zeros((4, rank, rank))
    whole = 0.0
    # With group weights f, H_g and C_g are weighted by f and Gamma_g by 1 / f.
    for group, block, at in zip(groups, discrepancy.blocks, point.implied, strict=True):
        D = group.jacobian(block, at, size)
        if space.constrained:
            D = D @ space.basis
        weighted = group.complete[:, None] * D
        whole += group.expectation
        observed += group.weight * group.information(D)
        complete += group.weight * D.T @ weighted
        if group.inverse is not None and group.products is not None:
            mixed += group.weight * D.T @ (group.products @ (group.inverse @ weighted))
            spread += group.weight * D.T @ (group.products @ D)
    found = roots(observed)
    bread = np.asarray(np.linalg.inv(observed) if found is None else found[1].T @ found[1])
    if groups[0].products is None:
        return whole - float(np.vdot(bread, complete))
    return whole - 2.0 * float(np.vdot(bread, mixed.T)) + float(np.vdot(bread @ complete @ bread, spread))
