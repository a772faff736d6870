"""Fitting a model to resamples, block by block: every block depends on its number alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.standardise import Scaling, scaling
from sem_loyalty.inference.uncertainty import answers, fixed_positions, maximum
from sem_loyalty.kernel.batch import BatchProblem, batch_problem, minimise_lanes, minimise_one
from sem_loyalty.kernel.batch_scales import Scales, on_scales, scales_of
from sem_loyalty.kernel.batch_units import LaneUnits, lane_units, original, rescale
from sem_loyalty.kernel.likelihood import hessian, information
from sem_loyalty.kernel.memory import keep_freed_memory
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.resample import Products, packed_moments, products, stream, under_the_model
from sem_loyalty.kernel.solver import Subspace
from sem_loyalty.model.scatter import Places, places

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Draws of a block, and the memory that the lanes of one block may take; large models have smaller blocks.
BLOCK = 1250
BLOCK_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class RowPlaces:
    """Where the rows of the parameter table come from, as index arrays.

    Attributes
    ----------
    at : Places
        Where the rows stand.
    value : ndarray, shape (rows,)
        Full-sample values of fixed rows.
    exogenous : ndarray of int
        Rows that repeat a moment of the sample.
    scaling : Scaling
        By which standard deviations they are multiplied and divided.
    """

    at: Places
    value: Array
    exogenous: Index
    scaling: Scaling


class Drawing(Protocol):
    """What blocks of draws are computed from."""

    @property
    def seed(self) -> int:
        """Of all random streams."""

    @property
    def lanes(self) -> int:
        """Draws of a block."""

    def draw(self, block: int) -> Drawn:
        """Draw and fit one block of resamples."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a block of draws is computed from.

    Attributes
    ----------
    problem : BatchProblem
    products : tuple of Products
        Answers by group, moved under the model for "bollen-stine".
    blocks, weights, space, fixed, units, scales
        The model as the kernel sees it.
    places : RowPlaces
    seed : int
    lanes : int
        Draws of a block.
    test : bool
        Whether the chi-square of every draw is wanted.
    """

    problem: BatchProblem
    products: tuple[Products, ...]
    blocks: tuple[Block, ...]
    weights: tuple[float, ...]
    space: Subspace
    fixed: Index
    units: LaneUnits | None
    scales: Scales | None
    places: RowPlaces
    seed: int
    lanes: int
    test: bool

    def draw(self, block: int) -> Drawn:
        """Draw and fit one block of resamples."""
        keep_freed_memory()
        covs, means = [], []
        for group, one in enumerate(self.products):
            cov, mean = packed_moments(one, stream(self.seed, block, group), self.lanes)
            covs.append(cov)
            means.append(mean)
        constant = np.zeros(self.lanes)
        if self.test:
            for weight, one, cov in zip(self.weights, self.products, covs, strict=True):
                constant += weight * (np.linalg.slogdet(np.moveaxis(cov[one.place], -1, 0))[1] + len(one.place))
        worked, moved, factors = covs, means, []
        if self.units is not None:
            worked, moved = [cov.copy() for cov in covs], [mean.copy() for mean in means]
            factors = rescale(self.units, worked, moved, self.weights)
            for weight, factor in zip(self.weights, factors, strict=True):
                constant += 2.0 * weight * np.log(factor).sum(axis=0)
        samples = tuple(
            one.arrange(cov, mean, source.place)
            for one, cov, mean, source in zip(self.problem.evaluators, worked, moved, self.products, strict=True)
        )
        found = minimise_lanes(self.problem, samples)
        theta, value, converged = found.theta, found.value - constant, found.converged.copy()
        useful = np.isfinite(value)
        if self.scales is not None:
            theta, upright = self.scales.restored(theta, self.blocks)
            converged &= upright
            useful &= upright
        if self.units is not None:
            theta = original(self.units, self.blocks, theta, factors)
        single = ~converged
        for lane in np.flatnonzero(single):
            moments = tuple(
                (cov[:, lane][one.place], mean[:, lane].copy())
                for one, cov, mean in zip(self.products, covs, means, strict=True)
            )
            # The lane's last point is lower than the full sample's, and nearer to what there is to find.
            start = theta[:, lane] if useful[lane] else self.problem.centre[: len(theta)]
            again = minimise_one(self.blocks, self.weights, moments, (start,), self.space, self.fixed)
            if again is not None:
                theta[:, lane], converged[lane] = again[0], True
                fitted = sum(
                    weight * (np.linalg.slogdet(cov)[1] + len(cov))
                    for weight, (cov, _) in zip(self.weights, moments, strict=True)
                )
                value[lane] = again[1] - fitted
        theta[:, ~converged] = np.nan
        values = standardised_rows(self, theta, covs, means)
        values[:, :, ~converged] = np.nan
        fit = np.where(converged, value, np.nan) if self.test else np.full(self.lanes, np.nan)
        return Drawn(values=values, fit=fit, converged=converged, single=single)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The draws of one block, or of all.

    Attributes
    ----------
    values : ndarray, shape (3, rows, L)
        Rows of the parameter table: raw, std_lv, std_all. nan for a draw that did not converge.
    fit : ndarray, shape (L,)
        Minimum of F; nan where not asked for.
    converged, single : ndarray of bool, shape (L,)
        Whether the draw converged, and whether it took a second search.
    """

    values: Array
    fit: Array
    converged: NDArray[np.bool_]
    single: NDArray[np.bool_]


def make_plan(fit: Fit, seed: int, kind: str) -> Plan:
    """Return the plan of a bootstrap.

    Raises
    ------
    ConfigurationError
        The information at the solution is singular.
    """
    weights = tuple(sample.weight for sample in fit.samples)
    fixed = np.array(fixed_positions(fit), dtype=np.intp)
    problem = None
    for curvature in (hessian, information):
        if problem is None:
            matrix = curvature(fit.blocks, fit.samples, maximum(fit))
            problem = batch_problem(fit.blocks, weights, fit.theta, matrix, fit.space, fixed)
    if problem is None:
        raise ConfigurationError(
            "The information of this solution is singular, so resamples have no minimum to look for near it. "
            "See `fit.certificate.problems` for the parameters at fault."
        )
    rows = answers(fit)
    if kind == "bollen-stine":
        rows = tuple(
            under_the_model(one, sample.cov, at.cov, np.asarray(at.mean) if fit.specification.meanstructure else None)
            for one, sample, at in zip(rows, fit.samples, fit.point.implied, strict=True)
        )
    size = len(fit.theta)
    taken = sum(one.lane_bytes for one in problem.evaluators) + 8 * 30 * size
    lanes = int(np.clip(BLOCK_BYTES // taken // 50 * 50, 50, BLOCK))
    covs = tuple(sample.cov for sample in fit.samples)
    units = lane_units(fit.blocks, covs, weights, fit.space, fixed)
    scales = scales_of(fit.blocks, fit.space)
    if scales is not None:
        problem = on_scales(problem, scales, fit.blocks, covs, fixed)
    return Plan(
        problem=problem,
        products=tuple(products(one) for one in rows),
        blocks=fit.blocks,
        weights=weights,
        space=fit.space,
        fixed=fixed,
        units=units,
        scales=scales,
        places=row_places(fit),
        seed=seed,
        lanes=lanes,
        test=kind == "bollen-stine",
    )


def row_places(fit: Fit) -> RowPlaces:
    """Return where the rows of the parameter table come from."""
    rows = fit.specification.parameters
    return RowPlaces(
        at=places(fit.specification),
        value=np.array([0.0 if row.value is None else row.value for row in rows]),
        exogenous=np.array([k for k, row in enumerate(rows) if row.exogenous and row.free < 0], dtype=np.intp),
        scaling=scaling(fit.specification),
    )


def standardised_rows(plan: Plan, theta: Array, covs: list[Array], means: list[Array]) -> Array:
    """Return the rows of the parameter table for many parameter vectors, shape (3, rows, L): raw, std_lv, std_all.

    Parameters
    ----------
    plan : Plan
    theta : ndarray, shape (q, L)
    covs, means : list of ndarray, (p (p + 1) / 2, L) and (p, L)
        Moments of the lanes, lower triangles by rows; they give the rows of fixed covariates.
    """
    at, scaled, count = plan.places.at, plan.places.scaling, theta.shape[1]
    out = np.empty((3, len(at.free), count))
    raw = np.take(theta, np.maximum(at.free, 0), axis=0, out=out[0], mode="clip")
    fixed = np.flatnonzero(at.free < 0)
    raw[fixed] = plan.places.value[fixed, None]
    for k in plan.places.exogenous:
        group = at.group[k]
        place = plan.products[group].place
        raw[k] = covs[group][place[at.row[k], at.col[k]]] if at.matrix[k] == "S" else means[group][at.row[k]]
    with np.errstate(all="ignore"):
        complete = theta if plan.scales is None else plan.scales.widened(theta)
        found = [
            one.variances(complete, one.arrange(cov, mean, source.place))
            for one, cov, mean, source in zip(plan.problem.evaluators, covs, means, plan.products, strict=True)
        ]
        # Variances of all variables, then of their residuals, group by group; after them 1.
        square = np.concatenate([*(part for pair in found for part in pair), np.ones((1, count))])
        unit = np.sqrt(square)
        # A variance is divided by itself exactly, not by the square of a root: what is constant comes out constant.
        own = np.flatnonzero(scaled.left == scaled.right)
        square[np.isnan(unit)] = np.nan
        for values, observed in ((out[2], True), (out[1], False)):
            if not observed:
                size, inside = len(found[0][0]), plan.blocks[0].n_observed
                for first in range(0, len(unit) - 1, size):
                    square[first : first + inside] = unit[first : first + inside] = 1.0
            scale = unit[scaled.left] * unit[scaled.right]
            scale[own] = square[scaled.left[own]]
            np.multiply(raw, unit[scaled.top], out=values)
            values /= scale
    return out
