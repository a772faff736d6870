"""Cut-offs, held against numbers rounded to the three decimals that are printed: text and number agree."""

from __future__ import annotations

from typing import Any

LOADING, GOOD_LOADING = 0.50, 0.70
RELIABLE, CONVERGENT = 0.70, 0.50
STRICT_HTMT, LIBERAL_HTMT = 0.85, 0.90
ALPHA = 0.05


def below(value: float, limit: float) -> bool:
    """Return whether a number, as printed, misses a cut-off from below."""
    return round(float(value), 3) < limit


def significant(p: float | None) -> bool:
    """Return whether a p-value is below the level; what has no p-value is not significant."""
    return p is not None and bool(p < ALPHA)


def exists(value: Any) -> bool:
    """Return whether there is a number: neither None nor NaN."""
    return value is not None and value == value
