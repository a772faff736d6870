"""Matrices in print: names, triangles, and the checks that a covariance matrix must pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import DataError, nearest
from sem_loyalty.kernel.linear_algebra import lapack
from sem_loyalty.survey.answers import listing

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

# A correlation matrix from rows has eigenvalues of at least about 1e-16 x p where it is singular, and printed
# matrices are given to two to seven digits, so nothing usable lies below this.
SMALLEST_EIGENVALUE = 1e-10
# Differences between S and its transpose up to this share of the diagonal are rounding of the file format.
SYMMETRY = 1e-8


def _floats(value: Any, what: str) -> Array:
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} holds something that is not a number: {error}.") from None


def _names_of(frame: pd.DataFrame, where: str) -> tuple[str, ...]:
    import pandas as pd

    columns = tuple(str(column) for column in frame.columns)
    numbered = isinstance(frame.index, pd.RangeIndex)
    rows = tuple(str(row) for row in frame.index)
    if not numbered and rows != columns:
        if sorted(rows) == sorted(columns):
            raise DataError(f"The rows and columns of sample_cov{where} have the same names in different order.")
        odd = sorted(set(rows) ^ set(columns))
        raise DataError(f"The row and column names of sample_cov{where} differ: {listing(odd)}.")
    return columns


def _check_names(names: tuple[str, ...], size: int, where: str) -> None:
    if len(names) != size:
        raise DataError(f"names has {len(names)} entries for a matrix of {size} rows{where}.")
    doubled = [repr(name) for name in dict.fromkeys(names) if names.count(name) > 1]
    if doubled:
        raise DataError(f"Items named more than once{where}: {listing(doubled)}.")


def as_matrix(value: Any, names: Sequence[str] | None, where: str = "") -> tuple[Array, tuple[str, ...]]:
    """Return a square matrix as an array with its names, one triangle mirrored where the other is blank.

    Parameters
    ----------
    value : DataFrame or array-like, shape (p, p)
        Full, or lower or upper triangle with NaN or zeros in the other.
    names : sequence of str, optional
        Names of an array's rows; for a DataFrame the items wanted. Default for an array: x1, x2, ...
    where : str, default ""
        " in group 'a'", for messages.

    Returns
    -------
    matrix : ndarray, shape (q, q)
    names : tuple of str, length q

    Raises
    ------
    DataError
        Not two-dimensional or not square, names that do not fit, or cells that are not numbers.
    """
    import pandas as pd

    framed = isinstance(value, pd.DataFrame)
    array = _floats(value, f"sample_cov{where}")
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.shape[0] == 0:
        raise DataError(f"sample_cov{where} must be a square matrix; its shape is {array.shape}.")
    wanted = None if names is None else tuple(names)
    if framed:
        own = _names_of(value, where)
    else:
        own = wanted or tuple(f"x{i + 1}" for i in range(array.shape[0]))
    _check_names(own, array.shape[0], where)
    array = _mirrored(array)
    if framed and wanted is not None and wanted != own:
        absent = [f"'{name}' {nearest(name, own)}".strip() for name in wanted if name not in own]
        if absent:
            raise DataError(f"Item not in sample_cov{where}: {listing(absent)}. It has {listing(list(own), shown=30)}.")
        _check_names(wanted, len(wanted), where)
        order = [own.index(name) for name in wanted]
        return array[np.ix_(order, order)], wanted
    return array, own


def _mirrored(array: Array) -> Array:
    lower, upper = np.tril_indices_from(array, -1), np.triu_indices_from(array, 1)
    if lower[0].size == 0:
        return array
    blank = []
    for triangle in (lower, upper):
        cells = array[triangle]
        blank.append(bool(np.all(np.isnan(cells))) or bool(np.all(cells == 0.0)))
    if blank[0] == blank[1]:
        return array
    source = np.triu(array) if blank[0] else np.tril(array)
    source[lower if blank[0] else upper] = 0.0
    return source + source.T - np.diag(np.diag(array))


def as_vector(argument: str, value: Any, names: tuple[str, ...], where: str = "") -> Array:
    """Return means or standard deviations in the order of `names`; by name where the value carries names.

    Raises
    ------
    DataError
        Names missing, another length than `names`, or values that are not finite numbers.
    """
    import pandas as pd

    keyed = value.to_dict() if isinstance(value, pd.Series) and not isinstance(value.index, pd.RangeIndex) else value
    if isinstance(keyed, Mapping):
        known = {str(key): entry for key, entry in keyed.items()}
        absent = [f"'{name}' {nearest(name, known)}".strip() for name in names if name not in known]
        if absent:
            raise DataError(f"{argument} has no entry{where} for {listing(absent)}.")
        keyed = [known[name] for name in names]
    vector = _floats(keyed, argument + where)
    if vector.shape != (len(names),):
        raise DataError(f"{argument} must hold {len(names)} numbers{where}; its shape is {vector.shape}.")
    bad = [f"'{name}' {vector[i]}" for i, name in enumerate(names) if not np.isfinite(vector[i])]
    if bad:
        raise DataError(f"{argument} is not finite{where}: {listing(bad)}.")
    return vector


def check_matrix(S: Array, names: Sequence[str], where: str = "") -> None:
    """Raise DataError unless S is finite, symmetric and has a positive diagonal; the message names the cells."""
    bad = [f"({names[i]}, {names[j]}) = {S[i, j]}" for i, j in zip(*np.nonzero(~np.isfinite(S)), strict=True)]
    if bad:
        raise DataError(f"sample_cov has cells that are not finite{where}: {listing(bad)}.")
    flat = [f"'{names[i]}' {S[i, i]:g}" for i in range(len(names)) if S[i, i] <= 0.0]
    if flat:
        raise DataError(f"Variances must be positive{where}: {listing(flat)}.")
    gap = np.abs(S - S.T)
    scale = np.sqrt(np.outer(np.diag(S), np.diag(S)))
    rows, columns = np.nonzero(np.triu(gap > SYMMETRY * scale, 1))
    if rows.size:
        order = np.argsort(-gap[rows, columns], kind="stable")
        parts = [
            f"({names[rows[k]]}, {names[columns[k]]}) {S[rows[k], columns[k]]:g} against "
            f"{S[columns[k], rows[k]]:g}, difference {gap[rows[k], columns[k]]:.3g}"
            for k in order
        ]
        raise DataError(f"sample_cov is not symmetric{where}: {listing(parts)}.")
    beyond = [
        f"({names[i]}, {names[j]}) r = {S[i, j] / scale[i, j]:.4g}"
        for i, j in zip(*np.nonzero(np.tril(np.abs(S) > scale * (1.0 + SYMMETRY), -1)), strict=True)
    ]
    if beyond:
        raise DataError(f"Correlations beyond 1{where}: {listing(beyond)}. Look for a typing error.")


def check_positive_definite(S: Array, names: Sequence[str], *, where: str = "") -> None:
    """Raise DataError unless the correlation matrix of S has only positive eigenvalues.

    Parameters
    ----------
    S : ndarray, shape (p, p)
        Finite and symmetric, with a positive diagonal.
    names : sequence of str, length p
        Items.
    where : str, default ""
        " in group 'a'", for the message.

    Raises
    ------
    DataError
        With the smallest eigenvalue of the correlation matrix and the items that weigh most in its eigenvector,
        that is, the items that are (nearly) a linear combination of each other.
    """
    scale = np.sqrt(np.diag(S))
    R = S / np.outer(scale, scale)
    # The factor of R - e I exists where all eigenvalues exceed e.
    shifted = R.copy()
    shifted.ravel()[:: len(R) + 1] -= SMALLEST_EIGENVALUE
    if lapack.dpotrf(shifted, lower=1)[1] == 0:
        return
    values, vectors = np.linalg.eigh((R + R.T) / 2.0)
    if values[0] > SMALLEST_EIGENVALUE:
        return
    pairs = [
        f"'{names[i]}' and '{names[j]}' (r = {R[i, j]:.6g})"
        for i, j in zip(*np.nonzero(np.triu(np.abs(R) > 1.0 - 1e-9, 1)), strict=True)
    ]
    weight = np.abs(vectors[:, 0])
    heavy = [f"'{names[i]}'" for i in range(len(names)) if weight[i] >= 0.25 * weight.max()]
    if pairs:
        cause = f"Perfectly correlated: {listing(pairs)}; keep one of each"
    else:
        cause = f"The items that depend on each other: {listing(heavy)}"
    raise DataError(
        f"The covariance matrix is not positive definite{where}: the smallest eigenvalue of the correlation matrix "
        f"is {values[0]:.3g}. {cause}. A total or an item entered twice is the usual cause; with a printed matrix, "
        "a typing error or pairwise deletion."
    )


def cov_from_lower(values: str | Sequence[Any], names: Sequence[str] | None = None) -> pd.DataFrame:
    r"""Return a full symmetric matrix from the lower triangle, diagonal included, as papers print it.

    Parameters
    ----------
    values : str or sequence of numbers (or of rows of numbers)
        The triangle row by row, for instance ``"1.00\n0.43 1.00\n0.31 0.52 1.00"``. In a text, each line may begin
        with the name of its item; commas, tabs and line breaks separate like blanks; ".43" is 0.43.
    names : sequence of str, optional
        Items; by default the names in the text, or x1, x2, ...

    Returns
    -------
    DataFrame, shape (p, p)

    Raises
    ------
    DataError
        A number of cells that makes no triangle, cells that are no numbers, or names that do not fit.
    """
    found: list[str] = []
    cells: list[Any] = []
    if isinstance(values, str):
        for line in values.replace("−", "-").splitlines():
            words = line.replace(",", " ").replace(";", " ").split()
            if words and not _is_number(words[0]):
                found.append(words.pop(0).strip("\"'"))
            cells += words
    else:
        for row in values:
            cells += list(row) if isinstance(row, Sequence | np.ndarray) and not isinstance(row, str) else [row]
    numbers = _floats(cells, "The triangle")
    size = int((np.sqrt(8 * numbers.size + 1) - 1) // 2)
    if numbers.size == 0 or size * (size + 1) // 2 != numbers.size:
        raise DataError(
            f"A lower triangle with diagonal has 1, 3, 6, 10, ... numbers; there are {numbers.size} "
            f"({size} items need {size * (size + 1) // 2}, {size + 1} items {(size + 1) * (size + 2) // 2})."
        )
    own = tuple(names) if names is not None else tuple(found) or tuple(f"x{i + 1}" for i in range(size))
    _check_names(own, size, "")
    full = np.zeros((size, size))
    full[np.tril_indices(size)] = numbers
    full = full + np.tril(full, -1).T
    import pandas as pd

    return pd.DataFrame(full, index=list(own), columns=list(own))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
