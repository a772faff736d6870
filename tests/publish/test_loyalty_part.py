"""The section on measured loyalty in the report of a study."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.loyalty_part import loyalty_part
from sem_loyalty.publish.report import report
from sem_loyalty.publish.settings import (
    About,
    DataSource,
    FactorChoice,
    LoyaltyChoice,
    ModelChoice,
    Output,
    ScreenChoice,
    Study,
)
from sem_loyalty.publish.steps import Steps
from sem_loyalty.publish.study_file import contradictions
from sem_loyalty.publish.tables import Edition
from sem_loyalty.study import analyse
from sem_loyalty.survey.published import demo_codebook_path, demo_path

TABLES = ["nps", "loyalty-scores", "drivers", "importance-performance", "segments", "segment-criteria"]


def study(lang: str = "en", group: str = "", model: str = "core", **loyalty) -> Study:
    return Study(
        study=About(lang=lang, simulated=True),
        data=DataSource(path=str(demo_path()), codebook=str(demo_codebook_path()), group=group),
        screen=ScreenChoice(run=False),
        model=ModelChoice(id=model),
        efa=FactorChoice(run=False),
        loyalty=LoyaltyChoice(**{"outcome": "LOY", "recommend": "recommend", "draws": 200} | loyalty),
        output=Output(formats=("html",)),
        folder=Path.cwd(),
        name="study",
    )


@pytest.fixture(scope="module")
def chinese():
    return analyse(study("zh"))


def section(text: str) -> str:
    found = re.search(r'<section id="loyalty".*?</section>', text, re.S)
    return found.group(0) if found else ""


def test_the_report_has_the_section_with_tables_and_plots(chinese):
    assert [name for name in chinese.tables if name in TABLES] == TABLES
    assert list(chinese.figures)[-3:] == ["nps.svg", "drivers.svg", "map.svg"]
    text = section(report(chinese))
    assert text.count("<figure id=") == 3
    assert text.count("<table") == 6
    assert 'id="figure-2-' in text or "<svg" in text
    for words in ("忠诚度测量与驱动因素", "顾客满意", "优先改进", "净推荐值", "支持一个群体", "模拟数据"):
        assert words in text, words
    body = re.sub(r"<[^>]+>", " ", text)
    for english in ("Share", "Importance", "Promoters", "Segment", "Note.", "keep up", "Antecedent"):
        assert english not in body, english


def test_numbers_of_the_section_are_in_the_results(chinese):
    rows = chinese.to_dict()["tables"]["drivers"]["rows"]
    assert sum(row["share"] for row in rows) == pytest.approx(1.0)
    assert sum(row["p_strongest"] for row in rows) == pytest.approx(1.0)
    json.dumps(rows)


def test_groups_have_drivers_and_maps_of_their_own():
    found = analyse(study(group="channel", segments=False))
    assert {"drivers", "drivers-2", "importance-performance", "importance-performance-2"} <= set(found.tables)
    assert {"drivers-2.svg", "map-2.svg"} <= set(found.figures)
    assert found.tables["drivers-2"].caption.endswith(": store")
    text = section(report(found))
    assert text.count("<figure id=") == 5
    assert "Importance–performance map. store" in text
    # Trust matters more online in the population of the demo.
    trust = {
        name: next(row["share"] for row in found.tables[name].rows if row["antecedent"] == "Trust")
        for name in ("drivers", "drivers-2")
    }
    assert trust["drivers"] > trust["drivers-2"]


def test_nothing_is_computed_from_a_fit_without_certificate(tmp_path):
    model = tmp_path / "twin.lav"
    model.write_text("SAT =~ sat1 + sat2 + sat3\nLOY =~ loy1 + loy2 + loy3\nLOY ~ SAT\n", encoding="utf-8")
    found = analyse(study(model=str(model), minimum=1, maximum=7, segments=False))
    assert "importance-performance" in found.tables
    assert "drivers" not in found.tables  # one antecedent has nothing to be compared with

    doubtful = replace(found.fit, certificate=replace(found.fit.certificate, certified=False))
    answers = pd.read_csv(demo_path())
    left = loyalty_part(study(), answers, doubtful, found.model, Edition("en", certified=False), Steps(study()))
    assert [table.id for table in left.tables] == ["nps"]
    assert list(left.figures) == ["nps.svg"]


def test_what_cannot_be_asked(tmp_path):
    model = tmp_path / "bare.lav"
    model.write_text("SAT =~ sat1 + sat2 + sat3\nLOY =~ loy1 + loy2 + loy3\nLOY ~ SAT\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="which the model does not describe: give minimum and maximum"):
        analyse(study(model=str(model)))
    asked = Study(data=DataSource(matrix="ecsi_mobile"), model=ModelChoice(id="core"),
                  loyalty=LoyaltyChoice(outcome="LOY", minimum=1))  # fmt: skip
    said = " ".join(contradictions(asked))
    assert "[loyalty] needs answers" in said
    assert "minimum and maximum belong together" in said
