"""Axes with round ticks, and labels that find a free place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sem_loyalty.publish.plots.picture import Label, Rectangle


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis.

    Attributes
    ----------
    low, high : float
        Ends in units of the data.
    start, end : float
        Where they stand on the page.
    ticks : tuple of float
        Round values within the ends.
    digits : int
        Decimals that the ticks need.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    digits: int

    def at(self, value: float) -> float:
        """Return where a value stands on the page."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def axis(
    values: Iterable[float], start: float, end: float, *, bounds: tuple[float, float] | None = None, count: int = 6
) -> Axis:
    """Return an axis that holds all values, its ends on round ticks.

    Parameters
    ----------
    values : iterable of float
        What must be visible; NaN is passed over.
    start, end : float
        Page positions.
    bounds : (float, float), optional
        Ends that the axis must not pass, for instance (0, 100).
    count : int, default 6
        Ticks to aim at.
    """
    known = [value for value in values if math.isfinite(value)]
    low, high = min(known), max(known)
    pad = 0.06 * (high - low) or 0.1 * (abs(high) or 1.0)
    low, high = low - pad, high + pad
    step = _step((high - low) / max(count - 1, 1))
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    if bounds is not None:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    ticks = tuple(number * step for number in range(first, last + 1))
    return Axis(low, high, start, end, ticks, _digits(step))


def _digits(step: float) -> int:
    """Return the decimals of a step; one of 0.25 needs two."""
    first = max(0, -math.floor(math.log10(step) + 1e-9))
    return next(d for d in (first, first + 1) if d > first or math.isclose(round(step, d), step, rel_tol=1e-9))


def _step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(size * power for size in (1.0, 2.0, 2.5, 5.0, 10.0) if size * power >= rough * 0.999)


def overlap(a: Rectangle, b: Rectangle) -> float:
    """Return the common area of two rectangles."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def placed(
    make: Callable[[float, float, str], Label],
    x: float,
    y: float,
    taken: Sequence[Rectangle],
    frame: Rectangle,
    soft: Sequence[Rectangle] = (),
    others: Sequence[tuple[float, float]] = (),
) -> Label:
    """Return a label beside a point, where it covers nothing.

    Parameters
    ----------
    make : callable
        Makes the label from x, baseline and anchor.
    x, y : float
        The point.
    taken : sequence of rectangles
        What must not be covered.
    frame : rectangle
        Where the label must stay.
    soft : sequence of rectangles
        What is better not covered, such as thin lines.
    others : sequence of (float, float)
        Points to which the label must not stand closer than to its own.
    """
    best, least = None, math.inf
    size = make(0.0, 0.0, "start").size
    for distance in (6.0, 10.0, 15.0, 21.0, 28.0, 36.0):
        for across, down, anchor in (
            (1, 0, "start"), (-1, 0, "end"), (0, -1, "middle"), (0, 1, "middle"),
            (0.8, -0.8, "start"), (0.8, 0.8, "start"), (-0.8, -0.8, "end"), (-0.8, 0.8, "end"),
            (-0.4, -1, "start"), (-0.4, 1, "start"), (0.4, -1, "end"), (0.4, 1, "end"),
        ):  # fmt: skip
            middle = y + down * (distance + 0.35 * size)
            label = make(x + across * distance, middle + 0.27 * size, anchor)
            box = label.rectangle
            outside = max(0.0, frame[0] - box[0]) + max(0.0, box[2] - frame[2])
            outside += max(0.0, frame[1] - box[1]) + max(0.0, box[3] - frame[3])
            cost = 1e3 * outside + 100 * sum(overlap(box, other) for other in taken)
            cost += sum(overlap(box, other) for other in soft) + 0.5 * distance
            own = _distance(box, x, y)
            cost += 60.0 * sum(_distance(box, *other) < own + 4.0 for other in others)
            if cost < least - 1e-9:
                best, least = label, cost
    assert best is not None
    return best


def _distance(box: Rectangle, x: float, y: float) -> float:
    """Return the distance of a point from a rectangle."""
    return math.hypot(max(box[0] - x, 0.0, x - box[2]), max(box[1] - y, 0.0, y - box[3]))


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return positions moved as little as needed to stand at least `gap` apart between two ends, in their order.

    Parameters
    ----------
    positions : sequence of float
        Where things would stand.
    gap, low, high : float
        Least distance and ends; the gap shrinks where there is no room.
    """
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    gap = min(gap, (high - low) / max(len(positions) - 1, 1))
    out = [0.0] * len(positions)
    floor = low
    for i in order:
        out[i] = max(positions[i], floor)
        floor = out[i] + gap
    ceiling = high
    for i in reversed(order):
        out[i] = min(out[i], ceiling)
        ceiling = out[i] - gap
    return out
