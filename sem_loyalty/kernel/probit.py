"""Single responses given covariates: ordered probit regressions of items, linear ones of continuous variables.

An item shows category c where tau_(c-1) < y* <= tau_c, y* = beta'x + e with e standard normal. Thresholds and slopes of
every item maximise the likelihood of its answers (McKelvey and Zavoina 1975, doi:10.1080/0022250X.1975.9989847), a
concave function (Pratt 1981, doi:10.1080/01621459.1981.10477613): the first stage of Muthen (1984,
doi:10.1007/BF02294210). Influences divide the scores by their cross-products, as lavaan does. Covariates are
standardised on the way, so that their units change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sem_loyalty.kernel.bivariate import BEYOND
from sem_loyalty.kernel.polychoric import LEAST

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# A Newton step of this size is the last: what is left after it is some times its square.
LAST_STEP = 1e-7
# Where the covariates tell categories apart without error, the slopes grow without end; others need about six steps.
MOST_STEPS = 40
STEEPEST = 20.0
# Keeps the curvature invertible there; beside that of any other likelihood it is rounding error.
RIDGE = 1e-12
MOST_HALVINGS = 30


@dataclass(frozen=True, slots=True)
class Covariates:
    """The covariates of one sample.

    Attributes
    ----------
    standard : ndarray, shape (n, x)
        Standardised values.
    mean : ndarray, shape (x,)
    cov : ndarray, shape (x, x)
        Divided by n - 1, as lavaan does beside ordinal items.
    """

    standard: Array
    mean: Array
    cov: Array

    @property
    def sd(self) -> Array:
        """Standard deviations, shape (x,)."""
        return np.asarray(np.sqrt(np.diagonal(self.cov)))

    def at_zero(self, parameters: Array, count: int) -> Array:
        """Return cuts and slopes for covariates in their own units, from those for standardised ones.

        Parameters
        ----------
        parameters : ndarray, shape (..., count + x)
            Estimates, or influences on them: cuts first, where the response is less than them by beta'x.
        count : int
            Cuts.
        """
        out = np.array(parameters)
        out[..., count:] /= self.sd
        out[..., :count] += (out[..., count:] @ self.mean)[..., None]
        return out


@dataclass(frozen=True, slots=True)
class Probits:
    """Ordered probit regressions of o items on standardised covariates.

    Attributes
    ----------
    cuts : tuple of ndarray
        By item, thresholds at the mean of the covariates.
    slopes : ndarray, shape (o, x)
    upper, lower : ndarray, shape (o, n)
        The limits between which the residual of every respondent lies; infinite (`BEYOND`) both ways where there is no
        answer.
    influence : tuple of ndarray, each (n, cuts + x)
        By item, the influence of every respondent on thresholds and slopes.
    determined : ndarray of bool, shape (o,)
        Whether the likelihood has no maximum: covariates tell categories apart without error.
    """

    cuts: tuple[Array, ...]
    slopes: Array
    upper: Array
    lower: Array
    influence: tuple[Array, ...]
    determined: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Lines:
    """Linear regressions of c continuous variables on standardised covariates.

    Attributes
    ----------
    cut : ndarray, shape (c,)
        Minus the mean at the mean of the covariates.
    slopes : ndarray, shape (c, x)
    variance : ndarray, shape (c,)
        Of the residuals, divided by the number of answers.
    standard : ndarray, shape (n, c)
        Standardised residuals; zero where there is no answer.
    seen : ndarray of bool, shape (n, c)
    influence : ndarray, shape (c, n, 1 + x + 1)
        The influence of every respondent on cut, slopes and variance.
    """

    cut: Array
    slopes: Array
    variance: Array
    standard: Array
    seen: NDArray[np.bool_]
    influence: Array


def covariates(values: Array) -> Covariates | None:
    """Return covariates, shape (n, x), standardised; None where one is constant or they determine each other."""
    mean = values.mean(axis=0)
    deviation = values - mean
    cov = deviation.T @ deviation / (len(values) - 1.0)
    sd = np.sqrt(np.diagonal(cov))
    if not (sd > 1e-12 * (1.0 + np.abs(mean))).all():
        return None
    spectrum = np.linalg.eigvalsh(cov / np.outer(sd, sd))
    return Covariates(deviation / sd, mean, 0.5 * (cov + cov.T)) if spectrum[0] > 1e-10 else None


def probits(codes: Index, standard: Array) -> Probits:
    """Return the ordered probit regressions of all items.

    Parameters
    ----------
    codes : ndarray of int, shape (n, o)
        Categories, from 0 without gaps: every category of an item occurs. -1 for a missing answer.
    standard : ndarray, shape (n, x)
        Standardised covariates.

    Notes
    -----
    Newton steps for all items at once, halved where the likelihood would fall.
    """
    codes = codes.T
    levels = codes.max(axis=1) + 1
    designs = _designs(codes, levels, standard)
    theta = _margins(codes, levels, standard.shape[1])
    size, limits = theta.shape[1], theta.shape[1] - standard.shape[1]
    absent = np.arange(limits) >= levels[:, None] - 1
    upper, lower, mass = _limits(codes, levels, theta, standard)
    level = np.log(mass).sum(axis=1)
    todo = np.arange(len(codes))
    for _iteration in range(MOST_STEPS):
        ends = tuple(design[todo] for design in designs)
        gradient, curvature = _slopes(ends, upper[todo], lower[todo], mass[todo])
        curvature[:, np.arange(limits), np.arange(limits)] -= absent[todo]
        step = np.linalg.solve(RIDGE * len(standard) * np.eye(size) - curvature, gradient[:, :, None])[:, :, 0]
        share = np.ones(len(todo))
        for _halving in range(MOST_HALVINGS):
            moved = theta[todo] + share[:, None] * step
            found = _limits(codes[todo], levels[todo], moved, standard)
            reached = np.log(found[2]).sum(axis=1)
            worse = ~(reached >= level[todo] - 1e-9 * (1.0 + np.abs(level[todo])))
            if not worse.any():
                break
            share[worse] *= 0.5
        theta[todo], level[todo] = moved, reached
        upper[todo], lower[todo], mass[todo] = found
        todo = todo[np.abs(step).max(axis=1) > LAST_STEP]
        if not len(todo):
            break
    determined = np.abs(theta[:, limits:]).max(axis=1) > STEEPEST
    determined[todo] = True
    scores = _scores(designs, upper, lower, mass)
    influence = []
    for j, count in enumerate(levels - 1):
        own = np.concatenate([scores[j, :, :count], scores[j, :, limits:]], axis=1)
        products = own.T @ own / len(own)
        influence.append(np.full_like(own, np.nan) if determined[j] else np.linalg.solve(products, own.T).T)
    cuts = tuple(theta[j, :count] for j, count in enumerate(levels - 1))
    return Probits(cuts, theta[:, limits:], upper, lower, tuple(influence), determined)


def _designs(codes: Index, levels: Index, standard: Array) -> tuple[Array, Array]:
    """Return the derivatives of the upper and the lower limits by thresholds and slopes, each (o, n, k - 1 + x)."""
    at, slopes = np.arange(int(levels.max()) - 1), np.broadcast_to(-standard, (len(codes), *standard.shape))
    # A category above the last threshold has no upper limit, and the first no lower one.
    by_upper = (codes[:, :, None] == at) & (codes < levels[:, None] - 1)[:, :, None]
    by_lower = codes[:, :, None] - 1 == at
    return np.concatenate([by_upper, slopes], axis=2), np.concatenate([by_lower, slopes], axis=2)


def _margins(codes: Index, levels: Index, slopes: int) -> Array:
    """Return start values: thresholds from the margins, slopes of zero, shape (o, k - 1 + x)."""
    out = np.zeros((len(codes), int(levels.max()) - 1 + slopes))
    for j, count in enumerate(levels - 1):
        below = np.cumsum(np.bincount(codes[j][codes[j] >= 0], minlength=count + 1))
        out[j, :count] = ndtri(below[:-1] / below[-1])
    return out


def _limits(codes: Index, levels: Index, theta: Array, standard: Array) -> tuple[Array, Array, Array]:
    """Return the limits of the residuals and the probability between them, each (o, n)."""
    limits = theta.shape[1] - standard.shape[1]
    shift = theta[:, limits:] @ standard.T
    row = np.arange(len(codes))[:, None]
    top, bottom = (codes < 0) | (codes == levels[:, None] - 1), codes <= 0
    upper = np.where(top, BEYOND, theta[row, np.clip(codes, 0, limits - 1)] - shift)
    lower = np.where(bottom, -BEYOND, theta[row, np.clip(codes - 1, 0, limits - 1)] - shift)
    return upper, lower, interval(upper, lower)


def interval(upper: Array, lower: Array) -> Array:
    """Return the standard normal probability between two limits: differences of the smaller tails, at least 1e-16."""
    turn = lower > 0
    mass = ndtr(np.where(turn, -lower, upper)) - ndtr(np.where(turn, -upper, lower))
    return np.asarray(np.maximum(mass, LEAST))


def peak(limit: Array) -> Array:
    """Return the standard normal density."""
    return np.asarray(np.exp(-0.5 * limit * limit) / np.sqrt(2.0 * np.pi))


def _slopes(designs: tuple[Array, ...], upper: Array, lower: Array, mass: Array) -> tuple[Array, Array]:
    """Return first and second derivatives of the log-likelihood, shapes (o, q) and (o, q, q)."""
    by_upper, by_lower = peak(upper) / mass, -peak(lower) / mass
    among = (
        -upper * by_upper - by_upper**2,
        -by_upper * by_lower,
        -lower * by_lower - by_lower**2,
    )
    E, F = designs
    gradient = np.einsum("on,onq->oq", by_upper, E) + np.einsum("on,onq->oq", by_lower, F)
    weighted = np.swapaxes(among[0][:, :, None] * E + among[1][:, :, None] * F, 1, 2)
    beside = np.swapaxes(among[1][:, :, None] * E + among[2][:, :, None] * F, 1, 2)
    return gradient, weighted @ E + beside @ F


def _scores(designs: tuple[Array, ...], upper: Array, lower: Array, mass: Array) -> Array:
    """Return every respondent's derivatives of the log-likelihood, shape (o, n, q)."""
    return np.asarray((peak(upper) / mass)[:, :, None] * designs[0] - (peak(lower) / mass)[:, :, None] * designs[1])


def lines(values: Array, standard: Array) -> Lines:
    """Return the linear regressions of continuous variables, shape (n, c), nan where there is no answer."""
    seen = ~np.isnan(values)
    design = np.column_stack([np.ones(len(values)), standard])
    size = design.shape[1]
    coefficients = np.empty((values.shape[1], size))
    for j in range(values.shape[1]):
        rows = seen[:, j]
        coefficients[j] = np.linalg.lstsq(design[rows], values[rows, j], rcond=None)[0]
    residual = np.where(seen, values - design @ coefficients.T, 0.0)
    variance = (residual**2).sum(axis=0) / seen.sum(axis=0)
    scores = np.empty((values.shape[1], len(values), size + 1))
    scores[:, :, 1:-1] = (residual / variance).T[:, :, None] * design[:, 1:]
    scores[:, :, 0] = -(residual / variance).T
    scores[:, :, -1] = (np.where(seen, residual**2 - variance, 0.0) / (2.0 * variance**2)).T
    products = np.swapaxes(scores, 1, 2) @ scores / len(values)
    influence = np.swapaxes(np.linalg.solve(products, np.swapaxes(scores, 1, 2)), 1, 2)
    return Lines(-coefficients[:, 0], coefficients[:, 1:], variance, residual / np.sqrt(variance), seen, influence)
