"""Exports of survey platforms: Qualtrics and Wenjuanxing (问卷星), recognised and cleaned, with a report."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sem_loyalty.errors import DataError
from sem_loyalty.survey.answers import is_missing, listing
from sem_loyalty.survey.cells import clean, tidy_name
from sem_loyalty.survey.export_columns import QUALTRICS_META, QUALTRICS_PERSONAL
from sem_loyalty.survey.grid import Grid

PLATFORMS = ("auto", "generic", "qualtrics", "wenjuanxing")

# Numeric exports code the response type as bits: 1 preview, 2 test; 8 spam and 16 offline are added to them.
_PREVIEW_CODES = frozenset({1, 2, 9, 10, 17, 18})
_PREVIEW_WORDS = ("preview", "test")

_WJX_META = ("序号", "提交答卷时间", "所用时间", "来源", "来源详情", "来自IP", "总分")
_WJX_PERSONAL = ("来自IP", "来源详情", "用户昵称", "微信昵称", "用户ID", "姓名", "手机号", "手机", "邮箱")
_WJX_HEADER = re.compile(r"(?:第\s*(\d+)\s*题|(\d+)\s*[、.．:])\s*[、.:]?\s*(.*)", re.DOTALL)
_WJX_GONE = frozenset({"-2", "-3", "(跳过)", "跳过", "(空)"})
_SPAN = re.compile(r"(?:(\d+)\s*(?:小时|时))?\s*(?:(\d+)\s*(?:分钟|分))?\s*(?:(\d+(?:\.\d+)?)\s*秒?)?")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """An export after its platform's habits were dealt with.

    Attributes
    ----------
    frame : DataFrame
        Answers, raw cells.
    names : dict of str to str
        Short name by column, where the platform's header is a whole question.
    labels : dict of str to str
        Question wording by column.
    meta : tuple of str
        Columns that the platform added.
    notes : tuple of str
        What was dropped or changed.
    """

    frame: pd.DataFrame
    names: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    meta: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def detect(columns: list[str]) -> str:
    """Return "qualtrics", "wenjuanxing" or "generic", by the metadata columns among the headers."""
    known = set(columns)
    if sum(name in known for name in (*QUALTRICS_META, *QUALTRICS_PERSONAL)) >= 3:
        return "qualtrics"
    if sum(name in known for name in _WJX_META) >= 2:
        return "wenjuanxing"
    return "generic"


def header_rows(grid: Grid, platform: str) -> tuple[int, dict[str, str], str]:
    """Return how many rows the header has, the labels in its second row, and a note.

    Qualtrics writes names, wordings and a row of ImportId JSON; its spreadsheets may lack the third.
    """
    if platform != "qualtrics":
        return 1, {}, ""
    first = [tidy_name(text) for text in grid.row(0)]
    second, third = grid.row(1), grid.row(2)
    labels = {name: tidy_name(text) for name, text in zip(first, second, strict=False) if name and tidy_name(text)}
    if third and any("ImportId" in text for text in third):
        return 3, labels, "Qualtrics header of three rows; wordings taken from the second."
    if second and any("ImportId" in text for text in second):
        return 2, {}, "Qualtrics header of two rows, without wordings."
    start = next((i for i, name in enumerate(first) if name in ("StartDate", "EndDate")), None)
    if start is not None and second and second[start] and not any(character.isdigit() for character in second[start]):
        return 2, labels, "Qualtrics header of two rows; wordings taken from the second."
    return 1, {}, "Qualtrics columns under a header of one row."


def clean_platform(frame: pd.DataFrame, platform: str, keep_personal: bool) -> Cleaned:
    """Return the answers of an export without the platform's own rows, codes and personal columns.

    Parameters
    ----------
    frame : DataFrame
        Raw cells under tidy headers.
    platform : {"generic", "qualtrics", "wenjuanxing"}
    keep_personal : bool
        Keep columns that can identify a respondent (addresses, names, IP, position).

    Returns
    -------
    Cleaned

    Raises
    ------
    DataError
        Nothing but preview rows.
    """
    if platform == "qualtrics":
        return _qualtrics(frame, keep_personal)
    if platform == "wenjuanxing":
        return _wenjuanxing(frame, keep_personal)
    return Cleaned(frame)


def _without_personal(frame: pd.DataFrame, personal: tuple[str, ...], keep: bool) -> tuple[pd.DataFrame, list[str]]:
    present = [name for name in personal if name in frame.columns]
    if not present:
        return frame, []
    shown = listing(present)
    if keep:
        return frame, [f"Personal columns kept as asked: {shown}. Do not publish them."]
    return frame.drop(columns=present), [f"Personal columns dropped: {shown}."]


def _count(series: pd.Series, no: frozenset[str]) -> int:
    return sum(not is_missing(value) and clean(str(value)).casefold() in no for value in series)


def _qualtrics(frame: pd.DataFrame, keep_personal: bool) -> Cleaned:
    notes: list[str] = []
    if "Status" in frame.columns:
        preview = np.array([_is_preview(value) for value in frame["Status"]], dtype=bool)
        if preview.all():
            raise DataError("All rows of the Qualtrics export are previews or tests; there are no answers.")
        if preview.any():
            rows = listing([str(row + 1) for row in np.flatnonzero(preview)])
            notes.append(f"{int(preview.sum())} preview or test rows dropped (rows of the file's answers: {rows}).")
            frame = frame.loc[~preview].reset_index(drop=True)
    if "Finished" in frame.columns:
        unfinished = _count(frame["Finished"], frozenset({"0", "false", "0.0", "否"}))
        if unfinished:
            notes.append(f"{unfinished} of {len(frame)} rows are unfinished (Finished); they are kept.")
    frame, dropped = _without_personal(frame, QUALTRICS_PERSONAL, keep_personal)
    meta = tuple(name for name in frame.columns if name in QUALTRICS_META or name in QUALTRICS_PERSONAL)
    return Cleaned(frame, meta=meta, notes=(*notes, *dropped))


def _is_preview(value: object) -> bool:
    if is_missing(value):
        return False
    text = clean(str(value)).casefold()
    try:
        return int(float(text)) in _PREVIEW_CODES
    except ValueError:
        return any(word in text for word in _PREVIEW_WORDS) or "预览" in text or "預覽" in text


def seconds(value: object) -> float | None:
    """Return seconds from "125秒", "2分5秒", "1小时2分", "00:02:05" or a number; None where it is no duration."""
    if is_missing(value):
        return float("nan")
    text = clean(str(value))
    clock = re.fullmatch(r"(?:(\d+):)?(\d{1,2}):(\d{1,2})", text)
    if clock:
        return 3600.0 * int(clock[1] or 0) + 60.0 * int(clock[2]) + int(clock[3])
    match = _SPAN.fullmatch(text)
    if not text or match is None:
        return float("nan") if not text else None
    return 3600.0 * int(match[1] or 0) + 60.0 * int(match[2] or 0) + float(match[3] or 0)


def _wenjuanxing(frame: pd.DataFrame, keep_personal: bool) -> Cleaned:
    notes: list[str] = []
    frame = frame.copy()
    names, labels = _wjx_names([str(column) for column in frame.columns])
    for column in ("所用时间", "所用时间(秒)", "答题时长"):
        if column not in frame.columns:
            continue
        spans = [seconds(value) for value in frame[column]]
        if all(span is not None for span in spans):
            frame[column] = np.array([np.nan if span is None else span for span in spans])
            notes.append(f"'{column}' is in seconds.")
    gone: dict[str, int] = {}
    for column in names:
        cells = list(frame[column])
        empty = [not is_missing(value) and _wjx_text(value) in _WJX_GONE for value in cells]
        for value, flag in zip(cells, empty, strict=True):
            if flag:
                gone[_wjx_text(value)] = gone.get(_wjx_text(value), 0) + 1
        if any(empty):
            frame[column] = pd.Series(
                [None if flag else value for value, flag in zip(cells, empty, strict=True)], dtype=object
            )
    if gone:
        parts = [f"{code} ({count} cells)" for code, count in sorted(gone.items())]
        notes.append(f"Skipped or hidden questions set to missing: {listing(parts)}.")
    several = [column for column in names if any("┋" in str(value) for value in frame[column])]
    if several:
        notes.append(f"Several answers in one cell, left as text: {listing(several)}.")
    frame, dropped = _without_personal(frame, _WJX_PERSONAL, keep_personal)
    meta = tuple(str(column) for column in frame.columns if column not in names)
    if names:
        pairs = [f"{short} = '{column}'" for column, short in names.items()]
        notes.append(f"Short names for questions (apply_codebook renames): {listing(pairs, shown=3)}.")
    return Cleaned(frame, names, labels, meta, (*notes, *dropped))


def _wjx_text(value: object) -> str:
    text = clean(str(value))
    return text[:-2] if re.fullmatch(r"-\d\.0", text) else text


def _wjx_names(columns: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return short names (Q1, Q6_1, Q6_2) and wordings of the question columns."""
    found: list[tuple[str, str, str]] = []
    for column in columns:
        match = _WJX_HEADER.match(clean(column))
        if match:
            found.append((column, match[1] or match[2], match[3].strip()))
    numbers = [number for _, number, _ in found]
    names, labels = {}, {}
    seen: dict[str, int] = {}
    for column, number, text in found:
        seen[number] = seen.get(number, 0) + 1
        part = bool(re.fullmatch(r"\(.*\)", text, re.DOTALL))
        names[column] = f"Q{number}_{seen[number]}" if numbers.count(number) > 1 or part else f"Q{number}"
        label = text[1:-1].strip() if part else text
        if label:
            labels[column] = label
    return names, labels
