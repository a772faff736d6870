"""Bytes to text: which encoding a file is in, decided in a fixed order and always reported."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from sem_loyalty.errors import DataError, nearest

KNOWN = ("auto", "utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk", "gb2312", "big5", "cp950", "shift_jis", "euc-kr")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded file.

    Attributes
    ----------
    text : str
        The text, without byte order mark.
    encoding : str
        The encoding used.
    note : str
        How it was decided.
    """

    text: str
    encoding: str
    note: str


def _common_share(text: str) -> float:
    """Return the share of the non-ASCII characters in level 1 of GB 2312 or its punctuation."""
    wide = [character for character in text if ord(character) > 127]
    common = 0
    for character in wide:
        try:
            code = character.encode("gb2312")
        except UnicodeEncodeError:
            continue
        # Rows 1-3 are punctuation and full-width forms, rows 16-55 the characters in daily use.
        common += len(code) == 2 and (code[0] - 0xA0 <= 3 or 16 <= code[0] - 0xA0 <= 55)
    return common / len(wide) if wide else 1.0


def decode(raw: bytes, encoding: str = "auto", *, name: str = "the file") -> Decoded:
    """Return the text of a file.

    With "auto" the order is: byte order mark (utf-8-sig, utf-16), strict utf-8, gb18030, big5. Since gb18030 accepts
    every Big5 file, the two are compared where both can read the bytes, and big5 is taken only where it gives a larger
    share of common characters. Western single-byte encodings are never guessed, since they turn Chinese into plausible
    rubbish.

    Parameters
    ----------
    raw : bytes
        Content of the file.
    encoding : str, default "auto"
        A codec name of Python, or "auto".
    name : str
        The file, for messages.

    Returns
    -------
    Decoded

    Raises
    ------
    DataError
        No such encoding, or bytes that it cannot hold; the message says what would work.
    """
    if encoding != "auto":
        try:
            codec = codecs.lookup(encoding).name
        except LookupError:
            raise DataError(f"encoding={encoding!r} is not known. {nearest(encoding, KNOWN)}".strip()) from None
        try:
            text = raw.decode(codec)
        except UnicodeError as error:
            try:
                found = f"Try encoding='{decode(raw, name=name).encoding}' or 'auto'."
            except DataError:
                found = "Try encoding='auto'."
            raise DataError(f"{name} is not in {encoding}: {error}. {found}") from None
        return Decoded(text.removeprefix("\ufeff"), encoding, f"Encoding {encoding}, as asked.")
    for mark, codec in _MARKS:
        if raw.startswith(mark):
            try:
                return Decoded(raw.decode(codec), codec, f"Encoding {codec}, by its byte order mark.")
            except UnicodeError as error:
                raise DataError(f"{name} begins like {codec} but is damaged: {error}.") from None
    try:
        return Decoded(raw.decode("utf-8"), "utf-8", "Encoding utf-8: all bytes are valid.")
    except UnicodeDecodeError:
        pass
    readings: dict[str, str] = {}
    for codec in ("gb18030", "big5"):
        try:
            readings[codec] = raw.decode(codec)
        except UnicodeDecodeError:
            continue
    if not readings:
        raise DataError(
            f"{name} is not text in utf-8, utf-16, gb18030 or big5. Save it as UTF-8, or name its encoding "
            "(encoding='shift_jis', 'euc-kr', 'cp1252', ...)."
        )
    if len(readings) == 1:
        codec = next(iter(readings))
        return Decoded(readings[codec], codec, f"Encoding {codec}: the bytes are not valid utf-8. Check the labels.")
    # A Big5 file read as gb18030 is a string of rare characters; a gb18030 file is mostly common ones.
    share = _common_share(readings["gb18030"])
    rival = _common_share_big5(readings["big5"])
    codec = "big5" if rival > share else "gb18030"
    return Decoded(
        readings[codec],
        codec,
        f"Encoding {codec}: the bytes are not valid utf-8; gb18030 and big5 can both read them, and {codec} gives the "
        "commoner characters. Check the labels, or name the encoding.",
    )


def _common_share_big5(text: str) -> float:
    """Return the share of the non-ASCII characters in the frequently used plane of Big5 or its punctuation."""
    wide = [character for character in text if ord(character) > 127]
    common = 0
    for character in wide:
        try:
            code = character.encode("big5")
        except UnicodeEncodeError:
            continue
        common += len(code) == 2 and code[0] <= 0xC6
    return common / len(wide) if wide else 1.0
