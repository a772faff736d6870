"""One exception tree and one warning tree: what went wrong, where, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SemLoyaltyError(Exception):
    """Base of every error that this package raises on purpose; the command line prints it and exits with 2."""


class ModelSyntaxError(SemLoyaltyError):
    """A model text that cannot be read.

    Parameters
    ----------
    message : str
        What was found and what was expected.
    source : str
        The whole model text.
    line, column : int
        Where, counted from 1.
    hint : str, default ""
        What to do, for instance the nearest known name.
    """

    def __init__(self, message: str, *, source: str, line: int, column: int, hint: str = "") -> None:
        lines = source.splitlines() or [""]
        shown = lines[line - 1] if line <= len(lines) else ""
        # East Asian characters fill two cells of a terminal, so the caret is set by display width.
        caret = " " * display_width(shown[: column - 1]) + "^"
        text = f"Line {line}, column {column}: {message}\n    {shown}\n    {caret}"
        super().__init__(text + (f"\n{hint}" if hint else ""))
        self.message = message
        self.line = line
        self.column = column
        self.hint = hint


class SpecificationError(SemLoyaltyError):
    """A model that can be read but makes no sense: an unknown name, a contradiction, an unidentified model."""


class DataError(SemLoyaltyError):
    """Data that cannot be analysed as asked."""


class ConfigurationError(SemLoyaltyError):
    """A study file, an option or a path that cannot be used."""


class NotSupported(SemLoyaltyError):  # noqa: N818 - the name is public
    """A combination that is meaningful but not available; the message names what is."""


class SemLoyaltyWarning(UserWarning):
    """Base of every warning of this package."""


class ImproperSolutionWarning(SemLoyaltyWarning):
    """A fit without certificate: its numbers must not be reported as a result."""


class InferenceWarning(SemLoyaltyWarning):
    """A test that cannot be given, or holds only under a condition the analyst must know about."""


class DataWarning(SemLoyaltyWarning):
    """Data were read or used in a way the analyst must know about."""


def display_width(text: str) -> int:
    """Return the number of terminal cells that a text fills (East Asian wide characters fill two)."""
    import unicodedata

    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def nearest(name: str, known: Iterable[str], *, label: str = "Did you mean") -> str:
    """Return "Did you mean 'x'?" for the known name closest to `name`, or an empty string.

    Parameters
    ----------
    name : str
        What was written.
    known : iterable of str
        What exists.
    label : str, default "Did you mean"
        The words before the suggestion.

    Returns
    -------
    str
        A sentence, or "" where nothing is close.
    """
    candidates = list(dict.fromkeys(known))
    found = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    if not found:
        folded = {candidate.casefold(): candidate for candidate in candidates}
        close = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
        found = [folded[close[0]]] if close else []
    return f"{label} '{found[0]}'?" if found else ""


def check_choice(argument: str, value: object, choices: Iterable[str]) -> None:
    """Raise ConfigurationError unless `value` is one of `choices`; the message lists them."""
    allowed = list(choices)
    if value not in allowed:
        listed = ", ".join(repr(choice) for choice in allowed)
        hint = nearest(str(value), allowed)
        raise ConfigurationError(f"{argument}={value!r} is not one of {listed}. {hint}".strip())
