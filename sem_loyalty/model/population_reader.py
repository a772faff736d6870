"""Reading the population of a description: every free parameter of the model must have a value."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from sem_loyalty.errors import SemLoyaltyError, nearest
from sem_loyalty.model.defaults import specify
from sem_loyalty.model.fields import Fields
from sem_loyalty.model.model_file import Grouping
from sem_loyalty.model.population import Population, PopulationGroup
from sem_loyalty.model.roles import roles
from sem_loyalty.model.spec import Specification
from sem_loyalty.model.syntax import ModelText

_KEYS = (
    "nobs", "thresholds", "shift", "paths", "loadings", "covariances", "correlation", "repeated", "groups", "text",
)  # fmt: skip
_STATED = 500
_K = TypeVar("_K")
_V = TypeVar("_V")


class PopulationReader(Fields):
    """One population being read; `problems` collects what is wrong.

    Parameters
    ----------
    model : ModelText
        What the population must have a value for.
    table : mapping
        The description's population.
    pooled : mapping
        Thresholds, loadings and shifts of the pool's items, for what the description does not say itself.
    products : mapping of str to (str, str)
        Product constructs; what concerns their indicators follows from the population of their factors.
    grouping : Grouping or None
        Groups of a multi-group model.
    """

    def __init__(
        self,
        model: ModelText,
        table: Mapping[str, object],
        pooled: Mapping[str, object],
        products: Mapping[str, tuple[str, str]],
        grouping: Grouping | None,
    ) -> None:
        super().__init__()
        self.model = model
        self.given = table
        self.pooled = pooled
        self.products = products
        self.levels = grouping.levels if grouping is not None else ("",)
        role = roles(model.statements)
        self.paths = {(s.rhs.name, s.lhs) for s in model.statements if s.op == "~"}
        self.exogenous = set(role.exogenous_latent) - set(products)
        self.known = {*role.latent, *role.observed}
        measured = [s for s in model.statements if s.op == "=~" and s.lhs not in products]
        self.items = list(dict.fromkeys(s.rhs.name for s in measured if s.rhs.name not in role.latent))
        self.measuring = list(dict.fromkeys(s.rhs.name for s in measured))
        self.doubly = [name for name in self.measuring if sum(s.rhs.name == name for s in measured) > 1]

    def population(self) -> Population:
        """Return the population; what is wrong with it is in `problems`."""
        for key in self.given:
            if key not in _KEYS:
                self.problems.append(f"population: '{key}' is not a key. {nearest(key, _KEYS)}".strip())
        nobs = self.given.get("nobs", _STATED)
        if not isinstance(nobs, int) or isinstance(nobs, bool) or nobs < 2:
            self.problems.append(f"population: nobs must be a whole number above 1, not {nobs!r}.")
            nobs = _STATED
        thresholds, shift = self.thresholds(), self.shift()
        if "text" in self.given:
            text = self.string(self.given, "text", "population")
            self.check_text(text)
            return Population(nobs, _frozen({}), _frozen({}), _frozen({}), thresholds, shift, (), text)
        specification = self.specified(self.model)
        paths = self.path_values(self.given, "population")
        for cause, outcome in sorted(self.paths - set(paths)):
            self.problems.append(f"population: no value for the path {cause} -> {outcome}.")
        return Population(
            nobs, _frozen(paths), _frozen(self.loadings()), _frozen(self.covariances(specification)), thresholds, shift,
            self.groups(),
        )  # fmt: skip

    def specified(self, model: ModelText) -> Specification | None:
        """Return the completed model, or None and a problem."""
        try:
            return specify(model, groups=self.levels)
        except SemLoyaltyError as error:
            self.problems.append(f"population: the model cannot be completed: {error}")
            return None

    def thresholds(self) -> tuple[float, ...]:
        """Return the cuts: the description's, else the pool's."""
        cuts = self.given.get("thresholds", self.pooled.get("thresholds"))
        given = cuts if isinstance(cuts, list) else []
        thresholds = tuple(float(cut) for cut in given if isinstance(cut, (int, float)))
        if not thresholds or len(thresholds) < len(given) or list(thresholds) != sorted(set(thresholds)):
            self.problems.append("population: thresholds must be a list of increasing numbers.")
        return thresholds

    def shift(self) -> Mapping[str, float]:
        """Return the shifts of the items: the description's before the pool's."""
        own = self.numbers(self.table(self.given, "shift", "population", required=False), "population, shift")
        self.must_be_known(own, self.items, "an item")
        pooled = self.table(self.pooled, "shift", "the pool", required=False)
        return _frozen({**self.numbers(_of(pooled, self.items), "the pool, shift"), **own})

    def loadings(self) -> dict[str, float]:
        """Return the loading of every item and construct that measures: the description's before the pool's."""
        own = self.numbers(
            self.table(self.given, "loadings", "population", required=not self.pooled), "population, loadings"
        )
        self.must_be_known(own, self.measuring, "an item")
        pooled = self.table(self.pooled, "loadings", "the pool", required=False)
        loadings = {**self.numbers(_of(pooled, self.measuring), "the pool, loadings"), **own}
        for name in self.doubly:
            self.problems.append(
                f"population: {name} measures several constructs; write the population as text, with every number."
            )
        for name in self.measuring:
            if name not in loadings:
                what = "item" if name in self.items else "construct"
                self.problems.append(f"population: no loading for {what} {name}.")
        for name, loading in loadings.items():
            if abs(loading) >= 1:
                self.problems.append(f"population: the loading of {name} is {loading}; it must lie between -1 and 1.")
        return {name: loadings[name] for name in self.measuring if name in loadings}

    def covariances(self, specification: Specification | None) -> dict[tuple[str, str], float]:
        """Return the value of every covariance of the completed model, and of those that are named beyond it."""
        values: dict[tuple[str, str], float] = {}
        table = self.table(self.given, "covariances", "population", required=False)
        for written, value in self.numbers(table, "population, covariances").items():
            names = [part.strip() for part in written.split("~~")]
            if len(names) != 2 or names[0] == names[1]:
                self.problems.append(f"population: a covariance reads like 'SAT ~~ TRU', not {written!r}.")
                continue
            self.must_be_known(dict.fromkeys(names, 0.0), self.known, "a variable of the model text")
            values[names[0], names[1]] = value
        common, repeated = (self.common(key) for key in ("correlation", "repeated"))
        for row in specification.parameters if specification is not None else ():
            pair = (row.lhs, row.rhs)
            if row.op != "~~" or row.lhs == row.rhs or row.free < 0 or not self.of_factors(pair):
                continue
            if pair in values or pair[::-1] in values:
                continue
            if set(pair) <= self.exogenous and common is not None:
                values[pair] = common
            elif self.same_question(pair) and repeated is not None:
                values[pair] = repeated
            else:
                self.problems.append(f"population: no value for the covariance {row.lhs} ~~ {row.rhs}.")
        return values

    def common(self, key: str) -> float | None:
        """Return the number under a key that stands for many covariances, or None."""
        return self.numbers(_of(self.given, [key]), "population").get(key)

    def same_question(self, pair: tuple[str, str]) -> bool:
        """Return whether both are the same question, in two waves of a panel."""
        one, other = (name.rpartition("_")[0] for name in pair)
        return bool(one) and one == other and set(pair) <= set(self.items)

    def of_factors(self, pair: tuple[str, str]) -> bool:
        """Return whether neither variable is a product or the indicator of one."""
        return not any(name in self.products or (name not in self.items and "." in name) for name in pair)

    def groups(self) -> tuple[PopulationGroup, ...]:
        """Return the groups, which must be those of the grouping."""
        groups = []
        for table in self.tables(self.given, "groups"):
            label = self.string(table, "label", "a group")
            means = self.numbers(self.table(table, "means", f"group {label}", required=False), f"group {label}, means")
            self.must_be_known(means, self.known, "a construct")
            paths = self.path_values(table, f"group {label}", required=not means)
            groups.append(PopulationGroup(label, _frozen(paths), _frozen(means)))
        labels = tuple(group.label for group in groups)
        if self.levels != ("",) and labels != self.levels:
            self.problems.append(
                f"population: its groups are {', '.join(labels) or 'none'}; grouping names {', '.join(self.levels)}."
            )
        return tuple(groups)

    def check_text(self, text: str) -> None:
        """Say which free parameters of the model the population's text gives no number."""
        try:
            stated = specify(text, groups=self.levels, fixed_x=False)
        except SemLoyaltyError as error:
            self.problems.append(f"population: its text cannot be read: {error}")
            return
        numbers = {(row.lhs, row.op, row.rhs, row.group) for row in stated.parameters if row.value is not None}
        numbers |= {(rhs, op, lhs, group) for lhs, op, rhs, group in numbers if op == "~~"}
        specification = self.specified(self.model)
        for row in specification.parameters if specification is not None else ():
            if row.free >= 0 and (row.lhs, row.op, row.rhs, row.group) not in numbers:
                self.problems.append(f"population: its text has no number for {row.name}.")

    def path_values(
        self, table: Mapping[str, object], where: str, *, required: bool = True
    ) -> dict[tuple[str, str], float]:
        """Return the numbers of the paths in a table."""
        values = {}
        written = self.table(table, "paths", where, required=required)
        for path, value in self.numbers(written, f"{where}, paths").items():
            cause, _, outcome = (part.strip() for part in path.partition("->"))
            if (cause, outcome) in self.paths:
                values[cause, outcome] = value
            else:
                self.problems.append(f"{where}: the model text has no path {path}.")
        return values

    def must_be_known(self, values: Mapping[str, float], known: list[str] | set[str], what: str) -> None:
        """Say which names are not known."""
        for name in values:
            if name not in known:
                self.problems.append(f"population: {name!r} is not {what}. {nearest(name, sorted(known))}".strip())


def _of(table: Mapping[str, object], names: list[str]) -> dict[str, object]:
    return {name: table[name] for name in names if name in table}


def _frozen(values: dict[_K, _V]) -> Mapping[_K, _V]:
    return MappingProxyType(values)
