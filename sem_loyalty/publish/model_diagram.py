"""A model drawn before there are data: constructs, paths, and the hypothesis that each path carries."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, cast

from sem_loyalty.errors import check_choice, display_width
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.syntax import parse

if TYPE_CHECKING:
    from sem_loyalty.publish.diagram.drawing import Drawing

_NOTE = {
    "en": "Note. Hypothesised model; + and − are expected signs. Questions and covariances are left out.",
    "zh": "注：假设模型；+、− 为预期符号，图中省略题项与协方差。",
}


def model_diagram(
    model: ModelFile, path: str | os.PathLike[str] | None = None, *, lang: str = "en", width_mm: float = 183.0
) -> Drawing:
    """Draw the hypotheses of a model: constructs, paths and expected signs, without numbers.

    Parameters
    ----------
    model : ModelFile
    path : path, optional
        Where to save it: .svg, .pdf or .png.
    lang : {"en", "zh"}, default "en"
        Language of names and note.
    width_mm : float, default 183
        Largest width.

    Returns
    -------
    Drawing
        Displays itself in notebooks; `.save(path)`, `.svg()`, `.pdf()`, `.png()`.

    Raises
    ------
    ConfigurationError
        Unknown language or file type.
    """
    from sem_loyalty.publish.diagram.drawing import draw
    from sem_loyalty.publish.diagram.graph import Diagram, Edge, Node

    check_choice("lang", lang, ("en", "zh"))
    labels = model.labels(lang)
    statements = parse(model.text).statements
    latent = {s.lhs for s in statements if s.op == "=~"}
    edges = []
    for statement in statements:
        pair = (statement.lhs, statement.rhs.name)
        if statement.op == "=~" and statement.rhs.name in latent:
            edges.append(Edge(*pair, kind="loading"))
        elif statement.op == "~":
            edges.append(Edge(pair[1], pair[0], label=_claims(model, pair[1], pair[0])))
    named = list(dict.fromkeys([*labels, *(name for edge in edges for name in (edge.source, edge.target))]))
    nodes = tuple(Node(name, labels.get(name, name), "latent" if name in latent else "observed") for name in named)
    diagram = Diagram(nodes, tuple(edges), _NOTE[lang], cast("Literal['en', 'zh']", lang))
    return draw(diagram, path, width_mm=width_mm)


def path_lines(model: ModelFile, lang: str) -> str:
    """Return the paths of a model as text, one line for each outcome and cause, with hypothesis and sign.

    Parameters
    ----------
    model : ModelFile
    lang : {"en", "zh"}
        Language of the names.
    """
    labels = {code: f"{label} ({code})" for code, label in model.labels(lang).items()}
    statements = [statement for statement in parse(model.text).statements if statement.op in ("~", "~~")]
    items = {item.name for item in model.items}
    rows = []
    for statement in statements:
        one, other = statement.lhs, statement.rhs.name
        if statement.op == "~":
            rows.append((labels.get(other, other), "→", labels.get(one, one), _claims(model, other, one)))
        elif one != other and not {one, other} & items and "." not in one:
            rows.append((labels.get(one, one), "↔", labels.get(other, other), ""))
    if not rows:
        return ""
    widths = [max(display_width(row[k]) for row in rows) for k in (0, 2)]
    lines = []
    for cause, arrow, outcome, claims in rows:
        left, right = (text + " " * (w - display_width(text)) for text, w in zip((cause, outcome), widths, strict=True))
        lines.append(f"{left} {arrow} {right}  {claims}".rstrip())
    return "\n".join(lines)


def _claims(model: ModelFile, cause: str, outcome: str) -> str:
    """Return the hypotheses about one path by expected sign: "H1 +", "H1, H7 +", "H3 +, H5 −"."""
    about = [h for h in model.hypotheses if h.path == (cause, outcome)]
    signed = ((sign, [h.id for h in about if h.sign == sign]) for sign in dict.fromkeys(h.sign for h in about))
    return ", ".join(f"{', '.join(ids)} {'+' if sign == '+' else '−'}" for sign, ids in signed)
