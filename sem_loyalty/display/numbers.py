"""Numbers as they stand in a table: a true minus, no negative zero, APA style in English."""

from __future__ import annotations

import math
import re

from sem_loyalty.errors import ConfigurationError

MINUS = "\u2212"
DASH = "\u2013"
_HYPHEN = re.compile(r"(?<![\w.])-(?=\d)")


def format_number(value: object, digits: int = 3, bounded: bool = False, *, lang: str = "en") -> str:
    """Return a number as it stands in a table.

    Parameters
    ----------
    value : float, int, NumPy scalar or None
        None gives "", NaN an en dash, infinity its sign.
    digits : int, default 3
        Decimals.
    bounded : bool, default False
        Whether the quantity cannot exceed 1 in absolute value; English then drops the leading zero (APA style).
    lang : {"en", "zh"}, default "en"
        Chinese always keeps the leading zero.

    Returns
    -------
    str
        For instance ``".505"``, ``"−1.200"`` (true minus) or ``"0.000"`` (never a negative zero).

    Raises
    ------
    ConfigurationError
        If `value` is not a number.
    """
    found = plain(value)
    if found is None:
        return ""
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise ConfigurationError(f"A table cell of numbers holds {value!r}, which is not a number.")
    if math.isnan(found):
        return DASH
    if math.isinf(found):
        return "∞" if found > 0 else f"{MINUS}∞"
    shown = f"{abs(found):.{digits}f}" if abs(found) < 1e15 else f"{abs(found):.{digits}e}"
    negative = found < 0 and any(digit in "123456789" for digit in shown)
    if bounded and lang == "en" and shown.startswith("0."):
        shown = shown[1:]
    return f"{MINUS}{shown}" if negative else shown


def format_p(value: object, digits: int = 3, *, lang: str = "en") -> str:
    """Return a p value: exact between its limits, else ``< .001`` or ``> .999`` (Chinese: ``< 0.001``).

    Parameters
    ----------
    value : float, NumPy scalar or None
        A probability.
    digits : int, default 3
        Decimals; they also set the limits.
    lang : {"en", "zh"}, default "en"
        Chinese keeps the leading zero.

    Returns
    -------
    str
        The text; "" for None, an en dash for NaN.
    """
    found = plain(value)
    if isinstance(found, (int, float)) and not math.isnan(found):
        limit = 10.0**-digits
        if found < limit:
            return f"< {format_number(limit, digits, True, lang=lang)}"
        if round(found, digits) >= 1.0:
            return f"> {format_number(1 - limit, digits, True, lang=lang)}"
    return format_number(found, digits, True, lang=lang)


def stars(p: object) -> str:
    """Return the marks of significance of a p value: "***" below .001, "**" below .01, "*" below .05, else ""."""
    found = plain(p)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return ""
    return "*" * sum(found < limit for limit in (0.05, 0.01, 0.001))


def plain(value: object) -> object:
    """Return a Python value for a NumPy scalar, and NaN for a missing value of pandas."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return float(value)  # numpy.float64 is a float, but its repr is not a number
    if type(value).__name__ in ("NAType", "NaTType"):
        return math.nan
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", None) == 0 else value


def true_minus(text: str) -> str:
    """Return a text whose negative numbers have a minus sign, as a terminal's text with hyphens has not."""
    return _HYPHEN.sub(MINUS, text)
