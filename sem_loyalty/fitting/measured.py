"""One-factor start values of each construct, block of items by block of items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.model.spec import Parameter, Specification

Array = NDArray[np.float64]


def one_factor(correlation: Array, sweeps: int = 5) -> Array:
    """Return loadings of one factor by iterated principal axes, shape (k,), each within ±0.95.

    Parameters
    ----------
    correlation : ndarray, shape (k, k)
    sweeps : int, default 5
        Refinements of the communalities.
    """
    k = len(correlation)
    if k == 1:
        return np.ones(1)
    if k == 2:
        r = abs(float(correlation[0, 1]))
        level = float(np.sqrt(max(r, 0.05)))
        return np.array([level, level if correlation[0, 1] >= 0 else -level])
    off = np.abs(correlation - np.eye(k))
    communality = off.max(axis=1)
    loadings = np.sqrt(communality)
    for _sweep in range(sweeps):
        reduced = correlation.copy()
        reduced[np.diag_indices(k)] = communality
        values, vectors = np.linalg.eigh(reduced)
        loadings = vectors[:, -1] * np.sqrt(max(float(values[-1]), 1e-4))
        communality = np.clip(loadings**2, 0.01, 0.9)
    if loadings[np.abs(loadings).argmax()] < 0:
        loadings = -loadings
    return np.asarray(np.clip(loadings, -0.95, 0.95))


@dataclass(frozen=True, slots=True)
class Measured:
    """One-factor start values of every latent variable of a group.

    Attributes
    ----------
    index : dict
        Position of every observed variable.
    loading : dict
        By (latent, indicator), in the metric of the marker.
    variance : dict
        By latent variable.
    explained : dict
        By item, its communality.
    """

    index: dict[str, int]
    loading: dict[tuple[str, str], float]
    variance: dict[str, float]
    explained: dict[str, float]

    def start(self, row: Parameter, cov: Array, mean: Array | None) -> float:
        """Return the start value of one row, with paths and covariances at zero."""
        if row.op == "=~":
            return self.loading.get((row.lhs, row.rhs), 1.0)
        if row.op == "~~" and row.lhs == row.rhs:
            if row.lhs in self.index:
                total = float(cov[self.index[row.lhs], self.index[row.lhs]])
                return total * (1.0 - self.explained.get(row.lhs, 0.5))
            return abs(self.variance.get(row.lhs, 1.0)) or 0.05
        if row.op == "~1" and row.lhs in self.index and mean is not None:
            return float(mean[self.index[row.lhs]])
        return 0.0


def measure(specification: Specification, group: int, cov: Array) -> Measured:
    """Return the one-factor start values of every latent variable of a group."""
    found = Measured({name: i for i, name in enumerate(specification.observed)}, {}, {}, {})
    sd = np.sqrt(np.diagonal(cov))
    rows = [r for r in specification.parameters if r.op == "=~" and r.group == group]
    unit = _fixed_variances(specification, group)
    for latent in specification.latent:
        items = [r for r in rows if r.lhs == latent and r.rhs in found.index]
        if not items:
            continue
        at = [found.index[r.rhs] for r in items]
        standard = one_factor(cov[np.ix_(at, at)] / np.outer(sd[at], sd[at]))
        _scale(found, latent, items, standard, sd[at], unit.get(latent))
        for r, level in zip(items, standard, strict=True):
            found.explained[r.rhs] = min(0.9, found.explained.get(r.rhs, 0.0) + float(level) ** 2)
    # A factor of factors starts with half the variance of its marker, and equal effects on the others.
    for latent in reversed(specification.latent):
        own = [r for r in rows if r.lhs == latent]
        if latent in found.variance or not own:
            continue
        found.variance[latent] = unit.get(latent, 0.5 * found.variance.get(own[0].rhs, 1.0))
        for r in own:
            child = found.variance.get(r.rhs, 1.0)
            found.loading[latent, r.rhs] = float(np.sqrt(0.5 * child / max(found.variance[latent], 1e-8)))
    return found


def _fixed_variances(specification: Specification, group: int) -> dict[str, float]:
    """Return the latent variances that the model fixes."""
    latent = set(specification.latent)
    return {
        r.lhs: r.value
        for r in specification.parameters
        if r.group == group and r.op == "~~" and r.lhs == r.rhs and r.lhs in latent and r.value
    }


def _scale(
    found: Measured, latent: str, items: list[Parameter], standard: Array, sd: Array, unit: float | None
) -> None:
    """Turn standardised loadings into the metric that the fixed loading or fixed variance sets."""
    fixed = [i for i, r in enumerate(items) if r.value not in (None, 0.0)]
    if fixed:
        marker = fixed[0]
        scale = float(standard[marker] * sd[marker]) / float(items[marker].value or 1.0)
        scale = scale if abs(scale) > 0.05 * float(sd[marker]) else 0.05 * float(sd[marker])
    else:
        scale = float(np.sqrt(unit)) if unit is not None and unit > 0 else 1.0
        scale *= 1.0 if standard[0] >= 0 else -1.0
    found.variance[latent] = unit if unit is not None else scale**2
    for r, level, size in zip(items, standard, sd, strict=True):
        found.loading[latent, r.rhs] = float(level * size / scale)
