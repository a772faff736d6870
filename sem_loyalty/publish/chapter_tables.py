"""Tables that gather what a chapter prints together: respondents, constructs, and the measurement model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pandas as pd

from sem_loyalty.display import Column, Table, format_number
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.measurement.reliability import reliability
from sem_loyalty.measurement.validity import validity
from sem_loyalty.publish.tables import Edition
from sem_loyalty.survey.codebook import Codebook

# A column with more different answers is a quantity or free text, not a choice.
_MOST_CHOICES = 10


def characteristics_table(
    data: pd.DataFrame, book: Codebook, edition: Edition, basis: str, *, leave_out: Collection[str] = ()
) -> Table | None:
    """Return frequencies and percentages of the background questions.

    Parameters
    ----------
    data : DataFrame
        Respondents behind the percentages.
    book : Codebook
        Labels of questions and answers; items of a construct are left out.
    edition : Edition
        Language and note.
    basis : str
        Who these respondents are.
    leave_out : collection of str
        Columns that describe no respondent: items of the model, ids, answering times.

    Returns
    -------
    Table or None
        One section a question: a choice (at most 10 different answers) by answer, a number by mean and standard
        deviation; free texts and columns of one value, or of a different one for everybody, are left out. None where
        nothing is left.
    """
    rows: list[dict[str, object]] = []
    sections: list[tuple[int, str]] = []
    for name in map(str, data.columns):
        item = book.get(name)
        if name in leave_out or (item is not None and item.construct):
            continue
        label = "" if item is None else item.label_zh if edition.lang == "zh" else item.label_en
        values = {} if item is None else {_key(code): text for code, text in item.value_labels}
        lines = _lines(data[name], values, edition)
        if lines:
            sections.append((len(rows), label or edition.label(name)))
            rows += lines
    if not rows:
        return None
    columns = (
        Column("characteristic", edition.word("characteristic")),
        Column("n", edition.word("frequency"), "int"),
        Column("share", edition.word("percentage"), "number", 1),
    )
    note = edition.note(edition.word("characteristics_note"), basis=basis, fit=False)
    caption = edition.word("characteristics_caption")
    return Table("characteristics", caption, columns, tuple(rows), note, edition.lang, tuple(sections))


def _lines(answers: pd.Series, labels: Mapping[object, str], edition: Edition) -> list[dict[str, object]]:
    total, given = len(answers), answers.dropna()
    different = sorted(given.unique().tolist(), key=lambda value: (isinstance(value, str), value))
    if len(different) < 2 or len(different) == total:
        return []
    if len(different) <= _MOST_CHOICES:
        counts = given.value_counts()
        lines = [(labels.get(_key(value), _text(value)), int(counts[value])) for value in different]
    elif pd.api.types.is_numeric_dtype(given) and not labels:
        mean, sd = (format_number(float(value), 2) for value in (given.mean(), given.std()))
        lines = [(edition.word("mean_and_sd", mean=mean, sd=sd), len(given))]
    else:
        return []
    lines += [(edition.word("no_answer"), total - len(given))] if total > len(given) else []
    return [{"characteristic": text, "n": count, "share": 100 * count / total} for text, count in lines]


def _key(value: object) -> object:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def constructs_tables(fitted: Fit, edition: Edition) -> Iterator[Table]:
    """Yield means, standard deviations and correlations of the constructs, √AVE on the diagonal, for each group.

    Parameters
    ----------
    fitted : Fit
    edition : Edition

    Yields
    ------
    Table
        Id "constructs" ("-2", "-3" ... for further groups); nothing for fewer than two constructs.
    """
    for number, label in enumerate(edition.groups, start=1):
        found = validity(fitted, group=number).fornell_larcker
        names = [str(name) for name in found.columns]
        if len(names) < 2:
            return
        values = found.to_numpy(dtype=float)
        columns = [Column("construct", edition.word("construct"))]
        columns += [Column("mean", edition.word("mean"), "number", 2), Column("sd", edition.word("sd"), "number", 2)]
        columns += [Column(f"r{k}", str(k), "number", 3, bounded=True) for k in range(1, len(names) + 1)]
        rows = []
        for position, name in enumerate(names):
            row: dict[str, object] = {"construct": f"{position + 1} {edition.label(name)}"}
            row |= {f"r{k + 1}": float(values[position, k]) for k in range(position + 1)}
            rows.append(row | _of_the_score(fitted, name, number))
        suffix, where = (f"-{number}" if number > 1 else ""), (f": {label}" if label else "")
        caption = edition.word("constructs_caption") + where
        note = edition.note(edition.word("constructs_note"))
        yield Table(f"constructs{suffix}", caption, tuple(columns), tuple(rows), note, edition.lang)


def _of_the_score(fitted: Fit, construct: str, group: int) -> dict[str, object]:
    """Return mean and standard deviation of the mean of the items of a construct."""
    names, moments = list(fitted.moments.names), fitted.moments.groups[group - 1]
    own = [names.index(item) for item in fitted.specification.indicators.get(construct, ()) if item in names]
    if not own:
        return {}
    variance = float(np.mean(moments.cov[np.ix_(own, own)])) * moments.n / (moments.n - 1)
    found: dict[str, object] = {"sd": float(np.sqrt(variance))}
    return found | ({} if moments.mean is None else {"mean": float(np.mean(moments.mean[own]))})


def cfa_table(frame: pd.DataFrame, fitted: Fit, edition: Edition) -> Table:
    """Return the loadings of every construct with its α, ω, CR and AVE, in one table.

    Parameters
    ----------
    frame : DataFrame
        From `estimates`.
    fitted : Fit
    edition : Edition

    Returns
    -------
    Table
        Id "cfa"; one section a construct, whose first row carries the coefficients of the construct.
    """
    several = len(edition.groups) > 1
    records = reliability(fitted).reset_index().to_dict("records")
    found = {(row["construct"], row["group"] if several else ""): row for row in records}
    rows: list[dict[str, object]] = []
    sections: list[tuple[int, str]] = []
    loadings = frame[frame["op"] == "=~"]
    for group, construct in dict.fromkeys(zip(loadings["group"].tolist(), loadings["lhs"].tolist(), strict=True)):
        own = loadings[(loadings["group"] == group) & (loadings["lhs"] == construct)]
        where = edition.groups[group - 1] if several else ""
        sections.append((len(rows), edition.label(construct) + (f" ({where})" if where else "")))
        coefficients = found.get((construct, where), {})
        for position, row in enumerate(own.to_dict("records")):
            fixed = not row["se"] > 0
            cells: dict[str, object] = {"item": edition.label(row["rhs"]), "std": row["std_all"], "est": row["est"]}
            cells |= {} if fixed else {"se": row["se"], "z": row["z"]}
            if position == 0:
                cells |= {key: coefficients[key] for key in ("alpha", "omega", "cr", "ave") if key in coefficients}
            rows.append(cells)
    columns = (
        Column("item", edition.word("item")),
        Column("std", "λ", "number", 3, bounded=True),
        Column("est", "B", "number"),
        Column("se", "SE", "number"),
        Column("z", "z", "number", 2),
        Column("alpha", "α", "number", 3, bounded=True),
        Column("omega", "ω", "number", 3, bounded=True),
        Column("cr", "CR", "number", 3, bounded=True),
        Column("ave", "AVE", "number", 3, bounded=True),
    )
    note = edition.note(edition.drawn, edition.word("cfa_note"))
    return Table("cfa", edition.word("cfa_caption"), columns, tuple(rows), note, edition.lang, tuple(sections))
