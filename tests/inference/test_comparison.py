"""Rival models: nesting found by fitting, Vuong's tests, equivalent models, and the choice that is written out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, norm

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.inference.nesting import relation
from sem_loyalty.inference.vuong import casewise_likelihood, casewise_scores
from sem_loyalty.kernel.quadratic_form import upper_tail

MEASURES = "S =~ s1 + s2 + s3\nT =~ t1 + t2 + t3\nV =~ v1 + v2 + v3\nL =~ l1 + l2 + l3\n"
MODELS = {
    "full": "T ~ S\nV ~ T + S\nL ~ V + T + S",
    "lean": "T ~ S\nV ~ T + S\nL ~ V + T",
    "rival": "T ~ S\nV ~ T + S\nL ~ V + S",
    "chain": "T ~ S\nV ~ T\nL ~ V",
    "twin": "S ~ T\nV ~ T + S\nL ~ V + T + S",
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(11)
    n = 400
    s = rng.normal(size=n)
    t = 0.5 * s + rng.normal(size=n)
    v = 0.4 * t + 0.2 * s + rng.normal(size=n)
    loyal = 0.4 * v + 0.3 * t + rng.normal(size=n)
    constructs = {"s": s, "t": t, "v": v, "l": loyal}
    return pd.DataFrame({f"{k}{i}": x + rng.normal(size=n) for k, x in constructs.items() for i in (1, 2, 3)})


@pytest.fixture(scope="module")
def fits(data):
    return {name: sl.fit(MEASURES + text, data, engine="kernel") for name, text in MODELS.items()}


def test_weighted_chi_squares_where_the_answer_is_known():
    for many in (1, 2, 3, 7, 40):
        for value in (0.3, 2.0, 9.0, 45.0):
            assert upper_tail(value, np.ones(many)) == pytest.approx(chi2.sf(value, many), abs=1e-9)
            assert upper_tail(3 * value, np.full(many, 3.0)) == pytest.approx(chi2.sf(value, many), abs=1e-9)
    # Two unequal weights, and several, against a million sums.
    rng = np.random.default_rng(5)
    for weights in (np.array([3.0, 0.2]), rng.exponential(size=30) ** 2):
        sums = (rng.normal(size=(200_000, len(weights))) ** 2) @ weights
        for value in np.quantile(sums, [0.05, 0.5, 0.95]):
            assert upper_tail(float(value), weights) == pytest.approx((sums > value).mean(), abs=5e-3)
    assert upper_tail(1.0, np.zeros(3)) == 0.0
    assert upper_tail(0.0, np.ones(3)) == 1.0


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("lean", "full", "nested"),
        ("full", "lean", "nests"),
        ("chain", "rival", "nested"),
        ("full", "twin", "equivalent"),
        ("lean", "rival", "overlapping"),
        ("lean", "twin", "nested"),
    ],
)
def test_relation(fits, one, other, expected):
    assert relation(fits[one], fits[other]) == expected


def test_equal_parameters_across_groups_are_nested(data):
    halves = data.assign(half=np.where(np.arange(len(data)) % 2, "odd", "even"))
    text = MEASURES + MODELS["chain"]
    free, metric = (
        sl.fit(text, halves, group="half", group_equal=equal, engine="kernel") for equal in ((), ("loadings",))
    )
    assert relation(metric, free) == "nested"
    found = sl.compare(free, metric, names=["configural", "metric"])
    expected = sl.likelihood_ratio_test(free, metric).iloc[1]
    assert found.pairs[0].chisq == pytest.approx(expected["chisq_diff"])


def test_casewise_likelihood_and_scores(data, fits):
    fit = fits["lean"]
    casewise = casewise_likelihood(fit)
    assert casewise.sum() == pytest.approx(sl.fit_measures(fit)["logl"], rel=1e-10)
    # Scores of respondents sum to zero at the maximum, and their cross-product estimates the information.
    scores = casewise_scores(fit)
    assert np.abs(scores.sum(axis=0)).max() < 1e-5
    errors = np.sqrt(np.diag(np.linalg.inv(scores.T @ scores)))
    table = sl.estimates(fit)
    free = [row.free for row in fit.specification.parameters]
    plain = table["se"].to_numpy()[[free.index(k) for k in range(fit.specification.n_free)]]
    np.testing.assert_allclose(errors, plain, rtol=0.5)


def test_vuong_by_hand(fits):
    one, other = fits["lean"], fits["rival"]
    found = sl.vuong_test(one, other)
    d = casewise_likelihood(one) - casewise_likelihood(other)
    assert found.variance == pytest.approx(d.var())
    assert found.z == pytest.approx(d.sum() / np.sqrt(len(d) * d.var()))
    assert found.first_p == pytest.approx(norm.sf(found.z))
    assert found.distinguishable_p < 0.01
    back = sl.vuong_test(other, one)
    assert back.z == pytest.approx(-found.z)
    assert back.distinguishable_p == pytest.approx(found.distinguishable_p, abs=1e-8)
    penalised = sl.vuong_test(fits["full"], fits["lean"], criterion="bic")
    plain = sl.vuong_test(fits["full"], fits["lean"])
    assert penalised.z - plain.z == pytest.approx(-0.5 * np.log(400) / np.sqrt(400 * plain.variance))


def test_distinguishability_keeps_its_level_where_models_coincide():
    # Independent constructs: both rivals estimate a path of zero, so they are one model and the test should be silent.
    rng = np.random.default_rng(3)
    p = []
    for _ in range(150):
        frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["x", "m", "y"])
        one, other = (
            sl.fit(text, frame, engine="kernel", fixed_x=False) for text in ("y ~ x\nm ~~ 0*y\nm ~~ x", "y ~ m\nm ~~ x")
        )
        p.append(sl.vuong_test(one, other).distinguishable_p)
    rejected = np.mean(np.array(p) < 0.05)
    assert rejected < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)
    assert np.mean(np.array(p) < 0.5) == pytest.approx(0.5, abs=0.15)


def test_the_choice_is_argued(fits):
    found = sl.compare(*fits.values(), names=tuple(fits))
    assert found.choice == "lean"
    assert "chain restricts lean, and the restriction is rejected" in " ".join(found.reasons)
    relations = {(p.first, p.second): p.relation for p in found.pairs}
    assert relations["full", "twin"] == "equivalent"
    assert relations["lean", "rival"] == "overlapping"
    weights = found.models.set_index("model")
    assert weights["aic_weight"].sum() == pytest.approx(1.0)
    ratio = weights.loc["lean", "bic_weight"] / weights.loc["full", "bic_weight"]
    assert ratio == pytest.approx(np.exp(0.5 * (weights.loc["full", "bic"] - weights.loc["lean", "bic"])))
    assert found.choice in str(found)


def test_equivalent_models_are_named_and_not_chosen_between(fits):
    found = sl.compare(fits["full"], fits["twin"], names=["full", "twin"])
    assert "theory must" in " ".join(found.reasons)
    assert "as good for all that data can say" in found.reasons[0]


def test_order_of_the_fits_changes_nothing(fits):
    names = list(fits)
    forward = sl.compare(*fits.values(), names=names)
    backward = sl.compare(*(fits[name] for name in reversed(names)), names=list(reversed(names)))
    assert forward.choice == backward.choice

    def verdicts(found):
        return {frozenset((p.first, p.second)): (p.relation, p.verdict) for p in found.pairs}

    assert verdicts(forward) == verdicts(backward)


def test_a_model_that_is_not_certified_is_never_chosen(fits):
    bad = replace(fits["lean"], certificate=replace(fits["lean"].certificate, certified=False))
    found = sl.compare(bad, fits["chain"], names=["bad", "chain"])
    assert found.choice == "chain"
    assert "bad (NOT CERTIFIED)" in str(found)
    assert np.isnan(found.models.set_index("model").loc["bad", "bic_weight"])
    assert sl.compare(bad, bad, names=["a", "b"]).choice == ""


def test_robust_estimators_test_by_scaled_differences(data):
    robust = [sl.fit(MEASURES + MODELS[name], data, estimator="MLR", engine="kernel") for name in ("full", "chain")]
    found = sl.compare(*robust)
    assert found.pairs[0].chisq == pytest.approx(sl.likelihood_ratio_test(*robust)["chisq_diff"].iloc[1])


def test_equivalent_models_of_a_chain(fits):
    # Of a chain only the first arrow can be turned round; of a saturated structure, every one.
    assert [m.change for m in sl.equivalent_models(fits["chain"])] == [
        "S ~ T in place of T ~ S",
        "T ~~ S in place of T ~ S",
    ]
    turned = {m.change for m in sl.equivalent_models(fits["full"])}
    assert {"S ~ T in place of T ~ S", "V ~ L in place of L ~ V", "S ~ L in place of L ~ S"} <= turned


def test_an_equivalent_model_fits_as_well_when_it_is_fitted_anew(data, fits):
    for model in sl.equivalent_models(fits["lean"]):
        again = sl.fit(model.text, data, engine="kernel")
        assert again.chisq == pytest.approx(fits["lean"].chisq, abs=1e-9)
        assert again.df == fits["lean"].df


def test_what_cannot_be_compared_is_refused(data, fits):
    with pytest.raises(ConfigurationError, match="at least two"):
        sl.compare(fits["full"])
    with pytest.raises(ConfigurationError, match="different names"):
        sl.compare(fits["full"], fits["lean"], names=["a", "a"])
    with pytest.raises(ConfigurationError, match="different estimators"):
        sl.compare(fits["full"], sl.fit(MEASURES + MODELS["lean"], data, estimator="MLR", engine="kernel"))
    squares = [sl.fit(MEASURES + MODELS[name], data, estimator="GLS", engine="kernel") for name in ("full", "lean")]
    with pytest.raises(NotSupported, match="likelihood"):
        sl.compare(*squares)
    with pytest.raises(NotSupported, match="GLS"):
        sl.equivalent_models(squares[0])
    with pytest.raises(ConfigurationError, match="different rows"):
        sl.vuong_test(fits["full"], sl.fit(MEASURES + MODELS["lean"], data.iloc[:300], engine="kernel"))
    matrix = sl.fit(MEASURES + MODELS["lean"], sample_cov=data.cov(), sample_nobs=400, engine="kernel")
    with pytest.raises(NotSupported, match="answers"):
        sl.vuong_test(matrix, matrix)
