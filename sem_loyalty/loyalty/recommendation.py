"""Net promoter score and top-box shares: what customers say that they will do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, DataError, check_choice
from sem_loyalty.loyalty.index import rescaled
from sem_loyalty.loyalty.proportions import difference_bootstrap, difference_score, wilson
from sem_loyalty.loyalty.shown import Shown, check_count, check_level, percent, with_interval
from sem_loyalty.survey.answers import check_columns, numeric_matrix

INTERVALS = {
    "score": "score interval of a difference of multinomial proportions (Tango, 1998)",
    "wald": "Wald interval from the variance of the trinomial",
    "bootstrap": "percentile bootstrap of the trinomial",
}


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class NetPromoter(Shown):
    """Net promoter scores.

    Attributes
    ----------
    scores : DataFrame
        Index "group" ("all" first); columns n, missing, detractors, passives, promoters (shares), nps, se, ci_lower,
        ci_upper, the last four on −100 to 100.
    item : str
        The question.
    interval : str
        Which interval.
    level : float
        Its coverage.
    """

    scores: pd.DataFrame
    item: str
    interval: str
    level: float

    @property
    def nps(self) -> float:
        """The score of all respondents, −100 to 100."""
        return float(self.scores["nps"].iloc[0])

    def to_frame(self) -> pd.DataFrame:
        """Return `scores`."""
        return self.scores.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the scores by group."""
        return (
            Table.from_frame(
                with_interval(self.scores, "se"),
                id="nps",
                caption=f"Net promoter score: {self.item}",
                note=(
                    "Promoters 9 and 10, detractors 0 to 6 of 0 to 10; NPS: difference of their shares, times 100. "
                    f"Interval: {percent(self.level)}, {INTERVALS[self.interval]}."
                ),
                kinds={"interval": "interval"},
                heads={"interval": f"{percent(self.level)} CI", "nps": "NPS"},
                digits=2,
                bounded=("detractors", "passives", "promoters"),
            ),
        )


def nps(
    data: pd.DataFrame,
    item: str,
    *,
    group: str | None = None,
    interval: str = "score",
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 1,
) -> NetPromoter:
    """Return the net promoter score with its interval.

    NPS = 100 (P − D), the shares of promoters (9, 10) less detractors (0 to 6) on a question from 0 to 10; its variance
    is that of a trinomial, (P + D − (P − D)²)/n.

    Parameters
    ----------
    data : DataFrame
        One row per respondent.
    item : str
        Column with answers 0, 1 ... 10; missing ones are left out and counted.
    group : str, optional
        Column: one score a group, after that of all.
    interval : {"score", "wald", "bootstrap"}, default "score"
        Tango's score interval, which keeps its coverage in small samples and at the ends of the scale; the Wald
        interval from the variance above; or the percentile bootstrap.
    level : float, default 0.95
        Coverage.
    draws, seed : int
        Of the bootstrap.

    Returns
    -------
    NetPromoter

    Raises
    ------
    DataError
        Answers that are not whole numbers from 0 to 10, or none at all.
    ConfigurationError
        An unknown interval or a level that is none.

    References
    ----------
    Reichheld, F. F. (2003). The one number you need to grow. Harvard Business Review, 81(12), 46-54.
    Tango, T. (1998). Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design. Statistics in Medicine, 17, 891-908.
    doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B

    Examples
    --------
    >>> import pandas as pd, sem_loyalty as sl
    >>> sl.nps(pd.DataFrame({"recommend": [10, 9, 8, 7, 3]}), "recommend").nps
    20.0
    """
    check_choice("interval", interval, INTERVALS)
    check_level(level)
    check_count("draws", draws, 100)
    check_count("seed", seed, 0)
    answers = numeric_matrix(data, [item])[:, 0]
    wrong = answers[~np.isnan(answers) & ((answers < 0) | (answers > 10) | (answers != np.round(answers)))]
    if wrong.size:
        raise DataError(
            f"'{item}': {wrong.size} answers are not whole numbers from 0 to 10, the first {wrong[0]:g}. The net "
            "promoter score is defined on that scale only; for another scale use `top_box`."
        )
    rows = []
    for label, where in _groups(data, group):
        found = answers[where]
        given = found[~np.isnan(found)]
        n, promoters, detractors = len(given), int((given >= 9).sum()), int((given <= 6).sum())
        if n == 0:
            raise DataError(f"'{item}': no answers{f' in group {label}' if label != 'all' else ''}.")
        up, down = promoters / n, detractors / n
        se = math.sqrt(max(up + down - (up - down) ** 2, 0.0) / n)
        if interval == "score":
            ends = difference_score(promoters, detractors, n, level=level)
        elif interval == "bootstrap":
            ends = difference_bootstrap(promoters, detractors, n, level=level, draws=draws, seed=seed)
        else:
            half = float(ndtri(0.5 + level / 2.0)) * se
            ends = max(-1.0, up - down - half), min(1.0, up - down + half)
        rows.append(
            {
                "group": label,
                "n": n,
                "missing": len(found) - n,
                "detractors": down,
                "passives": (n - promoters - detractors) / n,
                "promoters": up,
                "nps": 100.0 * (promoters - detractors) / n,
                "se": 100.0 * se,
                "ci_lower": 100.0 * ends[0],
                "ci_upper": 100.0 * ends[1],
            }
        )
    return NetPromoter(pd.DataFrame(rows).set_index("group"), item, interval, level)


def _groups(data: pd.DataFrame, group: str | None) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return all rows, then those of each group in order of appearance."""
    out = [("all", np.ones(len(data), dtype=bool))]
    if group is None:
        return out
    check_columns(data, [group], what="Group")
    values = data[group]
    return out + [(str(value), (values == value).to_numpy(dtype=bool)) for value in values.dropna().unique()]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class TopBox(Shown):
    """Top-box shares and means on 0 to 100.

    Attributes
    ----------
    shares : DataFrame
        Index "item" and "group" ("all" first); columns n, missing, top (share in the top answers), ci_lower, ci_upper
        (Wilson), bottom (share in as many answers at the other end), mean (0 to 100), mean_se.
    scale : (float, float)
        Lowest and highest possible answer.
    box : int
        How many answers at the top count.
    level : float
        Coverage of the intervals.
    """

    shares: pd.DataFrame
    scale: tuple[float, float]
    box: int
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Return `shares`."""
        return self.shares.copy()

    def tables(self) -> tuple[Table, ...]:
        """Return the shares by item and group."""
        low, high = self.scale
        return (
            Table.from_frame(
                with_interval(self.shares, "top"),
                id="top-box",
                caption=f"Top-{self.box}-box shares",
                note=(
                    f"Top: answers from {high - self.box + 1:g} to {high:g} on a scale from {low:g} to {high:g}; "
                    f"bottom: {low:g} to {low + self.box - 1:g}. Mean on 0 to 100. "
                    f"Interval of the share: Wilson, {percent(self.level)}."
                ),
                kinds={"interval": "interval"},
                heads={"interval": f"{percent(self.level)} CI"},
                bounded=("top", "bottom", "interval"),
            ),
        )


def top_box(
    data: pd.DataFrame,
    items: str | Sequence[str],
    *,
    scale: tuple[int, int],
    box: int = 2,
    group: str | None = None,
    level: float = 0.95,
) -> TopBox:
    """Return the share of respondents in the top answers, for instance of questions on repurchase intention.

    Parameters
    ----------
    data : DataFrame
        One row per respondent.
    items : str or sequence of str
        Questions, all on `scale`; missing answers are left out and counted by item.
    scale : (int, int)
        Lowest and highest possible answer.
    box : int, default 2
        How many answers at the top count.
    group : str, optional
        Column: shares by group, after those of all.
    level : float, default 0.95
        Coverage of Wilson's interval.

    Returns
    -------
    TopBox

    Raises
    ------
    ConfigurationError
        A box that covers half the scale or more, so that top and bottom would meet.
    DataError
        Answers outside the scale, or none at all.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the
    American Statistical Association, 22, 209-212. doi:10.1080/01621459.1927.10502953
    """
    check_level(level)
    check_count("box", box, 1)
    if 2 * box >= scale[1] - scale[0] + 2:
        raise ConfigurationError(f"box={box} is too wide for a scale from {scale[0]} to {scale[1]}.")
    names = [items] if isinstance(items, str) else list(items)
    answers = numeric_matrix(data, names)
    shares = rescaled(answers, names, scale)
    rows = []
    for position, name in enumerate(names):
        for label, where in _groups(data, group):
            found = answers[where, position]
            given = found[~np.isnan(found)]
            n = len(given)
            if n == 0:
                raise DataError(f"'{name}': no answers{f' in group {label}' if label != 'all' else ''}.")
            top = int((given > scale[1] - box).sum())
            lower, upper = wilson(top, n, level=level)
            means = 100.0 * shares[where, position]
            rows.append(
                {
                    "item": name,
                    "group": label,
                    "n": n,
                    "missing": len(found) - n,
                    "top": top / n,
                    "ci_lower": lower,
                    "ci_upper": upper,
                    "bottom": float((given < scale[0] + box).mean()),
                    "mean": float(np.nanmean(means)),
                    "mean_se": float(np.nanstd(means, ddof=1) / math.sqrt(n)) if n > 1 else math.nan,
                }
            )
    return TopBox(pd.DataFrame(rows).set_index(["item", "group"]), (scale[0], scale[1]), box, level)
