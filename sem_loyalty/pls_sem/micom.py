"""`micom`: whether composites are the same in two groups, so that their paths can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.inference.intervals import quantiles
from sem_loyalty.kernel.resample import products
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.syntax import ModelText
from sem_loyalty.pls_sem.groups import Pair, pairs_of_groups
from sem_loyalty.pls_sem.resamples import LANES, again, answers, check_drawable, reweighted

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Micom:
    """Measurement invariance of composites, in three steps, for every two groups.

    Attributes
    ----------
    pairs : tuple of Pair
    table : DataFrame
        One row per pair of groups and construct: group_1, group_2, construct; c, c_lower (5% quantile of the
        permutations), p_c (step 2); mean_difference with mean_lower, mean_upper, p_mean; log_variance_ratio with
        variance_lower, variance_upper, p_variance (step 3, 95% of the permutations); invariance: "full", "partial" or
        "not established".
    permutations, seed : int
    failed : int
        Permutations that did not converge; they are left out.
    """

    pairs: tuple[Pair, ...] = field(repr=False)
    table: pd.DataFrame = field(repr=False)
    permutations: int
    seed: int
    failed: int

    def to_table(self) -> Table:
        """Return the steps as a Table."""
        return Table.from_frame(
            self.table,
            id="micom",
            caption="Measurement invariance of composites (MICOM)",
            kinds={"p_c": "p", "p_mean": "p", "p_variance": "p"},
            note="Step 1, configural invariance: the same items, data treatment and algorithm in all groups, by "
            f"construction. {self.permutations:,} permutations, seed {self.seed}; {self.failed:,} failed.",
        )

    def __str__(self) -> str:
        """Return the steps as text."""
        return self.to_table().to_text()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_table().to_html()


def micom(
    model: str | Path | ModelText | ModelFile,
    data: pd.DataFrame | Mapping[str, Any],
    group: str,
    *,
    permutations: int = 1000,
    seed: int = 1,
    scheme: str = "path",
    modes: dict[str, str] | None = None,
    level: float = 0.95,
) -> Micom:
    """Test whether composites are the same in two groups (MICOM).

    Parameters
    ----------
    model, data, scheme, modes
        As for `pls`; a model in one stage.
    group : str
        Column that splits the respondents. Of several groups every two are compared.
    permutations : int, default 1000
    seed : int, default 1
    level : float, default 0.95
        Of the tests.

    Returns
    -------
    Micom

    Raises
    ------
    NotSupported
        Second-order constructs or products: test the model of the items.
    ConfigurationError
        One group only, or an argument that makes no sense.

    Notes
    -----
    Step 2: c is the correlation, among all respondents of both groups, of the composites with the weights of either
    group; p_c is the share of permutations with a c as low. Step 3: difference of means and logarithm of the ratio of
    variances of the composites with common weights, standardised over both groups. Where step 2 holds, paths can be
    compared (partial invariance); where step 3 holds as well, respondents can be pooled (full invariance).

    References
    ----------
    Henseler, J., Ringle, C. M. and Sarstedt, M. (2016). Testing measurement invariance of composites using partial
    least squares. International Marketing Review, 33, 405-431. doi:10.1108/IMR-09-2014-0304
    """
    if not 0.0 < level < 1.0:
        raise ConfigurationError(f"level={level!r} is not a coverage between 0 and 1.")
    pairs = pairs_of_groups(model, data, group, scheme=scheme, consistent=False, modes=modes, second_order="disjoint")
    check_drawable(pairs[0].pooled, "micom", permutations=permutations, seed=seed)
    if pairs[0].pooled.first is not None:
        raise NotSupported("micom tests composites of items: leave second-order constructs and products out.")
    found = []
    with one_thread():
        for pair in pairs:
            found.append(_steps(pair, seed, permutations, 1.0 - level))
    table = pd.concat([frame for frame, _ in found], ignore_index=True)
    return Micom(tuple(pairs), table, permutations, seed, sum(lost for _, lost in found))


def _steps(pair: Pair, seed: int, permutations: int, alpha: float) -> tuple[pd.DataFrame, int]:
    """Return the table of two groups and the permutations that failed."""
    pooled, rows = pair.pooled, answers(pair.pooled)
    source = products(rows)
    actual = np.zeros((pooled.n, 1))
    actual[: pair.sizes[0]] = 1.0
    score = rows @ pooled.weight_matrix()
    parts = []
    for often in (actual, *np.split(pair.reassigned(seed, permutations), range(LANES, permutations, LANES), axis=1)):
        sides = [again(pooled, reweighted(pooled, source, side)) for side in (often, 1.0 - often)]
        agreement = _agreement(pair, sides[0].composites.weights, sides[1].composites.weights)
        counted = sides[0].converged & sides[1].converged
        parts.append(np.stack([agreement, *_moments(score, often)])[..., counted])
    own, drawn = parts[0][..., 0], np.concatenate(parts[1:], axis=-1)
    used = drawn.shape[-1]
    if used < 2:
        raise ConfigurationError(f"{used} of {permutations} permutations converged; a test needs two at least.")
    names = list(pooled.model.constructs)
    frame = pd.DataFrame({"group_1": pair.names[0], "group_2": pair.names[1], "construct": names})
    frame["c"], frame["c_lower"] = own[0], quantiles(np.sort(drawn[0], axis=1), np.full(len(names), alpha))
    # Composites of one item agree exactly, up to rounding.
    frame["p_c"] = ((drawn[0] <= own[0][:, None] + 1e-12).sum(axis=1) + 1) / (used + 1)
    for k, (column, short) in enumerate((("mean_difference", "mean"), ("log_variance_ratio", "variance")), start=1):
        ordered = np.sort(drawn[k], axis=1)
        frame[column] = own[k]
        for side, tail in (("lower", 0.5 * alpha), ("upper", 1.0 - 0.5 * alpha)):
            frame[f"{short}_{side}"] = quantiles(ordered, np.full(len(names), tail))
        frame[f"p_{short}"] = ((np.abs(drawn[k]) >= np.abs(own[k])[:, None]).sum(axis=1) + 1) / (used + 1)
    same = frame["p_c"] > alpha
    equal = (frame["p_mean"] > alpha) & (frame["p_variance"] > alpha)
    frame["invariance"] = np.where(same & equal, "full", np.where(same, "partial", "not established"))
    return frame, permutations - used


def _agreement(pair: Pair, first: Array, second: Array) -> Array:
    """Return the correlation of composites with two sets of weights (m, L) among all respondents, shape (J, L)."""
    design, R = pair.pooled.model.design, pair.pooled.correlation
    out = np.empty((design.size, first.shape[1]))
    for j in range(design.size):
        own = design.entries(j)
        block = R[np.ix_(design.item[own], design.item[own])]
        a, b = first[own], second[own]
        cross, left, right = ((x * (block @ y)).sum(axis=0) for x, y in ((a, b), (a, a), (b, b)))
        out[j] = cross / np.sqrt(left * right)
    return out


def _moments(score: Array, often: Array) -> tuple[Array, Array]:
    """Return the differences of means and log ratios of variances of scores (n, J), shape (J, L) each."""
    means, variances = [], []
    for side in (often, 1.0 - often):
        size = side.sum(axis=0)
        mean = score.T @ side / size
        means.append(mean)
        variances.append(((score**2).T @ side / size - mean**2) * size / (size - 1))
    return means[0] - means[1], np.log(variances[0] / variances[1])
