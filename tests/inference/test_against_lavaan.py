"""Factor scores, the standardised solution, Wald and likelihood-ratio tests against lavaan."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError, NotSupported, SpecificationError

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "inference.json").read_text(encoding="utf-8"))
DATA = pd.DataFrame(REFERENCE["data"])
# lavaan stops its optimiser some 1e-5 before the minimum; everything else is arithmetic.
SCORE = 1e-4
STANDARD = 5e-5
TEST = 1e-4


@pytest.fixture(scope="module")
def fitted():
    return {e: sl.fit(REFERENCE["model"], DATA, estimator=e, engine="kernel") for e in ("ML", "MLM", "MLR")}


@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_factor_scores(fitted, method):
    found = sl.factor_scores(fitted["ML"], DATA, method=method)
    expected = np.array(REFERENCE["scores"][method]).T
    np.testing.assert_allclose(found.scores[REFERENCE["scores"]["latent"]].to_numpy()[:12], expected, atol=SCORE)
    assert found.certified


def test_factor_scores_with_means():
    found = sl.factor_scores(sl.fit(REFERENCE["model"], DATA, meanstructure=True), DATA)
    np.testing.assert_allclose(found.scores.to_numpy()[:12], np.array(REFERENCE["scores"]["means"]).T, atol=SCORE)


def test_reliability_is_the_squared_correlation_with_the_latent_variable(fitted):
    generator = np.random.default_rng(8)
    implied = sl.model_implied(fitted["ML"])["cov_all"]
    rows = pd.DataFrame(
        generator.multivariate_normal(np.zeros(len(implied)), implied, 200_000), columns=list(implied.columns)
    )
    for method in ("regression", "bartlett"):
        found = sl.factor_scores(fitted["ML"], rows, method=method)
        for name, value in found.reliability.set_index("latent")["reliability"].items():
            correlation = np.corrcoef(rows[name], found.scores[name])[0, 1]
            assert correlation**2 == pytest.approx(value, abs=0.01)


def test_scores_keep_the_index_and_leave_gaps(fitted):
    data = DATA.copy()
    data.index = [f"r{i}" for i in range(len(data))]
    data.iloc[3, 0] = np.nan
    found = sl.factor_scores(fitted["ML"], data)
    assert list(found.scores.index) == list(data.index)
    assert found.scores.iloc[3].isna().all()
    assert found.scores.drop(index="r3").notna().all().all()
    with pytest.raises(DataError, match="a1"):
        sl.factor_scores(fitted["ML"], data.drop(columns="a1"))


def test_scores_of_groups():
    fit = sl.fit(REFERENCE["model"].replace("p*", "").replace("q*", "").replace("r*", ""), DATA, group="g")
    found = sl.factor_scores(fit, DATA, group="g")
    assert found.scores.notna().all().all()
    with pytest.raises(DataError, match="groups"):
        sl.factor_scores(fit, DATA)
    with pytest.raises(DataError, match="holds w"):
        sl.factor_scores(fit, DATA.assign(g="w"), group="g")


def test_bartlett_needs_a_measurement_model():
    fit = sl.fit("A =~ a1 + a2 + a3\nA ~ b1", DATA)
    with pytest.raises(NotSupported, match="regression"):
        sl.factor_scores(fit, DATA, method="bartlett")
    with pytest.raises(NotSupported, match="no latent"):
        sl.factor_scores(sl.fit("a1 ~ b1", DATA), DATA)


@pytest.mark.parametrize(("part", "kind", "estimator"), [
    ("std_all", "std_all", "ML"), ("std_lv", "std_lv", "ML"), ("robust", "std_all", "MLR"),
])  # fmt: skip
def test_standardised_solution(fitted, part, kind, estimator):
    found = sl.standardised_solution(fitted[estimator], kind=kind)
    ours = {(r.lhs, r.op, r.rhs): r for r in found.itertuples()}
    theirs = pd.DataFrame(REFERENCE["standardised"][part])
    assert len(theirs) == len(found)
    for there in theirs.itertuples():
        here = ours[there.lhs, there.op, there.rhs]
        assert here.est_std == pytest.approx(there[4], abs=STANDARD)
        assert here.se == pytest.approx(there.se, abs=STANDARD)
        if there.se > 1e-8:
            assert here.pvalue == pytest.approx(there.pvalue, abs=TEST)
            assert here.ci_lower == pytest.approx(there[8], abs=1e-4)


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_wald(fitted, estimator):
    for there in REFERENCE["wald"][estimator]:
        here = sl.wald_test(fitted[estimator], there["text"])
        assert here.chisq == pytest.approx(there["chisq"], abs=TEST, rel=TEST)
        assert here.df == there["df"]
        assert here.pvalue == pytest.approx(there["pvalue"], abs=TEST)


def test_wald_of_one_parameter_is_its_z(fitted):
    row = sl.estimates(fitted["ML"]).set_index("label").loc["r"]
    assert sl.wald_test(fitted["ML"], "r == 0").chisq == pytest.approx(row["z"] ** 2)


@pytest.mark.parametrize(("text", "error", "message"), [
    ("p == s", SpecificationError, "'s' is no label"),
    ("p := q", SpecificationError, "no equation"),
    ("p == q\n2*p == 2*q", ConfigurationError, "depend on each other"),
])  # fmt: skip
def test_wald_refuses(fitted, text, error, message):
    with pytest.raises(error, match=message):
        sl.wald_test(fitted["ML"], text)


@pytest.mark.parametrize("estimator", ["ML", "MLM", "MLR"])
def test_likelihood_ratio(fitted, estimator):
    fits = [sl.fit(REFERENCE[name], DATA, estimator=estimator, engine="kernel") for name in ("equal", "narrow")]
    found = sl.likelihood_ratio_test(*fits, fitted[estimator])
    there = REFERENCE["lrt"][estimator]
    np.testing.assert_array_equal(found["df"], there["Df"])
    np.testing.assert_allclose(found["aic"], there["AIC"], atol=1e-5)
    np.testing.assert_allclose(found["chisq_diff"][1:].astype(float), there["Chisq diff"][1:], atol=TEST)
    np.testing.assert_allclose(found["pvalue"][1:].astype(float), there["Pr(>Chisq)"][1:], atol=TEST)


def test_likelihood_ratio_refuses_what_cannot_be_compared(fitted):
    with pytest.raises(ConfigurationError, match="at least two"):
        sl.likelihood_ratio_test(fitted["ML"])
    with pytest.raises(ConfigurationError, match="different estimators"):
        sl.likelihood_ratio_test(fitted["ML"], fitted["MLR"])
    with pytest.raises(ConfigurationError, match="different data"):
        sl.likelihood_ratio_test(fitted["ML"], sl.fit(REFERENCE["narrow"], DATA.iloc[:200]))
    with pytest.raises(ConfigurationError, match="not nested"):
        sl.likelihood_ratio_test(fitted["ML"], sl.fit(REFERENCE["model"], DATA))
