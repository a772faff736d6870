"""Identification: whether any data of this size could determine the parameters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import SpecificationError
from sem_loyalty.fitting.held import equations_at
from sem_loyalty.kernel.discrepancy import Discrepancy, PointT
from sem_loyalty.kernel.solver import Subspace
from sem_loyalty.model.spec import Specification
from sem_loyalty.survey.moments import Moments

Array = NDArray[np.float64]


class NotIdentified(SpecificationError):  # noqa: N818 - a kind of SpecificationError, which callers catch
    """A model that no data can determine.

    Parameters
    ----------
    message : str
    specification : Specification
        The model.
    moments : Moments
        What it was to be fitted to.
    estimator : str
    parameters : tuple of str
        Parameters that cannot all be estimated; empty where there are more of them than moments.
    """

    def __init__(
        self, message: str, specification: Specification, moments: Moments, estimator: str, parameters: tuple[str, ...]
    ) -> None:
        super().__init__(message)
        self.specification = specification
        self.moments = moments
        self.estimator = estimator
        self.parameters = parameters

    def __reduce__(self) -> tuple[type[NotIdentified], tuple[object, ...]]:
        """Pickle with all arguments, which Exception alone would not."""
        return type(self), (str(self), self.specification, self.moments, self.estimator, self.parameters)


# At a generic point the information of an identified model is far from singular; that of an unidentified one
# is singular to rounding error everywhere.
GENERIC_TOLERANCE = 1e-11


def unidentified_parameters(
    specification: Specification, discrepancy: Discrepancy[PointT], start: Array, space: Subspace
) -> tuple[str, ...]:
    """Return the parameters that no data can determine, or an empty tuple for a locally identified model.

    The rank of the information matrix is the rank of the Jacobian of the moments; where it is deficient at
    several random points it is deficient almost everywhere (Bekker, Merckens and Wansbeek 1994,
    Identification, Equivalent Models, and Computer Algebra).

    Parameters
    ----------
    specification, discrepancy, start, space
        Model, its discrepancy (for the scale of its parameters only), start values and constraints.
    """
    generator = np.random.default_rng(20240229)
    weight = np.ones(len(start))
    involved = np.zeros(len(start))
    deficient = 0
    tried = 0
    for attempt in range(40):
        if tried == 3:
            break
        theta = _random_point(discrepancy, start, space, generator, 0.3 * 0.9**attempt)
        point = discrepancy.evaluate(theta)
        if point is None:
            continue
        tried += 1
        local = equations_at(space, theta)
        matrix = local.reduce_matrix(discrepancy.information(point))
        diagonal = np.sqrt(np.maximum(np.diagonal(matrix), 0.0))
        diagonal = np.where(diagonal > 0, diagonal, 1.0)
        values, vectors = np.linalg.eigh(matrix / np.outer(diagonal, diagonal))
        flat = values < GENERIC_TOLERANCE * values[-1]
        if not flat.any():
            return ()
        deficient += 1
        weight = np.sqrt(((local.basis * diagonal) ** 2).sum(axis=1)) if local.constrained else diagonal
        for k in np.flatnonzero(flat):
            involved = np.maximum(involved, np.abs(local.expand(vectors[:, k] / diagonal) * weight))
    if deficient < 3:
        return ()
    order = np.argsort(-involved, kind="stable")
    return tuple(specification.free_parameters[i].name for i in order if involved[i] > 0.05)[:8]


def _random_point(
    discrepancy: Discrepancy[PointT],
    start: Array,
    space: Subspace,
    generator: np.random.Generator,
    spread: float,
) -> Array:
    """Return start values plus noise on the scale of each parameter, within the constraints."""
    point = discrepancy.evaluate(start)
    if point is None:
        unit = np.maximum(np.abs(start), 0.1)
    else:
        precision = np.sqrt(np.maximum(np.diagonal(discrepancy.information(point)), 1e-12))
        unit = np.minimum(1.0 / precision, 10.0 * np.maximum(np.abs(start), 0.1))
    theta = start + spread * unit * generator.standard_normal(len(start))
    if space.constrained:
        theta = space.offset + space.basis @ (space.basis.T @ (theta - space.offset))
    return theta
