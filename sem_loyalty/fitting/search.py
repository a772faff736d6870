"""The search for the minimum: from semopy's answer or our own start values, and again in other units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import NotSupported
from sem_loyalty.fitting import semopy_engine
from sem_loyalty.fitting.descent import minimise
from sem_loyalty.fitting.fallback import is_doubtful, lower_minimum, recover
from sem_loyalty.fitting.measured import measure
from sem_loyalty.fitting.rescaling import Units, other_units
from sem_loyalty.fitting.starts import start_values
from sem_loyalty.kernel.discrepancy import Discrepancy, PointT
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.likelihood import log_determinant
from sem_loyalty.kernel.solver import Solution, Subspace
from sem_loyalty.kernel.valley import follow_valley
from sem_loyalty.model.scatter import subspace
from sem_loyalty.model.spec import Specification, kept

Array = NDArray[np.float64]

# Shares of the items' variance that crude start values give to their constructs.
CRUDE_SHARES = (0.05, 0.5, 0.9)
# By what start values are multiplied for a second search, one parameter after the other.
PATTERN = (1.25, 0.8, 1.1, 0.9)


@dataclass(frozen=True, slots=True)
class Problem(Generic[PointT]):
    """A model and its data, ready for the minimiser.

    Attributes
    ----------
    specification : Specification
    discrepancy : Discrepancy
        What is minimised.
    space : Subspace
        Linear equality constraints.
    start, plain_start : ndarray, shape (q,)
        Start values with, and without, paths from composites.
    crude_starts : iterable of ndarray
        Start values with equal loadings, for models that the others lead astray; computed when they are asked for.
    units : Units or None
        Other units for the second search.
    """

    specification: Specification
    discrepancy: Discrepancy[PointT]
    space: Subspace
    start: Array
    plain_start: Array
    crude_starts: Iterable[Array]
    units: Units | None


@dataclass(frozen=True, slots=True)
class CrudeStarts:
    """Start values with equal loadings, one vector for each of `CRUDE_SHARES`, computed when they are asked for."""

    specification: Specification
    covs: tuple[Array, ...]
    means: tuple[Array | None, ...]
    space: Subspace

    def __iter__(self) -> Iterator[Array]:
        """Yield the vectors, from little to much common variance."""
        for share in CRUDE_SHARES:
            measured = [
                measure(self.specification, group, cov, share=share) for group, cov in enumerate(self.covs, start=1)
            ]
            yield start_values(
                self.specification, self.covs, self.means, self.space, structural=False, measured=measured
            )


@dataclass(frozen=True, slots=True)
class Moved:
    """Start values that are moved when they are asked for."""

    starts: Iterable[Array]
    move: Callable[[Array], Array]

    def __iter__(self) -> Iterator[Array]:
        """Yield the moved vectors."""
        return map(self.move, self.starts)


@dataclass(frozen=True, slots=True)
class Found(Generic[PointT]):
    """What the searches ended with.

    Attributes
    ----------
    solution : Solution or None
        The lower minimum; None where no start was usable.
    other_value : float
        F of the second search; nan where it found no minimum.
    engine : str
        Who found the first minimum: "semopy" or "kernel".
    notes : tuple of str
        How the searches ended.
    """

    solution: Solution[PointT] | None
    other_value: float
    engine: str
    notes: tuple[str, ...]


def pose(
    specification: Specification,
    discrepancy: Discrepancy[PointT],
    covs: tuple[Array, ...],
    means: tuple[Array | None, ...],
) -> Problem[PointT]:
    """Return the problem with its constraints and start values.

    Parameters
    ----------
    specification, discrepancy
        The model and what is minimised.
    covs, means : tuple
        Sample moments by group, in the order of the observed variables; start values come from them.
    """
    space = subspace(specification)
    measured = [measure(specification, group, cov) for group, cov in enumerate(covs, start=1)]
    sd = np.sqrt(np.mean([np.diagonal(cov) for cov in covs], axis=0))
    return Problem(
        specification=specification,
        discrepancy=discrepancy,
        space=space,
        start=start_values(specification, covs, means, space, measured=measured),
        plain_start=start_values(specification, covs, means, space, structural=False, measured=measured),
        crude_starts=CrudeStarts(specification, covs, means, space),
        units=other_units(specification, sd, space),
    )


def search(problem: Problem[PointT], cov: Array, engine: str, n: int) -> Found[PointT]:
    """Minimise, minimise again in other units and from other start values, and keep the lower minimum.

    Parameters
    ----------
    problem : Problem
    cov : ndarray, shape (p, p)
        Sample covariance matrix of the first group, for semopy.
    engine : {"auto", "semopy", "kernel"}
    n : int
        Number of respondents; where they are few and leave a variance open, the search goes on though two minima agree.

    Raises
    ------
    NotSupported
        `engine="semopy"` and semopy cannot express the model.
    """
    first, used, notes = _first(problem, cov, engine)
    units = problem.units
    discrepancy, space, weight = problem.discrepancy, problem.space, np.ones(len(problem.start))
    if units is not None:
        discrepancy, space, weight = discrepancy.rescaled(units.scale), units.space, units.weight
    first = _rescued(problem, first)
    best, others = first, list[float]()
    moved_starts = [_perturbed(problem, start) for start in (problem.start, problem.plain_start)]
    doubtful = False
    # A search that leads to the same minimum finds the curvature there known; one that does not takes its own.
    selected = space.kept is not None or not space.constrained
    known = first.curvature if first is not None and selected else None
    known = known.rescaled(space.reduce_vector(weight)) if known is not None else None
    for start in chain(moved_starts, (problem.plain_start,), problem.crude_starts):
        found = minimise(discrepancy, start * weight, space, aside=True, known=known)
        if found is None or not found.converged:
            if start is moved_starts[-1] and _all_tried(problem, best):
                break
            # Where a search goes astray, agreement with one of the others is no proof: all starts are tried.
            doubtful = doubtful or found is not None
            continue
        others.append(found.point.value)
        lower = best is None or not best.converged or others[-1] < best.point.value - 1e-9 * max(1.0, others[-1])
        if lower:
            moved = minimise(problem.discrepancy, found.point.theta / weight, problem.space)
            if moved is not None and (best is None or moved.point.value <= best.point.value):
                best = moved
                notes = (*notes, "a second minimisation found a lower minimum, which is reported")
        if not doubtful and best is not None and _same(others[-1], best):
            break
    agreed = [value for value in others if best is not None and _same(value, best)]
    other = agreed[0] if agreed else others[-1] if others else float("nan")
    if problem.space.restrictions is not None:
        # Valleys are followed without restrictions.
        return Found(best, other, used, notes)
    if best is None or not best.converged:
        # Along a valley from several starts; that two of them agree takes the place of the search in other units.
        starts = (problem.start, problem.plain_start, middle_start(problem))
        best, other = recover(problem.discrepancy, problem.space, starts, best)
    elif is_doubtful(problem.specification, problem.discrepancy, problem.space, best, n):
        best, other, notes = _sought_lower(problem, best, other, notes)
    return Found(best, other, used, notes)


def _same(value: float, best: Solution[PointT]) -> bool:
    """Return whether a search ended as low as the best one."""
    return abs(value - best.point.value) < 1e-8 * max(1.0, value)


def middle_start(problem: Problem[PointT]) -> Array:
    """Return the crude start values in the middle, with constructs that take half of the items' variance."""
    return tuple(problem.crude_starts)[1]


def _sought_lower(
    problem: Problem[PointT], best: Solution[PointT], other: float, notes: tuple[str, ...]
) -> tuple[Solution[PointT], float, tuple[str, ...]]:
    """Return the lowest of the minima that one more start leads to, by Newton steps and along a valley."""
    start = middle_start(problem)
    newton = minimise(problem.discrepancy, start, problem.space)
    valley = lower_minimum(problem.discrepancy, problem.space, start, best)
    for found in (newton, valley):
        if found is None or not found.converged or found.point.value >= best.point.value - 1e-8:
            continue
        best, other = found, _confirmed(problem, start, found)
        notes = (*notes, "a small sample was searched further, and a lower minimum found, which is reported")
    return best, other, notes


def _confirmed(problem: Problem[PointT], start: Array, best: Solution[PointT]) -> float:
    """Return F of the same minimum found again from `start` in other units; nan where it is not."""
    units = problem.units
    if units is None:
        return float("nan")
    discrepancy = problem.discrepancy.rescaled(units.scale)
    for seek in (minimise, follow_valley):
        found = seek(discrepancy, start * units.weight, units.space)
        if found is not None and found.converged and abs(found.point.value - best.point.value) < 1e-8:
            return found.point.value
    return float("nan")


def _first(problem: Problem[PointT], cov: Array, engine: str) -> tuple[Solution[PointT] | None, str, tuple[str, ...]]:
    """Return a minimum found from semopy's answer or from our own start values, who found it, and notes."""
    specification = problem.specification
    notes: tuple[str, ...] = ()
    if engine != "kernel":
        reason = semopy_engine.unsupported(specification)
        if reason and engine == "semopy":
            raise NotSupported(f"engine='semopy' cannot fit this model: {reason}. Use engine='auto' or 'kernel'.")
        if not reason:
            names = {name: i for i, name in enumerate(specification.observed)}
            theta, note = semopy_engine.solve(specification, cov, names)
            notes = (note,)
            if theta is not None:
                solution = minimise(problem.discrepancy, theta, problem.space)
                if solution is not None and solution.converged:
                    return solution, "semopy", notes
        else:
            notes = (f"fitted by the kernel: {reason}",)
    solution = minimise(problem.discrepancy, problem.start, problem.space)
    if solution is None or not solution.converged:
        again = minimise(problem.discrepancy, problem.plain_start, problem.space)
        if again is not None and (solution is None or again.converged or again.point.value < solution.point.value):
            solution = again
    return solution, "kernel", notes


def _all_tried(problem: Problem[PointT], best: Solution[PointT] | None) -> bool:
    """Return whether no start has led to a minimum, so that none will in other units.

    Newton steps know no units: from the same start they take the same way. With restrictions and with missing answers
    the second search goes another way.
    """
    lost = best is None or not best.converged
    return lost and problem.space.restrictions is None and not isinstance(problem.discrepancy, Incomplete)


def _rescued(problem: Problem[PointT], first: Solution[PointT] | None) -> Solution[PointT] | None:
    """Return the lowest minimum that crude starts lead to, where the first one is none or is improper.

    Start values read off the data can lie in the basin of an improper solution; equal loadings cannot favour one.
    """
    best = first
    if best is not None and best.converged and not _improper(problem, best):
        return best
    for start in problem.crude_starts:
        found = minimise(problem.discrepancy, start, problem.space)
        if found is None:
            continue
        better = best is None or (found.converged, -found.point.value) > (best.converged, -best.point.value)
        best = found if better else best
    return best


def _improper(problem: Problem[PointT], solution: Solution[PointT]) -> bool:
    """Return whether a variance is negative, or the latent covariance matrix is not positive definite."""
    p = len(problem.specification.observed)
    for at in solution.point.implied:
        latent = at.total[p:, p:]
        if (np.diagonal(at.residual) < 0).any():
            return True
        # Only where the Cholesky factor fails is the sign of the smallest eigenvalue in doubt.
        if len(latent) and log_determinant(latent) is None and float(np.linalg.eigvalsh(latent)[0]) < 0:
            return True
    return False


def _perturbed(problem: Problem[PointT], start: Array) -> Array:
    """Return start values moved by up to a quarter, in a fixed pattern, within the constraints."""
    theta = start * _pattern(problem.specification)
    space = problem.space
    return space.offset + space.basis @ (space.basis.T @ (theta - space.offset)) if space.constrained else theta


@kept
def _pattern(specification: Specification) -> Array:
    """Return by what start values are multiplied: covariances as the least variance, so that matrices stay definite."""
    pattern = np.resize(np.array(PATTERN), specification.n_free)
    for row in specification.free_parameters:
        if row.op == "~~" and row.lhs != row.rhs:
            pattern[row.free] = min(PATTERN)
    return pattern
