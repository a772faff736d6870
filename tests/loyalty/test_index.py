"""Loyalty index, retention, net promoter score, top-box, gap scores: hand-computed cases and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multinomial

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError
from sem_loyalty.loyalty.proportions import difference_score, wilson

SMALL = pd.DataFrame({"s": [1, 4, 7, 4], "kept": [1, 1, 0, 1], "r": [10, 5, 0, 9], "g": ["a", "a", "b", "b"]})
SCALES = {"satisfaction": (1, 7), "retention": (0, 1), "recommendation": (0, 10)}


def small_index(**more):
    return sl.loyalty_index(
        SMALL, satisfaction="s", retention="kept", recommendation="r", scales=SCALES, **more
    )  # fmt: skip


def test_index_of_given_percentages_by_every_definition():
    found = sl.loyalty_index(satisfaction=80, retention=90, recommendation=70).definitions["value"]
    assert found["product"] == pytest.approx(50.4)  # .8 * .9 * .7 * 100
    assert found["product_over_100"] == pytest.approx(80 * 90 * 70 / 100)
    assert found["geometric_mean"] == pytest.approx(100 * (0.8 * 0.9 * 0.7) ** (1 / 3))
    assert found["mean"] == pytest.approx(80)


def test_index_of_answers_is_the_product_of_means_on_their_scales():
    found = small_index()
    assert found.parts["value"].tolist() == pytest.approx([50.0, 75.0, 60.0])
    assert found.index == pytest.approx(100 * 0.5 * 0.75 * 0.6)
    assert found.parts["share_of_loss"].sum() == pytest.approx(1.0)


def test_the_delta_interval_agrees_with_a_bootstrap():
    generator = np.random.default_rng(3)
    data = pd.DataFrame({"s": generator.integers(1, 8, 800), "r": generator.integers(0, 11, 800)})
    data["kept"] = (generator.random(800) < 0.3 + 0.07 * data["s"]).astype(int)
    found = sl.loyalty_index(data, satisfaction="s", retention="kept", recommendation="r", scales=SCALES)
    shares = np.column_stack([(data["s"] - 1) / 6, data["kept"], data["r"] / 10])
    drawn = [100 * np.prod(shares[generator.integers(0, 800, 800)].mean(axis=0)) for _ in range(3000)]
    row = found.to_frame().iloc[0]
    # 3000 draws fix the ends of a percentile interval to about a twentieth of its width.
    width = row["ci_upper"] - row["ci_lower"]
    assert [row["ci_lower"], row["ci_upper"]] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.08 * width)


def test_index_by_group_shows_itself():
    found = small_index(group="g")
    assert found.to_frame()["value"].tolist() == pytest.approx([100 * 0.25 * 1 * 0.75, 100 * 0.75 * 0.5 * 0.45])
    assert "Compare indices only within one definition" in str(found)
    assert found._repr_html_().count("<table") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"satisfaction": 120, "retention": 90, "recommendation": 70}, "satisfaction=120 is not a percentage"),
        ({"satisfaction": "s", "retention": 90, "recommendation": 70}, "need `data`"),
        ({"data": SMALL, "satisfaction": "s", "retention": 90, "recommendation": 70}, "lowest and highest possible"),
        (
            {"data": SMALL, "satisfaction": "s", "retention": 90, "recommendation": 1, "scales": {"satisfied": (1, 7)}},
            "the parts are satisfaction",
        ),
    ],
)
def test_index_refuses(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        sl.loyalty_index(arguments.pop("data", None), **arguments)


def test_index_refuses_answers_outside_the_scale():
    with pytest.raises(DataError, match="'s': 1 answers outside the scale 1 to 5, the first 7"):
        sl.loyalty_index(SMALL, satisfaction="s", retention=90, recommendation=70, scales={"satisfaction": (1, 5)})


def test_retention_by_both_definitions():
    found = sl.retention_rate(start=200, end=210, new=30).rates
    assert found["rate"].tolist() == pytest.approx([180 / 200, 180 / 210])
    assert "START" not in str(found)
    assert found.index.get_level_values("definition").tolist() == ["start", "end"]
    z = 1.959963984540054
    p, n = 0.9, 200
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    wanted = [(centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)]
    assert found.iloc[0][["ci_lower", "ci_upper"]].tolist() == pytest.approx(wanted)


def test_retention_from_a_log():
    log = pd.DataFrame(
        {
            "customer": ["a", "b", "c", "a", "c", "d", "a", "d"],
            "date": ["2024-01-05", "2024-02-01", "2024-03-01", "2024-07-01", "2024-08-01", "2024-09-01", "2025-01-01",
                     "2025-02-02"],
        }
    )  # fmt: skip
    found = sl.retention_by_period(log, ["2024-01-01", "2024-07-01", "2025-01-01", "2025-07-01"])
    start = found.rates.xs("start", level="definition")
    assert start[["start", "end", "new", "retained"]].to_numpy().tolist() == [[3, 3, 1, 2], [3, 2, 0, 2]]
    assert found.rate == pytest.approx(2 / 3)
    with pytest.raises(DataError, match="No customer bought in the period"):
        sl.retention_by_period(log, ["2024-01-01", "2025-06-01", "2026-01-01"])
    with pytest.raises(ConfigurationError, match="each later than the one before"):
        sl.retention_by_period(log, ["2024-01-01", "2023-06-01", "2026-01-01"])


def test_retention_from_dates_of_joining_and_leaving():
    customers = pd.DataFrame(
        {
            "joined": ["2023-05-01", "2023-06-01", "2024-01-01", "2024-03-01", "2024-04-01"],
            "left": [None, "2024-06-01", "2025-01-01", "2024-05-01", None],
        }
    )
    # At the start a, b and c (who joins that day); at the end a and e, c leaving on that day.
    found = sl.retention_by_contract(customers, ["2024-01-01", "2025-01-01"]).rates
    assert found[["start", "end", "new", "retained"]].to_numpy().tolist() == [[3, 2, 1, 1]] * 2
    assert found["rate"].tolist() == pytest.approx([1 / 3, 1 / 2])
    with pytest.raises(DataError, match="left before they joined, the first in row 1"):
        sl.retention_by_contract(customers.assign(left="2022-01-01"), ["2024-01-01", "2025-01-01"])
    with pytest.raises(DataError, match="'left': 1 dates cannot be read: row 2"):
        sl.retention_by_contract(customers.assign(left=[None, "x", None, None, None]), ["2024-01-01", "2025-01-01"])
    stay = sl.retention_by_contract(customers.assign(left=None), ["2024-01-01", "2025-01-01"])
    assert stay.rate == 1.0


@pytest.mark.parametrize(
    ("counts", "error", "message"),
    [
        ((100, 50, 60), DataError, "new ones are a part of those at the end"),
        ((10, 50, 20), DataError, "more stayed than there were"),
        ((0, 5, 5), DataError, "No customers at the start"),
        ((-1, 5, 5), ConfigurationError, "whole number"),
    ],
)
def test_retention_refuses(counts, error, message):
    with pytest.raises(error, match=message):
        sl.retention_rate(*counts)


def test_nps_and_its_wald_interval_by_hand():
    answers = pd.DataFrame({"q": [10] * 40 + [9] * 10 + [8] * 30 + [3] * 20 + [np.nan] * 5})
    found = sl.nps(answers, "q", interval="wald")
    assert found.nps == pytest.approx(30.0)
    se = math.sqrt((0.5 + 0.2 - 0.3**2) / 100)
    row = found.scores.iloc[0]
    assert row["se"] == pytest.approx(100 * se)
    assert row["ci_lower"] == pytest.approx(100 * (0.3 - 1.959963984540054 * se))
    assert row["missing"] == 5


def test_tangos_interval_by_its_definition():
    # At both ends the statistic, with the constrained estimates found on a grid, is a quantile of the normal.
    lower, upper = difference_score(12, 2, 44)
    for delta, sign in ((lower, 1.0), (upper, -1.0)):
        grid = np.linspace(1e-9, (1 - abs(delta)) / 2, 200_001)
        p2 = grid if delta >= 0 else grid - delta
        p1 = p2 + delta
        log_likelihood = 12 * np.log(p1) + 2 * np.log(np.maximum(p2, 1e-300)) + 30 * np.log(1 - p1 - p2 + 1e-300)
        best = p2[np.argmax(log_likelihood)]
        statistic = (12 - 2 - 44 * delta) / math.sqrt(44 * (2 * best + delta * (1 - delta)))
        assert statistic == pytest.approx(sign * 1.959963984540054, abs=2e-4)  # the grid's step


def test_the_score_interval_covers_where_wald_does_not():
    shares, n = np.array([0.06, 0.02, 0.92]), 30
    truth = shares[0] - shares[1]
    covered = {"score": 0.0, "wald": 0.0}
    for b in range(n + 1):
        for c in range(n + 1 - b):
            weight = multinomial.pmf([b, c, n - b - c], n, shares)
            if weight < 1e-9:
                continue
            lower, upper = difference_score(b, c, n)
            covered["score"] += weight * (lower <= truth <= upper)
            p, d = b / n, c / n
            half = 1.96 * math.sqrt(max(p + d - (p - d) ** 2, 0) / n)
            covered["wald"] += weight * (p - d - half <= truth <= p - d + half)
    assert covered["score"] > 0.94
    assert covered["wald"] < 0.92


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_the_score_interval_is_ordered_bounded_and_mirrored(b, c, rest):
    n = b + c + rest
    if n == 0:
        return
    lower, upper = difference_score(b, c, n)
    assert -1 <= lower <= (b - c) / n + 1e-9
    assert (b - c) / n - 1e-9 <= upper <= 1
    assert difference_score(c, b, n) == pytest.approx((-upper, -lower), abs=1e-7)


def test_bootstrap_interval_is_repeatable_and_near_wald():
    answers = pd.DataFrame({"q": [10] * 200 + [8] * 200 + [2] * 100})
    one, two = (sl.nps(answers, "q", interval="bootstrap", seed=4).scores for _ in range(2))
    assert one.equals(two)
    wald = sl.nps(answers, "q", interval="wald").scores
    assert one.iloc[0]["ci_lower"] == pytest.approx(wald.iloc[0]["ci_lower"], abs=0.8)


def test_nps_refuses_another_scale():
    with pytest.raises(DataError, match="not whole numbers from 0 to 10"):
        sl.nps(pd.DataFrame({"q": [11, 3]}), "q")
    with pytest.raises(DataError, match="no answers"):
        sl.nps(pd.DataFrame({"q": [np.nan, np.nan]}), "q")


def test_top_box_shares_by_group():
    data = pd.DataFrame({"loy1": [7, 6, 5, 1, 2, np.nan], "g": list("aaabbb")})
    found = sl.top_box(data, "loy1", scale=(1, 7), group="g").shares
    assert found["top"].tolist() == pytest.approx([2 / 5, 2 / 3, 0.0])
    assert found["bottom"].tolist() == pytest.approx([2 / 5, 0.0, 1.0])
    assert found["mean"].iloc[0] == pytest.approx(100 * np.mean([6, 5, 4, 0, 1]) / 6)
    assert found["ci_lower"].iloc[2] == 0.0
    assert found.iloc[1][["ci_lower", "ci_upper"]].tolist() == pytest.approx(list(wilson(2, 3)))
    with pytest.raises(ConfigurationError, match="too wide"):
        sl.top_box(data, "loy1", scale=(1, 7), box=4)


def test_gap_scores_by_hand():
    data = pd.DataFrame({"p1": [5, 6, 4], "p2": [5, 4, 4], "e1": [7, 6, 6], "e2": [7, 6, 4], "p3": [3, 3, 2],
                         "e3": [2, 3, 3]})  # fmt: skip
    found = sl.gap_scores(
        data,
        perception={"reliability": ["p1", "p2"], "tangibles": ["p3"]},
        expectation={"reliability": ["e1", "e2"], "tangibles": ["e3"]},
        weights={"reliability": 0.75, "tangibles": 0.25},
    )
    assert found.scores["reliability"].tolist() == [-2.0, -1.0, -1.0]
    assert found.gaps.loc["reliability", "gap"] == pytest.approx(-4 / 3)
    assert found.scores["overall"].tolist() == pytest.approx([-1.5 + 0.25, -0.75, -0.75 - 0.25])
    from scipy.stats import ttest_1samp

    test = ttest_1samp([-2.0, -1.0, -1.0], 0.0)
    assert found.gaps.loc["reliability", "t"] == pytest.approx(test.statistic)
    assert found.gaps.loc["reliability", "pvalue"] == pytest.approx(test.pvalue)
    with pytest.raises(ConfigurationError, match=r"sum to 1\.1, not to 1"):
        sl.gap_scores(data, perception={"a": ["p1"], "b": ["p2"]}, expectation={"a": ["e1"], "b": ["e2"]},
                      weights={"a": 0.6, "b": 0.5})  # fmt: skip
    with pytest.raises(ConfigurationError, match="as many perceptions as expectations"):
        sl.gap_scores(data, perception={"a": ["p1", "p2"]}, expectation={"a": ["e1"]})
