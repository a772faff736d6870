"""A table resolved in one language: what every writer needs before it chooses its marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sem_loyalty.display.cells import Cell, Column
from sem_loyalty.display.symbols import head_parts, note_parts

LANGUAGES = {"en": "en", "zh": "zh-CN"}  # our name: the name in HTML, which decides the forms of shared characters
NOTE = {"en": "Note.", "zh": "注："}
Parts = tuple[tuple[str, bool], ...]


class TableLike(Protocol):
    """What a grid is made from; a Table."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def caption(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> tuple[Column, ...]: ...  # noqa: D102
    @property
    def rows(self) -> tuple[dict[str, object], ...]: ...  # noqa: D102
    @property
    def note(self) -> str: ...  # noqa: D102
    @property
    def sections(self) -> tuple[tuple[int, str], ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell as it is shown.

    Attributes
    ----------
    text : str
        Unescaped, without its marks of significance.
    stars : str
        The marks behind it.
    pad : str
        Marks that the longest cell of the column has beyond these; writers leave their width blank.
    """

    text: str
    stars: str = ""
    pad: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table in one language, its texts unescaped.

    Attributes
    ----------
    id, caption, lang : str
    heads : tuple of Parts
        By column: stretches, each with whether it is a symbol.
    groups : tuple of (str, int)
        Spanner heads from left to right, each with the number of its columns; "" over columns without one. Empty where
        no column has a group.
    left : tuple of bool
        By column, whether it is a column of texts.
    rows : tuple of tuple of Shown
    sections : dict of int to str
        Headings by the row that they stand above.
    note : Parts
    """

    id: str
    caption: str
    lang: str
    heads: tuple[Parts, ...]
    groups: tuple[tuple[str, int], ...]
    left: tuple[bool, ...]
    rows: tuple[tuple[Shown, ...], ...]
    sections: dict[int, str]
    note: Parts

    @property
    def lead(self) -> str:
        """The word that begins the note."""
        return NOTE[self.lang]

    def head(self, column: int) -> str:
        """Return the head of a column as one text."""
        return "".join(text for text, _ in self.heads[column])


def grid(table: TableLike, lang: str) -> Grid:
    """Return a table in one language."""
    shown = [[_shown(column, row.get(column.key), lang) for column in table.columns] for row in table.rows]
    most = [max((len(row[k].stars) for row in shown), default=0) for k in range(len(table.columns))]
    return Grid(
        id=table.id,
        caption=table.caption,
        lang=lang,
        heads=tuple(head_parts(column.head, lang) for column in table.columns),
        groups=_groups([column.group for column in table.columns]),
        left=tuple(column.kind == "text" for column in table.columns),
        rows=tuple(
            tuple(
                Shown(cell.text, cell.stars, "*" * (long - len(cell.stars)) if cell.text else "")
                for cell, long in zip(row, most, strict=True)
            )
            for row in shown
        ),
        sections=dict(table.sections),
        note=note_parts(table.note, lang),
    )


def _shown(column: Column, value: object, lang: str) -> Shown:
    whole = column.format(value, lang)
    stars = value.stars if isinstance(value, Cell) else ""
    return Shown(whole[: len(whole) - len(stars)], stars)


def _groups(names: Sequence[str]) -> tuple[tuple[str, int], ...]:
    if not any(names):
        return ()
    found: list[tuple[str, int]] = []
    for name in names:
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1] + 1)
        else:
            found.append((name, 1))
    return tuple(found)
