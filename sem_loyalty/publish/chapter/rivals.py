"""Rival models: what speaks for the proposed one and what against it."""

from __future__ import annotations

from sem_loyalty.publish.chapter.cutoffs import significant
from sem_loyalty.publish.chapter.writer import Said, Writer
from sem_loyalty.publish.quoting import quoted_name
from sem_loyalty.publish.records import OWN_MODEL, Record


def write_rivals(w: Writer) -> None:
    """Write the section on rival models."""
    rows = {str(record["row"]): record for record in w.records("rivals")}
    if not rows:
        return
    w.heading("Rival models", "竞争模型比较")
    choice = w.records("rival_choice")[0]
    others = [record for id, record in rows.items() if id != OWN_MODEL]
    one = len(others) == 1
    said = [
        w.say(
            f"The model was compared with {'a rival' if one else 'its rivals'} ({{t}}).",
            "将本模型与竞争模型进行比较（{t}）。",
            t=w.tables("rivals"),
        )
    ]
    said += [_rival(w, record) for record in others]
    picked, open_, twins = str(choice["choice"]), list(choice["open"]), list(choice["twins"])
    titles = {id: str(record["title"]) for id, record in rows.items()}
    named = w.listed([_quoted(w, titles[id]) for id in open_])
    if picked == OWN_MODEL and not open_:
        said.append(w.say("The evidence speaks for the proposed model.", "证据支持本文提出的模型。"))
    elif picked == OWN_MODEL:
        said.append(
            w.say(
                "The proposed model has the lowest BIC, but the data do not rule out {names}.",
                "本文提出的模型 BIC 最低，但数据不能排除{names}。",
                names=named,
            )
        )
    elif picked:
        tail = (", while the data do not rule out {names}", "，同时数据不能排除{names}") if open_ else ("", "")
        said.append(
            w.say(
                f"The evidence speaks for the rival {{name}} and not for the proposed model{tail[0]}; conclusions from "
                "the proposed model need a reason.",
                f"证据支持竞争模型{{name}}，而非本文提出的模型{tail[1]}；若仍据本文模型下结论，须说明理由。",
                name=_quoted(w, titles[picked]),
                names=named,
            )
        )
    else:
        said.append(w.say("The evidence chooses no model.", "现有证据不足以选定模型。"))
    if twins:
        said.append(
            w.say(
                "Equivalent to the model chosen, so that no data can decide and theory must, "
                f"{'is' if len(twins) == 1 else 'are'} {{names}}.",
                "与所选模型等价、数据无法区分而只能依理论取舍的有{names}。",
                names=w.listed([_quoted(w, titles[id]) for id in twins]),
            )
        )
    w.paragraph(said)


def _quoted(w: Writer, title: str) -> str:
    return f"“{title}”"


def _rival(w: Writer, record: Record) -> Said:
    id = quoted_name(str(record["row"]))
    name = _quoted(w, str(record["title"]))
    if not record["certified"]:
        return w.say(
            "{name} has no certified solution and is not compared.", "{name}未得到可接受的解，不参与比较。", name=name
        )
    relation = record.get("relation")
    if relation == "nested":
        numbers = w.say(
            "Δχ²({df}) = {chi}, *p* {p}",
            "Δχ²({df}) = {chi}，*p* {p}",
            df=w.value(f"rivals/{id}/df_diff:0"),
            chi=w.value(f"rivals/{id}/chisq_diff:2"),
            p=w.value(f"rivals/{id}/pvalue_diff:p="),
        )
        rejected = significant(record["pvalue_diff"])
        if record["restricts"]:
            return w.say(
                f"{{name}} restricts the proposed model, and the restriction is {'' if rejected else 'not '}rejected "
                "({numbers}).",
                f"{{name}}为本模型的约束形式，该约束{'被拒绝' if rejected else '未被拒绝'}（{{numbers}}）。",
                name=name,
                numbers=numbers,
            )
        return w.say(
            f"{{name}} adds parameters that {'improve' if rejected else 'do not improve'} the fit ({{numbers}}).",
            f"{{name}}增加的参数{'显著改善' if rejected else '未显著改善'}拟合（{{numbers}}）。",
            name=name,
            numbers=numbers,
        )
    if relation == "equivalent":
        return w.say(
            "{name} is equivalent to the proposed model: no data can tell them apart.",
            "{name}与本模型等价，数据无法区分二者。",
            name=name,
        )
    bic = w.say(
        "BIC {other} against {own}",
        "BIC 分别为 {other} 与 {own}",
        other=w.value(f"rivals/{id}/bic:1"),
        own=w.value(f"rivals/{OWN_MODEL}/bic:1"),
    )
    if relation is None:
        return w.say("{name} is compared by BIC ({bic}).", "{name}以 BIC 比较（{bic}）。", name=name, bic=bic)
    preferred = str(record.get("preferred", ""))
    english, chinese = (
        ("neither is closer to the data than chance allows", "二者与数据的接近程度无显著差异") if not preferred else
        ("the proposed model is preferred", "本模型更优") if preferred == OWN_MODEL else
        ("it is preferred", "该模型更优")
    )  # fmt: skip
    source = " {vuong}" if record.get("distinguishable_p") is not None else ""
    return w.say(
        f"{{name}} is not nested in the proposed model; {english}{source} ({{bic}}).",
        f"{{name}}与本模型互不嵌套，{chinese}{source.strip()}（{{bic}}）。",
        name=name,
        bic=bic,
    )
