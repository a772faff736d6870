"""The tables of a study that need nothing but its sample and its fit, and what all its tables share."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping

import pandas as pd

from sem_loyalty.display import Table
from sem_loyalty.errors import DataWarning, NotSupported
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.estimates import r_squared
from sem_loyalty.inference.modification import modification_indices
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.publish import measurement_tables, sample_tables, tables
from sem_loyalty.publish.chapter_tables import cfa_table, characteristics_table, constructs_tables
from sem_loyalty.publish.drawn import Drawn, drawn_note
from sem_loyalty.publish.fit_table import fit_table
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.settings import Study
from sem_loyalty.publish.study_sample import StudySample
from sem_loyalty.publish.tables import Edition
from sem_loyalty.survey.screen import Screening
from sem_loyalty.survey.screen_rules import check_rules


def study_edition(study: Study, model: ModelFile, fitted: Fit, drawn: Drawn | None) -> Edition:
    """Gather what all tables share: language, labels, and the notes on respondents, estimator, missing, bootstrap."""
    lang, moments = study.study.lang, fitted.moments
    return Edition(
        lang=lang,
        labels=model.labels(lang),
        basis=tables.basis(
            lang,
            n={group.label: group.n for group in moments.groups},
            estimator=fitted.estimator,
            missing=word(f"missing_{moments.missing}", lang),
        ),
        certified=fitted.certificate.certified,
        simulated=study.study.simulated,
        groups=fitted.specification.groups,
        drawn="" if drawn is None else drawn_note(drawn, lang),
    )


def sample_part(study: Study, sample: StudySample, fitted: Fit, edition: Edition) -> Iterator[Table]:
    """Yield the flow of respondents, the description of the items and their correlations."""
    if sample.data is not None:
        column = study.data.group
        ungrouped = int(sample.data[column].isna().sum()) if column else 0
        excluded = excluded_by_rule(study, sample.screening)
        yield sample_tables.flow_table(sample.collected, excluded, fitted.moments, edition, ungrouped=ungrouped)
        described = _characteristics(study, sample, fitted, edition)
        if described is not None:
            yield described
    if sample.screening is not None:
        analysed = {"": len(sample.screening.analysed)}
        basis = tables.basis(edition.lang, n=analysed, missing=word("missing_kept", edition.lang))
        if sample.screening.mardia is not None or sample.screening.mcar is not None:
            yield sample_tables.tests_table(sample.screening.mardia, sample.screening.mcar, edition, basis)
        yield sample_tables.descriptives_table(sample.screening.items, edition, basis)
    yield from sample_tables.correlations_table(fitted.moments, edition)


def _characteristics(study: Study, sample: StudySample, fitted: Fit, edition: Edition) -> Table | None:
    """Return who answered; what is asked about the model, and what identifies or times a respondent, is left out."""
    assert sample.data is not None
    asked = {*fitted.specification.observed, *study.screen.attention, study.screen.duration, study.screen.id}
    asked |= {study.loyalty.recommend}
    basis = tables.basis(edition.lang, n={"": len(sample.data)}, missing=word("missing_kept", edition.lang))
    return characteristics_table(sample.data, sample.codebook, edition, basis, leave_out=asked)


def excluded_by_rule(study: Study, screening: Screening | None) -> dict[str, tuple[float, int]]:
    """Return threshold and number excluded by rule, in the order of the rules."""
    if screening is None:
        return {}
    stated = check_rules(study.screen.rules, study.screen.arguments())
    counts = screening.flow.loc[screening.flow["step"] == "excluded", "excluded"]
    return {rule: (limit, int(count)) for (rule, limit), count in zip(stated.items(), counts, strict=True)}


def fit_part(fitted: Fit, found: pd.DataFrame, measures: Mapping[str, float], edition: Edition) -> Iterator[Table]:
    """Yield the tables of the fit that have rows."""
    outcomes = fitted.specification.outcomes
    made = [
        *_cfa_tables(found, fitted, edition),
        tables.loadings_table(found, edition),
        *_quality_tables(fitted, edition),
        fit_table(measures, edition, fitted),
        tables.modification_table(modification_indices(fitted), edition),
        tables.paths_table(found, edition),
        tables.r_squared_table(r_squared(fitted), outcomes, edition),
        tables.covariances_table(found, edition),
        tables.covariances_table(found, edition, variances=True),
        tables.intercepts_table(found, edition),
        tables.effects_table(found, edition),
    ]
    yield from (table for table in made if table.rows)


def _cfa_tables(found: pd.DataFrame, fitted: Fit, edition: Edition) -> list[Table]:
    """Return what a chapter prints of the measurement; nothing where reliability is not available (see below)."""
    if not any(fitted.specification.indicators.values()):
        return []
    try:
        return [*constructs_tables(fitted, edition), cfa_table(found, fitted, edition)]
    except NotSupported:
        return []


def _quality_tables(fitted: Fit, edition: Edition) -> list[Table]:
    """Return reliability and validity; where they are not available, a warning says so and the report goes on."""
    try:
        return list(measurement_tables.quality_tables(fitted, edition))
    except NotSupported as error:
        warnings.warn(str(error), DataWarning, stacklevel=2)
        return []


def study_title(study: Study, model: ModelFile) -> str:
    """Return the title of the study, that of its model where it has none, with the mark of simulated answers."""
    title = study.study.title or model.title.text(study.study.lang)
    mark = word("simulated_title", study.study.lang)
    if not study.study.simulated or mark in title:
        return title
    return f"{title} ({mark})" if study.study.lang == "en" else f"{title}（{mark}）"
