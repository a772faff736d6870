"""Names as they stand in addresses of results: what could be taken for a sign of the address is escaped."""

from __future__ import annotations

import re

_ESCAPED = re.compile(r"=([0-9A-F]{2})")
_PLAIN = frozenset("_-.")


def quoted_name(name: str) -> str:
    """Return a name as it stands in an address.

    Parameters
    ----------
    name : str
        Of a variable, a group, a rival.
    """
    return "".join(c if c.isalnum() or c in _PLAIN else _escape(c) for c in name)


def _escape(character: str) -> str:
    return "".join(f"={byte:02X}" for byte in character.encode("utf-8"))


def unquoted_name(part: str) -> str:
    """Return the name that a part of an address stands for."""
    if not _ESCAPED.search(part):
        return part
    data = re.sub(rb"=([0-9A-F]{2})", lambda m: bytes.fromhex(m[1].decode()), part.encode("utf-8"))
    return data.decode("utf-8", errors="replace")
