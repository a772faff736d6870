"""From a table of estimates to the edges of a path diagram, with products folded into moderations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import pandas as pd

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.standardised import standardised_solution
from sem_loyalty.publish.diagram.graph import Edge, EdgeKind

KINDS: dict[str, EdgeKind] = {"=~": "loading", "~": "path", "~~": "covariance"}


def fitted_edges(fit: Fit, found: pd.DataFrame, group: int, show: Sequence[str], *, given: bool) -> tuple[Edge, ...]:
    """Return the loadings, paths and covariances that are in the model; what is fixed at zero is not.

    Parameters
    ----------
    fit : Fit
    found : DataFrame
        From `estimates`, or from a bootstrap.
    group : int
        Whose rows.
    show : sequence of str
        As in `Diagram`.
    given : bool
        Whether `found` was given by the caller: then nothing is computed beside it.

    Raises
    ------
    ConfigurationError
        If a given table has no standard errors or intervals of what is shown.
    """
    rows = _drawn(found, group)
    spread = rows
    if show[0] == "std" and {"se", "ci"} & set(show):
        if given:
            raise ConfigurationError(
                f"show={tuple(show)!r} needs standard errors and intervals of the standardised estimates, which a "
                'given table does not hold. Show "est" instead, or leave `table` out.'
            )
        spread = _drawn(standardised_solution(fit).assign(est=1.0), group)
    edges = []
    for key, row in rows.items():
        lhs, op, rhs = key
        source, target = (rhs, lhs) if op == "~" else (lhs, rhs)
        worth = spread[key]
        low, high = finite(worth.ci_lower), finite(worth.ci_upper)
        edges.append(
            Edge(
                source,
                target,
                KINDS[op],
                value=finite(row.std_all if show[0] == "std" else row.est),
                p=finite(row.pvalue),
                se=finite(worth.se),
                interval=None if low is None or high is None else (low, high),
            )
        )
    return tuple(edges)


def folded(edges: Sequence[Edge]) -> tuple[tuple[Edge, ...], frozenset[str]]:
    """Draw products of two constructs as what they mean: an arrow from the moderator to the path.

    Parameters
    ----------
    edges : sequence of Edge
        Of a fit; a product is a construct whose items are all products ("a.b") of items of two others.

    Returns
    -------
    edges : tuple of Edge
        A product that acts on outcomes of one of its factors, and is tied to nothing else but by covariances, is
        replaced by moderations; the factor named second moderates.
    left_out : frozenset of str
        Products and their items that are no longer drawn.
    """
    items: dict[str, list[str]] = {}
    for edge in edges:
        if edge.kind == "loading":
            items.setdefault(edge.source, []).append(edge.target)
    paths = {(edge.source, edge.target) for edge in edges if edge.kind == "path"}
    left_out: set[str] = set()
    moderations: dict[Edge, Edge] = {}
    for product, factors in products(items).items():
        acting = [edge for edge in edges if edge.kind == "path" and product in (edge.source, edge.target)]
        made = dict(_moderation(edge, factors, paths) for edge in acting if edge.source == product)
        if acting and len(made) == len(acting) and None not in made.values():
            moderations |= {edge: arrow for edge, arrow in made.items() if arrow is not None}
            left_out |= {product, *items[product]}
    kept = [edge for edge in edges if edge in moderations or not {edge.source, edge.target} & left_out]
    return tuple(moderations.get(edge, edge) for edge in kept), frozenset(left_out)


def products(items: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, str]]:
    """Return the two different factors of every product of constructs.

    Parameters
    ----------
    items : mapping of str to sequence of str
        Items by construct.

    Returns
    -------
    dict of str to (str, str)
        By construct whose items are all products ("a.b") of items of the same two others.
    """
    owner = {item: construct for construct, own in items.items() for item in own}
    made: dict[str, tuple[str, str]] = {}
    for product, own in items.items():
        pairs = {tuple(owner.get(part, "") for part in item.split(".")) for item in own}
        factors = next(iter(pairs), ())
        if len(pairs) != 1 or len(factors) != 2 or "" in factors or factors[0] == factors[1] or product in factors:
            continue
        made[product] = (factors[0], factors[1])
    return made


def _drawn(found: pd.DataFrame, group: int) -> dict[tuple[str, str, str], Any]:
    """Return the rows of a group that are lines of a diagram, by what they relate."""
    return {
        (str(row.lhs), str(row.op), str(row.rhs)): row
        for row in found.itertuples()
        if row.group == group
        and row.op in KINDS
        and str(row.lhs) != str(row.rhs)
        and not (row.se == 0 and row.est == 0)
    }


def _moderation(edge: Edge, factors: tuple[str, str], paths: set[tuple[str, str]]) -> tuple[Edge, Edge | None]:
    for focal, moderator in (factors, factors[::-1]):
        if (focal, edge.target) in paths:
            return edge, replace(edge, source=moderator, kind="moderation", moderates=focal)
    return edge, None


def finite(value: object) -> float | None:
    """Return a number, or None for what is not finite."""
    number = float(cast("float", value))
    return number if math.isfinite(number) else None
