"""What modification indices of models of ordinal items are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.score_parts import ScoreParts, crossed_of
from sem_loyalty.inference.standardise import row_values
from sem_loyalty.inference.uncertainty import maximum, ordinal_parts
from sem_loyalty.kernel.conditional_responses import ConditionalModel, conditional_model
from sem_loyalty.kernel.ordinal_discrepancy import weighted
from sem_loyalty.kernel.responses import ResponseModel
from sem_loyalty.model.scatter import place, variables
from sem_loyalty.model.spec import Parameter

Array = NDArray[np.float64]


def ordinal_score_parts(fit: Fit, rows: Sequence[Parameter]) -> ScoreParts:
    """Return what the indices of candidates are computed from.

    Every group's model is extended by its candidates, as parameters at the values at which they are fixed. The slope
    counts n_g - 1 respondents and the information n_g, as in lavaan.

    Parameters
    ----------
    fit : Fit
    rows : sequence of Parameter
        The candidates; entries of A, S or m, and scales.
    """
    discrepancy, _ = ordinal_parts(fit)
    point, position, size = maximum(fit), variables(fit.specification), len(fit.theta)
    values = {(row.lhs, row.op, row.rhs, row.group): value for row, value in _fixed(fit)}
    theta = np.concatenate([fit.theta, [values.get((r.lhs, r.op, r.rhs, r.group), 0.0) for r in rows]])
    slope, own = np.zeros(len(rows)), np.zeros(len(rows))
    cross = np.zeros((size, len(rows)))
    for group, (model, at, e, weight, share, sample) in enumerate(
        zip(
            discrepancy.models,
            point.implied,
            discrepancy.residuals(point),
            discrepancy.weights,
            discrepancy.shares,
            discrepancy.samples,
            strict=True,
        ),
        start=1,
    ):
        mine = [k for k, row in enumerate(rows) if row.group == group]
        wider = _extended(model, rows, mine, position, size)
        J = wider.jacobian(theta, at)
        free, more = J[:, :size], J[:, size:][:, mine]
        by_more = weighted(weight, more)
        slope[mine] = -2.0 * share * (by_more.T @ e)
        cross[:, mine] = sample.weight * (free.T @ by_more)
        own[mine] = sample.weight * np.einsum("ij,ij->j", more, by_more)
    information = fit.space.reduce_matrix(discrepancy.information(point)) / discrepancy.used
    return ScoreParts(slope, information, own, crossed_of(fit.space.reduce_vector(cross)))


def _fixed(fit: Fit) -> list[tuple[Parameter, float]]:
    """Return the rows that are not free, with their values."""
    pairs = zip(fit.specification.parameters, row_values(fit), strict=True)
    return [(row, float(value)) for row, value in pairs if row.free < 0]


def _extended(
    model: ResponseModel | ConditionalModel,
    rows: Sequence[Parameter],
    mine: list[int],
    position: dict[str, int],
    size: int,
) -> ResponseModel | ConditionalModel:
    """Return a model with the candidates as additional parameters, in the order of all candidates."""
    block = model.block
    spots = [(place(rows[k], position), size + k) for k in mine]

    def more(matrix: str) -> NDArray[np.intp]:
        found = [(spot.row, spot.col, parameter) for spot, parameter in spots if spot.matrix == matrix]
        return np.array(found, dtype=np.intp).reshape(-1, 3)

    directed, symmetric, intercepts, scales = more("A"), more("S"), more("m"), more("d")
    scale_parameter = model.scale_parameter.copy()
    scale_parameter[scales[:, 0]] = scales[:, 2]
    wider = replace(
        block,
        directed_row=np.concatenate([block.directed_row, directed[:, 0]]),
        directed_col=np.concatenate([block.directed_col, directed[:, 1]]),
        directed_parameter=np.concatenate([block.directed_parameter, directed[:, 2]]),
        symmetric_row=np.concatenate([block.symmetric_row, symmetric[:, 0]]),
        symmetric_col=np.concatenate([block.symmetric_col, symmetric[:, 1]]),
        symmetric_parameter=np.concatenate([block.symmetric_parameter, symmetric[:, 2]]),
        intercept_row=np.concatenate([block.intercept_row, intercepts[:, 0]]),
        intercept_parameter=np.concatenate([block.intercept_parameter, intercepts[:, 2]]),
        means=block.means or bool(len(intercepts)),
    )
    if isinstance(model, ConditionalModel):
        return conditional_model(wider, replace(model.given, scale_parameter=scale_parameter))
    return replace(model, block=wider, scale_parameter=scale_parameter)
