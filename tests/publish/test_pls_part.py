"""The section [pls] of a study: the numbers of the functions behind it, in both languages, and what it cannot do."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.evidence_settings import PlsChoice
from sem_loyalty.publish.report import report
from sem_loyalty.publish.settings import About, DataSource, FactorChoice, ModelChoice, Study
from sem_loyalty.study import analyse

MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ A + B"


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    a = rng.normal(size=400)
    b = 0.5 * a + 0.85 * rng.normal(size=400)
    c = 0.3 * a + 0.4 * b + 0.8 * rng.normal(size=400)
    return pd.DataFrame(
        {f"{n}{k}": v + 0.6 * rng.normal(size=400) for n, v in zip("abc", (a, b, c), strict=True) for k in (1, 2, 3)}
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, answers: pd.DataFrame) -> Study:
    folder = tmp_path_factory.mktemp("pls")
    answers.to_csv(folder / "answers.csv", index=False)
    (folder / "model.lav").write_text(MODEL)
    return Study(
        data=DataSource(path="answers.csv"),
        model=ModelChoice(id="model.lav"),
        efa=FactorChoice(run=False),
        pls=PlsChoice(run=True, draws=500),
        folder=folder,
    )


def test_without_the_section_nothing_is_said(study: Study) -> None:
    plain = analyse(replace(study, pls=PlsChoice()))
    assert not [name for name in plain.tables if name.startswith("pls-")]
    assert "pls" not in plain.statements


def test_tables_hold_the_numbers_of_pls(study: Study, answers: pd.DataFrame) -> None:
    found = analyse(study)
    fitted = sl.pls(MODEL, answers)
    quality, drawn = sl.pls_quality(fitted), sl.pls_bootstrap(fitted, 500, seed=1)
    paths = found.tables["pls-paths"].rows
    assert [row["path"] for row in paths] == ["A → B", "A → C", "B → C"]
    expected = drawn.estimates("path")
    assert [row["est"] for row in paths] == quality.inner["est"].tolist()
    assert [row["f2"] for row in paths] == quality.inner["f2"].tolist()
    assert [row["se"] for row in paths] == expected["se"].tolist()
    assert [row["interval"][0] for row in paths] == expected["ci_lower"].tolist()
    assert [row["loading"] for row in found.tables["pls-measurement"].rows] == quality.outer["loading"].tolist()
    methods = sl.compare_methods(MODEL, answers).paths
    assert [row["plsc"] for row in found.tables["pls-methods"].rows] == methods["plsc"].tolist()
    htmt = {row["pair"]: row for row in found.tables["pls-htmt"].rows}
    assert htmt["A – B"]["htmt"] == quality.htmt.loc["B", "A"]
    assert htmt["A – B"]["interval"][0] < htmt["A – B"]["htmt"] < htmt["A – B"]["interval"][1]
    assert found.tables["pls-measurement-reliability"].rows[2]["r2"] == fitted.r2[2]
    assert found.statements["pls"][0].startswith("Report covariance-based SEM")
    assert "500 bootstrap draws" in found.tables["pls-paths"].note


def test_in_chinese(study: Study) -> None:
    found = analyse(replace(study, study=About(lang="zh"), pls=PlsChoice(run=True, draws=0)))
    assert found.statements["pls"][0].startswith("建议报告协方差法的结果")
    assert found.tables["pls-methods"].caption == "不同方法的标准化路径系数"
    assert "se" not in {column.key for column in found.tables["pls-paths"].columns}
    text = report(found)
    assert "偏最小二乘（PLS-SEM）与协方差法（CB-SEM）对照" in text
    assert text.index("table-pls-methods") < text.index("table-pls-fit")


def test_a_model_that_pls_does_not_have_leaves_the_study_whole(study: Study) -> None:
    (study.folder / "loop.lav").write_text(MODEL.replace("B ~ A", "B ~ A + C").replace("C ~ A + B", "C ~ B"))
    found = analyse(replace(study, model=ModelChoice(id="loop.lav")))
    assert any(message.startswith("No partial least squares:") for message in found.warnings)
    assert not [name for name in found.tables if name.startswith("pls-")]


def test_a_matrix_has_no_draws_and_an_improper_solution_is_marked(tmp_path: Path) -> None:
    study = Study(
        data=DataSource(matrix="ecsi_mobile"),
        model=ModelChoice(id="ecsi_mobile"),
        efa=FactorChoice(run=False),
        pls=PlsChoice(run=True),
        folder=tmp_path,
    )
    found = analyse(study)
    heads = [column.head for column in found.tables["pls-methods"].columns]
    assert heads[1:3] == ["CB-SEM (not certified)", "PLSc (not admissible)"]
    assert [round(row["est"], 3) for row in found.tables["pls-paths"].rows][:2] == [0.505, 0.557]
    said = " ".join(found.statements["pls"])
    assert "not certified" in said
    assert "between composites" in said
    assert "HTMT" in said


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data": DataSource(path="answers.csv", group="a1")}, r"\[pls\] takes one group"),
        ({"model": ModelChoice(id="model.lav", ordered=("a1",))}, r"\[pls\] takes all items as ordinal"),
        ({"pls": PlsChoice(run=True, draws=1)}, r"\[pls\] draws = 1"),
    ],
)
def test_contradictions_are_told_before_the_work(study: Study, changed: dict, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        analyse(replace(study, **changed))
