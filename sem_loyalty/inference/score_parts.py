"""What the indices of parameters that could be freed are computed from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.linear_algebra import lapack

Array = NDArray[np.float64]

# Candidates that are looked at together: what is made of them stays within some megabytes, however many there are.
TOGETHER = 1024


@dataclass(frozen=True, slots=True)
class ScoreParts:
    """First derivatives by k candidates, and what the free parameters, r within the constraints, know of them.

    Attributes
    ----------
    slope : ndarray, shape (k,)
        dF by every candidate.
    information : ndarray, shape (r, r)
        Of the free parameters, per respondent.
    own : ndarray, shape (k,)
        The information of every candidate alone.
    crossed : callable
        Of a slice of the candidates, the cross-information with the free parameters, shape (r, some).
    """

    slope: Array
    information: Array
    own: Array
    crossed: Callable[[slice], Array]

    def remaining(self) -> Array | None:
        """Return every candidate's information given the free parameters, shape (k,); None where those have none."""
        scale = np.sqrt(np.maximum(self.information.diagonal(), 1e-300))
        scaled = self.information / np.outer(scale, scale)
        factor, info = lapack.dpotrf(scaled.T, lower=1)
        out = self.own.copy()
        for first in range(0, len(out), TOGETHER):
            some = slice(first, first + TOGETHER)
            known = self.crossed(some) / scale[:, None]
            if info == 0:
                explained = np.square(lapack.dtrtrs(factor, known, lower=1)[0]).sum(axis=0)
            else:
                try:
                    explained = np.einsum("ij,ij->j", known, np.linalg.solve(scaled, known))
                except np.linalg.LinAlgError:
                    return None
            out[some] -= explained
        return out


def crossed_of(columns: Array) -> Callable[[slice], Array]:
    """Return slices of a matrix with one column per candidate."""
    return lambda some: columns[:, some]
