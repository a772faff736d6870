"""Changes to a model text: a path dropped or turned round, constructs merged, loadings held equal, an item left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sem_loyalty.model.modifiers import Modifier
from sem_loyalty.model.syntax import ModelText, Statement, Term

ZERO = Modifier("fixed", (0.0,))
ONE = Modifier("fixed", (1.0,))


def has(text: ModelText, lhs: str, op: str, rhs: str) -> bool:
    """Return whether the text writes a parameter, a covariance in either order."""
    return any(_is(statement, lhs, op, rhs) for statement in text.statements)


def _is(statement: Statement, lhs: str, op: str, rhs: str) -> bool:
    if statement.op != op:
        return False
    pair = (statement.lhs, statement.rhs.name)
    return pair == (lhs, rhs) or (op == "~~" and pair == (rhs, lhs))


def with_zero_path(text: ModelText, lhs: str, rhs: str) -> ModelText:
    """Return the text with a path fixed at zero, so that no default takes its place."""
    made = [
        replace(entry, rhs=replace(entry.rhs, modifiers=(ZERO,))) if _is(entry, lhs, "~", rhs) else entry
        for entry in text.statements
    ]
    return _kept(text, made)


def with_open_order(text: ModelText, lhs: str, rhs: str) -> ModelText:
    """Return the text with a covariance in place of a path."""
    kept = [entry for entry in text.statements if not _is(entry, lhs, "~", rhs) and not _is(entry, lhs, "~~", rhs)]
    return _kept(text, _before_blocks(kept, Statement("~~", lhs, Term(rhs))))


def without(text: ModelText, lhs: str, op: str, rhs: str) -> ModelText:
    """Return the text without a parameter, and without the definitions and constraints that speak of its label."""
    return _kept(text, [entry for entry in text.statements if not _is(entry, lhs, op, rhs)])


def without_item(text: ModelText, item: str) -> ModelText:
    """Return the text without an observed variable."""
    return _kept(text, [entry for entry in text.statements if item not in (entry.lhs, entry.rhs.name)])


def with_zero(text: ModelText, lhs: str, rhs: str) -> ModelText:
    """Return the text with a variance or covariance fixed at zero."""
    kept = [entry for entry in text.statements if not _is(entry, lhs, "~~", rhs)]
    return _kept(text, _before_blocks(kept, Statement("~~", lhs, Term(rhs, (ZERO,)))))


def turned(text: ModelText, lhs: str, rhs: str) -> ModelText | None:
    """Return the text with `lhs ~ rhs` written as `rhs ~ lhs`; None where that closes a circle."""
    made = [
        replace(entry, lhs=entry.rhs.name, rhs=replace(entry.rhs, name=entry.lhs))
        if _is(entry, lhs, "~", rhs)
        else entry
        for entry in text.statements
    ]
    return None if circular(made) else _kept(text, made)


def with_equal_loadings(text: ModelText, latent: str) -> ModelText:
    """Return the text with all loadings of a construct fixed at 1; its variance must be free."""
    return _kept(
        text,
        [
            replace(entry, rhs=replace(entry.rhs, modifiers=(ONE,)))
            if entry.op == "=~" and entry.lhs == latent
            else entry
            for entry in text.statements
        ],
    )


def merged(text: ModelText, kept: str, dropped: str) -> ModelText | None:
    """Return the text with two constructs made one, under the name of the first; None where that closes a circle.

    What both did is written once, and paths and covariances between the two go. Fixed loadings of the second are freed,
    since the merged construct needs one scale only.
    """
    found: dict[tuple[str, str, str, str], Statement] = {}
    for entry in text.statements:
        term = entry.rhs
        if entry.op == "=~" and entry.lhs == dropped:
            term = replace(term, modifiers=tuple(m for m in term.modifiers if m.kind != "fixed"))
        lhs = kept if entry.lhs == dropped else entry.lhs
        name = kept if term.name == dropped else term.name
        if {entry.lhs, entry.rhs.name} == {kept, dropped} or (entry.op == "~~" and entry.lhs == name == dropped):
            continue
        first, second = sorted((lhs, name)) if entry.op == "~~" else (lhs, name)
        made = replace(entry, lhs=lhs, rhs=replace(term, name=name))
        found.setdefault((first, entry.op, second, entry.block), made)
    statements = list(found.values())
    return None if circular(statements) else _kept(text, statements)


def measurement_part(text: ModelText) -> ModelText:
    """Return the text with loadings and residual covariances of items alone: all constructs covary."""
    latent = {entry.lhs for entry in text.statements if entry.op == "=~"}
    kept = [
        entry
        for entry in text.statements
        if entry.op == "=~" or (entry.op == "~~" and not latent & {entry.lhs, entry.rhs.name})
    ]
    return _kept(text, kept)


def circular(statements: Iterable[Statement]) -> bool:
    """Return whether the paths lead from some variable back to itself."""
    causes: dict[str, set[str]] = {}
    for entry in statements:
        if entry.op == "~":
            causes.setdefault(entry.lhs, set()).add(entry.rhs.name)
    for name in causes:
        reached, waiting = set[str](), [name]
        while waiting:
            for cause in causes.get(waiting.pop(), ()):
                if cause == name:
                    return True
                if cause not in reached:
                    reached.add(cause)
                    waiting.append(cause)
    return False


def _before_blocks(statements: list[Statement], added: Statement) -> list[Statement]:
    """Return the statements with one more, before the first block of a group."""
    at = next((i for i, entry in enumerate(statements) if entry.block), len(statements))
    return [*statements[:at], added, *statements[at:]]


def _kept(text: ModelText, statements: list[Statement]) -> ModelText:
    """Return the text with other statements, and the definitions and constraints whose labels are still there."""
    known = {
        value
        for entry in statements
        for modifier in entry.rhs.modifiers
        if modifier.kind == "label"
        for value in modifier.values
    }
    definitions = []
    for definition in text.definitions:
        if set(definition.expression.names()) <= known:
            definitions.append(definition)
            known.add(definition.name)
    constraints = tuple(entry for entry in text.constraints if {*entry.lhs.names(), *entry.rhs.names()} <= known)
    return ModelText(tuple(statements), tuple(definitions), constraints)
