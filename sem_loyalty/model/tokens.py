"""Tokens: a model text cut into names, numbers, strings and operators, each with its place in the source."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sem_loyalty.errors import ModelSyntaxError

OPERATORS: Final = frozenset({"=~", "~", "~~", "~*~", "<~", "|", ":=", "==", "<", ">", "="})
"""What divides a statement into left and right; a lone "=" is read as one so that it can be explained."""

BLOCKS: Final = frozenset({"group", "level", "class", "block"})
"""Words that open a block when a colon follows them at the start of a statement."""

FOREIGN: Final = {
    "DEFINE": "Latent variables are those on the left of =~; name ordered items in the call that fits the model.",
    "START": "Write a starting value on the term itself: f =~ start(0.5)*x.",
    "BOUND": "Write bounds on the term itself, y ~ lower(0)*x, or on its label on lines of their own: a > 0.",
    "CONSTRAINT": "Write a constraint on a line of its own: a == 2*b, a > 0 or a < 1.",
}
"""Statements of semopy's dialect, with what to write instead."""

# Longest first: "~*~" must not be read as "~", "*", "~".
_SYMBOLS: Final = ("~*~", "=~", "~~", "<~", "==", ":=", "**", *"~|<>=+-*/^(),;:?")
_CONTINUED: Final = OPERATORS | frozenset("+-*/^(,:?")
_QUOTES: Final = "\"'`"
_RESERVED: Final = frozenset({"na", "nan", "inf", "infinity"})
_ZERO_WIDTH: Final = frozenset("\ufeff\u200b\u2060")

# Each full-width or typographic sign stands for one ASCII sign, so columns stay those of the source. Letters
# are left alone: a full-width letter is another letter of the name, not another way to write an operator.
_PLAIN: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if not chr(code).isalpha()} | str.maketrans(
    "∼〜˜−–∗“”„‘’‚", "~~~--*\"\"\"'''"
)
_HEADER: Final = re.compile(r"(group|level|class|block)[ \t]*:(?!=)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the source.

    Attributes
    ----------
    kind : str
        "name", "string", "number", "newline", "end", a word of `BLOCKS` (then `text` is the label of the block),
        or the sign itself, in ASCII.
    text : str
        What was written: NFC for names and strings (without quotes), ASCII for signs and numbers.
    line, column : int
        Where it begins in the source, counted from 1.
    width : int
        Characters of the source that it takes.
    """

    kind: str
    text: str
    line: int
    column: int
    width: int

    def __str__(self) -> str:
        return "the end of the statement" if self.kind == "end" else f"'{self.text}'"


def tokenize(source: str) -> list[Token]:
    """Cut a text into tokens in one pass, a "newline" after every line that holds any; comments and blanks are dropped.

    Raises
    ------
    ModelSyntaxError
        A sign that is no part of the language, an unclosed quote, or a name that begins with a digit.
    """
    tokens: list[Token] = []
    for number, line in enumerate(source.splitlines(), 1):
        _scan(source, number, line, tokens)
        if tokens and tokens[-1].kind != "newline":
            tokens.append(Token("newline", "", number, len(line) + 1, 0))
    return tokens


def _scan(source: str, number: int, line: str, tokens: list[Token]) -> None:
    plain = line.translate(_PLAIN)
    # A line that follows "+" goes on, so "group:x" there is an interaction and not the head of a block.
    last = next((token for token in reversed(tokens) if token.kind != "newline"), None)
    opening = last is None or last.kind not in _CONTINUED
    at = 0
    while at < len(plain):
        sign = plain[at]
        if sign.isspace() or sign in _ZERO_WIDTH:
            at += 1
            continue
        if sign in "!#":
            return
        if opening and (header := _HEADER.match(plain, at)):
            token = _block(source, number, line, plain, at, header)
        elif sign in _QUOTES:
            token = _string(source, number, line, plain, at)
        elif found := _NUMBER.match(plain, at):
            token = _number(source, number, plain, at, found)
        elif _begins_name(plain, at):
            end = _end_of_name(plain, at)
            token = Token("name", unicodedata.normalize("NFC", plain[at:end]), number, at + 1, end - at)
        else:
            token = _symbol(source, number, line, plain, at)
        tokens.append(token)
        opening = token.kind == ";"
        at += token.width


def _block(source: str, number: int, line: str, plain: str, at: int, header: re.Match[str]) -> Token:
    word, start = header[1].lower(), header.end()
    while start < len(plain) and plain[start].isspace():
        start += 1
    if start < len(plain) and plain[start] in _QUOTES:
        label = _string(source, number, line, plain, start)
        text, end = label.text, start + label.width
    else:
        end = next((i for i in range(start, len(plain)) if plain[i] in ";!#"), len(plain))
        text = unicodedata.normalize("NFC", line[start:end].strip())
        if "~" in plain[start:end] or all(quote in text.translate(_PLAIN) for quote in _QUOTES):
            hint = f"Give the formula a line of its own after '{word}:', and quote a label with special signs."
            message = f"'{text}' is not the label of a block"
            raise ModelSyntaxError(message, source=source, line=number, column=start + 1, hint=hint)
    if not text.strip():
        hint = f"Write the label of the block on the same line: {word}: 1"
        raise ModelSyntaxError(f"'{word}:' without a label", source=source, line=number, column=at + 1, hint=hint)
    return Token(word, text, number, at + 1, end - at)


def _string(source: str, number: int, line: str, plain: str, at: int) -> Token:
    end = plain.find(plain[at], at + 1)
    if end < 0:
        hint = f"Close it with {plain[at]} on the same line."
        raise ModelSyntaxError("this quote is never closed", source=source, line=number, column=at + 1, hint=hint)
    text = unicodedata.normalize("NFC", line[at + 1 : end])
    if all(quote in text.translate(_PLAIN) for quote in _QUOTES):
        message = "a quoted name may hold two kinds of quotes but not all three"
        raise ModelSyntaxError(message, source=source, line=number, column=at + 1)
    return Token("string", text, number, at + 1, end + 1 - at)


def _number(source: str, number: int, plain: str, at: int, found: re.Match[str]) -> Token:
    end = _end_of_name(plain, found.end())
    if end > found.end():
        written = plain[at:end]
        hint = f'Names and labels start with a letter; quote one that cannot: "{written}".'
        message = f"'{written}' is neither a number nor a name"
        raise ModelSyntaxError(message, source=source, line=number, column=at + 1, hint=hint)
    if float(found[0]) == float("inf"):
        raise ModelSyntaxError(f"{found[0]} is too large", source=source, line=number, column=at + 1)
    return Token("number", found[0], number, at + 1, end - at)


def _symbol(source: str, number: int, line: str, plain: str, at: int) -> Token:
    for symbol in _SYMBOLS:
        if plain.startswith(symbol, at):
            return Token("^" if symbol == "**" else symbol, symbol, number, at + 1, len(symbol))
    hints = {
        "@": "A fixed value stands before its variable: 1*x.",
        "&": "Join variables with +.",
        "%": "Comments begin with # or !.",
        "、": "Join variables with +.",
        "。": "Statements end at the end of the line or with a semicolon.",
        "≥": "Write >: bounds include their end point.",
        "≤": "Write <: bounds include their end point.",
    }
    message = f"unexpected character {line[at]!r} (U+{ord(line[at]):04X})"
    hint = hints.get(plain[at], 'A name with special signs needs quotes: "x$1".')
    raise ModelSyntaxError(message, source=source, line=number, column=at + 1, hint=hint)


def _begins_name(plain: str, at: int) -> bool:
    sign, following = plain[at], plain[at + 1 : at + 2]
    return sign.isalpha() or sign == "_" or (sign == "." and (following.isalpha() or following == "_"))


def _end_of_name(plain: str, at: int) -> int:
    # Marks are those of decomposed letters (é typed as e and an accent) and of the scripts of India.
    while at < len(plain) and (plain[at].isalnum() or plain[at] in "._" or unicodedata.category(plain[at])[0] == "M"):
        at += 1
    return at


def is_reserved(name: str) -> bool:
    """Tell whether a bare word means a missing or infinite number and so cannot be a label."""
    return name.casefold() in _RESERVED


def write_name(name: str, *, interaction: bool = False) -> str:
    """Return a name as it must be written: bare where that reads back as the same name, quoted otherwise.

    Parameters
    ----------
    name : str
        A name of a variable or a label.
    interaction : bool, default False
        Whether "x1:x2" may stay bare: it may for a variable, not for a label.
    """
    parts = name.split(":") if interaction else [name]
    bare = all(part and _begins_name(part, 0) and _end_of_name(part, 0) == len(part) for part in parts)
    opens_block = len(parts) > 1 and parts[0].lower() in BLOCKS
    ascii_signs = name.translate(_PLAIN) == name and unicodedata.is_normalized("NFC", name)
    return name if bare and ascii_signs and not opens_block and not any(map(is_reserved, parts)) else quote(name)


def quote(text: str) -> str:
    """Return the text in the first kind of quotes that does not occur in it."""
    return next(sign + text + sign for sign in _QUOTES if sign not in text.translate(_PLAIN))


def split_statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield the tokens of each statement.

    A semicolon ends a statement. A line goes on with the statement before it where a parenthesis is open or
    where it has no operator of its own, as in lavaan; a line that begins with an operator finds its left-hand
    side on the line before.
    """
    current: list[Token] = []
    segment: list[Token] = []
    depth = 0
    for token in tokens:
        if token.kind not in {"newline", ";"}:
            segment.append(token)
            continue
        if segment:
            if depth <= 0 and current and _opens(segment, current):
                yield current
                current, depth = [], 0
            current += segment
            depth += sum((piece.kind == "(") - (piece.kind == ")") for piece in segment)
            segment = []
        if token.kind == ";" and current:
            yield current
            current, depth = [], 0
    if current:
        yield current


def _opens(segment: list[Token], current: list[Token]) -> bool:
    first, foreign = segment[0], segment[0].text in FOREIGN and len(segment) > 1 and segment[1].kind == "("
    if first.kind in BLOCKS or current[0].kind in BLOCKS or foreign:
        return True
    if first.kind in OPERATORS:
        return any(token.kind in OPERATORS for token in current)
    return any(token.kind in OPERATORS for token in segment)


class Place(Protocol):
    """Anything that knows where it stands in the source."""

    @property
    def line(self) -> int:
        """Line, counted from 1."""

    @property
    def column(self) -> int:
        """Column, counted from 1."""


class Cursor:
    """A place in the tokens of one statement.

    Parameters
    ----------
    source : str
        The whole text, for error messages.
    tokens : sequence of Token
        At least one.
    """

    def __init__(self, source: str, tokens: Sequence[Token]) -> None:
        last = tokens[-1]
        self.source = source
        self.tokens = tokens
        self.at = 0
        self._end = Token("end", "", last.line, last.column + last.width, 0)

    def peek(self, ahead: int = 0) -> Token:
        """Return the next token, or the one `ahead` places further, without taking it."""
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else self._end

    def take(self) -> Token:
        """Return the next token and go past it."""
        token = self.peek()
        self.at += 1
        return token

    def expect(self, kind: str) -> Token:
        """Take a token of this kind, or raise."""
        if self.peek().kind != kind:
            raise self.unexpected(str(self._end) if kind == "end" else f"'{kind}'")
        return self.take()

    def calls(self) -> bool:
        """Tell whether a function call comes next."""
        return self.peek().kind == "name" and self.peek(1).kind == "("

    def variable(self) -> str:
        """Read the name of a variable: a name, a text in quotes, or an interaction "x1:x2"."""
        parts = []
        while True:
            token = self.peek()
            if token.kind not in {"name", "string"}:
                raise self.unexpected("the name of a variable")
            if not token.text.strip():
                raise self.error("an empty name")
            if token.kind == "name" and token.text == "NA":
                raise self.error("'NA' is not a variable", hint='NA* before a variable frees it; quote a name: "NA".')
            parts.append(self.take().text)
            if self.peek().kind != ":":
                return ":".join(parts)
            self.take()

    def error(self, message: str, at: Place | None = None, hint: str = "") -> ModelSyntaxError:
        """Return an error at a place, by default that of the next token."""
        place = at or self.peek()
        return ModelSyntaxError(message, source=self.source, line=place.line, column=place.column, hint=hint)

    def unexpected(self, expected: str, hint: str = "") -> ModelSyntaxError:
        """Return the error that the next token is not what the grammar expects."""
        token, operands = self.peek(), {"name", "string", "number"}
        if self.at and token.kind in operands and self.tokens[self.at - 1].kind in operands | {")"}:
            message = f"missing operator between {self.tokens[self.at - 1]} and {token}"
            return self.error(message, hint=hint or "Join them with an operator, for instance +.")
        return self.error(f"expected {expected}, found {token}", hint=hint)
