"""Codebooks: every problem at once, scoring that undoes itself, and files in three formats."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sem_loyalty.errors import DataError, DataWarning
from sem_loyalty.survey.answers import check_columns
from sem_loyalty.survey.codebook import REVERSED, Codebook, Item, apply_codebook
from sem_loyalty.survey.codebook_table import missing_codes, read_codebook

ITEMS = (
    Item("1、信任", "tr1", "TRUST", label_zh="我信任该品牌", min=1, max=5, missing=(99.0,)),
    Item("2、怀疑", "tr2", "TRUST", reverse=True, label_en="I doubt it", min=1, max=5, missing_ranges=((-9.0, -1.0),)),
    Item("age", "age"),
)


def test_scoring() -> None:
    data = pd.DataFrame({"1、信任": [1, 99, 5], "2、怀疑": [1, -4, 5], "age": [20, 30, 40], "other": list("abc")})
    before = data.copy()
    scored = apply_codebook(data, Codebook(ITEMS))
    assert list(scored.columns) == ["tr1", "tr2", "age", "other"]
    np.testing.assert_array_equal(scored["tr1"], [1, np.nan, 5])
    np.testing.assert_array_equal(scored["tr2"], [5, np.nan, 1])
    assert scored.attrs[REVERSED] == ("tr2",)
    pd.testing.assert_frame_equal(data, before)


@given(st.lists(st.one_of(st.integers(1, 7), st.none()), min_size=1))
def test_reversing_twice_changes_nothing(values: list[int | None]) -> None:
    data = pd.DataFrame({"q": pd.Series(values, dtype=float)})
    book = Codebook((Item("q", "q", reverse=True, min=1, max=7),))
    once = apply_codebook(data, book)
    pd.testing.assert_frame_equal(apply_codebook(once, book), data)
    np.testing.assert_allclose(once["q"] + data["q"], np.where(data["q"].isna(), np.nan, 8.0))


def test_out_of_range_is_reported_and_left() -> None:
    data = pd.DataFrame({"q": [0, 3, 9, 9]})
    with pytest.warns(DataWarning, match=r"'x' 3 answers outside 1 to 5 \(0, 9\)"):
        scored = apply_codebook(data, Codebook((Item("q", "x", min=1, max=5),)))
    assert scored["x"].tolist() == [0, 3, 9, 9]


def test_every_problem_is_listed_at_once() -> None:
    frame = pd.DataFrame(
        {
            "column": ["a", "b", "b", "", "e"],
            "name": ["1x", "y", "y", "z", "e"],
            "reverse": ["yes", "maybe", "", "", ""],
            "min": [None, "5", "1", "", "1"],
            "max": ["", "5", "seven", "", "5"],
            "missing": ["", "", "", "", "3"],
            "labl": "",
        }
    )
    with pytest.raises(DataError) as caught:
        Codebook.from_frame(frame)
    text = str(caught.value)
    for part in (
        "unknown column 'labl' Did you mean 'label'?",
        "reverse 'maybe'",
        "max 'seven' is not a number",
        "row 4: no column is named",
        "the name '1x' cannot stand in a model",
        "'a': a reversed item needs min and max",
        "'b': min 5 is not below max 5",
        "the column 'b' occurs 2 times",
        "the name 'y' occurs 2 times",
        "the missing code 3 lies between min and max",
    ):
        assert part in text, part


def test_data_that_do_not_fit() -> None:
    data = pd.DataFrame({"trust_1": [1, 2], "tr2": ["a", "b"], "x": [1, 2]})
    with pytest.raises(DataError, match=r"'trust1' Did you mean 'trust_1'\?.*'zzz'"):
        apply_codebook(data, Codebook((Item("trust1", "a"), Item("zzz", "b"))))
    with pytest.raises(DataError, match=r"other columns already have: 'x' \(from 'trust_1'\)"):
        apply_codebook(data, Codebook((Item("trust_1", "x"),)))
    with pytest.raises(DataError, match="holds text: 'a'"):
        apply_codebook(data, Codebook((Item("tr2", "q", reverse=True, min=1, max=5),)))
    with pytest.raises(DataError, match="No codebook"):
        apply_codebook(data)
    with pytest.raises(DataError, match="needs min and max"):
        apply_codebook(data, Codebook((Item("x", "q", reverse=True),)))


def test_names_may_be_exchanged() -> None:
    data = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    scored = apply_codebook(data, Codebook((Item("a", "b"), Item("b", "a"))))
    assert scored["a"].tolist() == [3, 4]
    assert scored["b"].tolist() == [1, 2]


def test_headers_are_matched_in_any_width() -> None:
    data = pd.DataFrame({"1、您满意吗？(单选)": [1, 2]})
    assert list(apply_codebook(data, Codebook((Item("1、您满意吗?（单选）", "s1"),))).columns) == ["s1"]


def test_files(tmp_path: Path) -> None:
    book = Codebook(ITEMS)
    table = book.to_frame()
    table.to_csv(tmp_path / "c.csv", index=False, encoding="gb18030")
    table.to_excel(tmp_path / "c.xlsx", index=False)
    (tmp_path / "c.toml").write_text(
        """
[[item]]
column = "1、信任"
name = "tr1"
construct = "TRUST"
label = "我信任该品牌"
min = 1
max = 5
missing = [99]
[[item]]
column = "2、怀疑"
name = "tr2"
construct = "TRUST"
reverse = true
label_en = "I doubt it"
min = 1
max = 5
missing = "-9..-1"
[[item]]
name = "age"
""",
        encoding="utf-8",
    )
    for name in ("c.csv", "c.xlsx", "c.toml"):
        assert read_codebook(tmp_path / name) == book, name
    assert book.constructs() == {"TRUST": ("tr1", "tr2")}
    assert book.items[0].label("en") == "我信任该品牌"


def test_chinese_heads(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(
        "列名,变量名,维度,反向,题项,最小值,最大值,缺失值\nQ1,q1,满意,是,好,１,５,98；99\n", "utf-8"
    )
    expected = Item("Q1", "q1", "满意", True, "", "好", 1.0, 5.0, (98.0, 99.0))
    assert read_codebook(tmp_path / "c.csv").items == (expected,)


def test_broken_files(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[[item]\n")
    with pytest.raises(DataError, match="not valid TOML"):
        read_codebook(tmp_path / "a.toml")
    (tmp_path / "b.toml").write_text("x = 1\n")
    with pytest.raises(DataError, match="no items"):
        read_codebook(tmp_path / "b.toml")
    with pytest.raises(DataError, match=r"no codebook file .*Did you mean 'b\.toml'"):
        read_codebook(tmp_path / "bb.toml")
    (tmp_path / "d.csv").write_text("variable,min\nq1,1\nq1,2\n")
    with pytest.raises(DataError, match=r"codebook d\.csv has 2 problem"):
        read_codebook(tmp_path / "d.csv")


def test_missing_codes() -> None:
    assert missing_codes("98; 99, -9..-1") == ((98.0, 99.0), ((-9.0, -1.0),))
    assert missing_codes("98 99") == ((98.0, 99.0), ())
    assert missing_codes("not applicable; 0") == (("not applicable", 0.0), ())
    assert missing_codes([99, "拒答"]) == ((99.0, "拒答"), ())
    assert missing_codes(float("nan")) == ((), ())


def test_answers_that_nobody_turned_round_are_named() -> None:
    with pytest.raises(DataError, match=r"a2_r: answers still to be turned round; apply the codebook"):
        check_columns(pd.DataFrame({"a1": [1], "a2_r": [1]}), ["a1", "a2"])
