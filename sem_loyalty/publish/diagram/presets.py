"""Places of constructs that the package knows: the models of its library, and chains of loyalty research."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from sem_loyalty.errors import check_choice
from sem_loyalty.publish.diagram.graph import Anatomy
from sem_loyalty.publish.diagram.pins import pins_of

AUTO, NONE = "auto", "none"


@dataclass(frozen=True, slots=True)
class Preset:
    """Where the constructs of a known model stand.

    Parameters
    ----------
    id : str
        Of the model.
    layout : dict of str to (int, int)
        Column and row in half steps.
    sides : dict of str to str
        Sides of items that matter.
    """

    id: str
    layout: dict[str, tuple[int, int]]
    sides: dict[str, str]


@cache
def presets() -> Mapping[str, Preset]:
    """Return every preset by id."""
    text = resources.files("sem_loyalty.publish.diagram").joinpath("presets.toml").read_text(encoding="utf-8")
    return {
        id_: Preset(id_, pins_of(table.get("rows") or table["places"]), table.get("sides", {}))
        for id_, table in tomllib.loads(text).items()
    }


def preset_for(parts: Anatomy, preset: str) -> Preset | None:
    """Return the preset of a diagram.

    Parameters
    ----------
    parts : Anatomy
        The diagram.
    preset : str
        "auto" looks for a model with just these constructs, "none" for nothing; else an id.

    Returns
    -------
    Preset or None

    Raises
    ------
    ConfigurationError
        For an id that does not exist.
    """
    if preset == NONE:
        return None
    if preset != AUTO:
        check_choice("preset", preset, (AUTO, NONE, *presets()))
        return presets()[preset]
    if parts.measurement_only:
        return None
    names = set(parts.names)
    return next((one for one in presets().values() if set(one.layout) == names), None)
