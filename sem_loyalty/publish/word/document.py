"""A manuscript as a document of Word."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from sem_loyalty.display import Table
from sem_loyalty.display.escaping import one_line
from sem_loyalty.display.grid import grid
from sem_loyalty.display.symbols import note_parts
from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.files import write_bytes
from sem_loyalty.publish.manuscript import Figure, Heading, Manuscript, Paragraph, Part, Reference, Symbol, Value
from sem_loyalty.publish.word.archive import saved
from sem_loyalty.publish.word.markup import HASHED, bookmark_name, bookmarked, control, field, run, tag
from sem_loyalty.publish.word.styles import TEXT_WIDTH, prepare, sideways, upright
from sem_loyalty.publish.word.three_lines import READABLE, TIGHT, natural_width, table_element
from sem_loyalty.publish.word.values import KEYS

if TYPE_CHECKING:
    from docx.document import Document

_WORD = {"en": {"table": "Table", "figure": "Figure"}, "zh": {"table": "表", "figure": "图"}}
_NOTE = {"en": "Note.", "zh": "注："}
_STYLE_OF = {"text": "Body Text", "warning": "Warning", "reference": "Bibliography"}
_POINTS_PER_MM = 72 / 25.4


def docx_bytes(manuscript: Manuscript) -> bytes:
    """Return a manuscript as a Word document.

    Headings are Word's own styles, tables have three lines, captions count by SEQ fields and references are REF fields
    that show their number before Word updates them. A `Value` is a content control that keeps its key (see
    `sem_loyalty.publish.word.values`). A table too wide for an upright page stands on a page turned sideways.

    Parameters
    ----------
    manuscript : Manuscript

    Returns
    -------
    bytes
        The same for the same manuscript.

    Raises
    ------
    ConfigurationError
        A reference to a table or figure that the manuscript does not hold, two of one id, or a figure without PNG.
    """
    return _Writer(manuscript).bytes()


def tables_docx(tables: Iterable[Table], path: str | Path, *, title: str = "", lang: str | None = None) -> Path:
    """Write tables to a Word document, ready to be copied into a thesis.

    Parameters
    ----------
    tables : iterable of Table
        Their ids differ.
    path : str or Path
        The .docx file.
    title : str, default ""
        Above the first table.
    lang : {"en", "zh"}, optional
        By default the language of the first table.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ConfigurationError
        No table, or two of one id.
    """
    blocks = tuple(tables)
    if not blocks:
        raise ConfigurationError("tables_docx: there is no table to write.")
    return write_bytes(path, docx_bytes(Manuscript(title, lang or blocks[0].lang, blocks)))


class _Writer:
    """One document in the making."""

    def __init__(self, manuscript: Manuscript) -> None:
        import docx

        self._manuscript, self._lang = manuscript, manuscript.lang
        self._document: Document = docx.Document()
        self._numbers = _numbers(manuscript)
        self._controls = 0
        self._bookmarks = 0
        self._keys: dict[str, str] = {}

    def bytes(self) -> bytes:
        prepare(self._document, self._lang)
        if self._manuscript.title:
            self._paragraph("Title", [run(self._manuscript.title)])
        orientation = "portrait"
        for block in self._manuscript.blocks:
            wanted = self._orientation(block)
            if wanted != orientation:
                (upright if wanted == "portrait" else sideways)(self._document.add_section())
                orientation = wanted
            self._block(block, orientation)
        self._add_keys()
        return saved(self._document, self._manuscript.title)

    def _orientation(self, block: object) -> str:
        if not isinstance(block, Table):
            return "portrait"
        needed = natural_width(grid(block, self._lang), READABLE, TIGHT)
        return "portrait" if needed <= TEXT_WIDTH["portrait"] else "landscape"

    def _block(self, block: object, orientation: str) -> None:
        if isinstance(block, Heading):
            self._paragraph(f"Heading {min(max(block.level, 1), 3)}", [run(block.text)])
        elif isinstance(block, Paragraph):
            self._paragraph(_STYLE_OF[block.kind], [piece for part in block.parts for piece in self._part(part)])
        elif isinstance(block, Table):
            self._caption("table", block.id, block.caption)
            body = self._document.element.body
            body.insert(len(body) - 1, table_element(block, self._lang, orientation))
            self._note(block)
        elif isinstance(block, Figure):
            self._figure(block)

    def _paragraph(self, style: str, pieces: Sequence[Any], *, keep: bool = False) -> Any:
        paragraph = self._document.add_paragraph(style=style)
        if keep:
            paragraph.paragraph_format.keep_with_next = True
        for piece in pieces:
            paragraph._p.append(piece)
        return paragraph

    def _part(self, part: Part) -> list[Any]:
        if isinstance(part, Value):
            self._controls += 1
            name = tag(part.key)
            if name.startswith(HASHED):
                self._keys[name] = part.key
            return [control(part.key, part.text, self._controls)]
        if isinstance(part, Symbol):
            # APA sets Greek symbols upright; Chinese journals set all symbols in italics.
            return [run(part.text, italic=self._lang == "zh" or part.text.isascii())]
        if isinstance(part, Reference):
            return self._reference(part)
        return [run(part)]

    def _reference(self, part: Reference) -> list[Any]:
        number = self._numbers.get((part.kind, part.id))
        if number is None:
            raise ConfigurationError(
                f"The text refers to {part.kind} '{part.id}', which the manuscript does not hold; add it to the blocks."
            )
        return field(f"REF {bookmark_name(part.kind, part.id)} \\h", self._label(part.kind, number))

    def _label(self, kind: str, number: int) -> str:
        return f"{_WORD[self._lang][kind]} {number}"

    def _caption(self, kind: str, id: str, title: str) -> None:
        from docx.shared import Pt

        word, number = _WORD[self._lang][kind], self._numbers[kind, id]
        self._bookmarks += 1
        english = self._lang == "en"
        label = [run(f"{word} ", bold=english), *field(f"SEQ {word} \\* ARABIC", str(number), bold=english)]
        named = bookmarked(label, bookmark_name(kind, id), self._bookmarks)
        if english:
            self._paragraph("Caption", named, keep=True)
            if title:
                self._paragraph("Caption", [run(one_line(title), italic=True)], keep=True)
        else:
            # Above a table and below a figure, on one line; a figure's caption holds to nothing below.
            made = self._paragraph("Caption", [*named, run(f"  {one_line(title)}")])
            made.paragraph_format.keep_with_next = kind == "table"
            if kind == "figure":
                made.paragraph_format.space_after = Pt(14)

    def _note(self, table: Table) -> None:
        if not table.note:
            self._paragraph("Table Note", [])
            return
        english = self._lang == "en"
        lead = [run(_NOTE[self._lang], italic=english)] + ([run(" ")] if english else [])
        self._paragraph(
            "Table Note", lead + [run(text, italic=symbol) for text, symbol in note_parts(table.note, self._lang)]
        )

    def _figure(self, figure: Figure) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Length, Mm, Pt

        if not figure.png:
            raise ConfigurationError(
                f"Figure '{figure.id}' has no PNG, which Word needs; draw it with 300 dpi or more."
            )
        english = self._lang == "en"
        if english:
            self._caption("figure", figure.id, figure.caption)
        paragraph = self._document.add_paragraph(style="Table Text")
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.keep_with_next = not english
        paragraph.paragraph_format.space_after = Pt(14 if english else 0)
        width = min(figure.width_mm, TEXT_WIDTH["portrait"] / _POINTS_PER_MM)
        drawn = paragraph.add_run().add_picture(io.BytesIO(figure.png))
        scale = min(1.0, Mm(width) / drawn.width, Mm(200) / drawn.height)
        drawn.width, drawn.height = Length(drawn.width * scale), Length(drawn.height * scale)
        properties = drawn._inline.docPr
        properties.set("descr", one_line(figure.description or figure.caption))
        properties.set("name", figure.id)
        if not english:
            self._caption("figure", figure.id, figure.caption)

    def _add_keys(self) -> None:
        """Keep the keys that are too long for a tag in a part of the document that Word does not touch."""
        if not self._keys:
            return
        from docx.opc.constants import RELATIONSHIP_TYPE
        from docx.opc.packuri import PackURI
        from docx.opc.part import Part as File

        entries = "".join(
            f"<value digest={quoteattr(name)} key={quoteattr(one_line(key))}/>"
            for name, key in sorted(self._keys.items())
        )
        blob = f'<?xml version="1.0" encoding="UTF-8"?>\n<values xmlns="{KEYS}">{entries}</values>'.encode()
        part = self._document.part
        name = part.package.next_partname("/customXml/item%d.xml")
        part.relate_to(File(PackURI(name), "application/xml", blob, part.package), RELATIONSHIP_TYPE.CUSTOM_XML)


def _numbers(manuscript: Manuscript) -> dict[tuple[str, str], int]:
    """Return the number of every table and figure, in reading order."""
    found: dict[tuple[str, str], int] = {}
    counts = {"table": 0, "figure": 0}
    for block in manuscript.blocks:
        if not isinstance(block, (Table, Figure)):
            continue
        kind = "table" if isinstance(block, Table) else "figure"
        if (kind, block.id) in found:
            raise ConfigurationError(f"The manuscript holds two {kind}s with the id '{block.id}'; ids must differ.")
        counts[kind] += 1
        found[kind, block.id] = counts[kind]
    return found
