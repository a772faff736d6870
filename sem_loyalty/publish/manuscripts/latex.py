r"""A manuscript as LaTeX: every value in ``\semclaim{key}{...}``, every text escaped."""

from __future__ import annotations

from sem_loyalty.display import Table, escaping
from sem_loyalty.publish.manuscript import Figure, Heading, Manuscript, Paragraph, Part, Symbol, Value
from sem_loyalty.publish.manuscripts.text import STUDY_MARK, plain_line

_SECTIONS = {1: "section", 2: "subsection", 3: "subsubsection"}
_HEAD = {
    # pdflatex, or any other engine
    "en": [r"\documentclass[11pt,a4paper]{article}", r"\usepackage[T1]{fontenc}", r"\usepackage[utf8]{inputenc}"],
    # xelatex
    "zh": [r"\documentclass[11pt,a4paper]{ctexart}"],
}


def latex(manuscript: Manuscript, *, figures: str = "figures", whole: bool = True) -> str:
    r"""Return a manuscript as LaTeX, English for pdflatex, Chinese for xelatex with ctex.

    Parameters
    ----------
    manuscript : Manuscript
    figures : str, default "figures"
        Folder of the figures (PDF or PNG), relative to the document.
    whole : bool, default True
        Whether to write a whole document, or only what stands between its begin and end, for ``\input``.

    Returns
    -------
    str
        Values stand in ``\semclaim{address}{text}``, where `sem-loyalty verify` finds them; it prints its text.
    """
    lines = [f"% {STUDY_MARK} {plain_line(manuscript.study)}"] if manuscript.study else []
    if whole:
        lines += [
            *_HEAD[manuscript.lang],
            r"\usepackage{amssymb,booktabs,graphicx,longtable}",
            r"\usepackage[margin=25mm]{geometry}",
        ]
    lines.append(r"\providecommand{\semclaim}[2]{#2}")
    if whole:
        lines += [r"\begin{document}", rf"\title{{{latex_text(manuscript.title)}}}\author{{}}\date{{}}\maketitle"]
    for block in manuscript.blocks:
        if isinstance(block, Heading):
            lines.append(rf"\{_SECTIONS.get(block.level, 'paragraph')}{{{latex_text(block.text)}}}")
        elif isinstance(block, Paragraph):
            body = "".join(_part(part, manuscript.lang) for part in block.parts)
            if block.kind == "warning":
                body = rf"\begin{{center}}\fbox{{\parbox{{0.94\linewidth}}{{{body}}}}}\end{{center}}"
            elif block.kind == "reference":
                body = rf"{{\noindent\hangindent=2em\hangafter=1 {body}\par}}"
            lines.append(body)
        elif isinstance(block, Table):
            lines.append(_fitted(block.to_latex().rstrip("\n")))
        else:
            lines += _figure(block, figures)
        lines.append("")
    return "\n".join([*lines, *([r"\end{document}"] if whole else []), ""])


def latex_text(text: str) -> str:
    """Return a text for LaTeX, with nothing in it that LaTeX would act on.

    Parameters
    ----------
    text : str
        Any text; line ends become blanks.
    """
    return escaping.latex(plain_line(text))


def _part(part: Part, lang: str) -> str:
    if isinstance(part, str):
        return latex_text(part)
    if isinstance(part, Value):
        return rf"\semclaim{{{part.key}}}{{{latex_text(part.text)}}}"
    if isinstance(part, Symbol):
        return rf"\textit{{{latex_text(part.text)}}}" if lang == "en" else latex_text(part.text)
    name = ({"table": "Table", "figure": "Figure"} if lang == "en" else {"table": "表", "figure": "图"})[part.kind]
    return rf"{name}~\ref{{{'tab' if part.kind == 'table' else 'fig'}:{part.id}}}"


def _fitted(text: str) -> str:
    """Return a table that is not wider than the line."""
    start, end = r"\begin{tabular}", r"\end{tabular}"
    if r"\resizebox" in text or text.count(start) != 1:
        return text
    shrunk = r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi"
    return text.replace(start, r"\setbox0\hbox{" + start).replace(end, end + "}" + shrunk)


def _figure(figure: Figure, folder: str) -> list[str]:
    kind = "pdf" if figure.pdf or not figure.png else "png"
    return [
        r"\begin{figure}[htbp]",
        r"\centering",
        rf"\includegraphics[width=\linewidth]{{{folder}/{figure.id}.{kind}}}",
        rf"\caption{{{latex_text(figure.caption)}}}",
        rf"\label{{fig:{figure.id}}}",
        r"\end{figure}",
    ]
