"""The effects that a model implies: which there are, and their values and derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.inference.routes import Structure
from sem_loyalty.inference.row_source import Source

Array = NDArray[np.float64]

DIRECT, SPECIFIC, INDIRECT, TOTAL = "direct", "specific indirect", "total indirect", "total"
ARROW = " -> "


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect of a cause on an outcome.

    Attributes
    ----------
    cause, outcome : str
    group : int
        Group number, from 1.
    kind : {"direct", "specific indirect", "total indirect", "total"}
    route : tuple of str
        Variables on the way, ends included, of a direct or specific indirect effect; () otherwise.
    """

    cause: str
    outcome: str
    group: int
    kind: str
    route: tuple[str, ...]

    @property
    def name(self) -> str:
        """The route, or the kind with both ends."""
        return ARROW.join(self.route) if self.route else f"{self.kind}: {self.cause}{ARROW}{self.outcome}"


def listed_effects(graph: Structure) -> list[Effect]:
    """Return the effects of one group: by cause, then outcome, the direct effect first."""
    found = []
    for cause, name in enumerate(graph.names):
        for outcome in graph.reached(cause):
            if outcome == cause:
                continue
            ends = (name, graph.names[outcome], graph.group)
            direct = (cause, outcome) in graph.edges
            if direct:
                found.append(Effect(*ends, DIRECT, (name, graph.names[outcome])))
            indirect = any(outcome in graph.reached(step) for step in graph.outgoing[cause] if step != outcome)
            if graph.recursive:
                routes = [route for route in graph.routes(cause, outcome) if len(route) > 2]
                found += [Effect(*ends, SPECIFIC, tuple(graph.names[k] for k in route)) for route in routes]
            elif direct:
                # Feedback returns to the outcome, so its total effect differs from the direct one.
                indirect = indirect or outcome in graph.reached(outcome) or cause in graph.reached(cause)
            if indirect:
                found.append(Effect(*ends, INDIRECT, ()))
            found.append(Effect(*ends, TOTAL, ()))
    return found


def effect_values(
    listed: tuple[Effect, ...], graphs: tuple[Structure, ...], source: Source
) -> tuple[Array, Array, Array | None]:
    """Return the effects (k,), their derivatives by the rows (k, rows), and their draws (k, R) or None."""
    columns = source.point[:, None]
    if source.draws is not None:
        columns = np.concatenate([columns, source.draws], axis=1)
    values = np.empty((len(listed), columns.shape[1]))
    slopes = np.zeros((len(listed), len(source.point)))
    spreads = {graph.group: graph.spread(columns) for graph in graphs if graph.edges}
    for k, effect in enumerate(listed):
        graph = graphs[effect.group - 1]
        position = {name: i for i, name in enumerate(graph.names)}
        if effect.route:
            steps = [position[name] for name in effect.route]
            rows = [graph.edges[pair] for pair in pairwise(steps)]
            values[k] = columns[rows].prod(axis=0)
            for left_out, row in enumerate(rows):
                slopes[k, row] += np.prod(np.delete(source.point[rows], left_out))
            continue
        cause, outcome = position[effect.cause], position[effect.outcome]
        spread = spreads[effect.group]
        values[k] = spread[:, outcome, cause]
        for (start, end), row in graph.edges.items():
            slopes[k, row] = spread[0, outcome, end] * spread[0, start, cause]
        if effect.kind == INDIRECT and (cause, outcome) in graph.edges:
            direct = graph.edges[cause, outcome]
            values[k] -= columns[direct]
            slopes[k, direct] -= 1.0
    return values[:, 0], slopes, values[:, 1:] if source.draws is not None else None
