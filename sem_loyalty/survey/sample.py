"""Sample moments: from survey rows, or from a covariance or correlation matrix in print."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import DataError, DataWarning, NotSupported
from sem_loyalty.kernel.patterns import Patterns
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.survey.answers import columns_of, listing, numeric_matrix
from sem_loyalty.survey.grouping import split_by_group
from sem_loyalty.survey.matrix_input import as_matrix, as_vector, check_matrix, check_positive_definite
from sem_loyalty.survey.missingness import saturated_model
from sem_loyalty.survey.moments import GroupMoments, Moments

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
# Rows whose products are summed at once: they stay in the processor's cache.
CHUNK = 8192


def mean_and_cov(rows: Array) -> tuple[Array, Array]:
    """Return means and the covariance matrix divided by n of complete rows.

    The mean is corrected by the mean of its residuals (a second pass), and one thread sums the products, so the result
    does not depend on the number of threads.

    Parameters
    ----------
    rows : ndarray, shape (n, p)
        Complete answers.

    Returns
    -------
    mean : ndarray, shape (p,)
    cov : ndarray, shape (p, p)
        Exactly symmetric.
    """
    n, p = rows.shape
    mean = rows.sum(axis=0) / n
    left, products = np.zeros(p), np.zeros((p, p))
    with one_thread():
        for first in range(0, n, CHUNK):
            centred = rows[first : first + CHUNK] - mean
            left += centred.sum(axis=0)
            products += centred.T @ centred
    left /= n
    cov = products / n - np.outer(left, left)
    return mean + left, 0.5 * (cov + cov.T)


def _answers(
    data: pd.DataFrame | Mapping[str, Any], names: tuple[str, ...], group: str | None
) -> tuple[Array, pd.DataFrame | Mapping[str, Any]]:
    """Return the answers as floats, and the data in which to look up the grouping variable."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(data, pandas.DataFrame):
        columns = cast(Mapping[str, Any], data)
        matrix = columns_of(columns, names)
        if matrix is not None and (group is None or group in columns):
            return matrix, columns
        import pandas as pd

        data = pd.DataFrame(dict(data))
    frame = cast("pd.DataFrame", data)
    return numeric_matrix(frame, names), frame


def _where(label: str) -> str:
    return f" in group '{label}'" if label else ""


def _check_rows(label: str, rows: Array, complete: Array, names: Sequence[str]) -> list[str]:
    """Return what is wrong with the rows of one group, one sentence each; an empty list where nothing is."""
    n, p = complete.shape
    where = _where(label)
    if n == 0 and rows.shape[0] > 0:
        share = np.isnan(rows).mean(axis=0)
        order = np.argsort(-share, kind="stable")
        worst = [f"'{names[i]}' {100 * share[i]:.1f} % missing" for i in order if share[i] > 0]
        return [f"no row is complete{where}, so listwise deletion leaves nothing. Most is lost by {listing(worst)}"]
    if n <= p:
        text = (
            f"n smaller than number of items{where}: {n} complete rows (of {rows.shape[0]}) for {p} items, so the "
            f"covariance matrix is singular. Use fewer items, or at least {p + 1} respondents"
        )
        return [text]
    # Items that differ among the first rows need no further look.
    alike = np.flatnonzero((complete[:CHUNK] == complete[0]).all(axis=0)).tolist()
    constant = [f"'{names[i]}' = {complete[0, i]:g}" for i in alike if np.ptp(complete[:, i]) == 0.0]
    if constant:
        return [f"items with the same answer in every row{where}: {listing(constant)}. Leave them out"]
    return []


def _check_incomplete(label: str, rows: Array, names: Sequence[str]) -> list[str]:
    """Return what keeps the saturated model of rows with missing answers from being estimated, one sentence each."""
    n, p = rows.shape
    where = _where(label)
    if n <= p:
        text = (
            f"n smaller than number of items{where}: {n} usable rows for {p} items. Use fewer items, or at least "
            f"{p + 1} respondents"
        )
        return [text]
    seen = ~np.isnan(rows)
    never = [f"'{names[i]}'" for i in range(p) if not seen[:, i].any()]
    if never:
        return [f"items that nobody answered{where}: {listing(never)}. Leave them out"]
    lowest, highest = np.nanmin(rows, axis=0), np.nanmax(rows, axis=0)
    constant = [f"'{names[i]}' = {lowest[i]:g}" for i in range(p) if highest[i] == lowest[i]]
    if constant:
        return [f"items with the same answer in every row{where}: {listing(constant)}. Leave them out"]
    answered = seen.astype(np.float64)
    together = answered.T @ answered
    apart = [f"'{names[i]}' and '{names[j]}'" for i, j in np.argwhere(np.triu(together == 0, 1))]
    if apart:
        text = (
            f"items that nobody answered together{where}, so nothing says how they covary and the "
            f"saturated model is not identified: {listing(apart)}. Leave out one of each pair"
        )
        return [text]
    return []


def moments_from_data(
    data: pd.DataFrame | Mapping[str, Any],
    names: Sequence[str],
    *,
    group: str | None = None,
    missing: str = "listwise",
    needed: Sequence[str] = (),
) -> Moments:
    """Return sample moments of survey rows.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        One row per respondent. Integers, floats, booleans, nullable types, Decimal objects and categoricals with
        numeric categories are accepted.
    names : sequence of str, length p
        Items, in the order wanted.
    group : str, optional
        Column that splits the sample; groups come in order of appearance, and rows without a group are left out
        with a DataWarning.
    missing : {"listwise", "fiml", "pairwise"}, default "listwise"
        "listwise" leaves out rows with a missing item. "fiml" keeps every row with an answer; the moments are then the
        maximum-likelihood estimates of the saturated model (`normal_em`), within each group. "pairwise" keeps the same
        rows, and computes no moments: they are nan, for the caller to fill in.
    needed : sequence of str, default ()
        With "fiml": items, such as fixed covariates, without which a row is left out, with a DataWarning.

    Returns
    -------
    Moments
        Covariances divided by n, means, the rows behind them, and `n_collected`, the rows before any deletion.

    Raises
    ------
    DataError
        Unknown or repeated items, text or infinite answers, no usable row, n not above p, a constant item, items that
        nobody answered together, or a covariance matrix that is not positive definite.
    NotSupported
        Another rule for missing values.
    """
    if missing not in ("listwise", "fiml", "pairwise"):
        raise NotSupported(
            f"missing={missing!r} has no sample moments to compute; moments_from_data knows 'listwise', 'fiml' and "
            "'pairwise'."
        )
    names = tuple(names)
    if not names:
        raise DataError("No items were named, so there is nothing to compute.")
    if group is not None and group in names:
        raise DataError(f"'{group}' is both an item and the grouping variable. Within a group it is constant.")
    matrix, grouping = _answers(data, names, group)
    count = len(matrix)
    if count == 0:
        raise DataError("The data have no rows.")
    splits = split_by_group(grouping, group, count)
    with np.errstate(over="ignore"):
        complete = bool(np.isfinite(matrix.sum()))
    problems: list[str] = []
    kept: list[tuple[str, Array]] = []
    columns = [names.index(name) for name in needed]
    short = 0
    for label, positions in splits:
        rows = matrix[positions]
        if missing != "listwise":
            answered = ~np.isnan(rows).all(axis=1)
            usable = answered & ~np.isnan(rows[:, columns]).any(axis=1)
            short += int((answered & ~usable).sum())
            used = np.ascontiguousarray(rows[usable])
            problems += _check_incomplete(label, used, names)
        else:
            used = rows if complete else rows[~np.isnan(rows).any(axis=1)]
            problems += _check_rows(label, rows, used, names)
        kept.append((label, used))
    if short:
        warnings.warn(
            f"{short} of {count} rows were left out, because they lack an answer on a covariate whose moments are "
            f"held fixed ({listing(list(needed))}). fixed_x=False keeps them.",
            DataWarning,
            stacklevel=2,
        )
    if problems:
        text = ". ".join(problem[0].upper() + problem[1:] for problem in problems)
        raise DataError(f"{text}.")
    groups = []
    patterns: list[Patterns] = []
    for label, used in kept:
        if missing == "pairwise":
            nothing = np.full(len(names), np.nan)
            groups.append(GroupMoments(label=label, n=len(used), cov=np.diag(nothing), mean=nothing))
            continue
        if missing == "listwise":
            mean, cov = mean_and_cov(used)
        else:
            mean, cov, found = saturated_model(used)
            patterns.append(found)
        check_positive_definite(cov, names, where=_where(label))
        groups.append(GroupMoments(label=label, n=used.shape[0], cov=cov, mean=mean))
    return Moments(
        names=names,
        groups=tuple(groups),
        n_collected=count,
        missing=missing,
        raw=tuple(used for _, used in kept),
        patterns=tuple(patterns) if missing == "fiml" else None,
    )


def _by_group(argument: str, value: Any, labels: Sequence[str] | None, count: int, *, single: bool) -> list[Any]:
    """Return one entry per group of an argument that may be one value, a list or a mapping by label."""
    if value is None or single:
        return [value] * count
    if isinstance(value, Mapping) and labels is not None:
        absent = [label for label in labels if label not in value]
        if absent:
            raise DataError(f"{argument} has no entry for group {listing([repr(label) for label in absent])}.")
        return [value[label] for label in labels]
    if not isinstance(value, Sequence) or len(value) != count:
        found = len(value) if isinstance(value, Sequence) else 1
        raise DataError(f"{argument} has {found} entries for {count} groups. Give one per group.")
    return list(value)


def _nobs(value: Any, where: str) -> int:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool | np.bool_)
    if not whole and isinstance(value, float | np.floating) and float(value).is_integer():
        whole = True
    if not whole or int(value) < 1:
        raise DataError(f"sample_nobs must be a positive whole number{where}, not {value!r}.")
    return int(value)


def moments_from_cov(
    sample_cov: Any,
    sample_nobs: Any,
    *,
    names: Sequence[str] | None = None,
    sample_mean: Any = None,
    sample_sd: Any = None,
    rescale: bool = True,
) -> Moments:
    """Return sample moments from a covariance matrix, or from correlations and standard deviations.

    Parameters
    ----------
    sample_cov : DataFrame, array-like of shape (p, p), list of them, or mapping of group label to matrix
        Symmetric, or one triangle with zeros, NaN or blanks in the other. A correlation matrix is taken as a
        covariance matrix of standardised items unless `sample_sd` is given.
    sample_nobs : int, list of int, or mapping of group label to int
        Respondents; a list or mapping says that there are several groups.
    names : sequence of str, optional
        For an array: the names of its rows. For a DataFrame: the items wanted, in the order wanted.
    sample_mean, sample_sd : sequence, Series or mapping (by group: a list or mapping of them), optional
        Means, and standard deviations with divisor n - 1, by position or by name.
    rescale : bool, default True
        Multiply by (n - 1) / n, since printed covariances divide by n - 1; False for a matrix that divides by n.

    Returns
    -------
    Moments
        Without raw rows; `missing` is "none".

    Raises
    ------
    DataError
        Each with the place: a matrix that is not square, not symmetric, not finite or not positive definite; names
        that do not fit; `sample_nobs` not a positive whole number or not above p; standard deviations not positive
        or given with a matrix whose diagonal is not one.
    """
    if isinstance(sample_cov, Mapping):
        labels = [str(label) for label in sample_cov]
        matrices = list(sample_cov.values())
    elif isinstance(sample_nobs, Sequence | Mapping | np.ndarray):
        if not isinstance(sample_cov, Sequence) and not (isinstance(sample_cov, np.ndarray) and sample_cov.ndim == 3):
            raise DataError("sample_nobs has several entries but sample_cov is one matrix. Give a list of matrices.")
        matrices = list(sample_cov)
        labels = [f"Group {position + 1}" for position in range(len(matrices))]
    else:
        matrices, labels = [sample_cov], [""]
    if not matrices:
        raise DataError("sample_cov is empty. Give one matrix per group.")
    several = labels != [""]
    if isinstance(sample_nobs, np.ndarray):
        sample_nobs = sample_nobs.tolist()
    counts = _by_group("sample_nobs", sample_nobs, labels, len(labels), single=not several)
    means = _by_group("sample_mean", sample_mean, labels, len(labels), single=not several)
    sds = _by_group("sample_sd", sample_sd, labels, len(labels), single=not several)

    groups: list[GroupMoments] = []
    known: tuple[str, ...] = ()
    for label, given, count, mean, sd in zip(labels, matrices, counts, means, sds, strict=True):
        where = _where(label)
        n = _nobs(count, where)
        S, rows = as_matrix(given, names, where)
        if known and rows != known:
            raise DataError(f"The items{where} are {listing(list(rows))}; the first group has {listing(list(known))}.")
        known = rows
        if n <= len(known):
            raise DataError(
                f"n smaller than number of items{where}: sample_nobs = {n} for {len(known)} items; a covariance "
                f"matrix of full rank needs at least {len(known) + 1} respondents."
            )
        check_matrix(S, known, where)
        if sd is not None:
            spread = as_vector("sample_sd", sd, known, where)
            off = [f"'{name}' {S[i, i]:g}" for i, name in enumerate(known) if abs(S[i, i] - 1.0) > 1e-8]
            if off:
                raise DataError(
                    f"sample_sd goes with a correlation matrix, but the diagonal is not 1{where}: {listing(off)}. "
                    "Leave sample_sd out, or give correlations."
                )
            small = [f"'{name}' {spread[i]:g}" for i, name in enumerate(known) if spread[i] <= 0.0]
            if small:
                raise DataError(f"sample_sd must be positive{where}: {listing(small)}.")
            S = S * np.outer(spread, spread)
        check_positive_definite(S, known, where=where)
        if rescale:
            S = S * ((n - 1) / n)
        average = None if mean is None else as_vector("sample_mean", mean, known, where)
        groups.append(GroupMoments(label=label, n=n, cov=S, mean=average))
    if len({group.mean is None for group in groups}) > 1:
        raise DataError("sample_mean is given for some groups only. Give means for every group or for none.")
    return Moments(
        names=known, groups=tuple(groups), n_collected=sum(group.n for group in groups), missing="none", raw=None
    )
