"""A table as HTML."""

from __future__ import annotations

from sem_loyalty.display.escaping import html_text
from sem_loyalty.display.grid import LANGUAGES, Grid, Parts, Shown


def html_table(grid: Grid, *, inline: bool) -> str:
    """Return one ``table`` element; see `Table.to_html`."""

    def style(rules: str) -> str:
        return f' style="{rules}"' if inline else ""

    lines = [
        f'<table class="sl-table" id="{html_text(grid.id)}" lang="{LANGUAGES[grid.lang]}"'
        + style(
            "border-collapse:collapse;font-variant-numeric:tabular-nums"
            # The note stands below the third line.
            + ("" if grid.note else ";border-bottom:1.5pt solid")
        )
        + ">"
    ]
    if grid.caption:
        text = style("text-align:left;font-weight:bold;caption-side:top;padding:.3em 0")
        lines.append(f"<caption{text}>{html_text(grid.caption)}</caption>")
    lines.append(f"<thead>{_head(grid, inline)}</thead>\n<tbody>")
    for position, row in enumerate(grid.rows):
        if position in grid.sections:
            rules = style("border:0;padding:.4em .6em .2em;background:none;text-align:left;font-weight:bold")
            title = html_text(grid.sections[position])
            lines.append(f'<tr class="sl-section"><th scope="rowgroup" colspan="{len(row)}"{rules}>{title}</th></tr>')
        cells = []
        for place, (cell, left) in enumerate(zip(row, grid.left, strict=True)):
            wrap = "font-weight:normal;" if left else "white-space:nowrap;"
            rules = style(f"border:0;padding:.2em .6em;background:none;{wrap}text-align:{'left' if left else 'right'}")
            tag, scope = ("th", ' scope="row"') if place == 0 and left else ("td", "")
            classes = "" if left else ' class="sl-number"'
            cells.append(f"<{tag}{scope}{classes}{rules}>{_cell(cell, inline)}</{tag}>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    lines.append("</tbody>")
    if grid.note:
        rules = style("border:0;border-top:1.5pt solid;padding:.3em 0;text-align:left;font-size:.9em")
        foot = f'<td class="sl-note" colspan="{len(grid.heads)}"{rules}>{html_note(grid)}</td>'
        lines.append(f"<tfoot><tr>{foot}</tr></tfoot>")
    lines.append("</table>")
    return "\n".join(lines)


def html_note(grid: Grid) -> str:
    """Return the note of a table, "Note." before it, without an element around it."""
    # Chinese type has no italics for words.
    lead = grid.lead if grid.lang == "zh" else f"<i>{grid.lead}</i> "
    return f"{lead}{_parts(grid.note)}"


def _head(grid: Grid, inline: bool) -> str:
    """Return one row of heads, or two where columns share spanners."""
    top = "border:0;border-top:1.5pt solid;padding:.25em .6em;background:none;"
    line = "border-bottom:.75pt solid;"

    def cell(content: str, rules: str, *, left: bool = False, extra: str = "", group: bool = False) -> str:
        classes = ' class="sl-group"' if group else "" if left else ' class="sl-number"'
        align = "center" if group else "left" if left else "right"
        style = f' style="{rules}text-align:{align}"' if inline else ""
        return f'<th scope="{"colgroup" if group else "col"}"{extra}{classes}{style}>{content}</th>'

    heads = [_parts(parts) for parts in grid.heads]
    if not grid.groups:
        single = [cell(head, top + line, left=left) for head, left in zip(heads, grid.left, strict=True)]
        return f"<tr>{''.join(single)}</tr>"
    above: list[str] = []
    below: list[str] = []
    first = 0
    for name, count in grid.groups:
        span = range(first, first + count)
        if name:
            above.append(cell(html_text(name), top + line, extra=f' colspan="{count}"', group=True))
            below += [
                cell(heads[k], top.replace("border-top:1.5pt solid;", "") + line, left=grid.left[k]) for k in span
            ]
        else:
            above += [cell(heads[k], top + line, left=grid.left[k], extra=' rowspan="2"') for k in span]
        first += count
    return f"<tr>{''.join(above)}</tr><tr>{''.join(below)}</tr>"


def _cell(cell: Shown, inline: bool) -> str:
    hidden = ' style="visibility:hidden"' if inline else ""
    pad = f'<span class="sl-pad" aria-hidden="true"{hidden}>{cell.pad}</span>' if cell.pad else ""
    return html_text(cell.text + cell.stars) + pad


def _parts(parts: Parts) -> str:
    return "".join(f"<i>{html_text(text)}</i>" if symbol else html_text(text) for text, symbol in parts)
