"""What incomplete answers would be expected to be, had they been given: one pass over the patterns of missing answers.

With K = Sigma^-1, d the answers less mu, zero where missing, and m the missing items of a pattern r,

    C_r = K_mm^-1,   e = d - C_r (K d)_m   at the missing items,

are the covariance matrix of the missing answers given the others, and the answers with their expectations filled in.
From them come log|Sigma_r| = log|Sigma| + log|K_mm| and d' M_r d = (K d)' e, M_r the inverse of the rows and columns of
Sigma that the pattern saw, so that

    -2 log L = sum_r n_r (log|Sigma_r| + tr(M_r T_r)) + constant,   T_r = S_r + d_r d_r',

takes matrices of the size of what is missing only (Finkbeiner 1979, doi:10.1007/BF02296204).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.likelihood import Sample, spd_inverse
from sem_loyalty.kernel.patterns import Patterns

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Expectation:
    """The expected answers of one group at one Sigma and mu.

    Attributes
    ----------
    mean, inverse : ndarray, shapes (p,) and (p, p)
        mu and K.
    value : float
        sum_r f_r (log|Sigma_r| + tr(M_r T_r)), f_r = n_r / n.
    filled : ndarray, shape (J, p)
        e of every row of the patterns.
    shift : ndarray, shape (p,)
        Mean of the expected answers, less mu.
    unknown : ndarray, shape (p, p)
        sum_r f_r C_r: mean covariance matrix of the missing answers given the others.
    second : ndarray, shape (p, p)
        Mean cross-product of the answers less mu, expected where missing.
    roots : tuple of ndarray, each (patterns, k, k)
        R_r of every batch: C_r = R_r' R_r.
    """

    mean: Array
    inverse: Array
    value: float
    filled: Array
    shift: Array
    unknown: Array
    second: Array
    roots: tuple[Array, ...]

    def sample(self, sample: Sample) -> Sample:
        """Return the moments that complete answers would be expected to have, with the weight of `sample`."""
        cov = self.second - np.outer(self.shift, self.shift)
        return replace(sample, cov=cov, mean=self.mean + self.shift)

    def slopes(self) -> tuple[Array, Array]:
        """Return W, shape (p, p), and h, shape (p,): dF = tr(W dSigma) - 2 h' dmu."""
        return self.inverse - self.inverse @ self.second @ self.inverse, self.inverse @ self.shift


def expectation(patterns: Patterns, mean: Array, inverse: Array, logdet: float) -> Expectation | None:
    """Return the expected answers at mu, Sigma^-1 and log|Sigma|.

    None where rounding leaves a pattern without positive determinant.
    """
    p, width = len(mean), patterns.width
    # Items that do not exist are independent of all others and have unit variance.
    wide = np.eye(width)
    wide[:p, :p] = inverse
    filled = np.zeros((len(patterns.rows), width))
    filled[:, :p] = patterns.deviations(mean)
    pull = filled @ wide
    value = logdet
    unknown = np.zeros(width * width)
    roots = []
    for batch in patterns.batches:
        try:
            factor = np.linalg.cholesky(wide.take(batch.places))
        except np.linalg.LinAlgError:
            return None
        share = patterns.share[batch.patterns]
        value += 2.0 * float(share @ np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1))
        root = np.linalg.inv(factor)
        spread = root.transpose(0, 2, 1) @ root
        filled.put(batch.gaps, -(batch.by_row(spread) @ pull.take(batch.gaps)[:, :, None])[:, :, 0])
        spread *= share[:, None, None]
        unknown += np.bincount(batch.places.reshape(-1), weights=spread.reshape(-1), minlength=width * width)
        roots.append(root)
    filled, pull = filled[:, :p], pull[:, :p]
    weighted = patterns.weight[:, None] * filled
    value += float(np.einsum("ji,ji->", pull, weighted))
    if not np.isfinite(value):
        return None
    among = unknown.reshape(width, width)[:p, :p]
    return Expectation(
        mean, inverse, value, filled, patterns.level @ weighted, among, filled.T @ weighted + among, tuple(roots)
    )


def expectation_at(patterns: Patterns, sample: Sample) -> Expectation:
    """Return the expected answers of one group at the moments of the saturated model."""
    solved = spd_inverse(sample.cov)
    found = None if solved is None else expectation(patterns, sample.mean, *solved)
    if found is None:
        raise ValueError("The covariance matrix of the saturated model must be positive definite.")
    return found
