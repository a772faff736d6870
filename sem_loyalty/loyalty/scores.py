"""Scores of respondents on 0 to 100, from the factor scores of a fitted model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Column, Table
from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.factor_scores import factor_scores, score_weights
from sem_loyalty.loyalty.shown import MARK, Shown
from sem_loyalty.survey.answers import listing, numeric_matrix

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class LoyaltyScores(Shown):
    """Scores of respondents, 0 to 100.

    Attributes
    ----------
    scores : DataFrame
        One row per respondent, with the index of the data; one column per construct, 0 for the least favourable answers
        that the scale allows and 100 for the most favourable. NaN where an item is missing.
    reliability : DataFrame
        By group and construct: squared correlation of score and construct.
    method : str
        "regression" or "bartlett".
    certified : bool
        Whether the fit behind the scores is certified.
    """

    scores: pd.DataFrame
    reliability: pd.DataFrame
    method: str
    certified: bool

    def __post_init__(self) -> None:
        self._mark_frames("scores", "reliability")

    def warning(self) -> str:
        """Return the mark of a fit without certificate, or ""."""
        return "" if self.certified else MARK

    def to_frame(self) -> pd.DataFrame:
        """Return `scores`."""
        return self.scores.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the distribution of the scores with their reliability."""
        columns = (
            Column("construct", "Construct"),
            Column("n", "n", "int"),
            Column("mean", "M", "number", 1),
            Column("sd", "SD", "number", 1),
            Column("q25", "25%", "number", 1),
            Column("q50", "Median", "number", 1),
            Column("q75", "75%", "number", 1),
            Column("reliability", "Reliability", "number", 3, bounded=True),
        )
        reliability = self.reliability.groupby("latent", sort=False)["reliability"].min()
        rows: list[dict[str, object]] = []
        for name, values in self.scores.items():
            given = values.dropna()
            quartiles = given.quantile([0.25, 0.5, 0.75]).tolist() if len(given) else [math.nan] * 3
            rows.append(
                {
                    "construct": name,
                    "n": len(given),
                    "mean": float(given.mean()),
                    "sd": float(given.std()),
                    "q25": quartiles[0],
                    "q50": quartiles[1],
                    "q75": quartiles[2],
                    "reliability": float(reliability[str(name)]),
                }
            )
        several = "group" in self.reliability
        note = f"Factor scores ({self.method}) moved to 0 to 100 by the ends of the answer scale." + (
            " Reliability: the lowest over groups." if several else ""
        )
        return self._warned(Table("loyalty-scores", "Scores on 0 to 100", columns, tuple(rows), note))


def frame_of(scores: LoyaltyScores | pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """Return scores as a table, and whether the fit behind them is certified (True where they come as a table)."""
    return (scores.scores, scores.certified) if isinstance(scores, LoyaltyScores) else (scores, True)


def loyalty_scores(
    fit: Fit,
    data: pd.DataFrame | Mapping[str, Any],
    *,
    scale: tuple[float, float] | Mapping[str, tuple[float, float]],
    method: str = "regression",
    group: str | None = None,
) -> LoyaltyScores:
    """Score respondents on every construct of a fitted model, on 0 to 100.

    `factor_scores` gives the scores; each is moved linearly so that the least favourable pattern of answers that the
    scale allows is 0 and the most favourable is 100. Reliability does not change by that.

    Parameters
    ----------
    fit : Fit
    data : DataFrame or mapping
        Answers to the items of the model, in their original units.
    scale : (float, float), or mapping of item to (float, float)
        Lowest and highest possible answer.
    method : {"regression", "bartlett"}, default "regression"
        As in `factor_scores`.
    group : str, optional
        Column that holds the group, for a multi-group model.

    Returns
    -------
    LoyaltyScores
        Marked where the fit is not certified.

    Raises
    ------
    ConfigurationError
        A scale that is none, or that lacks an item.
    DataError, NotSupported
        As `factor_scores`; NotSupported also for a model in which observed variables that are no items explain others,
        since they have no scale.

    References
    ----------
    DiStefano, C., Zhu, M., & Mîndrilă, D. (2009). Understanding and using factor scores: Considerations for the applied
    researcher. Practical Assessment, Research, and Evaluation, 14(20).
    """
    frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(dict(data))
    found = factor_scores(fit, frame, method=method, group=group)
    observed = tuple(fit.specification.observed)
    indicators = {item for members in fit.specification.indicators.values() for item in members}
    others = [name for name in observed if name not in indicators]
    if others:
        raise NotSupported(
            f"{listing(others)}: observed variables that are no items have no answer scale. Score with the measurement "
            "model alone."
        )
    low, high = limits(observed, scale)
    answers = numeric_matrix(frame, observed)
    labels = [entry.label for entry in fit.moments.groups]
    values = np.full((len(frame), len(fit.specification.latent)), np.nan)
    for at, label in zip(fit.point.implied, labels, strict=True):
        rows = np.ones(len(frame), dtype=bool) if group is None or len(labels) == 1 else _in(frame[group], label)
        W, _ = score_weights(at, len(observed), method)
        least = np.where(W > 0, W * low, W * high).sum(axis=1)
        most = np.where(W > 0, W * high, W * low).sum(axis=1)
        values[rows] = 100.0 * (answers[rows] @ W.T - least) / (most - least)
    scores = pd.DataFrame(values, index=frame.index, columns=list(fit.specification.latent))
    return LoyaltyScores(scores, found.reliability, method, found.certified)


def _in(column: pd.Series, label: str) -> NDArray[np.bool_]:
    return np.array([str(value) == label for value in column])


def limits(items: Sequence[str], scale: tuple[float, float] | Mapping[str, tuple[float, float]]) -> tuple[Array, Array]:
    """Return the lowest and the highest possible answer to each item, shapes (p,).

    Raises
    ------
    ConfigurationError
        An item has no scale, or a scale has no width.
    """
    if isinstance(scale, Mapping):
        absent = [item for item in items if item not in scale]
        if absent:
            raise ConfigurationError(f"scale has no entry for {listing(absent)}.")
        ends = [scale[item] for item in items]
    else:
        ends = [scale] * len(items)
    low, high = (np.array([float(end[side]) for end in ends]) for side in (0, 1))
    if not (np.isfinite(low).all() and np.isfinite(high).all() and (low < high).all()):
        raise ConfigurationError(f"scale={scale!r} must hold the lowest and the highest possible answer.")
    return low, high
