"""The tables and figures of results in the order of a chapter, under its headings."""

from __future__ import annotations

from sem_loyalty.publish.lang import word
from sem_loyalty.publish.manuscript import Block, Figure, Heading, Manuscript, Paragraph
from sem_loyalty.publish.report import BY_GROUP, PLOTS, TABLES
from sem_loyalty.publish.results import FIGURE, Results


def tables_chapter(results: Results) -> Manuscript:
    """Return a manuscript of every table and figure, with the sentences that the results bring.

    Parameters
    ----------
    results : Results

    Returns
    -------
    Manuscript
        Headings as in the report; a warning stands first where the fit is not certified or the data are simulated.
    """
    lang = results.lang
    warnings = [] if results.certified else [word("uncertified", lang)]
    warnings += [word("simulated", lang)] if results.simulated else []
    blocks: list[Block] = [Paragraph((text,), "warning") for text in warnings]
    for section, starts in TABLES.items():
        tables = {
            name: table
            for start in starts
            for name, table in results.tables.items()
            if name == start or name.startswith(f"{start}-")
        }
        figures = _figures(results, section)
        said = [Paragraph((text,)) for text in results.statements.get(section, ())]
        if tables or figures or said:
            blocks += [Heading(word(section, lang)), *said, *figures, *tables.values()]
    return Manuscript(results.title, lang, tuple(blocks), results.study.name)


def _figures(results: Results, section: str) -> list[Figure]:
    """Return the drawings of a section that exist as PNG; those of several groups carry the group's name."""
    kinds = (FIGURE,) if section == "structure" else PLOTS.get(section, ())
    found = []
    for name, data in results.figures.items():
        stem, _, ending = name.rpartition(".")
        kind, _, which = stem.partition("-")
        if ending != "png" or kind not in kinds:
            continue
        groups = results.fit.specification.groups
        group = groups[int(which) - 1 if which.isdigit() else 0] if kind in (FIGURE, *BY_GROUP) else ""
        key = "figure_caption" if kind == FIGURE else f"plot_{kind}"
        caption = word(key, results.lang, id=results.weakest).rstrip(".。") + (f" {group}" if group else "")
        found.append(Figure(stem, caption, png=data, description=caption))
    return found
