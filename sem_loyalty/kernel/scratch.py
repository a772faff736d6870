"""Working memory that is used again.

Fresh memory of a megabyte costs more to get, page by page, than the arithmetic on it. Where the same calculation runs
many times, its arrays are therefore handed out from one piece.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Scratch:
    """Arrays for one calculation at a time; what is released is handed out again."""

    def __init__(self) -> None:
        self._memory: Array = np.empty(0)
        self._used = self._most = 0

    def array(self, *shape: int) -> Array:
        """Return an array with arbitrary content."""
        first, self._used = self._used, self._used + math.prod(shape)
        self._most = max(self._most, self._used)
        if self._used > len(self._memory):
            return np.empty(shape)
        return self._memory[first : self._used].reshape(shape)

    def mark(self) -> int:
        """Return how much is handed out, for `release`."""
        return self._used

    def release(self, mark: int = 0) -> None:
        """Take back the arrays handed out since a mark; after all of them, make room for as many at once."""
        self._used = mark
        if mark == 0 and self._most > len(self._memory):
            self._memory = np.empty(self._most)
