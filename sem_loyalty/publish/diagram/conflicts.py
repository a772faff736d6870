"""The checker of finished scenes: everything that an editor would send back for touching something else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sem_loyalty.publish.diagram.geometry import (
    Floats,
    cubic_points,
    inside_shape,
    rectangle_meets_ellipse,
    rectangles_overlap,
    segment_meets_rectangle,
)
from sem_loyalty.publish.diagram.scene import Curve, Scene, Shape, Text

ON_LINES = ("coefficient", "loading")
#: Points of a curve that are inspected.
FINENESS = 48


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two things that touch.

    Parameters
    ----------
    kind : str
        "label on label", "label on node", "node on node", "edge through node", "label on edge", "label on arrowhead",
        "text outside node" or "outside page".
    first, second : str
        Identifiers in the scene.
    """

    kind: str
    first: str
    second: str


def conflicts(scene: Scene) -> tuple[Conflict, ...]:
    """Inspect a scene.

    Parameters
    ----------
    scene : Scene
        A finished picture.

    Returns
    -------
    tuple of Conflict
        Empty for a clean picture. Lines may cross lines; nothing else may touch.
    """
    found = [*_texts_on_texts(scene), *_texts_and_shapes(scene), *_shapes_on_shapes(scene)]
    for curve in scene.curves:
        points = cubic_points(np.array(curve.points), np.linspace(0.0, 1.0, FINENESS + 1))
        found += _curve_conflicts(scene, curve, points)
    found += _off_page(scene)
    return tuple(found)


def _shape(shape: Shape) -> Floats:
    return np.array([shape.x, shape.y, shape.rx, shape.ry])


def _loose(scene: Scene) -> list[Text]:
    """Return the texts that stand outside shapes."""
    inside = {shape.id for shape in scene.shapes}
    return [text for text in scene.texts if text.owner not in inside]


def _texts_on_texts(scene: Scene) -> list[Conflict]:
    texts = scene.texts
    rects = np.array([text.rectangle for text in texts]).reshape(-1, 4)
    overlap = np.triu(rectangles_overlap(rects[:, None], rects[None]), 1)
    # Lines of one paragraph are set tighter than their generous extents.
    return [
        Conflict("label on label", texts[i].id, texts[j].id)
        for i, j in np.argwhere(overlap)
        if not (texts[i].owner and texts[i].owner == texts[j].owner)
    ]


def _texts_and_shapes(scene: Scene) -> list[Conflict]:
    found = []
    owned = {shape.id: shape for shape in scene.shapes}
    for text in scene.texts:
        rect = np.array(text.rectangle)
        if text.owner in owned:
            shape = owned[text.owner]
            corners = rect[:2] + rect[2:] * np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]]) * [1.0, 0.72]
            if not inside_shape(corners, _shape(shape), shape.round).all():
                found.append(Conflict("text outside node", text.id, shape.id))
            continue
        for shape in scene.shapes:
            meets = rectangle_meets_ellipse if shape.round else rectangles_overlap
            if bool(meets(rect, _shape(shape))):
                found.append(Conflict("label on node", text.id, shape.id))
    return found


def _shapes_on_shapes(scene: Scene) -> list[Conflict]:
    found = []
    angle = np.linspace(0.0, 2 * np.pi, 72, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for at, first in enumerate(scene.shapes):
        for second in scene.shapes[at + 1 :]:
            a, b = _shape(first), _shape(second)
            if first.round and second.round:
                # Two ellipses meet where the border of one enters the other.
                met = bool(inside_shape(a[:2] + ring * a[2:], b, True).any()) or bool(inside_shape(b[:2], a, True))
            elif first.round or second.round:
                met = bool(rectangle_meets_ellipse(*((b, a) if first.round else (a, b))))
            else:
                met = bool(rectangles_overlap(a, b))
            if met:
                found.append(Conflict("node on node", first.id, second.id))
    return found


def _curve_conflicts(scene: Scene, curve: Curve, points: Floats) -> list[Conflict]:
    found = []
    for shape in scene.shapes:
        own = (curve.source,) if curve.kind == "moderation" else (curve.source, curve.target)
        if shape.node not in own and inside_shape(points, _shape(shape), shape.round).any():
            found.append(Conflict("edge through node", curve.id, shape.id))
    for text in _loose(scene):
        rect = np.array(text.rectangle)
        if text.owner != curve.id and segment_meets_rectangle(points[:-1], points[1:], rect).any():
            found.append(Conflict("label on edge", text.id, curve.id))
        for head in curve.arrows:
            corners = np.array(head.points)
            if segment_meets_rectangle(corners, np.roll(corners, 1, axis=0), rect).any():
                found.append(Conflict("label on arrowhead", text.id, curve.id))
    return found


def _off_page(scene: Scene) -> list[Conflict]:
    found = []
    extents = [(shape.id, (shape.x, shape.y, shape.rx, shape.ry)) for shape in scene.shapes]
    extents += [(text.id, text.rectangle) for text in scene.texts]
    for id_, (x, y, rx, ry) in extents:
        if x - rx < 0 or y - ry < 0 or x + rx > scene.width or y + ry > scene.height:
            found.append(Conflict("outside page", id_, ""))
    for curve in scene.curves:
        points = cubic_points(np.array(curve.points), np.linspace(0.0, 1.0, FINENESS + 1))
        if (points < 0).any() or (points > [scene.width, scene.height]).any():
            found.append(Conflict("outside page", curve.id, ""))
    return found
