"""Polyserial correlations and the covariance of mixed statistics, held to lavaan and to the likelihood."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import ndtr, ndtri

from sem_loyalty.kernel.mixed import mixed_statistics
from sem_loyalty.kernel.ordinal import ordinal_statistics
from sem_loyalty.kernel.polychoric import LARGEST

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "ordinal_groups.json").read_text(encoding="utf-8"))
NAMES = ["y1", "y2", "x3", "y4", "y5", "y6", "x7", "y8"]
DATA = {name: np.array(REFERENCE["data"][name], dtype=float) for name in NAMES}


HOLES = {name: np.array(REFERENCE["holes"][name], dtype=float) for name in NAMES}


def coded(names, data=DATA):
    columns = []
    for name in names:
        values = np.unique(data[name][~np.isnan(data[name])])
        columns.append(np.where(np.isnan(data[name]), -1, np.searchsorted(values, data[name])))
    return np.stack(columns, axis=1)


def statistics(names, data=DATA):
    items, others = ([name for name in names if name[0] == kind] for kind in "yx")
    values = np.stack([data[name] for name in others], axis=1)
    return mixed_statistics(coded(items, data), values, np.array([name[0] == "x" for name in names]))


@pytest.fixture(scope="module")
def found():
    return statistics(NAMES)


def test_statistics_and_their_covariance_are_those_of_lavaan(found):
    expected = REFERENCE["statistics"]["mixed"]
    # lavaan's own optimiser stops some 1e-8 from the maximum.
    np.testing.assert_allclose(found.statistics, expected["values"], atol=1e-7)
    np.testing.assert_allclose(found.covariance, expected["gamma"], rtol=1e-5, atol=1e-6)


def test_statistics_of_answers_with_gaps_are_those_of_lavaan():
    found, expected = statistics(NAMES, HOLES), REFERENCE["statistics"]["pairwise"]
    np.testing.assert_allclose(found.statistics, expected["values"], atol=1e-7)
    np.testing.assert_allclose(found.covariance, expected["gamma"], rtol=1e-5, atol=2e-6)


def test_a_polyserial_correlation_maximises_its_likelihood(found):
    y = coded(["y4"])[:, 0]
    x = DATA["x7"]
    w = (x - x.mean()) / x.std()
    edges = np.concatenate([[-np.inf], ndtri(np.cumsum(np.bincount(y))[:-1] / len(y)), [np.inf]])

    def minus_log_likelihood(r):
        s = np.sqrt(1 - r * r)
        return -np.log(ndtr((edges[y + 1] - r * w) / s) - ndtr((edges[y] - r * w) / s)).sum()

    best = minimize_scalar(minus_log_likelihood, bounds=(-0.99, 0.99), method="bounded", options={"xatol": 1e-10}).x
    assert found.correlation[3, 6] / x.std() == pytest.approx(best, abs=1e-7)


def test_what_is_ordinal_is_as_without_the_others(found):
    items = [0, 1, 3, 4, 5, 7]
    alone = ordinal_statistics(coded([NAMES[j] for j in items]))
    np.testing.assert_array_equal(found.correlation[np.ix_(items, items)], alone.correlation)
    cuts = sum(len(t) for t in alone.thresholds)
    single = np.concatenate([[j] * max(1, len(t)) for j, t in enumerate(found.thresholds)])
    chosen = np.flatnonzero(~found.continuous[single])
    np.testing.assert_allclose(found.covariance[np.ix_(chosen, chosen)], alone.covariance[:cuts, :cuts], rtol=1e-12)


def test_normal_variables_have_the_covariance_of_normal_moments():
    generator = np.random.default_rng(8)
    rows = generator.multivariate_normal([1.0, -2.0, 0.0], [[2.0, 0.8, 0.5], [0.8, 1.0, 0.3], [0.5, 0.3, 1.0]], 200_000)
    sample = mixed_statistics((rows[:, 2:] > 0.3).astype(np.intp), rows[:, :2], np.array([True, True, False]))
    # -mean, -mean, threshold, two variances, then covariances: the first is of the continuous two.
    gamma = sample.covariance
    # Sampling error of fourth moments at this size is some 1 %.
    assert gamma[0, 0] == pytest.approx(2.0, rel=0.03)
    assert gamma[3, 3] == pytest.approx(2 * 2.0**2, rel=0.03)
    assert gamma[5, 5] == pytest.approx(2.0 * 1.0 + 0.8**2, rel=0.03)
    assert gamma[3, 5] == pytest.approx(2 * 2.0 * 0.8, rel=0.05)
    assert sample.correlation[0, 2] == pytest.approx(0.5, abs=0.02)


def test_units_of_a_continuous_variable_only_rescale(found):
    kept = DATA["x7"]
    try:
        DATA["x7"] = 100.0 - 10.0 * kept
        turned = statistics(NAMES)
    finally:
        DATA["x7"] = kept
    scale = np.where(np.array(NAMES) == "x7", -10.0, 1.0)
    np.testing.assert_allclose(turned.correlation, found.correlation * np.outer(scale, scale), rtol=1e-9)
    np.testing.assert_allclose(np.diagonal(turned.covariance)[-1], 100.0 * np.diagonal(found.covariance)[-1], rtol=1e-8)


def test_a_variable_that_determines_an_item_has_no_maximum_inside():
    # Cut where the normal quantile of the share of zeros is.
    x = ndtri((np.arange(60) + 0.5) / 60)
    sample = mixed_statistics((np.arange(60) >= 40).astype(np.intp)[:, None], x[:, None], np.array([False, True]))
    assert sample.correlation[0, 1] / x.std() == pytest.approx(LARGEST, abs=1e-6)
    assert np.isnan(sample.covariance[-1, -1])
