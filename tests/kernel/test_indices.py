"""Fit indices as numbers, against values worked out by hand and definitions that cross-check each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, ncx2

from sem_loyalty.kernel import indices


def test_by_hand():
    # chi-square 30 on 20 df, baseline 230 on 30 df, N = 100.
    assert indices.cfi(30, 20, 230, 30) == pytest.approx(0.95)
    assert indices.tli(30, 20, 230, 30) == pytest.approx((230 / 30 - 1.5) / (230 / 30 - 1))
    assert indices.nfi(30, 230) == pytest.approx(200 / 230)
    assert indices.ifi(30, 20, 230) == pytest.approx(200 / 210)
    assert indices.rni(30, 20, 230, 30) == pytest.approx(0.95)
    assert indices.rfi(30, 20, 230, 30) == pytest.approx((230 / 30 - 1.5) / (230 / 30))
    assert indices.rmsea(30, 20, 100) == pytest.approx(np.sqrt(10 / 2000))
    assert indices.rmsea(30, 20, 100, groups=2) == pytest.approx(np.sqrt(2 * 10 / 2000))
    assert indices.mfi(30, 20, 100) == pytest.approx(np.exp(-0.05))
    assert indices.hoelter_n(30, 20, 100, 0.05) == pytest.approx(chi2.isf(0.05, 20) / 0.3 + 1)


def test_a_model_better_than_expected_is_truncated():
    assert indices.cfi(10, 20, 230, 30) == 1.0
    assert indices.rmsea(10, 20, 100) == 0.0
    assert indices.tli(10, 20, 230, 30) > 1.0


def test_saturated_models():
    assert indices.rmsea_interval(0.0, 0, 100) == (0.0, 0.0)
    assert indices.tli(0.0, 0, 230, 30) == 1.0
    assert np.isnan(indices.chisq_pvalue(0.0, 0))


@given(st.floats(1.0, 400.0), st.integers(1, 150), st.integers(50, 2000))
def test_the_ends_of_the_interval_have_their_probabilities(chisq, df, n):
    low, high = indices.rmsea_interval(chisq, df, n)
    point = indices.rmsea(chisq, df, n)
    assert low <= point + 1e-9
    assert low <= high
    for end, probability in ((low, 0.95), (high, 0.05)):
        if end > 0:
            assert ncx2.cdf(chisq, df, end**2 * df * n) == pytest.approx(probability, abs=1e-6)


def test_close_fit_follows_the_noncentral_distribution():
    assert indices.rmsea_close(30, 20, 100) == pytest.approx(ncx2.sf(30, 20, 100 * 20 * 0.0025), abs=1e-10)
    assert indices.rmsea_notclose(30, 20, 100) == pytest.approx(ncx2.cdf(30, 20, 100 * 20 * 0.0064), abs=1e-10)
