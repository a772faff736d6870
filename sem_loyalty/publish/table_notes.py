"""Notes of tables that leave no abbreviation unexplained."""

from __future__ import annotations

import re
from dataclasses import replace

from sem_loyalty.display import Table
from sem_loyalty.publish.note_words import ABBREVIATIONS

# Letters of a note that are too short to be looked for in its sentences; in a head they are symbols.
_ONLY_HEADS = frozenset(key for key in ABBREVIATIONS if len(key) == 1)


def explained(table: Table) -> Table:
    """Return a table whose note says what every abbreviation in its heads, its caption and its note stands for.

    Parameters
    ----------
    table : Table
        What its note defines already, as in "CR: composite reliability", is left as it is.
    """
    if not table.note:
        return table
    missing = undefined(table)
    if not missing:
        return table
    if table.lang == "zh":
        said = "；".join(f"{key} 为{_blank(ABBREVIATIONS[key][1])}" for key in missing) + "。"
        return replace(table, note=table.note + said)
    said = "; ".join(f"{key}: {ABBREVIATIONS[key][0]}" for key in missing) + "."
    return replace(table, note=f"{table.note} {said}")


def undefined(table: Table) -> tuple[str, ...]:
    """Return the abbreviations in the heads, the caption and the note of a table that its note does not define."""
    heads = " | ".join([table.caption, *(column.head for column in table.columns), *_measures(table)])
    return tuple(
        key
        for key in ABBREVIATIONS
        if _occurs(key, heads if key in _ONLY_HEADS else f"{heads} | {table.note}") and not _defined(key, table)
    )


def _measures(table: Table) -> list[str]:
    """Return the names of the measures of a table that has one in every row; beside them stands a definition."""
    rows = table.rows if any(column.key == "measure" for column in table.columns) else ()
    return [str(row.get("measure", "")) for row in rows]


def _occurs(key: str, text: str) -> bool:
    # "√AVE", "ΔCFI" and "Δβ" hold the abbreviation; "PLSc", "CB-SEM" and "ECSI" do not hold another.
    return re.search(rf"(?<![A-Za-z0-9α-ω-]){re.escape(key)}(?![A-Za-z0-9α-ω²-])", text.replace("Δ", "")) is not None


def _defined(key: str, table: Table) -> bool:
    own = re.escape(key)
    said = rf"(?<![A-Za-zα-ω]){own}(: | 为|（[^）]+）为)|[(（]{own}[)）]"
    return re.search(said, f"{table.caption} | {table.note}") is not None


def _blank(text: str) -> str:
    """Return Chinese text with a blank before a Latin beginning."""
    return f" {text}" if text[0].isascii() else text
