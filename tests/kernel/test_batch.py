"""Many samples at once give what one at a time gives."""

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.inference.uncertainty import answers, fixed_positions, parameter_covariance
from sem_loyalty.kernel.batch import batch_problem, evaluator, minimise_lanes, minimise_one
from sem_loyalty.kernel.batch_dense import DenseEvaluator, dense_evaluator, sweep
from sem_loyalty.kernel.batch_factor import FactorEvaluator, absorb, factor_evaluator
from sem_loyalty.kernel.batch_scales import on_scales, scales_of
from sem_loyalty.kernel.batch_units import lane_units, original, rescale
from sem_loyalty.kernel.likelihood import Likelihood, Sample, evaluate, gradient, hessian, log_determinant
from sem_loyalty.kernel.ram import to_parameters
from sem_loyalty.kernel.resample import counts, products, resample_moments, stream, under_the_model
from sem_loyalty.kernel.scratch import Scratch
from sem_loyalty.kernel.solver import minimise

# Some of these models do not suit the data; the arithmetic is what is compared.
pytestmark = pytest.mark.filterwarnings("ignore::sem_loyalty.errors.ImproperSolutionWarning")

NOTHING = np.array([], dtype=np.intp)
SECOND_ORDER = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nG =~ A + B + C"
CORRELATED = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A\na1 ~~ b1"
METHOD = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\na1 ~~ b1 + c1\nb1 ~~ c1\nb2 ~~ b3\nC ~ A + B"
PAIRS = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nC ~ A + B\na1 ~~ b1\na2 ~~ a3\nb2 ~~ c2\nb3 ~~ 0.1*c3"
CROSSED = "A =~ a1 + a2 + a3 + b1\nB =~ b1 + b2 + b3\nB ~ A"
SINGLE = "A =~ a1 + a2 + a3\nB =~ 1*b1\nb1 ~~ 0*b1\nc1 ~ A + B"
EQUAL = "A =~ a1 + x*a2 + x*a3\nB =~ b1 + b2 + b3\nB ~ A"
SHARED = "A =~ a1 + x*a2 + a3\nB =~ b1 + x*b2 + b3\nB ~ A"
PATHS = "b1 ~ a1 + a2\nc1 ~ b1 + a1"
FREE_X = "A =~ a1 + a2 + a3\nB =~ b1 + b2\nB ~ A + c1"
LOOP = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A + C\nC ~ 0.2*B"


GROUPS = {"group": "g", "group_equal": ["loadings", "intercepts"]}


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
        (CORRELATED, {}, FactorEvaluator),
        (METHOD, {}, FactorEvaluator),
        (PAIRS, {}, FactorEvaluator),
        (PAIRS, {"meanstructure": True}, FactorEvaluator),
        (CROSSED, {}, FactorEvaluator),
        (EQUAL, {}, FactorEvaluator),
        (PATHS, {}, FactorEvaluator),
        (FREE_X, {}, FactorEvaluator),
        (FREE_X, {"meanstructure": True}, FactorEvaluator),
        (SINGLE, {}, FactorEvaluator),
        (LOOP, {}, DenseEvaluator),
        (CORRELATED, {"meanstructure": True}, FactorEvaluator),
        ("A =~ a1 + a2 + a3 + b1\na1 ~ m*1\na2 ~ m*1", {"meanstructure": True}, FactorEvaluator),
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


@pytest.mark.parametrize("model", ["A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", METHOD, SECOND_ORDER])
def test_groups_share_their_parameters(chain, model):
    data = chain.assign(g=np.where(np.arange(len(chain)) % 3 == 0, "u", "v"))
    fitted, problem, fixed = fitted_problem(model, data, group="g", group_equal=["loadings"])
    moments = moments_of(fitted, 10)
    arranged = tuple(one.arrange(*found) for one, found in zip(problem.evaluators, moments, strict=True))
    solution = minimise_lanes(problem, arranged)
    assert solution.converged.sum() > 7
    se = np.sqrt(np.diagonal(parameter_covariance(fitted)))
    for lane in np.flatnonzero(solution.converged):
        theta, _ = single_fit(fitted, moments, fixed, lane)
        assert (np.abs(solution.theta[:, lane] - theta) / se).max() < 1e-4


@pytest.mark.parametrize("make", [factor_evaluator, dense_evaluator])
@pytest.mark.parametrize("model", [None, METHOD, PAIRS, CROSSED, SINGLE])
@pytest.mark.parametrize("means", [False, True])
def test_value_and_slope_are_those_of_the_likelihood(chain, chain_model, make, model, means):
    fitted = sl.fit(model or chain_model, chain, engine="kernel", meanstructure=means)
    one = make(fitted.blocks[0], NOTHING)
    generator = np.random.default_rng(4)
    theta = fitted.theta[:, None] * (1 + 0.4 * generator.standard_normal((len(fitted.theta), 60)))
    own = fitted.blocks[0].symmetric_row == fitted.blocks[0].symmetric_col
    residual = fitted.blocks[0].symmetric_parameter[own][0]
    theta[residual, :20] = -0.05  # a negative variance need not make Sigma indefinite
    theta[residual, 20] = -50.0
    sample = fitted.samples[0]
    p = len(sample.cov)
    lanes = one.arrange(np.repeat(sample.cov[:, :, None], 60, axis=2), np.repeat(sample.mean[:, None], 60, axis=1))
    value, slope = one.evaluate(theta, lanes, Scratch())
    defined = 0
    for lane in range(60):
        point = evaluate(fitted.blocks, fitted.samples, theta[:, lane])
        assert (point is None) == (not np.isfinite(value[lane]))
        if point is not None:
            defined += lane < 20
            assert value[lane] == pytest.approx(point.value + sample.logdet + p, rel=1e-9)
            found = to_parameters(fitted.blocks[0], slope[:, lane], len(theta))
            expected = gradient(fitted.blocks, fitted.samples, point)
            np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)
    assert defined > 5


@pytest.mark.parametrize("model", [SECOND_ORDER, METHOD, PAIRS])
def test_variances_of_both_evaluators_agree(chain, model):
    fitted = sl.fit(model, chain, engine="kernel")
    theta = np.repeat(fitted.theta[:, None], 3, axis=1) * np.array([1.0, 1.1, 0.9])
    found = []
    for make in (factor_evaluator, dense_evaluator):
        one = make(fitted.blocks[0], NOTHING)
        lanes = one.arrange(np.repeat(fitted.samples[0].cov[:, :, None], 3, axis=2), np.zeros((9, 3)))
        found.append(one.variances(theta, lanes))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    np.testing.assert_allclose(found[0][0][:, 0], np.diagonal(fitted.point.implied[0].total), rtol=1e-12)


def test_sweep_inverts_and_shows_the_signs_of_the_eigenvalues():
    generator = np.random.default_rng(2)
    matrices = generator.standard_normal((5, 5, 40))
    matrices += matrices.transpose(1, 0, 2)
    work = matrices.copy()
    pivots = sweep(work, np.empty_like(work))
    for lane in range(40):
        np.testing.assert_allclose(-work[..., lane], np.linalg.inv(matrices[..., lane]), rtol=1e-6, atol=1e-8)
        negative = (np.linalg.eigvalsh(matrices[..., lane]) < 0).sum()
        assert (pivots[:, lane] < 0).sum() == negative


def test_absorbing_gives_the_inverse_the_determinant_and_the_signs():
    generator = np.random.default_rng(5)
    P = generator.standard_normal((5, 5, 60))
    P += P.transpose(1, 0, 2)
    M = generator.standard_normal((5, 60))
    M[:, 0] = 1e9 * np.abs(M[:, 0])  # residual variances next to nothing
    work = P.copy()
    growth = absorb(work, M, np.empty_like(work))
    for lane in range(60):
        before, after = P[..., lane], np.linalg.inv(P[..., lane]) + np.diag(M[:, lane])
        np.testing.assert_allclose(work[..., lane] @ after, np.eye(5), atol=1e-5)
        assert growth[:, lane].prod() == pytest.approx(np.linalg.det(np.eye(5) + before * M[:, lane]), rel=1e-6)
        turned = (np.sign(M[:, lane]) * (growth[:, lane] < 0)).sum()
        positive = [(np.linalg.eigvalsh(one) > 0).sum() for one in (after, before)]
        assert turned == positive[0] - positive[1]


@pytest.mark.parametrize("means", [False, True])
@pytest.mark.parametrize("model", [METHOD, PAIRS])
def test_what_is_not_positive_definite_is_seen_far_from_the_minimum(chain, model, means):
    fitted = sl.fit(model, chain, engine="kernel", meanstructure=means)
    generator = np.random.default_rng(6)
    noise, shift = generator.standard_normal((2, len(fitted.theta), 300))
    theta = fitted.theta[:, None] * (1 + 0.6 * noise) + 0.2 * shift
    one, sample = factor_evaluator(fitted.blocks[0], NOTHING), fitted.samples[0]
    lanes = one.arrange(np.repeat(sample.cov[:, :, None], 300, axis=2), np.repeat(sample.mean[:, None], 300, axis=1))
    value, slope = one.evaluate(theta, lanes, Scratch())
    points = [evaluate(fitted.blocks, fitted.samples, theta[:, lane]) for lane in range(300)]
    assert 30 < sum(point is not None for point in points) < 200
    for lane, point in enumerate(points):
        assert (point is None) == (not np.isfinite(value[lane]))
        if point is not None:
            expected = gradient(fitted.blocks, fitted.samples, point)
            found = to_parameters(fitted.blocks[0], slope[:, lane], len(theta))
            np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_lanes_end_closer_than_they_must(chain, chain_model):
    _, problem, _ = fitted = fitted_problem(chain_model, chain)
    (moments,) = moments_of(fitted[0], 200)
    lanes = (problem.evaluators[0].arrange(*moments),)
    solution = minimise_lanes(problem, lanes)
    assert solution.converged.all()
    alpha = np.linalg.solve(problem.basis, solution.theta - problem.centre[:, None])
    slope = np.empty_like(alpha)
    problem.objective(alpha, lanes, Scratch(), slope)
    decrement = np.linalg.norm(slope, axis=0)
    assert decrement.max() < 3e-8
    assert np.median(decrement) < 1e-8


def units_of(fitted, fixed):
    covs = tuple(sample.cov for sample in fitted.samples)
    weights = tuple(sample.weight for sample in fitted.samples)
    return lane_units(fitted.blocks, covs, weights, fitted.space, fixed), weights


@pytest.mark.parametrize(
    ("model", "options"), [(None, {}), (METHOD, {"meanstructure": True}), (FREE_X, {}), (CROSSED, GROUPS)]
)
def test_units_of_the_full_sample_change_nothing(chain, chain_model, model, options):
    data = chain.assign(g=np.where(np.arange(len(chain)) % 3 == 0, "u", "v"))
    fitted, problem, fixed = fitted_problem(model or chain_model, data, **options)
    units, weights = units_of(fitted, fixed)
    assert units.common == ("group" in options)
    moments = moments_of(fitted, 20)
    plain = minimise_lanes(
        problem, tuple(one.arrange(*at) for one, at in zip(problem.evaluators, moments, strict=True))
    )
    place = products(answers(fitted)[0]).place
    lower = np.tril_indices(len(place))
    covs, means = [cov[lower] for cov, _ in moments], [mean.copy() for _, mean in moments]
    factors = rescale(units, covs, means, weights)
    if not units.common:
        np.testing.assert_allclose(covs[0][place[3, 3]], fitted.samples[0].cov[3, 3])
    arranged = [one.arrange(*at, place) for one, *at in zip(problem.evaluators, covs, means, strict=True)]
    other = minimise_lanes(problem, tuple(arranged))
    assert plain.converged.all()
    np.testing.assert_allclose(original(units, fitted.blocks, other.theta, factors), plain.theta, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "options", "freed"),
    [
        (None, {}, 3),
        (PAIRS, {"meanstructure": True}, 3),
        (SECOND_ORDER, {}, 2),  # A is the marker of the factor above it
        (LOOP, {}, 1),  # a fixed path ties the other two
        (FREE_X, {}, 2),
        (EQUAL, {}, 2),
        ("A =~ 2*a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", {"group": "g"}, 4),
        ("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", GROUPS, 2),
    ],
)
def test_lanes_end_where_they_end_in_the_units_of_markers(chain, chain_model, model, options, freed):
    data = chain.assign(g=np.where(np.arange(len(chain)) % 2 == 0, "u", "v"))
    fitted, problem, fixed = fitted_problem(model or chain_model, data, **options)
    scales = scales_of(fitted.blocks, fitted.space)
    assert len(scales.value) == freed
    covs = tuple(sample.cov for sample in fitted.samples)
    other = on_scales(problem, scales, fitted.blocks, covs, fixed)
    moments = moments_of(fitted, 40)
    found = []
    for one in (problem, other):
        arranged = tuple(e.arrange(*at) for e, at in zip(one.evaluators, moments, strict=True))
        found.append(minimise_lanes(one, arranged))
    assert found[1].iterations.mean() < found[0].iterations.mean()
    theta, kept = scales.restored(found[1].theta, fitted.blocks)
    both = found[0].converged & found[1].converged & kept
    assert both.sum() >= 38
    se = np.sqrt(np.diagonal(parameter_covariance(fitted)))
    assert (np.abs(theta - found[0].theta)[:, both] / se[:, None]).max() < 1e-5
    np.testing.assert_allclose(scales.restored(scales.widened(theta), fitted.blocks)[0], theta)


def test_units_that_are_not_arbitrary_are_kept(chain):
    # Unit variances, one loading for two constructs, no construct: there is no marker to free.
    for model, options in (("A =~ a1 + a2 + a3 + b1", {"std_lv": True}), (SHARED, {}), (PATHS, {})):
        fitted = sl.fit(model, chain, engine="kernel", **options)
        assert scales_of(fitted.blocks, fitted.space) is None


def test_models_that_are_not_equivariant_keep_their_units(chain):
    for model in (EQUAL, LOOP, "A =~ a1 + a2 + a3 + b1\na2 ~~ 0.5*a2", "A =~ u*a1 + v*a2 + a3 + b1\nu == 2*v"):
        fitted = sl.fit(model, chain, engine="kernel", std_lv="u*" in model)
        assert units_of(fitted, NOTHING)[0] is None


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
    fitted = sl.fit(LOOP, chain, engine="kernel")
    assert isinstance(evaluator(fitted.blocks[0], NOTHING), DenseEvaluator)
    fitted = sl.fit(CROSSED, chain, engine="kernel")
    found = evaluator(fitted.blocks[0], NOTHING).structure
    assert found.items == 5
    assert [fitted.specification.observed[i] for i in found.order[5:]] == ["b1"]
    found = evaluator(sl.fit(PAIRS, chain, engine="kernel").blocks[0], NOTHING).structure
    assert (found.items, len(found.pairs), len(found.members)) == (9, 4, 3)
    found = evaluator(sl.fit(METHOD, chain, engine="kernel").blocks[0], NOTHING).structure
    assert (found.items, len(found.pairs), len(found.members)) == (6, 1, 6)  # three errors of one method are no pair
    start = fitted.theta * 1.05
    sample = Sample(1.0, fitted.samples[0].cov, fitted.samples[0].mean, log_determinant(fitted.samples[0].cov))
    again = minimise(Likelihood(fitted.blocks, (sample,)), start)
    np.testing.assert_allclose(again.point.theta, fitted.theta, atol=1e-7)
