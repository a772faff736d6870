"""Results to a folder: report, tables, figures, numbers and manifest, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sem_loyalty.publish.chapter.compose import chapter
from sem_loyalty.publish.files import MANIFEST, results_folder, write_bytes, write_text
from sem_loyalty.publish.manifest import digests, manifest, to_json
from sem_loyalty.publish.manuscript import Figure
from sem_loyalty.publish.manuscripts.latex import latex
from sem_loyalty.publish.manuscripts.markdown import markdown
from sem_loyalty.publish.manuscripts.typst import typst
from sem_loyalty.publish.report import report
from sem_loyalty.publish.results import LAYOUT, Results
from sem_loyalty.publish.word.document import docx_bytes


def write_results(results: Results, out: str | Path) -> Path:
    """Write a folder of results, whole or not at all.

    Parameters
    ----------
    results : Results
        What was found.
    out : str or Path
        The folder; older results in it are replaced as a whole.

    Returns
    -------
    Path
        The folder: report.html, results.json, results.docx, estimates.csv, chapter.typ, chapter.tex, chapter.md,
        tables/, figures/, export/ and manifest.json, by what the study asks for.

    Raises
    ------
    ConfigurationError
        If the folder holds files that are not results of this package.
    OSError
        If the disk refuses; older results are then as they were.
    """
    formats = results.study.output.formats
    figures = results.study.output.figures()
    with results_folder(out) as folder:
        if "html" in formats:
            write_text(folder / "report.html", report(results))
        if "json" in formats:
            write_text(folder / "results.json", to_json(results.to_dict()))
        if "docx" in formats:
            write_bytes(folder / "results.docx", docx_bytes(chapter(results)))
        for name, text in chapter_texts(results):
            write_text(folder / name, text)
        if "csv" in formats:
            raw = results.estimates.to_csv(index=False, lineterminator="\n", float_format=None)
            write_text(folder / "estimates.csv", raw, encoding=_csv_encoding(raw))
        for name, table in results.tables.items():
            if "csv" in formats:
                text = table.to_csv()
                write_text(folder / "tables" / f"{name}.csv", text, encoding=_csv_encoding(text))
            if "md" in formats:
                write_text(folder / "tables" / f"{name}.md", table.to_markdown() + "\n")
            if "tex" in formats:
                write_text(folder / "tables" / f"{name}.tex", table.to_latex())
            if "typ" in formats:
                write_text(folder / "tables" / f"{name}.typ", table.to_typst())
        for name, data in results.figures.items():
            if name.rpartition(".")[2] in figures:
                write_bytes(folder / "figures" / name, data)
        for name, text in results.exports.items():
            write_text(folder / "export" / name, text)
        if results.layouts and (folder / "figures").is_dir():
            write_text(folder / "figures" / LAYOUT, results.layouts)
        record = manifest(
            inputs=results.inputs,
            outputs=digests(folder),
            seed=results.study.study.seed,
            settings=results.study.settings(),
        )
        write_text(folder / MANIFEST, to_json(record))
    return Path(out)


def chapter_texts(results: Results) -> Iterator[tuple[str, str]]:
    """Yield the chapter in the formats that the study asks for: name of the file, text."""
    writers = {"typ": typst, "tex": latex, "md": markdown}
    wanted = [kind for kind in writers if kind in results.study.output.formats]
    if not wanted:
        return
    manuscript = chapter(results)
    # The texts point to files: a drawing that only report or Word hold is none.
    absent: dict[str, Any] = dict.fromkeys({"svg", "pdf", "png"} - results.study.output.figures(), b"")
    blocks = (replace(block, **absent) if isinstance(block, Figure) else block for block in manuscript.blocks)
    manuscript = replace(manuscript, blocks=tuple(blocks))
    for kind in wanted:
        yield f"chapter.{kind}", writers[kind](manuscript)


def _csv_encoding(text: str) -> str:
    # Spreadsheets take UTF-8 without a mark for the local encoding and show Chinese as rubbish.
    return "utf-8" if text.isascii() else "utf-8-sig"
