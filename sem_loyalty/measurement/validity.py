"""Convergent and discriminant validity of the constructs of a fitted model."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Column, Table
from sem_loyalty.display.marks import MARK
from sem_loyalty.measurement.constructs import MeasurementModel, measurement_model
from sem_loyalty.measurement.htmt import Ratios, heterotrait_monotrait
from sem_loyalty.measurement.reliability import AVE_RULE, average_variance_extracted

if TYPE_CHECKING:
    from sem_loyalty.fitting.solution import Fit

Array = NDArray[np.float64]

LOADING_RULES = (0.70, 0.50)
HTMT_RULES = (0.85, 0.90)
_SOURCES = {
    "loading": "Hair et al., 2019",
    "ave": "Fornell & Larcker, 1981",
    "htmt": "Henseler et al., 2015",
    "htmt2": "Roemer et al., 2021",
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Validity:
    """Convergent and discriminant validity in one group.

    Attributes
    ----------
    group : str
        Label of the group; "" where there is one.
    loadings : DataFrame
        One row per loading: item, construct, loading (completely standardised), est, se, z, pvalue (of the
        unstandardised loading; NaN for a fixed one), verdict.
    fornell_larcker : DataFrame, shape (k, k)
        Root of AVE on the diagonal, correlations of the constructs below it, NaN above it.
    htmt, htmt2 : DataFrame, shape (k, k)
        Heterotrait-monotrait ratios, symmetric, 1 on the diagonal; NaN where the ratio does not exist.
    cross_loadings : DataFrame, shape (p, k)
        Correlations of items and constructs in the model.
    verdict : DataFrame
        criterion, pair, value, threshold, holds, source, reason: one row per thing judged. `holds` is True, False or
        None (not to be judged; `reason` says why).
    reason : str
        Why the fit is not certified; "" where it is. Its frames, but for HTMT, which is of the sample, print so.
    """

    group: str
    loadings: pd.DataFrame
    fornell_larcker: pd.DataFrame
    htmt: pd.DataFrame
    htmt2: pd.DataFrame
    cross_loadings: pd.DataFrame
    verdict: pd.DataFrame
    reason: str = ""

    def tables(self) -> tuple[Table, ...]:
        """Return the five tables, numbers in full precision."""
        k = list(self.htmt.columns)
        triangle = [(self.htmt, "htmt", "HTMT"), (self.htmt2, "htmt2", "HTMT2")]
        note = f"{MARK}: {self.reason}." if self.reason else ""
        return (
            Table.from_frame(
                self.loadings,
                id="validity-loadings",
                caption="Standardised loadings",
                note=note,
                heads={"item": "Item", "construct": "Construct", "loading": "Loading", "verdict": "Verdict"},
                bounded=("loading",),
            ),
            _square(
                self.fornell_larcker, "fornell-larcker", "Fornell-Larcker: √AVE on the diagonal", lower=0, note=note
            ),
            *(_square(frame, name, caption, lower=-1) for frame, name, caption in triangle),
            Table.from_frame(
                self.cross_loadings, id="cross-loadings", caption="Item-construct correlations", note=note, bounded=k
            ),
        )

    def __str__(self) -> str:
        failed = self.verdict[self.verdict["holds"].eq(False)]
        lines = [f"{MARK}: {self.reason}"] if self.reason else []
        lines.append(f"{len(failed)} of {len(self.verdict)} criteria fail.")
        for criterion, pair, value, limit in zip(
            failed["criterion"], failed["pair"], failed["value"], failed["threshold"], strict=True
        ):
            lines.append(f"  {criterion}: {pair} {value:.4f} against {limit:.4f}")
        return "\n\n".join(["\n".join(lines), *(table.to_text() for table in self.tables())])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        head = f'<p style="color:#b00020"><b>{MARK}: {escape(self.reason)}</b></p>\n' if self.reason else ""
        return head + "\n".join(table.to_html() for table in self.tables())


def _square(frame: pd.DataFrame, id: str, caption: str, *, lower: int, note: str = "") -> Table:
    """Return a matrix as a table with a blank upper triangle (and a blank diagonal where `lower` is -1)."""
    names = [str(name) for name in frame.columns]
    columns = (
        Column("construct", ""),
        *(Column(name, name, "number", bounded=id == "fornell-larcker") for name in names),
    )
    values = frame.to_numpy(dtype=np.float64)
    rows = tuple(
        {"construct": name, **{names[j]: float(values[i, j]) for j in range(i + 1 + lower)}}
        for i, name in enumerate(names)
    )
    return Table(id, caption, columns, rows, note)


def loading_verdict(loading: float) -> str:
    """Return "≥ .70", "≥ .50" or "< .50" for a standardised loading, in size; "" for NaN."""
    if np.isnan(loading):
        return ""
    high, low = LOADING_RULES
    return "≥ .70" if abs(loading) >= high else "≥ .50" if abs(loading) >= low else "< .50"


def roots_of_ave(model: MeasurementModel) -> Array:
    """Return √AVE of every construct, shape (k,); NaN for a construct with one indicator."""
    values = []
    for construct in range(len(model.constructs)):
        own, dimensions = model.own(construct), model.dimensions(construct)
        standardised = np.concatenate([model.loadings_std[own, construct], model.higher_std[dimensions, construct]])
        values.append(average_variance_extracted(standardised))
    return np.asarray(np.sqrt(np.array(values)), dtype=np.float64)


def item_ratios(model: MeasurementModel, *, geometric: bool = False) -> Ratios:
    """Return HTMT (or HTMT2) of the constructs from the sample correlations of their items.

    A construct with dimensions has no items of its own, so its ratios do not exist.

    Parameters
    ----------
    model : MeasurementModel
    geometric : bool, default False
        HTMT2 instead of HTMT.

    Returns
    -------
    Ratios
    """
    spread = np.sqrt(np.diag(model.cov))
    blocks = [[] if len(model.dimensions(k)) else [int(i) for i in model.own(k)] for k in range(len(model.constructs))]
    return heterotrait_monotrait(model.cov / np.outer(spread, spread), blocks, geometric=geometric)


def judge(model: MeasurementModel, roots: Array, htmt: Ratios, htmt2: Ratios) -> pd.DataFrame:
    """Return every criterion of validity with its value, threshold and whether it holds.

    Parameters
    ----------
    model : MeasurementModel
    roots : ndarray, shape (k,)
        √AVE of every construct.
    htmt, htmt2 : Ratios
        From `item_ratios`.

    Returns
    -------
    DataFrame
        The `verdict` of `Validity`.
    """
    names = model.constructs
    records: list[dict[str, object]] = []

    def add(criterion: str, pair: str, value: float, limit: float, holds: bool, source: str, reason: str) -> None:
        known = not (np.isnan(value) or np.isnan(limit))
        records.append(
            {
                "criterion": criterion,
                "pair": pair,
                "value": value,
                "threshold": limit,
                "holds": holds if known else None,
                "source": _SOURCES[source],
                "reason": "" if known else reason,
            }
        )

    # every loading at the lower rule; the table of loadings shows the upper one too
    for i, k in zip(*np.nonzero(model.indicates), strict=True):
        label = (*model.items, *names)[i]
        value = float(np.vstack([model.loadings_std, model.higher_std])[i, k])
        limit = LOADING_RULES[1]
        add("loading ≥ .50", f"{names[k]} =~ {label}", value, limit, abs(value) >= limit, "loading", "no value")
    for k, name in enumerate(names):
        ave = float(roots[k] ** 2)
        add("AVE ≥ .50", name, ave, AVE_RULE, ave >= AVE_RULE, "ave", "single indicator, or a loading beyond 1")
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
    for i, j in pairs:
        r, root = float(abs(model.cor_latent[i, j])), float(min(roots[i], roots[j]))
        if model.indicates[len(model.items) + i, j] or model.indicates[len(model.items) + j, i]:
            root, reason = float("nan"), "one is a dimension of the other"
        else:
            root = float("nan") if np.isnan(roots[[i, j]]).any() else root
            reason = "a construct has no AVE, or its variance is not positive"
        add("Fornell-Larcker: |r| < √AVE of both", f"{names[i]} ~ {names[j]}", r, root, r < root, "ave", reason)
    for title, source, ratios in (("HTMT", "htmt", htmt), ("HTMT2", "htmt2", htmt2)):
        for i, j in pairs:
            for limit in HTMT_RULES:
                value = float(ratios.values[i, j])
                text = f"{title} < {limit:.2f}".replace("0.", ".")
                reason = ratios.reasons.get((i, j), "")
                add(text, f"{names[i]} ~ {names[j]}", value, limit, value < limit, source, reason)
    return pd.DataFrame(records).astype({"holds": object})


def validity(fit: Fit, *, group: int | str = 1) -> Validity:
    """Return convergent and discriminant validity of the constructs of a fitted model.

    Parameters
    ----------
    fit : Fit
    group : int or str, default 1
        Number of the group, counted from 1, or its label.

    Returns
    -------
    Validity
        HTMT takes absolute item correlations, HTMT2 signed ones; both come from the sample, the other criteria from
        the model.

    Raises
    ------
    ConfigurationError
        There is no such group.
    DataError
        The model has no construct with indicators.

    References
    ----------
    Fornell, C., & Larcker, D. F. (1981). Evaluating structural equation models with unobservable variables and
    measurement error. Journal of Marketing Research, 18, 39-50. doi:10.1177/002224378101800104
    Henseler, J., Ringle, C. M., & Sarstedt, M. (2015). A new criterion for assessing discriminant validity in
    variance-based structural equation modeling. Journal of the Academy of Marketing Science, 43, 115-135.
    doi:10.1007/s11747-014-0403-8
    Roemer, E., Schuberth, F., & Henseler, J. (2021). HTMT2: An improved criterion for assessing discriminant validity
    in structural equation modeling. Industrial Management & Data Systems, 121, 2637-2650.
    doi:10.1108/IMDS-02-2021-0082
    """
    from sem_loyalty.inference.estimates import estimates
    from sem_loyalty.inference.marking import mark

    model = measurement_model(fit, group)
    names = list(model.constructs)
    roots = roots_of_ave(model)
    square = np.where(np.tri(len(names), k=-1, dtype=bool), model.cor_latent, np.nan)
    np.fill_diagonal(square, roots)
    htmt, htmt2 = item_ratios(model), item_ratios(model, geometric=True)
    frame = estimates(fit)
    number = 1 + [entry.label for entry in fit.moments.groups].index(model.group)
    rows = frame[(frame["op"] == "=~") & (frame["group"] == number) & frame["lhs"].isin(names)].reset_index(drop=True)
    loadings = pd.DataFrame(
        {
            "item": rows["rhs"],
            "construct": rows["lhs"],
            "loading": rows["std_all"],
            "est": rows["est"],
            "se": rows["se"].where(rows["se"] > 0.0),
            "z": rows["z"],
            "pvalue": rows["pvalue"],
            "verdict": [loading_verdict(float(value)) for value in rows["std_all"]],
        }
    )
    return Validity(
        group=model.group,
        loadings=mark(loadings, fit),
        fornell_larcker=mark(pd.DataFrame(square, index=names, columns=names), fit),
        htmt=pd.DataFrame(htmt.values, index=names, columns=names),
        htmt2=pd.DataFrame(htmt2.values, index=names, columns=names),
        cross_loadings=mark(
            pd.DataFrame(model.cor_items, index=pd.Index(model.items, name="item"), columns=names), fit
        ),
        verdict=mark(judge(model, roots, htmt, htmt2), fit),
        reason=fit.certificate.reason,
    )
