"""Finished blocks of draws, in memory and in a file that an interrupted run goes on from."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.resampling import Drawing, Drawn
from sem_loyalty.inference.uncertainty import answers

# Seconds between two writings of the file: that much work is lost at most.
EVERY = 5.0
# Changes whenever the same seed gives other numbers.
FORMAT = "3"


@dataclass(slots=True)
class FinishedBlocks:
    """Blocks by number.

    Attributes
    ----------
    blocks : dict of int to Drawn
    path : Path or None
        The file.
    fingerprint : str
        What the draws depend on: model, solution, answers, seed, kind and size of a block.
    """

    blocks: dict[int, Drawn]
    path: Path | None
    fingerprint: str
    saved: float = field(default_factory=time.monotonic)
    unsaved: bool = False

    @classmethod
    def open(cls, path: str | Path | None, fit: Fit, plan: Drawing, kind: str) -> FinishedBlocks:
        """Return the blocks of a file, none where there is no file yet.

        Raises
        ------
        ConfigurationError
            The file is not one of ours or belongs to another analysis.
        """
        if path is None:
            return cls({}, None, "")
        file = Path(path)
        if not file.parent.is_dir():
            raise ConfigurationError(f"resume={str(path)!r}: the folder '{file.parent}' does not exist.")
        fingerprint = _fingerprint(fit, plan, kind)
        if not file.exists():
            return cls({}, file, fingerprint)
        try:
            # Opened here: a damaged file would stay open in NumPy's hands.
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                known = str(stored["fingerprint"])
                numbers = [int(number) for number in stored["numbers"]]
                parts = [stored[name] for name in ("values", "fit", "converged", "single")]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as fault:
            raise ConfigurationError(
                f"resume={str(path)!r} is not a file of bootstrap draws ({fault}). Give another name."
            ) from fault
        if known != fingerprint:
            raise ConfigurationError(
                f"resume={str(path)!r} holds draws of another analysis (other model, answers, seed, kind or version). "
                "Delete it or give another name."
            )
        found = {number: Drawn(*(part[i] for part in parts)) for i, number in enumerate(numbers)}
        return cls(found, file, fingerprint)

    def add(self, block: int, drawn: Drawn) -> None:
        """Keep a block, and write the file where that is due."""
        self.blocks[block] = drawn
        self.unsaved = True
        if time.monotonic() - self.saved > EVERY:
            self.save()

    def save(self) -> None:
        """Write the file whole, beside the old one, and put it in its place."""
        if self.path is None or not self.unsaved:
            return
        numbers = sorted(self.blocks)
        drawn = [self.blocks[number] for number in numbers]
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez(
                    stream,
                    fingerprint=np.array(self.fingerprint),
                    numbers=np.array(numbers),
                    values=np.stack([one.values for one in drawn]),
                    fit=np.stack([one.fit for one in drawn]),
                    converged=np.stack([one.converged for one in drawn]),
                    single=np.stack([one.single for one in drawn]),
                )
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self.saved, self.unsaved = time.monotonic(), False

    def joined(self, numbers: range) -> Drawn:
        """Return blocks one after another."""
        drawn = [self.blocks[number] for number in numbers]
        return Drawn(
            values=np.concatenate([one.values for one in drawn], axis=2),
            fit=np.concatenate([one.fit for one in drawn]),
            converged=np.concatenate([one.converged for one in drawn]),
            single=np.concatenate([one.single for one in drawn]),
        )


def _fingerprint(fit: Fit, plan: Drawing, kind: str) -> str:
    """Return a digest of what the draws depend on."""
    digest = hashlib.sha256()
    table = [(row.lhs, row.op, row.rhs, row.group, row.free, row.value) for row in fit.specification.parameters]
    constraints = [one.text for one in fit.specification.constraints]
    digest.update(
        repr((FORMAT, np.__version__, kind, fit.estimator, plan.seed, plan.lanes, table, constraints)).encode()
    )
    digest.update(np.ascontiguousarray(fit.theta).tobytes())
    for rows in answers(fit):
        digest.update(repr(rows.shape).encode())
        digest.update(np.ascontiguousarray(rows).tobytes())
    return digest.hexdigest()
