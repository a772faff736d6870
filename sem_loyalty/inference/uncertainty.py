"""Sampling covariance of the estimates, and of functions of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.fit import Fit
from sem_loyalty.kernel.likelihood import information

Array = NDArray[np.float64]


def parameter_covariance(fit: Fit) -> Array:
    """Return the asymptotic covariance matrix of the estimates, shape (q, q).

    The inverse of the expected information divided by N, within the linear equality constraints:
    K (K' I K)^-1 K' / N. All nan where the information is singular or no minimum was reached.

    Parameters
    ----------
    fit : Fit
    """
    matrix = fit.space.reduce_matrix(information(fit.blocks, fit.samples, fit.point))
    size = len(fit.theta)
    # Away from a minimum, or on a flat ridge, there is no sampling distribution to describe.
    if {problem.code for problem in fit.certificate.problems} & {"singular information", "not converged"}:
        return np.full((size, size), np.nan)
    scale = np.sqrt(np.diagonal(matrix))
    inverse = np.linalg.inv(matrix / np.outer(scale, scale)) / np.outer(scale, scale)
    inverse = 0.5 * (inverse + inverse.T) / fit.moments.n
    if fit.space.constrained:
        inverse = fit.space.basis @ inverse @ fit.space.basis.T
    return np.asarray(inverse)
