"""`compare_paths`: structural paths compared between groups, one at a time and jointly."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from sem_loyalty.display import Table, format_p
from sem_loyalty.display.cells import Kind
from sem_loyalty.errors import ConfigurationError, ImproperSolutionWarning, SpecificationError
from sem_loyalty.fitting.fit import fit, text_of
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.estimates import estimates
from sem_loyalty.inference.hypothesis_tests import likelihood_ratio_test
from sem_loyalty.inference.marking import mark
from sem_loyalty.inference.progress import Progress, Tell
from sem_loyalty.inference.uncertainty import parameter_covariance
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.syntax import ModelText

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PathComparison:
    """Structural paths by group.

    Attributes
    ----------
    fit : Fit
        The model with paths free in every group and loadings equal.
    paths : DataFrame
        One row per path: path, chisq_diff, df_diff, pvalue (the path held equal against free), pvalue_holm, q (largest
        difference of the standardised path), permutation_p where asked for.
    estimates : DataFrame
        path, group, est, se, ci_lower, ci_upper, std_all.
    differences : DataFrame
        path, first, second (groups), difference, se, z, pvalue, std_difference: every pair of groups.
    joint : dict
        chisq_diff, df_diff, pvalue of all paths held equal, permutation_p where asked for.
    permutations, failed : int
        Permutations of the groups, and those whose models did not converge.
    groups : tuple of str
    certified : bool
    """

    fit: Fit
    paths: pd.DataFrame
    estimates: pd.DataFrame
    differences: pd.DataFrame
    joint: dict[str, float]
    permutations: int
    failed: int
    groups: tuple[str, ...]
    certified: bool

    def to_table(self) -> Table:
        """Return the paths by group with their tests as a Table."""
        wide = self.estimates.pivot(index="path", columns="group", values="est").loc[self.paths["path"]]
        frame = self.paths.copy()
        for k, label in enumerate(self.groups):
            frame.insert(1 + k, f"B {label}", wide[label].to_numpy())
        caption = f"Paths compared across {', '.join(self.groups)}"
        if not self.certified:
            caption = f"NOT CERTIFIED: do not report. {caption}"
        joint = self.joint
        note = (
            "All paths equal: the solution is not certified and tests nothing."
            if math.isnan(joint["chisq_diff"])
            else f"All paths equal: chi-square difference {joint['chisq_diff']:.3f}, df {joint['df_diff']:.0f}, p "
            f"{format_p(joint['pvalue'])}."
        )
        note += " Loadings equal across groups; p (Holm) is corrected for the number of paths."
        if not math.isnan(joint["chisq_diff"]) and self.paths["chisq_diff"].isna().any():
            note += " Not tested: paths whose equality leads to a solution that is not certified."
        heads = {"chisq_diff": "Δχ²", "df_diff": "Δdf", "pvalue": "p", "pvalue_holm": "p (Holm)", "q": "Δβ"}
        kinds: dict[str, Kind] = {"pvalue_holm": "p", "df_diff": "int"}
        if self.permutations:
            heads["permutation_p"], kinds["permutation_p"] = "p (permutation)", "p"
            note += f" {self.permutations:,} permutations of the groups, {self.failed:,} of them not converged."
        return Table.from_frame(frame, id="group-paths", caption=caption, heads=heads, kinds=kinds, note=note)

    def __repr__(self) -> str:
        """Return what print shows: a prompt must not hide the mark."""
        return str(self)

    def __str__(self) -> str:
        """Return the table of paths as text."""
        return self.to_table().to_text()

    def _repr_html_(self) -> str:
        return self.to_table().to_html()


def compare_paths(
    model: str | Path | ModelText | ModelFile,
    data: pd.DataFrame | Mapping[str, Any],
    group: str,
    *,
    group_equal: tuple[str, ...] | list[str] = ("loadings",),
    group_partial: tuple[str, ...] | list[str] = (),
    estimator: str = "ML",
    missing: str = "listwise",
    permutations: int = 0,
    seed: int = 1,
    progress: bool | Tell | None = None,
) -> PathComparison:
    """Compare the structural paths of a model between groups.

    Parameters
    ----------
    model, data, group, estimator, missing
        As in `fit`.
    group_equal : sequence of str, default ("loadings",)
        What is held equal besides: paths between constructs are comparable only where loadings are equal.
    group_partial : sequence of str, default ()
        Loadings that differ all the same, as found by `invariance`.
    permutations : int, default 0
        Random divisions of the respondents into groups of the same sizes: a check that needs no distribution
        (Dwass 1957, doi:10.1214/aoms/1177707045). At least 1,000 for a p-value to be read.
    seed : int, default 1
    progress : bool or callable, optional
        As in `bootstrap`.

    Returns
    -------
    PathComparison

    Raises
    ------
    SpecificationError
        The model has no free paths, or they carry labels (which may make them equal already).
    ConfigurationError
        A negative number of permutations.

    Notes
    -----
    Each path: the model with it equal in all groups against the model with all paths free, chi-square difference with
    groups - 1 degrees of freedom, scaled for robust estimators; Holm (1979) corrects for their number. Pairs of groups:
    z = (b1 - b2) / se, se from the sampling covariance of both. The permutation p-value of a path compares the largest
    difference between two groups with those of the permutations, (count + 1) / (permutations + 1).
    """
    if permutations < 0:
        raise ConfigurationError(f"permutations={permutations!r} must not be negative.")
    text = text_of(model)
    paths = [s for s in text.statements if s.op == "~" and not any(m.kind == "fixed" for m in s.rhs.modifiers)]
    if not paths:
        raise SpecificationError("The model has no free paths (`~`) to compare between groups.")
    plain = _without_labels(text)
    task = _Task(plain, group, tuple(group_equal), tuple(group_partial), estimator, missing)
    free = task.fit(data, task.equal, task.partial)
    names = tuple(f"{s.lhs} ~ {s.rhs.name}" for s in paths)
    tests = [_test(free, task.one_equal(data, names, name)) for name in names]
    p = np.array([test["pvalue"] for test in tests])
    by_group, differences = _differences(free, names)
    joint = _test(free, task.fit(data, (*task.equal, "regressions"), task.partial))
    frame = pd.DataFrame(
        {
            "path": names,
            "chisq_diff": [test["chisq_diff"] for test in tests],
            "df_diff": [int(test["df_diff"]) for test in tests],
            "pvalue": p,
            "pvalue_holm": holm(p),
            "q": [_largest(differences, name, "std_difference") for name in names],
        }
    )
    failed = 0
    if permutations:
        observed = np.array([_largest(differences, name, "difference") for name in names])
        reached, failed = _permuted(task, data, names, np.abs(observed), permutations, seed, progress)
        frame["permutation_p"] = (reached + 1.0) / (permutations - failed + 1.0)
    return PathComparison(
        fit=free,
        paths=mark(frame, free),
        estimates=mark(by_group, free),
        differences=mark(differences, free),
        joint=joint,
        permutations=permutations,
        failed=failed,
        groups=free.specification.groups,
        certified=free.certificate.certified,
    )


def _test(free: Fit, equal: Fit) -> dict[str, float]:
    """Return the test of a model with equal paths; NaN where its solution is not certified."""
    test = likelihood_ratio_test(free, equal).iloc[1]
    found = {key: float(test[key]) for key in ("chisq_diff", "df_diff", "pvalue")}
    return found if equal.certificate.certified else found | {"chisq_diff": math.nan, "pvalue": math.nan}


def holm(p: Array) -> Array:
    """Return p-values corrected by Holm (1979): in order, each times the number not yet rejected, never falling.

    NaN stays NaN and counts as a test that was asked for.
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    out = np.empty(len(p))
    out[order] = np.minimum(1.0, stepped)
    return out


@dataclass(frozen=True, slots=True)
class _Task:
    """The model and how it is fitted."""

    text: ModelText
    group: str
    equal: tuple[str, ...]
    partial: tuple[str, ...]
    estimator: str
    missing: str

    def fit(self, data: Any, equal: tuple[str, ...], partial: tuple[str, ...]) -> Fit:
        """Fit the model with some kinds of parameters equal across groups."""
        with warnings.catch_warnings():
            # The certificate stands in the result.
            warnings.simplefilter("ignore", ImproperSolutionWarning)
            return fit(
                self.text,
                data,
                group=self.group,
                group_equal=equal,
                group_partial=partial,
                estimator=self.estimator,
                missing=self.missing,
                engine="kernel",
            )

    def one_equal(self, data: Any, names: tuple[str, ...], name: str) -> Fit:
        """Fit with one path equal."""
        others = tuple(other for other in names if other != name)
        return self.fit(data, (*self.equal, "regressions"), (*self.partial, *others))


def _without_labels(text: ModelText) -> ModelText:
    """Return the model without labels, definitions and constraints: a label makes paths equal across groups."""
    if text.constraints:
        raise SpecificationError("The model has constraints on labels; compare paths in a model without them.")
    statements = tuple(
        replace(s, rhs=replace(s.rhs, modifiers=tuple(m for m in s.rhs.modifiers if m.kind != "label")))
        for s in text.statements
    )
    return replace(text, statements=statements, definitions=())


def _differences(free: Fit, names: tuple[str, ...]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the paths of every group, and their differences between every two groups."""
    table = estimates(free)
    covariance = parameter_covariance(free)
    labels = free.specification.groups
    place = {(row.name, row.group): row.free for row in free.specification.parameters if row.op == "~"}
    rows = {
        (f"{row['lhs']} ~ {row['rhs']}", int(row["group"])): row for row in table.to_dict("records") if row["op"] == "~"
    }
    records, pairs = [], []
    for name in names:
        for g, label in enumerate(labels, start=1):
            row = rows[name, g]
            records.append(
                {"path": name, "group": label}
                | {key: row[key] for key in ("est", "se", "ci_lower", "ci_upper", "std_all")}
            )
            for h in range(g + 1, len(labels) + 1):
                other = rows[name, h]
                i, j = place[name, g], place[name, h]
                variance = covariance[i, i] + covariance[j, j] - 2.0 * covariance[i, j]
                difference, se = row["est"] - other["est"], float(np.sqrt(max(variance, 0.0)))
                pair = {"path": name, "first": label, "second": labels[h - 1], "difference": difference, "se": se}
                pairs.append(
                    pair
                    | {"z": difference / se if se > 0 else np.nan, "std_difference": row["std_all"] - other["std_all"]}
                )
    differences = pd.DataFrame(pairs)
    differences.insert(6, "pvalue", 2.0 * ndtr(-np.abs(differences["z"].to_numpy(dtype=float))))
    return pd.DataFrame(records), differences


def _largest(differences: pd.DataFrame, name: str, column: str) -> float:
    """Return the difference of a path between two groups that is largest in size."""
    values = differences.loc[differences["path"] == name, column].to_numpy(dtype=float)
    return float(values[np.abs(values).argmax()])


def _permuted(
    task: _Task,
    data: Any,
    names: tuple[str, ...],
    observed: Array,
    permutations: int,
    seed: int,
    progress: bool | Tell | None,
) -> tuple[Array, int]:
    """Return how often permuted groups differ as much as the observed ones, by path, and how many fits failed."""
    frame = pd.DataFrame(data)
    labels = frame[task.group].to_numpy()
    reached, failed = np.zeros(len(names)), 0
    bar = Progress(permutations, progress, "permutations")
    try:
        for k in range(permutations):
            generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(k,)))
            moved = task.fit(frame.assign(**{task.group: generator.permutation(labels)}), task.equal, task.partial)
            if "not converged" in {problem.code for problem in moved.certificate.problems}:
                failed += 1
                continue
            value = {
                (row.name, row.group): moved.theta[row.free]
                for row in moved.specification.parameters
                if row.op == "~" and row.free >= 0
            }
            spread = [np.ptp([value[name, g] for g in range(1, len(moved.specification.groups) + 1)]) for name in names]
            reached += np.array(spread) >= observed
            bar.update(k + 1)
    finally:
        bar.close()
    return reached, failed
