"""From statements to a complete parameter table, with the defaults of lavaan's sem(), cfa() and growth().

What is added where the user is silent: residual and latent variances, covariances among exogenous latent
variables and among pure outcomes, fixed moments of exogenous covariates, intercepts; a marker loading of 1
(or unit latent variances with `std_lv`), and no residual variance for a single indicator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from sem_loyalty.errors import SpecificationError, check_choice
from sem_loyalty.model.equality import GROUP_EQUAL, EqualityRequest, merge
from sem_loyalty.model.ordinal import Ordinal, fix_ordinal, refuse_for_ordinal, refuse_unsupported
from sem_loyalty.model.roles import Roles, roles
from sem_loyalty.model.rows import Row
from sem_loyalty.model.spec import Defined, Specification
from sem_loyalty.model.syntax import ModelText, Modifier, Statement, parse

KINDS = ("sem", "cfa", "growth")
PARAMETERIZATIONS = ("delta", "theta")


def specify(
    model: str | ModelText,
    *,
    kind: str = "sem",
    std_lv: bool = False,
    meanstructure: bool | None = None,
    fixed_x: bool = True,
    orthogonal: bool = False,
    groups: tuple[str, ...] = ("",),
    group_equal: tuple[str, ...] = (),
    group_partial: tuple[str, ...] = (),
    means_available: bool = True,
    ordered: Mapping[str, int] | None = None,
    parameterization: str = "delta",
) -> Specification:
    """Complete a model text to a parameter table.

    Parameters
    ----------
    model : str or ModelText
        lavaan syntax.
    kind : {"sem", "cfa", "growth"}, default "sem"
        Whose defaults; "growth" fixes the intercepts of items at 0 and frees latent means.
    std_lv : bool, default False
        Set the scale of latent variables by unit variances instead of marker loadings.
    meanstructure : bool, optional
        Model the means. By default only where the text has intercepts, for several groups with means, and for
        "growth"; always with `ordered`.
    fixed_x : bool, default True
        Hold the moments of exogenous observed covariates at their sample values.
    orthogonal : bool, default False
        Add no covariances among latent variables.
    groups : tuple of str, default ("",)
        Group labels, in order.
    group_equal, group_partial : tuple of str
        Sets of parameters held equal across groups, and the exceptions.
    means_available : bool, default True
        False where the data are covariance matrices without means.
    ordered : mapping of str to int, optional
        The ordinal items, with the number of their categories.
    parameterization : {"delta", "theta"}, default "delta"
        Whether scales or residual variances of ordinal items are parameters; see `fit`.

    Returns
    -------
    Specification

    Raises
    ------
    ModelSyntaxError
        The text cannot be read.
    SpecificationError
        The text contradicts itself: a parameter given twice, a variable regressed on itself, an unknown label.
    NotSupported
        Composites (`<~`), thresholds and scales of items that are not ordinal; with `ordered`, growth models, ordinal
        predictors and, in the delta parameterisation, written residual variances of items.
    """
    check_choice("kind", kind, KINDS)
    check_choice("parameterization", parameterization, PARAMETERIZATIONS)
    for name in group_equal:
        check_choice("group_equal", name, GROUP_EQUAL)
    options = _Options(
        kind, std_lv, meanstructure, fixed_x, orthogonal, tuple(groups), tuple(group_equal), tuple(group_partial),
        means_available,
        tuple(ordered.items()) if ordered else (),
        parameterization,
    )  # fmt: skip
    return _specified_text(model, options) if isinstance(model, str) else _specified(model, options)


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of `specify`, as a key under which a specification is found again."""

    kind: str
    std_lv: bool
    meanstructure: bool | None
    fixed_x: bool
    orthogonal: bool
    groups: tuple[str, ...]
    group_equal: tuple[str, ...]
    group_partial: tuple[str, ...]
    means_available: bool
    ordered: tuple[tuple[str, int], ...]
    parameterization: str


@lru_cache(maxsize=64)
def _specified_text(source: str, options: _Options) -> Specification:
    return _specified(parse(source), options)


def _specified(text: ModelText, options: _Options) -> Specification:
    """Return the parameter table of a parsed model."""
    ordered = dict(options.ordered)
    items = Ordinal(ordered, options.parameterization)
    refuse_unsupported(text, tuple(items.categories))
    role = roles(text.statements)
    ordered = dict(options.ordered)
    kind, std_lv, fixed_x, groups = options.kind, options.std_lv, options.fixed_x, options.groups
    if ordered:
        refuse_for_ordinal(text, role, items, kind)
        if options.meanstructure is False:
            raise SpecificationError("meanstructure=False contradicts `ordered`: thresholds are part of the model.")
    elif "thresholds" in options.group_equal:
        raise SpecificationError("group_equal='thresholds' is for ordinal items; give `ordered`.")
    several = len(groups) > 1 and options.means_available
    means = bool(ordered) or _has_means(text, kind, options.meanstructure, several=several)
    rows: list[Row] = []
    for number, group in enumerate(groups, start=1):
        written = _written_rows(text, number, group, groups)
        rows += _complete(written, role, items, number, kind, std_lv, means, fixed_x, options.orthogonal)
    _fix_scales(rows, role, std_lv)
    if ordered:
        fix_ordinal(rows, items)
    _apply_modifiers(rows, groups)
    covariates, categorical = frozenset(role.exogenous), frozenset(items.categories)
    request = EqualityRequest(options.group_equal, options.group_partial, std_lv, len(groups), covariates, categorical)
    parameters, n_free, constraints = merge(rows, request, text)
    if ordered:
        # Means that are all fixed at zero, beside thresholds that are free, are no part of the model.
        free = any(row.op == "~1" and (row.free >= 0 or row.value) for row in parameters)
        means = free or (request.thresholds and len(groups) > 1)
    return Specification(
        parameters=parameters,
        observed=role.observed,
        latent=role.latent,
        exogenous=role.exogenous if fixed_x else (),
        covariates=role.exogenous,
        defined=tuple(Defined(item.name, item.expression) for item in text.definitions),
        constraints=constraints.linear,
        equations=constraints.equations,
        inequalities=constraints.inequalities,
        groups=groups,
        n_free=n_free,
        kind=kind,
        meanstructure=means,
        std_lv=std_lv,
        text=text.source,
        ordered=tuple(name for name in role.observed if name in items.categories),
        parameterization=options.parameterization,
        fixed_x=fixed_x,
        orthogonal=options.orthogonal,
        group_equal=options.group_equal,
        group_partial=options.group_partial,
    )


def _has_means(text: ModelText, kind: str, meanstructure: bool | None, *, several: bool) -> bool:
    """Return whether the model has a mean structure."""
    needed = any(statement.op == "~1" for statement in text.statements) or kind == "growth"
    if meanstructure is None:
        return needed or several
    if needed and not meanstructure:
        raise SpecificationError(
            "meanstructure=False contradicts the model, which has intercepts or is a growth model."
        )
    return meanstructure


def _written_rows(text: ModelText, number: int, group: str, groups: tuple[str, ...]) -> list[Row]:
    """Return the rows that the user wrote for one group."""
    rows: list[Row] = []
    seen: dict[tuple[str, str, str], Row] = {}
    for statement in text.statements:
        if statement.block and not _in_block(statement, number, group, groups):
            continue
        if statement.op in ("~", "=~") and statement.lhs == statement.rhs.name:
            raise SpecificationError(
                f"Line {statement.line}: {statement.lhs} {statement.op} {statement.rhs.name} relates a variable "
                "to itself."
            )
        row = Row(statement.lhs, statement.op, statement.rhs.name, number, user=True, statement=statement)
        if row.key in seen:
            earlier = seen[row.key].statement
            where = f" (first on line {earlier.line})" if earlier is not None else ""
            raise SpecificationError(f"Line {statement.line}: {row.lhs} {row.op} {row.rhs} is given twice{where}.")
        seen[row.key] = row
        rows.append(row)
    return rows


def _in_block(statement: Statement, number: int, group: str, groups: tuple[str, ...]) -> bool:
    """Return whether a statement inside a `group:` block is about this group."""
    block = statement.block
    known = {*groups, *(str(position) for position in range(1, len(groups) + 1))}
    if block not in known:
        listed = ", ".join(repr(name) for name in groups if name) or "none: the model is fitted without `group`"
        raise SpecificationError(f"Line {statement.line}: there is no group {block!r}; the groups are {listed}.")
    return block == group or (block not in groups and block == str(number))


def _complete(
    written: list[Row],
    role: Roles,
    items: Ordinal,
    number: int,
    kind: str,
    std_lv: bool,
    means: bool,
    fixed_x: bool,
    orthogonal: bool,
) -> list[Row]:
    """Return the rows of one group with the default rows after the user's."""
    rows = list(written)
    present = {row.key for row in rows}

    def add(lhs: str, op: str, rhs: str, fixed: float | None = None, exogenous: bool = False) -> None:
        row = Row(lhs, op, rhs, number, user=False, fixed=fixed, exogenous=exogenous)
        if row.key not in present:
            present.add(row.key)
            rows.append(row)

    for name, threshold in items.thresholds(role.observed):
        add(name, "|", threshold)
    random = [name for name in role.observed if name not in role.exogenous]
    for name in (*random, *role.latent):
        add(name, "~~", name)
    if not orthogonal:
        for first, second in combinations(role.exogenous_latent, 2):
            add(first, "~~", second)
    for first, second in combinations(role.pure_outcomes, 2):
        if not (orthogonal and {first, second} <= set(role.latent)):
            add(first, "~~", second)
    for position, first in enumerate(role.exogenous):
        for second in role.exogenous[position:]:
            add(first, "~~", second, exogenous=fixed_x)
    for name in role.observed:
        if name in items.categories:
            add(name, "~*~", name)
    if means:
        for name in random:
            add(name, "~1", "", fixed=0.0 if kind == "growth" or name in items.categories else None)
        for name in role.exogenous:
            add(name, "~1", "", exogenous=fixed_x)
        for name in role.latent:
            add(name, "~1", "", fixed=None if kind == "growth" else 0.0)
    return rows


def _fix_scales(rows: list[Row], role: Roles, std_lv: bool) -> None:
    """Fix a marker loading or the variance of each latent variable, and the error of single indicators."""
    first_seen: set[tuple[str, int]] = set()
    for row in rows:
        if row.op == "=~" and (row.lhs, row.group) not in first_seen:
            first_seen.add((row.lhs, row.group))
            if not std_lv:
                row.fixed = 1.0
        if std_lv and row.op == "~~" and row.lhs == row.rhs and row.lhs in role.latent:
            row.fixed = 1.0
        if row.op == "~~" and not row.user and row.lhs == row.rhs and row.lhs in role.single_indicators:
            row.fixed = 0.0


def _apply_modifiers(rows: list[Row], groups: tuple[str, ...]) -> None:
    """Let the user's modifiers override the defaults."""
    for row in rows:
        if row.statement is None:
            continue
        for modifier in row.statement.rhs.modifiers:
            value = _for_group(modifier, row, len(groups))
            if modifier.kind == "free" or (modifier.kind == "fixed" and value is None):
                row.fixed = None
            elif modifier.kind == "fixed":
                row.fixed = float(str(value))
            elif modifier.kind == "label" and value is not None:
                row.label = str(value)
            elif modifier.kind == "start" and value is not None:
                row.start = float(str(value))
                if row.fixed is not None:
                    # As in lavaan, a start value on the marker becomes the value at which it is fixed.
                    row.fixed = row.start
            elif modifier.kind == "equal" and value:
                row.equal_to = str(value)
            elif modifier.kind == "lower" and value is not None:
                row.lower = float(str(value))
            elif modifier.kind == "upper" and value is not None:
                row.upper = float(str(value))


def _for_group(modifier: Modifier, row: Row, n_groups: int) -> object:
    """Return the entry of a modifier for the group of a row."""
    values = modifier.values
    if len(values) <= 1:
        return values[0] if values else None
    if modifier.kind == "label" and None in values:
        raise SpecificationError(
            f"Line {modifier.line}: c() has a label and NA for {row.lhs} {row.op} {row.rhs}; lavaan would hold the "
            "parameter equal in all groups. Give each group its own label, as in c(u, v)*x, or one to hold it equal."
        )
    if len(values) != n_groups or (row.statement is not None and row.statement.block):
        raise SpecificationError(
            f"Line {modifier.line}: c() has {len(values)} entries for {row.lhs} {row.op} {row.rhs}, "
            f"but there {'is one group' if n_groups == 1 else f'are {n_groups} groups'}."
            + (" Name the column that tells the groups apart with `group`." if n_groups == 1 else "")
        )
    return values[row.group - 1]
