"""What a sequence of invariance tests ends with: its steps, its rule, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sem_loyalty.display import Table
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.measures import fit_measures

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
        "configural", "thresholds" (ordinal items), "metric", "scalar" or "strict"; "partial metric" and so on where
        parameters were released, and "metric (rejected)" and so on where a partial version replaced the step.
    fit : Fit
    released : tuple of str
        Parameters that differ between groups (or waves) in this step and the following ones, as one writes them.
    against : str
        The step that it is compared with; "" for the first.
    chisq_diff, df_diff, pvalue_diff : float
        Test of the equalities, scaled where the estimator is robust; nan for the first.
    cfi, rmsea, srmr : float
        CFI and RMSEA of the kind that `indices` names.
    holds : bool or None
        Whether the rule lets the equalities stand; None for the first, and where a solution is not certified.
    indices : {"robust", "scaled", ""}
        Which CFI and RMSEA: robust ones where the estimator has them, scaled ones of ordinal items (robust ones do not
        exist once thresholds are equal), else the plain ones ("").
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
    indices: str = ""


@dataclass(frozen=True)
class Invariance:
    """Measurement invariance across groups, or over the waves of a panel.

    Attributes
    ----------
    steps : tuple of Step
        Every model that was fitted, in order; a step that failed is followed by its partial version.
    rule : {"chen2007", "cheung2002", "test"}
    alpha : float
    groups : tuple of str
        Groups, or "wave 1", "wave 2", ...
    level : str
        The last step that holds, "partial" included; "" where not even the configural model is certified.
    latent_means : DataFrame or None
        group, latent, mean, se, z, pvalue, ci_lower, ci_upper, d: means of the constructs against the first group or
        wave, from the scalar step; d in standard deviations pooled over the two. None where intercepts are not equal.
    statements : tuple of str
        What was found, and what cannot be tested, in sentences.
    across : {"groups", "waves"}
    """

    steps: tuple[Step, ...]
    rule: str
    alpha: float
    groups: tuple[str, ...]
    level: str
    latent_means: pd.DataFrame | None
    statements: tuple[str, ...]
    across: str = "groups"

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
            caption=f"Measurement invariance {'over' if self.across == 'waves' else 'across'} {', '.join(self.groups)}",
            heads=heads,
            kinds={"pvalue_diff": "p", "df_diff": "int"},
            note=" ".join((*self.statements, self._rule_note())),
        )

    def _rule_note(self) -> str:
        if self.rule == "test":
            return f"A step holds where the test of its equalities has p >= {self.alpha:g}."
        kind = self.steps[0].indices
        kind = f" CFI and RMSEA are {kind} ones; the rule was found with maximum likelihood." if kind else ""
        if self.rule == "cheung2002":
            return "A step holds where CFI falls by at most .010 (Cheung & Rensvold, 2002)." + kind
        n = self.steps[0].fit.moments.n
        first, later = thresholds("metric", n), thresholds("scalar", n)
        return (
            f"A step holds where CFI falls by at most {first.cfi:.3f}, and RMSEA rises by at most {first.rmsea:.3f} or "
            f"SRMR by at most {first.srmr:.3f} (loadings) or {later.srmr:.3f} (later steps), for N = {n} (Chen, 2007)."
            + kind
        )

    def __repr__(self) -> str:
        """Return what print shows: a prompt must not hide the mark."""
        return str(self)

    def __str__(self) -> str:
        """Return the table of steps as text."""
        return self.to_table().to_text()

    def _repr_html_(self) -> str:
        return self.to_table().to_html()
