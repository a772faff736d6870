"""BG/NBD and Gamma-Gamma fitted by pymc-marketing; the only file that knows it. It is an extra: `[clv]`."""

from __future__ import annotations

import logging
import warnings
from importlib import import_module, util
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.errors import NotSupported
from sem_loyalty.loyalty.buying import Histories

Array = NDArray[np.float64]


def available() -> bool:
    """Return whether pymc-marketing is installed."""
    return util.find_spec("pymc_marketing") is not None


def fit_buying(seen: Histories) -> tuple[Array, Array]:
    """Return ln (r, alpha, a, b) and ln (p, q, v) at the maximum a posteriori under flat priors.

    Parameters
    ----------
    seen : Histories

    Returns
    -------
    purchases : ndarray, shape (4,)
    spend : ndarray, shape (3,)

    Raises
    ------
    NotSupported
        pymc-marketing is not installed.
    """
    if not available():
        raise NotSupported(
            "Customer lifetime value is fitted by pymc-marketing, which is not installed: "
            "pip install 'sem-loyalty[clv]'. Without it, give `parameters` that were fitted before."
        )
    who = np.arange(len(seen.repeats))
    again = seen.repeats > 0
    with warnings.catch_warnings():
        # What its dependencies say while they load (a new ArviZ, no linked BLAS) is no matter of this analysis.
        warnings.simplefilter("ignore")
        clv, prior = import_module("pymc_marketing.clv"), import_module("pymc_extras.prior").Prior
        logging.getLogger("pymc").setLevel(logging.ERROR)
        bought = pd.DataFrame({"customer_id": who, "frequency": seen.repeats, "recency": seen.recency, "T": seen.age})
        flat = {name: prior("HalfFlat") for name in ("r", "alpha", "a", "b")}
        purchases = _map(clv.BetaGeoModel(data=bought, model_config=flat), ("r", "alpha", "a", "b"))
        paid = pd.DataFrame({"customer_id": who, "frequency": seen.repeats, "monetary_value": seen.spend})[again]
        flat = {name: prior("HalfFlat") for name in ("p", "q", "v")}
        spend = _map(clv.GammaGammaModel(data=paid, model_config=flat), ("p", "q", "v"))
    return purchases, spend


def _map(model: Any, names: tuple[str, ...]) -> Array:
    """Return the logarithms of the parameters at the maximum a posteriori."""
    model.fit(method="map", progressbar=False)
    found = model.fit_result
    return np.log([float(np.asarray(found[name]).ravel()[0]) for name in names])
