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
from sem_loyalty.kernel.scratch import Scratch

Array = NDArray[np.float64]
Index = NDArray[np.intp]


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
        p, m = self.block.n_observed, len(self.structure.measured)
        return 8 * (2 * p**2 + m * p + 8 * m**2)

    def arrange(self, cov: Array, mean: Array) -> Lanes:
        """Return moments with lanes last, shapes (p, p, L) and (p, L), variables in the order of the structure."""
        order = self.structure.order
        return Lanes(np.ascontiguousarray(cov[np.ix_(order, order)]), np.ascontiguousarray(mean[order]), -1)

    def evaluate(self, theta: Array, lanes: Lanes, scratch: Scratch) -> tuple[Array, Array]:
        """Return log|Sigma| + tr(Sigma^-1 T), shape (L,), and its derivatives by the free entries, (entries, L).

        The value is inf where Sigma is not positive definite. The derivatives are an array of `scratch`.
        """
        with np.errstate(all="ignore"):
            return self._evaluate(theta, lanes, scratch)

    def _evaluate(self, theta: Array, lanes: Lanes, scratch: Scratch) -> tuple[Array, Array]:
        own, cov, new = self.structure, lanes.cov, scratch.array
        at = self._scatter(theta, lanes, scratch)
        p, items, constructs = len(cov), own.items, len(own.spans)
        m, count = len(own.measured), theta.shape[1]
        diagonal, observed = np.arange(m), np.arange(constructs, m)
        phi_all = self._covariance(at, scratch)
        whole = m == len(phi_all)
        phi = phi_all if whole else phi_all[np.ix_(own.measured, own.measured)]
        inverse = np.divide(1.0, at.residual, out=new(p, count))
        a = np.multiply(at.loading, inverse, out=new(p, count))
        work = new(p, count)
        M, R, T = new(m, count), new(m, p, count), new(m, m, count)
        self._gathered(np.multiply(at.loading, a, out=work), out=M)
        for k, (_, first, end) in enumerate(own.spans):
            np.einsum("kpl,kl->pl", cov[first:end], a[first:end], out=R[k])
        np.multiply(cov[items:], a[items:, None], out=R[constructs:])
        weighted = np.einsum("iil->il", cov) * inverse
        if self.block.means:
            centre = self._means(at)
            apart = lanes.mean - at.intercept - at.loading * centre[own.construct]
            carried = self._gathered(np.multiply(a, apart, out=work), out=new(m, count))
            weighted += apart**2 * inverse
            R += carried[:, None] * apart[None, :]
        for k, (_, first, end) in enumerate(own.spans):
            np.einsum("jkl,kl->jl", R[:, first:end], a[first:end], out=T[k])
        np.multiply(R[:, items:].transpose(1, 0, 2), a[items:, None], out=T[constructs:])

        sign = np.sign(M)
        root = np.sqrt(np.abs(M))
        signed = sign * root
        W = np.multiply(phi, signed[:, None], out=new(m, m, count))
        W[observed, observed] -= at.residual[items:] * signed[constructs:]
        W *= signed[None, :]
        W[diagonal, diagonal] += sign
        pivots = sweep(W, new(m, m, count))  # W is now -W^-1
        W[diagonal, diagonal] += sign
        inside = 1.0 / root
        P = W
        P *= inside[:, None]
        P *= inside[None, :]
        negative = (at.residual < 0).sum(axis=0) + (pivots < 0).sum(axis=0) - (M < 0).sum(axis=0)
        X = np.einsum("ijl,jkl->ikl", T, P, out=new(m, m, count))
        Y = np.einsum("ijl,jkl->ikl", P, X, out=new(m, m, count))
        np.log(np.abs(at.residual, out=work), out=work)
        value = work.sum(axis=0) + np.log(np.abs(pivots)).sum(axis=0)
        value += weighted.sum(axis=0) - np.einsum("ijl,ijl->l", P, T)
        value = np.where((negative == 0) & np.isfinite(value), value, np.inf)

        # By loading: 2 (level - along); by residual variance: (1 - weighted) / theta + a (2 along - level).
        level, along = new(items, count), new(items, count)
        for k, (_, first, end) in enumerate(own.spans):
            np.multiply(a[first:end], P[k, k] + Y[k, k], out=level[first:end])
            np.einsum("jkl,jl->kl", R[:, first:end], P[k], out=along[first:end])
        along *= inverse[:items]
        loading = np.subtract(level, along, out=new(items, count))
        loading *= 2.0
        spread = np.add(along, along, out=along)
        spread -= level
        spread *= a[:items]
        spread += (1.0 - weighted[:items]) * inverse[:items]
        if self.block.means:
            # Sigma^-1 d, and what it says of the means of the structure.
            pull = inverse * apart - a * np.einsum("ijl,jl->il", P, carried)[own.column]
            loading -= 2.0 * pull[:items] * centre[own.construct[:items]]
            above = np.zeros_like(centre)
            above[own.measured] = self._gathered(np.multiply(at.loading, pull, out=work), out=new(m, count))

        # Lambda' W Lambda = M - M P M - T + M T' P + P' T M - M P T P M, all in place.
        XM = np.multiply(X, M[None, :], out=new(m, m, count))
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
        slope = new(len(self.block.entry_parameter), count)
        self._pull_back(at.B, inner, scratch)
        self._set_paths(slope, inner, phi_all)
        self._pull_back(at.B, inner.transpose(1, 0, 2), scratch)
        self._set_rest(slope, loading, spread, inner)
        if self.block.means:
            self._pull_back(at.B, above, scratch)
            self._add_means(slope, pull, above, centre)
        return value, slope

    def variances(self, theta: Array, lanes: Lanes) -> tuple[Array, Array]:
        """Return the variances of all variables and of their residuals, each (v, L)."""
        scratch = Scratch()
        own, at = self.structure, self._scatter(theta, lanes, scratch)
        phi = self._covariance(at, scratch)
        total, left = np.empty((2, len(self.block.directed), theta.shape[1]))
        inside = np.arange(len(own.members))
        total[own.members], left[own.members] = phi[inside, inside], at.psi[inside, inside]
        plain, construct = own.order[: own.items], own.construct[: own.items]
        left[plain] = at.residual[: own.items]
        total[plain] = at.loading[: own.items] ** 2 * phi[construct, construct] + left[plain]
        return total, left

    def _scatter(self, theta: Array, lanes: Lanes, scratch: Scratch) -> _Values:
        """Return the parameters of the lanes in their places."""
        block, own, count, new = self.block, self.structure, theta.shape[1], scratch.array
        A, S, m = block.directed, block.symmetric, block.intercepts
        plain, members, p = own.order[: own.items], own.members, block.n_observed
        loading, residual, intercept = new(p, count), new(p, count), new(p, count)
        B, psi = new(len(members), len(members), count), new(len(members), len(members), count)
        loading[: own.items] = A[plain, members[own.construct[: own.items]]][:, None]
        loading[own.items :] = 1.0
        residual[: own.items] = S[plain, plain][:, None]
        residual[own.items :] = np.einsum("iil->il", lanes.cov)[own.items :]
        B[:] = A[np.ix_(members, members)][:, :, None]
        psi[:] = S[np.ix_(members, members)][:, :, None]
        at = own.directed
        loading[at.item] = theta[at.item_parameter]
        B[at.row, at.col] = theta[at.parameter]
        at = own.symmetric
        residual[at.item] = theta[at.item_parameter]
        psi[at.row, at.col] = psi[at.col, at.row] = theta[at.parameter]
        x = own.fixed
        if len(x):
            psi[np.ix_(x, x)] = lanes.cov[np.ix_(own.fixed_place, own.fixed_place)]
        mean = np.zeros((len(members), count))
        if block.means:
            intercept[: own.items] = m[plain][:, None]
            intercept[own.items :] = 0.0
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

    def _covariance(self, at: _Values, scratch: Scratch) -> Array:
        """Return (I - B)^-1 Psi (I - B)^-T by substitution along the sequence."""
        phi, step = scratch.array(*at.psi.shape), scratch.array(*at.mean.shape)
        phi[:] = at.psi
        for side in (phi, phi.transpose(1, 0, 2)):
            for i, causes in self.structure.sequence:
                for j in causes:
                    side[i] += np.multiply(at.B[i, j], side[j], out=step)
        return phi

    def _means(self, at: _Values) -> Array:
        """Return the means of the members, (I - B)^-1 times their intercepts."""
        centre = at.mean.copy()
        for i, causes in self.structure.sequence:
            for j in causes:
                centre[i] += at.B[i, j] * centre[j]
        return centre

    def _pull_back(self, B: Array, inner: Array, scratch: Scratch) -> None:
        """Replace X by (I - B)^-T X."""
        step = scratch.array(*inner.shape[1:])
        for i, causes in reversed(self.structure.sequence):
            for j in causes:
                inner[j] += np.multiply(B[i, j], inner[i], out=step)

    def _set_paths(self, slope: Array, inner: Array, phi: Array) -> None:
        """Set d F / d B[i, j] = 2 (X Phi)[i, j] for the free paths, X = (I - B)^-T Lambda' W Lambda."""
        at = self.structure.directed
        for entry, i, j in zip(at.entry, at.row, at.col, strict=True):
            np.einsum("kl,kl->l", inner[i], phi[:, j], out=slope[entry])
            slope[entry] *= 2.0

    def _set_rest(self, slope: Array, loading: Array, spread: Array, inner: Array) -> None:
        """Set the derivatives by the other entries of A and S, in the order of `Block.entry_parameter`."""
        first = len(self.block.directed_row)
        at = self.structure.directed
        slope[at.item_entry] = loading[at.item]
        at = self.structure.symmetric
        slope[first + at.item_entry] = spread[at.item]
        slope[first + at.entry] = inner[at.row, at.col]
        slope[first + at.entry[at.row != at.col]] *= 2.0
        slope[first + len(self.block.symmetric_row) :] = 0.0

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
