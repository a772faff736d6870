"""Frames as plain values and back again, without any loss, so that JSON can keep them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

_CELLS = (str, int, float, bool)


def plain_frame(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a frame as plain values.

    Parameters
    ----------
    frame : DataFrame
        Columns of numbers, texts or truth values.

    Returns
    -------
    dict
        For `frame_of_plain`, which gives the same frame: values to the last bit, types, index, names.

    Raises
    ------
    ValueError
        The frame holds something that would not come back as it was.
    """
    plain = {
        "index": _plain_index(frame.index),
        "columns": [_plain_series(frame.iloc[:, k]) for k in range(frame.shape[1])],
    }
    again = frame_of_plain(plain)
    try:
        pd.testing.assert_frame_equal(again, frame, check_exact=True)
    except AssertionError as difference:
        raise ValueError(f"a frame does not come back as it was: {difference}") from None
    return plain


def frame_of_plain(plain: Mapping[str, Any]) -> pd.DataFrame:
    """Return the frame that `plain_frame` was given."""
    index = _index(plain["index"])
    columns = {
        one["name"]: pd.Series(one["values"], dtype=one["dtype"], index=index, name=one["name"])
        for one in plain["columns"]
    }
    return pd.DataFrame(columns, index=index)


def _plain_series(series: pd.Series[Any] | pd.Index[Any]) -> dict[str, Any]:
    values = [None if value is pd.NA else value for value in series.tolist()]
    if not all(value is None or type(value) in _CELLS for value in values):
        raise ValueError(f"column {series.name!r} holds more than numbers, texts and truth values")
    return {"name": series.name, "dtype": str(series.dtype), "values": values}


def _plain_index(index: pd.Index[Any]) -> dict[str, Any]:
    if isinstance(index, pd.RangeIndex):
        return {"name": index.name, "range": [index.start, index.stop, index.step]}
    return _plain_series(index)


def _index(plain: Mapping[str, Any]) -> pd.Index[Any]:
    if "range" in plain:
        start, stop, step = plain["range"]
        return pd.RangeIndex(start, stop, step, name=plain["name"])
    index: pd.Index[Any] = pd.Index(plain["values"], dtype=plain["dtype"], name=plain["name"])
    return index
