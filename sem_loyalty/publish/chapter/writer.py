"""The writer of sentences: templates in two languages, filled with results, symbols, citations and references."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from sem_loyalty.display import Table
from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.chapter.sources import SOURCES
from sem_loyalty.publish.claims import ClaimBook
from sem_loyalty.publish.manuscript import Block, Figure, Heading, Paragraph, Part, Reference, Symbol, Value
from sem_loyalty.publish.quoting import quoted_name
from sem_loyalty.publish.records import Record

Said: TypeAlias = tuple[Part, ...]
_LATIN, _HAN = r"[A-Za-z0-9%Α-ω²√−.]", r"[\u4e00-\u9fff]"
_MEETING = re.compile(f"(?<={_LATIN})(?={_HAN})|(?<={_HAN})(?={_LATIN})")
_SLOT = re.compile(r"\{([a-z_0-9]+)\}|\*([^*]+)\*")


class Writer:
    """What all sections of a chapter share: results by address, tables and figures not yet placed, the text so far.

    Parameters
    ----------
    book : ClaimBook
    lang : {"en", "zh"}
    tables : mapping of str to Table
        By id.
    figures : mapping of str to Figure
        By id.
    labels : mapping of str to str
        Reader's name by variable.
    """

    def __init__(
        self,
        book: ClaimBook,
        lang: str,
        tables: Mapping[str, Table],
        figures: Mapping[str, Figure],
        labels: Mapping[str, str],
    ) -> None:
        self.book = book
        self.lang = lang
        self.english = lang == "en"
        self.blocks: list[Block] = []
        self.cited: set[str] = set()
        self._tables, self._figures, self._labels = dict(tables), dict(figures), labels
        self._waiting: list[Table | Figure] = []
        self._placed: set[tuple[str, str]] = set()

    # What stands in a sentence

    def value(self, key: str) -> Value:
        """Return a result with its address."""
        return Value(key, self.book.resolve(key).text(self.lang))

    def standardised(self, path: str) -> Value:
        """Return a standardised coefficient; English prints two decimals, Chinese three."""
        return self.value(f"{path}:.{2 if self.english else 3}")

    def number(self, path: str) -> Value:
        """Return an unstandardised number, or an interval of one."""
        return self.value(f"{path}:{2 if self.english else 3}")

    def index(self, path: str) -> Value:
        """Return a number that is held against a cut-off, with three decimals."""
        return self.value(f"{path}:.3")

    def records(self, section: str) -> list[Record]:
        """Return the records of a section, none where the study has no such section."""
        return [dict(record) for record in self.book.rows(section)]

    def label(self, name: str) -> str:
        """Return the reader's name of a variable."""
        return self._labels.get(name, name)

    def route(self, names: Sequence[str]) -> str:
        """Return "Trust → Loyalty"."""
        return " → ".join(self.label(name) for name in names)

    def has(self, kind: Literal["table", "figure"], id: str) -> bool:
        """Return whether there is such a table or figure."""
        return id in (self._tables if kind == "table" else self._figures)

    def refer(self, kind: Literal["table", "figure"], id: str) -> Reference:
        """Return a reference, and place the table or figure behind the paragraph that is being written."""
        if (kind, id) not in self._placed:
            self._placed.add((kind, id))
            found: Table | Figure = self._tables[id] if kind == "table" else self._figures[id]
            self._waiting.append(found)
        return Reference(kind, id)

    def tables(self, *ids: str) -> Said:
        """Return references to those of some tables that exist, joined."""
        return self.listed([(self.refer("table", id),) for id in ids if self.has("table", id)])

    def listed(self, items: Sequence[Said | str]) -> Said:
        """Return items joined as the language joins them: "a, b, and c"."""
        parts: list[Part] = []
        for position, item in enumerate(items):
            last = position == len(items) - 1
            if position and self.english:
                parts.append(" and " if last and len(items) == 2 else ", and " if last else ", ")
            elif position:
                parts.append("和" if last else "、")
            parts += (item,) if isinstance(item, str) else item
        return tuple(parts)

    def ids(self, names: Sequence[str]) -> Said:
        """Return ids such as "H1 to H4, and H7": three and more that follow each other as a range."""
        runs: list[list[str]] = []
        for name in names:
            if runs and _follows(runs[-1][-1], name):
                runs[-1].append(name)
            else:
                runs.append([name])
        shown: list[Said | str] = []
        for run in runs:
            shown += [f"{run[0]} to {run[-1]}" if self.english else f"{run[0]} 至 {run[-1]}"] if len(run) > 2 else run
        return self.listed(shown)

    def joined(self, items: Iterable[Said]) -> Said:
        """Return clauses joined by semicolons."""
        parts: list[Part] = []
        for position, item in enumerate(items):
            parts += [*(["; " if self.english else "；"] if position else []), *item]
        return tuple(parts)

    def say(self, english: str, chinese: str, **slots: Part | Said) -> Said:
        """Return a sentence: ``{name}`` is a slot or a source, ``{name_by}`` a source it names, ``*p*`` a symbol.

        Parameters
        ----------
        english, chinese : str
            Templates.
        **slots : Part or tuple of Part

        Returns
        -------
        tuple of Part
        """
        template = english if self.english else chinese
        parts: list[Part] = []
        opening, closing = (" (", ")") if self.english else ("（", "）")
        end, after_source = 0, False
        for match in _SLOT.finditer(template):
            literal = template[end : match.start()]
            end = match.end()
            # A citation and the bracket behind it become one: "(Horn, 1965; Table 3)".
            if after_source and literal.startswith(opening) and str(parts[-1])[-1] == closing:
                parts[-1] = str(parts[-1])[:-1]
                literal = ("; " if self.english else "；") + literal[len(opening) :]
            after_source = False
            parts.append(literal)
            name = match[1]
            if name is None:
                parts.append(Symbol(match[2]))
            elif name in slots:
                found = slots[name]
                parts += found if isinstance(found, tuple) else (found,)
            elif name.removesuffix("_by") in SOURCES:
                source = SOURCES[name.removesuffix("_by")]
                self.cited.add(name.removesuffix("_by"))
                after_source = not name.endswith("_by")
                parts.append(source.cited(self.lang) if after_source else source.named(self.lang))
            else:
                raise ConfigurationError(f"No slot and no source {name!r} for the sentence {template!r}.")
        parts.append(template[end:])
        return _merged(parts)

    # What becomes of sentences

    def heading(self, english: str, chinese: str, level: int = 1) -> None:
        """Write a heading."""
        self.blocks.append(Heading(english if self.english else chinese, level))

    def paragraph(self, sentences: Iterable[Said], kind: Literal["text", "warning"] = "text") -> None:
        """Write a paragraph, and behind it the tables and figures that it is the first to refer to."""
        parts: list[Part] = []
        for sentence in sentences:
            if sentence:
                parts += [*([" "] if parts and self.english else []), *sentence]
        if parts:
            found = _merged(parts)
            self.blocks.append(Paragraph(found if self.english else _spaced(found), kind))
        self.blocks += self._waiting
        self._waiting = []


def at(name: str, group: str = "") -> str:
    """Return the row of an address: a name of the model text, and the group where there are several."""
    return f"{name}@{quoted_name(group)}" if group else name


def _spaced(parts: Said) -> Said:
    """Return Chinese text with a blank between Chinese and Latin characters, also where two parts meet."""
    found: list[Part] = []
    last = ""
    for part in parts:
        shown = part if isinstance(part, str) else "表" if isinstance(part, Reference) else part.text
        if isinstance(part, str):
            part = shown = _MEETING.sub(" ", part)
        if last and shown and _MEETING.search(last + shown[0]):
            if isinstance(part, str):
                part = f" {part}"
            elif found and isinstance(found[-1], str):
                found[-1] += " "
            else:
                found.append(" ")
        found.append(part)
        last = shown[-1] if shown else last
    return tuple(found)


def _follows(first: str, second: str) -> bool:
    one, other = (re.fullmatch(r"(\D*)(\d+)", name) for name in (first, second))
    return bool(one and other and one[1] == other[1] and int(other[2]) == int(one[2]) + 1)


def _merged(parts: Iterable[Part]) -> Said:
    """Return parts with neighbouring texts as one."""
    found: list[Part] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        elif part != "":
            found.append(part)
    return tuple(found)
