"""Ordinal items on the way to a fit: which they are, their statistics, and the discrepancy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError, DataError, NotSupported, check_choice
from sem_loyalty.fitting.covariates import statistics_given, total_moments
from sem_loyalty.fitting.measured import measure
from sem_loyalty.fitting.search import Moved, Problem, pose
from sem_loyalty.kernel.conditional import ConditionalStatistics
from sem_loyalty.kernel.conditional_responses import ConditionalModel, conditional_model
from sem_loyalty.kernel.correlation_discrepancy import CorrelationDiscrepancy
from sem_loyalty.kernel.likelihood import Point, Sample, log_determinant
from sem_loyalty.kernel.mixed import mixed_statistics
from sem_loyalty.kernel.ordinal import OrdinalStatistics, ordinal_statistics
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy, make_weight
from sem_loyalty.kernel.polychoric import LARGEST, item_pairs
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.responses import ResponseModel
from sem_loyalty.kernel.solver import held_space
from sem_loyalty.model.roles import Roles
from sem_loyalty.model.spec import Specification, kept
from sem_loyalty.survey.categories import categories, respondents
from sem_loyalty.survey.moments import GroupMoments, Moments
from sem_loyalty.survey.sample import moments_from_data

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# The weight of every estimator; those with MV have standard errors and tests that hold whatever the weight.
WEIGHTS = {"WLSMV": "DWLS", "ULSMV": "ULS", "DWLS": "DWLS", "ULS": "ULS", "WLS": "WLS"}
ROBUST = ("WLSMV", "ULSMV")
# More categories than this are a continuous variable by mistake: tables would be empty almost everywhere.
MOST_CATEGORIES = 25


def is_ordinal(ordered: object) -> bool:
    """Return whether the argument `ordered` of `fit` asks for ordinal items."""
    return ordered is not None and ordered is not False and not (isinstance(ordered, (list, tuple)) and not ordered)


def ordinal_items(ordered: Any, role: Roles, estimator: str, *, matrix: bool) -> tuple[str, ...]:
    """Return the ordinal items; raise where they, the estimator or the data cannot be had.

    Parameters
    ----------
    ordered : bool, str or sequence of str
        True for all observed variables but exogenous covariates, or the ordinal items.
    role : Roles
        The variables of the model.
    estimator : str
    matrix : bool
        Whether the data are a covariance matrix.

    Raises
    ------
    ConfigurationError
        An item is not in the model.
    NotSupported
        A matrix as input, or another estimator.
    """
    if ordered is True:
        named = tuple(name for name in role.observed if name not in role.exogenous)
    else:
        named = (ordered,) if isinstance(ordered, str) else tuple(ordered)
        for name in named:
            check_choice("ordered", name, role.observed)
    if estimator not in WEIGHTS:
        listed = ", ".join(repr(name) for name in WEIGHTS)
        raise NotSupported(f"estimator={estimator!r} is not for ordinal items; available with `ordered`: {listed}.")
    if matrix:
        raise NotSupported("Ordinal items need the answers: give `data` instead of `sample_cov`.")
    return tuple(name for name in role.observed if name in named)


def ordinal_moments(
    data: pd.DataFrame | Mapping[str, Any],
    names: Sequence[str],
    items: Sequence[str],
    *,
    group: str | None,
    missing: str,
    given: Sequence[str] = (),
) -> Moments:
    """Return thresholds and polychoric correlations, as the moments that are fitted.

    Parameters
    ----------
    data : DataFrame or mapping of columns
    names : sequence of str
        Observed variables.
    items : sequence of str
        The ordinal ones. Their categories are the distinct answers of all groups, in numerical order.
    group : str or None
        Grouping column.
    missing : {"listwise", "pairwise"}
    given : sequence of str, default ()
        Covariates whose moments are held fixed, the last of `names`. The statistics are then those given them, and the
        moments of the groups are totals over responses and covariates.

    Raises
    ------
    DataError
        An item has too many distinct answers to be ordinal, nobody in a group gave an answer that others gave, or two
        variables determine each other.
    """
    moments = moments_from_data(data, names, group=group, missing=missing, needed=given)
    rows = moments.raw or ()
    responses = names[: len(names) - len(given)]
    continuous = np.array([name not in items for name in responses])
    chosen = [j for j, name in enumerate(names) if name in items]
    found = categories(np.concatenate([answers[:, chosen] for answers in rows]))
    for k in np.flatnonzero(found.levels > MOST_CATEGORIES).tolist():
        raise DataError(
            f"{names[chosen[k]]!r} has {found.levels[k]} distinct answers, too many for an ordinal item (at most "
            f"{MOST_CATEGORIES}). Leave it out of `ordered` to treat it as continuous."
        )
    statistics = []
    for entry, answers in zip(moments.groups, rows, strict=True):
        codes = found.codes(answers[:, chosen])
        most = int(found.levels.max())
        absent = (respondents(codes, most) == 0) & (np.arange(most) < found.levels[:, None])
        for k in np.flatnonzero(absent.any(axis=1)).tolist():
            listed = ", ".join(f"{value:g}" for value in found.of(k)[absent[k, : found.levels[k]]])
            raise DataError(
                f"Nobody in group {entry.label!r} answered {listed} to {names[chosen[k]]!r}, so a threshold of it does "
                "not exist there. Join the category with a neighbouring one in every group, or leave out the item or "
                "the group."
            )
        where = f" in group {entry.label!r}" if entry.label else ""
        if given:
            sample: OrdinalStatistics = statistics_given(codes, answers, continuous, names, where)
        elif any(continuous):
            sample = mixed_statistics(codes, answers[:, continuous], continuous)
        else:
            sample = ordinal_statistics(codes)
        _check_determined(sample, responses, where)
        statistics.append(sample)
    groups = tuple(
        GroupMoments(entry.label, entry.n, *total_moments(sample))
        for entry, sample in zip(moments.groups, statistics, strict=True)
    )
    return replace(moments, groups=groups, ordinal=tuple(statistics))


def _check_determined(sample: OrdinalStatistics, names: Sequence[str], where: str) -> None:
    """Raise where a correlation has no maximum inside."""
    first, second = item_pairs(len(names))
    lost = np.isnan(np.diagonal(sample.covariance)[-len(first) :]) if len(first) else np.zeros(0, dtype=np.bool_)
    sd = np.sqrt(np.diagonal(sample.correlation))
    edge = np.abs(sample.correlation[first, second]) >= (LARGEST - 1e-9) * sd[first] * sd[second]
    both = sample.continuous[first] & sample.continuous[second]
    found = np.flatnonzero(lost | (edge & ~both))
    if len(found):
        pairs = ", ".join(f"{names[first[k]]} and {names[second[k]]}" for k in found[:5])
        raise DataError(
            f"No polychoric correlation short of one for {pairs}{where}: the answers to one determine those to the "
            "other. Drop one of them, or join categories that few respondents chose."
        )


def category_counts(moments: Moments) -> dict[str, int]:
    """Return the number of categories of every ordinal item."""
    if moments.ordinal is None:
        return {}
    # Fixed covariates, which have no thresholds, stand last.
    cuts = zip(moments.names, moments.ordinal[0].thresholds, strict=False)
    return {name: len(found) + 1 for name, found in cuts if len(found)}


def ordinal_discrepancy(
    specification: Specification, moments: Moments, blocks: Sequence[Block], estimator: str
) -> OrdinalDiscrepancy:
    """Return what is minimised.

    Raises
    ------
    DataError
        WLS, and too few respondents for its weight matrix.
    """
    if moments.ordinal is None or specification.observed != moments.names:
        raise ConfigurationError("A model of ordinal items needs the answers; give `data` and `ordered`.")
    if len(moments.ordinal[0].thresholds) != len(specification.observed) - len(specification.exogenous):
        raise ConfigurationError("The statistics of the items were computed given other covariates; give `data`.")
    counts = Counter(row.lhs for row in specification.parameters if row.op == "|" and row.group == 1)
    found = category_counts(moments)
    differs = [name for name in moments.names if counts[name] != found.get(name, 1) - 1]
    if differs:
        raise DataError(f"The number of categories differs between the model and the data: {', '.join(differs)}.")
    total = moments.n
    return OrdinalDiscrepancy(
        models=tuple(
            _response_model(specification, group, block, sample)
            for group, (block, sample) in enumerate(zip(blocks, moments.ordinal, strict=True), start=1)
        ),
        samples=tuple(
            Sample(sample.n / total, sample.correlation, sample.mean, log_determinant(sample.correlation) or 0.0)
            for sample in moments.ordinal
        ),
        statistics=tuple(sample.statistics for sample in moments.ordinal),
        weights=tuple(_weight(sample, estimator) for sample in moments.ordinal),
        sizes=tuple(sample.n for sample in moments.ordinal),
    )


def _weight(sample: OrdinalStatistics, estimator: str) -> Array:
    """Return the weight of one group."""
    size = len(sample.covariance)
    weight = make_weight(sample, WEIGHTS[estimator]) if estimator != "WLS" or sample.n > size else None
    if weight is None:
        raise DataError(
            f"estimator='WLS' inverts the covariance matrix of {size} thresholds and correlations, which {sample.n} "
            "respondents do not determine. Use estimator='WLSMV'."
        )
    return weight


def _response_model(
    specification: Specification, group: int, block: Block, sample: OrdinalStatistics
) -> ResponseModel | ConditionalModel:
    """Return where the parameters of one group stand among the statistics."""
    at = _positions(specification, group, tuple(map(len, sample.thresholds)))
    theta = specification.parameterization == "theta"
    model = ResponseModel(
        block=block,
        cut_item=at.cut_item,
        cut_parameter=at.cut_parameter,
        cut_value=at.cut_value,
        varying=np.flatnonzero(sample.continuous),
        scale_parameter=at.scale_parameter,
        scale_value=at.scale_value,
        completed=np.zeros_like(sample.continuous) if theta else ~sample.continuous,
        standardised=~sample.continuous if theta else np.zeros_like(sample.continuous),
    )
    return conditional_model(block, model) if isinstance(sample, ConditionalStatistics) else model


@dataclass(frozen=True, slots=True)
class _Positions:
    """Thresholds and scales of one group, as `ResponseModel` has them."""

    cut_item: Index
    cut_parameter: Index
    cut_value: Array
    scale_parameter: Index
    scale_value: Array


@kept
def _positions(specification: Specification, group: int, cuts: tuple[int, ...]) -> _Positions:
    """Return where the thresholds and scales of one group stand, given how many thresholds every variable has."""
    rows = {(r.op, r.lhs, r.rhs): r for r in specification.parameters if r.group == group and r.op in ("|", "~*~")}
    items, parameters, values = [], [], []
    scale_parameter, scale_value = np.full(len(cuts), -1, dtype=np.intp), np.ones(len(cuts))
    # Covariates, which come last, have neither.
    for j, (name, count) in enumerate(zip(specification.observed, cuts, strict=False)):
        for number in range(1, max(1, count) + 1):
            row = rows.get(("|", name, f"t{number}"))
            items.append(j)
            parameters.append(row.free if row is not None else -1)
            values.append(row.value if row is not None and row.value is not None else 0.0)
        row = rows.get(("~*~", name, name))
        if row is not None:
            scale_parameter[j] = row.free
            scale_value[j] = row.value if row.value is not None else 1.0
    return _Positions(
        cut_item=np.array(items, dtype=np.intp),
        cut_parameter=np.array(parameters, dtype=np.intp),
        cut_value=np.array(values, dtype=np.float64),
        scale_parameter=scale_parameter,
        scale_value=scale_value,
    )


def ordinal_problem(specification: Specification, moments: Moments, discrepancy: OrdinalDiscrepancy) -> Problem[Point]:
    """Return the problem with its start values: thresholds at the sample's, scales at one.

    Where residual variances are one (theta), the units of the responses grow with what is explained of them.
    """
    units, covs = [], []
    for group, entry in enumerate(moments.groups, start=1):
        unit = np.ones(len(moments.names))
        if specification.parameterization == "theta":
            explained = measure(specification, group, entry.cov).explained
            for j, name in enumerate(moments.names):
                if name in specification.ordered:
                    unit[j] = (1.0 - explained[j]) ** -0.5
        units.append(unit)
        covs.append(np.ascontiguousarray(entry.cov * np.outer(unit, unit)))
    problem = pose(specification, discrepancy, tuple(covs), tuple(entry.mean for entry in moments.groups))

    sampled = _sample_values(discrepancy, units, problem.start)
    held = discrepancy.separable and not problem.space.constrained and problem.space.restrictions is None
    if held:
        problem = _held(problem, discrepancy, sampled)
    written = [] if held else [row for row in specification.parameters if row.op in ("|", "~*~")]
    for row in written:
        if row.free >= 0 and row.start is not None:
            sampled[row.free] = row.start
    own = [row.free for row in specification.parameters if row.op in ("|", "~*~") and row.free >= 0]
    space = problem.space

    def moved(theta: Array) -> Array:
        out = theta.copy()
        out[own] = sampled[own]
        return space.offset + space.basis @ (space.basis.T @ (out - space.offset)) if space.constrained else out

    return replace(
        problem,
        start=moved(problem.start),
        plain_start=moved(problem.plain_start),
        crude_starts=Moved(problem.crude_starts, moved),
    )


def _sample_values(discrepancy: OrdinalDiscrepancy, units: Sequence[Array], theta: Array) -> Array:
    """Return a parameter vector with the sample's thresholds, in the units given, and scales of one."""
    out = theta.copy()
    # The first group wins where thresholds are equal.
    for model, s, unit in reversed(list(zip(discrepancy.models, discrepancy.statistics, units, strict=True))):
        free = model.cut_parameter >= 0
        scale = unit[: len(model.scale_value)] / model.scale_value
        out[model.cut_parameter[free]] = (s[: model.n_cuts] * scale[model.cut_item])[free]
        out[model.scale_parameter[model.scale_parameter >= 0]] = 1.0
    return out


def _held(problem: Problem[Point], discrepancy: OrdinalDiscrepancy, sampled: Array) -> Problem[Point]:
    """Return the problem with the thresholds held at the sample's, which they are at the minimum."""
    others = np.delete(np.arange(len(sampled)), discrepancy.cut_parameters)
    units = problem.units
    if units is not None:
        units = replace(units, space=held_space(sampled * units.weight, others))
    left = CorrelationDiscrepancy(discrepancy) if discrepancy.correlations_alone else discrepancy
    return replace(problem, discrepancy=left, space=held_space(sampled, others), units=units)
