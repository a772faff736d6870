"""Fit measures from corrected tests."""

from __future__ import annotations

import numpy as np

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.baseline import Extremes
from sem_loyalty.inference.scaled_tests import ScaledTest, scaled_test
from sem_loyalty.kernel import indices


def robust_measures(fit: Fit, baseline: float, baseline_df: int, known: Extremes | None = None) -> dict[str, float]:
    """Return the scaled and robust fit measures of a fit by MLM, MLMV or MLR.

    Parameters
    ----------
    fit : Fit
    baseline, baseline_df : float, int
        Plain test of the independence model.
    known : Extremes, optional
        `extremes(fit)`, where they were computed.

    Notes
    -----
    `_scaled` indices put the corrected chi-squares into the usual formulas. `_robust` ones estimate what the usual
    index would be in the population: with c the inflation of the test, chisq - c df takes the place of chisq - df
    (Brosseau-Liard, Savalei and Li 2012, doi:10.1080/00273171.2012.715252; Brosseau-Liard and Savalei 2014,
    doi:10.1080/00273171.2014.933697; Li and Bentler 2006 for the interval). Where missing answers are kept, the robust
    ones are those of `incomplete_measures`.
    """
    n, groups = fit.moments.n, len(fit.moments.groups)
    own = scaled_test(fit, fit.chisq, fit.df, known=known)
    null = scaled_test(fit, baseline, baseline_df, baseline=True, known=known)
    tli = indices.tli(own.chisq, own.df, null.chisq, null.df)
    nfi = indices.nfi(own.chisq, null.chisq)
    low, high, close = _scaled_interval(fit, own)
    values = {
        "chisq_scaled": own.chisq,
        "df_scaled": own.df,
        "pvalue_scaled": own.pvalue,
        "chisq_scaling_factor": own.factor,
        "baseline_chisq_scaled": null.chisq,
        "baseline_df_scaled": null.df,
        "baseline_pvalue_scaled": null.pvalue,
        "baseline_chisq_scaling_factor": null.factor,
        "cfi_scaled": indices.cfi(own.chisq, own.df, null.chisq, null.df),
        "tli_scaled": tli,
        "nnfi_scaled": tli,
        "rfi_scaled": indices.rfi(own.chisq, own.df, null.chisq, null.df),
        "nfi_scaled": nfi,
        "pnfi_scaled": own.df / null.df * nfi if null.df else indices.NAN,
        "ifi_scaled": indices.ifi(own.chisq, own.df, null.chisq),
        "rni_scaled": indices.rni(own.chisq, own.df, null.chisq, null.df),
        "rmsea_scaled": indices.rmsea(own.chisq, own.df, n, groups),
        "rmsea_ci_lower_scaled": low,
        "rmsea_ci_upper_scaled": high,
        "rmsea_pvalue_scaled": close,
    }
    if fit.moments.missing == "fiml":
        return values
    return values | population_indices(fit, fit.chisq, baseline, own, null)


def _scaled_interval(fit: Fit, own: ScaledTest) -> tuple[float, float, float]:
    """Return the interval of the scaled RMSEA and its test of close fit.

    Mean-adjusted tests compare the plain statistic with a chi-square whose degrees of freedom are its expected
    value, df times the inflation, as lavaan does; the scaled and shifted test compares itself with df.
    """
    n, groups = fit.moments.n, len(fit.moments.groups)
    chisq, df = (own.chisq, float(own.df)) if fit.estimator == "MLMV" else (fit.chisq, own.df * own.inflation)
    low, high = indices.rmsea_interval(chisq, df, n, groups)
    return low, high, indices.rmsea_close(chisq, df, n, groups)


def population_indices(fit: Fit, chisq: float, baseline: float, own: ScaledTest, null: ScaledTest) -> dict[str, float]:
    """Return the robust indices, which estimate the population values of the uncorrected ones.

    Parameters
    ----------
    fit : Fit
    chisq, baseline : float
        Uncorrected statistics of the model and of the independence model.
    own, null : ScaledTest
        Their corrected tests.
    """
    n, groups, df = fit.moments.n, len(fit.moments.groups), own.df
    if df == 0:
        names = ("cfi", "tli", "nnfi", "rni")
        zeros = ("rmsea_robust", "rmsea_ci_lower_robust", "rmsea_ci_upper_robust")
        return (
            {f"{name}_robust": 1.0 for name in names} | dict.fromkeys(zeros, 0.0) | {"rmsea_pvalue_robust": indices.NAN}
        )
    excess = chisq - own.inflation * df
    null_excess = baseline - null.inflation * null.df
    bottom = max(excess, null_excess, 0.0)
    tli = 1.0 - (excess * null.df) / (null_excess * df) if null_excess * df != 0 else 1.0
    # The interval comes from the corrected test, whose noncentrality is that of the plain one over its inflation.
    low, high = indices.rmsea_interval(own.chisq, df, n, groups)
    widen = float(np.sqrt(own.factor))
    return {
        "cfi_robust": 1.0 - max(excess, 0.0) / bottom if bottom > 0 else 1.0,
        "tli_robust": tli,
        "nnfi_robust": tli,
        "rni_robust": 1.0 - excess / null_excess if null_excess != 0 else indices.NAN,
        "rmsea_robust": float(np.sqrt(max(excess, 0.0) / (df * n)) * np.sqrt(groups)),
        "rmsea_ci_lower_robust": low * widen,
        "rmsea_ci_upper_robust": high * widen,
        "rmsea_pvalue_robust": indices.rmsea_close(own.chisq, df, n, groups, bound=0.05 / widen),
    }
