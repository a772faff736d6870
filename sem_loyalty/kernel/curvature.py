"""Matrices of curvature, factored, and the Newton steps that they propose."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.linear_algebra import lapack

Array = NDArray[np.float64]
Rough = NDArray[np.float32]

# From so many parameters on, a matrix is factored in single precision where only the direction counts.
LARGE = 300


@dataclass(frozen=True, slots=True)
class Curvature:
    """A positive definite matrix of curvature M, half the second derivative of F or its expectation, factored.

    Attributes
    ----------
    factor : ndarray, shape (r, r)
        L, lower triangular, in double or single precision: the inverse of M + damping D is U (L L')^-1 U. What stands
        above the diagonal has no meaning.
    damping : float
    shift : ndarray, shape (r,)
        The diagonal of D: that of M, without signs, so that damping knows no units.
    units : ndarray, shape (r,), or None
        The diagonal of U; None for ones.
    """

    factor: Array | Rough
    damping: float
    shift: Array
    units: Array | None = None

    def rescaled(self, units: Array) -> Curvature:
        """Return the curvature of the same function, undamped, in parameters multiplied by `units`."""
        return replace(self, damping=0.0, units=units if self.units is None else self.units * units)

    def inverse(self) -> Array:
        """Return the inverse of M + damping D, exactly symmetric; of a factor in double precision."""
        lower = np.tril(lapack.dpotri(self.factor, lower=1)[0])
        full = lower + np.tril(lower, -1).T
        return np.asarray(full if self.units is None else full * np.outer(self.units, self.units))

    def step(self, slope: Array) -> Step | None:
        """Return the step d with (M + damping D) d = -g / 2, or None where it is not finite."""
        half = -0.5 * slope
        right = half if self.units is None else half * self.units
        solve = lapack.dpotrs if self.factor.dtype == np.float64 else lapack.spotrs
        direction, info = solve(self.factor, right, lower=1)
        if self.units is not None:
            direction *= self.units
        along = float(half @ direction)
        if info != 0 or not math.isfinite(along):
            return None
        # -g'd - d'M d, the fall of F that the quadratic model predicts.
        predicted = along
        if self.damping:
            predicted += self.damping * float(self.shift @ (direction * direction))
        return Step(direction, math.sqrt(max(0.0, along)), predicted)


@dataclass(frozen=True, slots=True)
class Step:
    """A proposed step, its Newton decrement and the fall of F that it promises."""

    direction: Array
    decrement: float
    predicted: float


def curvature_of(matrix: Array, damping: float = 0.0, *, roughly: bool = False) -> Curvature | None:
    """Return M + damping D factored, or None where it is not positive definite.

    Far from the minimum a large matrix is factored in single precision where that is possible, in half the time.
    """
    shift = np.abs(np.diagonal(matrix))
    if damping:
        shift = np.where(np.isfinite(shift) & (shift > 0), shift, 1.0)
        matrix = matrix.copy()
        matrix.ravel()[:: len(matrix) + 1] += damping * shift
    if roughly and len(matrix) >= LARGE:
        single = _single(matrix, damping, shift)
        if single is not None:
            return single
    # A symmetric matrix equals its transpose, whose columns LAPACK takes as they lie.
    factor, info = lapack.dpotrf(matrix.T, lower=1, clean=0)
    return Curvature(factor, damping, shift) if info == 0 else None


def _single(matrix: Array, damping: float, shift: Array) -> Curvature | None:
    """Return a matrix factored in single precision, scaled to a unit diagonal; None where that cannot be had."""
    diagonal = matrix.diagonal()
    if not (diagonal > 0).all():
        return None
    units = 1.0 / np.sqrt(diagonal)
    scaled = matrix * units[:, None]
    scaled *= units
    factor, info = lapack.spotrf(scaled.astype(np.float32).T, lower=1, clean=0, overwrite_a=1)
    return Curvature(factor, damping, shift, units) if info == 0 else None
