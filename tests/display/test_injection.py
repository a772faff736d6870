"""Any text comes out of every writer as that text: nothing in a label becomes markup, code or a formula."""

import csv
import io
import json
import re
import string
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sem_loyalty.display import Column, Table
from sem_loyalty.display.escaping import one_line
from sem_loyalty.publish.manuscript import Heading, Manuscript, Paragraph, Value
from sem_loyalty.publish.word.document import docx_bytes
from sem_loyalty.publish.word.values import read_tables, read_values

typst = pytest.importorskip("typst")

NASTY = [
    "<script>alert(1)</script>",
    '#read("x") $x$ @ref <label> [a] {b} // c /* d */ -- ... \'q\' "q" ~ ^ ` *b* _i_ + - = 1. a',
    "\\input{x} \\u{41} & % _ ^ ~ $",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "+1",
    "-1+1",
    "\t=1+1",
    "]]> <!-- --> &amp; &#60;",
    "a\x00b\x1bc\nd\r\ne\u2028f",
    "| a | b |",
    "顾客“满意” → 忠诚",
    "n" * 1000,
    "'=x",
    "1. first",
    "/ term: x",
    "http://example.org/#a",
]
any_text = st.text(st.characters(codec="utf-8"), max_size=30)


def holding(text: str) -> Table:
    columns = (Column("a", text, group=text), Column("b", "b", "number"))
    return Table("t", text, columns, ({"a": text, "b": -1.5}, {"a": "x", "b": 2.0}), text, sections=((0, text),))


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def spaced(text: str) -> str:
    return " ".join(text.split())


def test_html_holds_the_text_and_no_new_element() -> None:
    plain = Page(holding("x").to_html()).tags
    for text in NASTY:
        page = Page(holding(text).to_html())
        assert page.tags <= plain | {"i"}
        assert page.texts.count(one_line(text)) >= 3


@settings(max_examples=60, deadline=None)
@given(any_text)
def test_any_text_survives_html_and_csv(text: str) -> None:
    assert spaced(one_line(text)) in spaced("".join(Page(holding(text).to_html()).texts))
    rows = list(csv.reader(io.StringIO(holding(text).to_csv(), newline="")))
    assert re.sub(r"\A'(?='*[=+\-@\t\r＝＋－＠])", "", rows[1][0]) == text
    assert rows[1][1] == "-1.5"


@pytest.mark.parametrize("text", NASTY)
def test_csv_holds_no_formula(text: str) -> None:
    rows = list(csv.reader(io.StringIO(holding(text).to_csv(), newline="")))
    assert not rows[1][0].startswith(("=", "+", "-", "@", "\t", "\r"))
    # A key may be anything as well.
    head = Table("t", "", (Column(text, "h"),), ()).to_csv()
    assert not next(csv.reader(io.StringIO(head, newline="")))[0].startswith(("=", "+", "-", "@", "\t", "\r"))


def unescaped_latex(made: str) -> set[str]:
    """Return the special characters of LaTeX that stand unescaped in a text."""
    bare = re.sub(r"\\text[a-z]+\{\}|\$\\[a-zA-Z]+\$|\$-\$|\\[&%$#_{}]|\{\[\}|\{\]\}|\{\*\}|\{-\}", "", made)
    return set(bare) & set("\\&%$#_{}~^<>|[]*`")


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from(string.printable + "顾客−–αβ"), max_size=40))
def test_latex_leaves_no_special_character(text: str) -> None:
    table = Table("t", "", (Column("a", "h"),), ({"a": text},))
    body = table.to_latex().split("\\midrule\n")[1].split(" \\\\\n\\bottomrule")[0]
    assert unescaped_latex(body.replace("\\textsuperscript{2}", "")) == set()
    for nasty in NASTY:
        assert (
            unescaped_latex(
                Table("t", "", (Column("a", "h"),), ({"a": nasty},))
                .to_latex()
                .split("\\midrule\n")[1]
                .split(" \\\\\n\\bottomrule")[0]
                .replace("→", "")
            )
            == set()
        )


def faces() -> list[str]:
    import matplotlib

    spec = find_spec("zhplot")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return [
        str(Path(matplotlib.get_data_path()) / "fonts" / "ttf"),
        str(Path(spec.submodule_search_locations[0]) / "fonts"),
    ]


HEAD = (
    "#set document(date: datetime(year: 2000, month: 1, day: 1))\n"
    '#set text(font: ("STIXGeneral", "DejaVu Sans", "Noto Sans SC"), size: 10pt)\n'
)


def cells_in_typst(table: Table) -> list[str]:
    """Return the text of every cell as Typst understood it."""
    source = HEAD + table.to_typst()
    found = json.loads(typst.query(source.encode(), "table", font_paths=faces(), ignore_system_fonts=True))
    return [flat(cell["body"]) for cell in every_cell(found)]


def every_cell(node: object) -> list[dict[str, object]]:
    if isinstance(node, list):
        return [cell for part in node for cell in every_cell(part)]
    if not isinstance(node, dict):
        return []
    return [node] if node.get("func") == "cell" else every_cell(node.get("children"))


def flat(node: object) -> str:
    """Return the text of a piece of Typst content."""
    if isinstance(node, list):
        return "".join(map(flat, node))
    if not isinstance(node, dict):
        return ""
    if node.get("func") == "space":
        return " "
    if node.get("func") == "hide":
        return ""
    if node.get("func") in ("text", "symbol"):
        return str(node["text"])
    unknown = {"sequence", "emph", "strong", "styled"}
    assert node.get("func") in unknown, node
    return "".join(flat(node.get(key)) for key in ("children", "body", "child"))


def test_typst_holds_the_text() -> None:
    for text in NASTY:
        cells = [spaced(cell) for cell in cells_in_typst(holding(text))]
        assert cells.count(spaced(one_line(text))) >= 3, text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_text)
def test_any_text_survives_typst(text: str) -> None:
    assert spaced(one_line(text)) in [spaced(cell) for cell in cells_in_typst(holding(text))]


def test_typst_compiles_as_pdf_a() -> None:
    for text in [text for text in NASTY if "\x00" not in text]:
        source = HEAD + holding(text).to_typst()
        data = typst.compile(
            source.encode(), font_paths=faces(), ignore_system_fonts=True, pdf_standards="a-2u", timestamp=0
        )
        assert data.startswith(b"%PDF")


def test_markdown_keeps_rows_and_escapes() -> None:
    for text in NASTY:
        lines = holding(text).to_markdown().splitlines()
        cells = [re.split(r"(?<!\\)\|", line) for line in lines if line.startswith("|")]
        assert {len(row) for row in cells} == {4}
        assert not re.search(r"(?<!\\)<(?!\\)", holding(text).to_markdown())


@settings(max_examples=25, deadline=None)
@given(any_text)
def test_any_text_survives_word(text: str) -> None:
    check_word(text)


@pytest.mark.parametrize("text", NASTY)
def test_word_holds_the_text(text: str) -> None:
    check_word(text)


def check_word(text: str) -> None:
    key = "k" + text
    table = holding(text)
    data = docx_bytes(Manuscript(text, "en", (Heading(text), Paragraph((text, Value(key, "1"))), table)))
    document = docx.Document(io.BytesIO(data))
    expected = spaced(one_line(text))
    assert [spaced(p.text) for p in document.paragraphs if p.style.name == "Heading 1"] == [expected]
    cells = [spaced(cell.text) for row in document.tables[0].rows for cell in row.cells]
    assert cells.count(expected) >= 3
    assert [spaced(row[0]) for row in read_tables(data)["t"]] == [expected, "x"]
    assert [value.text for value in read_values(data)] == ["1"]
    assert spaced(read_values(data)[0].key) == spaced(one_line(key))
