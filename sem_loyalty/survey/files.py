"""Files: found, of a known kind, and read as bytes, or one error that says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sem_loyalty.errors import DataError, nearest
from sem_loyalty.survey.answers import listing


def read_bytes(path: str | Path, suffixes: Sequence[str], *, what: str = "data") -> tuple[Path, bytes]:
    """Return a file's path and content.

    Parameters
    ----------
    path : str or Path
        The file.
    suffixes : sequence of str
        Extensions that can be read, lower case, with the dot.
    what : str, default "data"
        What the file holds, for messages.

    Returns
    -------
    path : Path
    content : bytes
        At least one.

    Raises
    ------
    DataError
        A folder, no such file (with the nearest name beside it), an extension that cannot be read, a file that may
        not be read, or an empty one.
    """
    file = Path(path).expanduser()
    if file.is_dir():
        inside = sorted(entry.name for entry in file.iterdir() if entry.suffix.lower() in suffixes)
        shown = f" It holds {listing(inside)}." if inside else ""
        raise DataError(f"{file} is a folder, not a {what} file.{shown}")
    if not file.exists():
        folder = file.parent
        if not folder.is_dir():
            raise DataError(f"There is no {what} file {file}: the folder {folder} does not exist.")
        beside = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
        raise DataError(f"There is no {what} file {file}. {nearest(file.name, beside)}".strip())
    if file.suffix.lower() not in suffixes:
        found = f"the extension '{file.suffix}'" if file.suffix else "no extension"
        raise DataError(f"{file.name} has {found}; a {what} file can be {', '.join(suffixes)}.")
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}.") from None
    if not raw:
        raise DataError(f"{file.name} is empty: it has 0 bytes.")
    return file, raw
