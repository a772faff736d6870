"""Rotation of loadings: criteria, their gradients, the certificate of a rotation, and Rotation as a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

OBLIQUE = ("oblimin", "quartimin", "promax", "geomin")
ORTHOGONAL = ("varimax", "quartimax")
ROTATIONS = (*OBLIQUE, *ORTHOGONAL, "none")
# Rotations that exist in the literature or in other programs but not here; the name deserves a better answer.
UNAVAILABLE = (
    "bentlerq", "bentlert", "bifactor", "biquartimin", "cluster", "crawford-ferguson", "entropy", "equamax",
    "geominq", "geomint", "infomax", "oblimax", "parsimax", "simplimax", "target", "targetq", "tandem",
)  # fmt: skip
# Largest departure from stationarity that counts as converged, relative to the size of the gradient.
STATIONARITY = 1e-7
GEOMIN_DELTA = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Rotation:
    """Rotated loadings.

    Attributes
    ----------
    loadings : ndarray, shape (p, m)
        Pattern matrix P.
    phi : ndarray, shape (m, m)
        Correlations of the factors; the identity for an orthogonal rotation.
    criterion : float
        Value of the rotation criterion at `loadings`; NaN where the rotation has none (promax, none).
    departure : float
        Departure from the stationarity condition of the criterion; NaN where it has none.
    """

    loadings: Array
    phi: Array
    criterion: float
    departure: float

    @property
    def converged(self) -> bool:
        """Whether the criterion is stationary; True where the rotation has no criterion."""
        return bool(np.isnan(self.departure) or self.departure <= STATIONARITY)


def _quartimin(L: Array) -> tuple[float, Array]:
    L2 = L**2
    others = L2.sum(axis=1, keepdims=True) - L2
    return float(np.sum(L2 * others)) / 4.0, L * others


def _geomin(L: Array) -> tuple[float, Array]:
    shifted = L**2 + GEOMIN_DELTA
    product = np.exp(np.log(shifted).mean(axis=1))
    return float(product.sum()), (2.0 / L.shape[1]) * (L / shifted) * product[:, None]


def _varimax(L: Array) -> tuple[float, Array]:
    centred = L**2 - (L**2).mean(axis=0)
    return -float(np.sum(centred**2)) / 4.0, -L * centred


def _quartimax(L: Array) -> tuple[float, Array]:
    return -float(np.sum(L**4)) / 4.0, -(L**3)


_CRITERIA: dict[str, Callable[[Array], tuple[float, Array]]] = {
    "oblimin": _quartimin,
    "quartimin": _quartimin,
    "geomin": _geomin,
    "varimax": _varimax,
    "quartimax": _quartimax,
}


def criterion(loadings: Array, rotation: str) -> tuple[float, Array]:
    """Return a rotation criterion, which is minimised, and its gradient in the loadings.

    Parameters
    ----------
    loadings : ndarray, shape (p, m)
        Rotated loadings (for "varimax" with rows normalised to length 1, after Kaiser).
    rotation : {"oblimin", "quartimin", "geomin", "varimax", "quartimax"}
        "oblimin" is direct oblimin with gamma 0, the same as "quartimin"; geomin has delta .01.

    Returns
    -------
    value : float
    gradient : ndarray, shape (p, m)

    References
    ----------
    Bernaards, C. A., & Jennrich, R. I. (2005). Gradient projection algorithms and software for arbitrary rotation
    criteria in factor analysis. Educational and Psychological Measurement, 65, 676-696.
    doi:10.1177/0013164404272507
    """
    return _CRITERIA[rotation](loadings)


def _condition(loadings: Array, phi: Array, rotation: str) -> tuple[Array, float]:
    """Return what is zero at a stationary point, one value per free angle, and the size of Λ'G (with a floor)."""
    _, gradient = criterion(loadings, rotation)
    condition = loadings.T @ gradient
    # Perfect simple structure has no gradient at all; the floor keeps rounding error from looking like one.
    size = max(float(np.linalg.norm(condition)), 1e-4 * float(np.sum(loadings**2)), float(np.finfo(np.float64).tiny))
    if rotation in ORTHOGONAL:
        return (condition - condition.T)[np.triu_indices(len(phi), 1)], size
    return np.asarray((condition @ np.linalg.inv(phi))[~np.eye(len(phi), dtype=bool)], dtype=np.float64), size


def departure(loadings: Array, phi: Array, rotation: str) -> float:
    """Return how far a rotation is from a stationary point of its criterion, relative to the gradient.

    With G the gradient in the loadings, an orthogonal rotation is stationary where Λ'G is symmetric, an oblique one
    where Λ'GΦ⁻¹ is diagonal.

    Parameters
    ----------
    loadings : ndarray, shape (p, m)
        Rotated loadings (for "varimax" with rows normalised).
    phi : ndarray, shape (m, m)
        Factor correlations.
    rotation : str
        As in `criterion`.

    Returns
    -------
    float
        Largest off-diagonal departure, over the size of Λ'G or, where larger, 1e-4 of the sum of squared loadings.

    References
    ----------
    Jennrich, R. I. (2002). A simple general method for oblique rotation. Psychometrika, 67, 7-19.
    doi:10.1007/BF02294706
    """
    condition, size = _condition(loadings, phi, rotation)
    return float(np.abs(condition).max(initial=0.0)) / size


def _turn(loadings: Array, phi: Array, angles: Array, rotation: str) -> tuple[Array, Array]:
    """Return loadings and factor correlations after a small turn of the factors."""
    m = len(phi)
    X = np.zeros((m, m))
    if rotation in ORTHOGONAL:
        X[np.triu_indices(m, 1)] = angles
        X = X - X.T
        return loadings @ np.linalg.solve(np.eye(m) - X, np.eye(m) + X), phi
    X[~np.eye(m, dtype=bool)] = angles
    M = np.eye(m) + X
    M = M / np.sqrt(np.einsum("ij,ik,kj->j", M, phi, M))
    turned_phi = M.T @ phi @ M
    np.fill_diagonal(turned_phi, 1.0)
    return loadings @ np.linalg.inv(M).T, (turned_phi + turned_phi.T) / 2.0


def polish(loadings: Array, phi: Array, rotation: str) -> Rotation:
    """Bring a rotation near a minimum to stationarity at rounding error, by Newton steps on the turn of its factors.

    Parameters
    ----------
    loadings : ndarray, shape (p, m)
        Rotated loadings (for "varimax" with rows normalised).
    phi : ndarray, shape (m, m)
        Factor correlations.
    rotation : str
        As in `criterion`.

    Returns
    -------
    Rotation
        Never with a higher criterion, beyond rounding, than the one given.
    """
    value, _ = criterion(loadings, rotation)
    for _ in range(10):
        condition, size = _condition(loadings, phi, rotation)
        if np.abs(condition).max(initial=0.0) < 1e-12 * size:
            break
        columns = []
        for k in range(len(condition)):
            step = np.zeros(len(condition))
            step[k] = 1e-6
            ahead = _condition(*_turn(loadings, phi, step, rotation), rotation)[0]
            behind = _condition(*_turn(loadings, phi, -step, rotation), rotation)[0]
            columns.append(ahead - behind)
        try:
            angles = np.asarray(-np.linalg.solve(np.array(columns).T / 2e-6, condition), dtype=np.float64)
        except np.linalg.LinAlgError:
            break
        moved, moved_phi = _turn(loadings, phi, angles, rotation)
        reached, _ = criterion(moved, rotation)
        smaller = np.linalg.norm(_condition(moved, moved_phi, rotation)[0]) < np.linalg.norm(condition)
        if not smaller or reached > value + 1e-10 * abs(value):
            break
        loadings, phi, value = moved, moved_phi, reached
    return Rotation(loadings, phi, value, departure(loadings, phi, rotation))


def kaiser_weights(loadings: Array) -> Array:
    """Return the root of the communality of each item, by which Kaiser's normalisation divides, shape (p, 1)."""
    return np.asarray(np.sqrt((loadings**2).sum(axis=1, keepdims=True)), dtype=np.float64)


def turned(m: int, count: int, seed: int) -> list[Array]:
    """Return the identity and `count` random orthogonal matrices of order m, the starts of a rotation."""
    rng = np.random.Generator(np.random.PCG64(seed))
    starts: list[Array] = [np.eye(m)]
    for _ in range(count):
        q, r = np.linalg.qr(rng.standard_normal((m, m)))
        starts.append(q * np.sign(np.diag(r)))
    return starts


def communalities_of(loadings: Array, phi: Array) -> Array:
    """Return the communalities, diag(P Φ P'), shape (p,); row sums of P² only where Φ is the identity."""
    return np.asarray(np.einsum("ij,jk,ik->i", loadings, phi, loadings), dtype=np.float64)


def complexity_of(loadings: Array) -> Array:
    """Return Hofmann's index of complexity, (Σ l²)² / Σ l⁴: the number of factors that an item loads on, shape (p,).

    References
    ----------
    Hofmann, R. J. (1978). Complexity and simplicity as objective indices descriptive of factor solutions.
    Multivariate Behavioral Research, 13, 247-250. doi:10.1207/s15327906mbr1302_9
    """
    squared = loadings**2
    fourth = (squared**2).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(fourth > 0.0, squared.sum(axis=1) ** 2 / fourth, np.nan), dtype=np.float64)


def explained(loadings: Array, phi: Array) -> Array:
    """Return the variance that each factor accounts for, diag(Φ P'P), shape (m,); its sum is that of communalities."""
    return np.asarray(np.einsum("jk,ik,ij->j", phi, loadings, loadings), dtype=np.float64)


def arranged(rotation: Rotation, signs: Array) -> Rotation:
    """Reflect the factors by `signs` and sort them by explained variance, loadings and correlations alike.

    Parameters
    ----------
    rotation : Rotation
    signs : ndarray of +1 and -1, shape (m,)

    Returns
    -------
    Rotation
    """
    loadings = rotation.loadings * signs
    phi = rotation.phi * np.outer(signs, signs)
    order = np.argsort(-np.round(explained(loadings, phi), 10), kind="stable")
    return Rotation(loadings[:, order], phi[np.ix_(order, order)], rotation.criterion, rotation.departure)
