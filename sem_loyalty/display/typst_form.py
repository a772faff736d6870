"""A table as Typst."""

from __future__ import annotations

from sem_loyalty.display.escaping import typst
from sem_loyalty.display.grid import Grid, Parts, Shown
from sem_loyalty.display.widths import column_widths

_WORD = {"en": "Table", "zh": "表"}
# A column of texts wider than this many em takes the room that the others leave, and breaks its lines.
_LONG = 14.0
_LINE = 46.0


def typst_table(grid: Grid) -> str:
    """Return a ``figure`` of kind table with a label; see `Table.to_typst`."""
    widths = column_widths(grid)
    over = sum(widths) + len(widths) > _LINE
    columns = [
        f"{max(width, 1.0):.0f}fr" if over and left and width > _LONG else "auto"
        for width, left in zip(widths, grid.left, strict=True)
    ]
    align = ["left" if left else "right" for left in grid.left]
    lines = [
        "#[",
        "#show figure.where(kind: table): set block(breakable: true)",
        "#show figure.where(kind: table): set figure.caption(position: top)",
        "#figure(",
        f"  kind: table, supplement: [{_WORD[grid.lang]}], caption: [{typst(grid.caption)}],",
        "  {",
        "    set par(justify: false, first-line-indent: 0pt, leading: 0.5em)",
        "    set text(size: 0.88em)",
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
