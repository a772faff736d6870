"""Which combinations of parameters the model, or these data, leave undetermined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.diagnosis.evidence import Evidence
from sem_loyalty.diagnosis.findings import Finding
from sem_loyalty.display import format_number
from sem_loyalty.fitting.solution import Fit, degrees_of_freedom
from sem_loyalty.fitting.spectrum import scaled_spectrum
from sem_loyalty.model.spec import Parameter, Specification

Array = NDArray[np.float64]

# Relative to the largest eigenvalue of the scaled information; below it a direction counts as flat.
FLAT = 1e-10
# Share of the largest weight below which a parameter plays no part in a direction.
SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Direction:
    """A combination of parameters along which the discrepancy is flat.

    Attributes
    ----------
    curvature : float
        Eigenvalue of the information scaled to a unit diagonal, relative to the largest.
    parameters : tuple of Parameter
        Those that take part, largest weight first.
    weights : tuple of float
        Their weights, the largest 1, in units of the standard error that each would have if it were alone: no change
        of the units of the items changes them.
    """

    curvature: float
    parameters: tuple[Parameter, ...]
    weights: tuple[float, ...]

    def combination(self, lang: str = "en") -> str:
        """Return the direction as a weighted sum."""
        terms = [
            f"{format_number(weight, 2, lang=lang)} × ({row.name})"
            for row, weight in zip(self.parameters[:4], self.weights[:4], strict=True)
        ]
        return " + ".join(terms) + (" + …" if len(self.parameters) > 4 else "")


def flat_directions(fit: Fit) -> tuple[Direction, ...]:
    """Return the flat directions at a solution, the flattest first; the flattest one where none is entirely flat."""
    space = fit.space
    matrix = space.reduce_matrix(fit.discrepancy.information(fit.point))  # type: ignore[arg-type]
    values, vectors, scale = scaled_spectrum(matrix)
    if not len(values):
        return ()
    count = max(1, int((values < FLAT * values[-1]).sum()))
    unit = np.sqrt(((space.basis * scale) ** 2).sum(axis=1)) if space.constrained else scale
    found = []
    for k in range(count):
        weight = space.expand(vectors[:, k] / scale) * unit
        weight = weight / weight[np.abs(weight).argmax()]
        order = [int(i) for i in np.argsort(-np.abs(weight), kind="stable") if abs(weight[i]) > SHARE]
        rows = tuple(fit.specification.free_parameters[i] for i in order)
        found.append(Direction(float(values[k] / values[-1]), rows, tuple(float(weight[i]) for i in order)))
    return tuple(found)


def concerned(specification: Specification, rows: tuple[Parameter, ...]) -> tuple[str, ...]:
    """Return the constructs that parameters are about; the variables themselves where none is a construct."""
    owner = {item: latent for latent, members in specification.indicators.items() for item in members}
    latent = set(specification.latent)
    names: dict[str, None] = {}
    for row in rows:
        for name in (row.lhs, row.rhs):
            if name:
                names[name if name in latent else owner.get(name, name)] = None
    return tuple(names)


def check_information(evidence: Evidence) -> Iterator[Finding]:
    """Yield what is not identified, or what these data hold no information on."""
    specification, fit, refused = evidence.specification, evidence.fit, evidence.refused
    if refused is not None:
        df = degrees_of_freedom(specification)
        if df < 0:
            count = specification.n_parameters
            values = {"parameters_count": float(count), "moments": float(count + df)}
            yield Finding("too_many_parameters", "identification", values=values)
        if refused.parameters:
            yield Finding("not_identified", "identification", parameters=refused.parameters)
    if fit is None:
        return
    codes = {problem.code for problem in fit.certificate.problems}
    if codes & {"singular information", "not converged"}:
        code = "no_information" if "singular information" in codes else "ridge"
        for direction in flat_directions(fit):
            yield Finding(
                code,
                "information",
                names=concerned(specification, direction.parameters),
                parameters=tuple(row.name for row in direction.parameters),
                values={"combination": direction.combination(), "curvature": direction.curvature},
            )
    if "rescaling" in codes:
        yield Finding("other_minimum", "units")


def check_lone_pairs(evidence: Evidence) -> Iterator[Finding]:
    """Yield constructs with two items that correlate with nothing else, so that two loadings rest on one covariance."""
    if evidence.fit is not None and evidence.fit.certificate.certified:
        return
    chance = 2.0 / np.sqrt(evidence.moments.n)
    for name, own in zip(evidence.constructs, evidence.items, strict=True):
        others = [i for i in range(len(evidence.correlations)) if i not in own]
        if len(own) != 2 or len(evidence.specification.indicators[name]) != 2:
            continue
        across = np.abs(evidence.correlations[np.ix_(own, others)])
        largest = float(across.max(initial=0.0))
        # The mean of the correlations is judged, since the largest of many exceeds chance by itself.
        if others and (float(across.mean()) < chance / 2.0 and largest < 2.0 * chance):
            yield Finding("lone_pair", "information", names=(name,), values={"largest": largest})
