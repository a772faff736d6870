"""`pls_quality`: measurement model, structural model and fit of a path model of composites, with their rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.measurement.htmt import heterotrait_monotrait
from sem_loyalty.measurement.reliability import average_variance_extracted, composite_reliability, cronbach_alpha
from sem_loyalty.pls_sem.criteria import effect_sizes, inner_inflation
from sem_loyalty.pls_sem.lanes import inverse_diagonal
from sem_loyalty.pls_sem.model_fit import ModelFit, implied, implied_cor, model_fit
from sem_loyalty.pls_sem.solution import Pls

Array = NDArray[np.float64]

# Hair, Risher, Sarstedt and Ringle (2019), doi:10.1108/EBR-11-2018-0203.
LOADING_RULE, RELIABILITY_RULE, AVE_RULE, VIF_RULE = 0.708, 0.70, 0.50, 5.0
# Henseler, Ringle and Sarstedt (2015), doi:10.1007/s11747-014-0403-8.
HTMT_RULE = 0.90
# Hu and Bentler (1999), doi:10.1080/10705519909540118, whose rule Henseler et al. (2014) take over.
SRMR_RULE = 0.08


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PlsQuality:
    """What is judged before a path model of composites is reported.

    Attributes
    ----------
    fit : Pls
    outer : DataFrame
        One row per entry: construct, item, mode, weight, loading, vif (of the item among those of its construct).
    reliability : DataFrame
        One row per construct: construct, items, alpha (of standardised items), rho_a, rho_c, ave; NaN for a single
        item and for a composite formed by its items (`<~`), where they have no meaning.
    fornell_larcker : DataFrame, shape (J, J)
        Root of AVE on the diagonal, correlations of the constructs below it.
    htmt : DataFrame, shape (J, J)
        Heterotrait-monotrait ratios; NaN where a construct is formed by its items.
    cross_loadings : DataFrame, shape (p, J)
        Correlations of items and composites.
    inner : DataFrame
        One row per path: cause, outcome, est, vif (of the cause among those of the outcome), f2.
    r2 : DataFrame
        One row per outcome: construct, r2, r2_adjusted.
    saturated, estimated : ModelFit
        Distances with free correlations of the constructs, and with those that the paths imply.
    remarks : tuple of str
        What misses a rule, one sentence each.
    """

    fit: Pls
    outer: pd.DataFrame
    reliability: pd.DataFrame
    fornell_larcker: pd.DataFrame
    htmt: pd.DataFrame
    cross_loadings: pd.DataFrame
    inner: pd.DataFrame
    r2: pd.DataFrame
    saturated: ModelFit
    estimated: ModelFit
    remarks: tuple[str, ...]

    def model_fit(self) -> pd.DataFrame:
        """Return SRMR, d_ULS, d_G and NFI of the saturated and the estimated model."""
        frame = pd.DataFrame(
            [
                (name, getattr(self.saturated, field), getattr(self.estimated, field))
                for name, field in (("SRMR", "srmr"), ("d_ULS", "d_uls"), ("d_G", "d_g"), ("NFI", "nfi"))
            ],
            columns=["measure", "saturated", "estimated"],
        )
        return self.fit.shown(frame)

    def tables(self) -> tuple[Table, ...]:
        """Return the eight tables, numbers in full precision."""
        mark = "" if self.fit.admissible else "NOT ADMISSIBLE: do not report. "
        named = (
            (self.outer, "outer", "Outer model: weights, loadings and their collinearity", ("loading",)),
            (self.reliability, "reliability", "Reliability and convergent validity", ()),
            (self.fornell_larcker, "fornell-larcker", "Fornell-Larcker: √AVE on the diagonal", ()),
            (self.htmt, "htmt", "HTMT", ()),
            (self.cross_loadings, "cross-loadings", "Correlations of items and composites", ()),
            (self.inner, "inner", "Inner model: paths, their collinearity and effect size", ()),
            (self.r2, "r2", "Explained variance", ()),
            (self.model_fit(), "fit", "Model fit", ()),
        )
        return tuple(
            Table.from_frame(
                frame,
                id=f"pls-{name}",
                caption=mark + caption,
                bounded=bounded,
                heads={"rho_a": "ρA", "rho_c": "ρC", "r2": "R²", "r2_adjusted": "R² adj.", "f2": "f²"},
                note=" ".join((f"N = {self.fit.n}.", *self.fit.problems)),
            )
            for frame, name, caption, bounded in named
        )

    def __str__(self) -> str:
        """Return what misses a rule, then all tables."""
        lead = "\n".join(self.remarks or ("No rule is missed.",))
        return "\n\n".join([lead, *(table.to_text() for table in self.tables())])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return "\n".join(table.to_html() for table in self.tables())


def pls_quality(fit: Pls) -> PlsQuality:
    """Assess a path model of composites: measurement model, structural model, fit.

    Parameters
    ----------
    fit : Pls

    Returns
    -------
    PlsQuality

    Notes
    -----
    A model in two stages (second order, interactions) is assessed stage by stage: `fit` is the last one, `fit.first`
    the one before it, where the items are.

    Without PLSc every construct is a composite: items of one construct are free to correlate, and the implied
    correlations equal those of the sample there. With PLSc the items of a construct measured by `=~` correlate by the
    product of their loadings. SRMR and the distances therefore judge less without PLSc than with it.

    References
    ----------
    Hair, J. F., Risher, J. J., Sarstedt, M. and Ringle, C. M. (2019). When to use and how to report the results of
    PLS-SEM. European Business Review, 31, 2-24. doi:10.1108/EBR-11-2018-0203
    Henseler, J. et al. (2014). Common beliefs and reality about PLS. Organizational Research Methods, 17, 182-209.
    doi:10.1177/1094428114526928
    Dijkstra, T. K. and Henseler, J. (2015). Consistent and asymptotically normal PLS estimators for linear structural
    equations. Computational Statistics and Data Analysis, 81, 10-23. doi:10.1016/j.csda.2014.07.008

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> matrix = sl.load_published("ecsi_mobile")
    >>> found = sl.pls_quality(sl.pls("ecsi_mobile", sample_cov=matrix.frame(), sample_nobs=250))
    >>> round(found.saturated.srmr, 3) < 0.08
    True
    """
    names, design = list(fit.model.constructs), fit.model.design
    with one_thread():
        cor, paths = fit.cor[:, :, None], fit.paths[:, :, None]
        inflation = inner_inflation(design, cor)[:, :, 0]
        sizes = effect_sizes(design, cor, paths, fit.r2[:, None])[:, :, 0]
        saturated, estimated = (
            model_fit(
                fit.correlation,
                implied(
                    fit.model, fit.correlation[:, :, None], fit.loadings[:, None], between, consistent=fit.consistent
                )[:, :, 0],
            )
            for between in (cor, implied_cor(fit.model, cor, paths))
        )
        outer = fit.outer_model().assign(vif=_outer_inflation(fit))
        reliability = _reliability(fit)
        htmt = _htmt(fit)
        cross = pd.DataFrame(fit.cross_loadings(), index=list(fit.model.items), columns=names)
    square = np.where(np.tri(len(names), k=-1, dtype=bool), fit.cor, np.nan)
    np.fill_diagonal(square, np.sqrt(reliability["ave"]))
    inner = fit.path_coefficients()
    where = np.argwhere(design.path)
    inner["vif"], inner["f2"] = inflation[tuple(where.T)], sizes[tuple(where.T)]
    return PlsQuality(
        fit=fit,
        outer=outer,
        reliability=fit.shown(reliability),
        fornell_larcker=fit.shown(pd.DataFrame(square, index=names, columns=names)),
        htmt=fit.shown(htmt),
        cross_loadings=fit.shown(cross),
        inner=inner,
        r2=fit.shown(_explained(fit)),
        saturated=saturated,
        estimated=estimated,
        remarks=_remarks(fit, outer, reliability, htmt, inner, saturated),
    )


def _outer_inflation(fit: Pls) -> Array:
    """Return the variance inflation factor of every entry among those of its construct, shape (m,)."""
    design = fit.model.design
    out = np.ones(len(design.item))
    for j in range(design.size):
        own = design.entries(j)
        items = design.item[own]
        out[own] = inverse_diagonal(fit.correlation[np.ix_(items, items)][:, :, None])[:, 0]
    return out


def _reliability(fit: Pls) -> pd.DataFrame:
    design = fit.model.design
    records = []
    for j, name in enumerate(fit.model.constructs):
        own = design.entries(j)
        items, loadings = design.item[own], fit.loadings[own]
        values = (float("nan"),) * 4
        if design.common[j]:
            block = fit.correlation[np.ix_(items, items)]
            values = (
                cronbach_alpha(block),
                float(fit.rho_a[j]),
                composite_reliability(loadings),
                average_variance_extracted(loadings),
            )
        records.append((name, len(items), *values))
    return pd.DataFrame(records, columns=["construct", "items", "alpha", "rho_a", "rho_c", "ave"])


def _htmt(fit: Pls) -> pd.DataFrame:
    """Return HTMT of all constructs but those that their items form."""
    design, names = fit.model.design, list(fit.model.constructs)
    measured = set(design.measured())
    blocks = [[int(i) for i in design.item[design.entries(j)]] if j in measured else [] for j in range(design.size)]
    values = heterotrait_monotrait(fit.correlation, blocks).values.copy()
    formed = [j for j, block in enumerate(blocks) if not block]
    values[formed, :] = values[:, formed] = np.nan
    return pd.DataFrame(values, index=names, columns=names)


def _explained(fit: Pls) -> pd.DataFrame:
    """Return R squared and its adjustment, 1 - (1 - R2)(n - 1)/(n - k - 1) with k causes."""
    records = []
    for i, name in enumerate(fit.model.constructs):
        k = len(fit.model.design.causes(i))
        if k:
            value = float(fit.r2[i])
            records.append((name, value, 1.0 - (1.0 - value) * (fit.n - 1) / (fit.n - k - 1)))
    return pd.DataFrame(records, columns=["construct", "r2", "r2_adjusted"])


def _remarks(
    fit: Pls,
    outer: pd.DataFrame,
    reliability: pd.DataFrame,
    htmt: pd.DataFrame,
    inner: pd.DataFrame,
    saturated: ModelFit,
) -> tuple[str, ...]:
    """Return every rule that is missed."""
    out = [f"NOT ADMISSIBLE: {problem}" for problem in fit.problems]
    common = {name for name, flag in zip(fit.model.constructs, fit.model.design.common, strict=True) if flag}
    low = outer[outer["construct"].isin(common) & (outer["loading"].abs() < LOADING_RULE)]
    if len(low):
        out.append(f"Loadings below {LOADING_RULE:.3f}: {', '.join(low['item'])}.")
    for column, head in (("alpha", "alpha"), ("rho_a", "rho_A"), ("rho_c", "rho_C")):
        short = reliability[reliability[column] < RELIABILITY_RULE]
        if len(short):
            out.append(f"{head} below {RELIABILITY_RULE:.2f}: {', '.join(short['construct'])}.")
    narrow = reliability[reliability["ave"] < AVE_RULE]
    if len(narrow):
        out.append(f"AVE below {AVE_RULE:.2f}: {', '.join(narrow['construct'])}.")
    values = htmt.to_numpy()
    pairs = [f"{htmt.index[i]} and {htmt.columns[j]}" for i, j in np.argwhere(np.tril(values, -1) >= HTMT_RULE)]
    if pairs:
        out.append(f"HTMT {HTMT_RULE:.2f} or more: {', '.join(pairs)}.")
    for frame, which in ((outer, "item"), (inner, "cause")):
        high = frame[frame["vif"] >= VIF_RULE]
        if len(high):
            out.append(f"VIF {VIF_RULE:.0f} or more: {', '.join(dict.fromkeys(high[which]))}.")
    if saturated.srmr > SRMR_RULE:
        out.append(f"SRMR of the saturated model {saturated.srmr:.3f}, above {SRMR_RULE:.2f}.")
    return tuple(out)
