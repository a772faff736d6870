"""Models of ordinal items in one group: from parameters to thresholds, variances and correlations, and derivatives.

An item shows the category in which a normal response y* falls. The model gives y* mean mu and covariance Sigma; what
the data show of it is scaled by d:

    threshold c of item i      d_i (tau_ic - mu_i)
    correlation of i and j     d_i d_j Sigma_ij

In the delta parameterisation d is a parameter, one unless it is free, and the residual variance of an ordinal item is
what the model leaves of Sigma_ii = 1 / d_i^2. In the theta parameterisation residual variances are parameters, and
d_i = Sigma_ii^(-1/2) (Muthen and Asparouhov 2002, Mplus web note 4). A continuous variable is one with d = 1, a single
"threshold" fixed at zero, whose statistic is minus its mean, and its variance among the statistics.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.ram import (
    Block,
    Implied,
    block_factors,
    covariance_curvature,
    implied,
    matrix_to_parameters,
    mean_curvature,
    mean_jacobian,
    rescaled_block,
    to_parameters,
)

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ResponseModel:
    """Where the parameters of one group stand, and what follows from them.

    The statistics are, in this order: the m1 thresholds (and minus the means of continuous variables) variable by
    variable; variances of the continuous variables; correlations and covariances of the lower triangle by columns.

    Attributes
    ----------
    block : Block
        Effects, covariances and intercepts of the responses.
    cut_item : ndarray of int, shape (m1,)
        Variable of every threshold.
    cut_parameter : ndarray of int, shape (m1,)
        Position of every threshold in the parameter vector; -1 where it is fixed.
    cut_value : ndarray, shape (m1,)
        Values of fixed thresholds.
    varying : ndarray of int
        The continuous variables.
    scale_parameter : ndarray of int, shape (p,)
        Position of d in the parameter vector; -1 where it is fixed, or follows from Sigma.
    scale_value : ndarray, shape (p,)
        Values of fixed d.
    completed : ndarray of bool, shape (p,)
        Items whose residual variance follows from d (delta).
    standardised : ndarray of bool, shape (p,)
        Items whose d follows from Sigma (theta).
    first, second : ndarray of int, shape (p (p - 1) / 2,)
        The variables of every correlation.
    plain : bool
        Whether every d is fixed.
    """

    block: Block
    cut_item: Index
    cut_parameter: Index
    cut_value: Array
    varying: Index
    scale_parameter: Index
    scale_value: Array
    completed: Mask
    standardised: Mask
    first: Index = field(init=False, repr=False)
    second: Index = field(init=False, repr=False)
    plain: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Derive once what every evaluation needs."""
        first, second = np.triu_indices(self.block.n_observed, 1)
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "second", second)
        object.__setattr__(self, "plain", bool((self.scale_parameter < 0).all() and not self.standardised.any()))

    @property
    def n_cuts(self) -> int:
        """Thresholds and means among the statistics."""
        return len(self.cut_item)

    @property
    def n_single(self) -> int:
        """Statistics of single variables: thresholds, means and variances."""
        return len(self.cut_item) + len(self.varying)

    def moments(self, theta: Array) -> Implied | None:
        """Return the implied moments of the responses; None where they, or their scales, do not exist."""
        at = implied(self.block, theta)
        if at is None or not np.isfinite(at.total).all():
            return None
        if self.standardised.any() and not (np.diagonal(at.cov)[self.standardised] > 0).all():
            return None
        if not self.completed.any():
            return at
        d = self.scales(theta, at)
        if (d[self.completed] == 0.0).any():
            return None
        return _completed(at, np.flatnonzero(self.completed), 1.0 / d[self.completed] ** 2)

    def scales(self, theta: Array, at: Implied) -> Array:
        """Return d, shape (p,)."""
        if self.plain:
            return self.scale_value
        d = self.scale_value.copy()
        free = self.scale_parameter >= 0
        d[free] = theta[self.scale_parameter[free]]
        d[self.standardised] = np.diagonal(at.cov)[self.standardised] ** -0.5
        return d

    def _cuts(self, theta: Array, at: Implied) -> Array:
        """Return tau - mu of every threshold."""
        tau = self.cut_value.copy()
        free = self.cut_parameter >= 0
        tau[free] = theta[self.cut_parameter[free]]
        return tau - at.mean[self.cut_item] if self.block.means else tau

    def predicted(self, theta: Array, at: Implied) -> Array:
        """Return the statistics that the model implies, shape (m,)."""
        d = self.scales(theta, at)
        return np.concatenate(
            [
                d[self.cut_item] * self._cuts(theta, at),
                d[self.varying] ** 2 * np.diagonal(at.cov)[self.varying],
                d[self.first] * d[self.second] * at.cov[self.first, self.second],
            ]
        )

    def covariance(self, theta: Array, at: Implied) -> Array:
        """Return the implied counterpart of the sample's correlations and covariances, shape (p, p)."""
        d = self.scales(theta, at)
        return np.asarray(at.cov * np.outer(d, d))

    def pair_slopes(self, theta: Array, at: Implied) -> Array:
        """Return d_i d_j dSigma_ij by the free entries of A and S, shape (pairs, entries)."""
        found = block_factors(self.block, at)
        columns = found.columns * self.scales(theta, at)[:, None]
        u, w = columns.take(found.left, axis=1), columns.take(found.right, axis=1)
        out = u.take(self.first, axis=0) * w.take(self.second, axis=0)
        out += w.take(self.first, axis=0) * u.take(self.second, axis=0)
        out *= found.weight
        return np.asarray(out)

    def pair_jacobian(self, theta: Array, at: Implied) -> Array:
        """Return the derivatives of the correlations by the parameters where d is fixed, shape (pairs, q)."""
        return self._gathered(self.pair_slopes(theta, at), len(theta))

    def _variance_slopes(self, at: Implied, size: int) -> Array:
        """Return the derivatives of the diagonal of Sigma by the parameters, shape (p, q)."""
        found = block_factors(self.block, at)
        by_entry = 2.0 * found.weight * found.columns[:, found.left] * found.columns[:, found.right]
        return self._gathered(by_entry, size)

    def _gathered(self, by_entry: Array, size: int) -> Array:
        """Return derivatives by the parameters from those by the first entries of the block."""
        out = np.zeros((len(by_entry), size))
        parameter = self.block.entry_parameter[: by_entry.shape[1]]
        if self.block.distinct:
            out[:, parameter] = by_entry
        else:
            np.add.at(out.T, parameter, by_entry.T)
        return out

    def scale_slopes(self, theta: Array, at: Implied) -> Array:
        """Return the derivatives of d by the parameters, shape (p, q)."""
        out = np.zeros((len(self.scale_value), len(theta)))
        if self.standardised.any():
            d = self.scales(theta, at)
            out[self.standardised] = (-0.5 * d[:, None] ** 3 * self._variance_slopes(at, len(theta)))[self.standardised]
        free = np.flatnonzero(self.scale_parameter >= 0)
        out[free, self.scale_parameter[free]] = 1.0
        return out

    def _cut_slopes(self, theta: Array, at: Implied) -> Array:
        """Return the derivatives of tau - mu by the parameters, shape (m1, q)."""
        out = np.zeros((self.n_cuts, len(theta)))
        free = np.flatnonzero(self.cut_parameter >= 0)
        out[free, self.cut_parameter[free]] = 1.0
        if self.block.means:
            out -= self._gathered(mean_jacobian(self.block, at), len(theta))[self.cut_item]
        return out

    def jacobian(self, theta: Array, at: Implied) -> Array:
        """Return the derivatives of the statistics by the parameters, shape (m, q)."""
        d, size = self.scales(theta, at), len(theta)
        by_cut = d[self.cut_item, None] * self._cut_slopes(theta, at)
        by_pair = self.pair_jacobian(theta, at)
        if not self.plain:
            by_scale = self.scale_slopes(theta, at)
            by_cut += self._cuts(theta, at)[:, None] * by_scale[self.cut_item]
            cov = at.cov[self.first, self.second]
            by_pair += (cov * d[self.second])[:, None] * by_scale[self.first]
            by_pair += (cov * d[self.first])[:, None] * by_scale[self.second]
        parts = [by_cut, by_pair]
        if len(self.varying):
            parts.insert(1, d[self.varying, None] ** 2 * self._variance_slopes(at, size)[self.varying])
        return np.concatenate(parts)

    def _split(self, pull: Array) -> tuple[Array, Array, Array]:
        """Return a vector over the statistics as thresholds, variances and a symmetric matrix of correlations."""
        p = self.block.n_observed
        K = np.zeros((p, p))
        K[self.first, self.second] = K[self.second, self.first] = pull[self.n_single :]
        return pull[: self.n_cuts], pull[self.n_cuts : self.n_single], K

    def _weights(self, theta: Array, at: Implied, pull: Array) -> tuple[Array, Array, Array]:
        """Return M, v and g: pull' dsigma = tr(M dSigma) + v' dmu + g' dd, thresholds apart.

        Where d follows from Sigma, g' dd is part of tr(M dSigma) as well: use the one or the other.
        """
        d = self.scales(theta, at)
        cuts, variances, K = self._split(pull)
        M = 0.5 * K * np.outer(d, d)
        M[self.varying, self.varying] = variances * d[self.varying] ** 2
        v = np.bincount(self.cut_item, weights=-cuts * d[self.cut_item], minlength=len(d)).astype(np.float64)
        g = (K * at.cov) @ d
        g += np.bincount(self.cut_item, weights=cuts * self._cuts(theta, at), minlength=len(d))
        if self.standardised.any():
            items = np.flatnonzero(self.standardised)
            M[items, items] = -0.5 * g[items] * d[items] ** 3
        return M, v, g

    def pulled(self, theta: Array, at: Implied, pull: Array) -> Array:
        """Return pull' J without forming J, shape (q,)."""
        M, v, g = self._weights(theta, at, pull)
        found = block_factors(self.block, at)
        product = found.columns.T @ M @ found.columns
        by_entry = np.zeros(len(self.block.entry_parameter))
        by_entry[: len(found.left)] = 2.0 * found.weight * product[found.left, found.right]
        if self.block.means:
            by_entry += v @ mean_jacobian(self.block, at)
        out = to_parameters(self.block, by_entry, len(theta))
        d = self.scales(theta, at)
        free = self.cut_parameter >= 0
        by_cut = (pull[: self.n_cuts] * d[self.cut_item])[free]
        out += np.bincount(self.cut_parameter[free], weights=by_cut, minlength=len(theta))
        free = self.scale_parameter >= 0
        out += np.bincount(self.scale_parameter[free], weights=g[free], minlength=len(theta))
        return out

    def curvature(self, theta: Array, at: Implied, pull: Array) -> Array:
        """Return the sum over the statistics of pull times their second derivatives, shape (q, q)."""
        M, v, g = self._weights(theta, at, pull)
        by_entry = covariance_curvature(self.block, at, M)
        if self.block.means:
            by_entry += mean_curvature(self.block, at, v)
        out = matrix_to_parameters(self.block, by_entry, len(theta))
        if self.plain:
            return out
        d = self.scales(theta, at)
        cuts, _, K = self._split(pull)
        by_scale = self.scale_slopes(theta, at)
        # Sigma_ij and tau - mu times d: what the slopes of every d meet.
        slopes = self.pair_jacobian(theta, at) * pull[self.n_single :, None]
        beside = np.zeros_like(by_scale)
        np.add.at(beside, self.first, slopes)
        np.add.at(beside, self.second, slopes)
        beside /= d[:, None]
        np.add.at(beside, self.cut_item, cuts[:, None] * self._cut_slopes(theta, at))
        crossed = beside.T @ by_scale
        twice = K * at.cov
        items = np.flatnonzero(self.standardised)
        twice[items, items] += 3.0 * g[items] / d[items]
        return np.asarray(out + crossed + crossed.T + by_scale.T @ twice @ by_scale)

    def rescaled(self, scale: Array) -> ResponseModel:
        """Return the model with every variable, latent ones included, multiplied by its entry of `scale`."""
        units = scale[: self.block.n_observed]
        return replace(
            self,
            block=rescaled_block(self.block, scale),
            cut_value=self.cut_value * units[self.cut_item],
            scale_value=self.scale_value / units,
        )


def _completed(at: Implied, items: Index, variance: Array) -> Implied:
    """Return the moments with the residual variances that give the items these variances."""
    rest = variance - np.diagonal(at.cov)[items]
    residual, total, cov = at.residual.copy(), at.total.copy(), at.cov.copy()
    residual[items, items] += rest
    total[items, items] += rest
    cov[items, items] += rest
    return replace(at, residual=residual, total=total, cov=cov)
