"""The model language: lavaan's formulas, definitions and constraints, read into statements and written back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Final

from sem_loyalty.errors import ModelSyntaxError, NotSupported, SpecificationError
from sem_loyalty.model.expression import Expression, read_expression
from sem_loyalty.model.formula import FORMULA_OPERATORS, Statement, Term, read_formula, write_statement
from sem_loyalty.model.modifiers import Modifier
from sem_loyalty.model.tokens import (
    BLOCKS,
    FOREIGN,
    OPERATORS,
    Cursor,
    Token,
    quote,
    split_statements,
    tokenize,
    write_name,
)

__all__ = ["Constraint", "Definition", "ModelText", "Modifier", "Statement", "Term", "parse", "unparse"]


@dataclass(frozen=True, slots=True)
class Definition:
    """A defined parameter: ``name := expression``."""

    name: str
    expression: Expression
    line: int = field(default=1, compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A relation that the estimates must meet: ``lhs op rhs`` with op "==", "<" or ">"."""

    op: str
    lhs: Expression
    rhs: Expression
    line: int = field(default=1, compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class ModelText:
    """All that a model text says, in its order; two are equal where they say the same, however they are written."""

    statements: tuple[Statement, ...]
    definitions: tuple[Definition, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    source: str = field(default="", compare=False, repr=False)


# Pairs of signs that no valid statement holds side by side, with what was probably meant.
_CONFUSED: Final = {
    ("=", "~"): "Write =~ without a blank.",
    ("~", "="): "Did you mean =~?",
    ("~", "~"): "Write ~~ without a blank.",
    ("=", "="): "Write == without a blank.",
    (":", "="): "Write := without a blank.",
    ("-", ">"): "There are no arrows: write f =~ x for a measurement, y ~ x for a regression of y on x.",
    ("<", "-"): "There are no arrows: write y ~ x for a regression; in a constraint leave a blank, a < -b.",
    (">", "="): "Write >: bounds include their end point.",
    ("<", "="): "Write <: bounds include their end point.",
}
_KINDS: Final = (
    "Operators: =~ (measured by), ~ (regressed on), ~~ (covaries with), ~ 1 (intercept), | (thresholds), := == < >."
)


@lru_cache(maxsize=64)
def parse(text: str) -> ModelText:
    """Read a model in lavaan's syntax. Nothing in it is ever executed; reading takes time in proportion to its length.

    Parameters
    ----------
    text : str
        Formulas (``=~ ~ ~~ | <~ ~*~``), definitions (``:=``), constraints (``== < >``) and ``group:`` blocks.
        Full-width signs and digits outside quotes count as their ASCII forms; names are brought to NFC; a name
        with blanks or other signs goes in quotes.

    Returns
    -------
    ModelText
        One `Statement` per pair of a left and a right variable. Repeats of a term within one formula are merged,
        ``a*x + start(0.3)*x``; repeats across formulas are kept as they are.

    Raises
    ------
    ModelSyntaxError
        The text breaks the grammar; the message shows the place and, where it can, the remedy.
    NotSupported
        ``level:`` blocks, ``efa()``, ``rv()`` and ``prior()``.
    """
    statements: list[Statement] = []
    definitions: list[Definition] = []
    constraints: list[Constraint] = []
    block = ""
    for tokens in split_statements(tokenize(text)):
        cursor = Cursor(text, tokens)
        if tokens[0].kind in BLOCKS:
            block = _block(tokens[0])
            continue
        _check_parentheses(cursor)
        operator = _find_operator(cursor)
        if operator.kind in FORMULA_OPERATORS:
            statements += read_formula(cursor, operator.kind, block)
        elif operator.kind == ":=":
            definitions.append(_definition(cursor))
        else:
            left, _, right = read_expression(cursor), cursor.expect(operator.kind), read_expression(cursor)
            cursor.expect("end")
            constraints.append(Constraint(operator.kind, left, right, tokens[0].line, tokens[0].column))
    if not (statements or definitions or constraints):
        hint = "A model has at least one formula, for instance: Loyalty =~ loy1 + loy2 + loy3"
        raise ModelSyntaxError("the model is empty", source=text, line=1, column=1, hint=hint)
    return ModelText(tuple(statements), tuple(definitions), tuple(constraints), text)


def _block(token: Token) -> str:
    if token.kind == "group":
        return token.text
    raise NotSupported(
        f"Line {token.line}, column {token.column}: '{token.kind}:' blocks are not available; models have one "
        "level. Blocks for the groups of a multi-group model are: write 'group:' and the label of the group."
    )


def _check_parentheses(cursor: Cursor) -> None:
    opened: list[Token] = []
    for token in cursor.tokens:
        if token.kind == "(":
            opened.append(token)
        elif token.kind == ")":
            if not opened:
                raise cursor.error("')' without '('", token)
            opened.pop()
    if opened:
        raise cursor.error("'(' is never closed", opened[-1], "Close it with ')' before the next statement.")


def _find_operator(cursor: Cursor) -> Token:
    """Return the one operator of a statement; what else could be in its place is explained."""
    tokens = cursor.tokens
    if tokens[0].text in FOREIGN and cursor.calls():
        raise cursor.error(f"{tokens[0].text}() is semopy's dialect, not lavaan's", hint=FOREIGN[tokens[0].text])
    for position, (first, second) in enumerate(pairwise(tokens)):
        hint = _CONFUSED.get((first.kind, second.kind), "")
        if (first.kind, second.kind) == ("<", "-"):
            # "a <-1" is a bound, "a <- b" an assignment of R.
            touching = (first.line, first.column + 1) == (second.line, second.column)
            following = tokens[position + 2].kind if position + 2 < len(tokens) else "end"
            hint = hint if touching and following != "number" else ""
        if hint:
            raise cursor.error(f"'{first.text}' and '{second.text}' do not make an operator here", first, hint)
    found = [token for token in tokens if token.kind in OPERATORS]
    if not found:
        operands = [token.kind in {"name", "string"} for token in tokens[:2]]
        between = f": missing operator between {tokens[0]} and {tokens[1]}" if operands == [True, True] else ""
        raise cursor.error(f"this statement has no operator{between}", hint=_KINDS)
    if found[0].kind == "=":
        raise cursor.error("'=' is not an operator", found[0], f"Did you mean =~, ~, == or :=? {_KINDS}")
    if len(found) > 1:
        message = f"a second operator, {found[1]}, in one statement"
        raise cursor.error(message, found[1], "Put each statement on a line of its own, or a ; between them.")
    return found[0]


def _definition(cursor: Cursor) -> Definition:
    name = cursor.peek()
    if name.kind not in {"name", "string"} or cursor.peek(1).kind != ":=":
        raise cursor.error("the left of := is not one name", hint="Write, for instance: indirect := a*b")
    written = cursor.variable()
    cursor.expect(":=")
    expression = read_expression(cursor)
    cursor.expect("end")
    return Definition(written, expression, name.line, name.column)


def unparse(model: ModelText) -> str:
    """Write a model as canonical lavaan text, one statement a line; `parse` reads it back as an equal model.

    Parameters
    ----------
    model : ModelText

    Returns
    -------
    str
        Ends with a newline.

    Raises
    ------
    SpecificationError
        A statement outside the blocks follows one inside, which the language cannot say.
    """
    lines = []
    block = ""
    for statement in model.statements:
        if statement.block != block:
            if not statement.block:
                raise SpecificationError(f"'{statement.lhs} {statement.op} ...' outside a group follows one inside.")
            block = statement.block
            lines.append(f"group: {block if re.fullmatch('[A-Za-z0-9_.-]+', block) else quote(block)}")
        lines.append(write_statement(statement))
    lines += [f"{write_name(item.name)} := {item.expression.text}" for item in model.definitions]
    lines += [f"{item.lhs.text} {item.op} {item.rhs.text}" for item in model.constraints]
    return "".join(line + "\n" for line in lines)
