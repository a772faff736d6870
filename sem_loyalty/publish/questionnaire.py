"""A model as a questionnaire: a form in Word, and the codebook by which its answers are read again."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sem_loyalty.errors import SpecificationError, check_choice
from sem_loyalty.model.model_file import Item, ModelFile, Scale
from sem_loyalty.publish.files import write_bytes
from sem_loyalty.publish.word.archive import saved
from sem_loyalty.publish.word.styles import HEI, SONG, typeface

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell

_HEAD = ("column", "name", "construct", "reverse", "label_en", "label_zh", "min", "max", "missing")
_TEXT = {
    "en": {
        "title": "Questionnaire",
        "about": "Thank you for taking part. The questions are about a company whose customer you are.",
        "company": "The company: {blank}",
        "how": (
            "There are no right or wrong answers; what counts is your own experience. Answers are anonymous and used "
            "for research only. Please mark one circle in every row."
        ),
        "wanted": "What you expect",
        "excellent": (
            "Please think of companies of the same kind that give excellent service. How far do you agree with what is "
            "said of them?"
        ),
        "view": "Your view",
        "received": "And now the company named above:",
        "about_you": "About you",
        "part": "{number}. {title}",
        "numbers": "1234",
        "scale": "{low} = {low_text} … {high} = {high_text}",
        "number": "No.",
        "statement": "Statement",
        "waves": (
            "The same questions are asked in every survey. Your personal code, the same each time: {blank}",
            "This is the {waves}.",
            "    ",
        ),
        "thanks": "Thank you for your answers.",
        "page": "Page {0} of {1}",
    },
    "zh": {
        "title": "调查问卷",
        "about": "感谢您参与本次调查。以下问题涉及您作为顾客的一家公司。",
        "company": "公司名称：{blank}",
        "how": "答案无对错之分，请根据您的真实感受作答。本问卷匿名填写，结果仅用于学术研究。每行请只选择一个选项。",
        "wanted": "您的期望",
        "excellent": "请设想同类公司中服务优秀的公司，您在多大程度上同意下列对这类公司的说法？",
        "view": "您的看法",
        "received": "以下说法针对上面填写的这家公司：",
        "about_you": "基本信息",
        "part": "{number}、{title}",
        "numbers": "一二三四",
        "scale": "{low} = {low_text} …… {high} = {high_text}",
        "number": "序号",
        "statement": "题项",
        "waves": (
            "每次调查的题目相同，请每次填写同一个个人代码：{blank}",
            "本次为：{waves}",
            "    ",
        ),
        "thanks": "问卷到此结束，感谢您的配合！",
        "page": "第 {0} 页，共 {1} 页",
    },
}
#: Background questions: column, wording in both languages, answers in both languages (none: a number), lowest, highest.
_BACKGROUND: tuple[tuple[str, str, str, tuple[tuple[str, str], ...], int, int], ...] = (
    ("gender", "Gender", "性别", (("female", "女"), ("male", "男"), ("other or no answer", "其他或不愿回答")), 1, 3),
    ("age", "Age in years", "年龄（岁）", (), 16, 99),
    ("tenure", "Months as a customer of this company", "成为该公司顾客的时间（月）", (), 0, 1200),
)


def questionnaire_codebook(model: ModelFile) -> list[dict[str, object]]:
    """Return what the columns of the survey mean, one row a question.

    Parameters
    ----------
    model : ModelFile

    Returns
    -------
    list of dict
        column (what the survey tool must call the answers), name (in the model), construct, reverse ("yes" where the
        answer is turned round before analysis; such a column ends in "_r", so that nobody takes it for the scored
        item), label_en, label_zh, min, max and missing (left empty: codes that the tool gives to no answer). Questions
        first, then expectations where the model has them, the personal code of a panel, the group of a multi-group
        model, and the background.

    Raises
    ------
    SpecificationError
        A model without items or without a response scale.
    """
    if not model.items or model.scale is None:
        raise SpecificationError(
            f"Model '{model.id}' has no {'response scale' if model.items else 'questions'}, so there is no "
            "questionnaire; write one in its .toml."
        )

    def row(
        column: str, name: str, construct: str, reverse: bool, en: str, zh: str, *ends: object
    ) -> dict[str, object]:
        values = (column, name, construct, "yes" if reverse else "no", en, zh, *ends, "")
        return dict(zip(_HEAD, values, strict=True))

    scale = (model.scale.minimum, model.scale.maximum)
    rows = [
        row(column_of(item), item.name, item.construct, item.reverse, item.wording.en, item.wording.zh, *scale)
        for item in model.items
    ]
    rows += [
        row(item.name, item.name, f"{item.construct}, expected", False, item.wording.en, item.wording.zh, *scale)
        for item in model.expectations
    ]
    if model.waves:
        rows.append(
            row("id", "id", "", False, "Personal code, the same in every survey", "个人代码，每次调查相同", "", "")
        )
    if model.grouping is not None:
        levels = list(zip(model.grouping.levels, model.grouping.level_labels, strict=True))
        coded = [", ".join(f"{level} = {label.text(lang)}" for level, label in levels) for lang in ("en", "zh")]
        label, column = model.grouping.label, model.grouping.column
        rows.append(row(column, column, "", False, f"{label.en}: {coded[0]}", f"{label.zh}：{coded[1]}", "", ""))
    for column, en, zh, answers, low, high in _BACKGROUND:
        coded = [", ".join(f"{k} {answer[lang]}" for k, answer in enumerate(answers, start=1)) for lang in (0, 1)]
        labels = (f"{en}: {coded[0]}", f"{zh}：{coded[1]}") if answers else (en, zh)
        rows.append(row(column, column, "", False, *labels, low, high))
    return rows


def column_of(item: Item) -> str:
    """Return the column of an item as it is answered: one still to be turned round ends in "_r"."""
    return f"{item.name}_r" if item.reverse else item.name


def codebook_csv(model: ModelFile) -> bytes:
    """Return the codebook as CSV, UTF-8 with the mark by which spreadsheets know it."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=_HEAD, lineterminator="\n")
    writer.writeheader()
    writer.writerows(questionnaire_codebook(model))
    return stream.getvalue().encode("utf-8-sig")


def write_questionnaire(model: ModelFile, folder: str | Path, *, lang: str = "en") -> tuple[Path, Path]:
    """Write the form and the codebook of a model.

    Parameters
    ----------
    model : ModelFile
    folder : str or Path
        Where; made if need be.
    lang : {"en", "zh"}, default "en"
        Language of the form; the codebook has both.

    Returns
    -------
    tuple of Path
        ``<id>_questionnaire_<lang>.docx`` and ``<id>_codebook.csv``.

    Raises
    ------
    SpecificationError
        A model without items or without a response scale.
    ConfigurationError
        Unknown language.
    """
    form, table = questionnaire_docx(model, lang=lang), codebook_csv(model)
    folder = Path(folder)
    return (
        write_bytes(folder / f"{model.id}_questionnaire_{lang}.docx", form),
        write_bytes(folder / f"{model.id}_codebook.csv", table),
    )


def questionnaire_docx(model: ModelFile, *, lang: str = "en") -> bytes:
    """Return the form as a Word document: instructions, a grid of the questions, background.

    Parameters
    ----------
    model : ModelFile
    lang : {"en", "zh"}, default "en"

    Returns
    -------
    bytes
        The same for the same model.

    Raises
    ------
    SpecificationError, ConfigurationError
        As for `write_questionnaire`.
    """
    from docx import Document
    from docx.shared import Cm, Pt

    check_choice("lang", lang, ("en", "zh"))
    questionnaire_codebook(model)  # refuses a model that cannot be asked
    assert model.scale is not None
    words: dict[str, Any] = _TEXT[lang]
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.2)
    section.top_margin = section.bottom_margin = Cm(1.8)
    _fonts(document)
    document.add_heading(words["title"], level=0)
    document.add_paragraph(f"{words['about']}\n{words['company'].format(blank='_' * 24)}")
    document.add_paragraph(words["how"])
    if model.waves:
        code, survey, gap = words["waves"]
        document.add_paragraph(code.format(blank="_" * 16))
        document.add_paragraph(survey.format(waves=gap.join(f"○ {wave.text(lang)}" for wave in model.waves)))
    parts = [("wanted", "excellent", list(model.expectations))] if model.expectations else []
    parts.append(("view", "received" if parts else "", _questions(model)))
    asked = 0
    for number, (title, lead, questions) in enumerate(parts, start=1):
        _heading(document, words, number, title)
        if lead:
            document.add_paragraph(words[lead]).paragraph_format.keep_with_next = True
        _grid(document, questions, model.scale, lang, first=asked + 1)
        asked += len(questions)
    _heading(document, words, len(parts) + 1, "about_you")
    _background(document, model, lang, first=asked + 1)
    closing = document.add_paragraph(words["thanks"])
    closing.paragraph_format.space_before = Pt(12)
    _page_numbers(document, words["page"])
    return saved(document, f"{words['title']}: {model.title.text(lang)}")


def _fonts(document: Document) -> None:
    """Set Latin and Chinese typefaces, sizes and spacing of the styles."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    styles: Any = document.styles
    for name, size, bold, chinese in (
        ("Normal", 10.5, False, SONG), ("Title", 18, True, HEI), ("Heading 1", 13, True, HEI),
    ):  # fmt: skip
        style = styles[name]
        style.font.size, style.font.bold = Pt(size), bold
        style.font.color.rgb = RGBColor(0, 0, 0)
        typeface(style, chinese)
    language = styles.element.find(".//" + qn("w:lang"))
    if language is not None:  # without it, Chinese punctuation may be set as in Taiwan or Japan
        language.set(qn("w:eastAsia"), "zh-CN")
    styles["Normal"].paragraph_format.space_after = Pt(6)
    title = styles["Title"]
    title.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for border in title.element.findall(".//" + qn("w:pBdr")):
        border.getparent().remove(border)
    heading = styles["Heading 1"].paragraph_format
    heading.space_before, heading.space_after = Pt(14), Pt(6)


def _questions(model: ModelFile) -> list[Item]:
    """Return what is asked once: of a panel, the questions of the first survey."""
    return [item for item in model.items if not model.waves or item.name.endswith("_1")]


def _heading(document: Document, words: dict[str, Any], number: int, title: str) -> None:
    document.add_heading(words["part"].format(number=words["numbers"][number - 1], title=words[title]), level=1)


def _grid(document: Document, questions: list[Item], scale: Scale, lang: str, *, first: int) -> None:
    """Add the numbered statements with a circle for every answer; the head, with the scale, is on every page."""
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Cm

    words: dict[str, Any] = _TEXT[lang]
    legend = words["scale"].format(
        low=scale.minimum, low_text=scale.low.text(lang), high=scale.maximum, high_text=scale.high.text(lang)
    )
    answers = [str(value) for value in range(scale.minimum, scale.maximum + 1)]
    table = document.add_table(rows=len(questions) + 1, cols=2 + len(answers))
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    step = 0.85 if len(answers) <= 8 else 0.72
    widths = [Cm(1.2), Cm(16.6 - 1.2 - step * len(answers)), *[Cm(step)] * len(answers)]
    # The grid of the table decides in LibreOffice, the cells in Word: both are told.
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    texts = [[words["number"], f"{words['statement']}\n{legend}", *answers]]
    texts += [[str(k), item.wording.text(lang), *["○"] * len(answers)] for k, item in enumerate(questions, start=first)]
    for position, (row, line) in enumerate(zip(table.rows, texts, strict=True)):
        _row_stays_whole(row, head=position == 0)
        for place, (cell, text, width) in enumerate(zip(row.cells, line, widths, strict=True)):
            cell.width = width
            middle = place != 1 or position == 0
            _write(cell, text, bold=position == 0, align=WD_ALIGN_PARAGRAPH.CENTER if middle else None)
            if position % 2 == 0 and position:
                _shade(cell, "F2F2F2")


def _write(cell: _Cell, text: str, *, bold: bool, align: Any) -> None:
    from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
    from docx.shared import Pt

    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(3)
    paragraph.alignment = align
    head, *rest = text.split("\n")
    paragraph.add_run(head).bold = bold
    for line in rest:  # below the head, smaller
        paragraph.add_run(f"\n{line}").font.size = Pt(9)
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER


def _row_stays_whole(row: Any, *, head: bool) -> None:
    from docx.oxml import OxmlElement

    properties = row._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if head:
        properties.append(OxmlElement("w:tblHeader"))


def _shade(cell: _Cell, colour: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    shading = OxmlElement("w:shd")
    for key, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", colour)):
        shading.set(qn(key), value)
    cell._tc.get_or_add_tcPr().append(shading)


def _background(document: Document, model: ModelFile, lang: str, *, first: int) -> None:
    """Add the group of a multi-group model and the background questions, numbered on, on one page."""
    asked: list[tuple[str, tuple[str, ...]]] = []
    if model.grouping is not None:
        levels = tuple(label.text(lang) for label in model.grouping.level_labels)
        asked.append((model.grouping.label.text(lang), levels))
    for _, en, zh, answers, _, _ in _BACKGROUND:
        asked.append((zh if lang == "zh" else en, tuple(answer[lang == "zh"] for answer in answers)))
    for number, (label, choices) in enumerate(asked, start=first):
        answer = "    ".join(f"○ {choice}" for choice in choices) or "_" * 12
        colon = "：" if lang == "zh" else ": "
        paragraph = document.add_paragraph(f"{number}. {label}{colon}{answer}")
        paragraph.paragraph_format.keep_with_next = True


def _page_numbers(document: Document, pattern: str) -> None:
    """Write "Page 1 of 2" into the footer, as fields that Word fills."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    paragraph = document.sections[0].footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    before, rest = pattern.split("{0}")
    between, after = rest.split("{1}")
    for text, field in ((before, "PAGE"), (between, "NUMPAGES"), (after, "")):
        paragraph.add_run(text)
        if field:
            simple = OxmlElement("w:fldSimple")
            simple.set(qn("w:instr"), field)
            run = OxmlElement("w:r")
            shown = OxmlElement("w:t")
            shown.text = "1"
            run.append(shown)
            simple.append(run)
            paragraph._p.append(simple)
