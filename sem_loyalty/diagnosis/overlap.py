"""Constructs that the data cannot tell apart, and items that say the same or measure another construct."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sem_loyalty.diagnosis.evidence import Evidence
from sem_loyalty.diagnosis.findings import Finding
from sem_loyalty.fitting.solution import Fit

# Correlation of two constructs, freed from measurement error, above which they are hardly two.
COLLINEAR = 0.90
# Correlation in an improper solution from which the model is said to make two constructs one.
JOINED = 0.98
# Variance inflation of a predictor: nine tenths of it are told by the others.
INFLATION = 10.0
DUPLICATE = 0.95
WEAK = 0.15
# By how much an item must lean to another construct before it is mentioned.
LEANING = 0.05


def check_constructs(evidence: Evidence) -> Iterator[Finding]:
    """Yield pairs of constructs that are nearly one, predictors that determine each other, and where trouble starts."""
    names, between = evidence.constructs, evidence.between
    fit = evidence.fit
    troubled = fit is None or not fit.certificate.certified
    higher = {(lhs, item) for lhs, members in evidence.specification.indicators.items() for item in members}
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
    close = [
        (float(between[i, j]), names[i], names[j])
        for i, j in pairs
        if abs(between[i, j]) >= COLLINEAR and not {(names[i], names[j]), (names[j], names[i])} & higher
    ]
    for r, first, second in sorted(close, key=lambda entry: -abs(entry[0])):
        yield Finding("collinear_constructs", "constructs", names=(first, second), values={"r": r}, serious=troubled)
    if troubled and fit is not None:
        yield from _joined(fit, {(first, second) for _, first, second in close} | higher)
    yield from _redundant(evidence, serious=troubled)
    if troubled and evidence.measurement_reason:
        yield Finding("measurement_fails", "constructs", values={"reason": evidence.measurement_reason}, serious=False)
    elif troubled and evidence.measurement is not None:
        yield Finding("measurement_holds", "constructs", serious=False)


def _joined(fit: Fit, known: set[tuple[str, str]]) -> Iterator[Finding]:
    """Yield other pairs of constructs that the model, rather than the items, makes one."""
    specification = fit.specification
    p, names = len(specification.observed), specification.latent
    for at in fit.point.implied:
        latent = at.total[p:, p:]
        variance = np.diagonal(latent)
        for i, j in zip(*np.triu_indices(len(names), 1), strict=True):
            pair = (names[i], names[j])
            if variance[i] <= 0 or variance[j] <= 0 or pair in known or (names[j], names[i]) in known:
                continue
            r = float(latent[i, j] / np.sqrt(variance[i] * variance[j]))
            if abs(r) >= JOINED:
                known = known | {pair}
                yield Finding("collinear_in_model", "constructs", names=pair, values={"r": r})


def _redundant(evidence: Evidence, *, serious: bool) -> Iterator[Finding]:
    """Yield outcomes whose predictors nearly determine each other."""
    position = {name: i for i, name in enumerate(evidence.constructs)}
    rows = evidence.specification.parameters
    for outcome in evidence.specification.outcomes:
        causes = list(dict.fromkeys(r.rhs for r in rows if r.op == "~" and r.lhs == outcome and r.rhs in position))
        if len(causes) < 2:
            continue
        at = [position[name] for name in causes]
        matrix = evidence.between[np.ix_(at, at)]
        if not np.isfinite(matrix).all():
            continue
        if float(np.linalg.eigvalsh(matrix)[0]) <= 1e-6:
            inflation = np.full(len(at), np.inf)
        else:
            inflation = np.diagonal(np.linalg.inv(matrix))
        worst = [name for name, value in zip(causes, inflation, strict=True) if value >= INFLATION]
        if worst:
            yield Finding(
                "redundant_predictors",
                "constructs",
                names=tuple(worst),
                parameters=tuple(f"{outcome} ~ {name}" for name in worst),
                values={"outcome": outcome, "vif": float(inflation.max())},
                serious=serious,
            )


def check_items(evidence: Evidence) -> Iterator[Finding]:
    """Yield near-duplicate items, and items that lean against their construct or to another."""
    R, observed = evidence.correlations, evidence.specification.observed
    for i, j in zip(*np.nonzero(np.triu(np.abs(R) >= DUPLICATE, 1)), strict=True):
        pair = (observed[i], observed[j])
        yield Finding("duplicate_items", "items", names=pair, values={"r": float(R[i, j])})
    leaning: list[str] = []
    for k, own in enumerate(evidence.items):
        for item in own:
            rest = [i for i in own if i != item]
            if not rest or sum(item in block for block in evidence.items) > 1:
                continue
            finding = _against(evidence, k, item, rest)
            other = _closer(evidence, k, item, rest) if finding is None else ""
            if finding is not None:
                yield finding
            elif other:
                leaning.append(f"{observed[item]} ({other})")
    if leaning:
        items = tuple(text.split(" (")[0] for text in leaning)
        values = {"listed": ", ".join(leaning)}
        yield Finding("misplaced_items", "items", names=items, values=values, serious=False)


def _against(evidence: Evidence, k: int, item: int, rest: list[int]) -> Finding | None:
    """Return that an item runs against its construct, or hardly with it."""
    R, own = evidence.correlations, evidence.constructs[k]
    name = evidence.specification.observed[item]
    here = float(R[item, rest].mean())
    values: dict[str, float | str] = {"item": name, "own": own, "here": here}
    if len(rest) > 1 and R[np.ix_(rest, rest)].sum() > len(rest) and here < -2.0 / np.sqrt(evidence.moments.n):
        return Finding("reversed_item", "items", names=(name,), values=values, serious=False)
    if float(np.abs(R[item, rest]).mean()) < WEAK:
        return Finding("weak_item", "items", names=(name,), values=values, serious=False)
    return None


def _closer(evidence: Evidence, k: int, item: int, rest: list[int]) -> str:
    """Return the construct whose items an item correlates more with than with those of its own, or ""."""
    R = evidence.correlations
    elsewhere = {
        other: float(np.abs(R[item, list(block)]).mean())
        for other, block in zip(evidence.constructs, evidence.items, strict=True)
        if other != evidence.constructs[k] and len(block) > 1
    }
    nearest = max(elsewhere, key=lambda key: elsewhere[key], default="")
    here = float(np.abs(R[item, rest]).mean())
    return nearest if nearest and elsewhere[nearest] > here + LEANING else ""


def check_sample(evidence: Evidence) -> Iterator[Finding]:
    """Yield a sample that is small for the model, and a covariance matrix near singularity.

    Five respondents for each parameter are the least (Bentler and Chou 1987, doi:10.1177/0049124187016001004).
    """
    specification, n = evidence.specification, evidence.moments.n
    values, vectors = np.linalg.eigh(evidence.correlations)
    if values[0] < 1e-4:
        names = tuple(
            specification.observed[i]
            for i in np.argsort(-np.abs(vectors[:, 0]), kind="stable")
            if abs(vectors[i, 0]) > 0.2
        )
        yield Finding("near_singular", "sample_covariance", names=names, values={"eigenvalue": float(values[0])})
    count = max(specification.n_parameters, 1)
    if n < 100 or n / count < 5:
        numbers = {"n": float(n), "parameters_count": float(count), "ratio": n / count}
        yield Finding("small_sample", "sample_size", values=numbers, serious=False)
