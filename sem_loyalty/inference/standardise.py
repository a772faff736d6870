"""Standardised solutions: latent variables only (std_lv), or all variables (std_all)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.model.scatter import Places, place, places, places_of, variables
from sem_loyalty.model.spec import Parameter, Specification, kept

Array = NDArray[np.float64]


def row_values(fit: Fit) -> Array:
    """Return the value of every row of the parameter table, fixed ones included, shape (rows,)."""
    if not fit.specification.ordered:
        return _plain_values(fit)
    position = variables(fit.specification)
    values = np.empty(len(fit.specification.parameters))
    for i, row in enumerate(fit.specification.parameters):
        if row.free >= 0:
            values[i] = fit.theta[row.free]
        else:
            block = fit.blocks[row.group - 1]
            at = place(row, position)
            if at.matrix == "d" and row.value is None:
                # Follows from the variance of the response (theta parameterisation).
                values[i] = float(fit.point.implied[row.group - 1].cov[at.row, at.row]) ** -0.5
            elif at.matrix in ("t", "d"):
                values[i] = 0.0 if row.value is None else row.value
            elif at.matrix == "S" and at.row == at.col and row.lhs in fit.specification.ordered:
                # What follows from the loadings (delta) and what is fixed (theta) both stand among the residuals.
                values[i] = fit.point.implied[row.group - 1].residual[at.row, at.row]
            elif at.matrix == "m":
                values[i] = block.intercepts[at.row]
            else:
                values[i] = (block.directed if at.matrix == "A" else block.symmetric)[at.row, at.col]
    return values


def _plain_values(fit: Fit) -> Array:
    """Return the values of the rows of a model of continuous variables, where no value follows from others."""
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
    at = ratio(specification) if rows is None else _ratio_at(specification, places_of(specification, rows))
    with np.errstate(invalid="ignore", divide="ignore"):
        deviations = np.sqrt([part.diagonal() for at in fit.point.implied for part in (at.total, at.residual)])
        if not observed:
            deviations[:, : len(specification.observed)] = 1.0
        unit = np.append(deviations, 1.0)
        return np.asarray(values * (unit.take(at.top) / (unit.take(at.left) * unit.take(at.right))))


@dataclass(frozen=True, slots=True)
class Ratio:
    """By which standard deviations rows are multiplied and divided: top / (left right).

    Positions among those of all variables and then of all residuals, group by group; the last one, after them, is 1.
    """

    top: NDArray[np.intp]
    left: NDArray[np.intp]
    right: NDArray[np.intp]


@kept
def ratio(specification: Specification) -> Ratio:
    """Return by which standard deviations the rows of the parameter table are multiplied and divided."""
    return _ratio_at(specification, places(specification))


def _ratio_at(specification: Specification, at: Places) -> Ratio:
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
    return Ratio(top, left, right)
