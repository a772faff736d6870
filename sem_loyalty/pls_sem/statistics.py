"""Everything a path model of composites says, as one list: what bootstrap, permutation and comparison work on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.inference.routes import Structure
from sem_loyalty.pls_sem.criteria import effect_sizes, ratios
from sem_loyalty.pls_sem.path_model import PathModel
from sem_loyalty.pls_sem.solve import Solved

Array = NDArray[np.float64]

KINDS = ("path", "total", "indirect", "weight", "loading", "r2", "f2", "htmt")
ARROW = " -> "


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """What the statistics of a model are.

    Attributes
    ----------
    frame : DataFrame
        One row per statistic: kind, name ("A -> B", "A -> M -> B", "A: a1", "A ~ B" or "A"), cause and outcome (""
        where there are none).
    where : dict of str to ndarray of int
        By kind: positions in the arrays of `Solved`, one row per statistic.
    routes : tuple of tuple of int
        Constructs along every indirect route.
    """

    frame: pd.DataFrame
    where: dict[str, NDArray[np.intp]]
    routes: tuple[tuple[int, ...], ...]


def structure(model: PathModel) -> Structure:
    """Return the paths of the model as a graph."""
    edges = {(int(j), int(i)): k for k, (i, j) in enumerate(np.argwhere(model.design.path))}
    return Structure(group=1, names=model.constructs, edges=edges)


def listing(model: PathModel) -> Listing:
    """List the statistics of a model."""
    names, design = model.constructs, model.design
    graph = structure(model)
    size = len(names)
    pairs = [(i, j) for j in range(size) for i in graph.reached(j)]
    routes = tuple(r for i, j in pairs for r in graph.routes(j, i) if len(r) > 2)
    paths = np.argwhere(design.path)
    entries = np.arange(len(design.item))
    outcomes = np.flatnonzero(design.path.any(axis=1))
    lower = np.array([(i, j) for i in range(size) for j in range(i)], dtype=np.intp).reshape(-1, 2)
    records: list[tuple[str, str, str, str]] = []
    records += [("path", names[j] + ARROW + names[i], names[j], names[i]) for i, j in paths]
    records += [("total", names[j] + ARROW + names[i], names[j], names[i]) for i, j in pairs]
    records += [("indirect", ARROW.join(names[k] for k in r), names[r[0]], names[r[-1]]) for r in routes]
    for kind in ("weight", "loading"):
        records += [(kind, f"{names[design.construct[e]]}: {model.items[design.item[e]]}", "", "") for e in entries]
    records += [("r2", names[i], "", names[i]) for i in outcomes]
    records += [("f2", names[j] + ARROW + names[i], names[j], names[i]) for i, j in paths]
    records += [("htmt", f"{names[i]} ~ {names[j]}", "", "") for i, j in lower]
    where = {
        "path": paths,
        "total": np.array(pairs, dtype=np.intp).reshape(-1, 2),
        "r2": outcomes,
        "f2": paths,
        "htmt": lower,
    }
    return Listing(pd.DataFrame(records, columns=["kind", "name", "cause", "outcome"]), where, routes)


def statistics(model: PathModel, solved: Solved, found: Listing) -> Array:
    """Return the values of all statistics, shape (k, L)."""
    design = model.design
    take = found.where
    total = total_effects(model, solved.paths)
    sizes = effect_sizes(design, solved.cor, solved.paths, solved.r2)
    htmt = ratios(design, solved.correlation)
    lanes = solved.cor.shape[2]
    along = np.ones((len(found.routes), lanes))
    for k, route in enumerate(found.routes):
        for cause, outcome in pairwise(route):
            along[k] *= solved.paths[outcome, cause]
    return np.concatenate(
        [
            solved.paths[tuple(take["path"].T)],
            total[tuple(take["total"].T)],
            along,
            solved.composites.weights,
            solved.loadings,
            solved.r2[take["r2"]],
            sizes[tuple(take["f2"].T)],
            htmt[tuple(take["htmt"].T)],
        ]
    )


def total_effects(model: PathModel, paths: Array) -> Array:
    """Return the total effects, [outcome, cause], shape (J, J, L): those of the causes of an outcome come first."""
    design = model.design
    total = np.zeros_like(paths)
    done: set[int] = set()
    while len(done) < design.size:
        for i in range(design.size):
            causes = design.causes(i)
            if i in done or not set(causes) <= done:
                continue
            for c in causes:
                total[i] += paths[i, c] * total[c]
                total[i, c] += paths[i, c]
            done.add(i)
    return total
