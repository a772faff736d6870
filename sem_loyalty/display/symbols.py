"""Statistical symbols in heads and notes, which print sets in italics."""

from __future__ import annotations

import re

# APA 7, section 6.44: Latin letters that stand for a quantity are italic; abbreviations (CI, CFI) and Greek are not.
_LATIN = r"N|n|p|t|z|F|M|SD|SE|B|R²|R|r|d|df|k|q|h²|u²|log L"
# Chinese journals set every symbol of a quantity in italics, Greek ones as well.
_GREEK = r"α|β|γ|λ|ω|χ²|Δχ²|Δβ"
_HEAD = {
    "en": re.compile(rf"Δ?({_LATIN})(?=\Z| )"),
    "zh": re.compile(rf"({_LATIN}|{_GREEK}|Δdf)(?=\Z| |/)"),
}
# In a sentence a letter is a symbol only before a sign of relation or before what defines it; elsewhere it may be a
# name, as in "A: 20, B: 30".
_MEANT = "unstandardised|mean|answers given|correlation|difference|非标准化|均值|有效作答|相关系数|以合并"
_RELATED = (
    r"(?<!\w)({})(?= ?[=<>≤≥])|(?<!\w)(S[ED])(?!\w)"
    rf"|(?<!\w)([BMndr])(?=(?:: | 为)(?:{_MEANT}))|(?<=\()M(?=\) and)|M(?= 与 S)"
)
_NOTE = {
    "en": re.compile(_RELATED.format(_LATIN)),
    "zh": re.compile(_RELATED.format(f"{_LATIN}|{_GREEK}")),
}


def head_parts(head: str, lang: str) -> tuple[tuple[str, bool], ...]:
    """Cut the head of a column into stretches, each with whether it is a symbol to be set in italics.

    Parameters
    ----------
    head : str
        A head such as "p", "χ²/df" or "B Group 1": only a symbol that begins the head, or that follows a slash,
        counts.
    lang : {"en", "zh"}
        English keeps Greek upright (APA 7), Chinese sets it in italics.

    Returns
    -------
    tuple of (str, bool)
    """
    first = _HEAD[lang].match(head)
    last = re.search(r"(?<=/)df\Z", head)
    spans = [match.span(1) for match in (first,) if match]
    spans += [last.span()] if last else []
    return _cut(head, spans)


def note_parts(note: str, lang: str) -> tuple[tuple[str, bool], ...]:
    """Cut a sentence into stretches as `head_parts` does; a letter is a symbol before a sign of relation."""
    return _cut(note, [match.span() for match in _NOTE[lang].finditer(note)])


def _cut(text: str, spans: list[tuple[int, int]]) -> tuple[tuple[str, bool], ...]:
    parts: list[tuple[str, bool]] = []
    done = 0
    for start, end in spans:
        parts += [(text[done:start], False), (text[start:end], True)]
        done = end
    return tuple(part for part in (*parts, (text[done:], False)) if part[0])
