"""The typefaces of every figure and paper: which font file draws a character, and how wide it is.

Latin text is set in STIX (Times-like, shipped with matplotlib), Chinese in Noto Sans SC (SIL Open Font License), whose
file travels in the distribution `zhplot`, so that a figure looks the same on every machine; the environment variable
SEM_LOYALTY_CHINESE_FONT names another TrueType file, a Song face for instance. Nothing is registered anywhere and no
global setting is touched: writers get paths of files.
"""

from __future__ import annotations

import os
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sem_loyalty.display.escaping import one_line
from sem_loyalty.errors import ConfigurationError, DataWarning

#: Faces in order of preference for each style; the first that has a character draws it.
CHAINS: dict[str, tuple[str, ...]] = {
    "regular": ("stix", "chinese", "dejavu"),
    "bold": ("stix-bold", "chinese", "dejavu-bold"),
    "italic": ("stix-italic", "chinese", "dejavu"),
}
_FILES = {
    "stix": "STIXGeneral.ttf",
    "stix-bold": "STIXGeneralBol.ttf",
    "stix-italic": "STIXGeneralItalic.ttf",
    "dejavu": "DejaVuSerif.ttf",
    "dejavu-bold": "DejaVuSerif-Bold.ttf",
}
CHOSEN_FONT = "SEM_LOYALTY_CHINESE_FONT"
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
    return chinese_font() if face == "chinese" else latin_fonts() / _FILES["stix" if face == NO_FACE else face]


def latin_fonts() -> Path:
    """Return the folder of the Latin faces, which travel with matplotlib."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"


@cache
def chinese_font() -> Path:
    """Return the file of the Chinese face; the environment is read once.

    Returns
    -------
    pathlib.Path
        The TrueType file that SEM_LOYALTY_CHINESE_FONT names, else Noto Sans SC from the distribution `zhplot`.

    Raises
    ------
    ConfigurationError
        If the file named is none or not TrueType, or nothing is named and `zhplot` is not installed.
    """
    chosen = os.environ.get(CHOSEN_FONT, "")
    if chosen:
        return _checked(Path(chosen).expanduser())
    # Found, not imported: importing it would change matplotlib's settings.
    found = find_spec("zhplot")
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        path = Path(folder) / "fonts" / "NotoSansSC-Regular.ttf"
        if path.is_file():
            return path
    raise ConfigurationError(
        "Chinese characters need a Chinese typeface, and none was found. Install the one that this package uses "
        f"(pip install zhplot; Noto Sans SC under the Open Font License), or set {CHOSEN_FONT} to the path of a "
        "TrueType file on this machine, for instance C:/Windows/Fonts/simsun.ttc."
    )


def family_name(path: Path) -> str:
    """Return the name by which a typesetter knows the face in a file, or the first of a collection."""
    from fontTools.ttLib import TTFont

    with TTFont(str(path), fontNumber=0, lazy=True) as font:
        name = font["name"]
        return str(name.getDebugName(16) or name.getDebugName(1))


def _checked(path: Path) -> Path:
    """Return a path if it is a font, or a collection whose first font, with TrueType outlines."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(str(path), fontNumber=0, lazy=True) as font:
            if "glyf" in font:
                return path
            reason = "its outlines are not TrueType, and PDF could not embed it cleanly"
    except (TTLibError, OSError) as error:
        reason = str(error)
    raise ConfigurationError(
        f"{CHOSEN_FONT}={path}: {reason}. Name a .ttf or .ttc file with TrueType outlines, for instance SimSun."
    )


def split_runs(text: str, style: str = "regular", *, lang: str = "en") -> tuple[Run, ...]:
    """Cut a text into runs that one face each can draw.

    Parameters
    ----------
    text : str
        One line of text; control characters, line ends among them, become blanks.
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
    for character in one_line(text):
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
    """Return the characters, in order of appearance, that no face can draw."""
    seen = dict.fromkeys(character for text in texts for character in one_line(text))
    return "".join(character for character in seen if _glyph(character, "regular", False)[0] == NO_FACE)


def warn_about_missing(texts: Sequence[str]) -> None:
    """Warn by name about characters that no face can draw.

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
            f"No typeface here has {named}: PNG and PDF show '?' there, SVG depends on the reader's fonts. "
            "Use another character or write the name in Latin letters.",
            DataWarning,
            stacklevel=3,
        )


@cache
def _font(path: Path) -> Any:
    from matplotlib.ft2font import FT2Font

    return FT2Font(str(path))


@cache
def _no_scale() -> Any:
    from matplotlib import ft2font

    # matplotlib 3.10 moved the flags into an enumeration.
    flags = getattr(ft2font, "LoadFlags", None)
    return flags.NO_SCALE if flags is not None else getattr(ft2font, "LOAD_NO_SCALE")  # noqa: B009 - untyped name


@cache
def _glyph(character: str, style: str, full_width: bool) -> tuple[str, float]:
    """Return the face that draws a character and its advance width in em."""
    wide = full_width or unicodedata.east_asian_width(character) in "WF"
    # Only a text that holds Chinese may fail for want of a Chinese face; that face is then the first choice.
    chain = ("chinese", *_others(style)) if wide else CHAINS[style] if _has_chinese_font() else _others(style)
    for face in chain:
        font = _font(face_path(face))
        if font.get_char_index(ord(character)):
            glyph = font.load_char(ord(character), flags=_no_scale())
            return face, glyph.horiAdvance / font.units_per_EM
    return NO_FACE, text_width("?", 1.0, style)


def _others(style: str) -> tuple[str, ...]:
    return tuple(face for face in CHAINS[style] if face != "chinese")


@cache
def _has_chinese_font() -> bool:
    try:
        chinese_font()
    except ConfigurationError:
        return False
    return True
