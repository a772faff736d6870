"""Full-information maximum likelihood against lavaan 0.6-14 (reference/fiml.json, made by fiml.R), and its refusals.

lavaan stops up to 1e-5 of a standard error from the minimum; what is flat there agrees to 1e-7, estimates to 2e-5,
corrected tests, which multiply several estimates, to 5e-5, modification indices to 1e-3.
"""

import json
import math
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError, DataWarning

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "fiml.json").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in REFERENCE["cases"]}
DATA = pd.DataFrame(REFERENCE["data"])
# gfi, agfi and pgfi are products of sums over pairs; the ends of intervals come from bisection in lavaan.
LOOSE = ("_scaled", "_robust", "_factor", "_lower", "_upper")
# lavaan says one thing of the robust indices where a covariate's moments are free by fixed.x = FALSE, and another
# where the same moments are written out; ours are the latter (case mimic_written_x).
DOUBTFUL = {"mimic_random_x": "_robust"}


@cache
def fitted(name: str):
    case = CASES[name]
    arguments = {key.replace(".", "_"): value for key, value in dict(case["args"] or {}).items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return sl.fit(case["model"], DATA, missing="fiml", **arguments)


def by_name(frame: pd.DataFrame) -> dict:
    found = {}
    for row in frame.to_dict("records"):
        lhs, op, rhs = row["lhs"], row["op"], "" if row["op"] == ":=" else row["rhs"]
        group = 0 if op == ":=" else row.get("group", 1)
        found[lhs, op, rhs, group] = row
        if op == "~~":
            found[rhs, op, lhs, group] = row
    return found


@pytest.mark.parametrize("name", CASES)
def test_estimates_and_standard_errors(name):
    case, fit = CASES[name], fitted(name)
    assert fit.certificate.certified
    assert (fit.moments.n, fit.moments.n_collected) == (case["n"], len(DATA))
    ours, theirs = by_name(sl.estimates(fit)), by_name(pd.DataFrame(case["estimates"]))
    compared = 0
    for key, there in theirs.items():
        if key not in ours:
            assert there["est"] == 0.0, key
            continue
        here = ours[key]
        for column, name_there in (("est", "est"), ("se", "se"), ("std_lv", "std.lv"), ("std_all", "std.all")):
            value = there[name_there]
            if value is not None and math.isfinite(value):
                assert here[column] == pytest.approx(value, rel=2e-5, abs=2e-5), (key, column)
                compared += 1
    assert compared > 30


@pytest.mark.parametrize("name", CASES)
def test_fit_measures(name):
    ours, theirs = sl.fit_measures(fitted(name)), CASES[name]["fit"]
    compared = set()
    for dotted, there in theirs.items():
        measure = dotted.replace(".", "_")
        if measure not in ours or there is None or measure.endswith(DOUBTFUL.get(name, "?")):
            continue
        if name == "path" and measure.startswith("cn_"):
            continue
        tolerance = 5e-5 if measure.endswith(LOOSE) or "pvalue" in measure else 2e-6
        assert ours[measure] == pytest.approx(there, rel=tolerance, abs=tolerance), measure
        compared.add(measure)
    wanted = {"chisq", "baseline_chisq", "logl", "unrestricted_logl", "bic", "srmr", "gfi", "cfi"}
    if name not in DOUBTFUL:
        wanted |= {"cfi_robust", "tli_robust", "rmsea_robust", "rmsea_ci_upper_robust", "rmsea_pvalue_robust"}
    if name.endswith("_mlr"):
        wanted |= {"chisq_scaled", "chisq_scaling_factor", "baseline_chisq_scaling_factor", "rmsea_ci_upper_scaled"}
    assert wanted <= compared


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["mi"] and name != "path"])
def test_modification_indices(name):
    ours = by_name(sl.modification_indices(fitted(name)))
    groups = len(fitted(name).moments.groups)
    for there in pd.DataFrame(CASES[name]["mi"]).to_dict("records"):
        keys = [(there["lhs"], there["op"], there["rhs"], group) for group in range(1, groups + 1)]
        near = min((ours[key] for key in keys if key in ours), key=lambda row: abs(row["mi"] - there["mi"]))
        assert near["mi"] == pytest.approx(there["mi"], rel=1e-3, abs=1e-3)
        assert near["epc"] == pytest.approx(there["epc"], rel=1e-3, abs=1e-3)


def test_complete_rows_give_maximum_likelihood_with_means():
    data = DATA.dropna()
    model = CASES["cfa"]["model"]
    full, plain = sl.fit(model, data, missing="fiml"), sl.fit(model, data, meanstructure=True)
    np.testing.assert_allclose(full.theta, plain.theta, rtol=0, atol=1e-9)
    assert full.chisq == pytest.approx(plain.chisq, abs=1e-8)
    assert full.df == plain.df
    ours, theirs = sl.fit_measures(full), sl.fit_measures(plain)
    for measure in theirs:
        assert ours[measure] == pytest.approx(theirs[measure], rel=1e-7, abs=1e-7), measure
    robust = sl.fit(model, data, missing="fiml", estimator="MLR")
    other = sl.fit(model, data, meanstructure=True, estimator="MLR")
    np.testing.assert_allclose(sl.estimates(robust)["se"], sl.estimates(other)["se"], rtol=1e-7, atol=1e-9)
    assert sl.fit_measures(robust)["chisq_scaled"] == pytest.approx(sl.fit_measures(other)["chisq_scaled"], rel=1e-8)


def test_aliases_and_display():
    fit = fitted("cfa")
    for alias in ("ml", "direct"):
        again = sl.fit(CASES["cfa"]["model"], DATA, missing=alias)
        np.testing.assert_array_equal(again.theta, fit.theta)
        assert again.moments.missing == "fiml"
    assert fit.engine == "kernel"
    assert "N = 217 of 220; 3 rows left out (nothing to use); missing answers by full information" in str(fit)


def test_rows_without_a_fixed_covariate_are_left_out_with_a_warning():
    model = CASES["mimic"]["model"]
    with pytest.warns(DataWarning, match=r"5 of 220 rows were left out.*\(x2; x1\).*fixed_x=False keeps them"):
        fit = sl.fit(model, DATA, missing="fiml")
    assert fit.moments.n == 214
    assert sl.fit(model, DATA, missing="fiml", fixed_x=False).moments.n == 219


def with_column(name, values):
    return DATA.assign(**{name: values})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (with_column("y1", np.nan), "nobody answered: 'y1'"),
        (with_column("y1", np.where(DATA["z1"].isna(), DATA["x1"], np.nan)), "together.*'y1' and 'z1'"),
        (with_column("y1", np.where(DATA["y1"].isna(), np.nan, 4.0)), "same answer in every row: 'y1' = 4"),
        (DATA.head(6), "smaller than number of items"),
    ],
)
def test_what_the_answers_cannot_say_is_refused(data, message):
    with pytest.raises(DataError, match=message):
        sl.fit(CASES["cfa"]["model"], data, missing="fiml")


def test_a_covariance_matrix_has_no_missing_answers():
    cov = DATA[["y1", "y2", "y3", "y4"]].cov()
    with pytest.raises(ConfigurationError, match="needs the answers"):
        sl.fit("f =~ y1 + y2 + y3 + y4", sample_cov=cov, sample_nobs=100, missing="fiml")
