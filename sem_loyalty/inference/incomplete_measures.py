"""Comparative fit and RMSEA as they would be without missing answers."""

from __future__ import annotations

from scipy.special import chdtrc

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.baseline import Extremes
from sem_loyalty.inference.robust_measures import population_indices
from sem_loyalty.inference.scaled_tests import ScaledTest
from sem_loyalty.inference.uncertainty import maximum
from sem_loyalty.kernel.casewise import Saturated, complete_expectation
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.likelihood import Point, evaluate
from sem_loyalty.kernel.solver import Subspace, whole_space


def incomplete_measures(fit: Fit, baseline_df: int, known: Extremes) -> dict[str, float]:
    """Return cfi, tli, nnfi, rni and rmsea `_robust` of a fit with missing answers.

    Parameters
    ----------
    fit : Fit
    baseline_df : int
        Degrees of freedom of the independence model.
    known : Extremes
        `extremes(fit)`.

    Notes
    -----
    Missing answers hide misfit, so indices computed from the chi-square of incomplete data are too good. These use the
    discrepancy of complete data between the moments of the saturated model and those that the model implies, less what
    it would be where the model holds; with MLR, whatever the distribution of the answers (Zhang and Savalei 2022,
    doi:10.1037/met0000445).
    """
    null_model, null_point = known.independence
    if not isinstance(fit.discrepancy, Incomplete) or not isinstance(null_model, Incomplete):
        raise TypeError("A fit with missing answers kept is wanted.")
    own = _test(fit, known.saturated, fit.discrepancy, maximum(fit), fit.space, fit.df)
    null = _test(fit, known.saturated, null_model, null_point, whole_space(len(null_point.theta)), baseline_df)
    return population_indices(fit, own.chisq * own.factor, null.chisq * null.factor, own, null)


def _test(
    fit: Fit, groups: tuple[Saturated, ...], discrepancy: Incomplete, point: Point, space: Subspace, df: int
) -> ScaledTest:
    """Return N F of complete data at a solution, divided by its expected value per degree of freedom."""
    complete = evaluate(discrepancy.blocks, discrepancy.samples, point.theta)
    if complete is None:
        raise ValueError("The implied moments of a fit are positive definite.")
    plain = fit.moments.n * complete.value
    if df == 0:
        return ScaledTest(plain, 0, float("nan"), 1.0, 0.0, 1.0)
    factor = complete_expectation(groups, discrepancy, point, space) / df
    return ScaledTest(plain / factor, df, float(chdtrc(df, plain / factor)), factor, 0.0, factor)
