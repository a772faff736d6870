"""Fit measures with lavaan's names and definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.baseline import baseline_test, extremes
from sem_loyalty.inference.incomplete_measures import incomplete_measures
from sem_loyalty.inference.ordinal_measures import ordinal_measures
from sem_loyalty.inference.robust_measures import robust_measures
from sem_loyalty.inference.uncertainty import answers, maximum, moment_weights
from sem_loyalty.kernel import indices
from sem_loyalty.kernel.casewise import present_moments
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.least_squares import LeastSquares
from sem_loyalty.kernel.likelihood import log_determinant
from sem_loyalty.kernel.precisions import information_along
from sem_loyalty.kernel.threads import one_thread

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FitMeasures(Mapping[str, float]):
    """Fit measures by name; behaves like a read-only dict and prints itself.

    Attributes
    ----------
    values_by_name : dict
        Measures in the order of `fit_measures`.
    certified : bool
        Whether the fit behind them is certified.
    """

    values_by_name: dict[str, float]
    certified: bool

    def __getitem__(self, name: str) -> float:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def __repr__(self) -> str:
        """Return what print shows: a prompt must not hide the mark."""
        return str(self)

    def __str__(self) -> str:
        """Return one measure a line, after a warning where the fit is not certified."""
        head = [] if self.certified else ["NOT CERTIFIED: do not report these numbers."]
        width = max(len(name) for name in self.values_by_name)
        return "\n".join([*head, *(f"{name:<{width}}  {value:.6g}" for name, value in self.values_by_name.items())])

    def _repr_html_(self) -> str:
        head = (
            "" if self.certified else '<p style="color:#b00020"><b>NOT CERTIFIED: do not report these numbers.</b></p>'
        )
        rows = "".join(
            f'<tr><td style="text-align:left">{escape(name)}</td><td>{value:.6g}</td></tr>'
            for name, value in self.values_by_name.items()
        )
        return f"{head}<table>{rows}</table>"


@one_thread()
def fit_measures(fit: Fit) -> FitMeasures:
    """Return the fit measures of a model.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    FitMeasures
        npar, ntotal, fmin (F / 2), chisq, df, pvalue; baseline_chisq, baseline_df, baseline_pvalue (independence
        model, covariances among exogenous covariates kept); cfi, tli, nnfi, rfi, nfi, pnfi, ifi, rni; logl,
        unrestricted_logl, aic, bic, bic2 (sample-size adjusted); rmsea with a 90% interval (rmsea_ci_lower,
        rmsea_ci_upper), rmsea_pvalue (close fit, .05), rmsea_notclose_pvalue (.08); rmr, srmr, crmr; gfi, agfi,
        pgfi; mfi; ecvi; cn_05, cn_01 (Hoelter). With MLM, MLMV and MLR also the corrected tests (`_scaled`,
        chisq_scaling_factor), indices computed from them (`_scaled`), and indices that estimate the population value
        of the uncorrected ones (`_robust`). With missing answers kept, cfi, tli, nnfi, rni and rmsea `_robust` also say
        what the index would be had nobody left out an answer. Least squares has no likelihood, so logl and the
        criteria are left out. For ordinal items see `ordinal_measures`: no likelihoods, and wrmr.

    Notes
    -----
    chisq = N F with moments divided by N; with least squares (N - 1) F with moments divided by N - 1 (sums over groups
    alike), and N less one per group in indices made of it. ULS has no chi-square test: its p-values are nan, and what
    is computed from its minimum has no known distribution. Nor has the statistic of DWLS a chi-square distribution,
    though its p-value is printed as by lavaan. logl and the criteria are conditional on fixed covariates.
    gfi and agfi are those of Joreskog and Sorbom (1984): 1 - tr[(Sigma^-1 S - I)^2] / tr[(Sigma^-1 S)^2] (with least
    squares 1 - r' V r / s' V s) and 1 - (p* / df) (1 - gfi); with a mean structure, means count as moments.
    Other programs print other quantities under these names. With missing answers kept, rmr, srmr and crmr compare with
    the moments of the saturated model; gfi with those of the answers present, weighted by the information in them.
    srmr and rmr include the diagonal, and the means where they are modelled (Bentler 1995); crmr compares
    correlations off the diagonal (Bollen 1989). ecvi = chisq / N + 2 npar / N (Browne and Cudeck 1993,
    doi:10.1177/0049124192021002005).
    """
    if fit.specification.ordered:
        return FitMeasures(ordinal_measures(fit), fit.certificate.certified)
    n, groups, df, chisq = fit.test_n, len(fit.moments.groups), fit.df, fit.chisq
    npar = fit.specification.n_parameters
    known = extremes(fit)
    baseline, baseline_df = baseline_test(fit, known)
    low, high = indices.rmsea_interval(chisq, df, n, groups)
    gfi, agfi, pgfi = _goodness(fit)
    nfi = indices.nfi(chisq, baseline)
    # Where the model is more restricted than the baseline, the two cannot be compared.
    nested = df <= baseline_df
    tli = indices.tli(chisq, df, baseline, baseline_df)
    values = {
        "npar": npar,
        "ntotal": fit.moments.n,
        "fmin": fit.value / 2.0,
        "chisq": chisq,
        "df": df,
        "pvalue": indices.chisq_pvalue(chisq, df) if fit.estimator != "ULS" else indices.NAN,
        "baseline_chisq": baseline,
        "baseline_df": baseline_df,
        "baseline_pvalue": indices.chisq_pvalue(baseline, baseline_df) if fit.estimator != "ULS" else indices.NAN,
        "cfi": indices.cfi(chisq, df, baseline, baseline_df),
        "tli": tli,
        "nnfi": tli,
        "rfi": indices.rfi(chisq, df, baseline, baseline_df) if nested else indices.NAN,
        "nfi": nfi if nested else indices.NAN,
        "pnfi": df / baseline_df * nfi if baseline_df else indices.NAN,
        "ifi": indices.ifi(chisq, df, baseline),
        "rni": indices.rni(chisq, df, baseline, baseline_df),
        **_criteria(fit),
        "rmsea": indices.rmsea(chisq, df, n, groups),
        "rmsea_ci_lower": low,
        "rmsea_ci_upper": high,
        "rmsea_pvalue": indices.rmsea_close(chisq, df, n, groups),
        "rmsea_notclose_pvalue": indices.rmsea_notclose(chisq, df, n, groups),
        **_residual_measures(fit),
        "gfi": gfi,
        "agfi": agfi,
        "pgfi": pgfi,
        "mfi": indices.mfi(chisq, df, n),
        "ecvi": chisq / n + 2.0 * npar / n,
        "cn_05": indices.hoelter_n(chisq, df, n, 0.05),
        "cn_01": indices.hoelter_n(chisq, df, n, 0.01),
    }
    if fit.estimator in ("MLM", "MLMV", "MLR"):
        values |= robust_measures(fit, baseline, baseline_df, known)
    if known is not None:
        values |= incomplete_measures(fit, baseline_df, known)
    return FitMeasures(values, fit.certificate.certified)


def _criteria(fit: Fit) -> dict[str, float]:
    """Return log-likelihoods and information criteria; nothing for least squares, which has no likelihood."""
    if isinstance(fit.discrepancy, LeastSquares):
        return {}
    logl, unrestricted = log_likelihoods(fit)
    n, npar = fit.moments.n, fit.specification.n_parameters
    return {
        "logl": logl,
        "unrestricted_logl": unrestricted,
        "aic": -2.0 * logl + 2.0 * npar,
        "bic": -2.0 * logl + npar * float(np.log(n)),
        "bic2": -2.0 * logl + npar * float(np.log((n + 2.0) / 24.0)),
    }


def log_likelihoods(fit: Fit) -> tuple[float, float]:
    """Return the log-likelihood of the model and of the saturated model, both given the fixed covariates."""
    observed, exogenous = fit.specification.observed, set(fit.specification.exogenous)
    fixed = [i for i, name in enumerate(observed) if name in exogenous]
    p, x = len(observed), len(fixed)
    saturated = 0.0
    for k, (group, sample) in enumerate(zip(fit.moments.groups, fit.samples, strict=True)):
        inner = p * np.log(2.0 * np.pi) + sample.logdet + p
        if isinstance(fit.discrepancy, Incomplete):
            patterns = fit.discrepancy.patterns[k]
            answered = float(patterns.share @ patterns.seen.sum(axis=1))
            inner = answered * np.log(2.0 * np.pi) + fit.discrepancy.saturated
        if fixed:
            inner -= x * np.log(2.0 * np.pi) + (log_determinant(sample.cov[np.ix_(fixed, fixed)]) or 0.0) + x
        saturated -= 0.5 * group.n * float(inner)
    return saturated - 0.5 * fit.moments.n * fit.value, saturated


def _residual_measures(fit: Fit) -> dict[str, float]:
    """Return rmr, srmr and crmr, averaged over groups by size."""
    rmr = srmr = crmr = 0.0
    means = fit.specification.meanstructure
    for sample, at in zip(fit.samples, fit.point.implied, strict=True):
        p = len(sample.cov)
        sd, implied_sd = np.sqrt(np.diagonal(sample.cov)), np.sqrt(np.diagonal(at.cov))
        raw = sample.cov - at.cov
        standard = raw / (sd[:, None] * sd)
        correlation = sample.cov / (sd[:, None] * sd) - at.cov / (implied_sd[:, None] * implied_sd)
        squares = [_lower_squares(raw), _lower_squares(standard)]
        # The diagonal of a difference of correlations is zero.
        crossed = _lower_squares(correlation)
        terms, pairs = p * (p + 1) / 2, p * (p - 1) / 2
        if means:
            shift = sample.mean - at.mean
            squares[0] += float((shift**2).sum())
            squares[1] += float(((shift / sd) ** 2).sum())
            crossed += float(((shift / sd) ** 2).sum())
            terms, pairs = terms + p, pairs + p
        rmr += sample.weight * np.sqrt(squares[0] / terms)
        srmr += sample.weight * np.sqrt(squares[1] / terms)
        crmr += sample.weight * np.sqrt(crossed / pairs) if pairs else 0.0
    return {"rmr": float(rmr), "srmr": float(srmr), "crmr": float(crmr)}


def _lower_squares(matrix: Array) -> float:
    """Return the sum of squares of the lower triangle of a symmetric matrix, with the diagonal."""
    diagonal = np.diagonal(matrix)
    return 0.5 * float(np.vdot(matrix, matrix) + diagonal @ diagonal)


def _goodness(fit: Fit) -> tuple[float, float, float]:
    """Return gfi, agfi and pgfi after Joreskog and Sorbom, with the means where they are modelled.

    Groups are averaged by size. Moments among fixed covariates are reproduced by design and do not count as
    explained; p* counts them.
    """
    observed, exogenous = fit.specification.observed, set(fit.specification.exogenous)
    fixed = [i for i, name in enumerate(observed) if name in exogenous]
    means = fit.specification.meanstructure
    gfi = _incomplete_gfi(fit, fixed) if isinstance(fit.discrepancy, Incomplete) else _complete_gfi(fit, fixed)
    moments = len(observed) * (len(observed) + 1) // 2
    if means:
        moments += len(observed)
    moments *= len(fit.samples)
    if fit.df == 0:
        return gfi, 1.0, 0.0
    return gfi, 1.0 - moments / fit.df * (1.0 - gfi), fit.df / moments * gfi


def _complete_gfi(fit: Fit, fixed: list[int]) -> float:
    """Return gfi, averaged over groups by size."""
    gfi = 0.0
    means = fit.specification.meanstructure
    for sample, at, weight in zip(fit.samples, fit.point.implied, moment_weights(fit), strict=True):
        explained, level = sample.cov, sample.mean if means else np.zeros(len(sample.mean))
        shift = sample.mean - at.mean if means else level
        if fixed:
            explained, level = explained.copy(), level.copy()
            explained[np.ix_(fixed, fixed)] = 0.0
            level[fixed] = 0.0
        top, bottom = weight.quadratic(sample.cov - at.cov, shift), weight.quadratic(explained, level)
        gfi += sample.weight * (1.0 - top / bottom)
    return gfi


def _incomplete_gfi(fit: Fit, fixed: list[int]) -> float:
    """Return gfi with the moments of the answers present, pair by pair, and the expected information in them."""
    discrepancy = fit.discrepancy
    if not isinstance(discrepancy, Incomplete):
        raise TypeError("The answers of the fit are complete.")
    gfi = 0.0
    expected = discrepancy.expected(maximum(fit))
    for sample, at, patterns, found, rows in zip(
        fit.samples, fit.point.implied, discrepancy.patterns, expected, answers(fit), strict=True
    ):
        n = len(rows)
        mean, cov = present_moments(rows)
        cov *= (n - 1) / n
        misfit = mean - at.mean, cov - at.cov
        for level, spread in (misfit, (mean, cov)):
            level[fixed] = 0.0
            spread[np.ix_(fixed, fixed)] = 0.0
        top, bottom = information_along(patterns, found, [misfit, (mean, cov)])
        gfi += sample.weight * (1.0 - top / bottom)
    return gfi
