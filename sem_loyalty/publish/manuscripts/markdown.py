"""A manuscript as Markdown: every value in ``<span data-claim="key">...</span>``, every text escaped."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from sem_loyalty.display import Table, escaping
from sem_loyalty.publish.manuscript import Heading, Manuscript, Paragraph, Part, Symbol, Value
from sem_loyalty.publish.manuscripts.text import STUDY_MARK, numbers, plain_line

_START = re.compile(r"(\s*)([-+=]|\d+(?=[.)]))")


def markdown(manuscript: Manuscript, *, figures: str = "figures") -> str:
    """Return a manuscript as Markdown with pipe tables.

    Parameters
    ----------
    manuscript : Manuscript
    figures : str, default "figures"
        Folder of the figures, relative to the document.

    Returns
    -------
    str
        Values stand in ``<span data-claim="address">text</span>``, where `sem-loyalty verify` finds them.
    """
    numbered = numbers(manuscript)
    stop = ". " if manuscript.lang == "en" else "　"
    study = plain_line(manuscript.study).replace("--", "- -").replace(">", "")
    blocks = [f"<!-- {STUDY_MARK} {study} -->"] if manuscript.study else []
    blocks.append(f"# {markdown_text(manuscript.title)}")
    for block in manuscript.blocks:
        if isinstance(block, Heading):
            blocks.append(f"{'#' * (block.level + 1)} {markdown_text(block.text)}")
        elif isinstance(block, Paragraph):
            body = _opened("".join(_part(part, numbered, manuscript.lang) for part in block.parts))
            blocks.append(f"> **{body}**" if block.kind == "warning" else body)
        elif isinstance(block, Table):
            blocks.append(replace(block, caption=f"{numbered['table', block.id]}{stop}{block.caption}").to_markdown())
        else:
            kind = next((kind for kind in ("svg", "png", "pdf") if getattr(block, kind)), "svg")
            caption = markdown_text(block.caption)
            blocks.append(
                f"![{caption}]({figures}/{block.id}.{kind})\n\n**{numbered['figure', block.id]}{stop}{caption}**"
            )
    return "\n\n".join(blocks) + "\n"


def markdown_text(text: str) -> str:
    """Return a text for Markdown, with nothing in it that Markdown or HTML would act on.

    Parameters
    ----------
    text : str
        Any text; line ends become blanks.
    """
    return escaping.markdown(plain_line(text))


def _opened(text: str) -> str:
    """Return a paragraph that does not begin like a list or a rule."""
    return (
        _START.sub(
            lambda match: f"{match[1]}\\{match[2]}" if not match[2].isdigit() else match[0] + "\\", text, count=1
        )
        if _START.match(text)
        else text
    )


def _part(part: Part, numbered: dict[tuple[str, str], str], lang: str) -> str:
    if isinstance(part, str):
        return markdown_text(part)
    if isinstance(part, Value):
        return f'<span data-claim="{html.escape(plain_line(part.key))}">{markdown_text(part.text)}</span>'
    if isinstance(part, Symbol):
        return f"*{markdown_text(part.text)}*" if lang == "en" else markdown_text(part.text)
    return numbered[part.kind, part.id]
