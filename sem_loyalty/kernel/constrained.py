"""Minimising under nonlinear equations and inequalities: sequential quadratic programming.

Every step minimises a quadratic model of F under the restrictions as they are linear at the current point (Han 1977,
Journal of Optimization Theory and Applications, 22, 297-309). The model's curvature is the expected information far
from the minimum; near it, and with the inequalities that the step holds, the exact second derivative of the Lagrangian,
with which convergence is quadratic. Steps are accepted by an exact penalty function, or, close to the end, where they
bring the conditions of Karush, Kuhn and Tucker closer (which undoes the Maratos effect). Linear equations are removed
beforehand, as in `solver`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from sem_loyalty.kernel.discrepancy import Discrepancy, PointT
from sem_loyalty.kernel.restrictions import Restrictions, Values, null_space
from sem_loyalty.kernel.solver import DECREMENT_TOLERANCE, POLISHED, ROUNDING, Solution, Subspace

Array = NDArray[np.float64]
Index = NDArray[np.intp]

STEPS = 120
# Within this decrement the exact curvature takes over, and steps are also judged by the conditions they are to meet.
NEAR = 0.3
# A multiplier below zero by less than this, in standard errors of one respondent, is rounding error.
SIGN = 1e-9
# Steps that no longer bring the conditions closer before the end is declared.
STALLED = 6
# Curvature in scaled coordinates, whose information has a unit diagonal, that is rounding error.
FLAT = 1e-8
# The search for a point at which the restrictions hold, and the relative violation at which it has found one.
FEASIBLE_STEPS = 200
FEASIBLE = 1e-7


@dataclass(frozen=True, slots=True)
class _State(Generic[PointT]):
    """A point with F's derivatives in scaled coordinates p: theta + K (p / scale)."""

    point: PointT
    values: Values
    scale: Array
    slope: Array
    information: Array
    hessian: Array
    equations: Array
    inequalities: Array


@dataclass(frozen=True, slots=True)
class _Step:
    """A step in scaled coordinates, the inequalities that it holds, and multipliers of equations and inequalities."""

    move: Array
    held: Index
    on_equations: Array
    on_inequalities: Array


def minimise_restricted(
    discrepancy: Discrepancy[PointT], start: Array, space: Subspace, restrictions: Restrictions
) -> Solution[PointT] | None:
    """Minimise a discrepancy under linear equations (`space`) and restrictions.

    Parameters
    ----------
    discrepancy : Discrepancy
    start : ndarray, shape (q,)
        Satisfies the linear equations; need not satisfy the restrictions.
    space : Subspace
    restrictions : Restrictions

    Returns
    -------
    Solution or None
        None where the discrepancy or a restriction is not defined at the start. `converged` says that the conditions of
        Karush, Kuhn and Tucker hold to rounding error, with inequality multipliers that are not negative.
    """
    state = _state(discrepancy, start, space, restrictions)
    if state is None:
        return None
    penalty, damping, stalled = 0.0, 0.0, 0
    step = _propose(state, space, restrictions, damping)
    best: tuple[float, _State[PointT], _Step] = (np.inf, state, step)
    iteration = 0
    while iteration < STEPS:
        iteration += 1
        if iteration > 1:
            step = _propose(state, space, restrictions, damping)
        decrement, violation = _conditions(state, step)
        error = max(decrement, violation)
        if error < 0.5 * best[0]:
            best, stalled = (error, state, step), 0
        elif error < DECREMENT_TOLERANCE:
            best = min(best, (error, state, step), key=lambda found: found[0])
            stalled += 1
        if best[0] < 1e-13 or stalled >= STALLED:
            break
        largest = max(np.abs(step.on_equations).max(initial=0.0), step.on_inequalities.max(initial=0.0))
        penalty = max(penalty, 2.0 * float(largest), 1e-3)
        following = _accept(discrepancy, state, step, space, restrictions, penalty, error)
        if following is None:
            if damping > 1e8:
                break
            damping = max(1e-3, 10.0 * damping)
            continue
        damping = 0.0 if damping < 1e-2 else damping / 10.0
        state = following
    error, state, step = best
    converged = error < POLISHED and _is_minimum(state, step, space, restrictions)
    exact = discrepancy.evaluate(restrictions.snapped(state.point.theta))
    return Solution(state.point if exact is None else exact, iteration, converged, float(error))


def nearest_violation(start: Array, space: Subspace, restrictions: Restrictions) -> float | None:
    """Return how far the restrictions are from holding, relative to the size of their terms, at the best point near.

    Parameters
    ----------
    start : ndarray, shape (q,)
        Where the search by damped Gauss-Newton steps begins.
    space, restrictions
        As in `minimise_restricted`.

    Returns
    -------
    float or None
        Zero, to rounding, where they can hold; None where they are not defined at the start.
    """
    theta, values = start, restrictions.evaluate(start)
    if values is None:
        return None
    for _step in range(FEASIBLE_STEPS):
        off, slopes = _violations(values)
        if _relative(off, slopes, theta) < FEASIBLE:
            return 0.0
        move = space.expand(np.asarray(np.linalg.lstsq(slopes @ space.basis, -off, rcond=1e-10)[0]))
        for length in 0.5 ** np.arange(20):
            found = restrictions.evaluate(theta + length * move)
            if found is not None and np.linalg.norm(_violations(found)[0]) < (1 - 1e-4 * length) * np.linalg.norm(off):
                theta, values = theta + length * move, found
                break
        else:
            return _relative(off, slopes, theta)
    return _relative(*_violations(values), theta)


def _violations(values: Values) -> tuple[Array, Array]:
    """Return by how much equations and broken inequalities are off, with their slopes."""
    broken = values.inequalities < 0
    return (
        np.concatenate([values.equations, values.inequalities[broken]]),
        np.concatenate([values.equation_slopes, values.inequality_slopes[broken]]),
    )


def _relative(off: Array, slopes: Array, theta: Array) -> float:
    size = np.abs(slopes) @ np.maximum(np.abs(theta), 0.1)
    return float((np.abs(off) / np.maximum(size, 1e-3)).max(initial=0.0))


def _state(
    discrepancy: Discrepancy[PointT], theta: Array, space: Subspace, restrictions: Restrictions
) -> _State[PointT] | None:
    point = discrepancy.evaluate(theta)
    values = restrictions.evaluate(theta)
    if point is None or values is None:
        return None
    information = space.reduce_matrix(discrepancy.information(point))
    scale = np.sqrt(np.maximum(np.diagonal(information), 0.0))
    scale = np.where(scale > 0, scale, 1.0)
    both = np.outer(scale, scale)
    return _State(
        point=point,
        values=values,
        scale=scale,
        slope=space.reduce_vector(discrepancy.gradient(point)) / scale,
        information=information / both,
        hessian=space.reduce_matrix(discrepancy.hessian(point)) / both,
        equations=values.equation_slopes @ space.basis / scale,
        inequalities=values.inequality_slopes @ space.basis / scale,
    )


def _propose(state: _State[PointT], space: Subspace, restrictions: Restrictions, damping: float) -> _Step:
    """Return the step of the information matrix, or that of the exact curvature where it is usable."""
    ridge = np.eye(len(state.slope)) * (damping + 1e-12)
    step = _quadratic_step(state.information + ridge, state.slope, state)
    if damping or _conditions(state, step)[0] > NEAR:
        return step
    for _round in range(5):
        held = np.concatenate([state.equations, state.inequalities[step.held]])
        newton = _held_step(_lagrangian(state, step, space, restrictions), state, step.held, held)
        if newton is None:
            return step
        # The exact curvature may hold other inequalities than the information: let go of those that pull outwards, and
        # hold those that the step would break.
        broken = state.values.inequalities + state.inequalities @ newton.move < -1e-12
        broken[step.held] = False
        outward = newton.on_inequalities[step.held] < -SIGN
        if not broken.any() and not outward.any():
            return newton
        kept = np.concatenate([step.held[~outward], np.flatnonzero(broken)])
        step = _Step(step.move, np.sort(kept), newton.on_equations, np.maximum(newton.on_inequalities, 0.0))
    return _quadratic_step(state.information + ridge, state.slope, state)


def _lagrangian(state: _State[PointT], step: _Step, space: Subspace, restrictions: Restrictions) -> Array:
    """Return half the second derivative of F less multipliers times restrictions."""
    curvature = restrictions.curvature(state.point.theta, step.on_equations, step.on_inequalities)
    return np.asarray(state.hessian - 0.5 * space.reduce_matrix(curvature) / np.outer(state.scale, state.scale))


def _is_minimum(state: _State[PointT], step: _Step, space: Subspace, restrictions: Restrictions) -> bool:
    """Return whether F curves upwards along what is free: a saddle point meets the first-order conditions as well."""
    free = null_space(np.concatenate([state.equations, state.inequalities[step.held]]), len(state.slope))
    if not free.shape[1]:
        return True
    lowest = float(np.linalg.eigvalsh(free.T @ _lagrangian(state, step, space, restrictions) @ free)[0])
    return lowest > -FLAT


def _held_step(curvature: Array, state: _State[PointT], chosen: Index, rows: Array) -> _Step | None:
    """Return the step that holds some inequalities as equations; None where F has no minimum along the others."""
    goal = -np.concatenate([state.values.equations, state.values.inequalities[chosen]])
    base = np.asarray(np.linalg.lstsq(rows, goal, rcond=None)[0]) if len(rows) else np.zeros(len(state.slope))
    free = null_space(rows, len(state.slope))
    if free.shape[1]:
        try:
            factor = np.linalg.cholesky(free.T @ curvature @ free)
        except np.linalg.LinAlgError:
            return None
        right = -free.T @ (0.5 * state.slope + curvature @ base)
        base = base + free @ np.linalg.solve(factor.T, np.linalg.solve(factor, right))
    pull = state.slope + 2.0 * curvature @ base
    multipliers = np.asarray(np.linalg.lstsq(rows.T, pull, rcond=None)[0]) if len(rows) else np.zeros(0)
    on_inequalities = np.zeros(len(state.values.inequalities))
    on_inequalities[chosen] = multipliers[len(state.equations) :]
    return _Step(base, chosen, multipliers[: len(state.equations)], on_inequalities)


def _quadratic_step(curvature: Array, slope: Array, state: _State[PointT]) -> _Step:
    """Minimise slope'p + p'Bp under the linearised restrictions, B positive definite.

    Equations are removed; what is left is the point of a polyhedron nearest to the origin, found by nonnegative least
    squares (Lawson and Hanson 1974, Solving Least Squares Problems, chapter 23). Where the linearised restrictions
    contradict each other, the step goes towards them as far as it can.
    """
    h, A, c, G = state.values.equations, state.equations, state.values.inequalities, state.inequalities
    base = np.asarray(np.linalg.lstsq(A, -h, rcond=None)[0]) if len(h) else np.zeros(len(slope))
    free = null_space(A, len(slope))
    lower = np.linalg.cholesky(free.T @ curvature @ free) if free.shape[1] else np.zeros((0, 0))
    target = np.linalg.solve(lower, 0.5 * free.T @ (slope + 2.0 * curvature @ base)) if free.shape[1] else np.zeros(0)
    rows = np.linalg.solve(lower, free.T @ G.T).T if free.shape[1] else np.zeros((len(c), 0))
    bound = -c - G @ base + rows @ target
    sizes = np.maximum(np.sqrt((rows**2).sum(axis=1)), 1e-12)
    u = np.zeros(len(c))
    nearest = np.zeros(rows.shape[1])
    if (bound > 0).any():
        stacked = np.vstack([(rows / sizes[:, None]).T, bound / sizes])
        wanted = np.zeros(len(stacked))
        wanted[-1] = 1.0
        u, distance = nnls(stacked, wanted)
        rest = stacked @ u - wanted
        if distance > 1e-8:
            nearest = -rest[:-1] / rest[-1]
            u = -u / rest[-1] / sizes
        else:
            broken = np.flatnonzero(bound > 0)
            nearest = np.asarray(np.linalg.lstsq(rows[broken], bound[broken], rcond=None)[0])
            u = np.zeros(len(c))
    move = np.asarray(base + free @ np.linalg.solve(lower.T, nearest - target)) if free.shape[1] else base
    pull = slope + 2.0 * curvature @ move - G.T @ (2.0 * u)
    on_equations = np.asarray(np.linalg.lstsq(A.T, pull, rcond=None)[0]) if len(h) else np.zeros(0)
    return _Step(move, np.flatnonzero(u > 0), on_equations, 2.0 * u)


def _conditions(state: _State[PointT], step: _Step) -> tuple[float, float]:
    """Return the Newton decrement along what is free, and the largest violation, both in standard errors."""
    rows = np.concatenate([state.equations, state.inequalities[step.held]])
    free = null_space(rows, len(state.slope))
    decrement = 0.0
    if free.shape[1]:
        matrix, along = free.T @ state.information @ free, free.T @ state.slope
        solved = np.linalg.lstsq(matrix, along, rcond=1e-12)[0]
        decrement = 0.5 * float(np.sqrt(max(0.0, float(along @ solved))))
    off = np.concatenate(
        [
            np.abs(state.values.equations) / np.maximum(np.linalg.norm(state.equations, axis=1), 1e-300),
            np.abs(state.values.inequalities[step.held])
            / np.maximum(np.linalg.norm(state.inequalities[step.held], axis=1), 1e-300),
            np.maximum(-state.values.inequalities, 0.0)
            / np.maximum(np.linalg.norm(state.inequalities, axis=1), 1e-300),
        ]
    )
    return decrement, float(off.max(initial=0.0))


def _accept(
    discrepancy: Discrepancy[PointT],
    state: _State[PointT],
    step: _Step,
    space: Subspace,
    restrictions: Restrictions,
    penalty: float,
    error: float,
) -> _State[PointT] | None:
    """Return the state after the longest acceptable part of a step, or None where there is none."""
    broken = _broken(state.values)
    merit = state.point.value + penalty * broken
    fall = float(state.slope @ step.move) - penalty * broken
    noise = ROUNDING * discrepancy.n_observed * (1.0 + abs(state.point.value))
    direction = space.expand(step.move / state.scale)
    length = 1.0
    for attempt in range(25):
        theta = state.point.theta + length * direction
        point, values = discrepancy.evaluate(theta), restrictions.evaluate(theta)
        if point is not None and values is not None:
            gain = merit - point.value - penalty * _broken(values)
            if gain > 1e-4 * length * max(-fall, 0.0) - noise and error > DECREMENT_TOLERANCE:
                return _state(discrepancy, theta, space, restrictions)
            if attempt == 0 and error < NEAR:
                found = _state(discrepancy, theta, space, restrictions)
                if found is not None and max(_conditions(found, step)) < 0.5 * error:
                    return found
                if found is not None and error < DECREMENT_TOLERANCE:
                    return found
        length *= 0.5
    return None


def _broken(values: Values) -> float:
    return float(np.abs(values.equations).sum() + np.maximum(-values.inequalities, 0.0).sum())
