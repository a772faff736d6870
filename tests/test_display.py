"""Table: what stands in a cell, and that no text escapes its format."""

import csv
import dataclasses
import io
import math
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sem_loyalty.display import Column, Table, format_number, format_p
from sem_loyalty.display.symbols import note_parts
from sem_loyalty.errors import ConfigurationError, display_width

NASTY = "a & b % c_d # $5 <b> ~ ^ \\ {x} \"q\" 'r' | * ` \x1b[31m\n"


def small(**changes: object) -> Table:
    columns = (
        Column("name", "构念"),
        Column("b", "β", "number", 3, bounded=True),
        Column("p", "p", "p"),
        Column("n", "n", "int"),
        Column("ci", "95 % CI", "interval", 2),
    )
    rows = (
        {"name": "顾客满意", "b": np.float64(-0.5051), "p": 1e-5, "n": np.int64(5), "ci": (-0.1, np.float32(0.25))},
        {"name": "x", "b": math.nan, "p": pd.NA, "n": 12.5, "ci": None},
    )
    given: dict[str, object] = {"id": "t", "caption": "A caption", "columns": columns, "rows": rows, "note": "N = 5."}
    return Table(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "digits", "bounded", "lang", "shown"),
    [
        (0.5051, 3, True, "en", ".505"),
        (0.5051, 3, True, "zh", "0.505"),
        (0.5051, 3, False, "en", "0.505"),
        (-0.5051, 2, True, "en", "−.51"),
        (-1e-9, 3, True, "en", ".000"),
        (-0.0, 2, False, "en", "0.00"),
        (1.0, 3, True, "en", "1.000"),
        (-1.0049, 2, True, "en", "−1.00"),
        (math.nan, 3, False, "en", "–"),
        (None, 3, False, "en", ""),
        (-math.inf, 3, False, "zh", "−∞"),
        (np.float64(2.5), 1, False, "en", "2.5"),
        (np.int64(-3), 0, False, "en", "−3"),
        (pd.NA, 3, False, "en", "–"),
        (1e20, 2, False, "en", "1.00e+20"),
    ],
)
def test_format_number(value: object, digits: int, bounded: bool, lang: str, shown: str) -> None:
    assert format_number(value, digits, bounded, lang=lang) == shown


@pytest.mark.parametrize(
    ("value", "lang", "shown"),
    [
        (0.0009999, "en", "< .001"),
        (0.001, "en", ".001"),
        (0.0, "zh", "< 0.001"),
        (0.05, "zh", "0.050"),
        (0.9996, "en", "> .999"),
        (0.9994, "en", ".999"),
        (math.nan, "en", "–"),
        (None, "en", ""),
    ],
)
def test_format_p(value: object, lang: str, shown: str) -> None:
    assert format_p(value, lang=lang) == shown


def test_a_number_is_asked_for() -> None:
    with pytest.raises(ConfigurationError, match=r"'many'.*not a number"):
        format_number("many")


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(0, 6), st.booleans())
def test_no_negative_zero_and_no_hyphen(value: float, digits: int, bounded: bool) -> None:
    shown = format_number(value, digits, bounded)
    assert not shown.startswith("-")
    if shown.startswith("−"):
        assert any(character in "123456789" for character in shown)


def test_text_is_aligned_by_display_width() -> None:
    lines = small().to_text().splitlines()
    assert lines[0] == "A caption"
    assert lines[2] == "构念          β       p       n        95 % CI"
    assert lines[4] == "顾客满意  −.505  < .001       5  [−0.10, 0.25]"
    assert lines[5] == "x             –       –  12.500"
    assert display_width(lines[4]) == len(lines[1]) == len(lines[-2])
    assert lines[-1] == "Note. N = 5."
    assert str(small()) == repr(small()) == small().to_text()


def test_chinese_keeps_the_zero() -> None:
    text = small().to_text("zh")
    assert "−0.505" in text
    assert "< 0.001" in text
    assert text.endswith("注：N = 5.")


def test_csv_keeps_every_digit() -> None:
    rows = list(csv.reader(io.StringIO(small().to_csv())))
    assert rows[0] == ["name", "b", "p", "n", "ci_lower", "ci_upper"]
    assert rows[1] == ["顾客满意", "-0.5051", "1e-05", "5", "-0.1", "0.25"]
    assert rows[2] == ["x", "NaN", "NaN", "12.5", "", ""]
    assert float(Table("t", "", (Column("x", "x", "number"),), ({"x": 1 / 3},)).to_csv().split()[1]) == 1 / 3


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def test_html_escapes_and_reads_back() -> None:
    made = Table("x", NASTY, (Column("a", NASTY),), ({"a": NASTY},), NASTY).to_html()
    reader = _Reader()
    reader.feed(made)
    assert "b" not in reader.tags
    assert "script" not in reader.tags
    clean = NASTY.replace("\x1b", " ").replace("\n", " ")
    assert sum(cell.strip().endswith(clean.strip()) for cell in reader.cells) == 4
    assert "\x1b" not in made


def test_html_three_lines_language_and_no_style_on_request() -> None:
    assert 'lang="zh-CN"' in small(lang="zh").to_html()
    assert "<th scope=" in small().to_html()
    assert small()._repr_html_() == small().to_html()
    assert "1.5pt" in small().to_html()
    assert "style=" not in small().to_html(inline=False)


def test_latex_escapes_everything() -> None:
    made = Table("x", NASTY, (Column("a", NASTY), Column("b", "β")), ({"a": "[x", "b": -0.5},), "50% & more").to_latex()
    assert r"a \& b \% c\_d \# \$5 \textless{}b\textgreater{} \textasciitilde{} \textasciicircum{}" in made
    assert r"\textbackslash{} \{x\}" in made
    assert "$\\beta$" in made
    assert r"50\% \& more" in made
    # After "\\" a bare "[" or "*" would be read as an argument of the line break.
    assert "\n{[}x & -0.5" not in made  # "b" is a text column, so the number stands as repr, hyphen in braces
    assert "\n{[}x & {-}0.5 \\\\" in made
    assert r"\toprule" in made
    assert r"\bottomrule" in made


def test_markdown_escapes_pipes() -> None:
    lines = Table("x", "", (Column("a", "a|b"), Column("n", "n", "int")), ({"a": "x|<y>_\n", "n": 3},)).to_markdown()
    assert lines.splitlines() == ["| a\\|b | *n* |", "|:--|--:|", "| x\\|\\<y\\>\\_  | 3 |"]


def test_from_frame_takes_index_kinds_and_numpy() -> None:
    frame = pd.DataFrame(
        {"est": [0.5, np.nan], "k": [1, 2], "pvalue": [1e-9, 0.5], "op": ["=~", None]}, index=["A", "B"]
    )
    made = Table.from_frame(frame, id="f", caption="c", heads={"est": "B"}, bounded={"est"})
    assert [column.kind for column in made.columns] == ["text", "number", "int", "p", "text"]
    assert made.cells()[0] == ["A", ".500", "1", "< .001", "=~"]
    assert made.cells()[1][1] == "–"
    named = Table.from_frame(frame.rename_axis("item"), id="f", caption="c")
    assert named.columns[0].key == "item"
    plain = Table.from_frame(frame.reset_index(drop=True), id="f", caption="c")
    assert plain.columns[0].key == "est"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "../etc"}, "Table id"),
        ({"id": "1a"}, "Table id"),
        ({"columns": ()}, "needs columns"),
        ({"columns": (Column("a", "a"), Column("a", "b")), "rows": ()}, "different keys"),
        ({"rows": ({"nmae": 1},)}, "nmae"),
        ({"lang": "de"}, "lang='de'"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        small(**changes)


def test_a_kind_that_does_not_exist_and_a_broken_interval_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="kind='integer'"):
        Column("a", "a", "integer")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="two numbers"):
        Column("ci", "CI", "interval").format((1, 2, 3))


def test_a_table_is_frozen_and_keeps_its_own_rows() -> None:
    row: dict[str, object] = {"name": "x"}
    made = small(rows=[row])
    row["name"] = "y"
    assert made.rows[0]["name"] == "x"
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.caption = "other"  # type: ignore[misc]


@given(st.text(max_size=30))
def test_every_text_survives_csv_and_never_breaks_a_line_of_text(label: str) -> None:
    made = Table("t", "", (Column("a", "a"), Column("b", "b")), ({"a": label, "b": "end"},))
    body = list(csv.reader(io.StringIO(made.to_csv(), newline="")))
    assert body[1] == [label, "end"]
    assert len(made.to_text().split("\n")) == 5


@pytest.mark.parametrize(
    ("note", "lang", "italic"),
    [
        ("n: answers given. M: mean; SD: standard deviation.", "en", ["n", "M", "SD"]),
        ("in mean (M) and standard deviation (SD)", "en", ["M", "SD"]),
        ("B: 30 respondents, d: 20", "en", []),
        ("n 为有效作答数。M 与 SD 为均值与标准差", "zh", ["n", "M", "SD"]),
    ],
)
def test_a_letter_of_a_note_is_a_symbol_where_it_is_defined(note, lang, italic):
    assert [text for text, symbol in note_parts(note, lang) if symbol] == italic
