"""The library of models: pairs of a lavaan text (.lav) and its description (.toml)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sem_loyalty.errors import ConfigurationError, SpecificationError, nearest
from sem_loyalty.model.description import read_description
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.pool import library_folder, read_text

if TYPE_CHECKING:
    import pandas as pd


def models() -> pd.DataFrame:
    """Return the models of the library, one row a model, sorted by id.

    Returns
    -------
    DataFrame
        id, title, title_zh, and how many constructs, items, hypotheses and rivals the model has.
    """
    import pandas as pd

    loaded = [load_model(id) for id in _library()]
    rows = [
        (m.id, m.title.en, m.title.zh, len(m.constructs), len(m.items), len(m.hypotheses), len(m.rivals))
        for m in loaded
    ]
    return pd.DataFrame(rows, columns=["id", "title", "title_zh", "constructs", "items", "hypotheses", "rivals"])


def load_model(id_or_path: str | Path) -> ModelFile:
    """Return a model of the library, or one's own.

    Parameters
    ----------
    id_or_path : str or Path
        An id that `models` lists, or the path of a .lav file. A .toml file of the same name beside it is read with it;
        without one the constructs and items are called by their names in the text.

    Returns
    -------
    ModelFile

    Raises
    ------
    SpecificationError
        If the library has no such model; the message lists those that it has.
    ConfigurationError
        If there is no such file, it is not UTF-8, or its .toml is wrong; the message lists everything that is wrong.
    ModelSyntaxError
        If the lavaan text cannot be read.
    """
    if isinstance(id_or_path, Path) or id_or_path.endswith(".lav") or "/" in id_or_path or "\\" in id_or_path:
        return _read(Path(id_or_path))
    library = _library()
    if id_or_path not in library:
        hint = nearest(id_or_path, library)
        raise SpecificationError(
            f"The library has no model {id_or_path!r}. {hint} It has: {', '.join(library)}. "
            "A model of your own is given by the path of its .lav file.".replace("  ", " ")
        )
    return _read(library[id_or_path])


def _library() -> dict[str, Path]:
    """Return the .lav file of every model by id, sorted by id."""
    folder = library_folder()
    found = {path.stem: path for path in sorted(folder.glob("*.lav"))}
    if not found:
        raise ConfigurationError(f"No models in {folder}; the installation of sem_loyalty is incomplete.")
    return found


def _read(path: Path) -> ModelFile:
    text = read_text(path)
    toml = path.with_suffix(".toml")
    return read_description(path, text, toml, read_text(toml) if toml.exists() else None)
