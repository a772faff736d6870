"""`bootstrap_plot`: the distributions behind bootstrap intervals."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sem_loyalty.errors import ConfigurationError, NotSupported, nearest
from sem_loyalty.inference.bootstrap import Bootstrap
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.plots.charts import Look
from sem_loyalty.publish.plots.draws import Draws, histograms
from sem_loyalty.publish.plots.page import drawn, look_of, noted
from sem_loyalty.publish.plots.picture import Picture
from sem_loyalty.publish.tables import basis

#: Distributions that a page of 183 by 247 mm holds in three columns, and those that are drawn unless asked for more.
MOST, USUAL = 18, 12


def bootstrap_plot(
    result: Bootstrap,
    path: str | os.PathLike[str] | None = None,
    *,
    parameters: Sequence[str] | None = None,
    solution: str = "std_all",
    interval: str | None = None,
    level: float = 0.95,
    labels: Mapping[str, str] | None = None,
    lang: str = "en",
    note: str | None = None,
    remark: str = "",
    width_mm: float = 160.0,
) -> Picture:
    """Draw the bootstrap distributions of parameters with their estimates and intervals.

    Parameters
    ----------
    result : Bootstrap
        From `bootstrap`. One of a fit without certificate is drawn in grey under a warning.
    path : path, optional
        Where to save it: .svg, .pdf or .png.
    parameters : sequence of str, optional
        Up to 18 of them, as "LOY ~ SAT", "SAT =~ sat2", a label or the name of a defined parameter. By default
        defined parameters and paths, the first 12 of them, or loadings in a model without either.
    solution : {"std_all", "std_lv", "raw"}, default "std_all"
    interval : {"bca", "percentile", "basic"}, optional
    level : float, default 0.95
        As in `Bootstrap.estimates`.
    labels, lang, note, remark, width_mm
        As in `loadings_plot`.

    Returns
    -------
    Picture
        Draws beyond the outermost 0.1% are counted in the outer bars.

    Raises
    ------
    NotSupported
        Another result.
    ConfigurationError
        Unknown parameters, or more than 18; unknown solution, interval, language or file type; a width out of range.
    """
    if not isinstance(result, Bootstrap):
        raise NotSupported(f"bootstrap_plot draws a Bootstrap, not {type(result).__name__}.")
    look = look_of(labels, lang, width_mm, certified=result.certified)
    table = result.estimates(level=level, interval=interval, solution=solution)
    values = result.distribution(solution=solution)
    named = _named(table, result)
    chosen = _usual(table, values) if parameters is None else _asked(parameters, named)
    found = []
    for i in chosen:
        row = table.iloc[i]
        finite = values[i][np.isfinite(values[i])]
        found.append(
            Draws(_title(row, look, result), finite, float(row["est"]), float(row["ci_lower"]), float(row["ci_upper"]))
        )
    moments, kept = result.fit.moments, table.attrs
    who = basis(
        lang,
        n={group.label: group.n for group in moments.groups},
        estimator=result.fit.estimator,
        missing=word(f"missing_{moments.missing}", lang),
    )
    failed = word("draws_failed", lang, n=f"{result.failed:,}") if result.failed else ""
    said = word(
        "draws_note",
        lang,
        draws=f"{len(result.converged):,}",
        failed=failed,
        what=word(f"draws_{solution}", lang),
        level=f"{100 * level:g}",
        interval=word(f"interval_{kept['interval']}", lang),
    )
    return drawn(histograms(found, noted(look, note, remark, who, said)), path)


def _named(table: pd.DataFrame, result: Bootstrap) -> dict[str, int]:
    """Return the row of every name that a parameter may be called by."""
    several = len(result.fit.specification.groups) > 1
    found: dict[str, int] = {}
    for i, row in enumerate(table.to_dict("records")):
        name = _plain(row)
        if several and row["group"]:
            found.setdefault(f"{name} [{result.fit.specification.groups[row['group'] - 1]}]", i)
        for key in (name, str(row["label"])):
            if key:
                found.setdefault(key, i)
    return found


def _plain(row: Mapping[Any, Any]) -> str:
    if row["op"] == ":=":
        return str(row["lhs"])
    return f"{row['lhs']} ~ 1" if row["op"] == "~1" else f"{row['lhs']} {row['op']} {row['rhs']}"


def _varies(table: pd.DataFrame, values: Any, i: int) -> bool:
    finite = values[i][np.isfinite(values[i])]
    ends = table[["ci_lower", "ci_upper"]].iloc[i].to_numpy(dtype=float)
    return len(finite) > 1 and bool(np.ptp(finite) > 0) and bool(np.isfinite(ends).all())


def _usual(table: pd.DataFrame, values: Any) -> list[int]:
    """Return what is drawn unless asked: defined parameters and paths, else loadings, else everything that varies."""
    varying = [i for i in range(len(table)) if _varies(table, values, i)]
    ops = table["op"].tolist()
    paths = [i for i in varying if ops[i] == "~"]
    found = paths + [i for i in varying if ops[i] == ":="]
    found = found or [i for i in varying if ops[i] == "=~"] or varying
    if not found:
        raise ConfigurationError("No parameter varies over the draws, so there is no distribution to draw.")
    return found[:USUAL]


def _asked(parameters: Sequence[str], named: Mapping[str, int]) -> list[int]:
    asked = [" ".join(name.split()) for name in dict.fromkeys(parameters)]
    for name in asked:
        if name not in named:
            raise ConfigurationError(f"{name!r} is not a parameter of the model. {nearest(name, named)}".strip())
    if not 0 < len(asked) <= MOST:
        raise ConfigurationError(f"A page holds from 1 to {MOST} distributions, not {len(asked)}: name fewer.")
    return [named[name] for name in asked]


def _title(row: pd.Series[Any], look: Look, result: Bootstrap) -> str:
    """Return a parameter as a reader knows it: "Satisfaction → Loyalty"."""
    lhs, op, rhs = str(row["lhs"]), str(row["op"]), str(row["rhs"])
    said = {
        "~": f"{look.name(rhs)} → {look.name(lhs)}",
        "=~": f"{look.name(lhs)} → {look.name(rhs)}",
        "~~": f"{look.name(lhs)} ↔ {look.name(rhs)}",
        ":=": look.name(lhs),
    }.get(op, _plain(row.to_dict()))
    label = result.fit.specification.groups[int(row["group"]) - 1] if row["group"] else ""
    return f"{label}: {said}" if label else said
