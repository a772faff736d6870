"""`build_paper`: from a folder with a Typst text and its results to a PDF that comes out the same everywhere."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sem_loyalty.errors import ConfigurationError, nearest
from sem_loyalty.publish.files import write_bytes
from sem_loyalty.publish.paper_inputs import COMPUTE, RESULTS, refresh
from sem_loyalty.publish.typefaces import chinese_font, family_name, latin_fonts

SOURCE = "paper.typ"
#: Archival PDF with text that can be searched; under it, a character without a glyph is an error and not a gap.
STANDARD: Final = "a-2u"
_STUDY = "study.toml"
_PACKAGES = re.compile(r"""["']@(preview|local)/[^"']*["']""")
_CHINESE = re.compile(r"[⺀-〿㐀-䶿一-鿿豈-﫿＀-￯]")
_NO_GLYPH = re.compile(r"the text `(?P<text>.*)` could not be displayed")
_PLACE = re.compile(r"┌─ (?P<place>.+:\d+):\d+")


def build_paper(folder: str | Path = "paper", *, out: str | Path | None = None, fresh: bool = False) -> Path:
    """Compute the numbers of a paper where they are out of date, and set it as PDF, whole or not at all.

    Parameters
    ----------
    folder : str or Path, default "paper"
        With paper.typ. Its numbers come from results.json beside it, which compute.py writes where there is one, or
        from the results of the study whose study.toml stands one folder up; these must have been computed.
    out : str or Path, optional
        The PDF; by default paper.pdf in the folder.
    fresh : bool, default False
        Run compute.py even where nothing has changed.

    Returns
    -------
    Path
        The PDF: PDF/A-2u, the same bytes for the same folder on the same release of typst, whatever the machine's
        fonts, language, time zone and clock.

    Raises
    ------
    ConfigurationError
        There is no paper.typ; the text has a mistake, a character without a glyph, or a number that the results do not
        have, with file and line; compute.py fails; the text is Chinese and there is no Chinese face.
    OSError
        The disk refuses; an older PDF is then as it was.

    Notes
    -----
    Only the fonts that travel with matplotlib, typst and zhplot are used. The date of the document is the one that its
    text sets; `datetime.today()` in it is the day of the environment variable SOURCE_DATE_EPOCH, by default 1970-01-01.
    """
    place = Path(folder).expanduser()
    source = place / SOURCE
    if not source.is_file():
        beside = [entry.name for entry in place.glob("*.typ")] if place.is_dir() else []
        raise ConfigurationError(
            f"There is no {source}; a paper is a folder with {SOURCE} in it. {nearest(SOURCE, beside)}".strip()
        )
    if (place / COMPUTE).is_file():
        refresh(place, fresh=fresh)
    return write_bytes(place / "paper.pdf" if out is None else out, pdf_of(source, _root(place)))


def pdf_of(source: Path, root: Path) -> bytes:
    """Return a Typst file as PDF/A-2u.

    Parameters
    ----------
    source : Path
    root : Path
        The folder beyond which the text can read nothing.

    Raises
    ------
    ConfigurationError
        As `build_paper`.
    """
    import typst

    _refuse_packages(source.parent)
    # A folder of our own: that of matplotlib also holds a face which draws a box for every character there is.
    files, chinese = _faces(source.parent)
    with TemporaryDirectory(prefix="sem-loyalty-faces-") as faces:
        for face in files:
            shutil.copyfile(face, Path(faces) / face.name)
        try:
            return bytes(
                typst.compile(
                    str(source.resolve()),
                    root=str(root.resolve()),
                    font_paths=[faces],
                    sys_inputs={"chinese": chinese} if chinese else {},
                    ignore_system_fonts=True,
                    format="pdf",
                    pdf_standards=STANDARD,
                    timestamp=_timestamp(),
                )
            )
        except typst.TypstError as error:
            raise ConfigurationError(_plain(error, source)) from None


def _root(place: Path) -> Path:
    """Return the folder that a paper may read: its own, or that of the study it belongs to."""
    return place.resolve().parent if (place.resolve().parent / _STUDY).is_file() else place


def _timestamp() -> int:
    stated = os.environ.get("SOURCE_DATE_EPOCH", "0")
    if not stated.isdecimal():
        raise ConfigurationError(f"SOURCE_DATE_EPOCH={stated!r} is not a number of seconds since 1970.")
    return int(stated)


def _refuse_packages(folder: Path) -> None:
    """Raise where a text imports a package that Typst would fetch from the network."""
    for path in sorted(folder.rglob("*.typ")):
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            found = _PACKAGES.search(line.split("//")[0])
            if found:
                raise ConfigurationError(
                    f"{path}:{number}: {found[0]} would be fetched from the network, and the paper would not come out "
                    "the same later. Put a copy of the package's .typ files beside the text and import those."
                )


def _faces(folder: Path) -> tuple[list[Path], str]:
    """Return the files of the faces, and the name of the Chinese one ("" where there is none)."""
    latin = sorted(latin_fonts().glob("STIXGeneral*.ttf"))
    try:
        chinese = chinese_font()
    except ConfigurationError as error:
        for path in (*sorted(folder.rglob("*.typ")), *sorted(folder.rglob("*.json"))):
            if _CHINESE.search(path.read_text(encoding="utf-8", errors="replace")):
                raise ConfigurationError(f"{path} has Chinese characters. {error}") from None
        return latin, ""
    return [*latin, chinese], family_name(chinese)


def _plain(error: Exception, source: Path) -> str:
    """Return a mistake with the place in the author's own text where it was made."""
    message = str(getattr(error, "message", error)).removeprefix("panicked with: ")
    shown = str(getattr(error, "diagnostic", ""))
    part = shown[shown.rfind("error:") :] if "error:" in shown else shown
    places = [_named(place, source) for place in _PLACE.findall(part)] or [str(source)]
    own = [place for place in places if place.rpartition(":")[0] == str(source)]
    where = (own or places)[-1]
    if places[0] != where:
        where = f"{where} (in {places[0]})"
    missing = _NO_GLYPH.search(message)
    if missing:
        letters = ", ".join(f"{c} (U+{ord(c):04X})" for c in dict.fromkeys(missing["text"].strip('"')))
        message = f"no face has all of these characters: {letters}. Write them otherwise."
    hints = " ".join(f"Hint: {hint}." for hint in getattr(error, "hints", ()) if not missing)
    if RESULTS in message and "not found" in message and (source.parent.resolve().parent / _STUDY).is_file():
        hints = f"Hint: run the study first (sem-loyalty run {_STUDY})."
    return f"{where}: {message}{'' if message.endswith('.') else '.'} {hints}".strip()


def _named(place: str, source: Path) -> str:
    """Return FILE:LINE with the file named as the paper was; Typst names it from the working folder."""
    file, _, line = place.rpartition(":")
    found, home = Path(file).resolve(), source.parent.resolve()
    return f"{source.parent / found.relative_to(home) if found.is_relative_to(home) else found}:{line}"
