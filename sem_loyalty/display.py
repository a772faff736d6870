"""Table: a frozen value that holds numbers, not strings, and renders late as text, HTML, Markdown, CSV or LaTeX.

Rules of rendering, the same in every format but CSV:

- ``None`` is blank: the cell does not apply. ``NaN`` and missing values of pandas are an en dash: the cell applies
  but its number could not be computed.
- Numbers carry a true minus (U+2212) and never show a negative zero.
- English follows the APA style: a number bounded by 1 in absolute value loses its leading zero, ``.51``, and a small
  p value is ``< .001``. Chinese keeps the zero: ``0.510``, ``< 0.001``.
- CSV is for machines: column keys as heads, full precision (``repr``), a hyphen for minus, an interval in two columns.
- Every text is escaped for the format it goes to, so labels may hold any character.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from sem_loyalty.errors import ConfigurationError, check_choice, display_width

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "number", "p", "int", "interval"]
MINUS = "\u2212"
DASH = "\u2013"
LANGUAGES = {"en": "en", "zh": "zh-CN"}  # our name: the name in HTML, which decides the forms of shared characters
_NOTE = {"en": "Note. ", "zh": "注："}
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
# Letters and signs that pdfLaTeX cannot typeset as they stand.
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "[": "{[}", "]": "{]}", "*": "{*}", "`": r"\textasciigrave{}", "-": "{-}",
    MINUS: "$-$", DASH: "--", "—": "---", "≤": r"$\leq$", "≥": r"$\geq$", "×": r"$\times$", "∞": r"$\infty$",
    "→": r"$\rightarrow$", "⇄": r"$\rightleftarrows$", "↔": r"$\leftrightarrow$", "²": r"\textsuperscript{2}",
    "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "δ": r"$\delta$", "ε": r"$\varepsilon$", "ζ": r"$\zeta$",
    "η": r"$\eta$", "θ": r"$\theta$", "κ": r"$\kappa$", "λ": r"$\lambda$", "μ": r"$\mu$", "ν": r"$\nu$",
    "ξ": r"$\xi$", "ρ": r"$\rho$", "σ": r"$\sigma$", "τ": r"$\tau$", "φ": r"$\varphi$", "χ": r"$\chi$",
    "ψ": r"$\psi$", "ω": r"$\omega$", "Δ": r"$\Delta$", "Σ": r"$\Sigma$",
}  # fmt: skip


def format_number(value: object, digits: int = 3, bounded: bool = False, *, lang: str = "en") -> str:
    """Return a number as it stands in a table.

    Parameters
    ----------
    value : float, int, NumPy scalar or None
        None gives "", NaN an en dash, infinity its sign.
    digits : int, default 3
        Decimals.
    bounded : bool, default False
        Whether the quantity cannot exceed 1 in absolute value; English then drops the leading zero (APA style).
    lang : {"en", "zh"}, default "en"
        Chinese always keeps the leading zero.

    Returns
    -------
    str
        For instance ``".505"``, ``"−1.200"`` (true minus) or ``"0.000"`` (never a negative zero).

    Raises
    ------
    ConfigurationError
        If `value` is not a number.
    """
    plain = _plain(value)
    if plain is None:
        return ""
    if isinstance(plain, bool) or not isinstance(plain, (int, float)):
        raise ConfigurationError(f"A table cell of numbers holds {value!r}, which is not a number.")
    if math.isnan(plain):
        return DASH
    if math.isinf(plain):
        return "∞" if plain > 0 else f"{MINUS}∞"
    shown = f"{abs(plain):.{digits}f}" if abs(plain) < 1e15 else f"{abs(plain):.{digits}e}"
    negative = plain < 0 and any(digit in "123456789" for digit in shown)
    if bounded and lang == "en" and shown.startswith("0."):
        shown = shown[1:]
    return f"{MINUS}{shown}" if negative else shown


def format_p(value: object, digits: int = 3, *, lang: str = "en") -> str:
    """Return a p value: exact between its limits, else ``< .001`` or ``> .999`` (Chinese: ``< 0.001``).

    Parameters
    ----------
    value : float, NumPy scalar or None
        A probability.
    digits : int, default 3
        Decimals; they also set the limits.
    lang : {"en", "zh"}, default "en"
        Chinese keeps the leading zero.

    Returns
    -------
    str
        The text; "" for None, an en dash for NaN.
    """
    plain = _plain(value)
    if isinstance(plain, (int, float)) and not math.isnan(plain):
        limit = 10.0**-digits
        if plain < limit:
            return f"< {format_number(limit, digits, True, lang=lang)}"
        if round(plain, digits) >= 1.0:
            return f"> {format_number(1 - limit, digits, True, lang=lang)}"
    return format_number(plain, digits, True, lang=lang)


@dataclass(frozen=True, slots=True)
class Cell:
    """A value that is shown otherwise than the rest of its column, for instance a count among indices.

    Attributes
    ----------
    value : object
        The value.
    kind, digits, bounded
        As in Column.
    """

    value: object
    kind: Kind = "number"
    digits: int = 3
    bounded: bool = False


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
    """

    key: str
    head: str
    kind: Kind = "text"
    digits: int = 3
    bounded: bool = False

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, get_args(Kind))

    def format(self, value: object, lang: str = "en") -> str:
        """Return one cell as an unescaped text in `lang`."""
        if isinstance(value, Cell):
            return Column(self.key, self.head, value.kind, value.digits, value.bounded).format(value.value, lang)
        plain = _plain(value)
        if plain is None:
            return ""
        if isinstance(plain, str):
            return plain
        if self.kind == "interval" and isinstance(plain, (tuple, list)):
            if len(plain) != 2:
                raise ConfigurationError(f"Column '{self.key}': an interval needs two numbers, not {plain!r}.")
            lower, upper = (format_number(end, self.digits, self.bounded, lang=lang) for end in plain)
            return f"[{lower}, {upper}]"
        if isinstance(plain, bool) or not isinstance(plain, (int, float)):
            return str(plain)
        if self.kind == "text":
            return DASH if math.isnan(plain) else str(plain)
        if self.kind == "p":
            return format_p(plain, self.digits, lang=lang)
        if self.kind == "int" and (isinstance(plain, int) or plain.is_integer()):
            return format_number(plain, 0, lang=lang)
        return format_number(plain, self.digits, self.bounded, lang=lang)


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
        body = [[_one_line(cell) for cell in row] for row in self.cells(language)]
        heads = [_one_line(column.head) for column in self.columns]
        widths = [max(map(display_width, cells)) for cells in zip(heads, *body, strict=True)]
        rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
        lines = [_one_line(self.caption)] if self.caption else []
        lines += [rule, self._text_row(heads, widths), rule, *(self._text_row(row, widths) for row in body), rule]
        if self.note:
            lines.append(_one_line(_NOTE[language] + self.note))
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
            f'<table class="sl-table" id="{html.escape(self.id)}" lang="{LANGUAGES[language]}"'
            + style(
                "border-collapse:collapse;font-variant-numeric:tabular-nums"
                # The note stands below the third line.
                + ("" if self.note else ";border-bottom:1.5pt solid")
            )
            + ">"
        ]
        if self.caption:
            text = style("text-align:left;font-weight:bold;caption-side:top;padding:.3em 0")
            lines.append(f"<caption{text}>{_html(self.caption)}</caption>")
        lines.append("<thead><tr>")
        for column, align in zip(self.columns, side, strict=True):
            classes = ' class="sl-number"' if align == "right" else ""
            lines.append(f'<th scope="col"{classes}{style(f"{top}text-align:{align}")}>{_html(column.head)}</th>')
        lines.append("</tr></thead>\n<tbody>")
        for row in self.cells(language):
            cells = []
            for position, (cell, align) in enumerate(zip(row, side, strict=True)):
                classes = ' class="sl-number"' if align == "right" else ""
                wrap = "white-space:nowrap;" if align == "right" else "font-weight:normal;"
                rules = style(f"border:0;padding:.2em .6em;background:none;{wrap}text-align:{align}")
                tag, scope = ("th", ' scope="row"') if position == 0 and align == "left" else ("td", "")
                cells.append(f"<{tag}{scope}{classes}{rules}>{_html(cell)}</{tag}>")
            lines.append(f"<tr>{''.join(cells)}</tr>")
        lines.append("</tbody>")
        if self.note:
            rules = style("border:0;border-top:1.5pt solid;padding:.3em 0;text-align:left;font-size:.9em")
            lines.append(
                f'<tfoot><tr><td class="sl-note" colspan="{len(self.columns)}"{rules}>'
                f"{_html_note(language)}{_html(self.note)}</td></tr></tfoot>"
            )
        lines.append("</table>")
        return "\n".join(lines)

    def to_markdown(self, lang: str | None = None) -> str:
        """Return a pipe table in Markdown, the caption in bold above it and the note below it."""
        language = self._language(lang)
        rows = [[column.head for column in self.columns], *self.cells(language)]
        lines = [f"| {' | '.join(map(_markdown, row))} |" for row in rows]
        lines.insert(1, "|" + "|".join(":--" if column.kind == "text" else "--:" for column in self.columns) + "|")
        before = [f"**{_markdown(self.caption)}**", ""] if self.caption else []
        after = ["", _markdown(_NOTE[language] + self.note)] if self.note else []
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
                plain = _plain(row.get(column.key))
                if column.kind != "interval":
                    cells.append(_exact(plain))
                elif isinstance(plain, (tuple, list)):
                    cells += [_exact(_plain(end)) for end in plain]
                else:
                    cells += [_exact(plain), ""]
            lines.append(cells)
        return "".join(",".join(map(_quoted, line)) + "\n" for line in lines)

    def to_latex(self, lang: str | None = None) -> str:
        """Return a ``table`` environment for LaTeX with the package booktabs; every text is escaped."""
        language = self._language(lang)
        align = "".join("l" if column.kind == "text" else "r" for column in self.columns)
        lines = [r"\begin{table}[htbp]", r"\centering"]
        if self.caption:
            lines.append(rf"\caption{{{_latex(self.caption)}}}")
        lines += [rf"\label{{tab:{self.id}}}", rf"\begin{{tabular}}{{{align}}}", r"\toprule"]
        lines += [" & ".join(_latex(column.head) for column in self.columns) + r" \\", r"\midrule"]
        lines += [" & ".join(map(_latex, row)) + r" \\" for row in self.cells(language)]
        lines += [r"\bottomrule", r"\end{tabular}"]
        if self.note:
            lead = _latex(_NOTE[language].strip())
            lines.append(rf"\par\smallskip\footnotesize\raggedright\textit{{{lead}}} {_latex(self.note)}")
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


def _plain(value: object) -> object:
    """Return a Python value for a NumPy scalar, and NaN for a missing value of pandas."""
    if isinstance(value, Cell):
        value = value.value
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return float(value)  # numpy.float64 is a float, but its repr is not a number
    if type(value).__name__ in ("NAType", "NaTType"):
        return math.nan
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", None) == 0 else value


def _exact(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    return str(value)


def _quoted(cell: str) -> str:
    # The csv module leaves a carriage return bare when lines end with a line feed, which splits the row on reading.
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\r\n') else cell


def _one_line(text: str) -> str:
    # Control characters would break the alignment, and could steer a terminal.
    return "".join(" " if ord(character) < 32 or 127 <= ord(character) < 160 else character for character in text)


def _html(text: str) -> str:
    return html.escape(_one_line(text))


def _html_note(language: str) -> str:
    # Chinese type has no italics.
    return _NOTE[language] if language == "zh" else f"<i>{_NOTE[language].strip()}</i> "


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|~$&!])", r"\\\1", _one_line(text))


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in _one_line(text))
