"""What was written held against a new run: the results of a study, and documents that quote them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.output import write_results
from sem_loyalty.publish.rebuilt import Rebuilt, check_there, compare_results
from sem_loyalty.publish.rebuilt_paper import compare_paper
from sem_loyalty.publish.results import Results
from sem_loyalty.publish.settings import Study
from sem_loyalty.publish.study_file import read_study
from sem_loyalty.publish.verify import Verification, read_results, study_of, verify_text
from sem_loyalty.study import analyse


def check_results(study: str | Path = ".") -> Rebuilt:
    """Build the results of a study again, from nothing and elsewhere, and compare them with those that are there.

    Parameters
    ----------
    study : str or Path, default "."
        A study file, or the folder of a project with its study.toml.

    Returns
    -------
    Rebuilt
        `same` says whether everything comes out again; printed, it says what does not, and why. A paper beside the
        study (paper/paper.typ) that has been built is built again as well.

    Raises
    ------
    ConfigurationError
        There are no results yet, or the study file is wrong.
    SemLoyaltyError, OSError
        As `run`.
    """
    asked = read_study(Path(study) / "study.toml" if Path(study).is_dir() else study)
    folder = asked.at(asked.output.dir)
    check_there(folder, asked.output.dir)
    with TemporaryDirectory(prefix="sem-loyalty-") as place:
        again = Path(place) / "study" / ("results" if Path(asked.output.dir).is_absolute() else asked.output.dir)
        write_results(analyse(asked), again)
        paper = compare_paper(asked.folder, Path(place) / "study")
        return compare_results(folder, again, name=asked.output.dir, paper=paper)


def verify(
    path: str | Path, *, study: Study | str | Path | None = None, results: Results | str | Path | None = None
) -> Verification:
    """Hold every number of a document that claims to come from a result against that result.

    Parameters
    ----------
    path : str or Path
        A document: .typ, .tex, .md or .docx, whose values carry addresses (see docs/chapter.md).
    study : Study, str or Path, optional
        The study whose results the document tells; it is run again, without writing anything. By default the study file
        that the document names in its first lines, or the study.toml of the project that it lies in.
    results : Results, str or Path, optional
        Instead of a study: results, or a stored results.json, with which the document is compared.

    Returns
    -------
    Verification
        `holds` says whether all agree; `mismatches` lists what does not; it prints well.

    Raises
    ------
    ConfigurationError
        Both or neither of `study` and `results` are known, or the document cannot be read as one.
    SemLoyaltyError, OSError
        As `run`.
    """
    if study is not None and results is not None:
        raise ConfigurationError("verify takes a study, which is run again, or results; not both.")
    if isinstance(results, Results):
        return verify_text(path, results.to_dict(), against="the results given")
    if results is not None:
        return verify_text(path, read_results(results), against=f"the stored {Path(results).name}")
    if study is None:
        study = _study_for(Path(path))
    asked = study if isinstance(study, Study) else read_study(study)
    return verify_text(path, analyse(asked).to_dict(), against=f"{asked.name}, run again")


def _study_for(path: Path) -> Path:
    """Return the study file that a document names, or the study.toml of the project that it lies in.

    A chapter lies in the folder of results and a paper in a folder of its own, with the study file above them.
    """
    named = study_of(path)
    wanted = named if named.endswith(".toml") else "study.toml"
    beside = [path.parent / wanted, *(folder / wanted for folder in path.resolve().parents[:3])]
    found = next((file for file in beside if file.is_file()), None)
    if found is not None:
        return found
    if wanted == named:
        return path.parent / named
    raise ConfigurationError(
        f"{path} names no study file in its first lines, and there is no study.toml beside or above it: give study= "
        "(--study study.toml), or results= (--results results.json)."
    )
