"""`simulate`: answers drawn from a population that one has chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.design.answers import Missing, cut, equal_cuts, remove, thresholds_of
from sem_loyalty.design.draws import Draws
from sem_loyalty.design.structure import Structure, standardised_structures, written_structures
from sem_loyalty.design.vale_maurelli import non_normal
from sem_loyalty.errors import ConfigurationError, NotSupported, SpecificationError, nearest
from sem_loyalty.model.defaults import specify
from sem_loyalty.model.library import load_model
from sem_loyalty.model.model_file import ModelFile

Array = NDArray[np.float64]
_RESPONDENTS = 500


def simulate(
    model: str | Path | ModelFile,
    nobs: int | Sequence[int] | None = None,
    *,
    seed: int,
    population: str | None = None,
    categories: int | str | None = "model",
    thresholds: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    skew: float = 0.0,
    skewness: float | Mapping[str, float] | None = None,
    kurtosis: float | Mapping[str, float] | None = None,
    missing: float | Missing | Sequence[Missing] = 0.0,
    group: str | None = None,
    groups: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Draw a survey from a population.

    Parameters
    ----------
    model : str, Path or ModelFile
        Id of a library model, path of a .lav file whose description has a population, or lavaan text with numbers,
        ``LOY ~ 0.5*SAT``. In such a text, what has no number is 1 for loadings and (residual) variances and 0 for
        everything else, as in lavaan's ``simulateData``.
    nobs : int or sequence of int, optional
        Respondents: of the whole sample, divided equally among the groups (the first take what is left over), or one
        number per group. By default those that the model's population states, and 500 for a text.
    seed : int
        Not negative; the same seed gives the same answers, whatever the number of threads.
    population : str, optional
        lavaan text with numbers that takes the place of the model's own population.
    categories : int, "model" or None, default "model"
        "model": the thresholds of the model's population, and continuous answers for a text. A number: so many
        categories of equal width over four standard deviations of each item. None: continuous answers.
    thresholds : sequence of float, or mapping of str to sequence of float, optional
        Increasing cuts on the scale of the continuous response, for all items or by item, instead of `categories`.
    skew : float, default 0.0
        With `categories` a number: by how many standard deviations all cuts move up, so that answers bunch at the low
        end; negative for answers that bunch at agreement.
    skewness, kurtosis : float or mapping of str to float, optional
        Third and fourth standardised cumulants of the continuous responses (0 and 0 are normal), for all items or by
        item (Vale and Maurelli 1983).
    missing : float, Missing or sequence of Missing, default 0.0
        Share of answers that are missing completely at random, or rules; see `Missing`.
    group : str, optional
        Name of the column that holds the group. A library model without groups of its own is then drawn in the groups
        of its population; "group" by default where there are groups.
    groups : sequence of str, optional
        Labels of the groups of a text, in the order of its ``c(...)``.

    Returns
    -------
    DataFrame
        One row per respondent; items in the order of the model, after the group. Categories are whole numbers from
        the lowest answer of the model's scale (1 for a text), already turned round where a question is reverse-worded:
        more always means more of the construct.

    Raises
    ------
    SpecificationError
        A population that cannot be: negative residual variances, covariances that cannot hold together, feedback that
        does not settle, a shape that does not exist; or a model without a population.
    ModelSyntaxError
        A text that cannot be read.
    ConfigurationError, DataError
        Arguments that make no sense; the message says which.
    NotSupported
        Shapes together with products of constructs.

    Notes
    -----
    v = (I - A)^-1 (m + e), e normal with covariance S, which holds for recursive and non-recursive models alike. In a
    library population constructs and responses have variance 1 (S follows from the paths); an effect of a product is
    of the product of the two constructs less its expectation. Only the integers of PCG64 are random; factors are
    Cholesky factors, so nothing depends on the linear algebra library's choice of signs.

    References
    ----------
    Bollen, K. A. (1989). Structural equations with latent variables. Wiley. doi:10.1002/9781118619179

    Vale, C. D., & Maurelli, V. A. (1983). Simulating multivariate nonnormal distributions. Psychometrika, 48,
    465-471. doi:10.1007/BF02293687

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> sl.simulate("core", 200, seed=1).shape
    (200, 17)
    >>> answers = sl.simulate("SAT =~ 0.8*s1 + 0.7*s2 + 0.7*s3", 50, seed=1, categories=5)
    >>> sorted(map(int, answers["s1"].unique()))
    [1, 2, 3, 4, 5]
    """
    file = None if _is_text(model) else model if isinstance(model, ModelFile) else load_model(model)
    text = population or (str(model) if file is None else "")
    structures = _of_text(text, groups) if text else _of_file(_given(file), group, groups)
    sizes = _sizes(nobs, structures, file)
    items = _reported(structures[0], file)
    if (skewness is not None or kurtosis is not None) and any(structure.products for structure in structures):
        raise NotSupported("skewness and kurtosis cannot be set where products of constructs act; leave them out.")
    draws = Draws(seed, 0)
    shapes = None
    if skewness is not None or kurtosis is not None:
        shapes = (_by_item(skewness, items, "skewness"), _by_item(kurtosis, items, "kurtosis"))
    parts = [
        _responses(structure, size, draws, items, shapes) for structure, size in zip(structures, sizes, strict=True)
    ]
    responses = np.vstack(parts)
    cuts = _cuts(categories, thresholds, skew, items, file if not text else None, structures[0])
    lowest = file.scale.minimum if file is not None and file.scale is not None else 1
    answers = responses if cuts is None else cut(responses, cuts, lowest)
    frame = pd.DataFrame(answers, columns=items)
    if len(structures) > 1:
        column = group or (file.grouping.column if file is not None and file.grouping is not None else "group")
        labels = np.repeat([structure.label for structure in structures], sizes)
        frame.insert(0, column, labels.astype(object))
    return remove(frame, items, _rules(missing), Draws(seed, 1))


def _is_text(model: str | Path | ModelFile) -> bool:
    return isinstance(model, str) and ("\n" in model or any(sign in model for sign in "~=～＝∼"))


def _given(file: ModelFile | None) -> ModelFile:
    if file is None or file.population is None:
        name = "The model" if file is None else f"Model '{file.id}'"
        raise SpecificationError(
            f"{name} has no population to simulate from. Give one: population='LOY ~ 0.5*SAT ...', lavaan text with a "
            "number for every parameter."
        )
    return file


def _of_text(text: str, groups: Sequence[str] | None) -> tuple[Structure, ...]:
    labels = tuple(groups) if groups is not None else ("",)
    if len(set(labels)) < len(labels) or not labels:
        raise ConfigurationError(f"groups={list(labels)} must be different labels.")
    return written_structures(text, labels)


def _of_file(file: ModelFile, group: str | None, groups: Sequence[str] | None) -> tuple[Structure, ...]:
    population = file.population
    if population is None:
        raise SpecificationError(f"Model '{file.id}' has no population to simulate from.")
    if groups is not None:
        raise ConfigurationError("groups: the groups of a library model are those of its population; leave it out.")
    labels = tuple(entry.label for entry in population.groups)
    if file.grouping is None and group is None:
        labels = ("",)
    if not labels:
        raise ConfigurationError(f"group={group!r}: the population of model '{file.id}' has no groups.")
    if population.text:
        return written_structures(population.text, labels)
    return standardised_structures(specify(file.text, groups=labels), population, file.products)


def _sizes(nobs: int | Sequence[int] | None, structures: Sequence[Structure], file: ModelFile | None) -> list[int]:
    """Return how many respondents each group has."""
    count = len(structures)
    if nobs is None:
        nobs = file.population.nobs if file is not None and file.population is not None else _RESPONDENTS
    if isinstance(nobs, (int, np.integer)) and not isinstance(nobs, bool):
        sizes = [int(nobs) // count + (k < int(nobs) % count) for k in range(count)]
    else:
        sizes = [int(size) for size in nobs] if isinstance(nobs, Sequence) and not isinstance(nobs, str) else []
    if len(sizes) != count or min(sizes) < 1:
        raise ConfigurationError(f"nobs={nobs!r} must be a number of respondents, or one for each of {count} groups.")
    return sizes


def _reported(structure: Structure, file: ModelFile | None) -> list[str]:
    """Return the items in the order of the questionnaire."""
    if file is None:
        return list(structure.observed)
    asked = [item.name for item in file.items]
    return [*(name for name in asked if name in structure.observed), *(n for n in structure.observed if n not in asked)]


def _responses(
    structure: Structure, size: int, draws: Draws, items: list[str], shapes: tuple[Array, Array] | None
) -> Array:
    """Draw continuous responses of one group, shape (size, items)."""
    names = {name: i for i, name in enumerate(structure.observed)}
    order = [names[name] for name in items]
    if shapes is not None:
        mean, cov = structure.moments()
        normal = draws.normal(size, len(order))
        return mean[order] + non_normal(normal, cov[np.ix_(order, order)], *shapes)
    total = structure.total()
    normal = draws.normal(size, len(structure.directed))
    # einsum adds in a fixed order; a threaded matrix product need not.
    residuals = structure.intercepts + np.einsum("nj,ij->ni", normal, structure.factor())
    values = np.einsum("nj,ij->ni", residuals, total)
    if structure.products:
        moments = np.einsum("ij,jk,lk->il", total, structure.symmetric, total)
        added = np.zeros_like(values)
        centred = values - np.einsum("j,ij->i", structure.intercepts, total)
        for product in structure.products:
            expected = moments[product.first, product.second]
            term = product.effect * (centred[:, product.first] * centred[:, product.second] - expected)
            added += term[:, None] * total[:, product.outcome]
        values += added
    return np.asarray(values[:, order])


def _cuts(
    categories: int | str | None,
    thresholds: Sequence[float] | Mapping[str, Sequence[float]] | None,
    skew: float,
    items: list[str],
    file: ModelFile | None,
    structure: Structure,
) -> tuple[Array, ...] | None:
    """Return the cuts of every item, or None for continuous answers."""
    if thresholds is not None:
        if categories != "model" or skew:
            raise ConfigurationError("Give either thresholds, or categories with skew.")
        return thresholds_of(thresholds, items)
    if categories is None or categories == "model":
        if skew:
            raise ConfigurationError("skew moves the cuts of equally wide categories; give their number.")
        if categories is None or file is None or file.population is None:
            return None
        shift = file.population.shift
        return tuple(np.asarray(file.population.thresholds) - shift.get(name, 0.0) for name in items)
    if isinstance(categories, str):
        raise ConfigurationError(f"categories={categories!r} is not a number of categories, 'model' or None.")
    cuts = equal_cuts(categories, skew)
    mean, cov = structure.moments()
    at = {name: i for i, name in enumerate(structure.observed)}
    # The cuts of all groups are those of the first, or groups could not be compared.
    return tuple(mean[at[name]] + np.sqrt(cov[at[name], at[name]]) * cuts for name in items)


def _by_item(values: float | Mapping[str, float] | None, items: list[str], what: str) -> Array:
    if isinstance(values, Mapping):
        for name in values:
            if name not in items:
                raise ConfigurationError(f"{what}: {name!r} is not an item. {nearest(name, items)}".strip())
        return np.array([float(values.get(name, 0.0)) for name in items])
    return np.full(len(items), 0.0 if values is None else float(values))


def _rules(missing: float | Missing | Sequence[Missing]) -> list[Missing]:
    if isinstance(missing, Missing):
        return [missing]
    if isinstance(missing, Sequence):
        return list(missing)
    return [Missing(missing)] if missing else []
