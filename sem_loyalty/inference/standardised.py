"""Standardised solution with standard errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sem_loyalty.errors import ConfigurationError, check_choice
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.marking import mark
from sem_loyalty.inference.standard_slopes import standard_jacobian
from sem_loyalty.inference.standardise import row_values, standardised_values
from sem_loyalty.inference.uncertainty import parameter_covariance
from sem_loyalty.kernel.threads import one_thread

Array = NDArray[np.float64]

KINDS = ("std_all", "std_lv")


@one_thread()
def standardised_solution(fit: Fit, *, kind: str = "std_all", level: float = 0.95) -> pd.DataFrame:
    """Return the standardised parameters with standard errors by the delta method.

    Parameters
    ----------
    fit : Fit
    kind : {"std_all", "std_lv"}, default "std_all"
        All variables, or only the latent ones, in standard-deviation units.
    level : float, default 0.95
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        lhs, op, rhs, group, label, est_std, se, z, pvalue, ci_lower, ci_upper. What is standardised to a constant,
        such as the variance of an exogenous latent variable, has se 0 and no test.

    Raises
    ------
    ConfigurationError
        Unknown kind or level.

    Notes
    -----
    se = sqrt(J V J'), J the derivative of the standardised values by the parameters, V the covariance matrix of the
    estimates (Bollen 1989, doi:10.1002/9781118619179).
    """
    check_choice("kind", kind, KINDS)
    if not 0.0 < level < 1.0:
        raise ConfigurationError(f"level={level!r} is not a coverage between 0 and 1.")
    observed = kind == "std_all"
    values = standardised_values(fit, row_values(fit), observed=observed)
    jacobian = standard_jacobian(fit, observed=observed)
    covariance = parameter_covariance(fit)
    if np.isfinite(covariance).all():
        variance = np.einsum("ij,ij->i", jacobian @ covariance, jacobian)
    else:
        variance = np.where(np.abs(jacobian).max(axis=1) > 0, np.nan, 0.0)
    # Rounding error is left where the standardised value is constant.
    se = np.sqrt(np.where(variance < 1e-18, 0.0, variance))
    z = np.full(len(se), np.nan)
    tested = se > 0
    z[tested] = values[tested] / se[tested]
    margin = float(ndtri(0.5 + level / 2.0)) * se
    frame = pd.DataFrame(
        [(r.lhs, r.op, r.rhs, r.group, r.label) for r in fit.specification.parameters],
        columns=["lhs", "op", "rhs", "group", "label"],
    )
    frame["est_std"], frame["se"], frame["z"] = values, se, z
    frame["pvalue"] = 2.0 * ndtr(-np.abs(z))
    frame["ci_lower"], frame["ci_upper"] = values - margin, values + margin
    return mark(frame, fit)
