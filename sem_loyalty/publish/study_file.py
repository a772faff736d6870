"""study.toml to Study: every mistake of the file in one message, with the nearest known name."""

from __future__ import annotations

import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from sem_loyalty.errors import ConfigurationError, nearest
from sem_loyalty.publish.evidence_settings import LIKELIHOOD
from sem_loyalty.publish.settings import ESTIMATORS, ORDINAL_ESTIMATORS, SECTIONS, Study
from sem_loyalty.survey.screen_rules import check_rules

_TYPES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def read_study(path: str | Path) -> Study:
    """Read and check a study file.

    Parameters
    ----------
    path : str or Path
        A TOML file; docs/study.md describes its sections and keys.

    Returns
    -------
    Study

    Raises
    ------
    ConfigurationError
        If the file cannot be read or is not TOML; if a section or key is unknown or missing, a value has the wrong
        type or is not among the choices, settings contradict each other, or a file that it names does not exist. One
        message lists everything.
    """
    file = Path(path).expanduser()
    if file.is_dir():
        raise ConfigurationError(
            f"{path} is a folder; give the path of a study file, for instance {file / 'study.toml'}."
        )
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        beside = [entry.name for entry in file.parent.glob("*.toml")]
        raise ConfigurationError(f"There is no study file {path}. {nearest(file.name, beside)}".strip()) from None
    except OSError as error:
        raise ConfigurationError(f"Cannot read the study file {path}: {error.strerror}.") from error
    try:
        content = tomllib.loads(raw.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError:
        raise ConfigurationError(f"The study file {path} is not UTF-8; save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"The study file {path} is not TOML: {error}. Texts stand in quotation marks."
        ) from None
    study, problems = study_from(content, folder=file.parent, name=file.name)
    problems += missing_files(study)
    _raise(problems, str(path))
    return study


def study_from(
    content: Mapping[str, Any], *, folder: Path = Path(), name: str = "study.toml"
) -> tuple[Study, list[str]]:
    """Return a Study and what is wrong with it.

    Parameters
    ----------
    content : mapping
        Sections and keys, as TOML gives them.
    folder : Path
        Where relative paths begin.
    name : str
        Name of the study file.

    Returns
    -------
    study : Study
        With defaults in place of what is wrong.
    problems : list of str
        One sentence each.
    """
    problems: list[str] = []
    for section in content:
        if section not in SECTIONS:
            problems.append(f"[{section}] is not a section. {_known(section, list(SECTIONS))}")
    sections = {key: _section(key, cls, content.get(key, {}), problems) for key, cls in SECTIONS.items()}
    study = Study(**sections, folder=folder, name=name)
    # Contradictions of values that are themselves wrong would only confuse.
    return study, problems or contradictions(study)


def contradictions(study: Study) -> list[str]:
    """Return settings that exclude or require each other, one sentence each."""
    data, model = study.data, study.model
    found = []
    if not model.id:
        found.append('[model] id is missing: name a model of the library ("core") or the path of a .lav file.')
    if bool(data.path) == bool(data.matrix):
        both = "both are" if data.path else "neither is"
        found.append(f"[data] needs either path (a survey) or matrix (a covariance matrix); {both} given.")
    if data.matrix:
        useless = [key for key in ("codebook", "sheet", "group") if getattr(data, key)]
        found += [f"[data] {key} belongs to a survey, and matrix is given instead." for key in useless]
        if is_file(data.matrix) and data.nobs is None:
            found.append("[data] nobs is missing: a matrix from a file needs the number of respondents behind it.")
    elif data.nobs is not None:
        found.append("[data] nobs belongs to a matrix; a survey is counted.")
    for rule, threshold in study.screen.rules.items():
        try:
            check_rules({rule: threshold}, study.screen.arguments())
        except ConfigurationError as error:
            found.append(f"[screen.rules] {error}")
    if study.screen.rules and data.matrix:
        found.append("[screen.rules] belong to a survey, and matrix is given instead.")
    if study.bootstrap.draws and data.matrix:
        found.append("[bootstrap] draws respondents, so it needs a survey, and matrix is given instead.")
    if study.bootstrap.draws == 1:
        found.append("[bootstrap] draws = 1: an interval needs two draws at least, and is worth little below 1000.")
    known = ORDINAL_ESTIMATORS if model.ordered else ESTIMATORS
    if model.estimator is not None and model.estimator not in known:
        what = "ordinal" if model.ordered else "continuous"
        why = (
            "takes no account of its weight in its standard errors, so no verdict could rest on it"
            if model.estimator in ("ULS", "DWLS")
            else f"is not for {what} items"
        )
        more = "" if model.ordered else " Ordinal items need ordered = true."
        found.append(f"[model] estimator = {model.estimator!r} {why}; available: {', '.join(known)}.{more}")
    if model.ordered and data.matrix:
        found.append("[model] ordered needs the answers of a survey, and matrix is given instead.")
    if data.matrix and (study.loyalty.outcome or study.loyalty.recommend):
        found.append("[loyalty] needs answers, and matrix is given instead of a survey.")
    if (study.loyalty.minimum is None) != (study.loyalty.maximum is None):
        found.append("[loyalty] minimum and maximum belong together; one is given.")
    found += _about_evidence(study)
    if model.group_equal and not data.group:
        found.append("[model] group_equal needs [data] group, the column that splits the sample.")
    folder = Path(study.output.dir)
    if not study.output.dir.strip() or folder in (Path(), Path("..")):
        found.append(f"[output] dir = {study.output.dir!r}: name a folder of its own, since it is replaced as a whole.")
    return found


def _about_evidence(study: Study) -> list[str]:
    """Return what the sections on hypotheses ask for and the data, the estimator or the groups rule out."""
    data, model, found = study.data, study.model, []
    wanted = {
        "rivals": study.rivals.run,
        "invariance": bool(study.invariance.group),
        "robustness": study.robustness.run,
        "method_bias": study.method_bias.run,
    }
    if study.pls.run and data.group:
        found.append("[pls] takes one group: leave [data] group out, and compare groups with `pls_mga` and `micom`.")
    if study.pls.run and model.ordered not in (False, True):
        found.append("[pls] takes all items as ordinal or none: write ordered = true, or leave it out.")
    if study.pls.run and study.pls.draws == 1:
        found.append("[pls] draws = 1: an interval needs two draws at least, and is worth little below 1000.")
    likelihood = not model.ordered and (model.estimator or "ML") in LIKELIHOOD
    for section in (name for name, on in wanted.items() if on):
        if not likelihood:
            found.append(f"[{section}] needs maximum likelihood on continuous items: {', '.join(LIKELIHOOD)}.")
        if data.matrix and section in ("invariance", "robustness"):
            found.append(f"[{section}] needs answers, and matrix is given instead of a survey.")
        if data.group and section != "rivals":
            found.append(f"[{section}] starts from one group: leave [data] group out.")
    return found


def check_study(study: Study) -> None:
    """Raise one ConfigurationError that lists the contradictions of a study and the files that do not exist."""
    _raise([*contradictions(study), *missing_files(study)], study.name)


def missing_files(study: Study) -> list[str]:
    """Return files that the study names and that do not exist, one sentence each."""
    named = [("[data] path", study.data.path), ("[data] codebook", study.data.codebook)]
    named += [("[data] matrix", study.data.matrix)] if is_file(study.data.matrix) else []
    named += [("[model] id", study.model.id)] if is_file(study.model.id) else []
    found = []
    for key, value in named:
        file = study.at(value)
        if value and not file.is_file():
            beside = [entry.name for entry in file.parent.iterdir()] if file.parent.is_dir() else []
            found.append(
                f"{key}: there is no file {value!r} (looked in {file.parent}). {nearest(file.name, beside)}".strip()
            )
    return found


def is_file(value: str) -> bool:
    """Tell a path from an id of the library."""
    return "/" in value or "\\" in value or Path(value).suffix.lower() in (".lav", ".csv", ".tsv", ".txt")


def _raise(problems: Sequence[str], source: str) -> None:
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigurationError("\n  - ".join([f"{source} has {count}:", *problems]))


def _known(name: str, known: Sequence[str]) -> str:
    return f"{nearest(name, known)} Known: {', '.join(known)}.".strip()


def _section(section: str, cls: type, table: Any, problems: list[str]) -> Any:
    """Return one section, its wrong values replaced by defaults and told in `problems`."""
    if not isinstance(table, Mapping):
        problems.append(f"{section} must be a section, written [{section}] on a line of its own.")
        return cls()
    known = {entry.name: entry for entry in fields(cls)}
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            elsewhere = [other for other, others in SECTIONS.items() if key in {entry.name for entry in fields(others)}]
            hint = f"It belongs to [{elsewhere[0]}]." if elsewhere else _known(key, list(known))
            problems.append(f"[{section}] {key} is not a key of this section. {hint}")
            continue
        wrong, accepted = _check(known[key], hints[key], value)
        if wrong:
            problems.append(f"[{section}] {key} = {value!r}: {wrong}")
        else:
            values[key] = accepted
    return cls(**values)


def _check(entry: Field[Any], hint: Any, value: Any) -> tuple[str, Any]:
    """Return what is wrong with a value ("" where nothing is) and the value as the field holds it."""
    if "check" in entry.metadata:
        checked: tuple[str, Any] = entry.metadata["check"](value)
        return checked
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    several = [kind for kind in kinds if kind is not type(None)]
    kind = next((kind for kind in several if isinstance(value, list) and typing.get_origin(kind) is tuple), several[0])
    choices = entry.metadata.get("choices", ())
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            return 'it must be a list of texts, for instance ["a", "b"].', None
        bad = [part for part in value if choices and part not in choices]
        if bad:
            return f"{bad[0]!r} is not one of {', '.join(choices)}. {nearest(bad[0], choices)}".strip(), None
        return "", tuple(value)
    if typing.get_origin(kind) is Mapping:
        if not isinstance(value, Mapping):
            return f"it must be a section of its own, written [section.{entry.name}].", None
        return "", dict(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if kind is float and whole:
        value = float(value)
    if not isinstance(value, kind) or (kind is int and not whole):
        return f"it must be {_TYPES[kind]}.", None
    if choices and value not in choices:
        return f"it must be one of {', '.join(map(repr, choices))}. {nearest(str(value), choices)}".strip(), None
    least, most = entry.metadata.get("least"), entry.metadata.get("most")
    if least is not None and not value >= least:  # "not >=" also refuses nan
        return f"it must be at least {least}.", None
    if most is not None and not value <= most:
        return f"it must be at most {most}.", None
    return "", value
