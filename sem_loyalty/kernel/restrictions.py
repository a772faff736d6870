"""Nonlinear equations and inequalities over the parameters: what the minimiser needs to know of them, and tangents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# An inequality within this of its bound, relative to the bound's own size, is active.
ACTIVE = 1e-8
# Singular values of normalised slopes below this share of the largest are zero: the restrictions depend on each other.
DEPENDENT = 1e-9


@dataclass(frozen=True, slots=True)
class Values:
    """Restrictions at one parameter vector.

    Attributes
    ----------
    equations : ndarray, shape (e,)
        Zero where they hold.
    equation_slopes : ndarray, shape (e, q)
    inequalities : ndarray, shape (m,)
        Not negative where they hold.
    inequality_slopes : ndarray, shape (m, q)
    """

    equations: Array
    equation_slopes: Array
    inequalities: Array
    inequality_slopes: Array


class Restrictions(Protocol):
    """Nonlinear equations and inequalities over the parameters."""

    def evaluate(self, theta: Array) -> Values | None:
        """Return values and exact derivatives, or None where one of them is not a number."""

    def curvature(self, theta: Array, on_equations: Array, on_inequalities: Array) -> Array:
        """Return the weighted sum of the second derivatives, shape (q, q)."""

    def snapped(self, theta: Array) -> Array:
        """Return parameters that stand at a bound of their own moved exactly onto it."""

    def rescaled(self, weight: Array) -> Self:
        """Return the same restrictions on parameters multiplied by `weight`."""


def active(values: Values, theta: Array) -> Index:
    """Return which inequalities stand at their bound."""
    size = np.abs(values.inequality_slopes) @ np.maximum(np.abs(theta), 1e-3)
    return np.flatnonzero(values.inequalities <= ACTIVE * np.maximum(size, 1e-300))


def null_space(rows: Array, size: int) -> Array:
    """Return orthonormal directions along which no row changes, shape (size, free)."""
    lengths = np.linalg.norm(rows, axis=1)
    rows = rows[lengths > 0] / lengths[lengths > 0, None]
    if not len(rows):
        return np.eye(size)
    _, singular, vt = np.linalg.svd(rows)
    return np.asarray(vt[int((singular > DEPENDENT * singular[0]).sum()) :].T)
