"""Missing answers: their patterns, and Little's test of missing completely at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from sem_loyalty.errors import DataError
from sem_loyalty.kernel.patterns import Patterns, find_patterns
from sem_loyalty.kernel.saturated import saturated_moments
from sem_loyalty.kernel.threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


def _patterns(answers: Array) -> tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp]]:
    """Return the distinct patterns (True: answered), the pattern of each row, and the counts."""
    observed = ~np.isnan(answers)
    patterns, which, counts = np.unique(observed, axis=0, return_inverse=True, return_counts=True)
    return patterns, which.reshape(-1), counts


def missing_patterns(answers: Array, names: Sequence[str]) -> pd.DataFrame:
    """Return the patterns of missing answers, the most frequent first.

    Parameters
    ----------
    answers : ndarray, shape (n, p)
        NaN for missing.
    names : sequence of str, length p

    Returns
    -------
    DataFrame
        pattern ("10" means first item answered, second missing), n, share, missing_items, missing (their names).
    """
    patterns, _, counts = _patterns(answers)
    order = sorted(range(len(counts)), key=lambda i: (-counts[i], tuple(~patterns[i])))
    rows = [
        {
            "pattern": "".join("1" if cell else "0" for cell in patterns[i]),
            "n": int(counts[i]),
            "share": counts[i] / len(answers),
            "missing_items": int((~patterns[i]).sum()),
            "missing": ", ".join(name for name, cell in zip(names, patterns[i], strict=True) if not cell),
        }
        for i in order
    ]
    import pandas as pd

    return pd.DataFrame(rows, columns=["pattern", "n", "share", "missing_items", "missing"])


def normal_em(answers: Array, *, tolerance: float = 1e-10, iterations: int = 5000) -> tuple[Array, Array]:
    """Return maximum-likelihood mean and covariance matrix (divisor n) of normal data with missing answers.

    Accelerated expectation-maximisation over the patterns of missing answers, started from the answers present, until
    no standardised estimate moves by more than `tolerance`.

    Parameters
    ----------
    answers : ndarray, shape (n, p)
        NaN for missing; rows without any answer take no part.
    tolerance : float, default 1e-10
    iterations : int, default 5000

    Returns
    -------
    mean : ndarray, shape (p,)
    cov : ndarray, shape (p, p)

    Raises
    ------
    DataError
        An item without variance, estimates that become singular, or no convergence.

    References
    ----------
    Dempster, Laird and Rubin (1977), doi:10.1111/j.2517-6161.1977.tb01600.x.
    """
    return saturated_model(answers[~np.isnan(answers).all(axis=1)], tolerance=tolerance, iterations=iterations)[:2]


def saturated_model(rows: Array, *, tolerance: float = 1e-10, iterations: int = 5000) -> tuple[Array, Array, Patterns]:
    """Return what `normal_em` returns of rows with an answer each, and the patterns of these rows."""
    if len(rows) == 0:
        raise DataError("No row has any answer, so nothing can be estimated.")
    if not (np.nanmax(rows, axis=0) > np.nanmin(rows, axis=0)).all():
        raise DataError("An item has no variance among the answers present.")
    with one_thread():
        patterns = find_patterns(rows)
        found = saturated_moments(patterns, tolerance=tolerance, iterations=iterations)
    if found is None:
        raise DataError(
            f"Expectation-maximisation did not end within {iterations} steps, or the covariance matrix became "
            "singular: some items determine each other, or too few respondents answered them together."
        )
    return *found, patterns


def _solve(left: Array, right: Array) -> Array:
    try:
        return np.asarray(np.linalg.solve(left, right))
    except np.linalg.LinAlgError:
        raise DataError("The covariance matrix became singular: some items determine each other.") from None


@dataclass(frozen=True, slots=True)
class McarTest:
    """Little's test that answers are missing completely at random.

    Attributes
    ----------
    statistic : float
        d², chi-square with `df` degrees of freedom if answers are missing completely at random.
    df : int
    p : float
    patterns : int
        Patterns with at least one answer.
    """

    statistic: float
    df: int
    p: float
    patterns: int


def little_mcar(answers: Array) -> McarTest:
    r"""Return Little's test of missing completely at random.

    .. math:: d^2 = \sum_j n_j (\bar y_j - \hat\mu_j)' \hat\Sigma_j^{-1} (\bar y_j - \hat\mu_j), \quad
              df = \sum_j p_j - p

    over the patterns j, with the maximum-likelihood mean and covariance matrix (divisor n) of the items seen in each.
    A large p says only that means do not differ by pattern; it does not prove the assumption.

    Parameters
    ----------
    answers : ndarray, shape (n, p)
        NaN for missing.

    Returns
    -------
    McarTest

    Raises
    ------
    DataError
        One pattern only (nothing to compare), or estimates that cannot be had.

    References
    ----------
    Little (1988), doi:10.1080/01621459.1988.10478722.
    """
    rows = answers[~np.isnan(answers).all(axis=1)]
    patterns, which, counts = _patterns(rows)
    if len(patterns) < 2:
        raise DataError("Little's test compares patterns of missing answers, and there is only one.")
    mean, cov = normal_em(rows)
    statistic, df = 0.0, -rows.shape[1]
    for k, seen in enumerate(patterns):
        gap = rows[which == k][:, seen].mean(axis=0) - mean[seen]
        statistic += float(counts[k] * gap @ _solve(cov[np.ix_(seen, seen)], gap))
        df += int(seen.sum())
    return McarTest(statistic=statistic, df=df, p=float(chdtrc(df, statistic)), patterns=len(patterns))
