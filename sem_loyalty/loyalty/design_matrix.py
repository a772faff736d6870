"""From columns of a table to the matrix of a regression, with collinearity and separation checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog

from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.survey.answers import check_columns, listing, numeric_matrix

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Outcome and predictors of the complete rows.

    Attributes
    ----------
    y : ndarray, shape (n,)
    X : ndarray, shape (n, 1 + k)
        A column of ones first.
    terms : tuple of str, length k
        Predictors; a level of a category is "column: level".
    dummy : ndarray of bool, shape (k,)
        Which of them are 0 or 1 everywhere.
    references : tuple of str
        "column: level" of each category that has no column of its own.
    n_collected : int
        Rows before incomplete ones were left out.
    """

    y: Array
    X: Array
    terms: tuple[str, ...]
    dummy: NDArray[np.bool_]
    references: tuple[str, ...]
    n_collected: int


def design_matrix(data: pd.DataFrame, outcome: str, predictors: Sequence[str]) -> Design:
    """Return the outcome and the predictors of the rows in which none is missing.

    Parameters
    ----------
    data : DataFrame
    outcome : str
        Column of numbers.
    predictors : sequence of str
        Columns of numbers; columns of text or categories become one column of 0 and 1 for each level but the first
        in alphabetical order, or in the order of the categories.

    Raises
    ------
    ConfigurationError
        No predictor, one that stands twice, or the outcome among them.
    DataError
        Too few rows, a predictor that does not vary, or predictors that determine each other.
    """
    if isinstance(predictors, str) or not predictors or outcome in predictors:
        raise ConfigurationError(
            f"predictors={predictors!r} must be a list of columns without the outcome {outcome!r}."
        )
    check_columns(data, [outcome, *predictors], what="Column")
    columns: list[Array] = []
    terms: list[str] = []
    references: list[str] = []
    for name in predictors:
        column = data[name]
        if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
            columns.append(numeric_matrix(data, [name], what="Column")[:, 0])
            terms.append(name)
            continue
        categorical = isinstance(column.dtype, pd.CategoricalDtype)
        levels = list(column.cat.categories) if categorical else sorted({str(v) for v in column.dropna()})
        texts = column if categorical else column.map(str, na_action="ignore")
        if len(levels) < 2 or len(levels) > 20:
            raise DataError(f"'{name}' has {len(levels)} levels; a category needs 2 to 20. Numbers must not be text.")
        references.append(f"{name}: {levels[0]}")
        for level in levels[1:]:
            columns.append(np.where(column.isna(), np.nan, (texts == level).to_numpy(dtype=float)))
            terms.append(f"{name}: {level}")
    y = numeric_matrix(data, [outcome], what="Outcome")[:, 0]
    X = np.column_stack(columns)
    complete = ~(np.isnan(X).any(axis=1) | np.isnan(y))
    y, X = y[complete], X[complete]
    if len(y) < X.shape[1] + 10:
        raise DataError(f"{len(y)} complete rows are too few for {X.shape[1]} predictors.")
    flat = [term for term, width in zip(terms, np.ptp(X, axis=0), strict=True) if width == 0]
    if flat:
        raise DataError(f"Predictors that do not vary among the complete rows: {listing(flat)}.")
    if np.ptp(y) == 0:
        raise DataError(f"The outcome '{outcome}' is {y[0]:g} in every complete row.")
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    values, vectors = np.linalg.eigh(scaled.T @ scaled / len(X))
    if values[0] < 1e-9:
        tied = [term for term, part in zip(terms, np.abs(vectors[:, 0]), strict=True) if part > 0.05]
        raise DataError(f"Predictors that determine each other: {listing(tied)}. Leave one of them out.")
    dummy = np.asarray(np.isin(X, (0.0, 1.0)).all(axis=0))
    full = np.column_stack([np.ones(len(X)), X])
    return Design(y, full, tuple(terms), dummy, tuple(references), len(data))


def variance_inflation(X: Array) -> Array:
    """Return 1/(1 − R²) of each predictor on the others, the diagonal of the inverse correlation matrix, shape (k,).

    Parameters
    ----------
    X : ndarray, shape (n, k)
        Without the column of ones.
    """
    return np.asarray(np.diag(np.linalg.inv(np.atleast_2d(np.corrcoef(X, rowvar=False)))))


def separated(y: Array, X: Array) -> bool:
    """Return whether some combination of predictors divides yes from no, so that no maximum of the likelihood exists.

    A linear programme looks for b with x'b ≥ 0 for every yes and ≤ 0 for every no, not zero everywhere.

    References
    ----------
    Albert, A., & Anderson, J. A. (1984). On the existence of maximum likelihood estimates in logistic regression
    models. Biometrika, 71, 1-10. doi:10.1093/biomet/71.1.1
    """
    signed = X * (2.0 * y - 1.0)[:, None]
    size = np.abs(X).max(axis=0)
    found = linprog(-(signed / size).sum(axis=0), A_ub=-signed / size, b_ub=np.zeros(len(y)), bounds=(-1.0, 1.0))
    return bool(found.status == 0 and found.fun is not None and found.fun < -1e-7)
