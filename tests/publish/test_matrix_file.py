"""Covariance matrices as people keep them (tables, triangles, other delimiters), and what is wrong with one."""

from pathlib import Path

import numpy as np
import pytest

from sem_loyalty.errors import DataError
from sem_loyalty.publish.matrix_file import read_matrix

FULL = np.array([[1.0, 0.5, 0.4], [0.5, 2.0, -0.3], [0.4, -0.3, 3.0]])


@pytest.mark.parametrize(
    "text",
    [
        ",a,b,c\na,1,.5,.4\nb,.5,2,-.3\nc,.4,-.3,3\n",
        "item;a;b;c\na;1;.5;.4\nb;.5;2;-.3\nc;.4;-.3;3\n",
        "a\tb\tc\n1\t.5\t.4\n.5\t2\t−.3\n.4\t−.3\t3\n",
        "a b c\n1 .5 .4\n.5 2 -.3\n.4 -.3 3\n",
        "\ufeff,a,b,c\r\na,1,.5,.4\r\n\r\nb,.5,2,-.3\r\nc,.4,-.3,3",
    ],
)
def test_full_matrices(tmp_path: Path, text: str) -> None:
    file = tmp_path / "m.csv"
    file.write_bytes(text.encode("utf-8"))
    found = read_matrix(file)
    assert list(found.columns) == list(found.index) == ["a", "b", "c"]
    np.testing.assert_array_equal(found.to_numpy(), FULL)


@pytest.mark.parametrize("text", ["a 1\nb .5 2\nc .4 -.3 3\n", "a,1,,\nb,.5,2,\nc,.4,-.3,3\n"])
def test_a_lower_triangle_with_names(tmp_path: Path, text: str) -> None:
    file = tmp_path / "m.txt"
    file.write_text(text)
    np.testing.assert_array_equal(read_matrix(file).to_numpy(), FULL)


def test_blank_cells_of_a_table_are_left_to_the_fit(tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_text(",a,b,c\na,1,,\nb,.5,2,\nc,.4,-.3,3\n")
    found = read_matrix(file).to_numpy()
    np.testing.assert_array_equal(np.tril(np.nan_to_num(found)), np.tril(FULL))
    assert np.isnan(found[np.triu_indices(3, 1)]).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,0\n", "2 names in the first row, but 1 rows"),
        (",a,b\na,1,0\nc,0,1\n", "row 2 is called 'c', column 2 'b'"),
        ("a,b\n1,0,7\n0,1,0\n", "row 1 has 3 cells for 2 items"),
        ("a,b\n1,zero\n0,1\n", "'zero' at \\(a, b\\) is not a number"),
        ("a 1\nb .5\n", "A lower triangle"),
        (" \n\n", "empty"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "m.csv"
    file.write_text(text)
    with pytest.raises(DataError, match=message):
        read_matrix(file)
