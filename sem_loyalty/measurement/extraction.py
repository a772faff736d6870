"""Extraction of common factors: discrepancies in the uniquenesses, polishing of a solution, test of sufficiency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import chdtrc

Array = NDArray[np.float64]

# Bounds of a uniqueness, those of factor_analyzer, psych and factanal: below the lower one an item is a Heywood case.
LOWEST, HIGHEST = 0.005, 1.0
# Largest gradient of the free uniquenesses at a solution that counts as converged.
TOLERANCE = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Extraction:
    """Unrotated factors.

    Attributes
    ----------
    loadings : ndarray, shape (p, m)
        Unrotated loadings; columns by falling eigenvalue, each with a positive sum.
    psi : ndarray, shape (p,)
        Uniquenesses of the fitted model, within their bounds.
    at_bound : ndarray of bool, shape (p,)
        Items whose uniqueness stopped at the lower bound.
    gradient : float
        Largest absolute gradient of the free uniquenesses.
    converged : bool
        Whether `gradient` is at most 1e-7.
    """

    loadings: Array
    psi: Array
    at_bound: NDArray[np.bool_]
    gradient: float
    converged: bool


@dataclass(frozen=True, slots=True)
class Sufficiency:
    """Test that the factors suffice, and measures of fit.

    Attributes
    ----------
    chi2 : float
        Likelihood-ratio statistic with Bartlett's correction.
    df : int
        ((p − m)² − (p + m)) / 2.
    p : float
        Upper tail; NaN without degrees of freedom.
    rmsea : float
        √max((χ²/df − 1)/(n − 1), 0), from the corrected statistic; NaN without degrees of freedom.
    tli : float
        Tucker-Lewis index, both statistics with the multiplier of `chi2`; NaN without degrees of freedom.
    rmsr : float
        Root mean square of the residual correlations below the diagonal.
    """

    chi2: float
    df: int
    p: float
    rmsea: float
    tli: float
    rmsr: float


def degrees_of_freedom(p: int, m: int) -> int:
    """Return the degrees of freedom of m factors of p items, ((p − m)² − (p + m)) / 2."""
    return ((p - m) ** 2 - (p + m)) // 2


def most_factors(p: int) -> int:
    """Return the largest number of factors of p items with degrees of freedom not below zero."""
    return max((m for m in range(p) if degrees_of_freedom(p, m) >= 0), default=0)


def positive_sums(loadings: Array) -> Array:
    """Return the signs (+1 or -1) that make the sum of each column positive; where it is 0, its largest entry."""
    sums = loadings.sum(axis=0)
    largest = loadings[np.argmax(np.abs(loadings), axis=0), np.arange(loadings.shape[1])]
    signs = np.sign(np.where(np.abs(sums) > 1e-10, sums, largest))
    return np.where(signs == 0.0, 1.0, signs)


def components(R: Array, m: int) -> Array:
    """Return the loadings of the first m principal components of R, shape (p, m)."""
    values, vectors = np.linalg.eigh(R)
    loadings = (vectors * np.sqrt(np.maximum(values, 0.0)))[:, ::-1][:, :m]
    return np.asarray(loadings * positive_sums(loadings), dtype=np.float64)


def loadings_of(psi: Array, R: Array, m: int, extraction: str) -> Array:
    """Return the best loadings for given uniquenesses, shape (p, m)."""
    if extraction == "ml":
        root = np.sqrt(psi)
        values, vectors = np.linalg.eigh(R / np.outer(root, root))
        values, vectors = values[::-1][:m], vectors[:, ::-1][:, :m]
        return np.asarray(root[:, None] * vectors * np.sqrt(np.maximum(values - 1.0, 0.0)), dtype=np.float64)
    values, vectors = np.linalg.eigh(R - np.diag(psi))
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0)))[:, ::-1][:, :m], dtype=np.float64)


def discrepancy(psi: Array, R: Array, m: int, extraction: str) -> tuple[float, Array]:
    """Return the discrepancy at its minimum over the loadings, and its gradient in the uniquenesses.

    For "ml", F = Σ_{j>m} (λ_j − log λ_j − 1) over the eigenvalues of Ψ^-½ R Ψ^-½; for "minres", half the sum of
    squared residuals of R − Ψ. Both gradients come from the residual diagonal.

    Parameters
    ----------
    psi : ndarray, shape (p,)
        Uniquenesses.
    R : ndarray, shape (p, p)
        Correlation matrix.
    m : int
        Factors.
    extraction : {"ml", "minres"}

    Returns
    -------
    value : float
    gradient : ndarray, shape (p,)

    References
    ----------
    Jöreskog, K. G. (1967). Some contributions to maximum likelihood factor analysis. Psychometrika, 32, 443-482.
    doi:10.1007/BF02289658
    Harman, H. H., & Jones, W. H. (1966). Factor analysis by minimizing residuals (minres). Psychometrika, 31,
    351-368. doi:10.1007/BF02289468
    """
    if extraction == "ml":
        root = np.sqrt(psi)
        values, vectors = np.linalg.eigh(R / np.outer(root, root))
        rest = np.maximum(values[: len(psi) - m], np.finfo(np.float64).tiny)
        value = float(np.sum(rest - np.log(rest) - 1.0))
        # dF/dψ_i = Σ_{j>m} (1 − λ_j) u_ij² / ψ_i
        return value, (vectors[:, : len(psi) - m] ** 2 @ (1.0 - rest)) / psi
    values, vectors = np.linalg.eigh(R - np.diag(psi))
    rest = values.copy()
    rest[len(psi) - m :] = np.minimum(rest[len(psi) - m :], 0.0)
    return float(rest @ rest) / 2.0, -(vectors**2 @ rest)


def polish(start: Array, R: Array, m: int, extraction: str) -> Extraction:
    """Bring uniquenesses from a first solution to a gradient at rounding error.

    Parameters
    ----------
    start : ndarray, shape (p,)
        Uniquenesses of the first solution.
    R : ndarray, shape (p, p)
        Correlation matrix.
    m : int
        Factors.
    extraction : {"ml", "minres"}

    Returns
    -------
    Extraction
    """
    psi = np.clip(start, LOWEST, HIGHEST)
    bounds = [(LOWEST, HIGHEST)] * len(psi)
    found = minimize(
        discrepancy,
        psi,
        args=(R, m, extraction),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 5000, "maxfun": 20000, "ftol": 1e-15, "gtol": 1e-9},
    )
    psi = np.clip(np.asarray(found.x, dtype=np.float64), LOWEST, HIGHEST)
    for _ in range(8):
        moved = _newton_step(psi, R, m, extraction)
        if moved is None:
            break
        psi = moved
    _, gradient = discrepancy(psi, R, m, extraction)
    free = _free(psi, gradient)
    largest = float(np.abs(gradient[free]).max(initial=0.0))
    loadings = loadings_of(psi, R, m, extraction)
    return Extraction(
        loadings=loadings * positive_sums(loadings),
        psi=psi,
        at_bound=psi <= LOWEST * (1.0 + 1e-9),
        gradient=largest,
        converged=largest <= TOLERANCE,
    )


def _free(psi: Array, gradient: Array) -> NDArray[np.bool_]:
    """Return which uniquenesses are not held by a bound that the gradient pushes against."""
    low = (psi <= LOWEST * (1.0 + 1e-9)) & (gradient > 0.0)
    high = (psi >= HIGHEST * (1.0 - 1e-9)) & (gradient < 0.0)
    return ~(low | high)


def _newton_step(psi: Array, R: Array, m: int, extraction: str) -> Array | None:
    """Return uniquenesses with a smaller gradient, or None where no step reduces it."""
    value, gradient = discrepancy(psi, R, m, extraction)
    free = np.flatnonzero(_free(psi, gradient))
    size = float(np.abs(gradient[free]).max(initial=0.0))
    if size < 1e-13:
        return None
    hessian = np.empty((len(free), len(free)))
    for column, i in enumerate(free):
        step = 1e-5 * psi[i]
        ahead, behind = psi.copy(), psi.copy()
        ahead[i] += step
        behind[i] -= step
        change = discrepancy(ahead, R, m, extraction)[1] - discrepancy(behind, R, m, extraction)[1]
        hessian[:, column] = change[free] / (2.0 * step)
    try:
        move = np.linalg.solve((hessian + hessian.T) / 2.0, gradient[free])
    except np.linalg.LinAlgError:
        return None
    trial = psi.copy()
    trial[free] = np.clip(psi[free] - move, LOWEST, HIGHEST)
    after, new_gradient = discrepancy(trial, R, m, extraction)
    kept = _free(trial, new_gradient)
    smaller = float(np.abs(new_gradient[kept]).max(initial=0.0)) < size
    return trial if smaller and after <= value + 1e-10 else None


def sufficiency(R: Array, loadings: Array, psi: Array, n: int) -> Sufficiency:
    """Test whether m factors suffice.

    χ² = (n − 1 − (2p + 5)/6 − 2m/3) F, F = log det Σ − log det R + tr(R Σ⁻¹) − p. The loadings are the unrotated
    ones, so the test does not depend on the rotation. For minres the same F is evaluated at the minres solution.

    Parameters
    ----------
    R : ndarray, shape (p, p)
        Correlation matrix.
    loadings : ndarray, shape (p, m)
        Orthogonal (unrotated) loadings.
    psi : ndarray, shape (p,)
        Uniquenesses of the model.
    n : int
        Respondents.

    Returns
    -------
    Sufficiency

    References
    ----------
    Bartlett, M. S. (1951). The effect of standardization on a chi-square approximation in factor analysis.
    Biometrika, 38, 337-344. doi:10.1093/biomet/38.3-4.337
    Tucker, L. R., & Lewis, C. (1973). A reliability coefficient for maximum likelihood factor analysis.
    Psychometrika, 38, 1-10. doi:10.1007/BF02291170
    """
    p, m = loadings.shape
    sigma = loadings @ loadings.T + np.diag(psi)
    logdet = float(np.linalg.slogdet(R)[1])
    value = float(np.linalg.slogdet(sigma)[1]) - logdet + float(np.trace(np.linalg.solve(sigma, R))) - p
    value = max(value, 0.0)
    multiplier = n - 1 - (2 * p + 5) / 6 - 2 * m / 3
    chi2, df = multiplier * value, degrees_of_freedom(p, m)
    residual = (R - loadings @ loadings.T)[np.tril_indices(p, -1)]
    rmsr = float(np.sqrt(np.mean(residual**2)))
    if df <= 0:
        return Sufficiency(chi2, df, float("nan"), float("nan"), float("nan"), rmsr)
    rmsea = float(np.sqrt(max((chi2 / df - 1.0) / (n - 1), 0.0)))
    null = -multiplier * logdet / (p * (p - 1) / 2)
    tli = (null - chi2 / df) / (null - 1.0) if null != 1.0 else float("nan")
    return Sufficiency(chi2, df, float(chdtrc(df, chi2)) if multiplier > 0 else float("nan"), rmsea, tli, rmsr)
