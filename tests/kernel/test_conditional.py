"""Regressions of responses on covariates, residual correlations, and their sampling covariance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import ndtr

from sem_loyalty.kernel.bivariate import BEYOND, corners, probability
from sem_loyalty.kernel.conditional import conditional_statistics
from sem_loyalty.kernel.mixed import mixed_statistics
from sem_loyalty.kernel.ordinal import ordinal_statistics
from sem_loyalty.kernel.probit import covariates, interval, lines, probits
from sem_loyalty.kernel.residual_polychoric import _limit_slopes, _moved, _rectangles, residual_pairs

CUTS = ([-1.0, 0.2, 1.1], [0.3], [-1.6, -0.8, 0.0, 0.9])


def drawn(n, seed, slopes=(0.5, -0.4), rho=0.6):
    """Return codes of three items and two continuous variables with one common factor, and two covariates."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(40.0, 12.0, n), rng.integers(0, 2, n)])
    shift = slopes[0] * (x[:, 0] - 40.0) / 12.0 + slopes[1] * x[:, 1]
    common = np.sqrt(rho) * rng.normal(size=n)
    y = shift[:, None] + common[:, None] + np.sqrt(1 - rho) * rng.normal(size=(n, 5))
    codes = np.column_stack([np.searchsorted(cuts, y[:, j]) for j, cuts in enumerate(CUTS)])
    return codes, 3.0 * y[:, 3:] + 7.0, x


def test_probits_maximise_the_likelihood():
    codes, _, x = drawn(300, 1)
    standard = covariates(x).standard
    found = probits(codes, standard)
    for j, cuts in enumerate(found.cuts):
        size = len(cuts)

        def loss(theta, j=j, size=size):
            ends = np.concatenate([[-BEYOND], theta[:size], [BEYOND]])
            shift = standard @ theta[size:]
            mass = ndtr(ends[codes[:, j] + 1] - shift) - ndtr(ends[codes[:, j]] - shift)
            return -np.log(np.maximum(mass, 1e-300)).sum()

        own = np.concatenate([cuts, found.slopes[j]])
        other = minimize(loss, own + 0.05, method="BFGS", options={"gtol": 1e-7})
        np.testing.assert_allclose(own, other.x, atol=1e-5)
        assert loss(own) <= other.fun + 1e-9


def test_the_sampling_covariance_is_that_of_repeated_samples():
    continuous = np.array([False, False, True])
    found, gammas = [], []
    for seed in range(400):
        codes, values, x = drawn(400, 1000 + seed)
        one = conditional_statistics(codes[:, :2], values[:, :1], continuous, covariates(x))
        found.append(one.statistics)
        gammas.append(np.diagonal(one.covariance))
    spread = 400 * np.var(np.array(found), axis=0)
    # A variance of 400 draws has a standard error of seven per cent; the mean of 17 of them of some two.
    np.testing.assert_allclose(spread, np.mean(gammas, axis=0), rtol=0.3)
    assert abs(np.mean(spread / np.mean(gammas, axis=0)) - 1.0) < 0.06


def test_limits_that_are_thresholds_give_polychoric_correlations():
    codes, _, _ = drawn(500, 3)
    expected = ordinal_statistics(codes)
    ends = [np.concatenate([[-BEYOND], cuts, [BEYOND]]) for cuts in expected.thresholds]
    upper = np.array([end[codes[:, j] + 1] for j, end in enumerate(ends)])
    lower = np.array([end[codes[:, j]] for j, end in enumerate(ends)])
    for pairs in residual_pairs(upper, lower):
        np.testing.assert_allclose(pairs.rho, expected.correlation[pairs.first, pairs.second], atol=1e-10)


@pytest.mark.parametrize("mixed", [False, True])
def test_covariates_without_effects_leave_the_statistics_as_they_are(mixed):
    codes, values, _ = drawn(400, 4)
    rng = np.random.default_rng(5)
    # A covariate that alternates within every pattern of answers is nearly orthogonal to all of them.
    order = np.lexsort(codes.T)
    x = np.empty((400, 1))
    x[order, 0] = np.resize([-1.0, 1.0], 400) + 1e-3 * rng.normal(size=400)
    continuous = np.array([False] * 3 + [True] * (2 if mixed else 0))
    values = values if mixed else values[:, :0]
    found = conditional_statistics(codes, values, continuous, covariates(x))
    plain = mixed_statistics(codes, values, continuous) if mixed else ordinal_statistics(codes)
    np.testing.assert_allclose(found.correlation, plain.correlation, atol=0.15 if mixed else 0.01)
    assert np.abs(found.slopes).max() < (0.6 if mixed else 0.02)


@settings(max_examples=60, deadline=None)
@given(
    ends=st.lists(st.floats(-4.0, 4.0), min_size=4, max_size=4),
    widths=st.lists(st.floats(0.05, 3.0), min_size=4, max_size=4),
    rho=st.floats(-0.995, 0.995),
    before=st.floats(-0.995, 0.995),
)
def test_rectangles_and_their_slopes_match_the_distribution_function(ends, widths, rho, before):
    lower, other = np.array(ends)[None, :], np.array(ends[::-1])[None, :]
    limits = (lower + np.array(widths), lower, other + np.array(widths[::-1]), other)
    independent = interval(limits[0], limits[1]) * interval(limits[2], limits[3])
    at = _rectangles(limits, independent)
    value = _moved(at, independent.copy(), np.zeros(1), np.array([before]))
    value = _moved(at, value, np.array([before]), np.array([rho]))

    def mass(u, v, w, z):
        h, k = np.stack([u[0], v[0]], axis=1), np.stack([w[0], z[0]], axis=1)
        found = probability(corners(h, k), np.full(len(h), rho))
        return found[:, 0, 0] - found[:, 0, 1] - found[:, 1, 0] + found[:, 1, 1]

    np.testing.assert_allclose(value[0], mass(*limits), atol=2e-12)
    slopes = _limit_slopes(at, np.array([rho]), np.ones_like(value))
    for k, slope in enumerate(slopes):
        up, down = list(limits), list(limits)
        up[k], down[k] = limits[k] + 1e-5, limits[k] - 1e-5
        np.testing.assert_allclose(slope[0], (mass(*up) - mass(*down)) / 2e-5, atol=1e-7)


def test_missing_answers_say_nothing():
    codes, values, x = drawn(500, 6)
    continuous = np.array([False, False, False, True, True])
    absent = codes.copy()
    absent[:100, 0] = -1
    gaps = values.copy()
    gaps[50:150, 0] = np.nan
    found = conditional_statistics(absent, gaps, continuous, covariates(x))
    # What rests on answers that are all there is as without gaps.
    whole = conditional_statistics(codes, values, continuous, covariates(x))
    np.testing.assert_allclose(found.thresholds[1], whole.thresholds[1], atol=1e-12)
    assert found.correlation[1, 2] == pytest.approx(whole.correlation[1, 2], abs=1e-10)
    assert found.correlation[0, 1] != pytest.approx(whole.correlation[0, 1], abs=1e-4)
    alone = conditional_statistics(codes[100:, :2], values[100:, :0], continuous[:2], covariates(x[100:]))
    np.testing.assert_allclose(found.thresholds[0], alone.thresholds[0], atol=1e-8)
    np.testing.assert_allclose(found.slopes[0], alone.slopes[0], atol=1e-8)


def test_total_moments_are_those_of_responses_and_covariates():
    codes, values, x = drawn(300, 7)
    given_x = covariates(x)
    found = conditional_statistics(codes[:, :1], values, np.array([True, True, False]), given_x)
    whole = np.column_stack([values, x])
    expected = np.cov(whole.T)
    own = [0, 1, 3, 4]
    # Residual variances are divided by n, as everywhere in lavaan's first step; moments of covariates by n - 1.
    np.testing.assert_allclose(found.total_cov[3:, own], expected[2:, :], rtol=1e-10)
    np.testing.assert_allclose(found.total_cov[:2, :2], expected[:2, :2], rtol=1.0 / 200)
    np.testing.assert_allclose(found.total_mean[own], whole.mean(axis=0), rtol=1e-12)
    line = lines(values, given_x.standard)
    np.testing.assert_allclose(line.variance, np.diagonal(found.correlation)[:2], rtol=1e-12)
    # A response has unit variance given the covariates.
    total = found.total_cov
    given_total = total[2, 2] - total[2, 3:] @ np.linalg.solve(total[3:, 3:], total[3:, 2])
    assert given_total == pytest.approx(1.0, abs=1e-12)


def test_categories_that_covariates_tell_apart_have_no_regression():
    codes, _, x = drawn(200, 8)
    codes[:, 1] = x[:, 1].astype(int)
    standard = covariates(x).standard
    np.testing.assert_array_equal(probits(codes, standard).determined, [False, True, False])
    # On one side of a covariate everybody gives the same answer, on the other not.
    codes[:, 1] = np.where(x[:, 1] == 1, 1, np.arange(200) % 2)
    np.testing.assert_array_equal(probits(codes, standard).determined, [False, True, False])
    # One answer apart is enough for an effect.
    codes[np.flatnonzero(x[:, 1] == 1)[0], 1] = 0
    np.testing.assert_array_equal(probits(codes, standard).determined, [False, False, False])


def test_covariates_that_determine_each_other_are_found():
    _, _, x = drawn(50, 9)
    assert covariates(np.column_stack([x, x[:, 0] - 3.0 * x[:, 1]])) is None
    assert covariates(np.column_stack([x, np.full(50, 0.1)])) is None


def test_items_that_determine_each_other_have_no_correlation_inside():
    codes, _, x = drawn(200, 10)
    same = np.column_stack([codes[:, 0], codes[:, 0], codes[:, 2]])
    found = conditional_statistics(same, np.zeros((200, 0)), np.zeros(3, dtype=bool), covariates(x))
    assert abs(found.correlation[0, 1]) > 0.998
    assert np.isnan(np.diagonal(found.covariance)).sum() >= 1
