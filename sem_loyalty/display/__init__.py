"""Table: a frozen value that holds numbers, not strings, and renders late as text, HTML, Markdown, CSV or LaTeX.

Rules of rendering, the same in every format but CSV:

- ``None`` is blank: the cell does not apply. ``NaN`` and missing values of pandas are an en dash: the cell applies
  but its number could not be computed.
- Numbers carry a true minus (U+2212) and never show a negative zero.
- English follows the APA style: a number bounded by 1 in absolute value loses its leading zero, ``.51``, and a small
  p value is ``< .001``. Chinese keeps the zero: ``0.510``, ``< 0.001``.
- CSV is for machines: column keys as heads, full precision (``repr``), a hyphen for minus, an interval in two columns.
- Every text is escaped for the format it goes to, so labels may hold any character.
"""

from sem_loyalty.display.cells import Cell, Column
from sem_loyalty.display.numbers import format_number, format_p
from sem_loyalty.display.table import LANGUAGES, Table

__all__ = ["LANGUAGES", "Cell", "Column", "Table", "format_number", "format_p"]
