"""Table and its writers."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sem_loyalty.display import html_form, latex_form, text_form, typst_form
from sem_loyalty.display.cells import Cell, Column, Kind
from sem_loyalty.display.escaping import formula_free, quoted
from sem_loyalty.display.grid import LANGUAGES, grid
from sem_loyalty.display.marks import MARK, reason_of
from sem_loyalty.display.numbers import plain
from sem_loyalty.errors import ConfigurationError, check_choice

if TYPE_CHECKING:
    import pandas as pd

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """A table of values with its caption and note.

    Attributes
    ----------
    id : str
        Letters, digits, "_" and "-": the anchor in HTML, the label in LaTeX and the name of the file.
    caption : str
        Title without a number.
    columns : tuple of Column
        At least one; keys are unique.
    rows : tuple of dict
        Values by column key. A key that is absent is blank.
    note : str, default ""
        What a reader must know: respondents, estimator, rule for missing answers, abbreviations. Of numbers that must
        not be reported it begins with "NOT CERTIFIED" ("未通过检验").
    lang : {"en", "zh"}, default "en"
        Language that the writers use unless told otherwise.
    sections : tuple of (int, str), default ()
        Headings inside the table: each stands above the row of that position.

    Raises
    ------
    ConfigurationError
        If a key repeats, a row holds an unknown key, or a section stands above no row.
    """

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, object], ...]
    note: str = ""
    lang: str = "en"
    sections: tuple[tuple[int, str], ...] = ()

    def __post_init__(self) -> None:
        check_choice("lang", self.lang, LANGUAGES)
        if not _ID.match(self.id):
            raise ConfigurationError(f"Table id {self.id!r}: use letters, digits, '_' and '-', a letter first.")
        keys = [column.key for column in self.columns]
        if not keys or len(set(keys)) < len(keys):
            raise ConfigurationError(f"Table '{self.id}': it needs columns with different keys, not {keys}.")
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "rows", tuple(dict(row) for row in self.rows))
        for row in self.rows:
            unknown = [key for key in row if key not in keys]
            if unknown:
                raise ConfigurationError(f"Table '{self.id}': a row holds {unknown}, which are not columns.")
        object.__setattr__(self, "sections", tuple((int(row), str(text)) for row, text in self.sections))
        lost = [text for row, text in self.sections if not 0 <= row < len(self.rows)]
        if lost or len({row for row, _ in self.sections}) < len(self.sections):
            raise ConfigurationError(f"Table '{self.id}': sections {lost or self.sections} need a row each.")

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        id: str,
        caption: str,
        note: str = "",
        heads: Mapping[str, str] | None = None,
        kinds: Mapping[str, Kind] | None = None,
        digits: int = 3,
        bounded: Collection[str] = (),
        lang: str = "en",
    ) -> Table:
        """Return a Table with the columns of a DataFrame.

        Parameters
        ----------
        frame : DataFrame
            An index that has names or is not 0, 1, 2 ... comes first, as text columns.
        id, caption, note, lang : str
            As in Table; of a `MarkedFrame` the note begins with its mark.
        heads : mapping of str to str, optional
            Head by column; the column's own name where absent.
        kinds : mapping of str to str, optional
            Kind by column; where absent "p" for "p" and "pvalue", else by dtype.
        digits : int, default 3
            Decimals of every column.
        bounded : collection of str, default ()
            Columns whose values lie in [-1, 1] by definition.

        Returns
        -------
        Table
        """
        import pandas as pd

        from sem_loyalty.display.marked import MarkedFrame

        heads, kinds = dict(heads or {}), dict(kinds or {})
        if not isinstance(frame.index, pd.RangeIndex) or frame.index.names != [None]:
            names = ["" if name is None else str(name) for name in frame.index.names]
            stubs = [name or ("row" if len(names) == 1 else f"row_{level + 1}") for level, name in enumerate(names)]
            for stub, name in zip(stubs, names, strict=True):
                heads.setdefault(stub, name)
                kinds.setdefault(stub, "text")
            frame = frame.reset_index(names=stubs)
        columns = []
        for position, name in enumerate(frame.columns):
            key = str(name)
            kind: Kind = "text"
            dtype = frame.dtypes.iloc[position]
            if key in kinds:
                kind = kinds[key]
            elif key in ("p", "pvalue"):
                kind = "p"
            elif pd.api.types.is_integer_dtype(dtype):
                kind = "int"
            elif pd.api.types.is_float_dtype(dtype):
                kind = "number"
            columns.append(Column(key, heads.get(key, key), kind, digits, key in bounded))
        keys = [column.key for column in columns]
        rows = tuple(dict(zip(keys, values, strict=True)) for values in frame.itertuples(index=False, name=None))
        if isinstance(frame, MarkedFrame) and not f"{caption}{note}".startswith(MARK):
            note = f"{frame.mark.rstrip('.')}. {note}".rstrip()
        return cls(id, caption, tuple(columns), rows, note, lang)

    def cells(self, lang: str | None = None) -> list[list[str]]:
        """Return the body as unescaped texts, one list a row, marks of significance included and sections left out."""
        language = self._language(lang)
        return [[column.format(row.get(column.key), language) for column in self.columns] for row in self.rows]

    def to_text(self, lang: str | None = None) -> str:
        """Return the table for a terminal, aligned by display width, without a newline at the end."""
        return text_form.text_table(grid(self, self._language(lang)))

    def note_html(self, lang: str | None = None) -> str:
        """Return the note in HTML with "Note." before it, for a page that sets it apart from the table; "" for none."""
        return html_form.html_note(grid(self, self._language(lang))) if self.note else ""

    def to_html(self, lang: str | None = None, *, inline: bool = True) -> str:
        """Return a three-line table in HTML.

        Parameters
        ----------
        lang : {"en", "zh"}, optional
            Language of the numbers and of the ``lang`` attribute.
        inline : bool, default True
            Whether to set the lines by ``style`` attributes, as a notebook needs; without them a page that forbids
            inline styles can set the classes ``sl-table``, ``sl-number``, ``sl-group``, ``sl-section``, ``sl-note``
            and ``sl-pad`` (invisible stars, which keep digits in line).

        Returns
        -------
        str
            One ``table`` element.
        """
        return html_form.html_table(grid(self, self._language(lang)), inline=inline)

    def to_markdown(self, lang: str | None = None) -> str:
        """Return a pipe table in Markdown, the caption in bold above it and the note below it."""
        return text_form.markdown_table(grid(self, self._language(lang)))

    def to_csv(self) -> str:
        """Return CSV (RFC 4180, line feeds) for machines: keys as heads, full precision, "" for None, "NaN" for NaN.

        A text that a spreadsheet would compute, one that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage
        return, gets an apostrophe in front; numbers stay as they are. Sections are left out. Where the note says that
        the numbers must not be reported, the first column says so in every row, for CSV has no note.
        """
        heads: list[str] = []
        for column in self.columns:
            split = column.kind == "interval"
            heads += [f"{column.key}_lower", f"{column.key}_upper"] if split else [column.key]
        lines = [[formula_free(head) for head in heads]]
        for row in self.rows:
            cells: list[str] = []
            for column in self.columns:
                found = _bare(row.get(column.key))
                if column.kind != "interval":
                    cells.append(_exact(found))
                elif isinstance(found, (tuple, list)):
                    cells += [_exact(_bare(end)) for end in found]
                else:
                    cells += [_exact(found), ""]
            lines.append(cells)
        reason = reason_of(self.note) or reason_of(self.caption)
        if reason:
            lines = [[MARK, *lines[0]], *([formula_free(reason), *line] for line in lines[1:])]
        return "".join(",".join(map(quoted, line)) + "\n" for line in lines)

    def to_latex(self, lang: str | None = None) -> str:
        """Return a ``table`` environment for LaTeX with the package booktabs; every text is escaped.

        A table of more than 40 rows is a ``longtable`` (package longtable), which breaks over pages with its head
        repeated. Texts in Chinese need an engine and a class that know them, such as XeLaTeX with ctex.
        """
        return latex_form.latex_table(grid(self, self._language(lang)))

    def to_typst(self, lang: str | None = None) -> str:
        """Return a ``figure`` of Typst with the label ``<tab-id>``: three lines, the head repeated on every page."""
        return typst_form.typst_table(grid(self, self._language(lang)))

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()

    def _language(self, lang: str | None) -> str:
        if lang is not None:
            check_choice("lang", lang, LANGUAGES)
        return lang or self.lang


def _bare(value: object) -> object:
    """Return the plain value of a cell, without its own format."""
    return plain(value.value if isinstance(value, Cell) else value)


def _exact(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    return formula_free(str(value)) if not isinstance(value, (bool, int)) else str(value)
