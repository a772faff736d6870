"""The paper of a study, built again from rebuilt results and compared with the one that is there."""

from __future__ import annotations

import shutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

_BUILDER = "sem_loyalty.publish.paper"
_SOURCE, _BUILT = "paper.typ", "paper.pdf"


def compare_paper(folder: Path, elsewhere: Path) -> str:
    """Return what is to be said of the paper of a study: "" where there is none, or it comes out again.

    Parameters
    ----------
    folder : Path
        With paper.typ and, once it has been built, paper.pdf.
    elsewhere : Path
        Where a copy is built, beside the rebuilt results.
    """
    if not (folder / _SOURCE).is_file() or not (folder / _BUILT).is_file() or find_spec(_BUILDER) is None:
        return ""
    shutil.copytree(folder, elsewhere, ignore=shutil.ignore_patterns("*.pdf"))
    built = elsewhere / _BUILT
    import_module(_BUILDER).build_paper(elsewhere, out=built)
    if built.read_bytes() == (folder / _BUILT).read_bytes():
        return ""
    return f"The paper differs: {_BUILT} is not what its text and the rebuilt results give. Build it again."
