"""Gaps by question: what was received less what was expected, question by question."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sem_loyalty.errors import DataError, SpecificationError, nearest
from sem_loyalty.model.library import load_model
from sem_loyalty.model.model_file import ModelFile


def item_gaps(data: pd.DataFrame, pairs: Mapping[str, tuple[str, str]] | ModelFile | str) -> pd.DataFrame:
    """Return differences between answers about what was received and what was expected.

    Parameters
    ----------
    data : DataFrame
        One row per respondent.
    pairs : mapping of str to (str, str), ModelFile or str
        By name of the new column: the column of the perception and that of the expectation,
        ``{"rel1": ("p_rel1", "e_rel1")}``. Or a model whose description has expectations, such as "servqual", or its
        id or path: then "rel1" less "rel1_e" becomes "rel1", and so on, the columns of its questionnaire.

    Returns
    -------
    DataFrame
        One column per pair, perception less expectation; missing where either is.

    Raises
    ------
    DataError
        A column that does not exist or is not numeric.
    SpecificationError
        The model asks for no expectations.

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
    for name, pair in (pairs if isinstance(pairs, Mapping) else _pairs_of(pairs)).items():
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


def _pairs_of(model: ModelFile | str) -> dict[str, tuple[str, str]]:
    file = load_model(model) if isinstance(model, str) else model
    if not file.expectations:
        raise SpecificationError(
            f"Model '{file.id}' asks for no expectations; write [expectations] in its .toml, or give pairs of columns."
        )
    names = [item.name.removesuffix("_e") for item in file.expectations]
    return {name: (name, f"{name}_e") for name in names}
