from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.kernel.resample import counts, stream
from sem_loyalty.pls_sem.resamples import LANES

MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ A + B"


@pytest.fixture(scope="module")
def fitted(chain: pd.DataFrame) -> sl.Pls:
    return sl.pls(MODEL, chain)


@pytest.fixture(scope="module")
def drawn(fitted: sl.Pls) -> sl.PlsBootstrap:
    return sl.pls_bootstrap(fitted, 1200)


def test_every_draw_equals_an_estimate_from_its_own_rows(
    chain: pd.DataFrame, fitted: sl.Pls, drawn: sl.PlsBootstrap
) -> None:
    often = counts(stream(1, 0, 0), len(chain), LANES).astype(int)
    for k in (0, 7, 999):
        rows = chain.iloc[np.repeat(np.arange(len(chain)), often[k])]
        refit = sl.pls(MODEL, rows)
        quality = sl.pls_quality(refit)
        values = drawn.statistics.assign(value=drawn.draws[:, k])
        paths = values[values["kind"] == "path"]["value"]
        np.testing.assert_allclose(paths, refit.path_coefficients()["est"], atol=1e-7)
        np.testing.assert_allclose(values[values["kind"] == "loading"]["value"], refit.loadings, atol=1e-7)
        np.testing.assert_allclose(values[values["kind"] == "f2"]["value"], quality.inner["f2"], atol=1e-6)
        htmt = quality.htmt.to_numpy()[np.tril_indices(3, -1)]
        np.testing.assert_allclose(values[values["kind"] == "htmt"]["value"], htmt, atol=1e-10)


def test_estimates_are_those_of_the_fit(fitted: sl.Pls, drawn: sl.PlsBootstrap) -> None:
    frame = drawn.estimates()
    named = frame.set_index(["kind", "name"])["est"]
    effects = fitted.total_effects().set_index(["cause", "outcome"])
    assert named["path", "A -> C"] == pytest.approx(fitted.paths[2, 0])
    assert named["total", "A -> C"] == pytest.approx(effects.loc[("A", "C"), "total"])
    assert named["indirect", "A -> B -> C"] == pytest.approx(effects.loc[("A", "C"), "indirect"])
    assert named["r2", "C"] == pytest.approx(fitted.r2[2])


def test_draws_do_not_depend_on_their_number_or_on_workers(fitted: sl.Pls, drawn: sl.PlsBootstrap) -> None:
    assert np.array_equal(sl.pls_bootstrap(fitted, 50).draws, drawn.draws[:, :50])
    assert np.array_equal(sl.pls_bootstrap(fitted, 1200, workers=2).draws, drawn.draws)
    assert not np.array_equal(sl.pls_bootstrap(fitted, 50, seed=2).draws, drawn.draws[:, :50])


def test_standard_errors_agree_with_the_jackknife(drawn: sl.PlsBootstrap) -> None:
    frame = drawn.estimates("path", "loading")
    n = drawn.jackknife.shape[1]
    spread = drawn.jackknife[drawn.statistics["kind"].isin(["path", "loading"])].std(axis=1) * np.sqrt(n - 1)
    np.testing.assert_allclose(frame["se"], spread, rtol=0.2)


def test_jackknife_leaves_one_respondent_out(chain: pd.DataFrame, drawn: sl.PlsBootstrap) -> None:
    refit = sl.pls(MODEL, chain.drop(index=3))
    paths = drawn.jackknife[drawn.statistics["kind"] == "path", 3]
    np.testing.assert_allclose(paths, refit.path_coefficients()["est"], atol=1e-7)


@pytest.mark.parametrize("interval", ["percentile", "bca", "basic"])
def test_intervals_enclose_the_paths_that_made_the_answers(drawn: sl.PlsBootstrap, interval: str) -> None:
    frame = drawn.estimates("path", interval=interval, level=0.99).set_index("name")
    assert (frame["ci_lower"] < frame["est"]).all()
    assert (frame["est"] < frame["ci_upper"]).all()
    # No draw reaches zero; the bca interval, being shifted, would take in zero a little sooner.
    assert frame.loc["A -> B", "pvalue"] == pytest.approx(2 / 1201, abs=0 if interval != "bca" else 0.005)
    assert frame.loc["A -> C", "ci_lower"] < 0 < frame.loc["A -> C", "ci_upper"]


def test_a_change_of_sign_is_no_variation(chain: pd.DataFrame) -> None:
    # Items of opposite wording: the sum of loadings is near zero, so its sign would flip from draw to draw.
    turned = chain.assign(a1=-chain["a1"])[["a1", "a2", "b1", "b2", "b3"]]
    drawn = sl.pls_bootstrap(sl.pls("A =~ a1 + a2\nB =~ b1 + b2 + b3\nB ~ A", turned), 300)
    paths = drawn.draws[0]
    assert (np.sign(paths) == np.sign(drawn.estimate[0])).all()


def test_consistent_draws_are_corrected(chain: pd.DataFrame) -> None:
    drawn = sl.pls_bootstrap(sl.pls(MODEL, chain, consistent=True), 300)
    frame = drawn.estimates("path").set_index("name")
    assert frame.loc["A -> B", "ci_lower"] < 0.6 < frame.loc["A -> B", "ci_upper"]
    assert drawn.failed == 0


def test_single_items_have_constant_loadings_and_no_interval(chain: pd.DataFrame) -> None:
    frame = sl.pls_bootstrap(sl.pls("A =~ a1 + a2 + a3\nb1 ~ A", chain), 100).estimates("loading").set_index("name")
    assert frame.loc["b1: b1", "se"] == 0
    assert np.isnan(frame.loc["b1: b1", "ci_lower"])


def test_what_has_nothing_to_draw_from_is_refused(chain: pd.DataFrame, fitted: sl.Pls) -> None:
    of_matrix = sl.pls(MODEL, sample_cov=chain.cov(), sample_nobs=300)
    with pytest.raises(NotSupported, match="respondents"):
        sl.pls_bootstrap(of_matrix)
    with pytest.raises(ConfigurationError, match="draws=0"):
        sl.pls_bootstrap(fitted, 0)
    with pytest.raises(ConfigurationError, match="kinds"):
        sl.pls_bootstrap(fitted, 10).estimates("paths")
    with pytest.raises(ConfigurationError, match="level"):
        sl.pls_bootstrap(fitted, 10).estimates(level=95)


def test_draws_around_an_inadmissible_solution_are_forced_and_marked(chain: pd.DataFrame) -> None:
    # Two halves of one construct: their corrected correlation is beyond 1.
    text = "A =~ a1 + b1 + c1\nB =~ a2 + b2 + c2\nC =~ a3 + b3 + c3\nB ~ A\nC ~ A + B"
    fit = sl.pls(text, chain, consistent=True)
    assert not fit.admissible
    with pytest.raises(ConfigurationError, match="force=True"):
        sl.pls_bootstrap(fit, 50)
    drawn = sl.pls_bootstrap(fit, 50, force=True)
    assert drawn.to_table().caption.startswith("NOT ADMISSIBLE")
    assert drawn.inadmissible > 0
    assert "are kept" in drawn.to_table().note


def test_draws_in_which_an_item_does_not_vary_are_counted_and_left_out(chain: pd.DataFrame) -> None:
    rare = chain.iloc[:60].assign(a1=np.where(np.arange(60) == 7, 5.0, 0.0), a2=chain["a2"] + 0.1 * chain["a1"])
    fit = sl.pls("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", rare)
    drawn = sl.pls_bootstrap(fit, 400)
    assert 0.25 < drawn.failed / 400 < 0.5  # (59 / 60) ** 60 = .36
    assert np.isnan(drawn.draws[:, ~drawn.converged]).all()
    assert np.isfinite(drawn.estimates("path")[["se", "ci_lower"]]).all(axis=None)
    assert f"{drawn.failed} draws failed" in drawn.to_table().note


def test_formed_constructs_have_no_htmt(chain: pd.DataFrame) -> None:
    drawn = sl.pls_bootstrap(sl.pls(MODEL.replace("A =~", "A <~"), chain), 20)
    assert drawn.estimates("htmt")["name"].tolist() == ["C ~ B"]


def test_five_thousand_draws_take_a_fraction_of_a_second(fitted: sl.Pls) -> None:
    taken = []
    for _ in range(3):
        started = time.process_time()
        sl.pls_bootstrap(fitted, 5000)
        taken.append(time.process_time() - started)
    assert min(taken) < 1.0  # some 0.06 s on a free core


def test_exact_fit_holds_where_the_model_made_the_answers_and_fails_where_it_did_not(chain: pd.DataFrame) -> None:
    right = sl.pls_fit_test(sl.pls(MODEL, chain, consistent=True), 300).table().set_index("measure")
    assert (right["pvalue"] > 0.05).all()
    assert (right["value"] < right["hi95"]).all()
    wrong = "A =~ a1 + a2 + b1\nB =~ a3 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ A + B"
    found = sl.pls_fit_test(sl.pls(wrong, chain, consistent=True), 300, model="saturated")
    assert found.table().set_index("measure").loc["SRMR", "pvalue"] < 0.01
    assert "HI95" in str(found)


def test_exact_fit_of_left_out_paths_is_rejected_for_the_estimated_model_only(chain: pd.DataFrame) -> None:
    fit = sl.pls("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nC ~ A\nB ~ A", chain)
    assert sl.pls_fit_test(fit, 200).table()["pvalue"].max() < 0.05
    assert sl.pls_fit_test(fit, 200, model="saturated").table()["pvalue"].min() > 0.01
