"""Published analyses repeated on their printed figures, coefficient by coefficient."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sem_loyalty.display import Column, Table
from sem_loyalty.errors import ImproperSolutionWarning
from sem_loyalty.fitting.fit import fit
from sem_loyalty.inference.estimates import estimates
from sem_loyalty.survey.published import Analysis, PublishedMatrix, load_published, published

# What two numbers printed with two decimals may differ by and still be the same number.
_ROUNDING = 0.005


@dataclass(frozen=True, slots=True, repr=False)
class Replication:
    """A published analysis beside its repetition, or the reason why there is none.

    Attributes
    ----------
    figures : PublishedMatrix
    analysis : Analysis or None
        None where nothing can be repeated.
    rows : DataFrame
        path, printed, reproduced, difference; empty where nothing can be repeated.
    certified : bool
        Whether the fit behind it is certified.
    reason : str
        Why nothing was repeated, or "".
    """

    figures: PublishedMatrix
    analysis: Analysis | None
    rows: pd.DataFrame
    certified: bool
    reason: str

    @property
    def largest(self) -> float:
        """The largest absolute difference; nan where nothing was repeated."""
        return float(self.rows["difference"].abs().max()) if len(self.rows) else float("nan")

    def table(self) -> Table:
        """Return printed and reproduced paths as a Table."""
        columns = (
            Column("path", "Path"),
            Column("printed", "Printed", "number", 3, bounded=True),
            Column("reproduced", "Reproduced", "number", 3, bounded=True),
            Column("difference", "Difference", "number", 3, bounded=True),
        )
        rows: tuple[dict[str, object], ...] = tuple(self.rows.to_dict("records"))  # type: ignore[arg-type]
        id = self.figures.id + (f"-{self.analysis.id}" if self.analysis is not None else "")
        return Table(f"replication-{id}", "", columns, rows)

    def __str__(self) -> str:
        where = f" https://doi.org/{self.figures.doi}" if self.figures.doi else ""
        head = f"{self.figures.id}: {self.figures.citation}{where}"
        if self.analysis is None:
            return f"{head}\nNot replicated: {self.reason}"
        same = int((self.rows["difference"].abs() <= _ROUNDING).sum())
        said = [
            f"{self.analysis.what} (N = {self.figures.n}; {self.figures.printed_source[self.analysis.printed]})",
            self.table().to_text(),
            f"{same} of {len(self.rows)} paths within {_ROUNDING} of print; largest difference {self.largest:.3f}.",
        ]
        if not self.certified:
            said.insert(0, "NOT CERTIFIED: the reproduced paths must not be reported.")
        return "\n".join([head, *said, f"Figures: {self.figures.note}", f"Here: {self.analysis.note}"])

    def __repr__(self) -> str:
        what = self.reason if self.analysis is None else f"largest difference {self.largest:.3f}"
        return f"<Replication {self.figures.id}: {what}>"


def overview(replications: Sequence[Replication]) -> Table:
    """Return one row per analysis: how many figures were compared, how many are as printed, the largest difference.

    Parameters
    ----------
    replications : sequence of Replication
        From `replicate`.

    Returns
    -------
    Table
    """
    columns = (
        Column("id", "Figures"),
        Column("analysis", "Analysis"),
        Column("paths", "Compared", "int"),
        Column("same", f"Within {_ROUNDING}", "int"),
        Column("largest", "Largest difference", "number", 3, bounded=True),
    )
    rows: tuple[dict[str, object], ...] = tuple(
        {
            "id": entry.figures.id,
            "analysis": entry.analysis.id if entry.analysis is not None else "not replicated",
            "paths": len(entry.rows) if entry.analysis is not None else None,
            "same": int((entry.rows["difference"].abs() <= _ROUNDING).sum()) if entry.analysis is not None else None,
            "largest": entry.largest if entry.analysis is not None else None,
        }
        for entry in replications
    )
    note = "The reasons for differences stand with each study above."
    return Table("replications", "Published studies, fitted again to their printed figures", columns, rows, note)


def replicate(id: str | None = None) -> tuple[Replication, ...]:
    """Fit published models to their printed figures and set the paths beside the printed ones.

    Parameters
    ----------
    id : str, optional
        Figures that `published` lists; all of them by default.

    Returns
    -------
    tuple of Replication
        One per analysis. Figures without results in print, or with results of a method that is not available, come
        with the reason instead.

    Raises
    ------
    SpecificationError
        There are no such figures.

    Notes
    -----
    Models are fitted to correlations by maximum likelihood. Where an analysis says so, correlations are divided by the
    square root of the product of two reliabilities first: correction for attenuation, which turns the correlations of
    composites into those of consistent partial least squares (Dijkstra and Henseler 2015,
    doi:10.25300/MISQ/2015/39.2.02).

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> (again,) = sl.replicate("schivinski2015")
    >>> round(again.largest, 3)
    0.016
    """
    ids = list(published()["id"]) if id is None else [id]
    return tuple(entry for name in ids for entry in _replications(load_published(name)))


def _replications(figures: PublishedMatrix) -> list[Replication]:
    if figures.analyses:
        return [_replication(figures, analysis) for analysis in figures.analyses]
    reason = "no results in print were read, so there is nothing to compare with."
    if figures.printed:
        reason = "the printed results are partial least squares, which this version does not have."
    empty = pd.DataFrame(columns=["path", "printed", "reproduced", "difference"])
    return [Replication(figures, None, empty, False, f"{reason} {figures.note}")]


def _replication(figures: PublishedMatrix, analysis: Analysis) -> Replication:
    correlations = figures.cor
    if analysis.reliability:
        root = np.sqrt([analysis.reliability[name] for name in figures.names])
        correlations = correlations / np.outer(root, root)
        np.fill_diagonal(correlations, 1.0)
    matrix = pd.DataFrame(correlations, index=list(figures.names), columns=list(figures.names))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImproperSolutionWarning)  # said in the result instead
        fitted = fit(analysis.text, sample_cov=matrix, sample_nobs=figures.n)
    found = estimates(fitted)
    found = found[found["op"] == "~"]

    def called(name: str) -> str:
        return analysis.names.get(name, name)

    reproduced = {
        f"{called(str(row['rhs']))} -> {called(str(row['lhs']))}": float(row["std_all"])
        for row in found.to_dict("records")
    }
    rows = [
        (path, printed, reproduced[path], reproduced[path] - printed)
        for path, printed in figures.printed[analysis.printed].items()
    ]
    frame = pd.DataFrame(rows, columns=["path", "printed", "reproduced", "difference"])
    return Replication(figures, analysis, frame, fitted.certificate.certified, "")
