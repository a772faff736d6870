"""The pool of constructs that the models of the library share: wording once, drawn by code."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.model.fields import Fields
from sem_loyalty.model.model_file import Reference, Wording

POOL_FILE = "constructs.toml"
_REFERENCES_FILE = "references.toml"


@dataclass(frozen=True, slots=True)
class Pool:
    """Constructs and references that any description may draw on.

    Attributes
    ----------
    content : mapping
        The whole of constructs.toml.
    constructs : mapping of str to mapping
        The table of each construct by its code: label, definition, scale, items.
    references : mapping of str to Reference
        Works by DOI.
    """

    content: Mapping[str, object]
    constructs: Mapping[str, Mapping[str, object]]
    references: Mapping[str, Reference]

    def drawn(self, code: str, waves: tuple[Wording, ...]) -> dict[str, Mapping[str, object]]:
        """Return the table of a construct by its name in the model text: one, or one for each wave of a panel."""
        table = self.constructs[code]
        if not waves:
            return {code: table}
        label, items = table["label"], table.get("items", {})
        found: dict[str, Mapping[str, object]] = {}
        for number, wave in enumerate(waves, start=1):
            renamed = {f"{name}_{number}": item for name, item in _mapping(items).items()}
            said = _mapping(label)
            both = {"en": f"{said['en']} ({wave.en})", "zh": f"{said['zh']}（{wave.zh}）"}
            found[f"{code}_{number}"] = {**table, "label": both, "items": renamed}
        return found

    def drawn_codes(self, codes: object, waves: tuple[Wording, ...]) -> tuple[str, ...]:
        """Return the names in the model text of the constructs that a description draws."""
        known = [code for code in codes if code in self.constructs] if isinstance(codes, list) else []
        return tuple(name for code in known for name in self.drawn(code, waves))

    def population(self, waves: tuple[Wording, ...]) -> dict[str, object]:
        """Return thresholds, loadings and shifts of the pool's items, named as in the model text."""
        values = dict(_mapping(self.content.get("population", {})))
        for key in ("loadings", "shift") if waves else ():
            numbers = range(1, len(waves) + 1)
            values[key] = {f"{name}_{k}": value for name, value in _mapping(values.get(key)).items() for k in numbers}
        return values


@lru_cache(maxsize=1)
def library_pool() -> Pool:
    """Return the pool in the library's folder.

    Raises
    ------
    ConfigurationError
        If its files cannot be read; the message lists everything that is wrong.
    """
    folder = library_folder()
    content, works = (_toml(folder / name) for name in (POOL_FILE, _REFERENCES_FILE))
    fields = Fields()
    references = fields.references(works)
    if fields.problems:
        listed = "\n".join(f"  - {problem}" for problem in fields.problems)
        raise ConfigurationError(f"{folder / _REFERENCES_FILE} is wrong:\n{listed}")
    constructs = {str(table["code"]): table for table in fields.tables(content, "constructs")}
    return Pool(content, constructs, references)


def library_folder() -> Path:
    """Return the folder of the library's files."""
    here = Path(__file__).resolve().parent
    # A wheel carries models/ inside the package; a checkout has it at the top.
    folder = here / "files"
    return folder if folder.is_dir() else here.parents[1] / "models"


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file; ConfigurationError says why it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text ({error.reason}); save it as UTF-8.") from error
    except FileNotFoundError as error:
        raise ConfigurationError(f"There is no file {path}.") from error
    except OSError as error:
        raise ConfigurationError(f"Cannot read {path}: {error.strerror}.") from error


def _toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not TOML: {error}.") from error


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
