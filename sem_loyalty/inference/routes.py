"""The structural part of a model as a graph: who acts on whom, by which routes, and the derivative of every effect."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.model.spec import Specification

Array = NDArray[np.float64]

# Routes between two variables grow exponentially with the paths of a model; no theory has this many.
MOST_ROUTES = 2000


@dataclass(frozen=True)
class Structure:
    """The regressions of one group.

    Attributes
    ----------
    group : int
        Group number, from 1.
    names : tuple of str
        Variables that a regression involves, in the order of the model.
    edges : dict
        (cause, outcome), positions in `names`, to the row of the parameter table that holds the coefficient.
    """

    group: int
    names: tuple[str, ...]
    edges: dict[tuple[int, int], int]

    @cached_property
    def outgoing(self) -> dict[int, tuple[int, ...]]:
        """Outcomes of every cause, in the order of the model."""
        found: dict[int, list[int]] = {k: [] for k in range(len(self.names))}
        for cause, outcome in self.edges:
            found[cause].append(outcome)
        return {cause: tuple(outcomes) for cause, outcomes in found.items()}

    @cached_property
    def recursive(self) -> bool:
        """Whether no variable acts on itself, at once or by way of others."""
        waiting = dict.fromkeys(range(len(self.names)), 0)
        for _, outcome in self.edges:
            waiting[outcome] += 1
        ready = [k for k, count in waiting.items() if count == 0]
        seen = 0
        while ready:
            seen += 1
            for outcome in self.outgoing[ready.pop()]:
                waiting[outcome] -= 1
                if waiting[outcome] == 0:
                    ready.append(outcome)
        return seen == len(self.names)

    def reached(self, cause: int) -> tuple[int, ...]:
        """Return the variables that `cause` acts on, at once or by way of others, in the order of the model."""
        found: set[int] = set()
        pending = [cause]
        while pending:
            for outcome in self.outgoing[pending.pop()]:
                if outcome not in found:
                    found.add(outcome)
                    pending.append(outcome)
        return tuple(k for k in range(len(self.names)) if k in found)

    def routes(self, cause: int, outcome: int) -> tuple[tuple[int, ...], ...]:
        """Return every route from cause to outcome as positions in `names`, shorter ones first; direct included.

        Raises
        ------
        ValueError
            The structure is not recursive, so routes are without number.
        """
        if not self.recursive:
            raise ValueError("A non-recursive structure has no finite list of routes.")
        found: list[tuple[int, ...]] = []
        pending: list[tuple[int, ...]] = [(cause,)]
        while pending and len(found) <= MOST_ROUTES:
            route = pending.pop(0)
            for step in self.outgoing[route[-1]]:
                if step == outcome:
                    found.append((*route, step))
                elif outcome in self.reached(step):
                    pending.append((*route, step))
        return tuple(sorted(found, key=len))

    def coefficients(self, values: Array) -> Array:
        """Return A, A[outcome, cause], of every draw, shape (R, v, v).

        Parameters
        ----------
        values : ndarray, shape (rows, R)
            Values of all rows of the parameter table.
        """
        size = len(self.names)
        matrix = np.zeros((values.shape[1], size, size))
        for (cause, outcome), row in self.edges.items():
            matrix[:, outcome, cause] = values[row]
        return matrix

    def spread(self, values: Array) -> Array:
        """Return (I - A)^-1 of every draw, shape (R, v, v): total effects off the diagonal (Bollen 1987).

        nan where feedback does not die out: an eigenvalue of A is 1 or more in modulus (Bentler and Freeman 1983,
        doi:10.1007/BF02294011).
        """
        matrix = self.coefficients(values)
        out = np.full(matrix.shape, np.nan)
        usable = np.flatnonzero(np.isfinite(matrix).all(axis=(1, 2)))
        if not self.recursive and len(usable):
            usable = usable[np.abs(np.linalg.eigvals(matrix[usable])).max(axis=1) < 1.0]
        out[usable] = np.linalg.inv(np.eye(len(self.names)) - matrix[usable])
        return out


def structures(specification: Specification) -> tuple[Structure, ...]:
    """Return the regressions of every group.

    Paths fixed at zero are left out: they are no path.
    """
    order = (*specification.observed, *specification.latent)
    found = []
    for group in range(1, len(specification.groups) + 1):
        rows = [
            (k, row)
            for k, row in enumerate(specification.parameters)
            if row.op == "~" and row.group == group and not (row.free < 0 and row.value == 0.0)
        ]
        involved = {row.lhs for _, row in rows} | {row.rhs for _, row in rows}
        # Latent variables first: they are what a model of loyalty is about.
        names = tuple(name for name in (*specification.latent, *order) if name in involved)
        names = tuple(dict.fromkeys(names))
        position = {name: k for k, name in enumerate(names)}
        found.append(Structure(group, names, {(position[r.rhs], position[r.lhs]): k for k, r in rows}))
    return tuple(found)
