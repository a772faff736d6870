"""report.html: the first section says whether the fit can be trusted; the rest follows the order of a chapter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sem_loyalty.display import Table
from sem_loyalty.publish import html
from sem_loyalty.publish.faults import diagnosis_parts
from sem_loyalty.publish.html import Drawing, Section
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.path_lines import path_lines
from sem_loyalty.publish.report_ends import cite, reproducibility, status
from sem_loyalty.publish.results import FIGURE, Results, made_by

# Section: the tables that stand in it, in order, by id or by the beginning of the id.
_TABLES: dict[str, tuple[str, ...]] = {
    "sample": ("sample-flow", "characteristics", "screening-tests"),
    "description": ("descriptives", "correlations"),
    "efa": ("eigenvalues", "efa"),
    "measurement": ("constructs", "cfa", "loadings", "reliability", "fornell-larcker", "htmt"),
    "method_bias": ("method-models", "full-collinearity"),
    "fit": ("fit", "modification"),
    "structure": ("hypotheses", "paths", "r-squared", "covariances", "variances", "intercepts"),
    "effects": ("decomposition", "mediation", "effects"),
    "rivals": ("rivals",),
    "invariance": ("invariance", "latent-means", "group-paths"),
    "robustness": ("robustness",),
    "pls": ("pls-methods", "pls-paths", "pls-measurement", "pls-htmt", "pls-fit"),
    "loyalty": ("nps", "loyalty-scores", "drivers", "importance-performance", "segments", "segment-criteria"),
    "model": ("questions",),
}
# Tables whose numbers another one shows with more beside them: left out where that one is; each has its own file.
_CONTAINED = {"loadings": "cfa", "fornell-larcker": "constructs"}
# Section: the kinds of plots that stand in it.
_PLOTS = {
    "description": ("correlations",),
    "efa": ("scree",),
    "measurement": ("loadings",),
    "fit": ("residuals",),
    "structure": ("bootstrap",),
    "invariance": ("forest",),
    "robustness": ("curve",),
    "loyalty": ("nps", "drivers", "map", "segments"),
}
# Plots of which there is one for each group of the fit.
_BY_GROUP = ("correlations", "loadings", "residuals", "drivers", "map", "segments")
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
    sections = [status(results)]
    if results.diagnosis is not None:
        parts = tuple(diagnosis_parts(results.diagnosis, lang))
        sections.append(Section("diagnosis", word("diagnosis", lang), parts))
    for id in _TABLES:
        content = [*_before(id, results), *_tables(id, results), *_after(id, results)]
        if content:
            withheld = id in _OF_THE_FIT and not results.certified
            sections.append(Section(id.replace("_", "-"), word(id, lang), tuple(content), withheld))
    sections += [cite(results), reproducibility(results)]
    groups = range(1, len(results.fit.specification.groups) + 1)
    about = results.model.title.text(lang)
    notices = [] if results.certified else [word("uncertified", lang)]
    notices += [word("simulated", lang)] if results.simulated else []
    return html.page(
        results.title,
        sections,
        lang=lang,
        subtitle="" if results.title.startswith(about) else about,
        notice=" ".join(notices),
        footer=made_by(results),
        grave=not results.certified,
        lines={str(number): path_lines(results, number) for number in groups},
    )


def _tables(id: str, results: Results) -> Iterator[Table]:
    wanted = _TABLES.get(id, ())
    for start in wanted:
        if _CONTAINED.get(start) in results.tables:
            continue
        for name, table in results.tables.items():
            if name == start or name.startswith(f"{start}-"):
                yield table


def _before(id: str, results: Results) -> Sequence[str | Drawing]:
    said = [html.paragraph(sentence) for sentence in results.statements.get(id, ())]
    return [*said, *(_diagrams(results) if id == "structure" else ()), *_plots(results, _PLOTS.get(id, ()))]


def _diagrams(results: Results) -> Iterator[Drawing]:
    """Yield the path diagrams, one a group, and all groups side by side where the study asks for it."""
    lang = results.lang
    for number, label in enumerate(results.fit.specification.groups, start=1):
        name = FIGURE if number == 1 else f"{FIGURE}-{number}"
        drawing = results.figures.get(f"{name}.svg")
        if drawing is None:
            continue
        rows = results.estimates[(results.estimates["op"] == "~") & (results.estimates["group"] == number)]
        paths = [f"{row['rhs']} → {row['lhs']} {row['std_all']:.2f}" for row in rows.to_dict("records")]
        description = word("figure_description", lang, paths="; ".join(paths))
        caption = word("figure_caption", lang) + (f" {label}" if label else "")
        yield Drawing(_anchor(name), drawing.decode("utf-8"), caption, description, number)
    panels = results.figures.get(f"{FIGURE}-groups.svg")
    if panels is not None:
        caption = word("figure_groups", lang)
        yield Drawing(_anchor(f"{FIGURE}-groups"), panels.decode("utf-8"), caption, caption)


def _plots(results: Results, kinds: Sequence[str]) -> Iterator[Drawing]:
    """Yield the plots of some kinds."""
    for name, data in results.figures.items():
        stem, _, ending = name.rpartition(".")
        kind, _, which = stem.partition("-")
        if ending != "svg" or stem.startswith(FIGURE) or kind not in kinds:
            continue
        label = results.fit.specification.groups[int(which) - 1 if which else 0] if kind in _BY_GROUP else ""
        caption = word(f"plot_{kind}", results.lang, id=results.weakest) + (f" {label}" if label else "")
        yield Drawing(_anchor(stem), data.decode("utf-8"), caption, caption)


def _anchor(name: str) -> str:
    return name.replace("_", "-")


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
