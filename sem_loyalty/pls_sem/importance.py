"""`pls_ipma`: importance and performance of constructs and items for an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, NotSupported, SpecificationError, nearest
from sem_loyalty.inference.intervals import interval
from sem_loyalty.inference.progress import Tell
from sem_loyalty.kernel.resample import products, resample_moments, stream
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.pls_sem.predict import check_plain
from sem_loyalty.pls_sem.resamples import LANES, Part, again, check_drawable, in_blocks, standardised
from sem_loyalty.pls_sem.solution import Pls
from sem_loyalty.pls_sem.solve import Sample
from sem_loyalty.pls_sem.statistics import structure, total_effects

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class PlsImportance:
    """Importance and performance for one outcome.

    Attributes
    ----------
    fit : Pls
    target : str
    performance : float
        Of the target, 0 to 100.
    constructs, items : DataFrame
        name (and construct), importance, importance_lower, importance_upper, performance, performance_lower,
        performance_upper. Importance: points, of 100, by which the target rises when the construct or item rises by one
        point. Performance: mean, 0 to 100.
    draws, failed : int
        Bootstrap draws behind the intervals, and those left out.
    """

    fit: Pls
    target: str
    performance: float
    constructs: pd.DataFrame = field(repr=False)
    items: pd.DataFrame = field(repr=False)
    draws: int
    failed: int

    def to_table(self) -> Table:
        """Return the constructs as a Table."""
        return Table.from_frame(
            self.constructs,
            id=f"pls-ipma-{''.join(c for c in self.target if c.isascii() and c.isalnum())}",
            caption=f"Importance and performance for {self.target}",
            note=f"N = {self.fit.n}; performance of {self.target} {self.performance:.1f}. Percentile intervals of "
            f"{self.draws - self.failed:,} bootstrap draws.",
        )

    def __str__(self) -> str:
        """Return the constructs as text."""
        return self.to_table().to_text()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_table().to_html()


def pls_ipma(
    fit: Pls,
    target: str,
    *,
    scale: tuple[float, float] | Mapping[str, tuple[float, float]],
    draws: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    workers: int = 1,
    progress: bool | Tell | None = None,
) -> PlsImportance:
    """Return the importance-performance map of an outcome on a scale from 0 to 100.

    Parameters
    ----------
    fit : Pls
        From numeric answers, in one stage, without PLSc; every item in the direction of its construct.
    target : str
        Construct that others act on.
    scale : (float, float) or mapping of item to (float, float)
        Lowest and highest possible answer; the sample need not hold them, so they are not guessed.
    draws : int, default 1000
        For percentile intervals.
    seed, workers, progress
        As for `pls_bootstrap`.
    level : float, default 0.95

    Returns
    -------
    PlsImportance

    Raises
    ------
    SpecificationError
        `target` is no construct that others act on.
    ConfigurationError
        Answers outside the scale, or an argument that makes no sense.
    NotSupported
        A matrix, several stages, PLSc, ordered items; or negative weights, with which scores leave 0 to 100.

    Notes
    -----
    Answers are brought to 0-100; weights to those of unstandardised items with sum 1, so that a composite is a weighted
    mean of its items. Importance is the total effect between such composites; for an item it is that of its construct
    times its weight.

    References
    ----------
    Ringle, C. M. and Sarstedt, M. (2016). Gain more insight from your PLS-SEM results: The importance-performance map
    analysis. Industrial Management and Data Systems, 116, 1865-1886. doi:10.1108/IMDS-10-2015-0449
    """
    check_drawable(fit, "pls_ipma", draws=draws, seed=seed, workers=workers)
    check_plain(fit, "pls_ipma")
    if not 0.0 < level < 1.0:
        raise ConfigurationError(f"level={level!r} is not a coverage between 0 and 1.")
    drivers = _drivers(fit, target)
    rows = _rescaled(fit, scale)
    if (fit.weights < 0).any():
        odd = [fit.model.items[fit.model.design.item[k]] for k in np.flatnonzero(fit.weights < 0)]
        raise NotSupported(
            f"Negative weights ({', '.join(odd)}): a composite is then no mean of its items. Reverse items that are "
            "worded against their construct, or leave out those that add nothing."
        )
    goal = fit.model.constructs.index(target)
    with one_thread():
        source = products(rows)

        def work(block: int) -> Part:
            cov, mean = resample_moments(source, stream(seed, block, 0), LANES)
            found, converged = _map(fit, cov, mean, goal)
            return found, converged, converged

        parts = in_blocks(work, draws, workers, progress)
        centred = rows - rows.mean(axis=0)
        own, _ = _map(fit, (centred.T @ centred / len(rows))[:, :, None], rows.mean(axis=0)[:, None], goal)
    drawn, converged = (np.concatenate([part[k] for part in parts], axis=-1)[..., :draws] for k in (0, 1))
    if converged.sum() < 2:
        raise ConfigurationError(f"{int(converged.sum())} of {draws} draws converged; intervals need two at least.")
    value = own[:, 0]
    lower, upper = interval(value, drawn[:, converged], "percentile", level, np.zeros(len(value)))
    design, size = fit.model.design, fit.model.design.size
    entries = np.flatnonzero(np.isin(design.construct, drivers))

    def frame(first: NDArray[np.intp], second: NDArray[np.intp]) -> dict[str, Array]:
        out = {}
        for name, rows_of in (("importance", first), ("performance", second)):
            out[name], out[f"{name}_lower"], out[f"{name}_upper"] = value[rows_of], lower[rows_of], upper[rows_of]
        return out

    by_item, base = 2 * size, 2 * size + len(design.item)
    names = np.array(fit.model.constructs)
    return PlsImportance(
        fit=fit,
        target=target,
        performance=float(value[size + goal]),
        constructs=pd.DataFrame({"construct": names[drivers], **frame(drivers, size + drivers)}),
        items=pd.DataFrame(
            {
                "construct": names[design.construct[entries]],
                "item": [fit.model.items[i] for i in design.item[entries]],
                **frame(by_item + entries, base + entries),
            }
        ),
        draws=draws,
        failed=int((~converged).sum()),
    )


def _drivers(fit: Pls, target: str) -> NDArray[np.intp]:
    """Return the constructs that act on the target, at once or by way of others."""
    names = fit.model.constructs
    if target not in names:
        raise SpecificationError(f"{target!r} is no construct of the model. {nearest(target, names)}".strip())
    graph = structure(fit.model)
    goal = names.index(target)
    found = [j for j in range(len(names)) if goal in graph.reached(j)]
    if not found:
        raise SpecificationError(f"Nothing acts on {target}, so nothing is important for it.")
    return np.array(found, dtype=np.intp)


def _rescaled(fit: Pls, scale: tuple[float, float] | Mapping[str, tuple[float, float]]) -> Array:
    """Return the answers from 0 to 100."""
    assert fit.rows is not None
    ends = []
    for k, item in enumerate(fit.model.items):
        if isinstance(scale, Mapping) and item not in scale:
            raise ConfigurationError(f"scale has no entry for {item}.")
        low, high = scale[item] if isinstance(scale, Mapping) else scale
        column = fit.rows[:, k]
        if not low < high or column.min() < low or column.max() > high:
            raise ConfigurationError(
                f"{item}: answers from {column.min():g} to {column.max():g} do not lie on the scale from {low:g} to "
                f"{high:g}."
            )
        ends.append((low, high))
    lowest, highest = np.array(ends, dtype=np.float64).T
    return np.asarray(100.0 * (fit.rows - lowest) / (highest - lowest))


def _map(fit: Pls, cov: Array, mean: Array, goal: int) -> tuple[Array, NDArray[np.bool_]]:
    """Return importance and performance of constructs, then of entries, shape (2 J + 2 m, L), and what converged.

    Parameters
    ----------
    fit : Pls
    cov, mean : ndarray, shape (p, p, L) and (p, L)
        Of the answers from 0 to 100.
    goal : int
        The target.
    """
    design = fit.model.design
    sd = np.sqrt(np.maximum(np.einsum("iil->il", cov), 0.0))
    solved = again(fit, Sample(standardised(cov)))
    raw = solved.composites.weights / sd[design.item]
    spread, level = np.empty((2, design.size, cov.shape[2]))
    for j in range(design.size):
        own = design.entries(j)
        total = raw[own].sum(axis=0)
        raw[own] /= total
        # The composite of standardised items has unit variance; dividing its weights by their sum divides its spread.
        spread[j] = 1.0 / total
        level[j] = (raw[own] * mean[design.item[own]]).sum(axis=0)
    effect = total_effects(fit.model, solved.paths)[goal] * spread[goal] / spread
    items = effect[design.construct] * raw
    return np.concatenate([effect, level, items, mean[design.item]]), solved.converged
