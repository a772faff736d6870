"""Texts made safe for the format they go to."""

from __future__ import annotations

import html
import re

from sem_loyalty.display.numbers import DASH, MINUS

# Letters and signs that pdfLaTeX cannot typeset as they stand.
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "[": "{[}", "]": "{]}", "*": "{*}", "`": r"\textasciigrave{}", "-": "{-}",
    MINUS: "$-$", DASH: "--", "—": "---", "≤": r"$\leq$", "≥": r"$\geq$", "×": r"$\times$", "∞": r"$\infty$",
    "→": r"$\rightarrow$", "⇄": r"$\rightleftarrows$", "↔": r"$\leftrightarrow$", "²": r"\textsuperscript{2}",
    "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "δ": r"$\delta$", "ε": r"$\varepsilon$", "ζ": r"$\zeta$",
    "η": r"$\eta$", "θ": r"$\theta$", "κ": r"$\kappa$", "λ": r"$\lambda$", "μ": r"$\mu$", "ν": r"$\nu$",
    "ξ": r"$\xi$", "ρ": r"$\rho$", "σ": r"$\sigma$", "τ": r"$\tau$", "φ": r"$\varphi$", "χ": r"$\chi$",
    "ψ": r"$\psi$", "ω": r"$\omega$", "Δ": r"$\Delta$", "Σ": r"$\Sigma$", "√": r"$\surd$", "≈": r"$\approx$",
    "′": r"$'$", "¹": r"\textsuperscript{1}", "⁻": r"\textsuperscript{$-$}",
}  # fmt: skip


# A spreadsheet computes a text that begins so; the full-width forms count as well in East Asian editions.
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")
# Everything that Typst could read as markup; a full stop only where it could make a list or an ellipsis.
_TYPST = re.compile(r"[\\#$*_`<>@\[\]~'\"/=+\-{}|^;:]|\.(?=[\s.]|\Z)|(?<=\.)\.")


def quoted(cell: str) -> str:
    """Return a cell of CSV, in quotation marks where it needs them."""
    # The csv module leaves a carriage return bare when lines end with a line feed, which splits the row on reading.
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\r\n') else cell


def formula_free(text: str) -> str:
    """Return a text of CSV that no spreadsheet computes: one that begins like a formula gets an apostrophe in front.

    Texts that begin with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return are meant, also behind apostrophes, so
    that dropping one apostrophe before such a beginning gives the text back.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def one_line(text: str) -> str:
    """Return a text on one line: control characters blanked, what no file can hold as U+FFFD."""
    # Control characters would break the alignment, and could steer a terminal.
    return "".join(_harmless(character) for character in text)


def _harmless(character: str) -> str:
    code = ord(character)
    if code < 32 or 127 <= code < 160 or code in (0x2028, 0x2029):
        return " "
    # Halves of a character, and code points that XML forbids.
    return "\ufffd" if 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF) else character


def html_text(text: str) -> str:
    """Return a text for HTML."""
    return html.escape(one_line(text))


def markdown(text: str) -> str:
    """Return a text for a pipe table in Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&!])", r"\\\1", one_line(text))


def latex(text: str) -> str:
    """Return a text for pdfLaTeX."""
    return "".join(_LATEX.get(character, character) for character in one_line(text))


def typst(text: str) -> str:
    """Return a text for the markup of Typst."""
    return _TYPST.sub(lambda found: "\\" + found.group(), one_line(text))
