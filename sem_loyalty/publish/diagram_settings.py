"""The settings of a study on its path diagrams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.diagram.graph import check_shown
from sem_loyalty.publish.diagram.pins import pins_of
from sem_loyalty.publish.diagram.spacing import SIDES
from sem_loyalty.publish.setting_fields import one_of


def _layout(value: Any) -> tuple[str, Any]:
    """Return what is wrong with a layout ("" where nothing is) and the layout."""
    try:
        pins_of(value)
    except (ConfigurationError, TypeError, ValueError) as error:
        return str(error), None
    return "", dict(value) if isinstance(value, Mapping) else tuple(tuple(row) for row in value)


def _sides(value: Any) -> tuple[str, Any]:
    if not isinstance(value, Mapping) or any(side not in SIDES for side in value.values()):
        return f'it must be a section with one of {", ".join(SIDES)} for every name, such as SAT = "W".', None
    return "", dict(value)


def _show(value: Any) -> tuple[str, Any]:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        return 'it must be a list of texts, for instance ["std", "stars"].', None
    try:
        check_shown(tuple(value))
    except ConfigurationError as error:
        return str(error), None
    return "", tuple(value)


@dataclass(frozen=True, slots=True)
class DiagramChoice:
    """Section [diagram]: what the path diagrams show, and where.

    Attributes
    ----------
    layout : rows of names, or mapping of str to (int, int)
        The figure as a table, ``[["SAT", "", "LOY"], ["", "TRU", ""]]``, or [diagram.layout] with (column, row) in half
        steps by name; () leaves places to preset and search.
    sides : mapping of str to {"W", "E", "N", "S"}
        [diagram.sides]: where the items of a construct stand.
    preset : str
        "auto", "none" or the id of a model whose places are known.
    show : tuple of str
        "std" or "est", then any of "stars", "se", "ci" and "p".
    items, r2, residuals : bool
        Whether items, shares of variance explained, and arrows of residuals are drawn.
    covariances : {"auto", "all", "none"}
        Covariances among exogenous constructs.
    moderation : {"arrow", "construct"}
        How a product of two constructs is drawn.
    panels : bool
        Whether groups are also drawn side by side, as "path_diagram-groups".
    """

    layout: Any = field(default=(), metadata={"check": _layout})
    sides: Mapping[str, str] = field(default_factory=dict, metadata={"check": _sides})
    preset: str = "auto"
    show: tuple[str, ...] = field(default=("std", "stars"), metadata={"check": _show})
    items: bool = True
    r2: bool = True
    residuals: bool = False
    covariances: str = one_of("auto", "auto", "all", "none")
    moderation: str = one_of("arrow", "arrow", "construct")
    panels: bool = False

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `path_diagram`."""
        return {
            "layout": self.layout or None,
            "sides": self.sides or None,
            "preset": self.preset,
            "show": self.show,
            "items": self.items,
            "r2": self.r2,
            "residuals": self.residuals,
            "covariances": {"auto": None, "all": True, "none": False}[self.covariances],
            "moderation": self.moderation,
        }
