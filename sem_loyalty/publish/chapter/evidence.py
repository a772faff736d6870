"""What corroborates or limits the result: rival models, groups, robustness."""

from __future__ import annotations

from sem_loyalty.publish.chapter.measurement import significant
from sem_loyalty.publish.chapter.writer import Said, Writer, at
from sem_loyalty.publish.claims import quoted_name
from sem_loyalty.publish.records import OWN_MODEL, Record

_STEPS = {
    "configural": ("configural", "形态等值"),
    "thresholds": ("equal thresholds", "阈值等值"),
    "metric": ("equal loadings (metric)", "载荷等值（弱等值）"),
    "scalar": ("equal intercepts (scalar)", "截距等值（强等值）"),
    "strict": ("equal residual variances (strict)", "残差方差等值（严格等值）"),
}
_RULES = {
    "chen2007": ("by the changes of CFI, RMSEA and SRMR {chen}", "依据 CFI、RMSEA 与 SRMR 的变化{chen}"),
    "cheung2002": ("by the change of CFI {cheung}", "依据 CFI 的变化{cheung}"),
    "test": ("by the test of the equalities", "依据等值约束的检验"),
}


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


def write_groups(w: Writer) -> None:
    """Write the section on the comparison of groups: invariance, means, paths."""
    found = w.records("invariance_reached")
    if not found:
        return
    reached = found[0]
    w.heading("Comparison of groups", "组间比较")
    groups = w.listed([str(name) for name in reached["groups"]])
    rule = _RULES[str(reached["rule"])]
    said = [
        w.say(
            f"Measurement invariance across the groups {{groups}} was judged {rule[0]} ({{t}}).",
            f"{rule[1]}检验各组（{{groups}}）的测量等值性（{{t}}）。",
            groups=groups,
            t=w.tables("invariance"),
        )
    ]
    said += [_step(w, record) for record in w.records("invariance")]
    if not reached["level"]:
        said.append(
            w.say(
                "Not even the configural model has a certified solution, so that nothing is said of the groups.",
                "形态等值模型亦未得到可接受的解，故不对各组作比较。",
            )
        )
    else:
        said.append(
            w.say(
                "The level reached is {level}.",
                "测量等值性达到{level}水平。",
                level=w.value("invariance_reached/level:said"),
            )
        )
    released = [str(name) for name in reached["released"]]
    if released:
        said.append(
            w.say(
                f"For this, {{names}} {'was' if len(released) == 1 else 'were'} allowed to differ between the groups.",
                "为此放开了以下参数的组间等值约束：{names}。",
                names=w.listed(released),
            )
        )
    w.paragraph(said)
    w.paragraph(_means(w))
    w.paragraph(_paths(w, bool(reached["level"])))


def _step(w: Writer, record: Record) -> Said:
    name = str(record["row"])
    if name == "configural" and record["certified"]:
        return w.say(
            "The configural model has CFI = {cfi}, RMSEA = {rmsea}, and SRMR = {srmr}.",
            "形态等值模型的 CFI = {cfi}，RMSEA = {rmsea}，SRMR = {srmr}。",
            cfi=w.index("invariance/configural/cfi"),
            rmsea=w.index("invariance/configural/rmsea"),
            srmr=w.index("invariance/configural/srmr"),
        )
    if record["holds"] is None:
        return ()
    base = name.removeprefix("partial-")
    english, chinese = _STEPS.get(base, (base, base))
    if name != base:
        english, chinese = f"partially {english}", f"部分{chinese}"
    holds = bool(record["holds"])
    row = f"invariance/{name}"
    return w.say(
        f"The step to {english} {'holds' if holds else 'does not hold'} (ΔCFI = {{cfi}}, ΔRMSEA = {{rmsea}}, ΔSRMR = "
        "{srmr}; Δχ²({df}) = {chi}, *p* {p}).",
        f"{chinese}{'成立' if holds else '不成立'}（ΔCFI = {{cfi}}，ΔRMSEA = {{rmsea}}，ΔSRMR = {{srmr}}；Δχ²({{df}}) "
        "= {chi}，*p* {p}）。",
        cfi=w.index(f"{row}/cfi_diff"),
        rmsea=w.index(f"{row}/rmsea_diff"),
        srmr=w.index(f"{row}/srmr_diff"),
        df=w.value(f"{row}/df_diff:0"),
        chi=w.value(f"{row}/chisq_diff:2"),
        p=w.value(f"{row}/pvalue_diff:p="),
    )


def _means(w: Writer) -> list[Said]:
    means = w.records("latent_means")
    if not means:
        return []
    table = w.tables("latent-means")
    differing = [record for record in means if significant(record["pvalue"])]
    first = str(w.records("invariance_reached")[0]["groups"][0])
    if not differing:
        return [
            w.say(
                "No mean of a construct differs significantly from that in the group {first} ({t}).",
                "各构念的潜均值与{first}组相比均无显著差异（{t}）。",
                first=first,
                t=table,
            )
        ]
    clauses = []
    for record in differing:
        row = f"latent_means/{at(str(record['row']), str(record['group']))}"
        higher = record["est"] > 0
        clauses.append(
            w.say(
                f"{{x}} is {'higher' if higher else 'lower'} in the group {{g}} (*d* = {{d}}, *p* {{p}})",
                f"{{g}}组的{{x}}{'较高' if higher else '较低'}（*d* = {{d}}，*p* {{p}}）",
                x=w.label(str(record["row"])),
                g=str(record["group"]),
                d=w.value(f"{row}/d:2"),
                p=w.value(f"{row}/pvalue:p="),
            )
        )
    return [
        w.say(
            "Against the group {first}, {clauses} ({t}).",
            "与{first}组相比，{clauses}（{t}）。",
            first=first,
            clauses=w.joined(clauses),
            t=table,
        )
    ]


def _paths(w: Writer, reached: bool) -> list[Said]:
    tests = w.records("group_tests")
    if not tests:
        level = str(w.records("invariance_reached")[0]["level"])
        if reached and level in ("configural", "thresholds", "partial-thresholds"):
            return [
                w.say(
                    "The paths are not compared, for without equal loadings they have no common measure.",
                    "由于载荷不等值，各组路径系数没有共同度量，故未作比较。",
                )
            ]
        return []
    joint = w.say(
        "Δχ²({df}) = {chi}, *p* {p}",
        "Δχ²({df}) = {chi}，*p* {p}",
        df=w.value("group_joint/df_diff:0"),
        chi=w.value("group_joint/chisq_diff:2"),
        p=w.value("group_joint/pvalue:p="),
    )
    somewhere = significant(w.records("group_joint")[0]["pvalue"])
    parts = [w.tables("group-paths")]
    parts += [(w.refer("figure", "forest"),)] if w.has("figure", "forest") else []
    shown = w.listed(parts)
    said = [
        w.say(
            "With all structural paths held equal at once, the fit "
            f"{'is significantly worse' if somewhere else 'is not significantly worse'} "
            "({joint}; {shown}).",
            f"将全部结构路径同时设为等值时，拟合{'显著变差' if somewhere else '未显著变差'}（{{joint}}；{{shown}}）。",
            joint=joint,
            shown=shown,
        )
    ]
    differing = [record for record in tests if significant(record["pvalue_holm"])]
    if not differing:
        said.append(
            w.say(
                "No single path differs significantly after correction for their number (Holm)"
                + ("." if somewhere else "; this does not prove that the paths are equal."),
                "经 Holm 校正后，没有单独一条路径存在显著组间差异"
                + ("。" if somewhere else "；但这并不证明各组路径相等。"),
            )
        )
        return said
    for record in differing:
        outcome, cause = str(record["row"]).split("~")
        estimates = [entry for entry in w.records("group_paths") if entry["row"] == record["row"]]
        items = [
            w.say(
                "β = {b} in {g}",
                "{g}组 β = {b}",
                b=w.standardised(f"group_paths/{at(str(entry['row']), str(entry['group']))}/std_all"),
                g=str(entry["group"]),
            )
            for entry in estimates
        ]
        said.append(
            w.say(
                "The path from {x} to {y} differs between the groups ({items}; *p* {p}, corrected after Holm).",
                "{x}对{y}的影响存在显著组间差异（{items}；经 Holm 校正 *p* {p}）。",
                x=w.label(cause),
                y=w.label(outcome),
                items=w.listed(items),
                p=w.value(f"group_tests/{record['row']}/pvalue_holm:p="),
            )
        )
    return said


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
