"""`chapter`: read it as the table of contents of an empirical chapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sem_loyalty.display import Table
from sem_loyalty.publish.chapter.discriminant import write_discriminant
from sem_loyalty.publish.chapter.exploration import write_exploration
from sem_loyalty.publish.chapter.fit import write_fit, write_method_bias
from sem_loyalty.publish.chapter.groups import write_groups
from sem_loyalty.publish.chapter.hypotheses import write_hypotheses
from sem_loyalty.publish.chapter.limits import write_limits, write_uncertified, write_warning
from sem_loyalty.publish.chapter.loyalty import write_loyalty
from sem_loyalty.publish.chapter.measurement import write_measurement
from sem_loyalty.publish.chapter.mediation import write_mediation
from sem_loyalty.publish.chapter.rivals import write_rivals
from sem_loyalty.publish.chapter.robustness import write_robustness
from sem_loyalty.publish.chapter.sample import write_method, write_sample
from sem_loyalty.publish.chapter.sources import SOURCES
from sem_loyalty.publish.chapter.writer import Writer
from sem_loyalty.publish.claims import ClaimBook
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.manuscript import Figure, Heading, Manuscript, Paragraph
from sem_loyalty.publish.results import FIGURE, Results

_SECTIONS: tuple[Callable[[Writer], None], ...] = (
    write_fit,
    write_hypotheses,
    write_mediation,
    write_rivals,
    write_groups,
    write_robustness,
    write_loyalty,
    write_limits,
)


def chapter(results: Results) -> Manuscript:
    """Return the empirical chapter: text whose every sentence comes from the results, with its tables and figures.

    What the evidence does not bear is not said: verdicts follow p < .05 and the sign, fit follows the cut-offs of Hu
    and Bentler (1999), and a fit that is not certified is neither interpreted nor judged. Every number is a `Value`
    under an address of `sem_loyalty.publish.claims`.

    Parameters
    ----------
    results : Results
        From `run` or `analyse`; the language is that of the study.

    Returns
    -------
    Manuscript
        Tables and figures stand behind the paragraph that refers to them first.
    """
    lang = results.lang
    w = Writer(
        ClaimBook(results.to_dict()),
        lang,
        results.tables,
        {figure.id: figure for figure in _figures(results)},
        results.model.labels(lang),
    )
    write_warning(w)
    if not results.certified:
        write_uncertified(w, results.fit.certificate.problems, results.diagnosis)
        write_sample(w)
        write_exploration(w)
    else:
        write_sample(w)
        write_method(w)
        if any(row["op"] == "=~" for row in w.book.rows("estimates")) or w.records("efa"):
            w.heading("Measurement model", "测量模型")
        write_exploration(w)
        write_measurement(w)
        write_discriminant(w)
        write_method_bias(w)
        for write in _SECTIONS:
            write(w)
    if w.cited:
        w.blocks.append(Heading("References" if lang == "en" else "参考文献", 1))
        for source in sorted((SOURCES[key] for key in w.cited), key=lambda source: (source.full, source.year)):
            w.blocks.append(Paragraph(source.listed(lang), "reference"))
    return Manuscript(results.title, lang, tuple(w.blocks), results.study.name)


def _figures(results: Results) -> Iterator[Figure]:
    """Yield the figures of the results, each with all formats in which it was drawn."""
    lang = results.lang
    drawn: dict[str, dict[str, bytes]] = {}
    for name, data in results.figures.items():
        stem, _, kind = name.rpartition(".")
        drawn.setdefault(stem, {})[kind] = data
    groups = results.fit.specification.groups
    for stem, files in drawn.items():
        kind, _, number = stem.partition("-")
        side_by_side = stem == f"{FIGURE}-groups"
        one = len(groups) > 1 and kind in (FIGURE, "drivers", "map") and not side_by_side
        label = groups[int(number or 1) - 1] if one else ""
        head = "figure_groups" if side_by_side else "figure_caption" if kind == FIGURE else f"plot_{kind}"
        caption = word(head, lang, id=results.weakest).rstrip(".。")
        caption += (f": {label}" if lang == "en" else f"：{label}") if label else ""
        svg, png, pdf = (files.get(kind, b"") for kind in ("svg", "png", "pdf"))
        yield Figure(stem, caption, svg, png, pdf, description=caption)


def tables_of(manuscript: Manuscript) -> tuple[Table, ...]:
    """Return the tables of a manuscript in reading order."""
    return tuple(block for block in manuscript.blocks if isinstance(block, Table))
