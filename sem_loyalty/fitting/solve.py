"""From a complete model and moments to a certified solution."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import SpecificationError
from sem_loyalty.fitting.certificate import certify
from sem_loyalty.fitting.discrepancies import LEAST_SQUARES, Minimised, discrepancy_of
from sem_loyalty.fitting.held import defined_starts, held_at
from sem_loyalty.fitting.identification import NotIdentified, unidentified_parameters
from sem_loyalty.fitting.ordinal import ordinal_discrepancy, ordinal_problem
from sem_loyalty.fitting.search import Problem, pose, search
from sem_loyalty.fitting.solution import Fit, degrees_of_freedom
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy
from sem_loyalty.model.scatter import blocks as make_blocks
from sem_loyalty.model.scatter import subspace
from sem_loyalty.model.spec import Specification
from sem_loyalty.survey.moments import Moments

Array = NDArray[np.float64]


def solve(specification: Specification, moments: Moments, *, engine: str = "auto", estimator: str = "ML") -> Fit:
    """Minimise, check in other units, certify.

    Parameters
    ----------
    specification : Specification
    moments : Moments
    engine : {"auto", "semopy", "kernel"}
    estimator : str
        As in `fit`. The likelihood estimators minimise the same discrepancy; the name says how uncertainty is computed.

    Returns
    -------
    Fit

    Raises
    ------
    SpecificationError
        The model has more parameters than moments, or is not identified.
    NotSupported
        `engine="semopy"` and semopy cannot express the model.
    """
    if degrees_of_freedom(specification) < 0:
        raise NotIdentified(
            f"The model is not identified: {specification.n_parameters} parameters, but only "
            f"{specification.n_parameters + degrees_of_freedom(specification)} sample moments. "
            "Fix or remove parameters, or add indicators.",
            specification,
            moments,
            estimator,
            (),
        )
    discrepancy, covs, means = discrepancy_for(specification, moments, estimator)
    problem: Problem[Any]
    if isinstance(discrepancy, OrdinalDiscrepancy):
        problem = ordinal_problem(specification, moments, discrepancy)
    else:
        problem = pose(specification, discrepancy, covs, means)
    if problem.space.restrictions is not None:
        starts = (problem.start, problem.plain_start, *problem.crude_starts)
        start, plain, *crude = defined_starts(specification, problem.space, starts)
        problem = replace(problem, start=start, plain_start=plain, crude_starts=tuple(crude))
    found = search(problem, covs[0], "kernel" if estimator in LEAST_SQUARES else engine, moments.n)
    if found.solution is None:
        _raise_if_unidentified(problem, moments, estimator)
        raise SpecificationError(
            "No usable start: the implied covariance matrix is not positive definite at the start values. "
            "Check the fixed values and the start() modifiers of the model."
        )
    point = found.solution.point
    held = held_at(specification, problem.space, point.theta, problem.discrepancy.gradient(point))
    certificate, factored = certify(
        specification,
        problem.discrepancy,
        point,
        held.space,
        converged=found.solution.converged and not held.pulling,
        other_value=found.other_value,
        dependent=held.dependent,
    )
    if any(fault.code == "singular information" for fault in certificate.problems):
        _raise_if_unidentified(problem, moments, estimator)
    return Fit(
        specification=specification,
        moments=moments,
        theta=found.solution.point.theta,
        value=max(0.0, found.solution.point.value),
        certificate=certificate,
        engine=found.engine,
        estimator=estimator,
        iterations=found.solution.iterations,
        notes=found.notes,
        discrepancy=discrepancy,
        # Thresholds that were held at the sample's are parameters all the same.
        space=held.space if problem.space.kept is None else subspace(specification),
        point=found.solution.point,
        active=held.active,
        factored=factored,
    )


def discrepancy_for(
    specification: Specification, moments: Moments, estimator: str
) -> tuple[Minimised, tuple[Array, ...], tuple[Array | None, ...]]:
    """Return what an estimator minimises, of ordinal or continuous items, and the moments that it takes for the truth.

    Parameters
    ----------
    specification : Specification
    moments : Moments
    estimator : str

    Returns
    -------
    discrepancy : Discrepancy
    covs, means : tuple
        By group, in the order of the observed variables; start values come from them.
    """
    if specification.ordered:
        covs = tuple(np.ascontiguousarray(entry.cov) for entry in moments.groups)
        means = tuple(entry.mean for entry in moments.groups)
        blocks = make_blocks(specification, covs, means)
        return ordinal_discrepancy(specification, moments, blocks, estimator), covs, means
    return discrepancy_of(estimator, specification, moments)


def _raise_if_unidentified(problem: Problem[Any], moments: Moments, estimator: str) -> None:
    names = unidentified_parameters(problem.specification, problem.discrepancy, problem.start, problem.space)
    if names:
        raise NotIdentified(
            f"The model is not identified, whatever the data: {', '.join(names)} cannot all be estimated. "
            "Fix one of them, hold some equal, or add indicators.",
            problem.specification,
            moments,
            estimator,
            names,
        )
