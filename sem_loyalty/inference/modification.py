"""Modification indices: what chi-square would fall by if a fixed parameter were freed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.marking import mark
from sem_loyalty.inference.ordinal_scores import ordinal_score_parts
from sem_loyalty.inference.standardise import standardised_values
from sem_loyalty.inference.uncertainty import maximum, moment_weights
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.least_squares import LeastSquares, Weight
from sem_loyalty.kernel.likelihood import weight_matrix
from sem_loyalty.kernel.precisions import moment_information
from sem_loyalty.kernel.ram import (
    Block,
    Factors,
    Implied,
    block_factors,
    factors,
    matrix_to_parameters,
    mean_jacobian,
)
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.model.scatter import place, variables
from sem_loyalty.model.spec import Parameter, Specification

Array = NDArray[np.float64]

# A candidate whose information is this much explained by the free parameters can't be freed: the model would
# not be identified.
REDUNDANT = 1e-7


@dataclass(frozen=True, slots=True)
class Candidate:
    """A parameter that the model fixes and that could be freed."""

    lhs: str
    op: str
    rhs: str
    group: int


@one_thread()
def modification_indices(fit: Fit) -> pd.DataFrame:
    """Return the modification index and expected parameter change of every fixed parameter.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    DataFrame
        lhs, op, rhs, group, mi, epc, sepc_lv, sepc_all, largest mi first (ties in alphabetical order). Candidates
        are the loadings, covariances, paths and intercepts that the model leaves out or fixes. A
        parameter that would not be identified, or that equality constraints already cover, is left out.

    Notes
    -----
    With g the derivative of F by the candidate, and V its expected information given the free parameters,
    mi = N g^2 / (4 V) and epc = -g / (2 V) (Sorbom 1989, doi:10.1007/BF02294623; Saris, Satorra and Sorbom 1987,
    doi:10.2307/271030). Moments among fixed covariates are given: where a candidate would explain a covariate, its
    index is lavaan's, which is not a full score test (use `fixed_x=False` for one).
    sepc_lv and sepc_all are epc in standard deviations of the latent, and of all, variables. With least squares mi and
    epc are lavaan's: the slope counts N - 1 respondents a group and the information N, so both are smaller by 1 / N.
    With ordinal items likewise, and the index is not corrected for the weight; effects of fixed covariates on items are
    then candidates too, as in lavaan's `lavTestScore`: items that answer differently by age, say, at equal loyalty.
    """
    candidates = fixed_candidates(fit.specification)
    columns = ["lhs", "op", "rhs", "group", "mi", "epc", "sepc_lv", "sepc_all"]
    if not candidates:
        return mark(pd.DataFrame(columns=columns), fit)
    rows = tuple(_row(candidate) for candidate in candidates)
    if fit.specification.ordered:
        slope, reduced, crossed, own = ordinal_score_parts(fit, rows)
    else:
        slope, reduced, crossed, own = _score_parts(fit, candidates)
    scale = np.sqrt(np.maximum(np.diagonal(reduced), 1e-300))
    try:
        solved = np.linalg.solve(reduced / np.outer(scale, scale), crossed / scale[:, None])
    except np.linalg.LinAlgError:
        return mark(pd.DataFrame(columns=columns), fit)
    remaining = own - np.einsum("ij,ij->j", crossed / scale[:, None], solved)
    usable = remaining > REDUNDANT * np.maximum(own, 1e-300)
    n = fit.moments.n
    with np.errstate(divide="ignore", invalid="ignore"):
        mi = np.where(usable, n * slope**2 / (4.0 * remaining), np.nan)
        epc = np.where(usable, -slope / (2.0 * remaining), np.nan)
    frame = pd.DataFrame(
        {
            "lhs": [c.lhs for c in candidates],
            "op": [c.op for c in candidates],
            "rhs": [c.rhs for c in candidates],
            "group": [c.group for c in candidates],
            "mi": mi,
            "epc": epc,
            "sepc_lv": standardised_values(fit, epc, observed=False, rows=rows),
            "sepc_all": standardised_values(fit, epc, observed=True, rows=rows),
        }
    )
    frame = pd.DataFrame(frame.loc[usable]).sort_values(
        ["mi", "lhs", "op", "rhs", "group"], ascending=[False, True, True, True, True]
    )
    frame = frame.reset_index(drop=True)
    return mark(frame, fit)


def fixed_candidates(specification: Specification) -> tuple[Candidate, ...]:
    """Return the loadings, covariances and paths that are not free, in a fixed order, for every group."""
    found: list[Candidate] = []
    indicators = {row.rhs for row in specification.parameters if row.op == "=~"}
    structural = tuple(
        dict.fromkeys(name for row in specification.parameters if row.op == "~" for name in (row.lhs, row.rhs))
    )
    exogenous = set(specification.exogenous)
    random = [name for name in specification.observed if name not in exogenous]
    # Beside ordinal items nothing is said of fixed covariates: what would explain them has no statistic.
    explained = tuple(name for name in structural if not specification.ordered or name not in exogenous)
    given = specification.exogenous if specification.ordered else ()
    derived = specification.ordered if specification.parameterization == "delta" else ()
    for group in range(1, len(specification.groups) + 1):
        taken = set()
        for row in specification.parameters:
            if row.group == group and (row.free >= 0 or row.exogenous):
                taken.add((row.lhs, row.op, row.rhs))
                if row.op == "~~":
                    taken.add((row.rhs, row.op, row.lhs))
                # An effect of a construct on its own indicator is the same entry whichever way it is written.
                if row.op in ("~", "=~"):
                    taken.add((row.rhs, "=~" if row.op == "~" else "~", row.lhs))
        options: list[tuple[str, str, str]] = [
            *((latent, "=~", item) for latent in specification.latent for item in random if item in indicators),
            *((name, "~~", name) for name in (*random, *specification.latent) if name not in derived),
            *((a, "~~", b) for a, b in combinations(random, 2)),
            *((a, "~~", b) for a, b in combinations(specification.latent, 2)),
            *((name, "~*~", name) for name in derived),
            *(((name, "~1", "") for name in (*random, *specification.latent)) if specification.meanstructure else ()),
            *((a, "~", b) for a in explained for b in structural if a != b and not {a, b} <= exogenous),
            *((item, "~", name) for item in random if item in indicators for name in given),
        ]
        wanted = dict.fromkeys(option for option in options if option not in taken)
        found += [Candidate(lhs, op, rhs, group) for lhs, op, rhs in wanted]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Jacobian:
    """Derivatives of the moments by a list of parameters: vec(Sigma), shape (p^2, k), and mu, shape (p, k)."""

    cov: Array
    mean: Array


def _score_parts(fit: Fit, candidates: tuple[Candidate, ...]) -> tuple[Array, Array, Array, Array]:
    """Return dF by candidate, the information of the parameters, its cross-information, and the candidates' own.

    Moments among fixed covariates are given, so they inform about nothing, as in lavaan: this matters where a
    candidate would make a covariate an outcome.
    """
    position = variables(fit.specification)
    fixed = [position[name] for name in fit.specification.exogenous]
    size = len(fit.theta)
    slope, own = np.zeros(len(candidates)), np.zeros(len(candidates))
    information, cross = np.zeros((size, size)), np.zeros((size, len(candidates)))
    for group, (block, at, sample, weights) in enumerate(
        zip(fit.blocks, fit.point.implied, fit.samples, _weights(fit), strict=True), start=1
    ):
        mine = [i for i, candidate in enumerate(candidates) if candidate.group == group]
        p = block.n_observed
        more = _jacobian([_row(candidates[i]) for i in mine], position, at)
        slope[mine] = weights.by_cov.ravel() @ more.cov + weights.by_mean @ more.mean
        more, free = _given(more, fixed, p), _given(_free_jacobian(block, at), fixed, p)
        weighted, among = weights.weigh(more), weights.weigh(free)
        pair = free.cov.T @ weighted.cov + free.mean.T @ weighted.mean
        own[mine] = sample.weight * (
            np.einsum("ij,ij->j", more.cov, weighted.cov) + np.einsum("ij,ij->j", more.mean, weighted.mean)
        )
        entries = free.cov.T @ among.cov + free.mean.T @ among.mean
        information += sample.weight * matrix_to_parameters(block, entries, size)
        collect = np.zeros((size, len(pair)))
        collect[block.entry_parameter, np.arange(len(pair))] = 1.0
        cross[:, mine] += sample.weight * collect @ pair
    if fit.space.constrained:
        return slope, fit.space.reduce_matrix(information), fit.space.basis.T @ cross, own
    return slope, information, cross, own


@dataclass(frozen=True, slots=True)
class _Weights:
    """The first derivatives of F by the moments of one group, and the information in its moments.

    Attributes
    ----------
    by_cov, by_mean : ndarray, shapes (p, p) and (p,)
        dF / dSigma and dF / dmu, with the group's share of F.
    weigh : callable
        Information times derivatives of the moments, so that J' times it is the information of J.
    """

    by_cov: Array
    by_mean: Array
    weigh: Callable[[_Jacobian], _Jacobian]


def _weights(fit: Fit) -> list[_Weights]:
    """Return the weights of every group."""
    discrepancy = fit.discrepancy
    if isinstance(discrepancy, Incomplete):
        point = maximum(fit)
        return [
            _Weights(sample.weight * slope, -2.0 * sample.weight * pull, partial(_weighted_by_patterns, level, spread))
            for sample, (slope, pull), (level, spread) in zip(
                fit.samples,
                [expected.slopes() for expected in discrepancy.expected(point)],
                map(moment_information, discrepancy.patterns, discrepancy.expected(point)),
                strict=True,
            )
        ]
    found = []
    for k, (block, sample, at, weight) in enumerate(
        zip(fit.blocks, fit.samples, fit.point.implied, moment_weights(fit), strict=True)
    ):
        shift = sample.mean - at.mean
        if isinstance(discrepancy, LeastSquares):
            pull, lift = weight.apply((sample.cov - at.cov)[:, :, None], shift[:, None])
            share = -2.0 * discrepancy.shares[k]
            by_cov, by_mean = share * pull[:, :, 0], share * lift[:, 0]
        else:
            inverse = maximum(fit).inverse[k]
            by_cov = sample.weight * weight_matrix(sample, at, inverse, block.means)
            by_mean = -2.0 * sample.weight * (inverse @ shift)
        found.append(_Weights(by_cov, by_mean, partial(_weighted, weight)))
    return found


def _weighted_by_patterns(level: Array, spread: Array, jacobian: _Jacobian) -> _Jacobian:
    """Return the information of answers with gaps times every column; `spread` is that of vech(Sigma)."""
    p = len(level)
    col, row = np.triu_indices(p)
    cov = np.zeros_like(jacobian.cov)
    cov[row * p + col] = spread @ jacobian.cov[row * p + col]
    return _Jacobian(cov, level @ jacobian.mean)


def _given(jacobian: _Jacobian, fixed: list[int], p: int) -> _Jacobian:
    """Return the derivatives without the moments among fixed covariates."""
    if not fixed:
        return jacobian
    cov, mean = jacobian.cov.copy(), jacobian.mean.copy()
    cov.reshape(p, p, cov.shape[1])[np.ix_(fixed, fixed)] = 0.0
    mean[fixed] = 0.0
    return _Jacobian(cov, mean)


def _row(candidate: Candidate) -> Parameter:
    return Parameter(candidate.lhs, candidate.op, candidate.rhs, candidate.group, -1, None, "", None, False, False)


def _free_jacobian(block: Block, at: Implied) -> _Jacobian:
    """Return the derivatives by the free entries of a block, in the order of `Block.entry_parameter`."""
    found = block_factors(block, at)
    mean = mean_jacobian(block, at)
    cov = np.zeros((len(at.cov) ** 2, mean.shape[1]))
    cov[:, : len(found.left)] = _columns(found)
    return _Jacobian(cov, mean)


def _columns(found: Factors) -> Array:
    """Return vec(dSigma) of every entry, shape (p^2, entries)."""
    u, w = found.columns[:, found.left], found.columns[:, found.right]
    product = found.weight * (u[:, None, :] * w[None, :, :] + w[:, None, :] * u[None, :, :])
    return np.asarray(product.reshape(len(u) ** 2, u.shape[1]))


def _weighted(weight: Weight, jacobian: _Jacobian) -> _Jacobian:
    """Return V times every column."""
    p = len(jacobian.mean)
    cov, mean = weight.apply(jacobian.cov.reshape(p, p, jacobian.cov.shape[1]), jacobian.mean)
    return _Jacobian(cov.reshape(jacobian.cov.shape), mean)


def _jacobian(rows: list[Parameter], position: dict[str, int], at: Implied) -> _Jacobian:
    """Return the derivatives by single entries of A, S or m, in the order of `rows`."""
    spots = [place(row, position) for row in rows]
    chosen = {name: [i for i, spot in enumerate(spots) if spot.matrix == name] for name in ("A", "S", "m")}
    index = {
        (name, side): np.array([getattr(spots[i], side) for i in chosen[name]], dtype=np.intp)
        for name in ("A", "S", "m")
        for side in ("row", "col")
    }
    found = factors(at, index["A", "row"], index["A", "col"], index["S", "row"], index["S", "col"])
    p = len(at.cov)
    cov, mean = np.zeros((p * p, len(rows))), np.zeros((p, len(rows)))
    cov[:, chosen["A"] + chosen["S"]] = _columns(found)
    G = at.total_inverse[:p]
    mean[:, chosen["A"]] = G[:, index["A", "row"]] * at.means[index["A", "col"]]
    mean[:, chosen["m"]] = G[:, index["m", "row"]]
    return _Jacobian(cov, mean)
