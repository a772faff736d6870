"""The scree: eigenvalues in falling order, against those of random data."""

from __future__ import annotations

from itertools import pairwise

from sem_loyalty.measurement.retention import ParallelAnalysis
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.plots.axis import axis
from sem_loyalty.publish.plots.charts import BLUE, ORANGE, SMALL, Look, finished, tick_marks
from sem_loyalty.publish.plots.picture import INK, PAPER, SOFT, Dot, Item, Line, Picture


def scree(found: ParallelAnalysis, look: Look) -> Picture:
    """Return the eigenvalues, those above the random ones as full dots, with the random ones as a dashed line."""
    left, right, top, bottom = 46.0, look.width - 12.0, 26.0, 236.0
    p = len(found.observed)
    y = axis(
        [*found.observed, *found.reference, 0.0], bottom, top, bounds=None if min(found.observed) < 0 else (0, 1e9)
    )
    items = tick_marks(y, (left, right), look, across=False)
    room = (right - left) / p
    places = [left + room * (k + 0.5) for k in range(p)]
    # Numbers that would touch are left out.
    every = next(step for step in (1, 2, 5, 10, 20) if room * step >= look.width_of([str(p)], SMALL) + 4.0)
    for k, place in enumerate(places, start=1):
        if k == 1 or k % every == 0:
            items.append(look.label(str(k), place, bottom + 13.0, "middle", size=SMALL, color=SOFT))
    series = (
        (found.observed, INK, ()),
        (found.reference, look.color(ORANGE), (5.0, 3.0)),
    )
    for values, color, dash in series:
        points = [(place, y.at(float(value))) for place, value in zip(places, values, strict=True)]
        items += [Line(*a, *b, color, 1.4, dash) for a, b in pairwise(points)]
    blue = look.color(BLUE)
    for k, (place, value) in enumerate(zip(places, found.observed, strict=True)):
        at = y.at(float(value))
        items.append(Dot(place, at, 4.2, blue))
        items += [Dot(place, at, 2.1, PAPER)] if k >= found.n_factors else []
    items += _legend(found, look, left)
    items.append(look.label(word("scree_x", look.lang), (left + right) / 2, bottom + 29.0, "middle"))
    items.append(look.label(word("scree_y", look.lang), 12.0, (top + bottom) / 2, "middle", turned=True))
    above = "; ".join(f"{float(a):.2f} ({float(b):.2f})" for a, b in zip(found.observed, found.reference, strict=True))
    said = word("scree_said", look.lang, n=found.n_factors)
    return finished(items, bottom + 35.0, f"{said}: {above}", look)


def _legend(found: ParallelAnalysis, look: Look, left: float) -> list[Item]:
    """Return what dots and lines mean, in one row, or in two where one is too short."""
    made: list[Item] = []
    blue = look.color(BLUE)
    at = left
    for key, inner in (("scree_kept", blue), ("scree_dropped", PAPER)):
        text = word(key, look.lang)
        made.append(Dot(at + 4.0, 12.0, 4.2, blue))
        made += [Dot(at + 4.0, 12.0, 2.1, inner)] if inner == PAPER else []
        made.append(look.label(text, at + 12.0, 15.0, size=SMALL, color=SOFT))
        at += 12.0 + look.width_of([text], SMALL) + 14.0
    text = word("scree_random", look.lang, quantile=f"{100 * found.quantile:g}")
    made.append(Line(at, 12.0, at + 18.0, 12.0, look.color(ORANGE), 1.4, (5.0, 3.0)))
    made.append(look.label(look.short(text, look.width - at - 26.0, SMALL), at + 22.0, 15.0, size=SMALL, color=SOFT))
    return made
