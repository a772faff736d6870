"""Tables of the sample: who was left out, how the items were answered, how they correlate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sem_loyalty.display import Cell, Column, Table
from sem_loyalty.publish.tables import Edition, basis
from sem_loyalty.survey.missingness import McarTest
from sem_loyalty.survey.moments import Moments
from sem_loyalty.survey.normality import Mardia
from sem_loyalty.survey.screen_rules import rule_text

# The rules of screen_rules in Chinese; English comes from there.
_RULES_ZH = {
    "missing_share": "缺失题项比例超过 {}",
    "longstring": "连续相同答案不少于 {} 个",
    "irv": "个人作答标准差（IRV）不高于 {}",
    "duration": "作答时间少于 {} 秒",
    "duration_per_item": "每题作答时间少于 {} 秒",
    "duration_share": "作答时间少于中位数的 {}",
    "mahalanobis_p": "马氏距离 p 值低于 {}",
    "duplicate": "与先前某行答案完全相同",
    "duplicate_id": "与先前某行编号相同",
    "attention": "注意力检测题未通过 {} 题及以上",
}


def flow_table(
    collected: int, excluded: Mapping[str, tuple[float, int]], moments: Moments, edition: Edition, *, ungrouped: int = 0
) -> Table:
    """Return the way from the respondents collected to those behind the model.

    Parameters
    ----------
    collected : int
        Rows of the survey.
    excluded : mapping of str to (float, int)
        Threshold and number excluded by rule, in the order of the rules.
    moments : Moments
        Of the fit.
    edition : Edition
        Language and note.
    ungrouped : int, default 0
        Rows without a value of the grouping variable, which no group can take.

    Returns
    -------
    Table
    """
    rows: list[dict[str, object]] = [{"step": edition.word("collected"), "remaining": collected}]
    remaining = collected
    for rule, (threshold, count) in excluded.items():
        text = rule_text(rule, threshold) if edition.lang == "en" else _RULES_ZH[rule].format(f"{threshold:g}")
        remaining -= count
        rows.append({"step": text, "excluded": count, "remaining": remaining})
    if ungrouped:
        remaining -= ungrouped
        rows.append({"step": edition.word("without_group"), "excluded": ungrouped, "remaining": remaining})
    if moments.missing in ("listwise", "fiml"):
        dropped = moments.n_collected - ungrouped - moments.n
        rows.append({"step": edition.word(f"{moments.missing}_step"), "excluded": dropped, "remaining": moments.n})
    rows.append({"step": edition.word("respondents"), "remaining": moments.n})
    columns = (
        Column("step", edition.word("step")),
        Column("excluded", edition.word("excluded"), "int"),
        Column("remaining", edition.word("remaining"), "int"),
    )
    analysed = {group.label: group.n for group in moments.groups}
    who = basis(edition.lang, n=analysed, missing=edition.word(f"missing_{moments.missing}"))
    said = edition.word("flow_note") if excluded else edition.word("flow_none")
    note = edition.note(said, basis=who, fit=False)
    return Table("sample-flow", edition.word("flow_caption"), columns, tuple(rows), note, edition.lang)


def descriptives_table(items: pd.DataFrame, edition: Edition, basis: str) -> Table:
    """Return mean, spread and shape of every item.

    Parameters
    ----------
    items : DataFrame
        The `items` of a screening.
    edition : Edition
        Language and labels.
    basis : str
        Respondents behind these numbers: all that were answered, before the model's rule for missing answers.

    Returns
    -------
    Table
    """
    columns = (
        Column("item", edition.word("item")),
        Column("n", "n", "int"),
        Column("missing", edition.word("missing_count"), "int"),
        Column("mean", edition.word("mean"), "number", 2),
        Column("sd", edition.word("sd"), "number", 2),
        Column("min", edition.word("minimum"), "number", 0),
        Column("max", edition.word("maximum"), "number", 0),
        Column("skewness", edition.word("skewness"), "number", 2),
        Column("kurtosis", edition.word("kurtosis"), "number", 2),
        Column("floor_share", edition.word("floor"), "number", 2, bounded=True),
        Column("ceiling_share", edition.word("ceiling"), "number", 2, bounded=True),
    )
    keys = [column.key for column in columns]
    rows = tuple({key: row[key] for key in keys} for row in items.to_dict("records"))
    note = edition.note(edition.word("descriptives_note"), basis=basis, fit=False)
    return Table("descriptives", edition.word("descriptives_caption"), columns, rows, note, edition.lang)


def correlations_table(moments: Moments, edition: Edition) -> tuple[Table, ...]:
    """Return means, standard deviations and correlations of the items of the model, one Table a group.

    Of ordinal items only the correlations are shown: mean and standard deviation of what is thought to lie behind the
    answers are fixed at 0 and 1.
    """
    ordinal = moments.ordinal is not None
    kind = "_ordinal" if ordinal else {"fiml": "_fiml", "none": "_matrix"}.get(moments.missing, "")
    tables = []
    for number, group in enumerate(moments.groups, start=1):
        sd = np.sqrt(np.diag(group.cov))
        correlations = group.cov / np.outer(sd, sd)
        # Moments divide by n; a reader expects the standard deviation that divides by n - 1.
        spread = sd * np.sqrt(group.n / (group.n - 1))
        columns = [Column("item", edition.word("item"))]
        if not ordinal:
            columns += [Column("mean", edition.word("mean"), "number", 2)] if group.mean is not None else []
            columns.append(Column("sd", edition.word("sd"), "number", 2))
        p = len(moments.names)
        columns += [Column(f"r{k + 1}", str(k + 1), "number", 2, bounded=True) for k in range(p - 1)]
        rows = []
        for position, name in enumerate(moments.names):
            row: dict[str, object] = {"item": f"{position + 1} {name}"}
            if not ordinal:
                row["sd"] = float(spread[position])
                row |= {"mean": float(group.mean[position])} if group.mean is not None else {}
            rows.append(row | {f"r{k + 1}": float(correlations[position, k]) for k in range(position)})
        suffix, where = (f"-{number}", f": {group.label}") if len(moments.groups) > 1 else ("", "")
        caption = edition.word("correlations_caption") + where
        note = edition.note(edition.word(f"correlations_note{kind}"), fit=False)
        tables.append(Table(f"correlations{suffix}", caption, tuple(columns), tuple(rows), note, edition.lang))
    return tuple(tables)


def tests_table(normal: Mardia | None, mcar: McarTest | None, edition: Edition, basis: str) -> Table:
    """Return Mardia's coefficients and Little's test, as far as they could be computed."""
    rows: list[dict[str, object]] = []
    if normal is not None:
        rows.append(
            {
                "test": edition.word("mardia_skewness"),
                "value": normal.skewness,
                "statistic": normal.skewness_statistic,
                "df": normal.skewness_df,
                "p": normal.skewness_p,
            }
        )
        rows.append(
            {
                "test": edition.word("mardia_kurtosis"),
                "value": normal.kurtosis,
                "statistic": Cell(normal.kurtosis_z, "number", 2),
                "p": normal.kurtosis_p,
            }
        )
    if mcar is not None:
        rows.append({"test": edition.word("little"), "statistic": mcar.statistic, "df": mcar.df, "p": mcar.p})
    columns = (
        Column("test", edition.word("test")),
        Column("value", edition.word("value"), "number", 2),
        Column("statistic", edition.word("statistic"), "number", 2),
        Column("df", "df", "int"),
        Column("p", "p", "p"),
    )
    note = edition.note(edition.word("tests_note"), basis=basis, fit=False)
    return Table("screening-tests", edition.word("tests_caption"), columns, tuple(rows), note, edition.lang)
