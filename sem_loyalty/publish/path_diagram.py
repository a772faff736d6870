"""From a fit to its path diagram."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, cast

from sem_loyalty.errors import ConfigurationError, NotSupported, check_choice
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.estimates import estimates, r_squared
from sem_loyalty.publish.diagram.drawing import Drawing, draw, draw_panels
from sem_loyalty.publish.diagram.graph import Diagram, Node, check_shown
from sem_loyalty.publish.diagram.layout_cache import LayoutCache
from sem_loyalty.publish.diagram.pins import Layout
from sem_loyalty.publish.diagram.presets import AUTO
from sem_loyalty.publish.diagram_words import figure_note
from sem_loyalty.publish.fitted_edges import finite, fitted_edges, folded

if TYPE_CHECKING:
    import pandas as pd


def path_diagram(
    fit: Fit,
    path: str | os.PathLike[str] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    lang: str = "en",
    group: int | str = 1,
    note: str | None = None,
    table: pd.DataFrame | None = None,
    show: Sequence[str] = ("std", "stars"),
    items: bool = True,
    r2: bool = True,
    covariances: bool | None = None,
    residuals: bool = False,
    moderation: str = "arrow",
    layout: Layout | None = None,
    sides: Mapping[str, str] | None = None,
    preset: str = AUTO,
    seed: int = 1,
    width_mm: float = 183.0,
    cache: LayoutCache | None = None,
) -> Drawing:
    """Draw a fitted model with its estimates.

    Places depend on the structure and its labels, never on the estimates: a fit to other data gives the same picture
    with other numbers.

    Parameters
    ----------
    fit : Fit
        A fit without certificate is drawn in grey, without stars, under a warning.
    path : path, optional
        Where to save it: .svg, .pdf, .png, .tikz (a picture for LaTeX), .tex (a LaTeX document) or .dot (Graphviz).
    labels : mapping, optional
        Printed name of every construct; by default its name in the model.
    lang : {"en", "zh"}, default "en"
        Language of the note, and form of the numbers.
    group : int or "all", default 1
        Which group's estimates; "all" draws every group as a panel, with the same places.
    note : str, optional
        The line below; by default it says N, estimator and what lines and numbers mean.
    table : DataFrame, optional
        Estimates to draw, such as those of `Bootstrap.estimates`; by default those of `estimates`.
    show : sequence of str, default ("std", "stars")
        First the estimate: "std" standardised or "est" as estimated. Then any of "stars", "se" (standard errors in
        parentheses), "ci" (95% confidence intervals in brackets) and "p".
    items : bool, default True
        Whether items are drawn; False shows the structure alone.
    r2 : bool, default True
        Whether the share of variance explained stands in the constructs.
    covariances : bool, optional
        Whether covariances among exogenous constructs are drawn; None draws those of up to three constructs, and all
        where there are no paths. What is left out is said in the note.
    residuals : bool, default False
        Whether short arrows show what is left unexplained.
    moderation : {"arrow", "construct"}, default "arrow"
        A product of two constructs as an arrow from the moderator to the path, or as a construct with items.
    layout : mapping of str to (int, int), or rows of names, optional
        Places of constructs in half steps, (column, row), for those that are to be pinned; or a table of all as the
        figure shall look, ``[["SAT", "", "LOY"], ["", "TRU", ""]]``.
    sides : mapping, optional
        Side of a construct on which its items stand: "W", "E", "N" or "S".
    preset : str, default "auto"
        Places known for published models, where constructs have the same names: "auto", "none" or the id of a model.
    seed : int, default 1
        Seed of the layout.
    width_mm : float, default 183
        Largest width, a journal's full page.
    cache : LayoutCache, optional
        Layouts computed before: it saves time and changes nothing.

    Returns
    -------
    Drawing
        Displays itself in notebooks; `.save(path)`, `.svg()`, `.pdf()`, `.png()`, `.tikz()`, `.dot()`.

    Raises
    ------
    ConfigurationError
        Unknown language, group, entry of `show` or file type.
    NotSupported
        For anything but a fit of this package.
    """
    if not isinstance(fit, Fit):
        raise NotSupported(
            f"path_diagram draws a fit of `fit` or `cfa`, not {type(fit).__name__}. A model without estimates is drawn "
            "by model_diagram."
        )
    check_choice("lang", lang, ("en", "zh"))
    check_choice("moderation", moderation, ("arrow", "construct"))
    check_shown(tuple(show))
    count = len(fit.specification.groups)
    if group != "all" and not (isinstance(group, int) and 1 <= group <= count):
        raise ConfigurationError(f'group={group!r} does not exist; the model has {count}. "all" draws every group.')

    def diagram(number: int, said: str) -> Diagram:
        return _diagram(
            fit,
            number,
            table,
            labels or {},
            said,
            tuple(show),
            cast("Literal['en', 'zh']", lang),
            (items, r2, covariances, residuals, moderation == "arrow"),
        )

    if group == "all" and count > 1:
        return draw_panels(
            [diagram(number, "") for number in range(1, count + 1)],
            [_panel_label(fit, number, lang) for number in range(1, count + 1)],
            path,
            note=figure_note(fit, 0, lang, show) if note is None else note,
            layout=layout,
            sides=sides,
            preset=preset,
            seed=seed,
            width_mm=width_mm,
            cache=cache,
        )
    number = 1 if group == "all" else int(group)
    drawn = diagram(number, figure_note(fit, number, lang, show) if note is None else note)
    return draw(drawn, path, layout=layout, sides=sides, preset=preset, seed=seed, width_mm=width_mm, cache=cache)


def _diagram(
    fit: Fit,
    group: int,
    table: pd.DataFrame | None,
    labels: Mapping[str, str],
    note: str,
    show: tuple[str, ...],
    lang: Literal["en", "zh"],
    options: tuple[bool, bool, bool | None, bool, bool],
) -> Diagram:
    items, r2, covariances, residuals, arrows = options
    specification = fit.specification
    found = estimates(fit) if table is None else table
    edges = fitted_edges(fit, found, group, show, given=table is not None)
    left_out: frozenset[str] = frozenset()
    if arrows:
        edges, left_out = folded(edges)
    shares = r_squared(fit)
    explained = shares[shares["group"] == group].set_index("variable")["r2"]
    outcomes = set(specification.outcomes) | {
        row.rhs for row in specification.parameters if row.op == "=~" and row.rhs in specification.latent
    }
    nodes = tuple(
        Node(
            name=name,
            label=labels.get(name, name),
            kind="latent" if name in specification.latent else "observed",
            r2=finite(explained[name]) if r2 and name in outcomes else None,
        )
        for name in (*specification.latent, *specification.observed)
        if name not in left_out
    )
    return Diagram(
        nodes=nodes,
        edges=edges,
        note=note,
        lang=lang,
        certified=fit.certificate.certified,
        show=show,
        items=items,
        residuals=residuals,
        covariances=covariances,
    )


def _panel_label(fit: Fit, number: int, lang: str) -> str:
    entry = fit.moments.groups[number - 1]
    return f"{entry.label}{'，' if lang == 'zh' else ', '}N = {entry.n}"
