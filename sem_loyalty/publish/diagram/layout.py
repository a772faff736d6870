"""The whole layout: grids are proposed, finished in every detail, and the best finished one is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.publish.diagram.annealing import GridProblem, rim, search
from sem_loyalty.publish.diagram.disturbances import construct_disturbances, item_residuals
from sem_loyalty.publish.diagram.factors import factor_column
from sem_loyalty.publish.diagram.geometry import Floats, cubic_points, segment_meets_rectangle
from sem_loyalty.publish.diagram.graph import Anatomy, Diagram, Edge
from sem_loyalty.publish.diagram.lettering import Sizes, edge_lines, edge_room, lines_size, number_size
from sem_loyalty.publish.diagram.numbering import place_numbers
from sem_loyalty.publish.diagram.pins import Layout, checked_pins, checked_sides
from sem_loyalty.publish.diagram.routing import Routes, Ties, all_shapes, route
from sem_loyalty.publish.diagram.spacing import Placement, place, side_choices, side_prices

Ints = NDArray[np.int64]
#: Points of an arrowhead on a tie and on a loading.
ARROW, SMALL_ARROW = 7.0, 5.2
#: Grids finished, and finished drawings on which numbers are placed.
GRIDS, FINALISTS = 36, 14
#: What numbers may add to the price of a draft.
HEADROOM = 6.0
#: Rounds until nothing touches: factor on the room between constructs, side assignments tried for each grid, and
#: whether all constructs stand on the rim. Nearly every model is clean after the first; in dense ones no construct can
#: stand inside.
ROUNDS = ((1.0, 2, False), (1.3, 3, False), (1.0, 2, True), (1.4, 4, True), (1.8, 8, False))
#: Points of a line that should be seen beside its number and its arrowhead.
VISIBLE = 18.0
#: Side assignments tried where every construct is pinned: there is one grid.
SIDES_OF_PINS = 24
#: A full page is higher than this only in a supplement.
PAGE_HEIGHT = 640.0
#: Text may shrink to this share of its full size before the smallest type limit is reached.
SHRINK = 0.885


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Everything a scene is made from, in points at full scale.

    Parameters
    ----------
    placement : Placement
        Constructs and their indicators.
    ties : tuple of Edge
        The drawn ties.
    controls : array, shape (m, 4, 2)
        Their curves from border to border.
    places : array, shape (m,)
        Parameter of each number on its curve.
    loadings : array, shape (f, 4)
        Rectangles of the loadings, in the order of the blocks.
    rooms : array, shape (m, 2)
        Width and height kept free for the number of each tie.
    unexplained : tuple of str
        Constructs with a disturbance.
    stubs : array, shape (u + f or 0, 2, 2)
        Arrows of the disturbances, then of the residuals of the items in the order of the blocks.
    clean : bool
        Whether nothing touches.
    """

    placement: Placement
    ties: tuple[Edge, ...]
    controls: Floats
    places: Floats
    loadings: Floats
    rooms: Floats
    unexplained: tuple[str, ...]
    stubs: Floats
    clean: bool = True


@dataclass(frozen=True, slots=True)
class Workbench:
    """What finishing a grid takes: the model, its measures, what the user fixed and how loose to set it."""

    parts: Anatomy
    sizes: Sizes
    ties: Ties
    ends: Ints
    edge_sizes: Floats
    fixed: dict[str, str]
    unexplained: tuple[str, ...]
    width: float
    loose: float
    keep: int


def lay_out(
    diagram: Diagram,
    parts: Anatomy,
    sizes: Sizes,
    *,
    layout: Layout | None,
    sides: Mapping[str, str] | None,
    seed: int,
    width: float,
) -> Arrangement:
    """Place everything.

    Parameters
    ----------
    diagram : Diagram
        The input.
    parts : Anatomy
        Its parts.
    sizes : Sizes
        Its measured texts.
    layout : mapping of str to (int, int), or rows of names, optional
        Column and row, in half steps from the top left, of constructs that shall stay put; or a table of all.
    sides : mapping of str to str, optional
        Side of the indicators of some constructs.
    seed : int
        Of the grid search.
    width : float
        Points that the drawing may be wide.

    Returns
    -------
    Arrangement
        The best of the finished candidates.

    Raises
    ------
    ConfigurationError
        For pins or sides that cannot be.
    """
    pins = checked_pins(layout or {}, parts)
    fixed = checked_sides(sides or {}, parts)
    edge_sizes = np.array([edge_room(tie, diagram) for tie in parts.ties]).reshape(-1, 2)
    ties = _ties(parts)
    unexplained = _unexplained(parts) if diagram.residuals else ()
    if parts.measurement_only and not pins:
        placement, candidates = factor_column(parts, sizes, ties, edge_sizes, fixed)
        bench = Workbench(parts, sizes, ties, ties.ends, edge_sizes, fixed, unexplained, width, 1.0, 1)
        finished: list[tuple[int, int, Arrangement]] = []
        for controls in candidates:
            _, touches, arrangement = _finished(placement, controls, bench)
            finished.append((touches, len(finished), replace(arrangement, clean=touches == 0)))
            if touches == 0:
                break
        return min(finished, key=lambda one: one[:2])[2]
    grid_ends = _construct_ends(ties, parts)
    problem = _problem(parts, sizes, ties, grid_ends, pins, width)
    grids: dict[bool, list[tuple[float, Ints]]] = {}
    best: tuple[float, Arrangement] | None = None
    for loose, keep, on_rim in ROUNDS:
        if on_rim and pins:
            break
        if on_rim not in grids:
            grids[on_rim] = (rim if on_rim else search)(problem, seed, GRIDS)
        keep = max(keep, SIDES_OF_PINS) if len(pins) == len(parts.names) else keep
        draft = Workbench(parts, sizes, ties, grid_ends, edge_sizes, fixed, unexplained, width, loose, keep)
        clean, price, arrangement = _best(grids[on_rim], draft)
        if best is None or clean or price < best[0]:
            best = (price, arrangement)
        if clean:
            break
    assert best is not None
    return best[1]


def resized(arrangement: Arrangement, diagram: Diagram, parts: Anatomy, sizes: Sizes) -> Arrangement:
    """Return an arrangement in which numbers beyond the expected width have found their place too.

    Nothing else moves. Nearly every arrangement comes back as it is.
    """
    needed = np.array(
        [lines_size(edge_lines(tie, diagram), number_size(tie, diagram), diagram.lang) for tie in parts.ties]
    ).reshape(-1, 2)
    if (needed <= arrangement.rooms + 1e-6).all():
        return arrangement
    rooms = np.maximum(needed, arrangement.rooms)
    ties = _ties(parts)
    bench = Workbench(parts, sizes, ties, ties.ends, rooms, {}, arrangement.unexplained, 0.0, 1.0, 1)
    return _finished(arrangement.placement, arrangement.controls, bench)[2]


def _unexplained(parts: Anatomy) -> tuple[str, ...]:
    targets = {tie.target for tie in parts.ties if tie.kind in ("path", "loading")}
    return tuple(name for name in parts.names if name in targets)


def _ties(parts: Anatomy) -> Ties:
    order = list(parts.names) + [item.name for name in parts.names for item in parts.indicators[name]]
    index = {name: at for at, name in enumerate(order)}
    ends = np.array([(index[tie.source], index[tie.target]) for tie in parts.ties], dtype=np.int64).reshape(-1, 2)
    paths = {(tie.source, tie.target): at for at, tie in enumerate(parts.ties) if tie.kind == "path"}
    onto = np.array(
        [paths[tie.moderates, tie.target] if tie.kind == "moderation" else -1 for tie in parts.ties], dtype=np.int64
    )
    bend = np.zeros(len(ends), dtype=np.int64)
    groups: dict[tuple[int, int], list[int]] = {}
    for at, (a, b) in enumerate(ends[onto < 0].tolist()):
        groups.setdefault((min(a, b), max(a, b)), []).append(at)
    for (low, _), members in groups.items():
        if len(members) > 1:
            for turn, at in enumerate(members):
                # Bends are counted in the direction of the tie: the same sign parts two that run opposite ways.
                # A third one bends further than the first.
                bend[at] = (1 + turn // 2) * (1 if turn % 2 == 0 else -1) * (1 if ends[at, 0] == low else -1)
    return Ties(ends, np.array([tie.kind == "covariance" for tie in parts.ties], dtype=bool), bend, onto)


def _construct_ends(ties: Ties, parts: Anatomy) -> Ints:
    """Return the ends as constructs: an indicator counts as the construct it stands beside."""
    owner = list(range(len(parts.names)))
    for at, name in enumerate(parts.names):
        owner += [at] * len(parts.indicators[name])
    ends = np.array(owner, dtype=np.int64)[ties.ends].reshape(-1, 2)
    return np.asarray(ends, dtype=np.int64)


def _problem(
    parts: Anatomy, sizes: Sizes, ties: Ties, ends: Ints, pins: dict[str, tuple[int, int]], width: float
) -> GridProblem:
    count = len(parts.names)
    half_width = max(half[0] for half in sizes.half.values())
    half_height = max(half[1] for half in sizes.half.values())
    column, row = half_width + 25.0, half_height + 20.0
    most = 1 + int((width / SHRINK - 2 * half_width) // (2 * column))
    pinned = np.full((count, 2), -1, dtype=np.int64)
    for at, name in enumerate(parts.names):
        if name in pins:
            pinned[at] = pins[name]
    apart = ends[:, 0] != ends[:, 1]
    # Of two ties between the same constructs the grid needs to know one.
    _, first = np.unique(np.sort(ends, axis=1), axis=0, return_index=True)
    kept = np.sort(first[apart[first]])
    return GridProblem(
        count=count,
        source=ends[kept, 0],
        target=ends[kept, 1],
        arc=ties.arc[kept],
        measuring=np.array([tie.kind == "loading" for tie in parts.ties], dtype=bool)[kept],
        half_column=column,
        half_row=row,
        half=(half_width, half_height),
        items=np.array([len(parts.indicators[name]) for name in parts.names], dtype=np.int64),
        exogenous=np.array([name in parts.exogenous for name in parts.names]),
        outcome=np.array([name in parts.outcomes for name in parts.names]),
        columns=max(min(2 * most - 1, 2 * count - 1, 9), 3, int(pinned[:, 0].max()) + 1),
        rows=max(min(2 * count - 1, 9 if count < 8 else 11), 3, int(pinned[:, 1].max()) + 1),
        pinned=pinned,
    )


def _best(grids: list[tuple[float, Ints]], bench: Workbench) -> tuple[bool, float, Arrangement]:
    """Finish the grids and return whether the best is clean, its price and itself."""
    parts, sizes, ties, edge_sizes, width = bench.parts, bench.sizes, bench.ties, bench.edge_sizes, bench.width
    half_width = max(half[0] for half in sizes.half.values())
    half_height = max(half[1] for half in sizes.half.values())
    wants = edge_sizes + np.array([2 * ARROW + 20.0, 2 * ARROW + 18.0])
    # On a moderated path the number and the arrow of the moderator stand side by side.
    wants[ties.onto[ties.onto >= 0]] += edge_sizes[ties.onto[ties.onto >= 0]] + 14.0
    placed: list[tuple[float, Placement]] = []
    for cost, grid in grids:
        if placed and (np.abs(grid[:, None] - grid[None]).max(axis=2) < 2).sum() > len(grid):
            break
        prices = side_prices(grid, parts, bench.ends, (half_width + 25.0, half_height + 20.0), sizes)
        # In small models the direction of the arrows matters more than the size of the page.
        base = cost * (1.0 + 12.0 / len(parts.names) ** 2)
        for side_price, choice in side_choices(prices, parts, bench.fixed, bench.keep):
            placement = place(grid, choice, parts, bench.ends, wants, sizes, bench.loose)
            placed.append((base + side_price + _page_price(placement, width), placement))
    placed.sort(key=lambda draft: draft[0])
    drafts: list[tuple[float, Placement, Routes]] = []
    for price, placement in placed:
        # Lines and numbers only add to the price: what is far behind already cannot win.
        if len(drafts) >= FINALISTS and price > min(draft[0] for draft in drafts) + HEADROOM:
            break
        routes = route(placement, ties)
        drafts.append((price + _route_price(routes, ties) + _cramped(routes, edge_sizes), placement, routes))
    drafts.sort(key=lambda draft: draft[0])
    best: tuple[bool, float, Arrangement] | None = None
    for price, placement, routes in drafts[:FINALISTS]:
        if best is not None and best[0] and price >= best[1]:
            break
        number_price, touches, arrangement = _finished(placement, routes.controls, bench)
        total = price + 0.5 * number_price + 60.0 * touches
        clean = routes.hits == 0 and touches == 0
        if best is None or (not clean, total) < (not best[0], best[1]):
            best = (clean, total, replace(arrangement, clean=clean))
    assert best is not None
    return best


def _finished(placement: Placement, controls: Floats, bench: Workbench) -> tuple[float, int, Arrangement]:
    """Return the price of the numbers and disturbances of a drawing, how often they touch, and the drawing."""
    parts, sizes, rooms = bench.parts, bench.sizes, bench.edge_sizes
    places, loadings, price, touches = _numbers(placement, controls, bench.ties, rooms, sizes)
    stubs = np.zeros((0, 2, 2))
    if sizes.tail:
        shapes, is_round = all_shapes(placement)
        middles = [cubic_points(curve, np.array([at]))[0] for curve, at in zip(controls, places, strict=True)]
        on_ties = np.concatenate([np.array(middles).reshape(-1, 2), rooms / 2], axis=1)[rooms[:, 0] > 0]
        residuals = item_residuals(placement, sizes.tail)
        lines = np.concatenate([loading_marks(placement, sizes)[1], residuals])
        owners = [parts.names.index(name) for name in bench.unexplained]
        numbers = np.concatenate([on_ties, loadings])
        stubs, stuck = construct_disturbances(placement, owners, shapes, is_round, controls, numbers, lines)
        touches += stuck
        stubs = np.concatenate([stubs, residuals])
    arrangement = Arrangement(placement, parts.ties, controls, places, loadings, rooms, bench.unexplained, stubs)
    return price, touches, arrangement


def _page_price(placement: Placement, width: float) -> float:
    shapes, _ = all_shapes(placement)
    low, high = (shapes[:, :2] - shapes[:, 2:]).min(axis=0), (shapes[:, :2] + shapes[:, 2:]).max(axis=0)
    wide, tall = high - low
    overflow = max(0.0, wide - (width - 10.0)) * 0.10 + max(0.0, wide - (width - 10.0) / SHRINK) * 5.0
    return float(overflow + max(0.0, tall - PAGE_HEIGHT) * 0.5 + wide * tall / 9000.0 + 0.02 * max(0.0, tall - wide))


def _route_price(routes: Routes, ties: Ties) -> float:
    bent = np.abs(routes.bends) * ~ties.arc
    weights = np.where(ties.arc[routes.crossings].any(axis=1), 6.0, 11.0)
    return float(60.0 * routes.hits + weights.sum() + (bent * 12.0 + (bent > 0) * 3.0).sum())


def _cramped(routes: Routes, edge_sizes: Floats) -> float:
    """Price lines so short that the number hides most of them."""
    run = routes.controls[:, 3] - routes.controls[:, 0]
    length = np.hypot(run[:, 0], run[:, 1])
    unit = np.maximum(np.abs(run) / np.maximum(length, 1e-9)[:, None], 1e-3)
    hidden = (edge_sizes / unit).min(axis=1)
    return float((0.6 * np.maximum(0.0, VISIBLE - (length - hidden - ARROW))).sum())


def _numbers(
    placement: Placement, controls: Floats, ties: Ties, edge_sizes: Floats, sizes: Sizes
) -> tuple[Floats, Floats, float, int]:
    """Return the places of the numbers on ties, the rectangles of the loadings, a price and the touches.

    Loadings stand in line beside their boxes, except in blocks that cross loadings run into: those go where there
    is room.
    """
    shapes, is_round = all_shapes(placement)
    rects, lines = loading_marks(placement, sizes)
    arrows = np.stack([ties.arc, np.ones(len(ties.arc), dtype=bool)], axis=1)
    first_box = len(placement.centres)
    loose = np.zeros(len(rects), dtype=bool)
    for block in placement.blocks:
        boxes = slice(first_box, first_box + len(block.boxes))
        loose[boxes.start - len(placement.centres) : boxes.stop - len(placement.centres)] = bool(
            np.isin(ties.ends, np.arange(boxes.start, boxes.stop)).any()
        )
        first_box = boxes.stop
    if loose.any():
        a, b = lines[loose, 0], lines[loose, 1]
        controls = np.concatenate([controls, np.stack([a, (2 * a + b) / 3, (a + 2 * b) / 3, b], axis=1)])
        edge_sizes = np.concatenate([edge_sizes, 2 * rects[loose, 2:]])
        arrows = np.concatenate([arrows, np.tile([False, True], (int(loose.sum()), 1))])
    crossed = _fans_on_boxes(lines, shapes[len(placement.centres) :], placement)
    standing = np.concatenate([lines[~loose], item_residuals(placement, sizes.tail)]) if sizes.tail else lines[~loose]
    places, price, touches = place_numbers(
        controls, edge_sizes, arrows, shapes, is_round, rects[~loose], standing, ARROW
    )
    if loose.any():
        count = len(ties.ends)
        rects[loose, :2] = [
            cubic_points(curve, np.array([at]))[0] for curve, at in zip(controls[count:], places[count:], strict=True)
        ]
        places = places[:count]
    return places, rects, price, touches + crossed


def _fans_on_boxes(lines: Floats, boxes: Floats, placement: Placement) -> int:
    """Count lines of one block that run over boxes of another."""
    block = np.repeat(np.arange(len(placement.blocks)), [len(block.boxes) for block in placement.blocks])
    met = segment_meets_rectangle(lines[:, None, 0], lines[:, None, 1], boxes[None], 1.0)
    return int((met & (block[:, None] != block[None])).sum())


def loading_marks(placement: Placement, sizes: Sizes) -> tuple[Floats, Floats]:
    """Return the loadings as rectangles, shape (f, 4), and their lines from construct to box, shape (f, 2, 2)."""
    rects, lines = [np.zeros((0, 4))], [np.zeros((0, 2, 2))]
    for block in placement.blocks:
        centre, half = placement.centres[block.owner], placement.half[block.owner]
        labels = centre + block.labels
        rects.append(np.column_stack([labels, np.tile(np.array(sizes.loading) / 2, (len(labels), 1))]))
        axis = 0 if block.side in "WE" else 1
        tips = block.boxes.copy()
        tips[:, axis] = np.sign(tips[:, axis]) * block.reach
        if placement.round[block.owner]:
            share = 1.0 / np.hypot(tips[:, 0] / half[0], tips[:, 1] / half[1])
        else:
            share = 1.0 / np.maximum(np.abs(tips[:, 0]) / half[0], np.abs(tips[:, 1]) / half[1])
        lines.append(np.stack([centre + tips * share[:, None], centre + tips], axis=1))
    return np.concatenate(rects), np.concatenate(lines)
