"""Reticular action model: from a parameter vector to implied moments and their derivatives.

Every model here is a set of directed effects A, a symmetric covariance matrix S and intercepts m over all
variables, observed first, latent after:

    v = m + A v + u,   cov(u) = S,   V = B S B',   B = (I - A)^-1,   mu = B m

(McArdle and McDonald 1984, doi:10.1111/j.2044-8317.1984.tb00802.x). The observed block of V is Sigma.
The derivative of Sigma by a free entry has rank two, c (u w' + w u'), with u and w columns of E = [G, C],
G = B[observed, :] and C = V[observed, :]. Gradients and information matrices are therefore gathers from
small products with E; no Kronecker product is ever formed.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.kernel.layout import Layout, layout_of, pairs
from sem_loyalty.kernel.linear_algebra import lapack

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Block:
    """Where the parameters of one group stand in A, S and m.

    Attributes
    ----------
    n_observed : int
        p, the number of observed variables; they come first.
    directed, symmetric, intercepts : ndarray
        Fixed parts, shapes (v, v), (v, v) and (v,).
    directed_row, directed_col, directed_parameter : ndarray of int
        Free entries of A and the position of each in the parameter vector.
    symmetric_row, symmetric_col, symmetric_parameter : ndarray of int
        Free entries of S, each once (row and column may be swapped), and their parameters.
    intercept_row, intercept_parameter : ndarray of int
        Free entries of m, and their parameters.
    means : bool
        Whether the means are part of the model.
    known : Layout, optional
        The layout, where it was derived before from the same positions and the same fixed effects.
    layout : Layout
        What follows from the positions.
    """

    n_observed: int
    directed: Array
    directed_row: Index
    directed_col: Index
    directed_parameter: Index
    symmetric: Array
    symmetric_row: Index
    symmetric_col: Index
    symmetric_parameter: Index
    intercepts: Array
    intercept_row: Index
    intercept_parameter: Index
    means: bool
    known: InitVar[Layout | None] = None
    layout: Layout = field(init=False, repr=False, compare=False)

    def __post_init__(self, known: Layout | None) -> None:
        """Derive once what every evaluation needs of the positions."""
        if known is None:
            known = layout_of(
                self.n_observed,
                self.directed,
                (self.directed_row, self.directed_col, self.directed_parameter),
                (self.symmetric_row, self.symmetric_col, self.symmetric_parameter),
                (self.intercept_row, self.intercept_parameter),
            )
        object.__setattr__(self, "layout", known)

    @property
    def entry_parameter(self) -> Index:
        """The parameter of every free entry: directed, then symmetric, then intercepts."""
        return self.layout.entry_parameter

    @property
    def distinct(self) -> bool:
        """Whether no two entries share a parameter."""
        return self.layout.distinct


@dataclass(frozen=True, slots=True)
class Implied:
    """Implied moments at one parameter vector, with the factors that every derivative is built from.

    Attributes
    ----------
    total_inverse : ndarray, shape (v, v)
        B = (I - A)^-1: total effects plus the identity.
    residual : ndarray, shape (v, v)
        S, the covariance matrix of residuals and exogenous variables.
    total : ndarray, shape (v, v)
        V = B S B', the covariance matrix of all variables.
    cov : ndarray, shape (p, p)
        Sigma, the observed block of V.
    means : ndarray, shape (v,)
        B m, the means of all variables (zeros without mean structure).
    directed : ndarray, shape (v, v)
        A.
    """

    directed: Array
    residual: Array
    total_inverse: Array
    total: Array
    cov: Array
    means: Array

    @property
    def mean(self) -> Array:
        """Implied means of the observed variables, shape (p,)."""
        return self.means[: len(self.cov)]


def implied(block: Block, theta: Array) -> Implied | None:
    """Return the implied moments at `theta`, or None where I - A is singular.

    Parameters
    ----------
    block : Block
        Where the parameters stand.
    theta : ndarray, shape (q,)
        Parameter vector over all groups.
    """
    layout = block.layout
    A = block.directed.copy()
    A.ravel()[layout.directed] = theta[block.directed_parameter]
    S = block.symmetric.copy()
    S.ravel()[layout.symmetric] = theta[layout.symmetric_parameter]
    B = layout.identity.copy()
    V = S
    if len(layout.sources):
        # B - I has columns only for sources, where it is A (I - A_sources)^-1.
        span = layout.span
        out = A[:, span]
        factor, pivots, info = lapack.dgetrf(layout.inner - out[span])
        if info != 0:
            return None
        effects = out @ lapack.dgetri(factor, pivots, overwrite_lu=1)[0]
        B[:, span] = layout.unit + effects
        V = S + effects @ S[span]
        V += V[:, span] @ effects.T
    p = block.n_observed
    cov = V[:p, :p]
    cov = 0.5 * (cov + cov.T)
    if block.means:
        m = block.intercepts.copy()
        m[block.intercept_row] = theta[block.intercept_parameter]
        means = B @ m
    else:
        means = np.zeros(len(A))
    return Implied(directed=A, residual=S, total_inverse=B, total=V, cov=cov, means=means)


@dataclass(frozen=True, slots=True)
class Factors:
    """Columns u, w and weight c of dSigma = c (u w' + w u') for a list of entries of A and S.

    Attributes
    ----------
    columns : ndarray, shape (p, 2 v)
        E = [G, C].
    left, right : ndarray of int
        Which column of E is u and which is w, one per entry.
    weight : ndarray
        c: 1, or one half for a diagonal entry of S.
    """

    columns: Array
    left: Index
    right: Index
    weight: Array


def factors(
    at: Implied, directed_row: Index, directed_col: Index, symmetric_row: Index, symmetric_col: Index
) -> Factors:
    """Return the rank-two factors of the derivatives of Sigma by entries of A and of S.

    For A[i, j]: dSigma = G_i C_j' + C_j G_i'. For S[i, j]: dSigma = G_i G_j' + G_j G_i' off the diagonal and
    G_i G_i' on it.
    """
    left, right, weight = pairs(len(at.total), directed_row, directed_col, symmetric_row, symmetric_col)
    return Factors(columns=derivative_columns(at), left=left, right=right, weight=weight)


def derivative_columns(at: Implied) -> Array:
    """Return E = [G, C], shape (p, 2 v): the observed rows of B and of V."""
    p = len(at.cov)
    return np.concatenate([at.total_inverse[:p], at.total[:p]], axis=1)


def block_factors(block: Block, at: Implied) -> Factors:
    """Return the factors of the free entries of a block, in the order of `Block.entry_parameter`."""
    layout = block.layout
    return Factors(columns=derivative_columns(at), left=layout.left, right=layout.right, weight=layout.weight)


def mean_jacobian(block: Block, at: Implied) -> Array:
    """Return d mu / d entry, shape (p, entries): G_i (B m)_j for A[i, j], 0 for S, G_i for m[i]."""
    p = block.n_observed
    G = at.total_inverse[:p]
    by_directed = G[:, block.directed_row] * at.means[block.directed_col]
    by_symmetric = np.zeros((p, len(block.symmetric_row)))
    return np.concatenate([by_directed, by_symmetric, G[:, block.intercept_row]], axis=1)


def covariance_jacobian(block: Block, at: Implied) -> Array:
    """Return d vech(Sigma) / d entry, shape (p (p + 1) / 2, entries of A and S), lower triangle by columns."""
    found = block_factors(block, at)
    p = block.n_observed
    u, w = found.columns[:, found.left], found.columns[:, found.right]
    col, row = np.triu_indices(p)
    return np.asarray(found.weight * (u[row] * w[col] + w[row] * u[col]))


def pair_products(Q: Array, R: Array, left: Index, right: Index, weight: Array) -> Array:
    """Return c_k c_l (Q_uu' R_ww' + Q_uw' R_wu') for all pairs: half of tr(M dSigma_k N dSigma_l)."""
    rows, columns = Q[left], R[right]
    out = rows.take(left, axis=1) * columns.take(right, axis=1)
    out += rows.take(right, axis=1) * columns.take(left, axis=1)
    out *= weight[:, None]
    out *= weight
    return out


def covariance_curvature(block: Block, at: Implied, weight: Array) -> Array:
    """Return tr(W d2Sigma) over pairs of entries, shape (entries, entries), for a symmetric W of shape (p, p).

    Along A[k, l]: dG_i = G_k B_li, dC_j = G_k V_lj + C_l B_jk. Along S[k, l]: dC_j = c (G_k B_jl + G_l B_jk).
    """
    p = block.n_observed
    B, V = at.total_inverse, at.total
    G, C = B[:p], V[:p]
    WGG, WGC = G.T @ weight @ G, G.T @ weight @ C
    i, j = block.directed_row, block.directed_col
    r, s = block.symmetric_row, block.symmetric_col
    a, n_cov = len(i), len(i) + len(r)
    out = np.zeros((len(block.entry_parameter), len(block.entry_parameter)))
    through = B[np.ix_(j, i)].T * WGC[np.ix_(i, j)].T
    out[:a, :a] = 2.0 * (through + V[np.ix_(j, j)] * WGG[np.ix_(i, i)] + through.T)
    c = np.where(r == s, 0.5, 1.0)
    mixed = 2.0 * c * (WGG[np.ix_(i, r)] * B[np.ix_(j, s)] + WGG[np.ix_(i, s)] * B[np.ix_(j, r)])
    out[:a, a:n_cov] = mixed
    out[a:n_cov, :a] = mixed.T
    return out


def mean_curvature(block: Block, at: Implied, weight: Array) -> Array:
    """Return w' d2mu over pairs of entries, shape (entries, entries), for w of shape (p,).

    d2mu = G_k B_li b_j + G_i B_jk b_l for two entries of A, with b = B m, and G_i B_jk for one of A and one of m.
    """
    B, p = at.total_inverse, block.n_observed
    pull = B[:p].T @ weight
    i, j, k = block.directed_row, block.directed_col, block.intercept_row
    a, n_cov = len(i), len(i) + len(block.symmetric_row)
    out = np.zeros((len(block.entry_parameter), len(block.entry_parameter)))
    through = pull[i][:, None] * B[np.ix_(j, i)] * at.means[j][None, :]
    out[:a, :a] = through + through.T
    mixed = pull[i][:, None] * B[np.ix_(j, k)]
    out[:a, n_cov:] = mixed
    out[n_cov:, :a] = mixed.T
    return out


def moment_derivatives(block: Block, at: Implied) -> tuple[Array, Array]:
    """Return d mu and d vech(Sigma) by every entry, shapes (p, entries) and (p (p + 1) / 2, entries)."""
    by_mean, by_cov = mean_jacobian(block, at), covariance_jacobian(block, at)
    return by_mean, np.concatenate([by_cov, np.zeros((len(by_cov), by_mean.shape[1] - by_cov.shape[1]))], axis=1)


def to_parameters(block: Block, by_entry: Array, size: int) -> Array:
    """Add up a vector over entries into a vector over parameters, shape (size,)."""
    return np.asarray(np.bincount(block.entry_parameter, weights=by_entry, minlength=size), dtype=np.float64)


def matrix_to_parameters(block: Block, by_entry: Array, size: int) -> Array:
    """Add up a matrix over pairs of entries into a matrix over pairs of parameters, shape (size, size)."""
    layout = block.layout
    parameter = layout.entry_parameter
    if layout.in_order and len(parameter) == size:
        return by_entry
    out = np.zeros((size, size))
    if layout.distinct:
        out.ravel()[parameter[:, None] * size + parameter] = by_entry
        return out
    rows = np.zeros((size, by_entry.shape[1]))
    np.add.at(rows, parameter, by_entry)
    np.add.at(out.T, parameter, rows.T)
    return out


def rescaled_block(block: Block, scale: Array) -> Block:
    """Return a block whose fixed entries are in units `scale` times the old ones, for all variables, shape (v,)."""
    return replace(
        block,
        directed=block.directed * scale[:, None] / scale[None, :],
        symmetric=block.symmetric * np.outer(scale, scale),
        intercepts=block.intercepts * scale,
        known=block.layout,
    )
