"""Thresholds, polychoric correlations and their covariance, held to lavaan."""

import json
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

from sem_loyalty.kernel.bivariate import BEYOND, corners, probability, shifted
from sem_loyalty.kernel.ordinal import TOGETHER, item_statistics, ordinal_statistics
from sem_loyalty.kernel.polychoric import LARGEST

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "ordinal.json").read_text(encoding="utf-8"))
SAMPLES = REFERENCE["samples"]


def codes_of(sample):
    rows = np.array(list(sample["data"].values())).T
    return np.stack([np.unique(column, return_inverse=True)[1] for column in rows.T], axis=1)


@pytest.mark.parametrize("r", [0.0, 0.3, -0.74, 0.76, 0.95, -0.95, 0.999, -0.999])
def test_quadrants_against_one_dimensional_integrals(r):
    limits = np.array([-2.5, -0.7, 0.0, 0.7, 1.9])
    found = probability(corners(limits[None], limits[None]), np.array([r]))[0]
    for i, h in enumerate(limits):
        for j, k in enumerate(limits):

            def slice_at(x, k=k):
                return np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi) * ndtr((k - r * x) / np.sqrt(1.0 - r * r))

            bend = k / r if r else 0.0
            ends = sorted({-9.0, float(h), *(np.clip(bend + shift, -9.0, h) for shift in (-1.0, -0.1, 0.0, 0.1, 1.0))})
            area = sum(quad(slice_at, a, b, epsabs=1e-15)[0] for a, b in pairwise(ends))
            assert found[i, j] == pytest.approx(area, abs=1e-13)


@pytest.mark.parametrize("r", [0.0, 0.3, -0.8, 0.97])
def test_steps_of_the_correlation_add_up(r):
    limits = np.array([[-2.5, -0.7, 0.0, 0.7, 1.9, BEYOND]])
    ends = corners(limits, limits)
    room = 0.5 * np.pi - abs(np.arcsin(r))
    for share in (0.5, 0.19, -0.15, 0.03, -1e-3, 9e-5, -1e-7):
        other = np.array([np.sin(np.arcsin(r) - np.copysign(share * room, r))])
        moved = shifted(probability(ends, np.array([r])), ends, np.array([r]), other)
        np.testing.assert_allclose(moved, probability(ends, other), atol=1e-14)


def test_a_limit_beyond_all_answers_leaves_the_margin():
    found = probability(corners(np.array([[BEYOND]]), np.array([[0.4]])), np.array([-0.998]))
    assert found[0, 0, 0] == pytest.approx(ndtr(0.4), abs=1e-15)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_thresholds_and_correlations_are_those_of_lavaan(name):
    sample = SAMPLES[name]
    found = ordinal_statistics(codes_of(sample))
    np.testing.assert_allclose(np.concatenate(found.thresholds), sample["thresholds"], atol=1e-12)
    # lavaan's own optimiser stops some 1e-8 from the maximum.
    np.testing.assert_allclose(found.correlation, sample["rho"], atol=1e-7)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_covariance_of_the_statistics_is_that_of_lavaan(name):
    sample = SAMPLES[name]
    gamma = ordinal_statistics(codes_of(sample)).covariance
    # Entries of an ill-determined correlation magnify the distance of lavaan's from the maximum.
    for got, key in ((np.diagonal(gamma), "gamma_diagonal"), (gamma[0], "gamma_first"), (gamma[-1], "gamma_last")):
        np.testing.assert_allclose(got, sample[key], rtol=2e-6, atol=2e-6)


def test_every_correlation_maximises_the_likelihood_of_its_table():
    codes = codes_of(SAMPLES["mixed"])
    found = ordinal_statistics(codes)
    cut = [np.concatenate([[-BEYOND], t, [BEYOND]]) for t in found.thresholds]

    def log_likelihood(i, j, r):
        joint = probability(corners(cut[i][None], cut[j][None]), np.array([r]))[0]
        cells = np.maximum(np.diff(np.diff(joint, axis=0), axis=1), 1e-300)
        return np.log(cells[codes[:, i], codes[:, j]]).sum()

    for i, j in ((0, 1), (2, 7), (5, 6)):
        best = found.correlation[i, j]
        assert log_likelihood(i, j, best) > max(log_likelihood(i, j, best + d) for d in (-1e-4, 1e-4))


def test_the_sparse_survey_has_an_empty_cell_of_two_dichotomies():
    codes = codes_of(SAMPLES["sparse"])
    two = [j for j in range(codes.shape[1]) if codes[:, j].max() == 1]
    tables = [np.bincount(2 * codes[:, i] + codes[:, j], minlength=4) for i in two for j in two if i < j]
    assert any((table == 0).any() for table in tables)


def test_identical_items_have_no_maximum_inside():
    codes = codes_of(SAMPLES["mixed"])
    found = ordinal_statistics(np.column_stack([codes[:, 1], codes[:, 1], codes[:, 2]]))
    assert found.correlation[0, 1] == pytest.approx(LARGEST, abs=1e-9)
    assert np.isnan(found.covariance[-3, -3])
    assert np.isfinite(np.diagonal(found.covariance)[-2:]).all()


@pytest.mark.parametrize("turn", [False, True])
def test_identical_dichotomies_have_no_maximum_inside_either(turn):
    answers = np.random.default_rng(2).integers(0, 2, (80, 2))
    found = ordinal_statistics(
        np.column_stack([answers[:, 0], 1 - answers[:, 0] if turn else answers[:, 0], answers[:, 1]])
    )
    assert found.correlation[0, 1] == pytest.approx(-LARGEST if turn else LARGEST, abs=1e-9)


def test_reversing_an_item_reverses_its_correlations():
    codes = codes_of(SAMPLES["mixed"])
    turned = codes.copy()
    turned[:, 2] = codes[:, 2].max() - codes[:, 2]
    sign = np.where(np.arange(codes.shape[1]) == 2, -1.0, 1.0)
    once, again = ordinal_statistics(codes), ordinal_statistics(turned)
    np.testing.assert_allclose(again.correlation, once.correlation * np.outer(sign, sign), atol=1e-12)


def test_the_order_of_the_respondents_does_not_matter():
    codes = codes_of(SAMPLES["mixed"])
    once, again = ordinal_statistics(codes), ordinal_statistics(codes[::-1])
    assert (once.correlation == again.correlation).all()
    np.testing.assert_allclose(once.covariance, again.covariance, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_the_covariance_is_that_of_the_influences_however_many_are_summed_at_a_time(missing):
    rng = np.random.default_rng(5)
    answers = 0.7 * rng.standard_normal((2 * TOGETHER + 300, 1)) + 0.7 * rng.standard_normal((2 * TOGETHER + 300, 4))
    codes = np.where(rng.random(answers.shape) < missing, -1, np.digitize(answers, [-1.0, 0.2, 0.9]))
    codes[:, 3] = np.where(codes[:, 3] < 0, -1, codes[:, 3] > 1)
    gamma, found = ordinal_statistics(codes).covariance, item_statistics(codes)
    influence = np.concatenate([*found.by_threshold, found.by_pair], axis=1)
    assert [part.shape[1] for part in found.by_threshold] == [3, 3, 3, 1]
    np.testing.assert_allclose(gamma, influence.T @ influence / len(codes), rtol=1e-12, atol=1e-12)
    # Estimating equations are zero at the estimates.
    np.testing.assert_allclose(influence.mean(axis=0), 0.0, atol=1e-10)


def test_the_number_of_threads_changes_no_bit():
    script = (
        "import hashlib, numpy as np, pandas as pd, sem_loyalty as sl\n"
        "rng = np.random.default_rng(3)\n"
        "answers = np.repeat(rng.standard_normal((300, 2)), 3, axis=1) + rng.standard_normal((300, 6))\n"
        "codes = np.digitize(answers + rng.standard_normal((300, 1)), [-2.0, -0.6, 0.6, 2.0])\n"
        "frame = pd.DataFrame(codes, columns=list('abcdef'))\n"
        "found = sl.fit('u =~ a + b + c\\nv =~ d + e + f', frame, ordered=True)\n"
        "assert found.certificate.certified\n"
        "numbers = [found.moments.ordinal[0].covariance, found.moments.ordinal[0].correlation, found.theta]\n"
        "numbers += [sl.estimates(found).se.to_numpy(), np.array(list(sl.fit_measures(found).values()))]\n"
        "print(hashlib.sha256(b''.join(part.tobytes() for part in numbers)).hexdigest())\n"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "OPENBLAS_NUM_THREADS": count, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for count in ("1", "2")
    }
    assert len(seen) == 1


def test_twenty_three_items_take_milliseconds():
    rng = np.random.default_rng(4)
    answers = 0.7 * rng.standard_normal((250, 1)) + 0.7 * rng.standard_normal((250, 23))
    codes = np.digitize(answers, [-1.2, -0.4, 0.4, 1.2])
    times = []
    for _attempt in range(5):
        start = time.perf_counter()
        ordinal_statistics(codes)
        times.append(time.perf_counter() - start)
    # Some 3 ms; the bound leaves room for a busy machine.
    assert min(times) < 0.1
