"""Scores of respondents on the latent variables, with how reliable such scores are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.errors import DataError, NotSupported, check_choice
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.marking import mark
from sem_loyalty.kernel.ram import Implied
from sem_loyalty.survey.answers import numeric_matrix

Array = NDArray[np.float64]

METHODS = ("regression", "bartlett")
# Condition number from which the answers of a respondent do not tell two latent variables apart.
UNTOLD = 1e12


@dataclass(frozen=True)
class FactorScores:
    """Scores and their quality.

    Attributes
    ----------
    scores : DataFrame
        One row per respondent, with the index of the data; one column per latent variable. nan where an item of the
        model is missing, or, where the fit kept missing answers, where no answer tells of the latent variable.
    reliability : DataFrame
        By group and latent variable: the squared correlation of score and latent variable.
    method : str
        "regression" or "bartlett".
    certified : bool
        Whether the fit behind the scores is certified.
    """

    scores: pd.DataFrame
    reliability: pd.DataFrame
    method: str
    certified: bool

    def __repr__(self) -> str:
        """Return what print shows: a prompt must not hide the mark."""
        return str(self)

    def __str__(self) -> str:
        """Return the method, the reliability and the first scores."""
        head = "" if self.certified else "NOT CERTIFIED: do not use these scores.\n"
        return f"{head}Factor scores ({self.method})\n{self.reliability.to_string(index=False)}\n{self.scores.head()}"

    def _repr_html_(self) -> str:
        head = "" if self.certified else '<p style="color:#b00020"><b>NOT CERTIFIED: do not use these scores.</b></p>'
        return f"{head}{self.reliability.to_html(index=False)}{self.scores.to_html(max_rows=10)}"


def factor_scores(
    fit: Fit, data: pd.DataFrame | Mapping[str, Any], *, method: str = "regression", group: str | None = None
) -> FactorScores:
    """Score respondents on the latent variables of a fitted model.

    Parameters
    ----------
    fit : Fit
    data : DataFrame or mapping
        Answers to the items of the model, in their original units; need not be the data of the fit.
    method : {"regression", "bartlett"}, default "regression"
        Regression scores have the smallest error; Bartlett's are unbiased given the latent variable.
    group : str, optional
        Column that holds the group, for a multi-group model; its values are those of the fit.

    Returns
    -------
    FactorScores

    Raises
    ------
    DataError
        An item is not in the data, or a row belongs to no group of the fit.
    NotSupported
        A model without latent variables, or of ordinal items; Bartlett scores where observed variables explain others.

    Notes
    -----
    Regression: E(eta) + Cov(eta, y) Sigma^-1 (y - mu) (Thurstone 1935). Bartlett: (L' Theta^-1 L)^-1 L' Theta^-1
    (y - mu) about E(eta), L the loadings (Bartlett 1937, doi:10.1111/j.2044-8295.1937.tb00863.x). Without a mean
    structure, mu are the sample means and E(eta) is zero. Reliability of regression scores is the share of
    Var(eta) that they explain; that of Bartlett scores Var(eta) / (Var(eta) + error variance). After a fit with
    missing="fiml", respondents with missing answers are scored by the answers they gave; the reliability is that of
    complete answers.
    """
    check_choice("method", method, METHODS)
    latent, observed = list(fit.specification.latent), list(fit.specification.observed)
    if not latent:
        raise NotSupported("The model has no latent variables to score.")
    if fit.specification.ordered:
        # Weights for the responses behind the answers must not be applied to the answers themselves.
        raise NotSupported(
            "Scores from a model of ordinal items are not available; available: those of the same model fitted with an "
            "estimator for continuous items, such as 'MLR'."
        )
    frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(dict(data))
    answers = numeric_matrix(frame, observed)
    member = _membership(fit, frame, group)
    scores = np.full((len(answers), len(latent)), np.nan)
    records = []
    for number, (at, sample) in enumerate(zip(fit.point.implied, fit.moments.groups, strict=True)):
        weights, reliability = score_weights(at, len(observed), method)
        if fit.specification.meanstructure:
            centre, level = at.mean, at.means[len(observed) :]
        else:
            order = [fit.moments.names.index(name) for name in observed]
            centre = sample.mean[order] if sample.mean is not None else np.zeros(len(observed))
            level = np.zeros(len(latent))
        rows = np.flatnonzero(member == number)
        scores[rows] = level + (answers[rows] - centre) @ weights.T
        if fit.moments.missing == "fiml":
            _score_incomplete(scores, rows, answers - centre, level, at, method)
        records += [(sample.label, name, value) for name, value in zip(latent, reliability, strict=True)]
    frame_of = pd.DataFrame(records, columns=["group", "latent", "reliability"])
    return FactorScores(
        scores=mark(pd.DataFrame(scores, index=frame.index, columns=latent), fit),
        reliability=mark(frame_of if len(fit.moments.groups) > 1 else frame_of.drop(columns="group"), fit),
        method=method,
        certified=fit.certificate.certified,
    )


def _membership(fit: Fit, frame: pd.DataFrame, group: str | None) -> NDArray[np.intp]:
    """Return the group number of every row, from 0."""
    labels = [entry.label for entry in fit.moments.groups]
    if len(labels) == 1:
        return np.zeros(len(frame), dtype=np.intp)
    if group is None or group not in frame:
        raise DataError(f"The model has groups {', '.join(labels)}; name the column that holds them with `group`.")
    values = [str(value) for value in frame[group]]
    unknown = sorted({value for value in values if value not in labels})
    if unknown:
        raise DataError(f"Column {group!r} holds {', '.join(unknown)}; the groups of the fit are {', '.join(labels)}.")
    return np.array([labels.index(value) for value in values], dtype=np.intp)


def _score_incomplete(
    scores: Array, rows: NDArray[np.intp], deviations: Array, level: Array, at: Implied, method: str
) -> None:
    """Score the rows of one group that have some answers and not all, in place, by pattern of what is missing."""
    p = deviations.shape[1]
    seen = ~np.isnan(deviations[rows])
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        if pattern.all() or not pattern.any():
            continue
        own = rows[which.reshape(-1) == number]
        there = deviations[np.ix_(own, np.flatnonzero(pattern))]
        if method == "regression":
            across = at.total[p:, :p][:, pattern]
            weights = np.linalg.solve(at.cov[np.ix_(pattern, pattern)], across.T).T
            scores[own] = level + there @ weights.T
            continue
        # A latent variable without an answered item has no Bartlett score; the others do not depend on it.
        loadings = at.directed[:p, p:][pattern]
        told = np.abs(loadings).sum(axis=0) > 0
        loadings = loadings[:, told]
        precise = np.linalg.solve(at.residual[:p, :p][np.ix_(pattern, pattern)], loadings)
        information = loadings.T @ precise
        found = np.full((len(own), len(level)), np.nan)
        if np.linalg.cond(information) < UNTOLD:
            found[:, told] = level[told] + there @ np.linalg.solve(information, precise.T).T
        scores[own] = found


def score_weights(at: Implied, p: int, method: str) -> tuple[Array, Array]:
    """Return the weights of the items, shape (latent, p), and the reliability of each score.

    Parameters
    ----------
    at : Implied
        Implied moments of a group.
    p : int
        Number of observed variables.
    method : {"regression", "bartlett"}

    Raises
    ------
    NotSupported
        Bartlett scores where observed variables explain others, or a residual matrix cannot be inverted.
    """
    variance = np.diagonal(at.total)[p:]
    if method == "regression":
        across = at.total[p:, :p]
        weights = np.linalg.solve(at.cov, across.T).T
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(weights), np.asarray(np.einsum("ij,ij->i", weights, across) / variance)
    if at.directed[:, :p].any() or at.residual[:p, p:].any():
        raise NotSupported(
            "Bartlett scores need a pure measurement model: no effect of an observed variable, and no "
            "covariance of an item's residual with a latent variable. Use method='regression'."
        )
    loadings = at.directed[:p, p:]
    measured = np.abs(loadings).sum(axis=0) > 0
    if not measured.all() or np.linalg.cond(at.residual[:p, :p]) > 1e12:
        raise NotSupported(
            "Bartlett scores need items for every latent variable, and residual variances above zero. "
            "Use method='regression'."
        )
    precise = np.linalg.solve(at.residual[:p, :p], loadings)
    error = np.asarray(np.linalg.inv(loadings.T @ precise), dtype=np.float64)
    return np.asarray(error @ precise.T), np.asarray(variance / (variance + np.diagonal(error)))
