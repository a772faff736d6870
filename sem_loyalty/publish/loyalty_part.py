"""The part of a study on measured loyalty: tables and plots, for the report and its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.bootstrap import Bootstrap
from sem_loyalty.loyalty.drivers import drivers
from sem_loyalty.loyalty.performance import importance_performance
from sem_loyalty.loyalty.recommendation import nps
from sem_loyalty.loyalty.scores import loyalty_scores
from sem_loyalty.loyalty.segments import segments
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.publish import loyalty_tables, records
from sem_loyalty.publish.loyalty_plot import loyalty_plot
from sem_loyalty.publish.settings import Study
from sem_loyalty.publish.steps import Steps
from sem_loyalty.publish.stored_outcomes import plain_segments, segments_of_plain
from sem_loyalty.publish.tables import Edition, basis


@dataclass(frozen=True, slots=True)
class LoyaltyPart:
    """What a study says about measured loyalty.

    Attributes
    ----------
    tables : tuple of Table
    figures : dict of str to bytes
        By name of the file: "nps.svg", "drivers.svg", "map.svg", "segments.svg", with "-2" ... for further groups.
    records : mapping of str to list of dict
        What was found, by section.
    """

    tables: tuple[Table, ...]
    figures: dict[str, bytes] = field(default_factory=dict)
    records: records.Records = field(default_factory=dict)


def loyalty_part(
    study: Study, data: pd.DataFrame | None, fitted: Fit, model: ModelFile, edition: Edition, steps: Steps
) -> LoyaltyPart:
    """Return net promoter score, scores, drivers, importance-performance map and segments of a study.

    Parameters
    ----------
    study : Study
        Section [loyalty] says what is wanted; by default nothing.
    data : DataFrame or None
        Scored answers; None, for a matrix, gives nothing.
    fitted : Fit
        Without certificate nothing is computed from it; the net promoter score does not need it.
    model : ModelFile
        Its scale of answers is used where the study gives none.
    edition : Edition
    steps : Steps
        Keep draws and segments between runs.

    Returns
    -------
    LoyaltyPart

    Raises
    ------
    ConfigurationError
        The scale of the answers is unknown, or the outcome is not in the model.
    DataError
        Answers that do not fit their scale.
    """
    wanted = study.loyalty
    if data is None or not (wanted.outcome or wanted.recommend):
        return LoyaltyPart(())
    made: list[Table] = []
    told: list[records.Records] = []
    plots: list[tuple[str, Any, str]] = []
    if wanted.recommend:
        answered = nps(data, wanted.recommend, group=study.data.group or None)
        who = basis(edition.lang, n={"": int(answered.scores["n"].iloc[0])}, missing=edition.word("missing_listwise"))
        made.append(loyalty_tables.nps_table(answered, edition, who))
        note = edition.note(edition.word("nps_note"), basis=who, fit=False)
        plots.append(("nps", answered, note))
        told.append(records.recommendation_records(answered))
    if wanted.outcome and fitted.certificate.certified:
        scale = _scale(study, model)
        drawn = _drawn(fitted, wanted.draws, steps)
        scores = loyalty_scores(fitted, data, scale=scale, group=study.data.group or None)
        made.append(loyalty_tables.scores_table(scores, edition))
        for number, label in enumerate(edition.groups, start=1):
            suffix, where = (f"-{number}" if number > 1 else ""), (f": {label}" if label else "")
            bars = edition.word("plot_bars", draws=wanted.draws) if drawn is not None else ""
            if _causes(fitted, wanted.outcome) > 1:
                strongest = drivers(fitted, wanted.outcome, bootstrap=drawn, group=number)
                made.append(loyalty_tables.drivers_table(strongest, edition, suffix, where))
                plots.append((f"drivers{suffix}", strongest, edition.note(bars)))
                told.append(records.driver_records(strongest, label))
            found = importance_performance(fitted, wanted.outcome, scale=scale, bootstrap=drawn, group=number)
            made.append(loyalty_tables.map_table(found, edition, suffix, where))
            plots.append((f"map{suffix}", found, edition.note(bars, edition.word("plot_means"))))
            told.append(records.performance_records(found, label))
        if wanted.segments:
            groups = steps.take(
                "segments",
                ("loyalty",),
                lambda: segments(scores, seed=study.study.seed),
                plain=plain_segments,
                restore=segments_of_plain,
            )
            made += loyalty_tables.segment_tables(groups, edition)
            told.append(records.segment_records(groups))
            if groups.k > 1:
                plots.append(("segments", groups, edition.note()))
    return LoyaltyPart(tuple(made), dict(_files(study, plots, edition)), records.merged(*told))


def _scale(study: Study, model: ModelFile) -> tuple[float, float]:
    wanted = study.loyalty
    if wanted.minimum is not None and wanted.maximum is not None:
        return float(wanted.minimum), float(wanted.maximum)
    if model.scale is None:
        raise ConfigurationError(
            "[loyalty] needs the scale of the answers, which the model does not describe: give minimum and maximum."
        )
    return float(model.scale.minimum), float(model.scale.maximum)


def _drawn(fitted: Fit, draws: int, steps: Steps) -> Bootstrap | None:
    """Return the draws of the fit, or None where its estimator has none."""
    try:
        return steps.draws(fitted, draws)
    except NotSupported:
        return None


def _causes(fitted: Fit, outcome: str) -> int:
    """Return how many variables act on an outcome directly."""
    return len({row.rhs for row in fitted.specification.parameters if row.op == "~" and row.lhs == outcome})


def _files(study: Study, plots: list[tuple[str, Any, str]], edition: Edition) -> Iterator[tuple[str, bytes]]:
    """Yield the plots in every format that the study asks for, or its documents need."""
    kinds = sorted(study.output.drawn() - {"tikz", "dot"})
    labels: Mapping[str, str] = edition.labels
    for name, result, note in plots if kinds else []:
        lead = edition.word("note_lead") + note
        picture = loyalty_plot(result, labels=labels, lang=edition.lang, note=lead)
        for kind in kinds:
            yield f"{name}.{kind}", picture.bytes(kind)
