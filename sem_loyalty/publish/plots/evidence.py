"""The plots of hypotheses: the specification curve, and the paths of groups."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from sem_loyalty.inference.group_paths import PathComparison
from sem_loyalty.inference.robustness import Robustness
from sem_loyalty.publish.lang import WORDS, word
from sem_loyalty.publish.plots.axis import axis
from sem_loyalty.publish.plots.charts import BLUE, ORANGE, SERIES, SIZE, SMALL, Look, finished, tick_marks
from sem_loyalty.publish.plots.picture import INK, RULE, SOFT, Box, Dot, Item, Label, Line, Picture

GREY = "#8a8f98"
COLORS = {"supported": BLUE, "unsupported": GREY, "opposite": ORANGE}
# More items than this share one row.
MOST_ITEMS = 24
ROW = 10.5


def curve(found: Robustness, hypothesis: str, look: Look) -> Picture:
    """Return the estimates of one hypothesis in every certified specification, in order, above what each one does."""
    own = found.results[found.results["hypothesis"] == hypothesis]
    own = own[own["verdict"].isin(COLORS)].merge(found.specifications, on="specification")
    own = own.sort_values(["std_all", "specification"], kind="stable").reset_index(drop=True)
    claim = next(one for one in found.hypotheses if one.id == hypothesis)
    path = " → ".join(look.name(name) for name in claim.path)
    rows = _rows(own, found.specifications, look)
    heads = [head for head, _, _ in rows if head]
    names_end = 8.0 + look.width_of(heads, SMALL, "bold") + 8.0 + look.width_of([name for _, name, _ in rows], SMALL)
    left, right, top, bottom = max(56.0, names_end + 8.0), look.width - 10.0, 46.0, 196.0
    y = axis([*own["std_all"], 0.0], bottom, top, bounds=_side(own["std_all"]))
    items: list[Item] = [*tick_marks(y, (left, right), look, across=False)]
    items.append(Line(left, y.at(0.0), right, y.at(0.0), SOFT, 0.9))
    items.append(look.label(word("curve_x", look.lang), left - 38.0, (top + bottom) / 2, "middle", turned=True))
    items += _legend(own, look, left)
    room = (right - left) / len(own)
    places = [left + room * (k + 0.5) for k in range(len(own))]
    wide = min(4.0, max(1.0, 0.8 * room))
    heights = [y.at(float(value)) for value in own["std_all"]]
    for place, at, verdict in zip(places, heights, own["verdict"], strict=True):
        items.append(Box(place - wide / 2, at - 2.0, wide, 4.0, look.color(COLORS[verdict])))
    main = own.index[own["specification"] == 0]
    items += [Dot(places[k], heights[k], 4.2, INK) for k in main]
    down = bottom + 14.0
    for head, name, applies in rows:
        if head:
            down += 4.0
            items.append(look.label(head, 8.0, down + 0.3 * SMALL, size=SMALL, style="bold", color=SOFT))
        items.append(look.label(name, left - 8.0, down + 0.3 * SMALL, "end", size=SMALL))
        items.append(Line(left, down, right, down, RULE, 0.4))
        marks = zip(places, own["verdict"], applies, strict=True)
        items += [
            Line(place, down - 3.4, place, down + 3.4, look.color(COLORS[verdict]), min(1.6, max(0.5, 0.7 * room)))
            for place, verdict, on in marks
            if on
        ]
        down += ROW
    held = int((own["verdict"] == "supported").sum())
    said = word("curve_said", look.lang, held=held, n=len(own))
    title = look.short(f"{hypothesis}: {path}", look.width - 16.0, style="bold")
    titled = [look.label(title, 8.0, 13.0, style="bold"), look.label(said, 8.0, 28.0, size=SMALL, color=SOFT)]
    return finished([*titled, *items], down + 2.0, f"{title}: {said}", look)


def _side(values: pd.Series[float]) -> tuple[float, float] | None:
    """Return the ends that an axis must not pass: zero, where all values lie on one side of it."""
    if (values >= 0).all():
        return 0.0, math.inf
    return (-math.inf, 0.0) if (values <= 0).all() else None


def _legend(own: pd.DataFrame, look: Look, left: float) -> list[Item]:
    """Return what the colours mean, as far as they occur, and the main specification."""
    made: list[Item] = []
    shown = [(key, color) for key, color in COLORS.items() if (own["verdict"] == key).any()]
    texts = [(word(f"curve_{key}", look.lang), look.color(color), 3.0) for key, color in shown]
    texts += [(word("curve_main", look.lang), INK, 4.2)] if (own["specification"] == 0).any() else []
    at = left
    for text, color, radius in texts:
        made += [Dot(at + 4.0, 38.0, radius, color), look.label(text, at + 11.0, 41.0, size=SMALL, color=SOFT)]
        at += 11.0 + look.width_of([text], SMALL) + 14.0
    return made


def _rows(own: pd.DataFrame, every: pd.DataFrame, look: Look) -> list[tuple[str, str, list[bool]]]:
    """Return head (of the first row of its kind), name and where it applies, of every choice that varies."""
    rows: list[tuple[str, str, list[bool]]] = []
    for column in ("estimator", "missing", "excluded", "controls", "dropped"):
        cells = [str(cell).split("; ") for cell in own[column]]
        found = list(dict.fromkeys(part for cell in every[column] for part in str(cell).split("; ")))
        if len(found) < 2:
            continue
        found.sort(key=lambda part: part != "none")
        if column == "dropped" and len(found) > MOST_ITEMS:
            cells = [["none"] if cell == ["none"] else ["curve_dropped"] for cell in cells]
            found = ["none", "curve_dropped"]
        head = word(f"curve_{column}", look.lang)
        for part in found:
            rows.append((head, choice_name(part, look), [part in cell for cell in cells]))
            head = ""
    return rows


def choice_name(part: str, look: Look) -> str:
    """Return a choice as a reader knows it."""
    for key in (f"excluded_{part}", f"curve_{part}", part):
        if key in WORDS and part not in look.labels:
            return word(key, look.lang)
    return look.name(part)


def forest(found: PathComparison, look: Look) -> Picture:
    """Return every path of every group with its interval, the groups of one path under each other."""
    values = {(row["path"], row["group"]): row for row in found.estimates.to_dict("records")}
    paths = list(found.paths["path"])
    names = []
    for path in paths:
        outcome, _, cause = path.partition(" ~ ")
        names.append(look.short(f"{look.name(cause)} → {look.name(outcome)}", 0.5 * look.width))
    left, right, top = look.width_of(names) + 18.0, look.width - 12.0, 28.0
    step = 11.0 * len(found.groups) + 9.0
    bottom = top + step * len(paths)
    ends = [float(row[key]) for row in values.values() for key in ("ci_lower", "ci_upper")]
    x = axis([*ends, 0.0], left, right)
    items: list[Item] = [*tick_marks(x, (top, bottom), look, across=True), *_groups(found.groups, look, left)]
    items.append(Line(x.at(0.0), top, x.at(0.0), bottom, SOFT, 0.9))
    for k, (path, name) in enumerate(zip(paths, names, strict=True)):
        items.append(look.label(name, left - 8.0, top + step * (k + 0.5) + 0.3 * SIZE, "end"))
        for g, label in enumerate(found.groups):
            row, at = values[path, label], top + step * k + 10.0 + 11.0 * g
            color = look.color(SERIES[g % len(SERIES)])
            low, high = x.at(float(row["ci_lower"])), x.at(float(row["ci_upper"]))
            items += [Line(low, at, high, at, color, 1.4), Line(low, at - 2.5, low, at + 2.5, color, 1.4)]
            items += [Line(high, at - 2.5, high, at + 2.5, color, 1.4), Dot(x.at(float(row["est"])), at, 3.6, color)]
    title = word("forest_x", look.lang)
    items.append(look.label(title, (left + right) / 2, bottom + 30.0, "middle"))
    told = [", ".join(f"{look.name(g)} {float(values[path, g]['est']):.2f}" for g in found.groups) for path in paths]
    said = "; ".join(f"{name}: {one}" for name, one in zip(names, told, strict=True))
    return finished(items, bottom + 36.0, f"{title}: {said}", look)


def _groups(groups: Sequence[str], look: Look, left: float) -> list[Dot | Label]:
    """Return the names of the groups with their colours."""
    made: list[Dot | Label] = []
    at = left
    for g, label in enumerate(groups):
        text = look.name(label)
        made.append(Dot(at + 4.0, 12.0, 3.6, look.color(SERIES[g % len(SERIES)])))
        made.append(look.label(text, at + 11.0, 15.0, size=SMALL))
        at += 11.0 + look.width_of([text], SMALL) + 16.0
    return made
