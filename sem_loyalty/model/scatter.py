"""From the parameter table to the integer indices that the kernel scatters parameters with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import SpecificationError
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.solver import Subspace, affine_subspace, whole_space
from sem_loyalty.model.restrictions import restrictions_of
from sem_loyalty.model.spec import Parameter, Specification

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row of the parameter table stands: matrix "A" (directed), "S" (symmetric) or "m" (intercepts).

    Thresholds ("t") and scales ("d") of ordinal items stand in none of them; `col` counts the thresholds of an item.
    """

    matrix: str
    row: int
    col: int


def variables(specification: Specification) -> dict[str, int]:
    """Return the position of every variable in A, S and m: observed first, latent after."""
    return {name: i for i, name in enumerate((*specification.observed, *specification.latent))}


def place(row: Parameter, position: dict[str, int]) -> Place:
    """Return where a parameter stands. A[i, j] is the effect of variable j on variable i."""
    if row.op == "=~":
        return Place("A", position[row.rhs], position[row.lhs])
    if row.op == "~":
        return Place("A", position[row.lhs], position[row.rhs])
    if row.op == "~~":
        return Place("S", position[row.lhs], position[row.rhs])
    if row.op == "|":
        return Place("t", position[row.lhs], int(row.rhs[1:]) - 1)
    if row.op == "~*~":
        return Place("d", position[row.lhs], 0)
    return Place("m", position[row.lhs], 0)


def blocks(specification: Specification, covs: tuple[Array, ...], means: tuple[Array | None, ...]) -> tuple[Block, ...]:
    """Return one kernel block per group.

    Parameters
    ----------
    specification : Specification
    covs : tuple of ndarray, each (p, p)
        Sample covariance matrices in the order of `specification.observed`; they give the moments of
        exogenous covariates.
    means : tuple of (ndarray or None), each (p,)
        Sample means.
    """
    position = variables(specification)
    return tuple(
        _block(specification, position, group, cov, mean)
        for group, (cov, mean) in enumerate(zip(covs, means, strict=True), start=1)
    )


def _block(specification: Specification, position: dict[str, int], group: int, cov: Array, mean: Array | None) -> Block:
    size = len(position)
    A, S, m = np.zeros((size, size)), np.zeros((size, size)), np.zeros(size)
    entries: dict[str, list[tuple[int, int, int]]] = {"A": [], "S": [], "m": []}
    for row in specification.parameters:
        if row.group != group:
            continue
        at = place(row, position)
        if at.matrix in ("t", "d"):
            continue
        if row.free >= 0:
            entries[at.matrix].append((at.row, at.col, row.free))
            continue
        if row.exogenous:
            value = float(cov[at.row, at.col]) if at.matrix == "S" else float(mean[at.row] if mean is not None else 0.0)
        else:
            value = float(row.value if row.value is not None else 0.0)
        if at.matrix == "A":
            A[at.row, at.col] = value
        elif at.matrix == "S":
            S[at.row, at.col] = S[at.col, at.row] = value
        else:
            m[at.row] = value
    arrays = {name: np.array(found, dtype=np.intp).reshape(-1, 3) for name, found in entries.items()}
    return Block(
        n_observed=len(specification.observed),
        directed=A,
        directed_row=arrays["A"][:, 0],
        directed_col=arrays["A"][:, 1],
        directed_parameter=arrays["A"][:, 2],
        symmetric=S,
        symmetric_row=arrays["S"][:, 0],
        symmetric_col=arrays["S"][:, 1],
        symmetric_parameter=arrays["S"][:, 2],
        intercepts=m,
        intercept_row=arrays["m"][:, 0],
        intercept_parameter=arrays["m"][:, 2],
        means=specification.meanstructure,
    )


def subspace(specification: Specification) -> Subspace:
    """Return the parameter vectors that satisfy the constraints."""
    restrictions = restrictions_of(specification)
    if not specification.constraints:
        return replace(whole_space(specification.n_free), restrictions=restrictions)
    matrix = np.zeros((len(specification.constraints), specification.n_free))
    for i, constraint in enumerate(specification.constraints):
        for index, coefficient in constraint.coefficients:
            matrix[i, index] = coefficient
    found = affine_subspace(matrix, np.array([constraint.right for constraint in specification.constraints]))
    if found is None:
        listed = "; ".join(constraint.text for constraint in specification.constraints)
        raise SpecificationError(f"The constraints contradict each other: {listed}.")
    return replace(found, restrictions=restrictions)
