"""Answers as numbered categories."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sem_loyalty.survey.categories import categories, respondents


@given(arrays(np.int64, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=st.integers(-3, 4)))
def test_codes_are_the_ranks_of_the_distinct_answers(answers):
    found = categories(answers.astype(float))
    codes = found.codes(answers.astype(float))
    for j, column in enumerate(answers.T):
        values, expected = np.unique(column, return_inverse=True)
        np.testing.assert_array_equal(found.of(j), values)
        np.testing.assert_array_equal(codes[:, j], expected)
        assert found.levels[j] == len(values)
        np.testing.assert_array_equal(respondents(codes, 8)[j], np.bincount(expected, minlength=8))


def test_missing_answers_are_no_category():
    answers = np.array([[2.5, np.nan], [np.nan, 7.0], [-1.0, 7.0], [2.5, 9.0]])
    found = categories(answers)
    np.testing.assert_array_equal(found.codes(answers), [[1, -1], [-1, 0], [0, 0], [1, 1]])
    np.testing.assert_array_equal(respondents(found.codes(answers), 2), [[1, 2], [2, 1]])


def test_a_category_that_a_part_of_the_sample_lacks_keeps_its_number():
    found = categories(np.array([[1.0], [2.0], [4.0]]))
    codes = found.codes(np.array([[4.0], [1.0]]))
    np.testing.assert_array_equal(codes, [[2], [0]])
    np.testing.assert_array_equal(respondents(codes, 3), [[1, 0, 1]])
