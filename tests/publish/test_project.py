"""A new study runs at once; slow steps are taken from an earlier run, and what comes out is the same without them."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from sem_loyalty.cli import DIFFERENT, DONE, WRONG, main
from sem_loyalty.errors import ConfigurationError, DataWarning, NotSupported, SemLoyaltyError
from sem_loyalty.model.library import load_model, models
from sem_loyalty.proof import check_results, verify
from sem_loyalty.publish.installed import dependencies, lock
from sem_loyalty.publish.outcome import Outcome, present
from sem_loyalty.publish.project import init_project, project_files
from sem_loyalty.publish.stored_frames import frame_of_plain, plain_frame
from sem_loyalty.publish.study_file import read_study
from sem_loyalty.study import analyse, build_study_paper, update


def change(study: Path, old: str, new: str) -> None:
    text = study.read_text(encoding="utf-8")
    assert old in text, old
    study.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A project whose study takes a second or two (few draws, few specifications, numbers only), run once."""
    study = init_project(tmp_path_factory.mktemp("project") / "thesis") / "study.toml"
    change(study, "draws = 1000", "draws = 200")
    change(study, "most = 100", "most = 4")
    change(study, 'group = "channel"', 'group = ""')
    change(study, "[method_bias]\nrun = true", "[method_bias]\nrun = false")
    change(study, "[efa]\nrun = true", "[efa]\nrun = false")
    change(study, '["html", "json", "csv", "docx", "md", "tex", "svg", "pdf", "png"]', '["json", "csv"]')
    change(study, 'recommend = "recommend"', 'recommend = "recommend"\ndraws = 200')
    return study.parent, update(study)


@pytest.fixture
def first(finished: tuple[Path, Outcome]) -> Outcome:
    """What came of its first run."""
    return finished[1]


@pytest.fixture
def quick(finished: tuple[Path, Outcome], tmp_path: Path) -> Path:
    """The study file of a copy of the project, with its results and kept steps."""
    return Path(shutil.copytree(finished[0], tmp_path / "thesis")) / "study.toml"


# init


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_project_is_whole_and_its_bytes_are_the_same_again(tmp_path: Path, lang: str) -> None:
    folder = init_project(tmp_path / "a" / "thesis", lang=lang)
    again = init_project(tmp_path / "b", lang=lang)
    assert present(folder) == present(again)
    assert {
        "study.toml", "README.md", ".gitignore", "requirements.lock", "data/README.md", "data/simulated.csv",
        "data/codebook.csv", "models/core.lav", "models/core.toml", "notebooks/first_look.py", "paper/paper.typ",
        "paper/template.typ", "paper/refs.bib",
    } <= set(present(folder))  # fmt: skip
    for file in folder.rglob("*"):
        if file.suffix in (".toml", ".md", ".py"):
            assert "@" not in file.read_text(encoding="utf-8-sig"), f"{file} has a gap that was not filled"
    study = read_study(folder / "study.toml")
    assert (study.study.lang, study.study.simulated) == (lang, True)
    mark = {"en": "**simulated**", "zh": "**模拟数据**"}[lang]
    assert mark in (folder / "README.md").read_text(encoding="utf-8")
    assert mark in (folder / "data" / "README.md").read_text(encoding="utf-8")


def test_every_section_of_the_study_is_explained(tmp_path: Path) -> None:
    for lang in ("en", "zh"):
        lines = (init_project(tmp_path / lang, lang=lang) / "study.toml").read_text(encoding="utf-8").splitlines()
        sections = [k for k, line in enumerate(lines) if line.startswith("[")]
        assert len(sections) == 14
        assert all(lines[k - 1].startswith("# ") for k in sections)


def test_what_is_there_is_never_lost(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.docx").write_text("years of work")
    with pytest.raises(ConfigurationError, match=r"not empty \(chapter\.docx\)"):
        init_project(tmp_path / "thesis")
    with pytest.raises(ConfigurationError, match="is a file"):
        init_project(tmp_path / "thesis" / "chapter.docx")
    assert [path.name for path in tmp_path.rglob("*")] == ["thesis", "chapter.docx"]


def test_an_init_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def full(path: Path, data: bytes) -> None:
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    monkeypatch.setattr("sem_loyalty.publish.project.write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        init_project(tmp_path / "far" / "thesis")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(SemLoyaltyError, match="Did you mean 'core'"):
        init_project(tmp_path / "a", model="cor")
    with pytest.raises(ConfigurationError, match="is a path"):
        init_project(tmp_path / "a", model="models/core.lav")
    with pytest.raises(NotSupported, match="Begin with another one: acsi"):
        init_project(tmp_path / "a", model="iacobucci2009")
    assert list(tmp_path.iterdir()) == []


def test_every_model_with_a_population_makes_a_study_that_can_be_read(tmp_path: Path) -> None:
    ids = [id for id in models()["id"] if load_model(id).population is not None]
    assert len(ids) >= 18
    for id in ids:
        study = read_study(init_project(tmp_path / id, lang="zh", model=id) / "study.toml")
        assert load_model(study.at(study.model.id)).title == load_model(id).title


@pytest.mark.parametrize("id", ["moderation", "panel_growth", "satisfaction_trap", "servqual"])
def test_studies_of_unusual_models_are_certified(tmp_path: Path, id: str) -> None:
    study = read_study(init_project(tmp_path / id, model=id) / "study.toml")
    quick = replace(
        study,
        bootstrap=replace(study.bootstrap, draws=0),
        robustness=replace(study.robustness, run=False),
        method_bias=replace(study.method_bias, run=False),
        loyalty=replace(study.loyalty, outcome=""),
        efa=replace(study.efa, run=False),
        output=replace(study.output, formats=()),
    )
    found = analyse(quick)
    assert found.certified
    assert found.verdicts


def test_reverse_worded_questions_are_recorded_as_answered() -> None:
    files = project_files("en", load_model("ecsi"))
    rows = files["data/codebook.csv"].decode("utf-8-sig").splitlines()
    reverse = [row.split(",")[0] for row in rows if ",yes," in row]
    columns = files["data/simulated.csv"].decode().splitlines()[0].split(",")
    assert all(name in columns for name in reverse)
    assert len(rows) - 1 == len(columns)


def test_the_lock_lists_what_is_in_use() -> None:
    pinned = [line.partition("==")[::2] for line in lock().splitlines() if not line.startswith("#")]
    assert pinned == sorted(dependencies().items())
    assert {"numpy", "scipy", "pandas"} <= dict(pinned).keys() or not pinned
    assert not {"pytest", "ruff", "sem-loyalty"} & dict(pinned).keys()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_notebook_of_a_new_study_runs(quick: Path, lang: str, tmp_path: Path) -> None:
    notebook = init_project(tmp_path / "other", lang=lang) / "notebooks" / "first_look.py"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "error", str(notebook)]
    done = subprocess.run(command, cwd=quick.parent, env=environment, capture_output=True, encoding="utf-8", check=True)
    assert "supported" in done.stdout
    assert {"en": "certified", "zh": "通过认证"}[lang] in done.stdout


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_paper_of_a_new_study_can_be_built_and_checked(quick: Path, lang: str, tmp_path: Path) -> None:
    pytest.importorskip("typst")
    change(quick, '["json", "csv"]', '["json", "svg"]')
    change(quick, 'lang = "en"', f'lang = "{lang}"')
    paper = init_project(tmp_path / "other", lang=lang) / "paper"
    shutil.copytree(paper, quick.parent / "paper", dirs_exist_ok=True)
    built = build_study_paper(quick.parent / "paper")
    assert built.read_bytes().startswith(b"%PDF")
    assert check_results(quick).same
    text = quick.parent / "paper" / "paper.typ"
    proof = verify(text)  # the study.toml above it is found
    assert proof.holds
    assert re.search(r"\b1\d claims", str(proof))
    change(text, "respondents/analysed", "respondents/analysd")
    assert "Did you mean 'analysed'?" in str(verify(text))
    change(text, "respondents/analysd", "respondents/analysed")
    built.write_bytes(built.read_bytes() + b"%")
    found = check_results(quick)
    assert not found.same
    assert "The paper differs" in str(found)


# Steps


def test_kept_steps_give_the_same_bytes(quick: Path, first: Outcome) -> None:
    assert first.steps == "Done: bootstrap, robustness, segments, all other steps."
    change(quick, 'lang = "en"', 'lang = "zh"')
    change(quick, '["json", "csv"]', '["json", "csv", "md"]')
    kept = update(quick)
    assert kept.steps == "Kept from an earlier run: bootstrap, robustness, segments. Done: all other steps."
    assert kept.files != first.files
    assert update(quick, out=quick.parent / "anew", fresh=True).steps == first.steps
    assert present(quick.parent / "anew") == kept.files


def test_nothing_changed_means_nothing_done(quick: Path, first: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the study was analysed again")

    with monkeypatch.context() as patch:
        patch.setattr("sem_loyalty.study.analyse", never)
        again = update(quick)
        assert (again.written, again.summary, again.files) == (False, first.summary, first.files)
        assert again.steps.startswith("Up to date")
        for spoil in (
            lambda: (quick.parent / "results" / "estimates.csv").write_text("touched"),
            lambda: (quick.parent / "results" / "fit.csv").write_text("not ours"),
            lambda: change(quick.parent / "data" / "simulated.csv", "online", "online "),
            lambda: change(quick, "seed = 1", "seed = 2"),
            lambda: change(quick.parent / "models" / "core.toml", "has a positive", "has a  positive"),
        ):
            shutil.copytree(quick.parent, quick.parent.with_name("kept"))
            spoil()
            with pytest.raises((AssertionError, ConfigurationError), match=r"analysed again|would be lost"):
                update(quick)
            shutil.rmtree(quick.parent)
            quick.parent.with_name("kept").replace(quick.parent)
        with pytest.raises(AssertionError, match="analysed again"):
            update(quick, draws=300)
        monkeypatch.setattr("sem_loyalty.publish.steps.fingerprint", lambda: "another version")
        with pytest.raises(AssertionError, match="analysed again"):
            update(quick)


def test_a_step_is_done_again_when_what_it_depends_on_has_changed(quick: Path) -> None:
    change(quick, "most = 4", "most = 5")
    assert update(quick).steps == "Kept from an earlier run: bootstrap, segments. Done: robustness, all other steps."
    change(quick, "longstring = 12", "longstring = 11")
    assert update(quick).steps == "Done: bootstrap, robustness, segments, all other steps."
    kept = sorted(path.name.partition("-")[0] for path in (quick.parent / ".sem-loyalty" / "study").iterdir())
    assert kept == ["draws", "robustness", "run.json", "segments"], "entries of earlier runs must not pile up"


def damages() -> list[Callable[[bytes], bytes]]:
    return [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        changed,
    ]


def changed(data: bytes) -> bytes:
    """Change the content of an entry, not the digest beside it."""
    content, mark, rest = data.partition(b'"digest"')
    return content.replace(b"0", b"1") + mark + rest


@pytest.mark.parametrize("damage", damages(), ids=["cut", "empty", "changed"])
def test_damaged_entries_are_computed_again_with_a_warning(
    quick: Path, first: Outcome, damage: Callable[[bytes], bytes]
) -> None:
    for path in (quick.parent / ".sem-loyalty" / "study").iterdir():
        path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(DataWarning, match="damaged") as said:
        again = update(quick)
    assert len(said) == 3, "draws, robustness, segments; a damaged record merely means a run"
    assert again.files == first.files
    assert again.steps == "Done: bootstrap, robustness, segments, all other steps."
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not update(quick).written


def test_frames_come_back_as_they_were() -> None:
    frame = pd.DataFrame(
        {
            "x": [0.1 + 0.2, float("nan"), 1e-320],
            "n": pd.array([1, None, 3], dtype="Int64"),
            "yes": [True, False, True],
            "what": ["a", "忠诚", ""],
            "k": [1, 2, 3],
        },
        index=pd.Index(["r1", "r2", "r3"], name="who"),
    )
    pd.testing.assert_frame_equal(frame_of_plain(json.loads(json.dumps(plain_frame(frame)))), frame, check_exact=True)
    with pytest.raises(ValueError, match="holds more than"):
        plain_frame(pd.DataFrame({"x": [object()]}))


# check


def test_check_finds_what_differs(
    quick: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(quick.parent)
    Path("results").rename("aside")
    assert main(["check"]) == WRONG
    assert "run the study first" in capsys.readouterr().err
    Path("aside").rename("results")
    assert main(["check"]) == DONE
    assert "byte by byte" in capsys.readouterr().out
    results = quick.parent / "results"
    (results / "estimates.csv").write_text("edited", encoding="utf-8")
    (results / "notes.txt").write_text("mine", encoding="utf-8")
    (results / "tables" / "fit.csv").unlink()
    found = check_results(quick)
    assert not found.same
    assert (found.edited, found.extra, found.missing) == (("estimates.csv",), ("notes.txt",), ("tables/fit.csv",))
    change(quick.parent / "data" / "codebook.csv", "(simulated)", "(simulated )")
    change(quick, "seed = 1", "seed = 2")
    assert main(["check", str(quick)]) == DIFFERENT
    said = capsys.readouterr().out
    assert said.startswith("NOT THE SAME: The inputs or settings have changed")
    assert "Inputs changed since the run: data/codebook.csv, study.toml" in said
    assert "[study] seed 2 (was 1)" in said


def test_under_other_versions_numbers_are_compared(quick: Path) -> None:
    results = quick.parent / "results"
    manifest = json.loads((results / "manifest.json").read_text(encoding="utf-8"))
    stored = json.loads((results / "results.json").read_text(encoding="utf-8"))

    def stands(factor: float) -> None:
        """Let the results be those of another version of NumPy, whose χ² is so many times ours."""
        moved = stored | {"fit_measures": stored["fit_measures"] | {"chisq": stored["fit_measures"]["chisq"] * factor}}
        (results / "results.json").write_text(json.dumps(moved), encoding="utf-8")
        outputs = manifest["outputs"] | {"results.json": present(results)["results.json"]}
        other = manifest | {"versions": manifest["versions"] | {"numpy": "1.0"}, "outputs": outputs}
        (results / "manifest.json").write_text(json.dumps(other), encoding="utf-8")

    stands(1 + 1e-9)
    found = check_results(quick.parent)
    assert found.same
    assert "agree within 1e-06" in str(found)
    assert "numpy" in str(found)
    stands(1 + 1e-4)
    found = check_results(quick.parent)
    assert not found.same
    assert found.moved == ("fit_measures.chisq",)


def test_init_run_and_check_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "thesis", "--lang", "zh"]) == DONE
    assert "sem-loyalty run study.toml" in capsys.readouterr().out
    assert main(["init", "thesis"]) == WRONG
    settings = tomllib.loads(Path("thesis/study.toml").read_text(encoding="utf-8"))
    assert settings["study"]["lang"] == "zh"
