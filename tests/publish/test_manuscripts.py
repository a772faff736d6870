"""Manuscripts as Typst, LaTeX and Markdown: whole, safe whatever a label holds, and verifiable."""

import html
import json
import re
import shutil
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path

import pytest
import typst as compiler
from hypothesis import given, settings
from hypothesis import strategies as st

from sem_loyalty.cli import main
from sem_loyalty.display import Column, Table
from sem_loyalty.errors import ConfigurationError
from sem_loyalty.proof import verify
from sem_loyalty.publish.chapter.compose import chapter
from sem_loyalty.publish.claims import ClaimBook
from sem_loyalty.publish.manifest import to_json
from sem_loyalty.publish.manuscript import Figure, Heading, Manuscript, Paragraph, Reference, Symbol, Value
from sem_loyalty.publish.manuscripts.latex import latex
from sem_loyalty.publish.manuscripts.markdown import markdown
from sem_loyalty.publish.manuscripts.typst import typst
from sem_loyalty.publish.verify import differences, verify_text
from sem_loyalty.study import fit_once, run
from sem_loyalty.survey.published import demo_codebook_path, demo_path

WRITERS = {"typ": typst, "tex": latex, "md": markdown}
HOSTILE = (
    "#panic()", "$x$", "a & b", "100 %", "\\", "<script>alert(1)</script>", "]]>", '"quoted"', "'it''s", "@ref", "*b*",
    "_u_", "`code`", "~", "= heading", "- list", "+ list", "/ term: x", "1. one", "//comment", "/* c */", "https://a.b",
    "{x}", "^2", "a--b", "...", "[x](y)", "]", "#", "\\input{x}", "-->", "a\nb", "a\u2028b", "x" * 1000,
)  # fmt: skip
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'
RESULTS = {
    "estimates": [],
    "certified": True,
    "records": {
        "made": [{"row": "X", "group": "", "est": 0.5051, "pvalue": 0.0002, "ci_lower": -0.25, "ci_upper": 1.5}]
    },
}
KEYS = ("made/X/est:.2", "made/X/pvalue:p=", "made/X/ci:2", "made/X/est")


def manuscript(label="Trust", lang="en", study="study.toml"):
    """Return a manuscript that says the label everywhere."""
    book = ClaimBook(RESULTS)
    table = Table(
        "paths", label, (Column("a", label), Column("b", "β", "number")), ({"a": label, "b": -0.5},), label, lang
    )
    parts = [label, " (", Symbol("p"), " "]
    for key in KEYS:
        parts += [
            Value(key, book.resolve(key).text(lang)),
            label,
            " ",
            Value(key, book.resolve(key).text(lang)),
            "(x) ",
        ]
    parts += [Reference("table", "paths"), label, Reference("figure", "plot"), ".", Symbol("B"), "(x)"]
    figure = Figure("plot", label, svg=SVG, description=label)
    blocks = (Heading(label), Paragraph((label,), "warning"), Paragraph(tuple(parts)), table, figure, Heading(label, 2))
    return Manuscript(label, lang, blocks, study)


def pdf(text, folder):
    """Compile Typst in a folder and return the text of its pages."""
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures" / "plot.svg").write_bytes(SVG)
    (folder / "chapter.typ").write_text(text, encoding="utf-8")
    return compiler.compile(str(folder / "chapter.typ"), ignore_system_fonts=True)


@pytest.mark.parametrize("label", HOSTILE)
def test_typst_compiles_whatever_a_label_holds_and_prints_it(label, tmp_path):
    assert pdf(typst(manuscript(label)), tmp_path).startswith(b"%PDF")
    found = compiler.query(str(tmp_path / "chapter.typ"), "heading", field="body", one=False, ignore_system_fonts=True)
    assert printed(found) == re.sub(r"\s", "", label.replace("\u2028", " "))[: len(printed(found))]


def printed(query):
    """Return the letters of the first heading of a query."""

    def letters(node):
        if isinstance(node, dict):
            if node.get("func") == "space":
                return ""
            if node.get("func") == "smartquote":
                return '"' if node.get("double") else "'"
            return "".join(letters(value) for key, value in node.items() if key in ("text", "children", "body"))
        return "".join(map(letters, node)) if isinstance(node, list) else str(node)

    return re.sub(r"\s", "", letters(json.loads(query)[0]))


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30))
def test_typst_compiles_any_text(tmp_path_factory, label):
    assert pdf(typst(manuscript(label)), tmp_path_factory.mktemp("typst")).startswith(b"%PDF")


def test_typst_marks_values_and_symbols():
    text = typst(manuscript())
    assert text.startswith("// sem-loyalty study: study.toml\n#let claim(key, body) = body\n")
    assert '#claim("made/X/est:.2")[.51]' in text
    assert "#emph[p]" in text
    assert "#emph[p]" not in typst(manuscript(lang="zh"))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("label", [label for label in HOSTILE if label.isascii() and len(label) < 100])
def test_latex_compiles_whatever_a_label_holds(label, tmp_path):
    text = latex(manuscript(label)).replace(r"\includegraphics", "%")
    (tmp_path / "chapter.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "chapter.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-1500:]


@pytest.mark.parametrize("label", HOSTILE)
def test_markdown_holds_no_markup_of_a_label(label):
    text = markdown(manuscript(label))
    assert not re.search(r"(?<!\\)<script", text)
    assert not re.search(r"(?m)^(= |- |\+ |1\. )", text)
    spans = re.findall(r'<span data-claim="([^"]*)">', text)
    assert [html.unescape(key) for key in spans] == [key for key in KEYS for _ in range(2)]


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("label", HOSTILE)
def test_every_value_is_found_again_in_every_format(kind, lang, label, tmp_path):
    path = tmp_path / f"chapter.{kind}"
    path.write_text(WRITERS[kind](manuscript(label, lang)), encoding="utf-8")
    found = verify_text(path, RESULTS)
    assert found.holds, str(found)
    assert found.claims == 2 * len(KEYS)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(("said", "wrong"), [(".51", ".52"), ("1.50", "1.51"), (".505", ".515")])
def test_a_planted_change_is_found_with_its_place(kind, said, wrong, tmp_path):
    text = WRITERS[kind](manuscript())
    start = text.rindex(said)
    planted = text[:start] + wrong + text[start + len(said) :]
    path = tmp_path / f"chapter.{kind}"
    path.write_text(planted, encoding="utf-8")
    found = verify_text(path, RESULTS)
    assert not found.holds
    assert len(found.mismatches) == 1
    assert found.mismatches[0].place == f"line {planted.count(chr(10), 0, start) + 1}"
    assert wrong in found.mismatches[0].text
    assert "the results say" in str(found)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.typ", '#claim("made/X/none")[.51]'),
        ("a.typ", '#val("made/X/none")'),
        ("a.typ", '#claim("made/X/est:.2", [.52])'),
        ("a.tex", r"\semclaim{made/X/none}{.51}"),
        ("a.md", '<span data-claim="made/X/none">.51</span>'),
    ],
)
def test_unknown_addresses_and_other_forms_are_found(name, text, tmp_path):
    (tmp_path / name).write_text(f"one\ntwo {text}\n", encoding="utf-8")
    found = verify_text(tmp_path / name, RESULTS)
    assert [wrong.place for wrong in found.mismatches] == ["line 2"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.typ", '// #claim("made/X/est:.2")[.99]\n/* #claim("made/X/est:.2")[.99]\n */ https://doi.org/10.1 '),
        (
            "a.tex",
            "% \\semclaim{made/X/est}{.99}\n\\providecommand{\\semclaim}[2]{#2}\n\\newcommand{\\semclaim}[2]{#2}",
        ),
        ("a.md", '<!-- <span data-claim="made/X/est:.2">.99</span> -->'),
    ],
)
def test_comments_and_definitions_claim_nothing(name, text, tmp_path):
    (tmp_path / name).write_text(text, encoding="utf-8")
    found = verify_text(tmp_path / name, RESULTS)
    assert found.holds
    assert found.claims == 0
    assert "holds no claim" in str(found)


def test_what_an_author_writes_by_hand_in_latex(tmp_path):
    (tmp_path / "a.tex").write_text(
        r"$\beta = \semclaim{made/X/est:.2}{.51}$, 5\% \semclaim{made/X/pvalue:p=}{$<$ .001} "
        r"\semclaim{made/X/ci:2}{[$-$0.25,~1.50]} \semclaim{made/X/est}{0.5}",
        encoding="utf-8",
    )
    found = verify_text(tmp_path / "a.tex", RESULTS)
    assert found.holds, str(found)
    assert found.claims == 4


def test_word_is_read_by_its_content_controls(tmp_path, monkeypatch):
    values = types.ModuleType("sem_loyalty.publish.word.values")
    values.read_values = lambda _: (Value("made/X/est:.2", ".51"), Value("made/X/est:.2", ".52"))
    monkeypatch.setitem(sys.modules, "sem_loyalty.publish.word", types.ModuleType("sem_loyalty.publish.word"))
    monkeypatch.setitem(sys.modules, "sem_loyalty.publish.word.values", values)
    (tmp_path / "thesis.docx").write_bytes(b"")
    found = verify_text(tmp_path / "thesis.docx", RESULTS)
    assert [(wrong.place, wrong.text) for wrong in found.mismatches] == [("value 2", ".52")]


def test_numbers_read_when_a_document_is_compiled_must_be_those_of_the_study(tmp_path):
    (tmp_path / "paper.typ").write_text('#let data = json("results.json")\n#val("made/X/est")', encoding="utf-8")
    (tmp_path / "results.json").write_text(to_json(RESULTS), encoding="utf-8")
    assert verify_text(tmp_path / "paper.typ", RESULTS).holds
    changed = {**RESULTS, "records": {"made": [{**RESULTS["records"]["made"][0], "est": 0.5052}]}}
    (tmp_path / "results.json").write_text(to_json(changed), encoding="utf-8")
    found = verify_text(tmp_path / "paper.typ", RESULTS)
    assert [(wrong.place, wrong.key) for wrong in found.mismatches] == [("results.json", "records/made/1/est")]
    (tmp_path / "results.json").unlink()
    assert "does not exist" in str(verify_text(tmp_path / "paper.typ", RESULTS))


def test_differences_allow_for_rounding_only():
    assert not list(differences({"a": [1.0, "x", None]}, {"a": [1.0 + 1e-9, "x", None]}))
    assert list(differences({"a": [1.0]}, {"a": [1.0 + 1e-5]})) == [("a/1", "1.0", "1.00001")]
    assert list(differences({"a": 1}, {})) == [("a", "1", "None")]
    assert list(differences([1], [1, 2]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study with its folder of results, the chapter in all formats among them."""
    place = tmp_path_factory.mktemp("thesis")
    (place / "study.toml").write_text(
        f"[data]\npath = {str(demo_path())!r}\ncodebook = {str(demo_codebook_path())!r}\n[model]\nid = 'core'\n"
        "[efa]\nrun = false\n[output]\nformats = ['json', 'typ', 'tex', 'md', 'svg']\n",
        encoding="utf-8",
    )
    run(place / "study.toml")
    return place


def test_a_study_writes_its_chapter_and_verifies_it(folder):
    results = folder / "results"
    for kind in WRITERS:
        found = verify(results / f"chapter.{kind}")  # finds study.toml, which the chapter names, above the results
        assert found.holds, str(found)
        assert found.claims > 80
        assert "run again" in found.against
    assert compiler.compile(str(results / "chapter.typ"), ignore_system_fonts=True).startswith(b"%PDF")
    assert verify(results / "chapter.typ", results=results / "results.json").holds
    assert not [path for path in (folder / "results").iterdir() if path.name == "report.html"]


def test_the_command_tells_by_its_status(folder, capsys, tmp_path):
    stored = str(folder / "results" / "results.json")
    chapter = folder / "results" / "chapter.tex"
    assert main(["verify", str(chapter), "--results", stored]) == 0
    assert "All agree." in capsys.readouterr().out
    wrong = tmp_path / "chapter.tex"
    wrong.write_text(chapter.read_text(encoding="utf-8").replace("{600}", "{601}"), encoding="utf-8")
    assert main(["verify", str(wrong), "--results", stored]) == 4
    assert "sample/collected: the text says '601', the results say '600'." in capsys.readouterr().out
    assert main(["verify", str(wrong), "--study", str(folder / "study.toml")]) == 4
    assert main(["verify", str(wrong), "--study", "a.toml", "--results", stored]) == 2
    assert main(["verify", str(tmp_path / "none.tex"), "--results", stored]) == 1
    (tmp_path / "thesis.rtf").write_text("x", encoding="utf-8")
    assert main(["verify", str(tmp_path / "thesis.rtf"), "--results", stored]) == 2
    (tmp_path / "bare.md").write_text("no study named", encoding="utf-8")
    assert main(["verify", str(tmp_path / "bare.md")]) == 2
    assert "names no study file" in capsys.readouterr().err


def test_results_given_as_an_object_and_uncertified_ones(tmp_path):
    improper = fit_once("ecsi_mobile", cov="ecsi_mobile")
    (tmp_path / "a.md").write_text('<span data-claim="respondents/analysed">250</span>', encoding="utf-8")
    found = verify(tmp_path / "a.md", results=improper)
    assert found.holds
    assert "not certified" in str(found)
    with pytest.raises(ConfigurationError, match="not both"):
        verify(tmp_path / "a.md", results=improper, study="study.toml")
    (tmp_path / "other.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"no results\.json"):
        verify(tmp_path / "a.md", results=tmp_path / "other.json")


def test_a_manuscript_without_a_study_names_none():
    bare = replace(manuscript(), study="")
    assert all("sem-loyalty study" not in write(bare) for write in WRITERS.values())


def test_the_example_of_the_documentation_runs(folder, monkeypatch, capsys):
    page = (Path(__file__).resolve().parents[2] / "docs" / "chapter.md").read_text(encoding="utf-8")
    monkeypatch.chdir(folder)
    exec(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], {})
    said = capsys.readouterr().out
    assert said.startswith(".22\n")
    assert said.endswith("All agree.\n")


def test_the_documentation_names_every_section_and_format(folder):
    page = (Path(__file__).resolve().parents[2] / "docs" / "chapter.md").read_text(encoding="utf-8")
    for section in json.loads((folder / "results" / "results.json").read_text(encoding="utf-8"))["records"]:
        assert f"`{section}`" in page, section


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_of_a_whole_chapter_compiles(tmp_path):
    text = latex(chapter(fit_once("iacobucci2009", cov="iacobucci2009")))
    (tmp_path / "chapter.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "chapter.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-1500:]
