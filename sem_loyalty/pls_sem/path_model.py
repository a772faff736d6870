"""From a model text to a path model of composites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sem_loyalty.errors import ConfigurationError, NotSupported, SpecificationError, check_choice, nearest
from sem_loyalty.model.syntax import ModelText, Statement
from sem_loyalty.pls_sem.design import Design

MODES = ("A", "B")


@dataclass(frozen=True, slots=True, eq=False)
class PathModel:
    """A path model of composites with its names.

    Attributes
    ----------
    constructs : tuple of str, length J
        In the order of the model; an observed variable in a path is a construct of one item.
    items : tuple of str, length p
        Observed variables.
    design : Design
    notes : tuple of str
        What the text says that partial least squares has no place for.
    """

    constructs: tuple[str, ...]
    items: tuple[str, ...]
    design: Design
    notes: tuple[str, ...]

    def block(self, construct: str) -> tuple[str, ...]:
        """Return the items of a construct."""
        own = self.design.entries(self.constructs.index(construct))
        return tuple(self.items[i] for i in self.design.item[own])


def path_model(text: ModelText, *, modes: dict[str, str] | None = None) -> PathModel:
    """Return the path model that a text describes.

    Parameters
    ----------
    text : ModelText
        `=~` measures a construct reflectively (mode A, a common factor behind its items), `<~` forms it from its
        items (mode B, a composite); `~` are paths.
    modes : dict of str to {"A", "B"}, optional
        Mode by construct, against those defaults. A construct that is a common factor stays one.

    Raises
    ------
    SpecificationError
        Loops, a construct without paths, or one measured twice.
    NotSupported
        Fixed or equal parameters, intercepts, constraints, or constructs measured by constructs.
    ConfigurationError
        `modes` names no construct, or no mode.
    """
    _refuse(text)
    blocks: dict[str, list[str]] = {}
    formative: set[str] = set()
    for s in text.statements:
        if s.op in ("=~", "<~"):
            blocks.setdefault(s.lhs, []).append(s.rhs.name)
            if s.op == "<~":
                formative.add(s.lhs)
    both = [name for name in formative if any(s.op == "=~" and s.lhs == name for s in text.statements)]
    if both:
        raise SpecificationError(f"{both[0]} is measured by `=~` and formed by `<~`; a construct is one or the other.")
    higher = [name for name, items in blocks.items() if set(items) & set(blocks)]
    if higher:
        raise NotSupported(
            f"{higher[0]} is measured by constructs; write the second order through its items, or fit it in two stages."
        )
    for s in text.statements:
        if s.op == "~":
            for name in (s.lhs, s.rhs.name):
                blocks.setdefault(name, [name])
    constructs = tuple(blocks)
    position = {name: j for j, name in enumerate(constructs)}
    path = np.zeros((len(constructs), len(constructs)), dtype=bool)
    for s in text.statements:
        if s.op == "~":
            path[position[s.lhs], position[s.rhs.name]] = True
    _check_paths(constructs, path)
    chosen = np.array([name in formative for name in constructs])
    for name, mode in (modes or {}).items():
        if name not in position:
            raise ConfigurationError(
                f"modes names {name!r}, which is no construct. {nearest(name, constructs)}".strip()
            )
        check_choice("modes", mode, MODES)
        chosen[position[name]] = mode == "B"
    items = tuple(dict.fromkeys(item for own in blocks.values() for item in own))
    where = {item: i for i, item in enumerate(items)}
    design = Design(
        item=np.array([where[item] for own in blocks.values() for item in own], dtype=np.intp),
        construct=np.array([position[name] for name, own in blocks.items() for _ in own], dtype=np.intp),
        mode_b=chosen,
        common=np.array([name not in formative and len(own) > 1 for name, own in blocks.items()]),
        path=path,
    )
    covariances = [f"{s.lhs} ~~ {s.rhs.name}" for s in text.statements if s.op == "~~"]
    notes = (f"Without effect on composites: {', '.join(covariances)}.",) if covariances else ()
    return PathModel(constructs, items, design, notes)


def _refuse(text: ModelText) -> None:
    """Raise for what partial least squares does not have."""
    if text.constraints:
        raise NotSupported("Partial least squares has no constraints; leave out `==`, `<` and `>`.")
    for s in text.statements:
        if s.op in ("|", "~*~", "~1"):
            raise NotSupported(f"Partial least squares has no intercepts or thresholds; leave out {_shown(s)}.")
        if s.op != "~~" and any(m.kind not in ("label", "start") for m in s.rhs.modifiers):
            raise NotSupported(f"Partial least squares estimates every weight and path; {_shown(s)} has a modifier.")


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
