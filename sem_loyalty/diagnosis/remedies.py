"""Remedies: candidates refitted, measured and put in order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

from sem_loyalty.diagnosis.candidates import Candidate, candidates, combined
from sem_loyalty.diagnosis.evidence import Evidence
from sem_loyalty.diagnosis.findings import Finding
from sem_loyalty.diagnosis.refit import refit, respecify
from sem_loyalty.diagnosis.wording import listed, reasons, say
from sem_loyalty.errors import SemLoyaltyError
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.measures import fit_measures
from sem_loyalty.model.syntax import unparse

NAN = float("nan")
# Pairs of dropped paths that are tried where no single change helps.
TOGETHER = 10


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change that was tried by refitting, or an advice that cannot be tried.

    Attributes
    ----------
    steps : tuple of (str, tuple of str)
        What is done, and to what, for instance (("drop_path", ("Loyalty ~ Image",)),).
    certified : bool or None
        Whether the changed model has a certified solution; None for an advice.
    chisq, df, cfi, rmsea, bic : float
        Of the changed model; nan where it has no minimum. `bic` only where the same items are analysed by likelihood.
    cost : float
        What it costs the theory; 0 leaves it as it is.
    reason : str
        Why there is no certified solution; "" where there is one.
    model : str
        The changed model, as lavaan text.
    n : float
        Respondents that an advice asks for; nan otherwise.
    fit : Fit or None
        The refitted model.
    """

    steps: tuple[tuple[str, tuple[str, ...]], ...]
    certified: bool | None
    chisq: float
    df: float
    cfi: float
    rmsea: float
    bic: float
    cost: float
    reason: str
    model: str
    n: float
    fit: Fit | None

    def text(self, lang: str = "en") -> str:
        """Return what is done, in English or Chinese."""
        said = [
            say(f"remedy_{kind}", lang, names=listed(names, lang), estimator="".join(names), n=self.n)
            for kind, names in self.steps
        ]
        return ("; " if lang == "en" else "；").join(said)

    def change(self, lang: str = "en") -> str:
        """Return what it changes in substance."""
        kinds = dict.fromkeys(kind for kind, _ in self.steps)
        return ("; " if lang == "en" else "；").join(say(f"change_{kind}", lang) for kind in kinds)

    def outcome(self, lang: str = "en") -> str:
        """Return "yes", or why the changed model is not certified."""
        if self.certified is None:
            return say("untried", lang)
        if self.certified:
            return say("yes", lang)
        known = reasons(self.reason.split("; "), lang)
        return f"{say('no', lang)} ({known})" if lang == "en" else f"{say('no', lang)}（{known}）"

    def __str__(self) -> str:
        return self.text()


def try_remedies(evidence: Evidence, findings: tuple[Finding, ...]) -> tuple[Remedy, ...]:
    """Refit every candidate and return the remedies in order: certified, fewest changes to the theory, best fit.

    Where no single change leads to a certified solution, pairs of dropped paths are tried as well.
    """
    singles = candidates(evidence, findings)
    tried = [_tried(evidence, candidate) for candidate in singles]
    if singles and not any(remedy.certified for remedy in tried):
        ranked = [pair for pair in zip(tried, singles, strict=True) if pair[1].steps[0][0] == "drop_path"]
        ranked.sort(key=lambda pair: (math.isnan(pair[0].chisq), pair[0].rmsea))
        both = (combined(first, second) for (_, first), (_, second) in combinations(ranked, 2))
        tried += [_tried(evidence, candidate) for candidate in list(filter(None, both))[:TOGETHER]]
    return tuple(sorted(tried, key=_order)) + more_data(evidence, findings)


def _order(remedy: Remedy) -> tuple[bool, float, bool, float]:
    # The indices of another estimator are of another kind, so they do not compete.
    fit = NAN if remedy.steps[0][0] == "estimator" else remedy.rmsea
    return not remedy.certified, remedy.cost, math.isnan(fit), 0.0 if math.isnan(fit) else fit


def _tried(evidence: Evidence, candidate: Candidate) -> Remedy:
    """Refit one candidate."""
    model = unparse(candidate.text)
    try:
        specification = respecify(
            candidate.text,
            evidence.specification,
            evidence.moments,
            estimator=candidate.estimator,
            std_lv=candidate.std_lv,
        )
    except SemLoyaltyError as error:
        return _failed(candidate, model, str(error))
    found, reason = refit(specification, evidence.moments, candidate.estimator)
    if found is None:
        return _failed(candidate, model, reason)
    measures = fit_measures(found)
    same = set(specification.observed) == set(evidence.specification.observed)
    return Remedy(
        steps=candidate.steps,
        certified=found.certificate.certified,
        chisq=found.chisq,
        df=float(found.df),
        cfi=measures["cfi"],
        rmsea=measures["rmsea"],
        bic=measures.get("bic", NAN) if same else NAN,
        cost=candidate.cost,
        reason=found.certificate.reason,
        model=model,
        n=NAN,
        fit=found,
    )


def _failed(candidate: Candidate, model: str, reason: str) -> Remedy:
    return Remedy(candidate.steps, False, NAN, NAN, NAN, NAN, NAN, candidate.cost, reason, model, NAN, None)


def more_data(evidence: Evidence, findings: tuple[Finding, ...]) -> tuple[Remedy, ...]:
    """Return the advice to ask more respondents, where the sample is small or chance made a variance negative.

    Ten respondents for each parameter, and 100 at least (Bentler and Chou 1987, doi:10.1177/0049124187016001004). For a
    negative variance that chance explains: so many that, were the variance a tenth of the variable's own, an estimate
    below zero would be rarer than 2.5%.
    """
    codes = {finding.code for finding in findings}
    needed = 0.0
    if "small_sample" in codes:
        needed = max(100.0, 10.0 * evidence.specification.n_parameters)
    for finding in findings:
        if finding.code == "negative_fluctuation" and evidence.fit is not None:
            se, total = float(finding.values["se"]), _variance(evidence.fit, finding.names[0])
            needed = max(needed, evidence.moments.n * (1.96 * se / (0.1 * total)) ** 2 if total > 0 else 0.0)
    if needed <= evidence.moments.n:
        return ()
    rounded = float(math.ceil(needed / 10.0) * 10)
    return (Remedy((("more_data", ()),), None, NAN, NAN, NAN, NAN, NAN, 0.0, "", "", rounded, None),)


def _variance(fit: Fit, name: str) -> float:
    """Return the model-implied variance of a variable in the first group."""
    names = (*fit.specification.observed, *fit.specification.latent)
    return float(fit.point.implied[0].total[names.index(name), names.index(name)])
