"""Products of constructs, their slopes, and feedback loops: against semTools, by hand, against a population."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError, SpecificationError
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.model.syntax import parse

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "products.json").read_text(encoding="utf-8"))
DATA = pd.DataFrame(REFERENCE["data"])
A, B = ["a1", "a2", "a3"], ["b1", "b2", "b3"]
FACTORS = "f =~ a1 + a2 + a3\ng =~ b1 + b2 + b3\nh =~ y1 + y2 + y3\nh ~ f + g + fxg\n"
# The reference is printed with 15 digits; sums of 400 products lose a few.
CELL = 1e-10


@pytest.fixture(scope="module")
def fitted() -> Fit:
    products = {"fxg": (A, B)}
    data = sl.product_indicators(DATA, products)
    return sl.fit(FACTORS + sl.product_syntax(products), data)


# Columns and model text


@pytest.mark.parametrize("method", ["double-mean-centred", "mean-centred", "residual-centred"])
@pytest.mark.parametrize("matched", [True, False])
def test_columns_are_those_of_semtools(method: str, matched: bool) -> None:
    made = sl.product_indicators(DATA, {"fxg": (A, B)}, method=method, matched=matched)
    there = REFERENCE["columns"][f"{method} {'matched' if matched else 'all'}"]
    assert set(made.columns[9:]) == set(there)
    pd.testing.assert_frame_equal(made[list(DATA.columns)], DATA)
    for name, column in there.items():
        np.testing.assert_allclose(made[name][:25], column, atol=CELL)


def test_a_product_is_missing_where_an_item_is() -> None:
    data = DATA.copy()
    data.loc[[2, 39], "a1"] = np.nan
    data.loc[[6, 39, 59], "b2"] = np.nan
    made = sl.product_indicators(data, {"fxg": (A, B)})
    for name, column in REFERENCE["columns"]["holes"].items():
        np.testing.assert_allclose(made[name][:60], np.array(column, dtype=float), atol=CELL)
    residual = sl.product_indicators(data, {"fxg": (A, B)}, method="residual-centred")
    assert residual["a3.b3"].isna().sum() == 4


def test_residual_centred_products_do_not_correlate_with_items() -> None:
    made = sl.product_indicators(DATA, {"fxg": (A, B)}, method="residual-centred", matched=False)
    block = made.corr().loc[A + B, [f"{a}.{b}" for a in A for b in B]]
    assert np.abs(block).to_numpy().max() < 1e-10


def test_the_text_lets_errors_of_shared_items_covary() -> None:
    text = sl.product_syntax({"SS": (A, A), "SW": (A, B)})
    assert text == (
        "SS =~ a1.a1 + a2.a2 + a3.a3\nSW =~ a1.b1 + a2.b2 + a3.b3\na1.a1 ~~ a1.b1\na2.a2 ~~ a2.b2\na3.a3 ~~ a3.b3\n"
    )
    everything = parse(sl.product_syntax({"SW": (A, B)}, matched=False, orthogonal=["f", "g"]))
    pairs = [(s.lhs, s.rhs.name) for s in everything.statements if s.op == "~~" and "." in s.lhs]
    # Nine products; each shares an item with two others by row and two by column.
    assert len(pairs) == 9 * 4 / 2
    assert all(set(one.split(".")) & set(other.split(".")) for one, other in pairs)
    assert [s.rhs.name for s in everything.statements if s.lhs == "SW" and s.op == "~~"] == ["f", "g"]
    squares = parse(sl.product_syntax({"SS": (A, A)}, matched=False))
    assert [s.rhs.name for s in squares.statements if s.op == "=~"] == [
        "a1.a1", "a1.a2", "a1.a3", "a2.a2", "a2.a3", "a3.a3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("products", "arguments", "error", "expected"),
    [
        ({"P": (A, B[:2])}, {}, SpecificationError, "3 and 2 items cannot be matched"),
        ({"P": (A, ["a3", "b1", "b2"])}, {}, SpecificationError, "share a3"),
        ({"P": (["a1", "a1"], B[:2])}, {}, SpecificationError, "each named once"),
        ({"P": (["a11"], ["b1"])}, {}, DataError, "Did you mean 'a1'"),
        ({"P": (A, B)}, {"method": "centred"}, ConfigurationError, "is not one of"),
        ("core", {}, SpecificationError, "has no products"),
    ],
)
def test_products_that_cannot_be_made(
    products: object, arguments: dict[str, str], error: type[Exception], expected: str
) -> None:
    with pytest.raises(error, match=expected):
        sl.product_indicators(DATA, products, **arguments)  # type: ignore[arg-type]


def test_a_product_that_is_there_already_is_not_overwritten() -> None:
    made = sl.product_indicators(DATA, {"P": (A, B)})
    with pytest.raises(DataError, match=r"'a1\.b1' already"):
        sl.product_indicators(made, {"P": (A, B)})
    with pytest.raises(DataError, match="a1 is not numeric"):
        sl.product_indicators(DATA.assign(a1="often"), {"P": (A, B)})


# Slopes


@pytest.mark.parametrize("method", ["double-mean-centred", "residual-centred"])
def test_estimates_are_those_of_lavaan(method: str) -> None:
    there = REFERENCE["slopes"][method]
    products = {"fxg": (A, B)}
    orthogonal = ["f", "g"] if method == "residual-centred" else []
    fit = sl.fit(
        FACTORS + sl.product_syntax(products, orthogonal=orthogonal),
        sl.product_indicators(DATA, products, method=method),
    )
    rows = sl.estimates(fit).query("op == '~'").set_index("rhs")
    # lavaan stops at a relative change of 1e-10 in the discrepancy: six digits of the estimates.
    np.testing.assert_allclose(rows.loc[there["estimates"]["rhs"], "est"], there["estimates"]["est"], rtol=1e-5)
    np.testing.assert_allclose(rows.loc[there["estimates"]["rhs"], "se"], there["estimates"]["se"], rtol=1e-5)
    assert fit.chisq == pytest.approx(there["chisq"], rel=1e-6)


def test_simple_slopes_are_those_of_semtools(fitted: Fit) -> None:
    there = REFERENCE["slopes"]["double-mean-centred"]["slopes"]
    here = sl.simple_slopes(fitted, "h", "f", "g", values=there["g"])
    for ours, theirs in (("slope", "est"), ("se", "se"), ("z", "z")):
        np.testing.assert_allclose(here[ours], there[theirs], rtol=2e-5)
    np.testing.assert_allclose(here["pvalue"], there["pvalue"], rtol=1e-3, atol=1e-15)


def test_slopes_at_one_standard_deviation_by_default(fitted: Fit) -> None:
    slopes = sl.simple_slopes(fitted, "h", "f", "g")
    variance = sl.estimates(fitted).query("lhs == 'g' and op == '~~' and rhs == 'g'")["est"].iloc[0]
    np.testing.assert_allclose(slopes["value"], np.sqrt(variance) * np.array([-1, 0, 1]))
    assert slopes["in_sd"].tolist() == [-1.0, 0.0, 1.0]
    assert slopes["slope"].is_monotonic_decreasing
    swapped = sl.simple_slopes(fitted, "h", "g", "f", values=[0.0])
    row = sl.estimates(fitted).query("lhs == 'h' and rhs == 'g'").iloc[0]
    assert swapped.loc[0, "slope"] == pytest.approx(row["est"])
    assert swapped.loc[0, "ci_upper"] == pytest.approx(row["ci_upper"])


def test_the_slope_is_just_significant_at_the_bounds(fitted: Fit) -> None:
    region = sl.johnson_neyman(fitted, "h", "f", "g")
    assert len(region.bounds) == 2
    at = sl.simple_slopes(fitted, "h", "f", "g", values=region.bounds)
    np.testing.assert_allclose(at["pvalue"], 0.05, rtol=1e-9)
    middle, below = np.mean(region.bounds), region.bounds[0] - 0.5
    p = sl.simple_slopes(fitted, "h", "f", "g", values=[middle, below])["pvalue"]
    assert (p[0] < 0.05) == region.inside != (p[1] < 0.05)
    band = region.band
    inside = band["value"].between(*region.bounds)
    assert (band["significant"] == (inside == region.inside)).all()
    excludes = (band["ci_lower"] > 0) | (band["ci_upper"] < 0)
    assert (excludes == band["significant"]).all()
    assert "differs from zero (p < 0.05) outside" in str(region)


def test_the_expected_outcome_has_the_simple_slopes_and_no_mean(fitted: Fit) -> None:
    found = sl.johnson_neyman(fitted, "h", "f", "g", product="fxg")
    slopes = sl.simple_slopes(fitted, "h", "f", "g", product="fxg")["slope"]
    for in_sd, slope in zip((-1, 0, 1), slopes, strict=True):
        line = found.expected[found.expected["in_sd"] == in_sd]
        gradient = np.diff(line["outcome"]) / np.diff(line["value"])
        np.testing.assert_allclose(gradient, slope, rtol=1e-8)
        assert line["value"].max() == pytest.approx(2 * found.predictor_sd)
    # The product has the mean cov(f, g), which the outcome's mean takes in.
    b = {row.rhs: fitted.theta[row.free] for row in fitted.specification.parameters if row.op == "~"}
    middle = found.expected[(found.expected["in_sd"] == 0) & (found.expected["value"].abs() < 1e-12)]
    cov = sl.estimates(fitted).query("lhs == 'f' and op == '~~' and rhs == 'g'")["est"].item()
    assert float(middle["outcome"].iloc[0]) == pytest.approx(-b["fxg"] * cov, abs=1e-8)


def test_a_slope_may_be_significant_nowhere() -> None:
    # Outcomes of other respondents: no effect at all.
    data = DATA.copy()
    data[["y1", "y2", "y3"]] = np.roll(DATA[["y1", "y2", "y3"]].to_numpy(), 137, axis=0)
    products = {"fxg": (A, B)}
    fit = sl.fit(FACTORS + sl.product_syntax(products), sl.product_indicators(data, products))
    region = sl.johnson_neyman(fit, "h", "f", "g", level=0.999)
    assert region.bounds == ()
    assert not region.inside
    assert not region.band["significant"].any()
    assert str(region) == "The slope differs from zero (p < 0.001) nowhere."


def test_slopes_name_what_is_missing(fitted: Fit) -> None:
    with pytest.raises(SpecificationError, match="Nothing explains 'hh'"):
        sl.simple_slopes(fitted, "hh", "f", "g")
    with pytest.raises(SpecificationError, match="no path fxf -> h"):
        sl.simple_slopes(fitted, "h", "f")
    with pytest.raises(SpecificationError, match="no path ff -> h"):
        sl.simple_slopes(fitted, "h", "ff", "g", product="fxg")
    with pytest.raises(ConfigurationError, match=r"level=1\.0"):
        sl.simple_slopes(fitted, "h", "f", "g", level=1.0)


def test_the_satisfaction_trap_is_recovered_with_its_curve() -> None:
    trap = sl.load_model("satisfaction_trap")
    assert trap.population is not None
    data = sl.product_indicators(sl.simulate(trap, 20_000, seed=3, categories=None), trap)
    fit = sl.fit(trap, data, estimator="MLR")
    rows = sl.estimates(fit).query("op == '~'").set_index("rhs")
    sd = np.sqrt([fit.point.implied[0].total[i, i] for i in range(len(fit.point.implied[0].total))])
    at = dict(zip((*fit.specification.observed, *fit.specification.latent), sd, strict=True))
    for (cause, outcome), truth in trap.population.paths.items():
        factors = trap.products.get(cause, (cause,))
        # From the units of the markers to standardised factors.
        unit = np.prod([at[name] for name in factors]) / at[outcome]
        assert abs(rows.loc[cause, "est"] * unit - truth) < 4 * rows.loc[cause, "se"] * unit, cause
    # Slope of the curve: d LOY / d SAT = b + 2 q SAT.
    curve = sl.simple_slopes(fit, "LOY", "SAT", values=[1.0])
    assert curve.loc[0, "slope"] == pytest.approx(rows.loc["SAT", "est"] + 2 * rows.loc["SATxSAT", "est"])
    moderated = sl.simple_slopes(fit, "LOY", "SAT", "SWC")
    assert moderated["slope"].is_monotonic_decreasing


# Feedback


def test_the_stability_index_is_the_largest_eigenvalue() -> None:
    data = sl.simulate("reciprocal", seed=2, categories=None)
    fit = sl.fit("reciprocal", data)
    rows = sl.estimates(fit)
    loop = rows.query("lhs == 'loop'")["est"].iloc[0]
    # Of [[0, b], [c, 0]]: the square root of |b c|.
    index = sl.stability_index(fit)
    assert index.tolist() == [pytest.approx(np.sqrt(abs(loop)))]
    assert index.iloc[0] < 1
    assert sl.stability_index(sl.fit("core", sl.simulate("core", seed=1))).tolist() == [0.0]


@pytest.mark.parametrize(
    ("text", "excluded", "rank", "identified"),
    [
        # Each equation leaves out the other's instrument.
        ("y1 ~ y2 + x1\ny2 ~ y1 + x2", [1, 1], [1, 1], [True, True]),
        # y2 leaves nothing out.
        ("y1 ~ y2 + x1\ny2 ~ y1 + x1 + x2", [1, 0], [1, 0], [True, False]),
        ("y1 ~ y2\ny2 ~ y1", [0, 0], [0, 0], [False, False]),
        # Order holds for y3, but no other equation has what it leaves out in independent ways.
        ("y1 ~ y2 + x1 + x2\ny2 ~ y1 + y3 + x1 + x2\ny3 ~ y1 + y2", [1, 0, 2], [1, 0, 2], [False, False, True]),
        # Recursive, residuals uncorrelated: nothing needed.
        ("y1 ~ x1\ny2 ~ y1 + x1", [0, 0], [0, 0], [True, True]),
        # A residual covariance along a path takes an instrument.
        ("y1 ~ x1\ny2 ~ y1 + x1\ny1 ~~ y2", [1, 0], [1, 0], [True, False]),
        ("y1 ~ x1\ny2 ~ y1\ny1 ~~ y2", [1, 1], [1, 1], [True, True]),
    ],
)
def test_order_and_rank_conditions(text: str, excluded: list[int], rank: list[int], identified: list[bool]) -> None:
    table = sl.equation_identification(text + "\n")
    assert table["excluded"].tolist() == excluded
    assert table["rank"].tolist() == rank
    assert table["identified"].tolist() == identified
    assert (table["order"] == (table["excluded"] >= table["needed"])).all()


def test_the_rank_condition_sees_what_the_order_condition_does_not() -> None:
    # Fewer instruments than causes that need one.
    text = "y1 ~ y2 + y3\ny2 ~ y1 + x1 + x2\ny3 ~ y1 + y2\n"
    table = sl.equation_identification(text).set_index("equation")
    assert table["order"].to_dict() == {"y1": True, "y2": False, "y3": True}
    assert table.loc["y1", "rank"] == 1
    assert not table["identified"].any()


# What a description of a model adds to the data


def test_declared_products_are_made_by_fit() -> None:
    survey = sl.simulate("satisfaction_trap", 400, seed=4)
    made = sl.fit("satisfaction_trap", survey)
    given = sl.fit(sl.load_model("satisfaction_trap"), sl.product_indicators(survey, "satisfaction_trap"))
    np.testing.assert_array_equal(made.theta, given.theta)
    arrays = {name: survey[name].to_numpy() for name in survey}
    np.testing.assert_array_equal(sl.fit("satisfaction_trap", arrays).theta, given.theta)


def test_products_that_nobody_makes_are_named() -> None:
    survey = sl.simulate("satisfaction_trap", 200, seed=4)
    with pytest.raises(DataError, match=r"product_indicators makes the products of items \(sat1.sat1; sat2.sat2"):
        sl.fit(sl.load_model("satisfaction_trap").text, survey)
    some = sl.product_indicators(survey, "satisfaction_trap").drop(columns="sat1.sat1")
    with pytest.raises(DataError, match=r"but not sat1\.sat1"):
        sl.fit("satisfaction_trap", some)


def test_a_study_makes_products_after_screening(tmp_path: Path) -> None:
    survey = sl.simulate("satisfaction_trap", 400, seed=4)
    survey.loc[:3] = 4  # one answer in a row throughout: screened out, so they must not move the centres
    survey.to_csv(tmp_path / "answers.csv", index=False)
    (tmp_path / "study.toml").write_text(
        '[data]\npath = "answers.csv"\n[screen.rules]\nlongstring = 10\n[model]\nid = "satisfaction_trap"\n'
        '[efa]\nrun = false\n[output]\ndir = "out"\nformats = ["csv"]\n',
        encoding="utf-8",
    )
    results = sl.run(tmp_path / "study.toml")
    assert results.fit.moments.n == 396
    np.testing.assert_allclose(results.fit.theta, sl.fit("satisfaction_trap", survey.loc[4:]).theta, rtol=1e-12)
    assert any("double-mean-centred" in note and "sat1.swc1" in note for note in results.notes)


@pytest.mark.parametrize("gone", ["absent", "empty"])
def test_a_survey_missing_from_a_panel_is_named(gone: str) -> None:
    panel = sl.simulate("panel", 200, seed=2)
    second = [name for name in panel if name.endswith("_2")]
    partial = panel.drop(columns=second) if gone == "absent" else panel.assign(**dict.fromkeys(second, np.nan))
    for missing in ("listwise", "fiml"):
        with pytest.raises(DataError, match=r"over 3 surveys.*no answers to the second survey \(crm1_2; crm2_2"):
            sl.fit("panel", partial, missing=missing)
    one = panel.drop(columns="loy3_2")
    with pytest.raises(DataError, match="Item not in the data: 'loy3_2'"):
        sl.fit("panel", one)
