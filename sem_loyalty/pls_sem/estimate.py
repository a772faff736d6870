"""`pls`: a path model of composites, estimated by partial least squares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, DataError, check_choice
from sem_loyalty.fitting.fit import text_of
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.syntax import ModelText
from sem_loyalty.pls_sem.path_model import PathModel, path_model
from sem_loyalty.pls_sem.solve import Solved, solve
from sem_loyalty.pls_sem.weights import SCHEMES
from sem_loyalty.survey.sample import moments_from_cov, moments_from_data

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pls:
    """A path model estimated by partial least squares.

    Attributes
    ----------
    model : PathModel
    n : int
        Respondents.
    scheme : {"path", "centroid", "factorial"}
    consistent : bool
        Whether correlations and loadings of common factors are corrected for unreliability (PLSc).
    correlation : ndarray, shape (p, p)
        Correlations of the items.
    weights : ndarray, shape (m,)
        Outer weights of the entries of the design.
    loadings : ndarray, shape (m,)
        Correlations of items and constructs; with PLSc the loadings of the factor model.
    rho_a : ndarray, shape (J,)
        Reliability of the composites; 1 where it is no common factor.
    cor : ndarray, shape (J, J)
        Correlations of the constructs; with PLSc those of the factors.
    paths : ndarray, shape (J, J)
        paths[i, j]: effect of construct j on construct i, standardised.
    r2 : ndarray, shape (J,)
        nan for exogenous constructs.
    iterations : int
    problems : tuple of str
        Why the solution cannot be trusted; empty where it is admissible.
    rows : ndarray, shape (n, p), or None
        Answers; None for a matrix as input.
    """

    model: PathModel
    n: int
    scheme: str
    consistent: bool
    correlation: Array = field(repr=False)
    weights: Array = field(repr=False)
    loadings: Array = field(repr=False)
    rho_a: Array = field(repr=False)
    cor: Array = field(repr=False)
    paths: Array = field(repr=False)
    r2: Array = field(repr=False)
    iterations: int
    problems: tuple[str, ...]
    rows: Array | None = field(repr=False)

    @property
    def admissible(self) -> bool:
        """Whether nothing bars the solution from being reported."""
        return not self.problems

    def path_coefficients(self) -> pd.DataFrame:
        """Return cause, outcome and estimate of every path."""
        names = self.model.constructs
        records = [(names[j], names[i], self.paths[i, j]) for i, j in np.argwhere(self.model.design.path)]
        return pd.DataFrame(records, columns=["cause", "outcome", "est"])

    def outer_model(self) -> pd.DataFrame:
        """Return construct, item, mode, weight and loading of every entry."""
        design, model = self.model.design, self.model
        return pd.DataFrame(
            {
                "construct": [model.constructs[j] for j in design.construct],
                "item": [model.items[i] for i in design.item],
                "mode": ["B" if design.mode_b[j] else "A" for j in design.construct],
                "weight": self.weights,
                "loading": self.loadings,
            }
        )

    def cross_loadings(self) -> Array:
        """Return the correlations of all items with all composites, shape (p, J)."""
        return self.correlation @ self.weight_matrix()

    def weight_matrix(self) -> Array:
        """Return the weights with an item per row and a composite per column, shape (p, J)."""
        design = self.model.design
        out = np.zeros((len(self.model.items), design.size))
        out[design.item, design.construct] = self.weights
        return out

    def total_effects(self) -> pd.DataFrame:
        """Return cause, outcome, direct, indirect and total effect of every pair that is connected."""
        size = len(self.model.constructs)
        total = np.linalg.inv(np.eye(size) - self.paths) - np.eye(size)
        names = self.model.constructs
        reach = np.linalg.matrix_power(np.eye(size) + self.model.design.path, size) - np.eye(size) > 0
        records = [
            (names[j], names[i], self.paths[i, j], total[i, j] - self.paths[i, j], total[i, j])
            for j in range(size)
            for i in range(size)
            if i != j and reach[i, j]
        ]
        return pd.DataFrame(records, columns=["cause", "outcome", "direct", "indirect", "total"])

    def to_table(self) -> Table:
        """Return the paths as a Table."""
        kind = "Consistent partial least squares" if self.consistent else "Partial least squares"
        caption = f"{kind}: path coefficients" if self.admissible else f"NOT ADMISSIBLE: do not report. {kind}: paths"
        frame = self.path_coefficients()
        outcome = {name: self.r2[k] for k, name in enumerate(self.model.constructs)}
        frame["r2"] = [outcome[name] for name in frame["outcome"]]
        note = " ".join((f"N = {self.n}; {self.scheme} weighting.", *self.problems, *self.model.notes))
        return Table.from_frame(frame, id="pls-paths", caption=caption, heads={"r2": "R² of the outcome"}, note=note)

    def __str__(self) -> str:
        """Return the table of paths as text."""
        return self.to_table().to_text()

    def _repr_html_(self) -> str:
        return self.to_table().to_html()


def pls(
    model: str | Path | ModelText | ModelFile,
    data: pd.DataFrame | Mapping[str, Any] | None = None,
    *,
    scheme: str = "path",
    consistent: bool = False,
    modes: dict[str, str] | None = None,
    sample_cov: Any = None,
    sample_nobs: Any = None,
) -> Pls:
    r"""Estimate a path model of composites by partial least squares (PLS-SEM).

    Parameters
    ----------
    model : str, Path, ModelText or ModelFile
        The same text as for `fit`: `=~` measures reflectively (mode A), `<~` forms from its items (mode B), `~` are
        paths. Covariances are read and without effect.
    data : DataFrame or mapping, optional
        One row per respondent; rows with a missing answer are left out. Either `data` or `sample_cov`.
    scheme : {"path", "centroid", "factorial"}, default "path"
        Weighting of the inner model.
    consistent : bool, default False
        PLSc: correct correlations of common factors for the unreliability of their composites.
    modes : dict of str to {"A", "B"}, optional
        Mode by construct where it differs from the text.
    sample_cov : DataFrame or array, optional
        Covariance or correlation matrix of the items, instead of `data`.
    sample_nobs : int, optional
        Respondents behind `sample_cov`.

    Returns
    -------
    Pls

    Raises
    ------
    SpecificationError, NotSupported
        The model has loops, a construct without paths, or what partial least squares does not have.
    DataError
        An item does not vary, or the items of a block are collinear in mode B.

    References
    ----------
    Wold, H. (1982). Soft modeling: the basic design and some extensions. In Joereskog and Wold (eds), Systems under
    Indirect Observation, Part II, 1-54.
    Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M. and Lauro, C. (2005). PLS path modeling. Computational Statistics
    and Data Analysis, 48, 159-205. doi:10.1016/j.csda.2004.03.005
    Dijkstra, T. K. and Henseler, J. (2015). Consistent partial least squares path modeling. MIS Quarterly, 39, 297-316.
    doi:10.25300/MISQ/2015/39.2.02

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> matrix = sl.load_published("ecsi_mobile")
    >>> model = "I =~ IMAG1 + IMAG2 + IMAG3\nL =~ CUSL1 + CUSL3\nL ~ I"
    >>> found = sl.pls(model, sample_cov=matrix.frame(), sample_nobs=250)
    >>> found.admissible
    True
    """
    check_choice("scheme", scheme, SCHEMES)
    path = path_model(text_of(model), modes=modes)
    if (data is None) == (sample_cov is None):
        raise ConfigurationError("Give either `data`, or `sample_cov` with `sample_nobs`.")
    if data is not None:
        moments = moments_from_data(data, path.items, missing="listwise")
    else:
        if sample_nobs is None:
            raise ConfigurationError("`sample_cov` needs `sample_nobs`, the number of respondents behind it.")
        moments = moments_from_cov(sample_cov, sample_nobs, names=path.items)
    order = [moments.names.index(item) for item in path.items]
    cov = moments.groups[0].cov[np.ix_(order, order)]
    rows = None if moments.raw is None else moments.raw[0][:, order]
    sd = np.sqrt(np.diagonal(cov))
    if not (sd > 0).all():
        flat = [item for item, value in zip(path.items, sd, strict=True) if not value > 0]
        raise DataError(f"{', '.join(flat)}: every respondent gave the same answer, so there is no correlation.")
    return from_correlation(path, cov / np.outer(sd, sd), moments.n, scheme, consistent=consistent, rows=rows)


def from_correlation(
    model: PathModel, correlation: Array, n: int, scheme: str, *, consistent: bool, rows: Array | None = None
) -> Pls:
    """Return the estimates from a correlation matrix, shape (p, p)."""
    with one_thread():
        solved = solve(model, correlation[:, :, None], scheme, consistent=consistent)
    found = solved.composites
    return Pls(
        model=model,
        n=n,
        scheme=scheme,
        consistent=consistent,
        correlation=correlation,
        weights=found.weights[:, 0],
        loadings=solved.loadings[:, 0],
        rho_a=solved.rho_a[:, 0],
        cor=solved.cor[:, :, 0],
        paths=solved.paths[:, :, 0],
        r2=solved.r2[:, 0],
        iterations=int(found.iterations[0]),
        problems=_problems(model, solved, consistent=consistent),
        rows=rows,
    )


def _problems(model: PathModel, solved: Solved, *, consistent: bool) -> tuple[str, ...]:
    """Return why the solution cannot be trusted."""
    out = []
    found, rho, loadings, cor = solved.composites, solved.rho_a[:, 0], solved.loadings[:, 0], solved.cor[:, :, 0]
    if not found.converged[0]:
        out.append("The weights did not converge: a construct is hardly correlated with its neighbours.")
    if not np.isfinite(found.weights[:, 0]).all():
        out.append("The weights are not defined: the items of a block in mode B are collinear.")
    names = model.constructs
    if consistent:
        low = [name for name, value in zip(names, rho, strict=True) if not value > 0]
        if low:
            out.append(f"rho_A is not positive for {', '.join(low)}: its items do not measure one factor.")
        elif not (np.linalg.eigvalsh(cor) > 0).all():
            out.append(
                "The corrected correlations of the constructs are not those of any variables (not positive definite)."
            )
        over = [model.items[i] for i, value in zip(model.design.item, loadings, strict=True) if abs(value) > 1.0 + 1e-9]
        if over:
            out.append(f"Loadings beyond 1: {', '.join(over)}.")
    return tuple(out)
