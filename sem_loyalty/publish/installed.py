"""What is installed: the packages that this one needs, for the lock of a study, and all the code, for its steps."""

from __future__ import annotations

import hashlib
import platform
import re
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from sem_loyalty.model.pool import library_folder
from sem_loyalty.publish.manifest import own_version, versions

_NAME = "sem-loyalty"


def dependencies() -> dict[str, str]:
    """Return name and version of every installed package that this one needs, directly or not, sorted by name.

    Extras are left out. What a requirement asks for on other systems only is not installed here, and so not listed.
    """
    found: dict[str, str] = {}
    waiting = [_NAME]
    while waiting:
        name = waiting.pop()
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if name != _NAME:
            found[name] = package.version
        for requirement in package.requires or ():
            wanted, _, marker = requirement.partition(";")
            match = re.match(r"[A-Za-z0-9._-]+", wanted)
            if match is not None and "extra" not in marker:
                other = re.sub(r"[-_.]+", "-", match[0]).lower()
                if other not in found and other not in waiting:
                    waiting.append(other)
    return dict(sorted(found.items()))


def lock() -> str:
    """Return the versions of the packages in use as lines that pip reads, and that of this one in a remark.

    This package itself is no line: it may have been installed from a folder, and a name that pip resolves elsewhere
    would be another package.
    """
    head = (
        f"# The packages that sem-loyalty {own_version()} used when this study was begun, on Python "
        f"{platform.python_version()}.\n"
    )
    return head + "".join(f"{name}=={version}\n" for name, version in dependencies().items())


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """Return a digest of everything but its inputs that the outcome of a study depends on.

    The code of this package and its library of models, byte by byte; the versions of Python and of all packages in
    use; the system and the machine.
    """
    digest = hashlib.sha256()
    package = Path(__file__).resolve().parents[1]
    for folder in (package, library_folder()):
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".lav", ".toml", ".css", ".js", ".json", ".csv", ".typ") and path.is_file():
                digest.update(path.relative_to(folder).as_posix().encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update(repr((versions(), dependencies())).encode())
    return digest.hexdigest()
