"""A progress bar for long work: on a terminal, or whatever the caller wants to be told."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

Tell = Callable[[int, int], object]

# Work that ends sooner shows no bar unless asked for.
PATIENCE = 1.0
WIDTH = 30


class Progress:
    """Tell how much of some work is done.

    Parameters
    ----------
    total : int
    how : bool, callable or None
        A callable gets (done, total). True draws a bar on standard error, None does so on a terminal and after one
        second, False never.
    what : str
        What is counted.
    """

    def __init__(self, total: int, how: bool | Tell | None, what: str) -> None:
        self.total, self.what = total, what
        self.tell = how if callable(how) else None
        self.bar = how is True or (how is None and sys.stderr.isatty())
        self.since = time.monotonic() + (PATIENCE if how is None else 0.0)
        self.drawn = False

    def update(self, done: int) -> None:
        """Report that `done` of the total are done."""
        if self.tell is not None:
            self.tell(done, self.total)
        elif self.bar and time.monotonic() >= self.since:
            filled = WIDTH * done // max(1, self.total)
            line = f"\r{'█' * filled}{'░' * (WIDTH - filled)} {done:,} of {self.total:,} {self.what}"
            sys.stderr.write(line)
            sys.stderr.flush()
            self.drawn = True

    def close(self) -> None:
        """End the line of the bar."""
        if self.drawn:
            sys.stderr.write("\n")
            sys.stderr.flush()
