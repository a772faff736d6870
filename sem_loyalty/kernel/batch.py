"""Minimising the maximum-likelihood discrepancy of many samples at once.

Resamples of one data set have minima close to each other and nearly the same curvature. In coordinates in which the
full sample's curvature is the identity, theta = centre + K C alpha with C C' = (K' H K)^-1, quasi-Newton steps (limited
memory BFGS, Nocedal 1980, doi:10.1090/S0025-5718-1980-0572855-7) therefore need no matrix per sample and few
iterations. All lanes step together; a lane whose step is refused tries a shorter one at the next common evaluation, and
a lane that has converged is frozen. The norm of the half gradient in these coordinates is the Newton decrement, the
distance to the minimum in standard errors of one respondent.

What a lane ends with depends on its own sample alone, up to rounding; for results that are equal to the last bit a
caller keeps the lanes of a call together (`kernel.resample` draws in fixed blocks).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.batch_dense import Lanes, dense_evaluator
from sem_loyalty.kernel.batch_factor import factor_evaluator
from sem_loyalty.kernel.likelihood import Likelihood, Sample, log_determinant
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.scratch import Scratch
from sem_loyalty.kernel.solver import Subspace, minimise

Array = NDArray[np.float64]
Single = NDArray[np.float32]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

ITERATIONS = 150
MEMORY = 10
# Newton decrement that counts as the minimum; the step from there, whose direction is known by then, is taken as well.
TOLERANCE = 2e-8
# A refused step is tried again this many times shorter at most.
SHORTEST = 1e-5
# Newton steps of a lane that is searched alone: of 1,943 that had a minimum, in groups of 40 to 125, the slowest took
# 105; the others follow a ridge for as long as they may.
ALONE = 120
# Rounding of F: gains below it do not count for or against a step.
ROUNDING = 1e-13
# Lanes at work are moved together once this share of them is left.
COMPACT = 0.7


class Evaluator(Protocol):
    """F and its slope over the lanes of one group."""

    @property
    def block(self) -> Block:
        """Where the parameters stand."""

    @property
    def lane_bytes(self) -> int:
        """Working memory of one lane, roughly."""

    def arrange(self, cov: Array, mean: Array, place: Index | None = None) -> Lanes:
        """Return moments with lanes last as `evaluate` wants them; `place` says where packed covariances stand."""

    def evaluate(self, theta: Array, lanes: Lanes, scratch: Scratch) -> tuple[Array, Array]:
        """Return log|Sigma| + tr(Sigma^-1 T), shape (L,), and its slope by entries, (entries, L)."""

    def variances(self, theta: Array, lanes: Lanes) -> tuple[Array, Array]:
        """Return the variances of all variables and of their residuals, each (v, L)."""


def evaluator(block: Block, exogenous: Index) -> Evaluator:
    """Return the fastest evaluator that suits a block."""
    found = factor_evaluator(block, exogenous)
    return dense_evaluator(block, exogenous) if found is None else found


@dataclass(frozen=True, slots=True)
class BatchProblem:
    """A model with the point and the curvature that the lanes start from.

    Attributes
    ----------
    evaluators : tuple of Evaluator
        One per group.
    weights : tuple of float
        n_g / N.
    centre : ndarray, shape (q,)
        Where every lane starts: the full sample's estimates.
    basis : ndarray, shape (q, r)
        K C: directions within the constraints in which the full sample's curvature is the identity.
    projectors : tuple of ndarray, each (r, entries)
        What brings half the derivatives by the entries of a group to these directions.
    """

    evaluators: tuple[Evaluator, ...]
    weights: tuple[float, ...]
    centre: Array
    basis: Array
    projectors: tuple[Array, ...]

    def objective(self, alpha: Array, samples: tuple[Lanes, ...], scratch: Scratch, slope: Array) -> Array:
        """Return F / 2 (without its constant), and its slope in the coordinates of `basis` in `slope`, lanes last."""
        scratch.release()
        theta = np.matmul(self.basis, alpha, out=scratch.array(len(self.basis), alpha.shape[1]))
        theta += self.centre[:, None]
        part = scratch.array(*alpha.shape) if len(samples) > 1 else slope
        value = np.zeros(alpha.shape[1])
        for group, (one, weight, moments) in enumerate(zip(self.evaluators, self.weights, samples, strict=True)):
            mark = scratch.mark()
            found, by_entry = one.evaluate(theta, moments, scratch)
            value += 0.5 * weight * found
            np.matmul(self.projectors[group], by_entry, out=part if group else slope)
            if group:
                slope += part
            scratch.release(mark)
        return value


def batch_problem(
    blocks: tuple[Block, ...],
    weights: tuple[float, ...],
    centre: Array,
    curvature: Array,
    space: Subspace,
    fixed: Index,
) -> BatchProblem | None:
    """Return the problem around a full-sample solution, or None where the curvature is not positive definite.

    Parameters
    ----------
    blocks : tuple of Block
    weights : tuple of float
        n_g / N.
    centre : ndarray, shape (q,)
        Full-sample estimates.
    curvature : ndarray, shape (q, q)
        Observed (or expected) information per respondent there.
    space : Subspace
        Linear equality constraints.
    fixed : ndarray of int
        Positions of fixed covariates.
    """
    matrix = space.reduce_matrix(curvature)
    diagonal = np.diagonal(matrix)
    if not np.isfinite(matrix).all() or (diagonal <= 0).any():
        return None
    scale = np.sqrt(diagonal)
    try:
        factor = np.linalg.cholesky(matrix / np.outer(scale, scale))
    except np.linalg.LinAlgError:
        return None
    root = np.linalg.inv(factor).T / scale[:, None]
    basis = space.basis @ root if space.constrained else root
    return BatchProblem(
        tuple(evaluator(block, fixed) for block in blocks),
        weights,
        centre,
        basis,
        projectors_of(blocks, weights, basis),
    )


def projectors_of(blocks: tuple[Block, ...], weights: tuple[float, ...], basis: Array) -> tuple[Array, ...]:
    """Return what brings half the derivatives by the entries of a group to the directions of a basis."""
    return tuple(
        np.ascontiguousarray(0.5 * weight * basis[block.entry_parameter].T)
        for block, weight in zip(blocks, weights, strict=True)
    )


@dataclass(frozen=True, slots=True)
class BatchSolution:
    """Where the lanes ended.

    Attributes
    ----------
    theta : ndarray, shape (q, L)
        Minima; the last point of a lane that did not converge.
    value : ndarray, shape (L,)
        log|Sigma| + tr(Sigma^-1 T) there, weighted over groups.
    converged : ndarray of bool, shape (L,)
    iterations : ndarray of int, shape (L,)
        Evaluations.
    """

    theta: Array
    value: Array
    converged: NDArray[np.bool_]
    iterations: NDArray[np.int64]


class _History:
    """Slope changes and steps of the last iterations, with the products that the two-loop recursion needs.

    The recursion runs on coefficients: the direction is a combination of the stored vectors, and all its inner
    products follow from those of the slope with them. A lane without a usable pair holds zeros in that place. In
    single precision, which halves what passes through memory: the history shapes the direction of a step, not where
    the steps end.
    """

    def __init__(self, size: int, lanes: int) -> None:
        self.vectors = np.zeros((2, MEMORY, size, lanes), np.float32)  # changes, then steps
        self.work = np.empty((size, lanes), np.float32)
        self.rho = np.zeros((MEMORY, lanes), np.float32)
        self.step_change = np.zeros((MEMORY, MEMORY, lanes), np.float32)  # s_i' y_j for i older than or equal to j
        self.change_change = np.zeros((MEMORY, MEMORY, lanes), np.float32)
        self.order: list[int] = []  # oldest first

    def add(self, step: Array, change: Array, slope: Array, before: Single, now: Single, accepted: Flags) -> None:
        """Store the newest pair, given what `project` returned for the slopes before and after it.

        `now` becomes what it returns for the slope after it with that pair.
        """
        along = np.subtract(now, before, out=before)
        slot = len(self.order) if len(self.order) < MEMORY else self.order.pop(0)
        self.order.append(slot)
        self.vectors[0, slot], self.vectors[1, slot] = change, step
        for k, vector in enumerate((change, step)):
            along[k, slot] = np.einsum("ql,ql->l", vector, change)
            now[k, slot] = np.einsum("ql,ql->l", vector, slope)
        size, curvature = along[:, slot]
        usable = accepted & (curvature > 1e-10 * size)
        self.rho[slot] = 0.0
        np.divide(1.0, curvature, out=self.rho[slot], where=usable)
        lost = np.flatnonzero(~usable)
        if len(lost):
            self.vectors[:, slot, :, lost] = 0.0
            along[..., lost] = now[:, slot, lost] = 0.0
        self.change_change[:, slot] = self.change_change[slot] = along[0]
        self.step_change[:, slot] = along[1]

    def project(self, slope: Array) -> Single:
        """Return the inner products of the slope with the stored changes and steps, (2, MEMORY, L)."""
        used = len(self.order)
        out = np.zeros((2, MEMORY, slope.shape[1]), np.float32)
        if used:
            self.work[:] = slope
            np.einsum("hkql,ql->hkl", self.vectors[:, :used], self.work, out=out[:, :used])
        return out

    def direction(self, slope: Array, products: Single, out: Array) -> None:
        """Put minus the inverse curvature times the slope into `out`, given `project(slope)`."""
        used = len(self.order)
        by_change, by_step = products
        # Pairs not reached yet have coefficient zero, so whole sums may be taken.
        found = np.zeros_like(products)
        first, second = found
        for i in reversed(self.order):
            first[i] = self.rho[i] * (by_step[i] - np.einsum("jl,jl->l", self.step_change[i], first))
        along = by_change - np.einsum("ijl,jl->il", self.change_change, first)
        for i in self.order:
            second[i] = self.rho[i] * (along[i] - np.einsum("jl,jl->l", self.step_change[:, i], second)) - first[i]
        np.einsum("hkql,hkl->ql", self.vectors[:, :used], found[:, :used], out=self.work)
        np.subtract(self.work, slope, out=out)

    def take(self, kept: Index) -> None:
        """Keep some of the lanes."""
        self.work = np.empty((len(self.work), len(kept)), np.float32)
        for name in ("vectors", "rho", "step_change", "change_change"):
            setattr(self, name, np.take(getattr(self, name), kept, axis=-1))


def minimise_lanes(problem: BatchProblem, samples: tuple[Lanes, ...]) -> BatchSolution:
    """Minimise the discrepancy of every lane from the full-sample estimates.

    Parameters
    ----------
    problem : BatchProblem
    samples : tuple of Lanes
        One per group, arranged by the evaluator of that group.

    Returns
    -------
    BatchSolution
        A lane has converged when its Newton decrement, by the full sample's curvature, is below 2e-8; one more step
        leads from there to a quarter of that, as a rule.
    """
    lanes = samples[0].cov.shape[samples[0].axis]
    size = problem.basis.shape[1]
    answer = np.zeros((size, lanes))
    values = np.full(lanes, np.inf)
    done = np.zeros(lanes, dtype=bool)
    spent = np.zeros(lanes, dtype=np.int64)

    where, scratch = np.arange(lanes), Scratch()
    alpha, slope = np.zeros((size, lanes)), np.empty((size, lanes))
    value = problem.objective(alpha, samples, scratch, slope)
    working = np.isfinite(value)
    history = _History(size, lanes)
    products = history.project(slope)
    direction = -slope
    squared = np.einsum("ql,ql->l", slope, slope)
    downhill, length = -squared, np.ones(lanes)
    step, trial, new_slope = np.empty((3, size, lanes))
    for iteration in range(1, ITERATIONS + 1):
        kept = np.flatnonzero(working)
        if not len(kept):
            break
        if len(kept) < COMPACT * len(working):
            samples = tuple(one.take(kept) for one in samples)
            history.take(kept)
            alpha, slope, direction = (np.take(one, kept, axis=-1) for one in (alpha, slope, direction))
            products = np.take(products, kept, axis=-1)
            value, squared, downhill, length = (one[kept] for one in (value, squared, downhill, length))
            where = where[kept]
            working = np.ones(len(kept), dtype=bool)
            step, trial, new_slope = np.empty((3, size, len(kept)))
        np.multiply(length, direction, out=step)
        np.add(alpha, step, out=trial)
        new_value = problem.objective(trial, samples, scratch, new_slope)
        new_squared = np.einsum("ql,ql->l", new_slope, new_slope)
        with np.errstate(invalid="ignore"):
            accepted = new_value <= value + 1e-4 * length * downhill + ROUNDING * (1.0 + np.abs(value))
        accepted &= np.isfinite(new_squared)
        refused = np.flatnonzero(~accepted)
        if len(refused):
            new_slope[:, refused], new_squared[refused] = slope[:, refused], squared[refused]
            trial[:, refused] = alpha[:, refused]
            shorter = _shorter(value[refused], new_value[refused], length[refused] * downhill[refused])
            new_value[refused] = value[refused]
        waiting = direction[:, refused]
        new_products = history.project(new_slope)
        change = np.subtract(new_slope, slope, out=slope)
        history.add(step, change, new_slope, products, new_products, accepted)
        value, squared, products = new_value, new_squared, new_products
        alpha, trial, slope, new_slope = trial, alpha, new_slope, slope
        history.direction(slope, products, out=direction)
        length[accepted] = 1.0
        if len(refused):
            direction[:, refused] = waiting
            length[refused] *= shorter
        downhill = np.einsum("ql,ql->l", slope, direction)
        finished = working & (squared < TOLERANCE**2)
        stuck = working & ~finished & ((length < SHORTEST) | ~(downhill < 0))
        spent[where[working]] = iteration
        ended = np.flatnonzero(finished | stuck)
        alpha[:, finished] += direction[:, finished]
        answer[:, where[ended]] = alpha[:, ended]
        values[where[ended]] = value[ended]
        done[where[finished]] = True
        working &= ~(finished | stuck)
    rest = np.flatnonzero(working)
    answer[:, where[rest]], values[where[rest]] = alpha[:, rest], value[rest]
    return BatchSolution(problem.centre[:, None] + problem.basis @ answer, 2.0 * values, done, spent)


def _shorter(value: Array, refused: Array, downhill: Array) -> Array:
    """Return the factor for a refused step: the minimum of the parabola, within a tenth and a half."""
    with np.errstate(all="ignore"):
        factor = -downhill / (2.0 * (refused - value - downhill))
    return np.clip(np.where(np.isfinite(refused) & np.isfinite(factor), factor, 0.25), 0.1, 0.5)


def minimise_one(
    blocks: tuple[Block, ...],
    weights: tuple[float, ...],
    moments: tuple[tuple[Array, Array], ...],
    starts: tuple[Array, ...],
    space: Subspace,
    fixed: Index,
) -> tuple[Array, float] | None:
    """Return the minimum of one sample by Fisher scoring and Newton steps, for a lane that did not converge.

    Parameters
    ----------
    blocks, weights, space, fixed
        As in `batch_problem`.
    moments : tuple of (ndarray, ndarray)
        Covariance matrix and means by group.
    starts : tuple of ndarray
        Start values, tried in turn.

    Returns
    -------
    tuple of (ndarray, float) or None
        theta and log|Sigma| + tr(Sigma^-1 T) as in `BatchSolution`; None where no start leads to a minimum within 120
        Newton steps.
    """
    own_blocks, samples = [], []
    for block, weight, (cov, mean) in zip(blocks, weights, moments, strict=True):
        logdet = log_determinant(cov)
        if logdet is None:
            return None
        own = block
        if len(fixed):
            symmetric, intercepts = block.symmetric.copy(), block.intercepts.copy()
            symmetric[np.ix_(fixed, fixed)] = cov[np.ix_(fixed, fixed)]
            intercepts[fixed] = mean[fixed]
            own = replace(block, symmetric=symmetric, intercepts=intercepts)
        own_blocks.append(own)
        samples.append(Sample(weight=weight, cov=cov, mean=mean if block.means else np.zeros(len(cov)), logdet=logdet))
    likelihood = Likelihood(tuple(own_blocks), tuple(samples))
    for start in starts:
        if not np.isfinite(start).all():
            continue
        found = minimise(likelihood, start, space, steps=ALONE)
        if found is not None and found.converged:
            constant = sum(one.weight * (one.logdet + len(one.cov)) for one in samples)
            return found.point.theta, found.point.value + constant
    return None
