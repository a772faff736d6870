"""An interaction or a curve in two panels: what is expected of the outcome, and where the slope differs from zero."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from sem_loyalty.inference.probing import JohnsonNeyman
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.plots.axis import Axis, axis
from sem_loyalty.publish.plots.charts import BLUE, ORANGE, PALE, SMALL, Look, finished, tick_marks
from sem_loyalty.publish.plots.picture import INK, SOFT, Box, Item, Line, Picture

# Told apart by colour and, in grey, by dash.
_LINES: dict[int, tuple[str, str, tuple[float, ...]]] = {
    -1: ("plot_low", ORANGE, (5.0, 3.0)),
    0: ("plot_average", INK, ()),
    1: ("plot_high", BLUE, (1.5, 2.5)),
}
_TOP, _BOTTOM = 30.0, 230.0


def slope_panels(found: JohnsonNeyman, look: Look) -> Picture:
    """Return the outcome over the cause, for three values of the moderator, beside the slope with its band."""
    gap = 58.0
    width = (look.width - 46.0 - gap - 8.0) / 2
    items = [
        *_expected(found, look, 46.0, 46.0 + width),
        *_band(found, look, 46.0 + width + gap, look.width - 8.0),
    ]
    middle = found.band.iloc[found.band["value"].abs().argmin()]
    said = f"{look.name(found.predictor)} → {look.name(found.outcome)}: {float(middle['slope']):.2f}; {found}"
    return finished(items, _BOTTOM + 34.0, said, look)


def _expected(found: JohnsonNeyman, look: Look, left: float, right: float) -> list[Item]:
    """Return the lines of the expected outcome, one for each value of the moderator, under a key."""
    frame, curve = found.expected, found.predictor == found.moderator
    x = axis([-2.0, 2.0], left, right, bounds=(-2.0, 2.0), count=5)
    y = axis(frame["outcome"], _BOTTOM, _TOP, count=5)
    title = word("plot_expected", look.lang, outcome=look.name(found.outcome))
    items = _frame(look, x, y, look.name(found.predictor), title)
    at = left
    for in_sd, (key, color, dash) in _LINES.items():
        part = frame[frame["in_sd"] == in_sd]
        points = _points(x, part["value"] / found.predictor_sd, y, part["outcome"])
        # A straight line is drawn in one piece, so that its dashes are even.
        ends = points if curve else points[:1] + points[-1:]
        items += [Line(*a, *b, look.color(color), 1.7, dash) for a, b in pairwise(ends)]
        if not curve:
            said = word(key, look.lang, name=look.name(found.moderator))
            items.append(Line(at, 12.0, at + 16.0, 12.0, look.color(color), 1.7, dash))
            items.append(look.label(said, at + 20.0, 15.0, size=SMALL, color=SOFT))
            at += 20.0 + look.width_of([said], SMALL) + 10.0
    return items


def _band(found: JohnsonNeyman, look: Look, left: float, right: float) -> list[Item]:
    """Return the slope with its band over the moderator; a grey ground where it differs from zero."""
    frame = found.band
    in_sd = frame["value"] / found.sd
    low, high = float(in_sd.min()), float(in_sd.max())
    x = axis([low, high], left, right, bounds=(low, high))
    y = axis([*frame["ci_lower"], *frame["ci_upper"], 0.0], _BOTTOM, _TOP, count=5)
    ground = [
        Box(x.at(start), _TOP, x.at(end) - x.at(start), _BOTTOM - _TOP, PALE)
        for start, end in _stretches(found, low, high)
    ]
    title = word("plot_slope", look.lang, predictor=look.name(found.predictor))
    items: list[Item] = [*ground, *_frame(look, x, y, look.name(found.moderator), title)]
    items.append(Line(left, y.at(0.0), right, y.at(0.0), INK, 0.9))
    for name, thick in (("ci_lower", 0.9), ("ci_upper", 0.9), ("slope", 1.9)):
        points = _points(x, in_sd, y, frame[name])
        items += [Line(*a, *b, look.color(BLUE), thick) for a, b in pairwise(points)]
    if ground:
        said = word("plot_significant", look.lang)
        key = right - look.width_of([said], SMALL)
        items += [Box(key - 14.0, 8.0, 10.0, 9.0, PALE), look.label(said, key, 15.0, size=SMALL, color=SOFT)]
    return items


def _frame(look: Look, x: Axis, y: Axis, below: str, beside: str) -> list[Item]:
    """Return the rules and titles of a panel; `below` is measured in standard deviations."""
    items = [*tick_marks(x, (_TOP, _BOTTOM), look, across=True), *tick_marks(y, (x.start, x.end), look, across=False)]
    title = word("plot_in_sd", look.lang, name=below)
    items.append(look.label(title, (x.start + x.end) / 2, _BOTTOM + 29.0, "middle", size=SMALL))
    items.append(look.label(beside, x.start - 34.0, (_TOP + _BOTTOM) / 2, "middle", size=SMALL, turned=True))
    return items


def _points(x: Axis, across: Iterable[float], y: Axis, up: Iterable[float]) -> list[tuple[float, float]]:
    return [(x.at(float(a)), y.at(float(b))) for a, b in zip(across, up, strict=True)]


def _stretches(found: JohnsonNeyman, low: float, high: float) -> list[tuple[float, float]]:
    """Return where, in standard deviations within the band, the slope differs from zero."""
    inner = sorted(bound / found.sd for bound in found.bounds if low < bound / found.sd < high)
    in_sd = (found.band["value"] / found.sd).to_numpy()
    significant = found.band["significant"].to_numpy()
    edges = [low, *inner, high]
    return [(a, b) for a, b in pairwise(edges) if significant[np.abs(in_sd - (a + b) / 2).argmin()]]
