"""Criteria that judge a path model of composites, many samples at a time: f squared, VIF, HTMT."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.pls_sem.design import Design
from sem_loyalty.pls_sem.lanes import inverse_diagonal

Array = NDArray[np.float64]


def inner_inflation(design: Design, cor: Array) -> Array:
    """Return the variance inflation factor of every cause in every equation, shape (J, J, L); nan where no path is.

    Parameters
    ----------
    design : Design
    cor : ndarray, shape (J, J, L)
        Correlations of the constructs. The factor is the diagonal of the inverse of those of the causes.
    """
    out = np.full_like(cor, np.nan)
    for i in range(design.size):
        causes = design.causes(i)
        if len(causes):
            out[i, causes] = inverse_diagonal(cor[np.ix_(causes, causes)])
    return out


def effect_sizes(design: Design, cor: Array, paths: Array, r2: Array) -> Array:
    """Return Cohen's f squared of every path, shape (J, J, L); nan where no path is.

    f2 = (R2 with the cause - R2 without it) / (1 - R2 with it) (Cohen 1988, doi:10.4324/9780203771587). R2 falls by
    b^2 / VIF when a cause is left out of its equation; the constructs stay as they are.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(paths**2 / inner_inflation(design, cor) / (1.0 - r2[:, None]))


def ratios(design: Design, correlation: Array) -> Array:
    """Return the heterotrait-monotrait ratio of every pair of constructs, shape (J, J, L).

    As `measurement.htmt.heterotrait_monotrait` with absolute correlations, for many samples at once; nan where it does
    not exist, 1 on the diagonal.

    Parameters
    ----------
    design : Design
    correlation : ndarray, shape (p, p, L)
    """
    items, lanes = correlation.shape[0], correlation.shape[2]
    member = np.zeros((design.size, items))
    member[design.construct, design.item] = 1.0
    halfway = (member @ np.abs(correlation).reshape(items, -1)).reshape(design.size, items, lanes)
    sums = np.einsum("jp,ipl->ijl", member, halfway, optimize=False)
    shared = member @ member.T
    pairs = np.outer(member.sum(axis=1), member.sum(axis=1)) - shared
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (sums - shared[:, :, None]) / pairs[:, :, None]
        within = np.where((member.sum(axis=1) == 1)[:, None], 1.0, np.einsum("jjl->jl", mean))
        root = np.sqrt(np.where(within > 0, within, np.nan))
        out = mean / (root[:, None] * root[None])
    diagonal = np.arange(design.size)
    out[diagonal, diagonal] = 1.0
    return np.asarray(out)
