"""Score tests of equality constraints: what chi-square would fall by if a constraint were released."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc

from sem_loyalty.errors import ConfigurationError, NotSupported, check_choice
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.fitting.solve import discrepancy_for
from sem_loyalty.inference.marking import mark
from sem_loyalty.kernel.discrepancy import Discrepancy
from sem_loyalty.kernel.solver import affine_subspace
from sem_loyalty.model.restrictions import restrictions_of
from sem_loyalty.model.spec import Parameter, Specification

Array = NDArray[np.float64]

INFORMATION = ("expected", "observed")
# A constraint whose release the free parameters explain this far is what identifies the model; it cannot be tested.
REDUNDANT = 1e-7


@dataclass(frozen=True, slots=True)
class _Equality:
    """One equality of the model and its row of the Jacobian over parameters that share nothing."""

    lhs: str
    rhs: str
    left: str
    right: str
    group: int
    row: Array


def score_tests(fit: Fit, *, information: str = "expected") -> pd.DataFrame:
    """Test every equality constraint of a fitted model by releasing it alone.

    Parameters
    ----------
    fit : Fit
    information : {"expected", "observed"}, default "expected"
        Which information the scores are weighed with.

    Returns
    -------
    DataFrame
        One row per constraint, in the order of the model; no row where nothing is held equal.

        - lhs, op, rhs: the two sides as lavaan names them: ".p2." is the second row of the parameter table; the two
          sides of a written constraint.
        - left, right: the two parameters as one writes them, with the group where there are several.
        - group: group of the parameter on the right, 0 for a written constraint.
        - x2, df, pvalue: the test of this one equality, df 1.
        - epc: expected change of left less right, which is zero now.

        `attrs["total"]` holds x2, df and pvalue of all constraints released together, `attrs["certified"]` whether the
        fit is certified, `attrs["robust"]` False.

    Raises
    ------
    ConfigurationError
        An unknown kind of information.
    NotSupported
        The model has inequality constraints or bounds.

    Notes
    -----
    With g the derivative of F by parameters that share nothing, d the direction that leaves all other constraints
    in force and changes left - right by one, and V the information of d given the directions that the constraints leave
    free, x2 = N (g'd)^2 / (4 V) and epc = -g'd / (2 V) (Lagrange multiplier test: Bentler 1986, Lagrange Multiplier
    and Wald Tests for EQS and EQS/PC; Sorbom 1989, doi:10.1007/BF02294623). Three equal parameters are two
    equalities, each with the first: releasing one of them frees that parameter and leaves the others equal.

    The tests are those of normal theory whatever the estimator, as in lavaan 0.6-14, which has no robust ones: with
    MLM, MLMV, MLR, WLSMV and ULSMV, and with ULS and DWLS, whose weight is not efficient, they rank constraints but are
    no chi-squares; confirm a release by `likelihood_ratio_test`. With least squares N less one per group takes the
    place of N.
    """
    check_choice("information", information, INFORMATION)
    if fit.specification.inequalities:
        raise NotSupported("Score tests of a model with inequality constraints or bounds are not supported.")
    columns = ["lhs", "op", "rhs", "left", "right", "group", "x2", "df", "pvalue", "epc"]
    released, rows = _released(fit.specification)
    equalities = _equalities(fit, released, rows)
    if not equalities:
        frame = pd.DataFrame(columns=columns)
        frame.attrs.update(_attributes(fit, 0.0, 0))
        return mark(frame, fit)
    theta = fit.theta[[fit.specification.parameters[k].free for k in rows]]
    discrepancy: Discrepancy[Any] = discrepancy_for(released, fit.moments, fit.estimator)[0]
    point = discrepancy.evaluate(theta)
    if point is None:
        raise ConfigurationError("The fit ended where its discrepancy is not defined; there is nothing to test.")
    whole = discrepancy.hessian(point) if information == "observed" else discrepancy.information(point)
    jacobian = np.stack([item.row for item in equalities])
    slope, remaining, own = _released_directions(jacobian, discrepancy.gradient(point), whole)
    n = fit.test_n
    diagonal = np.diagonal(remaining)
    usable = diagonal > REDUNDANT * own
    with np.errstate(divide="ignore", invalid="ignore"):
        x2 = np.where(usable, n * slope**2 / (4.0 * diagonal), np.nan)
        epc = np.where(usable, -slope / (2.0 * diagonal), np.nan)
    frame = pd.DataFrame(
        {
            "lhs": [item.lhs for item in equalities],
            "op": "==",
            "rhs": [item.rhs for item in equalities],
            "left": [item.left for item in equalities],
            "right": [item.right for item in equalities],
            "group": [item.group for item in equalities],
            "x2": x2,
            "df": usable.astype(int),
            "pvalue": np.where(usable, chdtrc(1.0, np.where(usable, x2, 0.0)), np.nan),
            "epc": epc,
        },
        columns=columns,
    )
    frame.attrs.update(_attributes(fit, *_total(n, slope, remaining, own)))
    return mark(frame, fit)


def _attributes(fit: Fit, x2: float, df: int) -> dict[str, Any]:
    total = {"x2": x2, "df": df, "pvalue": float(chdtrc(df, x2)) if df else float("nan")}
    return {"total": total, "certified": fit.certificate.certified, "robust": False}


def _released(specification: Specification) -> tuple[Specification, tuple[int, ...]]:
    """Return the model in which no two rows share a parameter, and the row behind each of its parameters."""
    parameters: list[Parameter] = []
    rows: list[int] = []
    for k, row in enumerate(specification.parameters):
        parameters.append(replace(row, free=len(rows)) if row.free >= 0 else row)
        if row.free >= 0:
            rows.append(k)
    return replace(specification, parameters=tuple(parameters), n_free=len(rows), constraints=(), equations=()), tuple(
        rows
    )


def _equalities(fit: Fit, released: Specification, rows: tuple[int, ...]) -> list[_Equality]:
    """Return the equalities of the model: shared parameters first, then the written constraints."""
    specification = fit.specification
    found: list[_Equality] = []
    first: dict[int, int] = {}
    for position, k in enumerate(rows):
        row = specification.parameters[k]
        if row.free not in first:
            first[row.free] = position
            continue
        other = rows[first[row.free]]
        jacobian = np.zeros(len(rows))
        jacobian[first[row.free]], jacobian[position] = 1.0, -1.0
        names = [_readable(released, released.parameters[i]) for i in (other, k)]
        found.append(_Equality(f".p{other + 1}.", f".p{k + 1}.", names[0], names[1], row.group, jacobian))
    for constraint in specification.constraints:
        jacobian = np.zeros(len(rows))
        for index, coefficient in constraint.coefficients:
            jacobian[first[index]] = coefficient
        left, _, right = constraint.text.partition(" == ")
        found.append(_Equality(left, right, left, right, 0, jacobian))
    restrictions = restrictions_of(specification)
    values = None if restrictions is None else restrictions.evaluate(fit.theta)
    for equation, slope in zip(specification.equations, () if values is None else values.equation_slopes, strict=True):
        jacobian = np.zeros(len(rows))
        for free, position in first.items():
            jacobian[position] = slope[free]
        left, right = equation.left.text, equation.right.text
        found.append(_Equality(left, right, left, right, 0, jacobian))
    return found


def _readable(specification: Specification, row: Parameter) -> str:
    if len(specification.groups) == 1:
        return row.name
    return f"{row.name} [{specification.groups[row.group - 1]}]"


def _released_directions(jacobian: Array, gradient: Array, information: Array) -> tuple[Array, Array, Array]:
    """Return slopes along the released directions, their information given what is free, and their own.

    The k-th direction changes the k-th constraint by one and no other: a column of the pseudoinverse of the Jacobian.
    """
    # In units of standard errors, so that the rank does not turn on the units of the items.
    scale = np.sqrt(np.maximum(np.diagonal(information), 0.0))
    scale = np.where(scale > 0, scale, 1.0)
    scaled = information / np.outer(scale, scale)
    weighted = jacobian / scale
    directions = np.asarray(np.linalg.pinv(weighted))
    space = affine_subspace(weighted, np.zeros(len(weighted)))
    across = directions.T @ scaled @ directions
    own = np.diagonal(across).copy()
    if space is not None and space.basis.shape[1]:
        crossed = space.basis.T @ scaled @ directions
        across = across - crossed.T @ np.linalg.pinv(space.reduce_matrix(scaled), rcond=1e-10, hermitian=True) @ crossed
    return directions.T @ (gradient / scale), across, own


def _total(n: int, slope: Array, remaining: Array, own: Array) -> tuple[float, int]:
    """Return the test of all constraints together, over the directions that releasing them identifies."""
    scale = np.sqrt(np.maximum(own, 1e-300))
    values, vectors = np.linalg.eigh(remaining / np.outer(scale, scale))
    usable = values > REDUNDANT
    along = vectors[:, usable].T @ (slope / scale)
    return float(n * (along**2 / values[usable]).sum() / 4.0), int(usable.sum())
