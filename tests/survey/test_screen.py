"""Screening against R (psych, semTools, lavaan) and against cases worked by hand."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.survey.careless import duplicate_rows, irv, longstring, mahalanobis
from sem_loyalty.survey.codebook import Codebook, Item, apply_codebook
from sem_loyalty.survey.missingness import little_mcar, missing_patterns, normal_em
from sem_loyalty.survey.normality import excess_kurtosis, mardia, skewness
from sem_loyalty.survey.screen import screen

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "screening.json").read_text(encoding="utf-8"))
ANSWERS = np.array(REFERENCE["answers"], dtype=float)
HOLES = np.array(REFERENCE["holes"], dtype=float)  # null becomes NaN
FRAME = pd.DataFrame(ANSWERS, columns=["q1", "q2", "q3", "q4"])
NAN = float("nan")


def test_item_statistics_match_psych() -> None:
    table = screen(FRAME).items
    described = pd.DataFrame(REFERENCE["describe"])
    for column in ("mean", "sd", "min", "max"):
        np.testing.assert_allclose(table[column], described[column], rtol=1e-12)
    np.testing.assert_allclose(table["skewness"], REFERENCE["type2"]["skewness"], rtol=1e-12)
    np.testing.assert_allclose(table["kurtosis"], REFERENCE["type2"]["kurtosis"], rtol=1e-12)


def test_skewness_and_kurtosis_by_hand() -> None:
    # 1, 2, 6: m2 = 14/3, m3 = 6; G1 = sqrt(6)/1 * 6 / (14/3)^1.5.
    assert skewness(np.array([1.0, 2.0, 6.0, NAN])) == pytest.approx(6**0.5 * 6 / (14 / 3) ** 1.5)
    # 0, 0, 0, 1: m2 = 3/16, m4 = 21/256, m4/m2^2 = 7/3; G2 = 3/2 (5 (7/3 - 3) + 6) = 4.
    assert excess_kurtosis(np.array([0.0, 0.0, 0.0, 1.0])) == pytest.approx(4.0)
    assert np.isnan(skewness(np.full(9, 0.1)))


def test_mardia_matches_its_definition_and_r() -> None:
    found = mardia(ANSWERS)
    assert found.skewness == pytest.approx(REFERENCE["by_definition"]["b1p"], rel=1e-11)
    assert found.kurtosis == pytest.approx(REFERENCE["by_definition"]["b2p"], rel=1e-11)
    # The R packages divide the covariance matrix by n - 1.
    shrink = 59 / 60
    psych = REFERENCE["psych_mardia"]
    assert found.skewness * shrink**3 == pytest.approx(psych["b1p"], rel=1e-11)
    assert found.kurtosis * shrink**2 == pytest.approx(psych["b2p"], rel=1e-11)
    assert found.skewness_statistic * shrink**3 == pytest.approx(psych["skew"], rel=1e-11)
    assert found.skewness_small_statistic * shrink**3 == pytest.approx(psych["small_skew"], rel=1e-11)
    assert found.skewness_df == REFERENCE["semtools_skew"]["df"]
    z = (found.kurtosis * shrink**2 - 24) / np.sqrt(8 * 24 / 60)
    assert z == pytest.approx(REFERENCE["semtools_kurtosis"]["z"], rel=1e-10)


def test_mahalanobis_matches_psych_and_skips_incomplete_rows() -> None:
    distance, p = mahalanobis(ANSWERS)
    np.testing.assert_allclose(distance, REFERENCE["mahalanobis"], rtol=1e-11)
    np.testing.assert_allclose(p, REFERENCE["mahalanobis_p"], rtol=1e-10)
    distance, _ = mahalanobis(HOLES)
    assert np.isnan(distance).sum() == 20
    complete = HOLES[~np.isnan(HOLES).any(axis=1)]
    np.testing.assert_allclose(distance[~np.isnan(distance)], mahalanobis(complete)[0], rtol=1e-12)
    # The squared distances of the sample itself add up to p (n - 1).
    assert mahalanobis(ANSWERS)[0].sum() == pytest.approx(4 * 59)


def test_little_matches_lavaan_estimates() -> None:
    mean, cov = normal_em(HOLES)
    # lavaan's EM stops on the change in the log-likelihood, which fixes its estimates to about 1e-7.
    np.testing.assert_allclose(mean, REFERENCE["em_mean"], atol=1e-6)
    np.testing.assert_allclose(cov, REFERENCE["em_cov"], atol=1e-6)
    found = little_mcar(HOLES)
    assert found.statistic == pytest.approx(REFERENCE["little"]["statistic"], abs=1e-5)
    assert found.df == REFERENCE["little"]["df"]
    assert found.p == pytest.approx(REFERENCE["little"]["p"], abs=1e-6)
    with pytest.raises(DataError, match="only one"):
        little_mcar(ANSWERS)


def test_longstring_by_hand() -> None:
    answers = np.array(
        [
            [3, 3, 3, 1, 1, 2],
            [1, 2, 3, 4, 5, 1],
            [4, 4, 4, 4, 4, 4],
            [4, 4, NAN, 4, 4, 4],
            [NAN] * 6,
            [NAN, 5, NAN, NAN, 2, 2],
        ]
    )
    assert longstring(answers).tolist() == [3, 1, 6, 3, 0, 2]


def test_irv_by_hand() -> None:
    answers = np.array([[1, 5, 1, 5], [0.1, 0.1, 0.1, 0.1], [2, 4, NAN, NAN], [3, NAN, NAN, NAN]])
    # Row 1: mean 3, squares 4 x 4 = 16, divisor 3; row 3: 2 and 4 have standard deviation sqrt(2).
    np.testing.assert_allclose(irv(answers), [np.sqrt(16 / 3), 0.0, np.sqrt(2), NAN], rtol=1e-15)


def test_duplicates_point_to_the_first() -> None:
    answers = np.array([[1, 2], [1, 2], [2, 1], [1, NAN], [NAN, NAN], [1, NAN], [NAN, NAN], [1, 2]])
    assert duplicate_rows(answers).tolist() == [-1, 0, -1, -1, -1, 3, -1, 0]


def test_missing_patterns() -> None:
    table = missing_patterns(HOLES, ["q1", "q2", "q3", "q4"])
    assert table["pattern"].tolist() == ["1111", "1101", "0111", "1010", "0101"]
    assert table["n"].tolist() == [40, 6, 6, 5, 3]
    assert table["missing"].tolist()[-1] == "q1, q3"


def test_nobody_is_excluded_without_a_rule() -> None:
    found = screen(FRAME)
    assert len(found.analysed) == 60
    assert found.excluded.empty
    assert found.flow["remaining"].tolist() == [60, 60]
    assert found.mcar is None
    assert found.mardia is not None


def test_flow_follows_the_order_of_the_rules() -> None:
    frame = pd.DataFrame(
        {
            "id": ["a", "b", "c", "d", "d", "e", "f"],
            "q1": [1, 3, 2, 5, 4, NAN, 2],
            "q2": [2, 3, 4, 4, 4, NAN, 5],
            "q3": [3, 3, 1, 5, 2, NAN, 3],
            "check": [4, 4, 2, 4, 4, 4, NAN],
            "time": [60, 4, 90, 30, 50, 70, 80],
        },
        index=list("tuvwxyz"),
    )
    rules = {"missing_share": 0.5, "longstring": 3, "duration_per_item": 2.0, "duplicate_id": True, "attention": True}
    with pytest.raises(DataError, match=r"more complete rows \(6\)|cannot be applied"):
        screen(frame.iloc[:3], items=["q1", "q2", "q3"], rules={"mahalanobis_p": 0.001})
    found = screen(frame, items=["q1", "q2", "q3"], duration="time", id="id", attention={"check": 4}, rules=rules)
    assert found.flow["excluded"].tolist() == [0, 1, 1, 0, 1, 2, 5]
    assert found.flow["remaining"].tolist() == [7, 6, 5, 5, 4, 2, 2]
    assert found.analysed.index.tolist() == ["t", "w"]
    assert found.excluded["rule"].to_dict() == {
        "u": "longstring",
        "v": "attention",
        "x": "duplicate_id",
        "y": "missing_share",
        "z": "attention",
    }
    assert found.excluded.loc["u", "also"] == "duration_per_item"
    assert found.excluded.loc["y", "reason"] == "more than 0.5 of the items missing"
    assert found.respondents.loc["x", "duplicate_id_of"] == 4
    text = str(found)
    assert "7 collected, 2 analysed" in text
    assert "3 or more identical answers in a row: 1 excluded" in text
    assert "<table" in found._repr_html_()


def test_thresholds_are_inclusive_as_documented() -> None:
    frame = pd.DataFrame({"a": [1, 1, 2], "b": [1, 2, NAN], "t": [4.0, 3.9, NAN]})

    def left(rule: str, value: float) -> list[int]:
        found = screen(frame, items=["a", "b"], duration="t", rules={rule: value})
        return found.excluded["row"].tolist()

    assert left("missing_share", 0.5) == []
    assert left("missing_share", 0.49) == [3]
    assert left("irv", 0.0) == [1]
    assert left("irv", np.sqrt(0.5)) == [1, 2]
    assert left("duration_per_item", 2.0) == [2]
    assert left("longstring", 2) == [1]


@pytest.mark.parametrize(
    ("rules", "pattern"),
    [
        ({"longstrng": 5}, "Did you mean 'longstring'"),
        ({"longstring": True}, "needs a threshold"),
        ({"duplicate": 2}, "no threshold"),
        ({"missing_share": 20}, "from 0 to 1, not 20"),
        ({"duration": 10}, "needs duration="),
        ({"attention": True}, "needs attention="),
    ],
)
def test_rules_that_make_no_sense(rules: dict[str, float], pattern: str) -> None:
    with pytest.raises(ConfigurationError, match=pattern):
        screen(FRAME, rules=rules)


def test_all_excluded_is_an_error_and_false_is_no_rule() -> None:
    with pytest.raises(DataError, match="exclude all 60 rows"):
        screen(FRAME, rules={"irv": 10})
    assert len(screen(FRAME, rules={"duplicate": False}).analysed) == 60


def test_codebook_gives_ranges_and_reversed_items_are_turned_back() -> None:
    raw = pd.DataFrame({"v1": [5, 5, 1, 9], "v2": [5, 4, 1, 2], "age": [30, 40, 50, 60]})
    book = Codebook((Item("v1", "q1", "Q", min=1, max=5), Item("v2", "q2", "Q", reverse=True, min=1, max=5)))
    with pytest.warns(UserWarning, match="'q1' 1 answers outside 1 to 5 \\(9\\)"):
        scored = apply_codebook(raw, book)
    for frame in (raw, scored):
        found = screen(frame, codebook=book)
        assert len(found.names) == 2
        assert found.respondents["longstring"].tolist() == [2, 1, 2, 1]
        assert found.items["out_of_range"].tolist() == [1, 0]
        assert found.items["ceiling_share"].tolist()[0] == 0.5
    assert any("turned back" in note for note in screen(scored, codebook=book).notes)
    assert any("give the codebook" in note for note in screen(scored, items=["q1", "q2"]).notes)


def test_items_default_to_numeric_columns_not_named_elsewhere() -> None:
    frame = FRAME.assign(name="x", time=50.0)
    assert screen(frame, duration="time").names == ("q1", "q2", "q3", "q4")
    with pytest.raises(DataError, match="'q11' Did you mean 'q1'"):
        screen(frame, items=["q11"])


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(60)))
def test_row_order_does_not_matter(order: list[int]) -> None:
    found, plain = screen(FRAME.iloc[order]), screen(FRAME)
    pd.testing.assert_frame_equal(found.items, plain.items, rtol=1e-10)
    assert found.mardia is not None
    assert plain.mardia is not None
    assert found.mardia.skewness == pytest.approx(plain.mardia.skewness, rel=1e-10)
    columns = ["longstring", "irv", "mahalanobis_d2"]
    pd.testing.assert_frame_equal(found.respondents[columns].sort_index(), plain.respondents[columns], rtol=1e-10)
