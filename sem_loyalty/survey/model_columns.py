"""What the description of a model says about the columns of its data: products of items, surveys of a panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, overload

from sem_loyalty.errors import DataError
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.roles import roles
from sem_loyalty.model.syntax import parse
from sem_loyalty.survey.answers import listing

if TYPE_CHECKING:
    import pandas as pd


def product_columns(model: ModelFile) -> tuple[str, ...]:
    """Return the columns of a model that are products of items, in the order of its text; none for most models."""
    statements = parse(model.text).statements
    return tuple(s.rhs.name for s in statements if s.op == "=~" and s.lhs in model.products)


@overload
def with_model_columns(model: ModelFile, data: pd.DataFrame) -> pd.DataFrame: ...


@overload
def with_model_columns(
    model: ModelFile, data: pd.DataFrame | Mapping[str, Any]
) -> pd.DataFrame | Mapping[str, Any]: ...


def with_model_columns(model: ModelFile, data: pd.DataFrame | Mapping[str, Any]) -> pd.DataFrame | Mapping[str, Any]:
    """Return the data with the products of items that a model needs, every survey of a panel being there.

    Parameters
    ----------
    model : ModelFile
    data : DataFrame or mapping of str to array
        One row per respondent, items scored.

    Returns
    -------
    DataFrame or mapping
        `data` itself where the model has neither products nor surveys, or its products are there already; else with
        double-mean-centred products of items (see `product_indicators`).

    Raises
    ------
    DataError
        A survey of the panel without answers, or some of the products without the others.
    """
    if not model.products and not model.waves:
        return data
    import pandas as pd

    from sem_loyalty.survey.product_indicators import product_indicators

    frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(dict(data))
    _check_waves(model, frame)
    needed = product_columns(model)
    absent = [name for name in needed if name not in frame.columns]
    if not absent:
        return data
    if len(absent) < len(needed):
        present = [name for name in needed if name in frame.columns]
        raise DataError(
            f"Of the products of model '{model.id}', the data have {listing(present)} but not {listing(absent)}. Give "
            "all, for instance by product_indicators, or none: then they are made."
        )
    return product_indicators(frame, model)


def _check_waves(model: ModelFile, frame: pd.DataFrame) -> None:
    """Name the surveys of a panel to which nothing was answered, rather than every one of their columns."""
    observed = roles(parse(model.text).statements).observed
    empty = []
    for number, wave in enumerate(model.waves, start=1):
        asked = [name for name in observed if name.endswith(f"_{number}")]
        if asked and not any(name in frame.columns and frame[name].notna().any() for name in asked):
            empty.append(f"the {wave.en} ({listing(asked)})")
    if empty:
        raise DataError(
            f"Model '{model.id}' follows the same customers over {len(model.waves)} surveys, and the data have no "
            f"answers to {' and '.join(empty)}. Join the surveys to one row a customer, answers to the k-th in columns "
            "that end in _k."
        )
