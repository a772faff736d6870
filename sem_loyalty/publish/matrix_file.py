"""A covariance matrix from a text file: a table with names, or a lower triangle as papers print it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sem_loyalty.errors import DataError, nearest
from sem_loyalty.survey.encodings import decode
from sem_loyalty.survey.files import read_bytes
from sem_loyalty.survey.matrix_input import cov_from_lower

SUFFIXES = (".csv", ".tsv", ".txt")


def read_matrix(path: str | Path, *, encoding: str = "auto") -> pd.DataFrame:
    """Return a covariance or correlation matrix with the names of its items on both sides.

    Parameters
    ----------
    path : str or Path
        Text separated by commas, semicolons, tabs or blanks. Either a first row of names, with or without the names
        before each row, full or one triangle; or a lower triangle with its diagonal, each line beginning with the
        name of its item.
    encoding : str, default "auto"
        As in `read_survey`.

    Returns
    -------
    DataFrame, shape (p, p)
        Blank cells are NaN; whether it is a covariance matrix is for `fit` to check.

    Raises
    ------
    DataError
        If the file cannot be read, a cell is not a number, or names and rows do not match.
    """
    file, raw = read_bytes(path, SUFFIXES, what="covariance matrix")
    text = decode(raw, encoding, name=file.name).text.replace("−", "-")
    rows = _cells(text)
    if not rows:
        raise DataError(f"{file.name} is empty: it has no rows.")
    names = [cell for cell in rows[0] if cell]
    if len(rows[0]) < 2 or any(_number(cell) is not None for cell in names):
        return cov_from_lower(text)
    body = rows[1:]
    stubbed = all(_number(row[0]) is None and row[0] for row in body) and bool(body)
    if stubbed and rows[0][0] and len(names) == len(body) + 1:
        names = names[1:]  # the corner cell has a text of its own
    if len(body) != len(names):
        raise DataError(f"{file.name}: {len(names)} names in the first row, but {len(body)} rows below it.")
    full = np.full((len(names), len(names)), np.nan)
    for position, row in enumerate(body):
        values = row[1:] if stubbed else row
        if stubbed and row[0] != names[position]:
            hint = nearest(row[0], names)
            raise DataError(
                f"{file.name}: row {position + 1} is called {row[0]!r}, column {position + 1} {names[position]!r}; "
                f"both must have the same names in the same order. {hint}".strip()
            )
        if len(values) > len(names) and any(values[len(names) :]):
            raise DataError(f"{file.name}: row {position + 1} has {len(values)} cells for {len(names)} items.")
        for column, cell in enumerate(values[: len(names)]):
            number = _number(cell) if cell else math.nan
            if number is None:
                raise DataError(f"{file.name}: {cell!r} at ({names[position]}, {names[column]}) is not a number.")
            full[position, column] = number
    return pd.DataFrame(full, index=names, columns=names)


def _cells(text: str) -> list[list[str]]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    lines: Sequence[Sequence[str]]
    if first.count(delimiter):
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    else:
        lines = [line.split() for line in text.splitlines()]
    cells = [[cell.strip() for cell in line] for line in lines]
    return [line for line in cells if any(line)]


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
