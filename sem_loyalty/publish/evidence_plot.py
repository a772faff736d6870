"""`specification_curve` and `group_forest`: the hypotheses under many choices, and in several groups, as pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping

from sem_loyalty.errors import ConfigurationError, check_choice
from sem_loyalty.inference.group_paths import PathComparison
from sem_loyalty.inference.robustness import Robustness
from sem_loyalty.publish.plots.charts import POINTS_PER_MM, Look
from sem_loyalty.publish.plots.evidence import COLORS, curve, forest
from sem_loyalty.publish.plots.page import drawn
from sem_loyalty.publish.plots.picture import Picture

NARROWEST = 120.0


def specification_curve(
    robustness: Robustness,
    hypothesis: str,
    path: str | os.PathLike[str] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    lang: str = "en",
    note: str = "",
    width_mm: float = 160.0,
) -> Picture:
    """Draw the estimates of one hypothesis over all certified specifications, with the choices behind each.

    Parameters
    ----------
    robustness : Robustness
        From `robustness`.
    hypothesis : str
        Its id, such as "H1".
    path : path, optional
        Where to save it: .svg, .pdf or .png.
    labels : mapping, optional
        Printed name of constructs, items and columns; by default their own.
    lang : {"en", "zh"}, default "en"
    note : str, default ""
        The line below.
    width_mm : float, default 160
        Width, at least 120.

    Returns
    -------
    Picture
        Displays itself in notebooks; `.save(path)`, `.svg()`, `.png()`, `.pdf()`.

    Raises
    ------
    ConfigurationError
        Unknown hypothesis, language or file type, or no certified specification that tests the hypothesis.

    Notes
    -----
    Simonsohn, Simmons and Nelson (2020), doi:10.1038/s41562-020-0912-z.
    """
    check_choice("hypothesis", hypothesis, tuple(one.id for one in robustness.hypotheses))
    own = robustness.results[robustness.results["hypothesis"] == hypothesis]
    if not own["verdict"].isin(COLORS).any():
        raise ConfigurationError(f"No certified specification tests {hypothesis}, so there is no curve to draw.")
    return drawn(curve(robustness, hypothesis, _look(labels, lang, note, width_mm, certified=True)), path)


def group_forest(
    paths: PathComparison,
    path: str | os.PathLike[str] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    lang: str = "en",
    note: str = "",
    width_mm: float = 160.0,
) -> Picture:
    """Draw the paths of every group with their 95% intervals.

    Parameters
    ----------
    paths : PathComparison
        From `compare_paths`; one without certificate is drawn in grey under a warning.
    path, labels, lang, note, width_mm
        As in `specification_curve`.

    Returns
    -------
    Picture
        Displays itself in notebooks; `.save(path)`, `.svg()`, `.png()`, `.pdf()`.

    Raises
    ------
    ConfigurationError
        Unknown language or file type.
    """
    return drawn(forest(paths, _look(labels, lang, note, width_mm, certified=paths.certified)), path)


def _look(labels: Mapping[str, str] | None, lang: str, note: str, width_mm: float, *, certified: bool) -> Look:
    check_choice("lang", lang, ("en", "zh"))
    return Look(lang, dict(labels or {}), max(width_mm, NARROWEST) * POINTS_PER_MM, certified, note)
