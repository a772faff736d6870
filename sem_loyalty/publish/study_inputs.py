"""The files that go into a study, before anything is read from them."""

from __future__ import annotations

from sem_loyalty.model.library import load_model
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.publish.settings import Study, portable
from sem_loyalty.publish.study_file import is_file


def study_model(study: Study) -> ModelFile:
    """Return the model of a study, from the library or from a file beside the study."""
    return load_model(study.at(study.model.id) if is_file(study.model.id) else study.model.id)


def study_inputs(study: Study, model: ModelFile) -> dict[str, bytes]:
    """Return the content of every file that a study is made from, by the name that the study gives it.

    Parameters
    ----------
    study : Study
    model : ModelFile
        That of the study.

    Returns
    -------
    dict of str to bytes
        Survey and codebook or matrix, the files of the model, and the study file where there is one.
    """
    data = study.data
    named = [data.path, data.codebook, *([data.matrix] if is_file(data.matrix) else [])]
    found = {portable(name): study.at(name).read_bytes() for name in named if name}
    found |= {path.name: path.read_bytes() for path in (model.path, model.path.with_suffix(".toml")) if path.is_file()}
    file = study.folder / study.name
    return found | ({study.name: file.read_bytes()} if study.name.endswith(".toml") and file.is_file() else {})
