"""What ordinal items add to a model: thresholds, scales, and what cannot be written about them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sem_loyalty.errors import NotSupported, SpecificationError
from sem_loyalty.model.roles import Roles
from sem_loyalty.model.rows import Row
from sem_loyalty.model.syntax import ModelText


@dataclass(frozen=True, slots=True)
class Ordinal:
    """The ordinal items of a model.

    Attributes
    ----------
    categories : mapping of str to int
        Number of categories by item; empty where no item is ordinal.
    parameterization : {"delta", "theta"}
        Whether scales or residual variances are parameters.
    """

    categories: Mapping[str, int]
    parameterization: str

    def thresholds(self, observed: Collection[str]) -> Iterator[tuple[str, str]]:
        """Yield item and threshold ("t1", ...) in the order of the observed variables."""
        for name in observed:
            for number in range(1, self.categories.get(name, 1)):
                yield name, f"t{number}"


def refuse_unsupported(text: ModelText, ordered: Collection[str] | None = None) -> None:
    """Raise NotSupported for the statements that no estimator here can honour.

    Parameters
    ----------
    text : ModelText
    ordered : collection of str, optional
        The ordinal items; None where they are not known yet, so that thresholds and scales pass.
    """
    for statement in text.statements:
        if statement.op == "<~":
            raise NotSupported(
                f"Line {statement.line}: composites (`<~`) need a composite-based estimator, sl.pls; "
                "reflective constructs (`=~`) are supported."
            )
        if statement.op in ("|", "~*~") and ordered is not None and statement.lhs not in ordered:
            what = "thresholds (`|`)" if statement.op == "|" else "scaling factors (`~*~`)"
            raise NotSupported(
                f"Line {statement.line}: {what} are of ordinal items only; name {statement.lhs} in `ordered` of `fit`."
            )


def refuse_ordinal_predictors(text: ModelText, role: Roles, items: Collection[str]) -> None:
    """Raise NotSupported where an ordinal item explains another variable."""
    explaining = {statement.rhs.name for statement in text.statements if statement.op == "~"}
    predictors = [name for name in role.observed if name in explaining and name in items]
    if predictors:
        raise NotSupported(
            f"{', '.join(predictors)}: ordinal items as predictors are not supported; available: ordinal indicators "
            "and outcomes. Leave predictors out of `ordered` to take them as numbers, or give a column of zeros and "
            "ones for each category but one."
        )


def refuse_for_ordinal(text: ModelText, role: Roles, items: Ordinal, kind: str) -> None:
    """Raise for what a model with ordinal items cannot have here."""
    if kind == "growth":
        raise NotSupported("Growth models of ordinal items are not supported; available: kind='sem' and 'cfa'.")
    refuse_ordinal_predictors(text, role, items.categories)
    for statement in text.statements:
        delta = items.parameterization == "delta"
        own = statement.op in ("~~", "~*~") and statement.lhs == statement.rhs.name
        if statement.op == "~~" and own and delta and statement.lhs in items.categories:
            raise NotSupported(
                f"Line {statement.line}: in the delta parameterisation the residual variance of an ordinal item "
                "follows from its loadings and cannot be written; available: parameterization='theta'."
            )
        if statement.op == "~*~" and (not own or not delta):
            why = "is that of one item (`y1 ~*~ y1`)" if not own else "follows from the other parameters with theta"
            raise SpecificationError(f"Line {statement.line}: a scaling factor {why}.")
        if statement.op == "|" and int(statement.rhs.name[1:]) >= items.categories[statement.lhs]:
            raise SpecificationError(
                f"Line {statement.line}: {statement.lhs} has {items.categories[statement.lhs]} categories in the data, "
                f"so there is no threshold {statement.rhs.name}."
            )


def fix_ordinal(rows: list[Row], items: Ordinal) -> None:
    """Fix, or derive, the scales and residual variances of ordinal items, in place.

    Delta: scales are one, and residual variances follow from the other parameters. Theta: the other way round.
    """
    delta = items.parameterization == "delta"
    for row in rows:
        if row.lhs not in items.categories or row.lhs != row.rhs or row.op not in ("~~", "~*~"):
            continue
        row.derived = (row.op == "~~") == delta
        # What the user writes without a value is free.
        row.fixed = None if row.derived or row.user else 1.0
