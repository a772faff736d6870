"""The jackknife: the model fitted without each respondent in turn, where no formula gives their influence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import NotSupported
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.refitting import refitted, solutions
from sem_loyalty.inference.uncertainty import answers
from sem_loyalty.kernel.threads import one_thread

Array = NDArray[np.float64]


@one_thread()
def jackknife_influence(fit: Fit) -> Array:
    """Return the influence of every respondent on all rows, raw, std_lv and std_all, shape (3, rows, n).

    u_i = (n_g - 1) (m - v_i), with v_i the rows fitted without respondent i and m their mean in group g (Efron 1987,
    section 6; Davison and Hinkley 1997, Bootstrap Methods and their Application, section 3.2.1, for several groups,
    where u_i stands over n_g and counts here with N).

    Parameters
    ----------
    fit : Fit
        To answers. As many fits as respondents are made.

    Raises
    ------
    NotSupported
        Without one of the respondents there is no fit, as where nobody else chose a category.
    """
    rows = answers(fit)
    n = sum(map(len, rows))
    parts = []
    for group, own in enumerate(rows):
        values = np.empty((3, len(fit.specification.parameters), len(own)))
        for i in range(len(own)):
            left = [np.delete(own, i, axis=0) if g == group else one for g, one in enumerate(rows)]
            found, _ = refitted(fit, left)
            if found is None:
                raise NotSupported(
                    f"interval='bca' needs fits without each respondent in turn, and without respondent {i + 1}"
                    f"{_in(fit, group)} there is none; available here: 'percentile', 'basic'."
                )
            values[:, :, i] = solutions(found)
        parts.append(n * (len(own) - 1) / len(own) * (values.mean(axis=2, keepdims=True) - values))
    return np.concatenate(parts, axis=2)


def _in(fit: Fit, group: int) -> str:
    labels = [entry.label for entry in fit.moments.groups]
    return f" of group {labels[group]!r}" if len(labels) > 1 else ""
