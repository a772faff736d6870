"""The distribution of a sum of weighted chi-squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Nodes of the contour: the error falls as 10^(-0.6 NODES), the rounding error grows as exp(0.4 NODES).
NODES = 32


def upper_tail(value: float, weights: Array) -> float:
    """Return P(sum of weights[i] chi-square_1 > value).

    The distribution function has the Laplace transform prod (1 + 2 w s)^(-1/2) / s, whose singularities lie on the
    negative axis; it is inverted on Talbot's contour, which wraps around them (Abate and Valko 2004,
    doi:10.1002/nme.995).

    Parameters
    ----------
    value : float
    weights : ndarray, shape (k,)
        Not negative. Without any positive one the sum is zero.

    Returns
    -------
    float
        Correct to 1e-9.
    """
    kept = weights[weights > 0.0]
    if value <= 0.0 or len(kept) == 0:
        return 1.0 if value <= 0.0 else 0.0
    radius = 0.4 * NODES / value
    angle = np.arange(1, NODES) * np.pi / NODES
    cotangent = 1.0 / np.tan(angle)
    along = np.concatenate([[radius + 0j], radius * angle * (cotangent + 1j)])
    turn = np.concatenate([[0.5 + 0j], 1.0 + 1j * (angle + (angle * cotangent - 1.0) * cotangent)])
    transform = np.exp(-0.5 * np.log1p(2.0 * np.outer(along, kept)).sum(axis=1)) / along
    below = radius / NODES * float((np.exp(value * along) * transform * turn).real.sum())
    return float(min(1.0, max(0.0, 1.0 - below)))
