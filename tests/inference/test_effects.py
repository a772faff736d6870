"""Effects against lavaan's defined parameters, against draws, and against hand-made graphs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, ImproperSolutionWarning, SpecificationError
from sem_loyalty.inference.routes import Structure

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "effects.json").read_text(encoding="utf-8"))
DATA = pd.DataFrame(REFERENCE["recursive"]["data"])


@pytest.fixture(scope="module")
def fitted():
    return sl.fit(REFERENCE["recursive"]["model"], DATA, engine="kernel")


@pytest.fixture(scope="module")
def drawn(fitted):
    return sl.bootstrap(fitted, draws=400, seed=3, progress=False)


def named(found):
    frame = found.to_frame()
    frame.index = pd.Index([effect.name for effect in found.effects])
    return frame


@pytest.mark.parametrize("which", ["recursive", "feedback"])
def test_lavaan_finds_the_same_effects(which):
    reference = REFERENCE[which]
    frame = named(sl.effects(sl.fit(reference["model"], pd.DataFrame(reference["data"]), engine="kernel")))
    # lavaan stops its optimiser some 1e-5 before the minimum.
    found = frame.loc[reference["names"], ["est", "se", "std_all", "std_se"]].to_numpy()
    expected = np.array([reference[key] for key in ("est", "se", "std", "std_se")]).T
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_a_total_is_the_sum_of_its_parts(fitted):
    frame = sl.effects(fitted).to_frame()
    for (_, _), rows in frame.groupby(["cause", "outcome"]):
        for column in ("est", "std_all"):
            by_kind = rows.groupby("kind")[column].sum()
            assert by_kind["total"] == pytest.approx(by_kind.get("direct", 0) + by_kind.get("specific indirect", 0))
            assert by_kind.get("total indirect", 0) == pytest.approx(by_kind.get("specific indirect", 0))


def test_draws_give_the_intervals_of_the_same_defined_parameter(fitted, drawn):
    text = REFERENCE["recursive"]["model"] + "chain := a*b*e\nwhole := g + a*f + c*e + a*b*e"
    written = sl.bootstrap(sl.fit(text, DATA, engine="kernel"), draws=400, seed=3, progress=False)
    for interval in ("bca", "percentile", "basic"):
        expected = written.estimates(interval=interval).set_index("lhs").loc[["chain", "whole"]]
        found = named(sl.effects(fitted, drawn, interval=interval)).loc[["S -> T -> V -> L", "total: S -> L"]]
        columns = ["est", "se", "pvalue", "ci_lower", "ci_upper"]
        np.testing.assert_allclose(found[columns].to_numpy(), expected[columns].to_numpy(dtype=float), atol=1e-8)


def test_standardised_intervals_come_from_the_same_draws(fitted, drawn):
    found = named(sl.effects(fitted, drawn))
    direct = drawn.estimates(solution="std_all").query("op == '~' and lhs == 'L' and rhs == 'V'").iloc[0]
    row = found.loc["V -> L"].iloc[0] if isinstance(found.loc["V -> L"], pd.DataFrame) else found.loc["V -> L"]
    assert row["std_ci_lower"] == pytest.approx(direct["ci_lower"], abs=1e-10)
    assert row["std_ci_upper"] == pytest.approx(direct["ci_upper"], abs=1e-10)


def test_kinds_of_mediation():
    rng = np.random.default_rng(4)
    n = 3000
    x = rng.normal(size=n)
    m1, m2 = 0.5 * x + rng.normal(size=n), 0.5 * x + rng.normal(size=n)
    data = pd.DataFrame(
        {
            "x": x,
            "m1": m1,
            "both": 0.5 * m1 + 0.4 * x + rng.normal(size=n),
            "against": 0.5 * m1 - 0.4 * x + rng.normal(size=n),
            "only": 0.5 * m1 + rng.normal(size=n),
            "m2": m2,
            "direct": 0.5 * x + rng.normal(size=n),
            "nothing": rng.normal(size=n),
        }
    )
    expected = {"both": "complementary", "against": "competitive", "only": "indirect-only"}
    expected |= {"direct": "direct-only", "nothing": "none"}
    for outcome, kind in expected.items():
        found = sl.effects(sl.fit(f"m1 ~ x\n{outcome} ~ m1 + x", data, engine="kernel"))
        row = found.mediation(alpha=0.001).iloc[0]
        assert row["mediation"] == kind, outcome
        assert np.isnan(row["share"]) == (row["direct"] * row["indirect"] <= 0)
    left_out = sl.effects(sl.fit("m1 ~ x\nonly ~ m1", data, engine="kernel")).mediation()
    assert left_out["mediation"].tolist() == ["indirect-only (no direct path in the model)"]


def test_contrasts_of_routes_and_of_groups(fitted, drawn):
    found = sl.effects(fitted, drawn).contrasts().set_index(["first", "second"])
    row = found.loc[("S -> T -> L", "S -> V -> L")]
    text = REFERENCE["recursive"]["model"] + "difference := a*f - c*e"
    expected = sl.estimates(sl.fit(text, DATA, engine="kernel")).set_index("lhs").loc["difference"]
    assert row["difference"] == pytest.approx(expected["est"], abs=1e-7)
    delta = sl.effects(fitted).contrasts().set_index(["first", "second"]).loc[("S -> T -> L", "S -> V -> L")]
    assert delta["se"] == pytest.approx(expected["se"], abs=1e-7)
    halves = DATA.assign(half=np.where(np.arange(len(DATA)) % 2, "odd", "even"))
    several = sl.fit("S =~ s1 + s2 + s3\nT =~ t1 + t2 + t3\nT ~ S", halves, group="half", engine="kernel")
    found = sl.effects(several).contrasts()
    assert found["first"].tolist()[0] == "S -> T [even]"
    slopes = sl.estimates(several).query("op == '~'")["est"].to_numpy()
    assert found["difference"].iloc[0] == pytest.approx(slopes[0] - slopes[1])


def test_cause_and_outcome_choose(fitted):
    frame = sl.effects(fitted, cause="S", outcome="L").to_frame()
    assert set(frame["cause"]) == {"S"}
    assert set(frame["outcome"]) == {"L"}
    assert (frame["kind"] == "specific indirect").sum() == 3


def test_feedback_that_does_not_die_out_has_no_totals():
    graph = Structure(1, ("a", "b"), {(0, 1): 0, (1, 0): 1})
    assert not graph.recursive
    values = np.array([[0.5, 2.0], [0.5, 0.6]])
    spread = graph.spread(values)
    np.testing.assert_allclose(spread[0], np.array([[1.0, 0.5], [0.5, 1.0]]) / 0.75)
    assert np.isnan(spread[1]).all()


def test_many_routes_are_found_in_order_of_length():
    edges = {(i, j): k for k, (i, j) in enumerate((i, j) for i in range(5) for j in range(i + 1, 5))}
    routes = Structure(1, tuple("abcde"), edges).routes(0, 4)
    assert len(routes) == 8
    assert [len(route) for route in routes] == sorted(len(route) for route in routes)


def test_what_makes_no_sense_is_refused(fitted, drawn):
    with pytest.raises(SpecificationError, match="no regressions"):
        sl.effects(sl.fit("S =~ s1 + s2 + s3", DATA, engine="kernel"))
    with pytest.raises(SpecificationError, match="'LL' is in no regression"):
        sl.effects(fitted, cause="LL")
    with pytest.raises(ConfigurationError, match="interval"):
        sl.effects(fitted, drawn, interval="wild")
    with pytest.raises(ConfigurationError, match="level"):
        sl.effects(fitted, level=1.5)
    other = sl.fit(REFERENCE["recursive"]["model"] + "T ~~ 0*V", DATA, engine="kernel")
    with pytest.raises(ConfigurationError, match="another fit"):
        sl.effects(other, drawn)


def test_effects_of_a_fit_that_is_not_certified_say_so():
    rng = np.random.default_rng(1)
    small = DATA.iloc[:25] + 3.0 * rng.normal(size=(25, DATA.shape[1]))
    with pytest.warns(ImproperSolutionWarning):
        fit = sl.fit(REFERENCE["recursive"]["model"], small, engine="kernel")
    found = sl.effects(fit)
    assert str(found).startswith("NOT CERTIFIED")
    assert found.to_frame().attrs["certified"] is False
