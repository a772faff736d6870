"""Moments from rows and from matrices: values by hand and by NumPy, and one clear error for each offence."""

import decimal
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sem_loyalty.errors import DataError, DataWarning, NotSupported
from sem_loyalty.survey.matrix_input import cov_from_lower
from sem_loyalty.survey.sample import moments_from_cov, moments_from_data

ROWS = np.random.default_rng(5).normal(size=(40, 3)) @ np.array([[1.0, 0.5, 0.2], [0.0, 1.0, 0.3], [0.0, 0.0, 1.0]])
FRAME = pd.DataFrame(ROWS, columns=["a", "b", "c"])
R = np.array([[1.0, 0.4, 0.3], [0.4, 1.0, 0.2], [0.3, 0.2, 1.0]])


def test_moments_match_numpy_with_divisor_n() -> None:
    found = moments_from_data(FRAME, ["c", "a"])
    np.testing.assert_allclose(found.groups[0].cov, np.cov(ROWS[:, [2, 0]].T, bias=True), rtol=1e-13)
    np.testing.assert_allclose(found.groups[0].mean, ROWS[:, [2, 0]].mean(axis=0), atol=1e-15)
    assert found.names == ("c", "a")
    assert (found.n, found.n_collected, found.missing) == (40, 40, "listwise")


def test_large_offset_loses_no_precision() -> None:
    shifted = moments_from_data(FRAME + 1e9, ["a", "b", "c"]).groups[0].cov
    # Adding 1e9 rounds each value to about 1e-7, so the covariance may differ by that much and no more.
    np.testing.assert_allclose(shifted, np.cov(ROWS.T, bias=True), atol=5e-7)


def test_listwise_counts_rows_before_and_after() -> None:
    frame = FRAME.copy()
    frame.loc[[0, 3], "a"] = np.nan
    frame.loc[3, "b"] = np.nan
    found = moments_from_data(frame, ["a", "b"])
    assert (found.n, found.n_collected) == (38, 40)
    assert found.raw is not None
    np.testing.assert_array_equal(found.raw[0], np.delete(ROWS[:, :2], [0, 3], axis=0))
    assert moments_from_data(frame, ["c"]).n == 40


def test_groups_in_order_of_appearance_and_missing_groups_reported() -> None:
    frame = FRAME.assign(g=["z", "m"] * 19 + [None, " "])
    with pytest.warns(DataWarning, match="2 of 40 rows have no value of the grouping variable 'g'"):
        found = moments_from_data(frame, ["a", "b"], group="g")
    assert [group.label for group in found.groups] == ["z", "m"]
    assert [group.n for group in found.groups] == [19, 19]
    assert found.n_collected == 40
    np.testing.assert_allclose(found.groups[1].cov, np.cov(ROWS[1:38:2, :2].T, bias=True), rtol=1e-12)
    numbered = moments_from_data(FRAME.assign(g=[2.0, 1.0] * 20), ["a"], group="g")
    assert [group.label for group in numbered.groups] == ["2", "1"]


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(40)))
def test_row_order_does_not_matter(order: list[int]) -> None:
    found = moments_from_data(FRAME.iloc[order], ["a", "b", "c"]).groups[0]
    np.testing.assert_allclose(found.cov, moments_from_data(FRAME, ["a", "b", "c"]).groups[0].cov, rtol=1e-12)


def test_every_numeric_kind_is_converted() -> None:
    values = [1, 2, 5, 3, 4, 4]
    plain = pd.Series(values, dtype=float)
    kinds = {
        "int64": pd.Series([*values, None], dtype="Int64"),
        "float32": pd.Series([*values, None], dtype="float32"),
        "categorical": pd.Series(pd.Categorical([*values, None])),
        "decimal": pd.Series([*map(decimal.Decimal, values), None], dtype=object),
        "mixed": pd.Series([*map(float, values), pd.NA], dtype=object),
        "arrow": pd.Series([*values, None], dtype="int64[pyarrow]"),
    }
    for kind, series in kinds.items():
        found = moments_from_data(pd.DataFrame({"x": series}), ["x"])
        assert found.n == 6, kind
        assert found.groups[0].cov[0, 0] == pytest.approx(plain.var(ddof=0)), kind
    flags = moments_from_data(pd.DataFrame({"x": [True, False, True, True]}), ["x"])
    assert flags.groups[0].mean is not None
    assert flags.groups[0].mean[0] == 0.75
    nullable = moments_from_data(pd.DataFrame({"x": pd.array([True, None, False], dtype="boolean")}), ["x"])
    assert nullable.n == 2


@pytest.mark.parametrize(
    ("frame", "names", "pattern"),
    [
        (FRAME, ["a", "bb", "zz9"], r"'bb'.*'zz9'.*Columns: a; b; c"),
        (FRAME.rename(columns={"a": "trust1"}), ["trsut1"], r"Did you mean 'trust1'\?"),
        (FRAME, ["a", "b", "a"], r"more than once: 'a'"),
        (FRAME.set_axis(["a", "b", "a"], axis=1), ["a", "b"], r"same name: 'a' \(2 columns\)"),
        (FRAME.assign(a=["x" if i == 6 else "1" for i in range(40)]), ["a"], r"'a' row 7: 'x'"),
        (FRAME.assign(a=[*[1.0] * 6, "agree", *[2.0] * 33]), ["a"], r"'a' row 7: 'agree'\. Map text answers"),
        (FRAME.assign(a=pd.Categorical(["lo", "hi"] * 20)), ["a"], r"'a' row 1: 'lo'"),
        (FRAME.assign(a=pd.Timestamp("2024-01-01")), ["a"], r"not numbers: 'a' row 1"),
        (FRAME.assign(a=np.where(np.arange(40) == 4, np.inf, 1.0)), ["a"], r"infinite values: 'a' row 5"),
        (FRAME.assign(a=3.0, b=4.0), ["a", "b"], r"same answer in every row: 'a' = 3; 'b' = 4"),
        (FRAME.iloc[:3], ["a", "b", "c"], r"N smaller than number of items: 3 complete rows \(of 3\) for 3 items"),
        (FRAME.assign(d=FRAME.a * 2 - 1), ["a", "b", "d"], r"not positive definite.*'a' and 'd' \(r = 1\)"),
        (FRAME.assign(d=FRAME.a + FRAME.b), ["a", "b", "c", "d"], r"depend on each other: 'a'; 'b'; 'd'\."),
        (FRAME.assign(a=np.nan), ["a", "b"], r"No row is complete.*'a' 100\.0 % missing"),
        (FRAME.iloc[:0], ["a"], "no rows"),
        (FRAME, [], "No items"),
    ],
)
def test_offending_data_give_one_clear_error(frame: pd.DataFrame, names: list[str], pattern: str) -> None:
    with pytest.raises(DataError, match=re.compile(pattern, re.DOTALL)):
        moments_from_data(frame, names)


def test_error_shows_the_index_where_it_is_not_the_row_number() -> None:
    frame = pd.DataFrame({"a": [1, "bad", 2]}, index=["R_1", "R_2", "R_3"])
    with pytest.raises(DataError, match=r"row 2 \(index 'R_2'\): 'bad'"):
        moments_from_data(frame, ["a"])


def test_errors_name_the_group() -> None:
    frame = FRAME.assign(g=["u"] * 37 + ["v"] * 3)
    with pytest.raises(DataError, match=r"in group 'v': 3 complete rows"):
        moments_from_data(frame, ["a", "b", "c"], group="g")
    with pytest.raises(DataError, match="both an item and the grouping variable"):
        moments_from_data(FRAME, ["a", "b"], group="a")
    with pytest.raises(NotSupported, match="listwise"):
        moments_from_data(FRAME, ["a"], missing="mean")


def test_matrix_is_rescaled_as_in_lavaan() -> None:
    S = np.cov(ROWS.T)
    found = moments_from_cov(S, 40, names=["a", "b", "c"], sample_mean=[1.0, 2.0, 3.0])
    np.testing.assert_allclose(found.groups[0].cov, moments_from_data(FRAME, ["a", "b", "c"]).groups[0].cov, rtol=1e-12)
    assert found.groups[0].mean is not None
    np.testing.assert_array_equal(found.groups[0].mean, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(moments_from_cov(S, 40, rescale=False).groups[0].cov, S)
    assert found.raw is None
    assert found.missing == "none"


def test_correlations_with_standard_deviations() -> None:
    sd = {"c": 3.0, "a": 1.0, "b": 2.0}
    found = moments_from_cov(R, 100, names=["a", "b", "c"], sample_sd=sd, rescale=False).groups[0].cov
    np.testing.assert_allclose(found, [[1.0, 0.8, 0.9], [0.8, 4.0, 1.2], [0.9, 1.2, 9.0]], rtol=1e-15)
    with pytest.raises(DataError, match=r"diagonal is not 1: 'a' 2"):
        moments_from_cov(np.diag([2.0, 1.0]), 10, names=["a", "b"], sample_sd=[1, 1])


def test_dataframe_is_selected_by_name() -> None:
    frame = pd.DataFrame(R, index=list("abc"), columns=list("abc"))
    found = moments_from_cov(frame, 50, names=["c", "a"], rescale=False)
    np.testing.assert_array_equal(found.groups[0].cov, [[1.0, 0.3], [0.3, 1.0]])
    with pytest.raises(DataError, match="different order"):
        moments_from_cov(frame.loc[["b", "a", "c"]], 50)


@pytest.mark.parametrize("blank", [0.0, np.nan])
def test_triangles_are_mirrored(blank: float) -> None:
    for keep in (np.tril(np.ones((3, 3), bool)), np.triu(np.ones((3, 3), bool))):
        found = moments_from_cov(np.where(keep, R, blank), 50, rescale=False)
        np.testing.assert_array_equal(found.groups[0].cov, R)


def test_lower_triangle_from_print() -> None:
    text = "sat 1.00\nloy .40, 1.00\ntru\t.30 .20 1"
    frame = cov_from_lower(text)
    assert list(frame.columns) == ["sat", "loy", "tru"]
    np.testing.assert_array_equal(frame.to_numpy(), R)
    np.testing.assert_array_equal(cov_from_lower([1, 0.4, 1, 0.3, 0.2, 1]).to_numpy(), R)
    np.testing.assert_array_equal(cov_from_lower([[1], [0.4, 1], [0.3, 0.2, 1]], list("xyz")).to_numpy(), R)
    with pytest.raises(DataError, match=r"there are 5 \(2 items need 3, 3 items 6\)"):
        cov_from_lower("1 .4 1 .3 .2")
    with pytest.raises(DataError, match="2 entries for a matrix of 3 rows"):
        cov_from_lower(text, ["a", "b"])


def test_several_groups_by_list_and_by_label() -> None:
    found = moments_from_cov([R, 2 * R], [50, 60], names=list("abc"), sample_mean=[[0, 0, 0], [1, 1, 1]])
    assert [group.label for group in found.groups] == ["Group 1", "Group 2"]
    assert found.n == found.n_collected == 110
    named = moments_from_cov({"old": R, "new": R}, {"new": 60, "old": 50})
    assert [(group.label, group.n) for group in named.groups] == [("old", 50), ("new", 60)]
    with pytest.raises(DataError, match="1 entries for 2 groups"):
        moments_from_cov([R, R], [50])
    with pytest.raises(DataError, match="sample_cov is one matrix"):
        moments_from_cov(R, [50, 60])


def _changed(i: int, j: int, value: float, base: np.ndarray = R) -> np.ndarray:
    changed = base.copy()
    changed[i, j] = value
    return changed


@pytest.mark.parametrize(
    ("matrix", "n", "pattern"),
    [
        (_changed(0, 1, 0.45), 50, r"not symmetric: \(a, b\) 0\.45 against 0\.4, difference 0\.05"),
        (_changed(1, 2, np.nan), 50, r"not finite: \(b, c\) = nan"),
        (_changed(1, 1, -1.0), 50, r"Variances must be positive: 'b' -1"),
        (_changed(0, 2, 1.4, _changed(2, 0, 1.4)), 50, r"Correlations beyond 1: \(c, a\) r = 1\.4"),
        (np.array([[1, 1, 0.3], [1, 1, 0.3], [0.3, 0.3, 1]]), 50, r"Perfectly correlated: 'a' and 'b'"),
        (np.array([[1, 0.9, 0.1], [0.9, 1, 0.9], [0.1, 0.9, 1]]), 50, r"eigenvalue .* is -0\.\d+.*'a'; 'b'; 'c'"),
        (R, 3, "sample_nobs = 3 for 3 items"),
        (R, 0, "positive whole number, not 0"),
        (R, 50.5, "positive whole number, not 50.5"),
        (R, True, "positive whole number, not True"),
        (R[:2], 50, r"square matrix; its shape is \(2, 3\)"),
    ],
)
def test_offending_matrices_give_one_clear_error(matrix: np.ndarray, n: object, pattern: str) -> None:
    with pytest.raises(DataError, match=re.compile(pattern, re.DOTALL)):
        moments_from_cov(matrix, n, names=["a", "b", "c"])


def test_input_is_not_changed() -> None:
    before = R.copy()
    moments_from_cov(R, 50)
    np.testing.assert_array_equal(R, before)


def test_values_that_read_alike_are_one_group_whose_rows_keep_their_order():
    rows = np.random.default_rng(1).normal(size=(12, 2))
    data = pd.DataFrame(rows, columns=["a", "b"]).assign(wave=[1, "1", 2, 1.0] * 3)
    found = moments_from_data(data, ["a", "b"], group="wave")
    assert [group.label for group in found.groups] == ["1", "2"]
    np.testing.assert_array_equal(found.raw[0], rows[[0, 1, 3, 4, 5, 7, 8, 9, 11]])
    np.testing.assert_array_equal(found.raw[1], rows[[2, 6, 10]])
