"""From a grid to points: which side the indicators of each construct stand on, and how far apart everything is."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.publish.diagram.geometry import Floats
from sem_loyalty.publish.diagram.graph import Anatomy
from sem_loyalty.publish.diagram.lettering import Sizes

Ints = NDArray[np.int64]
SIDES = ("W", "E", "N", "S")
#: Unit vector towards each side, y down.
TOWARDS = {"W": (-1.0, 0.0), "E": (1.0, 0.0), "N": (0.0, -1.0), "S": (0.0, 1.0)}
#: Points between an ellipse and its boxes beyond the room of the loading: arrowhead, air and a visible line.
FAN_BESIDE, FAN_ACROSS = 24.0, 30.0
BOX_GAP = 4.0
#: Air between things that belong to different constructs.
AIR = 8.0
#: From the box edge to the loading: the arrowhead and a little line.
ARROW_ROOM = 9.0


@dataclass(frozen=True, slots=True)
class Block:
    """The indicators of one construct on one side of it.

    Parameters
    ----------
    owner : int
        Index of the construct.
    side : str
        "W", "E", "N" or "S".
    boxes : array, shape (m, 2)
        Centres of the boxes relative to the construct.
    labels : array, shape (m, 2)
        Centres of the loadings relative to the construct.
    reach : float
        Distance from the construct's centre to the inner edge of the boxes.
    region : array, shape (4,)
        Rectangle (x, y, half width, half height) of boxes, loadings and residuals relative to the construct.
    spread, depth : float
        Half extent of the boxes across the side, and distance of their outer edge.
    """

    owner: int
    side: str
    boxes: Floats
    labels: Floats
    reach: float
    region: Floats
    spread: float
    depth: float


@dataclass(frozen=True, slots=True)
class Placement:
    """Constructs in points and their blocks of indicators.

    Parameters
    ----------
    centres : array, shape (n, 2)
        Centres of the constructs.
    half : array, shape (n, 2)
        Half sizes.
    round : array of bool, shape (n,)
        Ellipse or rectangle.
    blocks : tuple of Block
        Where indicators stand.
    """

    centres: Floats
    half: Floats
    round: NDArray[np.bool_]
    blocks: tuple[Block, ...]

    def shapes(self) -> Floats:
        """Return constructs as (x, y, half width, half height)."""
        return np.concatenate([self.centres, self.half], axis=1)


def build_block(owner: int, side: str, count: int, half: tuple[float, float], sizes: Sizes) -> Block:
    """Return the boxes of a construct on one side.

    Parameters
    ----------
    owner : int
        Index of the construct.
    side : {"W", "E", "N", "S"}
        Where the boxes stand.
    count : int
        How many.
    half : tuple of float
        Half sizes of the construct.
    sizes : Sizes
        Measured boxes and loadings.
    """
    width, height = sizes.box
    label_width, label_height = sizes.loading
    towards = np.array(TOWARDS[side])
    along = np.abs(towards[::-1])
    if side in "WE":
        pitch, thick, inner, room = height + BOX_GAP, width, half[0] + label_width + FAN_BESIDE, label_width
        ends = height
    else:
        pitch, thick, inner, room = width + BOX_GAP, height, half[1] + label_height + FAN_ACROSS, label_height
        ends = width
        # Numbers side by side need their own width where the lines have not yet spread to the pitch of the boxes.
        spread_at_label = (inner - ARROW_ROOM - room / 2) / inner
        pitch = max(pitch, (label_width + 3.0) / spread_at_label)
    offsets = (np.arange(count) - (count - 1) / 2) * pitch
    boxes = towards * (inner + thick / 2) + offsets[:, None] * along
    distance = inner - ARROW_ROOM - room / 2
    labels = towards * distance + (offsets * distance / inner)[:, None] * along
    spread = (count - 1) / 2 * pitch + ends / 2
    depth = inner + thick
    near, far = distance - room / 2, depth + sizes.tail
    middle, extent = (near + far) / 2, (far - near) / 2
    region = np.concatenate([towards * middle, np.abs(towards) * extent + along * spread])
    return Block(owner, side, boxes, labels, inner, region, spread, depth)


def side_prices(grid: Ints, parts: Anatomy, ends: Ints, step: tuple[float, float], sizes: Sizes) -> Floats:
    """Return what each side costs each construct.

    Parameters
    ----------
    grid : array, shape (n, 2)
        Columns and rows in half steps.
    parts : Anatomy
        For the indicators.
    ends : array, shape (m, 2)
        Ties as pairs of construct indices.
    step : tuple of float
        Points of half a column and half a row.
    sizes : Sizes
        For the size of the boxes.

    Returns
    -------
    array, shape (n, 4)
        Prices of W, E, N, S: ties that leave on that side, constructs in the way, width and height taken.
    """
    place = grid * np.array(step)
    prices = np.zeros((len(grid), 4))
    low, high = grid.min(axis=0), grid.max(axis=0)
    for index, node in enumerate(parts.constructs):
        count = len(parts.indicators[node.name])
        if not count:
            continue
        run = np.array([place[a + b - index] - place[index] for a, b in ends if index in (a, b)]).reshape(-1, 2)
        unit = run / np.maximum(np.hypot(run[:, 0], run[:, 1]), 1e-9)[:, None]
        others = np.delete(place, index, axis=0) - place[index]
        for at, side in enumerate(SIDES):
            block = build_block(index, side, count, sizes.half[node.name], sizes)
            towards = np.array(TOWARDS[side])
            opening = np.hypot(block.reach, block.spread)
            inside = unit @ towards > block.reach / opening * 0.94
            price = 6.0 * inside.sum()
            forward, aside = others @ towards, np.abs(others @ towards[::-1])
            facing = (forward > 0) & (aside < block.spread + sizes.half[node.name][0 if side in "NS" else 1] + AIR)
            price += 2.0 * (facing & (forward < block.depth + sizes.half[node.name][0])).sum() + 0.8 * facing.sum()
            price += 0.035 * max(0.0, 2 * block.spread - (70.0 if side in "WE" else 110.0))
            inner = {"W": grid[index, 0] > low[0], "E": grid[index, 0] < high[0]}
            price += 0.7 if side in "NS" else 0.5 * inner[side]
            prices[index, at] = price
    return prices


def side_choices(
    prices: Floats, parts: Anatomy, fixed: dict[str, str], keep: int
) -> list[tuple[float, tuple[str, ...]]]:
    """Return the cheapest assignments of sides, "" for constructs without indicators.

    Parameters
    ----------
    prices : array, shape (n, 4)
        From `side_prices`.
    parts : Anatomy
        For the indicators.
    fixed : dict of str to str
        Sides the user has set.
    keep : int
        How many assignments at most.
    """
    beam: list[tuple[float, tuple[str, ...]]] = [(0.0, ())]
    for index, node in enumerate(parts.constructs):
        if not parts.indicators[node.name]:
            options = [(0.0, "")]
        elif node.name in fixed:
            options = [(0.0, fixed[node.name])]
        else:
            options = [(float(prices[index, at]), side) for at, side in enumerate(SIDES)]
        grown = [(cost + price, (*sides, side)) for (cost, sides), (price, side) in itertools.product(beam, options)]
        beam = sorted(grown)[: keep * 4]
    return beam[:keep]


def place(
    grid: Ints, sides: tuple[str, ...], parts: Anatomy, ends: Ints, wants: Floats, sizes: Sizes, loose: float = 1.0
) -> Placement:
    """Turn a grid into points, as close together as texts and indicators allow.

    Parameters
    ----------
    grid : array, shape (n, 2)
        Columns and rows in half steps.
    sides : tuple of str
        Side of the indicators of each construct.
    parts : Anatomy
        The constructs.
    ends : array, shape (m, 2)
        Ties as pairs of construct indices.
    wants : array, shape (m, 2)
        Room that each tie's number needs along a level and along an upright line.
    sizes : Sizes
        Measured texts.
    loose : float, default 1
        Factor on the room between constructs.

    Returns
    -------
    Placement
        Every column and every row shares one coordinate; slack is shared evenly.
    """
    half = np.array([sizes.half[node.name] for node in parts.constructs])
    blocks = tuple(
        build_block(index, side, len(parts.indicators[node.name]), sizes.half[node.name], sizes)
        for index, (node, side) in enumerate(zip(parts.constructs, sides, strict=True))
        if side
    )
    owner = np.array([*range(len(half)), *(block.owner for block in blocks)])
    rects = np.concatenate([np.concatenate([np.zeros_like(half), half], axis=1), *(b.region[None] for b in blocks)])
    axes = []
    for axis in (0, 1):
        levels, rank = np.unique(grid[:, axis], return_inverse=True)
        axes.append((rank, len(levels), _least_gaps(grid, rank, axis, half, ends, wants, loose)))
    i, j = np.triu_indices(len(rects), 1)
    apart = owner[i] != owner[j]
    i, j = i[apart], j[apart]
    centres = np.stack([_packed(count, gaps)[rank] for rank, count, gaps in axes], axis=1).astype(float)
    for _ in range(60):
        middle = centres[owner] + rects[:, :2]
        overlap = rects[i, 2:] + rects[j, 2:] + AIR - np.abs(middle[i] - middle[j])
        clash = np.flatnonzero((overlap > 1e-6).all(axis=1))
        if len(clash) == 0:
            break
        pair = clash[0]
        _separate(owner[i[pair]], owner[j[pair]], rects[i[pair]], rects[j[pair]], centres, axes)
        centres = np.stack([_packed(count, gaps)[rank] for rank, count, gaps in axes], axis=1)
    evened = np.stack([_evened(count, gaps)[rank] for rank, count, gaps in axes], axis=1)
    return Placement(evened, half, np.array([node.kind == "latent" for node in parts.constructs]), blocks)


Gaps = dict[tuple[int, int], float]


def _least_gaps(grid: Ints, rank: Ints, axis: int, half: Floats, ends: Ints, wants: Floats, loose: float) -> Gaps:
    """Return the least distances between columns (axis 0) or rows (axis 1) before indicators are looked at."""
    gaps: Gaps = {}
    tied = {(min(a, b), max(a, b)): wants[k, axis] for k, (a, b) in enumerate(ends.tolist())}
    plain, far = (26.0 * loose, 22.0 * loose) if axis == 0 else (26.0 * loose, 20.0 * loose)
    for a, b in itertools.combinations(range(len(grid)), 2):
        if rank[a] == rank[b]:
            continue
        first, second = (a, b) if rank[a] < rank[b] else (b, a)
        size = half[a, axis] + half[b, axis]
        across = abs(int(grid[a, 1 - axis] - grid[b, 1 - axis]))
        if across < 2:
            need = size + (max(plain, loose * tied.get((a, b), 0.0)) if across == 0 else plain)
        elif abs(int(grid[a, axis] - grid[b, axis])) >= 2:
            need = size + far
        else:
            need = (size + far) / 2
        key = (int(rank[first]), int(rank[second]))
        gaps[key] = max(gaps.get(key, 0.0), float(need))
    return gaps


def _packed(count: int, gaps: Gaps) -> Floats:
    """Return the leftmost coordinates that respect the gaps (longest path)."""
    x = np.zeros(count)
    for high in range(1, count):
        x[high] = max([x[high - 1] + 1.0, *(x[low] + gap for (low, top), gap in gaps.items() if top == high)])
    return x


def _evened(count: int, gaps: Gaps) -> Floats:
    """Return the mean of the leftmost and the rightmost solution: it respects the gaps too and shares the slack."""
    left = _packed(count, gaps)
    mirrored = {(count - 1 - top, count - 1 - low): gap for (low, top), gap in gaps.items()}
    right = left[-1] - _packed(count, mirrored)[::-1]
    return np.asarray((left + right) / 2)


def _separate(
    a: int, b: int, first: Floats, second: Floats, centres: Floats, axes: list[tuple[Ints, int, Gaps]]
) -> None:
    """Add the gap, in columns or rows, that parts two rectangles at the least extra distance."""
    best: tuple[float, int, tuple[int, int], float] | None = None
    for axis, (rank, _, _) in enumerate(axes):
        if rank[a] == rank[b]:
            continue
        (low, low_rect), (high, high_rect) = sorted(((a, first), (b, second)), key=lambda pair: int(rank[pair[0]]))
        need = low_rect[axis] + low_rect[axis + 2] + AIR - high_rect[axis] + high_rect[axis + 2]
        extra = (need - (centres[high, axis] - centres[low, axis])) * (1.15, 1.0)[axis]
        if best is None or extra < best[0]:
            best = (extra, axis, (int(rank[low]), int(rank[high])), need)
    if best is None:
        raise AssertionError("two constructs share one place of the grid")
    _, axis, key, need = best
    axes[axis][2][key] = max(axes[axis][2].get(key, 0.0), float(need))
