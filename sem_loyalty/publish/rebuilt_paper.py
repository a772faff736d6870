"""The paper of a study, built again from rebuilt results and compared with the one that is there."""

from __future__ import annotations

import shutil
from pathlib import Path

from sem_loyalty.publish.paper import SOURCE, build_paper

_FOLDER, _BUILT, _STUDY = "paper", "paper.pdf", "study.toml"


def compare_paper(project: Path, elsewhere: Path) -> str:
    """Return what is to be said of the paper of a study: "" where there is none, or it comes out again.

    Parameters
    ----------
    project : Path
        With study.toml, paper/paper.typ and, once it has been built, paper/paper.pdf.
    elsewhere : Path
        With the rebuilt results; the paper is copied there and built.

    Raises
    ------
    ConfigurationError
        The paper cannot be built.
    """
    written = project / _FOLDER
    if not (project / _STUDY).is_file() or not (written / SOURCE).is_file() or not (written / _BUILT).is_file():
        return ""
    shutil.copytree(written, elsewhere / _FOLDER, ignore=shutil.ignore_patterns("*.pdf"))
    shutil.copy(project / _STUDY, elsewhere / _STUDY)
    if build_paper(elsewhere / _FOLDER).read_bytes() == (written / _BUILT).read_bytes():
        return ""
    return f"The paper differs: {_FOLDER}/{_BUILT} is not what its text and the rebuilt results give. Build it again."
