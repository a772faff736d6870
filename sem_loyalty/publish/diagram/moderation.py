"""Arrows of moderators: from a construct to the middle of the path that it moderates."""

from __future__ import annotations

import numpy as np

from sem_loyalty.publish.diagram.geometry import (
    Bools,
    Floats,
    cubic_part,
    cubic_points,
    exit_parameters,
    inside_shape,
    raised,
    segments_cross,
)

#: Where on the moderated path an arrow may end, and how far it may bend, in lengths of the chord.
PLACES = np.array([0.5, 0.42, 0.58, 0.34, 0.66, 0.28, 0.72])
BENDS = np.array([0.0, 0.12, -0.12, 0.22, -0.22, 0.35, -0.35])
#: Air to constructs, and the least length of the visible arrow, in points.
CLEARANCE, SHORTEST = 5.0, 46.0
#: An arrow that meets the path at a smaller angle than this (35 degrees, as cosine) merges with it.
NARROW = 0.82
_SAMPLES = np.linspace(0.0, 1.0, 25)


def moderation_curves(
    moderators: list[int],
    onto: list[int],
    controls: Floats,
    shapes: Floats,
    is_round: Bools,
    constructs: int,
) -> tuple[Floats, int]:
    """Choose an arrow for every moderation.

    Parameters
    ----------
    moderators : list of int, length k
        Shape from which each arrow starts.
    onto : list of int, length k
        Curve on which it ends.
    controls : array, shape (m, 4, 2)
        The curves of the other ties, from border to border.
    shapes : array, shape (s, 4)
        Constructs, then boxes.
    is_round : array of bool, shape (s,)
        Ellipse or rectangle.
    constructs : int
        Number of constructs.

    Returns
    -------
    controls : array, shape (k, 4, 2)
        From the border of the moderator to the path.
    hits : int
        Shapes that the arrows run over.
    """
    drawn = [cubic_points(curve, _SAMPLES) for curve in controls]
    taken: dict[int, list[float]] = {}
    found, hits = [], 0
    for moderator, path in zip(moderators, onto, strict=True):
        best: tuple[float, int, float, Floats] | None = None
        margin = np.where(np.arange(len(shapes)) < constructs, CLEARANCE, 2.0)[:, None]
        own = shapes[moderator : moderator + 1]
        foreign = np.arange(len(shapes)) != moderator
        for place in PLACES:
            end = cubic_points(controls[path], np.array([place]))[0]
            near = cubic_points(controls[path], np.array([place - 0.02, place + 0.02]))
            along = (near[1] - near[0]) / max(float(np.hypot(*(near[1] - near[0]))), 1e-9)
            start = shapes[moderator, :2]
            chord = end - start
            length = float(np.hypot(*chord))
            normal = np.array([-chord[1], chord[0]])
            for bend in BENDS:
                middle = (start + end) / 2 + bend * normal
                whole = raised(start, middle, end)
                first = float(exit_parameters(whole[None], own, is_round[moderator : moderator + 1])[0])
                curve = cubic_part(whole, min(first, 0.98), 1.0)
                points = cubic_points(curve, _SAMPLES)
                over = inside_shape(points[:, None], shapes, is_round, margin).any(axis=0) & foreign
                hit = int(over.sum())
                tip = curve[3] - curve[2]
                slant = abs(float(tip @ along)) / max(float(np.hypot(*tip)), 1e-9)
                price = 40.0 * hit + 14.0 * abs(place - 0.5) + 7.0 * abs(bend) + 1.0 * (bend != 0)
                price += 9.0 * (slant > NARROW) + 2.0 * slant
                price += 0.3 * max(0.0, SHORTEST - float(np.hypot(*(curve[3] - curve[0])))) + 0.004 * length
                price += 25.0 * sum(abs(place - other) < 0.15 for other in taken.get(path, []))
                price += 6.0 * sum(_cross(points, line) for at, line in enumerate(drawn) if at != path)
                if best is None or price < best[0]:
                    best = (price, hit, float(place), curve)
        assert best is not None
        hits += best[1]
        taken.setdefault(path, []).append(best[2])
        found.append(best[3])
        drawn.append(cubic_points(best[3], _SAMPLES))
    return np.array(found).reshape(-1, 4, 2), hits


def _cross(one: Floats, other: Floats) -> bool:
    return bool(segments_cross(one[:-1, None], one[1:, None], other[None, :-1], other[None, 1:]).any())
