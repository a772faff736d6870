"""Tests of the model, and of its baseline, corrected for answers that are not normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.baseline import Extremes, independence
from sem_loyalty.inference.uncertainty import answers, fixed_positions, likelihood_of, maximum, score_products
from sem_loyalty.kernel.casewise import saturated_groups
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.robust import conditional_trace, meat, residual_traces, saturated_trace
from sem_loyalty.kernel.solver import whole_space

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScaledTest:
    """A corrected chi-square.

    Attributes
    ----------
    chisq : float
        Corrected statistic: plain / factor + shift.
    df : int
        Degrees of freedom.
    pvalue : float
        nan for df 0.
    factor : float
        What the plain statistic is divided by.
    shift : float
        What is added afterwards; 0 except for MLMV.
    inflation : float
        Expected value of the plain statistic per degree of freedom, from which robust indices are computed.
    """

    chisq: float
    df: int
    pvalue: float
    factor: float
    shift: float
    inflation: float


def scaled_test(
    fit: Fit, plain: float, df: int, *, baseline: bool = False, known: Extremes | None = None
) -> ScaledTest:
    """Return the corrected test that belongs to the estimator.

    Parameters
    ----------
    fit : Fit
        With estimator "MLM" (Satorra and Bentler 1994: mean-adjusted), "MLMV" (mean- and variance-adjusted by
        scaling and shifting, Asparouhov and Muthen 2010) or "MLR" (Yuan and Bentler 2000 as computed by Mplus,
        Asparouhov and Muthen 2005).
    plain : float
        Likelihood-ratio statistic.
    df : int
    baseline : bool, default False
        Correct the test of the independence model rather than of the model.
    known : Extremes, optional
        `extremes(fit)`, where they were computed.
    """
    discrepancy, point, space = likelihood_of(fit), maximum(fit), fit.space
    if baseline:
        discrepancy, point = known.independence if known is not None else independence(fit)
        space = whole_space(len(point.theta))
    blocks = discrepancy.blocks
    rows, fixed = answers(fit), fixed_positions(fit)
    if df == 0:
        return ScaledTest(plain, 0, float("nan"), float("nan"), 0.0, float("nan"))
    shift = 0.0
    if fit.estimator == "MLR":
        inner = space.reduce_matrix(score_products(discrepancy, point, rows))
        outer = space.reduce_matrix(discrepancy.hessian(point))
        own = float(np.trace(np.linalg.solve(outer, inner)))
        inflation = factor = (_saturated(fit, rows, known) - own) / df
    else:
        expected = space.reduce_matrix(discrepancy.information(point))
        if fit.estimator == "MLM" and not fit.specification.exogenous:
            inner = space.reduce_matrix(meat(blocks, fit.samples, point, rows, centred=True, fixed=fixed))
            whole = sum(
                saturated_trace(sample, inverse, group, means=block.means)
                for block, sample, inverse, group in zip(blocks, fit.samples, point.inverse, rows, strict=True)
            )
            inflation = factor = (whole - float(np.trace(np.linalg.solve(expected, inner)))) / df
        else:
            inverse = np.asarray(np.linalg.inv(expected), dtype=np.float64)
            bread = space.basis @ inverse @ space.basis.T if space.constrained else inverse
            trace, square = residual_traces(blocks, fit.samples, point, rows, bread, fixed)
            inflation = factor = trace / df
            if fit.estimator == "MLMV":
                factor = float(np.sqrt(square / df))
                shift = df - float(np.sqrt(df * trace**2 / square))
    chisq = plain / factor + shift
    return ScaledTest(chisq, df, float(chdtrc(df, chisq)), factor, shift, inflation)


def _saturated(fit: Fit, rows: tuple[Array, ...], known: Extremes | None) -> float:
    """Return tr(A^-1 B) of the saturated model, over groups."""
    means = fit.specification.meanstructure
    fixed = fixed_positions(fit)
    total = 0.0
    if isinstance(fit.discrepancy, Incomplete):
        groups = known.saturated if known is not None else saturated_groups(fit.discrepancy, rows, fixed, sandwich=True)
        return sum(group.spread for group in groups)
    for sample, group in zip(fit.samples, rows, strict=True):
        inverse = np.asarray(np.linalg.inv(sample.cov), dtype=np.float64)
        if fixed:
            total += conditional_trace(inverse, group, fixed, means=means)
        else:
            total += saturated_trace(sample, inverse, group, means=means)
    return total
