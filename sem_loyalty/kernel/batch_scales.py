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
    group, item, latent : ndarray of int, shape (k,)
        The markers.
    value : ndarray, shape (k,)
        What their loadings are fixed at.
    """

    group: Index
    item: Index
    latent: Index
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
        found = theta[:count].copy()
        with np.errstate(all="ignore"):
            for group, block in enumerate(blocks):
                scale = np.ones((len(block.directed), theta.shape[1]))
                own = self.group == group
                scale[self.latent[own]] = unit[own]
                found[block.directed_parameter] *= scale[block.directed_row] / scale[block.directed_col]
                found[block.symmetric_parameter] *= scale[block.symmetric_row] * scale[block.symmetric_col]
                found[block.intercept_parameter] *= scale[block.intercept_row]
        return found, np.asarray((unit > 0).all(axis=0))


def scales_of(blocks: tuple[Block, ...], space: Subspace) -> Scales | None:
    """Return the latent variables whose unit is arbitrary, None where there is none or parameters are constrained.

    Their unit is arbitrary if one loading of an item is all that is fixed about them at anything but 0.
    """
    parameters = np.concatenate([block.entry_parameter for block in blocks])
    if space.constrained or len(np.unique(parameters)) < len(parameters):
        return None
    found = []
    for group, block in enumerate(blocks):
        p = block.n_observed
        for latent in range(p, len(block.directed)):
            fixed = np.flatnonzero(block.directed[:, latent])
            others = block.directed[latent].any() or block.symmetric[latent].any() or block.intercepts[latent] != 0
            free = block.directed_row[block.directed_col == latent]
            if len(fixed) == 1 and fixed[0] < p and not others and (free < p).any():
                found.append((group, int(fixed[0]), latent))
    if not found:
        return None
    at = np.array(found, dtype=np.intp)
    value = np.array([blocks[group].directed[item, latent] for group, item, latent in found])
    return Scales(at[:, 0], at[:, 1], at[:, 2], value)


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
        for number in own:
            item, latent, value = scales.item[number], scales.latent[number], scales.value[number]
            loads = (block.directed_col == latent) & (block.directed_row < block.n_observed)
            parameter, rows = block.directed_parameter[loads], block.directed_row[loads]
            weight = problem.centre[parameter] / cov[rows, rows] * (cov[item, item] / value)
            directions[count + number, parameter] = -weight
            unit[latent, parameter] = -weight / value
        for parameter, moved in (
            (block.directed_parameter, unit[block.directed_row] - unit[block.directed_col]),
            (block.symmetric_parameter, unit[block.symmetric_row] + unit[block.symmetric_col]),
            (block.intercept_parameter, unit[block.intercept_row]),
        ):
            slope[parameter] += problem.centre[parameter, None] * moved
        directed = block.directed.copy()
        directed[scales.item[own], scales.latent[own]] = 0.0
        widened.append(
            replace(
                block,
                directed=directed,
                directed_row=np.append(block.directed_row, scales.item[own]),
                directed_col=np.append(block.directed_col, scales.latent[own]),
                directed_parameter=np.append(block.directed_parameter, count + own),
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
