"""How many factors: eigenvalues, parallel analysis (Horn) and minimum average partial correlation (Velicer)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError

Array = NDArray[np.float64]

# Random matrices made at a time, so that memory stays small; fixed, because the stream of random numbers hangs on it.
_CHUNK = 100


@dataclass(frozen=True, slots=True, eq=False)
class ParallelAnalysis:
    """Observed eigenvalues against those of random data of the same size.

    Attributes
    ----------
    observed : ndarray, shape (p,)
        Eigenvalues of the data, largest first.
    reference : ndarray, shape (p,)
        The `quantile` of the same eigenvalue over the random data sets.
    mean : ndarray, shape (p,)
        Its mean over the random data sets (Horn's original criterion).
    n_factors : int
        Leading eigenvalues above `reference`, counted until the first that is not.
    variant : str
        "components" (eigenvalues of R) or "factors" (of R with squared multiple correlations on the diagonal).
    draws, seed : int
        Random data sets, and the seed of their generator.
    quantile : float
        Quantile of the reference.
    """

    observed: Array
    reference: Array
    mean: Array
    n_factors: int
    variant: str
    draws: int
    seed: int
    quantile: float


@dataclass(frozen=True, slots=True, eq=False)
class PartialCorrelations:
    """Velicer's minimum average partial correlation.

    Attributes
    ----------
    squared : ndarray, shape (p - 1,)
        Average squared partial correlation after 0, 1, 2 ... components; NaN where nothing is left to correlate.
    fourth : ndarray, shape (p - 1,)
        The same with fourth powers (the revision of 2000).
    n_squared, n_fourth : int
        Components at the minimum of each.
    """

    squared: Array
    fourth: Array
    n_squared: int
    n_fourth: int


@dataclass(frozen=True, slots=True, eq=False)
class Retention:
    """Every answer to the question how many factors to keep.

    Attributes
    ----------
    eigenvalues : ndarray, shape (p,)
        Eigenvalues of the correlation matrix, largest first: the scree.
    components, factors : ParallelAnalysis
        Parallel analysis of R, and of R with squared multiple correlations on the diagonal.
    map : PartialCorrelations
        Minimum average partial correlation.
    """

    eigenvalues: Array
    components: ParallelAnalysis
    factors: ParallelAnalysis
    map: PartialCorrelations

    def suggestions(self) -> list[tuple[str, int, str]]:
        """Return rule, number of factors and source of every rule; the first decides where none was given."""
        q = f"{100 * self.components.quantile:g}th percentile of {self.components.draws} random data sets"
        return [
            (f"Parallel analysis, components, {q}", self.components.n_factors, "Horn, 1965; Glorfeld, 1995"),
            (f"Parallel analysis, factors, {q}", self.factors.n_factors, "Humphreys & Montanelli, 1975"),
            ("Minimum average partial, squared", self.map.n_squared, "Velicer, 1976"),
            ("Minimum average partial, fourth power", self.map.n_fourth, "Velicer, Eaton & Fava, 2000"),
            ("Eigenvalues above 1", int((self.eigenvalues > 1.0).sum()), "Kaiser, 1960"),
        ]


def eigenvalues(R: Array) -> Array:
    """Return the eigenvalues of a symmetric matrix (or a batch of shape (..., p, p)), largest first."""
    return np.asarray(np.linalg.eigvalsh(R)[..., ::-1], dtype=np.float64)


def reduced(R: Array) -> Array:
    """Return R with the squared multiple correlation of each item on the diagonal; batches of shape (..., p, p)."""
    smc = 1.0 - 1.0 / np.diagonal(np.linalg.inv(R), axis1=-2, axis2=-1)
    result = R.copy()
    p = R.shape[-1]
    result[..., np.arange(p), np.arange(p)] = smc
    return result


def random_correlations(n: int, p: int, draws: int, seed: int) -> Array:
    """Return correlation matrices of independent normal items.

    The scatter matrix of n normal rows has a Wishart distribution, which is drawn by its triangular factor
    (χ on the diagonal, normals below it), so that the cost does not depend on n.

    Parameters
    ----------
    n : int
        Rows of each random data set, above p.
    p : int
        Items.
    draws, seed : int
        Data sets, and the seed of NumPy's PCG64 generator.

    Returns
    -------
    ndarray, shape (draws, p, p)

    References
    ----------
    Smith, W. B., & Hocking, R. R. (1972). Algorithm AS 53: Wishart variate generator. Applied Statistics, 21,
    341-345. doi:10.2307/2346290
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    result = np.empty((draws, p, p))
    degrees = (n - 1 - np.arange(p)).astype(np.float64)
    for first in range(0, draws, _CHUNK):
        count = min(_CHUNK, draws - first)
        factor = np.tril(rng.standard_normal((count, p, p)), -1)
        factor[:, np.arange(p), np.arange(p)] = np.sqrt(rng.chisquare(degrees, (count, p)))
        scatter = factor @ factor.transpose(0, 2, 1)
        scale = 1.0 / np.sqrt(np.diagonal(scatter, axis1=1, axis2=2))
        result[first : first + count] = scatter * scale[:, :, None] * scale[:, None, :]
    return result


def parallel_analysis(
    R: Array, n: int, *, draws: int = 500, seed: int = 1, quantile: float = 0.95
) -> tuple[ParallelAnalysis, ParallelAnalysis]:
    """Compare eigenvalues with those of uncorrelated normal data of the same size.

    Parameters
    ----------
    R : ndarray, shape (p, p)
        Correlation matrix, positive definite.
    n : int
        Respondents, above p.
    draws : int, default 500
        Random data sets, at least 1.
    seed : int, default 1
        Seed of the generator.
    quantile : float, default 0.95
        Quantile of the random eigenvalues that an observed one must exceed; Horn used the mean.

    Returns
    -------
    components, factors : ParallelAnalysis
        Of R itself, and of R with squared multiple correlations on the diagonal. The second tends to keep too
        many factors, so the first is the rule of `efa`.

    Raises
    ------
    ConfigurationError
        `draws` below 1, or `quantile` not between 0 and 1.

    References
    ----------
    Horn, J. L. (1965). A rationale and test for the number of factors in factor analysis. Psychometrika, 30,
    179-185. doi:10.1007/BF02289447
    Humphreys, L. G., & Montanelli, R. G. (1975). An investigation of the parallel analysis criterion for determining
    the number of common factors. Multivariate Behavioral Research, 10, 193-205. doi:10.1207/s15327906mbr1002_5
    Glorfeld, L. W. (1995). An improvement on Horn's parallel analysis methodology. Educational and Psychological
    Measurement, 55, 377-393. doi:10.1177/0013164495055003002
    """
    if draws < 1:
        raise ConfigurationError(f"draws={draws}: parallel analysis needs at least one random data set.")
    if not 0.0 < quantile < 1.0:
        raise ConfigurationError(f"quantile={quantile} does not lie between 0 and 1.")
    random = random_correlations(n, R.shape[0], draws, seed)

    def compare(variant: str, observed: Array, drawn: Array) -> ParallelAnalysis:
        reference = np.quantile(drawn, quantile, axis=0)
        above = observed > reference
        count = int(np.argmin(above)) if not above.all() else len(above)
        return ParallelAnalysis(observed, reference, drawn.mean(axis=0), count, variant, draws, seed, quantile)

    return (
        compare("components", eigenvalues(R), eigenvalues(random)),
        compare("factors", eigenvalues(reduced(R)), eigenvalues(reduced(random))),
    )


def minimum_average_partial(R: Array) -> PartialCorrelations:
    """Average the powers of the partial correlations left after 0, 1, 2 ... principal components.

    Parameters
    ----------
    R : ndarray, shape (p, p)
        Correlation matrix, p at least 2.

    Returns
    -------
    PartialCorrelations

    References
    ----------
    Velicer, W. F. (1976). Determining the number of components from the matrix of partial correlations.
    Psychometrika, 41, 321-327. doi:10.1007/BF02293557
    Velicer, W. F., Eaton, C. A., & Fava, J. L. (2000). Construct explication through factor or component analysis.
    In Problems and solutions in human assessment (pp. 41-71). doi:10.1007/978-1-4615-4397-8_3
    """
    p = R.shape[0]
    values, vectors = np.linalg.eigh(R)
    loadings = (vectors * np.sqrt(np.maximum(values, 0.0)))[:, ::-1]
    squared, fourth = np.full(p - 1, np.nan), np.full(p - 1, np.nan)
    off = ~np.eye(p, dtype=bool)
    for m in range(p - 1):
        left = R - loadings[:, :m] @ loadings[:, :m].T
        spread = np.diag(left)
        if spread.min() <= 1e-10:
            break  # an item is exhausted: its partial correlations are 0/0
        partial2 = (left**2 / np.outer(spread, spread))[off]
        squared[m], fourth[m] = partial2.mean(), (partial2**2).mean()
    return PartialCorrelations(squared, fourth, int(np.nanargmin(squared)), int(np.nanargmin(fourth)))


def retention(R: Array, n: int, *, draws: int = 500, seed: int = 1, quantile: float = 0.95) -> Retention:
    """Apply every rule for the number of factors to one correlation matrix.

    Parameters
    ----------
    R : ndarray, shape (p, p)
        Correlation matrix, positive definite, p at least 2.
    n : int
        Respondents.
    draws, seed, quantile
        As in `parallel_analysis`.

    Returns
    -------
    Retention

    Raises
    ------
    ConfigurationError
        As in `parallel_analysis`.
    """
    components, factors = parallel_analysis(R, n, draws=draws, seed=seed, quantile=quantile)
    return Retention(components.observed, components, factors, minimum_average_partial(R))
