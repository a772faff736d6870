"""Models for lavaan, Mplus and semopy: what their texts say, and that no name can break out of its place."""

import json
import re

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.cli import main
from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.model.syntax import parse
from sem_loyalty.publish import export_model
from sem_loyalty.publish.export.names import plain
from sem_loyalty.publish.settings import PROGRAMS, Output
from sem_loyalty.survey.published import demo_codebook_path, demo_path

HOSTILE = ["x'); system('rm *') #", "back\\slash", "new!line", "a" * 1000, "$dollar", "；", "x y", "1st", "if"]


def answers(n=200, seed=2):
    rng = np.random.default_rng(seed)
    trait = rng.normal(size=n)
    later = 0.6 * trait + rng.normal(size=n)
    columns = {f"x{k}": 0.8 * trait + rng.normal(size=n) for k in range(1, 4)}
    columns |= {f"y{k}": 0.8 * later + rng.normal(size=n) for k in range(1, 4)}
    return pd.DataFrame(columns)


MODEL = "X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3\nY ~ b*X\n"


@pytest.fixture(scope="module")
def fit():
    return sl.fit(MODEL, answers())


def model_in(script):
    """The model text inside an R script, its escapes undone."""
    body = re.search(r"model <- '\n((?:[^'\\]|\\.)*)'", script).group(1)
    return re.sub(r"\\(.)", r"\1", body)


def test_lavaan_script_holds_the_same_model(fit):
    export = sl.export_model(fit)
    assert parse(model_in(export.text)) == parse(MODEL)
    assert "estimator = 'ML'" in export.text
    assert "missing = 'listwise'" in export.text
    assert set(export.files) == {"lavaan.R", "data.csv"}


@pytest.mark.parametrize("id", sl.models()["id"])
def test_every_library_model_can_be_written(id):
    model = sl.load_model(id)
    script = sl.export_model(model).text
    assert parse(model_in(script)) == parse(model.text)
    mplus = sl.export_model(model, "mplus").text
    assert max(map(len, mplus.splitlines())) <= 90
    assert [line for line in mplus.splitlines() if re.fullmatch("[A-Z]+:", line)][:4] == [
        "TITLE:", "DATA:", "VARIABLE:", "ANALYSIS:",
    ]  # fmt: skip


def test_answers_come_back_as_they_were(fit, tmp_path):
    sl.export_model(fit, "lavaan", tmp_path / "out")
    back = pd.read_csv(tmp_path / "out" / "data.csv")
    pd.testing.assert_frame_equal(back, answers()[list(back.columns)], check_exact=True)


def test_arguments_of_the_fit_are_written():
    data = answers(400)
    data["g"] = np.where(np.arange(400) % 2, "b", "a")
    data = data.mask(np.random.default_rng(1).random(data.shape) < 0.05).assign(g=data["g"])
    grouped = sl.fit(MODEL.replace("b*", ""), data, group="g", missing="fiml", group_equal="loadings", std_lv=True,
                     group_partial=["X =~ x2"])  # fmt: skip
    export = sl.export_model(grouped)
    for argument in ("group = 'group'", "missing = 'fiml'", "group.equal = c('loadings')", "std.lv = TRUE",
                     "group.partial = c('X =~ x2')", "meanstructure = TRUE", "fixed.x = TRUE"):  # fmt: skip
        assert argument in export.text
    rows = export.files["data.csv"].splitlines()
    assert rows[0] == "x1,x2,x3,y1,y2,y3,group"
    assert rows[1].endswith(",b") or rows[1].endswith(",a")
    assert any(",," in row for row in rows)


def test_growth_and_matrices_have_their_calls(fit):
    data = answers()
    matrix = sl.fit(MODEL, sample_cov=data.cov(), sample_nobs=200)
    export = sl.export_model(matrix)
    assert set(export.files) == {"lavaan.R"}
    assert "sample.cov = covariances" in export.text
    assert "sample.nobs = list(200)" in export.text
    numbers = re.search(r"getCov\(c\((.*?)\), names", export.text, re.DOTALL).group(1)
    lower = data.cov().to_numpy()[np.tril_indices(6)]
    assert np.allclose([float(x) for x in numbers.replace("\n", "").split(",")], lower, rtol=1e-12)
    assert "growth(" in sl.export_model(sl.specify("i =~ 1*x1 + 1*x2 + 1*x3", kind="growth")).text


def hostile_fit():
    names = HOSTILE[:6]
    data = answers().set_axis(names, axis=1)
    quoted = [f'"{name}"' for name in names]
    text = (
        f'"if" =~ {" + ".join(quoted[:3])}\nY =~ {" + ".join(quoted[3:])}\nY ~ "TRUE ! ;"*"if"\n"d:= e" := 2*"TRUE ! ;"'
    )
    return sl.fit(text, data)


def test_names_cannot_leave_their_place():
    found = hostile_fit()
    script = sl.export_model(found).text
    code = [line for line in script.splitlines() if not line.startswith("#")]
    assert not any("system" in line or "rm *" in line for line in code)
    # Quotes and parentheses outside comments are those that this package wrote.
    assert "\n".join(code).count("'") % 2 == 0
    model = parse(model_in(script))
    assert [s.op for s in model.statements] == [s.op for s in parse(found.specification.text).statements]
    mplus = sl.export_model(found, "mplus").text
    statements = [line for line in mplus.splitlines() if not line.startswith(("!", "  !"))]
    assert not any("system" in line or "TRUE" in line for line in statements)
    for line in statements:
        assert line.isascii()
    used = re.findall(r"[A-Za-z]\w*", " ".join(statements[statements.index("MODEL:") :]))
    assert all(len(name) <= 12 for name in used)
    # 1,000 characters end in an ellipsis.
    assert max(map(len, script.splitlines())) < 200
    assert max(map(len, mplus.splitlines())) <= 90


def test_a_line_break_ends_no_comment():
    data = answers().assign(g=np.where(np.arange(200) % 2, "one\nsystem('x')", "two"))
    found = sl.fit(MODEL.replace("b*", ""), data, group="g")
    text = sl.export_model(found, "mplus").text
    assert "  ! g2: one system('x')" in text or "  ! g1: one system('x')" in text
    assert plain("a\nb\u2028c\rd") == "a b c d"


def test_mplus_states_every_parameter():
    found = sl.fit(MODEL + "X ~~ v*X\ndirect := b*v\nb == 0.5\nv > 0.1", answers())
    text = sl.export_model(found, "mplus").text
    assert "  X BY x1@1\n       x2*\n       x3*;" in text
    label = re.search(r"Y ON X\* \((p\d+)\);", text).group(1)
    other = re.search(r"  X\* \((p\d+)\);", text).group(1)
    assert f"  NEW (direct);\n  direct = {label}*{other};" in text
    assert f"  0 = (1)*{label} - (0.5);" in text
    assert f"  0 < (1)*{other} - (0.1);" in text
    assert "MODINDICES" not in text
    assert "INFORMATION = EXPECTED;" in text
    body = sl.export_model(found, "mplus").files["mplus.dat"].splitlines()
    assert np.allclose([[float(x) for x in row.split()] for row in body], answers().to_numpy())


def test_mplus_takes_missing_answers_groups_and_ordinal_items():
    data = answers(400).apply(lambda column: pd.cut(column, 3, labels=False) + 1).astype(float)
    data.iloc[0, 0] = np.nan
    data["g"] = np.where(np.arange(400) % 2, "b", "a")
    found = sl.fit(MODEL.replace("b*", ""), data, ordered=True, group="g", missing="pairwise",
                   group_equal=["thresholds", "loadings"])  # fmt: skip
    export = sl.export_model(found, "mplus")
    assert "  CATEGORICAL = x1 x2 x3 y1 y2 y3;" in export.text
    assert "  GROUPING = grp (1 = g1 2 = g2);" in export.text
    assert "  MISSING = ALL (-9999);" in export.text
    first, second = export.text.split("MODEL g1:")[1].split("MODEL g2:")
    # Held equal by the same label; scales and means are free in the second group only.
    assert re.search(r"\[x1\$1\*\] \((p\d+)\)", first).group(1) == re.search(r"\[x1\$1\*\] \((p\d+)\)", second).group(1)
    for fixed, free in (("{x1@1}", "{x1*}"), ("[X@0]", "[X*]")):
        assert fixed in first
        assert free in second
    assert export.files["mplus.dat"].count("-9999") == 1


def test_mplus_frees_no_covariance_by_itself():
    spec = sl.specify("X =~ x1 + x2 + x3\nY =~ y1 + y2 + y3", orthogonal=True)
    assert "  X WITH Y@0;" in sl.export_model(spec, "mplus").text
    text = sl.export_model(sl.specify(MODEL + "z ~ Y\nw ~ Y\nz ~~ 0*w"), "mplus").text
    assert "  z WITH w@0;" in text
    routes = sl.export_model(sl.specify("Y ~ M\nM ~ X\nX =~ x1 + x2 + x3"), "mplus").text
    assert "MODEL INDIRECT:\n  Y IND X;" in routes


def test_mplus_of_a_matrix_says_nothing_of_means():
    data = answers()
    found = sl.fit(MODEL, sample_cov=data.cov(), sample_nobs=200)
    export = sl.export_model(found, "mplus")
    assert "TYPE = COVARIANCE;" in export.text
    assert "NOBSERVATIONS = 200;" in export.text
    assert "[" not in export.text.split("MODEL:")[1]
    rows = [[float(x) for x in row.split()] for row in export.files["mplus.dat"].splitlines()]
    assert [len(row) for row in rows] == [1, 2, 3, 4, 5, 6]
    assert np.allclose(np.concatenate(rows), data.cov().to_numpy()[np.tril_indices(6)], rtol=1e-10)


@pytest.mark.parametrize("std_lv", [False, True])
def test_semopy_finds_the_same_minimum(std_lv):
    semopy = pytest.importorskip("semopy")
    data = answers()
    found = sl.fit(MODEL.replace("b*", "") + "x1 ~~ y1\n", data, std_lv=std_lv)
    text = sl.export_model(found, "semopy").text
    model = semopy.Model(text)
    scaled = (data - data.mean()) / data.std(ddof=0)
    result = model.fit(scaled, obj="MLW", options={"ftol": 1e-12, "maxiter": 2000})
    # Twice a half: both are -2 log likelihood ratio over N; semopy's optimiser stops at about this.
    assert float(result.fun) == pytest.approx(found.value, abs=1e-6)


def test_semopy_says_what_it_lacks(fit):
    data = answers().apply(lambda column: pd.cut(column, 3, labels=False) + 1)
    with pytest.raises(NotSupported, match="ordinal"):
        sl.export_model(sl.fit("X =~ x1 + x2 + x3 + y1", data, ordered=True), "semopy")
    with pytest.raises(NotSupported, match="MLR"):
        sl.export_model(sl.fit(MODEL, answers(), estimator="MLR"), "semopy")
    with pytest.raises(NotSupported, match="inequalities"):
        sl.export_model(sl.fit(MODEL + "b > 0", answers()), "semopy")
    with pytest.raises(NotSupported, match="constraints"):
        sl.export_model(sl.fit(MODEL + "b == 0.5", answers()), "semopy")
    defined = sl.export_model(sl.fit(MODEL + "twice := 2*b", answers()), "semopy")
    assert "# semopy has no defined parameters: twice := 2*b" in defined.text


def test_what_other_programs_lack_is_refused(fit):
    with pytest.raises(ConfigurationError, match="lavaan"):
        sl.export_model(fit, "lavan")
    data = answers().apply(lambda column: pd.cut(column, 3, labels=False) + 1)
    diagonal = sl.fit("X =~ x1 + x2 + x3 + y1", data, ordered=True, estimator="DWLS")
    with pytest.raises(NotSupported, match="WLSMV"):
        sl.export_model(diagonal, "mplus")


def study_with(tmp_path, programs):
    demo = demo_path().as_posix(), demo_codebook_path().as_posix()
    lines = ["[data]", f"path = '{demo[0]}'", f"codebook = '{demo[1]}'", "[model]", "id = 'core'", "estimator = 'MLR'",
             "[screen]", "run = false", "[efa]", "run = false", "[output]", "formats = ['json']",
             f"export = {programs}"]  # fmt: skip
    (tmp_path / "study.toml").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "study.toml"


def test_a_study_exports_only_what_it_is_asked_for(tmp_path):
    results = sl.run(study_with(tmp_path, '["lavaan", "semopy"]'), out=tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out" / "export").iterdir()) == ["data.csv", "lavaan.R"]
    # semopy has no MLR: the study says so and goes on.
    assert any("No export to semopy" in message for message in results.warnings)
    outputs = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["outputs"]
    assert "export/lavaan.R" in outputs
    rows = (tmp_path / "out" / "export" / "data.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == results.fit.moments.n + 1


def test_the_settings_name_the_programs():
    assert tuple(export_model.PROGRAMS) == PROGRAMS
    assert Output().export == ()


def test_command_line(tmp_path, capsys):
    assert main(["export", "core", "--to", "mplus"]) == 0
    assert capsys.readouterr().out.startswith("TITLE:")
    words = ["export", "core", str(demo_path()), "--codebook", str(demo_codebook_path()), "--out", str(tmp_path / "r")]
    assert main(words) == 0
    assert "lavaan.R, data.csv" in capsys.readouterr().out
    assert (tmp_path / "r" / "data.csv").is_file()
    assert main(["export", "panel_growth", "--to", "semopy"]) == 2
    assert "cannot be written for semopy" in capsys.readouterr().err


def test_a_folder_is_written_whole_or_not_at_all(fit, tmp_path):
    folder = tmp_path / "out"
    sl.export_model(fit, "lavaan", folder)
    sl.export_model(fit, "mplus", folder)  # replaces the older export
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "mplus.dat", "mplus.inp"]
    assert set(json.loads((folder / "manifest.json").read_text())["outputs"]) == {"mplus.dat", "mplus.inp"}
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match=r"mine\.txt"):
        sl.export_model(fit, "lavaan", folder)
    assert (folder / "mplus.inp").is_file()
    first, second = sl.export_model(fit).files, sl.export_model(fit).files
    assert first == second
