"""Start values that lead to the lower minimum, and what happens where the first ones do not."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ImproperSolutionWarning, NotSupported, SpecificationError
from sem_loyalty.fitting.one_factor import one_factor

CASES = json.loads((Path(__file__).parents[1] / "reference" / "hard_starts.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
@pytest.mark.parametrize("engine", ["auto", "kernel"])
def test_models_that_good_starts_lead_astray(case, engine):
    matrix = pd.DataFrame(case["cov"], index=case["names"], columns=case["names"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImproperSolutionWarning)
        fitted = sl.fit(
            case["model"], sample_cov=matrix, sample_nobs=case["nobs"], kind=case["kind"], engine=engine, **case["args"]
        )
    # The covariances are rounded to six decimals.
    assert fitted.value <= case["value"] + 1e-5
    # One of them has a standardised path beyond 1 between collinear covariates, which is said and no more.
    assert {problem.code for problem in fitted.certificate.problems} <= {"standardised above one"}


def test_one_factor_recovers_its_loadings():
    loadings = np.array([0.8, -0.6, 0.7, 0.5])
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1.0)
    np.testing.assert_allclose(one_factor(correlation, sweeps=200), loadings, atol=1e-6)
    np.testing.assert_allclose(one_factor(correlation), loadings, atol=0.05)


@pytest.fixture(scope="module")
def two_groups() -> pd.DataFrame:
    generator = np.random.default_rng(21)
    x = generator.normal(size=300)
    f = 0.5 * x + generator.normal(size=300)
    items = {f"a{k}": f + generator.normal(size=300) for k in range(1, 5)}
    return pd.DataFrame({**items, "x": x, "g": np.where(np.arange(300) < 120, "one", "two")})


def test_equality_across_groups_leaves_random_covariates_alone(two_groups):
    model = "A =~ a1 + a2 + a3 + a4\nA ~ x"
    options = {"group": "g", "group_equal": ["loadings", "intercepts", "residuals"]}
    fixed = sl.fit(model, two_groups, **options)
    random = sl.fit(model, two_groups, fixed_x=False, **options)
    assert random.df == fixed.df
    assert random.chisq == pytest.approx(fixed.chisq, abs=1e-7)
    # Mean and variance of x, once per group, are the parameters that fixing takes away.
    assert random.specification.n_parameters == fixed.specification.n_parameters + 4


def test_groups_of_covariance_matrices_need_no_means(two_groups):
    parts = [part.drop(columns=["g", "x"]) for _, part in two_groups.groupby("g")]
    fitted = sl.fit(
        "A =~ a1 + a2 + a3 + a4",
        sample_cov=[part.cov() for part in parts],
        sample_nobs=[len(part) for part in parts],
        group_equal="loadings",
    )
    assert not fitted.specification.meanstructure
    assert fitted.df == 7
    with_means = sl.fit(
        "A =~ a1 + a2 + a3 + a4",
        sample_cov=[part.cov() for part in parts],
        sample_mean=[part.mean() for part in parts],
        sample_nobs=[len(part) for part in parts],
        group_equal="loadings",
    )
    assert with_means.specification.meanstructure
    assert with_means.chisq == pytest.approx(fitted.chisq, abs=1e-8)


def test_means_that_are_given_are_modelled(two_groups):
    items = two_groups[["a1", "a2", "a3", "a4"]]
    given = {"sample_cov": items.cov(), "sample_nobs": 300}
    assert sl.fit("A =~ a1 + a2 + a3 + a4", sample_mean=items.mean(), **given).specification.meanstructure
    assert not sl.fit("A =~ a1 + a2 + a3 + a4", **given).specification.meanstructure


def test_what_would_mean_two_things_in_groups_is_refused(two_groups):
    with pytest.raises(NotSupported, match=r"c\(u, v\)\*a4"):
        sl.fit('A =~ a1 + a2 + a3 + equal("A =~ a2")*a4', two_groups, group="g")
    with pytest.raises(SpecificationError, match="label and NA"):
        sl.fit("A =~ a1 + c(k, NA)*a2 + a3 + a4", two_groups, group="g")
    held = sl.fit('A =~ a1 + a2 + a3 + equal("A =~ a2")*a4', two_groups)
    found = sl.estimates(held).query("op == '=~'").set_index("rhs")["est"]
    assert found["a2"] == found["a4"]


def test_a_saturated_model_has_a_cfi_of_one():
    generator = np.random.default_rng(3)
    data = pd.DataFrame(generator.normal(size=(50, 2)), columns=["x", "y"])
    found = sl.fit_measures(sl.fit("y ~ x", data, meanstructure=True))
    assert (found["cfi"], found["tli"], found["rni"]) == (1.0, 1.0, 1.0)
