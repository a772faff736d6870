"""The structure of a fitted model, and of every draw of its bootstrap, as stacks of matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.bootstrap import Bootstrap
from sem_loyalty.model.scatter import place, variables

Array = NDArray[np.float64]

AT_ONCE = 2_000_000  # entries of a stack of matrices that are inverted at a time


@dataclass(frozen=True, slots=True, eq=False)
class Structures:
    """Total effects and covariances of all variables, first for the fit and then for each draw.

    Attributes
    ----------
    names : tuple of str, length v
        Observed variables, then latent ones.
    effects : ndarray, shape (1 + draws, v, v)
        Total effects: entry i, j is that of j on i.
    cov : ndarray, shape (1 + draws, v, v)
        Covariances that the model implies.
    """

    names: tuple[str, ...]
    effects: Array
    cov: Array

    @property
    def draws(self) -> int:
        """Number of bootstrap draws."""
        return len(self.cov) - 1

    def at(self, names: tuple[str, ...]) -> list[int]:
        """Return the positions of variables."""
        return [self.names.index(name) for name in names]


def structures(fit: Fit, bootstrap: Bootstrap | None, group: int = 1) -> Structures:
    """Return the structure of a fit, and of the draws of its bootstrap where there is one.

    Parameters
    ----------
    fit : Fit
    bootstrap : Bootstrap, optional
        Draws of the same fit; those that did not converge are left out.
    group : int, default 1
        Number of the group.

    Returns
    -------
    Structures

    Raises
    ------
    ConfigurationError
        The draws belong to another fit.
    NotSupported
        Draws of a Bollen-Stine bootstrap, which say how far chance goes under the model and not where the effects are.
    """
    names = (*fit.specification.observed, *fit.specification.latent)
    point = fit.point.implied[group - 1]
    one = np.eye(len(names))
    effects, cov = [point.total_inverse[None] - one], [0.5 * (point.total + point.total.T)[None]]
    if bootstrap is not None:
        if bootstrap.kind != "nonparametric":
            raise NotSupported(f"Draws of kind '{bootstrap.kind}' give no intervals; these do: kind='nonparametric'.")
        same = bootstrap.fit.specification.text == fit.specification.text and np.array_equal(
            bootstrap.fit.theta, fit.theta
        )
        if not same:
            raise ConfigurationError("The bootstrap belongs to another fit; draw from this one: bootstrap(fit).")
        rows = bootstrap.rows[0][:, bootstrap.converged]
        step = max(1, AT_ONCE // one.size)
        for first in range(0, rows.shape[1], step):
            A, S = _matrices(fit, rows[:, first : first + step], group)
            B = np.linalg.inv(one - A)
            effects.append(B - one)
            cov.append(B @ S @ B.transpose(0, 2, 1))
    return Structures(names, np.concatenate(effects), np.concatenate(cov))


def _matrices(fit: Fit, rows: Array, group: int) -> tuple[Array, Array]:
    """Return A and S of every draw from the rows of the parameter table, each (draws, v, v)."""
    position = variables(fit.specification)
    size, draws = len(position), rows.shape[1]
    A, S = np.zeros((draws, size, size)), np.zeros((draws, size, size))
    for row, values in zip(fit.specification.parameters, rows, strict=True):
        if row.group != group:
            continue
        at = place(row, position)
        if at.matrix == "A":
            A[:, at.row, at.col] = values
        elif at.matrix == "S":
            S[:, at.row, at.col] = S[:, at.col, at.row] = values
    return A, S


def correlations(cov: Array) -> Array:
    """Return correlation matrices of covariance matrices, shape (draws, k, k)."""
    spread = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    return np.asarray(cov / (spread[:, :, None] * spread[:, None, :]))


def percentile(draws: Array, level: float) -> tuple[Array, Array]:
    """Return the ends of percentile intervals over the first axis; NaN without draws."""
    if not len(draws):
        nothing = np.full(draws.shape[1:], np.nan)
        return nothing, nothing
    lower, upper = np.quantile(draws, [0.5 - level / 2.0, 0.5 + level / 2.0], axis=0)
    return np.asarray(lower), np.asarray(upper)


def check_certified(fit: Fit, what: str, force: bool) -> None:
    """Raise ConfigurationError for a fit without certificate, unless `force` is set."""
    if not fit.certificate.certified and not force:
        reasons = " ".join(str(problem) for problem in fit.certificate.problems)
        raise ConfigurationError(
            f"The fit is not certified, so {what} from it mean nothing: {reasons} Repair the model, or set force=True "
            "to compute them all the same; the result will be marked."
        )
