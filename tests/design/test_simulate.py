"""Simulated answers have the moments, shapes, categories and gaps that were asked for, the same bytes each time."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.design.answers import Missing
from sem_loyalty.design.structure import written_structures
from sem_loyalty.design.vale_maurelli import fleishman
from sem_loyalty.errors import ConfigurationError, DataError, SpecificationError
from sem_loyalty.model.model_file import ModelFile

ROOT = str(Path(sl.__file__).resolve().parents[1])
TWO = """
A =~ 1*a1 + 0.8*a2 + 0.7*a3
B =~ 1*b1 + 0.9*b2 + 0.8*b3
A ~~ 1.5*A
B ~ 0.6*A
B ~~ 0.5*B
b1 ~~ 0.4*b2
a1 ~~ 0.7*a1
"""
LARGE = 20_000


def joint(data: pd.DataFrame, mean: np.ndarray, cov: np.ndarray) -> tuple[float, float]:
    """Standardised distances of means and covariances of normal data from the truth: the largest z of each."""
    n = len(data)
    z_mean = (data.mean().to_numpy() - mean) / np.sqrt(np.diag(cov) / n)
    spread = np.sqrt((cov**2 + np.outer(np.diag(cov), np.diag(cov))) / n)
    return float(np.abs(z_mean).max()), float(np.abs((data.cov().to_numpy() - cov) / spread).max())


def test_a_text_gives_the_moments_it_implies() -> None:
    (structure,) = written_structures(TWO, ("",))
    mean, cov = structure.moments()
    # By hand: Var(A) = 1.5, Var(B) = .36 * 1.5 + .5 = 1.04; silent residual variances are 1.
    at = {name: i for i, name in enumerate(structure.observed)}
    assert cov[at["a1"], at["a1"]] == pytest.approx(1.5 + 0.7)
    assert cov[at["a2"], at["b3"]] == pytest.approx(0.8 * 0.6 * 1.5 * 0.8)
    assert cov[at["b1"], at["b2"]] == pytest.approx(0.9 * 1.04 + 0.4)
    data = sl.simulate(TWO, LARGE, seed=4)
    # 21 covariances and 6 means: a largest z of 4 has a chance of .002.
    assert max(joint(data, mean, cov)) < 4


def test_means_and_groups_of_a_text() -> None:
    text = "A =~ 1*a1 + 1*a2\na1 ~ c(2, 3)*1\nA ~ c(0, 1)*1\nA ~~ c(1, 2)*A"
    data = sl.simulate(text, [LARGE, 10_000], seed=5, groups=("x", "y"), group="country")
    assert data["country"].value_counts().to_dict() == {"x": LARGE, "y": 10_000}
    parts = dict(list(data.groupby("country")[["a1", "a2"]]))
    for label, structure in zip("xy", written_structures(text, ("x", "y")), strict=True):
        assert max(joint(parts[label], *structure.moments())) < 4
    assert structure.moments()[0].tolist() == [4.0, 1.0]
    assert np.diag(structure.moments()[1]).tolist() == [3.0, 3.0]


def test_feedback_is_solved_and_must_settle() -> None:
    text = "x ~~ 1*x\nz ~~ 1*z\ny1 ~ {0}*y2 + 1*x\ny2 ~ 0.5*y1 + 1*z"
    data = sl.simulate(text.format("0.4"), LARGE, seed=6)
    (structure,) = written_structures(text.format("0.4"), ("",))
    # y1 = (x + e1 + .4 (z + e2)) / (1 - .2)
    at = structure.observed.index("y1")
    assert structure.moments()[1][at, at] == pytest.approx((2 + 0.16 * 2) / 0.64)
    assert max(joint(data[list(structure.observed)], *structure.moments())) < 4
    with pytest.raises(SpecificationError, match=r"do not settle \(stability index 1\.10"):
        sl.simulate(text.format("2.42"), 10, seed=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TWO + "a1 ~~ 0.9*b1", "not positive definite.*a1 and b1"),
        (TWO + "a3 ~~ -0.2*a3", "gives a3 the negative"),
        (TWO + "a3 ~~ 0*a3\na3 ~~ 0.2*a2", "a3 has covariances but no positive"),
    ],
)
def test_an_impossible_text_is_refused(text: str, expected: str) -> None:
    with pytest.raises(SpecificationError, match=expected):
        sl.simulate(text, 10, seed=1)


def test_the_same_seed_gives_the_same_bytes_on_any_thread_count() -> None:
    program = (
        "import hashlib, sem_loyalty as sl;"
        "a = sl.simulate('core', 300, seed=7, categories=None).to_numpy().tobytes();"
        "b = sl.simulate('core', 300, seed=7, group='channel', missing=0.1).to_csv(index=False).encode();"
        "print(hashlib.sha256(a + b).hexdigest())"
    )
    found = set()
    for threads, hashing in (("1", "0"), ("2", "1")):
        environment = os.environ | {"OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": hashing, "PYTHONPATH": ROOT}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        found.add(done.stdout)
    here = sl.simulate("core", 300, seed=7, categories=None).to_numpy().tobytes()
    here += sl.simulate("core", 300, seed=7, group="channel", missing=0.1).to_csv(index=False).encode()
    assert found == {hashlib.sha256(here).hexdigest() + "\n"}


def test_more_respondents_continue_the_sample_and_another_seed_is_another() -> None:
    few, many = (sl.simulate("core", n, seed=8, categories=None) for n in (50, 90))
    pd.testing.assert_frame_equal(few, many.head(50))
    assert not np.allclose(few, sl.simulate("core", 50, seed=9, categories=None))


def test_core_in_groups_differs_where_its_population_does() -> None:
    data = sl.simulate("core", 2 * LARGE, seed=10, group="channel", categories=None)
    # The labels of core.lav would hold its paths equal across groups, so each group is fitted by itself.
    for channel, truth in (("store", 0.12), ("online", 0.38)):
        solution = sl.standardised_solution(sl.fit("core", data[data["channel"] == channel]))
        row = solution.query("op == '~' and lhs == 'LOY' and rhs == 'TRU'").iloc[0]
        assert abs(row["est_std"] - truth) < 4 * row["se"]


def test_categories_of_a_library_model_have_the_shares_of_its_thresholds() -> None:
    from scipy.stats import norm

    core = sl.load_model("core")
    assert core.population is not None
    data = sl.simulate(core, LARGE, seed=11)
    assert set(np.unique(data)) == set(range(1, 8))
    for name in ("sat1", "loy5"):
        cuts = np.array([-np.inf, *np.array(core.population.thresholds) - core.population.shift[name], np.inf])
        wanted = np.diff(norm.cdf(cuts))
        found = data[name].value_counts(normalize=True).sort_index().to_numpy()
        assert np.abs((found - wanted) / np.sqrt(wanted * (1 - wanted) / LARGE)).max() < 4


def test_equally_wide_categories_and_their_skew() -> None:
    plain = sl.simulate(TWO, LARGE, seed=12, categories=5)
    skewed = sl.simulate(TWO, LARGE, seed=12, categories=5, skew=0.8)
    assert set(np.unique(plain)) == {1, 2, 3, 4, 5}
    # Standard error of a skewness of normal data: sqrt(6 / n) = .017.
    assert plain.skew().abs().max() < 0.07
    assert (skewed.skew() > 0.4).all()
    assert (sl.simulate(TWO, LARGE, seed=12, categories=5, skew=-0.8).skew() < -0.4).all()
    binary = sl.simulate(TWO, LARGE, seed=12, thresholds=[0.0])
    np.testing.assert_allclose(binary.mean(), 1.5, atol=4 * 0.5 / np.sqrt(LARGE))


def test_answers_that_are_not_normal_have_the_shape_and_covariances_asked_for() -> None:
    data = sl.simulate(TWO, 60_000, seed=13, skewness={"a1": 1.0, "b1": -0.8}, kurtosis=2.0)
    (structure,) = written_structures(TWO, ("",))
    np.testing.assert_allclose(data.cov(), structure.moments()[1], atol=0.06)
    skew, kurtosis = data.skew(), data.kurt()
    assert skew["a1"] == pytest.approx(1.0, abs=0.1)
    assert skew["b1"] == pytest.approx(-0.8, abs=0.1)
    assert skew["a2"] == pytest.approx(0.0, abs=0.1)
    # A fourth moment is known poorly even with 60000.
    assert kurtosis.between(1.6, 2.5).all()
    with pytest.raises(SpecificationError, match="raise the kurtosis"):
        sl.simulate(TWO, 50, seed=1, skewness=2.0, kurtosis=0.5)


@pytest.mark.parametrize(("skewness", "kurtosis"), [(0.0, 0.0), (0.75, 0.8), (1.5, 3.75), (-1.75, 3.75), (0.0, 25.0)])
def test_fleishman_polynomials_have_their_cumulants(skewness: float, kurtosis: float) -> None:
    b, c, d = fleishman(skewness, kurtosis)
    # Moments of the polynomial of a normal variable, by quadrature exact to degree 12.
    z, weight = np.polynomial.hermite_e.hermegauss(20)
    weight = weight / weight.sum()
    x = -c + b * z + c * z**2 + d * z**3
    moments = [float(weight @ x**k) for k in range(1, 5)]
    assert moments == pytest.approx([0, 1, skewness, kurtosis + 3], abs=1e-8)


def test_missing_completely_at_random_is_unrelated_to_answers() -> None:
    complete = sl.simulate("core", LARGE, seed=14)
    data = sl.simulate("core", LARGE, seed=14, missing=0.1)
    gone = data.isna()
    np.testing.assert_allclose(gone.mean(), 0.1, atol=4 * 0.3 / np.sqrt(LARGE))
    pd.testing.assert_frame_equal(data.where(~gone), complete.where(~gone).astype(float))
    assert abs(np.corrcoef(gone["sat1"], complete["sat2"])[0, 1]) < 4 / np.sqrt(LARGE)


def test_missing_at_random_depends_on_its_cause_alone() -> None:
    rule = Missing(0.2, cause="sat1", slope=-1.2, items=("loy1", "loy2"))
    complete = sl.simulate("core", LARGE, seed=15)
    data = sl.simulate("core", LARGE, seed=15, missing=rule)
    gone = data.isna()
    assert gone.columns[gone.any()].tolist() == ["loy1", "loy2"]
    assert gone["loy1"].mean() == pytest.approx(0.2, abs=4 * 0.4 / np.sqrt(LARGE))
    assert complete["sat1"].dtype.kind == data["sat1"].dtype.kind == "i"
    shares = gone["loy1"].groupby(complete["sat1"]).mean()
    assert shares.is_monotonic_decreasing
    # Given its cause, the answer itself says nothing.
    within = complete["loy1"] - complete.groupby("sat1")["loy1"].transform("mean")
    assert abs(np.corrcoef(gone["loy1"], within)[0, 1]) < 4 / np.sqrt(LARGE)


def test_full_information_undoes_what_is_missing_at_random() -> None:
    rule = Missing(0.35, cause="a1", slope=2.0, items=("b1", "b2", "b3"))
    data = sl.simulate(TWO.replace("b1 ~~ 0.4*b2\n", ""), 4000, seed=16, missing=rule)
    text = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A"
    row = sl.estimates(sl.fit(text, data, missing="fiml")).query("lhs == 'B' and op == '~'").iloc[0]
    assert abs(row["est"] - 0.6) < 4 * row["se"]


@pytest.mark.parametrize(
    ("arguments", "error", "expected"),
    [
        ({"nobs": 0}, ConfigurationError, "nobs=0"),
        ({"nobs": [10, 20]}, ConfigurationError, "each of 1 groups"),
        ({"seed": -1}, ConfigurationError, "seed=-1"),
        ({"categories": 1}, ConfigurationError, "categories=1"),
        ({"categories": "likert"}, ConfigurationError, "not a number of categories"),
        ({"skew": 0.5}, ConfigurationError, "give their number"),
        ({"thresholds": [0.0, 0.0]}, ConfigurationError, "must be increasing"),
        ({"thresholds": {"sat1": [0.0]}}, ConfigurationError, "sat2 has none"),
        ({"thresholds": [0.0], "categories": 5}, ConfigurationError, "either thresholds"),
        ({"skewness": {"sta1": 1.0}}, ConfigurationError, "Did you mean 'sat1'"),
        ({"missing": 1.2}, ConfigurationError, "rate=1.2"),
        ({"missing": Missing(0.1, items=("sta1",))}, DataError, "Did you mean 'sat1'"),
        ({"missing": [Missing(0.1, cause="sat1"), Missing(0.1, items=("sat1",))]}, ConfigurationError, "sat1 cannot"),
        ({"groups": ("a", "b")}, ConfigurationError, "leave it out"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    arguments: dict[str, object], error: type[Exception], expected: str
) -> None:
    with pytest.raises(error, match=expected):
        sl.simulate("core", **({"nobs": 20, "seed": 1} | arguments))  # type: ignore[arg-type]


def test_a_model_without_a_population_needs_one() -> None:
    with pytest.raises(SpecificationError, match="no population to simulate from"):
        sl.simulate("iacobucci2009", seed=1)
    model: ModelFile = sl.load_model("iacobucci2009")
    text = model.text.replace("Value  ~ Quality + Cost", "Value ~ 0.5*Quality + -0.4*Cost")
    data = sl.simulate(model, 30, seed=1, population=text)
    assert list(data.columns) == [item.name for item in model.items]


def test_missing_is_checked_when_it_is_made() -> None:
    with pytest.raises(ConfigurationError, match="a1 cannot itself"):
        Missing(0.1, items=("a1",), cause="a1")
