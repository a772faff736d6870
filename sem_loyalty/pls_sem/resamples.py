"""A path model of composites estimated again: from resamples, from parts of the sample, in blocks and threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.inference.progress import Progress, Tell
from sem_loyalty.kernel.ordinal import polychoric_matrix
from sem_loyalty.kernel.resample import Products
from sem_loyalty.pls_sem.solution import Pls
from sem_loyalty.pls_sem.solve import Sample, Solved, solve

Array = NDArray[np.float64]
Part = tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]
"""Values (k, L) of a block of draws, and two flags (L,) of every draw."""

# Draws that share a random stream: a constant, so that a draw is the same however many are asked for.
LANES = 1000
# Draws stop here, as PLS programs do for the sample itself; what is left is some millionths of a standard error.
TOLERANCE = 1e-7
# A share of the largest variance of an item over the samples.
NO_VARIANCE = 1e-12


def check_drawable(fit: Pls, who: str, **whole: int) -> None:
    """Raise unless the fit has answers to draw from and the named arguments are whole numbers."""
    for name, value in whole.items():
        least = 0 if name == "seed" else 1
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ConfigurationError(f"{name}={value!r} must be a whole number, {least} or more.")
    if fit.rows is None:
        raise NotSupported(f"{who} needs respondents: estimate the model from `data`, not from `sample_cov`.")


def answers(fit: Pls) -> Array:
    """Return the standardised answers, shape (n, p)."""
    assert fit.rows is not None
    centred = fit.rows - fit.rows.mean(axis=0)
    return np.asarray(centred / centred.std(axis=0))


def in_blocks(work: Callable[[int], Part], draws: int, workers: int, progress: bool | Tell | None) -> list[Part]:
    """Return the blocks of draws in their order, computed in threads where there are several workers."""
    blocks = range(-(-draws // LANES))
    bar = Progress(draws, progress, "draws")
    parts: list[Part] = []

    def collect(found: Iterator[Part]) -> None:
        for part in found:
            parts.append(part)
            bar.update(min(draws, len(parts) * LANES))

    try:
        if workers == 1:
            collect(map(work, blocks))
        else:
            with ThreadPoolExecutor(workers) as pool:
                collect(pool.map(work, blocks))
    finally:
        bar.close()
    return parts


def reweighted(fit: Pls, source: Products, often: Array) -> Sample:
    """Return the samples in which respondents count as often as `often`, shape (n, L), says."""
    if fit.ordered:
        return Sample(_polychoric(fit, often))
    total = often.sum(axis=0)
    moments = source.rows @ often / total
    deviation = moments[: len(source.centre)]
    cov = moments[len(source.centre) :][source.place] - deviation[:, None] * deviation[None, :]
    return Sample(standardised(cov), fit.rows, often)


def _polychoric(fit: Pls, often: Array) -> Array:
    """Return the polychoric correlations of every sample; nan where an item has one category left."""
    assert fit.rows is not None
    out = np.full((fit.rows.shape[1], fit.rows.shape[1], often.shape[1]), np.nan)
    for lane in range(often.shape[1]):
        drawn = fit.rows[np.repeat(np.arange(fit.n), often[:, lane].astype(np.intp))]
        codes = np.column_stack([np.unique(column, return_inverse=True)[1] for column in drawn.T])
        if (codes.max(axis=0) > 0).all():
            out[:, :, lane] = polychoric_matrix(codes)
    return out


def standardised(cov: Array) -> Array:
    """Return correlations from covariances, shape (p, p, L), in place; nan where an item does not vary in a sample."""
    variance = np.einsum("iil->il", cov)
    # What is left of a constant item is rounding.
    varies = variance > NO_VARIANCE * variance.max(axis=1, keepdims=True)
    scale = 1.0 / np.sqrt(np.where(varies, variance, np.nan))
    cov *= scale[:, None]
    cov *= scale[None]
    return cov


def again(fit: Pls, sample: Sample) -> Solved:
    """Estimate the model of a fit from other samples, turned towards the fit."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return solve(fit.model, sample, fit.scheme, consistent=fit.consistent, guides=fit.guides, tolerance=TOLERANCE)


def own_sample(fit: Pls) -> Sample:
    """Return the sample that a fit is of."""
    return Sample(fit.base_correlation()[:, :, None], None if fit.ordered else fit.rows)


def leave_one_out(fit: Pls, source: Products) -> Iterator[Sample]:
    """Yield samples without one respondent each, up to LANES at a time."""
    for first in range(0, fit.n, LANES):
        often = np.ones((fit.n, min(LANES, fit.n - first)))
        lane = np.arange(often.shape[1])
        often[first + lane, lane] = 0.0
        yield reweighted(fit, source, often)
