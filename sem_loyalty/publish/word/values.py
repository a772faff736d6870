"""Values and tables read back from a document of Word, whoever has edited it in between."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from sem_loyalty.errors import DataError
from sem_loyalty.publish.manuscript import Value
from sem_loyalty.publish.word.markup import HASHED, TAG
from sem_loyalty.publish.word.three_lines import DESCRIPTION, PAD

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
#: Namespace of the part of a document that holds the keys that are too long for a tag.
KEYS = "urn:sem-loyalty:values"
_DELETED = frozenset({f"{_W}del", f"{_W}moveFrom"})
_MOST = 200_000_000  # bytes of one part, unpacked


def read_values(data: bytes) -> tuple[Value, ...]:
    """Return the values of a document in reading order.

    A value is a content control whose tag begins with ``sl:`` (its key follows) or ``sl#`` (a digest, whose key is in
    the custom XML part of the document). Word keeps tags when the text is edited or copied to another document.

    Parameters
    ----------
    data : bytes
        A .docx file.

    Returns
    -------
    tuple of Value
        Key, and the text as it stands in the document now; what was deleted with change tracking is left out.

    Raises
    ------
    DataError
        The file is not a document of Word, or a long key is no longer in it.
    """
    parts = _parts(data)
    keys = {
        str(entry.get("digest")): entry.get("key") or ""
        for name, root in parts.items()
        if name.startswith("customXml/")
        for entry in root.iter(f"{{{KEYS}}}value")
    }
    found = []
    for holder in _controls(parts["word/document.xml"]):
        tag = holder.find(f"{_W}sdtPr/{_W}tag")
        name = "" if tag is None else tag.get(f"{_W}val", "")
        if name.startswith(TAG):
            found.append(Value(name.removeprefix(TAG), _text(holder)))
        elif name.startswith(HASHED):
            if name not in keys:
                raise DataError(
                    f"The value '{_text(holder)}' has lost its address: the document no longer holds the key of tag "
                    f"'{name}'. Copy the number again from the document that sem_loyalty wrote."
                )
            found.append(Value(keys[name], _text(holder)))
    return tuple(found)


def read_tables(data: bytes) -> dict[str, list[list[str]]]:
    """Return the tables that sem_loyalty wrote into a document.

    Parameters
    ----------
    data : bytes
        A .docx file.

    Returns
    -------
    dict of str to list of list of str
        By the id of the table, which stands in its alternative text: the cells of the body as they are now, without
        heads and headings of sections. An unedited table equals `Table.cells` but for control characters, which
        are blanks.

    Raises
    ------
    DataError
        The file is not a document of Word.
    """
    found: dict[str, list[list[str]]] = {}
    for table in _parts(data)["word/document.xml"].iter(f"{_W}tbl"):
        described = table.find(f"{_W}tblPr/{_W}tblDescription")
        text = "" if described is None else described.get(f"{_W}val", "")
        if not text.startswith(DESCRIPTION):
            continue
        columns = len(table.findall(f"{_W}tblGrid/{_W}gridCol"))
        rows = []
        for row in table.findall(f"{_W}tr"):
            cells = row.findall(f"{_W}tc")
            if row.find(f"{_W}trPr/{_W}tblHeader") is not None or _is_section(cells, columns):
                continue
            rows.append([_text(cell).rstrip(PAD) for cell in cells])
        found[text.removeprefix(DESCRIPTION).strip()] = rows
    return found


def _is_section(cells: list[Element], columns: int) -> bool:
    if len(cells) != 1:
        return False
    return columns > 1 or cells[0].find(f"{_W}p/{_W}r/{_W}rPr/{_W}b") is not None


def _controls(node: Element) -> Iterator[Element]:
    for child in node:
        if child.tag in _DELETED:
            continue
        if child.tag == f"{_W}sdt":
            yield child
        yield from _controls(child)


def _text(node: Element) -> str:
    """Return the text of an element as a reader sees it, fields by their results."""
    if node.tag == f"{_W}t":
        return node.text or ""
    if node.tag in (f"{_W}br", f"{_W}cr", f"{_W}tab"):
        return " "
    if node.tag == f"{_W}noBreakHyphen":
        return "-"
    return "".join(_text(child) for child in node if child.tag not in _DELETED)


def _parts(data: bytes) -> dict[str, Element]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            wanted = [
                entry
                for entry in archive.infolist()
                if entry.filename == "word/document.xml"
                or (entry.filename.startswith("customXml/item") and entry.filename.endswith(".xml"))
            ]
            if any(entry.file_size > _MOST for entry in wanted):
                raise DataError("A part of the document is larger than 200 MB, which no text is.")
            texts = {entry.filename: archive.read(entry) for entry in wanted}
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError("The file is not a document of Word (.docx).") from error
    if "word/document.xml" not in texts:
        raise DataError("The file is not a document of Word (.docx): it has no word/document.xml.")
    if any(b"<!DOCTYPE" in text for text in texts.values()):
        raise DataError("The document declares a document type, which Word never writes; it is not read.")
    try:
        return {name: ElementTree.fromstring(text) for name, text in texts.items()}
    except ElementTree.ParseError as error:
        raise DataError(f"The document is damaged: {error}.") from error
