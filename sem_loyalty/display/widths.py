"""How wide the columns of a table are, in em, estimated without a font."""

from __future__ import annotations

import unicodedata

from sem_loyalty.display.grid import Grid

# Advance widths in em of Times, a little generous; a Chinese character is 1 em wide.
_WIDTHS = {0.3: "iIjlft.,:;'|!()[] ", 0.92: "MWmw%@", 0.6: "−+<>=~"}
_OF_SIGN = {sign: width for width, signs in _WIDTHS.items() for sign in signs}


def text_width(text: str) -> float:
    """Return the width of one line of text in em."""
    return sum(map(_advance, text))


def _advance(sign: str) -> float:
    if sign in _OF_SIGN:
        return _OF_SIGN[sign]
    if unicodedata.east_asian_width(sign) in "WF" or sign in "→↔⇄…":
        return 1.0
    return 0.72 if sign.isupper() else 0.52


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
