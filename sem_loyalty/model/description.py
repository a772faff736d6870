"""Reading the description of a model (.toml) against its text (.lav): everything that is wrong is said at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from sem_loyalty.errors import ConfigurationError, nearest
from sem_loyalty.model.fields import UNSAID, Fields
from sem_loyalty.model.model_file import (
    Construct,
    Grouping,
    Hypothesis,
    Item,
    ModelFile,
    Reference,
    Rival,
    Scale,
    Wording,
)
from sem_loyalty.model.pool import POOL_FILE, library_pool
from sem_loyalty.model.population import Population
from sem_loyalty.model.population_reader import PopulationReader
from sem_loyalty.model.syntax import ModelText, parse

_KEYS = (
    "title", "description", "pool", "waves", "constructs", "products", "grouping", "scale", "hypotheses", "rivals",
    "references", "population", "expectations",
)  # fmt: skip


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


class _Reader(Fields):
    """One description being read; `problems` collects what is wrong."""

    def __init__(self, content: Mapping[str, object], model: ModelText, measured: dict[str, list[str]]) -> None:
        super().__init__()
        self.content = content
        self.model = model
        self.measured = measured
        self.paths = {(s.rhs.name, s.lhs) for s in model.statements if s.op == "~"}
        self.defined = [definition.name for definition in model.definitions]
        self.variables = list(dict.fromkeys([*measured, *(name for path in sorted(self.paths) for name in path)]))
        self.pool = library_pool()

    def model_file(self, path: Path, text: str, toml_path: Path) -> ModelFile:
        for key in self.content:
            if key not in _KEYS:
                self.problems.append(f"'{key}' is not a key of a description. {nearest(key, _KEYS)}".strip())
        title = self.wording(self.content, "title", "the description") or UNSAID
        described = self.wording(self.content, "description", "the description", required=False)
        own = self.references(self.content)
        cited = {**self.pool.references, **own}
        products = self.products()
        constructs, items = self.constructs(cited, products)
        grouping = self.grouping()
        result = ModelFile(
            id=path.stem, title=title, description=described, text=text, constructs=constructs, items=items,
            scale=self.scale(), hypotheses=self.hypotheses(cited), rivals=self.rivals(cited),
            references=self.cited_works(own),
            population=self.population(products, grouping), path=path,
            products=MappingProxyType(products), grouping=grouping, waves=self.waves(),
            expectations=self.expectations(items),
        )  # fmt: skip
        if self.problems:
            listed = "\n".join(f"  - {problem}" for problem in self.problems)
            raise ConfigurationError(f"{toml_path} does not describe {path.name}:\n{listed}")
        return result

    def cited_works(self, own: Mapping[str, Reference]) -> tuple[Reference, ...]:
        """Return the description's references and, sorted by author, those of the pool that it cites."""
        pooled = [work for doi, work in self.pool.references.items() if doi in self.used and doi not in own]
        return (*own.values(), *sorted(pooled, key=lambda work: (work.authors.casefold(), work.year)))

    def waves(self) -> tuple[Wording, ...]:
        if "waves" not in self.content:
            return ()
        tables = self.tables(self.content, "waves")
        return tuple(self.wording({"wave": table}, "wave", "waves") or UNSAID for table in tables)

    def products(self) -> dict[str, tuple[str, str]]:
        """Return the two factors of each product construct, its indicators checked to be products of their items."""
        products = {}
        table = self.table(self.content, "products", "the description", required=False)
        for code in table:
            where = f"product {code}"
            factors = self.names(table, code, where)
            unknown = [name for name in (code, *factors) if name not in self.measured]
            if unknown or len(factors) != 2:
                listed = ", ".join(map(repr, unknown))
                hint = f"{listed} is not a construct of the model text." if unknown else "write it of two constructs."
                self.problems.append(f"{where}: {hint}")
                continue
            allowed = {f"{x}.{y}" for x in self.measured[factors[0]] for y in self.measured[factors[1]]}
            for name in self.measured[code]:
                if name not in allowed:
                    hint = nearest(name, allowed)
                    self.problems.append(f"{where}: {name} is not an item of {factors[0]} and one of {factors[1]} "
                                         f"with a dot between. {hint}".strip())  # fmt: skip
            products[code] = (factors[0], factors[1])
        return products

    def grouping(self) -> Grouping | None:
        if "grouping" not in self.content:
            return None
        table = self.table(self.content, "grouping", "the description")
        column = self.string(table, "column", "grouping")
        levels = self.names(table, "levels", "grouping")
        if len(levels) < 2:
            self.problems.append("grouping: levels must name at least two groups.")
        said = self.table(table, "level_labels", "grouping", required=False)
        for name in said:
            if name not in levels:
                self.problems.append(f"grouping: {name} is not among the levels. {nearest(name, levels)}".strip())
        labels = [
            (self.wording(said, level, "grouping, level_labels") or UNSAID) if said else Wording(level, level)
            for level in levels
        ]
        return Grouping(column, self.wording(table, "label", "grouping") or UNSAID, tuple(levels), tuple(labels))

    def expectations(self, items: tuple[Item, ...]) -> tuple[Item, ...]:
        """Return the questions about expectations, in the order of the items that they belong to."""
        table = self.table(self.content, "expectations", "the description", required=False)
        known = {item.name: item for item in items}
        for name in table:
            if name not in known:
                self.problems.append(f"expectations: {name} is not an item. {nearest(name, known)}".strip())
            elif known[name].reverse:
                self.problems.append(f"expectations: {name} is reverse-worded; a gap needs both worded alike.")
        return tuple(
            Item(f"{item.name}_e", item.construct, self.wording(table, item.name, "expectations") or UNSAID, False)
            for item in items
            if item.name in table
        )

    def described(self) -> dict[str, Mapping[str, object]]:
        """Return the table of every construct that the description defines or draws from the pool."""
        own = {self.string(table, "code", "a construct"): table for table in self.tables(self.content, "constructs")}
        for code in own:
            if code and code not in self.measured:
                self.problems.append(
                    f"construct {code} is not in the model text. {nearest(code, self.measured)}".strip()
                )
        drawn: dict[str, Mapping[str, object]] = {}
        for code in self.names(self.content, "pool", "the description"):
            if code not in self.pool.constructs:
                known = ", ".join(self.pool.constructs)
                hint = f"{nearest(code, self.pool.constructs)} It has: {known}.".strip()
                self.problems.append(f"pool: {POOL_FILE} has no construct {code!r}. {hint}")
                continue
            tables = self.pool.drawn(code, self.waves())
            found = {name: table for name, table in tables.items() if name in self.measured}
            if not found:
                named = " or ".join(tables)
                self.problems.append(f"pool: the model text does not measure {named}, so {code} cannot be drawn.")
            for name in set(found).intersection(own):
                self.problems.append(f"construct {name} is both defined and drawn from the pool; keep one.")
            drawn |= found
        return {**drawn, **own}

    def constructs(
        self, cited: Mapping[str, Reference], products: Mapping[str, tuple[str, str]]
    ) -> tuple[tuple[Construct, ...], tuple[Item, ...]]:
        tables = self.described()
        pooled = set(self.pool.drawn_codes(self.content.get("pool"), self.waves()))
        found: dict[str, Construct] = {}
        items: list[Item] = []
        for code, indicators in self.measured.items():
            where = f"construct {code}"
            if code not in tables:
                if code not in products:
                    hint = nearest(code, self.pool.constructs, label="The pool has")
                    self.problems.append(f"construct {code} of the model text is not described. {hint}".strip())
                continue
            table = tables[code]
            questioned = code not in products
            names = tuple(name for name in indicators if questioned and name not in self.measured)
            questions = self.table(table, "items", where) if names else {}
            for name in questions if code not in pooled else ():
                if name not in names:
                    known = ", ".join(names)
                    self.problems.append(f"{where}: the model text has no item {name} for it; it has {known}.")
            for name in names:
                if code in pooled and name not in questions:
                    known = ", ".join(questions)
                    self.problems.append(f"{where}: the pool has no item {name} for it; it has {known}.")
                    continue
                wording = self.wording(questions, name, f"{where}, items") or UNSAID
                question = questions.get(name)
                reverse = question.get("reverse", False) if isinstance(question, Mapping) else False
                if not isinstance(reverse, bool):
                    self.problems.append(f"item {name}: reverse must be true or false, not {reverse!r}.")
                items.append(Item(name, code, wording, bool(reverse)))
            label = self.wording(table, "label", where) or UNSAID
            definition = self.wording(table, "definition", where, required=False)
            found[code] = Construct(code, label, definition, self.sources(table, "scale", where, cited), names)
        for code, (first, second) in products.items():
            if code not in found and first in found and second in found:
                found[code] = _product_of(code, found[first], found[second])
        return tuple(found[code] for code in self.measured if code in found), tuple(items)

    def hypotheses(self, cited: Mapping[str, Reference]) -> tuple[Hypothesis, ...]:
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
            text = self.wording(table, "text", where) or UNSAID
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

    def rivals(self, cited: Mapping[str, Reference]) -> tuple[Rival, ...]:
        rivals = []
        for table in self.tables(self.content, "rivals"):
            id = self.string(table, "id", "a rival")
            structure = self.string(table, "structure", f"rival {id}")
            statements = parse(structure).statements
            known = {*self.variables, *(statement.lhs for statement in statements if statement.op == "=~")}
            for statement in statements:
                for name in (statement.lhs, statement.rhs.name):
                    if statement.op == "~" and name not in known:
                        self.problems.append(f"rival {id}: {name!r} is not a construct of the model text.")
            title = self.wording(table, "title", f"rival {id}") or UNSAID
            rivals.append(Rival(id, title, structure, self.sources(table, "sources", f"rival {id}", cited)))
        return tuple(rivals)

    def scale(self) -> Scale | None:
        source = self.content if "scale" in self.content or "pool" not in self.content else self.pool.content
        if "scale" not in source:
            return None
        table = self.table(source, "scale", "the description")
        ends = [table.get(key) for key in ("minimum", "maximum")]
        lowest, highest = (end if isinstance(end, int) and not isinstance(end, bool) else 0 for end in ends)
        if lowest >= highest:
            self.problems.append(f"scale: minimum and maximum must be whole numbers that increase, not {ends}.")
        low, high = (self.wording(table, key, "scale") or UNSAID for key in ("low", "high"))
        return Scale(lowest, highest, low, high)

    def population(self, products: Mapping[str, tuple[str, str]], grouping: Grouping | None) -> Population | None:
        if "population" not in self.content:
            return None
        given = self.table(self.content, "population", "the description")
        pooled = self.pool.population(self.waves()) if "pool" in self.content else {}
        reader = PopulationReader(self.model, given, pooled, products, grouping)
        population = reader.population()
        self.problems += reader.problems
        return population


def _product_of(code: str, first: Construct, second: Construct) -> Construct:
    """Return the construct that stands for the product of two others."""
    if first is second:
        label = Wording(f"{first.label.en} squared", f"{first.label.zh}的平方")
    else:
        label = Wording(f"{first.label.en} × {second.label.en}", f"{first.label.zh} × {second.label.zh}")
    return Construct(code, label, None, (), ())
