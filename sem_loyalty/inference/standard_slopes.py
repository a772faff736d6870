"""How standardised values move with the parameters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.standardise import row_values, scaling, standardised_values
from sem_loyalty.kernel.likelihood import evaluate
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy
from sem_loyalty.kernel.ram import Block, Implied
from sem_loyalty.model.scatter import places

Array = NDArray[np.float64]


def standard_jacobian(fit: Fit, *, observed: bool) -> Array:
    """Return the derivative of the standardised rows by the parameters, shape (rows, q).

    A row is x s_t / (s_l s_r), with standard deviations s of variables and residuals, so its derivative is
    x' s_t / (s_l s_r) plus the row times that of log s_t - log s_l - log s_r. Those of ordinal items, whose variances
    and thresholds follow from other parameters, come from differences.

    Parameters
    ----------
    fit : Fit
    observed : bool
        True scales every variable to unit variance (std_all), False only the latent ones (std_lv).
    """
    if fit.specification.ordered:
        return jacobian_by_differences(fit, observed=observed)
    size, latent = len(fit.theta), len(fit.specification.observed)
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = [_log_deviations(block, at, size) for block, at in zip(fit.blocks, fit.point.implied, strict=True)]
        by_log = np.concatenate([part for pair in logs for part in pair] + [np.zeros((1, size))])
        if not observed:
            both = by_log[:-1].reshape(2 * len(logs), -1, size)
            both[:, :latent] = 0.0
        ratio = scaling(fit.specification)
        out = by_log[ratio.top] - by_log[ratio.left] - by_log[ratio.right]
        values = row_values(fit)
        out *= standardised_values(fit, values, observed=observed)[:, None]
        factor = standardised_values(fit, np.ones(len(values)), observed=observed)
    free = places(fit.specification).free
    rows = np.flatnonzero(free >= 0)
    out[rows, free[rows]] += factor[rows]
    return np.asarray(out)


def _log_deviations(block: Block, at: Implied, size: int) -> tuple[Array, Array]:
    """Return the derivatives of the logarithms of the standard deviations of variables, and of residuals, (v, q) each.

    dV_kk is 2 B_ki V_kj by A[i, j], 2 B_kr B_ks by S[r, s], and B_kr^2 by S[r, r].
    """
    B, V = at.total_inverse, at.total
    i, j, r, s = block.directed_row, block.directed_col, block.symmetric_row, block.symmetric_col
    weight = np.where(r == s, 1.0, 2.0)
    by_entry = np.concatenate([2.0 * B[:, i] * V[:, j], weight * B[:, r] * B[:, s]], axis=1)
    total, residual = np.zeros((2, len(V), size))
    parameter = np.concatenate([block.directed_parameter, block.symmetric_parameter])
    np.add.at(total.T, parameter, by_entry.T)
    own = r == s
    np.add.at(residual, (r[own], block.symmetric_parameter[own]), 1.0)
    return total / (2.0 * V.diagonal()[:, None]), residual / (2.0 * at.residual.diagonal()[:, None])


def jacobian_by_differences(fit: Fit, *, observed: bool) -> Array:
    """Return `standard_jacobian` from central differences, with one step of Richardson extrapolation."""
    columns = []
    for k, centre in enumerate(fit.theta):
        step = 1e-4 * max(abs(float(centre)), 1e-2)
        columns.append((4.0 * _slope(fit, k, step / 2, observed) - _slope(fit, k, step, observed)) / 3.0)
    return np.array(columns).T.reshape(len(fit.specification.parameters), len(fit.theta))


def _slope(fit: Fit, k: int, step: float, observed: bool) -> Array:
    up, down = fit.theta.copy(), fit.theta.copy()
    up[k] += step
    down[k] -= step
    return (_standard(fit, up, observed=observed) - _standard(fit, down, observed=observed)) / (2.0 * step)


def _standard(fit: Fit, theta: Array, *, observed: bool) -> Array:
    """Return the standardised rows at another parameter vector; nan where the model is not defined there."""
    ordinal = isinstance(fit.discrepancy, OrdinalDiscrepancy)
    point = fit.discrepancy.evaluate(theta) if ordinal else evaluate(fit.blocks, fit.samples, theta)
    if point is None:
        return np.full(len(fit.specification.parameters), np.nan)
    moved = replace(fit, theta=theta, point=point)
    return standardised_values(moved, row_values(moved), observed=observed)
