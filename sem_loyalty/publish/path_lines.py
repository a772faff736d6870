"""What the report says of each line of a path diagram when a reader asks for its numbers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from sem_loyalty.display import format_number, format_p
from sem_loyalty.inference.verdicts import ALPHA
from sem_loyalty.publish.fitted_edges import products
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.results import Results

_KINDS = {"=~": "loading", "~": "path", "~~": "covariance"}


def path_lines(results: Results, group: int) -> list[dict[str, object]]:
    """Return the lines of one diagram with their numbers in words.

    Parameters
    ----------
    results : Results
        What was found.
    group : int
        Number of the group that the diagram shows.

    Returns
    -------
    list of dict
        "from", "to" (names of variables), "kind" ("path", "loading", "covariance", or "residual" where the study draws
        residuals), "title" (the reader's names), "text" (β, B, SE, z, p, interval, hypotheses and verdicts), "weak"
        (whether it is tested and not significant); of the path of a product also its two "factors".
    """
    found = results.estimates[(results.estimates["group"] == group) & results.estimates["op"].isin(list(_KINDS))]
    lines: list[dict[str, object]] = []
    loadings = found[found["op"] == "=~"].groupby("lhs")["rhs"].agg(list)
    factors = products({str(name): own for name, own in loadings.items()})
    for row in found.to_dict("records"):
        residual = row["lhs"] == row["rhs"]
        if (residual and not results.study.diagram.residuals) or (row["se"] == 0 and row["est"] == 0):
            continue
        source, target = (row["rhs"], row["lhs"]) if row["op"] == "~" else (row["lhs"], row["rhs"])
        weak = results.certified and not residual and row["se"] > 0 and row["pvalue"] >= ALPHA
        lines.append(
            {
                "from": source,
                "to": target,
                "kind": "residual" if residual else _KINDS[row["op"]],
                "title": _title(results, row, (source, target)),
                "text": _text(results, row, (source, target), group),
                "weak": bool(weak),
            }
            | ({"factors": factors[source]} if row["op"] == "~" and source in factors else {})
        )
    return lines


def _title(results: Results, row: Mapping[Hashable, Any], ends: tuple[str, str]) -> str:
    labels = results.model.labels(results.lang)
    source, target = (labels.get(name, name) for name in ends)
    if row["lhs"] == row["rhs"]:
        return word("line_residual", results.lang, name=source)
    return word("line_pair" if row["op"] == "~~" else "line_title", results.lang, source=source, target=target)


def _text(results: Results, row: Mapping[Hashable, Any], ends: tuple[str, str], group: int) -> str:
    lang = results.lang
    symbol = {"=~": "λ", "~": "β", "~~": "r"}[str(row["op"])]
    facts = [f"{symbol} = {format_number(row['std_all'], 3, True, lang=lang)}", f"B = {format_number(row['est'])}"]
    if row["lhs"] == row["rhs"]:
        facts = [facts[1], word("line_share", lang, value=format_number(row["std_all"], 3, True, lang=lang))]
    if row["se"] > 0:
        p = format_p(row["pvalue"], lang=lang)
        interval = f"[{format_number(row['ci_lower'])}, {format_number(row['ci_upper'])}]"
        facts += [
            f"SE = {format_number(row['se'])}",
            f"z = {format_number(row['z'], 2)}",
            f"p {p}" if p[0] in "<>" else f"p = {p}",
            word("line_interval", lang, interval=interval),
        ]
    else:
        facts.append(word("line_fixed", lang))
    judged = [
        word(
            "line_verdict",
            lang,
            id=entry.hypothesis.id,
            sign="+" if entry.hypothesis.sign == "+" else "−",
            verdict=word(entry.verdict, lang),
        )
        for entry in results.verdicts
        if row["op"] == "~" and entry.hypothesis.path == ends and not entry.hypothesis.effect and entry.group == group
    ]
    marks = [] if results.certified else [word("line_uncertified", lang)]
    marks += [word("line_simulated", lang)] if results.simulated else []
    comma, stop = (", ", "; ") if lang == "en" else ("，", "；")
    return stop.join([comma.join(facts), *judged, *marks])
