"""What the plots of results share around the drawing: the look, the note below, the file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from sem_loyalty.errors import ConfigurationError, check_choice
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.plots.charts import POINTS_PER_MM, Look
from sem_loyalty.publish.plots.picture import Picture
from sem_loyalty.publish.tables import basis
from sem_loyalty.publish.typefaces import warn_about_missing

#: Two columns of a journal; narrower than the least no number has room.
NARROWEST, WIDEST = 90.0, 183.0


def look_of(labels: Mapping[str, str] | None, lang: str, width_mm: float, *, certified: bool) -> Look:
    """Return what a plot needs to be drawn.

    Raises
    ------
    ConfigurationError
        Unknown language, or a width that no page has.
    """
    check_choice("lang", lang, ("en", "zh"))
    if not NARROWEST <= width_mm <= WIDEST:
        raise ConfigurationError(
            f"width_mm={width_mm!r}: a plot is from {NARROWEST:g} to {WIDEST:g} mm wide (two columns of a journal)."
        )
    return Look(lang, dict(labels or {}), width_mm * POINTS_PER_MM, certified)


def noted(look: Look, note: str | None, *sentences: str) -> Look:
    """Return the look with the note of the caller, or by default with these sentences."""
    if note is not None:
        return replace(look, note=note)
    joined = (" " if look.lang == "en" else "").join(sentence for sentence in sentences if sentence)
    return replace(look, note=word("note_lead", look.lang) + joined if joined else "")


def fit_basis(fit: Fit, lang: str, group: int, *, estimator: bool = True) -> str:
    """Return respondents, estimator and rule for missing answers of a fit; of one group with its name."""
    label = fit.specification.groups[group - 1]
    said = basis(
        lang,
        n={label: fit.moments.groups[group - 1].n},
        estimator=fit.estimator if estimator else "",
        missing=word(f"missing_{fit.moments.missing}", lang),
    )
    return f"{label}: {said}" if label else said


def drawn(picture: Picture, path: str | os.PathLike[str] | None) -> Picture:
    """Return a picture, saved where a path is given, after a warning about characters that no font has."""
    warn_about_missing([label.text for label in picture.labels])
    if path is not None:
        picture.save(path)
    return picture
