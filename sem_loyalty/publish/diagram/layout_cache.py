"""Layouts kept from one run to the next: reading one gives what computing it would give, to the last bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from sem_loyalty.publish.diagram.graph import Anatomy, Diagram
from sem_loyalty.publish.diagram.layout import Arrangement
from sem_loyalty.publish.diagram.lettering import Sizes, edge_room
from sem_loyalty.publish.diagram.pins import Layout
from sem_loyalty.publish.diagram.spacing import Placement, build_block

#: Raised with every change to the layout that moves something.
VERSION = 1


class LayoutCache:
    """Arrangements by the key of their structure.

    Parameters
    ----------
    text : str, default ""
        What `text` returned before; what cannot be read counts as nothing.
    """

    def __init__(self, text: str = "") -> None:
        try:
            content = json.loads(text) if text.strip() else {}
        except ValueError:
            content = {}
        fits = isinstance(content, dict) and content.get("version") == VERSION
        self._kept: dict[str, Any] = content.get("layouts", {}) if fits else {}
        self._used: dict[str, Any] = {}

    def text(self) -> str:
        """Return the layouts that were asked for, as JSON."""
        content = {"version": VERSION, "layouts": self._used}
        return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    def get(self, key: str, parts: Anatomy, sizes: Sizes) -> Arrangement | None:
        """Return the arrangement of a structure, or None."""
        record = self._kept.get(key) or self._used.get(key)
        if record is None:
            return None
        try:
            arrangement = _from_record(record, parts, sizes)
        except (KeyError, TypeError, ValueError, IndexError):
            return None
        self._used[key] = record
        return arrangement

    def put(self, key: str, arrangement: Arrangement, parts: Anatomy) -> None:
        """Keep the arrangement of a structure."""
        placement = arrangement.placement
        self._used[key] = {
            "centres": placement.centres.tolist(),
            "sides": {parts.names[block.owner]: block.side for block in placement.blocks},
            "controls": arrangement.controls.tolist(),
            "places": arrangement.places.tolist(),
            "loadings": arrangement.loadings.tolist(),
            "rooms": arrangement.rooms.tolist(),
            "unexplained": list(arrangement.unexplained),
            "stubs": arrangement.stubs.tolist(),
            "clean": arrangement.clean,
        }


def layout_key(
    diagram: Diagram,
    parts: Anatomy,
    sizes: Sizes,
    *,
    layout: Layout | None,
    sides: Mapping[str, str] | None,
    preset: str,
    seed: int,
    width: float,
) -> str:
    """Return the SHA-256 of everything that a layout depends on: structure, measured labels and options."""
    pins = {name: list(place) for name, place in layout.items()} if isinstance(layout, Mapping) else layout
    content = {
        "version": VERSION,
        "constructs": [(node.name, node.kind) for node in parts.constructs],
        "items": {name: [item.name for item in items] for name, items in parts.indicators.items()},
        "ties": [(tie.source, tie.target, tie.kind, tie.moderates, *edge_room(tie, diagram)) for tie in parts.ties],
        "sizes": asdict(sizes),
        "residuals": diagram.residuals,
        "options": [pins, dict(sides or {}), preset, seed, width],
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, default=list)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _from_record(record: Mapping[str, Any], parts: Anatomy, sizes: Sizes) -> Arrangement:
    half = np.array([sizes.half[name] for name in parts.names])
    blocks = tuple(
        build_block(parts.names.index(name), side, len(parts.indicators[name]), sizes.half[name], sizes)
        for name, side in sorted(record["sides"].items(), key=lambda one: parts.names.index(one[0]))
    )
    count, items = len(parts.ties), sum(len(parts.indicators[parts.names[block.owner]]) for block in blocks)
    unexplained = tuple(record["unexplained"])
    stubs = len(unexplained) + items if sizes.tail else 0
    is_round = np.array([node.kind == "latent" for node in parts.constructs])
    return Arrangement(
        placement=Placement(np.array(record["centres"], float).reshape(len(half), 2), half, is_round, blocks),
        ties=parts.ties,
        controls=np.array(record["controls"], float).reshape(count, 4, 2),
        places=np.array(record["places"], float).reshape(count),
        loadings=np.array(record["loadings"], float).reshape(items, 4),
        rooms=np.array(record["rooms"], float).reshape(count, 2),
        unexplained=unexplained,
        stubs=np.array(record["stubs"], float).reshape(stubs, 2, 2),
        clean=bool(record["clean"]),
    )
