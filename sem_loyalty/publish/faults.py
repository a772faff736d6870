"""The problems of a certificate, and a diagnosis, in the language of the report."""

from __future__ import annotations

from collections.abc import Iterator

from sem_loyalty.diagnosis.diagnose import Diagnosis
from sem_loyalty.display import Table
from sem_loyalty.display.numbers import true_minus
from sem_loyalty.fitting.certificate import Problem
from sem_loyalty.publish import html
from sem_loyalty.publish.lang import word


def problem_text(problem: Problem, lang: str) -> str:
    """Return what is wrong, in one sentence.

    Parameters
    ----------
    problem : Problem
    lang : {"en", "zh"}
        English is the text of the problem; Chinese is made of its code, parameters and values.
    """
    if lang == "en":
        return true_minus(problem.text)
    names = [label.split(" [")[0] for label in problem.parameters]
    if len(problem.values) == len(names):
        pairs = [f"{name} = {value:.3g}" for name, value in zip(names, problem.values, strict=True)]
    else:
        pairs = names
    value = problem.values[0] if problem.values else float("nan")
    where = word("fault_group", lang, group=problem.group) if problem.group else ""
    key = "fault_rescaling_failed" if problem.code == "rescaling" and value != value else _key(problem)
    said = word(key, lang, where=where, names="、".join(names), pairs="、".join(pairs), value=f"{value:.3g}")
    return true_minus(said)


def _key(problem: Problem) -> str:
    return f"fault_{problem.code.replace(' ', '_')}"


def diagnosis_parts(diagnosis: Diagnosis, lang: str) -> Iterator[str | Table]:
    """Yield the section on the cause and the remedies as HTML, the remedies as a table."""
    for key, serious in (("diagnosis_found", True), ("diagnosis_also", False)):
        said = [true_minus(finding.text(lang)) for finding in diagnosis.findings if finding.serious is serious]
        if said:
            yield html.heading(word(key, lang))
            yield html.bullets(said)
    if diagnosis.clear:
        yield html.paragraph(true_minus(diagnosis.checked(lang)))
    if diagnosis.remedies:
        yield diagnosis.table(lang)
        closing = diagnosis.changes(lang)
        yield html.heading(word("diagnosis_changes" if closing else "diagnosis_none", lang))
        yield html.bullets(map(true_minus, closing))
