"""The hypotheses under other defensible choices."""

from __future__ import annotations

from sem_loyalty.publish.chapter.writer import Writer
from sem_loyalty.publish.quoting import quoted_name


def write_robustness(w: Writer) -> None:
    """Write the section on the hypotheses under other choices."""
    found = [record for record in w.records("robustness") if record["main_verdict"] != "untested"]
    if not found:
        return
    w.heading("Robustness", "稳健性检验")
    count = w.records("specifications")[0]
    shown = [w.tables("robustness")]
    shown += [(w.refer("figure", "curve"),)] if w.has("figure", "curve") else []
    said = [
        w.say(
            "The hypotheses were tested again under other defensible choices of estimator, missing rule, exclusions, "
            "items and controls: {run} of the {possible} possible specifications were run ({t})."
            if count["run"] < count["possible"] else
            "The hypotheses were tested again under all {run} specifications that other defensible choices of "
            "estimator, missing rule, exclusions, items and controls allow ({t}).",
            "改变估计方法、缺失值处理、剔除规则、题项与控制变量后重新检验假设，在 {possible} 种可能设定中运行了 "
            "{run} 种（{t}）。",
            run=w.value("specifications/run"),
            possible=w.value("specifications/possible"),
            t=w.listed(shown),
        )
    ]  # fmt: skip
    if count["uncertified"]:
        one = count["uncertified"] == 1
        said.append(
            w.say(
                f"Of these, {{n}} {'has' if one else 'have'} no certified solution and {'counts' if one else 'count'} "
                "nowhere.",
                "其中 {n} 种未得到可接受的解，不计入结果。",
                n=w.value("specifications/uncertified"),
            )
        )
    held = [record for record in found if record["main_verdict"] == "supported" and record["certified"]]
    always = [record for record in held if record["supported"] == record["certified"]]
    rest = [record for record in found if record not in always and record["certified"]]
    if always:
        same = len({record["certified"] for record in always}) == 1
        ids = w.ids([str(record["row"]) for record in always])
        holds = "holds" if len(always) == 1 else "hold"
        key = f"robustness/{quoted_name(str(always[0]['row']))}"
        if same:
            said.append(
                w.say(
                    f"{{ids}} {holds} in all {{n}} certified specifications.",
                    "{ids}在全部 {n} 种得到可接受解的设定中均获支持。",
                    ids=ids,
                    n=w.value(f"{key}/certified"),
                )
            )
        else:
            said.append(
                w.say(
                    f"{{ids}} {holds} in every certified specification.",
                    "{ids}在所有得到可接受解的设定中均获支持。",
                    ids=ids,
                )
            )
    for record in rest:
        key = f"robustness/{quoted_name(str(record['row']))}"
        supported = record["main_verdict"] == "supported"
        frail = supported and not record["robust"]
        said.append(
            w.say(
                "{id} {what} in {k} of {m} certified specifications (β from {low} to {high}){tail}.",
                "{id}在 {m} 种得到可接受解的设定中有 {k} 种获得支持（β 介于 {low} 与 {high} 之间）{tail}。",
                id=str(record["row"]),
                what="holds" if supported else "is supported",
                k=w.value(f"{key}/supported:0"),
                m=w.value(f"{key}/certified:0"),
                low=w.standardised(f"{key}/lowest"),
                high=w.standardised(f"{key}/highest"),
                tail=w.say(
                    ", fewer than 95%, and is therefore not robust", "，不足 95%，其结论不稳健"
                ) if frail else (),
            )
        )  # fmt: skip
    w.paragraph(said)
