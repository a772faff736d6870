"""Careless responding: indices by respondent, as defined in the literature, each on a plain matrix of answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from sem_loyalty.errors import DataError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def longstring(answers: Array) -> Ints:
    """Return the length of the longest run of identical consecutive answers.

    A missing answer ends a run. Use the answers in the order of the questionnaire and before reverse scoring.

    Parameters
    ----------
    answers : ndarray, shape (n, p)
        NaN for missing.

    Returns
    -------
    ndarray of int, shape (n,)
        From 0 (nothing answered) to p.

    References
    ----------
    Meade and Craig (2012), doi:10.1037/a0028085; Curran (2016), doi:10.1016/j.jesp.2015.07.006.
    """
    n, p = answers.shape
    longest = np.zeros(n, dtype=np.int64)
    run = np.zeros(n, dtype=np.int64)
    for position in range(p):
        answered = ~np.isnan(answers[:, position])
        same = answered & (answers[:, position] == answers[:, position - 1]) if position else np.zeros(n, dtype=bool)
        run = np.where(same, run + 1, answered.astype(np.int64))
        longest = np.maximum(longest, run)
    return longest


def irv(answers: Array) -> Array:
    """Return the intra-individual response variability: the standard deviation of a respondent's answers.

    Divisor m - 1 over the m items answered; NaN where fewer than two are. Zero is a straight line. Items should share
    one answer scale.

    Parameters
    ----------
    answers : ndarray, shape (n, p)
        NaN for missing; before reverse scoring.

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    Dunn, Heggestad, Shanock and Theilgard (2018), doi:10.1007/s10869-016-9479-0.
    """
    answered = ~np.isnan(answers)
    count = answered.sum(axis=1)
    filled = np.where(answered, answers, 0.0)
    mean = filled.sum(axis=1) / np.maximum(count, 1)
    # Identical answers give exactly zero only if the mean is exact, so a straight line is recognised by its range.
    low = np.where(answered, answers, np.inf).min(axis=1, initial=np.inf)
    high = np.where(answered, answers, -np.inf).max(axis=1, initial=-np.inf)
    squares = np.where(answered, (answers - mean[:, None]) ** 2, 0.0).sum(axis=1)
    spread = np.sqrt(squares / np.maximum(count - 1, 1))
    return np.where(count < 2, np.nan, np.where(low == high, 0.0, spread))


def mahalanobis(answers: Array) -> tuple[Array, Array]:
    """Return squared Mahalanobis distances from the centre of the sample, and their chi-square tail probabilities.

    D² = (x - mean)' S⁻¹ (x - mean) with mean and S (divisor n - 1) of the complete rows; p refers D² to a chi-square
    distribution with p degrees of freedom, which assumes normal answers and a large sample. Rows with a missing answer
    get NaN and take no part.

    Parameters
    ----------
    answers : ndarray, shape (n, p)
        NaN for missing.

    Returns
    -------
    distance, probability : ndarray, shape (n,)

    Raises
    ------
    DataError
        No more complete rows than items, or a singular covariance matrix.

    References
    ----------
    Mahalanobis (1936); as a careless-response index Meade and Craig (2012), doi:10.1037/a0028085.
    """
    n, p = answers.shape
    complete = ~np.isnan(answers).any(axis=1)
    rows = answers[complete]
    if rows.shape[0] <= p:
        raise DataError(f"Mahalanobis distances need more complete rows ({rows.shape[0]}) than items ({p}).")
    whitened = whiten(rows, rows.shape[0] - 1)
    distance = np.full(n, np.nan)
    distance[complete] = (whitened**2).sum(axis=1)
    probability = np.full(n, np.nan)
    probability[complete] = chi2.sf(distance[complete], p)
    return distance, probability


def whiten(rows: Array, divisor: int) -> Array:
    """Return complete rows centred and turned so that their covariance matrix (with `divisor`) is the identity.

    Raises
    ------
    DataError
        A covariance matrix that is singular: a constant item, or items that determine each other.
    """
    centred = rows - rows.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0) / divisor)
    if (np.ptp(rows, axis=0) == 0.0).any():
        raise DataError("The covariance matrix of the items is singular: an item has the same answer in every row.")
    standard = centred / scale
    values, vectors = np.linalg.eigh(np.einsum("ni,nj->ij", standard, standard) / divisor)
    if values[0] < 1e-10:
        raise DataError("The covariance matrix of the items is singular: some items determine each other exactly.")
    turned: Array = np.einsum("ni,ij->nj", standard, vectors / np.sqrt(values))
    return turned


def duplicate_rows(answers: Array) -> Ints:
    """Return, for each row, the position of the first row with the same answers to every item, or -1.

    The first of a set is no duplicate, nor is a row without any answer. With few items, equal rows also come about by
    chance.

    Parameters
    ----------
    answers : ndarray, shape (n, p)
        NaN for missing; two missing answers are equal.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    first: dict[bytes, int] = {}
    found = np.full(answers.shape[0], -1, dtype=np.int64)
    # Adding zero turns -0.0 into 0.0, whose bytes differ though the answers are equal.
    plain = np.where(np.isnan(answers), np.nan, answers + 0.0)
    for row in range(plain.shape[0]):
        if np.isnan(plain[row]).all():
            continue
        key = plain[row].tobytes()
        found[row] = first.setdefault(key, row)
        if found[row] == row:
            found[row] = -1
    return found
