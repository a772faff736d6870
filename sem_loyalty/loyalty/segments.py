"""Segments of respondents by their scores, with the case for and against their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Column, Table
from sem_loyalty.errors import DataError, check_choice
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.loyalty.clustering import METHODS, gap, gap_choice, partitions, silhouette, stability
from sem_loyalty.loyalty.scores import LoyaltyScores, frame_of
from sem_loyalty.loyalty.shown import MARK, Shown, check_count
from sem_loyalty.survey.answers import numeric_matrix

Array = NDArray[np.float64]
STABLE, DOUBTFUL = 0.75, 0.60  # Hennig (2007)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Segments(Shown):
    """A partition of respondents.

    Attributes
    ----------
    members : Series
        Segment of every respondent, 1 for the one with the lowest scores; missing where a score is missing.
    profile : DataFrame
        Index "segment"; columns n, share, jaccard (stability; NaN for one segment), and the mean of every score.
    criteria : DataFrame
        Index "k", 1 to `most`; columns gap, allowance, silhouette.
    chosen : int
        Number of segments that the data support by the gap statistic.
    k : int
        Number of segments of this partition.
    given : bool
        Whether k was given rather than found.
    method : str
    verdict : str
        What may be said about the segments, in a sentence.
    certified : bool
        Whether the fit behind the scores is certified; True for scores given as data.
    """

    members: pd.Series
    profile: pd.DataFrame
    criteria: pd.DataFrame
    chosen: int
    k: int
    given: bool
    method: str
    verdict: str
    certified: bool

    def __post_init__(self) -> None:
        self._mark_frames("members", "profile", "criteria")

    def warning(self) -> str:
        """Return the mark of a fit without certificate, or ""."""
        return "" if self.certified else MARK

    def to_frame(self) -> pd.DataFrame:
        """Return `profile`."""
        return self.profile.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the profile of the segments and the criteria of their number."""
        kinds = [Column("segment", "Segment", "int"), Column("n", "n", "int")]
        kinds += [Column("share", "Share", "number", 3, bounded=True)]
        kinds += [Column("jaccard", "Stability", "number", 3, bounded=True)] if self.k > 1 else []
        scores = [str(name) for name in self.profile.columns if name not in ("n", "share", "jaccard")]
        columns = [*kinds, *(Column(name, name, "number", 2) for name in scores)]
        kept = {column.key for column in columns}
        rows = [
            {key: value for key, value in row.items() if key in kept}
            for row in self.profile.reset_index().to_dict("records")
        ]
        first = Table(
            "segments",
            "Segments of respondents: mean scores",
            tuple(columns),
            tuple({str(key): value for key, value in row.items()} for row in rows),
            f"{self.method}. {self.verdict}",
        )
        second = Table.from_frame(
            self.criteria,
            id="segment-criteria",
            caption="Number of segments",
            note=(
                "Smallest k with gap(k) ≥ gap(k + 1) − allowance(k + 1) (Tibshirani et al., 2001). Silhouette: mean "
                "width, 1 at best; it cannot speak for one segment."
            ),
        )
        return self._warned(first, second)


def segments(
    scores: LoyaltyScores | pd.DataFrame,
    columns: Sequence[str] | None = None,
    *,
    k: int | None = None,
    method: str = "kmeans",
    most: int = 6,
    standardise: bool = True,
    references: int = 30,
    draws: int = 100,
    seed: int = 1,
) -> Segments:
    """Divide respondents into segments by their scores, if the scores fall into any.

    The number of segments is that of the gap statistic, which can also say one: scores that vary without falling into
    groups. Each segment is then looked for in bootstrap samples; one that does not come back is no segment.

    Parameters
    ----------
    scores : LoyaltyScores or DataFrame
        One row per respondent; rows with a missing score belong to no segment.
    columns : sequence of str, optional
        Scores to use; by default all.
    k : int, optional
        Number of segments, instead of the number found; the result says so, and what was found.
    method : {"kmeans", "ward"}, default "kmeans"
        k-means from twenty starts, or Ward's method.
    most : int, default 6
        Largest number tried.
    standardise : bool, default True
        Whether every score counts alike; otherwise by its variance.
    references, draws : int, default 30 and 100
        Uniform samples of the gap statistic, and bootstrap samples of the stability.
    seed : int, default 1
        Of everything random here. The same seed gives the same segments.

    Returns
    -------
    Segments

    Raises
    ------
    DataError
        Too few respondents, or scores that do not vary.
    ConfigurationError
        A method or number that makes no sense.

    References
    ----------
    Tibshirani, R., Walther, G., & Hastie, T. (2001). Estimating the number of clusters in a data set via the gap
    statistic. Journal of the Royal Statistical Society B, 63, 411-423. doi:10.1111/1467-9868.00293
    Hennig, C. (2007). Cluster-wise assessment of cluster stability. Computational Statistics & Data Analysis, 52,
    258-271. doi:10.1016/j.csda.2006.11.025
    """
    check_choice("method", method, METHODS)
    for name, value, least in (("most", most, 2), ("references", references, 10), ("draws", draws, 10)):
        check_count(name, value, least)
    check_count("seed", seed, 0)
    frame, certified = frame_of(scores)
    names = [str(name) for name in frame.columns] if columns is None else list(columns)
    values = numeric_matrix(frame, names, what="Score")
    complete = ~np.isnan(values).any(axis=1)
    X = values[complete]
    highest = max(most, k or 0)
    if k is not None:
        check_count("k", k, 1)
    if len(X) < 10 * highest:
        raise DataError(
            f"{len(X)} respondents with all scores are too few to try {highest} segments; ten each at least."
        )
    spread = X.std(axis=0)
    flat = [name for name, width in zip(names, spread, strict=True) if width == 0]
    if flat:
        raise DataError(f"Scores that do not vary cannot divide respondents: {', '.join(flat)}.")
    Z = (X - X.mean(axis=0)) / (spread if standardise else 1.0)
    distinct = len(np.unique(Z, axis=0))
    if distinct < highest:
        raise DataError(f"There are {distinct} different rows of scores, fewer than the {highest} segments to try.")
    with one_thread():
        found = partitions(Z, method, highest, seed)
        gaps, allowance = gap(Z, found, method, references, seed)
        widths = [silhouette(Z, labels) for labels in found]
        chosen = gap_choice(gaps, allowance)
        number = chosen if k is None else k
        labels = found[number - 1]
        jaccard = stability(Z, labels, method, draws, seed) if number > 1 else np.array([np.nan])
    criteria = pd.DataFrame(
        {"gap": gaps, "allowance": allowance, "silhouette": widths},
        index=pd.RangeIndex(1, highest + 1, name="k"),
    )
    members = pd.Series(pd.array([pd.NA] * len(frame), dtype="Int64"), index=frame.index, name="segment")
    members.iloc[np.flatnonzero(complete)] = labels + 1
    return Segments(
        members=members,
        profile=_profile(X, labels, names, jaccard),
        criteria=criteria,
        chosen=chosen,
        k=number,
        given=k is not None,
        method={"kmeans": "k-means", "ward": "Ward's method"}[method],
        verdict=_verdict(chosen, number, k is not None, jaccard, highest),
        certified=certified,
    )


def _profile(X: Array, labels: NDArray[np.intp], names: Sequence[str], jaccard: Array) -> pd.DataFrame:
    rows = []
    for segment in range(int(labels.max()) + 1):
        inside = X[labels == segment]
        rows.append(
            {
                "segment": segment + 1,
                "n": len(inside),
                "share": len(inside) / len(X),
                "jaccard": float(jaccard[segment]),
                **dict(zip(names, inside.mean(axis=0).tolist(), strict=True)),
            }
        )
    return pd.DataFrame(rows).set_index("segment")


def _verdict(chosen: int, k: int, given: bool, jaccard: Array, most: int) -> str:
    """Return what may be said about the segments."""
    if chosen == 1:
        found = "One segment is best: the scores vary without falling into groups."
    elif chosen == most:
        found = f"The gap statistic rises up to {most} segments, the most that were tried; try more."
    else:
        found = f"The gap statistic finds {chosen} segments."
    if k == 1:
        return f"{found} Use levels (`loyalty_levels`) or the typology instead of segments." if chosen == 1 else found
    weakest = float(jaccard.min())
    if weakest >= STABLE:
        firm = f"All {k} come back in bootstrap samples (Jaccard from {weakest:.2f})."
    elif weakest >= DOUBTFUL:
        firm = f"Their limits are uncertain (Jaccard from {weakest:.2f}, stable from {STABLE})."
    else:
        firm = f"At least one does not come back (Jaccard {weakest:.2f} < {DOUBTFUL}): do not name it."
    if given and k != chosen:
        return f"{found} {k} were asked for: a division of a whole rather than groups that are there. {firm}"
    return f"{found} {firm}"
