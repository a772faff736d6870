"""What users fix: places of constructs, as a table of names or one by one, and the sides of their items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sem_loyalty.errors import ConfigurationError, check_choice, nearest
from sem_loyalty.publish.diagram.graph import Anatomy
from sem_loyalty.publish.diagram.spacing import SIDES

#: Places of constructs: (column, row) in half steps by name, or rows of names with "" where nothing stands.
Layout = Mapping[str, Sequence[int]] | Sequence[Sequence[str]]
LARGEST_PIN = 40


def pins_of(layout: Layout) -> dict[str, tuple[int, int]]:
    """Return a layout as (column, row) in half steps by name.

    Parameters
    ----------
    layout : mapping or rows of names
        ``{"SAT": (0, 2)}``, or a table as it shall look: ``[["SAT", "", "LOY"], ["", "TRU", ""]]``.

    Raises
    ------
    ConfigurationError
        For a name that stands twice in the table, and for places that are not whole half steps from 0 to 40.
    """
    if isinstance(layout, Mapping):
        pins: dict[str, tuple[int, int]] = {}
        for name, place in layout.items():
            whole = isinstance(place, Sequence) and not isinstance(place, str) and len(place) == 2
            if not whole or any(
                isinstance(value, bool | str) or int(value) != value or not 0 <= value <= LARGEST_PIN for value in place
            ):
                raise ConfigurationError(
                    f"layout[{name!r}]={place!r} is not a (column, row) of whole half steps from 0 to {LARGEST_PIN}."
                )
            pins[name] = (int(place[0]), int(place[1]))
        return pins
    if isinstance(layout, str) or any(
        isinstance(row, str) or not all(isinstance(name, str) for name in row) for row in layout
    ):
        raise ConfigurationError(
            'layout is neither (column, row) by name nor rows of names, such as [["SAT", "LOY"], ["TRU", ""]].'
        )
    pins = {}
    for down, row in enumerate(layout):
        for across, name in enumerate(row):
            if name in pins:
                raise ConfigurationError(f"layout names {name!r} twice; a construct has one place.")
            if name:
                pins[name] = (2 * across, 2 * down)
    return pins


def checked_pins(layout: Layout, parts: Anatomy) -> dict[str, tuple[int, int]]:
    """Return the places of a layout that the diagram can have.

    Raises
    ------
    ConfigurationError
        As `pins_of`; for names that are not constructs of the diagram, and for two constructs on one place.
    """
    pins: dict[str, tuple[int, int]] = {}
    for name, (column, row) in pins_of(layout).items():
        _check_construct("layout", name, parts)
        for other, (other_column, other_row) in pins.items():
            if abs(column - other_column) < 2 and abs(row - other_row) < 2:
                raise ConfigurationError(
                    f"layout puts {name!r} at {(column, row)} on top of {other!r} at {(other_column, other_row)}: "
                    "leave two half steps between them in columns or in rows."
                )
        pins[name] = (column, row)
    return pins


def checked_sides(sides: Mapping[str, str], parts: Anatomy) -> dict[str, str]:
    """Return the sides of items by construct; ConfigurationError for what does not exist."""
    for name, side in sides.items():
        _check_construct("sides", name, parts)
        check_choice(f"sides[{name!r}]", side, SIDES)
    return dict(sides)


def _check_construct(argument: str, name: str, parts: Anatomy) -> None:
    for owner, items in parts.indicators.items():
        if name in {item.name for item in items}:
            raise ConfigurationError(f"{argument} names {name!r}, an indicator: place its construct {owner!r} instead.")
    if name not in parts.names:
        raise ConfigurationError(
            f"{argument} names {name!r}, which is not in the diagram. {nearest(name, parts.names)}".strip()
        )
