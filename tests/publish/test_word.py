"""Word: fields that count, widths that fit, controls that keep their keys, and the same bytes every time."""

import io
import re
import zipfile
from pathlib import Path

import docx
import pytest

from sem_loyalty.display import Cell, Column, Table
from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.publish.manuscript import Figure, Heading, Manuscript, Paragraph, Reference, Symbol, Value
from sem_loyalty.publish.word.document import docx_bytes, tables_docx
from sem_loyalty.publish.word.markup import bookmark_name
from sem_loyalty.publish.word.values import read_tables, read_values

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
LONG_KEY = "path:" + "x" * 90


def small(id: str = "paths", lang: str = "en") -> Table:
    columns = (
        Column("path", "路径" if lang == "zh" else "Path"),
        Column("b", "β", "number", 3, bounded=True),
        Column("low", "lower", "number", 3, bounded=True, group="95% CI"),
        Column("high", "upper", "number", 3, bounded=True, group="95% CI"),
    )
    rows = (
        {"path": "A → B", "b": Cell(0.5, "number", 3, True, "***"), "low": 0.4, "high": 0.6},
        {"path": "B → C", "b": Cell(-0.04, "number", 3, True, ""), "low": -0.1, "high": 0.1},
    )
    return Table(id, "Paths", columns, rows, "N = 250. * p < .05.", lang, ((0, "Direct"), (1, "Other")))


def wide(columns: int) -> Table:
    heads = (Column("name", "Name"), *(Column(f"r{k}", f"Column {k}", "number") for k in range(columns)))
    return Table("wide", "Wide", heads, ({"name": "x", **{f"r{k}": -0.123 for k in range(columns)}},))


def manuscript(lang: str = "en") -> Manuscript:
    text = Paragraph(
        ("See ", Reference("table", "paths"), ", ", Reference("table", "other"), ": ", Symbol("β"), " = ",
         Value(LONG_KEY, ".500"), ", ", Symbol("p"), " ", Value("p:1", "< .001"), "."),
    )  # fmt: skip
    return Manuscript(
        "Study", lang, (Heading("Results"), text, small(lang=lang), Heading("More", 2), small("other", lang))
    )


def opened(data: bytes) -> docx.document.Document:
    return docx.Document(io.BytesIO(data))


def test_the_same_manuscript_gives_the_same_bytes() -> None:
    assert docx_bytes(manuscript()) == docx_bytes(manuscript())


def test_headings_are_real_and_captions_follow_the_language() -> None:
    english, chinese = opened(docx_bytes(manuscript())), opened(docx_bytes(manuscript("zh")))
    assert [(p.text, p.style.name) for p in english.paragraphs if p.style.name.startswith("Heading")] == [
        ("Results", "Heading 1"),
        ("More", "Heading 2"),
    ]
    captions = [p for p in english.paragraphs if p.style.name == "Caption"]
    assert [p.text for p in captions] == ["Table 1", "Paths", "Table 2", "Paths"]
    # Every run of the label is bold, also those of the field, and the title is italic.
    assert all(run.bold for run in captions[0].runs)
    assert all(run.italic for run in captions[1].runs)
    assert [p.text for p in chinese.paragraphs if p.style.name == "Caption"] == ["表 1  Paths", "表 2  Paths"]


def test_every_reference_names_a_bookmark_around_a_counting_field() -> None:
    body = opened(docx_bytes(manuscript())).element.body
    codes = [node.text.split() for node in body.iter(f"{W}instrText")]
    names = [node.get(f"{W}name") for node in body.iter(f"{W}bookmarkStart")]
    assert [code[1] for code in codes if code[0] == "REF"] == names
    assert [code[:2] for code in codes if code[0] == "SEQ"] == [["SEQ", "Table"]] * 2
    # The number is there before Word updates the fields.
    assert opened(docx_bytes(manuscript())).paragraphs[2].text.startswith("See Table 1, Table 2")


def test_typefaces_are_named_on_styles_and_no_theme_overrides_them() -> None:
    styles = opened(docx_bytes(manuscript("zh"))).styles
    for name, chinese in (("Normal", "宋体"), ("Heading 1", "黑体"), ("Table Text", "宋体")):
        fonts = styles[name].element.rPr.rFonts
        assert fonts.get(f"{W}ascii") == fonts.get(f"{W}hAnsi") == "Times New Roman"
        assert fonts.get(f"{W}eastAsia") == chinese
        assert not [key for key in fonts.attrib if key.endswith("Theme")]
    indent = styles["Body Text"].element.pPr.find(f"{W}ind")
    assert indent.get(f"{W}firstLineChars") == "200"


@pytest.mark.parametrize(
    ("columns", "orientation"), [(3, "portrait"), (9, "portrait"), (18, "landscape"), (26, "landscape")]
)
def test_widths_fill_the_text_and_wide_tables_turn_the_page(columns: int, orientation: str) -> None:
    document = opened(docx_bytes(Manuscript("", "en", (wide(columns),))))
    section = document.sections[-1]
    room = (section.page_width - section.left_margin - section.right_margin) / 635  # twentieths of a point
    assert (section.page_width > section.page_height) == (orientation == "landscape")
    table = document.tables[0]._tbl
    grid = [int(node.get(f"{W}w")) for node in table.iter(f"{W}gridCol")]
    cells = [int(node.get(f"{W}w")) for node in table.findall(f"{W}tr")[-1].iter(f"{W}tcW")]
    assert grid == cells
    assert abs(sum(grid) - room) < 40
    # A number stays on one line: seven signs at the size of its run.
    sizes = {int(node.get(f"{W}val")) / 2 for node in table.iter(f"{W}sz") if node.getparent().tag == f"{W}rPr"} or {10}
    assert min(grid) / 20 >= 5 * 0.5 * max(sizes)


def test_three_lines_repeated_head_and_rows_that_stay_whole() -> None:
    rows = opened(docx_bytes(manuscript())).tables[0]._tbl.findall(f"{W}tr")
    assert [row.find(f"{W}trPr/{W}tblHeader") is not None for row in rows] == [True, True, False, False, False, False]
    assert all(row.find(f"{W}trPr/{W}cantSplit") is not None for row in rows)

    def line(row: int, side: str) -> list[str]:
        return [node.get(f"{W}sz") for node in rows[row].iter(f"{W}{side}") if node.getparent().tag == f"{W}tcBorders"]

    assert line(0, "top") == ["12"] * 2
    assert line(0, "bottom") == ["4"]  # under the spanner alone
    assert line(1, "bottom") == ["6"] * 4
    assert line(5, "bottom") == ["12"] * 4
    assert [line(row, "bottom") for row in (2, 3, 4)] == [[], [], []]
    # Missing stars leave their width, in figure spaces.
    assert "".join(node.text for node in rows[5].iter(f"{W}t")).startswith("B → C−.040\u2007\u2007\u2007")


def test_values_and_tables_are_read_back() -> None:
    data = docx_bytes(manuscript())
    assert read_values(data) == (Value(LONG_KEY, ".500"), Value("p:1", "< .001"))
    assert read_tables(data) == {"paths": small().cells(), "other": small("other").cells()}
    tags = re.findall(rb'<w:tag w:val="([^"]*)"', zipfile.ZipFile(io.BytesIO(data)).read("word/document.xml"))
    assert max(map(len, tags)) <= 64


def edited(data: bytes, change: dict[bytes, bytes], *, without: str = "") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            for before, after in change.items() if name == "word/document.xml" else ():
                assert before in content
                content = content.replace(before, after)
            if not without or not name.startswith(without):
                new.writestr(name, content)
    return stream.getvalue()


def test_an_edited_number_is_read_as_it_stands_now() -> None:
    data = edited(docx_bytes(manuscript()), {b">.500<": b">.600<", b">.400<": b">.450<"})
    assert read_values(data)[0] == Value(LONG_KEY, ".600")
    assert read_tables(data)["paths"][0] == ["A → B", ".500***", ".450", ".600"]


def test_a_lost_key_and_a_foreign_file_are_named() -> None:
    with pytest.raises(DataError, match="lost its address"):
        read_values(edited(docx_bytes(manuscript()), {}, without="customXml/item"))
    with pytest.raises(DataError, match="not a document of Word"):
        read_values(b"no archive")
    with pytest.raises(DataError, match="document type"):
        read_tables(edited(docx_bytes(manuscript()), {b"<w:document": b"<!DOCTYPE x><w:document"}))


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="refers to figure 'f'"):
        docx_bytes(Manuscript("", "en", (Paragraph((Reference("figure", "f"),)),)))
    with pytest.raises(ConfigurationError, match="ids must differ"):
        docx_bytes(Manuscript("", "en", (small(), small())))
    with pytest.raises(ConfigurationError, match="no PNG"):
        docx_bytes(Manuscript("", "en", (Figure("f", "F"),)))
    with pytest.raises(ConfigurationError, match="no table"):
        tables_docx([], tmp_path / "x.docx")


def test_tables_to_a_file(tmp_path: Path) -> None:
    path = tables_docx([small(), wide(4)], tmp_path / "tables.docx", title="Tables")
    assert list(read_tables(path.read_bytes())) == ["paths", "wide"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_references_hang(lang: str) -> None:
    found = opened(docx_bytes(Manuscript("", lang, (Paragraph(("Hu, L. (1999).",), "reference"),))))
    form = found.styles[found.paragraphs[-1].style.name].paragraph_format
    assert found.paragraphs[-1].text == "Hu, L. (1999)."
    assert form.left_indent > 0
    assert form.first_line_indent == -form.left_indent


def test_a_figure_carries_its_description() -> None:
    import matplotlib

    png = (Path(matplotlib.get_data_path()) / "images" / "matplotlib.png").read_bytes()
    data = docx_bytes(Manuscript("", "zh", (Figure("f", "模型", png=png, description="drawn <b>"),)))
    document = opened(data)
    assert next(document.element.body.iter("{*}docPr")).get("descr") == "drawn <b>"
    assert document.paragraphs[-1].text == "图 1  模型"


def test_names_of_bookmarks_are_short_and_differ() -> None:
    names = [bookmark_name("table", id) for id in ("a-b", "a_b", "x" * 60, "x" * 61)]
    assert len(set(names)) == 4
    assert all(re.fullmatch(r"\w{1,40}", name) for name in names)
