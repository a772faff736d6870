"""Exclusion rules: the few that can be stated, each with its comparison written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError, nearest

if TYPE_CHECKING:
    import pandas as pd

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a threshold excludes respondents.

    Attributes
    ----------
    column : str
        Column of the flags that it looks at.
    relation : {">", ">=", "<", "<=", "is"}
        A row is excluded where "value relation threshold" holds; a missing value never excludes.
    text : str
        The rule in words, with "{}" for the threshold.
    needs : str
        Argument of `screen` without which the rule cannot be applied; "" for none.
    low, high : float
        Thresholds that make sense.
    """

    column: str
    relation: str
    text: str
    needs: str = ""
    low: float = 0.0
    high: float = float("inf")


RULES = {
    "missing_share": Rule("missing_share", ">", "more than {} of the items missing", high=1.0),
    "longstring": Rule("longstring", ">=", "{} or more identical answers in a row", low=2.0),
    "irv": Rule("irv", "<=", "answers vary by {} or less (IRV)"),
    "duration": Rule("duration", "<", "less than {} seconds", "duration"),
    "duration_per_item": Rule("duration_per_item", "<", "less than {} seconds per item", "duration"),
    "duration_share": Rule("duration_share", "<", "less than {} of the median duration", "duration", high=1.0),
    "mahalanobis_p": Rule("mahalanobis_p", "<", "Mahalanobis distance with p below {}", high=1.0),
    "duplicate": Rule("duplicate_of", "is", "the same answers as an earlier row"),
    "duplicate_id": Rule("duplicate_id_of", "is", "the same id as an earlier row", "id"),
    "attention": Rule("attention_failed", ">=", "{} or more attention checks failed", "attention", low=1.0),
}


def check_rules(rules: Mapping[str, float | bool] | None, given: Mapping[str, object]) -> dict[str, float]:
    """Return the rules that apply, with their thresholds, in the order stated.

    Parameters
    ----------
    rules : mapping of str to float or bool, or None
        True for a rule without threshold (for "attention": one failure); False or None leaves the rule out.
    given : mapping of str to object
        The arguments of `screen` that rules may need.

    Returns
    -------
    dict of str to float

    Raises
    ------
    ConfigurationError
        An unknown rule (with the nearest), a threshold out of range, or a rule whose argument is absent.
    """
    found: dict[str, float] = {}
    for name, value in (rules or {}).items():
        rule = RULES.get(name)
        if rule is None:
            raise ConfigurationError(f"No rule '{name}'. {nearest(name, RULES)} Rules: {', '.join(RULES)}.")
        if value is None or value is False:
            continue
        if rule.needs and given.get(rule.needs) is None:
            raise ConfigurationError(f"The rule '{name}' needs {rule.needs}=, the column (or checks) that it looks at.")
        flag = isinstance(value, bool | np.bool_)
        if flag and rule.relation != "is" and name != "attention":
            raise ConfigurationError(f"The rule '{name}' needs a threshold: it excludes rows with {rule.text}.")
        if not flag and rule.relation == "is":
            raise ConfigurationError(f"The rule '{name}' has no threshold; write True or False, not {value!r}.")
        if not isinstance(value, int | float | np.number | np.bool_) or not rule.low <= float(value) <= rule.high:
            limits = f"from {rule.low:g} to {rule.high:g}" if np.isfinite(rule.high) else f"of at least {rule.low:g}"
            raise ConfigurationError(f"The rule '{name}' needs a number {limits}, not {value!r}.")
        found[name] = float(value)
    return found


def rule_text(name: str, threshold: float) -> str:
    """Return a rule in words."""
    return RULES[name].text.format(f"{threshold:g}")


def hits(name: str, threshold: float, flags: pd.DataFrame) -> Flags:
    """Return the rows that a rule excludes; a value that is missing never does."""
    rule = RULES[name]
    values = flags[rule.column].to_numpy(dtype=np.float64, na_value=np.nan)
    present = ~np.isnan(values)
    if rule.relation == "is":
        return np.asarray(present, dtype=np.bool_)
    compared = {
        ">": values > threshold,
        ">=": values >= threshold,
        "<": values < threshold,
        # A standard deviation that should equal the threshold may miss it by rounding.
        "<=": values <= threshold + 1e-12,
    }
    return np.asarray(compared[rule.relation] & present, dtype=np.bool_)
