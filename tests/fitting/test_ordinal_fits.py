"""Models of ordinal items, held to lavaan: estimates, errors, tests, measures; and what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError, ImproperSolutionWarning, NotSupported, SpecificationError
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy
from sem_loyalty.kernel.solver import minimise

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "ordinal.json").read_text(encoding="utf-8"))
MODEL = REFERENCE["model"]
ESTIMATORS = sorted(REFERENCE["fits"])
# lavaan 0.6-14 computes these otherwise, or not for this estimator: p-values of statistics that are no chi-square;
# measures that repeat others under another name.
ELSEWHERE = {
    "pvalue", "baseline.pvalue", "rmsea.ci.level", "rmsea.close.h0", "rmsea.notclose.h0", "rmr_nomean",
    "srmr_bentler", "srmr_bentler_nomean", "crmr_nomean", "srmr_mplus", "srmr_mplus_nomean", "cn_05", "cn_01",
    "rmsea.notclose.pvalue.scaled", "rmsea.notclose.pvalue.robust",
}  # fmt: skip


@pytest.fixture(scope="module")
def survey():
    return pd.DataFrame(REFERENCE["samples"]["mixed"]["data"])


@pytest.fixture(scope="module")
def fits(survey):
    return {name: sl.fit(MODEL, survey, ordered=True, estimator=name) for name in ESTIMATORS}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_estimates_and_errors_are_those_of_lavaan(fits, estimator):
    fitted = fits[estimator]
    assert fitted.certificate.certified
    found = sl.estimates(fitted).set_index(["lhs", "op", "rhs"])
    expected = REFERENCE["fits"][estimator]["estimates"]
    assert len(found) == len(expected)
    # lavaan stops some 1e-6 from the minimum; its correlations are 1e-8 from theirs.
    for row in expected:
        own = found.loc[(row["lhs"], row["op"], row["rhs"].replace(" ", ""))]
        for theirs, ours in (("est", "est"), ("se", "se"), ("std.lv", "std_lv"), ("std.all", "std_all")):
            if row["op"] == "~*~" and ours.startswith("std"):
                continue
            assert own[ours] == pytest.approx(row[theirs], abs=2e-5), (row, ours)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_fit_measures_are_those_of_lavaan(fits, estimator):
    found = sl.fit_measures(fits[estimator])
    compared = 0
    for name, value in REFERENCE["fits"][estimator]["measures"].items():
        if name in ELSEWHERE and not (estimator == "WLS" and name.endswith("pvalue")):
            continue
        assert found[name.replace(".", "_")] == pytest.approx(value, rel=1e-5, abs=1e-5), name
        compared += 1
    assert compared > 25


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_modification_indices_are_those_of_lavaan(fits, estimator):
    found = sl.modification_indices(fits[estimator]).set_index(["lhs", "op", "rhs"])
    compared = 0
    for row in REFERENCE["fits"][estimator]["modification"]:
        if row["op"] == "|":
            continue
        own = found.loc[(row["lhs"], row["op"], row["rhs"])]
        # A score is small beside its parts, so lavaan's distance from the minimum shows.
        assert own["mi"] == pytest.approx(row["mi"], rel=2e-3, abs=2e-3), row
        assert own["epc"] == pytest.approx(row["epc"], rel=2e-3, abs=2e-3), row
        compared += 1
    assert compared >= 4


def test_explained_variance_is_that_of_lavaan(fits):
    found = sl.r_squared(fits["WLSMV"]).set_index("variable")["r2"]
    for name, value in REFERENCE["fits"]["WLSMV"]["r2"].items():
        assert found[name] == pytest.approx(value, abs=2e-5)


def test_wlsmv_is_the_default_and_plain_statistics_are_not_tested(survey):
    fitted = sl.fit(MODEL, survey, ordered=list(survey.columns))
    assert fitted.estimator == "WLSMV"
    assert "not a chi-square" in str(fitted)
    assert np.isnan(sl.fit_measures(fitted)["pvalue"])
    with pytest.raises(KeyError):
        sl.fit_measures(fitted)["aic"]


def test_the_answers_may_be_any_numbers_in_the_same_order(survey, fits):
    again = sl.fit(MODEL, survey.map(lambda answer: 3.5 * answer**3 - 20), ordered=True)
    np.testing.assert_array_equal(again.theta, fits["WLSMV"].theta)


def test_unit_latent_variances_are_the_same_model(survey, fits):
    standard = sl.fit(MODEL, survey, ordered=True, std_lv=True)
    assert standard.chisq == pytest.approx(fits["WLSMV"].chisq, abs=1e-9)
    own = sl.estimates(standard).set_index(["lhs", "op", "rhs"])["std_all"]
    other = sl.estimates(fits["WLSMV"]).set_index(["lhs", "op", "rhs"])["std_all"]
    np.testing.assert_allclose(own, other[own.index], atol=1e-8)


def test_a_model_without_degrees_of_freedom_fits_exactly(survey):
    fitted = sl.fit("f =~ y2 + y3 + y4", survey, ordered=True)
    found = sl.fit_measures(fitted)
    assert fitted.certificate.certified
    assert (found["df"], found["cfi_scaled"], found["rmsea_scaled"]) == (0, 1.0, 0.0)
    assert found["chisq"] == pytest.approx(0.0, abs=1e-10)
    assert np.isnan(found["pvalue_scaled"])


def test_a_specification_remembers_that_its_items_are_ordinal(survey, fits):
    again = sl.fit(fits["WLSMV"].specification, survey)
    np.testing.assert_array_equal(again.theta, fits["WLSMV"].theta)
    with pytest.raises(ConfigurationError, match="ordered"):
        sl.fit(fits["WLSMV"].specification, survey, ordered=False)


@pytest.mark.parametrize("estimator", ["WLSMV", "ULSMV", "WLS"])
def test_derivatives_match_differences(fits, estimator):
    fitted = fits[estimator]
    discrepancy = fitted.discrepancy
    assert isinstance(discrepancy, OrdinalDiscrepancy)
    theta = fitted.theta + 0.05 * np.cos(np.arange(len(fitted.theta)))
    for problem in (discrepancy, discrepancy.rescaled(np.linspace(0.5, 2.0, 10))):
        step = 1e-5
        unit = np.eye(len(theta)) * step
        slope = [(problem.evaluate(theta + u).value - problem.evaluate(theta - u).value) / (2 * step) for u in unit]
        point = problem.evaluate(theta)
        # Central differences with this step are good to some 1e-9 of the values involved.
        np.testing.assert_allclose(problem.gradient(point), slope, atol=1e-6 * (1 + abs(point.value)))
        curve = [
            (problem.gradient(problem.evaluate(theta + u)) - problem.gradient(problem.evaluate(theta - u))) / (4 * step)
            for u in unit
        ]
        np.testing.assert_allclose(problem.hessian(point), curve, rtol=1e-6, atol=1e-6 * np.abs(curve).max())


def test_thresholds_left_out_of_the_fit_change_nothing(survey, fits):
    fitted = fits["WLSMV"]
    discrepancy, point = fitted.discrepancy, fitted.point
    assert discrepancy.separable
    theta = fitted.theta + 1e-3 * np.cos(np.arange(len(fitted.theta)))
    whole = minimise(discrepancy, theta)
    np.testing.assert_allclose(whole.point.theta, fitted.theta, atol=1e-10)
    # The same from the derivatives of all statistics.
    gamma, W = fitted.moments.ordinal[0].covariance, np.diag(discrepancy.weights[0])
    (J,) = discrepancy.jacobians(point)
    outer = np.linalg.inv(J.T @ W @ J)
    cover = outer @ J.T @ W @ gamma @ W @ J @ outer / (fitted.moments.n - 1)
    free = sl.estimates(fitted)
    free = free[free["op"] != ":="]["se"].to_numpy()
    position = [row.free for row in fitted.specification.parameters]
    expected = np.where(np.array(position) >= 0, np.sqrt(np.diagonal(cover))[position], 0.0)
    np.testing.assert_allclose(free, expected, rtol=1e-9)
    U = W - W @ J @ outer @ J.T @ W
    product = U @ gamma
    factor = np.sqrt(np.trace(product @ product) / fitted.df)
    assert sl.fit_measures(fitted)["chisq_scaling_factor"] == pytest.approx(factor, rel=1e-9)


def test_written_scales_and_start_values_change_units_only(survey, fits):
    scaled = sl.fit(MODEL + "\ny2 ~*~ 0.8*y2\ny2 | start(3)*t1", survey, ordered=True)
    assert scaled.certificate.certified
    assert scaled.chisq == pytest.approx(fits["WLSMV"].chisq, abs=1e-9)
    found, before = (sl.estimates(fitted).set_index(["lhs", "op", "rhs"]) for fitted in (scaled, fits["WLSMV"]))
    for column in ("est", "se"):
        own, other = (frame.loc[("y2", "|", "t1"), column] for frame in (found, before))
        assert own == pytest.approx(other / 0.8, abs=1e-10)
        own, other = (frame.loc[("f", "=~", "y2"), column] for frame in (found, before))
        assert own == pytest.approx(other / 0.8, abs=1e-7)
    np.testing.assert_allclose(found["std_all"].iloc[:30], before["std_all"].loc[found.index[:30]], atol=1e-7)
    measures = sl.fit_measures(scaled)
    assert measures["chisq_scaled"] == pytest.approx(sl.fit_measures(fits["WLSMV"])["chisq_scaled"], abs=1e-7)


def test_thresholds_tied_by_equations_are_fitted(survey):
    tied = sl.fit(MODEL + "\ny2 | a*t1\ny3 | c*t1\na == c", survey, ordered=True)
    assert tied.certificate.certified
    assert tied.df == sl.fit(MODEL, survey, ordered=True).df + 1
    found = sl.estimates(tied).set_index(["lhs", "op", "rhs"])
    assert found.loc[("y2", "|", "t1"), "est"] == pytest.approx(found.loc[("y3", "|", "t1"), "est"], abs=1e-12)
    assert found.loc[("y2", "|", "t1"), "se"] == pytest.approx(found.loc[("y3", "|", "t1"), "se"], abs=1e-12)
    assert np.isnan(sl.fit_measures(tied)["cfi_robust"])
    equal = sl.fit(MODEL + "\ny2 | a*t1\ny3 | a*t1", survey, ordered=True)
    assert equal.chisq == pytest.approx(tied.chisq, abs=1e-8)
    assert sl.fit_measures(equal)["chisq_scaled"] == pytest.approx(sl.fit_measures(tied)["chisq_scaled"], abs=1e-6)


def test_the_number_of_threads_changes_no_bit(survey, tmp_path):
    survey.to_csv(tmp_path / "survey.csv", index=False)
    script = (
        "import hashlib, sys, numpy as np, pandas as pd, sem_loyalty as sl\n"
        "data = pd.read_csv(sys.argv[1]).assign(group=np.arange(400) % 2)\n"
        "model = 'f =~ y2 + y3 + y4\\ng =~ y5 + y7 + y8'\n"
        "several = {'group': 'group', 'group_equal': ['loadings', 'thresholds']}\n"
        "for more in ({}, {'parameterization': 'theta'}, several):\n"
        "    fitted = sl.fit(model, data, ordered=True, **more)\n"
        "    measures = np.array(list(sl.fit_measures(fitted).values()))\n"
        "    numbers = [fitted.theta, sl.estimates(fitted)['se'], measures, sl.modification_indices(fitted)['mi']]\n"
        "    print(hashlib.sha256(np.concatenate(numbers).tobytes()).hexdigest())\n"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "survey.csv")],
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "OPENBLAS_NUM_THREADS": count, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for count in ("1", "2")
    }
    assert len(seen) == 1
    assert len(seen.pop().split()) == 3


def test_simulated_estimates_cover_the_truth():
    generator = np.random.default_rng(21)
    n, loadings = 4000, np.array([0.8, 0.7, 0.6, 0.75])
    factor = generator.standard_normal((n, 1))
    responses = factor * loadings + generator.standard_normal((n, 4)) * np.sqrt(1 - loadings**2)
    data = pd.DataFrame(np.digitize(responses, [-1.0, 0.2, 1.5]), columns=["a", "b", "c", "d"])
    found = sl.estimates(sl.fit("f =~ a + b + c + d", data, ordered=True, std_lv=True))
    measured = found[found["op"] == "=~"]
    np.testing.assert_array_less(np.abs(measured["est"] - loadings), 3.0 * measured["se"])
    cuts = found[found["op"] == "|"]
    np.testing.assert_array_less(np.abs(cuts["est"] - np.tile([-1.0, 0.2, 1.5], 4)), 3.0 * cuts["se"])


def test_a_loading_beyond_one_is_a_negative_residual_variance():
    generator = np.random.default_rng(3)
    factor = generator.standard_normal((150, 1))
    noise = generator.standard_normal((150, 3))
    responses = factor * [0.99, 0.5, 0.4] + noise * [0.1, 0.85, 0.9]
    responses[:, 2] = 0.3 * factor[:, 0] + noise[:, 2]
    data = pd.DataFrame(np.digitize(responses, [-0.5, 0.7]), columns=["a", "b", "c"])
    with pytest.warns(ImproperSolutionWarning, match="Negative variance: a ~~ a"):
        fitted = sl.fit("f =~ a + b + c", data, ordered=True)
    assert "negative variance" in [problem.code for problem in fitted.certificate.problems]


@pytest.mark.parametrize(
    ("model", "arguments", "error", "message"),
    [
        (MODEL, {"ordered": ["y1", "y22"]}, ConfigurationError, "y22"),
        (MODEL, {"ordered": True, "estimator": "ML"}, NotSupported, "available with `ordered`: 'WLSMV', 'ULSMV'"),
        (MODEL, {"estimator": "WLSMV"}, NotSupported, "give ordered=True"),
        (MODEL, {"ordered": True, "engine": "semopy"}, NotSupported, "ordinal"),
        (MODEL, {"ordered": True, "missing": "fiml"}, NotSupported, "'listwise', 'pairwise'"),
        (MODEL, {"missing": "pairwise"}, NotSupported, "'listwise', 'fiml'"),
        (MODEL, {"ordered": True, "meanstructure": False}, SpecificationError, "thresholds are part"),
        (MODEL, {"ordered": True, "kind": "growth"}, NotSupported, "Growth"),
        (MODEL, {"ordered": True, "parameterization": "beta"}, ConfigurationError, "delta"),
        (MODEL, {"group_equal": "thresholds"}, SpecificationError, "ordinal items"),
        ("f =~ y2 + y3 + y4\nf ~ 1", {"ordered": True}, SpecificationError, "not identified"),
        ("f =~ y2 + y3 + y4\nf ~ y5", {"ordered": ["y2", "y5"]}, NotSupported, "y5: ordinal items as predictors"),
        ("f =~ y2 + y3 + y4\ny2 ~~ 0.5*y2", {"ordered": True}, NotSupported, "residual variance"),
        ("f =~ y2 + y3 + y4\ny2 | t9", {"ordered": True}, SpecificationError, "no threshold t9"),
        ("f =~ y2 + y3 + y4\ny2 | t1", {"ordered": ["y3"]}, NotSupported, "name y2 in `ordered`"),
        ("f =~ y2 + y3 + y4\ny2 ~*~ y2", {"ordered": True, "parameterization": "theta"}, SpecificationError, "theta"),
        ("f =~ y2 + y3 + y4\ny2 ~*~ y3", {"ordered": True}, SpecificationError, "of one item"),
        ("f =~ y2 + y3", {"ordered": True}, SpecificationError, "not identified"),
        ("f =~ y2", {"ordered": True}, SpecificationError, "not identified"),
        ("f =~ y2 + y3 + y4\nh =~ y5\nh ~ f", {"ordered": True}, SpecificationError, "h ~~ h"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(survey, model, arguments, error, message):
    with pytest.raises(error, match=message):
        sl.fit(model, survey, **arguments)


def test_data_that_cannot_be_analysed(survey):
    copied = survey.assign(y3=survey["y2"])
    with pytest.raises(DataError):
        sl.fit("f =~ y2 + y3 + y4", copied, ordered=True)
    nearly = survey.assign(y3=np.where(np.arange(len(survey)) == 7, survey["y2"].max(), survey["y2"]), y9=survey["y2"])
    nearly["y9"] = np.minimum(nearly["y2"], 4)
    with pytest.raises(DataError, match="y2 and y9"):
        sl.fit("f =~ y2 + y9 + y4", nearly, ordered=True)
    with pytest.raises(DataError, match="too many for an ordinal item"):
        sl.fit("f =~ y2 + y3 + y4", survey.assign(y3=np.arange(len(survey)) ** 0.5), ordered=True)
    with pytest.raises(DataError, match="WLSMV"):
        sl.fit(MODEL, survey.head(55), ordered=True, estimator="WLS")


def test_scores_of_ordinal_items_are_refused(survey, fits):
    with pytest.raises(NotSupported, match="MLR"):
        sl.factor_scores(fits["WLSMV"], survey)
    with pytest.raises(NotSupported, match="nonparametric"):
        sl.bootstrap(fits["WLSMV"], draws=10, seed=1, kind="bollen-stine", progress=False)


def test_reliability_of_ordinal_items_is_refused(fits):
    with pytest.raises(NotSupported, match="MLR"):
        sl.reliability(fits["WLSMV"])
    with pytest.raises(NotSupported, match="MLR"):
        sl.validity(fits["WLSMV"])


def test_rows_with_missing_answers_are_left_out(survey):
    holes = survey.astype(float)
    holes.loc[[3, 50], "y2"] = np.nan
    fitted = sl.fit(MODEL, holes, ordered=True)
    assert (fitted.moments.n, fitted.moments.n_collected) == (398, 400)
    np.testing.assert_array_equal(fitted.theta, sl.fit(MODEL, survey.drop([3, 50]), ordered=True).theta)


def test_a_diagram_shows_no_thresholds(fits):
    drawn = str(sl.path_diagram(fits["WLSMV"]))
    assert "t1" not in drawn
