"""A model as a form and a codebook: read back by Word's own grammar and by our own reader."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from docx import Document
from docx.oxml.ns import qn

import sem_loyalty as sl
from sem_loyalty.cli import DONE, WRONG, main
from sem_loyalty.errors import ConfigurationError, SpecificationError
from sem_loyalty.publish.model_diagram import model_diagram, path_lines
from sem_loyalty.publish.questionnaire import codebook_csv, column_of, questionnaire_docx, write_questionnaire

CORE = sl.load_model("core")
OWN = [id for id in sl.models()["id"] if id not in ("ecsi_mobile", "iacobucci2009")]


def opened(data: bytes) -> object:
    return Document(io.BytesIO(data))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_form_asks_every_question_once_with_a_circle_for_every_answer(lang: str) -> None:
    document = opened(questionnaire_docx(CORE, lang=lang))
    (table,) = document.tables  # type: ignore[attr-defined]
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    statement = {
        "en": "Statement\n1 = Strongly disagree … 7 = Strongly agree",
        "zh": "题项\n1 = 非常不同意 …… 7 = 非常同意",
    }[lang]
    assert rows[0] == [{"en": "No.", "zh": "序号"}[lang], statement, *"1234567"]
    assert [row[1] for row in rows[1:]] == [item.wording.text(lang) for item in CORE.items]
    assert [row[0] for row in rows[1:]] == [str(k) for k in range(1, 18)]
    assert all(row[2:] == ["○"] * 7 for row in rows[1:])
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)  # type: ignore[attr-defined]
    assert {"en": "18. Gender: ○ female", "zh": "18. 性别：○ 女"}[lang] in text
    # Names of constructs would tell respondents what is expected of them.
    assert not any(label in text for label in CORE.labels(lang).values())


def test_the_head_of_the_grid_is_repeated_and_rows_stay_whole() -> None:
    document = opened(questionnaire_docx(CORE))
    rows = document.tables[0].rows  # type: ignore[attr-defined]
    heads = [row._tr.trPr.find(qn("w:tblHeader")) is not None for row in rows]
    assert heads == [True] + [False] * 17
    assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in rows)
    widths = [sum(cell.width for cell in row.cells) for row in rows]
    section = document.sections[0]  # type: ignore[attr-defined]
    room = section.page_width - section.left_margin - section.right_margin
    assert max(widths) <= room * 1.001
    # What LibreOffice lays out by: the grid, not the cells.
    grid = [column.width for column in document.tables[0].columns]  # type: ignore[attr-defined]
    assert grid == [cell.width for cell in rows[0].cells]
    assert grid[1] > 8 * grid[2]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_typefaces_are_times_and_song(lang: str) -> None:
    document = opened(questionnaire_docx(CORE, lang=lang))
    for name, chinese in (("Normal", "宋体"), ("Title", "黑体"), ("Heading 1", "黑体")):
        fonts = document.styles[name].element.rPr.rFonts  # type: ignore[attr-defined]
        assert fonts.get(qn("w:eastAsia")) == chinese
        assert fonts.get(qn("w:ascii")) == fonts.get(qn("w:hAnsi")) == "Times New Roman"
        assert not [key for key in fonts.attrib if key.endswith("Theme")]
    footer = document.sections[0].footer._element.xml  # type: ignore[attr-defined]
    assert "PAGE" in footer
    assert "NUMPAGES" in footer


def test_the_same_model_gives_the_same_bytes() -> None:
    one, other = questionnaire_docx(CORE, lang="zh"), questionnaire_docx(CORE, lang="zh")
    assert one == other
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert core.count("2000-01-01T00:00:00Z") == 2


def test_answers_of_the_form_come_back_scored(tmp_path: Path) -> None:
    _, table = write_questionnaire(CORE, tmp_path, lang="zh")
    codebook = sl.read_codebook(table)
    assert [item.name for item in codebook.items if item.reverse] == ["sat4", "tru3"]
    scored = sl.simulate(CORE, 40, seed=3)
    # As a survey tool exports it: reverse-worded questions as they were answered.
    answered = {column_of(i): 8 - scored[i.name] if i.reverse else scored[i.name] for i in CORE.items}
    export = pd.DataFrame(answered).assign(gender=1, age=30, tenure=12)
    export.to_csv(tmp_path / "export.csv", index=False)
    back = sl.apply_codebook(sl.read_survey(tmp_path / "export.csv", codebook=table))
    pd.testing.assert_frame_equal(back[list(scored.columns)].astype(int), scored, check_dtype=False)
    assert list(codebook.columns) == list(export.columns)


@pytest.mark.parametrize("id", OWN)
def test_every_model_can_be_asked(id: str, tmp_path: Path) -> None:
    model = sl.load_model(id)
    form, table = write_questionnaire(model, tmp_path)
    codebook = sl.read_codebook(table)
    assert set(codebook.names) >= {item.name for item in model.items}
    asked = len(model.items) // max(len(model.waves), 1) if id != "panel_growth" else 6
    *before, table = opened(form.read_bytes()).tables  # type: ignore[attr-defined]
    assert len(table.rows) == asked + 1
    assert [len(grid.rows) for grid in before] == ([len(model.expectations) + 1] if model.expectations else [])
    if model.grouping is not None:
        assert model.grouping.column in codebook.names
    assert ("id" in codebook.names) == bool(model.waves)


@pytest.mark.parametrize(("lang", "line"), [("en", "○ in a shop    ○ online"), ("zh", "○ 实体门店    ○ 网上")])
def test_groups_are_asked_in_the_language_of_the_form(lang: str, line: str) -> None:
    document = opened(questionnaire_docx(sl.load_model("moderation"), lang=lang))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)  # type: ignore[attr-defined]
    assert line in text
    book = codebook_csv(sl.load_model("moderation")).decode("utf-8-sig")
    assert "store = in a shop, online = online" in book
    assert "store = 实体门店" in book


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_service_quality_asks_for_expectations_first_and_gaps_follow(lang: str, tmp_path: Path) -> None:
    model = sl.load_model("servqual")
    form, table = write_questionnaire(model, tmp_path, lang=lang)
    expected, received = opened(form.read_bytes()).tables  # type: ignore[attr-defined]
    assert [row.cells[1].text for row in expected.rows][1:] == [i.wording.text(lang) for i in model.expectations]
    numbers = [row.cells[0].text for grid in (expected, received) for row in grid.rows[1:]]
    assert numbers == [str(k) for k in range(1, 39)]
    answered = pd.concat(
        [sl.simulate(model, 30, seed=1), 7 - 0 * sl.simulate(model, 30, seed=2).add_suffix("_e")], axis=1
    )
    names = sl.read_codebook(table).names
    assert set(names) >= {i.name for i in (*model.items, *model.expectations)}
    gaps = sl.item_gaps(answered, "servqual")
    assert list(gaps.columns) == [i.name for i in model.items if i.construct in ("REL", "RES", "ASS", "EMP", "TAN")]
    pd.testing.assert_series_equal(gaps["tan3"], answered["tan3"] - 7.0, check_dtype=False)
    with pytest.raises(SpecificationError, match="'core' asks for no expectations"):
        sl.item_gaps(answered, "core")


def test_what_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match="no response scale"):
        codebook_csv(sl.load_model("iacobucci2009"))
    with pytest.raises(ConfigurationError, match="lang='fr'"):
        write_questionnaire(CORE, tmp_path, lang="fr")
    assert list(tmp_path.iterdir()) == []


# Diagram and command line


def test_the_paths_as_text_carry_hypotheses_and_signs() -> None:
    lines = path_lines(CORE, "en").splitlines()
    assert lines[0] == "Customer satisfaction (SAT) → Trust (TRU)             H1 +"
    assert len(lines) == 5
    chinese = path_lines(sl.load_model("antecedents"), "zh")
    assert "感知风险 (RSK)" in chinese
    assert "H2 −" in chinese
    assert "↔" in path_lines(sl.load_model("reciprocal"), "en")


def test_the_diagram_has_constructs_and_hypotheses_but_no_numbers(tmp_path: Path) -> None:
    drawing = model_diagram(CORE, tmp_path / "core.svg", lang="zh")
    svg = (tmp_path / "core.svg").read_text(encoding="utf-8")
    assert svg == drawing.svg()
    for text in ("顾客忠诚", "H4"):
        assert text in svg
    assert "sat1" not in svg
    higher = model_diagram(sl.load_model("servqual")).svg()
    assert "Tangibles" in higher


def test_the_command_shows_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "show", "core", "--out", str(tmp_path / "core.svg")]) == DONE
    out = capsys.readouterr().out
    assert "Customer satisfaction (SAT) → Trust (TRU)" in out
    assert "Satisfaction acts only through trust" in out
    assert main(["models", "questionnaire", "core", "--lang", "zh", "--out", str(tmp_path / "form")]) == DONE
    assert sorted(path.name for path in (tmp_path / "form").iterdir()) == [
        "core_codebook.csv", "core_questionnaire_zh.docx",
    ]  # fmt: skip
    assert main(["models", "questionnaire"]) == WRONG
    assert "models questionnaire needs an id" in capsys.readouterr().err
