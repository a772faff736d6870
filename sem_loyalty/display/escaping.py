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
    "ψ": r"$\psi$", "ω": r"$\omega$", "Δ": r"$\Delta$", "Σ": r"$\Sigma$",
}  # fmt: skip


def quoted(cell: str) -> str:
    """Return a cell of CSV, in quotation marks where it needs them."""
    # The csv module leaves a carriage return bare when lines end with a line feed, which splits the row on reading.
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\r\n') else cell


def one_line(text: str) -> str:
    """Return a text with control characters blanked."""
    # Control characters would break the alignment, and could steer a terminal.
    return "".join(" " if ord(character) < 32 or 127 <= ord(character) < 160 else character for character in text)


def html_text(text: str) -> str:
    """Return a text for HTML."""
    return html.escape(one_line(text))


def markdown(text: str) -> str:
    """Return a text for a pipe table in Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&!])", r"\\\1", one_line(text))


def latex(text: str) -> str:
    """Return a text for pdfLaTeX."""
    return "".join(_LATEX.get(character, character) for character in one_line(text))
