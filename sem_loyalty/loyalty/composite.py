"""Composite evaluation of loyalty: shares of spending (objective) and weighted attributes (subjective)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Column, Table
from sem_loyalty.errors import ConfigurationError, DataError, check_choice
from sem_loyalty.loyalty.shown import Shown, check_shares
from sem_loyalty.survey.answers import numeric_matrix

Array = NDArray[np.float64]
RULES = {
    "kaiser": "components with eigenvalue above 1, each attribute's coefficients averaged by explained variance",
    "first": "coefficients of the first principal component",
    "given": "as given",
}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class CompositeLoyalty(Shown):
    """Objective, subjective and composite loyalty of every respondent, each on 0 to 1.

    Attributes
    ----------
    scores : DataFrame
        Index of the data; columns objective, subjective, loyalty; NaN where an answer is missing or nothing was spent.
    weights : DataFrame
        Index "part" ("objective", "subjective") and "indicator"; column weight, summing to one in each part.
    components : DataFrame
        Principal components behind the attribute weights: eigenvalue, share of variance, used; empty where the weights
        were given.
    x : float
        Weight of the subjective part.
    rule : str
        How the attribute weights were found.
    """

    scores: pd.DataFrame
    weights: pd.DataFrame
    components: pd.DataFrame
    x: float
    rule: str

    def to_frame(self) -> pd.DataFrame:
        """Return `scores`."""
        return self.scores.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the distribution of the scores, and the weights."""
        rows: list[dict[str, object]] = []
        for name in ("objective", "subjective", "loyalty"):
            values = self.scores[name].dropna()
            spread = {"sd": float(values.std()), "min": float(values.min()), "max": float(values.max())}
            rows.append({"part": name, "n": len(values), "mean": float(values.mean()), **spread})
        columns = (
            Column("part", "Part"),
            Column("n", "n", "int"),
            Column("mean", "M", "number", 3),
            Column("sd", "SD", "number", 3),
            Column("min", "Min", "number", 3),
            Column("max", "Max", "number", 3),
        )
        note = f"Loyalty = {self.x:g} · subjective + {1 - self.x:g} · objective, each from 0 to 1."
        first = Table("composite-loyalty", "Composite evaluation of loyalty", columns, tuple(rows), note)
        second = Table.from_frame(
            self.weights,
            id="composite-weights",
            caption="Weights of the composite evaluation",
            note=f"Attribute weights: {RULES[self.rule]}, scaled to sum to one.",
        )
        return first, second


def composite_loyalty(
    data: pd.DataFrame,
    *,
    attributes: Sequence[str] | Mapping[str, float],
    maximum: float | Mapping[str, float],
    own: Mapping[str, str],
    total: Mapping[str, str],
    weights: Mapping[str, float],
    x: float = 0.5,
    rule: str = "kaiser",
) -> CompositeLoyalty:
    """Evaluate loyalty by spending and by attributes, and join the two.

    Objective: I = Σ Sᵢ · (Sᵢ₁/Sᵢ₀), the company's share of the customer's spending on each indicator i, weighted by
    Sᵢ with Σ Sᵢ = 1. Subjective: M = Σ Cⱼ · Dⱼ, with Dⱼ = Xⱼ/Xmax and weights Cⱼ from principal components.
    Loyalty = x · M + (1 − x) · I.

    Parameters
    ----------
    data : DataFrame
        One row per respondent.
    attributes : sequence of str, or mapping of str to float
        Columns of attribute ratings Xⱼ, none below zero; a mapping gives their weights Cⱼ, which sum to one.
    maximum : float or mapping of str to float
        Xmax, the highest possible rating.
    own, total : mapping of indicator to column
        Spending at this company (Sᵢ₁) and altogether (Sᵢ₀), for the same indicators.
    weights : mapping of indicator to float
        Sᵢ, summing to one.
    x : float, default 0.5
        Weight of the subjective part, 0 to 1.
    rule : {"kaiser", "first"}, default "kaiser"
        Attribute weights from the correlation matrix: for each component with eigenvalue above 1 ("kaiser"), or the
        first alone ("first"), the attribute's coefficients (unit-length eigenvector, turned so that their sum is
        positive) are averaged with the components' variances as weights, and scaled to sum to one.

    Returns
    -------
    CompositeLoyalty

    Raises
    ------
    ConfigurationError
        Weights that do not sum to one, x outside 0 to 1, or indicators that differ between the mappings.
    DataError
        Negative spending or ratings, more spent here than altogether, ratings above the maximum, or an attribute whose
        weight comes out negative.

    References
    ----------
    Jolliffe, I. T. (2002). Principal component analysis (2nd ed.). Springer. doi:10.1007/b98835
    """
    if not 0.0 <= x <= 1.0:
        raise ConfigurationError(f"x={x!r} must be the weight of the subjective part, from 0 to 1.")
    check_choice("rule", rule, ("kaiser", "first"))
    indicators = list(weights)
    for name, mapping in (("own", own), ("total", total)):
        if set(mapping) != set(indicators):
            raise ConfigurationError(f"{name} has the indicators {sorted(mapping)}, weights has {sorted(indicators)}.")
    shares = {name: float(value) for name, value in weights.items()}
    check_shares("weights", shares)
    objective = _objective(data, indicators, own, total) @ np.array([shares[name] for name in indicators])
    names = list(attributes)
    rated = _rated(data, names, maximum)
    if isinstance(attributes, Mapping):
        chosen, components, rule = {k: float(v) for k, v in attributes.items()}, pd.DataFrame(), "given"
        check_shares("attributes", chosen)
        c = np.array([chosen[name] for name in names])
    else:
        complete = rated[~np.isnan(rated).any(axis=1)]
        if len(complete) <= len(names):
            raise DataError(f"{len(complete)} complete ratings of {len(names)} attributes: too few for components.")
        c, components = component_weights(_correlations(complete, names), rule)
        negative = [name for name, weight in zip(names, c, strict=True) if weight < 0]
        if negative:
            raise DataError(
                f"Attributes with a negative weight: {', '.join(negative)}. They run against the others: reverse them "
                "if they are worded so, leave them out, or give the weights yourself."
            )
    subjective = rated @ c
    frame = pd.DataFrame(
        {"objective": objective, "subjective": subjective, "loyalty": x * subjective + (1.0 - x) * objective},
        index=data.index,
    )
    index = [("objective", name) for name in indicators] + [("subjective", name) for name in names]
    table = pd.DataFrame(
        {"weight": [*(shares[name] for name in indicators), *c.tolist()]},
        index=pd.MultiIndex.from_tuples(index, names=["part", "indicator"]),
    )
    return CompositeLoyalty(frame, table, components, x, rule)


def component_weights(R: Array, rule: str = "kaiser") -> tuple[Array, pd.DataFrame]:
    """Return attribute weights that sum to one, and the components behind them.

    Parameters
    ----------
    R : ndarray, shape (p, p)
        Correlation matrix of the attributes.
    rule : {"kaiser", "first"}
        As in `composite_loyalty`; where no eigenvalue is above 1, the first component is used.

    Returns
    -------
    weights : ndarray, shape (p,)
    components : DataFrame
        eigenvalue, share, used.
    """
    values, vectors = np.linalg.eigh(R)
    values, vectors = values[::-1], vectors[:, ::-1]
    vectors = vectors * np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)
    used = values > 1.0 + 1e-12 if rule == "kaiser" else np.zeros(len(values), dtype=bool)
    used[0] = True
    raw = vectors[:, used] @ (values[used] / values[used].sum())
    table = pd.DataFrame({"eigenvalue": values, "share": values / values.sum(), "used": used})
    return raw / raw.sum(), table.rename_axis("component")


def _correlations(ratings: Array, names: Sequence[str]) -> Array:
    flat = [name for name, spread in zip(names, np.ptp(ratings, axis=0), strict=True) if spread == 0]
    if flat:
        raise DataError(f"Attributes that everybody rates alike have no weight: {', '.join(flat)}. Leave them out.")
    return np.atleast_2d(np.corrcoef(ratings, rowvar=False))


def _objective(
    data: pd.DataFrame, indicators: Sequence[str], own: Mapping[str, str], total: Mapping[str, str]
) -> Array:
    """Return the shares Sᵢ₁/Sᵢ₀, shape (n, indicators); NaN where nothing was spent."""
    here = numeric_matrix(data, [own[name] for name in indicators], what="Column")
    all_told = numeric_matrix(data, [total[name] for name in indicators], what="Column")
    for position, name in enumerate(indicators):
        a, b = here[:, position], all_told[:, position]
        for bad, what in (
            (a < 0, "negative spending here"),
            (b < 0, "negative spending altogether"),
            (a > b * (1 + 1e-9), "more spent here than altogether"),
        ):
            if bad.any():
                row = int(np.flatnonzero(bad)[0])
                raise DataError(f"Indicator '{name}': {what} in {int(bad.sum())} rows, the first row {row + 1}.")
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(all_told > 0, here / all_told, np.nan)


def _rated(data: pd.DataFrame, names: Sequence[str], maximum: float | Mapping[str, float]) -> Array:
    """Return D = X/Xmax, shape (n, attributes)."""
    if isinstance(maximum, Mapping):
        absent = [name for name in names if name not in maximum]
        if absent:
            raise ConfigurationError(f"maximum has no entry for {', '.join(absent)}.")
        top = np.array([float(maximum[name]) for name in names])
    else:
        top = np.full(len(names), float(maximum))
    if not (top > 0).all():
        raise ConfigurationError(f"maximum={maximum!r} must be above zero.")
    ratings = numeric_matrix(data, names)
    for position, name in enumerate(names):
        column = ratings[:, position]
        wrong = column[(column < 0) | (column > top[position])]
        if wrong.size:
            raise DataError(
                f"'{name}': {wrong.size} ratings outside 0 to {top[position]:g}, the first {wrong[0]:g}. "
                "Correct the maximum, or set these ratings to missing."
            )
    return np.asarray(ratings / top)
