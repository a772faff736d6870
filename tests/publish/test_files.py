"""Files appear whole or not at all, and nobody loses a file that is not ours."""

import json
import os
from pathlib import Path

import pytest

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.publish.files import check_folder, results_folder, write_bytes, write_text
from sem_loyalty.publish.manifest import digests, manifest, sha256, to_json, versions


def fill(out: Path, text: str = "new", *, beside: str = "") -> None:
    with results_folder(out) as folder:
        if beside:
            (out / "notes.txt").write_text(beside)
        write_text(folder / "tables" / "a.csv", text)
        write_text(folder / "manifest.json", to_json({"outputs": digests(folder)}))


def interrupt(out: Path, error: BaseException) -> None:
    with results_folder(out) as folder:
        write_text(folder / "half.csv", "half")
        raise error


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_file_is_replaced_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "x.txt"
    assert write_text(target, "α\r\n") == target
    assert target.read_bytes() == "α\r\n".encode()
    write_bytes(target, b"2")
    assert names(tmp_path) == ["deep/x.txt"]
    assert target.read_bytes() == b"2"


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = write_text(tmp_path / "x.txt", "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_text(target, "new")
    assert names(tmp_path) == ["x.txt"]
    assert target.read_text() == "old"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is a folder"):
        write_text(tmp_path, "x")


def test_results_are_swapped_in_whole(tmp_path: Path) -> None:
    out = tmp_path / "a" / "results"
    fill(out, "old")
    fill(out, "new")
    assert names(tmp_path) == ["a/results/manifest.json", "a/results/tables/a.csv"]
    assert (out / "tables" / "a.csv").read_text() == "new"
    assert list((tmp_path / "a").iterdir()) == [out]


@pytest.mark.parametrize("error", [OSError(28, "full"), KeyboardInterrupt(), ConfigurationError("no")])
def test_an_interrupted_run_leaves_older_results(tmp_path: Path, error: BaseException) -> None:
    out = tmp_path / "results"
    fill(out, "old")
    with pytest.raises(type(error)):
        interrupt(out, error)
    assert names(tmp_path) == ["results/manifest.json", "results/tables/a.csv"]
    assert (out / "tables" / "a.csv").read_text() == "old"


def test_an_interrupted_first_run_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), results_folder(tmp_path / "a" / "b" / "c"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_failed_swap_puts_the_older_results_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "results"
    fill(out, "old")
    replace = Path.replace

    def stubborn(self: Path, target: Path) -> Path:
        if ".partial-" in self.name:
            raise PermissionError(13, "in use")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", stubborn)
    with pytest.raises(PermissionError), results_folder(out) as folder:
        (folder / "x").write_text("x")
    monkeypatch.undo()
    assert names(tmp_path) == ["results/manifest.json", "results/tables/a.csv"]


def test_a_folder_with_other_files_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "thesis"
    fill(out)
    (out / ".DS_Store").write_text("litter of a file browser is no obstacle")
    fill(out)
    (out / "chapter.docx").write_text("years of work")
    with pytest.raises(ConfigurationError, match=r"chapter\.docx.*would be lost"), results_folder(out):
        pytest.fail("the work must not begin")
    assert (out / "chapter.docx").read_text() == "years of work"


def test_a_file_saved_there_during_the_run_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "results"
    fill(out, "old")
    with pytest.raises(ConfigurationError, match=r"notes\.txt"):
        fill(out, "new", beside="mine")
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "tables" / "a.csv").read_text() == "old"


def test_a_file_or_a_forged_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigurationError, match="is a file"):
        check_folder(tmp_path / "file")
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"outputs": 3}')
    with pytest.raises(ConfigurationError, match="not results"):
        check_folder(folder)
    assert check_folder(tmp_path / "new") == (tmp_path / "new").resolve()


def test_manifest_is_sorted_portable_and_without_a_clock(tmp_path: Path) -> None:
    write_text(tmp_path / "b" / "x.csv", "1")
    write_text(tmp_path / "a.json", "2")
    found = manifest(inputs={"data.csv": b"3"}, outputs=digests(tmp_path), seed=7, settings={"z": (1, 2), "a": None})
    assert list(found["outputs"]) == ["a.json", "b/x.csv"]  # type: ignore[call-overload]
    assert found["inputs"] == {"data.csv": sha256(b"3")}
    text = to_json(found)
    assert json.loads(text)["settings"] == {"a": None, "z": [1, 2]}
    assert text.index('"inputs"') < text.index('"outputs"') < text.index('"seed"') < text.index('"versions"')
    assert str(tmp_path) not in text
    assert {"python", "numpy", "sem_loyalty", "semopy"} <= set(versions())


def test_json_keeps_every_digit_and_has_no_nan() -> None:
    import numpy as np
    import pandas as pd

    values = {"x": np.float64(1 / 3), "n": np.int64(3), "nan": float("nan"), "na": pd.NA, "a": np.array([1.5, np.nan])}
    back = json.loads(to_json(values))
    assert back == {"x": 1 / 3, "n": 3, "nan": None, "na": None, "a": [1.5, None]}
