"""Gaps by question: what was received less what was expected, question by question."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sem_loyalty.errors import DataError, nearest


def item_gaps(data: pd.DataFrame, pairs: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Return differences between answers about what was received and what was expected.

    Parameters
    ----------
    data : DataFrame
        One row per respondent.
    pairs : mapping of str to (str, str)
        By name of the new column: the column of the perception and that of the expectation,
        ``{"rel1": ("p_rel1", "e_rel1")}``.

    Returns
    -------
    DataFrame
        One column per pair, perception less expectation; missing where either is.

    Raises
    ------
    DataError
        A column that does not exist or is not numeric.

    See Also
    --------
    gap_scores : Gaps by dimension, tested.

    Notes
    -----
    The gap is how Parasuraman, Zeithaml and Berry (1985, doi:10.1177/002224298504900403) define service quality. It
    is less reliable than its parts where these correlate, and Cronin and Taylor (1992,
    doi:10.1177/002224299205600304) find the perceptions alone to serve better: fit both and compare.

    Examples
    --------
    >>> import pandas as pd
    >>> import sem_loyalty as sl
    >>> answers = pd.DataFrame({"p_rel1": [5, 6], "e_rel1": [7, 6]})
    >>> sl.item_gaps(answers, {"rel1": ("p_rel1", "e_rel1")})["rel1"].tolist()
    [-2.0, 0.0]
    """
    columns = {}
    for name, pair in pairs.items():
        for column in pair:
            if column not in data.columns:
                raise DataError(
                    f"The data have no column {column!r}. {nearest(column, map(str, data.columns))}".strip()
                )
            if not pd.api.types.is_numeric_dtype(data[column]):
                raise DataError(f"{column} is not numeric; score the answers first, for instance with apply_codebook.")
        received, expected = (data[column].to_numpy(dtype=np.float64, na_value=np.nan) for column in pair)
        columns[name] = received - expected
    return pd.DataFrame(columns, index=data.index)
