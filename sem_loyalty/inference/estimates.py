"""Estimates with their uncertainty, defined parameters, and explained variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.marking import mark
from sem_loyalty.inference.standardise import row_values, standardised_values
from sem_loyalty.inference.uncertainty import parameter_covariance
from sem_loyalty.model.derived import evaluate_with_slope
from sem_loyalty.model.scatter import places, variables
from sem_loyalty.model.spec import Specification, kept

Array = NDArray[np.float64]

COLUMNS = [
    "lhs", "op", "rhs", "group", "label", "est", "se", "z", "pvalue", "ci_lower", "ci_upper", "std_lv", "std_all",
]  # fmt: skip
_NUMBERS = pd.Index(COLUMNS[5:])


def estimates(fit: Fit, *, level: float = 0.95) -> pd.DataFrame:
    """Return every parameter with its standard error, test, interval and standardised values.

    Parameters
    ----------
    fit : Fit
        A fitted model. Where it is not certified, the frame prints so (`MarkedFrame`).
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
    free_se = np.append(np.sqrt(np.maximum(np.diagonal(covariance), 0.0)), 0.0)
    defined = _defined(fit, covariance, std_lv, std_all) if specification.defined else []
    # A fixed row has -1 for its position: the last entry, zero.
    se = free_se[places(specification).free]
    cells = np.empty((len(values) + len(defined), 8))
    est, errors = cells[:, 0], cells[:, 1]
    for column, of_rows, name in ((0, values, "est"), (1, se, "se"), (6, std_lv, "std_lv"), (7, std_all, "std_all")):
        cells[: len(values), column] = of_rows
        cells[len(values) :, column] = [getattr(item, name) for item in defined]
    tested = errors > 0
    z = np.divide(est, errors, out=np.full(len(est), np.nan), where=tested)
    margin = float(ndtri(0.5 + level / 2.0)) * errors
    cells[:, 2], cells[:, 3] = z, 2.0 * ndtr(-np.abs(z))
    cells[:, 4], cells[:, 5] = est - margin, est + margin
    rows = _rows(specification)
    frame = pd.concat([rows, pd.DataFrame(cells, index=rows.index, columns=_NUMBERS, copy=False)], axis=1)
    if len(specification.groups) > 1:
        frame.attrs["groups"] = dict(enumerate(specification.groups, start=1))
    return mark(frame, fit)


@kept
def _rows(specification: Specification) -> pd.DataFrame:
    """Return what names the rows of the table: those of parameters, then those of defined ones."""
    rows, defined = specification.parameters, specification.defined
    return pd.DataFrame(
        {
            "lhs": [row.lhs for row in rows] + [item.name for item in defined],
            "op": [row.op for row in rows] + [":="] * len(defined),
            "rhs": [row.rhs for row in rows] + [_compact(item.expression.text) for item in defined],
            "group": [row.group for row in rows] + [0] * len(defined),
            "label": [row.label for row in rows] + [item.name for item in defined],
        }
    )


@dataclass(frozen=True, slots=True)
class _DefinedValue:
    """A defined parameter: its delta-method standard error, and its value from standardised labels."""

    est: float
    se: float
    std_lv: float
    std_all: float


def _defined(fit: Fit, covariance: Array, std_lv: Array, std_all: Array) -> list[_DefinedValue]:
    """Return the defined parameters in the order of the model."""
    specification = fit.specification
    labelled = {row.label: row for row in specification.parameters if row.label}
    definitions = {item.name: item.expression for item in specification.defined}
    standard: list[dict[str, float]] = []
    for scaled in (std_lv, std_all):
        by_label: dict[str, float] = {}
        for i, row in enumerate(specification.parameters):
            if row.label:
                by_label.setdefault(row.label, float(scaled[i]))
        standard.append(by_label)
    known = bool(np.isfinite(covariance).all())
    found = []
    for item in specification.defined:
        value, slope = evaluate_with_slope(item.expression, labelled, definitions, fit.theta)
        se = float(np.sqrt(max(0.0, float(slope @ covariance @ slope)))) if known else np.nan
        for by_label in standard:
            by_label[item.name] = float(item.expression.evaluate(by_label))
        scaled_values = [by_label[item.name] for by_label in standard]
        found.append(_DefinedValue(value, se, *scaled_values))
    return found


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
    return mark(pd.DataFrame(records, columns=["variable", "group", "r2"]), fit)
