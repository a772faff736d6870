"""Modifiers: what stands before "*" in a formula - fixed values, NA, labels, starting values and bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final

from sem_loyalty.errors import NotSupported, nearest
from sem_loyalty.model.expression import (
    FUNCTIONS,
    SIGN_BINDING,
    Binary,
    Expression,
    Name,
    format_constant,
    read_expression,
)
from sem_loyalty.model.tokens import Cursor, Token, is_reserved, quote, write_name

Entry = float | str | None


@dataclass(frozen=True, slots=True)
class Modifier:
    """What stands before ``*`` (or ``?``) in a formula. Places do not count when two are compared.

    Attributes
    ----------
    kind : str
        "fixed", "free" (every entry NA), "label", "start", "equal", "lower" or "upper".
    values : tuple of float, str or None
        One entry for all groups, or one per group from ``c()``; None is NA: free where the kind is "fixed",
        no label where it is "label". An entry of "equal" is a plain formula such as "f =~ x1".
    line, column : int
        Place in the source.
    """

    kind: str
    values: tuple[Entry, ...]
    line: int = field(default=1, compare=False)
    column: int = field(default=1, compare=False)


_ARGUMENT: Final = {"label": "text", "equal": "text", "start": "number", "lower": "number", "upper": "number"}

UNAVAILABLE: Final = {
    "efa": "an exploratory factor analysis has a function of its own, efa(data)",
    "rv": "random slopes need a multilevel model, and models here have one level",
    "prior": "estimation is not Bayesian; for a starting value write start(0.5)*x",
}
"""Modifiers of lavaan that models here do not have, with the reason."""


def read_factor(cursor: Cursor) -> str | float | Modifier:
    """Read a name, a constant or a modifier, up to the next "*", "?" or "+"."""
    token = cursor.peek()
    if token.kind == "name" and token.text == "NA":
        cursor.take()
        return Modifier("free", (None,), token.line, token.column)
    if cursor.calls():
        return _constant(cursor, SIGN_BINDING) if token.text in FUNCTIONS else _modifier_call(cursor)
    if token.kind in {"name", "string"}:
        return cursor.variable()
    if token.kind in {"number", "-", "("}:
        following = cursor.peek(1)
        if token.kind == "-" and following.kind in {"name", "string"} and cursor.peek(2).kind != "(":
            hint = f"Write + {following.text}. A fixed weight has its number: -1*{following.text}."
            raise cursor.error("'-' is not part of a formula", hint=hint)
        return _constant(cursor, SIGN_BINDING)
    raise cursor.unexpected("the name of a variable")


def _constant(cursor: Cursor, binding: int) -> float:
    """Read arithmetic on numbers; the binding of a sign leaves "*" to the caller, yet takes "/"."""
    token = cursor.peek()
    nodes = read_expression(cursor, binding).nodes
    while cursor.peek().kind == "/":
        cursor.take()
        nodes += (*read_expression(cursor, binding).nodes, Binary("/"))
    for node in nodes:
        if isinstance(node, Name):
            hint = (
                "A modifier is a number or one label; relate labels in a constraint, transform variables in the data."
            )
            raise cursor.error(f"the name '{node.name}' inside a constant", node, hint)
    return finite(cursor, token, float(Expression(nodes).evaluate({})))


def finite(cursor: Cursor, token: Token, value: float) -> float:
    """Return a finite value, or raise at its token."""
    if not math.isfinite(value):
        raise cursor.error("this constant is not a finite number", token)
    return value


def as_modifier(cursor: Cursor, token: Token, factor: str | float | Modifier, sign: str) -> Modifier:
    """Return what a factor means that `sign`, "*" or "?", follows."""
    if isinstance(factor, str):
        factor = Modifier("label", (_label(cursor, token, factor),), token.line, token.column)
    elif isinstance(factor, float):
        factor = Modifier("fixed", (factor,), token.line, token.column)
    if sign == "*":
        return factor
    if factor.kind != "fixed":
        raise cursor.error("'?' gives a starting value, which must be a number", token, "Write 0.5?x.")
    return replace(factor, kind="start")


def _label(cursor: Cursor, token: Token, text: str) -> str:
    if token.kind == "name" and is_reserved(text):
        raise cursor.error(f"'{text}' is neither a number nor a label", token, "To free a parameter write NA*.")
    if token.kind == "name" and ":" in text:
        raise cursor.error(f"'{text}' is an interaction, not a label", token, f'Quote it to use it as one: "{text}"*x.')
    return text


def not_available(token: Token) -> NotSupported:
    """Return the error for a function of lavaan that models here do not have."""
    place = f"Line {token.line}, column {token.column}"
    return NotSupported(f"{place}: {token.text}() is not available in a model: {UNAVAILABLE[token.text]}.")


def _modifier_call(cursor: Cursor) -> Modifier:
    name = cursor.take()
    if name.text in UNAVAILABLE:
        raise not_available(name)
    if name.text == "c":
        entries = _entries(cursor)
        wanted = ""
    elif name.text in _ARGUMENT:
        wanted = _ARGUMENT[name.text]
        if cursor.peek(1).text == "c" and cursor.peek(2).kind == "(":
            cursor.take()
            cursor.take()
            entries = _entries(cursor)
            cursor.expect(")")
        else:
            entries = _entries(cursor)
            if len(entries) > 1:
                hint = f"For several groups write {name.text}(c(..., ...))*x."
                raise cursor.error(f"{name.text}() takes one value", name, hint)
    else:
        known = ["c", *_ARGUMENT, *FUNCTIONS]
        hint = f"{nearest(name.text, known)} Known: {', '.join(f'{word}()' for word in known)}.".strip()
        raise cursor.error(f"unknown function '{name.text}'", name, hint)
    return _modifier(cursor, name, wanted, entries)


def _modifier(cursor: Cursor, name: Token, wanted: str, entries: list[tuple[Token, Entry]]) -> Modifier:
    # An empty text means "no label in this group".
    values = tuple(None if isinstance(value, str) and not value.strip() else value for _, value in entries)
    texts = [token for token, value in entries if isinstance(value, str)]
    numbers = [token for token, value in entries if isinstance(value, float)]
    if not wanted and texts and numbers:
        hint = "Give labels in one modifier and values in another: c(a, b)*c(0.5, NA)*x."
        raise cursor.error("c() mixes labels and numbers", numbers[0], hint)
    if wanted == "number" and texts:
        raise cursor.error(f"{name.text}() takes a number, not {texts[0]}", texts[0])
    if wanted == "text" and not texts:
        hint = f'Write {name.text}("{"f =~ x1" if name.text == "equal" else "a"}")*x.'
        raise cursor.error(f"{name.text}() takes a text in quotes", entries[0][0], hint)
    if wanted == "text" and numbers:
        raise cursor.error(f"{name.text}() takes a text in quotes, not {numbers[0]}", numbers[0])
    if texts and not any(values):
        raise cursor.error("an empty label", texts[0], "Leave the modifier out, or write NA* to free a parameter.")
    kind = name.text if wanted else "label" if texts else "fixed" if numbers else "free"
    return Modifier(kind, values, name.line, name.column)


def _entries(cursor: Cursor) -> list[tuple[Token, Entry]]:
    """Read "(entry, entry, ...)": texts, labels, NA and constants."""
    cursor.expect("(")
    entries: list[tuple[Token, Entry]] = []
    while True:
        token = cursor.peek()
        value: Entry = None
        if token.kind == "string":
            value = cursor.take().text
        elif token.kind == "name" and not cursor.calls():
            cursor.take()
            value = None if token.text == "NA" else _label(cursor, token, token.text)
        elif token.kind == ")":
            raise cursor.error("a value is missing before ')'")
        else:
            value = _constant(cursor, 0)
        entries.append((token, value))
        if cursor.peek().kind != ",":
            break
        cursor.take()
    if cursor.peek().kind != ")":
        raise cursor.unexpected("',' or ')'")
    cursor.take()
    return entries


def joined(cursor: Cursor, first: tuple[Modifier, ...], more: tuple[Modifier, ...]) -> tuple[Modifier, ...]:
    """Return two runs of modifiers as one; a term has at most one of each kind, and is not both fixed and free."""
    taken = {"fixed" if modifier.kind == "free" else modifier.kind for modifier in first}
    for modifier in more:
        if ("fixed" if modifier.kind == "free" else modifier.kind) in taken:
            message = f"a second {'fixed value' if modifier.kind in {'fixed', 'free'} else modifier.kind} for one term"
            raise cursor.error(message, modifier, "For several groups write c(..., ...)*x.")
    return first + more


def write_modifier(modifier: Modifier) -> str:
    """Return a modifier as it is written before "*"."""

    def entry(value: Entry) -> str:
        if value is None:
            return "NA"
        if isinstance(value, str):
            return write_name(value) if modifier.kind == "label" else quote(value)
        return format_constant(value)

    values = [entry(value) for value in modifier.values]
    listed = values[0] if len(values) == 1 else f"c({', '.join(values)})"
    return listed if modifier.kind in {"fixed", "free", "label"} else f"{modifier.kind}({listed})"
