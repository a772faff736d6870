"""Documents of Word whose bytes depend on their content alone."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING

from sem_loyalty.display.escaping import one_line

if TYPE_CHECKING:
    from docx.document import Document

# Fixed instants, so that the same content always gives the same bytes.
_MADE = datetime(2000, 1, 1)
_ZIPPED = (1980, 1, 1, 0, 0, 0)
_MAKER = "sem_loyalty"


def saved(document: Document, title: str) -> bytes:
    """Return a document as bytes: the same for the same content, whatever the clock says.

    Parameters
    ----------
    document : docx.document.Document
    title : str
        Title in its properties; Word takes at most 255 characters.
    """
    properties = document.core_properties
    properties.title, properties.author, properties.last_modified_by = one_line(title)[:255], _MAKER, _MAKER
    properties.created = properties.modified = _MADE
    properties.revision, properties.comments = 1, ""
    stream = io.BytesIO()
    document.save(stream)
    return _repacked(stream.getvalue())


def _repacked(data: bytes) -> bytes:
    """Return an archive that carries no time of its making."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            fresh = zipfile.ZipInfo(entry.filename, _ZIPPED)
            fresh.compress_type, fresh.external_attr, fresh.create_system = zipfile.ZIP_DEFLATED, 0o600 << 16, 3
            new.writestr(fresh, old.read(entry))
    return stream.getvalue()
