"""From the text of a model to a path model of composites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sem_loyalty.errors import ConfigurationError, NotSupported, SpecificationError, check_choice, nearest
from sem_loyalty.model.syntax import ModelText, Statement
from sem_loyalty.pls_sem.design import Design

MODES = ("A", "B")
PRODUCT = ":"


@dataclass(frozen=True, slots=True)
class Source:
    """What an item of a later stage is made of.

    Attributes
    ----------
    composites : tuple of int
        Positions among the constructs of the stage before: one for its composite, two for the product of two.
    item : int
        Position among the items of the stage before, where it is handed on; else -1.
    """

    composites: tuple[int, ...] = ()
    item: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class PathModel:
    """A path model of composites with its names.

    Attributes
    ----------
    constructs : tuple of str, length J
        In the order of the model; an observed variable in a path is a construct of one item.
    items : tuple of str, length p
        Observed variables; in a later stage also composites of the stage before and their products.
    design : Design
    notes : tuple of str
        What the text says that partial least squares has no place for.
    first : PathModel or None
        The stage before, whose composites are items of this one.
    sources : tuple of Source
        What every item is made of, where there is a stage before.
    """

    constructs: tuple[str, ...]
    items: tuple[str, ...]
    design: Design
    notes: tuple[str, ...] = ()
    first: PathModel | None = None
    sources: tuple[Source, ...] = ()

    @property
    def observed(self) -> tuple[str, ...]:
        """Items of the earliest stage: what the data must hold, and products of items ("a:b")."""
        return self.items if self.first is None else self.first.observed

    @property
    def multiplies(self) -> bool:
        """Whether a stage holds products of composites, which need respondents."""
        own = any(len(source.composites) == 2 for source in self.sources)
        return own or (self.first is not None and self.first.multiplies)

    def block(self, construct: str) -> tuple[str, ...]:
        """Return the items of a construct."""
        own = self.design.entries(self.constructs.index(construct))
        return tuple(self.items[i] for i in self.design.item[own])


@dataclass(frozen=True, slots=True)
class Draft:
    """A model as names.

    Attributes
    ----------
    blocks : dict of str to tuple of str
        Items, or dimensions, of every construct.
    formed : frozenset of str
        Constructs that their items form (`<~`).
    modes : dict of str to {"A", "B"}
    paths : tuple of (str, str)
        Cause and outcome.
    """

    blocks: dict[str, tuple[str, ...]]
    formed: frozenset[str]
    modes: dict[str, str]
    paths: tuple[tuple[str, str], ...]

    @property
    def higher(self) -> tuple[str, ...]:
        """Constructs measured by constructs."""
        return tuple(name for name, items in self.blocks.items() if set(items) & (set(self.blocks) - {name}))


def draft_of(text: ModelText, modes: dict[str, str] | None = None) -> tuple[Draft, tuple[str, ...]]:
    """Return what a text says as names, products of constructs among the causes, and notes on what has no effect."""
    _refuse(text)
    blocks: dict[str, list[str]] = {}
    formed: set[str] = set()
    for s in text.statements:
        if s.op in ("=~", "<~"):
            blocks.setdefault(s.lhs, []).append(s.rhs.name)
            if s.op == "<~":
                formed.add(s.lhs)
    both = [name for name in formed if any(s.op == "=~" and s.lhs == name for s in text.statements)]
    if both:
        raise SpecificationError(f"{both[0]} is measured by `=~` and formed by `<~`; a construct is one or the other.")
    paths = tuple(dict.fromkeys((s.rhs.name, s.lhs) for s in text.statements if s.op == "~"))
    for cause, outcome in paths:
        for name in (outcome, *cause.split(PRODUCT)):
            blocks.setdefault(name, [name])
    for name in modes or {}:
        if name not in blocks:
            raise ConfigurationError(f"modes names {name!r}, which is no construct. {nearest(name, blocks)}".strip())
    chosen = {name: (modes or {}).get(name, "B" if name in formed else "A") for name in blocks}
    for mode in chosen.values():
        check_choice("modes", mode, MODES)
    notes = []
    covariances = [f"{s.lhs} ~~ {s.rhs.name}" for s in text.statements if s.op == "~~"]
    if covariances:
        notes.append(f"Without effect on composites: {', '.join(covariances)}.")
    if text.definitions:
        names = ", ".join(one.name for one in text.definitions)
        notes.append(f"Not computed: {names}; total and indirect effects are listed in any case.")
    return Draft({k: tuple(v) for k, v in blocks.items()}, frozenset(formed), chosen, paths), tuple(notes)


def assemble(
    draft: Draft,
    notes: tuple[str, ...] = (),
    *,
    first: PathModel | None = None,
    sources: dict[str, Source] | None = None,
    composites: frozenset[str] = frozenset(),
) -> PathModel:
    """Return the arrays of a draft.

    Parameters
    ----------
    draft : Draft
    notes : tuple of str
    first : PathModel, optional
        The stage before.
    sources : dict of str to Source, optional
        Items by name, where there is a stage before.
    composites : frozenset of str
        Constructs that are no common factors although their items do not form them.

    Raises
    ------
    SpecificationError
        Loops, or a construct without paths.
    """
    constructs = tuple(draft.blocks)
    position = {name: j for j, name in enumerate(constructs)}
    path = np.zeros((len(constructs), len(constructs)), dtype=bool)
    for cause, outcome in draft.paths:
        path[position[outcome], position[cause]] = True
    _check_paths(constructs, path)
    items = tuple(dict.fromkeys(item for own in draft.blocks.values() for item in own))
    where = {item: i for i, item in enumerate(items)}
    design = Design(
        item=np.array([where[item] for own in draft.blocks.values() for item in own], dtype=np.intp),
        construct=np.array([position[name] for name, own in draft.blocks.items() for _ in own], dtype=np.intp),
        mode_b=np.array([draft.modes[name] == "B" for name in constructs]),
        common=np.array([name not in draft.formed | composites and len(own) > 1 for name, own in draft.blocks.items()]),
        path=path,
    )
    made = () if sources is None else tuple(sources[item] for item in items)
    return PathModel(constructs, items, design, notes, first, made)


def _refuse(text: ModelText) -> None:
    """Raise for what partial least squares does not have."""
    if text.constraints:
        raise NotSupported("Partial least squares has no constraints; leave out `==`, `<` and `>`.")
    for s in text.statements:
        if s.op in ("|", "~*~", "~1"):
            raise NotSupported(f"Partial least squares has no intercepts or thresholds; leave out {_shown(s)}.")
        if s.block:
            raise NotSupported("A path model has no `group:` blocks; `pls_mga` compares groups of respondents.")
        if s.op != "~~" and any(m.kind not in ("label", "start", "free") for m in s.rhs.modifiers):
            raise NotSupported(f"Partial least squares estimates every weight and path; {_shown(s)} has a modifier.")
    labels = [m.values[0] for s in text.statements if s.op != "~~" for m in s.rhs.modifiers if m.kind == "label"]
    twice = [label for label in dict.fromkeys(labels) if labels.count(label) > 1]
    if twice:
        raise NotSupported(f"Partial least squares holds no parameters equal; the label {twice[0]} stands twice.")


def _shown(statement: Statement) -> str:
    return f"{statement.lhs} {statement.op.replace('~1', '~ 1')} {statement.rhs.name}".strip()


def _check_paths(constructs: tuple[str, ...], path: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> None:
    """Raise where a construct stands alone or acts on itself."""
    alone = [name for j, name in enumerate(constructs) if not path[j].any() and not path[:, j].any()]
    if alone:
        raise SpecificationError(
            f"{', '.join(alone)}: no path leads to or from it, and its weights come from its neighbours. Add a path."
        )
    reach = path.astype(float)
    total = reach.copy()
    for _ in constructs:
        total = np.minimum(1.0, total @ reach + reach)
    looped = [name for j, name in enumerate(constructs) if total[j, j] > 0]
    if looped:
        raise SpecificationError(
            f"Partial least squares needs paths without loops; {', '.join(looped)} act on themselves."
        )
