"""How much every respondent moves every estimate: the infinitesimal jackknife."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.standard_slopes import standard_jacobian
from sem_loyalty.inference.uncertainty import answers, bread, maximum
from sem_loyalty.kernel.ram import to_parameters
from sem_loyalty.kernel.robust import entry_scores
from sem_loyalty.model.scatter import places

Array = NDArray[np.float64]


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


def row_jacobian(fit: Fit) -> Array:
    """Return the derivatives of the rows of the table, raw, std_lv and std_all, shape (3, rows, q).

    Moments of fixed covariates are held.
    """
    free = places(fit.specification).free
    raw = np.zeros((len(free), len(fit.theta)))
    rows = np.flatnonzero(free >= 0)
    raw[rows, free[rows]] = 1.0
    return np.stack([raw, *(standard_jacobian(fit, observed=observed) for observed in (False, True))])
