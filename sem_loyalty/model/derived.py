"""Expressions over the labels of a model: their value and their derivative by the parameter vector."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.model.expression import Expression
from sem_loyalty.model.spec import Parameter

Array = NDArray[np.float64]


def evaluate_with_slope(
    expression: Expression,
    labelled: Mapping[str, Parameter],
    definitions: Mapping[str, Expression],
    theta: Array,
) -> tuple[float, Array]:
    """Return the value of an expression over labels and definitions, and its derivative by theta, shape (q,).

    A label of a fixed parameter stands for its value.
    """
    values: dict[str, float] = {}
    slopes: dict[str, Array] = {}
    for name in expression.names():
        if name in labelled:
            parameter = labelled[name]
            slopes[name] = np.zeros(len(theta))
            if parameter.free >= 0:
                values[name] = float(theta[parameter.free])
                slopes[name][parameter.free] = 1.0
            else:
                values[name] = float(parameter.value if parameter.value is not None else np.nan)
        else:
            values[name], slopes[name] = evaluate_with_slope(definitions[name], labelled, definitions, theta)
    value, by_name = expression.derivative(values)
    total = np.zeros(len(theta))
    # A slope that is infinite says so; times the zeros of other parameters it is not a number.
    with np.errstate(invalid="ignore"):
        for name, slope in by_name.items():
            total += slope * slopes[name]
    return float(value), total
