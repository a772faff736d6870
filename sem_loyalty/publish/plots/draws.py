"""Bootstrap distributions: a small histogram a parameter, with estimate and interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.publish.plots.axis import axis
from sem_loyalty.publish.plots.charts import BLUE, SMALL, Look, finished
from sem_loyalty.publish.plots.picture import INK, RULE, SOFT, Box, Item, Line, Picture

Array = NDArray[np.float64]

HEIGHT, STEP = 62.0, 108.0
PALE_BLUE = "#a9c1dd"


@dataclass(frozen=True, slots=True)
class Draws:
    """The draws of one parameter.

    Attributes
    ----------
    name : str
        As a reader knows it.
    draws : ndarray
        Finite draws.
    est, low, high : float
        Estimate and interval.
    """

    name: str
    draws: Array
    est: float
    low: float
    high: float


def histograms(found: Sequence[Draws], look: Look) -> Picture:
    """Return the distributions in columns of two, or of three where there are more than eight."""
    columns = 1 if len(found) == 1 else 2 if len(found) <= 8 else 3
    gap = 16.0
    wide = (look.width - 16.0 - gap * (columns - 1)) / columns
    items: list[Item] = []
    for place, one in enumerate(found):
        left = 8.0 + (wide + gap) * (place % columns)
        items += _panel(one, left, wide, 6.0 + STEP * (place // columns), look)
    rows = -(-len(found) // columns)
    said = "; ".join(f"{one.name} {one.est:.2f} [{one.low:.2f}, {one.high:.2f}]" for one in found)
    return finished(items, 6.0 + STEP * rows, said, look)


def _panel(one: Draws, left: float, wide: float, top: float, look: Look) -> list[Item]:
    right, base = left + wide, top + 28.0 + HEIGHT
    # A few wild draws must not press all others into one bar; they are counted in the outer bars.
    ends = [float(end) for end in np.quantile(one.draws, [0.001, 0.999])]
    reach = [*ends, one.est, one.low, one.high]
    pad = 0.04 * (max(reach) - min(reach))
    x = axis(reach, left, right, bounds=(min(reach) - pad, max(reach) + pad), count=6)
    count = int(np.clip(wide / 5.0, 15, 40))
    tally, edges = np.histogram(np.clip(one.draws, x.low, x.high), bins=count, range=(x.low, x.high))
    highest = max(1, int(tally.max()))
    said = f"{look.number(one.est, 2)} [{look.number(one.low, 2)}, {look.number(one.high, 2)}]"
    items: list[Item] = [
        look.label(look.short(one.name, wide, SMALL, "bold"), left, top + 9.0, size=SMALL, style="bold"),
        look.label(said, left, top + 20.0, size=SMALL, color=SOFT),
    ]
    color = PALE_BLUE if look.certified else RULE
    for number, start, end in zip(tally, edges[:-1], edges[1:], strict=True):
        height = HEIGHT * float(number) / highest
        if number:
            at, wide_bar = x.at(float(start)), x.at(float(end)) - x.at(float(start))
            items.append(Box(at + 0.3, base - height, wide_bar - 0.6, height, color))
    items.append(Line(left, base, right, base, INK, 0.8))
    if x.low < 0.0 < x.high:
        items.append(Line(x.at(0.0), base - HEIGHT, x.at(0.0), base, SOFT, 0.7, (1.5, 2.0)))
    items.append(Line(x.at(one.est), base - HEIGHT - 2.0, x.at(one.est), base, look.color(BLUE), 1.6))
    items += [Line(x.at(end), base - HEIGHT, x.at(end), base, INK, 1.1, (4.0, 2.5)) for end in (one.low, one.high)]
    edge = left
    for tick in x.ticks:
        text, at = look.number(tick, x.digits), x.at(tick)
        half = look.width_of([text], 7.5) / 2
        items.append(Line(at, base, at, base + 2.5, INK, 0.8))
        at = min(max(at, left + half), right - half)
        if at - half >= edge:
            items.append(look.label(text, at, base + 11.0, "middle", size=7.5, color=SOFT))
            edge = at + half + 4.0
    return items
