"""EFA: the result of an exploratory factor analysis, and how it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Column, Table, format_number, format_p
from sem_loyalty.display.marked import marked
from sem_loyalty.display.marks import MARK
from sem_loyalty.measurement.extraction import Sufficiency
from sem_loyalty.measurement.factorability import SamplingAdequacy, Sphericity
from sem_loyalty.measurement.retention import Retention
from sem_loyalty.measurement.rotation import (
    OBLIQUE,
    Rotation,
    communalities_of,
    complexity_of,
    explained,
)

Array = NDArray[np.float64]

_EXTRACTION = {"minres": "minimum residuals", "ml": "maximum likelihood", "principal": "principal components"}


class _Frames(TypedDict):
    loadings: pd.DataFrame
    structure: pd.DataFrame
    phi: pd.DataFrame
    communalities: pd.Series[float]
    uniquenesses: pd.Series[float]
    complexity: pd.Series[float]
    variance: pd.DataFrame
    residuals: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EFA:
    """Result of an exploratory factor analysis.

    Attributes
    ----------
    items : tuple of str, length p
        Items.
    n, n_collected : int
        Respondents used, and rows before the missing-data rule.
    missing : str
        "listwise", or "none" for a matrix.
    n_factors : int
        Factors m.
    extraction, rotation : str
        As asked for; `rotation` is "none" for a single factor.
    loadings : DataFrame, shape (p, m)
        Pattern matrix P, columns F1, F2 ... by falling variance.
    structure : DataFrame, shape (p, m)
        Correlations of items and factors, P Φ.
    phi : DataFrame, shape (m, m)
        Correlations of the factors.
    communalities, uniquenesses : Series, length p
        diag(P Φ P'), and 1 less it.
    complexity : Series, length p
        Hofmann's index: 1 for an item of one factor.
    variance : DataFrame, shape (m, 3)
        By factor: ss_loadings (diag(Φ P'P)), proportion of the p items' variance, cumulative.
    residuals : DataFrame, shape (p, p)
        R less the reproduced correlations P Φ P'; the uniqueness on the diagonal.
    kmo : SamplingAdequacy
        Kaiser-Meyer-Olkin measure, overall and by item.
    bartlett : Sphericity
        Bartlett's test of sphericity.
    sufficiency : Sufficiency or None
        Test that m factors suffice; None for principal components.
    retention : Retention
        Eigenvalues, parallel analyses and minimum average partial correlations.
    heywood : tuple of str
        Items without unique variance.
    converged : bool
        Whether extraction and rotation are at a stationary point.
    problems : tuple of str
        What forbids reporting the solution; empty where nothing does.
    notes : tuple of str
        How the number of factors was chosen.
    """

    items: tuple[str, ...]
    n: int
    n_collected: int
    missing: str
    n_factors: int
    extraction: str
    rotation: str
    loadings: pd.DataFrame
    structure: pd.DataFrame
    phi: pd.DataFrame
    communalities: pd.Series[float]
    uniquenesses: pd.Series[float]
    complexity: pd.Series[float]
    variance: pd.DataFrame
    residuals: pd.DataFrame
    kmo: SamplingAdequacy
    bartlett: Sphericity
    sufficiency: Sufficiency | None
    retention: Retention
    heywood: tuple[str, ...]
    converged: bool
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        # What is taken out of a solution that must not be reported says so by itself.
        if self.problems:
            for name in ("loadings", "structure", "phi", "communalities", "uniquenesses", "variance", "residuals"):
                object.__setattr__(self, name, marked(getattr(self, name), " ".join(self.problems)))

    def tables(self) -> tuple[Table, ...]:
        """Return the loadings, the variance with the correlations of the factors, and the rules for their number."""
        return self.loadings_table(), self.variance_table(), self.retention_table()

    def loadings_table(self) -> Table:
        """Return the pattern matrix with communality, uniqueness, complexity and KMO of each item."""
        factors = list(self.loadings.columns)
        columns = (
            Column("item", "Item"),
            # A pattern loading of an oblique solution is a regression weight and may exceed 1.
            *(Column(name, name, "number", bounded=self.rotation not in OBLIQUE) for name in factors),
            Column("communality", "h²", "number", bounded=True),
            Column("uniqueness", "u²", "number", bounded=True),
            Column("complexity", "Complexity", "number", digits=2),
            Column("kmo", "KMO", "number", bounded=True),
        )
        rows = tuple(
            {
                "item": item,
                **dict(zip(factors, _row(self.loadings, item), strict=True)),
                "communality": float(self.communalities[item]),
                "uniqueness": float(self.uniquenesses[item]),
                "complexity": float(self.complexity[item]),
                "kmo": float(self.kmo.items[position]),
            }
            for position, item in enumerate(self.items)
        )
        return Table("efa-loadings", "Exploratory factor analysis: pattern loadings", columns, rows, self._note())

    def variance_table(self) -> Table:
        """Return the variance that each factor accounts for, and its correlations with the others."""
        factors = list(self.loadings.columns)
        oblique = self.rotation in OBLIQUE
        shown = factors if oblique else []
        columns = (
            Column("factor", "Factor"),
            Column("ss_loadings", "SS loadings", "number"),
            Column("proportion", "Proportion", "number", bounded=True),
            Column("cumulative", "Cumulative", "number", bounded=True),
            *(Column(name, f"r with {name}", "number", bounded=True) for name in shown),
        )
        rows = tuple(
            {
                "factor": name,
                **dict(zip(self.variance.columns, _row(self.variance, name), strict=True)),
                **dict(zip(shown[: position + 1], _row(self.phi, name), strict=False)),
            }
            for position, name in enumerate(factors)
        )
        note = f"{MARK}: see the note on the loadings." if self.problems else ""
        return Table("efa-variance", "Variance accounted for", columns, rows, note)

    def retention_table(self) -> Table:
        """Return every rule for the number of factors, its answer and its source."""
        columns = (Column("rule", "Rule"), Column("factors", "Factors", "int"), Column("source", "Source"))
        rows = tuple(
            {"rule": rule, "factors": count, "source": source} for rule, count, source in self.retention.suggestions()
        )
        return Table("efa-retention", "Number of factors by rule", columns, rows)

    def _note(self) -> str:
        used = f"N = {self.n}"
        if self.n_collected != self.n:
            used += f" of {self.n_collected} ({self.missing} deletion)"
        test = self.bartlett
        parts = [
            *([f"{MARK}: {' '.join(self.problems)}"] if self.problems else []),
            f"{used}. Extraction: {_EXTRACTION[self.extraction]}; rotation: {self.rotation}.",
            *self.notes,
            f"KMO {format_number(self.kmo.overall, bounded=True)} ({self.kmo.grade}).",
            f"Bartlett χ²({test.df}) = {format_number(test.chi2, 2)}, p {_equals(test.p)}.",
        ]
        if self.sufficiency is not None and self.sufficiency.df > 0:
            fit = self.sufficiency
            parts.append(
                f"Test of {self.n_factors} factors: χ²({fit.df}) = {format_number(fit.chi2, 2)}, p {_equals(fit.p)}; "
                f"RMSEA {format_number(fit.rmsea, bounded=True)}, TLI {format_number(fit.tli)}, "
                f"RMSR {format_number(fit.rmsr, bounded=True)}."
            )
        return " ".join(parts)

    def __str__(self) -> str:
        return "\n\n".join(table.to_text() for table in self.tables())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return "\n".join(table.to_html() for table in self.tables())


def _row(frame: pd.DataFrame, name: str) -> list[float]:
    return [float(value) for value in frame.to_numpy(dtype=np.float64)[frame.index.get_loc(name)]]


def _equals(p: float) -> str:
    shown = format_p(p)
    return shown if shown[0] in "<>" else f"= {shown}"


def factor_tables(items: tuple[str, ...], R: Array, rotated: Rotation) -> _Frames:
    """Return everything derived from the pattern matrix and the factor correlations, labelled.

    Parameters
    ----------
    items : tuple of str, length p
    R : ndarray, shape (p, p)
        Correlation matrix.
    rotated : Rotation
        Pattern matrix, shape (p, m), and factor correlations, shape (m, m).

    Returns
    -------
    dict
        The fields `loadings`, `structure`, `phi`, `communalities`, `uniquenesses`, `complexity`, `variance` and
        `residuals` of EFA.
    """
    P, phi = rotated.loadings, rotated.phi
    index = pd.Index(items, name="item")
    factors = pd.Index([f"F{j + 1}" for j in range(P.shape[1])], name="factor")
    h2 = pd.Series(communalities_of(P, phi), index=index, name="communality")
    accounted = explained(P, phi)
    variance = {
        "ss_loadings": accounted,
        "proportion": accounted / len(items),
        "cumulative": np.cumsum(accounted) / len(items),
    }
    return {
        "loadings": pd.DataFrame(P, index=index, columns=list(factors)),
        "structure": pd.DataFrame(P @ phi, index=index, columns=list(factors)),
        "phi": pd.DataFrame(phi, index=factors, columns=list(factors)),
        "communalities": h2,
        "uniquenesses": (1.0 - h2).rename("uniqueness"),
        "complexity": pd.Series(complexity_of(P), index=index, name="complexity"),
        "variance": pd.DataFrame(variance, index=factors),
        "residuals": pd.DataFrame(R - P @ phi @ P.T, index=index, columns=list(items)),
    }
