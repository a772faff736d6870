"""The model of a study for other programs, where the study lets its answers be written."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from sem_loyalty.errors import DataWarning, NotSupported
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.publish.export_model import export_model


def study_exports(programs: Sequence[str], fitted: Fit) -> dict[str, str]:
    """Return scripts and data by name of the file.

    Parameters
    ----------
    programs : sequence of str
        From "lavaan", "mplus" and "semopy".
    fitted : Fit

    Warns
    -----
    DataWarning
        A program that cannot express the model; the study goes on without it.
    """
    made: dict[str, str] = {}
    for program in dict.fromkeys(programs):
        try:
            made |= export_model(fitted, program).files
        except NotSupported as error:
            warnings.warn(f"No export to {program}: {error}", DataWarning, stacklevel=2)
    return made
