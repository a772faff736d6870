"""Measured loyalty: recommendation, drivers, importance and performance, segments."""

from __future__ import annotations

from sem_loyalty.publish.chapter.writer import Said, Writer, at
from sem_loyalty.publish.records import Record


def write_loyalty(w: Writer) -> None:
    """Write the section on measured loyalty, as far as the study asks for it."""
    sections = ("nps", "drivers", "performance", "segments")
    if not any(w.records(section) for section in sections):
        return
    w.heading("Measured loyalty and its drivers", "忠诚度测量与驱动因素")
    w.paragraph([_recommendation(w)])
    w.paragraph([*_drivers(w), *_performance(w)])
    w.paragraph([_segments(w)])


def _shown(w: Writer, table: str, figure: str) -> Said:
    tables = [id for id in w.book.results["tables"] if id == table or str(id).startswith(f"{table}-")]
    figures = [name for name in (figure, *(f"{figure}-{k}" for k in range(2, 20))) if w.has("figure", name)]
    return w.listed([*([w.tables(*tables)] if tables else []), *[(w.refer("figure", name),) for name in figures]])


def _recommendation(w: Writer) -> Said:
    found = {str(record["row"]): record for record in w.records("nps")}
    if "all" not in found:
        return ()
    return w.say(
        "The net promoter score is {v}, 95% CI {ci} (*n* = {n}; {t}): {p}% promoters less {d}% detractors.",
        "净推荐值（NPS）为 {v}，95% CI {ci}（*n* = {n}；{t}），即推荐者 {p}% 减去贬损者 {d}%。",
        v=w.value("nps/all/nps:1"),
        ci=w.value("nps/all/ci:1"),
        n=w.value("nps/all/n:0"),
        p=w.value("nps/all/promoters:pct1"),
        d=w.value("nps/all/detractors:pct1"),
        t=_shown(w, "nps", "nps"),
    )


def _drivers(w: Writer) -> list[Said]:
    said = []
    for whole in w.records("driven"):
        group = str(whole["group"])
        own = sorted(
            (record for record in w.records("drivers") if record["group"] == group), key=lambda record: record["rank"]
        )
        if not own:
            continue
        where = w.say("In the group {g}, ", "在{g}组中，", g=group) if group else ()
        items = [
            w.say(
                "{x} {v}%", "{x} {v}%", x=w.label(str(record["row"])),
                v=w.value(f"drivers/{at(str(record['row']), group)}/share:pct1"),
            )
            for record in own
        ]  # fmt: skip
        said.append(
            w.say(
                f"{{where}}{'the' if group else 'The'} explained variance of {{y}} (*R*² = {{r2}}) is shared out to "
                "its antecedents as follows: {items} ({t}); these shares describe association.",
                "{where}{y}的解释方差（*R*² = {r2}）按前因变量分解为：{items}（{t}）；该分解只描述关联。",
                where=where,
                y=w.label(str(whole["row"])),
                r2=w.index(f"driven/{at(str(whole['row']), group)}/r2"),
                items=w.listed(items),
                t=_shown(w, "drivers", "drivers"),
            )
        )
    return said


def _performance(w: Writer) -> list[Said]:
    records = w.records("performance")
    groups = list(dict.fromkeys(str(record["group"]) for record in records))
    said = []
    for group in groups:
        own = [record for record in records if record["group"] == group]
        if len(own) < 2:
            continue
        first = [record for record in own if record["advice"] == "improve first"]
        where = w.say(" in the group {g}", "（{g}组）", g=group) if group else ()
        table = _shown(w, "importance-performance", "map")
        if first:
            said.append(
                w.say(
                    "In the importance–performance map{where}, of more than average importance and less than average "
                    "performance, and so to be improved first, {verb} {items} ({t}).",
                    "重要性—绩效分析{where}显示，重要性高于均值而绩效低于均值、宜优先改进的是{items}（{t}）。",
                    where=where,
                    verb="is" if len(first) == 1 else "are",
                    items=w.listed([_performed(w, record, group) for record in first]),
                    t=table,
                )
            )
        else:
            said.append(
                w.say(
                    "In the importance–performance map{where} no antecedent combines more than average importance with "
                    "less than average performance ({t}).",
                    "重要性—绩效分析{where}显示，没有前因变量同时具有高于均值的重要性与低于均值的绩效（{t}）。",
                    where=where,
                    t=table,
                )
            )
    return said


def _performed(w: Writer, record: Record, group: str) -> Said:
    row = f"performance/{at(str(record['row']), group)}"
    return w.say(
        "{x} (importance {i}, performance {p})",
        "{x}（重要性 {i}，绩效 {p}）",
        x=w.label(str(record["row"])),
        i=w.number(f"{row}/importance"),
        p=w.value(f"{row}/performance:1"),
    )


def _segments(w: Writer) -> Said:
    found = w.records("segments")
    if not found:
        return ()
    table = _shown(w, "segments", "segments")
    if found[0]["k"] == 1:
        return w.say(
            "The gap statistic gives no ground for dividing the respondents into segments by their scores ({t}).",
            "gap 统计量不支持按得分对受访者进行细分（{t}）。",
            t=table,
        )
    return w.say(
        "By the gap statistic the respondents fall into {k} segments by their scores ({t}).",
        "按 gap 统计量，受访者依得分可分为 {k} 个细分群体（{t}）。",
        k=w.value("segments/k"),
        t=table,
    )
