"""`pls_mga`: paths of a path model of composites compared between groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, check_choice
from sem_loyalty.kernel.resample import products
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.syntax import ModelText
from sem_loyalty.pls_sem.bootstrap import pls_bootstrap
from sem_loyalty.pls_sem.groups import Pair, pairs_of_groups
from sem_loyalty.pls_sem.resamples import LANES, again, answers, check_drawable, reweighted
from sem_loyalty.pls_sem.solution import Pls
from sem_loyalty.pls_sem.statistics import KINDS, Listing, listing, statistics

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class PlsGroups:
    """Statistics of a model in every two groups, and tests of their differences.

    Attributes
    ----------
    pairs : tuple of Pair
        Every two groups with their fits.
    table : DataFrame
        One row per pair of groups and statistic: group_1, group_2, kind, stage, name, est_1, est_2, difference, and
        two-sided p-values: p_permutation, p_henseler, p_parametric, p_welch.
    permutations, draws, seed : int
    failed : int
        Permutations and draws that did not converge, over all pairs; they are left out.
    """

    pairs: tuple[Pair, ...] = field(repr=False)
    table: pd.DataFrame = field(repr=False)
    permutations: int
    draws: int
    seed: int
    failed: int

    def fits(self) -> dict[str, Pls]:
        """Return the fit of every group."""
        return {name: fit for pair in self.pairs for name, fit in zip(pair.names, pair.fits, strict=True)}

    def to_table(self, *kinds: str) -> Table:
        """Return the comparison as a Table; paths by default."""
        for kind in kinds:
            check_choice("kinds", kind, KINDS)
        frame = self.table[self.table["kind"].isin(kinds or ("path",))].drop(columns=["kind", "stage"])
        bad = sorted(name for name, fit in self.fits().items() if not fit.admissible)
        sizes = ", ".join(f"{name} {fit.n}" for name, fit in self.fits().items())
        heads = {
            "p_permutation": "p perm.",
            "p_henseler": "p Henseler",
            "p_parametric": "p param.",
            "p_welch": "p Welch",
        }
        return Table.from_frame(
            frame.reset_index(drop=True),
            id="pls-mga",
            caption=("NOT ADMISSIBLE: do not report. " if bad else "") + "Partial least squares: groups compared",
            heads=heads,
            kinds=dict.fromkeys(heads, "p"),
            note=f"N: {sizes}. {self.permutations:,} permutations, {self.draws:,} bootstrap draws, seed {self.seed}. "
            "Compositional invariance (micom) comes first.",
        )

    def __str__(self) -> str:
        """Return the comparison of the paths as text."""
        return self.to_table().to_text()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.to_table().to_html()


def pls_mga(
    model: str | Path | ModelText | ModelFile,
    data: pd.DataFrame | Mapping[str, Any],
    group: str,
    *,
    permutations: int = 1000,
    draws: int = 1000,
    seed: int = 1,
    scheme: str = "path",
    consistent: bool = False,
    modes: dict[str, str] | None = None,
    second_order: str = "disjoint",
) -> PlsGroups:
    """Compare a path model of composites between groups (multi-group analysis).

    Parameters
    ----------
    model, data
        As for `pls`; products of constructs in two stages.
    group : str
        Column that splits the respondents. Of several groups every two are compared.
    permutations : int, default 1000
        Random reassignments of the respondents of two groups.
    draws : int, default 1000
        Bootstrap draws in every group, behind the other three tests.
    seed : int, default 1
    scheme, consistent, modes, second_order
        As for `pls`.

    Returns
    -------
    PlsGroups

    Raises
    ------
    ConfigurationError
        One group only, an argument that makes no sense, or a group without an admissible solution.

    Notes
    -----
    Permutation (Chin and Dibbern 2010): p = (#{|difference| >= that of the sample} + 1) / (R + 1). Henseler's test:
    the share of pairs of draws, each draw moved to its estimate and mirrored there, in which the order of the groups is
    reversed, doubled to be two-sided. Parametric: t with pooled variance, n1 + n2 - 2 degrees of freedom (Keil et al.
    2000). Welch: t with separate variances and Satterthwaite's degrees of freedom (Sarstedt, Henseler and Ringle 2011).
    The p-values are not adjusted for the number of tests.

    References
    ----------
    Chin, W. W. and Dibbern, J. (2010). An introduction to a permutation based procedure for multi-group PLS analysis.
    In Handbook of Partial Least Squares, 171-193. doi:10.1007/978-3-540-32827-8_8
    Henseler, J., Ringle, C. M. and Sinkovics, R. R. (2009). The use of partial least squares path modeling in
    international marketing. Advances in International Marketing, 20, 277-319. doi:10.1108/S1474-7979(2009)0000020014
    Keil, M. et al. (2000). A cross-cultural study on escalation of commitment behavior in software projects. MIS
    Quarterly, 24, 299-325. doi:10.2307/3250940
    Sarstedt, M., Henseler, J. and Ringle, C. M. (2011). Multigroup analysis in partial least squares (PLS) path
    modeling. Advances in International Marketing, 22, 195-218. doi:10.1108/S1474-7979(2011)0000022012
    """
    pairs = pairs_of_groups(
        model, data, group, scheme=scheme, consistent=consistent, modes=modes, second_order=second_order
    )
    check_drawable(pairs[0].pooled, "pls_mga", permutations=permutations, draws=draws, seed=seed)
    fits = {name: fit for pair in pairs for name, fit in zip(pair.names, pair.fits, strict=True)}
    bad = [f"{name}: {' '.join(fit.problems)}" for name, fit in fits.items() if not fit.admissible]
    if bad:
        raise ConfigurationError(f"A group has no admissible solution, so there is nothing to compare. {' '.join(bad)}")
    drawn = {name: pls_bootstrap(fit, draws, seed=seed) for name, fit in fits.items()}
    failed = sum(one.failed for one in drawn.values())
    found = listing(pairs[0].pooled.model)
    frames = []
    for pair in pairs:
        with one_thread():
            observed, permuted = _permuted(pair, found, seed, permutations)
        failed += permutations - permuted.shape[1]
        first, second = (drawn[name].draws[:, drawn[name].converged] for name in pair.names)
        frame = found.frame[["kind", "stage", "name"]].copy()
        frame.insert(0, "group_1", pair.names[0])
        frame.insert(1, "group_2", pair.names[1])
        frame["est_1"], frame["est_2"] = (drawn[name].estimate for name in pair.names)
        frame["difference"] = frame["est_1"] - frame["est_2"]
        reached = (np.abs(permuted) >= np.abs(observed)[:, None] - 1e-12).sum(axis=1)
        fixed = (np.ptp(first, axis=1) < 1e-12) & (np.ptp(second, axis=1) < 1e-12)
        tests = {
            "p_permutation": (reached + 1) / (permuted.shape[1] + 1),
            "p_henseler": henseler_p(first, second),
            **_by_t(observed, first, second, pair.sizes),
        }
        for name, values in tests.items():
            frame[name] = np.where(fixed, np.nan, values)
        frames.append(frame)
    table = pd.concat(frames, ignore_index=True)
    return PlsGroups(tuple(pairs), table, permutations, draws, seed, failed)


def _permuted(pair: Pair, found: Listing, seed: int, permutations: int) -> tuple[Array, Array]:
    """Return the differences of the two groups, (k,), and those after reassignment, (k, R), that converged."""
    pooled, source = pair.pooled, products(answers(pair.pooled))
    member = pair.reassigned(seed, permutations)
    actual = np.zeros((pooled.n, 1))
    actual[: pair.sizes[0]] = 1.0
    parts = []
    for often in (actual, *np.split(member, range(LANES, permutations, LANES), axis=1)):
        sides = []
        counted = np.ones(often.shape[1], dtype=bool)
        for side in (often, 1.0 - often):
            solved = again(pooled, reweighted(pooled, source, side))
            with np.errstate(divide="ignore", invalid="ignore"):
                sides.append(statistics(pooled.model, solved, found))
            counted &= solved.converged & np.isfinite(solved.paths).all(axis=(0, 1))
        parts.append((sides[0] - sides[1])[:, counted])
    return parts[0][:, 0], np.concatenate(parts[1:], axis=1)


def henseler_p(first: Array, second: Array) -> Array:
    """Return the two-sided p of Henseler's test from draws of two groups, (k, R) each, shape (k,).

    Twice the smaller of #{2 mean1 - draw1 > 2 mean2 - draw2} and the number of the other pairs of draws, with 1 added,
    as no finite number of draws shows a p of zero, over R1 R2 + 1.
    """
    out = np.empty(len(first))
    for k in range(len(first)):
        left = np.sort(2.0 * first[k].mean() - first[k])
        right = 2.0 * second[k].mean() - second[k]
        # A pair favours the first group where left > right.
        above = int((len(left) - np.searchsorted(left, right, side="right")).sum())
        pairs = len(left) * len(right)
        out[k] = min(1.0, 2.0 * (min(above, pairs - above) + 1) / (pairs + 1))
    return out


def _by_t(difference: Array, first: Array, second: Array, sizes: tuple[int, int]) -> dict[str, Array]:
    """Return the p-values of the t-tests with pooled and with separate variances."""
    n, m = sizes
    a, b = first.var(axis=1, ddof=1), second.var(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = np.sqrt(((n - 1) ** 2 * a + (m - 1) ** 2 * b) / (n + m - 2)) * np.sqrt(1 / n + 1 / m)
        separate = (n - 1) / n * a + (m - 1) / m * b
        freedom = separate**2 / ((n - 1) / n**2 * a**2 + (m - 1) / m**2 * b**2) - 2.0
        return {
            "p_parametric": 2.0 * stdtr(n + m - 2, -np.abs(difference / pooled)),
            "p_welch": 2.0 * stdtr(freedom, -np.abs(difference) / np.sqrt(separate)),
        }
