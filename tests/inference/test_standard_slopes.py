"""Derivatives of the standardised solution against differences."""

import numpy as np
import pytest

import sem_loyalty as sl
from sem_loyalty.inference.standard_slopes import jacobian_by_differences, standard_jacobian

MODEL = """
satisfaction =~ s1 + s2 + s3
trust =~ t1 + b*t2 + b*t3
loyalty =~ l1 + l2 + l3
trust ~ satisfaction
loyalty ~ trust + satisfaction
s1 ~~ t1
l1 ~ t1
"""
COVARIATE = MODEL + "loyalty ~ age\n"


@pytest.fixture(scope="module")
def answers():
    truth = MODEL.replace("trust ~ satisfaction", "trust ~ 0.6*satisfaction").replace("trust + sat", "0.5*trust + sat")
    data = sl.simulate(truth.replace("b*", ""), nobs=400, seed=3)
    age = np.random.default_rng(4).normal(40.0, 12.0, len(data))
    return data.assign(branch=np.resize(["north", "south"], len(data)), age=age)


@pytest.mark.parametrize("observed", [True, False], ids=["std_all", "std_lv"])
@pytest.mark.parametrize(
    ("model", "options"),
    [
        (MODEL, {}),
        (MODEL, {"meanstructure": True}),
        (MODEL, {"std_lv": True}),
        (MODEL, {"group": "branch", "group_equal": ["loadings"]}),
        (COVARIATE, {}),
        (COVARIATE, {"fixed_x": False}),
    ],
    ids=["plain", "means", "std_lv", "groups", "fixed covariate", "random covariate"],
)
def test_slopes_are_those_of_differences(answers, model, options, observed):
    fit = sl.fit(model, answers, engine="kernel", **options)
    exact, near = (found(fit, observed=observed) for found in (standard_jacobian, jacobian_by_differences))
    # Differences lose about half the digits, relative to the values that they are differences of.
    np.testing.assert_allclose(exact, near, rtol=1e-6, atol=1e-8)


def test_a_variance_that_is_not_positive_leaves_no_slopes(answers):
    fit = sl.fit(MODEL, answers, engine="kernel")
    for at in fit.point.implied:
        at.total[0, 0] = -1.0
    exact = standard_jacobian(fit, observed=True)
    assert np.isnan(exact).any()
