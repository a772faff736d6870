"""Standardised solutions: latent variables only (std_lv), or all variables (std_all)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy
from sem_loyalty.model.scatter import Places, places, places_of, variables
from sem_loyalty.model.spec import Parameter, Specification, kept

Array = NDArray[np.float64]
Index = NDArray[np.intp]


def row_values(fit: Fit) -> Array:
    """Return the value of every row of the parameter table, fixed ones included, shape (rows,)."""
    values = _plain_values(fit)
    if fit.specification.ordered:
        own = _ordinal_rows(fit.specification)
        values[own.written] = own.values
        for group, (at, variances, scales) in enumerate(
            zip(fit.point.implied, own.variances, own.scales, strict=True), start=1
        ):
            # What follows from the loadings (delta) and what is fixed (theta) both stand among the residuals.
            values[variances[0]] = at.residual[variances[1], variances[1]]
            if len(scales[0]):
                values[scales[0]] = response_scales(fit, group)[scales[1]]
    return values


def response_scales(fit: Fit, group: int) -> Array:
    """Return d of every response of a model of ordinal items, shape (p,)."""
    if not isinstance(fit.discrepancy, OrdinalDiscrepancy):
        raise ValueError("The model was not fitted to ordinal items.")
    return fit.discrepancy.models[group - 1].scales(fit.theta, fit.point.implied[group - 1])


@dataclass(frozen=True, slots=True)
class _OrdinalRows:
    """Fixed rows of ordinal items.

    Attributes
    ----------
    written : ndarray of int
        Rows of thresholds and scales that have a value.
    values : ndarray
        What that is.
    variances, scales : list of tuple of ndarray of int
        By group, rows of residual variances, and of scales that follow from the variance of the response (theta
        parameterisation), with their variables.
    """

    written: Index
    values: Array
    variances: list[tuple[Index, Index]]
    scales: list[tuple[Index, Index]]


@kept
def _ordinal_rows(specification: Specification) -> _OrdinalRows:
    """Return which fixed rows belong to ordinal items."""
    at, rows = places(specification), specification.parameters
    valued = np.array([row.value is not None for row in rows], dtype=np.bool_)
    ordinal = np.array([row.lhs in specification.ordered for row in rows], dtype=np.bool_)
    fixed, scales = at.free < 0, at.matrix == "d"
    written = np.flatnonzero(fixed & (scales & valued | (at.matrix == "t")))
    variances = fixed & ordinal & (at.matrix == "S") & (at.row == at.col)

    def by_group(chosen: NDArray[np.bool_]) -> list[tuple[Index, Index]]:
        found = [np.flatnonzero(chosen & (at.group == group)) for group in range(len(specification.groups))]
        return [(rows, at.row[rows]) for rows in found]

    return _OrdinalRows(
        written=written,
        values=np.array([rows[k].value or 0.0 for k in written], dtype=np.float64),
        variances=by_group(variances),
        scales=by_group(fixed & scales & ~valued),
    )


def _plain_values(fit: Fit) -> Array:
    """Return the values of the rows of a model in which no value follows from others; 0 for thresholds and scales."""
    at = places(fit.specification)
    values = np.where(at.free >= 0, fit.theta[at.free], 0.0) if len(fit.theta) else np.zeros(len(at.free))
    for block, (effects, covariances, means) in zip(fit.blocks, _fixed_rows(fit.specification), strict=True):
        values[effects] = block.directed[at.row[effects], at.col[effects]]
        values[covariances] = block.symmetric[at.row[covariances], at.col[covariances]]
        values[means] = block.intercepts[at.row[means]]
    return values


@kept
def _fixed_rows(specification: Specification) -> list[tuple[NDArray[np.intp], ...]]:
    """Return which rows are fixed entries of A, S and m, by group."""
    at = places(specification)
    return [
        tuple(np.flatnonzero((at.free < 0) & (at.group == group) & (at.matrix == matrix)) for matrix in ("A", "S", "m"))
        for group in range(len(specification.groups))
    ]


def standardised_values(fit: Fit, values: Array, *, observed: bool, rows: tuple[Parameter, ...] | None = None) -> Array:
    """Return the rows of the table in standard-deviation units.

    Parameters
    ----------
    fit : Fit
    values : ndarray, shape (rows,)
        Raw values of the rows.
    observed : bool
        True scales every variable to unit variance (std_all), False only the latent ones (std_lv).
    rows : tuple of Parameter, optional
        The rows that `values` belong to; by default those of the parameter table.

    Returns
    -------
    ndarray, shape (rows,)
        A covariance of residuals becomes their correlation. nan where a variance is not positive.
    """
    specification = fit.specification
    ratio = scaling(specification) if rows is None else _scaling_at(specification, places_of(specification, rows))
    with np.errstate(invalid="ignore", divide="ignore"):
        deviations = np.sqrt([part.diagonal() for at in fit.point.implied for part in (at.total, at.residual)])
        if not observed:
            deviations[:, : len(specification.observed)] = 1.0
        unit = np.append(deviations, 1.0)
        out = values * (unit.take(ratio.top) / (unit.take(ratio.left) * unit.take(ratio.right)))
    if rows is None and observed and specification.ordered and specification.exogenous:
        # The scale of a response is one over the standard deviation of its residual given the covariates.
        out[places(specification).matrix == "d"] = 1.0
    return np.asarray(out)


@dataclass(frozen=True, slots=True)
class Scaling:
    """By which standard deviations rows are multiplied and divided: top / (left right).

    Positions among those of all variables and then of all residuals, group by group; the last one, after them, is 1.
    """

    top: NDArray[np.intp]
    left: NDArray[np.intp]
    right: NDArray[np.intp]


@kept
def scaling(specification: Specification) -> Scaling:
    """Return how the rows of the parameter table are standardised."""
    return _scaling_at(specification, places(specification))


def _scaling_at(specification: Specification, at: Places) -> Scaling:
    """Return the ratio of rows that stand at some places."""
    size = len(variables(specification))
    top, left, right = np.full((3, len(at.row)), 2 * size * len(specification.groups))
    row, col = 2 * size * at.group + at.row, 2 * size * at.group + at.col
    effects, scales = at.matrix == "A", at.matrix == "d"
    variances, between = ((at.matrix == "S") & same for same in (at.row == at.col, at.row != at.col))
    levels = (at.matrix == "m") | (at.matrix == "t")
    top[effects], left[effects] = col[effects], row[effects]
    left[variances] = right[variances] = row[variances]
    left[between], right[between] = row[between] + size, col[between] + size
    left[levels] = row[levels]
    top[scales] = row[scales]
    return Scaling(top, left, right)
