"""Arrows of moderators: from a construct to the middle of the path that it moderates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

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
PLACES = np.array([0.5, 0.4, 0.6, 0.3, 0.7])
BENDS = np.array([0.0, 0.14, -0.14, 0.3, -0.3])
#: Air to constructs, and the least length of the visible arrow, in points.
CLEARANCE, SHORTEST = 5.0, 46.0
#: An arrow that meets the path at a smaller angle than this (35 degrees, as cosine) merges with it.
NARROW = 0.82
_SAMPLES, _COARSE = np.linspace(0.0, 1.0, 17), np.linspace(0.0, 1.0, 9)


def moderation_curves(
    moderators: list[int],
    onto: list[int],
    controls: Floats,
    shapes: Floats,
    is_round: Bools,
    constructs: int,
    fans: Callable[[Floats, int], NDArray[np.int64]],
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
    fans : callable
        Counts the fans of items that polylines, shape (c, p, 2), from a shape run over.

    Returns
    -------
    controls : array, shape (k, 4, 2)
        From the border of the moderator to the path.
    hits : int
        Shapes that the arrows run over.
    """
    lines = cubic_points(controls, _COARSE)
    own_path = np.arange(len(lines))
    taken: dict[int, list[float]] = {}
    found, hits = [], 0
    place, bend = (grid.ravel() for grid in np.meshgrid(PLACES, BENDS, indexing="ij"))
    margin = np.where(np.arange(len(shapes)) < constructs, CLEARANCE, 2.0)[:, None]
    for moderator, path in zip(moderators, onto, strict=True):
        start, end = shapes[moderator, :2], cubic_points(controls[path], place)
        chord = end - start
        normal = np.stack([-chord[:, 1], chord[:, 0]], axis=-1)
        middle = (start + end) / 2 + bend[:, None] * normal
        whole = raised(np.broadcast_to(start, end.shape), middle, end)
        own = np.full(len(place), moderator)
        first = np.minimum(exit_parameters(whole, shapes[own], is_round[own]), 0.98)
        points = cubic_points(whole, first[:, None] + (1.0 - first[:, None]) * _SAMPLES)
        over = np.asarray(inside_shape(points[:, :, None], shapes, is_round, margin).any(axis=1))
        hit = over[:, np.arange(len(shapes)) != moderator].sum(axis=1) + fans(points, moderator)
        along = cubic_points(controls[path], place + 0.02) - cubic_points(controls[path], place - 0.02)
        tip = end - middle
        slant = np.abs((tip * along).sum(axis=1)) / np.maximum(np.hypot(*tip.T) * np.hypot(*along.T), 1e-9)
        price = 40.0 * hit + 14.0 * np.abs(place - 0.5) + 7.0 * np.abs(bend) + 1.0 * (bend != 0)
        price += 9.0 * (slant > NARROW) + 2.0 * slant + 0.004 * np.hypot(*chord.T)
        price += 0.3 * np.maximum(0.0, SHORTEST - np.hypot(*(points[:, -1] - points[:, 0]).T))
        for other in taken.get(path, []):
            price += 25.0 * (np.abs(place - other) < 0.15)
        price += 6.0 * _crossed(points[:, ::2], lines[own_path != path])
        best = int(np.argmin(price))
        hits += int(hit[best])
        taken.setdefault(path, []).append(float(place[best]))
        found.append(cubic_part(whole[best], float(first[best]), 1.0))
        lines = np.concatenate([lines, cubic_points(found[-1], _COARSE)[None]])
        own_path = np.append(own_path, -1)
    return np.array(found).reshape(-1, 4, 2), hits


def _crossed(points: Floats, lines: Floats) -> Floats:
    """Count the lines, shape (m, q, 2), that each polyline, shape (c, p, 2), crosses."""
    a, b = points[:, :-1, None, None], points[:, 1:, None, None]
    met = segments_cross(a, b, lines[:, :-1], lines[:, 1:]).any(axis=(1, 3))
    return np.asarray(met.sum(axis=1), dtype=float)
