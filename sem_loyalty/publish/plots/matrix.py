"""A symmetric matrix as shaded cells below its diagonal, legible in black and white: signs never hang on colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.publish.lang import word
from sem_loyalty.publish.plots.charts import SIZE, SMALL, Look, finished
from sem_loyalty.publish.plots.picture import INK, PAPER, SOFT, Box, Item, Line, Picture

Array = NDArray[np.float64]

# Full strength of both signs; both are as dark in grey, so that the mark of negative cells tells them apart.
POSITIVE, NEGATIVE, NEUTRAL = (31, 95, 168), (178, 76, 20), (90, 90, 90)
GAP = 1.0
#: Cells at least this wide, in points, hold their number.
ROOM = 19.0
LARGEST = 28.0


def tint(value: float, look: Look) -> tuple[str, str]:
    """Return the colour of a cell for a value from -1 to 1, and that of type on it."""
    strength = min(1.0, abs(value))
    full = NEUTRAL if not look.certified else POSITIVE if value >= 0 else NEGATIVE
    mixed = [round(255 + (part - 255) * strength) for part in full]
    return "#" + "".join(f"{part:02x}" for part in mixed), PAPER if strength > 0.6 else INK


def shaded(value: float, x: float, y: float, width: float, height: float, look: Look) -> tuple[Box, str]:
    """Return a shaded cell, and the colour of type on it."""
    color, ink = tint(value, look)
    return Box(x, y, width, height, color), ink


def triangle(
    values: Array,
    names: Sequence[str],
    look: Look,
    *,
    scale: float,
    marked: NDArray[np.bool_],
    title: str,
    digits: int = 2,
) -> Picture:
    """Return the lower triangle of a symmetric matrix, its rows named and its columns numbered.

    Parameters
    ----------
    values : ndarray, shape (p, p)
        NaN leaves a cell out.
    names : sequence of str, length p
    look : Look
    scale : float
        The value of full colour.
    marked : ndarray of bool, shape (p, p)
        Cells with a frame.
    title : str
        What the scale measures.
    digits : int, default 2
        Decimals in the cells, where these are wide enough.
    """
    p = len(names)
    heads = [look.short(f"{k}  {look.name(name)}", 0.34 * look.width, SMALL) for k, name in enumerate(names, start=1)]
    side = min(LARGEST, (look.width - look.width_of(heads, SMALL) - 18.0) / p)
    size = min(SMALL, 0.86 * side)
    heads = [look.short(head, 0.34 * look.width, size) for head in heads]
    left = (look.width - side * p + look.width_of(heads, size) + 8.0) / 2
    top = 6.0
    boxes: list[Item] = []
    marks: list[Item] = []
    rows: list[Item] = []
    shown = side >= ROOM
    number_size = min(7.5, (side - 3.0) / look.width_of([look.number(-0.88, digits)], 1.0)) if shown else 0.0
    frames: list[Item] = []
    for i in range(p):
        down = top + side * i
        rows.append(look.label(heads[i], left - 6.0, down + side / 2 + 0.3 * size, "end", size=size))
        for j in range(i):
            value = float(values[i, j])
            if not np.isfinite(value):
                continue
            x = left + side * j
            box, ink = shaded(value / scale, x, down, side - GAP, side - GAP, look)
            boxes.append(box)
            middle = x + (side - GAP) / 2, down + (side - GAP) / 2
            if shown:
                text = look.number(value, digits)
                marks.append(
                    look.label(text, middle[0], middle[1] + 0.3 * number_size, "middle", size=number_size, color=ink)
                )
            elif value < 0 and abs(value) >= 0.1 * scale:
                marks.append(Line(x + 0.28 * side, middle[1], x + 0.72 * side - GAP, middle[1], ink, 0.9))
            frames += _frame(x, down, side - GAP) if marked[i, j] else []
    bottom = top + side * p
    foot = [
        look.label(str(j + 1), left + side * (j + 0.5), bottom + 0.9 * size, "middle", size=size, color=SOFT)
        for j in range(p - 1)
    ]
    legend = _legend(look, scale, bottom + 0.9 * size + 14.0, title, marks=not shown)
    if not shown and look.note and (np.tril(np.nan_to_num(values), -1) < 0).any():
        blank = " " if look.lang == "en" else ""
        look = replace(look, note=f"{look.note}{blank}{word('matrix_negative', look.lang)}")
    strongest = sorted(
        ((float(values[i, j]), names[j], names[i]) for i in range(p) for j in range(i) if np.isfinite(values[i, j])),
        key=lambda entry: -abs(entry[0]),
    )
    said = "; ".join(f"{a}, {b} {value:.2f}" for value, a, b in strongest[:10])
    return finished(
        [*boxes, *frames, *marks, *rows, *foot, *legend], bottom + 0.9 * size + 46.0, f"{title}: {said}", look
    )


def _frame(x: float, y: float, side: float) -> list[Item]:
    far, low = x + side, y + side
    ends = ((x, y, far, y), (far, y, far, low), (far, low, x, low), (x, low, x, y))
    return [Line(*end, INK, 1.2) for end in ends]


def _legend(look: Look, scale: float, top: float, title: str, *, marks: bool) -> list[Item]:
    """Return a strip of eleven shades from -scale to scale, its name above and its ends below."""
    count, wide = 11, 16.0
    left = (look.width - count * wide) / 2
    items: list[Item] = [look.label(title, look.width / 2, top, "middle", size=SMALL)]
    for k in range(count):
        value = -1.0 + 2.0 * k / (count - 1)
        box, ink = shaded(value, left + wide * k, top + 5.0, wide, 9.0, look)
        items.append(box)
        if marks and value < -0.1:
            items.append(Line(left + wide * (k + 0.3), top + 9.5, left + wide * (k + 0.7), top + 9.5, ink, 0.9))
    digits = 0 if scale >= 1.0 else 1 if round(scale, 1) == scale else 2
    for k, value in ((0, -scale), (count // 2, 0.0), (count - 1, scale)):
        text = look.number(value, digits) if value else "0"
        items.append(look.label(text, left + wide * (k + 0.5), top + 14.0 + SIZE, "middle", size=SMALL, color=SOFT))
    return items
