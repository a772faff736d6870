"""Results rebuilt elsewhere, set against the folder of results that is there: the same, or what differs and why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.files import MANIFEST
from sem_loyalty.publish.outcome import present

# Other libraries and processors round otherwise: a number is the same within this, relative to its size or to one.
TOLERANCE = 1e-6
_NUMBERS = "results.json"
# Texts speak of rounded numbers in any wording; these alone are results themselves.
_VERDICTS = ("verdict", "interval", "estimator")
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How rebuilt results compare with those in the folder.

    Attributes
    ----------
    folder : str
        The folder of results.
    files : int
        Files compared.
    inputs : tuple of str
        Inputs that are not what they were at the time of the run.
    settings : tuple of str
        Settings that are not what they were.
    versions : tuple of str
        Versions, system and machine that are not what they were.
    edited : tuple of str
        Files that are not as the run left them.
    missing, extra, differing : tuple of str
        Files that are rebuilt and not there, there and not rebuilt, and neither edited nor the same.
    numbers : int
        Numbers of results.json that were compared because versions differ; 0 where files were compared alone.
    moved : tuple of str
        Those of them that differ by more than 1e-6.
    paper : str
        What is to be said of the paper; "" where there is none, or it is the same.
    """

    folder: str
    files: int
    inputs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    numbers: int = 0
    moved: tuple[str, ...] = ()
    paper: str = ""

    @property
    def same(self) -> bool:
        """Whether the results are those of the study: the same files, or under other versions the same numbers."""
        if self.inputs or self.settings or self.edited or self.missing or self.extra or self.moved or self.paper:
            return False
        return not self.differing or bool(self.versions and self.numbers)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        lists = {
            "Inputs changed since the run": self.inputs,
            "Settings changed since the run": self.settings,
            "Changed by hand since the run": self.edited,
            "Missing": self.missing,
            "Not from this study": self.extra,
            "Different": () if self.same else self.differing,
            f"Numbers that differ by more than {TOLERANCE:g}": self.moved,
        }
        lines = [self._verdict()]
        lines += [f"{what}: {_shown(names)}" for what, names in lists.items() if names]
        lines += [f"Versions differ: {_shown(self.versions)}"] if self.versions else []
        return "\n".join([*lines, *([self.paper] if self.paper else [])])

    def _verdict(self) -> str:
        if not self.same:
            cause = "The inputs or settings have changed: run the study again. " if self.inputs or self.settings else ""
            return f"NOT THE SAME: {cause}Rebuilt results differ from those in {self.folder}."
        if not self.differing:
            return f"The same: all {self.files} files in {self.folder} come out again, byte by byte."
        return (
            f"The same numbers: {self.numbers} in {_NUMBERS} agree within {TOLERANCE:g}. The bytes of "
            f"{len(self.differing)} of {self.files} files in {self.folder} differ, as they may with other versions."
        )


def compare_results(folder: Path, rebuilt: Path, *, name: str, paper: str = "") -> Rebuilt:
    """Compare a folder of results with one that was built again.

    Parameters
    ----------
    folder : Path
        Results as they are, with their manifest.
    rebuilt : Path
        Results built again.
    name : str
        What the reader calls the folder.
    paper : str
        What is to be said of the paper.

    Returns
    -------
    Rebuilt
        Files are compared by their digests. Where Python, a package or the machine is another than in the manifest,
        the numbers of results.json decide: they agree where they differ by 1e-6 at most, relative to their size or to
        one, whichever is larger.

    Raises
    ------
    ConfigurationError
        There are no results in the folder, or their manifest is damaged.
    """
    was, now = _manifest(folder, name), _manifest(rebuilt, name)
    there, again, left = present(folder), present(rebuilt), was["outputs"]
    for files in (there, again):
        files.pop(MANIFEST, None)  # compared by what it says
    versions = _changed(was["versions"], now["versions"])
    edited = tuple(file for file, digest in there.items() if file in left and left[file] != digest)
    differing = tuple(
        file for file, digest in again.items() if file in there and file not in edited and there[file] != digest
    )
    numbers = 0
    moved: tuple[str, ...] = ()
    if versions and _NUMBERS in differing:
        numbers, moved = _compare_numbers(folder / _NUMBERS, rebuilt / _NUMBERS)
    return Rebuilt(
        folder=name,
        files=len(again),
        inputs=tuple(_changed_names(was["inputs"], now["inputs"])),
        settings=_changed(_flat(was["settings"]), _flat(now["settings"])),
        versions=versions,
        edited=edited,
        missing=tuple(file for file in again if file not in there),
        extra=tuple(file for file in there if file not in again),
        differing=differing,
        numbers=numbers,
        moved=moved,
        paper=paper,
    )


def check_there(folder: Path, name: str) -> None:
    """Raise where there is nothing to compare with, before the work and not after it."""
    _manifest(folder, name)


def _manifest(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    file = folder / MANIFEST
    if not file.is_file():
        raise ConfigurationError(f"There are no results in {name} to be checked: run the study first.")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return {part: dict(content[part]) for part in ("inputs", "outputs", "settings", "versions")}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"The manifest in {name} is damaged ({error}): run the study again.") from error


def _changed(was: Mapping[str, object], now: Mapping[str, object]) -> tuple[str, ...]:
    """Return what differs, with both values."""
    names = _changed_names(was, now)
    return tuple(f"{name} {_said(now.get(name))} (was {_said(was.get(name))})" for name in names)


def _changed_names(was: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    return [name for name in sorted({*was, *now}) if was.get(name) != now.get(name)]


def _said(value: object) -> str:
    return "none" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _flat(settings: Mapping[str, Any]) -> dict[str, object]:
    return {f"[{section}] {key}": value for section, keys in settings.items() for key, value in keys.items()}


def _compare_numbers(first: Path, second: Path) -> tuple[int, tuple[str, ...]]:
    """Return how many numbers and verdicts two files of results hold, and the places of those that differ."""
    was, now = (dict(_leaves(json.loads(file.read_text(encoding="utf-8")))) for file in (first, second))
    places = [place for place in {**was, **now} if not _agree(was.get(place, ""), now.get(place, ""))]
    return len(now), tuple(places)


def _leaves(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Yield numbers, truth values, empty places and verdicts with where they stand."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _leaves(entry, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for k, entry in enumerate(value):
            yield from _leaves(entry, f"{place}[{k}]")
    elif not isinstance(value, str) or place.rpartition(".")[2] in _VERDICTS:
        yield place, value


def _agree(was: object, now: object) -> bool:
    if isinstance(was, bool | str) or isinstance(now, bool | str) or was is None or now is None:
        return was == now
    assert isinstance(was, int | float)
    assert isinstance(now, int | float)
    return abs(was - now) <= TOLERANCE * max(1.0, abs(was), abs(now))


def _shown(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
