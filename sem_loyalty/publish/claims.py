"""Claims: addresses of results, short enough to be typed into a text.

An address names a section of results.json, a row, a field and how it is printed::

    measures/cfi                     a section without rows
    estimates/LOY~SAT/std_all:.2     the path from SAT to LOY, two decimals, APA style (.51)
    estimates/LOY~SAT@store/ci:2     the same in the group "store": its interval
    hypotheses/H1/verdict            a word
    tables/reliability/SAT/cr:.3     a cell of a table: id, row, column

Rows are written with the names of the model text, never with labels, so that an address holds in every language. What
is not a letter, a digit or one of ``_-.~>=`` is written as in quoted-printable: ``=`` and two hexadecimal digits for
every byte in UTF-8 (``=20`` for a blank, ``=40`` for @). docs/chapter.md lists the sections.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sem_loyalty.display import format_number, format_p
from sem_loyalty.errors import ConfigurationError, check_choice, nearest
from sem_loyalty.inference.verdicts import one_test
from sem_loyalty.publish.chapter_words import FIGURES
from sem_loyalty.publish.lang import WORDS, word
from sem_loyalty.publish.quoting import quoted_name, unquoted_name

_FORMAT = re.compile(r"(?P<bounded>\.?)(?P<digits>\d)|(?P<p>p=?)|pct(?P<pct>\d?)|(?P<said>said)")
_JOINED = re.compile(r"->|~~|=~|~")
# Fields that hold a p-value, and fields bounded by 1 in absolute value, for keys without a format.
_P = re.compile(r"(.*_)?p(value)?(_.*)?")
_BOUNDED = frozenset(
    (
        *("std_all", "std", "r2", "cr", "ave", "alpha", "omega", "h", "htmt", "correlation", "kmo", "harman", "share"),
        *("cfi", "tli", "rmsea", "srmr", "variance", "root_ave_first", "root_ave_second"),
        *("main", "median", "lowest", "highest"),
    )
)
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """A result under its address.

    Attributes
    ----------
    key : str
        The address as written.
    value : number, str or (number, number)
        In full precision; a pair is an interval.
    field : str
    format : str
        What stands behind the colon; "" where nothing does.
    """

    key: str
    value: Any
    field: str
    format: str

    def text(self, lang: str) -> str:
        """Return it as it is printed in `lang`; see `claim_text`."""
        check_choice("lang", lang, ("en", "zh"))
        if isinstance(self.value, bool):
            return word("yes" if self.value else "no", lang)
        if isinstance(self.value, str):
            return _worded(self.value, self.field, self.format == "said", lang)
        if isinstance(self.value, tuple):
            lower, upper = (_number(end, self.field, self.format, lang) for end in self.value)
            return f"[{lower}, {upper}]"
        return _number(self.value, self.field, self.format, lang)

    def agrees(self, text: str) -> bool:
        """Return whether a text says what the result says.

        A leading zero, the kind of minus, blanks and the mark of thousands do not matter. Behind an address without a
        format the text may have any number of decimals, and an inequality has to be true.
        """
        written = _normal(text)
        if any(written == _normal(self.text(lang)) for lang in ("en", "zh")):
            return True
        if self.format or isinstance(self.value, (str, bool)):
            return False
        ends = self.value if isinstance(self.value, tuple) else (self.value,)
        found = re.findall(r"[<>]?−?\d+(?:\.\d+)?", written)
        if "".join(found) != re.sub(r"[\[\],=%]", "", written) or len(found) != len(ends):
            return False
        return all(_says(part, end, "%" in written) for part, end in zip(found, ends, strict=True))


def _tally(hypotheses: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many tests there are, each counted once, and of how many hypotheses."""
    tests = {one_test(x["id"], x["verdict"], x["est"], x["pvalue"]): x for x in hypotheses}
    tested = [x["verdict"] for x in tests.values() if x["verdict"] not in ("untested", "withheld")]
    return {"supported": tested.count("supported"), "tested": len(tested), "stated": len(tests)}


class ClaimBook:
    """The results of a study, to be looked up by address.

    Parameters
    ----------
    results : mapping
        From `Results.to_dict`, or read from results.json.
    """

    def __init__(self, results: Mapping[str, Any]) -> None:
        self.results = results
        self.lang = str(results.get("lang", "en"))
        self._groups = [str(name) for name in results.get("group_names", ())]
        self._sections = dict(self._read())

    def _read(self) -> Iterator[tuple[str, list[tuple[str, str, Mapping[str, Any]]]]]:
        """Yield section after section as rows: name, group, fields."""
        results = self.results
        measures = dict(results.get("fit_measures", {}))
        if measures.get("df") and measures.get("chisq") is not None:
            measures["chisq_df"] = measures["chisq"] / measures["df"]
        yield "measures", [("", "", measures)]
        yield "respondents", [("", "", results.get("respondents", {}))]
        yield "groups", [("", "", results.get("groups", {}))]
        yield "bootstrap", [("", "", results.get("bootstrap") or {})]
        yield "study", [("", "", {key: results.get(key) for key in ("title", "estimator", "missing", "engine")})]
        yield "tally", [("", "", _tally(results.get("hypotheses", ())))]
        several = len(self._groups) > 1
        yield (
            "estimates",
            [
                (_parameter(row), self._group(row["group"]) if several else "", row)
                for row in results.get("estimates", ())
            ],
        )
        yield (
            "hypotheses",
            [
                (str(row["id"]), self._group(row["group"]) if several else "", row)
                for row in results.get("hypotheses", ())
            ],
        )
        for section, records in results.get("records", {}).items():
            yield section, [(str(row["row"]), str(row["group"]), row) for row in records]

    def _group(self, number: int) -> str:
        return self._groups[number - 1] if 0 < number <= len(self._groups) else ""

    def rows(self, section: str) -> list[Mapping[str, Any]]:
        """Return the records of a section; none where the study has no such section."""
        return [fields for _, _, fields in self._sections.get(section, [])]

    def resolve(self, key: str) -> Claim:
        """Return what stands under an address; see the function `resolve`."""
        path, colon, format = key.rpartition(":")
        path, format = (path, format) if colon else (key, "")
        if colon and not _FORMAT.fullmatch(format):
            raise ConfigurationError(
                f"Claim {key!r}: {format!r} is no format. Known: a number of decimals (2), with a point before it for "
                "a quantity bounded by 1 (.2), p, p=, pct, said."
            )
        parts = path.split("/")
        if parts[0] == "tables":
            return self._cell(key, parts[1:], format)
        if parts[0] not in self._sections:
            raise ConfigurationError(self._unknown(key, parts[0], [*self._sections, "tables"], "section", ""))
        rows = self._sections[parts[0]]
        bare = bool(rows) and all(name == "" for name, _, _ in rows)
        if len(parts) != (2 if bare else 3):
            form = f"{parts[0]}/FIELD" if bare else f"{parts[0]}/ROW/FIELD"
            raise ConfigurationError(f"Claim {key!r}: an address of this section has the form {form}.")
        fields = rows[0][2] if bare else self._row(key, parts[0], parts[1], rows)
        return Claim(key, _value(key, parts, fields), parts[-1], format)

    def _row(
        self, key: str, section: str, written: str, rows: Sequence[tuple[str, str, Mapping[str, Any]]]
    ) -> Mapping[str, Any]:
        """Return the one row that a part of an address names."""
        name, at, group = written.rpartition("@")
        name, group = (unquoted_name(name), unquoted_name(group)) if at else (unquoted_name(written), "")
        wanted = {name, "~~".join(reversed(name.split("~~")))}
        named = [(where, fields) for row, where, fields in rows if row in wanted]
        if not named:
            known = list(dict.fromkeys(f"{section}/{row}" for row, _, _ in rows))
            raise ConfigurationError(self._unknown(key, f"{section}/{name}", known, "row", ""))
        if at:
            found = [fields for where, fields in named if where == group]
            if not found and group.isdecimal() and 0 < int(group) <= len(self._groups):
                found = [fields for where, fields in named if where == self._groups[int(group) - 1]]
        else:
            found = [fields for _, fields in named] if len(named) == 1 else [f for where, f in named if not where]
        if len(found) != 1:
            groups = [f"{written.rpartition('@')[0] or written}@{quoted_name(where)}" for where, _ in named]
            raise ConfigurationError(f"Claim {key!r}: say of which group: {', '.join(groups)}.")
        return found[0]

    def _cell(self, key: str, parts: Sequence[str], format: str) -> Claim:
        """Return a cell of a table: id, row, column."""
        tables = self.results.get("tables", {})
        if len(parts) != 3:
            raise ConfigurationError(f"Claim {key!r}: an address of a table has the form tables/ID/ROW/COLUMN.")
        id, row, column = parts
        if id not in tables:
            raise ConfigurationError(self._unknown(key, id, list(tables), "table", "tables/"))
        columns = list(tables[id]["columns"])
        if unquoted_name(column) not in columns:
            raise ConfigurationError(self._unknown(key, column, columns, "column", f"tables/{id}/{row}/"))
        body = tables[id]["rows"]
        rows = [(name, str(cells.get("group") or ""), cells) for cells in body for name in [self._row_name(cells)]]
        number = unquoted_name(row)
        if number.isdecimal() and not any(name == number for name, _, _ in rows):
            if not 0 < int(number) <= len(body):
                raise ConfigurationError(f"Claim {key!r}: the table {id!r} has {len(body)} rows.")
            cells = body[int(number) - 1]
        else:
            cells = self._row(key, f"tables/{id}", row, rows)
        value = cells.get(unquoted_name(column))
        if isinstance(value, (list, tuple)):
            value = tuple(value)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            raise ConfigurationError(f"Claim {key!r}: this cell is empty.")
        return Claim(key, value, unquoted_name(column), format)

    def _row_name(self, cells: Mapping[str, Any]) -> str:
        """Return the name of a row of a table in the names of the model, where its cells are labels."""
        names = ("id", "path", "construct", "item", "outcome", "antecedent", "factor", "group", "step", "model", "k")
        first = next((cells[name] for name in (*names, "component", "segment", "test") if cells.get(name)), "")
        codes = {label: name for name, label in self.results.get("labels", {}).items()}
        for arrow, joined in ((" → ", "->"), (" ↔ ", "~~")):
            if arrow in str(first):
                return joined.join(codes.get(part, part) for part in str(first).split(arrow))
        return str(codes.get(str(first), first))

    @staticmethod
    def _unknown(key: str, name: str, known: Sequence[str], what: str, lead: str) -> str:
        """Return the message on an address that leads nowhere, with the nearest that do."""
        near = nearest(name, known)
        listed = (
            "" if near else f"It has: {', '.join(lead + one for one in known[:8])}{' ...' if len(known) > 8 else ''}."
        )
        return f"Claim {key!r}: the results have no {what} {name!r}. {near or listed}".strip()


def resolve(results: Mapping[str, Any] | ClaimBook, key: str) -> Claim:
    """Return the result under an address.

    Parameters
    ----------
    results : mapping or ClaimBook
        From `Results.to_dict`, or read from results.json; a ClaimBook is quicker for many addresses.
    key : str
        For instance ``"estimates/LOY~SAT/std_all:.2"``.

    Returns
    -------
    Claim

    Raises
    ------
    ConfigurationError
        There is no such section, row, field or format, with the nearest that exist; or the result has no value.
    """
    return (results if isinstance(results, ClaimBook) else ClaimBook(results)).resolve(key)


def claim_text(results: Mapping[str, Any] | ClaimBook, key: str, lang: str = "en") -> str:
    """Return a result as it is printed.

    Parameters
    ----------
    results : mapping or ClaimBook
        From `Results.to_dict`, or read from results.json.
    key : str
        An address. Behind its colon: ``2`` prints two decimals; ``.2`` the same of a quantity that 1 bounds, without
        leading zero in English; ``p`` a p-value (``.034``, ``< .001``) and ``p=`` with its sign of relation
        (``= .034``); ``pct`` or ``pct1`` a share in per cent without the sign; ``said`` a word as it stands in a
        sentence. Without a format: whole numbers as they are, p-values as with ``p``, others with three decimals.
    lang : {"en", "zh"}, default "en"

    Returns
    -------
    str

    Raises
    ------
    ConfigurationError
        As `resolve`.
    """
    return resolve(results, key).text(lang)


def _parameter(row: Mapping[str, Any]) -> str:
    if row["op"] == ":=":
        return str(row["lhs"])
    return f"{row['lhs']}~1" if row["op"] == "~1" else f"{row['lhs']}{row['op']}{row['rhs']}"


def _value(key: str, parts: Sequence[str], fields: Mapping[str, Any]) -> Any:
    """Return a field, or the pair of fields of an interval."""
    name = unquoted_name(parts[-1])
    if name in fields:
        value = fields[name]
    elif "ci" in name.split("_") and name.replace("ci", "ci_lower", 1) in fields:
        value = tuple(fields[name.replace("ci", f"ci_{end}", 1)] for end in ("lower", "upper"))
    else:
        known = [field for field in fields if field not in ("row", "group")]
        lead = "/".join(parts[:-1])
        near = nearest(name, known) or f"It has: {', '.join(known[:12])}."
        raise ConfigurationError(f"Claim {key!r}: {lead} has no field {name!r}. {near}")
    ends = value if isinstance(value, tuple) else (value,)
    if any(end is None or (isinstance(end, float) and math.isnan(end)) for end in ends):
        raise ConfigurationError(f"Claim {key!r}: the study has no value for it.")
    return "; ".join(map(str, value)) if isinstance(value, list) else value


def _number(value: Any, field: str, format: str, lang: str) -> str:
    if isinstance(value, str):
        return value
    form = _FORMAT.fullmatch(format)
    if form is None and float(value).is_integer() and abs(value) >= 1:
        return _whole(value, lang)
    if form is None:
        return (
            format_p(value, lang=lang)
            if _P.fullmatch(field)
            else format_number(value, _DIGITS, field in _BOUNDED, lang=lang)
        )
    if form["p"]:
        shown = _p(float(value), lang)
        return shown if form["p"] == "p" or shown[0] in "<>" else f"= {shown}"
    if form["pct"] is not None:
        return format_number(100 * value, int(form["pct"] or 0), lang=lang)
    if form["digits"] == "0":
        return _whole(value, lang)
    if form["digits"]:
        return format_number(value, int(form["digits"]), bool(form["bounded"]), lang=lang)
    return format_number(value, _DIGITS, lang=lang)


def _whole(value: float, lang: str) -> str:
    """Return a whole number; English marks thousands from four digits on, as the tables do."""
    shown = format_number(value, 0, lang=lang)
    return f"{round(value):,}".replace("-", "−") if lang == "en" and len(shown) > 3 else shown


def _p(value: float, lang: str) -> str:
    """Return a p-value with as many decimals as keep it on its side of .05: .0498 would otherwise read .050."""
    digits = 3
    while digits < 8 and value != 0.05 and (value < 0.05) != (round(value, digits) < 0.05):
        digits += 1
    return format_p(value, lang=lang) if digits == 3 else format_number(value, digits, True, lang=lang)


def _worded(value: str, field: str, said: bool, lang: str) -> str:
    """Return a text of the results in a language, where it is one of the names that this package gives."""
    key = f"{field}:{value}" if said else value
    if said:
        return FIGURES[key][0 if lang == "en" else 1] if key in FIGURES else value
    if value == "withheld":
        return word("withheld_verdict", lang)
    named = {"verdict", "main_verdict", "kind", "level", "advice"}
    return word(value, lang) if field in named and value in WORDS else value


def _normal(text: str) -> str:
    """Return a text without what may differ between two ways of writing one number."""
    plain = re.sub(r"[\s\u00a0\u2009\u202f]+", "", text).replace("-", "−").replace("–", "−")
    plain = plain.replace("％", "%").replace("，", ",").replace("＝", "=").replace("＜", "<").replace("＞", ">")
    plain = re.sub(r"(?<=\d),(?=\d{3}(?!\d))(?![^\[]*\])", "", plain)
    return re.sub(r"(?<![\d.])\.(?=\d)", "0.", plain)


def _says(part: str, value: float, percent: bool) -> bool:
    """Return whether a written number, or an inequality, is true of a value."""
    sign, plain = (part[0], part[1:]) if part[0] in "<>" else ("", part)
    written = float(plain.replace("−", "-"))
    scaled = 100 * float(value) if percent else float(value)
    if sign:
        return scaled < written if sign == "<" else scaled > written
    digits = len(plain.partition(".")[2])
    return _normal(format_number(scaled, digits)) == _normal(format_number(written, digits))
