"""A population as matrices: who acts on whom, and what is left unexplained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import SpecificationError
from sem_loyalty.kernel.threads import one_thread
from sem_loyalty.model.defaults import specify
from sem_loyalty.model.population import Population, PopulationGroup
from sem_loyalty.model.scatter import place
from sem_loyalty.model.spec import Specification

Array = NDArray[np.float64]
# What a number of a population may miss 1 by, or 0, after rounding in print.
_ROUNDING = 1e-10


@dataclass(frozen=True, slots=True)
class Product:
    """The effect of a product of two variables: positions of the outcome and of the factors, and its size."""

    outcome: int
    first: int
    second: int
    effect: float


@dataclass(frozen=True, slots=True)
class Structure:
    """The population of one group, v = A v + m + e + products, with Cov(e) = S.

    Attributes
    ----------
    label : str
        Value of the grouping variable; "" for a single group.
    observed : tuple of str
        Items; the first variables of v.
    latent : tuple of str
        Constructs; the variables after them.
    directed : ndarray, shape (v, v)
        A: effect of column on row.
    symmetric : ndarray, shape (v, v)
        S: (residual) variances and covariances.
    intercepts : ndarray, shape (v,)
    products : tuple of Product
        Effects of products of variables, each less its expectation.
    """

    label: str
    observed: tuple[str, ...]
    latent: tuple[str, ...]
    directed: Array
    symmetric: Array
    intercepts: Array
    products: tuple[Product, ...] = ()

    def total(self) -> Array:
        """Return (I - A)^-1, shape (v, v): the effect of each residual on each variable, through all paths."""
        with one_thread():
            return np.asarray(np.linalg.inv(np.eye(len(self.directed)) - self.directed))

    def moments(self) -> tuple[Array, Array]:
        """Return the means, shape (p,), and covariances, shape (p, p), of the items without what products add."""
        total = self.total()[: len(self.observed)]
        with one_thread():
            return total @ self.intercepts, total @ self.symmetric @ total.T

    def factor(self) -> Array:
        """Return L with L L' = S, shape (v, v): Cholesky, so that no sign depends on the machine.

        Raises
        ------
        SpecificationError
            S is not positive semidefinite; the message names the variables at fault.
        """
        random = np.flatnonzero(np.diagonal(self.symmetric) > 0)
        names = np.array([*self.observed, *self.latent])
        rest = np.setdiff1d(np.arange(len(names)), random)
        if np.any(self.symmetric[rest]):
            at = rest[np.flatnonzero(np.any(self.symmetric[rest] != 0, axis=1))[0]]
            raise SpecificationError(self._where(f"{names[at]} has covariances but no positive (residual) variance"))
        lower = np.zeros_like(self.symmetric)
        try:
            with one_thread():
                lower[np.ix_(random, random)] = np.linalg.cholesky(self.symmetric[np.ix_(random, random)])
        except np.linalg.LinAlgError:
            scale = np.sqrt(np.diagonal(self.symmetric)[random])
            correlations = np.abs(self.symmetric[np.ix_(random, random)] / np.outer(scale, scale)) - np.eye(len(random))
            one, other = np.unravel_index(int(np.argmax(correlations)), correlations.shape)
            raise SpecificationError(
                self._where(
                    "the (residual) covariance matrix is not positive definite: its covariances cannot hold together. "
                    f"The largest correlation in it is {correlations[one, other]:.2f}, of {names[random[one]]} and "
                    f"{names[random[other]]}; lower it or the others of these two"
                )
            ) from None
        return lower

    def _where(self, problem: str) -> str:
        of = f"The population of group {self.label!r}" if self.label else "The population"
        return f"{of} is impossible: {problem}."

    def check_stable(self) -> None:
        """Raise SpecificationError where effects that return to their cause grow without end.

        The sum A + A^2 + ... converges where the largest modulus of the eigenvalues of A is below 1 (Bentler and
        Freeman 1983, doi:10.1007/BF02294011).
        """
        with one_thread():
            largest = float(np.abs(np.linalg.eigvals(self.directed)).max(initial=0.0))
        if largest >= 1:
            raise SpecificationError(
                self._where(f"its feedback loops do not settle (stability index {largest:.2f}, must be below 1)")
            )


def standardised_structures(
    specification: Specification, population: Population, products: Mapping[str, tuple[str, str]]
) -> tuple[Structure, ...]:
    """Return the groups of a population whose paths, loadings and covariances are standardised.

    Parameters
    ----------
    specification : Specification
        The completed model, one group for each of `population` that is to be drawn.
    population : Population
    products : mapping of str to (str, str)
        Product constructs of the model.

    Returns
    -------
    tuple of Structure
        One per group of the specification.

    Raises
    ------
    SpecificationError
        The values are impossible: more than all of a variable is explained, covariances that cannot hold together, or
        feedback that does not settle.

    Notes
    -----
    Residual variances follow from unit variances: with T = (I - A)^-1 they solve
    sum_i T_ki^2 psi_i = 1 - (T C T')_kk - q_k, where C holds the residual covariances and q_k what the products add.
    For normal x, Cov(x_a x_b, x_c x_d) = r_ac r_bd + r_ad r_bc, and products are uncorrelated with all linear terms.
    """
    groups = {group.label: group for group in population.groups}
    plain = PopulationGroup("", {}, {})
    return tuple(
        _standardised(specification, population, groups.get(label, plain), label, products)
        for label in specification.groups
    )


def _standardised(
    specification: Specification,
    population: Population,
    group: PopulationGroup,
    label: str,
    products: Mapping[str, tuple[str, str]],
) -> Structure:
    latent = tuple(name for name in specification.latent if name not in products)
    derived = {name for code in products for name in specification.indicators[code]}
    observed = tuple(name for name in specification.observed if name not in derived)
    at = {name: i for i, name in enumerate((*observed, *latent))}
    directed, covariances = np.zeros((len(at), len(at))), np.zeros((len(at), len(at)))
    for construct in latent:
        for name in specification.indicators[construct]:
            directed[at[name], at[construct]] = population.loadings[name]
    effects = []
    for (cause, outcome), value in {**population.paths, **group.paths}.items():
        if cause in products:
            first, second = products[cause]
            effects.append(Product(at[outcome], at[first], at[second], value))
        else:
            directed[at[outcome], at[cause]] = value
    for (one, other), value in population.covariances.items():
        covariances[at[one], at[other]] = covariances[at[other], at[one]] = value
    means = np.zeros(len(at))
    for name, value in group.means.items():
        means[at[name]] = value
    bare = Structure(label, observed, latent, directed, covariances, means, tuple(effects))
    bare.check_stable()
    total = bare.total()
    _check_products(bare, total)
    variances = _residual_variances(bare, total, np.zeros(len(at)))
    if effects:
        correlations = total @ (covariances + np.diag(variances)) @ total.T
        variances = _residual_variances(bare, total, _of_products(bare, total, correlations))
    structure = Structure(label, observed, latent, directed, covariances + np.diag(variances), means, tuple(effects))
    structure.factor()
    return structure


def _residual_variances(bare: Structure, total: Array, added: Array) -> Array:
    """Return the residual variances that give every variable variance 1, shape (v,)."""
    with one_thread():
        known = np.einsum("ki,ij,kj->k", total, bare.symmetric, total) + added
        variances = np.linalg.solve(total**2, 1.0 - known)
    variances[np.abs(variances) < _ROUNDING] = 0.0
    names = (*bare.observed, *bare.latent)
    for name, variance in zip(names, variances, strict=True):
        if variance < 0:
            of = f"The population of group {bare.label!r}" if bare.label else "The population"
            raise SpecificationError(
                f"{of} is impossible: what acts on {name} explains {100 * (1 - variance):.0f} % of its variance. "
                "Lower the paths to it, or the correlations of its causes."
            )
    return np.asarray(variances)


def _check_products(bare: Structure, total: Array) -> None:
    """Raise where a factor of a product depends on what the product acts on: its distribution is then not normal."""
    names = (*bare.observed, *bare.latent)
    for product in bare.products:
        for factor in (product.first, product.second):
            for other in bare.products:
                if abs(total[factor, other.outcome]) > 0:
                    raise SpecificationError(
                        f"{names[factor]} is a factor of a product and depends on {names[other.outcome]}, on which a "
                        "product acts; only products of constructs that come before can be simulated."
                    )


def _of_products(bare: Structure, total: Array, correlations: Array) -> Array:
    """Return the variance that products of standard normal factors add to every variable, shape (v,)."""
    added = np.zeros(len(total))
    for one in bare.products:
        for other in bare.products:
            r = correlations[np.ix_((one.first, one.second), (other.first, other.second))]
            shared = one.effect * other.effect * (r[0, 0] * r[1, 1] + r[0, 1] * r[1, 0])
            added += total[:, one.outcome] * total[:, other.outcome] * shared
    return added


def written_structures(text: str, groups: tuple[str, ...]) -> tuple[Structure, ...]:
    """Return the groups of a population written as lavaan text with numbers.

    Parameters
    ----------
    text : str
        lavaan syntax, ``LOY ~ 0.5*SAT``; what is not given a number is 1 for loadings and (residual) variances and 0
        for everything else, as in lavaan's ``simulateData``.
    groups : tuple of str
        Labels; ("",) for a single group. Numbers by group are written ``c(0.5, 0.3)*SAT``.

    Returns
    -------
    tuple of Structure

    Raises
    ------
    ModelSyntaxError, SpecificationError
        The text cannot be read, or its values are impossible.
    """
    specification = specify(text, fixed_x=False, groups=groups)
    at = {name: i for i, name in enumerate((*specification.observed, *specification.latent))}
    structures = []
    for number, label in enumerate(groups, start=1):
        directed, symmetric, means = np.zeros((len(at), len(at))), np.zeros((len(at), len(at))), np.zeros(len(at))
        for row in specification.parameters:
            if row.group != number:
                continue
            where = place(row, at)
            silent = 1.0 if row.op == "=~" or (row.op == "~~" and row.lhs == row.rhs) else 0.0
            value = row.value if row.value is not None else silent
            if where.matrix == "A":
                directed[where.row, where.col] = value
            elif where.matrix == "S":
                symmetric[where.row, where.col] = symmetric[where.col, where.row] = value
            else:
                means[where.row] = value
        structure = Structure(label, specification.observed, specification.latent, directed, symmetric, means)
        for name, variance in zip((*structure.observed, *structure.latent), np.diagonal(symmetric), strict=True):
            if variance < 0:
                raise SpecificationError(f"The population gives {name} the negative (residual) variance {variance:g}.")
        structure.check_stable()
        structure.factor()
        structures.append(structure)
    return tuple(structures)
