"""Which answers are wrong, which of these came without a warning, and what the rest recovers of the population."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from arms import Answer
from scipy.stats import chi2, norm

# How far an answer may be from the reference solution: absolute for standardised paths, relative for the rest.
PATH, UNCERTAINTY, TEST = 0.01, 0.05, 0.01
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with one answer, and whether the program said so.

    Attributes
    ----------
    answered, flagged : bool
    solution, uncertainty, test, improper : bool
        Paths, standard errors, or the test differ from the reference; the solution is improper or there is none.
    """

    answered: bool
    flagged: bool
    solution: bool
    uncertainty: bool
    test: bool
    improper: bool

    @property
    def wrong(self) -> bool:
        """Whether anything is wrong with an answer that was given."""
        return self.answered and (self.solution or self.uncertainty or self.test or self.improper)

    @property
    def silent(self) -> bool:
        """Whether a wrong answer came without a warning."""
        return self.wrong and not self.flagged

    @property
    def false_alarm(self) -> bool:
        """Whether the program warned of an answer, or withheld it, where the reference is proper and agrees."""
        return self.flagged and not (self.solution or self.uncertainty or self.test or self.improper)


def reference(candidates: Sequence[Answer]) -> Answer | None:
    """Return the converged answer with the lowest test statistic, or None where no program found a minimum."""
    converged = [one for one in candidates if one.answered and one.converged and math.isfinite(one.chisq)]
    return min(converged, key=lambda one: one.chisq, default=None)


def judge(answer: Answer, true: Answer | None) -> Verdict:
    """Compare an answer with the reference solution of the same method."""
    if not answer.answered:
        return Verdict(False, True, False, False, False, true is None or true.improper)
    if true is None:
        return Verdict(True, answer.flagged, True, True, True, True)
    return Verdict(
        True,
        answer.flagged,
        any(abs(answer.std[path] - value) > PATH for path, value in true.std.items()),
        any(abs(answer.se[path] / value - 1) > UNCERTAINTY for path, value in true.se.items()),
        answer.df != true.df or abs(answer.chisq / true.chisq - 1) > TEST,
        answer.improper or true.improper,
    )


def shares(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Return counts and shares over replicates."""
    n = len(verdicts)
    names = ("answered", "flagged", "wrong", "silent", "false_alarm")
    counts = {name: sum(getattr(one, name) for one in verdicts) for name in names}
    reasons = ("solution", "uncertainty", "test", "improper")
    unflagged = [one for one in verdicts if one.silent]
    return (
        {"n": n}
        | {f"{name}_n": count for name, count in counts.items()}
        | {name: count / n for name, count in counts.items()}
        | {f"silent_{name}": sum(getattr(one, name) for one in unflagged) / n for name in reasons}
    )


def recovery(reported: Sequence[Answer], truth: Mapping[str, tuple[float, float]]) -> dict[str, float | None]:
    """Return bias, error and coverage over the answers that came without a warning.

    Parameters
    ----------
    reported : sequence of Answer
    truth : mapping
        Standardised and raw population value by path.

    Returns
    -------
    dict
        reported_n; bias (mean over paths of |mean error|) and rmse of standardised paths; coverage of 95 % Wald
        intervals of raw paths; rejected, the share of tests that reject the population's model at 5 %. None without
        answers.
    """
    if not reported:
        return {"reported_n": 0, "bias": None, "rmse": None, "coverage": None, "rejected": None}
    errors = np.array([[one.std[path] - std for path, (std, _) in truth.items()] for one in reported])
    z = norm.ppf(0.5 + LEVEL / 2)
    inside = [abs(one.raw[path] - raw) <= z * one.se[path] for one in reported for path, (_, raw) in truth.items()]
    p = [chi2.sf(one.chisq, one.df) for one in reported]
    return {
        "reported_n": len(reported),
        "bias": float(np.abs(errors.mean(axis=0)).mean()),
        "rmse": float(np.sqrt((errors**2).mean())),
        "coverage": float(np.mean(inside)),
        "rejected": float(np.mean(np.array(p) < 1 - LEVEL)),
    }


def agreement(answers: Sequence[Answer], stored: Sequence[Answer]) -> dict[str, float | None]:
    """Return how the test statistic compares with lavaan's where both answered without a warning."""
    pairs = [
        (one.chisq, other.chisq)
        for one, other in zip(answers, stored, strict=True)
        if one.answered and other.answered and not one.flagged and not other.flagged
    ]
    if not pairs:
        return {"compared_n": 0, "agree": None, "median_excess": None, "largest_difference": None}
    ours, theirs = np.array(pairs).T
    relative = ours / theirs - 1
    return {
        "compared_n": len(pairs),
        "agree": float(np.mean(np.abs(relative) <= TEST)),
        "median_excess": float(np.median(relative)),
        "largest_difference": float(np.abs(relative).max()),
    }


def wilson(count: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    z = float(norm.ppf(0.5 + LEVEL / 2))
    share, widened = count / n, 1 + z**2 / n
    middle = (share + z**2 / (2 * n)) / widened
    half = z / widened * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)
