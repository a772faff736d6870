"""What a path diagram shows: nodes, edges and a note, as plain data that knows nothing of fitting or drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from sem_loyalty.errors import ConfigurationError, SpecificationError, check_choice, nearest

NodeKind = Literal["latent", "observed"]
EdgeKind = Literal["loading", "path", "covariance", "moderation", "residual"]
EDGE_KINDS = ("loading", "path", "covariance", "moderation")
#: What may be printed on a path: one estimate, and what it is worth.
ESTIMATES, EVIDENCE = ("std", "est"), ("stars", "se", "ci", "p")
#: More covariances among exogenous constructs than this set of constructs has would hide the structure.
MOST_EXOGENOUS_WITH_ARCS = 3


@dataclass(frozen=True, slots=True)
class Node:
    """A variable of the diagram.

    Parameters
    ----------
    name : str
        Identifies the node; edges refer to it.
    label : str
        What is printed; wrapped at about twelve letters.
    kind : {"latent", "observed"}
        Ellipse or box.
    r2 : float, optional
        Share of variance explained, printed inside the construct.
    """

    name: str
    label: str
    kind: NodeKind = "latent"
    r2: float | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A relation of the diagram.

    Parameters
    ----------
    source, target : str
        Names of nodes. A loading runs from the construct to what it is measured by.
    kind : {"loading", "path", "covariance", "moderation"}
        A covariance has two arrowheads. A moderation runs from the moderator, its source, to the middle of the path
        that it moderates.
    value : float, optional
        The estimate; None draws the edge without a number.
    p : float, optional
        The p value, for stars and for the dashes of what is not significant.
    label : str, default ""
        A short text before the number, such as the hypothesis "H1".
    se : float, optional
        The standard error.
    interval : tuple of float, optional
        The confidence interval.
    moderates : str, default ""
        Of a moderation: where the moderated path starts; the path ends at `target`.
    """

    source: str
    target: str
    kind: EdgeKind = "path"
    value: float | None = None
    p: float | None = None
    label: str = ""
    se: float | None = None
    interval: tuple[float, float] | None = None
    moderates: str = ""


@dataclass(frozen=True, slots=True)
class Diagram:
    """A path diagram to be laid out and drawn.

    Parameters
    ----------
    nodes : tuple of Node
        In model order; the order decides ties, so the same model always gives the same picture.
    edges : tuple of Edge
        Loadings, paths, covariances and moderations.
    note : str, default ""
        The line below the diagram.
    lang : {"en", "zh"}, default "en"
        ``.51***`` or ``0.512***``, and the words that the drawing adds itself.
    certified : bool, default True
        False puts a warning above the diagram, greys every coefficient and leaves out the stars.
    show : tuple of str, default ("std", "stars")
        What is printed on paths: "std" or "est" says which estimate `value` is; then any of "stars", "se" (in
        parentheses), "ci" (in brackets) and "p". "std" with "se" or "ci" wants those of the standardised estimate.
    items : bool, default True
        Whether indicators are drawn; False shows the structure alone.
    residuals : bool, default False
        Whether every item and every explained construct gets a short arrow for what is left unexplained.
    covariances : bool, optional
        Whether covariances among exogenous constructs are drawn; None draws those of up to three constructs, and of
        any number where nothing but covariances ties the constructs.

    Raises
    ------
    SpecificationError
        For a name used twice or not at all, a loop, or a number that is not finite.
    ConfigurationError
        For a kind or language that does not exist.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()
    note: str = ""
    lang: Literal["en", "zh"] = "en"
    certified: bool = True
    show: tuple[str, ...] = ("std", "stars")
    items: bool = True
    residuals: bool = False
    covariances: bool | None = None

    def __post_init__(self) -> None:
        check_choice("lang", self.lang, ("en", "zh"))
        check_shown(self.show)
        names = [node.name for node in self.nodes]
        if not names:
            raise SpecificationError("A path diagram needs at least one node.")
        for node in self.nodes:
            check_choice(f"kind of {node.name}", node.kind, ("latent", "observed"))
            if names.count(node.name) > 1:
                raise SpecificationError(f"Node {node.name!r} is given twice; names must be unique.")
            if node.r2 is not None and not math.isfinite(node.r2):
                raise SpecificationError(f"R² of {node.name!r} is {node.r2}; give None where there is no estimate.")
        for edge in self.edges:
            check_choice(f"kind of {edge.source} -> {edge.target}", edge.kind, EDGE_KINDS)
            for name in (edge.source, edge.target, *([edge.moderates] if edge.kind == "moderation" else [])):
                if name not in names:
                    raise SpecificationError(
                        f"Edge {edge.source} -> {edge.target} names {name!r}, which is not a node. "
                        f"{nearest(name, names)}".strip()
                    )
            if edge.source == edge.target:
                raise SpecificationError(
                    f"Edge {edge.source} -> {edge.target} is a loop: variances are not drawn, leave them out."
                )
            moderated = (edge.moderates, edge.target)
            if edge.kind == "moderation" and moderated not in {
                (other.source, other.target) for other in self.edges if other.kind == "path"
            }:
                raise SpecificationError(
                    f"{edge.source} moderates {edge.moderates} -> {edge.target}, which is not a path of the diagram."
                )
            bounds = (("interval", bound) for bound in edge.interval or ())
            for what, number in (("value", edge.value), ("p", edge.p), ("se", edge.se), *bounds):
                if number is not None and not math.isfinite(number):
                    raise SpecificationError(
                        f"The {what} of {edge.source} -> {edge.target} is {number}; "
                        "give None where there is no estimate."
                    )


def check_shown(show: tuple[str, ...]) -> None:
    """Raise ConfigurationError unless `show` names one estimate and then what it is worth, each once."""
    if not show or show[0] not in ESTIMATES:
        check_choice("the first entry of show", show[0] if show else "", ESTIMATES)
    for entry in show[1:]:
        check_choice("an entry of show after the first", entry, EVIDENCE)
    if len(set(show)) < len(show):
        raise ConfigurationError(f"show={show!r} names something twice.")


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The parts of a diagram as the layout treats them.

    Parameters
    ----------
    constructs : tuple of Node
        What the layout places one by one: latent variables and observed variables that measure nothing.
    indicators : dict of str to tuple of Node
        By construct, the boxes set beside it.
    loadings : dict of str to Edge
        By indicator, the loading of the construct it stands beside.
    ties : tuple of Edge
        Every other drawn edge: paths, covariances, second-order and cross loadings; moderations last.
    exogenous, outcomes : tuple of str
        Constructs that nothing points to, and those that point to nothing.
    arcs_omitted, residuals_omitted : int
        Covariances among exogenous constructs, and among indicators, that are left out.
    """

    constructs: tuple[Node, ...]
    indicators: dict[str, tuple[Node, ...]]
    loadings: dict[str, Edge]
    ties: tuple[Edge, ...]
    exogenous: tuple[str, ...]
    outcomes: tuple[str, ...]
    arcs_omitted: int = 0
    residuals_omitted: int = 0
    names: tuple[str, ...] = field(default=())

    @property
    def measurement_only(self) -> bool:
        """Whether constructs are tied by covariances alone: a confirmatory factor analysis."""
        latents = all(node.kind == "latent" for node in self.constructs)
        return latents and len(self.names) > 1 and all(tie.kind == "covariance" for tie in self.ties)


def anatomy(diagram: Diagram) -> Anatomy:
    """Tell constructs from indicators and decide which covariances are drawn.

    Parameters
    ----------
    diagram : Diagram
        The input.

    Returns
    -------
    Anatomy
        An observed variable with a loading stands beside the first construct that claims it; further loadings are
        cross loadings. Covariances among more than three exogenous constructs are omitted where there are paths,
        unless the diagram asks for them.
    """
    kinds = {node.name: node.kind for node in diagram.nodes}
    nodes = {node.name: node for node in diagram.nodes}
    loadings: dict[str, Edge] = {}
    for edge in diagram.edges:
        if edge.kind == "loading" and kinds[edge.target] == "observed" and kinds[edge.source] == "latent":
            loadings.setdefault(edge.target, edge)
    constructs = tuple(node for node in diagram.nodes if node.name not in loadings)
    owners: dict[str, list[Node]] = {node.name: [] for node in constructs}
    for indicator, edge in loadings.items():
        owners[edge.source].append(nodes[indicator])
    main = set(map(id, loadings.values()))
    rest = [edge for edge in diagram.edges if id(edge) not in main]
    if not diagram.items:
        rest = [edge for edge in rest if edge.source not in loadings and edge.target not in loadings]
    directed = [edge for edge in rest if edge.kind in ("path", "loading")]
    names = tuple(node.name for node in constructs)
    targets = {edge.target for edge in directed}
    sources = {edge.source for edge in directed}
    exogenous = tuple(name for name in names if name not in targets)
    ties: list[Edge] = []
    arcs: list[Edge] = []
    moderations: list[Edge] = []
    residuals = 0
    for edge in rest:
        if edge.kind == "covariance" and (edge.source in loadings or edge.target in loadings):
            residuals += 1
        elif edge.kind == "covariance" and edge.source in exogenous and edge.target in exogenous:
            arcs.append(edge)
        else:
            (moderations if edge.kind == "moderation" else ties).append(edge)
    linked = {name for edge in arcs for name in (edge.source, edge.target)}
    crowded = any(edge.kind != "covariance" for edge in ties) and len(linked) > MOST_EXOGENOUS_WITH_ARCS
    omitted = 0
    if diagram.covariances is False or (diagram.covariances is None and crowded):
        omitted, arcs = len(arcs), []
    return Anatomy(
        constructs=constructs,
        indicators={name: tuple(found) if diagram.items else () for name, found in owners.items()},
        loadings=loadings,
        ties=(*ties, *arcs, *moderations),
        exogenous=exogenous,
        outcomes=tuple(name for name in names if name not in sources),
        arcs_omitted=omitted,
        residuals_omitted=residuals,
        names=names,
    )
