"""The design of the simulation study: populations, conditions, and the data set of every replicate."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

import sem_loyalty as sl

# Answers of a survey have a mean that is not zero; programs that forget it are to show it.
MEAN = 4.0
# Share and direction of nonresponse: satisfied customers skip the questions on loyalty.
MISSING = {
    "core": sl.Missing(0.30, cause="sat1", items=("loy1", "loy2", "loy3", "loy4", "loy5")),
    "servqual": sl.Missing(0.30, cause="sat1", items=("loy1", "loy2", "loy3", "loy4")),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One cell of the design.

    Attributes
    ----------
    id : str
    model : str
        Id of a library model, whose population the data come from.
    nobs : int
        Respondents.
    unit : float
        What answers are multiplied by: the standard deviation of an item.
    weak : float
        What the population's loadings are multiplied by.
    residual_correlations : tuple of (str, str, float)
        Correlations of item residuals, in the population and in the fitted model.
    categories : int or None
        Of the answers; None is continuous.
    skew : float
        Of the categories' cuts.
    incomplete : bool
        Whether answers are missing at random.
    replications : int
    """

    id: str
    model: str
    nobs: int = 300
    unit: float = 1.0
    weak: float = 1.0
    residual_correlations: tuple[tuple[str, str, float], ...] = field(default=())
    categories: int | None = None
    skew: float = 0.0
    incomplete: bool = False
    replications: int = 50


CONDITIONS = (
    Condition("clean", "core"),
    Condition("slider", "core", unit=20.0),
    Condition("hundred", "core", unit=100.0),
    Condition("residuals", "core", residual_correlations=(("sat1", "sat2", 0.3), ("loy1", "loy2", 0.3))),
    Condition("missing", "core", incomplete=True),
    Condition("ordinal", "core", categories=5, skew=-0.8),
    Condition("heywood", "core", nobs=60, weak=0.6),
    Condition("nonconvergence", "core", nobs=80, weak=0.45, replications=15),
    Condition("clean", "servqual", replications=25),
    Condition("slider", "servqual", unit=20.0, replications=25),
    Condition("missing", "servqual", incomplete=True, replications=25),
    Condition("ordinal", "servqual", categories=5, skew=-0.8, replications=25),
)


def population(condition: Condition) -> object:
    """Return the library model with the population of a condition."""
    file = sl.load_model(condition.model)
    loadings = {
        name: value * (condition.weak if name.islower() else 1.0) for name, value in file.population.loadings.items()
    }
    covariances = {
        (one, other): correlation * float(np.sqrt((1 - loadings[one] ** 2) * (1 - loadings[other] ** 2)))
        for one, other, correlation in condition.residual_correlations
    }
    return replace(file, population=replace(file.population, loadings=loadings, covariances=covariances))


def answers(condition: Condition, replicate: int) -> pd.DataFrame:
    """Return the data set of a replicate; conditions that differ in units only have the same answers in other units."""
    drawn = sl.simulate(
        population(condition),
        condition.nobs,
        seed=replicate + 1,
        categories=condition.categories,
        skew=condition.skew,
        missing=MISSING[condition.model] if condition.incomplete else 0.0,
    ).astype(float)
    return drawn if condition.categories else (drawn + MEAN) * condition.unit


def model_text(condition: Condition) -> str:
    """Return the model in the words that lavaan, semopy and this package read alike: no labels, no `:=`."""
    lines = []
    for line in sl.load_model(condition.model).text.splitlines():
        statement = line.split("#")[0].strip()
        if statement and ":=" not in statement:
            lines.append(re.sub(r"\b[A-Za-z_]\w*\*", "", statement))
    lines += [f"{one} ~~ {other}" for one, other, _ in condition.residual_correlations]
    return "\n".join(lines) + "\n"


def true_paths(condition: Condition) -> dict[str, tuple[float, float]]:
    """Return the population value of every structural path, standardised and in the metric of the markers."""
    file = population(condition)
    markers: dict[str, str] = {}
    for statement in sl.parse(file.text).statements:
        if statement.op == "=~":
            markers.setdefault(statement.lhs, statement.rhs.name)

    def spread(construct: str) -> float:
        marker = markers[construct]
        return file.population.loadings[marker] * (spread(marker) if marker in markers else 1.0)

    return {
        f"{cause} -> {outcome}": (value, value * spread(outcome) / spread(cause))
        for (cause, outcome), value in file.population.paths.items()
    }
