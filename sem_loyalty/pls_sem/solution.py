"""A path model of composites, estimated."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table
from sem_loyalty.display.marked import marked
from sem_loyalty.errors import NotSupported
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.pls_sem.path_model import PathModel
from sem_loyalty.pls_sem.solve import Guide, Sample, scores, solve

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pls:
    """A path model estimated by partial least squares.

    Attributes
    ----------
    model : PathModel
    n : int
        Respondents.
    scheme : {"path", "centroid", "factorial"}
    consistent : bool
        Whether correlations and loadings of common factors are corrected for unreliability (PLSc).
    correlation : ndarray, shape (p, p)
        Correlations of the items.
    weights : ndarray, shape (m,)
        Outer weights of the entries of the design.
    loadings : ndarray, shape (m,)
        Correlations of items and constructs; with PLSc the loadings of the factor model.
    rho_a : ndarray, shape (J,)
        Reliability of the composites; 1 where it is no common factor.
    cor : ndarray, shape (J, J)
        Correlations of the constructs; with PLSc those of the factors.
    paths : ndarray, shape (J, J)
        paths[i, j]: effect of construct j on construct i, standardised.
    r2 : ndarray, shape (J,)
        nan for exogenous constructs.
    iterations : int
    problems : tuple of str
        Why the solution cannot be trusted; empty where it is admissible.
    rows : ndarray, shape (n, p), or None
        Answers to `model.observed`, products of items included; categories from 0 where `ordered`. None for a matrix
        as input.
    ordered : bool
        Whether the correlations are polychoric.
    item_sd : ndarray, shape (p,)
        Standard deviations of products of composites of unit variance; 1 for every other item.
    first : Pls or None
        The stage before, whose composites are items of this one.
    """

    model: PathModel
    n: int
    scheme: str
    consistent: bool
    correlation: Array = field(repr=False)
    weights: Array = field(repr=False)
    loadings: Array = field(repr=False)
    rho_a: Array = field(repr=False)
    cor: Array = field(repr=False)
    paths: Array = field(repr=False)
    r2: Array = field(repr=False)
    iterations: int
    problems: tuple[str, ...]
    rows: Array | None = field(repr=False)
    ordered: bool
    item_sd: Array = field(repr=False)
    first: Pls | None = field(repr=False)

    @property
    def guides(self) -> tuple[Guide, ...]:
        """Weights and loadings of this stage and of those before it, for estimates from other samples."""
        before = () if self.first is None else self.first.guides
        return ((self.weights, self.loadings), *before)

    @property
    def admissible(self) -> bool:
        """Whether nothing bars the solution from being reported."""
        return not self.problems

    def shown(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame of numbers of this solution as it may be shown: marked where it is not admissible."""
        return marked(frame, " ".join(self.problems)) if self.problems else frame

    def path_coefficients(self) -> pd.DataFrame:
        """Return cause, outcome and estimate of every path."""
        names = self.model.constructs
        records = [(names[j], names[i], self.paths[i, j]) for i, j in np.argwhere(self.model.design.path)]
        return self.shown(pd.DataFrame(records, columns=["cause", "outcome", "est"]))

    def outer_model(self) -> pd.DataFrame:
        """Return construct, item, mode, weight and loading of every entry."""
        design, model = self.model.design, self.model
        frame = pd.DataFrame(
            {
                "construct": [model.constructs[j] for j in design.construct],
                "item": [model.items[i] for i in design.item],
                "mode": ["B" if design.mode_b[j] else "A" for j in design.construct],
                "weight": self.weights,
                "loading": self.loadings,
            }
        )
        return self.shown(frame)

    def cross_loadings(self) -> Array:
        """Return the correlations of all items with all composites, shape (p, J)."""
        return self.correlation @ self.weight_matrix()

    def weight_matrix(self) -> Array:
        """Return the weights with an item per row and a composite per column, shape (p, J)."""
        design = self.model.design
        out = np.zeros((len(self.model.items), design.size))
        out[design.item, design.construct] = self.weights
        return out

    def total_effects(self) -> pd.DataFrame:
        """Return cause, outcome, direct, indirect and total effect of every pair that is connected."""
        size = len(self.model.constructs)
        total = np.linalg.inv(np.eye(size) - self.paths) - np.eye(size)
        names = self.model.constructs
        reach = np.linalg.matrix_power(np.eye(size) + self.model.design.path, size) - np.eye(size) > 0
        records = [
            (names[j], names[i], self.paths[i, j], total[i, j] - self.paths[i, j], total[i, j])
            for j in range(size)
            for i in range(size)
            if i != j and reach[i, j]
        ]
        return self.shown(pd.DataFrame(records, columns=["cause", "outcome", "direct", "indirect", "total"]))

    def scores(self) -> pd.DataFrame:
        """Return the scores of the composites, one row per respondent used, mean 0 and variance 1 (divisor n).

        Raises
        ------
        NotSupported
            There are no answers, or they are ordered categories.
        """
        if self.rows is None or self.ordered:
            raise NotSupported("Scores need numeric answers: estimate the model from `data` without `ordered`.")
        with one_thread():
            sample = Sample(self.base_correlation()[:, :, None], self.rows)
            solved = solve(self.model, sample, self.scheme, consistent=self.consistent, guides=self.guides)
            values = scores(self.model, solved, sample)[:, :, 0]
        return self.shown(pd.DataFrame(values, columns=list(self.model.constructs)))

    def base_correlation(self) -> Array:
        """Return the correlations of the observed items, those of the earliest stage, shape (p, p)."""
        return self.correlation if self.first is None else self.first.base_correlation()

    def slopes(self, at: tuple[float, ...] = (-1.0, 0.0, 1.0)) -> pd.DataFrame:
        """Return simple slopes: the effect of one construct on an outcome at values of another that multiplies it.

        b1 + b3 m for a product A:B and b1 + 2 b3 m for a square A:A, b3 being the effect of the product of two
        composites of unit variance, not brought to unit variance itself.

        Parameters
        ----------
        at : tuple of float, default (-1, 0, 1)
            Values m of the moderator, in standard deviations.

        Returns
        -------
        DataFrame
            cause, moderator, outcome, interaction (b3), at, slope.

        Raises
        ------
        NotSupported
            No product of two composites is in the model.
        """
        names = self.model.constructs
        terms = [i for i, source in enumerate(self.model.sources) if len(source.composites) == 2]
        if not terms:
            raise NotSupported("Slopes need a product of constructs in the model, by interactions='two-stage'.")
        records = []
        for term in terms:
            cause, moderator = self.model.sources[term].composites
            for outcome in np.flatnonzero(self.model.design.path[:, term]):
                unit = float(self.paths[outcome, term] / self.item_sd[term])
                for one, other in dict.fromkeys(((cause, moderator), (moderator, cause))):
                    for m in at:
                        slope = float(self.paths[outcome, one]) + (2.0 if one == other else 1.0) * unit * m
                        records.append((names[one], names[other], names[outcome], unit, m, slope))
        columns = ["cause", "moderator", "outcome", "interaction", "at", "slope"]
        return self.shown(pd.DataFrame(records, columns=columns))

    def to_table(self) -> Table:
        """Return the paths as a Table."""
        kind = "Consistent partial least squares" if self.consistent else "Partial least squares"
        caption = f"{kind}: path coefficients" if self.admissible else f"NOT ADMISSIBLE: do not report. {kind}: paths"
        frame = self.path_coefficients()
        outcome = {name: self.r2[k] for k, name in enumerate(self.model.constructs)}
        frame["r2"] = [outcome[name] for name in frame["outcome"]]
        how = f"N = {self.n}; {self.scheme} weighting{', polychoric correlations' if self.ordered else ''}."
        note = " ".join((how, *self.problems, *self.model.notes))
        return Table.from_frame(frame, id="pls-paths", caption=caption, heads={"r2": "R² of the outcome"}, note=note)

    def __str__(self) -> str:
        """Return the table of paths as text."""
        return self.to_table().to_text()

    def _repr_html_(self) -> str:
        return self.to_table().to_html()
