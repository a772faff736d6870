"""Validity: Fornell-Larcker, HTMT against semTools, cross-loadings against lavaan, verdicts, edge cases."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.fitting.fit import fit
from sem_loyalty.measurement.htmt import heterotrait_monotrait
from sem_loyalty.measurement.reliability import reliability
from sem_loyalty.measurement.validity import loading_verdict, validity

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "reliability.json").read_text(encoding="utf-8"))
SURVEYS = {name: pd.DataFrame(entry["rows"], columns=entry["items"]) for name, entry in REFERENCE["surveys"].items()}
CASES = REFERENCE["cases"]
EXACT = 1e-9
FIRST = [range(4), range(4, 7), range(7, 9)]
QUALITY = [range(3), range(3, 6), range(6, 9), range(9, 12)]


def correlations(name):
    return SURVEYS[name].corr().to_numpy()


@pytest.fixture(scope="module")
def found():
    names = ("plain", "cross", "paths", "second")
    return {
        name: validity(fit(CASES[name]["model"], SURVEYS[CASES[name]["survey"]], engine="kernel")) for name in names
    }


def test_htmt_agrees_with_semtools():
    ref = REFERENCE["htmt"]
    for absolute, key in ((True, "htmt"), (False, "signed")):
        ratios = heterotrait_monotrait(correlations("first"), FIRST, absolute=absolute)
        np.testing.assert_allclose(ratios.values, ref["first"][key], atol=EXACT)
    np.testing.assert_allclose(
        heterotrait_monotrait(correlations("second"), QUALITY).values, ref["second"]["htmt"], atol=EXACT
    )
    squared = heterotrait_monotrait(correlations("second"), QUALITY, geometric=True)
    np.testing.assert_allclose(squared.values, ref["second"]["htmt2"], atol=EXACT)
    assert squared.reasons == {}


def test_htmt2_with_a_negative_correlation_is_nan_with_its_reason():
    ratios = heterotrait_monotrait(correlations("first"), FIRST, geometric=True)
    assert np.isnan(ratios.values[0, 1])
    assert ratios.reasons == dict.fromkeys([(0, 1), (0, 2)], "a correlation is not positive")
    assert 0 < ratios.values[1, 2] < 1
    # without the absolute values a scale can lose all of its mean correlation
    R = np.array([[1, -0.5, 0.2], [-0.5, 1, 0.2], [0.2, 0.2, 1.0]])
    signed = heterotrait_monotrait(R, [[0, 1], [2]], absolute=False)
    assert signed.reasons == {(0, 1): "the mean correlation within a construct is not positive"}


def test_htmt_of_single_items_is_their_correlation():
    R = correlations("first")
    for geometric in (False, True):
        assert heterotrait_monotrait(R, [[4], [7]], geometric=geometric).values[0, 1] == pytest.approx(R[4, 7])
    mixed = heterotrait_monotrait(R, [[4], [7, 8]]).values[0, 1]
    assert mixed == pytest.approx((R[4, 7] + R[4, 8]) / 2 / np.sqrt(R[7, 8]))


@given(seed=st.integers(0, 10_000), r=st.floats(0.05, 0.95))
def test_htmt_finds_the_correlation_of_tau_equivalent_and_htmt2_of_congeneric_constructs(seed, r):
    rng = np.random.default_rng(seed)
    equal = np.repeat(rng.uniform(0.3, 0.9, 2), 3)
    varied = rng.uniform(0.3, 0.9, 6)
    phi = np.array([[1, r], [r, 1]])
    for loading in (equal, varied):
        L = np.zeros((6, 2))
        L[:3, 0], L[3:, 1] = loading[:3], loading[3:]
        R = L @ phi @ L.T
        np.fill_diagonal(R, 1.0)
        blocks = [[0, 1, 2], [3, 4, 5]]
        if loading is equal:
            assert heterotrait_monotrait(R, blocks).values[0, 1] == pytest.approx(r)
        # Roemer et al. (2021): consistent for unequal loadings too
        assert heterotrait_monotrait(R, blocks, geometric=True).values[0, 1] == pytest.approx(r)


def test_fornell_larcker_has_roots_below_them_correlations_and_nothing_above(found):
    for name in ("plain", "paths"):
        frame, ref = found[name].fornell_larcker, CASES[name]
        ave = [ref["ave"][construct] for construct in ref["latent"]]
        np.testing.assert_allclose(np.diag(frame) ** 2, ave, atol=2e-6)
        below = np.tril_indices(3, -1)
        np.testing.assert_allclose(frame.to_numpy()[below], np.array(ref["latent_cor"])[below], atol=2e-5)
        assert np.isnan(frame.to_numpy()[np.triu_indices(3, 1)]).all()


def test_cross_loadings_are_the_structure_coefficients_of_lavaan(found):
    for name, result in found.items():
        np.testing.assert_allclose(result.cross_loadings, CASES[name]["item_latent_cor"], atol=2e-5)
        assert list(result.cross_loadings.index) == CASES[name]["items"]


def test_own_loading_of_a_simple_item_is_its_largest_cross_loading(found):
    result = found["plain"]
    own = result.loadings.set_index("item")
    for item in result.cross_loadings.index:
        at_home = own.at[item, "construct"]
        assert result.cross_loadings.loc[item].abs().idxmax() == at_home
        assert result.cross_loadings.at[item, at_home] == pytest.approx(own.at[item, "loading"])


def test_loadings_agree_with_lavaan_and_a_marker_has_no_test(found):
    ref = [row for row in CASES["plain"]["estimates"] if row["op"] == "=~"]
    frame = found["plain"].loadings
    assert frame["item"].tolist() == [row["rhs"] for row in ref]
    np.testing.assert_allclose(frame["loading"], [row["std.all"] for row in ref], atol=1e-5)
    np.testing.assert_allclose(frame["se"].fillna(0.0), [row["se"] for row in ref], atol=1e-5)
    assert frame.loc[frame["item"] == "IMA1", ["se", "z", "pvalue"]].isna().all(axis=None)
    assert set(frame["verdict"]) <= {"≥ .70", "≥ .50", "< .50"}


def test_verdict_judges_everything_and_names_its_source(found):
    table = found["plain"].verdict
    assert len(table) == 9 + 3 + 3 + 2 * 2 * 3
    by = table.set_index(["criterion", "pair"])
    assert by.loc[("AVE ≥ .50", "Image"), "holds"] is False
    assert by.loc[("AVE ≥ .50", "Image"), "source"] == "Fornell & Larcker, 1981"
    assert by.loc[("HTMT < .85", "Satisfaction ~ Loyalty"), "holds"] is True
    assert by.loc[("HTMT < .85", "Satisfaction ~ Loyalty"), "value"] == pytest.approx(0.69397701341)
    row = by.loc[("HTMT2 < .90", "Image ~ Loyalty")]
    assert (row["holds"], row["reason"]) == (None, "a correlation is not positive")
    row = by.loc[("Fornell-Larcker: |r| < √AVE of both", "Image ~ Satisfaction")]
    frame = found["plain"].fornell_larcker
    assert row["value"] == pytest.approx(abs(frame.at["Satisfaction", "Image"]))
    assert row["threshold"] == pytest.approx(min(frame.at["Image", "Image"], frame.at["Satisfaction", "Satisfaction"]))


def test_two_names_of_one_construct_fail_discriminant_validity():
    rng = np.random.default_rng(2)
    factor = rng.standard_normal((500, 1))
    rows = pd.DataFrame(
        0.6 * factor + 0.8 * rng.standard_normal((500, 6)), columns=["a1", "a2", "a3", "b1", "b2", "b3"]
    )
    table = validity(fit("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3", rows, engine="kernel")).verdict
    by = table.set_index("criterion")["holds"]
    assert by["HTMT < .90"] is False
    assert by["HTMT2 < .85"] is False
    assert by["Fornell-Larcker: |r| < √AVE of both"] is False


def test_second_order_construct_is_not_compared_with_its_own_dimensions(found):
    table = found["second"].verdict.set_index(["criterion", "pair"])
    row = table.loc[("Fornell-Larcker: |r| < √AVE of both", "Tangibles ~ Quality")]
    assert (row["holds"], row["reason"]) == (None, "one is a dimension of the other")
    assert table.loc[("Fornell-Larcker: |r| < √AVE of both", "Quality ~ Satisfaction"), "holds"] is True
    row = table.loc[("HTMT < .85", "Quality ~ Satisfaction")]
    assert (row["holds"], row["reason"]) == (None, "no items of its own")
    np.testing.assert_allclose(
        found["second"].htmt.drop(index="Quality", columns="Quality"), REFERENCE["htmt"]["second"]["htmt"], atol=EXACT
    )


def test_single_item_construct_has_no_ave_but_an_htmt():
    model = "Image =~ IMA1 + IMA2 + IMA4\nSatisfaction =~ 1*SAT1\nSAT1 ~~ 0*SAT1\n"
    fitted = fit(model, SURVEYS["first"], engine="kernel")
    result = validity(fitted)
    assert np.isnan(result.fornell_larcker.at["Satisfaction", "Satisfaction"])
    assert 0 < result.htmt.at["Image", "Satisfaction"] < 1
    table = result.verdict.set_index(["criterion", "pair"])
    assert table.loc[("AVE ≥ .50", "Satisfaction"), "reason"].startswith("single indicator")
    assert np.isnan(reliability(fitted).at["Satisfaction", "ave"])
    assert "Satisfaction" in str(result)


def test_groups_by_number_and_by_label():
    data = SURVEYS["first"].assign(sector=["bank"] * 150 + ["shop"] * 250)
    fitted = fit(CASES["plain"]["model"], data, group="sector")
    second = validity(fitted, group="shop")
    assert second.group == "shop"
    pd.testing.assert_frame_equal(second.htmt, validity(fitted, group=2).htmt)
    rows = data[data["sector"] == "shop"].drop(columns="sector")
    np.testing.assert_allclose(second.htmt, heterotrait_monotrait(rows.corr().to_numpy(), FIRST).values, atol=1e-10)
    with pytest.raises(ConfigurationError, match=r"group='shopp' does not exist.*Did you mean 'shop'"):
        validity(fitted, group="shopp")


@pytest.mark.parametrize(
    ("value", "text"), [(0.7, "≥ .70"), (-0.71, "≥ .70"), (0.6999, "≥ .50"), (0.4, "< .50"), (np.nan, "")]
)
def test_loading_verdict(value, text):
    assert loading_verdict(value) == text


def test_it_reads_well_as_text_and_html(found):
    result = found["plain"]
    text, page = str(result), result._repr_html_()
    assert repr(result) == text
    assert text.startswith("1 of 27 criteria fail.\n  AVE ≥ .50: Image 0.45")
    assert page.count("<table") == 5
    assert [table.id for table in result.tables()] == [
        "validity-loadings", "fornell-larcker", "htmt", "htmt2", "cross-loadings",
    ]  # fmt: skip
    # the upper triangle of a printed matrix is blank
    assert result.tables()[1].cells()[0][2:] == ["", ""]
    assert result.tables()[2].cells()[0] == ["Image", "", "", ""]
