"""Fit measures of models of ordinal items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from sem_loyalty.fitting.ordinal import ROBUST
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.uncertainty import fitted_of, maximum, ordinal_parts
from sem_loyalty.kernel import indices
from sem_loyalty.kernel.likelihood import spd_inverse
from sem_loyalty.kernel.ordinal_discrepancy import weighted
from sem_loyalty.kernel.ordinal_tests import Fitted, independence_traces, independence_value, residual_traces
from sem_loyalty.kernel.threads import one_thread

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
        """sqrt(tr(UGUG) / df); nan where units are so different that nothing but rounding error is left of it."""
        return float(np.sqrt(self.square / self.df)) if self.df and self.square > 0 else indices.NAN

    @property
    def chisq(self) -> float:
        """The statistic scaled and shifted to the mean and variance of a chi-square."""
        if not self.df:
            return self.plain
        if not self.square > 0:
            return indices.NAN
        return self.plain / self.factor + self.df - float(np.sqrt(self.df * self.trace**2 / self.square))

    @property
    def pvalue(self) -> float:
        """Of the corrected statistic; nan for df 0."""
        return float(chdtrc(self.df, self.chisq)) if self.df else indices.NAN


@one_thread()
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
    Muthen 2010, "Simple second order chi-square correction", Mplus technical note). N less one per group takes the
    place of N in rmsea and mfi. `_robust` indices estimate those of maximum likelihood with the underlying responses
    observed (Savalei 2021, doi:10.1080/00273171.2020.1717922); they are nan where the polychoric correlations are not
    positive definite, where thresholds are constrained, and beside continuous variables or fixed covariates. In
    several groups the expected value of the baseline in cfi and tli `_robust` is lavaan 0.6's, which does not weight
    the groups. srmr is over correlations, those of residuals given fixed covariates; rmr and crmr count thresholds as
    well, whose residuals are zero where they are free, except with WLS; as in lavaan, their divisor counts variances of
    all variables, covariates included. In the baseline correlations are zero, slopes on fixed covariates are free. wrmr
    is sqrt(N F / m), m the number of statistics of a group (Yu 2002). rmr, srmr, crmr and gfi are averaged over groups
    by size.
    """
    n, groups, df, chisq = fit.test_n, len(fit.moments.groups), fit.df, fit.chisq
    discrepancy, gammas = ordinal_parts(fit)
    baseline = fit.moments.n * independence_value(discrepancy)
    baseline_df = sum(len(model.first) for model in discrepancy.models)
    size = sum(len(s) for s in discrepancy.statistics)
    tested = fit.tested
    nfi, tli = indices.nfi(chisq, baseline), indices.tli(chisq, df, baseline, baseline_df)
    low, high = indices.rmsea_interval(chisq, df, n, groups)
    gfi = _goodness(fit)
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
        "rmsea": indices.rmsea(chisq, df, n, groups),
        "rmsea_ci_lower": low,
        "rmsea_ci_upper": high,
        "rmsea_pvalue": indices.rmsea_close(chisq, df, n, groups),
        "rmsea_notclose_pvalue": indices.rmsea_notclose(chisq, df, n, groups),
        **_residual_measures(fit),
        "gfi": gfi,
        "agfi": 1.0 - size / df * (1.0 - gfi) if df else 1.0,
        "pgfi": df / size * gfi,
        "mfi": indices.mfi(chisq, df, n),
        "wrmr": float(np.sqrt(chisq * groups / size)),
    }
    if fit.estimator in ROBUST:
        part = fitted_of(fit)
        own = _Test(chisq, df, *residual_traces(discrepancy, part, gammas))
        null = _Test(baseline, baseline_df, *independence_traces(discrepancy, gammas))
        values |= _scaled(own, null, n, groups)
        values |= _robust(fit, part)
    return values


def _goodness(fit: Fit) -> float:
    """Return gfi, 1 - e' W e / s' W s, averaged over groups by size."""
    discrepancy, _ = ordinal_parts(fit)
    gfi = 0.0
    for s, e, weight, sample in zip(
        discrepancy.statistics,
        discrepancy.residuals(maximum(fit)),
        discrepancy.weights,
        discrepancy.samples,
        strict=True,
    ):
        gfi += sample.weight * (1.0 - float(e @ weighted(weight, e)) / float(s @ weighted(weight, s)))
    return gfi


def _residual_measures(fit: Fit) -> dict[str, float]:
    """Return rmr, srmr and crmr, averaged over groups by size.

    As in lavaan, residual variances of continuous variables count as zero, and their means not at all.
    """
    discrepancy, _ = ordinal_parts(fit)
    rmr = srmr = crmr = 0.0
    for model, sample, at, e in zip(
        discrepancy.models, discrepancy.samples, fit.point.implied, discrepancy.residuals(maximum(fit)), strict=True
    ):
        p, i, j = model.block.n_observed, model.first, model.second
        raw = e[model.n_single :]
        implied = model.covariance(fit.theta, at)
        sd, implied_sd = np.sqrt(np.diagonal(sample.cov)), np.sqrt(np.diagonal(implied))
        standard = raw / (sd[i] * sd[j])
        correlations = sample.cov[i, j] / (sd[i] * sd[j]) - implied[i, j] / (implied_sd[i] * implied_sd[j])
        cuts = e[: model.n_cuts][~np.isin(model.cut_item, model.varying)]
        level, pairs = float(cuts @ cuts), len(raw)
        rmr += sample.weight * float(np.sqrt((raw @ raw + level) / (pairs + p + len(cuts))))
        srmr += sample.weight * float(np.sqrt(standard @ standard / (pairs + p)))
        crmr += sample.weight * float(np.sqrt((correlations @ correlations + level) / (pairs + len(cuts))))
    return {"rmr": rmr, "srmr": srmr, "crmr": crmr}


def _scaled(own: _Test, null: _Test, n: int, groups: int) -> dict[str, float]:
    """Return the indices computed from corrected tests."""
    chisq, df, baseline, baseline_df = own.chisq, own.df, null.chisq, null.df
    nfi, tli = indices.nfi(chisq, baseline), indices.tli(chisq, df, baseline, baseline_df)
    low, high = indices.rmsea_interval(chisq, df, n, groups)
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
        "rmsea_scaled": indices.rmsea(chisq, df, n, groups),
        "rmsea_ci_lower_scaled": low,
        "rmsea_ci_upper_scaled": high,
        "rmsea_pvalue_scaled": indices.rmsea_close(chisq, df, n, groups),
    }


def _robust(fit: Fit, part: Fitted) -> dict[str, float]:
    """Return what the indices of maximum likelihood would be, had the responses themselves been observed.

    The likelihood-ratio statistic of the polychoric correlations at the estimates, X, has expected value c df plus its
    noncentrality: with M the normal-theory weight of correlations and P = I - J bread J'W, c df = tr(P'MP Gamma).
    """
    names = ("cfi", "tli", "nnfi", "rni", "rmsea", "rmsea_ci_lower", "rmsea_ci_upper", "rmsea_pvalue")
    none = {f"{name}_robust": indices.NAN for name in names}
    df, n, groups = fit.df, fit.moments.n, len(fit.moments.groups)
    discrepancy, gammas = ordinal_parts(fit)
    tied = {position for constraint in fit.specification.constraints for position, _ in constraint.coefficients}
    given = fit.specification.exogenous
    if given or not df or not discrepancy.free_thresholds or tied & set(discrepancy.cut_parameters.tolist()):
        return none
    # As with maximum likelihood N here, not N - 1, except in rmsea; and the independence model, whose weight is the
    # identity, leaves the groups' Gamma unweighted. So has lavaan it.
    excess = expected = null = null_expected = 0.0
    null_df = 0
    meat = np.zeros_like(part.bread)
    curved = np.zeros_like(part.bread)
    for model, sample, at, whole, J, moved, of_group, start in zip(
        discrepancy.models,
        discrepancy.samples,
        fit.point.implied,
        gammas,
        part.jacobians,
        part.moved,
        part.meats,
        part.first,
        strict=True,
    ):
        observed, solved = spd_inverse(sample.cov), spd_inverse(model.covariance(fit.theta, at))
        if observed is None or solved is None:
            return none
        R, of_pairs = whole[model.n_cuts :, model.n_cuts :], J[model.n_cuts - start :]
        M = _correlation_weight(solved[0], model.first, model.second)
        null_expected += float(np.trace(R)) / sample.weight
        null -= n * sample.weight * observed[1]
        null_df += len(R)
        misfit = solved[1] + float(np.vdot(solved[0], sample.cov)) - observed[1] - len(sample.cov)
        excess += n * sample.weight * misfit
        # tr(P'MP Gamma) = tr(M Gamma) - 2 tr(bread J'M Gamma WJ) + tr(bread J'MJ bread sum over groups J'W Gamma WJ).
        pulled = M @ of_pairs
        expected += float(np.einsum("ij,ij->", M, R))
        expected -= 2.0 * sample.weight * float(np.vdot(part.bread, pulled.T @ moved[model.n_cuts :]))
        meat += sample.weight * of_group
        curved += sample.weight * (of_pairs.T @ pulled)
    expected += float(np.vdot(part.bread @ curved @ part.bread, meat))
    top, bottom = excess - expected, null - null_expected
    largest = max(top, bottom, 0.0)
    tli = 1.0 - top * null_df / (bottom * df) if bottom else indices.NAN
    factor = expected / df
    low, high = indices.rmsea_interval(excess / factor, df, fit.test_n, groups)
    widen = float(np.sqrt(factor))
    return {
        "cfi_robust": 1.0 - max(top, 0.0) / largest if largest > 0 else 1.0,
        "tli_robust": tli,
        "nnfi_robust": tli,
        "rni_robust": 1.0 - top / bottom if bottom else indices.NAN,
        "rmsea_robust": float(np.sqrt(max(top, 0.0) * groups / (df * fit.test_n))),
        "rmsea_ci_lower_robust": low * widen,
        "rmsea_ci_upper_robust": high * widen,
        "rmsea_pvalue_robust": indices.rmsea_close(excess / factor, df, fit.test_n, groups, bound=0.05 / widen),
    }


def _correlation_weight(inverse: Array, first: Index, second: Index) -> Array:
    """Return the normal-theory weight of the correlations: M_ik M_jl + M_il M_jk for pairs (i, j) and (k, l)."""
    by_first, by_second = inverse.take(first, axis=0), inverse.take(second, axis=0)
    across = by_first.take(second, axis=1)
    out = by_first.take(first, axis=1)
    out *= by_second.take(second, axis=1)
    across *= across.T.copy()
    out += across
    return np.asarray(out)
