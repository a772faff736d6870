"""The figures of a study: path diagrams, the plots of its measurement, and those of its hypotheses."""

from __future__ import annotations

from typing import Any

import pandas as pd

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.bootstrap import Bootstrap
from sem_loyalty.measurement.factors import EFA
from sem_loyalty.publish.bootstrap_plot import bootstrap_plot
from sem_loyalty.publish.diagram.layout_cache import LayoutCache
from sem_loyalty.publish.evidence_plot import group_forest, specification_curve
from sem_loyalty.publish.hypothesis_part import HypothesisPart
from sem_loyalty.publish.measurement_plot import correlation_map, loadings_plot, residual_map, scree_plot
from sem_loyalty.publish.plots.picture import Picture
from sem_loyalty.publish.results import FIGURE
from sem_loyalty.publish.settings import Study
from sem_loyalty.publish.tables import Edition

# In the order of the report.
ORDER = ("correlations", "scree", "loadings", "residuals", "bootstrap")
# The cells of more items are too small to be read.
MOST_ITEMS = 50


def path_diagrams(
    study: Study, fitted: Fit, found: pd.DataFrame, edition: Edition, cache: LayoutCache
) -> dict[str, bytes]:
    """Draw the path diagram in every format that the study asks for; the report needs SVG.

    Parameters
    ----------
    study, fitted, found, edition
        What was asked and found.
    cache : LayoutCache
        Layouts of an earlier run; it takes up those of this one.

    Returns
    -------
    dict of str to bytes
        By name of the file.
    """
    wanted = sorted(study.output.drawn())
    if not wanted:
        return {}
    from sem_loyalty.publish.path_diagram import path_diagram  # draws with matplotlib, which is slow to import

    show = set(study.diagram.show)
    spread = study.diagram.show[0] == "std" and bool(show & {"se", "ci"})
    options: dict[str, Any] = study.diagram.arguments() | {
        "labels": edition.labels,
        "lang": edition.lang,
        # A bootstrap has no standard errors of standardised estimates; those of the fit have.
        "table": None if spread else found,
        "seed": study.study.seed,
        "cache": cache,
    }
    made: dict[str, bytes] = {}
    said = ""
    if edition.simulated or edition.drawn:  # a figure travels alone, so it must say so itself
        stars = (edition.drawn, edition.word("figure_note")) if edition.certified else ()
        said = edition.note(*stars, fit=False)
    lead = edition.word("note_lead")
    for number, label in enumerate(edition.groups, start=1):
        note = lead + (f"{label}: " if label else "") + said if said else None
        drawing = path_diagram(fitted, group=number, note=note, **options)
        name = FIGURE if number == 1 else f"{FIGURE}-{number}"
        made |= {f"{name}.{kind}": drawing.data(kind) for kind in wanted}
    if study.diagram.panels and len(edition.groups) > 1:
        drawing = path_diagram(fitted, group="all", note=lead + said if said else None, **options)
        made |= {f"{FIGURE}-groups.{kind}": drawing.data(kind) for kind in wanted}
    return made


def measurement_plots(
    study: Study, fitted: Fit, factors: EFA | None, draws: Bootstrap | None, edition: Edition
) -> dict[str, bytes]:
    """Draw correlations, scree, loadings, residuals and bootstrap distributions, as far as there are any."""
    kinds = sorted(study.output.drawn() - {"tikz", "dot"})
    specification = fitted.specification
    if not kinds:
        return {}
    remark = edition.word("simulated_short") if edition.simulated else ""
    shared: dict[str, Any] = {"lang": edition.lang, "remark": remark}
    named = shared | {"labels": edition.labels}
    pictures: dict[str, Picture] = {}
    for number in range(1, len(edition.groups) + 1):
        suffix = f"-{number}" if number > 1 else ""
        options = named | {"group": number}
        if 1 < len(specification.observed) <= MOST_ITEMS:
            pictures[f"correlations{suffix}"] = correlation_map(fitted, **options)
            pictures[f"residuals{suffix}"] = residual_map(fitted, **options)
        if specification.latent:
            pictures[f"loadings{suffix}"] = loadings_plot(fitted, **options)
    if factors is not None:
        pictures["scree"] = scree_plot(factors, **shared)
    if draws is not None:
        pictures["bootstrap"] = bootstrap_plot(draws, **named)
    kept = {name: pictures[name] for name in sorted(pictures, key=lambda one: ORDER.index(one.partition("-")[0]))}
    return {f"{name}.{kind}": picture.bytes(kind) for name, picture in kept.items() for kind in kinds}


def evidence_plots(study: Study, evidence: HypothesisPart, edition: Edition) -> dict[str, bytes]:
    """Draw the paths by group, and the specification curve of the hypothesis that survives least."""
    kinds = sorted(study.output.drawn() - {"tikz", "dot"})
    options: dict[str, Any] = {"labels": edition.labels, "lang": edition.lang}
    lead, simulated = edition.word("note_lead"), edition.word("simulated_short") if edition.simulated else ""
    blank = " " if simulated and edition.lang == "en" else ""
    pictures: dict[str, Picture] = {}
    if kinds and evidence.paths is not None:
        note = f"{lead}{simulated}{blank}{edition.word('forest_note')}"
        pictures["forest"] = group_forest(evidence.paths, note=note, **options)
    if kinds and evidence.robustness is not None and evidence.weakest:
        note = f"{lead}{simulated}{blank}{edition.word('curve_note')}"
        pictures["curve"] = specification_curve(evidence.robustness, evidence.weakest, note=note, **options)
    return {f"{name}.{kind}": picture.bytes(kind) for name, picture in pictures.items() for kind in kinds}
