"""Names that another program takes, for those that it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

# What R reserves, and the modifiers of lavaan.
_R_WORDS = frozenset(
    (
        "if", "else", "repeat", "while", "function", "for", "next", "break", "TRUE", "FALSE", "NULL", "Inf", "NaN",
        "NA", "NA_integer_", "NA_real_", "NA_complex_", "NA_character_", "in", "T", "F", "c", "start", "equal", "lower",
        "upper", "efa", "rv", "prior",
    )
)  # fmt: skip
_MPLUS_WORDS = frozenset(
    ("on", "by", "with", "pon", "pwith", "at", "ind", "via", "mod", "xwith", "all", "new", "loop", "do", "grp")
)

# Longer names make scripts that nobody can read.
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a model in another program.

    Attributes
    ----------
    own : mapping of str to str
        The other program's name by ours.
    """

    own: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.own[name]

    @property
    def changed(self) -> tuple[tuple[str, str], ...]:
        """The new name and ours, where they differ."""
        return tuple((new, name) for name, new in self.own.items() if new != name)


def lavaan_names(names: Iterable[str]) -> Names:
    """Return names that R and lavaan read bare: letters of any script, digits, dots and underscores."""
    return _renamed(names, _is_lavaan, str, "v")


def mplus_names(names: Iterable[str]) -> Names:
    """Return names of at most eight ASCII characters that differ in more than case."""
    return _renamed(names, _is_mplus, str.casefold, "v")


def semopy_names(names: Iterable[str]) -> Names:
    """Return names of ASCII letters, digits and underscores."""
    return _renamed(names, lambda name: re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name) is not None, str, "v")


def _is_lavaan(name: str) -> bool:
    letters = name.replace(".", "").replace("_", "")
    begins = name[:1].isalpha() or (name[:1] == "." and not name[1:2].isdigit() and len(name) > 1)
    usual = name not in _R_WORDS and not name.startswith("..") and len(name) <= LONGEST
    return begins and letters.isalnum() and usual


def _is_mplus(name: str) -> bool:
    return re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,7}", name) is not None and name.casefold() not in _MPLUS_WORDS


def _renamed(names: Iterable[str], legal: Callable[[str], bool], alike: Callable[[str], str], letter: str) -> Names:
    wanted = list(dict.fromkeys(names))
    own: dict[str, str] = {}
    taken: set[str] = set()
    for name in wanted:
        if legal(name) and alike(name) not in taken:
            own[name] = name
            taken.add(alike(name))
    number = 0
    for name in wanted:
        while name not in own:
            number += 1
            if f"{letter}{number}" not in taken:
                own[name] = f"{letter}{number}"
                taken.add(own[name])
    return Names({name: own[name] for name in wanted})


def plain(text: str, most: int = 60) -> str:
    """Return a text on one line that ends no comment: what cannot be printed is a blank, and an end too far is cut."""
    shown = "".join(character if character.isprintable() else " " for character in text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def name_table(names: Names, mark: str) -> Iterator[str]:
    """Yield comment lines that say which name stands for which; none where all are kept."""
    if names.changed:
        yield f"{mark} Names that this program does not take:"
        yield from (f"{mark}   {new} = {plain(name)}" for new, name in names.changed)
