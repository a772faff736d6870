"""Vuong's tests of models that are not nested: can the data tell them apart, and which is closer to the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sem_loyalty.display import format_p
from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.fitting.discrepancies import LIKELIHOOD
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.uncertainty import answers, maximum
from sem_loyalty.kernel.likelihood import Likelihood
from sem_loyalty.kernel.quadratic_form import upper_tail
from sem_loyalty.kernel.robust import entry_scores

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VuongTest:
    """Two tests of two models.

    Attributes
    ----------
    variance : float
        Variance of the casewise differences in log-likelihood, omega^2.
    distinguishable_p : float
        p-value of omega^2 = 0: above alpha, these data cannot tell the models apart.
    z : float
        Difference in log-likelihood, first less second, in standard errors.
    first_p, second_p : float
        One-sided p-values that the first, or the second, model is closer to the truth.
    certified : bool
        Whether both fits are certified.
    """

    variance: float
    distinguishable_p: float
    z: float
    first_p: float
    second_p: float
    certified: bool

    def __repr__(self) -> str:
        """Return what print shows: a prompt must not hide the mark."""
        return str(self)

    def __str__(self) -> str:
        """Return both tests, one a line."""
        head = "" if self.certified else "NOT CERTIFIED: do not report.\n"
        return (
            f"{head}Distinguishable: omega^2 = {self.variance:.3f}, p {format_p(self.distinguishable_p)}\n"
            f"Closer to the truth: z = {self.z:.3f}; first p {format_p(self.first_p)}, "
            f"second p {format_p(self.second_p)}"
        )


def vuong_test(first: Fit, second: Fit, *, criterion: str = "none") -> VuongTest:
    """Test whether two models can be told apart, and which one is closer to the truth.

    Parameters
    ----------
    first, second : Fit
        Fits of the same complete rows by maximum likelihood; they need not be nested.
    criterion : {"none", "aic", "bic"}, default "none"
        Penalise the models for their parameters, as the criterion does, before the second test.

    Returns
    -------
    VuongTest

    Raises
    ------
    NotSupported
        Not maximum likelihood, missing answers kept, or a covariance matrix as input.
    ConfigurationError
        Different rows, variables or mean structures.

    Notes
    -----
    With d the casewise differences in log-likelihood: omega^2 is their variance, and n omega^2 is a sum of chi-squares
    weighted by the squared eigenvalues of a matrix made of scores and information where the models are one
    (Vuong 1989, doi:10.2307/1912557); z = sum(d) / sqrt(n omega^2). To be read in this order; for structural equation
    models see Merkle, You and Preacher (2016), doi:10.1037/met0000038.
    """
    if criterion not in ("none", "aic", "bic"):
        raise ConfigurationError(f"criterion={criterion!r} is not known; available: 'none', 'aic', 'bic'.")
    for fit in (first, second):
        if fit.estimator not in LIKELIHOOD or fit.specification.ordered or not isinstance(fit.discrepancy, Likelihood):
            raise NotSupported("Vuong's test needs maximum likelihood on complete rows.")
        if fit.moments.raw is None:
            raise NotSupported("Vuong's test needs the answers: fit the models to `data`, not to `sample_cov`.")
    if first.specification.meanstructure != second.specification.meanstructure:
        raise ConfigurationError("Only one of the models has means; set meanstructure=True for both.")
    _check_rows(first, second)
    n = first.moments.n
    difference = casewise_likelihood(first) - casewise_likelihood(second)
    variance = float(difference.var())
    weights = _weights(first, second)
    distance = float(difference.sum())
    many = first.specification.n_parameters - second.specification.n_parameters
    distance -= {"none": 0.0, "aic": float(many), "bic": 0.5 * many * float(np.log(n))}[criterion]
    z = distance / float(np.sqrt(n * variance)) if variance > 0 else float("nan")
    return VuongTest(
        variance=variance,
        distinguishable_p=upper_tail(n * variance, weights),
        z=z,
        first_p=float(ndtr(-z)),
        second_p=float(ndtr(z)),
        certified=first.certificate.certified and second.certificate.certified,
    )


def _check_rows(first: Fit, second: Fit) -> None:
    """Raise where the two fits do not rest on the same rows."""
    names = first.specification.observed
    if set(names) != set(second.specification.observed):
        raise ConfigurationError("The models have different observed variables, so their likelihoods differ in kind.")
    order = [second.specification.observed.index(name) for name in names]
    rows, others = answers(first), answers(second)
    same = len(rows) == len(others) and all(
        one.shape == other.shape and np.array_equal(one, other[:, order])
        for one, other in zip(rows, others, strict=True)
    )
    if not same:
        raise ConfigurationError("The models were fitted to different rows, so their likelihoods cannot be compared.")


def casewise_likelihood(fit: Fit) -> Array:
    """Return the log-likelihood of every respondent, in the order of the groups, shape (n,)."""
    found = []
    point = maximum(fit)
    for rows, at, inverse in zip(answers(fit), point.implied, point.inverse, strict=True):
        mean = np.asarray(at.mean) if fit.specification.meanstructure else rows.mean(axis=0)
        deviation = rows - mean
        distance = np.einsum("ni,ij,nj->n", deviation, inverse, deviation, optimize=True)
        constant = rows.shape[1] * np.log(2.0 * np.pi) - np.linalg.slogdet(inverse)[1]
        found.append(-0.5 * (constant + distance))
    return np.concatenate(found)


def casewise_scores(fit: Fit) -> Array:
    """Return the derivatives of the casewise log-likelihood by the free directions, shape (n, r)."""
    point, out = maximum(fit), []
    for block, rows, at, inverse in zip(fit.blocks, answers(fit), point.implied, point.inverse, strict=True):
        mean = np.asarray(at.mean) if block.means else rows.mean(axis=0)
        by_entry = entry_scores(block, at, inverse, rows - mean, at.cov)
        full = np.zeros((len(fit.theta), len(rows)))
        np.add.at(full, block.entry_parameter, by_entry.T)
        out.append(full.T)
    scores = np.concatenate(out)
    return np.asarray(scores @ fit.space.basis if fit.space.constrained else scores)


def _weights(first: Fit, second: Fit) -> Array:
    """Return the squared eigenvalues that weight the chi-squares."""
    scores = [casewise_scores(fit) for fit in (first, second)]
    n = len(scores[0])
    inverse = [
        np.linalg.inv(fit.space.reduce_matrix(fit.discrepancy.hessian(maximum(fit))))  # type: ignore[arg-type]
        for fit in (first, second)
    ]
    products = [[a.T @ b / n for b in scores] for a in scores]
    matrix = np.block(
        [
            [-products[0][0] @ inverse[0], products[0][1] @ inverse[1]],
            [-products[1][0] @ inverse[0], products[1][1] @ inverse[1]],
        ]
    )
    return np.asarray(np.sort(np.linalg.eigvals(matrix).real ** 2)[::-1])
