"""Plots of items and constructs: `loadings_plot`, `scree_plot`, `correlation_map` and `residual_map`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sem_loyalty.errors import ConfigurationError, DataError, NotSupported, check_choice
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.implied import check_group
from sem_loyalty.inference.residuals import residuals
from sem_loyalty.inference.standardised import standardised_solution
from sem_loyalty.measurement.factors import EFA
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.plots.charts import Look
from sem_loyalty.publish.plots.loadings import loading_rows, pattern
from sem_loyalty.publish.plots.matrix import triangle
from sem_loyalty.publish.plots.page import drawn, fit_basis, look_of, noted
from sem_loyalty.publish.plots.picture import Picture
from sem_loyalty.publish.plots.scree import scree
from sem_loyalty.publish.tables import basis

RESIDUALS = {"cor.bollen": "cor", "cor.bentler": "cor", "normalized": "z", "standardized": "z"}
VARIANTS = ("components", "factors")


def loadings_plot(
    result: Fit | EFA,
    path: str | os.PathLike[str] | None = None,
    *,
    group: int = 1,
    cutoff: float = 0.4,
    labels: Mapping[str, str] | None = None,
    lang: str = "en",
    note: str | None = None,
    remark: str = "",
    width_mm: float = 160.0,
) -> Picture:
    """Draw the loadings: of a fit with their intervals, of an exploratory analysis as a shaded pattern matrix.

    Parameters
    ----------
    result : Fit or EFA
        A fit without certificate is drawn in grey under a warning.
    path : path, optional
        Where to save it: .svg, .pdf or .png.
    group : int, default 1
        Group number of a fit.
    cutoff : float, default 0.4
        Pattern loadings of at least this size stand in bold.
    labels : mapping, optional
        Printed name of constructs and items; by default their own. Names too long for their place end in an ellipsis.
    lang : {"en", "zh"}, default "en"
    note : str, optional
        The line below; by default respondents, estimator, rule for missing answers, and what is drawn. "" for none.
    remark : str, default ""
        What the default note says first, for instance that the data are simulated.
    width_mm : float, default 160
        Width, from 90 to 183 (two columns of a journal).

    Returns
    -------
    Picture
        Displays itself in notebooks; `.save(path)`, `.svg()`, `.png()`, `.pdf()`.

    Raises
    ------
    NotSupported
        Another result, or a model without latent variables.
    ConfigurationError
        Unknown language, group, file type, or a width out of range.

    Notes
    -----
    Standardised loadings and delta-method intervals as in `standardised_solution`. The dashed line stands at the square
    root of one half, above which construct and item share more than half of the item's variance.
    """
    if isinstance(result, EFA):
        look = look_of(labels, lang, width_mm, certified=not result.problems)
        said = word(
            "pattern_plot_note",
            lang,
            extraction=word(f"extraction_{result.extraction}", lang),
            rotation=word("rotation_none", lang) if result.rotation == "none" else result.rotation,
            cutoff=f"{cutoff:g}",
        )
        look = noted(look, note, remark, _efa_basis(result, lang), said)
        strongest = result.loadings.abs().to_numpy().argmax(axis=1)
        sizes = result.loadings.abs().to_numpy().max(axis=1)
        order = sorted(range(len(result.items)), key=lambda i: (strongest[i], -sizes[i]))
        return drawn(pattern(result.loadings, [result.items[i] for i in order], cutoff, look), path)
    if not isinstance(result, Fit):
        raise NotSupported(f"loadings_plot draws a Fit or an EFA, not {type(result).__name__}.")
    check_group(result, group)
    found = standardised_solution(result)
    rows = found[(found["op"] == "=~") & (found["group"] == group)]
    if rows.empty:
        raise NotSupported("The model has no latent variables, so there are no loadings to draw.")
    place = {name: k for k, name in enumerate(dict.fromkeys(rows["lhs"]))}
    rows = rows.sort_values("lhs", key=lambda column: column.map(place), kind="stable")
    look = look_of(labels, lang, width_mm, certified=result.certificate.certified)
    look = noted(look, note, remark, fit_basis(result, lang, group), word("loadings_plot_note", lang))
    return drawn(loading_rows(rows, look), path)


def scree_plot(
    result: EFA,
    path: str | os.PathLike[str] | None = None,
    *,
    variant: str = "components",
    lang: str = "en",
    note: str | None = None,
    remark: str = "",
    width_mm: float = 120.0,
) -> Picture:
    """Draw the scree with parallel analysis: the eigenvalues against those of random data of the same size.

    Parameters
    ----------
    result : EFA
        From `efa`.
    path : path, optional
        Where to save it: .svg, .pdf or .png.
    variant : {"components", "factors"}, default "components"
        Eigenvalues of the correlation matrix, or of the one with squared multiple correlations on its diagonal.
    lang, note, remark, width_mm
        As in `loadings_plot`; the width is 120 by default.

    Returns
    -------
    Picture

    Raises
    ------
    NotSupported
        Another result.
    ConfigurationError
        Unknown variant, language or file type, or a width out of range.

    Notes
    -----
    Horn (1965), doi:10.1007/BF02289447; the quantile instead of the mean after Glorfeld (1995),
    doi:10.1177/0013164495055003002.
    """
    if not isinstance(result, EFA):
        raise NotSupported(f"scree_plot draws an EFA, not {type(result).__name__}.")
    check_choice("variant", variant, VARIANTS)
    look = look_of(None, lang, width_mm, certified=True)
    kept = result.retention
    found = kept.components if variant == "components" else kept.factors
    said = word("scree_note", lang, variant=word(f"variant_{variant}", lang), draws=f"{found.draws:,}")
    return drawn(scree(found, noted(look, note, remark, _efa_basis(result, lang), said)), path)


def correlation_map(
    result: Fit | pd.DataFrame,
    path: str | os.PathLike[str] | None = None,
    *,
    items: Sequence[str] | None = None,
    group: int = 1,
    labels: Mapping[str, str] | None = None,
    lang: str = "en",
    note: str | None = None,
    remark: str = "",
    width_mm: float = 160.0,
) -> Picture:
    """Draw a correlation matrix as shaded cells, with its numbers where these have room.

    Parameters
    ----------
    result : Fit or DataFrame
        A fit, whose sample correlations are drawn (polychoric ones of ordinal items, of their residuals where
        covariates are held fixed; with missing answers kept those of the saturated model), or a correlation matrix
        such as `answers.corr()`.
    path : path, optional
        Where to save it: .svg, .pdf or .png.
    items : sequence of str, optional
        Which variables, in the order wanted; all by default.
    group : int, default 1
        Group number of a fit.
    labels, lang, note, remark, width_mm
        As in `loadings_plot`.

    Returns
    -------
    Picture

    Raises
    ------
    NotSupported
        Another result.
    DataError
        A frame that is not a correlation matrix.
    ConfigurationError
        Unknown items, group, language or file type, fewer than two items, or a width out of range.
    """
    if isinstance(result, Fit):
        check_group(result, group)
        cov = result.samples[group - 1].cov
        sd = np.sqrt(np.diagonal(cov))
        # Beside ordinal items, fixed covariates stand last, and the correlations are those of residuals given them.
        names = list(result.specification.observed[: len(cov)])
        matrix = pd.DataFrame(cov / np.outer(sd, sd), index=names, columns=names)
        ordinal = word("correlation_ordinal_note", lang) if result.specification.ordered else ""
        said = [fit_basis(result, lang, group, estimator=False), ordinal]
    elif isinstance(result, pd.DataFrame):
        matrix, said = _checked(result), []
    else:
        raise NotSupported(f"correlation_map draws a Fit or a correlation matrix, not {type(result).__name__}.")
    matrix = _chosen(matrix, items)
    look = noted(look_of(labels, lang, width_mm, certified=True), note, remark, *said)
    return _map(matrix, look, 1.0, np.inf, "correlation", path)


def residual_map(
    fit: Fit,
    path: str | os.PathLike[str] | None = None,
    *,
    type: str = "cor.bollen",
    items: Sequence[str] | None = None,
    group: int = 1,
    labels: Mapping[str, str] | None = None,
    lang: str = "en",
    note: str | None = None,
    remark: str = "",
    width_mm: float = 160.0,
) -> Picture:
    """Draw what the model leaves unexplained between every two items, the large residuals framed.

    Parameters
    ----------
    fit : Fit
        One without certificate is drawn in grey under a warning.
    path : path, optional
        Where to save it: .svg, .pdf or .png.
    type : {"cor.bollen", "cor.bentler", "normalized", "standardized"}, default "cor.bollen"
        As in `residuals`: residual correlations, framed from 0.10, or z-values, framed beyond 1.96.
    items, group, labels, lang, note, remark, width_mm
        As in `correlation_map`.

    Returns
    -------
    Picture

    Raises
    ------
    NotSupported
        Not a fit, or as in `residuals`.
    ConfigurationError
        Unknown type, items, group, language or file type, or a width out of range.

    Notes
    -----
    The type is that of `residuals`. That correlation residuals of 0.10 deserve a look is a convention: Kline, R. B.
    (2016). Principles and practice of structural equation modeling (4th ed.). Guilford.
    """
    if not isinstance(fit, Fit):
        raise NotSupported("residual_map draws a Fit.")
    check_choice("type", type, tuple(RESIDUALS))
    kind = RESIDUALS[type]
    matrix = _chosen(residuals(fit, type=type, group=group), items)
    look = look_of(labels, lang, width_mm, certified=fit.certificate.certified)
    look = noted(look, note, remark, fit_basis(fit, lang, group), word(f"residual_{kind}_note", lang))
    scale, limit = (0.2, 0.1) if kind == "cor" else (4.0, 1.96)
    return _map(matrix, look, scale, limit, f"residual_{kind}", path)


def _efa_basis(result: EFA, lang: str) -> str:
    return basis(lang, n={"": result.n}, missing=word(f"missing_{result.missing}", lang))


def _checked(matrix: pd.DataFrame) -> pd.DataFrame:
    """Return a frame that is a correlation matrix, or raise DataError."""
    values = matrix.to_numpy(dtype=float)
    if values.ndim != 2 or values.shape[0] != values.shape[1] or list(matrix.index) != list(matrix.columns):
        raise DataError("This is no correlation matrix: rows and columns must bear the same names in the same order.")
    known = np.isfinite(values)
    if not np.allclose(np.where(known, values, 0.0), np.where(known, values, 0.0).T, atol=1e-8):
        raise DataError("This is no correlation matrix: it is not symmetric.")
    if (np.abs(values[known]) > 1.0 + 1e-8).any() or not np.allclose(np.diagonal(values), 1.0, atol=1e-8):
        raise DataError("This is no correlation matrix: its diagonal must be 1 and all else within -1 and 1.")
    return matrix.rename(index=str, columns=str)


def _chosen(matrix: pd.DataFrame, items: Sequence[str] | None) -> pd.DataFrame:
    """Return the rows and columns of some variables."""
    names = list(matrix.columns) if items is None else list(dict.fromkeys(items))
    for name in names:
        check_choice("items", name, tuple(matrix.columns))
    if len(names) < 2:
        raise ConfigurationError("A map needs two items at least.")
    return matrix.loc[names, names]


def _map(
    matrix: pd.DataFrame, look: Look, scale: float, limit: float, title: str, path: str | os.PathLike[str] | None
) -> Picture:
    values = matrix.to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        marked = np.abs(values) >= limit
    return drawn(
        triangle(values, list(matrix.columns), look, scale=scale, marked=marked, title=word(title, look.lang)), path
    )
