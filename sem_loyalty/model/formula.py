"""Formulas: ``f =~ 1*x1 + x2``, read into one statement per parameter and written back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sem_loyalty.errors import ModelSyntaxError, NotSupported
from sem_loyalty.model.modifiers import (
    UNAVAILABLE,
    Modifier,
    as_modifier,
    finite,
    joined,
    not_available,
    read_factor,
    write_modifier,
)
from sem_loyalty.model.tokens import Cursor, Token, split_statements, tokenize, write_name


@dataclass(frozen=True, slots=True)
class Term:
    """A variable on the right of a formula with its modifiers; `name` is "" for an intercept, "t1" for a threshold."""

    name: str
    modifiers: tuple[Modifier, ...] = ()
    line: int = field(default=1, compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Statement:
    """One parameter that a formula names.

    Attributes
    ----------
    op : str
        "=~", "~", "~~", "~1" (an intercept: ``y ~ 1``; ``y ~ 0`` is one fixed to 0), "|", "<~" or "~*~".
    lhs : str
        The variable on the left.
    rhs : Term
        The variable on the right, with every modifier that the formula gives it.
    block : str
        The label after ``group:``, or "".
    line, column : int
        Place of the left-hand side in the source.
    """

    op: str
    lhs: str
    rhs: Term
    block: str = ""
    line: int = field(default=1, compare=False)
    column: int = field(default=1, compare=False)


FORMULA_OPERATORS: Final = ("=~", "~", "~~", "~*~", "<~", "|")
"""The operators between variables; the others stand between expressions."""


def read_formula(cursor: Cursor, op: str, block: str) -> list[Statement]:
    """Read a whole formula whose operator is `op`: one statement for every left and every right variable."""
    lefts: list[Token] = []
    while True:
        place = cursor.peek()
        if cursor.calls() and place.text in UNAVAILABLE:
            raise not_available(place)
        if place.kind == "number" or cursor.calls() or cursor.peek(1).kind in {"*", "?"}:
            raise cursor.error(f"a modifier on the left of {op}", hint="Modifiers stand on the right: f =~ 0.5*x")
        lefts.append(replace(place, text=cursor.variable()))
        if cursor.peek().kind == op:
            cursor.take()
            break
        _expect_plus(cursor)
    if cursor.peek().kind == "+":  # "y ~" may be followed by lines that all begin with "+"
        cursor.take()
    terms: dict[str, Term] = {}
    while True:
        term = _term(cursor, op)
        if term.name in terms:
            first = terms[term.name]
            term = replace(first, modifiers=joined(cursor, first.modifiers, term.modifiers))
        terms[term.name] = term
        if cursor.peek().kind == "end":
            break
        _expect_plus(cursor)
    return [
        Statement(op if term.name else "~1", left.text, term, block, left.line, left.column)
        for left in lefts
        for term in terms.values()
    ]


def _expect_plus(cursor: Cursor) -> None:
    hints = {
        ",": "Join variables with +.",
        "-": "'-' is not part of a formula; write + and give the term a modifier: 0*x, -1*x.",
        "/": "Only constants can be divided, before the variable: 1/3*x.",
        "^": "Only constants can be raised to a power, before the variable: 2^2*x.",
        "(": "A name before '(' must be a function: start(0.5)*x.",
    }
    if cursor.peek().kind != "+":
        raise cursor.unexpected("'+'", hints.get(cursor.peek().kind, ""))
    cursor.take()


def _term(cursor: Cursor, op: str) -> Term:
    """Read factors joined by "*" or "?": the last is the variable, the others its modifiers."""
    modifiers: tuple[Modifier, ...] = ()
    product: float | None = None
    while True:
        token, start = cursor.peek(), cursor.at
        factor = read_factor(cursor)
        sign = cursor.peek().kind
        if sign not in {"*", "?"}:
            break
        cursor.take()
        if isinstance(factor, float) and sign == "*" and product is not None:  # 2*3*x is 6*x
            product = finite(cursor, token, product * factor)
            modifiers = (*modifiers[:-1], replace(modifiers[-1], values=(product,)))
            continue
        product = factor if isinstance(factor, float) and sign == "*" else None
        modifier = as_modifier(cursor, token, factor, sign)
        if modifier.kind == "equal":
            targets = tuple(_plain_formula(cursor, token, value) for value in modifier.values)
            modifier = replace(modifier, values=targets)
        modifiers = joined(cursor, modifiers, (modifier,))
    if isinstance(factor, str):
        if op == "|" and not re.fullmatch("t[1-9][0-9]*", factor):
            raise cursor.error(f"'{factor}' is not a threshold", token, "Thresholds are named t1, t2, ...: y | t1 + t2")
        return Term(factor, modifiers, token.line, token.column)
    if op == "~" and factor == 1.0:
        return Term("", modifiers, token.line, token.column)
    if op == "~" and factor == 0.0 and not modifiers:
        return Term("", (Modifier("fixed", (0.0,), token.line, token.column),), token.line, token.column)
    raise _not_a_variable(cursor, start, op, modifiers)


def _not_a_variable(cursor: Cursor, start: int, op: str, modifiers: Sequence[Modifier]) -> ModelSyntaxError:
    """Return the error for a formula that ends in a modifier, read from token `start` to the cursor."""
    written = "".join(token.text for token in cursor.tokens[start : cursor.at])
    hint = f"Modifiers stand before their variable: {written}*x"
    if modifiers and modifiers[-1].kind == "label":
        hint = f"Modifiers stand before their variable: write {written}*{modifiers[-1].values[0]}"
    elif cursor.peek().kind == "name":
        hint = f"Write {written}*{cursor.peek().text}"
    elif op == "~":
        hint = f"To fix the intercept write {written}*1"
    return cursor.error(f"expected a variable, found '{written}'", cursor.tokens[start], hint)


def _plain_formula(cursor: Cursor, token: Token, value: float | str | None) -> str | None:
    """Return the formula that equal() points to, in canonical form."""
    if not isinstance(value, str):
        return None
    try:
        (tokens,) = split_statements(tokenize(value))
        (op,) = (piece.kind for piece in tokens if piece.kind in FORMULA_OPERATORS)
        (statement,) = read_formula(Cursor(value, tokens), op, "")
    except (ModelSyntaxError, NotSupported, ValueError):
        statement = None
    if statement is None or statement.rhs.modifiers:
        hint = 'Name one parameter as its formula does: equal("f =~ x1")*x2.'
        raise cursor.error(f"'{value}' is not the formula of one parameter", token, hint)
    return write_statement(statement)


def write_statement(statement: Statement) -> str:
    """Return the canonical formula of one statement."""
    op = "~" if statement.op == "~1" else statement.op
    modifiers = "".join(write_modifier(modifier) + "*" for modifier in statement.rhs.modifiers)
    name = write_name(statement.rhs.name, interaction=True) if statement.op != "~1" else "1"
    return f"{write_name(statement.lhs, interaction=True)} {op} {modifiers}{name}"
