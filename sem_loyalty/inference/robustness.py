"""`robustness`: every hypothesis estimated again under other defensible choices, and how often it survives."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table
from sem_loyalty.errors import (
    ConfigurationError,
    DataWarning,
    ImproperSolutionWarning,
    SemLoyaltyError,
)
from sem_loyalty.fitting.fit import fit, text_of
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.inference.baseline import baseline_test
from sem_loyalty.inference.estimates import estimates
from sem_loyalty.inference.progress import Progress, Tell
from sem_loyalty.inference.specifications import MISSING, Choice, changed, choices, columns, thinned
from sem_loyalty.inference.verdicts import verdicts
from sem_loyalty.kernel import indices
from sem_loyalty.model.library import load_model
from sem_loyalty.model.model_file import Hypothesis, ModelFile, Wording
from sem_loyalty.model.syntax import ModelText

Array = NDArray[np.float64]
# A row of `specifications`, and its rows of `results`.
Outcome = tuple[dict[str, object], list[dict[str, object]]]

# A hypothesis is called robust where this share of the certified specifications supports it.
ROBUST = 0.95


@dataclass(frozen=True)
class Robustness:
    """Hypotheses over many specifications.

    Attributes
    ----------
    specifications : DataFrame
        One row per specification, the main one first: specification (number), estimator, missing, excluded, dropped,
        controls, n, chisq, df, cfi, rmsea, certified, error (why there is no fit; "" where there is one).
    results : DataFrame
        One row per specification and hypothesis: specification, hypothesis, est, se, pvalue, std_all, verdict; the
        verdict is "withheld_verdict" where the fit is not certified.
    hypotheses : tuple of Hypothesis
    possible : int
        Specifications that the choices allow; more than were run where `most` cut them down.
    """

    specifications: pd.DataFrame
    results: pd.DataFrame
    hypotheses: tuple[Hypothesis, ...]
    possible: int

    def summary(self) -> pd.DataFrame:
        """Return one row per hypothesis.

        Returns
        -------
        DataFrame
            hypothesis, path, sign, main (standardised estimate of the main specification), main_verdict, median,
            lowest, highest (standardised, over certified specifications), specifications, certified, supported (share
            of the certified ones), opposite (share with a significant effect of the other sign), robust (supported
            in the main specification and in 95% of the certified ones).
        """
        records = []
        for hypothesis in self.hypotheses:
            own = self.results[self.results["hypothesis"] == hypothesis.id]
            sound = own[~own["verdict"].isin(["withheld_verdict", "untested"])]
            main = own[own["specification"] == 0].iloc[0]
            supported = float((sound["verdict"] == "supported").mean()) if len(sound) else np.nan
            std = sound["std_all"]
            records.append(
                {
                    "hypothesis": hypothesis.id,
                    "path": " -> ".join(hypothesis.path),
                    "sign": hypothesis.sign,
                    "main": main["std_all"],
                    "main_verdict": main["verdict"],
                    "median": std.median(),
                    "lowest": std.min(),
                    "highest": std.max(),
                    "specifications": len(own),
                    "certified": len(sound),
                    "supported": supported,
                    "opposite": float((sound["verdict"] == "opposite").mean()) if len(sound) else np.nan,
                    "robust": bool(main["verdict"] == "supported" and supported >= ROBUST),
                }
            )
        return pd.DataFrame(records)

    def lines(self) -> tuple[str, ...]:
        """Return one sentence per hypothesis: how often it survives."""
        out = []
        for row in self.summary().to_dict("records"):
            if not row["certified"]:
                out.append(f"{row['hypothesis']}: no specification is certified, so nothing is said.")
                continue
            held = round(row["supported"] * row["certified"])
            out.append(
                f"{row['hypothesis']} ({row['path']}): supported in {held} of {row['certified']} certified "
                f"specifications ({row['supported']:.0%}); standardised effect {row['lowest']:.2f} to "
                f"{row['highest']:.2f}, median {row['median']:.2f}."
            )
        return tuple(out)

    def to_table(self) -> Table:
        """Return the summary as a Table."""
        frame = self.summary().drop(columns=["main_verdict"])
        frame["robust"] = ["yes" if value else "no" for value in frame["robust"]]
        count = len(self.specifications)
        uncertified = int((~self.specifications["certified"].astype(bool)).sum())
        note = (
            f"{count} specifications of {self.possible} that the choices allow; {uncertified} of them not certified, "
        )
        note += f"which count in none of the figures. Robust: supported in the main and in {ROBUST:.0%} of the others."
        return Table.from_frame(frame, id="robustness", caption="Robustness of the hypotheses", note=note)

    def __repr__(self) -> str:
        """Return what print shows: a prompt must not hide the mark."""
        return str(self)

    def __str__(self) -> str:
        """Return the summary as text."""
        return self.to_table().to_text()

    def _repr_html_(self) -> str:
        return self.to_table().to_html()


def robustness(
    model: str | Path | ModelText | ModelFile,
    data: pd.DataFrame,
    *,
    hypotheses: Sequence[Hypothesis] | None = None,
    estimators: Sequence[str] = ("ML", "MLR"),
    missing: Sequence[str] = MISSING,
    exclude: Mapping[str, Any] | None = None,
    applied: Sequence[str] = (),
    drop_items: bool = True,
    controls: Sequence[str] = (),
    most: int = 500,
    seed: int = 1,
    workers: int = 1,
    progress: bool | Tell | None = None,
) -> Robustness:
    """Estimate the hypotheses under every combination of choices that could be defended.

    Parameters
    ----------
    model : str, Path, ModelText or ModelFile
        A model file brings its hypotheses; a text needs them in `hypotheses`.
    data : DataFrame
        One row per respondent.
    hypotheses : sequence of Hypothesis, optional
        By default those of the model file; for a text, every path, expected to be as it is in the main specification.
    estimators : sequence of str, default ("ML", "MLR")
        Of "ML", "MLM", "MLMV" and "MLR". The first one is that of the main specification.
    missing : sequence of {"listwise", "fiml"}, default both
        "fiml" goes with ML and MLR only. Where no answer is missing, the first one alone is used.
    exclude : mapping of str to array of bool, optional
        Rules that leave respondents out, by name, True where a respondent is left out: outliers, careless answers. By
        default "outliers", Mahalanobis p < .001 over the items.
    applied : sequence of str, default ()
        Rules of `exclude` that the main specification applies, such as those of a screening; by default it leaves
        nobody out.
    drop_items : bool, default True
        Leave out every item in turn of constructs that keep two.
    controls : sequence of str, default ()
        Columns that act on every explained construct: none, each alone, and all together.
    most : int, default 500
        Largest number of specifications. Where there are more, the main one, those that differ from it in one respect
        and a random choice of the rest are run.
    seed : int, default 1
        Of that random choice.
    workers : int, default 1
        Processes.
    progress : bool or callable, optional
        As in `bootstrap`.

    Returns
    -------
    Robustness

    Raises
    ------
    ConfigurationError
        Unknown estimators or rules, an exclusion that does not match the rows, or no hypotheses.

    Notes
    -----
    A specification curve without its inferential part (Simonsohn, Simmons and Nelson 2020,
    doi:10.1038/s41562-020-0912-z): a description of how far the verdicts hang on the choices.
    """
    text = text_of(model)
    every, masks = choices(text, data, estimators, missing, exclude, drop_items, controls, applied)
    possible = len(every)
    if most < 1 or workers < 1:
        raise ConfigurationError(f"most={most!r} and workers={workers!r} must be 1 or more.")
    chosen = thinned(every, most, seed)
    task = _Task(text, columns(text, data, controls), masks, ())
    claims = tuple(hypotheses) if hypotheses is not None else _hypotheses(model, task, chosen[0])
    if not claims:
        raise ConfigurationError("There are no hypotheses: give `hypotheses`, or a model with paths.")
    done: dict[int, Outcome] = {}
    bar = Progress(len(chosen), progress, "specifications")
    try:
        for k, outcome in _run(replace(task, hypotheses=claims), chosen, workers):
            done[k] = outcome
            bar.update(len(done))
    finally:
        bar.close()
    records = [{"specification": k} | done[k][0] for k in range(len(chosen))]
    results = [{"specification": k} | row for k in range(len(chosen)) for row in done[k][1]]
    return Robustness(pd.DataFrame(records), pd.DataFrame(results), claims, possible)


@dataclass(frozen=True, slots=True)
class _Task:
    """What every specification starts from; `columns` are the variables that any of them uses."""

    text: ModelText
    columns: dict[str, Array]
    masks: dict[str, NDArray[np.bool_]]
    hypotheses: tuple[Hypothesis, ...]

    def solve(self, choices: Sequence[Choice]) -> list[Outcome]:
        """Fit specifications that differ in their estimator alone, and judge the hypotheses.

        Likelihood estimators share their estimates and differ in their uncertainty, so one search serves them all.
        """
        left_out = np.zeros(len(next(iter(self.columns.values()))), dtype=bool)
        for name in choices[0].excluded:
            left_out |= self.masks[name]
        rows = {name: column[~left_out] for name, column in self.columns.items()}
        try:
            with warnings.catch_warnings():
                # Whether a fit is certified, and how many rows it rests on, stand in the result.
                warnings.simplefilter("ignore", ImproperSolutionWarning)
                warnings.simplefilter("ignore", DataWarning)
                found = fit(
                    changed(self.text, choices[0]),
                    rows,
                    estimator=choices[0].estimator,
                    missing=choices[0].missing,
                    engine="kernel",
                )
        except SemLoyaltyError as error:
            return [self._without_fit(choice, int((~left_out).sum()), str(error)) for choice in choices]
        return [self._judged(choice, replace(found, estimator=choice.estimator)) for choice in choices]

    def _judged(self, choice: Choice, found: Fit) -> Outcome:
        baseline, baseline_df = baseline_test(found)
        record = choice.record() | {
            "n": found.moments.n,
            "chisq": found.chisq,
            "df": found.df,
            "cfi": indices.cfi(found.chisq, found.df, baseline, baseline_df),
            "rmsea": indices.rmsea(found.chisq, found.df, found.test_n, 1),
            "certified": found.certificate.certified,
            "error": "",
        }
        judged = verdicts(self.hypotheses, estimates(found), certified=found.certificate.certified)
        rows: list[dict[str, object]] = [
            {
                "hypothesis": one.hypothesis.id,
                "est": one.est,
                "se": one.se,
                "pvalue": one.p,
                "std_all": one.std,
                "verdict": one.verdict,
            }
            for one in judged
        ]
        return record, rows

    def _without_fit(self, choice: Choice, n: int, error: str) -> Outcome:
        nan = float("nan")
        record = choice.record() | {"n": n, "chisq": nan, "df": nan, "cfi": nan, "rmsea": nan}
        empty = {"est": nan, "se": nan, "pvalue": nan, "std_all": nan, "verdict": "withheld_verdict"}
        rows: list[dict[str, object]] = [{"hypothesis": one.id} | empty for one in self.hypotheses]
        return record | {"certified": False, "error": error}, rows


# The task of a worker process, set once when it starts: it is much larger than a choice.
_task_of_worker: _Task | None = None


def _begin(task: _Task) -> None:
    global _task_of_worker
    _task_of_worker = task


def _solve(choices: Sequence[Choice]) -> list[Outcome]:
    assert _task_of_worker is not None
    return _task_of_worker.solve(choices)


def _run(task: _Task, chosen: Sequence[Choice], workers: int) -> Iterator[tuple[int, Outcome]]:
    """Yield the specifications with their number as they are done, whoever computes them."""
    alike: dict[Choice, list[int]] = {}
    for k, choice in enumerate(chosen):
        alike.setdefault(replace(choice, estimator=""), []).append(k)
    work = [[chosen[k] for k in numbers] for numbers in alike.values()]
    if workers == 1 or len(work) == 1:
        solved: Iterator[list[Outcome]] = map(task.solve, work)
        for numbers, outcomes in zip(alike.values(), solved, strict=True):
            yield from zip(numbers, outcomes, strict=True)
        return
    with ProcessPoolExecutor(workers, initializer=_begin, initargs=(task,)) as pool:
        solved = pool.map(_solve, work, chunksize=max(1, min(8, len(work) // (4 * workers))))
        for numbers, outcomes in zip(alike.values(), solved, strict=True):
            yield from zip(numbers, outcomes, strict=True)


def _hypotheses(model: object, task: _Task, main: Choice) -> tuple[Hypothesis, ...]:
    """Return the hypotheses of a model file, or every path of a text with the sign that it has in the main fit."""
    if isinstance(model, ModelFile):
        return model.hypotheses
    if isinstance(model, str | Path) and "~" not in str(model):
        return load_model(model).hypotheses
    paths = [s for s in task.text.statements if s.op == "~"]
    blank = Wording("", "")
    claims = tuple(Hypothesis(f"{s.lhs} ~ {s.rhs.name}", (s.rhs.name, s.lhs), "+", blank, (), "") for s in paths)
    rows = replace(task, hypotheses=claims).solve([main])[0][1]
    signs = {str(row["hypothesis"]): "-" if float(str(row["est"])) < 0 else "+" for row in rows}
    return tuple(replace(claim, sign=signs[claim.id]) for claim in claims)
