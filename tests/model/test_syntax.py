"""The model language: tables of texts and what they mean, of mistakes and where they are, and properties."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sem_loyalty.errors import ModelSyntaxError, NotSupported, SpecificationError
from sem_loyalty.model.expression import parse_expression
from sem_loyalty.model.syntax import Constraint, Definition, ModelText, Modifier, Statement, Term, parse, unparse

Spec = tuple[str, str, str, dict[str, object]]


def brief(model: ModelText) -> list[Spec]:
    """Each statement as (lhs, op, rhs, modifiers); a modifier of one value is that value."""
    return [
        (
            statement.lhs,
            statement.op,
            statement.rhs.name,
            {m.kind: m.values[0] if len(m.values) == 1 else m.values for m in statement.rhs.modifiers},
        )
        for statement in model.statements
    ]


# Readings checked against lavaan 0.6-14 wherever it accepts the text. It differs on purpose where lavaan loses what was
# written: all but the first of chained modifiers (a*start(.5)*x), entries of c() next to NA or a quoted label, blanks
# inside quotes, and quoted variables.
TEXT_TO_STATEMENTS: dict[str, list[Spec]] = {
    # operators
    "f =~ x1 + x2": [("f", "=~", "x1", {}), ("f", "=~", "x2", {})],
    "y ~ x": [("y", "~", "x", {})],
    "x1 ~~ x1": [("x1", "~~", "x1", {})],
    "f <~ x1 + x2": [("f", "<~", "x1", {}), ("f", "<~", "x2", {})],
    "y ~*~ 1*y": [("y", "~*~", "y", {"fixed": 1.0})],
    "y | t1 + c(a,b)*t2": [("y", "|", "t1", {}), ("y", "|", "t2", {"label": ("a", "b")})],
    "y1 + y2 ~ x": [("y1", "~", "x", {}), ("y2", "~", "x", {})],
    "x1 + x2 ~~ 0*x3 + x4": [
        ("x1", "~~", "x3", {"fixed": 0.0}),
        ("x1", "~~", "x4", {}),
        ("x2", "~~", "x3", {"fixed": 0.0}),
        ("x2", "~~", "x4", {}),
    ],
    "f=~x1;y~f": [("f", "=~", "x1", {}), ("y", "~", "f", {})],
    # intercepts
    "y ~ 1": [("y", "~1", "", {})],
    "y ~ 1 + x": [("y", "~1", "", {}), ("y", "~", "x", {})],
    "y ~ 0": [("y", "~1", "", {"fixed": 0.0})],
    "y ~ 0 + x": [("y", "~1", "", {"fixed": 0.0}), ("y", "~", "x", {})],
    "y ~ 0*1": [("y", "~1", "", {"fixed": 0.0})],
    "y ~ 2*1 + 1*x": [("y", "~1", "", {"fixed": 2.0}), ("y", "~", "x", {"fixed": 1.0})],
    "y ~ a*1": [("y", "~1", "", {"label": "a"})],
    "y1 + y2 ~ c(0, NA)*1": [("y1", "~1", "", {"fixed": (0.0, None)}), ("y2", "~1", "", {"fixed": (0.0, None)})],
    # fixed values
    "f =~ 0.5*x": [("f", "=~", "x", {"fixed": 0.5})],
    "f =~ .5*x": [("f", "=~", "x", {"fixed": 0.5})],
    "f =~ -1*x": [("f", "=~", "x", {"fixed": -1.0})],
    "f =~ - 1*x": [("f", "=~", "x", {"fixed": -1.0})],
    "f =~ 1e-3*x": [("f", "=~", "x", {"fixed": 0.001})],
    "f =~ 2*3*x": [("f", "=~", "x", {"fixed": 6.0})],
    "f =~ 1/4*x": [("f", "=~", "x", {"fixed": 0.25})],
    "f =~ 2*1/4*x": [("f", "=~", "x", {"fixed": 0.5})],
    "f =~ -(1/2)*x": [("f", "=~", "x", {"fixed": -0.5})],
    "f =~ sqrt(4)*x": [("f", "=~", "x", {"fixed": 2.0})],
    "f =~ -2^2*x": [("f", "=~", "x", {"fixed": -4.0})],
    "f =~ c(0.5)*x": [("f", "=~", "x", {"fixed": 0.5})],
    "f =~ c(0.5, -sqrt(4)*2)*x": [("f", "=~", "x", {"fixed": (0.5, -4.0)})],
    "f =~ c(1, NA)*x": [("f", "=~", "x", {"fixed": (1.0, None)})],
    # free
    "f =~ NA*x1 + x2": [("f", "=~", "x1", {"free": None}), ("f", "=~", "x2", {})],
    "f =~ c(NA, NA)*x": [("f", "=~", "x", {"free": (None, None)})],
    # labels
    "f =~ a*x": [("f", "=~", "x", {"label": "a"})],
    "f =~ a.b_1*x": [("f", "=~", "x", {"label": "a.b_1"})],
    "f =~ .a*x": [("f", "=~", "x", {"label": ".a"})],
    "y ~ c*x": [("y", "~", "x", {"label": "c"})],
    "y ~ start*exp": [("y", "~", "exp", {"label": "start"})],
    'f =~ "my label"*x': [("f", "=~", "x", {"label": "my label"})],
    "f =~ label('a')*x": [("f", "=~", "x", {"label": "a"})],
    "f =~ label(c('a', 'b'))*x": [("f", "=~", "x", {"label": ("a", "b")})],
    'f =~ c("a", b)*x': [("f", "=~", "x", {"label": ("a", "b")})],
    "f =~ c(a, NA)*x": [("f", "=~", "x", {"label": ("a", None)})],
    'f =~ c("", b)*x': [("f", "=~", "x", {"label": (None, "b")})],
    'f =~ "NA"*x': [("f", "=~", "x", {"label": "NA"})],
    # starting values, equality, bounds
    "f =~ start(0.5)*x": [("f", "=~", "x", {"start": 0.5})],
    "f =~ start(c(.1, .2))*x": [("f", "=~", "x", {"start": (0.1, 0.2)})],
    "f =~ start(NA)*x": [("f", "=~", "x", {"start": None})],
    "f =~ 0.5?x": [("f", "=~", "x", {"start": 0.5})],
    "f =~ (0.5)?x": [("f", "=~", "x", {"start": 0.5})],
    "f =~ c(.1,.2)?x": [("f", "=~", "x", {"start": (0.1, 0.2)})],
    "f =~ x1 + equal('f=~x1')*x2": [("f", "=~", "x1", {}), ("f", "=~", "x2", {"equal": "f =~ x1"})],
    'f =~ equal("`my f` =~ x1")*x2': [("f", "=~", "x2", {"equal": '"my f" =~ x1'})],
    'f =~ equal(c("", "y~1"))*x': [("f", "=~", "x", {"equal": (None, "y ~ 1")})],
    "f =~ lower(0)*x1 + upper(c(1,2))*x2": [
        ("f", "=~", "x1", {"lower": 0.0}),
        ("f", "=~", "x2", {"upper": (1.0, 2.0)}),
    ],
    # several modifiers of one term, and a term repeated within its formula
    "f =~ a*start(.5)*x": [("f", "=~", "x", {"label": "a", "start": 0.5})],
    "f =~ c(a,b)*c(0.5,NA)*x": [("f", "=~", "x", {"label": ("a", "b"), "fixed": (0.5, None)})],
    "f =~ a*x + 0.3*x": [("f", "=~", "x", {"label": "a", "fixed": 0.3})],
    "f =~ NA*x1 + x2 + start(2)*x1": [("f", "=~", "x1", {"free": None, "start": 2.0}), ("f", "=~", "x2", {})],
    "y ~ 1 + x + 2*1": [("y", "~1", "", {"fixed": 2.0}), ("y", "~", "x", {})],
    "y ~ lower(0)*upper(1)*a*x": [("y", "~", "x", {"lower": 0.0, "upper": 1.0, "label": "a"})],
    # names
    "满意度 =~ 满意1 + 满意2": [("满意度", "=~", "满意1", {}), ("满意度", "=~", "满意2", {})],
    "é =~ naïve.x_1": [("é", "=~", "naïve.x_1", {})],
    "e\u0301 =~ x": [("é", "=~", "x", {})],
    "y ~ x1 + x1:x2": [("y", "~", "x1", {}), ("y", "~", "x1:x2", {})],
    "y ~ a*x1 : x2": [("y", "~", "x1:x2", {"label": "a"})],
    '"my item 1" ~ `x 2` + "1"': [("my item 1", "~", "x 2", {}), ("my item 1", "~", "1", {})],
    "inf =~ inf1 + nan": [("inf", "=~", "inf1", {}), ("inf", "=~", "nan", {})],
    "group ~ x": [("group", "~", "x", {})],
    "y ~ x +\n group:x": [("y", "~", "x", {}), ("y", "~", "group:x", {})],
    # lines, comments and blanks
    "f =~ x1 +\n\n x2 ! one\n # two\n + x3 # three": [("f", "=~", x, {}) for x in ("x1", "x2", "x3")],
    "f =~\n x1\n + x2": [("f", "=~", "x1", {}), ("f", "=~", "x2", {})],
    "f =~\n + x1\n + x2": [("f", "=~", "x1", {}), ("f", "=~", "x2", {})],
    "f\n =~ x1": [("f", "=~", "x1", {})],
    "f =~ 0.5*\nx1 + start(\n0.1\n)*x2": [("f", "=~", "x1", {"fixed": 0.5}), ("f", "=~", "x2", {"start": 0.1})],
    "\ufefff =~ x1\r\n\r\n\ty ~ f;;": [("f", "=~", "x1", {}), ("y", "~", "f", {})],
    "f\u00a0=~\u3000x1\u2009+\u200bx2": [("f", "=~", "x1", {}), ("f", "=~", "x2", {})],
    'f =~ "x#1" + "x!2" + "x;3"': [("f", "=~", x, {}) for x in ("x#1", "x!2", "x;3")],
    # full-width and typographic signs
    "满意 ＝～ ０．５＊x1 ＋ start（−１）＊x2；忠诚 ～ 满意 ！注释": [
        ("满意", "=~", "x1", {"fixed": 0.5}),
        ("满意", "=~", "x2", {"start": -1.0}),
        ("忠诚", "~", "满意", {}),
    ],
    "y ｜ c（a，b）＊t1　＃ 注释": [("y", "|", "t1", {"label": ("a", "b")})],
    "y ∼ x1：x2": [("y", "~", "x1:x2", {})],
    "y ~ “my x” + ‘it＋s’": [("y", "~", "my x", {}), ("y", "~", "it＋s", {})],
    "ｘ１ ~ y": [("ｘ1", "~", "y", {})],
}


@pytest.mark.parametrize(("text", "wanted"), TEXT_TO_STATEMENTS.items())
def test_reading(text: str, wanted: list[Spec]) -> None:
    model = parse(text)
    assert brief(model) == wanted
    assert parse(unparse(model)) == model


def test_repeats_in_several_formulas_are_kept() -> None:
    assert brief(parse("f =~ x\nf =~ a*x\nx1 + x1 ~ y")) == [
        ("f", "=~", "x", {}),
        ("f", "=~", "x", {"label": "a"}),
        ("x1", "~", "y", {}),
        ("x1", "~", "y", {}),
    ]


def test_definitions_and_constraints() -> None:
    text = "y ~ a*m\nm ~ b*x; indirect := a*b\n a + 2*b == 1\n a > 0; b <-1\n"
    text += " 'total effect' := indirect +\n exp(a)^2\n - b"
    model = parse(text)
    assert model.definitions == (
        Definition("indirect", parse_expression("a*b")),
        Definition("total effect", parse_expression("indirect + exp(a)^2 - b")),
    )
    assert model.constraints == (
        Constraint("==", parse_expression("a + 2*b"), parse_expression("1")),
        Constraint(">", parse_expression("a"), parse_expression("0")),
        Constraint("<", parse_expression("b"), parse_expression("-1")),
    )
    assert model.source == text
    assert [(item.line, item.column) for item in model.definitions] == [(2, 10), (5, 2)]
    assert [(item.line, item.column) for item in model.constraints] == [(3, 2), (4, 2), (4, 9)]
    assert parse("-a + b == 0\n-c == 1").constraints[1].lhs.text == "-c"
    assert parse("a ＝＝ b").constraints == parse("a == b").constraints
    assert parse("group := a*b").definitions[0].name == "group"


def test_a_text_may_hold_constraints_only() -> None:
    assert parse("a == b").statements == ()


def test_blocks_of_groups() -> None:
    text = "x ~~ y\ngroup: 1\nf =~ x\ngroup : Grant-White # w\n f =~ y; "
    text += 'Group：一组 2\nf =~ z\ngroup: "A; B" ; f =~ u\na == b'
    model = parse(text)
    assert [statement.block for statement in model.statements] == ["", "1", "Grant-White", "一组 2", "A; B"]
    assert parse(unparse(model)) == model


def test_places_are_those_of_the_source() -> None:
    model = parse("# 说明\n满意　＝～ x1 ＋\n   ０．５＊“x 2”")
    first, second = model.statements
    assert (first.line, first.column) == (2, 1)
    assert (first.rhs.line, first.rhs.column) == (2, 7)
    assert (second.rhs.line, second.rhs.column) == (3, 8)
    modifier = second.rhs.modifiers[0]
    assert (modifier.line, modifier.column) == (3, 4)
    assert parse("y ~ start(1)*a*x").statements[0].rhs.modifiers[1].column == 14


def test_equality_ignores_places_and_source() -> None:
    assert parse("f =~ x1+x2") == parse("# model\n\nf  =~  x1\n  + x2")
    assert hash(parse("f =~ x")) == hash(parse(" f =~ x"))
    assert parse("f =~ x1") != parse("f =~ 1*x1")


# text -> (line, column, a part of the message, a part of the hint)
TEXT_TO_ERROR: dict[str, tuple[int, int, str, str]] = {
    "": (1, 1, "the model is empty", "at least one formula"),
    " \n # only a comment\n": (1, 1, "the model is empty", ""),
    "group: 1": (1, 1, "the model is empty", ""),
    # operators
    "f = x1": (1, 3, "'=' is not an operator", "Did you mean =~, ~, == or :=?"),
    "a = b": (1, 3, "'=' is not an operator", ":="),
    "f = ~ x1": (1, 3, "do not make an operator", "=~ without a blank"),
    "f ~= x1": (1, 3, "do not make an operator", "=~"),
    "x ~ ~ y": (1, 3, "do not make an operator", "~~ without a blank"),
    "a : = b": (1, 3, "do not make an operator", ":= without a blank"),
    "f -> x": (1, 3, "do not make an operator", "no arrows"),
    "y <- x": (1, 3, "do not make an operator", "no arrows"),
    "x <-> y": (1, 3, "do not make an operator", "no arrows"),
    "a >= 1": (1, 3, "do not make an operator", "include their end point"),
    "f =~ x\nx1 x2": (2, 1, "missing operator between 'x' and 'x1'", "+"),
    "f =~ x; x1 x2": (1, 9, "no operator: missing operator between 'x1' and 'x2'", "measured by"),
    "my model\nf =~ x": (1, 1, "missing operator between 'my' and 'model'", ""),
    "y1 +\n y2 ~ x": (1, 1, "this statement has no operator", ""),
    "x1": (1, 1, "this statement has no operator", "=~"),
    "y ~ x ~ z": (1, 7, "a second operator", "line of its own"),
    "f =~ x1 + y ~ z": (1, 13, "a second operator", ""),
    "a < b < c": (1, 7, "a second operator", ""),
    # left-hand sides
    "2*f =~ x": (1, 1, "a modifier on the left", "on the right"),
    "a*f =~ x": (1, 1, "a modifier on the left", "on the right"),
    "start(1)*f =~ x": (1, 1, "a modifier on the left", "on the right"),
    "f1 + 2*f2 =~ x": (1, 6, "a modifier on the left", "on the right"),
    "x1, x2 ~ y": (1, 3, "expected '+', found ','", "Join variables with +"),
    "x1 - x2 ~ y": (1, 4, "expected '+', found '-'", ""),
    "=~ x": (1, 1, "expected the name of a variable, found '=~'", ""),
    "+ f =~ x": (1, 1, "expected the name of a variable, found '+'", ""),
    "f1 f2 =~ x": (1, 4, "missing operator between 'f1' and 'f2'", ""),
    "1 ~ x": (1, 1, "on the left", ""),
    "NA ~ x": (1, 1, "'NA' is not a variable", ""),
    "2*f := 3": (1, 1, "the left of := is not one name", "indirect := a*b"),
    "a + b := c": (1, 1, "the left of := is not one name", ""),
    # right-hand sides
    "f =~": (1, 5, "expected the name of a variable, found the end of the statement", ""),
    "f =~ x1 + ; y ~ x": (1, 10, "found the end of the statement", ""),
    "f =~ x1 +\ny ~ x": (1, 10, "found the end of the statement", ""),
    "f =~ x1 + + x2": (1, 11, "found '+'", ""),
    "f =~ x1 x2": (1, 9, "missing operator between 'x1' and 'x2'", "+"),
    "f =~ x1, x2": (1, 8, "found ','", "Join variables with +"),
    "y ~ x1 - x2": (1, 8, "found '-'", "'-' is not part of a formula; write +"),
    "y ~ -x1": (1, 5, "'-' is not part of a formula", "-1*x1"),
    "y ~ -a*x1": (1, 5, "'-' is not part of a formula", ""),
    "y ~ x^2": (1, 6, "found '^'", "before the variable"),
    "y ~ x/2": (1, 6, "found '/'", "1/3*x"),
    "y ~ (x1 + x2)": (1, 6, "the name 'x1' inside a constant", ""),
    "y ~ log(x)": (1, 9, "the name 'x' inside a constant", "transform variables in the data"),
    "f =~ 1": (1, 6, "expected a variable, found '1'", "1*x"),
    "y ~ 2": (1, 5, "expected a variable, found '2'", "2*1"),
    "y ~ 0.5*0": (1, 9, "expected a variable, found '0'", ""),
    "f =~ 2 x1": (1, 6, "expected a variable, found '2'", "Write 2*x1"),
    "f =~ NA": (1, 6, "expected a variable, found 'NA'", "NA*x"),
    "f =~ x1*0.5": (1, 9, "found '0.5'", "write 0.5*x1"),
    "f =~ x1*start(.5)": (1, 9, "found 'start(.5)'", "write start(.5)*x1"),
    "f =~ 'x1'*NA": (1, 11, "found 'NA'", "write NA*x1"),
    "f =~ ''": (1, 6, "an empty name", ""),
    "y | x": (1, 5, "'x' is not a threshold", "t1, t2"),
    "f =~ x1:": (1, 9, "expected the name of a variable", ""),
    # modifiers
    "f =~ 3a*x1": (1, 6, "'3a' is neither a number nor a name", "start with a letter"),
    "f =~ 1.2.3*x1": (1, 6, "'1.2.3' is neither", ""),
    "f =~ nan*x": (1, 6, "'nan' is neither a number nor a label", "NA*"),
    "f =~ Inf*x": (1, 6, "'Inf' is neither a number nor a label", "NA*"),
    "f =~ c(1, NaN)*x": (1, 11, "'NaN' is neither a number nor a label", "NA*"),
    "f =~ 1/0*x": (1, 6, "not a finite number", ""),
    "f =~ 1e200*1e200*x": (1, 12, "not a finite number", ""),
    "f =~ 1e999*x": (1, 6, "too large", ""),
    "f =~ (1 + a)*x": (1, 11, "the name 'a' inside a constant", "one label"),
    "f =~ c(a, 1)*x": (1, 11, "c() mixes labels and numbers", "c(a, b)*c(0.5, NA)*x"),
    "f =~ c('a', 1)*x": (1, 13, "c() mixes labels and numbers", ""),
    "f =~ c()*x": (1, 8, "a value is missing", ""),
    "f =~ c(1,)*x": (1, 10, "a value is missing", ""),
    "f =~ c(a b)*x": (1, 10, "missing operator between 'a' and 'b'", ""),
    "f =~ c(a + b)*x": (1, 10, "expected ',' or ')'", ""),
    "f =~ c('', '')*x": (1, 8, "an empty label", ""),
    "f =~ ''*x": (1, 6, "an empty name", ""),
    "f =~ a:b*x": (1, 6, "'a:b' is an interaction, not a label", '"a:b"'),
    "f =~ start(a)*x": (1, 12, "start() takes a number, not 'a'", ""),
    "f =~ start(.1, .2)*x": (1, 6, "start() takes one value", "start(c("),
    "f =~ label(1)*x": (1, 12, "label() takes a text", 'label("a")'),
    "f =~ label(c('a', 1))*x": (1, 19, "label() takes a text", ""),
    "f =~ equal('x1')*x2": (1, 6, "'x1' is not the formula of one parameter", 'equal("f =~ x1")'),
    "f =~ equal('f =~ 2*x1')*x2": (1, 6, "is not the formula of one parameter", ""),
    "f =~ equal('a == b')*x2": (1, 6, "is not the formula of one parameter", ""),
    "f =~ equal('f =~ x1 + x2')*x2": (1, 6, "is not the formula of one parameter", ""),
    "f =~ a?x": (1, 6, "'?' gives a starting value", "0.5?x"),
    "f =~ strat(0.5)*x": (1, 6, "unknown function 'strat'", "Did you mean 'start'"),
    "f =~ START(0.5)*x": (1, 6, "unknown function 'START'", "Did you mean 'start'"),
    "f =~ a*b*x": (1, 8, "a second label", ""),
    "f =~ a*x1 + b*x1": (1, 13, "a second label", ""),
    "f =~ 0.3*x + 0.4*x": (1, 14, "a second fixed value", ""),
    "f =~ NA*x + 0.4*x": (1, 13, "a second fixed value", ""),
    # quotes, parentheses, signs
    'f =~ "x1': (1, 6, "this quote is never closed", '"'),
    "f =~ start(0.5*x1\ny ~ x\nz ~ x": (1, 11, "'(' is never closed", ""),
    "f =~ x1)": (1, 8, "')' without '('", ""),
    "f =~ x@1": (1, 7, "unexpected character '@' (U+0040)", "1*x"),
    "f =~ x1 & x2": (1, 9, "unexpected character '&'", "+"),
    "f =~ x1、x2": (1, 8, "unexpected character '、' (U+3001)", "+"),
    "f =~ x$1": (1, 7, "unexpected character '$'", "quotes"),
    "满意 ＝～ x1 ＋ ＋ x2": (1, 12, "found '＋'", ""),
    "group:": (1, 1, "'group:' without a label", "group: 1"),
    "group: 1 f =~ x": (1, 8, "is not the label of a block", "line of its own"),
    # definitions and constraints
    "a :=": (1, 5, "expected a number, a name", ""),
    "a := b c": (1, 8, "missing operator between 'b' and 'c'", ""),
    "a := sqr(b)": (1, 6, "unknown function 'sqr'", "Did you mean 'sqrt'"),
    "a == b +": (1, 9, "expected a number", ""),
    "== b": (1, 1, "expected a number", ""),
    "a == c(1, 2)": (1, 6, "unknown function 'c'", ""),
    # semopy's dialect
    "DEFINE(latent) f": (1, 1, "semopy's dialect", "=~"),
    "f =~ x\nSTART(0.5) a": (2, 1, "semopy's dialect", "start(0.5)*x"),
    "f =~ x\nBOUND(0 1) a": (2, 1, "semopy's dialect", "a > 0"),
    "CONSTRAINT(a = b)": (1, 1, "semopy's dialect", "a == 2*b"),
}


@pytest.mark.parametrize(("text", "wanted"), TEXT_TO_ERROR.items())
def test_mistakes_are_placed_and_explained(text: str, wanted: tuple[int, int, str, str]) -> None:
    line, column, message, hint = wanted
    with pytest.raises(ModelSyntaxError) as caught:
        parse(text)
    error = caught.value
    # Signs are reported in ASCII, whatever form they have in the source.
    assert (error.line, error.column) == (line, column), str(error)
    assert message.replace("＋", "+") in error.message
    assert hint in error.hint


def test_the_caret_is_under_the_place_even_after_wide_characters() -> None:
    with pytest.raises(ModelSyntaxError) as caught:
        parse("y ~ x\n满意 =~ x1 - x2")
    assert str(caught.value).splitlines()[:3] == [
        "Line 2, column 10: expected '+', found '-'",
        "    满意 =~ x1 - x2",
        "    " + " " * 11 + "^",
    ]


TEXT_TO_UNSUPPORTED = {
    "f =~ x\nlevel: 1\nf =~ x": r"Line 2, column 1: 'level:' blocks are not available.*'group:'",
    "class: 2": r"Line 1, column 1: 'class:' blocks",
    "efa('a')*f1 + efa('a')*f2 =~ x": r"Line 1, column 1: efa\(\) is not available.*efa\(data\)",
    "f =~ efa('a')*x": r"Line 1, column 6: efa\(\)",
    "y ~ rv('s')*x": r"Line 1, column 5: rv\(\) is not available",
    "y ~ prior('N(0,1)')*x": r"Line 1, column 5: prior\(\) is not available.*start\(0.5\)",
}


@pytest.mark.parametrize(("text", "message"), TEXT_TO_UNSUPPORTED.items())
def test_what_is_not_available_is_named(text: str, message: str) -> None:
    with pytest.raises(NotSupported, match=message):
        parse(text)


def test_canonical_text() -> None:
    model = parse(
        "group: 1\nf=~NA*x1+a*start(c(.1,NA))*'x 2'+c(1,NA)*x1:x2;y~0\ngroup: a b\ny|c(a,NA)*t1\n'i e':=a*(b+1)\na<b**2"
    )
    assert unparse(model) == (
        "group: 1\n"
        "f =~ NA*x1\n"
        'f =~ a*start(c(0.1, NA))*"x 2"\n'
        "f =~ c(1, NA)*x1:x2\n"
        "y ~ 0*1\n"
        'group: "a b"\n'
        "y | c(a, NA)*t1\n"
        '"i e" := a*(b + 1)\n'
        "a < b^2\n"
    )


def test_a_statement_outside_the_groups_cannot_be_written_after_one_inside() -> None:
    inside, outside = Statement("~", "y", Term("x"), "1"), Statement("~", "z", Term("x"))
    assert parse(unparse(ModelText((outside, inside)))) == ModelText((outside, inside))
    with pytest.raises(SpecificationError, match="outside a group"):
        unparse(ModelText((inside, outside)))


# Names of every kind, such as a parsed model can hold: never blank, in NFC, and without one kind of quotes.
PLAIN_NAMES = st.sampled_from(["x1", "y", "f.a_2", "c", "start", "exp", "满意度", "é", "group", "_z", "t1", "e1"])
ODD_NAMES = st.sampled_from(
    ["my item", "x＋1", "x１", "1", "3a", "NA", "nan", "it's", 'a"b', "a`'b", "x;#!1", "x:1", "", " "]
)
NAMES = PLAIN_NAMES | ODD_NAMES.filter(str.strip) | st.builds("{}:{}".format, PLAIN_NAMES, PLAIN_NAMES)
VALUES = st.floats(-1e6, 1e6).map(lambda value: value + 0.0) | st.sampled_from([0.0, 1.0, 1e-300, 1e300])
EXPRESSIONS = st.sampled_from(["a", "a*b + 'x y'", "-2^2", "exp(-a)/(1 + b)", "(a - b) - (c - d)", "1e-5"]).map(
    parse_expression
)


def _entries(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    several = st.lists(values | st.none(), min_size=2, max_size=3).filter(
        lambda listed: any(v is not None for v in listed)
    )
    return st.tuples(values) | several.map(tuple)


MODIFIERS: dict[str, st.SearchStrategy[tuple[object, ...]]] = {
    "value": _entries(VALUES) | st.sampled_from([(None,), (None, None)]),
    "label": _entries(NAMES),
    "start": _entries(VALUES),
    "equal": _entries(st.sampled_from(["f =~ x1", '"my f" =~ x1', "y ~ 1", "x1 ~~ x2", "y | t1"])),
    "lower": _entries(VALUES),
    "upper": _entries(VALUES),
}


@st.composite
def _terms(draw: st.DrawFn, name: str) -> Term:
    modifiers = []
    for kind in draw(st.lists(st.sampled_from(sorted(MODIFIERS)), unique=True, max_size=3)):
        values = draw(MODIFIERS[kind])
        free = all(value is None for value in values)
        modifiers.append(Modifier(("free" if free else "fixed") if kind == "value" else kind, values))  # type: ignore[arg-type]
    return Term(name, tuple(modifiers))


@st.composite
def _models(draw: st.DrawFn) -> ModelText:
    statements = []
    for block in [
        "",
        *draw(st.lists(st.sampled_from(["1", "Grant-White", "a b", "x~;#", "it's"]), unique=True, max_size=2)),
    ]:
        for _ in range(draw(st.integers(0 if block else 1, 4))):
            op = draw(st.sampled_from(["=~", "~", "~~", "~1", "|", "<~", "~*~"]))
            name = "" if op == "~1" else draw(st.sampled_from(["t1", "t12"]) if op == "|" else NAMES)
            statements.append(Statement(op, draw(NAMES), draw(_terms(name)), block))
    definitions = draw(st.lists(st.builds(Definition, NAMES, EXPRESSIONS), max_size=2))
    constraints = draw(
        st.lists(st.builds(Constraint, st.sampled_from(["==", "<", ">"]), EXPRESSIONS, EXPRESSIONS), max_size=2)
    )
    return ModelText(tuple(statements), tuple(definitions), tuple(constraints))


@settings(derandomize=True, max_examples=300, deadline=None)
@given(_models())
def test_what_is_written_reads_back_as_the_same_model(model: ModelText) -> None:
    text = unparse(model)
    again = parse(text)
    assert again == model
    assert unparse(again) == text


def _survives(text: str) -> None:
    """Read a text, or fail with an error that points into it; anything else is a crash."""
    caught: Exception | None = None
    try:
        model = parse(text)
    except (ModelSyntaxError, NotSupported) as error:
        caught = error
    if isinstance(caught, ModelSyntaxError):
        lines = text.splitlines() or [""]
        assert 1 <= caught.line <= len(lines)
        assert 1 <= caught.column <= len(lines[caught.line - 1]) + 1
    if caught is None:
        assert parse(unparse(model)) == model


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.text() | st.text(alphabet="fxy1 2a.=~*+-/^()<>|:;,?!#\"'`\n\u3000＝～＊\u1fefNAc"))
def test_no_text_crashes_the_reader(text: str) -> None:
    _survives(text)


SIGNS = "( ) , + - * / ^ ** ? : ; | ~ ~1 =~ ~~ ~*~ <~ := == < > = # ! ' \" ＝～ （ ） “ ” @"
PIECES = "f x1 y NA nan c( start( equal( label( efa( sqrt( 1 0 .5 1e3 2a 'a' `d` group: level: DEFINE( 满意 t1 a:b"
WORDS = st.sampled_from([*SIGNS.split(" "), *PIECES.split(" "), '"b c"', "\n", " ", "\r\n"])


@settings(derandomize=True, max_examples=600, deadline=None)
@given(st.lists(WORDS, max_size=14).map(" ".join))
def test_no_sequence_of_words_crashes_the_reader(text: str) -> None:
    _survives(text)


@settings(derandomize=True, max_examples=600, deadline=None)
@given(st.sampled_from(sorted(TEXT_TO_STATEMENTS)), st.data())
def test_no_mutation_of_a_model_crashes_the_reader(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 3))
        text = text[:at] + data.draw(WORDS | st.just("")) + text[at + cut :]
    _survives(text)


# Each took minutes or for ever in a reader built on backtracking patterns; a second is generous for a slow machine.
LONG_TEXTS = {
    "one word": "A" * 2000,
    "a sentence": "IMAGE_QUALITY is the first construct here; see ref " * 40,
    "stray semicolon": "SATISFACTION_WITH_SERVICE =~ CUSA1 + CUSA2;" + " A" * 2000,
    "signs": "f =~ " + "~" * 2000,
    "open parentheses": "f =~ " + "c(" * 2000,
    "open parentheses on many lines": "f =~ c(\n" * 2000,
    "signs of numbers": "f =~ " + "-" * 2000 + "1*x",
    "blank lines": "f =~ x" + "\n" * 20000 + "+ x2",
    "comments": "# ~\n" * 20000,
    "digits": "f =~ " + "1" * 2000 + "e" * 2000,
    "marks": "e" + "\u0301" * 2000 + " ~ x",
}


@pytest.mark.parametrize("name", LONG_TEXTS)
def test_no_text_is_slow(name: str) -> None:
    began = time.perf_counter()
    _survives(LONG_TEXTS[name])
    assert time.perf_counter() - began < 1.0


def test_reading_time_grows_with_length_only() -> None:
    line = "Loyalty_{0} =~ 1*item_{0}_1 + a{0}*item_{0}_2 + start(0.5)*item_{0}_3\n"
    text = "".join(line.format(number) for number in range(5000))
    began = time.process_time()
    model = parse(text)
    assert len(model.statements) == 15000
    assert time.process_time() - began < 10.0
    wide = "f =~ " + " + ".join(f"x{number}" for number in range(5000))
    assert len(parse(wide).statements) == 5000
