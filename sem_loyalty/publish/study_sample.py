"""The sample of a study: survey or matrix, read, scored and screened, ready for the fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sem_loyalty.errors import DataError
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.publish.matrix_file import read_matrix
from sem_loyalty.publish.settings import Study
from sem_loyalty.publish.study_file import is_file
from sem_loyalty.survey.answers import listing
from sem_loyalty.survey.codebook import Codebook, apply_codebook
from sem_loyalty.survey.model_columns import product_columns, with_model_columns
from sem_loyalty.survey.published import load_published
from sem_loyalty.survey.read import Survey, read_survey
from sem_loyalty.survey.screen import Screening, screen


@dataclass(frozen=True, slots=True)
class StudySample:
    """What goes to the fit, and how it came about.

    Attributes
    ----------
    data : DataFrame or None
        Scored answers after screening; None for a matrix.
    everyone : DataFrame or None
        Scored answers before screening.
    collected : int
        Rows of the survey.
    screening : Screening or None
    moments : mapping
        For a matrix, the arguments of `fit` that carry it.
    notes : tuple of str
        How the answers were read.
    codebook : Codebook
        Of the survey; empty for a matrix.
    """

    data: pd.DataFrame | None = None
    everyone: pd.DataFrame | None = None
    collected: int = 0
    screening: Screening | None = None
    moments: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    codebook: Codebook = field(default_factory=Codebook)


def read_sample(study: Study, model: ModelFile, items: tuple[str, ...]) -> StudySample:
    """Read what a study analyses: a survey, scored and screened, or a covariance matrix.

    Parameters
    ----------
    study : Study
    model : ModelFile
        Its products of items are made after screening.
    items : tuple of str
        Observed variables of the model.

    Returns
    -------
    StudySample

    Raises
    ------
    DataError
        The file cannot be read, the answers cannot be screened as asked, or a survey of a panel is missing.
    """
    return _matrix(study) if study.data.matrix else _survey(study, model, items)


def _survey(study: Study, model: ModelFile, items: tuple[str, ...]) -> StudySample:
    """Read, score and screen a survey."""
    source = study.data
    path = study.at(source.path)
    book = study.at(source.codebook) if source.codebook else None
    survey = read_survey(path, codebook=book, encoding=source.encoding, sheet=source.sheet or None)
    _check_numbers(survey, items)
    scored = apply_codebook(survey)
    products = [name for name in product_columns(model) if name not in scored.columns]
    asked = tuple(name for name in items if name not in products)
    screening = _screen(study, survey, scored, asked) if study.screen.run else None
    notes = (*survey.source.notes, *(screening.notes if screening is not None else ()))
    if products:
        notes = (*notes, f"Products of items, double-mean-centred (Lin et al., 2010): {listing(products)}.")
    return StudySample(
        data=with_model_columns(model, scored if screening is None else screening.analysed),
        everyone=with_model_columns(model, scored),
        collected=len(scored),
        screening=screening,
        notes=notes,
        codebook=survey.codebook,
    )


def _check_numbers(survey: Survey, items: tuple[str, ...]) -> None:
    """Name the cells that keep an item from being read as numbers, which later rooms see as a column of texts."""
    columns = {item.name: item.column for item in survey.codebook.items}
    starts = tuple(f"'{columns.get(name, name)}':" for name in items)
    stray = [note for note in survey.source.notes if note.startswith(starts) and "not numbers" in note]
    if stray:
        raise DataError(
            f"{survey.source.name}: the model needs numbers. {' '.join(stray)} Correct these cells, or declare them "
            "missing in a codebook."
        )


def _screen(study: Study, survey: Survey, scored: pd.DataFrame, items: tuple[str, ...]) -> Screening:
    """Screen the items of the questionnaire, or those of the model where the codebook has no constructs."""
    absent = [item for item in items if item not in scored.columns]
    chosen = None if survey.codebook.constructs() and not absent else items
    return screen(
        scored, items=chosen, codebook=survey.codebook, rules=dict(study.screen.rules), **study.screen.arguments()
    )


def _matrix(study: Study) -> StudySample:
    """Take a covariance matrix from a file, or figures in print by their id."""
    source = study.data
    if is_file(source.matrix):
        path = study.at(source.matrix)
        frame = read_matrix(path, encoding=source.encoding)
        given = {"sample_cov": frame, "sample_nobs": source.nobs}
        return StudySample(moments=given)
    printed = load_published(source.matrix)
    if source.nobs is not None and source.nobs != printed.n:
        raise DataError(
            f"[data] nobs = {source.nobs}, but {printed.id} rests on {printed.n} respondents; leave nobs out."
        )
    moments: dict[str, Any] = {"sample_cov": printed.frame(), "sample_nobs": printed.n}
    if printed.means is not None:
        moments["sample_mean"] = dict(zip(printed.names, printed.means.tolist(), strict=True))
    return StudySample(moments=moments, notes=(f"{printed.citation} https://doi.org/{printed.doi}", printed.note))
