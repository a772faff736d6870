"""From a result on loyalty to its plot."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from sem_loyalty.errors import NotSupported, check_choice
from sem_loyalty.inference.probing import JohnsonNeyman
from sem_loyalty.loyalty.drivers import Drivers
from sem_loyalty.loyalty.performance import PerformanceMap
from sem_loyalty.loyalty.recommendation import NetPromoter
from sem_loyalty.loyalty.segments import Segments
from sem_loyalty.publish.plots.charts import (
    POINTS_PER_MM,
    Look,
    driver_bars,
    importance_map,
    nps_bars,
    segment_profile,
)
from sem_loyalty.publish.plots.page import drawn
from sem_loyalty.publish.plots.picture import Picture
from sem_loyalty.publish.plots.slopes import slope_panels

Result = PerformanceMap | Drivers | Segments | NetPromoter | JohnsonNeyman
_DRAWN: dict[type, Callable[[Any, Look], Picture]] = {
    PerformanceMap: importance_map,
    Drivers: driver_bars,
    Segments: segment_profile,
    NetPromoter: nps_bars,
    JohnsonNeyman: slope_panels,
}


def loyalty_plot(
    result: Result,
    path: str | os.PathLike[str] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    lang: str = "en",
    note: str = "",
    width_mm: float = 160.0,
) -> Picture:
    """Draw a result: importance-performance map, drivers, segments, net promoter scores, or an interaction.

    Parameters
    ----------
    result : PerformanceMap, Drivers, Segments, NetPromoter or JohnsonNeyman
        From `importance_performance`, `drivers`, `segments`, `nps` or `johnson_neyman`. One of a fit without
        certificate is drawn in grey under a warning.
    path : path, optional
        Where to save it: .svg, .pdf or .png.
    labels : mapping, optional
        Printed name of every construct and group; by default its own name.
    lang : {"en", "zh"}, default "en"
        Language of words and numbers.
    note : str, default ""
        The line below.
    width_mm : float, default 160
        Width, at least 90.

    Returns
    -------
    Picture
        Displays itself in notebooks; `.save(path)`, `.svg()`, `.png()`, `.pdf()`.

    Raises
    ------
    NotSupported
        Another result.
    ConfigurationError
        Unknown language or file type.

    Warns
    -----
    DataWarning
        A character that no font of this package has.
    """
    check_choice("lang", lang, ("en", "zh"))
    kind = next((kind for kind in _DRAWN if isinstance(result, kind)), None)
    if kind is None:
        listed = ", ".join(kind.__name__ for kind in _DRAWN)
        raise NotSupported(f"{type(result).__name__} has no plot; these have one: {listed}.")
    certified = getattr(result, "certified", True)
    look = Look(lang, dict(labels or {}), max(width_mm, 90.0) * POINTS_PER_MM, certified, note)
    return drawn(_DRAWN[kind](result, look), path)
