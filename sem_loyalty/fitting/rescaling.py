"""The same model with its variables in other units: a second way to the same minimum.

With v' = D v the discrepancy is unchanged if A' = D A D^-1, S' = D S D and m' = D m. Latent variables take the
units of their markers, so fixed loadings keep their meaning; every parameter is multiplied by a known weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.solver import Subspace, affine_subspace
from sem_loyalty.model.scatter import places, variables
from sem_loyalty.model.spec import Specification, kept

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Units:
    """Other units for every variable of a model.

    Attributes
    ----------
    scale : ndarray, shape (v,)
        D, observed variables first.
    weight : ndarray, shape (q,)
        theta in the new units = weight * theta.
    space : Subspace
        The linear constraints in the new units.
    """

    scale: Array
    weight: Array
    space: Subspace


def other_units(specification: Specification, sd: Array, space: Subspace) -> Units | None:
    """Return units that differ from item to item, or None where a shared parameter forbids any.

    Equal parameters of differently scaled items would no longer be equal; then all items share one new unit.

    Parameters
    ----------
    specification : Specification
    sd : ndarray, shape (p,)
        Standard deviations of the observed variables.
    space : Subspace
    """
    spread = np.resize(np.array([1.0, 3.0, 0.4]), len(sd))
    common = float(np.exp(np.mean(np.log(sd))))
    for units in (spread / sd, np.full(len(sd), 3.0 / common)):
        scale = _scales(specification, units)
        weight = _weights(specification, scale)
        if weight is None:
            continue
        found = space
        if space.constrained:
            matrix = np.array([_row(c.coefficients, len(weight)) for c in specification.constraints]) / weight
            shifted = affine_subspace(matrix, np.array([c.right for c in specification.constraints]))
            if shifted is None:
                continue
            found = shifted
        if space.restrictions is not None:
            found = replace(found, restrictions=space.restrictions.rescaled(weight))
        return Units(scale, weight, found)
    return None


def _row(coefficients: tuple[tuple[int, float], ...], size: int) -> Array:
    row = np.zeros(size)
    for index, coefficient in coefficients:
        row[index] = coefficient
    return row


def _scales(specification: Specification, units: Array) -> Array:
    """Return D for all variables: the units of the items, and of each latent variable those of its marker."""
    # A variable without a marker item keeps its unit: the last entry.
    return np.asarray(np.append(units, 1.0)[_rulers(specification)])


@kept
def _rulers(specification: Specification) -> Index:
    """Return the item whose units each variable takes, -1 for none, shape (v,)."""
    ruler = {name: i for i, name in enumerate(specification.observed)}
    markers: dict[str, str | None] = {}
    for row in specification.parameters:
        if row.op == "=~" and (row.lhs not in markers or markers[row.lhs] is None):
            markers[row.lhs] = row.rhs if row.value not in (None, 0.0) else None
    pending = list(specification.latent)
    while pending:
        rest = []
        for latent in pending:
            marker = markers.get(latent)
            if marker is None:
                ruler[latent] = -1
            elif marker in ruler:
                ruler[latent] = ruler[marker]
            else:
                rest.append(latent)
        if len(rest) == len(pending):
            break
        pending = rest
    return np.array([ruler.get(name, -1) for name in variables(specification)], dtype=np.intp)


def _weights(specification: Specification, scale: Array) -> Array | None:
    """Return the weight of every parameter, or None where two places of one parameter disagree."""
    # A fixed value moves with its units; a fixed loading that shares a label would contradict the label.
    free, times, also, over = _moves(specification)
    scale = np.append(scale, 1.0)
    factor = scale.take(times) * scale.take(also) / scale.take(over)
    weight = np.empty(specification.n_free)
    weight[free] = factor
    agree = np.abs(weight.take(free) / factor - 1.0) <= 1e-12
    return weight if agree.all() else None


@kept
def _moves(specification: Specification) -> tuple[Index, Index, Index, Index]:
    """Return the parameter of every free row, and by which units it is multiplied, also multiplied, and divided.

    Units are positions of variables; the one after the last stands for none.
    """
    at = places(specification)
    times, also, over = np.full((3, len(at.row)), len(variables(specification)))
    multiplied, scaled = np.isin(at.matrix, ("A", "S", "m", "t")), at.matrix == "d"
    effects, covariances = at.matrix == "A", at.matrix == "S"
    times[multiplied], over[scaled] = at.row[multiplied], at.row[scaled]
    also[covariances], over[effects] = at.col[covariances], at.col[effects]
    rows = at.free >= 0
    return at.free[rows], times[rows], also[rows], over[rows]
