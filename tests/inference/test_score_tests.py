"""Score tests of equality constraints: against lavaan, and against the fits that release them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "score_tests.json").read_text(encoding="utf-8"))
SURVEYS = {name: pd.DataFrame(columns) for name, columns in REFERENCE["data"].items()}


def fit_case(case):
    options = {}
    if "group" in case:
        options = {
            "group": case["group"], "group_equal": case["equal"], "group_partial": case.get("partial", ()),
        }  # fmt: skip
    if case.get("ordered"):
        options["ordered"] = True
    return sl.fit(
        case["model"],
        SURVEYS[case["data"]],
        engine="kernel",
        estimator=case.get("estimator", "ML"),
        missing=case.get("missing", "listwise"),
        std_lv=case.get("std_lv", False),
        **options,
    )


@pytest.mark.parametrize("name", REFERENCE["cases"])
def test_score_tests_are_those_of_lavaan(name):
    case = REFERENCE["cases"][name]
    found = sl.score_tests(fit_case(case), information=case.get("information", "expected"))
    ours = {(row.lhs.replace(" ", ""), row.rhs.replace(" ", "")): row for row in found.itertuples()}
    assert len(found) == len(case["uni"])
    # A score is small beside its parts, so the place where lavaan's optimiser stops shows.
    for there in case["uni"]:
        here = ours[there["lhs"], there["rhs"]]
        assert here.x2 == pytest.approx(there["x2"], rel=1e-5, abs=1e-5), there
        assert here.df == there["df"]
        assert here.pvalue == pytest.approx(there["pvalue"], abs=1e-5)
    total = found.attrs["total"]
    assert total["x2"] == pytest.approx(case["total"]["x2"], rel=1e-5)
    # Of all intercepts released, or all loadings with free latent variances, two per construct set the scale in each
    # of the two further groups; lavaan counts these constraints as tested.
    needed = 4 if name in ("groups", "partial", "scales") else 0
    assert total["df"] == case["total"]["df"] - needed


def test_a_released_constraint_lowers_chi_square_by_its_score():
    data = SURVEYS["complete"]
    held = sl.fit("A =~ a1 + k*a2 + k*a3 + a4\nB =~ b1 + b2 + b3 + b4", data)
    freed = sl.fit("A =~ a1 + k*a2 + m*a3 + a4\nB =~ b1 + b2 + b3 + b4", data)
    (row,) = sl.score_tests(held).itertuples()
    assert (row.lhs, row.rhs, row.left, row.right) == (".p2.", ".p3.", "A =~ a2", "A =~ a3")
    # Score and likelihood-ratio test agree to the first order in the distance of the two models.
    assert row.x2 == pytest.approx(held.chisq - freed.chisq, rel=0.1)
    label = sl.estimates(freed).set_index("label")["est"]
    assert row.epc == pytest.approx(label["k"] - label["m"], rel=0.15)


def test_a_test_does_not_depend_on_how_the_constraint_is_written():
    data, rest = SURVEYS["complete"], "\nB =~ b1 + b2 + b3 + b4"
    shared = sl.score_tests(sl.fit("A =~ a1 + k*a2 + k*a3 + k*a4" + rest, data))
    written = sl.score_tests(sl.fit("A =~ a1 + k*a2 + l*a3 + m*a4\nk == l\nk == m" + rest, data))
    np.testing.assert_allclose(shared[["x2", "epc"]], written[["x2", "epc"]], rtol=1e-6)
    assert list(written["left"]) == ["k", "k"]
    assert list(written["group"]) == [0, 0]


def test_a_constraint_that_identifies_the_model_has_no_test():
    fitted = sl.fit("A =~ NA*a1 + k*a1 + l*a2 + m*a3 + n*a4\nk + l + m + n == 4\nl == m", SURVEYS["complete"])
    found = sl.score_tests(fitted).set_index("rhs")
    assert list(found["df"]) == [0, 1]
    assert np.isnan(found.loc["4", "x2"])
    assert found.attrs["total"]["df"] == 1
    assert found.attrs["total"]["x2"] == pytest.approx(found.loc["m", "x2"])


def test_groups_are_named():
    fitted = sl.fit("A =~ a1 + a2 + a3", SURVEYS["complete"], group="shop", group_equal="loadings")
    found = sl.score_tests(fitted)
    assert found.loc[0, "left"] == "A =~ a2 [east]"
    assert found.loc[0, "right"] == "A =~ a2 [west]"
    assert list(found["group"]) == [2, 2, 3, 3]


def test_nothing_equal_is_nothing_to_test():
    fitted = sl.fit("A =~ a1 + a2 + a3", SURVEYS["complete"])
    found = sl.score_tests(fitted)
    assert found.empty
    assert found.attrs["total"]["df"] == 0
    with pytest.raises(ConfigurationError, match="information"):
        sl.score_tests(fitted, information="first")
