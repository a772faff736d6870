"""Equal parameters: shared labels, equal() and equality across groups."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sem_loyalty.errors import NotSupported, SpecificationError, nearest
from sem_loyalty.model.constraints import Constraints, bounds_of, read_constraints
from sem_loyalty.model.rows import Row
from sem_loyalty.model.spec import Parameter
from sem_loyalty.model.syntax import ModelText, parse

GROUP_EQUAL = (
    "loadings",
    "intercepts",
    "means",
    "residuals",
    "residual_covariances",
    "lv_variances",
    "lv_covariances",
    "regressions",
    "thresholds",
)


@dataclass(frozen=True, slots=True)
class EqualityRequest:
    """What the caller wants equal across groups."""

    equal: tuple[str, ...]
    partial: tuple[str, ...]
    std_lv: bool
    n_groups: int
    covariates: frozenset[str]
    ordered: frozenset[str]

    @property
    def thresholds(self) -> bool:
        """Whether thresholds are held equal; with ordinal items, they and intercepts go together, as in lavaan."""
        return bool(self.ordered) and bool({"thresholds", "intercepts"} & set(self.equal))


def merge(rows: list[Row], request: EqualityRequest, text: ModelText) -> tuple[tuple[Parameter, ...], int, Constraints]:
    """Give equal parameters one number.

    Returns
    -------
    parameters : tuple of Parameter
    n_free : int
        Length of the parameter vector.
    constraints : Constraints
        What is written beyond shared numbers.
    """
    if request.n_groups > 1:
        _free_identified(rows, request)
    groups_of_equals = _classes(rows, request)
    fixed = {name: row.fixed for name, row in zip(groups_of_equals, rows, strict=True) if row.fixed is not None}
    position: dict[str, int] = {}
    parameters: list[Parameter] = []
    for name, row in zip(groups_of_equals, rows, strict=True):
        given = row.exogenous or row.derived
        value = fixed.get(name) if not given else None
        free = -1
        if value is None and not given:
            free = position.setdefault(name, len(position))
        parameters.append(
            Parameter(row.lhs, row.op, row.rhs, row.group, free, value, row.label, row.start, row.user, row.exogenous)
        )
    labelled = {row.label: row for row in parameters if row.label}
    constraints = read_constraints(text, labelled, len(position))
    bounds = tuple(
        bound for row, parameter in zip(rows, parameters, strict=True) for bound in bounds_of(row, parameter)
    )
    constraints = replace(constraints, inequalities=bounds + constraints.inequalities)
    return tuple(parameters), len(position), constraints


def _classes(rows: list[Row], request: EqualityRequest) -> list[str]:
    """Return one name per row; rows with the same name are one parameter."""
    names: list[str] = []
    partial = _partial_keys(request.partial)
    by_key = {(row.key, row.group): position for position, row in enumerate(rows)}
    latent = {row.lhs for row in rows if row.op == "=~"}
    for position, row in enumerate(rows):
        name = f"label {row.label}" if row.label else f"row {position}"
        if not row.label and row.group > 1 and row.key not in partial and _held_equal(row, request, latent):
            first = by_key.get((row.key, 1))
            if first is not None:
                name = names[first]
        names.append(name)
    for position, row in enumerate(rows):
        if row.equal_to and request.n_groups > 1:
            raise NotSupported(
                f'equal("{row.equal_to}") is ambiguous with several groups (equal to that of the same group, or of the '
                f"first?); write labels instead, one per group: c(u, v)*{row.rhs or '1'}."
            )
        if row.equal_to:
            target = _find_target(row, rows)
            names[position] = names[target]
    return names


def _find_target(row: Row, rows: list[Row]) -> int:
    """Return the position of the row that equal("...") names."""
    wanted = parse(row.equal_to).statements[0]
    key = (wanted.lhs, wanted.op, wanted.rhs.name)
    for position, other in enumerate(rows):
        if other.group == row.group and key in (other.key, (other.lhs, other.op, other.rhs)):
            return position
    known = [f"{other.lhs} {other.op} {other.rhs}" for other in rows if other.user]
    hint = nearest(row.equal_to, known)
    raise SpecificationError(f'equal("{row.equal_to}") names no parameter of the model. {hint}'.strip())


def _partial_keys(partial: tuple[str, ...]) -> set[tuple[str, str, str]]:
    """Return the keys of the parameters that group_partial names."""
    keys: set[tuple[str, str, str]] = set()
    for item in partial:
        for statement in parse(item).statements:
            lhs, rhs = statement.lhs, statement.rhs.name
            if statement.op == "~~" and rhs < lhs:
                lhs, rhs = rhs, lhs
            keys.add((lhs, statement.op, rhs))
    return keys


def _held_equal(row: Row, request: EqualityRequest, latent: set[str]) -> bool:
    """Return whether `group_equal` covers a row."""
    # Moments of covariates are no part of the model, whether fixed or random.
    if row.lhs in request.covariates and row.op in ("~1", "~~"):
        return False
    if row.op in ("|", "~*~"):
        return row.op == "|" and request.thresholds
    is_latent, same = row.lhs in latent, row.lhs == row.rhs
    kinds = {
        ("=~", True): "loadings",
        ("~", True): "regressions",
        ("~", False): "regressions",
        ("~1", True): "means",
        ("~1", False): "thresholds" if request.thresholds and "intercepts" not in request.equal else "intercepts",
    }
    if row.op == "~~":
        if same:
            kind = "lv_variances" if is_latent else "residuals"
        else:
            kind = "lv_covariances" if is_latent and row.rhs in latent else "residual_covariances"
    else:
        kind = kinds[row.op, is_latent]
    return kind in request.equal


def _free_identified(rows: list[Row], request: EqualityRequest) -> None:
    """Free what equality across groups identifies, beyond the first group.

    Latent means after intercepts or thresholds; latent variances after loadings, where they are units; after thresholds
    the scales of ordinal items (delta) or their residual variances (theta).
    """
    latent = {row.lhs for row in rows if row.op == "=~"}
    spared = _partial_keys(request.partial)
    for row in rows:
        if row.group == 1 or row.user:
            continue
        spread = row.op == "~~" and row.lhs == row.rhs and row.lhs in request.ordered
        held = "residuals" in request.equal and row.key not in spared
        if request.thresholds and not row.derived and (row.op == "~*~" or (spread and not held)):
            row.fixed = None
        if row.lhs not in latent:
            continue
        level = request.thresholds or "intercepts" in request.equal
        if row.op == "~1" and level and "means" not in request.equal:
            row.fixed = None
        unit = request.std_lv and "loadings" in request.equal and "lv_variances" not in request.equal
        if unit and row.op == "~~" and row.lhs == row.rhs:
            row.fixed = None
