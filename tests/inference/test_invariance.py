"""Measurement invariance and paths between groups: lavaan's numbers, known exceptions, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, ImproperSolutionWarning, SpecificationError
from sem_loyalty.inference.group_paths import holm

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "invariance.json").read_text(encoding="utf-8"))
DATA = pd.DataFrame(REFERENCE["data"])
MODEL = REFERENCE["model"]
MEASURES = ["chisq", "df", "pvalue", "cfi", "rmsea", "srmr"]
# lavaan stops its optimiser some 1e-5 before the minimum; chi-squares of tests are differences of two such minima.
CLOSE = 5e-4


@pytest.fixture(scope="module")
def found():
    return sl.invariance(MODEL, DATA, "g")


@pytest.fixture(scope="module")
def compared():
    return sl.compare_paths(MODEL, DATA, "g")


def rows(invariance, names):
    return invariance.to_frame().set_index("step").loc[names]


@pytest.mark.parametrize(("estimator", "key"), [("ML", "full"), ("MLR", "robust")])
def test_steps_are_those_of_lavaan(estimator, key):
    # A rule that lets everything stand: every step is compared with the one before it, nothing is released.
    invariance = sl.invariance(MODEL, DATA, "g", estimator=estimator, rule="test", alpha=1e-300)
    frame = rows(invariance, list(REFERENCE[key]["measures"]))
    for name, expected in REFERENCE[key]["measures"].items():
        np.testing.assert_allclose(frame.loc[name, MEASURES].astype(float), [expected[m] for m in MEASURES], atol=CLOSE)
    for name, expected in REFERENCE[key]["tests"].items():
        test = frame.loc[name, ["chisq_diff", "df_diff", "pvalue_diff"]].astype(float)
        np.testing.assert_allclose(test, list(expected.values()), atol=2 * CLOSE)


def test_the_search_finds_the_items_that_differ(found):
    released = found.steps[-1].released
    assert released == ("T =~ t2", "t2 ~ 1", "l2 ~ 1")
    assert found.level == "partial strict"
    assert [step.name for step in found.steps] == [
        "configural", "metric (rejected)", "partial metric", "partial scalar (rejected)", "partial scalar",
        "partial strict",
    ]  # fmt: skip


def test_partial_steps_are_those_of_lavaan(found):
    frame = rows(found, ["partial metric", "partial scalar", "partial strict"])
    for name, expected in REFERENCE["partial"]["measures"].items():
        if name != "configural":
            np.testing.assert_allclose(
                frame.loc[f"partial {name}", MEASURES].astype(float), [expected[m] for m in MEASURES], atol=CLOSE
            )
            test = frame.loc[f"partial {name}", ["chisq_diff", "df_diff", "pvalue_diff"]].astype(float)
            expected = REFERENCE["partial"]["tests"][name]
            np.testing.assert_allclose(test, list(expected.values()), atol=2 * CLOSE)


def test_latent_means(found):
    expected = pd.DataFrame(REFERENCE["means"])
    labels = list(dict.fromkeys(DATA["g"]))
    means = found.latent_means.set_index(["latent", "group"])
    for row in expected.to_dict("records"):
        own = means.loc[(row["lhs"], labels[row["group"] - 1])]
        assert own["mean"] == pytest.approx(row["est"], abs=1e-4)
        assert own["se"] == pytest.approx(row["se"], abs=1e-4)
        # Populations have equal means and unit variances: d is the mean up to sampling of the variances.
        assert own["d"] == pytest.approx(own["mean"], abs=0.03)


def test_rules_may_disagree():
    # One intercept that differs a little: too little for CFI, enough for chi-square in a large sample.
    rng = np.random.default_rng(6)
    n = 3000
    factor = rng.normal(size=n)
    group = np.where(np.arange(n) % 2, "b", "a")
    data = pd.DataFrame({f"x{i}": 0.8 * factor + 0.6 * rng.normal(size=n) for i in range(1, 6)}).assign(g=group)
    data.loc[data["g"] == "b", "x5"] += 0.12
    text = "F =~ x1 + x2 + x3 + x4 + x5"
    assert sl.invariance(text, data, "g", rule="cheung2002").level == "strict"
    tested = sl.invariance(text, data, "g", rule="test")
    assert tested.level == "partial strict"
    assert tested.steps[-1].released == ("x5 ~ 1",)
    plain = sl.invariance(text, data, "g", rule="test", partial=False)
    assert plain.level == "metric"
    assert "the sequence ends here" in str(plain)


def test_at_least_two_items_stay_equal():
    rng = np.random.default_rng(8)
    n = 1200
    group = np.where(np.arange(n) % 2, "b", "a")
    factor = rng.normal(size=n)
    loadings = np.array([[0.9, 0.3, 0.8, 0.2], [0.2, 0.8, 0.3, 0.9]])[(group == "b").astype(int)]
    data = pd.DataFrame(loadings * factor[:, None] + 0.5 * rng.normal(size=(n, 4)), columns=list("abcd")).assign(
        g=group
    )
    found = sl.invariance("F =~ a + b + c + d", data, "g")
    assert found.level == "configural"
    assert "no construct would keep two items" in " ".join(found.statements)
    assert found.latent_means is None


def test_order_of_the_groups_does_not_change_the_verdict(found):
    turned = sl.invariance(MODEL, DATA.iloc[::-1], "g")
    assert turned.level == found.level
    assert turned.steps[-1].released == found.steps[-1].released
    np.testing.assert_allclose(turned.to_frame()["chisq"], found.to_frame()["chisq"], atol=1e-6)


def test_paths_are_compared_as_in_lavaan(compared):
    for name, expected in REFERENCE["paths"].items():
        row = compared.paths.set_index("path").loc[name]
        np.testing.assert_allclose(
            [row["chisq_diff"], row["df_diff"], row["pvalue"]], list(expected.values()), atol=2 * CLOSE
        )
    np.testing.assert_allclose(list(compared.joint.values()), list(REFERENCE["joint"].values()), atol=2 * CLOSE)


def test_differences_of_paths(compared):
    table = sl.estimates(compared.fit).query("op == '~' and lhs == 'T'").set_index("group")
    row = compared.differences.query("path == 'T ~ S' and first == 'north' and second == 'west'").iloc[0]
    assert row["difference"] == pytest.approx(table.loc[1, "est"] - table.loc[3, "est"])
    # Loadings are shared, so the two estimates are not independent and the standard errors do not add up exactly.
    assert row["se"] == pytest.approx(np.hypot(table.loc[1, "se"], table.loc[3, "se"]), rel=0.1)
    assert row["pvalue"] < 0.001
    assert compared.paths.set_index("path").loc["T ~ S", "q"] == pytest.approx(np.ptp(table["std_all"]), abs=1e-12)


def test_permutations_agree_with_the_tests():
    small = DATA.groupby("g").head(90)
    found = sl.compare_paths(MODEL, small, "g", permutations=19, seed=5, progress=False)
    again = sl.compare_paths(MODEL, small, "g", permutations=19, seed=5, progress=False)
    pd.testing.assert_frame_equal(found.paths, again.paths)
    p = found.paths.set_index("path")["permutation_p"]
    assert p["T ~ S"] == pytest.approx(1 / 20)
    assert p["L ~ S"] > 0.05
    assert "19 permutations" in str(found)


def test_holm():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(holm(np.array([0.6, 0.9])), [1.0, 1.0])


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ConfigurationError, match="keeps the order"):
        sl.invariance(MODEL, DATA, "g", steps=("scalar", "configural"))
    with pytest.raises(ConfigurationError, match="rule"):
        sl.invariance(MODEL, DATA, "g", rule="luck")
    with pytest.raises(SpecificationError, match="measures no constructs"):
        sl.invariance("t1 ~ s1", DATA, "g")
    with pytest.raises(SpecificationError, match="Second-order"):
        sl.invariance("A =~ s1 + s2 + s3\nB =~ t1 + t2 + t3\nC =~ l1 + l2 + l3\nQ =~ A + B + C", DATA, "g")
    with pytest.raises(SpecificationError, match="no free paths"):
        sl.compare_paths("S =~ s1 + s2 + s3", DATA, "g")
    with pytest.raises(ConfigurationError, match="permutations"):
        sl.compare_paths(MODEL, DATA, "g", permutations=-1)


def test_an_equality_without_certified_solution_tests_nothing():
    r = np.random.default_rng(23)
    frames = []
    for group, slope in (("u", 0.98), ("v", -0.5)):
        cause = r.normal(size=25)
        outcome = slope * cause + np.sqrt(1 - slope * slope) * r.normal(size=25)
        items = {f"a{k}": 0.8 * cause + 0.5 * r.normal(size=25) for k in (1, 2, 3)}
        items |= {f"b{k}": 0.8 * outcome + 0.5 * r.normal(size=25) for k in (1, 2, 3)}
        frames.append(pd.DataFrame({**items, "g": group}))
    data, model = pd.concat(frames, ignore_index=True), "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A"
    found = sl.compare_paths(model, data, "g")
    assert found.certified
    with pytest.warns(ImproperSolutionWarning):
        equal = sl.fit(model, data, group="g", group_equal=("loadings", "regressions"))
    assert not equal.certificate.certified
    assert found.paths[["chisq_diff", "pvalue", "pvalue_holm"]].isna().all(axis=None)
    assert np.isnan(found.joint["pvalue"])
    assert "the solution is not certified and tests nothing" in str(found)
