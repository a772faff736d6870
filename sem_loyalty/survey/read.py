"""Reading a survey: one call from a file to answers, a codebook and a record of what was done."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from sem_loyalty.errors import DataError, check_choice
from sem_loyalty.survey.answers import is_missing, listing
from sem_loyalty.survey.cells import clean, settle
from sem_loyalty.survey.codebook import Codebook, Item, is_no_answer, labelled_item
from sem_loyalty.survey.codebook_table import read_codebook
from sem_loyalty.survey.files import read_bytes
from sem_loyalty.survey.formats import TYPED, Typed, read_typed
from sem_loyalty.survey.grid import DELIMITED, SPREADSHEETS, read_delimited, read_spreadsheet, split_header
from sem_loyalty.survey.likert import Mapped, map_answers
from sem_loyalty.survey.platforms import PLATFORMS, Cleaned, clean_platform, detect, header_rows


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where answers come from and what was done to them.

    Attributes
    ----------
    name : str
        Name of the file, without its folder.
    sha256 : str
        Of its bytes.
    format : str
        "csv", "xlsx", "sav", ...
    encoding : str
        Encoding of its texts; "" where the format fixes it.
    platform : str
        "generic", "qualtrics" or "wenjuanxing".
    rows : int
        Rows of answers, after preview rows were dropped.
    notes : tuple of str
        Every decision, one sentence each.
    """

    name: str
    sha256: str
    format: str
    encoding: str
    platform: str
    rows: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey as read.

    Attributes
    ----------
    data : DataFrame
        One row per respondent, under the headers of the file; not yet scored (see `apply_codebook`).
    codebook : Codebook
        The one given, with labels and codes of the file filled in, or the file's own.
    source : Provenance
    """

    data: pd.DataFrame
    codebook: Codebook
    source: Provenance

    def __str__(self) -> str:
        where = self.source
        head = (
            f"Survey {where.name}: {where.rows} rows, {self.data.shape[1]} columns ({where.format}, {where.platform})"
        )
        return "\n".join([head, *(f"- {note}" for note in where.notes)])


def read_survey(
    path: str | Path,
    *,
    codebook: Codebook | pd.DataFrame | str | Path | None = None,
    encoding: str = "auto",
    platform: str = "auto",
    sheet: str | int | None = None,
    user_missing: str = "nan",
    keep_personal: bool = False,
) -> Survey:
    """Return the answers in a survey file.

    Parameters
    ----------
    path : str or Path
        ``.csv .tsv .txt`` (comma, semicolon or tab), ``.xlsx .xls .xlsm .xlsb .ods``, ``.sav .zsav``, ``.dta`` or
        ``.parquet``.
    codebook : Codebook, DataFrame, str or Path, optional
        What the columns mean. It must name columns of the file (or their short names, such as Q1); its missing codes
        are applied here and its ranges tell answer scales apart, but renaming and reverse scoring are left to
        `apply_codebook`, so that raw answers can be screened first.
    encoding : str, default "auto"
        Byte order mark, utf-8, gb18030, big5, in this order; the decision is in ``source.notes``.
    platform : {"auto", "generic", "qualtrics", "wenjuanxing"}, default "auto"
        Whose export it is. Qualtrics: three header rows, previews dropped. Wenjuanxing (问卷星): -2, -3 and (跳过) are
        missing, durations in seconds, short names Q1, Q6_1, ...
    sheet : str or int, optional
        Sheet of a spreadsheet, by name or number from 0; the first by default.
    user_missing : {"nan", "keep"}, default "nan"
        Whether codes that the file or the codebook declares missing become NaN. The codes stay in the codebook.
    keep_personal : bool, default False
        Keep columns of the platform that identify a person; they are dropped by default, and reported.

    Returns
    -------
    Survey

    Raises
    ------
    DataError
        One message: no such file (with the nearest name), a folder, an unknown extension, an empty or damaged file, a
        header without rows, columns of the same name, a wrong encoding, or a codebook that does not fit.
    ConfigurationError
        An unknown platform or user_missing.
    """
    check_choice("platform", platform, PLATFORMS)
    check_choice("user_missing", user_missing, ("nan", "keep"))
    file, raw = read_bytes(path, (*DELIMITED, *SPREADSHEETS, *TYPED), what="survey")
    given = _given(codebook)
    suffix = file.suffix.lower()
    if sheet is not None and suffix not in SPREADSHEETS:
        raise DataError(f"sheet={sheet!r} was given, but {file.name} is no spreadsheet.")
    if suffix in TYPED:
        typed = read_typed(file, raw, encoding)
        kind = detect([str(column) for column in typed.frame.columns]) if platform == "auto" else platform
        cleaned = clean_platform(typed.frame, kind, keep_personal)
        notes = [*typed.notes, *cleaned.notes]
        encoded = typed.encoding
        comma = False
    else:
        if suffix in DELIMITED:
            grid = read_delimited(raw, suffix, encoding, file.name)
        else:
            grid = read_spreadsheet(raw, suffix, sheet, file.name)
        kind = detect([clean(text) for text in grid.row(0)]) if platform == "auto" else platform
        rows, labels, about = header_rows(grid, kind)
        frame, _, more = split_header(grid, rows, file.name)
        typed = Typed(frame, grid.encoding, labels, {}, {}, {})
        cleaned = clean_platform(frame, kind, keep_personal)
        notes = [*grid.notes, *([about] if about else []), *more, *cleaned.notes]
        encoded, comma = grid.encoding, grid.decimal_comma

    own = _own_codebook(cleaned, typed)
    book = own if given is None else given.located(_with_personal(cleaned, typed), own)
    kept = {str(column) for column in cleaned.frame.columns}
    lost = [item.column for item in book.items if item.column not in kept]
    if lost:
        raise DataError(f"The codebook asks for personal columns: {listing(lost)}. Read with keep_personal=True.")
    data, gone = _settled(cleaned.frame, book, user_missing == "nan", comma, suffix in TYPED)
    data, mapped, words = _mapped(data, book, cleaned.meta)
    notes += [*gone, *words]
    return Survey(
        data=data,
        codebook=_with_answers(book, mapped),
        source=Provenance(
            name=file.name,
            sha256=hashlib.sha256(raw).hexdigest(),
            format=suffix[1:],
            encoding=encoded,
            platform=kind,
            rows=len(data),
            notes=tuple(notes),
        ),
    )


def _given(codebook: Codebook | pd.DataFrame | str | Path | None) -> Codebook | None:
    if codebook is None:
        return None
    if isinstance(codebook, Codebook):
        return codebook.check()
    return Codebook.from_frame(codebook) if isinstance(codebook, pd.DataFrame) else read_codebook(codebook)


def _with_personal(cleaned: Cleaned, typed: Typed) -> list[str]:
    """Return the columns kept and those dropped as personal, so that a codebook that asks for one is told so."""
    return list(dict.fromkeys([*map(str, cleaned.frame.columns), *map(str, typed.frame.columns)]))


def _own_codebook(cleaned: Cleaned, typed: Typed) -> Codebook:
    """Return what the file itself says of its columns."""
    labels = typed.labels | cleaned.labels
    return Codebook(
        tuple(
            labelled_item(
                column,
                cleaned.names.get(column, column),
                labels.get(column, ""),
                missing=typed.missing.get(column, ()),
                missing_ranges=typed.ranges.get(column, ()),
                value_labels=typed.value_labels.get(column, ()),
            )
            for column in map(str, cleaned.frame.columns)
        )
    )


def _settled(
    frame: pd.DataFrame, book: Codebook, blank: bool, comma: bool, typed: bool
) -> tuple[pd.DataFrame, list[str]]:
    """Return the columns with their types decided and missing codes blanked, and what was done."""
    items = {item.column: item for item in book.items}
    columns: dict[str, pd.Series] = {}
    same: dict[str, list[str]] = {}
    words: dict[str, list[str]] = {}
    blanked: list[str] = []
    for column in map(str, frame.columns):
        series = frame[column]
        item = items.get(column)
        if blank and item is not None and (item.missing or item.missing_ranges):
            series, count = _blanked(series, item)
            if count:
                blanked.append(f"'{column}' {count}")
        if typed and not _is_text(series):
            columns[column] = series.reset_index(drop=True)
            continue
        found = settle(series.tolist(), decimal_comma=comma) if not typed else None
        columns[column] = found.series if found is not None else series.reset_index(drop=True)
        if found is not None:
            for note in found.notes:
                same.setdefault(note, []).append(f"'{column}'")
            for word, count in found.words:
                words.setdefault(word, []).append(f"'{column}' {count}")
    notes = [f"Missing codes set to NaN (cells): {listing(blanked)}."] if blanked else []
    notes += [
        f"{word!r} read as missing in numeric columns (cells): {listing(where)}." for word, where in words.items()
    ]
    notes += [f"{listing(where)}: {note}." for note, where in same.items()]
    result = pd.DataFrame(columns)
    result.columns = [str(column) for column in result.columns]
    return result, notes


def _blanked(series: pd.Series, item: Item) -> tuple[pd.Series, int]:
    if series.dtype == object:
        # Raw cells may be numbers, texts that read as numbers, or words; each is compared in its own kind.
        numbers = pd.Series([_cell_number(value) for value in series], index=series.index, dtype=float)
        texts = pd.Series([value if isinstance(value, str) else None for value in series], dtype=object)
        gone = is_no_answer(numbers, item) | is_no_answer(texts, item)
    else:
        gone = is_no_answer(series, item)
    return (series.mask(gone) if gone.any() else series), int(gone.sum())


def _cell_number(value: object) -> float:
    if isinstance(value, bool) or is_missing(value):
        return float("nan")
    try:
        return float(clean(value)) if isinstance(value, str) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def _is_text(series: pd.Series) -> bool:
    return isinstance(series.dtype, pd.StringDtype) or series.dtype == object


def _mapped(
    data: pd.DataFrame, book: Codebook, meta: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, Mapped], tuple[str, ...]]:
    """Return the data with text answers on known scales as numbers."""
    answers: dict[str, list[str]] = {}
    for column in data.columns:
        if column in meta or not _is_text(data[column]):
            continue
        distinct = data[column].dropna().unique().tolist()
        if distinct and len(distinct) <= 50 and all(isinstance(value, str) for value in distinct):
            answers[str(column)] = sorted(distinct)
    points = {
        item.column: int(item.max - item.min) + 1
        for item in book.items
        if item.min is not None and item.max is not None
    }
    lowest = {item.column: item.min for item in book.items if item.min is not None}
    mapped, notes = map_answers(answers, points=points)
    for column, entry in mapped.items():
        shift = 0.0 if entry.scale == "printed codes" else lowest.get(column, 1.0) - 1.0
        codes = {answer: entry.code(answer) + shift for answer in answers[column]}
        values = np.array([np.nan if is_missing(value) else codes[value] for value in data[column]])
        whole = not np.isnan(values).any() and bool((values == np.round(values)).all())
        data[column] = values.astype(np.int64) if whole else values
    return data, mapped, notes


def _with_answers(book: Codebook, mapped: dict[str, Mapped]) -> Codebook:
    items = []
    for item in book.items:
        entry = mapped.get(item.column)
        if entry is not None and not item.value_labels:
            shift = 0.0 if item.min is None or entry.scale == "printed codes" else item.min - 1.0
            item = replace(item, value_labels=tuple((float(code) + shift, answer) for answer, code in entry.codes))
        items.append(item)
    return Codebook(tuple(items))
