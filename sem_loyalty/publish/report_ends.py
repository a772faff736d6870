"""How the report begins and ends: whether there is a result, at a glance; how to cite it and to make it again."""

from __future__ import annotations

from collections.abc import Iterator

from sem_loyalty.display import format_number
from sem_loyalty.inference.verdicts import tally
from sem_loyalty.publish import html
from sem_loyalty.publish.caveats import caveats
from sem_loyalty.publish.drawn import drawn_fact
from sem_loyalty.publish.faults import problem_text
from sem_loyalty.publish.html import Section
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.manifest import own_version, sha256, versions
from sem_loyalty.publish.results import Results, headline

# More would not be read; the rest is in the sections that they come from.
_MOST_CAVEATS = 6


def status(results: Results) -> Section:
    """Return the first section: certified or not, the result at a glance, caveats; what is wrong and what to try."""
    lang, fit = results.lang, results.fit
    parts = [html.glance(_glance(results))]
    if results.certified:
        parts.append(html.box("good", word("certified", lang), [html.paragraph(word("certified_text", lang))]))
        # The last one holds for every model and stays.
        known = caveats(results)
        said = [*known[: _MOST_CAVEATS - 1], *known[-1:]] if len(known) > _MOST_CAVEATS else known
        parts.append(html.box("notice", word("caveats", lang), [html.bullets(said)]))
    else:
        inner = [html.paragraph(word("uncertified_text", lang))]
        for problem in fit.certificate.problems:
            code = problem.code.replace(" ", "_")
            inner.append(html.heading(word(f"problem_{code}", lang)))
            inner.append(html.paragraph(problem_text(problem, lang)))
            remedy = problem.remedy if lang == "en" else word(f"remedy_{code}", lang)
            inner.append(html.paragraph(word("try", lang, remedy=remedy)))
        parts.insert(0, html.box("bad", word("uncertified", lang), inner))
    groups = [f"{group.label}: {group.n}" for group in fit.moments.groups if group.label]
    pairs = [
        *([(word("groups", lang), ", ".join(groups))] if groups else []),
        (word("estimator", lang), fit.estimator),
        (word("missing", lang), word(f"missing_{fit.moments.missing}", lang)),
        (word("engine", lang), fit.engine),
        *([(word("bootstrap", lang), drawn_fact(results.drawn, lang))] if results.drawn is not None else []),
    ]
    parts.append(html.facts(pairs))
    if results.warnings:
        parts.append(html.box("notice", word("warnings", lang), [html.bullets(results.warnings, lang="en")]))
    return Section("status", word("status", lang), tuple(parts))


def _glance(results: Results) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and remark of the few things that a reader looks for first; no fit without certificate."""
    lang, n = results.lang, results.fit.moments.n
    yield word("glance_result", lang), word(f"glance_{'' if results.certified else 'un'}certified", lang), ""
    everyone = results.collected
    yield word("glance_n", lang), str(n), word("glance_of", lang, n=everyone) if everyone > n else ""
    if results.verdicts:
        yes, tested = tally(results.verdicts)
        share = word("glance_share" if results.certified else "glance_withheld", lang, yes=yes, all=tested)
        yield word("glance_hypotheses", lang), share, ""
    if results.certified:
        shown = dict(headline(results.measures, lang))
        names = [name for name in shown if name.startswith(("CFI", "RMSEA", "SRMR"))]
        df = format_number(results.measures["df"], 0)
        chisq = next(name for name in shown if name.startswith("χ²"))
        p = shown.get("p", "")
        test = f"{chisq} = {shown[chisq]}, df = {df}" + (f", p {p if p[0] in '<>' else f'= {p}'}" if p else "")
        yield word("glance_fit", lang), ", ".join(f"{name} {shown[name]}" for name in names), test


def cite(results: Results) -> Section:
    """Return what to write of software and method, and that uncertified fits and simulated data are no evidence."""
    lang, fit = results.lang, results.fit
    parts: list[str] = []
    if not results.certified:
        parts.append(html.box("bad", word("uncertified", lang), [html.paragraph(word("cite_uncertified", lang))]))
    if results.simulated:
        parts.append(html.paragraph(word("cite_simulated", lang), kind="withheld-note"))
    version = own_version()
    parts += [
        html.heading(word("cite_software", lang)),
        html.paragraph(word("cite_software_text", lang, version=version)),
    ]
    if results.certified:
        seed = results.study.study.seed
        drawn = ""
        if results.drawn is not None:
            drawn = word("cite_drawn", lang, fact=drawn_fact(results.drawn, lang), seed=seed)
        sentence = word(
            "cite_method_text",
            lang,
            estimator=fit.estimator,
            version=version,
            engine=fit.engine,
            n=fit.moments.n,
            missing=word(f"missing_{fit.moments.missing}", lang),
            drawn=drawn,
        )
        parts += [html.heading(word("cite_method", lang)), html.paragraph(sentence)]
    return Section("cite", word("cite", lang), tuple(parts))


def reproducibility(results: Results) -> Section:
    """Return the inputs with their digests, seed, versions, and the command that makes the results again."""
    lang, name = results.lang, results.study.name
    inputs = [(file, f"SHA-256 {sha256(data)}") for file, data in sorted(results.inputs.items())]
    parts = [html.paragraph(word("reproduce_text", lang))]
    command = {"demo": f"sem-loyalty demo --lang {lang}"}.get(name, f"sem-loyalty run {name}")
    if name == "demo" or name.endswith(".toml"):
        text = word("rebuild_text", lang)
        parts += [html.heading(word("rebuild", lang)), html.paragraph(text), html.source(command)]
    parts += [
        html.heading(word("inputs", lang)),
        html.facts([*inputs, (word("seed", lang), str(results.study.study.seed))]),
        html.heading(word("used", lang)),
        html.facts(list(versions().items())),
    ]
    return Section("reproduce", word("reproduce", lang), tuple(parts))
