"""A table as plain text and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from sem_loyalty.display.escaping import markdown, one_line
from sem_loyalty.display.grid import Grid, Parts, Shown
from sem_loyalty.errors import display_width

_BLANK = {"en": " ", "zh": ""}


def text_table(grid: Grid) -> str:
    """Return a table for a terminal, aligned by display width."""
    body = [[one_line(cell.text + cell.stars) + " " * len(cell.pad) for cell in row] for row in grid.rows]
    heads = [one_line(grid.head(k)) for k in range(len(grid.heads))]
    widths = [max(map(display_width, cells)) for cells in zip(heads, *body, strict=True)]
    spanners = _spanners(grid, widths)
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    lines = [one_line(grid.caption)] if grid.caption else []
    lines += [rule, *spanners, _text_row(grid, heads, widths), rule]
    for position, row in enumerate(body):
        lines += [one_line(grid.sections[position])] if position in grid.sections else []
        lines.append(_text_row(grid, row, widths))
    lines.append(rule)
    if grid.note:
        lines.append(one_line(grid.lead + _BLANK[grid.lang] + _plain(grid.note)))
    return "\n".join(lines)


def _spanners(grid: Grid, widths: list[int]) -> list[str]:
    """Return the lines of spanner heads and their rules; widens the last column of a group that is too narrow."""
    if not grid.groups:
        return []
    names, rules, first = [], [], 0
    for name, count in grid.groups:
        own = widths[first : first + count]
        lacking = display_width(one_line(name)) - (sum(own) + 2 * (count - 1))
        widths[first + count - 1] += max(lacking, 0)
        width = sum(widths[first : first + count]) + 2 * (count - 1)
        blank = width - display_width(one_line(name))
        names.append(" " * (blank // 2) + one_line(name) + " " * (blank - blank // 2))
        rules.append(("─" if name else " ") * width)
        first += count
    return ["  ".join(names).rstrip(), "  ".join(rules).rstrip()]


def _text_row(grid: Grid, cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = []
    for left, cell, width in zip(grid.left, cells, widths, strict=True):
        blanks = " " * (width - display_width(cell))
        padded.append(cell + blanks if left else blanks + cell)
    return "  ".join(padded).rstrip()


def markdown_table(grid: Grid) -> str:
    """Return a pipe table; a spanner stands before the heads of its columns, which pipe tables cannot merge."""
    heads, groups = [], [name for name, count in grid.groups for _ in range(count)] or [""] * len(grid.heads)
    for parts, group in zip(grid.heads, groups, strict=True):
        heads.append((f"{markdown(group)}: " if group else "") + _marked(parts))
    lines = [f"| {' | '.join(heads)} |", "|" + "|".join(":--" if left else "--:" for left in grid.left) + "|"]
    for position, row in enumerate(grid.rows):
        if position in grid.sections:
            lines.append(f"| **{markdown(grid.sections[position])}** |" + " |" * (len(row) - 1))
        lines.append(f"| {' | '.join(map(_markdown_cell, row))} |")
    before = [f"**{markdown(grid.caption)}**", ""] if grid.caption else []
    lead = f"*{grid.lead}* " if grid.lang == "en" else grid.lead
    after = ["", lead + _marked(grid.note)] if grid.note else []
    return "\n".join([*before, *lines, *after])


def _markdown_cell(cell: Shown) -> str:
    return markdown(cell.text + cell.stars)


def _marked(parts: Parts) -> str:
    return "".join(f"*{markdown(text)}*" if symbol else markdown(text) for text, symbol in parts)


def _plain(parts: Parts) -> str:
    return "".join(text for text, _ in parts)
