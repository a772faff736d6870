"""Estimates with their uncertainty, defined parameters, and explained variance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.estimate_rows import NUMBERS, row_names, row_numbers
from sem_loyalty.inference.marking import mark
from sem_loyalty.model.scatter import variables
from sem_loyalty.model.spec import Specification, kept

COLUMNS = ["lhs", "op", "rhs", "group", "label", *NUMBERS]
_NUMBERS = pd.Index(NUMBERS)


def estimates(fit: Fit, *, level: float = 0.95) -> pd.DataFrame:
    """Return every parameter with its standard error, test, interval and standardised values.

    Parameters
    ----------
    fit : Fit
        A fitted model. Where it is not certified, the frame prints so (`MarkedFrame`).
    level : float, default 0.95
        Coverage of the intervals, between 0 and 1.

    Returns
    -------
    DataFrame
        One row per parameter: lhs, op, rhs, group, label, est, se, z, pvalue, ci_lower, ci_upper, std_lv, std_all.
        Standard errors come from the expected information, those of defined parameters (`:=`, group 0) from the
        delta method. Fixed parameters have se 0 and no test.

    Raises
    ------
    ConfigurationError
        `level` is not between 0 and 1.

    Notes
    -----
    z = est / se, p = 2 (1 - Phi(|z|)), computed in the tail. std_lv divides by the standard deviations of the
    latent variables, std_all by those of all variables (Bollen 1989, Structural Equations with Latent Variables,
    doi:10.1002/9781118619179).
    """
    cells = row_numbers(fit, level)
    rows = _rows(fit.specification)
    frame = pd.concat([rows, pd.DataFrame(cells, index=rows.index, columns=_NUMBERS, copy=False)], axis=1)
    if len(fit.specification.groups) > 1:
        frame.attrs["groups"] = dict(enumerate(fit.specification.groups, start=1))
    return mark(frame, fit)


@kept
def _rows(specification: Specification) -> pd.DataFrame:
    """Return what names the rows of the table as a frame."""
    names = row_names(specification)
    return pd.DataFrame({name: getattr(names, name) for name in COLUMNS[:5]})


def r_squared(fit: Fit) -> pd.DataFrame:
    """Return the share of variance that the model explains of every indicator and outcome.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    DataFrame
        Columns variable, group, r2 = 1 - residual variance / total variance; nan where the residual variance is
        negative.
    """
    position = variables(fit.specification)
    names = dict.fromkeys(
        name
        for row in fit.specification.parameters
        if row.op in ("=~", "~")
        for name in ((row.rhs,) if row.op == "=~" else (row.lhs,))
    )
    records = []
    for group, at in enumerate(fit.point.implied, start=1):
        for name in names:
            k = position[name]
            residual, total = float(at.residual[k, k]), float(at.total[k, k])
            share = 1.0 - residual / total if residual >= 0 and total > 0 else np.nan
            records.append((name, group, share))
    return mark(pd.DataFrame(records, columns=["variable", "group", "r2"]), fit)
