"""Columns of a table, and cells that are shown otherwise than their column."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from sem_loyalty.display.numbers import DASH, format_number, format_p, plain
from sem_loyalty.errors import ConfigurationError, check_choice

Kind = Literal["text", "number", "p", "int", "interval"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A value that is shown otherwise than the rest of its column, for instance a count among indices.

    Attributes
    ----------
    value : object
        The value.
    kind, digits, bounded
        As in Column.
    stars : str, default ""
        Marks of significance behind the number, from `stars`; digits line up whatever their length.
    """

    value: object
    kind: Kind = "number"
    digits: int = 3
    bounded: bool = False
    stars: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a Table.

    Attributes
    ----------
    key : str
        Name in the rows and head of the column in CSV.
    head : str
        Head of the column for a reader.
    kind : {"text", "number", "p", "int", "interval"}, default "text"
        An interval cell is a pair (lower, upper). A cell of any kind may hold a text instead, for instance "fixed".
    digits : int, default 3
        Decimals of "number", "p" and "interval".
    bounded : bool, default False
        Whether the quantity lies in [-1, 1] by definition; English then drops the leading zero.
    group : str, default ""
        Spanner head that this column shares with its neighbours of the same group; "" for none.
    """

    key: str
    head: str
    kind: Kind = "text"
    digits: int = 3
    bounded: bool = False
    group: str = ""

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, get_args(Kind))

    def format(self, value: object, lang: str = "en") -> str:
        """Return one cell as an unescaped text in `lang`."""
        if isinstance(value, Cell):
            own = Column(self.key, self.head, value.kind, value.digits, value.bounded)
            return own.format(value.value, lang) + value.stars
        found = plain(value)
        if found is None:
            return ""
        if isinstance(found, str):
            return found
        if self.kind == "interval" and isinstance(found, (tuple, list)):
            if len(found) != 2:
                raise ConfigurationError(f"Column '{self.key}': an interval needs two numbers, not {found!r}.")
            lower, upper = (format_number(end, self.digits, self.bounded, lang=lang) for end in found)
            return f"[{lower}, {upper}]"
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            return str(found)
        if self.kind == "text":
            return DASH if math.isnan(found) else str(found)
        if self.kind == "p":
            return format_p(found, self.digits, lang=lang)
        if self.kind == "int" and (isinstance(found, int) or found.is_integer()):
            return format_number(found, 0, lang=lang)
        return format_number(found, self.digits, self.bounded, lang=lang)
