from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.pls_sem.mga import henseler_p

MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ A + B"


def people(n: int, path: float, seed: int, loading: tuple[float, float, float] = (0.8, 0.8, 0.8)) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    a = generator.standard_normal(n)
    b = path * a + np.sqrt(1 - path**2) * generator.standard_normal(n)
    c = 0.5 * b + np.sqrt(0.75) * generator.standard_normal(n)
    columns = {}
    for name, factor, values in (("a", a, loading), ("b", b, (0.8,) * 3), ("c", c, (0.8,) * 3)):
        for k, value in enumerate(values, start=1):
            columns[f"{name}{k}"] = value * factor + np.sqrt(1 - value**2) * generator.standard_normal(n)
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def two() -> pd.DataFrame:
    """A acts on B by .7 among 200 members and by .2 among 260 others; all else is equal."""
    return pd.concat([people(200, 0.7, 5).assign(g="in"), people(260, 0.2, 6).assign(g="out")], ignore_index=True)


@pytest.fixture(scope="module")
def compared(two: pd.DataFrame) -> sl.PlsGroups:
    return sl.pls_mga(MODEL, two, "g", permutations=300, draws=300)


def test_estimates_are_those_of_the_groups_alone(two: pd.DataFrame, compared: sl.PlsGroups) -> None:
    paths = compared.table[compared.table["kind"] == "path"]
    for label, column in (("in", "est_1"), ("out", "est_2")):
        alone = sl.pls(MODEL, two[two["g"] == label])
        np.testing.assert_allclose(paths[column], alone.path_coefficients()["est"], atol=1e-7)
    assert set(compared.fits()) == {"in", "out"}


def test_all_tests_find_the_difference_and_only_that(two: pd.DataFrame) -> None:
    # Without A -> C: beside a second cause, how much a path is attenuated depends on the correlation of the causes.
    compared = sl.pls_mga(MODEL.replace("C ~ A + B", "C ~ B"), two, "g", permutations=300, draws=300)
    paths = compared.table[compared.table["kind"] == "path"].set_index("name")
    tests = ["p_permutation", "p_henseler", "p_parametric", "p_welch"]
    assert (paths.loc["A -> B", tests] < 0.01).all()
    assert (paths.loc["B -> C", tests] > 0.05).all()
    assert paths.loc["A -> B", "p_permutation"] == pytest.approx(1 / 301)
    assert "p Henseler" in str(compared)


def test_permutations_are_estimates_from_reassigned_respondents(two: pd.DataFrame) -> None:
    pair = sl.pls_mga(MODEL, two, "g", permutations=3, draws=5).pairs[0]
    member = pair.reassigned(1, 3)
    assert (member.sum(axis=0) == 200).all()
    assert np.array_equal(pair.reassigned(1, 2), member[:, :2])


def test_henseler_counts_pairs_of_draws() -> None:
    generator = np.random.default_rng(4)
    first, second = generator.normal(0.3, 1, (1, 40)), generator.normal(0.0, 2, (1, 30))
    count = 0
    for x in first[0]:
        for y in second[0]:
            count += 2 * first.mean() - x - 2 * second.mean() + y > 0
    assert henseler_p(first, second)[0] == pytest.approx(2 * (min(count, 1200 - count) + 1) / 1201)


def test_t_tests_agree_with_those_of_means_in_large_samples() -> None:
    # The standard error of a mean is the analogue of the bootstrap's; both t-tests then are the classical ones.
    from sem_loyalty.pls_sem.mga import _by_t

    generator = np.random.default_rng(6)
    x, y = generator.normal(0.2, 1, 900), generator.normal(0.0, 1.5, 1100)
    even = np.linspace(-1, 1, 401)[None] / np.linspace(-1, 1, 401).std(ddof=1)
    draws = [one.mean() + one.std(ddof=1) / np.sqrt(len(one)) * even for one in (x, y)]
    found = _by_t(np.array([x.mean() - y.mean()]), draws[0], draws[1], (900, 1100))
    assert found["p_parametric"][0] == pytest.approx(ttest_ind(x, y).pvalue, rel=0.02)
    assert found["p_welch"][0] == pytest.approx(ttest_ind(x, y, equal_var=False).pvalue, rel=0.02)


def test_three_groups_are_compared_two_by_two(two: pd.DataFrame) -> None:
    three = pd.concat([two, people(150, 0.7, 3).assign(g="third")], ignore_index=True)
    found = sl.pls_mga(MODEL, three, "g", permutations=20, draws=20)
    assert list(dict.fromkeys(zip(found.table["group_1"], found.table["group_2"], strict=True))) == [
        ("in", "out"),
        ("in", "third"),
        ("out", "third"),
    ]


def test_composites_of_equal_groups_are_invariant(two: pd.DataFrame) -> None:
    found = sl.micom(MODEL, two, "g", permutations=300)
    frame = found.table.set_index("construct")
    assert (frame["c"] > 0.97).all()
    assert (frame["invariance"] == "full").all()
    assert "Step 1" in str(found)


def test_other_weights_break_compositional_invariance() -> None:
    data = pd.concat(
        [
            people(300, 0.6, 1, (0.9, 0.9, 0.1)).assign(g="x"),
            people(300, 0.6, 2, (0.1, 0.9, 0.9)).assign(g="y"),
        ]
    )
    frame = sl.micom(MODEL, data, "g", permutations=200).table.set_index("construct")
    assert frame.loc["A", "invariance"] == "not established"
    assert frame.loc["A", "c"] < frame.loc["A", "c_lower"]
    assert frame.loc["B", "invariance"] != "not established"


def test_means_and_variances_break_full_invariance(two: pd.DataFrame) -> None:
    shifted = two.copy()
    own = shifted["g"] == "in"
    shifted.loc[own, ["b1", "b2", "b3"]] = shifted.loc[own, ["b1", "b2", "b3"]] + 1.0
    shifted.loc[own, ["c1", "c2", "c3"]] = shifted.loc[own, ["c1", "c2", "c3"]] * 2.0
    frame = sl.micom(MODEL, shifted, "g", permutations=200).table.set_index("construct")
    assert frame.loc[["A", "B", "C"], "invariance"].tolist() == ["full", "partial", "partial"]
    assert frame.loc["B", "mean_difference"] > frame.loc["B", "mean_upper"]
    assert frame.loc["C", "log_variance_ratio"] > frame.loc["C", "variance_upper"]


def test_comparisons_that_make_no_sense_are_refused(two: pd.DataFrame) -> None:
    with pytest.raises(ConfigurationError, match="one group"):
        sl.pls_mga(MODEL, two.assign(g="all"), "g")
    with pytest.raises(ConfigurationError, match="permutations=0"):
        sl.micom(MODEL, two, "g", permutations=0)
    with pytest.raises(NotSupported, match="composites of items"):
        sl.micom(MODEL.replace("C ~ A + B", "C ~ A + B + A:B"), two, "g", permutations=10)
