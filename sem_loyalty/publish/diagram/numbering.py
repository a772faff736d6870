"""Where each number stands on its own curve, so that it touches nothing else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.publish.diagram.geometry import (
    Bools,
    Floats,
    cubic_points,
    inside_shape,
    rectangle_meets_ellipse,
    rectangles_overlap,
    segment_meets_rectangle,
)

#: Places tried along the visible curve, nearest the middle first.
PLACES = 0.5 + np.array([0.0, *(sign * step * 0.045 for step in range(1, 9) for sign in (1, -1))])
#: Air around a number, and around its own arrowheads.
AIR = 1.8
ARROW_AIR = 2.0
NEAR = 6.0
TOUCH = 30.0


def place_numbers(
    controls: Floats,
    sizes: Floats,
    arrows: Bools,
    shapes: Floats,
    is_round: Bools,
    fixed: Floats,
    lines: Floats,
    arrow_length: float,
) -> tuple[NDArray[np.float64], float, int]:
    """Choose a place for the number of each curve by coordinate descent.

    Parameters
    ----------
    controls : array, shape (m, 4, 2)
        The curves from border to border.
    sizes : array, shape (m, 2)
        Width and height of each number; a width of 0 means that there is none.
    arrows : array of bool, shape (m, 2)
        Whether there is an arrowhead at the start and at the end.
    shapes : array, shape (s, 4)
        Constructs and boxes that no number may touch.
    is_round : array of bool, shape (s,)
        Ellipse or rectangle.
    fixed : array, shape (f, 4)
        Numbers that stand already (the loadings).
    lines : array, shape (l, 2, 2)
        Lines that stand already.
    arrow_length : float
        Points.

    Returns
    -------
    places : array, shape (m,)
        Parameter of the centre of each number on its curve.
    price : float
        Sum of departures from the middle and of touches.
    touches : int
        Numbers that touch something.
    """
    m, k = len(controls), len(PLACES)
    if m == 0:
        return np.zeros(0), 0.0, 0
    centres = cubic_points(controls, PLACES)
    rects = np.concatenate([centres, np.broadcast_to(sizes[:, None] / 2, centres.shape)], axis=-1)
    shown = sizes[:, 0] > 0
    on_round = rectangle_meets_ellipse(rects[:, :, None], shapes, AIR)
    on_box = rectangles_overlap(rects[:, :, None], shapes, AIR)
    touch = np.where(is_round, on_round, on_box).sum(axis=2)
    touch = touch + rectangles_overlap(rects[:, :, None], fixed, AIR).sum(axis=2)
    touch = touch + segment_meets_rectangle(lines[:, 0], lines[:, 1], rects[:, :, None], AIR).sum(axis=2)
    touch = touch + _on_foreign(controls, rects, AIR)
    touch = touch + 2 * _on_own_arrow(controls, rects, arrows, arrow_length)
    price = np.abs(PLACES - 0.5) * 8.0 + TOUCH * touch
    # Next to a foreign line a number is clean but takes a second look to read.
    price = price + 2.5 * _on_foreign(controls, rects, NEAR)
    price[~shown] = 0.0
    flat = rects.reshape(-1, 4)
    overlap = rectangles_overlap(flat[:, None], flat[None], AIR).reshape(m, k, m, k)
    visible = shown[:, None] & shown[None] & ~np.eye(m, dtype=bool)
    chosen = np.argmin(price, axis=1)
    index = np.arange(m)
    for _ in range(6):
        before = chosen.copy()
        for tie in np.flatnonzero(shown):
            met = (overlap[tie][:, index, chosen] & visible[tie]).sum(axis=1)
            chosen[tie] = np.argmin(price[tie] + TOUCH * met)
        if (before == chosen).all():
            break
    met = overlap[index[:, None], chosen[:, None], index[None], chosen[None]] & visible
    touches = int((touch[index, chosen] * shown > 0).sum()) + int(met.sum()) // 2
    return PLACES[chosen], float(price[index, chosen].sum() + TOUCH * met.sum() / 2), touches


def _on_foreign(controls: Floats, rects: Floats, gap: float) -> NDArray[np.int64]:
    """Count, for each place, the other curves that it would cover; shape (m, places)."""
    m, k = rects.shape[:2]
    pieces = 12
    points = cubic_points(controls, np.linspace(0.0, 1.0, pieces + 1))
    a, b = points[:, :-1].reshape(-1, 2), points[:, 1:].reshape(-1, 2)
    met = segment_meets_rectangle(a, b, rects[:, :, None], gap).reshape(m, k, m, pieces).any(axis=3)
    met &= ~np.eye(m, dtype=bool)[:, None]
    return np.asarray(met.sum(axis=2))


def _on_own_arrow(controls: Floats, rects: Floats, arrows: Bools, length: float) -> NDArray[np.int64]:
    """Count the ends of its own curve that each place would hide; shape (m, places)."""
    found = np.zeros(rects.shape[:2], dtype=np.int64)
    for end, arrow in ((0, 0), (3, 1)):
        tip = controls[:, end]
        inner = controls[:, 1 if end == 0 else 2]
        run = inner - tip
        unit = run / np.maximum(np.hypot(run[:, 0], run[:, 1]), 1e-9)[:, None]
        # An arrowhead needs a little line behind it to be read as one; a bare end needs less.
        reach = np.where(arrows[:, arrow], length + ARROW_AIR + 1.5, 3.0)[:, None]
        found += segment_meets_rectangle(tip[:, None], (tip + unit * reach)[:, None], rects, 0.5)
        found += inside_shape(tip[:, None], rects, False)
    return found
