"""Limits of the study, each from its evidence, and the first paragraph of a solution that cannot be trusted."""

from __future__ import annotations

import re

from sem_loyalty.diagnosis.diagnose import Diagnosis
from sem_loyalty.display.numbers import true_minus
from sem_loyalty.fitting.certificate import Problem
from sem_loyalty.publish.chapter.cutoffs import CONVERGENT, LIBERAL_HTMT, below, significant
from sem_loyalty.publish.chapter.fit import fit_indices, fit_verdict
from sem_loyalty.publish.chapter.writer import Said, Writer
from sem_loyalty.publish.faults import problem_text
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.records import OWN_MODEL


def write_warning(w: Writer) -> None:
    """Write first of all that the data are simulated, where they are."""
    if w.book.results["simulated_data"]:
        w.paragraph([(word("simulated", w.lang),)], "warning")


def write_uncertified(w: Writer, problems: tuple[Problem, ...], diagnosis: Diagnosis | None) -> None:
    """Write the first paragraphs of a chapter on a fit that is not certified: no interpretation, and the cause."""
    withheld = len(w.records("hypotheses"))
    said = [
        w.say(
            "The solution of this model failed its checks and must not be interpreted: no estimate is reported"
            + (", and no verdict on any hypothesis is given." if withheld else "."),
            "该模型的解未通过检验，不得解释：本章不报告任何参数估计"
            + ("，也不对任何假设作出结论。" if withheld else "。"),
        )
    ]
    # Numbers in these sentences are evidence of a fault, not results: they have no address, so nobody can cite them.
    told = [problem_text(problem, w.lang) for problem in problems]
    said += [(_sentence(text, w.english),) for text in told]
    w.paragraph(said, "warning")
    if diagnosis is None:
        return
    w.heading("Diagnosis", "诊断")
    found = [finding.text(w.lang) for finding in diagnosis.findings if finding.serious]
    repeated = tuple(_bare(text) for text in told)
    w.paragraph([(_sentence(text, w.english),) for text in found if not _bare(text).startswith(repeated)])
    w.paragraph(_remedies(w, diagnosis))


def _remedies(w: Writer, diagnosis: Diagnosis) -> list[Said]:
    """Return what was tried and helps, each with what it changes in substance, and what needs other data."""

    def named(certified: bool | None) -> list[Said]:
        return [
            w.say(
                "“{what}” ({change})",
                "“{what}”（{change}）",
                what=remedy.text(w.lang),
                change=remedy.change(w.lang).rstrip(".。"),
            )
            for remedy in diagnosis.remedies
            if remedy.certified is certified
        ]

    helping, untried = named(True), named(None)
    said: list[Said] = []
    if helping:
        said.append(
            w.say(
                "Of the remedies that were tried, these lead to a certified solution: {items}."
                if len(helping) > 1
                else "Of the remedies that were tried, one leads to a certified solution: {items}.",
                "所尝试的补救办法中，可得到可接受解的有：{items}。",
                items=w.joined(helping),
            )
        )
    else:
        said.append((word("diagnosis_none", w.lang),))
    if untried:
        said.append(
            w.say(
                "Not tried, because it needs other data: {items}.",
                "需要补充数据而未尝试的有：{items}。",
                items=w.joined(untried),
            )
        )
    return said


def _bare(text: str) -> str:
    return re.sub(r"[\s,.、。]", "", text)


def _sentence(text: str, english: bool) -> str:
    """Return a text with a full stop at its end and with true minus signs."""
    shown = true_minus(text)
    return shown if shown.endswith((".", "。", "!", "?")) else shown + ("." if english else "。")


def write_limits(w: Writer) -> None:
    """Write the section on limits."""
    said = [*_data(w), *_model(w)]
    if said:
        w.heading("Limitations", "研究局限")
        w.paragraph(said)


def _data(w: Writer) -> list[Said]:
    results = w.book.results
    said: list[Said] = []
    if results["simulated_data"]:
        said.append(
            w.say(
                "The answers were simulated, so that the findings show how the analysis works and say nothing about "
                "customers.",
                "本章数据为模拟数据，结果仅用于展示分析过程，不反映任何真实顾客。",
            )
        )
    mcar = w.records("mcar")
    if results["missing"] == "listwise" and mcar and significant(mcar[0]["p"]):
        said.append(
            w.say(
                "Respondents with missing answers were deleted although the answers are not missing completely at "
                "random.",
                "作答并非完全随机缺失，而缺失样本采用列表删除。",
            )
        )
    if w.records("efa") and any(row["op"] == "=~" for row in w.book.rows("estimates")):
        said.append(
            w.say(
                "The exploratory and the confirmatory analysis rest on the same sample, so that the latter does not "
                "confirm the former independently.",
                "探索性与验证性分析采用同一样本，后者不构成对前者的独立验证。",
            )
        )
    return said


def _model(w: Writer) -> list[Said]:
    said: list[Said] = []
    verdict, _ = fit_verdict(fit_indices(w.book.results["fit_measures"]))
    if verdict in ("mixed", "poor"):
        said.append(
            w.say(
                "The model does not reach all cut-offs of fit, so that its paths may be biased by what it leaves out."
                if verdict == "mixed" else
                "The model fits poorly, so that its paths may be biased by what it leaves out.",
                "模型未达到全部拟合标准，路径系数可能受未纳入因素的影响而有偏。" if verdict == "mixed" else
                "模型拟合较差，路径系数可能受未纳入因素的影响而有偏。",
            )
        )  # fmt: skip
    weak = [
        record
        for record in w.records("reliability")
        if record["ave"] is not None and record["ave"] == record["ave"] and below(record["ave"], CONVERGENT)
    ]
    if weak:
        names = list(dict.fromkeys(w.label(str(record["row"])) for record in weak))
        said.append(
            w.say(
                "Convergent validity is not shown for {names}.", "{names}的收敛效度未得到支持。", names=w.listed(names)
            )
        )
    alike = [
        record
        for record in w.records("discriminant")
        if record["fornell_larcker"] is False
        or (record["htmt"] is not None and record["htmt"] == record["htmt"] and not below(record["htmt"], LIBERAL_HTMT))
    ]
    if alike:
        pairs = list(dict.fromkeys(tuple(str(record["row"]).split("~~")) for record in alike))
        joined = [f"{w.label(a)} {'and' if w.english else '与'} {w.label(b)}" for a, b in pairs]
        joined = joined if w.english else [text.replace(" 与 ", "与") for text in joined]
        said.append(
            w.say(
                "The paths that involve both of {pairs} are hard to tell apart, because discriminant validity is in "
                "doubt.",
                "{pairs}的区分效度存疑，与之有关的路径系数难以区分。",
                pairs=w.joined([(text,) for text in joined]),
            )
        )
    frail = [r for r in w.records("robustness") if r["main_verdict"] == "supported" and not r["robust"]]
    if frail:
        said.append(
            w.say(
                "The support for {ids} depends on choices of the analysis.",
                "{ids}是否得到支持取决于分析设定。",
                ids=w.ids([str(record["row"]) for record in frail]),
            )
        )
    choice = w.records("rival_choice")
    if choice and str(choice[0]["choice"]) not in (OWN_MODEL, ""):
        said.append(w.say("A rival model describes the data better.", "存在对数据描述更好的竞争模型。"))
    elif choice and (choice[0]["twins"] or choice[0]["open"]):
        said.append(
            w.say(
                "Other models describe these data equally well, so that the choice between them rests on theory.",
                "另有模型对数据的描述同样良好，模型的取舍须依据理论。",
            )
        )
    return said
