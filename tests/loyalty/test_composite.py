"""Composite evaluation: both parts by hand, and the attribute weights from components."""

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.loyalty.composite import component_weights

DATA = pd.DataFrame(
    {
        "here1": [50.0, 0.0, 30.0, 0.0],
        "all1": [100.0, 40.0, 30.0, 0.0],
        "here2": [10.0, 5.0, 0.0, 1.0],
        "all2": [40.0, 5.0, 10.0, 2.0],
        "x1": [5.0, 3.0, 4.0, 2.0],
        "x2": [4.0, 2.0, 5.0, 1.0],
    }
)
SPENDING = {"own": {"food": "here1", "other": "here2"}, "total": {"food": "all1", "other": "all2"}}


def evaluate(**more):
    arguments = {"attributes": {"x1": 0.6, "x2": 0.4}, "maximum": 5, "weights": {"food": 0.7, "other": 0.3}}
    return sl.composite_loyalty(DATA, **SPENDING, **{**arguments, **more})


def test_objective_subjective_and_their_mixture_by_hand():
    found = evaluate(x=0.25).scores
    assert found["objective"].tolist()[:3] == pytest.approx([0.7 * 0.5 + 0.3 * 0.25, 0.3, 0.7])
    assert np.isnan(found["objective"].iloc[3])  # nothing spent on food: its share does not exist
    assert found["subjective"].tolist() == pytest.approx([0.6 + 0.32, 0.36 + 0.16, 0.48 + 0.4, 0.24 + 0.08])
    assert found["loyalty"].iloc[0] == pytest.approx(0.25 * 0.92 + 0.75 * 0.425)


def test_component_weights_of_equal_correlations_are_equal():
    R = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    weights, components = component_weights(R)
    assert weights.tolist() == pytest.approx([0.25] * 4)
    assert components["eigenvalue"].tolist() == pytest.approx([2.5, 0.5, 0.5, 0.5])
    assert components["used"].tolist() == [True, False, False, False]


def test_component_weights_follow_the_stated_rule_over_two_components():
    # Two independent pairs with r = .6 and .4: eigenvalues 1.6, 1.4, .6, .4, each vector (1, 1)/sqrt 2 in its pair.
    R = np.eye(4)
    R[0, 1] = R[1, 0] = 0.6
    R[2, 3] = R[3, 2] = 0.4
    weights, _ = component_weights(R, "kaiser")
    assert weights.tolist() == pytest.approx([1.6 / 6, 1.6 / 6, 1.4 / 6, 1.4 / 6])
    first, _ = component_weights(R, "first")
    assert first.tolist() == pytest.approx([0.5, 0.5, 0.0, 0.0], abs=1e-12)


def test_weights_from_the_ratings_sum_to_one_and_are_named():
    found = evaluate(attributes=["x1", "x2"])
    assert found.weights.groupby("part")["weight"].sum().tolist() == pytest.approx([1.0, 1.0])
    assert "eigenvalue above 1" in str(found)


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        ({"weights": {"food": 0.7, "other": 0.4}}, ConfigurationError, "sum to 1.1, not to 1"),
        ({"attributes": {"x1": 0.6, "x2": 0.6}}, ConfigurationError, "attributes: the weights sum to 1.2"),
        ({"x": 1.2}, ConfigurationError, "from 0 to 1"),
        ({"maximum": 4}, DataError, "ratings outside 0 to 4"),
        ({"weights": {"food": 1.0}}, ConfigurationError, "own has the indicators"),
        ({"total": {"food": "here2", "other": "all2"}}, DataError, "more spent here than altogether"),
    ],
)
def test_composite_refuses(more, error, message):
    with pytest.raises(error, match=message):
        sl.composite_loyalty(
            DATA,
            **{**SPENDING, "attributes": {"x1": 0.6, "x2": 0.4}, "maximum": 5, "weights": {"food": 0.7, "other": 0.3}}
            | more,
        )


def test_an_attribute_that_runs_against_the_others_is_refused():
    data = DATA.assign(x3=[0.0, 3.0, 1.0, 4.0])
    with pytest.raises(DataError, match="negative weight: x3"):
        sl.composite_loyalty(
            data, attributes=["x1", "x2", "x3"], maximum=5, weights={"food": 0.7, "other": 0.3}, **SPENDING
        )
