"""The slow steps of a study: done, or taken from an earlier run whose inputs were the same."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sem_loyalty.errors import ConfigurationError, DataWarning, SemLoyaltyWarning
from sem_loyalty.publish.files import write_bytes, write_text
from sem_loyalty.publish.installed import fingerprint
from sem_loyalty.publish.manifest import sha256
from sem_loyalty.publish.settings import Study

if TYPE_CHECKING:
    from sem_loyalty.fitting.solution import Fit
    from sem_loyalty.inference.bootstrap import Bootstrap

T = TypeVar("T")
FOLDER = ".sem-loyalty"
RECORD = "run.json"
# What every number of a study depends on; a step adds sections of its own.
_SAMPLE = ("data", "screen", "model")


@dataclass(slots=True)
class Steps:
    """What a run takes from an earlier one, and what it does anew.

    An entry is found by a digest of all that it depends on: the content of the inputs, the settings of the step, the
    seed, the code of this package, the versions of all packages and the machine. So a change anywhere leads to a new
    entry, and what is taken is what would have been computed. Entries are JSON and arrays, never pickled objects; one
    that is damaged is computed again.

    Attributes
    ----------
    study : Study
    inputs : mapping of str to bytes
        Content of the inputs by the name that the study gives them.
    folder : Path or None
        Where entries are; None keeps nothing.
    log : dict of str to bool
        By step, in the order of the run: whether it was taken from an earlier run.
    complaints : list of str
        What was wrong with entries; said by the run, not by the report, which must not depend on them.
    used : set of str
        Names of the files that this run took or wrote.
    """

    study: Study
    inputs: Mapping[str, bytes] = field(default_factory=dict)
    folder: Path | None = None
    log: dict[str, bool] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @classmethod
    def beside(cls, study: Study, inputs: Mapping[str, bytes]) -> Steps:
        """Return the steps of a study file, kept in a hidden folder beside it; nothing is kept without a file."""
        if not (study.folder / study.name).is_file():
            return cls(study, inputs)
        return cls(study, inputs, study.folder / FOLDER / Path(study.name).stem)

    def key(self, *sections: str) -> str:
        """Return a digest of the inputs and of some sections of the study; of all sections where none is named."""
        settings = self.study.settings()
        chosen = {name: settings[name] for name in sections} if sections else settings
        files = {name: sha256(data) for name, data in self.inputs.items() if not sections or name != self.study.name}
        parts = (chosen, files, self.study.study.seed, fingerprint())
        return sha256(json.dumps(parts, sort_keys=True, default=str).encode())

    def take(
        self,
        name: str,
        sections: tuple[str, ...],
        make: Callable[[], T],
        *,
        plain: Callable[[T], object],
        restore: Callable[[Any], T],
    ) -> T:
        """Return the outcome of a step, from an earlier run where there is one.

        Parameters
        ----------
        name : str
            The step, as the reader is told of it.
        sections : tuple of str
            Sections of the study that it depends on, besides those on answers and model.
        make : callable
            Does the step.
        plain, restore : callable
            The outcome as plain values, and back. `plain` may raise ValueError for an outcome that cannot be kept.
        """
        if self.folder is None:
            self.log[name] = False
            return make()
        key = self.key(*_SAMPLE, *sections)
        file = self.folder / f"{name}-{key[:16]}.json"
        stored = self._read(file, key)
        if stored is not None:
            outcome = restore(stored["outcome"])
            for message in stored["warnings"]:
                warnings.warn(message, DataWarning, stacklevel=2)
            self.log[name] = True
            return outcome
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", SemLoyaltyWarning)
            outcome = make()
        for entry in caught:
            warnings.warn_explicit(entry.message, entry.category, entry.filename, entry.lineno)
        said = [str(entry.message) for entry in caught if issubclass(entry.category, SemLoyaltyWarning)]
        try:
            self._write(file, key, {"outcome": plain(outcome), "warnings": said})
        except ValueError as error:
            self.complaints.append(f"The step '{name}' cannot be kept for the next run: {error}.")
        self.log[name] = False
        return outcome

    def draws(self, fitted: Fit, draws: int, *, workers: int = 1, file: str = "") -> Bootstrap:
        """Return bootstrap draws of the fit of the study, going on from those of an earlier run.

        Parameters
        ----------
        fitted : Fit
        draws : int
        workers : int, default 1
            Processes.
        file : str, optional
            The file that the study names for draws, instead of our own.
        """
        # Whether a study is up to date is known without the machinery of estimation, which is slow to import.
        from sem_loyalty.inference.bootstrap import bootstrap

        study = self.study
        if file or self.folder is None:
            self.log["bootstrap"] = False
            path = study.at(file) if file else None
            return bootstrap(fitted, draws, seed=study.study.seed, workers=workers, resume=path)
        path = self.folder / f"draws-{self.key(*_SAMPLE)[:16]}.npz"
        self._make_folder()
        before = path.stat().st_mtime_ns if path.exists() else None
        options: dict[str, Any] = {"seed": study.study.seed, "workers": workers, "resume": path}
        try:
            found = bootstrap(fitted, draws, **options)
        except ConfigurationError:
            if before is None:
                raise
            path.unlink()
            found = bootstrap(fitted, draws, **options)
            # Only now is it known that the file was to blame.
            self.complaints.append(f"The kept draws in {path} are damaged; they were made again.")
        self.used.add(path.name)
        # Measured loyalty uses the same draws: what this run made itself was not kept from an earlier one.
        taken = before is not None and path.stat().st_mtime_ns == before
        self.log["bootstrap"] = taken and self.log.get("bootstrap", True)
        return found

    def clear(self) -> None:
        """Forget what earlier runs have left."""
        self._delete(keep=frozenset())

    def finish(self, record: object) -> None:
        """Leave word of a finished run, and delete the entries that it did not use, so that the folder does not grow.

        Parameters
        ----------
        record : object
            Plain values, for `read_record` of the next run.
        """
        if self.folder is not None:
            self._write(self.folder / RECORD, self.key(), record)
            self._delete(keep=frozenset(self.used))

    def read_record(self) -> Any:
        """Return what the last finished run left of the same study, or None."""
        return None if self.folder is None else self._read(self.folder / RECORD, self.key())

    def summary(self) -> str:
        """Return in a line which steps were taken from an earlier run, and which were done."""
        kept = [name for name, taken in self.log.items() if taken]
        done = [name for name, taken in self.log.items() if not taken]
        said = f"Kept from an earlier run: {', '.join(kept)}. " if kept else ""
        return f"{said}Done: {', '.join([*done, 'all other steps'] if done else ['all other steps'])}."

    def _delete(self, keep: frozenset[str]) -> None:
        for path in self.folder.iterdir() if self.folder is not None and self.folder.is_dir() else ():
            if path.suffix in (".json", ".npz") and path.name not in keep:
                path.unlink(missing_ok=True)

    def _make_folder(self) -> None:
        assert self.folder is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        ignore = self.folder.parent / ".gitignore"
        if not ignore.exists():
            write_bytes(ignore, b"# Kept by sem-loyalty between runs; may be deleted at any time.\n*\n")

    def _read(self, file: Path, key: str) -> Any:
        """Return the content of an entry; None where there is none, it is about something else, or it is damaged."""
        if not file.exists():
            return None
        try:
            entry = json.loads(file.read_text(encoding="utf-8"))
            if entry["key"] != key:
                return None
            content = entry["content"]
            if sha256(_canonical(content).encode()) != entry["digest"]:
                raise ValueError("its digest differs")
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.complaints.append(f"The kept step in {file} is damaged ({error}); it was done again.")
            return None
        self.used.add(file.name)
        return content

    def _write(self, file: Path, key: str, content: object) -> None:
        self._make_folder()
        entry = {"key": key, "digest": sha256(_canonical(content).encode()), "content": content}
        write_text(file, _canonical(entry))
        self.used.add(file.name)


def _canonical(content: object) -> str:
    # NaN is written as Python reads it: these files are read by this module alone.
    return json.dumps(content, ensure_ascii=True, sort_keys=True)
