"""The cause of a failure is named, chance is told from misfit, and the remedies that are listed were tried."""

import pickle
import time
import warnings

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.diagnosis.findings import CHECKS
from sem_loyalty.diagnosis.wording import WORDS
from sem_loyalty.errors import ConfigurationError

ECSI = """
Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
Expectation =~ CUEX1 + CUEX2 + CUEX3
Quality =~ PERQ1 + PERQ2 + PERQ3 + PERQ4 + PERQ5 + PERQ6 + PERQ7
Value =~ PERV1 + PERV2
Satisfaction =~ CUSA1 + CUSA2 + CUSA3
Loyalty =~ CUSL1 + CUSL2 + CUSL3
Expectation ~ Image
Quality ~ Expectation
Value ~ Expectation + Quality
Satisfaction ~ Image + Expectation + Quality + Value
Loyalty ~ Image + Satisfaction
"""
TWO = "f =~ a + b + c\ng =~ d + e + h"


def matrix(values: np.ndarray, names: str) -> pd.DataFrame:
    return pd.DataFrame(values, index=list(names), columns=list(names))


def fitted(model: str, **options: object) -> sl.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sl.fit(model, **options)


def codes(diagnosis: sl.Diagnosis, *, serious: bool = True) -> list[str]:
    return [finding.code for finding in diagnosis.findings if finding.serious is serious]


def pair_of_factors(r: float) -> pd.DataFrame:
    pattern = np.zeros((6, 2))
    pattern[:3, 0] = pattern[3:, 1] = [0.8, 0.7, 0.75]
    values = pattern @ np.array([[1, r], [r, 1]]) @ pattern.T
    np.fill_diagonal(values, 1.0)
    return matrix(values, "abcdeh")


@pytest.fixture(scope="module")
def ecsi() -> sl.Diagnosis:
    printed = sl.load_published("ecsi_mobile")
    return sl.diagnose(fitted(ECSI, sample_cov=printed.frame(), sample_nobs=printed.n, engine="kernel"))


def test_ecsi_is_identified_and_runs_along_a_ridge_of_image_and_expectation(ecsi):
    ridge = next(finding for finding in ecsi.findings if finding.code == "ridge")
    assert set(ridge.parameters[:2]) == {"Satisfaction ~ Image", "Satisfaction ~ Expectation"}
    assert {"Image", "Expectation"} <= set(ridge.names)
    assert "identification" in ecsi.clear
    joined = {frozenset(f.names) for f in ecsi.findings if f.code.startswith("collinear_")}
    assert frozenset({"Image", "Expectation"}) in joined
    assert frozenset({"Quality", "Satisfaction"}) in joined


def test_the_best_remedy_for_ecsi_is_one_path_less(ecsi):
    assert ecsi.best.steps == (("drop_path", ("Loyalty ~ Image",)),)
    # lavaan 0.6-14 of the model without that path prints 544.263 with 221 degrees of freedom.
    assert ecsi.best.chisq == pytest.approx(544.263, abs=1e-3)
    assert ecsi.best.df == 221
    merge = next(r for r in ecsi.remedies if r.steps[0] == ("merge", ("Image", "Expectation")))
    assert merge.certified is False
    assert merge.reason == "standardised above one"


def test_remedies_were_refitted_and_stand_in_order(ecsi):
    tried = [remedy for remedy in ecsi.remedies if remedy.certified is not None]
    order = [(not r.certified, r.cost) for r in tried]
    assert order == sorted(order)
    dropped = [r.rmsea for r in tried if r.certified and r.steps[0][0] == "drop_path"]
    assert dropped == sorted(dropped)
    assert len(dropped) > 1
    printed = sl.load_published("ecsi_mobile")
    for remedy in tried:
        if remedy.certified:
            again = fitted(remedy.model, sample_cov=printed.frame(), sample_nobs=printed.n)
            assert again.certificate.certified
            assert again.chisq == pytest.approx(remedy.chisq, abs=1e-6)
            assert sl.fit_measures(again)["bic"] == pytest.approx(remedy.bic, abs=1e-6)
    assert not any(kind == "residual_covariance" for remedy in tried for kind, _ in remedy.steps)


def test_ecsi_is_diagnosed_quickly(ecsi):
    start = time.process_time()
    sl.diagnose(ecsi.fit)
    assert time.process_time() - start < 3.0  # 0.6 s on an idle machine


@pytest.mark.parametrize("scale", [10.0, 100.0, 1000.0])
def test_units_change_neither_diagnosis_nor_chi_square(mobi, model_q, scale):
    unit = sl.diagnose(sl.fit(model_q, mobi, engine="kernel"))
    other = sl.diagnose(sl.fit(model_q, mobi * scale, engine="kernel"))
    assert other.text() == unit.text()
    assert other.certified
    assert other.remedies == ()
    assert other.fit.chisq == pytest.approx(unit.fit.chisq, abs=1e-7)


def test_units_do_not_change_the_remedies():
    own = pair_of_factors(0.3).to_numpy().copy()
    own[:3, 3:] = own[3:, :3] = 0.65
    sd = np.array([1.0, 10.0, 0.1, 100.0, 1.0, 3.0])
    plain = sl.diagnose(TWO, sample_cov=matrix(own, "abcdeh"), sample_nobs=300)
    scaled = sl.diagnose(TWO, sample_cov=matrix(own * np.outer(sd, sd), "abcdeh"), sample_nobs=300)
    assert codes(scaled) == codes(plain)
    assert [r.steps for r in scaled.remedies] == [r.steps for r in plain.remedies]
    for first, second in zip(plain.remedies, scaled.remedies, strict=True):
        if first.steps != (("estimator", ("ULS",)),):  # unweighted least squares is not free of units
            assert second.chisq == pytest.approx(first.chisq, abs=1e-6, nan_ok=True)
            assert second.certified == first.certified


@pytest.mark.parametrize(("inner", "certified"), [(0.5, True), (0.0, False)])
def test_two_indicators_without_company_are_empirically_unidentified(inner, certified):
    values = np.eye(5)
    values[0, 1] = values[1, 0] = inner
    values[2:, 2:] = 0.5 + 0.5 * np.eye(3)
    found = sl.diagnose("f =~ a + b\ng =~ c + d + e", sample_cov=matrix(values, "abcde"), sample_nobs=200)
    assert {"no_information", "lone_pair"} <= set(codes(found))
    flat = next(finding for finding in found.findings if finding.code == "no_information")
    assert flat.names == ("f",)
    assert "identification" in found.clear
    equal = next(r for r in found.remedies if r.steps == (("equal_loadings", ("f",)),))
    # Equal loadings determine the pair, unless the items have nothing in common at all.
    assert equal.certified is certified
    if certified:
        assert found.best.steps in ((("equal_loadings", ("f",)),), (("std_lv", ()),))


@pytest.mark.parametrize(
    ("model", "code", "named", "remedy"),
    [
        ("f =~ a + b\ng =~ c + d + e\nf ~~ 0*g", "not_identified", "f =~ b", ("equal_loadings", ("f",))),
        ("f =~ NA*a + b + c + d", "not_identified", "f ~~ f", ("scale", ("f",))),
        ("f =~ a + b + c + d\nf ~ e\ne ~ f", "not_identified", "f ~ e", ("drop_path", ("f ~ e",))),
        ("f =~ a + b", "too_many_parameters", "", ("equal_loadings", ("f",))),
    ],
)
def test_a_refused_model_is_diagnosed(model, code, named, remedy):
    generator = np.random.default_rng(4)
    factor = generator.normal(size=(200, 1))
    data = pd.DataFrame(factor + generator.normal(size=(200, 5)), columns=list("abcde"))
    found = sl.diagnose(model, data)
    assert found.fit is None
    assert found.text().startswith("NOT IDENTIFIED")
    finding = next(finding for finding in found.findings if finding.code == code)
    assert not named or named in finding.parameters
    assert remedy in [r.steps[0] for r in found.remedies if r.certified]
    assert all(fitted(r.model, data=data).certificate.certified for r in found.remedies if r.certified)


def test_a_negative_variance_that_chance_explains(mobi):
    # A third item that leaves no error in the population: below zero in half of all samples.
    values = np.array([[1.0, 0.60, 0.78], [0.60, 1.0, 0.78], [0.78, 0.78, 1.0]])
    found = sl.diagnose("f =~ a + b + c", sample_cov=matrix(values, "abc"), sample_nobs=100)
    (negative,) = [finding for finding in found.findings if finding.check == "variances"]
    assert negative.code == "negative_fluctuation"
    assert negative.values["lower"] < negative.values["est"] < 0 < negative.values["upper"]
    assert found.best.steps == (("zero_variance", ("c ~~ c",)),)
    advice = found.remedies[-1]
    assert advice.steps == (("more_data", ()),)
    assert advice.n > 100


def test_a_negative_variance_that_is_misfit():
    values = np.array([[1.0, 0.9, 0.5], [0.9, 1.0, 0.8], [0.5, 0.8, 1.0]])
    found = sl.diagnose("f =~ a + b + c", sample_cov=matrix(values, "abc"), sample_nobs=200)
    (negative,) = [finding for finding in found.findings if finding.check == "variances"]
    assert negative.code == "negative_misfit"
    assert negative.parameters == ("b ~~ b",)
    assert negative.values["upper"] < 0
    fit = found.fit
    row = sl.estimates(fit).query("lhs == 'b' and rhs == 'b'").iloc[0]
    assert negative.values["upper"] == pytest.approx(row["ci_upper"], rel=1e-10)
    assert "hides" in next(r for r in found.remedies if r.certified).change()


def test_a_correlation_of_99_hundredths_is_mentioned_and_no_fault():
    found = sl.diagnose(fitted(TWO, sample_cov=pair_of_factors(0.99), sample_nobs=300))
    assert found.certified
    assert codes(found) == []
    assert found.remedies == ()
    (close,) = [f for f in found.findings if f.code == "collinear_constructs"]
    assert close.values["r"] == pytest.approx(0.99, abs=1e-6)


def test_constructs_that_correlate_beyond_one_are_merged():
    values = np.full((6, 6), 0.35) + np.eye(6) * 0.65
    values[:3, 3:] = values[3:, :3] = 0.45
    found = sl.diagnose(TWO, sample_cov=matrix(values, "abcdeh"), sample_nobs=300)
    assert {"latent_covariance", "collinear_constructs"} <= set(codes(found))
    assert found.best.steps == (("merge", ("f", "g")),)
    one = fitted("f =~ a + b + c + d + e + h", sample_cov=matrix(values, "abcdeh"), sample_nobs=300)
    assert found.best.chisq == pytest.approx(one.chisq, abs=1e-8)


def test_nothing_is_found_where_nothing_is_wrong(chain, chain_model):
    found = sl.diagnose(chain_model, chain)
    assert found.certified
    assert found.findings == ()
    assert found.clear == CHECKS
    assert "Nothing was found." in str(found)
    assert "same minimum in other units" in str(found)


def test_sixty_respondents_are_few(mobi, model_q):
    found = sl.diagnose(fitted(model_q, data=mobi.iloc[:60]))
    few = next(finding for finding in found.findings if finding.code == "small_sample")
    assert few.values["n"] == 60
    assert not few.serious
    assert "respondents per parameter" not in found.checked()


def test_items_out_of_place_are_named(chain, chain_model):
    answers = chain.assign(a3=-chain["a3"], b3=chain["b1"] + 0.05 * chain["c2"] ** 2)
    found = sl.diagnose(chain_model, answers)
    assert any(f.code == "reversed_item" and f.names == ("a3",) for f in found.findings)
    duplicate = next(f for f in found.findings if f.code == "duplicate_items")
    assert set(duplicate.names) == {"b1", "b3"}
    swapped = chain.rename(columns={"a1": "b1", "b1": "a1"})
    found = sl.diagnose(chain_model, swapped, remedies=False)
    assert found.remedies == ()
    leaning = next(f for f in found.findings if f.code == "misplaced_items")
    assert {"a1", "b1"} <= set(leaning.names)


@pytest.mark.parametrize("options", [{"estimator": "MLR"}, {"missing": "fiml"}, {"estimator": "GLS"}, {"std_lv": True}])
def test_remedies_keep_the_options_of_the_fit(chain, options):
    # C is measured by the items of B, so the two coincide.
    model = "A =~ a1 + a2 + a3\nB =~ b1 + b2\nC =~ b3 + c3\nC ~ A + B\nB ~ A"
    answers = chain.assign(c3=chain["b2"] * 0.4 + chain["b1"] * 0.5 + chain["c3"] * 0.3)
    found = sl.diagnose(model, answers, **options)
    for remedy in found.remedies:
        if remedy.fit is not None and remedy.steps[0][0] not in ("estimator", "std_lv"):
            assert remedy.fit.estimator == found.fit.estimator
            assert remedy.fit.moments.missing == found.fit.moments.missing
            assert remedy.fit.specification.std_lv == found.fit.specification.std_lv


def test_several_groups_and_constraints(halo):
    model = "A =~ a1 + a2 + a3\nB =~ b1 + x*b2 + b3\nB ~ p*A\np2 := p*p"
    answers = halo.assign(site=np.where(np.arange(len(halo)) % 2, "n", "s"))
    answers["a1"] = answers["a2"] + 0.02 * answers["a1"]
    found = sl.diagnose(model.replace("p*A", "c(p, q)*A"), answers, group="site", group_equal=["loadings"])
    assert found.fit is not None
    assert all(r.fit is None or r.fit.specification.groups == ("s", "n") for r in found.remedies)
    assert str(found)


def test_every_sentence_exists_in_both_languages(ecsi):
    assert all(english.strip() and chinese.strip() for english, chinese in WORDS.values())
    text = ecsi.text("zh")
    assert "诊断" not in text.splitlines()[0]
    assert text.startswith("未通过检验")
    assert "删除路径 Loyalty ~ Image" in text
    english = [word for word in text.replace("_", " ").split() if word in ("path", "merge", "the", "variance")]
    assert english == []
    with pytest.raises(ConfigurationError, match="lang"):
        ecsi.text("de")


def test_display_and_pickling(ecsi):
    shown = ecsi._repr_html_()
    assert "NOT CERTIFIED" in shown
    assert "<table" in shown
    assert repr(ecsi) == str(ecsi)
    again = pickle.loads(pickle.dumps(ecsi))
    assert str(again) == str(ecsi)
    record = ecsi.to_dict()
    assert record["remedies"][0]["certified"] is True
    assert record["findings"][0]["code"] == ecsi.findings[0].code


def test_a_fit_has_its_data_already(chain, chain_model):
    with pytest.raises(ConfigurationError, match="the fit alone"):
        sl.diagnose(sl.fit(chain_model, chain), chain)


def test_the_same_diagnosis_every_time(ecsi):
    assert sl.diagnose(ecsi.fit).text() == ecsi.text()
