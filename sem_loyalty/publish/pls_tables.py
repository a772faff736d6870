"""Tables of a model by partial least squares, in the language of the report."""

from __future__ import annotations

import numpy as np

from sem_loyalty.display import Column, Table
from sem_loyalty.pls_sem.bootstrap import PlsBootstrap
from sem_loyalty.pls_sem.methods import MethodComparison
from sem_loyalty.pls_sem.quality import PlsQuality
from sem_loyalty.publish.tables import Edition


def methods_table(found: MethodComparison, edition: Edition, scheme: str) -> Table:
    """Return the paths by covariance-based SEM, PLSc, PLS and sums of items, and where they part."""
    certified = found.cb is not None and not found.cb_reason
    marks = {
        "cb": "" if certified else edition.word("pls_not_certified"),
        "plsc": "" if found.consistent.admissible else edition.word("pls_not_admissible"),
        "pls": "" if found.plain.admissible else edition.word("pls_not_admissible"),
    }
    # The heads of a CSV are the keys.
    keys = {key: f"{key}_not_{'certified' if key == 'cb' else 'admissible'}" if said else key
            for key, said in marks.items()}  # fmt: skip
    columns = (
        Column("path", edition.word("path")),
        Column(keys["cb"], f"CB-SEM{marks['cb']}", "number", 3),
        Column(keys["plsc"], f"PLSc{marks['plsc']}", "number", 3),
        Column(keys["pls"], f"PLS{marks['pls']}", "number", 3),
        Column("sums", edition.word("pls_sums"), "number", 3),
        Column("reason", edition.word("pls_reason")),
    )
    rows: list[dict[str, object]] = []
    for row in found.paths.to_dict("records"):
        cells: dict[str, object] = {keys.get(key, key): row[key] for key in ("cb", "plsc", "pls", "sums")}
        reason = edition.word(str(row["reason"]))
        rows.append({"path": _path(row["cause"], row["outcome"], edition), **cells, "reason": reason})
    estimator = found.cb.estimator if found.cb is not None else "ML"
    kind = edition.word(f"scheme_{scheme}")
    note = edition.note(edition.word("pls_methods_note", estimator=estimator, scheme=kind))
    return Table("pls-methods", edition.word("pls_methods_caption"), columns, tuple(rows), note, edition.lang)


def paths_table(found: PlsQuality, drawn: PlsBootstrap | None, edition: Edition) -> Table:
    """Return the paths with their uncertainty, collinearity and effect size."""
    columns = [Column("path", edition.word("path")), Column("est", "β", "number", 3)]
    columns += _uncertainty(edition) if drawn is not None else []
    columns += [Column("vif", "VIF", "number", 2), Column("f2", "f²", "number", 3)]
    uncertain = {} if drawn is None else _by_pair(drawn, "path")
    rows: list[dict[str, object]] = []
    for row in found.inner.to_dict("records"):
        cells: dict[str, object] = {"path": _path(row["cause"], row["outcome"], edition), "est": row["est"]}
        cells |= uncertain.get((row["cause"], row["outcome"]), {})
        rows.append(cells | {"vif": row["vif"], "f2": row["f2"]})
    note = edition.note(_drawn(drawn, edition), edition.word("pls_inner_note"))
    return Table("pls-paths", edition.word("pls_paths_caption"), tuple(columns), tuple(rows), note, edition.lang)


def outer_table(found: PlsQuality, edition: Edition) -> Table:
    """Return weights and loadings item by item."""
    columns = (
        Column("construct", edition.word("construct")),
        Column("item", edition.word("item")),
        Column("mode", edition.word("pls_mode")),
        Column("weight", edition.word("pls_weight"), "number", 3),
        Column("loading", edition.word("pls_loading"), "number", 3, bounded=True),
        Column("vif", "VIF", "number", 2),
    )
    rows: list[dict[str, object]] = []
    before = ""
    for row in found.outer.to_dict("records"):
        name = str(row["construct"])
        cells: dict[str, object] = {key: row[key] for key in ("mode", "weight", "loading", "vif")}
        shown = "" if name == before else edition.label(name)
        rows.append({"construct": shown, "item": edition.label(str(row["item"])), **cells})
        before = name
    note = edition.note(edition.word("pls_outer_note"))
    return Table("pls-measurement", edition.word("pls_outer_caption"), columns, tuple(rows), note, edition.lang)


def reliability_table(found: PlsQuality, edition: Edition) -> Table:
    """Return reliability, convergent validity and explained variance of every construct."""
    columns = (
        Column("construct", edition.word("construct")),
        Column("items", edition.word("pls_items"), "int"),
        *(
            Column(key, head, "number", 3, bounded=True)
            for key, head in (("alpha", "α"), ("rho_a", "ρA"), ("rho_c", "ρC"), ("ave", "AVE"), ("r2", "R²"))
        ),
        Column("r2_adjusted", edition.word("pls_r2_adjusted"), "number", 3, bounded=True),
    )
    explained = found.r2.set_index("construct").to_dict("index")
    rows: list[dict[str, object]] = []
    for row in found.reliability.to_dict("records"):
        keys = ("items", "alpha", "rho_a", "rho_c", "ave")
        cells: dict[str, object] = {key: row[key] for key in keys if not _absent(row[key])}
        cells |= {str(key): value for key, value in explained.get(row["construct"], {}).items()}
        rows.append({"construct": edition.label(str(row["construct"])), **cells})
    note = edition.note(edition.word("pls_reliability_note"))
    caption = edition.word("pls_reliability_caption")
    return Table("pls-measurement-reliability", caption, columns, tuple(rows), note, edition.lang)


def htmt_table(found: PlsQuality, drawn: PlsBootstrap | None, edition: Edition) -> Table:
    """Return HTMT of every pair of constructs, with its interval."""
    columns = [Column("pair", edition.word("pls_pair")), Column("htmt", "HTMT", "number", 3, bounded=True)]
    if drawn is not None:
        columns.append(Column("interval", edition.word("interval"), "interval", 3, bounded=True))
    intervals: dict[str, object] = {}
    if drawn is not None:
        frame = drawn.estimates("htmt")
        intervals = dict(zip(frame["name"], zip(frame["ci_lower"], frame["ci_upper"], strict=True), strict=True))
    values, names = found.htmt.to_numpy(), [str(name) for name in found.htmt.columns]
    rows: list[dict[str, object]] = []
    for i, j in np.argwhere(np.tri(len(names), k=-1, dtype=bool)):
        if np.isnan(values[i, j]):
            continue
        pair = f"{edition.label(names[j])} – {edition.label(names[i])}"
        cells = {"pair": pair, "htmt": float(values[i, j])}
        known = [name for name in (f"{names[i]} ~ {names[j]}", f"{names[j]} ~ {names[i]}") if name in intervals]
        rows.append(cells | ({"interval": intervals[known[0]]} if known else {}))
    note = edition.note(_drawn(drawn, edition), edition.word("pls_htmt_note"))
    return Table("pls-htmt", edition.word("pls_htmt_caption"), tuple(columns), tuple(rows), note, edition.lang)


def fit_table(found: PlsQuality, edition: Edition) -> Table:
    """Return SRMR, the distances and NFI."""
    columns = (
        Column("measure", edition.word("pls_measure")),
        Column("saturated", edition.word("pls_saturated"), "number", 3),
        Column("estimated", edition.word("pls_estimated"), "number", 3),
    )
    rows = tuple({str(key): value for key, value in row.items()} for row in found.model_fit().to_dict("records"))
    note = edition.note(edition.word("pls_fit_note"))
    return Table("pls-fit", edition.word("pls_fit_caption"), columns, rows, note, edition.lang)


def _uncertainty(edition: Edition) -> list[Column]:
    return [
        Column("se", "SE", "number", 3),
        Column("t", "t", "number", 2),
        Column("p", "p", "p"),
        Column("interval", edition.word("interval"), "interval", 3),
    ]


def _by_pair(drawn: PlsBootstrap, kind: str) -> dict[tuple[str, str], dict[str, object]]:
    """Return se, t, p and interval of one kind of statistic by the pair of constructs."""
    frame = drawn.estimates(kind)
    return {
        (str(row["cause"]), str(row["outcome"])): {
            "se": row["se"],
            "t": row["t"],
            "p": row["pvalue"],
            "interval": (row["ci_lower"], row["ci_upper"]),
        }
        for row in frame.to_dict("records")
    }


def _drawn(drawn: PlsBootstrap | None, edition: Edition) -> str:
    if drawn is None:
        return ""
    return edition.word("pls_drawn", draws=f"{len(drawn.converged):,}", seed=drawn.seed, failed=drawn.failed)


def _path(cause: object, outcome: object, edition: Edition) -> str:
    return f"{edition.label(str(cause))} → {edition.label(str(outcome))}"


def _absent(value: object) -> bool:
    return isinstance(value, float) and np.isnan(value)
