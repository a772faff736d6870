"""Hypotheses against estimates: supported, not supported, contradicted, or withheld where the fit is not certified."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from sem_loyalty.model.model_file import Hypothesis

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the data say of one hypothesis in one group.

    Attributes
    ----------
    hypothesis : Hypothesis
    group : int
        Group number; 0 where the effect is defined over all groups.
    verdict : {"supported", "unsupported", "opposite", "withheld_verdict", "untested"}
        Supported: of the expected sign and p < ALPHA, two-sided; opposite: of the other sign and p < ALPHA.
    est, se, p, std : float
        Estimate, standard error, p value and standardised estimate; nan where there is none.
    lower, upper : float
        Interval of the estimate.
    """

    hypothesis: Hypothesis
    group: int
    verdict: str
    est: float = math.nan
    se: float = math.nan
    p: float = math.nan
    std: float = math.nan
    lower: float = math.nan
    upper: float = math.nan


def verdicts(hypotheses: Sequence[Hypothesis], estimates: pd.DataFrame, *, certified: bool) -> tuple[Verdict, ...]:
    """Judge hypotheses by the estimates of a fit.

    A direct path is judged by its coefficient, a chain by the effect that the model defines for it with ``:=``.

    Parameters
    ----------
    hypotheses : sequence of Hypothesis
        From the model file.
    estimates : DataFrame
        From `estimates`, or with the p-values of bootstrap draws from `Bootstrap.estimates`.
    certified : bool
        Whether the fit is certified; where not, no verdict is given.

    Returns
    -------
    tuple of Verdict
        One per hypothesis and group, in order.
    """
    numbers = ("est", "se", "pvalue", "std_all", "ci_lower", "ci_upper")
    columns = [estimates[name].tolist() for name in ("op", "lhs", "rhs", "group", *numbers)]
    rows: dict[tuple[str, ...], list[tuple[int, list[float]]]] = {}
    for op, lhs, rhs, group, *values in zip(*columns, strict=True):
        rows.setdefault((lhs,) if op == ":=" else (rhs, op, lhs), []).append((int(group), [float(v) for v in values]))
    found: list[Verdict] = []
    for hypothesis in hypotheses:
        key = (hypothesis.effect,) if hypothesis.effect else (hypothesis.path[0], "~", *hypothesis.path[1:])
        own = rows.get(key, [])
        if not own:
            found.append(Verdict(hypothesis, 0, "untested"))
        for group, (est, se, p, *rest) in own:
            decided = _judge(est, p, hypothesis.sign) if certified else "withheld_verdict"
            found.append(Verdict(hypothesis, group, decided, est, se, p, *rest))
    return tuple(found)


def _judge(est: float, p: float, sign: str) -> str:
    if math.isnan(p):  # a fixed coefficient is not tested
        return "untested"
    if p >= ALPHA:
        return "unsupported"
    return "supported" if (est > 0) == (sign == "+") else "opposite"


def tally(found: Sequence[Verdict]) -> tuple[int, int]:
    """Return how many are supported and how many were tested.

    What is not in the model counts in neither; a coefficient that is held equal in several groups counts once.
    """
    tested = [entry for entry in found if entry.verdict != "untested"]
    tested = list({one_test(x.hypothesis.id, x.verdict, x.est, x.p): x for x in tested}.values())
    return sum(entry.verdict == "supported" for entry in tested), len(tested)


def one_test(hypothesis: str, verdict: str, est: float | None, p: float | None) -> tuple[str, ...]:
    """Return what tests of a hypothesis in several groups share where they are one, of a coefficient held equal."""
    numbers = [f"{math.nan if value is None else value:.8g}" for value in (est, p)]
    return (hypothesis, verdict, *numbers)
