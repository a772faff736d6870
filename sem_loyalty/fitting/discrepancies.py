"""From an estimator's name and the moments to the discrepancy that is minimised."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import DataError
from sem_loyalty.kernel.incomplete import Incomplete, incomplete_likelihood
from sem_loyalty.kernel.least_squares import LeastSquares, MomentWeight, NormalWeight, Weight
from sem_loyalty.kernel.likelihood import Likelihood, Sample, log_determinant, spd_inverse
from sem_loyalty.kernel.ordinal_discrepancy import OrdinalDiscrepancy
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.robust import moment_covariance
from sem_loyalty.model.scatter import blocks as make_blocks
from sem_loyalty.model.spec import Specification
from sem_loyalty.survey.moments import Moments

Array = NDArray[np.float64]

LIKELIHOOD = ("ML", "MLM", "MLMV", "MLR")
LEAST_SQUARES = ("GLS", "ULS", "WLS", "DWLS")
Minimised = Likelihood | Incomplete | LeastSquares | OrdinalDiscrepancy
ESTIMATORS = LIKELIHOOD + LEAST_SQUARES
FROM_MATRIX = ("ML", "GLS", "ULS")

# Reciprocal condition of the covariance matrix of the moments, scaled to a unit diagonal; below this, its inverse is
# noise.
SINGULAR = 1e-12


def discrepancy_of(
    estimator: str, specification: Specification, moments: Moments
) -> tuple[Minimised, tuple[Array, ...], tuple[Array | None, ...]]:
    """Return what an estimator minimises, with the sample covariances and means it takes for the truth.

    Likelihood divides covariances by n, least squares by n - 1, as lavaan does.

    Parameters
    ----------
    estimator : str
        One of `ESTIMATORS`.
    specification : Specification
    moments : Moments

    Raises
    ------
    DataError
        The weight matrix of WLS or DWLS cannot be had from these answers.
    """
    least_squares = estimator in LEAST_SQUARES
    index = [moments.names.index(name) for name in specification.observed]
    scales = [entry.n / (entry.n - 1.0) if least_squares else 1.0 for entry in moments.groups]
    covs = tuple(
        np.ascontiguousarray(entry.cov[np.ix_(index, index)] * scale)
        for entry, scale in zip(moments.groups, scales, strict=True)
    )
    means = tuple(None if entry.mean is None else entry.mean[index] for entry in moments.groups)
    blocks = make_blocks(specification, covs, means)
    samples = _samples(moments, covs, means, means_modelled=specification.meanstructure)
    if moments.missing == "fiml":
        rows = tuple(answers[:, index] for answers in moments.raw or ())
        same_order = moments.names == specification.observed
        return incomplete_likelihood(blocks, samples, rows, moments.patterns if same_order else None), covs, means
    if not least_squares:
        return Likelihood(blocks, samples), covs, means
    answers = tuple(rows[:, index] for rows in moments.raw) if moments.raw is not None else (None,) * len(samples)
    fixed = [specification.observed.index(name) for name in specification.exogenous]
    weights = tuple(
        _weight(estimator, block, sample, own, fixed)
        for block, sample, own in zip(blocks, samples, answers, strict=True)
    )
    shares = tuple((entry.n - 1.0) / moments.n for entry in moments.groups)
    return LeastSquares(blocks, samples, weights, shares), covs, means


def _samples(
    moments: Moments, covs: tuple[Array, ...], means: tuple[Array | None, ...], *, means_modelled: bool
) -> tuple[Sample, ...]:
    """Return what the kernel needs of the moments, one per group."""
    return tuple(
        Sample(
            weight=entry.n / moments.n,
            cov=cov,
            mean=mean if mean is not None and means_modelled else np.zeros(len(cov)),
            logdet=log_determinant(cov) or 0.0,
        )
        for entry, cov, mean in zip(moments.groups, covs, means, strict=True)
    )


def _weight(estimator: str, block: Block, sample: Sample, answers: Array | None, fixed: list[int]) -> Weight:
    """Return V of one group. Moments among fixed covariates are no random variables and have no weight."""
    p = block.n_observed
    if estimator == "GLS":
        solved = spd_inverse(sample.cov)
        if solved is None:
            raise DataError(
                "The sample covariance matrix is not positive definite, so estimator='GLS' has no weight matrix. "
                "Drop items that are sums or copies of others, or use estimator='ULS'."
            )
        return NormalWeight(solved[0])
    col, row = np.triu_indices(p)
    kept = ~(np.isin(row, fixed) & np.isin(col, fixed))
    shifts = np.setdiff1d(np.arange(p), fixed) if block.means else np.arange(0)
    row, col = row[kept], col[kept]
    size = len(shifts) + len(row)
    if estimator == "ULS":
        return MomentWeight(shifts, row, col, np.ones(size))
    if answers is None:
        raise DataError(f"estimator={estimator!r} needs the answers, not only their covariance matrix.")
    if estimator == "WLS" and len(answers) <= size:
        raise DataError(
            f"estimator='WLS' needs more respondents than moments in every group: {len(answers)} respondents, "
            f"{size} moments. Use estimator='MLM' or 'MLR', which need far fewer."
        )
    among = np.concatenate([shifts, p + np.flatnonzero(kept)]) if block.means else np.flatnonzero(kept)
    gamma = moment_covariance(answers, means=block.means, fixed=fixed)[np.ix_(among, among)]
    spread, variance = np.diagonal(gamma), np.diagonal(sample.cov)
    natural = np.concatenate([variance[shifts], variance[row] * variance[col]])
    if (spread <= SINGULAR * natural).any():
        raise _no_weight(estimator)
    if estimator == "DWLS":
        return MomentWeight(shifts, row, col, 1.0 / spread)
    scale = np.sqrt(spread)
    scaled = gamma / np.outer(scale, scale)
    solved = spd_inverse(scaled)
    if solved is None or 1.0 / (np.linalg.norm(scaled, 1) * np.linalg.norm(solved[0], 1)) < SINGULAR:
        raise _no_weight(estimator)
    return MomentWeight(shifts, row, col, solved[0] / np.outer(scale, scale))


def _no_weight(estimator: str) -> DataError:
    return DataError(
        f"The covariance matrix of the sample moments is singular, so estimator={estimator!r} has no weight matrix. "
        "A variable with two values does this: its mean determines its variance. Use estimator='MLR'."
    )
