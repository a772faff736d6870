"""Two ways to the scores of candidates agree: by columns of rank two, and by the derivatives of all moments."""

import numpy as np
import pytest

import sem_loyalty as sl
from sem_loyalty.inference.modification import fixed_candidates
from sem_loyalty.inference.moment_scores import moment_score_parts
from sem_loyalty.inference.normal_scores import normal_moments, normal_score_parts
from sem_loyalty.model.spec import Parameter

MODEL = """
satisfaction =~ s1 + s2 + s3
trust =~ t1 + t2 + t3
loyalty =~ l1 + l2 + l3
trust ~ satisfaction
loyalty ~ trust
s1 ~~ t1
"""
EQUAL = MODEL.replace("s2 + s3", "a*s2 + a*s3")


@pytest.fixture(scope="module")
def answers():
    truth = MODEL.replace("trust ~ satisfaction", "trust ~ 0.6*satisfaction").replace("~ trust", "~ 0.5*trust")
    data = sl.simulate(truth, nobs=300, seed=11)
    return data.assign(branch=np.resize(["north", "south"], len(data)))


@pytest.mark.parametrize("model", [MODEL, EQUAL])
@pytest.mark.parametrize(
    "options",
    [{}, {"meanstructure": True}, {"group": "branch"}, {"group": "branch", "group_equal": ["loadings", "intercepts"]}],
    ids=["plain", "means", "groups", "invariant"],
)
def test_both_ways_give_the_same_parts(answers, model, options):
    fit = sl.fit(model, answers, engine="kernel", **options)
    rows = tuple(
        Parameter(c.lhs, c.op, c.rhs, c.group, -1, None, "", None, False, False)
        for c in fixed_candidates(fit.specification)
    )
    assert normal_moments(fit)
    quick, plain = normal_score_parts(fit, rows), moment_score_parts(fit, rows)
    every = slice(0, len(rows))
    for ours, theirs in (
        (quick.slope, plain.slope),
        (quick.information, plain.information),
        (quick.own, plain.own),
        (quick.crossed(every), plain.crossed(every)),
        (quick.remaining(), plain.remaining()),
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-11)
    np.testing.assert_array_equal(quick.crossed(slice(5, 9)), quick.crossed(every)[:, 5:9])


def test_fixed_covariates_go_the_general_way(answers):
    fit = sl.fit("trust =~ t1 + t2 + t3\ntrust ~ s1", answers, engine="kernel")
    assert not normal_moments(fit)
    assert not sl.modification_indices(fit).empty
