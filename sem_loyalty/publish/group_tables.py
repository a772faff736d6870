"""Tables and sentences on groups: invariance of the measurement, means of the constructs, paths compared."""

from __future__ import annotations

import math

from sem_loyalty.display import Column, Table, format_number
from sem_loyalty.inference.group_paths import PathComparison
from sem_loyalty.inference.invariance import Invariance, thresholds
from sem_loyalty.publish.hypothesis_tables import ALPHA, listed, p_text
from sem_loyalty.publish.tables import Edition

REJECTED = " (rejected)"
PARTIAL = "partial "


def invariance_table(found: Invariance, edition: Edition) -> tuple[Table, tuple[str, ...]]:
    """Return the steps as a Table, and what was reached."""
    frame = found.to_frame()
    rows: list[dict[str, object]] = []
    for row in frame.to_dict("records"):
        name = step_name(row["step"], edition)
        cells: dict[str, object] = {"step": name if row["certified"] else f"{name}: {edition.word('not_certified')}"}
        cells |= {key: row[key] for key in ("chisq", "df", "cfi", "rmsea", "srmr")}
        if row["against"]:
            cells |= {key: row[key] for key in ("chisq_diff", "df_diff", "pvalue_diff", "cfi_diff", "rmsea_diff")}
            cells |= {"srmr_diff": row["srmr_diff"]}
        cells["holds"] = {True: edition.word("yes"), False: edition.word("no")}.get(row["holds"])
        rows.append(cells)
    columns = (
        Column("step", edition.word("step")),
        Column("chisq", "χ²", "number", 2),
        Column("df", "df", "int"),
        Column("cfi", "CFI", "number", 3, bounded=True),
        Column("rmsea", "RMSEA", "number", 3, bounded=True),
        Column("srmr", "SRMR", "number", 3, bounded=True),
        Column("chisq_diff", "Δχ²", "number", 2),
        Column("df_diff", "Δdf", "int"),
        Column("pvalue_diff", "p", "p"),
        Column("cfi_diff", "ΔCFI", "number", 3, bounded=True),
        Column("rmsea_diff", "ΔRMSEA", "number", 3, bounded=True),
        Column("srmr_diff", "ΔSRMR", "number", 3, bounded=True),
        Column("holds", edition.word("holds")),
    )
    reached = edition.word("reached", level=step_name(found.level, edition)) if found.level else ""
    released = list(dict.fromkeys(name for step in found.steps if step.holds for name in step.released))
    said = [reached or edition.word("reached_nothing")]
    said += [edition.word("released", names=listed(released, edition))] if released else []
    caption = edition.word("invariance_caption", groups=listed(list(found.groups), edition))
    note = edition.note(_rule(found, edition))
    return Table("invariance", caption, columns, tuple(rows), note, edition.lang), tuple(said)


def step_name(name: str, edition: Edition) -> str:
    """Return the name of a step as a reader knows it."""
    if name.endswith(REJECTED):
        return edition.word("rejected_step", step=step_name(name.removesuffix(REJECTED), edition))
    if name.startswith(PARTIAL):
        return edition.word("partial_step", step=step_name(name.removeprefix(PARTIAL), edition))
    return edition.word(name)


def _rule(found: Invariance, edition: Edition) -> str:
    if found.rule != "chen2007":
        return edition.word(f"rule_{found.rule}")
    n = found.steps[0].fit.moments.n
    loose, later = thresholds("metric", n), thresholds("scalar", n)
    values = {"cfi": loose.cfi, "rmsea": loose.rmsea, "loose": loose.srmr, "srmr": later.srmr}
    shown = {key: format_number(value, 3, True, lang=edition.lang) for key, value in values.items()}
    return edition.word("rule_chen2007", **shown)


def means_table(found: Invariance, edition: Edition) -> tuple[Table, tuple[str, ...]] | None:
    """Return the means of the constructs against the first group, and which differ; None where there are none."""
    if found.latent_means is None:
        return None
    several = len(found.groups) > 2
    rows: list[dict[str, object]] = []
    differing = []
    for row in found.latent_means.to_dict("records"):
        name = edition.label(row["latent"])
        rows.append(
            {
                "construct": name,
                "est": row["mean"],
                "se": row["se"],
                "p": row["pvalue"],
                "interval": (row["ci_lower"], row["ci_upper"]),
                "d": row["d"],
            }
            | ({"group": row["group"]} if several else {})
        )
        if row["pvalue"] < ALPHA:
            differing.append(f"{name} ({row['group']})" if several else name)
    columns = (
        Column("construct", edition.word("construct")),
        *((Column("group", edition.word("group")),) if several else ()),
        Column("est", edition.word("difference"), "number"),
        Column("se", "SE", "number"),
        Column("p", "p", "p"),
        Column("interval", edition.word("interval"), "interval"),
        Column("d", "d", "number", 2),
    )
    said = edition.word("means_differ", names=listed(differing, edition)) if differing else edition.word("means_alike")
    caption = edition.word("means_caption", group=found.groups[0])
    note = edition.note(edition.word("wald_note"), edition.word("means_note"))
    return Table("latent-means", caption, columns, tuple(rows), note, edition.lang), (said,)


def group_paths_table(found: PathComparison, edition: Edition) -> tuple[Table, tuple[str, ...]]:
    """Return the paths by group with their tests, and which of them differ."""
    values = {(row["path"], row["group"]): row["est"] for row in found.estimates.to_dict("records")}
    rows: list[dict[str, object]] = []
    differing = []
    for row in found.paths.to_dict("records"):
        cells: dict[str, object] = {"path": path_name(row["path"], edition)}
        cells |= {f"b{k}": values[row["path"], label] for k, label in enumerate(found.groups)}
        cells |= {key: row[key] for key in ("chisq_diff", "df_diff", "pvalue", "pvalue_holm", "q")}
        rows.append(cells)
        if row["pvalue_holm"] < ALPHA:
            differing.append(str(cells["path"]))
    columns = (
        Column("path", edition.word("path")),
        *(Column(f"b{k}", f"B {label}", "number") for k, label in enumerate(found.groups)),
        Column("chisq_diff", "Δχ²", "number", 2),
        Column("df_diff", "Δdf", "int"),
        Column("pvalue", "p", "p"),
        Column("pvalue_holm", edition.word("p_holm"), "p"),
        Column("q", "Δβ", "number", 3),
    )
    p = found.joint["pvalue"]
    joint = (
        edition.word("joint_uncertified")
        if math.isnan(p)
        else edition.word(
            "joint_note",
            chisq=format_number(found.joint["chisq_diff"], 2, lang=edition.lang),
            df=f"{found.joint['df_diff']:.0f}",
            p=p_text(p, edition),
        )
    )
    if differing:
        said = edition.word("paths_differ", names=listed(differing, edition))
    else:
        said = edition.word("paths_somewhere" if not math.isnan(p) and p < ALPHA else "paths_alike")
    caption = edition.word("group_paths_caption", groups=listed(list(found.groups), edition))
    note = edition.note(edition.word("group_paths_note"), joint)
    return Table("group-paths", caption, columns, tuple(rows), note, edition.lang), (said,)


def path_name(path: str, edition: Edition) -> str:
    """Return "Trust → Loyalty" for "LOY ~ TRU"."""
    outcome, _, cause = path.partition(" ~ ")
    return f"{edition.label(cause)} → {edition.label(outcome)}"
