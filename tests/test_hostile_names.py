"""A whole study whose every name is an attack: each comes out of every file as the text that it is."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import docx
import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.display.escaping import one_line
from sem_loyalty.publish.settings import FORMATS, PROGRAMS

SCRIPT = "<script>alert(1)</script>"
NASTY = f"{SCRIPT} #$&%_^~ ]]> \"q\" 'r' \\input{{x}} @ref `c` *b* [l](u) | --> */ // {{}} <img src=x onerror=alert(1)>"
FORMULA = "=cmd|'/C calc'!A0"
LONG = "long " + "n" * 995
LABELS = {"A": f"A {NASTY}", "B": FORMULA, "C": LONG}
QUESTIONS = {
    "a1": f"{NASTY} one",
    "a2": FORMULA,
    "a3": LONG,
    "b1": "@SUM(1+1)",
    "b2": '"); quit(status = 3) #',
    "b3": "!b3 ; @ $ \\",
    "c1": "' \n[1] c1 := 2",
    "c2": "a\u2028b\x1bc",
    "c3": '#read("/etc/passwd") $x$ <tab-fit>',
}
GROUPS = (f"{SCRIPT} #$&%'\"\\]]>\nMODEL: x", FORMULA)
GROUP = "g '\") ]] #$&% <b>"
TITLE = f"T {NASTY}"
COLUMNS = {name: f'{FORMULA} "{name}" {SCRIPT}' for name in QUESTIONS}
SURVEY, CODEBOOK, MODEL = "s #$&%'@]]{}=.csv", "c #$&%'@]]{}=.csv", "m #$&%'@]]{}=^~"
STUDY = "study #$&%'@]]{}= --> x.toml"
TEXT = """A =~ a1 + a2 + a3
B =~ b1 + b2 + b3
C =~ c1 + c2 + c3
B ~ a*A
C ~ b*B + A
ab := a*b
"""


def both(text: str) -> str:
    """Return a text in both languages, as TOML; a JSON string is one."""
    return f"{{ en = {json.dumps(text)}, zh = {json.dumps(text)} }}"


def written(folder: Path, lang: str) -> Path:
    """Write the study: in English the groups are compared, in Chinese they are fitted as groups."""
    random = np.random.default_rng(7)
    n = 240
    cause = random.normal(size=n)
    middle = 0.6 * cause + random.normal(scale=0.7, size=n)
    outcome = 0.5 * middle + 0.3 * cause + random.normal(scale=0.7, size=n)
    factors = {"a": cause, "b": middle, "c": outcome}
    answers = {
        COLUMNS[name]: np.clip(np.round(4 + 1.1 * factors[name[0]] + random.normal(scale=0.8, size=n)), 1, 7)
        for name in QUESTIONS
    }
    frame = pd.DataFrame(answers)
    frame[GROUP] = np.where(np.arange(n) % 2 == 0, *GROUPS)
    frame.to_csv(folder / SURVEY, index=False)
    entries = [
        {"column": COLUMNS[name], "name": name, "label_en": QUESTIONS[name], "label_zh": QUESTIONS[name]}
        for name in QUESTIONS
    ]
    pd.DataFrame(entries).to_csv(folder / CODEBOOK, index=False)
    parts = [f"title = {both(TITLE)}", f"description = {both(NASTY)}"]
    for code, label in LABELS.items():
        own = [f"{name} = {both(text)}" for name, text in QUESTIONS.items() if name[0] == code.lower()]
        parts += ["[[constructs]]", f'code = "{code}"', f"label = {both(label)}", "[constructs.items]", *own]
    for number, path in enumerate(("A -> B", "B -> C", "A -> B -> C"), start=1):
        effect = ['effect = "ab"'] if number == 3 else []
        claim = [f'id = "H{number}"', f'path = "{path}"', 'sign = "+"', f"text = {both(NASTY)}"]
        parts += ["[[hypotheses]]", *claim, *effect, "sources = ['10.1000/x']"]
    parts += ["[[references]]", 'doi = "10.1000/x"', f"authors = {json.dumps(NASTY)}", "year = 2001"]
    parts += [f"title = {json.dumps(NASTY)}", f"journal = {json.dumps(FORMULA)}"]
    (folder / f"{MODEL}.lav").write_text(TEXT, encoding="utf-8")
    (folder / f"{MODEL}.toml").write_text("\n".join(parts), encoding="utf-8")
    group = json.dumps(GROUP)
    compared, fitted = (f"[invariance]\ngroup = {group}", "") if lang == "en" else ("", f"group = {group}")
    formats, programs = json.dumps(FORMATS), json.dumps(PROGRAMS if lang == "en" else PROGRAMS[:2])
    (folder / STUDY).write_text(
        f"""[study]
title = {json.dumps(TITLE)}
lang = "{lang}"
[data]
path = {json.dumps(SURVEY)}
codebook = {json.dumps(CODEBOOK)}
{fitted}
[model]
id = {json.dumps(f"./{MODEL}.lav")}
{compared}
[efa]
factors = 3
[output]
formats = {formats}
export = {programs}
""",
        encoding="utf-8",
    )
    return folder / STUDY


@pytest.fixture(scope="module", params=["en", "zh"])
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = written(tmp_path_factory.mktemp("study"), request.param)
    assert sl.run(study).certified
    return study.parent / "results"


class Page(HTMLParser):
    """Collects elements, attributes, and the text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self._in = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._in = tag

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        (self.scripts if self._in == "script" else self.texts).append(data)


def spaced(text: str) -> str:
    """Return a text with single blanks, as a reader sees it."""
    return " ".join(one_line(text).split())


# What reports and their drawings are made of; the names try to add img, b and script.
ELEMENTS = """
html head meta title style script body main header nav section article aside footer div span p a i em strong sub sup h1
h2 h3 h4 ol ul li dl dt dd table caption colgroup col thead tbody tfoot tr th td figure figcaption details summary
button label input output pre code br hr svg g path line rect ellipse circle polygon polyline text tspan defs
"""


def test_the_report_has_no_element_and_no_script_but_ours(results: Path) -> None:
    page = Page((results / "report.html").read_text(encoding="utf-8"))
    assert page.tags <= set(ELEMENTS.split())
    assert [found for found in page.attributes if found[1].startswith("on") or "javascript:" in found[2]] == []
    assert not [script for script in page.scripts if "alert" in script and "<" in script]  # JSON writes it \u003c
    said = spaced(" ".join(page.texts))
    for text in (TITLE, *LABELS.values(), *QUESTIONS.values(), NASTY, *GROUPS, GROUP):
        assert spaced(text) in said, text


def test_every_figure_is_xml_with_the_names_as_text(results: Path) -> None:
    figures = sorted((results / "figures").glob("*.svg"))
    assert len(figures) >= 5
    said = ""
    for figure in figures:
        root = ElementTree.fromstring(figure.read_bytes())
        for node in root.iter():
            assert node.tag.rpartition("}")[2] not in ("script", "foreignObject", "image", "img", "b"), figure.name
            assert not [name for name in node.attrib if name.startswith("on")], figure.name
        said += spaced(" ".join(root.itertext())) + "\n"
    for text in LABELS.values():
        assert spaced(text) in said, text
    for kind, head in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
        assert {path.stem for path in (results / "figures").glob(f"*.{kind}")} == {path.stem for path in figures}
        assert all(path.read_bytes().startswith(head) for path in (results / "figures").glob(f"*.{kind}"))


def test_no_cell_of_a_table_is_a_formula(results: Path) -> None:
    tables = [*sorted((results / "tables").glob("*.csv")), results / "estimates.csv"]
    assert len(tables) > 20
    cells = set()
    for table in tables:
        for row in csv.reader(io.StringIO(table.read_text(encoding="utf-8-sig"), newline="")):
            for cell in set(row) - {"=~"}:  # lavaan's operator, in estimates.csv; no spreadsheet computes it
                number = re.fullmatch(r"-?(\d+(\.\d*)?(e[+-]?\d+)?|inf)", cell)
                assert number or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (table.name, cell)
            cells |= set(row)
    assert {f"'{FORMULA}", f"'{QUESTIONS['b1']}", LONG, LABELS["A"]} <= cells


def test_word_holds_the_names(results: Path) -> None:
    document = docx.Document(str(results / "results.docx"))
    said = [spaced(paragraph.text) for paragraph in document.paragraphs]
    said += [spaced(cell.text) for table in document.tables for cell in table._cells]
    everything = "\n".join(said)
    for text in (TITLE, *LABELS.values()):
        assert spaced(text) in everything, text


def test_json_holds_the_names(results: Path) -> None:
    told = json.dumps(json.loads((results / "results.json").read_text(encoding="utf-8")), ensure_ascii=False)
    for text in (TITLE, *LABELS.values()):
        assert json.dumps(text, ensure_ascii=False)[1:-1] in told
    assert json.loads((results / "manifest.json").read_text(encoding="utf-8"))["outputs"]


def test_markdown_holds_no_tag(results: Path) -> None:
    for page in (results / "chapter.md", *sorted((results / "tables").glob("*.md"))):
        text = page.read_text(encoding="utf-8")
        assert set(re.findall(r"(?<!\\)<(?!-)/?(\w+)", text)) <= {"span", "br"}, page.name
        assert text.count("<!--") == text.count("-->") == (page.name == "chapter.md"), page.name


def test_typst_compiles_chapter_and_tables(results: Path) -> None:
    typst = pytest.importorskip("typst")
    assert typst.compile(str(results / "chapter.typ"), ignore_system_fonts=True).startswith(b"%PDF")
    tables = sorted((results / "tables").glob("*.typ"))
    assert len(tables) > 20
    every = results.parent / "every.typ"
    every.write_text("".join(f'#include "results/tables/{table.name}"\n' for table in tables), encoding="utf-8")
    assert typst.compile(str(every), ignore_system_fonts=True).startswith(b"%PDF")
    assert sl.verify(results / "chapter.typ", results=results / "results.json").holds


def test_latex_runs_nothing(results: Path) -> None:
    pages = [
        results / "chapter.tex",
        *sorted((results / "tables").glob("*.tex")),
        *sorted(results.glob("figures/*.tikz")),
    ]
    for page in pages:
        body = page.read_text(encoding="utf-8").partition("\n")[2]  # the first line of a chapter names the study
        assert "\\input{x}" not in body, page.name
        assert not re.search(r"<script|(?<!\\)#\\?\$|\$&", body), page.name
    assert "\\#\\$\\&\\%\\_\\textasciicircum{}" in pages[0].read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles_chapter_tables_and_diagram(results: Path) -> None:
    chapter = (results / "chapter.tex").read_text(encoding="utf-8")
    if "ctex" in chapter:
        pytest.skip("Chinese needs xelatex")
    tables = "".join(f"\\input{{tables/{path.stem}}}\n" for path in sorted((results / "tables").glob("*.tex")))
    more = f"\\clearpage\n{tables}\\clearpage\n\\input{{figures/path_diagram.tikz}}\n\\end{{document}}"
    every = chapter.replace("\\begin{document}", "\\usepackage{tikz}\n\\begin{document}").replace(
        "\\end{document}", more
    )
    (results.parent / "every.tex").write_text(every, encoding="utf-8")
    command = [
        "pdflatex",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-no-shell-escape",
        "-output-directory=..",
        "../every.tex",
    ]
    done = subprocess.run(command, cwd=results, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-1500:]


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_the_script_for_r_is_the_same_calls(results: Path) -> None:
    ask = "cat(sort(unique(all.names(parse('lavaan.R', encoding = 'UTF-8'), functions = TRUE))))"
    done = subprocess.run(["Rscript", "-e", ask], cwd=results / "export", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    calls = {"<-", "c", "=", "library", "read.csv", "sem", "summary", "parameterEstimates", "fitMeasures", "modindices"}
    names = {"lavaan", "data", "model", "fit", "residuals"}
    assert set(done.stdout.split()) <= calls | names


def test_exports_hold_names_in_comments_only(results: Path) -> None:
    mplus = (results / "export" / "mplus.inp").read_text(encoding="utf-8")
    assert all(line.lstrip().startswith("!") for line in mplus.splitlines() if "alert" in line or "cmd|" in line)
    assert not re.search(r"^MODEL: x", mplus, re.MULTILINE)


@pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")
def test_graphviz_draws_the_names(results: Path) -> None:
    for graph in sorted((results / "figures").glob("*.dot")):
        done = subprocess.run(["dot", "-Kneato", "-n", "-Tsvg", graph], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        root = ElementTree.fromstring(done.stdout)
        assert not [node for node in root.iter() if node.tag.rpartition("}")[2] in ("script", "a", "img")]
        assert "<script>alert(1)" in "".join(root.itertext())
