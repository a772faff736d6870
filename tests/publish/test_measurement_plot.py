"""Plots of loadings, eigenvalues, correlations, residuals and draws: nothing overlaps, and what is drawn is right."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError, ImproperSolutionWarning, NotSupported
from sem_loyalty.publish.plots.axis import overlap
from sem_loyalty.publish.plots.picture import Box, Dot, Label, Line

HOSTILE = "<script>alert(1)</script> & \"quotes\" 'too' \n$x$ " + "很长的名字" * 200
MM = 72.0 / 25.4


def model(p, factors=1):
    per = p // factors
    lines = [f"F{f} =~ " + " + ".join(f"x{f * per + k + 1}" for k in range(per)) for f in range(factors)]
    lines += [f"F{factors - 1} ~ F0"] if factors > 1 else []
    return "\n".join(lines)


def answers(p, factors=1, n=400, seed=3):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    per = p // factors
    traits = 0.6 * common + 0.8 * rng.normal(size=(n, factors))
    loads = np.linspace(0.55, 0.9, p)
    signal = np.repeat(traits, per, axis=1)
    values = signal * loads + rng.normal(size=(n, p)) * np.sqrt(1 - loads**2)
    return pd.DataFrame(values, columns=[f"x{k + 1}" for k in range(p)])


@pytest.fixture(scope="module")
def fit():
    return sl.fit(model(10, 2), answers(10, 2))


@pytest.fixture(scope="module")
def explored():
    return sl.efa(answers(10, 2), 2, draws=60)


@pytest.fixture(scope="module")
def draws(fit):
    return sl.bootstrap(fit, 200, progress=False)


def check_page(picture):
    """No two texts touch, nothing leaves the page, and the page fits a journal."""
    boxes = [(label.text, label.rectangle) for label in picture.items if isinstance(label, Label)]
    for k, (text, box) in enumerate(boxes):
        assert min(box[0], box[1]) >= -0.01, text
        assert max(box[2] - picture.width, box[3] - picture.height) <= 0.5, text
        for other, another in boxes[k + 1 :]:
            assert overlap(box, another) <= 0.5, (text, other)
    assert picture.width <= 183 * MM + 1e-6
    assert picture.height <= 247 * MM  # what a page of a journal holds


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("p", [5, 17, 40])
@pytest.mark.parametrize("long_names", [False, True])
def test_no_labels_touch_from_5_to_40_items(p, lang, long_names):
    factors = 1 if p == 5 else 5 if p == 40 else 1
    data = answers(p, factors)
    found = sl.fit(model(p, factors), data)
    explored = sl.efa(data, min(factors + 1, 5) if p > 5 else 1, draws=20)
    names = [*found.specification.observed, *found.specification.latent]
    labels = {
        name: f"{name} " + {"en": "a rather long question ", "zh": "相当长的题项名称"}[lang] * 5 for name in names
    }
    options = {"lang": lang, "labels": labels if long_names else {}}
    for width in (90.0, 183.0):
        check_page(sl.correlation_map(found, width_mm=width, **options))
        check_page(sl.residual_map(found, width_mm=width, **options))
        check_page(sl.residual_map(found, type="standardized", width_mm=width, **options))
        check_page(sl.loadings_plot(found, width_mm=width, **options))
        check_page(sl.loadings_plot(explored, width_mm=width, **options))
        check_page(sl.scree_plot(explored, width_mm=width, lang=lang))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("count", [1, 2, 9, 18])
def test_distributions_fit_a_page(draws, lang, count):
    table = draws.estimates()
    varying = table[table["se"] > 0]
    names = [f"{a} {b} {c}" for a, b, c in zip(varying["lhs"], varying["op"], varying["rhs"], strict=True)][:count]
    for width in (90.0, 160.0):
        picture = sl.bootstrap_plot(draws, parameters=names, lang=lang, width_mm=width)
        check_page(picture)
        bold = [label for label in picture.labels if label.style == "bold"]
        assert len(bold) == count


def test_loadings_stand_at_their_values(fit):
    picture = sl.loadings_plot(fit)
    found = sl.standardised_solution(fit)
    expected = found.loc[found["op"] == "=~", "est_std"].to_numpy()
    at = np.array([item.x for item in picture.items if isinstance(item, Dot)])
    # The places are a straight line over the values, whatever the axis.
    slope, shift = np.polyfit(expected, at, 1)
    assert slope > 0
    assert np.allclose(at, slope * expected + shift, atol=1e-6)
    shown = [label.text for label in picture.labels if label.style == "bold" and re.fullmatch(r"0\.\d\d", label.text)]
    assert shown == [f"{value:.2f}" for value in expected]
    note = " ".join(label.text for label in picture.labels)
    assert "N = 400; estimator ML; missing answers: listwise deletion." in note


def test_scree_fills_the_dots_that_are_kept(explored):
    picture = sl.scree_plot(explored)
    outer = [item for item in picture.items if isinstance(item, Dot) and item.radius > 3]
    inner = [item for item in picture.items if isinstance(item, Dot) and item.radius < 3]
    # One of each stands in the key.
    assert len(outer) == 10 + 2
    assert len(inner) == 10 - explored.retention.components.n_factors + 1
    assert f"keeps {explored.retention.components.n_factors}" in picture.summary


def test_map_shows_every_correlation_once_and_frames_what_is_large(fit):
    picture = sl.correlation_map(fit)
    shown = [label.text for label in picture.labels if re.fullmatch(r"−?0\.\d\d", label.text)]
    matrix = answers(10, 2).corr().to_numpy()
    expected = [f"{matrix[i, j]:.2f}" for i in range(10) for j in range(i)]
    assert shown == expected
    left = sl.residuals(fit, type="standardized").to_numpy()
    large = sum(abs(left[i, j]) >= 1.96 for i in range(10) for j in range(i))
    frames = [item for item in sl.residual_map(fit, type="standardized").items if isinstance(item, Line)]
    assert len(frames) == 4 * large


def test_signs_do_not_hang_on_colour():
    data = answers(40, 5)
    data["x1"] = -data["x1"]
    picture = sl.correlation_map(data.corr())
    numbers = [label for label in picture.labels if re.fullmatch(r"−?0\.\d\d", label.text)]
    assert not numbers  # too small to be read
    negative = int((np.tril(data.corr().to_numpy(), -1) <= -0.1).sum())
    strip = 5  # the negative shades of the key
    assert sum(isinstance(item, Line) for item in picture.items) == negative + strip


def test_items_are_chosen_in_the_order_asked(fit):
    picture = sl.correlation_map(fit, items=["x3", "x1"])
    texts = [label.text for label in picture.labels]
    assert texts.index("1  x3") < texts.index("2  x1")
    assert sum(isinstance(item, Box) for item in picture.items) == 1 + 11  # one cell, eleven shades


def test_histograms_count_every_draw(draws):
    picture = sl.bootstrap_plot(draws, parameters=["F1 ~ F0"])
    bars = [item for item in picture.items if isinstance(item, Box)]
    areas = np.array([bar.height for bar in bars])
    counts = areas / areas.max() * round(200 * areas.max() / areas.sum())
    assert counts.sum() == pytest.approx(200, abs=1)
    row = draws.estimates(solution="std_all").query("op == '~'").iloc[0]
    assert f"{row['est']:.2f} [{row['ci_lower']:.2f}, {row['ci_upper']:.2f}]" in [x.text for x in picture.labels]


def test_hostile_labels_stay_text(fit, draws):
    labels = dict.fromkeys([*fit.specification.observed, *fit.specification.latent], HOSTILE)
    pictures = [sl.loadings_plot(fit, labels=labels), sl.correlation_map(fit, labels=labels)]
    pictures += [sl.residual_map(fit, labels=labels), sl.bootstrap_plot(draws, labels=labels)]
    for picture in pictures:
        check_page(picture)
        svg = picture.svg()
        assert "<script" not in svg
        texts = ["".join(node.itertext()) for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
        assert any("…" in text for text in texts)
        assert not any("\n" in text for text in texts)


@pytest.fixture(scope="module")
def improper():
    cov = np.array([[1.0, 0.9, 0.3], [0.9, 1.0, 0.2], [0.3, 0.2, 1.0]])
    frame = pd.DataFrame(cov, index=list("abc"), columns=list("abc"))
    with pytest.warns(ImproperSolutionWarning):
        return sl.fit("f =~ a + b + c", sample_cov=frame, sample_nobs=60)


@pytest.mark.parametrize(("lang", "said"), [("en", "NOT CERTIFIED"), ("zh", "未通过检验")])
def test_uncertified_fits_say_so(improper, lang, said):
    for picture in (sl.loadings_plot(improper, lang=lang), sl.residual_map(improper, lang=lang)):
        check_page(picture)
        assert any(said in label.text for label in picture.labels)
        colors = {item.color for item in picture.items if isinstance(item, Dot | Box)}
        # Grey only: red, green and blue are equal.
        assert all(len({color[k : k + 2] for k in (1, 3, 5)}) == 1 for color in colors if color != "#1b1b1b")


def test_what_has_no_plot_is_refused(fit, draws, explored):
    for wrong in (sl.loadings_plot, sl.scree_plot, sl.correlation_map, sl.residual_map, sl.bootstrap_plot):
        with pytest.raises(NotSupported):
            wrong(3)
    with pytest.raises(NotSupported, match="no latent"):
        sl.loadings_plot(sl.fit("x2 ~ x1", answers(10, 2)))
    with pytest.raises(ConfigurationError, match="x11"):
        sl.correlation_map(fit, items=["x1", "x11"])
    with pytest.raises(ConfigurationError, match="two items"):
        sl.correlation_map(fit, items=["x1"])
    with pytest.raises(ConfigurationError, match="183"):
        sl.scree_plot(explored, width_mm=400)
    loadings = [f"F{k > 5:d} =~ x{k}" for k in range(2, 11)]
    with pytest.raises(ConfigurationError, match="18"):
        sl.bootstrap_plot(draws, parameters=[f"x{k} ~~ x{k}" for k in range(1, 11)] + loadings)
    with pytest.raises(ConfigurationError, match="F1 ~ F0"):
        sl.bootstrap_plot(draws, parameters=["F1 ~ F00"])
    with pytest.raises(DataError, match="symmetric"):
        sl.correlation_map(pd.DataFrame([[1.0, 0.2], [0.3, 1.0]], index=list("ab"), columns=list("ab")))
    with pytest.raises(DataError, match="names"):
        sl.correlation_map(answers(5))


def test_files_are_the_same_bytes_twice(fit, tmp_path):
    picture = sl.residual_map(fit, tmp_path / "residuals.png")
    assert (tmp_path / "residuals.png").read_bytes() == picture.png()
    assert picture.pdf() == sl.residual_map(fit).pdf()
