"""Item statistics: one row of descriptives for each item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.survey.codebook import Item
from sem_loyalty.survey.normality import excess_kurtosis, skewness

Array = NDArray[np.float64]


def item_statistics(answers: Array, names: Sequence[str], book: Mapping[str, Item] | None = None) -> pd.DataFrame:
    """Return statistics by item.

    Parameters
    ----------
    answers : ndarray, shape (n, p)
        NaN for missing.
    names : sequence of str, length p
    book : mapping of str to Item, optional
        Ranges by name; without one, floor and ceiling are the lowest and highest answers found.

    Returns
    -------
    DataFrame
        item, n, missing, missing_share, mean, sd (divisor n - 1), min, max, out_of_range (missing without a range),
        skewness (G1), kurtosis (G2, excess), floor_share, ceiling_share.
    """
    rows = []
    for position, name in enumerate(names):
        column = answers[:, position]
        present = column[~np.isnan(column)]
        item = (book or {}).get(name)
        low = item.min if item is not None and item.min is not None else None
        high = item.max if item is not None and item.max is not None else None
        outside: float = float("nan")
        if low is not None or high is not None:
            under = (present < low).sum() if low is not None else 0
            over = (present > high).sum() if high is not None else 0
            outside = float(under + over)
        empty = present.size == 0
        floor = low if low is not None else (float("nan") if empty else float(present.min()))
        ceiling = high if high is not None else (float("nan") if empty else float(present.max()))
        rows.append(
            {
                "item": name,
                "n": int(present.size),
                "missing": int(column.size - present.size),
                "missing_share": (column.size - present.size) / column.size,
                "mean": float("nan") if empty else float(present.mean()),
                "sd": float(present.std(ddof=1)) if present.size > 1 else float("nan"),
                "min": float("nan") if empty else float(present.min()),
                "max": float("nan") if empty else float(present.max()),
                "out_of_range": outside,
                "skewness": skewness(column),
                "kurtosis": excess_kurtosis(column),
                "floor_share": float("nan") if empty else float((present == floor).mean()),
                "ceiling_share": float("nan") if empty else float((present == ceiling).mean()),
            }
        )
    return pd.DataFrame(rows)
