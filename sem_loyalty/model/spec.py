"""The parameter table: every parameter of a model, complete after defaults, one row each.

The columns are lavaan's. Everything later reads this table: estimation, inference, diagrams, exports.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sem_loyalty.model.expression import Expression

Options = ParamSpec("Options")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of the parameter table.

    Attributes
    ----------
    lhs, op, rhs : str
        The parameter, in lavaan's syntax; `op` is one of "=~", "~", "~~", "~1", and for ordinal items "|" (`rhs` is
        the threshold: "t1", "t2") and "~*~" (their scale). For "~1", `rhs` is "".
    group : int
        Group number, from 1.
    free : int
        Position in the parameter vector, from 0; -1 where the value is fixed. Parameters that share a label
        share a position.
    value : float or None
        The fixed value; None for a free parameter, for an exogenous moment that the sample fixes, and for what
        follows from the other parameters: the residual variance of an ordinal item, or (theta) its scale.
    label : str
        The user's label, or "".
    start : float or None
        The user's start value, if any.
    user : bool
        Whether the row was written by the user rather than added by default.
    exogenous : bool
        Whether the row is a moment of fixed exogenous covariates: held at its sample value, not counted.
    """

    lhs: str
    op: str
    rhs: str
    group: int
    free: int
    value: float | None
    label: str
    start: float | None
    user: bool
    exogenous: bool

    @property
    def name(self) -> str:
        """The parameter as one writes it: "LOY ~ SAT", "sat1 ~~ sat1", "sat1 ~ 1"."""
        return f"{self.lhs} ~ 1" if self.op == "~1" else f"{self.lhs} {self.op} {self.rhs}"


@dataclass(frozen=True, slots=True)
class Defined:
    """A parameter defined by an expression over labels (`:=`)."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class LinearConstraint:
    """One linear equation over the parameter vector: sum of coefficient times parameter equals `right`."""

    coefficients: tuple[tuple[int, float], ...]
    right: float
    text: str


@dataclass(frozen=True, slots=True)
class ExpressionConstraint:
    """A relation between two expressions over labels: `left` less `right` is zero, or not negative."""

    left: Expression
    right: Expression
    text: str


@dataclass(frozen=True)
class Specification:
    """A complete model.

    Attributes
    ----------
    parameters : tuple of Parameter
        All rows: the user's in the order of writing, then the defaults.
    observed, latent : tuple of str
        Variables. Observed ones in the order of the rows of Sigma.
    exogenous : tuple of str
        Observed covariates whose moments are fixed at their sample values (lavaan's `fixed.x`).
    covariates : tuple of str
        The exogenous observed covariates, fixed or not; the baseline model keeps their covariances.
    defined : tuple of Defined
        `:=` definitions, in the order of writing.
    constraints : tuple of LinearConstraint
        Linear equality constraints beyond shared labels.
    groups : tuple of str
        Group labels; ("",) for a single group.
    n_free : int
        Length of the parameter vector.
    kind : {"sem", "cfa", "growth"}
        Which set of defaults completed the model.
    meanstructure : bool
        Whether means are modelled.
    text : str
        The model as the user wrote it.
    ordered : tuple of str
        Ordinal items.
    equations : tuple of ExpressionConstraint
        Independent equality constraints that are not linear.
    inequalities : tuple of LinearConstraint or ExpressionConstraint
        What must not be negative: the sum less `right`, or `left` less `right`. They cost no degrees of freedom.
    parameterization : {"delta", "theta"}
        Whether scales or residual variances of ordinal items are parameters.
    fixed_x, orthogonal, group_equal, group_partial
        The options of `specify` that completed the model, with `kind` and `std_lv`.
    """

    parameters: tuple[Parameter, ...]
    observed: tuple[str, ...]
    latent: tuple[str, ...]
    exogenous: tuple[str, ...]
    covariates: tuple[str, ...]
    defined: tuple[Defined, ...]
    constraints: tuple[LinearConstraint, ...]
    groups: tuple[str, ...]
    n_free: int
    kind: str
    meanstructure: bool
    std_lv: bool
    text: str
    ordered: tuple[str, ...] = ()
    equations: tuple[ExpressionConstraint, ...] = ()
    inequalities: tuple[LinearConstraint | ExpressionConstraint, ...] = ()
    parameterization: str = "delta"
    fixed_x: bool = True
    orthogonal: bool = False
    group_equal: tuple[str, ...] = ()
    group_partial: tuple[str, ...] = ()

    @cached_property
    def indicators(self) -> dict[str, tuple[str, ...]]:
        """The variables that measure each latent variable (observed, or latent in a second-order factor)."""
        return {
            latent: tuple(dict.fromkeys(row.rhs for row in self.parameters if row.op == "=~" and row.lhs == latent))
            for latent in self.latent
        }

    @cached_property
    def outcomes(self) -> tuple[str, ...]:
        """Variables that a regression explains, in order of writing."""
        return tuple(dict.fromkeys(row.lhs for row in self.parameters if row.op == "~"))

    @cached_property
    def free_parameters(self) -> tuple[Parameter, ...]:
        """One row for each position of the parameter vector: the first that stands there."""
        first: dict[int, Parameter] = {}
        for row in self.parameters:
            if row.free >= 0:
                first.setdefault(row.free, row)
        return tuple(first[position] for position in range(self.n_free))

    @cached_property
    def n_thresholds(self) -> int:
        """Thresholds of the ordinal items, over all groups."""
        return sum(row.op == "|" for row in self.parameters)

    @cached_property
    def memory(self) -> dict[Hashable, Any]:
        """What functions decorated with `kept` found out about this model."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be computed again, so that a copy sent to another process stays small."""
        return {name: value for name, value in self.__dict__.items() if name != "memory"}

    @property
    def n_parameters(self) -> int:
        """Free parameters less the independent equality constraints among them (lavaan's npar)."""
        return self.n_free - len(self.constraints) - len(self.equations)


def kept(
    function: Callable[Concatenate[Specification, Options], Answer],
) -> Callable[Concatenate[Specification, Options], Answer]:
    """Have a function of a specification, and of hashable arguments by position, compute each answer once.

    A specification never changes, so what follows from it alone is kept with it; callers must not change the answer.
    """

    @wraps(function)
    def remembered(specification: Specification, /, *args: Options.args, **kwargs: Options.kwargs) -> Answer:
        key = (function, *args)
        memory = specification.memory
        if key not in memory:
            memory[key] = function(specification, *args, **kwargs)
        answer: Answer = memory[key]
        return answer

    return remembered
