"""Standardised solutions: latent variables only (std_lv), or all variables (std_all)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.model.scatter import place, variables
from sem_loyalty.model.spec import Parameter

Array = NDArray[np.float64]


def row_values(fit: Fit) -> Array:
    """Return the value of every row of the parameter table, fixed ones included, shape (rows,)."""
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
    position = variables(fit.specification)
    p = len(fit.specification.observed)
    out = values.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        scales = []
        for at in fit.point.implied:
            total = np.sqrt(np.diagonal(at.total))
            residual = np.sqrt(np.diagonal(at.residual))
            if not observed:
                total = np.where(np.arange(len(total)) < p, 1.0, total)
                residual = np.where(np.arange(len(residual)) < p, 1.0, residual)
            scales.append((total, residual))
        for i, row in enumerate(fit.specification.parameters if rows is None else rows):
            total, residual = scales[row.group - 1]
            at_row = place(row, position)
            if at_row.matrix == "A":
                out[i] = values[i] * total[at_row.col] / total[at_row.row]
            elif at_row.matrix in ("m", "t"):
                out[i] = values[i] / total[at_row.row]
            elif at_row.matrix == "d":
                out[i] = values[i] * total[at_row.row]
            elif at_row.row == at_row.col:
                out[i] = values[i] / total[at_row.row] ** 2
            else:
                out[i] = values[i] / (residual[at_row.row] * residual[at_row.col])
    return out
