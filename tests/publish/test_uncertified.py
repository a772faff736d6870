"""A study whose solution failed its checks: every file that shows a number of it says so, in both languages."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sem_loyalty.cli import UNCERTIFIED, main
from sem_loyalty.errors import ImproperSolutionWarning
from sem_loyalty.measurement.efa import efa
from sem_loyalty.publish.measurement_tables import efa_tables
from sem_loyalty.publish.tables import Edition

MODEL = "SAT =~ s1 + s2 + s3\nTRU =~ t1 + t2\nLOY =~ l1 + l2 + l3\nTRU ~ a*SAT\nLOY ~ b*TRU + c*SAT\nvia := a*b\n"
MARKS = {
    "en": (
        "NOT CERTIFIED",
        "(not certified)",
        "failed its checks",
        '"certified": false',
        "not_certified",
    ),
    "zh": ("NOT CERTIFIED", "未通过", '"certified": false', "not_certified"),
}
# What rests on the answers alone, or on partial least squares, which has checks of its own.
WITHOUT_FIT = {
    "characteristics", "correlations", "efa-loadings", "efa-variance", "eigenvalues", "nps", "sample-flow", "scree",
    "pls-fit", "pls-htmt", "pls-measurement", "pls-measurement-reliability", "pls-paths", "data", "mplus", "manifest",
    "layout",
}  # fmt: skip


def answers() -> pd.DataFrame:
    """60 answers on 7 points; t2 is nearly TRU itself and shares something with SAT, t1 measures it badly."""
    r = np.random.default_rng(1)
    sat = r.normal(size=60)
    tru = 0.6 * sat + 0.8 * r.normal(size=60)
    loy = 0.5 * tru + 0.3 * sat + 0.7 * r.normal(size=60)
    items = [*((f"s{k}", sat) for k in (1, 2, 3)), ("t1", tru), ("t2", tru), *((f"l{k}", loy) for k in (1, 2, 3))]
    columns = {name: 0.7 * own + 0.7 * r.normal(size=60) for name, own in items}
    columns["t1"] = 0.4 * tru + r.normal(size=60)
    columns["t2"] = 0.9 * tru + 0.3 * sat + 0.05 * r.normal(size=60)
    shown = pd.DataFrame(columns).apply(lambda x: np.clip(np.round(4 + 1.3 * x), 1, 7)).astype(int)
    return shown.assign(recommend=np.clip(np.round(6 + 2 * loy), 0, 10).astype(int))


@pytest.fixture(scope="module", params=["en", "zh"])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    answers().to_csv(folder / "answers.csv", index=False)
    (folder / "model.lav").write_text(MODEL, encoding="utf-8")
    (folder / "study.toml").write_text(
        f'[study]\nlang = "{request.param}"\ntitle = "Study"\n[data]\npath = "answers.csv"\n[model]\nid = "model.lav"\n'
        "[screen]\nrun = false\n[method_bias]\nrun = true\n[pls]\nrun = true\ndraws = 100\n"
        '[loyalty]\noutcome = "LOY"\nrecommend = "recommend"\nminimum = 1\nmaximum = 7\ndraws = 100\n'
        '[output]\nformats = ["html", "json", "csv", "docx", "md", "tex", "typ", "svg", "png", "tikz", "dot"]\n'
        'export = ["lavaan", "mplus", "semopy"]\n',
        encoding="utf-8",
    )
    assert main(["run", str(folder / "study.toml")]) == UNCERTIFIED
    return request.param, folder


def test_every_file_with_numbers_of_the_fit_says_so(ran: tuple[str, Path]) -> None:
    lang, folder = ran
    written = [
        path for path in (folder / "results").rglob("*") if path.is_file() and path.suffix not in (".png", ".docx")
    ]
    silent = [
        path.relative_to(folder).as_posix()
        for path in written
        if not any(mark in path.read_text(encoding="utf-8-sig") for mark in MARKS[lang])
    ]
    assert len(written) > 60
    assert [name for name in silent if Path(name).stem not in WITHOUT_FIT] == []


def test_the_command_line_says_so_before_any_number(ran: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    lang, folder = ran
    assert main(["run", str(folder / "study.toml")]) == UNCERTIFIED  # also where nothing was computed anew
    first = capsys.readouterr().out.splitlines()[:3]
    assert any(mark in line for line in first for mark in MARKS[lang])


def test_word_warns_first_and_shows_no_estimate(ran: tuple[str, Path]) -> None:
    lang, folder = ran
    with zipfile.ZipFile(folder / "results" / "results.docx") as file:
        text = file.read("word/document.xml").decode()
    warning = {"en": "must not be interpreted", "zh": "不得解释"}[lang]
    assert text.index(warning) < text.index("<w:tbl>")
    assert "estimates/" not in text
    assert "hypotheses/" not in text


def test_a_document_that_agrees_is_not_fine_for_it(ran: tuple[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    _, folder = ran
    stored = folder / "results" / "results.json"
    value = next(row for row in json.loads(stored.read_text(encoding="utf-8"))["estimates"] if row["op"] == "~")
    claim = f'<span data-claim="estimates/TRU~SAT/est">{value["est"]:.3f}</span>'
    (folder / "text.md").write_text(f"It is {claim}.\n", encoding="utf-8")
    assert main(["verify", str(folder / "text.md"), "--results", str(stored)]) == UNCERTIFIED
    said = capsys.readouterr().out
    assert "All agree" in said
    assert "not certified" in said


@pytest.mark.parametrize(("lang", "mark"), [("en", "NOT CERTIFIED"), ("zh", "未通过检验")])
def test_an_improper_factor_analysis_is_marked_in_its_tables(lang: str, mark: str) -> None:
    R = pd.DataFrame([[1, 0.8, 0.7], [0.8, 1, 0.5], [0.7, 0.5, 1]], columns=list("abc"), index=list("abc"))
    with pytest.warns(ImproperSolutionWarning):
        found = efa(R, 1, n_obs=200, draws=5)
    tables = {table.id: table for table in efa_tables(found, Edition(lang))}
    for id in ("efa-loadings", "efa-variance"):
        assert tables[id].note.startswith(mark)
        assert tables[id].to_csv().startswith("NOT CERTIFIED,")
    assert not tables["eigenvalues"].note.startswith(mark)
