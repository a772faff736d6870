"""A table as LaTeX with the package booktabs."""

from __future__ import annotations

from sem_loyalty.display.escaping import latex
from sem_loyalty.display.grid import Grid, Parts, Shown
from sem_loyalty.display.widths import column_widths

#: A longer table breaks over pages.
LONG = 40
# Widths are in em; a page of A4 takes about so many at 10 pt.
_LINE = 44.0


def latex_table(grid: Grid) -> str:
    """Return a ``table``, or a ``longtable`` of more than 40 rows; see `Table.to_latex`."""
    align = _alignment(grid)
    head = [*_spanners(grid), " & ".join(_parts(parts) for parts in grid.heads) + r" \\", r"\midrule"]
    body = []
    for position, row in enumerate(grid.rows):
        if position in grid.sections:
            body.append(rf"\multicolumn{{{len(row)}}}{{l}}{{\textbf{{{latex(grid.sections[position])}}}}} \\")
        body.append(" & ".join(map(_cell, row)) + r" \\")
    title = latex(grid.caption)
    if len(grid.rows) > LONG:
        caption = rf"\caption{{{title}}}\label{{tab:{grid.id}}} \\" if title else rf"\label{{tab:{grid.id}}} \\"
        lines = [rf"\begin{{longtable}}{{{align}}}", caption, r"\toprule", *head, r"\endfirsthead"]
        lines += [r"\toprule", *head, r"\endhead", r"\bottomrule", r"\endfoot", *body, r"\end{longtable}"]
        return "\n".join([*lines, *([_note(grid)] if grid.note else [])]) + "\n"
    lines = [r"\begin{table}[htbp]", r"\centering"]
    lines += [rf"\caption{{{title}}}"] if title else []
    lines += [rf"\label{{tab:{grid.id}}}", rf"\begin{{tabular}}{{{align}}}", r"\toprule"]
    lines += [*head, *body, r"\bottomrule", r"\end{tabular}"]
    lines += [_note(grid)] if grid.note else []
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _alignment(grid: Grid) -> str:
    """Return the columns; of a table too wide for a page, long texts are set in paragraphs."""
    widths = column_widths(grid)
    over = sum(widths) > _LINE
    texts = [left and width > 12.0 for left, width in zip(grid.left, widths, strict=True)]
    room = max(_LINE - sum(w for w, text in zip(widths, texts, strict=True) if not text), 10.0)
    wanted = sum(w for w, text in zip(widths, texts, strict=True) if text)
    made = []
    for left, width, text in zip(grid.left, widths, texts, strict=True):
        share = min(0.9, room * width / wanted / _LINE) if text else 0.0
        made.append(rf"p{{{share:.2f}\linewidth}}" if over and text else "l" if left else "r")
    return "".join(made)


def _spanners(grid: Grid) -> list[str]:
    if not grid.groups:
        return []
    names, rules, first = [], [], 1
    for name, count in grid.groups:
        if name:
            names.append(rf"\multicolumn{{{count}}}{{c}}{{{latex(name)}}}")
            rules.append(rf"\cmidrule(lr){{{first}-{first + count - 1}}}")
        else:
            names += [""] * count
        first += count
    return [" & ".join(names) + r" \\", "".join(rules)]


def _cell(cell: Shown) -> str:
    pad = rf"\phantom{{{latex(cell.pad)}}}" if cell.pad else ""
    return latex(cell.text + cell.stars) + pad


def _note(grid: Grid) -> str:
    lead = latex(grid.lead) if grid.lang == "zh" else rf"\textit{{{latex(grid.lead)}}} "
    return rf"\par\smallskip{{\footnotesize\raggedright {lead}{_parts(grid.note)}\par}}"


def _parts(parts: Parts) -> str:
    return "".join(rf"\textit{{{latex(text)}}}" if symbol else latex(text) for text, symbol in parts)
