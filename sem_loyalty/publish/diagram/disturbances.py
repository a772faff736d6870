"""Short arrows for what a model leaves unexplained: residuals of items, disturbances of constructs."""

from __future__ import annotations

import numpy as np

from sem_loyalty.publish.diagram.geometry import (
    Bools,
    Floats,
    cubic_points,
    inside_shape,
    segment_meets_rectangle,
    segments_cross,
)
from sem_loyalty.publish.diagram.spacing import TOWARDS, Placement

#: Directions tried around a construct; the first of equal ones wins: upright, then slanting upwards, then the others.
DIRECTIONS = np.deg2rad([270, 90, 315, 225, 45, 135, 0, 180, 292, 248, 338, 202, 68, 112, 22, 158])
LONG = 17.0
#: Air beyond the free end of an arrow, and to numbers.
AIR, NUMBER_AIR = 4.0, 2.0
#: Of the room to the nearest line, more than this many points is worth nothing more.
WIDE = 16.0


def item_residuals(placement: Placement, length: float) -> Floats:
    """Return the arrows of the items' residuals, from their free end to the box, shape (f, 2, 2)."""
    found = [np.zeros((0, 2, 2))]
    for block in placement.blocks:
        towards = np.array(TOWARDS[block.side])
        tips = placement.centres[block.owner] + block.boxes + towards * (block.depth - block.reach) / 2
        found.append(np.stack([tips + towards * length, tips], axis=1))
    return np.concatenate(found)


def construct_disturbances(
    placement: Placement,
    owners: list[int],
    shapes: Floats,
    is_round: Bools,
    controls: Floats,
    numbers: Floats,
    lines: Floats,
) -> tuple[Floats, int]:
    """Find a free direction for the disturbance of each construct.

    Parameters
    ----------
    placement : Placement
        The constructs.
    owners : list of int
        Which of them have a disturbance.
    shapes, is_round : arrays, shapes (s, 4) and (s,)
        Constructs and boxes.
    controls : array, shape (m, 4, 2)
        Ties.
    numbers : array, shape (k, 4)
        Rectangles of all numbers.
    lines : array, shape (l, 2, 2)
        Loadings and residuals of items.

    Returns
    -------
    arrows : array, shape (len(owners), 2, 2)
        From the free end to the border.
    touches : int
        Arrows for which no direction is free.
    """
    points = cubic_points(controls, np.linspace(0.0, 1.0, 25)) if len(controls) else np.zeros((0, 25, 2))
    a = np.concatenate([points[:, :-1].reshape(-1, 2), lines[:, 0]])
    b = np.concatenate([points[:, 1:].reshape(-1, 2), lines[:, 1]])
    found, touches = [], 0
    for owner in owners:
        best: tuple[float, int, Floats] | None = None
        centre, half = placement.centres[owner], placement.half[owner]
        foreign = np.arange(len(shapes)) != owner
        for turn, angle in enumerate(DIRECTIONS):
            unit = np.array([np.cos(angle), np.sin(angle)])
            if placement.round[owner]:
                tip = centre + half * unit
                outward = unit / half
            else:
                tip = centre + unit / np.abs(unit / half).max()
                outward = np.where(np.abs(unit / half) > np.abs(unit / half).max() - 1e-9, np.sign(unit), 0.0)
            outward = outward / np.hypot(*outward)
            start = tip + outward * LONG
            end = start + outward * AIR
            samples = tip + (end - tip) * np.linspace(0.1, 1.0, 7)[:, None]
            bad = int((inside_shape(samples[:, None], shapes, is_round, 3.0).any(axis=0) & foreign).sum())
            bad += int(segment_meets_rectangle(tip, end, numbers, NUMBER_AIR).sum()) if len(numbers) else 0
            bad += int(segments_cross(tip, end, a, b).sum()) if len(a) else 0
            room = float(np.hypot(*(samples[2:, None] - (a + b) / 2).transpose(2, 0, 1)).min()) if len(a) else WIDE
            bad += room < NUMBER_AIR
            price = 30.0 * bad + 0.35 * max(0.0, WIDE - room) + 0.2 * turn
            if best is None or price < best[0]:
                best = (price, bad, np.stack([start, tip]))
        assert best is not None
        touches += best[1] > 0
        found.append(best[2])
        a, b = np.concatenate([a, best[2][None, 0]]), np.concatenate([b, best[2][None, 1]])
    return np.array(found).reshape(-1, 2, 2), touches
