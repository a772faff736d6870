"""The paper and its builder: numbers from results, the same bytes everywhere, mistakes with their place."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

import sem_loyalty as sl
from sem_loyalty.cli import main
from sem_loyalty.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[1]
PAPER = ROOT / "paper"
TEMPLATES = Path(str(files("sem_loyalty.publish"))) / "templates"
HEAD = """#import "template.typ" as look
#let results = json("results.json")
#let val = look.val.with(results)
#show: look.paper.with(title: results.title, authors: ("A. Author",), date: (2026, 1, 2))
"""


def write_paper(folder: Path, text: str, results: dict[str, object]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(TEMPLATES / "template.typ", folder)
    (folder / "results.json").write_text(json.dumps({"title": "A title"} | results), encoding="utf-8")
    (folder / "paper.typ").write_text(HEAD + text, encoding="utf-8")
    return folder


def pdf_text(pdf: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not on this machine")
    return subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, check=True, text=True).stdout


def test_numbers_come_from_results_by_their_address(tmp_path: Path) -> None:
    text = """
b #val("a/b", digits: 2, bounded: true), c #val("a/c", digits: 3), zero #val("a/zero", digits: 2), n #val("n"),
share #val("a/b", form: "percent", digits: 1), p #val("a/small", form: "p"), second #val("list/1"), 顾客忠诚
"""
    results = {"a": {"b": 0.505, "c": -1.2, "zero": -0.0001, "small": 0.00001}, "n": 250, "list": [7, 8]}
    pdf = sl.build_paper(write_paper(tmp_path / "paper", text, results))
    assert pdf == tmp_path / "paper" / "paper.pdf"
    printed = " ".join(pdf_text(pdf).split())
    for wanted in ("b .51", "c −1.200", "zero 0.00", "n 250", "share 50.5", "p < 0.001", "second 8", "顾客忠诚"):
        assert wanted in printed, wanted


def test_pdf_is_archival_and_dated_by_its_source(tmp_path: Path) -> None:
    raw = sl.build_paper(write_paper(tmp_path, "Text.", {})).read_bytes()
    assert b"<pdfaid:part>2</pdfaid:part>" in raw
    assert b"<pdfaid:conformance>U</pdfaid:conformance>" in raw
    assert b"2026-01-02" in raw


BUILD = "import sys; import sem_loyalty as sl; sl.build_paper(sys.argv[1], out=sys.argv[2])"


def built_elsewhere(folder: Path, out: Path, home: Path, zone: str, locale: str, seed: str) -> bytes:
    home.mkdir(exist_ok=True)
    surroundings = {"HOME": str(home), "TZ": zone, "LANG": locale, "LC_ALL": locale, "PYTHONHASHSEED": seed}
    environment = dict(os.environ) | surroundings | {"PYTHONPATH": str(ROOT)}
    environment.pop("SOURCE_DATE_EPOCH", None)
    subprocess.run([sys.executable, "-c", BUILD, str(folder), str(out)], env=environment, check=True, cwd=home)
    return out.read_bytes()


def test_second_build_elsewhere_gives_the_same_bytes(tmp_path: Path) -> None:
    text = 'β = #val("b", digits: 3) 满意 $x^2$'
    folder = write_paper(tmp_path / "paper", text, {"b": 0.25})
    one = built_elsewhere(folder, tmp_path / "1.pdf", tmp_path / "h1", "UTC", "C.UTF-8", "1")
    two = built_elsewhere(folder, tmp_path / "2.pdf", tmp_path / "h2", "Asia/Shanghai", "C", "2")
    assert one == two


def test_date_of_today_is_the_one_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_paper(tmp_path, '#datetime.today().display("[year]")', {})
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert "2023" in pdf_text(sl.build_paper(folder))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(ConfigurationError, match="SOURCE_DATE_EPOCH='yesterday' is not a number"):
        sl.build_paper(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('\n#val("a/c", digits: 2)', r"paper\.typ:6 .*template\.typ:\d+\).*there is no \"c\" \(there is: b\)"),
        ('#val("a", digits: 2)', r"paper\.typ:5 .*is not one result"),
        ('#val("a/b")', r"paper\.typ:5 .*say how many digits"),
        ("one\n\n*bold", r"paper\.typ:7: unclosed delimiter"),
        ("A name: 𓀀.", r"paper\.typ:5: no face has all of these characters: .*U\+13000"),
        ('#import "@preview/cetz:0.1.0"', r"paper\.typ:5: .*would be fetched from the network"),
        ('#image("/etc/motd.svg")', r"paper\.typ:5: "),
    ],
)
def test_mistakes_are_shown_with_their_line_and_leave_no_pdf(tmp_path: Path, text: str, said: str) -> None:
    folder = write_paper(tmp_path, text, {"a": {"b": 1.5}})
    with pytest.raises(ConfigurationError, match=said):
        sl.build_paper(folder)
    assert not (folder / "paper.pdf").exists()


def test_an_older_pdf_survives_a_mistake(tmp_path: Path) -> None:
    folder = write_paper(tmp_path, "Text.", {})
    before = sl.build_paper(folder).read_bytes()
    (folder / "paper.typ").write_text(HEAD + "#nothing", encoding="utf-8")
    with pytest.raises(ConfigurationError):
        sl.build_paper(folder)
    assert (folder / "paper.pdf").read_bytes() == before


HOSTILE = '#panic("x") $a$ & 5 % <script>alert(1)</script> =cmd ]]> @ref _b_ *c* `d` \\ "q" [e]'


def test_markup_in_results_comes_out_as_text(tmp_path: Path) -> None:
    text = """
#val("label")

#look.three-lines(([Label], [Number]), ((results.label, "1"),))
"""
    printed = " ".join(
        pdf_text(sl.build_paper(write_paper(tmp_path, text, {"label": HOSTILE, "title": HOSTILE}))).split()
    )
    assert printed.count('#panic("x") $a$ & 5 % <script>alert(1)</script> =cmd ]]> @ref _b_ *c* `d`') == 3


def test_a_study_is_reported_by_the_addresses_of_its_results(tmp_path: Path) -> None:
    results = {
        "lang": "en",
        "certified": True,
        "simulated_data": True,
        "estimator": "ML",
        "respondents": {"collected": 300, "analysed": 280},
        "fit_measures": {
            "cfi": 0.9876,
            "tli": 0.98,
            "rmsea": 0.0312,
            "srmr": 0.02,
            "chisq": 20.5,
            "df": 10.0,
            "pvalue": 0.025,
        },
        "hypotheses": [{"id": "H1", "verdict": "supported"}],
        "estimates": [{"lhs": "LOY", "op": "~", "rhs": "SAT", "std_all": 0.444}],
        "tables": {
            "paths": {
                "caption": "Structural paths",
                "note": "N & more",
                "columns": {"path": "Path", "est": "B", "se": "SE", "interval": "CI", "p": "p", "std": "β"},
                "rows": [{"path": "a → #b", "est": 0.5, "se": 0.1, "interval": [0.3, 0.7], "p": 0.0001, "std": 0.4}],
            }
        },
    }
    folder = tmp_path / "paper"
    write_paper(folder, "", results)
    (tmp_path / "study.toml").touch()
    (tmp_path / "results" / "figures").mkdir(parents=True)
    shutil.move(folder / "results.json", tmp_path / "results")
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="5" height="5"/></svg>'
    (tmp_path / "results" / "figures" / "path_diagram.svg").write_text(drawing, encoding="utf-8")
    shutil.copy(TEMPLATES / "refs.bib", folder)
    for lang, wanted in (
        ("en", ("CFI .988", "= .025", "a → #b", "[0.300, 0.700]", "< .001")),
        ("zh", ("CFI = 0.988", "摘要", "280 份")),
    ):
        text = (TEMPLATES / f"paper_{lang}.typ").read_text(encoding="utf-8")
        more = '\n#claim("hypotheses/H1/verdict") #claim("estimates/LOY~SAT/std_all:.2") #claim("measures/chisq_df:2")'
        (folder / "paper.typ").write_text(text + more, encoding="utf-8")
        printed = " ".join(pdf_text(sl.build_paper(folder)).split())
        assert all(one in printed for one in (*wanted, "supported", "2.05")), lang
    (folder / "paper.typ").write_text(text.replace("measures/cfi:3", "measures/cfy:3"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="there is no cfy; there is: cfi"):
        sl.build_paper(folder)


COMPUTE = """
import json, pathlib
import sem_loyalty as sl
made = pathlib.Path("made.txt")
made.write_text(made.read_text() + "x" if made.exists() else "x")
content = {"title": "T", "n": 1, "inputs": sl.paper_inputs(".", ["compute.py"], ["core"])}
pathlib.Path("results.json").write_text(json.dumps(content))
"""


def test_numbers_are_computed_again_only_where_an_input_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = write_paper(tmp_path, '#val("n")', {})
    script = folder / "compute.py"
    script.write_text(COMPUTE, encoding="utf-8")
    sl.build_paper(folder)
    sl.build_paper(folder)
    assert (folder / "made.txt").read_text() == "x"
    script.write_text(COMPUTE + "\n# changed", encoding="utf-8")
    assert main(["paper", str(folder), "--out", str(tmp_path / "out.pdf")]) == 0
    sl.build_paper(folder, fresh=True)
    assert (folder / "made.txt").read_text() == "xxx"
    before = (folder / "results.json").read_bytes()
    script.write_text("raise SystemExit('no data here')", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"compute\.py failed[^$]*no data here"):
        sl.build_paper(folder)
    assert (folder / "results.json").read_bytes() == before


def test_a_folder_without_a_paper_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paper", str(tmp_path)]) == 2
    assert "a paper is a folder with paper.typ in it" in capsys.readouterr().err


# What may hold a digit in the text of the paper: keys, decimals, the date of the document, names of works and labels.
ALLOWED = (
    r'#(val|share|fine|small)\("[^"]*"[^)]*\)',
    r"digits: \d",
    r"width: \d+%",
    r"#let date = \(2026, 11, 22\)",
    r"(@|<)[a-z]+\d{4}>?",
    r"(ecsi_mobile|fitness2023|schivinski2015|dwivedi2019|iacobucci2009): \[",
    r'image\("[^"]*"',
)


def test_no_number_is_typed_in_the_paper() -> None:
    lines = (PAPER / "paper.typ").read_text(encoding="utf-8")
    for pattern in ALLOWED:
        lines = re.sub(pattern, "", lines)
    typed = [line for line in lines.splitlines() if re.search(r"\d", line)]
    assert typed == []


def test_the_paper_builds_from_committed_results(tmp_path: Path) -> None:
    copy = tmp_path / "paper"
    shutil.copytree(PAPER, copy, ignore=shutil.ignore_patterns("*.pdf", "compute.py", "__pycache__"))
    printed = pdf_text(sl.build_paper(copy))
    results = json.loads((PAPER / "results.json").read_text(encoding="utf-8"))
    assert f"gave {results['simulation']['total']['semopy']['silent_n']} silent errors" in " ".join(printed.split())
    assert "摘要" in printed
    assert (copy / "template.typ").read_bytes() == (TEMPLATES / "template.typ").read_bytes()


def test_the_paper_is_verified_against_results(tmp_path: Path) -> None:
    found = sl.verify(PAPER / "paper.typ", results=PAPER / "results.json")
    assert found.holds
    assert found.claims > 70  # the shorthands of the text count as well as #val
    planted = json.loads((PAPER / "results.json").read_text(encoding="utf-8"))
    planted["simulation"]["total"]["semopy"]["silent_n"] += 1
    other = tmp_path / "results.json"
    other.write_text(json.dumps(planted), encoding="utf-8")
    changed = sl.verify(PAPER / "paper.typ", results=other)
    assert [one.key for one in changed.mismatches] == ["simulation/total/semopy/silent_n"]
    copy = tmp_path / "paper"
    shutil.copytree(PAPER, copy, ignore=shutil.ignore_patterns("*.pdf", "__pycache__"))
    text = (copy / "paper.typ").read_text(encoding="utf-8")
    (copy / "paper.typ").write_text(text + '\n#share("design/levle") #val("design/truth")', encoding="utf-8")
    unknown = sl.verify(copy / "paper.typ", results=copy / "results.json")
    assert [one.key for one in unknown.mismatches] == ["design/levle", "design/truth"]


@pytest.mark.slow
def test_the_paper_computed_afresh_is_the_same_elsewhere(tmp_path: Path) -> None:
    copy = tmp_path / "paper"
    shutil.copytree(PAPER, copy, ignore=shutil.ignore_patterns("*.pdf", "__pycache__"))
    stored = built_elsewhere(copy, tmp_path / "0.pdf", tmp_path / "h0", "UTC", "C.UTF-8", "3")
    (copy / "results.json").unlink()
    one = built_elsewhere(copy, tmp_path / "1.pdf", tmp_path / "h1", "UTC", "C.UTF-8", "1")
    two = built_elsewhere(copy, tmp_path / "2.pdf", tmp_path / "h2", "Asia/Tokyo", "C", "0")
    assert stored == one == two


def test_cells_of_the_simulation_are_what_the_programs_say_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PAPER))
    import arms
    import design
    import judge

    stored = json.loads((PAPER / "reference" / "lavaan.json").read_text(encoding="utf-8"))["answers"]
    by_key = {(one["model"], one["condition"], one["replicate"]): one for one in stored}
    clean = None
    for id, silent in (("clean", False), ("hundred", True)):
        condition = next(one for one in design.CONDITIONS if one.id == id)
        text, data = design.model_text(condition), design.answers(condition, 0)
        kept = by_key["core", id, 0]
        assert float(data.sum().sum()) == pytest.approx(kept["total"], rel=1e-10)
        lavaan, own = arms.Answer.read(kept["default"]), arms.by_package(text, data)
        clean = clean or own.chisq
        assert own.chisq == pytest.approx(clean, rel=1e-9)  # the same answers in other units
        # lavaan stops at a gradient that is small in the items' units, and so a little early where these are large.
        assert own.chisq == pytest.approx(lavaan.chisq, rel=1e-7 if id == "clean" else 1e-4)
        true = judge.reference([lavaan, own])
        assert judge.judge(arms.by_semopy(text, data), true).silent is silent
        assert not judge.judge(own, true).wrong


def test_what_counts_as_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PAPER))
    import arms
    import judge

    paths = {"A -> B": 0.5}
    true = arms.Answer(True, False, True, False, paths, paths, {"A -> B": 0.1}, 10.0, 5.0)
    off = arms.Answer(True, False, True, False, {"A -> B": 0.52}, paths, {"A -> B": 0.1}, 10.0, 5.0)
    said = arms.Answer(True, True, True, False, {"A -> B": 0.52}, paths, {"A -> B": 0.1}, 10.0, 5.0)
    assert judge.judge(off, true).silent
    assert judge.judge(said, true).wrong
    assert not judge.judge(said, true).silent
    assert judge.judge(off, None).silent
    assert judge.judge(arms.REFUSED, true).false_alarm
    assert not judge.judge(arms.REFUSED, None).false_alarm
    assert not judge.judge(true, true).wrong
    low, high = judge.wilson(0, 100)
    assert low == pytest.approx(0, abs=1e-12)
    assert high == pytest.approx(0.0370, abs=1e-4)  # z^2 / (n + z^2)
