"""Direct, indirect and total effects, found from the model: mediation without writing a single `:=`."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, SpecificationError, check_choice, nearest
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.bootstrap import Bootstrap
from sem_loyalty.inference.effect_list import (
    ARROW,
    DIRECT,
    INDIRECT,
    SPECIFIC,
    TOTAL,
    Effect,
    effect_values,
    listed_effects,
)
from sem_loyalty.inference.intervals import INTERVALS
from sem_loyalty.inference.marking import mark
from sem_loyalty.inference.routes import Structure, structures
from sem_loyalty.inference.row_source import Inference, Source, row_source

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Effects:
    """All effects of a model.

    Attributes
    ----------
    effects : tuple of Effect
    raw, standardised : Inference
        Effects in the units of the variables, and in standard deviations (std_all).
    method : {"delta", "bca", "percentile", "basic"}
        Where standard errors, p-values and intervals come from.
    level : float
        Coverage of the intervals.
    draws, failed : int
        Bootstrap draws, and those that did not converge; 0 with "delta".
    fit : Fit
        What the effects are of; where it is not certified, nothing here may be reported.
    groups : tuple of str
        Labels of the groups.
    notes : tuple of str
        What a reader must know: feedback, effects without number.
    """

    effects: tuple[Effect, ...]
    raw: Inference
    standardised: Inference
    method: str
    level: float
    draws: int
    failed: int
    fit: Fit = field(repr=False)
    groups: tuple[str, ...]
    notes: tuple[str, ...]
    _structures: tuple[Structure, ...] = field(repr=False)
    _source: Source = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per effect.

        Returns
        -------
        DataFrame
            cause, outcome, group, kind, route, est, se, z, pvalue, ci_lower, ci_upper, std_all, std_se,
            std_ci_lower, std_ci_upper. `attrs` holds "certified", "interval", "level", "draws" and "failed".
        """
        raw, std = self.raw, self.standardised
        z = np.divide(raw.est, raw.se, out=np.full(len(raw.est), np.nan), where=raw.se > 0)
        frame = pd.DataFrame(
            {
                "cause": [effect.cause for effect in self.effects],
                "outcome": [effect.outcome for effect in self.effects],
                "group": [effect.group for effect in self.effects],
                "kind": [effect.kind for effect in self.effects],
                "route": [ARROW.join(effect.route) for effect in self.effects],
                "est": raw.est,
                "se": raw.se,
                "z": z,
                "pvalue": raw.pvalue,
                "ci_lower": raw.lower,
                "ci_upper": raw.upper,
                "std_all": std.est,
                "std_se": std.se,
                "std_ci_lower": std.lower,
                "std_ci_upper": std.upper,
            }
        )
        return self._marked(frame)

    def mediation(self, *, alpha: float | None = None) -> pd.DataFrame:
        """Return, for every cause and outcome with an indirect effect, the kind of mediation.

        Parameters
        ----------
        alpha : float, optional
            Level at which an effect is taken to exist; by default 1 - `level`, so that it exists where its interval
            leaves zero out.

        Returns
        -------
        DataFrame
            cause, outcome, group, direct, indirect, total, share, mediation. `share` is the proportion mediated,
            indirect / total, nan where direct and indirect effects differ in sign or no direct path is modelled.
            `mediation` is "complementary" (both effects, of the same sign), "competitive" (of opposite signs),
            "indirect-only", "direct-only" or "none"; "indirect-only (no direct path in the model)" where the model
            leaves the direct path out, and so does not test it.

        Notes
        -----
        Zhao, Lynch and Chen (2010), doi:10.1086/651257. An effect exists where its interval leaves zero out, or with
        another `alpha` where its p-value is below it.
        """
        records = []
        position = {(e.cause, e.outcome, e.group, e.kind): k for k, e in enumerate(self.effects)}
        raw = self.raw

        def exists(k: int) -> bool:
            if alpha is None:
                return bool(raw.lower[k] > 0 or raw.upper[k] < 0)
            return bool(raw.pvalue[k] < alpha)

        for effect in (one for one in self.effects if one.kind == INDIRECT):
            key = (effect.cause, effect.outcome, effect.group)
            through, whole = position[(*key, INDIRECT)], position[(*key, TOTAL)]
            straight = position.get((*key, DIRECT))
            indirect, total = float(raw.est[through]), float(raw.est[whole])
            direct = float(raw.est[straight]) if straight is not None else 0.0
            share = np.nan
            if straight is None:
                found = "indirect-only (no direct path in the model)" if exists(through) else "none"
            elif exists(through) and exists(straight):
                found = "complementary" if indirect * direct > 0 else "competitive"
            elif exists(through):
                found = "indirect-only"
            else:
                found = "direct-only" if exists(straight) else "none"
            if straight is not None and indirect * direct > 0:
                share = indirect / total
            records.append((*key, direct, indirect, total, share, found))
        columns = ["cause", "outcome", "group", "direct", "indirect", "total", "share", "mediation"]
        return self._marked(pd.DataFrame(records, columns=columns))

    def contrasts(self) -> pd.DataFrame:
        """Return differences between indirect effects that share cause and outcome, and of effects between groups.

        Returns
        -------
        DataFrame
            first, second, difference, se, z, pvalue, ci_lower, ci_upper: raw effects, first less second. Groups are
            named behind their effect, in brackets.
        """
        pairs = [
            (i, j)
            for i, j in combinations(range(len(self.effects)), 2)
            if self._comparable(self.effects[i], self.effects[j])
        ]
        contrast = np.zeros((len(pairs), len(self.effects)))
        for k, (i, j) in enumerate(pairs):
            contrast[k, i], contrast[k, j] = 1.0, -1.0
        est, slopes, drawn = effect_values(self.effects, self._structures, self._source)
        moved = None if drawn is None else contrast @ drawn
        found = self._source.infer(contrast @ est, contrast @ slopes, moved, self.method, self.level)
        z = np.divide(found.est, found.se, out=np.full(len(pairs), np.nan), where=found.se > 0)
        frame = pd.DataFrame(
            {
                "first": [self._named(self.effects[i]) for i, _ in pairs],
                "second": [self._named(self.effects[j]) for _, j in pairs],
                "difference": found.est,
                "se": found.se,
                "z": z,
                "pvalue": found.pvalue,
                "ci_lower": found.lower,
                "ci_upper": found.upper,
            }
        )
        return self._marked(frame)

    @staticmethod
    def _comparable(one: Effect, other: Effect) -> bool:
        if one.group == other.group:
            same = (one.cause, one.outcome) == (other.cause, other.outcome)
            return same and one.kind == other.kind == SPECIFIC
        return (one.cause, one.outcome, one.kind, one.route) == (other.cause, other.outcome, other.kind, other.route)

    def _named(self, effect: Effect) -> str:
        return f"{effect.name} [{self.groups[effect.group - 1]}]" if len(self.groups) > 1 else effect.name

    def _marked(self, frame: pd.DataFrame) -> pd.DataFrame:
        frame.attrs.update(interval=self.method, level=self.level, draws=self.draws, failed=self.failed)
        return mark(frame, self.fit)

    def to_table(self) -> Table:
        """Return the effects as a Table: raw with interval, and standardised."""
        frame = self.to_frame()
        shown = ["route", "kind", "est", "se", "pvalue", "ci_lower", "ci_upper", "std_all"]
        frame["route"] = [ARROW.join(e.route) or f"{e.cause}{ARROW}{e.outcome}" for e in self.effects]
        if len(self.groups) > 1:
            frame["group"] = [self.groups[effect.group - 1] for effect in self.effects]
            shown.insert(0, "group")
        else:
            frame = frame.drop(columns="group")
        caption = "Direct, indirect and total effects"
        if not self.fit.certificate.certified:
            caption = f"NOT CERTIFIED: do not report. {caption}"
        heads = {"est": "B", "se": "SE", "pvalue": "p", "ci_lower": "lower", "ci_upper": "upper", "std_all": "β"}
        return Table.from_frame(
            frame[shown], id="effects", caption=caption, heads=heads, note=" ".join((self._interval_note, *self.notes))
        )

    @property
    def _interval_note(self) -> str:
        if self.method == "delta":
            return (
                f"{self.level:.0%} intervals by the delta method, which takes products for normal; "
                "give bootstrap draws for intervals of indirect effects."
            )
        lost = f", {self.failed:,} of them left out as not converged" if self.failed else ""
        kind = {"bca": "bias-corrected and accelerated", "percentile": "percentile", "basic": "basic"}[self.method]
        return f"{self.level:.0%} {kind} intervals from {self.draws:,} bootstrap draws{lost}."

    def __repr__(self) -> str:
        """Return what print shows: a prompt must not hide the mark."""
        return str(self)

    def __str__(self) -> str:
        """Return the table of effects as text."""
        return self.to_table().to_text()

    def _repr_html_(self) -> str:
        return self.to_table().to_html()


def effects(
    fit: Fit,
    bootstrap: Bootstrap | None = None,
    *,
    cause: str | None = None,
    outcome: str | None = None,
    interval: str | None = None,
    level: float = 0.95,
) -> Effects:
    """Return every direct, specific indirect, total indirect and total effect that the model implies.

    Parameters
    ----------
    fit : Fit
    bootstrap : Bootstrap, optional
        Draws of the same fit, from `sem_loyalty.bootstrap`; standard errors, p-values and intervals then come from
        them. Without, from the delta method, which suits direct effects; products of coefficients are skewed.
    cause, outcome : str, optional
        Effects of this variable only, or on it.
    interval : {"bca", "percentile", "basic"}, optional
        Bootstrap interval; "bca" unless every resample was fitted on its own, then "percentile".
    level : float, default 0.95
        Coverage.

    Returns
    -------
    Effects

    Raises
    ------
    SpecificationError
        The model has no regressions, or no such variable in them.
    ConfigurationError
        Unknown interval, a level that is none, or draws of another fit.

    Notes
    -----
    A specific indirect effect is the product of the coefficients along a route; total effects are the elements of
    (I - A)^-1 - I, and total indirect effects those less the direct ones (Bollen 1987, doi:10.2307/271028). With
    feedback the routes are without number: only direct, total indirect and total effects are given, and only where
    the feedback dies out.

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> matrix = sl.load_published("iacobucci2009")
    >>> fitted = sl.fit(matrix.model_text, sample_cov=matrix.cov, sample_nobs=matrix.n)
    >>> sorted(set(sl.effects(fitted).to_frame()["kind"]))
    ['direct', 'specific indirect', 'total', 'total indirect']
    """
    if interval is None:
        interval = "percentile" if bootstrap is not None and bootstrap.influence is None else "bca"
    check_choice("interval", interval, INTERVALS)
    if not 0.0 < level < 1.0:
        raise ConfigurationError(f"level={level!r} is not a coverage between 0 and 1.")
    if bootstrap is not None and bootstrap.fit is not fit and not _same(bootstrap.fit, fit):
        raise ConfigurationError("`bootstrap` holds draws of another fit; draw again with sl.bootstrap(fit).")
    graphs = structures(fit.specification)
    if not any(graph.edges for graph in graphs):
        raise SpecificationError("The model has no regressions (`~`), so there are no effects to trace.")
    known = tuple(dict.fromkeys(name for graph in graphs for name in graph.names))
    for name in (cause, outcome):
        if name is not None and name not in known:
            raise SpecificationError(f"{name!r} is in no regression of the model. {nearest(name, known)}")
    listed = tuple(
        one
        for graph in graphs
        for one in listed_effects(graph)
        if (cause is None or one.cause == cause) and (outcome is None or one.outcome == outcome)
    )
    method = interval if bootstrap is not None else "delta"
    found = []
    sources = [row_source(fit, bootstrap, standard=standard) for standard in (False, True)]
    for source in sources:
        est, slopes, drawn = effect_values(listed, graphs, source)
        found.append(source.infer(est, slopes, drawn, method, level))
    notes: tuple[str, ...] = ()
    if any(not graph.recursive for graph in graphs):
        notes = ("The model has feedback: routes are without number, and no specific indirect effects are given.",)
    return Effects(
        effects=listed,
        raw=found[0],
        standardised=found[1],
        method=method,
        level=level,
        draws=0 if bootstrap is None else len(bootstrap.converged),
        failed=0 if bootstrap is None else bootstrap.failed,
        fit=fit,
        groups=fit.specification.groups,
        notes=notes,
        _structures=graphs,
        _source=sources[0],
    )


def _same(one: Fit, other: Fit) -> bool:
    return one.specification == other.specification and np.array_equal(one.theta, other.theta)
