"""What is computed from fits of ordinal items with covariates: held to lavaan, or to the definition."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import block_diag

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, ImproperSolutionWarning, NotSupported
from sem_loyalty.inference.refitting import _moments
from sem_loyalty.inference.uncertainty import maximum, ordinal_parts
from sem_loyalty.publish.results import headline, index_kind

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "conditional.json").read_text(encoding="utf-8"))
CASES, DIFFERENCES = REFERENCE["cases"], REFERENCE["differences"]
ITEMS = REFERENCE["items"]
ECSI = CASES["ecsi"]["options"]["model"]


def survey(*, gaps=False):
    return pd.DataFrame(REFERENCE["gaps" if gaps else "data"])


def fitted_as(options):
    options = dict(options)
    model = options.pop("model")
    arguments = {name.replace(".", "_"): value for name, value in options.items()}
    data = survey(gaps=options.get("missing") == "pairwise")
    return sl.fit(model, data, ordered=[name for name in ITEMS if name in model], **arguments)


@pytest.fixture(scope="module")
def ecsi():
    return fitted_as(CASES["ecsi"]["options"])


@pytest.mark.parametrize("case", sorted(CASES))
def test_modification_indices_are_those_of_lavaan(case):
    found = sl.modification_indices(fitted_as(CASES[case]["options"])).set_index(["lhs", "op", "rhs", "group"])
    compared = 0
    for row in CASES[case]["modification"]:
        if row["op"] == "~*~" and case.endswith("theta"):
            continue  # scales follow from the other parameters there
        if case == "mediator_theta" and row["rhs"] == "s1" and row["lhs"] in ("s1", "sat"):
            continue  # only the path that is fixed at 0.01 tells the scale of s1, so that rounding error shows
        own = found.loc[(row["lhs"], row["op"], row["rhs"], row["group"])]
        # A score is small beside its parts, so lavaan's distance from the minimum, 4e-6 in chi-square, shows.
        assert own["mi"] == pytest.approx(row["mi"], rel=4e-3, abs=4e-3), row
        assert own["epc"] == pytest.approx(row["epc"], rel=4e-3, abs=4e-3), row
        compared += 1
    assert compared >= 1
    assert not set(found.index.get_level_values("lhs")) & {"age", "female"}


@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_differences_are_those_of_lavaan(name):
    expected = DIFFERENCES[name]
    found = sl.likelihood_ratio_test(fitted_as(expected["wide"]), fitted_as(expected["narrow"]))
    row = found.iloc[1]
    assert row["df_diff"] == expected["df"]
    # lavaan's models end some 1e-6 from their minima.
    assert row["chisq_diff"] == pytest.approx(expected["chisq"], rel=1e-4)
    assert row["pvalue"] == pytest.approx(expected["pvalue"], rel=1e-3)


def test_models_with_other_covariates_are_not_nested(ecsi):
    other = sl.fit(ECSI.replace(" + female", "").replace("\ns2 ~ female", ""), survey(), ordered=ITEMS)
    with pytest.raises(ConfigurationError, match="different data or variables"):
        sl.likelihood_ratio_test(ecsi, other)


def test_residuals_are_those_of_the_correlations_given_the_covariates(ecsi):
    found = sl.residuals(ecsi)
    assert list(found.index) == ITEMS
    at = ecsi.point.implied[0]
    given = at.cov[:9, :9] - at.cov[:9, 9:] @ np.linalg.solve(at.cov[9:, 9:], at.cov[9:, :9])
    np.testing.assert_allclose(found, ecsi.moments.ordinal[0].correlation - given, atol=1e-10)
    total = float((np.tril(found) ** 2).sum())
    # As in lavaan, srmr averages over 36 correlations and the variances of 11 variables, covariates among them.
    assert sl.fit_measures(ecsi)["srmr"] == pytest.approx(np.sqrt(total / 47), abs=1e-10)
    standard = sl.residuals(ecsi, type="standardized").to_numpy()
    discrepancy, gammas = ordinal_parts(ecsi)
    J, W = discrepancy.jacobians(maximum(ecsi))[0] @ ecsi.space.basis, np.diag(discrepancy.weights[0])
    left = np.eye(len(J)) - J @ np.linalg.solve(J.T @ W @ J, J.T @ W)
    spread = np.sqrt(np.diagonal(block_diag(left @ gammas[0] @ left.T))[-36:] / 600)
    i, j = np.triu_indices(9, 1)
    np.testing.assert_allclose(standard[i, j], found.to_numpy()[i, j] / spread, rtol=1e-8)
    assert sl.residual_summary(ecsi)["value"][0] == pytest.approx(np.sqrt(total / 45))
    assert list(sl.model_implied(ecsi)["cov"].index) == [*ITEMS, "age", "female"]


def test_indirect_effects_of_covariates_are_products_of_paths(ecsi):
    found = sl.effects(ecsi).to_frame()
    own = sl.estimates(ecsi).set_index(["lhs", "op", "rhs"])["est"]
    route = found[found["route"] == "age -> image -> sat -> loy"].iloc[0]
    expected = own["image", "~", "age"] * own["sat", "~", "image"] * own["loy", "~", "sat"]
    assert route["est"] == pytest.approx(expected, rel=1e-10)
    assert route["se"] > 0


def test_the_bootstrap_takes_covariates_along():
    fitted = fitted_as(CASES["mimic"]["options"])
    drawn = sl.bootstrap(fitted, draws=60, seed=3)
    assert drawn.failed == 0
    spread = np.nanstd(drawn.rows[0], axis=1)
    table = sl.estimates(fitted)
    slopes = np.flatnonzero(table["op"] == "~")
    # Sixty draws know a standard error to some ten per cent.
    np.testing.assert_allclose(spread[slopes], table["se"].iloc[slopes], rtol=0.35)


def test_resamples_of_a_pairwise_fit_keep_its_missing_answers():
    fitted = fitted_as({"model": CASES["mimic"]["options"]["model"], "missing": "pairwise"})
    moments = _moments(fitted, list(fitted.moments.raw))
    assert moments.n == fitted.moments.n == 600
    np.testing.assert_array_equal(moments.ordinal[0].statistics, fitted.moments.ordinal[0].statistics)


def test_wald_tests_and_score_tests_work(ecsi):
    test = sl.wald_test(ecsi, "p == q")
    assert test.df == 1
    assert 0 < test.pvalue < 1
    equal = fitted_as(CASES["groups_equal"]["options"])
    scores = sl.score_tests(equal)
    assert len(scores) > 10
    assert (scores["x2"].dropna() >= 0).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda fitted: sl.factor_scores(fitted, survey()),
        lambda fitted: sl.bootstrap(fitted, draws=10, kind="bollen-stine"),
        sl.reliability,
        sl.validity,
        sl.method_bias,
        sl.equivalent_models,
        lambda fitted: sl.compare(fitted, fitted),
        lambda fitted: sl.vuong_test(fitted, fitted),
        lambda fitted: sl.export_model(fitted, to="semopy"),
        lambda fitted: sl.residuals(fitted_as(CASES["mixed"]["options"]), type="standardized"),
    ],
)
def test_what_ordinal_items_do_not_have_is_said_with_covariates_too(ecsi, call):
    with pytest.raises(NotSupported):
        call(ecsi)


def test_scores_residuals_and_drivers_keep_to_their_variables(ecsi):
    found = sl.drivers(ecsi, "loy")
    assert {"image", "sat", "female"} == set(found.importance.index)
    with pytest.raises((ConfigurationError, NotSupported)):
        sl.mean_residuals(ecsi)


def test_an_uncertified_fit_is_diagnosed():
    data = survey()
    data["l3"] = np.digitize(data["l1"] + np.random.default_rng(1).normal(0, 0.6, 600), [2.5, 3.5, 4.5])
    with pytest.warns(ImproperSolutionWarning, match="l1 ~~ l1"):
        bad = sl.fit(ECSI, data, ordered=ITEMS)
    found = sl.diagnose(bad)
    assert "l1 ~~ l1" in found.text()
    assert not found.fit.certificate.certified


def test_exports_leave_the_covariates_given(ecsi):
    lavaan, mplus = (str(sl.export_model(ecsi, to=to)) for to in ("lavaan", "mplus"))
    assert "fixed.x = TRUE" in lavaan
    assert "sat ON age*;" in mplus
    assert "[age" not in mplus
    assert "\n  age" not in mplus
    # Mplus knows thresholds of categorical variables, not means.
    assert "[i1*]" not in mplus


def test_pictures_show_the_responses(ecsi, tmp_path):
    sl.correlation_map(ecsi, tmp_path / "map.svg")
    text = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert "s3" in text
    assert "female" not in text
    sl.path_diagram(ecsi, tmp_path / "path.svg")
    assert "female" in (tmp_path / "path.svg").read_text(encoding="utf-8")


def test_reports_read_the_scaled_indices_where_robust_ones_do_not_exist(ecsi):
    measures = sl.fit_measures(ecsi)
    assert np.isnan(measures["cfi_robust"])
    assert index_kind(measures) == "scaled"
    shown = dict(headline(measures, "en"))
    assert shown["CFI (scaled)"].endswith(f"{measures['cfi_scaled']:.3f}"[-4:])
    assert "NaN" not in str(sl.summary(ecsi))


@pytest.mark.parametrize("case", sorted({row["case"] for row in REFERENCE["released"]}))
def test_effects_of_covariates_on_items_are_candidates(case):
    found = sl.modification_indices(fitted_as(CASES[case]["options"])).set_index(["lhs", "op", "rhs"])
    for row in REFERENCE["released"]:
        if row["case"] != case:
            continue
        item, name = row["name"].split("~")
        # As above, lavaan's distance from the minimum shows.
        assert found.loc[(item, "~", name), "mi"] == pytest.approx(row["mi"], rel=4e-3, abs=4e-3), row
    assert found.index.is_unique


def test_the_largest_direct_effect_is_the_one_that_was_simulated():
    found = sl.modification_indices(fitted_as({"model": ECSI.replace("\ns2 ~ female", "")}))
    direct = found[(found["op"] == "~") & found["lhs"].isin(ITEMS) & found["rhs"].isin(["age", "female"])]
    first = direct.iloc[0]
    assert (first["lhs"], first["rhs"]) == ("s2", "female")
    freed = sl.estimates(fitted_as({"model": ECSI})).set_index(["lhs", "op", "rhs"])
    assert first["epc"] == pytest.approx(freed.loc[("s2", "~", "female"), "est"], rel=0.2)
