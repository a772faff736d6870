"""Screening: what the answers look like, who answered without care, and who is left out by which stated rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sem_loyalty.display import Table, format_p
from sem_loyalty.errors import DataError, nearest
from sem_loyalty.survey.answers import check_columns, is_missing, listing, numeric_matrix
from sem_loyalty.survey.careless import duplicate_rows, irv, longstring, mahalanobis
from sem_loyalty.survey.codebook import REVERSED, Codebook, HasData, Item, is_no_answer
from sem_loyalty.survey.item_statistics import item_statistics
from sem_loyalty.survey.missingness import McarTest, little_mcar, missing_patterns
from sem_loyalty.survey.normality import Mardia, mardia
from sem_loyalty.survey.screen_rules import RULES, check_rules, hits, rule_text

Array = NDArray[np.float64]

DEFINITIONS = (
    "Skewness and kurtosis are the adjusted G1 and G2 of SPSS (Joanes and Gill, 1998); kurtosis is in excess of the "
    "normal distribution. Standard deviations divide by n - 1."
)


@dataclass(frozen=True, slots=True, eq=False)
class Screening:
    """A screened sample.

    Attributes
    ----------
    names : tuple of str
        Columns screened as items.
    items : DataFrame
        By item, over the analysed rows: item, n, missing, missing_share, mean, sd, min, max, out_of_range, skewness
        (G1), kurtosis (G2), floor_share, ceiling_share (shares of the answers at the ends of the scale).
    patterns : DataFrame
        Patterns of missing answers over the analysed rows.
    respondents : DataFrame
        By respondent, over all rows collected: row (from 1), missing_share, longstring, irv, mahalanobis_d2,
        mahalanobis_p, duplicate_of (row), and where asked for duration, duration_per_item, duration_share (of the
        median), duplicate_id_of (row), attention_failed.
    mardia : Mardia or None
        Over the complete analysed rows; None where it cannot be computed (see notes).
    mcar : McarTest or None
        Little's test over the analysed rows; None without missing answers or where it cannot be computed.
    flow : DataFrame
        step, rule, excluded, remaining: from rows collected, over each rule in the order stated, to rows analysed.
    analysed : DataFrame
        The rows that remain, untouched, with their index.
    excluded : DataFrame
        Index of the rows left out; row, rule (the first that hit), reason, value, also (further rules that hit).
    notes : tuple of str
        What could not be computed, and how reversed items were treated.
    """

    names: tuple[str, ...]
    items: pd.DataFrame
    patterns: pd.DataFrame
    respondents: pd.DataFrame
    mardia: Mardia | None
    mcar: McarTest | None
    flow: pd.DataFrame
    analysed: pd.DataFrame
    excluded: pd.DataFrame
    notes: tuple[str, ...]

    def tables(self) -> tuple[Table, ...]:
        """Return the flow of respondents and the item statistics as tables."""
        flow = Table.from_frame(
            self.flow,
            id="screening-flow",
            caption="Respondents from collection to analysis",
            heads={"step": "Step", "rule": "Rule", "excluded": "Excluded", "remaining": "Remaining"},
        )
        heads = {
            "item": "Item",
            "missing_share": "missing share",
            "out_of_range": "out of range",
            "kurtosis": "kurtosis",
        }
        items = Table.from_frame(
            self.items,
            id="screening-items",
            caption="Answers by item",
            note=DEFINITIONS,
            heads=heads | {"floor_share": "floor share", "ceiling_share": "ceiling share"},
            bounded=("missing_share", "floor_share", "ceiling_share"),
        )
        return flow, items

    def __str__(self) -> str:
        lines = [
            f"Screening of {len(self.names)} items: {len(self.respondents)} collected, {len(self.analysed)} analysed"
        ]
        lines += [f"  {row.rule}: {row.excluded} excluded" for row in self.flow.itertuples() if row.step == "excluded"]
        if self.mardia is not None:
            m = self.mardia
            lines.append(
                f"  Mardia: skewness {m.skewness:.2f} (chi-square {m.skewness_statistic:.2f}, df {m.skewness_df}, "
                f"p {format_p(m.skewness_p)}); kurtosis {m.kurtosis:.2f} (z {m.kurtosis_z:.2f}, "
                f"p {format_p(m.kurtosis_p)})"
            )
        if self.mcar is not None:
            lines.append(
                f"  Little: chi-square {self.mcar.statistic:.2f}, df {self.mcar.df}, p {format_p(self.mcar.p)}"
            )
        return "\n".join([*lines, *(f"  - {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        return "".join(table.to_html() for table in self.tables())


def screen(
    data: pd.DataFrame | HasData,
    *,
    items: Sequence[str] | None = None,
    codebook: Codebook | None = None,
    duration: str | None = None,
    id: str | None = None,
    attention: Mapping[str, object] | None = None,
    rules: Mapping[str, float | bool] | None = None,
) -> Screening:
    """Return item statistics and respondent flags, and leave out only who a stated rule leaves out.

    Parameters
    ----------
    data : DataFrame or Survey
        Answers, raw or scored by `apply_codebook`. Longstring and IRV need the answers as given, so items that
        `apply_codebook` turned round are turned back for them, with the range in the codebook.
    items : sequence of str, optional
        Columns, or item names of the codebook, in the order of the questionnaire. Default: the codebook's items with
        a construct (if none has one, its numeric columns); without codebook all numeric columns that are not named in
        another argument.
    codebook : Codebook, optional
        Ranges for out-of-range counts and for floor and ceiling, and missing codes, which are not counted as answers.
        Default: the survey's own.
    duration : str, optional
        Column with the answering time in seconds.
    id : str, optional
        Column that identifies a respondent, for duplicates.
    attention : mapping of str to answer (or collection of answers), optional
        Attention checks: column and the answers that pass. A missing answer fails.
    rules : mapping of str to float or bool, optional
        Applied in this order, all to flags of the whole sample (distances are not computed anew after an exclusion):
        ``missing_share`` (excluded above), ``longstring`` (at or above), ``irv`` (at or below), ``duration``,
        ``duration_per_item``, ``duration_share`` of the median (below), ``mahalanobis_p`` (below), ``duplicate``,
        ``duplicate_id`` (True: all but the first), ``attention`` (True or number of failures at or above). Customary:
        two seconds per item (Huang et al., 2012, doi:10.1007/s10869-011-9231-8). By default nobody is excluded.

    Returns
    -------
    Screening

    Raises
    ------
    DataError
        Unknown columns, text in items, or a rule on distances that cannot be computed.
    ConfigurationError
        An unknown rule, a threshold out of range, or a rule without the argument it needs.
    """
    frame = data if isinstance(data, pd.DataFrame) else data.data
    if codebook is None and not isinstance(data, pd.DataFrame):
        codebook = data.codebook
    stated = check_rules(rules, {"duration": duration, "id": id, "attention": attention})
    named = [name for name in (duration, id) if name is not None] + list(attention or {})
    check_columns(frame, list(dict.fromkeys(named)), what="Column")
    if len(frame) == 0:
        raise DataError("The data have no rows to screen.")
    names, book = _choose_items(frame, items, codebook, set(named))
    answers = numeric_matrix(frame, names)
    for position, name in enumerate(names):
        if name in book and name not in frame.attrs.get(REVERSED, ()):
            answers[is_no_answer(frame[name], book[name]), position] = np.nan
    raw, notes = _as_answered(frame, names, answers, book)
    flags = _flags(frame, answers, raw, duration, id, attention, notes, "mahalanobis_p" in stated)
    keep, flow, excluded = _apply(frame, flags, stated)
    remaining = answers[keep]
    if not keep.any():
        raise DataError(
            f"The rules exclude all {len(frame)} rows: {listing([rule_text(*pair) for pair in stated.items()])}."
        )
    normal: Mardia | None = None
    mcar: McarTest | None = None
    try:
        normal = mardia(remaining)
    except DataError as error:
        notes.append(f"Mardia's coefficients not computed: {error}")
    if np.isnan(remaining).any():
        try:
            mcar = little_mcar(remaining)
        except DataError as error:
            notes.append(f"Little's test not computed: {error}")
    return Screening(
        names=tuple(names),
        items=item_statistics(remaining, names, book),
        patterns=missing_patterns(remaining, names),
        respondents=flags,
        mardia=normal,
        mcar=mcar,
        flow=flow,
        analysed=frame.loc[keep].copy(),
        excluded=excluded,
        notes=tuple(notes),
    )


def _choose_items(
    frame: pd.DataFrame, items: Sequence[str] | None, codebook: Codebook | None, named: set[str]
) -> tuple[list[str], dict[str, Item]]:
    """Return the columns screened, and the codebook's item of each that has one."""
    columns = [str(column) for column in frame.columns]
    known = codebook.items if codebook is not None else ()
    at = {item: next((n for n in (item.name, item.column) if n in columns), None) for item in known}
    if items is not None:
        short = {item.name: column for item, column in at.items() if column is not None}
        names = [name if name in columns else short.get(name, name) for name in items]
        absent = [f"'{name}' {nearest(name, [*columns, *short])}".strip() for name in names if name not in columns]
        if absent:
            raise DataError(f"Item not in the data: {listing(absent)}.")
    else:
        chosen = [item for item in known if item.construct]
        candidates = [at[item] for item in (chosen or known)] if known else list(columns)
        names = [name for name in candidates if name is not None and name not in named]
        if not chosen:
            names = [name for name in names if pd.api.types.is_numeric_dtype(frame[name].dtype)]
    if not names:
        raise DataError("There are no items to screen. Name them with items=, or in the codebook.")
    return names, {column: item for item, column in at.items() if column is not None}


def _as_answered(
    frame: pd.DataFrame, names: Sequence[str], answers: Array, book: Mapping[str, Item]
) -> tuple[Array, list[str]]:
    """Return the answers with reversed items turned back, and notes."""
    turned = [name for name in names if name in frame.attrs.get(REVERSED, ())]
    raw = answers.copy()
    unknown = []
    for name in turned:
        item = book.get(name)
        if item is None or item.min is None or item.max is None:
            unknown.append(f"'{name}'")
        else:
            position = list(names).index(name)
            raw[:, position] = item.min + item.max - raw[:, position]
    notes = []
    if unknown:
        notes.append(
            f"Longstring and IRV use the reversed scores of {listing(unknown)}; give the codebook to turn them back."
        )
    elif turned:
        shown = listing([f"'{name}'" for name in turned])
        notes.append(f"Longstring and IRV use the answers as given: {shown} were turned back.")
    return raw, notes


def _flags(
    frame: pd.DataFrame,
    answers: Array,
    raw: Array,
    duration: str | None,
    id: str | None,
    attention: Mapping[str, object] | None,
    notes: list[str],
    needs_distance: bool,
) -> pd.DataFrame:
    n = len(frame)
    flags: dict[str, object] = {
        "row": np.arange(1, n + 1),
        "missing_share": np.isnan(answers).mean(axis=1),
        "longstring": longstring(raw),
        "irv": irv(raw),
    }
    try:
        flags["mahalanobis_d2"], flags["mahalanobis_p"] = mahalanobis(answers)
    except DataError as error:
        if needs_distance:
            raise DataError(f"The rule 'mahalanobis_p' cannot be applied. {error}") from None
        notes.append(f"Mahalanobis distances not computed: {error}")
        flags["mahalanobis_d2"] = flags["mahalanobis_p"] = np.full(n, np.nan)
    flags["duplicate_of"] = _row_numbers(duplicate_rows(answers))
    if duration is not None:
        spent = numeric_matrix(frame, [duration], what="Duration")[:, 0]
        flags["duration"] = spent
        flags["duration_per_item"] = spent / answers.shape[1]
        middle = float(np.nanmedian(spent)) if np.isfinite(spent).any() else float("nan")
        flags["duration_share"] = spent / middle if middle > 0.0 else np.full(n, np.nan)
    if id is not None:
        first: dict[str, int] = {}
        earlier = np.full(n, -1, dtype=np.int64)
        for row, value in enumerate(frame[id]):
            if not is_missing(value) and first.setdefault(str(value), row) != row:
                earlier[row] = first[str(value)]
        flags["duplicate_id_of"] = _row_numbers(earlier)
    if attention is not None:
        failed = np.zeros(n, dtype=np.int64)
        for column, right in attention.items():
            failed += np.array([not _passes(value, right) for value in frame[column]], dtype=np.int64)
        flags["attention_failed"] = failed
    return pd.DataFrame(flags, index=frame.index)


def _row_numbers(positions: NDArray[np.int64]) -> Array:
    return np.where(positions < 0, np.nan, positions + 1.0)


def _passes(value: object, right: object) -> bool:
    if is_missing(value):
        return False
    accepted = list(right) if isinstance(right, Collection) and not isinstance(right, str) else [right]
    return any(value == answer or str(value).strip() == str(answer).strip() for answer in accepted)


def _apply(
    frame: pd.DataFrame, flags: pd.DataFrame, stated: Mapping[str, float]
) -> tuple[NDArray[np.bool_], pd.DataFrame, pd.DataFrame]:
    """Return the rows kept, the flow, and the rows left out with their reason."""
    n = len(frame)
    keep = np.ones(n, dtype=bool)
    steps: list[dict[str, object]] = [{"step": "collected", "rule": "", "excluded": 0, "remaining": n}]
    hit = {name: hits(name, threshold, flags) for name, threshold in stated.items()}
    reason: dict[int, str] = {}
    for name, threshold in stated.items():
        new = hit[name] & keep
        keep &= ~new
        reason |= dict.fromkeys(np.flatnonzero(new).tolist(), name)
        steps.append(
            {
                "step": "excluded",
                "rule": rule_text(name, threshold),
                "excluded": int(new.sum()),
                "remaining": int(keep.sum()),
            }
        )
    steps.append({"step": "analysed", "rule": "", "excluded": n - int(keep.sum()), "remaining": int(keep.sum())})
    rows = []
    for position in sorted(reason):
        name = reason[position]
        rows.append(
            {
                "row": position + 1,
                "rule": name,
                "reason": rule_text(name, stated[name]),
                "value": float(flags[RULES[name].column].iloc[position]),
                "also": ", ".join(other for other in stated if other != name and hit[other][position]),
            }
        )
    excluded = pd.DataFrame(rows, columns=["row", "rule", "reason", "value", "also"])
    excluded.index = frame.index[sorted(reason)]
    return keep, pd.DataFrame(steps), excluded
