"""Scales of the latent variables that the lanes are searched in: by a sum of loadings instead of one.

A latent variable usually has the unit of its marker, an item whose loading is fixed. The sampling error of that one
loading is then in all parameters of the construct, and the curvature of a resample differs from the full sample's by
it. Where the unit is arbitrary the lanes search with the marker's loading free and a weighted sum of all loadings of
the construct fixed, which saves a tenth of the iterations, and more for small samples; their answers are brought back
to the marker's unit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.batch import BatchProblem, projectors_of
from sem_loyalty.kernel.batch import evaluator as evaluator_of
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.solver import Subspace

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Scales:
    """Latent variables whose markers are freed; each adds a parameter, its marker's loading, after the q others.

    Attributes
    ----------
    group, item, latent, number : ndarray of int, shape (markers,)
        The markers, and which of the k added parameters their loadings become: one for all groups where the groups
        share parameters.
    value : ndarray, shape (k,)
        What the loadings are fixed at.
    """

    group: Index
    item: Index
    latent: Index
    number: Index
    value: Array

    def widened(self, theta: Array) -> Array:
        """Return parameters in the markers' units with the markers' loadings, shape (q + k, L)."""
        return np.concatenate([theta, np.repeat(self.value[:, None], theta.shape[1], axis=1)])

    def restored(self, theta: Array, blocks: tuple[Block, ...]) -> tuple[Array, NDArray[np.bool_]]:
        """Return parameters in the markers' units, shape (q, L), and the lanes whose markers kept their sign.

        Parameters
        ----------
        theta : ndarray, shape (q + k, L)
        blocks : tuple of Block
            With fixed markers.
        """
        count = len(theta) - len(self.value)
        unit = theta[count:] / self.value[:, None]
        factor = np.ones((count, theta.shape[1]))
        with np.errstate(all="ignore"):
            for parameter, by_entry in self._factors(unit, blocks):
                factor[parameter] = by_entry
            return theta[:count] * factor, np.asarray((unit > 0).all(axis=0))

    def consistent(self, blocks: tuple[Block, ...]) -> bool:
        """Return whether places that share a parameter agree on what it is multiplied by; tried at generic units."""
        known = np.full(max(int(block.entry_parameter.max()) for block in blocks) + 1, np.nan)
        for parameter, by_entry in self._factors(
            1.0 + np.sqrt(2.0 + np.arange(len(self.value)))[:, None] % 1.0, blocks
        ):
            for k, factor in zip(parameter, by_entry[:, 0], strict=True):
                if abs(known[k] - factor) > 1e-9:
                    return False
                known[k] = factor
        return True

    def _factors(self, unit: Array, blocks: tuple[Block, ...]) -> list[tuple[Index, Array]]:
        """Return by group the parameters of the entries, and what brings them to the markers' units."""
        found = []
        for group, block in enumerate(blocks):
            scale = np.ones((len(block.directed), unit.shape[1]))
            own = self.group == group
            scale[self.latent[own]] = unit[self.number[own]]
            parts = [
                scale[block.directed_row] / scale[block.directed_col],
                scale[block.symmetric_row] * scale[block.symmetric_col],
                scale[block.intercept_row],
            ]
            found.append((block.entry_parameter, np.concatenate(parts)))
        return found


def scales_of(blocks: tuple[Block, ...], space: Subspace) -> Scales | None:
    """Return the latent variables whose unit is arbitrary, None where there is none or parameters are constrained.

    Their unit is arbitrary if one loading of an item is all that is fixed about them at anything but 0.
    """
    if space.constrained:
        return None
    found = [
        (group, item, latent)
        for group, block in enumerate(blocks)
        for latent in range(block.n_observed, len(block.directed))
        if (item := _marker(block, latent)) is not None
    ]
    if not found:
        return None
    group, item, latent = np.array(found, dtype=np.intp).T
    value = np.array([blocks[g].directed[i, j] for g, i, j in found])
    own = Scales(group, item, latent, np.arange(len(found)), value)
    if own.consistent(blocks):
        return own
    _, first, number = np.unique(latent, return_index=True, return_inverse=True)
    common = Scales(group, item, latent, number, value[first])
    same = (item == item[first][number]).all() and (value == value[first][number]).all()
    everywhere = len(found) == len(blocks) * len(first)
    return common if same and everywhere and common.consistent(blocks) else None


def _marker(block: Block, latent: int) -> int | None:
    """Return the item whose loading is all that is fixed about a latent variable at anything but 0."""
    p = block.n_observed
    fixed = np.flatnonzero(block.directed[:, latent])
    others = block.directed[latent].any() or block.symmetric[latent].any() or block.intercepts[latent] != 0
    free = block.directed_row[block.directed_col == latent]
    return int(fixed[0]) if len(fixed) == 1 and fixed[0] < p and not others and (free < p).any() else None


def on_scales(
    problem: BatchProblem, scales: Scales, blocks: tuple[Block, ...], covs: tuple[Array, ...], fixed: Index
) -> BatchProblem:
    """Return the same problem with the markers' loadings free and weighted sums of loadings fixed.

    Parameters
    ----------
    problem : BatchProblem
        In the markers' units.
    scales : Scales
    blocks : tuple of Block
        With fixed markers.
    covs : tuple of ndarray, each (p, p)
        Full-sample covariance matrices; a loading weighs by itself over the variance of its item.
    fixed : ndarray of int
        Positions of fixed covariates.

    Notes
    -----
    With u = (loading of the marker) / (its fixed value), theta = theta' u_row / u_col for an effect, theta' u_row u_col
    for a covariance and theta' u_row for an intercept. Along the directions N that leave the sums alone the slope of
    the map is J N, and theta' = centre' + N (J N)^-1 K C alpha is to the first order what theta was.
    """
    count, k = len(problem.centre), len(scales.value)
    directions = np.concatenate([np.eye(count), np.zeros((k, count))])
    slope = np.eye(count)
    widened = []
    for group, (block, cov) in enumerate(zip(blocks, covs, strict=True)):
        own = np.flatnonzero(scales.group == group)
        unit = np.zeros((len(block.directed), count))
        for marker in own:
            item, latent, number = scales.item[marker], scales.latent[marker], scales.number[marker]
            value = scales.value[number]
            loads = (block.directed_col == latent) & (block.directed_row < block.n_observed)
            parameter, rows = block.directed_parameter[loads], block.directed_row[loads]
            weight = problem.centre[parameter] / cov[rows, rows] * (cov[item, item] / value)
            if not directions[count + number].any():  # the first group speaks for all that share the scale
                directions[count + number, parameter] = -weight
            unit[latent] = directions[count + number] / value
        for parameter, moved in (
            (block.directed_parameter, unit[block.directed_row] - unit[block.directed_col]),
            (block.symmetric_parameter, unit[block.symmetric_row] + unit[block.symmetric_col]),
            (block.intercept_parameter, unit[block.intercept_row]),
        ):
            slope[parameter] = np.eye(count)[parameter] + problem.centre[parameter, None] * moved
        directed = block.directed.copy()
        directed[scales.item[own], scales.latent[own]] = 0.0
        widened.append(
            replace(
                block,
                directed=directed,
                directed_row=np.append(block.directed_row, scales.item[own]),
                directed_col=np.append(block.directed_col, scales.latent[own]),
                directed_parameter=np.append(block.directed_parameter, count + scales.number[own]),
            )
        )
    basis = directions @ np.linalg.solve(slope, problem.basis)
    return BatchProblem(
        evaluators=tuple(evaluator_of(block, fixed) for block in widened),
        weights=problem.weights,
        centre=np.append(problem.centre, scales.value),
        basis=basis,
        projectors=projectors_of(tuple(widened), problem.weights, basis),
    )
