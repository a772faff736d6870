"""The caveats of a report: what a reader must know before using its numbers, the gravest first."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sem_loyalty.display import format_number, format_p
from sem_loyalty.publish.lang import word
from sem_loyalty.publish.results import Results, index_kind

# Customary limits, the more lenient where two are customary, since a caveat needs a clear case: CFI of 0.90 (Bentler
# and Bonett, 1980, https://doi.org/10.1037/0033-2909.88.3.588), RMSEA of 0.08 (Browne and Cudeck, 1992,
# https://doi.org/10.1177/0049124192021002005), SRMR of 0.08 (Hu and Bentler, 1999,
# https://doi.org/10.1080/10705519909540118).
_CFI, _RMSEA, _SRMR = 0.90, 0.08, 0.08
# Composite reliability and AVE: Fornell and Larcker (1981), https://doi.org/10.1177/002224378101800104; HTMT: Henseler,
# Ringle and Sarstedt (2015), https://doi.org/10.1007/s11747-014-0403-8.
_CR, _AVE, _HTMT = 0.70, 0.50, 0.90
_ALPHA, _EXCLUDED, _PER_PARAMETER = 0.05, 0.20, 5


def caveats(results: Results) -> list[str]:
    """Return what a reader must know before using the numbers, the gravest first; the last holds for every model.

    Parameters
    ----------
    results : Results
        Of a certified fit; of others nothing can be used, which the certificate explains.

    Returns
    -------
    list of str
        Sentences in the language of the report. They come from the results: fit, reliability and discriminant
        validity, verdicts, respondents left out, draws that failed.
    """
    lang = results.lang
    found = [word("caveat_simulated", lang)] if results.simulated else []
    found += [*_of_fit(results), *_of_measurement(results), *_of_hypotheses(results), *_of_sample(results)]
    return [*found, word("caveat_causal", lang)]


def _of_fit(results: Results) -> Iterator[str]:
    lang, measures = results.lang, results.measures
    corrected = "chisq_scaled" in measures
    p = measures["pvalue_scaled" if corrected else "pvalue"]
    if p < _ALPHA:
        shown = format_p(p, lang=lang)
        yield word("caveat_chisq", lang, p=shown if shown[0] in "<>" else f"= {shown}")
    kind = index_kind(measures)
    end = f"_{kind}" if kind else ""
    bad = []
    for key, name, limit, sign in (
        (f"cfi{end}", "CFI", _CFI, 1),
        (f"rmsea{end}", "RMSEA", _RMSEA, -1),
        ("srmr", "SRMR", _SRMR, -1),
    ):
        value = measures.get(key, math.nan)
        if sign * (limit - value) > 0:
            relation = "<" if sign > 0 else ">"
            shown, rule = (format_number(x, d, True, lang=lang) for x, d in ((value, 3), (limit, 2)))
            bad.append(f"{name} {shown} ({relation} {rule})")
    if bad:
        yield word("caveat_fit", lang, measures=_listed(bad, lang))


def _of_measurement(results: Results) -> Iterator[str]:
    lang = results.lang
    reliability = results.tables.get("reliability")
    for key, column, limit in (("reliability", "cr", _CR), ("ave", "ave", _AVE)):
        low = []
        for row in reliability.rows if reliability is not None else ():
            value = row.get(column)
            if isinstance(value, float) and value < limit:
                where = f" [{row['group']}]" if row.get("group") else ""
                low.append(f"{row['construct']}{where} {format_number(value, 2, True, lang=lang)}")
        if low:
            yield word(f"caveat_{key}", lang, names=_listed(low, lang))
    close: list[str] = []
    for id, table in results.tables.items():
        if id != "htmt" and not id.startswith("htmt-"):
            continue
        heads = {column.key: column.head for column in table.columns}
        for row in table.rows:
            for name, value in row.items():
                if isinstance(value, float) and value >= _HTMT:
                    shown = format_number(value, 2, True, lang=lang)
                    close.append(f"{heads[name]} – {row['construct']} {shown}")
    if close:
        yield word("caveat_htmt", lang, names=_listed(list(dict.fromkeys(close)), lang))


def _of_hypotheses(results: Results) -> Iterator[str]:
    groups = results.fit.specification.groups
    for verdict in ("opposite", "unsupported"):
        ids = [
            entry.hypothesis.id + (f" [{groups[entry.group - 1]}]" if entry.group and len(groups) > 1 else "")
            for entry in results.verdicts
            if entry.verdict == verdict
        ]
        if ids:
            yield word(f"caveat_{verdict}", results.lang, ids=_listed(ids, results.lang))


def _of_sample(results: Results) -> Iterator[str]:
    lang, n, q = results.lang, results.fit.moments.n, int(results.measures["npar"])
    if n < _PER_PARAMETER * q:
        yield word("caveat_small", lang, n=n, q=q)
    everyone = results.collected
    if n < (1 - _EXCLUDED) * everyone:
        share = f"{100 * (everyone - n) / everyone:.0f}"
        yield word("caveat_excluded", lang, n=everyone - n, all=everyone, share=share)
    if results.study.data.matrix:
        yield word("caveat_matrix", lang)
    if results.drawn is not None and results.drawn.failed:
        yield word("caveat_failed", lang, n=f"{results.drawn.failed:,}", all=f"{results.drawn.draws:,}")


def _listed(names: list[str], lang: str) -> str:
    return (", " if lang == "en" else "、").join(names)
