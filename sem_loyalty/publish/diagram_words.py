"""The words below a path diagram, in both languages."""

from __future__ import annotations

from collections.abc import Sequence

from sem_loyalty.fitting.solution import Fit

_WORDS = {
    "en": {
        "lead": "Note. ",
        "group": "Group {label}. ",
        "std": "Standardised {estimator} estimates",
        "est": "Unstandardised {estimator} estimates (loadings too)",
        "n": ", N = {n}",
        "listwise": ", listwise deletion",
        "fiml": ", missing answers by full information",
        "se": ", standard errors in parentheses",
        "ci": ", 95% confidence intervals in brackets",
        "stop": ".",
        "dashed": " Dashed grey = not significant.",
        "stars": " * p < .05, ** p < .01, *** p < .001.",
    },
    "zh": {
        "lead": "注：",
        "group": "{label}组，",
        "std": "{estimator} 标准化估计",
        "est": "{estimator} 非标准化估计（含载荷）",
        "n": "，N = {n}",
        "listwise": "，含缺失值的个案成列删除",
        "fiml": "，缺失值按全信息极大似然处理",
        "se": "，圆括号内为标准误",
        "ci": "，方括号内为 95% 置信区间",
        "stop": "。",
        "dashed": "虚线表示不显著。",
        "stars": "* p < 0.05，** p < 0.01，*** p < 0.001。",
    },
}


def figure_note(fit: Fit, group: int, lang: str, show: Sequence[str] = ("std", "stars")) -> str:
    """Return the note that makes a path diagram readable on its own.

    Parameters
    ----------
    fit : Fit
    group : int
        Whose N; 0 for panels, which say their own.
    lang : {"en", "zh"}
    show : sequence of str
        What is printed on the paths.
    """
    words = _WORDS[lang]
    said = words["lead"]
    if group:
        entry = fit.moments.groups[group - 1]
        said += words["group"].format(label=entry.label) if entry.label else ""
    said += words[show[0]].format(estimator=fit.estimator)
    said += words["n"].format(n=entry.n) if group else ""
    rule = fit.moments.missing
    if rule == "fiml" or (rule == "listwise" and fit.moments.n < fit.moments.n_collected):
        said += words[rule]
    said += "".join(words[what] for what in ("se", "ci") if what in show) + words["stop"]
    if fit.certificate.certified:
        said += words["dashed"] + (words["stars"] if "stars" in show else "")
    return said
