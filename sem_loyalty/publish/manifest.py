"""The manifest: which bytes went in, which came out, and with what settings and versions.

It holds no clock time and no absolute path, so the same study on the same installation gives the same manifest.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Mapping
from importlib import import_module, metadata
from pathlib import Path

PACKAGES = ("numpy", "scipy", "pandas", "matplotlib", "semopy", "factor_analyzer", "statsmodels", "scikit-learn")


def sha256(data: bytes) -> str:
    """Return the SHA-256 digest of some bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def own_version() -> str:
    """Return the version of this package."""
    # By name, since the top of the package knows every room and rooms must not import upwards.
    return str(import_module("sem_loyalty").__version__)


def versions() -> dict[str, str]:
    """Return the versions of Python, of this package of what numbers or pictures depend on, and the machine."""
    found = {"python": platform.python_version(), "sem_loyalty": own_version()}
    found["machine"] = f"{platform.system()} {platform.machine()}"
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return dict(sorted(found.items()))


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 digest of every file under a folder, by relative path with "/" between its parts."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()) for path in files}


def manifest(
    *, inputs: Mapping[str, bytes], outputs: Mapping[str, str], seed: int, settings: Mapping[str, object]
) -> dict[str, object]:
    """Return the manifest of a run.

    Parameters
    ----------
    inputs : mapping of str to bytes
        Content of every input by the name that the study gives it (never an absolute path).
    outputs : mapping of str to str
        SHA-256 by file, from `digests`.
    seed : int
        The seed of everything random.
    settings : mapping
        The study as it was run, after defaults.

    Returns
    -------
    dict
        Keys "inputs", "outputs", "seed", "settings" and "versions", ready for `to_json`.
    """
    return {
        "inputs": {name: sha256(data) for name, data in inputs.items()},
        "outputs": dict(outputs),
        "seed": seed,
        "settings": dict(settings),
        "versions": versions(),
    }


def to_json(value: object) -> str:
    """Return JSON with sorted keys and numbers in full precision; what is not finite becomes null.

    Parameters
    ----------
    value : object
        Mappings, sequences, texts, numbers (NumPy's too), None.

    Returns
    -------
    str
        Indented by two blanks, with a line feed at the end.
    """
    return json.dumps(_portable(value), ensure_ascii=False, allow_nan=False, indent=2, sort_keys=True) + "\n"


def _portable(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _portable(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        entries = [_portable(entry) for entry in value]
        return sorted(entries, key=str) if isinstance(value, (set, frozenset)) else entries
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        # JSON has no NaN; numpy.float64 is a float whose repr json would not use, hence float().
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Path):
        return value.name
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    to_list = getattr(value, "tolist", None)
    return _portable(to_list()) if callable(to_list) else str(value)
