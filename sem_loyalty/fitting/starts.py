"""Start values that follow the scale of the items, so that a change of units changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.composites import answers_of_composites, structure
from sem_loyalty.fitting.measured import Measured, measure, measurement
from sem_loyalty.kernel.solver import Subspace
from sem_loyalty.model.spec import Parameter, Specification, kept

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# The variance that a construct starts with where its items suggest none.
LEAST_VARIANCE = 0.05


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
        sources = _sources(specification, group)
        values = _of_measurement(cov, mean, measured[group - 1]).take(sources.measurement)
        if structural and len(sources.structural):
            found = answers_of_composites(specification, group, cov, measured[group - 1]).take(sources.structure)
            said = ~np.isnan(found)
            values[sources.structural[said]] = found[said]
        values[sources.written] = sources.values
        theta[sources.free] = values
    if space.constrained:
        theta = space.offset + space.basis @ (space.basis.T @ (theta - space.offset))
    return theta


def _of_measurement(cov: Array, mean: Array | None, measured: Measured) -> Array:
    """Return, in one vector, 0, 1, the loadings, the variances of constructs and residuals of items, and the means."""
    variance = np.abs(measured.variance)
    variance[variance == 0.0] = LEAST_VARIANCE
    residual = cov.diagonal() * (1.0 - measured.explained)
    level = mean if mean is not None else np.zeros(len(cov))
    return np.concatenate([[0.0, 1.0], measured.loading, variance, residual, level])


@dataclass(frozen=True, slots=True, eq=False)
class _Sources:
    """Where the start values of the parameters that a group fills come from.

    Attributes
    ----------
    free : ndarray of int, shape (k,)
        The parameters.
    measurement : ndarray of int, shape (k,)
        The place of each in the vector of `_of_measurement`.
    structural, structure : ndarray of int
        Which of them composites may have an answer to, and its place among the answers.
    written : ndarray of int
        Which of them have a `start()`.
    values : ndarray
        What that is.
    """

    free: Index
    measurement: Index
    structural: Index
    structure: Index
    written: Index
    values: Array


@kept
def _sources(specification: Specification, group: int) -> _Sources:
    rows = _to_fill(specification, group)
    pairs = measurement(specification, group).pairs
    latent = {name: 2 + len(pairs) + j for j, name in enumerate(specification.latent)}
    after = 2 + len(pairs) + len(latent)
    item = {name: after + i for i, name in enumerate(specification.observed)}

    def place(row: Parameter) -> int:
        if row.op == "=~":
            return 2 + pairs[row.lhs, row.rhs]
        if row.op == "~~" and row.lhs == row.rhs:
            return item[row.lhs] if row.lhs in item else latent[row.lhs]
        return item[row.lhs] + len(item) if row.op == "~1" and row.lhs in item else 0

    plan = structure(specification, group)
    several = len(plan.names) > 1
    structural = [(k, plan.place(row)) for k, row in enumerate(rows) if several and plan.place(row) >= 0]
    written = [(k, row.start) for k, row in enumerate(rows) if row.start is not None]
    return _Sources(
        free=np.array([row.free for row in rows], dtype=np.intp),
        measurement=np.array([place(row) for row in rows], dtype=np.intp),
        structural=np.array([k for k, _ in structural], dtype=np.intp),
        structure=np.array([at for _, at in structural], dtype=np.intp),
        written=np.array([k for k, _ in written], dtype=np.intp),
        values=np.array([value for _, value in written], dtype=np.float64),
    )


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
