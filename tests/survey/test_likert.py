"""Text answers: mapped when certain, left alone when not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sem_loyalty.survey.codebook import Codebook, Item
from sem_loyalty.survey.likert import SCALES, Scale, map_answers
from sem_loyalty.survey.read import read_survey

FIVE = ["Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"]
SEVEN = [*FIVE[:2], "Somewhat disagree", FIVE[2], "Somewhat agree", *FIVE[3:]]


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: f"{scale.family}-{len(scale.points)}")
def test_every_scale_maps_itself(scale: Scale) -> None:
    answers = [point[0] for point in scale.points]
    mapped, notes = map_answers({"q": answers})
    assert mapped["q"].codes == tuple((answer, code) for code, answer in enumerate(answers, start=1))
    assert len(notes) == 1
    assert f"{scale.family}, {len(scale.points)} points" in notes[0]


def test_scales_come_in_five_and_seven_points_without_repeated_wordings() -> None:
    assert {len(scale.points) for scale in SCALES} == {5, 7}
    for scale in SCALES:
        words = [word for point in scale.points for word in point]
        assert len(words) == len(set(words)), scale.family


def test_five_of_five_is_taken_for_five_and_somewhat_for_seven() -> None:
    mapped, _ = map_answers({"q": FIVE})
    assert dict(mapped["q"].codes)["Strongly agree"] == 5
    mapped, _ = map_answers({"q": ["Somewhat agree", "Agree", "Strongly agree"]})
    assert dict(mapped["q"].codes) == {"Somewhat agree": 5, "Agree": 6, "Strongly agree": 7}


def test_ambiguous_answers_are_left_and_noted() -> None:
    mapped, notes = map_answers({"q": ["Agree", "Strongly agree"]})
    assert mapped == {}
    assert "'q' fits scales of 5 or 7 points" in notes[0]
    assert "codebook" in notes[0]


def test_the_other_columns_of_a_family_decide() -> None:
    mapped, _ = map_answers({"q1": FIVE, "q2": ["Agree", "Disagree"]})
    assert dict(mapped["q2"].codes) == {"Disagree": 2, "Agree": 4}
    # With a seven-point column in the file, five answers without "somewhat" tell nothing.
    mapped, notes = map_answers({"q1": SEVEN, "q2": FIVE})
    assert set(mapped) == {"q1"}
    assert "'q2'" in notes[-1]


def test_the_codebook_decides() -> None:
    mapped, _ = map_answers({"q": ["Agree", "Strongly agree"]}, points={"q": 7})
    assert dict(mapped["q"].codes) == {"Agree": 6, "Strongly agree": 7}


def test_one_answer_off_the_scale_leaves_the_column() -> None:
    mapped, notes = map_answers({"q": [*FIVE, "Not applicable"], "city": ["Paris", "Rome"]})
    assert mapped == {}
    assert "'Not applicable'" in notes[0]
    assert "city" not in notes[0]


def test_two_wordings_of_a_point_do_not_mix() -> None:
    mapped, _ = map_answers({"q": ["Strongly disagree", "Completely disagree", "Agree", "Neutral"]})
    assert mapped == {}


def test_printed_codes_are_used() -> None:
    mapped, _ = map_answers({"q": ["5 = 非常同意", "1 = 非常不同意", "2", "4"], "p": ["Very satisfied (7)", "3"]})
    assert dict(mapped["q"].codes) == {"1 = 非常不同意": 1, "2": 2, "4": 4, "5 = 非常同意": 5}
    assert dict(mapped["p"].codes) == {"3": 3, "Very satisfied (7)": 7}
    assert map_answers({"children": ["1 - boy", "2 - girls"]})[0] == {}


@given(st.sets(st.sampled_from(FIVE), min_size=1), st.sets(st.sampled_from(SEVEN), min_size=1))
def test_mapping_keeps_the_order_of_the_scale(first: set[str], second: set[str]) -> None:
    mapped, _ = map_answers({"a": sorted(first), "b": sorted(second)})
    for entry in mapped.values():
        places = [SEVEN.index(answer) for answer, _ in entry.codes]
        assert places == sorted(places)


def test_traditional_characters_full_width_and_case(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [
        "非常滿意,STRONGLY AGREE",
        "滿意,agree ",
        "一般,Neutral",
        "不滿意,disagree",
        "非常不滿意,strongly  disagree",
        ",",
    ]
    path.write_text("a,b\n" + "\n".join(rows), encoding="utf-8")
    survey = read_survey(path)
    assert survey.data["a"].tolist()[:5] == [5, 4, 3, 2, 1]
    assert survey.data["b"].tolist()[:5] == [5, 4, 3, 2, 1]
    assert survey.data.loc[5].isna().all()
    assert survey.codebook.items[0].value_labels[4] == (5.0, "非常滿意")


def test_missing_words_and_ranges_of_the_codebook(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("q\nAgree\nStrongly agree\nNot applicable\n", encoding="utf-8")
    assert read_survey(path).data["q"].tolist()[0] == "Agree"
    book = Codebook((Item("q", "q1", min=0, max=6, missing=("Not applicable",)),))
    survey = read_survey(path, codebook=book)
    assert survey.data["q"].tolist()[:2] == [5, 6]
    assert survey.data["q"].isna().tolist() == [False, False, True]
