"""`pls_fit_test`: bootstrap test of exact fit of a path model of composites."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, NotSupported, check_choice
from sem_loyalty.inference.intervals import quantiles
from sem_loyalty.inference.progress import Tell
from sem_loyalty.kernel.resample import products, resample_moments, stream, under_the_model
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.pls_sem.model_fit import distances, implied, implied_cor
from sem_loyalty.pls_sem.resamples import (
    LANES,
    Part,
    again,
    answers,
    check_drawable,
    in_blocks,
    own_sample,
    standardised,
)
from sem_loyalty.pls_sem.solution import Pls
from sem_loyalty.pls_sem.solve import Sample, Solved

Array = NDArray[np.float64]

MODELS = ("saturated", "estimated")
MEASURES = ("SRMR", "d_ULS", "d_G")


@dataclass(frozen=True, repr=False)
class PlsFitTest:
    """Distances of a model, and how they are distributed where the model holds.

    Attributes
    ----------
    fit : Pls
    model : {"saturated", "estimated"}
    seed : int
    value : ndarray, shape (3,)
        SRMR, d_ULS and d_G of the sample.
    draws : ndarray, shape (3, R)
        Of the draws that converged.
    failed : int
        Draws that did not.
    """

    fit: Pls
    model: str
    seed: int
    value: Array = field(repr=False)
    draws: Array = field(repr=False)
    failed: int

    def table(self) -> pd.DataFrame:
        """Return measure, value, hi95, hi99 (quantiles of the draws) and pvalue, one row per measure.

        p = (#{draw >= value} + 1) / (R + 1). A value above HI95 says that the model does not hold.
        """
        ordered = np.sort(self.draws, axis=1)
        reached = (self.draws >= self.value[:, None]).sum(axis=1)
        return pd.DataFrame(
            {
                "measure": MEASURES,
                "value": self.value,
                "hi95": quantiles(ordered, np.full(3, 0.95)),
                "hi99": quantiles(ordered, np.full(3, 0.99)),
                "pvalue": (reached + 1) / (self.draws.shape[1] + 1),
            }
        )

    def to_table(self) -> Table:
        """Return the test as a Table."""
        note = f"{self.draws.shape[1]:,} draws under the model, seed {self.seed}; {self.failed} failed."
        return Table.from_frame(
            self.table(),
            id=f"pls-fit-{self.model}",
            caption=f"Bootstrap test of exact fit, {self.model} model",
            heads={"hi95": "HI95", "hi99": "HI99"},
            note=note,
        )

    def __str__(self) -> str:
        """Return the test as text."""
        return self.to_table().to_text()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_table().to_html()


def pls_fit_test(
    fit: Pls,
    draws: int = 1000,
    *,
    model: str = "estimated",
    seed: int = 1,
    workers: int = 1,
    progress: bool | Tell | None = None,
) -> PlsFitTest:
    """Test whether a path model of composites reproduces the correlations of its items.

    Answers are moved to where the model holds exactly, Y S^-1/2 Sigma^1/2 (Beran and Srivastava 1985; Bollen and Stine
    1992), resampled, and the model is estimated each time.

    Parameters
    ----------
    fit : Pls
        From answers.
    draws : int, default 1000
    model : {"estimated", "saturated"}, default "estimated"
        With the correlations of constructs that the paths imply, or with free ones (a test of the measurement alone).
    seed, workers, progress
        As for `pls_bootstrap`.

    Returns
    -------
    PlsFitTest

    Raises
    ------
    NotSupported
        The fit is of a matrix, or its implied correlations are not positive definite.
    ConfigurationError
        An argument makes no sense.

    References
    ----------
    Dijkstra, T. K. and Henseler, J. (2015). Consistent and asymptotically normal PLS estimators for linear structural
    equations. Computational Statistics and Data Analysis, 81, 10-23. doi:10.1016/j.csda.2014.07.008
    Bollen, K. A. and Stine, R. A. (1992). Bootstrapping goodness-of-fit measures in structural equation models.
    Sociological Methods and Research, 21, 205-229. doi:10.1177/0049124192021002004
    """
    check_choice("model", model, MODELS)
    check_drawable(fit, "pls_fit_test", draws=draws, seed=seed, workers=workers)
    if fit.first is not None or fit.ordered:
        raise NotSupported(
            "The test of exact fit is available for models in one stage with numeric items; test `fit.first` where the "
            "items are."
        )
    with one_thread():
        own = again(fit, own_sample(fit))
        sigma = _implied(fit, own, model)
        if not np.isfinite(sigma).all() or np.linalg.eigvalsh(sigma[:, :, 0])[0] <= 1e-10:
            raise NotSupported(
                "The correlations that the model implies are not positive definite, so no sample can be drawn from it. "
                "Look at sl.pls_quality(fit)."
            )
        value = distances(fit.correlation[:, :, None], sigma)[:3, 0]
        source = products(under_the_model(answers(fit), fit.correlation, sigma[:, :, 0], None))

        def work(block: int) -> Part:
            cov, _ = resample_moments(source, stream(seed, block, 0), LANES)
            last = min(LANES, draws - block * LANES)
            solved = again(fit, Sample(standardised(cov)[..., :last]))
            found = distances(solved.correlation, _implied(fit, solved, model))[:3]
            counts = solved.converged & np.isfinite(found).all(axis=0)
            return found, counts, counts

        parts = in_blocks(work, draws, workers, progress)
    found, counts = (np.concatenate([part[k] for part in parts], axis=-1) for k in (0, 1))
    if counts.sum() < 2:
        raise ConfigurationError(f"{int(counts.sum())} of {draws} draws converged; a test needs two at least.")
    return PlsFitTest(fit, model, seed, value, found[:, counts], int((~counts).sum()))


def _implied(fit: Pls, solved: Solved, model: str) -> Array:
    cor = solved.cor if model == "saturated" else implied_cor(fit.model, solved.cor, solved.paths)
    return implied(fit.model, solved.correlation, solved.loadings, cor, consistent=fit.consistent)
