"""The same model with its variables in other units: a second way to the same minimum.

With v' = D v the discrepancy is unchanged if A' = D A D^-1, S' = D S D and m' = D m. Latent variables take the
units of their markers, so fixed loadings keep their meaning; every parameter is multiplied by a known weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.solver import Subspace, affine_subspace
from sem_loyalty.model.scatter import place, variables
from sem_loyalty.model.spec import Specification

Array = NDArray[np.float64]


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
        return Units(scale, weight, found)
    return None


def _row(coefficients: tuple[tuple[int, float], ...], size: int) -> Array:
    row = np.zeros(size)
    for index, coefficient in coefficients:
        row[index] = coefficient
    return row


def _scales(specification: Specification, units: Array) -> Array:
    """Return D for all variables: the units of the items, and of each latent variable those of its marker."""
    scale = {name: float(units[i]) for i, name in enumerate(specification.observed)}
    pending = list(specification.latent)
    while pending:
        rest = []
        for latent in pending:
            loadings = [r for r in specification.parameters if r.op == "=~" and r.lhs == latent]
            marker = next((r.rhs for r in loadings if r.value not in (None, 0.0)), None)
            if marker is None:
                scale[latent] = 1.0
            elif marker in scale:
                scale[latent] = scale[marker]
            else:
                rest.append(latent)
        if len(rest) == len(pending):
            break
        pending = rest
    return np.array([scale.get(name, 1.0) for name in (*specification.observed, *specification.latent)])


def _weights(specification: Specification, scale: Array) -> Array | None:
    """Return the weight of every parameter, or None where two places of one parameter disagree."""
    position = variables(specification)
    weight = np.full(specification.n_free, np.nan)
    for row in specification.parameters:
        at = place(row, position)
        if at.matrix == "A":
            factor = scale[at.row] / scale[at.col]
        elif at.matrix == "S":
            factor = scale[at.row] * scale[at.col]
        elif at.matrix == "d":
            factor = 1.0 / scale[at.row]
        else:
            factor = scale[at.row]
        if row.free < 0:
            # A fixed value moves with its units; a fixed loading that shares a label would contradict the label.
            continue
        if np.isnan(weight[row.free]):
            weight[row.free] = factor
        elif abs(weight[row.free] / factor - 1.0) > 1e-12:
            return None
    return weight
