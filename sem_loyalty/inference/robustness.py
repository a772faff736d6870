"""`robustness`: every hypothesis estimated again under other defensible choices, and how often it survives."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError, ImproperSolutionWarning, SemLoyaltyError, check_choice
from sem_loyalty.fitting.discrepancies import LIKELIHOOD
from sem_loyalty.fitting.fit import fit, text_of
from sem_loyalty.inference.estimates import estimates
from sem_loyalty.inference.measures import fit_measures
from sem_loyalty.inference.progress import Progress, Tell
from sem_loyalty.inference.verdicts import verdicts
from sem_loyalty.model.library import load_model
from sem_loyalty.model.model_file import Hypothesis, ModelFile, Wording
from sem_loyalty.model.roles import roles
from sem_loyalty.model.syntax import ModelText, Statement, Term
from sem_loyalty.survey.careless import mahalanobis

MISSING = ("listwise", "fiml")
# Meade and Craig (2012) and common practice for multivariate outliers.
OUTLIER_P = 0.001
KEPT = "none"
# A hypothesis is called robust where this share of the certified specifications supports it.
ROBUST = 0.95


@dataclass(frozen=True, slots=True)
class Choice:
    """One set of choices under which the model is estimated.

    Attributes
    ----------
    estimator : str
    missing : str
    excluded : tuple of str
        Names of the exclusion rules in force.
    dropped : str
        The item left out; "" for none.
    controls : tuple of str
        Control variables on every outcome.
    """

    estimator: str
    missing: str
    excluded: tuple[str, ...]
    dropped: str
    controls: tuple[str, ...]

    def differs(self, main: Choice) -> int:
        """Return in how many respects this choice differs from another."""
        pairs = zip(self._fields(), main._fields(), strict=True)
        return sum(one != other for one, other in pairs)

    def _fields(self) -> tuple[object, ...]:
        return self.estimator, self.missing, self.excluded, self.dropped, self.controls


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
            in the main specification and in 95 % of the certified ones).
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
        default "outliers", Mahalanobis p < .001 over the items. The main specification leaves nobody out.
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
    choices, masks = _choices(text, data, estimators, missing, exclude, drop_items, controls)
    possible = len(choices)
    if most < 1 or workers < 1:
        raise ConfigurationError(f"most={most!r} and workers={workers!r} must be 1 or more.")
    chosen = _thinned(choices, most, seed)
    task = _Task(text, data, masks)
    claims = tuple(hypotheses) if hypotheses is not None else _hypotheses(model, task, chosen[0])
    if not claims:
        raise ConfigurationError("There are no hypotheses: give `hypotheses`, or a model with paths.")
    records: list[dict[str, object]] = []
    results: list[dict[str, object]] = []
    bar = Progress(len(chosen), progress, "specifications")
    try:
        for k, (record, found) in enumerate(_run(task, chosen, claims, workers)):
            records.append({"specification": k} | record)
            results += [{"specification": k} | one for one in found]
            bar.update(k + 1)
    finally:
        bar.close()
    return Robustness(pd.DataFrame(records), pd.DataFrame(results), claims, possible)


@dataclass(frozen=True, slots=True)
class _Task:
    """What every specification starts from."""

    text: ModelText
    data: pd.DataFrame
    masks: dict[str, NDArray[np.bool_]]

    def solve(
        self, choice: Choice, hypotheses: tuple[Hypothesis, ...]
    ) -> tuple[dict[str, object], list[dict[str, object]]]:
        """Fit one specification and judge the hypotheses."""
        record: dict[str, object] = {
            "estimator": choice.estimator,
            "missing": choice.missing,
            "excluded": "; ".join(choice.excluded) or KEPT,
            "dropped": choice.dropped or KEPT,
            "controls": "; ".join(choice.controls) or KEPT,
        }
        left_out = np.zeros(len(self.data), dtype=bool)
        for name in choice.excluded:
            left_out |= self.masks[name]
        try:
            with warnings.catch_warnings():
                # Whether a fit is certified stands in the result.
                warnings.simplefilter("ignore", ImproperSolutionWarning)
                found = fit(
                    _changed(self.text, choice),
                    self.data[~left_out],
                    estimator=choice.estimator,
                    missing=choice.missing,
                    engine="kernel",
                )
        except SemLoyaltyError as error:
            nan = float("nan")
            record |= {"n": int((~left_out).sum()), "chisq": nan, "df": nan, "cfi": nan, "rmsea": nan}
            empty = {"est": nan, "se": nan, "pvalue": nan, "std_all": nan, "verdict": "withheld_verdict"}
            none = [{"hypothesis": one.id} | empty for one in hypotheses]
            return record | {"certified": False, "error": str(error)}, none
        measures = fit_measures(found)
        record |= {"n": found.moments.n, "chisq": found.chisq, "df": found.df}
        record |= {key: measures[key] for key in ("cfi", "rmsea")}
        record |= {"certified": found.certificate.certified, "error": ""}
        judged = verdicts(hypotheses, estimates(found), certified=found.certificate.certified)
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


def _solve(work: tuple[_Task, Choice, tuple[Hypothesis, ...]]) -> tuple[dict[str, object], list[dict[str, object]]]:
    task, choice, hypotheses = work
    return task.solve(choice, hypotheses)


def _run(
    task: _Task, chosen: Sequence[Choice], hypotheses: tuple[Hypothesis, ...], workers: int
) -> Iterator[tuple[dict[str, object], list[dict[str, object]]]]:
    """Yield the specifications in order, whoever computes them."""
    work = [(task, choice, hypotheses) for choice in chosen]
    if workers == 1 or len(work) == 1:
        yield from map(_solve, work)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_solve, work, chunksize=max(1, min(8, len(work) // (4 * workers))))


def _choices(
    text: ModelText,
    data: pd.DataFrame,
    estimators: Sequence[str],
    missing: Sequence[str],
    exclude: Mapping[str, Any] | None,
    drop_items: bool,
    controls: Sequence[str],
) -> tuple[list[Choice], dict[str, NDArray[np.bool_]]]:
    """Return all combinations, the main one first, and the exclusion rules as masks."""
    for name in estimators:
        check_choice("estimators", name, LIKELIHOOD)
    for rule in missing:
        check_choice("missing", rule, MISSING)
    for column in controls:
        check_choice("controls", column, tuple(str(name) for name in data.columns))
    if not estimators or not missing:
        raise ConfigurationError("`estimators` and `missing` each need one choice at least.")
    observed = [name for name in roles(text.statements).observed if name in data.columns]
    answers = data[[*observed, *controls]].to_numpy(dtype=np.float64)
    rules = list(missing) if np.isnan(answers).any() else [missing[0]]
    if exclude is None:
        probability = mahalanobis(data[observed].to_numpy(dtype=np.float64))[1]
        exclude = {"outliers": np.nan_to_num(probability, nan=1.0) < OUTLIER_P}
    masks = {name: np.asarray(mask, dtype=bool) for name, mask in exclude.items()}
    for name, mask in masks.items():
        if mask.shape != (len(data),):
            raise ConfigurationError(
                f"exclude[{name!r}] needs {len(data)} entries, one per row; its shape is {mask.shape}."
            )
    in_force = [
        tuple(name for name, on in zip(masks, bits, strict=True) if on) for bits in product((0, 1), repeat=len(masks))
    ]
    # A rule that leaves nobody out is no choice.
    in_force = [names for names in in_force if all(masks[name].any() for name in names)]
    items = _droppable(text) if drop_items else []
    added = [(), *((one,) for one in controls)] + ([tuple(controls)] if len(controls) > 1 else [])
    found = [
        Choice(estimator, rule, names, item, extra)
        for estimator, rule, names, item, extra in product(estimators, rules, in_force, ["", *items], added)
        if rule != "fiml" or estimator in ("ML", "MLR")
    ]
    return found, masks


def _droppable(text: ModelText) -> list[str]:
    """Return the items that can be left out: of one construct, which keeps two."""
    latent = {s.lhs for s in text.statements if s.op == "=~"}
    blocks: dict[str, list[str]] = {}
    for s in text.statements:
        if s.op == "=~" and s.rhs.name not in latent:
            blocks.setdefault(s.lhs, []).append(s.rhs.name)
    counts: dict[str, int] = {}
    for own in blocks.values():
        for item in own:
            counts[item] = counts.get(item, 0) + 1
    fixed = {s.rhs.name for s in text.statements if s.op == "=~" and any(m.kind == "fixed" for m in s.rhs.modifiers)}
    return [item for own in blocks.values() if len(own) > 2 for item in own if counts[item] == 1 and item not in fixed]


def _changed(text: ModelText, choice: Choice) -> ModelText:
    """Return the model without the dropped item and with the controls."""
    statements = tuple(s for s in text.statements if choice.dropped not in (s.lhs, s.rhs.name))
    explained = dict.fromkeys(s.lhs for s in statements if s.op == "~")
    more = tuple(Statement("~", outcome, Term(name)) for outcome in explained for name in choice.controls)
    return replace(text, statements=(*statements, *more))


def _thinned(choices: list[Choice], most: int, seed: int) -> list[Choice]:
    """Return at most `most` choices: the main one, its neighbours, and a random choice of the rest, in order."""
    if len(choices) <= most:
        return choices
    near = [k for k, choice in enumerate(choices) if choice.differs(choices[0]) <= 1][:most]
    rest = np.setdiff1d(np.arange(len(choices)), near)
    drawn = np.random.default_rng(seed).choice(rest, most - len(near), replace=False)
    return [choices[k] for k in sorted({*near, *(int(k) for k in drawn)})]


def _hypotheses(model: object, task: _Task, main: Choice) -> tuple[Hypothesis, ...]:
    """Return the hypotheses of a model file, or every path of a text with the sign that it has in the main fit."""
    if isinstance(model, ModelFile):
        return model.hypotheses
    if isinstance(model, str | Path) and "~" not in str(model):
        return load_model(model).hypotheses
    paths = [s for s in task.text.statements if s.op == "~"]
    blank = Wording("", "")
    claims = tuple(Hypothesis(f"{s.lhs} ~ {s.rhs.name}", (s.rhs.name, s.lhs), "+", blank, (), "") for s in paths)
    rows = task.solve(main, claims)[1]
    signs = {str(row["hypothesis"]): "-" if float(str(row["est"])) < 0 else "+" for row in rows}
    return tuple(replace(claim, sign=signs[claim.id]) for claim in claims)
