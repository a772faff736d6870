"""Estimates with their uncertainty, defined parameters, and explained variance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.fitting.fit import Fit
from sem_loyalty.inference.standardise import row_values, standardised_values
from sem_loyalty.inference.uncertainty import parameter_covariance
from sem_loyalty.model.derived import evaluate_with_slope
from sem_loyalty.model.scatter import variables

Array = NDArray[np.float64]

COLUMNS = [
    "lhs", "op", "rhs", "group", "label", "est", "se", "z", "pvalue", "ci_lower", "ci_upper", "std_lv", "std_all",
]  # fmt: skip


def estimates(fit: Fit, *, level: float = 0.95) -> pd.DataFrame:
    """Return every parameter with its standard error, test, interval and standardised values.

    Parameters
    ----------
    fit : Fit
        A fitted model. The frame's `attrs["certified"]` repeats whether the fit is certified.
    level : float, default 0.95
        Coverage of the intervals, between 0 and 1.

    Returns
    -------
    DataFrame
        One row per parameter: lhs, op, rhs, group, label, est, se, z, pvalue, ci_lower, ci_upper, std_lv, std_all.
        Standard errors come from the expected information, those of defined parameters (`:=`, group 0) from the
        delta method. Fixed parameters have se 0 and no test.

    Raises
    ------
    ConfigurationError
        `level` is not between 0 and 1.

    Notes
    -----
    z = est / se, p = 2 (1 - Phi(|z|)), computed in the tail. std_lv divides by the standard deviations of the
    latent variables, std_all by those of all variables (Bollen 1989, Structural Equations with Latent Variables,
    doi:10.1002/9781118619179).
    """
    if not 0.0 < level < 1.0:
        raise ConfigurationError(f"level={level!r} is not a coverage between 0 and 1.")
    specification = fit.specification
    covariance = parameter_covariance(fit)
    values = row_values(fit)
    std_lv = standardised_values(fit, values, observed=False)
    std_all = standardised_values(fit, values, observed=True)
    free_se = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    records = []
    for i, row in enumerate(specification.parameters):
        se = float(free_se[row.free]) if row.free >= 0 else 0.0
        records.append((row.lhs, row.op, row.rhs, row.group, row.label, values[i], se, std_lv[i], std_all[i]))
    for record in _defined(fit, covariance, std_lv, std_all):
        records.append(record)
    frame = pd.DataFrame(records, columns=["lhs", "op", "rhs", "group", "label", "est", "se", "std_lv", "std_all"])
    est, errors = frame["est"].to_numpy(dtype=float), frame["se"].to_numpy(dtype=float)
    tested = errors > 0
    z = np.full(len(frame), np.nan)
    z[tested] = est[tested] / errors[tested]
    margin = float(ndtri(0.5 + level / 2.0)) * errors
    frame["z"], frame["pvalue"] = z, 2.0 * ndtr(-np.abs(z))
    frame["ci_lower"], frame["ci_upper"] = est - margin, est + margin
    frame = frame[COLUMNS]
    if len(specification.groups) > 1:
        frame.attrs["groups"] = dict(enumerate(specification.groups, start=1))
    frame.attrs["certified"] = fit.certificate.certified
    return frame


def _defined(
    fit: Fit, covariance: Array, std_lv: Array, std_all: Array
) -> list[tuple[str, str, str, int, str, float, float, float, float]]:
    """Return the rows of the defined parameters: delta-method standard errors, standardised by their labels."""
    specification = fit.specification
    rows = []
    labelled = {row.label: row for row in specification.parameters if row.label}
    definitions = {item.name: item.expression for item in specification.defined}
    standard = []
    for scaled in (std_lv, std_all):
        by_label: dict[str, float] = {}
        for i, row in enumerate(specification.parameters):
            if row.label:
                by_label.setdefault(row.label, float(scaled[i]))
        standard.append(by_label)
    for item in specification.defined:
        value, slope = evaluate_with_slope(item.expression, labelled, definitions, fit.theta)
        se = float(np.sqrt(max(0.0, float(slope @ covariance @ slope)))) if np.isfinite(covariance).all() else np.nan
        scaled_values = []
        for by_label in standard:
            scaled_values.append(float(item.expression.evaluate(by_label)))
            by_label[item.name] = scaled_values[-1]
        rows.append((item.name, ":=", _compact(item.expression.text), 0, item.name, value, se, *scaled_values))
    return rows  # type: ignore[return-value]


def _compact(text: str) -> str:
    """Return an expression without blanks, as lavaan prints it; names in quotes keep theirs."""
    return text if any(quote in text for quote in "\"'`") else text.replace(" ", "")


def r_squared(fit: Fit) -> pd.DataFrame:
    """Return the share of variance that the model explains of every indicator and outcome.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    DataFrame
        Columns variable, group, r2 = 1 - residual variance / total variance; nan where the residual variance is
        negative.
    """
    position = variables(fit.specification)
    names = dict.fromkeys(
        name
        for row in fit.specification.parameters
        if row.op in ("=~", "~")
        for name in ((row.rhs,) if row.op == "=~" else (row.lhs,))
    )
    records = []
    for group, at in enumerate(fit.point.implied, start=1):
        for name in names:
            k = position[name]
            residual, total = float(at.residual[k, k]), float(at.total[k, k])
            share = 1.0 - residual / total if residual >= 0 and total > 0 else np.nan
            records.append((name, group, share))
    return pd.DataFrame(records, columns=["variable", "group", "r2"])
