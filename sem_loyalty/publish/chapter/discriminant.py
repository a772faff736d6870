"""Discriminant validity of the constructs."""

from __future__ import annotations

from collections.abc import Sequence

from sem_loyalty.publish.chapter.cutoffs import LIBERAL_HTMT, STRICT_HTMT, below, exists
from sem_loyalty.publish.chapter.measurement import construct_row
from sem_loyalty.publish.chapter.writer import Said, Writer
from sem_loyalty.publish.records import Record


def write_discriminant(w: Writer) -> None:
    """Write discriminant validity: √AVE against correlations, and HTMT."""
    if w.records("discriminant"):
        w.heading("Discriminant validity", "区分效度", 2)
        w.paragraph([_fornell(w), _htmt(w)])


def _names(w: Writer, record: Record) -> tuple[str, str]:
    first, second = str(record["row"]).split("~~")
    return w.label(first), w.label(second)


def _pair(w: Writer, record: Record) -> str:
    """Return the two constructs, and the group where there are several."""
    first, second = _names(w, record)
    text = f"{first} and {second}" if w.english else f"{first}与{second}"
    if not record["group"]:
        return text
    return f"{text} in the group {record['group']}" if w.english else f"{text}（{record['group']}）"


def _square_tables(w: Writer, id: str) -> Said:
    ids = [id, *(name for name in w.book.results["tables"] if str(name).startswith(f"{id}-"))]
    return w.tables(*ids)


def _fornell(w: Writer) -> Said:
    """Return the sentence on the Fornell-Larcker criterion, pair by pair where it fails."""
    judged = [record for record in w.records("discriminant") if record["fornell_larcker"] is not None]
    if not judged:
        return ()
    table = _square_tables(w, "constructs" if w.has("table", "constructs") else "fornell-larcker")
    failed = [record for record in judged if not record["fornell_larcker"]]
    if not failed:
        return w.say(
            "In every pair of constructs, √AVE of both exceeds their correlation, which meets the criterion of "
            "{fornell_by} "
            "({t})." if len(judged) > 1 else
            "√AVE of both constructs exceeds their correlation, which meets the criterion of {fornell_by} ({t}).",
            "每对构念的 √AVE 均大于二者的相关系数，满足 {fornell_by}的判据（{t}）。",
            t=table,
        )  # fmt: skip
    items = [
        w.say(
            "{pair}, whose correlation of {r} is not below the smaller √AVE of {root}",
            "{pair}（相关系数 {r}，较小的 √AVE 为 {root}）",
            pair=_pair(w, record),
            r=w.index(f"{construct_row('discriminant', record)}/correlation"),
            root=w.index(f"{construct_row('discriminant', record)}/{_smaller(record)}"),
        )
        for record in failed
    ]
    return w.say(
        "The criterion of {fornell_by} is not met by {items} ({t}).",
        "未满足 {fornell_by}判据的有：{items}（{t}）。",
        items=w.joined(items),
        t=table,
    )


def _smaller(record: Record) -> str:
    return "root_ave_first" if record["root_ave_first"] <= record["root_ave_second"] else "root_ave_second"


def _htmt(w: Writer) -> Said:
    known = [record for record in w.records("discriminant") if exists(record["htmt"])]
    if not known:
        return ()
    table = _square_tables(w, "htmt")
    doubtful = [record for record in known if not below(record["htmt"], STRICT_HTMT)]
    if not doubtful:
        largest = max(known, key=lambda record: float(record["htmt"]))
        return w.say(
            "All heterotrait–monotrait ratios (HTMT) lie below .85 {henseler}; the largest, of {pair}, is {v} ({t})."
            if len(known) > 1 else
            "The heterotrait–monotrait ratio (HTMT) of {pair} is {v}, below .85 {henseler} ({t}).",
            "异质—单质比率（HTMT）均低于 0.85{henseler}，最大值为 {v}（{pair}；{t}）。",
            pair=_pair(w, largest),
            v=w.index(f"{construct_row('discriminant', largest)}/htmt"),
            t=table,
        )  # fmt: skip
    failed = [record for record in doubtful if not below(record["htmt"], LIBERAL_HTMT)]
    between = [record for record in doubtful if record not in failed]

    def named(records: Sequence[Record]) -> Said:
        return w.listed(
            [
                w.say(
                    "{pair} ({v})",
                    "{pair}（{v}）",
                    pair=_pair(w, record),
                    v=w.index(f"{construct_row('discriminant', record)}/htmt"),
                )
                for record in records
            ]
        )

    clauses: list[Said] = []
    if failed:
        clauses.append(
            w.say(
                "it is .90 or more for {items}, whose discriminant validity is not shown",
                "{items}的比率达到或超过 0.90，其区分效度未得到支持",
                items=named(failed),
            )
        )
    if between:
        clauses.append(
            w.say(
                "it lies between the strict limit of .85 and the liberal one of .90 for {items}",
                "{items}的比率介于严格标准 0.85 与宽松标准 0.90 之间",
                items=named(between),
            )
        )
    return w.say(
        "By the heterotrait–monotrait ratio (HTMT) {henseler}, {clauses} ({t}).",
        "按异质—单质比率（HTMT）{henseler}，{clauses}（{t}）。",
        clauses=w.joined(clauses),
        t=table,
    )
