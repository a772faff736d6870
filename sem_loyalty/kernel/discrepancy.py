"""What the minimiser needs to know of an estimator: a value, its slope, and two matrices of curvature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.ram import Implied

Array = NDArray[np.float64]


class Point(Protocol):
    """A parameter vector with everything that derivatives at it share.

    Attributes
    ----------
    theta : ndarray, shape (q,)
        Parameter vector.
    value : float
        F, the discrepancy; N F is the test statistic of the model.
    implied : sequence of Implied
        Implied moments, one per group.
    """

    @property
    def theta(self) -> Array:
        """Parameter vector."""

    @property
    def value(self) -> float:
        """F."""

    @property
    def implied(self) -> Sequence[Implied]:
        """Implied moments by group."""


PointT = TypeVar("PointT", bound=Point)


class Discrepancy(Protocol[PointT]):
    """An estimator's function of the parameters, over all groups.

    Matrices are per respondent: the covariance matrix of maximum-likelihood estimates is the inverse of
    `information` divided by N, and the Newton step is -hessian^-1 gradient / 2.
    """

    @property
    def n_observed(self) -> int:
        """Observed variables over all groups; the rounding error of F grows with it."""

    def evaluate(self, theta: Array) -> PointT | None:
        """Return the point at `theta`, or None where the discrepancy is not defined there."""

    def gradient(self, point: PointT) -> Array:
        """Return dF / d theta, shape (q,)."""

    def information(self, point: PointT) -> Array:
        """Return the expected information, shape (q, q), positive semidefinite."""

    def hessian(self, point: PointT) -> Array:
        """Return half the second derivative of F, shape (q, q)."""

    def rescaled(self, scale: Array) -> Self:
        """Return the same problem with every variable multiplied by its entry of `scale`, latent ones included."""
