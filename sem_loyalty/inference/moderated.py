"""`moderated_mediation`: an indirect effect at several levels of a moderator, and how much it changes with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, NotSupported, SpecificationError, check_choice, nearest
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.bootstrap import Bootstrap
from sem_loyalty.inference.intervals import INTERVALS
from sem_loyalty.inference.marking import mark
from sem_loyalty.inference.row_source import Inference, row_source
from sem_loyalty.model.scatter import variables

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ModeratedMediation:
    """A conditional indirect effect.

    Attributes
    ----------
    fit : Fit
    route : tuple of str
        Cause, mediator, outcome.
    moderator : str
    effects : DataFrame
        level (of the moderator, in standard deviations), value (in its units), est, se, pvalue, ci_lower, ci_upper: the
        indirect effect there, in the units of the variables.
    index : DataFrame
        One row: est, se, pvalue, ci_lower, ci_upper: the index of moderated mediation, by how much the indirect effect
        changes with one unit of the moderator.
    method : {"delta", "bca", "percentile", "basic"}
        Where standard errors, p-values and intervals come from.
    level : float
        Coverage of the intervals.
    """

    fit: Fit = field(repr=False)
    route: tuple[str, str, str]
    moderator: str
    effects: pd.DataFrame
    index: pd.DataFrame
    method: str
    level: float

    def to_table(self) -> Table:
        """Return the conditional indirect effects as a Table whose note holds the index."""
        lead = "" if self.fit.certificate.certified else "NOT CERTIFIED: do not report. "
        row = self.index.iloc[0]
        return Table.from_frame(
            pd.DataFrame(self.effects),
            id="moderated-mediation",
            caption=f"{lead}Indirect effect {' -> '.join(self.route)} by {self.moderator}",
            note=(
                f"Index of moderated mediation {row['est']:.3f}, {self.level:.0%} interval {row['ci_lower']:.3f} to "
                f"{row['ci_upper']:.3f} ({self.method}). Levels are standard deviations of the moderator."
            ),
        )

    def __repr__(self) -> str:
        """Return what print shows: a prompt must not hide the mark."""
        return str(self)

    def __str__(self) -> str:
        """Return the table as text."""
        return self.to_table().to_text()

    def _repr_html_(self) -> str:
        return self.to_table().to_html()


def moderated_mediation(
    fit: Fit,
    cause: str,
    mediator: str,
    outcome: str,
    *,
    moderator: str,
    on_mediator: str | None = None,
    on_outcome: str | None = None,
    bootstrap: Bootstrap | None = None,
    at: Sequence[float] = (-1.0, 0.0, 1.0),
    interval: str | None = None,
    level: float = 0.95,
) -> ModeratedMediation:
    """Return an indirect effect at levels of a moderator, and the index of moderated mediation.

    Parameters
    ----------
    fit : Fit
        In one group, with products of constructs or variables in it (see `product_indicators`).
    cause, mediator, outcome : str
        The route.
    moderator : str
        Variable of the model; its products with cause or mediator are centred, so that its mean is zero.
    on_mediator : str, optional
        The product of cause and moderator, which acts on the mediator (first stage).
    on_outcome : str, optional
        The product of mediator and moderator, which acts on the outcome (second stage). One of the two at least.
    bootstrap : Bootstrap, optional
        Draws of the same fit; without them the delta method.
    at : sequence of float, default (-1, 0, 1)
        Levels of the moderator, in its standard deviations.
    interval : {"bca", "percentile", "basic"}, optional
        "bca" unless every resample was fitted on its own, then "percentile".
    level : float, default 0.95

    Returns
    -------
    ModeratedMediation

    Raises
    ------
    NotSupported
        Several groups.
    SpecificationError
        A path that the model does not have.
    ConfigurationError
        No product, an unknown interval, or a level that is none.

    Notes
    -----
    With paths a1 of the cause and a3 of its product on the mediator, and b1 of the mediator and b3 of its product on
    the outcome, the indirect effect at w is (a1 + a3 w)(b1 + b3 w), and the index is its slope at the moderator's mean,
    a3 b1 + a1 b3: the index of Hayes (2015), doi:10.1080/00273171.2014.962683, where one stage is moderated. The
    standard deviation of the moderator is taken as known.
    """
    if len(fit.specification.groups) > 1:
        raise NotSupported("Moderated mediation is found in one group; compare groups with `effects(fit).contrasts()`.")
    if on_mediator is None and on_outcome is None:
        raise ConfigurationError("Name the product that acts on the mediator (`on_mediator`) or on the outcome.")
    if not 0.0 < level < 1.0:
        raise ConfigurationError(f"level={level!r} is not a coverage between 0 and 1.")
    chosen = interval or ("percentile" if bootstrap is not None and bootstrap.influence is None else "bca")
    check_choice("interval", chosen, INTERVALS)
    method = "delta" if bootstrap is None else chosen
    names = [(mediator, cause), (mediator, on_mediator), (outcome, mediator), (outcome, on_outcome)]
    rows = [None if by is None else _row(fit, to, by) for to, by in names]
    position = variables(fit.specification)
    if moderator not in position:
        raise SpecificationError(f"{moderator!r} is no variable of the model. {nearest(moderator, position)}".strip())
    k = position[moderator]
    spread = float(np.sqrt(fit.point.implied[0].total[k, k]))
    source = row_source(fit, bootstrap, standard=False)
    values = np.array(at, dtype=np.float64) * spread
    est, slopes = _conditional(rows, source.point[:, None], values)
    drawn = None if source.draws is None else _conditional(rows, source.draws, values)[0]
    by_row = np.zeros((len(est), len(source.point)))
    for place, row in enumerate(rows):
        if row is not None:
            by_row[:, row] += slopes[:, place]
    found = source.infer(est[:, 0], by_row, drawn, method, level)
    frame = _frame(found)
    effects = frame.iloc[:-1].reset_index(drop=True)
    effects.insert(0, "level", np.array(at, dtype=np.float64))
    effects.insert(1, "value", values)
    index = frame.iloc[-1:].reset_index(drop=True)
    route = (cause, mediator, outcome)
    return ModeratedMediation(fit, route, moderator, mark(effects, fit), mark(index, fit), method, level)


def _row(fit: Fit, outcome: str, cause: str) -> int:
    """Return the row of a path in the parameter table."""
    paths = [(k, row) for k, row in enumerate(fit.specification.parameters) if row.op == "~"]
    for k, row in paths:
        if (row.lhs, row.rhs) == (outcome, cause):
            return k
    hint = nearest(f"{outcome} ~ {cause}", [row.name for _, row in paths])
    raise SpecificationError(f"The model has no path {outcome} ~ {cause}. {hint}".strip())


def _conditional(rows: list[int | None], values: Array, at: Array) -> tuple[Array, Array]:
    """Return effects at the levels, and the index below them, (k + 1, R), and their derivatives by a1, a3, b1, b3."""
    a1, a3, b1, b3 = (np.zeros(values.shape[1]) if row is None else values[row] for row in rows)
    first, second = a1 + at[:, None] * a3, b1 + at[:, None] * b3
    est = np.concatenate([first * second, [a3 * b1 + a1 * b3]])
    w = at[:, None]
    slopes = np.stack([second, w * second, first, w * first], axis=1)[:, :, 0]
    return est, np.concatenate([slopes, [[b3[0], b1[0], a3[0], a1[0]]]])


def _frame(found: Inference) -> pd.DataFrame:
    columns = {"est": found.est, "se": found.se, "pvalue": found.pvalue, "ci_lower": found.lower}
    return pd.DataFrame(columns | {"ci_upper": found.upper})
