"""Codebooks on disk: CSV, spreadsheet and TOML tables, read with every problem collected."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pandas as pd

from sem_loyalty.errors import DataError, nearest
from sem_loyalty.survey.answers import is_missing
from sem_loyalty.survey.cells import clean, has_chinese, tidy_name
from sem_loyalty.survey.codebook import Codebook, Item
from sem_loyalty.survey.files import read_bytes
from sem_loyalty.survey.grid import DELIMITED, SPREADSHEETS, read_delimited, read_spreadsheet, split_header

_HEADS = {
    "column": ("column", "variable", "列名", "变量", "字段", "原始列名"),
    "name": ("name", "item", "变量名", "名称", "代码", "题号"),
    "construct": ("construct", "factor", "latent", "维度", "构念", "潜变量", "因子"),
    "reverse": ("reverse", "reversed", "反向", "反向计分", "反向题"),
    "label": ("label", "wording", "question", "标签", "题项", "题干"),
    "label_en": ("label_en", "英文标签", "英文题项"),
    "label_zh": ("label_zh", "中文标签", "中文题项"),
    "min": ("min", "minimum", "最小值"),
    "max": ("max", "maximum", "最大值"),
    "missing": ("missing", "missing_codes", "缺失值", "缺失"),
}
_KNOWN = {alias: head for head, aliases in _HEADS.items() for alias in aliases}
_YES = frozenset({"1", "true", "yes", "y", "r", "x", "是", "反", "反向"})
_NO = frozenset({"", "0", "false", "no", "n", "否", "正向"})
_RANGE = re.compile(r"([+-]?[\d.]+)\s*(?:\.\.|to|至|~)\s*([+-]?[\d.]+)")


def _text(value: object) -> str:
    if is_missing(value):
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _number(text: str) -> float | None:
    try:
        return float(clean(text))
    except ValueError:
        return None


def missing_codes(value: object) -> tuple[tuple[float | str, ...], tuple[tuple[float, float], ...]]:
    """Return codes and ranges from a cell such as ``"98; 99; -9..-1"`` or from a list of them."""
    if isinstance(value, list | tuple):
        parts = [_text(entry) for entry in value]
    else:
        parts = re.split(r"[;；|,，、]", _text(value))
    codes: list[float | str] = []
    ranges: list[tuple[float, float]] = []
    for part in (clean(part) for part in parts):
        match = _RANGE.fullmatch(part)
        if match and _number(match[1]) is not None and _number(match[2]) is not None:
            ranges.append((float(match[1]), float(match[2])))
            continue
        # Blanks separate numbers ("98 99") but not words ("not applicable").
        pieces = part.split() if part and all(_number(piece) is not None for piece in part.split()) else [part]
        for piece in pieces:
            number = _number(piece)
            if piece:
                codes.append(number if number is not None else piece)
    return tuple(codes), tuple(ranges)


def items_from_frame(frame: pd.DataFrame) -> tuple[tuple[Item, ...], list[str]]:
    """Return the items that a table describes and every problem with it.

    Parameters
    ----------
    frame : DataFrame
        As `Codebook.from_frame` documents.

    Returns
    -------
    items : tuple of Item
    problems : list of str
    """
    problems: list[str] = []
    heads: dict[str, object] = {}
    for column in frame.columns:
        key = clean(str(column)).casefold().replace(" ", "_")
        head = _KNOWN.get(key)
        if head is None:
            problems.append(f"unknown column '{column}' {nearest(key, _KNOWN)}".strip())
        elif head in heads:
            problems.append(f"the columns '{heads[head]}' and '{column}' mean the same")
        else:
            heads[head] = column
    if "column" not in heads and "name" in heads:
        heads["column"] = heads["name"]
    if "column" not in heads:
        return (), [*problems, "there is no column 'column' that names the headers of the data"]
    items = []
    for number, row in enumerate(frame.to_dict("records"), start=1):
        cells: dict[str, Any] = {head: row.get(column) for head, column in heads.items()}
        if all(not isinstance(cell, list | tuple) and not _text(cell) for cell in cells.values()):
            continue
        item, wrong = _item(cells, number)
        items.append(item)
        problems += wrong
    if not items:
        problems.append("it has no items")
    return tuple(items), problems


def _item(cells: dict[str, Any], number: int) -> tuple[Item, list[str]]:
    wrong: list[str] = []
    column = tidy_name(_text(cells.get("column")))
    where = f"row {number}" + (f" ('{column}')" if column else "")
    if not column:
        wrong.append(f"{where}: no column is named")
    limits: dict[str, float | None] = {}
    for head in ("min", "max"):
        text = _text(cells.get(head))
        limits[head] = _number(text) if text else None
        if text and limits[head] is None:
            wrong.append(f"{where}: {head} {text!r} is not a number")
    turn = clean(_text(cells.get("reverse"))).casefold()
    if turn not in _YES and turn not in _NO:
        wrong.append(f"{where}: reverse {turn!r} is neither yes nor no (write 1 or 0)")
    label, english, chinese = (_text(cells.get(head)) for head in ("label", "label_en", "label_zh"))
    if label and has_chinese(label):
        chinese = chinese or label
    elif label:
        english = english or label
    codes, ranges = missing_codes(cells.get("missing"))
    item = Item(
        column=column or f"(row {number})",
        name=_text(cells.get("name")) or column or f"row_{number}",
        construct=_text(cells.get("construct")),
        reverse=turn in _YES,
        label_en=english,
        label_zh=chinese,
        min=limits["min"],
        max=limits["max"],
        missing=codes,
        missing_ranges=ranges,
    )
    return item, wrong


def _frame_from_toml(raw: bytes, name: str) -> pd.DataFrame:
    try:
        content = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not UTF-8, which TOML must be: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name} is not valid TOML: {error}.") from None
    entries = content.get("item", content.get("items"))
    if isinstance(entries, dict):
        entries = [{"name": key, **value} for key, value in entries.items() if isinstance(value, dict)]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DataError(f"{name} has no items. Write [[item]] tables with column = ..., name = ..., construct = ...")
    rows = [entry if "column" in entry else {"column": entry.get("name", ""), **entry} for entry in entries]
    return pd.DataFrame(rows, dtype=object)


def read_codebook(path: str | Path, *, encoding: str = "auto", sheet: str | int | None = None) -> Codebook:
    """Return the codebook in a CSV, spreadsheet or TOML file.

    Parameters
    ----------
    path : str or Path
        ``.csv``, ``.tsv``, ``.xlsx``, ``.xls`` (a table as `Codebook.from_frame` documents) or ``.toml`` (tables
        ``[[item]]`` with the same keys).
    encoding : str, default "auto"
        Of a CSV file.
    sheet : str or int, optional
        Of a spreadsheet; the first by default.

    Returns
    -------
    Codebook

    Raises
    ------
    DataError
        A file that cannot be read, or one error that lists every problem of the codebook.
    """
    file, raw = read_bytes(path, (*DELIMITED, *SPREADSHEETS, ".toml"), what="codebook")
    suffix = file.suffix.lower()
    if suffix == ".toml":
        frame = _frame_from_toml(raw, file.name)
    else:
        if suffix in DELIMITED:
            grid = read_delimited(raw, suffix, encoding, file.name)
        else:
            grid = read_spreadsheet(raw, suffix, sheet, file.name)
        frame, _, _ = split_header(grid, 1, file.name)
    return Codebook.from_frame(frame, source=f"The codebook {file.name}")
