"""Table and its writers."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sem_loyalty.display.cells import Cell, Column, Kind
from sem_loyalty.display.escaping import html_text, latex, markdown, one_line, quoted
from sem_loyalty.display.numbers import plain
from sem_loyalty.errors import ConfigurationError, check_choice, display_width

if TYPE_CHECKING:
    import pandas as pd

LANGUAGES = {"en": "en", "zh": "zh-CN"}  # our name: the name in HTML, which decides the forms of shared characters
NOTE = {"en": "Note. ", "zh": "注："}
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
        What a reader must know: respondents, estimator, rule for missing answers, abbreviations.
    lang : {"en", "zh"}, default "en"
        Language that the writers use unless told otherwise.

    Raises
    ------
    ConfigurationError
        If a key repeats or a row holds an unknown key.
    """

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, object], ...]
    note: str = ""
    lang: str = "en"

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
            As in Table.
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
        return cls(id, caption, tuple(columns), rows, note, lang)

    def cells(self, lang: str | None = None) -> list[list[str]]:
        """Return the body as unescaped texts, one list a row."""
        language = self._language(lang)
        return [[column.format(row.get(column.key), language) for column in self.columns] for row in self.rows]

    def to_text(self, lang: str | None = None) -> str:
        """Return the table for a terminal, aligned by display width, without a newline at the end."""
        language = self._language(lang)
        body = [[one_line(cell) for cell in row] for row in self.cells(language)]
        heads = [one_line(column.head) for column in self.columns]
        widths = [max(map(display_width, cells)) for cells in zip(heads, *body, strict=True)]
        rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
        lines = [one_line(self.caption)] if self.caption else []
        lines += [rule, self._text_row(heads, widths), rule, *(self._text_row(row, widths) for row in body), rule]
        if self.note:
            lines.append(one_line(NOTE[language] + self.note))
        return "\n".join(lines)

    def to_html(self, lang: str | None = None, *, inline: bool = True) -> str:
        """Return a three-line table in HTML.

        Parameters
        ----------
        lang : {"en", "zh"}, optional
            Language of the numbers and of the ``lang`` attribute.
        inline : bool, default True
            Whether to set the lines by ``style`` attributes, as a notebook needs; without them a page that forbids
            inline styles can set the classes ``sl-table``, ``sl-number`` and ``sl-note``.

        Returns
        -------
        str
            One ``table`` element.
        """
        language = self._language(lang)

        def style(rules: str) -> str:
            return f' style="{rules}"' if inline else ""

        top = "border:0;border-top:1.5pt solid;border-bottom:.75pt solid;padding:.25em .6em;background:none;"
        side = ["left" if column.kind == "text" else "right" for column in self.columns]
        lines = [
            f'<table class="sl-table" id="{html_text(self.id)}" lang="{LANGUAGES[language]}"'
            + style(
                "border-collapse:collapse;font-variant-numeric:tabular-nums"
                # The note stands below the third line.
                + ("" if self.note else ";border-bottom:1.5pt solid")
            )
            + ">"
        ]
        if self.caption:
            text = style("text-align:left;font-weight:bold;caption-side:top;padding:.3em 0")
            lines.append(f"<caption{text}>{html_text(self.caption)}</caption>")
        lines.append("<thead><tr>")
        for column, align in zip(self.columns, side, strict=True):
            classes = ' class="sl-number"' if align == "right" else ""
            lines.append(f'<th scope="col"{classes}{style(f"{top}text-align:{align}")}>{html_text(column.head)}</th>')
        lines.append("</tr></thead>\n<tbody>")
        for row in self.cells(language):
            cells = []
            for position, (cell, align) in enumerate(zip(row, side, strict=True)):
                classes = ' class="sl-number"' if align == "right" else ""
                wrap = "white-space:nowrap;" if align == "right" else "font-weight:normal;"
                rules = style(f"border:0;padding:.2em .6em;background:none;{wrap}text-align:{align}")
                tag, scope = ("th", ' scope="row"') if position == 0 and align == "left" else ("td", "")
                cells.append(f"<{tag}{scope}{classes}{rules}>{html_text(cell)}</{tag}>")
            lines.append(f"<tr>{''.join(cells)}</tr>")
        lines.append("</tbody>")
        if self.note:
            rules = style("border:0;border-top:1.5pt solid;padding:.3em 0;text-align:left;font-size:.9em")
            lines.append(
                f'<tfoot><tr><td class="sl-note" colspan="{len(self.columns)}"{rules}>'
                f"{_note_lead(language)}{html_text(self.note)}</td></tr></tfoot>"
            )
        lines.append("</table>")
        return "\n".join(lines)

    def to_markdown(self, lang: str | None = None) -> str:
        """Return a pipe table in Markdown, the caption in bold above it and the note below it."""
        language = self._language(lang)
        rows = [[column.head for column in self.columns], *self.cells(language)]
        lines = [f"| {' | '.join(map(markdown, row))} |" for row in rows]
        lines.insert(1, "|" + "|".join(":--" if column.kind == "text" else "--:" for column in self.columns) + "|")
        before = [f"**{markdown(self.caption)}**", ""] if self.caption else []
        after = ["", markdown(NOTE[language] + self.note)] if self.note else []
        return "\n".join([*before, *lines, *after])

    def to_csv(self) -> str:
        """Return CSV (RFC 4180, line feeds) for machines: keys as heads, full precision, "" for None, "NaN" for NaN."""
        heads: list[str] = []
        for column in self.columns:
            split = column.kind == "interval"
            heads += [f"{column.key}_lower", f"{column.key}_upper"] if split else [column.key]
        lines = [heads]
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
        return "".join(",".join(map(quoted, line)) + "\n" for line in lines)

    def to_latex(self, lang: str | None = None) -> str:
        """Return a ``table`` environment for LaTeX with the package booktabs; every text is escaped."""
        language = self._language(lang)
        align = "".join("l" if column.kind == "text" else "r" for column in self.columns)
        lines = [r"\begin{table}[htbp]", r"\centering"]
        if self.caption:
            lines.append(rf"\caption{{{latex(self.caption)}}}")
        lines += [rf"\label{{tab:{self.id}}}", rf"\begin{{tabular}}{{{align}}}", r"\toprule"]
        lines += [" & ".join(latex(column.head) for column in self.columns) + r" \\", r"\midrule"]
        lines += [" & ".join(map(latex, row)) + r" \\" for row in self.cells(language)]
        lines += [r"\bottomrule", r"\end{tabular}"]
        if self.note:
            lead = latex(NOTE[language].strip())
            lines.append(rf"\par\smallskip\footnotesize\raggedright\textit{{{lead}}} {latex(self.note)}")
        lines.append(r"\end{table}")
        return "\n".join(lines) + "\n"

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

    def _text_row(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        padded = []
        for column, cell, width in zip(self.columns, cells, widths, strict=True):
            blanks = " " * (width - display_width(cell))
            padded.append(cell + blanks if column.kind == "text" else blanks + cell)
        return "  ".join(padded).rstrip()


def _note_lead(language: str) -> str:
    # Chinese type has no italics.
    return NOTE[language] if language == "zh" else f"<i>{NOTE[language].strip()}</i> "


def _bare(value: object) -> object:
    """Return the plain value of a cell, without its own format."""
    return plain(value.value if isinstance(value, Cell) else value)


def _exact(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    return str(value)
