"""Start values of paths and latent covariances from composites of the items, corrected for attenuation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.measured import LEAST_SCALE, Measured, measurement
from sem_loyalty.fitting.one_factor import one_factor
from sem_loyalty.kernel.linear_algebra import lapack
from sem_loyalty.model.spec import Parameter, Specification, kept

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Correlations start inside the admissible region, wherever the composites put them.
LARGEST_CORRELATION = 0.95
SMALLEST_EIGENVALUE = 0.05
# What predictors leave of a variance at least.
LEAST_RESIDUAL = 0.05


@dataclass(frozen=True, slots=True)
class Structure:
    """What composites need of the model, and where their answers stand: `answers` is one vector.

    It holds the effects of `effects`, then the residual variance of every name, then the covariances between all; nan
    where composites have nothing to say.

    Attributes
    ----------
    names : tuple of str
        Constructs with items, then observed variables of the structural part, then factors of factors.
    row : ndarray of int
        The construct, by its place among the names, of every pair with an item.
    latent : ndarray of int
        Positions of the constructs with items among the latent variables.
    single : ndarray of int
        Positions of the observed structural variables.
    higher : tuple of Higher
    regressions : tuple of Regression
    effects : dict
        Position of every (lhs, op, rhs) that has a start value.
    explained : frozenset of str
        Names that others explain.
    unexplained : ndarray of int
        Places among the names of latent variables that nothing explains.
    """

    names: tuple[str, ...]
    row: Index
    latent: Index
    single: Index
    higher: tuple[Higher, ...]
    regressions: tuple[Regression, ...]
    effects: dict[tuple[str, str, str], int]
    explained: frozenset[str]
    unexplained: Index

    def place(self, row: Parameter) -> int:
        """Return where the start value of a row stands among the answers; -1 where it has none there."""
        if row.op in ("~", "=~"):
            return self.effects.get((row.lhs, row.op, row.rhs), -1)
        if row.op != "~~" or row.lhs not in self.names or row.rhs not in self.names:
            return -1
        first, second = self.names.index(row.lhs), self.names.index(row.rhs)
        if first == second:
            return len(self.effects) + first
        if {row.lhs, row.rhs} & self.explained:
            return -1
        return len(self.effects) + len(self.names) * (1 + first) + second


@dataclass(frozen=True, slots=True)
class Higher:
    """A factor of factors.

    Attributes
    ----------
    latent : int
        Position among the latent variables.
    own : ndarray of int
        Places of its indicators among the names.
    fixed : int or None
        Its first fixed loading.
    value : float
        What that is fixed at.
    """

    latent: int
    own: Index
    fixed: int | None
    value: float


@dataclass(frozen=True, slots=True)
class Regression:
    """An outcome and its predictors: places among the names, and flat positions of the predictors' covariances."""

    outcome: int
    predictors: Index
    square: Index


def answers_of_composites(specification: Specification, group: int, cov: Array, measured: Measured) -> Array:
    """Return start values of the structural part of a group, laid out as `Structure` says.

    Each construct is represented by Bartlett's weights of its one-factor solution, w = lambda / theta, so
    cov(w_a' y, w_b' y) / (w_a' lambda_a w_b' lambda_b) estimates the covariance of constructs a and b wherever
    they share no items (Croon 2002, Using predicted latent scores in general latent structure models). Paths are
    least-squares regressions on these covariances.
    """
    plan = structure(specification, group)
    size = len(plan.names)
    effects, residual = np.full(len(plan.effects), np.nan), np.full(size, np.nan)
    W = _weights(plan, measurement(specification, group).items, cov, measured)
    phi = W @ cov @ W.T
    phi.ravel()[: len(plan.latent) * len(phi) : len(phi) + 1] = measured.variance[plan.latent]
    phi = _inside(phi)
    filled = 0
    for factor in plan.higher:
        phi = _with_higher(factor, phi, measured, effects[filled : filled + len(factor.own)], residual)
        filled += len(factor.own)
    for equation in plan.regressions:
        own = effects[filled : filled + len(equation.predictors)]
        _regress(equation, phi, own, residual, careful=bool(plan.higher))
        filled += len(own)
    residual[plan.unexplained] = phi.diagonal()[plan.unexplained]
    return np.concatenate([effects, residual, phi.ravel()])


@kept
def structure(specification: Specification, group: int) -> Structure:
    """Return what composites need of a group, and where their answers stand."""
    rows = [r for r in specification.parameters if r.group == group]
    observed, position = specification.observed, {name: j for j, name in enumerate(specification.latent)}
    plan = measurement(specification, group)
    structural = {name for r in rows if r.op == "~" for name in (r.lhs, r.rhs)}
    loadings = {name: [r for r in rows if r.op == "=~" and r.lhs == name] for name in specification.latent}
    predictors: dict[str, list[str]] = {}
    for r in rows:
        if r.op == "~":
            predictors.setdefault(r.lhs, []).append(r.rhs)
    with_items = [specification.latent[j] for j in plan.latent]
    singles = [name for name in observed if name in structural]
    names = [*with_items, *singles]
    effects: dict[tuple[str, str, str], int] = {}
    explained: set[str] = set()
    higher, regressions = [], []
    for name, own in loadings.items():
        if name in names or not own or any(r.rhs not in names for r in own):
            continue
        fixed = next((i for i, r in enumerate(own) if r.value not in (None, 0.0)), None)
        value = 1.0 if fixed is None else float(own[fixed].value or 1.0)
        at = np.array([names.index(r.rhs) for r in own], dtype=np.intp)
        higher.append(Higher(position[name], at, fixed, value))
        effects |= {(name, "=~", r.rhs): len(effects) + i for i, r in enumerate(own)}
        explained |= {r.rhs for r in own}
        names.append(name)
    for outcome, causes in predictors.items():
        if outcome in names and all(name in names for name in causes):
            at = np.array([names.index(name) for name in causes], dtype=np.intp)
            regressions.append(Regression(names.index(outcome), at, at[:, None] * len(names) + at))
            effects |= {(outcome, "~", name): len(effects) + i for i, name in enumerate(causes)}
            explained.add(outcome)
    free = [i for i, name in enumerate(names) if name in position and name not in explained]
    return Structure(
        names=tuple(names),
        row=plan.blocks.of,
        latent=plan.latent,
        single=np.array([observed.index(name) for name in singles], dtype=np.intp),
        higher=tuple(higher),
        regressions=tuple(regressions),
        effects=effects,
        explained=frozenset(explained),
        unexplained=np.array(free, dtype=np.intp),
    )


def _weights(plan: Structure, items: Index, cov: Array, measured: Measured) -> Array:
    """Return the weights of the items of every measured construct, and of observed structural variables, by row."""
    loading = measured.loading[: len(items)]
    weight = loading / (cov.diagonal()[items] * np.maximum(0.1, 1.0 - measured.explained[items]))
    count = len(plan.latent)
    W = np.zeros((count + len(plan.single), len(cov)))
    W[plan.row, items] = weight / np.bincount(plan.row, weights=weight * loading, minlength=count)[plan.row]
    W[np.arange(count, len(W)), plan.single] = 1.0
    return W


def _inside(phi: Array) -> Array:
    """Return the matrix with its correlations drawn towards zero until it is well inside the admissible region."""
    sd = np.sqrt(phi.diagonal())
    correlation = phi / sd[:, None]
    correlation /= sd
    np.minimum(np.maximum(correlation, -LARGEST_CORRELATION, out=correlation), LARGEST_CORRELATION, out=correlation)
    shifted = correlation.copy()
    shifted.ravel()[:: len(sd) + 1] = 1.0 - SMALLEST_EIGENVALUE
    correlation.ravel()[:: len(sd) + 1] = 1.0
    if len(sd) and lapack.dpotrf(shifted, lower=1)[1] != 0:
        smallest = float(np.linalg.eigvalsh(correlation)[0])
        share = min(1.0, (1.0 - SMALLEST_EIGENVALUE) / (1.0 - smallest))
        correlation = share * correlation + (1.0 - share) * np.eye(len(correlation))
    correlation *= sd[:, None]
    correlation *= sd
    return np.asarray(correlation)


def _with_higher(plan: Higher, phi: Array, measured: Measured, effects: Array, residual: Array) -> Array:
    """Append a factor of factors to the matrix, and fill in what it says of its indicators.

    It is the one-factor solution of their covariances.
    """
    at = plan.own
    inner = phi[at[:, None], at]
    sd = np.sqrt(inner.diagonal())
    standard = one_factor(inner / np.outer(sd, sd))
    if plan.fixed is None:
        scale = float(np.sqrt(np.abs(measured.variance[plan.latent])))
    else:
        least = LEAST_SCALE * float(sd[plan.fixed])
        scale = float(standard[plan.fixed] * sd[plan.fixed]) / plan.value
        scale = scale if abs(scale) > least else least
    effects[:] = standard * sd / scale
    residual[at] = sd * sd * (1.0 - standard * standard)
    across = phi[:, at] @ np.linalg.solve(inner, standard * sd * scale)
    return np.block([[phi, across[:, None]], [across[None, :], np.array([[scale**2]])]])


def _regress(plan: Regression, phi: Array, effects: Array, residual: Array, *, careful: bool) -> None:
    """Fill in the least-squares start values of a regression."""
    across = phi[plan.outcome].take(plan.predictors)
    among = phi.take(plan.square)
    _, slopes, info = lapack.dposv(among, across)
    if info != 0 or careful:
        # Factors of factors can make the matrix singular.
        slopes = np.linalg.lstsq(among, across, rcond=1e-8)[0]
    effects[:] = slopes
    total = float(phi[plan.outcome, plan.outcome])
    residual[plan.outcome] = max(total - float(slopes @ across), LEAST_RESIDUAL * total)
