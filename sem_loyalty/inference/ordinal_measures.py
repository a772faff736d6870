"""Fit measures of models of ordinal items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from sem_loyalty.fitting.ordinal import ROBUST
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.uncertainty import bread, maximum, ordinal_parts
from sem_loyalty.kernel import indices
from sem_loyalty.kernel.likelihood import spd_inverse
from sem_loyalty.kernel.ordinal_discrepancy import independence_traces, independence_value, residual_traces

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Test:
    """A statistic with what its distribution is corrected by."""

    plain: float
    df: int
    trace: float
    square: float

    @property
    def factor(self) -> float:
        """sqrt(tr(UGUG) / df)."""
        return float(np.sqrt(self.square / self.df)) if self.df else indices.NAN

    @property
    def chisq(self) -> float:
        """The statistic scaled and shifted to the mean and variance of a chi-square."""
        if not self.df:
            return self.plain
        return self.plain / self.factor + self.df - float(np.sqrt(self.df * self.trace**2 / self.square))

    @property
    def pvalue(self) -> float:
        """Of the corrected statistic; nan for df 0."""
        return float(chdtrc(self.df, self.chisq)) if self.df else indices.NAN


def ordinal_measures(fit: Fit) -> dict[str, float]:
    """Return the fit measures of a model of ordinal items.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    dict
        npar, ntotal, fmin, chisq, df, pvalue (nan: the plain statistic is no chi-square, except with WLS); the
        baseline; cfi, tli, nnfi, rfi, nfi, pnfi, ifi, rni, rmsea with interval and tests, mfi from the plain
        statistics; rmr, srmr, crmr, wrmr; gfi, agfi, pgfi. With WLSMV and ULSMV also `_scaled`, from scaled and
        shifted tests, and `_robust`. Likelihoods and information criteria do not exist.

    Notes
    -----
    The corrected test is plain / a + b, a = sqrt(tr(U Gamma U Gamma) / df), b = df - tr(U Gamma) / a (Asparouhov and
    Muthen 2010, "Simple second order chi-square correction", Mplus technical note). N - 1 takes the place of N in
    rmsea and mfi. `_robust` indices estimate those of maximum likelihood with the underlying responses observed
    (Savalei 2021, doi:10.1080/00273171.2020.1717922); they are nan where the polychoric correlations are not positive
    definite. srmr is over correlations; rmr and crmr count thresholds as well, whose residuals are zero except with
    WLS. wrmr is sqrt(N F / m), m the number of thresholds and correlations (Yu 2002).
    """
    n, df, chisq = fit.test_n, fit.df, fit.chisq
    discrepancy, gamma = ordinal_parts(fit)
    pairs, size = len(discrepancy.pairs[0]), len(discrepancy.statistics)
    s = discrepancy.statistics
    baseline, baseline_df = fit.moments.n * independence_value(discrepancy), pairs
    tested = fit.tested
    nfi, tli = indices.nfi(chisq, baseline), indices.tli(chisq, df, baseline, baseline_df)
    low, high = indices.rmsea_interval(chisq, df, n)
    gfi = 1.0 - fit.value / float(s @ discrepancy.times_weight(s))
    values = {
        "npar": fit.specification.n_parameters,
        "ntotal": fit.moments.n,
        "fmin": fit.value / 2.0,
        "chisq": chisq,
        "df": df,
        "pvalue": indices.chisq_pvalue(chisq, df) if tested else indices.NAN,
        "baseline_chisq": baseline,
        "baseline_df": baseline_df,
        "baseline_pvalue": indices.chisq_pvalue(baseline, baseline_df) if tested else indices.NAN,
        "cfi": indices.cfi(chisq, df, baseline, baseline_df),
        "tli": tli,
        "nnfi": tli,
        "rfi": indices.rfi(chisq, df, baseline, baseline_df),
        "nfi": nfi,
        "pnfi": df / baseline_df * nfi if baseline_df else indices.NAN,
        "ifi": indices.ifi(chisq, df, baseline),
        "rni": indices.rni(chisq, df, baseline, baseline_df),
        "rmsea": indices.rmsea(chisq, df, n),
        "rmsea_ci_lower": low,
        "rmsea_ci_upper": high,
        "rmsea_pvalue": indices.rmsea_close(chisq, df, n),
        "rmsea_notclose_pvalue": indices.rmsea_notclose(chisq, df, n),
        **_residual_measures(fit),
        "gfi": gfi,
        "agfi": 1.0 - size / df * (1.0 - gfi) if df else 1.0,
        "pgfi": df / size * gfi,
        "mfi": indices.mfi(chisq, df, n),
        "wrmr": float(np.sqrt(chisq / size)),
    }
    if fit.estimator in ROBUST:
        own = _Test(chisq, df, *residual_traces(discrepancy, maximum(fit), gamma, bread(fit)))
        values |= _scaled(own, _Test(baseline, baseline_df, *independence_traces(discrepancy, gamma)), n)
        values |= _robust(fit)
    return values


def _residual_measures(fit: Fit) -> dict[str, float]:
    """Return rmr, srmr and crmr."""
    discrepancy, _ = ordinal_parts(fit)
    squares, p = discrepancy.residual(maximum(fit)) ** 2, discrepancy.n_observed
    cuts = len(discrepancy.threshold_parameter)
    total, correlations = float(squares.sum()), float(squares[cuts:].sum())
    return {
        "rmr": float(np.sqrt(total / (len(squares) + p))),
        "srmr": float(np.sqrt(correlations / (len(squares) - cuts + p))),
        "crmr": float(np.sqrt(total / len(squares))),
    }


def _scaled(own: _Test, null: _Test, n: int) -> dict[str, float]:
    """Return the indices computed from corrected tests."""
    chisq, df, baseline, baseline_df = own.chisq, own.df, null.chisq, null.df
    nfi, tli = indices.nfi(chisq, baseline), indices.tli(chisq, df, baseline, baseline_df)
    low, high = indices.rmsea_interval(chisq, df, n)
    return {
        "chisq_scaled": chisq,
        "df_scaled": df,
        "pvalue_scaled": own.pvalue,
        "chisq_scaling_factor": own.factor,
        "baseline_chisq_scaled": baseline,
        "baseline_df_scaled": baseline_df,
        "baseline_pvalue_scaled": null.pvalue,
        "baseline_chisq_scaling_factor": null.factor,
        "cfi_scaled": indices.cfi(chisq, df, baseline, baseline_df),
        "tli_scaled": tli,
        "nnfi_scaled": tli,
        "rfi_scaled": indices.rfi(chisq, df, baseline, baseline_df),
        "nfi_scaled": nfi,
        "pnfi_scaled": df / baseline_df * nfi if baseline_df else indices.NAN,
        "ifi_scaled": indices.ifi(chisq, df, baseline),
        "rni_scaled": indices.rni(chisq, df, baseline, baseline_df),
        "rmsea_scaled": indices.rmsea(chisq, df, n),
        "rmsea_ci_lower_scaled": low,
        "rmsea_ci_upper_scaled": high,
        "rmsea_pvalue_scaled": indices.rmsea_close(chisq, df, n),
    }


def _robust(fit: Fit) -> dict[str, float]:
    """Return what the indices of maximum likelihood would be, had the responses themselves been observed.

    The likelihood-ratio statistic of the polychoric correlations at the estimates, X, has expected value c df plus its
    noncentrality: with M the normal-theory weight of correlations and P = I - J bread J'W, c df = tr(P'MP Gamma).
    """
    names = ("cfi", "tli", "nnfi", "rni", "rmsea", "rmsea_ci_lower", "rmsea_ci_upper", "rmsea_pvalue")
    none = {f"{name}_robust": indices.NAN for name in names}
    df, n = fit.df, fit.moments.n
    discrepancy, _ = ordinal_parts(fit)
    ordinal, cuts = fit.moments.ordinal, len(discrepancy.threshold_parameter)
    sample, at = fit.samples[0].cov, fit.point.implied[0].cov
    observed, solved = spd_inverse(sample), spd_inverse(at)
    if ordinal is None or observed is None or solved is None or not df:
        return none
    # As with maximum likelihood N here, not N - 1, except in rmsea; so has lavaan it.
    R = ordinal.covariance[cuts:, cuts:]
    M = _correlation_weight(solved[0], *discrepancy.pairs)
    whole = discrepancy.jacobian(maximum(fit))
    J, A = whole[cuts:], discrepancy.times_weight(whole)[cuts:] @ bread(fit)
    kept = R - J @ (A.T @ R)
    kept -= (kept @ A) @ J.T
    excess = n * (solved[1] + float(np.einsum("ij,ij->", solved[0], sample)) - observed[1] - len(sample))
    expected = float(np.einsum("ij,ij->", M, kept))
    null = n * -observed[1]
    null_df = len(R)
    # At independence the weight is the identity.
    null_expected = float(np.trace(R))
    top, bottom = excess - expected, null - null_expected
    largest = max(top, bottom, 0.0)
    tli = 1.0 - top * null_df / (bottom * df) if bottom else indices.NAN
    factor = expected / df
    low, high = indices.rmsea_interval(excess / factor, df, fit.test_n)
    widen = float(np.sqrt(factor))
    return {
        "cfi_robust": 1.0 - max(top, 0.0) / largest if largest > 0 else 1.0,
        "tli_robust": tli,
        "nnfi_robust": tli,
        "rni_robust": 1.0 - top / bottom if bottom else indices.NAN,
        "rmsea_robust": float(np.sqrt(max(top, 0.0) / (df * fit.test_n))),
        "rmsea_ci_lower_robust": low * widen,
        "rmsea_ci_upper_robust": high * widen,
        "rmsea_pvalue_robust": indices.rmsea_close(excess / factor, df, fit.test_n, bound=0.05 / widen),
    }


def _correlation_weight(inverse: Array, first: Index, second: Index) -> Array:
    """Return the normal-theory weight of the correlations: M_ik M_jl + M_il M_jk for pairs (i, j) and (k, l)."""
    across = inverse[np.ix_(first, second)]
    return np.asarray(inverse[np.ix_(first, first)] * inverse[np.ix_(second, second)] + across * across.T)
