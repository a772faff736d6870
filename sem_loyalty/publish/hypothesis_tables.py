"""Tables and sentences on effects, mediation, rivals, robustness and method bias."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from sem_loyalty.display import Column, Table, format_number, format_p
from sem_loyalty.inference.comparison import Comparison, Pair
from sem_loyalty.inference.effect_list import DIRECT, INDIRECT, SPECIFIC, TOTAL
from sem_loyalty.inference.effects import Effects
from sem_loyalty.inference.robustness import Robustness
from sem_loyalty.measurement.method_bias import MethodBias
from sem_loyalty.publish.hypotheses import percent
from sem_loyalty.publish.lang import WORDS
from sem_loyalty.publish.tables import Edition

ALPHA = 0.05
VIF_RULE = 3.3


def p_text(value: float, edition: Edition) -> str:
    """Return a p-value for a sentence, its sign of relation included."""
    shown = format_p(value, lang=edition.lang)
    return shown if shown[0] in "<>" else f"= {shown}"


def listed(names: list[str], edition: Edition) -> str:
    """Return names joined as the language joins them."""
    return (", " if edition.lang == "en" else "、").join(names)


def effect_tables(found: Effects, edition: Edition) -> list[Table]:
    """Return the effects of every cause and outcome that an indirect effect joins, and the kind of mediation."""
    mediated = {(e.cause, e.outcome, e.group) for e in found.effects if e.kind == INDIRECT}
    if not mediated:
        return []
    several = len(edition.groups) > 1
    kinds: dict[tuple[str, str, int], list[str]] = {}
    for effect in found.effects:
        kinds.setdefault((effect.cause, effect.outcome, effect.group), []).append(effect.kind)
    rows: list[dict[str, object]] = []
    for effect, row in zip(found.effects, found.to_frame().to_dict("records"), strict=True):
        own = kinds[effect.cause, effect.outcome, effect.group]
        repeated = effect.kind == INDIRECT and own.count(SPECIFIC) == 1
        repeated = repeated or (effect.kind == TOTAL and DIRECT not in own)
        if (effect.cause, effect.outcome, effect.group) not in mediated or repeated:
            continue
        cells: dict[str, object] = {
            "path": " → ".join(edition.label(name) for name in effect.route or (effect.cause, effect.outcome)),
            "kind": edition.word(effect.kind),
            "est": row["est"],
            "se": row["se"],
            "p": row["pvalue"],
            "interval": (row["ci_lower"], row["ci_upper"]),
            "std": row["std_all"],
        }
        rows.append(cells | ({"group": edition.groups[effect.group - 1]} if several else {}))
    group = (Column("group", edition.word("group")),) if several else ()
    columns = (
        Column("path", edition.word("path")),
        *group,
        Column("kind", edition.word("kind")),
        Column("est", "B", "number"),
        Column("se", "SE", "number"),
        Column("p", "p", "p"),
        Column("interval", edition.word("interval"), "interval"),
        Column("std", "β", "number", 3, bounded=True),
    )
    source = edition.word("delta_note") if found.method == "delta" else edition.drawn
    feedback = edition.word("feedback_note") if found.notes else ""
    note = edition.note(source, feedback, edition.word("effects_note_drawn"))
    caption = edition.word("decomposition_caption")
    return [Table("decomposition", caption, columns, tuple(rows), note, edition.lang), _mediation(found, edition)]


def _mediation(found: Effects, edition: Edition) -> Table:
    several = len(edition.groups) > 1
    rows: list[dict[str, object]] = []
    for row in found.mediation().to_dict("records"):
        modelled = "no direct path" not in row["mediation"] and _has_direct(found, row)
        cells: dict[str, object] = {
            "path": f"{edition.label(row['cause'])} → {edition.label(row['outcome'])}",
            "direct": row["direct"] if modelled else None,
            "indirect": row["indirect"],
            "total": row["total"],
            "share": f"{100 * row['share']:.0f}%" if row["share"] == row["share"] else None,
            "mediation": edition.word(row["mediation"]),
        }
        rows.append(cells | ({"group": edition.groups[row["group"] - 1]} if several else {}))
    columns = (
        Column("path", edition.word("path")),
        *((Column("group", edition.word("group")),) if several else ()),
        Column("direct", edition.word("direct_effect"), "number"),
        Column("indirect", edition.word("indirect_effect"), "number"),
        Column("total", edition.word("total_effect"), "number"),
        Column("share", edition.word("share_mediated")),
        Column("mediation", edition.word("mediation")),
    )
    note = edition.note(edition.word("mediation_note"))
    return Table("mediation", edition.word("mediation_caption"), columns, tuple(rows), note, edition.lang)


def _has_direct(found: Effects, row: Mapping[Hashable, Any]) -> bool:
    key = (row["cause"], row["outcome"], row["group"])
    return any(e.kind == DIRECT and (e.cause, e.outcome, e.group) == key for e in found.effects)


def rivals_table(found: Comparison, own: str, edition: Edition) -> tuple[Table, tuple[str, ...]]:
    """Return the models side by side, each with what its comparison with the own model says, and the choice.

    Parameters
    ----------
    found : Comparison
    own : str
        Name of the study's model among the models of the comparison.
    edition : Edition
    """
    verdicts = {}
    for pair in found.pairs:
        if own in (pair.first, pair.second):
            other = pair.second if pair.first == own else pair.first
            verdicts[other] = _against(pair, other, edition)
    rows: list[dict[str, object]] = []
    for row in found.models.to_dict("records"):
        sound = bool(row["certified"])
        said = verdicts.get(row["model"], "") if row["model"] != own else ""
        rows.append(
            {key: row[key] for key in ("model", "df", "chisq", "pvalue", "cfi", "rmsea", "srmr", "bic")}
            | {"weight": row["bic_weight"], "said": said if sound else edition.word("not_certified")}
        )
    columns = (
        Column("model", edition.word("model_head")),
        Column("chisq", "χ²", "number", 2),
        Column("df", "df", "int"),
        Column("pvalue", "p", "p"),
        Column("cfi", "CFI", "number", 3, bounded=True),
        Column("rmsea", "RMSEA", "number", 3, bounded=True),
        Column("srmr", "SRMR", "number", 3, bounded=True),
        Column("bic", "BIC", "number", 1),
        Column("weight", edition.word("bic_weight"), "number", 3, bounded=True),
        Column("said", edition.word("against_own")),
    )
    note = edition.note(edition.word("rivals_note"))
    caption = edition.word("rivals_caption")
    return Table("rivals", caption, columns, tuple(rows), note, edition.lang), _choice(found, own, edition)


def _against(pair: Pair, other: str, edition: Edition) -> str:
    """Return what a pair says of the model that is not the own one."""
    if pair.relation == "equivalent":
        return edition.word("pair_equivalent")
    if pair.relation == "nested":
        rejected = pair.verdict == pair.second
        if other == pair.first:
            key = "restricts_rejected" if rejected else "restricts_kept"
        else:
            key = "freer_needed" if rejected else "freer_idle"
        chisq, df = format_number(pair.chisq, 2, lang=edition.lang), f"{pair.df:.0f}"
        return edition.word(key, chisq=chisq, df=df, p=p_text(pair.pvalue, edition))
    bic = pair.bic if other == pair.first else -pair.bic
    if pair.vuong is None:
        return edition.word("pair_bic", bic=format_number(bic, 1, lang=edition.lang))
    if pair.vuong.distinguishable_p >= ALPHA:
        return edition.word("pair_alike", p=p_text(pair.vuong.distinguishable_p, edition))
    p = p_text(min(1.0, 2.0 * min(pair.vuong.first_p, pair.vuong.second_p)), edition)
    return edition.word(
        "pair_even" if not pair.verdict else "pair_better" if pair.verdict == other else "pair_worse", p=p
    )


def _choice(found: Comparison, own: str, edition: Edition) -> tuple[str, ...]:
    if not found.choice:
        return (edition.word("chosen_nothing"),)
    others = listed(list(found.open), edition)
    key = "chosen_own" if found.choice == own else "chosen_rival"
    said = [edition.word(f"{key}_open" if others else key, name=found.choice, others=others)]
    if found.twins:
        said.append(edition.word("equivalent_also", names=listed(list(found.twins), edition)))
    return tuple(said)


def robustness_table(found: Robustness, edition: Edition) -> tuple[Table, tuple[str, ...]]:
    """Return the hypotheses over all specifications, and how far the supported ones can be relied on."""
    summary = found.summary().to_dict("records")
    rows = tuple(
        {
            "id": row["hypothesis"],
            "path": " → ".join(edition.label(name) for name in hypothesis.path),
            "main": row["main"],
            "median": row["median"],
            "range": (row["lowest"], row["highest"]),
            "supported": edition.word("survives", share=percent(row["supported"]), n=row["certified"])
            if row["certified"]
            else None,
            "opposite": f"{percent(row['opposite'])}%" if row["certified"] else None,
            "robust": edition.word("yes" if row["robust"] else "no") if row["main_verdict"] == "supported" else None,
        }
        for hypothesis, row in zip(found.hypotheses, summary, strict=True)
        if row["main_verdict"] != "untested"
    )
    columns = (
        Column("id", edition.word("hypothesis_head")),
        Column("path", edition.word("path")),
        Column("main", edition.word("main_estimate"), "number", 3, bounded=True),
        Column("median", edition.word("median_estimate"), "number", 3, bounded=True),
        Column("range", edition.word("range_estimate"), "interval", 3, bounded=True),
        Column("supported", edition.word("survives_head")),
        Column("opposite", edition.word("opposite_share")),
        Column("robust", edition.word("robust")),
    )
    note = edition.note(edition.word("main_specification"), _what_varied(found, edition))
    table = Table("robustness", edition.word("robustness_caption"), columns, rows, note, edition.lang)
    held = [row for row in summary if row["main_verdict"] == "supported"]
    frail = [str(row["hypothesis"]) for row in held if not row["robust"]]
    if not held:
        return table, (edition.word("robustness_no"),)
    if frail:
        return table, (edition.word("robustness_some", ids=listed(frail, edition)),)
    return table, (edition.word("robustness_all", n=len(held)),)


def choice_word(name: str, edition: Edition) -> str:
    """Return a choice of a specification as a reader knows it."""
    words = {"outliers": "outliers", "listwise": "missing_listwise", "fiml": "missing_fiml", "none": "nothing"}
    if f"excluded_{name}" in WORDS:
        return edition.word(f"excluded_{name}")
    return edition.word(words[name]) if name in words else edition.label(name)


def _what_varied(found: Robustness, edition: Edition) -> str:
    frame = found.specifications

    def values(column: str) -> str:
        parts = dict.fromkeys(part for cell in frame[column] for part in str(cell).split("; ") if part != "none")
        return listed([choice_word(part, edition) for part in parts], edition) or edition.word("nothing")

    items = frame.loc[frame["dropped"] != "none", "dropped"].nunique()
    return edition.word(
        "robustness_note",
        run=len(frame),
        possible=found.possible,
        bad=int((~frame["certified"].astype(bool)).sum()),
        estimators=values("estimator"),
        missing=values("missing"),
        excluded=values("excluded"),
        items=items,
        controls=values("controls"),
    )


def method_bias_tables(found: MethodBias, edition: Edition) -> tuple[list[Table], tuple[str, ...]]:
    """Return the models of method variance and the VIFs as tables, and what each check says."""
    rows = []
    for row in found.models.to_dict("records"):
        name = edition.word(f"method_model_{row['model']}")
        against = edition.word(f"method_model_{row['against']}") if row["against"] else None
        sound = bool(row["certified"])
        cells: dict[str, object] = {"model": name if sound else f"{name} ({edition.word('not_certified')})"}
        cells |= {key: row[key] for key in ("chisq", "df", "cfi", "rmsea", "srmr")} | {"against": against}
        rows.append(cells | {"pvalue": row["pvalue"] if against and sound else None})
    columns = (
        Column("model", edition.word("model_head")),
        Column("chisq", "χ²", "number", 2),
        Column("df", "df", "int"),
        Column("cfi", "CFI", "number", 3, bounded=True),
        Column("rmsea", "RMSEA", "number", 3, bounded=True),
        Column("srmr", "SRMR", "number", 3, bounded=True),
        Column("against", edition.word("equality")),
        Column("pvalue", "p", "p"),
    )
    caption = edition.word("method_models_caption")
    models = Table("method-models", caption, columns, tuple(rows), edition.note(), edition.lang)
    vifs = found.vif.to_dict("records")
    vif = Table(
        "full-collinearity",
        edition.word("vif_caption"),
        (Column("construct", edition.word("construct")), Column("vif", "VIF", "number", 2)),
        tuple({"construct": edition.label(row["construct"]), "vif": row["vif"]} for row in vifs),
        edition.note(edition.word("vif_note")),
        edition.lang,
    )
    share = format_number(100 * found.single_factor_share, 1, lang=edition.lang)
    said = [edition.word("harman_more" if found.single_factor_share > 0.5 else "harman_less", share=share)]
    said.append(_method_factor(found, edition))
    high = [edition.label(row["construct"]) for row in vifs if not row["vif"] <= VIF_RULE]
    largest = format_number(float(found.vif["vif"].max()), 2, lang=edition.lang)
    said.append(edition.word("vif_high", names=listed(high, edition)) if high else edition.word("vif_low", vif=largest))
    return [models, vif], tuple(said)


def _method_factor(found: MethodBias, edition: Edition) -> str:
    by_name = {row["model"]: row for row in found.models.to_dict("records")}
    row = by_name["constructs and method factor"]
    if not row["certified"]:
        return edition.word("factor_none")
    chisq, p = format_number(row["chisq_diff"], 2, lang=edition.lang), p_text(float(row["pvalue"]), edition)
    if float(row["pvalue"]) >= ALPHA:
        return edition.word("factor_idle", chisq=chisq, p=p)
    share = format_number(100 * found.method_variance, 1, lang=edition.lang)
    change = format_number(float(found.loadings["change"].abs().max()), 3, True, lang=edition.lang)
    return edition.word("factor_takes", share=share, chisq=chisq, p=p, change=change)
