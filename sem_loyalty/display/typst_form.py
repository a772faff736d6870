"""A table as Typst."""

from __future__ import annotations

from sem_loyalty.display.escaping import typst
from sem_loyalty.display.grid import Grid, Parts, Shown
from sem_loyalty.display.widths import column_widths, text_width

_WORD = {"en": "Table", "zh": "表"}
# A column of texts wider than this many em takes the room that the others leave, and breaks its lines.
_LONG = 14.0
_LINE = 46.0
_INSET = 0.8  # em left and right of a cell together
#: A table of at most so many rows stays on one page.
WHOLE = 15


def typst_table(grid: Grid) -> str:
    """Return a ``figure`` of kind table with a label; see `Table.to_typst`."""
    widths = column_widths(grid)
    over = sum(widths) + _INSET * len(widths) > _LINE
    breaking = [over and left and width > _LONG for width, left in zip(widths, grid.left, strict=True)]
    columns = [f"{width:.0f}fr" if broken else "auto" for width, broken in zip(widths, breaking, strict=True)]
    least = sum(
        min(width, max(_LONG, _longest_word(grid, k))) if broken else width
        for k, (width, broken) in enumerate(zip(widths, breaking, strict=True))
    )
    # A table too wide for the page is set smaller; below 6 pt nobody could read it.
    size = 0.88 * max(min(1.0, _LINE / (least + _INSET * len(widths))), 0.6)
    align = ["left" if left else "right" for left in grid.left]
    lines = [
        "#[",
        f"#show figure.where(kind: table): set block(breakable: {'true' if len(grid.rows) > WHOLE else 'false'})",
        "#show figure.where(kind: table): set figure.caption(position: top)",
        "#figure(",
        f"  kind: table, supplement: [{_WORD[grid.lang]}], caption: [{typst(grid.caption)}],",
        "  {",
        "    set par(justify: false, first-line-indent: 0pt, leading: 0.5em)",
        f"    set text(size: {size:.2f}em)",
        "    table(",
        f"      columns: ({', '.join(columns)},), align: ({', '.join(f'{side} + bottom' for side in align)},),",
        "      stroke: none, inset: (x: 0.4em, y: 0.32em),",
        "      table.header(",
        "        table.hline(stroke: 1.2pt),",
        *(f"        {line}" for line in _head(grid)),
        "        table.hline(stroke: 0.6pt),",
        "      ),",
    ]
    for position, row in enumerate(grid.rows):
        if position in grid.sections:
            title = f"[#strong[{typst(grid.sections[position])}]]"
            lines.append(f"      table.cell(colspan: {len(row)}, align: left, {title}),")
        lines.append("      " + ", ".join(f"[{_cell(cell)}]" for cell in row) + ",")
    lines += ["      table.hline(stroke: 1.2pt),", "    )"]
    if grid.note:
        lead = typst(grid.lead) if grid.lang == "zh" else f"#emph[{typst(grid.lead)}]; "
        note = f"#set align(left); #set text(size: 0.92em); {lead}{_parts(grid.note)}"
        lines.append(f"    block(above: 0.5em, width: 100%, [{note}])")
    lines += ["  },", f") <tab-{grid.id}>", "]"]
    return "\n".join(lines) + "\n"


def _longest_word(grid: Grid, column: int) -> float:
    words = [word for row in grid.rows for word in row[column].text.split() if word.isascii()]
    return max(map(text_width, words), default=0.0)


def _head(grid: Grid) -> list[str]:
    """Return the cells of the head, spanner heads with their rules first."""
    heads = [f"[{_parts(parts)}]," for parts in grid.heads]
    if not grid.groups:
        return [" ".join(heads)]
    above, rules, first = [], [], 0
    for name, count in grid.groups:
        above.append(f"table.cell(colspan: {count}, align: center, [{typst(name)}]),")
        if name:
            rules.append(f"table.hline(y: 1, start: {first}, end: {first + count}, stroke: 0.4pt),")
        first += count
    return [" ".join(above), *rules, " ".join(heads)]


def _cell(cell: Shown) -> str:
    return typst(cell.text + cell.stars) + (f"#hide[{typst(cell.pad)}]" if cell.pad else "")


def _parts(parts: Parts) -> str:
    # The semicolon ends the call, whatever text follows it.
    return "".join(f"#emph[{typst(text)}];" if symbol else typst(text) for text, symbol in parts)
