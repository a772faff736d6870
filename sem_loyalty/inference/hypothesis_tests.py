"""Tests of restrictions: Wald's, and the likelihood-ratio test of nested models."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc

from sem_loyalty.display import format_p
from sem_loyalty.errors import (
    ConfigurationError,
    InferenceWarning,
    NotSupported,
    SpecificationError,
    check_choice,
    nearest,
)
from sem_loyalty.fitting.discrepancies import LEAST_SQUARES
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.difference_tests import METHODS, Difference, difference, method_for
from sem_loyalty.inference.marking import mark
from sem_loyalty.inference.measures import log_likelihoods
from sem_loyalty.inference.uncertainty import parameter_covariance
from sem_loyalty.model.derived import evaluate_with_slope
from sem_loyalty.model.syntax import parse

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WaldTest:
    """Wald's test of one or several equations.

    Attributes
    ----------
    chisq : float
    df : int
        Independent equations.
    pvalue : float
    equations : tuple of str
    certified : bool
        Whether the fit behind it is certified.
    """

    chisq: float
    df: int
    pvalue: float
    equations: tuple[str, ...]
    certified: bool

    def __repr__(self) -> str:
        """Return what print shows: a prompt must not hide the mark."""
        return str(self)

    def __str__(self) -> str:
        """Return the test in one line."""
        head = "" if self.certified else "NOT CERTIFIED: do not report. "
        test = f"Wald chi-square {self.chisq:.3f}, df {self.df}, p {format_p(self.pvalue)}"
        return f"{head}{test}: {'; '.join(self.equations)}"


def wald_test(fit: Fit, constraints: str) -> WaldTest:
    """Test equations over labelled parameters without fitting the restricted model.

    Parameters
    ----------
    fit : Fit
    constraints : str
        One or several equations in the language of models, such as "a == b" or "a*b == 0; c == 0".

    Returns
    -------
    WaldTest

    Raises
    ------
    SpecificationError
        A name that is no label of the model, or no equation.
    ConfigurationError
        The equations depend on each other.

    Notes
    -----
    With h the left sides less the right sides, J their derivative and V the covariance matrix of the estimates,
    h' (J V J')^-1 h is chi-square with as many degrees of freedom as equations (Wald 1943,
    doi:10.1090/S0002-9947-1943-0012401-3). V is the robust one for MLM, MLMV and MLR.
    """
    equations = [item for item in parse(constraints).constraints if item.op == "=="]
    if not equations:
        raise SpecificationError(f"{constraints!r} holds no equation; write for instance 'a == b'.")
    labelled = {row.label: row for row in fit.specification.parameters if row.label}
    definitions = {item.name: item.expression for item in fit.specification.defined}
    values, slopes, texts = [], [], []
    for item in equations:
        for name in (*item.lhs.names(), *item.rhs.names()):
            if name not in labelled and name not in definitions:
                hint = nearest(name, [*labelled, *definitions])
                raise SpecificationError(f"{name!r} is no label of the model. {hint}".strip())
        left, left_slope = evaluate_with_slope(item.lhs, labelled, definitions, fit.theta)
        right, right_slope = evaluate_with_slope(item.rhs, labelled, definitions, fit.theta)
        values.append(left - right)
        slopes.append(left_slope - right_slope)
        texts.append(f"{item.lhs.text} == {item.rhs.text}")
    h, J = np.array(values), np.array(slopes)
    spread = J @ parameter_covariance(fit) @ J.T
    scale = np.sqrt(np.abs(np.diagonal(spread)))
    if not (scale > 0).all() or np.linalg.matrix_rank(spread / np.outer(scale, scale), tol=1e-10) < len(h):
        raise ConfigurationError("The equations depend on each other, or hold by design; test fewer of them.")
    chisq = float(h @ np.linalg.solve(spread, h))
    return WaldTest(chisq, len(h), float(chdtrc(len(h), chisq)), tuple(texts), fit.certificate.certified)


def likelihood_ratio_test(
    *fits: Fit, method: str = "default", a_method: str = "delta", scaled_shifted: bool = True
) -> pd.DataFrame:
    """Compare nested models of the same data, from the least to the most restricted.

    Parameters
    ----------
    *fits : Fit
        Two or more fits with one estimator; order does not matter.
    method : str, default "default"
        How the difference is corrected, by lavaan's names: "standard" (not at all), "satorra.bentler.2001",
        "satorra.bentler.2010" or "satorra.2000". The default is "satorra.bentler.2001" with MLM and MLR, "satorra.2000"
        with MLMV, WLSMV and ULSMV, and "standard" with any other estimator.
    a_method : {"delta", "exact"}, default "delta"
        How "satorra.2000" finds the restrictions: from the derivatives of the moments, or from the parameters that the
        restricted model fixes or holds equal.
    scaled_shifted : bool, default True
        Scale and shift the difference in "satorra.2000". False adjusts its mean (MLM, MLR), or mean and variance by
        degrees of freedom that are a fraction (MLMV, WLSMV, ULSMV).

    Returns
    -------
    DataFrame
        One row per model, by degrees of freedom: df, aic, bic, chisq, and, against the row above, chisq_diff,
        df_diff, pvalue and rmsea_diff; chisq is the plain statistic. `attrs["method"]` says how differences were
        corrected.

    Raises
    ------
    ConfigurationError
        Fewer than two models, different data or estimators, equal degrees of freedom, or, where a correction shows it,
        models that are not nested.
    NotSupported
        ULS and DWLS, whose difference is no chi-square; a correction that the estimator does not have.

    Warns
    -----
    InferenceWarning
        The scaling factor of a difference is not positive, so there is no test; or a model stands at the bound of an
        inequality, so the difference is no chi-square.

    Notes
    -----
    That the models are nested is the analyst's claim. Scaled differences are (T0 - T1) / c, T the plain statistics.
    "satorra.bentler.2001": c = (df0 c0 - df1 c1) / (df0 - df1), c0 and c1 the scaling factors of the two models
    (Satorra and Bentler 2001, doi:10.1007/BF02296192); in small samples it can be negative, and then no test is given.
    "satorra.bentler.2010": c1 is taken at the values that give the moments of the restricted model, where with MLM c is
    positive (Satorra and Bentler 2010, doi:10.1007/s11336-009-9135-y). "satorra.2000" takes mean, or mean and variance,
    of the difference under the restricted model from the fourth moments of the sample (Satorra 2000, Scaled and
    adjusted restricted tests in multi-sample analysis of moment structures, in Innovations in Multivariate
    Statistical Analysis, 233-247; scaled and shifted: Asparouhov and Muthen 2010); with MLR the information is the
    observed one.
    """
    check_choice("method", method, METHODS)
    check_choice("a_method", a_method, ("delta", "exact"))
    if len(fits) < 2:
        raise ConfigurationError("Give at least two fits to compare.")
    ordered = sorted(fits, key=lambda fit: fit.df)
    first = ordered[0]
    for other in ordered[1:]:
        if other.estimator != first.estimator:
            raise ConfigurationError(f"The fits have different estimators: {first.estimator} and {other.estimator}.")
        if not _same_data(first, other):
            raise ConfigurationError(
                "The fits rest on different data or variables, so their chi-squares differ in kind."
            )
    if first.estimator in ("ULS", "DWLS"):
        available = "'WLSMV', 'ULSMV' or 'WLS'" if first.specification.ordered else "'WLS', 'GLS' or 'MLM'"
        raise NotSupported(f"A difference of statistics by {first.estimator} is no chi-square; use {available}.")
    chosen = method_for(first, method)
    if any(fit.active for fit in fits):
        warnings.warn(
            "A model stands at the bound of an inequality constraint, so the difference is distributed as a mixture of "
            "chi-squares, not as the chi-square that the p-values assume.",
            InferenceWarning,
            stacklevel=2,
        )
    records = []
    for i, fit in enumerate(ordered):
        record = {"df": fit.df, **_criteria(fit), "chisq": fit.chisq, "certified": fit.certificate.certified}
        if i:
            wide = ordered[i - 1]
            if fit.df == wide.df:
                raise ConfigurationError(
                    f"Two of the models have {wide.df} degrees of freedom; one is not nested in the other."
                )
            found = difference(wide, fit, chosen, a_method=a_method, scaled_shifted=scaled_shifted)
            record |= _columns(found, fit)
        records.append(record)
    columns = ["df", "aic", "bic", "chisq", "chisq_diff", "df_diff", "pvalue", "rmsea_diff", "certified"]
    frame = pd.DataFrame(records, columns=columns)
    frame.attrs["method"] = chosen
    return mark(frame, *ordered)


def _same_data(first: Fit, other: Fit) -> bool:
    if set(first.specification.observed) != set(other.specification.observed):
        return False
    if first.specification.ordered and set(first.specification.exogenous) != set(other.specification.exogenous):
        return False
    order = [other.specification.observed.index(name) for name in first.specification.observed]
    return len(first.samples) == len(other.samples) and all(
        a.n == b.n and np.allclose(x, y[np.ix_(order, order)], rtol=1e-10)
        for a, b, x, y in zip(first.moments.groups, other.moments.groups, _covs(first), _covs(other), strict=True)
    )


def _covs(fit: Fit) -> list[Array]:
    """Return covariances of all observed variables by group; the samples of ordinal items leave out covariates."""
    return [one.cov for one in (fit.moments.groups if fit.specification.ordered else fit.samples)]


def _criteria(fit: Fit) -> dict[str, float]:
    if fit.specification.ordered or fit.estimator in LEAST_SQUARES:
        return {"aic": float("nan"), "bic": float("nan")}
    logl = log_likelihoods(fit)[0]
    npar = fit.specification.n_parameters
    return {"aic": -2.0 * logl + 2.0 * npar, "bic": -2.0 * logl + npar * float(np.log(fit.moments.n))}


def _columns(found: Difference, fit: Fit) -> dict[str, float]:
    """Return the columns of a difference test."""
    known = np.isfinite(found.chisq)
    excess = max(found.chisq - found.df, 0.0) / (found.df * fit.test_n) * len(fit.moments.groups)
    return {
        "chisq_diff": found.chisq,
        "df_diff": found.df,
        "pvalue": found.pvalue,
        "rmsea_diff": float(np.sqrt(excess)) if known else float("nan"),
    }
