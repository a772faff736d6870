"""A model as Mplus input: every parameter of the table is stated, so that no default of Mplus decides anything."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from sem_loyalty.errors import NotSupported
from sem_loyalty.model.expression import Expression, Name
from sem_loyalty.model.spec import ExpressionConstraint, LinearConstraint, Parameter, Specification
from sem_loyalty.publish.export.names import Names, mplus_names, name_table, plain
from sem_loyalty.publish.export.source import Source, number, shared_positions

DATA = "mplus.dat"
#: Mplus cuts lines after 90 characters.
WIDTH = 78
ESTIMATORS = {
    False: ("ML", "MLM", "MLMV", "MLR", "GLS", "ULS", "WLS"),
    True: ("WLSMV", "ULSMV", "WLS"),
}


def mplus_input(source: Source) -> str:
    """Return the input file; it reads `mplus.dat` beside it.

    Parameters
    ----------
    source : Source

    Returns
    -------
    str
        Ends with a newline; no line is longer than Mplus reads.

    Raises
    ------
    NotSupported
        An estimator that Mplus does not have, or a covariance structure of covariates that it cannot state.
    """
    specification = source.specification
    ordinal = bool(specification.ordered)
    if source.estimator not in ESTIMATORS[ordinal]:
        listed = ", ".join(ESTIMATORS[ordinal])
        raise NotSupported(
            f"Mplus has no estimator {source.estimator} for {'ordinal' if ordinal else 'continuous'} items; "
            f"available: {listed}."
        )
    names = input_names(source)
    labels = _Labels(specification, names)
    lines = ["TITLE:", f"  {plain(source.made_by, WIDTH - 2)};"]
    lines += [line for entry in name_table(names, "!") for line in _comment(entry)]
    lines += labels.table()
    lines += ["DATA:", *_data(source), "VARIABLE:", *_variables(source, names), "ANALYSIS:", *_analysis(source)]
    means = specification.meanstructure or source.moments is None or source.has_answers
    lines += ["MODEL:", *_model(specification, 1, names, labels if len(specification.groups) == 1 else None, means)]
    if len(specification.groups) > 1:
        for group in range(1, len(specification.groups) + 1):
            lines += [f"MODEL g{group}:", *_model(specification, group, names, labels, means)]
    constraint = _constraints(specification, names, labels)
    lines += ["MODEL CONSTRAINT:", *constraint] if constraint else []
    routes = [] if constraint or len(specification.groups) > 1 else list(_indirect(specification, names))
    lines += ["MODEL INDIRECT:", *routes] if routes else []
    lines += ["OUTPUT:", "  STANDARDIZED RESIDUAL CINTERVAL TECH1" + ("" if constraint else " MODINDICES") + ";"]
    return "\n".join(lines) + "\n"


def mplus_data(source: Source) -> str:
    """Return the data file: rows of answers without a head, or the lower triangles of the covariance matrices."""
    moments = source.moments
    assert moments is not None
    if moments.raw is None:
        lines: list[str] = []
        for group in moments.groups:
            if source.specification.meanstructure:
                lines.append(" ".join(number(v) for v in np.asarray(group.mean)))
            unbiased = group.cov * (group.n / (group.n - 1.0))
            lines += [" ".join(number(v) for v in unbiased[i, : i + 1]) for i in range(len(unbiased))]
        return "\n".join(lines) + "\n"
    missing = str(missing_code(source))
    several = len(moments.groups) > 1
    rows = (
        " ".join([*(missing if math.isnan(v) else number(v) for v in row), *([str(group + 1)] if several else [])])
        for group, row in source.rows()
    )
    return "\n".join(rows) + "\n"


def missing_code(source: Source) -> int:
    """Return a number that no answer is."""
    found = {value for _, row in source.rows() for value in row}
    return next(code for code in (-9999, -99999, -999999, -9999999) if code not in found)


def input_names(source: Source) -> Names:
    """Return the names of variables and defined parameters in the input."""
    specification = source.specification
    return mplus_names([*specification.observed, *specification.latent, *(d.name for d in specification.defined)])


class _Labels:
    """Labels p1, p2 ... of the parameters that are held equal, that the user labelled, or that are constrained."""

    def __init__(self, specification: Specification, names: Names) -> None:
        taken = {name.casefold() for name in names.own.values()}
        every = range(1, specification.n_free + 1)
        self.letter = next(a for a in ("p", "par", "q", "par_", "z") if not any(f"{a}{k}" in taken for k in every))
        shared = {position for position, count in shared_positions(specification).items() if count > 1}
        self.written: dict[int, str] = {}
        for row in specification.parameters:
            if row.free >= 0 and row.label:
                self.written.setdefault(row.free, row.label)
        linear = [
            c for c in (*specification.constraints, *specification.inequalities) if isinstance(c, LinearConstraint)
        ]
        bound = {position for c in linear for position, _ in c.coefficients}
        self.positions = shared | set(self.written) | bound

    def of(self, row: Parameter) -> str:
        """Return " (p3)", or "" for a parameter that needs none."""
        return f" ({self.at(row.free)})" if row.free in self.positions else ""

    def at(self, position: int) -> str:
        """Return the label of a position of the parameter vector."""
        return f"{self.letter}{position + 1}"

    def table(self) -> list[str]:
        """Return comments that say which label stands for which."""
        if not self.written:
            return []
        entries = [f"!   {self.at(position)} = {plain(label)}" for position, label in sorted(self.written.items())]
        return ["! Labels:", *(line for entry in entries for line in _comment(entry))]


def _comment(text: str) -> list[str]:
    return [text[:WIDTH]]


def _wrapped(lead: str, words: Sequence[str], end: str = ";") -> list[str]:
    return textwrap.wrap(
        f"{lead} {' '.join(words)}{end}", WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _data(source: Source) -> list[str]:
    moments = source.moments
    lines = [f"  FILE = {DATA};"]
    if moments is None:
        lines.append("  ! No answers were given: write them to this file, without a head.")
    elif moments.raw is None:
        kind = "MEANS COVARIANCE" if source.specification.meanstructure else "COVARIANCE"
        lines += [f"  TYPE = {kind};  ! divided by n - 1"]
        lines += _wrapped("NOBSERVATIONS =", [str(group.n) for group in moments.groups])
        lines += [f"  NGROUPS = {len(moments.groups)};"] if len(moments.groups) > 1 else []
    elif source.missing == "listwise":
        lines.append("  ! Rows with a missing answer are left out already.")
    return lines


def _variables(source: Source, names: Names) -> list[str]:
    specification = source.specification
    items = [names[name] for name in (source.moments.names if source.moments else specification.observed)]
    several = source.has_answers and len(specification.groups) > 1
    lines = _wrapped("NAMES =", [*items, *(["grp"] if several else [])])
    lines += _wrapped("USEVARIABLES =", items)
    if several:
        listed = [f"{k} = g{k}" for k in range(1, len(specification.groups) + 1)]
        lines += _wrapped("GROUPING = grp", [f"({listed[0]}", *listed[1:]], ");")
        lines += [f"  ! g{k}: {plain(label)}" for k, label in enumerate(specification.groups, start=1)]
    if specification.ordered:
        lines += _wrapped("CATEGORICAL =", [names[name] for name in specification.ordered])
    if source.has_answers:
        lines.append(f"  MISSING = ALL ({missing_code(source)});")
    return lines


def _analysis(source: Source) -> list[str]:
    specification = source.specification
    lines = [f"  ESTIMATOR = {source.estimator};"]
    if specification.ordered:
        lines.append(f"  PARAMETERIZATION = {specification.parameterization.upper()};")
    elif source.estimator == "ML" and source.missing != "fiml":
        lines.append("  INFORMATION = EXPECTED;")
    return lines


def _model(specification: Specification, group: int, names: Names, labels: _Labels | None, means: bool) -> list[str]:
    """Return the statements of one group; without labels, where the blocks of the groups repeat them with labels."""
    rows = [row for row in specification.parameters if row.group == group and not row.exogenous]
    lines: list[str] = []

    def written(row: Parameter) -> str:
        if row.free < 0:
            return f"@{number(row.value if row.value is not None else 0.0)}"
        return "*" + (number(row.start) if row.start is not None else "")

    def label(row: Parameter) -> str:
        return labels.of(row) if labels is not None else ""

    for latent in specification.latent:
        terms = [row for row in rows if row.op == "=~" and row.lhs == latent]
        pieces = [f"{names[row.rhs]}{written(row)}{label(row)}" for row in terms]
        for place, piece in enumerate(pieces):
            lead = f"  {names[latent]} BY " if place == 0 else " " * (len(names[latent]) + 6)
            lines.append(f"{lead}{piece}{';' if place + 1 == len(pieces) else ''}")
    lone = len(specification.groups) == 1
    for row in rows:
        one = names[row.lhs]
        known = row.free >= 0 or row.value is not None
        if row.op == "~":
            lines.append(f"  {one} ON {names[row.rhs]}{written(row)}{label(row)};")
        elif row.op == "~~" and row.lhs != row.rhs:
            lines.append(f"  {one} WITH {names[row.rhs]}{written(row)}{label(row)};")
        elif row.op == "~~" and known and _has_variance(row, specification, lone):
            lines.append(f"  {one}{written(row)}{label(row)};")
        elif row.op == "~1" and row.lhs not in specification.ordered:
            lines.append(f"  [{one}{written(row)}]{label(row)};")
        elif row.op == "|":
            lines.append(f"  [{one}${row.rhs[1:]}{written(row)}]{label(row)};")
        elif row.op == "~*~" and known and not (lone and row.value == 1.0):
            lines.append(f"  {{{one}{written(row)}}}{label(row)};")
    # A covariance matrix without means leaves nothing to say of them.
    lines += _means(specification, rows, names) if means else ()
    lines += [f"  {names[a]} WITH {names[b]}@0;" for a, b in _silent_pairs(specification, rows)]
    return lines


def _has_variance(row: Parameter, specification: Specification, lone: bool) -> bool:
    """Return whether Mplus takes a residual variance: of ordinal items in theta only, and in one group it is one."""
    if row.lhs not in specification.ordered:
        return True
    return specification.parameterization == "theta" and not (lone and row.free < 0)


def _means(specification: Specification, rows: Sequence[Parameter], names: Names) -> Iterator[str]:
    """Yield what a model without means leaves to Mplus, which would hold intercepts equal across groups."""
    stated = {row.lhs for row in rows if row.op == "~1"}
    for latent in specification.latent:
        if latent not in stated:
            yield f"  [{names[latent]}@0];"
    if not specification.meanstructure:
        for item in specification.observed:
            if item not in (*specification.exogenous, *specification.ordered):
                yield f"  [{names[item]}*];"


def _silent_pairs(specification: Specification, rows: Sequence[Parameter]) -> Iterator[tuple[str, str]]:
    """Yield the pairs whose covariance Mplus would free by default and the model does not."""
    outcomes = [name for name in specification.outcomes if name not in specification.latent]
    joined = {frozenset((row.lhs, row.rhs)) for row in rows if row.op in ("~~", "~", "=~")}
    for a, b in combinations((*specification.latent, *outcomes), 2):
        if frozenset((a, b)) not in joined:
            yield a, b


def _constraints(specification: Specification, names: Names, labels: _Labels) -> list[str]:
    """Return definitions and constraints over the labels of the input."""
    known = {label: labels.at(position) for position, label in labels.written.items()}
    known |= {label: _constant(specification, label) for label in _fixed_labels(specification)}
    known |= {item.name: names[item.name] for item in specification.defined}
    lines: list[str] = []
    if specification.defined:
        first, *others = (names[item.name] for item in specification.defined)
        lines += _wrapped("NEW", [f"({first}", *others], ");")
    for item in specification.defined:
        lines += _wrapped(f"{known[item.name]} =", [_written(item.expression, known)])
    for linear in specification.constraints:
        lines += _wrapped("0 =", [_sum(linear, labels)])
    for equation in specification.equations:
        lines += _wrapped("0 =", [f"({_written(equation.left, known)}) - ({_written(equation.right, known)})"])
    for bound in specification.inequalities:
        if isinstance(bound, ExpressionConstraint):
            lines += _wrapped("0 <", [f"({_written(bound.left, known)}) - ({_written(bound.right, known)})"])
        else:
            lines += _wrapped("0 <", [_sum(bound, labels)])
    return lines


def _fixed_labels(specification: Specification) -> list[str]:
    return [row.label for row in specification.parameters if row.label and row.free < 0]


def _constant(specification: Specification, label: str) -> str:
    row = next(row for row in specification.parameters if row.label == label)
    return f"({number(row.value if row.value is not None else math.nan)})"


def _sum(linear: LinearConstraint, labels: _Labels) -> str:
    # Twelve digits: slopes are computed, and their rounding error is no part of what was written.
    parts = [f"({coefficient:.12g})*{labels.at(position)}" for position, coefficient in linear.coefficients]
    return " + ".join(parts) + f" - ({linear.right:.12g})"


def _written(expression: Expression, known: dict[str, str]) -> str:
    nodes = tuple(
        Name(known.get(node.name, node.name)) if isinstance(node, Name) else node for node in expression.nodes
    )
    return Expression(nodes).text.replace("^", "**")


def _indirect(specification: Specification, names: Names) -> Iterator[str]:
    """Yield one line for every pair that a route over another variable joins; none where the model has loops."""
    acts: dict[str, list[str]] = {}
    for row in specification.parameters:
        if row.op == "~":
            acts.setdefault(row.rhs, []).append(row.lhs)
    reached = {cause: _reached(acts, cause) for cause in acts}
    if any(cause in found for cause, found in reached.items()):
        return
    for cause in acts:
        for outcome in sorted({later for first in acts[cause] for later in reached.get(first, ())}):
            yield f"  {names[outcome]} IND {names[cause]};"


def _reached(acts: dict[str, list[str]], cause: str) -> set[str]:
    found: set[str] = set()
    waiting = list(acts.get(cause, ()))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += acts.get(one, ())
    return found
