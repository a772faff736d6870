"""A scene as SVG: text stays text, identifiers stay the same, every byte is determined by the scene."""

from __future__ import annotations

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
ON_LINES = ("coefficient", "loading")


def to_svg(scene: Scene) -> str:
    """Return the SVG document of a scene.

    Parameters
    ----------
    scene : Scene
        The picture.

    Returns
    -------
    str
        One ``<svg>`` element with a title for screen readers, in points.
    """
    lang = "zh-CN" if scene.lang == "zh" else "en"
    width, height = _n(scene.width), _n(scene.height)
    out = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
            f'viewBox="0 0 {width} {height}" role="img" xml:lang="{lang}" lang="{lang}">'
        ),
        f"<title>{escape(scene.summary)}</title>",
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        '<g class="edges" fill="none">',
        *(_curve(curve) for curve in scene.curves),
        "</g>",
        f'<g class="numbers" font-family="{FAMILIES}">',
        *(_on_line(text) for text in scene.texts if text.role in ON_LINES),
        "</g>",
        f'<g class="nodes" fill="{PAPER}" stroke="#111111">',
        *(_shape(shape) for shape in scene.shapes),
        "</g>",
        *(_bar(scene, text) for text in scene.texts if text.role == "banner"),
        f'<g class="words" font-family="{FAMILIES}">',
        *(_text(text) for text in scene.texts if text.role not in ON_LINES),
        "</g>",
        "</svg>",
    ]
    return "\n".join(out) + "\n"


def _n(value: float) -> str:
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _curve(curve: Curve) -> str:
    points = shortened(curve)
    steps = [(_n(x) + " " + _n(y)) for x, y in points]
    path = f"M{steps[0]}L{steps[3]}" if curve.straight else f"M{steps[0]}C{steps[1]} {steps[2]} {steps[3]}"
    dash = f' stroke-dasharray="{" ".join(map(_n, curve.dash))}"' if curve.dash else ""
    data = f'data-source="{escape(curve.source)}" data-target="{escape(curve.target)}"'
    heads = "".join(_arrowhead(head) for head in curve.arrows)
    return (
        f'<g id="{curve.id}" class="{curve.kind}" {data}><path d="{path}" stroke="{curve.color}" '
        f'stroke-width="{_n(curve.line_width)}"{dash}/>{heads}</g>'
    )


def _arrowhead(head: Arrowhead) -> str:
    corners = " ".join(f"{_n(x)},{_n(y)}" for x, y in head.points)
    return f'<polygon points="{corners}" fill="{head.color}"/>'


def _shape(shape: Shape) -> str:
    start = f'id="{shape.id}" data-node="{escape(shape.node)}" stroke-width="{_n(shape.line_width)}"'
    if shape.round:
        return f'<ellipse {start} cx="{_n(shape.x)}" cy="{_n(shape.y)}" rx="{_n(shape.rx)}" ry="{_n(shape.ry)}"/>'
    return (
        f'<rect {start} x="{_n(shape.x - shape.rx)}" y="{_n(shape.y - shape.ry)}" '
        f'width="{_n(2 * shape.rx)}" height="{_n(2 * shape.ry)}"/>'
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
        content = escape(run.text)
        parts.append(f'<tspan font-style="italic">{content}</tspan>' if run.style == "italic" else content)
    bold = any(run.style == "bold" for run in text.runs)
    weight = f' font-weight="bold" font-family="{BOLD_FAMILIES}"' if bold else ""
    anchor = ' text-anchor="middle"' if text.anchor == "middle" else ""
    return (
        f'<text id="{text.id}" class="{text.role}" x="{_n(text.x)}" y="{_n(text.baseline)}" '
        f'font-size="{_n(text.size)}" fill="{text.color}"{weight}{anchor} xml:space="preserve">{"".join(parts)}</text>'
    )
