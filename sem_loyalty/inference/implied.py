"""What the model says the moments are, and how far the sample is from it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.marking import mark


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
    _check_group(fit, group)
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


def residuals(fit: Fit, *, kind: str = "raw", group: int = 1) -> pd.DataFrame:
    """Return sample minus implied covariances of the observed variables.

    Parameters
    ----------
    fit : Fit
    kind : {"raw", "cor"}, default "raw"
        "raw" differences of covariances; "cor" of correlations, each matrix scaled by its own diagonal
        (Bentler 1995, EQS Structural Equations Program Manual).
    group : int, default 1
        Group number.

    Returns
    -------
    DataFrame, shape (p, p)

    Raises
    ------
    ConfigurationError
        Unknown kind or group.
    """
    if kind not in ("raw", "cor"):
        raise ConfigurationError(f"kind={kind!r} is not one of 'raw', 'cor'.")
    _check_group(fit, group)
    sample, implied = fit.samples[group - 1].cov, fit.point.implied[group - 1].cov
    if kind == "cor":
        sample = sample / np.sqrt(np.outer(np.diagonal(sample), np.diagonal(sample)))
        implied = implied / np.sqrt(np.outer(np.diagonal(implied), np.diagonal(implied)))
    names = list(fit.specification.observed)
    return mark(pd.DataFrame(sample - implied, index=names, columns=names), fit)


def _check_group(fit: Fit, group: int) -> None:
    if not 1 <= group <= len(fit.specification.groups):
        raise ConfigurationError(f"group={group} does not exist; the model has {len(fit.specification.groups)}.")
