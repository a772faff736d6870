"""Grids: delimited text and spreadsheets as rows of cells, before anything is known about the header."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sem_loyalty.errors import DataError, nearest
from sem_loyalty.survey.answers import is_missing, listing
from sem_loyalty.survey.cells import tidy_name
from sem_loyalty.survey.encodings import decode

DELIMITED = (".csv", ".tsv", ".txt")
SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of cells, header rows included.

    Attributes
    ----------
    cells : DataFrame
        Cells as objects, columns numbered from 0.
    format : str
        "csv", "tsv", "xlsx", ...
    encoding : str
        Encoding of a text file; "" for a spreadsheet.
    decimal_comma : bool
        Whether "3,5" is a number (files separated by semicolons).
    notes : tuple of str
        Encoding, delimiter or sheet, and rows that were short.
    """

    cells: pd.DataFrame
    format: str
    encoding: str = ""
    decimal_comma: bool = False
    notes: tuple[str, ...] = field(default=())

    def row(self, number: int) -> list[str]:
        """Return one row as texts; blanks as ""."""
        if number >= len(self.cells):
            return []
        return ["" if is_missing(value) else str(value) for value in self.cells.iloc[number]]


def sniff_delimiter(text: str) -> str:
    """Return the delimiter among comma, semicolon and tab that splits the first rows best.

    The winner gives the header the most cells while the rows below have as many; a single column is a comma file.
    """
    best, score = ",", (0.0, 0)
    for delimiter in (",", ";", "\t"):
        reader = csv.reader(io.StringIO(text[:200_000]), delimiter=delimiter)
        widths = []
        try:
            for row in reader:
                if row:
                    widths.append(len(row))
                if len(widths) == 50:
                    break
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        # The last row may be cut off by the 200,000 characters.
        body = widths[:-1] if len(text) > 200_000 and len(widths) > 2 else widths
        found = (sum(width == body[0] for width in body) / len(body), body[0])
        if found > score:
            best, score = delimiter, found
    return best


def read_delimited(raw: bytes, suffix: str, encoding: str, name: str) -> Grid:
    """Return the cells of a delimited text file.

    Raises
    ------
    DataError
        Wrong encoding, a row longer than the header, or a quotation mark that is never closed.
    """
    decoded = decode(raw, encoding, name=name)
    text = decoded.text
    if "\x00" in text:
        raise DataError(f"{name} holds null characters, so it is not a text file. Was it a spreadsheet or SPSS file?")
    if not text.strip():
        raise DataError(f"{name} is empty: it has no rows.")
    delimiter = "\t" if suffix == ".tsv" and "\t" in text else sniff_delimiter(text)
    rows, notes = _rows(text, delimiter, name)
    cells = pd.DataFrame(rows, dtype=object)
    return Grid(
        cells,
        suffix[1:],
        decoded.encoding,
        delimiter == ";",
        (decoded.note, f"Delimiter: {_spoken(delimiter)}.", *notes),
    )


def _rows(text: str, delimiter: str, name: str) -> tuple[list[list[str]], list[str]]:
    """Return rows of equal length, blank lines left out, and notes on short rows."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    short: list[str] = []
    width = 0
    try:
        for row in reader:
            if not row:
                continue
            if not rows:
                width = len(row)
            elif len(row) > width:
                if any(cell.strip() for cell in row[width:]):
                    raise DataError(
                        f"{name}, line {reader.line_num}: {len(row)} cells under a header of {width}, separated by "
                        f"{_spoken(delimiter)}. Look for an unquoted delimiter in an answer or a header cut short."
                    )
                row = row[:width]
            elif len(row) < width:
                short.append(f"line {reader.line_num}")
                row = row + [""] * (width - len(row))
            rows.append(row)
    except csv.Error as error:
        raise DataError(
            f"{name}, line {reader.line_num}: it cannot be read as a table separated by {_spoken(delimiter)}: {error}. "
            "Look for an unclosed quotation mark."
        ) from None
    if not short:
        return rows, []
    shown = listing(short, shown=5)
    return rows, [f"{len(short)} rows have fewer cells than the header ({shown}); the cells at their end are missing."]


def _spoken(delimiter: str) -> str:
    return {",": "comma", ";": "semicolon", "\t": "tab"}[delimiter]


def read_spreadsheet(raw: bytes, suffix: str, sheet: str | int | None, name: str) -> Grid:
    """Return the cells of one sheet; the first unless `sheet` names or numbers (from 0) another.

    Raises
    ------
    DataError
        A damaged file, or no such sheet (the message lists them).
    """
    try:
        with pd.ExcelFile(io.BytesIO(raw), engine="calamine") as book:
            names = [str(title) for title in book.sheet_names]
            chosen = _sheet(names, sheet, name)
            cells: Any = pd.read_excel(
                book, sheet_name=chosen, header=None, dtype=object, keep_default_na=False, na_filter=False
            )
    except (DataError, Warning):
        raise
    except Exception as error:  # the reader raises its own class, ValueError, OSError or KeyError, by format
        raise DataError(
            f"{name} cannot be read as a {suffix[1:]} file: {str(error).strip() or type(error).__name__}. "
            "It may be damaged, protected by a password, or of another format under a wrong extension."
        ) from None
    notes = [f"Sheet '{chosen}'" + (f" of {listing([repr(title) for title in names])}." if len(names) > 1 else ".")]
    filled = [any(not _blank(value) for value in row) for row in cells.itertuples(index=False, name=None)]
    cells = cells.loc[filled].reset_index(drop=True)
    return Grid(cells, suffix[1:], notes=tuple(notes))


def _blank(value: object) -> bool:
    return is_missing(value) or (isinstance(value, str) and not value.strip())


def _sheet(names: list[str], sheet: str | int | None, name: str) -> str:
    if not names:
        raise DataError(f"{name} has no sheets.")
    if sheet is None:
        return names[0]
    if isinstance(sheet, int) and not isinstance(sheet, bool):
        if not 0 <= sheet < len(names):
            raise DataError(f"{name} has no sheet {sheet}; it has {len(names)}, numbered from 0.")
        return names[sheet]
    if str(sheet) not in names:
        shown = listing([repr(title) for title in names])
        raise DataError(f"{name} has no sheet '{sheet}'. {nearest(str(sheet), names)} It has {shown}.")
    return str(sheet)


def split_header(grid: Grid, rows: int, name: str) -> tuple[pd.DataFrame, list[str], tuple[str, ...]]:
    """Return the body under the header with tidy column names.

    Parameters
    ----------
    grid : Grid
        All rows.
    rows : int
        Header rows; the first holds the names.
    name : str
        The file, for messages.

    Returns
    -------
    body : DataFrame of objects
        Columns named, without empty columns that have no name.
    columns : list of str
    notes : tuple of str

    Raises
    ------
    DataError
        No rows under the header, or column names that occur twice.
    """
    if len(grid.cells) == 0:
        raise DataError(f"{name} is empty: it has no rows.")
    header = [tidy_name(text) for text in grid.row(0)]
    body = grid.cells.iloc[rows:].reset_index(drop=True)
    keep, columns, notes = [], [], []
    for position, text in enumerate(header):
        if text:
            keep.append(position)
            columns.append(text)
        elif any(not _blank(value) for value in body.iloc[:, position]):
            keep.append(position)
            columns.append(f"column_{position + 1}")
            notes.append(f"Column {position + 1} has no name; it is called 'column_{position + 1}'.")
    if not columns:
        raise DataError(f"{name} has no column names in its first row.")
    doubled = [column for column in dict.fromkeys(columns) if columns.count(column) > 1]
    if doubled:
        parts = []
        for column in doubled:
            where = [str(keep[i] + 1) for i, other in enumerate(columns) if other == column]
            parts.append(f"'{column}' (columns {', '.join(where)})")
        raise DataError(f"{name} has columns of the same name: {listing(parts)}. Give every column its own name.")
    if len(body) == 0:
        raise DataError(f"{name} has a header but no rows of answers.")
    body = body.iloc[:, keep]
    body.columns = columns
    return body, columns, tuple(notes)
