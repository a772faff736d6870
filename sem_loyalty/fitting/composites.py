"""Start values of paths and latent covariances from composites of the items, corrected for attenuation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.fitting.measured import Measured, one_factor
from sem_loyalty.model.spec import Parameter, Specification

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
    rows = [r for r in specification.parameters if r.group == group]
    weights = _weights(specification, rows, cov, measured)
    names = list(weights)
    if len(names) < 2:
        return None
    W = np.array([weights[name] for name in names])
    phi = W @ cov @ W.T
    for i, name in enumerate(names):
        phi[i, i] = measured.variance.get(name, phi[i, i])
    found = _add_higher_order(specification, rows, names, _inside(phi), measured)
    phi, effects, residual, explained = found
    position = {name: i for i, name in enumerate(names)}
    _add_regressions(rows, position, phi, effects, residual, explained)
    for name, i in position.items():
        if name not in explained and name in specification.latent:
            residual[name] = float(phi[i, i])
    return Between(position, phi, effects, residual, frozenset(set(names) - explained))


def _weights(specification: Specification, rows: list[Parameter], cov: Array, measured: Measured) -> dict[str, Array]:
    """Return the weights of the items of every measured construct, and of observed structural variables."""
    structural = {name for r in rows if r.op == "~" for name in (r.lhs, r.rhs)}
    weights: dict[str, Array] = {}
    for latent in specification.latent:
        items = [r.rhs for r in rows if r.op == "=~" and r.lhs == latent and r.rhs in measured.index]
        if not items:
            continue
        w = np.zeros(len(cov))
        for item in items:
            i = measured.index[item]
            unique = float(cov[i, i]) * max(0.1, 1.0 - measured.explained.get(item, 0.5))
            w[i] = measured.loading[latent, item] / unique
        reach = sum(w[measured.index[item]] * measured.loading[latent, item] for item in items)
        weights[latent] = w / reach
    for name in specification.observed:
        if name in structural:
            weights[name] = np.eye(len(cov))[measured.index[name]]
    return weights


def _inside(phi: Array) -> Array:
    """Return the matrix with its correlations drawn towards zero until it is well inside the admissible region."""
    sd = np.sqrt(np.diagonal(phi))
    correlation = np.clip(phi / np.outer(sd, sd), -LARGEST_CORRELATION, LARGEST_CORRELATION)
    np.fill_diagonal(correlation, 1.0)
    smallest = float(np.linalg.eigvalsh(correlation)[0])
    if smallest < 0.05:
        share = (1.0 - 0.05) / (1.0 - smallest)
        correlation = share * correlation + (1.0 - share) * np.eye(len(correlation))
    return np.asarray(correlation * np.outer(sd, sd))


def _add_higher_order(
    specification: Specification, rows: list[Parameter], names: list[str], phi: Array, measured: Measured
) -> tuple[Array, dict[tuple[str, str, str], float], dict[str, float], set[str]]:
    """Append factors of factors to the matrix: one-factor solutions of the constructs that they explain."""
    effects: dict[tuple[str, str, str], float] = {}
    residual: dict[str, float] = {}
    explained: set[str] = set()
    for latent in specification.latent:
        own = [r for r in rows if r.op == "=~" and r.lhs == latent]
        if latent in names or not own or any(r.rhs not in names for r in own):
            continue
        at = [names.index(r.rhs) for r in own]
        sd = np.sqrt(np.diagonal(phi))
        standard = one_factor(phi[np.ix_(at, at)] / np.outer(sd[at], sd[at]))
        fixed = next((i for i, r in enumerate(own) if r.value not in (None, 0.0)), None)
        if fixed is not None:
            scale = float(standard[fixed] * sd[at][fixed]) / float(own[fixed].value or 1.0)
        else:
            scale = float(np.sqrt(measured.variance.get(latent, 1.0)))
        if abs(scale) < 1e-8:
            continue
        for r, level, size in zip(own, standard, sd[at], strict=True):
            effects[latent, "=~", r.rhs] = float(level * size / scale)
            residual[r.rhs] = float(size**2 * (1.0 - level**2))
            explained.add(r.rhs)
        weight = np.linalg.solve(phi[np.ix_(at, at)], standard * sd[at] * scale)
        across = phi[:, at] @ weight
        phi = np.block([[phi, across[:, None]], [across[None, :], np.array([[scale**2]])]])
        names.append(latent)
    return phi, effects, residual, explained


def _add_regressions(
    rows: list[Parameter],
    position: dict[str, int],
    phi: Array,
    effects: dict[tuple[str, str, str], float],
    residual: dict[str, float],
    explained: set[str],
) -> None:
    """Add least-squares start values of every regression, in place."""
    for outcome in dict.fromkeys(r.lhs for r in rows if r.op == "~"):
        predictors = [r.rhs for r in rows if r.op == "~" and r.lhs == outcome]
        if outcome not in position or any(name not in position for name in predictors):
            continue
        at, i = [position[name] for name in predictors], position[outcome]
        slopes = np.linalg.lstsq(phi[np.ix_(at, at)], phi[at, i], rcond=1e-8)[0]
        for name, slope in zip(predictors, slopes, strict=True):
            effects[outcome, "~", name] = float(slope)
        residual[outcome] = max(float(phi[i, i] - slopes @ phi[at, i]), 0.05 * float(phi[i, i]))
        explained.add(outcome)
