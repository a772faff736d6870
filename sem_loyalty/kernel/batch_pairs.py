"""Pairs of plain items with correlated residuals, in the likelihood of many samples at once.

A pair (i, j) has a two by two block in Theta, whose inverse tau is written down. A = Theta^-1 Lambda then has a second
element in the rows of the pair: beside a_i = tau_ii lambda_i for the construct of i, the element tau_ij lambda_j for
that of j. What `batch_factor` computes for items on their own is completed here; the structure that everything
happens in stays as small as it would be without the correlation.

Every pair has two ends, first the item i of every pair with j for the other, then the other way round; arrays (2k, L)
hold one row an end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Who is correlated with whom.

    Attributes
    ----------
    item, other : ndarray of int, shape (2k,)
        Items by end, in the order of the structure.
    near, far : ndarray of int, shape (2k,)
        The constructs that they measure, as places among the measured members.
    """

    item: Index
    other: Index
    near: Index
    far: Index

    def __len__(self) -> int:
        return len(self.item) // 2

    @property
    def turned(self) -> Index:
        """The opposite ends."""
        return np.roll(np.arange(len(self.item)), len(self))


@dataclass(frozen=True, slots=True)
class Coupling:
    """What correlated residuals add to A.

    Attributes
    ----------
    pairs : Pairs
    cross : ndarray, shape (2k, L)
        tau_ij.
    side : ndarray, shape (2k, L)
        Elements of A for the construct of the other item.
    links : list of (int, int, ndarray)
        By pair: the two constructs, and lambda_i tau_ij lambda_j, what they add to Lambda'A there, shape (L,).
    """

    pairs: Pairs
    cross: Array
    side: Array
    links: list[tuple[int, int, Array]]

    def gather(self, values: Array, out: Array) -> None:
        """Add A' values, what the second elements contribute, to `out`, for values (p, L) and sums (m, L)."""
        for item, far, side in zip(self.pairs.item, self.pairs.far, self.side, strict=True):
            out[far] += side * values[item]

    def add_rows(self, R: Array, cov: Array, step: Array) -> None:
        """Add to R = A'S; `step` is memory of shape (p, L)."""
        for item, far, side in zip(self.pairs.item, self.pairs.far, self.side, strict=True):
            R[far] += np.multiply(cov[item], side, out=step)

    def add_columns(self, T: Array, R: Array) -> None:
        """Add to T = A'SA."""
        for item, far, side in zip(self.pairs.item, self.pairs.far, self.side, strict=True):
            T[far] += R[:, item] * side

    def add_diagonal(self, M: Array) -> None:
        """Add to M, the diagonal of Lambda'A, shape (m, L), where both items measure one construct."""
        for c, d, weight in self.links:
            if c == d:
                M[c] += 2.0 * weight

    def add_links(self, X: Array, share: float) -> None:
        """Add a share of N, which is what Lambda'A has outside its diagonal."""
        for c, d, weight in self.links:
            if c != d:
                X[c, d] += share * weight
                X[d, c] += share * weight

    def multiply(self, M: Array, X: Array, share: float) -> None:
        """Replace X by a share of Lambda'A X = (diag M + N) X."""
        more = [(c, share * weight * X[d]) for c, d, weight in self.links if c != d]
        more += [(d, share * weight * X[c]) for c, d, weight in self.links if c != d]
        X *= (share * M)[:, None]
        for c, added in more:
            X[c] += added

    def absorb(self, P: Array, growth: Array, M: Array) -> tuple[Array, Array]:
        """Replace P by (P^-1 + N)^-1, one pair after another, where the diagonal of Lambda'A is in it already.

        Parameters
        ----------
        P : ndarray, shape (m, m, L)
        growth, M : ndarray, shape (m, L)
            What the diagonal was absorbed by.

        Returns
        -------
        tuple of ndarray, each (m + pairs, L)
            All factors of |I + P Lambda'A|, and what says by its sign in which direction a negative factor changes the
            number of negative eigenvalues: M, and so on.
        """
        factors, directions = [growth], [M]
        for c, d, weight in self.links:
            if c == d:
                continue
            left, right = P[c].copy(), P[d].copy()
            between = 1.0 + weight * P[c, d]
            factor = between**2 - weight**2 * P[c, c] * P[d, d]
            factors.append(factor[None])
            directions.append(-left[c][None])
            # P - [l r] K [l r]', K being the inverse of the two by two matrix of the pair, N^-1 + P.
            share = weight / factor
            by_left = share * (between * right - weight * right[d] * left)
            by_right = share * (between * left - weight * left[c] * right)
            P -= left[:, None] * by_left[None, :]
            P -= right[:, None] * by_right[None, :]
        return np.concatenate(factors), np.concatenate(directions)


def couple(pairs: Pairs, covariance: Array, loading: Array, residual: Array, inverse: Array) -> Coupling:
    """Return what correlated residuals add.

    Parameters
    ----------
    pairs : Pairs
    covariance : ndarray, shape (k, L)
    loading : ndarray, shape (p, L)
    residual, inverse : ndarray, shape (p, L)
        Residual variances and their reciprocals. The residual variance of the second item becomes that given the
        first: their products are the determinant, and their signs those of the eigenvalues. The reciprocals become the
        diagonal of tau.
    """
    if not len(pairs):
        return Coupling(pairs, covariance, covariance, [])
    first, second = pairs.item[: len(pairs)], pairs.item[len(pairs) :]
    determinant = residual[first] * residual[second] - covariance**2
    inverse[first], inverse[second] = residual[second] / determinant, residual[first] / determinant
    residual[second] = determinant / residual[first]
    cross = np.tile(-covariance / determinant, (2, 1))
    side = cross * loading[pairs.other]
    weights = side[: len(pairs)] * loading[first]
    links = [(int(c), int(d), weight) for c, d, weight in zip(pairs.near, pairs.far, weights, strict=False)]
    return Coupling(pairs, cross, side, links)


@dataclass(frozen=True, slots=True)
class PairSlopes:
    """What the derivatives of a pair need beside those of its items.

    Attributes
    ----------
    residual : ndarray, shape (2k, L)
        To be added to the derivatives by the residual variances.
    covariance : ndarray, shape (k, L)
        Derivatives by the covariances of residuals, halved.
    """

    residual: Array
    covariance: Array


def pair_slopes(
    coupling: Coupling,
    a: Array,
    inverse: Array,
    moments: tuple[Array, Array, Array],
    level: Array,
    along: Array,
    P: Array,
    Y: Array,
    R: Array,
) -> PairSlopes:
    """Complete the derivatives of the items in pairs.

    Parameters
    ----------
    coupling : Coupling
    a, inverse : ndarray, shape (p, L)
        First elements of A, and the diagonal of tau.
    moments : tuple of ndarray, each (2k, L)
        By end: diagonal elements of Theta^-1 S, s_ij and s_jj.
    level, along : ndarray, shape (items, L)
        Rows of A Y and Theta^-1 S A P, at the construct of every item; those of pairs are completed in place.
    P, Y : ndarray, shape (m, m, L)
        P, and P + P T P.
    R : ndarray, shape (m, p, L)
    """
    at, cross, side = coupling.pairs, coupling.cross, coupling.side
    turned, count = at.turned, len(at)
    own, tau = a[at.item], inverse[at.item]
    # Rows of P R: (P R)_{c, i} at the own construct of an item, and (P R)_{d, i} at that of the other.
    near = np.einsum("ejl,jel->el", P[at.near], R[:, at.item])
    far = np.einsum("ejl,jel->el", P[at.far], R[:, at.item])
    near, far = near * tau + far[turned] * cross, far * tau + near[turned] * cross
    along[at.item] = near
    level[at.item] += side * Y[at.far, at.near]
    level_far = own * Y[at.near, at.far] + side * Y[at.far, at.far]
    weighted, between, other = moments
    mixed = tau * between + cross * other
    i, j = slice(count), slice(count, None)
    covariance = cross[i] - weighted[i] * cross[i] - mixed[i] * tau[j]
    covariance -= level_far[i] * own[j] + level[at.item[i]] * side[j]
    covariance += own[i] * far[j] + side[i] * near[j] + own[j] * far[i] + side[j] * near[i]
    return PairSlopes(side * (2.0 * far - level_far) - mixed * cross, covariance)
