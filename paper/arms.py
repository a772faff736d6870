"""What each program says of a data set when it is called as its documentation shows."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

import sem_loyalty as sl
from sem_loyalty.errors import SemLoyaltyError, SemLoyaltyWarning

# A variance below this share of the item's (or the marker's) stands on semopy's bound at zero.
_ON_BOUND = 1e-4


@dataclass(frozen=True, slots=True)
class Answer:
    """One program's answer to one data set.

    Attributes
    ----------
    answered : bool
        Whether estimates with standard errors came back.
    flagged : bool
        Whether the program refused, warned, logged a warning or reported that it did not converge.
    converged : bool
        Whether a minimum was found, as far as the program says.
    improper : bool
        Whether a variance is negative or on its bound, or a covariance matrix of the model impossible.
    std, raw, se : dict of str to float
        Structural paths ("cause -> outcome"): standardised, in the items' metric, and the latter's standard errors.
    chisq, df : float
        Test statistic of the model and its degrees of freedom, as the program reports them.
    aic : float
    """

    answered: bool
    flagged: bool
    converged: bool = False
    improper: bool = False
    std: Mapping[str, float] | None = None
    raw: Mapping[str, float] | None = None
    se: Mapping[str, float] | None = None
    chisq: float = math.nan
    df: float = math.nan
    aic: float = math.nan

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Answer:
        """Return a stored answer."""
        known = {name: value for name, value in record.items() if name in cls.__dataclass_fields__}
        for name in ("chisq", "df", "aic"):
            if known.get(name) is None:
                known.pop(name, None)
        answer = cls(**known)
        usable = answer.std is not None and all(
            isinstance(value, (int, float)) and math.isfinite(value)
            for values in (answer.std, answer.raw, answer.se)
            for value in (values or {}).values()
        )
        return answer if usable else cls(False, answer.flagged, answer.converged)

    def record(self) -> dict[str, Any]:
        """Return the answer as it is stored."""
        return asdict(self)


REFUSED = Answer(False, True)


def by_package(text: str, data: pd.DataFrame | None = None, **options: Any) -> Answer:
    """Return this package's answer, by its own kernel alone, so that nothing of semopy's is in it."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            fitted = sl.fit(text, data, engine="kernel", **options)
            found = sl.estimates(fitted)
            measures = sl.fit_measures(fitted)
        except SemLoyaltyError:
            return REFUSED
    said = any(issubclass(one.category, SemLoyaltyWarning) for one in heard)
    problems = {problem.code for problem in fitted.certificate.problems}
    paths = found[found["op"] == "~"]
    names = [f"{cause} -> {outcome}" for cause, outcome in zip(paths["rhs"], paths["lhs"], strict=True)]
    se = dict(zip(names, map(float, paths["se"]), strict=True))
    scaled = "chisq_scaled" if "chisq_scaled" in measures else "chisq"
    return Answer(
        answered=all(map(math.isfinite, se.values())),
        flagged=said or not fitted.certificate.certified,
        converged=not problems & {"not converged", "singular information", "rescaling"},
        improper=bool(problems & {"negative variance", "latent covariance", "residual covariance"}),
        std=dict(zip(names, map(float, paths["std_all"]), strict=True)),
        raw=dict(zip(names, map(float, paths["est"]), strict=True)),
        se=se,
        chisq=float(measures[scaled]),
        df=float(measures["df"]),
        aic=float(measures["aic"]) if "aic" in measures else math.nan,
    )


def by_semopy(
    text: str,
    data: pd.DataFrame | None = None,
    *,
    cov: pd.DataFrame | None = None,
    nobs: int | None = None,
    means: bool = False,
    objective: str | None = None,
) -> Answer:
    """Return semopy's answer: `Model(text).fit(data)`, `inspect` and `calc_stats`, with nothing set by hand.

    Parameters
    ----------
    text : str
    data : DataFrame, optional
    cov, nobs : DataFrame and int, optional
        A covariance matrix instead of data.
    means : bool
        `ModelMeans` instead of `Model`: full-information likelihood with a mean structure.
    objective : str, optional
        semopy's `obj`.
    """
    import semopy

    chosen: dict[str, Any] = {} if objective is None else {"obj": objective}
    chosen |= {"cov": cov, "n_samples": nobs} if data is None else {"data": data}
    with _listening() as heard:
        try:
            model = semopy.ModelMeans(text) if means else semopy.Model(text)
            ended = model.fit(**chosen)
            found = model.inspect(std_est=True)
            measures = semopy.calc_stats(model).iloc[0]
        except Exception:  # whatever it is, the user has no answer and knows it
            return REFUSED
    wanted = paths_of(text)
    rows = found[found["op"] == "~"]
    rows = rows[[(cause, outcome) in wanted for cause, outcome in zip(rows["rval"], rows["lval"], strict=True)]]
    numbers = rows[["Est. Std", "Estimate", "Std. Err"]].apply(pd.to_numeric, errors="coerce")
    names = [f"{cause} -> {outcome}" for cause, outcome in zip(rows["rval"], rows["lval"], strict=True)]
    std, raw, se = (dict(zip(names, map(float, numbers[name]), strict=True)) for name in numbers)
    return Answer(
        answered=bool(np.isfinite(numbers.to_numpy(float)).all()),
        flagged=bool(heard) or not ended.success,
        converged=bool(ended.success),
        improper=_on_bound(found, _spread(data, cov), set(model.vars["latent"])),
        std=std,
        raw=raw,
        se=se,
        chisq=float(measures["chi2"]),
        df=float(measures["DoF"]),
        aic=float(measures["AIC"]),
    )


def paths_of(text: str) -> set[tuple[str, str]]:
    """Return cause and outcome of every structural path; semopy prints loadings as paths too."""
    return {(one.rhs.name, one.lhs) for one in sl.parse(text).statements if one.op == "~"}


def _spread(data: pd.DataFrame | None, cov: pd.DataFrame | None) -> pd.Series:
    if cov is not None:
        return pd.Series(np.diagonal(cov.to_numpy()), cov.columns)
    return data.var()


def _on_bound(found: pd.DataFrame, spread: pd.Series, latent: set[str]) -> bool:
    variances = found[(found["op"] == "~~") & (found["lval"] == found["rval"])]
    smallest = float(spread.min())
    for name, value in zip(variances["lval"], pd.to_numeric(variances["Estimate"], errors="coerce"), strict=True):
        scale = smallest if name in latent else float(spread.get(name, smallest))
        if not value > _ON_BOUND * scale:
            return True
    return False


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect what a user would see: Python warnings but for deprecations, and log records from WARNING upwards."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    ear = Ear(logging.WARNING)
    root = logging.getLogger()
    root.addHandler(ear)
    try:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            yield heard
        idle = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ImportWarning, ResourceWarning)
        heard.extend(str(one.message) for one in seen if not issubclass(one.category, idle))
    finally:
        root.removeHandler(ear)
