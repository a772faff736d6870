"""The likelihood of incomplete data: against its definition row by row, finite differences, and complete data."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

from sem_loyalty.kernel import casewise, expectation, incomplete, likelihood, saturated
from sem_loyalty.kernel.patterns import find_patterns
from sem_loyalty.kernel.ram import implied
from sem_loyalty.kernel.robust import meat, moment_jacobian, moment_weight
from sem_loyalty.kernel.roots import roots
from sem_loyalty.kernel.solver import Subspace
from sem_loyalty.model.defaults import specify
from sem_loyalty.model.scatter import blocks

# Central differences with step 1e-6 of functions of order one are good to about 1e-9.
FINITE = 1e-7
# A loop, a direct effect, an equality and a residual covariance: every kind of entry.
MODEL = """
f =~ y1 + y2 + a*y3
g =~ y4 + a*y5 + y6
g ~ f + y1
f ~ y6
y2 ~~ y4
"""


def holes(seed: int, n: int = 70, share: float = 0.15) -> np.ndarray:
    generator = np.random.default_rng(seed)
    common = generator.normal(size=(n, 1))
    rows = (common + generator.normal(size=(n, 6))) @ np.diag([1, 2, 0.5, 1, 3, 1]) + np.arange(6)
    rows[generator.random(rows.shape) < share] = np.nan
    return rows[~np.isnan(rows).all(axis=1)]


def problem(rows: tuple[np.ndarray, ...]) -> tuple[incomplete.Incomplete, np.ndarray]:
    total = sum(len(group) for group in rows)
    samples = []
    for group in rows:
        mean, cov = saturated.saturated_moments(find_patterns(group))
        samples.append(likelihood.Sample(len(group) / total, cov, mean, np.linalg.slogdet(cov)[1]))
    labels = tuple(f"g{k}" for k in range(len(rows)))
    specification = specify(MODEL, groups=labels if len(rows) > 1 else ("",), meanstructure=True)
    order = [int(name[1]) - 1 for name in specification.observed]
    assert order == list(range(6))
    entries = blocks(specification, tuple(s.cov for s in samples), tuple(s.mean for s in samples))
    generator = np.random.default_rng(5)
    theta = np.empty(specification.n_free)
    for k, row in enumerate(specification.free_parameters):
        level = 1.5 if row.op == "~~" and row.lhs == row.rhs else 0.7 if row.op == "=~" else 0.1
        theta[k] = level + 0.1 * generator.normal()
    return incomplete.incomplete_likelihood(entries, tuple(samples), rows), theta


def differences(function, theta, step=1e-6):
    return np.array(
        [(function(theta + step * e) - function(theta - step * e)) / (2 * step) for e in np.eye(len(theta))]
    )


def row_by_row(mean: np.ndarray, cov: np.ndarray, rows: np.ndarray) -> float:
    """-2 log L per respondent, less its constant, from its definition."""
    total = 0.0
    for answers in rows:
        seen = ~np.isnan(answers)
        d, part = answers[seen] - mean[seen], cov[np.ix_(seen, seen)]
        total += np.linalg.slogdet(part)[1] + d @ np.linalg.solve(part, d)
    return total / len(rows)


@pytest.fixture(params=[1, 2], ids=["one", "two"])
def posed(request):
    rows = tuple(holes(seed, n) for seed, n in ((1, 70), (2, 90)))[: request.param]
    return (*problem(rows), rows)


def test_the_value_is_the_likelihood_ratio_of_the_rows(posed):
    discrepancy, theta, rows = posed
    expected = 0.0
    for block, sample, group in zip(discrepancy.blocks, discrepancy.samples, rows, strict=True):
        at = implied(block, theta)
        expected += sample.weight * (row_by_row(at.mean, at.cov, group) - row_by_row(sample.mean, sample.cov, group))
    assert discrepancy.evaluate(theta).value == pytest.approx(expected, abs=1e-11)


def test_gradient_is_the_derivative_of_the_discrepancy(posed):
    discrepancy, theta, _ = posed
    numeric = differences(lambda t: discrepancy.evaluate(t).value, theta)
    np.testing.assert_allclose(discrepancy.gradient(discrepancy.evaluate(theta)), numeric, atol=FINITE)


def test_hessian_is_half_the_derivative_of_the_gradient(posed):
    discrepancy, theta, _ = posed
    numeric = differences(lambda t: discrepancy.gradient(discrepancy.evaluate(t)), theta) / 2.0
    np.testing.assert_allclose(discrepancy.hessian(discrepancy.evaluate(theta)), numeric, atol=FINITE)


def test_information_is_that_of_the_items_seen_by_each_row(posed):
    discrepancy, theta, rows = posed
    expected = np.zeros((len(theta), len(theta)))
    for block, sample, group in zip(discrepancy.blocks, discrepancy.samples, rows, strict=True):
        cov = implied(block, theta).cov
        by_cov = differences(lambda t, block=block: implied(block, t).cov, theta)
        by_mean = differences(lambda t, block=block: implied(block, t).mean, theta)
        for answers in group:
            seen = ~np.isnan(answers)
            inverse = np.linalg.inv(cov[np.ix_(seen, seen)])
            turned = inverse @ by_cov[:, seen][:, :, seen]
            own = 0.5 * np.einsum("kij,lji->kl", turned, turned) + by_mean[:, seen] @ inverse @ by_mean[:, seen].T
            expected += sample.weight / len(group) * own
    found = discrepancy.information(discrepancy.evaluate(theta))
    np.testing.assert_allclose(found, expected, atol=FINITE)


def test_scores_of_the_rows_add_up_to_the_gradient(posed):
    discrepancy, theta, rows = posed
    point = discrepancy.evaluate(theta)
    for sample, patterns, found, group in zip(
        discrepancy.samples, discrepancy.patterns, point.expected, rows, strict=True
    ):
        scores = casewise.moment_scores(group, patterns, found)
        slope, pull = found.slopes()
        col, row = np.triu_indices(6)
        times = np.where(row == col, 1.0, 2.0)
        expected = np.concatenate([2.0 * pull, -times * slope[row, col]])
        np.testing.assert_allclose(2.0 * scores.mean(axis=0), expected, atol=1e-12)
        assert sample.cov.shape == (6, 6)


def test_complete_rows_give_the_likelihood_of_complete_data():
    rows = holes(3, share=0.0)
    discrepancy, theta = problem((rows,))
    sample = discrepancy.samples[0]
    np.testing.assert_allclose(sample.mean, rows.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(sample.cov, np.cov(rows.T, bias=True), atol=1e-12)
    complete = likelihood.Likelihood(discrepancy.blocks, discrepancy.samples)
    point, other = discrepancy.evaluate(theta), complete.evaluate(theta)
    assert point.value == pytest.approx(other.value, abs=1e-10)
    np.testing.assert_allclose(discrepancy.gradient(point), complete.gradient(other), atol=1e-10)
    np.testing.assert_allclose(discrepancy.information(point), complete.information(other), atol=1e-10)
    np.testing.assert_allclose(discrepancy.hessian(point), complete.hessian(other), atol=1e-10)
    products = meat(discrepancy.blocks, discrepancy.samples, other, (rows,), centred=False, fixed=[])
    np.testing.assert_allclose(casewise.casewise_meat(discrepancy, point, (rows,)), products, atol=1e-10)


def test_the_order_of_the_rows_does_not_matter():
    rows = holes(4)
    discrepancy, theta = problem((rows,))
    shuffled, _ = problem((rows[np.random.default_rng(8).permutation(len(rows))],))
    np.testing.assert_array_equal(discrepancy.patterns[0].seen, shuffled.patterns[0].seen)
    a, b = discrepancy.evaluate(theta), shuffled.evaluate(theta)
    assert a.value == pytest.approx(b.value, abs=1e-10)
    np.testing.assert_allclose(discrepancy.hessian(a), shuffled.hessian(b), atol=1e-9)


def test_other_units_change_nothing():
    discrepancy, theta = problem((holes(6),))
    scale = np.array([3.0, 0.4, 1.0, 2.0, 0.1, 5.0, 3.0, 2.0])
    moved = discrepancy.rescaled(scale)
    at, there = discrepancy.samples[0], moved.samples[0]
    np.testing.assert_allclose(there.cov, at.cov * np.outer(scale[:6], scale[:6]))
    expected = expectation.expectation_at(moved.patterns[0], there).value
    assert moved.saturated == pytest.approx(expected, abs=1e-12)
    assert discrepancy.evaluate(theta) is not None


@given(st.integers(0, 10_000), st.floats(0.0, 0.4))
def test_every_step_of_expectation_maximisation_raises_the_likelihood(seed, share):
    rows = holes(seed, 40, share)
    patterns = find_patterns(rows)
    mean, cov = np.nanmean(rows, axis=0), np.diag(np.nanvar(rows, axis=0))
    last = np.inf
    for _ in range(15):
        step = saturated.em_step(patterns, mean, cov)
        assert step.value <= last + 1e-12
        last, mean, cov = step.value, step.mean, step.cov


def test_the_saturated_moments_are_a_stationary_point():
    rows = holes(9, share=0.25)
    patterns = find_patterns(rows)
    mean, cov = saturated.saturated_moments(patterns)
    slope, pull = expectation.expectation(patterns, mean, *likelihood.spd_inverse(cov)).slopes()
    spread = np.sqrt(np.diagonal(cov))
    np.testing.assert_allclose(slope * np.outer(spread, spread), 0.0, atol=1e-8)
    np.testing.assert_allclose(pull * spread, 0.0, atol=1e-8)


def test_a_pattern_without_answers_informs_about_nothing():
    rows = holes(11)
    more = np.concatenate([rows, np.full((10, 6), np.nan)])
    mean, cov = np.zeros(6), np.eye(6) + 0.3
    inverse, logdet = likelihood.spd_inverse(cov)
    one = expectation.expectation(find_patterns(rows), mean, inverse, logdet).value
    other = expectation.expectation(find_patterns(more), mean, inverse, logdet).value
    assert other * len(more) == pytest.approx(one * len(rows), rel=1e-12)


@pytest.mark.parametrize("fixed", [[], [4, 1]], ids=["all random", "covariates"])
@pytest.mark.parametrize("sandwich", [False, True], ids=["normal", "sandwich"])
def test_expected_discrepancy_of_complete_data_is_its_definition(posed, sandwich, fixed):
    discrepancy, theta, rows = posed
    point = discrepancy.evaluate(theta)
    groups = casewise.saturated_groups(discrepancy, rows, fixed, sandwich=sandwich)
    # The definition, in the moments of the items themselves.
    kept = casewise.random_moments(6, fixed)
    size = int(kept.sum())
    joined, complete, spread = np.zeros((3, size * len(rows), size * len(rows)))
    for g, (sample, patterns, answers) in enumerate(zip(discrepancy.samples, discrepancy.patterns, rows, strict=True)):
        own = slice(g * size, (g + 1) * size)
        at = expectation.expectation_at(patterns, sample)
        observed = casewise.saturated_information(patterns, at, kept)
        inverse = np.linalg.inv(observed)
        middle = casewise.saturated_products(answers, patterns, at, kept) if sandwich else observed
        joined[own, own] = sample.weight * observed
        complete[own, own] = sample.weight * moment_weight(at.inverse, means=True)[np.ix_(kept, kept)]
        spread[own, own] = inverse @ middle @ inverse / sample.weight
        assert groups[g].spread == pytest.approx(np.trace(inverse @ middle), rel=1e-9)
    jacobians = [
        moment_jacobian(block, at, len(theta)) for block, at in zip(discrepancy.blocks, point.implied, strict=True)
    ]
    # A model holds the moments of fixed covariates: only directions that leave them alone.
    held = np.concatenate([jacobian[~kept] for jacobian in jacobians])
    basis = scipy.linalg.null_space(held) if fixed else np.eye(len(theta))
    assert basis.shape[1] > 5
    space = Subspace(np.zeros(len(theta)), basis, constrained=bool(fixed))
    D = np.concatenate([jacobian[kept] for jacobian in jacobians]) @ basis
    left = np.eye(len(D)) - D @ np.linalg.solve(D.T @ joined @ D, D.T @ joined)
    expected = np.trace(complete @ left @ spread @ left.T)
    found = casewise.complete_expectation(groups, discrepancy, point, space)
    assert found == pytest.approx(expected, rel=1e-9)


def test_saturated_information_that_is_not_definite_is_inverted_all_the_same(posed, monkeypatch):
    discrepancy, _, rows = posed
    usual = casewise.saturated_groups(discrepancy, rows, [], sandwich=True)
    monkeypatch.setattr(casewise, "roots", lambda _: None)
    for one, other in zip(usual, casewise.saturated_groups(discrepancy, rows, [], sandwich=True), strict=True):
        np.testing.assert_allclose(other.variances, one.variances, rtol=1e-9)
        np.testing.assert_allclose(other.inverse, one.inverse, rtol=1e-9, atol=1e-12)
        D = np.random.default_rng(1).normal(size=(len(one.observed), 4))
        np.testing.assert_allclose(other.information(D), one.information(D), rtol=1e-9)


@pytest.mark.parametrize("size", [1, 5, 64, 65, 150])
def test_the_roots_of_a_matrix_and_of_its_inverse(size):
    generator = np.random.default_rng(size)
    root = generator.normal(size=(size, size))
    matrix = root @ root.T + np.eye(size)
    factor, inverse = roots(matrix)
    np.testing.assert_allclose(factor @ factor.T, matrix, rtol=1e-12)
    np.testing.assert_allclose(inverse.T @ inverse, np.linalg.inv(matrix), atol=1e-12)
    assert not np.triu(factor, 1).any()
    assert not np.triu(inverse, 1).any()
    assert roots(-matrix) is None
