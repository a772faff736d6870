"""The likelihood of many samples at once, for models without loops.

With the plain items y = nu + Lambda eta + e of `batch_structure`, one loading a row and Theta diagonal, and
Phi = (I - B)^-1 Psi (I - B)^-T the covariance matrix of the structure, Sigma = Lambda Phi Lambda' + Theta. An observed
variable of the structure measures itself without error; since its column of Lambda holds a single one, any number
delta can be moved from its place in Phi to Theta, and the sample's variance is: Theta is then regular, and Phi may be
what it likes. By Woodbury's identity everything happens in the dimension of the measured structure: with
a_i = lambda_i / theta_i and M = Lambda' Theta^-1 Lambda, which is diagonal,

    Sigma^-1 = Theta^-1 - A P A',   P = (Phi^-1 + M)^-1.

The numbers M_k enter P one after another, without an inverse of Phi: with d_k = 1 + M_k P_kk,

    P <- P - P_.k M_k P_k. / d_k,   log|Sigma| = sum log|theta| + sum log|d|,

so that residual variances and Psi may pass through zero and below. By the additivity of inertia (Haynsworth 1968,
doi:10.1016/0024-3795(68)90050-5) M_k changes the number of negative eigenvalues by the sign of M_k exactly if d_k < 0:
Sigma is positive definite if that adds up to minus the number of negative residual variances. Where means are
modelled, S + d d' stands for S, d being what the means of the sample exceed those of the model by. Items in pairs with
correlated residuals follow in `batch_pairs`.

Arrays have the lanes last: every operation runs along contiguous memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.batch_dense import Lanes
from sem_loyalty.kernel.batch_lookup import Lookup, Pieces, lookup_of
from sem_loyalty.kernel.batch_pairs import couple, pair_slopes
from sem_loyalty.kernel.batch_structure import Structure, structure_of
from sem_loyalty.kernel.ram import Block
from sem_loyalty.kernel.scratch import Scratch

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class FactorEvaluator:
    """F and its slope for a block without loops; made by `factor_evaluator`.

    Attributes
    ----------
    block : Block
    structure : Structure
    lookup : Lookup
    """

    block: Block
    structure: Structure
    lookup: Lookup

    @property
    def lane_bytes(self) -> int:
        """Working memory of one lane, roughly; it cuts draws into blocks, so the draws of a seed depend on it."""
        p, m = self.block.n_observed, len(self.structure.measured) + 2 * len(self.structure.pairs)
        return 8 * (2 * p**2 + m * p + 8 * m**2)

    def arrange(self, cov: Array, mean: Array, place: Index | None = None) -> Lanes:
        """Return moments with lanes last, shapes (p, p, L) and (p, L), variables in the order of the structure.

        With `place`, the covariances are packed: element (i, j) is `cov[place[i, j]]`.
        """
        order = self.structure.order
        at = np.ix_(order, order)
        found = cov[at] if place is None else cov[place[at]]
        return Lanes(np.ascontiguousarray(found), np.ascontiguousarray(mean[order]), -1)

    def evaluate(self, theta: Array, lanes: Lanes, scratch: Scratch) -> tuple[Array, Array]:
        """Return log|Sigma| + tr(Sigma^-1 T), shape (L,), and its derivatives by the free entries, (entries, L).

        The value is inf where Sigma is not positive definite. The derivatives are an array of `scratch`.
        """
        with np.errstate(all="ignore"):
            return self._evaluate(theta, lanes, scratch)

    def _evaluate(self, theta: Array, lanes: Lanes, scratch: Scratch) -> tuple[Array, Array]:
        own, cov, new = self.structure, lanes.cov, scratch.array
        known = self._known(theta, scratch)
        p, items, constructs = len(cov), own.items, len(own.spans)
        m, count = len(own.measured), theta.shape[1]
        diagonal, observed = np.arange(m), np.arange(constructs, m)
        found = Pieces(own, count, scratch)
        phi = self._substitute(known, self._psi(known, lanes, scratch), scratch)
        loading, residual = self._items(known, lanes, scratch)
        inverse = np.divide(1.0, residual, out=new(p, count))
        coupling = couple(own.pairs, known[self.lookup.pair], loading, residual, inverse)
        a = np.multiply(loading, inverse, out=new(p, count))
        work, M = new(p, count), new(m, count)
        self._gathered(np.multiply(loading, a, out=work), out=M)
        R, T = new(m, p, count), new(m, m, count)
        for k, (_, first, end) in enumerate(own.spans):
            np.einsum("kpl,kl->pl", cov[first:end], a[first:end], out=R[k])
        np.multiply(cov[items:], a[items:, None], out=R[constructs:])
        spread = np.einsum("iil->il", cov)
        between = cov[own.pairs.item, own.pairs.other]
        coupling.add_diagonal(M)
        coupling.add_rows(R, cov, work)
        if self.block.means:
            centre = self._centre(known, lanes)
            apart = lanes.mean - known[self.lookup.intercept] - loading * centre[own.construct]
            carried = self._gathered(np.multiply(a, apart, out=work), out=new(m, count))
            coupling.gather(apart, out=carried)
            spread = spread + apart**2
            between += apart[own.pairs.item] * apart[own.pairs.other]
            R += carried[:, None] * apart[None, :]
        for k, (_, first, end) in enumerate(own.spans):
            np.einsum("jkl,kl->jl", R[:, first:end], a[first:end], out=T[k])
        np.multiply(R[:, items:].transpose(1, 0, 2), a[items:, None], out=T[constructs:])
        coupling.add_columns(T, R)
        weighted = np.multiply(spread, inverse, out=new(p, count))
        weighted[own.pairs.item] += coupling.cross * between

        P, X, Y = new(m, m, count), new(m, m, count), new(m, m, count)
        P[:] = phi if m == len(phi) else phi[np.ix_(own.measured, own.measured)]
        P[observed, observed] -= residual[items:]
        growth, direction = coupling.absorb(P, absorb(P, M, work=X), M)
        np.einsum("ijl,jkl->ikl", T, P, out=X)
        np.einsum("ijl,jkl->ikl", P, X, out=Y)
        value = np.log(np.abs(residual, out=work), out=work).sum(axis=0) + np.log(np.abs(growth)).sum(axis=0)
        value += weighted.sum(axis=0) - np.einsum("iil->l", X)
        value[~np.isfinite(value)] = np.inf
        doubtful = np.flatnonzero(~(np.minimum(residual.min(axis=0), growth.min(axis=0)) > 0))
        if len(doubtful):
            turned = np.where(growth[:, doubtful] < 0, np.sign(direction[:, doubtful]), 0.0).sum(axis=0)
            value[doubtful[turned + (residual[:, doubtful] < 0).sum(axis=0) != 0]] = np.inf

        # By loading: 2 (level - along); by residual variance: (1 - weighted) / theta + a (along - (level - along)).
        Y += P
        along = found.residual
        for k, (_, first, end) in enumerate(own.spans):
            np.multiply(a[first:end], Y[k, k], out=found.loading[first:end])
            np.einsum("jkl,jl->kl", R[:, first:end], P[k], out=along[first:end])
        along *= inverse[:items]
        of_pairs = None
        if len(own.pairs):
            moments = weighted[own.pairs.item], between, spread[own.pairs.other]
            of_pairs = pair_slopes(coupling, a, inverse, moments, found.loading, along, P, Y, R)
        found.loading -= along
        along -= found.loading
        along *= a[:items]
        np.subtract(1.0, weighted, out=weighted)
        weighted *= inverse
        along += weighted[:items]
        if of_pairs is not None:
            found.residual[own.pairs.item] += of_pairs.residual
            found.pair[:] = of_pairs.covariance
        if self.block.means:
            # Sigma^-1 d, and what it says of the means of the structure.
            carried = np.einsum("ijl,jl->il", P, carried)
            pull = inverse * apart - a * carried[own.column]
            pull[own.pairs.item] += coupling.cross * apart[own.pairs.other] - coupling.side * carried[own.pairs.far]
            found.loading -= pull[:items] * centre[own.construct[:items]]
            found.intercept[:] = pull[:items]
            found.mean[:] = 0.0
            found.mean[own.measured] = self._gathered(np.multiply(loading, pull, out=work), out=new(m, count))

        # Lambda' W Lambda = M - T + X M + M X' - M Y M = Z + Z' - T, Z = (X - M Y / 2) M + M / 2.
        coupling.multiply(M, Y, 0.5)
        X -= Y
        coupling.multiply(M, X.transpose(1, 0, 2), 1.0)
        X[diagonal, diagonal] += 0.5 * M
        coupling.add_links(X, 0.5)
        inner = found.inner if m == len(phi) else Y
        np.add(X, X.transpose(1, 0, 2), out=inner)
        inner -= T
        if m < len(phi):
            found.inner[:] = 0.0
            found.inner[np.ix_(own.measured, own.measured)] = inner
        self._pull_back(known, found.inner, scratch)
        above, below = list(found.inner), list(phi)
        for k, (i, j) in enumerate(self.lookup.free_paths):
            np.einsum("kl,kl->l", above[i], below[j], out=found.path[k])
        self._pull_back(known, found.inner.transpose(1, 0, 2), scratch)
        if self.block.means:
            self._pull_back(known, found.mean, scratch)
            found.path -= found.mean[own.directed.row] * centre[own.directed.col]
        slope = np.take(found.all, self.lookup.entry, axis=0, out=new(len(self.lookup.entry), count), mode="clip")
        slope *= self.lookup.factor
        if not self.block.means:
            slope[len(slope) - len(self.block.intercept_row) :] = 0.0
        return value, slope

    def variances(self, theta: Array, lanes: Lanes) -> tuple[Array, Array]:
        """Return the variances of all variables and of their residuals, each (v, L)."""
        scratch = Scratch()
        own, known = self.structure, self._known(theta, scratch)
        psi = self._psi(known, lanes, scratch)
        total, left = np.empty((2, len(self.block.directed), theta.shape[1]))
        inside = np.arange(len(own.members))
        left[own.members] = psi[inside, inside]
        phi = self._substitute(known, psi, scratch)
        total[own.members] = phi[inside, inside]
        plain, construct = own.order[: own.items], own.construct[: own.items]
        loading, residual = self._items(known, lanes, scratch)
        left[plain] = residual[: own.items]
        total[plain] = loading[: own.items] ** 2 * phi[construct, construct] + left[plain]
        return total, left

    def _known(self, theta: Array, scratch: Scratch) -> Array:
        """Return the constants and the parameters of the lanes, shape (c + q, L)."""
        constants = self.lookup.constants
        known = scratch.array(len(constants) + len(theta), theta.shape[1])
        known[: len(constants)] = constants[:, None]
        known[len(constants) :] = theta
        return known

    def _items(self, known: Array, lanes: Lanes, scratch: Scratch) -> tuple[Array, Array]:
        """Return loadings and residual variances of the observed variables; 1 and delta for those of the structure."""
        own, shape = self.structure, (self.block.n_observed, known.shape[1])
        loading = np.take(known, self.lookup.loading, axis=0, out=scratch.array(*shape), mode="clip")
        residual = np.take(known, self.lookup.residual, axis=0, out=scratch.array(*shape), mode="clip")
        residual[own.items :] = np.einsum("iil->il", lanes.cov)[own.items :]
        return loading, residual

    def _psi(self, known: Array, lanes: Lanes, scratch: Scratch) -> Array:
        """Return Psi, shape (s, s, L)."""
        own, count = self.structure, known.shape[1]
        size, x = len(own.members), own.fixed
        psi = scratch.array(size, size, count)
        np.take(known, self.lookup.psi.ravel(), axis=0, out=psi.reshape(size**2, count), mode="clip")
        if len(x):
            psi[np.ix_(x, x)] = lanes.cov[np.ix_(own.fixed_place, own.fixed_place)]
        return psi

    def _substitute(self, known: Array, psi: Array, scratch: Scratch) -> Array:
        """Turn Psi into (I - B)^-1 Psi (I - B)^-T, in place, along the sequence."""
        step = scratch.array(*psi.shape[1:])
        for side in (psi, psi.transpose(1, 0, 2)):
            rows = list(side)
            for i, j, place in self.lookup.paths:
                rows[i] += np.multiply(known[place], rows[j], out=step)
        return psi

    def _centre(self, known: Array, lanes: Lanes) -> Array:
        """Return the means of the members of the structure, (I - B)^-1 times their intercepts."""
        own = self.structure
        centre = known[self.lookup.mean]
        centre[own.fixed] = lanes.mean[own.fixed_place]
        for i, j, place in self.lookup.paths:
            centre[i] += known[place] * centre[j]
        return centre

    def _gathered(self, values: Array, out: Array) -> Array:
        """Return sums over the observed variables of every measured member, shape (m, L)."""
        own = self.structure
        for k, (_, first, end) in enumerate(own.spans):
            np.add.reduce(values[first:end], axis=0, out=out[k])
        out[len(own.spans) :] = values[own.items :]
        return out

    def _pull_back(self, known: Array, inner: Array, scratch: Scratch) -> None:
        """Replace X by (I - B)^-T X."""
        step, rows = scratch.array(*inner.shape[1:]), list(inner)
        for i, j, place in reversed(self.lookup.paths):
            rows[j] += np.multiply(known[place], rows[i], out=step)


def absorb(P: Array, M: Array, work: Array) -> Array:
    """Replace stacked P by (P^-1 + diag M)^-1, one M_k after another, and return 1 + M_k P_kk as it then was.

    Parameters
    ----------
    P : ndarray, shape (m, m, L)
        Symmetric; need not be regular.
    M : ndarray, shape (m, L)
    work : ndarray, shape (m, m, L)
        Memory.

    Returns
    -------
    ndarray, shape (m, L)
        Their product is |I + P diag M|.
    """
    growth = np.empty_like(M)
    for k in range(len(P)):
        np.multiply(M[k], P[k, k], out=growth[k])
        growth[k] += 1.0
        # Row k itself is divided, not subtracted from: nothing cancels where M_k is large.
        scaled = P[k] / growth[k]
        row = P[k] * M[k]
        np.multiply(scaled[:, None], row[None, :], out=work)
        P -= work
        P[k] = scaled
        P[:, k] = scaled
    return growth


def factor_evaluator(block: Block, exogenous: Index) -> FactorEvaluator | None:
    """Return the evaluator of a block without loops, None for any other block."""
    structure = structure_of(block, exogenous)
    return None if structure is None else FactorEvaluator(block, structure, lookup_of(block, structure))
