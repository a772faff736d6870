"""Changes to a model that its findings suggest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from sem_loyalty.diagnosis import revision
from sem_loyalty.diagnosis.evidence import Evidence
from sem_loyalty.diagnosis.findings import Finding
from sem_loyalty.fitting.discrepancies import FROM_MATRIX
from sem_loyalty.model.modifiers import Modifier
from sem_loyalty.model.roles import unique
from sem_loyalty.model.syntax import ModelText, Statement, parse

# What a change costs the theory, which decides the order of the remedies that work.
COSTS = {
    "std_lv": 0.0,
    "scale": 0.0,
    "estimator": 1.0,
    "zero_variance": 1.0,
    "equal_loadings": 1.0,
    "drop_path": 2.0,
    "drop_covariance": 2.0,
    "drop_loading": 2.0,
    "drop_item": 2.0,
    "turn_path": 3.0,
    "open_order": 3.0,
    "merge": 3.0,
    # A negative variance that chance does not explain is not mended by hiding it.
    "zero_misfit": 4.0,
}
# Items of such different spread have no common unit in which loadings could be equal.
SPREAD = 2.0
PATHS, ITEMS, PAIRS = 9, 6, 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A change that may help.

    Attributes
    ----------
    steps : tuple of (str, tuple of str)
        What is done, by the keys of COSTS, and to what; several for changes together.
    text : ModelText
        The changed model.
    cost : float
        What it costs the theory.
    std_lv : bool
        Unit latent variances.
    estimator : str
    """

    steps: tuple[tuple[str, tuple[str, ...]], ...]
    text: ModelText
    cost: float
    std_lv: bool
    estimator: str


def candidates(evidence: Evidence, findings: tuple[Finding, ...]) -> tuple[Candidate, ...]:
    """Return the changes that the serious findings suggest, each once, cheapest first."""
    text = parse(evidence.specification.text)
    found: dict[tuple[tuple[str, tuple[str, ...]], ...], Candidate] = {}
    for candidate in _suggested(evidence, findings, text):
        found.setdefault(candidate.steps, candidate)
    return tuple(sorted(found.values(), key=lambda candidate: candidate.cost))


def combined(first: Candidate, second: Candidate) -> Candidate | None:
    """Return two dropped paths as one change; None for other kinds."""
    if any(kind != "drop_path" for kind, _ in (*first.steps, *second.steps)):
        return None
    text = first.text
    for _, (path,) in second.steps:
        lhs, rhs = path.split(" ~ ")
        text = revision.with_zero_path(text, lhs, rhs)
    return replace(first, steps=(*first.steps, *second.steps), text=text, cost=first.cost + second.cost)


def _suggested(evidence: Evidence, findings: tuple[Finding, ...], text: ModelText) -> Iterator[Candidate]:
    serious = tuple(finding for finding in findings if finding.serious)
    if not serious:
        return

    def change(kind: str, names: tuple[str, ...], made: ModelText | None) -> list[Candidate]:
        if made is None or not made.statements:
            return []
        return [Candidate(((kind, names),), made, COSTS[kind], evidence.specification.std_lv, evidence.estimator)]

    for finding in serious:
        if finding.code.startswith("negative_"):
            (name,) = finding.names
            kind = "zero_misfit" if finding.code == "negative_misfit" else "zero_variance"
            yield from change(kind, (f"{name} ~~ {name}",), revision.with_zero(text, name, name))
    for latent in _pairs(evidence, serious):
        yield from change("equal_loadings", (latent,), revision.with_equal_loadings(text, latent))
    if evidence.fit is None:
        yield from (
            entry for latent in _unscaled(evidence, text) for entry in change("scale", (latent,), _scaled(text, latent))
        )
        yield from (entry for made in _dropped_terms(serious, text) for entry in change(*made))
    for lhs, rhs in _paths(evidence, serious, text):
        yield from change("drop_path", (f"{lhs} ~ {rhs}",), revision.with_zero_path(text, lhs, rhs))
    yield from (
        entry
        for pair in _close(serious)
        for entry in change("merge", pair, revision.merged(text, *pair))
        if _can_merge(evidence, pair)
    )
    for first, second in _close(serious):
        for lhs, rhs in ((first, second), (second, first)):
            if revision.has(text, lhs, "~", rhs):
                path = (f"{lhs} ~ {rhs}",)
                yield from change("turn_path", path, revision.turned(text, lhs, rhs))
                yield from change("open_order", path, revision.with_open_order(text, lhs, rhs))
    for item in _items(evidence, serious):
        yield from change("drop_item", (item,), revision.without_item(text, item))
    yield from _same_theory(evidence, text)


def _same_theory(evidence: Evidence, text: ModelText) -> Iterator[Candidate]:
    """Yield the same model with other scales of the constructs, or by another estimator."""
    fit = evidence.fit
    if fit is None:
        return
    marked = any(m.kind in ("fixed", "free") for s in text.statements if s.op == "=~" for m in s.rhs.modifiers)
    # Another scale leads to the same minimum, so it helps only where the search failed.
    searched = {problem.code for problem in fit.certificate.problems} & {
        "not converged",
        "singular information",
        "rescaling",
    }
    if searched and not evidence.specification.std_lv and evidence.constructs and not marked:
        yield Candidate((("std_lv", ()),), text, COSTS["std_lv"], True, evidence.estimator)
    if evidence.specification.ordered or evidence.moments.missing == "fiml":
        return
    for estimator in FROM_MATRIX:
        if estimator != evidence.estimator and evidence.estimator in ("ML", "MLM", "MLMV", "MLR", "GLS", "ULS"):
            plain = evidence.specification.std_lv
            yield Candidate((("estimator", (estimator,)),), text, COSTS["estimator"], plain, estimator)


def _close(serious: Iterable[Finding]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of constructs that are nearly one, closest first."""
    found = dict.fromkeys(finding.names for finding in serious if finding.code.startswith("collinear_"))
    return tuple((first, second) for first, second in found)[:PAIRS]


def _can_merge(evidence: Evidence, pair: tuple[str, str]) -> bool:
    """Return whether both constructs are measured by items alone."""
    latent = set(evidence.specification.latent)
    return all(not latent & set(evidence.specification.indicators[name]) for name in pair)


def _paths(evidence: Evidence, serious: tuple[Finding, ...], text: ModelText) -> tuple[tuple[str, str], ...]:
    """Return the written paths that serious findings turn on, in the order of the findings."""
    named: list[tuple[str, str]] = []
    for finding in serious:
        named += [tuple(label.split(" [")[0].split(" ~ ")) for label in finding.parameters if " ~ " in label]  # type: ignore[misc]
    for first, second in _close(serious):
        for row in evidence.specification.parameters:
            both = all(revision.has(text, row.lhs, "~", name) for name in (first, second))
            if row.op == "~" and row.rhs in (first, second) and both:
                named.append((row.lhs, row.rhs))
    for finding in serious:
        if finding.code.startswith("negative_") or finding.code == "latent_covariance":
            named += [
                (r.lhs, r.rhs) for r in evidence.specification.parameters if r.op == "~" and r.lhs in finding.names
            ]
    written = [pair for pair in dict.fromkeys(named) if len(pair) == 2 and revision.has(text, pair[0], "~", pair[1])]
    return tuple(written[:PATHS])


def _dropped_terms(serious: Iterable[Finding], text: ModelText) -> Iterator[tuple[str, tuple[str, ...], ModelText]]:
    """Yield the model without a covariance or second loading that no data can determine."""
    written = [(s.lhs, s.op, s.rhs.name) for s in text.statements]
    measured = [name for _, op, name in written if op == "=~"]
    for label in unique(name for finding in serious for name in finding.parameters):
        for lhs, op, rhs in written:
            if f"{lhs} {op} {rhs}" != label or lhs == rhs:
                continue
            if op == "~~":
                yield "drop_covariance", (label,), revision.without(text, lhs, op, rhs)
            elif op == "=~" and measured.count(rhs) > 1:
                yield "drop_loading", (label,), revision.without(text, lhs, op, rhs)


def _pairs(evidence: Evidence, serious: tuple[Finding, ...]) -> tuple[str, ...]:
    """Return the constructs with two items of like spread that serious findings name, or that are not identified."""
    specification = evidence.specification
    named = {name for finding in serious for name in finding.names}
    parameters = [label for finding in serious for label in finding.parameters]
    sd = np.sqrt(np.mean([np.diagonal(entry.cov) for entry in evidence.moments.groups], axis=0))
    found = []
    for name, own in zip(evidence.constructs, evidence.items, strict=True):
        items = specification.indicators[name]
        if len(own) != 2 or len(items) != 2:
            continue
        at = [evidence.moments.names.index(item) for item in items]
        touched = name in named or named & set(items) or any(p.startswith(f"{name} ") for p in parameters)
        touched = touched or (evidence.refused is not None and not parameters)
        if touched and 1.0 / SPREAD <= sd[at[0]] / sd[at[1]] <= SPREAD:
            found.append(name)
    return tuple(found)


def _unscaled(evidence: Evidence, text: ModelText) -> tuple[str, ...]:
    """Return the constructs whose first loading the text sets free without fixing the variance."""
    rows = evidence.specification.parameters
    fixed = {r.lhs for r in rows if r.op in ("=~", "~~") and r.free < 0 and r.value not in (None, 0.0)
             and (r.op == "=~" or r.lhs == r.rhs)}  # fmt: skip
    return tuple(name for name in evidence.constructs if name not in fixed)


def _scaled(text: ModelText, latent: str) -> ModelText:
    """Return the text with the first loading of a construct fixed at 1."""
    done = False
    made: list[Statement] = []
    for entry in text.statements:
        if entry.op == "=~" and entry.lhs == latent and not done:
            done = True
            entry = replace(entry, rhs=replace(entry.rhs, modifiers=(Modifier("fixed", (1.0,)),)))
        made.append(entry)
    return replace(text, statements=tuple(made))


def _items(evidence: Evidence, serious: tuple[Finding, ...]) -> tuple[str, ...]:
    """Return the items that serious findings name and whose construct keeps two items without them."""
    if evidence.specification.ordered or evidence.moments.missing == "fiml":
        return ()  # the moments of the other items would have to be estimated anew
    observed = set(evidence.specification.observed)
    loose = {
        member: name
        for name, members in evidence.specification.indicators.items()
        for member in members
        if member in observed and len(members) > 2
    }
    named: list[str] = []
    for finding in serious:
        if finding.check in ("items", "variances", "sample_covariance"):
            named += list(finding.names)
        elif finding.code == "beyond_one":
            named += [label.split(" [")[0].split(" =~ ")[1] for label in finding.parameters if " =~ " in label]
    return tuple(name for name in dict.fromkeys(named) if name in loose)[:ITEMS]
