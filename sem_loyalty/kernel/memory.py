"""Memory between large intermediate results: kept, not given back to the system and asked for again."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

# Bytes. The library adapts to blocks below 32 MB, and keeps twice as much: what a block of bootstrap draws works in.
BLOCK = 31 * 2**20


@lru_cache(maxsize=1)
def keep_freed_memory() -> None:
    """Let the C library keep freed memory up to some megabytes, once per process.

    The GNU C library returns freed memory to the system beyond a limit that starts at 128 kB, and adapts it to the
    largest block that a program was seen to free (mallopt(3), M_MMAP_THRESHOLD). Below that size, work on incomplete
    answers would spend much of its time on fresh pages, and the bootstrap a tenth. The block is never written to, so it
    costs nothing; other libraries take no notice.
    """
    np.empty(BLOCK, dtype=np.uint8)
