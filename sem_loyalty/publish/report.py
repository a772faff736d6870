"""report.html: the first section says whether the fit can be trusted; the rest follows the order of a chapter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sem_loyalty.inference.verdicts import tally
from sem_loyalty.publish import html
from sem_loyalty.publish.drawn import drawn_fact
from sem_loyalty.publish.faults import diagnosis_parts, problem_text
from sem_loyalty.publish.html import Section
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.manifest import sha256, versions
from sem_loyalty.publish.results import FIGURE, Results, headline, made_by

#: Section: the tables that stand in it, in order, by id or by the beginning of the id.
TABLES: dict[str, tuple[str, ...]] = {
    "sample": ("sample-flow", "characteristics", "screening-tests"),
    "description": ("descriptives", "correlations"),
    "efa": ("eigenvalues", "efa"),
    "measurement": ("constructs", "cfa", "loadings", "reliability", "fornell-larcker", "htmt"),
    "fit": ("fit", "modification"),
    "structure": ("hypotheses", "paths", "r-squared", "covariances", "variances", "intercepts"),
    "effects": ("decomposition", "mediation", "effects"),
    "rivals": ("rivals",),
    "invariance": ("invariance", "latent-means", "group-paths"),
    "robustness": ("robustness",),
    "method_bias": ("method-models", "full-collinearity"),
    "loyalty": ("nps", "loyalty-scores", "drivers", "importance-performance", "segments", "segment-criteria"),
    "model": ("questions",),
}
#: Section: the kinds of plots that stand in it.
PLOTS = {
    "invariance": ("forest",),
    "robustness": ("curve",),
    "loyalty": ("nps", "drivers", "map", "segments"),
}
#: Plots of which there is one for each group of the fit.
BY_GROUP = ("drivers", "map", "segments")
# These hold numbers of the fit, which are greyed where it is not certified.
_OF_THE_FIT = frozenset({"measurement", "fit", "structure", "effects"})


def report(results: Results) -> str:
    """Return the report as one HTML page that needs no network.

    Parameters
    ----------
    results : Results
        What was found.

    Returns
    -------
    str
        UTF-8 text.
    """
    lang = results.lang
    sections = [_status(results)]
    if results.diagnosis is not None:
        parts = tuple(diagnosis_parts(results.diagnosis, lang))
        sections.append(Section("diagnosis", word("diagnosis", lang), parts))
    for id in TABLES:
        content = [*_before(id, results), *_tables(id, results), *_after(id, results)]
        if content:
            withheld = id in _OF_THE_FIT and not results.certified
            sections.append(Section(id.replace("_", "-"), word(id, lang), tuple(content), withheld))
    sections.append(_reproducibility(results))
    about = results.model.title.text(lang)
    notices = [] if results.certified else [word("uncertified", lang)]
    notices += [word("simulated", lang)] if results.simulated else []
    return html.page(
        results.title,
        sections,
        lang=lang,
        subtitle="" if about == results.title else about,
        notice=" ".join(notices),
        footer=made_by(results),
    )


def _status(results: Results) -> Section:
    """Return the first section: certified, or in a red box what is wrong and what to try."""
    lang, fit = results.lang, results.fit
    parts: list[str] = []
    if results.certified:
        inner = [html.paragraph(word("certified_text", lang))]
        if results.verdicts:
            supported, tested = tally(results.verdicts)
            inner.append(html.paragraph(word("verdicts", lang, yes=supported, all=tested)))
        parts.append(html.box("good", word("certified", lang), inner))
    else:
        inner = [html.paragraph(word("uncertified_text", lang))]
        for problem in fit.certificate.problems:
            code = problem.code.replace(" ", "_")
            inner.append(html.heading(word(f"problem_{code}", lang)))
            inner.append(html.paragraph(problem_text(problem, lang)))
            remedy = problem.remedy if lang == "en" else word(f"remedy_{code}", lang)
            inner.append(html.paragraph(word("try", lang, remedy=remedy)))
        parts.append(html.box("bad", word("uncertified", lang), inner))
    groups = [f"{group.label}: {group.n}" for group in fit.moments.groups if group.label]
    pairs = [
        (word("respondents", lang), str(fit.moments.n)),
        (word("collected", lang), str(_collected(results))),
        *([(word("groups", lang), ", ".join(groups))] if groups else []),
        (word("estimator", lang), fit.estimator),
        (word("missing", lang), word(f"missing_{fit.moments.missing}", lang)),
        (word("engine", lang), fit.engine),
        *([(word("bootstrap", lang), drawn_fact(results.drawn, lang))] if results.drawn is not None else []),
    ]
    if results.certified:
        pairs.append(
            (word("fit", lang), ", ".join(f"{name} {value}" for name, value in headline(results.measures, lang)))
        )
    parts.append(html.facts(pairs))
    if results.warnings:
        parts.append(html.box("notice", word("warnings", lang), [html.bullets(results.warnings, lang="en")]))
    return Section("status", word("status", lang), tuple(parts))


def _collected(results: Results) -> int:
    """Return the respondents collected, before screening."""
    flow = results.tables.get("sample-flow")
    first = flow.rows[0].get("remaining") if flow is not None else None
    return first if isinstance(first, int) else results.fit.moments.n_collected


def _tables(id: str, results: Results) -> Iterable[str]:
    wanted = TABLES.get(id, ())
    for start in wanted:
        for name, table in results.tables.items():
            if name == start or name.startswith(f"{start}-"):
                yield html.table(table, results.lang)


def _before(id: str, results: Results) -> Sequence[str]:
    lang = results.lang
    if id != "structure":
        said = [html.paragraph(sentence) for sentence in results.statements.get(id, ())]
        return [*said, *_plots(results, PLOTS.get(id, ()))]
    drawings = [
        data.decode("utf-8")
        for name, data in results.figures.items()
        if name.endswith(".svg") and name.startswith(FIGURE)
    ]
    figures = []
    for number, (drawing, label) in enumerate(zip(drawings, results.fit.specification.groups, strict=False), start=1):
        rows = results.estimates[(results.estimates["op"] == "~") & (results.estimates["group"] == number)]
        paths = [f"{row['rhs']} → {row['lhs']} {row['std_all']:.2f}" for row in rows.to_dict("records")]
        description = word("figure_description", lang, paths="; ".join(paths))
        caption = word("figure_caption", lang) + (f" {label}" if label else "")
        figures.append(html.figure(drawing, caption, description, number=number))
    return figures


def _plots(results: Results, kinds: Sequence[str]) -> list[str]:
    """Return the plots of some kinds; all are numbered in one row after the path diagrams."""
    first = len(results.fit.specification.groups) + 1
    drawn = [(name, data) for name, data in results.figures.items() if name.endswith(".svg")]
    plots = [(name.removesuffix(".svg"), data.decode("utf-8")) for name, data in drawn if not name.startswith(FIGURE)]
    made = []
    for number, (name, drawing) in enumerate(plots, start=first):
        kind, _, which = name.partition("-")
        if kind not in kinds:
            continue
        label = results.fit.specification.groups[int(which) - 1 if which else 0] if kind in BY_GROUP else ""
        caption = word(f"plot_{kind}", results.lang, id=results.weakest) + (f" {label}" if label else "")
        made.append(html.figure(drawing, caption, caption, number=number))
    return made


def _after(id: str, results: Results) -> Sequence[str]:
    lang, model = results.lang, results.model
    if id == "sample" and results.notes:
        return [html.heading(word("preparation", lang)), html.bullets(results.notes, lang="en")]
    if id != "model":
        return []
    parts = [html.paragraph(model.description.text(lang))] if model.description is not None else []
    parts += [html.heading(word("syntax", lang)), html.source(results.fit.specification.text)]
    if model.references:
        parts += [html.heading(word("references", lang)), html.bullets(map(str, model.references), lang="en")]
    return parts


def _reproducibility(results: Results) -> Section:
    lang = results.lang
    inputs = [(name, f"SHA-256 {sha256(data)}") for name, data in sorted(results.inputs.items())]
    used = [(name, version) for name, version in versions().items()]
    parts = [
        html.paragraph(word("reproduce_text", lang)),
        html.facts([*inputs, (word("seed", lang), str(results.study.study.seed)), *used]),
    ]
    return Section("reproduce", word("reproduce", lang), tuple(parts))
