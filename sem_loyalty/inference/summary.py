"""A fit as text: its checks, its fit measures and its parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

from sem_loyalty.display import format_p
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.estimate_rows import NUMBERS, Array, row_names, row_numbers
from sem_loyalty.inference.measures import fit_measures

# Heading, column of the estimates and decimals of what is printed; p-values are written as p-values.
_COLUMNS = (("est", 3), ("se", 3), ("z", 2), ("pvalue", None), ("ci_lower", 3), ("ci_upper", 3), ("std_all", 3))
_HEADINGS = {
    "=~": "Loadings",
    "~": "Regressions",
    "~~": "Variances and covariances",
    "~1": "Intercepts",
    "|": "Thresholds",
    "~*~": "Scales",
    ":=": "Defined parameters",
}
_MEASURES = ("cfi", "tli", "rmsea", "srmr")


@dataclass(frozen=True, slots=True)
class Summary:
    """A fit as text, which prints itself.

    Attributes
    ----------
    text : str
        The first line says whether the fit can be trusted.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.text)}</pre>"


def summary(fit: Fit, *, level: float = 0.95) -> Summary:
    """Return a fit as text: its checks, its test and fit measures, and every parameter.

    Numbers are those of `estimates` and `fit_measures`. Where the test is corrected, so are the fit measures: scaled,
    and robust where they exist.

    Parameters
    ----------
    fit : Fit
    level : float, default 0.95
        Coverage of the intervals.

    Returns
    -------
    Summary
        Columns est, se, z, pvalue, ci_lower, ci_upper and std_all; parameters without a test leave theirs blank.

    Raises
    ------
    ConfigurationError
        `level` is not between 0 and 1.

    Examples
    --------
    >>> import sem_loyalty as sl
    >>> matrix = sl.load_published("iacobucci2009")
    >>> fitted = sl.fit(matrix.model_text, sample_cov=matrix.cov, sample_nobs=matrix.n)
    >>> "CFI" in str(sl.summary(fitted))
    True
    """
    cells = row_numbers(fit, level)
    return Summary("\n".join([str(fit), _measures_line(fit), *_parameter_lines(fit, cells)]))


def _measures_line(fit: Fit) -> str:
    """Return the corrected test, where there is one, and the fit measures that are reported most."""
    found = fit_measures(fit)
    lines = []
    if "chisq_scaled" in found:
        p = format_p(found["pvalue_scaled"])
        lines.append(f"corrected chi-square {found['chisq_scaled']:.3f}, df {found['df_scaled']:g}, p {p}")
    parts = []
    for name in _MEASURES:
        kind = next((end for end in ("_robust", "_scaled", "") if math.isfinite(found.get(name + end, math.nan))), None)
        if kind is not None:
            said = f"{name.upper()}{kind.replace('_', ' ')} {found[name + kind]:.3f}"
            low, high = (found.get(f"{name}_ci_{side}{kind}", math.nan) for side in ("lower", "upper"))
            parts.append(f"{said} [{low:.3f}, {high:.3f}]" if math.isfinite(low) and math.isfinite(high) else said)
    return "\n".join([*lines, ", ".join(parts)])


def _parameter_lines(fit: Fit, cells: Array) -> list[str]:
    """Return the table of parameters, by group and kind."""
    names = row_names(fit.specification)
    columns = [NUMBERS.index(name) for name, _ in _COLUMNS]
    written = [
        [_cell(value, digits) for value, (_, digits) in zip(row, _COLUMNS, strict=True)]
        for row in cells[:, columns].tolist()
    ]
    labels = [_label(*row) for row in zip(names.lhs, names.op, names.rhs, names.label, strict=True)]
    groups = fit.specification.groups if len(fit.specification.groups) > 1 else ()
    heads = [
        _HEADINGS[op] + (f", group {groups[group - 1]}" if group and groups else "")
        for op, group in zip(names.op, names.group, strict=True)
    ]
    left = max((len(text) for text in (*labels, *heads)), default=0)
    widths = [max(len(name), *(len(row[k]) for row in written)) for k, (name, _) in enumerate(_COLUMNS)]
    titles = "  ".join(name.rjust(width) for (name, _), width in zip(_COLUMNS, widths, strict=True))
    lines: list[str] = []
    before = ""
    for label, head, row in zip(labels, heads, written, strict=True):
        if head != before:
            lines += ["", f"{head:<{left + 2}}  {titles}"]
            before = head
        numbers = "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        lines.append(f"  {label:<{left}}  {numbers}")
    return lines


def _cell(value: float, digits: int | None) -> str:
    if not math.isfinite(value):
        return ""
    return format_p(value) if digits is None else f"{value:.{digits}f}"


def _label(lhs: str, op: str, rhs: str, label: str) -> str:
    """Return a parameter as one writes it, with its label."""
    name = f"{lhs} ~ 1" if op == "~1" else f"{lhs} {op} {rhs}"
    return f"{name} ({label})" if label and op != ":=" else name
