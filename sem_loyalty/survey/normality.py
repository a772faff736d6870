"""Normality: skewness and kurtosis of each item, and Mardia's multivariate coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from sem_loyalty.errors import DataError
from sem_loyalty.survey.careless import whiten

Array = NDArray[np.float64]


def skewness(values: Array) -> float:
    r"""Return the adjusted Fisher-Pearson skewness G1, as SPSS, SAS and Excel print it.

    .. math:: G_1 = \frac{\sqrt{n(n-1)}}{n-2} \frac{m_3}{m_2^{3/2}}, \quad m_k = \frac{1}{n}\sum (x-\bar x)^k

    Parameters
    ----------
    values : ndarray, shape (n,)
        NaN are left out.

    Returns
    -------
    float
        NaN for fewer than three values or no variance.

    References
    ----------
    Joanes and Gill (1998), doi:10.1111/1467-9884.00122.
    """
    n, m2, m3, _ = _central_moments(values)
    if n < 3 or m2 == 0.0:
        return float("nan")
    return float(np.sqrt(n * (n - 1.0)) / (n - 2.0) * m3 / m2**1.5)


def excess_kurtosis(values: Array) -> float:
    r"""Return the adjusted excess kurtosis G2 (0 for a normal distribution), as SPSS, SAS and Excel print it.

    .. math:: G_2 = \frac{n-1}{(n-2)(n-3)} \left[(n+1) \left(\frac{m_4}{m_2^2} - 3\right) + 6\right]

    Parameters
    ----------
    values : ndarray, shape (n,)
        NaN are left out.

    Returns
    -------
    float
        NaN for fewer than four values or no variance.

    References
    ----------
    Joanes and Gill (1998), doi:10.1111/1467-9884.00122.
    """
    n, m2, _, m4 = _central_moments(values)
    if n < 4 or m2 == 0.0:
        return float("nan")
    return float((n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * (m4 / m2**2 - 3.0) + 6.0))


def _central_moments(values: Array) -> tuple[int, float, float, float]:
    present = values[~np.isnan(values)]
    if present.size == 0 or np.ptp(present) == 0.0:
        return int(present.size), 0.0, 0.0, 0.0
    centred = present - present.mean()
    return present.size, float((centred**2).mean()), float((centred**3).mean()), float((centred**4).mean())


@dataclass(frozen=True, slots=True)
class Mardia:
    """Mardia's multivariate skewness and kurtosis.

    Attributes
    ----------
    n, items : int
        Complete rows and items.
    skewness : float
        b1,p with the covariance matrix divided by n as in Mardia (1970); psych and semTools in R divide by n - 1, which
        makes it ((n - 1) / n)³ as large. 0 for a normal distribution.
    skewness_statistic : float
        n b1,p / 6, chi-square with `skewness_df` degrees of freedom.
    skewness_df : int
        p (p + 1) (p + 2) / 6.
    skewness_p : float
    skewness_small_statistic, skewness_small_p : float
        The same times (p + 1)(n + 1)(n + 3) / (n ((n + 1)(p + 1) - 6)), Mardia's (1974) correction for small n.
    kurtosis : float
        b2,p, with the same divisor; p (p + 2) for a normal distribution.
    kurtosis_z : float
        (b2,p - p (p + 2)) / sqrt(8 p (p + 2) / n).
    kurtosis_p : float
        Two-sided.
    """

    n: int
    items: int
    skewness: float
    skewness_statistic: float
    skewness_df: int
    skewness_p: float
    skewness_small_statistic: float
    skewness_small_p: float
    kurtosis: float
    kurtosis_z: float
    kurtosis_p: float


def mardia(rows: Array) -> Mardia:
    """Return Mardia's coefficients and their large-sample tests.

    Parameters
    ----------
    rows : ndarray, shape (n, p)
        Rows with NaN are left out.

    Returns
    -------
    Mardia

    Raises
    ------
    DataError
        No more complete rows than items, or a singular covariance matrix.

    References
    ----------
    Mardia (1970), doi:10.1093/biomet/57.3.519; small-sample factor: Mardia (1974), Sankhya B 36, 115-128.
    """
    complete = rows[~np.isnan(rows).any(axis=1)]
    n, p = complete.shape
    if n <= p:
        raise DataError(f"Mardia's coefficients need more complete rows ({n}) than items ({p}).")
    Z = whiten(complete, n)
    # b1,p is the squared length of the tensor of third moments, p^3 numbers, rather than a sum over n^2 pairs.
    third = np.zeros((p * p, p))
    for start in range(0, n, 4096):
        block = Z[start : start + 4096]
        pairs = (block[:, :, None] * block[:, None, :]).reshape(len(block), p * p)
        third += np.einsum("nk,ni->ki", pairs, block)
    b1 = float(((third / n) ** 2).sum())
    b2 = float(((Z**2).sum(axis=1) ** 2).mean())
    df = p * (p + 1) * (p + 2) // 6
    statistic = n * b1 / 6.0
    small = statistic * (p + 1.0) * (n + 1.0) * (n + 3.0) / (n * ((n + 1.0) * (p + 1.0) - 6.0))
    z = (b2 - p * (p + 2.0)) / np.sqrt(8.0 * p * (p + 2.0) / n)
    return Mardia(
        n=n,
        items=p,
        skewness=b1,
        skewness_statistic=statistic,
        skewness_df=df,
        skewness_p=float(chi2.sf(statistic, df)),
        skewness_small_statistic=float(small),
        skewness_small_p=float(chi2.sf(small, df)),
        kurtosis=b2,
        kurtosis_z=float(z),
        kurtosis_p=float(2.0 * norm.sf(abs(z))),
    )
