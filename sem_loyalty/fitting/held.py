"""What a solution under nonlinear equations and inequalities is held by, and the directions that are left free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import SpecificationError
from sem_loyalty.kernel.restrictions import active, null_space
from sem_loyalty.kernel.solver import Subspace
from sem_loyalty.model.spec import Specification

Array = NDArray[np.float64]

# A multiplier below zero by less than this share of the largest slope is rounding error.
SIGN = 1e-6


@dataclass(frozen=True, slots=True)
class ActiveInequality:
    """An inequality whose bound the solution stands at.

    Attributes
    ----------
    text : str
        The inequality as written.
    multiplier : float
        By how much F would fall for each unit that the bound gives way; not negative at a minimum.
    """

    text: str
    multiplier: float


@dataclass(frozen=True, slots=True)
class Held:
    """The linear picture of the restrictions at a solution.

    Attributes
    ----------
    space : Subspace
        Directions along which no equation and no active inequality changes; inference works within it.
    active : tuple of ActiveInequality
    dependent : bool
        Whether the equations depend on each other there, so that degrees of freedom are not what was counted.
    pulling : bool
        Whether a multiplier is negative: F would fall on the inner side of an active inequality.
    """

    space: Subspace
    active: tuple[ActiveInequality, ...] = ()
    dependent: bool = False
    pulling: bool = False


def defined_starts(specification: Specification, space: Subspace, starts: tuple[Array, ...]) -> tuple[Array, ...]:
    """Return the start values, the first that the constraints are defined at in place of those that they are not at.

    Raises
    ------
    SpecificationError
        There are none, or none leads to values that satisfy the constraints.
    """
    if space.restrictions is None:
        return starts
    # Imported where it is needed: few models are restricted so, and it brings scipy.optimize.
    from sem_loyalty.kernel.constrained import FEASIBLE, nearest_violation

    found = [nearest_violation(start, space, space.restrictions) for start in starts]
    listed = "; ".join(item.text for item in (*specification.equations, *specification.inequalities))
    usable = [start for start, violation in zip(starts, found, strict=True) if violation is not None]
    if not usable:
        raise SpecificationError(
            f"A constraint is not defined at the start values ({listed}): a logarithm, root or quotient has no value "
            "there. Give start values at which it has, with start()."
        )
    if all(violation is None or violation > FEASIBLE for violation in found):
        raise SpecificationError(
            f"No values of the parameters were found that satisfy the constraints together: {listed}. Where such "
            "values exist, give start values near them, with start()."
        )
    return tuple(usable[0] if violation is None else start for start, violation in zip(starts, found, strict=True))


def equations_at(space: Subspace, theta: Array) -> Subspace:
    """Return the directions along which no equation changes at a point."""
    values = space.restrictions.evaluate(theta) if space.restrictions is not None else None
    if values is None or not len(values.equations):
        return space
    return _narrowed(space, theta, values.equation_slopes @ space.basis)


def _narrowed(space: Subspace, theta: Array, rows: Array) -> Subspace:
    """Return the subspace along which no row changes either."""
    if not len(rows):
        return Subspace(space.offset, space.basis, space.constrained)
    free = space.basis @ null_space(rows, space.basis.shape[1])
    # Orthonormal bases have free signs; fixing them keeps results the same on every machine.
    signs = np.sign(free[np.abs(free).argmax(axis=0), np.arange(free.shape[1])]) if free.size else np.ones(0)
    return Subspace(theta, free * np.where(signs == 0, 1.0, signs), constrained=True)


def held_at(specification: Specification, space: Subspace, theta: Array, slope: Array) -> Held:
    """Return what holds a solution.

    Parameters
    ----------
    specification : Specification
    space : Subspace
        With the restrictions.
    theta, slope : ndarray, shape (q,)
        Solution, and dF there.
    """
    values = space.restrictions.evaluate(theta) if space.restrictions is not None else None
    if values is None:
        return Held(space)
    at_bound = active(values, theta)
    equations = values.equation_slopes @ space.basis
    rows = np.concatenate([equations, values.inequality_slopes[at_bound] @ space.basis])
    size = space.basis.shape[1]
    along = space.reduce_vector(slope)
    multipliers = np.linalg.lstsq(rows.T, along, rcond=None)[0][len(equations) :] if len(rows) else np.zeros(0)
    sizes = np.linalg.norm(rows[len(equations) :], axis=1)
    texts = [specification.inequalities[k].text for k in at_bound]
    return Held(
        space=_narrowed(space, theta, rows),
        active=tuple(ActiveInequality(text, float(value)) for text, value in zip(texts, multipliers, strict=True)),
        dependent=null_space(equations, size).shape[1] > size - len(equations),
        pulling=bool((multipliers * sizes < -SIGN * max(1.0, float(np.abs(along).max(initial=0.0)))).any()),
    )
