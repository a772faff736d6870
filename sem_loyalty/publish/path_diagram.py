"""From a fit to its path diagram."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, cast

from sem_loyalty.errors import ConfigurationError, check_choice
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.estimates import estimates, r_squared
from sem_loyalty.publish.diagram.drawing import Drawing, draw
from sem_loyalty.publish.diagram.graph import Diagram, Edge, EdgeKind, Node

if TYPE_CHECKING:
    import pandas as pd


def path_diagram(
    fit: Fit,
    path: str | os.PathLike[str] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    lang: str = "en",
    group: int = 1,
    note: str | None = None,
    table: pd.DataFrame | None = None,
    layout: Mapping[str, tuple[int, int]] | None = None,
    sides: Mapping[str, str] | None = None,
    seed: int = 1,
    width_mm: float = 183.0,
) -> Drawing:
    """Draw a fitted model with its standardised estimates.

    Parameters
    ----------
    fit : Fit
        A fit without certificate is drawn in grey, without stars, under a warning.
    path : path, optional
        Where to save it: .svg, .pdf or .png.
    labels : mapping, optional
        Printed name of every construct; by default its name in the model.
    lang : {"en", "zh"}, default "en"
        Language of the note, and form of the numbers.
    group : int, default 1
        Which group's estimates.
    note : str, optional
        The line below; by default it says N, estimator and what lines and stars mean.
    table : DataFrame, optional
        Estimates to draw, such as those of `Bootstrap.estimates`; by default those of `estimates`.
    layout : mapping, optional
        Places of constructs in half steps, (column, row), for those that are to be pinned.
    sides : mapping, optional
        Side of a construct on which its items stand: "W", "E", "N" or "S".
    seed : int, default 1
        Seed of the layout.
    width_mm : float, default 183
        Largest width, a journal's full page.

    Returns
    -------
    Drawing
        Displays itself in notebooks; `.save(path)`, `.svg()`, `.pdf()`, `.png()`.

    Raises
    ------
    ConfigurationError
        Unknown language, group or file type.
    """
    check_choice("lang", lang, ("en", "zh"))
    if not 1 <= group <= len(fit.specification.groups):
        raise ConfigurationError(f"group={group} does not exist; the model has {len(fit.specification.groups)}.")
    language = cast("Literal['en', 'zh']", lang)
    found = estimates(fit) if table is None else table
    found = found[found["group"] == group]
    names = labels or {}
    shares = r_squared(fit)
    explained = shares[shares["group"] == group].set_index("variable")["r2"]
    outcomes = set(fit.specification.outcomes) | {
        row.rhs for row in fit.specification.parameters if row.op == "=~" and row.rhs in fit.specification.latent
    }
    nodes = tuple(
        Node(
            name=name,
            label=names.get(name, name),
            kind="latent" if name in fit.specification.latent else "observed",
            r2=_finite(explained[name]) if name in outcomes else None,
        )
        for name in (*fit.specification.latent, *fit.specification.observed)
    )
    diagram = Diagram(
        nodes=nodes,
        edges=tuple(_edges(found)),
        note=_note(fit, group, language) if note is None else note,
        lang=language,
        certified=fit.certificate.certified,
    )
    return draw(diagram, path, layout=layout, sides=sides, seed=seed, width_mm=width_mm)


def _finite(value: object) -> float | None:
    number = float(cast("float", value))
    return number if math.isfinite(number) else None


def _edges(found: pd.DataFrame) -> Iterable[Edge]:
    """Yield the loadings, paths and covariances that are in the model; what is fixed at zero is not."""
    kinds: dict[str, EdgeKind] = {"=~": "loading", "~": "path", "~~": "covariance"}
    for row in found.itertuples():
        op, lhs, rhs = str(row.op), str(row.lhs), str(row.rhs)
        if op not in kinds or lhs == rhs or (row.se == 0 and row.est == 0):
            continue
        source, target = (rhs, lhs) if op == "~" else (lhs, rhs)
        yield Edge(source, target, kinds[op], value=_finite(row.std_all), p=_finite(row.pvalue))


def _note(fit: Fit, group: int, lang: str) -> str:
    """Return the line that makes the figure readable on its own."""
    entry = fit.moments.groups[group - 1]
    rule = fit.moments.missing
    if lang == "zh":
        who = f"{entry.label}组，" if entry.label else ""
        missing = "，含缺失值的个案成列删除" if rule == "listwise" and fit.moments.n < fit.moments.n_collected else ""
        missing = "，缺失值按全信息极大似然处理" if rule == "fiml" else missing
        text = f"注：{who}{fit.estimator} 标准化估计，N = {entry.n}{missing}。"
        return text + ("虚线表示不显著。* p < 0.05，** p < 0.01，*** p < 0.001。" if fit.certificate.certified else "")
    who = f"Group {entry.label}. " if entry.label else ""
    missing = ", listwise deletion" if rule == "listwise" and fit.moments.n < fit.moments.n_collected else ""
    missing = ", missing answers by full information" if rule == "fiml" else missing
    text = f"Note. {who}Standardised {fit.estimator} estimates, N = {entry.n}{missing}."
    stars = " Dashed grey = not significant. * p < .05, ** p < .01, *** p < .001."
    return text + (stars if fit.certificate.certified else "")
