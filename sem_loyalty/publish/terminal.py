"""Output that any terminal can show: what its encoding lacks is spelt in ASCII, and a minus stays a minus."""

from __future__ import annotations

import codecs
import io
from typing import TextIO

_SPELT = {
    "−": "-", "–": "-", "—": "--", "─": "-", "…": "...", "’": "'", "‘": "'", "“": '"', "”": '"', "×": "x", "·": ".",
    "≤": "<=", "≥": ">=", "≠": "!=", "∞": "inf", "→": "->", "↔": "<->", "⇄": "<->", "²": "2", "χ": "chi", "α": "alpha",
    "β": "beta", "λ": "lambda", "ω": "omega", "ρ": "rho", "τ": "tau", "Δ": "Delta", "Σ": "Sigma", "θ": "theta",
    "（": "(", "）": ")", "，": ",", "。": ".", "：": ":", "；": ";", "、": ",",
}  # fmt: skip
_HANDLER = "sem_loyalty.spelt"


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    return "".join(_SPELT.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in found), error.end


codecs.register_error(_HANDLER, _spell)


def make_safe(stream: TextIO) -> None:
    """Let a text stream spell what its encoding cannot write instead of raising UnicodeEncodeError.

    Parameters
    ----------
    stream : TextIO
        Standard output or standard error; a stream that cannot be reconfigured stays as it is.
    """
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_HANDLER)
