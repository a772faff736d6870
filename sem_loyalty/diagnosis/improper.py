"""Values that cannot be: negative variances, impossible correlations, standardised values beyond one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtri

from sem_loyalty.diagnosis.evidence import Evidence
from sem_loyalty.diagnosis.findings import Finding
from sem_loyalty.fitting.certificate import Problem
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.uncertainty import parameter_covariance


def check_improper(evidence: Evidence) -> Iterator[Finding]:
    """Yield the improper values of a fit, and whether chance explains the negative variances among them.

    A negative estimate whose confidence interval includes zero is what sampling fluctuation gives where the variance
    is small; one that excludes zero points to a wrong model (Savalei and Kolenikov 2008,
    doi:10.1037/1082-989X.13.2.150; Kolenikov and Bollen 2012, doi:10.1177/0049124112442138).
    """
    fit = evidence.fit
    if fit is None:
        return
    for problem in fit.certificate.problems:
        if problem.code == "negative variance":
            yield from _negative(fit, problem)
        elif problem.code == "latent covariance":
            values = {"eigenvalue": problem.values[0]}
            yield Finding("latent_covariance", "constructs", names=problem.parameters, values=values)
        elif problem.code == "residual covariance":
            yield Finding("residual_covariance", "variances", names=problem.parameters)
        elif problem.code == "standardised above one":
            pairs = zip(problem.parameters, problem.values, strict=True)
            text = ", ".join(f"{name} = {value:.2f}" for name, value in pairs)
            yield Finding("beyond_one", "standardised", parameters=problem.parameters, values={"listed": text})


def _negative(fit: Fit, problem: Problem) -> Iterator[Finding]:
    """Yield one finding for each negative variance."""
    margin = float(ndtri(0.975))
    errors = np.sqrt(np.maximum(np.diagonal(parameter_covariance(fit)), 0.0))
    group = fit.specification.groups.index(problem.group) + 1 if problem.group else 1
    free = {row.name: row.free for row in fit.specification.parameters if row.group == group and row.free >= 0}
    for label, est in zip(problem.parameters, problem.values, strict=True):
        name = label.split(" [")[0]
        se = float(errors[free[name]]) if name in free else np.nan
        values: dict[str, float | str] = {"est": est, "se": se, "lower": est - margin * se, "upper": est + margin * se}
        kind = "unknown" if not se > 0 else "fluctuation" if est + margin * se >= 0 else "misfit"
        variable = name.split(" ~~ ")[0]
        yield Finding(f"negative_{kind}", "variances", names=(variable,), parameters=(label,), values=values)
