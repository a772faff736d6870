"""Modification indices: what chi-square would fall by if a fixed parameter were freed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.marking import mark
from sem_loyalty.inference.moment_scores import moment_score_parts
from sem_loyalty.inference.normal_scores import normal_moments, normal_score_parts
from sem_loyalty.inference.ordinal_scores import ordinal_score_parts
from sem_loyalty.inference.standardise import standardised_values
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.model.spec import Parameter, Specification

Array = NDArray[np.float64]

# A candidate whose information is this much explained by the free parameters can't be freed: the model would
# not be identified.
REDUNDANT = 1e-7
# Of the indices, which are chi-squares: more digits are rounding error.
DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Candidate:
    """A parameter that the model fixes and that could be freed."""

    lhs: str
    op: str
    rhs: str
    group: int


@one_thread()
def modification_indices(fit: Fit) -> pd.DataFrame:
    """Return the modification index and expected parameter change of every fixed parameter.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    DataFrame
        lhs, op, rhs, group, mi, epc, sepc_lv, sepc_all, largest mi first (ties in alphabetical order). Candidates
        are the loadings, covariances, paths and intercepts that the model leaves out or fixes. A
        parameter that would not be identified, or that equality constraints already cover, is left out.

    Notes
    -----
    With g the derivative of F by the candidate, and V its expected information given the free parameters,
    mi = N g^2 / (4 V) and epc = -g / (2 V) (Sorbom 1989, doi:10.1007/BF02294623; Saris, Satorra and Sorbom 1987,
    doi:10.2307/271030). Moments among fixed covariates are given: where a candidate would explain a covariate, its
    index is lavaan's, which is not a full score test (use `fixed_x=False` for one).
    sepc_lv and sepc_all are epc in standard deviations of the latent, and of all, variables. With least squares mi and
    epc are lavaan's: the slope counts N - 1 respondents a group and the information N, so both are smaller by 1 / N.
    With ordinal items likewise, and the index is not corrected for the weight; effects of fixed covariates on items are
    then candidates too, as in lavaan's `lavTestScore`: items that answer differently by age, say, at equal loyalty.
    """
    candidates = fixed_candidates(fit.specification)
    columns = ["lhs", "op", "rhs", "group", "mi", "epc", "sepc_lv", "sepc_all"]
    if not candidates:
        return mark(pd.DataFrame(columns=columns), fit)
    rows = tuple(_row(candidate) for candidate in candidates)
    if fit.specification.ordered:
        parts = ordinal_score_parts(fit, rows)
    elif normal_moments(fit):
        parts = normal_score_parts(fit, rows)
    else:
        parts = moment_score_parts(fit, rows)
    remaining = parts.remaining()
    if remaining is None:
        return mark(pd.DataFrame(columns=columns), fit)
    own, slope = parts.own, parts.slope
    usable = remaining > REDUNDANT * np.maximum(own, 1e-300)
    n = fit.moments.n
    with np.errstate(divide="ignore", invalid="ignore"):
        mi = np.where(usable, n * slope**2 / (4.0 * remaining), np.nan)
        epc = np.where(usable, -slope / (2.0 * remaining), np.nan)
    frame = pd.DataFrame(
        {
            "lhs": [c.lhs for c in candidates],
            "op": [c.op for c in candidates],
            "rhs": [c.rhs for c in candidates],
            "group": [c.group for c in candidates],
            # Candidates that are equivalent differ by rounding, which must not decide about their order.
            "mi": mi.round(DECIMALS),
            "epc": epc,
            "sepc_lv": standardised_values(fit, epc, observed=False, rows=rows),
            "sepc_all": standardised_values(fit, epc, observed=True, rows=rows),
        }
    )
    frame = pd.DataFrame(frame.loc[usable]).sort_values(
        ["mi", "lhs", "op", "rhs", "group"], ascending=[False, True, True, True, True]
    )
    frame = frame.reset_index(drop=True)
    return mark(frame, fit)


def fixed_candidates(specification: Specification) -> tuple[Candidate, ...]:
    """Return the loadings, covariances and paths that are not free, in a fixed order, for every group."""
    found: list[Candidate] = []
    indicators = {row.rhs for row in specification.parameters if row.op == "=~"}
    structural = tuple(
        dict.fromkeys(name for row in specification.parameters if row.op == "~" for name in (row.lhs, row.rhs))
    )
    exogenous = set(specification.exogenous)
    random = [name for name in specification.observed if name not in exogenous]
    # Beside ordinal items nothing is said of fixed covariates: what would explain them has no statistic.
    explained = tuple(name for name in structural if not specification.ordered or name not in exogenous)
    given = specification.exogenous if specification.ordered else ()
    derived = specification.ordered if specification.parameterization == "delta" else ()
    for group in range(1, len(specification.groups) + 1):
        taken = set()
        for row in specification.parameters:
            if row.group == group and (row.free >= 0 or row.exogenous):
                taken.add((row.lhs, row.op, row.rhs))
                if row.op == "~~":
                    taken.add((row.rhs, row.op, row.lhs))
                # An effect of a construct on its own indicator is the same entry whichever way it is written.
                if row.op in ("~", "=~"):
                    taken.add((row.rhs, "=~" if row.op == "~" else "~", row.lhs))
        options: list[tuple[str, str, str]] = [
            *((latent, "=~", item) for latent in specification.latent for item in random if item in indicators),
            *((name, "~~", name) for name in (*random, *specification.latent) if name not in derived),
            *((a, "~~", b) for a, b in combinations(random, 2)),
            *((a, "~~", b) for a, b in combinations(specification.latent, 2)),
            *((name, "~*~", name) for name in derived),
            *(((name, "~1", "") for name in (*random, *specification.latent)) if specification.meanstructure else ()),
            *((a, "~", b) for a in explained for b in structural if a != b and not {a, b} <= exogenous),
            *((item, "~", name) for item in random if item in indicators for name in given),
        ]
        wanted = dict.fromkeys(option for option in options if option not in taken)
        found += [Candidate(lhs, op, rhs, group) for lhs, op, rhs in wanted]
    return tuple(found)


def _row(candidate: Candidate) -> Parameter:
    return Parameter(candidate.lhs, candidate.op, candidate.rhs, candidate.group, -1, None, "", None, False, False)
