"""`fit` as users call it: covariance-based, or by partial least squares with `method="pls"`.

It stands here because fitting must not know of partial least squares, which is built on top of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from sem_loyalty.errors import NotSupported, check_choice
from sem_loyalty.fitting.fit import fit as fit_cb
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.spec import Specification
from sem_loyalty.model.syntax import ModelText

if TYPE_CHECKING:  # pandas comes with these, and a fit of arrays does without it
    import pandas as pd

    from sem_loyalty.pls_sem.solution import Pls

METHODS = ("cb", "pls")
_OWN = signature(fit_cb).parameters
_METHOD = """    method : {"cb", "pls"}, default "cb"
        "cb" is covariance-based estimation, which the arguments below describe, and returns a Fit. "pls" is partial
        least squares, with the arguments of `pls` (`scheme`, `consistent` ...), and returns its result, a Pls.
        `compare_methods` sets both side by side.
"""


@overload
def fit(
    model: str | Path | ModelText | ModelFile | Specification,
    data: pd.DataFrame | Mapping[str, Any] | str | Path | None = None,
    *,
    method: Literal["cb"] = "cb",
    **options: Any,
) -> Fit: ...
@overload
def fit(
    model: str | Path | ModelText | ModelFile,
    data: pd.DataFrame | Mapping[str, Any] | str | Path | None = None,
    *,
    method: Literal["pls"],
    **options: Any,
) -> Pls: ...
def fit(model: Any, data: Any = None, *, method: str = "cb", **options: Any) -> Fit | Pls:
    """Fit a model by covariance-based SEM or by partial least squares; `help` shows the arguments of both."""
    check_choice("method", method, METHODS)
    if method == "cb" and _OWN.keys() >= options.keys():
        return fit_cb(model, data, **options)
    from sem_loyalty.pls_sem.estimate import pls

    known, foreign = (_OWN, signature(pls).parameters) if method == "cb" else (signature(pls).parameters, _OWN)
    wrong = [name for name in options if name not in known and name in foreign]
    if wrong:
        has = ", ".join(name for name, entry in known.items() if entry.kind is Parameter.KEYWORD_ONLY)
        raise NotSupported(f'method="{method}" has no {", ".join(wrong)}. It has: {has}.')
    return fit_cb(model, data, **options) if method == "cb" else pls(model, data, **options)


def _documented() -> None:
    """Give `fit` the signature and the description of the covariance-based fit, with `method` added."""
    described = fit_cb.__doc__ or ""
    before, mark, after = described.partition("    estimator : str, optional\n")
    fit.__doc__ = before + _METHOD + mark + after
    shown = signature(fit_cb)
    first = [entry for entry in shown.parameters.values() if entry.kind is not Parameter.KEYWORD_ONLY]
    rest = [entry for entry in shown.parameters.values() if entry.kind is Parameter.KEYWORD_ONLY]
    method = Parameter("method", Parameter.KEYWORD_ONLY, default="cb", annotation=str)
    fit.__signature__ = shown.replace(  # type: ignore[attr-defined]
        parameters=[*first, method, *rest], return_annotation="Fit | Pls"
    )


_documented()
