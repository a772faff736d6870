"""Files that carry their own types: SPSS, Stata and Parquet, with labels and missing codes kept."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sem_loyalty.errors import DataError
from sem_loyalty.survey.cells import tidy_name

TYPED = (".sav", ".zsav", ".dta", ".parquet")


@dataclass(frozen=True, slots=True)
class Typed:
    """A table with the metadata of its file.

    Attributes
    ----------
    frame : DataFrame
        Values as stored, user-missing codes included.
    encoding : str
        Encoding of its texts.
    labels : dict of str to str
        Question wording by column.
    value_labels : dict of str to tuple of (code, label)
        By column.
    missing : dict of str to tuple of codes
        User-missing codes by column.
    ranges : dict of str to tuple of (low, high)
        User-missing ranges by column.
    notes : tuple of str
    """

    frame: pd.DataFrame
    encoding: str
    labels: dict[str, str]
    value_labels: dict[str, tuple[tuple[float | str, str], ...]]
    missing: dict[str, tuple[float | str, ...]]
    ranges: dict[str, tuple[tuple[float, float], ...]]
    notes: tuple[str, ...] = ()


def read_typed(file: Path, raw: bytes, encoding: str) -> Typed:
    """Return the table in an SPSS, Stata or Parquet file.

    Parameters
    ----------
    file : Path
        The file; its extension tells the format.
    raw : bytes
        Its content.
    encoding : str
        "auto" (as the file says; gb18030 and big5 are tried where that fails) or a codec, for SPSS and Stata.

    Returns
    -------
    Typed

    Raises
    ------
    DataError
        A damaged file, or no rows.
    """
    suffix = file.suffix.lower()
    found = _parquet(file, raw) if suffix == ".parquet" else _statistical(file, encoding)
    if found.frame.shape[1] == 0:
        raise DataError(f"{file.name} has no columns.")
    if len(found.frame) == 0:
        raise DataError(f"{file.name} has column names but no rows of answers.")
    return found


def _parquet(file: Path, raw: bytes) -> Typed:
    try:
        frame = pd.read_parquet(io.BytesIO(raw))
    except Exception as error:  # pyarrow raises ArrowInvalid, OSError or ValueError
        raise DataError(f"{file.name} cannot be read as a parquet file: {error}. It may be damaged.") from None
    frame.columns = [str(column) for column in frame.columns]
    return Typed(frame.reset_index(drop=True), "", {}, {}, {}, {})


def _statistical(file: Path, encoding: str) -> Typed:
    import pyreadstat

    spss = file.suffix.lower() in (".sav", ".zsav")
    notes: list[str] = []
    frame: Any = None
    meta: Any = None
    attempts = [None, "GB18030", "BIG5"] if encoding == "auto" else [encoding]
    problem = ""
    for codec in attempts:
        try:
            if spss:
                # With user_missing=False the codes are lost, and so is the record of what they were.
                frame, meta = pyreadstat.read_sav(file, user_missing=True, encoding=codec)
            else:
                frame, meta = pyreadstat.read_dta(file, encoding=codec)
        except Exception as error:  # ReadstatError derives from Exception; bad bytes raise UnicodeDecodeError
            problem = problem or str(error)
            if isinstance(error, UnicodeError) or "encoding" in str(error).lower() or "byte sequence" in str(error):
                continue
            break
        if codec is not None and encoding == "auto":
            notes.append(f"The texts are not in the encoding that the file names; read as {codec.lower()}.")
        break
    if frame is None:
        kind = "SPSS" if spss else "Stata"
        advice = f" Try another encoding than {encoding!r}, or 'auto'." if encoding != "auto" else ""
        raise DataError(f"{file.name} cannot be read as {kind}: {problem}. It may be damaged or cut short.{advice}")
    columns = [str(column) for column in frame.columns]
    used = str(attempts[-1] if encoding != "auto" else (meta.file_encoding or "utf-8")).lower()
    labels = {name: tidy_name(str(text)) for name, text in meta.column_names_to_labels.items() if text}
    values = {
        name: tuple((_code(code), str(text)) for code, text in sorted(pairs.items(), key=lambda pair: str(pair[0])))
        for name, pairs in meta.variable_value_labels.items()
    }
    values = {name: _in_order(pairs) for name, pairs in values.items()}
    missing: dict[str, tuple[float | str, ...]] = {}
    ranges: dict[str, tuple[tuple[float, float], ...]] = {}
    if spss:
        for name, entries in meta.missing_ranges.items():
            single = [entry["lo"] for entry in entries if entry["lo"] == entry["hi"]]
            wide = [(float(entry["lo"]), float(entry["hi"])) for entry in entries if entry["lo"] != entry["hi"]]
            missing[name] = tuple(_code(code) for code in single)
            ranges[name] = tuple(wide)
    frame = pd.DataFrame({name: frame[name] for name in columns})
    for name in columns:
        if not pd.api.types.is_numeric_dtype(frame[name].dtype) and frame[name].dtype.kind != "M":
            # SPSS has no missing text: a blank one is no answer.
            frame[name] = frame[name].where(frame[name].map(lambda value: bool(str(value).strip())))
    return Typed(frame, used, labels, values, missing, ranges, tuple(notes))


def _code(value: object) -> float | str:
    return float(value) if isinstance(value, int | float) else str(value)


def _in_order(pairs: tuple[tuple[float | str, str], ...]) -> tuple[tuple[float | str, str], ...]:
    return tuple(
        sorted(pairs, key=lambda pair: (isinstance(pair[0], str), pair[0] if isinstance(pair[0], float) else 0))
    )
