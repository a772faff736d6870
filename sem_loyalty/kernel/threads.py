"""One BLAS thread: models are small, and threads only make them slower and less reproducible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def _libraries() -> tuple[Any, ...]:
    """Return what controls each linear algebra library that is loaded."""
    from threadpoolctl import ThreadpoolController

    return tuple(ThreadpoolController().select(user_api="blas").lib_controllers)


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit the linear algebra libraries to one thread inside the block.

    A library that has one already is left alone, so blocks within blocks cost next to nothing.
    """
    before = [(library, library.get_num_threads()) for library in _libraries()]
    changed = [(library, threads) for library, threads in before if threads not in (None, 1)]
    for library, _ in changed:
        library.set_num_threads(1)
    try:
        yield
    finally:
        for library, threads in changed:
            library.set_num_threads(threads)
