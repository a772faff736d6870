"""`pls_bootstrap`: a path model of composites estimated from resamples, and intervals for all it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, check_choice
from sem_loyalty.inference.intervals import INTERVALS, acceleration, interval, two_sided_p
from sem_loyalty.inference.progress import Tell
from sem_loyalty.kernel.resample import Products, counts, products, resample_moments, stream
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.pls_sem.lanes import smallest_pivot
from sem_loyalty.pls_sem.resamples import (
    LANES,
    Part,
    again,
    answers,
    check_drawable,
    in_blocks,
    leave_one_out,
    own_sample,
    reweighted,
    standardised,
)
from sem_loyalty.pls_sem.solution import Pls
from sem_loyalty.pls_sem.solve import Sample
from sem_loyalty.pls_sem.statistics import KINDS, Listing, listing, statistics

Array = NDArray[np.float64]

_interval = interval  # `PlsBootstrap.estimates` has an argument of that name


@dataclass(frozen=True, repr=False)
class PlsBootstrap:
    """Bootstrap draws of a path model of composites.

    Attributes
    ----------
    fit : Pls
        The full-sample solution.
    seed : int
    statistics : DataFrame
        One row per statistic: kind, name, cause, outcome.
    estimate : ndarray, shape (k,)
        Full-sample values.
    draws : ndarray, shape (k, R)
        nan where a draw failed.
    converged : ndarray of bool, shape (R,)
        Draws that count: their weights converged and, with PLSc, every rho_A is positive.
    inadmissible : int
        Draws among them whose corrected correlations are not positive definite (PLSc); they are kept.
    """

    fit: Pls
    seed: int
    statistics: pd.DataFrame = field(repr=False)
    estimate: Array = field(repr=False)
    draws: Array = field(repr=False)
    converged: NDArray[np.bool_] = field(repr=False)
    inadmissible: int

    @cached_property
    def jackknife(self) -> Array:
        """Values without one respondent each (k, n), for BCa intervals; computed when first asked for."""
        found = listing(self.fit.model)
        with one_thread():
            source = products(answers(self.fit))
            return np.concatenate([_values(self.fit, found, one)[0] for one in leave_one_out(self.fit, source)], axis=1)

    @property
    def failed(self) -> int:
        """Draws that are left out of every number."""
        return int((~self.converged).sum())

    def estimates(self, *kinds: str, level: float = 0.95, interval: str = "percentile") -> pd.DataFrame:
        """Return statistics with their bootstrap standard errors, intervals and p-values.

        Parameters
        ----------
        *kinds : {"path", "total", "indirect", "weight", "loading", "r2", "f2", "htmt"}
            All by default.
        level : float, default 0.95
            Coverage of the intervals.
        interval : {"percentile", "bca", "basic"}, default "percentile"
            BCa takes its acceleration from the jackknife.

        Returns
        -------
        DataFrame
            kind, name, cause, outcome, est, se (standard deviation of the draws), t (est / se), pvalue (two-sided, from
            the draws; nan for r2, f2 and htmt, which cannot be negative), ci_lower, ci_upper, bias.

        Raises
        ------
        ConfigurationError
            Unknown kind, interval or level; fewer than two draws that count.
        """
        for kind in kinds:
            check_choice("kinds", kind, KINDS)
        check_choice("interval", interval, INTERVALS)
        if not 0.0 < level < 1.0:
            raise ConfigurationError(f"level={level!r} is not a coverage between 0 and 1.")
        used = int(self.converged.sum())
        if used < 2:
            raise ConfigurationError(f"{used} of {len(self.converged)} draws converged; intervals need two at least.")
        chosen = np.flatnonzero(self.statistics["kind"].isin(kinds or KINDS))
        frame = self.statistics.iloc[chosen].reset_index(drop=True)
        drawn, est = self.draws[np.ix_(chosen, np.flatnonzero(self.converged))], self.estimate[chosen]
        constant = np.ptp(drawn, axis=1) < 1e-12
        se = np.where(constant, 0.0, drawn.std(axis=1, ddof=1))
        skew = np.zeros(len(est))
        if interval == "bca":
            without = self.jackknife[chosen]
            skew = acceleration(without.mean(axis=1, keepdims=True) - without)
        lower, upper = _interval(est, drawn, interval, level, skew)
        positive = frame["kind"].isin(["r2", "f2", "htmt"]).to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            frame["est"], frame["se"] = est, se
            frame["t"] = np.where(se > 0, est / se, np.nan)
        frame["pvalue"] = np.where(positive | constant, np.nan, two_sided_p(est, drawn, interval, skew))
        frame["ci_lower"], frame["ci_upper"] = np.where(constant, np.nan, lower), np.where(constant, np.nan, upper)
        frame["bias"] = np.where(constant, 0.0, drawn.mean(axis=1) - est)
        return self.fit.shown(frame)

    def to_table(self, *kinds: str, level: float = 0.95, interval: str = "percentile") -> Table:
        """Return statistics as a Table; by default paths, total and indirect effects."""
        frame = self.estimates(*(kinds or KINDS[:3]), level=level, interval=interval)
        lead = "" if self.fit.admissible else "NOT ADMISSIBLE: do not report. "
        note = [
            f"N = {self.fit.n}; {int(self.converged.sum()):,} bootstrap draws, {interval} intervals, seed {self.seed}."
        ]
        if self.failed:
            note.append(f"{self.failed:,} draws failed and are left out.")
        if self.inadmissible:
            note.append(f"{self.inadmissible:,} draws have correlations that are not positive definite; they are kept.")
        return Table.from_frame(
            frame.drop(columns=["cause", "outcome", "bias"]),
            id="pls-bootstrap",
            caption=lead + f"Partial least squares: bootstrap, {100 * level:g}% intervals",
            note=" ".join((*note, *self.fit.problems)),
        )

    def __str__(self) -> str:
        """Return paths and effects as text."""
        return self.to_table().to_text()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_table().to_html()


def pls_bootstrap(
    fit: Pls,
    draws: int = 5000,
    *,
    seed: int = 1,
    workers: int = 1,
    progress: bool | Tell | None = None,
    force: bool = False,
) -> PlsBootstrap:
    r"""Estimate a path model of composites from resamples of the respondents.

    Parameters
    ----------
    fit : Pls
        From answers, not from a matrix.
    draws : int, default 5000
    seed : int, default 1
        The same seed gives the same draws; draw k does not depend on `draws` or `workers`.
    workers : int, default 1
        Threads.
    progress : bool or callable, optional
        As for `bootstrap`.
    force : bool, default False
        Go on with a solution that is not admissible. Tables of the result say so.

    Returns
    -------
    PlsBootstrap

    Raises
    ------
    NotSupported
        The fit is of a covariance or correlation matrix.
    ConfigurationError
        An argument makes no sense, or the full-sample solution is not admissible and `force` is not set.

    Notes
    -----
    Every draw starts from the full-sample weights and ends when none changes by 1e-7. Each composite is turned to
    correlate positively with the full-sample composite, so that a mere change of sign does not count as variation.

    References
    ----------
    Efron, B. (1987). Better bootstrap confidence intervals. Journal of the American Statistical Association, 82,
    171-185. doi:10.1080/01621459.1987.10478410

    Examples
    --------
    >>> import numpy as np, pandas as pd, sem_loyalty as sl
    >>> common, noise = np.random.default_rng(1).normal(size=(200, 1)), np.random.default_rng(2).normal(size=(200, 4))
    >>> fitted = sl.pls("F =~ a + b\nG =~ c + d\nG ~ F", pd.DataFrame(common + noise, columns=list("abcd")))
    >>> sl.pls_bootstrap(fitted, draws=100).failed
    0
    """
    check_drawable(fit, "pls_bootstrap", draws=draws, seed=seed, workers=workers)
    if not fit.admissible and not force:
        raise ConfigurationError(
            f"The solution is not admissible, so intervals around it mean nothing: {' '.join(fit.problems)} Repair the "
            "model, or set force=True to draw all the same; the result will be marked."
        )
    found = listing(fit.model)
    with one_thread():
        source = products(answers(fit))
        parts = in_blocks(lambda block: _block(fit, found, source, seed, block, draws), draws, workers, progress)
        values, converged, definite = (np.concatenate(part, axis=-1)[..., :draws] for part in zip(*parts, strict=True))
        estimate = _values(fit, found, own_sample(fit))[0][:, 0]
    return PlsBootstrap(
        fit=fit,
        seed=seed,
        statistics=found.frame,
        estimate=estimate,
        draws=np.where(converged, values, np.nan),
        converged=converged,
        inadmissible=int((converged & ~definite).sum()),
    )


def _block(fit: Pls, found: Listing, source: Products, seed: int, block: int, draws: int) -> Part:
    """Return the statistics of one block of draws, which of them count, and which are admissible."""
    if fit.ordered or fit.model.multiplies:
        often = counts(stream(seed, block, 0), fit.n, LANES).T
        if fit.ordered:
            # Polychoric correlations are costly, and those of one draw do not depend on the others.
            often = often[:, : draws - block * LANES]
        return _values(fit, found, reweighted(fit, source, often))
    cov, _ = resample_moments(source, stream(seed, block, 0), LANES)
    return _values(fit, found, Sample(standardised(cov)))


def _values(fit: Pls, found: Listing, sample: Sample) -> Part:
    solved = again(fit, sample)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = statistics(fit.model, solved, found)
    counted = solved.converged & np.isfinite(solved.paths).all(axis=(0, 1))
    return values, counted, smallest_pivot(solved.cor) > 0
