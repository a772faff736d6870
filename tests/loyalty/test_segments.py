"""Segments with a defensible number, levels, and the typology of attitude by behaviour."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.loyalty.clustering import dispersion, gap_choice, ordered, partitions, silhouette, stability

QUICK = {"references": 15, "draws": 15, "most": 4}


@pytest.fixture(scope="module")
def three() -> pd.DataFrame:
    generator = np.random.default_rng(1)
    centres = np.repeat([[20.0, 20.0], [50.0, 80.0], [85.0, 85.0]], [60, 90, 50], axis=0)
    return pd.DataFrame(centres + 5 * generator.standard_normal((200, 2)), columns=["SAT", "LOY"])


@pytest.fixture(scope="module")
def one() -> pd.DataFrame:
    generator = np.random.default_rng(2)
    general = generator.standard_normal((300, 1))
    return pd.DataFrame(60 + 15 * (general + 0.6 * generator.standard_normal((300, 3))), columns=["SAT", "TRU", "LOY"])


@pytest.mark.parametrize("method", ["kmeans", "ward"])
def test_three_groups_are_found_and_come_back(three, method):
    found = sl.segments(three, method=method, **QUICK)
    assert (found.k, found.chosen, found.given) == (3, 3, False)
    assert found.profile["n"].tolist() == [60, 90, 50]
    assert found.profile["jaccard"].min() > 0.95
    assert found.profile["LOY"].is_monotonic_increasing
    assert found.members.iloc[[0, 60, 199]].tolist() == [1, 2, 3]
    assert found.criteria["silhouette"].idxmax() == 3
    assert "finds 3 segments. All 3 come back" in str(found)


@pytest.mark.parametrize("method", ["kmeans", "ward"])
def test_scores_that_do_not_fall_into_groups_are_one_segment(one, method):
    found = sl.segments(one, method=method, **QUICK)
    assert (found.k, found.chosen) == (1, 1)
    assert "One segment is best" in found.verdict
    assert found.profile["share"].tolist() == [1.0]
    asked = sl.segments(one, k=3, method=method, **QUICK)
    assert asked.chosen == 1
    assert "a division of a whole rather than groups that are there" in str(asked)


def test_the_silhouette_is_that_of_scikit_learn(three):
    X = three.to_numpy()
    labels = partitions(X, "kmeans", 4, 1)[3]
    assert silhouette(X, labels) == pytest.approx(silhouette_score(X, labels))
    alone = np.array([0] * 199 + [1])
    assert silhouette(X, alone) == pytest.approx(silhouette_score(X, alone))


def test_the_gap_rule_by_hand():
    allowance = np.array([0.0, 0.1, 0.1, 0.1])
    assert gap_choice(np.array([0.5, 0.55, 0.6, 0.6]), allowance) == 1  # .5 >= .55 - .1
    assert gap_choice(np.array([0.5, 0.9, 0.95, 0.2]), allowance) == 2
    assert gap_choice(np.array([0.1, 0.4, 0.8, 1.2]), allowance) == 4  # rises to the end


def test_dispersion_and_order_by_hand():
    X = np.array([[5.0], [7.0], [1.0], [3.0]])
    labels = ordered(X, np.array([0, 0, 1, 1]))
    assert labels.tolist() == [1, 1, 0, 0]
    assert dispersion(X, labels) == pytest.approx(4.0)


def test_a_cluster_that_is_not_there_is_not_stable():
    generator = np.random.default_rng(4)
    X = np.concatenate([generator.standard_normal((100, 2)), 0.1 * generator.standard_normal((100, 2)) + 12])
    labels = np.concatenate([np.zeros(50), np.ones(50), np.full(100, 2)]).astype(np.intp)  # half a group by chance
    found = stability(X, labels, "kmeans", 20, 1)
    assert found[2] > 0.99
    assert found[:2].max() < 0.75


def test_the_same_seed_gives_the_same_segments_on_any_number_of_threads(three):
    base = sl.segments(three, **QUICK)
    with threadpool_limits(limits=2):
        again = sl.segments(three, **QUICK)
    pd.testing.assert_frame_equal(base.criteria, again.criteria, check_exact=True)
    pd.testing.assert_series_equal(base.members, again.members)


def test_missing_scores_belong_to_no_segment(three):
    data = three.copy()
    data.loc[7, "LOY"] = np.nan
    found = sl.segments(data, **QUICK)
    assert found.members.isna().sum() == 1
    assert found.profile["n"].sum() == 199


def test_segments_refuse(three):
    with pytest.raises(DataError, match="20 respondents with all scores are too few to try 6"):
        sl.segments(three.iloc[:20])
    with pytest.raises(DataError, match="do not vary cannot divide respondents: LOY"):
        sl.segments(three.assign(LOY=3.0))
    with pytest.raises(DataError, match="2 different rows of scores"):
        sl.segments(pd.DataFrame({"a": [1.0, 2.0] * 50}))
    with pytest.raises(ConfigurationError, match=r"method='kmean' is not one of .* Did you mean 'kmeans'"):
        sl.segments(three, method="kmean")


def test_levels_by_given_cuts_and_by_terciles():
    data = pd.DataFrame({"LOY": [10.0, 40.0, 55.0, 70.0, 90.0, np.nan]})
    found = sl.loyalty_levels(data, "LOY", cuts=(40, 70))
    assert found.members.tolist()[:5] == ["low", "medium", "medium", "high", "high"]
    assert pd.isna(found.members.iloc[5])
    assert found.shares["share"].tolist() == pytest.approx([0.2, 0.4, 0.4])
    thirds = sl.loyalty_levels(pd.DataFrame({"LOY": np.arange(9.0)}), "LOY")
    assert thirds.shares["n"].tolist() == [3, 3, 3]
    with pytest.raises(ConfigurationError, match="the lower first"):
        sl.loyalty_levels(data, "LOY", cuts=(70, 40))
    with pytest.raises(DataError, match="terciles coincide"):
        sl.loyalty_levels(pd.DataFrame({"LOY": [1.0] * 9}), "LOY")


def test_the_typology_of_dick_and_basu():
    data = pd.DataFrame({"attitude": [80.0, 80.0, 20.0, 20.0, 50.0, np.nan], "bought": [9, 1, 9, 1, 5, 3]})
    found = sl.typology(data, "attitude", "bought", cuts=(50, 5))
    assert found.members.tolist()[:5] == [
        "true loyalty", "latent loyalty", "spurious loyalty", "no loyalty", "true loyalty",
    ]  # fmt: skip
    assert found.shares["n"].tolist() == [2, 1, 1, 1]
    assert found.shares.loc["true loyalty", "attitude"] == pytest.approx(65.0)
    by_median = sl.typology(data, "attitude", "bought")
    assert by_median.cuts == {"attitude": (50.0,), "bought": (5.0,)}
    assert "at the medians" in str(by_median)
    with pytest.raises(DataError, match="'bought': everybody is at or above 0"):
        sl.typology(data, "attitude", "bought", cuts=(50, 0))
