"""The saturated model of incomplete normal data: expectation-maximisation, accelerated.

One step goes to the mean and covariance matrix that complete answers would be expected to have (`kernel.expectation`;
Dempster, Laird and Rubin 1977, doi:10.1111/j.2517-6161.1977.tb01600.x).
Steps are extrapolated from the last few (Anderson 1965, doi:10.1145/321296.321305; Walker and Ni 2011,
doi:10.1137/10078356X); where that does not raise the likelihood, the plain step is taken, which always does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.expectation import expectation
from sem_loyalty.kernel.likelihood import spd_inverse
from sem_loyalty.kernel.patterns import Patterns

Array = NDArray[np.float64]

# Steps that an extrapolation looks back at.
MEMORY = 8
# An item of which less is its own counts as a function of the others: where this share vanishes, the likelihood rises
# without end, and is lost in rounding errors.
SINGULAR = 1e-7


@dataclass(frozen=True, slots=True)
class Step:
    """One step of expectation-maximisation.

    Attributes
    ----------
    mean, cov : ndarray, shapes (p,) and (p, p)
        Where it leads.
    value : float
        -2 log L per respondent, less its constant, where it started.
    least : float
        Least share of the variance of an item, where it started, that the others do not explain.
    """

    mean: Array
    cov: Array
    value: float
    least: float


def em_step(patterns: Patterns, mean: Array, cov: Array) -> Step | None:
    """Return one step from a mean and covariance matrix, or None where the matrix is not positive definite."""
    solved = spd_inverse(cov)
    if solved is None:
        return None
    found = expectation(patterns, mean, *solved)
    if found is None:
        return None
    moved = found.second - np.outer(found.shift, found.shift)
    least = 1.0 / float((np.diagonal(cov) * np.diagonal(found.inverse)).max())
    return Step(mean + found.shift, 0.5 * (moved + moved.T), found.value, least)


def available_moments(patterns: Patterns) -> tuple[Array, Array]:
    """Return means of the answers present, and covariances (divisor pairs) of the rows that answered both items.

    Covariances that nobody's answers tell are zero; the matrix need not be positive definite. Shapes (p,) and (p, p).
    """
    seen = patterns.seen.astype(np.float64)
    mean = (patterns.weight * patterns.level) @ patterns.rows / (patterns.share @ seen)
    apart = patterns.deviations(mean)
    pairs = (seen.T * patterns.share) @ seen
    cov = (apart.T * patterns.weight) @ apart
    return mean, np.divide(cov, pairs, out=np.zeros_like(cov), where=pairs > 0)


def saturated_moments(
    patterns: Patterns, *, tolerance: float = 1e-10, iterations: int = 5000
) -> tuple[Array, Array] | None:
    """Return the maximum-likelihood mean and covariance matrix (divisor n), shapes (p,) and (p, p).

    Parameters
    ----------
    patterns : Patterns
        Every item has variance among the answers present.
    tolerance : float, default 1e-10
        No mean or covariance, in standard deviations of the answers present, moves by more in the last step.
    iterations : int, default 5000
        Steps at most.

    Returns
    -------
    tuple of ndarray, or None
        None where the covariance matrix becomes singular, or the steps do not end.
    """
    p = patterns.seen.shape[1]
    centre, start = available_moments(patterns)
    scale = np.sqrt(np.diagonal(start))
    # Answers in standard units, so that neither large means nor unequal units cost digits.
    standard = replace(patterns, rows=patterns.deviations(centre) / scale)
    start = start / scale / scale[:, None]
    if spd_inverse(start) is None:
        start = np.eye(p)
    row, col = np.tril_indices(p)
    lower, place = row * p + col, np.zeros((p, p), dtype=np.intp)
    place[row, col] = place[col, row] = p + np.arange(len(row))
    x = np.concatenate([np.zeros(p), start.take(lower)])
    best: Array | None = None
    value = np.inf
    # The last move and where it ended, and by how much they differed from those before them.
    last: tuple[Array, Array] | None = None
    by_move: list[Array] = []
    by_end: list[Array] = []
    for _iteration in range(iterations):
        step = em_step(standard, x[:p], x.take(place))
        if best is not None and (step is None or step.value > value + 1e-12 * (1.0 + abs(value))):
            # The extrapolation went too far: on from the plain step before it.
            x, best = best, None
            last, by_move, by_end, value = None, [], [], np.inf
            continue
        if step is None or step.least < SINGULAR:
            return None
        value = step.value
        end = np.concatenate([step.mean, step.cov.take(lower)])
        move = end - x
        best, x = end, end
        if last is not None:
            by_move, by_end = [*by_move[1 - MEMORY :], move - last[0]], [*by_end[1 - MEMORY :], end - last[1]]
            share = np.linalg.lstsq(np.array(by_move).T, move, rcond=1e-12)[0]
            x = end - share @ np.array(by_end)
        last = move, end
        if float(np.abs(move).max()) < tolerance:
            # Steps may be far shorter than the way that is left; the extrapolation is not.
            return centre + scale * x[:p], x.take(place) * scale * scale[:, None]
    return None
