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

KINDS = ("path", "total", "indirect", "interaction", "r2", "f2", "weight", "loading", "htmt")
ARROW = " -> "


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """What the statistics of a model are.

    Attributes
    ----------
    frame : DataFrame
        One row per statistic: kind, stage (from 1), name ("A -> B", "A -> M -> B", "A: a1", "A ~ B" or "A"), cause and
        outcome ("" where there are none).
    pairs : ndarray of int, shape (t, 2)
        Outcome and cause of every total effect.
    routes : tuple of tuple of int
        Constructs along every indirect route.
    products : ndarray of int, shape (k, 2)
        Outcome and cause of the paths of products of composites.
    stages : tuple of PathModel
        Stages whose weights, loadings and HTMT are listed, the last one first.
    """

    frame: pd.DataFrame
    pairs: NDArray[np.intp]
    routes: tuple[tuple[int, ...], ...]
    products: NDArray[np.intp]
    stages: tuple[PathModel, ...]


def structure(model: PathModel) -> Structure:
    """Return the paths of the model as a graph."""
    edges = {(int(j), int(i)): k for k, (i, j) in enumerate(np.argwhere(model.design.path))}
    return Structure(group=1, names=model.constructs, edges=edges)


def listing(model: PathModel) -> Listing:
    """List the statistics of a model."""
    names, design = model.constructs, model.design
    graph = structure(model)
    pairs = [(i, j) for j in range(len(names)) for i in graph.reached(j)]
    routes = tuple(r for i, j in pairs for r in graph.routes(j, i) if len(r) > 2)
    paths = [(int(i), int(j)) for i, j in np.argwhere(design.path)]
    products = [(i, j) for i, j in paths if model.sources and len(_source(model, j)) == 2]
    stage = _depth(model)
    records: list[tuple[str, int, str, str, str]] = []

    def effects(kind: str, found: list[tuple[int, int]]) -> None:
        records.extend((kind, stage, names[j] + ARROW + names[i], names[j], names[i]) for i, j in found)

    effects("path", paths)
    effects("total", pairs)
    records += [("indirect", stage, ARROW.join(names[k] for k in r), names[r[0]], names[r[-1]]) for r in routes]
    effects("interaction", products)
    records += [("r2", stage, names[i], "", names[i]) for i in np.flatnonzero(design.path.any(axis=1))]
    effects("f2", paths)
    stages = []
    here: PathModel | None = model
    while here is not None:
        if here.first is None or len(here.design.item) > here.design.size:
            stages.append(here)
            records += _measurement(here)
        here = here.first
    frame = pd.DataFrame(records, columns=["kind", "stage", "name", "cause", "outcome"])
    return Listing(frame, _pairs(pairs), routes, _pairs(products), tuple(stages))


def _measurement(model: PathModel) -> list[tuple[str, int, str, str, str]]:
    """Return the records of weights, loadings and HTMT of one stage."""
    names, design, stage = model.constructs, model.design, _depth(model)
    label = [f"{names[j]}: {model.items[i]}" for i, j in zip(design.item, design.construct, strict=True)]
    records = [(kind, stage, one, "", "") for kind in ("weight", "loading") for one in label]
    return records + [
        ("htmt", stage, f"{names[i]} ~ {names[j]}", "", "") for i, j in zip(*_told_apart(model), strict=True)
    ]


def _told_apart(model: PathModel) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the pairs of constructs for which HTMT exists."""
    measured = model.design.measured()
    i, j = np.tril_indices(len(measured), -1)
    return measured[i], measured[j]


def _source(model: PathModel, construct: int) -> tuple[int, ...]:
    """Return the composites behind the first item of a construct."""
    first = int(model.design.item[model.design.entries(construct)][0])
    return model.sources[first].composites


def _depth(model: PathModel) -> int:
    return 1 if model.first is None else 1 + _depth(model.first)


def _pairs(found: list[tuple[int, int]]) -> NDArray[np.intp]:
    return np.array(found, dtype=np.intp).reshape(-1, 2)


def statistics(model: PathModel, solved: Solved, found: Listing) -> Array:
    """Return the values of all statistics, shape (k, L)."""
    design = model.design
    paths = np.argwhere(design.path)
    total = total_effects(model, solved.paths)
    sizes = effect_sizes(design, solved.cor, solved.paths, solved.r2)
    along = np.ones((len(found.routes), solved.cor.shape[2]))
    for k, route in enumerate(found.routes):
        for cause, outcome in pairwise(route):
            along[k] *= solved.paths[outcome, cause]
    first_item = [int(design.item[design.entries(int(j))][0]) for j in found.products[:, 1]]
    parts = [
        solved.paths[tuple(paths.T)],
        total[tuple(found.pairs.T)],
        along,
        solved.paths[tuple(found.products.T)] / solved.item_sd[first_item],
        solved.r2[design.path.any(axis=1)],
        sizes[tuple(paths.T)],
    ]
    here: PathModel | None = model
    estimate: Solved | None = solved
    while here is not None and estimate is not None:
        if any(here is stage for stage in found.stages):
            htmt = ratios(here.design, estimate.correlation)[_told_apart(here)]
            parts += [estimate.composites.weights, estimate.loadings, htmt]
        here, estimate = here.first, estimate.first
    return np.concatenate(parts)


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
