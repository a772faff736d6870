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
from sem_loyalty.pls_sem.estimate import pls
from sem_loyalty.pls_sem.printed import plsc_from_printed
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
            Column("path", "Path or item"),
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
            f"{same} of {len(self.rows)} figures within {_ROUNDING} of print; largest difference {self.largest:.3f}.",
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
        One per analysis. Figures without results in print come with the reason instead.

    Raises
    ------
    SpecificationError
        There are no such figures.

    Notes
    -----
    Models are fitted to correlations by the method of the article. Where an analysis says so, correlations are divided
    by the square root of the product of two reliabilities first: correction for attenuation, which turns the
    correlations of composites into those of consistent partial least squares (Dijkstra and Henseler 2015,
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
    empty = pd.DataFrame(columns=["path", "printed", "reproduced", "difference"])
    return [Replication(figures, None, empty, False, f"{reason} {figures.note}")]


def _replication(figures: PublishedMatrix, analysis: Analysis) -> Replication:
    repeat = {"ml": _by_likelihood, "plsc": _by_consistent_pls}.get(analysis.method, _by_pls)
    reproduced, sound = repeat(figures, analysis)
    rows = [
        (path, printed, reproduced[path], reproduced[path] - printed)
        for path, printed in figures.printed[analysis.printed].items()
    ]
    frame = pd.DataFrame(rows, columns=["path", "printed", "reproduced", "difference"])
    return Replication(figures, analysis, frame, sound, "")


def _by_likelihood(figures: PublishedMatrix, analysis: Analysis) -> tuple[dict[str, float], bool]:
    """Return standardised paths by maximum likelihood, and whether the fit is certified."""
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
    paths = zip(found["rhs"], found["lhs"], found["std_all"], strict=True)
    return {_path(analysis, cause, outcome): float(est) for cause, outcome, est in paths}, fitted.certificate.certified


def _by_pls(figures: PublishedMatrix, analysis: Analysis) -> tuple[dict[str, float], bool]:
    """Return paths, and loadings by item, by partial least squares, and whether the solution is admissible."""
    scheme = analysis.method.removeprefix("pls-")
    found = pls(analysis.text, sample_cov=figures.frame(), sample_nobs=figures.n, scheme=scheme)
    paths = found.path_coefficients()
    loadings = found.outer_model()
    values = dict(zip(map(str, loadings["item"]), map(float, loadings["loading"]), strict=True))
    for cause, outcome, est in zip(paths["cause"], paths["outcome"], paths["est"], strict=True):
        values[_path(analysis, cause, outcome)] = float(est)
    return values, found.admissible


def _by_consistent_pls(figures: PublishedMatrix, analysis: Analysis) -> tuple[dict[str, float], bool]:
    """Return paths from printed correlations of composites and their loadings."""
    found = plsc_from_printed(analysis.text, figures.frame(), loadings=dict(analysis.loadings))
    paths = zip(found.paths["cause"], found.paths["outcome"], found.paths["est"], strict=True)
    return {_path(analysis, cause, outcome): float(est) for cause, outcome, est in paths}, not found.problems


def _path(analysis: Analysis, cause: str, outcome: str) -> str:
    """Return a path as it is called in print."""
    return " -> ".join(analysis.names.get(str(name), str(name)) for name in (cause, outcome))
