"""Exploratory factor analysis: against psych and factanal, properties, and what it refuses."""

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sem_loyalty.errors import ConfigurationError, DataError, ImproperSolutionWarning, NotSupported
from sem_loyalty.measurement.efa import efa
from sem_loyalty.measurement.extraction import degrees_of_freedom, discrepancy, most_factors
from sem_loyalty.measurement.rotation import ROTATIONS, criterion, departure, polish

CASES = json.loads((Path(__file__).parents[1] / "reference" / "efa.json").read_text(encoding="utf-8"))["cases"]
BY_NAME = {case["name"]: case for case in CASES}
SOLUTIONS = [(case["name"], k) for case in CASES for k in range(len(case["solutions"]))]
# psych stops its optimiser at a relative change of 1e-7 and its rotations at 1e-5, that is, in the fifth decimal.
PSYCH = 1e-4
# factanal was run to the end.
CONVERGED = 1e-7
TESTED = [rotation for rotation in ROTATIONS if rotation != "none"]


def matrix(case):
    return pd.DataFrame(case["correlation"], index=case["items"], columns=case["items"])


def run(case, **options):
    return efa(matrix(case), n_obs=case["n"], draws=20, **options)


def matched(loadings, reference):
    """Return the order and signs of our factors that come closest to the reference."""
    m = loadings.shape[1]
    best = None
    for order in itertools.permutations(range(m)):
        moved = loadings[:, order]
        signs = np.where((moved * reference).sum(axis=0) < 0, -1.0, 1.0)
        distance = np.abs(moved * signs - reference).max()
        if best is None or distance < best[0]:
            best = distance, list(order), signs
    return best[1], best[2]


@pytest.mark.parametrize(("name", "k"), SOLUTIONS, ids=lambda value: str(value))
def test_solutions_agree_with_psych(name, k):
    case = BY_NAME[name]
    ref = case["solutions"][k]
    rotation = {"geominQ": "geomin"}.get(ref["rotation"], ref["rotation"])
    found = run(case, n_factors=ref["factors"], extraction=ref["extraction"], rotation=rotation)
    # psych does not turn varimax to the end; the reference does
    expected = np.array(ref.get("converged") or ref["loadings"])
    order, signs = matched(found.loadings.to_numpy(), expected)
    np.testing.assert_allclose(found.loadings.to_numpy()[:, order] * signs, expected, atol=PSYCH)
    phi = found.phi.to_numpy()[np.ix_(order, order)] * np.outer(signs, signs)
    np.testing.assert_allclose(phi, ref["phi"], atol=PSYCH)
    if "communalities" not in ref:
        return
    np.testing.assert_allclose(found.communalities, ref["communalities"], atol=PSYCH)
    assert found.sufficiency.chi2 == pytest.approx(ref["chi2"], abs=PSYCH)
    assert found.sufficiency.df == ref["df"]
    assert found.sufficiency.p == pytest.approx(ref["p"], abs=PSYCH)
    assert found.sufficiency.tli == pytest.approx(ref["tli"], abs=PSYCH)
    assert found.sufficiency.rmsr == pytest.approx(ref["rms"], abs=1e-6)
    # psych divides chi-square by n where the formula here has n - 1
    assert found.sufficiency.rmsea == pytest.approx(ref["rmsea"], abs=2e-3)
    if "converged" not in ref:
        structure = found.structure.to_numpy()[:, order] * signs
        np.testing.assert_allclose(structure, ref["structure"], atol=PSYCH)
        np.testing.assert_allclose(found.complexity, ref["complexity"], atol=1e-3)  # a ratio of fourth powers
        ss = found.variance["ss_loadings"].to_numpy()[order]
        np.testing.assert_allclose(ss, ref["vaccounted"][0], atol=3e-4)  # sums of up to 24 squares
        assert found.variance["cumulative"].iloc[-1] == pytest.approx(max(ref["vaccounted"][2]), abs=PSYCH)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_maximum_likelihood_agrees_with_factanal_run_to_the_end(case):
    ref = case["factanal"]
    found = run(case, n_factors=len(ref["varimax"][0]), extraction="ml", rotation="varimax")
    expected = np.array(ref["varimax"])
    order, signs = matched(found.loadings.to_numpy(), expected)
    np.testing.assert_allclose(found.loadings.to_numpy()[:, order] * signs, expected, atol=CONVERGED)
    np.testing.assert_allclose(found.uniquenesses, ref["uniquenesses"], atol=CONVERGED)
    assert found.sufficiency.chi2 == pytest.approx(ref["chi2"], abs=CONVERGED)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_principal_components_agree_with_psych(case):
    expected = np.array(case["components"])
    found = run(case, n_factors=expected.shape[1], extraction="principal", rotation="none")
    order, signs = matched(found.loadings.to_numpy(), expected)
    np.testing.assert_allclose(found.loadings.to_numpy()[:, order] * signs, expected, atol=CONVERGED)
    assert found.sufficiency is None


@pytest.mark.parametrize("rotation", TESTED)
@pytest.mark.parametrize("extraction", ["minres", "ml", "principal"])
def test_rotation_changes_neither_reproduction_nor_test(rotation, extraction):
    case = BY_NAME["survey"]
    plain = run(case, n_factors=3, extraction=extraction, rotation="none")
    turned = run(case, n_factors=3, extraction=extraction, rotation=rotation)
    P, phi = turned.loadings.to_numpy(), turned.phi.to_numpy()
    np.testing.assert_allclose(turned.residuals, plain.residuals, atol=1e-10)
    np.testing.assert_allclose(turned.communalities, np.diag(P @ phi @ P.T), atol=1e-12)
    np.testing.assert_allclose(np.diag(phi), 1.0, atol=1e-12)
    np.testing.assert_allclose(turned.structure, P @ phi, atol=1e-12)
    assert turned.variance["ss_loadings"].sum() == pytest.approx(turned.communalities.sum())
    if extraction != "principal":
        assert turned.sufficiency == plain.sufficiency
    assert (turned.loadings.sum() > 0).all()
    assert turned.variance["ss_loadings"].is_monotonic_decreasing
    assert turned.converged
    assert turned.problems == ()


def items_of(rng, n=220):
    L = np.zeros((9, 3))
    for j in range(3):
        L[3 * j : 3 * j + 3, j] = rng.uniform(0.55, 0.85, 3)
    root = np.linalg.cholesky(np.full((3, 3), 0.3) + 0.7 * np.eye(3))
    error = rng.standard_normal((n, 9)) * np.sqrt(1 - (L**2).sum(axis=1))
    return pd.DataFrame(rng.standard_normal((n, 3)) @ root.T @ L.T + error, columns=[f"q{i}" for i in range(1, 10)])


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000), rotation=st.sampled_from(TESTED))
def test_order_of_items_their_units_and_their_direction(seed, rotation):
    rng = np.random.default_rng(seed)
    data = items_of(rng)
    options = {"n_factors": 3, "rotation": rotation, "draws": 5}
    try:
        found = efa(data, **options)
    except ImproperSolutionWarning:  # a sample with a Heywood case is not what this is about
        return
    order = list(rng.permutation(data.columns))
    scaled = data[order] * rng.uniform(0.1, 50.0, 9) + 3.0
    moved = efa(scaled, **options)
    pd.testing.assert_frame_equal(moved.loadings.loc[list(data.columns)], found.loadings, atol=1e-6)
    pd.testing.assert_frame_equal(moved.phi, found.phi, atol=1e-6)
    # reversing one item of nine reverses its loadings and nothing else
    reversed_item = data.assign(q1=-data["q1"])
    mirrored = efa(reversed_item, **options)
    order, signs = matched(mirrored.loadings.drop(index="q1").to_numpy(), found.loadings.drop(index="q1").to_numpy())
    mirror = mirrored.loadings.to_numpy()[:, order] * signs
    np.testing.assert_allclose(mirror[0], -found.loadings.to_numpy()[0], atol=1e-6)
    np.testing.assert_allclose(mirrored.communalities, found.communalities, atol=1e-8)


@pytest.mark.parametrize("extraction", ["ml", "minres"])
def test_gradient_of_the_discrepancy_against_differences(extraction):
    R = np.array(BY_NAME["thurstone"]["correlation"])
    psi = np.linspace(0.2, 0.7, 9)
    _, gradient = discrepancy(psi, R, 3, extraction)
    for i in range(9):
        step = np.zeros(9)
        step[i] = 1e-6
        slope = (discrepancy(psi + step, R, 3, extraction)[0] - discrepancy(psi - step, R, 3, extraction)[0]) / 2e-6
        assert gradient[i] == pytest.approx(slope, abs=1e-7)


@pytest.mark.parametrize("rotation", [name for name in TESTED if name != "promax"])
def test_gradient_of_the_rotation_criterion_against_differences(rotation):
    L = np.random.default_rng(4).uniform(-0.8, 0.8, (7, 3))
    _, gradient = criterion(L, rotation)
    for i, j in itertools.product(range(7), range(3)):
        step = np.zeros((7, 3))
        step[i, j] = 1e-6
        slope = (criterion(L + step, rotation)[0] - criterion(L - step, rotation)[0]) / 2e-6
        assert gradient[i, j] == pytest.approx(slope, abs=1e-8)


def test_polish_finds_the_way_back_to_a_stationary_rotation():
    found = run(BY_NAME["harman"], n_factors=4, rotation="quartimin")
    P, phi = found.loadings.to_numpy(), found.phi.to_numpy()
    M = np.eye(4) + 0.01 * np.random.default_rng(1).standard_normal((4, 4))
    M /= np.sqrt(np.diag(M.T @ phi @ M))
    off, off_phi = P @ np.linalg.inv(M).T, M.T @ phi @ M
    assert departure(off, off_phi, "quartimin") > 1e-3
    back = polish(off, off_phi, "quartimin")
    assert back.departure < 1e-10
    np.testing.assert_allclose(back.loadings, P, atol=1e-9)


def test_number_of_factors_comes_from_parallel_analysis_and_the_result_says_so():
    data = items_of(np.random.default_rng(3), n=400)
    found = efa(data)
    assert found.n_factors == 3
    assert "parallel analysis (Horn, 1965; components, 95th percentile): 3" in found.notes[0]
    assert "parallel analysis" in str(found)
    given_number = efa(data, 3)
    assert given_number.notes == ("Number of factors given: 3.",)
    pd.testing.assert_frame_equal(given_number.loadings, found.loadings)


def test_matrix_and_rows_give_the_same_solution():
    case = BY_NAME["survey"]
    rows = pd.DataFrame(case["raw"], columns=case["items"])
    options = {"n_factors": 3, "draws": 10}
    by_rows = efa(rows, **options)
    by_cov = efa(rows.cov(), n_obs=len(rows), **options)
    by_array = efa(rows.to_numpy(dtype=float), **options)
    pd.testing.assert_frame_equal(by_rows.loadings, by_cov.loadings, atol=1e-10)
    np.testing.assert_allclose(by_rows.loadings, by_array.loadings, atol=1e-12)
    assert by_array.items[0] == "x1"
    assert (by_cov.missing, by_rows.missing) == ("none", "listwise")


def test_missing_answers_are_dropped_and_counted():
    case = BY_NAME["survey"]
    rows = pd.DataFrame(case["raw"], columns=case["items"]).astype(float)
    holed = rows.copy()
    holed.iloc[:7, 2] = np.nan
    found = efa(holed, 3, draws=10)
    assert (found.n, found.n_collected) == (313, 320)
    assert "N = 313 of 320 (listwise deletion)" in str(found)
    pd.testing.assert_frame_equal(found.loadings, efa(rows.iloc[7:], 3, draws=10).loadings)


def test_items_choose_columns_in_their_order():
    case = BY_NAME["survey"]
    chosen = ["LOY2", "LOY1", "LOY3", "SAT1"]
    assert efa(matrix(case), 1, items=chosen, n_obs=320, draws=5).items == tuple(chosen)


def test_one_factor_is_not_rotated():
    found = run(BY_NAME["survey"], n_factors=1, rotation="oblimin")
    assert found.rotation == "none"
    assert found.phi.to_numpy().tolist() == [[1.0]]
    np.testing.assert_allclose(found.complexity, 1.0)


@pytest.mark.parametrize("extraction", ["minres", "ml"])
def test_heywood_case_is_loud(extraction):
    # one factor of three items: the communality of a would be .8 x .7 / .5 = 1.12
    R = pd.DataFrame([[1, 0.8, 0.7], [0.8, 1, 0.5], [0.7, 0.5, 1]], columns=list("abc"), index=list("abc"))
    with pytest.warns(ImproperSolutionWarning, match="Heywood case: a leave"):
        found = efa(R, 1, extraction=extraction, n_obs=200, draws=5)
    assert found.heywood == ("a",)
    assert str(found).count("Heywood case: a leave no unique variance") == 1
    for table in found.tables()[:2]:
        assert table.note.startswith("NOT CERTIFIED: ")
        assert table.to_csv().startswith("NOT CERTIFIED,")
    assert repr(found.loadings).startswith("NOT CERTIFIED: Heywood case: a")
    assert found.converged
    assert found.sufficiency.df == 0
    assert np.isnan(found.sufficiency.p)


def test_a_large_sample_of_proper_items_raises_no_alarm():
    found = efa(items_of(np.random.default_rng(9), n=2000), 3, draws=5)
    assert found.heywood == found.problems == ()


def test_principal_components_have_no_heywood_case():
    assert run(BY_NAME["survey"], n_factors=9, extraction="principal").heywood == ()


NOISE = pd.DataFrame(np.random.default_rng(12).standard_normal((300, 6)), columns=list("abcdef"))


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"rotation": "equamax"}, NotSupported, "'equamax' is not available; these are: 'oblimin'"),
        ({"rotation": "obliminn"}, ConfigurationError, "Did you mean 'oblimin'"),
        ({"extraction": "alpha"}, ConfigurationError, "'minres', 'ml', 'principal'"),
        ({"missing": "fiml"}, NotSupported, "this is: 'listwise'"),
        ({"n_factors": 4}, ConfigurationError, r"too many for 6 items \(-3 degrees of freedom\); at most 3"),
        ({"n_factors": 0}, ConfigurationError, "whole number from 1"),
        ({"n_factors": 2.5}, ConfigurationError, "whole number from 1"),
        ({"n_factors": True}, ConfigurationError, "whole number from 1"),
        ({"n_factors": 7, "extraction": "principal"}, ConfigurationError, "at most 6"),
        ({"n_factors": None}, DataError, "Parallel analysis keeps no factor"),
        ({"items": ["a", "b"]}, DataError, "at least 3 items; there are 2: a, b"),
        ({"items": "abc"}, ConfigurationError, "give a list of names"),
        ({"items": ["a", "b", "zz"]}, DataError, "zz"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_done_is_refused_with_the_remedy(options, error, said):
    with pytest.raises(error, match=said):
        efa(NOISE, **{"n_factors": 2, "draws": 100, **options})


def test_a_matrix_without_respondents_is_refused():
    with pytest.raises(DataError, match="Give n_obs"):
        efa(matrix(BY_NAME["survey"]), 3)


def test_degrees_of_freedom_and_the_largest_number_of_factors():
    assert degrees_of_freedom(9, 3) == 12
    assert [most_factors(p) for p in (3, 4, 5, 6, 9)] == [1, 1, 2, 3, 5]


def test_it_reads_well_as_text_and_html():
    found = run(BY_NAME["survey"], n_factors=3)
    text, page = str(found), found._repr_html_()
    assert repr(found) == text
    for part in (
        "KMO .840 (meritorious)",
        "χ²(36) = 942.90, p < .001",
        "Test of 3 factors: χ²(12) = 6.37",
        "r with F1",
    ):
        assert part in text
        assert part.replace("<", "&lt;") in re.sub("</?i>", "", page)
    assert page.count("<table") == 3
    assert [table.id for table in found.tables()] == ["efa-loadings", "efa-variance", "efa-retention"]
    orthogonal = run(BY_NAME["survey"], n_factors=3, rotation="varimax")
    assert "r with" not in str(orthogonal)


SCRIPT = """
import hashlib, json, pathlib, sys
import numpy as np
import pandas as pd
from sem_loyalty.measurement.efa import efa
rng = np.random.default_rng(5)
data = pd.DataFrame(rng.standard_normal((500, 3)) @ rng.uniform(-0.2, 0.9, (3, 16)) + rng.standard_normal((500, 16)))
data.columns = [f"q{i}" for i in range(16)]
found = efa(data, rotation="geomin", draws=200)
digest = hashlib.sha256(str(found).encode())
for part in (found.loadings, found.phi, found.residuals):
    digest.update(part.to_numpy().tobytes())
digest.update(found.retention.components.reference.tobytes() + found.retention.factors.mean.tobytes())
print(digest.hexdigest())
"""


def test_same_bytes_with_one_thread_and_with_two():
    digests = []
    for threads in ("1", "2"):
        settings_of = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), threads)
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, **settings_of, "PYTHONHASHSEED": threads},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.append(done.stdout.strip())
    assert digests[0] == digests[1]
    assert len(digests[0]) == 64
