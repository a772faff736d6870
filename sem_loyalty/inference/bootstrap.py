"""`bootstrap`: the model fitted to resamples, and intervals for everything from the same draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import format_p
from sem_loyalty.errors import ConfigurationError, NotSupported, check_choice
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.drawing import draw
from sem_loyalty.inference.estimates import COLUMNS, estimates
from sem_loyalty.inference.influence import parameter_influence, row_jacobian
from sem_loyalty.inference.intervals import INTERVALS, acceleration, interval, two_sided_p
from sem_loyalty.inference.jackknife import jackknife_influence
from sem_loyalty.inference.progress import Tell
from sem_loyalty.inference.refitting import RefitPlan
from sem_loyalty.inference.resampling import Drawing, make_plan
from sem_loyalty.kernel.likelihood import Likelihood
from sem_loyalty.kernel.threads import one_thread

Array = NDArray[np.float64]

KINDS = ("nonparametric", "bollen-stine")
SOLUTIONS = {"raw": "est", "std_lv": "std_lv", "std_all": "std_all"}


@dataclass(frozen=True)
class Bootstrap:
    """Bootstrap draws of a fit.

    Attributes
    ----------
    fit : Fit
        The full-sample fit.
    kind : {"nonparametric", "bollen-stine"}
    seed : int
    draws : ndarray, shape (draws, q)
        Estimates of every draw, in the order of `fit.specification.free_parameters`; nan for a draw that did not
        converge.
    converged : ndarray of bool, shape (draws,)
        Which draws converged. The others count in nothing but `failed`.
    rescued : int
        Converged draws that took a second, slower search.
    chisq : ndarray, shape (draws,)
        Chi-square of every draw, for "bollen-stine"; nan otherwise.
    rows : ndarray, shape (3, rows, draws)
        Every row of the parameter table: raw, std_lv, std_all.
    block : int
        Draws that share a random stream.
    influence : ndarray, shape (3, rows, n)
        Influence of every respondent on every row: raw, std_lv, std_all; None where every resample was fitted on its
        own. See `known_influence`.
    """

    fit: Fit
    kind: str
    seed: int
    draws: Array = field(repr=False)
    converged: NDArray[np.bool_] = field(repr=False)
    rescued: int
    chisq: Array = field(repr=False)
    rows: Array = field(repr=False)
    block: int
    influence: Array | None = field(repr=False)

    @cached_property
    def known_influence(self) -> Array:
        """Influence of every respondent on every row, shape (3, rows, n).

        Where every resample was fitted on its own it comes from the jackknife, when first asked for: as many fits as
        respondents.
        """
        return jackknife_influence(self.fit) if self.influence is None else self.influence

    @property
    def failed(self) -> int:
        """Draws that did not converge."""
        return int((~self.converged).sum())

    @property
    def improper(self) -> int:
        """Converged draws with a negative variance, which are kept."""
        table = self.fit.specification.parameters
        variances = [i for i, row in enumerate(table) if row.op == "~~" and row.lhs == row.rhs]
        with np.errstate(invalid="ignore"):
            return int((self.rows[0, variances] < 0).any(axis=0).sum())

    @property
    def certified(self) -> bool:
        """Whether the full-sample fit is certified."""
        return self.fit.certificate.certified

    @property
    def bollen_stine_p(self) -> float:
        """p-value of the model: (#{chi-square of a draw >= that of the sample} + 1) / (draws + 1).

        Among converged draws from a population in which the model holds (Bollen and Stine 1992,
        doi:10.1177/0049124192021002004); nan for a nonparametric bootstrap.
        """
        if self.kind != "bollen-stine" or not self.converged.any():
            return float("nan")
        reached = int((self.chisq[self.converged] >= self.fit.chisq).sum())
        return (reached + 1) / (int(self.converged.sum()) + 1)

    def estimates(self, *, level: float = 0.95, interval: str | None = None, solution: str = "raw") -> pd.DataFrame:
        """Return every parameter with its bootstrap standard error, p-value and interval.

        Parameters
        ----------
        level : float, default 0.95
            Coverage of the intervals.
        interval : {"bca", "percentile", "basic"}, optional
            Bias-corrected and accelerated (Efron 1987), percentile, or basic. By default "bca" for complete-data
            maximum likelihood, where the acceleration is known, and "percentile" for everything else, where it takes
            as many fits as there are respondents.
        solution : {"raw", "std_lv", "std_all"}, default "raw"
            Which estimates the column `est` holds and the other columns are about; all come from the same draws.

        Returns
        -------
        DataFrame
            The rows and columns of `sem_loyalty.estimates`, and `bias`, the mean of the draws less the estimate. `se`
            is the standard deviation of the draws (n - 1), z = est / se, `pvalue` two-sided from the draws: the level
            at which the interval would begin to contain zero. Constants have se 0 and no interval. A defined
            parameter that is not finite in some draw has none either. `attrs` holds "certified", "draws", "failed",
            "rescued", "improper", "kind", "interval", "solution" and "seed".

        Raises
        ------
        ConfigurationError
            An unknown interval or solution, or a level that is none, or fewer than two converged draws.
        NotSupported
            "bca" where the model cannot be fitted without one of the respondents.
        """
        if not 0.0 < level < 1.0:
            raise ConfigurationError(f"level={level!r} is not a coverage between 0 and 1.")
        interval = ("percentile" if self.influence is None else "bca") if interval is None else interval
        check_choice("interval", interval, INTERVALS)
        check_choice("solution", solution, SOLUTIONS)
        if int(self.converged.sum()) < 2:
            raise ConfigurationError(
                f"{int(self.converged.sum())} of {len(self.converged)} draws converged; intervals need two at least."
            )
        frame = estimates(self.fit, level=level)
        est = frame[SOLUTIONS[solution]].to_numpy(dtype=float)
        which = list(SOLUTIONS).index(solution)
        drawn = self._with_defined(which)
        frame["est"] = est
        constant = np.ptp(drawn, axis=1) == 0
        se = np.where(constant, 0.0, drawn.std(axis=1, ddof=1))
        with np.errstate(divide="ignore", invalid="ignore"):
            frame["z"] = np.where(se > 0, est / se, np.nan)
        frame["se"] = se
        skew = acceleration(self._defined_influence(which)) if interval == "bca" else np.zeros(len(est))
        frame["pvalue"] = two_sided_p(est, drawn, interval, skew)
        frame["ci_lower"], frame["ci_upper"] = _interval(est, drawn, interval, level, skew)
        frame["bias"] = np.where(constant, 0.0, drawn.mean(axis=1) - est)
        frame = frame[[*COLUMNS, "bias"]]
        frame.attrs.update(
            certified=self.certified,
            draws=len(self.converged),
            failed=self.failed,
            rescued=self.rescued,
            improper=self.improper,
            kind=self.kind,
            interval=interval,
            solution=solution,
            seed=self.seed,
        )
        return frame

    def distribution(self, *, solution: str = "raw") -> Array:
        """Return the converged draws of every row of `estimates`, shape (rows, converged draws).

        Parameters
        ----------
        solution : {"raw", "std_lv", "std_all"}, default "raw"
            As in `estimates`.

        Raises
        ------
        ConfigurationError
            An unknown solution.
        """
        check_choice("solution", solution, SOLUTIONS)
        return self._with_defined(list(SOLUTIONS).index(solution))

    def _labelled(self, values: Array) -> dict[str, float | Array]:
        """Return rows by label, the first of several."""
        out: dict[str, float | Array] = {}
        for i, row in enumerate(self.fit.specification.parameters):
            if row.label:
                out.setdefault(row.label, values[i])
        return out

    def _with_defined(self, which: int) -> Array:
        """Return the converged draws of all rows and of the defined parameters, shape (k, R)."""
        values = self.rows[which][:, self.converged]
        named = self._labelled(values)
        extra = []
        for item in self.fit.specification.defined:
            value = np.broadcast_to(np.asarray(item.expression.evaluate(named), dtype=float), values.shape[1:])
            named[item.name] = value
            extra.append(value)
        return np.concatenate([values, np.array(extra).reshape(-1, values.shape[1])])

    def _defined_influence(self, which: int) -> Array:
        """Return the influence of every respondent on all rows and on the defined parameters, shape (k, n)."""
        influence = self.known_influence[which]
        table = estimates(self.fit)
        point = table[list(SOLUTIONS.values())[which]].to_numpy(dtype=float)
        values = {name: float(np.asarray(value)) for name, value in self._labelled(point).items()}
        slopes: dict[str, Array] = {}
        for name, value in self._labelled(influence).items():
            slopes[name] = np.asarray(value)
        extra = []
        for item in self.fit.specification.defined:
            value, by_name = item.expression.derivative(values)
            total = np.zeros(influence.shape[1])
            for name, slope in by_name.items():
                total = total + slope * slopes[name]
            values[item.name], slopes[item.name] = value, total
            extra.append(total)
        return np.concatenate([influence, np.array(extra).reshape(-1, influence.shape[1])])

    def __repr__(self) -> str:
        """Return what print shows: a prompt must not hide the mark."""
        return str(self)

    def __str__(self) -> str:
        """Summarise the draws; the first line says whether the fit behind them can be trusted."""
        total, used = len(self.converged), int(self.converged.sum())
        lines = [self.fit.certificate.summary]
        lines.append(f"{self.kind} bootstrap: {used:,} of {total:,} draws converged, seed {self.seed}")
        if self.failed:
            lines.append(f"  - {self.failed:,} draws did not converge and are left out of every number")
        if self.rescued:
            lines.append(f"  - {self.rescued:,} draws took a second search")
        if self.improper:
            lines.append(f"  - {self.improper:,} draws have a negative variance; they are kept")
        if self.kind == "bollen-stine":
            lines.append(f"Bollen-Stine p {format_p(self.bollen_stine_p)} (chi-square {self.fit.chisq:.3f})")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        first, *rest = str(self).split("\n")
        return f"<b>{escape(first)}</b>" + "".join(f"<div>{escape(line.strip(' -'))}</div>" for line in rest)


_interval = interval  # `Bootstrap.estimates` has an argument of that name


def bootstrap(
    fit: Fit,
    draws: int = 5000,
    *,
    seed: int = 1,
    kind: str = "nonparametric",
    workers: int = 1,
    progress: bool | Tell | None = None,
    resume: str | Path | None = None,
    force: bool = False,
) -> Bootstrap:
    """Fit the model to bootstrap resamples of the respondents.

    Parameters
    ----------
    fit : Fit
        A fit of answers (not of a covariance matrix). In a multi-group model respondents are drawn within their
        group. Complete-data maximum likelihood (ML, MLM, MLMV, MLR: the same estimates, so the same draws) is fitted
        to thousands of resamples at once; missing answers kept (`missing="fiml"`), least squares and ordinal items
        one resample after another.
    draws : int, default 5000
        Resamples. Draw k is the same whatever the number of draws.
    seed : int, default 1
        Not negative. The same seed gives the same draws, bit for bit on the same machine and libraries, whatever
        `draws`, `workers` and interruptions.
    kind : {"nonparametric", "bollen-stine"}, default "nonparametric"
        Draw from the answers as they are (standard errors, intervals), or from answers moved to where the model
        holds exactly (a test of the model, `Bootstrap.bollen_stine_p`; complete-data maximum likelihood only).
    workers : int, default 1
        Processes. Worth while where the draws take longer than a second or two. On systems without fork (Windows,
        macOS) a script needs ``if __name__ == "__main__":`` around its work.
    progress : bool or callable, optional
        True draws a bar on standard error, a callable gets (done, total); by default a bar on a terminal for work
        that takes longer than a second.
    resume : str or Path, optional
        A file (.npz) that keeps what is finished: an interrupted run with the same arguments goes on from there and
        ends with the same numbers. More `draws` later add to it.
    force : bool, default False
        Go on with a fit that is not certified. The result says so in its first line.

    Returns
    -------
    Bootstrap

    Raises
    ------
    ConfigurationError
        The fit is not certified and `force` is not set; an argument makes no sense; or `resume` belongs to another
        analysis.
    NotSupported
        The fit has no answers to draw from; or Bollen-Stine for another estimator than complete-data maximum
        likelihood.

    Notes
    -----
    Every draw is minimised from the full-sample estimates until the Newton decrement is below 2e-8, and one step
    further: to about a millionth of its standard error. A draw that does not get there gets a second search, by the
    minimiser of `sem_loyalty.fit`, and counts in `Bootstrap.rescued`; one that fails there too is counted in
    `Bootstrap.failed`. A resample of ordinal items in which nobody chose one of the categories has other parameters,
    and fails.

    References
    ----------
    Efron, B. (1987). Better bootstrap confidence intervals. Journal of the American Statistical Association, 82,
    171-185. doi:10.1080/01621459.1987.10478410
    Bollen, K. A. and Stine, R. A. (1992). Bootstrapping goodness-of-fit measures in structural equation models.
    Sociological Methods and Research, 21, 205-229. doi:10.1177/0049124192021002004

    Examples
    --------
    >>> import numpy as np, pandas as pd, sem_loyalty as sl
    >>> factor, noise = np.random.default_rng(1).normal(size=(200, 1)), np.random.default_rng(2).normal(size=(200, 4))
    >>> fitted = sl.fit("f =~ a + b + c + d", pd.DataFrame(factor + noise, columns=list("abcd")))
    >>> sl.bootstrap(fitted, draws=100).failed
    0
    """
    _check(fit, draws, seed, kind, workers, force)
    batched = _batched(fit)
    influence = None
    with one_thread():
        plan: Drawing = RefitPlan(fit, seed)
        if batched:
            plan = make_plan(fit, seed, kind)
            influence = row_jacobian(fit) @ parameter_influence(fit)
        found = draw(plan, fit, draws, kind, workers=workers, progress=progress, resume=resume)
    values = found.values[..., :draws]
    free = {row.free: place for place, row in reversed(list(enumerate(fit.specification.parameters)))}
    first = np.array([free[k] for k in range(len(fit.theta))], dtype=np.intp)
    return Bootstrap(
        fit=fit,
        kind=kind,
        seed=seed,
        draws=np.ascontiguousarray(values[0, first].T),
        converged=found.converged[:draws],
        rescued=int((found.single & found.converged)[:draws].sum()),
        chisq=np.maximum(found.fit[:draws], 0.0) * fit.moments.n,
        rows=values,
        block=plan.lanes,
        influence=influence,
    )


def _check(fit: Fit, draws: int, seed: int, kind: str, workers: int, force: bool) -> None:
    """Raise for what is not available or makes no sense."""
    check_choice("kind", kind, KINDS)
    for name, value, least in (("draws", draws, 1), ("seed", seed, 0), ("workers", workers, 1)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ConfigurationError(f"{name}={value!r} must be a whole number, {least} or more.")
    if fit.moments.raw is None:
        raise NotSupported("bootstrap draws respondents: fit the model to `data`, not to `sample_cov`.")
    if kind == "bollen-stine" and not _batched(fit):
        raise NotSupported(
            "kind='bollen-stine' is available for maximum likelihood on complete rows (missing='listwise'); available "
            "for this fit: 'nonparametric'."
        )
    if not fit.certificate.certified and not force:
        reasons = " ".join(str(problem) for problem in fit.certificate.problems)
        raise ConfigurationError(
            f"The fit is not certified, so intervals around it mean nothing: {reasons} Repair the model, or set "
            "force=True to draw all the same; the result will be marked."
        )


def _batched(fit: Fit) -> bool:
    """Return whether many resamples can be fitted at once: complete-data maximum likelihood, linear constraints."""
    restricted = fit.specification.equations or fit.specification.inequalities
    return isinstance(fit.discrepancy, Likelihood) and not restricted
