"""Reading the description of a model (.toml) against its text (.lav): everything that is wrong is said at once."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from sem_loyalty.errors import ConfigurationError, nearest
from sem_loyalty.model.model_file import (
    Construct,
    Hypothesis,
    Item,
    ModelFile,
    Population,
    PopulationGroup,
    Reference,
    Rival,
    Scale,
    Wording,
)
from sem_loyalty.model.syntax import ModelText, parse

_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+")
_KEYS = ("title", "description", "scale", "constructs", "hypotheses", "rivals", "references", "population")
_UNSAID = Wording("", "")


def read_description(path: Path, text: str, toml_path: Path, toml: str | None) -> ModelFile:
    """Return a model from its text and its description.

    Parameters
    ----------
    path : Path
        Where the text came from; its stem is the id.
    text : str
        lavaan text.
    toml_path : Path
        Where the description came from, for messages.
    toml : str or None
        The description; None where there is none, so that names stand for labels.

    Returns
    -------
    ModelFile

    Raises
    ------
    ConfigurationError
        If the description is not TOML or does not fit the text; the message lists every problem.
    ModelSyntaxError
        If the text cannot be read.
    """
    model = parse(text)
    measured = _measurement(model)
    if toml is None:
        items = {name for names in measured.values() for name in names if name not in measured}
        named: dict[str, object] = {
            "title": {"en": path.stem, "zh": path.stem},
            "constructs": [
                {
                    "code": code,
                    "label": {"en": code, "zh": code},
                    "items": {name: {"en": name, "zh": name} for name in names if name in items},
                }
                for code, names in measured.items()
            ],
        }
        return _Reader(named, model, measured).model_file(path, text, toml_path)
    try:
        content = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{toml_path} is not TOML: {error}.") from error
    return _Reader(content, model, measured).model_file(path, text, toml_path)


def _measurement(model: ModelText) -> dict[str, list[str]]:
    """Return what measures each construct: items, or constructs where it is of higher order."""
    measured: dict[str, list[str]] = {}
    for statement in model.statements:
        if statement.op == "=~" and statement.rhs.name not in measured.setdefault(statement.lhs, []):
            measured[statement.lhs].append(statement.rhs.name)
    return measured


class _Reader:
    """One description being read; `problems` collects what is wrong."""

    def __init__(self, content: Mapping[str, object], model: ModelText, measured: dict[str, list[str]]) -> None:
        self.content = content
        self.measured = measured
        self.paths = {(s.rhs.name, s.lhs) for s in model.statements if s.op == "~"}
        self.defined = [definition.name for definition in model.definitions]
        self.variables = list(dict.fromkeys([*measured, *(name for path in sorted(self.paths) for name in path)]))
        self.problems: list[str] = []

    def model_file(self, path: Path, text: str, toml_path: Path) -> ModelFile:
        for key in self.content:
            if key not in _KEYS:
                self.problems.append(f"'{key}' is not a key of a description. {nearest(key, _KEYS)}".strip())
        title = self.wording(self.content, "title", "the description") or _UNSAID
        described = self.wording(self.content, "description", "the description", required=False)
        references = self.references()
        cited = {reference.doi for reference in references}
        constructs, items = self.constructs(cited)
        result = ModelFile(
            id=path.stem, title=title, description=described, text=text, constructs=constructs, items=items,
            scale=self.scale(), hypotheses=self.hypotheses(cited), rivals=self.rivals(), references=references,
            population=self.population([item.name for item in items]), path=path,
        )  # fmt: skip
        if self.problems:
            listed = "\n".join(f"  - {problem}" for problem in self.problems)
            raise ConfigurationError(f"{toml_path} does not describe {path.name}:\n{listed}")
        return result

    def constructs(self, cited: set[str]) -> tuple[tuple[Construct, ...], tuple[Item, ...]]:
        tables = {self.string(table, "code", "a construct"): table for table in self.tables(self.content, "constructs")}
        for code in tables:
            if code and code not in self.measured:
                self.problems.append(
                    f"construct {code} is not in the model text. {nearest(code, self.measured)}".strip()
                )
        constructs, items = [], []
        for code, indicators in self.measured.items():
            if code not in tables:
                self.problems.append(f"construct {code} of the model text is not described.")
                continue
            table, where = tables[code], f"construct {code}"
            names = tuple(name for name in indicators if name not in self.measured)
            questions = self.table(table, "items", where) if names else {}
            for name in questions:
                if name not in names:
                    known = ", ".join(names)
                    self.problems.append(f"{where}: the model text has no item {name} for it; it has {known}.")
            for name in names:
                wording = self.wording(questions, name, f"{where}, items") or _UNSAID
                question = questions.get(name)
                reverse = question.get("reverse", False) if isinstance(question, Mapping) else False
                if not isinstance(reverse, bool):
                    self.problems.append(f"item {name}: reverse must be true or false, not {reverse!r}.")
                items.append(Item(name, code, wording, bool(reverse)))
            label = self.wording(table, "label", where) or _UNSAID
            definition = self.wording(table, "definition", where, required=False)
            constructs.append(Construct(code, label, definition, self.sources(table, "scale", where, cited), names))
        return tuple(constructs), tuple(items)

    def hypotheses(self, cited: set[str]) -> tuple[Hypothesis, ...]:
        found: list[Hypothesis] = []
        for table in self.tables(self.content, "hypotheses"):
            id = self.string(table, "id", "a hypothesis")
            where = f"hypothesis {id}"
            if any(other.id == id for other in found):
                self.problems.append(f"{where} is there twice.")
            steps = self.steps(self.string(table, "path", where), where)
            sign = self.string(table, "sign", where)
            if sign not in ("+", "-", ""):
                self.problems.append(f"{where}: sign must be '+' or '-', not {sign!r}.")
            effect = self.string(table, "effect", where, required=len(steps) > 2)
            if effect and effect not in self.defined:
                hint = nearest(effect, self.defined)
                self.problems.append(f"{where}: the model text does not define {effect} with ':='. {hint}".strip())
            text = self.wording(table, "text", where) or _UNSAID
            found.append(Hypothesis(id, steps, sign, text, self.sources(table, "sources", where, cited), effect))
        return tuple(found)

    def steps(self, path: str, where: str) -> tuple[str, ...]:
        """Return the constructs of "A -> B -> C", each step of which must be a path of the model text."""
        steps = tuple(part.strip() for part in path.split("->")) if path else ()
        if path and len(steps) < 2:
            self.problems.append(f"{where}: path must read like 'SAT -> LOY', not {path!r}.")
        unknown = [name for name in steps if name not in self.variables]
        for name in unknown:
            hint = nearest(name, self.variables)
            self.problems.append(f"{where}: {name!r} is not a construct of the model text. {hint}".strip())
        if not unknown:
            for cause, outcome in pairwise(steps):
                if (cause, outcome) not in self.paths:
                    self.problems.append(f"{where}: the model text has no path {cause} -> {outcome}.")
        return steps

    def rivals(self) -> tuple[Rival, ...]:
        rivals = []
        for table in self.tables(self.content, "rivals"):
            id = self.string(table, "id", "a rival")
            structure = self.string(table, "structure", f"rival {id}")
            for statement in parse(structure).statements:
                for name in (statement.lhs, statement.rhs.name):
                    if statement.op == "~" and name not in self.variables:
                        self.problems.append(f"rival {id}: {name!r} is not a construct of the model text.")
            rivals.append(Rival(id, self.wording(table, "title", f"rival {id}") or _UNSAID, structure))
        return tuple(rivals)

    def references(self) -> tuple[Reference, ...]:
        references = []
        for table in self.tables(self.content, "references"):
            doi = self.string(table, "doi", "a reference")
            where = f"reference {doi}"
            if doi and not _DOI.fullmatch(doi):
                self.problems.append(f"{where}: not a DOI; write it as 10.1177/002224298805200302, without an address.")
            year = table.get("year")
            if not isinstance(year, int) or isinstance(year, bool):
                self.problems.append(f"{where}: year must be a whole number, not {year!r}.")
                year = 0
            authors, title, journal = (self.string(table, key, where) for key in ("authors", "title", "journal"))
            references.append(Reference(doi, authors, year, title, journal))
        return tuple(references)

    def scale(self) -> Scale | None:
        if "scale" not in self.content:
            return None
        table = self.table(self.content, "scale", "the description")
        ends = [table.get(key) for key in ("minimum", "maximum")]
        lowest, highest = (end if isinstance(end, int) and not isinstance(end, bool) else 0 for end in ends)
        if lowest >= highest:
            self.problems.append(f"scale: minimum and maximum must be whole numbers that increase, not {ends}.")
        low, high = (self.wording(table, key, "scale") or _UNSAID for key in ("low", "high"))
        return Scale(lowest, highest, low, high)

    def population(self, items: list[str]) -> Population | None:
        if "population" not in self.content:
            return None
        table = self.table(self.content, "population", "the description")
        paths = self.path_values(table, "population")
        for cause, outcome in sorted(self.paths - set(paths)):
            self.problems.append(f"population: no value for the path {cause} -> {outcome}.")
        loadings = self.numbers(self.table(table, "loadings", "population"), "population, loadings")
        shift = self.numbers(self.table(table, "shift", "population", required=False), "population, shift")
        for name in items:
            if name not in loadings:
                self.problems.append(f"population: no loading for item {name}.")
        for name in (*loadings, *shift):
            if name not in items:
                self.problems.append(f"population: {name!r} is not an item. {nearest(name, items)}".strip())
        for name, loading in loadings.items():
            if abs(loading) >= 1:
                self.problems.append(f"population: the loading of {name} is {loading}; it must lie between -1 and 1.")
        cuts = table.get("thresholds")
        given = cuts if isinstance(cuts, list) else []
        thresholds = tuple(float(cut) for cut in given if isinstance(cut, (int, float)))
        if not thresholds or len(thresholds) < len(given) or list(thresholds) != sorted(set(thresholds)):
            self.problems.append("population: thresholds must be a list of increasing numbers.")
        groups = tuple(
            PopulationGroup(
                self.string(group, "label", "a group"), MappingProxyType(self.path_values(group, "a group"))
            )
            for group in self.tables(table, "groups")
        )
        return Population(
            MappingProxyType(paths), MappingProxyType(loadings), thresholds, MappingProxyType(shift), groups
        )

    def path_values(self, table: Mapping[str, object], where: str) -> dict[tuple[str, str], float]:
        values = {}
        for path, value in self.numbers(self.table(table, "paths", where), f"{where}, paths").items():
            steps = self.steps(path, where)
            if len(steps) == 2:
                values[steps[0], steps[1]] = value
        return values

    def table(
        self, table: Mapping[str, object], key: str, where: str, *, required: bool = True
    ) -> Mapping[str, object]:
        value = table.get(key)
        if isinstance(value, Mapping):
            return value
        if required or value is not None:
            self.problems.append(f"{where}: {key} must be a table.")
        return {}

    def tables(self, table: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
        value = table.get(key, [])
        if isinstance(value, list) and all(isinstance(entry, Mapping) for entry in value):
            return value
        self.problems.append(f"{key} must be written as [[{key}]].")
        return []

    def string(self, table: Mapping[str, object], key: str, where: str, *, required: bool = True) -> str:
        value = table.get(key, "")
        if isinstance(value, str) and (value.strip() or not required):
            return value
        self.problems.append(f"{where}: {key} is missing." if not value else f"{where}: {key} must be a text.")
        return ""

    def wording(self, table: Mapping[str, object], key: str, where: str, *, required: bool = True) -> Wording | None:
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
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(doi, str) for doi in value):
            self.problems.append(f"{where}: {key} must be a list of DOIs.")
            return ()
        for doi in value:
            if doi not in cited:
                self.problems.append(f"{where}: {doi} is not among the references. {nearest(doi, cited)}".strip())
        return tuple(value)

    def numbers(self, table: Mapping[str, object], where: str) -> dict[str, float]:
        values = {}
        for key, value in table.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                self.problems.append(f"{where}: {key} must be a number, not {value!r}.")
            else:
                values[key] = float(value)
        return values
