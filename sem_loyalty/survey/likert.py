"""Likert answers in words: dictionaries of known answer scales, and mapping only what is certain."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sem_loyalty.survey.answers import listing
from sem_loyalty.survey.cells import clean

# One line per scale: family, then the points from low to high, wordings of one point separated by "|".
_SCALES = """
agreement-en; strongly disagree|completely disagree|totally disagree; disagree|somewhat disagree; \
neutral|neither agree nor disagree|neither disagree nor agree|undecided|not sure|unsure; agree|somewhat agree; \
strongly agree|completely agree|totally agree
agreement-en; strongly disagree|completely disagree|totally disagree; disagree; \
somewhat disagree|slightly disagree; neutral|neither agree nor disagree|neither disagree nor agree|undecided; \
somewhat agree|slightly agree; agree; strongly agree|completely agree|totally agree
satisfaction-en; very dissatisfied|extremely dissatisfied|very unsatisfied; \
dissatisfied|somewhat dissatisfied|unsatisfied; neutral|neither satisfied nor dissatisfied; \
satisfied|somewhat satisfied; very satisfied|extremely satisfied
satisfaction-en; very dissatisfied|extremely dissatisfied; dissatisfied|moderately dissatisfied; \
somewhat dissatisfied|slightly dissatisfied; neutral|neither satisfied nor dissatisfied; \
somewhat satisfied|slightly satisfied; satisfied|moderately satisfied; very satisfied|extremely satisfied
frequency-en; never; rarely|seldom; sometimes|occasionally; often|frequently; always
frequency-en; never; rarely|seldom; occasionally; sometimes; often|frequently; usually|very often; always
likelihood-en; very unlikely|extremely unlikely; unlikely|somewhat unlikely; \
neutral|neither likely nor unlikely|undecided; likely|somewhat likely; very likely|extremely likely
likelihood-en; very unlikely|extremely unlikely; unlikely|moderately unlikely; somewhat unlikely|slightly unlikely; \
neutral|neither likely nor unlikely|undecided; somewhat likely|slightly likely; likely|moderately likely; \
very likely|extremely likely
agreement-zh; 非常不同意|完全不同意|很不同意|强烈不同意|极不同意; 不同意|比较不同意|较不同意|不太同意; \
一般|中立|不确定|说不清|无所谓|既不同意也不反对; 同意|比较同意|较同意; 非常同意|完全同意|很同意|强烈同意|极同意
agreement-zh; 非常不同意|完全不同意|强烈不同意; 不同意; 有点不同意|有些不同意|稍微不同意|略不同意|比较不同意|较不同意; \
一般|中立|不确定|说不清|无所谓|既不同意也不反对; 有点同意|有些同意|稍微同意|略同意|比较同意|较同意; 同意; \
非常同意|完全同意|强烈同意
accordance-zh; 非常不符合|完全不符合|很不符合; 不符合|比较不符合|较不符合|不太符合; 一般|中立|不确定|说不清; \
符合|比较符合|较符合; 非常符合|完全符合|很符合
accordance-zh; 非常不符合|完全不符合; 不符合; 有点不符合|有些不符合|稍微不符合|略不符合|比较不符合|较不符合; \
一般|中立|不确定|说不清; 有点符合|有些符合|稍微符合|略符合|比较符合|较符合; 符合; 非常符合|完全符合
satisfaction-zh; 非常不满意|很不满意|完全不满意; 不满意|比较不满意|较不满意|不太满意; 一般|中立|不确定|说不清; \
满意|比较满意|较满意; 非常满意|很满意|完全满意
satisfaction-zh; 非常不满意|完全不满意; 不满意; 有点不满意|有些不满意|稍微不满意|略不满意|比较不满意|较不满意; \
一般|中立|不确定|说不清; 有点满意|有些满意|稍微满意|略满意|比较满意|较满意; 满意; 非常满意|完全满意
frequency-zh; 从不|从来不|从未|从来没有; 很少|偶尔; 有时|有时候; 经常|常常|时常; 总是|一直
frequency-zh; 从不|从来不|从未|从来没有; 很少; 偶尔; 有时|有时候; 经常|常常|时常; 通常|很经常; 总是|一直
likelihood-zh; 非常不可能|很不可能|完全不可能; 不可能|比较不可能|较不可能|不太可能; 一般|中立|不确定|说不准|说不清; \
可能|比较可能|较可能; 非常可能|很可能|完全可能
likelihood-zh; 非常不可能|完全不可能; 不可能; 有点不可能|有些不可能|稍微不可能|略不可能|比较不可能|较不可能; \
一般|中立|不确定|说不准|说不清; 有点可能|有些可能|稍微可能|略可能|比较可能|较可能; 可能; 非常可能|完全可能
"""
_TRADITIONAL = str.maketrans("滿確無謂較強總從來經時爾說準會點極穩當對", "满确无谓较强总从来经时尔说准会点极稳当对")
_PRINTED = re.compile(r"(\d{1,2})\s*[-–—=.:、,)]\s*(\D+)|(\D+?)\s*\((\d{1,2})\)|(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Scale:
    """A known answer scale.

    Attributes
    ----------
    family : str
        For instance "agreement-en".
    points : tuple of tuple of str
        Wordings of each point, from low to high.
    """

    family: str
    points: tuple[tuple[str, ...], ...]

    def codes(self) -> dict[str, int]:
        """Return the code, from 1, of each wording."""
        return {wording: code for code, point in enumerate(self.points, start=1) for wording in point}


def _scales() -> tuple[Scale, ...]:
    found = []
    for line in _SCALES.strip().splitlines():
        family, *points = [part.strip() for part in line.split(";")]
        found.append(Scale(family, tuple(tuple(word.strip() for word in point.split("|")) for point in points)))
    return tuple(found)


SCALES = _scales()


@dataclass(frozen=True, slots=True)
class Mapped:
    """The mapping of one text column.

    Attributes
    ----------
    codes : tuple of (str, int)
        Answer as written in the file, and its code, from low to high.
    scale : str
        "agreement-en, 5 points", or "printed codes" where the answers carry their own numbers.
    """

    codes: tuple[tuple[str, int], ...]
    scale: str

    def code(self, answer: str) -> int:
        """Return the code of an answer, in whatever spelling `plain` makes the same."""
        return {plain(known): code for known, code in self.codes}[plain(answer)]


def plain(answer: str) -> str:
    """Return an answer in the form the dictionaries use: NFKC, lower case, single blanks, simplified characters."""
    return " ".join(clean(answer).casefold().replace("’", "'").split()).translate(_TRADITIONAL)


def _fits(answers: frozenset[str], scale: Scale) -> dict[str, int] | None:
    """Return answer to code if all answers are on the scale and no two share a point."""
    known = scale.codes()
    if not answers <= known.keys():
        return None
    codes = {answer: known[answer] for answer in answers}
    return codes if len(set(codes.values())) == len(codes) else None


def _printed(answers: Sequence[str]) -> dict[str, int] | None:
    """Return the numbers written beside the answers ("5 = strongly agree"), if that is what they are."""
    words = {word for scale in SCALES for word in scale.codes()}
    codes: dict[str, int] = {}
    known = False
    for answer in answers:
        match = _PRINTED.fullmatch(clean(answer))
        if match is None:
            return None
        first, after, before, last, alone = match.groups()
        codes[answer] = int(first or last or alone)
        known = known or plain(after or before or "") in words
    return codes if known and len(set(codes.values())) == len(codes) else None


def map_answers(
    columns: Mapping[str, Sequence[str]], *, points: Mapping[str, int] | None = None
) -> tuple[dict[str, Mapped], tuple[str, ...]]:
    """Decide which text columns hold answers on a known scale.

    A column is mapped only if all its distinct answers belong to one known scale, each to a point of its own. Where
    they fit scales of different length (without "somewhat", an answer set fits five and seven points), the codebook's
    range decides; else the shortest scale is taken if all columns of its family together use every one of its points
    and fit it. Anything else is left as text and noted.

    Parameters
    ----------
    columns : mapping of str to sequence of str
        Distinct answers of each text column, without missing ones.
    points : mapping of str to int, optional
        Number of scale points by column, from the codebook (max - min + 1).

    Returns
    -------
    mapped : dict of str to Mapped
        Columns that are certain.
    notes : tuple of str
        What was mapped how, and what was left and why.
    """
    points = points or {}
    mapped: dict[str, Mapped] = {}
    left: list[str] = []
    fitting: dict[str, list[tuple[Scale, dict[str, int]]]] = {}
    forms = {name: {plain(answer): answer for answer in sorted(answers)} for name, answers in columns.items()}
    for name, answers in columns.items():
        if not answers:
            continue
        printed = _printed(list(forms[name]))
        if printed is not None:
            ordered = sorted(((forms[name][word], code) for word, code in printed.items()), key=lambda pair: pair[1])
            mapped[name] = Mapped(tuple(ordered), "printed codes")
            continue
        distinct = frozenset(forms[name])
        found = [(scale, codes) for scale in SCALES if (codes := _fits(distinct, scale)) is not None]
        if name in points:
            found = [(scale, codes) for scale, codes in found if len(scale.points) == points[name]]
        if found:
            fitting[name] = found
        else:
            left += _off_scale(name, distinct, forms[name])
    for name, found in fitting.items():
        scale = _choose(found, fitting, forms)
        if scale is None:
            lengths = sorted({len(candidate.points) for candidate, _ in found})
            shown = " or ".join(str(length) for length in lengths)
            left.append(f"'{name}' fits scales of {shown} points, and the answers do not tell which")
            continue
        codes = next(codes for candidate, codes in found if candidate is scale)
        ordered = sorted(((forms[name][word], code) for word, code in codes.items()), key=lambda pair: pair[1])
        mapped[name] = Mapped(tuple(ordered), f"{scale.family}, {len(scale.points)} points")
    return mapped, (*_mapping_notes(mapped), *_left_notes(left))


def _choose(
    found: list[tuple[Scale, dict[str, int]]],
    fitting: Mapping[str, list[tuple[Scale, dict[str, int]]]],
    forms: Mapping[str, Mapping[str, str]],
) -> Scale | None:
    codings = {(len(scale.points), tuple(sorted(codes.items()))) for scale, codes in found}
    if len(codings) == 1:
        return found[0][0]
    shortest = min(len(scale.points) for scale, _ in found)
    decided = []
    for scale, _ in found:
        if len(scale.points) != shortest:
            continue
        related = [name for name, others in fitting.items() if any(s.family == scale.family for s, _ in others)]
        together = frozenset(word for name in related for word in forms[name])
        codes = _fits(together, scale)
        if codes is not None and len(codes) == len(scale.points):
            decided.append(scale)
    return decided[0] if len(decided) == 1 else None


def _off_scale(name: str, distinct: frozenset[str], written: Mapping[str, str]) -> list[str]:
    """Return why a column that looks like a scale is not one; an empty list where it does not look like one."""
    best: tuple[int, list[str]] = (0, [])
    for scale in SCALES:
        known = scale.codes()
        inside = sum(word in known for word in distinct)
        if inside > best[0]:
            best = (inside, sorted(written[word] for word in distinct if word not in known))
    if best[0] < 2 or best[0] * 2 < len(distinct):
        return []
    odd = best[1]
    if odd:
        return [f"'{name}' has answers off its scale: {listing([repr(word) for word in odd], shown=5)}"]
    return [f"'{name}' has two wordings of one scale point, or another number of points than the codebook says"]


def _mapping_notes(mapped: Mapping[str, Mapped]) -> list[str]:
    groups: dict[tuple[str, tuple[tuple[str, int], ...]], list[str]] = {}
    for name, entry in mapped.items():
        groups.setdefault((entry.scale, entry.codes), []).append(name)
    notes = []
    for (scale, codes), names in groups.items():
        shown = ", ".join(f"{answer} = {code}" for answer, code in codes)
        notes.append(f"Text answers mapped ({scale}) in {listing([repr(name) for name in names])}: {shown}.")
    return notes


def _left_notes(left: Sequence[str]) -> list[str]:
    if not left:
        return []
    hint = "Give min and max, or the answers to treat as missing, in the codebook."
    return [f"Text answers left as they are: {listing(left)}. {hint}"]
