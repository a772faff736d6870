"""The quick way to read a survey file gives what `read_survey` gives, or leaves the file to it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sem_loyalty as sl
from sem_loyalty.errors import DataError
from sem_loyalty.survey.plain_file import answers_in, plain_columns

CELLS = st.one_of(
    st.just(""),
    st.integers(-9999, 99999).map(str),
    st.floats(allow_nan=False, allow_infinity=False, width=64).map(repr),
    st.sampled_from(["1.", ".5", "+3", "-0", "007", "0012", "1e5", "12345678901234567", "-", ".", "e5", "1-2", "--"]),
)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=150, deadline=None)
def test_what_is_read_quickly_is_what_the_full_reader_reads(tmp_path_factory, rows, newline):
    text = newline.join(["a1,b_2", *(",".join(row) for row in rows)])
    quick = plain_columns(text.encode())
    path = tmp_path_factory.mktemp("plain") / "answers.csv"
    path.write_bytes(text.encode())
    full = sl.read_survey(path).data
    if quick is None:
        return
    assert list(quick) == list(full.columns)
    for name, column in quick.items():
        np.testing.assert_array_equal(column, full[name].to_numpy(dtype=float))


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3,yes\n",
        'a,b\n1,"2"\n',
        "a;b\n1;2\n",
        "a,b\n1,2\n\n3,4\n",
        "a,b\n1,2\n3\n",
        "a,b\n1,2,\n",
        "a,a\n1,2\n",
        "a,\n1,2\n",
        "a b,c\n1,2\n",
        "题1,b\n1,2\n",
        "a,b\n",
        "a,b",
        "a,b\n0012,2\n",
        "a,b\n1234567890123456,2\n",
        "a,b\n1,nan\n",
        "a,b\n1_0,2\n",
        "Progress,b\n1,2\n",
    ],
)
def test_files_in_which_something_is_to_be_decided_are_left_to_the_full_reader(text):
    assert plain_columns(text.encode()) is None


def test_ordinary_answers_are_read_quickly():
    assert plain_columns(b"a,b\n1,2.5\n,-3\n") is not None
    (a, b) = plain_columns(b"a,b\r\n1,2.5\r\n,-3\r\n").values()
    np.testing.assert_array_equal(a, [1.0, np.nan])
    np.testing.assert_array_equal(b, [2.5, -3.0])


def test_a_path_is_fitted_like_the_survey_in_it(tmp_path):
    generator = np.random.default_rng(4)
    f = generator.standard_normal(150)
    data = pd.DataFrame({name: np.round(2 * f + generator.standard_normal(150)) for name in "abcd"})
    data.loc[3, "a"] = np.nan
    path = tmp_path / "answers.csv"
    data.to_csv(path, index=False)
    quick = sl.fit("F =~ a + b + c + d", path)
    assert isinstance(answers_in(path), dict)
    assert quick.moments.n == 149
    np.testing.assert_array_equal(quick.theta, sl.fit("F =~ a + b + c + d", sl.read_survey(path).data).theta)
    worded = data.assign(sex=np.where(np.arange(150) % 2, "m", "f"))
    worded.to_csv(path, index=False)
    assert isinstance(answers_in(path), pd.DataFrame)
    split = sl.fit("F =~ a + b + c + d", str(path), group="sex")
    np.testing.assert_array_equal(split.theta, sl.fit("F =~ a + b + c + d", worded, group="sex").theta)


def test_a_missing_file_is_named_with_the_nearest(tmp_path):
    (tmp_path / "answers.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"answers\.csv"):
        sl.fit("F =~ a + b + c", tmp_path / "answer.csv")
