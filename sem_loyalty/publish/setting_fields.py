"""What the value of a setting is checked against, as metadata of its field."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def one_of(default: Any, *choices: str) -> Any:
    """Return a field whose value, or every part of whose value, is among the choices."""
    return field(default=default, metadata={"choices": choices})


def at_least(default: Any, least: float) -> Any:
    """Return a field whose value is not below a number."""
    return field(default=default, metadata={"least": least})
