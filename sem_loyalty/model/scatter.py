"""From the parameter table to the integer indices that the kernel scatters parameters with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import SpecificationError
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.solver import Subspace, affine_subspace, whole_space
from sem_loyalty.model.restrictions import restrictions_of
from sem_loyalty.model.spec import Parameter, Specification, kept

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row of the parameter table stands: matrix "A" (directed), "S" (symmetric) or "m" (intercepts).

    Thresholds ("t") and scales ("d") of ordinal items stand in none of them; `col` counts the thresholds of an item.
    """

    matrix: str
    row: int
    col: int


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where all rows of the parameter table stand, one entry per row.

    Attributes
    ----------
    matrix : ndarray of str
        "A", "S", "m", "t" or "d", as in `Place`.
    row, col, group, free : ndarray of int
        Position in the matrix, the group counted from 0, and the position in the parameter vector, or -1.
    """

    matrix: NDArray[np.str_]
    row: Index
    col: Index
    group: Index
    free: Index


@kept
def places(specification: Specification) -> Places:
    """Return where the rows of the parameter table stand."""
    return places_of(specification, specification.parameters)


def places_of(specification: Specification, rows: Sequence[Parameter]) -> Places:
    """Return where rows stand, those of the parameter table or others over its variables."""
    position = variables(specification)
    found = [place(row, position) for row in rows]
    return Places(
        matrix=np.array([at.matrix for at in found], dtype="<U1"),
        row=np.array([at.row for at in found], dtype=np.intp),
        col=np.array([at.col for at in found], dtype=np.intp),
        group=np.array([row.group - 1 for row in rows], dtype=np.intp),
        free=np.array([row.free for row in rows], dtype=np.intp),
    )


@kept
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
    return tuple(
        _with_covariates(specification, group, cov, mean)
        for group, (cov, mean) in enumerate(zip(covs, means, strict=True), start=1)
    )


def _with_covariates(specification: Specification, group: int, cov: Array, mean: Array | None) -> Block:
    """Return the block of a group with the sample moments of its covariates."""
    block = _block(specification, group)
    if not specification.exogenous:
        return block
    at = places(specification)
    ours = (at.group == group - 1) & _exogenous(specification)
    S, m = block.symmetric.copy(), block.intercepts.copy()
    row, col = (position[ours & (at.matrix == "S")] for position in (at.row, at.col))
    S[row, col] = S[col, row] = cov[row, col]
    shifted = at.row[ours & (at.matrix == "m")]
    m[shifted] = mean[shifted] if mean is not None else 0.0
    return replace(block, symmetric=S, intercepts=m, known=block.layout)


@kept
def _exogenous(specification: Specification) -> NDArray[np.bool_]:
    return np.array([row.exogenous and row.free < 0 for row in specification.parameters])


@kept
def _block(specification: Specification, group: int) -> Block:
    """Return the block of a group; moments of covariates are left at zero."""
    at = places(specification)
    size = len(variables(specification))
    A, S, m = np.zeros((size, size)), np.zeros((size, size)), np.zeros(size)
    for row, matrix, i, j in zip(specification.parameters, at.matrix, at.row, at.col, strict=True):
        if row.group != group or row.free >= 0 or not row.value:
            continue
        if matrix == "A":
            A[i, j] = row.value
        elif matrix == "S":
            S[i, j] = S[j, i] = row.value
        elif matrix == "m":
            m[i] = row.value
    mine = (at.group == group - 1) & (at.free >= 0)
    directed, symmetric, intercepts = (
        tuple(position[mine & (at.matrix == matrix)] for position in (at.row, at.col, at.free))
        for matrix in ("A", "S", "m")
    )
    return Block(
        n_observed=len(specification.observed),
        directed=A,
        directed_row=directed[0],
        directed_col=directed[1],
        directed_parameter=directed[2],
        symmetric=S,
        symmetric_row=symmetric[0],
        symmetric_col=symmetric[1],
        symmetric_parameter=symmetric[2],
        intercepts=m,
        intercept_row=intercepts[0],
        intercept_parameter=intercepts[2],
        means=specification.meanstructure,
    )


@kept
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
