"""The one place that decides whether a frame of a fit prints as one that cannot be trusted."""

from __future__ import annotations

import pandas as pd

from sem_loyalty.display.marked import marked
from sem_loyalty.fitting.solution import Fit


def mark(frame: pd.DataFrame, *fits: Fit) -> pd.DataFrame:
    """Return a frame of numbers of fits as it may be shown: plain where all are certified, else marked.

    Parameters
    ----------
    frame : DataFrame
    *fits : Fit
        What the numbers come from.

    Returns
    -------
    DataFrame
        `attrs["certified"]` says whether all fits are certified. Where one is not, a `MarkedFrame`, whose every
        display begins with "NOT CERTIFIED" and the checks that failed.
    """
    reasons = dict.fromkeys(problem.code for fit in fits for problem in fit.certificate.problems)
    frame.attrs["certified"] = not reasons
    return marked(frame, "; ".join(reasons))
