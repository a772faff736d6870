"""Plane geometry of diagrams on arrays: Bézier curves, segments, rectangles and ellipses. The y axis points down."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def cubic_points(controls: Floats, t: Floats) -> Floats:
    """Return points of cubic Bézier curves.

    Parameters
    ----------
    controls : array, shape (..., 4, 2)
        Control points.
    t : array, shape (m,) or (..., m)
        Parameters in [0, 1].

    Returns
    -------
    array, shape (..., m, 2)
        The points.
    """
    s = np.asarray(t, dtype=float)
    weights = np.stack([(1 - s) ** 3, 3 * s * (1 - s) ** 2, 3 * s**2 * (1 - s), s**3], axis=-1)
    return np.asarray(weights @ controls, dtype=float)


def cubic_part(controls: Floats, start: float, end: float) -> Floats:
    """Return the control points, shape (4, 2), of the part of a cubic between two parameters."""

    def blossom(a: float, b: float, c: float) -> Floats:
        points = controls
        for value in (a, b, c):
            points = points[:-1] * (1 - value) + points[1:] * value
        return np.asarray(points[0])

    return np.array(
        [blossom(start, start, start), blossom(start, start, end), blossom(start, end, end), blossom(end, end, end)]
    )


def raised(start: Floats, middle: Floats, end: Floats) -> Floats:
    """Return the cubic control points, shape (..., 4, 2), of quadratic Bézier curves."""
    return np.stack([start, (start + 2 * middle) / 3, (2 * middle + end) / 3, end], axis=-2)


def segments_cross(a: Floats, b: Floats, c: Floats, d: Floats) -> Bools:
    """Tell whether segments a-b and c-d cross; points have shape (..., 2) and broadcast.

    A point on a line counts as one side of it, so that polylines that cross at a vertex cross once, not never.
    """

    def left(p: Floats, q: Floats, r: Floats) -> Bools:
        turn = (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])
        return np.asarray(turn > 0)

    return np.asarray((left(a, b, c) != left(a, b, d)) & (left(c, d, a) != left(c, d, b)))


def rectangles_overlap(first: Floats, second: Floats, gap: float = 0.0) -> Bools:
    """Tell whether rectangles (x, y, half width, half height), shape (..., 4), come closer than `gap`."""
    apart = np.abs(first[..., :2] - second[..., :2]) - first[..., 2:] - second[..., 2:]
    return np.asarray((apart < gap).all(axis=-1))


def rectangle_meets_ellipse(rectangle: Floats, ellipse: Floats, gap: float = 0.0) -> Bools:
    """Tell whether rectangles and ellipses, both (x, y, half width, half height), come closer than about `gap`."""
    radii = ellipse[..., 2:] + gap
    # Scaled so that the ellipse is the unit circle, the rectangle stays one: the nearest point decides.
    offset = np.maximum(np.abs(rectangle[..., :2] - ellipse[..., :2]) - rectangle[..., 2:], 0.0) / radii
    return np.asarray((offset**2).sum(axis=-1) < 1.0)


def segment_meets_rectangle(a: Floats, b: Floats, rectangle: Floats, gap: float = 0.0) -> Bools:
    """Tell whether segments a-b, shape (..., 2), touch rectangles (x, y, half width, half height) grown by `gap`."""
    centre = rectangle[..., :2]
    half = rectangle[..., 2:] + gap
    middle = (a + b) / 2 - centre
    reach = np.abs(b - a) / 2
    direction = b - a
    # Separating axes: the two sides of the rectangle and the normal of the segment.
    boxes_touch = (np.abs(middle) <= half + reach).all(axis=-1)
    normal = np.abs(middle[..., 0] * direction[..., 1] - middle[..., 1] * direction[..., 0])
    width = half[..., 0] * np.abs(direction[..., 1]) + half[..., 1] * np.abs(direction[..., 0])
    return np.asarray(boxes_touch & (normal <= width))


def inside_ellipse(points: Floats, ellipse: Floats, gap: float | Floats = 0.0) -> Bools:
    """Tell whether points lie in ellipses (x, y, half width, half height) grown by `gap`."""
    # A path without a label has a label of no size, in which no point lies: a quotient by 0 compares as false.
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((((points - ellipse[..., :2]) / (ellipse[..., 2:] + gap)) ** 2).sum(axis=-1) < 1.0)


def inside_rectangle(points: Floats, rectangle: Floats, gap: float | Floats = 0.0) -> Bools:
    """Tell whether points lie in rectangles (x, y, half width, half height) grown by `gap`."""
    return np.asarray((np.abs(points - rectangle[..., :2]) < rectangle[..., 2:] + gap).all(axis=-1))


def inside_shape(points: Floats, shape: Floats, round_: Bools | bool, gap: float | Floats = 0.0) -> Bools:
    """Tell whether points lie in shapes that are ellipses where `round_` holds, else rectangles."""
    return np.asarray(np.where(round_, inside_ellipse(points, shape, gap), inside_rectangle(points, shape, gap)))


def exit_parameters(controls: Floats, shapes: Floats, round_: Bools) -> Floats:
    """Return the parameters at which cubics, starting inside shapes, leave them for good.

    Parameters
    ----------
    controls : array, shape (m, 4, 2)
        The curves; reverse the second axis to follow them from their ends.
    shapes : array, shape (m, 4)
        Centre and half sizes.
    round_ : array of bool, shape (m,)
        Ellipse or rectangle.

    Returns
    -------
    array, shape (m,)
        Parameters in [0, 1], by bisection to 1e-5.
    """
    grid = np.linspace(0.0, 1.0, 25)
    inside = inside_shape(cubic_points(controls, grid), shapes[:, None], round_[:, None])
    last = np.where(inside.any(axis=1), 24 - np.argmax(inside[:, ::-1], axis=1), 0)
    low = grid[last]
    high = np.minimum(1.0, low + 1.0 / 24.0)
    for _ in range(12):
        middle = (low + high) / 2
        within = inside_shape(cubic_points(controls, middle[:, None])[:, 0], shapes, round_)
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return np.asarray(np.where(inside.any(axis=1), high, 0.0))
