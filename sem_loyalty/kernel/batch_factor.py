"""The likelihood of many samples at once, for models in which every item measures one construct.

Sigma = Lambda Phi Lambda' + Theta with Theta diagonal and one loading a row, Phi = (I - B)^-1 Psi (I - B)^-T, no
loops among the constructs. By Woodbury's identity everything then happens in the dimension of the constructs: with
a_i = lambda_i / theta_i, M = Lambda' Theta^-1 Lambda (diagonal), R = S A and

    W = D_s + D_s r Phi r D_s,   r = |M|^1/2,   D_s = sign M,
    P = (Phi^-1 + M)^-1 = r^-1 (D_s - W^-1) r^-1,   log|Sigma| = sum log|theta| + log|det W|,

no inverse of Phi is needed, and residual variances and Psi may pass through zero and below: by the additivity of
inertia Sigma is positive definite exactly if neg(theta) + neg(W) = neg(M), neg counting negative eigenvalues
(Haynsworth 1968, doi:10.1016/0024-3795(68)90050-5).

Arrays have the lanes last: every operation runs along contiguous memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.batch_dense import Lanes, sweep
from sem_loyalty.kernel.ram import Block

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Lanes of a whole block: the arrays are small, the calls are what costs.
TOGETHER = 2000


@dataclass(frozen=True, slots=True)
class Places:
    """Where the free entries of one matrix stand, counted within the items or within the constructs.

    Attributes
    ----------
    item_entry, item, item_parameter : ndarray of int
        Loadings or residual variances: position among the free entries, item in sorted order, parameter.
    entry, row, col, parameter : ndarray of int
        Paths between constructs, or their (co)variances.
    """

    item_entry: Index
    item: Index
    item_parameter: Index
    entry: Index
    row: Index
    col: Index
    parameter: Index


def _places(row: Index, col: Index, parameter: Index, sorted_place: Index) -> Places:
    p = len(sorted_place)
    item, construct = np.flatnonzero(row < p), np.flatnonzero(row >= p)
    return Places(
        item_entry=item,
        item=sorted_place[row[item]],
        item_parameter=parameter[item],
        entry=construct,
        row=row[construct] - p,
        col=col[construct] - p,
        parameter=parameter[construct],
    )


@dataclass(frozen=True, slots=True)
class FactorEvaluator:
    """F and its slope for a block of simple structure; made by `factor_evaluator`.

    Attributes
    ----------
    block : Block
    order : ndarray of int, shape (p,)
        Observed variables sorted by construct.
    spans : tuple of (int, int, int)
        Construct (counted from 0), first item and end of its items in that order; measured constructs only.
    sequence : tuple of (int, tuple of int)
        Constructs that depend on others, causes before effects, with their causes.
    directed, symmetric : Places
        The free entries of A and of S.
    """

    block: Block
    order: Index
    spans: tuple[tuple[int, int, int], ...]
    sequence: tuple[tuple[int, tuple[int, ...]], ...]
    directed: Places
    symmetric: Places

    @property
    def lane_bytes(self) -> int:
        """Working memory of one lane, roughly."""
        return 8 * (2 * self.block.n_observed**2 + 12 * (len(self.block.directed) - self.block.n_observed) ** 2)

    @property
    def together(self) -> int:
        """Lanes to evaluate at a time: as many as the processor's cache holds."""
        return TOGETHER

    def arrange(self, cov: Array, mean: Array) -> Lanes:
        """Return moments with lanes last, shapes (p, p, L) and (p, L), items sorted by construct."""
        return Lanes(np.ascontiguousarray(cov[np.ix_(self.order, self.order)]), mean, -1)

    def evaluate(self, theta: Array, lanes: Lanes) -> tuple[Array, Array]:
        """Return log|Sigma| + tr(Sigma^-1 S), shape (L,), and its derivatives by the free entries, (entries, L).

        The value is inf where Sigma is not positive definite.
        """
        with np.errstate(all="ignore"):
            return self._evaluate(theta, lanes.cov)

    def _evaluate(self, theta: Array, cov: Array) -> tuple[Array, Array]:
        lam, residual, B, psi = self._scatter(theta)
        phi_all = self._covariance(B, psi)
        measured = [j for j, _, _ in self.spans]
        whole = len(measured) == len(phi_all)
        phi = phi_all if whole else phi_all[np.ix_(measured, measured)]
        p, m, count = len(lam), len(measured), theta.shape[1]
        inverse = 1.0 / residual
        a = lam * inverse
        la = lam * a
        M = np.empty((m, count))
        R = np.empty((m, p, count))
        T = np.empty((m, m, count))
        for k, (_, first, end) in enumerate(self.spans):
            la[first:end].sum(axis=0, out=M[k])
            np.einsum("kpl,kl->pl", cov[first:end], a[first:end], out=R[k])
        for k, (_, first, end) in enumerate(self.spans):
            np.einsum("jkl,kl->jl", R[:, first:end], a[first:end], out=T[k])
        sign = np.sign(M)
        root = np.sqrt(np.abs(M))
        signed = sign * root
        W = phi * signed[:, None]
        W *= signed[None, :]
        diagonal = np.arange(m)
        W[diagonal, diagonal] += sign
        pivots = sweep(W)  # W is now -W^-1
        W[diagonal, diagonal] += sign
        inside = 1.0 / root
        P = W
        P *= inside[:, None]
        P *= inside[None, :]
        negative = (residual < 0).sum(axis=0) + (pivots < 0).sum(axis=0) - (M < 0).sum(axis=0)
        X = np.einsum("ijl,jkl->ikl", T, P)
        Y = np.einsum("ijl,jkl->ikl", P, X)
        variance = cov[np.arange(p), np.arange(p)]
        weighted = variance * inverse
        value = np.log(np.abs(residual)).sum(axis=0) + np.log(np.abs(pivots)).sum(axis=0)
        value += weighted.sum(axis=0) - np.einsum("ijl,ijl->l", P, T)
        value = np.where((negative == 0) & np.isfinite(value), value, np.inf)

        loading = np.empty((p, count))
        spread = np.empty((p, count))
        for k, (_, first, end) in enumerate(self.spans):
            own = slice(first, end)
            level = a[own] * (P[k, k] + Y[k, k])
            along = np.einsum("jkl,jl->kl", R[:, own], P[k]) * inverse[own]
            loading[own] = 2.0 * (level - along)
            spread[own] = (1.0 - weighted[own]) * inverse[own] + a[own] * (2.0 * along - level)

        # Lambda' W Lambda = M - M P M - T + M T' P + P' T M - M P T P M, all in place.
        XM = X * M[None, :]
        inner = P + Y
        inner *= M[:, None]
        inner *= -M[None, :]
        inner += XM
        inner += XM.transpose(1, 0, 2)
        inner -= T
        inner[diagonal, diagonal] += M
        if not whole:
            filled = np.zeros_like(phi_all)
            filled[np.ix_(measured, measured)] = inner
            inner = filled
        self._pull_back(B, inner)
        paths = self._by_path(inner, phi_all)
        self._pull_back(B, inner.transpose(1, 0, 2))
        return value, self._gather(loading, spread, inner, paths)

    def variances(self, theta: Array, lanes: Lanes) -> tuple[Array, Array]:
        """Return the variances of all variables and of their residuals, each (v, L)."""
        lam, residual, B, psi = self._scatter(theta)
        phi = self._covariance(B, psi)
        p, v = self.block.n_observed, len(self.block.directed)
        total, left = np.empty((v, theta.shape[1])), np.empty((v, theta.shape[1]))
        for j, first, end in self.spans:
            own = self.order[first:end]
            total[own] = lam[first:end] ** 2 * phi[j, j] + residual[first:end]
        left[self.order] = residual
        constructs = np.arange(v - p)
        total[p:], left[p:] = phi[constructs, constructs], psi[constructs, constructs]
        return total, left

    def _scatter(self, theta: Array) -> tuple[Array, Array, Array, Array]:
        """Return loadings and residual variances in the order of the items, B and Psi."""
        block, p, count = self.block, self.block.n_observed, theta.shape[1]
        A, S = block.directed, block.symmetric
        lam = np.repeat(A[self.order, p:].sum(axis=1)[:, None], count, axis=1)
        B = np.repeat(A[p:, p:, None], count, axis=2)
        residual = np.repeat(S[self.order, self.order][:, None], count, axis=1)
        psi = np.repeat(S[p:, p:, None], count, axis=2)
        at = self.directed
        lam[at.item] = theta[at.item_parameter]
        B[at.row, at.col] = theta[at.parameter]
        at = self.symmetric
        residual[at.item] = theta[at.item_parameter]
        psi[at.row, at.col] = psi[at.col, at.row] = theta[at.parameter]
        return lam, residual, B, psi

    def _covariance(self, B: Array, psi: Array) -> Array:
        """Return (I - B)^-1 Psi (I - B)^-T by substitution along the sequence."""
        phi = psi.copy()
        for side in (phi, phi.transpose(1, 0, 2)):
            for i, causes in self.sequence:
                for j in causes:
                    side[i] += B[i, j] * side[j]
        return phi

    def _pull_back(self, B: Array, inner: Array) -> None:
        """Replace X by (I - B)^-T X."""
        for i, causes in reversed(self.sequence):
            for j in causes:
                inner[j] += B[i, j] * inner[i]

    def _by_path(self, inner: Array, phi: Array) -> Array:
        """Return d F / d B[i, j] = 2 (X Phi)[i, j] for the free paths, X = (I - B)^-T Lambda' W Lambda."""
        at = self.directed
        out = np.empty((len(at.entry), phi.shape[-1]))
        for k, (i, j) in enumerate(zip(at.row, at.col, strict=True)):
            np.einsum("kl,kl->l", inner[i], phi[:, j], out=out[k])
        out *= 2.0
        return out

    def _gather(self, loading: Array, spread: Array, inner: Array, paths: Array) -> Array:
        """Return the slope by free entries in the order of `Block.entry_parameter`."""
        first, count = len(self.block.directed_row), len(self.block.entry_parameter)
        out = np.zeros((count, paths.shape[-1]))
        at = self.directed
        out[at.item_entry] = loading[at.item]
        out[at.entry] = paths
        at = self.symmetric
        out[first + at.item_entry] = spread[at.item]
        out[first + at.entry] = inner[at.row, at.col]
        out[first + at.entry[at.row != at.col]] *= 2.0
        return out


def factor_evaluator(block: Block) -> FactorEvaluator | None:
    """Return the evaluator of a block of simple structure without means, None for any other block."""
    p, size = block.n_observed, len(block.directed)
    if block.means or size == p:
        return None
    A = block.directed != 0
    A[block.directed_row, block.directed_col] = True
    S = block.symmetric != 0
    S[block.symmetric_row, block.symmetric_col] = True
    S |= S.T
    items = S[:p, :p].copy()
    np.fill_diagonal(items, False)
    if A[:, :p].any() or S[:p, p:].any() or items.any() or (A[:p, p:].sum(axis=1) != 1).any():
        return None
    # A residual variance that is fixed at zero leaves nothing to divide by.
    if not S[np.arange(p), np.arange(p)].all():
        return None
    sequence = _sequence(A[p:, p:])
    if sequence is None:
        return None
    construct = A[:p, p:].argmax(axis=1)
    order = np.argsort(construct, kind="stable")
    spans, first = [], 0
    for j in range(size - p):
        end = first + int((construct == j).sum())
        if end > first:
            spans.append((j, first, end))
        first = end
    sorted_place = np.empty(p, dtype=np.intp)
    sorted_place[order] = np.arange(p)
    return FactorEvaluator(
        block=block,
        order=order,
        spans=tuple(spans),
        sequence=sequence,
        directed=_places(block.directed_row, block.directed_col, block.directed_parameter, sorted_place),
        symmetric=_places(block.symmetric_row, block.symmetric_col, block.symmetric_parameter, sorted_place),
    )


def _sequence(arrows: NDArray[np.bool_]) -> tuple[tuple[int, tuple[int, ...]], ...] | None:
    """Return the constructs with causes, causes first; None where there is a loop."""
    done: list[int] = []
    pending = list(range(len(arrows)))
    while pending:
        ready = [i for i in pending if not any(arrows[i, j] for j in pending)]
        if not ready:
            return None
        done += ready
        pending = [i for i in pending if i not in ready]
    return tuple((i, tuple(int(j) for j in np.flatnonzero(arrows[i]))) for i in done if arrows[i].any())
