"""The likelihood of many samples at once, for models without loops.

With the plain items y = nu + Lambda eta + e of `batch_structure`, one loading a row and Theta diagonal, and
Phi = (I - B)^-1 Psi (I - B)^-T the covariance matrix of the structure, Sigma = Lambda Phi Lambda' + Theta. An observed
variable of the structure measures itself without error; since its column of Lambda holds a single one, any number
delta can be moved from its place in Phi to Theta, and the sample's variance is: Theta is then regular, and Phi may be
what it likes. By Woodbury's identity everything happens in the dimension of the measured structure: with
a_i = lambda_i / theta_i, M = Lambda' Theta^-1 Lambda (diagonal), R = A'S and

    W = D_s + D_s r Phi r D_s,   r = |M|^1/2,   D_s = sign M,
    P = (Phi^-1 + M)^-1 = r^-1 (D_s - W^-1) r^-1,   log|Sigma| = sum log|theta| + log|det W|,

no inverse of Phi is needed, and residual variances and Psi may pass through zero and below: by the additivity of
inertia Sigma is positive definite exactly if neg(theta) + neg(W) = neg(M), neg counting negative eigenvalues
(Haynsworth 1968, doi:10.1016/0024-3795(68)90050-5). Where means are modelled, S + d d' stands for S, d being what the
means of the sample exceed those of the model by.

Arrays have the lanes last: every operation runs along contiguous memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.batch_dense import Lanes, sweep
from sem_loyalty.kernel.batch_structure import Structure, structure_of
from sem_loyalty.kernel.ram import Block

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Bytes of the small matrices of one call that the processor's cache holds together.
CACHE = 3_000_000


@dataclass(frozen=True, slots=True)
class _Values:
    """The parameters of the lanes, in the order of the structure.

    Attributes
    ----------
    loading, residual, intercept : ndarray, shape (p, L)
        Of the observed variables; 1, delta and 0 for those of the structure.
    B, psi : ndarray, shape (s, s, L)
    mean : ndarray, shape (s, L)
        Intercepts of the members of the structure.
    """

    loading: Array
    residual: Array
    intercept: Array
    B: Array
    psi: Array
    mean: Array


@dataclass(frozen=True, slots=True)
class FactorEvaluator:
    """F and its slope for a block without loops; made by `factor_evaluator`.

    Attributes
    ----------
    block : Block
    structure : Structure
    """

    block: Block
    structure: Structure

    @property
    def lane_bytes(self) -> int:
        """Working memory of one lane, roughly."""
        return 16 * self.block.n_observed**2

    @property
    def together(self) -> int:
        """Lanes to evaluate at a time: as many as the processor's cache holds."""
        m = len(self.structure.measured)
        return max(64, CACHE // (8 * m * (6 * m + self.block.n_observed)))

    def arrange(self, cov: Array, mean: Array) -> Lanes:
        """Return moments with lanes last, shapes (p, p, L) and (p, L), variables in the order of the structure."""
        order = self.structure.order
        return Lanes(np.ascontiguousarray(cov[np.ix_(order, order)]), np.ascontiguousarray(mean[order]), -1)

    def evaluate(self, theta: Array, lanes: Lanes) -> tuple[Array, Array]:
        """Return log|Sigma| + tr(Sigma^-1 T), shape (L,), and its derivatives by the free entries, (entries, L).

        The value is inf where Sigma is not positive definite.
        """
        with np.errstate(all="ignore"):
            return self._evaluate(theta, lanes)

    def _evaluate(self, theta: Array, lanes: Lanes) -> tuple[Array, Array]:
        own, cov = self.structure, lanes.cov
        at = self._scatter(theta, lanes)
        p, items, constructs = len(cov), own.items, len(own.spans)
        m, count = len(own.measured), theta.shape[1]
        diagonal, observed = np.arange(m), np.arange(constructs, m)
        phi_all = self._covariance(at)
        whole = m == len(phi_all)
        phi = phi_all if whole else phi_all[np.ix_(own.measured, own.measured)]
        inverse = 1.0 / at.residual
        a = at.loading * inverse
        M, R, T = np.empty((m, count)), np.empty((m, p, count)), np.empty((m, m, count))
        self._gathered(at.loading * a, out=M)
        for k, (_, first, end) in enumerate(own.spans):
            np.einsum("kpl,kl->pl", cov[first:end], a[first:end], out=R[k])
        np.multiply(cov[items:], a[items:, None], out=R[constructs:])
        variance = cov[np.arange(p), np.arange(p)]
        if self.block.means:
            centre = self._means(at)
            apart = lanes.mean - at.intercept - at.loading * centre[own.construct]
            carried = self._gathered(a * apart, out=np.empty((m, count)))
            variance += apart**2
            R += carried[:, None] * apart[None, :]
        for k, (_, first, end) in enumerate(own.spans):
            np.einsum("jkl,kl->jl", R[:, first:end], a[first:end], out=T[k])
        np.multiply(R[:, items:].transpose(1, 0, 2), a[items:, None], out=T[constructs:])

        sign = np.sign(M)
        root = np.sqrt(np.abs(M))
        signed = sign * root
        W = phi * signed[:, None]
        W[observed, observed] -= at.residual[items:] * signed[constructs:]
        W *= signed[None, :]
        W[diagonal, diagonal] += sign
        pivots = sweep(W)  # W is now -W^-1
        W[diagonal, diagonal] += sign
        inside = 1.0 / root
        P = W
        P *= inside[:, None]
        P *= inside[None, :]
        negative = (at.residual < 0).sum(axis=0) + (pivots < 0).sum(axis=0) - (M < 0).sum(axis=0)
        X = np.einsum("ijl,jkl->ikl", T, P)
        Y = np.einsum("ijl,jkl->ikl", P, X)
        weighted = variance * inverse
        value = np.log(np.abs(at.residual)).sum(axis=0) + np.log(np.abs(pivots)).sum(axis=0)
        value += weighted.sum(axis=0) - np.einsum("ijl,ijl->l", P, T)
        value = np.where((negative == 0) & np.isfinite(value), value, np.inf)

        loading, spread = np.empty((items, count)), np.empty((items, count))
        for k, (_, first, end) in enumerate(own.spans):
            part = slice(first, end)
            level = a[part] * (P[k, k] + Y[k, k])
            along = np.einsum("jkl,jl->kl", R[:, part], P[k]) * inverse[part]
            loading[part] = 2.0 * (level - along)
            spread[part] = (1.0 - weighted[part]) * inverse[part] + a[part] * (2.0 * along - level)
        if self.block.means:
            # Sigma^-1 d, and what it says of the means of the structure.
            pull = inverse * apart - a * np.einsum("ijl,jl->il", P, carried)[own.column]
            loading -= 2.0 * pull[:items] * centre[own.construct[:items]]
            above = np.zeros_like(centre)
            above[own.measured] = self._gathered(at.loading * pull, out=np.empty((m, count)))

        # Lambda' W Lambda = M - M P M - T + M T' P + P' T M - M P T P M, all in place.
        XM = X * M[None, :]
        inner = P
        inner += Y
        inner *= M[:, None]
        inner *= -M[None, :]
        inner += XM
        inner += XM.transpose(1, 0, 2)
        inner -= T
        inner[diagonal, diagonal] += M
        if not whole:
            filled = np.zeros_like(phi_all)
            filled[np.ix_(own.measured, own.measured)] = inner
            inner = filled
        self._pull_back(at.B, inner)
        paths = self._by_path(inner, phi_all)
        self._pull_back(at.B, inner.transpose(1, 0, 2))
        slope = self._gather(loading, spread, inner, paths)
        if self.block.means:
            self._pull_back(at.B, above)
            self._add_means(slope, pull, above, centre)
        return value, slope

    def variances(self, theta: Array, lanes: Lanes) -> tuple[Array, Array]:
        """Return the variances of all variables and of their residuals, each (v, L)."""
        own, at = self.structure, self._scatter(theta, lanes)
        phi = self._covariance(at)
        total, left = np.empty((2, len(self.block.directed), theta.shape[1]))
        inside = np.arange(len(own.members))
        total[own.members], left[own.members] = phi[inside, inside], at.psi[inside, inside]
        plain, construct = own.order[: own.items], own.construct[: own.items]
        left[plain] = at.residual[: own.items]
        total[plain] = at.loading[: own.items] ** 2 * phi[construct, construct] + left[plain]
        return total, left

    def _scatter(self, theta: Array, lanes: Lanes) -> _Values:
        """Return the parameters of the lanes in their places."""
        block, own, count = self.block, self.structure, theta.shape[1]
        A, S, m = block.directed, block.symmetric, block.intercepts
        plain, members, p = own.order[: own.items], own.members, block.n_observed
        loading, residual, intercept = np.ones((p, count)), np.empty((p, count)), np.zeros((p, count))
        loading[: own.items] = A[plain, members[own.construct[: own.items]]][:, None]
        residual[: own.items] = S[plain, plain][:, None]
        observed = np.arange(own.items, p)
        residual[own.items :] = lanes.cov[observed, observed]
        B = np.repeat(A[np.ix_(members, members)][:, :, None], count, axis=2)
        psi = np.repeat(S[np.ix_(members, members)][:, :, None], count, axis=2)
        at = own.directed
        loading[at.item] = theta[at.item_parameter]
        B[at.row, at.col] = theta[at.parameter]
        at = own.symmetric
        residual[at.item] = theta[at.item_parameter]
        psi[at.row, at.col] = psi[at.col, at.row] = theta[at.parameter]
        x = own.fixed
        if len(x):
            place = own.fixed_place
            psi[np.ix_(x, x)] = lanes.cov[np.ix_(place, place)]
        mean = np.zeros((len(members), count))
        if block.means:
            intercept[: own.items] = m[plain][:, None]
            mean += m[members][:, None]
            at = own.intercepts
            intercept[at.item] = theta[at.item_parameter]
            mean[at.row] = theta[at.parameter]
            mean[x] = lanes.mean[own.fixed_place]
        return _Values(loading, residual, intercept, B, psi, mean)

    def _gathered(self, values: Array, out: Array) -> Array:
        """Return sums over the observed variables of every measured member, shape (m, L)."""
        own = self.structure
        for k, (_, first, end) in enumerate(own.spans):
            values[first:end].sum(axis=0, out=out[k])
        out[len(own.spans) :] = values[own.items :]
        return out

    def _covariance(self, at: _Values) -> Array:
        """Return (I - B)^-1 Psi (I - B)^-T by substitution along the sequence."""
        phi = at.psi.copy()
        for side in (phi, phi.transpose(1, 0, 2)):
            for i, causes in self.structure.sequence:
                for j in causes:
                    side[i] += at.B[i, j] * side[j]
        return phi

    def _means(self, at: _Values) -> Array:
        """Return the means of the members, (I - B)^-1 times their intercepts."""
        centre = at.mean.copy()
        for i, causes in self.structure.sequence:
            for j in causes:
                centre[i] += at.B[i, j] * centre[j]
        return centre

    def _pull_back(self, B: Array, inner: Array) -> None:
        """Replace X by (I - B)^-T X."""
        for i, causes in reversed(self.structure.sequence):
            for j in causes:
                inner[j] += B[i, j] * inner[i]

    def _by_path(self, inner: Array, phi: Array) -> Array:
        """Return d F / d B[i, j] = 2 (X Phi)[i, j] for the free paths, X = (I - B)^-T Lambda' W Lambda."""
        at = self.structure.directed
        out = np.empty((len(at.entry), phi.shape[-1]))
        for k, (i, j) in enumerate(zip(at.row, at.col, strict=True)):
            np.einsum("kl,kl->l", inner[i], phi[:, j], out=out[k])
        out *= 2.0
        return out

    def _gather(self, loading: Array, spread: Array, inner: Array, paths: Array) -> Array:
        """Return the slope by free entries in the order of `Block.entry_parameter`."""
        first, count = len(self.block.directed_row), len(self.block.entry_parameter)
        out = np.zeros((count, paths.shape[-1]))
        at = self.structure.directed
        out[at.item_entry] = loading[at.item]
        out[at.entry] = paths
        at = self.structure.symmetric
        out[first + at.item_entry] = spread[at.item]
        out[first + at.entry] = inner[at.row, at.col]
        out[first + at.entry[at.row != at.col]] *= 2.0
        return out

    def _add_means(self, slope: Array, pull: Array, above: Array, centre: Array) -> None:
        """Add what the means say of the paths and the intercepts, in place."""
        at = self.structure.directed
        slope[at.entry] -= 2.0 * above[at.row] * centre[at.col]
        at = self.structure.intercepts
        first = len(self.block.directed_row) + len(self.block.symmetric_row)
        slope[first + at.item_entry] = -2.0 * pull[at.item]
        slope[first + at.entry] = -2.0 * above[at.row]


def factor_evaluator(block: Block, exogenous: Index) -> FactorEvaluator | None:
    """Return the evaluator of a block without loops, None for any other block."""
    structure = structure_of(block, exogenous)
    return None if structure is None else FactorEvaluator(block, structure)
