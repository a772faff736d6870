"""How many factors, and whether to factor at all: against psych, and on data of known structure."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sem_loyalty.errors import ConfigurationError
from sem_loyalty.measurement.factorability import sampling_adequacy, sphericity
from sem_loyalty.measurement.retention import (
    eigenvalues,
    minimum_average_partial,
    parallel_analysis,
    random_correlations,
    reduced,
    retention,
)

CASES = json.loads((Path(__file__).parents[1] / "reference" / "efa.json").read_text(encoding="utf-8"))["cases"]
EXACT = 1e-8  # closed forms: the reference is stored with ten digits


def simulated(seed, n=400, loading=0.75, factors=3, each=4, r=0.3):
    rng = np.random.default_rng(seed)
    phi = np.full((factors, factors), r) + (1 - r) * np.eye(factors)
    L = np.kron(np.eye(factors), np.full((each, 1), loading))
    eta = rng.standard_normal((n, factors)) @ np.linalg.cholesky(phi).T
    return eta @ L.T + np.sqrt(1 - loading**2) * rng.standard_normal((n, factors * each))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_closed_forms_agree_with_psych(case):
    R = np.array(case["correlation"])
    kmo, test = sampling_adequacy(R), sphericity(R, case["n"])
    assert kmo.overall == pytest.approx(case["kmo"], abs=EXACT)
    np.testing.assert_allclose(kmo.items, case["msa"], atol=EXACT)
    assert test.chi2 == pytest.approx(case["bartlett"]["chi2"], abs=1e-7)
    assert test.df == case["bartlett"]["df"]
    np.testing.assert_allclose(eigenvalues(R), case["eigenvalues"], atol=EXACT)
    np.testing.assert_allclose(np.diag(reduced(R)), case["smc"], atol=EXACT)
    # psych starts at one component, the average at index 0 is that of the plain correlations
    found = minimum_average_partial(R).squared
    np.testing.assert_allclose(found[1 : 1 + len(case["map"])], case["map"], atol=EXACT)
    p = len(R)
    assert found[0] == pytest.approx((np.sum(R**2) - p) / (p * (p - 1)))


def test_three_simulated_factors_are_found_by_every_rule():
    R = np.corrcoef(simulated(1), rowvar=False)
    found = retention(R, 400, seed=3)
    assert found.components.n_factors == found.factors.n_factors == 3
    assert found.map.n_squared == found.map.n_fourth == 3
    assert found.components.variant == "components"
    assert next(count for _, count, _ in found.suggestions()) == 3


@pytest.mark.parametrize("seed", range(5))
def test_pure_noise_has_at_most_one_component(seed):
    R = np.corrcoef(np.random.default_rng(seed).standard_normal((300, 12)), rowvar=False)
    components, _ = parallel_analysis(R, 300, draws=200)
    assert components.n_factors <= 1
    assert minimum_average_partial(R).n_squared == 0


def test_drawn_scatter_has_the_moments_of_real_random_data():
    n, p, draws = 60, 6, 4000
    drawn = eigenvalues(random_correlations(n, p, draws, 7)).mean(axis=0)
    rng = np.random.default_rng(8)
    rows = rng.standard_normal((draws, n, p))
    rows -= rows.mean(axis=1, keepdims=True)
    scatter = np.einsum("dni,dnj->dij", rows, rows)
    scale = 1 / np.sqrt(np.einsum("dii->di", scatter))
    simulated_mean = eigenvalues(scatter * scale[:, :, None] * scale[:, None, :]).mean(axis=0)
    # Monte Carlo error of a mean of 4000 eigenvalues with standard deviation about .1
    np.testing.assert_allclose(drawn, simulated_mean, atol=0.008)


def test_parallel_analysis_repeats_with_its_seed_and_not_with_another():
    R = np.corrcoef(simulated(2), rowvar=False)
    one, again, other = (parallel_analysis(R, 400, draws=150, seed=seed)[0].reference for seed in (5, 5, 6))
    assert one.tobytes() == again.tobytes()
    assert not np.array_equal(one, other)
    np.testing.assert_allclose(one, other, atol=0.08)


def test_cost_of_parallel_analysis_does_not_hang_on_respondents():
    R = np.corrcoef(simulated(2), rowvar=False)
    components, _ = parallel_analysis(R, 10_000_000, draws=50)
    np.testing.assert_allclose(components.reference, 1.0, atol=0.01)


@given(seed=st.integers(0, 500))
def test_rules_do_not_hang_on_the_order_of_items(seed):
    rng = np.random.default_rng(seed)
    R = np.corrcoef(simulated(seed, n=150, loading=rng.uniform(0.3, 0.8)), rowvar=False)
    order = rng.permutation(len(R))
    S = R[np.ix_(order, order)]
    np.testing.assert_allclose(sampling_adequacy(S).items, sampling_adequacy(R).items[order], atol=1e-10)
    np.testing.assert_allclose(minimum_average_partial(S).fourth, minimum_average_partial(R).fourth, atol=1e-9)
    assert sphericity(S, 150).chi2 == pytest.approx(sphericity(R, 150).chi2)
    assert 0.0 <= sampling_adequacy(R).overall <= 1.0


def test_uncorrelated_items_have_no_kmo_and_no_sphericity():
    assert np.isnan(sampling_adequacy(np.eye(4)).overall)
    test = sphericity(np.eye(4), 100)
    assert (test.chi2, test.p) == (0.0, 1.0)


@pytest.mark.parametrize(("value", "word"), [(0.93, "marvelous"), (0.8, "meritorious"), (0.4999, "unacceptable")])
def test_kaisers_words(value, word):
    from sem_loyalty.measurement.factorability import SamplingAdequacy

    assert SamplingAdequacy(value, np.array([value])).grade == word


@pytest.mark.parametrize(("options", "said"), [({"draws": 0}, "draws=0"), ({"quantile": 1.0}, "quantile=1.0")])
def test_impossible_options_are_refused(options, said):
    with pytest.raises(ConfigurationError, match=said):
        parallel_analysis(np.eye(3), 50, **options)
