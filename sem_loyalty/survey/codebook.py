"""Codebook: what each column is called, measures and may hold, and how raw answers become scored items."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from sem_loyalty.errors import DataError, DataWarning, nearest
from sem_loyalty.survey.answers import is_missing, listing
from sem_loyalty.survey.cells import clean, has_chinese, tidy_name

#: Key in DataFrame.attrs under which `apply_codebook` leaves the names of the items it turned round.
REVERSED = "sem_loyalty_reversed"
_NAME = re.compile(r"[^\W\d][\w.]*")


@dataclass(frozen=True, slots=True)
class Item:
    """One column of the survey.

    Attributes
    ----------
    column : str
        Header in the file.
    name : str
        Name in models; letters, digits, "_" and ".", not beginning with a digit.
    construct : str, default ""
        What the item measures; "" for background variables.
    reverse : bool, default False
        Whether the item is worded against its construct; scored as min + max - x.
    label_en, label_zh : str, default ""
        Wording of the question.
    min, max : float or None, default None
        Lowest and highest possible answer.
    missing : tuple of float or str, default ()
        Codes that mean "no answer".
    missing_ranges : tuple of (float, float), default ()
        Closed ranges of such codes.
    value_labels : tuple of (float or str, str), default ()
        Labels of the codes.
    """

    column: str
    name: str
    construct: str = ""
    reverse: bool = False
    label_en: str = ""
    label_zh: str = ""
    min: float | None = None
    max: float | None = None
    missing: tuple[float | str, ...] = ()
    missing_ranges: tuple[tuple[float, float], ...] = ()
    value_labels: tuple[tuple[float | str, str], ...] = ()

    def label(self, language: str = "en") -> str:
        """Return the wording in a language ("en" or "zh"), else in the other one, else the name."""
        first, second = (self.label_zh, self.label_en) if language == "zh" else (self.label_en, self.label_zh)
        return first or second or self.name

    def problems(self) -> list[str]:
        """Return what is wrong with this item, one sentence each."""
        found = []
        if not self.column:
            found.append(f"item '{self.name}' names no column")
        # A column that keeps its header may be called anything; only a name that was chosen must serve in a model.
        if self.name != self.column and not _NAME.fullmatch(self.name):
            found.append(
                f"'{self.column}': the name '{self.name}' cannot stand in a model; use letters, digits, '_' and '.', "
                "beginning with a letter"
            )
        if self.min is not None and self.max is not None and not self.min < self.max:
            found.append(f"'{self.column}': min {self.min:g} is not below max {self.max:g}")
        if self.reverse and (self.min is None or self.max is None):
            found.append(f"'{self.column}': a reversed item needs min and max, since it is scored as min + max - x")
        for low, high in self.missing_ranges:
            if low > high:
                found.append(f"'{self.column}': the missing range {low:g}..{high:g} runs backwards")
        if self.min is not None and self.max is not None:
            inside = [
                f"{code:g}" for code in self.missing if not isinstance(code, str) and self.min <= code <= self.max
            ]
            if inside:
                found.append(f"'{self.column}': the missing code {', '.join(inside)} lies between min and max")
        return found


def labelled_item(column: str, name: str, label: str, **others: Any) -> Item:
    """Return an item whose label goes to the language it is written in."""
    chinese = has_chinese(label)
    return Item(
        column=column, name=name, label_en="" if chinese else label, label_zh=label if chinese else "", **others
    )


@dataclass(frozen=True, slots=True)
class Codebook:
    """Items in the order of the questionnaire.

    Attributes
    ----------
    items : tuple of Item
    """

    items: tuple[Item, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the items in models."""
        return tuple(item.name for item in self.items)

    @property
    def columns(self) -> tuple[str, ...]:
        """Headers of the items in the file."""
        return tuple(item.column for item in self.items)

    def __len__(self) -> int:
        return len(self.items)

    def get(self, name: str) -> Item | None:
        """Return the item of a name, or else of a column, or None."""
        for item in self.items:
            if item.name == name:
                return item
        return next((item for item in self.items if item.column == name), None)

    def constructs(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the items of each construct, both in order of appearance."""
        found: dict[str, list[str]] = {}
        for item in self.items:
            if item.construct:
                found.setdefault(item.construct, []).append(item.name)
        return {construct: tuple(names) for construct, names in found.items()}

    def problems(self) -> list[str]:
        """Return everything that is wrong, one sentence each; an empty list where nothing is."""
        found = [problem for item in self.items for problem in item.problems()]
        for what, values in (("column", self.columns), ("name", self.names)):
            doubled = [value for value in dict.fromkeys(values) if value and values.count(value) > 1]
            found += [f"the {what} '{value}' occurs {values.count(value)} times" for value in doubled]
        return found

    def check(self, source: str = "The codebook") -> Codebook:
        """Return self, or raise one DataError that lists every problem."""
        problems = self.problems()
        if problems:
            raise DataError(f"{source} has {len(problems)} problem(s):\n- " + "\n- ".join(problems))
        return self

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, source: str = "The codebook") -> Codebook:
        """Return the codebook that a table describes: one row per item.

        Parameters
        ----------
        frame : DataFrame
            Columns: column (required), name (default: the column), construct, reverse, label or label_en / label_zh,
            min, max, missing. Chinese heads (列名, 变量名, 维度, 反向, 题项, 最小值, 最大值, 缺失值) are understood.
            Missing codes are separated by ";" or blanks, ranges written "-9..-1".
        source : str
            Where the table is from, for messages.

        Returns
        -------
        Codebook

        Raises
        ------
        DataError
            One, listing every problem.
        """
        # Imported here, since reading a table needs the items defined above.
        from sem_loyalty.survey.codebook_table import items_from_frame

        items, problems = items_from_frame(frame)
        problems += [problem for problem in cls(items).problems() if problem not in problems]
        if problems:
            raise DataError(f"{source} has {len(problems)} problem(s):\n- " + "\n- ".join(problems))
        return cls(items)

    def to_frame(self) -> pd.DataFrame:
        """Return a table that `from_frame` reads back; value labels are left out."""
        rows = []
        for item in self.items:
            codes = [f"{code:g}" if not isinstance(code, str) else code for code in item.missing]
            codes += [f"{low:g}..{high:g}" for low, high in item.missing_ranges]
            rows.append(
                {
                    "column": item.column,
                    "name": item.name,
                    "construct": item.construct,
                    "reverse": int(item.reverse),
                    "label_en": item.label_en,
                    "label_zh": item.label_zh,
                    "min": item.min,
                    "max": item.max,
                    "missing": "; ".join(codes),
                }
            )
        heads = ["column", "name", "construct", "reverse", "label_en", "label_zh", "min", "max", "missing"]
        return pd.DataFrame(rows, columns=heads)

    def located(self, columns: Iterable[str], known: Codebook | None = None) -> Codebook:
        """Return the codebook with every column spelled as in the data.

        Parameters
        ----------
        columns : iterable of str
            Headers of the data.
        known : Codebook, optional
            The file's own codebook; its short names (Q1 for "1、您对...") may stand for the headers, and it fills
            labels, missing codes and value labels that this one leaves blank.

        Returns
        -------
        Codebook

        Raises
        ------
        DataError
            One, listing every column that the data do not have, with the nearest one.
        """
        headers = [str(column) for column in columns]
        loose = {_loose(header): header for header in headers}
        short = {item.name: item.column for item in known.items} if known is not None else {}
        found, absent = [], []
        for item in self.items:
            if item.column in headers:
                header = item.column
            else:
                header = loose.get(_loose(item.column), short.get(item.column, ""))
            if not header:
                absent.append(f"'{item.column}' {nearest(item.column, [*headers, *short])}".strip())
                continue
            found.append(_filled(replace(item, column=header), known.get(header) if known is not None else None))
        if absent:
            raise DataError(
                f"The codebook names columns that the data do not have: {listing(absent)}. "
                f"Columns: {listing(headers, shown=30)}."
            )
        return Codebook(tuple(found)).check()


def _loose(text: str) -> str:
    return "".join(clean(tidy_name(text)).split()).casefold()


def _filled(item: Item, known: Item | None) -> Item:
    if known is None:
        return item
    if not item.label_en and not item.label_zh:
        item = replace(item, label_en=known.label_en, label_zh=known.label_zh)
    if not item.missing and not item.missing_ranges:
        item = replace(item, missing=known.missing, missing_ranges=known.missing_ranges)
    return item if item.value_labels else replace(item, value_labels=known.value_labels)


class HasData(Protocol):
    """Anything with data and a codebook: a Survey."""

    @property
    def data(self) -> pd.DataFrame:
        """The answers."""

    @property
    def codebook(self) -> Codebook:
        """What they mean."""


def is_no_answer(series: pd.Series, item: Item) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return, for each cell, whether it holds one of the item's missing codes."""
    found = np.zeros(len(series), dtype=bool)
    words = {clean(code) for code in item.missing if isinstance(code, str)}
    numbers = [float(code) for code in item.missing if not isinstance(code, str)]
    if pd.api.types.is_numeric_dtype(series.dtype):
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        for number in numbers:
            found |= values == number
        for low, high in item.missing_ranges:
            found |= (values >= low) & (values <= high)
        return found
    texts = words | {f"{number:g}" for number in numbers}
    return np.array([isinstance(value, str) and clean(value) in texts for value in series], dtype=bool)


def apply_codebook(survey: HasData | pd.DataFrame, codebook: Codebook | None = None) -> pd.DataFrame:
    """Return scored data: columns renamed, missing codes set to NaN, reversed items turned round.

    Parameters
    ----------
    survey : Survey or DataFrame
        Answers as read; not changed.
    codebook : Codebook, optional
        Default: the survey's own.

    Returns
    -------
    DataFrame
        Every column of the data; those in the codebook carry their item names. ``attrs["sem_loyalty_reversed"]``
        names the items that were turned round (x becomes min + max - x).

    Raises
    ------
    DataError
        Columns that the data do not have, a new name that another column already has, a reversed item without min and
        max or with answers that are not numbers.

    Warns
    -----
    DataWarning
        Answers below min or above max: they are counted and left as they are.
    """
    if isinstance(survey, pd.DataFrame):
        data, known = survey, None
    else:
        data, known = survey.data, survey.codebook
    book = codebook if codebook is not None else known
    if book is None:
        raise DataError("No codebook was given, and a DataFrame carries none.")
    book = book.located(data.columns, known)
    names = {item.column: item.name for item in book.items}
    taken = [str(column) for column in data.columns if column not in names]
    clash = [f"'{name}' (from '{column}')" for column, name in names.items() if name in taken]
    if clash:
        raise DataError(f"New names that other columns already have: {listing(clash)}. Choose other names.")
    result = data.copy()
    outside: list[str] = []
    for item in book.items:
        series = result[item.column]
        gone = is_no_answer(series, item)
        if gone.any():
            series = series.mask(gone)
        if not pd.api.types.is_numeric_dtype(series.dtype):
            if item.reverse:
                example = next((value for value in series if not is_missing(value)), None)
                if example is not None:
                    raise DataError(f"'{item.column}' is to be reversed, but holds text: {example!r}.")
            result[item.column] = series
            continue
        outside += _out_of_range(series, item)
        if item.reverse:
            assert item.min is not None and item.max is not None  # noqa: PT018 - checked by Codebook.check
            series = item.min + item.max - series
        result[item.column] = series
    result.columns = [names.get(str(column), column) for column in result.columns]
    result.attrs = dict(data.attrs) | {REVERSED: tuple(item.name for item in book.items if item.reverse)}
    if outside:
        warnings.warn(f"Answers out of range, left as they are: {listing(outside)}.", DataWarning, stacklevel=2)
    return result


def _out_of_range(series: pd.Series, item: Item) -> list[str]:
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    low = -np.inf if item.min is None else item.min
    high = np.inf if item.max is None else item.max
    wrong: Sequence[float] = sorted(set(values[(values < low) | (values > high)].tolist()))
    if not wrong:
        return []
    count = int(((values < low) | (values > high)).sum())
    shown = ", ".join(f"{value:g}" for value in wrong[:5])
    return [f"'{item.name}' {count} answers outside {low:g} to {high:g} ({shown})"]
