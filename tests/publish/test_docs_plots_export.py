"""The examples of docs/plots.md and docs/export.md run."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("page", "files"),
    [
        ("plots.md", {"loadings.pdf", "residuals.svg", "scree.png", "draws.pdf"}),
        ("export.md", {"lavaan/lavaan.R", "lavaan/data.csv", "lavaan/manifest.json"}),
    ],
)
def test_examples_run(page, files, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    assert code
    for block in code:
        exec(compile(block, page, "exec"), {})
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert made == files
