"""Files written whole or not at all: a reader never meets half a file or half a folder of results."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sem_loyalty.errors import ConfigurationError

MANIFEST = "manifest.json"
LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})  # what file browsers leave behind
_SHOWN = 5


def write_bytes(path: str | Path, data: bytes) -> Path:
    """Write a file whole: to a temporary file in the same folder, which then takes the place of `path`.

    Parameters
    ----------
    path : str or Path
        Where; missing folders are made.
    data : bytes
        The content.

    Returns
    -------
    Path
        The path written.

    Raises
    ------
    ConfigurationError
        If `path` is a folder.
    OSError
        If the file cannot be written; an older file is then as it was.
    """
    path = Path(path)
    if path.is_dir():
        raise ConfigurationError(f"{path} is a folder; give the name of a file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    return path


def write_text(path: str | Path, text: str, *, encoding: str = "utf-8") -> Path:
    """Write a text whole, as `write_bytes` does; line ends stay as they are.

    Parameters
    ----------
    path : str or Path
        Where; missing folders are made.
    text : str
        The content.
    encoding : str, default "utf-8"
        "utf-8-sig" adds the mark by which a spreadsheet recognises UTF-8.

    Returns
    -------
    Path
        The path written.

    Raises
    ------
    ConfigurationError
        If `path` is a folder.
    OSError
        If the file cannot be written.
    """
    return write_bytes(path, text.encode(encoding))


def check_folder(out: str | Path) -> Path:
    """Return the resolved folder of results, or say why it cannot be used.

    A folder that exists is replaced as a whole, so it must be empty or hold results of this package and nothing
    else; nobody loses a file of their own.

    Parameters
    ----------
    out : str or Path
        The folder that results are to go to.

    Returns
    -------
    Path
        Absolute path, links resolved.

    Raises
    ------
    ConfigurationError
        If `out` is a file or holds files that are not results.
    """
    folder = Path(out).expanduser().resolve()
    if not folder.exists():
        return folder
    if not folder.is_dir():
        raise ConfigurationError(f"The output folder {out} is a file. Name a folder.")
    present = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()
    }
    foreign = sorted(name for name in present - _listed(folder) if Path(name).name not in LITTER)
    if foreign:
        shown = ", ".join(foreign[:_SHOWN]) + (f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else "")
        raise ConfigurationError(
            f"The output folder {out} holds files that are not results of this package ({shown}) and would be lost. "
            "Name a new folder, or move these files away."
        )
    return folder


@contextmanager
def results_folder(out: str | Path) -> Iterator[Path]:
    """Build a folder of results beside its place and swap it in when it is complete.

    Parameters
    ----------
    out : str or Path
        The folder of results; older results in it are replaced, and stay when the work fails.

    Yields
    ------
    Path
        An empty folder to write to.

    Raises
    ------
    ConfigurationError
        If `out` cannot be replaced (see `check_folder`).
    OSError
        If the disk refuses.
    """
    folder = check_folder(out)
    made = [parent for parent in folder.parents if not parent.exists()]
    tag = secrets.token_hex(4)
    partial = folder.with_name(f".{folder.name}.partial-{tag}")
    previous = folder.with_name(f".{folder.name}.previous-{tag}")
    try:
        partial.mkdir(parents=True)
        yield partial
        check_folder(out)  # again: somebody may have saved a file there during a long run
        if folder.exists():
            folder.replace(previous)
        try:
            partial.replace(folder)
        except BaseException:
            if previous.exists() and not folder.exists():
                previous.replace(folder)
            raise
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        for parent in made:  # innermost first; a folder that is no longer empty stays
            with suppress(OSError):
                parent.rmdir()
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _listed(folder: Path) -> frozenset[str]:
    """Return the files that a manifest in the folder names as results, with the manifest itself."""
    try:
        outputs = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["outputs"]
        return frozenset({MANIFEST, *map(str, outputs)})
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()
