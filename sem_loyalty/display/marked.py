"""Frames of numbers that must not be reported: they print their mark wherever they are printed."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, Self, overload

import pandas as pd

from sem_loyalty.display.escaping import latex
from sem_loyalty.display.marks import MARK

_RED = "#b00020"


class _Marked:
    """What marked frames and marked columns share: a reason, and the line that every display begins with."""

    reason: str

    @property
    def mark(self) -> str:
        """The line that every display begins with."""
        return f"{MARK}: {self.reason}"

    def _after_mark(self, text: str) -> str:
        return text if text.startswith(MARK) else f"{self.mark}\n{text}"

    def _take_reason(self, other: Any) -> None:
        """Take the reason of the first marked part, where pandas makes one object of several or from another."""
        parts = [other]
        # Of a merge or a pd.concat; a frame is asked for no attribute, which may be the name of a column.
        if not isinstance(other, (pd.DataFrame, pd.Series)):
            parts += [getattr(other, "left", None), getattr(other, "right", None)]
            parts += getattr(other, "objs", ()) or ()
        for part in parts:
            if isinstance(part, _Marked):
                object.__setattr__(self, "reason", part.reason)
                return


class MarkedSeries(_Marked, pd.Series):
    """A column or row of a MarkedFrame."""

    _metadata = ["_name", "reason"]  # noqa: RUF012 - the protocol of pandas
    reason = "its fit failed the checks."

    @property
    def _constructor(self) -> Callable[..., MarkedSeries]:
        return MarkedSeries

    @property
    def _constructor_expanddim(self) -> Callable[..., MarkedFrame]:
        return MarkedFrame

    def __finalize__(self, other: Any, method: str | None = None, **kwargs: Any) -> Self:
        super().__finalize__(other, method=method, **kwargs)  # type: ignore[misc]
        self._take_reason(other)
        return self

    def __repr__(self) -> str:
        return self._after_mark(super().__repr__())

    def to_string(self, buf: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return, or write to `buf`, the column as text after its mark."""
        return _deliver(self._after_mark(super().to_string(None, *args, **kwargs)), buf)

    def to_csv(self, *args: Any, **kwargs: Any) -> Any:
        """Return or write CSV whose first column is the mark."""
        return self.to_frame().to_csv(*args, **kwargs)

    def to_excel(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """Write a sheet whose first column is the mark."""
        return self.to_frame().to_excel(*args, **kwargs)

    def to_markdown(self, *args: Any, **kwargs: Any) -> Any:
        """Return, or write, the column as Markdown after its mark."""
        return self.to_frame().to_markdown(*args, **kwargs)

    def to_latex(self, *args: Any, **kwargs: Any) -> Any:
        """Return, or write, the column as LaTeX after its mark."""
        return self.to_frame().to_latex(*args, **kwargs)


class MarkedFrame(_Marked, pd.DataFrame):
    """A DataFrame of a fit that is not certified.

    It behaves as a DataFrame, and what is computed from it is marked as well. Text, HTML, Markdown and LaTeX begin with
    the mark; CSV and Excel have it as their first column, so that programs can still read them. In `pd.concat` the
    first frame decides: put the marked one first.

    Attributes
    ----------
    reason : str
        Why the numbers must not be reported.
    """

    _metadata = ["reason"]  # noqa: RUF012 - the protocol of pandas
    reason = "its fit failed the checks."

    @property
    def _constructor(self) -> Callable[..., MarkedFrame]:
        return MarkedFrame

    @property
    def _constructor_sliced(self) -> Callable[..., MarkedSeries]:
        return MarkedSeries

    def __finalize__(self, other: Any, method: str | None = None, **kwargs: Any) -> Self:
        super().__finalize__(other, method=method, **kwargs)  # type: ignore[misc]
        self._take_reason(other)
        return self

    def __repr__(self) -> str:
        return self._after_mark(super().__repr__())

    def _repr_html_(self) -> str | None:
        text = super()._repr_html_()  # type: ignore[misc]
        return None if text is None else self._html_mark() + text

    def _html_mark(self) -> str:
        return f'<p style="color:{_RED}"><b>{escape(self.mark)}</b></p>\n'

    def to_string(self, buf: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return, or write to `buf`, the frame as text after its mark."""
        return _deliver(self._after_mark(super().to_string(None, *args, **kwargs)), buf)

    def to_html(self, buf: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return, or write to `buf`, the frame as HTML after its mark."""
        return _deliver(self._html_mark() + super().to_html(None, *args, **kwargs), buf)

    def to_markdown(self, buf: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return, or write to `buf`, the frame as Markdown after its mark."""
        return _deliver(f"**{self.mark}**\n\n" + super().to_markdown(None, *args, **kwargs), buf)

    def to_latex(self, buf: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return, or write to `buf`, the frame as LaTeX after its mark."""
        return _deliver(f"\\textbf{{{latex(self.mark)}}}\n\n" + super().to_latex(None, *args, **kwargs), buf)

    def to_csv(self, *args: Any, **kwargs: Any) -> Any:
        """Return or write CSV whose first column is the mark."""
        return self._with_mark_column(kwargs).to_csv(*args, **kwargs)

    def to_excel(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
        """Write a sheet whose first column is the mark."""
        return self._with_mark_column(kwargs).to_excel(*args, **kwargs)

    @property
    def style(self) -> Any:
        """What pandas formats tables with, its caption the mark."""
        return super().style.set_caption(self.mark)

    def _with_mark_column(self, arguments: dict[str, Any]) -> pd.DataFrame:
        """Return a plain copy with the mark as first column; `columns` of a writer is applied here."""
        wanted = arguments.pop("columns", None)
        plain = pd.DataFrame(self if wanted is None else self[list(wanted)])
        if MARK not in plain.columns:
            plain.insert(0, MARK, self.reason)
        return plain


def _deliver(text: str, target: Any) -> str | None:
    """Return a text, or write it to a path or an open file, as the writers of pandas do."""
    if target is None:
        return text
    if hasattr(target, "write"):
        target.write(text)
        return None
    Path(target).write_text(text, encoding="utf-8", newline="\n")
    return None


@overload
def marked(frame: pd.DataFrame, reason: str) -> pd.DataFrame: ...
@overload
def marked(frame: pd.Series[Any], reason: str) -> pd.Series[Any]: ...
def marked(frame: pd.DataFrame | pd.Series[Any], reason: str) -> pd.DataFrame | pd.Series[Any]:
    """Return a frame or column that prints "NOT CERTIFIED: reason"; the frame itself where `reason` is "".

    Parameters
    ----------
    frame : DataFrame or Series
    reason : str
        Why its numbers must not be reported; "" where they may be.
    """
    if not reason:
        return frame
    made: MarkedFrame | MarkedSeries = MarkedFrame(frame) if isinstance(frame, pd.DataFrame) else MarkedSeries(frame)
    made.attrs = dict(frame.attrs)
    object.__setattr__(made, "reason", reason)
    return made
