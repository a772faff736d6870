"""The measurement part of a fitted model, as arrays: loadings, moments of the items, moments of the constructs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sem_loyalty.errors import ConfigurationError, DataError, NotSupported, nearest

if TYPE_CHECKING:
    from sem_loyalty.fitting.solution import Fit

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MeasurementModel:
    """The measurement part of a model in one group.

    Attributes
    ----------
    group : str
        Label of the group; "" where there is one.
    n : int
        Respondents.
    constructs : tuple of str, length k
        Latent variables with indicators, in the order of the model.
    items : tuple of str, length p
        Observed indicators.
    loadings, loadings_std : ndarray, shape (p, k)
        Loadings of the items, unstandardised and completely standardised; 0 where there is none.
    higher, higher_std : ndarray, shape (k, k)
        Loadings of constructs (rows) on constructs (columns): second and higher order.
    indicates : ndarray of bool, shape (p + k, k)
        Which items, and below them which constructs, are indicators of which construct.
    cov, cov_implied : ndarray, shape (p, p)
        Covariance matrix of the items in the sample (divided by n) and in the model.
    cov_latent, cor_latent : ndarray, shape (k, k)
        Covariances and correlations of the constructs in the model.
    cor_items : ndarray, shape (p, k)
        Correlations of items and constructs in the model: standardised structure coefficients.
    """

    group: str
    n: int
    constructs: tuple[str, ...]
    items: tuple[str, ...]
    loadings: Array
    loadings_std: Array
    higher: Array
    higher_std: Array
    indicates: NDArray[np.bool_]
    cov: Array
    cov_implied: Array
    cov_latent: Array
    cor_latent: Array
    cor_items: Array

    def own(self, construct: int) -> NDArray[np.intp]:
        """Return the positions of the items that are indicators of a construct."""
        return np.flatnonzero(self.indicates[: len(self.items), construct])

    def dimensions(self, construct: int) -> NDArray[np.intp]:
        """Return the positions of the constructs that are indicators of a construct."""
        return np.flatnonzero(self.indicates[len(self.items) :, construct])

    def below(self, construct: int) -> NDArray[np.intp]:
        """Return the positions of all items under a construct, through its dimensions too, in order."""
        seen: set[int] = set()
        found: set[int] = set()
        waiting = [construct]
        while waiting:
            current = waiting.pop()
            if current in seen:
                continue
            seen.add(current)
            found.update(int(i) for i in self.own(current))
            waiting += [int(k) for k in self.dimensions(current)]
        return np.array(sorted(found), dtype=np.intp)

    def shared(self, construct: int) -> tuple[str, ...]:
        """Return the items of a construct that are indicators of another construct as well."""
        counts = self.indicates[: len(self.items)].sum(axis=1)
        return tuple(self.items[i] for i in self.own(construct) if counts[i] > 1)

    def negative(self, construct: int) -> tuple[str, ...]:
        """Return the items of a construct whose loading has the sign opposite to most of its items."""
        own = self.own(construct)
        values = self.loadings_std[own, construct]
        sign = 1.0 if (values > 0).sum() >= (values < 0).sum() else -1.0
        return tuple(self.items[i] for i, value in zip(own, values, strict=True) if value * sign < 0)


def group_number(labels: tuple[str, ...], group: int | str) -> int:
    """Return the number of a group, counted from 1, from its number or label.

    Raises
    ------
    ConfigurationError
        There is no such group; the message lists them.
    """
    if isinstance(group, str):
        if group in labels:
            return labels.index(group) + 1
    elif 1 <= group <= len(labels):
        return group
    listed = ", ".join(f"{i} {label!r}" if label else str(i) for i, label in enumerate(labels, start=1))
    raise ConfigurationError(
        f"group={group!r} does not exist; there are: {listed}. {nearest(str(group), labels)}".strip()
    )


def measurement_model(fit: Fit, group: int | str = 1) -> MeasurementModel:
    """Return the measurement part of a fitted model in one group.

    Parameters
    ----------
    fit : Fit
    group : int or str, default 1
        Number of the group, counted from 1, or its label.

    Returns
    -------
    MeasurementModel

    Raises
    ------
    ConfigurationError
        There is no such group.
    DataError
        The model has no latent variable with indicators.
    NotSupported
        The model was fitted to ordinal items.
    """
    from sem_loyalty.inference.estimates import estimates
    from sem_loyalty.inference.implied import model_implied

    if fit.specification.ordered:
        # Correlations of the responses behind the answers would give the reliability of scores that nobody has.
        raise NotSupported(
            "Reliability and validity of a model of ordinal items are not supported; available: those of the same "
            "model fitted with an estimator for continuous items, such as 'MLR'."
        )
    number = group_number(tuple(entry.label for entry in fit.moments.groups), group)
    indicators = {name: members for name, members in fit.specification.indicators.items() if members}
    if not indicators:
        raise DataError("The model has no latent variable with indicators (=~), so there is nothing to measure.")
    constructs = tuple(name for name in fit.specification.latent if name in indicators)
    observed = set(fit.specification.observed)
    items = tuple(dict.fromkeys(member for name in constructs for member in indicators[name] if member in observed))
    position = {name: i for i, name in enumerate((*items, *constructs))}
    size = (len(position), len(constructs))
    raw, std = np.zeros(size), np.zeros(size)
    indicates = np.zeros(size, dtype=bool)
    for column, name in enumerate(constructs):
        for member in indicators[name]:
            if member in position:
                indicates[position[member], column] = True
    frame = estimates(fit)
    rows = frame[(frame["op"] == "=~") & (frame["group"] == number)]
    for lhs, rhs, est, std_all in zip(rows["lhs"], rows["rhs"], rows["est"], rows["std_all"], strict=True):
        if lhs in constructs and rhs in position:
            raw[position[rhs], constructs.index(lhs)] = est
            std[position[rhs], constructs.index(lhs)] = std_all
    implied = model_implied(fit, number)
    names = [*items, *constructs]
    total = implied["cov_all"].loc[names, names].to_numpy(dtype=np.float64)
    entry = fit.moments.groups[number - 1]
    at = [fit.specification.observed.index(item) for item in items]
    p = len(items)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.diag(total))
        correlations = total / np.outer(spread, spread)
    return MeasurementModel(
        group=entry.label,
        n=entry.n,
        constructs=constructs,
        items=items,
        loadings=raw[:p],
        loadings_std=std[:p],
        higher=raw[p:],
        higher_std=std[p:],
        indicates=indicates,
        # With the divisor of the estimator: n, or n - 1 for least squares.
        cov=fit.samples[number - 1].cov[np.ix_(at, at)],
        cov_implied=total[:p, :p],
        cov_latent=total[p:, p:],
        cor_latent=correlations[p:, p:],
        cor_items=correlations[:p, p:],
    )
