"""Tables of the measurement: exploratory factors, reliability, validity, and the questions themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from sem_loyalty.display import Column, Table, format_number, format_p
from sem_loyalty.fitting.solution import Fit
from sem_loyalty.measurement.factors import EFA
from sem_loyalty.measurement.reliability import reliability
from sem_loyalty.measurement.validity import validity
from sem_loyalty.model.model_file import ModelFile
from sem_loyalty.publish.tables import Edition, basis


def efa_tables(found: EFA, edition: Edition) -> Iterator[Table]:
    """Yield eigenvalues, pattern loadings and the variance that the factors account for.

    Parameters
    ----------
    found : EFA
    edition : Edition
        Language. The sample is that of the factor analysis, which need not be the model's.

    Yields
    ------
    Table
        Ids "eigenvalues", "efa-loadings" and "efa-variance".
    """
    lang = edition.lang
    sample = basis(lang, n={"": found.n}, missing=edition.word(f"missing_{found.missing}"))
    parallel = found.retention.components
    columns = (
        Column("component", edition.word("component"), "int"),
        Column("eigenvalue", edition.word("eigenvalue"), "number"),
        Column("random", edition.word("random"), "number"),
    )
    pairs = zip(parallel.observed.tolist(), parallel.reference.tolist(), strict=True)
    rows = tuple(
        {"component": k, "eigenvalue": own, "random": random} for k, (own, random) in enumerate(pairs, start=1)
    )
    asked = any("given" in note for note in found.notes)
    chosen = edition.word("given_note" if asked else "chosen_note", m=found.n_factors, draws=parallel.draws)
    note = edition.note(chosen, basis=sample, fit=False)
    yield Table("eigenvalues", edition.word("eigenvalues_caption"), columns, rows, note, lang)
    own = replace(edition, certified=found.converged and not found.heywood)
    yield _pattern(found, own, sample)
    yield _variance(found, own, sample)


def _pattern(found: EFA, edition: Edition, sample: str) -> Table:
    factors = [str(name) for name in found.loadings.columns]
    loadings = found.loadings.to_numpy(dtype=float).tolist()
    columns = (
        Column("item", edition.word("item")),
        # A pattern loading is a regression weight: beyond 1 it is unusual, not impossible, and formats either way.
        *(Column(name, name, "number", 3, bounded=True) for name in factors),
        Column("communality", "h²", "number", 3, bounded=True),
        Column("uniqueness", "u²", "number", 3, bounded=True),
    )
    rows = []
    for item, weights in zip(found.items, loadings, strict=True):
        row: dict[str, object] = {"item": item, **dict(zip(factors, weights, strict=True))}
        row |= {"communality": float(found.communalities[item]), "uniqueness": float(found.uniquenesses[item])}
        rows.append(row)
    test = found.bartlett
    p = format_p(test.p, lang=edition.lang)
    sentences = [edition.word("heywood_note", items=", ".join(found.heywood))] if found.heywood else []
    sentences += [] if found.converged else [edition.word("unconverged_note")]
    sentences += [
        edition.word(
            "pattern_note", extraction=edition.word(f"extraction_{found.extraction}"), rotation=found.rotation
        ),
        edition.word(
            "adequacy_note",
            kmo=format_number(found.kmo.overall, 3, True, lang=edition.lang),
            df=test.df,
            chi2=format_number(test.chi2, 2),
            p=p if p[0] in "<>" else f"= {p}",
        ),
    ]
    note = edition.note(*sentences, basis=sample)
    return Table("efa-loadings", edition.word("efa_caption"), columns, tuple(rows), note, edition.lang)


def _variance(found: EFA, edition: Edition, sample: str) -> Table:
    factors = [str(name) for name in found.loadings.columns]
    columns = (
        Column("factor", edition.word("factor")),
        Column("ss_loadings", edition.word("ss_loadings"), "number"),
        Column("proportion", edition.word("proportion"), "number", 3, bounded=True),
        Column("cumulative", edition.word("cumulative"), "number", 3, bounded=True),
        *(Column(name, f"r {name}", "number", 3, bounded=True) for name in factors[:-1]),
    )
    shares = found.variance[["ss_loadings", "proportion", "cumulative"]].to_dict("records")
    phi = found.phi.to_numpy(dtype=float).tolist()
    rows: list[dict[str, object]] = []
    for position, (name, share) in enumerate(zip(factors, shares, strict=True)):
        below = dict(zip(factors[:position], phi[position], strict=False))
        rows.append({"factor": name, **{str(key): value for key, value in share.items()}, **below})
    note = edition.note(basis=sample)
    return Table("efa-variance", edition.word("efa_variance_caption"), columns, tuple(rows), note, edition.lang)


def quality_tables(fitted: Fit, edition: Edition) -> Iterator[Table]:
    """Yield reliability, the Fornell-Larcker matrix and HTMT of the constructs, the matrices for each group.

    Parameters
    ----------
    fitted : Fit
    edition : Edition
        Language, labels and note.

    Yields
    ------
    Table
        Ids "reliability", "fornell-larcker" and "htmt" (with "-2", "-3" ... for further groups); nothing for a model
        without constructs.
    """
    if not any(fitted.specification.indicators.values()):
        return
    yield _reliability(fitted, edition)
    for number, label in enumerate(edition.groups, start=1):
        found = validity(fitted, group=number)
        if len(found.fornell_larcker) < 2:
            continue
        suffix, where = (f"-{number}" if number > 1 else ""), (f": {label}" if label else "")
        yield _square(found.fornell_larcker, f"fornell-larcker{suffix}", where, edition, diagonal=True)
        yield _square(found.htmt, f"htmt{suffix}", where, edition, diagonal=False)


def _reliability(fitted: Fit, edition: Edition) -> Table:
    several = len(edition.groups) > 1
    columns = [Column("construct", edition.word("construct"))]
    columns += [Column("group", edition.word("group"))] if several else []
    columns += [
        Column("items", edition.word("count_items"), "int"),
        Column("alpha", "α", "number", 3, bounded=True),
        Column("alpha_ci", edition.word("alpha_interval"), "interval", 3, bounded=True),
        Column("omega", "ω", "number", 3, bounded=True),
        Column("cr", "CR", "number", 3, bounded=True),
        Column("ave", "AVE", "number", 3, bounded=True),
        Column("h", "H", "number", 3, bounded=True),
    ]
    rows: list[dict[str, object]] = []
    remarks: list[str] = []
    for row in reliability(fitted).reset_index().to_dict("records"):
        kept: dict[str, object] = {key: row[key] for key in ("items", "omega", "cr", "ave", "h", "alpha")}
        kept |= {"construct": edition.label(row["construct"])}
        kept |= {"alpha_ci": (row["alpha_ci_lower"], row["alpha_ci_upper"])}
        rows.append(kept | ({"group": row["group"]} if several else {}))
        if row["note"] and edition.lang == "en":
            remarks.append(f"{edition.label(row['construct'])}: {row['note']}")
    note = edition.note(edition.word("reliability_note"), *dict.fromkeys(remarks))
    return Table("reliability", edition.word("reliability_caption"), tuple(columns), tuple(rows), note, edition.lang)


def _square(frame: pd.DataFrame, id: str, where: str, edition: Edition, *, diagonal: bool) -> Table:
    """Return a matrix of constructs, its upper triangle blank."""
    names = [str(name) for name in frame.columns]
    values = frame.to_numpy(dtype=float).tolist()
    shown = names if diagonal else names[:-1]
    columns = (
        Column("construct", edition.word("construct")),
        # HTMT may exceed 1 in a sample, but is written like the correlation that it estimates.
        *(Column(name, edition.label(name), "number", 3, bounded=True) for name in shown),
    )
    rows: list[dict[str, object]] = []
    for position, (name, row) in enumerate(zip(names, values, strict=True)):
        below = position + 1 if diagonal else position
        rows.append({"construct": edition.label(name), **dict(zip(shown[:below], row[:below], strict=True))})
    key = "fornell" if diagonal else "htmt"
    note = edition.note(edition.word(f"{key}_note"))
    return Table(id, edition.word(f"{key}_caption") + where, columns, tuple(rows), note, edition.lang)


def question_tables(model: ModelFile, edition: Edition) -> Iterator[Table]:
    """Yield the constructs with their questions, where the model's description has them."""
    if not any(item.wording.text(edition.lang) != item.name for item in model.items):
        return
    columns = (
        Column("construct", edition.word("construct")),
        Column("item", edition.word("item")),
        Column("wording", edition.word("wording")),
    )
    rows: list[dict[str, object]] = []
    for item in model.items:
        mark = edition.word("reversed")
        suffix = "" if not item.reverse else f" ({mark})" if edition.lang == "en" else f"（{mark}）"
        rows.append(
            {
                "construct": edition.label(item.construct),
                "item": item.name,
                "wording": item.wording.text(edition.lang) + suffix,
            }
        )
    yield Table("questions", edition.word("questions_caption"), columns, tuple(rows), "", edition.lang)
