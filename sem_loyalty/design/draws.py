"""Random numbers whose every bit is fixed by the seed: the raw integers of PCG64, and arithmetic on them."""

from __future__ import annotations

import numpy as np
from numpy.random import PCG64, SeedSequence
from numpy.typing import NDArray
from scipy.special import ndtri

from sem_loyalty.errors import ConfigurationError

Array = NDArray[np.float64]


class Draws:
    """A stream of random numbers.

    NumPy may change how it makes normal numbers, but not the integers of a bit generator, so only those are used.

    Parameters
    ----------
    seed : int
        Not negative.
    stream : int
        Streams of the same seed are independent.
    """

    def __init__(self, seed: int, stream: int) -> None:
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ConfigurationError(f"seed={seed!r} is not a whole number from 0.")
        self._bits = PCG64(SeedSequence(entropy=int(seed), spawn_key=(stream,)))

    def uniform(self, rows: int, columns: int) -> Array:
        """Return numbers strictly between 0 and 1, shape (rows, columns), drawn row by row."""
        raw = np.asarray(self._bits.random_raw(rows * columns), dtype=np.uint64)
        return ((raw >> np.uint64(12)).astype(np.float64).reshape(rows, columns) + 0.5) / 2.0**52

    def normal(self, rows: int, columns: int) -> Array:
        """Return standard normal numbers, shape (rows, columns), drawn row by row."""
        return np.asarray(ndtri(self.uniform(rows, columns)))
