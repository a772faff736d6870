"""The certificate: is this the minimum, unique and admissible; if not, what is at fault and what to try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.admissible import Factored, beyond_doubt, factored_information
from sem_loyalty.fitting.spectrum import (
    RANK_TOLERANCE,
    condition_of,
    decrement_along,
    flat_vectors,
    scaled_spectrum,
)
from sem_loyalty.kernel.discrepancy import Discrepancy, PointT
from sem_loyalty.kernel.ram import Implied
from sem_loyalty.kernel.solver import Subspace
from sem_loyalty.model.scatter import variables
from sem_loyalty.model.spec import Parameter, Specification

Array = NDArray[np.float64]

# The Newton decrement is the distance to the minimum in standard errors of one respondent.
GRADIENT_TOLERANCE = 1e-8
# Two minimisations in different units must agree on F to this, relative to 1.
RESCALING_TOLERANCE = 1e-8
# A value this close to its boundary counts as on it.
BOUNDARY = 1e-9


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a solution is not certified.

    Attributes
    ----------
    code : str
        "not converged", "singular information", "rescaling", "negative variance", "latent covariance",
        "residual covariance", "standardised above one", "dependent constraints".
    text : str
        What is wrong, in one sentence.
    parameters : tuple of str
        The parameters at fault, as one writes them.
    remedy : str
        What to try.
    values : tuple of float
        The number behind each parameter, or one for all: variances, standardised values, the smallest eigenvalue, the
        difference in F.
    group : str
        Label of the group; "" where there is one, or where the problem is of the whole model.
    """

    code: str
    text: str
    parameters: tuple[str, ...]
    remedy: str
    values: tuple[float, ...] = ()
    group: str = ""

    def __str__(self) -> str:
        return f"{self.text} Try: {self.remedy}"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was checked about a solution, and what was found.

    Attributes
    ----------
    certified : bool
        True where every check holds.
    problems : tuple of Problem
        Empty where certified.
    decrement : float
        Newton decrement at the solution, in standard errors of one respondent; rounding error where converged.
    condition : float
        Reciprocal condition number, in the 1-norm, of the information matrix scaled to a unit diagonal, between 0 and
        1; 0 where it has not full rank.
    rescaled_difference : float
        |F - F of a second minimisation in other units and from other start values|; nan where that one failed.
    """

    certified: bool
    problems: tuple[Problem, ...]
    decrement: float
    condition: float
    rescaled_difference: float

    @property
    def reason(self) -> str:
        """Which checks failed, as in "negative variance; latent covariance"; "" where certified."""
        return "; ".join(dict.fromkeys(problem.code for problem in self.problems))

    @property
    def summary(self) -> str:
        """One line: certified, or what is wrong."""
        if self.certified:
            return (
                f"Certified: Newton decrement {self.decrement:.0e}, information of full rank "
                f"(reciprocal condition {self.condition:.0e}), same minimum in other units, admissible."
            )
        return f"NOT CERTIFIED ({self.reason}): do not report these numbers."


def certify(
    specification: Specification,
    discrepancy: Discrepancy[PointT],
    point: PointT,
    space: Subspace,
    *,
    converged: bool,
    other_value: float,
    dependent: bool = False,
) -> tuple[Certificate, Factored | None]:
    """Check a solution.

    Parameters
    ----------
    specification, discrepancy, point, space
        Model, what was minimised, solution, and the directions that its constraints leave free.
    converged : bool
        Whether the minimisation ended at a stationary point.
    other_value : float
        F of a second minimisation in other units and from other start values; nan where it found no minimum.
    dependent : bool, default False
        Whether nonlinear equations depend on each other at the solution.

    Returns
    -------
    certificate : Certificate
    factored : Factored or None
        The information within `space`, where it has full rank at a minimum: standard errors come from it.
    """
    matrix = space.reduce_matrix(discrepancy.information(point))
    slope = space.reduce_vector(discrepancy.gradient(point))
    quick = factored_information(matrix, slope)
    if quick is None or not (converged and quick.condition > RANK_TOLERANCE and quick.decrement < GRADIENT_TOLERANCE):
        quick = None
        values, vectors, scale = scaled_spectrum(matrix)
        full_rank = not len(values) or bool(values[0] > RANK_TOLERANCE * max(values[-1], 0.0))
        condition = condition_of(values, vectors) if full_rank else 0.0
        decrement = decrement_along(slope, values, vectors, scale)
    else:
        condition, decrement, full_rank = quick.condition, quick.decrement, True
    difference = abs(point.value - other_value) if np.isfinite(other_value) else np.nan
    problems: list[Problem] = []
    if not converged or not decrement < GRADIENT_TOLERANCE:
        problems.append(_not_converged(specification, slope, vectors, scale, space))
    if not full_rank:
        problems.append(_singular(specification, values, vectors, scale, space))
    if not problems and not difference < RESCALING_TOLERANCE * max(1.0, point.value):
        problems.append(_other_minimum(difference))
    if dependent:
        problems.append(_dependent(specification))
    if not beyond_doubt(point.implied, len(specification.latent), BOUNDARY):
        problems += _inadmissible(specification, point.implied, point.theta)
    return Certificate(not problems, tuple(problems), decrement, condition, float(difference)), quick


def _involved(specification: Specification, weights: Array, limit: int = 6) -> tuple[str, ...]:
    """Return the names of the parameters with the largest weights, largest first."""
    share = np.abs(weights) / max(float(np.abs(weights).max()), 1e-300)
    order = np.argsort(-share, kind="stable")
    chosen = [i for i in order if share[i] > 0.1][:limit]
    return tuple(_label(specification, specification.free_parameters[i]) for i in chosen)


def _label(specification: Specification, row: Parameter) -> str:
    if len(specification.groups) == 1:
        return row.name
    return f"{row.name} [{specification.groups[row.group - 1]}]"


def _not_converged(
    specification: Specification, slope: Array, vectors: Array, scale: Array, space: Subspace
) -> Problem:
    names = _involved(specification, space.expand(vectors[:, 0] / scale) * _unit_weights(space, scale))
    return Problem(
        "not converged",
        f"The minimisation did not reach a minimum: the discrepancy keeps falling, or is flat, along {_listed(names)}.",
        names,
        "look for constructs that the data cannot tell apart, and simplify the part of the model that is named.",
    )


def _unit_weights(space: Subspace, scale: Array) -> Array:
    """Return weights that put parameters of different units on one scale."""
    return np.sqrt(((space.basis * scale) ** 2).sum(axis=1)) if space.constrained else scale


def _singular(specification: Specification, values: Array, vectors: Array, scale: Array, space: Subspace) -> Problem:
    flat = flat_vectors(values, vectors)
    weights = np.zeros(specification.n_free)
    for k in np.flatnonzero(flat):
        weights += (space.expand(vectors[:, k] / scale) * _unit_weights(space, scale)) ** 2
    names = _involved(specification, np.sqrt(weights))
    return Problem(
        "singular information",
        f"The data hold no information on a combination of {_listed(names)}, so no standard error can be given.",
        names,
        "merge or drop constructs that are nearly collinear, or fix one of the parameters that are named on grounds "
        "of theory.",
    )


def _other_minimum(difference: float) -> Problem:
    found = "found no minimum" if not np.isfinite(difference) else f"ended {difference:.1e} away in F"
    return Problem(
        "rescaling",
        f"A second minimisation, with the items in other units and from other start values, {found}.",
        (),
        "give start values with start(), and check for constructs that are nearly collinear.",
        (difference,),
    )


def _dependent(specification: Specification) -> Problem:
    texts = tuple(item.text for item in specification.equations)
    return Problem(
        "dependent constraints",
        f"At the solution the equality constraints depend on each other ({'; '.join(texts)}), so the degrees of "
        "freedom are not those counted.",
        texts,
        "write the constraints without products that can vanish, or fix a parameter instead.",
    )


def _in(group: str) -> str:
    return f" in group {group!r}" if group else ""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) if names else "no single parameter"


def _inadmissible(specification: Specification, implied: Sequence[Implied], theta: Array) -> list[Problem]:
    """Return the problems of an improper solution, over all groups."""
    problems: list[Problem] = []
    position = variables(specification)
    p = len(specification.observed)
    for group, at in enumerate(implied, start=1):
        where = specification.groups[group - 1] if len(specification.groups) > 1 else ""
        rows = [row for row in specification.parameters if row.group == group]
        problems += _negative_variances(specification, rows, theta, at, where)
        problems += _indefinite(specification, rows, theta, at, p, where)
        problems += _above_one(specification, rows, at, position, where)
    return problems


def _negative_variances(
    specification: Specification, rows: list[Parameter], theta: Array, at: Implied, where: str
) -> list[Problem]:
    # The residual variance of an ordinal item is no parameter, but what its loadings leave of its unit variance.
    left = np.diagonal(at.residual)
    derived = {name: float(left[i]) for i, name in enumerate(specification.observed) if name in specification.ordered}
    values = [
        (r, float(theta[r.free]) if r.free >= 0 else derived.get(r.lhs, 0.0))
        for r in rows
        if r.op == "~~" and r.lhs == r.rhs
    ]
    found = [(row, value) for row, value in values if value < 0.0]
    if not found:
        return []
    negative = [row for row, _ in found]
    listed = ", ".join(f"{row.name} = {value:.3g}" for row, value in found)
    return [
        Problem(
            "negative variance",
            f"Negative variance{_in(where)}: {listed}.",
            tuple(_label(specification, row) for row in negative),
            "check these items or constructs for reverse scoring, near-duplicates and too few indicators; with a "
            "small sample, hold the loadings of two-item constructs equal.",
            tuple(value for _, value in found),
            where,
        )
    ]


def _smallest(matrix: Array) -> tuple[float, Array]:
    """Return the smallest eigenvalue of a covariance matrix scaled by its diagonal, and its eigenvector."""
    scale = np.sqrt(np.abs(np.diagonal(matrix)))
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    return float(values[0]), vectors[:, 0]


def _indefinite(
    specification: Specification, rows: list[Parameter], theta: Array, at: Implied, p: int, where: str
) -> list[Problem]:
    """Return problems of latent and residual covariance matrices that are not positive definite."""
    problems = []
    latent = specification.latent
    # A free variance is exactly zero only at a bound.
    variances = [(r.lhs, theta[r.free] if r.free >= 0 else r.value) for r in rows if r.op == "~~" and r.lhs == r.rhs]
    fixed_zero = {name for name, value in variances if value == 0.0}
    if latent:
        value, vector = _smallest(at.total[p:, p:])
        # A disturbance that the user fixed at zero, or bounded there, makes the matrix singular by design.
        floor = -BOUNDARY if fixed_zero & set(latent) else BOUNDARY
        if value < floor:
            names = tuple(latent[i] for i in np.argsort(-np.abs(vector), kind="stable") if abs(vector[i]) > 0.2)
            problems.append(
                Problem(
                    "latent covariance",
                    f"The covariance matrix of the latent variables{_in(where)} is not positive definite "
                    f"(smallest eigenvalue of the correlations {value:.3g}); it turns on {_listed(names)}.",
                    names,
                    "merge constructs whose correlation is near 1, or drop one of them.",
                    (value,),
                    where,
                )
            )
    residual = at.residual[:p, :p]
    value, vector = _smallest(residual)
    if value < -BOUNDARY and (np.diagonal(residual) >= 0).all():
        names = tuple(
            specification.observed[i] for i in np.argsort(-np.abs(vector), kind="stable") if abs(vector[i]) > 0.2
        )
        problems.append(
            Problem(
                "residual covariance",
                f"The covariance matrix of the residuals{_in(where)} is not positive definite; "
                f"it turns on {_listed(names)}.",
                names,
                "drop residual covariances among the items that are named.",
                (value,),
                where,
            )
        )
    return problems


def _above_one(
    specification: Specification, rows: list[Parameter], at: Implied, position: dict[str, int], where: str
) -> list[Problem]:
    """Return a problem that lists standardised loadings, paths and correlations beyond one.

    A loading beyond one is a fault only where nothing but its construct affects the item; one of several collinear
    parents of an item may legitimately exceed one, and so may growth factors.
    """
    variance = np.diagonal(at.total)
    parents: dict[str, int] = {}
    for row in rows:
        if row.op in ("=~", "~"):
            affected = row.rhs if row.op == "=~" else row.lhs
            parents[affected] = parents.get(affected, 0) + 1
    found: list[tuple[Parameter, float]] = []
    for row in rows:
        if row.op in ("~1", "|", "~*~") or row.lhs == row.rhs or row.exogenous:
            continue
        i, j = position[row.lhs], position[row.rhs]
        if row.op == "~~":
            spread = at.residual[i, i] * at.residual[j, j]
            value = at.residual[i, j] / np.sqrt(spread) if spread > 0 else np.nan
        elif variance[i] > 0 and variance[j] > 0:
            effect = at.directed[j, i] if row.op == "=~" else at.directed[i, j]
            ratio = variance[i] / variance[j] if row.op == "=~" else variance[j] / variance[i]
            value = effect * np.sqrt(ratio)
        else:
            value = np.nan
        crossed = row.op == "=~" and parents[row.rhs] > 1
        if np.isfinite(value) and abs(value) > 1.0 + BOUNDARY and not crossed:
            found.append((row, float(value)))
    if not found:
        return []
    listed = ", ".join(f"{row.name} = {value:.3g}" for row, value in found)
    return [
        Problem(
            "standardised above one",
            f"Standardised values beyond 1{_in(where)}: {listed}.",
            tuple(_label(specification, row) for row, _ in found),
            "look at the correlations among the predictors (collinear constructs), and for near-duplicate items.",
            tuple(value for _, value in found),
            where,
        )
    ]
