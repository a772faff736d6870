"""Common method bias: Harman's single factor, a latent method factor, a marker variable, and full collinearity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table, format_p
from sem_loyalty.display.marks import MARK
from sem_loyalty.errors import ConfigurationError, NotSupported, SpecificationError
from sem_loyalty.fitting.discrepancies import LIKELIHOOD
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.fitting.solve import solve
from sem_loyalty.inference.hypothesis_tests import likelihood_ratio_test
from sem_loyalty.inference.marking import mark
from sem_loyalty.inference.measures import fit_measures
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.measurement.constructs import MeasurementModel, measurement_model
from sem_loyalty.measurement.method_models import (
    MarkerModels,
    construct_model,
    marker_models,
    method_factor_model,
    single_factor_model,
)
from sem_loyalty.model.defaults import specify
from sem_loyalty.model.scatter import variables
from sem_loyalty.survey.moments import Moments
from sem_loyalty.survey.sample import moments_from_data

if TYPE_CHECKING:
    from sem_loyalty.model.spec import Parameter

Array = NDArray[np.float64]

# Podsakoff et al. (2003): one factor that accounts for the majority of the covariance.
MAJORITY = 0.5
# Kock (2015), doi:10.4018/ijec.2015100101.
VIF_RULE = 3.3
# A loading that moves by this much changes what an item says of its construct.
MOVED = 0.2


@dataclass(frozen=True, slots=True)
class MethodBias:
    """What several checks say of common method bias.

    Attributes
    ----------
    single_factor_share : float
        Share of the items' variance in the first unrotated principal component (Harman's test).
    models : DataFrame
        One row per model: model, certified, df, chisq, cfi, tli, rmsea, srmr; and against the model named in
        `against`: chisq_diff, df_diff, pvalue, NaN unless both are certified.
    method_variance : float
        Mean share of an item's variance that the unmeasured method factor takes; nan where its model is not certified.
    loadings : DataFrame
        item, construct, loading, with_method, change: standardised loadings without and with the method factor.
    correlations : DataFrame or None
        With a marker: first, second, correlation, with_marker, partial: correlations of constructs, the same with the
        marker's influence taken out, and after Lindell and Whitney's (2001) correction.
    vif : DataFrame
        construct, vif: full collinearity, from the correlations of the constructs.
    statements : tuple of str
        What each check says, with its rule and its weakness.
    """

    single_factor_share: float
    models: pd.DataFrame
    method_variance: float
    loadings: pd.DataFrame
    correlations: pd.DataFrame | None
    vif: pd.DataFrame
    statements: tuple[str, ...]

    def tables(self) -> tuple[Table, ...]:
        """Return the models, the loadings, the correlations where there is a marker, and the VIFs as tables."""
        flags = zip(self.models["model"], self.models["certified"], strict=True)
        models = self.models.assign(model=[name if good else f"{name} ({MARK})" for name, good in flags])
        found = [
            Table.from_frame(models, id="method-models", caption="Models of method variance"),
            Table.from_frame(self.loadings, id="method-loadings", caption="Loadings without and with a method factor"),
        ]
        if self.correlations is not None:
            caption = "Correlations of constructs without and with the marker"
            found.append(Table.from_frame(self.correlations, id="method-correlations", caption=caption))
        return (*found, Table.from_frame(self.vif, id="full-collinearity", caption="Full collinearity VIF"))

    def __repr__(self) -> str:
        """Return what print shows: a prompt must not hide the mark."""
        return str(self)

    def __str__(self) -> str:
        """Return the statements, then the tables, as text."""
        return "\n\n".join(["\n".join(f"- {one}" for one in self.statements), *(t.to_text() for t in self.tables())])

    def _repr_html_(self) -> str:
        listed = "".join(f"<li>{escape(one)}</li>" for one in self.statements)
        return "\n".join([f"<ul>{listed}</ul>", *(table.to_html() for table in self.tables())])


def method_bias(
    fit: Fit,
    *,
    marker: str | Sequence[str] | None = None,
    data: pd.DataFrame | Mapping[str, Any] | None = None,
    alpha: float = 0.05,
) -> MethodBias:
    """Check how far one way of measuring, and not the constructs, may have made the answers agree.

    Parameters
    ----------
    fit : Fit
        A model in one group, by maximum likelihood, whose constructs are measured by items. Its measurement part is
        taken; paths do not matter.
    marker : str or sequence of str, optional
        The items of a marker: a construct that theory says has nothing to do with the others.
    data : DataFrame or mapping, optional
        Holds the items of the marker and of the model; needed with `marker`.
    alpha : float, default 0.05
        Level of the tests between models.

    Returns
    -------
    MethodBias

    Raises
    ------
    NotSupported
        Several groups, ordinal items, or another estimator than maximum likelihood.
    ConfigurationError
        `marker` without `data`, or marker items that the model uses.
    SpecificationError
        Fewer than two constructs.

    Notes
    -----
    Harman's test cannot show that there is no bias (Podsakoff, MacKenzie, Lee and Podsakoff 2003,
    doi:10.1037/0021-9010.88.5.879). The latent method factor has equal loadings on all items and is uncorrelated with
    the constructs. The marker models are those of Williams, Hartman and Cavazotte (2010),
    doi:10.1177/1094428110366036: Baseline against Method-C tests whether the marker has any influence, Method-C against
    Method-U whether it is the same for all items, and the better of the two against Method-R whether it biases the
    correlations of the constructs. Partial correlations (r - r_M) / (1 - r_M), r_M the marker's smallest absolute
    correlation with a construct: Lindell and Whitney (2001), doi:10.1037/0021-9010.86.1.114. Full collinearity:
    Kock (2015), doi:10.4018/ijec.2015100101.
    """
    if fit.specification.ordered or fit.estimator not in LIKELIHOOD:
        raise NotSupported("Method bias is checked for maximum likelihood on continuous items: 'ML', 'MLM', 'MLR'.")
    if len(fit.specification.groups) > 1:
        raise NotSupported("Method bias is checked in one group; fit the groups one at a time.")
    part = measurement_model(fit)
    blocks = {name: tuple(part.items[i] for i in part.own(k)) for k, name in enumerate(part.constructs)}
    blocks = {name: items for name, items in blocks.items() if items}
    if len(blocks) < 2:
        raise SpecificationError("Method bias is checked between constructs; the model measures fewer than two.")
    items = tuple(dict.fromkeys(item for own in blocks.values() for item in own))
    base = _refit(construct_model(blocks), fit, fit.moments)
    single = _refit(single_factor_model(items), fit, fit.moments)
    method = _refit(method_factor_model(blocks), fit, fit.moments)
    table = [
        ("constructs", base, None),
        ("single factor", single, base),
        ("constructs and method factor", method, base),
    ]
    correlations, marked = None, []
    if marker is not None:
        if data is None:
            raise ConfigurationError("`marker` needs `data`, which holds its items.")
        names = (marker,) if isinstance(marker, str) else tuple(marker)
        used = [name for name in names if name in items]
        if used:
            raise ConfigurationError(
                f"The marker's items must not belong to the model's constructs: {', '.join(used)}."
            )
        moments = moments_from_data(data, (*items, *names), missing=fit.moments.missing)
        found = marker_models(blocks, names, lambda text: _refit(text, fit, moments), alpha)
        table += found.rows
        correlations = _marker_correlations(found, tuple(blocks))
        marked = _marker_statements(found, alpha)
    share = _first_component(part, items)
    vif = _vif(measurement_model(base), tuple(blocks))
    loadings, variance = _moved_loadings(base, method)
    statements = [
        _harman(share, base, single),
        _factor_statement(base, method, variance, loadings, alpha),
        *marked,
        _vif_statement(vif),
    ]
    if not base.certificate.certified:
        # What is left does not rest on the loadings and correlations of the constructs.
        lead = f"{MARK}: the model of the constructs has no admissible solution ({base.certificate.reason})"
        statements = [
            f"{lead}, so only the share of the first component may be reported.",
            f"Harman's single factor: the first component holds {share:.1%} of the variance.",
        ]
    if correlations is not None:
        correlations = mark(correlations, base)
    models = _compared(table)
    return MethodBias(share, models, variance, mark(loadings, base), correlations, mark(vif, base), tuple(statements))


def _refit(text: str, like: Fit, moments: Moments) -> Fit:
    """Fit another model of the same items as the given fit was fitted."""
    specification = specify(text, kind="cfa", meanstructure=like.specification.meanstructure)
    with one_thread():
        return solve(specification, moments, engine="kernel", estimator=like.estimator)


def _first_component(part: MeasurementModel, items: tuple[str, ...]) -> float:
    """Return the share of the first principal component of the items' correlation matrix."""
    index = [part.items.index(item) for item in items]
    cov = part.cov[np.ix_(index, index)]
    sd = np.sqrt(np.diagonal(cov))
    return float(np.linalg.eigvalsh(cov / np.outer(sd, sd))[-1] / len(items))


def _vif(part: MeasurementModel, constructs: tuple[str, ...]) -> pd.DataFrame:
    index = [part.constructs.index(name) for name in constructs]
    try:
        values = np.diagonal(np.linalg.inv(part.cor_latent[np.ix_(index, index)]))
    except np.linalg.LinAlgError:
        values = np.full(len(index), np.inf)
    return pd.DataFrame({"construct": list(constructs), "vif": values})


def _standardised(fit: Fit) -> dict[tuple[str, str], float]:
    """Return the completely standardised loading of every (construct, item)."""
    position, at = variables(fit.specification), fit.point.implied[0]
    sd = np.sqrt(np.diagonal(at.total))

    def loading(row: Parameter) -> float:
        i, j = position[row.rhs], position[row.lhs]
        return float(at.directed[i, j] * sd[j] / sd[i])

    return {(row.lhs, row.rhs): loading(row) for row in fit.specification.parameters if row.op == "=~"}


def _moved_loadings(base: Fit, method: Fit) -> tuple[pd.DataFrame, float]:
    """Return loadings without and with the method factor, and the mean share of variance that it takes."""
    sound = method.certificate.certified
    before, after = _standardised(base), _standardised(method) if sound else {}
    records = [
        (item, construct, value, after[construct, item] if sound else np.nan)
        for (construct, item), value in before.items()
    ]
    frame = pd.DataFrame(records, columns=["item", "construct", "loading", "with_method"])
    frame["change"] = frame["with_method"] - frame["loading"]
    factor = [value for (construct, _), value in after.items() if construct not in base.specification.latent]
    return frame, float(np.mean(np.square(factor))) if sound else float("nan")


def _compared(rows: Sequence[tuple[str, Fit, Fit | None]]) -> pd.DataFrame:
    """Return the models with their measures, each against the one it is compared with."""
    names = {id(fit): name for name, fit, _ in rows}
    records = []
    for name, fit, against in rows:
        measures = fit_measures(fit)
        scaled = "_scaled" if "chisq_scaled" in measures else ""
        record: dict[str, object] = {"model": name, "certified": fit.certificate.certified, "df": fit.df}
        record["chisq"] = measures["chisq" + scaled]
        record |= {key: measures[key] for key in ("cfi", "tli", "rmsea", "srmr")}
        record |= {"against": "" if against is None else names[id(against)]}
        record |= dict.fromkeys(("chisq_diff", "df_diff", "pvalue"), math.nan)
        sound = against is not None and fit.certificate.certified and against.certificate.certified
        if against is not None and sound and against.df != fit.df and fit.estimator != "MLMV":
            test = likelihood_ratio_test(fit, against).iloc[1]
            record |= {key: test[key] for key in ("chisq_diff", "df_diff", "pvalue")}
        records.append(record)
    return pd.DataFrame(records)


def _harman(share: float, base: Fit, single: Fit) -> str:
    verdict = "more" if share > MAJORITY else "less"
    worse = fit_measures(base)["cfi"] - fit_measures(single)["cfi"]
    return (
        f"Harman's single factor: the first component holds {share:.1%} of the variance, {verdict} than half; one "
        f"factor in place of the constructs lowers CFI by {worse:.3f}. Weak evidence: the test finds only bias so "
        "large that little else is left."
    )


def _factor_statement(base: Fit, method: Fit, variance: float, loadings: pd.DataFrame, alpha: float) -> str:
    if not method.certificate.certified:
        return "Latent method factor: its model has no admissible solution, so it says nothing either way."
    test = likelihood_ratio_test(base, method).iloc[1]
    p = float(test["pvalue"])
    if p >= alpha:
        return (
            f"Latent method factor (equal loadings): not needed beside the constructs (chi-square difference "
            f"{test['chisq_diff']:.2f}, p {format_p(p)})."
        )
    far = loadings.loc[loadings["change"].abs() > MOVED, "item"].tolist()
    moving = f"loadings of {', '.join(far)} move" if far else "no loading moves"
    return (
        f"Latent method factor (equal loadings): it takes {variance:.1%} of an item's variance on average (chi-square "
        f"difference {test['chisq_diff']:.2f}, p {format_p(p)}); {moving} by more than {MOVED}."
    )


def _vif_statement(vif: pd.DataFrame) -> str:
    high = vif.loc[~(vif["vif"] <= VIF_RULE), "construct"].tolist()
    verdict = f"above {VIF_RULE} for {', '.join(high)}" if high else f"all at most {VIF_RULE}"
    return (
        f"Full collinearity: VIFs of the constructs are {verdict} (largest {vif['vif'].max():.2f}). High ones come "
        "from method bias or from constructs that overlap in truth; the figure cannot tell which."
    )


def _marker_correlations(found: MarkerModels, constructs: tuple[str, ...]) -> pd.DataFrame:
    """Return correlations of the constructs before and after the marker is accounted for."""
    before, after = _correlations(found.baseline), _correlations(found.chosen)
    sound = found.chosen.certificate.certified
    with_marker = _correlations(found.free)
    marker = next(name for name in found.free.specification.latent if name not in constructs)
    weakest = min(abs(with_marker[frozenset((marker, name))]) for name in constructs)
    records = []
    for i, first in enumerate(constructs):
        for second in constructs[i + 1 :]:
            pair = frozenset((first, second))
            partial = (before[pair] - weakest) / (1.0 - weakest)
            records.append((first, second, before[pair], after[pair] if sound else np.nan, partial))
    return pd.DataFrame(records, columns=["first", "second", "correlation", "with_marker", "partial"])


def _correlations(fit: Fit) -> dict[frozenset[str], float]:
    part = measurement_model(fit)
    return {
        frozenset((one, other)): float(part.cor_latent[i, j])
        for i, one in enumerate(part.constructs)
        for j, other in enumerate(part.constructs)
        if i < j
    }


def _marker_statements(found: MarkerModels, alpha: float) -> list[str]:
    """Return what the three tests of the marker say."""
    if any(not fit.certificate.certified for _, fit, _ in found.rows):
        bad = ", ".join(name for name, fit, _ in found.rows if not fit.certificate.certified)
        return [f"Marker: no statement, since there is no admissible solution of: {bad}."]
    influence, sameness, bias = found.pvalues
    if influence >= alpha:
        return [f"Marker: it has no influence on the items (Baseline against Method-C, p {format_p(influence)})."]
    same = "the same for all items" if sameness >= alpha else "different from item to item"
    effect = "biases" if bias < alpha else "does not bias"
    lead = f"Marker: it influences the items (p {format_p(influence)}), {same} (p {format_p(sameness)})"
    return [f"{lead}, and {effect} the correlations of the constructs (against Method-R, p {format_p(bias)})."]
