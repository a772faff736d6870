"""A fit as text says what `estimates` and `fit_measures` say, without a DataFrame library."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    generator = np.random.default_rng(12)
    a = generator.standard_normal(240)
    b = 0.5 * a + 0.8 * generator.standard_normal(240)
    scores = {"a": a, "b": b}
    items = {f"{name}{k}": scores[name] + generator.standard_normal(240) for name in "ab" for k in "123"}
    return pd.DataFrame({**items, "site": np.where(np.arange(240) % 3, "north", "south")})


MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ path*A\ntwice := 2*path"


def test_every_parameter_stands_in_the_summary_with_its_numbers(answers):
    fitted = sl.fit(MODEL, answers)
    text = str(sl.summary(fitted))
    assert text.startswith(str(fitted))
    table = [line.split() for line in text.split("\n") if line.startswith("  ")]
    rows = sl.estimates(fitted)
    assert len(table) == len(rows)
    for line, row in zip(table, rows.itertuples(), strict=True):
        assert line[:3] == [row.lhs, row.op, row.rhs]
        numbers = line[4:] if row.label and row.op != ":=" else line[3:]
        np.testing.assert_allclose([float(cell) for cell in numbers[:2]], [row.est, row.se], atol=6e-4)
        shown = [row.ci_lower, row.ci_upper, row.std_all]
        np.testing.assert_allclose([float(cell) for cell in numbers[-3:]], shown, atol=6e-4)
        if row.se > 0:
            assert float(numbers[2]) == pytest.approx(row.z, abs=6e-3)
        else:
            assert len(numbers) == 5
    measures = sl.fit_measures(fitted)
    assert f"CFI {measures['cfi']:.3f}" in text
    assert f"RMSEA {measures['rmsea']:.3f} [{measures['rmsea_ci_lower']:.3f}, " in text


def test_groups_and_corrected_tests_are_named(answers):
    text = str(sl.summary(sl.fit(MODEL, answers, group="site", estimator="MLR")))
    assert "Loadings, group north" in text
    assert "Regressions, group south" in text
    assert "Defined parameters " in text
    found = sl.fit_measures(sl.fit(MODEL, answers, group="site", estimator="MLR"))
    assert f"corrected chi-square {found['chisq_scaled']:.3f}" in text
    assert f"CFI robust {found['cfi_robust']:.3f}" in text


def test_a_summary_that_cannot_be_trusted_says_so_first():
    # The loading of x would have to be sqrt(.85 * .85 / .6), above one.
    names = list("xyz")
    improper = pd.DataFrame([[1.0, 0.85, 0.85], [0.85, 1.0, 0.6], [0.85, 0.6, 1.0]], index=names, columns=names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sl.errors.ImproperSolutionWarning)
        fitted = sl.fit("F =~ x + y + z", sample_cov=improper, sample_nobs=200)
    assert not fitted.certificate.certified
    assert str(sl.summary(fitted)).startswith("NOT CERTIFIED")


def test_levels_are_checked(answers):
    with pytest.raises(sl.errors.ConfigurationError, match="level=2"):
        sl.summary(sl.fit(MODEL, answers), level=2.0)


def test_a_survey_file_is_fitted_and_summarised_without_heavy_imports(answers, tmp_path):
    path = tmp_path / "answers.csv"
    answers.drop(columns="site").to_csv(path, index=False)
    script = (
        "import sys, sem_loyalty as sl\n"
        f"print(sl.summary(sl.fit({MODEL!r}, {str(path)!r}, engine='kernel')))\n"
        "heavy = ['pandas', 'scipy.stats', 'scipy.optimize', 'numpy.f2py.crackfortran', 'numpy.testing._private']\n"
        "print([name for name in heavy if name in sys.modules])\n"
        "import numpy\n"
        "numpy.testing.assert_allclose(1.0, 1.0)\n"
        "print(callable(numpy.f2py.get_include))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=os.environ, check=True)
    text, heavy, works = done.stdout.rstrip().rsplit("\n", 2)
    assert text == str(sl.summary(sl.fit(MODEL, answers, engine="kernel")))
    assert heavy == "[]"
    assert works == "True"
