from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

from sem_loyalty.errors import DataError, SpecificationError
from sem_loyalty.model.library import load_model
from sem_loyalty.survey.published import FOLDER, load_published, matrix_from, published


def content(id: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / f"{id}.json").read_text(encoding="utf-8"))
    return loaded


def test_published_lists_every_matrix_with_its_source() -> None:
    table = published().set_index("id")
    assert table["n"].to_dict() == {
        "dwivedi2019": 340, "ecsi_mobile": 250, "fitness2023": 300, "gidakovic2021": 476, "iacobucci2009": 100,
        "schivinski2015": 302, "yoo2000": 569,
    }  # fmt: skip
    assert table["items"].to_dict() == {
        "dwivedi2019": 15, "ecsi_mobile": 24, "fitness2023": 5, "gidakovic2021": 13, "iacobucci2009": 15,
        "schivinski2015": 5, "yoo2000": 34,
    }  # fmt: skip
    assert table.loc["ecsi_mobile", "doi"] == "10.1016/j.csda.2004.03.005"
    assert table.index[table["doi"] == ""].tolist() == ["fitness2023"]
    assert table.index[table["printed"] == 0].tolist() == ["gidakovic2021", "iacobucci2009", "yoo2000"]


@pytest.mark.parametrize("id", ["ecsi_mobile", "iacobucci2009"])
def test_matrices_are_sound_and_fit_their_models(id: str) -> None:
    figures = load_published(id)
    size = len(figures.names)
    assert figures.cov.shape == (size, size)
    assert np.array_equal(figures.cov, figures.cov.T)
    assert np.linalg.eigvalsh(figures.cov)[0] > 0
    np.testing.assert_allclose(np.sqrt(np.diag(figures.cov)), figures.sd, rtol=1e-14)
    assert np.array_equal(np.diag(figures.cor), np.ones(size))
    assert figures.model is not None
    model = load_model(figures.model)
    assert {item.name for item in model.items} == set(figures.names)
    assert figures.model_text == model.text
    assert list(figures.frame().columns) == list(figures.frame().index) == list(figures.names)


def test_iacobucci_is_the_printed_triangle() -> None:
    figures = load_published("iacobucci2009")
    frame = figures.frame()
    assert frame.loc["q1", "q1"] == 2.813
    assert frame.loc["c3", "cs2"] == frame.loc["cs2", "c3"] == -0.373
    assert figures.means is None
    assert figures.source == "cov"
    assert not figures.printed
    assert "could not be read" in figures.note


def test_iacobucci_three_item_factor_from_its_covariances() -> None:
    # With three items the loadings have a closed form, lambda_1^2 = s12 s13 / s23; the primer's items are nearly pure.
    cov = load_published("iacobucci2009").frame()
    squared = cov.loc["q1", "q2"] * cov.loc["q1", "q3"] / cov.loc["q2", "q3"]
    assert squared / cov.loc["q1", "q1"] == pytest.approx(0.9451, abs=1e-4)


def test_ecsi_correlations_carry_means_deviations_and_results() -> None:
    figures = load_published("ecsi_mobile")
    frame = figures.frame()
    assert figures.source == "cor"
    assert frame.loc["IMAG1", "IMAG2"] == pytest.approx(0.38951 * 1.699988 * 1.687302, rel=1e-12)
    assert figures.means is not None
    assert figures.means[figures.names.index("CUSL2")] == 4.988
    assert set(figures.printed) == {"paths_centroid", "paths_path_weighting", "loadings_centroid"}
    assert set(figures.printed_source) == set(figures.printed)
    assert list(figures.printed["paths_centroid"]) == list(figures.printed["paths_path_weighting"])
    assert figures.printed["paths_centroid"]["Image -> Loyalty"] == 0.1953597
    assert figures.printed["paths_path_weighting"]["Image -> Loyalty"] == 0.19575534
    hypothesised = {" -> ".join(h.path) for h in load_model("ecsi_mobile").hypotheses}
    assert set(figures.printed["paths_centroid"]) == hypothesised
    assert set(figures.printed["loadings_centroid"]) == set(figures.names)


def test_ecsi_matrix_yields_the_printed_path_of_its_simplest_regression() -> None:
    # Partial least squares, mode A: the path Image -> Expectation is the correlation of the two scores. With weights
    # proportional to the printed loadings it must already lie near the printed path.
    figures = load_published("ecsi_mobile")
    loadings = figures.printed["loadings_centroid"]
    blocks = [[n for n in figures.names if n.startswith(stem)] for stem in ("IMAG", "CUEX")]
    frame = figures.frame()
    cor = frame.to_numpy() / np.outer(figures.sd, figures.sd)
    place = {name: k for k, name in enumerate(figures.names)}
    weights = np.zeros((2, len(figures.names)))
    for row, block in enumerate(blocks):
        for name in block:
            weights[row, place[name]] = loadings[name]
    scores = weights @ cor @ weights.T
    correlation = scores[0, 1] / np.sqrt(scores[0, 0] * scores[1, 1])
    assert correlation == pytest.approx(figures.printed["paths_centroid"]["Image -> Expectation"], abs=0.01)


def test_figures_are_shown_with_their_source() -> None:
    figures = load_published("iacobucci2009")
    text = str(figures)
    assert "15. r3" in text
    assert "−.03" in text  # q1 with c3: -0.071 / (1.677 * 1.464)
    assert "https://doi.org/10.1016/j.jcps.2009.09.002" in text
    assert "<table" in figures._repr_html_()
    assert "15 items, n = 100" in repr(figures)
    assert "6.16" in str(load_published("ecsi_mobile"))  # the mean of PERV1


def test_figures_cannot_be_changed() -> None:
    figures = load_published("ecsi_mobile")
    with pytest.raises(AttributeError):
        figures.n = 1000  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        figures.cov[0, 0] = 1.0
    frame = figures.frame()
    frame.iloc[0, 0] = 0.0
    assert figures.cov[0, 0] > 0
    with pytest.raises(TypeError):
        figures.printed["paths_centroid"]["Image -> Loyalty"] = 1.0  # type: ignore[index]


def test_unknown_figures_are_refused_with_the_list() -> None:
    with pytest.raises(SpecificationError, match=r"Did you mean 'ecsi_mobile'\? There are: dwivedi2019, ecsi_mobile"):
        load_published("ecsi_mobil")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda c: c.pop("n"), "'n' is missing"),
        (lambda c: c.pop("cor"), "there must be either 'cov' or 'cor'"),
        (lambda c: c["cor"][3].append(0.1), "cor is not a lower triangle of 24 rows"),
        (lambda c: c["sd"].pop(), "sd has 23 values for 24 items"),
        (lambda c: c["means"].__setitem__(0, float("nan")), "a number is not finite"),
        (lambda c: c["names"].__setitem__(1, "IMAG1"), "an item is named twice"),
        (lambda c: c["cor"][2].__setitem__(2, 0.9), "the diagonal of cor is not 1"),
        (lambda c: c["cor"][1].__setitem__(0, 0.999), "cor is not positive definite"),
        (lambda c: c["sd"].__setitem__(0, -1.0), "a standard deviation is not positive"),
        (lambda c: c.__setitem__("n", 20), "n = 20 is too few for 24 items"),
    ],
)
def test_damaged_figures_are_refused(change: Any, expected: str) -> None:
    damaged = copy.deepcopy(content("ecsi_mobile"))
    change(damaged)
    with pytest.raises(DataError) as caught:
        matrix_from(damaged)
    assert expected in str(caught.value)


def test_correlations_without_deviations_stay_correlations() -> None:
    bare = content("ecsi_mobile")
    for key in ("sd", "means", "printed", "analyses", "model"):
        del bare[key]
    figures = matrix_from(bare)
    assert np.array_equal(figures.cov, figures.cor)
    assert figures.model_text is None
    assert "M " not in str(figures).splitlines()[2]
