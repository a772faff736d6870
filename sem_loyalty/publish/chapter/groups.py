"""The comparison of groups: invariance, means, paths."""

from __future__ import annotations

from sem_loyalty.publish.chapter.cutoffs import exists, significant
from sem_loyalty.publish.chapter.writer import Said, Writer, at
from sem_loyalty.publish.records import Record

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
    tested = exists(w.records("group_joint")[0]["pvalue"])
    joint = (
        ()
        if not tested
        else w.say(
            "Δχ²({df}) = {chi}, *p* {p}",
            "Δχ²({df}) = {chi}，*p* {p}",
            df=w.value("group_joint/df_diff:0"),
            chi=w.value("group_joint/chisq_diff:2"),
            p=w.value("group_joint/pvalue:p="),
        )
    )
    somewhere = significant(w.records("group_joint")[0]["pvalue"])
    parts = [w.tables("group-paths")]
    parts += [(w.refer("figure", "forest"),)] if w.has("figure", "forest") else []
    shown = w.listed(parts)
    said = [
        w.say(
            "The model with all structural paths held equal at once has no certified solution and tests nothing "
            "({shown}).",
            "将全部结构路径同时设为等值的模型未得到可接受的解，不作检验（{shown}）。",
            shown=shown,
        )
        if not tested
        else w.say(
            "With all structural paths held equal at once, the fit "
            f"{'is significantly worse' if somewhere else 'is not significantly worse'} "
            "({joint}; {shown}).",
            f"将全部结构路径同时设为等值时，拟合{'显著变差' if somewhere else '未显著变差'}（{{joint}}；{{shown}}）。",
            joint=joint,
            shown=shown,
        )
    ]
    silent = [_path_name(w, record) for record in tests if not exists(record["pvalue"])]
    if silent:
        said.append(
            w.say(
                "Not tested, because the model that holds the path equal has no certified solution: {items}.",
                "以下路径设为等值的模型未得到可接受的解，未作检验：{items}。",
                items=w.listed(silent),
            )
        )
    if len(silent) == len(tests):
        return said
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


def _path_name(w: Writer, record: Record) -> str:
    """Return "Trust → Loyalty" for a record on "LOY~TRU"."""
    outcome, cause = str(record["row"]).split("~")
    return w.route((cause, outcome))
