"""`init_project`: a folder with a study that runs at once, to be made one's own step by step."""

from __future__ import annotations

import csv
import io
import secrets
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from sem_loyalty.design.simulate import simulate
from sem_loyalty.errors import ConfigurationError, NotSupported, check_choice
from sem_loyalty.model.library import load_model, models
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.publish.files import write_bytes
from sem_loyalty.publish.installed import lock
from sem_loyalty.publish.manifest import own_version
from sem_loyalty.publish.questionnaire import column_of, questionnaire_codebook
from sem_loyalty.publish.settings import LANGS
from sem_loyalty.survey.published import demo_codebook_path, demo_path

_SHOWN = 5
_DEMO = "core"  # the model whose survey travels with the package
_SEED = 1


def init_project(folder: str | Path, *, lang: str = "en", model: str = _DEMO) -> Path:
    """Write a study that runs at once, whole or not at all.

    Parameters
    ----------
    folder : str or Path
        A new folder, or an empty one.
    lang : {"en", "zh"}, default "en"
        Language of the study, its explanations and its report.
    model : str, default "core"
        Id of a library model with a population (see `models`); a copy of it is made, to be edited.

    Returns
    -------
    Path
        The folder: study.toml, data/ (a simulated survey, its codebook and how to put one's own in its place),
        models/, notebooks/, paper/, requirements.lock (the versions in use now), README.md and .gitignore. The same
        arguments on the same installation give the same bytes.

    Raises
    ------
    ConfigurationError
        The folder holds files already or is a file, or `lang` is unknown.
    SpecificationError
        The library has no such model.
    NotSupported
        The model has no population to simulate answers from.
    OSError
        The disk refuses; nothing is left behind then.
    """
    check_choice("lang", lang, LANGS)
    place = Path(folder).expanduser().resolve()
    _check_empty(place, folder)
    content = project_files(lang, load_model(_of_library(model)))
    made = [parent for parent in place.parents if not parent.exists()]
    partial = place.with_name(f".{place.name}.partial-{secrets.token_hex(4)}")
    try:
        partial.mkdir(parents=True)
        for name, data in content.items():
            write_bytes(partial / name, data)
        if place.exists():
            place.rmdir()  # fails, rightly, where somebody has put a file there meanwhile
        partial.replace(place)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        for parent in made:
            if parent.exists() and not any(parent.iterdir()):
                parent.rmdir()
        raise
    return Path(folder)


def project_files(lang: str, model: ModelFile) -> dict[str, bytes]:
    """Return the files of a new study by their path in its folder.

    Parameters
    ----------
    lang : {"en", "zh"}
    model : ModelFile
        Of the library.

    Raises
    ------
    NotSupported
        The model has no population to simulate answers from.
    """
    survey, codebook = _survey(model)
    values = {
        "TITLE": model.title.text(lang).replace('"', "'"),
        "VERSION": own_version(),
        "MODEL": model.id,
        **_choices(model),
    }
    texts = {
        "study.toml": "study.toml",
        "README.md": "README.md",
        "data/README.md": "data.md",
        "notebooks/first_look.py": "notebook.txt",
    }
    source = files("sem_loyalty.publish") / "project_files"
    written = {name: _filled((source / lang / template).read_bytes(), values) for name, template in texts.items()}
    templates = files("sem_loyalty.publish") / "templates"
    paper = {"paper.typ": f"paper_{lang}.typ", "template.typ": "template.typ", "refs.bib": "refs.bib"}
    return {
        **written,
        "data/simulated.csv": survey,
        "data/codebook.csv": codebook,
        f"models/{model.path.name}": model.path.read_bytes(),
        f"models/{model.id}.toml": model.path.with_suffix(".toml").read_bytes(),
        **{f"paper/{name}": (templates / template).read_bytes() for name, template in paper.items()},
        "requirements.lock": lock().encode(),
        ".gitignore": (source / "gitignore").read_bytes(),
    }


def _check_empty(place: Path, folder: str | Path) -> None:
    """Raise where a new study would mix with files that are there."""
    if not place.exists():
        return
    if not place.is_dir():
        raise ConfigurationError(f"{folder} is a file. Name a new folder.")
    present = sorted(entry.name for entry in place.iterdir())
    if present:
        shown = ", ".join(present[:_SHOWN]) + (f" and {len(present) - _SHOWN} more" if len(present) > _SHOWN else "")
        raise ConfigurationError(f"The folder {folder} is not empty ({shown}). Name a new folder.")


def _of_library(model: str) -> str:
    """Return the id of a model of the library; a path would copy a file that the reader has already."""
    if Path(model).suffix or "/" in model or "\\" in model:
        raise ConfigurationError(
            f"model={model!r} is a path. Begin with a model of the library ({', '.join(models()['id'])}), and put "
            "your own files into models/ then."
        )
    return model


def _survey(model: ModelFile) -> tuple[bytes, bytes]:
    """Return a simulated survey and its codebook as CSV: that of the package, or one drawn from the population."""
    if model.id == _DEMO:
        return demo_path().read_bytes(), demo_codebook_path().read_bytes()
    if model.population is None or model.scale is None:
        others = [id for id in models()["id"] if load_model(id).population is not None]
        raise NotSupported(
            f"Model {model.id!r} has no population to simulate answers from, so a study of it cannot run at once. "
            f"Begin with another one: {', '.join(others)}."
        )
    frame = simulate(model, seed=_SEED)
    ends = model.scale.minimum + model.scale.maximum
    for item in model.items:
        if item.reverse:  # recorded as answered; the codebook turns it round again
            frame[item.name] = ends - frame[item.name]
    frame = frame.rename(columns={item.name: column_of(item) for item in model.items})
    numbers = [column_of(item) for item in model.items if column_of(item) in frame.columns]
    survey = frame.astype(dict.fromkeys(numbers, "int64")).to_csv(index=False, lineterminator="\n")
    rows = [row for row in questionnaire_codebook(model) if row["column"] in frame.columns]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return survey.encode(), text.getvalue().encode("utf-8-sig")


def _choices(model: ModelFile) -> dict[str, str]:
    """Return what study.toml asks for: everything that the model and its survey allow."""
    demo = model.id == _DEMO
    grouped = model.grouping is not None
    plain = not (grouped or model.waves or model.products)
    codes = [construct.code for construct in model.constructs]
    rules = ["longstring = 12", "duration_per_item = 2", "missing_share = 0.2"] if demo else ["missing_share = 0.2"]
    return {
        "DURATION": "duration" if demo else "",
        "ID": "id" if demo else "",
        "SPLIT": model.grouping.column if model.grouping is not None else "",
        "RULES": "\n".join(rules),
        "DRAWS": "1000",
        "RIVALS": _written(bool(model.rivals)),
        "GROUP": "channel" if demo else "",
        "ROBUSTNESS": _written(plain),
        "CONTROLS": '["age"]' if demo else "[]",
        "METHOD": _written(plain),
        "EFA": _written(not model.waves),
        "OUTCOME": "LOY" if plain and "LOY" in codes else "",
        "RECOMMEND": "recommend" if demo else "",
    }


def _written(value: bool) -> str:
    return "true" if value else "false"


def _filled(template: bytes, values: Mapping[str, Any]) -> bytes:
    text = template.decode("utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    return text.encode("utf-8")
