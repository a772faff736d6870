r"""Verification: every number in a finished text that claims to come from a result, held against the result.

What counts as a claim: ``#claim("key")[text]`` and ``#claim("key", [text])`` in Typst, ``\semclaim{key}{text}`` in
LaTeX, ``<span data-claim="key">text</span>`` in Markdown, and in Word the content controls that our writer makes. A
Typst text that reads numbers from results.json when it is compiled, by ``#val("key")``, ``#value("key")`` or
``#claim("key")`` alone, has no text of its own: there the address must exist, and the stored results.json must be that
of the study.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.claims import ClaimBook
from sem_loyalty.publish.manuscripts.text import STUDY_MARK

KINDS = (".typ", ".tex", ".md", ".docx")
TOLERANCE = 1e-6
_INJECTED = re.compile(r'#(?:val|value)\(\s*"((?:[^"\\]|\\.)*)"')
# "#let share(key) = [#val(key, form: ...)]": a paper's own name for a way to print a value.
_SHORTHAND = re.compile(r"#let (\w+)\((\w+)\) = \[?#?val\(\2\b")
_CALL = re.compile(r'#claim\(\s*"((?:[^"\\]|\\.)*)"\s*(?:\)\s*\[|,\s*\[)')
# Without a text of its own: the template prints what results.json says.
_BARE = re.compile(r'#claim\(\s*"((?:[^"\\]|\\.)*)"\s*\)(?!\[)')
_SPAN = re.compile(r'<span data-claim="([^"]*)">(.*?)</span>', re.DOTALL)
_MACRO = re.compile(r"(?<!\\newcommand)(?<!\\providecommand)\\semclaim\s*\{")
_IMPORT = re.compile(r'#import "([^"@]+\.typ)"')
# A comment begins with // that no backslash and no colon (https://) stands before; strings hold neither here.
_COMMENT = re.compile(r"(?m)(?<![:\\/])//[^\n]*|(?<!\\)/\*.*?\*/", re.DOTALL)
_STORED = re.compile(r'json\(\s*"([^"]+\.json)"')


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A claim that the results do not bear out.

    Attributes
    ----------
    place : str
        "line 12"; in Word, "value 12", counted over the document.
    key : str
        The address; in a comparison of two results.json the place in the file.
    text : str
        As it stands in the document.
    expected : str
        What the results say; "" where the address does not exist.
    reason : str
        Why, where it is not just another number.
    """

    place: str
    key: str
    text: str
    expected: str
    reason: str = ""

    def __str__(self) -> str:
        said = f"{self.place}: {self.key}"
        if self.reason:
            return f"{said}: {self.reason}"
        return f"{said}: the text says {self.text!r}, the results say {self.expected!r}."


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found in a document.

    Attributes
    ----------
    path : str
        The document.
    claims : int
        Claims found.
    mismatches : tuple of Mismatch
    warnings : tuple of str
        What keeps the verification from meaning much: no claim, results of a fit that is not certified.
    against : str
        What it was held against.
    certified : bool, default True
        Whether the fit behind the results is certified; where it is not, no agreement makes its numbers reportable.
    """

    path: str
    claims: int
    mismatches: tuple[Mismatch, ...] = field(default=())
    warnings: tuple[str, ...] = ()
    against: str = ""
    certified: bool = True

    @property
    def holds(self) -> bool:
        """Whether every claim agrees with the results."""
        return not self.mismatches

    def __str__(self) -> str:
        count = f"{self.claims} {'claim' if self.claims == 1 else 'claims'}"
        lines = [f"{self.path}: {count}, held against {self.against}."]
        lines += [f"Warning: {warning}" for warning in self.warnings]
        if self.holds:
            lines.append("All agree." if self.claims else "Nothing to verify.")
        else:
            wrong = len(self.mismatches)
            lines.append(f"{wrong} {'does' if wrong == 1 else 'do'} not agree:")
            lines += [f"  {mismatch}" for mismatch in self.mismatches]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class _Found:
    place: str
    key: str
    text: str | None  # None: read from results.json when the document is compiled


def verify_text(
    path: str | Path, results: Mapping[str, Any], *, against: str = "the results", stored: bool = True
) -> Verification:
    """Hold every claim of a document against results.

    Parameters
    ----------
    path : str or Path
        A document: .typ, .tex, .md or .docx.
    results : mapping
        From `Results.to_dict`, or read from results.json.
    against : str
        What the results are called in the report.
    stored : bool, default True
        Whether the results.json that a Typst document reads must equal `results`; every number to a relative
        tolerance of 1e-6.

    Returns
    -------
    Verification

    Raises
    ------
    ConfigurationError
        The kind of the file is unknown, or it is not a text.
    OSError
        It cannot be read.
    """
    path = Path(path)
    found = list(_claims(path))
    if "estimates" not in results:
        return _own_results(path, found, results, against, stored=stored)
    book = ClaimBook(results)
    wrong: list[Mismatch] = []
    for claim in found:
        try:
            result = book.resolve(claim.key)
        except ConfigurationError as error:
            wrong.append(Mismatch(claim.place, claim.key, claim.text or "", "", str(error)))
            continue
        if claim.text is not None and not result.agrees(claim.text):
            wrong.append(Mismatch(claim.place, claim.key, claim.text, result.text(book.lang)))
    if stored:
        wrong += _stored(path, results)
    warned = []
    if not found:
        warned.append("the document holds no claim; nothing in it was verified.")
    certified = bool(results.get("certified", True))
    if not certified:
        warned.append("the fit is not certified; agreement does not make its numbers reportable.")
    return Verification(path.name, len(found), tuple(wrong), tuple(warned), against, certified)


def _own_results(
    path: Path, found: list[_Found], results: Mapping[str, Any], against: str, *, stored: bool
) -> Verification:
    """Hold a Typst paper against results of its own form, whose addresses are places in results.json."""
    if path.suffix.lower() != ".typ":
        raise ConfigurationError(f"{path}: these results are not those of a study; only a Typst text can name them.")
    wrong = [
        Mismatch(claim.place, claim.key, claim.text or "", "", "the results have no one value at this address.")
        for claim in found
        if claim.text is not None or not _has(results, claim.key)
    ]
    wrong += _stored(path, results) if stored else []
    warned = () if found else ("the document holds no claim; nothing in it was verified.",)
    return Verification(path.name, len(found), tuple(wrong), warned, against)


def _has(results: Any, key: str) -> bool:
    """Return whether one value stands under "a/b/c"; numbers index lists from 0, as in the paper's template."""
    for part in key.split("/"):
        if isinstance(results, Mapping) and part in results:
            results = results[part]
        elif isinstance(results, list) and part.isdecimal() and int(part) < len(results):
            results = results[int(part)]
        else:
            return False
    return results is not None and not isinstance(results, (Mapping, list))


def study_of(path: str | Path) -> str:
    """Return the study file that a document names in its first lines; "" where it names none.

    Parameters
    ----------
    path : str or Path
        A document. Typst, LaTeX and Markdown of this package name it in a comment, "sem-loyalty study: study.toml".
    """
    path = Path(path)
    if path.suffix.lower() == ".docx":
        return ""
    for line in _text(path).splitlines()[:20]:
        _, mark, after = line.partition(STUDY_MARK)
        if mark:
            return after.replace("-->", "").strip()
    return ""


def read_results(path: str | Path) -> dict[str, Any]:
    """Return a stored results.json.

    Raises
    ------
    ConfigurationError
        It is not a results.json.
    OSError
        It cannot be read.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigurationError(f"{path} is no results.json: {error}") from error
    # A study's results have estimates; those of a paper's own compute.py name their inputs.
    if not isinstance(found, dict) or not found.keys() & {"estimates", "inputs"}:
        raise ConfigurationError(f"{path} is no results.json of a study: it has no estimates.")
    return found


def _claims(path: Path) -> Iterator[_Found]:
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise ConfigurationError(f"{path}: claims are read from {', '.join(KINDS)}, not from '{kind or path.name}'.")
    if kind == ".docx":
        yield from _in_word(path.read_bytes())
        return
    text = _text(path)
    reader = {".typ": _in_typst, ".tex": _in_latex, ".md": _in_markdown}[kind]
    for start, key, said in reader(text):
        yield _Found(f"line {text.count(chr(10), 0, start) + 1}", key, said)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not text in UTF-8: {error}") from error


def _blanked(text: str, comment: re.Pattern[str]) -> str:
    """Return a text with its comments blanked, so that places stay."""
    return comment.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def _in_typst(text: str) -> Iterator[tuple[int, str, str | None]]:
    text = _blanked(text, _COMMENT)
    found: list[tuple[int, str, str | None]] = []
    for match in _CALL.finditer(text):
        body = _balanced(text, match.end(), "[", "]")
        plain = re.sub(r"#\w+\[|\]|(?<!\\)[*_]", "", body) if "#" in body else re.sub(r"(?<!\\)[*_]", "", body)
        plain = plain.replace("~", "\u00a0").replace("---", "—").replace("--", "–")
        found.append((match.start(), _unescaped(match[1]), re.sub(r"\\(.)", r"\1", plain)))
    names = ["val", "value", *(match[1] for match in _SHORTHAND.finditer(text))]
    injected = re.compile(rf'#(?:{"|".join(names)})\(\s*"((?:[^"\\]|\\.)*)"')
    for pattern in (injected, _BARE):
        found += [(match.start(), _unescaped(match[1]), None) for match in pattern.finditer(text)]
    yield from sorted(found, key=lambda entry: entry[0])


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _balanced(text: str, start: int, opening: str, closing: str) -> str:
    """Return what stands up to the bracket that closes the one before `start`."""
    depth, position = 1, start
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 2
            continue
        depth += (character == opening) - (character == closing)
        if depth == 0:
            return text[start:position]
        position += 1
    return text[start:]


_LATEX_WORDS = {
    r"\textless": "<", r"\textgreater": ">", r"\%": "%", r"\$": "$", r"\&": "&", r"\#": "#", r"\_": "_", r"\,": " ",
    r"\infty": "∞", r"\leq": "≤", r"\geq": "≥", r"\ ": " ",
}  # fmt: skip


def _in_latex(text: str) -> Iterator[tuple[int, str, str | None]]:
    text = _blanked(text, re.compile(r"(?m)(?<!\\)%[^\n]*"))
    for match in _MACRO.finditer(text):
        key = _balanced(text, match.end(), "{", "}")
        rest = match.end() + len(key) + 1
        brace = re.compile(r"\s*\{").match(text, rest)
        if brace is None or "#" in key:
            continue
        said = _balanced(text, brace.end(), "{", "}")
        yield match.start(), key, _plain_latex(said)


def _plain_latex(text: str) -> str:
    """Return LaTeX as the text that it prints, as far as numbers and words need it."""
    for command, plain in _LATEX_WORDS.items():
        text = text.replace(command + "{}", plain).replace(command, plain)
    text = re.sub(r"\\(?:textit|emph|mathrm|num|text)\s*", "", text)
    text = re.sub(r"[{}$]", "", text).replace("~", " ")
    return text.replace("---", "—").replace("--", "–")


def _in_markdown(text: str) -> Iterator[tuple[int, str, str | None]]:
    text = _blanked(text, re.compile(r"<!--.*?-->", re.DOTALL))
    for match in _SPAN.finditer(text):
        said = re.sub(r"\\([\\`*_{}\[\]<>#|~$&!.+-])", r"\1", re.sub(r"(?<!\\)[*_]", "", match[2]))
        yield match.start(), html.unescape(match[1]), html.unescape(said)


def _in_word(data: bytes) -> Iterator[_Found]:
    """Yield the values of a Word file, which stand in content controls."""
    reader = import_module("sem_loyalty.publish.word.values")  # python-docx is slow to import
    for number, value in enumerate(reader.read_values(data), start=1):
        yield _Found(f"value {number}", value.key, value.text)


def _stored(path: Path, results: Mapping[str, Any]) -> list[Mismatch]:
    """Return where the results.json that a Typst document reads differs from the results."""
    if path.suffix.lower() != ".typ":
        return []
    text = _text(path)
    if not (_INJECTED.search(text) or _BARE.search(text)):
        return []
    wrong: list[Mismatch] = []
    parts = [text, *(_text(file) for name in _IMPORT.findall(text) if (file := path.parent / name).is_file())]
    for name in dict.fromkeys(name for part in parts for name in _STORED.findall(_blanked(part, _COMMENT))):
        file = path.parent / name
        if not file.is_file():
            wrong.append(Mismatch(name, name, "", "", "the document reads this file, which does not exist."))
            continue
        wrong += [Mismatch(name, *entry) for entry in differences(read_results(file), portable(results))]
    return wrong


def portable(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return results as they are when they have been written to results.json and read again."""
    from sem_loyalty.publish.manifest import to_json

    found: dict[str, Any] = json.loads(to_json(results))
    return found


def differences(stored: Any, expected: Any, where: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield place, stored and expected value of everything in which two results.json differ.

    Parameters
    ----------
    stored, expected : JSON values
        Numbers agree to a relative tolerance of 1e-6.
    where : str
        Place of both, with "/" between its parts.
    """
    if isinstance(stored, Mapping) and isinstance(expected, Mapping):
        for key in sorted({*stored, *expected}):
            yield from differences(stored.get(key), expected.get(key), f"{where}/{key}" if where else str(key))
    elif isinstance(stored, list) and isinstance(expected, list) and len(stored) == len(expected):
        for position, (one, other) in enumerate(zip(stored, expected, strict=True), start=1):
            yield from differences(one, other, f"{where}/{position}")
    elif not _same(stored, expected):
        yield where, str(stored), str(expected)


def _same(one: Any, other: Any) -> bool:
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (one, other))
    # What is zero but for rounding has no digits that could agree.
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-9) if numbers else bool(one == other)
