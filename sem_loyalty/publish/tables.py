"""Tables of a fit: loadings, paths, variances, defined effects, explained variance."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sem_loyalty.display import Column, Table
from sem_loyalty.publish.lang import word


@dataclass(frozen=True, slots=True)
class Edition:
    """What all tables of a report share.

    Attributes
    ----------
    lang : {"en", "zh"}
        Language.
    labels : mapping of str to str
        Reader's name by variable; a variable without one is called by its name.
    basis : str
        Respondents, estimator and rule for missing answers, for the note of every table.
    certified : bool, default True
        False adds a warning to every table of the fit and withholds verdicts.
    simulated : bool, default False
        True adds to every table that the data are simulated.
    groups : tuple of str, default ("",)
        Groups of the fit, in order.
    drawn : str, default ""
        Where standard errors, p-values and intervals come from bootstrap draws: the sentence that says so.
    """

    lang: str
    labels: Mapping[str, str] = field(default_factory=dict)
    basis: str = ""
    certified: bool = True
    simulated: bool = False
    groups: tuple[str, ...] = ("",)
    drawn: str = ""

    def label(self, name: str) -> str:
        """Return the reader's name of a variable."""
        return self.labels.get(name, name)

    def word(self, key: str, **values: object) -> str:
        """Return a word in the language of the edition."""
        return word(key, self.lang, **values)

    def intervals(self) -> str:
        """Return the sentence on the intervals of estimates: those of the draws, or Wald's."""
        return self.drawn or self.word("wald_note")

    def note(self, *sentences: str, basis: str | None = None, fit: bool = True) -> str:
        """Return the note of a table.

        Parameters
        ----------
        *sentences : str
            What this table needs to say.
        basis : str, optional
            Respondents and rule for missing answers where they differ from those of the fit.
        fit : bool, default True
            Whether the table shows numbers of the fit, which must not be reported without certificate.
        """
        parts = [self.word("uncertified_note")] if fit and not self.certified else []
        parts += [self.word("simulated_short")] if self.simulated else []
        parts += [self.basis if basis is None else basis, *sentences]
        # Chinese sentences end with their own full stop and take no blank after it.
        return (" " if self.lang == "en" else "").join(part for part in parts if part)


def basis(lang: str, *, n: Mapping[str, int], estimator: str = "", missing: str = "") -> str:
    """Return "N = 300; estimator ML; missing answers: listwise." for the note of a table.

    Parameters
    ----------
    lang : {"en", "zh"}
        Language.
    n : mapping of str to int
        Respondents by group; one entry where there is one group.
    estimator, missing : str, default ""
        Left out where empty.
    """
    total = sum(n.values())
    if len(n) > 1:
        listed = ", ".join(f"{label}: {count}" for label, count in n.items())
        parts = [word("note_groups", lang, n=total, groups=listed)]
    else:
        parts = [word("note_n", lang, n=total)]
    parts += [word("note_estimator", lang, estimator=estimator)] if estimator else []
    parts += [word("note_missing", lang, missing=missing)] if missing else []
    return "; ".join(parts) + "." if lang == "en" else "；".join(parts) + "。"


def _estimate_table(
    frame: pd.DataFrame,
    edition: Edition,
    *,
    id: str,
    caption: str,
    leading: tuple[Column, ...],
    describe: Callable[[Mapping[Hashable, Any]], dict[str, object]],
    symbol: str = "β",
    bounded: bool = False,
    note: str = "",
) -> Table:
    """Return rows of `estimates` as a Table: leading columns, then B, SE, z, p, interval and the standardised value."""
    several = len(edition.groups) > 1
    rows: list[dict[str, object]] = []
    for row in frame.to_dict("records"):
        fixed = not row["se"] > 0
        rows.append(
            describe(row)
            | {
                "group": edition.groups[row["group"] - 1] if several and row["group"] else None,
                "est": row["est"],
                "se": None if fixed else row["se"],
                "z": None if fixed else row["z"],
                "p": None if fixed else row["pvalue"],
                "interval": None if fixed else (row["ci_lower"], row["ci_upper"]),
                # An effect over groups has no standardised value of its own: each group has other variances.
                "std": None if several and not row["group"] else row["std_all"],
            }
        )
    columns = [*leading]
    columns += [Column("group", edition.word("group"))] if several else []
    columns += [
        Column("est", "B", "number"),
        Column("se", "SE", "number"),
        Column("z", "z", "number", 2),
        Column("p", "p", "p"),
        Column("interval", edition.word("interval"), "interval"),
        Column("std", symbol, "number", 3, bounded),
    ]
    kept = [column.key for column in columns]
    clean = tuple({key: value for key, value in row.items() if key in kept} for row in rows)
    return Table(id, caption, tuple(columns), clean, edition.note(edition.intervals(), note), edition.lang)


def loadings_table(frame: pd.DataFrame, edition: Edition) -> Table:
    """Return the loadings: rows of `estimates` with ``=~``."""
    return _estimate_table(
        frame[frame["op"] == "=~"],
        edition,
        id="loadings",
        caption=edition.word("loadings_caption"),
        leading=(Column("construct", edition.word("construct")), Column("item", edition.word("item"))),
        describe=lambda row: {"construct": edition.label(row["lhs"]), "item": edition.label(row["rhs"])},
        symbol="λ",
        bounded=True,
        note=edition.word("loading_note"),
    )


def paths_table(frame: pd.DataFrame, edition: Edition) -> Table:
    """Return the regressions: rows of `estimates` with ``~``, written from cause to outcome."""
    return _estimate_table(
        frame[frame["op"] == "~"],
        edition,
        id="paths",
        caption=edition.word("paths_caption"),
        leading=(Column("path", edition.word("path")),),
        describe=lambda row: {"path": f"{edition.label(row['rhs'])} → {edition.label(row['lhs'])}"},
        bounded=True,
        note=edition.word("standardised_note"),
    )


def covariances_table(frame: pd.DataFrame, edition: Edition, *, variances: bool = False) -> Table:
    """Return the covariances, or with `variances` the (residual) variances: rows of `estimates` with ``~~``."""
    own = frame["lhs"] == frame["rhs"]
    kind = "variances" if variances else "covariances"
    return _estimate_table(
        frame[(frame["op"] == "~~") & (own if variances else ~own)],
        edition,
        id=kind,
        caption=edition.word(f"{kind}_caption"),
        leading=(Column("path", edition.word("variable" if variances else "pair")),),
        describe=lambda row: {
            "path": edition.label(row["lhs"])
            if variances
            else f"{edition.label(row['lhs'])} ↔ {edition.label(row['rhs'])}"
        },
        symbol=edition.word("standardised_variance") if variances else "r",
        bounded=True,
        note=edition.word("variance_note" if variances else "covariance_note"),
    )


def intercepts_table(frame: pd.DataFrame, edition: Edition) -> Table:
    """Return the means and intercepts: rows of `estimates` with ``~1``."""
    return _estimate_table(
        frame[frame["op"] == "~1"],
        edition,
        id="intercepts",
        caption=edition.word("intercepts_caption"),
        leading=(Column("path", edition.word("variable")),),
        describe=lambda row: {"path": edition.label(row["lhs"])},
        symbol=edition.word("standardised_variance"),
    )


def effects_table(frame: pd.DataFrame, edition: Edition) -> Table:
    """Return the effects that the model defines: rows of `estimates` with ``:=``."""
    return _estimate_table(
        frame[frame["op"] == ":="],
        edition,
        id="effects",
        caption=edition.word("effects_caption"),
        leading=(Column("effect", edition.word("effect")), Column("expression", edition.word("expression"))),
        describe=lambda row: {"effect": edition.label(row["lhs"]), "expression": row["rhs"]},
        bounded=True,
        note=edition.word("effects_note_drawn" if edition.drawn else "effects_note"),
    )


def r_squared_table(frame: pd.DataFrame, outcomes: tuple[str, ...], edition: Edition) -> Table:
    """Return the explained variance of the outcomes of the structural model.

    Parameters
    ----------
    frame : DataFrame
        From `r_squared`: variable, group, r2.
    outcomes : tuple of str
        Variables that a path explains.
    edition : Edition
        Language, labels and note.

    Returns
    -------
    Table
    """
    several = len(edition.groups) > 1
    columns = [Column("outcome", edition.word("outcome"))]
    columns += [Column("group", edition.word("group"))] if several else []
    columns += [Column("r2", "R²", "number", 3, bounded=True)]
    rows = []
    for row in frame[frame["variable"].isin(outcomes)].to_dict("records"):
        found: dict[str, object] = {"outcome": edition.label(row["variable"]), "r2": row["r2"]}
        rows.append(found | ({"group": edition.groups[row["group"] - 1]} if several else {}))
    return Table("r-squared", edition.word("r2_caption"), tuple(columns), tuple(rows), edition.note(), edition.lang)


def modification_table(frame: pd.DataFrame, edition: Edition, *, rows: int = 10) -> Table:
    """Return the largest modification indices.

    Parameters
    ----------
    frame : DataFrame
        From `modification_indices`: lhs, op, rhs, group, mi, epc, sepc_all, largest first.
    edition : Edition
        Language, labels and note.
    rows : int, default 10
        How many.

    Returns
    -------
    Table
    """
    several = len(edition.groups) > 1
    columns = [Column("parameter", edition.word("parameter"))]
    columns += [Column("group", edition.word("group"))] if several else []
    columns += [Column("mi", "MI", "number", 2), Column("epc", "EPC", "number"), Column("sepc", "SEPC", "number", 3)]
    body: list[dict[str, object]] = []
    for row in frame.head(rows).to_dict("records"):
        found: dict[str, object] = {"parameter": f"{row['lhs']} {row['op']} {row['rhs']}", "mi": row["mi"]}
        found |= {"epc": row["epc"], "sepc": row["sepc_all"]}
        body.append(found | ({"group": edition.groups[row["group"] - 1]} if several else {}))
    note = edition.note(edition.word("modification_note"))
    return Table("modification", edition.word("modification_caption"), tuple(columns), tuple(body), note, edition.lang)
