"""How far the sample moments are from those of the model, and whether that is more than chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sem_loyalty.errors import ConfigurationError, NotSupported, check_choice
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.implied import check_group, implied_covariance
from sem_loyalty.inference.marking import mark
from sem_loyalty.inference.residual_errors import Spread, residual_spreads

Array = NDArray[np.float64]

TYPES = ("raw", "cor", "cor.bollen", "cor.bentler", "normalized", "standardized")
# The name of the mean of each type of residual, and whether it leaves out the diagonal.
SUMMARIES = {"raw": ("rmr", False), "cor.bollen": ("crmr", True), "cor.bentler": ("srmr", False)}
# A residual that the model fits whatever the sample has no error: its variance is rounding error of that of the moment.
FITTED = 1e-10
CLOSE = 0.05


def residuals(fit: Fit, *, type: str = "raw", group: int = 1) -> pd.DataFrame:
    """Return sample minus implied covariances of the observed variables.

    Parameters
    ----------
    fit : Fit
    type : str, default "raw"
        As in lavaan. "raw": differences of covariances. "cor" or "cor.bollen": of correlations, each matrix scaled by
        its own diagonal. "cor.bentler": both scaled by the sample's. "normalized": raw over the standard error of the
        sample covariance, which is conservative. "standardized": raw over its own standard error, a z-value.
    group : int, default 1
        Group number.

    Returns
    -------
    DataFrame, shape (p, p)
        "standardized" is nan where the model fits the moment whatever the sample. With missing answers kept, the sample
        moments are those of the saturated model; of ordinal items, polychoric correlations, those of the residuals of
        the responses where covariates are held fixed.

    Raises
    ------
    ConfigurationError
        Unknown type or group.
    NotSupported
        "normalized" and "standardized" with ULS and DWLS of items that are not ordinal.

    Notes
    -----
    Standard errors follow the estimator, as in lavaan 0.6-14: normal theory with ML and GLS, fourth moments with MLM,
    MLMV, MLR and WLS, the saturated model with missing answers, the polychoric correlations' with ordinal items. They
    take into account that the same sample gave the estimates (Maydeu-Olivares 2017, doi:10.1007/s11336-016-9552-7).
    Beyond about 2 in absolute value is more than chance, before one allows for looking at many. With parameters held
    equal across groups, the sampling error of every group counts; lavaan counts that of the group itself.

    References
    ----------
    Bollen, K. A. (1989). Structural Equations with Latent Variables. doi:10.1002/9781118619179

    Bentler, P. M. (1995). EQS Structural Equations Program Manual.
    """
    check_choice("type", type, TYPES)
    check_group(fit, group)
    sample, implied = fit.samples[group - 1].cov, implied_covariance(fit, group)
    names = list(fit.specification.observed[: len(sample)])
    if type in ("normalized", "standardized"):
        p = len(names)
        col, row = np.triu_indices(p)
        z = np.zeros((p, p))
        z[row, col] = z[col, row] = _ratios(
            (sample - implied)[row, col], residual_spreads(fit)[group - 1], type, p, None
        )
        return mark(pd.DataFrame(z, index=names, columns=names), fit)
    return mark(pd.DataFrame(_differences(sample, implied, type), index=names, columns=names), fit)


def mean_residuals(fit: Fit, *, type: str = "raw", group: int = 1) -> pd.Series:
    """Return sample minus implied means of the observed variables.

    Parameters
    ----------
    fit : Fit
        With a mean structure.
    type : str, default "raw"
        As in `residuals`; the correlation types divide by the standard deviations of the sample.
    group : int, default 1
        Group number.

    Raises
    ------
    ConfigurationError
        Unknown type or group, or a model without mean structure.
    """
    check_choice("type", type, TYPES)
    check_group(fit, group)
    if not fit.specification.meanstructure:
        raise ConfigurationError("The model has no mean structure, so it says nothing about means.")
    if fit.specification.ordered:
        raise NotSupported("Residuals of means are not supported with ordinal items, which have thresholds instead.")
    sample, at = fit.samples[group - 1], fit.point.implied[group - 1]
    shift, names = sample.mean - at.mean, list(fit.specification.observed)
    if type in ("normalized", "standardized"):
        shift = _ratios(shift, residual_spreads(fit)[group - 1], type, 0, len(names))
    elif type != "raw":
        shift = shift / np.sqrt(np.diagonal(sample.cov))
    return mark(pd.DataFrame({"mean": shift}, index=names), fit)["mean"]


def residual_summary(fit: Fit, *, type: str = "cor.bentler", level: float = 0.90) -> pd.DataFrame:
    """Return the root mean square of the residuals with its sampling error, by group.

    Parameters
    ----------
    fit : Fit
    type : {"raw", "cor.bollen", "cor.bentler"}, default "cor.bentler"
        Of which residuals: rmr, crmr or srmr.
    level : float, default 0.90
        Coverage of the interval.

    Returns
    -------
    DataFrame
        One row per group and part: "cov", and with a mean structure "mean" and "total". Columns group, part, name
        ("rmr", "crmr" or "srmr"), value, se, exactfit_z and exactfit_pvalue (value and test under exact fit);
        unbiased, unbiased_se, ci_lower, ci_upper (estimate of the population value, which may be reported as such),
        closefit_z and closefit_pvalue (that it is at most 0.05). nan where no residual of the part has any error.

    Raises
    ------
    ConfigurationError
        Unknown type or level.
    NotSupported
        As in `residuals`.

    Notes
    -----
    With e the t residuals and X their covariance matrix, the estimate is sqrt(max(e'e - tr X, 0) / t) / k,
    k = 1 - (tr X^2 + 2 e'Xe) / (4 (e'e)^2), with standard error sqrt((tr X^2 + 2 e'Xe) / (2 t e'e)) / k
    (Maydeu-Olivares 2017, doi:10.1007/s11336-016-9552-7).
    """
    check_choice("type", type, tuple(SUMMARIES))
    if not 0.0 < level < 1.0:
        raise ConfigurationError(f"level={level!r} is not a coverage between 0 and 1.")
    name, off_diagonal = SUMMARIES[type]
    records = []
    spreads = residual_spreads(fit)
    for group, (sample, at, spread) in enumerate(zip(fit.samples, fit.point.implied, spreads, strict=True), start=1):
        p = len(sample.cov)
        col, row = np.triu_indices(p)
        turn = _turned(sample.cov, type)
        X = turn @ spread.residuals @ turn.T
        shift = sample.mean - at.mean[:p]
        e = np.concatenate(
            [
                shift if type == "raw" else shift / np.sqrt(np.diagonal(sample.cov)),
                _differences(sample.cov, implied_covariance(fit, group), type)[row, col],
            ]
        )
        counted = np.flatnonzero(row != col) if off_diagonal else np.arange(len(row))
        parts = {"cov": p + counted}
        if fit.specification.meanstructure and not fit.specification.ordered:
            parts |= {"mean": np.arange(p), "total": np.concatenate([np.arange(p), p + counted])}
        for part, index in parts.items():
            records.append(
                {"group": group, "part": part, "name": name, **_summarise(e[index], X[np.ix_(index, index)], level)}
            )
    return mark(pd.DataFrame(records), fit)


def _differences(sample: Array, implied: Array, type: str) -> Array:
    """Return raw residuals, or those of correlations."""
    if type == "raw":
        return sample - implied
    own = np.sqrt(np.outer(np.diagonal(sample), np.diagonal(sample)))
    if type == "cor.bentler":
        return np.asarray((sample - implied) / own)
    return np.asarray(sample / own - implied / np.sqrt(np.outer(np.diagonal(implied), np.diagonal(implied))))


def _ratios(raw: Array, spread: Spread, type: str, first: int, last: int | None) -> Array:
    """Return raw residuals over the standard errors of some moments; nan where there is no error."""
    moments = np.diagonal(spread.moments)[first:last]
    variance = moments if type == "normalized" else np.diagonal(spread.residuals)[first:last]
    known = variance > FITTED * moments
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(known, raw / np.sqrt(variance), np.nan))


def _turned(sample: Array, type: str) -> Array:
    """Return the derivative of means and residuals of a type by raw ones, at the sample."""
    p = len(sample)
    col, row = np.triu_indices(p)
    if type == "raw":
        return np.eye(p + len(row))
    sd = np.sqrt(np.diagonal(sample))
    out = np.diag(np.concatenate([1.0 / sd, 1.0 / (sd[row] * sd[col])]))
    if type == "cor.bollen":
        correlation = (sample / np.outer(sd, sd))[row, col]
        diagonal = np.flatnonzero(row == col)
        here = p + np.arange(len(row))
        for end in (row, col):
            out[here, p + diagonal[end]] -= 0.5 * correlation / sd[end] ** 2
    return out


def _summarise(e: Array, X: Array, level: float) -> dict[str, float]:
    """Return the root mean square of t residuals with its errors and tests."""
    t, total = len(e), float(e @ e)
    trace, square, along = float(np.trace(X)), float(np.einsum("ij,ij->", X, X)), float(e @ X @ e)
    names = ("se", "exactfit_z", "exactfit_pvalue", "unbiased", "unbiased_se", "ci_lower", "ci_upper", "closefit_z",
             "closefit_pvalue")  # fmt: skip
    value = float(np.sqrt(total / t)) if t else float("nan")
    if not t or trace <= 0 or total <= 0:
        return {"value": value} | dict.fromkeys(names, float("nan"))
    se = float(np.sqrt(square / (2.0 * t * trace)))
    expected = float(np.sqrt(trace / t)) * (1.0 - square / (4.0 * trace**2))
    z = (value - expected) / se
    bias = 1.0 - (square + 2.0 * along) / (4.0 * total**2)
    unbiased = float(np.sqrt(max(total - trace, 0.0) / t)) / bias
    unbiased_se = float(np.sqrt((square + 2.0 * along) / (2.0 * t * total))) / bias
    margin = float(ndtri(0.5 + level / 2.0)) * unbiased_se
    close = (unbiased - CLOSE) / unbiased_se
    found = (
        se,
        z,
        float(ndtr(-z)),
        unbiased,
        unbiased_se,
        unbiased - margin,
        unbiased + margin,
        close,
        float(ndtr(-close)),
    )
    return {"value": value} | dict(zip(names, found, strict=True))
