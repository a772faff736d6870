"""May these correlations be factored at all? Kaiser-Meyer-Olkin measure and Bartlett's test of sphericity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

Array = NDArray[np.float64]

# Kaiser (1974), page 35.
_GRADES = ((0.9, "marvelous"), (0.8, "meritorious"), (0.7, "middling"), (0.6, "mediocre"), (0.5, "miserable"))


@dataclass(frozen=True, slots=True, eq=False)
class SamplingAdequacy:
    """Kaiser-Meyer-Olkin measure of sampling adequacy.

    Attributes
    ----------
    overall : float
        KMO of all items together, 0 to 1.
    items : ndarray, shape (p,)
        KMO of each item (MSA).
    """

    overall: float
    items: Array

    @property
    def grade(self) -> str:
        """Kaiser's word for the overall value, "marvelous" (from .90) down to "unacceptable" (below .50)."""
        return next((word for limit, word in _GRADES if self.overall >= limit), "unacceptable")


@dataclass(frozen=True, slots=True)
class Sphericity:
    """Bartlett's test that the items are uncorrelated.

    Attributes
    ----------
    chi2 : float
        Test statistic.
    df : int
        p (p - 1) / 2.
    p : float
        Upper tail of the chi-square distribution.
    """

    chi2: float
    df: int
    p: float


def sampling_adequacy(R: Array) -> SamplingAdequacy:
    """Return the Kaiser-Meyer-Olkin measure: squared correlations against squared partial correlations.

    KMO = Σ r² / (Σ r² + Σ q²) over pairs of items, q the correlation of a pair given all other items.

    Parameters
    ----------
    R : ndarray, shape (p, p)
        Correlation matrix, positive definite.

    Returns
    -------
    SamplingAdequacy

    References
    ----------
    Kaiser, H. F. (1974). An index of factorial simplicity. Psychometrika, 39, 31-36. doi:10.1007/BF02291575
    """
    inverse = np.linalg.inv(R)
    scale = 1.0 / np.sqrt(np.diag(inverse))
    partial2 = (inverse * np.outer(scale, scale)) ** 2
    plain2 = R**2
    np.fill_diagonal(partial2, 0.0)
    np.fill_diagonal(plain2, 0.0)
    r2, q2 = plain2.sum(axis=0), partial2.sum(axis=0)
    total = float(r2.sum() + q2.sum())
    with np.errstate(invalid="ignore"):
        items = np.where(r2 + q2 > 0.0, r2 / (r2 + q2), np.nan)
    return SamplingAdequacy(float(r2.sum()) / total if total > 0.0 else float("nan"), items)


def sphericity(R: Array, n: int) -> Sphericity:
    """Return Bartlett's test of sphericity, χ² = −(n − 1 − (2p + 5)/6) log det R.

    Parameters
    ----------
    R : ndarray, shape (p, p)
        Correlation matrix, positive definite.
    n : int
        Respondents.

    Returns
    -------
    Sphericity

    References
    ----------
    Bartlett, M. S. (1951). The effect of standardization on a chi-square approximation in factor analysis.
    Biometrika, 38, 337-344. doi:10.1093/biomet/38.3-4.337
    """
    p = R.shape[0]
    logdet = float(np.linalg.slogdet(R)[1])
    chi2 = max(0.0, -(n - 1 - (2 * p + 5) / 6) * logdet)
    df = p * (p - 1) // 2
    return Sphericity(chi2, df, float(chdtrc(df, chi2)) if df else float("nan"))
