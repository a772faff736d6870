"""What all results of this room share: they show themselves through their tables."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import replace
from html import escape

import pandas as pd

from sem_loyalty.display import Table
from sem_loyalty.display.marked import marked
from sem_loyalty.errors import ConfigurationError

MARK = "NOT CERTIFIED: the fit behind these numbers failed its checks; do not report them."


class Shown(ABC):
    """A result that shows itself through its tables, in a terminal and in a notebook."""

    __slots__ = ()

    @abstractmethod
    def tables(self) -> tuple[Table, ...]:
        """Return the result as tables, the most important first."""

    def warning(self) -> str:
        """Return what stands above everything, or ""."""
        return ""

    def _warned(self, *tables: Table) -> tuple[Table, ...]:
        """Return tables whose notes begin with the warning: a table is copied without what stands above it."""
        mark = self.warning()
        return tuple(replace(table, note=f"{mark} {table.note}".rstrip()) for table in tables) if mark else tables

    def _mark_frames(self, *names: str) -> None:
        """Mark frames among the attributes of a result that must not be reported."""
        mark = self.warning()
        for name in names if mark else ():
            object.__setattr__(self, name, marked(getattr(self, name), mark.partition(": ")[2]))

    def __str__(self) -> str:
        """Return the tables as text."""
        head = [self.warning()] if self.warning() else []
        return "\n\n".join([*head, *(table.to_text() for table in self.tables())])

    def __repr__(self) -> str:
        """Return the tables as text."""
        return str(self)

    def _repr_html_(self) -> str:
        mark = self.warning()
        head = f'<p style="color:#b00020"><b>{escape(mark)}</b></p>' if mark else ""
        return head + "\n".join(table.to_html() for table in self.tables())


def check_level(level: float) -> None:
    """Raise ConfigurationError unless `level` is a coverage between 0 and 1."""
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0.0 < level < 1.0:
        raise ConfigurationError(f"level={level!r} is not a coverage between 0 and 1.")


def check_count(name: str, value: object, least: int) -> None:
    """Raise ConfigurationError unless `value` is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigurationError(f"{name}={value!r} must be a whole number, {least} or more.")


def check_shares(name: str, weights: dict[str, float]) -> None:
    """Raise ConfigurationError unless the weights are not negative and sum to one."""
    bad = {key: value for key, value in weights.items() if not (math.isfinite(value) and value >= 0.0)}
    if bad:
        raise ConfigurationError(f"{name}: weights must be numbers of zero or more, not {bad}.")
    total = math.fsum(weights.values())
    if abs(total - 1.0) > 1e-9:
        raise ConfigurationError(
            f"{name}: the weights sum to {total:g}, not to 1. Divide each by {total:g}, or correct the one that is off."
        )


def with_interval(frame: pd.DataFrame, after: str) -> pd.DataFrame:
    """Return the frame with ci_lower and ci_upper in one column "interval" of pairs, after the named column."""
    pairs = list(zip(frame["ci_lower"].tolist(), frame["ci_upper"].tolist(), strict=True))
    out = frame.drop(columns=["ci_lower", "ci_upper"])
    out.insert(list(out.columns).index(after) + 1, "interval", pd.Series(pairs, index=frame.index, dtype=object))
    return out


def percent(level: float) -> str:
    """Return a coverage as "95%"."""
    return f"{100 * level:g}%"
