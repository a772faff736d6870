"""Pieces of WordprocessingML: runs, fields, bookmarks and content controls."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from sem_loyalty.display.escaping import one_line

_TAG_LENGTH = 64  # Word keeps no more of a tag
TAG, HASHED = "sl:", "sl#"


def element(tag: str, *children: Any, **attributes: object) -> Any:
    """Return an element of WordprocessingML; an attribute ``w_val`` is ``w:val``."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made: Any = OxmlElement(tag)
    for name, value in attributes.items():
        made.set(qn(name.replace("_", ":", 1)) if "_" in name else name, str(value))
    for child in children:
        made.append(child)
    return made


def run(text: str, *, italic: bool = False, bold: bool = False) -> Any:
    """Return a run of text; a line break stays one, other control characters become blanks."""
    properties = element("w:rPr")
    if bold:
        properties.append(element("w:b"))
    if italic:
        properties.append(element("w:i"))
    made = element("w:r", *([properties] if len(properties) else []))
    for number, line in enumerate(re.split(r"\r\n|[\r\n]", text)):
        if number:
            made.append(element("w:br"))
        shown = element("w:t")
        shown.text = one_line(line)
        shown.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        made.append(shown)
    return made


def field(code: str, shown: str, *, bold: bool = False) -> list[Any]:
    """Return the runs of a field whose last result is `shown`, so that it can be read before Word updates it."""

    def part(content: Any) -> Any:
        # Programs that compute the field again take its form from the first run.
        form = [element("w:rPr", element("w:b"))] if bold else []
        return element("w:r", *form, content)

    def mark(kind: str) -> Any:
        return part(element("w:fldChar", w_fldCharType=kind))

    instruction = element("w:instrText")
    instruction.text = f" {code} "
    instruction.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    return [mark("begin"), part(instruction), mark("separate"), run(shown, bold=bold), mark("end")]


def bookmarked(content: Iterable[Any], name: str, number: int) -> list[Any]:
    """Return elements between the ends of a bookmark."""
    return [
        element("w:bookmarkStart", w_id=number, w_name=name),
        *content,
        element("w:bookmarkEnd", w_id=number),
    ]


def bookmark_name(kind: str, id: str) -> str:
    """Return the name of the bookmark of a table or figure: Word takes 40 letters, digits and underscores."""
    name = f"_Ref_{kind}_{id.replace('-', '_')}"
    if len(name) <= 40 and "_" not in id:
        return name
    return f"{name[:31]}_{hashlib.sha256(id.encode()).hexdigest()[:8]}"


def tag(key: str) -> str:
    """Return the tag of the content control of a value: its key, or a digest of a key that is too long for a tag."""
    if len(TAG + key) <= _TAG_LENGTH and one_line(key) == key:
        return TAG + key
    return HASHED + hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]


def control(key: str, text: str, number: int) -> Any:
    """Return a content control around the text of a value."""
    return element(
        "w:sdt",
        element("w:sdtPr", element("w:tag", w_val=tag(key)), element("w:id", w_val=number)),
        element("w:sdtContent", run(text)),
    )
