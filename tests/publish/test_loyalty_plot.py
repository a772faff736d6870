"""Plots of loyalty: nothing overlaps, nothing leaves the page, and the files are the same every time."""

import re
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, NotSupported
from sem_loyalty.loyalty.drivers import Drivers
from sem_loyalty.loyalty.performance import PerformanceMap
from sem_loyalty.loyalty.segments import Segments
from sem_loyalty.publish import html
from sem_loyalty.publish.plots.axis import axis, overlap, spread
from sem_loyalty.publish.plots.picture import Box, Dot, Line

LABELS = {
    "en": {"SAT": "Customer satisfaction", "TRU": "Trust", "CSR": "Corporate social responsibility", "VAL": "Value",
           "LOY": "Customer loyalty"},
    "zh": {"SAT": "顾客满意", "TRU": "信任", "CSR": "企业社会责任", "VAL": "感知价值", "LOY": "顾客忠诚",
           "store": "门店"},
}  # fmt: skip
NOTE = {"en": "Note. " + "Simulated data, with a note that is long enough to be broken into lines. " * 3,
        "zh": "注：" + "模拟数据，此处的说明足够长，需要分成若干行，以检验断行。" * 4}  # fmt: skip


def performance_map(importance, performance, *, certified=True, draws=100):
    frame = pd.DataFrame({"importance": importance, "performance": performance}, index=["SAT", "TRU", "CSR", "VAL"])
    for name, width in (("importance", 0.08), ("performance", 2.0)):
        frame[f"{name}_lower"], frame[f"{name}_upper"] = frame[name] - width, frame[name] + width
    frame["advice"] = ["improve first", "keep up", "low priority", "possible overkill"]
    frame[["effect", "effect_std"]] = 0.1
    return PerformanceMap(frame, "LOY", 60.0, 300, draws, 0.95, certified)


def driver_result(shares, *, draws=100):
    shares = np.array(shares) / np.sum(shares)
    frame = pd.DataFrame(
        {"r": 0.3, "beta": 0.2, "importance": 0.5 * shares, "share": shares, "share_lower": 0.7 * shares,
         "share_upper": np.minimum(1.3 * shares, 1.0), "p_strongest": shares},
        index=["SAT", "TRU", "CSR", "VAL"],
    )  # fmt: skip
    frame["rank"] = range(1, 5)
    return Drivers(frame, "LOY", "lmg", 0.5, 0.4, 0.6, 300, draws, 0.95, "test", True)


def segment_result(means):
    frame = pd.DataFrame(np.array(means).reshape(4, 4), columns=["SAT", "TRU", "CSR", "LOY"])
    frame.insert(0, "n", 50)
    frame.insert(1, "share", 0.25)
    frame.insert(2, "jaccard", 0.9)
    frame.index = pd.RangeIndex(1, 5, name="segment")
    return Segments(pd.Series(dtype="Int64"), frame, pd.DataFrame(), 4, 4, False, "k-means", "", True)


def nps_result():
    answers = pd.DataFrame({"q": [10] * 40 + [8] * 3 + [2] * 57, "g": ["store"] * 50 + ["an online shop"] * 50})
    return sl.nps(answers, "q", group="g")


def check(picture):
    """Every text stands on the page and covers no other text and no dot."""
    boxes = [label.rectangle for label in picture.labels]
    for label, box in zip(picture.labels, boxes, strict=True):
        assert box[0] >= -0.5, label
        assert box[1] >= -0.5, label
        assert box[2] <= picture.width + 0.5, label
        assert box[3] <= picture.height + 0.5, label
    for (one, a), (two, b) in combinations(list(zip(picture.labels, boxes, strict=True)), 2):
        assert overlap(a, b) < 0.5, (one.text, two.text)
    for dot in (item for item in picture.items if isinstance(item, Dot)):
        inner = (dot.x - 3, dot.y - 3, dot.x + 3, dot.y + 3)
        for label, box in zip(picture.labels, boxes, strict=True):
            assert overlap(inner, box) < 0.5, label.text


@settings(max_examples=15)
@given(
    st.lists(st.floats(0.02, 0.8), min_size=4, max_size=4),
    st.lists(st.floats(5, 95), min_size=4, max_size=4),
    st.sampled_from(["en", "zh"]),
)
def test_the_map_has_no_overlaps(importance, performance, lang):
    check(sl.loyalty_plot(performance_map(importance, performance), labels=LABELS[lang], lang=lang, note=NOTE[lang]))


@settings(max_examples=15)
@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=4), st.sampled_from(["en", "zh"]), st.sampled_from([0, 100]))
def test_the_drivers_have_no_overlaps(shares, lang, draws):
    check(sl.loyalty_plot(driver_result(shares, draws=draws), labels=LABELS[lang], lang=lang, note=NOTE[lang]))


@settings(max_examples=15)
@given(st.lists(st.floats(5, 95), min_size=16, max_size=16), st.sampled_from(["en", "zh"]))
def test_the_segments_have_no_overlaps(means, lang):
    check(sl.loyalty_plot(segment_result(means), labels=LABELS[lang], lang=lang, note=NOTE[lang]))


def test_segments_differ_without_colour():
    picture = sl.loyalty_plot(segment_result(list(range(20, 84, 4))))
    lines = {(item.color, item.dash) for item in picture.items if isinstance(item, Line) and item.width == 1.6}
    assert len(lines) == len({dash for _, dash in lines}) == 4


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_net_promoter_bars_have_no_overlaps(lang):
    picture = sl.loyalty_plot(nps_result(), labels=LABELS[lang], lang=lang, note=NOTE[lang])
    check(picture)
    shown = [label.text for label in picture.labels]
    assert ("门店" if lang == "zh" else "store") in shown
    assert "3%" not in shown  # the bar of the passives is too narrow for its number


@pytest.fixture(scope="module")
def trap():
    return sl.fit("satisfaction_trap", sl.simulate("satisfaction_trap", 400, seed=1))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("moderator", ["SWC", None])
def test_slopes_have_no_overlaps_and_the_ground_ends_at_the_bounds(trap, moderator, lang):
    labels = sl.load_model("satisfaction_trap").labels(lang)
    found = sl.johnson_neyman(trap, "LOY", "SAT", moderator)
    picture = sl.loyalty_plot(found, labels=labels, lang=lang, note=NOTE[lang])
    check(picture)
    shown = " ".join(label.text for label in picture.labels)
    assert labels["SAT"] in shown
    assert ("+1 SD" in shown) == (moderator is not None)
    # Without colour, the three lines differ by their dashes.
    thick = [item for item in picture.items if isinstance(item, Line) and item.width == 1.7]
    assert len({line.dash for line in thick}) == (3 if moderator else 1)
    grounds = [item for item in picture.items if isinstance(item, Box) and item.height > 100]
    inner = [bound / found.sd for bound in found.bounds if abs(bound / found.sd) < 3]
    frame = max(item.x2 for item in picture.items if isinstance(item, Line))
    left = min(ground.x for ground in grounds)
    assert inner
    for bound in inner:
        at = left + (bound + 3) / 6 * (frame - left)
        assert min(min(abs(g.x - at), abs(g.x + g.width - at)) for g in grounds) < 0.5


def test_slopes_that_differ_from_zero_nowhere_have_no_ground(trap):
    found = sl.johnson_neyman(trap, "LOY", "SAT", "SWC")
    nowhere = replace(found, bounds=(), inside=False, band=found.band.assign(significant=False), certified=False)
    picture = sl.loyalty_plot(nowhere)
    assert not [item for item in picture.items if isinstance(item, Box) and item.height > 100]
    assert picture.labels[0].text.startswith("NOT CERTIFIED")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_notes_break_between_words_and_never_in_a_number(lang):
    note = {"en": "Note. 123456 draws " * 12, "zh": "注：共 123456 次抽样，" * 14}[lang]
    picture = sl.loyalty_plot(nps_result(), lang=lang, note=note)
    lines = [label.text for label in picture.labels if "123456" in label.text]
    assert len(lines) >= 2
    assert sum(line.count("123456") for line in lines) == note.count("123456")
    assert not any(line.startswith(("，", "。")) for line in lines)


def test_names_stand_nearest_to_their_own_point():
    picture = sl.loyalty_plot(performance_map([0.1, 0.3, 0.5, 0.6], [30, 50, 40, 70]), labels=LABELS["en"])
    dots = [item for item in picture.items if isinstance(item, Dot)]
    for number, name in enumerate(("Customer satisfaction", "Trust", "Corporate social responsibility", "Value")):
        box = next(label.rectangle for label in picture.labels if label.text == name)
        away = [
            np.hypot(max(box[0] - d.x, 0, d.x - box[2]), max(box[1] - d.y, 0, d.y - box[3])) for d in dots
        ]  # fmt: skip
        assert int(np.argmin(away)) == number


def test_bars_are_as_long_as_their_shares():
    picture = sl.loyalty_plot(driver_result([0.5, 0.25, 0.15, 0.1]))
    lengths = [item.width for item in picture.items if isinstance(item, Box)]
    assert np.array(lengths) / lengths[0] == pytest.approx([1.0, 0.5, 0.3, 0.2])


def test_points_stand_where_the_axes_say():
    picture = sl.loyalty_plot(performance_map([0.1, 0.3, 0.5, 0.6], [30, 50, 40, 70]), labels=LABELS["en"])
    dots = [item for item in picture.items if isinstance(item, Dot)]
    ticks = {label.text: label for label in picture.labels if re.fullmatch(r"[\d.]+", label.text)}
    left, right = ticks["0.2"].x, ticks["0.4"].x
    assert dots[1].x == pytest.approx((left + right) / 2)
    assert dots[0].y - dots[2].y == pytest.approx((dots[0].y - dots[1].y) / 2)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_axes_hold_their_values_on_round_ticks(low, width):
    found = axis([low, low + width], 0.0, 100.0)
    assert found.low < low
    assert found.high > low + width
    assert 3 <= len(found.ticks) <= 14
    assert found.at(found.low) == 0.0
    steps = np.diff(found.ticks)
    assert steps == pytest.approx(np.full(len(steps), steps[0]))
    for tick in found.ticks:
        assert round(tick, found.digits + 1) == pytest.approx(tick, abs=1e-6 * max(1, abs(tick)))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=6))
def test_spread_keeps_distance_and_order(positions):
    found = spread(positions, 12.0, 0.0, 100.0)
    assert all(-1e-9 <= value <= 100 + 1e-9 for value in found)
    assert np.diff(sorted(found)).min(initial=99) >= 12.0 - 1e-6
    assert [x for _, x in sorted(zip(positions, found, strict=True), key=lambda pair: pair[0])] == sorted(found)


def test_an_uncertified_result_is_grey_under_a_warning():
    result = performance_map([0.1, 0.3, 0.5, 0.6], [30, 50, 40, 70], certified=False)
    picture = sl.loyalty_plot(result, labels=LABELS["en"])
    check(picture)
    assert picture.labels[0].text.startswith("NOT CERTIFIED")
    assert {item.color for item in picture.items if isinstance(item, Dot)} == {"#9a9a9a"}
    certified = sl.loyalty_plot(replace(result, certified=True), labels=LABELS["en"])
    assert not any("NOT CERTIFIED" in label.text for label in certified.labels)


@pytest.mark.parametrize("result", [performance_map([0.1, 0.3, 0.5, 0.6], [30, 50, 40, 70]), nps_result()])
def test_files_are_repeatable_and_the_report_can_hold_them(result, tmp_path):
    picture = sl.loyalty_plot(result, tmp_path / "plot.png", labels=LABELS["zh"], lang="zh")
    assert (tmp_path / "plot.png").read_bytes() == picture.png()
    assert picture.pdf() == picture.pdf()
    assert picture.pdf().startswith(b"%PDF")
    root = ElementTree.fromstring(picture.svg())
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert texts == [label.text for label in picture.labels]
    assert sum(element.tag.endswith("line") for element in root.iter()) == sum(
        isinstance(item, Line) for item in picture.items
    )
    assert "<figure>" in html.figure(picture.svg(), "caption", picture.summary)


def test_what_cannot_be_drawn(tmp_path):
    with pytest.raises(NotSupported, match="these have one: PerformanceMap"):
        sl.loyalty_plot(sl.retention_rate(10, 10, 1))
    with pytest.raises(ConfigurationError, match=r"saved as \.svg, \.pdf, \.png"):
        sl.loyalty_plot(nps_result(), tmp_path / "plot.jpg")
    with pytest.raises(ConfigurationError, match="lang="):
        sl.loyalty_plot(nps_result(), lang="de")
