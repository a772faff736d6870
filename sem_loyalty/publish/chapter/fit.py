"""Fit of the model, worded by a rule, and common method bias.

The rule: CFI and TLI from .95, RMSEA to .06 and SRMR to .08 (Hu & Bentler, 1999), each rounded to the three decimals
that are printed. All within: acceptable; some: mixed, and those that miss are named; none: poor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sem_loyalty.publish.chapter.cutoffs import ALPHA, below, significant
from sem_loyalty.publish.chapter.sample import ORDINAL
from sem_loyalty.publish.chapter.writer import Said, Writer

VIF_LIMIT = 3.3
# Index, its cut-off, whether it is a least value, and the cut-off in words.
_RULES: tuple[tuple[str, float, bool, str, str], ...] = (
    ("cfi", 0.95, True, "CFI", "≥ .95"),
    ("tli", 0.95, True, "TLI", "≥ .95"),
    ("rmsea", 0.06, False, "RMSEA", "≤ .06"),
    ("srmr", 0.08, False, "SRMR", "≤ .08"),
)


def fit_verdict(values: Mapping[str, float]) -> tuple[str, tuple[str, ...]]:
    """Return what the rule says of a fit.

    Parameters
    ----------
    values : mapping of str to float
        "cfi", "tli", "rmsea", "srmr", as far as they exist.

    Returns
    -------
    verdict : {"acceptable", "mixed", "poor", ""}
        "" where there is no index.
    missed : tuple of str
        Indices outside their cut-off.
    """
    judged = [(name, limit, least) for name, limit, least, _, _ in _RULES if name in values]
    missed = tuple(
        name
        for name, limit, least in judged
        if (below(values[name], limit) if least else round(float(values[name]), 3) > limit)
    )
    if not judged:
        return "", ()
    return "acceptable" if not missed else "poor" if len(missed) == len(judged) else "mixed", missed


def fit_indices(measures: Mapping[str, Any]) -> dict[str, float]:
    """Return the indices that `fit_verdict` judges: robust where the estimator has them, else scaled, else plain."""
    return {name: float(measures[key]) for name, key in _chosen(measures)[0].items()}


def write_fit(w: Writer) -> None:
    """Write the section on the fit of the model."""
    w.heading("Model fit", "模型拟合", 1)
    measures = w.book.results["fit_measures"]
    if not measures.get("df"):
        w.paragraph(
            [
                w.say(
                    "The model is saturated (*df* = 0): it reproduces the data exactly, so that its fit is not a test.",
                    "该模型为饱和模型（*df* = 0），必然完全拟合数据，拟合指标不构成检验。",
                )
            ]
        )
        return
    names, kind = _chosen(measures)
    said = [*_test(w, measures), _indices(w, names, kind), *_judged(w, measures, names)]
    w.paragraph(said)


def _known(measures: Mapping[str, Any], name: str) -> bool:
    value = measures.get(name)
    return value is not None and value == value


def _chosen(measures: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Return the measure that stands for each index (robust before scaled before plain), and its kind."""
    for kind in ("robust", "scaled", ""):
        suffix = f"_{kind}" if kind else ""
        if all(_known(measures, f"{name}{suffix}") for name in ("cfi", "rmsea")):
            found = {name: f"{name}{suffix}" for name in ("cfi", "tli", "rmsea")} | {"srmr": "srmr"}
            return {name: key for name, key in found.items() if _known(measures, key)}, kind
    return {"srmr": "srmr"} if _known(measures, "srmr") else {}, ""


def _test(w: Writer, measures: Mapping[str, Any]) -> list[Said]:
    suffix = "_scaled" if _known(measures, "chisq_scaled") else ""
    if not _known(measures, f"pvalue{suffix}"):
        return []
    rejected = float(measures[f"pvalue{suffix}"]) < ALPHA
    corrected = ("corrected ", "校正后的") if suffix else ("", "")
    verdict = ("rejects", "拒绝") if rejected else ("does not reject", "未拒绝")
    return [
        w.say(
            f"The {corrected[0]}test of exact fit {verdict[0]} the model, χ²({{df}}, *N* = {{n}}) = {{chi}}, *p* "
            f"{{p}}.",
            f"{corrected[1]}精确拟合检验{verdict[1]}该模型，χ²({{df}}, *N* = {{n}}) = {{chi}}，*p* {{p}}。",
            df=w.value("measures/df"),
            n=w.value("respondents/analysed:0"),
            chi=w.value(f"measures/chisq{suffix}:2"),
            p=w.value(f"measures/pvalue{suffix}:p="),
        )
    ]


def _indices(w: Writer, names: Mapping[str, str], kind: str) -> Said:
    clauses: list[Said] = []
    for name, _, _, shown, _ in _RULES:
        if name not in names:
            continue
        key = names[name]
        clause = w.say(f"{shown} = {{v}}", f"{shown} = {{v}}", v=w.index(f"measures/{key}"))
        interval = key.replace("rmsea", "rmsea_ci", 1)
        measures = w.book.results["fit_measures"]
        if name == "rmsea" and _known(measures, interval.replace("ci", "ci_lower", 1)):
            clause = w.say("{c}, 90% CI {i}", "{c}（90% CI {i}）", c=clause, i=w.index(f"measures/{interval}"))
        clauses.append(clause)
    if not clauses:
        return ()
    which = {"robust": ("robust ", "稳健"), "scaled": ("scaled ", "校正"), "": ("", "")}[kind]
    aside = (
        (f" (CFI, TLI and RMSEA are the {which[0]}ones)", f"（CFI、TLI 与 RMSEA 为{which[1]}值）") if kind else ("", "")
    )
    sep = ", " if w.english else "，"
    parts: list[Any] = []
    for position, clause in enumerate(clauses):
        parts += [*([sep] if position else []), *clause]
    return w.say(
        f"The indices are {{clauses}}{aside[0]}; {{t}} lists them all.",
        f"各拟合指标为：{{clauses}}{aside[1]}，全部指标见{{t}}。",
        clauses=tuple(parts),
        t=w.tables("fit"),
    )


def _judged(w: Writer, measures: Mapping[str, Any], names: Mapping[str, str]) -> list[Said]:
    verdict, missed = fit_verdict(fit_indices(measures))
    if not verdict:
        return []
    rules = {name: (shown, limit) for name, _, _, shown, limit in _RULES if name in names}
    zh_limit = {name: limit.replace(" .", " 0.") for name, (_, limit) in rules.items()}
    cutoffs = w.listed([f"{shown} {limit if w.english else zh_limit[name]}" for name, (shown, limit) in rules.items()])
    outside = w.listed([rules[name][0] for name in missed])
    if verdict == "acceptable":
        said = [
            w.say(
                "All lie within the cut-offs of {hu_by} ({cutoffs}); the fit is acceptable."
                if len(rules) > 1 else
                "It lies within the cut-off of {hu_by} ({cutoffs}); the fit is acceptable.",
                "各项指标均达到 {hu_by}的建议标准（{cutoffs}），模型拟合可以接受。",
                cutoffs=cutoffs,
            )
        ]  # fmt: skip
    elif verdict == "mixed":
        said = [
            w.say(
                f"Against the cut-offs of {{hu_by}} ({{cutoffs}}) the picture is mixed: {{outside}} "
                f"{'misses its' if len(missed) == 1 else 'miss their'} cut-off"
                f"{'' if len(missed) == 1 else 's'}.",
                "对照 {hu_by}的建议标准（{cutoffs}），结果不一致：{outside}未达标准。",
                cutoffs=cutoffs,
                outside=outside,
            )
        ]
    else:
        said = [
            w.say(
                "None lies within the cut-offs of {hu_by} ({cutoffs}): the fit is poor, and the estimates are "
                "to be read with caution.",
                "各项指标均未达到 {hu_by}的建议标准（{cutoffs}），模型拟合较差，对参数估计的解释须谨慎。",
                cutoffs=cutoffs,
            )
        ]
    if str(w.book.results["estimator"]) in ORDINAL:
        said.append(
            w.say(
                "These cut-offs were found for continuous data and maximum likelihood and are only a rough guide for "
                "ordinal items {xia}.",
                "上述标准是在连续数据与极大似然估计下得出的，对有序题项仅供参考{xia}。",
            )
        )
    return said


def write_method_bias(w: Writer) -> None:
    """Write the section on common method bias, if it was examined."""
    found = w.records("method_bias")
    if not found:
        return
    w.heading("Common method bias", "共同方法偏差", 2)
    share = w.value("method_bias/harman:pct1")
    if round(float(found[0]["harman"]), 3) <= 0.5:
        first = w.say(
            "In Harman's test the first unrotated component holds {share}% of the variance of the items, less than "
            "half {podsakoff}; this is weak evidence, for the test finds only very large bias."
            if float(found[0]["harman"]) < 0.5 else
            "In Harman's test the first unrotated component holds {share}% of the variance of the items {podsakoff}.",
            "Harman 单因子检验中，未旋转的第一主成分解释题项方差的 {share}%，低于一半{podsakoff}；"
            "但该检验只能发现极严重的偏差，证据力较弱。",
            share=share,
        )  # fmt: skip
    else:
        first = w.say(
            "In Harman's test the first unrotated component holds {share}% of the variance of the items, more than "
            "half {podsakoff}: substantial method bias cannot be ruled out.",
            "Harman 单因子检验中，未旋转的第一主成分解释题项方差的 {share}%，超过一半{podsakoff}，"
            "不能排除严重的方法偏差。",
            share=share,
        )
    w.paragraph([first, _single_factor(w), _method_factor(w), _collinearity(w)])


def _single_factor(w: Writer) -> Said:
    models = {str(record["row"]): record for record in w.records("method_models")}
    one = models.get("single-factor")
    own = models.get("constructs")
    if one is None or own is None or not (one["certified"] and own["certified"]):
        return ()
    if not significant(one["pvalue_diff"]):
        return ()
    return w.say(
        "A model with a single factor fits worse than the measurement model (CFI {one} against {own}; Δχ²({df}) = "
        "{chi}, *p* {p}; {t}).",
        "单因子模型的拟合劣于测量模型（CFI 分别为 {one} 与 {own}；Δχ²({df}) = {chi}，*p* {p}；{t}）。",
        one=w.index("method_models/single-factor/cfi"),
        own=w.index("method_models/constructs/cfi"),
        df=w.value("method_models/single-factor/df_diff:0"),
        chi=w.value("method_models/single-factor/chisq_diff:2"),
        p=w.value("method_models/single-factor/pvalue_diff:p="),
        t=w.tables("method-models"),
    )


def _method_factor(w: Writer) -> Said:
    models = {str(record["row"]): record for record in w.records("method_models")}
    name = "constructs-and-method-factor"
    if name not in models:
        return ()
    if not models[name]["certified"]:
        return w.say(
            "The model with a latent method factor has no certified solution and says nothing either way.",
            "含潜在方法因子的模型未得到可接受的解，不能据此作出判断。",
        )
    numbers = {
        "df": (w.value(f"method_models/{name}/df_diff:0"),),
        "chi": (w.value(f"method_models/{name}/chisq_diff:2"),),
        "p": (w.value(f"method_models/{name}/pvalue_diff:p="),),
    }
    if not significant(models[name]["pvalue_diff"]):
        return w.say(
            "A latent method factor beside the constructs does not improve the fit (Δχ²({df}) = {chi}, *p* {p}).",
            "在构念之外加入潜在方法因子未显著改善拟合（Δχ²({df}) = {chi}，*p* {p}）。",
            **numbers,
        )
    return w.say(
        "A latent method factor improves the fit (Δχ²({df}) = {chi}, *p* {p}); it takes {share}% of an item's variance "
        "on average, and no loading changes by more than {change}.",
        "加入潜在方法因子后拟合显著改善（Δχ²({df}) = {chi}，*p* {p}）；该因子平均占题项方差的 {share}%，"
        "载荷变化最大为 {change}。",
        share=w.value("method_bias/method_variance:pct1"),
        change=w.index("method_bias/largest_change"),
        **numbers,
    )


def _collinearity(w: Writer) -> Said:
    found = [record for record in w.records("vif") if record["vif"] is not None and record["vif"] == record["vif"]]
    if not found:
        return ()
    high = [record for record in found if round(float(record["vif"]), 2) > VIF_LIMIT]
    table = w.tables("full-collinearity")
    if not high:
        largest = max(found, key=lambda record: float(record["vif"]))
        return w.say(
            "In the full-collinearity test no variance inflation factor exceeds 3.3 {kock}; the largest is {v} ({who}; "
            "{t}).",
            "完全共线性检验中，方差膨胀因子（VIF）均不超过 3.3{kock}，最大值为 {v}（{who}；{t}）。",
            v=w.value(f"vif/{largest['row']}/vif:2"),
            who=w.label(str(largest["row"])),
            t=table,
        )
    items = [
        w.say("{who} ({v})", "{who}（{v}）", who=w.label(str(record["row"])), v=w.value(f"vif/{record['row']}/vif:2"))
        for record in high
    ]
    return w.say(
        "In the full-collinearity test the variance inflation factor exceeds 3.3 {kock} for {items} ({t}), which "
        "points to method bias or to constructs that overlap.",
        "完全共线性检验中，VIF 超过 3.3{kock}的有{items}（{t}），提示存在方法偏差或构念重叠。",
        items=w.listed(items),
        t=table,
    )
