"""study.toml is checked as a whole; a run writes everything or nothing, and the same bytes every time."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import docx
import numpy as np
import pandas as pd
import pytest

from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.fitting.fit import fit
from sem_loyalty.inference.bootstrap import bootstrap
from sem_loyalty.publish.drawn import Drawn, drawn_note
from sem_loyalty.publish.fit_table import fit_table
from sem_loyalty.publish.report import report
from sem_loyalty.publish.settings import (
    ESTIMATORS,
    EXTRACTIONS,
    FORMATS,
    INTERVALS,
    ORDINAL_ESTIMATORS,
    ROTATIONS,
    ModelChoice,
    Study,
)
from sem_loyalty.publish.study_file import read_study, study_from
from sem_loyalty.publish.tables import Edition
from sem_loyalty.study import analyse, run, run_demo

STUDY = """
[study]
title = "A chain"
seed = 3

[data]
path = "data.csv"

[model]
id = "./chain.lav"

[efa]
factors = 3

[output]
dir = "out"
formats = ["json", "csv"]
"""


@pytest.fixture
def folder(tmp_path: Path, chain: pd.DataFrame, chain_model: str) -> Path:
    chain.to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "chain.lav").write_text(chain_model, encoding="utf-8")
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def change(folder: Path, old: str, new: str) -> Path:
    file = folder / "study.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


def contents(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_run_writes_what_the_manifest_lists(folder: Path) -> None:
    results = run(folder / "study.toml")
    assert results.certified
    written = contents(folder / "out")
    manifest = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["outputs"] == {name: digest for name, digest in written.items() if name != "manifest.json"}
    assert set(manifest["inputs"]) == {"data.csv", "chain.lav", "study.toml"}
    assert manifest["inputs"]["data.csv"] == hashlib.sha256((folder / "data.csv").read_bytes()).hexdigest()
    assert manifest["seed"] == 3
    assert str(folder) not in (folder / "out" / "manifest.json").read_text(encoding="utf-8")
    assert {"estimates.csv", "results.json", "tables/loadings.csv", "tables/efa-loadings.csv"} <= set(written)
    assert not any(name.startswith("figures") or name.endswith(".html") for name in written)


def test_files_hold_the_numbers_of_the_fit_in_full(folder: Path) -> None:
    results = run(folder / "study.toml")
    frame = pd.read_csv(folder / "out" / "estimates.csv")
    assert np.array_equal(frame["est"].to_numpy(), results.estimates["est"].to_numpy())
    stored = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))
    assert stored["fit_measures"]["chisq"] == results.fit.chisq
    assert stored["certified"] is True
    assert stored["respondents"] == {"analysed": 300, "collected": 300}
    loadings = pd.read_csv(folder / "out" / "tables" / "loadings.csv")
    rows = results.estimates[results.estimates["op"] == "=~"]
    assert loadings["std"].tolist() == rows["std_all"].tolist()


def test_a_second_run_gives_the_same_bytes(folder: Path) -> None:
    run(folder / "study.toml")
    first = contents(folder / "out")
    run(folder / "study.toml", out=folder / "elsewhere")
    assert contents(folder / "elsewhere") == first


def test_screening_counts_and_leaves_out(folder: Path, chain: pd.DataFrame) -> None:
    frame = chain.round(2)
    frame["seconds"] = np.where(np.arange(len(frame)) < 20, 5.0, 120.0)
    frame.loc[30:39, "a1"] = np.nan
    frame.to_csv(folder / "data.csv", index=False)
    rules = '\n[screen]\nduration = "seconds"\n[screen.rules]\nduration_per_item = 2\n'
    change(folder, "\n[model]", rules + "\n[model]")
    results = run(folder / "study.toml")
    flow = results.tables["sample-flow"]
    assert [row["remaining"] for row in flow.rows] == [300, 280, 270, 270]
    assert [row.get("excluded") for row in flow.rows] == [None, 20, 10, None]
    assert results.fit.moments.n == 270
    assert "N = 270" in results.tables["loadings"].note
    assert results.tables["descriptives"].rows[0]["missing"] == 10


def test_missing_answers_are_used_where_the_study_says_so(folder: Path, chain: pd.DataFrame) -> None:
    frame = chain.mask(np.random.default_rng(4).random(chain.shape) < 0.05)
    frame.loc[[7, 8]] = np.nan
    frame.to_csv(folder / "data.csv", index=False)
    change(folder, "[model]", '[model]\nmissing = "fiml"')
    change(folder, "[efa]", "[efa]\nrun = false")
    change(folder, 'formats = ["json", "csv"]', 'formats = ["html", "svg"]')
    results = run(folder / "study.toml")
    assert results.fit.moments.n == 298
    assert [row.get("excluded") for row in results.tables["sample-flow"].rows][-2] == 2
    assert "full-information maximum likelihood" in results.tables["loadings"].note
    text = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "missing answers by full information" in text


def test_several_groups(folder: Path, chain: pd.DataFrame) -> None:
    frame = chain.copy()
    frame["shop"] = np.where(np.arange(len(frame)) % 2, "online", "store")
    frame.to_csv(folder / "data.csv", index=False)
    change(folder, 'path = "data.csv"', 'path = "data.csv"\ngroup = "shop"')
    change(folder, "[efa]", "[efa]\nrun = false")
    change(folder, 'formats = ["json", "csv"]', 'formats = ["html", "svg"]')
    results = run(folder / "study.toml")
    assert {row["group"] for row in results.tables["paths"].rows} == {"store", "online"}
    assert {"htmt", "htmt-2", "correlations-1", "correlations-2"} <= set(results.tables)
    kinds = ("path_diagram", "correlations", "loadings", "residuals")
    assert set(results.figures) == {f"{kind}{number}.svg" for kind in kinds for number in ("", "-2")}
    text = (folder / "out" / "report.html").read_text(encoding="utf-8")
    ids = [part.split('"')[0] for part in text.split(' id="')[1:]]
    assert len(ids) == len(set(ids))
    assert "<i>N</i> = 300 (store: 150, online: 150)" in text
    assert "Residual correlations. online" in text


def test_an_improper_fit_is_written_but_marked(folder: Path) -> None:
    generator = np.random.default_rng(5)
    factor = generator.standard_normal(300)
    pair = generator.standard_normal(300)
    frame = pd.DataFrame({f"b{k}": factor + generator.standard_normal(300) for k in (1, 2, 3)})
    for name in ("a1", "a2", "a3"):
        frame[name] = 0.6 * factor + 0.3 * generator.standard_normal(300)
    frame["a1"] = pair + 0.15 * generator.standard_normal(300)
    frame["a2"] = pair + 0.8 * generator.standard_normal(300)
    frame.to_csv(folder / "data.csv", index=False)
    (folder / "chain.lav").write_text("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\n", encoding="utf-8")
    change(folder, "factors = 3", "run = false")
    results = run(folder / "study.toml")
    assert not results.certified
    stored = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))
    assert stored["certified"] is False
    assert stored["certificate"]["problems"][0]["remedy"]
    assert results.summary().startswith("NOT CERTIFIED")


def test_bootstrap_is_behind_estimates_hypotheses_and_notes(folder: Path) -> None:
    file = folder / "study.toml"
    text = STUDY.replace("factors = 3", "run = false") + '[bootstrap]\ndraws = 200\nworkers = 2\nfile = "draws.npz"\n'
    file.write_text(text, encoding="utf-8")
    results = run(file)
    fitted = fit((folder / "chain.lav").read_text(encoding="utf-8"), pd.read_csv(folder / "data.csv"))
    pd.testing.assert_frame_equal(results.estimates, bootstrap(fitted, 200, seed=3).estimates())
    assert (folder / "draws.npz").is_file()
    said = "SE, p and intervals from 200 bootstrap draws (bias-corrected and accelerated); all converged."
    for name in ("paths", "loadings", "effects"):
        assert said in results.tables[name].note, name
    assert "delta method" not in results.tables["effects"].note
    assert said in results.summary()
    assert "200 draws, bias-corrected and accelerated intervals; all converged" in report(results)
    stored = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))
    counts = {"draws": 200, "failed": 0, "rescued": 0, "improper": 0, "interval": "bca", "seed": 3}
    assert stored["bootstrap"] == counts
    settings = json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))["settings"]["bootstrap"]
    assert settings == {"draws": 200, "interval": None}
    before = contents(folder / "out")
    del before["manifest.json"]  # which holds the digest of the study file
    file.write_text(text.replace("workers = 2\n", ""), encoding="utf-8")
    again = run(file)  # from the finished draws
    assert again.estimates.equals(results.estimates)
    assert {name: digest for name, digest in contents(folder / "out").items() if name in before} == before
    other = run(file, draws=100)
    assert other.drawn is not None
    assert other.drawn.draws == 100


def test_draws_that_failed_are_in_the_notes() -> None:
    drawn = Drawn(draws=5000, failed=12, rescued=3, improper=40, interval="percentile", seed=1)
    assert drawn_note(drawn, "en") == (
        "SE, p and intervals from 5,000 bootstrap draws (percentile); 12 draws did not converge and are left out; "
        "40 draws with a negative variance are kept."
    )
    assert drawn_note(drawn, "zh") == (
        "SE、p 与置信区间由 5,000 次自助抽样（bootstrap）得到（百分位法）；12 次未收敛，已剔除；"
        "40 次出现负方差，予以保留。"
    )


def test_a_study_of_ordinal_items(folder: Path) -> None:
    data = pd.read_csv(folder / "data.csv")
    data.apply(lambda column: pd.cut(column, [-np.inf, -1, 0, 1, np.inf], labels=False)).to_csv(
        folder / "data.csv", index=False
    )
    change(folder, 'id = "./chain.lav"', 'id = "./chain.lav"\nordered = true')
    change(folder, "factors = 3", "run = false")
    results = analyse(read_study(folder / "study.toml"))
    assert results.fit.estimator == "WLSMV"
    rows = {str(row["measure"]): str(row["definition"]) for row in results.tables["fit"].rows}
    assert rows["minimum"] == "N − 1 times the minimum of the WLSMV discrepancy; not a χ²"
    assert rows["CFI (robust)"] == "Savalei (2021)"
    assert rows["χ² (scaled)"] == "scaled and shifted (WLSMV)"
    assert rows["GFI"].startswith("1 − r′Wr / s′Ws; s: sample thresholds and polychoric correlations")
    assert "CFI (scaled)" in rows
    assert "CFI" not in rows  # made of a statistic that is no chi-square
    assert results.verdicts == () or all(entry.verdict != "untested" for entry in results.verdicts)


@pytest.mark.parametrize(
    ("estimator", "chisq", "gfi"),
    [
        ("ML", "N times the minimum of F_ML: the likelihood ratio", "Jöreskog–Sörbom: 1 − tr"),
        ("GLS", "N − 1 times the minimum of the GLS discrepancy", "1 − r′Wr / s′Ws; s: sample moments"),
    ],
)
def test_measures_are_described_for_the_estimator(
    chain: pd.DataFrame, chain_model: str, estimator: str, chisq: str, gfi: str
) -> None:
    fitted = fit(chain_model, chain, estimator=estimator)
    for lang, sign in (("en", ""), ("zh", "乘以")):
        table = fit_table({"chisq": 1.0, "gfi": 0.9}, Edition(lang), fitted)
        rows = {str(row["measure"]): str(row["definition"]) for row in table.rows}
        if lang == "en":
            assert rows["χ²"] == chisq
            assert rows["GFI"].startswith(gfi)
        assert sign in rows["χ²"]


def test_all_mistakes_come_in_one_message(folder: Path) -> None:
    (folder / "study.toml").write_text(
        """
[study]
titel = "x"
lang = "fr"
seed = -1
[data]
path = "dta.csv"
estimator = "ML"
[modell]
[model]
id = 3
std_lv = "yes"
kind = "sme"
[efa]
factors = 1.5
[output]
formats = ["htm"]
""",
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError) as caught:
        read_study(folder / "study.toml")
    text = str(caught.value)
    for part in (
        "has 11 problems",
        "[modell] is not a section. Did you mean 'model'?",
        "[study] titel is not a key of this section. Did you mean 'title'?",
        "[study] lang = 'fr': it must be one of 'en', 'zh'",
        "[study] seed = -1: it must be at least 0",
        "[data] estimator is not a key of this section. It belongs to [model].",
        "[model] id = 3: it must be a text",
        "[model] std_lv = 'yes': it must be true or false",
        "[model] kind = 'sme': it must be one of 'sem', 'cfa', 'growth'. Did you mean 'sem'?",
        "[efa] factors = 1.5: it must be a whole number",
        "'htm' is not one of",
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "[model] id is missing"),
        ({"data": {"path": "a.csv", "matrix": "b.csv"}}, "both are given"),
        ({"data": {"matrix": "b.csv"}}, "[data] nobs is missing"),
        ({"data": {"matrix": "b.csv", "nobs": 5, "group": "g"}}, "[data] group belongs to a survey"),
        ({"data": {"path": "a.csv", "nobs": 5}}, "a survey is counted"),
        ({"model": {"group_equal": ["loadings"]}}, "group_equal needs [data] group"),
        ({"output": {"dir": ".."}}, "a folder of its own"),
        ({"screen": {"rules": {"longstrin": 5}}}, "Did you mean 'longstring'?"),
        ({"screen": {"rules": {"duration_per_item": 2}}}, "needs duration="),
        ({"screen": {"rules": 5}}, "a section of its own"),
        ({"screen": 5}, "screen must be a section"),
        ({"study": {"seed": True}}, "a whole number"),
        (
            {"data": {"matrix": "b.csv", "nobs": 5}, "bootstrap": {"draws": 9}},
            "draws respondents, so it needs a survey",
        ),
        ({"bootstrap": {"draws": 1}}, "two draws at least"),
        ({"bootstrap": {"interval": "bcaa"}}, "Did you mean 'bca'?"),
        ({"model": {"estimator": "WLSMV"}}, "Ordinal items need ordered = true."),
        ({"model": {"estimator": "MLR", "ordered": ["a1", "a2"]}}, "available: WLSMV, ULSMV, WLS"),
        ({"model": {"ordered": 3}}, "it must be true or false"),
    ],
)
def test_contradictions_are_named(content: dict[str, object], message: str) -> None:
    _, problems = study_from(content)
    assert any(message in problem for problem in problems), problems


def test_files_that_do_not_exist_are_named_with_the_nearest(folder: Path) -> None:
    change(folder, "data.csv", "dat.csv")
    with pytest.raises(ConfigurationError, match=r"no file 'dat\.csv'.*Did you mean 'data\.csv'"):
        run(folder / "study.toml")
    with pytest.raises(ConfigurationError, match=r"Did you mean 'study\.toml'"):
        run(folder / "studdy.toml")
    with pytest.raises(ConfigurationError, match="is a folder"):
        run(folder)
    assert not (folder / "out").exists()


def test_a_file_that_is_not_toml_or_not_utf8(folder: Path) -> None:
    change(folder, '"A chain"', "A chain")
    with pytest.raises(ConfigurationError, match="not TOML"):
        read_study(folder / "study.toml")
    (folder / "study.toml").write_bytes('[study]\ntitle = "顾客"'.encode("gb18030"))
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_study(folder / "study.toml")
    (folder / "study.toml").write_bytes(b"\xef\xbb\xbf" + STUDY.replace("\n", "\r\n").encode())
    assert read_study(folder / "study.toml").study.title == "A chain"


def test_a_failed_run_keeps_older_results(folder: Path) -> None:
    run(folder / "study.toml")
    before = contents(folder / "out")
    (folder / "data.csv").write_text("a1,a2\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError):
        run(folder / "study.toml")
    assert contents(folder / "out") == before
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == [".sem-loyalty"]


def test_settings_know_the_choices_of_the_rooms() -> None:
    from sem_loyalty.fitting.discrepancies import ESTIMATORS as AVAILABLE
    from sem_loyalty.fitting.options import MISSING
    from sem_loyalty.fitting.ordinal import WEIGHTS
    from sem_loyalty.inference import intervals
    from sem_loyalty.measurement import efa, rotation

    assert set(ROTATIONS) == set(rotation.ROTATIONS)
    assert set(ESTIMATORS) == set(AVAILABLE) - {"ULS", "DWLS"}
    assert ModelChoice.__dataclass_fields__["missing"].metadata["choices"] == MISSING
    assert set(EXTRACTIONS) == set(efa.EXTRACTIONS)
    assert set(ORDINAL_ESTIMATORS) == set(WEIGHTS) - {"ULS", "DWLS"}
    assert INTERVALS == intervals.INTERVALS


def test_every_key_and_section_is_documented() -> None:
    from dataclasses import fields

    from sem_loyalty.publish.settings import SECTIONS

    text = (Path(__file__).resolve().parents[1] / "docs" / "study.md").read_text(encoding="utf-8")
    for section, cls in SECTIONS.items():
        assert f"[{section}]" in text
        for entry in fields(cls):
            assert f"`{entry.name}`" in text or f"[{section}.{entry.name}]" in text, f"[{section}] {entry.name}"
    assert all(f'"{kind}"' in text for kind in FORMATS)


def test_other_warnings_are_not_swallowed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import warnings

    from sem_loyalty import study

    real = study.fit_measures

    def noisy(fitted: object) -> object:
        warnings.warn("somebody else's", RuntimeWarning, stacklevel=1)
        return real(fitted)  # type: ignore[arg-type]

    monkeypatch.setattr(study, "fit_measures", noisy)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with pytest.warns(RuntimeWarning, match="somebody else's"):
            results = analyse(read_study(folder / "study.toml"))
    assert not any("somebody" in text for text in results.warnings)


def test_a_published_matrix_needs_no_survey(tmp_path: Path) -> None:
    study, problems = study_from(
        {"data": {"matrix": "iacobucci2009"}, "model": {"id": "iacobucci2009"}}, folder=tmp_path
    )
    assert problems == []
    results = analyse(Study(study.study, study.data, study.screen, study.model, study.efa))
    assert results.fit.moments.n == 100
    assert "sample-flow" not in results.tables
    assert results.tables["loadings"].note.startswith("N = 100; estimator ML; missing answers: none")


def test_the_demo_says_that_its_data_are_simulated(tmp_path: Path) -> None:
    results = run_demo(tmp_path / "demo", lang="zh")
    assert results.simulated
    assert results.to_dict()["respondents"] == {"analysed": 422, "collected": 600}  # 22 screened out, 156 incomplete
    assert "模拟数据" in results.title
    assert all("模拟数据" in table.note for name, table in results.tables.items() if name != "questions")
    out = tmp_path / "demo"
    report = (out / "report.html").read_text(encoding="utf-8")
    assert report.count("模拟数据") > 10
    assert (out / "figures" / "path_diagram.svg").read_text(encoding="utf-8").count("模拟数据") >= 1
    assert (out / "figures" / "path_diagram.pdf").read_bytes().startswith(b"%PDF")
    assert (out / "figures" / "path_diagram.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "tables" / "paths.csv").read_bytes().startswith(b"\xef\xbb\xbf"), "Excel needs the mark for Chinese"
    assert "simulated" in (out / "results.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_same_bytes_in_another_environment(tmp_path: Path, lang: str) -> None:
    digests = []
    settings = (
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Shanghai", "LANG": "C", "LC_ALL": "C", "OPENBLAS_NUM_THREADS": "1"},
        {"PYTHONHASHSEED": "77", "TZ": "America/Lima", "LANG": "de_DE.UTF-8", "OPENBLAS_NUM_THREADS": "2"},
    )
    for number, changed in enumerate(settings):
        home = tmp_path / f"home{number}"
        home.mkdir()
        dropped = {"LC_ALL", "PYTHONPATH"}
        environment = {key: value for key, value in os.environ.items() if key not in dropped} | {"HOME": str(home)}
        root = str(Path(__file__).resolve().parents[1])
        command = [sys.executable, "-W", "error", "-m", "sem_loyalty", "demo", "--out", "demo", "--lang", lang]
        done = subprocess.run(
            command, env=environment | changed | {"PYTHONPATH": root}, cwd=home, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        digests.append(contents(home / "demo"))
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("formats", "figures"),
    [
        (["docx"], set()),
        (["html", "tex"], {"pdf"}),
        (["docx", "typ", "md"], {"svg"}),
    ],
)
def test_documents_have_their_figures_whatever_other_formats_are_asked_for(
    folder: Path, formats: list[str], figures: set[str]
) -> None:
    change(folder, 'formats = ["json", "csv"]', f"formats = {json.dumps(formats)}\n[screen]\nrun = false")
    run(folder / "study.toml")
    written = [path for path in (folder / "out" / "figures").glob("*") if path.name != "layout.json"]
    assert {path.suffix[1:] for path in written} == figures
    names = {path.relative_to(folder / "out").as_posix() for path in written}
    for page in (folder / "out").glob("chapter.*"):
        shown = set(re.findall(r"figures/[\w-]+\.\w+", page.read_text(encoding="utf-8")))
        assert shown
        assert shown <= names
    if "docx" in formats:
        assert docx.Document(str(folder / "out" / "results.docx")).inline_shapes
