"""One BLAS thread: models are small, and threads only make them slower and less reproducible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit the linear algebra libraries to one thread inside the block."""
    with _controller().limit(limits=1, user_api="blas"):
        yield
