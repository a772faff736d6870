"""Resampling: how often each respondent is drawn, and the moments of many resamples in one matrix product.

Draws come in blocks of a fixed size. Every block has its own random stream, spawned from the seed by the number of
the block and of the group, so a draw depends on its number alone: not on how many draws are asked for, nor on who
computes them or in which order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Entries of a matrix of counts that are held at a time.
COUNTS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Products:
    """Deviations of the answers from their means, with their products: what resample moments are linear in.

    Attributes
    ----------
    centre : ndarray, shape (p,)
        Sample means.
    rows : ndarray, shape (p + p (p + 1) / 2, n)
        Deviations d, then d_i d_j for i >= j, by rows of the lower triangle.
    place : ndarray of int, shape (p, p)
        Where the product of i and j stands among the products.
    """

    centre: Array
    rows: Array
    place: NDArray[np.intp]


def products(answers: Array) -> Products:
    """Return the products of the answers of one group, shape (n, p)."""
    centre = answers.mean(axis=0)
    d = np.ascontiguousarray((answers - centre).T)
    row, col = np.tril_indices(len(d))
    place = np.empty((len(d), len(d)), dtype=np.intp)
    place[row, col] = place[col, row] = np.arange(len(row))
    return Products(centre=centre, rows=np.concatenate([d, d[row] * d[col]]), place=place)


def stream(seed: int, block: int, group: int) -> np.random.Generator:
    """Return the random stream of one block of draws in one group."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(block, group))))


def counts(generator: np.random.Generator, n: int, draws: int) -> Array:
    """Return how often each of n respondents is drawn when n are drawn with replacement, shape (draws, n)."""
    drawn = generator.integers(0, n, size=(draws, n), dtype=np.int64)
    drawn += np.arange(draws)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=draws * n).reshape(draws, n).astype(np.float64)


def resample_moments(found: Products, generator: np.random.Generator, draws: int) -> tuple[Array, Array]:
    """Return the moments of bootstrap resamples.

    Parameters
    ----------
    found : Products
        The answers of one group.
    generator : Generator
        Its stream for this block.
    draws : int
        Resamples.

    Returns
    -------
    cov : ndarray, shape (p, p, draws)
        Covariance matrices divided by n.
    mean : ndarray, shape (p, draws)
        Means.
    """
    packed, mean = packed_moments(found, generator, draws)
    return packed[found.place], mean


def packed_moments(found: Products, generator: np.random.Generator, draws: int) -> tuple[Array, Array]:
    """Return the moments of bootstrap resamples, every covariance once.

    Parameters
    ----------
    found, generator, draws
        As in `resample_moments`.

    Returns
    -------
    cov : ndarray, shape (p (p + 1) / 2, draws)
        Lower triangles by rows; `Products.place` says where an element stands.
    mean : ndarray, shape (p, draws)
        Means.
    """
    n, p = found.rows.shape[1], len(found.centre)
    # A function of n alone, so that the shape of the product, and with it its rounding, is the same in every run.
    width = max(1, min(draws, COUNTS_AT_ONCE // n))
    moments = np.empty((len(found.rows), draws))
    for first in range(0, draws, width):
        weights = counts(generator, n, min(width, draws - first))
        np.matmul(found.rows, weights.T, out=moments[:, first : first + width])
    moments /= n
    deviation, cov = moments[:p], moments[p:]
    work = np.empty_like(deviation)
    for i, row in enumerate(lower_rows(p)):
        cov[row] -= np.multiply(deviation[: i + 1], deviation[i], out=work[: i + 1])
    return cov, found.centre[:, None] + deviation


def lower_rows(p: int) -> list[slice]:
    """Return where each row of a lower triangle stands among its elements, packed by rows."""
    return [slice(i * (i + 1) // 2, (i + 1) * (i + 2) // 2) for i in range(p)]


def under_the_model(answers: Array, cov: Array, implied_cov: Array, implied_mean: Array | None) -> Array:
    """Return the answers moved to where the model holds exactly, shape (n, p).

    Y = (y - ybar) S^-1/2 Sigma^1/2, symmetric roots: the moments of Y are those that the model implies
    (Bollen and Stine 1992, doi:10.1177/0049124192021002004).

    Parameters
    ----------
    answers : ndarray, shape (n, p)
    cov : ndarray, shape (p, p)
        S, divided by n.
    implied_cov : ndarray, shape (p, p)
        Sigma.
    implied_mean : ndarray, shape (p,), optional
        Means that the model implies; by default those of the answers.
    """
    mean = answers.mean(axis=0)
    lower, upper = _root(cov), _root(implied_cov)
    moved = np.linalg.solve(lower, (answers - mean).T).T @ upper
    return np.asarray(moved + (mean if implied_mean is None else implied_mean))


def _root(matrix: Array) -> Array:
    """Return the symmetric square root: it keeps every item closest to itself."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
