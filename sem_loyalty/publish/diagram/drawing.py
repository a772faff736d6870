"""The public entry: a diagram in, a drawing out, and files of it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sem_loyalty.errors import ConfigurationError, DataWarning, NotSupported, check_choice, nearest
from sem_loyalty.publish.diagram.composition import compose, note_parts
from sem_loyalty.publish.diagram.draw_matplotlib import to_pdf, to_png
from sem_loyalty.publish.diagram.draw_svg import to_svg
from sem_loyalty.publish.diagram.draw_text import to_dot, to_tikz
from sem_loyalty.publish.diagram.graph import Anatomy, Diagram, anatomy
from sem_loyalty.publish.diagram.layout import Arrangement, lay_out, resized
from sem_loyalty.publish.diagram.layout_cache import LayoutCache, layout_key
from sem_loyalty.publish.diagram.lettering import Sizes, measure
from sem_loyalty.publish.diagram.panels import PANEL_GAP, columns_of, panels
from sem_loyalty.publish.diagram.pins import Layout
from sem_loyalty.publish.diagram.presets import AUTO, preset_for
from sem_loyalty.publish.diagram.scene import Scene
from sem_loyalty.publish.files import write_bytes
from sem_loyalty.publish.typefaces import warn_about_missing

KINDS = ("svg", "pdf", "png", "tikz", "tex", "dot")
SUFFIXES = tuple(f".{kind}" for kind in KINDS)
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

    def tikz(self, *, standalone: bool = False) -> str:
        """Return the diagram as a ``tikzpicture`` with the same places, for LaTeX.

        Parameters
        ----------
        standalone : bool, default False
            A whole document that compiles by itself, with pdfLaTeX, or with XeLaTeX and ctex for Chinese.
        """
        return to_tikz(self.scene, standalone=standalone)

    def dot(self) -> str:
        """Return the variables and edges as a Graphviz graph; ``neato -n`` keeps the places."""
        return to_dot(self.scene)

    def data(self, kind: str, *, dpi: int = 300) -> bytes:
        """Return the bytes of a file.

        Parameters
        ----------
        kind : {"svg", "pdf", "png", "tikz", "tex", "dot"}
            "tikz" is a picture to be read into a text, "tex" a document of its own.
        dpi : int, default 300
            Resolution of a PNG.
        """
        if kind == "pdf":
            return self.pdf()
        if kind == "png":
            return self.png(dpi)
        check_choice("kind", kind, KINDS)
        if kind in ("tikz", "tex"):
            return self.tikz(standalone=kind == "tex").encode("utf-8")
        return (self.dot() if kind == "dot" else self.svg()).encode("utf-8")

    def save(self, path: str | os.PathLike[str], *, dpi: int = 300) -> Path:
        """Write the diagram; the file appears whole or not at all.

        Parameters
        ----------
        path : path
            Ends in .svg, .pdf, .png, .tikz (a picture for LaTeX), .tex (a LaTeX document) or .dot (Graphviz).
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
        return write_bytes(target, self.data(target.suffix.lower().lstrip("."), dpi=dpi))

    def __repr__(self) -> str:
        """Return one line for the console."""
        width, height = (value / POINTS_PER_MM for value in (self.scene.width, self.scene.height))
        return f"<path diagram, {width:.0f} x {height:.0f} mm; .save('diagram.svg'), .pdf, .png, .tikz, .tex or .dot>"

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": repr(self)}


def draw(
    diagram: Diagram,
    path: str | os.PathLike[str] | None = None,
    *,
    layout: Layout | None = None,
    sides: Mapping[str, str] | None = None,
    preset: str = AUTO,
    seed: int = 1,
    width_mm: float = 183.0,
    cache: LayoutCache | None = None,
) -> Drawing:
    """Lay out and draw a path diagram.

    Parameters
    ----------
    diagram : Diagram
        What to show.
    path : path, optional
        Where to write it at once (.svg, .pdf, .png, .tikz, .tex or .dot).
    layout : mapping of str to (int, int), or rows of names, optional
        Pins constructs: column and row in half steps from the top left, so (0, 0) and (2, 0) are neighbours; or a
        table as the figure shall look, ``[["SAT", "", "LOY"], ["", "TRU", ""]]``.
    sides : mapping of str to str, optional
        Side of the indicators of a construct: "W", "E", "N" or "S".
    preset : str, default "auto"
        Places that the package knows for published models: "auto" takes those of the model with just these
        constructs, unless something would touch; "none" takes none; an id takes those. `layout` and `sides` go first.
    seed : int, default 1
        Of the layout search. The same diagram and seed give the same bytes.
    width_mm : float, default 183
        Widest page, by default the two-column width of most journals. Type is not shrunk below 6.5 points.
    cache : LayoutCache, optional
        Layouts computed before: it saves time and changes nothing.

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
    width = width_mm * POINTS_PER_MM
    parts = anatomy(diagram)
    sizes = measure(diagram, parts)
    arrangement = arrange(
        diagram, parts, sizes, layout=layout, sides=sides, preset=preset, seed=seed, width=width, cache=cache
    )
    scene = compose(diagram, parts, sizes, resized(arrangement, diagram, parts, sizes), width)
    return _delivered(scene, width_mm, target)


def draw_panels(
    diagrams: Sequence[Diagram],
    labels: Sequence[str],
    path: str | os.PathLike[str] | None = None,
    *,
    note: str = "",
    layout: Layout | None = None,
    sides: Mapping[str, str] | None = None,
    preset: str = AUTO,
    seed: int = 1,
    width_mm: float = 183.0,
    cache: LayoutCache | None = None,
) -> Drawing:
    """Draw one structure several times, with the same places, on one page.

    Parameters
    ----------
    diagrams : sequence of Diagram
        Of the same nodes and edges; their own notes are left out.
    labels : sequence of str
        What stands below each panel, after its letter.
    path, layout, sides, preset, seed, width_mm, cache
        As in `draw`.
    note : str, default ""
        Below all panels.

    Returns
    -------
    Drawing

    Raises
    ------
    ConfigurationError
        As `draw`.
    NotSupported
        If the structures differ: their panels could not share places.

    Warns
    -----
    DataWarning
        As `draw`.
    """
    if not width_mm >= 50:
        raise ConfigurationError(f"width_mm={width_mm!r} is too small for a diagram; use 50 or more, 183 by default.")
    structures = {
        tuple((edge.source, edge.target, edge.kind, edge.moderates) for edge in diagram.edges) for diagram in diagrams
    }
    if len(structures) != 1:
        raise NotSupported("The groups differ in what is fixed at zero: draw them one by one, by `group`.")
    target = None if path is None else _checked_target(path)
    first = diagrams[0]
    texts = [*(node.label for node in first.nodes), *(edge.label for edge in first.edges)]
    warn_about_missing([note, *labels, *texts])
    parts = [anatomy(diagram) for diagram in diagrams]
    sizes = measure(first, parts[0])
    width = width_mm * POINTS_PER_MM
    arrangement = arrange(
        first, parts[0], sizes, layout=layout, sides=sides, preset=preset, seed=seed, width=width, cache=cache
    )

    def composed(room: float) -> list[Scene]:
        made = []
        for diagram, own in zip(diagrams, parts, strict=True):
            fitting = resized(replace(arrangement, ties=own.ties), diagram, own, sizes)
            made.append(compose(diagram, own, sizes, fitting, room, noted=False))
        return made

    scenes = composed((width - PANEL_GAP) / 2)
    if columns_of(len(scenes), scenes[0].width, width) == 1:
        scenes = composed(width)
    paragraphs = note_parts(replace(first, note=note), parts[0])
    return _delivered(panels(scenes, labels, paragraphs, width), width_mm, target)


def _delivered(scene: Scene, width_mm: float, target: Path | None) -> Drawing:
    if scene.width > width_mm * POINTS_PER_MM + 0.5:
        warnings.warn(
            f"The diagram is {scene.width / POINTS_PER_MM:.0f} mm wide: it does not fit {width_mm:g} mm "
            "with type of at least 6.5 points. Shorten labels, pin a narrower layout or print it on a turned page.",
            DataWarning,
            stacklevel=3,
        )
    drawing = Drawing(scene)
    if target is not None:
        drawing.save(target)
    return drawing


def arrange(
    diagram: Diagram,
    parts: Anatomy,
    sizes: Sizes,
    *,
    layout: Layout | None,
    sides: Mapping[str, str] | None,
    preset: str,
    seed: int,
    width: float,
    cache: LayoutCache | None,
) -> Arrangement:
    """Return the layout of a diagram: from the cache, from a preset, or from the search.

    It depends on the structure and its labels, never on the estimates.
    """
    key = layout_key(diagram, parts, sizes, layout=layout, sides=sides, preset=preset, seed=seed, width=width)
    kept = None if cache is None else cache.get(key, parts, sizes)
    if kept is not None:
        return kept
    known = None if layout else preset_for(parts, preset)
    arrangement = None
    if known is not None:
        found = lay_out(
            diagram, parts, sizes, layout=known.layout, sides=known.sides | dict(sides or {}), seed=seed, width=width
        )
        arrangement = found if found.clean or preset != AUTO else None
    if arrangement is None:
        arrangement = lay_out(diagram, parts, sizes, layout=layout, sides=sides, seed=seed, width=width)
    if cache is not None:
        cache.put(key, arrangement, parts)
    return arrangement


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
