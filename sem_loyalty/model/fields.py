"""Typed values out of a TOML description: what is wrong is collected, not raised."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from sem_loyalty.errors import nearest
from sem_loyalty.model.model_file import Reference, Wording

UNSAID = Wording("", "")
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+")


class Fields:
    """Reads tables of a description; `problems` collects what is wrong with them, `used` the DOIs that are cited."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.used: set[str] = set()

    def references(self, content: Mapping[str, object]) -> dict[str, Reference]:
        """Return the works under [[references]] by DOI."""
        references = {}
        for table in self.tables(content, "references"):
            doi = self.string(table, "doi", "a reference")
            where = f"reference {doi}"
            if doi and not _DOI.fullmatch(doi):
                self.problems.append(f"{where}: not a DOI; write it as 10.1177/002224298805200302, without an address.")
            if doi in references:
                self.problems.append(f"{where} is there twice.")
            year = table.get("year")
            if not isinstance(year, int) or isinstance(year, bool):
                self.problems.append(f"{where}: year must be a whole number, not {year!r}.")
                year = 0
            authors, title, journal = (self.string(table, key, where) for key in ("authors", "title", "journal"))
            references[doi] = Reference(doi, authors, year, title, journal)
        return references

    def table(
        self, table: Mapping[str, object], key: str, where: str, *, required: bool = True
    ) -> Mapping[str, object]:
        """Return the table under a key; {} and a problem where there is none."""
        value = table.get(key)
        if isinstance(value, Mapping):
            return value
        if required or value is not None:
            self.problems.append(f"{where}: {key} must be a table.")
        return {}

    def tables(self, table: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
        """Return the array of tables under a key; [] and a problem where it is something else."""
        value = table.get(key, [])
        if isinstance(value, list) and all(isinstance(entry, Mapping) for entry in value):
            return value
        self.problems.append(f"{key} must be written as [[{key}]].")
        return []

    def string(self, table: Mapping[str, object], key: str, where: str, *, required: bool = True) -> str:
        """Return the text under a key; "" and a problem where it is missing."""
        value = table.get(key, "")
        if isinstance(value, str) and (value.strip() or not required):
            return value
        self.problems.append(f"{where}: {key} is missing." if not value else f"{where}: {key} must be a text.")
        return ""

    def wording(self, table: Mapping[str, object], key: str, where: str, *, required: bool = True) -> Wording | None:
        """Return the text in both languages; None and a problem where one is missing."""
        value = table.get(key)
        if value is None and not required:
            return None
        texts = [value.get(lang) if isinstance(value, Mapping) else None for lang in ("en", "zh")]
        missing = [
            lang
            for lang, text in zip(("en", "zh"), texts, strict=True)
            if not isinstance(text, str) or not text.strip()
        ]
        if missing:
            self.problems.append(f"{where}: {key} lacks {' and '.join(missing)}.")
            return None
        return Wording(str(texts[0]), str(texts[1]))

    def sources(self, table: Mapping[str, object], key: str, where: str, cited: Iterable[str]) -> tuple[str, ...]:
        """Return the DOIs under a key, each of which must be among those cited."""
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(doi, str) for doi in value):
            self.problems.append(f"{where}: {key} must be a list of DOIs.")
            return ()
        for doi in value:
            if doi not in cited:
                self.problems.append(f"{where}: {doi} is not among the references. {nearest(doi, cited)}".strip())
        self.used |= set(value)
        return tuple(value)

    def names(self, table: Mapping[str, object], key: str, where: str) -> list[str]:
        """Return the list of names under a key, [] where there is none."""
        value = table.get(key, [])
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return value
        self.problems.append(f"{where}: {key} must be a list of names in quotes.")
        return []

    def numbers(self, table: Mapping[str, object], where: str) -> dict[str, float]:
        """Return the finite numbers of a table; a problem for every other value."""
        values = {}
        for key, value in table.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                self.problems.append(f"{where}: {key} must be a number, not {value!r}.")
            else:
                values[key] = float(value)
        return values
