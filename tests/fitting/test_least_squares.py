"""Least squares against lavaan 0.6-14 (reference/least_squares.json, made by least_squares.R), and what it refuses.

Tolerances as in test_reference_fits.py: lavaan stops short of the minimum by up to 1e-4 of a standard error.
"""

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import DataError, NotSupported

FOLDER = Path(__file__).parents[1] / "reference"
REFERENCE = json.loads((FOLDER / "least_squares.json").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in REFERENCE["cases"]}
LEAST_SQUARES = ("GLS", "ULS", "WLS", "DWLS")

SMALL = "Quality =~ q1 + q2 + q3\nSatisfaction =~ s1 + s2 + s3\nLoyalty =~ l1 + l2 + l3"
EST = 1e-4
SE = 5e-5
# What lavaan leaves of the minimum enters an index of fit squared.
INDEX = 1e-7
# Measures of residuals are linear in what lavaan leaves; the residuals of one covariate here are in the hundreds.
RESIDUAL = 1e-5
RESIDUAL_MEASURES = {"rmr", "srmr", "crmr", "rmsea_ci_lower", "rmsea_ci_upper"}
MODIFICATION = 1e-3


@cache
def survey():
    return pd.DataFrame(json.loads((FOLDER / "fits.json").read_text(encoding="utf-8"))["datasets"]["survey"])


@cache
def fitted(name):
    case = CASES[name]
    args = {key.replace(".", "_"): value for key, value in case["args"].items()}
    if case["matrix"]:
        part = REFERENCE["matrix"]
        cov = pd.DataFrame(part["cov"], index=part["names"], columns=part["names"])
        return sl.fit(case["model"], sample_cov=cov, sample_nobs=part["nobs"], **args)
    return sl.fit(case["model"], survey(), **args)


def records(columns):
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def key(row):
    sides = sorted([row["lhs"], row["rhs"]]) if row["op"] == "~~" else [row["lhs"], row["rhs"]]
    return (row["op"], *sides, row["group"])


def apart(here, there, tolerance, scale):
    return there is not None and not (math.isfinite(here) and abs(here - there) <= tolerance * scale)


@pytest.mark.parametrize("name", CASES)
def test_estimates_are_those_of_lavaan(name):
    fit = fitted(name)
    assert fit.certificate.certified
    ours = {key(row): row for row in sl.estimates(fit).to_dict("records")}
    wrong = []
    for there in records(CASES[name]["estimates"]):
        here = ours.get(key(there))
        if here is None:
            wrong.append(f"{key(there)} absent")
            continue
        se = there["se"]
        checks = {"est": (EST, max(abs(there["est"]), se)), "std_all": (EST, 1.0), "std_lv": (EST, 1.0)}
        if se:
            checks |= {"se": (SE, se), "z": (EST, max(1.0, abs(there["z"]))), "pvalue": (EST, 1.0)}
        wrong += [
            f"{key(there)} {column}: {here[column]}, {there[column]} in lavaan"
            for column, (tolerance, scale) in checks.items()
            if apart(here[column], there[column], tolerance, scale)
        ]
    assert wrong == []


@pytest.mark.parametrize("name", CASES)
def test_fit_measures_are_those_of_lavaan(name):
    ours = sl.fit_measures(fitted(name))
    wrong = []
    for measure, there in CASES[name]["fit"].items():
        if measure not in ours:
            # Variants of srmr and rmr that no other estimator has here either.
            assert measure.endswith(("_nomean", "_bentler", "_mplus")), measure
            continue
        tolerance = RESIDUAL if measure in RESIDUAL_MEASURES else INDEX
        if apart(ours[measure], there, tolerance, max(1.0, abs(there or 0.0))):
            wrong.append(f"{measure}: {ours[measure]}, {there} in lavaan")
        if there is None:
            assert measure in ("pvalue", "baseline_pvalue"), measure
            assert math.isnan(ours[measure]), measure
    assert wrong == []


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "mi" in case])
def test_modification_indices_are_those_of_lavaan(name):
    ours = {key(row): row for row in sl.modification_indices(fitted(name)).to_dict("records")}
    wrong = []
    for there in records(CASES[name]["mi"]):
        if there["mi"] < 1e-6:
            continue
        here = ours.get(key(there))
        if here is None:
            wrong.append(f"{key(there)} absent, {there['mi']} in lavaan")
            continue
        for column in ("mi", "epc"):
            if apart(here[column], there[column], MODIFICATION, max(1.0, abs(there[column]))):
                wrong.append(f"{key(there)} {column}: {here[column]}, {there[column]} in lavaan")
    assert wrong == []


@pytest.mark.parametrize("estimator", LEAST_SQUARES)
def test_there_is_no_likelihood_and_so_no_criteria(estimator):
    measures = sl.fit_measures(sl.fit(SMALL, survey(), estimator=estimator))
    assert {"logl", "unrestricted_logl", "aic", "bic", "bic2"}.isdisjoint(measures)
    assert math.isnan(measures["pvalue"]) == (estimator == "ULS")


def test_unweighted_least_squares_says_that_it_has_no_test():
    text = str(sl.fit(SMALL, survey(), estimator="ULS"))
    assert "no chi-square test" in text
    assert ", p " not in text


@pytest.mark.parametrize("estimator", ["GLS", "WLS"])
def test_other_units_change_no_statistic(estimator):
    """Units of a marker move its construct; the rest is compared as standardised values."""
    data = survey()
    moved = data.assign(q2=data["q2"] * 1000.0, s3=data["s3"] * 0.01, l1=data["l1"] * 50.0)
    here, there = (sl.fit(SMALL, each, estimator=estimator) for each in (data, moved))
    assert there.chisq == pytest.approx(here.chisq, rel=1e-9)
    first, second = sl.estimates(here), sl.estimates(there)
    np.testing.assert_allclose(first["std_all"], second["std_all"], atol=1e-8)
    # Every parameter moves with its standard error, those of the construct whose marker moved as well.
    np.testing.assert_allclose(first["z"], second["z"], rtol=1e-7)


def test_diagonal_weights_follow_the_units_and_unweighted_ones_do_not():
    data = survey()
    moved = data.assign(q2=data["q2"] * 10.0)
    gap = {
        estimator: abs(sl.fit(SMALL, moved, estimator=estimator).chisq / sl.fit(SMALL, data, estimator=estimator).chisq)
        for estimator in ("DWLS", "ULS")
    }
    assert gap["DWLS"] == pytest.approx(1.0, abs=1e-9)
    assert abs(gap["ULS"] - 1.0) > 0.1


def test_generalised_least_squares_meets_likelihood_where_the_model_holds():
    """Both estimate the same population values, and their tests have one limit: here the sample is the population."""
    fit = sl.fit(SMALL, survey())
    implied = sl.model_implied(fit)["cov"]
    ml = sl.fit(SMALL, sample_cov=implied, sample_nobs=4000)
    gls = sl.fit(SMALL, sample_cov=implied, sample_nobs=4000, estimator="GLS")
    first, second = sl.estimates(ml), sl.estimates(gls)
    assert gls.chisq < 1e-9
    # S is divided by n in one and by n - 1 in the other.
    np.testing.assert_allclose(first["std_all"], second["std_all"], atol=1e-7)
    np.testing.assert_allclose(first["z"], second["z"], rtol=1e-3)


@pytest.mark.parametrize("estimator", ["WLS", "DWLS"])
def test_weights_from_fourth_moments_need_the_answers(estimator):
    cov = survey()[["q1", "q2", "q3"]].cov()
    with pytest.raises(NotSupported, match=r"needs `data`.*'ML', 'GLS', 'ULS'"):
        sl.fit("Q =~ q1 + q2 + q3", sample_cov=cov, sample_nobs=300, estimator=estimator)


def test_too_few_respondents_for_the_weight_matrix_are_refused():
    with pytest.raises(DataError, match="45 respondents, 45 moments"):
        sl.fit(SMALL, survey().head(45), estimator="WLS")


def test_a_weight_matrix_that_is_singular_is_refused():
    """The variance of a variable with two values follows from its mean, so the two moments have one dimension."""
    with pytest.raises(DataError, match="singular"):
        sl.fit("Q =~ q1 + q2 + q3\nQ ~ member", survey(), estimator="WLS", meanstructure=True)


def test_halves_of_two_values_have_a_variance_that_does_not_vary():
    data = survey().assign(half=np.tile([0.0, 1.0], 150))
    with pytest.raises(DataError, match="singular"):
        sl.fit("Q =~ q1 + q2 + q3\nQ ~ half", data, estimator="DWLS")


def test_semopy_is_left_to_likelihood():
    with pytest.raises(NotSupported, match="engine='auto' or 'kernel'"):
        sl.fit(SMALL, survey(), estimator="GLS", engine="semopy")
    assert sl.fit(SMALL, survey(), estimator="GLS").engine == "kernel"


@pytest.mark.parametrize("estimator", LEAST_SQUARES)
def test_reliability_takes_the_moments_that_were_fitted(estimator):
    """A just-identified model reproduces its moments whatever the weight, so all coefficients are those of ML."""
    ml, other = (sl.fit("Q =~ q1 + q2 + q3", survey(), estimator=name) for name in ("ML", estimator))
    pd.testing.assert_frame_equal(sl.reliability(ml), sl.reliability(other), rtol=1e-7)


def test_nested_models_are_compared_where_the_statistic_is_a_chi_square():
    from sem_loyalty.inference.hypothesis_tests import likelihood_ratio_test

    narrow = "Q =~ q1 + k*q2 + k*q3\nS =~ s1 + s2 + s3"
    wide = "Q =~ q1 + q2 + q3\nS =~ s1 + s2 + s3"
    fits = {name: [sl.fit(text, survey(), estimator=name) for text in (wide, narrow)] for name in ("GLS", "DWLS")}
    frame = likelihood_ratio_test(*fits["GLS"])
    assert frame["chisq_diff"].iloc[1] == pytest.approx(fits["GLS"][1].chisq - fits["GLS"][0].chisq)
    assert frame["aic"].isna().all()
    with pytest.raises(NotSupported, match="no chi-square"):
        likelihood_ratio_test(*fits["DWLS"])
