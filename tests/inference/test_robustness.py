"""The hypotheses under other defensible choices."""

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError
from sem_loyalty.model.model_file import Hypothesis, Wording

MODEL = "S =~ s1 + s2 + s3 + s4\nT =~ t1 + t2 + t3\nL =~ l1 + l2 + l3\nT ~ S\nL ~ T + S"


def claim(name, path, sign="+"):
    return Hypothesis(name, path, sign, Wording("", ""), (), "")


CLAIMS = [claim("H1", ("S", "T")), claim("H2", ("S", "L"), "-"), claim("H3", ("T", "L"))]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(21)
    n = 500
    age = rng.normal(size=n)
    s = rng.normal(size=n)
    t = 0.6 * s + 0.8 * rng.normal(size=n)
    loyal = 0.4 * t + 0.15 * s + 0.3 * age + 0.8 * rng.normal(size=n)
    blocks = {"s": (s, 4), "t": (t, 3), "l": (loyal, 3)}
    frame = pd.DataFrame(
        {f"{k}{i}": x + 0.7 * rng.normal(size=n) for k, (x, many) in blocks.items() for i in range(1, many + 1)}
    )
    frame["age"] = age
    frame.loc[:4, "s1"] += 9.0
    return frame


@pytest.fixture(scope="module")
def found(data):
    return sl.robustness(MODEL, data, hypotheses=CLAIMS, controls=["age"])


def test_every_combination_is_run_once(found):
    # 2 estimators x outliers in or out x 10 items or none x control or none; no answer is missing.
    assert len(found.specifications) == found.possible == 2 * 2 * 11 * 2
    keys = ["estimator", "missing", "excluded", "dropped", "controls"]
    assert not found.specifications.duplicated(keys).any()
    assert set(found.specifications["missing"]) == {"listwise"}
    first = found.specifications.iloc[0]
    assert list(first[keys]) == ["ML", "listwise", "none", "none", "none"]


def test_a_specification_is_the_fit_that_it_names(found, data):
    chosen = found.specifications.query("estimator == 'ML' and dropped == 't2' and controls == 'age'")
    number = int(chosen.query("excluded == 'none'")["specification"].iloc[0])
    text = MODEL.replace("t1 + t2 + t3", "t1 + t3") + "\nT ~ age\nL ~ age"
    expected = sl.estimates(sl.fit(text, data, engine="kernel")).query("lhs == 'L' and rhs == 'T'").iloc[0]
    own = found.results.set_index(["specification", "hypothesis"]).loc[(number, "H3")]
    assert own["std_all"] == pytest.approx(expected["std_all"], abs=1e-9)
    assert own["pvalue"] == pytest.approx(expected["pvalue"], rel=1e-6)


def test_what_survives_and_what_does_not(found):
    table = found.summary().set_index("hypothesis")
    assert table.loc["H1", "supported"] == 1.0
    assert bool(table.loc["H1", "robust"])
    # Expected negative, but positive in truth.
    assert table.loc["H2", "supported"] == 0.0
    assert table.loc["H2", "opposite"] > 0.0
    assert not table.loc["H2", "robust"]
    assert table.loc["H3", "lowest"] <= table.loc["H3", "main"] <= table.loc["H3", "highest"]
    assert len(found.lines()) == 3
    assert "H1 (S -> T): supported in 88 of 88" in found.lines()[0]


def test_outliers_are_left_out(found, data):
    kept = found.specifications.query("excluded == 'outliers'")["n"]
    assert (kept <= len(data) - 5).all()


def test_missing_answers_bring_in_full_information(data):
    rng = np.random.default_rng(3)
    gaps = data.mask((rng.random(data.shape) < 0.05) & (np.array(data.columns) != "age"))
    found = sl.robustness(MODEL, gaps, hypotheses=CLAIMS, drop_items=False, exclude={})
    assert found.specifications["missing"].tolist() == ["listwise", "fiml", "listwise", "fiml"]
    assert found.specifications["n"].iloc[1] == len(data)


def test_workers_change_nothing(data):
    one = sl.robustness(MODEL, data, hypotheses=CLAIMS, estimators=("ML",), exclude={}, most=6)
    two = sl.robustness(MODEL, data, hypotheses=CLAIMS, estimators=("ML",), exclude={}, most=6, workers=2)
    pd.testing.assert_frame_equal(one.results, two.results)


def test_thinning_keeps_the_main_specification_and_its_neighbours(found, data):
    told = []
    thin = sl.robustness(
        MODEL,
        data,
        hypotheses=CLAIMS,
        controls=["age"],
        most=20,
        progress=lambda done, total: told.append((done, total)),
    )
    assert len(thin.specifications) == 20
    assert thin.possible == found.possible
    assert told[-1] == (20, 20)
    # All that differ from the main one in one respect: one estimator, the outliers, ten items, a control.
    assert (thin.specifications["dropped"] != "none").sum() >= 10
    again = sl.robustness(MODEL, data, hypotheses=CLAIMS, controls=["age"], most=20)
    pd.testing.assert_frame_equal(thin.specifications, again.specifications)


def test_a_specification_without_a_solution_is_counted_and_not_judged(data):
    nobody = np.ones(len(data), dtype=bool)
    nobody[:6] = False
    found = sl.robustness(MODEL, data, hypotheses=CLAIMS, drop_items=False, exclude={"nearly all": nobody})
    bad = found.specifications.query("excluded == 'nearly all'")
    assert not bad["certified"].any()
    assert (found.results.set_index("specification").loc[bad["specification"], "verdict"] == "withheld_verdict").all()
    assert (found.summary()["certified"] == len(found.specifications) - len(bad)).all()


def test_paths_of_a_text_are_hypotheses_where_none_are_given(data):
    found = sl.robustness(MODEL, data, drop_items=False, estimators=("ML",), exclude={})
    assert [one.id for one in found.hypotheses] == ["T ~ S", "L ~ T", "L ~ S"]
    assert found.summary().set_index("hypothesis").loc["T ~ S", "main_verdict"] == "supported"


def test_what_makes_no_sense_is_refused(data):
    with pytest.raises(ConfigurationError, match="one per row"):
        sl.robustness(MODEL, data, hypotheses=CLAIMS, exclude={"short": [True, False]})
    with pytest.raises(ConfigurationError, match="estimators"):
        sl.robustness(MODEL, data, hypotheses=CLAIMS, estimators=("ML", "MLX"))
    with pytest.raises(ConfigurationError, match="controls"):
        sl.robustness(MODEL, data, hypotheses=CLAIMS, controls=["agee"])
    with pytest.raises(ConfigurationError, match="no hypotheses"):
        sl.robustness("S =~ s1 + s2 + s3", data)
    with pytest.raises(ConfigurationError, match="1 or more"):
        sl.robustness(MODEL, data, hypotheses=CLAIMS, most=0)
