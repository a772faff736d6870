"""Residuals, their z-values and their summaries: against lavaan, and against refits of moved moments."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, NotSupported

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "residuals.json").read_text(encoding="utf-8"))
SURVEYS = {name: pd.DataFrame(columns) for name, columns in REFERENCE["data"].items()}
# With equality across groups lavaan leaves out what the sampling error of one group does to the fit of another.
WITH_ERRORS = [name for name in REFERENCE["cases"] if name != "groups"]


def fit_case(name):
    case = REFERENCE["cases"][name]
    options = {key.replace(".", "_"): value for key, value in case.get("options", {}).items()}
    return sl.fit(case["model"], SURVEYS[case["data"]], engine="kernel", **options)


@pytest.fixture(scope="module")
def fits():
    return {name: fit_case(name) for name in REFERENCE["cases"]}


def square(entries, names, observed):
    """Return the matrix of a lower triangle by columns, in the order of the fit."""
    p = len(names)
    matrix = np.zeros((p, p))
    col, row = np.triu_indices(p)
    matrix[row, col] = matrix[col, row] = np.array(entries, dtype=float)
    return pd.DataFrame(matrix, index=names, columns=names).loc[observed, observed].to_numpy()


@pytest.mark.parametrize("name", REFERENCE["cases"])
@pytest.mark.parametrize(("part", "type"), [("raw", "raw"), ("cor", "cor.bollen"), ("bentler", "cor.bentler")])
def test_residuals_are_those_of_lavaan(fits, name, part, type):
    fitted = fits[name]
    for group, there in enumerate(REFERENCE["cases"][name]["residuals"][part], start=1):
        found = sl.residuals(fitted, type=type, group=group)
        # lavaan's optimiser stops some 1e-6 from the minimum.
        np.testing.assert_allclose(found, square(there["cov"], there["names"], list(found)), atol=1e-5)
        if fitted.specification.meanstructure:
            means = sl.mean_residuals(fitted, type=type, group=group)
            np.testing.assert_allclose(means[there["names"]], there["mean"], atol=3e-6)


@pytest.mark.parametrize("name", WITH_ERRORS)
@pytest.mark.parametrize("type", ["normalized", "standardized"])
def test_z_values_are_those_of_lavaan(fits, name, type):
    fitted, compared = fits[name], 0
    for group, there in enumerate(REFERENCE["cases"][name]["plain"][type], start=1):
        found = sl.residuals(fitted, type=type, group=group).to_numpy()
        # Where the model fits a moment whatever the sample, rounding error is divided by rounding error.
        error = np.abs(np.array(REFERENCE["cases"][name]["residuals"]["raw"][group - 1]["cov_se"], dtype=float)) > 1e-9
        known = square(error, there["names"], list(fitted.specification.observed)) > 0
        expected = square(there["cov"], there["names"], list(fitted.specification.observed))
        assert type == "normalized" or np.isnan(found[~known]).all()
        np.testing.assert_allclose(found[known], expected[known], atol=2e-3, rtol=2e-4)
        compared += known.sum()
    assert compared >= 15


@pytest.mark.parametrize("name", ["restricted", "fiml", "fiml_MLR", "apart"])
def test_z_values_of_means_are_those_of_lavaan(fits, name):
    for group, there in enumerate(REFERENCE["cases"][name]["residuals"]["raw"], start=1):
        found = sl.mean_residuals(fits[name], type="standardized", group=group)[there["names"]].to_numpy()
        known = np.array(there["mean_se"]) > 1e-9
        expected = np.array(REFERENCE["cases"][name]["plain"]["standardized"][group - 1]["mean"])
        # lavaan rounds small ones to zero here and there.
        np.testing.assert_allclose(found[known], expected[known], rtol=2e-3, atol=2e-3)


NAMES = {
    "": "value", ".se": "se", ".exactfit.z": "exactfit_z", ".exactfit.pvalue": "exactfit_pvalue",
}  # fmt: skip
UNBIASED = {
    "": "unbiased", ".se": "unbiased_se", ".ci.lower": "ci_lower", ".ci.upper": "ci_upper",
    ".closefit.z": "closefit_z", ".closefit.pvalue": "closefit_pvalue",
}  # fmt: skip


@pytest.mark.parametrize("name", WITH_ERRORS)
@pytest.mark.parametrize(("part", "type"), [("raw", "raw"), ("cor", "cor.bollen"), ("bentler", "cor.bentler")])
def test_summaries_are_those_of_lavaan(fits, name, part, type):
    found = sl.residual_summary(fits[name], type=type)
    for group, there in enumerate(REFERENCE["cases"][name]["residuals"][part], start=1):
        rows = found[found["group"] == group].reset_index(drop=True)
        short = rows["name"][0]
        keys = {short + a: b for a, b in NAMES.items()} | {"u" + short + a: b for a, b in UNBIASED.items()}
        keys = {key.replace("ucrmr.ci.upper", "ucrmr.cilupper"): column for key, column in keys.items()}
        for key, column in keys.items():
            values = np.atleast_1d(np.array(there["summary"][key], dtype=float))
            for k in (0, 2) if len(rows) == 3 else (0,):
                assert rows[column][k] == pytest.approx(values[k], rel=2e-3, abs=2e-3), (key, k)


def test_errors_of_residuals_are_those_of_moved_moments(fits):
    fitted = fits["groups"]
    sizes = [group.n for group in fitted.moments.groups]
    data = [(sample.cov.copy(), sample.mean.copy()) for sample in fitted.samples]

    def refit(covs, means):
        moved = sl.fit(
            fitted.specification,
            sample_cov=[
                pd.DataFrame(c * n / (n - 1), index=names, columns=names) for c, n in zip(covs, sizes, strict=True)
            ],
            sample_mean=[pd.Series(m, index=names) for m in means],
            sample_nobs=sizes,
            engine="kernel",
        )
        return sl.residuals(moved, group=1).to_numpy()[1, 0]

    names = list(fitted.specification.observed)
    p, step, slopes, gammas = len(names), 1e-5, [], []
    for g, (sample, n) in enumerate(zip(fitted.samples, sizes, strict=True)):
        slope = []
        for k in range(p):
            covs, means = [c.copy() for c, _ in data], [m.copy() for _, m in data]
            means[g][k] += step
            slope.append(refit(covs, means))
        col, row = np.triu_indices(p)
        for i, j in zip(row, col, strict=True):
            covs, means = [c.copy() for c, _ in data], [m.copy() for _, m in data]
            covs[g][i, j] += step
            covs[g][j, i] = covs[g][i, j]
            slope.append(refit(covs, means))
        base = refit(*zip(*data, strict=True))
        slopes.append((np.array(slope) - base) / step)
        S = sample.cov
        gamma = np.zeros((len(slope), len(slope)))
        gamma[:p, :p] = S
        gamma[p:, p:] = S[np.ix_(row, row)] * S[np.ix_(col, col)] + S[np.ix_(row, col)] * S[np.ix_(col, row)]
        gammas.append(gamma / n)
    variance = sum(s @ g @ s for s, g in zip(slopes, gammas, strict=True))
    z = sl.residuals(fitted, type="standardized").to_numpy()[1, 0]
    raw = sl.residuals(fitted).to_numpy()[1, 0]
    # The derivative of the fit by the moments holds the second derivatives of F, its asymptotic form does not.
    assert raw / np.sqrt(variance) == pytest.approx(z, rel=0.05)


def test_what_has_no_errors_is_refused(fits):
    for estimator in ("ULS", "DWLS"):
        fitted = sl.fit(REFERENCE["cases"]["ML"]["model"], SURVEYS["complete"], estimator=estimator)
        assert np.isfinite(sl.residuals(fitted, type="cor.bentler")).all(axis=None)
        with pytest.raises(NotSupported, match=estimator):
            sl.residuals(fitted, type="standardized")
    with pytest.raises(ConfigurationError, match="no mean structure"):
        sl.mean_residuals(fits["ML"])
    with pytest.raises(ConfigurationError, match="type"):
        sl.residual_summary(fits["ML"], type="normalized")
    with pytest.raises(ConfigurationError, match="level"):
        sl.residual_summary(fits["ML"], level=90)
