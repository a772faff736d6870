"""One HTML page: a single file that needs no network, runs no script but its own and escapes every text."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources

from sem_loyalty.display import LANGUAGES, Table
from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.embedded_svg import embedded
from sem_loyalty.publish.lang import word

_ID = re.compile(r"[a-z][a-z0-9-]*\Z")
# Words that the script of the page needs.
_CONTROLS = ("hint", "items", "weak", "copy", "copied", "save", "diagram", "none")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing of a page; the page numbers it.

    Attributes
    ----------
    id : str
        Lower-case anchor, unique among the drawings of the page.
    svg : str
        A whole SVG document.
    caption : str
        Below the drawing, without a number.
    description : str
        The drawing in words, for those who cannot see it.
    diagram : int, default 0
        Number of the path diagram whose lines the data of the page describe; 0 for other drawings.
    """

    id: str
    svg: str
    caption: str
    description: str
    diagram: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a page.

    Attributes
    ----------
    id : str
        Lower-case anchor.
    heading : str
        Heading, also the entry of the contents.
    parts : tuple of str, Table or Drawing
        HTML from the functions of this module; tables and drawings, which the page numbers in reading order.
    withheld : bool, default False
        Whether its numbers are greyed because they must not be reported.
    """

    id: str
    heading: str
    parts: tuple[str | Table | Drawing, ...]
    withheld: bool = False

    def __post_init__(self) -> None:
        if not _ID.match(self.id):
            raise ConfigurationError(f"Section id {self.id!r}: use lower-case letters, digits and '-'.")


def escape(text: object) -> str:
    """Return a text with the five special characters of HTML escaped and control characters blanked."""
    plain = "".join(" " if ord(character) < 32 and character != "\n" else character for character in str(text))
    return html.escape(plain)


def paragraph(text: str, *, kind: str = "", lang: str = "") -> str:
    """Return a paragraph; `kind` is a class of the style sheet, `lang` the language where it is not the page's."""
    return f"<p{_class(kind)}{_lang(lang)}>{escape(text)}</p>"


def heading(text: str) -> str:
    """Return a heading inside a section."""
    return f"<h3>{escape(text)}</h3>"


def bullets(texts: Iterable[str], *, lang: str = "") -> str:
    """Return a list, or "" where there is nothing to list; `lang` where it is not in the language of the page."""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul{_lang(lang)}>{items}</ul>" if items else ""


def box(kind: str, heading: str, parts: Sequence[str]) -> str:
    """Return a bordered box.

    Parameters
    ----------
    kind : str
        "good", "bad" or "notice"; the heading says the same in words, so colour carries no meaning alone.
    heading : str
        Plain text.
    parts : sequence of str
        HTML.

    Returns
    -------
    str
    """
    return f'<div class="box {escape(kind)}"><p class="box-head">{escape(heading)}</p>{"".join(parts)}</div>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names and values as a definition list."""
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{rows}</dl>'


def glance(cards: Iterable[tuple[str, str, str]]) -> str:
    """Return the few figures that a reader looks for first: of each its name, its value and a remark, "" for none."""
    made = []
    for name, value, remark in cards:
        below = f'<dd class="remark">{escape(remark)}</dd>' if remark else ""
        made.append(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd>{below}</div>")
    return f'<dl class="glance">{"".join(made)}</dl>'


def source(text: str) -> str:
    """Return preformatted text, for instance a model."""
    return f'<pre tabindex="0"><code>{escape(text.rstrip())}</code></pre>'


def table(content: Table, lang: str, number: int = 0) -> str:
    """Return a table that scrolls by itself on a narrow screen and can be reached by keyboard.

    Parameters
    ----------
    content : Table
    lang : {"en", "zh"}
    number : int, default 0
        Put before the caption; 0 for none.

    Returns
    -------
    str
    """
    caption = _numbered(word("table_number", lang, n=number), content.caption, lang) if number else content.caption
    # A section may have the name of a table, and ids must be unique on a page.
    inner = replace(content, id=f"table-{content.id}", caption=caption, note="").to_html(lang, inline=False)
    scroll = f'<div class="scroll table" role="region" tabindex="0" aria-label="{escape(caption)}">{inner}</div>'
    # Outside of what scrolls, so that a note can be read on a telephone without scrolling sideways.
    note = f'<p class="sl-note">{content.note_html(lang)}</p>' if content.note else ""
    return f'<div class="tabular">{scroll}{note}</div>'


def figure(svg: str, caption: str, description: str, *, number: int = 1, id: str = "", diagram: int = 0) -> str:
    """Return an inline drawing with its caption.

    Parameters
    ----------
    svg, caption, description, id, diagram
        As in Drawing; the caption with its number.
    number : int, default 1
        Of the drawing on its page, since ids must be unique there.

    Returns
    -------
    str

    Raises
    ------
    ConfigurationError
        If the drawing is not SVG, or holds a script, a style, an event handler or a link.
    """
    drawing = embedded(svg, f"drawing-{number}-")
    attributes = (f' id="{escape(id)}"' if id else "") + (f' data-diagram="{diagram}"' if diagram else "")
    scroll = f'<div class="scroll drawing" role="group" tabindex="0" aria-label="{escape(description)}">{drawing}</div>'
    return f"<figure{attributes}>{scroll}<figcaption>{escape(caption)}</figcaption></figure>"


def page(
    title: str,
    sections: Sequence[Section],
    *,
    lang: str,
    subtitle: str = "",
    notice: str = "",
    footer: str = "",
    grave: bool = False,
    lines: Mapping[str, object] | None = None,
) -> str:
    """Return a whole HTML document.

    Parameters
    ----------
    title, subtitle : str
        Heading of the page and the line below it.
    sections : sequence of Section
        In order; the first is the one that a reader must not miss.
    lang : {"en", "zh"}
        Language of the page.
    notice : str, default ""
        A warning that stands above everything and below every printed page, for instance "Simulated data".
    footer : str, default ""
        Last line.
    grave : bool, default False
        Whether the notice says that nothing on the page may be reported.
    lines : mapping, optional
        By number of the path diagram, what its lines say: the lists of `path_lines`.

    Returns
    -------
    str
        UTF-8 text. Its content security policy forbids every request, and every script and style but the one of each
        that it names by its hash. Without scripts the page is complete; they add controls.
    """
    style, script = _resource("report.css"), _bare(_resource("report.js"))
    if notice:
        style += f"@page {{ @bottom-center {{ content: {_css_text(notice)}; font: 600 8pt sans-serif; }} }}\n"
    policy = (
        f"default-src 'none'; script-src 'sha256-{_digest(script)}'; style-src 'sha256-{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    body, listed = _numbered_sections(sections, lang)
    entries = "".join(f'<li><a href="#{section.id}">{escape(section.heading)}</a></li>' for section in sections)
    numbered = "".join(f'<li><a href="#{id}">{escape(caption)}</a></li>' for id, caption in listed)
    more = f"<details><summary>{escape(word('listed', lang))}</summary><ol>{numbered}</ol></details>" if listed else ""
    kind = "strip grave" if grave else "strip"
    strip = f'<p class="{kind}" role="note">{escape(notice)}</p>' if notice else ""
    below = f'<p class="subtitle">{escape(subtitle)}</p>' if subtitle else ""
    words = {key: word(f"control_{key}", lang) for key in _CONTROLS}
    return f"""<!DOCTYPE html>
<html lang="{LANGUAGES[lang]}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#{sections[0].id}">{escape(word("skip", lang))}</a>
{strip}
<header><h1>{escape(title)}</h1>{below}</header>
<nav aria-label="{escape(word("contents", lang))}"><ol>{entries}</ol>{more}</nav>
<main>
{body}
</main>
<footer><p>{escape(footer)}</p></footer>
<script type="application/json" id="page-data">{_json({"words": words, "lines": dict(lines or {})})}</script>
<script>{script}</script>
</body>
</html>
"""


def _numbered_sections(sections: Sequence[Section], lang: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the sections as HTML, and the anchor and caption of every table and drawing, numbered as they come."""
    made: list[str] = []
    listed: list[tuple[str, str]] = []
    tables = drawings = 0
    for section in sections:
        parts: list[str] = []
        for part in section.parts:
            if isinstance(part, Table):
                tables += 1
                parts.append(table(part, lang, tables))
                number = word("table_number", lang, n=tables)
                listed.append((f"table-{part.id}", _numbered(number, part.caption, lang)))
            elif isinstance(part, Drawing):
                drawings += 1
                anchor = f"figure-{part.id}"
                caption = _numbered(word("figure_number", lang, n=drawings), part.caption, lang)
                parts.append(
                    figure(part.svg, caption, part.description, number=drawings, id=anchor, diagram=part.diagram)
                )
                listed.append((anchor, caption))
            else:
                parts.append(part)
        made.append(_section(section, parts, lang))
    return "\n".join(made), listed


def _numbered(number: str, caption: str, lang: str) -> str:
    # Chinese sets a full-width blank between number and title.
    return f"{number}. {caption}" if lang == "en" else f"{number}\u3000{caption}"


def _section(section: Section, parts: Sequence[str], lang: str) -> str:
    warning = paragraph(word("withheld", lang), kind="withheld-note") if section.withheld else ""
    inner = "\n".join(parts)
    heading = f'<h2 id="{section.id}-heading">{escape(section.heading)}</h2>'
    classes = _class("withheld" if section.withheld else "")
    return (
        f'<section id="{section.id}" aria-labelledby="{section.id}-heading"{classes}>\n'
        f"{heading}\n{warning}{inner}\n</section>"
    )


def _resource(name: str) -> str:
    return resources.files("sem_loyalty.publish").joinpath(name).read_text(encoding="utf-8")


def _bare(script: str) -> str:
    """Return a script without comments and indentation, which every report would carry."""
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _json(content: object) -> str:
    """Return JSON that cannot end the element that it stands in."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "".join(f"\\u{ord(sign):04x}" if sign in "<>&\u2028\u2029" else sign for sign in text)


def _class(kind: str) -> str:
    return f' class="{escape(kind)}"' if kind else ""


def _lang(lang: str) -> str:
    return f' lang="{LANGUAGES[lang]}"' if lang else ""


def _css_text(text: str) -> str:
    """Return a text as a string of CSS; everything but letters, digits and blanks is written by its code point."""
    return '"' + "".join(sign if sign.isalnum() or sign == " " else f"\\{ord(sign):x} " for sign in text) + '"'


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
