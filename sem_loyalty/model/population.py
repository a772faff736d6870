"""Chosen values to simulate answers from: a population in a model's own terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PopulationGroup:
    """A group of a population: where it differs.

    Attributes
    ----------
    label : str
        Value of the grouping variable.
    paths : mapping of (str, str) to float
        Paths, (cause, outcome), that take the place of the population's own.
    means : mapping of str to float
        Intercepts of constructs, in standard deviations of the construct; 0 where absent.
    """

    label: str
    paths: Mapping[tuple[str, str], float]
    means: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Population:
    """Chosen values to simulate answers from; they are nobody's estimates.

    Constructs and answers have variance 1 before answers are cut into categories, so paths and loadings are
    standardised and residual variances follow. A population that is not of this kind (means that grow, variances that
    change) is written as `text`, and the mappings are empty.

    Attributes
    ----------
    nobs : int
        Respondents of the survey for which the model is meant.
    paths : mapping of (str, str) to float
        Standardised paths, (cause, outcome). A path from a product of constructs multiplies the product of the
        standardised constructs, less its expectation.
    loadings : mapping of str to float
        Standardised loading of each item, and of each construct that measures one of higher order.
    covariances : mapping of (str, str) to float
        Correlations of exogenous constructs, and covariances of the residuals of other variables.
    thresholds : tuple of float
        Increasing cuts of an answer into categories, one fewer than there are categories.
    shift : mapping of str to float
        By how much an item's thresholds lie lower than `thresholds`; 0 where absent.
    groups : tuple of PopulationGroup
        Groups of equal size, or none.
    text : str
        lavaan text with a number for every parameter, or "".
    """

    nobs: int
    paths: Mapping[tuple[str, str], float]
    loadings: Mapping[str, float]
    covariances: Mapping[tuple[str, str], float]
    thresholds: tuple[float, ...]
    shift: Mapping[str, float]
    groups: tuple[PopulationGroup, ...]
    text: str = ""
