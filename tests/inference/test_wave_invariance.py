"""Measurement invariance over the waves of a panel: lavaan's numbers, known exceptions, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, NotSupported, SpecificationError

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "panel.json").read_text(encoding="utf-8"))
DATA = pd.DataFrame(REFERENCE["data"]).filter(regex="^[a-z]")
MODEL = "\n".join(
    f"{name}_{wave} =~ " + " + ".join(f"{name.lower()}{j}_{wave}" for j in (1, 2, 3))
    for name in ("SAT", "LOY")
    for wave in (1, 2, 3)
)
WAVES = {name: [f"{name}_{wave}" for wave in (1, 2, 3)] for name in ("SAT", "LOY")}
MEASURES = ["chisq", "df", "pvalue", "cfi", "rmsea", "srmr"]
# lavaan stops its optimiser some 1e-5 before the minimum; chi-squares of tests are differences of two such minima.
CLOSE = 5e-4


@pytest.fixture(scope="module")
def found():
    return sl.invariance(MODEL, DATA, waves=WAVES, rule="test", alpha=0.001)


def check(frame, expected, title):
    for name, measures in expected["measures"].items():
        own = frame.loc[title.get(name, name), MEASURES].astype(float)
        np.testing.assert_allclose(own, list(measures.values()), atol=CLOSE)
    for name, test in expected["tests"].items():
        own = frame.loc[title.get(name, name), ["chisq_diff", "df_diff", "pvalue_diff"]].astype(float)
        np.testing.assert_allclose(own, list(test.values()), atol=2 * CLOSE)


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_steps_are_those_of_lavaan(estimator):
    held = sl.invariance(MODEL, DATA, waves=WAVES, rule="test", alpha=1e-300, estimator=estimator)
    check(held.to_frame().set_index("step"), REFERENCE["invariance"][estimator], {})
    if estimator == "ML":
        expected = REFERENCE["invariance"]["ML"]["means"]
        means = held.latent_means.assign(lhs=held.latent_means["latent"] + held.latent_means["group"].str[-2:])
        means = means.assign(lhs=means["lhs"].str.replace(" ", "_")).set_index("lhs").loc[expected["lhs"]]
        np.testing.assert_allclose(means["mean"], expected["est"], atol=1e-4)
        np.testing.assert_allclose(means["se"], expected["se"], atol=1e-4)


def test_the_search_finds_what_differs(found):
    # The simulation moved the loading of sat2 in the third wave and the intercept of loy3 in the second.
    assert found.steps[-1].released == ("SAT_3 =~ sat2_3", "sat2_3 ~ 1", "loy3_2 ~ 1")
    assert found.level == "partial strict"
    assert (found.across, found.groups) == ("waves", ("wave 1", "wave 2", "wave 3"))
    assert "over wave 1, wave 2, wave 3" in str(found)


def test_partial_steps_are_those_of_lavaan(found):
    expected = {
        part: {name: value for name, value in REFERENCE["invariance"]["partial"][part].items() if name != "configural"}
        for part in ("measures", "tests")
    }
    check(
        found.to_frame().set_index("step"),
        expected,
        {name: f"partial {name}" for name in ("metric", "scalar", "strict")},
    )


def test_other_constructs_and_written_covariances_stay():
    text = MODEL + "\nsat1_1 ~~ sat1_2\nsat1_1 ~~ loy1_1"
    one = sl.invariance(text, DATA, waves={"SAT": WAVES["SAT"]}, rule="test", alpha=1e-300)
    # Fifteen items: only those of satisfaction are held equal.
    assert list(one.to_frame()["df_diff"].dropna()) == [4, 4, 6]
    wide = sl.invariance(MODEL, DATA, waves={"SAT": WAVES["SAT"]}, steps=("configural",))
    assert wide.steps[0].fit.df - one.steps[0].fit.df == 1
    assert set(one.latent_means["latent"]) == {"SAT"}


def test_what_makes_no_sense_is_refused():
    for waves, message in (
        ({}, "names no construct"),
        ({"SAT": ["SAT_1", "SAT_4"]}, "no construct 'SAT_4'"),
        ({"SAT": ["SAT_1"]}, "two or more"),
        ({"SAT": ["SAT_1", "SAT_1"]}, "more than once"),
    ):
        with pytest.raises(SpecificationError, match=message):
            sl.invariance(MODEL, DATA, waves=waves)
    with pytest.raises(SpecificationError, match="different numbers"):
        sl.invariance(MODEL + "\nSAT_1 =~ loy1_3", DATA, waves={"SAT": WAVES["SAT"]})
    with pytest.raises(SpecificationError, match="measure one construct"):
        sl.invariance(MODEL + "\nLOY_2 =~ sat1_3", DATA, waves={"SAT": WAVES["SAT"]})
    with pytest.raises(ConfigurationError, match="Give either"):
        sl.invariance(MODEL, DATA)
    with pytest.raises(ConfigurationError, match="Give either"):
        sl.invariance(MODEL, DATA, "g", waves=WAVES)
    with pytest.raises(NotSupported, match="over waves"):
        sl.invariance(MODEL, DATA, waves=WAVES, ordered=True)
