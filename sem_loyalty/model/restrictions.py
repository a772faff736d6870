"""Nonlinear equations, inequalities and bounds of a model, as the minimiser takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.restrictions import Values, active
from sem_loyalty.model.derived import evaluate_with_slope
from sem_loyalty.model.expression import Expression
from sem_loyalty.model.spec import ExpressionConstraint, LinearConstraint, Parameter, Specification

Array = NDArray[np.float64]

# Step of central differences of exact slopes, relative to the parameter.
STEP = 6e-6


@dataclass(frozen=True)
class ModelRestrictions:
    """The restrictions of a model; see `kernel.restrictions.Restrictions`.

    Attributes
    ----------
    equations : tuple of ExpressionConstraint
    inequalities : tuple of ExpressionConstraint or LinearConstraint
    labelled : mapping of str to Parameter
    definitions : mapping of str to Expression
    weight : ndarray, shape (q,)
        Units: what the minimiser moves is weight times the parameters of the model.
    """

    equations: tuple[ExpressionConstraint, ...]
    inequalities: tuple[ExpressionConstraint | LinearConstraint, ...]
    labelled: Mapping[str, Parameter]
    definitions: Mapping[str, Expression]
    weight: Array

    def evaluate(self, theta: Array) -> Values | None:
        """Return values and exact derivatives, or None where one of them is not a number."""
        own = theta / self.weight
        parts = []
        for listed in (self.equations, self.inequalities):
            values, slopes = np.zeros(len(listed)), np.zeros((len(listed), len(theta)))
            for k, item in enumerate(listed):
                values[k], slopes[k] = self._difference(item, own)
            parts += [values, slopes / self.weight]
        if not all(np.isfinite(part).all() for part in parts):
            return None
        return Values(*parts)

    def _difference(self, item: ExpressionConstraint | LinearConstraint, theta: Array) -> tuple[float, Array]:
        """Return left less right, and its derivative."""
        if isinstance(item, LinearConstraint):
            slope = np.zeros(len(theta))
            for index, coefficient in item.coefficients:
                slope[index] = coefficient
            return float(slope @ theta) - item.right, slope
        left, left_slope = evaluate_with_slope(item.left, self.labelled, self.definitions, theta)
        right, right_slope = evaluate_with_slope(item.right, self.labelled, self.definitions, theta)
        return left - right, left_slope - right_slope

    def curvature(self, theta: Array, on_equations: Array, on_inequalities: Array) -> Array:
        """Return the weighted sum of the second derivatives, from central differences of the exact slopes."""
        own = theta / self.weight
        weighted = [
            (item, float(weight))
            for item, weight in zip(
                (*self.equations, *self.inequalities), (*on_equations, *on_inequalities), strict=True
            )
            if weight and isinstance(item, ExpressionConstraint)
        ]
        out = np.zeros((len(theta), len(theta)))
        for item, weight in weighted:
            for index in np.flatnonzero(self._difference(item, own)[1]):
                step = STEP * max(1.0, abs(float(own[index])))
                ahead, behind = own.copy(), own.copy()
                ahead[index] += step
                behind[index] -= step
                change = self._difference(item, ahead)[1] - self._difference(item, behind)[1]
                out[index] += np.nan_to_num(weight * change / (2.0 * step))
        return np.asarray(0.5 * (out + out.T) / np.outer(self.weight, self.weight))

    def snapped(self, theta: Array) -> Array:
        """Return parameters that stand at a bound of their own moved exactly onto it."""
        values = self.evaluate(theta)
        if values is None:
            return theta
        out = theta.copy()
        for k in active(values, theta):
            item = self.inequalities[k]
            if isinstance(item, LinearConstraint) and len(item.coefficients) == 1:
                ((index, coefficient),) = item.coefficients
                out[index] = item.right / coefficient * self.weight[index]
        return out

    def rescaled(self, weight: Array) -> ModelRestrictions:
        """Return the same restrictions on parameters multiplied by `weight`."""
        return replace(self, weight=self.weight * weight)


def restrictions_of(specification: Specification) -> ModelRestrictions | None:
    """Return the nonlinear equations and the inequalities of a model, or None where it has none."""
    if not specification.equations and not specification.inequalities:
        return None
    return ModelRestrictions(
        equations=specification.equations,
        inequalities=specification.inequalities,
        labelled={row.label: row for row in specification.parameters if row.label},
        definitions={item.name: item.expression for item in specification.defined},
        weight=np.ones(specification.n_free),
    )
