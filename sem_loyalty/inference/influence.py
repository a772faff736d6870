"""How much every respondent moves every estimate: the infinitesimal jackknife."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.resampling import Plan, standardised_rows
from sem_loyalty.inference.uncertainty import answers, bread, maximum
from sem_loyalty.kernel.ram import to_parameters
from sem_loyalty.kernel.robust import entry_scores

Array = NDArray[np.float64]

# Step of the numerical derivative, in standard errors of one respondent.
STEP = 1e-4


def parameter_influence(fit: Fit) -> Array:
    """Return the empirical influence of every respondent on the estimates, shape (q, n), groups one after another.

    u_i = H^-1 s_i with s_i the score of respondent i about the mean score of the group and H the observed
    information per respondent, within the constraints; leaving i out moves the estimates by -u_i / (n - 1) to the
    first order.
    """
    size = len(fit.theta)
    parts = []
    for block, at, inverse, rows in zip(fit.blocks, fit.point.implied, maximum(fit).inverse, answers(fit), strict=True):
        mean = at.mean if block.means else rows.mean(axis=0)
        scores = entry_scores(block, at, inverse, rows - mean, at.cov)
        scores -= scores.mean(axis=0)
        parts.append(np.stack([to_parameters(block, one, size) for one in scores], axis=1))
    return np.asarray(bread(fit, observed=True) @ np.concatenate(parts, axis=1))


def row_jacobian(fit: Fit, plan: Plan) -> Array:
    """Return the derivatives of the rows of the table, raw, std_lv and std_all, shape (3, rows, q).

    By central differences, all parameters at once. Moments of fixed covariates are held.
    """
    step = STEP * np.sqrt(np.diagonal(bread(fit, observed=True)))
    size = len(step)
    theta = fit.theta[:, None] + np.concatenate([np.diag(step), -np.diag(step)], axis=1)
    covs = [
        np.repeat(sample.cov[np.tril_indices(len(sample.cov))][:, None], 2 * size, axis=1) for sample in fit.samples
    ]
    means = [np.repeat(sample.mean[:, None], 2 * size, axis=1) for sample in fit.samples]
    values = standardised_rows(plan, theta, covs, means)
    slope = values[..., :size] - values[..., size:]
    slope[np.abs(slope) < 1e-14 * np.abs(values[..., :size])] = 0.0
    return np.asarray(slope / (2.0 * step))
