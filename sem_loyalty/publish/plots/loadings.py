"""Loadings as a picture: with their intervals under each construct, or as a shaded pattern matrix."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from sem_loyalty.publish.lang import word
from sem_loyalty.publish.plots.axis import axis
from sem_loyalty.publish.plots.charts import BLUE, SIZE, SMALL, Look, finished, tick_marks
from sem_loyalty.publish.plots.matrix import GAP, shaded
from sem_loyalty.publish.plots.picture import INK, RULE, SOFT, Dot, Item, Line, Picture

#: The loading from which an item shares half of its variance with the construct.
HALF = float(np.sqrt(0.5))
ROW, HEAD = 13.5, 17.0
# Rows move closer where items are many, so that they stay on one page; closer than this, type would touch.
CLOSEST, TALLEST = 10.5, 600.0


def loading_rows(frame: pd.DataFrame, look: Look) -> Picture:
    """Return one row an item: the standardised loading as a dot on its interval, under the name of its construct.

    Parameters
    ----------
    frame : DataFrame
        Columns lhs, rhs, est_std, ci_lower, ci_upper; the rows of a construct follow each other.
    look : Look
    """
    rows: list[dict[Any, Any]] = frame.to_dict("records")
    # A negative variance leaves no standardised loading.
    shown = [look.number(float(row["est_std"]), 2) if np.isfinite(row["est_std"]) else "–" for row in rows]
    spans = [_span(row, look) for row in rows]
    most = 0.36 * look.width
    items_wide = max(look.width_of([look.short(look.name(row["rhs"]), most, SMALL)], SMALL) for row in rows)
    left = 20.0 + items_wide
    right = look.width - look.width_of(shown, SMALL, "bold") - look.width_of(spans, SMALL) - 26.0
    ends = [float(row[key]) for row in rows for key in ("ci_lower", "ci_upper", "est_std")]
    reach = [0.0, 1.0, *(end for end in ends if np.isfinite(end))]
    x = axis(reach, left, right, bounds=(min(reach), max(reach)))
    top = 10.0
    heads = HEAD * len({row["lhs"] for row in rows})
    step = min(ROW, max(CLOSEST, (TALLEST - heads) / len(rows)))
    down, drawn = top, list[Item]()
    for construct, members in groupby(zip(rows, shown, spans, strict=True), key=lambda entry: entry[0]["lhs"]):
        drawn.append(Line(6.0, down, look.width - 6.0, down, RULE, 0.6))
        head = look.short(look.name(construct), look.width - 16.0, SMALL, "bold")
        drawn.append(look.label(head, 8.0, down + 0.7 * HEAD, size=SMALL, style="bold"))
        down += HEAD
        for row, value, span in members:
            drawn += _row(row, value, span, x.at, down + step / 2, look, left, right, most)
            down += step
        down += 2.0
    items = tick_marks(x, (top, down), look, across=True)
    items.append(Line(x.at(HALF), top, x.at(HALF), down, SOFT, 0.9, (3.0, 2.5)))
    title = word("loadings_x", look.lang)
    said = "; ".join(f"{row['lhs']} =~ {row['rhs']} {float(row['est_std']):.2f}" for row in rows)
    below = look.label(title, (left + right) / 2, down + 30.0, "middle")
    return finished([*items, *_under_heads(drawn), below], down + 36.0, f"{title}: {said}", look)


def _under_heads(drawn: list[Item]) -> list[Item]:
    """Return the items in an order in which no rule crosses a name."""
    return sorted(drawn, key=lambda item: not isinstance(item, Line))


def _span(row: dict[Any, Any], look: Look) -> str:
    low, high = float(row["ci_lower"]), float(row["ci_upper"])
    # A loading that follows from a constraint alone has no interval.
    if not np.isfinite([low, high]).all() or low == high:
        return ""
    return f"[{look.number(low, 2)}, {look.number(high, 2)}]"


def _row(
    row: dict[Any, Any],
    value: str,
    span: str,
    at: Any,
    middle: float,
    look: Look,
    left: float,
    right: float,
    most: float,
) -> list[Item]:
    base = middle + 0.3 * SMALL
    color = look.color(BLUE)
    name = look.short(look.name(row["rhs"]), most, SMALL)
    made: list[Item] = [look.label(name, left - 8.0, base, "end", size=SMALL)]
    if span:
        low, high = at(float(row["ci_lower"])), at(float(row["ci_upper"]))
        made.append(Line(low, middle, high, middle, color, 1.3))
        made += [Line(end, middle - 2.5, end, middle + 2.5, color, 1.3) for end in (low, high)]
    if np.isfinite(row["est_std"]):
        made.append(Dot(at(float(row["est_std"])), middle, 3.3, color))
    number = right + 8.0 + look.width_of([value], SMALL, "bold")
    made.append(look.label(value, number, base, "end", size=SMALL, style="bold"))
    if span:
        made.append(look.label(span, look.width - 8.0, base, "end", size=SMALL, color=SOFT))
    return made


def pattern(loadings: pd.DataFrame, order: list[str], cutoff: float, look: Look) -> Picture:
    """Return a pattern matrix as shaded cells with their numbers, the items sorted as `order` says.

    Parameters
    ----------
    loadings : DataFrame, shape (p, m)
    order : list of str
        The items from above.
    cutoff : float
        Loadings of at least this size stand in bold.
    look : Look
    """
    factors = [str(name) for name in loadings.columns]
    names = [look.short(look.name(item), 0.4 * look.width, SMALL) for item in order]
    left = look.width_of(names, SMALL) + 16.0
    wide = min(52.0, (look.width - left - 8.0) / len(factors))
    # The matrix stands in the middle where there are few factors.
    left += max(0.0, (look.width - left - 8.0 - wide * len(factors)) / 2)
    top, step = 22.0, 14.0
    items: list[Item] = [
        look.label(look.short(name, wide - 2.0, SMALL), left + wide * (k + 0.5), top - 7.0, "middle", size=SMALL)
        for k, name in enumerate(factors)
    ]
    cells = loadings.loc[order].to_numpy(dtype=float)
    boxes: list[Item] = []
    for place, name in enumerate(names):
        down = top + step * place
        items.append(look.label(name, left - 8.0, down + step / 2 + 0.3 * SMALL, "end", size=SMALL))
        for k in range(len(factors)):
            value = float(cells[place, k])
            box, ink = shaded(value, left + wide * k, down, wide - GAP, step - GAP, look)
            bold = abs(value) >= cutoff
            size = min(SMALL, SMALL * (wide - 4.0) / look.width_of(["−0.00"], SMALL, "bold"))
            text = look.number(value, 2)
            style = "bold" if bold else "regular"
            at = left + wide * k + (wide - GAP) / 2
            base = down + step / 2 + 0.3 * size
            boxes.append(box)
            items.append(look.label(text, at, base, "middle", size=size, style=style, color=ink))
    bottom = top + step * len(order)
    items.append(Line(left, top - 2.0, left + wide * len(factors) - GAP, top - 2.0, INK, 0.8))
    strong = [(i, k) for i in range(len(order)) for k in range(len(factors)) if abs(cells[i, k]) >= cutoff]
    said = "; ".join(f"{order[i]} {factors[k]} {cells[i, k]:.2f}" for i, k in strong)
    return finished([*boxes, *items], bottom + 0.6 * SIZE, f"{word('pattern_said', look.lang)}: {said}", look)
