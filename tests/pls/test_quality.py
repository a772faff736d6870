from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import eigvalsh

import sem_loyalty as sl
from sem_loyalty.measurement.htmt import heterotrait_monotrait
from sem_loyalty.pls_sem.criteria import ratios

MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ A + B"


def r_squared(y: np.ndarray, X: np.ndarray) -> float:
    residual = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    return 1.0 - float(residual @ residual / (y @ y))


@pytest.fixture(scope="module")
def quality(chain: pd.DataFrame) -> sl.PlsQuality:
    return sl.pls_quality(sl.pls(MODEL, chain))


def scores(fit: sl.Pls) -> np.ndarray:
    assert fit.rows is not None
    Z = (fit.rows - fit.rows.mean(axis=0)) / fit.rows.std(axis=0)
    return Z @ fit.weight_matrix()


def test_effect_size_and_inflation_equal_regressions_without_the_cause(quality: sl.PlsQuality) -> None:
    S = scores(quality.fit)
    full = r_squared(S[:, 2], S[:, :2])
    without = r_squared(S[:, 2], S[:, [1]])
    row = quality.inner.set_index(["cause", "outcome"]).loc[("A", "C")]
    assert row["f2"] == pytest.approx((full - without) / (1 - full), rel=1e-9)
    assert row["vif"] == pytest.approx(1 / (1 - r_squared(S[:, 0], S[:, [1]])), rel=1e-9)
    c = quality.r2.set_index("construct").loc["C"]
    assert c["r2"] == pytest.approx(full, rel=1e-9)
    assert c["r2_adjusted"] == pytest.approx(1 - (1 - full) * 299 / 297, rel=1e-9)


def test_outer_inflation_equals_regressions_of_every_item_on_the_others(quality: sl.PlsQuality) -> None:
    assert quality.fit.rows is not None
    Z = quality.fit.rows - quality.fit.rows.mean(axis=0)
    expected = 1 / (1 - r_squared(Z[:, 1], Z[:, [0, 2]]))
    assert quality.outer.set_index("item").loc["a2", "vif"] == pytest.approx(expected, rel=1e-9)


def test_cross_loadings_are_correlations_with_scores(quality: sl.PlsQuality) -> None:
    assert quality.fit.rows is not None
    expected = np.corrcoef(quality.fit.rows.T, scores(quality.fit).T)[:9, 9:]
    np.testing.assert_allclose(quality.cross_loadings.to_numpy(), expected, atol=1e-12)
    own = quality.cross_loadings.to_numpy()[np.arange(9), np.repeat(np.arange(3), 3)]
    np.testing.assert_allclose(quality.outer["loading"], own, atol=1e-12)


def test_reliability_by_its_formulas(quality: sl.PlsQuality) -> None:
    R = quality.fit.correlation[:3, :3]
    row = quality.reliability.set_index("construct").loc["A"]
    assert row["alpha"] == pytest.approx(1.5 * (1 - 3 / R.sum()))
    loading = quality.fit.loadings[:3]
    assert row["ave"] == pytest.approx((loading**2).mean())
    assert row["rho_c"] == pytest.approx(loading.sum() ** 2 / (loading.sum() ** 2 + (1 - loading**2).sum()))
    w = quality.fit.weights[:3]
    off, outer = R - np.diag(np.diag(R)), np.outer(w, w)
    expected = (w @ w) ** 2 * (w @ off @ w) / (w @ (outer - np.diag(np.diag(outer))) @ w)
    assert row["rho_a"] == pytest.approx(expected)
    assert quality.fornell_larcker.loc["A", "A"] == pytest.approx(np.sqrt(row["ave"]))


def test_single_items_and_formed_constructs_have_no_reliability() -> None:
    matrix = sl.load_published("ecsi_mobile")
    text = str(matrix.model_text).replace("Image        =~", "Image        <~")
    found = sl.pls_quality(sl.pls(text, sample_cov=matrix.frame(), sample_nobs=250))
    frame = found.reliability.set_index("construct")
    assert frame.loc[["Complaints", "Image"], ["alpha", "rho_a", "rho_c", "ave"]].isna().all(axis=None)
    assert found.htmt["Image"].isna().all()
    assert found.htmt.loc["Complaints", "Loyalty"] > 0


def test_model_fit_of_composites_by_the_definitions(quality: sl.PlsQuality) -> None:
    fit = quality.fit
    S, loading = fit.correlation, fit.loadings
    Sigma = np.empty((9, 9))
    for i in range(9):
        for k in range(9):
            a, b = i // 3, k // 3
            Sigma[i, k] = S[i, k] if a == b else loading[i] * loading[k] * fit.cor[a, b]
    low = np.tril_indices(9)
    values = eigvalsh(Sigma, S)
    assert quality.saturated.srmr == pytest.approx(np.sqrt(((S - Sigma)[low] ** 2).mean()))
    assert quality.saturated.d_uls == pytest.approx(0.5 * np.trace((S - Sigma) @ (S - Sigma)))
    assert quality.saturated.d_g == pytest.approx(0.5 * (np.log(values) ** 2).sum())
    F = np.linalg.slogdet(Sigma)[1] + np.trace(S @ np.linalg.inv(Sigma)) - np.linalg.slogdet(S)[1] - 9
    assert quality.saturated.nfi == pytest.approx(1 + F / np.linalg.slogdet(S)[1])


def test_model_fit_of_factors_is_perfect_where_the_factor_model_holds() -> None:
    loading = np.array([0.8, 0.7, 0.6, 0.9, 0.75, 0.65, 0.7, 0.8, 0.6])
    between = np.array([[1, 0.5, 0.2], [0.5, 1, 0.4], [0.2, 0.4, 1]])  # A -> B -> C: .5 x .4 = .2
    R = np.outer(loading, loading) * np.kron(between, np.ones((3, 3)))
    np.fill_diagonal(R, 1.0)
    names = [f"{c}{k}" for c in "abc" for k in (1, 2, 3)]
    frame = pd.DataFrame(R, index=names, columns=names)
    text = MODEL.replace("C ~ A + B", "C ~ B")
    found = sl.pls_quality(sl.pls(text, sample_cov=frame, sample_nobs=300, consistent=True))
    for measured in (found.saturated, found.estimated):
        assert measured.srmr == pytest.approx(0.0, abs=1e-9)
        assert measured.d_g == pytest.approx(0.0, abs=1e-12)
        assert measured.nfi == pytest.approx(1.0, abs=1e-9)
    # The same items as composites: blocks are free, relations between them are attenuated and fit all the same.
    assert sl.pls_quality(sl.pls(text, sample_cov=frame, sample_nobs=300)).estimated.srmr > 0.001


def test_estimated_model_is_worse_than_the_saturated_one_where_paths_are_left_out(chain: pd.DataFrame) -> None:
    found = sl.pls_quality(sl.pls(MODEL.replace("C ~ A + B", "C ~ A"), chain))
    assert found.estimated.srmr > found.saturated.srmr
    full = sl.pls_quality(sl.pls(MODEL, chain))
    assert full.estimated.srmr == pytest.approx(full.saturated.srmr, rel=1e-9)  # every pair has a path


def test_ratios_of_many_samples_equal_those_of_one() -> None:
    matrix = sl.load_published("ecsi_mobile")
    fit = sl.pls("ecsi_mobile", sample_cov=matrix.frame(), sample_nobs=250)
    design = fit.model.design
    blocks = [[int(i) for i in design.item[design.entries(j)]] for j in range(design.size)]
    expected = heterotrait_monotrait(fit.correlation, blocks).values
    many = np.repeat(fit.correlation[:, :, None], 3, axis=2)
    np.testing.assert_allclose(ratios(design, many)[:, :, 2], expected, atol=1e-12)


def test_missed_rules_are_named_and_inadmissible_results_marked() -> None:
    matrix = sl.load_published("ecsi_mobile")
    found = sl.pls_quality(sl.pls("ecsi_mobile", sample_cov=matrix.frame(), sample_nobs=250, consistent=True))
    text = str(found)
    assert text.startswith("NOT ADMISSIBLE")
    assert "AVE below 0.50: Image, Expectation, Loyalty." in found.remarks
    assert all(table.caption.startswith("NOT ADMISSIBLE") for table in found.tables())
    assert "PERQ1" in found._repr_html_()
