"""Table: a frozen value that holds numbers, not strings, and renders late as text, HTML, Markdown, CSV, LaTeX, Typst.

Rules of rendering, the same in every format but CSV:

- ``None`` is blank: the cell does not apply. ``NaN`` and missing values of pandas are an en dash: the cell applies
  but its number could not be computed.
- Numbers carry a true minus (U+2212) and never show a negative zero.
- English follows the APA style: a number bounded by 1 in absolute value loses its leading zero, ``.51``, and a small
  p value is ``< .001``. Chinese keeps the zero: ``0.510``, ``< 0.001``.
- Statistical symbols in heads and notes are italic: Latin ones in English (APA 7), Greek as well in Chinese.
- Digits line up where some numbers carry stars: missing stars leave their width blank.
- CSV is for machines: column keys as heads, full precision (``repr``), a hyphen for minus, an interval in two columns,
  and an apostrophe before a text that a spreadsheet would compute.
- Every text is escaped for the format it goes to, so labels may hold any character.
"""

from sem_loyalty.display.cells import Cell, Column
from sem_loyalty.display.grid import LANGUAGES
from sem_loyalty.display.numbers import format_number, format_p, stars
from sem_loyalty.display.table import Table

__all__ = ["LANGUAGES", "Cell", "Column", "Table", "format_number", "format_p", "stars"]
