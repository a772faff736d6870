"""Indirect effects and the kind of mediation."""

from __future__ import annotations

from typing import Any

from sem_loyalty.publish.chapter.writer import Said, Writer, at
from sem_loyalty.publish.records import Record

# With more indirect effects than this, the text tells those on outcomes that cause nothing further.
_MANY = 6


def write_mediation(w: Writer) -> None:
    """Write the section on indirect effects and the kind of mediation."""
    found = w.records("mediation")
    if not found:
        return
    w.heading("Indirect effects and mediation", "间接效应与中介作用")
    method = str(w.records("total")[0]["method"])
    how = (
        (
            "Intervals are those of the delta method, which takes products of coefficients for normal.",
            "置信区间采用 delta 法，该方法假定系数乘积服从正态分布。",
        )
        if method == "delta"
        else ("Intervals come from the bootstrap draws.", "置信区间来自自助抽样。")
    )
    last = {str(record["row"]).split("->")[-1] for record in found}
    causes = {str(record["row"]).split("->")[0] for record in w.records("total")}
    told = found if len(found) <= _MANY else [r for r in found if str(r["row"]).split("->")[1] in last - causes]
    opening = [
        w.say(
            "An effect is taken to exist where its 95% interval leaves out zero, and mediation is classified by the "
            "direct and the indirect effect {zhao} ({t}).",
            "95% 置信区间不含零即认为效应存在，并据直接效应与间接效应判定中介类型{zhao}（{t}）。",
            t=w.tables("decomposition", "mediation"),
        ),
        w.say(*how),
    ]
    if len(told) < len(found):
        opening.append(
            w.say(
                "The text tells the effects on the last outcomes of the model; the tables hold all.",
                "正文只说明对模型最终结果变量的效应，其余见表。",
            )
        )
    w.paragraph([*opening, *(_mediated(w, record) for record in told)])


def _mediated(w: Writer, record: Record) -> Said:
    row, group = str(record["row"]), str(record["group"])
    cause, outcome = row.split("->")
    place = at(row, group)
    where = w.say(" in the group {g}", "（{g}组）", g=group) if group else ()
    slots: dict[str, Any] = {"x": w.label(cause), "y": w.label(outcome), "where": where}
    indirect = w.say(
        "*B* = {b}, 95% CI {i}",
        "*B* = {b}，95% CI {i}",
        b=w.number(f"indirect/{place}/est"),
        i=w.number(f"indirect/{place}/ci"),
    )
    slots["indirect"] = indirect
    kind = str(record["kind"])
    if kind.startswith("indirect-only (") or (kind == "none" and not _direct(w, row, group)):
        exists = kind != "none"
        return w.say(
            f"{{x}} has {'an' if exists else 'no significant'} indirect effect on {{y}}{{where}} ({{indirect}})"
            + ("; the model has no direct path, so that the kind of mediation is not tested." if exists else "."),
            "{x}对{y}{where}" + ("存在显著间接效应（{indirect}）；模型未设直接路径，故未检验中介类型。" if exists
            else "的间接效应不显著（{indirect}）。"),
            **slots,
        )  # fmt: skip
    slots["direct"] = w.say(
        "*B* = {b}, 95% CI {i}",
        "*B* = {b}，95% CI {i}",
        b=w.number(f"direct/{place}/est"),
        i=w.number(f"direct/{place}/ci"),
    )
    if kind == "complementary":
        return w.say(
            "Of the effect of {x} on {y}{where}, both the indirect ({indirect}) and the direct part ({direct}) differ "
            "from zero and have the same sign: {kind}, in which {share}% of the total effect is mediated.",
            "{x}对{y}{where}的间接效应（{indirect}）与直接效应（{direct}）均显著且同号，属于{kind}，中介占总效应的 "
            "{share}%。",
            kind=w.value(f"mediation/{place}/kind:said"),
            share=w.value(f"mediation/{place}/share:pct"),
            **slots,
        )
    if kind == "competitive":
        return w.say(
            "Of the effect of {x} on {y}{where}, the indirect ({indirect}) and the direct part ({direct}) differ from "
            "zero and have opposite signs: {kind}.",
            "{x}对{y}{where}的间接效应（{indirect}）与直接效应（{direct}）均显著但异号，属于{kind}。",
            kind=w.value(f"mediation/{place}/kind:said"),
            **slots,
        )
    if kind == "indirect-only":
        return w.say(
            "Of the effect of {x} on {y}{where}, only the indirect part ({indirect}) differs from zero, the direct "
            "part ({direct}) does not: {kind}.",
            "{x}对{y}{where}仅间接效应显著（{indirect}），直接效应不显著（{direct}），属于{kind}。",
            kind=w.value(f"mediation/{place}/kind:said"),
            **slots,
        )
    if kind == "direct-only":
        return w.say(
            "Of the effect of {x} on {y}{where}, only the direct part ({direct}) differs from zero, the indirect part "
            "({indirect}) does not: mediation is not shown.",
            "{x}对{y}{where}仅直接效应显著（{direct}），间接效应不显著（{indirect}），未发现中介作用。",
            **slots,
        )
    return w.say(
        "Of the effect of {x} on {y}{where}, neither the direct ({direct}) nor the indirect part ({indirect}) differs "
        "from zero.",
        "{x}对{y}{where}的直接效应（{direct}）与间接效应（{indirect}）均不显著。",
        **slots,
    )


def _direct(w: Writer, row: str, group: str) -> bool:
    return any(str(record["row"]) == row and str(record["group"]) == group for record in w.records("direct"))
