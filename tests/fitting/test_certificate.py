"""A solution that cannot be trusted is never passed off as one that can."""

import warnings

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ImproperSolutionWarning, SpecificationError

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


def frame(matrix: np.ndarray, names: str) -> pd.DataFrame:
    return pd.DataFrame(matrix, index=list(names), columns=list(names))


def codes(fitted: sl.Fit) -> set[str]:
    return {problem.code for problem in fitted.certificate.problems}


@pytest.mark.parametrize("engine", ["kernel", "semopy"])
def test_ecsi_on_the_mobile_survey_has_no_proper_solution(engine):
    printed = sl.load_published("ecsi_mobile")
    with pytest.warns(ImproperSolutionWarning, match="NOT CERTIFIED"):
        fitted = sl.fit(ECSI, sample_cov=printed.frame(), sample_nobs=printed.n, engine=engine)
    assert not fitted.certificate.certified
    assert str(fitted).startswith("NOT CERTIFIED")
    assert "NOT CERTIFIED" in fitted._repr_html_()
    assert {"not converged", "standardised above one"} <= codes(fitted)
    named = " ".join(name for problem in fitted.certificate.problems for name in problem.parameters)
    assert "Image" in named
    assert "Expectation" in named
    assert all(problem.remedy for problem in fitted.certificate.problems)
    free = sl.estimates(fitted).query("op == '~'")
    assert free["se"].isna().all()
    assert not sl.estimates(fitted).attrs["certified"]
    assert str(sl.fit_measures(fitted)).startswith("NOT CERTIFIED")


@pytest.mark.parametrize("scale", [0.01, 1.0, 10.0, 100.0, 1000.0])
@pytest.mark.parametrize("engine", ["kernel", "semopy"])
def test_units_of_the_items_change_nothing(chain, chain_model, scale, engine):
    fitted = sl.fit(chain_model, chain * scale, engine=engine)
    unit = sl.fit(chain_model, chain, engine="kernel")
    assert fitted.certificate.certified
    # F is invariant; what remains is rounding of log determinants.
    assert fitted.chisq == pytest.approx(unit.chisq, abs=1e-7)
    np.testing.assert_allclose(sl.estimates(fitted)["std_all"], sl.estimates(unit)["std_all"], atol=1e-7)


@pytest.mark.parametrize("engine", ["kernel", "semopy"])
@pytest.mark.parametrize("scale", [1.0, 10.0, 100.0, 1000.0])
def test_loyalty_model_on_the_mobile_survey_in_any_units(mobi, model_q, scale, engine):
    fitted = sl.fit(model_q, mobi * scale, engine=engine)
    assert fitted.certificate.certified
    assert fitted.chisq == pytest.approx(195.0810253, abs=1e-6)  # lavaan prints 195.081


def test_small_sample_of_the_mobile_survey(mobi, model_q):
    fitted = sl.fit(model_q, mobi.iloc[:60])
    assert fitted.certificate.certified == (not fitted.certificate.problems)
    assert fitted.moments.n == 60


def test_negative_variance_is_named():
    # a2 correlates .9 with a1 and a3, which correlate .5: the loading of a2 exceeds one.
    matrix = np.array([[1.0, 0.9, 0.5], [0.9, 1.0, 0.8], [0.5, 0.8, 1.0]])
    with pytest.warns(ImproperSolutionWarning):
        fitted = sl.fit("f =~ a + b + c", sample_cov=frame(matrix, "abc"), sample_nobs=200)
    assert {"negative variance", "standardised above one"} <= codes(fitted)
    negative = next(p for p in fitted.certificate.problems if p.code == "negative variance")
    assert negative.parameters == ("b ~~ b",)
    assert fitted.theta[[row.name for row in fitted.specification.free_parameters].index("b ~~ b")] < 0


def test_two_indicators_without_covariance_hold_no_information():
    matrix = np.eye(5)
    matrix[2:, 2:] = 0.5 + 0.5 * np.eye(3)
    model = "f =~ a + b\ng =~ c + d + e"
    with pytest.warns(ImproperSolutionWarning):
        fitted = sl.fit(model, sample_cov=frame(matrix, "abcde"), sample_nobs=200)
    assert "singular information" in codes(fitted)
    named = {name for problem in fitted.certificate.problems for name in problem.parameters}
    assert named & {"f ~~ f", "a ~~ a", "b ~~ b", "f =~ b"}


def test_correlation_of_99_hundredths_is_certified_where_the_data_bear_it():
    loadings = np.array([0.8, 0.7, 0.75])
    pattern = np.zeros((6, 2))
    pattern[:3, 0] = pattern[3:, 1] = loadings
    matrix = pattern @ np.array([[1, 0.99], [0.99, 1]]) @ pattern.T
    np.fill_diagonal(matrix, 1.0)
    fitted = sl.fit("f =~ a + b + c\ng =~ d + e + h", sample_cov=frame(matrix, "abcdeh"), sample_nobs=300)
    assert fitted.certificate.certified
    correlation = sl.model_implied(fitted)["cor_lv"].loc["f", "g"]
    assert correlation == pytest.approx(0.99, abs=1e-8)


def test_correlation_above_one_is_improper():
    matrix = np.full((6, 6), 0.35) + np.eye(6) * 0.65
    matrix[:3, 3:] = matrix[3:, :3] = 0.45
    with pytest.warns(ImproperSolutionWarning):
        fitted = sl.fit("f =~ a + b + c\ng =~ d + e + h", sample_cov=frame(matrix, "abcdeh"), sample_nobs=300)
    assert {"latent covariance", "standardised above one"} <= codes(fitted)
    problem = next(p for p in fitted.certificate.problems if p.code == "latent covariance")
    assert set(problem.parameters) == {"f", "g"}


def test_loading_beyond_one_beside_a_direct_effect_is_no_fault():
    """Construct and covariate pull the item in opposite directions: its own variance leaves room for both."""
    pattern = np.zeros((4, 2))
    pattern[:3, 0], pattern[2, 1], pattern[3, 1] = [0.8, 0.7, 1.04], -0.5, 1.0
    matrix = pattern @ np.array([[1, 0.6], [0.6, 1]]) @ pattern.T
    np.fill_diagonal(matrix, 1.0)
    fitted = sl.fit("f =~ a + b + c\nf ~ x\nc ~ x", sample_cov=frame(matrix, "abcx"), sample_nobs=300)
    table = sl.estimates(fitted).set_index(["lhs", "op", "rhs"])
    assert table.loc[("f", "=~", "c"), "std_all"] == pytest.approx(1.04, abs=1e-6)
    assert fitted.certificate.certified


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("f =~ a + b\ng =~ c + d + e\nf ~~ 0*g", "f =~ b"),
        ("f =~ NA*a + b + c", "f"),
        ("f =~ a + b + c + d\nf ~ e\ne ~ f", ""),
    ],
)
def test_unidentified_whatever_the_data(model, named):
    generator = np.random.default_rng(4)
    factor = generator.normal(size=(200, 1))
    data = pd.DataFrame(factor + generator.normal(size=(200, 5)), columns=list("abcde"))
    with pytest.raises(SpecificationError, match="not identified") as caught:
        sl.fit(model, data)
    assert named in str(caught.value)


def test_too_many_parameters_are_counted():
    with pytest.raises(SpecificationError, match=r"4 parameters, but only 3 sample moments"):
        sl.fit("f =~ a + b", sample_cov=frame(np.array([[1, 0.5], [0.5, 1]]), "ab"), sample_nobs=100)


def test_a_disturbance_fixed_at_zero_is_not_a_fault(halo):
    model = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nG =~ A + B + C\nA ~~ 0*A"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = sl.fit(model, halo)
    assert fitted.certificate.certified


def test_the_summary_states_what_was_checked(chain, chain_model):
    fitted = sl.fit(chain_model, chain)
    first = str(fitted).splitlines()[0]
    assert first.startswith("Certified")
    assert fitted.certificate.decrement < 1e-8
    assert fitted.certificate.condition > 1e-10
    assert fitted.certificate.rescaled_difference < 1e-8
