"""What a run of a study tells whoever asked for it, and how it knows that nothing has changed since the last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sem_loyalty.publish.files import LITTER, MANIFEST
from sem_loyalty.publish.manifest import digests
from sem_loyalty.publish.settings import Study
from sem_loyalty.publish.steps import Steps
from sem_loyalty.publish.study_file import check_study
from sem_loyalty.publish.study_inputs import study_inputs, study_model

if TYPE_CHECKING:
    from sem_loyalty.publish.results import Results


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run.

    Attributes
    ----------
    certified : bool
        Look at it before reporting anything.
    summary : str
        The result in a few lines; the first says whether it can be reported.
    warnings : tuple of str
    files : dict of str to str
        SHA-256 of every file in the folder of results.
    steps : str
        Which steps were done, and which taken from an earlier run.
    written : bool
        False where the folder was up to date.
    """

    certified: bool
    summary: str
    warnings: tuple[str, ...]
    files: Mapping[str, str]
    steps: str = ""
    written: bool = True

    def record(self) -> dict[str, Any]:
        """Return what the next run must know, as plain values."""
        plain = asdict(self)
        del plain["steps"], plain["written"]
        return plain


def outcome_of(results: Results, folder: Path, steps: str) -> Outcome:
    """Return the outcome of results that have been written to a folder."""
    return Outcome(results.certified, results.summary(), results.warnings, present(folder), steps)


def outcome_of_record(record: Any, folder: Path) -> Outcome | None:
    """Return the outcome of an earlier run, or None unless its files are in the folder, unchanged and nothing else.

    Parameters
    ----------
    record : mapping or None
        What `Outcome.record` gave.
    folder : Path
        The folder of results.
    """
    if record is None or not (folder / MANIFEST).is_file() or present(folder) != record["files"]:
        return None
    said = "Up to date: nothing has changed since the last run, so nothing was done (--fresh does everything again)."
    return Outcome(**{**record, "warnings": tuple(record["warnings"]), "steps": said, "written": False})


def unchanged(study: Study, folder: Path) -> Outcome | None:
    """Return the outcome of the last run where the folder of results is up to date, or None.

    Nothing that estimates is imported for it, so the answer is quick.

    Parameters
    ----------
    study : Study
        As it is asked for.
    folder : Path
        The folder of results.

    Raises
    ------
    ConfigurationError
        Settings contradict each other, or a file that the study names does not exist.
    """
    check_study(study)
    steps = Steps.beside(study, study_inputs(study, study_model(study)))
    return outcome_of_record(steps.read_record(), folder)


def present(folder: Path) -> dict[str, str]:
    """Return the digests of the files in a folder of results, without what file browsers leave there."""
    found = digests(folder) if folder.is_dir() else {}
    return {name: digest for name, digest in found.items() if Path(name).name not in LITTER}
