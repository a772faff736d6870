"""Start values of paths and latent covariances from composites of the items, corrected for attenuation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from sem_loyalty.fitting.measured import Measured, one_factor
from sem_loyalty.model.spec import Parameter, Specification, kept

Array = NDArray[np.float64]

# Correlations start inside the admissible region, wherever the composites put them.
LARGEST_CORRELATION = 0.95


@dataclass(frozen=True, slots=True)
class Between:
    """Estimated covariances between constructs and other structural variables, and what follows for their paths.

    Attributes
    ----------
    position : dict
        Position of each variable in `cov`.
    cov : ndarray, shape (k, k)
        Positive definite.
    effects : dict
        By (lhs, op, rhs): least-squares start values of regressions and second-order loadings.
    residual : dict
        By variable: what its predictors leave unexplained.
    exogenous : frozenset of str
        Variables that nothing explains.
    """

    position: dict[str, int]
    cov: Array
    effects: dict[tuple[str, str, str], float]
    residual: dict[str, float]
    exogenous: frozenset[str]

    def start(self, row: Parameter) -> float | None:
        """Return the start value of one row, or None where composites have nothing to say."""
        if row.op in ("~", "=~"):
            return self.effects.get((row.lhs, row.op, row.rhs))
        if row.op != "~~" or row.lhs not in self.position or row.rhs not in self.position:
            return None
        if row.lhs == row.rhs:
            return self.residual.get(row.lhs)
        if {row.lhs, row.rhs} <= self.exogenous:
            return float(self.cov[self.position[row.lhs], self.position[row.rhs]])
        return None


def covariances_of_composites(
    specification: Specification, group: int, cov: Array, measured: Measured
) -> Between | None:
    """Return the disattenuated covariances of the structural variables of a group, or None without any.

    Each construct is represented by Bartlett's weights of its one-factor solution, w = lambda / theta, so
    cov(w_a' y, w_b' y) / (w_a' lambda_a w_b' lambda_b) estimates the covariance of constructs a and b wherever
    they share no items (Croon 2002, Using predicted latent scores in general latent structure models).
    """
    plan = _plan(specification, group)
    names = list(plan.names)
    if len(names) < 2:
        return None
    W = _weights(plan, cov, measured)
    phi = W @ cov @ W.T
    for i, name in enumerate(names):
        phi[i, i] = measured.variance.get(name, phi[i, i])
    phi, effects, residual, explained = _add_higher_order(plan, names, _inside(phi), measured)
    position = {name: i for i, name in enumerate(names)}
    _add_regressions(plan, position, phi, effects, residual, explained)
    for name, i in position.items():
        if name not in explained and name in specification.latent:
            residual[name] = float(phi[i, i])
    return Between(position, phi, effects, residual, frozenset(set(names) - explained))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What composites need of the model.

    Attributes
    ----------
    names : tuple of str
        Constructs with items, then observed variables of the structural part.
    construct, item : tuple of str
        Every pair of a construct and one of its items.
    row, column : ndarray of int
        The place of the pairs in the matrix of weights.
    single : tuple of int
        Positions of the observed structural variables.
    higher : tuple of (str, tuple of str, int or None, float)
        Latent variables with nothing but latent indicators: the first fixed loading and its value.
    regressions : tuple of (str, tuple of str)
        Outcomes and their predictors.
    """

    names: tuple[str, ...]
    construct: tuple[str, ...]
    item: tuple[str, ...]
    row: NDArray[np.intp]
    column: NDArray[np.intp]
    single: tuple[int, ...]
    higher: tuple[tuple[str, tuple[str, ...], int | None, float], ...]
    regressions: tuple[tuple[str, tuple[str, ...]], ...]


@kept
def _plan(specification: Specification, group: int) -> _Plan:
    rows = [r for r in specification.parameters if r.group == group]
    index = {name: i for i, name in enumerate(specification.observed)}
    structural = {name for r in rows if r.op == "~" for name in (r.lhs, r.rhs)}
    loadings: dict[str, list[Parameter]] = {name: [] for name in specification.latent}
    predictors: dict[str, list[str]] = {}
    for r in rows:
        if r.op == "=~":
            loadings[r.lhs].append(r)
        elif r.op == "~":
            predictors.setdefault(r.lhs, []).append(r.rhs)
    measured = [name for name, own in loadings.items() if any(r.rhs in index for r in own)]
    pairs = [(i, r) for i, name in enumerate(measured) for r in loadings[name] if r.rhs in index]
    observed = [name for name in specification.observed if name in structural]
    higher = []
    for name, own in loadings.items():
        if name not in measured and own:
            fixed = next((i for i, r in enumerate(own) if r.value not in (None, 0.0)), None)
            value = 1.0 if fixed is None else float(own[fixed].value or 1.0)
            higher.append((name, tuple(r.rhs for r in own), fixed, value))
    return _Plan(
        names=(*measured, *observed),
        construct=tuple(r.lhs for _, r in pairs),
        item=tuple(r.rhs for _, r in pairs),
        row=np.array([i for i, _ in pairs], dtype=np.intp),
        column=np.array([index[r.rhs] for _, r in pairs], dtype=np.intp),
        single=tuple(index[name] for name in observed),
        higher=tuple(higher),
        regressions=tuple((name, tuple(causes)) for name, causes in predictors.items()),
    )


def _weights(plan: _Plan, cov: Array, measured: Measured) -> Array:
    """Return the weights of the items of every measured construct, and of observed structural variables, by row."""
    pairs = list(zip(plan.construct, plan.item, strict=True))
    loading = np.array([measured.loading[pair] for pair in pairs])
    explained = np.array([measured.explained.get(item, 0.5) for item in plan.item])
    weight = loading / (np.diagonal(cov)[plan.column] * np.maximum(0.1, 1.0 - explained))
    n_constructs = len(plan.names) - len(plan.single)
    reach = np.bincount(plan.row, weights=weight * loading, minlength=n_constructs)
    W = np.zeros((len(plan.names), len(cov)))
    W[plan.row, plan.column] = weight / reach[plan.row]
    for i, column in enumerate(plan.single, start=n_constructs):
        W[i, column] = 1.0
    return W


def _inside(phi: Array) -> Array:
    """Return the matrix with its correlations drawn towards zero until it is well inside the admissible region."""
    sd = np.sqrt(np.diagonal(phi))
    correlation = np.clip(phi / np.outer(sd, sd), -LARGEST_CORRELATION, LARGEST_CORRELATION)
    correlation.ravel()[:: len(sd) + 1] = 1.0
    smallest = float(np.linalg.eigvalsh(correlation)[0])
    if smallest < 0.05:
        share = (1.0 - 0.05) / (1.0 - smallest)
        correlation = share * correlation + (1.0 - share) * np.eye(len(correlation))
    return np.asarray(correlation * np.outer(sd, sd))


def _add_higher_order(
    plan: _Plan, names: list[str], phi: Array, measured: Measured
) -> tuple[Array, dict[tuple[str, str, str], float], dict[str, float], set[str]]:
    """Append factors of factors to the matrix: one-factor solutions of the constructs that they explain."""
    effects: dict[tuple[str, str, str], float] = {}
    residual: dict[str, float] = {}
    explained: set[str] = set()
    for latent, own, fixed, value in plan.higher:
        if latent in names or any(name not in names for name in own):
            continue
        at = [names.index(name) for name in own]
        sd = np.sqrt(np.diagonal(phi))
        standard = one_factor(phi[np.ix_(at, at)] / np.outer(sd[at], sd[at]))
        if fixed is not None:
            scale = float(standard[fixed] * sd[at][fixed]) / value
        else:
            scale = float(np.sqrt(measured.variance.get(latent, 1.0)))
        if abs(scale) < 1e-8:
            continue
        for name, level, size in zip(own, standard, sd[at], strict=True):
            effects[latent, "=~", name] = float(level * size / scale)
            residual[name] = float(size**2 * (1.0 - level**2))
            explained.add(name)
        weight = np.linalg.solve(phi[np.ix_(at, at)], standard * sd[at] * scale)
        across = phi[:, at] @ weight
        phi = np.block([[phi, across[:, None]], [across[None, :], np.array([[scale**2]])]])
        names.append(latent)
    return phi, effects, residual, explained


def _add_regressions(
    plan: _Plan,
    position: dict[str, int],
    phi: Array,
    effects: dict[tuple[str, str, str], float],
    residual: dict[str, float],
    explained: set[str],
) -> None:
    """Add least-squares start values of every regression, in place."""
    for outcome, predictors in plan.regressions:
        if outcome not in position or any(name not in position for name in predictors):
            continue
        at, i = np.array([position[name] for name in predictors]), position[outcome]
        _, slopes, info = lapack.dposv(phi[at[:, None], at], phi[at, i])
        if info != 0 or plan.higher:
            # Factors of factors can make the matrix singular.
            slopes = np.linalg.lstsq(phi[at[:, None], at], phi[at, i], rcond=1e-8)[0]
        for name, slope in zip(predictors, slopes.tolist(), strict=True):
            effects[outcome, "~", name] = slope
        residual[outcome] = max(float(phi[i, i] - slopes @ phi[at, i]), 0.05 * float(phi[i, i]))
        explained.add(outcome)
