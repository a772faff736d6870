"""Columns that multiply items, for interactions and curves of constructs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.errors import DataError, SpecificationError, check_choice, nearest
from sem_loyalty.model.library import load_model
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.products import Products, product_pairs
from sem_loyalty.model.syntax import parse

Array = NDArray[np.float64]

METHODS = ("double-mean-centred", "mean-centred", "residual-centred")


def product_indicators(
    data: pd.DataFrame,
    products: Products | ModelFile | str | Path,
    *,
    method: str = "double-mean-centred",
    matched: bool = True,
) -> pd.DataFrame:
    """Return the data with columns of products of items.

    Parameters
    ----------
    data : DataFrame
        One row per respondent; items scored so that more means more of the construct.
    products : mapping of str to (sequence of str, sequence of str), or a library model
        Items of the two factors by name of the product construct, ``{"SATxSWC": (["sat1", "sat2"], ["swc1",
        "swc2"])}``; the same items twice for a square. Or a model whose description names its products, such as
        "satisfaction_trap": the columns that its text needs.
    method : {"double-mean-centred", "mean-centred", "residual-centred"}, default "double-mean-centred"
        Items are centred, multiplied, and the products centred again, so that no mean structure is needed (Lin, Wen,
        Marsh and Lin 2010); centred and multiplied only; or multiplied as they are and freed of every item of both
        factors by regression (Little, Bovaird and Widaman 2006), so that products and factors do not covary.
    matched : bool, default True
        Multiply the first item with the first, the second with the second (Marsh, Wen and Hau 2004), each used once;
        or all with all.

    Returns
    -------
    DataFrame
        `data` with a column for each product, ``sat1.swc1``; a product is missing where one of its items is. The items
        themselves are not centred.

    Raises
    ------
    SpecificationError
        As `product_pairs`, or a model without products.
    DataError
        An item that is not a column or not numeric, or a product column that is there already.
    ConfigurationError
        Unknown method.

    See Also
    --------
    sem_loyalty.product_syntax : the model text that goes with the columns.

    References
    ----------
    Lin, G.-C., Wen, Z., Marsh, H. W., & Lin, H.-S. (2010). Structural equation models of latent interactions:
    Clarification of orthogonalizing and double-mean-centering strategies. Structural Equation Modeling, 17, 374-391.
    doi:10.1080/10705511.2010.488999

    Little, T. D., Bovaird, J. A., & Widaman, K. F. (2006). On the merits of orthogonalizing powered and product terms.
    Structural Equation Modeling, 13, 497-519. doi:10.1207/s15328007sem1304_1

    Marsh, H. W., Wen, Z., & Hau, K.-T. (2004). Structural equation models of latent interactions: Evaluation of
    alternative estimation strategies and indicator construction. Psychological Methods, 9, 275-300.
    doi:10.1037/1082-989X.9.3.275
    """
    check_choice("method", method, METHODS)
    if isinstance(products, (str, Path, ModelFile)):
        file = products if isinstance(products, ModelFile) else load_model(products)
        pairs = _of_model(file)
        factors = {construct: [p for p in pairs if p[0] == construct] for construct in file.products}
    else:
        pairs = [(pair.construct, pair.first, pair.second) for pair in product_pairs(products, matched=matched)]
        factors = {construct: [p for p in pairs if p[0] == construct] for construct in products}
    names = list(dict.fromkeys(name for _, first, second in pairs for name in (first, second)))
    columns = _numeric(data, names)
    added: dict[str, Array] = {}
    for construct, first, second in pairs:
        column = f"{first}.{second}"
        if column in data.columns:
            raise DataError(f"The data have a column {column!r} already; take it away, or use another name.")
        if method == "residual-centred":
            used = list(dict.fromkeys(name for _, one, other in factors[construct] for name in (one, other)))
            if not isinstance(products, (str, Path, ModelFile)):
                used = list(dict.fromkeys([*products[construct][0], *products[construct][1]]))
            added[column] = _residual(columns[first] * columns[second], np.column_stack([columns[n] for n in used]))
            continue
        product = (columns[first] - np.nanmean(columns[first])) * (columns[second] - np.nanmean(columns[second]))
        added[column] = product - np.nanmean(product) if method == "double-mean-centred" else product
    return pd.concat([data, pd.DataFrame(added, index=data.index)], axis=1)


def _of_model(file: ModelFile) -> list[tuple[str, str, str]]:
    """Return construct and items of every product that a model's text uses."""
    if not file.products:
        raise SpecificationError(f"Model '{file.id}' has no products of constructs.")
    pairs = []
    for statement in parse(file.text).statements:
        if statement.op == "=~" and statement.lhs in file.products:
            first, _, second = statement.rhs.name.partition(".")
            pairs.append((statement.lhs, first, second))
    return pairs


def _numeric(data: pd.DataFrame, names: list[str]) -> dict[str, Array]:
    columns = {}
    for name in names:
        if name not in data.columns:
            raise DataError(f"The data have no item {name!r}. {nearest(name, map(str, data.columns))}".strip())
        try:
            columns[name] = data[name].to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise DataError(f"{name} is not numeric; score the answers first, for instance with apply_codebook.") from (
                error
            )
        if np.isfinite(columns[name]).sum() < 2:
            raise DataError(f"{name} has fewer than two answers.")
    return columns


def _residual(product: Array, items: Array) -> Array:
    """Return what a regression on the items leaves of a product; nan where an item is missing."""
    complete = np.isfinite(product) & np.isfinite(items).all(axis=1)
    design = np.column_stack([np.ones(int(complete.sum())), items[complete]])
    coefficients = np.linalg.lstsq(design, product[complete], rcond=None)[0]
    residual = np.full(len(product), np.nan)
    residual[complete] = product[complete] - design @ coefficients
    return residual
