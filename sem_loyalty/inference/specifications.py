"""Which specifications a robustness analysis runs: every combination of choices, or a selection of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError, check_choice
from sem_loyalty.fitting.discrepancies import LIKELIHOOD
from sem_loyalty.model.roles import roles
from sem_loyalty.model.syntax import ModelText, Statement, Term
from sem_loyalty.survey.answers import numeric_matrix
from sem_loyalty.survey.careless import mahalanobis

Array = NDArray[np.float64]

MISSING = ("listwise", "fiml")
# Meade and Craig (2012) and common practice for multivariate outliers.
OUTLIER_P = 0.001
KEPT = "none"


@dataclass(frozen=True, slots=True)
class Choice:
    """One set of choices under which the model is estimated.

    Attributes
    ----------
    estimator : str
    missing : str
    excluded : tuple of str
        Names of the exclusion rules in force.
    dropped : str
        The item left out; "" for none.
    controls : tuple of str
        Control variables on every outcome.
    """

    estimator: str
    missing: str
    excluded: tuple[str, ...]
    dropped: str
    controls: tuple[str, ...]

    def differs(self, main: Choice) -> int:
        """Return in how many respects this choice differs from another."""
        pairs = zip(self._fields(), main._fields(), strict=True)
        return sum(one != other for one, other in pairs)

    def record(self) -> dict[str, object]:
        """Return the choice as cells of a table."""
        return {
            "estimator": self.estimator,
            "missing": self.missing,
            "excluded": "; ".join(self.excluded) or KEPT,
            "dropped": self.dropped or KEPT,
            "controls": "; ".join(self.controls) or KEPT,
        }

    def _fields(self) -> tuple[object, ...]:
        return self.estimator, self.missing, self.excluded, self.dropped, self.controls


def choices(
    text: ModelText,
    data: pd.DataFrame,
    estimators: Sequence[str],
    missing: Sequence[str],
    exclude: Mapping[str, Any] | None,
    drop_items: bool,
    controls: Sequence[str],
    applied: Sequence[str],
) -> tuple[list[Choice], dict[str, NDArray[np.bool_]]]:
    """Return all combinations, the main one first, and the exclusion rules as masks.

    The main one applies the rules in `applied`; the others are as the arguments of `robustness`.
    """
    for name in estimators:
        check_choice("estimators", name, LIKELIHOOD)
    for rule in missing:
        check_choice("missing", rule, MISSING)
    for column in controls:
        check_choice("controls", column, tuple(str(name) for name in data.columns))
    if not estimators or not missing:
        raise ConfigurationError("`estimators` and `missing` each need one choice at least.")
    answers = np.column_stack([*columns(text, data, controls).values()])
    rules = list(missing) if np.isnan(answers).any() else [missing[0]]
    if exclude is None:
        probability = mahalanobis(np.column_stack([*columns(text, data, ()).values()]))[1]
        exclude = {"outliers": np.nan_to_num(probability, nan=1.0) < OUTLIER_P}
    masks = {name: np.asarray(mask, dtype=bool) for name, mask in exclude.items()}
    for name, mask in masks.items():
        if mask.shape != (len(data),):
            raise ConfigurationError(
                f"exclude[{name!r}] needs {len(data)} entries, one per row; its shape is {mask.shape}."
            )
    for name in applied:
        check_choice("applied", name, tuple(masks))
    # A rule that leaves nobody out is no choice.
    masks = {name: mask for name, mask in masks.items() if mask.any()}
    bits = product(*((True, False) if name in applied else (False, True) for name in masks))
    in_force = [tuple(name for name, on in zip(masks, own, strict=True) if on) for own in bits]
    items = _droppable(text) if drop_items else []
    added = [(), *((one,) for one in controls)] + ([tuple(controls)] if len(controls) > 1 else [])
    found = [
        Choice(estimator, rule, names, item, extra)
        for estimator, rule, names, item, extra in product(estimators, rules, in_force, ["", *items], added)
        if rule != "fiml" or estimator in ("ML", "MLR")
    ]
    return found, masks


def columns(text: ModelText, data: pd.DataFrame, controls: Sequence[str]) -> dict[str, Array]:
    """Return the columns that the model and the controls use, as numbers."""
    names = tuple(dict.fromkeys((*roles(text.statements).observed, *controls)))
    return dict(zip(names, numeric_matrix(data, names).T, strict=True))


def _droppable(text: ModelText) -> list[str]:
    """Return the items that can be left out: of one construct, which keeps two."""
    latent = {s.lhs for s in text.statements if s.op == "=~"}
    blocks: dict[str, list[str]] = {}
    for s in text.statements:
        if s.op == "=~" and s.rhs.name not in latent:
            blocks.setdefault(s.lhs, []).append(s.rhs.name)
    counts: dict[str, int] = {}
    for own in blocks.values():
        for item in own:
            counts[item] = counts.get(item, 0) + 1
    fixed = {s.rhs.name for s in text.statements if s.op == "=~" and any(m.kind == "fixed" for m in s.rhs.modifiers)}
    return [item for own in blocks.values() if len(own) > 2 for item in own if counts[item] == 1 and item not in fixed]


def changed(text: ModelText, choice: Choice) -> ModelText:
    """Return the model without the dropped item and with the controls."""
    statements = tuple(s for s in text.statements if choice.dropped not in (s.lhs, s.rhs.name))
    explained = dict.fromkeys(s.lhs for s in statements if s.op == "~")
    more = tuple(Statement("~", outcome, Term(name)) for outcome in explained for name in choice.controls)
    return replace(text, statements=(*statements, *more))


def thinned(choices: list[Choice], most: int, seed: int) -> list[Choice]:
    """Return at most `most` choices: the main one, its neighbours, and a random choice of the rest, in order."""
    if len(choices) <= most:
        return choices
    near = [k for k, choice in enumerate(choices) if choice.differs(choices[0]) <= 1][:most]
    rest = np.setdiff1d(np.arange(len(choices)), near)
    drawn = np.random.default_rng(seed).choice(rest, most - len(near), replace=False)
    return [choices[k] for k in sorted({*near, *(int(k) for k in drawn)})]
