"""Derivatives of the discrepancy against finite differences, for every kind of entry."""

import dataclasses

import numpy as np
import pytest

from sem_loyalty.kernel import likelihood, ram

# Central differences with step 1e-6 of functions of order one are good to about 1e-9.
FINITE = 1e-7


def block(*, means: bool, loop: bool = True, equal: bool = True) -> ram.Block:
    """Six observed and three latent variables, with a loop, a direct effect and correlated residuals."""
    size = 9
    directed_row = np.array([0, 1, 2, 3, 4, 5, 7, 8, 6 if loop else 8, 1])
    directed_col = np.array([6, 6, 6, 7, 7, 8, 6, 7, 8 if loop else 6, 7])
    symmetric_row = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 7])
    symmetric_col = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 8])
    intercept_row = np.array([0, 1, 2, 6]) if means else np.array([], dtype=int)
    sizes = [len(directed_row), len(symmetric_row), len(intercept_row)]
    parameter = np.arange(sum(sizes))
    if equal:
        parameter[3], parameter[12] = 2, 13
    cut = np.cumsum(sizes)
    fixed = np.zeros((size, size))
    fixed[5, 7] = 0.3
    return ram.Block(
        n_observed=6,
        directed=fixed,
        directed_row=directed_row,
        directed_col=directed_col,
        directed_parameter=parameter[: cut[0]],
        symmetric=np.zeros((size, size)),
        symmetric_row=symmetric_row,
        symmetric_col=symmetric_col,
        symmetric_parameter=parameter[cut[0] : cut[1]],
        intercepts=np.linspace(0, 1, size) if means else np.zeros(size),
        intercept_row=intercept_row,
        intercept_parameter=parameter[cut[1] :],
        means=means,
    )


def sample(seed: int, weight: float, means: bool) -> likelihood.Sample:
    rows = np.random.default_rng(seed).normal(size=(60, 6)) @ np.diag([1, 2, 0.5, 1, 3, 1])
    cov = np.cov(rows.T, bias=True)
    mean = rows.mean(axis=0) if means else np.zeros(6)
    return likelihood.Sample(weight=weight, cov=cov, mean=mean, logdet=np.linalg.slogdet(cov)[1])


@pytest.fixture(params=[(False, 1), (True, 1), (False, 2), (True, 2)], ids=["cov", "means", "cov2", "means2"])
def problem(request):
    means, groups = request.param
    blocks = (block(means=means), block(means=means, loop=False))[:groups]
    samples = tuple(
        sample(k, w, means) for k, w in zip(range(groups), (0.4, 0.6) if groups == 2 else (1.0,), strict=True)
    )
    q = 1 + max(int(b.entry_parameter.max()) for b in blocks)
    generator = np.random.default_rng(3)
    theta = np.concatenate([generator.normal(0.3, 0.1, 10), np.ones(9), [0.2, 0.1], generator.normal(size=q - 21)])
    return blocks, samples, theta


def differences(function, theta, step=1e-6):
    return np.array(
        [(function(theta + step * e) - function(theta - step * e)) / (2 * step) for e in np.eye(len(theta))]
    )


def test_gradient_is_the_derivative_of_the_discrepancy(problem):
    blocks, samples, theta = problem
    point = likelihood.evaluate(blocks, samples, theta)
    numeric = differences(lambda t: likelihood.evaluate(blocks, samples, t).value, theta)
    np.testing.assert_allclose(likelihood.gradient(blocks, samples, point), numeric, atol=FINITE)


def test_hessian_is_half_the_derivative_of_the_gradient(problem):
    blocks, samples, theta = problem

    def slope(t):
        return likelihood.gradient(blocks, samples, likelihood.evaluate(blocks, samples, t))

    point = likelihood.evaluate(blocks, samples, theta)
    numeric = differences(slope, theta) / 2.0
    np.testing.assert_allclose(likelihood.hessian(blocks, samples, point), numeric, atol=FINITE)


def test_information_is_the_jacobian_of_the_moments_weighted(problem):
    blocks, samples, theta = problem
    point = likelihood.evaluate(blocks, samples, theta)
    expected = np.zeros((len(theta), len(theta)))
    for k, (entry, inverse) in enumerate(zip(samples, point.inverse, strict=True)):
        by_cov = differences(lambda t, k=k: likelihood.evaluate(blocks, samples, t).implied[k].cov, theta)
        by_mean = differences(lambda t, k=k: likelihood.evaluate(blocks, samples, t).implied[k].mean, theta)
        turned = np.einsum("ij,kjl->kil", inverse, by_cov)
        expected += entry.weight * (0.5 * np.einsum("kij,lji->kl", turned, turned) + by_mean @ inverse @ by_mean.T)
    np.testing.assert_allclose(likelihood.information(blocks, samples, point), expected, atol=FINITE)


def test_covariance_jacobian_against_differences(problem):
    blocks, _, theta = problem
    entry = blocks[0]
    at = ram.implied(entry, theta)
    upper = np.triu_indices(6)
    numeric = differences(lambda t: ram.implied(entry, t).cov[upper[1], upper[0]], theta).T
    by_entry = ram.covariance_jacobian(entry, at)
    collected = np.zeros_like(numeric)
    parameters = entry.entry_parameter[: by_entry.shape[1]]
    np.add.at(collected.T, parameters, by_entry.T)
    np.testing.assert_allclose(collected, numeric, atol=FINITE)


def test_expected_and_observed_information_meet_where_the_model_holds():
    entry = block(means=True)
    theta = np.concatenate([np.full(10, 0.3), np.ones(9), [0.2, 0.1], np.full(4, 0.5)])
    at = ram.implied(entry, theta)
    data = likelihood.Sample(1.0, at.cov, at.mean, np.linalg.slogdet(at.cov)[1])
    point = likelihood.evaluate((entry,), (data,), theta)
    assert point.value == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(
        likelihood.hessian((entry,), (data,), point), likelihood.information((entry,), (data,), point), atol=1e-10
    )


def test_a_sigma_that_is_not_positive_definite_has_no_discrepancy():
    entry = block(means=False)
    theta = np.concatenate([np.full(10, 0.3), -np.ones(9), [0.2, 0.1]])
    assert likelihood.evaluate((entry,), (sample(0, 1.0, False),), theta) is None


def test_singular_effects_have_no_implied_moments():
    entry = block(means=False)
    theta = np.zeros(21)
    theta[6], theta[7], theta[8] = 1.0, 1.0, 1.0  # a loop whose effects multiply to one
    assert ram.implied(entry, theta) is None


def test_strips_of_a_large_matrix_are_the_whole(problem, monkeypatch):
    """Too many entries for kept positions, and more rows than a strip has: the same matrices."""
    blocks, samples, theta = problem
    whole = likelihood.evaluate(blocks, samples, theta)
    monkeypatch.setattr("sem_loyalty.kernel.layout.KEPT_PAIRS", 3)
    monkeypatch.setattr(likelihood, "STRIP", 4)
    again = tuple(dataclasses.replace(block) for block in blocks)
    assert again[0].layout.uu is None
    point = likelihood.evaluate(again, samples, theta)
    for matrix in (likelihood.information, likelihood.hessian):
        np.testing.assert_allclose(matrix(again, samples, point), matrix(blocks, samples, whole), atol=1e-13)


def test_columns_of_the_identity_are_left_out_of_products(problem, monkeypatch):
    """A large model takes the short way through E = [I, rest]: the same derivatives."""
    blocks, samples, theta = problem
    whole = likelihood.evaluate(blocks, samples, theta)
    monkeypatch.setattr("sem_loyalty.kernel.layout.MANY_COLUMNS", 0)
    again = tuple(dataclasses.replace(block) for block in blocks)
    assert [block.layout.units for block in again] == [6] * len(blocks)
    point = likelihood.evaluate(again, samples, theta)
    for found in (likelihood.gradient, likelihood.information, likelihood.hessian):
        np.testing.assert_allclose(found(again, samples, point), found(blocks, samples, whole), atol=1e-13)


def test_sources_need_not_stand_together(problem):
    """The shortcut for (I - A)^-1 holds wherever effects start: at latent variables, items, or none."""
    blocks, _, theta = problem
    block_with_gap = dataclasses.replace(
        blocks[0], directed=np.where(np.eye(9, k=-1) > 0, 0.1, 0.0) * (np.arange(9) < 3)
    )
    for one in (blocks[0], block_with_gap):
        at = ram.implied(one, theta)
        np.testing.assert_allclose(at.total_inverse, np.linalg.inv(np.eye(9) - at.directed), atol=1e-12)
        np.testing.assert_allclose(at.total, at.total_inverse @ at.residual @ at.total_inverse.T, atol=1e-12)
