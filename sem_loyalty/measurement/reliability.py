"""Reliability of constructs: alpha, omega, composite reliability, average variance extracted, maximal reliability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import fdtri

from sem_loyalty.display import format_number
from sem_loyalty.errors import ConfigurationError
from sem_loyalty.measurement.constructs import MeasurementModel, measurement_model

if TYPE_CHECKING:
    from sem_loyalty.fitting.solution import Fit

Array = NDArray[np.float64]

# Nunnally (1978) for alpha; Fornell and Larcker (1981) with Bagozzi and Yi (1988) for CR and AVE.
ALPHA_RULE, CR_RULE, AVE_RULE = 0.70, 0.70, 0.50


@dataclass(frozen=True, slots=True)
class Reliability:
    """Reliability of one construct; NaN where a coefficient does not exist, with the reason in `note`.

    Attributes
    ----------
    construct : str
        Name.
    items : int
        Indicators: items, or the dimensions of a second-order construct.
    alpha, alpha_ci_lower, alpha_ci_upper : float
        Cronbach's alpha and Feldt's interval.
    omega, omega_implied : float
        McDonald's omega over the observed, and over the model-implied, variance of the sum of the items.
    cr : float
        Composite reliability from standardised loadings.
    ave : float
        Average variance extracted: mean squared standardised loading.
    h : float
        Maximal reliability (coefficient H) of the optimally weighted composite.
    verdict : str
        Each coefficient that has a rule, against it.
    note : str
        Reasons and warnings; "" where there are none.
    """

    construct: str
    items: int
    alpha: float
    alpha_ci_lower: float
    alpha_ci_upper: float
    omega: float
    omega_implied: float
    cr: float
    ave: float
    h: float
    verdict: str
    note: str


def cronbach_alpha(cov: Array) -> float:
    """Return Cronbach's alpha, k/(k − 1) · (1 − Σ s_ii / Σ s_ij); NaN below two items.

    Parameters
    ----------
    cov : ndarray, shape (k, k)
        Covariance matrix of the items; the divisor cancels. Items are taken as they are, never reversed.

    Returns
    -------
    float

    References
    ----------
    Cronbach, L. J. (1951). Coefficient alpha and the internal structure of tests. Psychometrika, 16, 297-334.
    doi:10.1007/BF02310555
    """
    k, total = len(cov), float(cov.sum())
    if k < 2 or total <= 0.0:
        return float("nan")
    return k / (k - 1) * (1.0 - float(np.trace(cov)) / total)


def alpha_interval(alpha: float, items: int, n: int, *, level: float = 0.95) -> tuple[float, float]:
    """Return Feldt's interval of alpha by the F distribution.

    1 − (1 − α̂) F_q, with F_q the quantiles (1 ± level)/2 of F with n − 1 and (n − 1)(k − 1) degrees of freedom.
    Exact for normal items with equal covariances.

    Parameters
    ----------
    alpha : float
        Alpha of the sample.
    items, n : int
        Items k and respondents.
    level : float, default 0.95
        Coverage, between 0 and 1.

    Returns
    -------
    lower, upper : float
        NaN where alpha is NaN.

    Raises
    ------
    ConfigurationError
        `level` is not between 0 and 1.

    References
    ----------
    Feldt, L. S. (1965). The approximate sampling distribution of Kuder-Richardson reliability coefficient twenty.
    Psychometrika, 30, 357-370. doi:10.1007/BF02289499
    """
    if not 0.0 < level < 1.0:
        raise ConfigurationError(f"level={level!r} is not a coverage between 0 and 1.")
    if np.isnan(alpha) or items < 2 or n < 2:
        return float("nan"), float("nan")
    first, second = n - 1, (n - 1) * (items - 1)
    lower, upper = (float(fdtri(first, second, (1.0 + side * level) / 2.0)) for side in (1.0, -1.0))
    return 1.0 - (1.0 - alpha) * lower, 1.0 - (1.0 - alpha) * upper


def omega(loadings: Array, variance: float, total: float) -> float:
    """Return McDonald's omega: share of the variance of the sum of the items that the construct explains.

    ω = (Σ λ)² φ / total.

    Parameters
    ----------
    loadings : ndarray, shape (k,)
        Unstandardised loadings on the construct.
    variance : float
        Variance φ of the construct.
    total : float
        Variance of the sum of the items: Σ s_ij of the sample, or Σ σ_ij of the model, which both include residual
        covariances and cross-loadings.

    Returns
    -------
    float
        NaN where `total` or `variance` is not positive.

    References
    ----------
    McDonald, R. P. (1999). Test theory: A unified treatment. Erlbaum. doi:10.4324/9781410601087
    """
    return float(loadings.sum()) ** 2 * variance / total if total > 0.0 and variance > 0.0 else float("nan")


def composite_reliability(loadings: Array) -> float:
    """Return (Σ λ)² / ((Σ λ)² + Σ (1 − λ²)) of standardised loadings; NaN below two, or beyond 1 in size.

    Parameters
    ----------
    loadings : ndarray, shape (k,)
        Standardised loadings on the construct. The error of an item is all that this construct does not explain,
        so an item that loads on a second construct counts that part as error.

    Returns
    -------
    float

    References
    ----------
    Fornell, C., & Larcker, D. F. (1981). Evaluating structural equation models with unobservable variables and
    measurement error. Journal of Marketing Research, 18, 39-50. doi:10.1177/002224378101800104
    """
    if len(loadings) < 2 or not bool((np.abs(loadings) <= 1.0).all()):
        return float("nan")
    common = float(loadings.sum()) ** 2
    return common / (common + float((1.0 - loadings**2).sum()))


def average_variance_extracted(loadings: Array) -> float:
    """Return the mean squared standardised loading (Fornell & Larcker 1981); NaN below two, or beyond 1 in size.

    Parameters
    ----------
    loadings : ndarray, shape (k,)
        Standardised loadings on the construct.

    Returns
    -------
    float

    References
    ----------
    Fornell, C., & Larcker, D. F. (1981). Evaluating structural equation models with unobservable variables and
    measurement error. Journal of Marketing Research, 18, 39-50. doi:10.1177/002224378101800104
    """
    if len(loadings) < 2 or not bool((np.abs(loadings) <= 1.0).all()):
        return float("nan")
    return float(np.mean(loadings**2))


def maximal_reliability(loadings: Array) -> float:
    """Return coefficient H, 1 / (1 + 1 / Σ λ²/(1 − λ²)): reliability of the optimally weighted composite.

    Parameters
    ----------
    loadings : ndarray, shape (k,)
        Standardised loadings on the construct; signs do not matter.

    Returns
    -------
    float
        NaN below two loadings, or where one reaches 1 in size.

    References
    ----------
    Hancock, G. R., & Mueller, R. O. (2001). Rethinking construct reliability within latent variable systems. In
    Structural equation modeling: Present and future (pp. 195-216). Scientific Software International.
    """
    if len(loadings) < 2 or not bool((np.abs(loadings) < 1.0).all()):
        return float("nan")
    information = float(np.sum(loadings**2 / (1.0 - loadings**2)))
    return information / (1.0 + information)


def construct_reliability(model: MeasurementModel, construct: int, *, level: float = 0.95) -> Reliability:
    """Return the reliability of one construct.

    Parameters
    ----------
    model : MeasurementModel
    construct : int
        Position in `model.constructs`.
    level : float, default 0.95
        Coverage of the interval of alpha.

    Returns
    -------
    Reliability
        For a second-order construct omega is the share of the variance of the sum of all items under it that it
        explains through its dimensions, while CR, AVE and H treat the dimensions as its indicators.

    Raises
    ------
    ConfigurationError
        `level` is not between 0 and 1.
    """
    own, dimensions, below = model.own(construct), model.dimensions(construct), model.below(construct)
    standardised = np.concatenate([model.loadings_std[own, construct], model.higher_std[dimensions, construct]])
    count = len(own) + len(dimensions)
    notes: list[str] = []
    alpha = lower = upper = w = implied = float("nan")
    if count < 2:
        notes.append("Single indicator: reliability cannot be estimated.")
    else:
        reach = model.loadings @ _effects(model, construct)
        variance = float(model.cov_latent[construct, construct])
        block = np.ix_(below, below)
        w = omega(reach[below], variance, float(model.cov[block].sum()))
        implied = omega(reach[below], variance, float(model.cov_implied[block].sum()))
        if len(dimensions):
            notes.append("Second-order: no alpha; omega over all items below it; CR, AVE and H over its dimensions.")
        else:
            alpha = cronbach_alpha(model.cov[np.ix_(own, own)])
            lower, upper = alpha_interval(alpha, count, model.n, level=level)
            if np.isnan(alpha):
                notes.append("The sum of the items has no variance: alpha does not exist.")
        if not variance > 0.0:
            notes.append("The variance of the construct is not positive: omega does not exist.")
    notes += _warnings(model, construct, standardised)
    cr, ave = composite_reliability(standardised), average_variance_extracted(standardised)
    return Reliability(
        construct=model.constructs[construct],
        items=count,
        alpha=alpha,
        alpha_ci_lower=lower,
        alpha_ci_upper=upper,
        omega=w,
        omega_implied=implied,
        cr=cr,
        ave=ave,
        h=maximal_reliability(standardised),
        verdict=verdict(alpha, cr, ave),
        note=" ".join(notes),
    )


def _effects(model: MeasurementModel, construct: int) -> Array:
    """Return the effect of a construct on every construct through loadings only; 1 on itself, shape (k,)."""
    k = len(model.constructs)
    total = np.zeros(k)
    step = np.eye(k)[construct]
    for _ in range(k):
        total, step = total + step, model.higher @ step
    return total


def _warnings(model: MeasurementModel, construct: int, standardised: Array) -> list[str]:
    """Return what a reader of the coefficients must know about the indicators."""
    notes = []
    negative, shared = model.negative(construct), model.shared(construct)
    if negative:
        notes.append(
            f"Negative loading: {', '.join(negative)}. Coefficients use the items as they are; "
            "reverse the item if it is worded against the construct."
        )
    if shared:
        notes.append(f"Loads on another construct too: {', '.join(shared)}. CR and AVE count that part as error.")
    if len(standardised) > 1 and not bool((np.abs(standardised) <= 1.0).all()):
        notes.append("A standardised loading is missing or beyond 1: CR, AVE and H do not exist.")
    return notes


def verdict(alpha: float, cr: float, ave: float) -> str:
    """Return each coefficient against its rule: alpha and CR from .70 (Nunnally 1978), AVE from .50 (Fornell 1981).

    Parameters
    ----------
    alpha, cr, ave : float
        Coefficients; NaN ones are left out.

    Returns
    -------
    str
        For instance "meets: alpha .83 ≥ .70, CR .83 ≥ .70; fails: AVE .46 < .50"; "" where nothing can be judged.
    """
    rules = (("alpha", alpha, ALPHA_RULE), ("CR", cr, CR_RULE), ("AVE", ave, AVE_RULE))
    sides: dict[str, list[str]] = {"meets": [], "fails": []}
    for name, value, limit in rules:
        if np.isnan(value):
            continue
        side, sign = ("meets", "≥") if value >= limit else ("fails", "<")
        shown = format_number(value, _digits(value, limit), bounded=True)
        sides[side].append(f"{name} {shown} {sign} {format_number(limit, 2, bounded=True)}")
    return "; ".join(f"{side}: {', '.join(parts)}" for side, parts in sides.items() if parts)


def _digits(value: float, limit: float) -> int:
    """Return two decimals, or as many as show that a value just below its limit is below it."""
    return next((digits for digits in range(2, 6) if (round(value, digits) >= limit) == (value >= limit)), 6)


def reliability(fit: Fit, *, level: float = 0.95) -> pd.DataFrame:
    """Return the reliability of every construct of a fitted model.

    Parameters
    ----------
    fit : Fit
    level : float, default 0.95
        Coverage of the interval of alpha.

    Returns
    -------
    DataFrame
        Index "construct" (with several groups: "group", "construct"); columns items, alpha, alpha_ci_lower,
        alpha_ci_upper, omega, omega_implied, cr, ave, h, verdict, note, as in `Reliability`. `omega` divides by the
        variance of the items in the sample (the default of the R function semTools::compRelSEM), `omega_implied` by
        that of the model; both count residual covariances and cross-loadings in the denominator only.

    Raises
    ------
    ConfigurationError
        `level` is not between 0 and 1.
    DataError
        The model has no construct with indicators.

    References
    ----------
    Fornell, C., & Larcker, D. F. (1981). Evaluating structural equation models with unobservable variables and
    measurement error. Journal of Marketing Research, 18, 39-50. doi:10.1177/002224378101800104
    Bagozzi, R. P., & Yi, Y. (1988). On the evaluation of structural equation models. Journal of the Academy of
    Marketing Science, 16, 74-94. doi:10.1007/BF02723327
    Nunnally, J. C. (1978). Psychometric theory (2nd ed.). McGraw-Hill.
    """
    from sem_loyalty.inference.marking import mark

    several = len(fit.moments.groups) > 1
    records: list[dict[str, object]] = []
    for number in range(1, len(fit.moments.groups) + 1):
        model = measurement_model(fit, number)
        for construct in range(len(model.constructs)):
            found = construct_reliability(model, construct, level=level)
            record = {name: getattr(found, name) for name in Reliability.__dataclass_fields__}
            records.append({"group": model.group, **record} if several else record)
    frame = pd.DataFrame(records)
    return mark(frame.set_index(["group", "construct"] if several else "construct"), fit)
