"""The discrepancy of correlations alone, held to the one with thresholds, whose part it is."""

import pickle

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.kernel.correlation_discrepancy import CorrelationDiscrepancy
from sem_loyalty.kernel.linear_algebra import lapack

MODEL = "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6\ng ~ f\ny2 ~~ y5"


def survey(n=400):
    rng = np.random.default_rng(12)
    f = rng.standard_normal((n, 1))
    g = 0.6 * f + 0.8 * rng.standard_normal((n, 1))
    answers = 0.8 * np.hstack([f, f, f, g, g, g]) + 0.6 * rng.standard_normal((n, 6))
    frame = pd.DataFrame(np.digitize(answers, [-0.9, 0.1, 1.0]), columns=[f"y{k}" for k in range(1, 7)])
    return frame.assign(group=np.where(np.arange(n) < 0.4 * n, "a", "b"))


@pytest.fixture(scope="module", params=["WLSMV", "ULSMV", "two groups"])
def fitted(request):
    if request.param == "two groups":
        return sl.fit(MODEL, survey(), ordered=[f"y{k}" for k in range(1, 7)], group="group")
    return sl.fit(MODEL, survey(), ordered=True, estimator=request.param)


def halfway(fitted):
    """Parameters away from the minimum, thresholds at the sample's."""
    moved = fitted.theta * np.resize([0.9, 1.1, 1.05], len(fitted.theta))
    cuts = fitted.discrepancy.cut_parameters
    moved[cuts] = fitted.theta[cuts]
    return moved, np.delete(np.arange(len(moved)), cuts)


@pytest.mark.parametrize("scale", [None, [1.0, 3.0, 0.4, 1.0, 3.0, 0.4, 1.0, 1.0]])
def test_both_have_the_same_value_and_derivatives(fitted, scale):
    whole = fitted.discrepancy
    theta, others = halfway(fitted)
    if scale is not None:
        whole = whole.rescaled(np.array(scale))
        cuts = np.concatenate([model.cut_parameter for model in whole.models])
        theta[cuts] *= np.concatenate([np.array(scale)[model.cut_item] for model in whole.models])
    part = CorrelationDiscrepancy(whole)
    point, at = whole.evaluate(theta), part.evaluate(theta)
    assert at.value == pytest.approx(point.value, rel=1e-12)
    assert at.value > 1e-3
    np.testing.assert_allclose(part.gradient(at)[others], whole.gradient(point)[others], atol=1e-12)
    for name in ("information", "hessian"):
        got, expected = getattr(part, name)(at), getattr(whole, name)(point)
        np.testing.assert_allclose(got[np.ix_(others, others)], expected[np.ix_(others, others)], atol=1e-11)


def test_the_gradient_is_that_of_the_value(fitted):
    part = CorrelationDiscrepancy(fitted.discrepancy)
    theta, others = halfway(fitted)
    slope = part.gradient(part.evaluate(theta))
    for k in others:
        step = np.zeros_like(theta)
        step[k] = 1e-6
        difference = part.evaluate(theta + step).value - part.evaluate(theta - step).value
        assert slope[k] == pytest.approx(difference / 2e-6, abs=1e-8)


def test_the_inverse_of_the_information_has_the_thresholds_in_its_diagonal(fitted):
    whole = fitted.discrepancy
    _, others = halfway(fitted)
    information = whole.information(fitted.point)
    part = np.linalg.inv(information[np.ix_(others, others)])
    np.testing.assert_allclose(whole.with_thresholds(part), np.linalg.inv(information), rtol=1e-9, atol=1e-9)
    assert lapack.dpotrf(information, lower=1)[1] == 0


def test_a_search_for_correlations_ends_where_the_whole_discrepancy_is_flat(fitted):
    assert fitted.certificate.certified
    # Thresholds are held where they are the sample's; everything else is at the minimum.
    assert np.abs(fitted.discrepancy.gradient(fitted.point)).max() < 1e-9


def test_a_copy_sent_to_another_process_has_the_same_standard_errors(fitted):
    sl.fit_measures(fitted)
    copy = pickle.loads(pickle.dumps(fitted))
    # The copy computes the information anew.
    assert copy.factored is None
    assert not copy.memory
    np.testing.assert_allclose(sl.estimates(copy).se, sl.estimates(fitted).se, rtol=1e-9)
