"""Which part every variable plays: latent, indicator, outcome, exogenous covariate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from sem_loyalty.errors import SpecificationError
from sem_loyalty.model.syntax import Statement, parse


@dataclass(frozen=True, slots=True)
class Roles:
    """The variables of a model by the part they play.

    Attributes
    ----------
    latent : tuple of str
        Left-hand sides of `=~`.
    observed : tuple of str
        All others: indicators, then outcomes, then other random variables, then exogenous covariates.
    exogenous : tuple of str
        Observed predictors that nothing explains and of which the user wrote no variance, covariance or mean.
    exogenous_latent : tuple of str
        Latent variables that nothing explains and that measure nothing.
    pure_outcomes : tuple of str
        Outcomes that explain nothing and, if latent, measure no other: latent first.
    single_indicators : frozenset of str
        Variables that are the only indicator of their only latent variable.
    """

    latent: tuple[str, ...]
    observed: tuple[str, ...]
    exogenous: tuple[str, ...]
    exogenous_latent: tuple[str, ...]
    pure_outcomes: tuple[str, ...]
    single_indicators: frozenset[str]


@lru_cache(maxsize=64)
def roles_of_text(source: str) -> Roles:
    """Return the roles of the variables of a model text; the same text is looked at once."""
    return roles(parse(source).statements)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names without repetition, in order of appearance."""
    return tuple(dict.fromkeys(names))


def roles(statements: tuple[Statement, ...]) -> Roles:
    """Sort the variables of a model by the part they play."""
    latent = unique(s.lhs for s in statements if s.op == "=~")
    measured = unique(s.rhs.name for s in statements if s.op == "=~")
    explained = unique(s.lhs for s in statements if s.op == "~")
    explaining = unique(s.rhs.name for s in statements if s.op == "~")
    indicators = tuple(name for name in measured if name not in latent)
    outcomes = tuple(name for name in explained if name not in latent and name not in indicators)
    predictors = tuple(name for name in explaining if name not in (*latent, *indicators, *outcomes))
    spoken = unique(
        name for s in statements if s.op in ("~~", "~1") for name in ((s.lhs, s.rhs.name) if s.op == "~~" else (s.lhs,))
    )
    # A covariate of which the user writes a variance, a covariance or a mean is random, as in lavaan.
    exogenous = tuple(name for name in predictors if name not in spoken)
    others = tuple(name for name in (*predictors, *spoken) if name not in (*latent, *indicators, *outcomes, *exogenous))
    observed = unique((*indicators, *outcomes, *others, *exogenous))
    _check_measured(statements, latent)
    indicators_of = {name: unique(s.rhs.name for s in statements if s.op == "=~" and s.lhs == name) for name in latent}
    parents = {name: sum(name in items for items in indicators_of.values()) for name in measured}
    single = frozenset(items[0] for items in indicators_of.values() if len(items) == 1 and parents[items[0]] == 1)
    return Roles(
        latent=latent,
        observed=observed,
        exogenous=exogenous,
        exogenous_latent=tuple(name for name in latent if name not in explained and name not in measured),
        pure_outcomes=(
            *(n for n in latent if n in explained and n not in explaining and n not in measured),
            *(n for n in outcomes if n not in explaining),
        ),
        single_indicators=single,
    )


def _check_measured(statements: tuple[Statement, ...], latent: tuple[str, ...]) -> None:
    """Raise where latent variables measure each other in a circle."""
    parents: dict[str, set[str]] = {name: set() for name in latent}
    for statement in statements:
        if statement.op == "=~" and statement.rhs.name in parents:
            parents[statement.rhs.name].add(statement.lhs)
    for name in latent:
        reached, queue = set[str](), [name]
        while queue:
            for parent in parents[queue.pop()]:
                if parent == name:
                    raise SpecificationError(f"{name} is measured by itself, through a circle of `=~` statements.")
                if parent not in reached:
                    reached.add(parent)
                    queue.append(parent)
