"""The examples of docs/fitting.md on uncertified solutions run, and give what the text says."""

import re
import warnings
from pathlib import Path

import sem_loyalty as sl

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fitting.md"


def test_the_examples_of_the_section_run():
    section = PAGE.read_text(encoding="utf-8").split("## When a solution is not certified")[1].split("\n## ")[0]
    names: dict[str, object] = {"sl": sl}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in re.findall(r"```python\n(.*?)```", section, re.S):
            exec(block, names)
    found, two = names["found"], names["two"]
    assert isinstance(found, sl.Diagnosis)
    assert found.best is not None
    assert found.best.fit.certificate.certified
    assert isinstance(two, sl.Diagnosis)
    assert two.fit is None
    assert two.remedies[0].text() == "hold the loadings of f equal"
