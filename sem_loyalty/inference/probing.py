"""Interactions and curves, probed: the slope of a cause at chosen values of its moderator, and where it is nonzero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sem_loyalty.errors import ConfigurationError, SpecificationError, nearest
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.uncertainty import parameter_covariance
from sem_loyalty.model.scatter import variables
from sem_loyalty.model.spec import Parameter

Array = NDArray[np.float64]
_GRID = 81


@dataclass(frozen=True, slots=True)
class Slope:
    """The slope b1 + k b3 m of a cause at value m of its moderator.

    Attributes
    ----------
    estimates : ndarray, shape (2,)
        b1 and k b3, k being 2 for a square and 1 otherwise.
    cov : ndarray, shape (2, 2)
        Their sampling covariance.
    sd : float
        Model-implied standard deviation of the moderator.
    """

    estimates: Array
    cov: Array
    sd: float

    def at(self, values: Array) -> tuple[Array, Array]:
        """Return slopes and standard errors at values of the moderator."""
        design = np.column_stack([np.ones_like(values), values])
        return design @ self.estimates, np.sqrt(np.einsum("ij,jk,ik->i", design, self.cov, design))


@dataclass(frozen=True, slots=True)
class JohnsonNeyman:
    """Where a slope differs from zero.

    Attributes
    ----------
    bounds : tuple of float
        Values of the moderator at which the slope is just significant; none, one or two.
    inside : bool
        Whether the slope is significant between two bounds; with one bound, below it; with none, everywhere.
    sd : float
        Standard deviation of the moderator.
    level : float
        Coverage of the band.
    band : DataFrame
        value, slope, se, ci_lower, ci_upper, significant: the curve to be drawn.
    expected : DataFrame
        What the model expects of the outcome: in_sd (of the moderator: -1, 0 and 1; for a curve 0 only), value (of the
        cause, within two standard deviations) and outcome, all deviations from means.
    outcome, predictor, moderator : str
        Names of the variables; for a curve the last two are the same.
    predictor_sd : float
        Standard deviation of the cause.
    certified : bool
        Whether the fit is certified; the numbers are not to be reported where it is not.
    """

    bounds: tuple[float, ...]
    inside: bool
    sd: float
    level: float
    band: pd.DataFrame
    expected: pd.DataFrame
    outcome: str
    predictor: str
    moderator: str
    predictor_sd: float
    certified: bool

    def __repr__(self) -> str:
        """Return what print shows: a prompt must not hide the mark."""
        return str(self)

    def __str__(self) -> str:
        """Say in a sentence where the slope differs from zero."""
        p = f"p < {1 - self.level:.2g}"
        if not self.bounds:
            return f"The slope differs from zero ({p}) {'everywhere' if self.inside else 'nowhere'}."
        in_sd = " and ".join(f"{bound:.3f} ({bound / self.sd:+.2f} SD)" for bound in self.bounds)
        if len(self.bounds) == 1:
            return f"The slope differs from zero ({p}) {'below' if self.inside else 'above'} {in_sd}."
        return f"The slope differs from zero ({p}) {'between' if self.inside else 'outside'} {in_sd}."


def simple_slopes(
    fit: Fit,
    outcome: str,
    predictor: str,
    moderator: str | None = None,
    *,
    product: str | None = None,
    values: Sequence[float] | None = None,
    group: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the slope of a cause at values of its moderator.

    Parameters
    ----------
    fit : Fit
        Of a model with a product construct or product variable.
    outcome, predictor : str
        Variables of the model.
    moderator : str, optional
        By default the predictor itself: the slope of a curve.
    product : str, optional
        The variable that stands for predictor times moderator; by default the one whose name is theirs with an "x"
        between, in either order.
    values : sequence of float, optional
        Of the moderator, as deviations from its mean; by default one standard deviation below, the mean and one above.
    group : int, default 1
        Group number.
    level : float, default 0.95
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        value, in_sd, slope, se, z, pvalue, ci_lower, ci_upper; one row per value.

    Raises
    ------
    SpecificationError
        The model has no such path or product.
    ConfigurationError
        A level that is no coverage.

    Notes
    -----
    slope(m) = b1 + b3 m, for a square b1 + 2 b3 x; its variance v11 + 2 m v13 + m^2 v33 (Aiken and West 1991). Other
    moderators of the same cause are held at their means. Predictor and moderator are deviations from their means, as
    centred `product_indicators` have them; with residual-centred products this holds where the factors are symmetric.
    """
    slope = _slope(fit, outcome, predictor, moderator or predictor, product, group)
    at = np.array([-slope.sd, 0.0, slope.sd]) if values is None else np.asarray(values, dtype=np.float64)
    estimate, se = slope.at(at)
    width = ndtri(0.5 + _checked(level) / 2) * se
    z = estimate / se
    columns = {
        "value": at, "in_sd": at / slope.sd, "slope": estimate, "se": se, "z": z, "pvalue": 2 * ndtr(-np.abs(z)),
        "ci_lower": estimate - width, "ci_upper": estimate + width,
    }  # fmt: skip
    return pd.DataFrame(columns)


def johnson_neyman(
    fit: Fit,
    outcome: str,
    predictor: str,
    moderator: str | None = None,
    *,
    product: str | None = None,
    group: int = 1,
    level: float = 0.95,
    reach: float = 3.0,
) -> JohnsonNeyman:
    """Return the values of the moderator at which the slope of a cause differs from zero.

    Parameters
    ----------
    fit, outcome, predictor, moderator, product, group, level
        As for `simple_slopes`.
    reach : float, default 3.0
        How many standard deviations to either side `band` extends.

    Returns
    -------
    JohnsonNeyman
        Bounds may lie outside the data; look at `bounds` in standard deviations.

    Raises
    ------
    SpecificationError, ConfigurationError
        As for `simple_slopes`.

    Notes
    -----
    The bounds solve (b1 + b3 m)^2 = c^2 (v11 + 2 m v13 + m^2 v33), c the normal quantile.

    References
    ----------
    Bauer, D. J., & Curran, P. J. (2005). Probing interactions in fixed and multilevel regression. Multivariate
    Behavioral Research, 40, 373-400. doi:10.1207/s15327906mbr4003_5
    """
    slope = _slope(fit, outcome, predictor, moderator or predictor, product, group)
    critical = float(ndtri(0.5 + _checked(level) / 2))
    (b1, b3), cov = slope.estimates, critical**2 * slope.cov
    square, linear, constant = b3**2 - cov[1, 1], 2 * (b1 * b3 - cov[0, 1]), b1**2 - cov[0, 0]
    disc = linear**2 - 4 * square * constant
    bounds: tuple[float, ...]
    if square == 0:
        bounds = () if linear == 0 else (float(-constant / linear),)
    else:
        roots = () if disc < 0 else tuple((-linear + sign * np.sqrt(disc)) / (2 * square) for sign in (-1, 1))
        bounds = tuple(sorted(float(root) for root in roots))
    probe = np.mean(bounds) if len(bounds) == 2 else bounds[0] - slope.sd if bounds else 0.0
    at = np.linspace(-reach * slope.sd, reach * slope.sd, _GRID)
    estimate, se = slope.at(at)
    band = pd.DataFrame(
        {
            "value": at, "slope": estimate, "se": se, "ci_lower": estimate - critical * se,
            "ci_upper": estimate + critical * se, "significant": np.abs(estimate) > critical * se,
        }
    )  # fmt: skip
    inside = square * probe**2 + linear * probe + constant > 0
    other = moderator or predictor
    expected, sd = _expected(fit, slope, outcome, predictor, other, group)
    certified = fit.certificate.certified
    return JohnsonNeyman(
        bounds, bool(inside), slope.sd, level, band, expected, outcome, predictor, other, sd, certified
    )


def _expected(
    fit: Fit, slope: Slope, outcome: str, predictor: str, moderator: str, group: int
) -> tuple[pd.DataFrame, float]:
    """Return what is expected of the outcome over the cause, and the cause's standard deviation.

    A product of deviations has the mean cov(x, m), so the outcome deviates from its own mean by
    b1 x + b2 m + b3 (x m - cov(x, m)).
    """
    position, total = variables(fit.specification), fit.point.implied[group - 1].total
    x, m = position[predictor], position[moderator]
    sd, curve = float(np.sqrt(total[x, x])), predictor == moderator
    own = [
        _value(fit, row)
        for row in fit.specification.parameters
        if row.op == "~" and row.lhs == outcome and row.rhs == moderator and row.group == group
    ]
    b1, b3 = float(slope.estimates[0]), float(slope.estimates[1]) / (2.0 if curve else 1.0)
    at = np.linspace(-2.0 * sd, 2.0 * sd, _GRID)
    parts = []
    for in_sd in (0,) if curve else (-1, 0, 1):
        level = at if curve else np.full_like(at, in_sd * slope.sd)
        values = b1 * at + b3 * (at * level - total[x, m]) + (0.0 if curve else (own[0] if own else 0.0) * level)
        parts.append(pd.DataFrame({"in_sd": in_sd, "value": at, "outcome": values}))
    return pd.concat(parts, ignore_index=True), sd


def _checked(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise ConfigurationError(f"level={level!r} is not a coverage between 0 and 1.")
    return level


def _slope(fit: Fit, outcome: str, predictor: str, moderator: str, product: str | None, group: int) -> Slope:
    rows = {
        row.rhs: row
        for row in fit.specification.parameters
        if row.op == "~" and row.lhs == outcome and row.group == group
    }
    if not rows:
        hint = nearest(outcome, fit.specification.outcomes)
        raise SpecificationError(f"Nothing explains {outcome!r} in group {group} of this model. {hint}".strip())
    candidates = (f"{predictor}x{moderator}", f"{moderator}x{predictor}") if product is None else (product,)
    found = [name for name in candidates if name in rows]
    for name in () if found and predictor in rows else (predictor, *candidates[: not found]):
        if name not in rows:
            raise SpecificationError(
                f"The model has no path {name} -> {outcome} in group {group}; it has {', '.join(rows)}. Name the "
                f"variable that stands for the product with `product`. {nearest(name, rows)}".strip()
            )
    factor = 2.0 if moderator == predictor else 1.0
    pair = (rows[predictor], rows[found[0]])
    weight = np.array([1.0, factor])
    covariance = parameter_covariance(fit)
    cov = np.zeros((2, 2))
    for i, one in enumerate(pair):
        for j, other in enumerate(pair):
            if one.free >= 0 and other.free >= 0:
                cov[i, j] = weight[i] * weight[j] * covariance[one.free, other.free]
    position = variables(fit.specification)
    if moderator not in position:
        raise SpecificationError(f"{moderator!r} is not in the model. {nearest(moderator, position)}".strip())
    variance = fit.point.implied[group - 1].total[position[moderator], position[moderator]]
    return Slope(weight * np.array([_value(fit, row) for row in pair]), cov, float(np.sqrt(variance)))


def _value(fit: Fit, row: Parameter) -> float:
    return float(fit.theta[row.free]) if row.free >= 0 else float(row.value or 0.0)
