"""The table of estimates as arrays: what `estimates` returns as a frame and `summary` prints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.standardise import row_values, standardised_values
from sem_loyalty.inference.uncertainty import parameter_covariance, parameter_variances
from sem_loyalty.model.derived import evaluate_with_slope
from sem_loyalty.model.scatter import places
from sem_loyalty.model.spec import Specification, kept

Array = NDArray[np.float64]

NUMBERS = ("est", "se", "z", "pvalue", "ci_lower", "ci_upper", "std_lv", "std_all")


@dataclass(frozen=True, slots=True)
class RowNames:
    """What names the rows of the table: those of parameters, then those of defined ones (group 0)."""

    lhs: list[str]
    op: list[str]
    rhs: list[str]
    group: list[int]
    label: list[str]


@kept
def row_names(specification: Specification) -> RowNames:
    """Return the names of the rows, one list entry each."""
    rows, defined = specification.parameters, specification.defined
    return RowNames(
        lhs=[row.lhs for row in rows] + [item.name for item in defined],
        op=[row.op for row in rows] + [":="] * len(defined),
        rhs=[row.rhs for row in rows] + [_compact(item.expression.text) for item in defined],
        group=[row.group for row in rows] + [0] * len(defined),
        label=[row.label for row in rows] + [item.name for item in defined],
    )


def row_numbers(fit: Fit, level: float) -> Array:
    """Return the columns `NUMBERS` of the table, shape (rows, 8).

    Parameters
    ----------
    fit : Fit
    level : float
        Coverage of the intervals.

    Raises
    ------
    ConfigurationError
        `level` is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise ConfigurationError(f"level={level!r} is not a coverage between 0 and 1.")
    specification = fit.specification
    covariance = parameter_covariance(fit) if specification.defined else None
    variances = covariance.diagonal() if covariance is not None else parameter_variances(fit)
    values = row_values(fit)
    std_lv = standardised_values(fit, values, observed=False)
    std_all = standardised_values(fit, values, observed=True)
    free_se = np.append(np.sqrt(np.maximum(variances, 0.0)), 0.0)
    cells = np.empty((len(values) + len(specification.defined), 8))
    est, se = cells[:, 0], cells[:, 1]
    # A fixed row has -1 for its position: the last entry, zero.
    by_row = (0, values), (1, free_se[places(specification).free]), (6, std_lv), (7, std_all)
    for column, of_rows in by_row:
        cells[: len(values), column] = of_rows
    if covariance is not None:
        found = _defined(fit, covariance, std_lv, std_all)
        cells[len(values) :, [0, 1, 6, 7]] = [(item.est, item.se, item.std_lv, item.std_all) for item in found]
    z = np.divide(est, se, out=np.full(len(est), np.nan), where=se > 0)
    margin = float(ndtri(0.5 + level / 2.0)) * se
    cells[:, 2], cells[:, 3] = z, 2.0 * ndtr(-np.abs(z))
    cells[:, 4], cells[:, 5] = est - margin, est + margin
    return cells


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
