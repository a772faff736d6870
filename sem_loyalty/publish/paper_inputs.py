"""What the numbers of a paper were computed from, so that they are computed again only where something has changed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sem_loyalty.errors import ConfigurationError, SemLoyaltyError
from sem_loyalty.model.library import load_model
from sem_loyalty.publish.manifest import own_version

COMPUTE, RESULTS = "compute.py", "results.json"
_MODEL, _PACKAGE = "model:", "package"
_SHOWN_LINES = 12


def paper_inputs(folder: str | Path, files: Sequence[str] = (), models: Sequence[str] = ()) -> dict[str, str]:
    """Return what identifies the inputs of a paper's computation, to be kept in its results.json under "inputs".

    Parameters
    ----------
    folder : str or Path
        The folder of the paper.
    files : sequence of str
        Files in it that the numbers depend on.
    models : sequence of str
        Ids of library models that they depend on.

    Returns
    -------
    dict of str to str
        SHA-256 by file and by "model:" and id (of text and description together), and the version of this package
        under "package".

    Raises
    ------
    SpecificationError
        The library has no such model.
    OSError
        A file cannot be read.

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> sorted(sl.paper_inputs(".", models=["core"]))
    ['model:core', 'package']
    """
    place = Path(folder)
    found = {name: _digest([place / name]) for name in files}
    for id in models:
        path = load_model(id).path
        found[f"{_MODEL}{id}"] = _digest([path, path.with_suffix(".toml")])
    return found | {_PACKAGE: own_version()}


def refresh(folder: Path, *, fresh: bool = False) -> bool:
    """Compute the results of a paper again where an input has changed since, and say whether that was done.

    Parameters
    ----------
    folder : Path
        With compute.py, which writes results.json beside itself.
    fresh : bool, default False
        Compute in any case.

    Raises
    ------
    ConfigurationError
        compute.py fails, with the end of what it said, or leaves no results. Older results are then as they were.
    """
    results = folder / RESULTS
    if not fresh and _current(folder, results):
        return False
    before = results.read_bytes() if results.is_file() else None
    one_way = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    try:
        ended = subprocess.run(
            [sys.executable, COMPUTE],
            cwd=folder,
            env=dict(os.environ) | one_way,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if ended.returncode:
            said = "\n".join((ended.stderr or ended.stdout).strip().splitlines()[-_SHOWN_LINES:])
            raise ConfigurationError(f"{folder / COMPUTE} failed, so the paper has no numbers:\n{said}")
        if _read(results) is None:
            raise ConfigurationError(f"{folder / COMPUTE} ended without writing {RESULTS}.")
    except BaseException:
        if before is not None:
            results.write_bytes(before)
        else:
            results.unlink(missing_ok=True)
        raise
    return True


def _current(folder: Path, results: Path) -> bool:
    """Return whether stored results name inputs, and all of them are as they were."""
    content = _read(results)
    kept = content.get("inputs") if content is not None else None
    if not isinstance(kept, Mapping) or not kept:
        return False
    models = [name.removeprefix(_MODEL) for name in kept if name.startswith(_MODEL)]
    files = [name for name in kept if not name.startswith(_MODEL) and name != _PACKAGE]
    try:
        return paper_inputs(folder, files, models) == {_PACKAGE: "", **kept}
    except (OSError, SemLoyaltyError):
        return False


def _read(results: Path) -> Mapping[str, object] | None:
    try:
        content = json.loads(results.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _digest(paths: Sequence[Path]) -> str:
    """Return the SHA-256 of files; line ends do not count, since version control may change them."""
    found = hashlib.sha256()
    for path in paths:
        found.update(path.read_bytes().replace(b"\r\n", b"\n"))
        found.update(b"\0")
    return found.hexdigest()
