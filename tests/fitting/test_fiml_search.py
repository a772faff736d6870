"""The way to the minimum with missing answers: few matrices, a second way that is one, and what answers can lack."""

import pickle
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

import sem_loyalty as sl
from sem_loyalty.errors import DataError
from sem_loyalty.fitting import descent
from sem_loyalty.fitting.discrepancies import discrepancy_of
from sem_loyalty.kernel import incomplete, quasi_newton, saturated, solver
from sem_loyalty.kernel.incomplete import Incomplete
from sem_loyalty.kernel.likelihood import Likelihood
from sem_loyalty.kernel.solver import whole_space

MODEL = """
Image =~ i1 + i2 + i3 + i4
Quality =~ q1 + q2 + q3 + q4
Loyalty =~ l1 + l2 + l3
Quality ~ Image
Loyalty ~ Image + Quality
"""


@cache
def survey(n: int = 300, seed: int = 1) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    image = generator.standard_normal(n)
    quality = 0.6 * image + 0.8 * generator.standard_normal(n)
    loyalty = 0.3 * image + 0.4 * quality + 0.8 * generator.standard_normal(n)
    columns = {"i": (image, 4), "q": (quality, 4), "l": (loyalty, 3)}
    return pd.DataFrame(
        {
            f"{letter}{k + 1}": 5.0 + (1.0 + 0.5 * k) * (0.8 * latent + 0.6 * generator.standard_normal(n))
            for letter, (latent, items) in columns.items()
            for k in range(items)
        }
    )


@cache
def gaps(share: float = 0.15, n: int = 300, seed: int = 1) -> pd.DataFrame:
    data = survey(n, seed)
    return data.where(np.random.default_rng(seed + 100).random(data.shape) >= share)


@pytest.fixture
def asked(monkeypatch):
    """How often the full likelihood and the saturated model were evaluated, and what their matrices take."""
    counts = {"evaluate": 0, "em_step": 0, "observed_loss": 0, "pair_loss": 0, "expected_loss": 0}

    def counted(owner, name):
        original = getattr(owner, name)

        def call(*arguments):
            counts[name] += 1
            return original(*arguments)

        monkeypatch.setattr(owner, name, call)

    counted(Incomplete, "evaluate")
    for name in ("observed_loss", "pair_loss", "expected_loss"):
        counted(incomplete, name)
    counted(saturated, "em_step")
    return counts


def test_few_evaluations_and_matrices_lead_to_the_estimates(asked):
    fit = sl.fit(MODEL, gaps(), missing="fiml", engine="kernel")
    # Second derivatives where the first way down begins and where it ends, from which the second one begins; and the
    # expected information at the end, for the certificate.
    computed = {"observed_loss": 2, "pair_loss": 0, "expected_loss": 1}
    assert {name: asked[name] for name in computed} == computed
    assert asked["evaluate"] <= 18
    assert asked["em_step"] <= 22
    before = asked["evaluate"]
    sl.estimates(fit)
    # Standard errors come from the second derivatives that are known.
    assert {name: asked[name] for name in computed} == computed
    assert asked["evaluate"] == before
    sl.fit_measures(fit)
    # The independence model has its minimum in closed form.
    assert {name: asked[name] for name in computed} == computed
    assert asked["evaluate"] - before <= 1


def test_a_copy_for_another_process_leaves_matrices_behind_and_finds_them_again(asked):
    fit = sl.fit(MODEL, gaps(), missing="fiml", engine="kernel")
    found = sl.estimates(fit)["se"]
    copied = pickle.loads(pickle.dumps(fit))
    assert not copied.point.known.matrices
    assert copied.discrepancy.known.expected is None
    before = asked["observed_loss"]
    np.testing.assert_array_equal(sl.estimates(copied)["se"], found)
    assert asked["observed_loss"] == before + 1
    assert sl.fit_measures(copied) == sl.fit_measures(fit)
    with pytest.raises(ValueError, match="read-only"):
        fit.discrepancy.hessian(fit.point)[0, 0] = 1.0


def test_patterns_that_the_saturated_model_found_serve_only_items_in_the_same_order():
    fit = sl.fit(MODEL, gaps(), missing="fiml", engine="kernel")
    moments, specification = fit.moments, fit.specification
    assert moments.names == specification.observed
    same, *_ = discrepancy_of("ML", specification, moments)
    assert same.patterns is moments.patterns
    group = moments.groups[0]
    back = replace(
        moments,
        names=moments.names[::-1],
        groups=(replace(group, cov=group.cov[::-1, ::-1], mean=group.mean[::-1]),),
        raw=(moments.raw[0][:, ::-1],),
    )
    other, *_ = discrepancy_of("ML", specification, back)
    assert other.evaluate(fit.theta).value == pytest.approx(fit.value, abs=1e-12)


def test_a_way_down_that_the_observed_information_misleads_begins_with_the_expected(monkeypatch):
    expected = sl.fit(MODEL, gaps(), missing="fiml", engine="kernel")
    whole = Incomplete.hessian
    monkeypatch.setattr(Incomplete, "hessian", lambda self, point: -whole(self, point))
    fit = sl.fit(MODEL, gaps(), missing="fiml", engine="kernel")
    assert fit.certificate.certified
    np.testing.assert_allclose(fit.theta, expected.theta, rtol=0, atol=1e-9)


def test_the_second_way_down_has_other_units_and_another_start(monkeypatch):
    begun = []
    original = quasi_newton.refine

    def refine(discrepancy, start, space, tolerance, known):
        begun.append((discrepancy, start))
        return original(discrepancy, start, space, tolerance, known)

    monkeypatch.setattr(descent, "refine", refine)
    fit = sl.fit(MODEL, gaps(), missing="fiml", engine="kernel")
    assert fit.certificate.certified
    assert fit.certificate.rescaled_difference < 1e-10
    one, other = (problem for problem, _ in begun)
    ratios = np.diagonal(other.samples[0].cov) / np.diagonal(one.samples[0].cov)
    assert ratios.max() / ratios.min() > 10.0
    values = [problem.evaluate(begin).value for problem, begin in begun]
    # Evaluated in its own units: the first starts near the minimum, the second well above it.
    assert 0.0 < values[0] - fit.value < 0.01
    assert values[1] - fit.value > 5.0 * (values[0] - fit.value)


def test_a_second_way_that_ends_elsewhere_is_not_certified(monkeypatch):
    original = descent.minimise

    def minimise(discrepancy, start, space, *, aside=False, known=None):
        found = original(discrepancy, start, space, aside=aside, known=known)
        if not aside or found is None:
            return found
        worse = discrepancy.evaluate(found.point.theta * 1.01)
        return solver.Solution(worse, found.iterations, True, found.decrement)

    monkeypatch.setattr("sem_loyalty.fitting.search.minimise", minimise)
    with pytest.warns(sl.errors.ImproperSolutionWarning, match="rescaling"):
        fit = sl.fit(MODEL, gaps(), missing="fiml", engine="kernel")
    assert not fit.certificate.certified


def test_one_matrix_leads_to_the_minimum_that_many_lead_to():
    fit = sl.fit(MODEL, gaps(0.3), missing="fiml", engine="kernel")
    discrepancy, space = fit.discrepancy, whole_space(len(fit.theta))
    complete = solver.minimise(Likelihood(discrepancy.blocks, discrepancy.samples), fit.theta, space)
    slow = solver.minimise(discrepancy, complete.point.theta, space)
    np.testing.assert_allclose(fit.theta, slow.point.theta, rtol=0, atol=1e-9)
    assert fit.value == pytest.approx(slow.point.value, abs=1e-13)


def test_a_start_where_nothing_is_defined_is_refused():
    fit = sl.fit(MODEL, gaps(), missing="fiml", engine="kernel")
    space = whole_space(len(fit.theta))
    assert quasi_newton.refine(fit.discrepancy, -10.0 * np.abs(fit.theta), space) is None
    # From far away the steps may fail, but what is returned is a minimum.
    found = quasi_newton.refine(fit.discrepancy, fit.theta * 1.5, space)
    assert found is None or found.point.value == pytest.approx(fit.value, abs=1e-12)


def test_without_two_stage_estimates_the_full_likelihood_is_minimised_directly(monkeypatch):
    expected = sl.fit(MODEL, gaps(), missing="fiml", engine="kernel")
    monkeypatch.setattr(descent, "refine", lambda *_: None)
    fit = sl.fit(MODEL, gaps(), missing="fiml", engine="kernel")
    assert fit.certificate.certified
    np.testing.assert_allclose(fit.theta, expected.theta, rtol=0, atol=1e-9)


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_threads_change_no_digit(estimator):
    data = gaps(0.2, 800, 3)

    def numbers(threads: int) -> list[np.ndarray]:
        with threadpool_limits(threads, user_api="blas"):
            fit = sl.fit(MODEL, data, missing="fiml", estimator=estimator, engine="kernel")
            measures = np.array(list(sl.fit_measures(fit).values()))
            return [fit.theta, sl.estimates(fit)["se"].to_numpy(), measures, sl.modification_indices(fit)["mi"]]

    for one, two in zip(numbers(1), numbers(2), strict=True):
        np.testing.assert_array_equal(one, two)


def test_every_respondent_with_a_pattern_of_their_own():
    data = gaps(0.45, 500, 4)
    data = data[~data.isna().duplicated(keep=False)]
    fit = sl.fit(MODEL, data, missing="fiml", engine="kernel")
    assert len(fit.discrepancy.patterns[0].seen) == fit.moments.n > 250
    assert fit.certificate.certified
    assert np.isfinite(list(sl.fit_measures(fit).values())).all()


def test_few_patterns_of_many_respondents_weigh_as_their_rows():
    data = survey(2000, 5).copy()
    data.loc[:699, ["i4", "q4"]] = np.nan
    data.loc[700:1299, ["l3"]] = np.nan
    fit = sl.fit(MODEL, data, missing="fiml", engine="kernel")
    assert len(fit.discrepancy.patterns[0].rows) <= 3 * 12
    at, rows = fit.point.implied[0], data[list(fit.specification.observed)].to_numpy()
    total = 0.0
    for answers in rows:
        seen = ~np.isnan(answers)
        d, cov = (answers - at.mean)[seen], at.cov[np.ix_(seen, seen)]
        total += np.linalg.slogdet(2.0 * np.pi * cov)[1] + d @ np.linalg.solve(cov, d)
    assert sl.fit_measures(fit)["logl"] == pytest.approx(-0.5 * total, rel=1e-12)


def test_rows_with_one_answer_say_what_they_can():
    data = survey(400, 6).copy()
    expected = sl.fit(MODEL, data.iloc[:300], missing="fiml", engine="kernel")
    data.iloc[300:400, 1:] = np.nan
    fit = sl.fit(MODEL, data, missing="fiml", engine="kernel")
    assert fit.certificate.certified
    assert fit.moments.n == 400
    # A single answer bears on the mean and variance of its item, hardly on the loadings of others.
    ours, theirs = (sl.estimates(each).set_index(["lhs", "op", "rhs"])["se"] for each in (fit, expected))
    assert ours["i1", "~1", ""] < 0.92 * theirs["i1", "~1", ""]
    assert ours["Loyalty", "=~", "l2"] == pytest.approx(theirs["Loyalty", "=~", "l2"], rel=1e-3)


def test_items_that_nobody_answered_together_leave_the_saturated_model_unidentified():
    data = survey().copy()
    data.loc[:149, "i1"] = np.nan
    data.loc[150:, "q2"] = np.nan
    with pytest.raises(DataError, match=r"saturated model is not identified: 'i1' and 'q2'\. Leave out one of each"):
        sl.fit(MODEL, data, missing="fiml")


def test_an_item_that_nobody_answered_is_named():
    with pytest.raises(DataError, match="Items that nobody answered: 'q2'"):
        sl.fit(MODEL, survey().assign(q2=np.nan), missing="fiml")
    halves = survey().assign(wave=["first", "second"] * 150)
    halves.loc[halves["wave"] == "second", "l1"] = np.nan
    with pytest.raises(DataError, match=r"nobody answered in group 'second': 'l1'"):
        sl.fit(MODEL, halves, missing="fiml", group="wave")
