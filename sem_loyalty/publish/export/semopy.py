"""A model in semopy's syntax."""

from __future__ import annotations

from sem_loyalty.errors import NotSupported
from sem_loyalty.fitting.semopy_engine import model_text, unsupported
from sem_loyalty.publish.export.names import name_table, plain, semopy_names
from sem_loyalty.publish.export.source import Source


def semopy_script(source: Source) -> str:
    """Return a model as a text that `semopy.Model` takes, every covariance stated.

    Raises
    ------
    NotSupported
        What semopy cannot express, or another estimator than complete-data maximum likelihood.
    """
    specification = source.specification
    reason = unsupported(specification)
    if specification.inequalities:
        reason = reason or "semopy keeps no inequalities or bounds of single parameters"
    if source.estimator != "ML" or source.missing not in ("listwise", "none"):
        reason = reason or "semopy has no estimator that gives the same numbers as " + source.estimator
    if reason:
        raise NotSupported(f"This model cannot be written for semopy: {reason}. to='lavaan' can express it.")
    names = semopy_names([*specification.observed, *specification.latent])
    lines = [f"# {source.made_by}", *name_table(names, "#")]
    lines += [f"# semopy has no defined parameters: {plain(d.name)} := {plain(d.expression.text)}"
              for d in specification.defined]  # fmt: skip
    if specification.std_lv:
        lines.append("# Here the first item sets the scale of a latent variable: the same fit in other units.")
    return "\n".join([*lines, model_text(specification, dict(names.own))]) + "\n"
