"""Figures in print that travel with the package, and the simulated demonstration survey."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Column, Table
from sem_loyalty.errors import DataError, SpecificationError, check_choice, nearest
from sem_loyalty.model.library import load_model

Array = NDArray[np.float64]
FOLDER = Path(__file__).resolve().parent / "datasets"
_EMPTY: Mapping[str, Any] = MappingProxyType({})
METHODS = ("ml", "pls-centroid", "pls-path", "plsc")


@dataclass(frozen=True, slots=True)
class Analysis:
    """A published analysis, to be repeated on the printed figures.

    Attributes
    ----------
    id, what : str
        Its name and what it estimates.
    text : str
        lavaan text, fitted to the correlations.
    printed : str
        Key of `PublishedMatrix.printed` that holds its paths.
    names : mapping of str to str
        What a variable of the text is called in print, where it differs.
    reliability : mapping of str to float
        Reliabilities by which the correlations are corrected for attenuation first; empty for none.
    note : str
        What cannot be compared, and why.
    method : {"ml", "pls-centroid", "pls-path", "plsc"}
        Maximum likelihood; partial least squares with centroid or path weighting; consistent partial least squares
        from correlations of composites.
    loadings : mapping of str to tuple of float
        Printed loadings by construct, for "plsc"; empty otherwise.
    """

    id: str
    what: str
    text: str
    printed: str
    names: Mapping[str, str]
    reliability: Mapping[str, float]
    note: str
    method: str
    loadings: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class PublishedMatrix:
    """A covariance or correlation matrix from the literature, with what was printed about it.

    Attributes
    ----------
    id : str
        Its name in `published`.
    what : str
        What the figures are.
    citation, doi : str
        Where they come from.
    n : int
        Respondents.
    names : tuple of str, length p
        Items.
    cov : ndarray, shape (p, p)
        Covariances, divided by n - 1; made from correlations and standard deviations where those are the source.
        Where no standard deviations are known it is the correlation matrix. Read-only.
    sd : ndarray, shape (p,)
        Standard deviations: the square roots of the diagonal of `cov`. Read-only.
    means : ndarray, shape (p,), or None
        Means, where they are known. Read-only.
    source : {"cov", "cor"}
        What the source gives.
    note : str
        What a user must know.
    model : str or None
        Id, in the library, of the model that goes with the figures.
    printed : mapping of str to mapping of str to float
        Results in print by name of the result, then by path ("Image -> Loyalty") or item; empty where none were read.
    printed_source : mapping of str to str
        Where each of `printed` is printed.
    analyses : tuple of Analysis
        What can be repeated on these figures; none where no results in print were read.
    """

    id: str
    what: str
    citation: str
    doi: str
    n: int
    names: tuple[str, ...]
    cov: Array
    sd: Array
    means: Array | None
    source: str
    note: str
    model: str | None
    printed: Mapping[str, Mapping[str, float]]
    printed_source: Mapping[str, str]
    analyses: tuple[Analysis, ...]

    @property
    def cor(self) -> Array:
        """Correlations, shape (p, p), with an exact unit diagonal."""
        correlations = self.cov / np.outer(self.sd, self.sd)
        np.fill_diagonal(correlations, 1.0)
        return np.asarray(correlations, dtype=np.float64)

    @property
    def model_text(self) -> str | None:
        """The lavaan text of the model that goes with the figures, or None."""
        return None if self.model is None else load_model(self.model).text

    def frame(self) -> pd.DataFrame:
        """Return `cov` with the names of the items on both sides."""
        return pd.DataFrame(self.cov.copy(), index=list(self.names), columns=list(self.names))

    def table(self) -> Table:
        """Return means, standard deviations and correlations (lower triangle) as a Table."""
        columns = [Column("item", "Item"), Column("mean", "M", "number", 2), Column("sd", "SD", "number", 2)]
        columns += [Column(f"r{k + 1}", str(k + 1), "number", 2, bounded=True) for k in range(len(self.names) - 1)]
        if self.means is None:
            del columns[1]
        correlations = self.cor
        rows = []
        for position, name in enumerate(self.names):
            row: dict[str, object] = {"item": f"{position + 1}. {name}", "sd": float(self.sd[position])}
            if self.means is not None:
                row["mean"] = float(self.means[position])
            row |= {f"r{k + 1}": float(correlations[position, k]) for k in range(position)}
            rows.append(row)
        where = f" https://doi.org/{self.doi}" if self.doi else ""
        note = f"n = {self.n}. {self.citation}{where} {self.note}"
        return Table(f"published-{self.id}", self.what, tuple(columns), tuple(rows), note=note)

    def __str__(self) -> str:
        return self.table().to_text()

    def __repr__(self) -> str:
        return f"<PublishedMatrix {self.id}: {len(self.names)} items, n = {self.n}; {self.citation}>"

    def _repr_html_(self) -> str:
        return self.table().to_html()


def published() -> pd.DataFrame:
    """Return the published figures that travel with the package.

    Returns
    -------
    DataFrame
        id, what, n, items, printed (how many results in print), citation and doi; one row each, sorted by id.
    """
    loaded = [load_published(id) for id in _files()]
    rows = [(p.id, p.what, p.n, len(p.names), len(p.printed), p.citation, p.doi) for p in loaded]
    return pd.DataFrame(rows, columns=["id", "what", "n", "items", "printed", "citation", "doi"])


def load_published(id: str) -> PublishedMatrix:
    """Return published figures.

    Parameters
    ----------
    id : str
        One that `published` lists.

    Returns
    -------
    PublishedMatrix

    Raises
    ------
    SpecificationError
        If there are no such figures; the message lists those that there are.
    DataError
        If the file is damaged: sizes that differ, or a matrix that is not positive definite.
    """
    files = _files()
    if id not in files:
        hint = nearest(id, files)
        raise SpecificationError(f"There are no published figures {id!r}. {hint} There are: {', '.join(files)}.")
    try:
        content = json.loads(files[id].read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{files[id]} is damaged: {error}.") from error
    return matrix_from(content)


def matrix_from(content: Mapping[str, Any]) -> PublishedMatrix:
    """Return published figures from the content of their file, checked.

    Parameters
    ----------
    content : mapping
        Keys id, what, citation, doi, n, names, note; "cov" or "cor" as a lower triangle with its diagonal, row by row;
        and optionally sd, means, model, printed ({name: {"source": text, "values": {...}}}) and analyses (tables with
        the attributes of `Analysis`). doi is "" where the work has none.

    Returns
    -------
    PublishedMatrix

    Raises
    ------
    DataError
        If a key is missing, sizes differ, numbers are not finite, a diagonal is wrong or the matrix is not positive
        definite; the message lists everything that is wrong.
    """
    required = ("id", "what", "citation", "doi", "n", "names", "note")
    problems = [f"'{key}' is missing" for key in required if key not in content]
    if ("cov" in content) == ("cor" in content):
        problems.append("there must be either 'cov' or 'cor'")
    if problems:
        raise DataError(f"Published figures {content.get('id', '')!r}: {'; '.join(problems)}.")
    names = tuple(str(name) for name in content["names"])
    size = len(names)
    source = "cov" if "cov" in content else "cor"
    rows = [[float(value) for value in row] for row in content[source]]
    if len(set(names)) < size:
        problems.append("an item is named twice")
    if [len(row) for row in rows] != list(range(1, size + 1)):
        problems.append(f"{source} is not a lower triangle of {size} rows")
    for key in ("sd", "means"):
        if key in content and len(content[key]) != size:
            problems.append(f"{key} has {len(content[key])} values for {size} items")
    flat = [*(value for row in rows for value in row), *content.get("sd", ()), *content.get("means", ())]
    if not all(math.isfinite(value) for value in flat):
        problems.append("a number is not finite")
    if not isinstance(content["n"], int) or content["n"] <= size:
        problems.append(f"n = {content['n']} is too few for {size} items")
    if problems:
        raise DataError(f"Published figures {content['id']!r}: {'; '.join(problems)}.")
    matrix = np.zeros((size, size))
    for position, row in enumerate(rows):
        matrix[position, : position + 1] = matrix[: position + 1, position] = row
    if source == "cor" and not np.array_equal(np.diag(matrix), np.ones(size)):
        problems.append("the diagonal of cor is not 1")
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest <= 0:
        problems.append(f"{source} is not positive definite (smallest eigenvalue {smallest:.3g})")
    sd = np.sqrt(np.diag(matrix)) if source == "cov" else np.array(content.get("sd", np.ones(size)), dtype=np.float64)
    if not (sd > 0).all():
        problems.append("a standard deviation is not positive")
    if problems:
        raise DataError(f"Published figures {content['id']!r}: {'; '.join(problems)}.")
    cov = matrix if source == "cov" else matrix * np.outer(sd, sd)
    means = np.array(content["means"], dtype=np.float64) if "means" in content else None
    for array in (cov, sd, means):
        if array is not None:
            array.setflags(write=False)
    printed = content.get("printed", _EMPTY)
    return PublishedMatrix(
        id=content["id"], what=content["what"], citation=content["citation"], doi=content["doi"], n=content["n"],
        names=names, cov=cov, sd=sd, means=means, source=source, note=content["note"], model=content.get("model"),
        printed=MappingProxyType({key: MappingProxyType(dict(result["values"])) for key, result in printed.items()}),
        printed_source=MappingProxyType({key: str(result["source"]) for key, result in printed.items()}),
        analyses=tuple(_analysis(entry, content["id"], names, printed) for entry in content.get("analyses", ())),
    )  # fmt: skip


def _analysis(entry: Mapping[str, Any], id: str, names: tuple[str, ...], printed: Mapping[str, Any]) -> Analysis:
    """Return an analysis, checked against the figures that it belongs to."""
    where = f"Published figures {id!r}, analysis {entry.get('id', '')!r}"
    missing = [key for key in ("id", "what", "text", "printed", "note") if key not in entry]
    if missing:
        raise DataError(f"{where}: {', '.join(missing)} missing.")
    if entry["printed"] not in printed:
        raise DataError(f"{where}: {entry['printed']!r} is not among the printed results.")
    method = entry.get("method", "ml")
    check_choice("method", method, METHODS)
    reliability = {str(name): float(value) for name, value in entry.get("reliability", {}).items()}
    if reliability and (set(reliability) != set(names) or not all(0 < value <= 1 for value in reliability.values())):
        raise DataError(f"{where}: reliability must have a value from 0 to 1 for each of {', '.join(names)}.")
    return Analysis(
        entry["id"], entry["what"], entry["text"], entry["printed"],
        MappingProxyType(dict(entry.get("names", {}))), MappingProxyType(reliability), entry["note"], method,
        MappingProxyType({name: tuple(values) for name, values in entry.get("loadings", {}).items()}),
    )  # fmt: skip


def demo_path() -> Path:
    """Return the path of demo.csv: 600 simulated respondents, not collected from anybody.

    The answers follow the population of the library's model "core" (``load_model("core").population``); demo.toml
    beside it says how they were made. Reverse-worded questions are recorded as answered (columns ``sat4_r`` and
    ``tru3_r``), and 99 means "cannot say": read the file with its codebook, `demo_codebook_path`.
    """
    return FOLDER / "demo.csv"


def demo_codebook_path() -> Path:
    """Return the path of demo_codebook.csv: what each column of demo.csv means, in English and Chinese."""
    return FOLDER / "demo_codebook.csv"


def demo_transactions_path() -> Path:
    """Return the path of demo_transactions.csv: simulated purchases in the two years after the demonstration survey.

    One row a purchase: customer (``id`` of demo.csv; those that begin with "X" did not answer), date, amount.
    """
    return FOLDER / "demo_transactions.csv"


def demo_wallet_path() -> Path:
    """Return the path of demo_wallet.csv: simulated spending in the category, by customer of the log."""
    return FOLDER / "demo_wallet.csv"


def _files() -> dict[str, Path]:
    return {path.stem: path for path in sorted(FOLDER.glob("*.json"))}
