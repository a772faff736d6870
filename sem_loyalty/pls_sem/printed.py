"""`plsc_from_printed`: consistent path coefficients from the figures that an article prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import least_squares

from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.fitting.fit import text_of
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.syntax import ModelText
from sem_loyalty.pls_sem.path_model import PathModel
from sem_loyalty.pls_sem.stages import path_model
from sem_loyalty.pls_sem.weights import regress

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PrintedPaths:
    """Path coefficients that printed figures imply.

    Attributes
    ----------
    paths : DataFrame
        cause, outcome, est, lower, upper: what is left open by the rounding of the figures, to the first order.
    r2 : DataFrame
        construct, r2, lower, upper.
    reliability : dict of str to float
        Reliability of every construct that was used.
    problems : tuple of str
        Why the figures cannot be those of one solution; empty where they can.
    """

    paths: pd.DataFrame = field(repr=False)
    r2: pd.DataFrame = field(repr=False)
    reliability: dict[str, float]
    problems: tuple[str, ...]


def plsc_from_printed(
    model: str | Path | ModelText | ModelFile,
    correlation: pd.DataFrame,
    *,
    reliability: Mapping[str, float] | None = None,
    loadings: Mapping[str, Sequence[float]] | None = None,
    digits: int = 3,
) -> PrintedPaths:
    """Return the paths that PLSc gives for a printed correlation matrix of composites.

    Correlations are divided by sqrt(rho_i rho_j) and regressed on each other as the paths say (Dijkstra and Henseler
    2015, doi:10.25300/MISQ/2015/39.2.02).

    Parameters
    ----------
    model : str, Path, ModelText or ModelFile
        Paths between the constructs; measurement is not needed.
    correlation : DataFrame
        Correlations of composites, as below the diagonal of a Fornell-Larcker table; symmetric or one triangle. What
        the diagonal holds is not used.
    reliability : mapping of str to float, optional
        rho_A by construct; 1 for a single item.
    loadings : mapping of str to sequence of float, optional
        Correlations of items and composite by construct ("outer loadings" without PLSc), for constructs without a
        printed reliability; see `reliability_from_loadings`. A construct in neither mapping counts as measured without
        error.
    digits : int, default 3
        Decimals that are printed.

    Returns
    -------
    PrintedPaths

    Raises
    ------
    DataError
        A correlation is absent, or not between -1 and 1.
    ConfigurationError
        A reliability is not above 0 and at most 1, a construct is unknown, or `digits` is no whole number.

    Examples
    --------
    >>> import pandas as pd, sem_loyalty as sl
    >>> table = pd.DataFrame([[1.0, 0.5], [0.5, 1.0]], index=["SAT", "LOY"], columns=["SAT", "LOY"])
    >>> found = sl.plsc_from_printed("LOY ~ SAT", table, reliability={"SAT": 0.8, "LOY": 0.8})
    >>> round(float(found.paths["est"][0]), 3)
    0.625
    """
    if isinstance(digits, bool) or not isinstance(digits, int) or digits < 1:
        raise ConfigurationError(f"digits={digits!r} must be a whole number, 1 or more.")
    path = path_model(text_of(model))
    names = path.constructs
    R = _square(correlation, names)
    known, measured = dict(reliability or {}), {k: np.asarray(v, dtype=np.float64) for k, v in (loadings or {}).items()}
    unknown = [name for name in (*known, *measured) if name not in names]
    if unknown:
        raise ConfigurationError(f"{unknown[0]!r} is no construct of the model: {', '.join(names)}.")
    for name, value in known.items():
        if not 0.0 < value <= 1.0:
            raise ConfigurationError(f"The reliability of {name} is {value:g}; it must lie above 0 and at most at 1.")
    measured = {name: value for name, value in measured.items() if name not in known}
    lower = np.tril_indices(len(names), -1)
    # Everything printed as one list: correlations, reliabilities, loadings.
    figures = np.concatenate([R[lower], [known[k] for k in known], *measured.values()])

    def compute(values: Array) -> Array:
        return _paths(path, values, tuple(known), {k: len(v) for k, v in measured.items()})[0]

    found = compute(figures)
    slack = _slack(compute, figures, 0.5 * 10.0**-digits)
    _, rho, corrected = _paths(path, figures, tuple(known), {k: len(v) for k, v in measured.items()})
    arrows = [(names[j], names[i]) for i, j in np.argwhere(path.design.path)]
    outcomes = [names[i] for i in np.flatnonzero(path.design.path.any(axis=1))]
    ends = {"est": found, "lower": found - slack, "upper": found + slack}
    problems = []
    if np.abs(corrected[lower]).max(initial=0.0) > 1.0:
        problems.append("A corrected correlation is beyond 1.")
    elif np.linalg.eigvalsh(corrected)[0] <= 0:
        problems.append("The corrected correlations are not positive definite.")
    paths = pd.DataFrame(arrows, columns=["cause", "outcome"])
    r2 = pd.DataFrame({"construct": outcomes})
    for name, column in ends.items():
        paths[name] = column[: len(arrows)]
        r2["r2" if name == "est" else name] = column[len(arrows) :]
    return PrintedPaths(paths, r2, dict(zip(names, map(float, rho), strict=True)), tuple(problems))


def reliability_from_loadings(loadings: Sequence[float] | Array) -> float:
    """Return rho_A of a composite from the correlations of its items with it.

    Items of one factor with loadings l have, in mode A, weights in proportion to l and with the composite the
    correlations c_k = (l_k l'l + l_k (1 - l_k^2)) / s, s^2 = (l'l)^2 + sum l^2 (1 - l^2). The equations are solved for
    l; then rho_A = (l'l)^2 / s^2. With PLSc loadings are printed corrected already: do not use them here.

    Parameters
    ----------
    loadings : sequence of float
        Two or more, in size below 1.

    Returns
    -------
    float

    Raises
    ------
    DataError
        Fewer than two loadings, or one that is not below 1 in size; or no factor has such composites.
    """
    c = np.asarray(loadings, dtype=np.float64)
    if len(c) < 2 or not (np.abs(c) < 1.0).all():
        raise DataError("Reliability needs two loadings or more, all below 1 in size.")

    def spread(factor: Array) -> float:
        square = factor**2
        return float(np.sqrt(square.sum() ** 2 + (square * (1.0 - square)).sum()))

    def miss(factor: Array) -> Array:
        square = factor**2
        return np.asarray(factor * (square.sum() + 1.0 - square) / spread(factor) - c)

    solved = least_squares(miss, 0.9 * c, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    if np.abs(solved.fun).max() > 1e-8:
        raise DataError("No factor gives a composite these loadings; look for a misprint.")
    factor = np.asarray(solved.x)
    return float(((factor**2).sum() / spread(factor)) ** 2)


def _square(correlation: pd.DataFrame, names: tuple[str, ...]) -> Array:
    """Return the correlations of the constructs, from either triangle, with a unit diagonal."""
    absent = [name for name in names if name not in correlation.index or name not in correlation.columns]
    if absent:
        raise DataError(f"The correlations lack {', '.join(absent)}.")
    one = correlation.loc[list(names), list(names)].to_numpy(dtype=np.float64, copy=True)
    empty = ~np.isfinite(one) | (one == 0.0)
    out = np.where(empty, one.T, one)
    for i, j in zip(*np.tril_indices(len(names), -1), strict=True):
        if not np.isfinite(out[i, j]) or abs(out[i, j]) > 1.0 or out[i, j] != out[j, i]:
            raise DataError(
                f"The correlation of {names[i]} and {names[j]} is absent, beyond 1, or not the same in both triangles."
            )
    np.fill_diagonal(out, 1.0)
    return np.asarray(out)


def _paths(
    path: PathModel, figures: Array, known: tuple[str, ...], measured: Mapping[str, int]
) -> tuple[Array, Array, Array]:
    """Return paths and then R squared, reliabilities (J,), and corrected correlations (J, J)."""
    size = path.design.size
    count = size * (size - 1) // 2
    cor = np.eye(size)
    cor[np.tril_indices(size, -1)] = figures[:count]
    cor += np.tril(cor, -1).T
    rho = np.ones(size)
    for name, value in zip(known, figures[count:], strict=False):
        rho[path.constructs.index(name)] = value
    at = count + len(known)
    for name, items in measured.items():
        rho[path.constructs.index(name)] = reliability_from_loadings(figures[at : at + items])
        at += items
    root = np.sqrt(rho)
    cor = cor / np.outer(root, root)
    np.fill_diagonal(cor, 1.0)
    slopes, shares = regress(path.design, cor[:, :, None])
    outcomes = path.design.path.any(axis=1)
    return np.concatenate([slopes[path.design.path][:, 0], shares[outcomes, 0]]), rho, cor


def _slack(compute: Callable[[Array], Array], figures: Array, half: float) -> Array:
    """Return by how much the results can move when every figure moves by half a unit of its last digit."""
    total = np.zeros_like(compute(figures))
    for k in range(len(figures)):
        step = np.zeros_like(figures)
        step[k] = half
        total += np.abs(compute(figures + step) - compute(figures - step)) / 2.0
    return np.asarray(total)
