"""Cells as text: normalising, and deciding whether a column holds numbers."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sem_loyalty.survey.answers import is_missing

# Read as missing where the rest of the column is numeric; in a text column they stay what they are.
MISSING_WORDS = frozenset({"NA", "N/A", "#N/A", "NAN", "NULL", "#NULL!", "NONE", ".", "-", "--"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060"))
# Above this length an integer is an identifier: float64 holds 15 digits without loss.
_DIGITS = 15


def clean(text: str) -> str:
    """Return text in Unicode NFKC form (full-width digits become plain), without outer blanks or invisible marks."""
    return unicodedata.normalize("NFKC", text).translate(_INVISIBLE).replace("−", "-").strip()


def tidy_name(text: str) -> str:
    """Return a column name without outer blanks (also full-width ones), line ends or invisible marks."""
    return " ".join(text.translate(_INVISIBLE).replace("\u3000", " ").split())


def has_chinese(text: str) -> bool:
    """Return True where a text holds a Chinese character."""
    return any("\u4e00" <= character <= "\u9fff" or "\u3400" <= character <= "\u4dbf" for character in text)


@dataclass(frozen=True, slots=True)
class Settled:
    """A column with its type decided.

    Attributes
    ----------
    series : Series
        Floats or integers for numbers, str with NaN for text, objects for dates and mixed cells.
    notes : tuple of str
        What was left as it is, and why, without the name of the column.
    words: tuple of (str, int)
        Words read as missing in a numeric column, and how often.
    """

    series: pd.Series
    notes: tuple[str, ...] = ()
    words: tuple[tuple[str, int], ...] = ()


def _is_identifier(text: str) -> bool:
    digits = text.lstrip("+-")
    return digits.isdigit() and (len(digits) > _DIGITS or (len(digits) > 3 and digits.startswith("0")))


def _number(text: str, decimal_comma: bool) -> float | None:
    if decimal_comma and _DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    return float(text) if _NUMBER.fullmatch(text) else None


def _text_column(values: Sequence[object]) -> pd.Series:
    cells = [None if is_missing(value) or not str(value).strip() else str(value).strip() for value in values]
    return pd.Series(cells, dtype=object).astype("str") if any(cells) else pd.Series(np.full(len(cells), np.nan))


def settle(values: Sequence[object], *, decimal_comma: bool = False) -> Settled:
    """Decide whether cells are numbers, and convert them if every one is.

    Blank cells are missing. Text is normalised (NFKC, trimmed) before it is read as a number. Identifiers (integers of
    more than 15 digits, or of more than 3 digits with a leading zero) stay text.

    Parameters
    ----------
    values : sequence
        Cells: str, numbers, dates, None or NaN.
    decimal_comma : bool, default False
        Read "3,5" as 3.5.

    Returns
    -------
    Settled
    """
    kinds = {type(value) for value in values if not is_missing(value)}
    if any(issubclass(kind, datetime.date | datetime.time | datetime.timedelta) for kind in kinds):
        return Settled(pd.Series(list(values), dtype=object).infer_objects())
    if kinds == {bool}:
        return Settled(pd.Series([np.nan if is_missing(v) else float(bool(v)) for v in values], dtype=float))
    numbers: dict[object, float | None] = {}
    words: dict[str, int] = {}
    stray: list[tuple[int, str]] = []
    identifiers = 0
    column = np.full(len(values), np.nan)
    for row, value in enumerate(values):
        if isinstance(value, str):
            if value not in numbers:
                text = clean(value)
                if not text or text.upper() in MISSING_WORDS:
                    numbers[value] = float("nan")
                else:
                    numbers[value] = None if _is_identifier(text) else _number(text, decimal_comma)
            number = numbers[value]
            if number is None:
                stray.append((row, value))
                identifiers += _is_identifier(clean(value))
            else:
                column[row] = number
                if number != number and clean(value):
                    words[clean(value)] = words.get(clean(value), 0) + 1
        elif not is_missing(value):
            if isinstance(value, int | float | np.number):
                column[row] = float(value)
            else:
                stray.append((row, str(value)))
    if stray:
        return Settled(_text_column(values), _stray_notes(stray, identifiers, int(np.isfinite(column).sum())))
    if np.isnan(column).all():
        if words:
            return Settled(_text_column(values))
        return Settled(pd.Series(column))
    whole = bool(np.isfinite(column).all() and (column == np.round(column)).all() and np.abs(column).max() < 2**53)
    return Settled(pd.Series(column.astype(np.int64) if whole else column), words=tuple(sorted(words.items())))


def _stray_notes(stray: list[tuple[int, str]], identifiers: int, numeric: int) -> tuple[str, ...]:
    if identifiers == len(stray):
        return ("long or zero-led digit strings kept as text (identifiers)",)
    if numeric > len(stray):
        row, value = stray[0]
        return (f"{len(stray)} cells are not numbers (row {row + 1}: {value!r}), so the column stays text",)
    return ()
