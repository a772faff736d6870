"""Measurement: loadings, reliability, convergent validity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sem_loyalty.publish.chapter.cutoffs import CONVERGENT, GOOD_LOADING, LOADING, RELIABLE, below, exists, significant
from sem_loyalty.publish.chapter.writer import Said, Writer, at
from sem_loyalty.publish.records import Record

_CHINESE = {"α": "Cronbach's α ", "ω": "McDonald's ω ", "CR": "组合信度（CR）", "AVE": "平均方差提取量（AVE）"}


def loading_rows(w: Writer) -> list[Mapping[str, Any]]:
    """Return the estimates of the loadings."""
    return [row for row in w.book.rows("estimates") if row["op"] == "=~"]


def _group(w: Writer, row: Mapping[str, Any]) -> str:
    names = w.book.results.get("group_names", [])
    return str(names[int(row["group"]) - 1]) if len(names) > 1 and row["group"] else ""


def write_measurement(w: Writer) -> None:
    """Write loadings, reliability and convergent validity."""
    loadings = loading_rows(w)
    if not loadings:
        return
    w.heading("Reliability and convergent validity", "信度与收敛效度", 2)
    w.paragraph(_on_loadings(w, loadings))
    if w.records("reliability"):
        w.paragraph(_on_reliability(w))
    else:
        w.paragraph(
            [
                w.say(
                    "Coefficients of reliability and discriminant validity are not available for this estimator "
                    "and are not reported.",
                    "所用估计方法下无法提供信度与区分效度系数，故不予报告。",
                )
            ]
        )


def _key(w: Writer, row: Mapping[str, Any]) -> str:
    name = f"{row['lhs']}=~{row['rhs']}"
    return f"estimates/{at(name, _group(w, row))}"


def _on_loadings(w: Writer, loadings: Sequence[Mapping[str, Any]]) -> list[Said]:
    known = [row for row in loadings if row["std_all"] == row["std_all"] and row["std_all"] is not None]
    low = min(known, key=lambda row: abs(row["std_all"]))
    high = max(known, key=lambda row: abs(row["std_all"]))
    said = [
        w.say(
            "The standardised loadings range from {low} to {high} ({t}).",
            "标准化因子载荷介于 {low} 与 {high} 之间（{t}）。",
            low=w.index(f"{_key(w, low)}/std_all"),
            high=w.index(f"{_key(w, high)}/std_all"),
            t=_one_of(w, "cfa", "loadings"),
        )
    ]
    free = [row for row in loadings if (row["se"] or 0) > 0]
    silent = [row for row in free if not significant(row["pvalue"])]
    if free and not silent:
        said.append(w.say("All freely estimated loadings are significant.", "所有自由估计的载荷均显著。"))
    elif silent:
        named = [_named(w, row, "pvalue:p=", "*p* {v}") for row in silent]
        verb = "is" if len(silent) == 1 else "are"
        said.append(
            w.say(
                f"Not significant {verb} the {'loading' if len(silent) == 1 else 'loadings'} of {{items}}.",
                "不显著的载荷有：{items}。",
                items=w.listed(named),
            )
        )
    weak = [row for row in known if below(abs(row["std_all"]), LOADING)]
    middling = [row for row in known if row not in weak and below(abs(row["std_all"]), GOOD_LOADING)]
    if not weak and not middling:
        said.append(w.say("All reach the recommended .70 {hair}.", "全部达到 0.70 的推荐标准{hair}。"))
        return said
    if weak:
        items = w.listed([_named(w, row, "std_all:.3", "{v}") for row in weak])
        said.append(
            w.say(
                f"Below the minimum of .50 {{hair}} {'lies' if len(weak) == 1 else 'lie'} {{items}}; "
                f"{'this item is' if len(weak) == 1 else 'these items are'} a weak measure of "
                f"{'its construct' if len(weak) == 1 else 'their constructs'}.",
                "低于 0.50 最低标准{hair}的有 {items}，对所属构念的测量较弱。",
                items=items,
            )
        )
    if middling:
        items = w.listed([_named(w, row, "std_all:.3", "{v}") for row in middling])
        lead = "" if weak else "All reach the minimum of .50 {hair}; "
        zh = "" if weak else "全部达到 0.50 的最低标准{hair}，"
        start = "between" if lead else "Between"
        said.append(
            w.say(
                f"{lead}{start} .50 and the recommended .70 {'lies' if len(middling) == 1 else 'lie'} {{items}}.",
                f"{zh}其中介于 0.50 与推荐标准 0.70 之间的有 {{items}}。"
                if zh
                else "介于 0.50 与推荐标准 0.70 之间的有 {items}。",
                items=items,
            )
        )
    return said


def _one_of(w: Writer, *ids: str) -> Said:
    """Return a reference to the first of some tables that exists: they show the same numbers."""
    return w.tables(*[id for id in ids if w.has("table", id)][:1])


def _named(w: Writer, row: Mapping[str, Any], field: str, template: str) -> Said:
    """Return an item with a number in brackets, and its group where there are several."""
    group = _group(w, row)
    where = ("; " if w.english else "；") + group if group else ""
    return w.say(
        f"{{item}} ({template}{{where}})",
        f"{{item}}（{template}{{where}}）",
        item=w.label(str(row["rhs"])),
        v=w.value(f"{_key(w, row)}/{field}"),
        where=where,
    )


def _place(w: Writer, record: Record) -> str:
    """Return the construct of a record, with its group where there are several."""
    name = w.label(str(record["row"]))
    if not record["group"]:
        return name
    return f"{name} ({record['group']})" if w.english else f"{name}（{record['group']}）"


def construct_row(section: str, record: Record) -> str:
    """Return the address of a row on a construct or a pair of them."""
    return f"{section}/{at(str(record['row']), str(record['group']))}"


def _on_reliability(w: Writer) -> list[Said]:
    found = w.records("reliability")
    table = _one_of(w, "cfa", "reliability")
    said: list[Said] = []
    clauses: list[Said] = []
    for field, name, phrase in (
        ("alpha", "α", "Cronbach's α"),
        ("omega", "ω", "McDonald's ω"),
        ("cr", "CR", "composite reliability (CR)"),
        ("ave", "AVE", "average variance extracted (AVE)"),
    ):
        known = [record for record in found if exists(record[field])]
        if known:
            clauses.append(
                w.say(
                    f"{phrase} {{range}}",
                    f"{_CHINESE[name]}{{range}}",
                    range=_range(w, "reliability", field, known, verb=not clauses),
                )
            )
    if clauses:
        said.append(
            w.say(
                "Over the constructs, {clauses} ({t})." if len(found) > 1 else "For the construct, {clauses} ({t}).",
                "各构念的{clauses}（{t}）。",
                clauses=w.listed(clauses) if w.english else w.joined(clauses),
                t=table,
            )
        )
    fails: list[Said] = []
    for field, name, limit, shown in (
        ("alpha", "α", RELIABLE, (".70", "0.70")),
        ("cr", "CR", RELIABLE, (".70", "0.70")),
        ("ave", "AVE", CONVERGENT, (".50", "0.50")),
    ):
        missed = [record for record in found if exists(record[field]) and below(record[field], limit)]
        if missed:
            items = [
                w.say(
                    "{who} ({v})",
                    "{who}（{v}）",
                    who=_place(w, record),
                    v=w.index(f"{construct_row('reliability', record)}/{field}"),
                )
                for record in missed
            ]
            fails.append(
                w.say(
                    f"{name} is below {shown[0]} for {{items}}",
                    f"{name} 低于 {shown[1]} 的有{{items}}",
                    items=w.listed(items),
                )
            )
    if not clauses:
        return said
    if not fails:
        said.append(
            w.say(
                "All values reach the customary limits of .70 for α {nunnally} and CR {hair} and of .50 for AVE "
                "{fornell}, so that reliability and convergent validity are satisfactory.",
                "α{nunnally}与 CR{hair}均不低于惯用的 0.70，AVE 均不低于 0.50{fornell}，"
                "表明量表具有良好的信度与收敛效度。",
            )
        )
    else:
        said.append(
            w.say(
                "Against the customary limits of .70 for α {nunnally} and CR {hair} and of .50 for AVE {fornell}, "
                "{fails}; "
                "there, reliability or convergent validity is in doubt.",
                "惯用标准为 α{nunnally}与 CR{hair}不低于 0.70、AVE 不低于 0.50{fornell}。对照之下，{fails}，"
                "其信度或收敛效度存疑。",
                fails=w.joined(fails),
            )
        )
    lacking = [record for record in found if not exists(record["cr"])]
    if lacking:
        said.append(
            w.say(
                "Composite reliability and AVE could not be computed for {items}.",
                "{items}无法计算组合信度与 AVE。",
                items=w.listed([_place(w, record) for record in lacking]),
            )
        )
    return said


def _range(w: Writer, section: str, field: str, found: Sequence[Record], *, verb: bool) -> Said:
    """Return "ranges from .70 to .90", or "is .70" of one; the verb only in the first clause of a series."""
    order: Callable[[Record], float] = lambda record: float(record[field])  # noqa: E731 - a key, twice
    low, high = min(found, key=order), max(found, key=order)
    if len(found) == 1:
        return w.say("is {v}" if verb else "{v}", "为 {v}", v=w.index(f"{construct_row(section, low)}/{field}"))
    return w.say(
        "ranges from {low} to {high}" if verb else "from {low} to {high}",
        "介于 {low} 与 {high} 之间",
        low=w.index(f"{construct_row(section, low)}/{field}"),
        high=w.index(f"{construct_row(section, high)}/{field}"),
    )
