"""How wide the columns of a table are, in em, estimated without a font."""

from __future__ import annotations

import unicodedata

from sem_loyalty.display.grid import Grid

# A Chinese character is 1 em wide; of Times, digits and the mean of running text are close to half of that.
_WIDE, _NARROW = 1.0, 0.52


def text_width(text: str) -> float:
    """Return the width of one line of text in em."""
    return sum(_WIDE if unicodedata.east_asian_width(sign) in "WF" else _NARROW for sign in text)


def column_widths(grid: Grid) -> list[float]:
    """Return the width of every column on one line, in em, heads included; spanners widen their columns evenly."""
    widths = [
        max(
            text_width(text) for text in (grid.head(k), *(row[k].text + row[k].stars + row[k].pad for row in grid.rows))
        )
        for k in range(len(grid.heads))
    ]
    first = 0
    for name, count in grid.groups:
        lacking = text_width(name) - sum(widths[first : first + count])
        for k in range(first, first + count):
            widths[k] += max(lacking, 0.0) / count
        first += count
    return widths
