"""Measurement invariance of ordinal items: lavaan's numbers for Wu and Estabrook's models; what is not testable."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "ordinal_invariance.json").read_text(encoding="utf-8")
)
DATA = pd.DataFrame(REFERENCE["data"])
MODEL = REFERENCE["model"]
MEASURES = {"chisq": "chisq", "df": "df", "pvalue": "pvalue", "cfi": "cfi_scaled", "rmsea": "rmsea_scaled"}
MEASURES |= {"srmr": "srmr"}
TESTS = ["chisq_diff", "df_diff", "pvalue_diff"]
# lavaan stops short of the minimum; chi-squares differ in the fifth decimal.
CLOSE = 1e-4


@pytest.fixture(scope="module")
def held():
    # A rule that lets everything stand: nothing is released.
    return sl.invariance(MODEL, DATA, "region", ordered=True, rule="test", alpha=1e-300)


@pytest.fixture(scope="module")
def searched():
    return sl.invariance(MODEL, DATA, "region", ordered=True, rule="test")


def check(frame, expected, names):
    for step, name in names.items():
        own = frame.loc[name, list(MEASURES)].astype(float)
        np.testing.assert_allclose(own, [expected["measures"][step][key] for key in MEASURES.values()], atol=CLOSE)
        if step != "configural":
            test = frame.loc[name, TESTS].astype(float)
            np.testing.assert_allclose(test, list(expected["tests"][step].values()), atol=CLOSE)


def test_steps_are_those_of_lavaan(held):
    assert held.steps[0].indices == "scaled"
    check(held.to_frame().set_index("step"), REFERENCE["full"], {name: name for name in REFERENCE["full"]["measures"]})


def test_partial_steps_are_those_of_lavaan(searched):
    names = {name: f"partial {name}" for name in ("thresholds", "metric", "scalar", "strict")}
    check(searched.to_frame().set_index("step"), REFERENCE["partial"], names)


def test_the_search_finds_what_differs(searched):
    # The simulation moved the second threshold of y2, the loading of y6 and the intercept of y8.
    assert searched.steps[-1].released == ("y2 | t2", "g =~ y6", "y6 ~ 1", "y8 ~ 1")
    assert searched.level == "partial strict"


def test_latent_means(held):
    expected = REFERENCE["full"]["means"]
    means = held.latent_means.set_index("latent").loc[expected["lhs"]]
    np.testing.assert_allclose(means["mean"], expected["est"], atol=1e-4)
    np.testing.assert_allclose(means["se"], expected["se"], atol=1e-4)
    assert set(means["group"]) == {"south"}


def test_parameterisations_test_the_same(held):
    delta = sl.invariance(MODEL, DATA, "region", ordered=True, rule="test", alpha=1e-300, parameterization="delta")
    assert [step.name for step in delta.steps] == ["configural", "thresholds", "metric", "scalar"]
    columns = ["chisq", "df", "chisq_diff", "df_diff"]
    np.testing.assert_allclose(delta.to_frame()[columns], held.to_frame()[columns][:4], atol=1e-5)


def test_indices_are_named_where_they_are_compared():
    found = sl.invariance(MODEL, DATA, "region", ordered=True, partial=False)
    assert "CFI and RMSEA are scaled ones" in str(found)
    assert found.level == "thresholds"


def test_two_categories_leave_nothing_to_test_before_the_scalar_step():
    data = DATA.assign(**{name: (DATA[name] > 2).astype(int) for name in ("y1", "y2", "y5", "y6", "y7", "y8")})
    data["y3"] = (DATA["y3"] > 1).astype(int)
    found = sl.invariance(MODEL, data, "region", ordered=True, rule="test", alpha=1e-300)
    frame = found.to_frame().set_index("step")
    np.testing.assert_allclose(
        frame.loc[["thresholds", "metric"], "chisq"], frame.loc["configural", "chisq"], atol=1e-6
    )
    assert list(frame["df"]) == [38, 38, 38, 42, 50]
    assert frame.loc["metric", "certified"]
    # Eight thresholds and eight loadings become equal; eight scales, two means and two variances become free.
    assert frame.loc["scalar", "df_diff"] == 4
    assert "Two categories (y1, y2, y3, y4" in " ".join(found.statements)


def test_three_categories_have_no_threshold_to_test():
    data = DATA.assign(**{name: DATA[name].clip(2, 4) for name in ("y1", "y2", "y5", "y6", "y7", "y8")})
    items = {name: np.searchsorted(np.unique(data[name]), data[name]) for name in data.columns[:8]}
    data = data.assign(**{name: np.minimum(codes, 2) for name, codes in items.items()})
    found = sl.invariance("f =~ y1 + y2 + y3\ng =~ y5 + y7 + y8", data, "region", ordered=True)
    frame = found.to_frame().set_index("step")
    assert frame.loc["thresholds", "df"] == frame.loc["configural", "df"]
    assert frame.loc["thresholds", "chisq"] == pytest.approx(frame.loc["configural", "chisq"], abs=1e-6)
    assert "Three categories (y1, y2, y3, y5, y7, y8)" in " ".join(found.statements)


def test_two_thresholds_of_an_item_stay_equal():
    rng = np.random.default_rng(4)
    n = 1500
    group = np.where(np.arange(n) % 2, "b", "a")
    responses = 0.8 * rng.normal(size=(n, 1)) + 0.6 * rng.normal(size=(n, 4))
    cuts = np.array([-1.0, -0.2, 0.6, 1.3])
    data = pd.DataFrame({f"x{j}": np.searchsorted(cuts, responses[:, j]) for j in range(4)}).assign(g=group)
    other = np.searchsorted([-1.0, 0.4, 0.5, 0.9], responses[:, 0])
    data["x0"] = np.where(group == "b", other, data["x0"])
    found = sl.invariance("F =~ x0 + x1 + x2 + x3", data, "g", ordered=True, rule="test", alpha=1e-6)
    released = [name for name in found.steps[-1].released if "|" in name]
    assert 1 <= len(released) <= 2
    assert all(name.startswith("x0 |") for name in released)


def test_ordinal_beside_continuous_items():
    rng = np.random.default_rng(9)
    data = DATA.assign(y5=DATA["y5"] + 0.3 * rng.normal(size=len(DATA)))
    ordered = [f"y{j}" for j in range(1, 9) if j != 5]
    found = sl.invariance(MODEL, data, "region", ordered=ordered, rule="test", alpha=1e-300)
    frame = found.to_frame().set_index("step")
    # Beside the seven of seven ordinal items less y5: y5 adds its loading, its intercept, its residual variance.
    whole = pd.Series({name: entry["df"] for name, entry in REFERENCE["full"]["measures"].items()})
    assert whole["thresholds"] - frame.loc["thresholds", "df"] == 1
    np.testing.assert_array_equal(np.diff(frame["df"])[1:], np.diff(whole)[1:])
    assert frame["certified"].all()


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ConfigurationError, match="strict step needs"):
        sl.invariance(MODEL, DATA, "region", ordered=True, steps=("configural", "strict"), parameterization="delta")
    with pytest.raises(ConfigurationError, match="steps"):
        sl.invariance(MODEL, DATA, "region", steps=("configural", "thresholds"))
    with pytest.raises(ConfigurationError, match="parameterization"):
        sl.invariance(MODEL, DATA, "region", ordered=True, parameterization="gamma")
