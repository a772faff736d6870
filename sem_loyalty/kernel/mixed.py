"""Sample statistics of ordinal items beside continuous variables: polyserial correlations and their covariance.

An item and a continuous variable x are one normal pair of which only the category of the first is seen. The
correlation maximises the likelihood of the categories given x, thresholds, mean and variance being those of the margins
(Olsson, Drasgow and Dorans 1982, doi:10.1007/BF02294164). The sampling covariance comes from influence functions of the
two steps (Muthen 1984, doi:10.1007/BF02294210). As in lavaan, the slopes of every estimating equation are
cross-products of scores, also for means and variances: exact where the responses are normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sem_loyalty.kernel.bivariate import BEYOND
from sem_loyalty.kernel.ordinal import ItemStatistics, OrdinalStatistics, item_statistics
from sem_loyalty.kernel.polychoric import LARGEST, LAST_STEP, LEAST

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Margins:
    """Continuous variables by themselves.

    Attributes
    ----------
    mean, variance : ndarray, shape (c,)
        Divided by the number of answers.
    seen : ndarray of bool, shape (n, c)
        Where there is an answer.
    standard : ndarray, shape (n, c)
        Standardised values; zero where there is no answer.
    by_mean, by_variance : ndarray, shape (n, c)
        Influence of every respondent on both.
    """

    mean: Array
    variance: Array
    seen: NDArray[np.bool_]
    standard: Array
    by_mean: Array
    by_variance: Array


@dataclass(frozen=True, slots=True)
class Slopes:
    """Casewise scores of pairs of an item with every continuous variable, each (n, c).

    Attributes
    ----------
    score, bend : ndarray
        First and second derivative of the log-likelihood by the correlation.
    upper, lower : ndarray
        Derivatives by the thresholds above and below the answer.
    across : ndarray
        Derivative by the standardised continuous variable, at a given answer.
    """

    score: Array
    bend: Array
    upper: Array
    lower: Array
    across: Array


def mixed_statistics(codes: Index, values: Array, continuous: NDArray[np.bool_]) -> OrdinalStatistics:
    """Return thresholds, means, variances, correlations, covariances and their sampling covariance.

    Parameters
    ----------
    codes : ndarray of int, shape (n, o)
        Categories of the items, from 0 without gaps; -1 for a missing answer.
    values : ndarray, shape (n, c)
        Continuous variables; nan for a missing answer.
    continuous : ndarray of bool, shape (o + c,)
        Which variables, in the order wanted, are continuous; items and continuous variables keep their own order.

    Returns
    -------
    OrdinalStatistics
        A correlation of ±0.999 is one whose likelihood has no maximum inside.
    """
    n, p = len(codes), len(continuous)
    table, margins = item_statistics(codes), _margins(values)
    items, others = np.flatnonzero(~continuous), np.flatnonzero(continuous)
    matrix = np.zeros((p, p))
    influence: dict[tuple[int, int], Array] = {}
    matrix[np.ix_(items, items)] = table.correlation
    for k, (i, j) in enumerate(zip(table.first, table.second, strict=True)):
        influence[int(items[i]), int(items[j])] = table.by_pair[:, k]
    for i, item in enumerate(items):
        rho, effect = _polyserial(codes[:, i], table, i, margins)
        matrix[item, others] = matrix[others, item] = rho
        for k, other in enumerate(others):
            influence[min(int(item), int(other)), max(int(item), int(other))] = effect[:, k]
    for k, other in enumerate(others):
        matrix[other, other] = margins.variance[k]
        for m in range(k):
            found, effect = _product_moment(margins, m, k)
            matrix[others[m], other] = matrix[other, others[m]] = found
            influence[int(others[m]), int(other)] = effect
    place = {int(item): i for i, item in enumerate(items)} | {int(other): k for k, other in enumerate(others)}
    single = [-margins.by_mean[:, [place[j]]] if continuous[j] else table.by_threshold[place[j]] for j in range(p)]
    first, second = np.triu_indices(p, 1)
    pairs = [influence[int(i), int(j)][:, None] for i, j in zip(first, second, strict=True)]
    columns = np.concatenate([*single, margins.by_variance, *pairs], axis=1)
    thresholds = tuple(np.zeros(0) if continuous[j] else table.thresholds[place[j]] for j in range(p))
    mean = np.zeros(p)
    mean[others] = margins.mean
    return OrdinalStatistics(thresholds, matrix, mean, continuous, columns.T @ columns / n, n)


def _margins(values: Array) -> Margins:
    """Return means and variances, with influences whose slopes are cross-products of scores."""
    seen = ~np.isnan(values)
    count = seen.sum(axis=0)
    mean = np.where(seen, values, 0.0).sum(axis=0) / count
    deviation = np.where(seen, values - mean, 0.0)
    variance = (deviation**2).sum(axis=0) / count
    bend = np.where(seen, deviation**2 - variance, 0.0)
    scores = np.stack([deviation / variance, bend / (2.0 * variance**2)], axis=2)
    slopes = np.einsum("ncs,nct->cst", scores, scores) / len(values)
    effect = np.einsum("ncs,cst->nct", scores, np.linalg.inv(slopes))
    return Margins(mean, variance, seen, deviation / np.sqrt(variance), effect[:, :, 0], effect[:, :, 1])


def _polyserial(answers: Index, table: ItemStatistics, item: int, margins: Margins) -> tuple[Array, Array]:
    """Return the covariances of one item with every continuous variable, shape (c,), and influences, shape (n, c)."""
    cuts = table.thresholds[item]
    edges = np.concatenate([[-BEYOND], cuts, [BEYOND]])
    upper, lower = edges[answers + 1][:, None], edges[np.maximum(answers, 0)][:, None]
    both = margins.seen & (answers >= 0)[:, None]
    count = both.sum(axis=0)
    sd = np.sqrt(margins.variance)
    rho = most_likely(upper, lower, margins.standard, both)
    at = polyserial_slopes(upper, lower, margins.standard, rho)
    score = np.where(both, at.score, 0.0)
    # Slopes of the equation for rho by rho, the thresholds, mean and variance.
    own = (score**2).sum(axis=0) / count
    effect = score * (len(answers) / count)
    for number, by_cut in enumerate(table.by_threshold[item].T):
        cross = np.where((answers == number)[:, None], at.upper, 0.0) - np.where(
            (answers == number + 1)[:, None], at.lower, 0.0
        )
        effect -= by_cut[:, None] * ((score * cross).sum(axis=0) / count)
    w = margins.standard
    effect -= margins.by_mean * ((score * (w - at.across)).sum(axis=0) / (count * sd))
    by_variance = (score * (w * w - 1.0 - w * at.across)).sum(axis=0) / (2.0 * count * margins.variance)
    effect -= margins.by_variance * by_variance
    effect /= np.where(np.abs(rho) < LARGEST - 1e-9, own, np.nan)
    return rho * sd, effect * sd + margins.by_variance * (rho / (2.0 * sd))


def most_likely(upper: Array, lower: Array, standard: Array, both: NDArray[np.bool_]) -> Array:
    """Return the correlations that maximise the likelihood of complete pairs: Newton steps within a bracket, (c,)."""
    count = standard.shape[1]
    rho = np.zeros(count)
    low, high = np.full(count, -LARGEST), np.full(count, LARGEST)
    settled = np.zeros(count, dtype=np.bool_)
    for _iteration in range(80):
        at = polyserial_slopes(upper, lower, standard, rho)
        score, bend = np.where(both, at.score, 0.0).sum(axis=0), np.where(both, at.bend, 0.0).sum(axis=0)
        low, high = np.where(score > 0, rho, low), np.where(score > 0, high, rho)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(bend < 0, -score / bend, np.inf)
        inside = (rho + step > low) & (rho + step < high)
        reached = np.where(inside, rho + step, 0.5 * (low + high))
        # At a maximum the sign of the score is rounding error: what has settled stays.
        rho = np.where(settled, rho, reached)
        settled |= (inside & (np.abs(step) < LAST_STEP * np.sqrt(1.0 - rho * rho))) | (high - low < 1e-14)
        if settled.all():
            break
    return rho


def polyserial_slopes(upper: Array, lower: Array, standard: Array, rho: Array) -> Slopes:
    """Return the scores of log[Phi((b - rho w) / s) - Phi((a - rho w) / s)], s^2 = 1 - rho^2, answers in (a, b]."""
    rest = 1.0 - rho * rho
    s = np.sqrt(rest)
    ends = [(cut - rho * standard) / s for cut in (upper, lower)]
    # Probabilities are differences of the smaller tails.
    turn = ends[1] > 0
    mass = np.where(turn, ndtr(-ends[1]) - ndtr(-ends[0]), ndtr(ends[0]) - ndtr(ends[1]))
    mass = np.maximum(mass, LEAST)
    peaks = [np.exp(-0.5 * end * end) / np.sqrt(2.0 * np.pi) for end in ends]
    tilts = [(cut * rho - standard) / (s * rest) for cut in (upper, lower)]
    turns = [cut / (s * rest) + 3.0 * rho * tilt / rest for cut, tilt in zip((upper, lower), tilts, strict=True)]
    score = (peaks[0] * tilts[0] - peaks[1] * tilts[1]) / mass
    curves = [peak * (turn_ - end * tilt**2) for peak, turn_, end, tilt in zip(peaks, turns, ends, tilts, strict=True)]
    return Slopes(
        score=score,
        bend=(curves[0] - curves[1]) / mass - score**2,
        upper=peaks[0] / (s * mass),
        lower=peaks[1] / (s * mass),
        across=-rho / s * (peaks[0] - peaks[1]) / mass,
    )


def _product_moment(margins: Margins, i: int, j: int) -> tuple[float, Array]:
    """Return the covariance of two continuous variables and its influence, shape (n,).

    The likelihood equation at given means and variances is a cubic in r; with complete answers its root is the
    product-moment correlation.
    """
    u, w = margins.standard[:, i], margins.standard[:, j]
    both = margins.seen[:, i] & margins.seen[:, j]
    count = int(both.sum())
    product, squares = float(u @ w) / count, float((u * u + w * w) @ both) / count
    r = product
    for _iteration in range(50):
        slope = 1.0 - 3.0 * r * r + 2.0 * r * product - squares
        step = (r * (1.0 - r * r) + (1.0 + r * r) * product - r * squares) / slope
        r = float(np.clip(r - step, -LARGEST, LARGEST))
        if abs(step) < LAST_STEP:
            break
    rest = 1.0 - r * r
    score = np.where(both, r / rest + ((1.0 + r * r) * u * w - r * (u * u + w * w)) / rest**2, 0.0)
    own = float(score @ score) / count
    effect = score * (len(u) / count)
    sd = np.sqrt(margins.variance)
    for k, a, b in ((i, u, w), (j, w, u)):
        by_mean = (a - r * b) / (rest * sd[k])
        by_variance = ((a * a - r * a * b) / rest - 1.0) / (2.0 * margins.variance[k])
        effect -= margins.by_mean[:, k] * (float(score @ by_mean) / count)
        effect -= margins.by_variance[:, k] * (float(score @ by_variance) / count)
    effect *= sd[i] * sd[j] / own
    effect += r * (
        sd[j] / (2.0 * sd[i]) * margins.by_variance[:, i] + sd[i] / (2.0 * sd[j]) * margins.by_variance[:, j]
    )
    return r * float(sd[i] * sd[j]), effect
