"""`compare_methods`: a model by covariance-based SEM, PLS and PLSc, why they differ, and which to report."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table
from sem_loyalty.errors import ImproperSolutionWarning, NotSupported, SemLoyaltyError
from sem_loyalty.fitting.fit import fit as fit_cb
from sem_loyalty.fitting.fit import text_of
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.estimates import estimates
from sem_loyalty.inference.measures import fit_measures
from sem_loyalty.measurement.constructs import measurement_model
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.syntax import ModelText
from sem_loyalty.pls_sem.estimate import pls
from sem_loyalty.pls_sem.quality import HTMT_RULE, SRMR_RULE, pls_quality
from sem_loyalty.pls_sem.solution import Pls
from sem_loyalty.pls_sem.weights import regress

Array = NDArray[np.float64]

# Browne and Cudeck (1992), doi:10.1177/0049124192021002005: above this a model fits mediocre or worse.
RMSEA_RULE = 0.08


# What a comparison advises, by code; the details fill the braces.
ADVICE = {
    "formed": "{names}: formed by items, which is what PLS is made for.",
    "misfit": (
        "The model does not fit ({measures}), which no choice of method repairs: look at the residuals before "
        "reporting paths."
    ),
    "report_cb": (
        "Report covariance-based SEM: its solution is certified and the model fits. PLSc should agree with it; PLS "
        "paths are those of composites, attenuated by the errors of their items."
    ),
    "no_cb": "There is no covariance-based solution: {reason}",
    "uncertified_cb": "The covariance-based solution is not certified: {reason}",
    "report_plsc": "Report PLSc, and say that the model has no proper solution by maximum likelihood.",
    "report_pls": (
        "PLSc is not admissible either: {problems} PLS always gives numbers: report them as paths between composites, "
        "not between the constructs behind them, and say why the others fail."
    ),
    "report_none": "No method has an admissible solution; the measurement has to change first.",
    "alike": "Constructs that the answers hardly tell apart (HTMT): {pairs}. Merge them or drop one.",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """One piece of advice.

    Attributes
    ----------
    code : str
        Key of ADVICE.
    details : mapping of str to str
        What fills its braces.
    pairs : tuple of (str, str, float)
        Constructs that are hardly told apart, with their HTMT; only for "alike".
    """

    code: str
    details: Mapping[str, str] = field(default_factory=dict)
    pairs: tuple[tuple[str, str, float], ...] = ()

    def __str__(self) -> str:
        """Return the advice in English."""
        alike = ", ".join(f"{one} and {other} ({value:.2f})" for one, other, value in self.pairs)
        return ADVICE[self.code].format(**self.details, pairs=alike)


@dataclass(frozen=True, repr=False)
class MethodComparison:
    """One model by three methods.

    Attributes
    ----------
    cb : Fit or None
        Covariance-based fit; None where there is none.
    cb_reason : str
        Why there is none, or why it is not certified; "" otherwise.
    plain, consistent : Pls
        PLS and PLSc.
    paths : DataFrame
        One row per path: cause, outcome; cb (standardised), plsc, pls, sums (regression of sums of standardised items);
        misfit = plsc - cb, attenuation = pls - plsc, weighting = pls - sums; reason, the larger of the first
        two in words, where both solutions are proper.
    correlations : DataFrame
        One row per pair of constructs: first, second, cb (of the model), plsc, pls, factor = sqrt(rho rho), by which
        pls = plsc x factor.
    advice : tuple of Advice
        Which to report, and what to do first.
    """

    cb: Fit | None = field(repr=False)
    cb_reason: str
    plain: Pls = field(repr=False)
    consistent: Pls = field(repr=False)
    paths: pd.DataFrame = field(repr=False)
    correlations: pd.DataFrame = field(repr=False)
    advice: tuple[Advice, ...]

    def tables(self) -> tuple[Table, ...]:
        """Return paths and correlations as Tables; what cannot be reported is marked in the head of its column."""
        marked = {
            "cb": "CB-SEM" + ("" if self.cb is not None and not self.cb_reason else " (not certified)"),
            "plsc": "PLSc" + ("" if self.consistent.admissible else " (not admissible)"),
            "pls": "PLS" + ("" if self.plain.admissible else " (not admissible)"),
            "sums": "Sums of items",
            "factor": "√(ρρ)",
        }
        note = f"N = {self.plain.n}. {' '.join(map(str, self.advice))}"
        return (
            Table.from_frame(self.paths, id="methods-paths", caption="Paths by three methods", heads=marked, note=note),
            Table.from_frame(
                self.correlations,
                id="methods-correlations",
                caption="Correlations of constructs by three methods",
                heads=marked,
                note="PLS = PLSc × √(ρρ): composites contain the errors of their items.",
            ),
        )

    def __str__(self) -> str:
        """Return the advice, then both tables."""
        return "\n\n".join(["\n".join(map(str, self.advice)), *(table.to_text() for table in self.tables())])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return "\n".join(table.to_html() for table in self.tables())


def compare_methods(
    model: str | Path | ModelText | ModelFile,
    data: pd.DataFrame | Mapping[str, Any] | None = None,
    *,
    scheme: str = "path",
    estimator: str | None = None,
    sample_cov: Any = None,
    sample_nobs: Any = None,
) -> MethodComparison:
    """Estimate a model by covariance-based SEM, PLS and PLSc, and say why they differ.

    Parameters
    ----------
    model : str, Path, ModelText or ModelFile
        Constructs of items, and paths between them.
    data : DataFrame or mapping, optional
        Answers; rows with a missing answer are left out. Either `data` or `sample_cov`.
    scheme : str, default "path"
        Weighting of PLS.
    estimator : str, optional
        Of the covariance-based fit; maximum likelihood by default.
    sample_cov, sample_nobs
        Covariance or correlation matrix, and the respondents behind it.

    Returns
    -------
    MethodComparison

    Raises
    ------
    NotSupported
        Second-order constructs or products of constructs.
    SemLoyaltyError
        PLS cannot be estimated; a covariance-based fit that cannot be had is reported in `cb_reason` instead.

    Notes
    -----
    The chain from one method to the other: sums of items differ from PLS by their weights. PLS differs from PLSc by
    attenuation: correlations of composites are those of factors times sqrt(rho_i rho_j). PLSc differs from
    covariance-based SEM by misfit and by chance: where the model is true both estimate the same (Dijkstra and Henseler
    2015), PLSc construct by construct, maximum likelihood all at once.

    References
    ----------
    Dijkstra, T. K. and Henseler, J. (2015). Consistent partial least squares path modeling. MIS Quarterly, 39, 297-316.
    doi:10.25300/MISQ/2015/39.2.02
    """
    text = text_of(model)
    arguments: dict[str, Any] = {"sample_cov": sample_cov, "sample_nobs": sample_nobs}
    plain = pls(text, data, scheme=scheme, **arguments)
    if plain.model.first is not None:
        raise NotSupported("compare_methods takes constructs of items, without second order and products.")
    consistent = pls(text, data, scheme=scheme, consistent=True, **arguments)
    cb, reason = _covariance_based(text, data, estimator, arguments)
    proper = not reason and consistent.admissible
    correlations = _correlations(cb, plain, consistent)
    return MethodComparison(
        cb=cb,
        cb_reason=reason,
        plain=plain,
        consistent=consistent,
        paths=_paths(cb, plain, consistent, proper=proper),
        correlations=correlations,
        advice=_advice(cb, reason, plain, consistent),
    )


def _covariance_based(
    text: ModelText, data: Any, estimator: str | None, arguments: dict[str, Any]
) -> tuple[Fit | None, str]:
    """Return the covariance-based fit, or None, and why it is not there or not certified."""
    try:
        with warnings.catch_warnings():
            # What the warning says is in the certificate, which the comparison reports.
            warnings.simplefilter("ignore", ImproperSolutionWarning)
            found = fit_cb(text, data, estimator=estimator, engine="kernel", **arguments)
    except SemLoyaltyError as error:
        return None, str(error)
    return found, " ".join(problem.text for problem in found.certificate.problems)


def _paths(cb: Fit | None, plain: Pls, consistent: Pls, *, proper: bool) -> pd.DataFrame:
    frame = plain.path_coefficients().rename(columns={"est": "pls"})
    frame["plsc"] = consistent.path_coefficients()["est"]
    frame["sums"] = _of_sums(plain)
    frame["cb"] = np.nan
    if cb is not None:
        rows = estimates(cb)
        own = rows[rows["op"] == "~"].set_index(["rhs", "lhs"])["std_all"]
        frame["cb"] = [own.get((c, o), np.nan) for c, o in zip(frame["cause"], frame["outcome"], strict=True)]
    frame["misfit"] = frame["plsc"] - frame["cb"]
    frame["attenuation"] = frame["pls"] - frame["plsc"]
    frame["weighting"] = frame["pls"] - frame["sums"]
    # Differences from a solution that is none have no meaning.
    said = [_reason(m, a) for m, a in zip(frame["misfit"], frame["attenuation"], strict=True)]
    frame["reason"] = said if proper else "no proper solution"
    order = ["cause", "outcome", "cb", "plsc", "pls", "sums", "misfit", "attenuation", "weighting", "reason"]
    return frame[order]


def _of_sums(plain: Pls) -> Array:
    """Return the paths between sums of standardised items, each with the sign of its weight."""
    weights = np.sign(plain.weight_matrix())
    cov = weights.T @ plain.correlation @ weights
    sd = np.sqrt(np.diagonal(cov))
    design = plain.model.design
    slopes, _ = regress(design, (cov / np.outer(sd, sd))[:, :, None])
    return np.asarray(slopes[design.path][:, 0])


def _reason(misfit: float, attenuation: float) -> str:
    """Return what most of the difference between PLS and the covariance-based path comes from."""
    if max(abs(misfit), abs(attenuation)) < 0.05:
        return "they agree"
    return "misfit" if abs(misfit) > abs(attenuation) else "attenuation"


def _correlations(cb: Fit | None, plain: Pls, consistent: Pls) -> pd.DataFrame:
    names = plain.model.constructs
    implied: dict[tuple[str, str], float] = {}
    if cb is not None:
        measured = measurement_model(cb)
        for a, one in enumerate(measured.constructs):
            for b, other in enumerate(measured.constructs):
                implied[one, other] = float(measured.cor_latent[a, b])
    root = np.sqrt(np.where(plain.rho_a > 0, plain.rho_a, np.nan))
    records = []
    for j, i in combinations(range(len(names)), 2):
        one, other = names[j], names[i]
        values = (implied.get((one, other), float("nan")), consistent.cor[i, j], plain.cor[i, j], root[i] * root[j])
        records.append((one, other, *values))
    return pd.DataFrame(records, columns=["first", "second", "cb", "plsc", "pls", "factor"])


def _advice(cb: Fit | None, reason: str, plain: Pls, consistent: Pls) -> tuple[Advice, ...]:
    """Return which method to report and what to do first."""
    out = []
    if plain.model.design.mode_b.any():
        formed = [name for name, flag in zip(plain.model.constructs, plain.model.design.mode_b, strict=True) if flag]
        out.append(Advice("formed", {"names": ", ".join(formed)}))
    if cb is not None and not reason:
        measures = fit_measures(cb)
        misfits = [
            f"{name.upper()} {measures[name]:.3f}"
            for name, rule in (("rmsea", RMSEA_RULE), ("srmr", SRMR_RULE))
            if measures[name] > rule
        ]
        out.append(Advice("misfit", {"measures": ", ".join(misfits)}) if misfits else Advice("report_cb"))
    else:
        out.append(Advice("no_cb" if cb is None else "uncertified_cb", {"reason": reason}))
        if consistent.admissible:
            out.append(Advice("report_plsc"))
        elif plain.admissible:
            out.append(Advice("report_pls", {"problems": " ".join(consistent.problems)}))
        else:
            out.append(Advice("report_none"))
    htmt = pls_quality(plain).htmt
    lower = np.tril(htmt.to_numpy(), -1)
    alike = [(str(htmt.columns[j]), str(htmt.index[i]), float(lower[i, j])) for i, j in np.argwhere(lower >= HTMT_RULE)]
    return (*out, Advice("alike", pairs=tuple(alike))) if alike else tuple(out)
