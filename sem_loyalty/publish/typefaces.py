"""The typefaces of every figure: which font file draws a character, and how wide it is.

Latin text is set in STIX (Times-like, shipped with matplotlib), Chinese in the subset fonts of this package
(``publish/fonts``), so that a figure looks the same on every machine. Nothing is registered anywhere and no global
setting is touched: writers get paths of files.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from sem_loyalty.errors import DataWarning

#: Faces in order of preference for each style; the first that has a character draws it.
CHAINS = {
    "regular": ("stix", "song", "dejavu"),
    "bold": ("stix-bold", "hei", "song", "dejavu-bold"),
    "italic": ("stix-italic", "song", "dejavu"),
}
_FILES = {
    "stix": "STIXGeneral.ttf",
    "stix-bold": "STIXGeneralBol.ttf",
    "stix-italic": "STIXGeneralItalic.ttf",
    "dejavu": "DejaVuSerif.ttf",
    "dejavu-bold": "DejaVuSerif-Bold.ttf",
    "song": "SemCJKSerif.ttf",
    "hei": "SemCJKSans.ttf",
}
_OWN = ("song", "hei")
#: In Chinese text these take the full width of the Chinese face, not the narrow Latin form.
_FULL_WIDTH_IN_CHINESE = frozenset("“”‘’…—·")
#: Stands for a character that no face can draw (a DataWarning has named it).
NO_FACE = "none"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one face.

    Parameters
    ----------
    text : str
        The characters.
    face : str
        A key of the face table, or "none" where no shipped font has the character.
    style : str
        "regular", "bold" or "italic".
    width : float
        Sum of the advance widths in em.
    """

    text: str
    face: str
    style: str
    width: float


def face_path(face: str) -> Path:
    """Return the font file of a face.

    Parameters
    ----------
    face : str
        A face named in `CHAINS`; "none" gives the regular Latin face, which draws the replacement character.

    Returns
    -------
    pathlib.Path
        A TrueType file on disk.
    """
    name = _FILES["stix" if face == NO_FACE else face]
    if face in _OWN:
        return own_fonts() / name
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name


@cache
def own_fonts() -> Path:
    """Return the directory of the Chinese fonts that travel with the package."""
    return Path(str(files("sem_loyalty.publish"))) / "fonts"


def split_runs(text: str, style: str = "regular", *, lang: str = "en") -> tuple[Run, ...]:
    """Cut a text into runs that one face each can draw.

    Parameters
    ----------
    text : str
        One line of text.
    style : {"regular", "bold", "italic"}, default "regular"
        The style wanted.
    lang : {"en", "zh"}, default "en"
        In Chinese text, quotation marks, dashes and dots take the Chinese face.

    Returns
    -------
    tuple of Run
        In reading order; an empty text gives an empty tuple.
    """
    found: list[tuple[str, str, float]] = []
    for character in text:
        face, width = _glyph(character, style, lang == "zh" and character in _FULL_WIDTH_IN_CHINESE)
        if found and found[-1][1] == face:
            found[-1] = (found[-1][0] + character, face, found[-1][2] + width)
        else:
            found.append((character, face, width))
    return tuple(Run(part, face, style, width) for part, face, width in found)


def text_width(text: str, size: float, style: str = "regular", *, lang: str = "en") -> float:
    """Return the width of one line of text.

    Parameters
    ----------
    text : str
        One line.
    size : float
        Type size in points.
    style, lang : str
        As in `split_runs`.

    Returns
    -------
    float
        Points; kerning is left out, which errs on the wide side.
    """
    return size * sum(run.width for run in split_runs(text, style, lang=lang))


def missing_characters(texts: Iterable[str]) -> str:
    """Return the characters, in order of appearance, that no shipped face can draw."""
    seen = dict.fromkeys(character for text in texts for character in text)
    return "".join(character for character in seen if _glyph(character, "regular", False)[0] == NO_FACE)


def warn_about_missing(texts: Sequence[str]) -> None:
    """Warn by name about characters that no shipped face can draw.

    Parameters
    ----------
    texts : sequence of str
        What will be drawn.

    Warns
    -----
    DataWarning
        With each character and its code point.
    """
    missing = missing_characters(texts)
    if missing:
        named = ", ".join(f"{character} (U+{ord(character):04X})" for character in missing)
        warnings.warn(
            f"No font of this package has {named}: PNG and PDF show '?' there, SVG depends on the reader's fonts. "
            "Use another character or write the name in Latin letters.",
            DataWarning,
            stacklevel=3,
        )


@cache
def _font(face: str) -> Any:
    from matplotlib.ft2font import FT2Font

    return FT2Font(str(face_path(face)))


@cache
def _no_scale() -> Any:
    from matplotlib import ft2font

    # matplotlib 3.10 moved the flags into an enumeration.
    flags = getattr(ft2font, "LoadFlags", None)
    return flags.NO_SCALE if flags is not None else getattr(ft2font, "LOAD_NO_SCALE")  # noqa: B009 - untyped name


@cache
def _glyph(character: str, style: str, full_width: bool) -> tuple[str, float]:
    """Return the face that draws a character and its advance width in em."""
    chain = CHAINS[style]
    if full_width:
        chain = tuple(face for face in chain if face in _OWN) + chain
    for face in chain:
        font = _font(face)
        if font.get_char_index(ord(character)):
            glyph = font.load_char(ord(character), flags=_no_scale())
            return face, glyph.horiAdvance / font.units_per_EM
    return NO_FACE, text_width("?", 1.0, style)
