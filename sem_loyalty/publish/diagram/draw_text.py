"""A scene as TikZ and as Graphviz DOT: the same places, every text escaped."""

from __future__ import annotations

import re

from sem_loyalty.publish.diagram.composition import shortened
from sem_loyalty.publish.diagram.scene import Curve, Scene, Shape, Text, banner_bar

ON_LINES = ("coefficient", "loading")
_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\ensuremath{<}", ">": r"\ensuremath{>}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquoteright{}", "`": r"\textasciigrave{}", "-": "{-}",
    "[": "{[}", "]": "{]}", "\u2212": r"\ensuremath{-}", "²": r"\textsuperscript{2}", "×": r"\ensuremath{\times}",
    "…": r"\ldots{}", "±": r"\ensuremath{\pm}", "→": r"\ensuremath{\rightarrow}", "↔": r"\ensuremath{\leftrightarrow}",
    "χ": r"\ensuremath{\chi}", "β": r"\ensuremath{\beta}", "λ": r"\ensuremath{\lambda}",
}  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")
_STYLES = {"bold": r"\bfseries ", "italic": r"\itshape ", "regular": ""}


def to_tikz(scene: Scene, *, standalone: bool = False) -> str:
    """Return a scene as a ``tikzpicture``.

    Parameters
    ----------
    scene : Scene
        The picture.
    standalone : bool, default False
        Whether to wrap it in a document that compiles by itself.

    Returns
    -------
    str
        Points as units (1 TeX big point each), y down as in the scene; needs the package tikz alone.
    """
    out = ["\\begin{tikzpicture}[x=1bp,y=-1bp,line cap=butt,inner sep=0pt,outer sep=0pt]"]
    grey = sorted({curve.color for curve in scene.curves} | {text.color for text in scene.texts} | {"#111111"})
    out += [f"  \\definecolor{{{_color(color)}}}{{HTML}}{{{color.lstrip('#').upper()}}}" for color in grey]
    out.append(f"  \\useasboundingbox (0,0) rectangle ({_n(scene.width)},{_n(scene.height)});")
    out += [line for curve in scene.curves for line in _tikz_curve(curve)]
    for text in scene.texts:
        if text.role in ON_LINES:
            x, y, rx, ry = text.rectangle
            out.append(f"  \\fill[white] ({_n(x - rx - 0.8)},{_n(y - ry - 0.8)}) rectangle "
                       f"({_n(x + rx + 0.8)},{_n(y + ry + 0.8)});")  # fmt: skip
            out.append(_tikz_text(text))
    out += [_tikz_shape(shape) for shape in scene.shapes]
    for text in scene.texts:
        if text.role == "banner":
            x, y, wide, high = banner_bar(scene, text)
            out.append(f"  \\fill[{_color('#111111')}] ({_n(x)},{_n(y)}) rectangle ({_n(x + wide)},{_n(y + high)});")
        if text.role not in ON_LINES:
            out.append(_tikz_text(text))
    picture = "\n".join([*out, "\\end{tikzpicture}"]) + "\n"
    return _document(picture, scene) if standalone else picture


def to_dot(scene: Scene) -> str:
    """Return a scene as a Graphviz graph with the places of its nodes; ``neato -n`` keeps them.

    Parameters
    ----------
    scene : Scene
        The picture.

    Returns
    -------
    str
        Lines are straight between the nodes, as Graphviz draws them.
    """
    labels: dict[str, list[str]] = {}
    for text in scene.texts:
        labels.setdefault(text.owner, []).append(text.content)
    out = ["digraph model {", '  graph [charset="UTF-8", splines=line, outputorder=edgesfirst];']
    out.append('  node [fixedsize=true, style=filled, fillcolor=white, fontname="Times", fontsize=8];')
    out.append('  edge [fontname="Times", fontsize=8, arrowsize=0.5];')
    banner = "; ".join(text.content for text in scene.texts if text.role == "banner")
    if banner:
        out.append(f'  graph [label={_quoted(banner)}, labelloc=t, fontname="Times-Bold", fontcolor="#b00020"];')
    for shape in scene.shapes:
        place = f"{_n(shape.x)},{_n(scene.height - shape.y)}!"
        said = "\n".join(labels.get(shape.id, []))
        form = "ellipse" if shape.round else "box"
        out.append(
            f"  {_quoted(shape.node)} [label={_quoted(said)}, shape={form}, "
            f'pos="{place}", width={_n(shape.rx / 36)}, height={_n(shape.ry / 36)}];'
        )
    midpoints: list[str] = []
    places = {(curve.source, curve.target): curve for curve in scene.curves if curve.kind == "path"}
    for curve in scene.curves:
        if curve.kind == "residual":
            continue
        target = _quoted(curve.target)
        if curve.kind == "moderation":
            x, y = curve.points[3]
            target = _quoted(f"{curve.moderates} -> {curve.target}")
            if target not in midpoints and (curve.moderates, curve.target) in places:
                midpoints.append(target)
                out.append(f'  {target} [label="", shape=point, width=0.01, pos="{_n(x)},{_n(scene.height - y)}!"];')
        style = ["style=dashed"] if curve.dash else []
        style += ["dir=both"] if curve.kind == "covariance" else []
        said = _quoted("\n".join(labels.get(curve.id, [])))
        options = ", ".join([f"label={said}", f"color={_quoted(curve.color)}", *style])
        out.append(f"  {_quoted(curve.source)} -> {target} [{options}];")
    return "\n".join([*out, "}"]) + "\n"


def tex_text(text: str) -> str:
    """Return a text as LaTeX prints it, every special character escaped."""
    return "".join(_TEX.get(sign, sign) for sign in _CONTROL.sub(" ", text))


def _document(picture: str, scene: Scene) -> str:
    chinese = any(ord(sign) > 0x2E7F for text in scene.texts for sign in text.content)
    fonts = (
        "\\usepackage{ctex}" if chinese else "\\usepackage[T1]{fontenc}\n\\usepackage{textcomp}\n\\usepackage{mathptmx}"
    )
    page = f"paperwidth={_n(scene.width + 4)}bp,paperheight={_n(scene.height + 4)}bp,margin=1bp"
    head = (
        f"\\documentclass{{article}}\n{fonts}\n\\usepackage{{tikz}}\n\\usepackage[{page}]{{geometry}}\n"
        "\\pagestyle{empty}\n\\setlength{\\parindent}{0pt}\n\\setlength{\\topskip}{0pt}\n"
    )
    return f"{head}\\begin{{document}}\n{picture}\\end{{document}}\n"


def _n(value: float) -> str:
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _color(color: str) -> str:
    return "sem" + color.lstrip("#").lower()


def _tikz_curve(curve: Curve) -> list[str]:
    a, b, c, d = (f"({_n(x)},{_n(y)})" for x, y in shortened(curve))
    dash = "".join(f"{'on' if at % 2 == 0 else 'off'} {_n(part)}bp " for at, part in enumerate(curve.dash))
    options = f"{_color(curve.color)},line width={_n(curve.line_width)}bp" + (
        f",dash pattern={dash.strip()}" if dash else ""
    )
    line = f"{a} -- {d}" if curve.straight else f"{a} .. controls {b} and {c} .. {d}"
    out = [f"  \\draw[{options}] {line};"]
    for head in curve.arrows:
        corners = " -- ".join(f"({_n(x)},{_n(y)})" for x, y in head.points)
        out.append(f"  \\fill[{_color(head.color)}] {corners} -- cycle;")
    return out


def _tikz_shape(shape: Shape) -> str:
    options = f"draw={_color('#111111')},fill=white,line width={_n(shape.line_width)}bp"
    if shape.round:
        radii = f"[x radius={_n(shape.rx)}bp,y radius={_n(shape.ry)}bp]"
        return f"  \\path[{options}] ({_n(shape.x)},{_n(shape.y)}) ellipse {radii};"
    return (
        f"  \\path[{options}] ({_n(shape.x - shape.rx)},{_n(shape.y - shape.ry)}) rectangle "
        f"({_n(shape.x + shape.rx)},{_n(shape.y + shape.ry)});"
    )


def _tikz_text(text: Text) -> str:
    anchor = "base" if text.anchor == "middle" else "base west"
    runs = "".join(f"{{{_STYLES[run.style]}{tex_text(run.text)}}}" for run in text.runs)
    size = f"\\fontsize{{{_n(text.size)}bp}}{{{_n(text.size * 1.2)}bp}}\\selectfont"
    return (
        f"  \\node[anchor={anchor},text={_color(text.color)}] at ({_n(text.x)},{_n(text.baseline)}) {{{size} {runs}}};"
    )


def _quoted(text: str) -> str:
    """Return a string of DOT: a backslash starts an escape there, so it is doubled, and a line ends in one."""
    lines = [_CONTROL.sub(" ", line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n")]
    return '"' + "\\n".join(lines) + '"'
