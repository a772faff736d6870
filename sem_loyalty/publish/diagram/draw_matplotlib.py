"""A scene as PNG or PDF, by matplotlib's objects alone: no pyplot, no registered fonts, no lasting settings."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sem_loyalty.publish.diagram.composition import shortened
from sem_loyalty.publish.diagram.scene import INK, PAPER, Curve, Scene, Shape, Text, banner_bar
from sem_loyalty.publish.typefaces import NO_FACE, Run, face_path, text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS_PER_INCH = 72.0
ON_LINES = ("coefficient", "loading")
#: Whatever the user's matplotlibrc says, these decide the bytes of a file.
SETTINGS: dict[str, Any] = {
    "pdf.fonttype": 42,
    "pdf.compression": 6,
    "pdf.inheritcolor": False,
    "pdf.use14corefonts": False,
    "text.usetex": False,
    "text.hinting": "none",
    "text.hinting_factor": 1,
    "text.kerning_factor": 0,
    "text.antialiased": True,
    "text.parse_math": False,
    "path.sketch": None,
    "path.effects": [],
    "path.simplify": False,
    "path.snap": False,
    "lines.scale_dashes": False,
    "figure.dpi": 72.0,
    "svg.fonttype": "none",
}


def to_png(scene: Scene, dpi: int = 300) -> bytes:
    """Return a PNG of a scene.

    Parameters
    ----------
    scene : Scene
        The picture.
    dpi : int, default 300
        Dots per inch.

    Returns
    -------
    bytes
        The file, without date or software entry.
    """
    return render(lambda: _figure(scene), "png", dpi, title="Path diagram", summary=scene.summary)


def to_pdf(scene: Scene) -> bytes:
    """Return a PDF of a scene with embedded TrueType (Type 42) fonts and without dates."""
    return render(lambda: _figure(scene), "pdf", 300, title="Path diagram", summary=scene.summary)


def render(make: Callable[[], Figure], kind: str, dpi: int, *, title: str, summary: str) -> bytes:
    """Return the bytes of a figure, whatever the user's settings, without date or software entry.

    Parameters
    ----------
    make : callable
        Makes the figure, under the settings of this package.
    kind : {"png", "pdf"}
        Type of file.
    dpi : int
        Dots per inch of a PNG.
    title, summary : str
        For the properties of a PDF.

    Returns
    -------
    bytes
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    # Settings come and go between releases; unknown ones are left alone, and asking must not warn of old ones.
    known = {name: value for name, value in SETTINGS.items() if name in mpl.rcParamsDefault and name not in _obsolete()}
    stream = io.BytesIO()
    context: Any = mpl.rc_context
    with context(known):
        figure = make()
        if kind == "pdf":
            metadata: dict[str, Any] = {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None}
            canvas: Any = FigureCanvasPdf(figure)
            canvas.print_pdf(stream, metadata={**metadata, "Title": title, "Subject": summary})
        else:
            figure.dpi = dpi
            canvas = FigureCanvasAgg(figure)
            # Half the time of the usual level, for a tenth more bytes.
            canvas.print_png(stream, metadata={"Software": None}, pil_kwargs={"compress_level": 3})
    return stream.getvalue()


def _obsolete() -> frozenset[str]:
    import matplotlib as mpl

    version = tuple(int(part) for part in mpl.__version__.split(".")[:2])
    # Deprecated in matplotlib 3.11, where text layout no longer needs them.
    return frozenset({"text.kerning_factor", "text.hinting_factor"}) if version >= (3, 11) else frozenset()


def _figure(scene: Scene) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(scene.width / POINTS_PER_INCH, scene.height / POINTS_PER_INCH), facecolor=PAPER)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0.0, scene.width)
    axes.set_ylim(scene.height, 0.0)
    axes.set_axis_off()
    for curve in scene.curves:
        _draw_curve(axes, curve)
    for text in scene.texts:
        if text.role in ON_LINES:
            _draw_background(axes, text)
            _draw_text(axes, text, scene.lang)
    for shape in scene.shapes:
        _draw_shape(axes, shape)
    for text in scene.texts:
        if text.role == "banner":
            _draw_bar(axes, scene, text)
        if text.role not in ON_LINES:
            _draw_text(axes, text, scene.lang)
    return figure


def _draw_curve(axes: Any, curve: Curve) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    points = shortened(curve)
    if curve.straight:
        path = Path([points[0], points[3]], [Path.MOVETO, Path.LINETO])
    else:
        path = Path(list(points), [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    style: Any = (0.0, list(curve.dash)) if curve.dash else "solid"
    axes.add_patch(
        PathPatch(
            path,
            fill=False,
            edgecolor=curve.color,
            linewidth=curve.line_width,
            linestyle=style,
            capstyle="butt",
            zorder=1,
            snap=False,
        )
    )
    for head in curve.arrows:
        axes.add_patch(Polygon(list(head.points), closed=True, facecolor=head.color, edgecolor="none", zorder=1.5))


def _draw_shape(axes: Any, shape: Shape) -> None:
    from matplotlib.patches import Ellipse, Rectangle

    style: dict[str, Any] = {
        "facecolor": PAPER,
        "edgecolor": INK,
        "linewidth": shape.line_width,
        "joinstyle": "miter",
        "zorder": 3,
    }
    if shape.round:
        axes.add_patch(Ellipse((shape.x, shape.y), 2 * shape.rx, 2 * shape.ry, **style))
    else:
        corner = (shape.x - shape.rx, shape.y - shape.ry)
        axes.add_patch(Rectangle(corner, 2 * shape.rx, 2 * shape.ry, **style))


def _draw_bar(axes: Any, scene: Scene, text: Text) -> None:
    from matplotlib.patches import Rectangle

    x, y, width, height = banner_bar(scene, text)
    axes.add_patch(Rectangle((x, y), width, height, facecolor=INK, edgecolor="none", zorder=3.5))


def _draw_background(axes: Any, text: Text) -> None:
    from matplotlib.patches import Rectangle

    x, y, half_width, half_height = text.rectangle
    corner = (x - half_width - 0.8, y - half_height - 0.8)
    size = 2 * (half_width + 0.8), 2 * (half_height + 0.8)
    axes.add_patch(Rectangle(corner, *size, facecolor=PAPER, edgecolor="none", zorder=2))


def _draw_text(axes: Any, text: Text, lang: str) -> None:
    from matplotlib.font_manager import FontProperties

    x = text.x - (text.width / 2 if text.anchor == "middle" else 0.0)
    single = len(text.runs) == 1 and text.anchor == "middle"
    runs = text.runs if single else _words(text.runs, lang)
    for run in runs:
        content = run.text if run.face != NO_FACE else "?" * len(run.text)
        axes.text(
            text.x if single else x,
            text.baseline,
            content,
            fontproperties=FontProperties(fname=str(face_path(run.face)), size=text.size),
            color=text.color,
            ha="center" if single else "left",
            va="baseline",
            zorder=4 if text.role not in ON_LINES else 2.5,
            parse_math=False,
        )
        x += run.width * text.size


def _words(runs: tuple[Run, ...], lang: str) -> list[Run]:
    """Cut runs at blanks: widths are measured without kerning, and word by word no difference can add up."""
    pieces = [(run, piece) for run in runs for piece in re.findall(r"\S+\s*|\s+", run.text)]
    return [Run(piece, run.face, run.style, text_width(piece, 1.0, run.style, lang=lang)) for run, piece in pieces]
