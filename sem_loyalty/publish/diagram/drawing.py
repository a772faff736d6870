"""The public entry: a diagram in, a drawing out, and files of it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sem_loyalty.errors import ConfigurationError, DataWarning, nearest
from sem_loyalty.publish.diagram.composition import compose
from sem_loyalty.publish.diagram.draw_matplotlib import to_pdf, to_png
from sem_loyalty.publish.diagram.draw_svg import to_svg
from sem_loyalty.publish.diagram.graph import Diagram, anatomy
from sem_loyalty.publish.diagram.layout import lay_out
from sem_loyalty.publish.diagram.lettering import measure
from sem_loyalty.publish.diagram.scene import Scene
from sem_loyalty.publish.files import write_bytes
from sem_loyalty.publish.typefaces import warn_about_missing

SUFFIXES = (".svg", ".pdf", ".png")
POINTS_PER_MM = 72.0 / 25.4


@dataclass(frozen=True, slots=True)
class Drawing:
    """A finished path diagram.

    Parameters
    ----------
    scene : Scene
        Every ellipse, box, line and text with its place in points.
    """

    scene: Scene

    def svg(self) -> str:
        """Return the diagram as an SVG document; its text can be searched and styled."""
        return to_svg(self.scene)

    def png(self, dpi: int = 300) -> bytes:
        """Return the diagram as PNG bytes.

        Parameters
        ----------
        dpi : int, default 300
            Dots per inch; journals ask for 300 to 1200.
        """
        return to_png(self.scene, dpi)

    def pdf(self) -> bytes:
        """Return the diagram as PDF bytes with embedded TrueType fonts."""
        return to_pdf(self.scene)

    def save(self, path: str | os.PathLike[str], *, dpi: int = 300) -> Path:
        """Write the diagram; the file appears whole or not at all.

        Parameters
        ----------
        path : path
            Ends in .svg, .pdf or .png.
        dpi : int, default 300
            Resolution of a PNG.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ConfigurationError
            For another suffix or a directory that does not exist.
        """
        target = _checked_target(path)
        suffix = target.suffix.lower()
        if suffix == ".svg":
            data = self.svg().encode("utf-8")
        else:
            data = self.pdf() if suffix == ".pdf" else self.png(dpi)
        return write_bytes(target, data)

    def __repr__(self) -> str:
        """Return one line for the console."""
        width, height = (value / POINTS_PER_MM for value in (self.scene.width, self.scene.height))
        return f"<path diagram, {width:.0f} x {height:.0f} mm; .save('diagram.svg'), .pdf or .png>"

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": repr(self)}


def draw(
    diagram: Diagram,
    path: str | os.PathLike[str] | None = None,
    *,
    layout: Mapping[str, tuple[int, int]] | None = None,
    sides: Mapping[str, str] | None = None,
    seed: int = 1,
    width_mm: float = 183.0,
) -> Drawing:
    """Lay out and draw a path diagram.

    Parameters
    ----------
    diagram : Diagram
        What to show.
    path : path, optional
        Where to write it at once (.svg, .pdf or .png).
    layout : mapping of str to (int, int), optional
        Pins constructs: column and row in half steps from the top left, so (0, 0) and (2, 0) are neighbours.
    sides : mapping of str to str, optional
        Side of the indicators of a construct: "W", "E", "N" or "S".
    seed : int, default 1
        Of the layout search. The same diagram and seed give the same bytes.
    width_mm : float, default 183
        Widest page, by default the two-column width of most journals. Type is not shrunk below 6.5 points.

    Returns
    -------
    Drawing
        With `.svg()`, `.save(path)` and a picture in notebooks.

    Raises
    ------
    ConfigurationError
        For pins, sides, widths or paths that cannot be.

    Warns
    -----
    DataWarning
        For characters that no font can draw, and for a diagram that does not fit the width at 6.5 points.
    """
    if not width_mm >= 50:
        raise ConfigurationError(f"width_mm={width_mm!r} is too small for a diagram; use 50 or more, 183 by default.")
    target = None if path is None else _checked_target(path)
    warn_about_missing([diagram.note, *(node.label for node in diagram.nodes), *(edge.label for edge in diagram.edges)])
    parts = anatomy(diagram)
    sizes = measure(diagram, parts)
    width = width_mm * POINTS_PER_MM
    arrangement = lay_out(diagram, parts, sizes, layout=layout, sides=sides, seed=seed, width=width)
    scene = compose(diagram, parts, sizes, arrangement, width)
    if scene.width > width + 0.5:
        warnings.warn(
            f"The diagram is {scene.width / POINTS_PER_MM:.0f} mm wide: it does not fit {width_mm:g} mm "
            "with type of at least 6.5 points. Shorten labels, pin a narrower layout or print it on a turned page.",
            DataWarning,
            stacklevel=2,
        )
    drawing = Drawing(scene)
    if target is not None:
        drawing.save(target)
    return drawing


def _checked_target(path: str | os.PathLike[str]) -> Path:
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        hint = nearest(target.suffix.lower(), SUFFIXES)
        raise ConfigurationError(
            f"Cannot write {target.name!r}: a diagram is saved as {', '.join(SUFFIXES)}. {hint}".strip()
        )
    if not target.parent.is_dir():
        raise ConfigurationError(f"Cannot write {target}: there is no directory {target.parent}. Make it first.")
    return target
