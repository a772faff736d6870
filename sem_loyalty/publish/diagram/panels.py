"""Several drawings of one model on a page, as panels (a), (b) ... with the same places and one note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sem_loyalty.publish.diagram.composition import MARGIN, NARROWEST_NOTE, NOTE_GAP, Frame, page_text
from sem_loyalty.publish.diagram.geometry import Floats
from sem_loyalty.publish.diagram.lettering import NOTE, fill
from sem_loyalty.publish.diagram.scene import INK, Arrowhead, Curve, Point, Scene, Shape, Text

#: Type size of the line below a panel, and room around it, in points.
LABEL, LABEL_ROOM, PANEL_GAP = 8.6, 16.0, 14.0


def columns_of(count: int, panel_width: float, width: float) -> int:
    """Return how many panels of a width stand side by side on a page: two where they fit, else one."""
    return 2 if count > 1 and 2 * panel_width + PANEL_GAP <= width + 0.5 else 1


def panels(scenes: Sequence[Scene], labels: Sequence[str], note: Sequence[str], width: float) -> Scene:
    """Return one scene of several.

    Parameters
    ----------
    scenes : sequence of Scene
        All of one size, without notes.
    labels : sequence of str
        The line below each.
    note : sequence of str
        Paragraphs below all.
    width : float
        Points that the page may be wide.

    Returns
    -------
    Scene
        Identifiers start with the letter of the panel.
    """
    first = scenes[0]
    columns = columns_of(len(scenes), first.width, width)
    inner = columns * first.width + (columns - 1) * PANEL_GAP
    room = min(max(inner, NARROWEST_NOTE), max(inner, width)) - 2 * MARGIN
    page = max(inner, room + 2 * MARGIN if note else 0.0)
    frame = Frame(1.0, 0.0, 0.0)
    shapes: list[Shape] = []
    curves: list[Curve] = []
    texts: list[Text] = []
    bottom = 0.0
    for at, (scene, label) in enumerate(zip(scenes, labels, strict=True)):
        letter = "abcdefghijklmnopqrstuvwxyz"[at % 26] * (1 + at // 26)
        last = at == len(scenes) - 1 and len(scenes) % columns == 1
        wide = first.width if last or columns == 1 else inner
        dx = (page - wide) / 2 + (0 if last else at % columns) * (first.width + PANEL_GAP)
        dy = (at // columns) * (first.height + LABEL_ROOM + PANEL_GAP)
        shapes += [_shape(shape, letter, dx, dy) for shape in scene.shapes]
        curves += [_curve(curve, letter, dx, dy) for curve in scene.curves]
        texts += [_text(text, letter, dx, dy) for text in scene.texts]
        middle = np.array([dx + first.width / 2, dy + first.height + LABEL_ROOM / 2])
        said = f"({letter}) {label}".strip()
        texts.append(page_text(f"{letter}-label", "panel", said, LABEL, "regular", INK, middle, frame, scene.lang))
        bottom = max(bottom, dy + first.height + LABEL_ROOM)
    lines = [line for part in note for line in fill(part, room, NOTE, first.lang)]
    y = bottom + NOTE_GAP
    for at, line in enumerate(lines):
        spot: Floats = np.array([MARGIN, y])
        texts.append(page_text(f"note-{at}", "note", line, NOTE, "regular", INK, spot, frame, first.lang, "start"))
        y += NOTE * 1.3
    height = y - NOTE * 0.7 + MARGIN if lines else bottom + MARGIN
    said = "; ".join(f"({label}) {scene.summary}" for label, scene in zip(labels, scenes, strict=True))
    return Scene(
        width=round(page, 3),
        height=round(height, 3),
        shapes=tuple(shapes),
        curves=tuple(curves),
        texts=tuple(texts),
        lang=first.lang,
        summary=said,
    )


def _moved(point: Point, dx: float, dy: float) -> Point:
    return round(point[0] + dx, 3), round(point[1] + dy, 3)


def _shape(shape: Shape, letter: str, dx: float, dy: float) -> Shape:
    x, y = _moved((shape.x, shape.y), dx, dy)
    return replace(shape, id=f"{letter}-{shape.id}", x=x, y=y)


def _curve(curve: Curve, letter: str, dx: float, dy: float) -> Curve:
    a, b, c, d = (_moved(point, dx, dy) for point in curve.points)
    heads = []
    for head in curve.arrows:
        tip, left, right = (_moved(point, dx, dy) for point in head.points)
        heads.append(Arrowhead((tip, left, right), head.color))
    return replace(curve, id=f"{letter}-{curve.id}", points=(a, b, c, d), arrows=tuple(heads))


def _text(text: Text, letter: str, dx: float, dy: float) -> Text:
    x, y = _moved((text.x, text.y), dx, dy)
    owner = f"{letter}-{text.owner}" if text.owner else ""
    return replace(text, id=f"{letter}-{text.id}", owner=owner, x=x, y=y, baseline=round(text.baseline + dy, 3))
