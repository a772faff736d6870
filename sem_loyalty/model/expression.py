"""Expressions: arithmetic over parameters, read by a grammar of our own, evaluated and differentiated exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import ModelSyntaxError, SpecificationError, nearest
from sem_loyalty.model.tokens import Cursor, is_reserved, tokenize, write_name

Array = NDArray[np.float64]

MAX_DEPTH: Final = 100
"""How deep parentheses, powers and signs may nest; the reader uses two stack frames a level."""

# How tightly an operator binds: R's order, in which -2^2 is -(2^2) and 2^-1 is 2^(-1).
_BINDING: Final = {"+": 10, "-": 10, "*": 20, "/": 20, "^": 40}
SIGN_BINDING: Final = 30
_ATOM: Final = 100

# Each function with its derivative.
_FUNCTIONS: Final[dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]]] = {
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1.0 / x),
    "log10": (np.log10, lambda x: 1.0 / (x * np.log(10.0))),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "abs": (np.abs, np.sign),
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda x: -np.sin(x)),
    "tan": (np.tan, lambda x: 1.0 + np.tan(x) ** 2),
}

FUNCTIONS: Final = tuple(_FUNCTIONS)
"""The functions that an expression may call, each of one argument."""


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """A label or a defined parameter; its place in the source does not count when two are compared."""

    name: str
    line: int = field(default=1, compare=False)
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """The sign "-" of the operand before it."""

    op: str = "-"


@dataclass(frozen=True, slots=True)
class Binary:
    """One of + - * / ^ between the two operands before it."""

    op: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the operand before it."""

    function: str


Node = Number | Name | Unary | Binary | Call


@dataclass(frozen=True, slots=True)
class Expression:
    """Arithmetic over named parameters.

    The tree is held flat, every node after its operands (reverse Polish order): a sum of ten thousand terms is as
    safe to compare, print and evaluate as a sum of two, because nothing here calls itself.

    Attributes
    ----------
    nodes : tuple of Number, Name, Unary, Binary or Call
        ``a - 2*b`` is ``(Name("a"), Number(2.0), Name("b"), Binary("*"), Binary("-"))``.

    Examples
    --------
    >>> indirect = parse_expression("a*b")
    >>> indirect.evaluate({"a": 0.5, "b": 0.4})
    0.2
    >>> indirect.derivative({"a": 0.5, "b": 0.4})
    (0.2, {'a': 0.4, 'b': 0.5})
    """

    nodes: tuple[Node, ...]

    def names(self) -> tuple[str, ...]:
        """Return the names that occur, each once, in order of first appearance."""
        return tuple(dict.fromkeys(node.name for node in self.nodes if isinstance(node, Name)))

    @property
    def text(self) -> str:
        """The expression in canonical form, with no parenthesis more than needed; it reads back as the same."""
        stack: list[tuple[str, int]] = []
        for node in self.nodes:
            match node:
                case Number(value):
                    stack.append((format_constant(value), _ATOM if value >= 0 else SIGN_BINDING))
                case Name(name):
                    stack.append((write_name(name), _ATOM))
                case Call(function):
                    stack.append((f"{function}({stack.pop()[0]})", _ATOM))
                case Unary():
                    stack.append(("-" + _enclosed(stack.pop(), SIGN_BINDING), SIGN_BINDING))
                case Binary(op):
                    binding, right_associative = _BINDING[op], op == "^"
                    right = _enclosed(stack.pop(), binding + (not right_associative))
                    left = _enclosed(stack.pop(), binding + right_associative)
                    space = " " if op in "+-" else ""
                    stack.append((f"{left}{space}{op}{space}{right}", binding))
        return stack.pop()[0]

    def evaluate(self, values: Mapping[str, float | Array]) -> float | Array:
        """Return the value of the expression.

        Parameters
        ----------
        values : mapping of str to float or ndarray
            A value for every name; arrays are broadcast against each other.

        Returns
        -------
        float or ndarray
            A float where every value is one. As in R, 1/0 is inf, and 0/0, log(-1) and a negative number to a
            broken power are nan; no warning is given.

        Raises
        ------
        SpecificationError
            A name without a value.
        """
        stack: list[Array] = []
        with np.errstate(all="ignore"):
            for node in self.nodes:
                match node:
                    case Number(value):
                        stack.append(np.asarray(value, dtype=float))
                    case Name(name):
                        stack.append(np.array(self._value(name, values), dtype=float))
                    case Call(function):
                        stack.append(_FUNCTIONS[function][0](stack.pop()))
                    case Unary():
                        stack.append(-stack.pop())
                    case Binary(op):
                        right, left = stack.pop(), stack.pop()
                        stack.append(_combine(op, left, right))
        result = np.asarray(stack.pop())
        return float(result) if result.ndim == 0 else result

    def derivative(self, values: Mapping[str, float]) -> tuple[float, dict[str, float]]:
        """Return the value and its exact partial derivatives, by forward differentiation.

        Parameters
        ----------
        values : mapping of str to float
            A value for every name.

        Returns
        -------
        value : float
            As from `evaluate`.
        gradient : dict of str to float
            One entry for every name. Where the function has no finite derivative (sqrt at 0, log below 0) the
            entry is inf or nan; abs has 0 at 0.

        Raises
        ------
        SpecificationError
            A name without a value.
        """
        stack: list[tuple[Array, dict[str, Array]]] = []
        with np.errstate(all="ignore"):
            for node in self.nodes:
                match node:
                    case Number(constant):
                        stack.append((np.asarray(constant, dtype=float), {}))
                    case Name(name):
                        stack.append((np.asarray(self._value(name, values), dtype=float), {name: np.asarray(1.0)}))
                    case Call(function):
                        inner, gradient = stack.pop()
                        call, slope = _FUNCTIONS[function]
                        stack.append((call(inner), _scaled(gradient, slope(inner))))
                    case Unary():
                        inner, gradient = stack.pop()
                        stack.append((-inner, _scaled(gradient, np.asarray(-1.0))))
                    case Binary(op):
                        (right, right_gradient), (left, left_gradient) = stack.pop(), stack.pop()
                        by_left, by_right = _slopes(op, left, right)
                        gradient = _scaled(left_gradient, by_left)
                        # A name of one side only takes that side's slope only: 0 * inf would make it nan.
                        for name, part in _scaled(right_gradient, by_right).items():
                            gradient[name] = gradient[name] + part if name in gradient else part
                        stack.append((_combine(op, left, right), gradient))
        value, gradient = stack.pop()
        return float(value), {name: float(part) for name, part in gradient.items()}

    def _value(self, name: str, values: Mapping[str, float | Array] | Mapping[str, float]) -> float | Array:
        if name not in values:
            raise SpecificationError(f"'{name}' in '{self.text}' has no value. {nearest(name, values)}".strip())
        return values[name]


def _combine(op: str, left: Array, right: Array) -> Array:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return np.divide(left, right)
        case _:
            return np.power(left, right)


def _slopes(op: str, left: Array, right: Array) -> tuple[Array, Array]:
    """Return the derivatives of a binary operation by its left and by its right operand, both scalars."""
    one = np.asarray(1.0)
    match op:
        case "+":
            return one, one
        case "-":
            return one, -one
        case "*":
            return right, left
        case "/":
            return 1.0 / right, -left / right**2
    # x^0 is 1 everywhere and 0^y is 0 for y > 0: both are flat, though the general formulas give 0 * inf there.
    by_base = right * np.power(left, right - 1.0) if right != 0 else np.asarray(0.0)
    by_exponent = np.asarray(0.0) if left == 0 and right > 0 else np.power(left, right) * np.log(left)
    return by_base, by_exponent


def _scaled(gradient: Mapping[str, Array], factor: Array) -> dict[str, Array]:
    return {name: np.asarray(part * factor) for name, part in gradient.items()}


def _enclosed(operand: tuple[str, int], binding: int) -> str:
    text, own = operand
    return text if own >= binding else f"({text})"


def format_constant(value: float) -> str:
    """Return the shortest decimal text that reads back as this very number; whole numbers have no ".0"."""
    return repr(float(value)).removesuffix(".0")


def parse_expression(text: str) -> Expression:
    """Read one expression.

    Parameters
    ----------
    text : str
        Numbers, names (quoted where they are not plain), ``+ - * / ^ **``, parentheses and the functions of
        `FUNCTIONS`. Operators bind as in R: ``-2^2`` is -4 and ``2^3^2`` is 2^9.

    Returns
    -------
    Expression

    Raises
    ------
    ModelSyntaxError
        The text is not one expression; the message shows the place.

    Examples
    --------
    >>> parse_expression("(a1 * b1) + c").text
    'a1*b1 + c'
    """
    tokens = [token for token in tokenize(text) if token.kind != "newline"]
    if not tokens:
        raise ModelSyntaxError("the expression is empty", source=text, line=1, column=1)
    cursor = Cursor(text, tokens)
    expression = read_expression(cursor)
    cursor.expect("end")
    return expression


def read_expression(cursor: Cursor, binding: int = 0) -> Expression:
    """Read one expression and leave the cursor after it.

    Parameters
    ----------
    cursor : Cursor
        At the first token of the expression.
    binding : int, default 0
        Stop before an operator that binds no tighter; with `SIGN_BINDING` only powers are read.

    Returns
    -------
    Expression
    """
    nodes: list[Node] = []
    _read(cursor, nodes, binding, 0)
    return Expression(tuple(nodes))


def _read(cursor: Cursor, nodes: list[Node], binding: int, depth: int) -> None:
    """Read by operator precedence: an operand, then operators as long as they bind tighter than `binding`."""
    if depth > MAX_DEPTH:
        raise cursor.error(f"nested deeper than {MAX_DEPTH} levels", hint="Split it into several := definitions.")
    if cursor.calls():
        _read_call(cursor, nodes, depth)
    else:
        _read_operand(cursor, nodes, depth)
    while (tightness := _BINDING.get(cursor.peek().kind, 0)) > binding:
        op = cursor.take().kind
        # Only "^" groups from the right: its right operand may hold another "^".
        _read(cursor, nodes, tightness - (op == "^"), depth + 1)
        nodes.append(Binary(op))


def _read_operand(cursor: Cursor, nodes: list[Node], depth: int) -> None:
    token = cursor.peek()
    match token.kind:
        case "number":
            nodes.append(Number(float(cursor.take().text)))
        case "name" | "string":
            if token.kind == "name" and is_reserved(token.text):
                raise cursor.error(
                    f"'{token.text}' is not a number to calculate with", hint="Quote it if it is a label."
                )
            if not token.text.strip():
                raise cursor.error("an empty name")
            nodes.append(Name(cursor.take().text, token.line, token.column))
        case "-" | "+":
            cursor.take()
            _read(cursor, nodes, SIGN_BINDING, depth + 1)
            if token.kind == "-":
                nodes.append(Unary())
        case "(":
            cursor.take()
            _read(cursor, nodes, 0, depth + 1)
            cursor.expect(")")
        case _:
            raise cursor.unexpected("a number, a name or '('")


def _read_call(cursor: Cursor, nodes: list[Node], depth: int) -> None:
    function = cursor.take()
    if function.text not in _FUNCTIONS:
        hint = f"{nearest(function.text, FUNCTIONS)} Known functions: {', '.join(FUNCTIONS)}.".strip()
        raise cursor.error(f"unknown function '{function.text}'", function, hint)
    cursor.take()
    _read(cursor, nodes, 0, depth + 1)
    if cursor.peek().kind == ",":
        raise cursor.error(f"{function.text}() takes one argument", hint="For another base, divide: log(x)/log(2).")
    cursor.expect(")")
    nodes.append(Call(function.text))
