"""Many samples at once give what one at a time gives."""

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.inference.uncertainty import answers, fixed_positions, parameter_covariance
from sem_loyalty.kernel.batch import batch_problem, evaluator, minimise_lanes, minimise_one
from sem_loyalty.kernel.batch_dense import DenseEvaluator, dense_evaluator, sweep
from sem_loyalty.kernel.batch_factor import FactorEvaluator, factor_evaluator
from sem_loyalty.kernel.batch_units import lane_units, original, rescale
from sem_loyalty.kernel.likelihood import Likelihood, Sample, evaluate, gradient, hessian, log_determinant
from sem_loyalty.kernel.ram import to_parameters
from sem_loyalty.kernel.resample import counts, products, resample_moments, stream, under_the_model
from sem_loyalty.kernel.solver import minimise

# Some of these models do not suit the data; the arithmetic is what is compared.
pytestmark = pytest.mark.filterwarnings("ignore::sem_loyalty.errors.ImproperSolutionWarning")

NOTHING = np.array([], dtype=np.intp)
SECOND_ORDER = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nG =~ A + B + C"
CORRELATED = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A\na1 ~~ b1"
EQUAL = "A =~ a1 + x*a2 + x*a3\nB =~ b1 + b2 + b3\nB ~ A"
PATHS = "b1 ~ a1 + a2\nc1 ~ b1 + a1"
FREE_X = "A =~ a1 + a2 + a3\nB =~ b1 + b2\nB ~ A + c1"
LOOP = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A + C\nC ~ 0.2*B"


def fitted_problem(model, data, **options):
    fitted = sl.fit(model, data, engine="kernel", **options)
    weights = tuple(sample.weight for sample in fitted.samples)
    fixed = np.array(fixed_positions(fitted), dtype=np.intp)
    H = hessian(fitted.blocks, fitted.samples, fitted.point)
    problem = batch_problem(fitted.blocks, weights, fitted.theta, H, fitted.space, fixed)
    return fitted, problem, fixed


def moments_of(fitted, draws, seed=3):
    return [
        resample_moments(products(rows), stream(seed, 0, group), draws) for group, rows in enumerate(answers(fitted))
    ]


def single_fit(fitted, moments, fixed, lane):
    """The same resample by the minimiser of `fit`, from the same start."""
    one = tuple((cov[..., lane], mean[:, lane]) for cov, mean in moments)
    weights = tuple(sample.weight for sample in fitted.samples)
    return minimise_one(fitted.blocks, weights, one, (fitted.theta,), fitted.space, fixed)


@pytest.mark.parametrize(
    ("model", "options", "kind"),
    [
        (None, {}, FactorEvaluator),
        (SECOND_ORDER, {}, FactorEvaluator),
        (CORRELATED, {}, DenseEvaluator),
        (EQUAL, {}, FactorEvaluator),
        (PATHS, {}, DenseEvaluator),
        (FREE_X, {}, DenseEvaluator),
        (LOOP, {}, DenseEvaluator),
        (CORRELATED, {"meanstructure": True}, DenseEvaluator),
        ("A =~ a1 + a2 + a3 + b1\na1 ~ m*1\na2 ~ m*1", {"meanstructure": True}, DenseEvaluator),
        ("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3", {"std_lv": True}, FactorEvaluator),
    ],
)
def test_lanes_equal_single_fits(chain, chain_model, model, options, kind):
    fitted, problem, fixed = fitted_problem(model or chain_model, chain, **options)
    assert isinstance(problem.evaluators[0], kind)
    moments = moments_of(fitted, 25)
    arranged = tuple(one.arrange(*found) for one, found in zip(problem.evaluators, moments, strict=True))
    solution = minimise_lanes(problem, arranged)
    assert solution.converged.mean() > 0.9
    se = np.sqrt(np.diagonal(parameter_covariance(fitted)))
    for lane in np.flatnonzero(solution.converged):
        theta, value = single_fit(fitted, moments, fixed, lane)
        assert (np.abs(solution.theta[:, lane] - theta) / se).max() < 1e-4
        assert solution.value[lane] == pytest.approx(value, abs=1e-9)


def test_groups_share_their_parameters(chain):
    data = chain.assign(g=np.where(np.arange(len(chain)) % 3 == 0, "u", "v"))
    fitted, problem, fixed = fitted_problem(
        "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", data, group="g", group_equal=["loadings"]
    )
    moments = moments_of(fitted, 10)
    arranged = tuple(one.arrange(*found) for one, found in zip(problem.evaluators, moments, strict=True))
    solution = minimise_lanes(problem, arranged)
    assert solution.converged.all()
    se = np.sqrt(np.diagonal(parameter_covariance(fitted)))
    for lane in range(10):
        theta, _ = single_fit(fitted, moments, fixed, lane)
        assert (np.abs(solution.theta[:, lane] - theta) / se).max() < 1e-4


@pytest.mark.parametrize("make", [factor_evaluator, lambda block: dense_evaluator(block, NOTHING)])
def test_value_and_slope_are_those_of_the_likelihood(chain, chain_model, make):
    fitted = sl.fit(chain_model, chain, engine="kernel")
    one = make(fitted.blocks[0])
    generator = np.random.default_rng(4)
    theta = fitted.theta[:, None] * (1 + 0.4 * generator.standard_normal((len(fitted.theta), 60)))
    residual = fitted.blocks[0].symmetric_parameter[0]
    theta[residual, :20] = -0.05  # a negative variance need not make Sigma indefinite
    theta[residual, 20] = -50.0
    sample = fitted.samples[0]
    lanes = one.arrange(np.repeat(sample.cov[:, :, None], 60, axis=2), np.zeros((len(sample.cov), 60)))
    value, slope = one.evaluate(theta, lanes)
    defined = 0
    for lane in range(60):
        point = evaluate(fitted.blocks, fitted.samples, theta[:, lane])
        assert (point is None) == (not np.isfinite(value[lane]))
        if point is not None:
            defined += lane < 20
            constant = sample.logdet + len(sample.cov)
            assert value[lane] == pytest.approx(point.value + constant, rel=1e-9)
            found = to_parameters(fitted.blocks[0], slope[:, lane], len(theta))
            expected = gradient(fitted.blocks, fitted.samples, point)
            np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)
    assert defined > 5


def test_variances_of_both_evaluators_agree(chain):
    fitted = sl.fit(SECOND_ORDER, chain, engine="kernel")
    theta = np.repeat(fitted.theta[:, None], 3, axis=1) * np.array([1.0, 1.1, 0.9])
    found = []
    for one in (factor_evaluator(fitted.blocks[0]), dense_evaluator(fitted.blocks[0], NOTHING)):
        lanes = one.arrange(np.repeat(fitted.samples[0].cov[:, :, None], 3, axis=2), np.zeros((9, 3)))
        found.append(one.variances(theta, lanes))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    np.testing.assert_allclose(found[0][0][:, 0], np.diagonal(fitted.point.implied[0].total), rtol=1e-12)


def test_sweep_inverts_and_shows_the_signs_of_the_eigenvalues():
    generator = np.random.default_rng(2)
    matrices = generator.standard_normal((5, 5, 40))
    matrices += matrices.transpose(1, 0, 2)
    work = matrices.copy()
    pivots = sweep(work)
    for lane in range(40):
        np.testing.assert_allclose(-work[..., lane], np.linalg.inv(matrices[..., lane]), rtol=1e-6, atol=1e-8)
        negative = (np.linalg.eigvalsh(matrices[..., lane]) < 0).sum()
        assert (pivots[:, lane] < 0).sum() == negative


def test_units_of_the_full_sample_change_nothing(chain, chain_model):
    fitted, problem, _ = fitted_problem(chain_model, chain)
    units = lane_units(fitted.blocks, (fitted.samples[0].cov,), constrained=False)
    (cov, mean), one = moments_of(fitted, 20)[0], problem.evaluators[0]
    plain = minimise_lanes(problem, (one.arrange(cov, mean),))
    scaled = cov.copy()
    factors = rescale(units, [scaled])
    np.testing.assert_allclose(scaled[3, 3], fitted.samples[0].cov[3, 3])
    other = minimise_lanes(problem, (one.arrange(scaled, mean),))
    np.testing.assert_allclose(original(units, fitted.blocks, other.theta, factors), plain.theta, atol=1e-6)


def test_models_that_are_not_equivariant_keep_their_units(chain):
    for model in (EQUAL, LOOP, "A =~ a1 + a2 + a3 + b1\na2 ~~ 0.5*a2"):
        fitted = sl.fit(model, chain, engine="kernel")
        covs = tuple(sample.cov for sample in fitted.samples)
        assert lane_units(fitted.blocks, covs, constrained=fitted.space.constrained) is None


def test_moments_are_those_of_the_drawn_rows(chain):
    rows = chain.to_numpy()
    cov, mean = resample_moments(products(rows), stream(8, 2, 0), 7)
    drawn = counts(stream(8, 2, 0), len(rows), 7)
    assert (drawn.sum(axis=1) == len(rows)).all()
    for lane in range(7):
        resample = np.repeat(rows, drawn[lane].astype(int), axis=0)
        np.testing.assert_allclose(mean[:, lane], resample.mean(axis=0), atol=1e-13)
        np.testing.assert_allclose(cov[..., lane], np.cov(resample.T, bias=True), atol=1e-13)


def test_answers_under_the_model_have_its_moments(chain, chain_model):
    fitted = sl.fit(chain_model, chain, engine="kernel")
    rows, target = answers(fitted)[0], fitted.point.implied[0].cov
    moved = under_the_model(rows, fitted.samples[0].cov, target, None)
    np.testing.assert_allclose(np.cov(moved.T, bias=True), target, atol=1e-12)
    np.testing.assert_allclose(moved.mean(axis=0), rows.mean(axis=0), atol=1e-12)
    assert min(np.corrcoef(rows[:, k], moved[:, k])[0, 1] for k in range(9)) > 0.95


def test_a_lane_without_a_minimum_does_not_converge():
    generator = np.random.default_rng(1)
    data = pd.DataFrame(generator.normal(size=(80, 1)) + generator.normal(size=(80, 4)), columns=list("abcd"))
    fitted, problem, _ = fitted_problem("f =~ a + b + c + d", data)
    cov = np.repeat(fitted.samples[0].cov[:, :, None], 3, axis=2)
    cov[..., 1] = np.nan
    cov[..., 2] = 0.0  # log|Sigma| falls without end
    one = problem.evaluators[0]
    solution = minimise_lanes(problem, (one.arrange(cov, np.zeros((4, 3))),))
    assert list(solution.converged) == [True, False, False]
    np.testing.assert_allclose(solution.theta[:, 0], fitted.theta, atol=1e-9)
    assert (
        minimise_one(fitted.blocks, (1.0,), ((cov[..., 2], np.zeros(4)),), (fitted.theta,), fitted.space, NOTHING)
        is None
    )


def test_evaluator_is_chosen_by_the_structure(chain):
    fitted = sl.fit("A =~ a1 + a2 + a3 + b1\nB =~ b1 + b2 + b3", chain, engine="kernel")  # b1 measures both
    assert isinstance(evaluator(fitted.blocks[0], NOTHING), DenseEvaluator)
    start = fitted.theta * 1.05
    sample = Sample(1.0, fitted.samples[0].cov, fitted.samples[0].mean, log_determinant(fitted.samples[0].cov))
    again = minimise(Likelihood(fitted.blocks, (sample,)), start)
    np.testing.assert_allclose(again.point.theta, fitted.theta, atol=1e-7)
