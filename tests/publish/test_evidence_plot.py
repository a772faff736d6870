"""The specification curve and the paths of groups as pictures."""

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError
from sem_loyalty.inference.robustness import Robustness
from sem_loyalty.model.model_file import Hypothesis, Wording
from sem_loyalty.publish.plots.axis import axis, overlap
from sem_loyalty.publish.plots.picture import Box, Dot, Label
from sem_loyalty.survey.published import demo_codebook_path, demo_path

LABELS = {"en": {"SAT": "Customer satisfaction", "LOY": "Loyalty"}, "zh": {"SAT": "顾客满意", "LOY": "顾客忠诚"}}


def specifications(values, verdicts):
    n = len(values)
    frame = pd.DataFrame(
        {
            "specification": range(n),
            "estimator": ["ML" if k % 2 == 0 else "MLR" for k in range(n)],
            "missing": "listwise",
            "excluded": ["none" if k % 3 else "longstring; outliers" for k in range(n)],
            "dropped": ["none", *(f"sat{1 + k % 4}" for k in range(n - 1))],
            "controls": "none",
            "certified": True,
        }
    )
    results = pd.DataFrame({"specification": range(n), "hypothesis": "H1", "std_all": values, "verdict": verdicts})
    return Robustness(frame, results, (Hypothesis("H1", ("SAT", "LOY"), "+", Wording("", ""), (), ""),), n)


def no_labels_overlap(picture):
    boxes = [item.rectangle for item in picture.items if isinstance(item, Label) and not item.turned]
    assert not any(overlap(a, b) > 1.0 for k, a in enumerate(boxes) for b in boxes[k + 1 :])
    for left, top, right, bottom in boxes:
        assert left >= 0
        assert right <= picture.width + 0.5
        assert top >= 0
        assert bottom <= picture.height + 0.5


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("count", [3, 60, 500])
def test_the_curve_fits_its_page(lang, count):
    values = np.random.default_rng(count).normal(0.2, 0.1, count)
    verdicts = np.where(values > 0.15, "supported", np.where(values < -0.05, "opposite", "unsupported"))
    picture = sl.specification_curve(specifications(values, verdicts), "H1", labels=LABELS[lang], lang=lang)
    no_labels_overlap(picture)
    texts = [label.text for label in picture.labels]
    assert {"en": "identical answers in a row", "zh": "连续相同答案"}[lang] in texts
    # What does not vary has no rows.
    assert {"en": "Missing", "zh": "缺失值"}[lang] not in texts


def test_points_rise_and_uncertified_specifications_are_left_out():
    verdicts = ["supported", "unsupported", "withheld_verdict", "opposite"]
    picture = sl.specification_curve(specifications([0.3, 0.1, 9.9, -0.2], verdicts), "H1")
    points = [item for item in picture.items if isinstance(item, Box)]
    assert len(points) == 3
    places = [point.x for point in points]
    assert places == sorted(places)
    heights = [point.y for point in points]
    assert heights == sorted(heights, reverse=True)  # y points down
    assert len({point.color for point in points}) == 3
    assert "supported in 1 of 3" in picture.summary


def test_many_items_share_a_row():
    many = specifications([0.2] * 60, ["supported"] * 60)
    many.specifications["dropped"] = ["none", *(f"item{k}" for k in range(59))]
    texts = [label.text for label in sl.specification_curve(many, "H1").labels]
    assert "item3" not in texts
    assert texts.count("Item left out") == 2


def test_what_has_no_curve_is_refused():
    found = specifications([0.1, 0.2], ["withheld_verdict"] * 2)
    with pytest.raises(ConfigurationError, match="No certified specification"):
        sl.specification_curve(found, "H1")
    with pytest.raises(ConfigurationError, match="hypothesis"):
        sl.specification_curve(found, "H9")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_forest_shows_every_path_of_every_group(lang, tmp_path):
    people = sl.apply_codebook(sl.read_survey(demo_path(), codebook=demo_codebook_path()))
    core = sl.load_model("core")
    found = sl.compare_paths(core, people, "channel")
    picture = sl.group_forest(found, tmp_path / "groups.png", labels=core.labels(lang), lang=lang)
    no_labels_overlap(picture)
    dots = [item for item in picture.items if isinstance(item, Dot)]
    assert len(dots) == 2 + 2 * 5  # the legend, and five paths in two groups
    assert (tmp_path / "groups.png").read_bytes() == picture.png()


@pytest.mark.parametrize("high", [0.12, 1.0, 1.1, 1.25, 12.5, 250.0])
def test_ticks_are_printed_as_they_are(high):
    side = axis([0.0, high], 0.0, 100.0)
    assert all(abs(round(tick, side.digits) - tick) < 1e-9 for tick in side.ticks)
