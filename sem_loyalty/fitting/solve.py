"""From a complete model and moments to a certified solution."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import SpecificationError
from sem_loyalty.fitting.certificate import certify
from sem_loyalty.fitting.discrepancies import LEAST_SQUARES, Minimised, discrepancy_of
from sem_loyalty.fitting.fallback import SCARCE
from sem_loyalty.fitting.identification import NotIdentified, unidentified_parameters
from sem_loyalty.fitting.ordinal import ordinal_discrepancy, with_thresholds
from sem_loyalty.fitting.search import Problem, pose, search
from sem_loyalty.fitting.solution import Fit, degrees_of_freedom
from sem_loyalty.kernel.likelihood import Likelihood
from sem_loyalty.kernel.solver import minimise
from sem_loyalty.model.scatter import blocks as make_blocks
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
    if specification.ordered:
        cov = np.ascontiguousarray(moments.groups[0].cov)
        least = ordinal_discrepancy(specification, moments, make_blocks(specification, (cov,), (None,))[0], estimator)
        discrepancy: Minimised = least
        covs: tuple[Array, ...] = (cov,)
        problem: Problem[Any] = with_thresholds(pose(specification, least, covs, (None,)), least)
    else:
        discrepancy, covs, means = discrepancy_of(estimator, specification, moments)
        problem = pose(specification, discrepancy, covs, means)
    if moments.missing == "fiml":
        problem = _two_stage_start(problem, Likelihood(discrepancy.blocks, discrepancy.samples))
    scarce = moments.n < SCARCE * specification.n_parameters
    found = search(problem, covs[0], "kernel" if estimator in LEAST_SQUARES else engine, scarce=scarce)
    if found.solution is None:
        _raise_if_unidentified(problem, moments, estimator)
        raise SpecificationError(
            "No usable start: the implied covariance matrix is not positive definite at the start values. "
            "Check the fixed values and the start() modifiers of the model."
        )
    certificate = certify(
        specification,
        problem.discrepancy,
        found.solution.point,
        problem.space,
        converged=found.solution.converged,
        other_value=found.other_value,
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
        space=problem.space,
        point=found.solution.point,
    )


def _two_stage_start(problem: Problem[Any], complete: Likelihood) -> Problem[Any]:
    """Start from the fit to the moments of the saturated model: near the minimum, at a fraction of the cost."""
    first = minimise(complete, problem.start, problem.space)
    return replace(problem, start=first.point.theta) if first is not None and first.converged else problem


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
