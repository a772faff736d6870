"""A manuscript as Typst: plain markup, every value in ``#claim("key")[...]``, every text escaped."""

from __future__ import annotations

import re

from sem_loyalty.display import Table
from sem_loyalty.publish.manuscript import Figure, Heading, Manuscript, Paragraph, Part, Symbol, Value
from sem_loyalty.publish.manuscripts.text import STUDY_MARK, plain_line

_ALWAYS = re.compile(r"[\\#$*_`<>@\[\]~\"]")
# What is markup only in company, or where a line begins.
_SOMETIMES = re.compile(r"(?<=-)-|-(?=[-?\d])|/(?=[/*])|(?<=[/*])/|(?<=\.)\.|(?<!\w)'|'(?!\w)")
_START = re.compile(r"[-+=/]|\d+\.")
# Columns beyond which a table is set smaller, and rows beyond which it may be broken.
_WIDE, _WIDEST, _LONG = 9, 12, 30

_FONTS = {
    "en": '#set text(lang: "en", size: 11pt)',
    "zh": '#set text(lang: "zh", region: "cn", size: 11pt, font: ("Libertinus Serif", "Noto Sans SC"))',
}


def typst(manuscript: Manuscript, *, figures: str = "figures") -> str:
    """Return a manuscript as a Typst document.

    Parameters
    ----------
    manuscript : Manuscript
    figures : str, default "figures"
        Folder of the figures, relative to the document.

    Returns
    -------
    str
        A whole document. Values stand in ``#claim("address")[text]``, where `sem-loyalty verify` finds them; `claim` is
        defined at the top and prints its body.
    """
    lines = [f"// {STUDY_MARK} {plain_line(manuscript.study)}"] if manuscript.study else []
    lines += [
        "#let claim(key, body) = body",
        f"#set document(title: {_string(manuscript.title)}, date: none)",
        '#set page(paper: "a4", margin: 25mm, numbering: "1")',
        _FONTS[manuscript.lang],
        "#set par(justify: true"
        + (", first-line-indent: (amount: 2em, all: true))" if manuscript.lang == "zh" else ")"),
        '#set heading(numbering: "1.1")',
        "#set figure(placement: none)",
        "#show figure.where(kind: table): set figure.caption(position: top)",
        f'#align(center, text(size: 16pt, weight: "bold")[{typst_text(manuscript.title)}])',
        "",
    ]
    for block in manuscript.blocks:
        if isinstance(block, Heading):
            lines.append(f"{'=' * block.level} {typst_text(block.text)}")
        elif isinstance(block, Paragraph):
            body = _paragraph(block.parts, english=manuscript.lang == "en")
            if block.kind == "warning":
                body = f'#block(width: 100%, inset: 8pt, stroke: 1pt + rgb("#b00020"))[{body}]'
            elif block.kind == "reference":
                body = f"#par(first-line-indent: 0pt, hanging-indent: 2em)[{body}]"
            lines.append(body)
        elif isinstance(block, Table):
            lines.append(_table_text(block))
        else:
            lines.append(_figure(block, figures))
        lines.append("")
    return "\n".join(lines)


def typst_text(text: str) -> str:
    """Return a text for Typst markup, with nothing in it that Typst would act on.

    Parameters
    ----------
    text : str
        Any text; line ends become blanks.
    """
    plain = plain_line(text)
    start = _START.match(plain)
    lead = ""
    if start:  # a heading, a list or a term, if a line began here
        lead, plain = start[0][:-1] + "\\" + start[0][-1], plain[start.end() :]
    escaped = _ALWAYS.sub(lambda match: f"\\{match[0]}", plain)
    return lead + _SOMETIMES.sub(lambda match: f"\\{match[0]}", escaped)


def _string(text: str) -> str:
    return '"' + plain_line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _paragraph(parts: tuple[Part, ...], *, english: bool) -> str:
    found: list[str] = []
    for part in parts:
        code = ""
        if isinstance(part, str):
            text = typst_text(part)
        elif isinstance(part, Value):
            text = code = f"#claim({_string(part.key)})[{typst_text(part.text)}]"
        elif isinstance(part, Symbol):
            text = code = f"#emph[{typst_text(part.text)}]" if english else ""
            text = text or typst_text(part.text)
        else:
            text = code = f"#ref(<{'tab' if part.kind == 'table' else 'fig'}-{part.id}>)"
        # Behind a call these characters would go on with the code.
        if found and found[-1].startswith("#") and not code and text[:1] in tuple("([.;"):
            found[-1] += ";"
        found.append(text)
    return "".join(found)


def _table_text(table: Table) -> str:
    """Return a table as a figure with the label ``<tab-id>``."""
    own = getattr(table, "to_typst", None)
    if own is not None:
        return str(own()).rstrip("\n")
    size = "5.5pt" if len(table.columns) > _WIDEST else "7pt" if len(table.columns) > _WIDE else "8.5pt"
    align = ", ".join("left" if column.kind == "text" else "right" for column in table.columns)
    rows = [[column.head for column in table.columns], *table.cells()]
    body = [f"  {', '.join(f'[{typst_text(cell)}]' for cell in row)}," for row in rows]
    columns = len(table.columns)
    lead = "注：" if table.lang == "zh" else "#emph[Note.] "
    note = (
        f"\n#align(left, par(first-line-indent: 0pt, text(size: 8pt)[{lead}{typst_text(table.note)}]))"
        if table.note
        else ""
    )
    broken = "#show figure: set block(breakable: true)\n" if len(table.rows) > _LONG else ""
    return (
        f"{broken}#figure(kind: table, caption: [{typst_text(table.caption)}])[\n#text(size: {size})[#set "
        "par(justify: false, "
        f"first-line-indent: 0pt)\n#table(columns: {columns}, align: ({align},), stroke: none, inset: (x: 3pt, y: "
        "3pt),\n"
        "  table.hline(stroke: 1pt), table.header(\n"
        f"{body[0]}\n  ), table.hline(stroke: 0.5pt),\n" + "\n".join(body[1:]) + "\n  table.hline(stroke: 1pt))]"
        f"{note}] <tab-{table.id}>"
    )


def _figure(figure: Figure, folder: str) -> str:
    kind = next((kind for kind in ("svg", "pdf", "png") if getattr(figure, kind)), "svg")
    return (
        f"#figure(image({_string(f'{folder}/{figure.id}.{kind}')}, width: 100%, alt: {_string(figure.description)}), "
        f"caption: [{typst_text(figure.caption)}]) <fig-{figure.id}>"
    )
