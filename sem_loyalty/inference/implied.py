"""What the model says the moments are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.marking import mark
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy

Array = NDArray[np.float64]


def model_implied(fit: Fit, group: int = 1) -> dict[str, pd.DataFrame]:
    """Return the covariance matrices that the model implies for one group.

    Parameters
    ----------
    fit : Fit
    group : int, default 1
        Group number.

    Returns
    -------
    dict of DataFrame
        "cov" of the observed variables, "cov_lv" and "cor_lv" of the latent ones, "cov_all" of both, "mean" of
        all (one column).

    Raises
    ------
    ConfigurationError
        There is no such group.
    """
    check_group(fit, group)
    at = fit.point.implied[group - 1]
    observed, latent = list(fit.specification.observed), list(fit.specification.latent)
    p = len(observed)
    total = 0.5 * (at.total + at.total.T)
    lv = total[p:, p:]
    with np.errstate(invalid="ignore"):
        sd = np.sqrt(np.diagonal(lv))
        correlation = lv / np.outer(sd, sd)
    frames = {
        "cov": pd.DataFrame(total[:p, :p], index=observed, columns=observed),
        "cov_lv": pd.DataFrame(lv, index=latent, columns=latent),
        "cor_lv": pd.DataFrame(correlation, index=latent, columns=latent),
        "cov_all": pd.DataFrame(total, index=observed + latent, columns=observed + latent),
        "mean": pd.DataFrame({"mean": at.means}, index=observed + latent),
    }
    return {name: mark(frame, fit) for name, frame in frames.items()}


def implied_covariance(fit: Fit, group: int) -> Array:
    """Return what a model implies of the sample's covariances, or of its correlations where items are ordinal, (p, p).

    Parameters
    ----------
    fit : Fit
    group : int
        Group number, from 1.
    """
    at = fit.point.implied[group - 1]
    if isinstance(fit.discrepancy, OrdinalDiscrepancy):
        return fit.discrepancy.models[group - 1].covariance(fit.theta, at)
    return at.cov


def check_group(fit: Fit, group: int) -> None:
    """Raise ConfigurationError where a model has no such group."""
    if not 1 <= group <= len(fit.specification.groups):
        raise ConfigurationError(f"group={group} does not exist; the model has {len(fit.specification.groups)}.")
