"""The tables that a chapter prints: who answered, how constructs relate, and the measurement in one table."""

import numpy as np
import pandas as pd
import pytest

from sem_loyalty.fitting.fit import fit
from sem_loyalty.inference.estimates import estimates
from sem_loyalty.measurement.reliability import reliability
from sem_loyalty.measurement.validity import validity
from sem_loyalty.publish.chapter_tables import cfa_table, characteristics_table, constructs_tables
from sem_loyalty.publish.lang import WORDS
from sem_loyalty.publish.table_words import TABLE_WORDS
from sem_loyalty.publish.tables import Edition
from sem_loyalty.survey.codebook import Codebook, Item

MODEL = "F =~ x1 + x2 + x3\nG =~ x4 + x5 + x6"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    random = np.random.default_rng(5)
    factors = random.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=300)
    items = factors[:, [0, 0, 0, 1, 1, 1]] * 0.8 + random.normal(size=(300, 6)) * 0.6 + 4
    return pd.DataFrame(items, columns=[f"x{k}" for k in range(1, 7)])


@pytest.fixture(scope="module")
def fitted(data):
    return fit(MODEL, data, kind="cfa", meanstructure=True)


def test_characteristics_count_everyone_once() -> None:
    frame = pd.DataFrame(
        {
            "id": range(8),
            "sex": [1, 2, 2, 1, 2, None, 1, 2],
            "city": ["Ürümqi", "Xi'an"] * 4,
            "age": [20.0, 25, 30, 35, 40, 45, 50, np.nan],
            "always": 1,
            "x1": [1, 2] * 4,
        }
    )
    items = (
        Item("sex", "sex", label_en="Gender", label_zh="性别", value_labels=((1, "male"), (2, "female"))),
        Item("x1", "x1", construct="F"),
    )
    table = characteristics_table(frame, Codebook(items), Edition("en"), "N = 8.")
    assert table is not None
    # Ids, constants and items of constructs describe nobody.
    assert table.sections == ((0, "Gender"), (3, "city"), (5, "age"))
    assert table.cells()[:3] == [["male", "3", "37.5"], ["female", "4", "50.0"], ["no answer", "1", "12.5"]]
    wide = characteristics_table(
        pd.DataFrame({"age": np.repeat(np.arange(20.0, 32.0), 2)}), Codebook(), Edition("zh"), ""
    )
    assert wide is not None
    assert wide.cells() == [["M = 25.50，SD = 3.53", "24", "100.0"]]
    assert characteristics_table(frame[["id", "always"]], Codebook(), Edition("en"), "") is None


def test_constructs_show_means_of_items_and_roots_of_ave(data, fitted) -> None:
    (table,) = constructs_tables(fitted, Edition("en", labels={"F": "Fun"}))
    scores = data[["x1", "x2", "x3"]].mean(axis=1)
    first, second = table.rows
    assert first["construct"] == "1 Fun"
    assert first["mean"] == pytest.approx(scores.mean(), rel=1e-9)
    assert first["sd"] == pytest.approx(scores.std(), rel=1e-9)
    square = validity(fitted).fornell_larcker
    assert first["r1"] == square.loc["F", "F"]
    assert "r2" not in first
    assert second["r1"] == square.loc["G", "F"]


def test_the_measurement_in_one_table(fitted) -> None:
    frame = estimates(fitted)
    table = cfa_table(frame, fitted, Edition("zh", labels={"F": "乐趣"}))
    assert table.sections == ((0, "乐趣"), (3, "G"))
    assert [row["std"] for row in table.rows] == frame.loc[frame["op"] == "=~", "std_all"].tolist()
    assert table.cells()[0][3] == ""  # the loading that sets the scale has no standard error
    found = reliability(fitted)
    shown = ["alpha", "omega", "cr", "ave"]
    assert [table.rows[3][key] for key in shown] == found.loc["G", shown].tolist()
    assert "ave" not in table.rows[1]


def test_groups_have_their_own_coefficients(data) -> None:
    frame = data.assign(site=["a", "b"] * 150)
    fitted = fit(MODEL, frame, kind="cfa", group="site")
    edition = Edition("en", groups=fitted.specification.groups)
    table = cfa_table(estimates(fitted), fitted, edition)
    assert [text for _, text in table.sections] == ["F (a)", "G (a)", "F (b)", "G (b)"]
    assert table.rows[6]["cr"] == reliability(fitted).loc[("b", "F"), "cr"]
    assert [made.id for made in constructs_tables(fitted, edition)] == ["constructs", "constructs-2"]


def test_words_are_complete() -> None:
    assert all(WORDS[key] == words for key, words in TABLE_WORDS.items())
    assert all(all(words) for words in TABLE_WORDS.values())
