"""The plots of loyalty, one function each: a result in, a picture out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from sem_loyalty.display import format_number
from sem_loyalty.loyalty.drivers import Drivers
from sem_loyalty.loyalty.performance import PerformanceMap
from sem_loyalty.loyalty.recommendation import NetPromoter
from sem_loyalty.loyalty.segments import Segments
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.plots.axis import Axis, axis, placed, spread
from sem_loyalty.publish.plots.picture import INK, PAPER, RULE, SOFT, Box, Dot, Item, Label, Line, Picture, Rectangle
from sem_loyalty.publish.typefaces import text_width

# Blue and orange differ for every common kind of colour vision, and in grey.
BLUE, ORANGE, PALE = "#1f5fa8", "#c2571a", "#d9dde3"
SERIES = ("#c2571a", "#1f5fa8", "#3f8f5b", "#7a4ea3", "#8a6d1f", "#4a4a4a")
# Segments are told apart in grey by these.
DASHES: tuple[tuple[float, ...], ...] = ((), (7.0, 3.0), (2.0, 2.0), (9.0, 2.5, 2.0, 2.5), (4.0, 4.0), (1.0, 2.5))
GREYED = "#9a9a9a"
SIZE, SMALL = 10.0, 8.5
POINTS_PER_MM = 72.0 / 25.4
# No line of a page holds more characters.
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Look:
    """What all plots share.

    Attributes
    ----------
    lang : {"en", "zh"}
    labels : mapping of str to str
        Reader's name by construct.
    width : float
        Of the page, in points.
    certified : bool
        False draws in grey under a warning.
    note : str
        The line below; "" for none.
    """

    lang: str = "en"
    labels: Mapping[str, str] = field(default_factory=dict)
    width: float = 160.0 * POINTS_PER_MM
    certified: bool = True
    note: str = ""

    def name(self, key: object) -> str:
        """Return the reader's name of a variable, on one line and no longer than a third of the page."""
        return self.short(self.labels.get(str(key), str(key)), self.width / 3.0, SIZE, "bold")

    def short(self, text: str, width: float, size: float = SIZE, style: str = "regular") -> str:
        """Return a text that fits a width, its end replaced by an ellipsis where it must be."""
        # What cannot be printed, such as the end of a line, would leave the place of the text.
        plain = "".join(character if character.isprintable() else " " for character in text[:LONGEST])
        cut = len(text) > LONGEST
        while plain and text_width(plain + "…" * cut, size, style, lang=self.lang) > width:
            plain, cut = plain[:-1].rstrip(), True
        return plain + "…" * cut

    def color(self, color: str) -> str:
        """Return a colour, or grey for numbers that must not be reported."""
        return color if self.certified else GREYED

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number as the language writes it."""
        return format_number(value, digits, lang=self.lang)

    def label(self, text: str, x: float, baseline: float, anchor: str = "start", **more: object) -> Label:
        """Return a label in the language of the plot."""
        options = {"size": SIZE, "style": "regular", "color": INK, "turned": False} | more
        return Label(text, x, baseline, anchor=anchor, lang=self.lang, **options)  # type: ignore[arg-type]

    def width_of(self, texts: Sequence[str], size: float = SIZE, style: str = "regular") -> float:
        """Return the length of the longest text."""
        return max((text_width(text, size, style, lang=self.lang) for text in texts), default=0.0)


def finished(items: list[Item], height: float, summary: str, look: Look) -> Picture:
    """Return the picture with the warning above it and the note below it."""
    top = 0.0
    framed: list[Item] = []
    if not look.certified:
        top = 2.0 * SIZE
        framed.append(Box(0.0, 0.0, look.width, top, INK))
        middle = look.width / 2
        framed.append(
            look.label(word("plot_uncertified", look.lang), middle, 1.35 * SIZE, "middle", style="bold", color=PAPER)
        )
    framed += [_moved(item, top) for item in items]
    bottom = top + height
    for line in _wrapped(look.note, look.width - 12.0, look) if look.note else []:
        bottom += 1.35 * SMALL
        framed.append(look.label(line, 6.0, bottom - 0.2 * SMALL, size=SMALL, color=SOFT))
    return Picture(look.width, bottom + 5.0, tuple(framed), summary, look.lang)


def _moved(item: Item, down: float) -> Item:
    if isinstance(item, Line):
        return Line(item.x1, item.y1 + down, item.x2, item.y2 + down, item.color, item.width, item.dash)
    if isinstance(item, Box):
        return Box(item.x, item.y + down, item.width, item.height, item.color)
    if isinstance(item, Dot):
        return Dot(item.x, item.y + down, item.radius, item.color)
    return Label(
        item.text, item.x, item.baseline + down, item.size, item.anchor, item.style, item.color, item.lang, item.turned
    )


def _wrapped(text: str, width: float, look: Look) -> list[str]:
    """Return the lines of a text that fit a width; Chinese breaks between characters, but not in numbers and words."""
    parts = (
        re.findall(r"[（“《]?(?:[!-~]+\s*|.)", text)
        if look.lang == "zh"
        else [f"{piece} " for piece in text.split(" ")]
    )
    lines = [""]
    for part in parts:
        if lines[-1] and text_width((lines[-1] + part).rstrip(), SMALL, lang=look.lang) > width:
            # A mark that closes a phrase never begins a line.
            if part in "，。；：）、":
                lines[-1] += part
                continue
            lines.append("")
        lines[-1] += part
    return [line.rstrip() for line in lines]


def tick_marks(side: Axis, other: tuple[float, float], look: Look, *, across: bool) -> list[Item]:
    """Return thin rules and numbers at the ticks of an axis; `other` is where the rules begin and end."""
    made: list[Item] = []
    for tick in side.ticks:
        at, shown = side.at(tick), look.number(tick, side.digits)
        if across:
            made += [Line(at, other[0], at, other[1], RULE, 0.6)]
            made.append(look.label(shown, at, other[1] + 1.35 * SIZE, "middle", size=SMALL, color=SOFT))
        else:
            made += [Line(other[0], at, other[1], at, RULE, 0.6)]
            made.append(look.label(shown, other[0] - 5.0, at + 0.3 * SMALL, "end", size=SMALL, color=SOFT))
    return made


def importance_map(found: PerformanceMap, look: Look) -> Picture:
    """Return the importance-performance map: what matters more stands further right, what is better stands higher."""
    frame = found.constructs
    left, right, top, bottom = 46.0, look.width - 10.0, 8.0, 270.0
    whiskers = frame[["importance_lower", "importance_upper"]].to_numpy().ravel().tolist() if found.draws else []
    reach = [*frame["importance"], *whiskers, 0.0]
    x = axis(reach, left, right, bounds=(0.0, math.inf) if min(reach) >= 0.0 else None)
    span = frame[["performance_lower", "performance_upper"]].to_numpy().ravel().tolist()
    # A window of twenty points at least, so that differences of a point do not look like gulfs.
    middle = (min(span) + max(span)) / 2
    y = axis([*span, middle - 10.0, middle + 10.0], bottom, top, bounds=(0.0, 100.0))
    items = [*tick_marks(x, (top, bottom), look, across=True), *tick_marks(y, (left, right), look, across=False)]
    mean_x, mean_y = x.at(float(frame["importance"].mean())), y.at(float(frame["performance"].mean()))
    items += [
        Line(mean_x, top, mean_x, bottom, SOFT, 0.9, (3.0, 2.5)),
        Line(left, mean_y, right, mean_y, SOFT, 0.9, (3.0, 2.5)),
    ]
    corners = (
        ("possible overkill", left + 6, top + 13, "start"),
        ("keep up", right - 6, top + 13, "end"),
        ("low priority", left + 6, bottom - 7, "start"),
        ("improve first", right - 6, bottom - 7, "end"),
    )
    words = [look.label(word(k, look.lang), a, b, c, size=SMALL, color=SOFT) for k, a, b, c in corners]
    dots: list[Dot] = []
    bars: list[Line] = []
    for row in frame.to_dict("records"):
        px, py = x.at(float(row["importance"])), y.at(float(row["performance"]))
        color = look.color(ORANGE if row["advice"] == "improve first" else BLUE)
        ends = y.at(float(row["performance_lower"])), y.at(float(row["performance_upper"]))
        bars.append(Line(px, ends[0], px, ends[1], "#9db4d0" if look.certified else RULE, 1.1))
        if found.draws:
            low, high = x.at(float(row["importance_lower"])), x.at(float(row["importance_upper"]))
            bars.append(Line(low, py, high, py, "#9db4d0" if look.certified else RULE, 1.1))
        dots.append(Dot(px, py, 4.6, color))
    taken: list[Rectangle] = [label.rectangle for label in words]
    taken += [(dot.x - 5, dot.y - 5, dot.x + 5, dot.y + 5) for dot in dots]
    thin = [
        (min(b.x1, b.x2) - 1, min(b.y1, b.y2) - 1, max(b.x1, b.x2) + 1, max(b.y1, b.y2) + 1)
        for b in (*bars, Line(mean_x, top, mean_x, bottom), Line(left, mean_y, right, mean_y))
    ]
    names: list[Item] = []
    for key, dot in zip(frame.index, dots, strict=True):
        make = partial(look.label, look.name(key), style="bold")
        others = [(other.x, other.y) for other in dots if other is not dot]
        label = placed(make, dot.x, dot.y, taken, (left, top, right, bottom), thin, others)
        taken.append(label.rectangle)
        a, b, c, d = label.rectangle
        names += [Box(a - 1.0, b, c - a + 2.0, d - b, PAPER), label]  # a line behind a name breaks off
    outcome = look.name(found.outcome)
    items += [*words, *names[::2], *bars, *dots, *names[1::2]]
    items.append(
        look.label(word("plot_importance", look.lang, outcome=outcome), (left + right) / 2, bottom + 30, "middle")
    )
    items.append(look.label(word("plot_performance", look.lang), 12.0, (top + bottom) / 2, "middle", turned=True))
    said = "; ".join(
        f"{look.name(key)} {row['importance']:.2f}, {row['performance']:.0f}" for key, row in frame.iterrows()
    )
    return finished(items, bottom + 36, f"{outcome}: {said}", look)


def driver_bars(found: Drivers, look: Look) -> Picture:
    """Return bars of the share of explained variance, with intervals and the probability of being the strongest."""
    frame = found.importance
    names = [look.name(key) for key in frame.index]
    several = found.draws > 0
    shown = [f"{look.number(100 * share)}%" for share in frame["share"]]
    strongest = [
        look.number(100 * value) + "%" if 0.005 < value < 0.995 else ("> 99%" if value > 0.5 else "< 1%")
        for value in frame["p_strongest"].fillna(0.0)
    ]
    head = word("plot_strongest", look.lang)
    number_width = look.width_of(shown, style="bold") + 10.0
    chance_width = look.width_of([*strongest, head], SMALL if several else SIZE) + 10.0 if several else 0.0
    left, right = look.width_of(names) + 16.0, look.width - number_width - chance_width - 4.0
    top, step, thick = 24.0, 27.0, 13.0
    bottom = top + step * len(names)
    ends = [100 * value for value in frame["share_upper"]] if several else []
    x = axis([*(100 * frame["share"]), *ends, 0.0], left, right, bounds=(0.0, 100.0))
    items: list[Item] = tick_marks(x, (top, bottom), look, across=True)
    if several:
        items.append(look.label(head, look.width - 6.0, top - 9.0, "end", size=SMALL, color=SOFT))
    for place, (row, name) in enumerate(zip(frame.to_dict("records"), names, strict=True)):
        middle = top + step * (place + 0.5)
        end = x.at(100 * float(row["share"]))
        items.append(look.label(name, left - 8.0, middle + 0.3 * SIZE, "end"))
        items.append(Box(x.at(0.0), middle - thick / 2, end - x.at(0.0), thick, look.color(BLUE)))
        if several:
            low, high = x.at(100 * float(row["share_lower"])), x.at(100 * float(row["share_upper"]))
            # White inside the bar, dark beyond it, so that both halves of the interval can be seen.
            items += [Line(low, middle, min(end, high), middle, PAPER, 1.4), Line(end, middle, high, middle, INK, 1.4)]
            items += [
                Line(low, middle - 3.5, low, middle + 3.5, PAPER, 1.4),
                Line(high, middle - 3.5, high, middle + 3.5, INK, 1.4),
            ]
            items.append(look.label(strongest[place], look.width - 6.0, middle + 0.3 * SIZE, "end"))
        at = look.width - chance_width - 8.0
        items.append(look.label(shown[place], at, middle + 0.3 * SIZE, "end", style="bold"))
    title = word("plot_share", look.lang, outcome=look.name(found.outcome))
    items.append(look.label(title, (left + right) / 2, bottom + 30.0, "middle"))
    said = "; ".join(f"{name} {share}" for name, share in zip(names, shown, strict=True))
    return finished(items, bottom + 36.0, f"{title}: {said}", look)


def segment_profile(found: Segments, look: Look) -> Picture:
    """Return one line a segment over the scores, named at its end."""
    scores = [str(name) for name in found.profile.columns if name not in ("n", "share", "jaccard")]
    rows = found.profile.reset_index().to_dict("records")
    tags = [
        word("plot_segment", look.lang, k=int(row["segment"]), share=look.number(100 * float(row["share"])))
        for row in rows
    ]
    left, top, bottom = 46.0, 10.0, 240.0
    right = look.width - look.width_of(tags, style="bold") - 20.0
    values = [float(row[name]) for row in rows for name in scores]
    inside = min(values) >= 0.0 and max(values) <= 100.0
    y = axis(values, bottom, top, bounds=(0.0, 100.0) if inside else None)
    items: list[Item] = tick_marks(y, (left, right), look, across=False)
    room = (right - left) / len(scores)
    places = [left + room * (k + 0.5) for k in range(len(scores))]
    for place, name in zip(places, scores, strict=True):
        for line, text in enumerate(_wrapped_to(look.name(name), room - 6.0, look)):
            items.append(look.label(text, place, bottom + 15.0 + 1.25 * SMALL * line, "middle", size=SMALL))
    deepest = max(len(_wrapped_to(look.name(name), room - 6.0, look)) for name in scores)
    ends = spread([y.at(float(row[scores[-1]])) for row in rows], 1.4 * SIZE, top + SIZE / 2, bottom - SIZE / 2)
    for k, (row, tag, end) in enumerate(zip(rows, tags, ends, strict=True)):
        color = look.color(SERIES[k % len(SERIES)])
        at = [(place, y.at(float(row[name]))) for place, name in zip(places, scores, strict=True)]
        items += [Line(*a, *b, color, 1.6, DASHES[k % len(DASHES)]) for a, b in pairwise(at)]
        if abs(end - at[-1][1]) > 1.0 or places[-1] < right:
            items.append(Line(at[-1][0] + 5.0, at[-1][1], right + 4.0, end, color, 0.6))
        items += [Dot(a, b, 4.2, color) for a, b in at]
        items.append(look.label(tag, right + 8.0, end + 0.3 * SIZE, style="bold", color=color))
    items.append(look.label(word("plot_score", look.lang), 12.0, (top + bottom) / 2, "middle", turned=True))
    said = "; ".join(
        f"{tag}: {', '.join(f'{look.name(name)} {float(row[name]):.0f}' for name in scores)}"
        for row, tag in zip(rows, tags, strict=True)
    )
    return finished(items, bottom + 16.0 + 1.25 * SMALL * deepest, said, look)


def _wrapped_to(text: str, width: float, look: Look) -> list[str]:
    return _wrapped(text, max(width, 20.0), look)


def nps_bars(found: NetPromoter, look: Look) -> Picture:
    """Return a divided bar for each group, with the score and its interval beside it."""
    rows = found.scores.reset_index().to_dict("records")
    names = [word("all", look.lang) if row["group"] == "all" else look.name(row["group"]) for row in rows]
    counts = [f"n = {int(row['n'])}" for row in rows]
    scores = [look.number(float(row["nps"])) for row in rows]
    spans = [f"[{look.number(float(row['ci_lower']))}, {look.number(float(row['ci_upper']))}]" for row in rows]
    score_width, span_width = look.width_of(scores, 12.0, "bold"), look.width_of(spans, SMALL)
    left = max(look.width_of(names), look.width_of(counts, SMALL)) + 16.0
    right = look.width - score_width - span_width - 26.0
    top, step, thick = 32.0, 32.0, 18.0
    parts = (("detractors", look.color(ORANGE), PAPER), ("passives", PALE, INK), ("promoters", look.color(BLUE), PAPER))
    items: list[Item] = []
    at = left
    for key, color, _ in parts:
        items += [
            Box(at, 7.0, 9.0, 9.0, color),
            look.label(word(key, look.lang), at + 13.0, 15.0, size=SMALL, color=SOFT),
        ]
        at += 13.0 + look.width_of([word(key, look.lang)], SMALL) + 16.0
    head = word("nps", look.lang)
    items.append(look.label(head, right + 10.0 + score_width, 24.0, "end", size=SMALL, color=SOFT))
    for place, (row, name) in enumerate(zip(rows, names, strict=True)):
        middle = top + step * (place + 0.5)
        items.append(look.label(name, left - 8.0, middle - 0.5, "end"))
        items.append(look.label(counts[place], left - 8.0, middle + 10.0, "end", size=SMALL, color=SOFT))
        x = left
        for key, color, ink in parts:
            length = float(row[key]) * (right - left)
            items.append(Box(x, middle - thick / 2, length, thick, color))
            share = f"{look.number(100 * float(row[key]))}%"
            if length > look.width_of([share], SMALL) + 6.0:
                items.append(look.label(share, x + length / 2, middle + 0.3 * SMALL, "middle", size=SMALL, color=ink))
            x += length
        items.append(
            look.label(scores[place], right + 10.0 + score_width, middle + 4.0, "end", size=12.0, style="bold")
        )
        items.append(look.label(spans[place], right + 16.0 + score_width, middle + 3.5, size=SMALL, color=SOFT))
    said = "; ".join(f"{name} {score} {span}" for name, score, span in zip(names, scores, spans, strict=True))
    return finished(items, top + step * len(rows) + 2.0, f"{head}: {said}", look)
