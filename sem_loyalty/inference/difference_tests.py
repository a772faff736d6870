"""Chi-square differences of nested models where the statistics are no chi-squares themselves."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from sem_loyalty.errors import ConfigurationError, InferenceWarning, NotSupported
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.scaled_tests import scaled_test
from sem_loyalty.inference.uncertainty import answers, bread, fixed_positions, maximum, ordinal_parts
from sem_loyalty.kernel.likelihood import Likelihood, Point
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy, weighted
from sem_loyalty.kernel.robust import meat, moment_jacobian
from sem_loyalty.kernel.solver import minimise

Array = NDArray[np.float64]

METHODS = ("default", "standard", "satorra.bentler.2001", "satorra.bentler.2010", "satorra.2000")
MEAN_ADJUSTED = ("MLM", "MLR")
VARIANCE_ADJUSTED = ("MLMV", "WLSMV", "ULSMV")
# F between the moments of two models that are nested is rounding error of the minimiser.
NESTED = 1e-7


@dataclass(frozen=True, slots=True)
class Difference:
    """A test of a restricted model against a wider one.

    Attributes
    ----------
    chisq : float
        The corrected difference; nan where there is none.
    df : float
        Degrees of freedom; a fraction where mean and variance are adjusted by them.
    """

    chisq: float
    df: float

    @property
    def pvalue(self) -> float:
        """Upper tail of the chi-square distribution."""
        return float(chdtrc(self.df, self.chisq)) if np.isfinite(self.chisq) else float("nan")


def method_for(fit: Fit, method: str) -> str:
    """Return the method that "default" stands for, or raise NotSupported where one is not for the estimator."""
    corrected = VARIANCE_ADJUSTED if fit.estimator in VARIANCE_ADJUSTED else MEAN_ADJUSTED
    robust = fit.estimator in MEAN_ADJUSTED + VARIANCE_ADJUSTED
    if not robust:
        if method not in ("default", "standard"):
            raise NotSupported(
                f"method={method!r} corrects robust tests, and estimator={fit.estimator!r} has none; "
                "available: 'standard'."
            )
        return "standard"
    if method == "default":
        return "satorra.2000" if corrected is VARIANCE_ADJUSTED else "satorra.bentler.2001"
    if corrected is VARIANCE_ADJUSTED and method.startswith("satorra.bentler"):
        raise NotSupported(
            f"method={method!r} works with mean-adjusted tests, and that of {fit.estimator} is scaled and shifted; "
            "available: 'satorra.2000'."
        )
    if fit.specification.ordered and method == "standard":
        raise NotSupported(f"A plain difference by {fit.estimator} is no chi-square; available: 'satorra.2000'.")
    if fit.moments.missing == "fiml" and method == "satorra.2000":
        raise NotSupported(
            "method='satorra.2000' is for complete answers; with missing='fiml' available: 'satorra.bentler.2001', "
            "'satorra.bentler.2010'."
        )
    return method


def difference(wide: Fit, narrow: Fit, method: str, *, a_method: str, scaled_shifted: bool) -> Difference:
    """Return the test of `narrow` against `wide`.

    Parameters
    ----------
    wide, narrow : Fit
        The less and the more restricted model, of the same data, by the same estimator.
    method : str
        From `method_for`.
    a_method : {"delta", "exact"}
    scaled_shifted : bool
    """
    plain, df = narrow.chisq - wide.chisq, narrow.df - wide.df
    if method == "standard":
        return Difference(plain, df)
    if method == "satorra.2000":
        return _satorra_2000(wide, narrow, plain, df, a_method=a_method, scaled_shifted=scaled_shifted)
    other = wide if method == "satorra.bentler.2001" else _at_restricted(wide, narrow)
    parts = [scaled_test(fit, fit.chisq, fit.df).inflation * fit.df if fit.df else 0.0 for fit in (narrow, other)]
    factor = (parts[0] - parts[1]) / df
    if factor > 0:
        return Difference(plain / factor, df)
    others = ["satorra.bentler.2010"] if method == "satorra.bentler.2001" else []
    if wide.moments.missing != "fiml":
        others.append("satorra.2000")
    advice = (
        f"compare them with method={' or '.join(map(repr, others))}"
        if others
        else "test the restriction by `wald_test`"
    )
    warnings.warn(
        f"No scaled difference of the models with {wide.df} and {narrow.df} degrees of freedom: the scaling factor is "
        f"{factor:.3g}, and a chi-square divided by it means nothing. This happens in small samples and far from the "
        f"restricted model; {advice}.",
        InferenceWarning,
        stacklevel=4,
    )
    return Difference(float("nan"), df)


def _at_restricted(wide: Fit, narrow: Fit) -> Fit:
    """Return the wider model at the parameter values that give the moments of the restricted one.

    Where the models are nested these exist, and the discrepancy between the two sets of moments is zero (Bentler and
    Satorra 2010, doi:10.1037/a0019625).
    """
    _same_means(wide, narrow)
    if wide.specification.equations or wide.specification.inequalities:
        raise NotSupported(
            "method='satorra.bentler.2010' is for wider models without nonlinear constraints and inequalities; "
            "available: 'satorra.bentler.2001'" + ("." if wide.moments.missing == "fiml" else ", 'satorra.2000'.")
        )
    order = _order(wide, narrow)
    samples = tuple(
        replace(sample, cov=at.cov[np.ix_(order, order)], mean=at.mean[order], logdet=_logdet(at.cov))
        for sample, at in zip(wide.samples, narrow.point.implied, strict=True)
    )
    moments = Likelihood(wide.blocks, samples)
    for start in (wide.theta, _by_name(wide, narrow)):
        found = minimise(moments, start, wide.space)
        if found is not None and found.converged and found.point.value < NESTED:
            point = wide.discrepancy.evaluate(found.point.theta)
            if isinstance(point, Point):
                return replace(wide, theta=point.theta, value=max(0.0, point.value), point=point)
    raise ConfigurationError(
        f"The model with {narrow.df} degrees of freedom is not nested in that with {wide.df}: the wider one cannot "
        "reproduce its moments. Compare them by aic or bic."
    )


def _logdet(matrix: Array) -> float:
    return float(np.linalg.slogdet(matrix)[1])


def _by_name(wide: Fit, narrow: Fit) -> Array:
    """Return start values: those of the parameters of the same name, moved into the constraints."""
    known = {
        (row.lhs, row.op, row.rhs, row.group): float(narrow.theta[row.free]) if row.free >= 0 else row.value
        for row in narrow.specification.parameters
    }
    theta = wide.theta.copy()
    for k, row in enumerate(wide.specification.free_parameters):
        value = known.get((row.lhs, row.op, row.rhs, row.group))
        theta[k] = theta[k] if value is None else value
    space = wide.space
    return space.offset + space.basis @ (space.basis.T @ (theta - space.offset)) if space.constrained else theta


def _order(wide: Fit, narrow: Fit) -> list[int]:
    """Return where the variables of the wider model stand in the restricted one."""
    return [narrow.specification.observed.index(name) for name in wide.specification.observed]


def _same_means(wide: Fit, narrow: Fit) -> None:
    # The means of ordinal items are among their thresholds, which every model of them has.
    if wide.specification.ordered:
        return
    if wide.specification.meanstructure != narrow.specification.meanstructure:
        raise ConfigurationError("One of the models has a mean structure; fit both with meanstructure=True.")


def _satorra_2000(wide: Fit, narrow: Fit, plain: float, df: int, *, a_method: str, scaled_shifted: bool) -> Difference:
    """Return Satorra's difference test.

    With A the derivative of the restrictions by the parameters of the wider model, P the inverse of its information and
    B the covariance matrix of its scores, the plain difference is distributed as a sum of chi-squares weighted by the
    eigenvalues of M = (A P A')^-1 A P B P A' (Satorra 2000).
    """
    _same_means(wide, narrow)
    along = _exact(wide, narrow) if a_method == "exact" else _projected(wide, narrow)
    space, inner_space = wide.space, narrow.space
    # Directions of the restricted model among those of the wider one, both within their own constraints.
    directions = space.basis.T @ along @ inner_space.basis
    # The restrictions are the null space of their transpose.
    rank = int(np.linalg.matrix_rank(directions, tol=1e-8 * max(1.0, float(np.abs(directions).max()))))
    if rank + df != directions.shape[0]:
        raise ConfigurationError(
            f"The model with {narrow.df} degrees of freedom restricts that with {wide.df} in "
            f"{directions.shape[0] - rank} ways, not {df}: it is not nested in it, or not identified."
        )
    left = np.linalg.svd(directions)[0]
    A = left[:, rank:].T @ space.basis.T
    P = bread(wide, observed=wide.estimator == "MLR")
    spread = A @ P @ A.T
    M = np.linalg.solve(spread, A @ P @ _score_covariance(wide) @ P @ A.T)
    trace, square = float(np.trace(M)), float(np.einsum("ij,ji->", M, M))
    if scaled_shifted:
        scale = float(np.sqrt(df / square))
        return Difference(scale * plain + df - scale * trace, df)
    if wide.estimator in VARIANCE_ADJUSTED:
        return Difference(plain * trace / square, trace**2 / square)
    return Difference(plain * df / trace, df)


def _score_covariance(fit: Fit) -> Array:
    """Return B, from the fourth moments of the sample, shape (q, q)."""
    if fit.specification.ordered:
        discrepancy, gammas = ordinal_parts(fit)
        total = np.zeros((len(fit.theta), len(fit.theta)))
        for J, W, gamma, sample in zip(
            discrepancy.jacobians(maximum(fit)), discrepancy.weights, gammas, discrepancy.samples, strict=True
        ):
            pull = weighted(W, J)
            total += discrepancy.used * sample.weight * (pull.T @ gamma @ pull)
        return total
    return meat(fit.blocks, fit.samples, maximum(fit), answers(fit), centred=True, fixed=fixed_positions(fit))


def _jacobian(fit: Fit, order: list[int]) -> Array:
    """Return the derivatives of the moments by the parameters over all groups, variables in the order given."""
    if isinstance(fit.discrepancy, OrdinalDiscrepancy):
        if order != sorted(order):
            raise ConfigurationError("Write the items of both models in the same order to compare them.")
        return np.concatenate(fit.discrepancy.jacobians(maximum(fit)))
    parts = []
    p = len(order)
    col, row = np.triu_indices(p)
    # Where every entry of vech(Sigma) stands when the variables come in the other order.
    a, b = np.array(order)[row], np.array(order)[col]
    high, low = np.maximum(a, b), np.minimum(a, b)
    moved = low * p - low * (low - 1) // 2 + high - low
    for block, at in zip(fit.blocks, fit.point.implied, strict=True):
        whole = moment_jacobian(block, at, len(fit.theta))
        means = p if block.means else 0
        index = np.concatenate([np.array(order[:means], dtype=np.intp), means + moved])
        parts.append(whole[index])
    return np.concatenate(parts)


def _projected(wide: Fit, narrow: Fit) -> Array:
    """Return the directions of the restricted model, by regression of its moment derivatives on those of the wider one.

    Each is taken at its own estimates, as in lavaan.
    """
    order = _order(wide, narrow)
    outer = _jacobian(wide, list(range(len(order)))) @ wide.space.basis
    inner = _jacobian(narrow, order)
    return np.asarray(wide.space.basis @ np.linalg.lstsq(outer, inner, rcond=None)[0])


def _exact(wide: Fit, narrow: Fit) -> Array:
    """Return the derivatives of the parameters of the wider model by those of the restricted one, row by row."""
    known = {(row.lhs, row.op, row.rhs, row.group): row for row in narrow.specification.parameters}
    wider = {(row.lhs, row.op, row.rhs, row.group): row for row in wide.specification.parameters}
    freed = [row.name for key, row in known.items() if row.free >= 0 and (key not in wider or wider[key].free < 0)]
    if freed:
        raise NotSupported(
            f"a_method='exact' needs a restricted model that is the wider one with parameters fixed or held equal; "
            f"it frees {', '.join(freed)}. Use a_method='delta'."
        )
    out = np.zeros((len(wide.theta), len(narrow.theta)))
    for k, row in enumerate(wide.specification.free_parameters):
        other = known.get((row.lhs, row.op, row.rhs, row.group))
        if other is not None and other.free >= 0:
            out[k, other.free] = 1.0
    return out
