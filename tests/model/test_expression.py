"""Expressions: precedence as in R, exact derivatives, canonical text, and a limit on nesting."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sem_loyalty.errors import ModelSyntaxError, SpecificationError
from sem_loyalty.model.expression import (
    FUNCTIONS,
    MAX_DEPTH,
    Binary,
    Call,
    Expression,
    Name,
    Number,
    Unary,
    parse_expression,
)

VALUES = {"a": 2.0, "b": 3.0, "c": 0.5, "忠诚": 4.0, "a.b": 7.0, "my label": 11.0}

# Values as R computes them.
TEXT_TO_VALUE = {
    "1 + 2 * 3": 7.0,
    "10 - 4 - 3": 3.0,
    "24 / 4 / 3": 2.0,
    "2^3^2": 512.0,
    "(2^3)^2": 64.0,
    "2**3": 8.0,
    "-2^2": -4.0,
    "(-2)^2": 4.0,
    "2^-1": 0.5,
    "2^-1*8": 4.0,
    "2^-1^2": 0.5,
    "-a*b": -6.0,
    "a*-b": -6.0,
    "a - -b": 5.0,
    "--a": 2.0,
    "+a": 2.0,
    "-(a + b)": -5.0,
    "1e-3*1.5E+2": 0.15,
    ".5 + 1.": 1.5,
    "exp(1)": math.e,
    "log(exp(a))": 2.0,
    "log10(1000)": 3.0,
    "sqrt(a*8)": 4.0,
    "abs(a - b)": 1.0,
    "sin(c)^2 + cos(c)^2": 1.0,
    "tan(c) - sin(c)/cos(c)": 0.0,
    "忠诚 / a": 2.0,
    "a.b - b": 4.0,
    '"my label" * a': 22.0,
    "`my label` * 'a'": 22.0,
    "ａ": None,  # a full-width letter is another name
    "（a ＋ b）＊ ２": 10.0,
    "a − b": -1.0,
}


@pytest.mark.parametrize(("text", "value"), TEXT_TO_VALUE.items())
def test_value(text: str, value: float | None) -> None:
    expression = parse_expression(text)
    if value is None:
        with pytest.raises(SpecificationError, match="has no value"):
            expression.evaluate(VALUES)
    else:
        assert expression.evaluate(VALUES) == pytest.approx(value, abs=1e-12)


TEXT_TO_CANONICAL = {
    "(a * b) + c": "a*b + c",
    "a*(b + c)": "a*(b + c)",
    "a-(b-c)": "a - (b - c)",
    "(a-b)-c": "a - b - c",
    "a/(b*c)": "a/(b*c)",
    "(a/b)*c": "a/b*c",
    "(a^b)^c": "(a^b)^c",
    "a**(b**c)": "a^b^c",
    "(-a)^2": "(-a)^2",
    "-(a^2)": "-a^2",
    "a^(-b)": "a^(-b)",
    "-(a*b)": "-(a*b)",
    "(-a)*b": "-a*b",
    "((exp((a))))": "exp(a)",
    "1.50 + 2.0 + 1e-7": "1.5 + 2 + 1e-07",
    "'plain' + 'not plain'": 'plain + "not plain"',
    '"it\'s"': '"it\'s"',
    "'NA'": '"NA"',
}


@pytest.mark.parametrize(("text", "canonical"), TEXT_TO_CANONICAL.items())
def test_canonical_text(text: str, canonical: str) -> None:
    assert parse_expression(text).text == canonical
    assert parse_expression(canonical) == parse_expression(text)


def test_nodes_are_in_reverse_polish_order_and_know_their_place() -> None:
    expression = parse_expression("a -\n 2*exp(b)")
    assert expression.nodes == (Name("a"), Number(2.0), Name("b"), Call("exp"), Binary("*"), Binary("-"))
    places = [(node.line, node.column) for node in expression.nodes if isinstance(node, Name)]
    assert places == [(1, 1), (2, 8)]
    assert parse_expression("b + a*b").names() == ("b", "a")


def test_evaluation_is_vectorised_and_leaves_its_arguments_alone() -> None:
    a, b = np.array([1.0, 2.0, 3.0]), np.array([[1.0], [10.0]])
    result = parse_expression("a*b - 1").evaluate({"a": a, "b": b})
    np.testing.assert_array_equal(result, a * b - 1)
    same = parse_expression("a").evaluate({"a": a})
    assert isinstance(same, np.ndarray)
    same[0] = 99.0
    assert a[0] == 1.0
    assert isinstance(parse_expression("a/2").evaluate({"a": 1}), float)
    np.testing.assert_array_equal(parse_expression("a^-1").evaluate({"a": np.array([2, 4])}), [0.5, 0.25])


def test_undefined_values_are_nan_or_inf_without_a_warning() -> None:
    zero = {"a": 0.0}
    assert parse_expression("1/a").evaluate(zero) == math.inf
    assert parse_expression("-1/a").evaluate(zero) == -math.inf
    assert parse_expression("log(a)").evaluate(zero) == -math.inf
    for text in ("a/a", "log(a - 1)", "sqrt(a - 1)", "(a - 8)^(1/3)"):
        assert math.isnan(float(parse_expression(text).evaluate(zero))), text
    np.testing.assert_array_equal(
        parse_expression("1/a").evaluate({"a": np.array([0.0, 2.0])}), np.array([math.inf, 0.5])
    )


def test_a_name_without_value_is_reported_with_the_nearest() -> None:
    with pytest.raises(
        SpecificationError, match=r"'indirekt' in 'indirekt \+ 1' has no value. Did you mean 'indirect'"
    ):
        parse_expression("indirekt + 1").evaluate({"indirect": 1.0, "total": 2.0})


TEXT_TO_DERIVATIVE: dict[str, tuple[float, dict[str, float]]] = {
    "a*b": (6.0, {"a": 3.0, "b": 2.0}),
    "a*a": (4.0, {"a": 4.0}),
    "a/b": (2 / 3, {"a": 1 / 3, "b": -2 / 9}),
    "a^3": (8.0, {"a": 12.0}),
    "a^b": (8.0, {"a": 12.0, "b": 8.0 * math.log(2.0)}),
    "(-a)^2": (4.0, {"a": 4.0}),
    "(a - 2)^2": (0.0, {"a": 0.0}),
    "(a - 2)^0": (1.0, {"a": 0.0}),
    "(a - 2)^b": (0.0, {"a": 0.0, "b": 0.0}),
    "-exp(c)": (-math.exp(0.5), {"c": -math.exp(0.5)}),
    "log10(a)": (math.log10(2.0), {"a": 1 / (2 * math.log(10.0))}),
    "abs(a - b)": (1.0, {"a": -1.0, "b": 1.0}),
    "7": (7.0, {}),
}


@pytest.mark.parametrize(("text", "expected"), TEXT_TO_DERIVATIVE.items())
def test_derivative(text: str, expected: tuple[float, dict[str, float]]) -> None:
    value, gradient = parse_expression(text).derivative(VALUES)
    assert value == pytest.approx(expected[0], abs=1e-14)
    assert gradient == pytest.approx(expected[1], abs=1e-14)


def _leaves() -> st.SearchStrategy[str]:
    names = st.sampled_from(["a", "b", "c", "忠诚", '"my label"'])
    return names | st.floats(0, 100, allow_subnormal=False).map(repr) | st.integers(0, 9).map(str)


def _branches(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "^", " ** ", " - "]), inner).map("".join)
        | inner.map(lambda text: f"({text})")
        | inner.map(lambda text: f"-{text}")
        | st.tuples(st.sampled_from(FUNCTIONS), inner).map(lambda pair: f"{pair[0]}({pair[1]})")
    )


EXPRESSIONS = st.recursive(_leaves(), _branches, max_leaves=12)


@settings(derandomize=True, max_examples=400, deadline=None)
@given(EXPRESSIONS)
def test_canonical_text_reads_back_as_the_same_expression(text: str) -> None:
    expression = parse_expression(text)
    again = parse_expression(expression.text)
    assert again == expression
    assert again.text == expression.text
    assert hash(again) == hash(expression)


def _reference(text: str) -> Callable[[dict[str, float]], float]:
    """The same arithmetic by Python's own parser, whose precedence is R's for these operators."""
    source = text.replace("^", "**").replace('"my label"', "my_label")
    functions = {name: getattr(math, name, None) for name in FUNCTIONS} | {"abs": abs}
    return lambda values: float(eval(source, functions, {name.replace(" ", "_"): v for name, v in values.items()}))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(EXPRESSIONS)
def test_values_are_those_of_another_parser(text: str) -> None:
    try:
        expected = _reference(text)(VALUES)
    except (ArithmeticError, ValueError, TypeError):
        assume(False)
    assume(math.isfinite(expected))
    assert parse_expression(text).evaluate(VALUES) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(EXPRESSIONS, st.floats(0.3, 2.0), st.floats(0.3, 2.0))
def test_derivatives_are_those_of_central_differences(text: str, a: float, b: float) -> None:
    expression = parse_expression(text)
    values = {"a": a, "b": b, "c": 0.7, "忠诚": 1.3, "my label": 0.4}
    value, gradient = expression.derivative(values)
    assert gradient.keys() == set(expression.names())
    assert value == pytest.approx(float(expression.evaluate(values)), nan_ok=True)
    for name, slope in gradient.items():
        differences = []
        for step in (1e-4, 5e-5):
            ends = [float(expression.evaluate(values | {name: values[name] + sign * step})) for sign in (1, -1)]
            differences.append((ends[0] - ends[1]) / (2 * step))
        # A kink, a pole or a steep curve is near where two steps disagree: no comparison is possible there.
        if not all(map(math.isfinite, differences)) or not 1e-6 < abs(differences[0]) < 1e4 or abs(value) > 1e4:
            continue
        if abs(differences[0] - differences[1]) > 1e-6 * abs(differences[0]):
            continue
        assert slope == pytest.approx(differences[1], rel=1e-4), (text, name)


def test_deep_nesting_is_refused_and_never_overflows_the_stack() -> None:
    for deep in ("(" * 5000 + "a" + ")" * 5000, "-" * 5000 + "a", "exp(" * 5000 + "a" + ")" * 5000, "2^" * 5000 + "a"):
        with pytest.raises(ModelSyntaxError, match=f"nested deeper than {MAX_DEPTH} levels"):
            parse_expression(deep)
    # A quarter of the usual stack is enough for the deepest expression that is accepted.
    limit, used = sys.getrecursionlimit(), len(inspect.stack())
    sys.setrecursionlimit(used + 3 * MAX_DEPTH)
    try:
        deepest = "(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH
        assert parse_expression(deepest).text == "a"
    finally:
        sys.setrecursionlimit(limit)


def test_long_sums_are_safe_to_read_compare_print_and_differentiate() -> None:
    text = " + ".join(["a"] * 5000)
    expression = parse_expression(text)
    assert expression == parse_expression(expression.text)
    assert repr(expression)
    assert expression.derivative({"a": 0.5}) == (2500.0, {"a": 5000.0})


TEXT_TO_ERROR = {
    "": (1, "the expression is empty"),
    "a +": (4, "expected a number, a name or '\\('"),
    "a b": (3, "missing operator between 'a' and 'b'"),
    "2 b": (3, "missing operator between '2' and 'b'"),
    "2a": (1, "'2a' is neither a number nor a name"),
    "(a + b": (7, "expected '\\)', found the end"),
    "a)": (2, "expected the end of the statement, found '\\)'"),
    "a == b": (3, "found '=='"),
    "sqrrt(a)": (1, "unknown function 'sqrrt'(.|\n)*Did you mean 'sqrt'"),
    "__import__('os')": (1, "unknown function '__import__'"),
    "a.__class__('x')": (1, "unknown function"),
    "log(a, 2)": (6, "takes one argument"),
    "exp()": (5, "expected a number"),
    "NaN + 1": (1, "'NaN' is not a number"),
    "a * inf": (5, "'inf' is not a number"),
    "a $ b": (3, "unexpected character '\\$'"),
    "a:b": (2, "found ':'"),
    "'a": (1, "this quote is never closed"),
    "''": (1, "an empty name"),
    "1e400": (1, "too large"),
}


@pytest.mark.parametrize(("text", "expected"), TEXT_TO_ERROR.items())
def test_errors_point_to_the_place(text: str, expected: tuple[int, str]) -> None:
    column, message = expected
    with pytest.raises(ModelSyntaxError, match=message) as caught:
        parse_expression(text)
    assert (caught.value.line, caught.value.column) == (1, column)


def test_expressions_are_frozen_values() -> None:
    expression = Expression((Name("a"), Unary()))
    assert expression == parse_expression("-a")
    with pytest.raises(AttributeError):
        expression.nodes = ()  # type: ignore[misc]
