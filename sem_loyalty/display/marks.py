"""The mark of numbers that must not be reported, and how a table carries it: its note begins with it."""

from __future__ import annotations

MARK = "NOT CERTIFIED"
_CHINESE = "未通过检验"


def reason_of(note: str) -> str:
    """Return why the numbers of a table must not be reported; "" where its note does not begin with a mark.

    Parameters
    ----------
    note : str
        Of a table, in English or Chinese: "NOT CERTIFIED: negative variance. N = 60."
    """
    for mark, stop in ((MARK, "."), (_CHINESE, "。")):
        if note.startswith(mark):
            return note.partition(stop)[0].removeprefix(mark).strip(" :：(（)）") or "do not report"
    return ""
