"""A scene as SVG: text stays text, identifiers stay the same, every byte is determined by the scene."""

from __future__ import annotations

import re
from html import escape

from sem_loyalty.publish.diagram.composition import shortened
from sem_loyalty.publish.diagram.scene import INK, PAPER, Arrowhead, Curve, Scene, Shape, Text, banner_bar

FAMILIES = (
    "'STIX Two Text', STIXGeneral, 'Times New Roman', Times, SimSun, 'Songti SC', STSong, "
    "'Noto Serif CJK SC', 'Source Han Serif SC', 'Noto Sans SC', serif"
)
BOLD_FAMILIES = (
    "'STIX Two Text', STIXGeneral, 'Times New Roman', Times, SimHei, 'PingFang SC', 'Microsoft YaHei', "
    "'Noto Sans CJK SC', 'Source Han Sans SC', sans-serif"
)


#: What XML 1.0 cannot hold.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: The operator of the model syntax behind each kind of edge.
_OPERATORS = {"loading": "=~", "path": "~", "covariance": "~~", "moderation": "~", "residual": "~~"}


def to_svg(scene: Scene) -> str:
    """Return the SVG document of a scene.

    Parameters
    ----------
    scene : Scene
        The picture.

    Returns
    -------
    str
        One ``<svg>`` element with a title for screen readers, in points. Every variable is a group ``g.node`` with
        ``data-name``; every line is a group ``g.edge``, number included, with ``data-from``, ``data-to``,
        ``data-kind`` and the operator ``data-op``: what a page needs to follow the pointer.
    """
    lang = "zh-CN" if scene.lang == "zh" else "en"
    width, height = _n(scene.width), _n(scene.height)
    inside: dict[str, list[Text]] = {}
    for text in scene.texts:
        inside.setdefault(text.owner, []).append(text)
    out = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
            f'viewBox="0 0 {width} {height}" role="img" xml:lang="{lang}" lang="{lang}">'
        ),
        f"<title>{_safe(scene.summary)}</title>",
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        f'<g class="edges" fill="none" font-family="{FAMILIES}">',
        *(_edge(curve, inside.get(curve.id, [])) for curve in scene.curves),
        "</g>",
        f'<g class="nodes" font-family="{FAMILIES}">',
        *(_node(shape, inside.get(shape.id, [])) for shape in scene.shapes),
        "</g>",
        *(_bar(scene, text) for text in scene.texts if text.role == "banner"),
        f'<g class="words" font-family="{FAMILIES}">',
        *(_text(text) for text in inside.get("", [])),
        "</g>",
        "</svg>",
    ]
    return "\n".join(out) + "\n"


def _n(value: float) -> str:
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _safe(text: str) -> str:
    """Return a text as content or attribute of XML."""
    return escape(_CONTROL.sub("\ufffd", text))


def _edge(curve: Curve, texts: list[Text]) -> str:
    points = shortened(curve)
    steps = [(_n(x) + " " + _n(y)) for x, y in points]
    path = f"M{steps[0]}L{steps[3]}" if curve.straight else f"M{steps[0]}C{steps[1]} {steps[2]} {steps[3]}"
    dash = f' stroke-dasharray="{" ".join(map(_n, curve.dash))}"' if curve.dash else ""
    data = f'data-from="{_safe(curve.source)}" data-to="{_safe(curve.target)}"'
    if curve.moderates:
        data += f' data-moderates="{_safe(curve.moderates)}"'
    heads = "".join(_arrowhead(head) for head in curve.arrows)
    return (
        f'<g id="{curve.id}" class="edge {curve.kind}" {data} data-kind="{curve.kind}" '
        f'data-op="{_OPERATORS[curve.kind]}"><path d="{path}" stroke="{curve.color}" '
        f'stroke-width="{_n(curve.line_width)}"{dash}/>{heads}{"".join(map(_on_line, texts))}</g>'
    )


def _arrowhead(head: Arrowhead) -> str:
    corners = " ".join(f"{_n(x)},{_n(y)}" for x, y in head.points)
    return f'<polygon points="{corners}" fill="{head.color}"/>'


def _node(shape: Shape, texts: list[Text]) -> str:
    start = f'fill="{PAPER}" stroke="{INK}" stroke-width="{_n(shape.line_width)}"'
    if shape.round:
        body = f'<ellipse {start} cx="{_n(shape.x)}" cy="{_n(shape.y)}" rx="{_n(shape.rx)}" ry="{_n(shape.ry)}"/>'
    else:
        body = (
            f'<rect {start} x="{_n(shape.x - shape.rx)}" y="{_n(shape.y - shape.ry)}" '
            f'width="{_n(2 * shape.rx)}" height="{_n(2 * shape.ry)}"/>'
        )
    kind = "latent" if shape.round else "observed"
    return (
        f'<g id="{shape.id}" class="node {kind}" data-name="{_safe(shape.node)}">'
        f"<title>{_safe(shape.title)}</title>{body}{''.join(map(_text, texts))}</g>"
    )


def _bar(scene: Scene, text: Text) -> str:
    x, y, width, height = banner_bar(scene, text)
    return f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="{INK}"/>'


def _on_line(text: Text) -> str:
    x, y, half_width, half_height = text.rectangle
    pad = 0.8
    return (
        f'<rect x="{_n(x - half_width - pad)}" y="{_n(y - half_height - pad)}" width="{_n(2 * (half_width + pad))}" '
        f'height="{_n(2 * (half_height + pad))}" fill="{PAPER}"/>' + _text(text)
    )


def _text(text: Text) -> str:
    parts = []
    for run in text.runs:
        content = _safe(run.text)
        parts.append(f'<tspan font-style="italic">{content}</tspan>' if run.style == "italic" else content)
    bold = any(run.style == "bold" for run in text.runs)
    weight = f' font-weight="bold" font-family="{BOLD_FAMILIES}"' if bold else ""
    anchor = ' text-anchor="middle"' if text.anchor == "middle" else ""
    return (
        f'<text id="{text.id}" class="{text.role}" x="{_n(text.x)}" y="{_n(text.baseline)}" '
        f'font-size="{_n(text.size)}" fill="{text.color}"{weight}{anchor} xml:space="preserve">{"".join(parts)}</text>'
    )
