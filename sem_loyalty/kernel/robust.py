"""What maximum likelihood needs where the answers are not normal: casewise scores, sandwiches and scaled tests.

With d = y - mu, z = Sigma^-1 d and dSigma = c (u w' + w u'), the score of one respondent for one entry is

    c [(u' z)(w' z) - u' Sigma^-1 w] + dmu' z,

so meat matrices come from products of the rows with the columns of E, without the p^2 x p^2 matrix of fourth
moments. References: Satorra and Bentler 1994 (in Latent Variables Analysis, eds von Eye and Clogg, 399-419);
Yuan and Bentler 2000, doi:10.1111/0081-1750.00078; Asparouhov and Muthen 2005 and 2010 (mplus web notes);
Huber 1967; White 1982, doi:10.2307/1912526.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.likelihood import Point, Sample
from sem_loyalty.kernel.ram import (
    Block,
    Implied,
    block_factors,
    covariance_jacobian,
    matrix_to_parameters,
    mean_jacobian,
)

Array = NDArray[np.float64]


def entry_scores(block: Block, at: Implied, inverse: Array, deviations: Array, about: Array) -> Array:
    """Return the scores of every respondent for every free entry, shape (n, entries).

    Parameters
    ----------
    block : Block
    at : Implied
    inverse : ndarray, shape (p, p)
        Sigma^-1.
    deviations : ndarray, shape (n, p)
        d: answers less the means that the scores are taken about.
    about : ndarray, shape (p, p)
        What dd' is compared with: Sigma for scores of the likelihood, S for scores centred at the sample.
    """
    found = block_factors(block, at)
    z = deviations @ inverse
    along = z @ found.columns
    level = (found.columns.T @ inverse @ about @ inverse @ found.columns)[found.left, found.right]
    scores = found.weight * (along[:, found.left] * along[:, found.right] - level)
    full = np.concatenate([scores, np.zeros((len(z), len(block.intercept_row)))], axis=1)
    if block.means:
        full += z @ mean_jacobian(block, at)
    return np.asarray(full)


def meat(
    blocks: tuple[Block, ...],
    samples: tuple[Sample, ...],
    point: Point,
    rows: tuple[Array, ...],
    *,
    centred: bool,
    fixed: list[int],
) -> Array:
    """Return the mean cross-product of the scores, weighted over groups, shape (q, q).

    Parameters
    ----------
    blocks, samples, point
        Model, moments and solution.
    rows : tuple of ndarray, each (n_g, p)
        Answers, in the order of the observed variables.
    centred : bool
        True takes deviations from the sample moments (Satorra-Bentler), False from the implied ones (the
        likelihood's own scores).
    fixed : list of int
        Positions of fixed covariates: what they predict of a centred moment is not random.
    """
    size = len(point.theta)
    total = np.zeros((size, size))
    for block, sample, at, inverse, answers in zip(blocks, samples, point.implied, point.inverse, rows, strict=True):
        mean = answers.mean(axis=0)
        if block.means and not centred:
            mean = at.mean
        scores = entry_scores(block, at, inverse, answers - mean, sample.cov if centred else at.cov)
        if centred and fixed:
            scores -= entry_scores(block, at, inverse, predicted(answers - mean, fixed), sample.cov)
            scores -= scores.mean(axis=0)
        total += sample.weight * matrix_to_parameters(block, scores.T @ scores / len(answers), size)
    return total


def predicted(deviations: Array, fixed: list[int]) -> Array:
    """Return what a regression on the fixed covariates predicts of every variable, shape (n, p)."""
    x = deviations[:, fixed]
    slopes = np.linalg.lstsq(x, deviations, rcond=None)[0]
    out = x @ slopes
    out[:, fixed] = x
    return np.asarray(out)


def saturated_trace(sample: Sample, inverse: Array, answers: Array, *, means: bool) -> float:
    """Return tr(W Gamma): W the normal-theory weight at Sigma, Gamma the covariance of the sample moments.

    With d = y - ybar: mean((d' Sigma^-1 d)^2) / 2 - tr(Sigma^-1 S Sigma^-1 S) / 2, plus tr(Sigma^-1 S) for the means.
    """
    d = answers - answers.mean(axis=0)
    distance = np.einsum("ni,ij,nj->n", d, inverse, d, optimize=True)
    product = inverse @ sample.cov
    value = 0.5 * float(np.mean(distance**2)) - 0.5 * float(np.einsum("ij,ji->", product, product))
    return value + float(np.trace(product)) if means else value


def conditional_trace(inverse: Array, answers: Array, fixed: list[int], *, means: bool) -> float:
    """Return tr(A^-1 B) of the saturated model given fixed covariates: moments among them are left out.

    A is the normal-theory weight and B = W Gamma W, both at the sample moments.
    """
    p = inverse.shape[0]
    gamma = moment_covariance(answers, means=means, fixed=[])
    weight = moment_weight(inverse, means=means)
    col, row = np.triu_indices(p)
    kept = ~(np.isin(row, fixed) & np.isin(col, fixed))
    if means:
        kept = np.concatenate([~np.isin(np.arange(p), fixed), kept])
    meat_matrix = (weight @ gamma @ weight)[np.ix_(kept, kept)]
    return float(np.trace(np.linalg.solve(weight[np.ix_(kept, kept)], meat_matrix)))


def moment_covariance(answers: Array, *, means: bool, fixed: list[int]) -> Array:
    """Return Gamma, N times the covariance of the sample moments (means if asked, then vech S by columns).

    Given fixed covariates, what they predict of a moment is not random: with dhat the regression of d on them, dd'
    becomes dd' - dhat dhat' and d becomes d - dhat.
    """
    d = answers - answers.mean(axis=0)
    col, row = np.triu_indices(d.shape[1])
    products = d[:, row] * d[:, col]
    if fixed:
        fitted = predicted(d, fixed)
        products -= fitted[:, row] * fitted[:, col]
        d = d - fitted
    products = products - products.mean(axis=0)
    moments = np.concatenate([d, products], axis=1) if means else products
    return np.asarray(moments.T @ moments / len(d))


def moment_weight(inverse: Array, *, means: bool) -> Array:
    """Return the normal-theory weight matrix W for the same moments.

    For vech: W[(i, j), (k, l)] = (M_ik M_jl + M_il M_jk) / 2, doubled for each pair off the diagonal, M = Sigma^-1.
    """
    p = len(inverse)
    col, row = np.triu_indices(p)
    times = np.where(row == col, 1.0, 2.0)
    by_row, by_col = inverse[row], inverse[col]
    weight = by_row.take(row, axis=1)
    weight *= by_col.take(col, axis=1)
    crossed = by_row.take(col, axis=1)
    crossed *= by_col.take(row, axis=1)
    weight += crossed
    weight *= 0.25 * times[:, None]
    weight *= times
    if not means:
        return np.asarray(weight)
    full = np.zeros((p + len(row), p + len(row)))
    full[:p, :p] = inverse
    full[p:, p:] = weight
    return full


def moment_jacobian(block: Block, at: Implied, size: int) -> Array:
    """Return the derivatives of the same moments by the parameters, shape (moments, q)."""
    by_cov = covariance_jacobian(block, at)
    entries = block.entry_parameter
    full = np.concatenate([by_cov, np.zeros((len(by_cov), len(entries) - by_cov.shape[1]))], axis=1)
    if block.means:
        full = np.concatenate([mean_jacobian(block, at), full], axis=0)
    out = np.zeros((size, len(full)))
    if block.distinct:
        out[entries] = full.T
    else:
        np.add.at(out, entries, full.T)
    return np.asarray(out.T)


def residual_traces(
    blocks: tuple[Block, ...],
    samples: tuple[Sample, ...],
    point: Point,
    rows: tuple[Array, ...],
    bread: Array,
    fixed: list[int],
) -> tuple[float, float]:
    """Return tr(U Gamma) and tr(U Gamma U Gamma), U = W - W Delta bread Delta' W over all groups.

    Parameters
    ----------
    bread : ndarray, shape (q, q)
        Inverse of the expected information, within the constraints.
    """
    size = len(point.theta)
    halves, jacobians = [], []
    for block, sample, at, inverse, answers in zip(blocks, samples, point.implied, point.inverse, rows, strict=True):
        gamma = moment_covariance(answers, means=block.means, fixed=fixed)
        weight = moment_weight(inverse, means=block.means)
        halves.append((weight, gamma))
        jacobians.append(weight @ moment_jacobian(block, at, size) * np.sqrt(sample.weight))
    # With group weights f, W_g is weighted by f and Gamma_g by 1 / f; square roots keep the product symmetric.
    trace = square = 0.0
    for g, (weight, gamma) in enumerate(halves):
        for h, (_, other) in enumerate(halves):
            inner = -jacobians[g] @ bread @ jacobians[h].T
            if g == h:
                inner = weight + inner
                trace += float(np.einsum("ij,ji->", inner, gamma))
            left = gamma @ inner
            square += float(np.einsum("ij,ij->", left, inner @ other))
    return trace, square
