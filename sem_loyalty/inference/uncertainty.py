"""Sampling covariance of the estimates: normal theory, or robust to the distribution of the answers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.discrepancies import LEAST_SQUARES
from sem_loyalty.fitting.ordinal import ROBUST
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.kernel.casewise import casewise_meat
from sem_loyalty.kernel.discrepancy import Discrepancy
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.least_squares import LeastSquares, NormalWeight, Weight
from sem_loyalty.kernel.likelihood import Likelihood, Point, spd_inverse
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy
from sem_loyalty.kernel.ordinal_tests import Fitted, fitted_part, sandwich
from sem_loyalty.kernel.robust import meat
from sem_loyalty.kernel.threads import one_thread

Array = NDArray[np.float64]


@one_thread()
def parameter_covariance(fit: Fit) -> Array:
    """Return the asymptotic covariance matrix of the estimates, shape (q, q).

    ML and least squares: the inverse of the expected information I, K (K' I K)^-1 K' / N within the linear equality
    constraints; for least squares I = Delta' V Delta, with N - G in place of N over G groups. Where missing answers are
    kept, of the observed information (Kenward and Molenberghs 1998, doi:10.1214/ss/1028905830).
    MLM and MLMV: I^-1 B I^-1 / N, B from the fourth moments of the sample (Satorra and Bentler 1994). MLR:
    A^-1 B A^-1 / N, A the observed information and B the mean cross-product of the scores (White 1982,
    doi:10.2307/1912526). WLSMV and ULSMV: bread J'W Gamma WJ bread / N, with bread the inverse of J'WJ; DWLS, ULS
    and WLS: bread / N. All nan where the information is singular or no minimum was reached.

    Parameters
    ----------
    fit : Fit
    """
    size = len(fit.theta)
    # Away from a minimum, or on a flat ridge, there is no sampling distribution to describe.
    if {problem.code for problem in fit.certificate.problems} & {"singular information", "not converged"}:
        return np.full((size, size), np.nan)
    if fit.specification.ordered and fit.estimator in ROBUST:
        discrepancy, gammas = ordinal_parts(fit)
        covariance = sandwich(discrepancy, fitted_of(fit), gammas, size) / fit.test_n
        return np.asarray(0.5 * (covariance + covariance.T))
    incomplete = isinstance(fit.discrepancy, Incomplete)
    if fit.estimator == "ML" or fit.estimator in LEAST_SQUARES:
        return bread(fit, observed=incomplete) / fit.moments.n
    if fit.estimator == "MLR":
        outer, centred = bread(fit, observed=True), False
    else:
        outer, centred = bread(fit), True
    if centred:
        inner = meat(fit.blocks, fit.samples, maximum(fit), answers(fit), centred=True, fixed=fixed_positions(fit))
    else:
        inner = score_products(likelihood_of(fit), maximum(fit), answers(fit))
    covariance = outer @ inner @ outer / fit.moments.n
    return np.asarray(0.5 * (covariance + covariance.T))


@one_thread()
def parameter_variances(fit: Fit) -> Array:
    """Return the diagonal of `parameter_covariance`, shape (q,), without the rest where it can be had alone."""
    expected = fit.estimator == "ML" and not isinstance(fit.discrepancy, Incomplete)
    if expected and fit.factored is not None and not fit.space.constrained:
        return fit.factored.inverse_diagonal() / fit.moments.n
    return parameter_covariance(fit).diagonal()


def score_products(discrepancy: Likelihood | Incomplete, point: Point, rows: tuple[Array, ...]) -> Array:
    """Return the mean cross-product of the scores of the respondents, weighted over groups, shape (q, q)."""
    if isinstance(discrepancy, Incomplete):
        return casewise_meat(discrepancy, point, rows)
    return meat(discrepancy.blocks, discrepancy.samples, point, rows, centred=False, fixed=[])


def bread(fit: Fit, *, observed: bool = False) -> Array:
    """Return the inverse of the information per respondent within the constraints, shape (q, q).

    Parameters
    ----------
    fit : Fit
    observed : bool, default False
        Observed rather than expected information.
    """
    inverse = fit.factored.inverse() if fit.factored is not None and not observed else _inverse(fit, observed)
    if fit.space.constrained:
        inverse = fit.space.basis @ inverse @ fit.space.basis.T
    elif len(inverse) < len(fit.theta):
        # The search held the thresholds of ordinal items, which are the sample's.
        inverse = ordinal_parts(fit)[0].with_thresholds(inverse)
    return np.asarray(inverse)


def _inverse(fit: Fit, observed: bool) -> Array:
    """Return the inverse of the information within the constraints from scratch."""
    discrepancy: Discrepancy[Any] = fit.discrepancy
    whole = discrepancy.hessian(fit.point) if observed else discrepancy.information(fit.point)
    matrix = fit.space.reduce_matrix(whole)
    solved = spd_inverse(matrix)
    if solved is not None:
        return solved[0]
    # Observed information away from a regular minimum.
    scale = np.sqrt(np.abs(np.diagonal(matrix)))
    inverse = np.linalg.inv(matrix / np.outer(scale, scale)) / np.outer(scale, scale)
    return np.asarray(0.5 * (inverse + inverse.T))


def likelihood_of(fit: Fit) -> Likelihood | Incomplete:
    """Return the likelihood that a fit maximised."""
    if isinstance(fit.discrepancy, LeastSquares | OrdinalDiscrepancy):
        raise TypeError(f"A fit by {fit.estimator} has no likelihood.")
    return fit.discrepancy


def maximum(fit: Fit) -> Point:
    """Return the solution of a fit by maximum likelihood, with the inverses of Sigma, or to ordinal items."""
    if not isinstance(fit.point, Point):
        raise TypeError(f"The solution of a fit by {fit.estimator} has no inverses of Sigma.")
    return fit.point


def moment_weights(fit: Fit) -> tuple[Weight, ...]:
    """Return the weight that the solution gives to residual moments, by group; normal theory at Sigma for ML."""
    if isinstance(fit.discrepancy, LeastSquares):
        return fit.discrepancy.weights
    return tuple(NormalWeight(inverse) for inverse in maximum(fit).inverse)


def ordinal_parts(fit: Fit) -> tuple[OrdinalDiscrepancy, tuple[Array, ...]]:
    """Return the discrepancy of a model of ordinal items, and Gamma by group, each (m, m)."""
    if not isinstance(fit.discrepancy, OrdinalDiscrepancy) or fit.moments.ordinal is None:
        raise ValueError("The model was not fitted to ordinal items.")
    return fit.discrepancy, tuple(sample.covariance for sample in fit.moments.ordinal)


def fitted_of(fit: Fit) -> Fitted:
    """Return the part of a model of ordinal items that is fitted: standard errors and tests are made of it."""
    if "fitted part" not in fit.memory:
        discrepancy, gammas = ordinal_parts(fit)
        fit.memory["fitted part"] = fitted_part(discrepancy, maximum(fit), bread(fit), gammas)
    part: Fitted = fit.memory["fitted part"]
    return part


def answers(fit: Fit) -> tuple[Array, ...]:
    """Return the rows of every group, in the order of the observed variables; none for a covariance matrix."""
    order = [fit.moments.names.index(name) for name in fit.specification.observed]
    return tuple(rows[:, order] for rows in fit.moments.raw or ())


def fixed_positions(fit: Fit) -> list[int]:
    """Return the positions of the fixed covariates among the observed variables."""
    return [fit.specification.observed.index(name) for name in fit.specification.exogenous]
