"""Reliability and item analysis: against lavaan, semTools and psych, properties, and edge cases."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sem_loyalty.errors import ConfigurationError, DataError, NotSupported
from sem_loyalty.fitting.fit import fit
from sem_loyalty.measurement.constructs import MeasurementModel, measurement_model
from sem_loyalty.measurement.items import item_analysis, item_statistics
from sem_loyalty.measurement.reliability import (
    alpha_interval,
    average_variance_extracted,
    composite_reliability,
    construct_reliability,
    cronbach_alpha,
    maximal_reliability,
    omega,
    reliability,
    verdict,
)

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "reliability.json").read_text(encoding="utf-8"))
SURVEYS = {name: pd.DataFrame(entry["rows"], columns=entry["items"]) for name, entry in REFERENCE["surveys"].items()}
CASES = REFERENCE["cases"]
EXACT = 1e-9  # the same formula on the same numbers, stored with ten digits
LAVAAN = 2e-6  # lavaan stops its optimiser before ours does


@pytest.fixture(scope="module")
def fits():
    return {name: fit(case["model"], SURVEYS[case["survey"]], engine="kernel") for name, case in CASES.items()}


def from_lavaan(case):
    """Return the measurement model that lavaan estimated."""
    lines = [row for row in case["estimates"] if row["op"] == "=~"]
    constructs, items = tuple(case["latent"]), tuple(case["items"])
    names = [*items, *constructs]
    raw, std = (np.zeros((len(names), len(constructs))) for _ in range(2))
    for row in lines:
        at = names.index(row["rhs"]), constructs.index(row["lhs"])
        raw[at], std[at] = row["est"], row["std.all"]
    p = len(items)
    return MeasurementModel(
        group="",
        n=case["n"],
        constructs=constructs,
        items=items,
        loadings=raw[:p],
        loadings_std=std[:p],
        higher=raw[p:],
        higher_std=std[p:],
        indicates=raw != 0,
        cov=np.array(case["sample_cov"]),
        cov_implied=np.array(case["implied_cov"]),
        cov_latent=np.array(case["latent_cov"]),
        cor_latent=np.array(case["latent_cor"]),
        cor_items=np.array(case["item_latent_cor"]),
    )


# semTools takes an outcome of a second-order construct for one of its dimensions: only the correlated model compares.
def comparable(name, construct):
    return not (name == "second" and construct == "Quality")


@pytest.mark.parametrize("name", CASES)
def test_formulas_agree_with_semtools_on_the_estimates_of_lavaan(name):
    case = CASES[name]
    model = from_lavaan(case)
    for k, construct in enumerate(model.constructs):
        found = construct_reliability(model, k)
        if comparable(name, construct):
            assert found.omega == pytest.approx(case["omega"][construct], abs=EXACT)
            assert found.omega_implied == pytest.approx(case["omega_implied"][construct], abs=EXACT)
        if construct in case["alpha"]:
            assert found.alpha == pytest.approx(case["alpha"][construct], abs=EXACT)


@pytest.mark.parametrize("name", CASES)
def test_reliability_of_a_fit_agrees_with_semtools(name, fits):
    case = CASES[name]
    frame = reliability(fits[name])
    assert list(frame.index) == case["latent"]
    for construct in frame.index:
        if comparable(name, construct):
            assert frame.at[construct, "omega"] == pytest.approx(case["omega"][construct], abs=LAVAAN)
            assert frame.at[construct, "omega_implied"] == pytest.approx(case["omega_implied"][construct], abs=LAVAAN)
        if construct in case["alpha"]:
            assert frame.at[construct, "alpha"] == pytest.approx(case["alpha"][construct], abs=EXACT)
        # semTools leaves constructs with cross-loading items and second-order ones without an AVE
        if case["ave"].get(construct) is not None:
            assert frame.at[construct, "ave"] == pytest.approx(case["ave"][construct], abs=LAVAAN)


def test_the_measurement_model_of_a_fit_is_that_of_lavaan(fits):
    for name, case in CASES.items():
        ours, theirs = measurement_model(fits[name]), from_lavaan(case)
        assert (ours.items, ours.constructs, ours.n) == (theirs.items, theirs.constructs, theirs.n)
        for field in ("loadings_std", "higher_std", "cor_latent", "cor_items", "indicates"):
            np.testing.assert_allclose(getattr(ours, field), getattr(theirs, field), atol=2e-5, err_msg=field)
        np.testing.assert_allclose(ours.cov, theirs.cov, atol=EXACT)


def test_omega_of_a_second_order_construct_does_not_hang_on_arrow_or_covariance(fits):
    by_path, by_covariance = reliability(fits["second"]), reliability(fits["second_cfa"])
    for column in ("omega", "omega_implied", "cr", "ave", "h"):
        np.testing.assert_allclose(by_path[column], by_covariance[column], atol=1e-7)
    assert np.isnan(by_path.at["Quality", "alpha"])
    assert by_path.at["Quality", "note"].startswith("Second-order: no alpha")
    assert by_path.at["Quality", "items"] == 3


@pytest.mark.parametrize("scale", REFERENCE["alphas"])
def test_alpha_its_interval_and_the_items_agree_with_psych(scale):
    ref = REFERENCE["alphas"][scale]
    data = SURVEYS["first"][ref["items"]]
    alpha = cronbach_alpha(data.cov().to_numpy())
    assert alpha == pytest.approx(ref["alpha"], abs=EXACT)
    np.testing.assert_allclose(alpha_interval(alpha, len(ref["items"]), 400), (ref["lower"], ref["upper"]), atol=EXACT)
    frame = item_analysis(data, {scale: ref["items"]})
    for column, key in (("item_total_r", "total_r"), ("item_rest_r", "rest_r"), ("mean", "mean"), ("sd", "sd")):
        np.testing.assert_allclose(frame[column], ref[key], atol=EXACT)
    if ref.get("dropped"):
        np.testing.assert_allclose(frame["alpha_if_dropped"], ref["dropped"], atol=EXACT)
    else:
        assert frame["alpha_if_dropped"].isna().all()


@given(seed=st.integers(0, 10_000), k=st.integers(2, 6), unit=st.floats(0.01, 1000))
def test_properties_of_the_coefficients(seed, k, unit):
    rng = np.random.default_rng(seed)
    loading = rng.uniform(0.2, 0.95, k)
    S = np.outer(loading, loading) + np.diag(1 - loading**2)
    alpha, cr = cronbach_alpha(S), composite_reliability(loading)
    # alpha is a lower bound of reliability for a congeneric scale; H an upper bound over all weights
    assert alpha <= cr + 1e-12
    assert cr <= maximal_reliability(loading) + 1e-12
    assert omega(loading, 1.0, float(S.sum())) == pytest.approx(cr)
    assert average_variance_extracted(loading) <= cr + 1e-12
    # of equal loadings all of them agree, with the formula of Spearman and Brown
    same = np.full(k, loading[0])
    T = np.outer(same, same) + np.diag(1 - same**2)
    brown = k * loading[0] ** 2 / (1 + (k - 1) * loading[0] ** 2)
    for value in (cronbach_alpha(T), composite_reliability(same), maximal_reliability(same)):
        assert value == pytest.approx(brown)
    # units of all items together, order of items
    order = rng.permutation(k)
    assert cronbach_alpha(unit * S[np.ix_(order, order)]) == pytest.approx(alpha)


@given(alpha=st.floats(-1.0, 0.99), k=st.integers(2, 30), n=st.integers(10, 2000))
def test_interval_of_alpha_contains_it_and_grows_with_the_level(alpha, k, n):
    lower, upper = alpha_interval(alpha, k, n)
    wider = alpha_interval(alpha, k, n, level=0.99)
    assert wider[0] < lower < upper < wider[1] < 1.0


def test_interval_of_alpha_has_its_coverage():
    # parallel normal items, for which Feldt's distribution is exact; 2000 samples: standard error .005
    rng = np.random.default_rng(1)
    k, n, true = 4, 60, 4 * 0.4 / (1 + 3 * 0.4)
    hits = 0
    for _ in range(2000):
        rows = np.sqrt(0.4) * rng.standard_normal((n, 1)) + np.sqrt(0.6) * rng.standard_normal((n, k))
        lower, upper = alpha_interval(cronbach_alpha(np.cov(rows, rowvar=False)), k, n)
        hits += lower <= true <= upper
    assert hits / 2000 == pytest.approx(0.95, abs=0.015)


def test_negative_item_is_named_and_never_reversed(fits):
    frame = reliability(fits["plain"])
    assert frame.at["Image", "note"].startswith("Negative loading: IMA3.")
    assert frame.at["Image", "alpha"] == pytest.approx(0.2384152325)
    assert frame.at["Satisfaction", "note"] == ""
    items = item_analysis(fits["plain"]).set_index("item")
    assert "IMA3 correlates negatively" in items.at["IMA3", "note"]
    assert "Alpha is higher without it." in items.at["IMA3", "note"]
    turned = SURVEYS["first"].assign(IMA3=8 - SURVEYS["first"]["IMA3"])
    after = reliability(fit(CASES["plain"]["model"], turned, engine="kernel"))
    assert after.at["Image", "note"] == ""
    assert after.at["Image", "alpha"] == pytest.approx(0.78, abs=0.02)
    assert after.at["Image", "ave"] == pytest.approx(frame.at["Image", "ave"])


def test_cross_loading_item_is_named(fits):
    frame = reliability(fits["cross"])
    for construct in ("Satisfaction", "Loyalty"):
        assert "Loads on another construct too: SAT2" in frame.at[construct, "note"]
    assert frame.at["Loyalty", "items"] == 3
    assert frame.at["Image", "note"].count("another construct") == 0


def test_single_item_has_no_reliability_and_says_why():
    model = "Image =~ IMA1 + IMA2 + IMA4\nSatisfaction =~ 1*SAT1\nSAT1 ~~ 0*SAT1\n"
    frame = reliability(fit(model, SURVEYS["first"], engine="kernel"))
    row = frame.loc["Satisfaction"]
    assert row["items"] == 1
    assert row[["alpha", "alpha_ci_lower", "omega", "omega_implied", "cr", "ave", "h"]].isna().all()
    assert row["verdict"] == ""
    assert row["note"] == "Single indicator: reliability cannot be estimated."


def test_groups_are_kept_apart():
    data = SURVEYS["first"].assign(sector=["bank"] * 150 + ["shop"] * 250)
    frame = reliability(fit(CASES["plain"]["model"], data, group="sector"))
    assert frame.index.names == ["group", "construct"]
    assert len(frame) == 6
    for label, rows in data.groupby("sector"):
        alpha = cronbach_alpha(rows[["SAT1", "SAT2", "SAT3"]].cov().to_numpy())
        assert frame.loc[(label, "Satisfaction"), "alpha"] == pytest.approx(alpha)
        assert frame.loc[(label, "Satisfaction"), "alpha_ci_lower"] == pytest.approx(
            alpha_interval(alpha, 3, len(rows))[0]
        )


def test_a_covariance_matrix_gives_what_its_rows_give(fits):
    rows = SURVEYS["first"]
    by_matrix = fit(CASES["plain"]["model"], sample_cov=rows.cov(), sample_nobs=len(rows), engine="kernel")
    pd.testing.assert_frame_equal(reliability(by_matrix), reliability(fits["plain"]), atol=1e-8)
    assert item_analysis(by_matrix)["mean"].isna().all()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((0.83, 0.84, 0.61), "meets: alpha .83 ≥ .70, CR .84 ≥ .70, AVE .61 ≥ .50"),
        ((0.69, 0.72, 0.4999), "meets: CR .72 ≥ .70; fails: alpha .69 < .70, AVE .4999 < .50"),
        ((np.nan, 0.8, 0.5), "meets: CR .80 ≥ .70, AVE .50 ≥ .50"),
        ((np.nan, np.nan, np.nan), ""),
    ],
)
def test_verdict_says_value_and_rule(values, text):
    assert verdict(*values) == text


def test_what_does_not_exist_is_nan():
    assert np.isnan(cronbach_alpha(np.array([[1.0]])))
    assert np.isnan(cronbach_alpha(np.array([[1.0, -1.0], [-1.0, 1.0]])))
    assert np.isnan(composite_reliability(np.array([0.8, 1.1])))
    assert np.isnan(average_variance_extracted(np.array([0.8])))
    assert np.isnan(maximal_reliability(np.array([0.8, 1.0])))
    assert np.isnan(omega(np.array([0.8, 0.7]), -0.1, 2.0))
    assert all(np.isnan(alpha_interval(np.nan, 3, 100)))
    assert np.isnan(item_statistics(np.array([[1.0, -1.0], [-1.0, 1.0]])).item_total).all()


def test_item_analysis_of_data_drops_and_counts_incomplete_rows():
    data = SURVEYS["first"].astype(float)
    data.iloc[0, 0] = np.nan
    frame = item_analysis(data, {"Image": ["IMA1", "IMA2"], "Single": ["SAT1"]})
    assert frame["n"].tolist() == [399] * 3
    assert frame["note"].iloc[2] == "Single item: no scale to compare it with."
    assert item_analysis(data[["SAT1", "SAT2"]])["construct"].tolist() == ["scale"] * 2


@pytest.mark.parametrize(
    ("scales", "options", "error", "said"),
    [
        ({"Image": "IMA1"}, {}, ConfigurationError, "must be a list"),
        ({"Image": []}, {}, ConfigurationError, "must be a list"),
        ({}, {}, ConfigurationError, "`scales` is empty"),
        ({"Image": ["IMA1", "IMA1"]}, {}, ConfigurationError, "more than once"),
        ({"Image": ["IMA1", "IMA9"]}, {}, DataError, "IMA9"),
        ({"Image": ["IMA1", "IMA2"]}, {"missing": "fiml"}, NotSupported, "listwise"),
    ],
)
def test_item_analysis_refuses_with_the_remedy(scales, options, error, said):
    with pytest.raises(error, match=said):
        item_analysis(SURVEYS["first"], scales, **options)


def test_fit_level_refusals(fits):
    with pytest.raises(ConfigurationError, match=r"level=1\.5"):
        reliability(fits["plain"], level=1.5)
    with pytest.raises(ConfigurationError, match="group=3 does not exist; there are: 1"):
        measurement_model(fits["plain"], 3)
    with pytest.raises(DataError, match="does not contain: SAT9"):
        item_analysis(fits["plain"], {"Satisfaction": ["SAT1", "SAT9"]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        paths_only = fit("SAT1 ~ IMA1 + IMA2", SURVEYS["first"], engine="kernel")
    with pytest.raises(DataError, match="no latent variable with indicators"):
        reliability(paths_only)
