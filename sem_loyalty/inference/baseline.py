"""The independence model, against which comparative fit indices measure; beside it, the saturated one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.uncertainty import answers, fixed_positions
from sem_loyalty.kernel.casewise import Saturated, saturated_groups
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.least_squares import LeastSquares, independence_value
from sem_loyalty.kernel.likelihood import Likelihood, Point, log_determinant
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy
from sem_loyalty.kernel.patterns import find_patterns
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.saturated import saturated_moments

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Extremes:
    """The models between which every other lies, fitted to incomplete answers.

    Attributes
    ----------
    independence : (Likelihood or Incomplete, Point)
        `independence` of the fit.
    saturated : tuple of Saturated
        `saturated_groups` of the fit.
    """

    independence: tuple[Likelihood | Incomplete, Point]
    saturated: tuple[Saturated, ...]


def extremes(fit: Fit) -> Extremes | None:
    """Return the independence and the saturated model of a fit with missing answers; None for any other.

    Fit measures need them in several places, and each takes as long as many evaluations.
    """
    if not isinstance(fit.discrepancy, Incomplete):
        return None
    groups = saturated_groups(fit.discrepancy, answers(fit), fixed_positions(fit), sandwich=fit.estimator == "MLR")
    return Extremes(independence(fit), groups)


def baseline_test(fit: Fit, known: Extremes | None = None) -> tuple[float, int]:
    """Return chi-square and degrees of freedom of the independence model.

    Variances are free; covariances are zero, except among exogenous covariates, which keep their sample values.
    The minimum of complete data is known: F = sum of log variances + log|S_xx| - log|S|; least squares is quadratic.

    Parameters
    ----------
    fit : Fit
    known : Extremes, optional
        `extremes(fit)`, where they were computed.
    """
    observed, exogenous = fit.specification.observed, set(fit.specification.covariates)
    p, x = len(observed), sum(name in exogenous for name in observed)
    df = (p * (p - 1) // 2 - x * (x - 1) // 2) * len(fit.samples)
    if isinstance(fit.discrepancy, Incomplete):
        point = known.independence[1] if known is not None else independence(fit)[1]
        return max(0.0, point.value * fit.moments.n), df
    fixed = [i for i, name in enumerate(observed) if name in exogenous]
    if isinstance(fit.discrepancy, LeastSquares):
        held, means = bool(fit.specification.exogenous), fit.specification.meanstructure
        quadratic = sum(
            share * independence_value(sample, weight, fixed, fixed=held, means=means)
            for sample, weight, share in zip(fit.samples, fit.discrepancy.weights, fit.discrepancy.shares, strict=True)
        )
        return max(0.0, quadratic * fit.moments.n), df
    free = [i for i, name in enumerate(observed) if name not in exogenous]
    total = 0.0
    for sample in fit.samples:
        value = float(np.log(np.diagonal(sample.cov)[free]).sum()) - sample.logdet
        if fixed:
            value += log_determinant(sample.cov[np.ix_(fixed, fixed)]) or 0.0
        total += sample.weight * value
    return max(0.0, total * fit.moments.n), df


def independence(fit: Fit) -> tuple[Likelihood | Incomplete, Point]:
    """Return the independence model at its minimum: free variances (and means), covariances among covariates."""
    observed, exogenous = fit.specification.observed, set(fit.specification.covariates)
    fixed_x = bool(fit.specification.exogenous)
    p, means = len(observed), fit.specification.meanstructure
    x = [i for i, name in enumerate(observed) if name in exogenous]
    pairs = [(i, i) for i in range(p) if not (fixed_x and i in x)]
    if not fixed_x:
        pairs += [(i, j) for k, i in enumerate(x) for j in x[k + 1 :]]
    shifts = [i for i in range(p) if means and not (fixed_x and i in x)]
    none = np.array([], dtype=np.intp)
    blocks: list[Block] = []
    theta: list[float] = []
    for group in range(len(fit.samples)):
        cov, mean = _separate(fit, group, x)
        first = len(theta)
        symmetric, intercepts = np.zeros((p, p)), np.zeros(p)
        if fixed_x:
            symmetric[np.ix_(x, x)] = cov[np.ix_(x, x)]
            intercepts[x] = mean[x]
        theta += [float(cov[i, j]) for i, j in pairs] + [float(mean[i]) for i in shifts]
        at = first + np.arange(len(pairs) + len(shifts), dtype=np.intp)
        blocks.append(
            Block(
                p, np.zeros((p, p)), none, none, none, symmetric,
                np.array([i for i, _ in pairs], dtype=np.intp), np.array([j for _, j in pairs], dtype=np.intp),
                at[: len(pairs)], intercepts, np.array(shifts, dtype=np.intp), at[len(pairs) :], means,
            )
        )  # fmt: skip
    if isinstance(fit.discrepancy, LeastSquares | OrdinalDiscrepancy):
        raise TypeError(f"The independence model of {fit.estimator} needs no search.")
    discrepancy = replace(fit.discrepancy, blocks=tuple(blocks))
    point = discrepancy.evaluate(np.array(theta))
    if point is None:
        raise ValueError("The independence model of a positive definite sample matrix is always defined.")
    return discrepancy, point


def _separate(fit: Fit, group: int, x: list[int]) -> tuple[Array, Array]:
    """Return the moments that the independence model reproduces: each variable's own, and those of the covariates.

    With missing answers, variables that are independent borrow nothing from each other.
    """
    sample = fit.samples[group]
    if not isinstance(fit.discrepancy, Incomplete):
        return sample.cov, sample.mean
    rows = answers(fit)[group]
    mean, cov = np.nanmean(rows, axis=0), np.diag(np.nanvar(rows, axis=0))
    if len(x) > 1:
        among = rows[:, x]
        found = saturated_moments(find_patterns(among[~np.isnan(among).all(axis=1)]))
        if found is None:
            raise ValueError("The covariances of the covariates exist where those of all variables do.")
        mean[x] = found[0]
        cov[np.ix_(x, x)] = found[1]
    return cov, mean
