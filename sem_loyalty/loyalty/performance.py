"""Importance-performance map: what matters for an outcome, against how good it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from sem_loyalty.display import Column, Table
from sem_loyalty.errors import ConfigurationError, DataError, nearest
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.bootstrap import Bootstrap
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.loyalty.draws import Structures, check_certified, percentile, structures
from sem_loyalty.loyalty.scores import limits
from sem_loyalty.loyalty.shown import MARK, Shown, check_level, percent
from sem_loyalty.measurement.constructs import group_number, measurement_model

Array = NDArray[np.float64]

ADVICE = {
    (True, False): "improve first",
    (True, True): "keep up",
    (False, False): "low priority",
    (False, True): "possible overkill",
}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class PerformanceMap(Shown):
    """Importance and performance of the antecedents of an outcome.

    Attributes
    ----------
    constructs : DataFrame
        Index "construct", the most important first; columns importance (total effect in points of the outcome's
        performance for one point of the construct's), importance_lower, importance_upper, effect (unstandardised total
        effect in the model's units), effect_std (standardised), performance (0 to 100), performance_lower,
        performance_upper, advice (by the means of importance and performance).
    outcome : str
    outcome_performance : float
        Performance of the outcome itself, 0 to 100.
    n, draws : int
        Respondents, and bootstrap draws behind the intervals of importance (0: none).
    level : float
        Coverage.
    certified : bool
        Whether the fit is certified.
    """

    constructs: pd.DataFrame
    outcome: str
    outcome_performance: float
    n: int
    draws: int
    level: float
    certified: bool

    def __post_init__(self) -> None:
        self._mark_frames("constructs")

    def warning(self) -> str:
        """Return the mark of a fit without certificate, or ""."""
        return "" if self.certified else MARK

    def to_frame(self) -> pd.DataFrame:
        """Return `constructs`."""
        return self.constructs.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the map as a table."""
        rows: list[dict[str, object]] = []
        for name, row in self.constructs.iterrows():
            kept: dict[str, object] = {key: row[key] for key in ("importance", "effect", "effect_std", "performance")}
            kept |= {"construct": name, "advice": row["advice"]}
            kept["performance_ci"] = (row["performance_lower"], row["performance_upper"])
            if self.draws:
                kept["importance_ci"] = (row["importance_lower"], row["importance_upper"])
            rows.append(kept)
        interval = f"{percent(self.level)} CI"
        columns = [Column("construct", "Construct"), Column("importance", "Importance", "number")]
        columns += [Column("importance_ci", interval, "interval")] if self.draws else []
        columns += [
            Column("effect", "B", "number"),
            Column("effect_std", "β", "number"),
            Column("performance", "Performance", "number", 1),
            Column("performance_ci", interval, "interval", 1),
            Column("advice", "Reading"),
        ]
        note = (
            f"Importance: total effect on {self.outcome} (performance {self.outcome_performance:.1f}) with both on "
            f"0 to 100; B, β: the same effect in the model's units and standardised. N = {self.n}. Reading: against "
            "the means of both columns; it ranks constructs within this model only."
        )
        title = f"Importance and performance for {self.outcome}"
        return self._warned(Table("importance-performance", title, tuple(columns), tuple(rows), note))


def importance_performance(
    fit: Fit,
    outcome: str,
    *,
    scale: tuple[float, float] | Mapping[str, tuple[float, float]],
    constructs: Sequence[str] | None = None,
    bootstrap: Bootstrap | None = None,
    group: int | str = 1,
    level: float = 0.95,
    force: bool = False,
) -> PerformanceMap:
    """Return the importance-performance map of an outcome.

    Performance is the mean of a construct's items on 0 to 100, weighted by how well each measures it (regression
    weights of its own items, scaled to sum to one). Importance is the total effect of the construct on the outcome,
    both on that scale: points of the outcome for one point of the construct. The interval of a performance is normal;
    with missing='fiml' it counts only those who answered all items of the construct, which errs on the wide side.

    Parameters
    ----------
    fit : Fit
        Fitted to answers, so that means are known.
    outcome : str
        Construct to be explained.
    scale : (float, float), or mapping of item to (float, float)
        Lowest and highest possible answer.
    constructs : sequence of str, optional
        Those to show; by default all with a total effect on the outcome.
    bootstrap : Bootstrap, optional
        Draws of the fit, for percentile intervals of importance.
    group : int or str, default 1
        Group of a multi-group fit.
    level : float, default 0.95
        Coverage of the intervals.
    force : bool, default False
        Go on with a fit that is not certified; the result is marked.

    Returns
    -------
    PerformanceMap

    Raises
    ------
    ConfigurationError
        The fit is not certified; a construct that is not in the model or has no effect on the outcome; a scale that is
        none.
    DataError
        Means are unknown, answers outside the scale, or items that run against their construct.

    References
    ----------
    Ringle, C. M., & Sarstedt, M. (2016). Gain more insight from your PLS-SEM results: The importance-performance map
    analysis. Industrial Management & Data Systems, 116, 1865-1886. doi:10.1108/IMDS-10-2015-0449
    """
    check_level(level)
    check_certified(fit, "importance and performance", force)
    number = group_number(tuple(entry.label for entry in fit.moments.groups), group)
    model = measurement_model(fit, number)
    if outcome not in model.constructs:
        raise ConfigurationError(f"{outcome!r} is not a construct with items. {nearest(outcome, model.constructs)}")
    entry = fit.moments.groups[number - 1]
    if entry.mean is None:
        raise DataError("Performance needs means: fit the model to answers, or give sample_mean.")
    with one_thread():
        found = structures(fit, bootstrap, number)
    causes = _causes(found, model.constructs, outcome, constructs)
    low, high = limits(model.items, scale)
    means = entry.mean[[fit.moments.names.index(item) for item in model.items]]
    outside = [item for item, m, a, b in zip(model.items, means, low, high, strict=True) if not a <= m <= b]
    if outside:
        raise DataError(f"The mean of {', '.join(outside)} lies outside its scale; correct `scale`.")
    performance, spread, weights = {}, {}, {}
    z = float(ndtri(0.5 + level / 2.0))
    for name in (*causes, outcome):
        below = model.below(model.constructs.index(name))
        own = tuple(model.items[i] for i in below)
        weights[name] = (own, _weights(found, own, name))
        width = high[below] - low[below]
        w = 100.0 * weights[name][1] / width
        performance[name] = float(w @ (means[below] - low[below]))
        answered = _answered(fit, own, number)
        spread[name] = z * float(np.sqrt(w @ model.cov[np.ix_(below, below)] @ w / (answered - 1)))
    ranges = dict(zip(model.items, (high - low).tolist(), strict=True))
    unit = {name: _unit(found, *weights[name], name, ranges) for name in (*causes, outcome)}
    at, to = found.at(causes), found.at((outcome,))[0]
    effect = found.effects[:, to, at]
    scaled = effect * unit[outcome][:, None] / np.column_stack([unit[name] for name in causes])
    sd = np.sqrt(np.diagonal(found.cov, axis1=1, axis2=2))
    standardised = effect * sd[:, at] / sd[:, [to]]
    lower, upper = percentile(scaled[1:], level)
    reached = np.array([performance[name] for name in causes])
    half = np.array([spread[name] for name in causes])
    frame = pd.DataFrame(
        {
            "importance": scaled[0],
            "importance_lower": lower,
            "importance_upper": upper,
            "effect": effect[0],
            "effect_std": standardised[0],
            "performance": reached,
            "performance_lower": np.maximum(reached - half, 0.0),
            "performance_upper": np.minimum(reached + half, 100.0),
        },
        index=pd.Index(causes, name="construct"),
    )
    matters = frame["importance"] >= frame["importance"].mean()
    good = frame["performance"] >= frame["performance"].mean()
    frame["advice"] = [ADVICE[bool(a), bool(b)] for a, b in zip(matters, good, strict=True)]
    return PerformanceMap(
        constructs=frame.sort_values("importance", ascending=False, kind="stable"),
        outcome=outcome,
        outcome_performance=performance[outcome],
        n=entry.n,
        draws=found.draws,
        level=level,
        certified=fit.certificate.certified,
    )


def _answered(fit: Fit, items: tuple[str, ...], number: int) -> int:
    """Return how many respondents answered all items; n for moments without answers."""
    if fit.moments.raw is None:
        return fit.moments.groups[number - 1].n
    raw = fit.moments.raw[number - 1][:, [fit.moments.names.index(item) for item in items]]
    return max(2, int((~np.isnan(raw).any(axis=1)).sum()))


def _causes(
    found: Structures, constructs: tuple[str, ...], outcome: str, given: Sequence[str] | None
) -> tuple[str, ...]:
    """Return the constructs with a total effect on the outcome, or the given ones, checked."""
    to = found.at((outcome,))[0]
    causes = tuple(
        name for name in constructs if name != outcome and found.effects[0, to, found.names.index(name)] != 0.0
    )
    if not causes:
        raise ConfigurationError(f"No construct of the model has an effect on {outcome!r}.")
    wrong = [name for name in given or () if name not in causes]
    if wrong:
        raise ConfigurationError(
            f"{', '.join(wrong)}: no construct with an effect on {outcome!r}; these have one: {', '.join(causes)}."
        )
    return causes if given is None else tuple(given)


def _weights(found: Structures, items: tuple[str, ...], construct: str) -> Array:
    """Return the regression weights of a construct's items in the model, scaled to sum to one, shape (k,)."""
    at, of = found.at(items), found.names.index(construct)
    raw = np.linalg.solve(found.cov[0][np.ix_(at, at)], found.cov[0][at, of])
    if raw.sum() < 0:  # the sign of a construct is a convention
        raw = -raw
    negative = [item for item, weight in zip(items, raw, strict=True) if weight < 0]
    if negative:
        raise DataError(
            f"{construct}: {', '.join(negative)} would count negatively in its performance. Reverse an item that is "
            "worded against the construct."
        )
    return np.asarray(raw / raw.sum())


def _unit(
    found: Structures, items: tuple[str, ...], weights: Array, construct: str, ranges: Mapping[str, float]
) -> Array:
    """Return by how many points of performance a construct's unit moves it, over fit and draws, shape (1 + draws,)."""
    at, of = found.at(items), found.names.index(construct)
    slopes = found.cov[:, at, of] / found.cov[:, [of], [of]]
    return np.asarray(slopes @ (100.0 * weights / np.array([ranges[item] for item in items])))
