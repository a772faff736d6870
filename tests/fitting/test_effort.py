"""How much work a fit takes: counts, which no load on the machine changes, in place of seconds."""

import os
import pickle
import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.fitting import certificate, fallback, search
from sem_loyalty.fitting.one_factor import item_blocks, one_factor, one_factor_each
from sem_loyalty.kernel import solver
from sem_loyalty.kernel.likelihood import Likelihood
from sem_loyalty.model import defaults

MODEL = """
Image =~ a1 + a2 + a3 + a4 + a5
Quality =~ b1 + b2 + b3 + b4
Value =~ c1 + c2
Loyalty =~ d1 + d2 + d3
Quality ~ Image
Value ~ Quality
Loyalty ~ Image + Value
"""


def answers(n: int = 250) -> pd.DataFrame:
    generator = np.random.default_rng(5)
    image = generator.standard_normal(n)
    quality = 0.6 * image + 0.8 * generator.standard_normal(n)
    value = 0.6 * quality + 0.8 * generator.standard_normal(n)
    loyalty = 0.3 * image + 0.5 * value + 0.7 * generator.standard_normal(n)
    constructs = {"a": (image, 5), "b": (quality, 4), "c": (value, 2), "d": (loyalty, 3)}
    items = {
        f"{letter}{k}": 0.8 * scores + 0.6 * generator.standard_normal(n)
        for letter, (scores, many) in constructs.items()
        for k in range(1, many + 1)
    }
    return pd.DataFrame(items)


@pytest.fixture
def counted(monkeypatch):
    counts: Counter[str] = Counter()

    def count(owner, name):
        original = getattr(owner, name)

        def counting(*args, **kwargs):
            counts[name] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)

    for name in ("evaluate", "gradient", "information", "hessian"):
        count(Likelihood, name)
    count(search, "measure")
    count(certificate, "scaled_spectrum")
    count(certificate, "_inadmissible")
    count(defaults, "_specified")
    return counts


def test_a_regular_fit_takes_few_evaluations_and_no_second_look(counted):
    fitted = sl.fit(MODEL, answers(), engine="kernel")
    assert fitted.certificate.certified
    # Two minimisations; one information matrix is that of the certificate.
    assert counted["evaluate"] <= 16
    assert counted["gradient"] <= 20
    assert counted["information"] <= 6
    assert counted["hessian"] <= 3
    # One-factor start values once; crude ones, eigenvectors and the search for improper values not at all.
    assert counted["measure"] == 1
    assert counted["scaled_spectrum"] == 0
    assert counted["_inadmissible"] == 0


def test_standard_errors_take_the_information_that_the_certificate_factored(counted):
    fitted = sl.fit(MODEL, answers(), engine="kernel")
    before = counted["information"]
    found = sl.estimates(fitted)
    assert counted["information"] == before
    # A copy for another process leaves the matrix behind, and computes it again.
    copied = pickle.loads(pickle.dumps(fitted))
    assert copied.factored is None
    np.testing.assert_allclose(sl.estimates(copied)["se"], found["se"], rtol=1e-12)
    assert counted["information"] == before + 1


def test_the_same_text_is_completed_once(counted):
    data = answers()
    text = MODEL + "# its own\n"
    first = sl.fit(text, data, engine="kernel")
    again = sl.fit(text, data * 2.0, engine="kernel")
    assert counted["_specified"] == 1
    assert again.specification is first.specification
    other = sl.fit(text, data, engine="kernel", std_lv=True)
    assert other.specification is not first.specification
    assert other.value == pytest.approx(first.value, abs=1e-10)


def test_a_fit_to_arrays_loads_no_data_frame_library():
    """Neither pandas nor anything else that takes long to import stands between a process and its first fit."""
    script = (
        "import sys, numpy as np, sem_loyalty as sl\n"
        "g = np.random.default_rng(1)\n"
        "f = g.normal(size=100)\n"
        "print(sl.fit('F =~ a + b + c + d', {k: f + g.normal(size=100) for k in 'abcd'}, engine='kernel'))\n"
        "heavy = ['pandas', 'pyarrow', 'matplotlib', 'scipy.stats', 'scipy.optimize', 'semopy', 'sklearn', "
        "'statsmodels', 'sympy']\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=os.environ, check=True)
    assert done.stdout.startswith("Certified")
    assert done.stdout.strip().endswith("[]")


def test_arrays_and_frames_give_the_same_fit():
    data = answers()
    framed = sl.fit(MODEL, data, engine="kernel")
    columns = {name: data[name].to_numpy() for name in data}
    np.testing.assert_array_equal(sl.fit(MODEL, columns, engine="kernel").theta, framed.theta)
    whole = {name: np.round(4 * column).astype(int) for name, column in columns.items()}
    np.testing.assert_array_equal(
        sl.fit(MODEL, whole, engine="kernel").theta, sl.fit(MODEL, pd.DataFrame(whole), engine="kernel").theta
    )


def test_tables_of_estimates_are_independent_of_each_other():
    fitted = sl.fit(MODEL, answers(), engine="kernel")
    spoiled = sl.estimates(fitted)
    spoiled.loc[:, "lhs"] = "spoiled"
    spoiled.loc[:, "group"] = 9
    fresh = sl.estimates(fitted)
    assert fresh["lhs"][0] == "Image"
    assert (fresh["group"] == 1).all()


def test_a_model_with_hundreds_of_parameters_is_certified_like_a_small_one():
    """From 300 parameters on factors are kept longer, and some are in single precision."""
    generator = np.random.default_rng(8)
    m, n = 22, 400
    scores = generator.standard_normal((n, m)) + generator.standard_normal((n, 1))
    items = {f"x{j}_{k}": scores[:, j] + generator.standard_normal(n) for j in range(m) for k in range(3)}
    text = "\n".join(f"F{j} =~ " + " + ".join(f"x{j}_{k}" for k in range(3)) for j in range(m))
    fitted = sl.fit(text, pd.DataFrame(items), engine="kernel")
    assert len(fitted.theta) == 363
    assert fitted.certificate.certified
    assert fitted.certificate.decrement < 1e-11
    matrix = fitted.discrepancy.information(fitted.point)
    scale = np.sqrt(np.diagonal(matrix))
    # LAPACK's estimate is a bound that is nearly always attained within a factor of three.
    exact = 1.0 / np.linalg.cond(matrix / np.outer(scale, scale), 1)
    assert exact * (1.0 - 1e-9) <= fitted.certificate.condition <= 3.0 * exact
    assert fitted.certificate.rescaled_difference < 1e-10


def test_one_factor_start_values_do_not_depend_on_the_other_constructs():
    generator = np.random.default_rng(3)
    matrices = [np.corrcoef(generator.normal(size=(k, 40)) + generator.normal(size=40)) for k in (2, 3, 5, 4, 1)]
    matrices[-1] = np.ones((1, 1))
    blocks = item_blocks([len(matrix) for matrix in matrices])
    whole = generator.uniform(-1, 1, (len(blocks.of), len(blocks.of)))
    for block, matrix in enumerate(matrices):
        rows = np.flatnonzero(blocks.of == block)
        whole[np.ix_(rows, rows)] = matrix
    together = np.split(one_factor_each(whole, blocks), blocks.first[1:])
    for alone, found in zip(map(one_factor, matrices), together, strict=True):
        np.testing.assert_allclose(found, alone, atol=1e-12)


def test_a_small_sample_with_settled_variances_is_not_searched_further(monkeypatch):
    calls = []
    original = search._sought_lower
    monkeypatch.setattr(search, "_sought_lower", lambda *given: calls.append(1) or original(*given))
    fitted = sl.fit(MODEL, answers(120), engine="kernel")
    rows = sl.estimates(fitted)
    smallest = rows.loc[(rows["op"] == "~~") & (rows["lhs"] == rows["rhs"]), "z"].min()
    assert fitted.moments.n < fallback.SCARCE * fitted.specification.n_parameters
    assert smallest > 1.1 * fallback.SETTLED
    assert not calls
    monkeypatch.setattr(fallback, "SETTLED", 1.1 * smallest)
    again = sl.fit(MODEL, answers(120), engine="kernel")
    assert len(calls) == 1
    assert again.value == pytest.approx(fitted.value, abs=1e-12)


def test_doubt_is_measured_in_the_standard_errors_of_the_estimates(monkeypatch):
    fitted = sl.fit(MODEL, answers(120), engine="kernel")
    rows = sl.estimates(fitted)
    smallest = rows.loc[(rows["op"] == "~~") & (rows["lhs"] == rows["rhs"]), "z"].min()
    best = solver.Solution(fitted.point, 1, True, 0.0)
    for share, doubtful in ((0.999, False), (1.001, True)):
        monkeypatch.setattr(fallback, "SETTLED", share * smallest)
        found = fallback.is_doubtful(fitted.specification, fitted.discrepancy, fitted.space, best, fitted.moments.n)
        assert found is doubtful
