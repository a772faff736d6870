"""The sequence of invariance steps, and the search for the equalities that must go where a step fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.hypothesis_tests import likelihood_ratio_test
from sem_loyalty.inference.invariance_steps import Step, thresholds
from sem_loyalty.inference.measures import fit_measures
from sem_loyalty.inference.modification import modification_indices
from sem_loyalty.inference.score_tests import score_tests

# Score tests that differ by less, relatively, are the same but for rounding; the first of them counts.
TIED = 1e-8
KINDS = {"thresholds": "|", "metric": "=~", "scalar": "~1", "strict": "~~"}


class StepModels(Protocol):
    """The models of a sequence."""

    @property
    def construct(self) -> Mapping[str, str]:
        """Construct of every item that is held equal somewhere."""

    def fitted(self, name: str, released: tuple[str, ...]) -> Fit:
        """Fit the model of a step, without the equalities that `released` names."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Every model that was fitted.

    Attributes
    ----------
    steps : tuple of Step
    reached : tuple of Step
        Those that hold.
    statements : tuple of str
    """

    steps: tuple[Step, ...]
    reached: tuple[Step, ...]
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An equality that may be released, and its score test."""

    op: str
    item: str
    name: str
    x2: float


@dataclass(frozen=True, slots=True)
class Search:
    """What every step of a sequence has in common."""

    models: StepModels
    rule: str
    alpha: float

    def run(self, steps: tuple[str, ...], *, partial: bool) -> Sequence:
        """Fit the steps in their order until one fails."""
        done: list[Step] = []
        released: tuple[str, ...] = ()
        statements: list[str] = []
        for name in steps:
            against = done[-1] if done else None
            step = self.step(name, released, against)
            done.append(step)
            if (step.holds is None and against is not None) or not step.fit.certificate.certified:
                statements.append(f"The {step.name} model has no admissible solution, so the sequence ends here.")
                break
            if step.holds is False and partial:
                step, statement = self.release(name, step, against)
                statements.append(statement)
                if step.holds:
                    done[-1] = replace(done[-1], name=f"{done[-1].name} (rejected)")
                    done.append(step)
                    released = step.released
            elif step.holds is False:
                statements.append(f"The {step.name} step fails, so the sequence ends here.")
            if against is not None and not step.holds:
                break
        reached = tuple(s for s in done if s.holds or (s.against == "" and s.fit.certificate.certified))
        level = reached[-1].name if reached else ""
        first = f"Reached: {level} invariance." if level else "Not even the configural model is certified."
        return Sequence(tuple(done), reached, (first, *statements))

    def step(self, name: str, released: tuple[str, ...], against: Step | None) -> Step:
        """Fit and judge one step."""
        found = self.models.fitted(name, released)
        measures = fit_measures(found)
        kind = _indices(found, measures) if against is None else against.indices
        cfi, rmsea = (measures[f"{key}_{kind}" if kind else key] for key in ("cfi", "rmsea"))
        title = f"partial {name}" if released else name
        nan = float("nan")
        step = Step(title, found, released, "", nan, nan, nan, cfi, rmsea, measures["srmr"], None, kind)
        if against is None:
            return step
        test = likelihood_ratio_test(against.fit, found).iloc[1] if found.df > against.fit.df else None
        if test is not None:
            chisq, df, p = float(test["chisq_diff"]), float(test["df_diff"]), float(test["pvalue"])
            step = replace(step, against=against.name, chisq_diff=chisq, df_diff=df, pvalue_diff=p)
        else:
            step = replace(step, against=against.name)
        if not (found.certificate.certified and against.fit.certificate.certified):
            return step
        return replace(step, holds=self.stands(name, step, against))

    def stands(self, name: str, step: Step, against: Step) -> bool:
        """Return whether the rule lets the equalities of a step stand."""
        if self.rule == "test":
            return not step.pvalue_diff < self.alpha
        # Measures are compared as they are printed, so that a reader comes to the same verdict.
        fall = round(against.cfi - step.cfi, 3)
        if self.rule == "cheung2002":
            return fall <= 0.010
        limit = thresholds(name, step.fit.moments.n)
        rmsea, srmr = round(step.rmsea - against.rmsea, 3), round(step.srmr - against.srmr, 3)
        return fall <= limit.cfi and (rmsea <= limit.rmsea or srmr <= limit.srmr)

    def release(self, name: str, failed: Step, against: Step | None) -> tuple[Step, str]:
        """Release one equality after another until the step holds or too few items are left."""
        step = failed
        log: list[str] = []
        while step.holds is False:
            worst = self.worst(name, step)
            if worst is None:
                listed = f" after releasing {', '.join(log)}" if log else ""
                return step, f"The {name} step fails{listed}: no construct would keep two {_kept(name)} that are equal."
            log.append(f"{worst.name} (score test {worst.x2:.2f})")
            added = [worst.name]
            if worst.op == "=~":
                # Intercepts of items with unequal loadings are not comparable.
                added.append(f"{worst.item} ~ 1")
            step = self.step(name, (*step.released, *added), against)
        if step.holds is None:
            return step, f"Releasing {', '.join(log)} leads to no admissible solution of the {name} step."
        return step, f"The {name} step fails; it holds partially, without {', '.join(log)}."

    def worst(self, name: str, step: Step) -> Candidate | None:
        """Return the equality of this step with the largest score test that may still be released."""
        best: Candidate | None = None
        for found in _candidates(name, step.fit):
            if found.item not in self.models.construct or found.name in step.released:
                continue
            higher = best is None or found.x2 > best.x2 * (1.0 + TIED)
            if np.isfinite(found.x2) and higher and self.spare(found, step):
                best = found
        return best

    def spare(self, found: Candidate, step: Step) -> bool:
        """Return whether enough stays equal without this equality."""
        rows = step.fit.specification.parameters
        spared = set(step.released)
        if found.op == "|":
            # Two equal thresholds identify the intercept and the scale of a response.
            own = {row.name for row in rows if row.op == "|" and row.lhs == found.item}
            return len(own - spared) > 2
        if found.op == "~~":
            return True
        construct = self.models.construct
        shared = Counter(row.free for row in rows)
        if found.op == "=~":
            held = {row.rhs for row in rows if row.op == "=~" and row.free >= 0 and shared[row.free] > 1}
        else:
            held = {item for item in construct if f"{item} ~ 1" not in spared}
        return sum(construct.get(item) == construct[found.item] for item in held) > 2


def _candidates(name: str, fit: Fit) -> list[Candidate]:
    """Return the equalities of a step with their score tests."""
    kind = KINDS[name]
    rows = fit.specification.parameters
    tests = score_tests(fit)
    tested = [(rows[int(str(place).strip(".p")) - 1], float(x2)) for place, x2 in tests[["rhs", "x2"]].to_numpy()]
    tested = [(row, x2) for row, x2 in tested if row.op == kind]
    if kind == "|":
        # Of three equal thresholds of an item, releasing one or another is the same model; the outer ones fix its
        # scale and intercept best, so the middle comes first.
        last = Counter(row.lhs for row in rows if row.op == "|" and row.group == 1)
        tested.sort(key=lambda pair: abs(2 * int(pair[0].rhs[1:]) - last[pair[0].lhs] - 1))
    out = [Candidate(kind, row.rhs if kind == "=~" else row.lhs, row.name, x2) for row, x2 in tested]
    if kind in ("~1", "~~") and fit.specification.ordered:
        # Intercepts and residual variances of ordinal items are equal by being fixed.
        ordinal = set(fit.specification.ordered)
        indices = modification_indices(fit)
        for lhs, op, rhs, group, mi in indices[["lhs", "op", "rhs", "group", "mi"]].itertuples(index=False):
            if op == kind and lhs in ordinal and group > 1 and (op == "~1" or lhs == rhs):
                out.append(Candidate(kind, lhs, f"{lhs} ~ 1" if op == "~1" else f"{lhs} ~~ {lhs}", float(mi)))
    return out


def _kept(name: str) -> str:
    return "thresholds an item" if name == "thresholds" else "items"


def _indices(fit: Fit, measures: Mapping[str, float]) -> str:
    """Return which CFI and RMSEA are compared."""
    # Robust ones of ordinal items are not defined once thresholds are equal.
    for kind in ("scaled",) if fit.specification.ordered else ("robust", "scaled"):
        if np.isfinite([measures.get(f"{key}_{kind}", np.nan) for key in ("cfi", "rmsea")]).all():
            return kind
    return ""
