"""A manuscript: the text of a chapter with its tables and figures, before any writer has chosen a format.

`chapter` builds one from results; the writers of Word, Typst, LaTeX and Markdown read it. A number that comes from a
result is a `Value` and keeps the address of that result, so that `verify` can find it again in a finished file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sem_loyalty.display import Table


@dataclass(frozen=True, slots=True)
class Value:
    """A number, or a word such as "supported", that comes from a result.

    Attributes
    ----------
    key : str
        Address of the result and how it is printed; see `sem_loyalty.publish.claims`.
    text : str
        As it stands in the text.
    """

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Symbol:
    """What English texts set in italics: a statistical symbol such as N, p or β, or the title of a journal.

    Attributes
    ----------
    text : str
    """

    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference in the text to a table or a figure of the manuscript.

    Attributes
    ----------
    kind : {"table", "figure"}
    id : str
        Of the table or figure.
    """

    kind: Literal["table", "figure"]
    id: str


Part: TypeAlias = str | Value | Symbol | Reference


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading.

    Attributes
    ----------
    text : str
    level : int, default 1
        1 is a section of the chapter, 2 a subsection.
    """

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph.

    Attributes
    ----------
    parts : tuple of Part
        In reading order, blanks included.
    kind : {"text", "warning", "reference"}, default "text"
        A warning is set apart: what it says must not be missed. An entry in the list of references has its lines behind
        the first one indented.
    """

    parts: tuple[Part, ...]
    kind: Literal["text", "warning", "reference"] = "text"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its caption.

    Attributes
    ----------
    id : str
        Letters, digits, "_" and "-"; also the name of the file.
    caption : str
        Title without a number.
    svg, png, pdf : bytes
        The drawing in the formats that the writers need; empty where it was not drawn.
    description : str
        The drawing in words.
    width_mm : float, default 160
        Largest width on the page.
    """

    id: str
    caption: str
    svg: bytes = b""
    png: bytes = b""
    pdf: bytes = b""
    description: str = ""
    width_mm: float = 160.0


Block: TypeAlias = Heading | Paragraph | Table | Figure


@dataclass(frozen=True, slots=True)
class Manuscript:
    """A text with its tables and figures.

    Attributes
    ----------
    title : str
    lang : {"en", "zh"}
    blocks : tuple of Block
        In reading order.
    study : str, default ""
        The study file whose results the values come from, for `verify`; "" where there is none.
    """

    title: str
    lang: str
    blocks: tuple[Block, ...]
    study: str = ""
