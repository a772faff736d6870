"""Tables of measured loyalty and its drivers, in the language of the report."""

from __future__ import annotations

from sem_loyalty.display import Column, Table, format_number
from sem_loyalty.loyalty.drivers import Drivers
from sem_loyalty.loyalty.performance import PerformanceMap
from sem_loyalty.loyalty.recommendation import NetPromoter
from sem_loyalty.loyalty.scores import LoyaltyScores
from sem_loyalty.loyalty.segments import Segments
from sem_loyalty.publish.tables import Edition


def nps_table(found: NetPromoter, edition: Edition, basis: str) -> Table:
    """Return the net promoter score by group; `basis` says whose answers."""
    columns = (
        Column("group", edition.word("group")),
        Column("n", "n", "int"),
        *(Column(key, edition.word(key), "number", 3, bounded=True) for key in ("detractors", "passives", "promoters")),
        Column("nps", edition.word("nps"), "number", 1),
        Column("interval", edition.word("interval"), "interval", 1),
    )
    rows: list[dict[str, object]] = []
    for row in found.scores.reset_index().to_dict("records"):
        kept: dict[str, object] = {key: row[key] for key in ("n", "detractors", "passives", "promoters", "nps")}
        kept["group"] = edition.word("all") if row["group"] == "all" else edition.label(row["group"])
        rows.append(kept | {"interval": (row["ci_lower"], row["ci_upper"])})
    note = edition.note(edition.word("nps_note"), basis=basis, fit=False)
    return Table("nps", edition.word("nps_caption"), columns, tuple(rows), note, edition.lang)


def scores_table(found: LoyaltyScores, edition: Edition) -> Table:
    """Return the distribution and the reliability of the scores."""
    columns = (
        Column("construct", edition.word("construct")),
        Column("n", "n", "int"),
        Column("mean", edition.word("mean"), "number", 1),
        Column("sd", edition.word("sd"), "number", 1),
        Column("q50", edition.word("median"), "number", 1),
        Column("reliability", edition.word("reliability_of_scores"), "number", 3, bounded=True),
    )
    lowest = found.reliability.groupby("latent", sort=False)["reliability"].min()
    rows: list[dict[str, object]] = [
        {
            "construct": edition.label(str(name)),
            "n": int(values.notna().sum()),
            "mean": float(values.mean()),
            "sd": float(values.std()),
            "q50": float(values.median()),
            "reliability": float(lowest[str(name)]),
        }
        for name, values in found.scores.items()
    ]
    note = edition.note(edition.word("scores_note"))
    return Table("loyalty-scores", edition.word("scores_caption"), columns, tuple(rows), note, edition.lang)


def drivers_table(found: Drivers, edition: Edition, suffix: str, where: str) -> Table:
    """Return the antecedents of one group, the most important first."""
    columns = [
        Column("antecedent", edition.word("antecedent")),
        Column("r", "r", "number", 3, bounded=True),
        Column("beta", "β", "number"),
        Column("importance", edition.word("part"), "number", 3, bounded=True),
        Column("share", edition.word("share"), "number", 3, bounded=True),
    ]
    if found.draws:
        columns.append(Column("interval", edition.word("interval"), "interval", 3, bounded=True))
        columns.append(Column("p_strongest", edition.word("plot_strongest"), "number", 3, bounded=True))
    rows: list[dict[str, object]] = []
    for name, row in found.importance.iterrows():
        kept: dict[str, object] = {key: row[key] for key in ("r", "beta", "importance", "share")}
        kept["antecedent"] = edition.label(str(name))
        if found.draws:
            kept |= {"interval": (row["share_lower"], row["share_upper"]), "p_strongest": row["p_strongest"]}
        rows.append(kept)
    r2 = format_number(found.r2, 3, True, lang=edition.lang)
    drawn = edition.word("drivers_interval", draws=f"{found.draws:,}") if found.draws else ""
    note = edition.note(edition.word("drivers_note", r2=r2), drawn)
    title = edition.word("drivers_caption", outcome=edition.label(found.outcome)) + where
    return Table(f"drivers{suffix}", title, tuple(columns), tuple(rows), note, edition.lang)


def map_table(found: PerformanceMap, edition: Edition, suffix: str, where: str) -> Table:
    """Return importance and performance of one group."""
    columns = [
        Column("construct", edition.word("construct")),
        Column("importance", edition.word("importance"), "number"),
        *([Column("importance_ci", edition.word("interval"), "interval")] if found.draws else []),
        Column("effect_std", "β", "number"),
        Column("performance", edition.word("performance"), "number", 1),
        Column("performance_ci", edition.word("interval"), "interval", 1),
        Column("advice", edition.word("reading")),
    ]
    rows: list[dict[str, object]] = []
    for name, row in found.constructs.iterrows():
        kept: dict[str, object] = {key: row[key] for key in ("importance", "effect_std", "performance")}
        kept |= {"construct": edition.label(str(name)), "advice": edition.word(str(row["advice"]))}
        kept["performance_ci"] = (row["performance_lower"], row["performance_upper"])
        if found.draws:
            kept["importance_ci"] = (row["importance_lower"], row["importance_upper"])
        rows.append(kept)
    outcome = edition.label(found.outcome)
    drawn = edition.word("map_interval", draws=f"{found.draws:,}") if found.draws else edition.word("wald_note")
    note = edition.note(edition.word("map_note", outcome=outcome), drawn)
    title = edition.word("map_caption", outcome=outcome) + where
    return Table(f"importance-performance{suffix}", title, tuple(columns), tuple(rows), note, edition.lang)


def segment_tables(found: Segments, edition: Edition) -> tuple[Table, Table]:
    """Return the profile of the segments, and the criteria of their number."""
    scores = [str(name) for name in found.profile.columns if name not in ("n", "share", "jaccard")]
    columns = (
        Column("segment", edition.word("segment"), "int"),
        Column("n", "n", "int"),
        Column("share", edition.word("share"), "number", 3, bounded=True),
        *([Column("jaccard", edition.word("stability"), "number", 3, bounded=True)] if found.k > 1 else []),
        *(Column(name, edition.label(name), "number", 1) for name in scores),
    )
    keys = [column.key for column in columns]
    rows = tuple({key: row[key] for key in keys} for row in found.profile.reset_index().to_dict("records"))
    said = edition.word("segments_one") if found.k == 1 else edition.word("segments_found", k=found.k)
    first = Table(
        "segments", edition.word("segments_caption"), columns, rows, edition.note(said), edition.lang
    )  # fmt: skip
    heads = (
        Column("k", "k", "int"),
        Column("gap", "gap", "number"),
        Column("allowance", edition.word("allowance"), "number"),
        Column("silhouette", edition.word("silhouette"), "number", 3, bounded=True),
    )
    lines = tuple(
        {str(key): value for key, value in row.items()} for row in found.criteria.reset_index().to_dict("records")
    )
    note = edition.note(edition.word("criteria_note"))
    return first, Table("segment-criteria", edition.word("criteria_caption"), heads, lines, note, edition.lang)
