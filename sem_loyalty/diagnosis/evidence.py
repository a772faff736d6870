"""What a diagnosis looks at: the model, the moments, the fit where there is one, and the constructs without paths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.diagnosis.refit import refit, respecify
from sem_loyalty.diagnosis.revision import measurement_part
from sem_loyalty.errors import SemLoyaltyError
from sem_loyalty.fitting.identification import NotIdentified
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.measurement.htmt import heterotrait_monotrait
from sem_loyalty.model.spec import Specification
from sem_loyalty.model.syntax import parse
from sem_loyalty.survey.moments import Moments

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a diagnosis looks at.

    Attributes
    ----------
    specification : Specification
    moments : Moments
    estimator : str
    fit : Fit or None
        None where the model is not identified.
    refused : NotIdentified or None
        Why there is no fit.
    correlations : ndarray, shape (p, p)
        Sample correlations of the observed variables, averaged over groups by size.
    constructs : tuple of str, length k
        Latent variables with items of their own.
    items : tuple of k tuples of int
        Positions of their items.
    measurement : Fit or None
        The measurement part alone, all constructs free to covary; None where the model has no paths among constructs,
        or that part has no minimum.
    measurement_reason : str
        Why the measurement part is not certified; "" where it is, or was not fitted.
    between : ndarray, shape (k, k)
        Correlations of the constructs with measurement error allowed for: of the measurement part, and where it has
        none, heterotrait-monotrait ratios.
    """

    specification: Specification
    moments: Moments
    estimator: str
    fit: Fit | None
    refused: NotIdentified | None
    correlations: Array
    constructs: tuple[str, ...]
    items: tuple[tuple[int, ...], ...]
    measurement: Fit | None
    measurement_reason: str
    between: Array


def gather(
    specification: Specification, moments: Moments, estimator: str, fit: Fit | None, refused: NotIdentified | None
) -> Evidence:
    """Compute what the checks share."""
    correlations = sample_correlations(specification, moments)
    position = {name: i for i, name in enumerate(specification.observed)}
    items = {
        name: tuple(position[item] for item in members if item in position)
        for name, members in specification.indicators.items()
    }
    constructs = tuple(name for name, own in items.items() if own)
    blocks = tuple(items[name] for name in constructs)
    measurement, reason = _measurement(specification, moments, estimator)
    return Evidence(
        specification=specification,
        moments=moments,
        estimator=estimator,
        fit=fit,
        refused=refused,
        correlations=correlations,
        constructs=constructs,
        items=blocks,
        measurement=measurement,
        measurement_reason=reason,
        between=_between(correlations, constructs, blocks, measurement or fit),
    )


def sample_correlations(specification: Specification, moments: Moments) -> Array:
    """Return sample correlations of the observed variables of a model, averaged over groups by size, shape (p, p)."""
    at = [moments.names.index(name) for name in specification.observed]
    pooled = np.zeros((len(at), len(at)))
    for entry in moments.groups:
        cov = entry.cov[np.ix_(at, at)]
        sd = np.sqrt(np.diagonal(cov))
        pooled += entry.n / moments.n * cov / np.outer(sd, sd)
    return pooled


def _measurement(specification: Specification, moments: Moments, estimator: str) -> tuple[Fit | None, str]:
    """Fit the measurement part alone, where the model has paths among its constructs."""
    latent = set(specification.latent)
    structural = any(row.op == "~" and row.lhs in latent and row.rhs in latent for row in specification.parameters)
    if not structural or specification.kind == "growth" or specification.group_equal:
        return None, ""
    try:
        part = measurement_part(parse(specification.text))
        alone = respecify(part, specification, moments, estimator=estimator, orthogonal=False)
    except SemLoyaltyError:
        return None, ""
    if not set(alone.observed) <= set(specification.observed) or (
        specification.ordered and alone.observed != specification.observed
    ):
        return None, ""
    found, reason = refit(alone, moments, estimator)
    return found, found.certificate.reason if found is not None else reason


def _between(
    correlations: Array, constructs: tuple[str, ...], items: tuple[tuple[int, ...], ...], fit: Fit | None
) -> Array:
    """Return correlations of the constructs in a fit, averaged over groups; of the items where it has none."""
    between = heterotrait_monotrait(correlations, items).values
    if fit is None or not {"not converged", "singular information"}.isdisjoint(
        problem.code for problem in fit.certificate.problems
    ):
        return between
    p = len(fit.specification.observed)
    at = [p + fit.specification.latent.index(name) for name in constructs]
    pooled = np.zeros_like(between)
    for entry, implied in zip(fit.moments.groups, fit.point.implied, strict=True):
        cov = implied.total[np.ix_(at, at)]
        if (np.diagonal(cov) <= 0).any():
            return between
        sd = np.sqrt(np.diagonal(cov))
        pooled += entry.n / fit.moments.n * cov / np.outer(sd, sd)
    return pooled
