"""`cvpat`: test of predictive ability out of sample, against benchmarks or another model."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.pls_sem.predict import METHODS, PlsPrediction

Array = NDArray[np.float64]


def cvpat(prediction: PlsPrediction, other: PlsPrediction | None = None) -> pd.DataFrame:
    """Test whether a model predicts better than its benchmarks, or than another model (CVPAT).

    The loss of a respondent is the squared error of the left-out prediction, averaged over repeats and over items: all
    of them, or those of one construct. The mean difference of losses is tested by t with n - 1 degrees of freedom.
    Errors are in the units of the items, which should share a scale.

    Parameters
    ----------
    prediction : PlsPrediction
    other : PlsPrediction, optional
        Of a rival model of the same items and respondents, with the same folds; by default the mean and the linear
        model are the rivals.

    Returns
    -------
    DataFrame
        construct ("" for the whole model), against, loss, loss_other, difference (loss - loss_other: negative where the
        model predicts better), t, pvalue (two-sided).

    Raises
    ------
    ConfigurationError
        The predictions are not of the same items, respondents and folds.

    References
    ----------
    Liengaard, B. D. et al. (2021). Prediction: Coveted, yet forsaken? Introducing a cross-validated predictive ability
    test in partial least squares path modeling. Decision Sciences, 52, 362-392. doi:10.1111/deci.12445
    """
    own = prediction.losses()
    rivals = {"mean": own[METHODS.index("mean")], "lm": own[METHODS.index("lm")]}
    if other is not None:
        rivals = {"other": _matched(prediction, other)}
    records = []
    for name in ("", *dict.fromkeys(prediction.constructs)):
        chosen = [k for k, construct in enumerate(prediction.constructs) if name in ("", construct)]
        for rival, losses in rivals.items():
            mine, theirs = own[0][:, chosen].mean(axis=1), losses[:, chosen].mean(axis=1)
            records.append((name, rival, *_paired(mine, theirs)))
    columns = ["construct", "against", "loss", "loss_other", "difference", "t", "pvalue"]
    return pd.DataFrame(records, columns=columns)


def _matched(prediction: PlsPrediction, other: PlsPrediction) -> Array:
    """Return the losses of another model in the order of the items of the first, shape (n, q)."""
    for name in ("folds", "repeats", "seed"):
        if getattr(prediction, name) != getattr(other, name):
            raise ConfigurationError(f"The predictions differ in {name}; CVPAT compares the same respondents left out.")
    if set(prediction.items) != set(other.items) or len(prediction.items) != len(other.items):
        odd = sorted(set(prediction.items) ^ set(other.items))
        raise ConfigurationError(f"CVPAT compares errors of the same items; these are in one model only: {odd}.")
    order = [other.items.index(item) for item in prediction.items]
    mine, theirs = prediction.fit, other.fit
    assert mine.rows is not None
    assert theirs.rows is not None
    first = [mine.model.items.index(item) for item in prediction.items]
    second = [theirs.model.items.index(item) for item in prediction.items]
    if mine.n != theirs.n or not np.array_equal(mine.rows[:, first], theirs.rows[:, second]):
        raise ConfigurationError("The models were estimated from different respondents; CVPAT compares the same ones.")
    return np.asarray(other.losses()[0][:, order])


def _paired(mine: Array, theirs: Array) -> tuple[float, float, float, float, float]:
    """Return both mean losses, their difference, t and its two-sided p."""
    gap = mine - theirs
    spread = float(gap.std(ddof=1)) / float(np.sqrt(len(gap)))
    t = float(gap.mean()) / spread if spread > 0 else float("nan")
    return float(mine.mean()), float(theirs.mean()), float(gap.mean()), t, float(2.0 * stdtr(len(gap) - 1, -abs(t)))
