"""Models of responses given covariates in one group: from parameters to conditional moments, and derivatives.

Covariates x stand in the model beside the other variables, with moments that are given. With B = (I - A)^-1,

    slopes of the responses on x          d_i B_ix
    covariances of the residuals          the model's where the covariance matrix of x is zero
    thresholds, means                     the model's where x is zero

and d as in `responses`, where the variance of a residual response takes the place of that of the response
(Muthen 1984, doi:10.1007/BF02294210). The moments that are handed on are those of all variables, covariates included,
with the covariates' sample moments: standardised values and explained variances are taken from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.ram import Block, Implied, covariance_curvature, matrix_to_parameters, rescaled_block
from sem_loyalty.kernel.responses import ResponseModel

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class ConditionalModel:
    """The model of one group, as `ResponseModel`, given covariates.

    The statistics are, in this order: thresholds (and minus means) variable by variable; slopes, variable by variable;
    residual variances of continuous variables; residual correlations and covariances of the lower triangle by columns.

    Attributes
    ----------
    block : Block
        All variables: the p responses, the x covariates with their sample moments, latent variables.
    given : ResponseModel
        The responses where covariates are zero. Its block is the same with covariates that are not observed.
    units : ndarray, shape (x,)
        By which the covariates of the model are divided to have those of the sample.
    covariates : ndarray of int, shape (x,)
        Their positions.
    """

    block: Block
    given: ResponseModel
    units: Array
    covariates: Index = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Derive once what every evaluation needs."""
        object.__setattr__(self, "covariates", np.arange(self.given.block.n_observed, self.block.n_observed))

    @property
    def cut_item(self) -> Index:
        """Variable of every threshold."""
        return self.given.cut_item

    @property
    def cut_parameter(self) -> Index:
        """Position of every threshold in the parameter vector."""
        return self.given.cut_parameter

    @property
    def varying(self) -> Index:
        """The continuous variables."""
        return self.given.varying

    @property
    def scale_parameter(self) -> Index:
        """Position of d in the parameter vector."""
        return self.given.scale_parameter

    @property
    def scale_value(self) -> Array:
        """Values of fixed d."""
        return self.given.scale_value

    @property
    def first(self) -> Index:
        """The first variable of every correlation."""
        return self.given.first

    @property
    def second(self) -> Index:
        """The second variable of every correlation."""
        return self.given.second

    @property
    def plain(self) -> bool:
        """Whether every d is fixed."""
        return self.given.plain

    @property
    def n_cuts(self) -> int:
        """Thresholds and means among the statistics."""
        return self.given.n_cuts

    @property
    def n_slopes(self) -> int:
        """Slopes among the statistics."""
        return self.given.block.n_observed * len(self.covariates)

    @property
    def n_single(self) -> int:
        """Statistics of single variables: thresholds, means, slopes and variances."""
        return self.given.n_single + self.n_slopes

    def moments(self, theta: Array) -> Implied | None:
        """Return the implied moments of all variables; None where they, or scales of responses, do not exist."""
        at = self.given.moments(theta)
        return None if at is None else self._moved(at, 1.0, self.block.n_observed)

    def _given(self, at: Implied) -> Implied:
        """Return the moments where covariates are zero from those of all variables."""
        return self._moved(at, -1.0, self.given.block.n_observed)

    def _moved(self, at: Implied, sign: float, n_observed: int) -> Implied:
        """Return moments with those of the covariates added or taken away, `n_observed` variables seen."""
        x = np.ix_(self.covariates, self.covariates)
        among, effects = self.block.symmetric[x], at.total_inverse[:, self.covariates]
        total, residual = at.total + sign * (effects @ among @ effects.T), at.residual.copy()
        residual[x] += sign * among
        means = at.means + sign * (effects @ self.block.intercepts[self.covariates]) if self.block.means else at.means
        cov = total[:n_observed, :n_observed]
        return replace(at, total=total, residual=residual, cov=0.5 * (cov + cov.T), means=means)

    def scales(self, theta: Array, at: Implied) -> Array:
        """Return d, shape (p,)."""
        return self.given.scales(theta, self._given(at))

    def _effects(self, at: Implied) -> Array:
        """Return the slopes of the responses on the covariates in their units, shape (p, x)."""
        return at.total_inverse[: self.given.block.n_observed, self.covariates] * self.units

    def predicted(self, theta: Array, at: Implied) -> Array:
        """Return the statistics that the model implies, shape (m,)."""
        given = self._given(at)
        slopes = self.given.scales(theta, given)[:, None] * self._effects(at)
        return self._joined(self.given.predicted(theta, given), slopes.ravel())

    def _joined(self, single: Array, slopes: Array) -> Array:
        """Return rows over all statistics, those of the slopes after the thresholds."""
        return np.concatenate([single[: self.n_cuts], slopes, single[self.n_cuts :]])

    def _apart(self, pull: Array) -> tuple[Array, Array]:
        """Return a vector over the statistics without the slopes, and that over the slopes, shape (p, x)."""
        end = self.n_cuts + self.n_slopes
        return np.concatenate([pull[: self.n_cuts], pull[end:]]), pull[self.n_cuts : end].reshape(
            -1, len(self.covariates)
        )

    def covariance(self, theta: Array, at: Implied) -> Array:
        """Return the implied counterpart of the sample's residual correlations and covariances, shape (p, p)."""
        return self.given.covariance(theta, self._given(at))

    def _effect_slopes(self, at: Implied) -> Array:
        """Return the derivatives of the slopes by the free entries, shape (p x, entries): B_ik B_lx for A[k, l]."""
        block, p = self.block, self.given.block.n_observed
        out = np.zeros((p, len(self.covariates), len(block.entry_parameter)))
        arriving = at.total_inverse[np.ix_(block.directed_col, self.covariates)] * self.units
        leaving = at.total_inverse[:p, block.directed_row]
        out[:, :, : len(block.directed_row)] = leaving[:, None, :] * arriving.T
        return out.reshape(p * len(self.covariates), -1)

    def pair_slopes(self, theta: Array, at: Implied) -> Array:
        """Return the derivatives of slopes and correlations by the free entries of A and S where d is fixed."""
        given = self._given(at)
        by_pair = self.given.pair_slopes(theta, given)
        d = np.repeat(self.given.scales(theta, given), len(self.covariates))
        return np.concatenate([d[:, None] * self._effect_slopes(at)[:, : by_pair.shape[1]], by_pair])

    def pair_jacobian(self, theta: Array, at: Implied) -> Array:
        """Return the derivatives of slopes and correlations by the parameters where d is fixed."""
        by_entry = self.pair_slopes(theta, at)
        out = np.zeros((len(theta), len(by_entry)))
        np.add.at(out, self.block.entry_parameter[: by_entry.shape[1]], by_entry.T)
        return out.T

    def jacobian(self, theta: Array, at: Implied) -> Array:
        """Return the derivatives of the statistics by the parameters, shape (m, q)."""
        given = self._given(at)
        d = np.repeat(self.given.scales(theta, given), len(self.covariates))
        by_slope = np.zeros((len(theta), self.n_slopes))
        np.add.at(by_slope, self.block.entry_parameter, (d[:, None] * self._effect_slopes(at)).T)
        if not self.plain:
            by_scale = np.repeat(self.given.scale_slopes(theta, given), len(self.covariates), axis=0)
            by_slope += (self._effects(at).reshape(-1, 1) * by_scale).T
        return self._joined(self.given.jacobian(theta, given), by_slope.T)

    def pulled(self, theta: Array, at: Implied, pull: Array) -> Array:
        """Return pull' J without forming J, shape (q,)."""
        given = self._given(at)
        single, slopes = self._apart(pull)
        out = self.given.pulled(theta, given, single)
        through = self._through(theta, given, slopes)
        block = self.block
        by_entry = through[block.directed_row, block.directed_col]
        out += np.bincount(block.directed_parameter, weights=by_entry, minlength=len(theta))
        if not self.plain:
            out += (slopes * self._effects(at)).sum(axis=1) @ self.given.scale_slopes(theta, given)
        return out

    def _through(self, theta: Array, given: Implied, slopes: Array) -> Array:
        """Return T, T_kl the derivative of slopes' B_yx, d within `slopes`, by A[k, l], shape (v, v)."""
        d, p = self.given.scales(theta, given), self.given.block.n_observed
        weighted = d[:, None] * slopes * self.units
        return np.asarray(given.total_inverse[:p].T @ weighted @ given.total_inverse[:, self.covariates].T)

    def curvature(self, theta: Array, at: Implied, pull: Array) -> Array:
        """Return the sum over the statistics of pull times their second derivatives, shape (q, q)."""
        given, block = self._given(at), self.block
        single, slopes = self._apart(pull)
        out = self.given.curvature(theta, given, single)
        # d2 B_yx along A[i, j] and A[k, l] is B_yi B_jk B_lx + B_yk B_li B_jx.
        i, j, a = block.directed_row, block.directed_col, len(block.directed_row)
        through = self._through(theta, given, slopes)
        by_entry = np.zeros((len(block.entry_parameter), len(block.entry_parameter)))
        half = through[np.ix_(i, j)] * given.total_inverse[np.ix_(j, i)]
        by_entry[:a, :a] = half + half.T
        weight = (slopes * self._effects(at)).sum(axis=1)
        fixed = self.plain
        if not fixed:
            d, items = self.given.scales(theta, given), np.flatnonzero(self.given.standardised)
            bent = np.zeros((len(d), len(d)))
            bent[items, items] = -0.5 * weight[items] * d[items] ** 3
            by_entry += covariance_curvature(self.given.block, given, bent)
        out = out + matrix_to_parameters(block, by_entry, len(theta))
        if fixed:
            return np.asarray(out)
        by_scale = self.given.scale_slopes(theta, given)
        moved = np.zeros((len(theta), self.n_slopes))
        np.add.at(moved, block.entry_parameter, self._effect_slopes(at).T)
        beside = (slopes.reshape(-1, 1) * moved.T).reshape(len(d), len(self.covariates), -1).sum(axis=1)
        crossed = beside.T @ by_scale
        twice = np.zeros(len(d))
        twice[items] = 3.0 * weight[items] / d[items]
        return np.asarray(out + crossed + crossed.T + by_scale.T @ (twice[:, None] * by_scale))

    def rescaled(self, scale: Array) -> ConditionalModel:
        """Return the model with every variable, latent ones included, multiplied by its entry of `scale`."""
        given = self.given.rescaled(scale)
        return ConditionalModel(rescaled_block(self.block, scale), given, self.units * scale[self.covariates])


def conditional_model(block: Block, given: ResponseModel) -> ConditionalModel:
    """Return the model of responses given covariates.

    Parameters
    ----------
    block : Block
        All variables, the covariates last among the observed ones, with their sample moments.
    given : ResponseModel
        Thresholds and scales of the p responses; its block is replaced.
    """
    p, x = len(given.scale_value), slice(len(given.scale_value), block.n_observed)
    symmetric, intercepts = block.symmetric.copy(), block.intercepts.copy()
    symmetric[x, x], intercepts[x] = 0.0, 0.0
    alone = replace(block, n_observed=p, symmetric=symmetric, intercepts=intercepts, known=block.layout)
    return ConditionalModel(block, replace(given, block=alone), np.ones(block.n_observed - p))
