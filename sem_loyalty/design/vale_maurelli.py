"""Answers that are not normal: given covariances, skewness and kurtosis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root

from sem_loyalty.errors import SpecificationError
from sem_loyalty.kernel.threads import one_thread

Array = NDArray[np.float64]


def fleishman(skewness: float, kurtosis: float) -> tuple[float, float, float]:
    """Return b, c, d with x = -c + b z + c z^2 + d z^3 of mean 0, variance 1 and the given shape for normal z.

    Parameters
    ----------
    skewness, kurtosis : float
        Third and fourth standardised cumulants; 0 and 0 for a normal variable.

    Returns
    -------
    tuple of float

    Raises
    ------
    SpecificationError
        No such polynomial: the kurtosis is too low for the skewness.

    References
    ----------
    Fleishman, A. I. (1978). A method for simulating non-normal distributions. Psychometrika, 43, 521-532.
    doi:10.1007/BF02293811
    """

    def miss(x: Array) -> Array:
        b, c, d = x
        return np.array(
            [
                b**2 + 6 * b * d + 2 * c**2 + 15 * d**2 - 1,
                2 * c * (b**2 + 24 * b * d + 105 * d**2 + 2) - skewness,
                24 * (b * d + c**2 * (1 + b**2 + 28 * b * d) + d**2 * (12 + 48 * b * d + 141 * c**2 + 225 * d**2))
                - kurtosis,
            ]
        )

    # The second start reaches shapes whose polynomial bends more.
    for start in ((1.0, 0.0, 0.0), (0.8, skewness / 6, 0.05)):
        found = root(miss, np.array(start), tol=1e-12)
        if found.success and np.abs(miss(found.x)).max() < 1e-9:
            b, c, d = (float(value) for value in found.x)
            return b, c, d
    raise SpecificationError(
        f"No polynomial of a normal variable has skewness {skewness:g} and kurtosis {kurtosis:g}; raise the kurtosis."
    )


def non_normal(normal: Array, cov: Array, skewness: Array, kurtosis: Array) -> Array:
    """Return draws with given covariances and univariate shapes, shape (n, p), of mean 0.

    Parameters
    ----------
    normal : ndarray, shape (n, p)
        Independent standard normal numbers.
    cov : ndarray, shape (p, p)
    skewness, kurtosis : ndarray, shape (p,)
        Standardised cumulants of each variable.

    Raises
    ------
    SpecificationError
        A shape or a correlation that cannot be reached.

    References
    ----------
    Vale, C. D., & Maurelli, V. A. (1983). Simulating multivariate nonnormal distributions. Psychometrika, 48,
    465-471. doi:10.1007/BF02293687
    """
    sd = np.sqrt(np.diagonal(cov))
    wanted = cov / np.outer(sd, sd)
    shapes = [fleishman(float(s), float(k)) for s, k in zip(skewness, kurtosis, strict=True)]
    between = np.eye(len(sd))
    for i, (b1, c1, d1) in enumerate(shapes):
        for j, (b2, c2, d2) in enumerate(shapes[:i]):
            between[i, j] = between[j, i] = _intermediate(
                6 * d1 * d2, 2 * c1 * c2, b1 * b2 + 3 * b1 * d2 + 3 * d1 * b2 + 9 * d1 * d2, float(wanted[i, j])
            )
    try:
        with one_thread():
            lower = np.linalg.cholesky(between)
    except np.linalg.LinAlgError:
        raise SpecificationError(
            "These covariances cannot be had with such skewness and kurtosis; lower the shapes or the correlations."
        ) from None
    z = np.einsum("nk,vk->nv", normal, lower)
    b, c, d = (np.array(values) for values in zip(*shapes, strict=True))
    return np.asarray(sd * (-c + z * (b + z * (c + z * d))))


def _intermediate(cubic: float, square: float, linear: float, wanted: float) -> float:
    """Return the correlation of normal variables whose polynomials correlate as wanted."""
    roots = np.roots([cubic, square, linear, -wanted])
    real = [float(value.real) for value in roots if abs(value.imag) < 1e-9 and abs(value.real) <= 1 + 1e-9]
    if not real:
        raise SpecificationError(f"A correlation of {wanted:.2f} cannot be had with such skewness and kurtosis.")
    return min(real, key=lambda value: abs(value - wanted))
