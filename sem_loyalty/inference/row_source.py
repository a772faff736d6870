"""Inference about functions of the parameter table: by the delta method, or from bootstrap draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.bootstrap import Bootstrap
from sem_loyalty.inference.intervals import acceleration, interval, two_sided_p
from sem_loyalty.inference.standard_slopes import standard_jacobian
from sem_loyalty.inference.standardise import row_values, standardised_values
from sem_loyalty.inference.uncertainty import parameter_covariance

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Inference:
    """Numbers about several quantities, each an array of shape (k,)."""

    est: Array
    se: Array
    pvalue: Array
    lower: Array
    upper: Array


@dataclass(frozen=True, slots=True)
class Source:
    """What inference about functions of the parameter table is drawn from.

    Attributes
    ----------
    point : ndarray, shape (rows,)
        Values of the rows at the solution.
    covariance : ndarray, shape (rows, rows) or None
        Their sampling covariance (delta method); None where there are draws.
    draws : ndarray, shape (rows, R) or None
        Converged bootstrap draws of the rows.
    influence : callable or None
        Returns the influence of every respondent on the rows, shape (rows, n).
    """

    point: Array
    covariance: Array | None
    draws: Array | None
    influence: Callable[[], Array] | None

    def infer(self, est: Array, slopes: Array, drawn: Array | None, method: str, level: float) -> Inference:
        """Return standard errors, p-values and intervals of functions of the rows.

        Parameters
        ----------
        est : ndarray, shape (k,)
        slopes : ndarray, shape (k, rows)
            Derivatives at the solution.
        drawn : ndarray, shape (k, R), or None
            The functions of every draw.
        method : str
            "delta", or an interval of the bootstrap.
        level : float
        """
        if drawn is None or self.draws is None:
            covariance = np.zeros((len(self.point),) * 2) if self.covariance is None else self.covariance
            variance = np.einsum("ij,jk,ik->i", slopes, covariance, slopes, optimize=True)
            se = np.sqrt(np.where(variance < 1e-18, 0.0, variance))
            z = np.divide(est, se, out=np.full(len(est), np.nan), where=se > 0)
            margin = float(ndtri(0.5 + 0.5 * level)) * se
            return Inference(est, se, 2.0 * ndtr(-np.abs(z)), est - margin, est + margin)
        used = np.isfinite(drawn).all(axis=1)
        se = np.where(used, drawn.std(axis=1, ddof=1), np.nan)
        skew = np.zeros(len(est))
        if method == "bca" and self.influence is not None:
            skew = acceleration(slopes @ self.influence())
        lower, upper = interval(est, drawn, method, level, skew)
        return Inference(est, se, two_sided_p(est, drawn, method, skew), lower, upper)


def row_source(fit: Fit, bootstrap: Bootstrap | None, *, standard: bool) -> Source:
    """Return what inference on raw or standardised rows is drawn from."""
    values = row_values(fit)
    point = standardised_values(fit, values, observed=True) if standard else values
    if bootstrap is not None:
        which = 2 if standard else 0
        draws = bootstrap.rows[which][:, bootstrap.converged]
        return Source(point, None, draws, lambda: bootstrap.known_influence[which])
    if standard:
        jacobian = standard_jacobian(fit, observed=True)
    else:
        jacobian = np.zeros((len(values), len(fit.theta)))
        for k, row in enumerate(fit.specification.parameters):
            if row.free >= 0:
                jacobian[k, row.free] = 1.0
    return Source(point, jacobian @ parameter_covariance(fit) @ jacobian.T, None, None)
