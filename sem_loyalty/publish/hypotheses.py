"""The table of hypotheses and what became of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sem_loyalty.display import Column, Table
from sem_loyalty.inference.verdicts import Verdict
from sem_loyalty.publish.tables import Edition


def hypotheses_table(
    found: Sequence[Verdict], edition: Edition, survival: Mapping[str, tuple[float, int]] | None = None
) -> Table:
    """Return hypotheses, coefficients and verdicts as a Table.

    Parameters
    ----------
    found : sequence of Verdict
    edition : Edition
        Language, labels and note.
    survival : mapping of str to (share, count), optional
        By hypothesis: share of the certified specifications that support it, and their number.

    Returns
    -------
    Table
    """
    several = len(edition.groups) > 1
    columns = [Column("id", edition.word("hypothesis_head")), Column("path", edition.word("path"))]
    columns += [Column("group", edition.word("group"))] if several else []
    columns += [
        Column("sign", edition.word("sign_head")),
        Column("est", "B", "number"),
        Column("se", "SE", "number"),
        Column("p", "p", "p"),
        Column("interval", edition.word("interval"), "interval"),
        Column("std", "β", "number", 3, bounded=True),
        Column("verdict", edition.word("verdict")),
    ]
    columns += [Column("survives", edition.word("survives_head"))] if survival else []
    rows: list[dict[str, object]] = []
    for entry in found:
        tested = not math.isnan(entry.est)
        row: dict[str, object] = {
            "id": entry.hypothesis.id,
            "path": " → ".join(edition.label(name) for name in entry.hypothesis.path),
            "sign": "+" if entry.hypothesis.sign == "+" else "−",
            "est": entry.est if tested else None,
            "se": entry.se if tested else None,
            "p": entry.p if tested else None,
            "interval": (entry.lower, entry.upper) if not math.isnan(entry.lower) else None,
            "std": entry.std if tested and (entry.group or not several) else None,
            "verdict": edition.word(entry.verdict),
        }
        if several:
            row["group"] = edition.groups[entry.group - 1] if entry.group else None
        if survival:
            share, count = survival.get(entry.hypothesis.id, (math.nan, 0))
            row["survives"] = edition.word("survives", share=percent(share), n=count) if count else None
        rows.append(row)
    note = edition.note(
        edition.intervals(),
        edition.word("verdict_note_drawn" if edition.drawn else "verdict_note"),
        edition.word("survives_note") if survival else "",
    )
    return Table("hypotheses", edition.word("hypotheses_caption"), tuple(columns), tuple(rows), note, edition.lang)


def percent(share: float) -> str:
    """Return a share in whole per cent, with 0 and 100 kept for none and all."""
    if 0.0 < share < 0.005:
        return "< 1"
    if 0.995 <= share < 1.0:
        return "> 99"
    return f"{100 * share:.0f}"
