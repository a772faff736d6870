"""Blocks of draws computed one after another, or by several processes; the numbers are the same."""

from __future__ import annotations

import multiprocessing
import signal
import warnings
from collections.abc import Generator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from pathlib import Path

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.finished_blocks import FinishedBlocks
from sem_loyalty.inference.progress import Progress, Tell
from sem_loyalty.inference.resampling import Drawing, Drawn
from sem_loyalty.kernel.threads import one_thread

# Blocks that a process has before it, so that it never waits for the next one.
IN_FLIGHT = 3

_adopted: list[Drawing] = []


def draw(
    plan: Drawing,
    fit: Fit,
    draws: int,
    kind: str,
    *,
    workers: int,
    progress: bool | Tell | None,
    resume: str | Path | None,
) -> Drawn:
    """Return the blocks that cover the draws, one after another.

    Parameters
    ----------
    plan : Drawing
    fit, kind
        What a file of finished blocks must belong to.
    draws, workers, progress, resume
        As in `bootstrap`.
    """
    blocks = range(-(-draws // plan.lanes))
    kept = FinishedBlocks.open(resume, fit, plan, kind)
    pending = [block for block in blocks if block not in kept.blocks]
    bar = Progress(draws, progress, "draws")
    left = len(pending)
    bar.update(min(draws, (len(blocks) - left) * plan.lanes))
    computed = _in_turn(plan, pending) if workers == 1 or left < 2 else _in_processes(plan, pending, workers)
    try:
        for block, drawn in computed:
            kept.add(block, drawn)
            left -= 1
            bar.update(min(draws, (len(blocks) - left) * plan.lanes))
    finally:
        computed.close()
        kept.save()
        bar.close()
    return kept.joined(blocks)


def _in_turn(plan: Drawing, pending: list[int]) -> Generator[tuple[int, Drawn], None, None]:
    """Yield the blocks as they are computed."""
    for block in pending:
        yield block, plan.draw(block)


def _in_processes(plan: Drawing, pending: list[int], workers: int) -> Generator[tuple[int, Drawn], None, None]:
    """Yield the blocks as processes finish them."""
    # A forked process has everything already; where there is no fork the plan is sent to a fresh interpreter.
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    others = set(multiprocessing.active_children())
    many = min(workers, len(pending))
    pool = ProcessPoolExecutor(many, multiprocessing.get_context(method), initializer=_adopt, initargs=(plan,))
    waiting = iter(pending)
    running: dict[Future[Drawn], int] = {}

    def submit(count: int) -> None:
        for block in islice(waiting, count):
            running[pool.submit(_draw, block)] = block

    try:
        with warnings.catch_warnings():
            # Later Pythons warn of forking beside threads; the only ones are those of BLAS, which it shuts down itself.
            warnings.simplefilter("ignore", DeprecationWarning)
            submit(IN_FLIGHT * many)
        while running:
            for one in sorted(wait(running, return_when=FIRST_COMPLETED).done, key=running.__getitem__):
                block = running.pop(one)
                submit(1)
                yield block, one.result()
    except BaseException:
        # An interruption may strike inside the pool, which then waits for ever: its processes are ended first.
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _adopt(plan: Drawing) -> None:
    """Prepare a worker: an interruption is for the process that waits for the draws."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _adopted.append(plan)


def _draw(block: int) -> Drawn:
    """Compute a block in a worker."""
    with one_thread():
        return _adopted[0].draw(block)
