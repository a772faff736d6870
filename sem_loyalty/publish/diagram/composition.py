"""From an arrangement to a scene: line styles, arrowheads, type, note and page."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from sem_loyalty.publish.diagram.geometry import Floats, cubic_part, cubic_points
from sem_loyalty.publish.diagram.graph import Anatomy, Diagram, Edge
from sem_loyalty.publish.diagram.layout import ARROW, SMALL_ARROW, Arrangement, loading_marks
from sem_loyalty.publish.diagram.lettering import (
    ASCENT,
    BANNER,
    DESCENT,
    INDICATOR,
    LOADING,
    NAME,
    NOTE,
    R2,
    SIGNIFICANT,
    SMALLEST_TYPE,
    WORDS,
    Sizes,
    edge_lines,
    edge_text,
    fill,
    label_size,
    line_offsets,
    line_width,
    number_size,
    r2_text,
    spell,
    stack_heights,
)
from sem_loyalty.publish.diagram.routing import all_shapes
from sem_loyalty.publish.diagram.scene import FAINT, GREY, INK, PAPER, Arrowhead, Curve, Point, Scene, Shape, Text
from sem_loyalty.publish.typefaces import Run

MARGIN = 5.0
NARROWEST_NOTE = 330.0
NOTE_GAP, BANNER_GAP = 14.0, 10.0
DASH = (4.2, 2.8)


@dataclass(frozen=True, slots=True)
class Frame:
    """How points at full scale become points of the page."""

    scale: float
    dx: float
    dy: float

    def at(self, point: Floats) -> Point:
        """Return a point of the page."""
        # Rounded so that noise in the last bits of a platform's arithmetic cannot reach a file.
        return round(float(point[0] + self.dx) * self.scale, 3), round(float(point[1] + self.dy) * self.scale, 3)

    def length(self, value: float) -> float:
        """Return a length of the page."""
        return round(float(value) * self.scale, 3)


def compose(
    diagram: Diagram, parts: Anatomy, sizes: Sizes, arrangement: Arrangement, width: float, *, noted: bool = True
) -> Scene:
    """Return the finished scene.

    Parameters
    ----------
    diagram : Diagram
        The input.
    parts : Anatomy
        Its parts.
    sizes : Sizes
        Its measured texts.
    arrangement : Arrangement
        Where everything stands.
    width : float
        Points that the page may be wide; type is never shrunk below 6.5 points to get there.
    noted : bool, default True
        Whether the note stands below; panels have one for all.

    Returns
    -------
    Scene
        With the page cut to the drawing.
    """
    ink = _extent(arrangement)
    lang = diagram.lang
    banner = "" if diagram.certified else WORDS[lang]["banner"]
    wide = ink[2] - ink[0]
    if banner:
        wide = max(wide, line_width(banner, BANNER, "bold", lang) + 24.0)
    room = min(max(wide, NARROWEST_NOTE), max(wide, width - 2 * MARGIN))
    note = [line for part in (note_parts(diagram, parts) if noted else []) for line in fill(part, room, NOTE, lang)]
    # The page is as wide as the note may be, not as this note is: another N must not move a node.
    wide = room if note else wide
    page = wide + 2 * MARGIN
    scale = min(1.0, max(width / page, SMALLEST_TYPE / min(LOADING, INDICATOR, NOTE)))
    top = MARGIN + (BANNER + BANNER_GAP + 10.0 if banner else 0.0)
    frame = Frame(scale, MARGIN - ink[0] + (wide - (ink[2] - ink[0])) / 2, top - ink[1])
    shapes, shape_texts = _variables(diagram, parts, sizes, arrangement, frame)
    curves, numbers = _lines(diagram, parts, sizes, arrangement, frame)
    texts = [*shape_texts, *numbers]
    page_frame = Frame(scale, 0.0, 0.0)
    if banner:
        middle = np.array([page / 2, MARGIN + BANNER / 2 + 4.0])
        texts.append(_text("banner", "banner", "", banner, BANNER, "bold", PAPER, middle, page_frame, lang))
    y = top + ink[3] - ink[1] + NOTE_GAP
    for at, line in enumerate(note):
        place = np.array([MARGIN, y])
        texts.append(_text(f"note-{at}", "note", "", line, NOTE, "regular", INK, place, page_frame, lang, "start"))
        y += NOTE * 1.3
    height = y - NOTE * 1.3 + NOTE * 0.6 + MARGIN if note else top + ink[3] - ink[1] + MARGIN
    return Scene(
        width=round(page * scale, 3),
        height=round(height * scale, 3),
        shapes=tuple(shapes),
        curves=tuple(curves),
        texts=tuple(texts),
        lang=lang,
        summary=_summary(diagram, parts, banner),
    )


def note_parts(diagram: Diagram, parts: Anatomy) -> list[str]:
    """Return the paragraphs of the note, with what the drawing leaves out."""
    words = WORDS[diagram.lang]
    extra = [words["arcs"]] if parts.arcs_omitted else []
    extra += [words["residuals"]] if parts.residuals_omitted else []
    extra += [words["stubs"]] if diagram.residuals else []
    extra += [words["moderation"]] if any(tie.kind == "moderation" for tie in parts.ties) else []
    joint = "" if diagram.lang == "zh" else " "
    text = joint.join(part for part in (diagram.note.strip(), *extra) if part)
    return [line for line in text.split("\n") if line.strip()]


def _summary(diagram: Diagram, parts: Anatomy, banner: str) -> str:
    labels = {node.name: node.label.replace("\n", " ") for node in diagram.nodes}
    arrows = {"covariance": "↔"}
    said = []
    for tie in parts.ties:
        onto = f"({labels[tie.moderates]} → {labels[tie.target]})" if tie.kind == "moderation" else labels[tie.target]
        said.append(f"{labels[tie.source]} {arrows.get(tie.kind, '→')} {onto} {edge_text(tie, diagram)}".strip())
    return "; ".join([*([banner] if banner else []), *said])


def _extent(arrangement: Arrangement) -> tuple[float, float, float, float]:
    shapes, _ = all_shapes(arrangement.placement)
    points = [shapes[:, :2] - shapes[:, 2:], shapes[:, :2] + shapes[:, 2:]]
    if len(arrangement.controls):
        points.append(cubic_points(arrangement.controls, np.linspace(0.0, 1.0, 33)).reshape(-1, 2))
    for room, curve, place in zip(arrangement.rooms, arrangement.controls, arrangement.places, strict=True):
        centre = cubic_points(curve, np.array([place]))[0]
        half = room / 2 + 1.0
        points.append(np.stack([centre - half, centre + half]))
    points.append(arrangement.stubs.reshape(-1, 2))
    every = np.concatenate(points)
    low, high = every.min(axis=0) - 1.0, every.max(axis=0) + 1.0
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _text(
    id_: str,
    role: str,
    owner: str,
    content: str,
    size: float,
    style: str,
    color: str,
    middle: Floats,
    frame: Frame,
    lang: str,
    anchor: str = "middle",
) -> Text:
    runs: tuple[Run, ...] = spell(content, style, lang)
    chinese = any(run.face in ("song", "hei") for run in runs)
    x, y = frame.at(middle)
    type_size = frame.length(size)
    height = label_size(content, size, lang)[1] if role in ("coefficient", "loading") else size * (ASCENT + DESCENT)
    # The middle of digits and capitals is a third of an em above the baseline, that of Chinese a little more.
    return Text(
        id=id_,
        role=role,
        owner=owner,
        x=x,
        y=y,
        baseline=round(y + type_size * (0.37 if chinese else 0.333), 3),
        width=round(type_size * sum(run.width for run in runs), 3),
        height=frame.length(height),
        size=type_size,
        color=color,
        anchor=anchor,
        runs=runs,
    )


def page_text(
    id_: str, role: str, content: str, size: float, style: str, color: str, middle: Floats, frame: Frame, lang: str,
    anchor: str = "middle",
) -> Text:  # fmt: skip
    """Return a line of text that belongs to the page."""
    return _text(id_, role, "", content, size, style, color, middle, frame, lang, anchor)


def _identifier(prefix: str, name: str, taken: set[str]) -> str:
    """Return an XML name that stays the same as long as the variable is called the same."""
    plain = f"{prefix}-{re.sub(r'[^0-9A-Za-z_.-]', lambda found: f'u{ord(found.group()):x}', name)}"
    unique, turn = plain, 2
    while unique in taken:
        unique, turn = f"{plain}-{turn}", turn + 1
    taken.add(unique)
    return unique


def _variables(
    diagram: Diagram, parts: Anatomy, sizes: Sizes, arrangement: Arrangement, frame: Frame
) -> tuple[list[Shape], list[Text]]:
    shapes, texts = [], []
    rows, is_round = all_shapes(arrangement.placement)
    order = list(parts.constructs)
    for block in arrangement.placement.blocks:
        order += parts.indicators[parts.names[block.owner]]
    taken: set[str] = set()
    for at, node in enumerate(order):
        construct = at < len(parts.constructs)
        id_ = _identifier("node", node.name, taken)
        x, y = frame.at(rows[at, :2])
        rx, ry = frame.length(rows[at, 2]), frame.length(rows[at, 3])
        weight = frame.length(1.0 if construct else 0.75)
        shapes.append(Shape(id_, node.name, x, y, rx, ry, bool(is_round[at]), weight, node.label.replace("\n", " ")))
        lines = sizes.names[node.name]
        r2 = r2_text(node, diagram) if construct else ""
        if construct:
            heights = stack_heights(len(lines), bool(r2))
        else:
            heights = [(row - (len(lines) - 1) / 2) * INDICATOR * 1.15 for row in range(len(lines))]
        for row, (line, height) in enumerate(zip(lines, heights, strict=False)):
            size, style, role = (NAME, "bold", "name") if construct else (INDICATOR, "regular", "indicator")
            middle = rows[at, :2] + [0.0, height]
            texts.append(_text(f"{id_}-{row}", role, id_, line, size, style, INK, middle, frame, diagram.lang))
        if r2:
            middle, color = rows[at, :2] + [0.0, heights[-1]], INK if diagram.certified else GREY
            texts.append(_text(f"{id_}-r2", "r2", id_, r2, R2, "regular", color, middle, frame, diagram.lang))
    return shapes, texts


def _lines(
    diagram: Diagram, parts: Anatomy, sizes: Sizes, arrangement: Arrangement, frame: Frame
) -> tuple[list[Curve], list[Text]]:
    curves: list[Curve] = []
    texts: list[Text] = []
    taken: set[str] = set()
    rects, (_, lines) = arrangement.loadings, loading_marks(arrangement.placement, sizes)
    items = [item for block in arrangement.placement.blocks for item in parts.indicators[parts.names[block.owner]]]
    for item, rect, line in zip(items, rects, lines, strict=True):
        edge = parts.loadings[item.name]
        controls = np.stack([line[0], (2 * line[0] + line[1]) / 3, (line[0] + 2 * line[1]) / 3, line[1]])
        curves.append(_curve(edge, controls, diagram, frame, taken, thin=True))
        text = edge_text(edge, diagram)
        if text:
            id_ = curves[-1].id
            color = INK if diagram.certified else GREY
            texts.append(
                _text(f"{id_}-n", "loading", id_, text, LOADING, "regular", color, rect[:2], frame, diagram.lang)
            )
    observed = {node.name for node in diagram.nodes if node.kind == "observed"}
    for edge, controls, place in zip(arrangement.ties, arrangement.controls, arrangement.places, strict=True):
        curve = _curve(edge, controls, diagram, frame, taken, thin=edge.kind == "loading" and edge.target in observed)
        curves.append(curve)
        middle = cubic_points(controls, np.array([place]))[0]
        color = GREY if curve.color == GREY or not diagram.certified else INK
        size, said = number_size(edge, diagram), edge_lines(edge, diagram)
        for row, (text, down) in enumerate(zip(said, line_offsets(said, size, diagram.lang), strict=True)):
            id_, spot = f"{curve.id}-n{row or ''}", middle + np.array([0.0, down])
            texts.append(_text(id_, "coefficient", curve.id, text, size, "regular", color, spot, frame, diagram.lang))
    owners = [*arrangement.unexplained, *(item.name for item in items)]
    for name, stub in zip(owners[: len(arrangement.stubs)], arrangement.stubs, strict=True):
        controls = np.stack([stub[0], (2 * stub[0] + stub[1]) / 3, (stub[0] + 2 * stub[1]) / 3, stub[1]])
        curves.append(_curve(Edge(name, name, "residual"), controls, diagram, frame, taken, thin=True))
    return curves, texts


def _curve(edge: Edge, controls: Floats, diagram: Diagram, frame: Frame, taken: set[str], *, thin: bool) -> Curve:
    dash: tuple[float, ...] = ()
    weak = edge.p is not None and edge.p >= SIGNIFICANT
    if thin:
        color, weight, length = FAINT, 0.6, SMALL_ARROW
    elif not diagram.certified:
        color, weight, length = GREY, 0.9, ARROW
    elif weak:
        color, weight, dash, length = GREY, 0.95, DASH, ARROW
    else:
        color, weight, length = INK, 1.05, ARROW
    heads = [_arrowhead(controls, length, color, frame)]
    if edge.kind == "covariance":
        heads.append(_arrowhead(controls[::-1], length, color, frame))
    chord, middle = controls[3] - controls[0], controls[1] - controls[0]
    straight = bool(abs(chord[0] * middle[1] - chord[1] * middle[0]) < 1e-6 * (1.0 + float(chord @ chord)))
    a, b, c, d = (frame.at(point) for point in controls)
    return Curve(
        id=_identifier(edge.kind, "-".join(filter(None, (edge.source, edge.moderates, edge.target))), taken),
        source=edge.source,
        target=edge.target,
        kind=edge.kind,
        moderates=edge.moderates,
        points=(a, b, c, d),
        straight=straight,
        color=color,
        line_width=frame.length(weight),
        dash=tuple(frame.length(part) for part in dash),
        arrows=tuple(heads),
    )


def _arrowhead(controls: Floats, length: float, color: str, frame: Frame) -> Arrowhead:
    """Return the head at the end of a curve, turned along the last stretch of the curve."""
    tip, back = controls[3], controls[3] - _tail(controls, length)
    unit = back / max(float(np.hypot(*back)), 1e-9)
    side = np.array([-unit[1], unit[0]]) * length * 0.34
    base = tip - unit * length
    return Arrowhead((frame.at(tip), frame.at(base + side), frame.at(base - side)), color)


def _tail(controls: Floats, length: float) -> Floats:
    points = cubic_points(controls, np.linspace(0.5, 1.0, 257))
    far = np.hypot(*(points - controls[3]).T) >= length
    return np.asarray(points[np.flatnonzero(far)[-1]] if far.any() else controls[0])


def shortened(curve: Curve) -> tuple[Point, Point, Point, Point]:
    """Return the control points of a curve cut short inside its arrowheads, so that the line never blunts a tip."""
    controls = np.array(curve.points)
    # Fine enough that even on a line across the page no gap opens between line and head.
    t = np.linspace(0.0, 1.0, 1025)
    points = cubic_points(controls, t)
    start, end = 0.0, 1.0
    for at, head in enumerate(curve.arrows):
        tip = np.array(head.points[0])
        length = float(np.hypot(*(np.mean(head.points[1:], axis=0) - tip))) * 0.8
        outside = np.flatnonzero(np.hypot(*(points - tip).T) >= length)
        if len(outside):
            start, end = (start, float(t[outside[-1]])) if at == 0 else (float(t[outside[0]]), end)
    a, b, c, d = (
        (round(float(x), 3), round(float(y), 3)) for x, y in cubic_part(controls, start, max(end, start + 1e-3))
    )
    return a, b, c, d
