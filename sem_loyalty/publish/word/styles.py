"""Page, typefaces and styles of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sem_loyalty.publish.word.markup import field

if TYPE_CHECKING:
    from docx.document import Document

LATIN, SONG, HEI = "Times New Roman", "宋体", "黑体"
#: Width of the text of an upright and of a sideways page of A4, in points.
TEXT_WIDTH = {"portrait": 453.5, "landscape": 700.2}
_MARGIN_CM = 2.5
# Name, what it is based on, size in English and Chinese, bold in English and Chinese, Chinese face.
_STYLES: tuple[tuple[str, str, tuple[float, float], tuple[bool, bool], str], ...] = (
    ("Normal", "", (12, 12), (False, False), SONG),
    ("Title", "", (16, 18), (True, True), HEI),
    ("Heading 1", "", (14, 15), (True, False), HEI),
    ("Heading 2", "", (12, 14), (True, False), HEI),
    ("Heading 3", "", (12, 12), (True, False), HEI),
    ("Body Text", "Normal", (12, 12), (False, False), SONG),
    ("Bibliography", "Normal", (12, 10.5), (False, False), SONG),
    ("Caption", "Normal", (12, 10.5), (False, False), SONG),
    ("Table Text", "Normal", (10, 10), (False, False), SONG),
    ("Table Note", "Normal", (10, 9), (False, False), SONG),
    ("Warning", "Normal", (12, 12), (True, False), HEI),
)


def prepare(document: Document, lang: str) -> None:
    """Set page, typefaces, styles and page numbers of an empty document.

    Parameters
    ----------
    document : docx.document.Document
    lang : {"en", "zh"}
        English follows APA 7, Chinese the habits of a thesis: 宋体 text, 黑体 headings, first lines two characters in,
        lines 1.5 high.
    """
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    upright(document.sections[0])
    _page_number(document.sections[0])
    chinese = lang == "zh"
    styles: Any = document.styles
    known = {style.name for style in styles}
    for name, base, sizes, bold, face in _STYLES:
        style = styles[name] if name in known else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        if base:
            style.base_style = styles[base]
        style.font.size, style.font.bold, style.font.italic = Pt(sizes[chinese]), bold[chinese], False
        style.font.color.rgb = RGBColor(0, 0, 0)
        typeface(style, face)
        form = style.paragraph_format
        form.space_before, form.space_after, form.line_spacing = Pt(0), Pt(0), 1.0
    for entry in styles.element.findall(".//" + qn("w:lang")):
        # Without it, Chinese punctuation may be set as in Taiwan or Japan.
        entry.set(qn("w:val"), "en-US")
        entry.set(qn("w:eastAsia"), "zh-CN")
    _paragraphs(styles, chinese)


def typeface(style: Any, chinese: str) -> None:
    """Set the Latin and the Chinese face of a style; those of the theme, which would win, are dropped."""
    from docx.oxml.ns import qn

    style.font.name = LATIN
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for attribute in [key for key in fonts.attrib if key.endswith("Theme")]:
        del fonts.attrib[attribute]
    for key, face in (("w:ascii", LATIN), ("w:hAnsi", LATIN), ("w:cs", LATIN), ("w:eastAsia", chinese)):
        fonts.set(qn(key), face)


def _paragraphs(styles: Any, chinese: bool) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml.ns import qn
    from docx.shared import Inches, Pt

    title = styles["Title"]
    for border in title.element.findall(".//" + qn("w:pBdr")):
        border.getparent().remove(border)
    title.paragraph_format.alignment, title.paragraph_format.space_after = WD_ALIGN_PARAGRAPH.CENTER, Pt(18)
    for level, before in ((1, 18), (2, 12), (3, 12)):
        heading = styles[f"Heading {level}"]
        heading.paragraph_format.space_before, heading.paragraph_format.space_after = Pt(before), Pt(6)
        heading.paragraph_format.keep_with_next = True
        if not chinese and level == 1:
            heading.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
        heading.font.italic = level == 3 and not chinese
    body = styles["Body Text"].paragraph_format
    body.line_spacing = 1.5
    if chinese:
        body.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        indent = body.element.get_or_add_pPr().get_or_add_ind()
        indent.set(qn("w:firstLineChars"), "200")  # in characters, so that it follows the size
        indent.set(qn("w:firstLine"), "480")
    else:
        body.first_line_indent = Inches(0.5)
    entry = styles["Bibliography"].paragraph_format
    # Half an inch by APA 7; two characters in Chinese.
    entry.left_indent = Pt(21) if chinese else Inches(0.5)
    entry.first_line_indent = -entry.left_indent
    entry.line_spacing = 1.5
    caption = styles["Caption"].paragraph_format
    caption.keep_with_next, caption.space_before, caption.space_after = True, Pt(6), Pt(6)
    if chinese:
        caption.alignment = WD_ALIGN_PARAGRAPH.CENTER
    note = styles["Table Note"].paragraph_format
    note.space_before, note.space_after = Pt(4), Pt(14)
    warning = styles["Warning"].paragraph_format
    warning.space_before = warning.space_after = Pt(6)
    warning.left_indent = Pt(12)


def upright(section: Any) -> None:
    """Make a section upright A4."""
    from docx.enum.section import WD_ORIENT
    from docx.shared import Cm

    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    _margins(section)


def sideways(section: Any) -> None:
    """Make a section A4 on its side."""
    from docx.enum.section import WD_ORIENT
    from docx.shared import Cm

    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21.0)
    _margins(section)


def _margins(section: Any) -> None:
    from docx.shared import Cm

    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(_MARGIN_CM)


def _page_number(section: Any) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph = section.footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for part in field("PAGE", "1"):
        paragraph._p.append(part)
