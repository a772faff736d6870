"""Start values that follow the scale of the items, so that a change of units changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.composites import covariances_of_composites
from sem_loyalty.fitting.measured import Measured, measure
from sem_loyalty.kernel.solver import Subspace
from sem_loyalty.model.spec import Parameter, Specification, kept

Array = NDArray[np.float64]


def start_values(
    specification: Specification,
    covs: tuple[Array, ...],
    means: tuple[Array | None, ...],
    space: Subspace,
    *,
    structural: bool = True,
    measured: Sequence[Measured] | None = None,
) -> Array:
    """Return a start vector that satisfies the constraints, shape (q,).

    Loadings come from one-factor solutions of each block of items, residual variances from their communalities.
    The user's `start()` wins.

    Parameters
    ----------
    specification : Specification
    covs, means : tuple
        Sample moments by group, in the order of `specification.observed`.
    space : Subspace
        Linear equality constraints.
    structural : bool, default True
        Start paths and covariances from composites of the items, corrected for their unreliability; otherwise
        at zero.
    measured : sequence of Measured, optional
        One-factor start values of each group, where they are known already.
    """
    if measured is None:
        measured = [measure(specification, group, cov) for group, cov in enumerate(covs, start=1)]
    theta = np.zeros(specification.n_free)
    for group, (cov, mean) in enumerate(zip(covs, means, strict=True), start=1):
        factors = measured[group - 1]
        between = covariances_of_composites(specification, group, cov, factors) if structural else None
        for row in _to_fill(specification, group):
            value = row.start
            if value is None and between is not None:
                value = between.start(row)
            theta[row.free] = value if value is not None else factors.start(row, cov, mean)
    if space.constrained:
        theta = space.offset + space.basis @ (space.basis.T @ (theta - space.offset))
    return theta


@kept
def _to_fill(specification: Specification, group: int) -> tuple[Parameter, ...]:
    """Return the rows of a group that give start values: the first of each parameter, and those with `start()`."""
    filled: set[int] = set()
    found = []
    for number in range(1, group + 1):
        for row in specification.parameters:
            if row.group != number or row.free < 0 or (row.free in filled and row.start is None):
                continue
            filled.add(row.free)
            if number == group:
                found.append(row)
    return tuple(found)
