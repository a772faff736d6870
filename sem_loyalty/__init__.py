"""Structural equation modelling of customer loyalty.

One import gives everything: ``import sem_loyalty as sl``. Names are loaded when they are first used, so the
import itself stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sem_loyalty.fitting.fit import Fit, fit
    from sem_loyalty.inference.estimates import estimates, r_squared
    from sem_loyalty.inference.implied import model_implied, residuals
    from sem_loyalty.inference.measures import fit_measures
    from sem_loyalty.inference.modification import modification_indices
    from sem_loyalty.model.library import load_model, models
    from sem_loyalty.survey.published import load_published, published

_WHERE = {
    "Fit": "fitting.fit",
    "fit": "fitting.fit",
    "estimates": "inference.estimates",
    "r_squared": "inference.estimates",
    "model_implied": "inference.implied",
    "residuals": "inference.implied",
    "fit_measures": "inference.measures",
    "modification_indices": "inference.modification",
    "load_model": "model.library",
    "models": "model.library",
    "load_published": "survey.published",
    "published": "survey.published",
}

__all__ = [
    "Fit",
    "__version__",
    "estimates",
    "fit",
    "fit_measures",
    "load_model",
    "load_published",
    "model_implied",
    "models",
    "modification_indices",
    "published",
    "r_squared",
    "residuals",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module 'sem_loyalty' has no attribute {name!r}")
    value = getattr(import_module(f"sem_loyalty.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
