"""A survey file that holds names and numbers and nothing else, read without a DataFrame library.

Importing pandas takes longer than reading a survey and fitting a model to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.survey.export_columns import QUALTRICS_META, QUALTRICS_PERSONAL
from sem_loyalty.survey.files import read_bytes

if TYPE_CHECKING:
    import pandas as pd

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_PLAIN = re.compile(r"[0-9+\-.eE,\n]*")
# `read_survey` takes long digit strings, and those that begin with zero, for identifiers.
_IDENTIFIER = re.compile(r"(?:^|,)[+-]?(?:0[0-9]{3}|[0-9]{16})", re.MULTILINE)


def answers_in(path: str | Path) -> pd.DataFrame | Mapping[str, Any]:
    """Return the answers in a survey file, as `read_survey` reads them by default.

    Parameters
    ----------
    path : str or Path
        Of any kind that `read_survey` knows.

    Returns
    -------
    mapping of str to ndarray, or DataFrame
        Columns of floats where the file is a csv of names and numbers (`plain_columns`); else the data of the survey.

    Raises
    ------
    DataError
        As `read_survey`.
    """
    if Path(path).suffix.lower() == ".csv":
        columns = plain_columns(read_bytes(path, (".csv",), what="survey")[1])
        if columns is not None:
            return columns
    from sem_loyalty.survey.read import read_survey

    return read_survey(path).data


def plain_columns(raw: bytes) -> dict[str, NDArray[np.float64]] | None:
    """Return the columns of a csv file in which nothing is to be decided, or None for any other.

    That is: ASCII, one header row of distinct names of letters, digits, underscores and points, then rows of as many
    numbers or blanks (missing) separated by commas; no quotes, no blank line, no identifier of digits, no header of
    Qualtrics.

    Parameters
    ----------
    raw : bytes
        Content of the file.
    """
    if not raw.isascii():
        return None
    header, _, body = raw.decode("ascii").replace("\r\n", "\n").partition("\n")
    names = header.split(",")
    known = {*QUALTRICS_META, *QUALTRICS_PERSONAL}
    if len(set(names)) != len(names) or not all(_NAME.fullmatch(name) and name not in known for name in names):
        return None
    body = body.removesuffix("\n")
    if not body or _PLAIN.fullmatch(body) is None or _IDENTIFIER.search(body) is not None:
        return None
    lines = body.split("\n")
    width = len(names)
    if not all(lines) or {line.count(",") for line in lines} != {width - 1}:
        return None
    try:
        cells = np.array([float(cell) if cell else np.nan for cell in body.replace("\n", ",").split(",")])
    except ValueError:
        return None
    table = cells.reshape(len(lines), width)
    return {name: np.ascontiguousarray(column) for name, column in zip(names, table.T, strict=True)}
