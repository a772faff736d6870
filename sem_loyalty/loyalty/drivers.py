"""Key drivers: how much of the variance of a construct each antecedent accounts for, with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Column, Table
from sem_loyalty.errors import ConfigurationError, DataError, NotSupported, check_choice, nearest
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.bootstrap import Bootstrap
from sem_loyalty.kernel.resample import products, resample_moments, stream
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.loyalty.draws import check_certified, correlations, percentile, structures
from sem_loyalty.loyalty.importance import MOST, relative_weights, shapley, standardised_slopes
from sem_loyalty.loyalty.scores import LoyaltyScores, frame_of
from sem_loyalty.loyalty.shown import MARK, Shown, check_count, check_level, percent
from sem_loyalty.measurement.constructs import group_number
from sem_loyalty.survey.answers import numeric_matrix

Array = NDArray[np.float64]

METHODS = {
    "lmg": "LMG (Shapley, general dominance): rise of R² averaged over all orders of entry",
    "weights": "Johnson's relative weights: R² through the closest orthogonal variables",
}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Drivers(Shown):
    """Relative importance of antecedents.

    Attributes
    ----------
    importance : DataFrame
        Index "antecedent", the most important first; columns r (correlation with the outcome), beta (standardised, on
        all antecedents), importance (part of R²), share (of R²), share_lower, share_upper (percentile interval),
        p_strongest (share of draws in which it is the strongest) and rank.
    outcome : str
    method : str
        "lmg" or "weights".
    r2, r2_lower, r2_upper : float
        Explained variance of the outcome, by the antecedents together.
    n, draws : int
        Respondents, and draws behind the intervals (0: none).
    level : float
        Coverage.
    source : str
        Whose correlations: of constructs in the model, or of columns.
    certified : bool
        Whether the fit behind them is certified.
    """

    importance: pd.DataFrame
    outcome: str
    method: str
    r2: float
    r2_lower: float
    r2_upper: float
    n: int
    draws: int
    level: float
    source: str
    certified: bool

    def __post_init__(self) -> None:
        self._mark_frames("importance")

    def warning(self) -> str:
        """Return the mark of a fit without certificate, or ""."""
        return "" if self.certified else MARK

    def to_frame(self) -> pd.DataFrame:
        """Return `importance`."""
        return self.importance.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the antecedents, the most important first."""
        rows: list[dict[str, object]] = []
        for name, row in self.importance.iterrows():
            kept: dict[str, object] = {key: row[key] for key in ("r", "beta", "importance", "share")}
            kept |= {"antecedent": name, "rank": int(row["rank"])}
            if self.draws:
                kept |= {"interval": (row["share_lower"], row["share_upper"]), "p_strongest": row["p_strongest"]}
            rows.append(kept)
        columns = [
            Column("antecedent", "Antecedent"),
            Column("r", "r", "number", 3, bounded=True),
            Column("beta", "β", "number"),
            Column("importance", "Part of R²", "number", 3, bounded=True),
            Column("share", "Share", "number", 3, bounded=True),
        ]
        if self.draws:
            columns += [
                Column("interval", f"{percent(self.level)} CI of share", "interval", 3, bounded=True),
                Column("p_strongest", "P(strongest)", "number", 3, bounded=True),
            ]
        columns.append(Column("rank", "Rank", "int"))
        note = f"R² = {self.r2:.3f}, N = {self.n}, {self.source}. {METHODS[self.method]}."
        note += (
            f" Percentile intervals from {self.draws} bootstrap draws; P(strongest): share of draws in which the "
            "antecedent is the strongest."
            if self.draws
            else " No intervals: give `bootstrap`."
        )
        return self._warned(Table("drivers", f"Key drivers of {self.outcome}", tuple(columns), tuple(rows), note))


def drivers(
    source: Fit | LoyaltyScores | pd.DataFrame,
    outcome: str,
    antecedents: Sequence[str] | None = None,
    *,
    method: str = "lmg",
    bootstrap: Bootstrap | None = None,
    group: int | str = 1,
    draws: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    force: bool = False,
) -> Drivers:
    """Return how much of the variance of an outcome each antecedent accounts for.

    Antecedents that correlate share what they explain; the methods here divide R² among them so that the parts add
    up. The parts describe association: they are no effects, and a driver that acts through another one shares with it.

    Parameters
    ----------
    source : Fit, LoyaltyScores or DataFrame
        A fitted model, whose correlations of constructs are free of measurement error as far as the model is right;
        or scores, one row per respondent (rows with a missing value are left out).
    outcome : str
        Construct, observed variable of the model, or column.
    antecedents : sequence of str, optional
        Two to twelve of them; by default those with a direct path to the outcome, or for scores all other columns.
    method : {"lmg", "weights"}, default "lmg"
        LMG (the Shapley value of R², general dominance) or Johnson's relative weights.
    bootstrap : Bootstrap, optional
        Draws of the fit, ``sl.bootstrap(fit)``, for intervals. Scores are resampled here instead.
    group : int or str, default 1
        Group of a multi-group fit.
    draws, seed : int
        Resamples of scores, and their seed; 0 draws gives no intervals.
    level : float, default 0.95
        Coverage of the intervals.
    force : bool, default False
        Go on with a fit that is not certified; the result is marked.

    Returns
    -------
    Drivers

    Raises
    ------
    ConfigurationError
        The fit is not certified; a name that does not exist or stands twice; the bootstrap is of another fit.
    NotSupported
        More than twelve antecedents (2^p regressions), or a method that is not available.
    DataError
        Antecedents that determine each other.

    References
    ----------
    Grömping, U. (2007). Estimators of relative importance in linear regression based on variance decomposition. The
    American Statistician, 61, 139-147. doi:10.1198/000313007X188252
    Johnson, J. W. (2000). A heuristic method for estimating the relative weight of predictor variables in multiple
    regression. Multivariate Behavioral Research, 35, 1-19. doi:10.1207/S15327906MBR3501_1
    """
    check_choice("method", method, METHODS)
    check_level(level)
    check_count("draws", draws, 0)
    check_count("seed", seed, 0)
    if isinstance(source, Fit):
        check_certified(source, "drivers", force)
        number = group_number(tuple(entry.label for entry in source.moments.groups), group)
        names = _antecedents(source, outcome, antecedents)
        with one_thread():
            found = structures(source, bootstrap, number)
            at = found.at((*names, outcome))
            R = correlations(found.cov[:, at][:, :, at])
        entry = source.moments.groups[number - 1]
        n, certified = entry.n, source.certificate.certified
        where = "correlations of the constructs in the model" + (f", group {entry.label}" if entry.label else "")
    else:
        if bootstrap is not None:
            raise ConfigurationError("bootstrap goes with a fit; scores are resampled by `draws` and `seed`.")
        scores, certified = frame_of(source)
        if not certified and not force:
            raise ConfigurationError(
                "The scores come from a fit that is not certified, so drivers from them mean nothing. Repair the "
                "model, or set force=True; the result will be marked."
            )
        columns = [str(name) for name in scores.columns if str(name) != outcome]
        names = _checked(tuple(columns if antecedents is None else antecedents), outcome)
        R, n = _of_scores(scores, (*names, outcome), draws, seed)
        where = "correlations of the scores"
    with one_thread():
        return _drivers(R, names, outcome, method, level, n, where, certified)


def _checked(names: tuple[str, ...], outcome: str) -> tuple[str, ...]:
    if len(names) < 2 or len(set(names)) < len(names) or outcome in names:
        raise ConfigurationError(
            f"Give two antecedents or more, each once and none of them the outcome {outcome!r}; not {list(names)}."
        )
    if len(names) > MOST:
        raise NotSupported(f"{len(names)} antecedents are too many; at most {MOST}. Leave out those without a path.")
    return names


def _antecedents(fit: Fit, outcome: str, given: Sequence[str] | None) -> tuple[str, ...]:
    known = (*fit.specification.latent, *fit.specification.observed)
    for name in (outcome, *(given or ())):
        if name not in known:
            raise ConfigurationError(f"{name!r} is not in the model. {nearest(name, known)}".strip())
    rows = fit.specification.parameters
    causes = dict.fromkeys(row.rhs for row in rows if row.op == "~" and row.lhs == outcome)
    if given is None and len(causes) < 2:
        raise ConfigurationError(
            f"{outcome!r} has {len(causes)} direct causes in the model; name two antecedents or more."
        )
    return _checked(tuple(causes if given is None else given), outcome)


def _of_scores(data: pd.DataFrame, names: tuple[str, ...], draws: int, seed: int) -> tuple[Array, int]:
    """Return the correlation matrices of scores and of their resamples, and the number of complete rows."""
    values = numeric_matrix(data, names, what="Column")
    complete = values[~np.isnan(values).any(axis=1)]
    n = len(complete)
    if n <= len(names):
        raise DataError(f"{n} complete rows are too few for {len(names)} columns.")
    flat = [name for name, width in zip(names, np.ptp(complete, axis=0), strict=True) if width == 0]
    if flat:
        raise DataError(f"Columns without variance: {', '.join(flat)}.")
    with one_thread():
        stack = [np.cov(complete, rowvar=False)[None]]
        if draws:
            cov, _ = resample_moments(products(complete), stream(seed, 0, 0), draws)
            stack.append(cov.transpose(2, 0, 1))
        return correlations(np.concatenate(stack)), n


def _drivers(
    R: Array, names: tuple[str, ...], outcome: str, method: str, level: float, n: int, where: str, certified: bool
) -> Drivers:
    p = len(names)
    if not np.linalg.cond(R[0, :p, :p]) < 1e10:
        raise DataError(f"The antecedents {', '.join(names)} determine each other; leave one out.")
    parts = shapley(R) if method == "lmg" else relative_weights(R)
    r2 = parts.sum(axis=1)
    share = parts / r2[:, None]
    drawn = share[1:]
    lower, upper = percentile(drawn, level)
    strongest = np.bincount(parts[1:].argmax(axis=1), minlength=p) / len(drawn) if len(drawn) else np.full(p, np.nan)
    frame = pd.DataFrame(
        {
            "r": R[0, :p, p],
            "beta": standardised_slopes(R[:1])[0],
            "importance": parts[0],
            "share": share[0],
            "share_lower": lower,
            "share_upper": upper,
            "p_strongest": strongest,
        },
        index=pd.Index(names, name="antecedent"),
    ).sort_values("importance", ascending=False, kind="stable")
    frame["rank"] = np.arange(1, p + 1)
    bounds = percentile(r2[1:], level)
    return Drivers(
        importance=frame,
        outcome=outcome,
        method=method,
        r2=float(r2[0]),
        r2_lower=float(bounds[0]),
        r2_upper=float(bounds[1]),
        n=n,
        draws=len(drawn),
        level=level,
        source=where,
        certified=certified,
    )
