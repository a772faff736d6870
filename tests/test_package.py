"""The package as a whole: quick to import, public names that exist, a README that matches the code."""

import ast
import builtins
import doctest
import importlib
import inspect
import os
import re
import resource
import shlex
import subprocess
import sys
import tomllib
import warnings
from contextlib import nullcontext
from pathlib import Path

import pytest

import sem_loyalty as sl
from sem_loyalty.cli import _parser
from sem_loyalty.errors import ImproperSolutionWarning
from sem_loyalty.survey.published import demo_codebook_path, demo_path

ROOT = Path(__file__).resolve().parents[1]
# Calls of lavaan, and modifiers of the model language.
ELSEWHERE = {"sem", "cfa", "growth", "c", "equal", "start", "lower", "upper"}


def quickest(command: list[str], runs: int = 5) -> float:
    """Return the processor seconds of the cheapest of several runs: tests beside this one don't count."""
    best = float("inf")
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return best


def test_import_is_quick():
    empty = quickest([sys.executable, "-c", "pass"])
    assert quickest([sys.executable, "-c", "import sem_loyalty"]) - empty < 0.3


def test_help_is_quick():
    assert quickest([sys.executable, "-m", "sem_loyalty", "--help"]) < 0.5


def test_import_loads_nothing_heavy():
    code = (
        "import sys, sem_loyalty; "
        "print([m for m in ('numpy', 'pandas', 'scipy', 'matplotlib', 'semopy') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_every_public_name_exists():
    for name in sl.__all__:
        assert getattr(sl, name) is not None
    assert set(sl.__all__) <= set(dir(sl))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = sl.no_such_name


def test_every_public_function_is_documented():
    for name in sl.__all__:
        found = getattr(sl, name)
        if callable(found):
            assert found.__doc__, name
            assert "Parameters" in found.__doc__ or "Attributes" in found.__doc__ or "Returns" in found.__doc__, name


def test_the_version_is_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == sl.__version__
    assert f"## {sl.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_readme_names_every_room():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    package = ROOT / "sem_loyalty"
    rooms = {f"`{path.name}/`" for path in package.iterdir() if (path / "__init__.py").is_file()}
    rooms |= {f"`{path.stem}`" for path in package.glob("*.py") if not path.stem.startswith("_")}
    assert not {room for room in rooms if room not in text}


def test_every_link_of_the_readme_and_the_docs_leads_somewhere():
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"


PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_name_on_a_page_is_public(page):
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\bsl\.([a-z]\w*)", text))
    called = set(re.findall(r"`([a-z]\w*)\(", text)) - set(dir(builtins)) - ELSEWHERE
    if page.name == "coming_from.md":  # its first columns name other programs' functions
        called = set()
    assert named | called <= {*sl.__all__, "errors"}, page.name
    if page.name in ("README.md", "chapter_steps.md"):
        tables = "\n".join(line for line in text.splitlines() if re.match(r"\|.*\| \[\w+\]\(", line))
        cells = [line.split("|")[-3] for line in tables.splitlines()]
        listed = {name for cell in cells for name in re.findall(r"`([a-z]\w*)`", cell)}
        assert listed <= set(sl.__all__), page.name
        assert len(listed) > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_is_understood(page):
    text = page.read_text(encoding="utf-8")
    lines = [line.split("#")[0] for line in re.findall(r"^\s*(sem-loyalty .*)$", text, re.MULTILINE)]
    lines += re.findall(r"`(sem-loyalty [^`:]+)`", text)
    for line in lines:
        words = shlex.split(line.split("|")[0])[1:]
        # A verb alone may want more words.
        with pytest.raises(SystemExit, match="0") if len(words) == 1 else nullcontext():
            _parser().parse_args(words if len(words) > 1 else [*words, "--help"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_argument_of_a_call_on_a_page_exists(page):
    for code in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for call in ast.walk(ast.parse(code)):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            if isinstance(call.func.value, ast.Name) and call.func.value.id == "sl":
                arguments = {keyword.arg: None for keyword in call.keywords if keyword.arg}
                known = inspect.signature(getattr(sl, call.func.attr)).parameters
                loose = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
                assert loose or set(arguments) <= set(known), f"{page.name}: {ast.unparse(call)}"


def blocks() -> list[tuple[str, str]]:
    found = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        codes = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S)
        # The snippets of a page build on each other; those that speak of the reader's own files are left out.
        own = [code for code in codes if not re.search(r"\banswers\b|\bdata\b", code)]
        if own:
            found.append((page.name, "\n".join(own)))
    return found


@pytest.mark.parametrize(("page", "code"), blocks(), ids=lambda value: value if value.endswith(".md") else "")
def test_the_snippets_of_the_documentation_run(page, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImproperSolutionWarning)  # one snippet shows what an improper fit looks like
        exec(compile(code, page, "exec"), {})


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_first_snippets_run_on_a_survey(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    codes = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), flags=re.S)
    own = f"{str(demo_path())!r}, codebook={str(demo_codebook_path())!r}"
    code = "\n".join(codes).replace('"answers.sav", codebook="codebook.csv"', own)
    assert own in code
    names = {}
    exec(compile(code, page, "exec"), names)
    assert names["fitted"].certificate.certified
    assert list(tmp_path.glob("figure*"))


def test_docstring_examples():
    tried = 0
    for path in sorted((ROOT / "sem_loyalty").rglob("*.py")):
        if ">>>" not in path.read_text(encoding="utf-8"):
            continue
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
        assert result.failed == 0, name
        tried += result.attempted
    assert tried > 0


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.py")), ids=lambda path: path.stem)
def test_notebooks_run(notebook, tmp_path):
    environment = {**os.environ, "MPLBACKEND": "agg"}
    run = subprocess.run(
        [sys.executable, str(notebook)], cwd=tmp_path, capture_output=True, text=True, env=environment, check=False
    )
    assert run.returncode == 0, run.stderr
