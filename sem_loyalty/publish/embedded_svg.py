"""A drawing made safe to stand inside a page: only known elements and attributes, written anew, with ids of its own."""

from __future__ import annotations

import re
from html import escape
from xml.etree import ElementTree

from sem_loyalty.errors import ConfigurationError

# What drawings consist of. All else is refused: scripts, styles, links, pictures, animation, foreign content.
_ELEMENT_NAMES = """
    svg g title desc defs path rect circle ellipse line polyline polygon text tspan clipPath marker pattern
    linearGradient radialGradient stop
"""
_ATTRIBUTE_NAMES = """
    id class role lang viewBox width height x y x1 y1 x2 y2 dx dy cx cy r rx ry d points transform fill
    fill-opacity fill-rule stroke stroke-width stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin
    stroke-miterlimit stroke-opacity opacity font-family font-size font-style font-weight text-anchor
    dominant-baseline baseline-shift letter-spacing textLength lengthAdjust rotate clip-path clip-rule clipPathUnits
    marker-start marker-mid marker-end markerWidth markerHeight markerUnits refX refY orient patternUnits
    patternTransform patternContentUnits gradientUnits gradientTransform spreadMethod fx fy offset stop-color
    stop-opacity preserveAspectRatio overflow visibility paint-order shape-rendering text-rendering vector-effect
    version xml:lang xml:space aria-label aria-hidden
"""
_ELEMENTS, _ATTRIBUTES = frozenset(_ELEMENT_NAMES.split()), frozenset(_ATTRIBUTE_NAMES.split())
_DATA = re.compile(r"data-[a-z][a-z0-9-]*\Z")
_XML = "{http://www.w3.org/XML/1998/namespace}"
_SVG = "{http://www.w3.org/2000/svg}"
_REFERENCE = re.compile(r"url\(#([^()\s\"']+)\)\Z")


def embedded(svg: str, prefix: str) -> str:
    """Return a drawing for a page.

    Parameters
    ----------
    svg : str
        A whole SVG document; prologue and comments are dropped.
    prefix : str
        Put before every id and every reference to one, since ids must be unique on a page.

    Returns
    -------
    str
        One ``svg`` element, written from the parsed drawing, so that it means the same to a parser of HTML.

    Raises
    ------
    ConfigurationError
        If the drawing is not SVG, or holds what a report does not embed.
    """
    try:
        root = ElementTree.fromstring(svg.lstrip("\ufeff \t\r\n"))
    except ElementTree.ParseError as error:
        raise ConfigurationError(f"The drawing is not an SVG document: {error}.") from error
    if _local(root.tag) != "svg":
        raise ConfigurationError("The drawing is not an SVG document.")
    return _written(root, prefix)


def _written(element: ElementTree.Element, prefix: str) -> str:
    tag = _local(element.tag)
    named = [(key.replace(_XML, "xml:"), value) for key, value in element.attrib.items()]
    bad = [name for name, value in named if not _allowed(name, value)]
    if tag not in _ELEMENTS or bad:
        what = ", ".join(map(_local, bad)) or "an element"
        raise ConfigurationError(f"The drawing holds {what} in <{tag}>, which a report does not embed.")
    pairs = "".join(f' {name}="{escape(_own(name, value, prefix))}"' for name, value in named)
    inner = escape(element.text or "", quote=False)
    for child in element:
        inner += _written(child, prefix) + escape(child.tail or "", quote=False)
    return f"<{tag}{pairs}>{inner}</{tag}>"


def _allowed(name: str, value: str) -> bool:
    known = name in _ATTRIBUTES or _DATA.match(name) is not None
    # Text in data-*, labels and classes may hold anything; elsewhere url() would fetch.
    text = name.startswith(("data-", "aria-")) or name in ("class", "id", "font-family")
    return known and (text or "url" not in value.lower() or _REFERENCE.match(value) is not None)


def _own(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return prefix + value
    return _REFERENCE.sub(rf"url(#{prefix}\1)", value) if not name.startswith(("data-", "aria-")) else value


def _local(name: str) -> str:
    return name.removeprefix(_SVG).rpartition("}")[2]
