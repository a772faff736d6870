"""Least squares: derivatives against finite differences, and what does not depend on how a weight is written."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sem_loyalty.kernel import least_squares, likelihood, ram, robust

spec = importlib.util.spec_from_file_location("likelihood_cases", Path(__file__).with_name("test_likelihood.py"))
cases = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cases)

# Central differences with step 1e-6; the weights here are of order ten.
FINITE = 1e-6


def full_weight(p, means, seed=5):
    """Return an arbitrary positive definite weight over all moments."""
    size = p * (p + 1) // 2 + (p if means else 0)
    root = np.random.default_rng(seed).normal(size=(size, size)) / np.sqrt(size)
    return every(p, root @ root.T + 0.5 * np.eye(size), means)


def every(p, matrix, means):
    col, row = np.triu_indices(p)
    return least_squares.MomentWeight(np.arange(p if means else 0), row, col, matrix)


def diagonal_weight(p, means):
    size = p * (p + 1) // 2 + (p if means else 0)
    return every(p, np.linspace(0.5, 2.0, size), means)


def some_moments(p, means):
    """A correlation structure: the lower triangle without the diagonal, in an order of its own."""
    row, col = np.triu_indices(p, 1)
    shifts = np.array([4, 1]) if means else np.arange(0)
    size = len(row) + len(shifts)
    return least_squares.MomentWeight(shifts, row[::-1], col[::-1], np.eye(size) + 0.1)


def posed(means, groups, kind):
    blocks = (cases.block(means=means), cases.block(means=means, loop=False))[:groups]
    shares = (0.4, 0.6) if groups == 2 else (1.0,)
    samples = tuple(cases.sample(k, w, means) for k, w in enumerate(shares))
    build = {
        "normal": lambda sample: least_squares.NormalWeight(np.linalg.inv(sample.cov)),
        "full": lambda sample: full_weight(6, means),
        "diagonal": lambda sample: diagonal_weight(6, means),
        "some": lambda sample: some_moments(6, means),
    }[kind]
    problem = least_squares.LeastSquares(
        blocks, samples, tuple(build(sample) for sample in samples), tuple(0.98 * share for share in shares)
    )
    q = 1 + max(int(block.entry_parameter.max()) for block in blocks)
    generator = np.random.default_rng(3)
    theta = np.concatenate([generator.normal(0.3, 0.1, 10), np.ones(9), [0.2, 0.1], generator.normal(size=q - 21)])
    return problem, theta


@pytest.fixture(
    params=[(m, g, k) for m, g in [(False, 1), (True, 2)] for k in ("normal", "full", "diagonal", "some")],
    ids=lambda value: f"{'means' if value[0] else 'cov'}-{value[1]}-{value[2]}",
)
def problem(request):
    return posed(*request.param)


def test_gradient_is_the_derivative_of_the_discrepancy(problem):
    discrepancy, theta = problem
    numeric = cases.differences(lambda t: discrepancy.evaluate(t).value, theta)
    np.testing.assert_allclose(discrepancy.gradient(discrepancy.evaluate(theta)), numeric, atol=FINITE)


def test_hessian_is_half_the_derivative_of_the_gradient(problem):
    discrepancy, theta = problem
    numeric = cases.differences(lambda t: discrepancy.gradient(discrepancy.evaluate(t)), theta) / 2.0
    np.testing.assert_allclose(discrepancy.hessian(discrepancy.evaluate(theta)), numeric, atol=FINITE)


def test_information_is_the_hessian_where_the_model_holds(problem):
    """Residuals vanish, and with them the second derivatives of the moments; shares then are weights of information."""
    discrepancy, theta = problem
    point = discrepancy.evaluate(theta)
    exact = tuple(
        replace(sample, cov=at.cov, mean=at.mean) for sample, at in zip(discrepancy.samples, point.implied, strict=True)
    )
    there = replace(discrepancy, samples=exact)
    at_truth = there.evaluate(theta)
    assert at_truth.value == 0.0
    np.testing.assert_allclose(there.information(at_truth), there.hessian(at_truth), atol=1e-10)


@pytest.mark.parametrize("means", [False, True])
@pytest.mark.parametrize("kind", ["normal", "full", "diagonal", "some"])
def test_other_units_leave_value_and_curvature(kind, means):
    discrepancy, theta = posed(means, 1, kind)
    # Without equal parameters: two items of different units could not share one.
    discrepancy = replace(discrepancy, blocks=(cases.block(means=means, equal=False),))
    block = discrepancy.blocks[0]
    scale = np.array([2.0, 0.1, 30.0, 1.0, 5.0, 0.5, 1.0, 1.0, 3.0])
    weight = np.ones(len(theta))
    weight[block.directed_parameter] = scale[block.directed_row] / scale[block.directed_col]
    weight[block.symmetric_parameter] = scale[block.symmetric_row] * scale[block.symmetric_col]
    weight[block.intercept_parameter] = scale[block.intercept_row]
    moved = discrepancy.rescaled(scale)
    here, there = discrepancy.evaluate(theta), moved.evaluate(theta * weight)
    assert there.value == pytest.approx(here.value, rel=1e-12)
    np.testing.assert_allclose(
        moved.hessian(there) * np.outer(weight, weight), discrepancy.hessian(here), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("means", [False, True])
def test_the_normal_weight_is_its_matrix(means):
    """The operator without the p* x p* matrix, and the matrix that it stands for."""
    discrepancy, theta = posed(means, 1, "normal")
    inverse = discrepancy.weights[0].inverse
    explicit = every(6, robust.moment_weight(inverse, means=means), means)
    other = replace(discrepancy, weights=(explicit,))
    here, there = discrepancy.evaluate(theta), other.evaluate(theta)
    assert there.value == pytest.approx(here.value, rel=1e-12)
    np.testing.assert_allclose(other.gradient(there), discrepancy.gradient(here), atol=1e-10)
    np.testing.assert_allclose(other.information(there), discrepancy.information(here), atol=1e-10)


def test_the_normal_weight_at_the_truth_gives_the_information_of_likelihood():
    block = cases.block(means=True)
    theta = np.concatenate([np.full(10, 0.3), np.ones(9), [0.2, 0.1], np.full(4, 0.5)])
    at = ram.implied(block, theta)
    sample = likelihood.Sample(1.0, at.cov, at.mean, np.linalg.slogdet(at.cov)[1])
    ml = likelihood.Likelihood((block,), (sample,))
    gls = least_squares.LeastSquares((block,), (sample,), (least_squares.NormalWeight(np.linalg.inv(at.cov)),), (1.0,))
    np.testing.assert_allclose(
        gls.information(gls.evaluate(theta)), ml.information(ml.evaluate(theta)), rtol=1e-9, atol=1e-10
    )


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("means", [False, True])
def test_the_independence_model_is_at_its_minimum(means, fixed):
    """Against the minimisation of the same model written out."""
    from sem_loyalty.kernel.solver import minimise

    sample = cases.sample(0, 1.0, means)
    weight = full_weight(6, means)
    kept = [4, 5]
    pairs = [(i, i) for i in range(6) if not (fixed and i in kept)] + ([] if fixed else [(5, 4)])
    shifts = [i for i in range(6) if means and not (fixed and i in kept)]
    none = np.array([], dtype=int)
    held = np.zeros((6, 6))
    if fixed:
        held[np.ix_(kept, kept)] = sample.cov[np.ix_(kept, kept)]
    block = ram.Block(
        6, np.zeros((6, 6)), none, none, none, held, np.array([i for i, _ in pairs]), np.array([j for _, j in pairs]),
        np.arange(len(pairs)), sample.mean * (fixed and means), np.array(shifts, dtype=int),
        len(pairs) + np.arange(len(shifts)), means,
    )  # fmt: skip
    problem = least_squares.LeastSquares((block,), (sample,), (weight,), (1.0,))
    start = np.array([1.0 if i == j else 0.0 for i, j in pairs] + [0.0] * len(shifts))
    found = minimise(problem, start)
    assert found.converged
    value = least_squares.independence_value(sample, weight, kept, fixed=fixed, means=means)
    assert value == pytest.approx(found.point.value, rel=1e-10)
