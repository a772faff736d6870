"""The models behind the checks of method bias, as texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.hypothesis_tests import likelihood_ratio_test
from sem_loyalty.inference.standardise import row_values
from sem_loyalty.model.tokens import write_name

METHOD, MARKER, SINGLE, LABEL = "method_", "marker_", "single_", "m_"


@dataclass(frozen=True, slots=True)
class MarkerModels:
    """The sequence of models with a marker.

    Attributes
    ----------
    free, baseline, same, different, restricted : Fit
        CFA with the marker; Baseline; Method-C; Method-U; Method-R.
    chosen : Fit
        Method-U where its loadings differ from item to item, else Method-C.
    pvalues : tuple of float
        Baseline against Method-C, Method-C against Method-U, the chosen one against Method-R.
    """

    free: Fit
    baseline: Fit
    same: Fit
    different: Fit
    restricted: Fit
    chosen: Fit
    pvalues: tuple[float, float, float]
    rows: list[tuple[str, Fit, Fit | None]] = field(repr=False)


def _block(construct: str, items: Sequence[str]) -> str:
    listed = " + ".join(write_name(item) for item in items)
    # A single indicator is its construct.
    alone = f"\n{write_name(items[0])} ~~ 0*{write_name(items[0])}" if len(items) == 1 else ""
    return f"{write_name(construct)} =~ {listed}{alone}"


def construct_model(blocks: Mapping[str, Sequence[str]]) -> str:
    """Return the measurement part, all constructs correlated."""
    return "\n".join(_block(construct, items) for construct, items in blocks.items())


def single_factor_model(items: Sequence[str]) -> str:
    """Return one factor behind all items."""
    return f"{SINGLE} =~ {' + '.join(write_name(item) for item in items)}"


def _orthogonal(factor: str, constructs: Sequence[str]) -> str:
    return "\n".join(f"{factor} ~~ 0*{write_name(construct)}" for construct in constructs)


def method_factor_model(blocks: Mapping[str, Sequence[str]]) -> str:
    """Return the measurement part with a method factor: equal loadings on all items, no correlations."""
    items = tuple(dict.fromkeys(item for own in blocks.values() for item in own))
    first = write_name(items[0])
    loadings = " + ".join([f"NA*{first} + {LABEL}*{first}", *(f"{LABEL}*{write_name(item)}" for item in items[1:])])
    return "\n".join(
        [
            construct_model(blocks),
            f"{METHOD} =~ {loadings}",
            f"{METHOD} ~~ 1*{METHOD}",
            _orthogonal(METHOD, tuple(blocks)),
        ]
    )


def marker_models(
    blocks: Mapping[str, Sequence[str]], marker: Sequence[str], fit: Callable[[str], Fit], alpha: float
) -> MarkerModels:
    """Fit the sequence of models with a marker.

    Parameters
    ----------
    blocks : mapping
        Items by construct.
    marker : sequence of str
        Items of the marker.
    fit : callable
        Fits a text.
    alpha : float
        Level at which loadings differ from item to item.
    """
    items = tuple(dict.fromkeys(item for own in blocks.values() for item in own))
    free = fit(construct_model({**blocks, MARKER: marker}))
    fixed = _fixed_marker(free, marker)
    apart = _orthogonal(MARKER, tuple(blocks))
    core = "\n".join([construct_model(blocks), apart])
    baseline = fit("\n".join([core, fixed]))
    equal = " + ".join(f"{LABEL}*{write_name(item)}" for item in items)
    unequal = " + ".join(write_name(item) for item in items)
    same = fit("\n".join([core, fixed, f"{MARKER} =~ {equal}"]))
    different = fit("\n".join([core, fixed, f"{MARKER} =~ {unequal}"]))
    sameness = _p(same, different)
    chosen, method = (same, equal) if sameness >= alpha else (different, unequal)
    held = _fixed_between(baseline, tuple(blocks))
    restricted = fit("\n".join([core, fixed, held, f"{MARKER} =~ {method}"]))
    rows: list[tuple[str, Fit, Fit | None]] = [
        ("marker: CFA", free, None),
        ("marker: Baseline", baseline, None),
        ("marker: Method-C", same, baseline),
        ("marker: Method-U", different, same),
        ("marker: Method-R", restricted, chosen),
    ]
    pvalues = (_p(baseline, same), sameness, _p(restricted, chosen))
    return MarkerModels(free, baseline, same, different, restricted, chosen, pvalues, rows)


def _p(narrow: Fit, wide: Fit) -> float:
    return float(likelihood_ratio_test(narrow, wide)["pvalue"].iloc[1])


def _fixed_marker(free: Fit, marker: Sequence[str]) -> str:
    """Return the marker's loadings, residual variances and variance as constants, at their values in the CFA."""
    lines = []
    for row, value in zip(free.specification.parameters, row_values(free), strict=True):
        own = row.lhs in (MARKER, *marker) and row.rhs in (MARKER, *marker)
        if own and row.op in ("=~", "~~"):
            lines.append(f"{write_name(row.lhs)} {row.op} {float(value)!r}*{write_name(row.rhs)}")
    return "\n".join(lines)


def _fixed_between(baseline: Fit, constructs: Sequence[str]) -> str:
    """Return the covariances and variances of the constructs as constants, at their values in the Baseline model."""
    lines = []
    for row, value in zip(baseline.specification.parameters, row_values(baseline), strict=True):
        if row.op == "~~" and row.lhs in constructs and row.rhs in constructs and row.lhs != row.rhs:
            lines.append(f"{write_name(row.lhs)} ~~ {float(value)!r}*{write_name(row.rhs)}")
    return "\n".join(lines)
