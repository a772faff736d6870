"""Lines between constructs: straight where possible, else the smallest bend that clears everything."""

from __future__ import annotations

from dataclasses import dataclass

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
from sem_loyalty.publish.diagram.moderation import moderation_curves
from sem_loyalty.publish.diagram.spacing import TOWARDS, Block, Placement

Ints = NDArray[np.int64]
#: Bends tried, as the offset of the control point in lengths of the chord.
BENDS = np.array([0.0, 0.12, -0.12, 0.2, -0.2, 0.3, -0.3, 0.42, -0.42, 0.58, -0.58, 0.8, -0.8])
#: Points of a curve on which obstacles are looked for, and pieces of it against which numbers are held.
SAMPLES, PIECES = 29, 8
CLEARANCE = 5.0


@dataclass(frozen=True, slots=True)
class Ties:
    """The ties as index arrays over shapes: the constructs first, then every indicator box.

    Parameters
    ----------
    ends : array, shape (m, 2)
        Source and target.
    arc : array of bool, shape (m,)
        Covariances: curved by convention.
    must_bend : array, shape (m,)
        +1, -1 or 2, -2 where several ties join the same pair and have to part, else 0.
    onto : array of int, shape (m,)
        Of a moderation, the tie on which it ends; else -1. Moderations stand last.
    """

    ends: Ints
    arc: Bools
    must_bend: NDArray[np.int64]
    onto: Ints

    def first(self, count: int) -> Ties:
        """Return the first `count` ties."""
        return Ties(self.ends[:count], self.arc[:count], self.must_bend[:count], self.onto[:count])


@dataclass(frozen=True, slots=True)
class Routes:
    """Curves from border to border.

    Parameters
    ----------
    controls : array, shape (m, 4, 2)
        Cubic control points.
    bends : array, shape (m,)
        The bend chosen.
    polylines : array, shape (m, PIECES + 1, 2)
        Points along each curve.
    hits : int
        Constructs and fans of indicators that the curves run over.
    crossings : array, shape (k, 2)
        Pairs of ties that cross.
    """

    controls: Floats
    bends: Floats
    polylines: Floats
    hits: int
    crossings: Ints


def all_shapes(placement: Placement) -> tuple[Floats, Bools]:
    """Return (x, y, half width, half height) of constructs and boxes, and which are round."""
    shapes = [placement.shapes()]
    for block in placement.blocks:
        centres = placement.centres[block.owner] + block.boxes
        width, height = _box_half(block.side, block.depth - block.reach, block.boxes, block.spread)
        shapes.append(np.column_stack([centres, np.full(len(centres), width), np.full(len(centres), height)]))
    stacked = np.concatenate(shapes)
    return stacked, np.concatenate([placement.round, np.zeros(len(stacked) - len(placement.round), bool)])


def _box_half(side: str, thickness: float, boxes: Floats, spread: float) -> tuple[float, float]:
    across = spread - float(np.abs(boxes[:, 1 if side in "WE" else 0]).max())
    return (thickness / 2, across) if side in "WE" else (across, thickness / 2)


def route(placement: Placement, ties: Ties) -> Routes:
    """Choose a curve for every tie, moderations after those on which they end.

    Parameters and results are those of `_route`.
    """
    plain = int((ties.onto < 0).sum())
    routes = _route(placement, ties.first(plain))
    if plain == len(ties.onto):
        return routes
    shapes, is_round = all_shapes(placement)
    extra, hits = moderation_curves(
        ties.ends[plain:, 0].tolist(),
        ties.onto[plain:].tolist(),
        routes.controls,
        shapes,
        is_round,
        len(placement.centres),
        lambda points, start: _fan_hits(points[None], placement, np.array([[start, start]]), shapes, is_round)[0],
    )
    controls = np.concatenate([routes.controls, extra])
    polylines = cubic_points(controls, np.linspace(0.0, 1.0, PIECES + 1))
    met = crossings(polylines)
    met = met[ties.onto[met[:, 1]] != met[:, 0]]
    bends = np.concatenate([routes.bends, np.zeros(len(extra))])
    return Routes(controls, bends, polylines, routes.hits + hits, met)


def _route(placement: Placement, ties: Ties) -> Routes:
    """Choose a curve for every tie between shapes.

    Parameters
    ----------
    placement : Placement
        Constructs and indicators in points.
    ties : Ties
        What to join.

    Returns
    -------
    Routes
        Each with the bend of the least price: running over a construct or a fan costs most, then bending.
    """
    shapes, is_round = all_shapes(placement)
    anchors = np.concatenate([placement.centres, *(_inner_edges(placement, block) for block in placement.blocks)])
    start, end = anchors[ties.ends[:, 0]], anchors[ties.ends[:, 1]]
    chord = end - start
    normal = np.stack([-chord[:, 1], chord[:, 0]], axis=-1)
    middle = (start + end)[:, None] / 2 + BENDS[:, None] * normal[:, None]
    controls = raised(*np.broadcast_arrays(start[:, None], middle, end[:, None]))
    points = cubic_points(controls, np.linspace(0.0, 1.0, SAMPLES))
    # Only ties that end at an indicator come near boxes; the others are kept off whole fans.
    near = len(shapes) if (ties.ends >= len(placement.centres)).any() else len(placement.centres)
    foreign = (np.arange(near) != ties.ends[:, :1]) & (np.arange(near) != ties.ends[:, 1:])
    margin = np.where(np.arange(near) < len(placement.centres), CLEARANCE, 2.0)[:, None]
    over = inside_shape(points[:, :, :, None], shapes[:near], is_round[:near], margin).any(axis=2)
    hits = (over & foreign[:, None, :]).sum(axis=2)
    hits = hits + _fan_hits(points, placement, ties.ends, shapes, is_round)
    size = np.abs(BENDS)
    price = 40.0 * hits + np.where(ties.arc[:, None], np.abs(size - 0.2) * 3.0, size * 6.0 + (size > 0) * 2.0)
    rank = np.abs(ties.must_bend[:, None])
    price = price + 400.0 * ((rank != 0) & (np.sign(BENDS) != np.sign(ties.must_bend[:, None])))
    price = price + 3.0 * ((rank != 0) & (size < 0.15)) + 400.0 * ((rank == 1) & (size > 0.35) & _twice(ties)[:, None])
    price = price + 400.0 * ((rank == 2) & (size < 0.4))
    price = price + _arc_preference(ties, normal)
    chosen = np.argmin(price, axis=1)
    index = np.arange(len(chosen))
    whole = controls[index, chosen]
    first = exit_parameters(whole, shapes[ties.ends[:, 0]], is_round[ties.ends[:, 0]])
    last = 1.0 - exit_parameters(whole[:, ::-1], shapes[ties.ends[:, 1]], is_round[ties.ends[:, 1]])
    last = np.maximum(last, first + 1e-3)
    clipped = np.array([cubic_part(c, a, b) for c, a, b in zip(whole, first, last, strict=True)]).reshape(-1, 4, 2)
    polylines = cubic_points(clipped, np.linspace(0.0, 1.0, PIECES + 1))
    return Routes(clipped, BENDS[chosen], polylines, int(hits[index, chosen].sum()), crossings(polylines))


def _twice(ties: Ties) -> Bools:
    """Tell which ties have another one beside them that bends further to the same side."""
    pairs = [(min(a, b), max(a, b)) for a, b in ties.ends.tolist()]
    far = {pair for pair, bend in zip(pairs, ties.must_bend.tolist(), strict=True) if abs(bend) == 2}
    return np.array([pair in far for pair in pairs], dtype=bool)


def _inner_edges(placement: Placement, block: Block) -> Floats:
    """Return where lines to the boxes of a block end: the middle of the edge that faces the construct."""
    points = block.boxes.copy()
    axis = 0 if block.side in "WE" else 1
    points[:, axis] = np.sign(points[:, axis]) * block.reach
    return np.asarray(placement.centres[block.owner] + points)


def _arc_preference(ties: Ties, normal: Floats) -> Floats:
    """Return a small price for covariance arcs that bulge to the right, where the paths are."""
    to_the_right = np.sign(normal[:, :1]) * np.sign(BENDS) > 0
    return np.asarray(np.where(ties.arc[:, None] & to_the_right, 1.0, 0.0))


def _fan_hits(points: Floats, placement: Placement, joined: Ints, shapes: Floats, is_round: Bools) -> Ints:
    """Count the fans of indicators that each candidate runs over, shape (m, bends)."""
    found = np.zeros(points.shape[:2], dtype=np.int64)
    first_box = len(placement.centres)
    ends = shapes[joined], is_round[joined]
    inside_own = inside_shape(points, ends[0][:, None, None, 0], ends[1][:, None, None, 0]) | inside_shape(
        points, ends[0][:, None, None, 1], ends[1][:, None, None, 1]
    )
    for block in placement.blocks:
        towards = np.array(TOWARDS[block.side])
        relative = points - placement.centres[block.owner]
        ahead, aside = relative @ towards, np.abs(relative @ towards[::-1])
        limit = np.minimum(1.0, ahead / block.reach) * block.spread + 3.0
        over = (ahead > 4.0) & (ahead < block.depth + 4.0) & (aside < limit) & ~inside_own
        boxes = np.arange(first_box, first_box + len(block.boxes))
        first_box += len(block.boxes)
        own = np.asarray(np.isin(joined, boxes)).any(axis=1).reshape(-1)
        found += over.any(axis=2) & ~own[:, None]
    return found


def crossings(polylines: Floats) -> Ints:
    """Return the pairs of polylines, shape (k, 2), that cross."""
    i, j = np.triu_indices(len(polylines), 1)
    a, b = polylines[:, :-1], polylines[:, 1:]
    met = segments_cross(a[i][:, :, None], b[i][:, :, None], a[j][:, None], b[j][:, None]).any(axis=(1, 2))
    return np.stack([i[met], j[met]], axis=1)
