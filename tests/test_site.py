"""The documentation site: it builds without a warning, knows every public name and model, and asks no other host."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sem_loyalty as sl

ROOT = Path(__file__).resolve().parents[1]
pytest.importorskip("mkdocs")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def test_every_public_name_has_its_description(site: Path) -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in (site / "reference").glob("*.html"))
    headings = set(re.findall(r'<h2 id="sem_loyalty\.[\w.]*?(\w+)"', pages))
    public = {name for name in sl.__all__ if not name.startswith("_")}
    assert public - headings == set()
    assert "doi:10.1177/002224378101800104" in pages


def test_every_model_has_a_page_and_a_picture(site: Path) -> None:
    for name in sl.models()["id"]:
        assert f"{name}.svg" in (site / "library" / f"{name}.html").read_text(encoding="utf-8")
        assert (site / "library" / f"{name}.svg").read_text(encoding="utf-8").startswith("<svg")


def test_no_page_asks_another_host(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r'<(?:script|img|iframe)[^>]*\ssrc="https?:[^"]*"', text) == [], page.name
        sheets = re.findall(r'<link[^>]*rel="(?:stylesheet|preconnect|icon)"[^>]*>', text)
        assert not [sheet for sheet in sheets if "http" in sheet], page.name
