"""One HTML page: a single file that needs no network, runs no script and escapes every text."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from xml.etree import ElementTree

from sem_loyalty.display import LANGUAGES, Table
from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.lang import word

_ID = re.compile(r"[a-z][a-z0-9-]*\Z")
# What an inline drawing must not hold: it would run, or fetch from elsewhere.
_FORBIDDEN = frozenset({"script", "foreignObject", "iframe", "image", "use", "animate", "set", "style", "a"})
_PROLOGUE = re.compile(r"\A(?:\ufeff|\s|<\?xml.*?\?>|<!DOCTYPE[^>]*>|<!--.*?-->)*", re.S)


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a page.

    Attributes
    ----------
    id : str
        Lower-case anchor.
    heading : str
        Heading, also the entry of the contents.
    parts : tuple of str
        HTML, from the functions of this module.
    withheld : bool, default False
        Whether its numbers are greyed because they must not be reported.
    """

    id: str
    heading: str
    parts: tuple[str, ...]
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


def source(text: str) -> str:
    """Return preformatted text, for instance a model."""
    return f'<pre tabindex="0"><code>{escape(text.rstrip())}</code></pre>'


def table(content: Table, lang: str) -> str:
    """Return a table that scrolls by itself on a narrow screen and can be reached by keyboard."""
    label = escape(content.caption)
    # A section may have the name of a table, and ids must be unique on a page.
    inner = replace(content, id=f"table-{content.id}").to_html(lang, inline=False)
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">{inner}</div>'


def figure(svg: str, caption: str, description: str, *, number: int = 1) -> str:
    """Return an inline drawing with its caption.

    Parameters
    ----------
    svg : str
        A whole SVG document; the prologue is dropped.
    caption : str
        Below the drawing.
    description : str
        The drawing in words, for those who cannot see it.
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
    drawing = _PROLOGUE.sub("", svg, count=1).strip()
    try:
        elements = list(ElementTree.fromstring(drawing).iter())
    except ElementTree.ParseError as error:
        raise ConfigurationError(f"The drawing is not an SVG document: {error}.") from error
    if elements[0].tag.rpartition("}")[2] != "svg":
        raise ConfigurationError("The drawing is not an SVG document.")
    for element in elements:
        tag = element.tag.rpartition("}")[2]
        names = [name.rpartition("}")[2].lower() for name in element.attrib]
        bad = [name for name in names if name.startswith("on") or name in ("href", "src", "style")]
        if tag in _FORBIDDEN or bad:
            raise ConfigurationError(
                f"The drawing holds {', '.join(bad) or 'an element'} in <{tag}>, which a report does not embed."
            )
    drawing = re.sub(r'(\sid=")', rf"\1figure-{number}-", drawing)
    label = escape(description)
    scroll = f'<div class="scroll drawing" role="group" tabindex="0" aria-label="{label}">{drawing}</div>'
    return f"<figure>{scroll}<figcaption>{escape(caption)}</figcaption></figure>"


def page(
    title: str, sections: Sequence[Section], *, lang: str, subtitle: str = "", notice: str = "", footer: str = ""
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

    Returns
    -------
    str
        UTF-8 text. Its content security policy forbids scripts and every request; styles are allowed by their hash.
    """
    style = resources.files("sem_loyalty.publish").joinpath("report.css").read_text(encoding="utf-8")
    if notice:
        style += f"@page {{ @bottom-center {{ content: {_css_text(notice)}; font: 600 8pt sans-serif; }} }}\n"
    body = "\n".join(_section(section, lang) for section in sections)
    policy = f"default-src 'none'; style-src 'sha256-{_digest(style)}'; base-uri 'none'; form-action 'none'"
    entries = "".join(f'<li><a href="#{section.id}">{escape(section.heading)}</a></li>' for section in sections)
    strip = f'<p class="strip" role="note">{escape(notice)}</p>' if notice else ""
    below = f'<p class="subtitle">{escape(subtitle)}</p>' if subtitle else ""
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
<nav aria-label="{escape(word("contents", lang))}"><ol>{entries}</ol></nav>
<main>
{body}
</main>
<footer><p>{escape(footer)}</p></footer>
</body>
</html>
"""


def _section(section: Section, lang: str) -> str:
    warning = paragraph(word("withheld", lang), kind="withheld-note") if section.withheld else ""
    inner = "\n".join(section.parts)
    heading = f'<h2 id="{section.id}-heading">{escape(section.heading)}</h2>'
    classes = _class("withheld" if section.withheld else "")
    return (
        f'<section id="{section.id}" aria-labelledby="{section.id}-heading"{classes}>\n'
        f"{heading}\n{warning}{inner}\n</section>"
    )


def _class(kind: str) -> str:
    return f' class="{escape(kind)}"' if kind else ""


def _lang(lang: str) -> str:
    return f' lang="{LANGUAGES[lang]}"' if lang else ""


def _css_text(text: str) -> str:
    """Return a text as a string of CSS; everything but letters, digits and blanks is written by its code point."""
    return '"' + "".join(sign if sign.isalnum() or sign == " " else f"\\{ord(sign):x} " for sign in text) + '"'


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
