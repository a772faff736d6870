"""`pls_predict`: out-of-sample predictions of a path model of composites against simple benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, DataError, NotSupported, check_choice
from sem_loyalty.kernel.resample import products, stream
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.pls_sem.resamples import again, answers, check_drawable, reweighted
from sem_loyalty.pls_sem.solution import Pls
from sem_loyalty.pls_sem.statistics import total_effects

Array = NDArray[np.float64]
Index = NDArray[np.intp]

ANTECEDENTS = ("earliest", "direct")
METHODS = ("pls", "lm", "mean")


@dataclass(frozen=True, repr=False)
class PlsPrediction:
    """Predictions of respondents that a model has not seen.

    Attributes
    ----------
    fit : Pls
    folds, repeats, seed : int
    antecedents : {"earliest", "direct"}
    items : tuple of str, length q
        Items of the endogenous constructs.
    constructs : tuple of str, length q
        Construct of every one of them.
    errors : ndarray, shape (3, repeats, n, q)
        Answer less prediction, in the units of the items: of the model, of the linear model, of the mean of the
        training sample.
    """

    fit: Pls
    folds: int
    repeats: int
    seed: int
    antecedents: str
    items: tuple[str, ...]
    constructs: tuple[str, ...]
    errors: Array = field(repr=False)

    def table(self) -> pd.DataFrame:
        """Return the predictive power of every item.

        Returns
        -------
        DataFrame
            construct, item, q2_predict = 1 - SSE / SSE of the mean over all repeats, and by benchmark rmse and mae, the
            average over repeats of root mean squared and mean absolute errors: rmse_pls, rmse_lm, rmse_mean, mae_pls,
            mae_lm, mae_mean.
        """
        square = (self.errors**2).mean(axis=2)
        rmse, mae = np.sqrt(square).mean(axis=1), np.abs(self.errors).mean(axis=2).mean(axis=1)
        total = square.mean(axis=1)
        frame = pd.DataFrame(
            {"construct": self.constructs, "item": self.items, "q2_predict": 1.0 - total[0] / total[2]}
        )
        for name, values in (("rmse", rmse), ("mae", mae)):
            for k, method in enumerate(METHODS):
                frame[f"{name}_{method}"] = values[k]
        return frame

    def verdict(self) -> str:
        """Return the predictive power by the rule of Shmueli et al. (2019), over the items with Q2_predict above 0.

        "high", "medium", "low" or "none": RMSE below that of the linear model for all items, most (half or more),
        some or none of them; "none" as well where no item is predicted better than by its mean.
        """
        frame = self.table()
        known = frame[frame["q2_predict"] > 0]
        better = int((known["rmse_pls"] < known["rmse_lm"]).sum())
        if not better:
            return "none"
        share = better / len(frame)
        return "high" if share == 1.0 else "medium" if share >= 0.5 else "low"

    def losses(self) -> Array:
        """Return the squared errors averaged over repeats, shape (3, n, q)."""
        return np.asarray((self.errors**2).mean(axis=1))

    def to_table(self) -> Table:
        """Return the table as a Table."""
        return Table.from_frame(
            self.table(),
            id="pls-predict",
            caption="PLSpredict: errors out of sample",
            heads={"q2_predict": "Q²_predict"},
            note=f"N = {self.fit.n}; {self.folds} folds, {self.repeats} repeats, seed {self.seed}; "
            f"{self.antecedents} antecedents. Predictive power: {self.verdict()}.",
        )

    def __str__(self) -> str:
        """Return the table as text."""
        return self.to_table().to_text()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_table().to_html()


def pls_predict(
    fit: Pls, *, folds: int = 10, repeats: int = 10, seed: int = 1, antecedents: str = "earliest"
) -> PlsPrediction:
    """Predict the items of the endogenous constructs for respondents left out (PLSpredict).

    Parameters
    ----------
    fit : Pls
        From numeric answers, in one stage, without PLSc.
    folds : int, default 10
        Parts of the sample; each is predicted from the others.
    repeats : int, default 10
        Divisions of the sample into folds.
    seed : int, default 1
    antecedents : {"earliest", "direct"}, default "earliest"
        Which items of the left-out respondents are known: those of the exogenous constructs, whose effects are carried
        through the model, or those of the direct causes of every construct.

    Returns
    -------
    PlsPrediction
        Beside the predictions of the model, x = mean + sd loading score, stand those of a linear regression of every
        item on the items that are known, and the mean of the training sample.

    Raises
    ------
    NotSupported
        A matrix, categories, several stages or PLSc.
    ConfigurationError
        An argument makes no sense, or a training sample is smaller than the linear model needs.
    DataError
        A training sample has no solution.

    References
    ----------
    Shmueli, G., Ray, S., Velasquez Estrada, J. M. and Chatla, S. B. (2016). The elephant in the room: Predictive
    performance of PLS models. Journal of Business Research, 69, 4552-4564. doi:10.1016/j.jbusres.2016.03.049
    Shmueli, G. et al. (2019). Predictive model assessment in PLS-SEM: guidelines for using PLSpredict. European
    Journal of Marketing, 53, 2322-2347. doi:10.1108/EJM-02-2019-0189
    """
    check_choice("antecedents", antecedents, ANTECEDENTS)
    check_drawable(fit, "pls_predict", folds=folds, repeats=repeats, seed=seed)
    check_plain(fit, "pls_predict")
    if not 2 <= folds <= fit.n:
        raise ConfigurationError(f"folds={folds} must lie between 2 and the {fit.n} respondents.")
    design, rows = fit.model.design, fit.rows
    assert rows is not None
    known = [_known(fit, j, antecedents) for j in range(design.size)]
    smallest = fit.n - -(-fit.n // folds)
    most = max(len(found) for found in known)
    if smallest <= most + 1:
        raise ConfigurationError(
            f"A training sample of {smallest} respondents is too small for a linear model with {most} items. Use more "
            "folds, or fewer items."
        )
    endogenous = np.flatnonzero(design.path.any(axis=1))
    entries = np.flatnonzero(np.isin(design.construct, endogenous))
    errors = np.empty((len(METHODS), repeats, fit.n, len(entries)))
    with one_thread():
        for repeat in range(repeats):
            for test, predicted in _folds(fit, folds, seed, repeat, antecedents, known, entries):
                errors[:, repeat, test] = rows[np.ix_(test, design.item[entries])] - predicted
    return PlsPrediction(
        fit=fit,
        folds=folds,
        repeats=repeats,
        seed=seed,
        antecedents=antecedents,
        items=tuple(fit.model.items[i] for i in design.item[entries]),
        constructs=tuple(fit.model.constructs[j] for j in design.construct[entries]),
        errors=errors,
    )


def check_plain(fit: Pls, who: str) -> None:
    """Raise unless a fit is in one stage, of numeric items and without PLSc."""
    reasons = {"several stages": fit.first is not None, "ordered items": fit.ordered, "PLSc": fit.consistent}
    met = [name for name, flag in reasons.items() if flag]
    if met:
        raise NotSupported(
            f"{who} is available for composites of numeric items in one stage, not with {' and '.join(met)}: what it "
            "needs are scores, and weights that make them."
        )


def _known(fit: Pls, construct: int, antecedents: str) -> Index:
    """Return the items from which a construct is predicted."""
    design = fit.model.design
    causes = design.causes(construct)
    if antecedents == "earliest":
        causes = np.flatnonzero(~design.path.any(axis=1))
        causes = causes[[bool(_leads(fit, int(cause), construct)) for cause in causes]]
    return np.unique(design.item[np.isin(design.construct, causes)])


def _leads(fit: Pls, cause: int, outcome: int) -> bool:
    """Return whether a construct acts on another, at once or by way of others."""
    path = fit.model.design.path.astype(np.int64)
    reach = np.linalg.matrix_power(np.eye(len(path), dtype=np.int64) + path, len(path)) > 0
    return bool(reach[outcome, cause])


def _folds(
    fit: Pls, folds: int, seed: int, repeat: int, antecedents: str, known: list[Index], entries: Index
) -> Iterator[tuple[Index, Array]]:
    """Yield the respondents of every fold and their predictions, shape (3, k, q)."""
    design, rows = fit.model.design, fit.rows
    assert rows is not None
    place = np.empty(fit.n, dtype=np.intp)
    place[stream(seed, repeat, 0).permutation(fit.n)] = np.arange(fit.n) % folds
    often = (place[:, None] != np.arange(folds)).astype(np.float64)
    solved = again(fit, reweighted(fit, products(answers(fit)), often))
    if not solved.converged.all():
        raise DataError(
            f"{int((~solved.converged).sum())} of {folds} training samples have no solution: an item does not vary "
            "there, or a construct is hardly correlated with its neighbours. Leave out the item, or use more folds."
        )
    effects = solved.paths if antecedents == "direct" else total_effects(fit.model, solved.paths)
    used = ~design.path.any(axis=1) if antecedents == "earliest" else np.ones(design.size, dtype=bool)
    for fold in range(folds):
        test, train = np.flatnonzero(place == fold), np.flatnonzero(place != fold)
        mean, sd = rows[train].mean(axis=0), rows[train].std(axis=0)
        weights = np.zeros((rows.shape[1], design.size))
        weights[design.item, design.construct] = solved.composites.weights[:, fold]
        score = ((rows[test] - mean) / sd) @ weights
        expected = (score * used) @ effects[:, :, fold].T
        items = design.item[entries]
        model = mean[items] + sd[items] * expected[:, design.construct[entries]] * solved.loadings[entries, fold]
        linear = np.empty_like(model)
        for j in np.unique(design.construct[entries]):
            own = design.construct[entries] == j
            X, Y = rows[np.ix_(train, known[j])], rows[np.ix_(train, items[own])]
            slopes = np.linalg.lstsq(X - X.mean(axis=0), Y - Y.mean(axis=0), rcond=None)[0]
            linear[:, own] = Y.mean(axis=0) + (rows[np.ix_(test, known[j])] - X.mean(axis=0)) @ slopes
        yield test, np.stack([model, linear, np.broadcast_to(mean[items], model.shape)])
