"""Estimates, defined parameters, standardised values, R squared, residuals, modification indices."""

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError
from sem_loyalty.inference.uncertainty import parameter_covariance


@pytest.fixture(scope="module")
def fitted(chain, chain_model):
    return sl.fit(chain_model, chain, engine="kernel")


def test_columns_and_consistency(fitted):
    found = sl.estimates(fitted)
    assert list(found.columns) == [
        "lhs", "op", "rhs", "group", "label", "est", "se", "z", "pvalue", "ci_lower", "ci_upper", "std_lv", "std_all",
    ]  # fmt: skip
    free = found[found["se"] > 0]
    np.testing.assert_allclose(free["z"], free["est"] / free["se"])
    np.testing.assert_allclose(free["ci_upper"] - free["est"], 1.959963984540054 * free["se"])
    fixed = found[found["se"] == 0]
    assert list(fixed["est"]) == [1.0, 1.0, 1.0]
    assert fixed["pvalue"].isna().all()


def test_p_values_are_not_rounded_to_zero(fitted):
    smallest = sl.estimates(fitted)["pvalue"].min()
    assert 0 < smallest < 1e-20


def test_level_of_the_interval(fitted):
    wide, narrow = sl.estimates(fitted, level=0.99), sl.estimates(fitted, level=0.90)
    ratio = (wide["ci_upper"] - wide["est"]) / (narrow["ci_upper"] - narrow["est"])
    np.testing.assert_allclose(ratio.dropna(), 2.5758293035489 / 1.6448536269514722)
    with pytest.raises(ConfigurationError, match="between 0 and 1"):
        sl.estimates(fitted, level=95)


def test_delta_method_by_hand(fitted):
    found = sl.estimates(fitted)
    x, y, xy = (found[found["label"] == name].iloc[0] for name in ("x", "y", "xy"))
    names = [row.label for row in fitted.specification.free_parameters]
    covariance = parameter_covariance(fitted)[
        np.ix_([names.index("x"), names.index("y")], [names.index("x"), names.index("y")])
    ]
    slope = np.array([y["est"], x["est"]])
    assert xy["op"] == ":="
    assert xy["rhs"] == "x*y"
    assert xy["est"] == pytest.approx(x["est"] * y["est"])
    assert xy["se"] == pytest.approx(np.sqrt(slope @ covariance @ slope))
    assert xy["std_all"] == pytest.approx(x["std_all"] * y["std_all"])


def test_standard_errors_match_the_spread_of_simulated_estimates():
    generator = np.random.default_rng(5)
    pattern = np.array([0.8, 0.7, 0.6, 0.75])
    cov = np.outer(pattern, pattern) + np.diag(1 - pattern**2)
    names = list("abcd")
    draws = []
    for _ in range(300):
        rows = pd.DataFrame(generator.multivariate_normal(np.zeros(4), cov, 400), columns=names)
        draws.append(sl.fit("f =~ a + b + c + d", rows, engine="kernel").theta)
    population = sl.fit(
        "f =~ a + b + c + d", sample_cov=pd.DataFrame(cov, names, names), sample_nobs=400, engine="kernel"
    )
    expected = np.sqrt(np.diagonal(parameter_covariance(population)))
    # 300 draws give a standard deviation to about 4 %.
    np.testing.assert_allclose(np.std(draws, axis=0), expected, rtol=0.15)


def test_standardised_solution_reproduces_the_correlations(fitted):
    found = sl.estimates(fitted).set_index(["lhs", "op", "rhs"])["std_all"]
    r2 = sl.r_squared(fitted).set_index("variable")["r2"]
    for item in ("a1", "a2", "b3", "c1"):
        latent = item[0].upper()
        assert found[latent, "=~", item] ** 2 == pytest.approx(r2[item])
        assert found[item, "~~", item] == pytest.approx(1 - r2[item])
    assert found["B", "~", "A"] ** 2 == pytest.approx(r2["B"])


def test_residuals(fitted, chain):
    raw, cor = sl.residuals(fitted), sl.residuals(fitted, type="cor")
    names = list(fitted.specification.observed)
    implied = sl.model_implied(fitted)["cov"]
    np.testing.assert_allclose(raw, chain[names].cov(ddof=0) - implied, atol=1e-12)
    np.testing.assert_allclose(np.diagonal(cor), 0.0, atol=1e-12)
    with pytest.raises(ConfigurationError, match="'raw', 'cor'"):
        sl.residuals(fitted, type="z")
    with pytest.raises(ConfigurationError, match="group=2"):
        sl.residuals(fitted, group=2)


def test_modification_indices_foresee_the_fall_in_chi_square(fitted, chain, chain_model):
    found = sl.modification_indices(fitted)
    assert found["mi"].is_monotonic_decreasing
    row = found.iloc[0]
    freed = sl.fit(f"{chain_model}\n{row['lhs']} {row['op']} {row['rhs']}", chain, engine="kernel")
    # A score test approximates the likelihood-ratio test; for one moderate parameter they are close.
    assert fitted.chisq - freed.chisq == pytest.approx(row["mi"], rel=0.15, abs=0.3)
    expected = sl.estimates(freed).set_index(["lhs", "op", "rhs"])["est"]
    assert expected[row["lhs"], row["op"], row["rhs"]] == pytest.approx(row["epc"], rel=0.25)


def test_modification_indices_leave_out_what_is_free_or_not_identified(fitted):
    found = sl.modification_indices(fitted)
    listed = set(zip(found["lhs"], found["op"], found["rhs"], strict=True))
    assert ("A", "=~", "a2") not in listed
    assert ("A", "=~", "a1") not in listed  # freeing the marker would leave A without a scale
    assert ("A", "=~", "b1") in listed


def test_fit_measures_are_a_mapping_that_cannot_be_changed(fitted):
    found = sl.fit_measures(fitted)
    assert dict(found)["df"] == fitted.df
    assert found["aic"] == pytest.approx(-2 * found["logl"] + 2 * found["npar"])
    assert found["chisq"] == pytest.approx(2 * (found["unrestricted_logl"] - found["logl"]))
    with pytest.raises(TypeError):
        found["cfi"] = 1.0


def test_a_worse_model_has_a_higher_aic(chain, chain_model, fitted):
    measurement = "\n".join(line for line in chain_model.splitlines() if "=~" in line)
    worse = sl.fit(f"{measurement}\nA ~~ 0*B\nC ~ B", chain)
    assert sl.fit_measures(worse)["aic"] > sl.fit_measures(fitted)["aic"] + 10


def test_log_likelihood_is_that_of_the_rows(fitted, chain):
    names = list(fitted.specification.observed)
    implied = sl.model_implied(fitted)["cov"].to_numpy()
    centred = chain[names].to_numpy() - chain[names].to_numpy().mean(axis=0)
    inverse, logdet = np.linalg.inv(implied), np.linalg.slogdet(implied)[1]
    total = -0.5 * (len(chain) * (9 * np.log(2 * np.pi) + logdet) + np.einsum("ni,ij,nj->", centred, inverse, centred))
    assert sl.fit_measures(fitted)["logl"] == pytest.approx(total, rel=1e-12)
