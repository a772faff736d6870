"""`invariance`: whether constructs are measured alike in several groups, step by step, with the exceptions."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, ImproperSolutionWarning, SpecificationError, check_choice
from sem_loyalty.fitting.fit import fit, text_of
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.estimates import estimates
from sem_loyalty.inference.hypothesis_tests import likelihood_ratio_test
from sem_loyalty.inference.measures import fit_measures
from sem_loyalty.inference.score_tests import score_tests
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.model.spec import Parameter
from sem_loyalty.model.syntax import ModelText

STEPS = ("configural", "metric", "scalar", "strict")
EQUAL = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}
RULES = ("chen2007", "cheung2002", "test")
SMALL = 300


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How much a fit measure may worsen from one step to the next."""

    cfi: float
    rmsea: float
    srmr: float


def thresholds(step: str, n: int) -> Thresholds:
    """Return the rule of Chen (2007), doi:10.1080/10705510701301834, for a step and a number of respondents."""
    loose = step == "metric"
    if n <= SMALL:
        return Thresholds(0.005, 0.010, 0.025 if loose else 0.005)
    return Thresholds(0.010, 0.015, 0.030 if loose else 0.010)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the sequence.

    Attributes
    ----------
    name : str
        "configural", "metric", "scalar" or "strict"; "partial metric" and so on where parameters were released, and
        "metric (rejected)" and so on where a partial version replaced the step.
    fit : Fit
    released : tuple of str
        Parameters that differ between groups in this step and the following ones, as one writes them.
    against : str
        The step that it is compared with; "" for the first.
    chisq_diff, df_diff, pvalue_diff : float
        Test of the equalities, scaled where the estimator is robust; nan for the first.
    cfi, rmsea, srmr : float
        Robust where the estimator has robust ones.
    holds : bool or None
        Whether the rule lets the equalities stand; None for the first, and where a solution is not certified.
    """

    name: str
    fit: Fit = field(repr=False)
    released: tuple[str, ...]
    against: str
    chisq_diff: float
    df_diff: float
    pvalue_diff: float
    cfi: float
    rmsea: float
    srmr: float
    holds: bool | None


@dataclass(frozen=True)
class Invariance:
    """Measurement invariance across groups.

    Attributes
    ----------
    steps : tuple of Step
        Every model that was fitted, in order; a step that failed is followed by its partial version.
    rule : {"chen2007", "cheung2002", "test"}
    alpha : float
    groups : tuple of str
    level : str
        The last step that holds, "partial" included; "" where not even the configural model is certified.
    latent_means : DataFrame or None
        group, latent, mean, se, z, pvalue, ci_lower, ci_upper, d: means of the constructs against the first group,
        from the scalar step; d in standard deviations pooled over the two groups. None where intercepts are not equal.
    statements : tuple of str
        What was found, in sentences.
    """

    steps: tuple[Step, ...]
    rule: str
    alpha: float
    groups: tuple[str, ...]
    level: str
    latent_means: pd.DataFrame | None
    statements: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per step.

        Returns
        -------
        DataFrame
            step, chisq, df, pvalue, cfi, rmsea, srmr, against, chisq_diff, df_diff, pvalue_diff, cfi_diff, rmsea_diff,
            srmr_diff, holds, released, certified. A difference is this step less the one named in `against`.
        """
        records = []
        by_name = {step.name: step for step in self.steps}
        for step in self.steps:
            measures = fit_measures(step.fit)
            scaled = "_scaled" if "chisq_scaled" in measures else ""
            record: dict[str, object] = {"step": step.name, "chisq": measures["chisq" + scaled], "df": step.fit.df}
            record |= {"pvalue": measures["pvalue" + scaled], "cfi": step.cfi, "rmsea": step.rmsea, "srmr": step.srmr}
            record |= {"against": step.against, "chisq_diff": step.chisq_diff, "df_diff": step.df_diff}
            record["pvalue_diff"] = step.pvalue_diff
            for key in ("cfi", "rmsea", "srmr"):
                other = by_name.get(step.against)
                record[f"{key}_diff"] = getattr(step, key) - getattr(other, key) if other else np.nan
            record |= {"holds": step.holds, "released": "; ".join(step.released)}
            records.append(record | {"certified": step.fit.certificate.certified})
        return pd.DataFrame(records)

    def to_table(self) -> Table:
        """Return the steps as a Table with the rule in its note."""
        frame = self.to_frame()
        frame["holds"] = [{True: "yes", False: "no", None: ""}[step.holds] for step in self.steps]
        flags = zip(frame["step"], frame["certified"], strict=True)
        frame["step"] = [name if good else f"{name} (NOT CERTIFIED)" for name, good in flags]
        frame = frame.drop(columns=["certified", "against"])
        heads = {"pvalue_diff": "p", "chisq_diff": "Δχ²", "df_diff": "Δdf", "chisq": "χ²", "pvalue": "p (model)"}
        heads |= {"cfi_diff": "ΔCFI", "rmsea_diff": "ΔRMSEA", "srmr_diff": "ΔSRMR"}
        return Table.from_frame(
            frame,
            id="invariance",
            caption=f"Measurement invariance across {', '.join(self.groups)}",
            heads=heads,
            kinds={"pvalue_diff": "p", "df_diff": "int"},
            note=" ".join((*self.statements, self._rule_note())),
        )

    def _rule_note(self) -> str:
        if self.rule == "test":
            return f"A step holds where the test of its equalities has p >= {self.alpha:g}."
        if self.rule == "cheung2002":
            return "A step holds where CFI falls by at most .010 (Cheung & Rensvold, 2002)."
        n = self.steps[0].fit.moments.n
        first, later = thresholds("metric", n), thresholds("scalar", n)
        return (
            f"A step holds where CFI falls by at most {first.cfi:.3f}, and RMSEA rises by at most {first.rmsea:.3f} or "
            f"SRMR by at most {first.srmr:.3f} (loadings) or {later.srmr:.3f} (later steps), for N = {n} (Chen, 2007)."
        )

    def __str__(self) -> str:
        """Return the table of steps as text."""
        return self.to_table().to_text()

    def _repr_html_(self) -> str:
        return self.to_table().to_html()


def invariance(
    model: str | Path | ModelText | ModelFile,
    data: pd.DataFrame | Mapping[str, Any],
    group: str,
    *,
    steps: tuple[str, ...] | list[str] = STEPS,
    rule: str = "chen2007",
    partial: bool = True,
    alpha: float = 0.05,
    estimator: str = "ML",
    missing: str = "listwise",
) -> Invariance:
    """Test measurement invariance across groups, and search for the exceptions where a step fails.

    Parameters
    ----------
    model : str, Path, ModelText or ModelFile
        Its measurement part is taken, with constructs that correlate freely; paths do not matter.
    data : DataFrame or mapping
    group : str
        Column that splits the sample into two groups or more.
    steps : sequence of {"configural", "metric", "scalar", "strict"}
        Configural: the same items measure the same constructs. Metric: equal loadings. Scalar: equal intercepts
        besides. Strict: equal residual variances besides. In this order, beginning with "configural".
    rule : {"chen2007", "cheung2002", "test"}, default "chen2007"
        What lets a step stand: changes of CFI, RMSEA and SRMR (Chen 2007), of CFI alone (Cheung and Rensvold 2002), or
        the chi-square difference test.
    partial : bool, default True
        Where a step fails, release the equality with the largest score test, and so on until the step holds. At least
        two items of every construct stay equal (Byrne, Shavelson and Muthen 1989); what is released in a step stays
        released, and the intercept of an item with its own loading is not held equal.
    alpha : float, default 0.05
        Level of the tests.
    estimator, missing
        As in `fit`.

    Returns
    -------
    Invariance

    Raises
    ------
    ConfigurationError
        Unknown steps, or steps out of order; an unknown rule.
    SpecificationError
        The model measures nothing.

    Notes
    -----
    Latent variances are fixed at 1 in the first group and free in the others once loadings are equal, so that every
    loading is tested, and none serves as a marker that is equal by decree. Robust estimators: scaled differences.

    References
    ----------
    Chen, F. F. (2007). Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural Equation
    Modeling, 14, 464-504. doi:10.1080/10705510701301834
    Cheung, G. W. and Rensvold, R. B. (2002). Evaluating goodness-of-fit indexes for testing measurement invariance.
    Structural Equation Modeling, 9, 233-255. doi:10.1207/S15328007SEM0902_5
    Byrne, B. M., Shavelson, R. J. and Muthen, B. (1989). Testing for the equivalence of factor covariance and mean
    structures: the issue of partial measurement invariance. Psychological Bulletin, 105, 456-466.
    doi:10.1037/0033-2909.105.3.456
    """
    check_choice("rule", rule, RULES)
    for name in steps:
        check_choice("steps", name, STEPS)
    if list(steps) != [name for name in STEPS if name in steps] or "configural" not in steps:
        raise ConfigurationError(f"`steps` begins with 'configural' and keeps the order {STEPS}; it is {tuple(steps)}.")
    text = _measurement(text_of(model))
    search = _Search(text, data, group, estimator, missing, rule, alpha)
    done: list[Step] = []
    released: tuple[str, ...] = ()
    statements: list[str] = []
    for name in steps:
        against = done[-1] if done else None
        step = search.step(name, released, against)
        done.append(step)
        if (step.holds is None and against is not None) or not step.fit.certificate.certified:
            statements.append(f"The {step.name} model has no admissible solution, so the sequence ends here.")
            break
        if step.holds is False and partial:
            step, statement = search.release(name, step, against)
            statements.append(statement)
            if step.holds:
                done[-1] = replace(done[-1], name=f"{done[-1].name} (rejected)")
                done.append(step)
                released = step.released
        elif step.holds is False:
            statements.append(f"The {step.name} step fails, so the sequence ends here.")
        if against is not None and not step.holds:
            break
    reached = [step for step in done if step.holds or (step.against == "" and step.fit.certificate.certified)]
    level = reached[-1].name if reached else ""
    statements.insert(0, f"Reached: {level} invariance." if level else "Not even the configural model is certified.")
    means = next((step for step in reached if "scalar" in step.name), None)
    return Invariance(
        steps=tuple(done),
        rule=rule,
        alpha=alpha,
        groups=done[0].fit.specification.groups,
        level=level,
        latent_means=_latent_means(means.fit) if means else None,
        statements=tuple(statements),
    )


def _measurement(text: ModelText) -> ModelText:
    """Return the measurement part: loadings, and covariances that are written."""
    latent = {s.lhs for s in text.statements if s.op == "=~"}
    if not latent:
        raise SpecificationError("The model measures no constructs (`=~`), so there is no invariance to test.")
    higher = {s.lhs for s in text.statements if s.op == "=~" and s.rhs.name in latent}
    if higher:
        raise SpecificationError(
            f"Second-order constructs ({', '.join(sorted(higher))}): test the invariance of the first order alone."
        )
    items = {s.rhs.name for s in text.statements if s.op == "=~"}
    kept = tuple(s for s in text.statements if s.op == "=~" or (s.op == "~~" and {s.lhs, s.rhs.name} <= items))
    plain = tuple(
        replace(s, rhs=replace(s.rhs, modifiers=tuple(m for m in s.rhs.modifiers if m.kind != "label"))) for s in kept
    )
    return replace(text, statements=plain, definitions=(), constraints=())


@dataclass(frozen=True, slots=True)
class _Search:
    """What every step of the sequence has in common."""

    text: ModelText
    data: Any
    group: str
    estimator: str
    missing: str
    rule: str
    alpha: float

    def fitted(self, name: str, released: tuple[str, ...]) -> Fit:
        """Fit one step."""
        with warnings.catch_warnings():
            # The certificate stands in the result.
            warnings.simplefilter("ignore", ImproperSolutionWarning)
            return fit(
                self.text,
                self.data,
                group=self.group,
                group_equal=EQUAL[name],
                group_partial=released,
                estimator=self.estimator,
                missing=self.missing,
                std_lv=True,
                meanstructure=True,
                kind="cfa",
                engine="kernel",
            )

    def step(self, name: str, released: tuple[str, ...], against: Step | None) -> Step:
        """Fit and judge one step."""
        found = self.fitted(name, released)
        measures = fit_measures(found)
        cfi, rmsea, srmr = (
            measures[f"{key}_robust"] if f"{key}_robust" in measures else measures[key]
            for key in ("cfi", "rmsea", "srmr")
        )
        title = f"partial {name}" if released else name
        nan = float("nan")
        step = Step(title, found, released, "", nan, nan, nan, cfi, rmsea, srmr, None)
        if against is None:
            return step
        test = likelihood_ratio_test(against.fit, found).iloc[1] if found.df > against.fit.df else None
        if test is not None:
            chisq, df, p = float(test["chisq_diff"]), float(test["df_diff"]), float(test["pvalue"])
            step = replace(step, against=against.name, chisq_diff=chisq, df_diff=df, pvalue_diff=p)
        else:
            step = replace(step, against=against.name)
        if not (found.certificate.certified and against.fit.certificate.certified):
            return step
        return replace(step, holds=self.stands(name, step, against))

    def stands(self, name: str, step: Step, against: Step) -> bool:
        """Return whether the rule lets the equalities of a step stand."""
        if self.rule == "test":
            return not step.pvalue_diff < self.alpha
        # Measures are compared as they are printed, so that a reader comes to the same verdict.
        fall = round(against.cfi - step.cfi, 3)
        if self.rule == "cheung2002":
            return fall <= 0.010
        limit = thresholds(name, step.fit.moments.n)
        rmsea, srmr = round(step.rmsea - against.rmsea, 3), round(step.srmr - against.srmr, 3)
        return fall <= limit.cfi and (rmsea <= limit.rmsea or srmr <= limit.srmr)

    def release(self, name: str, failed: Step, against: Step | None) -> tuple[Step, str]:
        """Release one equality after another until the step holds or too few items are left."""
        step = failed
        log: list[str] = []
        while step.holds is False:
            worst = self.worst(name, step)
            if worst is None:
                listed = f" after releasing {', '.join(log)}" if log else ""
                return step, f"The {name} step fails{listed}: no construct would keep two items that are equal."
            row, x2 = worst
            log.append(f"{row.name} (score test {x2:.2f})")
            added = [row.name]
            if row.op == "=~" and name == "metric":
                # Intercepts of items with unequal loadings are not comparable.
                added.append(f"{row.rhs} ~ 1")
            step = self.step(name, (*step.released, *added), against)
        if step.holds is None:
            return step, f"Releasing {', '.join(log)} leads to no admissible solution of the {name} step."
        return step, f"The {name} step fails; it holds partially, without {', '.join(log)}."

    def worst(self, name: str, step: Step) -> tuple[Parameter, float] | None:
        """Return the equality of this step with the largest score test that may still be released."""
        kind = {"metric": "=~", "scalar": "~1", "strict": "~~"}[name]
        rows = step.fit.specification.parameters
        tests = score_tests(step.fit)
        by_item = {row.rhs: row.lhs for row in rows if row.op == "=~"}
        spared = set(step.released)
        best: tuple[Parameter, float] | None = None
        for place, x2 in zip(tests["rhs"], tests["x2"], strict=True):
            row = rows[int(str(place).strip(".p")) - 1]
            item = row.rhs if row.op == "=~" else row.lhs
            if row.op != kind or item not in by_item or (row.lhs in by_item.values() and kind != "=~"):
                continue
            own = [other for other, construct in by_item.items() if construct == by_item[item]]
            left = [other for other in own if _written(kind, by_item[item], other) not in spared]
            if np.isfinite(x2) and (best is None or x2 > best[1]) and (len(left) > 2 or kind == "~~"):
                best = row, float(x2)
        return best


def _written(kind: str, construct: str, item: str) -> str:
    """Return the parameter of an item in one step, as one writes it."""
    return {"=~": f"{construct} =~ {item}", "~1": f"{item} ~ 1", "~~": f"{item} ~~ {item}"}[kind]


def _latent_means(fitted: Fit) -> pd.DataFrame:
    """Return the latent means of every group against the first."""
    table = estimates(fitted)
    latent = set(fitted.specification.latent)
    means = table[(table["op"] == "~1") & table["lhs"].isin(latent) & (table["group"] > 1)]
    own = (table["op"] == "~~") & (table["lhs"] == table["rhs"])
    variance = {
        (lhs, group): est for lhs, group, est in table.loc[own, ["lhs", "group", "est"]].itertuples(index=False)
    }
    n = [entry.n for entry in fitted.moments.groups]
    records = []
    for row in means.to_dict("records"):
        g = int(row["group"])
        pooled = ((n[0] - 1) * variance[row["lhs"], 1] + (n[g - 1] - 1) * variance[row["lhs"], g]) / (
            n[0] + n[g - 1] - 2
        )
        record = {"group": fitted.specification.groups[g - 1], "latent": row["lhs"], "mean": row["est"]}
        record |= {key: row[key] for key in ("se", "z", "pvalue", "ci_lower", "ci_upper")}
        records.append(record | {"d": row["est"] / np.sqrt(pooled) if pooled > 0 else np.nan})
    return pd.DataFrame(records)
