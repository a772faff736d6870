"""Sample statistics of responses given covariates: thresholds, slopes, residual correlations and their covariance.

Every response is regressed on the covariates by itself; then every pair of residuals gets its correlation, given the
regressions: polychoric, polyserial (Olsson, Drasgow and Dorans 1982, doi:10.1007/BF02294164) or of product moments. The
sampling covariance comes from influence functions of the two steps (Muthen 1984, doi:10.1007/BF02294210; Muthen and
Satorra 1995, doi:10.1007/BF02294325). As in lavaan, the slopes of every estimating equation are cross-products of
scores. Covariates are given: they have no sampling error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.mixed import most_likely, polyserial_slopes
from sem_loyalty.kernel.ordinal import OrdinalStatistics
from sem_loyalty.kernel.polychoric import LARGEST
from sem_loyalty.kernel.probit import Covariates, Lines, Probits, lines, probits
from sem_loyalty.kernel.residual_polychoric import residual_pairs

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

# Newton steps for the correlation of two residuals, of which a complete pair needs one.
MOST_STEPS, LAST_STEP = 50, 1e-9


@dataclass(frozen=True, slots=True)
class ConditionalStatistics(OrdinalStatistics):
    """Statistics of p responses given x covariates in one sample.

    Thresholds and means are those of the responses where every covariate is zero; correlations, variances and
    covariances are those of the residuals.

    Attributes
    ----------
    slopes : ndarray, shape (p, x)
        Regressions of the responses on the covariates.
    given_mean : ndarray, shape (x,)
        Means of the covariates.
    given_cov : ndarray, shape (x, x)
        Their covariance matrix, divided by n - 1.
    """

    slopes: Array
    given_mean: Array
    given_cov: Array

    @property
    def statistics(self) -> Array:
        """What is fitted, shape (m,).

        Thresholds, and minus the means of continuous variables, variable by variable; slopes, variable by variable;
        then residual variances of continuous variables; then residual correlations and covariances of the lower
        triangle by columns.
        """
        first, second = np.triu_indices(len(self.correlation), 1)
        single = [
            np.array([-mean]) if varies else cuts
            for cuts, mean, varies in zip(self.thresholds, self.mean, self.continuous, strict=True)
        ]
        variances = np.diagonal(self.correlation)[self.continuous]
        return np.concatenate([*single, self.slopes.ravel(), variances, self.correlation[first, second]])

    @property
    def total_cov(self) -> Array:
        """Covariances of the responses and, after them, the covariates, shape (p + x, p + x)."""
        across = self.slopes @ self.given_cov
        return np.block([[self.correlation + across @ self.slopes.T, across], [across.T, self.given_cov]])

    @property
    def total_mean(self) -> Array:
        """Means of the responses (of items zero where the covariates are) and of the covariates, shape (p + x,)."""
        return np.concatenate([self.mean + self.slopes @ self.given_mean, self.given_mean])


def conditional_statistics(codes: Index, values: Array, continuous: Mask, given: Covariates) -> ConditionalStatistics:
    """Return thresholds, means, slopes, residual moments and their sampling covariance.

    Parameters
    ----------
    codes : ndarray of int, shape (n, o)
        Categories of the items, from 0 without gaps; -1 for a missing answer.
    values : ndarray, shape (n, c)
        Continuous variables; nan for a missing answer.
    continuous : ndarray of bool, shape (o + c,)
        Which variables, in the order wanted, are continuous; items and continuous variables keep their own order.
    given : Covariates
        Complete.

    Returns
    -------
    ConditionalStatistics
        `covariance` is nan for an item that the covariates determine. A correlation of ±0.999 is one whose likelihood
        has no maximum inside.
    """
    tables, margins = probits(codes, given.standard), lines(values, given.standard)
    order = np.concatenate([np.flatnonzero(~continuous), np.flatnonzero(continuous)])
    matrix, by_pair = _residual_moments(codes, tables, margins, order, given.standard)
    thresholds, by_cut, slopes, by_slope = [], [], np.zeros((len(order), len(given.mean))), []
    mean = np.zeros(len(order))
    place = np.where(continuous, np.cumsum(continuous), np.cumsum(~continuous)) - 1
    for j, k in enumerate(place.tolist()):
        cuts = margins.cut[[k]] if continuous[j] else tables.cuts[k]
        own = margins.influence[k][:, :-1] if continuous[j] else tables.influence[k]
        beta = margins.slopes[k] if continuous[j] else tables.slopes[k]
        estimate, effect = (given.at_zero(x, len(cuts)) for x in (np.concatenate([cuts, beta]), own))
        thresholds.append(np.zeros(0) if continuous[j] else estimate[: len(cuts)])
        mean[j] = -estimate[0] if continuous[j] else 0.0
        slopes[j] = estimate[len(cuts) :]
        by_cut.append(effect[:, : len(cuts)])
        by_slope.append(effect[:, len(cuts) :])
    influence = np.concatenate([*by_cut, *by_slope, margins.influence[:, :, -1].T, by_pair], axis=1)
    gamma = influence.T @ influence / len(codes)
    return ConditionalStatistics(
        tuple(thresholds), matrix, mean, continuous, gamma, len(codes), slopes, given.mean, given.cov
    )  # fmt: skip


def _residual_moments(
    codes: Index, tables: Probits, margins: Lines, order: Index, standard: Array
) -> tuple[Array, Array]:
    """Return the covariances of the residuals (of items correlations), (p, p), and influences, (n, p (p - 1) / 2).

    `order` holds the places of the items and, after them, of the continuous variables.
    """
    p = len(order)
    matrix, number = np.zeros((p, p)), np.zeros((p, p), dtype=np.intp)
    matrix[order, order] = np.concatenate([np.ones(len(tables.cuts)), margins.variance])
    number[np.triu_indices(p, 1)] = np.arange(p * (p - 1) // 2)
    influence = np.empty((len(codes), p * (p - 1) // 2))
    for rows, cols, found, effect in chain(
        _item_pairs(codes, tables, standard),
        (_mixed_pairs(codes, tables, margins, standard), _line_pairs(margins, standard)),
    ):
        one, other = order[rows], order[cols]
        matrix[one, other] = matrix[other, one] = found
        influence[:, number[np.minimum(one, other), np.maximum(one, other)]] = effect
    return matrix, influence


Found = tuple[Index, Index, Array, Array]


def _item_pairs(codes: Index, tables: Probits, standard: Array) -> Iterator[Found]:
    """Yield pairs of items with the correlations of their residuals and influences, (n, pairs)."""
    n = len(codes)
    designs = [_limits_by(answers, len(cuts), standard) for answers, cuts in zip(codes.T, tables.cuts, strict=True)]
    for pairs in residual_pairs(tables.upper, tables.lower):
        effect = pairs.score.copy()
        for side, (by_upper, by_lower) in ((pairs.first, pairs.by_first), (pairs.second, pairs.by_second)):
            for item in np.unique(side).tolist():
                rows = np.flatnonzero(side == item)
                E, F = designs[item]
                cross = (pairs.score[rows] * by_upper[rows]) @ E + (pairs.score[rows] * by_lower[rows]) @ F
                effect[rows] -= cross @ tables.influence[item].T / n
        own = (pairs.score**2).mean(axis=1)
        effect /= np.where(np.abs(pairs.rho) < LARGEST - 1e-9, own, np.nan)[:, None]
        yield pairs.first, pairs.second, pairs.rho, effect.T


def _limits_by(answers: Index, cuts: int, standard: Array) -> tuple[Array, Array]:
    """Return the derivatives of the upper and lower limits of an item's residual by its cuts and slopes."""
    at = np.arange(cuts)
    return (
        np.concatenate([answers[:, None] == at, -standard], axis=1),
        np.concatenate([answers[:, None] == at + 1, -standard], axis=1),
    )


def _mixed_pairs(codes: Index, tables: Probits, margins: Lines, standard: Array) -> Found:
    """Return pairs of an item and a continuous variable with covariances of the residuals and influences.

    Continuous variables are numbered after the items.
    """
    n, o = codes.shape
    item, other = np.indices((o, len(margins.cut))).reshape(2, -1)
    upper, lower, w = tables.upper.T[:, item], tables.lower.T[:, item], margins.standard[:, other]
    both = (codes >= 0)[:, item] & margins.seen[:, other]
    rho = most_likely(upper, lower, w, both)
    at = polyserial_slopes(upper, lower, w, rho)
    score = np.where(both, at.score, 0.0)
    effect = score.copy()
    for j, influence in enumerate(tables.influence):
        own = np.flatnonzero(item == j)
        E, F = _limits_by(codes[:, j], len(tables.cuts[j]), standard)
        cross = (score * at.upper)[:, own].T @ E - (score * at.lower)[:, own].T @ F
        effect[:, own] -= influence @ cross.T / n
    sd = np.sqrt(margins.variance)[other]
    by_mean = score * (w - at.across) / sd
    by_variance = score * (w * w - 1.0 - w * at.across) / (2.0 * sd**2)
    for k in range(len(margins.cut)):
        own = np.flatnonzero(other == k)
        effect[:, own] -= _carried(margins, k, by_mean[:, own], by_variance[:, own], standard)
    effect /= np.where(np.abs(rho) < LARGEST - 1e-9, (score**2).mean(axis=0), np.nan)
    effect = effect * sd + margins.influence[other, :, -1].T * (rho / (2.0 * sd))
    return item, o + other, rho * sd, effect


def _carried(margins: Lines, k: int, by_mean: Array, by_variance: Array, standard: Array) -> Array:
    """Return what the regression of a continuous variable carries into later scores, (n, pairs).

    `by_mean` and `by_variance` are casewise scores times derivatives by mean and variance, (n, pairs).
    """
    cross = np.vstack([-by_mean.sum(axis=0), standard.T @ by_mean, by_variance.sum(axis=0)])
    return np.asarray(margins.influence[k] @ cross / len(standard))


def _line_pairs(margins: Lines, standard: Array) -> Found:
    """Return pairs of continuous variables with covariances of the residuals and influences.

    The likelihood equation at given means and variances is a cubic in r; with complete answers its root is the
    product-moment correlation. Variables are numbered from the end, -1 the last.
    """
    c = len(margins.cut)
    first, second = np.triu_indices(c, 1)
    u, w = margins.standard[:, first], margins.standard[:, second]
    both = margins.seen[:, first] & margins.seen[:, second]
    count = both.sum(axis=0)
    product, squares = (u * w).sum(axis=0) / count, ((u * u + w * w) * both).sum(axis=0) / count
    r = product.copy()
    for _iteration in range(MOST_STEPS):
        slope = 1.0 - 3.0 * r * r + 2.0 * r * product - squares
        step = (r * (1.0 - r * r) + (1.0 + r * r) * product - r * squares) / slope
        r = np.clip(r - step, -LARGEST, LARGEST)
        if (np.abs(step) < LAST_STEP).all():
            break
    rest = 1.0 - r * r
    score = np.where(both, r / rest + ((1.0 + r * r) * u * w - r * (u * u + w * w)) / rest**2, 0.0)
    effect = score.copy()
    sd = np.sqrt(margins.variance)
    for side, a, b in ((first, u, w), (second, w, u)):
        by_mean = score * (a - r * b) / (rest * sd[side])
        by_variance = score * ((a * a - r * a * b) / rest - 1.0) / (2.0 * sd[side] ** 2)
        for k in range(c):
            own = np.flatnonzero(side == k)
            effect[:, own] -= _carried(margins, k, by_mean[:, own], by_variance[:, own], standard)
    effect *= sd[first] * sd[second] / (score**2).mean(axis=0)
    by_first, by_second = margins.influence[first, :, -1].T, margins.influence[second, :, -1].T
    ratio = sd[second] / (2.0 * sd[first])
    effect += r * (ratio * by_first + by_second / (4.0 * ratio))
    return first - c, second - c, r * sd[first] * sd[second], effect
