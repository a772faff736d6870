"""Written constraints: which are linear equations, which other equations, which inequalities and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import SpecificationError, nearest
from sem_loyalty.model.derived import evaluate_with_slope
from sem_loyalty.model.expression import Expression
from sem_loyalty.model.rows import Row
from sem_loyalty.model.spec import ExpressionConstraint, LinearConstraint, Parameter
from sem_loyalty.model.syntax import Constraint, ModelText

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Constraints:
    """The constraints of a model, by kind.

    Attributes
    ----------
    linear : tuple of LinearConstraint
        Independent linear equations.
    equations : tuple of ExpressionConstraint
        Other equations, independent of each other and of the linear ones.
    inequalities : tuple of LinearConstraint or ExpressionConstraint
        What must not be negative; bounds first.
    """

    linear: tuple[LinearConstraint, ...]
    equations: tuple[ExpressionConstraint, ...]
    inequalities: tuple[LinearConstraint | ExpressionConstraint, ...]


@dataclass(frozen=True, slots=True)
class _Generic:
    """A constraint at a few points: values and slopes of left less right, and whether these are a plane's."""

    values: Array
    slopes: Array
    linear: bool


def read_constraints(text: ModelText, labelled: Mapping[str, Parameter], size: int) -> Constraints:
    """Return the constraints that a text writes over the labels of a model.

    Parameters
    ----------
    text : ModelText
    labelled : mapping of str to Parameter
    size : int
        Length of the parameter vector.

    Raises
    ------
    SpecificationError
        A name that is no label, or a constraint without free parameter that does not hold.
    """
    definitions = {item.name: item.expression for item in text.definitions}
    check_names(text, labelled)
    linear: list[LinearConstraint] = []
    equations: list[ExpressionConstraint] = []
    inequalities: list[LinearConstraint | ExpressionConstraint] = []
    # Slopes of the equations so far, at every point.
    held = np.zeros((3, 0, size))
    for constraint in text.constraints:
        left, right = (constraint.rhs, constraint.lhs) if constraint.op == "<" else (constraint.lhs, constraint.rhs)
        written = f"{constraint.lhs.text} {constraint.op} {constraint.rhs.text}"
        found = _at_points(left, right, labelled, definitions, size)
        if found.linear and not found.slopes[0].any():
            _check_constant(constraint, float(found.values[0]))
            continue
        item: LinearConstraint | ExpressionConstraint = ExpressionConstraint(left, right, written)
        if found.linear:
            row = found.slopes[0]
            coefficients = tuple((int(index), float(row[index])) for index in np.flatnonzero(row))
            item = LinearConstraint(coefficients, float(row @ _points(size)[0] - found.values[0]), written)
        if constraint.op != "==":
            inequalities.append(item)
            continue
        candidate = np.concatenate([held, found.slopes[:, None, :]], axis=1)
        if max(_rank(at) for at in candidate) > held.shape[1]:
            held = candidate
            if isinstance(item, LinearConstraint):
                linear.append(item)
            else:
                equations.append(item)
        elif isinstance(item, LinearConstraint):
            _check_agreement(item, linear, size)
    return Constraints(tuple(linear), tuple(equations), tuple(inequalities))


def bounds_of(row: Row, parameter: Parameter) -> list[LinearConstraint]:
    """Return the bounds that lower() and upper() give a parameter.

    Raises
    ------
    SpecificationError
        The bounds exclude each other, or the value at which the parameter is fixed.
    """
    low = -np.inf if row.lower is None else row.lower
    high = np.inf if row.upper is None else row.upper
    if low > high or (parameter.value is not None and not low <= parameter.value <= high):
        at = f"; it is fixed at {parameter.value:g}" if parameter.value is not None else ""
        raise SpecificationError(f"The bounds of {parameter.name} cannot hold: lower {low:g}, upper {high:g}{at}.")
    if parameter.free < 0:
        return []
    found = []
    if row.lower is not None:
        found.append(LinearConstraint(((parameter.free, 1.0),), row.lower, f"{parameter.name} > {row.lower:g}"))
    if row.upper is not None:
        found.append(LinearConstraint(((parameter.free, -1.0),), -row.upper, f"{parameter.name} < {row.upper:g}"))
    return found


def check_names(text: ModelText, labelled: Mapping[str, Parameter]) -> None:
    """Raise SpecificationError where a definition or a constraint uses an unknown label."""
    known = list(labelled)
    for definition in text.definitions:
        _require(definition.expression, known, definition.line)
        known.append(definition.name)
    for constraint in text.constraints:
        for side in (constraint.lhs, constraint.rhs):
            _require(side, known, constraint.line)


def _require(expression: Expression, known: list[str], line: int) -> None:
    for name in expression.names():
        if name not in known:
            listed = ", ".join(known) or "none"
            hint = nearest(name, known)
            raise SpecificationError(
                f"Line {line}: {name!r} is not a label of the model (labels: {listed}). {hint}".strip()
            )


def _check_agreement(item: LinearConstraint, others: list[LinearConstraint], size: int) -> None:
    """Raise where a linear equation that others imply on the left does not agree with them on the right."""
    rows = np.zeros((len(others) + 1, size))
    for row, one in zip(rows, (*others, item), strict=True):
        for index, coefficient in one.coefficients:
            row[index] = coefficient
    shares, *_ = np.linalg.lstsq(rows[:-1].T, rows[-1], rcond=None)
    implied = float(sum(share * one.right for share, one in zip(shares, others, strict=True)))
    if np.allclose(shares @ rows[:-1], rows[-1]) and abs(implied - item.right) > 1e-9 * max(1.0, abs(item.right)):
        listed = "; ".join(one.text for one in (*others, item))
        raise SpecificationError(f"The constraints contradict each other: {listed}.")


def _check_constant(constraint: Constraint, value: float) -> None:
    """Raise where a constraint without free parameter does not hold."""
    if value < -1e-12 or (constraint.op == "==" and value > 1e-12):
        raise SpecificationError(f"Line {constraint.line}: the constraint can never hold: it has no free parameter.")


def _points(size: int) -> Array:
    """Return three points in general position, shape (3, size)."""
    steps = np.arange(size, dtype=np.float64)
    return np.stack([np.full(size, 0.5), 0.3 + 0.1 * steps, 1.7 - 0.05 * steps])


def _at_points(
    left: Expression,
    right: Expression,
    labelled: Mapping[str, Parameter],
    definitions: Mapping[str, Expression],
    size: int,
) -> _Generic:
    """Return left less right, with its slopes, at the points."""
    values, slopes = np.zeros(3), np.zeros((3, size))
    for k, point in enumerate(_points(size)):
        left_value, left_slope = evaluate_with_slope(left, labelled, definitions, point)
        right_value, right_slope = evaluate_with_slope(right, labelled, definitions, point)
        values[k], slopes[k] = left_value - right_value, left_slope - right_slope
    offsets = values - _points(size) @ slopes[0]
    linear = bool(
        np.allclose(slopes, slopes[0], rtol=1e-9, atol=1e-12) and np.allclose(offsets, offsets[0], rtol=1e-9, atol=1e-9)
    )
    return _Generic(values, slopes, linear)


def _rank(rows: Array) -> int:
    return int(np.linalg.matrix_rank(rows)) if np.isfinite(rows).all() else 0
