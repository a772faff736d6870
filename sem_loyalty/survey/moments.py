"""Moments: all that an estimator sees of the data, whether from a survey or from a printed matrix."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.ordinal import OrdinalStatistics
from sem_loyalty.kernel.patterns import Patterns

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GroupMoments:
    """Sample moments of one group.

    Attributes
    ----------
    label : str
        The value of the grouping variable; "" where there is one group.
    n : int
        Respondents used.
    cov : ndarray, shape (p, p)
        Covariance matrix divided by n (not n - 1), the maximum-likelihood convention of lavaan. With missing answers
        kept, the maximum-likelihood estimate of the saturated model, and `mean` with it.
    mean : ndarray, shape (p,), or None
        Means; None where only a covariance matrix was given.
    """

    label: str
    n: int
    cov: Array
    mean: Array | None


@dataclass(frozen=True, slots=True)
class Moments:
    """Sample moments of every group, over the same variables in the same order.

    Attributes
    ----------
    names : tuple of str, length p
        Observed variables.
    groups : tuple of GroupMoments
        At least one, in order of appearance.
    n_collected : int
        Rows before the missing-data rule; equal to `n` where nothing was dropped.
    missing : str
        The missing-data rule: "listwise"; "fiml" or "pairwise" where missing answers are kept; "none" for a matrix
        given as input.
    raw : tuple of ndarray, each of shape (n_g, p), or None
        The rows behind the moments, by group, NaN where an answer is missing; None for a matrix given as input.
    ordinal : tuple of OrdinalStatistics, or None
        Thresholds and polychoric correlations by group, where items are analysed as ordinal. `groups` then holds the
        correlations in place of covariances.
    patterns : tuple of Patterns, or None
        With `missing="fiml"`, the rows of every group by pattern of missing answers, as the saturated model found them.
    """

    names: tuple[str, ...]
    groups: tuple[GroupMoments, ...]
    n_collected: int
    missing: str
    raw: tuple[Array, ...] | None = field(default=None, repr=False)
    ordinal: tuple[OrdinalStatistics, ...] | None = field(default=None, repr=False)
    patterns: tuple[Patterns, ...] | None = field(default=None, repr=False, compare=False)

    @property
    def n(self) -> int:
        """Respondents used, over all groups."""
        return sum(group.n for group in self.groups)
