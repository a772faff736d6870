"""Hypotheses one by one, and explained variance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sem_loyalty.publish.chapter.cutoffs import significant
from sem_loyalty.publish.chapter.writer import Said, Writer, at
from sem_loyalty.publish.quoting import quoted_name
from sem_loyalty.publish.records import Record


def write_hypotheses(w: Writer) -> None:
    """Write the section on the structural model and its hypotheses."""
    stated = w.records("hypotheses")
    paths = [row for row in w.book.rows("estimates") if row["op"] == "~"]
    if not stated and not paths:
        return
    w.heading("Structural model and hypotheses", "结构模型与假设检验")
    w.paragraph([*_opening(w, stated), _explained(w)])
    by_id: dict[str, list[Record]] = {}
    for entry in stated:
        by_id.setdefault(str(entry["id"]), []).append(entry)
    w.paragraph([_hypothesis(w, entries) for entries in by_id.values()])
    if stated:
        w.paragraph([_tally(w)])
    else:
        w.paragraph([_path(w, row) for row in paths])


def _opening(w: Writer, stated: Sequence[Record]) -> list[Said]:
    said: list[Said] = []
    figures = [id for id in ("path_diagram", *(f"path_diagram-{k}" for k in range(2, 20))) if w.has("figure", id)]
    shown = w.listed([(w.refer("figure", id),) for id in figures])
    table = w.tables("hypotheses") if stated else w.tables("paths")
    what = ("the tests of the hypotheses", "假设检验结果") if stated else ("the structural paths", "结构路径")
    if figures:
        verb = "shows" if len(figures) == 1 else "show"
        said.append(
            w.say(
                f"{{f}} {verb} the standardised solution, and {{t}} {what[0]}.",
                f"标准化解见{{f}}，{what[1]}见{{t}}。",
                f=shown,
                t=table,
            )
        )
    elif table:
        said.append(w.say(f"{{t}} lists {what[0]}.", f"{what[1]}见{{t}}。", t=table))
    said.append(
        w.say(
            "*B* is the unstandardised and β the standardised coefficient; *SE*, *p* and the 95% confidence interval "
            "(CI) belong to *B*.",
            "*B* 为非标准化系数，β 为标准化系数；*SE*、*p* 与 95% 置信区间（CI）对应 *B*。",
        )
    )
    return said


def _numbers(w: Writer, path: str, record: Mapping[str, Any], *, standardised: bool = True) -> Said:
    """Return "β = .51, B = 0.50, SE = 0.06, p < .001, 95% CI [0.38, 0.62]"."""
    # A chain that all groups share has a standardised effect in each of them, and none for all.
    one = bool(record["group"]) or len(w.book.results.get("group_names", [])) < 2
    known = standardised and one and record["std_all"] is not None and record["std_all"] == record["std_all"]
    std = w.say("β = {v}, ", "β = {v}，", v=w.standardised(f"{path}/std_all")) if known else ()
    bounded = record["ci_lower"] is not None and record["ci_lower"] == record["ci_lower"]
    interval = w.say(", 95% CI {v}", "，95% CI {v}", v=w.number(f"{path}/ci")) if bounded else ()
    return w.say(
        "{std}*B* = {b}, *SE* = {se}, *p* {p}{interval}",
        "{std}*B* = {b}，*SE* = {se}，*p* {p}{interval}",
        std=std,
        b=w.number(f"{path}/est"),
        se=w.number(f"{path}/se"),
        p=w.value(f"{path}/pvalue:p="),
        interval=interval,
    )


def _relation(w: Writer, entry: Record) -> Said:
    """Return "the path from Trust to Loyalty", or the indirect effect that a hypothesis is about."""
    names = [str(name) for name in entry["path"]]
    ends = {"x": w.label(names[0]), "y": w.label(names[-1])}
    if len(names) == 2:
        return w.say("the path from {x} to {y}", "{x}对{y}的影响", **ends)
    through = w.listed([w.label(name) for name in names[1:-1]])
    return w.say("the indirect effect of {x} on {y} through {m}", "{x}经由{m}对{y}的间接效应", m=through, **ends)


def _supported(w: Writer, entry: Record) -> Said:
    """Return what is the case where a hypothesis is supported, or would be with the other sign."""
    names = [str(name) for name in entry["path"]]
    ends = {"x": w.label(names[0]), "y": w.label(names[-1])}
    positive = entry["est"] > 0
    way, weise = ("positively", "正向") if positive else ("negatively", "负向")
    adjective = "positive" if positive else "negative"
    if len(names) == 2:
        return w.say(
            f"{{x}} is significantly and {way} associated with {{y}}", f"{{x}}对{{y}}具有显著{weise}影响", **ends
        )
    through = w.listed([w.label(name) for name in names[1:-1]])
    return w.say(
        f"the indirect effect of {{x}} on {{y}} through {{m}} is significant and {adjective}",
        f"{{x}}经由{{m}}对{{y}}的间接效应显著为{'正' if positive else '负'}",
        m=through,
        **ends,
    )


def _row(w: Writer, entry: Record) -> str:
    names = w.book.results.get("group_names", [])
    several = len(names) > 1 and entry["group"]
    id = quoted_name(str(entry["id"]))
    return f"hypotheses/{at(id, str(names[int(entry['group']) - 1]) if several else '')}"


def _hypothesis(w: Writer, entries: Sequence[Record]) -> Said:
    if len(entries) == 1:
        return _one(w, entries[0])
    relation = _relation(w, entries[0])
    names = [str(name) for name in w.book.results.get("group_names", [])]
    first = entries[0]
    if first["pvalue"] == first["pvalue"] and all(_alike(first, entry) for entry in entries[1:]):
        return _held_equal(w, entries, relation, names)
    clauses = []
    for entry in entries:
        row = _row(w, entry)
        known = entry["pvalue"] is not None and entry["pvalue"] == entry["pvalue"]
        clauses.append(
            w.say(
                "{verdict} in the group {name}{why}{numbers}",
                "在{name}组中{verdict}{why}{numbers}",
                verdict=w.value(f"{row}/verdict:said"),
                name=names[int(entry["group"]) - 1],
                why=_why(w, entry),
                numbers=w.say(" ({n})", "（{n}）", n=_numbers(w, row, entry)) if known else (),
            )
        )
    return w.say(
        "{id}, on {relation}, is {clauses}.",
        "{id}（{relation}）{clauses}。",
        id=str(first["id"]),
        relation=relation,
        clauses=w.listed(clauses) if w.english else w.joined(clauses),
    )


def _alike(one: Record, other: Record) -> bool:
    """Return whether two groups share a coefficient, because the model holds it equal."""
    same = abs(one["est"] - other["est"]) <= 1e-9 * max(1.0, abs(one["est"]))
    return bool(same and one["verdict"] == other["verdict"] and one["pvalue"] == other["pvalue"])


def _held_equal(w: Writer, entries: Sequence[Record], relation: Said, names: Sequence[str]) -> Said:
    """Return the sentence on a hypothesis whose coefficient the model holds equal in all groups."""
    first = entries[0]
    row = _row(w, first)
    betas = [
        w.say(
            "β = {b} in {g}",
            "{g}组 β = {b}",
            b=w.standardised(f"{_row(w, entry)}/std_all"),
            g=names[int(entry["group"]) - 1],
        )
        for entry in entries
    ]
    opposite = first["verdict"] == "opposite"
    return w.say(
        "{id}, on {relation}, is {verdict}"
        + (", being significant with the opposite sign" if opposite else "")
        + "; the model holds its coefficient equal in the groups ({numbers}; {betas}).",
        "{id}（{relation}，各组系数设为相等）{verdict}"
        + ("（显著但方向与假设相反）" if opposite else "")
        + "（{numbers}；{betas}）。",
        id=str(first["id"]),
        relation=relation,
        verdict=w.value(f"{row}/verdict:said"),
        numbers=_numbers(w, row, first, standardised=False),
        betas=w.listed(betas),
    )


def _why(w: Writer, entry: Record) -> Said:
    """Return, in the sentence on several groups, what is special about a verdict."""
    if entry["verdict"] == "opposite":
        return w.say(", where it is significant with the opposite sign", "（显著但方向与假设相反）")
    return ()


def _one(w: Writer, entry: Record) -> Said:
    row = _row(w, entry)
    id = str(entry["id"])
    verdict = str(entry["verdict"])
    said = w.value(f"{row}/verdict:said")
    relation = _relation(w, entry)
    if verdict == "untested":
        return w.say(
            "{id} was {verdict}: the model does not estimate {relation}.",
            "{id} {verdict}：模型未估计{relation}。",
            id=id,
            verdict=said,
            relation=relation,
        )
    numbers = _numbers(w, row, entry)
    if verdict == "supported":
        return w.say(
            "{id} is {verdict}: {fact} ({numbers}).",
            "{id} {verdict}：{fact}（{numbers}）。",
            id=id,
            verdict=said,
            fact=_supported(w, entry),
            numbers=numbers,
        )
    if verdict == "opposite":
        return w.say(
            "{id} is {verdict}: {fact}, which is opposite to the hypothesis ({numbers}).",
            "{id} {verdict}：{fact}，方向与假设相反（{numbers}）。",
            id=id,
            verdict=said,
            fact=_supported(w, entry),
            numbers=numbers,
        )
    against = (entry["est"] > 0) != (entry["sign"] == "+")
    if entry["pvalue"] < 0.10:  # said with its p, and never as support
        return w.say(
            f"{{id}} is {{verdict}} at .05 (*p* {{p}}): {{relation}} is not significant"
            f"{', and its sign is against the hypothesis' if against else ''} ({{numbers}}).",
            f"在 0.05 水平上 {{id}} {{verdict}}（*p* {{p}}）：{{relation}}不显著"
            f"{'，且符号与假设相反' if against else ''}（{{numbers}}）。",
            id=id,
            verdict=said,
            p=w.value(f"{row}/pvalue:p="),
            relation=relation,
            numbers=numbers,
        )
    return w.say(
        f"{{id}} is {{verdict}}: {{relation}} is not significant"
        f"{', and its sign is against the hypothesis' if against else ''} ({{numbers}}).",
        f"{{id}} {{verdict}}：{{relation}}不显著{'，且符号与假设相反' if against else ''}（{{numbers}}）。",
        id=id,
        verdict=said,
        relation=relation,
        numbers=numbers,
    )


def _tally(w: Writer) -> Said:
    counted = w.book.rows("tally")[0]
    tested, yes = int(counted["tested"]), int(counted["supported"])
    several = len(w.book.results.get("group_names", [])) > 1
    what, was = (
        ("tests of hypotheses in the groups", "各组假设检验") if several else ("hypotheses tested", "所检验的假设")
    )
    if not tested:
        return w.say("None of the hypotheses could be tested.", "所有假设均未能检验。")
    n, k = w.value("tally/tested"), w.value("tally/supported")
    if tested == 1:
        return w.say(
            f"The one hypothesis tested is {'' if yes else 'not '}supported.",
            f"所检验的唯一假设{'得到' if yes else '未得到'}支持。",
        )
    if yes == tested:
        return w.say(f"In sum, all {{n}} {what} are supported.", f"综上，{was}共 {{n}} 项，全部得到支持。", n=n)
    if not yes:
        return w.say(f"In sum, none of the {{n}} {what} is supported.", f"综上，{was}共 {{n}} 项，均未得到支持。", n=n)
    verb = "is" if yes == 1 else "are"
    return w.say(
        f"In sum, {{k}} of the {{n}} {what} {verb} supported.",
        f"综上，{was}共 {{n}} 项，其中 {{k}} 项得到支持。",
        n=n,
        k=k,
    )


def _path(w: Writer, row: Mapping[str, Any]) -> Said:
    """Return the sentence on a path of a model without hypotheses."""
    names = w.book.results.get("group_names", [])
    group = str(names[int(row["group"]) - 1]) if len(names) > 1 and row["group"] else ""
    name = f"{row['lhs']}~{row['rhs']}"
    key = f"estimates/{at(name, group)}"
    ends: dict[str, str] = {"x": w.label(str(row["rhs"])), "y": w.label(str(row["lhs"]))}
    where = w.say("in the group {g}, ", "在{g}组中，", g=group) if group else ()
    if not (row["se"] or 0) > 0:
        return ()
    way, weise = ("positively", "正向") if row["est"] > 0 else ("negatively", "负向")
    if significant(row["pvalue"]):
        said = w.say(
            f"{{where}}{{x}} is significantly and {way} associated with {{y}} ({{numbers}}).",
            f"{{where}}{{x}}对{{y}}具有显著{weise}影响（{{numbers}}）。",
            where=where,
            numbers=_numbers(w, key, row),
            **ends,
        )
    else:
        said = w.say(
            "{where}the path from {x} to {y} is not significant ({numbers}).",
            "{where}{x}对{y}的影响不显著（{numbers}）。",
            where=where,
            numbers=_numbers(w, key, row),
            **ends,
        )
    first = said[0]
    return (first[0].upper() + first[1:], *said[1:]) if isinstance(first, str) and first else said


def _explained(w: Writer) -> Said:
    found = [record for record in w.records("r_squared") if record["r2"] is not None and record["r2"] == record["r2"]]
    if not found:
        return ()
    items: list[Said] = []
    for record in found:
        name = w.label(str(record["row"]))
        group = str(record["group"])
        key = f"r_squared/{at(str(record['row']), group)}/r2:pct1"
        where = w.say(" (group {g})", "（{g}组）", g=group) if group else ()
        first = "the variance of " if not items else "that of "
        items.append(w.say(f"{{v}}% of {first}{{x}}{{where}}", "{x}{where} {v}%", v=w.value(key), x=name, where=where))
    return w.say("The model explains {items}.", "模型解释的方差比例（*R*²）为：{items}。", items=w.listed(items))
