from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sem_loyalty as sl
from sem_loyalty.errors import ConfigurationError, DataError, NotSupported, SpecificationError

# tests/reference/plspm_mobile.py
REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "plspm_mobile.json").read_text(encoding="utf-8"))
BLOCKS = {"A": [0, 1, 2], "B": [3, 4, 5], "C": [6, 7, 8]}
CAUSES = {"B": ["A"], "C": ["A", "B"]}
MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nB ~ A\nC ~ A + B"


@pytest.mark.parametrize("scheme", ["centroid", "path"])
def test_paths_of_the_mobile_survey_are_those_in_print(scheme: str) -> None:
    matrix = sl.load_published("ecsi_mobile")
    found = sl.pls("ecsi_mobile", sample_cov=matrix.frame(), sample_nobs=matrix.n, scheme=scheme)
    printed = matrix.printed["paths_centroid" if scheme == "centroid" else "paths_path_weighting"]
    frame = found.path_coefficients()
    assert len(frame) == len(printed) == 12
    for row in frame.itertuples():
        # The matrix that travels with the package has six decimals, the printed paths eight.
        assert row.est == pytest.approx(printed[f"{row.cause} -> {row.outcome}"], abs=2e-6)


@pytest.mark.parametrize("run", sorted(REFERENCE["runs"]))
def test_results_equal_those_of_another_implementation(run: str) -> None:
    expected = REFERENCE["runs"][run]
    matrix = sl.load_published("ecsi_mobile")
    found = sl.pls(
        "ecsi_mobile",
        sample_cov=matrix.frame(),
        sample_nobs=matrix.n,
        scheme=expected["scheme"],
        modes=dict.fromkeys(expected["mode_b"], "B"),
    )
    paths = {f"{row.cause} -> {row.outcome}": row.est for row in found.path_coefficients().itertuples()}
    loadings = found.outer_model().set_index("item")["loading"].to_dict()
    r2 = {name: found.r2[k] for k, name in enumerate(found.model.constructs) if name in expected["r2"]}
    for own, other in ((paths, expected["paths"]), (loadings, expected["loadings"]), (r2, expected["r2"])):
        assert own == pytest.approx(other, abs=1e-7)  # both stop far below that


def test_loadings_of_the_mobile_survey_are_those_in_print() -> None:
    matrix = sl.load_published("ecsi_mobile")
    found = sl.pls("ecsi_mobile", sample_cov=matrix.frame(), sample_nobs=matrix.n, scheme="centroid")
    printed = matrix.printed["loadings_centroid"]
    frame = found.outer_model().set_index("item")
    assert set(frame.index) == set(printed)
    for item, value in printed.items():
        assert frame.loc[item, "loading"] == pytest.approx(value, abs=5.001e-4)  # three printed digits


def test_explained_variance_of_the_mobile_survey() -> None:
    # R² follows from the printed paths and the correlations of the composites: r' b.
    matrix = sl.load_published("ecsi_mobile")
    found = sl.pls("ecsi_mobile", sample_cov=matrix.frame(), sample_nobs=matrix.n, scheme="centroid")
    names = list(found.model.constructs)
    for outcome, expected in {"Expectation": 0.2547, "Satisfaction": 0.6803, "Loyalty": 0.4573}.items():
        assert found.r2[names.index(outcome)] == pytest.approx(expected, abs=5.001e-5)
    assert np.isnan(found.r2[names.index("Image")])


@pytest.mark.parametrize("scheme", ["centroid", "factorial", "path"])
@pytest.mark.parametrize("formative", [(), ("A",), ("A", "C")])
def test_weights_and_paths_equal_those_of_loops_over_scores(
    chain: pd.DataFrame, oracle: ModuleType, scheme: str, formative: tuple[str, ...]
) -> None:
    text = MODEL
    for name in formative:
        text = text.replace(f"{name} =~", f"{name} <~")
    expected = oracle.naive_pls(chain.to_numpy(), BLOCKS, CAUSES, scheme, formative)
    found = sl.pls(text, chain, scheme=scheme)
    np.testing.assert_allclose(found.weights, np.concatenate(list(expected["weights"].values())), atol=1e-9)
    np.testing.assert_allclose(found.paths[1, 0], expected["paths"]["B"][0], atol=1e-9)
    np.testing.assert_allclose(found.paths[2, :2], expected["paths"]["C"], atol=1e-9)


def test_formative_outcome_by_regression_weights_is_canonical_correlation(chain: pd.DataFrame) -> None:
    # Two constructs in mode B: Wold's algorithm is canonical correlation.
    found = sl.pls("A <~ a1 + a2 + a3\nC <~ c1 + c2 + c3\nC ~ A", chain)
    R = np.corrcoef(chain.to_numpy().T)
    first, second = [0, 1, 2], [6, 7, 8]
    inverse = np.linalg.inv(R[np.ix_(first, first)]) @ R[np.ix_(first, second)]
    inverse = inverse @ np.linalg.inv(R[np.ix_(second, second)]) @ R[np.ix_(second, first)]
    assert found.paths[1, 0] ** 2 == pytest.approx(np.linalg.eigvals(inverse).real.max(), abs=1e-9)


def test_one_block_twice_gives_its_first_principal_component(chain: pd.DataFrame) -> None:
    # The proxy of mode A is then the composite of the block itself.
    found = sl.pls("A =~ a1 + a2 + a3\nT =~ a1 + a2 + a3\nT ~ A", chain)
    values, vectors = np.linalg.eigh(np.corrcoef(chain[["a1", "a2", "a3"]].to_numpy().T))
    component = np.abs(vectors[:, -1]) / np.sqrt(values[-1])
    np.testing.assert_allclose(found.weights, np.tile(component, 2), atol=1e-8)


def test_plsc_of_two_constructs_is_the_correction_for_attenuation(chain: pd.DataFrame) -> None:
    plain = sl.pls("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", chain)
    found = sl.pls("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A", chain, consistent=True)
    assert found.paths[1, 0] == pytest.approx(plain.paths[1, 0] / np.sqrt(plain.rho_a.prod()), rel=1e-12)


def test_plsc_recovers_a_factor_model_without_sampling_error() -> None:
    loadings = np.array([0.8, 0.7, 0.6, 0.9, 0.75, 0.65])
    R = np.zeros((6, 6))
    R[:3, :3], R[3:, 3:] = np.outer(loadings[:3], loadings[:3]), np.outer(loadings[3:], loadings[3:])
    R[:3, 3:] = 0.4 * np.outer(loadings[:3], loadings[3:])
    R[3:, :3] = R[:3, 3:].T
    np.fill_diagonal(R, 1.0)
    names = ["a1", "a2", "a3", "b1", "b2", "b3"]
    found = sl.pls(
        "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ A",
        sample_cov=pd.DataFrame(R, index=names, columns=names),
        sample_nobs=100,
        consistent=True,
    )
    assert found.paths[1, 0] == pytest.approx(0.4, abs=1e-12)
    np.testing.assert_allclose(found.loadings, loadings, atol=1e-12)


@given(st.permutations(range(9)), st.lists(st.floats(0.1, 50.0), min_size=9, max_size=9))
def test_order_and_scale_of_items_change_nothing(order: list[int], scale: list[float]) -> None:
    generator = np.random.default_rng(5)
    common = generator.standard_normal((120, 1))
    data = pd.DataFrame(
        0.7 * common + generator.standard_normal((120, 9)), columns=[f"{c}{k}" for c in "abc" for k in (1, 2, 3)]
    )
    base = sl.pls(MODEL, data)
    moved = sl.pls(MODEL, (data * scale).iloc[:, list(order)])
    np.testing.assert_allclose(moved.weights, base.weights, atol=1e-9)
    np.testing.assert_allclose(moved.paths, base.paths, atol=1e-9)


def test_reversed_items_turn_their_own_signs_only(chain: pd.DataFrame) -> None:
    base = sl.pls(MODEL, chain)
    turned = sl.pls(MODEL, chain.assign(a1=-chain["a1"]))
    np.testing.assert_allclose(turned.paths, base.paths, atol=1e-9)
    assert turned.loadings[0] == pytest.approx(-base.loadings[0], abs=1e-9)
    whole = sl.pls(MODEL, chain.assign(a1=-chain["a1"], a2=-chain["a2"], a3=-chain["a3"]))
    # A composite stands for its items, so all items reversed reverse its paths and no loading.
    np.testing.assert_allclose(whole.paths[1, 0], -base.paths[1, 0], atol=1e-9)
    np.testing.assert_allclose(whole.loadings, base.loadings, atol=1e-9)


def test_weights_that_cannot_be_trusted_are_marked() -> None:
    matrix = sl.load_published("ecsi_mobile")
    found = sl.pls("ecsi_mobile", sample_cov=matrix.frame(), sample_nobs=250, consistent=True)
    assert not found.admissible
    assert "not positive definite" in found.problems[0]
    assert found.to_table().caption.startswith("NOT ADMISSIBLE")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (MODEL + "\nA ~ C", SpecificationError, "without loops"),
        (MODEL + "\nD =~ a1 + a2", SpecificationError, "D: no path"),
        (MODEL.replace("A + B", "0.5*A + B"), NotSupported, "modifier"),
        (MODEL.replace("B ~ A", "B ~ u*A").replace("A + B", "A + u*B"), NotSupported, "the label u stands twice"),
        ("group: 1\n" + MODEL, NotSupported, "pls_mga"),
        (MODEL + "\nx == 1", NotSupported, "constraints"),
        (MODEL + "\na1 ~ 1", NotSupported, "intercepts"),
        (MODEL + "\nA <~ c1", SpecificationError, "one or the other"),
    ],
)
def test_what_partial_least_squares_does_not_have_is_refused(
    chain: pd.DataFrame, text: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        sl.pls(text, chain)


def test_what_the_text_says_without_effect_is_noted(chain: pd.DataFrame) -> None:
    text = MODEL.replace("B ~ A", "B ~ u*A").replace("A =~ a1", "A =~ NA*a1") + "\na1 ~~ b1\nv := u*u"
    found = sl.pls(text, chain)
    np.testing.assert_allclose(found.paths, sl.pls(MODEL, chain).paths)
    note = found.to_table().note
    assert "Without effect on composites: a1 ~~ b1." in note
    assert "Not computed: v;" in note


def test_arguments_that_make_no_sense_are_refused(chain: pd.DataFrame) -> None:
    with pytest.raises(ConfigurationError, match="scheme"):
        sl.pls(MODEL, chain, scheme="pathh")
    with pytest.raises(ConfigurationError, match="modes names 'D'"):
        sl.pls(MODEL, chain, modes={"D": "B"})
    with pytest.raises(ConfigurationError, match="Give either"):
        sl.pls(MODEL)
    with pytest.raises(ConfigurationError, match="sample_nobs"):
        sl.pls(MODEL, sample_cov=chain.cov())
    with pytest.raises(DataError, match="a1"):
        sl.pls(MODEL, chain.assign(a1=3.0))


def test_every_frame_of_an_inadmissible_solution_is_marked() -> None:
    matrix = sl.load_published("ecsi_mobile")
    found = sl.pls("ecsi_mobile", sample_cov=matrix.frame(), sample_nobs=250, consistent=True)
    assert not found.admissible
    quality = sl.pls_quality(found)
    frames = [found.path_coefficients(), found.outer_model(), found.total_effects(), quality.reliability, quality.inner]
    for frame in [*frames, quality.htmt, quality.r2, quality.model_fit()]:
        assert repr(frame).startswith("NOT CERTIFIED")
    assert not repr(sl.pls("ecsi_mobile", sample_cov=matrix.frame(), sample_nobs=250).total_effects()).startswith("NOT")
