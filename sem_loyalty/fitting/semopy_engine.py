"""The only place that knows semopy: generated text and standardised numbers in, start-quality estimates out.

semopy's optimiser is sound where the items have standard deviations near one and the tolerance is tight
(its latent variances start at 0.05 whatever the scale, and its variances cannot become negative). Its answer is
therefore asked for on standardised moments only, never trusted, and always carried to the minimum by the
kernel, which also measures everything that is reported.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.model.spec import Parameter, Specification

Array = NDArray[np.float64]

# semopy keeps bound methods on its classes: two models at once in two threads corrupt each other.
_ONE_AT_A_TIME = threading.Lock()


def unsupported(specification: Specification) -> str:
    """Return why semopy cannot fit a model, or "" where it can."""
    if specification.ordered:
        return "the items are ordinal"
    if len(specification.groups) > 1:
        return "semopy has no multi-group models"
    if specification.meanstructure:
        return "semopy's mean structures count their degrees of freedom wrongly"
    if specification.constraints or specification.equations:
        return "semopy's constraints leave the degrees of freedom unchanged"
    if not specification.latent:
        return "path models among observed variables are fitted by the kernel"
    spoken = set(specification.exogenous)
    explained = {row.lhs for row in specification.parameters if row.op == "~"}
    measured = {row.rhs for row in specification.parameters if row.op == "=~"}
    loose = [n for n in specification.observed if n not in spoken | explained | measured]
    if loose:
        return f"semopy fixes the variance of {loose[0]}, which the model estimates"
    positions = [row.free for row in specification.parameters if row.free >= 0]
    if len(set(positions)) < len(positions):
        return "semopy would hold equal parameters equal in its own metric, not in the items'"
    for latent in specification.latent:
        loadings = [row for row in specification.parameters if row.op == "=~" and row.lhs == latent]
        fixed = [row.value for row in loadings if row.free < 0]
        variance = next(r for r in specification.parameters if r.op == "~~" and r.lhs == r.rhs == latent)
        marker = fixed == [1.0] and loadings[0].free < 0 and variance.free >= 0
        unit = not fixed and variance.value == 1.0
        if not (marker or unit):
            return f"semopy's defaults cannot express how the scale of {latent} is set"
        if any(other.free < 0 and other.rhs in specification.latent and unit for other in loadings):
            return f"semopy cannot set the scale of {latent}"
    fixed_elsewhere = [
        row
        for row in specification.parameters
        if row.free < 0 and not row.exogenous and row.value not in (0.0, 1.0) and row.op in ("~", "~~")
    ]
    if fixed_elsewhere:
        return f"{fixed_elsewhere[0].name} is fixed in the metric of the items"
    return ""


def solve(specification: Specification, cov: Array, names: dict[str, int]) -> tuple[Array | None, str]:
    """Return semopy's estimates in the metric of the items, and how semopy ended.

    Parameters
    ----------
    specification : Specification
        A model for which `unsupported` is "".
    cov : ndarray, shape (p, p)
        Sample covariance matrix.
    names : dict
        Position of every observed variable in `cov`.

    Returns
    -------
    theta : ndarray, shape (q,), or None
        None where semopy failed or left the usable region.
    note : str
        semopy's own account, for the provenance of the fit.
    """
    sd = np.sqrt(np.diagonal(cov))
    safe = {name: f"v{i}" for i, name in enumerate(specification.observed)}
    safe |= {name: f"f{i}" for i, name in enumerate(specification.latent)}
    text = model_text(specification, safe)
    rows = rows_with_correlation(cov / np.outer(sd, sd))
    with _quiet_semopy() as semopy:
        try:
            import pandas as pd

            columns = [safe[name] for name in specification.observed]
            order = [names[name] for name in specification.observed]
            model = semopy.Model(text)
            result = model.fit(
                pd.DataFrame(rows[:, order], columns=columns), obj="MLW", options={"ftol": 1e-12, "maxiter": 2000}
            )
        except Exception as error:
            return None, f"semopy failed: {type(error).__name__}: {error}"
    values = _read(model, specification, safe)
    theta = _to_item_metric(specification, values, dict(zip(specification.observed, sd[order], strict=True)))
    note = "converged" if result.success else f"did not converge: {result.message}"
    if theta is None or not np.isfinite(theta).all():
        return None, f"semopy {note}, at a solution without usable values"
    return theta, f"semopy {note}"


def rows_with_correlation(correlation: Array) -> Array:
    """Return 2 p rows with mean zero whose covariance matrix (divided by rows) is exactly `correlation`."""
    p = len(correlation)
    factor = np.linalg.cholesky(correlation).T * np.sqrt(p)
    return np.concatenate([factor, -factor])


def model_text(specification: Specification, safe: dict[str, str]) -> str:
    """Return the model in semopy's syntax with generated names; every covariance is stated, none is implied."""
    lines: list[str] = []
    stated: set[frozenset[str]] = set()
    unit = _unit_latents(specification)
    for latent in specification.latent:
        terms = []
        for position, row in enumerate(r for r in specification.parameters if r.op == "=~" and r.lhs == latent):
            fixed = row.value if row.free < 0 else (1.0 if latent in unit and position == 0 else None)
            terms.append(_term(fixed, safe[row.rhs]))
        lines.append(f"{safe[latent]} =~ " + " + ".join(terms))
    for row in specification.parameters:
        if row.op == "~":
            lines.append(f"{safe[row.lhs]} ~ {_term(row.value, safe[row.rhs])}")
        elif row.op == "~~" and not row.exogenous:
            stated.add(frozenset((row.lhs, row.rhs)))
            value = None if row.lhs == row.rhs and row.lhs in unit else row.value
            lines.append(f"{safe[row.lhs]} ~~ {_term(value, safe[row.rhs])}")
    explained = {row.lhs for row in specification.parameters if row.op == "~"}
    measured = {row.rhs for row in specification.parameters if row.op == "=~"}
    free = [name for name in specification.latent if name not in explained | measured]
    for pair in combinations((*free, *specification.exogenous), 2):
        if frozenset(pair) not in stated and not set(pair) <= set(specification.exogenous):
            lines.append(f"{safe[pair[0]]} ~~ 0*{safe[pair[1]]}")
    return "\n".join(lines)


def _term(fixed: float | None, name: str) -> str:
    return name if fixed is None else f"{fixed:.17g}*{name}"


def _unit_latents(specification: Specification) -> set[str]:
    """Return the latent variables whose scale is set by a unit variance."""
    latent = set(specification.latent)
    return {
        r.lhs for r in specification.parameters if r.op == "~~" and r.lhs == r.rhs and r.lhs in latent and r.free < 0
    }


def _read(model: Any, specification: Specification, safe: dict[str, str]) -> dict[Parameter, float]:
    """Return semopy's value of every free row and of the rows that set a latent scale, in its own metric."""
    found: dict[tuple[str, str, str], float] = {}
    for kind in ("lambda", "beta", "psi", "theta"):
        matrix = getattr(model, f"mx_{kind}")
        rows, columns = getattr(model, f"names_{kind}")
        op = "A" if kind in ("lambda", "beta") else "S"
        for i, row_name in enumerate(rows):
            for j, column_name in enumerate(columns):
                value = float(matrix[i, j])
                if value != 0.0 or (op, row_name, column_name) not in found:
                    found[op, row_name, column_name] = value
    values: dict[Parameter, float] = {}
    for row in specification.parameters:
        lhs, rhs = safe[row.lhs], safe[row.rhs]
        if row.op == "=~":
            values[row] = found.get(("A", rhs, lhs), np.nan)
        elif row.op == "~":
            values[row] = found.get(("A", lhs, rhs), np.nan)
        else:
            values[row] = found.get(("S", lhs, rhs), found.get(("S", rhs, lhs), np.nan))
    return values


def _to_item_metric(specification: Specification, values: dict[Parameter, float], sd: dict[str, float]) -> Array | None:
    """Undo the standardisation of items, and the marker that stood in for unit variances."""
    scale = dict(sd)
    unit = _unit_latents(specification)
    for latent in specification.latent:
        if latent in unit:
            variance = next(v for r, v in values.items() if r.op == "~~" and r.lhs == r.rhs == latent)
            if not variance > 0:
                return None
            scale[latent] = 1.0 / float(np.sqrt(variance))
    pending = [latent for latent in specification.latent if latent not in scale]
    while pending:
        for latent in pending:
            marker = next(r for r in specification.parameters if r.op == "=~" and r.lhs == latent)
            if marker.rhs in scale:
                scale[latent] = scale[marker.rhs]
        remaining = [latent for latent in pending if latent not in scale]
        if len(remaining) == len(pending):
            return None
        pending = remaining
    theta = np.full(specification.n_free, np.nan)
    for row, value in values.items():
        if row.free < 0:
            continue
        lhs, rhs = scale[row.lhs], scale[row.rhs]
        factor = {"=~": rhs / lhs, "~": lhs / rhs, "~~": lhs * rhs}[row.op]
        theta[row.free] = value * factor
    return theta


@contextmanager
def _quiet_semopy() -> Iterator[Any]:
    """Import semopy and keep its warnings and its use of the root logger to ourselves."""
    root = logging.getLogger()
    silence = logging.NullHandler()
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        previous = logging.root.manager.disable
        root.addHandler(silence)
        logging.disable(logging.CRITICAL)
        try:
            import semopy

            yield semopy
        finally:
            logging.disable(previous)
            root.removeHandler(silence)
