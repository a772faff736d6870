"""Measurement models: one column of factors, indicators on the left, nested covariance arcs on the right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.publish.diagram.geometry import Floats
from sem_loyalty.publish.diagram.graph import Anatomy
from sem_loyalty.publish.diagram.lettering import Sizes
from sem_loyalty.publish.diagram.routing import Ties
from sem_loyalty.publish.diagram.spacing import Placement, build_block

Ints = NDArray[np.int64]
#: Air between the boxes of neighbouring factors, and between neighbouring ellipses where no boxes part them.
BLOCK_GAP, ELLIPSE_GAP = 14.0, 26.0
#: Angles on the ellipse, in degrees from the east, between which arcs start.
WIDEST_PORT, PORT_STEP = 66.0, 24.0
ARC_AIR = 7.0
#: Factors on the distance between arcs, tried until no number touches a foreign arc.
STRETCHES = (1.0, 1.12, 1.25, 1.4, 1.6, 1.9)


def factor_column(
    parts: Anatomy, sizes: Sizes, ties: Ties, edge_sizes: Floats, fixed: dict[str, str]
) -> tuple[Placement, list[Floats]]:
    """Place a confirmatory factor model.

    Parameters
    ----------
    parts : Anatomy
        Latent constructs tied by covariances only.
    sizes : Sizes
        Measured texts.
    ties : Ties
        The covariances.
    edge_sizes : array, shape (m, 2)
        Room of each correlation.
    fixed : dict of str to str
        Sides that the user has set; the others stand on the left.

    Returns
    -------
    placement : Placement
        Factors from top to bottom in model order.
    candidates : list of array, shape (m, 4, 2)
        Arcs, the longer the farther right, each with its own port on both ellipses; closest together first.
    """
    half = np.array([sizes.half[name] for name in parts.names])
    blocks = tuple(
        build_block(at, fixed.get(name, "W"), len(parts.indicators[name]), sizes.half[name], sizes)
        for at, name in enumerate(parts.names)
        if parts.indicators[name]
    )
    up, down = half[:, 1] + ELLIPSE_GAP / 2, half[:, 1] + ELLIPSE_GAP / 2
    for block in blocks:
        up[block.owner] = max(up[block.owner], block.region[3] - block.region[1] + BLOCK_GAP / 2)
        down[block.owner] = max(down[block.owner], block.region[3] + block.region[1] + BLOCK_GAP / 2)
    y = np.concatenate([[0.0], np.cumsum(down[:-1] + up[1:])])
    centres = np.column_stack([np.zeros(len(y)), y])
    placement = Placement(centres, half, np.ones(len(y), dtype=bool), blocks)
    return placement, [_arcs(placement, ties, edge_sizes, stretch) for stretch in STRETCHES]


def _arcs(placement: Placement, ties: Ties, edge_sizes: Floats, stretch: float) -> Floats:
    if len(ties.ends) == 0:
        return np.zeros((0, 4, 2))
    low, high = ties.ends.min(axis=1), ties.ends.max(axis=1)
    span = high - low
    step = (float(edge_sizes[:, 0].max()) + ARC_AIR) * stretch
    right = float((placement.centres[:, 0] + placement.half[:, 0]).max())
    for block in placement.blocks:
        if block.side == "E":
            right = max(right, float(block.region[0] + block.region[2]))
    starts, ends = np.zeros((len(span), 2)), np.zeros((len(span), 2))
    for node in range(len(placement.centres)):
        for tie, angle in _ports(low, high, node):
            spot = placement.centres[node] + placement.half[node] * [np.cos(angle), np.sin(angle)]
            if ties.ends[tie, 0] == node:
                starts[tie] = spot
            else:
                ends[tie] = spot
    controls = np.zeros((len(span), 4, 2))
    controls[:, 0], controls[:, 3] = starts, ends
    for tie in range(len(span)):
        apex = right - 12.0 + step * (span[tie] - 1)
        mean = (starts[tie, 0] + ends[tie, 0]) / 2
        # A cubic reaches three quarters of the way from its ends to its control points.
        reach = max(mean + (apex - mean) / 0.75, mean + 12.0)
        rise = (ends[tie, 1] - starts[tie, 1]) * 0.16
        controls[tie, 1] = [reach, starts[tie, 1] + rise]
        controls[tie, 2] = [reach, ends[tie, 1] - rise]
    return controls


def _ports(low: Ints, high: Ints, node: int) -> list[tuple[int, float]]:
    """Return the arcs of a factor with the angle, in radians downwards from the east, at which each leaves it.

    The nearest partner takes the port nearest to it and the farthest the one next to the equator or beyond, so that
    arcs nest instead of crossing.
    """
    span = high - low
    below, above = np.flatnonzero(low == node), np.flatnonzero(high == node)
    below = below[np.argsort(span[below], kind="stable")]
    above = above[np.argsort(span[above], kind="stable")]
    count = len(below) + len(above)
    # Where all arcs go one way, they stay clear of the far side of the ellipse.
    room = 2 * WIDEST_PORT if len(below) and len(above) else WIDEST_PORT + 20.0
    step = min(PORT_STEP, room / max(count - 1, 1))
    found = [(int(tie), float(np.deg2rad(WIDEST_PORT - step * turn))) for turn, tie in enumerate(below)]
    return found + [(int(tie), -float(np.deg2rad(WIDEST_PORT - step * turn))) for turn, tie in enumerate(above)]
