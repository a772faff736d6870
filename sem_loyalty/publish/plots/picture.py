"""A plot as positioned primitives, and its files: SVG whose text stays text, PNG and PDF through matplotlib.

All lengths are points (1/72 inch), the origin is the top left corner and y points down.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sem_loyalty.errors import ConfigurationError, nearest
from sem_loyalty.publish.diagram.draw_matplotlib import POINTS_PER_INCH, render
from sem_loyalty.publish.diagram.draw_svg import BOLD_FAMILIES, FAMILIES
from sem_loyalty.publish.files import write_bytes
from sem_loyalty.publish.typefaces import NO_FACE, face_path, split_runs, text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, SOFT, RULE, PAPER = "#1b1b1b", "#5a5a5a", "#d0d0d0", "#ffffff"
SUFFIXES = (".svg", ".pdf", ".png")
Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    color: str = INK
    width: float = 0.8
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle, by its left and upper edge."""

    x: float
    y: float
    width: float
    height: float
    color: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled disc with a white rim."""

    x: float
    y: float
    radius: float
    color: str


@dataclass(frozen=True, slots=True)
class Label:
    """One line of text.

    Parameters
    ----------
    text : str
    x, baseline : float
        Anchor point on the baseline.
    size : float
        Type size.
    anchor : {"start", "middle", "end"}
        Which part of the text stands at x.
    style : {"regular", "bold"}
    color : str
    lang : {"en", "zh"}
    turned : bool, default False
        Whether the text reads upwards, as beside a vertical axis.
    """

    text: str
    x: float
    baseline: float
    size: float
    anchor: str = "start"
    style: str = "regular"
    color: str = INK
    lang: str = "en"
    turned: bool = False

    @property
    def length(self) -> float:
        """Measured length of the text."""
        return text_width(self.text, self.size, self.style, lang=self.lang)

    @property
    def rectangle(self) -> Rectangle:
        """Left, top, right and bottom of the measured extent."""
        before = {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.length
        up, down = 0.78 * self.size, 0.24 * self.size
        if self.turned:
            return self.x - up, self.baseline + before - self.length, self.x + down, self.baseline + before
        return self.x - before, self.baseline - up, self.x - before + self.length, self.baseline + down


Item = Line | Box | Dot | Label


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished plot.

    Parameters
    ----------
    width, height : float
        Of the page.
    items : tuple of Line, Box, Dot or Label
        In the order of drawing.
    summary : str
        The plot in words, for those who cannot see it.
    lang : {"en", "zh"}
    """

    width: float
    height: float
    items: tuple[Item, ...]
    summary: str
    lang: str

    @property
    def labels(self) -> tuple[Label, ...]:
        """All type."""
        return tuple(item for item in self.items if isinstance(item, Label))

    def svg(self) -> str:
        """Return the plot as an SVG document."""
        lang = "zh-CN" if self.lang == "zh" else "en"
        width, height = _n(self.width), _n(self.height)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
            f'viewBox="0 0 {width} {height}" role="img" xml:lang="{lang}" lang="{lang}" font-family="{FAMILIES}">'
        )
        body = [f"<title>{escape(self.summary)}</title>", f'<rect width="{width}" height="{height}" fill="{PAPER}"/>']
        return "\n".join([head, *body, *map(_element, self.items), "</svg>"]) + "\n"

    def png(self, dpi: int = 300) -> bytes:
        """Return the plot as PNG bytes, at `dpi` dots per inch."""
        return render(self._figure, "png", dpi, title="Plot", summary=self.summary)

    def pdf(self) -> bytes:
        """Return the plot as PDF bytes with embedded TrueType fonts."""
        return render(self._figure, "pdf", 300, title="Plot", summary=self.summary)

    def save(self, path: str | os.PathLike[str], *, dpi: int = 300) -> Path:
        """Write the plot as .svg, .pdf or .png; the file appears whole or not at all.

        Raises
        ------
        ConfigurationError
            Another type of file, or a directory that does not exist.
        """
        target = Path(path)
        kind = target.suffix.lower()
        if kind not in SUFFIXES:
            hint = nearest(kind, SUFFIXES)
            raise ConfigurationError(
                f"Cannot write {target.name!r}: a plot is saved as {', '.join(SUFFIXES)}. {hint}".strip()
            )
        if not target.parent.is_dir():
            raise ConfigurationError(f"Cannot write {target}: there is no directory {target.parent}. Make it first.")
        write_bytes(target, self.bytes(kind[1:], dpi))
        return target

    def bytes(self, kind: str, dpi: int = 300) -> bytes:
        """Return the file of a kind: "svg", "pdf" or "png"."""
        return self.pdf() if kind == "pdf" else self.png(dpi) if kind == "png" else self.svg().encode("utf-8")

    def __repr__(self) -> str:
        """Return one line for the console."""
        width, height = (value / POINTS_PER_INCH * 25.4 for value in (self.width, self.height))
        return f"<plot, {width:.0f} x {height:.0f} mm; .save('plot.svg'), .pdf or .png>"

    def _repr_html_(self) -> str:
        return self.svg()

    def _figure(self) -> Figure:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(self.width / POINTS_PER_INCH, self.height / POINTS_PER_INCH), facecolor=PAPER)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, self.width)
        axes.set_ylim(self.height, 0.0)
        axes.set_axis_off()
        for order, (_, run) in enumerate(groupby(self.items, key=type), start=1):
            _draw_run(axes, list(run), float(order))
        return figure


def _n(value: float) -> str:
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _element(item: Item) -> str:
    if isinstance(item, Line):
        dash = f' stroke-dasharray="{" ".join(map(_n, item.dash))}"' if item.dash else ""
        return (
            f'<line x1="{_n(item.x1)}" y1="{_n(item.y1)}" x2="{_n(item.x2)}" y2="{_n(item.y2)}" '
            f'stroke="{item.color}" stroke-width="{_n(item.width)}"{dash}/>'
        )
    if isinstance(item, Box):
        return (
            f'<rect x="{_n(item.x)}" y="{_n(item.y)}" width="{_n(item.width)}" height="{_n(item.height)}" '
            f'fill="{item.color}"/>'
        )
    if isinstance(item, Dot):
        return (
            f'<circle cx="{_n(item.x)}" cy="{_n(item.y)}" r="{_n(item.radius)}" fill="{item.color}" '
            f'stroke="{PAPER}" stroke-width="1"/>'
        )
    weight = f' font-weight="bold" font-family="{BOLD_FAMILIES}"' if item.style == "bold" else ""
    turn = f' transform="rotate(-90 {_n(item.x)} {_n(item.baseline)})"' if item.turned else ""
    return (
        f'<text x="{_n(item.x)}" y="{_n(item.baseline)}" font-size="{_n(item.size)}" fill="{item.color}" '
        f'text-anchor="{item.anchor}"{weight}{turn} xml:space="preserve">{escape(item.text)}</text>'
    )


def _draw_run(axes: Any, items: list[Item], order: float) -> None:
    """Draw items of one type that follow each other; one collection is many times quicker than as many objects."""
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.patches import Circle

    first = items[0]
    if isinstance(first, Line):
        lines = [item for item in items if isinstance(item, Line)]
        styles: list[Any] = [(0.0, list(line.dash)) if line.dash else "solid" for line in lines]
        axes.add_collection(
            LineCollection(
                [[(line.x1, line.y1), (line.x2, line.y2)] for line in lines],
                colors=[line.color for line in lines],
                linewidths=[line.width for line in lines],
                linestyles=styles,
                capstyle="butt",
                zorder=order,
            ),
            autolim=False,
        )
    elif isinstance(first, Box):
        boxes = [item for item in items if isinstance(item, Box)]
        corners = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in boxes]
        shapes = [[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in corners]
        colors = [box.color for box in boxes]
        axes.add_collection(
            PolyCollection(shapes, facecolors=colors, edgecolors="none", linewidths=0.0, zorder=order), autolim=False
        )
    else:
        for item in items:
            if isinstance(item, Dot):
                rim = {"facecolor": item.color, "edgecolor": PAPER, "linewidth": 1.0, "zorder": order}
                axes.add_patch(Circle((item.x, item.y), item.radius, **rim))
            elif isinstance(item, Label):
                _draw_label(axes, item, order)


def _draw_label(axes: Any, item: Label, order: float) -> None:
    """Draw a text run by run and word by word: widths are measured without kerning, and no difference can add up."""
    from matplotlib.font_manager import FontProperties

    left = -{"start": 0.0, "middle": 0.5, "end": 1.0}[item.anchor] * item.length
    for run in split_runs(item.text, item.style, lang=item.lang):
        for piece in re.findall(r"\S+\s*|\s+", run.text):
            x, y = (item.x, item.baseline - left) if item.turned else (item.x + left, item.baseline)
            axes.text(
                x, y, piece if run.face != NO_FACE else "?" * len(piece),
                fontproperties=FontProperties(fname=str(face_path(run.face)), size=item.size),
                color=item.color, ha="left", va="baseline", zorder=order, parse_math=False,
                rotation=90 if item.turned else 0, rotation_mode="anchor",
            )  # fmt: skip
            left += text_width(piece, item.size, item.style, lang=item.lang)
