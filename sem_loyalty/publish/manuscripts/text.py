"""What the writers of a manuscript share: lines, numbers of tables and figures, the mark of the study."""

from __future__ import annotations

from sem_loyalty.display import Table
from sem_loyalty.display.escaping import one_line
from sem_loyalty.publish.manuscript import Figure, Manuscript

STUDY_MARK = "sem-loyalty study:"


def plain_line(text: str) -> str:
    """Return a text as one line: whatever a format takes for the end of a line becomes a blank."""
    return one_line(text).replace("\u2028", " ").replace("\u2029", " ").replace("\u0085", " ")


def numbers(manuscript: Manuscript) -> dict[tuple[str, str], str]:
    """Return "Table 1" or "图 2" by kind and id, in reading order."""
    names = {"table": "Table", "figure": "Figure"} if manuscript.lang == "en" else {"table": "表", "figure": "图"}
    found: dict[tuple[str, str], str] = {}
    count = {"table": 0, "figure": 0}
    for block in manuscript.blocks:
        if isinstance(block, (Table, Figure)):
            kind = "table" if isinstance(block, Table) else "figure"
            count[kind] += 1
            found[kind, block.id] = f"{names[kind]} {count[kind]}"
    return found
