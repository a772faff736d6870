"""A model as an R script for lavaan, with the arguments with which it was fitted here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

import numpy as np

from sem_loyalty.model.expression import Expression, Name
from sem_loyalty.model.formula import Statement, Term, write_statement
from sem_loyalty.model.modifiers import Modifier
from sem_loyalty.model.syntax import Constraint, Definition, ModelText, parse, unparse
from sem_loyalty.publish.export.names import Names, lavaan_names, name_table
from sem_loyalty.publish.export.source import Source, number

DATA = "data.csv"


def lavaan_script(source: Source) -> str:
    """Return the script; with answers it reads `data.csv` beside it, a matrix stands in it.

    Parameters
    ----------
    source : Source

    Returns
    -------
    str
        For R with lavaan; ends with a newline.
    """
    names = script_names(source)
    model = renamed(parse(source.specification.text), names)
    lines = [
        f"# {source.made_by}",
        "# Run it in its own folder: Rscript lavaan.R",
        *name_table(names, "#"),
        "library(lavaan)",
        *_locale(names),
        "",
        *_data(source, names),
        "",
        f"model <- {r_string(chr(10) + model_lines(model))}",
        "",
        *_call(source, names),
        "",
        "summary(fit, fit.measures = TRUE, standardized = TRUE)",
        "parameterEstimates(fit, standardized = TRUE)",
        "fitMeasures(fit)",
        "modindices(fit, sort. = TRUE)",
        'residuals(fit, type = "cor")',
    ]
    if source.estimator == "ML" and source.moments is not None and source.moments.raw is not None:
        lines += [
            "# Bootstrap intervals (other random numbers, so other digits): add to the call",
            '#   se = "bootstrap", bootstrap = 5000',
            '# and ask for parameterEstimates(fit, boot.ci.type = "bca.simple", standardized = TRUE)',
        ]
    return "\n".join(lines) + "\n"


def script_names(source: Source) -> Names:
    """Return the names of variables and labels in the script."""
    text = parse(source.specification.text)
    used = [*source.specification.observed, *source.specification.latent, *_labels(text)]
    return lavaan_names([*used, source.group_column])


def _labels(text: ModelText) -> Iterator[str]:
    for statement in text.statements:
        yield statement.lhs
        if statement.op not in ("~1", "|"):
            yield statement.rhs.name
        for modifier in statement.rhs.modifiers:
            if modifier.kind == "label":
                yield from (value for value in modifier.values if isinstance(value, str))
    for definition in text.definitions:
        yield definition.name


def renamed(text: ModelText, names: Names) -> ModelText:
    """Return a model with other names."""
    return ModelText(
        tuple(_statement(one, names) for one in text.statements),
        tuple(Definition(names[one.name], _expression(one.expression, names)) for one in text.definitions),
        tuple(Constraint(one.op, _expression(one.lhs, names), _expression(one.rhs, names)) for one in text.constraints),
    )


def _statement(one: Statement, names: Names) -> Statement:
    name = one.rhs.name if one.op in ("~1", "|") else names[one.rhs.name]
    modifiers = tuple(_modifier(modifier, names) for modifier in one.rhs.modifiers)
    return replace(one, lhs=names[one.lhs], rhs=Term(name, modifiers))


def _modifier(modifier: Modifier, names: Names) -> Modifier:
    if modifier.kind == "label":
        return replace(modifier, values=tuple(names[v] if isinstance(v, str) else v for v in modifier.values))
    if modifier.kind == "equal":
        formulas = (unparse(renamed(parse(v), names)).strip() if isinstance(v, str) else v for v in modifier.values)
        return replace(modifier, values=tuple(formulas))
    return modifier


def _expression(expression: Expression, names: Names) -> Expression:
    nodes = (Name(names[node.name]) if isinstance(node, Name) else node for node in expression.nodes)
    return Expression(tuple(nodes))


def model_lines(text: ModelText) -> str:
    """Return a model as `unparse` writes it, with the terms of one formula on one line."""
    lines: list[str] = []
    block = ""
    for (_, op, where), members in groupby(text.statements, key=lambda one: (one.lhs, one.op, one.block)):
        if where != block:
            block = where
            lines.append(unparse(ModelText((next(s for s in text.statements if s.block == where),))).split("\n")[0])
        start, seen = "", set[str]()
        for one in members:
            written = write_statement(one)
            term = written.partition(f" {'~' if op == '~1' else op} ")[2]
            if start and one.rhs.name not in seen and op != "~1":
                start += f" + {term}"
            else:
                lines += [start] if start else []
                start, seen = written, set()
            seen.add(one.rhs.name)
        lines.append(start)
    lines += unparse(ModelText((), text.definitions, text.constraints)).splitlines()
    return "".join(f"  {line}\n" for line in lines)


def r_string(text: str) -> str:
    """Return a text as a string of R, in which nothing can end it early."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "")
    return f"'{escaped}'"


def _vector(texts: Iterable[str]) -> str:
    return f"c({', '.join(r_string(text) for text in texts)})"


def _locale(names: Names) -> list[str]:
    if all(name.isascii() for name in names.own.values()):
        return []
    return ["# The names need a UTF-8 locale, which R 4.2 has on every system.", 'stopifnot(l10n_info()[["UTF-8"]])']


def _data(source: Source, names: Names) -> list[str]:
    moments = source.moments
    if moments is None:
        return [f"# No answers were given: put them into {DATA}, one column an item.", *_read(source, names)]
    if moments.raw is not None:
        return _read(source, names)
    items = _vector(names[name] for name in moments.names)
    lines = [f"items <- {items}", "# Covariances divided by n - 1."]
    lines.append("covariances <- list(")
    for place, group in enumerate(moments.groups):
        end = "," if place + 1 < len(moments.groups) else ""
        unbiased = group.cov * (group.n / (group.n - 1.0))
        rows = [", ".join(number(value) for value in unbiased[i, : i + 1]) for i in range(len(unbiased))]
        listed = ",\n    ".join(rows)
        lines.append(f"  getCov(c(\n    {listed}\n  ), names = items){end}")
    lines.append(")")
    if source.specification.meanstructure:
        means = [f"  c({', '.join(number(v) for v in np.asarray(group.mean))})" for group in moments.groups]
        lines += ["means <- list(", ",\n".join(means), ")"]
    return lines


def _read(source: Source, names: Names) -> list[str]:
    grouped = len(source.specification.groups) > 1 or bool(source.specification.groups[0])
    kinds = f", colClasses = c({names[source.group_column]} = 'character')" if grouped else ""
    return [
        f"data <- read.csv({r_string(DATA)}, fileEncoding = 'UTF-8', check.names = FALSE, na.strings = ''{kinds})",
    ]


def _call(source: Source, names: Names) -> list[str]:
    specification, moments = source.specification, source.moments
    several = len(specification.groups) > 1
    given: list[str] = []
    if moments is not None and moments.raw is None:
        given.append("sample.cov = covariances")
        given += ["sample.mean = means"] if specification.meanstructure else []
        given.append(f"sample.nobs = list({', '.join(str(group.n) for group in moments.groups)})")
        if several:
            given.append(f"group.label = {_vector(specification.groups)}")
    else:
        given.append("data = data")
        given += [f"group = {r_string(names[source.group_column])}"] if several else []
        given += [f"missing = {r_string(source.missing)}"]
    given.append(f"estimator = {r_string(source.estimator)}")
    if specification.ordered:
        given.append(f"ordered = {_vector(names[name] for name in specification.ordered)}")
        given.append(f"parameterization = {r_string(specification.parameterization)}")
    else:
        given.append(f"meanstructure = {_flag(specification.meanstructure)}")
    given += [f"group.equal = {_vector(specification.group_equal)}"] if specification.group_equal else []
    if specification.group_partial:
        spared = (model_lines(renamed(parse(entry), names)).strip() for entry in specification.group_partial)
        given.append(f"group.partial = {_vector(spared)}")
    given.append(f"std.lv = {_flag(specification.std_lv)}")
    given.append(f"fixed.x = {_flag(specification.fixed_x)}")
    given.append(f"orthogonal = {_flag(specification.orthogonal)}")
    body = ",\n".join(f"  {entry}" for entry in given)
    return [f"fit <- {specification.kind}(", "  model,", body, ")"]


def _flag(value: bool) -> str:
    return "TRUE" if value else "FALSE"
