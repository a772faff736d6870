"""The command line: one message and an exit status for everything that can go wrong, and never a traceback."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty
from sem_loyalty.cli import DONE, INTERRUPTED, REFUSED, UNCERTIFIED, WRONG, main

ROOT = str(Path(__file__).resolve().parents[1])
ITEMS = [f"{name}{k}" for name in "abc" for k in (1, 2, 3)]


@pytest.fixture
def folder(tmp_path: Path, chain: pd.DataFrame, chain_model: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    chain.to_csv(tmp_path / "data.csv", index=False)
    cov = chain.cov()
    cov.to_csv(tmp_path / "cov.csv")
    (tmp_path / "chain.lav").write_text(chain_model, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def process(
    *words: str, cwd: Path, env: dict[str, str] | None = None, text: bool = True
) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": ROOT} | (env or {})
    command = [sys.executable, "-W", "error", "-m", "sem_loyalty", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=text, check=False, timeout=120)


def fails(capsys: pytest.CaptureFixture[str], folder: Path, *words: str, status: int = WRONG) -> str:
    """Run a command that must fail: one message on standard error, nothing on standard output, no file left."""
    before = sorted(folder.rglob("*"))
    assert main(words) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("sem-loyalty: ")
    assert captured.err.count("sem-loyalty: ") == 1
    assert "Traceback" not in captured.err
    assert sorted(folder.rglob("*")) == before
    return captured.err


# What works


def test_fit_prints_the_certificate_first(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert main(["fit", "chain.lav", "data.csv"]) == DONE
    out = capsys.readouterr().out
    assert out.startswith("Certified")
    assert "B → C" in out
    assert "N = 300" in out


def test_fit_from_a_covariance_matrix_gives_the_same_estimates(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    main(["fit", "chain.lav", "data.csv", "--format", "csv"])
    rows = pd.read_csv(pd.io.common.StringIO(capsys.readouterr().out))
    main(["fit", "chain.lav", "--cov", "cov.csv", "--nobs", "300", "--format", "csv"])
    matrix = pd.read_csv(pd.io.common.StringIO(capsys.readouterr().out))
    # The matrix went through text of 16 to 17 digits; B is a ratio of moments, so a few more are lost.
    np.testing.assert_allclose(matrix["est"], rows["est"], rtol=1e-9)


def test_fit_in_json_is_json(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert main(["fit", "chain.lav", "data.csv", "--format", "json"]) == DONE
    found = json.loads(capsys.readouterr().out)
    assert found["certified"] is True
    assert found["fit_measures"]["df"] == 25


def test_an_uncertified_fit_ends_with_three(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["fit", "ecsi_mobile", "--cov", "ecsi_mobile"]) == UNCERTIFIED
    assert capsys.readouterr().out.startswith("NOT CERTIFIED")
    assert main(["fit", "ecsi_mobile", "--cov", "ecsi_mobile", "--format", "csv"]) == UNCERTIFIED
    assert "NOT CERTIFIED" in capsys.readouterr().err


def test_diagnose_names_cause_and_remedy(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert main(["diagnose", "ecsi_mobile", "--cov", "ecsi_mobile"]) == UNCERTIFIED
    assert "drop the path Loyalty ~ Image" in capsys.readouterr().out
    assert main(["diagnose", "chain.lav", "data.csv", "--lang", "zh"]) == DONE
    assert "未发现问题" in capsys.readouterr().out
    (folder / "loop.lav").write_text("A =~ a1 + a2 + a3\nA ~ b1\nb1 ~ A\n", encoding="utf-8")
    assert main(["fit", "loop.lav", "data.csv"]) == WRONG
    capsys.readouterr()
    assert main(["diagnose", "loop.lav", "data.csv"]) == UNCERTIFIED
    assert "drop the path A ~ b1" in capsys.readouterr().out


def test_run_writes_where_it_says(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "study.toml").write_text(
        '[data]\npath = "data.csv"\n[model]\nid = "./chain.lav"\n[efa]\nrun = false\n[output]\nformats = ["json"]\n'
    )
    assert main(["run", "study.toml"]) == DONE
    assert "Written to results" in capsys.readouterr().out
    assert sorted(path.name for path in (folder / "results").iterdir()) == ["manifest.json", "results.json"]
    assert main(["run", "study.toml", "--out", "other"]) == DONE
    assert (folder / "other" / "results.json").exists()


def test_check_counts_and_looks_at_the_data(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert main(["check", "chain.lav", "data.csv"]) == DONE
    out = capsys.readouterr().out
    assert "degrees of freedom  25" in out
    assert "300 of 300 respondents" in out


def test_models_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == DONE
    assert "core" in capsys.readouterr().out
    assert main(["models", "show", "core", "--lang", "zh"]) == DONE
    out = capsys.readouterr().out
    assert "TRU ~ sat_tru*SAT" in out
    assert "顾客满意" in out


# What goes wrong


def test_a_missing_file_is_named_with_the_nearest(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert "'data.csv'" in fails(capsys, folder, "fit", "chain.lav", "dat.csv", "--out", "out")
    assert "'chain.lav'" in fails(capsys, folder, "fit", "chian.lav", "data.csv", "--out", "out")
    assert "'core'" in fails(capsys, folder, "models", "show", "coer")
    assert "needs an id" in fails(capsys, folder, "models", "show")
    assert "no study file" in fails(capsys, folder, "run", "study.toml")


def test_an_empty_file(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "data.csv").write_bytes(b"")
    assert "empty" in fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", "out")
    (folder / "data.csv").write_text(",".join(ITEMS) + "\n")
    assert "no rows" in fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", "out")
    (folder / "cov.csv").write_bytes(b"\n\n")
    assert "empty" in fails(capsys, folder, "fit", "chain.lav", "--cov", "cov.csv", "--nobs", "300")
    (folder / "chain.lav").write_bytes(b"")
    assert fails(capsys, folder, "fit", "chain.lav", "data.csv")


def test_a_wrong_encoding(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "data.csv").write_bytes(b"a1,a2\n\xff\xfe\x81\x00,2\n")
    fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", "out")
    (folder / "chain.lav").write_bytes("A =~ a1 # 顾客".encode("gb18030"))
    assert "UTF-8" in fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", "out")


def test_a_text_answer_in_a_numeric_item(capsys: pytest.CaptureFixture[str], folder: Path, chain: pd.DataFrame) -> None:
    frame = chain.astype(object)
    frame.loc[6, "b2"] = "often"
    frame.to_csv(folder / "data.csv", index=False)
    text = fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", "out")
    assert "'b2'" in text
    assert "'often'" in text


def test_a_constant_item(capsys: pytest.CaptureFixture[str], folder: Path, chain: pd.DataFrame) -> None:
    chain.assign(c3=4).to_csv(folder / "data.csv", index=False)
    assert "'c3' = 4" in fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", "out")


def test_an_item_that_is_not_in_the_data(capsys: pytest.CaptureFixture[str], folder: Path, chain: pd.DataFrame) -> None:
    chain.rename(columns={"a1": "a01"}).to_csv(folder / "data.csv", index=False)
    text = fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", "out")
    assert "'a1' Did you mean 'a01'?" in text
    assert "'a1'" in fails(capsys, folder, "check", "chain.lav", "data.csv")


def test_a_duplicate_column(capsys: pytest.CaptureFixture[str], folder: Path, chain: pd.DataFrame) -> None:
    chain.to_csv(folder / "data.csv", index=False, header=["a1", "a1", *ITEMS[2:]])
    assert "same name" in fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", "out")


def test_fewer_respondents_than_items(capsys: pytest.CaptureFixture[str], folder: Path, chain: pd.DataFrame) -> None:
    chain.head(8).to_csv(folder / "data.csv", index=False)
    assert "smaller than number of items: 8" in fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", "out")
    text = fails(capsys, folder, "fit", "chain.lav", "--cov", "cov.csv", "--nobs", "8")
    assert "smaller than number of items" in text


def test_a_matrix_that_is_no_covariance_matrix(
    capsys: pytest.CaptureFixture[str], folder: Path, chain: pd.DataFrame
) -> None:
    words = ("fit", "chain.lav", "--cov", "cov.csv", "--nobs", "300", "--out", "out")
    crooked = chain.cov()
    crooked.iloc[0, 1] += 0.1
    crooked.to_csv(folder / "cov.csv")
    assert "not symmetric: (a1, a2)" in fails(capsys, folder, *words)
    singular = chain.assign(a3=chain["a1"] + chain["a2"]).cov()
    singular.to_csv(folder / "cov.csv")
    assert "not positive definite" in fails(capsys, folder, *words)
    swapped = chain.cov()
    swapped.index = pd.Index(["a2", "a1", *ITEMS[2:]])
    swapped.to_csv(folder / "cov.csv")
    assert "same names in the same order" in fails(capsys, folder, *words)
    (folder / "cov.csv").write_text("a1,a2\n1,x\nx,1\n")
    assert "'x' at (a1, a2) is not a number" in fails(capsys, folder, *words)
    (folder / "cov.csv").write_text("a1,a2\n1,0\n")
    assert "2 names in the first row, but 1 rows" in fails(capsys, folder, *words)
    assert "--nobs is missing" in fails(capsys, folder, *words[:4])
    assert "Give either DATA or --cov" in fails(capsys, folder, "fit", "chain.lav")


def test_a_model_that_is_not_identified(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "chain.lav").write_text("A =~ a1 + a2\n")
    assert "not identified" in fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", "out")
    assert "not identified" in fails(capsys, folder, "check", "chain.lav")
    (folder / "chain.lav").write_text("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nA ~ B\nB ~ A\n")
    assert "whatever the data" in fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", "out")
    assert "whatever the data" in fails(capsys, folder, "check", "chain.lav")


def test_a_syntax_error_shows_the_place(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "chain.lav").write_text("A =~ a1 + a2 + a3\nB =~ b1 + + b2\n")
    for verb in ("fit", "check"):
        text = fails(capsys, folder, verb, "chain.lav", "data.csv")
        assert "Line 2, column 11" in text
        assert "\n              ^\n" in text + "\n"


def test_fit_with_bootstrap_draws(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    words = ["fit", "chain.lav", "data.csv", "--bootstrap", "60", "--interval", "basic", "--seed", "4"]
    printed = {}
    for format in ("text", "csv"):
        assert main([*words, "--format", format]) == 0
        printed[format] = capsys.readouterr()
    assert "SE, p and intervals from 60 bootstrap draws (basic); all converged." in printed["text"].out
    assert printed["csv"].out.startswith("lhs,op,rhs,group,label,est,se,z,pvalue,ci_lower,ci_upper,std_lv,std_all,bias")
    assert "\u2588" not in printed["text"].err  # no bar where nobody watches
    assert main([*words, "--format", "csv", "--workers", "2"]) == 0
    assert capsys.readouterr().out == printed["csv"].out


def test_what_is_not_supported_is_said(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    said = fails(capsys, folder, "fit", "chain.lav", "data.csv", "--estimator", "WLSMV")
    assert "--estimator 'WLSMV' is not for continuous items; available: ML, MLM" in said
    assert "Ordinal items need --ordered." in said
    said = fails(capsys, folder, "fit", "chain.lav", "data.csv", "--estimator", "ULS")
    assert "no verdict could rest on it" in said
    assert "--bootstrap draws = 1" not in fails(capsys, folder, "fit", "chain.lav", "data.csv", "--bootstrap", "1")


def test_a_folder_with_other_files_is_left_alone(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert "would be lost" in fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", ".")


def test_wrong_words_end_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["fot"], ["fit"], ["fit", "m", "d", "--format", "xml"], ["fit", "m", "--nobs", "many"]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == WRONG
        assert "usage" in capsys.readouterr().err


def test_a_disk_that_refuses(capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "out")

    monkeypatch.setattr("sem_loyalty.study.write_results", refuse)
    text = fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", "out", status=REFUSED)
    assert "Permission denied: out" in text


def test_an_interrupt_ends_with_130(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sem_loyalty.study.study_estimates", interrupt)
    fails(capsys, folder, "fit", "chain.lav", "data.csv", "--out", "out", status=INTERRUPTED)


# The process


def test_help_and_version_are_quick_and_import_no_room(tmp_path: Path) -> None:
    code = (
        "import sys, sem_loyalty.cli as c\n"
        "try:\n    c.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('numpy', 'pandas', 'scipy', 'matplotlib', 'semopy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")
    times = []
    for _ in range(3):
        start = time.perf_counter()
        assert process("--help", cwd=tmp_path).returncode == DONE
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5
    assert process("--version", cwd=tmp_path).stdout == f"sem-loyalty {sem_loyalty.__version__}\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "gb18030", "latin-1"])
def test_any_terminal_can_show_the_output(tmp_path: Path, encoding: str) -> None:
    done = process(
        "fit", "iacobucci2009", "--cov", "iacobucci2009", cwd=tmp_path, env={"PYTHONIOENCODING": encoding}, text=False
    )
    assert done.returncode == DONE
    out = done.stdout.decode(encoding)  # type: ignore[attr-defined]
    assert "Certified" in out
    assert "?" not in out
    minus = "-" if encoding in ("ascii", "cp1252", "latin-1") else "−"
    assert f"log L         {minus}" in out or f"{minus}" in out.split("log L")[1][:20]
    shown = process(
        "models", "show", "core", "--lang", "zh", cwd=tmp_path, env={"PYTHONIOENCODING": encoding}, text=False
    )
    assert shown.returncode == DONE


def test_a_reader_that_stops_early_is_no_error(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": ROOT}
    command = f"{sys.executable} -m sem_loyalty models show core | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert done.stderr == b""
    assert done.returncode == DONE


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_tidies_up(folder: Path, sent: signal.Signals) -> None:
    code = (
        # A process started in the background ignores SIGINT, and its children with it.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys, time, sem_loyalty.study as s, sem_loyalty.publish.output as o, sem_loyalty.cli as c\n"
        "def slow(*_):\n    print('writing', flush=True)\n    time.sleep(60)\n"
        "o.report = slow\n"
        "sys.exit(c.main(['fit', 'chain.lav', 'data.csv', '--out', 'deep/out']))"
    )
    before = sorted(folder.rglob("*"))
    environment = os.environ | {"PYTHONPATH": ROOT}
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "writing\n"
    child.send_signal(sent)
    _, error = child.communicate(timeout=60)
    assert child.returncode == INTERRUPTED
    assert error == "sem-loyalty: Interrupted; nothing half-written is left behind.\n"
    assert sorted(folder.rglob("*")) == before
