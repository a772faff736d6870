"""The words and numbers of a diagram, their type sizes and the room they take."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from sem_loyalty.errors import display_width
from sem_loyalty.publish.diagram.graph import Anatomy, Diagram, Edge, Node
from sem_loyalty.publish.typefaces import Run, split_runs

#: Type sizes in points at full scale.
NAME, R2, COEFFICIENT, LOADING, INDICATOR, NOTE, BANNER = 9.4, 8.0, 8.6, 7.4, 7.4, 7.4, 10.5
#: No journal prints smaller type.
SMALLEST_TYPE = 6.5
#: Room above the baseline and below it, in em, on the generous side for both scripts.
ASCENT, DESCENT = 0.74, 0.22
#: Digits and stars alone: no descender.
DIGIT_HEIGHT = 0.70
WRAP_CELLS, WIDEST_NAME = 12, 24
INDICATOR_CELLS = 18
#: Lines of a name; letters of a label before a number.
MOST_LINES, LONGEST_LABEL = 3, 24
#: Letters of a name that are looked at: more than three lines hold, so what is left out still shows as "…".
LONGEST_NAME = 160
#: Points of the arrow of a residual.
TAIL = 14.0
#: Em between the lines of a number.
LINE_AIR = 0.18
SIGNIFICANT = 0.05
_HAN, _HAN_STOPS = r"\u2e80-\u9fff", r"\u3000-\u303f\uff00-\uff0f\uff1a-\uff1f"
_PIECES = re.compile(
    # Stars, the symbol, the sign and the number of a formula such as "* p < .05" stay together;
    rf"\s*(?:\*+\s)?[A-Za-z]+²?\s[=<>]\s[^\s{_HAN}{_HAN_STOPS}]+[{_HAN_STOPS}]*"
    # a Chinese character keeps the punctuation after it; else words.
    rf"|[{_HAN}][{_HAN_STOPS}]*|\s*[^\s{_HAN}]+|\s+"
)
WORDS = {
    "en": {
        "banner": "NOT CERTIFIED: do not report these numbers",
        "arcs": "Covariances among exogenous constructs are omitted.",
        "residuals": "Covariances among indicators are omitted.",
        "stubs": "Short arrows are residuals.",
        "moderation": "An arrow to a line is a moderation.",
    },
    "zh": {
        "banner": "未通过检验：请勿报告这些数字",
        "arcs": "外生构念之间的协方差未画出。",
        "residuals": "测量题项之间的协方差未画出。",
        "stubs": "短箭头表示残差。",
        "moderation": "指向路径的箭头表示调节作用。",
    },
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """Measured room of everything that is placed, in points at full scale.

    Parameters
    ----------
    half : dict of str to tuple of float
        Half width and half height of each construct.
    names : dict of str to tuple of str
        The wrapped label of each construct and indicator.
    box : tuple of float
        Width and height of an indicator box (one size for all).
    loading : tuple of float
        Width and height kept free for a loading.
    tail : float
        Length of the arrow of a residual, 0 where none is drawn.
    """

    half: dict[str, tuple[float, float]]
    names: dict[str, tuple[str, ...]]
    box: tuple[float, float]
    loading: tuple[float, float]
    tail: float = 0.0


def number(value: float, lang: str, *, bounded: bool = True) -> str:
    """Return an estimate as the language prints it: ``.51`` in English, ``0.512`` in Chinese, with a true minus.

    English leaves the zero out where a number is standardised (`bounded`), as the APA style has it.
    """
    digits = 2 if lang == "en" else 3
    text = f"{abs(value):.{digits}f}"
    if lang == "en" and bounded and text.startswith("0."):
        text = text[1:]
    negative = value < 0 and any(character in "123456789" for character in text)
    return ("\u2212" if negative else "") + text


def stars(p: float | None) -> str:
    """Return ``***`` below .001, ``**`` below .01, ``*`` below .05, else nothing."""
    if p is None:
        return ""
    return "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < SIGNIFICANT else ""


def edge_lines(edge: Edge, diagram: Diagram) -> tuple[str, ...]:
    """Return the lines printed on an edge; loadings carry the estimate alone, an uncertified solution no stars."""
    label = shortened_label(edge.label)
    if edge.value is None:
        return (label,) if label else ()
    lang, worth = diagram.lang, diagram.show[1:] if edge.kind != "loading" else ()
    bounded = diagram.show[0] == "std"
    text = number(edge.value, lang, bounded=bounded)
    if "stars" in worth and diagram.certified:
        text += stars(edge.p)
    separator = "：" if lang == "zh" else ": "
    second = [f"({number(edge.se, lang, bounded=bounded)})"] if "se" in worth and edge.se is not None else []
    if "ci" in worth and edge.interval is not None:
        second.append(f"[{', '.join(number(bound, lang, bounded=bounded) for bound in edge.interval)}]")
    if "p" in worth and edge.p is not None and diagram.certified:
        second.append(p_text(edge.p, lang))
    return tuple(line for line in (f"{label}{separator}{text}" if label else text, " ".join(second)) if line)


def edge_text(edge: Edge, diagram: Diagram) -> str:
    """Return what is printed on an edge, on one line."""
    return " ".join(edge_lines(edge, diagram))


def edge_room(edge: Edge, diagram: Diagram) -> tuple[float, float]:
    """Return the width and height kept free for the number of an edge.

    It is that of the widest number to be expected, not of the one estimated: a layout must not move when other
    data give other estimates.
    """
    if edge.value is None:
        return lines_size(edge_lines(edge, diagram), number_size(edge, diagram), diagram.lang)
    large = 0.5 if diagram.show[0] == "std" else 50.0
    # Correlations and loadings are seldom negative, and in a measurement model every one of them takes width.
    big = replace(edge, value=-large if edge.kind in ("path", "moderation") else large, p=0.0)
    if edge.se is not None:
        big = replace(big, se=large)
    if edge.interval is not None:
        big = replace(big, interval=(-large, -large))
    return lines_size(edge_lines(big, replace(diagram, certified=True)), number_size(edge, diagram), diagram.lang)


def lines_size(lines: tuple[str, ...], size: float, lang: str) -> tuple[float, float]:
    """Return width and height of the lines of a number, set tight."""
    sizes = [label_size(line, size, lang) for line in lines]
    height = sum(high for _, high in sizes) + LINE_AIR * size * (len(sizes) - 1)
    return (max(wide for wide, _ in sizes), height) if sizes else (0.0, 0.0)


def line_offsets(lines: tuple[str, ...], size: float, lang: str) -> list[float]:
    """Return the middle of each line of a number relative to the middle of all."""
    heights = [label_size(line, size, lang)[1] for line in lines]
    y, found = -lines_size(lines, size, lang)[1] / 2, []
    for height in heights:
        found.append(y + height / 2)
        y += height + LINE_AIR * size
    return found


def p_text(p: float, lang: str) -> str:
    """Return a p value as "p = .003" or "p < .001"."""
    zero = "0" if lang == "zh" else ""
    return f"p < {zero}.001" if p < 0.001 else f"p = {f'{p:.3f}'[0 if lang == 'zh' or p >= 0.9995 else 1 :]}"


def shortened_label(label: str) -> str:
    """Return a label of an edge on one line, cut where it is longer than a line can bear."""
    plain = " ".join(label.split())
    return plain if len(plain) <= LONGEST_LABEL else plain[: LONGEST_LABEL - 1] + "…"


def number_size(edge: Edge, diagram: Diagram) -> float:
    """Return the type size of the number on a tie: cross loadings are set like loadings, two lines are set smaller."""
    if edge.kind != "loading" and len({"se", "ci", "p"} & set(diagram.show)):
        return LOADING
    observed = {node.name for node in diagram.nodes if node.kind == "observed"}
    return LOADING if edge.kind == "loading" and edge.target in observed else COEFFICIENT


def r2_text(node: Node, diagram: Diagram) -> str:
    """Return the line inside a construct, such as ``R² = .68``."""
    return "" if node.r2 is None else f"R² = {number(node.r2, diagram.lang)}"


def wrap(label: str, cells: int = WRAP_CELLS) -> tuple[str, ...]:
    """Break a label into lines of about `cells` Latin letters (half as many Chinese characters), evenly filled.

    Parameters
    ----------
    label : str
        Any text; line breaks in it are kept.
    cells : int, default 12
        Terminal cells per line.

    Returns
    -------
    tuple of str
        At least one line. A word stays whole unless it is twice as long as a line.
    """
    lines: list[str] = []
    for part in label.split("\n"):
        # A piece is a word with the blank before it, a word part ending in a joint, or one Chinese character with the
        # brackets that open before it and the marks that end after it.
        pieces = re.findall(
            r"[（《「『]*[\u2e80-\u9fff\uff00-\uffef][）》」』，。、；：]*"
            r"|\s*[^\s\u2e80-\u9fff\uff00-\uffef_/\-]+[_/\-]*|\s*[_/\-]+",
            part,
        )
        longest = 2 * cells
        pieces = [piece[at : at + longest] for piece in pieces for at in range(0, len(piece), longest)]
        width = display_width(part)
        if width <= cells or len(pieces) < 2:
            lines.append(part.strip())
            continue
        wanted = math.ceil(width / cells)
        lines.extend(_even_lines(pieces, max(width / wanted, 1.0), cells))
    return tuple(lines) or ("",)


def wrap_name(label: str) -> tuple[str, ...]:
    """Break the name of a construct into at most three lines; what does not fit ends in "…"."""
    for cells in range(WRAP_CELLS, WIDEST_NAME + 1, 2):
        lines = wrap(label[:LONGEST_NAME], cells)
        if len(lines) <= MOST_LINES:
            break
    return _cut(lines, MOST_LINES, WIDEST_NAME)


def _cut(lines: tuple[str, ...], most: int, cells: int) -> tuple[str, ...]:
    """Return at most so many lines of at most so many cells; "…" stands for the rest."""
    kept = []
    for at, line in enumerate(lines[:most]):
        rest = at == most - 1 and len(lines) > most
        if display_width(line) > cells or rest:
            while display_width(line) > cells - 1:
                line = line[:-1]
            line = line.rstrip() + "…"
        kept.append(line)
    return tuple(kept)


def _even_lines(pieces: list[str], ideal: float, cells: int) -> list[str]:
    """Break pieces into lines with the least sum of squared departures from the ideal width."""
    count = len(pieces)
    best: list[tuple[float, int]] = [(0.0, 0)] + [(math.inf, 0)] * count
    for end in range(1, count + 1):
        for start in range(end):
            width = display_width("".join(pieces[start:end]).strip())
            overflow = max(0.0, width - cells)
            cost = best[start][0] + (width - ideal) ** 2 + 20.0 * overflow**2 + 4.0
            if cost < best[end][0]:
                best[end] = (cost, start)
    lines: list[str] = []
    end = count
    while end:
        start = best[end][1]
        lines.append("".join(pieces[start:end]).strip())
        end = start
    return lines[::-1]


def spell(text: str, style: str, lang: str) -> tuple[Run, ...]:
    """Return a line in runs, with statistical symbols (R, N, n, p before a sign) and the word "Note." in italics."""
    runs: list[Run] = []
    for index, part in enumerate(re.split(r"(^Note\.|(?<![A-Za-z])[NnpR](?=²?\s?[=<>]))", text)):
        if part:
            runs.extend(split_runs(part, "italic" if index % 2 and style == "regular" else style, lang=lang))
    return tuple(runs)


def line_width(text: str, size: float, style: str, lang: str) -> float:
    """Return the width of one line in points."""
    return size * sum(run.width for run in spell(text, style, lang))


def label_size(text: str, size: float, lang: str) -> tuple[float, float]:
    """Return width and height of a number on its line."""
    height = DIGIT_HEIGHT if not re.search(r"[^\d.*\u2212]", text) else ASCENT + DESCENT
    return line_width(text, size, "regular", lang), size * height


def measure(diagram: Diagram, parts: Anatomy) -> Sizes:
    """Measure every text of a diagram.

    Parameters
    ----------
    diagram : Diagram
        The input.
    parts : Anatomy
        Its parts.

    Returns
    -------
    Sizes
        All ellipses have one size, and so have all structural boxes and all indicator boxes.
    """
    lang = diagram.lang
    names = {node.name: wrap_name(node.label) for node in parts.constructs}
    needed: dict[str, list[list[tuple[float, float, float]]]] = {"latent": [], "observed": []}
    for node in parts.constructs:
        r2 = "" if node.r2 is None else r2_text(replace(node, r2=0.5), diagram)
        needed[node.kind].append(_stack(names[node.name], r2, lang))
    latent = _ellipse(needed["latent"])
    observed = _rectangle(needed["observed"])
    half = {node.name: latent if node.kind == "latent" else observed for node in parts.constructs}
    width, lines = 26.0, 1
    loading = [(0.0, 0.0)]
    for owner in parts.constructs:
        for item in parts.indicators[owner.name]:
            names[item.name] = _cut(wrap(item.label[:LONGEST_NAME], INDICATOR_CELLS), MOST_LINES, 2 * INDICATOR_CELLS)
            lines = max(lines, len(names[item.name]))
            width = max(width, *(line_width(line, INDICATOR, "regular", lang) + 9.0 for line in names[item.name]))
            loading.append(edge_room(parts.loadings[item.name], diagram))
    return Sizes(
        half=half,
        names=names,
        box=(width, 13.5 + (lines - 1) * INDICATOR * 1.15),
        loading=(max(size[0] for size in loading), max(size[1] for size in loading)),
        tail=TAIL if diagram.residuals else 0.0,
    )


def stack_heights(count: int, has_r2: bool) -> list[float]:
    """Return the middles of the lines of a construct, top to bottom, relative to its centre."""
    gaps = [NAME * 1.12] * (count - 1) + ([NAME * 0.5 + R2 * 0.58] if has_r2 else [])
    middles = [0.0]
    for gap in gaps:
        middles.append(middles[-1] + gap)
    # The eye takes the mass of the letters, not the line box: shift so that the ink is centred.
    top = -NAME * 0.36
    bottom = middles[-1] + (R2 if has_r2 else NAME) * 0.36
    return [middle - (top + bottom) / 2.0 for middle in middles]


def _stack(lines: tuple[str, ...], r2: str, lang: str) -> list[tuple[float, float, float]]:
    """Return (half width, nearest, farthest height) of each line of a construct."""
    found = []
    for index, middle in enumerate(stack_heights(len(lines), bool(r2))):
        name = index < len(lines)
        text, size, style = (lines[index], NAME, "bold") if name else (r2, R2, "regular")
        found.append((line_width(text, size, style, lang) / 2.0, abs(middle), abs(middle) + size * 0.40))
    return found


def _ellipse(stacks: list[list[tuple[float, float, float]]]) -> tuple[float, float]:
    """Return the half axes of the smallest ellipse, about twice as wide as high, that holds every stack of lines."""
    b = 17.5
    while b < 90.0:
        a = 34.0
        for lines in stacks:
            for half_width, _, far in lines:
                inside = 1.0 - (far / (b - 1.0)) ** 2
                a = max(a, math.inf if inside <= 0 else (half_width + 2.5) / math.sqrt(inside) + 1.0)
        if a <= 2.1 * b:
            return max(a, 1.8 * b), b
        b += 0.5
    return max(half_width for lines in stacks for half_width, _, _ in lines) * 1.5, b


def _rectangle(stacks: list[list[tuple[float, float, float]]]) -> tuple[float, float]:
    width = max((half for lines in stacks for half, _, _ in lines), default=0.0)
    height = max((far for lines in stacks for _, _, far in lines), default=0.0)
    return max(30.0, width + 7.0), max(14.0, height + 6.0)


def fill(text: str, width: float, size: float, lang: str) -> list[str]:
    """Break a paragraph into lines no wider than `width` points; Chinese breaks anywhere but before punctuation."""
    lines = [""]
    for piece in (part for long in _PIECES.findall(text) for part in _parts(long, width, size, lang)):
        longer = lines[-1] + piece
        if lines[-1] and line_width(longer, size, "regular", lang) > width:
            lines.append(piece.lstrip())
        else:
            lines[-1] = longer
    return [line.rstrip() for line in lines if line.strip()]


def _parts(piece: str, width: float, size: float, lang: str) -> list[str]:
    """Return a piece whole, or in parts that fit on a line where no line could hold it."""
    if len(piece) < 20 or line_width(piece, size, "regular", lang) <= width:
        return [piece]
    parts, rest = [], piece
    while rest:
        end = 1
        while end < len(rest) and line_width(rest[: end + 1], size, "regular", lang) <= width:
            end += 1
        parts.append(rest[:end])
        rest = rest[end:]
    return parts
