"""A Table as a three-line table of Word."""

from __future__ import annotations

from typing import Any

from sem_loyalty.display import Table
from sem_loyalty.display.escaping import one_line
from sem_loyalty.display.grid import Grid, Parts, Shown, grid
from sem_loyalty.display.widths import column_widths, text_width
from sem_loyalty.publish.word.markup import element, run
from sem_loyalty.publish.word.styles import TEXT_WIDTH

#: How the description of a table in Word begins; its id follows.
DESCRIPTION = "sem_loyalty table "
#: As wide as a digit, and in Times New Roman as a star.
PAD = "\u2007"
_SIZE = 10.0  # points, of the style "Table Text"
#: Sizes of type that a table may take, in points; the largest at which it fits is taken.
SIZES = (_SIZE, 9.0, 8.0, 7.0, 6.0)
_MARGIN = 0.35  # em left and right of a cell
_SLACK = 0.15  # em: a head as wide as its column to the point breaks in one program and not in another
_LONG = 13.0  # em: a column of texts that is wider may break its lines
#: The same where the page would have to be turned sideways otherwise, or the type be smaller than READABLE.
TIGHT = 11.0
READABLE = 8.0  # points
_THICK, _MIDDLE, _THIN = 12, 6, 4  # eighths of a point


def natural_width(shown: Grid, size: float = _SIZE, long: float = _LONG) -> float:
    """Return the width in points that a table takes at least, heads and texts of more than `long` em broken."""
    return sum((width + 2 * _MARGIN) * size for width in _least(shown, long))


def table_element(table: Table, lang: str, orientation: str) -> Any:
    """Return the ``w:tbl`` of a table, as wide as the text of its page.

    Parameters
    ----------
    table : Table
    lang : {"en", "zh"}
        Of the numbers.
    orientation : {"portrait", "landscape"}

    Returns
    -------
    lxml element
        Its head repeats on every page, no row is cut by the end of one, and a table of at most 12 rows stays whole.
    """
    shown = grid(table, lang)
    room = TEXT_WIDTH[orientation]
    size, long = _size(shown, room)
    widths = [round(20 * width) for width in _fitted(shown, size, room, long)]
    margins = element(
        "w:tblCellMar",
        element("w:left", w_w=round(20 * _MARGIN * size), w_type="dxa"),
        element("w:right", w_w=round(20 * _MARGIN * size), w_type="dxa"),
    )
    made = element(
        "w:tbl",
        element(
            "w:tblPr",
            element("w:tblW", w_w=sum(widths), w_type="dxa"),
            element("w:jc", w_val="center"),
            element("w:tblLayout", w_type="fixed"),
            margins,
            element("w:tblCaption", w_val=one_line(table.caption)[:250]),
            element("w:tblDescription", w_val=DESCRIPTION + table.id),
        ),
        element("w:tblGrid", *(element("w:gridCol", w_w=width) for width in widths)),
    )
    form = _Form(shown, widths, size, whole=len(shown.rows) <= 12)
    for row in (*form.head(), *form.body()):
        made.append(row)
    return made


def _size(shown: Grid, room: float) -> tuple[float, float]:
    """Return the size of type in points, and the width in em from which a text may break."""
    ways = [(size, long) for size in SIZES for long in ((_LONG,) if size > READABLE else (_LONG, TIGHT))]
    return next((way for way in ways if natural_width(shown, *way) <= room), ways[-1])


def _fitted(shown: Grid, size: float, room: float, long: float) -> list[float]:
    """Return the widths of the columns in points: what can break gives way first, the rest is spread or squeezed."""
    full = [(width + _SLACK + 2 * _MARGIN) * size for width in column_widths(shown)]
    excess = sum(full) - room
    if excess > 0:
        give = [most - (least + 2 * _MARGIN) * size for most, least in zip(full, _least(shown, long), strict=True)]
        if sum(give) > 0:
            share = min(1.0, excess / sum(give))
            full = [width - share * part for width, part in zip(full, give, strict=True)]
    total = sum(full)
    return [width * room / total for width in full]


def _least(shown: Grid, long: float = _LONG) -> list[float]:
    """Return the least width of every column in em: a number stays on one line, a text and a head may break."""
    found = []
    for k, (left, full) in enumerate(zip(shown.left, column_widths(shown), strict=True)):
        cells = [row[k].text + row[k].stars + row[k].pad for row in shown.rows]
        head = _unbroken(shown.head(k))
        body = max((_unbroken(cell) if left else text_width(cell) for cell in cells), default=0.0)
        # A text of more than a few words on lines of one word each would be a tower.
        roomy = min(full, long) if left else 0.0
        found.append(min(full, max(head, body, roomy)) + _SLACK)
    return found


def _unbroken(text: str) -> float:
    """Return the width of the longest stretch that does not break, in em; Chinese breaks after any character."""
    widths = (text_width(word) if word.isascii() else min(text_width(word), 6.0) for word in text.split())
    return min(max(widths, default=0.0), 2 * _LONG)


class _Form:
    """The rows of one table."""

    def __init__(self, shown: Grid, widths: list[int], size: float, *, whole: bool) -> None:
        self._grid, self._widths, self._size, self._whole = shown, widths, size, whole

    def head(self) -> list[Any]:
        """Return the rows of the head, which repeat on every page."""
        rows, groups = [], self._grid.groups
        if groups:
            cells, first = [], 0
            for name, count in groups:
                parts: Parts = ((name, False),) if name else ()
                lines = {"top": _THICK} | ({"bottom": _THIN} if name else {})
                cells.append(self._cell(parts, first, count, "center", lines))
                first += count
            rows.append(self._row(cells, head=True, keep=True))
        lines = {"bottom": _MIDDLE} | ({} if groups else {"top": _THICK})
        cells = [
            self._cell(parts, k, 1, "left" if self._grid.left[k] else "right", lines)
            for k, parts in enumerate(self._grid.heads)
        ]
        return [*rows, self._row(cells, head=True, keep=True)]

    def body(self) -> list[Any]:
        """Return the rows of the body, headings of sections included."""
        made, last = [], len(self._grid.rows) - 1
        for position, row in enumerate(self._grid.rows):
            title = self._grid.sections.get(position)
            if title is not None:
                # A heading in a table of one column is told from a row by its bold type alone.
                cell = self._cell(((title, False),), 0, len(row), "left", {}, bold=True)
                made.append(self._row([cell], keep=True))
            lines = {"bottom": _THICK} if position == last else {}
            cells = [
                self._cell(_with_stars(cell), k, 1, "left" if self._grid.left[k] else "right", lines)
                for k, cell in enumerate(row)
            ]
            # The first rows hold to the head; the last ones to each other and to the note.
            made.append(self._row(cells, keep=self._whole or position < 3 or position >= last - 2))
        return made

    def _row(self, cells: list[Any], *, head: bool = False, keep: bool = False) -> Any:
        properties = element("w:trPr", element("w:cantSplit"), *([element("w:tblHeader")] if head else []))
        if keep:
            for cell in cells:
                cell.find(_qn("w:p")).find(_qn("w:pPr")).insert(1, element("w:keepNext"))
        return element("w:tr", properties, *cells)

    def _cell(
        self, parts: Parts, first: int, count: int, align: str, lines: dict[str, int], *, bold: bool = False
    ) -> Any:
        borders = [
            element(f"w:{side}", w_val="single", w_sz=lines[side], w_space=0, w_color="000000")
            for side in ("top", "bottom")
            if side in lines
        ]
        properties = element("w:tcPr", element("w:tcW", w_w=sum(self._widths[first : first + count]), w_type="dxa"))
        if count > 1:
            properties.append(element("w:gridSpan", w_val=count))
        if borders:
            properties.append(element("w:tcBorders", *borders))
        properties.append(element("w:vAlign", w_val="center"))
        spacing = element("w:spacing", w_before=30, w_after=30)
        form = element("w:pPr", element("w:pStyle", w_val="TableText"), spacing, element("w:jc", w_val=align))
        paragraph = element("w:p", form)
        for text, italic in parts:
            piece = run(text.replace("\r", " ").replace("\n", " "), italic=italic, bold=bold)
            if self._size != _SIZE:
                properties_of_run = piece.find(_qn("w:rPr"))
                if properties_of_run is None:
                    properties_of_run = element("w:rPr")
                    piece.insert(0, properties_of_run)
                properties_of_run.append(element("w:sz", w_val=round(2 * self._size)))
            paragraph.append(piece)
        return element("w:tc", properties, paragraph)


def _with_stars(cell: Shown) -> Parts:
    text = cell.text + cell.stars + PAD * len(cell.pad)
    return ((text, False),) if text else ()


def _qn(name: str) -> str:
    from docx.oxml.ns import qn

    return str(qn(name))
