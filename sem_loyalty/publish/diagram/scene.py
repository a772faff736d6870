"""A finished picture as positioned primitives: what every backend draws and what the checker inspects.

All lengths are points (1/72 inch), the origin is the top left corner and y points down.
"""

from __future__ import annotations

from dataclasses import dataclass

from sem_loyalty.publish.typefaces import Run

Point = tuple[float, float]
INK, GREY, FAINT, PAPER = "#111111", "#6e6e6e", "#777777", "#ffffff"


@dataclass(frozen=True, slots=True)
class Shape:
    """An ellipse or a box.

    Parameters
    ----------
    id : str
        Stable identifier, unique in the scene.
    node : str
        Name of the variable.
    x, y, rx, ry : float
        Centre and half sizes.
    round : bool
        Ellipse, or rectangle.
    line_width : float
        Of the outline.
    title : str
        The whole label on one line, whatever of it is printed.
    """

    id: str
    node: str
    x: float
    y: float
    rx: float
    ry: float
    round: bool
    line_width: float
    title: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """A cubic Bézier curve; straight where `straight` holds.

    Parameters
    ----------
    id : str
        Stable identifier, unique in the scene.
    source, target : str
        Names of the variables joined.
    kind : str
        "loading", "path", "covariance", "moderation" or "residual".
    points : tuple of four points
        Control points, from border to border; arrowheads end where the curve ends.
    straight : bool
        Whether a straight line is meant.
    color : str
        Of the line.
    line_width : float
        In points.
    dash : tuple of float
        Lengths of ink and gap; empty for a solid line.
    arrows : tuple of Arrowhead
        Heads at its ends.
    moderates : str, default ""
        Of a moderation: where the path starts that it ends on.
    """

    id: str
    source: str
    target: str
    kind: str
    points: tuple[Point, Point, Point, Point]
    straight: bool
    color: str
    line_width: float
    dash: tuple[float, ...]
    arrows: tuple[Arrowhead, ...]
    moderates: str = ""


@dataclass(frozen=True, slots=True)
class Arrowhead:
    """A filled triangle: tip first, then the two corners of its base."""

    points: tuple[Point, Point, Point]
    color: str


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text.

    Parameters
    ----------
    id : str
        Stable identifier, unique in the scene.
    role : str
        "name", "r2", "indicator", "coefficient", "loading", "panel", "note" or "banner".
    owner : str
        Identifier of the shape or curve that it belongs to, "" for the page.
    x, y : float
        Middle of the line of text; of its left end where `anchor` is "start".
    baseline : float
        y of the baseline.
    width, height : float
        Measured extent, on the generous side.
    size : float
        Type size.
    color : str
        Of the type.
    anchor : str
        "middle" or "start".
    runs : tuple of Run
        The text by typeface.
    """

    id: str
    role: str
    owner: str
    x: float
    y: float
    baseline: float
    width: float
    height: float
    size: float
    color: str
    anchor: str
    runs: tuple[Run, ...]

    @property
    def content(self) -> str:
        """The text as a string."""
        return "".join(run.text for run in self.runs)

    @property
    def rectangle(self) -> tuple[float, float, float, float]:
        """Centre and half sizes of the measured extent."""
        x = self.x + (self.width / 2 if self.anchor == "start" else 0.0)
        return x, self.y, self.width / 2, self.height / 2


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture.

    Parameters
    ----------
    width, height : float
        Of the page, in points.
    shapes : tuple of Shape
        Variables; drawn last, filled white.
    curves : tuple of Curve
        Lines, loadings first.
    texts : tuple of Text
        All type. Numbers on lines get a white background.
    lang : str
        "en" or "zh".
    summary : str
        A sentence for readers who cannot see the picture.
    """

    width: float
    height: float
    shapes: tuple[Shape, ...]
    curves: tuple[Curve, ...]
    texts: tuple[Text, ...]
    lang: str
    summary: str


def banner_bar(scene: Scene, text: Text) -> tuple[float, float, float, float]:
    """Return left, top, width and height of the black bar behind the warning of an uncertified solution."""
    margin = text.size * 0.4
    return margin, text.y - text.size * 0.85, scene.width - 2 * margin, text.size * 1.7
